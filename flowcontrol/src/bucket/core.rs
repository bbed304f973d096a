use std::hint::spin_loop;
use std::sync::PoisonError;
use std::task::Waker;

use super::RateError;
use super::line::{Line, Session};
use super::scale::{ORIGIN, Scale};
use crate::Clock;
use crate::sync::{AtomicU64, Mutex, MutexGuard, Ordering, TryLockError, fence};

/// The bucket without its futures: one word, the scale that the word is in, and the line of waiters.
///
/// The word holds, from the top: the flags [`HELD`] and [`WRITING`]; the version of the scale (3 bits); and a point on
/// the units' clock, the *mark* (59 bits). The bucket is full at the mark and later, and before it lacks as many units
/// as there are until then: it holds `full + now - mark`. Taking n tokens moves the mark by n tokens, from now if it is
/// in the past. That is the whole bucket, so that one compare-and-swap takes from it.
///
/// While somebody is in line (or has a token in hand that could still come back), [`HELD`] is set and the word is
/// written under the lock only. The mark then also counts what those in line have asked for, and nobody overtakes
/// them.
#[derive(Debug)]
pub(crate) struct Core<C> {
    word: AtomicU64,
    scale: ScaleCell,
    line: Mutex<Line>,
    /// Tokens a second, as the bits of an `f64`: for the asking, nothing is computed from it.
    qps: AtomicU64,
    clock: C,
}

/// Only the holder of the lock writes the word.
const HELD: u64 = 1 << 63;
/// The scale is being written; [`HELD`] is set as well.
const WRITING: u64 = 1 << 62;
/// Changes with the scale, so that a swap fails that was computed with an old one.
const VERSION: u64 = 0b111 << MARK_BITS;
const VERSION_STEP: u64 = 1 << MARK_BITS;
const MARK: u64 = VERSION_STEP - 1;
const MARK_BITS: u32 = 59;
/// How many times a thread spins after its swap has failed: long enough for others to take several times, and less than
/// 2 µs where a spin is longest (140 cycles).
const REST: u32 = 32;

/// A scale in atomics. The word tells whether what was read is of a piece: it is if the word has neither changed its
/// version nor been [`WRITING`] from before until after.
#[derive(Debug)]
struct ScaleCell {
    epoch: AtomicU64,
    mult: AtomicU64,
    full: AtomicU64,
    token: AtomicU64,
}

impl ScaleCell {
    fn new(scale: Scale) -> Self {
        Self {
            epoch: AtomicU64::new(scale.epoch),
            mult: AtomicU64::new(scale.mult),
            full: AtomicU64::new(scale.full),
            token: AtomicU64::new(scale.token),
        }
    }

    #[inline]
    fn load(&self) -> Scale {
        Scale {
            epoch: self.epoch.load(Ordering::Relaxed),
            mult: self.mult.load(Ordering::Relaxed),
            full: self.full.load(Ordering::Relaxed),
            token: self.token.load(Ordering::Relaxed),
        }
    }

    fn store(&self, scale: Scale) {
        self.epoch.store(scale.epoch, Ordering::Relaxed);
        self.mult.store(scale.mult, Ordering::Relaxed);
        self.full.store(scale.full, Ordering::Relaxed);
        self.token.store(scale.token, Ordering::Relaxed);
    }
}

impl<C: Clock> Core<C> {
    pub(crate) fn new(qps: f64, burst: u32, clock: C) -> Result<Self, RateError> {
        let scale = Scale::new(qps, burst, 0, clock.now().as_nanos())?;
        Ok(Self {
            word: AtomicU64::new(ORIGIN),
            scale: ScaleCell::new(scale),
            line: Mutex::new(Line::default()),
            qps: AtomicU64::new(qps.to_bits()),
            clock,
        })
    }

    /// Takes `n` tokens if they are there and nobody waits for them.
    ///
    /// What follows upon the clock's reading is a chain in which each step waits for the one before it: its length is
    /// what a call costs.
    #[inline]
    pub(crate) fn try_take(&self, n: u32) -> bool {
        loop {
            let word = self.word.load(Ordering::Acquire);
            let scale = self.scale.load();
            // Whoever writes the scale has changed the word before: had we read any of it, a swap would fail.
            fence(Ordering::Acquire);
            // The clock is read after the word. Whoever wrote the word had read the clock before: a clock that does
            // not go back shows at least as much now.
            let Some(now) = scale.at(self.clock.now().as_nanos()) else { return self.try_take_locked(n) };
            let cost = scale.cost(n);
            if n > 1 && cost > scale.full {
                return self.try_take_locked(n);
            }
            // With the version, now compares with words of that version as it does with their marks; and whatever is
            // held is above the limit.
            let now = now | word & VERSION;
            let limit = now + scale.full;
            let next = word.max(now) + cost;
            if next <= limit {
                match self.word.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Relaxed) {
                    Ok(_) => return true,
                    // Others are at it. While we rest, the word stays in their core's cache, and they take many in a
                    // row. To fetch it at once would cost them more than it wins us.
                    Err(_) => (0..REST).for_each(|_| spin_loop()),
                }
                continue;
            }
            if self.word.load(Ordering::Relaxed) != word {
                continue; // The scale may have changed, and the clock's reading is older than the word.
            }
            if word <= limit {
                return false;
            }
            // In line are others, or the bucket lacks more than it can hold: the clock went back.
            let unheld = word & !(HELD | WRITING);
            if word & WRITING == 0 && unheld.max(now) + cost > limit {
                return self.settle_and_try(n);
            }
            return self.try_take_locked(n);
        }
    }

    #[cold]
    fn try_take_locked(&self, n: u32) -> bool {
        self.with(|session| session.try_take(n))
    }

    /// Where the tokens are not there, unless somebody goes away: lets the line move on, if nobody else is at it.
    #[cold]
    fn settle_and_try(&self, n: u32) -> bool {
        match self.line.try_lock() {
            Ok(line) => self.run(line, |session| session.try_take(n)),
            Err(TryLockError::Poisoned(error)) => self.run(error.into_inner(), |session| session.try_take(n)),
            Err(TryLockError::WouldBlock) => false,
        }
    }

    /// Runs `f` under the lock, after everybody has been served whose turn it is by now.
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut Session<'_>) -> R) -> R {
        self.run(self.line.lock().unwrap_or_else(PoisonError::into_inner), f)
    }

    fn run<R>(&self, mut line: MutexGuard<'_, Line>, f: impl FnOnce(&mut Session<'_>) -> R) -> R {
        let word = self.word.fetch_or(HELD, Ordering::AcqRel);
        let scale = self.scale.load();
        let mut session = Session::begin(&mut line, scale, word & MARK, self.clock.now().as_nanos());
        let result = f(&mut session);
        let (mark, new_scale, wakes, spent) = session.end();
        let mut version = word & VERSION;
        if new_scale != scale {
            version = version.wrapping_add(VERSION_STEP) & VERSION;
            self.word.fetch_or(WRITING, Ordering::Relaxed);
            fence(Ordering::Release);
            self.scale.store(new_scale);
        }
        let held = if line.is_idle() { 0 } else { HELD };
        self.word.store(mark | version | held, Ordering::Release);
        drop(line);
        drop(spent);
        wakes.into_iter().for_each(Waker::wake);
        result
    }

    pub(crate) fn set_rate(&self, qps: f64, burst: u32) -> Result<(), RateError> {
        self.with(|session| {
            session.set_rate(qps, burst)?;
            self.qps.store(qps.to_bits(), Ordering::Relaxed);
            Ok(())
        })
    }

    pub(crate) fn qps(&self) -> f64 {
        f64::from_bits(self.qps.load(Ordering::Relaxed))
    }

    pub(crate) fn burst(&self) -> u32 {
        self.with(|session| session.burst())
    }

    pub(crate) fn clock(&self) -> &C {
        &self.clock
    }
}
