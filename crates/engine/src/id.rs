//! The names of things. Ids that outlive a process are UUIDs; the others live as long as the manager.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use uuid::Uuid;

macro_rules! durable_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        /// Reads what [`Display`](fmt::Display) writes, and the other ways to write a UUID.
        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::parse_str(text).map(Self).map_err(|_| IdError(text.chars().take(IdError::SHOWN).collect()))
            }
        }
    };
}

/// A text that is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no id: an id is a UUID, such as 0198a3c4-5d0b-7000-8000-0123456789ab")]
pub struct IdError(String);

impl IdError {
    /// Characters of the text that are shown: more than an id has, and no more than a line.
    const SHOWN: usize = 60;
}

durable_id! {
    /// A library request (RSM: `NTMS_LIBREQUESTINFORMATION`, object kind LIBREQUEST). Made by the caller, UUID v7.
    RequestId
}
durable_id! {
    /// A cartridge (RSM: PHYSICAL_MEDIA, PMID).
    CartridgeId
}
durable_id! {
    /// A library (RSM: LIBRARY). Bound to the changer's identity, not to the way it is reached.
    LibraryId
}

/// A session of this manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

/// The caller's mark on a question; the answer carries it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// A command in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub u64);

/// A transaction on its way to the store. They are numbered in order and must be committed in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(pub u64);

/// A library's place in the configuration, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LibraryIndex(pub u16);

/// Which device of a library a command is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Device {
    /// The medium changer.
    Changer,
    /// A drive that the configuration names, by its place in the configuration.
    Configured(u16),
    /// Another logical unit of the changer's own target.
    Sibling(u16),
}

/// One of the ways to a library's changer, by its place in the configuration; the first is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Route(pub u8);

/// The way to one device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    /// The library.
    pub library: LibraryIndex,
    /// Which way to the changer and the other units of its target; 0 for a drive that has a way of its own.
    pub route: Route,
    /// The device in it.
    pub device: Device,
}

/// Makes durable ids from a seed that the caller drew, so that the engine rolls no dice.
#[derive(Debug, Clone)]
pub(crate) struct IdSource {
    seed: u128,
    counter: u64,
}

impl IdSource {
    pub(crate) fn new(seed: u128) -> Self {
        Self { seed, counter: 0 }
    }

    pub(crate) fn next(&mut self) -> Uuid {
        self.counter += 1;
        let high = mix((self.seed >> 64) as u64 ^ mix(self.counter));
        let low = mix(self.seed as u64 ^ mix(self.counter ^ 0x9E37_79B9_7F4A_7C15));
        uuid::Builder::from_custom_bytes(((u128::from(high) << 64) | u128::from(low)).to_be_bytes())
            .into_uuid()
    }
}

/// The finaliser of SplitMix64: a bijection that spreads neighbouring counters over the whole range.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn an_id_is_read_as_it_is_written_and_what_is_none_is_told_apart() {
        let id = RequestId(Uuid::from_u128(0x0198_a3c4_5d0b_7000_8000_0123_4567_89ab));
        assert_eq!(id.to_string().parse::<RequestId>(), Ok(id));
        let error = "VT0001L8".parse::<CartridgeId>().unwrap_err();
        assert!(error.to_string().starts_with("\"VT0001L8\" is no id"), "{error}");
        let long = "x".repeat(10_000).parse::<LibraryId>().unwrap_err();
        assert!(long.to_string().len() < 200);
    }

    #[test]
    fn the_same_seed_gives_the_same_ids_and_no_two_are_equal() {
        let (mut a, mut b) = (IdSource::new(7), IdSource::new(7));
        let first: alloc::vec::Vec<_> = (0..1000).map(|_| a.next()).collect();
        let again: alloc::vec::Vec<_> = (0..1000).map(|_| b.next()).collect();
        assert_eq!(first, again);
        let set: alloc::collections::BTreeSet<_> = first.iter().collect();
        assert_eq!(set.len(), 1000);
    }
}
