//! One connection: bytes between a socket and its session, commands between the session and the library.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use autochanger_iscsi::target::SessionSeed;
use autochanger_iscsi::{Target, TargetConfig, TargetEvent};
use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep, sleep_until};

use super::registry::{Control, Registry};
use super::work::{Done, Works};
use crate::transport::sim::SimulatedLibrary;

/// How long a login may take.
const LOGIN_TIME: Duration = Duration::from_secs(15);

/// How long an initiator is silent before it is asked for a sign of life, and how long it then has to give it: longer
/// than initiators are silent by themselves.
const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// How long the last words of a session may take to leave.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How much is read from the socket at once.
const READ_SIZE: usize = 64 * 1024;

/// How much is taken from the session before it is written.
const WRITE_SIZE: usize = 64 * 1024;

pub(super) struct Connection {
    stream: TcpStream,
    session: Target,
    input: Box<[u8]>,
    output: BytesMut,
    library: SimulatedLibrary,
    works: Option<Works>,
    timer: Pin<Box<Sleep>>,
    /// When the session is given up, or asked for a sign of life.
    deadline: Instant,
    pinged: bool,
    cut: bool,
    number: u64,
    registry: Arc<Registry>,
    // Dropped last: who waits for the end of this connection knows then that its work has ended, too.
    orders: mpsc::Receiver<Control>,
}

/// What happened while the connection waited.
#[derive(Default)]
struct Wake {
    input: Option<io::Result<usize>>,
    order: Option<Control>,
    done: Vec<Done>,
    timer: bool,
}

impl Connection {
    /// `None` when the socket is of no use any more, or there is no randomness for a challenge.
    pub(super) fn new(
        stream: TcpStream,
        library: SimulatedLibrary,
        config: TargetConfig,
        registry: Arc<Registry>,
    ) -> Option<Self> {
        // An answer is one small write that is waited for: delay would be pure loss.
        stream.set_nodelay(true).ok()?;
        let portal = stream.local_addr().ok()?.to_string();
        let mut challenge = [0; 16];
        getrandom::fill(&mut challenge).ok()?;
        let seed = SessionSeed { challenge, tsih: registry.next_tsih(), portal };
        let deadline = Instant::now() + LOGIN_TIME;
        let (number, orders) = registry.enter();
        Some(Self {
            stream,
            session: Target::new(config, seed),
            input: vec![0; READ_SIZE].into_boxed_slice(),
            output: BytesMut::new(),
            library,
            works: None,
            timer: Box::pin(sleep_until(deadline)),
            deadline,
            pinged: false,
            cut: false,
            number,
            registry,
            orders,
        })
    }

    /// Serves until the end.
    pub(super) async fn run(mut self) {
        while !self.cut {
            self.attend().await;
            self.write();
            if self.cut || (self.session.has_ended() && self.output.is_empty()) {
                return;
            }
            let wake = poll_fn(|cx| self.poll(cx)).await;
            self.apply(wake);
        }
    }

    /// Hears what the session reports.
    async fn attend(&mut self) {
        while let Some(event) = self.session.poll_event() {
            match event {
                TargetEvent::LoggedIn(admitted) => {
                    self.deadline = Instant::now() + KEEP_ALIVE;
                    if !admitted.discovery {
                        let port = initiator_port(&admitted.initiator, admitted.isid);
                        self.registry.take_over(port.clone(), self.number).await;
                        self.works = Some(Works::new(&self.library, &port, Arc::clone(&self.registry)));
                        self.session.set_window(self.registry.window());
                    }
                }
                TargetEvent::Command { task, command } => {
                    if let Some(works) = &mut self.works {
                        works.execute(task, command);
                    }
                }
                TargetEvent::Manage { task, function, lun } => {
                    if let Some(works) = &mut self.works {
                        works.manage(task, function, lun);
                    }
                }
                TargetEvent::Pong => self.registry.count_pong(),
                _ => {
                    #[cfg(feature = "tracing")]
                    if let TargetEvent::Ended(ended) = &event {
                        tracing::debug!(connection = self.number, %ended, "session ended");
                    }
                    // The library forgets this initiator now, not when its last words have left.
                    self.works = None;
                    self.deadline = Instant::now() + LAST_WORDS;
                }
            }
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Wake> {
        let mut wake = Wake::default();
        let mut woken = false;
        // Nothing is read while answers wait to be written: who does not read gets nothing more to do.
        if self.output.is_empty() {
            // Unlike `try_read`, this knows from a buffer that was not filled that the socket is empty.
            let mut buffer = ReadBuf::new(&mut self.input);
            if let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
                wake.input = Some(read.map(|()| buffer.filled().len()));
                woken = true;
            }
        } else {
            woken |= self.stream.poll_write_ready(cx).is_ready();
        }
        if let Poll::Ready(Some(order)) = self.orders.poll_recv(cx) {
            wake.order = Some(order);
            woken = true;
        }
        if let Some(works) = &mut self.works {
            wake.done = works.poll(cx);
            woken |= !wake.done.is_empty();
        }
        // The deadline moves away with each request: a timer that comes too early is set again then.
        if self.deadline < self.timer.deadline() || self.timer.is_elapsed() {
            self.timer.as_mut().reset(self.deadline);
        }
        if self.timer.as_mut().poll(cx).is_ready() {
            wake.timer = Instant::now() >= self.deadline;
            woken = true;
        }
        if woken { Poll::Ready(wake) } else { Poll::Pending }
    }

    fn apply(&mut self, wake: Wake) {
        for done in wake.done {
            self.finish(done);
        }
        match wake.order {
            Some(Control::AskLogout(seconds)) => self.session.ask_logout(seconds),
            Some(Control::Drop) => self.session.drop_session(),
            Some(Control::Cut) => self.cut = true,
            Some(Control::Ping) => self.session.ping(),
            Some(Control::Window(window)) => self.session.set_window(window),
            None => {}
        }
        if let Some(input) = wake.input {
            self.read(input);
        }
        if wake.timer {
            self.expire();
        }
    }

    fn finish(&mut self, done: Done) {
        match done {
            Done::Answer(task, answer) => self.session.answer(task, answer),
            Done::Failed(task) => self.session.fail(task),
            // What a function has ended is not missed.
            Done::Lost(task) => self.cut |= self.session.is_waiting(task),
            Done::Managed(tag, response) => {
                self.session.managed(tag, response);
                if let Some(works) = &mut self.works {
                    works.retain(|task| self.session.is_waiting(task));
                }
            }
        }
    }

    /// Time has run out: for a login, for a sign of life, or until the next one is asked for.
    fn expire(&mut self) {
        if !self.session.is_ready() || self.pinged {
            self.cut = true;
            return;
        }
        self.session.ping();
        self.pinged = true;
        self.deadline = Instant::now() + KEEP_ALIVE;
    }

    fn read(&mut self, input: io::Result<usize>) {
        match input {
            Ok(0) => self.cut = true,
            Ok(length) => {
                if self.session.is_ready() {
                    self.deadline = Instant::now() + KEEP_ALIVE;
                    self.pinged = false;
                }
                self.session.received(self.input.get(..length).unwrap_or_default());
            }
            Err(_) => self.cut = true,
        }
    }

    fn write(&mut self) {
        loop {
            while self.output.len() < WRITE_SIZE
                && let Some(bytes) = self.session.poll_transmit()
            {
                self.output.extend_from_slice(&bytes);
            }
            if self.output.is_empty() {
                return;
            }
            match self.stream.try_write(&self.output) {
                Ok(written) => self.output.advance(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => return self.cut = true,
            }
        }
    }
}

/// The name of an initiator port as SCSI has it (SPC-4 7.6.4.6). There is one portal group, so that it names the I_T nexus.
/// iSCSI names are the same in capitals (RFC 7143 section 4.2.7.2).
fn initiator_port(name: &str, isid: [u8; 6]) -> String {
    let isid = isid.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    format!("{},i,0x{isid}", name.to_ascii_lowercase())
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.registry.leave(self.number);
    }
}
