//! How far an inventory has come: what the reading of the elements found, and which labels were read.

use alloc::collections::BTreeSet;

use crate::id::{CartridgeId, RequestId};
use crate::library::elements::Elements;
use crate::request::{LabelsRead, Outcome};

/// What an inventory changed.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Reconciled {
    pub(crate) elements: u32,
    pub(crate) cartridges: u32,
    pub(crate) appeared: u32,
    pub(crate) missing: u32,
}

impl Reconciled {
    /// What is known without looking.
    pub(crate) fn known(elements: &Elements) -> Self {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let held = elements.iter().filter(|element| element.cartridge.is_some()).count();
        Self { elements: count(elements.iter().count()), cartridges: count(held), ..Self::default() }
    }

    pub(crate) fn outcome(self, labels: Option<LabelsRead>) -> Outcome {
        let Self { elements, cartridges, appeared, missing } = self;
        Outcome::Inventoried { elements, cartridges, appeared, missing, labels }
    }
}

/// How far an inventory has come with the labels.
#[derive(Debug, Clone, Default)]
pub(crate) struct Round {
    /// What the reading of the elements found.
    pub(super) found: Reconciled,
    /// What was tried in this round, well or not.
    pub(super) tried: BTreeSet<CartridgeId>,
    /// The identifications that are under way.
    pub(super) running: BTreeSet<RequestId>,
    pub(super) failed: u32,
}
