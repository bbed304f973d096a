//! The columns that `kubectl get pods` shows, from the few fields that they need.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Deserialize;

/// A pod, as far as its row in a table goes. Everything else in the answer is skipped.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Pod {
    /// Name, namespace, age.
    pub metadata: Metadata,
    /// The containers it should have.
    pub spec: Spec,
    /// How they fare.
    pub status: Status,
}

/// The part of an object's metadata that a row shows.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Metadata {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// When it was made.
    pub creation_timestamp: Option<Timestamp>,
    /// Set once it is being deleted.
    pub deletion_timestamp: Option<Timestamp>,
}

/// What the pod should be.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Spec {
    /// Its containers.
    pub containers: Vec<Named>,
    /// Those that run before them.
    pub init_containers: Vec<Named>,
}

/// A container that is only counted.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Named {
    /// Its name.
    pub name: String,
}

/// What the pod is.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Status {
    /// Pending, Running, Succeeded, Failed or Unknown.
    pub phase: String,
    /// Why, in a word.
    pub reason: String,
    /// The containers' states.
    pub container_statuses: Vec<ContainerStatus>,
    /// The states of those that run first.
    pub init_container_statuses: Vec<ContainerStatus>,
}

/// How one container fares.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ContainerStatus {
    /// Whether it answers its readiness probe.
    pub ready: bool,
    /// How often it was started again.
    pub restart_count: u32,
    /// Its state now.
    pub state: State,
    /// Its state before.
    pub last_state: State,
}

/// One of three states; the other two are absent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct State {
    /// Not yet running.
    pub waiting: Option<Reason>,
    /// Running.
    pub running: Option<Running>,
    /// Ended.
    pub terminated: Option<Terminated>,
}

/// Why a container waits.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Reason {
    /// In a word.
    pub reason: String,
}

/// A running container.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Running {}

/// How a container ended.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Terminated {
    /// In a word.
    pub reason: String,
    /// Its exit code.
    pub exit_code: i32,
    /// The signal that ended it, or 0.
    pub signal: i32,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// The heads of the columns.
pub const HEADER: [&str; 6] = ["NAMESPACE", "NAME", "READY", "STATUS", "RESTARTS", "AGE"];

impl Pod {
    /// The pod's row, under [`HEADER`].
    pub fn row(&self, now: Timestamp) -> [String; 6] {
        let ready = self.status.container_statuses.iter().filter(|c| c.ready).count();
        [
            self.metadata.namespace.clone(),
            self.metadata.name.clone(),
            format!("{ready}/{}", self.spec.containers.len()),
            self.status_word(),
            self.restarts(now),
            self.metadata.creation_timestamp.map_or_else(|| "<unknown>".to_owned(), |made| age(made, now)),
        ]
    }

    /// What kubectl shows as the status: the most telling of phase, reasons and container states.
    fn status_word(&self) -> String {
        let mut word = if self.status.reason.is_empty() {
            self.status.phase.clone()
        } else {
            self.status.reason.clone()
        };
        let mut initializing = false;
        for (index, container) in self.status.init_container_statuses.iter().enumerate() {
            word = match (&container.state.terminated, &container.state.waiting) {
                (Some(ended), _) if ended.exit_code == 0 => continue,
                (Some(ended), _) => format!("Init:{}", ended.word()),
                (None, Some(w)) if !w.reason.is_empty() && w.reason != "PodInitializing" => {
                    format!("Init:{}", w.reason)
                }
                _ => format!("Init:{index}/{}", self.spec.init_containers.len()),
            };
            initializing = true;
            break;
        }
        if !initializing {
            let mut running = false;
            for container in self.status.container_statuses.iter().rev() {
                match (&container.state.waiting, &container.state.terminated) {
                    (Some(waiting), _) if !waiting.reason.is_empty() => word.clone_from(&waiting.reason),
                    (_, Some(ended)) => word = ended.word(),
                    _ => running |= container.ready && container.state.running.is_some(),
                }
            }
            if word == "Completed" && running {
                "Running".clone_into(&mut word);
            }
        }
        match self.metadata.deletion_timestamp {
            Some(_) if self.status.reason == "NodeLost" => "Unknown".to_owned(),
            Some(_) => "Terminating".to_owned(),
            None => word,
        }
    }

    fn restarts(&self, now: Timestamp) -> String {
        let count: u32 = self.status.container_statuses.iter().map(|c| c.restart_count).sum();
        let last = self
            .status
            .container_statuses
            .iter()
            .filter_map(|c| c.last_state.terminated.as_ref()?.finished_at)
            .max();
        let mut text = count.to_string();
        if let Some(last) = last.filter(|_| count > 0) {
            // Writing to a string can't fail.
            let _ = write!(text, " ({} ago)", age(last, now));
        }
        text
    }
}

impl Terminated {
    fn word(&self) -> String {
        match (self.reason.as_str(), self.signal) {
            ("", 0) => format!("ExitCode:{}", self.exit_code),
            ("", signal) => format!("Signal:{signal}"),
            (reason, _) => reason.to_owned(),
        }
    }
}

/// The time from `then` to `now`, shortened to the two parts that matter: `45s`, `3m20s`, `5h12m`, `2d3h`, `400d`.
pub fn age(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(then.as_second());
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    let two = |big: i64, big_unit: &str, small: i64, small_unit: &str| match small {
        0 => format!("{big}{big_unit}"),
        _ => format!("{big}{big_unit}{small}{small_unit}"),
    };
    match seconds {
        ..0 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        120..600 => two(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => two(hours, "h", minutes % 60, "m"),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => two(days, "d", hours % 24, "h"),
        _ if days < 730 => format!("{days}d"),
        _ if days < 2920 => two(days / 365, "y", days % 365, "d"),
        _ => format!("{}y", days / 365),
    }
}

/// Rows under their header, each column as wide as its widest cell and three blanks.
pub fn table(rows: &[[String; 6]]) -> String {
    let mut widths = HEADER.map(str::len);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    let mut line = |cells: [&str; 6]| {
        for (index, (cell, width)) in cells.iter().zip(widths).enumerate() {
            let pad = if index + 1 == cells.len() { 0 } else { width + 3 };
            let _ = write!(text, "{cell:<pad$}");
        }
        text.push('\n');
    };
    line(HEADER);
    for row in rows {
        line(row.each_ref().map(String::as_str));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-01-10T00:00:00Z";

    fn row(pod: serde_json::Value) -> [String; 6] {
        serde_json::from_value::<Pod>(pod).unwrap().row(NOW.parse().unwrap())
    }

    #[test]
    fn a_running_pod() {
        let pod = serde_json::json!({
            "metadata": {"namespace": "web", "name": "front", "creationTimestamp": "2026-01-05T00:00:00Z"},
            "spec": {"containers": [{"name": "a"}, {"name": "b"}]},
            "status": {"phase": "Running", "containerStatuses": [
                {"ready": true, "restartCount": 2, "state": {"running": {}},
                 "lastState": {"terminated": {"exitCode": 1, "finishedAt": "2026-01-09T23:00:00Z"}}},
                {"ready": false, "restartCount": 1, "state": {"running": {}}}]}
        });
        assert_eq!(row(pod), ["web", "front", "1/2", "Running", "3 (60m ago)", "5d"]);
    }

    #[test]
    fn the_most_telling_status_wins() {
        let status = |status: serde_json::Value, deleted: bool| {
            let mut metadata = serde_json::json!({"name": "p"});
            if deleted {
                metadata["deletionTimestamp"] = NOW.into();
            }
            let spec = serde_json::json!({"containers": [{}], "initContainers": [{}, {}]});
            row(serde_json::json!({"metadata": metadata, "spec": spec, "status": status}))[3].clone()
        };
        let one = |state: serde_json::Value| serde_json::json!({"phase": "Running", "containerStatuses": [{"state": state}]});
        let init = |state: serde_json::Value| serde_json::json!({"phase": "Pending", "initContainerStatuses": [{"state": state}]});
        for (expected, value) in [
            ("Pending", serde_json::json!({"phase": "Pending"})),
            ("Evicted", serde_json::json!({"phase": "Failed", "reason": "Evicted"})),
            ("CrashLoopBackOff", one(serde_json::json!({"waiting": {"reason": "CrashLoopBackOff"}}))),
            ("Error", one(serde_json::json!({"terminated": {"reason": "Error", "exitCode": 1}}))),
            ("ExitCode:3", one(serde_json::json!({"terminated": {"exitCode": 3}}))),
            ("Signal:9", one(serde_json::json!({"terminated": {"exitCode": 137, "signal": 9}}))),
            ("Init:0/2", init(serde_json::json!({"running": {}}))),
            ("Init:ImagePullBackOff", init(serde_json::json!({"waiting": {"reason": "ImagePullBackOff"}}))),
            ("Init:Error", init(serde_json::json!({"terminated": {"reason": "Error", "exitCode": 1}}))),
        ] {
            assert_eq!(status(value.clone(), false), expected);
            assert_eq!(status(value, true), "Terminating");
        }
    }

    #[test]
    fn ages_are_short() {
        let now: Timestamp = NOW.parse().unwrap();
        for (seconds, expected) in [
            (-5, "0s"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (200, "3m20s"),
            (7_200, "120m"),
            (18_720, "5h12m"),
            (100_000, "27h"),
            (183_600, "2d3h"),
            (34_560_000, "400d"),
            (86_400 * 800, "2y70d"),
            (86_400 * 4000, "10y"),
        ] {
            let then = Timestamp::from_second(now.as_second() - seconds).unwrap();
            assert_eq!(age(then, now), expected, "{seconds} s");
        }
    }

    #[test]
    fn columns_line_up() {
        let rows = [
            ["default", "a", "1/1", "Running", "0", "5d"].map(str::to_owned),
            ["kube-system", "much-longer", "0/1", "Pending", "12 (3m ago)", "2m"].map(str::to_owned),
        ];
        assert_eq!(
            table(&rows),
            "NAMESPACE     NAME          READY   STATUS    RESTARTS      AGE\n\
             default       a             1/1     Running   0             5d\n\
             kube-system   much-longer   0/1     Pending   12 (3m ago)   2m\n"
        );
        assert_eq!(table(&[]).lines().count(), 1);
    }
}
