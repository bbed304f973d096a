use std::fmt;

use rustls::NamedGroup;
use rustls::client::{
    ClientSessionMemoryCache, ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue,
};
use rustls::pki_types::ServerName;

use crate::limits;

/// Of these rustls keeps eight a server.
const TICKETS: usize = 32;

/// Sessions to resume, kept in memory as rustls would by itself; and the one place where handshakes are seen to begin.
pub(super) struct Sessions(ClientSessionMemoryCache);

impl Sessions {
    /// With room for a few servers: one configuration is for one, or for those that redirects lead to. The room is taken
    /// at once.
    pub(super) fn new() -> Self {
        Self(ClientSessionMemoryCache::new(TICKETS))
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sessions")
    }
}

impl ClientSessionStore for Sessions {
    fn set_kx_hint(&self, server_name: ServerName<'static>, group: NamedGroup) {
        self.0.set_kx_hint(server_name, group);
    }

    /// Asked once in each handshake, for its first message.
    fn kx_hint(&self, server_name: &ServerName<'_>) -> Option<NamedGroup> {
        limits::handshake_begins();
        self.0.kx_hint(server_name)
    }

    fn set_tls12_session(&self, server_name: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.0.set_tls12_session(server_name, value);
    }

    fn tls12_session(&self, server_name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.0.tls12_session(server_name)
    }

    fn remove_tls12_session(&self, server_name: &ServerName<'static>) {
        self.0.remove_tls12_session(server_name);
    }

    fn insert_tls13_ticket(&self, server_name: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.0.insert_tls13_ticket(server_name, value);
    }

    fn take_tls13_ticket(&self, server_name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.0.take_tls13_ticket(server_name)
    }
}
