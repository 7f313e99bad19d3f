//! After calm everyone has ended, nothing is reserved, and the catalogue equals the library.

use std::collections::BTreeMap;

use autochanger_engine::catalog::MotionState;
use autochanger_engine::request::Place;

use crate::watch::{Checker, Facts, Sight};

/// Looks once, at the end.
#[derive(Debug)]
pub(crate) struct Calm;

impl Checker for Calm {
    fn name(&self) -> &'static str {
        "calm"
    }

    fn see(&mut self, sight: &Sight<'_>, facts: &Facts<'_>) -> Result<(), String> {
        let Sight::Calm = sight else { return Ok(()) };
        if let Some(request) = facts.disk.requests.values().find(|request| !request.state.is_final()) {
            let shown = facts.view.request(request.id).map(|shown| shown.state);
            return Err(format!("{request:?} has not ended; it is shown as {shown:?}"));
        }
        if let Some(request) = facts.view.requests().first() {
            return Err(format!("{request:?} is live, and has ended on the disk"));
        }
        if let Some(motion) = facts.disk.motions.values().find(|motion| motion.state == MotionState::Open) {
            return Err(format!("{motion:?} is open"));
        }
        if let Some(drive) = facts.view.drives(None).iter().find(|drive| drive.reserved_by.is_some()) {
            return Err(format!("a drive is reserved by nobody who is live: {drive:?}"));
        }
        // They answer, and each is a unit of its changer's target.
        if let Some(drive) = facts.view.drives(None).iter().find(|drive| drive.device.is_none()) {
            return Err(format!("no way to a drive that answers is known: {drive:?}"));
        }
        self.catalogue_is_true(facts)
    }
}

impl Calm {
    fn catalogue_is_true(&self, facts: &Facts<'_>) -> Result<(), String> {
        let mut truth = BTreeMap::new();
        for (library, device) in facts.devices.0.iter().enumerate() {
            for (address, _, label) in device.contents() {
                if let Some(label) = label {
                    truth.insert((library, label), address);
                }
            }
        }
        for cartridge in facts.disk.cartridges.values() {
            let Some(library) = facts.library(cartridge.library) else { continue };
            let label = cartridge.barcode.as_deref().unwrap_or_default();
            let key = (library, label.to_owned());
            match &cartridge.place {
                Place::Element(name) => {
                    if truth.remove(&key) != Some(name.address) {
                        return Err(format!("{label} is not in {name}, where the catalogue has it"));
                    }
                }
                Place::Missing { .. } | Place::Outside { .. } => {}
                other => return Err(format!("{label}: its place is {other}")),
            }
        }
        match truth.first_key_value() {
            Some(((_, label), address)) => Err(format!("the catalogue does not have {label} in {address}")),
            None => Ok(()),
        }
    }
}
