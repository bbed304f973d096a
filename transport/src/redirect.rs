use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, TRANSFER_ENCODING};
use http::{Method, Response, StatusCode, Uri};
use url::Url;

use crate::headers::is_credential;
use crate::replay::Replay;

/// How many redirects of one request are followed.
pub(crate) const LIMIT: usize = 10;

/// Where an answer leads, if that is to be followed: `None` when the answer itself is for the caller.
///
/// To another host (another scheme or port too) only requests that read are followed: a body may hold secrets. From https
/// to http nothing is followed.
pub(crate) fn location<B>(
    response: &Response<B>,
    replay: &Replay,
    is_same_origin: impl Fn(&Uri) -> bool,
) -> Option<Uri> {
    let (status, method) = (response.status(), &replay.parts.method);
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let follows = match status {
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND | StatusCode::SEE_OTHER => {
            reads || status == StatusCode::SEE_OTHER
        }
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => true,
        _ => false,
    };
    if !follows {
        return None;
    }
    let from = &replay.parts.uri;
    let text = response.headers().get(LOCATION)?.to_str().ok()?;
    let to = Url::parse(&from.to_string()).ok()?.join(text).ok()?;
    let downgrade = from.scheme_str() == Some("https") && to.scheme() != "https";
    if downgrade || !matches!(to.scheme(), "http" | "https") || !to.username().is_empty() {
        return None;
    }
    let to: Uri = to[..url::Position::AfterQuery].parse().ok()?;
    (reads || is_same_origin(&to)).then_some(to)
}

/// Makes the request one for `to`.
pub(crate) fn follow(replay: &mut Replay, status: StatusCode, to: Uri, is_same_origin: bool) {
    let parts = &mut replay.parts;
    parts.uri = to;
    if status == StatusCode::SEE_OTHER && parts.method != Method::HEAD {
        parts.method = Method::GET;
        for name in [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING, TRANSFER_ENCODING] {
            parts.headers.remove(name);
        }
        replay.drop_body();
    }
    let headers = &mut replay.parts.headers;
    headers.remove(http::header::HOST);
    if !is_same_origin {
        let names: Vec<_> = headers.keys().filter(|name| is_credential(name)).cloned().collect();
        for name in names {
            headers.remove(name);
        }
    }
}
