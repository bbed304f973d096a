//! Where a request goes: path and query, put together part by part.

use std::time::Duration;

use http::Method;

use super::path::{clean, join, push_encoded, push_segment, segment_fault};
use super::query::{go_duration, push_pair};
use crate::RequestError;

/// A piece of [`Location::text`].
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: usize,
    end: usize,
}

/// The parts of a URL. Their texts stand one after the other in one buffer, so that a request takes one allocation
/// rather than one a part.
#[derive(Clone, Debug, Default)]
pub(crate) struct Location {
    text: String,
    /// Percent-encoded; `None` means the client's.
    prefix: Option<String>,
    namespace: Option<Span>,
    resource: Span,
    name: Span,
    subresource: Span,
    suffix: String,
    params: Vec<(Span, Span)>,
}

impl Location {
    fn push(&mut self, text: &str) -> Span {
        if self.text.capacity() == 0 {
            self.text.reserve(text.len().max(96));
        }
        let start = self.text.len();
        self.text.push_str(text);
        Span { start, end: self.text.len() }
    }

    fn get(&self, span: Span) -> &str {
        &self.text[span.start..span.end]
    }

    pub(crate) fn resource(&self) -> &str {
        self.get(self.resource)
    }

    pub(crate) fn name(&self) -> &str {
        self.get(self.name)
    }

    pub(crate) fn set_resource(&mut self, resource: &str) -> Result<(), RequestError> {
        self.resource = self.once("resource", self.resource, resource)?;
        Ok(())
    }

    pub(crate) fn set_subresource(&mut self, subresource: &str) -> Result<(), RequestError> {
        self.subresource = self.once("subresource", self.subresource, subresource)?;
        Ok(())
    }

    pub(crate) fn set_name(&mut self, name: &str) -> Result<(), RequestError> {
        if name.is_empty() {
            return Err(RequestError::EmptyName);
        }
        self.name = self.once("name", self.name, name)?;
        Ok(())
    }

    pub(crate) fn set_namespace(&mut self, namespace: &str) -> Result<(), RequestError> {
        if let Some(first) = self.namespace {
            return Err(self.already("namespace", first, namespace));
        }
        self.namespace = Some(self.once("namespace", Span::default(), namespace)?);
        Ok(())
    }

    /// A part that can be set once and is a segment; an empty one does not count as set.
    fn once(&mut self, what: &'static str, before: Span, value: &str) -> Result<Span, RequestError> {
        if before.start < before.end {
            return Err(self.already(what, before, value));
        }
        match segment_fault(value) {
            Some(why) => Err(RequestError::Segment { what, value: value.to_owned(), why }),
            None => Ok(self.push(value)),
        }
    }

    fn already(&self, what: &'static str, first: Span, second: &str) -> RequestError {
        RequestError::AlreadySet { what, first: self.get(first).to_owned(), second: second.to_owned() }
    }

    pub(crate) fn add_prefix(&mut self, client: &str, path: &str) {
        self.prefix = Some(join(self.prefix.as_deref().unwrap_or(client), path));
    }

    pub(crate) fn add_suffix(&mut self, path: &str) {
        self.suffix.push('/');
        self.suffix.push_str(path);
    }

    pub(crate) fn set_abs_path(&mut self, base: &str, path: &str) {
        let mut prefix = join(base, path);
        // A slash alone stays one slash without a base path, and is one more with it.
        if path.ends_with('/') && (base.len() > 1 || path.len() > 1) && !prefix.ends_with('/') {
            prefix.push('/');
        }
        self.prefix = Some(prefix);
    }

    pub(crate) fn set_request_uri(&mut self, uri: &str) -> Result<(), RequestError> {
        let fault = |why: &str| RequestError::Uri { uri: uri.to_owned(), why: why.to_owned() };
        // Any base will do: the host is ignored.
        let parsed = url::Url::options()
            .base_url(url::Url::parse("http://localhost/").ok().as_ref())
            .parse(uri)
            .map_err(|error| fault(&error.to_string()))?;
        if parsed.cannot_be_a_base() {
            return Err(fault("it has no path"));
        }
        let mut path = String::new();
        for (index, piece) in parsed.path().split('%').enumerate() {
            // What is percent-encoded stays so; what is not, but should be, becomes so.
            if index > 0 {
                if !piece.bytes().take(2).filter(u8::is_ascii_hexdigit).count().eq(&2) {
                    return Err(fault("a % is not followed by two hexadecimal digits"));
                }
                path.push('%');
            }
            push_encoded(&mut path, piece);
        }
        self.prefix = Some(path);
        self.params.clear();
        for (name, value) in parsed.query_pairs() {
            self.add_param(&name, &value);
        }
        Ok(())
    }

    pub(crate) fn add_param(&mut self, name: &str, value: &str) {
        let name = self.push(name);
        let value = self.push(value);
        self.params.push((name, value));
    }

    /// The first value of a parameter.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        let (_, value) = self.params.iter().find(|(found, _)| self.get(*found) == name)?;
        Some(self.get(*value))
    }

    pub(crate) fn remove_param(&mut self, name: &str) {
        let text = &self.text;
        self.params.retain(|(found, _)| text[found.start..found.end] != *name);
    }

    /// A namespace that was set, but is empty, where the request needs one.
    pub(crate) fn check_namespace(&self, method: &Method) -> Result<(), RequestError> {
        let is_empty = self.namespace.is_some_and(|span| span.start == span.end);
        let has_name = !self.name().is_empty();
        let of = match *method {
            Method::POST => "of an object in a namespace",
            Method::GET | Method::PUT | Method::DELETE if has_name => "of one object in a namespace",
            _ => return Ok(()),
        };
        if is_empty { Err(RequestError::EmptyNamespace { verb: method.clone(), of }) } else { Ok(()) }
    }

    /// The path, percent-encoded, after `out`.
    fn push_path(&self, out: &mut String, client_prefix: &str) {
        let start = out.len();
        let prefix = self.prefix.as_deref().unwrap_or(client_prefix);
        if !prefix.starts_with('/') {
            out.push('/');
        }
        out.push_str(prefix);
        let namespace = self.namespace.map_or("", |span| self.get(span));
        if !namespace.is_empty() {
            push_segment(out, "namespaces");
            push_segment(out, namespace);
        }
        let resource = self.resource();
        if resource.bytes().any(|byte| byte.is_ascii_uppercase()) {
            push_segment(out, &resource.to_ascii_lowercase());
        } else {
            push_segment(out, resource);
        }
        push_segment(out, self.name());
        push_segment(out, self.get(self.subresource));
        if !self.suffix.is_empty() {
            push_encoded(out, &self.suffix);
            let cleaned = clean(&out[start..]);
            out.truncate(start);
            out.push_str(&cleaned);
        }
    }

    /// The whole URL. Parameters are sorted by name; a timeout takes the place of a parameter of that name.
    pub(crate) fn url(&self, origin: &str, client_prefix: &str, timeout: Option<Duration>) -> String {
        let mut out = String::with_capacity(origin.len() + client_prefix.len() + self.text.len() + 64);
        out.push_str(origin);
        self.push_path(&mut out, client_prefix);
        let timeout = timeout.map(go_duration);
        let mut params: Vec<(&str, &str)> = self
            .params
            .iter()
            .map(|(name, value)| (self.get(*name), self.get(*value)))
            .filter(|(name, _)| timeout.is_none() || *name != "timeout")
            .chain(timeout.as_deref().map(|timeout| ("timeout", timeout)))
            .collect();
        // Stable: the values of one name keep their order.
        params.sort_by_key(|(name, _)| *name);
        let mut first = true;
        for (name, value) in params {
            push_pair(&mut out, &mut first, name, value);
        }
        out
    }
}
