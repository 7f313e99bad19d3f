//! Which commands a fault or a hold is meant for.

use autochanger_scsi::ElementAddress;

use crate::answer::Unit;

/// The features of a command that a selector looks at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) unit: Unit,
    pub(crate) opcode: u8,
    pub(crate) source: Option<ElementAddress>,
    pub(crate) destination: Option<ElementAddress>,
}

/// The conditions, all of which must hold. Empty ones hold for every command.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Selector {
    pub(crate) opcode: Option<u8>,
    pub(crate) lun: Option<u16>,
    pub(crate) source: Option<ElementAddress>,
    pub(crate) destination: Option<ElementAddress>,
}

impl Selector {
    pub(crate) fn matches(&self, seen: &Seen) -> bool {
        self.opcode.is_none_or(|opcode| opcode == seen.opcode)
            && self.lun.is_none_or(|lun| lun == seen.unit.lun)
            && self.source.is_none_or(|source| Some(source) == seen.source)
            && self.destination.is_none_or(|destination| Some(destination) == seen.destination)
    }
}

/// Gives a type with a `selector` field the methods that narrow it.
macro_rules! selecting {
    ($name:ident) => {
        impl $name {
            /// Only commands with this operation code: `0xA5` is MOVE MEDIUM.
            pub fn on(mut self, opcode: u8) -> Self {
                self.selector.opcode = Some(opcode);
                self
            }

            /// Only MOVE MEDIUM commands.
            pub fn on_move(self) -> Self {
                self.on(autochanger_scsi::MoveMedium::OPCODE)
            }

            /// Only commands to this logical unit: 0 is the changer, `n + 1` is drive `n`.
            pub fn lun(mut self, lun: u16) -> Self {
                self.selector.lun = Some(lun);
                self
            }

            /// Only motions that take a cartridge from this element.
            pub fn from(mut self, element: impl Into<autochanger_scsi::ElementAddress>) -> Self {
                let element = element.into();
                self.selector.source = Some(element);
                self
            }

            /// Only motions that bring a cartridge to this element.
            pub fn to(mut self, element: impl Into<autochanger_scsi::ElementAddress>) -> Self {
                let element = element.into();
                self.selector.destination = Some(element);
                self
            }
        }
    };
}
pub(crate) use selecting;
