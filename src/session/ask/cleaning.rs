//! Asking for drives to be cleaned, and for the cleaning cartridge's slot.

use autochanger_engine::id::LibraryId;
use autochanger_engine::request::Wanted;
use autochanger_scsi::ElementAddress;

use super::{Common, request_builder, with_library};
use crate::session::Session;
use crate::session::outcome::{Cleaned, Done};

impl Session {
    /// Asks for a drive to be cleaned, with the library's cleaning cartridge. It goes on when the session is closed.
    /// Needs [`Role::Operator`](crate::Role).
    ///
    /// ```no_run
    /// # async fn example(session: autochanger::Session) -> Result<(), autochanger::Error> {
    /// let cleaned = session.clean_drive(500).await?;
    /// println!("the cleaner can be used {:?} times yet", cleaned.uses_left);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "CleanNtmsDrive")]
    pub fn clean_drive(&self, drive: impl Into<ElementAddress>) -> CleanDriveBuilder {
        CleanDriveBuilder { library: None, drive: drive.into(), common: Common::new(self, true) }
    }

    /// Asks for a slot to be kept for the cleaning cartridge: nothing else is put there. It goes on when the session is closed.
    /// Needs [`Role::Operator`](crate::Role).
    #[doc(alias = "ReserveNtmsCleanerSlot")]
    pub fn reserve_cleaner_slot(&self, slot: impl Into<ElementAddress>) -> CleanerSlotBuilder {
        CleanerSlotBuilder { library: None, slot: Some(slot.into()), common: Common::new(self, true) }
    }

    /// Asks for the cleaning cartridge's slot to be given back. It goes on when the session is closed.
    /// Needs [`Role::Operator`](crate::Role).
    #[doc(alias = "ReleaseNtmsCleanerSlot")]
    pub fn release_cleaner_slot(&self) -> CleanerSlotBuilder {
        CleanerSlotBuilder { library: None, slot: None, common: Common::new(self, true) }
    }
}

/// A cleaning to be asked for; see [`Session::clean_drive`].
#[derive(Debug, Clone)]
#[must_use = "nothing is asked for until the builder is awaited or submitted"]
pub struct CleanDriveBuilder {
    library: Option<LibraryId>,
    drive: ElementAddress,
    common: Common,
}

impl CleanDriveBuilder {
    fn wanted(&self) -> Wanted {
        Wanted::CleanDrive { library: self.library, drive: self.drive }
    }
}

request_builder!(CleanDriveBuilder gives Cleaned);
with_library!(CleanDriveBuilder);

/// A reservation of the cleaning cartridge's slot, or its end, to be asked for; see [`Session::reserve_cleaner_slot`].
#[derive(Debug, Clone)]
#[must_use = "nothing is asked for until the builder is awaited or submitted"]
pub struct CleanerSlotBuilder {
    library: Option<LibraryId>,
    slot: Option<ElementAddress>,
    common: Common,
}

impl CleanerSlotBuilder {
    fn wanted(&self) -> Wanted {
        match self.slot {
            Some(slot) => Wanted::ReserveCleanerSlot { library: self.library, slot },
            None => Wanted::ReleaseCleanerSlot { library: self.library },
        }
    }
}

request_builder!(CleanerSlotBuilder gives Done);
with_library!(CleanerSlotBuilder);
