//! What was concluded of a motion is so, and stays so: also when a move completes after the look.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use autochanger_engine::catalog::{MotionState, Service};
use autochanger_engine::id::{CartridgeId, CommandId, Device, Path};
use autochanger_engine::request::{FailureKind, Operation, Outcome, Place, Request, State, Wanted};
use autochanger_engine::view::LibraryState;
use autochanger_engine::{Change, Input};
use autochanger_sim::{Device as Simulated, ElementType};

use crate::act::FIRST_DRIVE;
use crate::perform::TEST_UNIT_READY;
use crate::watch::{Checker, Facts, Sight};

/// Where a cartridge must be until something is sent for it again, or hands are there.
#[derive(Debug)]
struct Standing {
    library: usize,
    address: u16,
    label: Arc<str>,
    why: MotionState,
}

/// Holds conclusions against the simulated libraries. Cartridges that hands have touched are left out from then on.
#[derive(Debug, Default)]
pub(crate) struct Truth {
    standing: BTreeMap<CartridgeId, Standing>,
    touched: BTreeSet<String>,
    /// Hands have been somewhere.
    hands: bool,
    /// Motions that took effect when it was looked last.
    done: u64,
    /// Intents that were deleted and may have had an effect.
    purged: u64,
    /// Commands that are under way to a drive; whether it is one that asks how it is.
    asked: BTreeMap<CommandId, (Path, bool)>,
    /// Drives that a command did not reach, or whose answer did not come, and that have not said since how they are.
    unheard: BTreeSet<Path>,
    /// Libraries in whose bays hands were: which drive it was that said that it is clean cannot be seen from outside, and a motion that
    /// was under way takes what is in the bay then.
    sleds: BTreeSet<usize>,
    /// Libraries that are disabled, or were when what is on its way to a disk that stalls was decided.
    disabled: BTreeSet<usize>,
}

impl Checker for Truth {
    fn name(&self) -> &'static str {
        "truth"
    }

    fn see(&mut self, sight: &Sight<'_>, facts: &Facts<'_>) -> Result<(), String> {
        match sight {
            Sight::Purge(ids) => {
                let gone = facts.disk.motions.values().filter(|motion| ids.contains(&motion.request));
                self.purged += gone.filter(|motion| may_have_effect(motion.state)).count() as u64;
            }
            Sight::Hands(labels) => {
                self.hands = true;
                self.touched.extend(labels.iter().cloned());
                self.standing.retain(|_, standing| !self.touched.contains(&*standing.label));
            }
            Sight::Sleds(library) => drop(self.sleds.insert(*library)),
            Sight::Restart => self.asked.clear(),
            Sight::Input(Input::Completed { command, result }) => {
                if let Some((path, how_it_is)) = self.asked.remove(command) {
                    match result {
                        Ok(_) if how_it_is => drop(self.unheard.remove(&path)),
                        Ok(_) => {}
                        Err(_) => drop(self.unheard.insert(path)),
                    }
                }
            }
            Sight::Send { path, id, ways, cdb } => {
                if matches!(path.device, Device::Sibling(_)) {
                    let how_it_is = cdb.first() == Some(&TEST_UNIT_READY);
                    self.asked.insert(*id, (*path, how_it_is));
                }
                for intent in ways.iter().filter_map(|way| way.intent) {
                    if let Some(motion) = facts.disk.motions.get(&intent) {
                        self.standing.remove(&motion.cartridge);
                    }
                }
            }
            Sight::Commit(changes) => {
                self.disabled.extend(changes.iter().filter_map(|change| match change {
                    Change::Request(request) if request.operation() == Operation::DisableLibrary => {
                        facts.library(request.library)
                    }
                    _ => None,
                }));
                for change in *changes {
                    match change {
                        Change::Motion(motion) => {
                            let goal = match motion.state {
                                MotionState::Moved => motion.destination,
                                MotionState::NotMoved | MotionState::NotSent => motion.source,
                                _ => continue,
                            };
                            self.stands(motion.cartridge, goal.address.0, motion.state, facts)?;
                        }
                        Change::Request(request) => self.ended(request, changes, facts)?,
                        _ => {}
                    }
                }
            }
            Sight::Passed | Sight::Calm => {
                self.serve_again(facts);
                self.known_again(facts);
                return self.look(facts);
            }
            _ => {}
        }
        Ok(())
    }
}

impl Truth {
    fn stands(
        &mut self,
        cartridge: CartridgeId,
        address: u16,
        why: MotionState,
        facts: &Facts<'_>,
    ) -> Result<(), String> {
        let Some(record) = facts.disk.cartridges.get(&cartridge) else { return Ok(()) };
        let (Some(label), Some(library)) = (record.barcode.clone(), facts.library(record.library)) else {
            return Ok(());
        };
        if self.touched.contains(&*label) {
            return Ok(());
        }
        let standing = Standing { library, address, label, why };
        standing.look(facts)?;
        self.standing.insert(cartridge, standing);
        Ok(())
    }

    /// A request that has ended says where its cartridge is.
    fn ended(&self, request: &Request, changes: &[Change], facts: &Facts<'_>) -> Result<(), String> {
        let address = match &request.state {
            State::Passed(Outcome::Mounted { drive, .. }) => drive.0,
            State::Passed(Outcome::Dismounted { slot }) => slot.0,
            State::Passed(Outcome::Ejected { port }) => port.0,
            State::Passed(Outcome::Cleaned { .. }) => return self.is_clean(request, facts),
            State::Stopped { place: Some(Place::Element(name)), .. } => name.address.0,
            State::Failed(failure) if failure.kind == FailureKind::Group => {
                return self.went_home(request, changes, facts);
            }
            _ => return Ok(()),
        };
        let (Some(label), Some(library)) = (&request.barcode, facts.library(request.library)) else {
            return Ok(());
        };
        // Somebody else's motion of the same cartridge may be under way: then its place is that one's matter.
        let moving = facts.disk.motions.values().any(|motion| {
            Some(motion.cartridge) == request.cartridge
                && motion.state == MotionState::Open
                && !changes.iter().any(
                    |change| matches!(change, Change::Motion(m) if (m.request, m.sequence) == (motion.request, motion.sequence)),
                )
        });
        let there = facts.devices.0.get(library).and_then(|device| device.find(label));
        if moving || self.touched.contains(&**label) || there.is_some_and(|there| there.0 == address) {
            return Ok(());
        }
        Err(format!("{} is {}; {label} is in {there:?}", request.id, request.state))
    }

    /// What was loaded for a group that failed is in a slot when its request ends; a library that is disabled moves nothing. What
    /// somebody else has loaded meanwhile is that one's matter.
    fn went_home(&self, request: &Request, changes: &[Change], facts: &Facts<'_>) -> Result<(), String> {
        let (Some(label), Some(library)) = (&request.barcode, facts.library(request.library)) else {
            return Ok(());
        };
        let device = facts.devices.0.get(library);
        let in_drive = device.is_some_and(|device| {
            let mut contents = device.contents().into_iter();
            contents.any(|(_, kind, held)| kind == ElementType::Drive && held.as_deref() == Some(label))
        });
        let now = changes.iter().filter_map(|change| match change {
            Change::Motion(motion) => Some(motion),
            _ => None,
        });
        let own = facts.disk.motions.values().chain(now).filter(|motion| motion.request == request.id);
        let last =
            own.filter(|motion| motion.state == MotionState::Moved).max_by_key(|motion| motion.sequence);
        let loaded = last.is_some_and(|motion| motion.destination.kind == ElementType::Drive);
        if !loaded || self.disabled.contains(&library) || self.touched.contains(&**label) || !in_drive {
            return Ok(());
        }
        Err(format!(
            "{} failed with its group, and {label}, which was loaded for it, is in a drive",
            request.id
        ))
    }

    /// Which libraries serve; one whose end of being disabled is not on the disk yet counts as disabled.
    fn serve_again(&mut self, facts: &Facts<'_>) {
        for (n, library) in facts.view.libraries().into_iter().enumerate() {
            if library.service == Service::Disabled {
                self.disabled.insert(n);
            } else if *library.state == LibraryState::Ready && !facts.disk_stalled {
                self.disabled.remove(&n);
            }
        }
    }

    /// What hands have touched is known again once the catalogue has it where it is, and nothing moves it.
    fn known_again(&mut self, facts: &Facts<'_>) {
        // What waits for the disk can say something else, of before.
        if self.touched.is_empty() || facts.disk_stalled {
            return;
        }
        let moving: BTreeSet<CartridgeId> = facts
            .disk
            .motions
            .values()
            .filter(|motion| motion.state == MotionState::Open)
            .map(|motion| motion.cartridge)
            .collect();
        for cartridge in facts.disk.cartridges.values().filter(|it| !moving.contains(&it.id)) {
            let (Some(label), Some(library)) = (&cartridge.barcode, facts.library(cartridge.library)) else {
                continue;
            };
            let Place::Element(name) = cartridge.place else { continue };
            // A motion that an earlier manager began can be carrying it.
            if name.kind != ElementType::Transport
                && self.touched.contains(&**label)
                && !self.sleds.contains(&library)
                && facts.devices.0.get(library).and_then(|device| device.find(label)) == Some(name.address)
            {
                self.touched.remove(&**label);
            }
        }
    }

    /// A drive that is said to be clean does not ask for it any more. One that could not be asked has had its time.
    fn is_clean(&self, request: &Request, facts: &Facts<'_>) -> Result<(), String> {
        let (Wanted::CleanDrive { drive, .. }, Some(library)) =
            (&request.wanted, facts.library(request.library))
        else {
            return Ok(());
        };
        // A simulated library has its drives behind it, each with the next logical unit number.
        let unit = drive.0.checked_sub(FIRST_DRIVE).map(|n| Device::Sibling(n + 1));
        let unheard = self
            .unheard
            .iter()
            .any(|path| usize::from(path.library.0) == library && Some(path.device) == unit);
        let asks = facts.devices.0.get(library).is_some_and(|device| device.asks_for_cleaning(*drive));
        if asks && !unheard && !self.sleds.contains(&library) {
            return Err(format!(
                "{} is {}, and drive {drive} is as dirty as before",
                request.id, request.state
            ));
        }
        Ok(())
    }

    /// Looks whether all stands where it must, when something has moved.
    fn look(&mut self, facts: &Facts<'_>) -> Result<(), String> {
        let done = facts.devices.0.iter().map(Simulated::moves_done).sum();
        if std::mem::replace(&mut self.done, done) == done {
            return Ok(());
        }
        // Each motion that took effect has an intent that may have: one that was concluded to have done nothing has not. Where
        // hands were, a motion can have taken what they put in the place of the one that was meant, and nobody can tell.
        let kept = facts.disk.motions.values().filter(|motion| may_have_effect(motion.state)).count() as u64;
        let intents = kept + self.purged;
        if !self.hands && done > intents {
            return Err(format!("{done} motions took effect, and only {intents} intents may have"));
        }
        self.standing.values().try_for_each(|standing| standing.look(facts))
    }
}

fn may_have_effect(state: MotionState) -> bool {
    !matches!(state, MotionState::NotMoved | MotionState::NotSent)
}

impl Standing {
    fn look(&self, facts: &Facts<'_>) -> Result<(), String> {
        let Self { library, address, label, why } = self;
        let there = facts.devices.0.get(*library).and_then(|device| device.find(label));
        if there.is_some_and(|there| there.0 == *address) {
            return Ok(());
        }
        Err(format!("{label} was concluded to be in {address} ({why:?}), and is in {there:?}"))
    }
}
