//! Targets that send whatever they like to our initiator.

use std::collections::BTreeMap;

use autochanger_iscsi::pdu::{LoginResponse, NO_TAG, RawPdu};
use autochanger_iscsi::text::MAX_DISCOVERY_TEXT;
use autochanger_iscsi::{
    Chap, DigestPolicy, Digests, Event, Initiator, LoginConfig, ManagementFunction, MutualChap, Request,
    Secret, Tag,
};
use bytes::Bytes;

use super::{MOST_FROM_A_SCRIPT, framed, size};
use crate::bodies::Script;

/// What targets send: as [`framed`] counts them.
pub const OPCODES: [u8; 10] = [0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x31, 0x32, 0x3F];

/// What one byte of input may make the initiator send, beside the data of commands: each PDU of ours takes the header of
/// one of theirs, and a login's texts come to less than 32 requests of 4 KiB, which [`SENT_FIXED`] covers.
const SENT_PER_BYTE: usize = 64;
const SENT_FIXED: usize = 128 * 1024;

/// The number of the first status after a login.
const AFTER_LOGIN: u32 = 3;

/// Words that a login turns on; the script picks from them, or brings bytes of its own.
const WORDS: [&str; 16] = [
    "AuthMethod=CHAP\0",
    "AuthMethod=None\0",
    "AuthMethod=CHAP,None\0",
    "CHAP_A=5\0",
    "CHAP_A=5\0CHAP_I=1\0CHAP_C=0x0102030405\0",
    "CHAP_I=1\0CHAP_C=0bAQIDBAU=\0",
    "CHAP_N=library\0CHAP_R=0x000102030405060708090a0b0c0d0e0f\0",
    "HeaderDigest=CRC32C\0DataDigest=CRC32C\0",
    "HeaderDigest=None\0DataDigest=None\0",
    "MaxRecvDataSegmentLength=512\0MaxBurstLength=1024\0FirstBurstLength=512\0",
    "MaxRecvDataSegmentLength=16777215\0MaxBurstLength=16777215\0",
    "InitialR2T=Yes\0ImmediateData=No\0",
    "InitialR2T=No\0ImmediateData=Yes\0",
    "TargetPortalGroupTag=1\0",
    "TargetAddress=[::1]:3260,1\0",
    "ErrorRecoveryLevel=0\0MaxConnections=1\0DefaultTime2Wait=2\0",
];

fn config(flavour: u8) -> LoginConfig {
    let mutual =
        MutualChap { user: "library".into(), secret: Secret::new("who is there"), challenge: [3; 16] };
    let chap = |mutual| Chap { user: "backup".into(), secret: Secret::new("open sesame"), mutual };
    LoginConfig {
        initiator: "iqn.2026-01.test:me".into(),
        target: (flavour & 0x10 == 0).then(|| "iqn.2026-01.test:library".into()),
        isid: [0x80, 0, 0, 0, 0, 1],
        authentication: match flavour & 3 {
            0 => None,
            1 => Some(chap(None)),
            _ => Some(chap(Some(mutual))),
        },
        digests: match flavour >> 2 & 3 {
            0 => DigestPolicy::Accept,
            1 => DigestPolicy::Prefer,
            2 => DigestPolicy::Require,
            _ => DigestPolicy::Refuse,
        },
    }
}

/// An initiator and the account of what it was asked for.
struct Session {
    initiator: Initiator,
    /// The commands without an end, with the data that each may return.
    open: BTreeMap<Tag, usize>,
    functions: usize,
    written: usize,
    /// Bytes from the other side.
    fed: usize,
    /// The number of the next status, as the target counts them.
    status_sn: u32,
    /// Lists of targets that came to their end.
    lists: usize,
    sent: usize,
    events: usize,
    ended: bool,
}

impl Session {
    fn new(config: LoginConfig) -> Self {
        Self {
            initiator: Initiator::new(config),
            open: BTreeMap::new(),
            functions: 0,
            written: 0,
            fed: 0,
            status_sn: AFTER_LOGIN,
            lists: 0,
            sent: 0,
            events: 0,
            ended: false,
        }
    }

    fn drain(&mut self) {
        while let Some(bytes) = self.initiator.poll_transmit() {
            self.sent += bytes.len();
        }
        while let Some(event) = self.initiator.poll_event() {
            assert!(!self.ended, "{event:?} after the end");
            self.events += 1;
            match event {
                Event::Completed { tag, answer } => {
                    let most = self.open.remove(&tag).expect("a command ends once");
                    assert!(answer.data.len() <= most, "{} bytes, {most} were asked for", answer.data.len());
                }
                Event::Failed { tag, .. } => _ = self.open.remove(&tag).expect("a command ends once"),
                Event::Managed { .. } => {
                    self.functions = self.functions.checked_sub(1).expect("a function ends once");
                }
                Event::Ended(ended) => {
                    let _ = ended.to_string();
                    self.ended = true;
                }
                Event::Discovered(_) => self.lists += 1,
                _ => {}
            }
        }
        assert_eq!(self.open.len(), self.initiator.in_flight());
    }

    fn received(&mut self, bytes: &[u8]) {
        self.fed += bytes.len();
        self.initiator.received(bytes);
    }

    /// A PDU of the script, whose status has the number that is due, unless the script says how far it is off.
    fn received_framed(&mut self, script: &mut Script<'_>, digests: Digests) {
        let mut pdu = framed(script, &OPCODES);
        self.number(&mut pdu);
        self.received(&pdu.to_bytes_with(digests));
    }

    /// Puts a target's count in the place of what stands for it, which is how far it is off: from 0xF0 on, by so many.
    fn number(&mut self, pdu: &mut RawPdu) {
        let carries = match pdu.opcode() {
            0x25 => pdu.header[1] & 1 != 0,
            // Pings of the target and requests for data tell the next number.
            0x20 => pdu.initiator_task_tag() != NO_TAG,
            0x31 => false,
            _ => true,
        };
        let off = u32::from(pdu.header[27].saturating_sub(0xF0));
        pdu.header[24..28].copy_from_slice(&self.status_sn.wrapping_add(off).to_be_bytes());
        if carries {
            self.status_sn = self.status_sn.wrapping_add(off + 1);
        }
    }

    /// Something that the caller of an initiator does.
    fn act(&mut self, script: &mut Script<'_>) {
        let (what, which) = (script.byte(), script.byte());
        let lun = u16::from(which & 3);
        let tag = self.open.keys().nth(usize::from(which) % self.open.len().max(1)).copied();
        match what % 10 {
            0 => self.submit(lun, 0, 0),
            1 | 2 => self.submit(lun, size(script.byte()), 0),
            3 | 4 => self.submit(lun, 0, size(script.byte())),
            5 => {
                let function = match (which % 5, tag) {
                    (0, Some(tag)) => ManagementFunction::AbortTask(tag),
                    (0 | 1, _) => ManagementFunction::AbortTaskSet,
                    (2, _) => ManagementFunction::ClearTaskSet,
                    (3, _) => ManagementFunction::LogicalUnitReset,
                    _ => ManagementFunction::TargetWarmReset,
                };
                self.functions += usize::from(self.initiator.manage(function, lun).is_ok());
            }
            6 => _ = self.initiator.ping(),
            7 => {
                if let Some(tag) = tag
                    && self.initiator.abandon(tag)
                {
                    self.open.remove(&tag);
                }
            }
            8 => self.initiator.logout(),
            _ => _ = self.initiator.discover(),
        }
    }

    fn submit(&mut self, lun: u16, data_in: u32, data_out: u32) {
        let data = Bytes::from(vec![0x5A; data_out as usize]);
        let request = Request { lun, cdb: [0x12; 16], data_out: data, data_in };
        if let Ok(tag) = self.initiator.submit(request) {
            assert!(self.open.insert(tag, data_in as usize).is_none(), "a tag that is in use");
            self.written += data_out as usize;
        }
    }

    /// The end, and what must hold of the whole.
    fn finish(mut self, input: usize) {
        self.drain();
        self.initiator.disconnected();
        self.drain();
        assert!(self.ended && self.initiator.has_ended());
        assert!(self.open.is_empty(), "commands without an end");
        assert_eq!(self.functions, 0, "functions without an end");
        // Data goes out once; each piece of it has a header of 48 bytes, digests, and is asked for by one of theirs
        // or as long as the shortest segment that can be agreed on (512).
        let most = SENT_FIXED + 2 * (self.written + self.fed) + SENT_PER_BYTE * input;
        assert!(self.sent <= most, "{} bytes sent, {most} allowed", self.sent);
        assert!(self.events <= 8 + 2 * input, "{} events for {input} bytes", self.events);
    }
}

/// A login, and what comes after it when it succeeds. A target that has to prove a secret, which no script knows, is never
/// believed.
pub fn login(input: &[u8]) {
    let mut script = Script::new(input);
    let config = config(script.byte());
    let proof_is_wanted = config.authentication.as_ref().is_some_and(|chap| chap.mutual.is_some());
    let mut session = Session::new(config);
    while !script.is_over() && !session.initiator.has_ended() {
        match script.byte() {
            0 => session.received(script.counted()),
            1 => session.act(&mut script),
            2 => {
                session.received_framed(&mut script, Digests::default());
            }
            _ => {
                let response = login_response(&mut script);
                session.received(&response.to_bytes());
            }
        }
        session.drain();
        assert!(
            !(proof_is_wanted && session.initiator.is_ready()),
            "a target was believed without its proof"
        );
    }
    session.finish(input.len());
}

/// A response whose stages fit together when its bits say so.
fn login_response(script: &mut Script<'_>) -> RawPdu {
    let (flags, status) = (script.byte(), script.byte());
    let mut data = Vec::new();
    for _ in 0..script.byte() % 8 {
        match WORDS.get(usize::from(script.byte())) {
            Some(word) => data.extend_from_slice(word.as_bytes()),
            None => data.extend_from_slice(script.counted()),
        }
    }
    LoginResponse {
        transit: flags & 1 != 0,
        more: flags & 2 != 0,
        current_stage: flags >> 2 & 3,
        next_stage: flags >> 4 & 3,
        tsih: 5,
        initiator_task_tag: u32::from(flags >> 7),
        status_sn: AFTER_LOGIN - 1,
        expected_command_sn: 1,
        max_command_sn: 40,
        status_class: status >> 4 & 3,
        status_detail: status & 0xF,
        data: data.into(),
        ..LoginResponse::default()
    }
    .encode()
}

/// A session after a login that went well. The first byte says what was agreed on.
pub fn session(input: &[u8]) {
    let mut script = Script::new(input);
    let flavour = script.byte();
    let (mut session, digests) = logged_in(flavour & 0x0F);
    while !script.is_over() && !session.initiator.has_ended() {
        match script.byte() {
            0..=2 => session.act(&mut script),
            3 => session.received(script.counted()),
            _ => {
                session.received_framed(&mut script, digests);
            }
        }
        // An application that does not write what waits must not be made to keep it without bound either.
        if flavour & 0x80 == 0 {
            session.drain();
        }
    }
    session.finish(input.len());
}

fn logged_in(flavour: u8) -> (Session, Digests) {
    let with_digests = flavour & 1 != 0;
    let digests = Digests { header: with_digests, data: with_digests };
    let mut login = config(0x04);
    if flavour & 8 != 0 {
        login.target = None;
    }
    let mut session = Session::new(login);
    let mut text = String::new();
    if with_digests {
        text.push_str(WORDS[7]);
    }
    if flavour & 2 != 0 {
        text.push_str(WORDS[9]);
    }
    text.push_str(WORDS[if flavour & 4 != 0 { 11 } else { 12 }]);
    let security = LoginResponse { transit: true, next_stage: 1, status_sn: 1, ..LoginResponse::default() };
    let operational = LoginResponse {
        transit: true,
        current_stage: 1,
        next_stage: 3,
        tsih: 5,
        status_sn: AFTER_LOGIN - 1,
        expected_command_sn: 1,
        max_command_sn: 40,
        data: text.into(),
        ..LoginResponse::default()
    };
    session.received(&security.encode().to_bytes());
    session.received(&operational.encode().to_bytes());
    session.drain();
    assert!(session.initiator.is_ready(), "the canned login goes well");
    (session, digests)
}

/// A discovery session whose question was asked: the answers come in parts, and the parts to an end.
pub fn discovery(input: &[u8]) {
    let mut script = Script::new(input);
    let (mut session, digests) = logged_in(8);
    let _ = session.initiator.discover();
    session.drain();
    let (mut lists, mut listed) = (0, 0);
    while !script.is_over() && !session.initiator.has_ended() {
        let bytes = match script.byte() {
            0 => script.counted().to_vec(),
            1 => {
                let mut pdu = framed(&mut script, &OPCODES);
                session.number(&mut pdu);
                pdu.to_bytes_with(digests).to_vec()
            }
            flags => {
                let mut response = text_response(flags, &mut script);
                session.number(&mut response);
                listed += response.data.len();
                response.to_bytes().to_vec()
            }
        };
        session.received(&bytes);
        session.drain();
        if session.lists > lists {
            (lists, listed) = (session.lists, 0);
        }
        assert!(listed <= MAX_DISCOVERY_TEXT || session.ended, "a list of {listed} bytes, and no end of it");
        let _ = session.initiator.discover();
    }
    session.finish(input.len());
}

/// Part of a list: fields that are right, and a text that is repeated as often as the script says.
fn text_response(flags: u8, script: &mut Script<'_>) -> RawPdu {
    use autochanger_iscsi::pdu::TextResponse;
    let times = usize::from(script.byte()) + 1;
    let text = script.counted().repeat(times);
    TextResponse {
        is_final: flags & 4 != 0,
        more: flags & 8 != 0,
        initiator_task_tag: 1 + u32::from(flags >> 5),
        target_transfer_tag: if flags & 4 != 0 { NO_TAG } else { 9 },
        expected_command_sn: 1,
        max_command_sn: 40,
        data: text.get(..MOST_FROM_A_SCRIPT).unwrap_or(&text).to_vec().into(),
        ..TextResponse::default()
    }
    .encode()
}
