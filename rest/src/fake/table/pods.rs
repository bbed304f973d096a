//! Pods, nodes and events.

use jiff::Timestamp;
use serde_json::Value;

use super::ages::{age, human};
use super::cells::{list, or_none};

pub(super) fn pod(o: &Value, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (&o["spec"], &o["status"]);
    let statuses = list(&status["containerStatuses"]);
    let total = list(&spec["containers"]).len();
    let ready = statuses.iter().filter(|c| c["ready"] == true && c["state"]["running"].is_object()).count();
    let restarts: u64 = statuses.iter().filter_map(|c| c["restartCount"].as_u64()).sum();
    let string = |v: &Value| or_none(v.as_str().unwrap_or_default());
    let gates = list(&spec["readinessGates"]);
    let passed = gates
        .iter()
        .filter(|g| {
            list(&status["conditions"])
                .iter()
                .any(|c| c["type"] == g["conditionType"] && c["status"] == "True")
        })
        .count();
    vec![
        o["metadata"]["name"].clone(),
        format!("{ready}/{total}").into(),
        pod_reason(o).into(),
        restarts_cell(restarts, statuses, now),
        age(&o["metadata"]["creationTimestamp"], now).into(),
        string(&status["podIP"]),
        string(&spec["nodeName"]),
        string(&status["nominatedNodeName"]),
        if gates.is_empty() { "<none>".into() } else { format!("{passed}/{}", gates.len()).into() },
    ]
}

fn restarts_cell(restarts: u64, statuses: &[Value], now: Timestamp) -> Value {
    let last = statuses
        .iter()
        .filter_map(|c| c["lastState"]["terminated"]["finishedAt"].as_str()?.parse::<Timestamp>().ok())
        .max();
    match last {
        Some(last) if restarts > 0 => {
            format!("{restarts} ({} ago)", human(now.duration_since(last).as_secs())).into()
        }
        _ => restarts.to_string().into(),
    }
}

/// The word that says how a pod is doing.
fn pod_reason(o: &Value) -> String {
    let status = &o["status"];
    let text = |v: &Value| v.as_str().filter(|s| !s.is_empty()).map(str::to_owned);
    let mut reason = text(&status["reason"]).or(text(&status["phase"])).unwrap_or_default();
    let statuses = list(&status["containerStatuses"]);
    let mut running = false;
    for container in statuses.iter().rev() {
        let state = &container["state"];
        if let Some(waiting) = text(&state["waiting"]["reason"]) {
            reason = waiting;
        } else if state["terminated"].is_object() {
            reason = text(&state["terminated"]["reason"])
                .unwrap_or_else(|| format!("ExitCode:{}", state["terminated"]["exitCode"]));
        } else if container["ready"] == true && state["running"].is_object() {
            running = true;
        }
    }
    if reason == "Completed" && running {
        reason = "Running".to_owned();
    }
    if o["metadata"].get("deletionTimestamp").is_some() {
        return "Terminating".to_owned();
    }
    reason
}

pub(super) fn node(o: &Value, now: Timestamp) -> Vec<Value> {
    let ready = list(&o["status"]["conditions"]).iter().find(|c| c["type"] == "Ready");
    let mut status = match ready.and_then(|c| c["status"].as_str()) {
        Some("True") => "Ready".to_owned(),
        Some(_) => "NotReady".to_owned(),
        None => "Unknown".to_owned(),
    };
    if o["spec"]["unschedulable"] == true {
        status.push_str(",SchedulingDisabled");
    }
    let roles: Vec<&str> = o["metadata"]["labels"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(k, _)| k.strip_prefix("node-role.kubernetes.io/"))
        .collect();
    let address = |kind: &str| {
        let found = list(&o["status"]["addresses"]).iter().find(|a| a["type"] == kind);
        or_none(found.and_then(|a| a["address"].as_str()).unwrap_or_default())
    };
    let info = |key: &str| {
        let value = o["status"]["nodeInfo"][key].as_str().unwrap_or_default();
        Value::from(if value.is_empty() { "<unknown>" } else { value })
    };
    vec![
        o["metadata"]["name"].clone(),
        status.into(),
        or_none(&roles.join(",")),
        age(&o["metadata"]["creationTimestamp"], now).into(),
        o["status"]["nodeInfo"]["kubeletVersion"].as_str().unwrap_or_default().into(),
        address("InternalIP"),
        address("ExternalIP"),
        info("osImage"),
        info("kernelVersion"),
        info("containerRuntimeVersion"),
    ]
}

pub(super) fn event(o: &Value, now: Timestamp) -> Vec<Value> {
    let either = |a: &str, b: &str| if o[a].is_null() { o[b].clone() } else { o[a].clone() };
    let about = either("involvedObject", "regarding");
    let string = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let seen = |field: &str, old: &str| {
        let time = either(field, old);
        let time = if time.is_null() { o["eventTime"].clone() } else { time };
        Value::from(age(&time, now))
    };
    let object = format!("{}/{}", string(&about["kind"]).to_lowercase(), string(&about["name"]));
    let source = either("source", "deprecatedSource");
    let source = match source["host"].as_str() {
        Some(host) => format!("{}, {host}", string(&source["component"])),
        None if source["component"].is_string() => string(&source["component"]),
        None => string(&either("reportingComponent", "reportingController")),
    };
    let count = either("count", "deprecatedCount");
    vec![
        seen("lastTimestamp", "deprecatedLastTimestamp"),
        string(&o["type"]).into(),
        string(&o["reason"]).into(),
        object.into(),
        string(&about["fieldPath"]).into(),
        source.into(),
        string(&either("message", "note")).trim().into(),
        seen("firstTimestamp", "deprecatedFirstTimestamp"),
        count.as_u64().filter(|c| *c > 0).unwrap_or(1).to_string().into(),
        o["metadata"]["name"].clone(),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_is_told_by_its_containers() {
        let pod = |status: Value| pod_reason(&json!({"metadata": {}, "status": status}));
        assert_eq!(pod(json!({"phase": "Pending"})), "Pending");
        let waiting = json!([{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}]);
        assert_eq!(pod(json!({"phase": "Running", "containerStatuses": waiting})), "CrashLoopBackOff");
        let ended = json!([{"state": {"terminated": {"exitCode": 3}}}]);
        assert_eq!(pod(json!({"phase": "Failed", "containerStatuses": ended})), "ExitCode:3");
    }
}
