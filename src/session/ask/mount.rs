//! Asking for a mount.

use autochanger_engine::request::{Access, CartridgeRef, Wanted};
use autochanger_scsi::ElementAddress;

use super::{Common, request_builder};
use crate::session::Session;
use crate::session::outcome::Mounted;

impl Session {
    /// Asks for a cartridge to be put into a drive; it passes when the drive is ready.
    ///
    /// A cartridge that is mounted already is waited for until it is dismounted, also where this application has it mounted:
    /// [`adopt`](Session::adopt) gives that mount, [`at_once`](MountBuilder::at_once) refuses instead of waiting, a
    /// [`deadline`](MountBuilder::deadline) ends the wait.
    ///
    /// ```no_run
    /// # async fn example(session: autochanger::Session) -> Result<(), autochanger::Error> {
    /// let tape = session.mount("VT0001L8").read_only().await?;
    /// println!("{tape} is ready");
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "MountNtmsMedia")]
    pub fn mount(&self, cartridge: impl Into<CartridgeRef>) -> MountBuilder {
        MountBuilder {
            cartridge: cartridge.into(),
            drive: None,
            access: Access::default(),
            common: Common::new(self, false),
        }
    }
}

/// A mount to be asked for; see [`Session::mount`].
#[derive(Debug, Clone)]
#[must_use = "nothing is asked for until the builder is awaited or submitted"]
pub struct MountBuilder {
    cartridge: CartridgeRef,
    drive: Option<ElementAddress>,
    access: Access,
    common: Common,
}

impl MountBuilder {
    /// In the drive with this element address; any that fits unless given.
    pub fn drive(mut self, drive: impl Into<ElementAddress>) -> Self {
        self.drive = Some(drive.into());
        self
    }

    /// For reading only: also drives that read the medium's generation and do not write it will do.
    pub fn read_only(mut self) -> Self {
        self.access = Access::Read;
        self
    }

    /// For reading and writing, which is the default.
    pub fn read_write(mut self) -> Self {
        self.access = Access::ReadWrite;
        self
    }

    /// The request lives on when its session is closed.
    pub fn detached(mut self) -> Self {
        self.common.detached = true;
        self
    }

    /// Refused where the cartridge or every drive that would do is in use, instead of waiting. The answer comes with the ticket;
    /// what comes in between ends the request with [`FailureKind::Busy`](crate::FailureKind::Busy).
    #[doc(alias = "NTMS_MOUNT_ERROR_NOT_AVAILABLE")]
    pub fn at_once(mut self) -> Self {
        self.common.options.at_once = true;
        self
    }

    /// Where the cartridge is not in the library, the request waits until a person brings it
    /// ([`Session::operator_requests`]), instead of being refused. RSM waits unless it is told not to
    /// (`NTMS_MOUNT_ERROR_OFFLINE`).
    #[doc(alias = "NTMS_MOUNT_ERROR_OFFLINE")]
    pub fn wait_for_operator(mut self) -> Self {
        self.common.options.wait_for_operator = true;
        self
    }

    fn wanted(&self) -> Wanted {
        Wanted::Mount { cartridge: self.cartridge.clone(), drive: self.drive, access: self.access }
    }
}

request_builder!(MountBuilder gives Mounted);
