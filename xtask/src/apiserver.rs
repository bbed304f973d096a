//! `cargo xtask apiserver`: the embedded API server, for people.

use std::error::Error;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;

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
    if let Some(path) = &args.kubeconfig {
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
        file.write_all(server.kubeconfig().as_bytes())?;
    }
    println!("{}", server.url());
    std::io::stdout().flush()?;
    asked_to_end().await?;
    if let Some(path) = &args.kubeconfig {
        std::fs::remove_file(path)?;
    }
    Ok(())
}

/// Waits for Ctrl-C, or for what `kill` and service managers send.
async fn asked_to_end() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminated.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
