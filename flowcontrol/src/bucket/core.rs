use std::sync::PoisonError;
use std::task::Waker;

use super::RateError;
use super::line::{Line, Session};
use super::scale::{ORIGIN, Scale};
use crate::Clock;
use crate::sync::{AtomicU64, Mutex, MutexGuard, Ordering, TryLockError, fence};

/// The bucket without its futures: one word, the two scales that the word may refer to, and the line of waiters.
///
/// The word holds, from the top: a point on the units' clock, the *mark* (60 bits); the version of the scale (3
/// bits); and the flag [`HELD`]. The bucket is full at the mark and later, and before it lacks as many units as
/// there are until then: it holds `full + now - mark`. Taking n tokens moves the mark by n tokens, from now if it
/// is in the past. That is the whole bucket, so that one compare-and-swap takes from it.
///
/// While somebody is in line (or has a token in hand that could still come back), [`HELD`] is set and the word is
/// written under the lock only. The mark then also counts what those in line have asked for, and nobody overtakes
/// them.
#[derive(Debug)]
pub(crate) struct Core<C> {
    word: AtomicU64,
    scales: [ScaleCell; 2],
    line: Mutex<Line>,
    /// Tokens a second, as the bits of an `f64`: for the asking, nothing is computed from it.
    qps: AtomicU64,
    clock: C,
}

/// The word's lowest bit: only the holder of the lock writes it.
const HELD: u64 = 1;
const VERSION: u64 = 0b1110;
const VERSION_STEP: u64 = 0b10;
const MARK_SHIFT: u32 = 4;

/// One scale in atomics. It is written only while the word refers to the other one.
#[derive(Debug)]
struct ScaleCell {
    epoch: AtomicU64,
    mult: AtomicU64,
    full: AtomicU64,
    bits: AtomicU64,
}

impl ScaleCell {
    fn new(scale: Scale) -> Self {
        Self {
            epoch: AtomicU64::new(scale.epoch),
            mult: AtomicU64::new(scale.mult),
            full: AtomicU64::new(scale.full),
            bits: AtomicU64::new(u64::from(scale.bits)),
        }
    }

    fn load(&self) -> Scale {
        Scale {
            epoch: self.epoch.load(Ordering::Relaxed),
            mult: self.mult.load(Ordering::Relaxed),
            full: self.full.load(Ordering::Relaxed),
            bits: self.bits.load(Ordering::Relaxed) as u32,
        }
    }

    fn store(&self, scale: Scale) {
        self.epoch.store(scale.epoch, Ordering::Relaxed);
        self.mult.store(scale.mult, Ordering::Relaxed);
        self.full.store(scale.full, Ordering::Relaxed);
        self.bits.store(u64::from(scale.bits), Ordering::Relaxed);
    }
}

impl<C: Clock> Core<C> {
    pub(crate) fn new(qps: f64, burst: u32, clock: C) -> Result<Self, RateError> {
        let scale = Scale::new(qps, burst, 0, clock.now().as_nanos())?;
        Ok(Self {
            word: AtomicU64::new(ORIGIN << MARK_SHIFT),
            scales: [ScaleCell::new(scale), ScaleCell::new(scale)],
            line: Mutex::new(Line::default()),
            qps: AtomicU64::new(qps.to_bits()),
            clock,
        })
    }

    /// Takes `n` tokens if they are there and nobody waits for them.
    #[inline]
    pub(crate) fn try_take(&self, n: u32) -> bool {
        'observe: loop {
            let mut word = self.word.load(Ordering::Acquire);
            let scale = self.scale(word).load();
            // The clock is read after the word. Whoever wrote the word had read the clock before: a clock that does
            // not go back shows at least as much now.
            let Some(now) = scale.at(self.clock.now().as_nanos()) else {
                return self.with(|session| session.try_take(n)); // A new epoch is due.
            };
            let cost = scale.cost(n);
            let mut fresh = true;
            loop {
                let mark = word >> MARK_SHIFT;
                let taken = mark.max(now) + cost;
                if taken > now + scale.full {
                    if !fresh {
                        continue 'observe; // `now` may be older than the word.
                    }
                    if word & HELD != 0 {
                        return self.try_with(|session| session.try_take(n)).unwrap_or(false);
                    }
                    if mark > now + scale.full {
                        return self.with(|session| session.try_take(n)); // The clock went back.
                    }
                    fence(Ordering::Acquire);
                    if (self.word.load(Ordering::Relaxed) ^ word) & VERSION != 0 {
                        continue 'observe; // The scale may have been written while it was read.
                    }
                    return false;
                }
                if word & HELD != 0 {
                    return self.with(|session| session.try_take(n));
                }
                let next = taken << MARK_SHIFT | word & VERSION;
                match self.word.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Acquire) {
                    Ok(_) => return true,
                    Err(actual) if (actual ^ word) & VERSION == 0 => word = actual,
                    Err(_) => continue 'observe,
                }
                fresh = false;
            }
        }
    }

    /// Runs `f` under the lock, after everybody has been served whose turn it is by now.
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut Session<'_>) -> R) -> R {
        self.run(self.line.lock().unwrap_or_else(PoisonError::into_inner), f)
    }

    /// [`with`](Self::with), unless somebody else has the lock.
    fn try_with<R>(&self, f: impl FnOnce(&mut Session<'_>) -> R) -> Option<R> {
        match self.line.try_lock() {
            Ok(line) => Some(self.run(line, f)),
            Err(TryLockError::Poisoned(error)) => Some(self.run(error.into_inner(), f)),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn run<R>(&self, mut line: MutexGuard<'_, Line>, f: impl FnOnce(&mut Session<'_>) -> R) -> R {
        let word = self.word.fetch_or(HELD, Ordering::AcqRel);
        let scale = self.scale(word).load();
        let mut session = Session::begin(&mut line, scale, word >> MARK_SHIFT, self.clock.now().as_nanos());
        let result = f(&mut session);
        let (mark, new_scale, wakes) = session.end();
        let mut version = word & VERSION;
        if new_scale != scale {
            version = (version + VERSION_STEP) & VERSION;
            self.scale(version).store(new_scale);
        }
        let held = u64::from(!line.is_idle());
        self.word.store(mark << MARK_SHIFT | version | held, Ordering::Release);
        drop(line);
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

    fn scale(&self, word: u64) -> &ScaleCell {
        &self.scales[usize::from(word & VERSION_STEP != 0)]
    }
}
