//! What is shown of a kubeconfig.

use std::path::Path;

use serde_json::Value;

use super::{Kubeconfig, UnknownFields};
use crate::{ConfigError, Secret};

/// What stands in the place of a secret.
const REDACTED: &str = "REDACTED";

/// What `DATA+OMITTED` is the base64 of, so that a `-data` field reads just that.
const OMITTED: [u8; 9] = [0x0c, 0x04, 0xc0, 0xf8, 0xe3, 0x08, 0x4d, 0x31, 0x03];

impl Kubeconfig {
    /// Keeps the current context with its cluster and user, and drops all others.
    ///
    /// # Errors
    /// [`ConfigError::NoContext`] when there is no current context; [`ConfigError::UnknownContext`],
    /// [`ConfigError::UnknownCluster`] or [`ConfigError::UnknownUser`] when something does not exist. The kubeconfig
    /// is unchanged then.
    pub fn minify(&mut self) -> Result<(), ConfigError> {
        let name =
            self.current_context.clone().filter(|name| !name.is_empty()).ok_or(ConfigError::NoContext)?;
        let context = self.contexts.get(&name).ok_or_else(|| self.unknown_context(&name))?;
        let (cluster, user) = (context.cluster.clone(), context.user.clone());
        if !cluster.is_empty() && !self.clusters.contains_key(&cluster) {
            let known = self.clusters.keys().cloned().collect();
            return Err(ConfigError::UnknownCluster { name: cluster, known });
        }
        if !user.is_empty() && !self.users.contains_key(&user) {
            let known = self.users.keys().cloned().collect();
            return Err(ConfigError::UnknownUser { name: user, known });
        }
        self.contexts.retain(|key, _| *key == name);
        self.clusters.retain(|key, _| !cluster.is_empty() && *key == cluster);
        self.users.retain(|key, _| !user.is_empty() && *key == user);
        Ok(())
    }

    /// Puts `DATA+OMITTED` in the place of certificates and keys, which are long.
    pub fn shorten(&mut self) {
        let omit = |data: &mut Vec<u8>| *data = OMITTED.to_vec();
        self.clusters
            .values_mut()
            .filter_map(|entry| entry.certificate_authority_data.as_mut())
            .for_each(omit);
        self.users.values_mut().filter_map(|entry| entry.client_certificate_data.as_mut()).for_each(omit);
        for key in self.users.values_mut().filter_map(|entry| entry.client_key_data.as_mut()) {
            *key = Secret::new(OMITTED.to_vec());
        }
    }

    /// Puts `REDACTED` in the place of what is secret, so that the rest can be shown.
    ///
    /// Tokens, passwords and keys go, as `kubectl config view` has it. Beyond that so do the arguments and variables
    /// of exec plugins, the settings of auth-providers, user and password in proxy URLs, and fields that are not
    /// known. Extensions stay.
    pub fn redact(&mut self) {
        let hide = |secret: &mut Secret| *secret = Secret::from(REDACTED);
        redact_unknown(&mut self.unknown);
        redact_unknown(&mut self.preferences.unknown);
        for cluster in self.clusters.values_mut() {
            redact_unknown(&mut cluster.unknown);
            redact_unknown(&mut cluster.entry_unknown);
            if let Some(url) = &mut cluster.proxy_url
                && url.expose().contains('@')
            {
                hide(url);
            }
        }
        for context in self.contexts.values_mut() {
            redact_unknown(&mut context.unknown);
            redact_unknown(&mut context.entry_unknown);
        }
        for user in self.users.values_mut() {
            redact_unknown(&mut user.unknown);
            redact_unknown(&mut user.entry_unknown);
            user.token.iter_mut().for_each(hide);
            user.password.iter_mut().for_each(hide);
            if let Some(key) = &mut user.client_key_data {
                *key = Secret::new(OMITTED.to_vec());
            }
            if let Some(provider) = &mut user.auth_provider {
                provider.config.values_mut().for_each(hide);
                redact_unknown(&mut provider.unknown);
            }
            if let Some(exec) = &mut user.exec {
                exec.args.iter_mut().for_each(hide);
                redact_unknown(&mut exec.unknown);
                for var in &mut exec.env {
                    hide(&mut var.value);
                    redact_unknown(&mut var.unknown);
                }
            }
        }
    }

    /// The paths of the file that are not UTF-8, which YAML can't hold.
    pub(crate) fn path_that_is_not_utf8(&self) -> Option<&Path> {
        let clusters = self.clusters.values().filter_map(|cluster| cluster.certificate_authority.as_deref());
        let users = self.users.values().flat_map(|user| {
            let exec = user.exec.as_ref().map(|exec| exec.command.as_path());
            let files = [&user.client_certificate, &user.client_key, &user.token_file];
            files.into_iter().filter_map(|path| path.as_deref()).chain(exec)
        });
        clusters.chain(users).find(|path| path.to_str().is_none())
    }
}

fn redact_unknown(fields: &mut UnknownFields) {
    let names: Vec<String> = fields.iter().map(|(name, _)| name.clone()).collect();
    for name in names {
        if let Some(mut old) = fields.insert(name, Value::from(REDACTED)) {
            super::wipe(&mut old);
        }
    }
}
