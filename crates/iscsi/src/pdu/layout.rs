//! Where a field stands in a header, and how it is read and written: the one definition behind both directions.

use super::HEADER_LENGTH;

type Header = [u8; HEADER_LENGTH];

/// A place in the header: a whole field that starts at a byte, or some bits of one byte.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    byte: usize,
    shift: u8,
    mask: u8,
}

/// A field of whole bytes.
pub(crate) const fn at(byte: usize) -> Place {
    Place { byte, shift: 0, mask: 0xFF }
}

/// One bit.
pub(crate) const fn bit(byte: usize, number: u8) -> Place {
    Place { byte, shift: number, mask: 1 }
}

/// `width` bits of one byte, the lowest of them bit `shift`.
pub(crate) const fn bits(byte: usize, shift: u8, width: u8) -> Place {
    Place { byte, shift, mask: 0xFF >> (8 - width) }
}

/// A type that a header field can have.
pub(crate) trait Field: Sized {
    fn get(header: &Header, place: Place) -> Self;
    fn put(&self, header: &mut Header, place: Place);
}

pub(crate) fn get<T: Field>(header: &Header, place: Place) -> T {
    T::get(header, place)
}

impl Field for u8 {
    fn get(header: &Header, place: Place) -> Self {
        (header[place.byte] >> place.shift) & place.mask
    }

    fn put(&self, header: &mut Header, place: Place) {
        header[place.byte] |= (self & place.mask) << place.shift;
    }
}

impl Field for bool {
    fn get(header: &Header, place: Place) -> Self {
        u8::get(header, place) != 0
    }

    fn put(&self, header: &mut Header, place: Place) {
        u8::from(*self).put(header, place);
    }
}

impl<const N: usize> Field for [u8; N] {
    fn get(header: &Header, place: Place) -> Self {
        std::array::from_fn(|index| header[place.byte + index])
    }

    fn put(&self, header: &mut Header, place: Place) {
        header[place.byte..place.byte + N].copy_from_slice(self);
    }
}

macro_rules! big_endian {
    ($($type:ty),*) => {$(
        impl Field for $type {
            fn get(header: &Header, place: Place) -> Self {
                Self::from_be_bytes(Field::get(header, place))
            }

            fn put(&self, header: &mut Header, place: Place) {
                self.to_be_bytes().put(header, place);
            }
        }
    )*};
}
big_endian!(u16, u32, u64);

/// Defines PDUs: `Name = opcode, fixed byte-1 bits { field: type = place }`, each with `decode` and `encode`, and the
/// enum of them all.
macro_rules! pdus {
    ($(
        $(#[$meta:meta])*
        $name:ident = $opcode:literal, $fixed:literal { $( $(#[$field_meta:meta])* $field:ident: $type:ty = $place:expr ),* $(,)? }
    )*) => {
        $(
            $(#[$meta])*
            #[derive(Clone, Default, PartialEq, Eq)]
            pub struct $name {
                $( $(#[$field_meta])* pub $field: $type, )*
                /// The data segment.
                pub data: Bytes,
            }

            impl $name {
                /// The opcode of this PDU.
                pub const OPCODE: u8 = $opcode;

                /// Reads the fields. The opcode is not looked at: [`Pdu::decode`] chooses by it.
                pub fn decode(raw: &RawPdu) -> Self {
                    Self { $( $field: layout::get(&raw.header, $place), )* data: raw.data.clone() }
                }

                /// Writes the fields, with the opcode and the bits that are always set.
                pub fn encode(&self) -> RawPdu {
                    let mut header = [0; HEADER_LENGTH];
                    header[0] = $opcode;
                    header[1] = $fixed;
                    $( layout::Field::put(&self.$field, &mut header, $place); )*
                    RawPdu { header, data: self.data.clone() }
                }
            }

            impl std::fmt::Debug for $name {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.debug_struct(stringify!($name))
                        $( .field(stringify!($field), &self.$field) )*
                        .field("data_length", &self.data.len())
                        .finish()
                }
            }
        )*

        /// Any PDU, of either side.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each variant is documented at its struct")]
        pub enum Pdu {
            $( $name($name), )*
        }

        impl Pdu {
            /// Reads a PDU by its opcode.
            ///
            /// # Errors
            /// [`PduError::UnknownOpcode`] for an opcode that RFC 7143 does not define (SNACK among them: it is
            /// not used at error recovery level 0).
            pub fn decode(raw: &RawPdu) -> Result<Self, PduError> {
                match raw.opcode() {
                    $( $opcode => Ok(Self::$name($name::decode(raw))), )*
                    unknown => Err(PduError::UnknownOpcode(unknown)),
                }
            }

            /// Writes the PDU.
            pub fn encode(&self) -> RawPdu {
                match self {
                    $( Self::$name(pdu) => pdu.encode(), )*
                }
            }
        }
    };
}
pub(crate) use pdus;
