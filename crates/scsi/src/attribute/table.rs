/// What the value of an attribute is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttributeFormat {
    /// A number or bytes.
    Binary,
    /// ASCII text, padded with spaces.
    Ascii,
    /// Text in the character set of attribute 0805h; UTF-8 and ASCII as a rule.
    Text,
    /// Not assigned.
    Reserved,
}

impl AttributeFormat {
    pub(super) fn from_bits(byte: u8) -> Self {
        match byte & 0x03 {
            0 => Self::Binary,
            1 => Self::Ascii,
            2 => Self::Text,
            _ => Self::Reserved,
        }
    }

    pub(super) fn bits(self) -> u8 {
        match self {
            Self::Binary => 0,
            Self::Ascii => 1,
            Self::Text => 2,
            Self::Reserved => 3,
        }
    }
}

/// Who writes an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttributeSource {
    /// The drive (identifiers up to 03FFh, and 1000h to 13FFh).
    Device,
    /// The manufacturer of the cartridge (0400h to 07FFh, 1400h to 17FFh).
    Medium,
    /// A host (0800h to 0BFFh, 1800h to 1BFFh).
    Host,
}

impl AttributeSource {
    /// Who writes the attribute with this identifier; `None` for one that is reserved.
    pub fn of(id: u16) -> Option<Self> {
        match id {
            0x0000..=0x03FF | 0x1000..=0x13FF => Some(Self::Device),
            0x0400..=0x07FF | 0x1400..=0x17FF => Some(Self::Medium),
            0x0800..=0x0BFF | 0x1800..=0x1BFF => Some(Self::Host),
            _ => None,
        }
    }
}

/// What is known of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AttributeKind {
    /// Its identifier.
    pub id: u16,
    /// What it holds.
    pub name: &'static str,
    /// Bytes of its value; 0 where that varies.
    pub length: u16,
    /// What its value is.
    pub format: AttributeFormat,
}

impl AttributeKind {
    /// What is known of the attribute with this identifier.
    pub fn of(id: u16) -> Option<&'static Self> {
        let index = ATTRIBUTES.binary_search_by_key(&id, |kind| kind.id).ok()?;
        ATTRIBUTES.get(index)
    }

    /// Who writes it.
    pub fn source(&self) -> Option<AttributeSource> {
        AttributeSource::of(self.id)
    }
}

/// Declares the identifiers and the table of what is known of them.
macro_rules! attributes {
    ($( $id:literal $constant:ident $length:literal $format:ident $name:literal )*) => {
        /// Identifiers of attributes.
        pub mod attribute_id {
            $(
                #[doc = concat!("The ", $name, ".")]
                pub const $constant: u16 = $id;
            )*
        }

        /// The attributes that are known, in the order of their identifiers.
        pub static ATTRIBUTES: &[AttributeKind] = &[$(
            AttributeKind { id: $id, name: $name, length: $length, format: AttributeFormat::$format },
        )*];
    };
}

attributes! {
    0x0000 REMAINING_CAPACITY 8 Binary "remaining capacity of the partition in MiB"
    0x0001 MAXIMUM_CAPACITY 8 Binary "maximum capacity of the partition in MiB"
    0x0002 TAPE_ALERT 8 Binary "TapeAlert flags of the last load"
    0x0003 LOAD_COUNT 8 Binary "loads so far"
    0x0004 MEMORY_FREE 8 Binary "free bytes of the memory"
    0x0005 ASSIGNING_ORGANIZATION 8 Ascii "organization that assigned the density code"
    0x0006 FORMATTED_DENSITY 1 Binary "density code of the format"
    0x0007 INITIALIZATION_COUNT 2 Binary "initializations so far"
    0x0009 VOLUME_CHANGE_REFERENCE 4 Binary "number that changes with the contents"
    0x020A LAST_DRIVE 40 Ascii "vendor and serial number of the last drive"
    0x020B LAST_DRIVE_1 40 Ascii "vendor and serial number of the last drive but one"
    0x020C LAST_DRIVE_2 40 Ascii "vendor and serial number of the last drive but two"
    0x020D LAST_DRIVE_3 40 Ascii "vendor and serial number of the last drive but three"
    0x0220 LIFETIME_WRITTEN 8 Binary "MiB written so far"
    0x0221 LIFETIME_READ 8 Binary "MiB read so far"
    0x0222 LOAD_WRITTEN 8 Binary "MiB written in the last load"
    0x0223 LOAD_READ 8 Binary "MiB read in the last load"
    0x0224 FIRST_ENCRYPTED_BLOCK 8 Binary "first encrypted block"
    0x0225 FIRST_UNENCRYPTED_BLOCK 8 Binary "first unencrypted block after the first encrypted one"
    0x0400 MANUFACTURER 8 Ascii "manufacturer of the cartridge"
    0x0401 MEDIUM_SERIAL 32 Ascii "serial number of the cartridge"
    0x0402 MEDIUM_LENGTH 4 Binary "length of the tape in m"
    0x0403 MEDIUM_WIDTH 4 Binary "width of the tape in 0.1 mm"
    0x0404 MEDIUM_ORGANIZATION 8 Ascii "organization that assigned the density code of the cartridge"
    0x0405 MEDIUM_DENSITY 1 Binary "density code of the cartridge"
    0x0406 MANUFACTURE_DATE 8 Ascii "date of manufacture, YYYYMMDD"
    0x0407 MEMORY_CAPACITY 8 Binary "bytes of the memory"
    0x0408 MEDIUM_TYPE 1 Binary "kind of cartridge: 00h data, 01h cleaning, 80h write once"
    0x0409 MEDIUM_TYPE_INFORMATION 2 Binary "what depends on the kind: the cleanings that a cleaning cartridge is good for"
    0x0800 APPLICATION_VENDOR 8 Ascii "vendor of the application"
    0x0801 APPLICATION_NAME 32 Ascii "name of the application"
    0x0802 APPLICATION_VERSION 8 Ascii "version of the application"
    0x0803 USER_LABEL 160 Text "label for people"
    0x0804 LAST_WRITTEN 12 Ascii "date and time of the last writing, YYYYMMDDHHMM"
    0x0805 TEXT_LOCALE 1 Binary "character set of the texts"
    0x0806 BARCODE 32 Ascii "label that the library reads"
    0x0807 HOST_NAME 80 Ascii "host that owns the cartridge"
    0x0808 MEDIA_POOL 160 Text "pool that the cartridge belongs to"
    0x080B FORMAT_VERSION 16 Ascii "version of the application's format"
    0x080C VOLUME_COHERENCY 0 Binary "state of the volume's contents"
    0x0820 MEDIUM_GUID 36 Binary "globally unique identifier of the cartridge"
    0x0821 POOL_GUID 36 Binary "globally unique identifier of the pool"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_ascends_so_that_each_row_is_found() {
        assert!(ATTRIBUTES.windows(2).all(|pair| pair[0].id < pair[1].id));
        for kind in ATTRIBUTES {
            assert_eq!(AttributeKind::of(kind.id), Some(kind));
            assert!(!kind.name.is_empty() && kind.source().is_some());
        }
        assert_eq!(AttributeKind::of(0x0008), None);
    }

    #[test]
    fn rows_are_what_the_standard_says() {
        let row = |id| AttributeKind::of(id).map(|kind| (kind.length, kind.format, kind.source()));
        assert_eq!(row(0x0806), Some((32, AttributeFormat::Ascii, Some(AttributeSource::Host))));
        assert_eq!(row(0x0803), Some((160, AttributeFormat::Text, Some(AttributeSource::Host))));
        assert_eq!(row(0x0401), Some((32, AttributeFormat::Ascii, Some(AttributeSource::Medium))));
        assert_eq!(row(0x0003), Some((8, AttributeFormat::Binary, Some(AttributeSource::Device))));
        assert_eq!(attribute_id::BARCODE, 0x0806);
        assert_eq!(AttributeSource::of(0x0C00), None);
    }

    #[test]
    fn every_format_survives_both_ways() {
        for bits in 0..4 {
            assert_eq!(AttributeFormat::from_bits(0x80 | bits).bits(), bits);
        }
    }
}
