//! Cutting a byte stream into PDUs.

use bytes::{Buf, Bytes, BytesMut};

use super::{HEADER_LENGTH, PduError, RawPdu, padding};
use crate::digest::{DIGEST_LENGTH, Digests, crc32c};

/// The least room for bytes that are read at once: an answer without data needs a hundredth of it.
const LEAST_ROOM: usize = 16 * 1024;

/// How much room is made when there is less: an inventory of a thousand elements comes in one read.
const ROOM: usize = 64 * 1024;

/// A data segment up to this long is copied out of what was read, so that a few bytes that somebody keeps do not keep the
/// room of many; a longer one is handed out as it lies.
const COPIED: usize = 4 * 1024;

/// Turns the bytes of a connection into PDUs. It never holds more than what it was fed and not yet asked for, and
/// refuses a data segment by its header, before a byte of it is waited for.
#[derive(Debug)]
pub struct PduReader {
    buffer: BytesMut,
    limit: usize,
    digests: Digests,
}

impl PduReader {
    /// A reader that accepts data segments of up to `limit` bytes, without digests.
    pub fn new(limit: usize) -> Self {
        Self { buffer: BytesMut::new(), limit, digests: Digests::default() }
    }

    /// From the next PDU on there are digests, or not.
    pub fn set_digests(&mut self, digests: Digests) {
        self.digests = digests;
    }

    /// Takes bytes as they came.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Where bytes are put that need not be copied: append to it. There is always room.
    pub fn room(&mut self) -> &mut BytesMut {
        if self.buffer.capacity() - self.buffer.len() < LEAST_ROOM {
            self.buffer.reserve(ROOM.saturating_sub(self.buffer.len()).max(LEAST_ROOM));
        }
        &mut self.buffer
    }

    /// The next whole PDU, or `None` until more bytes are pushed.
    ///
    /// # Errors
    /// [`PduError::TooLong`] when the data segment is longer than the limit, [`PduError::HeaderDigest`] or
    /// [`PduError::DataDigest`] when the bytes are not those that were sent: the stream is of no more use.
    pub fn next_pdu(&mut self) -> Result<Option<RawPdu>, PduError> {
        let Some(header) = self.buffer.first_chunk::<HEADER_LENGTH>() else { return Ok(None) };
        let header = *header;
        let mut data_start = HEADER_LENGTH + usize::from(header[4]) * 4;
        // A damaged length would make us wait for bytes that never come: the digest comes first.
        if self.digests.header {
            match self.digest_is_right(0, data_start) {
                None => return Ok(None),
                Some(false) => return Err(PduError::HeaderDigest),
                Some(true) => data_start += DIGEST_LENGTH,
            }
        }
        let length = usize::from(header[5]) << 16 | usize::from(header[6]) << 8 | usize::from(header[7]);
        if length > self.limit {
            return Err(PduError::TooLong { length, limit: self.limit });
        }
        let data_end = data_start + length + padding(length);
        let has_digest = self.digests.data && length > 0;
        let total = data_end + if has_digest { DIGEST_LENGTH } else { 0 };
        if self.buffer.len() < total {
            self.buffer.reserve(total - self.buffer.len());
            return Ok(None);
        }
        if has_digest && self.digest_is_right(data_start, data_end) != Some(true) {
            return Err(PduError::DataDigest);
        }
        self.buffer.advance(data_start);
        let data = if length > COPIED {
            let data = self.buffer.split_to(length).freeze();
            self.buffer.advance(total - data_start - length);
            data
        } else {
            let data = self.buffer.get(..length).map_or_else(Bytes::new, Bytes::copy_from_slice);
            self.buffer.advance(total - data_start);
            data
        };
        Ok(Some(RawPdu { header, data }))
    }

    /// Whether the digest that stands at `end` is that of the bytes before it; `None` until it is there.
    fn digest_is_right(&self, start: usize, end: usize) -> Option<bool> {
        let covered = self.buffer.get(start..end)?;
        let digest = self.buffer.get(end..end + DIGEST_LENGTH)?;
        Some(crc32c(covered).to_le_bytes() == digest)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MAX_DATA_SEGMENT, NopIn};
    use super::*;

    fn nop(tag: u32, data: &'static [u8]) -> NopIn {
        NopIn { initiator_task_tag: tag, data: Bytes::from_static(data), ..NopIn::default() }
    }

    #[test]
    fn a_pdu_comes_out_however_its_bytes_were_cut() {
        let mut stream = nop(1, b"abcde").encode().to_bytes().to_vec();
        stream.extend_from_slice(&nop(2, b"").encode().to_bytes());
        for size in 1..stream.len() {
            let mut reader = PduReader::new(64);
            let mut tags = Vec::new();
            for chunk in stream.chunks(size) {
                reader.push(chunk);
                while let Some(raw) = reader.next_pdu().unwrap() {
                    tags.push((raw.initiator_task_tag(), raw.data.len()));
                }
            }
            assert_eq!(tags, [(1, 5), (2, 0)], "cut every {size} bytes");
        }
    }

    #[test]
    fn a_pdu_comes_out_of_the_room_as_it_does_of_what_was_pushed() {
        for length in [0, 1, COPIED, COPIED + 1, 60_000] {
            let data = Bytes::from(vec![0xA5; length]);
            let pdus =
                [1, 2].map(|tag| NopIn { initiator_task_tag: tag, data: data.clone(), ..NopIn::default() });
            let stream: Vec<u8> = pdus.iter().flat_map(|pdu| pdu.encode().to_bytes().to_vec()).collect();
            let mut reader = PduReader::new(MAX_DATA_SEGMENT);
            let mut out = Vec::new();
            for chunk in stream.chunks(LEAST_ROOM) {
                let room = reader.room();
                assert!(room.capacity() - room.len() >= LEAST_ROOM);
                room.extend_from_slice(chunk);
                while let Some(raw) = reader.next_pdu().unwrap() {
                    out.push((raw.initiator_task_tag(), raw.data));
                }
            }
            assert_eq!(out, [(1, data.clone()), (2, data)], "{length} bytes");
        }
    }

    /// What somebody keeps of a short answer is not a piece of the room that was made for long ones.
    #[test]
    fn a_short_answer_that_is_kept_keeps_no_room() {
        let mut reader = PduReader::new(MAX_DATA_SEGMENT);
        let room = reader.room();
        let room = room.as_ptr() as usize..room.as_ptr() as usize + room.capacity();
        reader.room().extend_from_slice(&nop(1, b"abcde").encode().to_bytes());
        let kept = reader.next_pdu().unwrap().unwrap().data;
        // Many times what the room holds: it is used again from its beginning, for nobody has a part in it.
        for _ in 0..4 * ROOM / HEADER_LENGTH {
            reader.room().extend_from_slice(&nop(2, b"fghij").encode().to_bytes());
            assert!(room.contains(&(reader.room().as_ptr() as usize)), "there is another room");
            assert_eq!(&reader.next_pdu().unwrap().unwrap().data[..], b"fghij");
        }
        assert_eq!(&kept[..], b"abcde");
    }

    #[test]
    fn additional_header_segments_are_skipped() {
        let mut bytes = nop(9, b"xyz").encode().to_bytes().to_vec();
        bytes[4] = 2;
        bytes.splice(48..48, [0xEE; 8]);
        let mut reader = PduReader::new(64);
        reader.push(&bytes);
        let raw = reader.next_pdu().unwrap().unwrap();
        assert_eq!(&raw.data[..], b"xyz");
        assert_eq!(reader.next_pdu().unwrap(), None);
    }

    #[test]
    fn a_data_segment_beyond_the_limit_is_refused_by_its_header() {
        let mut header = nop(1, b"").encode().to_bytes().to_vec();
        header[5..8].copy_from_slice(&[0, 0, 65]);
        let mut reader = PduReader::new(64);
        reader.push(&header);
        assert_eq!(reader.next_pdu(), Err(PduError::TooLong { length: 65, limit: 64 }));
    }

    const BOTH: Digests = Digests { header: true, data: true };

    #[test]
    fn digests_are_written_and_read_however_the_bytes_are_cut() {
        for digests in [BOTH, Digests { header: true, data: false }, Digests { header: false, data: true }] {
            let mut stream = nop(1, b"abcde").encode().to_bytes_with(digests).to_vec();
            stream.extend_from_slice(&nop(2, b"").encode().to_bytes_with(digests));
            for size in 1..stream.len() {
                let mut reader = PduReader::new(64);
                reader.set_digests(digests);
                let mut tags = Vec::new();
                for chunk in stream.chunks(size) {
                    reader.push(chunk);
                    while let Some(raw) = reader.next_pdu().unwrap() {
                        tags.push((raw.initiator_task_tag(), raw.data.len()));
                    }
                }
                assert_eq!(tags, [(1, 5), (2, 0)], "{digests:?} cut every {size} bytes");
            }
        }
    }

    #[test]
    fn each_damaged_bit_is_found_by_the_digest_of_its_part() {
        let bytes = nop(1, b"abcde").encode().to_bytes_with(BOTH).to_vec();
        assert_eq!(bytes.len(), 48 + 4 + 8 + 4);
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let mut reader = PduReader::new(64);
            reader.set_digests(BOTH);
            reader.push(&damaged);
            // A damaged number of additional header segments makes the reader wait for them.
            reader.push(&[0; 1024]);
            let expected = if bit < 52 * 8 { PduError::HeaderDigest } else { PduError::DataDigest };
            assert_eq!(reader.next_pdu(), Err(expected), "bit {bit}");
        }
    }
}
