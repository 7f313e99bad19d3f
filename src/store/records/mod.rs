//! What is written to a file, and how it is read again: the store's own types, apart from the engine's.
//!
//! A record is a version byte, the fields in postcard's encoding, and a checksum over the table, the key and both. The
//! key is not repeated inside. Enums are numbered by their order here: **append, never reorder**, and a changed record
//! gets a new version whose old one stays readable: what a later version adds stands behind the fields of the first, and is
//! what it is by default where it is not there. What is read is not believed: the checksum finds damage, and then
//! every number is checked against what it may be, for the file may also come from another program.

mod catalog;
mod failure;
mod media;
mod names;
mod request;
mod service;
mod state;
mod wanted;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

pub(super) use catalog::{CartridgeFields, LibraryFields, MotionFields, MountFields};
pub(super) use request::RequestFields;
pub(super) use service::{DriveFields, FaultFields};

/// The version of each record that this release writes.
const VERSION: u8 = 4;

/// The version before: without what came last.
const THIRD_VERSION: u8 = 3;

/// Without what the third version added, too.
const SECOND_VERSION: u8 = 2;

/// The first version: without what stands behind its fields.
const FIRST_VERSION: u8 = 1;

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

/// What later versions added to a record: the second, the third, the fourth.
pub(super) type Added<'a, R> =
    (<R as Record<'a>>::Second, <R as Record<'a>>::Third, <R as Record<'a>>::Fourth);

/// A record: the fields of its first version, and those that came with the second, the third and the fourth.
pub(super) trait Record<'a>: Serialize + Deserialize<'a> {
    /// What is kept.
    type Kept: 'a;
    /// The fields that came with the second version; `()` where none did.
    type Second: Serialize + Deserialize<'a> + Default;
    /// The fields that came with the third version; `()` where none did.
    type Third: Serialize + Deserialize<'a> + Default;
    /// The fields that came with the fourth version; `()` where none did.
    type Fourth: Serialize + Deserialize<'a> + Default;

    /// Takes apart what is kept.
    fn write(kept: &'a Self::Kept) -> Result<(Self, Added<'a, Self>), Flaw>;
    /// Puts it together again, and checks it. What the key tells is left nil.
    fn read(self, added: Added<'a, Self>) -> Result<Self::Kept, Flaw>;
}

/// Writes a record.
pub(super) fn write<'a, R: Record<'a>>(address: &Address<'_>, kept: &'a R::Kept) -> Result<Vec<u8>, Flaw> {
    let parts = R::write(kept)?;
    let mut bytes =
        postcard::to_extend(&parts, vec![VERSION]).map_err(|error| Flaw::from(error.to_string()))?;
    let checksum = checksum(address, &bytes);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    if bytes.len() > MAX_RECORD {
        return Err(format!("takes {} bytes, more than {MAX_RECORD}", bytes.len()).into());
    }
    Ok(bytes)
}

/// Reads a record. Allocates no more than a small multiple of its length, which is bounded.
pub(super) fn read<'a, R: Record<'a>>(address: &Address<'_>, bytes: &'a [u8]) -> Result<R::Kept, Flaw> {
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
        Some((&version, fields)) => parse::<R>(version, fields),
        None => Err("is empty".into()),
    }
}

fn parse<'a, R: Record<'a>>(version: u8, fields: &'a [u8]) -> Result<R::Kept, Flaw> {
    let ((record, added), rest) = match version {
        VERSION => take::<(R, Added<'a, R>)>(fields)?,
        THIRD_VERSION => {
            let ((record, second, third), rest) = take::<(R, R::Second, R::Third)>(fields)?;
            ((record, (second, third, R::Fourth::default())), rest)
        }
        SECOND_VERSION => {
            let ((record, second), rest) = take::<(R, R::Second)>(fields)?;
            ((record, (second, Default::default(), Default::default())), rest)
        }
        FIRST_VERSION => {
            let (record, rest) = take::<R>(fields)?;
            ((record, Default::default()), rest)
        }
        version => return Err(format!("has version {version}, which this release does not know").into()),
    };
    match rest {
        [] => record.read(added),
        rest => Err(format!("has {} bytes too many", rest.len()).into()),
    }
}

fn take<'a, T: Deserialize<'a>>(fields: &'a [u8]) -> Result<(T, &'a [u8]), Flaw> {
    postcard::take_from_bytes(fields).map_err(|error| format!("cannot be decoded: {error}").into())
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
