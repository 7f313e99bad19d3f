//! No more in flight than allowed, no more tries than bounded, no more live requests than configured.

use std::collections::BTreeMap;

use autochanger_engine::id::{CartridgeId, CommandId, Device, Path, RequestId};
use autochanger_engine::request::{Operation, Outcome, State};
use autochanger_engine::{Change, Input};
use autochanger_sim::ElementType;

use crate::watch::{Checker, Facts, Sight};

/// Motions of one cartridge from one element that are sent for one request by one engine, at most: the engine tries five times,
/// an exchange that turns out not to be offered is one more, and a medium that must be unloaded first another.
const MAX_SENDS: u32 = 7;

/// Whose requests the manager's own are.
const OWN: &str = "autochanger";

/// Counts.
#[derive(Debug, Default)]
pub(crate) struct Bounds {
    in_flight: BTreeMap<CommandId, (Path, bool)>,
    sends: BTreeMap<(RequestId, Option<CartridgeId>, u16), u32>,
    /// The manager is being shut down: what gives the libraries back waits for nothing.
    stopped: bool,
    /// The last event of this engine.
    event: u64,
}

impl Checker for Bounds {
    fn name(&self) -> &'static str {
        "bounds"
    }

    fn see(&mut self, sight: &Sight<'_>, facts: &Facts<'_>) -> Result<(), String> {
        match sight {
            Sight::Send { path, id, ways, .. } => {
                self.in_flight.insert(*id, (*path, !ways.is_empty()));
                self.is_within(*path, facts)?;
                for (way, intent) in ways.iter().filter_map(|way| Some((way, way.intent?))) {
                    let cartridge = facts.disk.motions.get(&intent).map(|motion| motion.cartridge);
                    // Somebody else has had a turn with it, which has bounds of its own.
                    let owned = facts.disk.requests.get(&intent.0);
                    if owned.is_some_and(|request| &*request.application != OWN) {
                        self.sends.retain(|(id, other, _), _| *id == intent.0 || *other != cartridge);
                    }
                    let sends = self.sends.entry((intent.0, cartridge, way.source)).or_default();
                    *sends += 1;
                    if *sends > MAX_SENDS {
                        return Err(format!("{} has been sent {sends} times from {}", intent.0, way.source));
                    }
                }
            }
            Sight::Input(Input::Completed { command, .. }) => {
                self.in_flight.remove(command);
            }
            Sight::Commit(changes) => {
                // Somebody has looked: what was given up is tried anew.
                let looked = |change: &Change| {
                    matches!(change, Change::Request(request) if &*request.application != OWN
                        && matches!(request.state, State::Passed(Outcome::Inventoried { .. })))
                };
                if changes.iter().any(looked) {
                    self.sends.clear();
                }
                self.counts(facts)?;
            }
            Sight::Event(event) => {
                if event.sequence != self.event + 1 {
                    return Err(format!("event {} follows event {}", event.sequence, self.event));
                }
                self.event = event.sequence;
            }
            Sight::Input(Input::Stop) => self.stopped = true,
            Sight::Purge(ids) => self.sends.retain(|(id, ..), _| !ids.contains(id)),
            // What a person has brought anew is tried anew.
            Sight::Hands(_) => self.sends.clear(),
            Sight::Restart => *self = Self::default(),
            _ => {}
        }
        Ok(())
    }
}

impl Bounds {
    /// The manager's own requests are beside the bound: a dismount for each place that a medium is cleared from, a cleaning for each drive,
    /// and readings of labels, which leave a drive to others.
    fn counts(&self, facts: &Facts<'_>) -> Result<(), String> {
        let live = facts.disk.requests.values().filter(|request| !request.state.is_final());
        let (own, others): (Vec<_>, Vec<_>) = live.partition(|request| &*request.application == OWN);
        if others.len() > facts.config.max_live_requests {
            return Err(format!("{} requests are live", others.len()));
        }
        for (operation, kinds) in [
            (Operation::Dismount, &[ElementType::Drive, ElementType::Transport][..]),
            (Operation::CleanDrive, &[ElementType::Drive]),
            (Operation::Identify, &[ElementType::Drive]),
        ] {
            let places = facts.devices.0.iter().flat_map(|device| device.contents());
            let places = places.filter(|(_, kind, _)| kinds.contains(kind)).count();
            let own = own.iter().filter(|request| request.operation() == operation).count();
            if own > places {
                return Err(format!("{own} requests of the manager's own are live, each a {operation}"));
            }
        }
        Ok(())
    }

    fn is_within(&self, path: Path, facts: &Facts<'_>) -> Result<(), String> {
        let allowed = match path.device {
            Device::Changer => facts.config.libraries.get(usize::from(path.library.0)),
            Device::Sibling(_) | Device::Configured(_) => None,
        };
        let allowed = allowed.map_or(1, |library| usize::from(library.moves_in_flight));
        let here = self.in_flight.values().filter(|(on, _)| *on == path).count();
        if here > allowed && !self.stopped {
            return Err(format!("{here} commands are in flight on {path:?}, {allowed} are allowed"));
        }
        Ok(())
    }
}
