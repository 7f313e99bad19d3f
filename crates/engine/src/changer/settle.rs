//! A motion with a doubtful ending: what became of it is found out by looking, never by sending it again.
//!
//! *Moved* is concluded at once when the cartridge is seen at its goal. *Not moved* only when the library is quiet:
//! TEST UNIT READY good, the arm empty, two looks agree, and either the device proved that the command ended or the
//! motion time-out has passed since it was sent: a timed-out MOVE has been seen to happen later. *In the arm* when the motion
//! is over in that sense, and the arm has been given time to put the cartridge down.

mod look;

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use autochanger_scsi::{Dialect, TestUnitReady};

use self::look::Look;
use super::ask::{Ask, Refusal};
use super::reply::{ElementReport, find_one};
use super::style::{ReadStyle, read_one};
use super::{Do, Heard, Procedure};
use crate::command::{Command, Completion, PathFault};
use crate::id::Device;
use crate::input::Timing;
use crate::library::fault::{Outlook, outlook, speaks_of_path};
use crate::request::ElementName;
use crate::time::Now;

/// Looks that must agree before *not moved* is believed: one can fall into the moment before the arm starts.
const AGREEING_LOOKS: u8 = 2;
/// When the motion must be over, how many looks may end without a clear picture before it is given up: with the growing
/// pauses between them about half a minute, in which an arm that still held the cartridge has put it down.
const UNCLEAR_LOOKS: u8 = 5;

/// What became of the motion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Settled {
    /// The cartridge is at its goal.
    Moved,
    /// The cartridge is where it was, and will stay there.
    NotMoved,
    /// The motion is over, and the cartridge is in this arm, which was given time to put it down.
    InArm(ElementName),
    /// The looks do not tell; what was seen.
    Unknown(String),
}

/// What the ending of the command proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Nothing: it may still happen.
    None,
    /// The device answered: it is not going to happen later.
    Ended,
    /// The device answered that it did not carry it out: the cartridge is not at its goal for it, even if it is not at
    /// its source either, because hands were there.
    Refused,
}

/// The procedure.
#[derive(Debug, Clone)]
pub(crate) struct Settle {
    source: ElementName,
    destination: ElementName,
    /// The arms that are no end of the motion.
    arms: Vec<ElementName>,
    barcode: Option<Arc<str>>,
    style: ReadStyle,
    timing: Timing,
    dialect: &'static Dialect,
    /// Since when the motion time-out runs, on the monotonic clock.
    sent_at: Duration,
    proof: Proof,
    stage: Stage,
    ask: Option<Ask>,
    seen: Look,
    agreeing: u8,
    unclear: u8,
    /// The arm in which the look before saw the cartridge, and nowhere else.
    in_arm: Option<ElementName>,
    pause: Duration,
    /// Another cartridge is known to stand at the goal.
    taken: bool,
    /// Planted: one look is believed, whenever it is taken.
    hasty: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Ready,
    Source,
    Destination,
    Arm(usize),
    Resting,
}

impl Settle {
    pub(crate) fn new(
        source: ElementName,
        destination: ElementName,
        mut arms: Vec<ElementName>,
        barcode: Option<Arc<str>>,
        style: ReadStyle,
        timing: Timing,
        dialect: &'static Dialect,
    ) -> Self {
        arms.retain(|arm| *arm != source);
        Self {
            source,
            destination,
            arms,
            barcode,
            style,
            timing,
            dialect,
            sent_at: Duration::ZERO,
            proof: Proof::None,
            stage: Stage::Resting,
            ask: None,
            seen: Look::default(),
            agreeing: 0,
            unclear: 0,
            in_arm: None,
            pause: timing.retry_min,
            taken: false,
            hasty: false,
        }
    }

    pub(crate) fn way(&self) -> (ElementName, ElementName) {
        (self.source, self.destination)
    }

    pub(crate) fn motion_timeout(&self) -> Duration {
        self.timing.motion
    }

    /// Why the last look saw nothing, if the device could not be reached.
    pub(crate) fn path_fault(&self) -> Option<&PathFault> {
        self.seen.path.as_ref()
    }

    /// Why the last look saw that a person must come, if it did.
    pub(crate) fn wants_person(&self) -> Option<&str> {
        self.seen.person.as_deref()
    }

    /// The arm in which the last look saw the cartridge, and at neither end.
    pub(crate) fn in_arm(&self) -> Option<ElementName> {
        self.in_arm
    }

    pub(crate) fn dialect(&self) -> &'static Dialect {
        self.dialect
    }

    /// The motion is one of two that one command makes: it has the time of both.
    pub(crate) fn takes_twice(&mut self) {
        self.timing.motion = self.timing.motion.saturating_mul(2);
    }

    /// What stands at the goal is another cartridge, whatever can be read there.
    pub(crate) fn goal_is_taken(&mut self) {
        self.taken = true;
    }

    /// Plants [`Bug::NotMovedAfterOneLook`](crate::planted::Bug::NotMovedAfterOneLook).
    pub(crate) fn believes_one_look(&mut self) {
        self.hasty = true;
    }

    /// The command is sent now. Of one that an earlier process may have sent nobody knows when: it counts from now, too,
    /// for neither the time of its intent nor a wall clock proves anything.
    pub(crate) fn sent_now(&mut self, now: Now) {
        self.sent_at = now.monotonic;
    }

    /// How long the device may still be at it: the motion has been sent, and nothing proves that it is over.
    pub(crate) fn may_last(&self, now: Now) -> Duration {
        match self.proof {
            Proof::None => self.timing.motion.saturating_sub(now.monotonic.saturating_sub(self.sent_at)),
            Proof::Ended | Proof::Refused => Duration::ZERO,
        }
    }

    pub(crate) fn proof(&self) -> Proof {
        self.proof
    }

    /// What the ending of the command proves. On its way it can have waited in a line, so that it was sent now at the latest; one
    /// that was given up because its time was over had that time from its sending.
    pub(crate) fn proved(&mut self, proof: Proof, timed_out: bool, now: Now) {
        self.proof = proof;
        let age = if timed_out { self.timing.motion } else { Duration::ZERO };
        self.sent_at = self.sent_at.max(now.monotonic.saturating_sub(age));
    }

    fn begin_look(&mut self, now: Now) -> Do<Settled> {
        self.seen = Look::default();
        self.ask_for(Stage::Ready, now)
    }

    fn ask_for(&mut self, stage: Stage, now: Now) -> Do<Settled> {
        self.stage = stage;
        let command = match stage {
            Stage::Ready => Command::new(TestUnitReady {}.cdb(), self.timing.status),
            Stage::Source => read_one(self.source, self.style, self.timing),
            Stage::Destination => read_one(self.destination, self.style, self.timing),
            Stage::Arm(n) => match self.arms.get(n) {
                Some(&arm) => read_one(arm, self.style, self.timing),
                None => return self.judge(now),
            },
            Stage::Resting => return self.begin_look(now),
        };
        let ask = Ask::new(Device::Changer, command, self.timing).in_dialect(self.dialect);
        let step = ask.begin();
        self.ask = Some(ask);
        self.follow(step, now)
    }

    fn follow(&mut self, step: Do<Result<Completion, Refusal>>, now: Now) -> Do<Settled> {
        match step {
            Do::Send(device, command) => Do::Send(device, command),
            Do::Wait(pause) => Do::Wait(pause),
            Do::Done(answer) => self.note(answer, now),
        }
    }

    fn note(&mut self, answer: Result<Completion, Refusal>, now: Now) -> Do<Settled> {
        let next = match (self.stage, answer) {
            (_, Err(Refusal::Path(fault))) => {
                self.seen.trouble = Some(format!("{fault}"));
                self.seen.path = Some(fault);
                return self.judge(now);
            }
            (Stage::Ready, Ok(_)) => {
                self.seen.ready = true;
                Stage::Source
            }
            (Stage::Ready, Err(refusal)) => {
                let trouble = format!("the library is not ready: {refusal}");
                let outlook = refusal.sense().map(|sense| outlook(&sense, self.dialect));
                // A path that is not to be used now is as one that is lost: nothing is seen through it.
                let of_path = refusal.sense().is_some_and(|sense| speaks_of_path(&sense));
                self.seen.held_up = of_path || outlook.is_some_and(|outlook| outlook != Outlook::None);
                if outlook == Some(Outlook::WantsPerson) {
                    self.seen.person = Some(trouble.clone());
                }
                self.seen.trouble = Some(trouble);
                Stage::Source
            }
            (Stage::Source, answer) => {
                let found = answer.ok().map(|c| find_one(&c.data, self.source));
                self.seen.source_gone = found == Some(None);
                self.seen.source = found.flatten();
                Stage::Destination
            }
            (Stage::Destination, answer) => {
                let found = answer.ok().map(|c| find_one(&c.data, self.destination));
                self.seen.destination_gone = found == Some(None);
                self.seen.destination = found.flatten();
                Stage::Arm(0)
            }
            (Stage::Arm(n), answer) => {
                if let (Some(&arm), Ok(completion)) = (self.arms.get(n), answer) {
                    // A cartridge that is known to be another one may stay in the arm for good.
                    let holds = self.holds(find_one(&completion.data, arm).as_ref());
                    self.seen.arm = self.seen.arm.or(holds.then_some(arm));
                }
                Stage::Arm(n + 1)
            }
            (Stage::Resting, _) => Stage::Ready,
        };
        // At its goal is enough: what the arm holds now belongs to somebody else.
        if matches!(next, Stage::Arm(_)) && self.at_goal() {
            return Do::Done(Settled::Moved);
        }
        self.ask_for(next, now)
    }

    fn holds(&self, report: Option<&ElementReport>) -> bool {
        report.is_some_and(|report| {
            report.full
                && match (&self.barcode, &report.tag) {
                    (Some(wanted), Some(found)) => wanted == found,
                    _ => true,
                }
        })
    }

    /// A label that can be read at the goal is enough; without one the source must have lost the cartridge.
    fn at_goal(&self) -> bool {
        let label = self
            .seen
            .destination
            .as_ref()
            .filter(|report| report.full)
            .and_then(|report| report.tag.as_ref());
        if label.is_some() && label == self.barcode.as_ref() {
            return true;
        }
        !self.taken
            && self.holds(self.seen.destination.as_ref())
            && self.seen.source.is_some()
            && !self.holds(self.seen.source.as_ref())
    }

    fn judge(&mut self, now: Now) -> Do<Settled> {
        if self.at_goal() {
            return Do::Done(Settled::Moved);
        }
        let refused = self.proof == Proof::Refused;
        // A refused command took nothing away: seen at its source is enough, whatever stands at the goal.
        let stayed = refused && self.holds(self.seen.source.as_ref());
        // Nor did it bring anything to an element that there is not: elements can have other addresses since.
        let not_at_goal = stayed
            || self.taken
            || (refused && self.seen.destination_gone)
            || (self.seen.destination.is_some() && !self.holds(self.seen.destination.as_ref()));
        let looked_at = self.seen.source.is_some() || self.seen.source_gone;
        let not_taken = self.holds(self.seen.source.as_ref()) || (refused && looked_at);
        let timed_out = now.monotonic.saturating_sub(self.sent_at) >= self.timing.motion;
        let over = self.proof != Proof::None || timed_out || self.hasty;
        if not_taken && not_at_goal && self.seen.ready && self.seen.arm.is_none() && over {
            self.agreeing += 1;
            if self.agreeing >= AGREEING_LOOKS || self.hasty {
                return Do::Done(Settled::NotMoved);
            }
            return self.begin_look(now);
        }
        self.agreeing = 0;
        // Both ends must lack the cartridge: what an arm without a label holds may be another one.
        let elsewhere = self.seen.source.is_some() && !self.holds(self.seen.source.as_ref()) && not_at_goal;
        let in_arm = self.seen.arm.filter(|_| self.seen.ready && elsewhere);
        let before = core::mem::replace(&mut self.in_arm, in_arm);
        // While the device cannot be reached nothing was seen, so nothing is concluded and nothing is given up.
        // Nor while the library comes ready, or somebody has its door open or is at its panel, or must come.
        let looked = self.seen.path.is_none() && !self.seen.held_up;
        if over && looked {
            self.unclear += 1;
            if self.unclear >= UNCLEAR_LOOKS
                && let Some(arm) = in_arm.filter(|_| in_arm == before)
            {
                return Do::Done(Settled::InArm(arm));
            }
            if self.unclear >= UNCLEAR_LOOKS {
                return Do::Done(Settled::Unknown(self.seen.describe(self.source, self.destination)));
            }
        }
        self.rest(now)
    }

    fn rest(&mut self, now: Now) -> Do<Settled> {
        self.stage = Stage::Resting;
        self.ask = None;
        let until_timeout = self.may_last(now);
        let pause = self.pause;
        self.pause = pause.saturating_mul(2).min(self.timing.retry_max);
        // The moment at which *not moved* may be believed is not slept through.
        if until_timeout > Duration::ZERO && until_timeout < pause {
            return Do::Wait(until_timeout);
        }
        Do::Wait(pause)
    }
}

impl Procedure for Settle {
    type Output = Settled;

    fn step(&mut self, heard: Heard, now: Now) -> Do<Settled> {
        match (self.ask.as_mut(), heard) {
            (None, _) | (_, Heard::Start) => self.begin_look(now),
            (Some(ask), heard) => {
                let step = ask.step(heard, now);
                self.follow(step, now)
            }
        }
    }
}
