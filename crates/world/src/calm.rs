//! Calm: nothing goes wrong any more, and whoever waits is given what it waits for, until nobody does.

use autochanger_engine::catalog::Service;
use autochanger_engine::id::RequestId;
use autochanger_engine::output::Refusal;
use autochanger_engine::request::{
    CartridgeRef, InventoryMethod, Request, ServiceTarget, State, Submission, Waiting, Wanted,
};
use autochanger_engine::view::LibraryState;
use autochanger_engine::{Input, output};
use autochanger_sim::{Device, ElementType};
use uuid::Uuid;

use crate::perform::{is_guest, is_of_story};
use crate::watch::Sight;
use crate::world::{Store, World};

/// Steps of time in which the devices and the engine must come to rest. The longest rest of 20,000 stories took a tenth.
const MAX_STEPS: u32 = 20_000;
/// Rounds in which everything mounted is dismounted. Each one ends a mount at least, and few more wait than there are cartridges.
const MAX_ROUNDS: u32 = 100;

/// The ids of what is asked for in calm are above.
const CALM: u128 = 0x2000_0000;

impl World {
    /// Steps until nothing happens any more; objects if that never comes.
    pub(crate) fn come_to_rest(&mut self) {
        for _ in 0..MAX_STEPS {
            if !self.step() {
                return;
            }
            // One that is opened while the arm carries a cartridge can be opened after the calm has begun.
            self.device.0.iter_mut().for_each(Device::operator_close_door);
        }
        let what = format!("no rest in {MAX_STEPS} steps: {:?}", self.engine.view().requests());
        self.watch.object("rest", what, self.now);
    }

    /// Gives calm, and shows the end to the checkers.
    pub(crate) fn calm(&mut self) {
        self.watch.note(|| "-- calm".into());
        self.power_fails = None;
        (self.lookups_lost, self.claims_refused) = (0, 0);
        self.release_disk();
        for library in 0..self.device.0.len() {
            self.device.0[library].clear_faults();
            self.device.0[library].operator_close_door();
            self.repair(library);
        }
        self.come_to_rest();
        self.set_right();
        // A library that a person must look at is looked at, and the manager started again.
        let ready = |world: &Self| {
            world.store == Store::Sound
                && world.engine.view().libraries().iter().all(|library| *library.state == LibraryState::Ready)
        };
        if !ready(self) {
            self.crash();
            self.come_to_rest();
        }
        let mut looked = self.read_all();
        for _ in 0..MAX_ROUNDS {
            if looked {
                self.see(&Sight::Rest);
            }
            if self.violation().is_some() || self.engine.view().requests().is_empty() {
                break;
            }
            self.give_way();
            self.come_to_rest();
            // With nothing mounted, what they wait for is a library that somebody looks at; where a look was refused it is still due.
            if self.set_right() || !looked || self.engine.view().mounts().is_empty() {
                looked = self.read_all();
            }
            self.answers.clear();
            self.events.clear();
        }
        self.read_all();
        self.see(&Sight::Calm);
    }

    /// What only a person can do: an arm that holds a cartridge is emptied, and of a library whose drives hold what there is no
    /// empty slot for, a cartridge is taken out. A library is read after that: it tells of hands only when it is asked something.
    fn set_right(&mut self) -> bool {
        let mut something = false;
        for library in 0..self.device.0.len() {
            let contents = self.device.0[library].contents();
            let cleaners =
                self.engine.view().libraries().get(library).and_then(|library| library.cleaner_slot);
            let empty = contents
                .iter()
                .find(|(address, kind, label)| {
                    *kind == ElementType::Storage && label.is_none() && Some(*address) != cleaners
                })
                .map(|(address, ..)| *address);
            let stuck =
                contents.iter().find(|(_, kind, label)| *kind == ElementType::Transport && label.is_some());
            let away = contents.iter().any(|(_, kind, label)| {
                label.is_some() && !matches!(kind, ElementType::Storage | ElementType::ImportExport)
            });
            let mut in_slots = contents.iter().filter(|(address, kind, _)| {
                *kind == ElementType::Storage && away && Some(*address) != cleaners
            });
            // What hands had put in; where that is in the drives, any.
            let first = in_slots.clone().next();
            let guest = in_slots.find(|(.., label)| label.as_deref().is_some_and(is_guest)).or(first);
            let now = self.now;
            let device = &mut self.device.0[library];
            // Who has to reach in unlocks the library at its panel.
            if device.is_locked() && (stuck.is_some() || empty.is_none()) {
                device.reset(now, 0);
            }
            let (touched, done) = match (stuck, empty, guest) {
                (Some((arm, _, label)), Some(slot), _) => (label, device.operator_swap(*arm, slot)),
                (_, None, Some((slot, _, label))) => (label, device.operator_take(*slot).map(drop)),
                _ => continue,
            };
            if done.is_ok() {
                self.see(&Sight::Hands(touched.as_slice()));
                something = true;
            }
        }
        something
    }

    /// Every library serves, and is read; `false` where that was refused.
    fn read_all(&mut self) -> bool {
        let mut all = self.enable_all();
        for library in 0..self.device.0.len() {
            let Some(library) = self.library_id(library) else { continue };
            all &= self.ask_calmly(Wanted::Inventory {
                library: Some(library),
                method: Some(InventoryMethod::Fast),
            });
        }
        self.come_to_rest();
        all
    }

    /// Everything is in service again; `false` where that was refused.
    fn enable_all(&mut self) -> bool {
        let view = self.engine.view();
        let serves = |service| service == Service::Enabled;
        let libraries = view.libraries().into_iter().filter(|library| !serves(library.service));
        // One that must be cleaned was cleaned by hand in `repair`, which nobody knows before it is told.
        let drives =
            view.drives(None).into_iter().filter(|drive| !serves(drive.service) || drive.wants_cleaning);
        let cartridges = view.cartridges(None).into_iter().filter(|cartridge| cartridge.disabled);
        let targets: Vec<_> = libraries
            .filter_map(|library| library.id.map(ServiceTarget::from))
            .chain(
                drives
                    .map(|drive| ServiceTarget::Drive { library: Some(drive.library), drive: drive.element }),
            )
            .chain(cartridges.map(|cartridge| ServiceTarget::cartridge(cartridge.id)))
            .collect();
        let mut all = true;
        for target in targets {
            all &= self.ask_calmly(Wanted::SetService { target, service: Service::Enabled });
        }
        all
    }

    /// Whoever waits for an owner gets one, what a person is asked is refused, and everything in a drive is dismounted.
    fn give_way(&mut self) {
        self.enable_all();
        for task in self.engine.view().operator_requests() {
            let (token, caller) = (self.token(), self.administrator());
            self.input(Input::RefuseOperatorTask { token, caller, id: task.request });
        }
        let waiting = self.engine.view().requests();
        for request in waiting.iter().filter(|request| request.state == State::Waiting(Waiting::Owner)) {
            self.adopt_as(self.administrator(), request.id);
        }
        // Also what lies in a drive and is nobody's mount: its dismount was put off.
        let leaves = |id| {
            // What a story asked for can wait for something of its own.
            let calm = |request: &&Request| (CALM..=CALM + self.next_id).contains(&request.id.0.as_u128());
            let dismounts = |request: &&Request| matches!(request.wanted, Wanted::Dismount { .. });
            waiting.iter().filter(calm).filter(dismounts).any(|request| request.cartridge == Some(id))
        };
        let drives = self.engine.view().drives(None);
        let stays = drives.into_iter().filter_map(|drive| drive.cartridge).filter(|id| !leaves(*id));
        for cartridge in stays.collect::<Vec<_>>() {
            self.ask_calmly(Wanted::Dismount {
                cartridge: CartridgeRef::Id(cartridge),
                slot: None,
                force: true,
            });
        }
    }

    /// Hands in a request of the administrator's. Whether it was accepted.
    fn ask_calmly(&mut self, wanted: Wanted) -> bool {
        self.next_id += 1;
        let submission = Submission {
            id: RequestId(Uuid::from_u128(CALM + self.next_id)),
            id_given: false,
            caller: self.administrator(),
            wanted,
            priority: 0,
            deadline: None,
            detached: true,
            options: Default::default(),
        };
        let token = self.token();
        self.input(Input::Submit { token, submission });
        let Some(output::Answer::Submitted(Err(error))) = self.answers.remove(&token.0) else { return true };
        self.watch.note(|| format!("-- refused in calm: {error}"));
        // A house that is full of those who wait is emptied by one of them giving up: first by one of the story's, for what is asked
        // in calm is what the others wait for.
        let waits = |request: &&Request| matches!(request.state, State::Queued | State::Waiting(_));
        let requests = self.engine.view().requests();
        let gives_up = requests.iter().filter(waits).min_by_key(|request| !is_of_story(request.id));
        if let Refusal::ResourceExhausted { .. } = error
            && let Some(id) = gives_up.map(|request| request.id)
        {
            let (token, caller) = (self.token(), self.administrator());
            self.input(Input::Cancel { token, caller, id, reason: Some("calm".into()) });
        }
        false
    }
}
