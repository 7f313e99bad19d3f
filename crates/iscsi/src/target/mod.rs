//! One session of one connection as its target sees it, from the login to its end, without I/O.

mod answer;
mod config;
mod login;
mod parameters;
mod receive;
mod report;
mod task;
#[cfg(test)]
mod tests;
mod text;

use std::collections::{BTreeMap, VecDeque};

use bytes::{Bytes, BytesMut};

use crate::digest::Digests;
use crate::pdu::{AsyncMessage, LoginRequest, MAX_DATA_SEGMENT, NO_TAG, NopIn, PduReader, RawPdu};
use crate::serial;

pub use config::{Admitted, LoginRefusal, MAX_WINDOW, SessionSeed, TargetChap, TargetConfig};
use login::{Login, Step};
use parameters::Parameters;
pub use report::{TargetAnswer, TargetCommand, TargetEnded, TargetEvent, TaskFunction, TaskTag};
pub use task::MAX_DATA_OUT;
use task::Task;

/// The most PDUs that wait to be sent. Only an initiator that asks without reading the answers gets there: the window
/// bounds commands, and a command's answer is a few PDUs.
const MAX_WAITING_REPLIES: usize = 8192;

/// The most commands and functions outside the window (immediate ones) at once.
const MAX_IMMEDIATE: usize = 16;

/// An iSCSI session as its target sees it.
///
/// Feed it what was [`received`](Self::received); after each call that changes something, drain
/// [`poll_event`](Self::poll_event) and [`poll_transmit`](Self::poll_transmit). Do not read from the connection while
/// answers wait to be written, so that an initiator that does not read cannot make them pile up.
#[derive(Debug)]
pub struct Target {
    config: TargetConfig,
    portal: String,
    phase: Phase,
    reader: PduReader,
    parameters: Parameters,
    digests: Digests,
    transmit: VecDeque<Bytes>,
    events: VecDeque<TargetEvent>,
    tasks: BTreeMap<u32, Task>,
    functions: BTreeMap<u32, Pending>,
    /// What came before its turn, by CmdSN; all of it within the window.
    early: BTreeMap<u32, RawPdu>,
    /// A text that comes in pieces.
    text: BytesMut,
    status_sn: u32,
    expected_command_sn: u32,
    max_command_sn: u32,
    next_transfer_tag: u32,
    ping: Option<u32>,
}

#[derive(Debug)]
enum Phase {
    Login(Box<Login>),
    FullFeature { discovery: bool },
    Ended,
}

/// A task management function without an answer.
#[derive(Debug, Clone, Copy)]
struct Pending {
    function: TaskFunction,
    lun_field: u64,
}

impl Target {
    /// A session that waits for its login.
    pub fn new(config: TargetConfig, seed: SessionSeed) -> Self {
        let config = TargetConfig { window: config.window.clamp(1, MAX_WINDOW), ..config };
        Self {
            portal: seed.portal.clone(),
            parameters: Parameters::new(&config),
            phase: Phase::Login(Box::new(Login::new(config.clone(), seed))),
            config,
            reader: PduReader::new(MAX_DATA_SEGMENT),
            digests: Digests::default(),
            transmit: VecDeque::new(),
            events: VecDeque::new(),
            tasks: BTreeMap::new(),
            functions: BTreeMap::new(),
            early: BTreeMap::new(),
            text: BytesMut::new(),
            status_sn: 0,
            expected_command_sn: 0,
            max_command_sn: 0,
            next_transfer_tag: 0,
            ping: None,
        }
    }

    /// Takes bytes that came from the initiator. One that breaks the protocol loses its session, as error recovery
    /// level 0 has it.
    pub fn received(&mut self, bytes: &[u8]) {
        if self.has_ended() {
            return;
        }
        self.reader.push(bytes);
        while !self.has_ended() {
            match self.reader.next_pdu() {
                Ok(Some(raw)) => {
                    if let Err(ended) = self.take_pdu(&raw) {
                        self.end(ended);
                    }
                }
                Ok(None) => return,
                Err(error) => self.end(TargetEnded::Pdu(error)),
            }
        }
    }

    /// The connection is gone.
    pub fn disconnected(&mut self) {
        self.end(TargetEnded::Disconnected);
    }

    /// Ends the session from this side, with a word to the initiator (asynchronous event 3).
    pub fn drop_session(&mut self) {
        if self.is_ready() {
            self.announce(AsyncMessage { event: SESSION_DROPPED, ..AsyncMessage::default() });
        }
        self.end(TargetEnded::Dropped);
    }

    /// Asks the initiator to log out within so many seconds (asynchronous event 1).
    pub fn ask_logout(&mut self, seconds: u16) {
        if self.is_ready() {
            self.announce(AsyncMessage {
                event: LOGOUT_WANTED,
                parameter3: seconds,
                ..AsyncMessage::default()
            });
        }
    }

    /// Asks the initiator for a sign of life, which comes as [`TargetEvent::Pong`]. Does nothing while one is
    /// unanswered or no session is there.
    pub fn ping(&mut self) {
        if self.is_ready() && self.ping.is_none() {
            let tag = self.take_transfer_tag();
            self.ping = Some(tag);
            self.send_nop(tag);
        }
    }

    /// Takes another number of commands at once, from 0 to [`MAX_WINDOW`]. A smaller window shows as commands are
    /// answered: what was granted is not taken back (RFC 7143 section 4.2.2.1). A larger one is told at once.
    pub fn set_window(&mut self, window: u32) {
        self.config.window = window.min(MAX_WINDOW);
        let before = self.max_command_sn;
        if self.is_ready() {
            self.open_window();
            if self.max_command_sn != before {
                self.send_nop(NO_TAG);
            }
        }
    }

    /// The next event. [`TargetEvent::Ended`] is the last one.
    pub fn poll_event(&mut self) -> Option<TargetEvent> {
        self.events.pop_front()
    }

    /// The next bytes for the socket; also after the end, when the last words have not left yet.
    pub fn poll_transmit(&mut self) -> Option<Bytes> {
        self.transmit.pop_front()
    }

    /// Whether the login is over, and the session is not.
    pub fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::FullFeature { .. })
    }

    /// Whether the session is over.
    pub fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended)
    }

    /// How many commands have no answer yet.
    pub fn in_flight(&self) -> usize {
        self.tasks.len()
    }

    /// Whether a command still waits for its answer: not when a function has ended it.
    pub fn is_waiting(&self, task: TaskTag) -> bool {
        self.tasks.contains_key(&task.0)
    }

    fn take_login(&mut self, raw: &RawPdu) -> Result<(), TargetEnded> {
        let Phase::Login(login) = &mut self.phase else {
            return Err(TargetEnded::Protocol("a login request after the login"));
        };
        if raw.opcode() != LoginRequest::OPCODE {
            return Err(TargetEnded::Protocol("something else than a login request during the login"));
        }
        match login.received(&LoginRequest::decode(raw)) {
            Step::Send(response) => self.send(response.encode()),
            Step::Refuse(response, refusal) => {
                self.send(response.encode());
                return Err(TargetEnded::Refused(refusal));
            }
            Step::Done(response, agreed) => {
                self.phase = Phase::FullFeature { discovery: agreed.admitted.discovery };
                self.status_sn = agreed.status_sn;
                self.expected_command_sn = agreed.command_sn;
                self.max_command_sn = agreed.command_sn.wrapping_sub(1);
                self.open_window();
                self.send(response.encode());
                // The login itself has no digests; what follows has.
                self.digests = agreed.parameters.digests;
                self.reader.set_digests(self.digests);
                self.parameters = agreed.parameters;
                self.events.push_back(TargetEvent::LoggedIn(agreed.admitted));
            }
        }
        Ok(())
    }

    /// What is taken at once, less what is being worked on (RFC 7143 section 4.2.2.1).
    fn open_window(&mut self) {
        let taken = self.tasks.values().filter(|task| !task.immediate).count();
        let room = self.config.window.saturating_sub(u32::try_from(taken).unwrap_or(u32::MAX));
        let max = self.expected_command_sn.wrapping_add(room).wrapping_sub(1);
        if serial::before(self.max_command_sn, max) {
            self.max_command_sn = max;
        }
    }

    fn announce(&mut self, message: AsyncMessage) {
        let message = AsyncMessage {
            initiator_task_tag: NO_TAG,
            status_sn: self.take_status_sn(),
            expected_command_sn: self.expected_command_sn,
            max_command_sn: self.max_command_sn,
            ..message
        };
        self.send(message.encode());
    }

    /// A ping, or with [`NO_TAG`] a mere word about the window.
    fn send_nop(&mut self, target_transfer_tag: u32) {
        let nop = NopIn {
            initiator_task_tag: NO_TAG,
            target_transfer_tag,
            // The number of the next status, which a ping of the target does not use up.
            status_sn: self.status_sn,
            expected_command_sn: self.expected_command_sn,
            max_command_sn: self.max_command_sn,
            ..NopIn::default()
        };
        self.send(nop.encode());
    }

    fn take_status_sn(&mut self) -> u32 {
        let status_sn = self.status_sn;
        self.status_sn = status_sn.wrapping_add(1);
        status_sn
    }

    fn take_transfer_tag(&mut self) -> u32 {
        let tag = self.next_transfer_tag;
        self.next_transfer_tag = if tag == NO_TAG - 1 { 0 } else { tag + 1 };
        tag
    }

    fn send(&mut self, pdu: RawPdu) {
        self.transmit.push_back(pdu.to_bytes_with(self.digests));
    }

    fn end(&mut self, ended: TargetEnded) {
        if self.has_ended() {
            return;
        }
        self.phase = Phase::Ended;
        self.tasks.clear();
        self.functions.clear();
        self.early.clear();
        self.events.push_back(TargetEvent::Ended(ended));
    }
}

/// AsyncEvent codes (RFC 7143 section 11.9.1).
const LOGOUT_WANTED: u8 = 1;
const SESSION_DROPPED: u8 = 3;
