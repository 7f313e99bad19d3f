//! What hands do in a library, asked or not.

use std::sync::Arc;

use autochanger_engine::Input;
use autochanger_engine::catalog::MotionState;
use autochanger_engine::view::{OperatorRequest, OperatorTask};
use autochanger_sim::{Device, ElementType, OperatorError};

use crate::act::{FIRST_DRIVE, FIRST_PORT, FIRST_SLOT, Hand};
use crate::perform::{guest, guest_cleaner, sled};
use crate::watch::Sight;
use crate::world::World;

/// What hands have touched, by its labels.
type Touched = Result<Vec<String>, OperatorError>;

impl World {
    /// Hands do something, and say so where they were asked to.
    pub(crate) fn hand(&mut self, library: usize, hand: Hand) {
        let asked = match hand {
            Hand::Oblige(_) => self.asked_of(library),
            _ => None,
        };
        self.touch(library, hand);
        if let Some(OperatorRequest { request: id, task: OperatorTask::DeviceService { .. }, .. }) = asked {
            let (token, caller) = (self.token(), self.administrator());
            self.input(Input::SatisfyOperatorTask { token, caller, id });
        }
    }

    /// Hands do something, and say nothing.
    pub(crate) fn touch(&mut self, library: usize, hand: Hand) {
        let Some(done) = self.do_by_hand(library, hand) else { return };
        if let Ok(touched) = done {
            self.mishaps += 1;
            self.see(&Sight::Hands(&touched));
            if matches!(hand, Hand::SwapSleds(..) | Hand::ReplaceSled(..)) {
                self.see(&Sight::Sleds(library));
            }
        }
    }

    /// `None`: there is nothing to be done.
    fn do_by_hand(&mut self, library: usize, hand: Hand) -> Option<Touched> {
        let slot = |n: u8| FIRST_SLOT + u16::from(n);
        let drive = |n: u8| FIRST_DRIVE + u16::from(n);
        match hand {
            Hand::PutNew(n, to) => return self.bring(library, slot(to), n, false),
            Hand::Import(n) => return self.bring(library, FIRST_PORT, n, false),
            Hand::ImportCleaner(n) => return self.bring(library, FIRST_PORT, n, true),
            Hand::PutBack(to) => return self.put_back(library, slot(to)),
            Hand::BringBack => return self.put_back(library, FIRST_PORT),
            Hand::EmptyPorts => return Some(self.empty_ports(library)),
            Hand::Oblige(n) => return self.oblige(library, n),
            Hand::SwapSleds(one, other) if self.arm_is_at(drive(one)) || self.arm_is_at(drive(other)) => {
                return None;
            }
            Hand::ReplaceSled(n, _) if self.arm_is_at(drive(n)) => return None,
            _ => {}
        }
        let device = self.device.0.get_mut(library)?;
        let before = |device: &Device, address: u16| {
            let contents = device.contents();
            contents.into_iter().find(|(at, ..)| at.0 == address).and_then(|(.., label)| label)
        };
        Some(match hand {
            Hand::Swap(one, other) => {
                let labels = [before(device, slot(one)), before(device, slot(other))];
                device.operator_swap(slot(one), slot(other)).map(|()| labels.into_iter().flatten().collect())
            }
            Hand::Take(from) => device.operator_take(slot(from)).map(|label| {
                self.outside.push((library, label.clone()));
                vec![label]
            }),
            Hand::OpenDoor => device.operator_open_door().map(|()| Vec::new()),
            Hand::CloseDoor => {
                device.operator_close_door();
                Ok(Vec::new())
            }
            Hand::PressEject(n) => device.operator_eject(drive(n)).map(|()| Vec::new()),
            Hand::SwapSleds(one, other) if one != other => {
                let labels = [before(device, drive(one)), before(device, drive(other))];
                let done = device.swap_drives_at_work(drive(one), drive(other));
                done.map(|()| labels.into_iter().flatten().collect())
            }
            Hand::ReplaceSled(n, number) => device.pull_drive(drive(n), &sled(number)).map(|label| {
                self.outside.extend(label.clone().map(|label| (library, label)));
                label.into_iter().collect()
            }),
            _ => return None,
        })
    }

    /// Nobody pulls a sled out from under the arm.
    fn arm_is_at(&self, drive: u16) -> bool {
        let open = self.disk.motions.values().filter(|motion| motion.state == MotionState::Open);
        open.flat_map(|motion| [motion.source, motion.destination]).any(|end| end.address.0 == drive)
    }

    /// A new cartridge. A label of a story is put in once.
    fn bring(&mut self, library: usize, to: u16, number: u8, cleaner: bool) -> Option<Touched> {
        if self.imported.contains(&number) {
            return None;
        }
        let device = self.device.0.get_mut(library)?;
        let label = if cleaner { guest_cleaner(number) } else { guest(number) };
        let done = match cleaner {
            true => device.operator_put_cleaner(to, &label),
            false => device.operator_put(to, &label),
        };
        if done.is_ok() {
            self.imported.insert(number);
        }
        Some(done.map(|()| vec![label]))
    }

    /// What was taken out of the library last.
    fn put_back(&mut self, library: usize, to: u16) -> Option<Touched> {
        let place = self.outside.iter().rposition(|(from, _)| *from == library)?;
        self.put_back_that(library, place, to)
    }

    fn put_back_that(&mut self, library: usize, place: usize, to: u16) -> Option<Touched> {
        let (_, label) = self.outside.get(place)?.clone();
        let device = self.device.0.get_mut(library)?;
        let done = match label.starts_with("CLN") {
            true => device.operator_put_cleaner(to, &label),
            false => device.operator_put(to, &label),
        };
        if done.is_ok() {
            self.outside.remove(place);
        }
        Some(done.map(|()| vec![label]))
    }

    fn empty_ports(&mut self, library: usize) -> Touched {
        let Some(device) = self.device.0.get_mut(library) else { return Ok(Vec::new()) };
        let mut touched = Vec::new();
        for (port, _, label) in
            device.contents().into_iter().filter(|(_, kind, _)| *kind == ElementType::ImportExport)
        {
            if label.is_some() {
                let label = device.operator_take(port)?;
                self.outside.push((library, label.clone()));
                touched.push(label);
            }
            device.operator_close_port(port);
        }
        Ok(touched)
    }

    /// What is asked first of the persons at this library.
    fn asked_of(&self, library: usize) -> Option<OperatorRequest> {
        let own = &self.config.libraries.get(library)?.name;
        self.engine.view().operator_requests().into_iter().find(|asked| of(&asked.task) == Some(own))
    }

    fn oblige(&mut self, library: usize, number: u8) -> Option<Touched> {
        match self.asked_of(library)?.task {
            OperatorTask::BringCartridge { cartridge, .. } => {
                let place = self.outside.iter().position(|(_, label)| **label == *cartridge)?;
                let to = self.empty_slot(library).unwrap_or(FIRST_PORT);
                self.put_back_that(library, place, to)
            }
            OperatorTask::FillPort { .. } => {
                let back = self.put_back(library, FIRST_PORT);
                back.or_else(|| self.bring(library, FIRST_PORT, number, false))
            }
            OperatorTask::EmptyPort { .. } => Some(self.empty_ports(library)),
            OperatorTask::UseDoor { .. } => self.do_by_hand(library, Hand::OpenDoor),
            OperatorTask::CloseDoor { .. } => self.do_by_hand(library, Hand::CloseDoor),
            OperatorTask::EmptyArm { arm, cartridge, .. } => {
                let slot = self.empty_slot(library)?;
                let done = self.device.0.get_mut(library)?.operator_swap(arm, slot);
                Some(done.map(|()| vec![cartridge.as_ref().into()]))
            }
            OperatorTask::DeviceService { drive, .. } => {
                match drive {
                    Some(drive) => self.device.0.get_mut(library)?.repair(drive),
                    None => self.repair(library),
                };
                Some(Ok(Vec::new()))
            }
            OperatorTask::BringCleaner { .. } => {
                let to = self.empty_slot(library).unwrap_or(FIRST_PORT);
                self.bring(library, to, number, true)
            }
            _ => None,
        }
    }

    fn empty_slot(&self, library: usize) -> Option<u16> {
        let contents = self.device.0.get(library)?.contents();
        let mut slots = contents.into_iter().filter(|(_, kind, _)| *kind == ElementType::Storage);
        slots.find(|(.., label)| label.is_none()).map(|(address, ..)| address.0)
    }
}

/// The library of which a person is asked something.
fn of(task: &OperatorTask) -> Option<&Arc<str>> {
    match task {
        OperatorTask::BringCartridge { library, .. }
        | OperatorTask::FillPort { library, .. }
        | OperatorTask::EmptyPort { library, .. }
        | OperatorTask::UseDoor { library }
        | OperatorTask::CloseDoor { library }
        | OperatorTask::EmptyArm { library, .. }
        | OperatorTask::DeviceService { library, .. }
        | OperatorTask::BringCleaner { library } => Some(library),
        _ => None,
    }
}
