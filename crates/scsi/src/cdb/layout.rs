//! One definition of each command's layout, from which both building and decoding follow.

use super::{Cdb, MAX_CDB};
use crate::{ElementAddress, ElementType, InvalidField};

/// Bits of byte 1 that held the logical unit number in SCSI-2. Some initiators still fill them in, so a
/// target has to overlook them.
const SCSI2_LUN_BITS: u8 = 0xE0;

/// Where a field lies: `width` bits, big-endian, whose last bit is bit `low` of byte `last`.
#[derive(Clone, Copy)]
pub(crate) struct Span {
    last: u8,
    low: u8,
    width: u8,
}

/// One bit.
pub(crate) const fn bit(byte: u8, bit: u8) -> Span {
    Span { last: byte, low: bit, width: 1 }
}

/// Some bits of one byte.
pub(crate) const fn bits(byte: u8, high: u8, low: u8) -> Span {
    Span { last: byte, low, width: high - low + 1 }
}

/// Whole bytes, the first of which is `byte`.
pub(crate) const fn bytes(byte: u8, count: u8) -> Span {
    Span { last: byte + count - 1, low: 0, width: count * 8 }
}

impl Span {
    fn max(self) -> u32 {
        u32::MAX >> (32 - u32::from(self.width))
    }

    /// The span's bytes from the last to the first, with the number of value bits below each.
    fn parts(self) -> impl Iterator<Item = (usize, u32)> {
        let count = usize::from(self.width).div_ceil(8);
        let last = usize::from(self.last);
        (0..count).map(move |part| (last.saturating_sub(part), 8 * part as u32))
    }

    fn put(self, cdb: &mut [u8; MAX_CDB], value: u32) {
        let value = value.min(self.max());
        for (byte, shift) in self.parts() {
            if let Some(to) = cdb.get_mut(byte) {
                *to |= ((value >> shift) as u8) << self.low;
            }
        }
    }

    fn get(self, cdb: &[u8; MAX_CDB]) -> u32 {
        let raw = self
            .parts()
            .fold(0, |sum, (byte, shift)| sum | u32::from(cdb.get(byte).copied().unwrap_or(0)) << shift);
        raw >> self.low & self.max()
    }

    fn pointer(self) -> InvalidField {
        let count = self.width.div_ceil(8);
        let whole = self.low == 0 && self.width.is_multiple_of(8);
        InvalidField { byte: self.last + 1 - count, bit: (!whole).then_some((self.low + self.width - 1) & 7) }
    }
}

/// A value that a field of a CDB can hold.
pub(crate) trait Value: Sized {
    fn to_raw(self) -> u32;
    fn from_raw(raw: u32) -> Option<Self>;
}

impl Value for bool {
    fn to_raw(self) -> u32 {
        u32::from(self)
    }
    fn from_raw(raw: u32) -> Option<Self> {
        Some(raw != 0)
    }
}

macro_rules! integer_values {
    ($($integer:ty),*) => {$(
        impl Value for $integer {
            fn to_raw(self) -> u32 {
                u32::from(self)
            }
            fn from_raw(raw: u32) -> Option<Self> {
                <$integer>::try_from(raw).ok()
            }
        }
    )*};
}
integer_values!(u8, u16, u32);

impl Value for ElementAddress {
    fn to_raw(self) -> u32 {
        u32::from(self.0)
    }
    fn from_raw(raw: u32) -> Option<Self> {
        u16::try_from(raw).ok().map(ElementAddress)
    }
}

impl Value for Option<ElementType> {
    fn to_raw(self) -> u32 {
        self.map_or(0, |element_type| element_type as u32)
    }
    fn from_raw(raw: u32) -> Option<Self> {
        if raw == 0 {
            return Some(None);
        }
        u8::try_from(raw).ok().and_then(|code| ElementType::try_from(code).ok()).map(Some)
    }
}

/// How a field of a struct lies in the CDB.
pub(crate) trait Codec<T> {
    fn encode(&self, value: T, cdb: &mut [u8; MAX_CDB]);
    fn decode(&self, cdb: &[u8; MAX_CDB]) -> Result<T, InvalidField>;
    /// Sets the bits that the field owns.
    fn claim(&self, mask: &mut [u8; MAX_CDB]);
}

impl<T: Value> Codec<T> for Span {
    fn encode(&self, value: T, cdb: &mut [u8; MAX_CDB]) {
        self.put(cdb, value.to_raw());
    }
    fn decode(&self, cdb: &[u8; MAX_CDB]) -> Result<T, InvalidField> {
        T::from_raw(self.get(cdb)).ok_or(self.pointer())
    }
    fn claim(&self, mask: &mut [u8; MAX_CDB]) {
        self.put(mask, self.max());
    }
}

/// A value with a bit that says whether it counts; if it does not, it must be zero.
pub(crate) struct Flagged {
    pub(crate) flag: Span,
    pub(crate) value: Span,
}

impl<T: Value> Codec<Option<T>> for Flagged {
    fn encode(&self, value: Option<T>, cdb: &mut [u8; MAX_CDB]) {
        if let Some(value) = value {
            self.flag.put(cdb, 1);
            self.value.put(cdb, value.to_raw());
        }
    }
    fn decode(&self, cdb: &[u8; MAX_CDB]) -> Result<Option<T>, InvalidField> {
        let raw = self.value.get(cdb);
        match self.flag.get(cdb) {
            0 if raw == 0 => Ok(None),
            0 => Err(self.value.pointer()),
            _ => T::from_raw(raw).map(Some).ok_or(self.value.pointer()),
        }
    }
    fn claim(&self, mask: &mut [u8; MAX_CDB]) {
        self.flag.put(mask, self.flag.max());
        self.value.put(mask, self.value.max());
    }
}

/// A field that holds the same number in every CDB of the command: its service action.
pub(crate) struct Fixed {
    pub(crate) span: Span,
    pub(crate) value: u32,
}

impl Codec<()> for Fixed {
    fn encode(&self, (): (), cdb: &mut [u8; MAX_CDB]) {
        self.span.put(cdb, self.value);
    }
    fn decode(&self, cdb: &[u8; MAX_CDB]) -> Result<(), InvalidField> {
        if self.span.get(cdb) == self.value { Ok(()) } else { Err(self.span.pointer()) }
    }
    fn claim(&self, mask: &mut [u8; MAX_CDB]) {
        self.span.put(mask, self.span.max());
    }
}

/// Where the commands that share an operation code have their service action.
pub(crate) const SERVICE_ACTION: Span = bits(1, 4, 0);

/// First element and number of elements with a bit that says whether they count; if they do not, they may be
/// anything.
pub(crate) struct FlaggedRange {
    pub(crate) flag: Span,
    pub(crate) start: Span,
    pub(crate) count: Span,
}

impl Codec<Option<(ElementAddress, u16)>> for FlaggedRange {
    fn encode(&self, range: Option<(ElementAddress, u16)>, cdb: &mut [u8; MAX_CDB]) {
        if let Some((start, count)) = range {
            self.flag.put(cdb, 1);
            self.start.encode(start, cdb);
            self.count.encode(count, cdb);
        }
    }
    fn decode(&self, cdb: &[u8; MAX_CDB]) -> Result<Option<(ElementAddress, u16)>, InvalidField> {
        if self.flag.get(cdb) == 0 {
            return Ok(None);
        }
        Ok(Some((self.start.decode(cdb)?, self.count.decode(cdb)?)))
    }
    fn claim(&self, mask: &mut [u8; MAX_CDB]) {
        for span in [self.flag, self.start, self.count] {
            span.put(mask, span.max());
        }
    }
}

/// The service action of a command that has a fixed one.
pub(crate) const fn service(action: u32) -> Fixed {
    Fixed { span: SERVICE_ACTION, value: action }
}

/// Builds a CDB whose fields `fill` puts in.
pub(crate) fn build<const LENGTH: usize>(opcode: u8, fill: impl FnOnce(&mut [u8; MAX_CDB])) -> Cdb {
    let mut bytes = [0; MAX_CDB];
    bytes[0] = opcode;
    fill(&mut bytes);
    Cdb { bytes, length: LENGTH as u8 }
}

/// Copies a CDB for decoding, having checked what is common to all: the opcode, the length, and that every
/// bit that no field owns (the control byte included) is zero.
pub(crate) fn open<const LENGTH: usize>(
    opcode: u8,
    bytes: &[u8],
    claim: impl FnOnce(&mut [u8; MAX_CDB]),
) -> Result<[u8; MAX_CDB], InvalidField> {
    let mut cdb = [0; MAX_CDB];
    let Some(bytes) = bytes.get(..LENGTH) else {
        return Err(InvalidField { byte: bytes.len() as u8, bit: None });
    };
    for (to, from) in cdb.iter_mut().zip(bytes) {
        *to = *from;
    }
    if cdb[0] != opcode {
        return Err(InvalidField { byte: 0, bit: None });
    }
    let mut mask = [0; MAX_CDB];
    mask[0] = 0xFF;
    mask[1] = SCSI2_LUN_BITS;
    claim(&mut mask);
    for (byte, (value, mask)) in cdb.iter().zip(mask).enumerate() {
        let reserved = value & !mask;
        if reserved != 0 {
            return Err(InvalidField { byte: byte as u8, bit: Some(reserved.ilog2() as u8) });
        }
    }
    Ok(cdb)
}

/// Declares a command: its struct, `cdb()` to build it and `decode()` to read it.
macro_rules! commands {
    ($(
        $(#[$meta:meta])*
        $name:ident = $opcode:literal $(/ $action:literal)? [$length:literal] {
            $( $(#[$field_meta:meta])* $field:ident : $type:ty = $codec:expr, )*
        }
    )*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $name {
            $( $(#[$field_meta])* pub $field: $type, )*
        }

        impl $name {
            /// The operation code.
            pub const OPCODE: u8 = $opcode;
            /// Length of the CDB in bytes.
            pub const LENGTH: usize = $length;
            $(
                /// The service action.
                pub const SERVICE_ACTION: u8 = $action;
            )?

            /// Builds the CDB. A number too large for its field is sent as the largest that fits.
            pub fn cdb(&self) -> $crate::cdb::Cdb {
                $crate::cdb::layout::build::<{ $length }>($opcode, |_cdb| {
                    $( $crate::cdb::layout::Codec::<()>::encode(&$crate::cdb::layout::service($action), (), _cdb); )?
                    $( $crate::cdb::layout::Codec::<$type>::encode(&$codec, self.$field, _cdb); )*
                })
            }

            /// Reads the CDB as a target does; bytes after its end are overlooked.
            ///
            /// # Errors
            /// [`InvalidField`](crate::InvalidField) points at the first reserved bit that is set, or at the
            /// first field with a value that the command does not have; at byte 0 for another operation
            /// code; just past the end of a CDB that is too short.
            pub fn decode(bytes: &[u8]) -> Result<Self, $crate::InvalidField> {
                let _cdb = $crate::cdb::layout::open::<{ $length }>($opcode, bytes, Self::claim)?;
                $( $crate::cdb::layout::Codec::<()>::decode(&$crate::cdb::layout::service($action), &_cdb)?; )?
                Ok(Self {
                    $( $field: $crate::cdb::layout::Codec::<$type>::decode(&$codec, &_cdb)?, )*
                })
            }

            /// The CDB usage data of REPORT SUPPORTED OPERATION CODES (SPC-4 6.35.3): the operation code,
            /// then a one for each bit that the command evaluates.
            pub fn usage() -> $crate::cdb::Cdb {
                $crate::cdb::layout::build::<{ $length }>($opcode, Self::claim)
            }

            fn claim(_mask: &mut [u8; $crate::cdb::MAX_CDB]) {
                $( $crate::cdb::layout::Codec::<()>::claim(&$crate::cdb::layout::service($action), _mask); )?
                $( $crate::cdb::layout::Codec::<$type>::claim(&$codec, _mask); )*
            }
        }
    )*};
}
pub(crate) use commands;

/// Declares an enum that is a number in a CDB or in data.
macro_rules! choices {
    ($(
        $(#[$meta:meta])*
        $name:ident {
            $( $(#[$variant_meta:meta])* $variant:ident = $code:literal, )*
        }
    )*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $( $(#[$variant_meta])* $variant = $code, )*
        }

        impl $name {
            /// All of them, in the order of their codes.
            pub const ALL: &[Self] = &[$( Self::$variant, )*];

            /// The code in a CDB or in data.
            pub const fn code(self) -> u8 {
                self as u8
            }

            /// From the code; `None` for one that means nothing or nothing any more.
            pub const fn from_code(code: u8) -> Option<Self> {
                match code {
                    $( $code => Some(Self::$variant), )*
                    _ => None,
                }
            }
        }

        impl $crate::cdb::layout::Value for $name {
            fn to_raw(self) -> u32 {
                u32::from(self.code())
            }
            fn from_raw(raw: u32) -> Option<Self> {
                u8::try_from(raw).ok().and_then(Self::from_code)
            }
        }
    )*};
}
pub(crate) use choices;
