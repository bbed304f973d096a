//! Random histories of a bucket, against a model that does the same sums the slow way.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use kubewire_flowcontrol::{ManualClock, Reservation, Timestamp, TokenBucket, WaitError};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRunner};

/// The clock moves in steps of 1/512 s and rates are multiples of 1/512 per second, so that all levels are whole
/// numbers of these parts of a token, for the model and for the bucket.
const PARTS: i128 = 512 * 512;
const STEP_NANOS: u64 = 1_000_000_000 / 512;
const TEN_YEARS: u64 = 10 * 365 * 24 * 3600 * 512;

/// The reference: a level, a line, and (oldest first) what is reserved and could come back.
#[derive(Default)]
struct Model {
    level: i128,
    time: i128,
    rate: i128,
    full: i128,
    line: VecDeque<(usize, i128)>,
    /// Those in line who keep their tokens in any case: theirs never come back.
    kept: Vec<usize>,
    held: Vec<(usize, i128)>,
    served: Vec<usize>,
}

impl Model {
    fn observe(&mut self, time: i128) {
        self.level = (self.level + (time - self.time) * self.rate).max(0);
        self.time = time;
        while let Some(&(id, cost)) = self.line.front() {
            self.trim(self.full - self.level.min(cost));
            if self.level < cost {
                return;
            }
            self.level -= cost;
            self.line.pop_front();
            if !self.kept.contains(&id) {
                self.held.push((id, cost));
            }
            self.served.push(id);
        }
        self.level = self.level.min(self.full);
        self.trim(self.full - self.level);
    }

    /// What could come back is never more than what fits in.
    fn trim(&mut self, room: i128) {
        let mut excess = self.held.iter().map(|held| held.1).sum::<i128>() - room.max(0);
        for held in &mut self.held {
            let less = excess.clamp(0, held.1);
            held.1 -= less;
            excess -= less;
        }
    }

    fn take(&mut self, cost: i128) -> bool {
        let there = self.line.is_empty() && cost <= self.level;
        self.level -= if there { cost } else { 0 };
        there
    }

    fn keep(&mut self, id: usize) {
        self.held.retain(|held| held.0 != id);
        self.kept.push(id);
    }

    fn cancel(&mut self, id: usize) {
        self.line.retain(|waiting| waiting.0 != id);
        self.level += self.held.extract_if(.., |held| held.0 == id).map(|held| held.1).sum::<i128>();
        self.observe(self.time);
    }
}

#[derive(Clone, Debug)]
enum Op {
    Forward(u64),
    Back(u64),
    Try(u32),
    Wait(u32),
    Reserve(u32),
    Cancel(usize),
    Use(usize),
    Rate(u32, u32),
}

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

enum Asked<'a> {
    Wait(Pin<Box<dyn Future<Output = Result<(), WaitError>> + 'a>>, Arc<Flag>),
    Reserved(Reservation<'a, ManualClock>),
}

struct History<'a> {
    bucket: &'a TokenBucket<ManualClock>,
    model: Model,
    asked: Vec<(usize, Asked<'a>)>,
    next_id: usize,
}

impl<'a> History<'a> {
    fn tokens(&self, n: u32) -> u32 {
        // Mostly what the bucket can hold, and sometimes one more.
        let burst = u32::try_from(self.model.full / PARTS).unwrap();
        if n <= 4 { n.max(1) } else { n % burst.saturating_add(1).max(1) + 1 }
    }

    fn apply(&mut self, op: &Op) {
        let steps = self.bucket.clock_steps();
        match *op {
            Op::Forward(by) => self.bucket.clock().set(Timestamp::from_nanos((steps + by) * STEP_NANOS)),
            Op::Back(by) => {
                self.bucket.clock().set(Timestamp::from_nanos(steps.saturating_sub(by) * STEP_NANOS));
            }
            _ => {}
        }
        self.model.observe(i128::from(self.bucket.clock_steps()));
        match *op {
            Op::Forward(_) | Op::Back(_) => self.poll(true),
            Op::Try(n) => {
                let n = self.tokens(n);
                assert_eq!(self.bucket.try_accept_n(n), self.model.take(i128::from(n) * PARTS));
            }
            Op::Wait(n) => self.wait(n),
            Op::Reserve(n) => self.reserve(n),
            Op::Cancel(which) if !self.asked.is_empty() => {
                let (id, asked) = self.asked.remove(which % self.asked.len());
                match asked {
                    Asked::Wait(wait, _) => drop(wait),
                    Asked::Reserved(reservation) => reservation.cancel(),
                }
                self.model.cancel(id);
            }
            Op::Use(which) if !self.asked.is_empty() => {
                let which = which % self.asked.len();
                if matches!(self.asked[which].1, Asked::Reserved(_)) {
                    let (id, _) = self.asked.remove(which);
                    self.model.keep(id);
                }
            }
            Op::Rate(qps_512, burst) => {
                self.bucket.set_rate(f64::from(qps_512) / 512.0, burst).unwrap();
                self.model.rate = i128::from(qps_512);
                self.model.full = i128::from(burst) * PARTS;
                self.model.level = self.model.level.min(self.model.full);
                // After a change of the burst the newest keep what fits in.
                let mut room = self.model.full - self.model.level;
                for held in self.model.held.iter_mut().rev() {
                    held.1 = held.1.min(room);
                    room -= held.1;
                }
                self.model.observe(self.model.time);
            }
            _ => {}
        }
        self.poll(false);
        let level = if self.model.line.is_empty() { self.model.level / PARTS } else { 0 };
        assert_eq!(i128::from(self.bucket.available()), level);
    }

    fn wait(&mut self, n: u32) {
        let n = self.tokens(n);
        let cost = i128::from(n) * PARTS;
        let flag = Arc::new(Flag::default());
        let mut wait: Pin<Box<dyn Future<Output = _>>> = Box::pin(self.bucket.wait_n(n, None));
        let waker = Waker::from(Arc::clone(&flag));
        let poll = wait.as_mut().poll(&mut Context::from_waker(&waker));
        if cost > self.model.full {
            assert!(matches!(poll, Poll::Ready(Err(WaitError::ExceedsBurst { .. }))), "{poll:?}");
        } else if self.model.take(cost) {
            assert_eq!(poll, Poll::Ready(Ok(())));
        } else {
            assert_eq!(poll, Poll::Pending);
            self.model.line.push_back((self.next_id, cost));
            self.asked.push((self.next_id, Asked::Wait(wait, flag)));
            self.next_id += 1;
        }
    }

    fn reserve(&mut self, n: u32) {
        let n = self.tokens(n);
        let cost = i128::from(n) * PARTS;
        let reservation = match self.bucket.reserve(n) {
            Err(error) => {
                assert_eq!(error, WaitError::ExceedsBurst { asked: n, burst: self.bucket.burst() });
                assert!(cost > self.model.full);
                return;
            }
            Ok(reservation) => reservation,
        };
        assert!(cost <= self.model.full);
        if self.model.take(cost) {
            self.model.held.push((self.next_id, cost));
            assert_eq!(reservation.delay().as_nanos(), 0);
        } else {
            self.model.line.push_back((self.next_id, cost));
            let lacking = self.model.line.iter().map(|waiting| waiting.1).sum::<i128>() - self.model.level;
            let nanos =
                (lacking * i128::from(STEP_NANOS)).unsigned_abs().div_ceil(self.model.rate.unsigned_abs());
            let delay = reservation.delay().as_nanos();
            // A nanosecond brings 2^-64 parts too much at most, and counting begins anew after 2^57 of them. A wait
            // ends with the clock at the latest.
            let parts_in_2_64 = (self.model.rate.unsigned_abs() << 64) / u128::from(STEP_NANOS);
            let early = ((1 << 57) + nanos).div_ceil(parts_in_2_64);
            let close = (nanos.saturating_sub(early)..=nanos + 1).contains(&delay);
            assert!(close || nanos > u128::from(u64::MAX / 2), "{delay} {nanos}");
        }
        self.asked.push((self.next_id, Asked::Reserved(reservation)));
        self.next_id += 1;
    }

    /// Polls those who wait: all of them, as their timers would, or those that the bucket has woken.
    fn poll(&mut self, all: bool) {
        let Self { asked, model, .. } = self;
        asked.retain_mut(|(id, asked)| {
            let Asked::Wait(wait, flag) = asked else { return true };
            let served = model.served.contains(id);
            let woken = flag.0.swap(false, Ordering::Relaxed);
            assert!(all || woken || !served, "{id} is served and was not woken");
            if all || woken {
                let waker = Waker::from(Arc::clone(flag));
                let poll = wait.as_mut().poll(&mut Context::from_waker(&waker));
                assert_eq!(poll, if served { Poll::Ready(Ok(())) } else { Poll::Pending });
            }
            if served {
                model.held.retain(|held| held.0 != *id);
            }
            !served
        });
        model.served.clear();
    }
}

trait Steps {
    fn clock_steps(&self) -> u64;
}

impl Steps for TokenBucket<ManualClock> {
    fn clock_steps(&self) -> u64 {
        use kubewire_flowcontrol::Clock;
        self.clock().now().as_nanos() / STEP_NANOS
    }
}

fn ops(rates: impl Strategy<Value = u32> + Clone + 'static) -> impl Strategy<Value = (u32, u32, Vec<Op>)> {
    let burst = prop_oneof![4 => 1..=20_u32, 1 => 1..=u32::MAX, 1 => Just(u32::MAX)];
    let rate = (rates.clone(), burst.clone()).prop_map(|(qps, burst)| Op::Rate(qps, burst));
    let op = prop_oneof![
        4 => (0..2000_u64).prop_map(Op::Forward),
        1 => (0..=TEN_YEARS).prop_map(Op::Forward),
        1 => (0..2000_u64).prop_map(Op::Back),
        1 => (0..=TEN_YEARS).prop_map(Op::Back),
        5 => any::<u32>().prop_map(|n| Op::Try(n >> (n % 32))),
        5 => any::<u32>().prop_map(|n| Op::Wait(n >> (n % 32))),
        2 => any::<u32>().prop_map(|n| Op::Reserve(n >> (n % 32))),
        3 => any::<usize>().prop_map(Op::Cancel),
        1 => any::<usize>().prop_map(Op::Use),
        1 => rate,
    ];
    (rates, burst, prop::collection::vec(op, 1..24))
}

/// How many random histories: `MODEL_CASES`, or 100,000.
fn cases() -> u32 {
    std::env::var("MODEL_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(100_000)
}

fn check(rates: impl Strategy<Value = u32> + Clone + 'static, cases: u32) {
    // Waits set timers, which need a runtime to belong to.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let _entered = runtime.enter();
    // Unoptimised, the default generator would take most of the time.
    let config = Config {
        cases,
        failure_persistence: None,
        rng_algorithm: RngAlgorithm::XorShift,
        ..Config::default()
    };
    let mut runner = TestRunner::new(config);
    let result = runner.run(&ops(rates), |(qps_512, burst, ops)| {
        let clock = ManualClock::new();
        let start = 10 * TEN_YEARS;
        clock.set(Timestamp::from_nanos(start * STEP_NANOS));
        let bucket = TokenBucket::with_clock(f64::from(qps_512) / 512.0, burst, clock).unwrap();
        let full = i128::from(burst) * PARTS;
        let (rate, time) = (i128::from(qps_512), i128::from(start));
        let model = Model { level: full, time, rate, full, ..Model::default() };
        let mut history = History { bucket: &bucket, model, asked: Vec::new(), next_id: 0 };
        for op in &ops {
            history.apply(op);
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

/// From 0.002 to 3,800 tokens a second.
#[test]
fn agrees_with_the_model_at_low_rates() {
    check(prop_oneof![1..=512_u32, 1..=3_800 * 512_u32], cases() / 2);
}

/// Up to 1.9 million tokens a second; more than that does not come out in whole parts.
#[test]
fn agrees_with_the_model_at_high_rates() {
    check((1..=1_900_000_u32).prop_map(|qps| qps * 512), cases() - cases() / 2);
}
