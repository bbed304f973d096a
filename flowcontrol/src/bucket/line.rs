use std::collections::BTreeMap;
use std::task::Waker;

use super::RateError;
use super::scale::{MAX_BOOKED, ORIGIN, Scale};
use crate::WaitError;

/// Names a place in line: how many tokens had been asked for in line up to and including this one. It is unique
/// because nobody asks for nothing, and in order of arrival.
pub(crate) type Ticket = u64;

/// Who waits, and who was served a moment ago.
#[derive(Debug, Default)]
pub(crate) struct Line {
    waiting: BTreeMap<Ticket, Waiting>,
    /// Tokens that those in `waiting` ask for.
    booked: u64,
    /// Served, but not yet taken in hand; with the units that would come back if they were cancelled now.
    served: BTreeMap<Ticket, u64>,
    /// The sum of `served`. It is kept at most as large as what the bucket lacks: had those tokens never been
    /// taken, the bucket would have been full by now, and more would not fit in.
    credit: u64,
    last_ticket: Ticket,
    /// Since when the bucket has been paused, in the clock's nanoseconds. Then the scale's epoch is the pause's end.
    paused_since: Option<u64>,
}

#[derive(Debug)]
struct Waiting {
    tokens: u32,
    waker: Option<Waker>,
    /// When its own timer wakes it, in the clock's nanoseconds.
    armed: u64,
    /// Whoever waits wants the token, come what may: it cannot be cancelled.
    committed: bool,
}

impl Line {
    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.served.is_empty()
    }

    fn ticket(&mut self, n: u32) -> Ticket {
        self.last_ticket += u64::from(n);
        self.last_ticket
    }

    /// Lowers the credit to `most`, the oldest first.
    fn trim_credit(&mut self, most: u64) {
        while self.credit > most {
            let Some(mut oldest) = self.served.first_entry() else { return };
            let excess = (self.credit - most).min(*oldest.get());
            self.credit -= excess;
            *oldest.get_mut() -= excess;
            if *oldest.get() == 0 {
                oldest.remove();
            }
        }
    }
}

/// How a wait stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// The tokens are taken.
    Served,
    /// The tokens are there at `due` on the clock, `delay` nanoseconds from now, or earlier if others go away.
    Waiting { due: u64, delay: u64 },
}

/// Work on the bucket under its lock, at one point in time.
#[derive(Debug)]
pub(crate) struct Session<'a> {
    line: &'a mut Line,
    scale: Scale,
    now_nanos: u64,
    /// `now_nanos` on the units' clock.
    now: u64,
    /// Units that are there for the head of the line.
    level: u64,
    /// A pause goes on: time stands still at the epoch, with an empty bucket.
    paused: bool,
    wakes: Vec<Waker>,
    /// Wakers that are of no use any more. Dropping one may drop a task, and with it a place in this line: that must
    /// wait until the lock is free.
    spent: Vec<Waker>,
}

impl<'a> Session<'a> {
    pub(crate) fn begin(line: &'a mut Line, mut scale: Scale, mark: u64, now_nanos: u64) -> Self {
        // Those in line have moved the mark already, though they have taken nothing yet.
        let mark = mark.saturating_sub(line.booked * scale.token);
        let paused = line.paused_since.is_some_and(|since| since <= now_nanos && now_nanos < scale.epoch);
        if !paused {
            line.paused_since = None;
        }
        let (now, level) = match scale.at(now_nanos) {
            Some(now) => (now, (now + scale.full).saturating_sub(mark)),
            None if paused => (ORIGIN, (ORIGIN + scale.full).saturating_sub(mark)),
            None => {
                let now = match now_nanos.checked_sub(scale.epoch) {
                    Some(elapsed) => ORIGIN.saturating_add(scale.units(elapsed)),
                    None => ORIGIN.saturating_sub(scale.units(scale.epoch - now_nanos)),
                };
                let level = now.saturating_add(scale.full).saturating_sub(mark);
                scale.epoch = now_nanos;
                (ORIGIN, level)
            }
        };
        // A level of zero where the subtraction saturates: the clock went back, and the bucket is empty at worst.
        let level = level.min(scale.full + (line.booked * scale.token));
        let mut session =
            Self { line, scale, now_nanos, now, level, paused, wakes: Vec::new(), spent: Vec::new() };
        session.settle();
        session
    }

    /// The mark, the scale, whom to wake, and what to drop, both without the lock.
    pub(crate) fn end(mut self) -> (u64, Scale, Vec<Waker>, Vec<Waker>) {
        self.settle();
        let mark = self.now + self.scale.full - self.level + (self.line.booked * self.scale.token);
        (mark, self.scale, self.wakes, self.spent)
    }

    /// Serves everybody whose turn it is.
    fn settle(&mut self) {
        let Self { line, scale, .. } = self;
        while let Some(head) = line.waiting.first_entry() {
            let cost = scale.cost(head.get().tokens);
            let reached = self.level.min(cost);
            if self.level < cost || self.paused {
                let due = Self::due(scale, self.now, cost.saturating_sub(self.level));
                let head = head.into_mut();
                if head.armed > due {
                    head.armed = due;
                    self.wakes.extend(head.waker.clone());
                }
                line.trim_credit(scale.full.saturating_sub(reached));
                return;
            }
            let (ticket, head) = head.remove_entry();
            line.trim_credit(scale.full.saturating_sub(reached));
            self.level -= cost;
            line.booked -= u64::from(head.tokens);
            if !head.committed {
                line.served.insert(ticket, cost);
                line.credit += cost;
            }
            self.wakes.extend(head.waker);
        }
        self.level = self.level.min(scale.full);
        line.trim_credit(scale.full - self.level);
    }

    /// When `units` more are there than at `now`, in the clock's nanoseconds.
    fn due(scale: &Scale, now: u64, units: u64) -> u64 {
        scale.epoch.saturating_add(scale.nanos((now - ORIGIN).saturating_add(units)))
    }

    pub(crate) fn burst(&self) -> u32 {
        (self.scale.full / self.scale.token) as u32
    }

    /// Whole tokens that are there for the taking.
    pub(crate) fn available(&self) -> u32 {
        if self.line.waiting.is_empty() && !self.paused { (self.level / self.scale.token) as u32 } else { 0 }
    }

    pub(crate) fn try_take(&mut self, n: u32) -> bool {
        let cost = self.scale.cost(n);
        let there = self.line.waiting.is_empty() && cost <= self.level && !self.paused;
        if there {
            self.level -= cost;
        }
        there
    }

    /// Takes `n` tokens if they are there, else a place at the end of the line, provided that `fits` agrees to a
    /// wait of so many nanoseconds.
    pub(crate) fn join(
        &mut self,
        n: u32,
        fits: impl FnOnce(u64) -> bool,
    ) -> Result<Option<Ticket>, WaitError> {
        if n > self.burst() {
            return Err(WaitError::ExceedsBurst { asked: n, burst: self.burst() });
        }
        if self.try_take(n) {
            return Ok(None);
        }
        let booked = self.line.booked + u64::from(n);
        if booked * self.scale.token > MAX_BOOKED {
            return Err(WaitError::LineTooLong);
        }
        let due = self.due_after(booked);
        if !fits(due.saturating_sub(self.now_nanos)) {
            return Err(WaitError::DeadlineExceeded);
        }
        self.line.booked = booked;
        let ticket = self.line.ticket(n);
        let place = Waiting { tokens: n, waker: None, armed: due, committed: false };
        self.line.waiting.insert(ticket, place);
        Ok(Some(ticket))
    }

    /// [`join`](Self::join) with a ticket in any case, so that what is taken at once can be cancelled, too.
    pub(crate) fn reserve(&mut self, n: u32) -> Result<Ticket, WaitError> {
        if let Some(ticket) = self.join(n, |_| true)? {
            return Ok(ticket);
        }
        let (ticket, cost) = (self.line.ticket(n), self.scale.cost(n));
        self.line.served.insert(ticket, cost);
        self.line.credit += cost;
        Ok(ticket)
    }

    /// How the wait of `ticket` stands. Where it goes on, `waker` is woken when it is served, and earlier if its
    /// timer has to be set anew.
    pub(crate) fn poll(&mut self, ticket: Ticket, waker: &Waker) -> Turn {
        let turn = self.turn(ticket);
        match (turn, self.line.waiting.get_mut(&ticket)) {
            (Turn::Waiting { due, .. }, Some(place)) => {
                place.armed = due;
                if !place.waker.as_ref().is_some_and(|old| old.will_wake(waker)) {
                    self.spent.extend(place.waker.replace(waker.clone()));
                }
            }
            _ => self.commit(ticket),
        }
        turn
    }

    /// How many nanoseconds are left until the turn of `ticket`, as things stand.
    pub(crate) fn delay(&self, ticket: Ticket) -> u64 {
        if !self.line.waiting.contains_key(&ticket) {
            return 0;
        }
        let ahead = self.line.waiting.range(..=ticket).map(|(_, place)| u64::from(place.tokens)).sum();
        self.due_after(ahead).saturating_sub(self.now_nanos)
    }

    /// Exact for the head of the line. For those behind it, the latest that it can be: whoever has gone away ahead of
    /// them is still counted, so that it costs nothing to tell.
    fn turn(&self, ticket: Ticket) -> Turn {
        match self.line.waiting.first_key_value() {
            Some((first, head)) if self.line.waiting.contains_key(&ticket) => {
                let due = self.due_after(ticket - first + u64::from(head.tokens));
                Turn::Waiting { due, delay: due.saturating_sub(self.now_nanos) }
            }
            _ => Turn::Served,
        }
    }

    /// When `tokens` have come, in the clock's nanoseconds.
    fn due_after(&self, tokens: u64) -> u64 {
        let units = tokens.saturating_mul(self.scale.token).saturating_sub(self.level);
        Self::due(&self.scale, self.now, units)
    }

    /// Gives up a place in line, or tokens that were served and not used.
    pub(crate) fn cancel(&mut self, ticket: Ticket) {
        if let Some(place) = self.line.waiting.remove(&ticket) {
            self.line.booked -= u64::from(place.tokens);
            self.spent.extend(place.waker);
        } else if let Some(credit) = self.line.served.remove(&ticket) {
            self.line.credit -= credit;
            self.level += credit;
        }
    }

    /// Makes sure that the tokens count as used, now or when their turn comes.
    pub(crate) fn commit(&mut self, ticket: Ticket) {
        if let Some(place) = self.line.waiting.get_mut(&ticket) {
            place.committed = true;
            self.spent.extend(place.waker.take());
        } else if let Some(credit) = self.line.served.remove(&ticket) {
            self.line.credit -= credit;
        }
    }

    /// Changes the rate and the burst from now on. What is in the bucket stays in it, as far as there is room.
    pub(crate) fn set_rate(&mut self, qps: f64, burst: u32) -> Result<(), RateError> {
        let old = self.scale;
        let epoch = if self.paused { old.epoch } else { self.now_nanos };
        self.scale = Scale::new(qps, burst, self.line.booked, epoch)?;
        self.now = ORIGIN;
        let rescale = |units: u64, most: u64| {
            let units = u128::from(units) * u128::from(self.scale.token) / u128::from(old.token);
            u64::try_from(units).unwrap_or(u64::MAX).min(most)
        };
        self.level = rescale(self.level, self.scale.full);
        let mut room = self.scale.full - self.level;
        self.line.credit = 0;
        for credit in self.line.served.values_mut().rev() {
            *credit = rescale(*credit, room);
            room -= *credit;
            self.line.credit += *credit;
        }
        self.line.served.retain(|_, credit| *credit > 0);
        Ok(())
    }

    /// Empties the bucket and stops its time for so many nanoseconds. A pause that lasts longer already stays.
    pub(crate) fn pause(&mut self, nanos: u64) {
        let until = self.now_nanos.saturating_add(nanos);
        if nanos > 0 && !(self.paused && self.scale.epoch >= until) {
            self.line.paused_since = Some(self.now_nanos);
            self.scale.epoch = until;
            (self.now, self.level, self.paused) = (ORIGIN, 0, true);
        }
    }
}
