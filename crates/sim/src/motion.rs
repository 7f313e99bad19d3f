//! The arms: which motion starts when, and on which arm.

use alloc::vec::Vec;
use core::time::Duration;

use autochanger_scsi::ElementAddress;

use crate::answer::{Answer, Key};
use crate::device::{Device, Event};
use crate::fault::Effect;
use crate::task::{Motion, Work};

/// One medium transport element.
#[derive(Debug)]
pub(crate) struct Arm {
    address: ElementAddress,
    /// Where it stands on the rail.
    position: u32,
    job: Option<Job>,
    /// Counts the jobs, so that the steps of an abandoned one are known as such.
    jobs: u64,
}

/// What an arm is doing.
#[derive(Debug)]
struct Job {
    key: Key,
    motion: Motion,
    /// Not started yet: a hold stopped it.
    held: bool,
    /// What is still to be done, the next step last.
    steps: Vec<(Duration, Step)>,
}

/// One moment of a motion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Pick(ElementAddress),
    Place { from: ElementAddress, to: ElementAddress },
    Swap { from: ElementAddress, first: ElementAddress, second: ElementAddress },
    Arrive,
    Scanned,
}

/// A step that is due.
pub(crate) struct Moment {
    pub(crate) key: Key,
    /// The element of the arm.
    pub(crate) gripper: ElementAddress,
    pub(crate) step: Step,
    /// Whether the job is done with it.
    pub(crate) last: bool,
}

impl Arm {
    pub(crate) fn new(address: ElementAddress) -> Self {
        Self { address, position: 0, job: None, jobs: 0 }
    }

    pub(crate) fn address(&self) -> ElementAddress {
        self.address
    }

    pub(crate) fn renumber(&mut self, now: impl Fn(ElementAddress) -> ElementAddress) {
        self.address = now(self.address);
    }

    /// The command that a hold keeps from starting.
    pub(crate) fn held_key(&self) -> Option<Key> {
        self.job.as_ref().filter(|job| job.held).map(|job| job.key)
    }
}

impl Device {
    /// Starts what can start: in order of arrival, but for motions of other arms and other elements.
    pub(crate) fn dispatch(&mut self) {
        let mut index = 0;
        while let Some(key) = self.waiting.get(index).copied() {
            match self.arm_for(index, key) {
                Some(Start::Motion(arm, motion)) => {
                    self.waiting.remove(index);
                    self.assign(arm, key, motion);
                    index = 0;
                }
                Some(Start::Status) => {
                    self.waiting.remove(index);
                    self.take_up_status(key);
                    index = 0;
                }
                Some(Start::Gone) => {
                    self.waiting.remove(index);
                }
                None => index += 1,
            }
            if self.arms.iter().all(|arm| arm.job.is_some()) {
                return;
            }
        }
    }

    /// Whether the waiting command at an index can start now.
    fn arm_for(&self, index: usize, key: Key) -> Option<Start> {
        let Some(task) = self.tasks.get(&key) else { return Some(Start::Gone) };
        let rests = self.arms.iter().all(|arm| arm.job.is_none());
        let Work::Motion { motion, arm: wanted } = task.work else {
            return (rests && index == 0).then_some(Start::Status);
        };
        if matches!(motion, Motion::Scan { .. }) {
            return (rests && index == 0 && !self.arms.is_empty()).then_some(Start::Motion(0, motion));
        }
        let at_work = self.arms.iter().filter_map(|arm| arm.job.as_ref()).map(|job| job.motion);
        let earlier =
            self.waiting.iter().take(index).filter_map(|key| self.tasks.get(key)).map(|task| task.work);
        for work in at_work.map(|motion| Work::Motion { motion, arm: None }).chain(earlier) {
            match work {
                Work::Motion { motion: Motion::Scan { .. }, .. } | Work::Changer(_) | Work::Tape(..) => {
                    return None;
                }
                Work::Motion { motion: other, .. } if other.clashes(&motion) => return None,
                Work::Motion { .. } => {}
            }
        }
        let free = |index: usize| self.arms.get(index).is_some_and(|arm| arm.job.is_none());
        // What is in an arm that arm brings away.
        let holder = match motion {
            Motion::Move { from, .. } => self.arm_at(from),
            _ => None,
        };
        let arm = match wanted.or(holder) {
            Some(arm) => Some(arm).filter(|arm| free(*arm)),
            None => {
                // An arm that is stuck with a cartridge is the last choice.
                let free = || (0..self.arms.len()).filter(|arm| free(*arm));
                free().find(|arm| !self.holds_cartridge(*arm)).or_else(|| free().next())
            }
        };
        Some(Start::Motion(arm?, motion))
    }

    fn take_up_status(&mut self, key: Key) {
        if self.stops_before(key) {
            return;
        }
        if let Some(task) = self.tasks.remove(&key) {
            self.carry_out(key, task);
        }
    }

    fn assign(&mut self, arm: usize, key: Key, motion: Motion) {
        let held = self.stops_before(key);
        if let Some(arm) = self.arms.get_mut(arm) {
            arm.jobs += 1;
            arm.job = Some(Job { key, motion, held, steps: Vec::new() });
        }
        if !held {
            self.set_off(arm, key);
        }
    }

    /// Starts the job that an arm has been given: everything is checked here, as the elements are now.
    pub(crate) fn set_off(&mut self, index: usize, key: Key) {
        let Some(task) = self.tasks.get(&key) else { return self.free_arm(index) };
        let (fate, work) = (task.fate, task.work);
        let Work::Motion { motion, .. } = work else { return self.free_arm(index) };
        if fate.effect == Effect::None {
            return self.finish(index, key, Answer::good());
        }
        if let Err(sense) = self.check_door() {
            return self.finish(index, key, Answer::check(&sense));
        }
        let mut steps = match self.plan(index, motion, fate.keeps.is_some()) {
            Ok(steps) => steps,
            Err(sense) => return self.finish(index, key, Answer::check(&sense)),
        };
        if let Effect::Later(later) = fate.effect {
            let usual = steps.last().map_or(self.now, |(at, _)| *at);
            self.schedule(usual, Event::Miss(key));
            for (at, _) in &mut steps {
                *at = at.saturating_add(later);
            }
        }
        steps.reverse();
        let Some(arm) = self.arms.get_mut(index) else { return };
        let job = arm.jobs;
        if let Some(current) = &mut arm.job {
            current.held = false;
            current.steps = steps;
        }
        self.schedule_step(index, job);
    }

    pub(crate) fn schedule_step(&mut self, arm: usize, job: u64) {
        let next = self.arms.get(arm).and_then(|arm| arm.job.as_ref()).and_then(|job| job.steps.last());
        if let Some((at, _)) = next {
            self.schedule(*at, Event::Step { arm, job });
        }
    }

    pub(crate) fn finish(&mut self, arm: usize, key: Key, answer: Answer) {
        self.finish_at(self.now, arm, key, answer);
    }

    pub(crate) fn finish_at(&mut self, at: Duration, arm: usize, key: Key, answer: Answer) {
        self.free_arm_quietly(arm);
        if let Some(task) = self.tasks.remove(&key) {
            self.conclude_at(at, key, task, answer);
        }
        self.dispatch();
    }

    fn free_arm(&mut self, arm: usize) {
        self.free_arm_quietly(arm);
        self.dispatch();
    }

    fn free_arm_quietly(&mut self, arm: usize) {
        if let Some(arm) = self.arms.get_mut(arm) {
            arm.job = None;
        }
    }

    /// Forgets the jobs that were held back and whose commands are gone.
    pub(crate) fn drop_held_jobs(&mut self) {
        let tasks = &self.tasks;
        for arm in &mut self.arms {
            if arm.held_key().is_some_and(|key| !tasks.contains_key(&key)) {
                arm.job = None;
            }
        }
        self.dispatch();
    }

    /// Stops the arms that work for commands which their initiators have given up: what they have picked stays in them.
    pub(crate) fn stop_arms(&mut self) {
        let tasks = &mut self.tasks;
        for arm in &mut self.arms {
            let given_up = arm
                .job
                .as_ref()
                .map(|job| job.key)
                .filter(|key| tasks.get(key).is_some_and(|task| task.abandoned));
            if let Some(key) = given_up {
                arm.job = None;
                tasks.remove(&key);
            }
        }
        self.dispatch();
    }

    /// Takes the next step out of an arm's job, if that is still the job of this number.
    pub(crate) fn next_step(&mut self, arm: usize, job: u64) -> Option<Moment> {
        let arm = self.arms.get_mut(arm).filter(|arm| arm.jobs == job)?;
        let current = arm.job.as_mut()?;
        let (_, step) = current.steps.pop()?;
        Some(Moment { key: current.key, gripper: arm.address, step, last: current.steps.is_empty() })
    }

    /// The arm whose element has this address.
    pub(crate) fn arm_at(&self, address: ElementAddress) -> Option<usize> {
        self.arms.iter().position(|arm| arm.address == address)
    }

    /// Whether an arm is moving, or held before it does.
    pub(crate) fn arm_busy(&self, address: ElementAddress) -> bool {
        self.arms.iter().any(|arm| arm.address == address && arm.job.is_some())
    }

    /// Whether an arm's motion touches an element.
    pub(crate) fn arm_uses(&self, element: ElementAddress) -> bool {
        let motions = self.arms.iter().filter_map(|arm| arm.job.as_ref()).map(|job| job.motion);
        motions.into_iter().any(|motion| motion.elements().contains(&Some(element)))
    }

    /// Whether the library is looking at its elements.
    pub(crate) fn is_scanning(&self) -> bool {
        let motions = self.arms.iter().filter_map(|arm| arm.job.as_ref()).map(|job| job.motion);
        motions.into_iter().any(|motion| matches!(motion, Motion::Scan { .. }))
    }

    /// Whether a cartridge is in the arm.
    pub(crate) fn holds_cartridge(&self, arm: usize) -> bool {
        self.arms.get(arm).is_some_and(|arm| self.shelves.cartridge(arm.address).is_some())
    }

    pub(crate) fn position_of(&self, arm: usize) -> u32 {
        self.arms.get(arm).map_or(0, |arm| arm.position)
    }

    pub(crate) fn move_arm(&mut self, arm: usize, to: ElementAddress) {
        let position = self.layout.position(to);
        if let Some(arm) = self.arms.get_mut(arm) {
            arm.position = position;
        }
    }
}

/// How a waiting command starts.
enum Start {
    Motion(usize, Motion),
    Status,
    /// It was dropped meanwhile.
    Gone,
}

/// The logical unit of a drive.
pub(crate) fn drive_lun(index: usize) -> u16 {
    u16::try_from(index).unwrap_or(u16::MAX).saturating_add(1)
}
