//! What public signatures name can be named from this crate alone.

use kubewire_rest::config::{Credentials, TlsConfig};
use kubewire_rest::http::{HeaderMap, Method, StatusCode};
use kubewire_rest::transport::{Body, BoxFuture, Error as TransportError, ErrorKind};
use kubewire_rest::{
    ApiError, Bytes, Config, DecodeFault, Instant, Object, ObjectMeta, RateLimiter, Request, Target,
    Timestamp, Url, Wait, WaitError, serde_json, serde_yaml,
};

#[test]
fn signatures_of_this_crate_alone() {
    let _: fn(&Request) -> Url = Request::url;
    let _: fn(Request, Instant) -> Request = Request::deadline;
    let _: fn(&dyn RateLimiter) -> Wait<'_> = |limiter| limiter.accept();
    let _: fn(Object) -> serde_json::Map<String, serde_json::Value> = |object| object.fields;
    let _: fn(ObjectMeta) -> Option<Timestamp> = |metadata| metadata.creation_timestamp;
    let _: fn(Config) -> (TlsConfig, Credentials) = |config| (config.tls, config.credentials);
    let _: fn(ApiError) -> (HeaderMap, Bytes) = |error| (error.headers, error.body);
    let _: fn(Target) -> Method = |target| target.method;
    let _: fn(&kubewire_rest::Result) -> Option<StatusCode> = kubewire_rest::Result::status_code;
    let _: fn(serde_json::Error) -> DecodeFault = DecodeFault::Json;
    let _: fn(serde_yaml::Error) -> DecodeFault = DecodeFault::Yaml;
    let _: fn(Body) -> BoxFuture<'static, Result<Bytes, TransportError>> =
        |_| Box::pin(async { Ok(Bytes::new()) });
    let _ = (WaitError::Stopped, ErrorKind::Dns, kubewire_rest::flowcontrol::DEFAULT_BURST);
}
