//! iSCSI, both sides, without sockets: sessions that are fed PDUs with fields that are often right, and noise.

pub mod initiator;
pub mod target;
pub mod text;

use autochanger_iscsi::pdu::{HEADER_LENGTH, NO_TAG, RawPdu};
use bytes::Bytes;

use super::Script;

/// A PDU whose numbers are small, so that they meet those of the session. What a byte stands for is what the layouts of
/// RFC 7143 share: the task's tag, the transfer tag, the two or three sequence numbers, and the last three words.
fn framed(script: &mut Script<'_>, opcodes: &[u8]) -> RawPdu {
    let opcode = script.byte();
    let mut header = [0; HEADER_LENGTH];
    header[0] = match opcodes.get(usize::from(opcode)) {
        Some(opcode) => *opcode,
        None => opcode,
    };
    for field in &mut header[1..4] {
        *field = script.byte();
    }
    // A logical unit in its single-level form.
    header[9] = script.byte() & 7;
    for at in [16, 20] {
        header[at..at + 4].copy_from_slice(&tag(script.byte()).to_be_bytes());
    }
    for at in [24, 28, 32] {
        header[at..at + 4].copy_from_slice(&u32::from(script.byte()).to_be_bytes());
    }
    for at in [36, 40, 44] {
        header[at..at + 4].copy_from_slice(&size(script.byte()).to_be_bytes());
    }
    let data = filled(script);
    RawPdu { header, data }
}

/// A small tag, or none.
fn tag(byte: u8) -> u32 {
    if byte == 0xFF { NO_TAG } else { u32::from(byte) }
}

/// A small number, or one in steps of 512: lengths and offsets meet where data is cut.
fn size(byte: u8) -> u32 {
    if byte < 0x80 { u32::from(byte) } else { u32::from(byte - 0x80) * 512 }
}

/// As many bytes of a pattern as a number says, or bytes from the script: long data without long input.
fn filled(script: &mut Script<'_>) -> Bytes {
    let count = script.byte();
    if count < 0xC0 {
        Bytes::copy_from_slice(script.bytes(usize::from(count)))
    } else {
        Bytes::from(vec![script.byte(); usize::from(count - 0xC0) * FILL])
    }
}

/// The unit of [`filled`]: 63 of them are more than a first burst of 8 KiB and less than what is allowed for a byte.
const FILL: usize = 512;

/// The most that one byte of the script can make: [`filled`] takes two for 63 units.
const MOST_FROM_A_SCRIPT: usize = 63 * FILL;
