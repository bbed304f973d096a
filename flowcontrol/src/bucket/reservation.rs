use std::fmt;
use std::time::Duration;

use super::core::Core;
use super::line::Ticket;
use crate::{Clock, WaitError};

/// Tokens that are one's own, now or soon: see [`TokenBucket::reserve`](super::TokenBucket::reserve).
///
/// Dropping it keeps the tokens: they count as used. [`cancel`](Self::cancel) gives them back.
#[must_use = "the tokens are taken already: use them after the delay, or cancel"]
pub struct Reservation<'a, C: Clock> {
    core: &'a Core<C>,
    /// None where there is nothing to give back.
    ticket: Option<Ticket>,
}

impl<'a, C: Clock> Reservation<'a, C> {
    pub(super) fn new(core: &'a Core<C>, n: u32) -> Result<Self, WaitError> {
        let ticket = if n == 0 { None } else { Some(core.with(|session| session.reserve(n))?) };
        Ok(Self { core, ticket })
    }

    /// How long to wait, from now, before the tokens may be used. It becomes shorter when somebody ahead gives
    /// up, and changes with the bucket's rate.
    pub fn delay(&self) -> Duration {
        let nanos = self.ticket.map_or(0, |ticket| self.core.with(|session| session.delay(ticket)));
        Duration::from_nanos(nanos)
    }

    /// Gives the tokens back whole, as if they had never been asked for: those behind move up.
    ///
    /// When the bucket would have been full without this reservation in the meantime, only what fits in comes back.
    pub fn cancel(mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.core.with(|session| session.cancel(ticket));
        }
    }
}

impl<C: Clock> Drop for Reservation<'_, C> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.core.with(|session| session.commit(ticket));
        }
    }
}

impl<C: Clock> fmt::Debug for Reservation<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reservation").field("delay", &self.delay()).finish_non_exhaustive()
    }
}
