//! Initiators that send whatever they like to our target.

use std::collections::BTreeSet;

use autochanger_iscsi::pdu::{LoginRequest, Pdu, PduReader, RawPdu};
use autochanger_iscsi::target::{MAX_DATA_OUT, MAX_WINDOW, SessionSeed, TargetAnswer, TargetChap, TaskTag};
use autochanger_iscsi::text::Pairs;
use autochanger_iscsi::{
    DigestPolicy, Digests, Initiator, LoginConfig, ManagementResponse, Secret, Target, TargetConfig,
    TargetEvent, chap,
};
use bytes::Bytes;

use super::{framed, size};
use crate::bodies::Script;

/// What initiators send: as [`framed`] counts them.
pub const OPCODES: [u8; 10] = [0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x40, 0x41, 0x42];

const NAME: &str = "iqn.2026-01.test:library";
const CHALLENGE: [u8; 16] = [9; 16];

/// The most commands and functions that are worked on: the window, and the few that may stand outside it.
const MOST_IN_FLIGHT: usize = MAX_WINDOW as usize + 16;

/// What one byte of input may make the target send, beside the data of answers and what pings bring back: an answer for each
/// PDU, and for each key of a text that it is not understood; a question for targets is answered with name and address.
const SENT_PER_BYTE: usize = 64;
const SENT_FIXED: usize = 64 * 1024;

const WORDS: [&str; 16] = [
    "InitiatorName=iqn.2026-01.test:me\0",
    "InitiatorName=iqn.2026-01.test:me\0SessionType=Normal\0TargetName=iqn.2026-01.test:library\0",
    "InitiatorName=iqn.2026-01.test:me\0SessionType=Discovery\0",
    "TargetName=iqn.2026-01.test:other\0",
    "AuthMethod=CHAP\0",
    "AuthMethod=CHAP,None\0",
    "AuthMethod=None\0",
    "CHAP_A=5\0",
    "CHAP_I=1\0CHAP_C=0x0102030405\0",
    "CHAP_I=1\0CHAP_C=0x09090909090909090909090909090909\0",
    "HeaderDigest=CRC32C,None\0DataDigest=CRC32C,None\0",
    "HeaderDigest=None\0DataDigest=None\0",
    "MaxRecvDataSegmentLength=512\0MaxBurstLength=1024\0FirstBurstLength=512\0",
    "MaxRecvDataSegmentLength=16777215\0MaxBurstLength=16777215\0FirstBurstLength=16777215\0",
    "InitialR2T=Yes\0ImmediateData=No\0ErrorRecoveryLevel=2\0MaxConnections=8\0",
    "InitialR2T=No\0ImmediateData=Yes\0DataPDUInOrder=No\0DataSequenceInOrder=No\0",
];

fn seed() -> SessionSeed {
    SessionSeed { challenge: CHALLENGE, tsih: 77, portal: "127.0.0.1:3260".into() }
}

fn secret() -> Secret {
    Secret::new("open sesame")
}

fn config(flavour: u8) -> TargetConfig {
    let own = (flavour & 2 != 0).then(|| ("library".into(), Secret::new("who is there")));
    TargetConfig {
        alias: (flavour & 4 != 0).then(|| "for people".into()),
        authentication: (flavour & 1 != 0).then(|| TargetChap {
            user: "backup".into(),
            secret: secret(),
            own,
        }),
        digests: match flavour >> 3 & 3 {
            0 => DigestPolicy::Accept,
            1 => DigestPolicy::Prefer,
            2 => DigestPolicy::Require,
            _ => DigestPolicy::Refuse,
        },
        window: u32::from(flavour >> 5) * 12,
        initial_r2t: flavour & 0x20 != 0,
        ..TargetConfig::new(NAME)
    }
}

/// A target and the account of what it handed out.
struct Session {
    target: Target,
    /// The commands that wait for their answer.
    open: BTreeSet<TaskTag>,
    functions: Vec<TaskTag>,
    answered: usize,
    /// Bytes from the other side.
    fed: usize,
    sent: usize,
    events: usize,
    ended: bool,
    /// What the target said last, to log in with its challenge.
    last: Vec<u8>,
}

impl Session {
    fn new(config: TargetConfig) -> Self {
        Self {
            target: Target::new(config, seed()),
            open: BTreeSet::new(),
            functions: Vec::new(),
            answered: 0,
            fed: 0,
            sent: 0,
            events: 0,
            ended: false,
            last: Vec::new(),
        }
    }

    fn drain(&mut self) {
        while let Some(bytes) = self.target.poll_transmit() {
            self.sent += bytes.len();
            self.last = bytes.to_vec();
        }
        while let Some(event) = self.target.poll_event() {
            assert!(!self.ended, "{event:?} after the end");
            self.events += 1;
            match event {
                TargetEvent::Command { task, command } => {
                    assert!(command.data_out.len() <= MAX_DATA_OUT as usize);
                    assert!(self.open.insert(task), "a tag that is in use is handed out again");
                }
                TargetEvent::Manage { task, .. } => self.functions.push(task),
                TargetEvent::Ended(ended) => {
                    let _ = ended.to_string();
                    self.ended = true;
                }
                _ => {}
            }
        }
        self.open.retain(|task| self.target.is_waiting(*task));
        assert!(self.target.in_flight() <= MOST_IN_FLIGHT, "{} in flight", self.target.in_flight());
    }

    fn received(&mut self, bytes: &[u8]) {
        self.fed += bytes.len();
        self.target.received(bytes);
    }

    /// Something that the device behind a target does.
    fn act(&mut self, script: &mut Script<'_>) {
        let (what, which) = (script.byte(), script.byte());
        let task = self.open.iter().nth(usize::from(which) % self.open.len().max(1)).copied();
        match (what % 8, task) {
            (0..=3, Some(task)) => {
                let data = Bytes::from(vec![0xA5; size(script.byte()) as usize]);
                let sense = Bytes::copy_from_slice(script.bytes(usize::from(which >> 4)));
                self.answered += data.len() + sense.len();
                self.target.answer(task, TargetAnswer { status: what >> 4, sense, data });
            }
            (4, Some(task)) => self.target.fail(task),
            (5, _) => {
                if let Some(task) = self.functions.pop() {
                    let response = [
                        ManagementResponse::Complete,
                        ManagementResponse::NoSuchLun,
                        ManagementResponse::Refused(which),
                    ];
                    self.target.managed(task, response[usize::from(which) % response.len()]);
                }
            }
            (6, _) => self.target.set_window(u32::from(which)),
            _ => match which % 8 {
                0 => self.target.ask_logout(u16::from(which)),
                1 => self.target.drop_session(),
                _ => self.target.ping(),
            },
        }
    }

    fn finish(mut self, input: usize) {
        self.drain();
        self.target.disconnected();
        self.drain();
        assert!(self.ended && self.target.has_ended());
        assert_eq!(self.target.in_flight(), 0);
        // An answer is cut into segments of 512 bytes at least, each with a header.
        let most = SENT_FIXED + 2 * (self.answered + self.fed) + SENT_PER_BYTE * input;
        assert!(self.sent <= most, "{} bytes sent, {most} allowed", self.sent);
        assert!(self.events <= 8 + 2 * input, "{} events for {input} bytes", self.events);
    }
}

/// A login, and what comes after it when it succeeds. Nobody is let in who was not told the right proof.
pub fn login(input: &[u8]) {
    let mut script = Script::new(input);
    let config = config(script.byte());
    let proof_is_wanted = config.authentication.is_some();
    let mut told = false;
    let mut session = Session::new(config);
    while !script.is_over() && !session.target.has_ended() {
        match script.byte() {
            0 => session.received(script.counted()),
            1 => session.act(&mut script),
            2 => session.received(&framed(&mut script, &OPCODES).to_bytes()),
            _ => {
                let request = login_request(&mut script, &session.last, &mut told);
                session.received(&request.to_bytes());
            }
        }
        session.drain();
        assert!(!proof_is_wanted || told || !session.target.is_ready(), "let in without the secret");
    }
    session.finish(input.len());
}

/// A request whose stages fit together when its bits say so, with the right proof where the script asks for it.
fn login_request(script: &mut Script<'_>, last: &[u8], told: &mut bool) -> RawPdu {
    /// Asks for the right proof.
    const PROOF: u8 = 0x10;
    let flags = script.byte();
    let mut data = Vec::new();
    for _ in 0..script.byte() % 8 {
        let word = script.byte();
        match WORDS.get(usize::from(word)) {
            Some(word) => data.extend_from_slice(word.as_bytes()),
            None if word == PROOF => {
                *told = true;
                data.extend_from_slice(proof(last).as_bytes());
            }
            None => data.extend_from_slice(script.counted()),
        }
    }
    LoginRequest {
        immediate: true,
        transit: flags & 1 != 0,
        more: flags & 2 != 0,
        current_stage: flags >> 2 & 3,
        next_stage: flags >> 4 & 3,
        isid: [0x80, 0, 0, 0, 0, 1],
        initiator_task_tag: u32::from(flags >> 7),
        command_sn: 1,
        data: data.into(),
        ..LoginRequest::default()
    }
    .encode()
}

/// The proof that the target's last response asks for.
fn proof(last: &[u8]) -> String {
    let mut reader = PduReader::new(1 << 20);
    reader.push(last);
    let identifier = match reader.next_pdu().map(|raw| raw.map(|raw| Pdu::decode(&raw))) {
        Ok(Some(Ok(Pdu::LoginResponse(response)))) => {
            Pairs::parse(&response.data).ok().and_then(|pairs| pairs.get("CHAP_I")?.parse().ok()).unwrap_or(0)
        }
        _ => 0,
    };
    let response = chap::response(identifier, &secret(), &CHALLENGE);
    format!("CHAP_N=backup\0CHAP_R={}\0", chap::encode_binary(&response))
}

/// A session after a login that went well. The first byte says what was agreed on, and with whom.
pub fn session(input: &[u8]) {
    let mut script = Script::new(input);
    let flavour = script.byte();
    let mut session = Session::new(TargetConfig { authentication: None, ..config(flavour & 0xE6) });
    let digests = log_in(&mut session.target, flavour);
    session.drain();
    assert!(session.target.is_ready(), "the canned login goes well");
    while !script.is_over() && !session.target.has_ended() {
        match script.byte() {
            0..=2 => session.act(&mut script),
            3 => session.received(script.counted()),
            _ => session.received(&framed(&mut script, &OPCODES).to_bytes_with(digests)),
        }
        session.drain();
    }
    session.finish(input.len());
}

/// A login by our own initiator.
fn log_in(target: &mut Target, flavour: u8) -> Digests {
    let mut initiator = Initiator::new(LoginConfig {
        initiator: "iqn.2026-01.test:me".into(),
        target: (flavour & 8 == 0).then(|| NAME.into()),
        isid: [0x80, 0, 0, 0, 0, 1],
        authentication: None,
        digests: if flavour & 0x10 == 0 { DigestPolicy::Accept } else { DigestPolicy::Require },
    });
    for _ in 0..8 {
        while let Some(bytes) = initiator.poll_transmit() {
            target.received(&bytes);
        }
        while let Some(bytes) = target.poll_transmit() {
            initiator.received(&bytes);
        }
    }
    let with = flavour & 0x10 != 0;
    Digests { header: with, data: with }
}
