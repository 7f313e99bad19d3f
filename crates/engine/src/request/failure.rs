//! Why a request failed: what happened, to what, whose fault, and what to do.

use alloc::string::String;
use core::fmt;

use autochanger_scsi::Sense;

use super::Place;

/// Why a request did not pass. As text it is the [message](Self::message) and [what to do](FailureKind::advice).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}; {}", kind.advice())]
pub struct Failure {
    /// What to match on.
    pub kind: FailureKind,
    /// What happened, with the names of the cartridge, the elements and the device.
    pub message: String,
    /// The device's own words, where it had some.
    pub sense: Option<Sense>,
    /// Where the cartridge is, where that is part of the matter.
    pub place: Option<Place>,
}

impl Failure {
    /// A failure without sense data.
    pub fn new(kind: FailureKind, message: String) -> Self {
        Self { kind, message, sense: None, place: None }
    }

    /// The code that RSM has for the same fact, as functions answered it or a failed request carried it on Windows; `None` where it
    /// has none.
    pub fn win32_code(&self) -> Option<u32> {
        self.kind.win32_code()
    }

    /// With the device's sense data.
    pub fn with_sense(mut self, sense: Option<Sense>) -> Self {
        self.sense = sense;
        self
    }

    /// With the place of the cartridge.
    pub fn with_place(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }
}

/// The kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// The library says that the source element is empty.
    SourceEmpty,
    /// The library says that the destination element is full.
    DestinationFull,
    /// The drive or a host holds the medium (PREVENT MEDIUM REMOVAL).
    MediumHeld,
    /// The medium does not fit the drive.
    Incompatible,
    /// The medium cannot be used: unreadable, expired, damaged.
    MediumFault,
    /// The drive did not come ready, or reported a fault.
    DriveFault,
    /// The library's mechanics or logic failed.
    LibraryFault,
    /// The device refused the command.
    Refused,
    /// The device could not be reached.
    PathLost,
    /// What happened to the move could not be found out. Both elements stay out of use until an inventory has seen them;
    /// the manager reads one at once.
    Unknown,
    /// The process or machine stopped while it was being carried out.
    Interrupted,
    /// The cartridge is not where it must be.
    CartridgeMissing,
    /// The cartridge is not in a drive.
    NotMounted,
    /// Another application has the medium mounted.
    MediaOpen,
    /// The store failed.
    Store,
    /// The cartridge, drive or library is disabled.
    Disabled,
    /// What was asked to be done at once cannot be.
    Busy,
    /// Another mount of its group failed.
    Group,
    /// Nobody came, or nothing came, within the time.
    TimedOut,
    /// There is no cleaning cartridge that can be used.
    NoCleaner,
    /// The medium carries another label than it should.
    WrongLabel,
    /// The medium carries data, and overwriting it was not asked for.
    NotFree,
    /// The medium cannot be written: its tab is set, or it can be written only once.
    WriteProtected,
    /// The library says that an element cannot be used now: its magazine or drive is out, it is disabled, it belongs to another
    /// partition, or the library has not looked into it yet.
    NotAccessible,
    /// The library keeps a slot for the cleaner already.
    CleanerSlotTaken,
    /// The library keeps no slot for the cleaner.
    CleanerSlotMissing,
    /// There is a cartridge in the cleaner's slot.
    CleanerInSlot,
}

/// Whose fault a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultOf {
    /// The request was wrong.
    Caller,
    /// The cartridge.
    Medium,
    /// The drive.
    Drive,
    /// The library.
    Library,
    /// The way to the device.
    Path,
    /// The store.
    Store,
    /// This process or its machine, which stopped.
    Host,
}

impl FailureKind {
    /// Every kind.
    pub const ALL: &[Self] = &[
        Self::SourceEmpty,
        Self::DestinationFull,
        Self::MediumHeld,
        Self::Incompatible,
        Self::MediumFault,
        Self::DriveFault,
        Self::LibraryFault,
        Self::Refused,
        Self::PathLost,
        Self::Unknown,
        Self::Interrupted,
        Self::CartridgeMissing,
        Self::NotMounted,
        Self::MediaOpen,
        Self::Store,
        Self::Disabled,
        Self::Busy,
        Self::Group,
        Self::TimedOut,
        Self::NoCleaner,
        Self::WrongLabel,
        Self::NotFree,
        Self::WriteProtected,
        Self::NotAccessible,
        Self::CleanerSlotTaken,
        Self::CleanerSlotMissing,
        Self::CleanerInSlot,
    ];

    /// Whose fault it is.
    pub fn fault_of(self) -> FaultOf {
        match self {
            Self::Incompatible
            | Self::Refused
            | Self::NotMounted
            | Self::MediaOpen
            | Self::Disabled
            | Self::Busy
            | Self::Group
            | Self::TimedOut
            | Self::NoCleaner
            | Self::NotFree
            | Self::WriteProtected
            | Self::CleanerSlotTaken
            | Self::CleanerSlotMissing
            | Self::CleanerInSlot => FaultOf::Caller,
            Self::MediumFault | Self::WrongLabel => FaultOf::Medium,
            Self::DriveFault | Self::MediumHeld => FaultOf::Drive,
            Self::SourceEmpty
            | Self::DestinationFull
            | Self::LibraryFault
            | Self::CartridgeMissing
            | Self::NotAccessible => FaultOf::Library,
            Self::PathLost | Self::Unknown => FaultOf::Path,
            Self::Store => FaultOf::Store,
            Self::Interrupted => FaultOf::Host,
        }
    }

    /// RSM's code for it; see [`Failure::win32_code`].
    pub fn win32_code(self) -> Option<u32> {
        Some(match self {
            Self::SourceEmpty => 4306,
            Self::DestinationFull => 4307,
            Self::MediumHeld | Self::Busy => 170,
            Self::Incompatible => 4315,
            Self::MediumFault => 4324,
            Self::DriveFault => 4319,
            Self::LibraryFault => 4323,
            Self::PathLost => 4305,
            Self::CartridgeMissing => 4304,
            Self::NotMounted | Self::MediaOpen => 5023,
            Self::Store => 4313,
            Self::Disabled => 4309,
            Self::Group => 1223,
            Self::TimedOut => 1460,
            Self::NoCleaner => 4310,
            Self::WrongLabel => 4334,
            Self::WriteProtected => 19,
            Self::NotFree => 4307,
            Self::CleanerSlotTaken => 4331,
            Self::CleanerSlotMissing => 4332,
            Self::CleanerInSlot => 4340,
            Self::Refused | Self::Unknown | Self::Interrupted | Self::NotAccessible => return None,
        })
    }

    /// What to do about it.
    pub fn advice(self) -> &'static str {
        match self {
            Self::SourceEmpty | Self::CartridgeMissing => {
                "somebody changed the library: run an inventory, then ask again"
            }
            Self::DestinationFull => {
                "name another slot; if it should be empty, run an inventory, then ask again"
            }
            Self::MediumHeld => {
                "let the program that uses the drive release the medium, or dismount it with `force`"
            }
            Self::Incompatible => "choose another drive or cartridge",
            Self::MediumFault => "take the cartridge out of use and look at it",
            Self::DriveFault => "look at the drive's own messages; for a mount another drive may do",
            Self::LibraryFault => "look at the library's panel, and at the drive if one was part of it",
            Self::Refused => "the library does not do that; check the request",
            Self::PathLost => "check the connection to the device, then ask again",
            Self::Unknown => "the library is read again by itself; look where the cartridge is then",
            Self::Interrupted => "the cartridge is where the message says; ask again",
            Self::NotMounted => "if it should be in a drive, run an inventory: hands may have been there",
            Self::MediaOpen => {
                "it must be dismounted first: by the application that has it mounted, or by an administrator with `force`"
            }
            Self::Store => "check the store's disk, then open the manager again",
            Self::Disabled => "enable it, or ask for another one",
            Self::Busy => "ask again later, or without `at_once`",
            Self::Group => "see how that mount ended, then ask for all of them again",
            Self::TimedOut => "ask again when somebody is at the library",
            Self::NoCleaner => "put a cleaning cartridge in with `inject_cleaner`, then ask again",
            Self::WrongLabel => "look at the cartridge: its label and its content do not belong together",
            Self::NotFree => "ask with `overwrite` if what is on it may be lost",
            Self::NotAccessible => {
                "look whether its magazine and drive are in and enabled, run a full inventory, then ask again"
            }
            Self::CleanerSlotTaken => "release that slot with `release_cleaner_slot` first",
            Self::CleanerSlotMissing => {
                "reserve one with `reserve_cleaner_slot` where a cleaner is to have one"
            }
            Self::CleanerInSlot => "take it out with `eject_cleaner` first",
            Self::WriteProtected => "take the write protection off the cartridge, or choose another one",
        }
    }
}

impl fmt::Display for FaultOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Caller => "caller",
            Self::Medium => "medium",
            Self::Drive => "drive",
            Self::Library => "library",
            Self::Path => "path",
            Self::Store => "store",
            Self::Host => "host",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_listed() {
        let (_, kinds) = include_str!("failure.rs").split_once("pub enum FailureKind {").unwrap();
        let (kinds, _) = kinds.split_once("\n}").unwrap();
        let named = kinds.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('/'));
        let named: alloc::vec::Vec<&str> = named.map(|line| line.trim_end_matches(',')).collect();
        let listed: alloc::vec::Vec<String> =
            FailureKind::ALL.iter().map(|kind| alloc::format!("{kind:?}")).collect();
        assert_eq!(named, listed);
    }
}
