//! Each cartridge is in one place: no label stands twice in the catalogue of a library, no element holds two.

use std::collections::{BTreeMap, BTreeSet};

use autochanger_engine::Change;
use autochanger_engine::catalog::{Cartridge, MotionState};
use autochanger_engine::id::{CartridgeId, RequestId};
use autochanger_engine::request::Place;

use crate::watch::{Checker, Facts, Sight, Way};

/// Looks at the catalogue as each batch leaves it. The labels of a story are unique. Where hands were, the catalogue cannot
/// know who stands in an element before it is read again.
#[derive(Debug, Default)]
pub(crate) struct Places {
    touched: BTreeSet<String>,
}

impl Checker for Places {
    fn name(&self) -> &'static str {
        "places"
    }

    fn see(&mut self, sight: &Sight<'_>, facts: &Facts<'_>) -> Result<(), String> {
        if let Sight::Hands(labels) = sight {
            self.touched.extend(labels.iter().cloned());
        }
        if let Sight::Send { ways, .. } = sight {
            return ways.iter().try_for_each(|way| leaves_the_unknown_alone(*way, facts));
        }
        let Sight::Commit(changes) = sight else { return Ok(()) };
        let untouched = |cartridge: &Cartridge| {
            !cartridge.barcode.as_deref().is_some_and(|label| self.touched.contains(label))
        };
        let changed: BTreeMap<CartridgeId, &Cartridge> = changes
            .iter()
            .filter_map(|change| match change {
                Change::Cartridge(cartridge) => Some((cartridge.id, cartridge)),
                _ => None,
            })
            .collect();
        let gone: BTreeSet<CartridgeId> = changes
            .iter()
            .filter_map(|change| if let Change::CartridgeGone(id) = change { Some(*id) } else { None })
            .collect();
        if !changed.is_empty() {
            let kept = facts.disk.cartridges.values();
            let kept = kept.filter(|kept| !changed.contains_key(&kept.id) && !gone.contains(&kept.id));
            // Of a motion that is not settled the catalogue has the source, whoever has come there meanwhile: an exchange after a
            // power loss is settled one half after the other.
            let away = open_motions(changes, facts);
            let all = kept.chain(changed.values().copied()).filter(|cartridge| !away.contains(&cartridge.id));
            let (mut labels, mut elements) = (BTreeMap::new(), BTreeMap::new());
            for cartridge in all {
                let name = match &cartridge.place {
                    Place::Element(name) => *name,
                    // It is somewhere, and so nowhere else.
                    Place::Unknown { one_of } => {
                        if let (Some(label), Some(name)) = (&cartridge.barcode, one_of.first())
                            && let Some(other) = labels.insert((cartridge.library, label), *name)
                        {
                            return Err(format!(
                                "{label} is in {other}, and in an unknown place: {}",
                                cartridge.place
                            ));
                        }
                        continue;
                    }
                    _ => continue,
                };
                if let Some(other) = elements.insert((cartridge.library, name.address), cartridge)
                    && untouched(other)
                    && untouched(cartridge)
                {
                    return Err(format!("{name} holds two: {other:?} and {cartridge:?}"));
                }
                if let Some(label) = &cartridge.barcode
                    && let Some(other) = labels.insert((cartridge.library, label), name)
                {
                    return Err(format!("{label} is in {other} and in {name}"));
                }
            }
        }
        self.one_mount_in_a_drive(changes, facts)
    }
}

/// A cartridge in an unknown place is not moved, and where it can be nothing is put.
fn leaves_the_unknown_alone(way: Way, facts: &Facts<'_>) -> Result<(), String> {
    let Some(motion) = way.intent.and_then(|intent| facts.disk.motions.get(&intent)) else { return Ok(()) };
    for cartridge in facts.disk.cartridges.values().filter(|it| it.library == motion.library) {
        let Place::Unknown { one_of } = &cartridge.place else { continue };
        if cartridge.id == motion.cartridge {
            return Err(format!(
                "{:?} is moved from {}, and its place is {}",
                cartridge.barcode, way.source, cartridge.place
            ));
        }
        if one_of.iter().any(|name| name.address.0 == way.destination) {
            let label = cartridge.barcode.as_deref().unwrap_or("-");
            return Err(format!(
                "something is put into {}, where {label} can be: {}",
                way.destination, cartridge.place
            ));
        }
    }
    Ok(())
}

/// The cartridges whose motions are open once the batch is on the disk.
fn open_motions(changes: &[Change], facts: &Facts<'_>) -> BTreeSet<CartridgeId> {
    let mut motions: BTreeMap<_, _> = facts
        .disk
        .motions
        .iter()
        .filter(|(_, motion)| motion.state == MotionState::Open)
        .map(|(&key, motion)| (key, (motion.cartridge, motion.state)))
        .collect();
    for change in changes {
        if let Change::Motion(motion) = change {
            motions.insert((motion.request, motion.sequence), (motion.cartridge, motion.state));
        }
    }
    motions.into_values().filter(|(_, state)| *state == MotionState::Open).map(|(id, _)| id).collect()
}

impl Places {
    fn one_mount_in_a_drive(&self, changes: &[Change], facts: &Facts<'_>) -> Result<(), String> {
        if !changes.iter().any(|change| matches!(change, Change::Mount(_))) {
            return Ok(());
        }
        let mut mounts: BTreeMap<RequestId, _> = facts.disk.mounts.clone();
        for change in changes {
            match change {
                Change::Mount(mount) => drop(mounts.insert(mount.id, mount.clone())),
                Change::MountEnded(id) => drop(mounts.remove(id)),
                _ => {}
            }
        }
        let away = open_motions(changes, facts);
        let mut drives = BTreeMap::new();
        for mount in mounts.values().filter(|mount| !away.contains(&mount.cartridge)) {
            if let Some(other) = drives.insert((mount.library, mount.drive), mount.id) {
                return Err(format!("drive {} has two mounts: {other} and {}", mount.drive, mount.id));
            }
        }
        Ok(())
    }
}
