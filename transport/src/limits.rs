//! How long a connection may be in the making: one bound for the way to the server, one for the TLS handshake.

use std::cell::Cell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;

use crate::{BoxError, Error, ErrorKind};

/// As good as never, and small enough to be added to any instant.
pub(crate) const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// How long each part may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Name lookup, TCP, and the way through a proxy.
    pub(crate) dial: Duration,
    /// Each TLS handshake: with the server, and before it with an https proxy.
    pub(crate) handshake: Duration,
}

/// The part that took too long, and its bound.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TooSlow {
    Dial(Duration),
    Handshake(Duration),
}

tokio::task_local! {
    /// When the TLS handshake began that goes on in the connect being polled.
    static HANDSHAKE: Cell<Option<Instant>>;
}

/// To be called where a handshake begins. Beneath reqwest's connector that is seen only from within rustls.
pub(crate) fn handshake_begins() {
    // A handshake that no connect of ours makes is nobody's business here.
    let _ = HANDSHAKE.try_with(|begun| begun.set(Some(Instant::now())));
}

/// To be called when a handshake is over and the connection is not ready yet.
pub(crate) fn handshake_is_over() {
    let _ = HANDSHAKE.try_with(|begun| begun.set(None));
}

/// Runs `connect` within its limits. Gives the time of its last handshake, if it ended with one.
pub(crate) async fn within<T>(
    limits: Limits,
    connect: impl Future<Output = Result<T, BoxError>>,
) -> Result<(T, Option<Duration>), BoxError> {
    let mut connect = pin!(connect);
    let mut begun: Option<Instant> = None;
    let mut limit = pin!(tokio::time::sleep(limits.dial));
    let mut dial_ends = limit.deadline();
    poll_fn(|cx| {
        let before = begun;
        let polled = HANDSHAKE.sync_scope(Cell::new(begun), || {
            let polled = connect.as_mut().poll(cx);
            begun = HANDSHAKE.with(Cell::get);
            polled
        });
        if let Poll::Ready(connected) = polled {
            return Poll::Ready(connected.map(|connection| (connection, begun.map(|begun| begun.elapsed()))));
        }
        match (before, begun) {
            (_, Some(begun)) if before != Some(begun) => {
                limit.as_mut().reset(after(begun, limits.handshake));
            }
            (Some(before), None) => {
                dial_ends = after(dial_ends, before.elapsed());
                limit.as_mut().reset(dial_ends);
            }
            _ => {}
        }
        limit.as_mut().poll(cx).map(|()| {
            let slow = match begun {
                Some(_) => TooSlow::Handshake(limits.handshake),
                None => TooSlow::Dial(limits.dial),
            };
            Err(Error::new(ErrorKind::ConnectTimeout, slow).not_processed().into())
        })
    })
    .await
}

fn after(then: Instant, time: Duration) -> Instant {
    then.checked_add(time).unwrap_or(then + NEVER)
}

impl TooSlow {
    /// What was too slow in the making of the connection that `error` tells of.
    pub(crate) fn find(error: &(dyn std::error::Error + 'static)) -> Option<Self> {
        std::iter::successors(Some(error), |error| error.source())
            .find_map(|error| error.downcast_ref())
            .copied()
    }
}

impl fmt::Display for TooSlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dial(limit) => write!(f, "there was no connection within {} s", limit.as_secs_f64()),
            Self::Handshake(limit) => {
                write!(f, "the TLS handshake took longer than {} s", limit.as_secs_f64())
            }
        }
    }
}

impl std::error::Error for TooSlow {}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::sleep;

    use super::*;

    const LIMITS: Limits = Limits { dial: Duration::from_secs(30), handshake: Duration::from_secs(10) };

    async fn run(connect: impl Future<Output = ()>) -> (Result<Option<Duration>, String>, u64) {
        let start = Instant::now();
        let connect = async {
            connect.await;
            Ok(())
        };
        let outcome = within(LIMITS, connect).await;
        let outcome = outcome.map(|((), handshake)| handshake);
        let outcome = outcome.map_err(|error| TooSlow::find(error.as_ref()).unwrap().to_string());
        (outcome, start.elapsed().as_secs())
    }

    async fn seconds(seconds: u64) {
        sleep(Duration::from_secs(seconds)).await;
    }

    // BH-T3
    #[tokio::test(start_paused = true)]
    async fn dial_and_handshake_have_a_bound_each() {
        let dial = Err("there was no connection within 30 s".to_owned());
        let handshake = Err("the TLS handshake took longer than 10 s".to_owned());
        assert_eq!(run(seconds(29)).await, (Ok(None), 29));
        assert_eq!(run(pending()).await, (dial.clone(), 30));
        let shaking = |dial, time| async move {
            seconds(dial).await;
            handshake_begins();
            seconds(time).await;
        };
        assert_eq!(run(shaking(29, 9)).await, (Ok(Some(Duration::from_secs(9))), 38));
        assert_eq!(run(shaking(0, 11)).await, (handshake.clone(), 10));
        assert_eq!(run(shaking(29, 11)).await, (handshake.clone(), 39));

        // An https proxy first: its handshake has its own bound, and takes nothing from the dial's.
        let proxied = |dial, more, time| async move {
            shaking(dial, 9).await;
            handshake_is_over();
            shaking(more, time).await;
        };
        assert_eq!(run(proxied(15, 14, 9)).await, (Ok(Some(Duration::from_secs(9))), 47));
        assert_eq!(run(proxied(15, 16, 9)).await, (dial, 39));
        assert_eq!(run(proxied(0, 0, 11)).await, (handshake, 19));
    }

    #[tokio::test(start_paused = true)]
    async fn no_limit_is_too_long() {
        let limits = Limits { dial: Duration::MAX, handshake: Duration::MAX };
        let connect = async {
            seconds(1000).await;
            handshake_begins();
            seconds(1000).await;
            Ok(())
        };
        assert!(within(limits, connect).await.is_ok());
    }
}
