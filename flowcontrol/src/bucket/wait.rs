use std::future::poll_fn;
use std::pin::pin;
use std::task::{Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::core::Core;
use super::line::{Ticket, Turn};
use crate::clock::to_nanos;
use crate::{Clock, WaitError};

/// A timer is never set for longer than this; it is set anew until the turn comes.
const LONGEST_SLEEP: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A place in line, given up when it is dropped.
struct Place<'a, C: Clock> {
    core: &'a Core<C>,
    ticket: Ticket,
    served: bool,
}

impl<C: Clock> Drop for Place<'_, C> {
    fn drop(&mut self) {
        if !self.served {
            self.core.with(|session| session.cancel(self.ticket));
        }
    }
}

/// Takes `n` tokens when its turn comes.
///
/// Every waiter has a timer of its own, set for when its turn comes as things stand. Whichever goes off first serves
/// all whose turn it is, so that a future that nobody polls holds up no one. Who moves to the head of the line and
/// has a timer that is too late is woken to set it anew.
pub(super) async fn wait<C: Clock>(
    core: &Core<C>,
    n: u32,
    deadline: Option<Instant>,
) -> Result<(), WaitError> {
    if core.try_take(n) {
        return Ok(());
    }
    let in_time =
        |nanos| deadline.is_none_or(|at| nanos <= to_nanos(at.saturating_duration_since(Instant::now())));
    let Some(ticket) = core.with(|session| session.join(n, in_time))? else { return Ok(()) };
    let mut place = Place { core, ticket, served: false };
    let mut timer = pin!(sleep_until(Instant::now()));
    let mut armed = None;
    poll_fn(|cx| {
        loop {
            let (due, delay) = match core.with(|session| session.poll(ticket, cx.waker())) {
                Turn::Served => {
                    place.served = true;
                    return Poll::Ready(Ok(()));
                }
                Turn::Waiting { due, delay } => (due, delay),
            };
            let now = Instant::now();
            if deadline.is_some_and(|at| at <= now) {
                return Poll::Ready(Err(WaitError::DeadlineExceeded));
            }
            if armed != Some(due) {
                armed = Some(due);
                let turn = now + Duration::from_nanos(delay).min(LONGEST_SLEEP);
                timer.as_mut().reset(deadline.map_or(turn, |at| turn.min(at)));
            }
            ready!(timer.as_mut().poll(cx));
            armed = None;
        }
    })
    .await
}
