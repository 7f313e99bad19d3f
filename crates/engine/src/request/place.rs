//! Where a cartridge is, and how a sentence tells it.

use alloc::vec::Vec;
use core::fmt;

use super::ElementName;

/// Where a cartridge is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Place {
    /// In an element of its library.
    Element(ElementName),
    /// Not known; it must be in one of these elements, or fell on the way between them.
    Unknown {
        /// The elements that it can be in.
        one_of: Vec<ElementName>,
    },
    /// It was in the library, and an inventory did not see it.
    Missing {
        /// Where it was last.
        last: ElementName,
    },
    /// A person took it out of a port: it is in the offline library (RSM).
    Outside {
        /// The port.
        last: ElementName,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Element(element) => element.fmt(f),
            Self::Unknown { one_of } => {
                f.write_str("unknown, one of: ")?;
                for (n, element) in one_of.iter().enumerate() {
                    write!(f, "{}{element}", if n == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
            Self::Missing { last } => write!(f, "missing, last seen in {last}"),
            Self::Outside { last } => write!(f, "outside of the library, taken out of {last}"),
        }
    }
}

impl Place {
    /// The rest of a sentence about a cartridge: *is in slot 1000*, *is missing, last seen in slot 1000*.
    pub fn told(&self) -> impl fmt::Display + '_ {
        struct Told<'a>(&'a Place);
        impl fmt::Display for Told<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.0 {
                    Place::Element(element) => write!(f, "is in {element}"),
                    elsewhere => write!(f, "is {elsewhere}"),
                }
            }
        }
        Told(self)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec;

    use autochanger_scsi::{ElementAddress, ElementType};

    use super::*;
    use crate::id::CartridgeId;
    use crate::output::{EventKind, Refusal};
    use crate::request::{CancelledBy, State};

    #[test]
    fn every_sentence_about_a_cartridge_fits_its_place() {
        let port = ElementName { address: ElementAddress(10), kind: ElementType::ImportExport };
        for (place, told) in [
            (Place::Element(port), "is in port 10"),
            (Place::Outside { last: port }, "is outside of the library, taken out of port 10"),
            (Place::Missing { last: port }, "is missing, last seen in port 10"),
            (Place::Unknown { one_of: vec![port] }, "is unknown, one of: port 10"),
        ] {
            let by = CancelledBy::Deadline;
            let id = CartridgeId(uuid::Uuid::nil());
            let sentences = [
                EventKind::Cartridge { id, barcode: None, place: place.clone() }.to_string(),
                Refusal::NotMounted { cartridge: "VT0001L8".into(), place: place.clone() }.to_string(),
                State::Stopped { place: Some(place.clone()), by }.to_string(),
            ];
            assert!(sentences.iter().all(|sentence| sentence.contains(told)), "{sentences:?}");
        }
    }
}
