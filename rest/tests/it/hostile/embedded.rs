//! The embedded server's faults, on HTTP/1.1 and on HTTP/2.

use std::sync::Arc;
use std::time::Duration;

use kubewire_rest::Bytes;
use kubewire_rest::fake::{ApiServer, Fault, FaultRule};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::{ENDS, HEAVY, MIB, ask, client};

/// Each with the ends that succeed all the same, on HTTP/1.1 and on HTTP/2 unless it says 1.1.
fn faults() -> Vec<(&'static str, Fault, &'static str)> {
    let garbage = Bytes::from_static(b"\x00\x01\x02 nonsense\r\n\r\n");
    vec![
        ("huge-body", Fault::HugeBody(8 * MIB), "s"),
        ("endless-body", Fault::EndlessBody, ""),
        ("endless-line", Fault::EndlessLine, ""),
        ("gzip-bomb", Fault::GzipBomb(16 * MIB as u64), ""),
        ("huge-header", Fault::HugeHeader(MIB), ""),
        ("no-slash", Fault::ContentType("nonsense".into()), "rs"),
        ("html", Fault::ContentType("text/html".into()), "rs"),
        ("protobuf", Fault::ContentType("application/vnd.kubernetes.protobuf".into()), "rs"),
        ("stall", Fault::Stall { after: 10 }, ""),
        ("stall-at-once", Fault::Stall { after: 0 }, ""),
        ("cut", Fault::CutBody { after: 30 }, ""),
        ("cut-at-once", Fault::CutBody { after: 0 }, ""),
        ("reset", Fault::Reset { after: 60 }, ""),
        ("close", Fault::Close { after: 60 }, ""),
        ("longer", Fault::WrongLength(100), ""),
        // HTTP/1.1 has no other end of a body than its length.
        ("shorter", Fault::WrongLength(-20), "rs 1.1"),
        ("garbage", Fault::Garbage(garbage), ""),
        ("nothing", Fault::Garbage(Bytes::new()), ""),
        ("delay", Fault::Delay(Duration::from_secs(60)), ""),
        ("trickle", Fault::Trickle { bytes: 1, every: Duration::from_secs(1) }, ""),
        ("internal-error", Fault::StreamReset(2), ""),
        ("enhance-your-calm", Fault::StreamReset(11), ""),
        ("come-back-late", Fault::retry_after(429, 1 << 31), ""),
        ("come-back", Fault::retry_after(503, 0), ""),
    ]
}

/// Whether the answer has no end or is huge.
fn is_heavy(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::HugeBody(_)
            | Fault::EndlessBody
            | Fault::EndlessLine
            | Fault::GzipBomb(_)
            | Fault::HugeHeader(_)
    )
}

/// One without TLS and one with it, on which HTTP/2 is spoken.
pub(super) async fn servers() -> [Arc<ApiServer>; 2] {
    let plain = ApiServer::builder().pods(3).start().await.unwrap();
    let tls = ApiServer::builder().tls(true).pods(3).start().await.unwrap();
    [Arc::new(plain), Arc::new(tls)]
}

pub(super) fn spawn(
    all: &mut JoinSet<Option<String>>,
    asking: &Arc<Semaphore>,
    servers: &[Arc<ApiServer>; 2],
    heavy: bool,
) {
    for (server, tls) in servers.iter().zip([false, true]) {
        for (name, fault, succeed) in faults() {
            if is_heavy(&fault) != heavy {
                continue;
            }
            for how in ENDS {
                let label = format!("{name} tls={tls} {how}");
                let case = format!("{name}-{how}.");
                server.faults().add(FaultRule::new(fault.clone()).path(format!("case={case}")));
                let succeeds = succeed.contains(how) && !(tls && succeed.contains("1.1"));
                let (server, asking) = (Arc::clone(server), Arc::clone(asking));
                all.spawn(async move {
                    let _turns = asking.acquire_many(if heavy { HEAVY } else { 1 }).await.unwrap();
                    let request = client(&server.config()).get().namespace("default").resource("pods");
                    let url = server.url().to_owned();
                    let host = url.split("//").last().unwrap();
                    let wanted = ["GET", "/api/v1/namespaces/default/pods", host];
                    ask(request.param("case", case), how, [heavy, succeeds], &label, wanted).await
                });
            }
        }
    }
}
