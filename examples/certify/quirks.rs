//! What a manager finds the library to do otherwise than the standard says, when it opens it.

use autochanger::{LibraryConfig, LibraryError, Manager, OpenError, ReadyError, Reservation};
use tokio::sync::watch;

use super::motion::stopped;
use super::{Certify, Result, Trouble};

impl Certify {
    /// Opens the library as a program would, and lets go of it again. Nothing is changed in it, so that it is not reserved, and
    /// no drive is cleaned.
    pub(super) async fn hear_manager(&mut self) -> Result<()> {
        let manager = match self.open_manager(Reservation::Never).await {
            Ok(manager) => manager,
            Err(error) => {
                say!("   {error}");
                self.unheard = Some("no manager could be made");
                return Ok(());
            }
        };
        let ready = manager.ready().await;
        let noted = self.note_quirks(&manager).await;
        manager.shutdown().await;
        noted?;
        if let Err(error) = ready {
            // The message names the device; what is pasted does not.
            say!("   {error}");
            self.unheard = Some(without_names(&error));
        }
        Ok(())
    }

    /// Takes the library as a manager does, so that nobody else's arm is used, and as long as the manager lives nobody else
    /// uses this one. Nothing has been sent that changes a library of somebody else's.
    pub(super) async fn claim(&mut self, stop: watch::Receiver<bool>) -> Result<Manager> {
        let manager = self.open_manager(Reservation::WhereOffered).await?;
        let ready = tokio::select! {
            ready = manager.ready() => ready.map_err(Trouble::from),
            () = stopped(stop) => Err(Trouble::Stopped),
        };
        let noted = self.note_quirks(&manager).await;
        match ready.map_err(Into::into).and(noted) {
            Ok(()) => Ok(manager),
            Err(error) => {
                manager.shutdown().await;
                Err(error)
            }
        }
    }

    async fn open_manager(&self, reservation: Reservation) -> std::result::Result<Manager, OpenError> {
        let config = LibraryConfig::transport(self.device.device(), self.device.clone());
        let builder = Manager::builder().library(config.reservation(reservation).auto_clean(false));
        match &self.locks {
            Some(directory) => builder.lock_directory(directory),
            None => builder,
        }
        .open()
        .await
    }

    async fn note_quirks(&mut self, manager: &Manager) -> Result<()> {
        for quirk in manager.libraries().await?.iter().flat_map(|library| &library.quirks) {
            self.quirk(quirk.to_string());
        }
        Ok(())
    }
}

/// Why a manager has not got it ready, as it can be pasted.
pub(super) fn without_names(error: &ReadyError) -> &'static str {
    match error {
        ReadyError::Unusable { error: LibraryError::InUse { .. }, .. } => "it is in use by somebody else",
        ReadyError::Unusable { .. } => "a manager cannot use it",
        _ => "a manager could not open it",
    }
}
