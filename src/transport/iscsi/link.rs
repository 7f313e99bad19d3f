//! One TCP connection with its initiator: bytes to and from the socket, and nothing about who asked for them.

use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use autochanger_iscsi::{Chap, Ended, Event, Initiator, LoginConfig, MutualChap, Secret};
use bytes::{Buf, BytesMut};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::fault::Cause;
use super::{CONNECT_TIMEOUT, Endpoint, INITIATOR_NAME, IscsiUrl, PathFaultKind};

/// How much is read from the socket at once.
const READ_SIZE: usize = 64 * 1024;

/// How much is taken from the initiator before it is written. What is taken counts as sent, so it is not more than a
/// socket swallows at once.
const WRITE_SIZE: usize = 16 * 1024;

pub(super) struct Link {
    stream: TcpStream,
    pub(super) initiator: Initiator,
    input: Box<[u8]>,
    output: BytesMut,
    keep_alive: Duration,
    last_received: Instant,
    pinged: Option<Instant>,
    /// What the socket said when it broke.
    broken: Option<String>,
}

impl Link {
    /// Connects and logs in, within [`CONNECT_TIMEOUT`].
    pub(super) async fn open(endpoint: Endpoint) -> Result<Self, Cause> {
        match timeout(CONNECT_TIMEOUT, Self::connect(&endpoint)).await {
            Ok(result) => result,
            Err(_) => {
                let seconds = CONNECT_TIMEOUT.as_secs();
                let detail = format!("no connection and login within {seconds} s");
                Err(Cause::new(PathFaultKind::Unreachable, detail))
            }
        }
    }

    async fn connect(endpoint: &Endpoint) -> Result<Self, Cause> {
        let url = &endpoint.url;
        let unreachable = |error: io::Error| {
            let detail = format!("cannot connect to {} port {}: {error}", url.host(), url.port());
            Cause::new(PathFaultKind::Unreachable, detail)
        };
        let stream = TcpStream::connect((url.host(), url.port())).await.map_err(unreachable)?;
        // A command is one small write whose answer is waited for: delay would be pure loss.
        stream.set_nodelay(true).map_err(unreachable)?;
        let mut link = Self {
            stream,
            initiator: Initiator::new(login_config(url, endpoint.isid)?),
            input: vec![0; READ_SIZE].into_boxed_slice(),
            output: BytesMut::new(),
            keep_alive: endpoint.keep_alive,
            last_received: Instant::now(),
            pinged: None,
            broken: None,
        };
        loop {
            link.write();
            link.read();
            while let Some(event) = link.initiator.poll_event() {
                match event {
                    Event::LoggedIn => return Ok(link),
                    Event::Ended(ended) => return Err(link.cause(&ended)),
                    _ => {}
                }
            }
            std::future::poll_fn(|cx| link.poll(cx).map(drop)).await;
        }
    }

    /// Waits until the socket can be read, or written when something is to be written; says whether it can be read.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        // An error is found again by the read or write that follows.
        let readable = self.stream.poll_read_ready(cx).is_ready();
        let writable = !self.output.is_empty() && self.stream.poll_write_ready(cx).is_ready();
        if readable || writable { Poll::Ready(readable) } else { Poll::Pending }
    }

    /// Reads once, if there is something.
    pub(super) fn read(&mut self) {
        match self.stream.try_read(&mut self.input) {
            Ok(0) => self.initiator.disconnected(),
            Ok(length) => {
                self.last_received = Instant::now();
                self.pinged = None;
                self.initiator.received(self.input.get(..length).unwrap_or_default());
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => self.fail(error.to_string()),
        }
    }

    /// Writes what the initiator has, as far as the socket takes it.
    pub(super) fn write(&mut self) {
        loop {
            // Commands stay with the initiator, as not sent, until what was taken before them has left.
            if self.output.is_empty() {
                while self.output.len() < WRITE_SIZE
                    && let Some(bytes) = self.initiator.poll_transmit()
                {
                    self.output.extend_from_slice(&bytes);
                }
                if self.output.is_empty() {
                    return;
                }
            }
            match self.stream.try_write(&self.output) {
                Ok(written) => self.output.advance(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => return self.read_last_words(&error),
            }
        }
    }

    /// When the target next gets a ping, or has not answered it.
    pub(super) fn next_deadline(&self) -> Instant {
        self.pinged.unwrap_or(self.last_received) + self.keep_alive
    }

    /// Keeps the connection alive, or gives it up.
    pub(super) fn tick(&mut self, now: Instant) {
        if now < self.next_deadline() || self.initiator.has_ended() {
            return;
        }
        if self.pinged.is_some() {
            self.fail(format!("the target answered no ping within {:?}", self.keep_alive));
        } else {
            self.initiator.ping();
            self.pinged = Some(now);
        }
    }

    /// Why the session ended, with what the socket said about it.
    pub(super) fn cause(&self, ended: &Ended) -> Cause {
        match (&self.broken, ended) {
            (Some(broken), Ended::Disconnected) => {
                Cause::new(PathFaultKind::ConnectionLost, format!("the connection was lost: {broken}"))
            }
            _ => Cause::of_end(ended),
        }
    }

    fn fail(&mut self, detail: String) {
        self.broken.get_or_insert(detail);
        self.initiator.disconnected();
    }

    /// The target does not listen any more, yet answers that it sent before may still be here: an answer is worth more
    /// than an unknown outcome.
    fn read_last_words(&mut self, error: &io::Error) {
        while let Ok(length) = self.stream.try_read(&mut self.input) {
            if length == 0 || self.initiator.has_ended() {
                break;
            }
            self.initiator.received(self.input.get(..length).unwrap_or_default());
        }
        self.fail(error.to_string());
    }
}

fn login_config(url: &IscsiUrl, isid: [u8; 6]) -> Result<LoginConfig, Cause> {
    let mutual = match url.target_credentials() {
        None => None,
        Some((user, secret)) => {
            let mut challenge = [0; 16];
            getrandom::fill(&mut challenge).map_err(|error| {
                Cause::new(PathFaultKind::Unreachable, format!("no random challenge for the target: {error}"))
            })?;
            Some(MutualChap { user: user.to_owned(), secret: Secret::new(secret), challenge })
        }
    };
    let authentication = url.credentials().map(|(user, secret)| Chap {
        user: user.to_owned(),
        secret: Secret::new(secret),
        mutual,
    });
    Ok(LoginConfig {
        initiator: INITIATOR_NAME.to_owned(),
        target: url.target().to_owned(),
        isid,
        authentication,
    })
}
