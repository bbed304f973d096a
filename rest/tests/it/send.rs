//! What goes to other tasks can go there.

use kubewire_rest::{Request, RestClient, Result};

fn is_send<T: Send>(_: &T) {}
fn is_send_and_sync<T: Send + Sync>() {}

#[test]
fn clients_requests_and_their_futures_can_be_sent() {
    is_send_and_sync::<RestClient>();
    is_send_and_sync::<Request>();
    is_send_and_sync::<Result>();
    // Never run: only their types matter.
    let _ = |request: fn() -> Request| {
        is_send(&request().send());
        is_send(&request().send_raw());
        is_send(&request().stream());
    };
}
