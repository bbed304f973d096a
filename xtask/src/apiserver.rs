//! `cargo xtask apiserver`: the embedded API server, for people.

use std::error::Error;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use kubewire_rest::fake::ApiServer;

/// What the server is to be like.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Write a kubeconfig for it here, readable by you alone; the file is removed at the end.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Listen on this port of 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Serve HTTPS, with a certificate authority of its own and a token.
    #[arg(long)]
    tls: bool,
    /// Start with so many pods.
    #[arg(long, default_value_t = 5)]
    pods: usize,
}

/// Serves until Ctrl-C.
pub(crate) fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(args))
}

async fn serve(args: &Args) -> Result<(), Box<dyn Error>> {
    let mut builder = ApiServer::builder().port(args.port).tls(args.tls).pods(args.pods);
    if args.tls {
        builder = builder.token("kubewire");
    }
    let server = builder.start().await.map_err(|e| format!("listening on 127.0.0.1:{}: {e}", args.port))?;
    let end = asked_to_end()?;
    let Some(path) = &args.kubeconfig else { return until(end, &server.url()).await };
    write(path, &server.kubeconfig())?;
    let ended = until(end, &server.url()).await;
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(format!("removing {}: {e}", path.display()).into()),
        _ => ended,
    }
}

/// Writes a file that is not there yet, for its owner alone.
fn write(path: &Path, text: &str) -> Result<(), Box<dyn Error>> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|e| match e.kind() {
        ErrorKind::AlreadyExists => {
            format!("{} is there already: name a file that is not", path.display())
        }
        _ => format!("writing {}: {e}", path.display()),
    })?;
    Ok(file.write_all(text.as_bytes()).map_err(|e| format!("writing {}: {e}", path.display()))?)
}

/// Prints the URL, and waits for the end.
async fn until(end: impl Future<Output = io::Result<()>>, url: &str) -> Result<(), Box<dyn Error>> {
    writeln!(io::stdout(), "{url}").map_err(|e| format!("writing to stdout: {e}"))?;
    Ok(end.await?)
}

/// Ctrl-C, or what `kill` and service managers send; from now on, not only once it is polled.
#[cfg(unix)]
fn asked_to_end() -> io::Result<impl Future<Output = io::Result<()>>> {
    use tokio::signal::unix::{SignalKind, signal};

    let (mut interrupted, mut terminated) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
        Ok(())
    })
}

#[cfg(not(unix))]
fn asked_to_end() -> io::Result<impl Future<Output = io::Result<()>>> {
    Ok(tokio::signal::ctrl_c())
}
