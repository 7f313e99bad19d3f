//! The operator's hands: cartridges that come and go without a command.

use core::time::Duration;

use alloc::string::String;

use autochanger_scsi::{ElementAddress, ElementType};

use crate::device::Device;
use crate::drive::State;
use crate::nexus::{MEDIUM_CHANGED, MICROCODE_CHANGED, PORT_ACCESSED};
use crate::shelves::{Cartridge, Medium};

/// Why hands cannot do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OperatorError {
    /// The library has no such element.
    #[error("the library has no element {0}")]
    NoSuchElement(ElementAddress),
    /// There is no cartridge in it.
    #[error("element {0} is empty")]
    Empty(ElementAddress),
    /// There is a cartridge in it.
    #[error("element {0} is full")]
    Full(ElementAddress),
    /// A host prevents the removal of media: doors and ports are locked.
    #[error("a host prevents the removal of media: ALLOW it first")]
    Locked,
    /// The drive has its cartridge threaded, or the arm is at work.
    #[error("element {0} is at work: wait, or unload it")]
    InUse(ElementAddress),
}

impl Device {
    /// Puts a data cartridge into a port, a slot or an empty drive by hand.
    ///
    /// Hosts find a unit attention: 28/01 for a port, 28/00 for any other element.
    ///
    /// # Errors
    /// [`OperatorError`] says what is in the way.
    pub fn operator_put(
        &mut self,
        element: impl Into<autochanger_scsi::ElementAddress>,
        barcode: &str,
    ) -> Result<(), OperatorError> {
        self.bring(element.into(), Cartridge::new(Medium::Data, Some(String::from(barcode))))
    }

    /// The same with a cleaning cartridge.
    ///
    /// # Errors
    /// [`OperatorError`] says what is in the way.
    pub fn operator_put_cleaner(
        &mut self,
        element: impl Into<autochanger_scsi::ElementAddress>,
        barcode: &str,
    ) -> Result<(), OperatorError> {
        self.bring(element.into(), Cartridge::new(Medium::Cleaning, Some(String::from(barcode))))
    }

    fn bring(&mut self, element: ElementAddress, cartridge: Cartridge) -> Result<(), OperatorError> {
        let place = self.reachable(element)?;
        if !self.shelves.is_empty(element) {
            return Err(OperatorError::Full(element));
        }
        self.put_by_hand(element, cartridge)?;
        self.tell_hosts(place);
        Ok(())
    }

    /// Takes a cartridge out of an element by hand; its barcode, empty if it has none.
    ///
    /// Also frees an arm or a drive of a cartridge that is stuck in it. Unit attentions as for
    /// [`operator_put`](Self::operator_put).
    ///
    /// # Errors
    /// [`OperatorError`] says what is in the way.
    pub fn operator_take(
        &mut self,
        element: impl Into<autochanger_scsi::ElementAddress>,
    ) -> Result<String, OperatorError> {
        let element = element.into();
        let place = self.reachable(element)?;
        let cartridge = self.shelves.take(element).map_err(|_| OperatorError::Empty(element))?;
        self.empty_drive(element);
        self.tell_hosts(place);
        Ok(cartridge.barcode.unwrap_or_default())
    }

    /// Exchanges the contents of two elements by hand; one may be empty.
    ///
    /// # Errors
    /// [`OperatorError`] says what is in the way.
    pub fn operator_swap(
        &mut self,
        one: impl Into<autochanger_scsi::ElementAddress>,
        other: impl Into<autochanger_scsi::ElementAddress>,
    ) -> Result<(), OperatorError> {
        let one = one.into();
        let other = other.into();
        let places = [self.reachable(one)?, self.reachable(other)?];
        let (first, second) = (self.shelves.take(one), self.shelves.take(other));
        self.empty_drive(one);
        self.empty_drive(other);
        for (element, cartridge) in [(other, first), (one, second)] {
            if let Ok(cartridge) = cartridge {
                self.put_by_hand(element, cartridge)?;
            }
        }
        places.into_iter().for_each(|place| self.tell_hosts(place));
        Ok(())
    }

    /// Presses a drive's eject button: the drive gives its cartridge to whoever takes it.
    ///
    /// # Errors
    /// [`OperatorError`] says what is in the way.
    pub fn operator_eject(
        &mut self,
        drive: impl Into<autochanger_scsi::ElementAddress>,
    ) -> Result<(), OperatorError> {
        let element = drive.into();
        let Some((ElementType::Drive, index)) = self.layout.locate(element) else {
            return Err(OperatorError::NoSuchElement(element));
        };
        let prevented = self.nexuses.prevented(index + 1);
        let drive = self.drives.get_mut(usize::from(index));
        let drive = drive.ok_or(OperatorError::NoSuchElement(element))?;
        match drive.state {
            State::Empty => Err(OperatorError::Empty(element)),
            State::Ready if prevented => Err(OperatorError::Locked),
            State::Ready | State::Ejected => {
                drive.enter(State::Ejected, self.now);
                Ok(())
            }
            State::Loading | State::Unloading | State::Cleaning => Err(OperatorError::InUse(element)),
        }
    }

    /// The next load of a cartridge takes so long: the first one of an LTO-9 cartridge calibrates it, which takes up to two
    /// hours. `false` where there is no such cartridge.
    pub fn next_load_takes(&mut self, barcode: &str, time: Duration) -> bool {
        let place = self.find(barcode);
        let cartridge = place.and_then(|place| self.shelves.cartridge_mut(place));
        cartridge.map(|cartridge| cartridge.next_load = Some(time)).is_some()
    }

    /// A cleaning cartridge can be used so often yet, in any drive; then drives eject it at once and raise TapeAlert flag 22.
    /// `false` where there is no such cartridge.
    pub fn cleaner_lasts(&mut self, barcode: &str, uses: u32) -> bool {
        let place = self.find(barcode);
        let cartridge = place.and_then(|place| self.shelves.cartridge_mut(place));
        cartridge.map(|cartridge| cartridge.cleanings = Some(uses)).is_some()
    }

    /// A drive asks to be cleaned, until it was: `required`, or only requested. `false` where there is no such drive.
    pub fn drive_asks_for_cleaning(
        &mut self,
        drive: impl Into<autochanger_scsi::ElementAddress>,
        required: bool,
    ) -> bool {
        let drive = drive.into();
        let drive = self.drives.iter_mut().find(|known| known.address == drive);
        drive.map(|drive| drive.dirty = Some(required)).is_some()
    }

    /// New firmware: the revision that INQUIRY tells is another, and hosts find a unit attention (3F/01).
    pub fn update_firmware(&mut self, revision: &str) {
        self.names.revision = String::from(revision);
        self.nexuses.post(0, MICROCODE_CHANGED, None);
    }

    /// Whether a drive asks to be cleaned.
    pub fn asks_for_cleaning(&self, drive: impl Into<autochanger_scsi::ElementAddress>) -> bool {
        let drive = drive.into();
        self.drives.iter().any(|known| known.address == drive && known.dirty.is_some())
    }

    /// A drive was cleaned by hand: it asks for it no more. `false` where there is no such drive.
    pub fn drive_was_cleaned(&mut self, drive: impl Into<autochanger_scsi::ElementAddress>) -> bool {
        let drive = drive.into();
        let drive = self.drives.iter_mut().find(|known| known.address == drive);
        drive.map(|drive| drive.dirty = None).is_some()
    }

    fn reachable(&self, element: ElementAddress) -> Result<ElementType, OperatorError> {
        let (element_type, index) =
            self.layout.locate(element).ok_or(OperatorError::NoSuchElement(element))?;
        if self.nexuses.prevented(0) {
            return Err(OperatorError::Locked);
        }
        let at_work = match element_type {
            ElementType::Drive => self
                .drives
                .get(usize::from(index))
                .is_some_and(|drive| !drive.accessible() && !drive.stuck && !drive.dead),
            ElementType::Transport => self.arm_busy(element),
            ElementType::Storage | ElementType::ImportExport => false,
        };
        if at_work { Err(OperatorError::InUse(element)) } else { Ok(element_type) }
    }

    fn put_by_hand(
        &mut self,
        element: ElementAddress,
        mut cartridge: Cartridge,
    ) -> Result<(), OperatorError> {
        cartridge.by_operator = true;
        cartridge.source = None;
        self.shelves.put(element, cartridge).map_err(|_| OperatorError::Full(element))?;
        if let Some((ElementType::Drive, index)) = self.layout.locate(element) {
            self.start_drive(usize::from(index), State::Loading, self.timing.load);
        }
        Ok(())
    }

    fn empty_drive(&mut self, element: ElementAddress) {
        if let Some((ElementType::Drive, index)) = self.layout.locate(element)
            && let Some(drive) = self.drives.get_mut(usize::from(index))
        {
            drive.enter(State::Empty, self.now);
        }
    }

    fn tell_hosts(&mut self, place: ElementType) {
        let code = if place == ElementType::ImportExport { PORT_ACCESSED } else { MEDIUM_CHANGED };
        self.nexuses.post(0, code, None);
    }
}
