//! What a manager finds the library to do otherwise than the standard says, when it opens it.

use autochanger::{LibraryConfig, Manager};

use super::{Certify, Result};

impl Certify {
    /// Opens the library as a program would, and lets go of it again. Nothing moves.
    pub(crate) async fn quirks(&mut self) -> Result<()> {
        self.title("Quirks found");
        let config = LibraryConfig::transport("certify", self.device.clone());
        let manager = match Manager::builder().library(config).open().await {
            Ok(manager) => manager,
            Err(error) => {
                println!("   {error}");
                self.fact("quirks: no manager could be opened");
                return Ok(());
            }
        };
        let ready = manager.ready().await;
        let found = manager.libraries().await?;
        manager.shutdown().await;
        match (ready, found.first()) {
            (Ok(()), Some(library)) if library.quirks.is_empty() => self.fact("quirks: none"),
            (Ok(()), Some(library)) => {
                for quirk in &library.quirks {
                    self.fact(format!("quirk: {quirk}"));
                }
            }
            // The message names the device; what is pasted does not.
            (Err(error), _) => {
                println!("   {error}");
                self.fact("quirks: the manager could not open it");
            }
            (Ok(()), None) => self.fact("quirks: the manager has no library"),
        }
        Ok(())
    }
}
