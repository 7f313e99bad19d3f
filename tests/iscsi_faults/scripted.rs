//! Targets that do one thing, again and again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use autochanger_iscsi::pdu::{LoginResponse, RawPdu};
use autochanger_iscsi::target::{Admitted, SessionSeed, TargetAnswer};
use autochanger_iscsi::{Target, TargetConfig, TargetEvent};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub(crate) const NAME: &str = "iqn.2026-01.test:scripted";

/// A running target; it ends with this value.
pub(crate) struct Scripted {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Scripted {
    /// One that does this with each session that has logged in, and answers every command with GOOD.
    pub(crate) async fn start(greet: impl Fn(&mut Target, &Admitted) + Send + Sync + 'static) -> Self {
        let greet = Arc::new(greet);
        Self::listen(move |stream, address| serve(stream, address, greet.clone(), usize::MAX)).await
    }

    /// One that ends each session once it has answered a command.
    pub(crate) async fn once() -> Self {
        Self::listen(|stream, address| serve(stream, address, Arc::new(|_: &mut Target, _: &Admitted| {}), 1))
            .await
    }

    /// One that sends whoever logs in elsewhere; `detail` is 1 for the time being, 2 for good.
    pub(crate) async fn redirecting(
        detail: u8,
        to: impl Fn(SocketAddr) -> String + Send + Sync + 'static,
    ) -> Self {
        let to = Arc::new(to);
        Self::listen(move |stream, address| redirect(stream, detail, to(address))).await
    }

    async fn listen<F: Future<Output = ()> + Send + 'static>(
        serve: impl Fn(TcpStream, SocketAddr) -> F + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let connections = Arc::<AtomicUsize>::default();
        let counted = connections.clone();
        let task = tokio::spawn(async move {
            let mut sessions = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                sessions.spawn(serve(stream, address));
            }
        });
        Self { address, connections, task }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self) -> String {
        format!("iscsi://{}/{NAME}/0", self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves a session until so many commands are answered.
async fn serve(
    mut stream: TcpStream,
    address: SocketAddr,
    greet: Arc<impl Fn(&mut Target, &Admitted)>,
    mut left: usize,
) {
    let seed = SessionSeed { challenge: [9; 16], tsih: 1, portal: address.to_string() };
    let mut target = Target::new(TargetConfig::new(NAME), seed);
    let mut buffer = [0; 4096];
    loop {
        while let Some(event) = target.poll_event() {
            match event {
                TargetEvent::LoggedIn(admitted) => greet(&mut target, &admitted),
                TargetEvent::Command { task, .. } => {
                    target.answer(task, TargetAnswer::default());
                    left -= 1;
                }
                _ => {}
            }
        }
        // In one piece, so that the end of a login and what follows it are read at once.
        let words: Vec<u8> = std::iter::from_fn(|| target.poll_transmit()).flatten().collect();
        if stream.write_all(&words).await.is_err() {
            return;
        }
        if target.has_ended() || left == 0 {
            return;
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(length) => target.received(&buffer[..length]),
        }
    }
}

async fn redirect(mut stream: TcpStream, detail: u8, to: String) {
    if stream.read(&mut [0; 4096]).await.is_ok() {
        let data = if to.is_empty() { String::new() } else { format!("TargetAddress={to}\0") };
        let response: RawPdu = LoginResponse {
            status_class: 1,
            status_detail: detail,
            data: data.into(),
            ..LoginResponse::default()
        }
        .encode();
        let _ = stream.write_all(&response.to_bytes()).await;
    }
}
