//! The builder: what the simulated library looks like before anything happens.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering};

use autochanger_scsi::{ElementAddress, ElementType};

use crate::device::Device;
use crate::layout::{Layout, Range};
use crate::pattern::Pattern;
use crate::quirk::{Quirk, Quirks};
use crate::shelves::{Cartridge, Medium, Shelves};
use crate::timing::Timing;

/// A simulated library that is being described. [`build`](Self::build) makes the [`Device`].
///
/// Left as it is, it has 24 slots from address 1000, 2 drives from 500, 4 import/export elements from 10, one arm at
/// address 1, no cartridge, and takes no time for anything.
///
/// ```
/// use autochanger_sim::Library;
///
/// let device = Library::new().slots(24).drives(2).cartridges("VT{:04}L8", 1..=20).build();
/// assert_eq!(device.find("VT0007L8").map(|address| address.0), Some(1006));
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Library {
    pub(crate) arms: (u16, u16),
    pub(crate) slots: (u16, u16),
    pub(crate) ports: (u16, u16),
    pub(crate) drives: (u16, u16),
    stock: Vec<(Place, Medium, Barcodes)>,
    pub(crate) identity: Identity,
    pub(crate) timing: Timing,
    pub(crate) seed: u64,
    pub(crate) quirks: Quirks,
}

#[derive(Debug, Clone)]
enum Place {
    NextSlot,
    At(u16),
}

#[derive(Debug, Clone)]
enum Barcodes {
    None,
    One(String),
    Many(String, Vec<u32>),
}

/// Who the library says it is.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) vendor: String,
    pub(crate) product: String,
    pub(crate) revision: String,
    pub(crate) serial: Option<String>,
    pub(crate) drive_vendor: String,
    pub(crate) drive_product: String,
    /// Drives with another product, by their number from 0.
    pub(crate) other_products: BTreeMap<usize, String>,
}

/// Why a description makes no library.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// Two element ranges overlap, or one goes beyond address 65535.
    #[error(
        "the addresses of the {element_type} elements overlap others or go beyond 65535: move their first one"
    )]
    Addresses {
        /// The type whose range does not fit.
        element_type: ElementType,
    },
    /// There is no slot left for a cartridge.
    #[error("no slot is left for cartridge {barcode:?}: give the library more slots")]
    NoRoom {
        /// The cartridge that has no place.
        barcode: String,
    },
    /// A cartridge is placed where there is no element, or where there is a cartridge already.
    #[error("no cartridge can be placed at {address}: no such element, or it is full")]
    Place {
        /// The address asked for.
        address: ElementAddress,
    },
    /// The pattern is not text with at most one `{}`, `{:N}` or `{:0N}`.
    #[error("{pattern:?} is no barcode pattern: write text with one {{:04}} in it")]
    Pattern {
        /// The pattern as given.
        pattern: String,
    },
    /// More drives than there are logical unit numbers for them.
    #[error("at most {MAX_DRIVES} drives fit behind one target: ask for fewer")]
    TooManyDrives,
}

/// The single-level LUN format with flat addressing ends at 16383 (SAM-5 4.7.7), and LUN 0 is the changer.
pub const MAX_DRIVES: u16 = 16_382;

/// Tells libraries of one process apart that were given no serial number.
static NEXT_SERIAL: AtomicU32 = AtomicU32::new(1);

impl Library {
    /// The library described above.
    pub fn new() -> Self {
        Self {
            arms: (1, 1),
            slots: (1000, 24),
            ports: (10, 4),
            drives: (500, 2),
            stock: Vec::new(),
            identity: Identity {
                vendor: String::from("AUTOCHGR"),
                product: String::from("SIM LIBRARY"),
                revision: String::from("0001"),
                serial: None,
                drive_vendor: String::from("AUTOCHGR"),
                drive_product: String::from("SIM LTO-8"),
                other_products: BTreeMap::new(),
            },
            timing: Timing::none(),
            seed: 0,
            quirks: Quirks::default(),
        }
    }

    /// The number of storage elements.
    pub fn slots(mut self, count: u16) -> Self {
        self.slots.1 = count;
        self
    }

    /// The number of drives. Drive `n` (from 0) is logical unit `n + 1`.
    pub fn drives(mut self, count: u16) -> Self {
        self.drives.1 = count;
        self
    }

    /// The number of import/export elements.
    pub fn ports(mut self, count: u16) -> Self {
        self.ports.1 = count;
        self
    }

    /// The number of medium transport elements. Each moves for itself.
    pub fn arms(mut self, count: u16) -> Self {
        self.arms.1 = count;
        self
    }

    /// The address of the first storage element.
    pub fn first_slot(mut self, address: u16) -> Self {
        self.slots.0 = address;
        self
    }

    /// The address of the first drive.
    pub fn first_drive(mut self, address: u16) -> Self {
        self.drives.0 = address;
        self
    }

    /// The address of the first import/export element.
    pub fn first_port(mut self, address: u16) -> Self {
        self.ports.0 = address;
        self
    }

    /// The address of the first medium transport element.
    pub fn first_arm(mut self, address: u16) -> Self {
        self.arms.0 = address;
        self
    }

    /// Data cartridges in the next free slots, one for each number, with the barcode that the pattern gives:
    /// `"VT{:04}L8"`. A pattern has at most one `{}`, `{:N}` (padded with spaces) or `{:0N}` (with zeros).
    pub fn cartridges(mut self, pattern: &str, numbers: impl IntoIterator<Item = u32>) -> Self {
        let numbers = numbers.into_iter().collect();
        self.stock.push((Place::NextSlot, Medium::Data, Barcodes::Many(pattern.into(), numbers)));
        self
    }

    /// A data cartridge in the element with this address (a slot, a port, also a drive).
    pub fn cartridge_at(
        mut self,
        address: impl Into<autochanger_scsi::ElementAddress>,
        barcode: &str,
    ) -> Self {
        let address = address.into();
        self.stock.push((Place::At(address.0), Medium::Data, Barcodes::One(barcode.into())));
        self
    }

    /// A data cartridge without a readable label in the element with this address.
    pub fn unlabelled_at(mut self, address: impl Into<autochanger_scsi::ElementAddress>) -> Self {
        let address = address.into();
        self.stock.push((Place::At(address.0), Medium::Data, Barcodes::None));
        self
    }

    /// A cleaning cartridge in the next free slot.
    pub fn cleaning_cartridge(mut self, barcode: &str) -> Self {
        self.stock.push((Place::NextSlot, Medium::Cleaning, Barcodes::One(barcode.into())));
        self
    }

    /// The library's serial number (VPD page 80h). Without one each library of the process gets its own.
    pub fn serial(mut self, serial: &str) -> Self {
        self.identity.serial = Some(serial.into());
        self
    }

    /// Whether a serial number was given.
    pub fn has_serial(&self) -> bool {
        self.identity.serial.is_some()
    }

    /// The library's vendor (INQUIRY, 8 characters).
    pub fn vendor(mut self, vendor: &str) -> Self {
        self.identity.vendor = vendor.into();
        self
    }

    /// The library's product (INQUIRY, 16 characters).
    pub fn product(mut self, product: &str) -> Self {
        self.identity.product = product.into();
        self
    }

    /// The drives' vendor and product (INQUIRY and device identifiers, 8 and 16 characters).
    pub fn drive_product(mut self, vendor: &str, product: &str) -> Self {
        self.identity.drive_vendor = vendor.into();
        self.identity.drive_product = product.into();
        self
    }

    /// One drive's product, counted from 0, where it is another than the others': a library with drives of several generations.
    pub fn drive_product_of(mut self, drive: usize, product: &str) -> Self {
        self.identity.other_products.insert(drive, product.into());
        self
    }

    /// How long things take; nothing by default.
    pub fn timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// The seed of the variation in [`Timing::jitter_percent`].
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Makes the library deviate from the standard. May be called for several quirks.
    pub fn quirk(mut self, quirk: Quirk) -> Self {
        self.quirks.set(quirk);
        self
    }

    /// Whether the library knows EXCHANGE MEDIUM; it does by default.
    pub fn exchange(mut self, capable: bool) -> Self {
        if capable {
            self.quirks.clear(Quirk::NoExchange);
        } else {
            self.quirks.set(Quirk::NoExchange);
        }
        self
    }

    /// Makes the device.
    ///
    /// # Panics
    /// If the description makes no library; [`try_build`](Self::try_build) says why instead.
    #[must_use]
    pub fn build(self) -> Device {
        match self.try_build() {
            Ok(device) => device,
            Err(error) => panic!("{error}"),
        }
    }

    /// Makes the device.
    ///
    /// # Errors
    /// [`LayoutError`] says what does not fit together.
    pub fn try_build(mut self) -> Result<Device, LayoutError> {
        if self.drives.1 > MAX_DRIVES {
            return Err(LayoutError::TooManyDrives);
        }
        let range = |(first, count)| Range { first, count };
        let layout = Layout::new(range(self.arms), range(self.slots), range(self.ports), range(self.drives))
            .map_err(|element_type| LayoutError::Addresses { element_type })?;
        if self.identity.serial.is_none() {
            let number = NEXT_SERIAL.fetch_add(1, Ordering::Relaxed);
            self.identity.serial = Some(format!("SIM{number:05}"));
        }
        let mut shelves = Shelves::new(&layout);
        for (place, medium, barcodes) in core::mem::take(&mut self.stock) {
            stock(&mut shelves, &layout, &place, medium, barcodes)?;
        }
        Ok(Device::new(self, layout, shelves))
    }
}

impl Default for Library {
    fn default() -> Self {
        Self::new()
    }
}

fn stock(
    shelves: &mut Shelves,
    layout: &Layout,
    place: &Place,
    medium: Medium,
    barcodes: Barcodes,
) -> Result<(), LayoutError> {
    let barcodes = match barcodes {
        Barcodes::None => alloc::vec![None],
        Barcodes::One(barcode) => alloc::vec![Some(barcode)],
        Barcodes::Many(pattern, numbers) => {
            let Some(parsed) = Pattern::parse(&pattern) else {
                return Err(LayoutError::Pattern { pattern });
            };
            numbers.into_iter().map(|number| Some(parsed.fill(number))).collect()
        }
    };
    let mut slots = layout.addresses(ElementType::Storage);
    for barcode in barcodes {
        let address = match place {
            Place::At(address) => ElementAddress(*address),
            Place::NextSlot => slots
                .find(|address| shelves.is_empty(*address))
                .ok_or_else(|| LayoutError::NoRoom { barcode: barcode.clone().unwrap_or_default() })?,
        };
        shelves.put(address, Cartridge::new(medium, barcode)).map_err(|_| LayoutError::Place { address })?;
    }
    Ok(())
}
