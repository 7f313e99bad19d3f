//! Asking what is written on media, and what cartridges are.

use autochanger_engine::catalog::Label;
use autochanger_engine::request::{CartridgeRef, Wanted};

use super::{Common, request_builder};
use crate::session::Session;
use crate::session::outcome::{Classified, Done, Identified};

impl Session {
    /// Asks for the label on a medium to be read, in a drive. It goes on when the session is closed.
    ///
    /// ```no_run
    /// # async fn example(session: autochanger::Session) -> Result<(), autochanger::Error> {
    /// let read = session.identify("VT0001L8").await?;
    /// println!("on it is {}", read.found);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "IdentifyNtmsSlot")]
    pub fn identify(&self, cartridge: impl Into<CartridgeRef>) -> IdentifyBuilder {
        IdentifyBuilder { cartridge: cartridge.into(), keep: false, common: Common::new(self, true) }
    }

    /// Asks for the manager's own label of a free medium to be written at the beginning of the medium: what is on it is lost. It goes
    /// on when the session is closed. Needs [`Role::Operator`](crate::Role).
    #[doc(alias = "NTMS_LM_WRITESCRATCH")]
    pub fn write_free_label(&self, cartridge: impl Into<CartridgeRef>) -> WriteFreeLabelBuilder {
        WriteFreeLabelBuilder {
            cartridge: cartridge.into(),
            overwrite: false,
            common: Common::new(self, true),
        }
    }

    /// Asks what a cartridge is, by its label: data, a cleaner, something unknown. It goes on when the session is closed.
    /// Needs [`Role::Operator`](crate::Role).
    #[doc(alias = "NTMS_LM_CLASSIFY")]
    pub fn classify(&self, cartridge: impl Into<CartridgeRef>) -> ClassifyBuilder {
        ClassifyBuilder { cartridge: cartridge.into(), common: Common::new(self, true) }
    }

    /// Records the label that the application has written on a medium, so that the catalogue knows it. Nothing is read or written. It
    /// goes on when the session is closed.
    ///
    /// ```no_run
    /// # async fn example(session: autochanger::Session) -> Result<(), autochanger::Error> {
    /// use autochanger::Label;
    ///
    /// let label = Label { format: "backup".into(), id: b"set 7, tape 3"[..].into(), description: "".into() };
    /// session.update_label("VT0001L8", label).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "UpdateNtmsOmidInfo")]
    pub fn update_label(&self, cartridge: impl Into<CartridgeRef>, label: Label) -> UpdateLabelBuilder {
        UpdateLabelBuilder { cartridge: cartridge.into(), label, common: Common::new(self, true) }
    }
}

/// An identification to be asked for; see [`Session::identify`].
#[derive(Debug, Clone)]
#[must_use = "nothing is asked for until the builder is awaited or submitted"]
pub struct IdentifyBuilder {
    cartridge: CartridgeRef,
    keep: bool,
    common: Common,
}

impl IdentifyBuilder {
    /// Leaves the medium in the drive afterwards, until the drive is needed.
    #[doc(alias = "NTMS_DISMOUNT_DEFERRED")]
    pub fn keep(mut self) -> Self {
        self.keep = true;
        self
    }

    fn wanted(&self) -> Wanted {
        Wanted::Identify { cartridge: self.cartridge.clone(), keep: self.keep }
    }
}

request_builder!(IdentifyBuilder gives Identified);

/// A write of a free label to be asked for; see [`Session::write_free_label`].
#[derive(Debug, Clone)]
#[must_use = "nothing is asked for until the builder is awaited or submitted"]
pub struct WriteFreeLabelBuilder {
    cartridge: CartridgeRef,
    overwrite: bool,
    common: Common,
}

impl WriteFreeLabelBuilder {
    /// Although something else is written on it.
    pub fn overwrite(mut self) -> Self {
        self.overwrite = true;
        self
    }

    fn wanted(&self) -> Wanted {
        Wanted::WriteFreeLabel { cartridge: self.cartridge.clone(), overwrite: self.overwrite }
    }
}

request_builder!(WriteFreeLabelBuilder gives Identified);

/// A classification to be asked for; see [`Session::classify`].
#[derive(Debug, Clone)]
#[must_use = "nothing is asked for until the builder is awaited or submitted"]
pub struct ClassifyBuilder {
    cartridge: CartridgeRef,
    common: Common,
}

impl ClassifyBuilder {
    fn wanted(&self) -> Wanted {
        Wanted::Classify { cartridge: self.cartridge.clone() }
    }
}

request_builder!(ClassifyBuilder gives Classified);

/// A label to be recorded; see [`Session::update_label`].
#[derive(Debug, Clone)]
#[must_use = "nothing is asked for until the builder is awaited or submitted"]
pub struct UpdateLabelBuilder {
    cartridge: CartridgeRef,
    label: Label,
    common: Common,
}

impl UpdateLabelBuilder {
    fn wanted(&self) -> Wanted {
        Wanted::UpdateLabel { cartridge: self.cartridge.clone(), label: self.label.clone() }
    }
}

request_builder!(UpdateLabelBuilder gives Done);
