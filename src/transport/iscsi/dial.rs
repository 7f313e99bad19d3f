//! Which of a host's addresses answers.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long an address has before the next one is tried beside it (RFC 8305 section 5): one that nobody answers at must not hide one
/// that works.
const STAGGER: Duration = Duration::from_millis(250);

/// Connects to a host.
pub(super) async fn dial(host: &str, port: u16) -> io::Result<TcpStream> {
    any_of(lookup_host((host, port)).await?).await
}

/// Connects to the first of these that answers, trying them in this order.
async fn any_of(addresses: impl Iterator<Item = SocketAddr>) -> io::Result<TcpStream> {
    let mut addresses = addresses.peekable();
    // Attempts that are not needed any more end with this.
    let mut attempts = JoinSet::new();
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    loop {
        match addresses.next() {
            Some(address) => _ = attempts.spawn(TcpStream::connect(address)),
            None if attempts.is_empty() => return Err(last),
            None => {}
        }
        let ended = if addresses.peek().is_some() {
            timeout(STAGGER, attempts.join_next()).await.ok().flatten()
        } else {
            attempts.join_next().await
        };
        match ended {
            Some(Ok(Ok(stream))) => return Ok(stream),
            Some(Ok(Err(error))) => last = error,
            Some(Err(error)) => last = io::Error::other(error),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpSocket};

    use super::*;

    const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

    #[tokio::test]
    async fn an_address_that_does_not_answer_hides_none_that_does() {
        // A queue for one connection, which is full and never looked at: what comes then is left without an answer.
        let silent = TcpSocket::new_v4().unwrap();
        silent.bind(LOOPBACK).unwrap();
        let silent = silent.listen(0).unwrap();
        let silent_at = silent.local_addr().unwrap();
        let mut queued = Vec::new();
        while let Ok(stream) = timeout(STAGGER, TcpStream::connect(silent_at)).await {
            queued.push(stream.unwrap());
        }
        let closed = TcpListener::bind(LOOPBACK).await.unwrap().local_addr().unwrap();
        let open = TcpListener::bind(LOOPBACK).await.unwrap();
        let open_at = open.local_addr().unwrap();
        let stream = any_of([silent_at, closed, open_at].into_iter()).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), open_at);
    }

    #[tokio::test]
    async fn where_nobody_answers_the_last_word_is_told() {
        let closed = TcpListener::bind(LOOPBACK).await.unwrap().local_addr().unwrap();
        let error = any_of([closed, closed].into_iter()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        let error = any_of(std::iter::empty()).await.unwrap_err();
        assert!(error.to_string().contains("no address"), "{error}");
    }
}
