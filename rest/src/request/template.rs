//! The path of a request with names and namespaces taken out, for spans and metrics that must not grow with
//! the number of objects.

/// Replaces names by `{name}` and namespaces by `{namespace}`. Paths outside `/api` and `/apis` are `/{prefix}`;
/// paths of two segments or fewer stay. `base` is the server's own path, such as `/` or `/prefix/`.
pub(crate) fn path_template(base: &str, path: &str) -> String {
    let base = base.trim_end_matches('/');
    let below = path.strip_prefix(base).unwrap_or(path);
    let segments: Vec<&str> = below.trim_start_matches('/').split('/').collect();
    if segments.len() <= 1 {
        return path.to_owned();
    }
    let first = match segments[0] {
        "api" => 2,
        "apis" => 3,
        _ => return "/{prefix}".to_owned(),
    };
    let mut out = Vec::with_capacity(segments.len());
    out.extend_from_slice(&segments[..first.min(segments.len())]);
    let mut rest = &segments[first.min(segments.len())..];
    // `namespaces/NS/RESOURCE...` is a namespace, but `namespaces/NAME/status` and `/finalize` are subresources of it.
    if let ["namespaces", _, resource, ..] = rest
        && !(rest.len() == 3 && matches!(*resource, "status" | "finalize"))
    {
        out.extend_from_slice(&["namespaces", "{namespace}"]);
        rest = &rest[2..];
    }
    match rest {
        [] => {}
        [resource] => out.push(resource),
        [resource, _, subresource @ ..] => {
            out.extend_from_slice(&[resource, "{name}"]);
            // What follows a proxy subresource is a path on the other side.
            out.extend_from_slice(&subresource[..subresource.len().min(1)]);
        }
    }
    format!("{base}/{}", out.join("/"))
}

#[cfg(test)]
mod tests {
    use super::path_template;

    // BH-R9
    #[test]
    fn takes_names_out() {
        for (base, path, template) in [
            ("/", "/version", "/version"),
            ("/", "/", "/"),
            ("/", "/healthz/ping", "/{prefix}"),
            ("/pre1/", "/pre1/v1/x", "/{prefix}"),
            ("/", "/api/v1", "/api/v1"),
            ("/", "/apis/apps", "/apis/apps"),
            ("/", "/api/v1/pods", "/api/v1/pods"),
            ("/", "/api/v1/nodes/n1", "/api/v1/nodes/{name}"),
            ("/", "/api/v1/nodes/n1/proxy", "/api/v1/nodes/{name}/proxy"),
            ("/", "/api/v1/nodes/n1/proxy/metrics/cadvisor", "/api/v1/nodes/{name}/proxy"),
            ("/", "/api/v1/namespaces/ns", "/api/v1/namespaces/{name}"),
            ("/", "/api/v1/namespaces/ns/status", "/api/v1/namespaces/{name}/status"),
            ("/", "/api/v1/namespaces/ns/finalize", "/api/v1/namespaces/{name}/finalize"),
            ("/", "/api/v1/namespaces/ns/pods", "/api/v1/namespaces/{namespace}/pods"),
            ("/", "/api/v1/namespaces/ns/pods/p", "/api/v1/namespaces/{namespace}/pods/{name}"),
            ("/", "/api/v1/namespaces/ns/pods/p/log", "/api/v1/namespaces/{namespace}/pods/{name}/log"),
            ("/", "/apis/apps/v1/namespaces/ns/d/x", "/apis/apps/v1/namespaces/{namespace}/d/{name}"),
            ("/p/q/", "/p/q/apis/g/v/r/n/status", "/p/q/apis/g/v/r/{name}/status"),
        ] {
            assert_eq!(path_template(base, path), template, "{path}");
        }
    }
}
