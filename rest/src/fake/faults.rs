//! What goes wrong, and for whom.

use std::sync::{Arc, Mutex, PoisonError};

use http::{Method, Response};
use kubewire_transport::Body;
use serde_json::{Value, json};

use super::status::json_response;

/// One thing that goes wrong with a request.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// An answer with an error code and a fitting Status, in place of what was asked for. Nothing is done.
    Status {
        /// The code, such as 429 or 503.
        code: u16,
        /// The `Retry-After` header, in seconds.
        retry_after: Option<u32>,
    },
}

impl Fault {
    /// An answer with this code and no `Retry-After`.
    pub fn status(code: u16) -> Self {
        Self::Status { code, retry_after: None }
    }

    /// An answer with this code that asks for patience.
    pub fn retry_after(code: u16, seconds: u32) -> Self {
        Self::Status { code, retry_after: Some(seconds) }
    }
}

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
    struck: u64,
}

impl Faults {
    /// Adds a rule; the first that matches a request strikes.
    pub fn add(&self, rule: FaultRule) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).rules.push(rule);
    }

    /// The next request, whichever it is, meets this fault.
    pub fn once(&self, fault: Fault) {
        self.add(FaultRule::new(fault).times(1));
    }

    /// From now on nothing goes wrong.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).rules.clear();
    }

    /// How many requests met a fault so far.
    pub fn struck(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).struck
    }

    pub(super) fn strike(&self, method: &Method, path: &str) -> Option<Fault> {
        let mut plan = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
        None
    }
}

/// An error code's answer.
pub(super) fn status(code: u16, retry_after: Option<u32>) -> Response<Body> {
    let (reason, message) = match code {
        429 => ("TooManyRequests", "Too many requests, please try again later."),
        500 => ("InternalError", "Internal error occurred: a fault that the test asked for"),
        503 => ("ServiceUnavailable", "the server is currently unable to handle the request"),
        504 => ("Timeout", "Timeout: request did not complete within the allotted timeout"),
        401 => ("Unauthorized", "Unauthorized"),
        _ => ("", "a fault that the test asked for"),
    };
    let mut status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "code": code});
    if !reason.is_empty() {
        status["reason"] = Value::from(reason);
    }
    if let Some(seconds) = retry_after {
        status["details"] = json!({"retryAfterSeconds": seconds});
    }
    let mut response = json_response(code, &status);
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(http::header::RETRY_AFTER, http::HeaderValue::from(seconds));
    }
    response
}
