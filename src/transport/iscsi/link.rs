//! One TCP connection with its initiator: bytes to and from the socket, and nothing about who asked for them.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use autochanger_iscsi::{
    Chap, DigestPolicy, Ended, Event, Initiator, LoginConfig, LoginError, MutualChap, Secret,
};
use bytes::{Buf, BytesMut};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::dial::dial;
use super::fault::Cause;
use super::{Endpoint, PathFaultKind};
use crate::transport::url::parse_authority;

/// How much is taken from the initiator before it is written. What is taken counts as sent, so it is not more than a
/// socket swallows at once.
const WRITE_SIZE: usize = 16 * 1024;

/// How often a login may be sent to another address: once for good, once to the right portal of it, and as much again.
const MAX_REDIRECTIONS: u32 = 4;

/// How long before the target ends the session by itself this side logs out: time for the request to get there.
const GOODBYE_MARGIN: Duration = Duration::from_millis(500);

/// What became of a read; the bytes are with the initiator.
pub(super) struct Input(io::Result<usize>);

pub(super) struct Link {
    stream: TcpStream,
    pub(super) initiator: Initiator,
    output: BytesMut,
    keep_alive: Duration,
    last_received: Instant,
    pinged: Option<Instant>,
    /// When this side logs out at the latest, because the target wants it.
    leave_by: Option<Instant>,
    /// What the socket said when it broke.
    broken: Option<String>,
    /// Where the target has moved to for good.
    pub(super) moved_to: Option<(String, u16)>,
    /// Where it was found in the end.
    pub(super) address: (String, u16),
}

impl Link {
    /// Connects and logs in, within the endpoint's time for that.
    pub(super) async fn open(endpoint: Endpoint) -> Result<Self, Cause> {
        let url = &endpoint.url;
        let login = Login {
            initiator: &endpoint.initiator,
            target: Some(url.target()),
            isid: endpoint.isid,
            credentials: url.credentials(),
            target_credentials: url.target_credentials(),
            digests: endpoint.digests,
        };
        let address =
            endpoint.moved_to.as_ref().map_or((url.host(), url.port()), |(host, port)| (host, *port));
        Self::open_with(address, login, endpoint.connect_timeout, endpoint.keep_alive).await
    }

    /// The same, for any kind of session.
    pub(super) async fn open_with(
        address: (&str, u16),
        login: Login<'_>,
        time: Duration,
        keep_alive: Duration,
    ) -> Result<Self, Cause> {
        match timeout(time, Self::follow(address, login, keep_alive)).await {
            Ok(result) => result,
            Err(_) => {
                let detail = format!("no connection and login within {time:?}");
                Err(Cause::new(PathFaultKind::Unreachable, detail))
            }
        }
    }

    /// Goes where the target sends who logs in, within bounds.
    async fn follow(
        (host, port): (&str, u16),
        login: Login<'_>,
        keep_alive: Duration,
    ) -> Result<Self, Cause> {
        let mut address = (host.to_owned(), port);
        let mut moved_to = None;
        // Only what was moved from where it was looked for is looked for elsewhere the next time.
        let mut only_for_good = true;
        for _ in 0..=MAX_REDIRECTIONS {
            let mut link = Self::connect((&address.0, address.1), login, keep_alive).await?;
            let ended = match link.log_in().await {
                Ok(()) => return Ok(Self { moved_to, address, ..link }),
                Err(ended) => ended,
            };
            let Ended::Login(LoginError::Redirected { address: Some(to), permanent }) = &ended else {
                return Err(link.cause(&ended));
            };
            address = redirected(to)?;
            only_for_good &= *permanent;
            if only_for_good {
                moved_to = Some(address.clone());
            }
        }
        let detail = format!(
            "the target sends from one address to the next, at last to {} port {}, and is at none of the first {}",
            address.0,
            address.1,
            MAX_REDIRECTIONS + 1
        );
        Err(Cause::new(PathFaultKind::Unreachable, detail))
    }

    async fn connect(address: (&str, u16), login: Login<'_>, keep_alive: Duration) -> Result<Self, Cause> {
        let unreachable = |error: io::Error| {
            let detail = format!("cannot connect to {} port {}: {error}", address.0, address.1);
            Cause::new(PathFaultKind::Unreachable, detail)
        };
        let stream = dial(address.0, address.1).await.map_err(unreachable)?;
        // A command is one small write whose answer is waited for: delay would be pure loss.
        stream.set_nodelay(true).map_err(unreachable)?;
        Ok(Self {
            stream,
            initiator: Initiator::new(login.config()?),
            output: BytesMut::new(),
            keep_alive,
            last_received: Instant::now(),
            pinged: None,
            leave_by: None,
            broken: None,
            moved_to: None,
            address: (address.0.to_owned(), address.1),
        })
    }

    async fn log_in(&mut self) -> Result<(), Ended> {
        loop {
            self.write();
            while let Some(event) = self.initiator.poll_event() {
                match event {
                    Event::LoggedIn => return Ok(()),
                    Event::Ended(ended) => return Err(ended),
                    _ => {}
                }
            }
            self.turn().await;
        }
    }

    /// Waits for the socket, and takes what is there.
    pub(super) async fn turn(&mut self) {
        if let Some(input) = std::future::poll_fn(|cx| self.poll(cx)).await {
            self.take(input, Instant::now());
        }
    }

    /// Waits until there is something to [`take`](Self::take), or the socket can be written when something is to be
    /// written.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Input>> {
        // Unlike `try_read`, this knows from a buffer that was not filled that the socket is empty, and does not ask twice.
        if let Poll::Ready(read) = pin!(self.stream.read_buf(self.initiator.room())).poll(cx) {
            return Poll::Ready(Some(Input(read)));
        }
        // An error is found again by the write that follows.
        let writable = !self.output.is_empty() && self.stream.poll_write_ready(cx).is_ready();
        if writable { Poll::Ready(None) } else { Poll::Pending }
    }

    /// Takes what was read.
    pub(super) fn take(&mut self, input: Input, now: Instant) {
        match input.0 {
            Ok(0) => self.initiator.disconnected(),
            Ok(_) => {
                self.last_received = now;
                self.pinged = None;
                self.initiator.take_in();
            }
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

    /// The target ends the session by itself after that time.
    pub(super) fn leave_within(&mut self, time: Duration, now: Instant) {
        self.leave_by = Some(now + time.saturating_sub(GOODBYE_MARGIN));
    }

    /// When the target next gets a ping, or has given no sign of life after it; or when it is to be left.
    pub(super) fn next_deadline(&self) -> Instant {
        let silent = self.silent_at();
        self.leave_by.map_or(silent, |leave_by| leave_by.min(silent))
    }

    fn silent_at(&self) -> Instant {
        self.pinged.unwrap_or(self.last_received) + self.keep_alive
    }

    /// Keeps the connection alive, or gives it up.
    pub(super) fn tick(&mut self, now: Instant) {
        if self.initiator.has_ended() {
            return;
        }
        if self.leave_by.is_some_and(|leave_by| leave_by <= now) {
            // What is in flight ends with the session either way; so it ends in order.
            self.leave_by = None;
            self.initiator.logout();
        }
        if now < self.silent_at() {
            return;
        }
        if self.pinged.is_some() {
            self.fail(format!(
                "the target answered no ping within {:?}, nor said anything else",
                self.keep_alive
            ));
        } else if self.initiator.ping() {
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
        while let Ok(length) = self.stream.try_read_buf(self.initiator.room()) {
            if length == 0 || self.initiator.has_ended() {
                break;
            }
            self.initiator.take_in();
        }
        self.fail(error.to_string());
    }
}

/// Where a target sends who logs in: `host[:port][,group]` (RFC 7143 section 13.8).
fn redirected(to: &str) -> Result<(String, u16), Cause> {
    let (address, _) = to.rsplit_once(',').unwrap_or((to, ""));
    parse_authority(address).map_err(|problem| {
        let detail = format!("the target has moved to {to:?}, which is no address: {problem}");
        Cause::new(PathFaultKind::Protocol, detail)
    })
}

/// A user and a secret.
pub(super) type Pair<'a> = (&'a str, &'a str);

/// Who logs in, to what and how.
#[derive(Clone, Copy)]
pub(super) struct Login<'a> {
    pub(super) initiator: &'a str,
    /// `None` for a discovery session.
    pub(super) target: Option<&'a str>,
    pub(super) isid: [u8; 6],
    pub(super) credentials: Option<Pair<'a>>,
    pub(super) target_credentials: Option<Pair<'a>>,
    pub(super) digests: DigestPolicy,
}

impl Login<'_> {
    fn config(self) -> Result<LoginConfig, Cause> {
        let mutual = match self.target_credentials {
            None => None,
            Some((user, secret)) => {
                let mut challenge = [0; 16];
                getrandom::fill(&mut challenge).map_err(|error| {
                    let detail = format!("no random challenge for the target: {error}");
                    Cause::new(PathFaultKind::Unreachable, detail)
                })?;
                Some(MutualChap { user: user.to_owned(), secret: Secret::new(secret), challenge })
            }
        };
        let authentication = self.credentials.map(|(user, secret)| Chap {
            user: user.to_owned(),
            secret: Secret::new(secret),
            mutual,
        });
        Ok(LoginConfig {
            initiator: self.initiator.to_owned(),
            target: self.target.map(str::to_owned),
            isid: self.isid,
            authentication,
            digests: self.digests,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_login_asks_the_target_something_new() {
        let login = Login {
            initiator: "iqn.2026-01.test:me",
            target: Some("iqn.2026-01.test:library"),
            isid: [0x80, 0, 0, 0, 0, 1],
            credentials: Some(("backup", "opensesame12")),
            target_credentials: Some(("library", "whoisthere12")),
            digests: DigestPolicy::Accept,
        };
        let challenge = || match login.config().map(|config| config.authentication) {
            Ok(Some(Chap { mutual: Some(mutual), .. })) => mutual.challenge,
            other => panic!("no challenge: {:?}", other.is_ok()),
        };
        assert_ne!(challenge(), challenge());
    }
}
