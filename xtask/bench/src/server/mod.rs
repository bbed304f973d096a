//! The server that replays answers: a process of its own.

mod answers;
mod cbor;
mod record;
mod tls;

use std::io::{Read as _, Write as _};
use std::net::Ipv4Addr;
use std::sync::Arc;

use http::{Method, Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use self::answers::{Answers, Body, Form};
use crate::args::ServeArgs;
use crate::{Failure, cores};

/// Serves until standard input ends, which it does when whoever started the server ends.
pub(crate) fn run(args: &ServeArgs) -> Result<(), Failure> {
    if let Some(core) = args.core {
        cores::pin(core)?;
    }
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let recorded = match &args.record {
            Some(kubeconfig) => record::from_cluster(kubeconfig).await?,
            None => record::made_up(args.pods).await?,
        };
        let answers = Arc::new(Answers::new(recorded, args.pods));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let acceptor = tls::acceptor(&args.folder, listener.local_addr()?)?;
        tokio::spawn(accept(listener, acceptor, answers));
        println!("ready");
        std::io::stdout().flush()?;
        tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
        Ok(())
    })
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, answers: Arc<Answers>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, answers) = (acceptor.clone(), Arc::clone(&answers));
        tokio::spawn(async move {
            if let Err(error) = serve(stream, &acceptor, answers).await {
                // Clients that have what they wanted end their connections without a word.
                if std::env::var_os("KUBEWIRE_BENCH_LOG").is_some() {
                    eprintln!("a connection ended: {error}");
                }
            }
        });
    }
}

async fn serve(stream: TcpStream, acceptor: &TlsAcceptor, answers: Arc<Answers>) -> Result<(), Failure> {
    stream.set_nodelay(true)?;
    let stream = TokioIo::new(acceptor.accept(stream).await?);
    let service = service_fn(|request| answer(request, Arc::clone(&answers)));
    Builder::new(TokioExecutor::new()).serve_connection(stream, service).await
}

async fn answer(request: Request<Incoming>, answers: Arc<Answers>) -> Result<Response<Body>, hyper::Error> {
    let path: Vec<&str> = request.uri().path().split('/').skip(1).collect();
    let form = Form::wanted(request.headers());
    let query = request.uri().query().unwrap_or_default();
    let param = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let number = |name: &str| param(name).and_then(|value| value.parse().ok());
    let (watches, sends_initial) =
        (param("watch") == Some("true"), param("sendInitialEvents") == Some("true"));
    Ok(match (request.method(), &path[..]) {
        (&Method::GET, ["api", "v1", "pods"]) => match (watches, number("limit"), form) {
            (true, _, Form::Json) if sends_initial => answers.watch_list(),
            (true, ..) => answers.watch(form),
            (false, Some(limit), Form::Json) => answers.page(number("continue").unwrap_or_default(), limit),
            (false, ..) => answers.list(form),
        },
        (&Method::GET, ["api", "v1", "namespaces", _, "pods", name]) => answers.object(name, form),
        (&Method::POST, ["api", "v1", "namespaces", _, "pods"]) => Answers::created(request).await?,
        _ => answers::unknown(),
    })
}
