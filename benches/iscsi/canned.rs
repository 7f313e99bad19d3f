//! The floor: bytes that were made once, over a blocking socket. Only the tag and the numbers are put in.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use autochanger::transport::IscsiUrl;

use crate::Question;

const HEADER: usize = 48;

/// Opcodes, and the bits of byte 1 that matter here (RFC 7143 section 11).
const LOGIN_RESPONSE: u8 = 0x23;
const SCSI_RESPONSE: u8 = 0x21;
const DATA_IN: u8 = 0x25;
const HAS_STATUS: u8 = 0x01;

/// As much as the transport reads at once, so that this is not what makes a difference.
const READ_SIZE: usize = 64 * 1024;

/// Longer than any answer takes: a target that does not answer ends the run, not the day.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Canned {
    stream: TcpStream,
    command: [u8; HEADER],
    depth: usize,
    at_least: usize,
    tag: u32,
    command_sn: u32,
    expected_status_sn: u32,
    input: Vec<u8>,
    filled: usize,
}

impl Canned {
    pub(crate) fn open(url: &IscsiUrl, question: Question, depth: usize) -> Self {
        let stream = TcpStream::connect((url.host(), url.port())).expect("the target listens");
        stream.set_nodelay(true).expect("a socket can be told");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket can be told");
        let mut command = [0; HEADER];
        // Final, SIMPLE, and read where data is expected.
        command[..2].copy_from_slice(&[0x01, if question.data_in > 0 { 0xC1 } else { 0x81 }]);
        command[8..10].copy_from_slice(&url.lun().to_be_bytes());
        command[20..24].copy_from_slice(&question.data_in.to_be_bytes());
        command[32..][..question.cdb.as_bytes().len()].copy_from_slice(question.cdb.as_bytes());
        let mut canned = Self {
            stream,
            command,
            depth,
            at_least: question.at_least,
            tag: 1,
            command_sn: 1,
            expected_status_sn: 0,
            // Room for an answer that came in part, and what is read after it.
            input: vec![0; READ_SIZE + HEADER + question.data_in as usize],
            filled: 0,
        };
        canned.login(url);
        // A new session is told of a power-on first.
        let [_, refused] = canned.turn(1);
        assert!(refused <= 1);
        canned
    }

    fn login(&mut self, url: &IscsiUrl) {
        let pairs = format!(
            "InitiatorName=iqn.2026-01.test:canned\0SessionType=Normal\0TargetName={}\0HeaderDigest=None\0\
             DataDigest=None\0MaxRecvDataSegmentLength=262144\0MaxBurstLength=262144\0FirstBurstLength=65536\0\
             InitialR2T=Yes\0ImmediateData=Yes\0ErrorRecoveryLevel=0\0MaxConnections=1\0DefaultTime2Wait=0\0\
             DefaultTime2Retain=0\0MaxOutstandingR2T=1\0DataPDUInOrder=Yes\0DataSequenceInOrder=Yes\0",
            url.target()
        );
        let mut request = vec![0; HEADER];
        // Transit from the operational stage to the full feature phase.
        request[..2].copy_from_slice(&[0x43, 0x87]);
        request[6..8].copy_from_slice(&u16::try_from(pairs.len()).expect("a short text").to_be_bytes());
        // An ISID of the random kind, which the transport does not draw: its last byte is zero there.
        request[8..14].copy_from_slice(&[0x80, 0, 0, 0, 0, 1]);
        request[24..28].copy_from_slice(&self.command_sn.to_be_bytes());
        request.extend_from_slice(pairs.as_bytes());
        request.resize(request.len().next_multiple_of(4), 0);
        self.stream.write_all(&request).expect("the target takes a login");
        let mut header = [0; HEADER];
        self.stream.read_exact(&mut header).expect("the target answers a login");
        let mut text = vec![0; length(&header).next_multiple_of(4)];
        self.stream.read_exact(&mut text).expect("the target answers a login");
        assert_eq!(
            (header[0], header[1], header[36]),
            (LOGIN_RESPONSE, 0x87, 0),
            "the target refused the login"
        );
        self.expected_status_sn = number(&header, 24).wrapping_add(1);
        self.command_sn = number(&header, 28);
    }

    /// Works for so long; how many commands were answered.
    pub(crate) fn run(&mut self, time: Duration) -> usize {
        let (begun, mut count) = (Instant::now(), 0);
        while begun.elapsed() < time || count == 0 {
            let [done, refused] = self.turn(self.depth * 8);
            assert_eq!(refused, 0, "a command was refused");
            count += done;
        }
        count
    }

    /// So many commands, as many in flight as may; how many were answered, and how many of them with an error.
    fn turn(&mut self, count: usize) -> [usize; 2] {
        let (mut sent, mut done, mut refused) = (0, 0, 0);
        let mut output = Vec::new();
        while done < count {
            output.clear();
            while sent < count && sent - done < self.depth {
                self.put(&mut output);
                sent += 1;
            }
            // All that may leave leaves in one write.
            if !output.is_empty() {
                self.stream.write_all(&output).expect("the target listens");
            }
            let room = &mut self.input[self.filled..];
            let length = self.stream.read(room).expect("the target answers");
            assert!(length > 0, "the target closed the connection");
            self.filled += length;
            let [ended, with_error] = self.take();
            done += ended;
            refused += with_error;
        }
        [done, refused]
    }

    fn put(&mut self, output: &mut Vec<u8>) {
        self.command[16..20].copy_from_slice(&self.tag.to_be_bytes());
        self.command[24..28].copy_from_slice(&self.command_sn.to_be_bytes());
        self.command[28..32].copy_from_slice(&self.expected_status_sn.to_be_bytes());
        self.tag = self.tag.wrapping_add(1);
        self.command_sn = self.command_sn.wrapping_add(1);
        output.extend_from_slice(&self.command);
    }

    /// Counts the answers that are there whole.
    fn take(&mut self) -> [usize; 2] {
        let (mut at, mut done, mut refused) = (0, 0, 0);
        while let Some(header) = self.input[at..self.filled].first_chunk::<HEADER>() {
            let total = HEADER + length(header).next_multiple_of(4);
            if self.filled - at < total {
                break;
            }
            let last = match header[0] {
                SCSI_RESPONSE => true,
                DATA_IN => {
                    let end = number(header, 40) as usize + length(header);
                    let last = header[1] & HAS_STATUS != 0;
                    assert!(!last || end >= self.at_least, "an answer of {end} bytes");
                    last
                }
                other => panic!("an answer with opcode {other:#04x}"),
            };
            if last {
                self.expected_status_sn = number(header, 24).wrapping_add(1);
                done += 1;
                refused += usize::from(header[3] != 0);
            }
            at += total;
        }
        self.input.copy_within(at..self.filled, 0);
        self.filled -= at;
        [done, refused]
    }
}

fn length(header: &[u8; HEADER]) -> usize {
    usize::from(header[5]) << 16 | usize::from(header[6]) << 8 | usize::from(header[7])
}

fn number(header: &[u8; HEADER], at: usize) -> u32 {
    u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
}
