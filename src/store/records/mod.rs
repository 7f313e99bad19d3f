//! What is written to a file, and how it is read again: the store's own types, apart from the engine's.
//!
//! A record is a version byte, the fields in postcard's encoding, and a checksum over the table, the key and both. The
//! key is not repeated inside. Enums are numbered by their order here: **append, never reorder**, and a changed record
//! gets a new version whose old one stays readable. What is read is not believed: the checksum finds damage, and then
//! every number is checked against what it may be, for the file may also come from another program.

mod catalog;
mod names;
mod request;
mod state;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

pub(super) use catalog::{CartridgeRecord, LibraryFields, MotionFields, MountFields};
pub(super) use request::RequestRecord;

/// The version of each record that this release writes.
const VERSION: u8 = 1;

/// The longest record that is read: a request with every text at its bound takes half of it.
const MAX_RECORD: usize = 64 * 1024;

/// The longest name (label, application, serial number): far longer than any that is real, and short enough that a
/// record stays within [`MAX_RECORD`].
const MAX_NAME: usize = 4096;

/// The longest text for people; what is longer is cut off when it is written.
const MAX_TEXT: usize = 4096;

/// Why a record cannot be read or written, as the end of a sentence about it.
pub(super) type Flaw = Cow<'static, str>;

/// What a record is kept under; the checksum covers it, so that a record under a wrong key is found out.
pub(super) struct Address<'a> {
    pub(super) table: &'static str,
    pub(super) key: &'a [u8],
}

/// Writes a record.
pub(super) fn write<'a, E: 'a, R>(address: &Address<'_>, value: &'a E) -> Result<Vec<u8>, Flaw>
where
    R: Serialize + TryFrom<&'a E, Error = Flaw>,
{
    let record = R::try_from(value)?;
    let mut bytes =
        postcard::to_extend(&record, vec![VERSION]).map_err(|error| Flaw::from(error.to_string()))?;
    let checksum = checksum(address, &bytes);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    if bytes.len() > MAX_RECORD {
        return Err(format!("takes {} bytes, more than {MAX_RECORD}", bytes.len()).into());
    }
    Ok(bytes)
}

/// Reads a record. Allocates no more than a small multiple of its length, which is bounded.
pub(super) fn read<'a, R, E>(address: &Address<'_>, bytes: &'a [u8]) -> Result<E, Flaw>
where
    R: Deserialize<'a> + TryInto<E, Error = Flaw>,
{
    if bytes.len() > MAX_RECORD {
        return Err(format!("is {} bytes long, more than {MAX_RECORD}", bytes.len()).into());
    }
    let Some((sealed, checksum_bytes)) = bytes.split_last_chunk::<4>() else {
        return Err("is too short to be one".into());
    };
    if checksum(address, sealed) != u32::from_le_bytes(*checksum_bytes) {
        return Err("does not have the checksum that it was written with".into());
    }
    match sealed.split_first() {
        Some((&VERSION, fields)) => parse::<R, E>(fields),
        Some((version, _)) => Err(format!("has version {version}, which this release does not know").into()),
        None => Err("is empty".into()),
    }
}

fn parse<'a, R, E>(fields: &'a [u8]) -> Result<E, Flaw>
where
    R: Deserialize<'a> + TryInto<E, Error = Flaw>,
{
    match postcard::take_from_bytes::<R>(fields) {
        Ok((record, [])) => record.try_into(),
        Ok((_, rest)) => Err(format!("has {} bytes too many", rest.len()).into()),
        Err(error) => Err(format!("cannot be decoded: {error}").into()),
    }
}

/// FNV-1a. Each step is a bijection of the state, so one changed byte, wherever it is, always changes the sum; more
/// changed bytes go unseen once in 2^32.
fn checksum(address: &Address<'_>, bytes: &[u8]) -> u32 {
    const OFFSET: u32 = 0x811C_9DC5;
    const PRIME: u32 = 0x0100_0193;
    // No table's name holds a zero byte, so that name and key cannot run into each other.
    let all = address.table.as_bytes().iter().chain(&[0]).chain(address.key).chain(bytes);
    all.fold(OFFSET, |state, byte| (state ^ u32::from(*byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests;
