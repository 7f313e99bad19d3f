//! What is where: the elements and the cartridges in them. The truth that a report only describes.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use autochanger_scsi::{ElementAddress, ElementType};

use crate::layout::Layout;
use crate::memory::Memory;
use crate::recording::Record;

/// What kind of medium a cartridge holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Medium {
    Data,
    Cleaning,
}

/// A cartridge. It exists once: it is moved, never copied.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cartridge {
    pub(crate) medium: Medium,
    /// The label; `None` where it has none that can be read.
    pub(crate) barcode: Option<String>,
    /// The storage or import/export element that it was last taken from.
    pub(crate) source: Option<ElementAddress>,
    /// Whether an operator put it where it is (IMPEXP).
    pub(crate) by_operator: bool,
    /// What hosts wrote into its memory chip.
    pub(crate) memory: Memory,
    /// What hosts wrote on its tape.
    pub(crate) recording: Vec<Record>,
    /// Its write-protect tab is set.
    pub(crate) write_protected: bool,
    /// How often a drive took it in.
    pub(crate) loads: u64,
    /// How long its next load takes, where that is not the drive's usual time.
    pub(crate) next_load: Option<Duration>,
    /// How often it can clean yet, where it is a cleaning cartridge; `None`: always.
    pub(crate) cleanings: Option<u32>,
}

impl Cartridge {
    pub(crate) fn new(medium: Medium, barcode: Option<String>) -> Self {
        Self {
            medium,
            barcode,
            source: None,
            by_operator: true,
            memory: Memory::new(),
            recording: Vec::new(),
            write_protected: false,
            loads: 0,
            next_load: None,
            cleanings: None,
        }
    }

    /// The serial number in its memory chip.
    pub(crate) fn serial(&self) -> String {
        format!("SIM{}", self.barcode.as_deref().unwrap_or("UNLABELLED"))
    }
}

/// Why a cartridge is not where it was asked for or asked to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShelfError {
    NoSuchElement,
    Empty,
    Full,
}

/// One element, as a report shows it.
#[derive(Debug)]
pub(crate) struct Shelf {
    pub(crate) address: ElementAddress,
    pub(crate) element_type: ElementType,
    pub(crate) cartridge: Option<Cartridge>,
}

/// All elements, grouped by type in the order of the type codes, ascending within.
#[derive(Debug)]
pub(crate) struct Shelves {
    layout: Layout,
    groups: [Vec<Shelf>; 4],
}

impl Shelves {
    pub(crate) fn new(layout: &Layout) -> Self {
        let group = |element_type| {
            layout
                .addresses(element_type)
                .map(|address| Shelf { address, element_type, cartridge: None })
                .collect()
        };
        Self {
            layout: layout.clone(),
            groups: [
                group(ElementType::Transport),
                group(ElementType::Storage),
                group(ElementType::ImportExport),
                group(ElementType::Drive),
            ],
        }
    }

    pub(crate) fn group(&self, element_type: ElementType) -> &[Shelf] {
        self.groups.get(group_index(element_type)).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Shelf> {
        self.groups.iter().flatten()
    }

    pub(crate) fn cartridge(&self, address: ElementAddress) -> Option<&Cartridge> {
        let (element_type, index) = self.layout.locate(address)?;
        self.group(element_type).get(usize::from(index))?.cartridge.as_ref()
    }

    pub(crate) fn cartridge_mut(&mut self, address: ElementAddress) -> Option<&mut Cartridge> {
        self.shelf(address)?.cartridge.as_mut()
    }

    /// Whether the element exists and holds nothing.
    pub(crate) fn is_empty(&self, address: ElementAddress) -> bool {
        self.layout.locate(address).is_some() && self.cartridge(address).is_none()
    }

    /// Puts a cartridge into an empty element; gives it back where that cannot be.
    pub(crate) fn put(
        &mut self,
        address: ElementAddress,
        cartridge: Cartridge,
    ) -> Result<(), (ShelfError, Cartridge)> {
        match self.shelf(address) {
            None => Err((ShelfError::NoSuchElement, cartridge)),
            Some(Shelf { cartridge: Some(_), .. }) => Err((ShelfError::Full, cartridge)),
            Some(shelf) => {
                shelf.cartridge = Some(cartridge);
                Ok(())
            }
        }
    }

    /// Takes the cartridge out of an element.
    pub(crate) fn take(&mut self, address: ElementAddress) -> Result<Cartridge, ShelfError> {
        let shelf = self.shelf(address).ok_or(ShelfError::NoSuchElement)?;
        shelf.cartridge.take().ok_or(ShelfError::Empty)
    }

    /// Elements have other addresses, with what is in them.
    pub(crate) fn renumber(&mut self, layout: &Layout, now: impl Fn(ElementAddress) -> ElementAddress) {
        self.layout = layout.clone();
        for shelf in self.groups.iter_mut().flatten() {
            shelf.address = now(shelf.address);
            if let Some(cartridge) = &mut shelf.cartridge {
                cartridge.source = cartridge.source.map(&now);
            }
        }
    }

    fn shelf(&mut self, address: ElementAddress) -> Option<&mut Shelf> {
        let (element_type, index) = self.layout.locate(address)?;
        self.groups.get_mut(group_index(element_type))?.get_mut(usize::from(index))
    }
}

fn group_index(element_type: ElementType) -> usize {
    (element_type as usize).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Range;

    #[test]
    fn an_element_holds_one_cartridge() {
        let range = |first, count| Range { first, count };
        let layout = Layout::new(range(1, 1), range(1000, 2), range(10, 1), range(500, 1)).expect("layout");
        let mut shelves = Shelves::new(&layout);
        let cartridge = |name: &str| Cartridge::new(Medium::Data, Some(name.into()));
        assert_eq!(shelves.put(ElementAddress(1000), cartridge("A")), Ok(()));
        assert_eq!(
            shelves.put(ElementAddress(1000), cartridge("B")),
            Err((ShelfError::Full, cartridge("B")))
        );
        assert_eq!(
            shelves.put(ElementAddress(7), cartridge("B")),
            Err((ShelfError::NoSuchElement, cartridge("B")))
        );
        assert_eq!(shelves.take(ElementAddress(1000)), Ok(cartridge("A")));
        assert_eq!(shelves.take(ElementAddress(1000)), Err(ShelfError::Empty));
    }
}
