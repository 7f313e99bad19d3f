//! Asking for a dismount.

use autochanger_engine::request::{CartridgeRef, Wanted};
use autochanger_scsi::ElementAddress;

use super::{Common, request_builder};
use crate::session::Session;
use crate::session::outcome::Dismounted;

impl Session {
    /// Asks for a cartridge to be taken out of its drive and put into a slot: the one it came from, unless the builder
    /// says otherwise. It goes on when the session is closed.
    ///
    /// ```no_run
    /// # async fn example(session: autochanger::Session) -> Result<(), autochanger::Error> {
    /// let gone = session.dismount("VT0001L8").await?;
    /// println!("it is in {gone}"); // "it is in slot 1000"
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "DismountNtmsMedia")]
    pub fn dismount(&self, cartridge: impl Into<CartridgeRef>) -> DismountBuilder {
        DismountBuilder {
            cartridge: cartridge.into(),
            slot: None,
            force: false,
            common: Common::new(self, true),
        }
    }

    /// As [`dismount`](Self::dismount), of whatever is in the drive: also a cartridge without a label. With several libraries name
    /// the drive by a [`CartridgeRef::Element`] and call `dismount`.
    #[doc(alias = "DismountNtmsDrive")]
    pub fn dismount_drive(&self, drive: impl Into<ElementAddress>) -> DismountBuilder {
        self.dismount(CartridgeRef::Element { library: None, element: drive.into() })
    }
}

/// A dismount to be asked for; see [`Session::dismount`].
#[derive(Debug, Clone)]
#[must_use = "nothing is asked for until the builder is awaited or submitted"]
pub struct DismountBuilder {
    cartridge: CartridgeRef,
    slot: Option<ElementAddress>,
    force: bool,
    common: Common,
}

impl DismountBuilder {
    /// To the slot with this element address.
    pub fn to(mut self, slot: impl Into<ElementAddress>) -> Self {
        self.slot = Some(slot.into());
        self
    }

    /// Although the drive holds the medium (PREVENT MEDIUM REMOVAL), or, with [`Role::Administrator`](crate::Role), although
    /// another application has it mounted.
    pub fn force(mut self) -> Self {
        self.force = true;
        self
    }

    /// The medium stays in its drive until the drive is needed for something else, and for the library's
    /// [dwell time](crate::LibraryConfig::dwell) at least. The mount is over for its application at once, and
    /// [`State::Deferred`](crate::State::Deferred) tells so; the request passes when the medium has left the drive, or when a mount
    /// found it there ([`Dismounted::kept_in_drive`]).
    ///
    /// So [`submit`](Self::submit) it: awaiting the builder or its ticket waits until somebody needs the drive, or the cartridge.
    ///
    /// ```
    /// # #[cfg(feature = "sim")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), autochanger::Error> {
    /// # use autochanger::{LibraryConfig, Manager, State};
    /// # let manager = Manager::builder().library(LibraryConfig::new("sim:drives=1")).open().await?;
    /// # manager.ready().await?;
    /// # let session = manager.session("nightly-backup").open()?;
    /// let tape = session.mount("VT0001L8").await?;
    /// let ticket = tape.dismount().deferred().submit().await?;
    /// let mut progress = ticket.progress();
    /// while progress.next().await.is_some_and(|state| state != State::Deferred) {}
    /// assert!(session.mounts().await?.is_empty()); // the mount is over, and the medium still in the drive
    ///
    /// let other = session.mount("VT0002L8").await?; // needs the drive: now the medium leaves it
    /// assert!(ticket.await?.slot().is_some());
    /// # other.dismount().await?;
    /// # manager.shutdown().await;
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "sim"))]
    /// # fn main() {}
    /// ```
    #[doc(alias = "NTMS_DISMOUNT_DEFERRED")]
    pub fn deferred(mut self) -> Self {
        self.common.options.deferred = true;
        self
    }

    fn wanted(&self) -> Wanted {
        Wanted::Dismount { cartridge: self.cartridge.clone(), slot: self.slot, force: self.force }
    }
}

request_builder!(DismountBuilder gives Dismounted);
