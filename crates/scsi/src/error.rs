use core::fmt;

/// Data ends before the part without which it means nothing.
///
/// The one error of reading data-in: everything beyond the indispensable part is optional and read leniently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ShortData {
    /// How many bytes are indispensable.
    pub needed: usize,
    /// How many there are.
    pub got: usize,
}

impl ShortData {
    pub(crate) fn check(data: &[u8], needed: usize) -> Result<(), Self> {
        if data.len() < needed { Err(Self { needed, got: data.len() }) } else { Ok(()) }
    }
}

impl fmt::Display for ShortData {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the device sent {} bytes where at least {} are needed", self.got, self.needed)
    }
}

impl core::error::Error for ShortData {}

/// A field of a CDB holds what the command does not allow.
///
/// A target answers it with ILLEGAL REQUEST, INVALID FIELD IN CDB (05/24/00) and this as the field pointer:
/// [`Sense::invalid_field`](crate::Sense::invalid_field).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InvalidField {
    /// The byte of the CDB, counted from 0.
    pub byte: u8,
    /// The most significant bit of the field, where it is smaller than a byte.
    pub bit: Option<u8>,
}

impl fmt::Display for InvalidField {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "invalid field in CDB byte {}", self.byte)?;
        match self.bit {
            Some(bit) => write!(formatter, " bit {bit}"),
            None => Ok(()),
        }
    }
}

impl core::error::Error for InvalidField {}
