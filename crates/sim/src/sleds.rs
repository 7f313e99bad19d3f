//! The operator's hands: drives that are taken out with their sleds, and put in.

use alloc::string::String;
use alloc::vec::Vec;

use autochanger_scsi::{ElementAddress, ElementType};

use crate::device::Device;
use crate::drive::{Drive, State};
use crate::nexus::{DRIVE_INSERTED, DRIVE_REMOVED, INQUIRY_CHANGED, MEDIUM_CHANGED, POWER_ON};
use crate::operator::OperatorError;
use crate::quirk::Quirk;

impl Device {
    /// Takes a drive out and puts another one of the same product into its bay, which has that serial number.
    ///
    /// The logical unit is the bay's: hosts find the unit attentions 29/00 and 3F/03 there, and 3B/1A and 3B/1B at the changer.
    ///
    /// # Errors
    /// [`OperatorError`] says what is in the way: a drive is taken out empty.
    pub fn replace_drive(
        &mut self,
        drive: impl Into<ElementAddress>,
        serial: &str,
    ) -> Result<(), OperatorError> {
        let address = drive.into();
        let index = self.sled(address)?;
        if !self.shelves.is_empty(address) {
            return Err(OperatorError::Full(address));
        }
        if let Some(drive) = self.drives.get_mut(index) {
            *drive = Drive::new(address, false);
        }
        self.names.replace_drive(index, serial);
        self.tell_of_sleds(&[index]);
        Ok(())
    }

    /// Lets two drives change their bays, each with the cartridge that is in it.
    ///
    /// Unit attentions as for [`replace_drive`](Self::replace_drive).
    ///
    /// # Errors
    /// [`OperatorError`] says what is in the way.
    pub fn swap_drives(
        &mut self,
        one: impl Into<ElementAddress>,
        other: impl Into<ElementAddress>,
    ) -> Result<(), OperatorError> {
        let (one, other) = (one.into(), other.into());
        let bays = (self.sled(one)?, self.sled(other)?);
        self.change_bays((one, bays.0), (other, bays.1))
    }

    /// The same, whatever the drives are doing: hands that pull a sled ask nobody. The answers of their commands are lost. With power
    /// again a drive threads the cartridge that was not ejected, and goes on with a cleaning.
    ///
    /// # Errors
    /// [`OperatorError`] says what is in the way.
    pub fn swap_drives_at_work(
        &mut self,
        one: impl Into<ElementAddress>,
        other: impl Into<ElementAddress>,
    ) -> Result<(), OperatorError> {
        let (one, other) = (one.into(), other.into());
        let (first, second) = (self.bay(one)?, self.bay(other)?);
        self.cut_off(&[first, second]);
        self.change_bays((one, first), (other, second))?;
        for index in [first, second] {
            match self.drives.get(index).map(|drive| drive.state) {
                Some(State::Loading | State::Unloading) => {
                    self.start_drive(index, State::Loading, self.timing.load);
                }
                Some(State::Cleaning) => {
                    self.start_drive(index, State::Cleaning, self.timing.clean);
                }
                _ => {}
            }
            if let Some(drive) = self.drives.get_mut(index) {
                drive.position = 0;
            }
        }
        Ok(())
    }

    /// Takes a drive out with the cartridge that is in it, whatever it is doing, and puts an empty one of the same product into its
    /// bay; the barcode of what left with it. Unit attentions as for [`replace_drive`](Self::replace_drive).
    ///
    /// # Errors
    /// [`OperatorError`] says what is in the way.
    pub fn pull_drive(
        &mut self,
        drive: impl Into<ElementAddress>,
        serial: &str,
    ) -> Result<Option<String>, OperatorError> {
        let address = drive.into();
        let index = self.bay(address)?;
        self.cut_off(&[index]);
        let cartridge = self.shelves.take(address).ok();
        if let Some(drive) = self.drives.get_mut(index) {
            *drive = Drive { generation: drive.generation, ..Drive::new(address, false) };
        }
        self.names.replace_drive(index, serial);
        self.tell_of_sleds(&[index]);
        Ok(cartridge.map(|cartridge| cartridge.barcode.unwrap_or_default()))
    }

    /// The product identification of the drive in a bay; `None` where there is no such bay.
    pub fn drive_product(&self, drive: impl Into<ElementAddress>) -> Option<&str> {
        self.bay(drive.into()).ok().map(|index| self.names.product_of(index).as_str())
    }

    /// The drives have no power: their commands get no answer, and what they had begun does not come to its end.
    fn cut_off(&mut self, bays: &[usize]) {
        let next = self.drives.iter().map(|drive| drive.generation).max().unwrap_or(0).saturating_add(1);
        for bay in bays {
            if let Some(drive) = self.drives.get_mut(*bay) {
                drive.generation = next;
            }
        }
        let units: Vec<u16> = bays.iter().filter_map(|bay| u16::try_from(bay + 1).ok()).collect();
        self.abandon(|task| units.contains(&task.unit.lun), false);
        self.tasks.retain(|_, task| !units.contains(&task.unit.lun));
    }

    fn change_bays(
        &mut self,
        (one, first): (ElementAddress, usize),
        (other, second): (ElementAddress, usize),
    ) -> Result<(), OperatorError> {
        let cartridges = (self.shelves.take(one), self.shelves.take(other));
        for (element, cartridge) in [(one, cartridges.1), (other, cartridges.0)] {
            if let Ok(cartridge) = cartridge {
                self.shelves.put(element, cartridge).map_err(|_| OperatorError::Full(element))?;
            }
        }
        self.drives.swap(first, second);
        for (index, address) in [(first, one), (second, other)] {
            if let Some(drive) = self.drives.get_mut(index) {
                drive.address = address;
            }
        }
        self.names.swap_drives(first, second);
        self.tell_of_sleds(&[first, second]);
        Ok(())
    }

    /// The number of a bay.
    fn bay(&self, address: ElementAddress) -> Result<usize, OperatorError> {
        match self.layout.locate(address) {
            Some((ElementType::Drive, index)) => Ok(usize::from(index)),
            _ => Err(OperatorError::NoSuchElement(address)),
        }
    }

    /// The number of a bay whose drive is at rest.
    fn sled(&self, address: ElementAddress) -> Result<usize, OperatorError> {
        let index = self.bay(address)?;
        let at_work =
            |drive: &Drive| matches!(drive.state, State::Loading | State::Unloading | State::Cleaning);
        match self.drives.get(index) {
            Some(drive) if !at_work(drive) => Ok(index),
            Some(_) => Err(OperatorError::InUse(address)),
            None => Err(OperatorError::NoSuchElement(address)),
        }
    }

    fn tell_of_sleds(&mut self, bays: &[usize]) {
        let plainly = !self.quirks.has(Quirk::SledsAsMediumChange);
        let codes: &[_] = if plainly { &[DRIVE_REMOVED, DRIVE_INSERTED] } else { &[MEDIUM_CHANGED] };
        codes.iter().for_each(|code| self.nexuses.post(0, *code, None));
        for bay in bays {
            let unit = u16::try_from(bay + 1).unwrap_or(u16::MAX);
            self.nexuses.allow_all(unit);
            self.nexuses.post(unit, POWER_ON, None);
            self.nexuses.post(unit, INQUIRY_CHANGED, None);
        }
    }
}
