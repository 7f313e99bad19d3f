//! What a motion will do at which moment: checked and reckoned when it starts.

use alloc::vec::Vec;
use core::time::Duration;

use autochanger_scsi::{ElementAddress, ElementType, Sense, SenseKey};

use crate::answer::{illegal, sense};
use crate::changer::bad_address;
use crate::device::{Device, Event};
use crate::drive::State;
use crate::motion::{Step, drive_lun};
use crate::quirk::Quirk;
use crate::shelves::Cartridge;
use crate::task::Motion;

/// The steps of a motion, each with its time, in order.
type Plan = Vec<(Duration, Step)>;

/// How a library says that a drive must be unloaded first.
const UNLOAD_FIRST: [(Quirk, u8, u8); 4] = [
    (Quirk::HostUnloadFirst, 0x3B, 0x90),
    (Quirk::HostUnloadFirst3A, 0x3A, 0x00),
    (Quirk::HostUnloadFirst5301, 0x53, 0x01),
    (Quirk::HostUnloadFirst5303, 0x53, 0x03),
];

/// LOGICAL UNIT COMMUNICATION FAILURE, between robot and drive.
fn broken_drive() -> Sense {
    sense(SenseKey::HardwareError, 0x08, 0x00)
}

/// MECHANICAL POSITIONING ERROR.
pub(crate) fn cannot_place() -> Sense {
    sense(SenseKey::HardwareError, 0x15, 0x01)
}

impl Device {
    /// Plans a motion of an arm that starts now, or says why it cannot be, as the elements are now. A drive that has to
    /// give up its cartridge begins to.
    pub(crate) fn plan(&mut self, arm: usize, motion: Motion, sticks: bool) -> Result<Plan, Sense> {
        match motion {
            Motion::Move { from, to } => self.plan_move(arm, from, to),
            Motion::Exchange { from, first, second } => self.plan_exchange(arm, from, first, second, sticks),
            Motion::Position { to } => Ok(self.plan_position(arm, to)),
            Motion::Scan { range } => Ok(self.plan_scan(range)),
        }
    }

    fn plan_move(&mut self, arm: usize, from: ElementAddress, to: ElementAddress) -> Result<Plan, Sense> {
        self.check_way(from, to)?;
        if self.shelves.cartridge(from).is_none() {
            return Err(illegal(0x3B, 0x0E));
        }
        if !self.shelves.is_empty(to) {
            return Err(illegal(0x3B, 0x0D));
        }
        self.check_gripper(arm, from)?;
        let ejected = self.eject_for_robot(from)?;
        let reached = self.now.saturating_add(self.travel(self.position_of(arm), self.layout.position(from)));
        let picked = reached.max(ejected).saturating_add(self.drawn(self.timing.pick));
        let placed = picked
            .saturating_add(self.travel(self.layout.position(from), self.layout.position(to)))
            .saturating_add(self.drawn(self.timing.place));
        Ok(alloc::vec![(picked, Step::Pick(from)), (placed, Step::Place { from, to })])
    }

    fn plan_exchange(
        &mut self,
        arm: usize,
        from: ElementAddress,
        first: ElementAddress,
        second: ElementAddress,
        sticks: bool,
    ) -> Result<Plan, Sense> {
        self.check_way(from, first)?;
        self.check_way(first, second)?;
        if self.shelves.cartridge(from).is_none() || self.shelves.cartridge(first).is_none() {
            return Err(illegal(0x3B, 0x0E));
        }
        if from == first || second == first || (second != from && !self.shelves.is_empty(second)) {
            return Err(illegal(0x3B, 0x0D));
        }
        self.check_gripper(arm, from)?;
        let ejected = self.eject_for_robot(from)?;
        let emptied = self.eject_for_robot(first)?;
        let [pick, place] = [self.timing.pick, self.timing.place];
        let [at_from, at_first, at_second] =
            [from, first, second].map(|element| self.layout.position(element));
        let reached = self.now.saturating_add(self.travel(self.position_of(arm), at_from));
        let picked = reached.max(ejected).saturating_add(self.drawn(pick));
        if sticks {
            return Ok(alloc::vec![(picked, Step::Pick(from))]);
        }
        let swapped = picked
            .saturating_add(self.travel(at_from, at_first))
            .max(emptied)
            .saturating_add(self.drawn(pick.saturating_add(place)));
        let placed =
            swapped.saturating_add(self.travel(at_first, at_second)).saturating_add(self.drawn(place));
        Ok(alloc::vec![(placed, Step::Swap { from, first, second })])
    }

    fn plan_position(&mut self, arm: usize, to: ElementAddress) -> Plan {
        let reached = self.now.saturating_add(self.travel(self.position_of(arm), self.layout.position(to)));
        self.move_arm(arm, to);
        alloc::vec![(reached, Step::Arrive)]
    }

    fn plan_scan(&mut self, range: Option<(ElementAddress, u16)>) -> Plan {
        let (start, count) = range.unwrap_or((ElementAddress(0), 0));
        let count = if count == 0 { usize::MAX } else { usize::from(count) };
        let elements = self.shelves.all().filter(|shelf| shelf.address >= start).take(count);
        let unlabelled = |cartridge: &Cartridge| cartridge.barcode.is_none();
        let scans = elements.map(|shelf| {
            let slow = shelf.cartridge.as_ref().is_some_and(unlabelled);
            if slow { self.timing.scan_unlabelled } else { self.timing.scan }
        });
        let total = scans.fold(Duration::ZERO, Duration::saturating_add);
        alloc::vec![(self.now.saturating_add(self.drawn(total)), Step::Scanned)]
    }

    fn check_way(&self, from: ElementAddress, to: ElementAddress) -> Result<(), Sense> {
        for element in [from, to] {
            self.check_drive(element)?;
            self.check_port(element)?;
        }
        let kind = |element| self.layout.locate(element).map(|(kind, _)| kind);
        match (kind(from), kind(to)) {
            (Some(from), Some(to)) if !self.may_carry(from, to) => Err(bad_address(6)),
            _ => Ok(()),
        }
    }

    /// Whether cartridges can be carried from elements of the one type to those of the other.
    pub(crate) fn may_carry(&self, from: ElementType, to: ElementType) -> bool {
        let has = |quirk| self.quirks.has(quirk);
        let port = from == ElementType::ImportExport || to == ElementType::ImportExport;
        let drives = from == ElementType::Drive && to == ElementType::Drive;
        let arm = from == ElementType::Transport;
        !(port && has(Quirk::NoPortMoves)
            || drives && has(Quirk::NoDriveToDrive)
            || arm && has(Quirk::NoArmSource))
    }

    fn check_drive(&self, element: ElementAddress) -> Result<(), Sense> {
        if self.drives.iter().any(|drive| drive.address == element && drive.dead) {
            return Err(broken_drive());
        }
        Ok(())
    }

    /// An arm that holds a cartridge can only bring that one away.
    fn check_gripper(&self, arm: usize, from: ElementAddress) -> Result<(), Sense> {
        if self.arm_at(from) != Some(arm) && self.holds_cartridge(arm) { Err(cannot_place()) } else { Ok(()) }
    }

    /// Has a drive give its cartridge to the robot; when it will have. Other elements have it ready now.
    fn eject_for_robot(&mut self, element: ElementAddress) -> Result<Duration, Sense> {
        let Some((ElementType::Drive, index)) = self.layout.locate(element) else { return Ok(self.now) };
        let index = usize::from(index);
        let prevented = self.nexuses.prevented(drive_lun(index));
        let unload = self.drawn(self.timing.unload);
        let lag = self.quirks.number(Quirk::AccessLags(0));
        let Some(drive) = self.drives.get_mut(index) else { return Ok(self.now) };
        let since = match drive.state {
            State::Ejected if lag.is_some_and(|lag| drive.lags(lag, self.now)) => {
                return Err(illegal(0x3A, 0x00));
            }
            State::Empty | State::Ejected => return Ok(self.now),
            State::Unloading | State::Cleaning => return Ok(drive.until.max(self.now)),
            State::Loading => drive.until.max(self.now),
            State::Ready => self.now,
        };
        if prevented {
            return Err(illegal(0x53, 0x02));
        }
        for (quirk, asc, ascq) in UNLOAD_FIRST {
            if self.quirks.has(quirk) {
                return Err(illegal(asc, ascq));
            }
        }
        if drive.stuck {
            return Err(sense(SenseKey::HardwareError, 0x53, 0x01));
        }
        let ejected = since.saturating_add(unload);
        let generation = drive.enter(State::Unloading, ejected);
        self.schedule(ejected, Event::Drive { index, generation });
        Ok(ejected)
    }

    fn travel(&mut self, from: u32, to: u32) -> Duration {
        let mean = self.timing.travel(from.abs_diff(to));
        self.drawn(mean)
    }

    /// A time around the mean, as far as the timing varies.
    pub(crate) fn drawn(&mut self, mean: Duration) -> Duration {
        let jitter = u32::from(self.timing.jitter_percent.min(100));
        if jitter == 0 || mean.is_zero() {
            return mean;
        }
        // In hundredths of a percent, from 100 % - jitter to 100 % + jitter.
        let factor = 10_000 - 100 * jitter + self.random.below(200 * jitter + 1);
        mean.saturating_mul(factor) / 10_000
    }
}
