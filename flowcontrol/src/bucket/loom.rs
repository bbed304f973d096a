//! All interleavings of two or three threads on one bucket:
//! `RUSTFLAGS="--cfg loom" cargo test --release -p kubewire-flowcontrol --lib loom`

use std::task::Waker;

use ::loom::sync::Arc;
use ::loom::thread;

use super::core::Core;
use super::line::Turn;
use crate::{Clock, Timestamp};

/// Time stands still, so that every token can be counted.
#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(1 << 40)
    }
}

fn bucket(burst: u32) -> Arc<Core<Still>> {
    Arc::new(Core::new(1.0, burst, Still).unwrap())
}

/// Takes what is left and returns how much it was.
fn drain(core: &Core<Still>) -> u32 {
    (0..100).take_while(|_| core.try_take(1)).count() as u32
}

#[test]
fn three_threads_take_what_is_there_and_no_more() {
    ::loom::model(|| {
        let core = bucket(2);
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let core = Arc::clone(&core);
                thread::spawn(move || core.try_take(1))
            })
            .collect();
        let mut taken = u32::from(core.try_take(1));
        for thread in threads {
            taken += u32::from(thread.join().unwrap());
        }
        assert_eq!(taken, 2);
    });
}

/// A token that comes back while others try is lost to nobody, and given to one.
#[test]
fn a_reservation_comes_back_while_another_thread_tries() {
    ::loom::model(|| {
        let core = bucket(1);
        let ticket = core.with(|session| session.reserve(1)).unwrap();
        let trying = Arc::clone(&core);
        let thread = thread::spawn(move || trying.try_take(1));
        core.with(|session| session.cancel(ticket));
        let taken = u32::from(thread.join().unwrap());
        assert_eq!(taken + drain(&core), 1);
    });
}

/// Whoever is in line is served by a cancellation, and a thread that tries does not overtake.
#[test]
fn nobody_overtakes_the_line() {
    ::loom::model(|| {
        let core = bucket(1);
        let first = core.with(|session| session.reserve(1)).unwrap();
        let second = core.with(|session| session.join(1, |_| true)).unwrap().unwrap();
        let trying = Arc::clone(&core);
        let thread = thread::spawn(move || trying.try_take(1));
        core.with(|session| session.cancel(first));
        assert!(!thread.join().unwrap());
        assert_eq!(core.with(|session| session.poll(second, Waker::noop())), Turn::Served);
        assert_eq!(drain(&core), 0);
    });
}

/// A change of the rate, which no swap may straddle: the scales differ by a factor of a thousand.
#[test]
fn tokens_survive_a_change_of_the_rate() {
    // Of a scale's four parts each may be seen old or new: all the orders of that take hours.
    let mut model = ::loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| {
        let core = bucket(2);
        let trying = Arc::clone(&core);
        let thread = thread::spawn(move || trying.try_take(1));
        core.set_rate(1000.0, 2).unwrap();
        assert!(thread.join().unwrap());
        assert!(core.try_take(1));
        assert_eq!(drain(&core), 0);
    });
}

/// A thread that joins the line while another takes the last token.
#[test]
fn the_last_token_goes_to_one_of_two() {
    ::loom::model(|| {
        let core = bucket(1);
        let trying = Arc::clone(&core);
        let thread = thread::spawn(move || trying.try_take(1));
        let place = core.with(|session| session.join(1, |_| true)).unwrap();
        assert_ne!(thread.join().unwrap(), place.is_none());
        if let Some(ticket) = place {
            core.with(|session| session.cancel(ticket));
        }
        assert_eq!(drain(&core), 0);
    });
}
