use jiff::Timestamp;

use super::{Add, VersionedParams, boolean, number, text};

/// How a [`resource_version`](ListOptions::resource_version) is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ResourceVersionMatch {
    /// That version or any newer one.
    NotOlderThan,
    /// Exactly that version.
    Exact,
}

impl ResourceVersionMatch {
    /// As the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotOlderThan => "NotOlderThan",
            Self::Exact => "Exact",
        }
    }
}

/// Which objects to list or watch, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListOptions {
    /// Only objects with these labels, as in `app=web,tier in (a, b)`.
    pub label_selector: Option<String>,
    /// Only objects with these field values, as in `status.phase=Running`.
    pub field_selector: Option<String>,
    /// At most so many objects a page; the answer's continue token leads to the next.
    pub limit: Option<i64>,
    /// The continue token of the page before.
    pub continue_token: Option<String>,
    /// The version to read at; `"0"` is any that the server has at hand.
    pub resource_version: Option<String>,
    /// How the version is meant.
    pub resource_version_match: Option<ResourceVersionMatch>,
    /// After how many seconds the server ends the list or watch.
    pub timeout_seconds: Option<i64>,
    /// Watch instead of listing; a watch sets it by itself.
    pub watch: Option<bool>,
    /// Let the server send bookmarks into a watch.
    pub allow_watch_bookmarks: Option<bool>,
    /// Begin a watch with the objects that are there.
    pub send_initial_events: Option<bool>,
}

impl VersionedParams for ListOptions {
    fn each(&self, add: Add<'_>) {
        text(add, "labelSelector", self.label_selector.as_deref());
        text(add, "fieldSelector", self.field_selector.as_deref());
        number(add, "limit", self.limit);
        text(add, "continue", self.continue_token.as_deref());
        text(add, "resourceVersion", self.resource_version.as_deref());
        text(add, "resourceVersionMatch", self.resource_version_match.map(ResourceVersionMatch::as_str));
        number(add, "timeoutSeconds", self.timeout_seconds);
        boolean(add, "watch", self.watch);
        boolean(add, "allowWatchBookmarks", self.allow_watch_bookmarks);
        boolean(add, "sendInitialEvents", self.send_initial_events);
    }
}

/// How to get an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GetOptions {
    /// The version to read at; `"0"` is any that the server has at hand.
    pub resource_version: Option<String>,
}

impl VersionedParams for GetOptions {
    fn each(&self, add: Add<'_>) {
        text(add, "resourceVersion", self.resource_version.as_deref());
    }
}

/// Which part of a container's log to read, from the subresource `log` of a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodLogOptions {
    /// The container; it may be left out when there is one only.
    pub container: Option<String>,
    /// Go on with what is written from now on.
    pub follow: Option<bool>,
    /// The log of the container's last run, not of this one.
    pub previous: Option<bool>,
    /// Only the last so many seconds.
    pub since_seconds: Option<i64>,
    /// Only from then on.
    pub since_time: Option<Timestamp>,
    /// Begin each line with its time.
    pub timestamps: Option<bool>,
    /// Only the last so many lines.
    pub tail_lines: Option<i64>,
    /// Stop after so many bytes.
    pub limit_bytes: Option<i64>,
    /// Don't verify the kubelet's certificate.
    pub insecure_skip_tls_verify_backend: Option<bool>,
    /// `All`, `Stdout` or `Stderr`.
    pub stream: Option<String>,
}

impl VersionedParams for PodLogOptions {
    fn each(&self, add: Add<'_>) {
        text(add, "container", self.container.as_deref());
        boolean(add, "follow", self.follow);
        boolean(add, "previous", self.previous);
        number(add, "sinceSeconds", self.since_seconds);
        if let Some(since) = self.since_time {
            add("sinceTime", &since.to_string());
        }
        boolean(add, "timestamps", self.timestamps);
        number(add, "tailLines", self.tail_lines);
        number(add, "limitBytes", self.limit_bytes);
        boolean(add, "insecureSkipTLSVerifyBackend", self.insecure_skip_tls_verify_backend);
        text(add, "stream", self.stream.as_deref());
    }
}
