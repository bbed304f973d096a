//! Which requests and connections are struck.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::Method;

use super::super::random::Random;
use super::{ConnectFault, Fault};

/// Which requests a fault strikes.
#[derive(Clone, Debug)]
pub struct FaultRule {
    fault: Fault,
    method: Option<Method>,
    path: Option<String>,
    skip: usize,
    times: Option<usize>,
}

impl FaultRule {
    /// A fault that strikes every request.
    pub fn new(fault: Fault) -> Self {
        Self { fault, method: None, path: None, skip: 0, times: None }
    }

    /// Only requests with this method.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// Only requests whose path (with its query) contains this.
    #[must_use]
    pub fn path(mut self, part: impl Into<String>) -> Self {
        self.path = Some(part.into());
        self
    }

    /// Lets the first `n` matching requests pass.
    #[must_use]
    pub fn skip(mut self, n: usize) -> Self {
        self.skip = n;
        self
    }

    /// Strikes `n` times at most.
    #[must_use]
    pub fn times(mut self, n: usize) -> Self {
        self.times = Some(n);
        self
    }

    fn matches(&self, method: &Method, path: &str) -> bool {
        self.times != Some(0)
            && self.method.as_ref().is_none_or(|m| m == method)
            && self.path.as_ref().is_none_or(|p| path.contains(&**p))
    }
}

/// The server's plan of faults; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Plan>>);

#[derive(Debug, Default)]
struct Plan {
    rules: Vec<FaultRule>,
    connections: Vec<ConnectFault>,
    random: Option<(Random, f64, Vec<Fault>)>,
    struck: u64,
}

impl Faults {
    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a rule; the first that matches a request strikes.
    pub fn add(&self, rule: FaultRule) {
        self.plan().rules.push(rule);
    }

    /// The next request, whichever it is, meets this fault.
    pub fn once(&self, fault: Fault) {
        self.add(FaultRule::new(fault).times(1));
    }

    /// The next `times` connections meet this fault.
    pub fn on_connect(&self, fault: ConnectFault, times: usize) {
        self.plan().connections.extend(std::iter::repeat_n(fault, times));
    }

    /// Strikes requests that no rule strikes at random: a share of `rate` (0 to 1) of them, each with one of `faults`.
    /// The same seed strikes the same requests, as long as they come in the same order. Gives the seed, which is also
    /// printed on stderr; `None` takes a new one.
    pub fn random(&self, seed: Option<u64>, rate: f64, faults: &[Fault]) -> u64 {
        let seed = seed.unwrap_or_else(Random::any_seed);
        eprintln!("faults at random from seed {seed}, rate {rate}");
        let faults = faults.to_vec();
        self.plan().random = (!faults.is_empty()).then(|| (Random::new(seed), rate, faults));
        seed
    }

    /// From now on nothing goes wrong.
    pub fn clear(&self) {
        let mut plan = self.plan();
        let struck = plan.struck;
        *plan = Plan { struck, ..Plan::default() };
    }

    /// How many requests and connections met a fault so far.
    pub fn struck(&self) -> u64 {
        self.plan().struck
    }

    pub(in crate::fake) fn strike(&self, method: &Method, path: &str) -> Option<Fault> {
        let mut plan = self.plan();
        let plan = &mut *plan;
        for rule in plan.rules.iter_mut().filter(|r| r.matches(method, path)) {
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            if let Some(times) = &mut rule.times {
                *times -= 1;
            }
            plan.struck += 1;
            return Some(rule.fault.clone());
        }
        let (random, rate, faults) = plan.random.as_ref()?;
        if random.unit() >= *rate {
            return None;
        }
        plan.struck += 1;
        Some(faults[random.below(faults.len())].clone())
    }

    pub(in crate::fake) fn strike_connection(&self) -> Option<ConnectFault> {
        let mut plan = self.plan();
        if plan.connections.is_empty() {
            return None;
        }
        plan.struck += 1;
        Some(plan.connections.remove(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_match_skip_and_end() {
        let faults = Faults::default();
        faults.add(FaultRule::new(Fault::status(500)).method(Method::GET).path("/pods").skip(1).times(2));
        let get = |path: &str| faults.strike(&Method::GET, path).is_some();
        assert!(!get("/api/v1/nodes"));
        assert!(faults.strike(&Method::PUT, "/api/v1/pods").is_none());
        let struck: Vec<bool> = (0..4).map(|_| get("/api/v1/pods?limit=1")).collect();
        assert_eq!(struck, [false, true, true, false]);
        assert_eq!(faults.struck(), 2);
    }

    #[test]
    fn chance_is_the_seeds() {
        let strikes = |seed| {
            let faults = Faults::default();
            faults.random(Some(seed), 0.3, &[Fault::GoAway, Fault::status(503)]);
            (0..200).map(|_| faults.strike(&Method::GET, "/")).collect::<Vec<_>>()
        };
        assert_eq!(strikes(7), strikes(7));
        assert_ne!(strikes(7), strikes(8));
        let count = strikes(7).iter().flatten().count();
        assert!((30..90).contains(&count), "{count}");
    }
}
