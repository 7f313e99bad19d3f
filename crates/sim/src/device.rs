//! The device: commands in, virtual time forward, answers out.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use autochanger_scsi::{AdditionalSense, ElementAddress, ElementType, ExchangeMedium, MoveMedium, Status};

use crate::access::{Access, Ports};
use crate::answer::{Answer, Key, Nexus, Outcome, Unit};
use crate::drive::Drive;
use crate::fault::{Action, Faults, Moment};
use crate::hold::Holds;
use crate::identity::Names;
use crate::layout::Layout;
use crate::library::Library;
use crate::log::{Log, LogEntry};
use crate::motion::Arm;
use crate::nexus::Nexuses;
use crate::quirk::{Quirk, Quirks};
use crate::random::Random;
use crate::service::Service;
use crate::shelves::Shelves;
use crate::task::{Task, seen};
use crate::timing::Timing;

/// Commands that the target holds at once; more are answered with TASK SET FULL.
pub const MAX_TASKS: usize = 256;

/// Bytes of a parameter list that the target takes; no command here has a longer one.
const MAX_DATA_OUT: usize = 64 * 1024;

/// A simulated tape library: a changer (logical unit 0) and its drives (logical units 1 and up), made by
/// [`Library::build`].
///
/// It does nothing by itself and knows no clock. Commands are [submitted](Self::submit) at a virtual time, counted
/// from the library's start; [`advance`](Self::advance) brings the library forward to a time and hands out the
/// commands that have ended; [`next_event`](Self::next_event) says when something happens next. The same calls with
/// the same times give the same answers.
///
/// ```
/// use autochanger_sim::{Library, Outcome, Timing};
/// use core::time::Duration;
///
/// let mut device = Library::new().cartridges("VT{:04}L8", 1..=20).timing(Timing::midrange()).build();
/// let turn = device.submit(Duration::ZERO, 0, &[0; 6], &[], 0);
/// # let first = device.take(turn); // the power-on unit attention
/// # assert!(matches!(first, Some(Outcome::Answered(answer)) if answer.sense[12] == 0x29));
/// // MOVE MEDIUM from slot 1000 to drive 500.
/// let moving = device.submit(Duration::ZERO, 0, &[0xA5, 0, 0, 0, 0x03, 0xE8, 0x01, 0xF4, 0, 0, 0, 0], &[], 0);
/// let mut ended = Vec::new();
/// while ended.is_empty() {
///     let time = device.next_event().expect("the arm is moving");
///     ended = device.advance(time);
/// }
/// assert_eq!(ended[0].0, moving);
/// assert_eq!(device.find("VT0001L8").map(|address| address.0), Some(500));
/// ```
#[derive(Debug)]
pub struct Device {
    pub(crate) now: Duration,
    events: BTreeMap<(Duration, u64), Event>,
    next_event: u64,
    next_key: u64,
    pub(crate) layout: Layout,
    pub(crate) shelves: Shelves,
    pub(crate) drives: Vec<Drive>,
    pub(crate) exceptions: BTreeMap<ElementAddress, AdditionalSense>,
    pub(crate) arms: Vec<Arm>,
    pub(crate) names: Names,
    pub(crate) quirks: Quirks,
    pub(crate) timing: Timing,
    pub(crate) random: Random,
    pub(crate) nexuses: Nexuses,
    pub(crate) ports: Ports,
    pub(crate) service: Service,
    pub(crate) faults: Faults,
    pub(crate) holds: Holds,
    pub(crate) log: Log,
    pub(crate) tasks: BTreeMap<Key, Task>,
    pub(crate) waiting: VecDeque<Key>,
    pub(crate) finished: Vec<(Key, Outcome)>,
    moves_sent: u64,
    pub(crate) moves_done: u64,
}

/// What happens at a moment of virtual time.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Event {
    /// The arm has reached the next step of the job of that generation.
    Step { arm: usize, job: u64 },
    /// The drive's state of that generation has run its time.
    Drive { index: usize, generation: u64 },
    /// The answer of a command is due.
    Answer(Key),
    /// The answer of a command is missed, though the command goes on.
    Miss(Key),
    /// The library has looked at its cells after the door was closed for that time.
    Door(u64),
}

impl Device {
    pub(crate) fn new(library: Library, layout: Layout, shelves: Shelves) -> Self {
        let drives = layout
            .addresses(ElementType::Drive)
            .map(|address| Drive::new(address, shelves.cartridge(address).is_some()))
            .collect();
        let arms = layout.addresses(ElementType::Transport).map(Arm::new).collect();
        Self {
            now: Duration::ZERO,
            events: BTreeMap::new(),
            next_event: 0,
            next_key: 0,
            layout,
            shelves,
            drives,
            exceptions: BTreeMap::new(),
            arms,
            names: Names::new(library.identity),
            quirks: library.quirks,
            timing: library.timing,
            random: Random::seeded(library.seed),
            nexuses: Nexuses::default(),
            ports: Ports::default(),
            service: Service::default(),
            faults: Faults::default(),
            holds: Holds::default(),
            log: Log::default(),
            tasks: BTreeMap::new(),
            waiting: VecDeque::new(),
            finished: Vec::new(),
            moves_sent: 0,
            moves_done: 0,
        }
    }

    /// Sends a command at a virtual time.
    ///
    /// `data_in` is how many bytes the initiator takes, which bounds the answer's data together with the CDB's
    /// allocation length. `data_out` is the parameter list of commands that have one, up to 64 KiB. A time earlier than one already seen counts as the
    /// latest one. The outcome comes from [`advance`](Self::advance) or [`take`](Self::take), perhaps at once.
    pub fn submit(
        &mut self,
        now: Duration,
        unit: impl Into<Unit>,
        cdb: &[u8],
        data_out: &[u8],
        data_in: u32,
    ) -> Key {
        let unit = unit.into();
        self.run(now);
        let key = Key(self.next_key);
        self.next_key += 1;
        if self.ports.access(unit.nexus) == Access::Dead {
            self.finished.push((key, Outcome::NotDelivered));
            return key;
        }
        let seen = seen(unit, cdb);
        let met = self.faults.meet(&seen, Moment::Arrival, self.now);
        if met == Some(Action::NotDelivered) {
            self.finished.push((key, Outcome::NotDelivered));
            return key;
        }
        self.nexuses.meet(unit);
        if unit.lun == 0 && matches!(seen.opcode, MoveMedium::OPCODE | ExchangeMedium::OPCODE) {
            self.moves_sent += 1;
        }
        let log = self.log.arrival(self.now, unit, cdb);
        let mut task = Task::new(unit, log, seen, data_in);
        task.data_out = data_out.get(..MAX_DATA_OUT).unwrap_or(data_out).to_vec();
        let mut taken_up = true;
        if let Some(Action::DropConnection { effect }) = met {
            self.abandon(|task| task.unit.nexus == unit.nexus, false);
            self.log.end(log, self.now, &Outcome::Lost);
            self.finished.push((key, Outcome::Lost));
            task.abandoned = true;
            taken_up = effect;
        }
        if self.tasks.len() >= MAX_TASKS {
            task.answer = Some(Answer::status(Status::TaskSetFull));
            self.deliver(key, task);
        } else if taken_up {
            self.begin(key, task, cdb);
        }
        if met.is_some() {
            // Only now, or the command itself would be answered with the attention.
            self.nexuses.lose(unit.nexus);
        }
        self.run(now);
        key
    }

    /// When something happens next; `None` while the library rests or waits for a [release](Self::release).
    pub fn next_event(&self) -> Option<Duration> {
        self.events.first_key_value().map(|((at, _), _)| *at)
    }

    /// Brings the library forward to a time, and hands out the commands that have ended, in the order in which they
    /// did.
    pub fn advance(&mut self, now: Duration) -> Vec<(Key, Outcome)> {
        self.run(now);
        core::mem::take(&mut self.finished)
    }

    /// Hands out the outcome of one command, if it has ended and was not handed out before.
    pub fn take(&mut self, key: Key) -> Option<Outcome> {
        let index = self.finished.iter().rposition(|(finished, _)| *finished == key)?;
        Some(self.finished.remove(index).1)
    }

    /// Whether outcomes wait to be handed out.
    pub fn has_finished(&self) -> bool {
        !self.finished.is_empty()
    }

    /// The latest time that the device has seen.
    pub fn now(&self) -> Duration {
        self.now
    }

    /// ABORT TASK SET (SAM-5 7.3): the nexus gets no answer any more to the commands that it has in flight at the
    /// logical unit. What has not been started is dropped; motions that have been are completed.
    pub fn abort(&mut self, now: Duration, unit: impl Into<Unit>) {
        let unit = unit.into();
        self.run(now);
        self.abandon(|task| task.unit == unit, true);
    }

    /// LOGICAL UNIT RESET (SAM-5 7.7): as [`abort`](Self::abort) for every nexus, which all find a unit attention
    /// (29/03); prevention of removal ends.
    pub fn reset(&mut self, now: Duration, lun: u16) {
        self.run(now);
        self.abandon(|task| task.unit.lun == lun, true);
        self.nexuses.reset_unit(lun);
        self.service.reset_unit(lun);
    }

    /// The session of a nexus has ended, or another has taken its place (I_T nexus loss, SAM-5 6.3.4): its commands lose
    /// their answers as with [`abort`](Self::abort), its prevention of removal ends, and it finds a unit attention (29/07)
    /// when it comes back. Its registrations and reservations stay (SPC-4 5.13.4).
    #[doc(alias = "I_T NEXUS LOSS")]
    pub fn lose(&mut self, now: Duration, nexus: Nexus) {
        self.run(now);
        self.abandon(|task| task.unit.nexus == nexus, true);
        self.nexuses.lose(nexus);
        self.service.lose(nexus);
    }

    /// Gives a nexus the name of its initiator port, as READ FULL STATUS tells it (SPC-4 7.6.4.6): an iSCSI name, followed by
    /// `,i,0x` and the ISID where a session is meant. What is longer than such a name can be is not taken over whole.
    #[doc(alias = "TransportID")]
    pub fn name_nexus(&mut self, nexus: Nexus, port: &str) {
        self.nexuses.name(nexus, port);
    }

    /// Whether a nexus is registered for persistent reservations with any logical unit.
    pub fn is_registered(&self, nexus: Nexus) -> bool {
        self.service.registries.values().any(|registry| registry.knows(nexus))
    }

    /// The nexus has gone: its commands in flight lose their answers, and it is forgotten.
    pub fn forget(&mut self, nexus: Nexus) {
        self.abandon(|task| task.unit.nexus == nexus, false);
        self.nexuses.forget(nexus);
        self.ports.forget(nexus);
        self.service.forget(nexus);
    }

    /// Tells the initiators of some commands that there will be no answer.
    pub(crate) fn abandon(&mut self, which: impl Fn(&Task) -> bool, drop_waiting: bool) {
        for (key, task) in &mut self.tasks {
            if which(task) && !task.abandoned {
                task.abandoned = true;
                self.log.end(task.log, self.now, &Outcome::Lost);
                self.finished.push((*key, Outcome::Lost));
            }
        }
        if drop_waiting {
            let held = self.arms.iter().filter_map(Arm::held_key);
            for key in self.waiting.iter().copied().chain(held) {
                if self.tasks.get(&key).is_some_and(&which) {
                    self.tasks.remove(&key);
                }
            }
            self.drop_held_jobs();
            if self.quirks.has(Quirk::ArmKeepsCartridge) {
                self.stop_arms();
            }
        }
    }

    /// Every element with its type and the barcode of its cartridge: `None` for an empty element, an empty text for
    /// a cartridge without a label. A cartridge on its way is in the element of the arm.
    pub fn contents(&self) -> Vec<(ElementAddress, ElementType, Option<String>)> {
        self.shelves
            .all()
            .map(|shelf| {
                let barcode = shelf.cartridge.as_ref().map(|it| it.barcode.clone().unwrap_or_default());
                (shelf.address, shelf.element_type, barcode)
            })
            .collect()
    }

    /// Where a cartridge is; `None` if it is not in the library.
    pub fn find(&self, barcode: &str) -> Option<ElementAddress> {
        let holds = |cartridge: &crate::shelves::Cartridge| cartridge.barcode.as_deref() == Some(barcode);
        self.shelves
            .all()
            .find(|shelf| shelf.cartridge.as_ref().is_some_and(holds))
            .map(|shelf| shelf.address)
    }

    /// The commands that reached the device, oldest first, at most the last [`LOG_CAPACITY`](crate::LOG_CAPACITY).
    pub fn log(&self) -> impl DoubleEndedIterator<Item = &LogEntry> + ExactSizeIterator {
        self.log.entries()
    }

    /// How many MOVE MEDIUM and EXCHANGE MEDIUM commands reached the changer.
    pub fn moves_sent(&self) -> u64 {
        self.moves_sent
    }

    /// How many of them took effect.
    pub fn moves_done(&self) -> u64 {
        self.moves_done
    }

    /// The serial number of the library (VPD page 80h).
    pub fn serial(&self) -> &str {
        &self.names.serial
    }

    /// The number of drives; their logical units are 1 and up.
    pub fn drive_count(&self) -> u16 {
        u16::try_from(self.drives.len()).unwrap_or(u16::MAX)
    }

    pub(crate) fn schedule(&mut self, at: Duration, event: Event) {
        let order = self.next_event;
        self.next_event += 1;
        self.events.insert((at.max(self.now), order), event);
    }

    pub(crate) fn run(&mut self, now: Duration) {
        while let Some(entry) = self.events.first_entry()
            && entry.key().0 <= now
        {
            let ((at, _), event) = entry.remove_entry();
            self.now = self.now.max(at);
            match event {
                Event::Step { arm, job } => self.step(arm, job),
                Event::Drive { index, generation } => self.turn_drive(index, generation),
                Event::Answer(key) => {
                    if let Some(task) = self.tasks.remove(&key) {
                        self.deliver(key, task);
                    }
                }
                Event::Miss(key) => self.miss(key),
                Event::Door(number) => self.cells_seen(number),
            }
        }
        self.now = self.now.max(now);
    }
}
