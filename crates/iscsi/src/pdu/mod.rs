//! Protocol data units (RFC 7143 section 11): the layouts, read and written from one definition each, and the reader
//! that cuts a byte stream into them.

mod layout;
mod layouts;
mod reader;

use bytes::{BufMut, Bytes, BytesMut};

use crate::digest::{DIGEST_LENGTH, Digests, crc32c};

pub use layouts::*;
pub use reader::PduReader;

/// Length of the Basic Header Segment.
pub const HEADER_LENGTH: usize = 48;

/// The largest data segment that this side accepts, declared as MaxRecvDataSegmentLength. Large enough that an
/// inventory of a thousand elements is one PDU; small enough that a hostile target cannot make us hold much.
pub const MAX_DATA_SEGMENT: usize = 256 * 1024;

/// The reserved task tag: no task.
pub const NO_TAG: u32 = 0xFFFF_FFFF;

/// A PDU as it stands on the wire, without additional header segments and padding.
#[derive(Clone, PartialEq, Eq)]
pub struct RawPdu {
    /// The Basic Header Segment.
    pub header: [u8; HEADER_LENGTH],
    /// The data segment, without padding.
    pub data: Bytes,
}

impl RawPdu {
    /// The opcode (RFC 7143 section 11.2.1.2).
    pub fn opcode(&self) -> u8 {
        self.header[0] & 0x3F
    }

    /// The Initiator Task Tag field.
    pub fn initiator_task_tag(&self) -> u32 {
        layout::get(&self.header, layout::at(16))
    }

    /// Appends the PDU to `out`, its lengths, padding and digests made right.
    ///
    /// # Panics
    /// When the data segment is longer than its length field can say (2^24 - 1). Only our own code makes PDUs.
    pub fn write(&self, digests: Digests, out: &mut BytesMut) {
        let length = u32::try_from(self.data.len()).ok().filter(|length| *length < 1 << 24);
        let length = length.expect("a data segment of less than 16 MiB").to_be_bytes();
        out.reserve(HEADER_LENGTH + self.data.len() + 3 + 2 * DIGEST_LENGTH);
        let start = out.len();
        out.put_slice(&self.header[..4]);
        // TotalAHSLength is zero: no command of ours needs an additional header segment.
        out.put_slice(&[0, length[1], length[2], length[3]]);
        out.put_slice(&self.header[8..]);
        if digests.header {
            out.put_u32_le(crc32c(&out[start..]));
        }
        if self.data.is_empty() {
            return;
        }
        let start = out.len();
        out.put_slice(&self.data);
        out.put_bytes(0, padding(self.data.len()));
        if digests.data {
            out.put_u32_le(crc32c(&out[start..]));
        }
    }

    /// The PDU as bytes, without digests.
    pub fn to_bytes(&self) -> Bytes {
        self.to_bytes_with(Digests::default())
    }

    /// The PDU as bytes, with the digests that were agreed.
    pub fn to_bytes_with(&self, digests: Digests) -> Bytes {
        let mut out = BytesMut::new();
        self.write(digests, &mut out);
        out.freeze()
    }
}

/// The data segment can hold a secret's proof, so `Debug` shows its length only.
impl core::fmt::Debug for RawPdu {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("RawPdu")
            .field("opcode", &format_args!("{:#04x}", self.opcode()))
            .field("task_tag", &format_args!("{:#x}", self.initiator_task_tag()))
            .field("data_length", &self.data.len())
            .finish()
    }
}

/// Bytes that bring a segment to a multiple of four.
fn padding(length: usize) -> usize {
    length.wrapping_neg() & 3
}

/// Why bytes are no PDU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PduError {
    /// The data segment is longer than was declared acceptable.
    #[error("a data segment of {length} bytes, at most {limit} were agreed")]
    TooLong {
        /// What the header says.
        length: usize,
        /// What was agreed.
        limit: usize,
    },
    /// A header is not what was sent (RFC 7143 section 7.7).
    #[error("a header whose digest is wrong")]
    HeaderDigest,
    /// A data segment is not what was sent (RFC 7143 section 7.7).
    #[error("data whose digest is wrong")]
    DataDigest,
    /// No PDU has this opcode.
    #[error("unknown opcode {0:#04x}")]
    UnknownOpcode(u8),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_pdu_is_padded_and_carries_its_length() {
        let nop = NopOut {
            immediate: true,
            initiator_task_tag: 7,
            data: Bytes::from_static(b"hello"),
            ..NopOut::default()
        };
        let bytes = nop.encode().to_bytes();
        assert_eq!(bytes.len(), 48 + 8);
        assert_eq!(bytes[0], 0x40);
        assert_eq!(bytes[1], 0x80);
        assert_eq!(&bytes[4..8], &[0, 0, 0, 5]);
        assert_eq!(&bytes[16..20], &[0, 0, 0, 7]);
        assert_eq!(&bytes[48..], b"hello\0\0\0");
    }

    #[test]
    fn a_scsi_command_has_its_fields_where_the_standard_puts_them() {
        let command = ScsiCommand {
            is_final: true,
            read: true,
            attribute: 1,
            lun: 0x0003_0000_0000_0000,
            initiator_task_tag: 0x0102_0304,
            expected_length: 0x1000,
            command_sn: 5,
            expected_status_sn: 6,
            cdb: [0xB8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0, 0, 0, 0],
            ..ScsiCommand::default()
        };
        let raw = command.encode();
        assert_eq!(raw.header[..4], [0x01, 0xC1, 0, 0]);
        assert_eq!(raw.header[8..16], [0, 3, 0, 0, 0, 0, 0, 0]);
        assert_eq!(raw.header[16..32], [1, 2, 3, 4, 0, 0, 0x10, 0, 0, 0, 0, 5, 0, 0, 0, 6]);
        assert_eq!(raw.header[32..44], [0xB8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
        assert_eq!(ScsiCommand::decode(&raw), command);
    }
}
