//! The names of things. Ids that outlive a process are UUIDs; the others live as long as the manager.

use core::fmt;

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
    };
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
