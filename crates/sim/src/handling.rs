//! The moments of a motion: cartridges picked, placed and swapped, and drives that take them in.

use core::time::Duration;

use autochanger_scsi::{ElementAddress, ElementType, Sense};

use crate::answer::{Answer, Key, illegal};
use crate::device::{Device, Event};
use crate::door::Door;
use crate::drive::State;
use crate::motion::{Moment, Step, drive_lun};
use crate::nexus::MEDIUM_CHANGED;
use crate::plan::cannot_place;
use crate::quirk::Quirk;
use crate::shelves::{Cartridge, Medium};
use crate::task::{Keeps, Motion, Work};

/// The TapeAlert flag of a drive that holds a cleaning cartridge.
const CLEANING_MEDIA: u8 = 11;
/// The TapeAlert flag of a drive that has ejected a used-up cleaning cartridge.
const USED_UP_CLEANER: u8 = 22;

impl Device {
    /// Does the next step of an arm's job.
    pub(crate) fn step(&mut self, index: usize, job: u64) {
        let Some(Moment { key, gripper, step, last }) = self.next_step(index, job) else { return };
        let keeps = self.tasks.get(&key).and_then(|task| task.fate.keeps);
        let done = match step {
            Step::Pick(from) => self.pick(index, gripper, from).and_then(|()| self.keep(keeps)),
            Step::Place { from, to } => self.place(index, gripper, from, to),
            Step::Swap { from, first, second } => self.swap(index, from, first, second),
            Step::Arrive => Ok(self.now),
            Step::Scanned => {
                self.service.inventories += 1;
                self.service.labels_doubtful = false;
                let task = self.tasks.get(&key);
                let scanner = task.map(|task| task.unit.nexus);
                let range = task.and_then(|task| match task.work {
                    Work::Motion { motion: Motion::Scan { range }, .. } => range,
                    _ => None,
                });
                self.count_scan(range);
                self.nexuses.post(0, MEDIUM_CHANGED, scanner);
                Ok(self.now)
            }
        };
        match done {
            Err(sense) => self.finish(index, key, Answer::check(&sense)),
            Ok(at) if last => {
                self.tell_of_motion(key, step);
                self.finish_at(at, index, key, Answer::good());
            }
            Ok(_) => self.schedule_step(index, job),
        }
    }

    /// Whether the arm goes on with what it has picked.
    fn keep(&mut self, keeps: Option<Keeps>) -> Result<Duration, Sense> {
        match keeps {
            None => Ok(self.now),
            Some(Keeps::Stuck) => Err(cannot_place()),
            Some(Keeps::DoorOpens) => {
                self.service.door = Door::Open;
                self.check_door().map(|()| self.now)
            }
        }
    }

    /// Some libraries tell all initiators but the one that had it done.
    fn tell_of_motion(&mut self, key: Key, step: Step) {
        if !self.quirks.has(Quirk::AttentionOnForeignMove)
            || !matches!(step, Step::Place { .. } | Step::Swap { .. })
        {
            return;
        }
        let mover = self.tasks.get(&key).map(|task| task.unit.nexus);
        self.nexuses.post(0, MEDIUM_CHANGED, mover);
    }

    fn pick(&mut self, arm: usize, gripper: ElementAddress, from: ElementAddress) -> Result<(), Sense> {
        self.move_arm(arm, from);
        if from == gripper {
            return Ok(());
        }
        let cartridge = self.take_out(from)?;
        self.service.counters.picked(from);
        self.shelves.put(gripper, cartridge).map_err(|(_, cartridge)| {
            self.put_back(from, cartridge);
            cannot_place()
        })
    }

    fn place(
        &mut self,
        arm: usize,
        gripper: ElementAddress,
        from: ElementAddress,
        to: ElementAddress,
    ) -> Result<Duration, Sense> {
        self.move_arm(arm, to);
        let cartridge = self.shelves.take(gripper).map_err(|_| illegal(0x3B, 0x0E))?;
        if !self.shelves.is_empty(to) {
            // Hands were faster: back to where it came from, or, if that is taken too, it stays in the arm.
            let back = self.shelves.is_empty(from) && !self.quirks.has(Quirk::ArmKeepsCartridge);
            let home = if back { from } else { gripper };
            self.put_back(home, cartridge);
            return Err(illegal(0x3B, 0x0D));
        }
        let ready = self.put_in(to, cartridge);
        self.moves_done += 1;
        self.service.counters.placed(to);
        Ok(ready)
    }

    fn swap(
        &mut self,
        arm: usize,
        from: ElementAddress,
        first: ElementAddress,
        second: ElementAddress,
    ) -> Result<Duration, Sense> {
        self.move_arm(arm, second);
        let arriving = self.take_out(from)?;
        let leaving = match self.take_out(first) {
            Ok(leaving) => leaving,
            Err(sense) => {
                self.put_back(from, arriving);
                return Err(sense);
            }
        };
        if !self.shelves.is_empty(second) {
            self.put_back(from, arriving);
            self.put_back(first, leaving);
            return Err(illegal(0x3B, 0x0D));
        }
        let ready = self.put_in(first, arriving).max(self.put_in(second, leaving));
        self.moves_done += 1;
        for (taken, put) in [(from, first), (first, second)] {
            self.service.counters.picked(taken);
            self.service.counters.placed(put);
        }
        Ok(ready)
    }

    fn take_out(&mut self, from: ElementAddress) -> Result<Cartridge, Sense> {
        let mut cartridge = self.shelves.take(from).map_err(|_| illegal(0x3B, 0x0E))?;
        match self.layout.locate(from) {
            Some((ElementType::Storage | ElementType::ImportExport, _)) => cartridge.source = Some(from),
            Some((ElementType::Drive, index)) => {
                if let Some(drive) = self.drives.get_mut(usize::from(index)) {
                    drive.enter(State::Empty, self.now);
                }
            }
            _ => {}
        }
        Ok(cartridge)
    }

    /// Puts a cartridge into an element known to be empty; when it is usable there (a drive's answer may wait).
    fn put_in(&mut self, to: ElementAddress, mut cartridge: Cartridge) -> Duration {
        cartridge.by_operator = false;
        let cleaning = cartridge.medium == Medium::Cleaning;
        let load = cartridge.next_load;
        let used_up = cleaning && cartridge.cleanings == Some(0);
        cartridge.cleanings = cartridge.cleanings.map(|left| left.saturating_sub(1));
        self.put_back(to, cartridge);
        let Some((ElementType::Drive, index)) = self.layout.locate(to) else { return self.now };
        if used_up {
            self.raise_alert(drive_lun(usize::from(index)), USED_UP_CLEANER);
            return self.now;
        }
        let (state, time) = if cleaning {
            (State::Cleaning, self.timing.clean)
        } else {
            (State::Loading, load.unwrap_or(self.timing.load))
        };
        let ready = self.start_drive(usize::from(index), state, time);
        if let Some(drive) = self.drives.get_mut(usize::from(index)) {
            drive.calibrates = load.is_some();
        }
        if let Some(cartridge) = self.shelves.cartridge_mut(to) {
            cartridge.loads += 1;
            cartridge.next_load = None;
        }
        if cleaning {
            self.raise_alert(drive_lun(usize::from(index)), CLEANING_MEDIA);
        }
        if self.timing.fast_load { self.now } else { ready }
    }

    /// Puts a cartridge into an element known to be empty, unthreaded where that is a drive.
    fn put_back(&mut self, to: ElementAddress, cartridge: Cartridge) {
        let put = self.shelves.put(to, cartridge);
        debug_assert!(put.is_ok(), "a cartridge was dropped at {to}");
        if let Some((ElementType::Drive, index)) = self.layout.locate(to)
            && let Some(drive) = self.drives.get_mut(usize::from(index))
        {
            drive.enter(State::Ejected, self.now);
        }
    }

    /// Lets a drive enter a state that ends by itself; when it will.
    pub(crate) fn start_drive(&mut self, index: usize, state: State, time: Duration) -> Duration {
        let until = self.now.saturating_add(self.drawn(time));
        let Some(drive) = self.drives.get_mut(index) else { return self.now };
        let generation = drive.enter(state, until);
        self.schedule(until, Event::Drive { index, generation });
        until
    }

    /// Lets a drive go on to its next state when the present one has run its time.
    pub(crate) fn turn_drive(&mut self, index: usize, generation: u64) {
        let Some(drive) = self.drives.get_mut(index) else { return };
        if drive.generation != generation {
            return;
        }
        if let Some(next) = drive.successor() {
            if drive.state == State::Cleaning {
                drive.dirty = None;
            }
            drive.enter(next, self.now);
            if next == State::Ready {
                self.nexuses.post(drive_lun(index), MEDIUM_CHANGED, None);
            }
        }
    }
}
