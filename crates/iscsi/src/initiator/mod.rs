//! One session of one connection, from the login to its end, without I/O.

mod abandon;
mod alive;
mod discovery;
mod functions;
mod logout;
mod numbers;
mod receive;
mod report;
mod task;
mod text;

use std::collections::{BTreeMap, VecDeque};

use bytes::{Bytes, BytesMut};

use crate::digest::Digests;
use crate::login::{FIRST_COMMAND_SN, Login, LoginConfig, Negotiated, Step};
use crate::lun;
use crate::pdu::{DataOut, MAX_DATA_SEGMENT, NO_TAG, PduReader, RawPdu, ScsiCommand};
use crate::serial;

use alive::{Ping, Suspect};
use functions::Pending;
pub use report::{
    Answer, Ended, Event, Failure, Full, ManagementFunction, ManagementResponse, ProtocolError, Request,
    Residual, SubmitError, Tag,
};
use task::Task;
use text::Exchange;

/// The most tasks in flight, whatever window the target gives. A changer has one arm and a few drives; targets that
/// take more than this at once are disks.
pub const MAX_IN_FLIGHT: usize = 32;

pub use crate::lun::MAX_LUN;
pub use discovery::DiscoveredTarget;

/// The largest data that one command may carry in either direction.
pub const MAX_TRANSFER: u32 = (1 << 24) - 1;

/// An iSCSI session as its initiator sees it.
///
/// After each call that changes something, drain [`poll_event`](Self::poll_event) and
/// [`poll_transmit`](Self::poll_transmit).
#[derive(Debug)]
pub struct Initiator {
    phase: Phase,
    reader: PduReader,
    /// What waits to be sent, in order.
    transmit: VecDeque<Outgoing>,
    /// How much of that are answers to pings.
    waiting_pongs: usize,
    events: VecDeque<Event>,
    tasks: BTreeMap<u32, Task>,
    /// Writes that were given up while the target had not asked for all of their data.
    abandoned: BTreeMap<u32, Task>,
    /// Task management functions without an answer.
    functions: BTreeMap<u32, Pending>,
    /// Our ping without an answer.
    ping: Option<Ping>,
    /// A command that was given up without a sign that it arrived; see [`abandon`](Initiator::abandon).
    suspect: Option<Suspect>,
    /// The text that is spoken.
    text: Option<Exchange>,
    /// Another one is to follow.
    negotiation_wanted: bool,
    logout: Option<u32>,
    /// The target wants a logout: what is in flight ends first.
    logout_wanted: bool,
    is_discovery: bool,
    digests: Digests,
    negotiated: Negotiated,
    next_tag: u32,
    command_sn: u32,
    /// How far the target has received commands (ExpCmdSN).
    acknowledged_sn: u32,
    max_command_sn: u32,
    expected_status_sn: u32,
    /// An answer is missing.
    status_lost: bool,
    /// How many seconds the target wants to be left alone after the end.
    time_to_wait: u16,
}

#[derive(Debug)]
enum Phase {
    Login(Box<Login>),
    FullFeature,
    Ended,
}

#[derive(Debug)]
struct Outgoing {
    bytes: Bytes,
    what: What,
}

#[derive(Debug, Clone, Copy)]
enum What {
    /// The command with this tag: handing it out makes it *sent*.
    Command(u32),
    /// An answer to a ping.
    Pong,
    /// Anything else.
    Other,
}

impl Initiator {
    /// A session that begins with its login: the first request waits in [`poll_transmit`](Self::poll_transmit).
    pub fn new(config: LoginConfig) -> Self {
        let is_discovery = config.target.is_none();
        let mut login = Login::new(config);
        let first = login.start();
        let mut initiator = Self {
            phase: Phase::Login(Box::new(login)),
            reader: PduReader::new(MAX_DATA_SEGMENT),
            transmit: VecDeque::new(),
            waiting_pongs: 0,
            events: VecDeque::new(),
            tasks: BTreeMap::new(),
            abandoned: BTreeMap::new(),
            functions: BTreeMap::new(),
            ping: None,
            suspect: None,
            text: None,
            negotiation_wanted: false,
            logout: None,
            logout_wanted: false,
            is_discovery,
            digests: Digests::default(),
            negotiated: Negotiated::default(),
            next_tag: 1,
            command_sn: FIRST_COMMAND_SN,
            acknowledged_sn: FIRST_COMMAND_SN,
            max_command_sn: FIRST_COMMAND_SN,
            expected_status_sn: 0,
            status_lost: false,
            time_to_wait: 0,
        };
        initiator.send(first.encode());
        initiator
    }

    /// Submits a command. Its answer comes as [`Event::Completed`] or [`Event::Failed`] with the tag, exactly once.
    ///
    /// # Errors
    /// [`SubmitError::Full`] when as many are in flight as this side or the target's window allows: submit again after
    /// an event. [`SubmitError::NotReady`] before the login is over and after the end. [`SubmitError::TooLarge`] and
    /// [`SubmitError::BothWays`] for what cannot be carried.
    pub fn submit(&mut self, request: Request) -> Result<Tag, SubmitError> {
        if !self.is_ready() {
            return Err(SubmitError::NotReady);
        }
        let out_length = u32::try_from(request.data_out.len()).unwrap_or(u32::MAX);
        if request.data_in > MAX_TRANSFER || out_length > MAX_TRANSFER {
            return Err(SubmitError::TooLarge);
        }
        if request.data_in > 0 && out_length > 0 {
            return Err(SubmitError::BothWays);
        }
        if request.lun > MAX_LUN {
            return Err(SubmitError::NoSuchLun);
        }
        if self.tasks.len() >= MAX_IN_FLIGHT || !self.window_is_open() {
            return Err(SubmitError::Full(Full));
        }
        let tag = self.take_tag();
        let immediate = if self.negotiated.immediate_data {
            out_length.min(self.negotiated.first_burst).min(self.negotiated.max_send_segment)
        } else {
            0
        };
        let unasked =
            if self.negotiated.initial_r2t { immediate } else { out_length.min(self.negotiated.first_burst) };
        let command = ScsiCommand {
            is_final: unasked <= immediate,
            read: request.data_in > 0,
            write: out_length > 0,
            attribute: ATTRIBUTE_SIMPLE,
            lun: lun::encode(request.lun),
            initiator_task_tag: tag,
            expected_length: request.data_in.max(out_length),
            command_sn: self.command_sn,
            expected_status_sn: self.expected_status_sn,
            cdb: request.cdb,
            data: request.data_out.slice(..immediate as usize),
            ..ScsiCommand::default()
        };
        let mut task = Task::new(&request, self.command_sn, immediate);
        self.command_sn = self.command_sn.wrapping_add(1);
        let bytes = command.encode().to_bytes_with(self.digests);
        self.transmit.push_back(Outgoing { bytes, what: What::Command(tag) });
        for data in task.unsolicited(tag, command.lun, unasked, self.negotiated.max_send_segment) {
            self.send(DataOut { expected_status_sn: self.expected_status_sn, ..data }.encode());
        }
        self.tasks.insert(tag, task);
        Ok(Tag(tag))
    }

    /// Takes bytes that came from the target. A target that breaks the protocol ends the session.
    pub fn received(&mut self, bytes: &[u8]) {
        if self.has_ended() {
            return;
        }
        self.reader.push(bytes);
        self.take_in();
    }

    /// Where bytes from the target can be appended without a copy, at least 16 KiB of them at once; then call
    /// [`take_in`](Self::take_in). After the end they are taken and dropped.
    pub fn room(&mut self) -> &mut BytesMut {
        self.reader.room()
    }

    /// Takes what was appended to [`room`](Self::room), as [`received`](Self::received) takes bytes.
    pub fn take_in(&mut self) {
        while !self.has_ended() {
            match self.reader.next_pdu() {
                Ok(Some(raw)) => {
                    if let Err(ended) = self.take_pdu(&raw) {
                        self.end(ended);
                    }
                }
                Ok(None) => return,
                Err(error) => self.end(Ended::Protocol(ProtocolError::Pdu(error))),
            }
        }
    }

    /// The connection is gone: reports every command without an answer, then the end.
    pub fn disconnected(&mut self) {
        self.end(Ended::Disconnected);
    }

    /// The next event. [`Event::Ended`] is the last one.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The next bytes for the socket. What is handed out counts as sent, whether or not it gets there.
    pub fn poll_transmit(&mut self) -> Option<Bytes> {
        let outgoing = self.transmit.pop_front()?;
        match outgoing.what {
            What::Command(tag) => {
                if let Some(task) = self.tasks.get_mut(&tag) {
                    task.sent = true;
                }
            }
            What::Pong => self.waiting_pongs = self.waiting_pongs.saturating_sub(1),
            What::Other => {}
        }
        Some(outgoing.bytes)
    }

    /// Whether commands are accepted.
    pub fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::FullFeature) && self.logout.is_none() && !self.logout_wanted
    }

    /// Whether the session is over.
    pub fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended)
    }

    /// How many commands have no answer yet.
    pub fn in_flight(&self) -> usize {
        self.tasks.len()
    }

    /// What the login agreed on.
    pub fn negotiated(&self) -> &Negotiated {
        &self.negotiated
    }

    fn window_is_open(&self) -> bool {
        serial::at_or_before(self.command_sn, self.max_command_sn)
    }

    fn take_tag(&mut self) -> u32 {
        loop {
            let tag = self.next_tag;
            self.next_tag = self.next_tag.wrapping_add(1);
            let taken = self.tasks.contains_key(&tag)
                || self.abandoned.contains_key(&tag)
                || self.functions.contains_key(&tag)
                || self.text.as_ref().is_some_and(|text| text.tag == tag);
            if tag != NO_TAG && !taken && self.ping.is_none_or(|ping| ping.tag != tag) {
                return tag;
            }
        }
    }

    fn send(&mut self, pdu: RawPdu) {
        self.transmit.push_back(Outgoing { bytes: pdu.to_bytes_with(self.digests), what: What::Other });
    }

    fn end(&mut self, ended: Ended) {
        if self.has_ended() {
            return;
        }
        self.phase = Phase::Ended;
        self.transmit.clear();
        for (tag, task) in std::mem::take(&mut self.tasks) {
            self.events.push_back(Event::Failed { tag: Tag(tag), failure: Failure::of_lost(task.sent) });
        }
        self.abandoned.clear();
        let functions: Vec<u32> = self.functions.keys().copied().collect();
        for tag in functions {
            self.function_ended(tag, ManagementResponse::Lost);
        }
        self.events.push_back(Event::Ended(ended));
    }

    fn take_login(&mut self, raw: &RawPdu) -> Result<(), Ended> {
        let Phase::Login(login) = &mut self.phase else {
            return Err(protocol("a login response after the login"));
        };
        if raw.opcode() != crate::pdu::LoginResponse::OPCODE {
            return Err(protocol("something else than a login response during the login"));
        }
        match login.received(&crate::pdu::LoginResponse::decode(raw)).map_err(Ended::Login)? {
            Step::Send(request) => self.send(request.encode()),
            Step::Done(negotiated) => {
                self.phase = Phase::FullFeature;
                self.command_sn = FIRST_COMMAND_SN;
                self.expected_status_sn = negotiated.expected_status_sn;
                self.acknowledged_sn = negotiated.expected_command_sn;
                self.max_command_sn = negotiated.max_command_sn;
                self.digests = negotiated.digests;
                self.time_to_wait = negotiated.time_to_wait;
                self.reader.set_digests(self.digests);
                self.negotiated = negotiated;
                self.events.push_back(Event::LoggedIn);
            }
        }
        Ok(())
    }
}

/// SIMPLE: the target may choose the order. Callers that need one wait for answers.
const ATTRIBUTE_SIMPLE: u8 = 1;

fn protocol(what: &'static str) -> Ended {
    Ended::Protocol(ProtocolError::Breach(what))
}

#[cfg(test)]
mod tests;
