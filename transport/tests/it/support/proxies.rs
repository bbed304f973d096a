//! Small proxies: http and https with CONNECT and with whole URLs, and socks5.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

/// A proxy that writes down where connections were to lead, and leads all of them to one server.
pub struct Proxy {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    accepting: AbortHandle,
}

#[derive(Clone)]
struct Way {
    server: SocketAddr,
    user: Option<(&'static str, &'static str)>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    pub async fn http(server: SocketAddr, user: Option<(&'static str, &'static str)>) -> Self {
        Self::start(server, user, |stream, way| async move { http(stream, way).await }).await
    }

    /// An http proxy behind TLS. `certificates` gets the certificates that clients show.
    pub async fn https(server: SocketAddr, tls: Arc<ServerConfig>) -> Self {
        let acceptor = TlsAcceptor::from(tls);
        Self::start(server, None, move |stream, way| {
            let acceptor = acceptor.clone();
            async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let shown = stream.get_ref().1.peer_certificates().is_some();
                way.asked.lock().unwrap().push(format!("TLS, client certificate: {shown}"));
                http(stream, way).await;
            }
        })
        .await
    }

    pub async fn socks(server: SocketAddr, user: Option<(&'static str, &'static str)>) -> Self {
        Self::start(server, user, |stream, way| async move { socks(stream, way).await }).await
    }

    async fn start<F, R>(server: SocketAddr, user: Option<(&'static str, &'static str)>, serve: F) -> Self
    where
        F: Fn(TcpStream, Way) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let way = Way { server, user, asked: Arc::clone(&asked) };
        let accepting = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, way.clone()));
            }
        });
        Self { address, asked, accepting: accepting.abort_handle() }
    }

    /// Where connections were to lead so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn head<S: AsyncRead + Unpin>(stream: &mut S) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

async fn http<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, way: Way) {
    let Some(head) = head(&mut stream).await else { return };
    let first = head.lines().next().unwrap().to_owned();
    way.asked.lock().unwrap().push(first.clone());
    if let Some((user, password)) = way.user {
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        let expected = format!("proxy-authorization: basic {}", pair.to_lowercase());
        if !head.to_lowercase().contains(&expected) {
            stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await.unwrap();
            return;
        }
    }
    let mut server = TcpStream::connect(way.server).await.unwrap();
    if first.starts_with("CONNECT ") {
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
    } else {
        // As a real one: the server is not told what was meant for the proxy.
        let kept = head.split("\r\n").filter(|line| !line.to_lowercase().starts_with("proxy-"));
        server.write_all(kept.collect::<Vec<_>>().join("\r\n").as_bytes()).await.unwrap();
    }
    let _ = tokio::io::copy_bidirectional(&mut stream, &mut server).await;
}

async fn socks(mut stream: TcpStream, way: Way) {
    let mut greeting = [0; 2];
    stream.read_exact(&mut greeting).await.unwrap();
    let mut methods = vec![0; greeting[1].into()];
    stream.read_exact(&mut methods).await.unwrap();
    if let Some((user, password)) = way.user {
        stream.write_all(&[5, 2]).await.unwrap();
        let mut version = [0; 1];
        stream.read_exact(&mut version).await.unwrap();
        let (given_user, given_password) = (short(&mut stream).await, short(&mut stream).await);
        let right = given_user == user && given_password == password;
        stream.write_all(&[1, u8::from(!right)]).await.unwrap();
        if !right {
            return;
        }
    } else {
        stream.write_all(&[5, 0]).await.unwrap();
    }
    let mut request = [0; 4];
    stream.read_exact(&mut request).await.unwrap();
    let host = match request[3] {
        1 => {
            let mut address = [0; 4];
            stream.read_exact(&mut address).await.unwrap();
            Ipv4Addr::from(address).to_string()
        }
        4 => {
            let mut address = [0; 16];
            stream.read_exact(&mut address).await.unwrap();
            std::net::Ipv6Addr::from(address).to_string()
        }
        _ => short(&mut stream).await,
    };
    let port = stream.read_u16().await.unwrap();
    way.asked.lock().unwrap().push(format!("{host} {port}"));
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
    let mut server = TcpStream::connect(way.server).await.unwrap();
    let _ = tokio::io::copy_bidirectional(&mut stream, &mut server).await;
}

/// A text with its length in front.
async fn short(stream: &mut TcpStream) -> String {
    let mut text = vec![0; stream.read_u8().await.unwrap().into()];
    stream.read_exact(&mut text).await.unwrap();
    String::from_utf8(text).unwrap()
}
