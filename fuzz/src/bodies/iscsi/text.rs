//! The parts below the sessions: cutting a stream into PDUs, reading texts.

use autochanger_iscsi::chap::{MAX_CHALLENGE, decode_binary, encode_binary};
use autochanger_iscsi::pdu::{Pdu, PduReader};
use autochanger_iscsi::text::{MAX_TEXT, Pairs};
use autochanger_iscsi::{Digests, digest};

use crate::bodies::Script;

/// The longest data segment that the reader of this body takes.
const LIMIT: usize = 512;

/// A stream in fragments. The first byte says how it is cut, and whether there are digests: with them, the body mends
/// the first header's, or nothing would get past it.
pub fn pdu_reader(input: &[u8]) {
    let mut script = Script::new(input);
    let flavour = script.byte();
    let fragment = usize::from(script.byte()) + 1;
    let mut stream = script.bytes(usize::MAX).to_vec();
    let digests = Digests { header: flavour & 1 != 0, data: flavour & 2 != 0 };
    if digests.header
        && let Some((header, rest)) = stream.split_at_mut_checked(48)
        && let Some(place) = rest.get_mut(..4)
    {
        header[4] = 0;
        place.copy_from_slice(&digest::crc32c(header).to_le_bytes());
    }
    let mut reader = PduReader::new(LIMIT);
    reader.set_digests(digests);
    let mut pdus = 0;
    for fragment in stream.chunks(fragment) {
        reader.push(fragment);
        loop {
            match reader.next_pdu() {
                Ok(Some(raw)) => {
                    pdus += 1;
                    assert!(raw.data.len() <= LIMIT);
                    let _ = format!("{raw:?}");
                    if let Ok(pdu) = Pdu::decode(&raw) {
                        assert_eq!(Pdu::decode(&pdu.encode()), Ok(pdu));
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    let _ = error.to_string();
                    return;
                }
            }
        }
    }
    assert!(pdus <= stream.len() / 48, "{pdus} PDUs in {} bytes", stream.len());
}

/// Login and discovery texts, and the binary values in them.
pub fn text(input: &[u8]) {
    for read in [Pairs::parse(input), Pairs::parse_discovery(input)] {
        match read {
            Ok(pairs) => {
                assert!(pairs.iter().count() <= input.len() / 2, "a pair takes a key and a sign");
                assert_eq!(Pairs::parse_discovery(&pairs.to_bytes()), Ok(pairs.clone()));
                pairs.iter().for_each(|(_, value)| binary(value));
            }
            Err(error) => _ = error.to_string(),
        }
    }
    assert!(input.len() <= MAX_TEXT || Pairs::parse(input).is_err());
    if let Ok(value) = std::str::from_utf8(input) {
        binary(value);
        binary(&format!("0x{value}"));
        binary(&format!("0b{value}"));
    }
}

fn binary(value: &str) {
    if let Some(bytes) = decode_binary(value) {
        assert!(bytes.len() <= MAX_CHALLENGE);
        assert_eq!(decode_binary(&encode_binary(&bytes)), Some(bytes));
    }
}
