//! Faults: what goes wrong, with which commands, how often.

use alloc::vec::Vec;
use core::time::Duration;

use autochanger_scsi::{AdditionalSense, ElementAddress, Sense, SenseKey, Status};

use crate::answer::{Answer, not_ready, sense};
use crate::selector::{Seen, Selector, selecting};

/// Something that goes wrong.
///
/// A fault names what happens; the methods after it say to which commands ([`on`](Self::on), [`lun`](Self::lun),
/// [`from`](Self::from), [`to`](Self::to); without them to any) and how often ([`times`](Self::times), once by
/// default; [`lasting`](Self::lasting); [`always`](Self::always)). A command that is answered with a unit attention
/// meets no fault. Where several faults match, the one injected first acts.
///
/// ```
/// use autochanger_sim::{Fault, Library, SenseKey};
/// use core::time::Duration;
///
/// let mut device = Library::new().cartridges("VT{:04}L8", 1..=20).build();
/// device.inject(Fault::sense(SenseKey::HardwareError, 0x15, 0x01).on_move().times(2));
/// device.inject(Fault::lost_reply().without_effect().on_move());
/// device.inject(Fault::late_effect(Duration::from_secs(90)).on_move());
/// device.inject(Fault::becoming_ready().lasting(Duration::from_secs(60)));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Fault {
    action: Action,
    selector: Selector,
    skip: u32,
    limit: Limit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limit {
    Times(u32),
    Lasting(Duration),
    Until(Duration),
    Always,
}

/// What a fault does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Action {
    /// Answers with this, without or after the effect.
    Answer { reply: Reply, effect: bool },
    /// The answer is lost on its way.
    LoseReply { effect: Effect, silent: bool },
    /// The command never arrives.
    NotDelivered,
    /// The connection ends once the command has arrived; all commands in flight of its nexus lose their answers.
    DropConnection { effect: bool },
    /// The arm picks the cartridge and cannot place it.
    StickInArm,
    /// The door is opened when the arm has picked the cartridge, and the motion ends.
    OpenDoor,
    /// The drive does not give its cartridge back, until it is repaired.
    StickInDrive(ElementAddress),
    /// The drive is dead, until it is repaired.
    KillDrive(ElementAddress),
    /// The element is reported with an exception, until it is repaired.
    Except { element: ElementAddress, code: AdditionalSense },
    /// A unit attention comes up at once, for every nexus.
    Attention { lun: u16, code: AdditionalSense },
}

/// A reply in place of the usual one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Reply {
    Sense(Sense),
    Status(Status),
}

impl Reply {
    /// A device that has carried the command out remarks something: its data come, too.
    pub(crate) fn is_remark(&self) -> bool {
        matches!(self, Self::Sense(Sense { key: SenseKey::NoSense | SenseKey::RecoveredError, .. }))
    }

    pub(crate) fn answer(&self) -> Answer {
        match self {
            Self::Sense(sense) => Answer::check(sense),
            Self::Status(status) => Answer::status(*status),
        }
    }
}

/// Whether and when a command that lost its reply takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    None,
    Usual,
    Later(Duration),
}

impl Fault {
    fn new(action: Action) -> Self {
        Self { action, selector: Selector::default(), skip: 0, limit: Limit::Times(1) }
    }

    /// The command is answered with this sense data, and has no effect unless [`after_effect`](Self::after_effect)
    /// is said.
    pub fn sense(key: SenseKey, asc: u8, ascq: u8) -> Self {
        Self::sense_data(sense(key, asc, ascq))
    }

    /// The same with all that sense data can say.
    pub fn sense_data(sense: Sense) -> Self {
        Self::new(Action::Answer { reply: Reply::Sense(sense), effect: false })
    }

    /// The command is answered with a bare status: BUSY, TASK SET FULL, RESERVATION CONFLICT.
    pub fn status(status: Status) -> Self {
        Self::new(Action::Answer { reply: Reply::Status(status), effect: false })
    }

    /// The unit is becoming ready (02/04/01): commands that need readiness are refused. Commonly with
    /// [`lasting`](Self::lasting) or [`times`](Self::times); it speaks of the changer unless [`lun`](Self::lun)
    /// names a drive.
    pub fn becoming_ready() -> Self {
        Self::sense_data(not_ready(0x04, 0x01)).lun(0)
    }

    /// The command takes effect, and its reply is lost when it would have come.
    pub fn lost_reply() -> Self {
        Self::new(Action::LoseReply { effect: Effect::Usual, silent: false })
    }

    /// The reply is lost when it would have come, and the command takes effect only `later` than that. The arm is at
    /// work until then. Commands that need no arm take effect at once.
    pub fn late_effect(later: Duration) -> Self {
        Self::new(Action::LoseReply { effect: Effect::Later(later), silent: false })
    }

    /// The command takes effect, and nothing is ever heard of it: the initiator has to give up by itself.
    pub fn silence() -> Self {
        Self::new(Action::LoseReply { effect: Effect::Usual, silent: true })
    }

    /// The command never reaches the device.
    pub fn not_delivered() -> Self {
        Self::new(Action::NotDelivered)
    }

    /// The connection ends when the command has arrived: it takes effect, and every command in flight of the nexus
    /// loses its reply. The nexus finds a unit attention (29/07) afterwards.
    pub fn connection_lost() -> Self {
        Self::new(Action::DropConnection { effect: true })
    }

    /// The arm picks the cartridge and cannot place it: it stays in the arm, and the motion ends with 04/15/01.
    pub fn stuck_in_arm() -> Self {
        Self::new(Action::StickInArm)
    }

    /// Somebody opens the door when the arm has picked the cartridge: it stays in the arm, and the motion ends with 02/04/18. The door is
    /// open from then on, whether or not a host has locked it, until
    /// [`Device::operator_close_door`](crate::Device::operator_close_door).
    pub fn door_mid_move() -> Self {
        Self::new(Action::OpenDoor).on_move()
    }

    /// From now on the drive does not give its cartridge back: unloading ends with 04/53/01, until
    /// [`Device::repair`](crate::Device::repair).
    pub fn stuck_in_drive(drive: impl Into<autochanger_scsi::ElementAddress>) -> Self {
        let drive = drive.into();
        Self::new(Action::StickInDrive(drive))
    }

    /// From now on the drive answers everything with 04/44/00 and the robot cannot use it (04/08/00), until
    /// [`Device::repair`](crate::Device::repair).
    pub fn dead_drive(drive: impl Into<autochanger_scsi::ElementAddress>) -> Self {
        let drive = drive.into();
        Self::new(Action::KillDrive(drive))
    }

    /// From now on reports mark the element with EXCEPT and this code, until
    /// [`Device::repair`](crate::Device::repair). Motions do not mind.
    pub fn exception(element: impl Into<autochanger_scsi::ElementAddress>, asc: u8, ascq: u8) -> Self {
        let element = element.into();
        Self::new(Action::Except { element, code: AdditionalSense { asc, ascq } })
    }

    /// Now every nexus finds this unit attention at the logical unit.
    pub fn unit_attention(lun: u16, asc: u8, ascq: u8) -> Self {
        Self::new(Action::Attention { lun, code: AdditionalSense { asc, ascq } })
    }

    /// The command takes effect before the answer is given; with NO SENSE and RECOVERED ERROR its data come, too. For [`sense`](Self::sense) and
    /// [`status`](Self::status); the lost ones do so unless told otherwise.
    pub fn after_effect(mut self) -> Self {
        self.set_effect(true);
        self
    }

    /// The command takes no effect.
    pub fn without_effect(mut self) -> Self {
        self.set_effect(false);
        self
    }

    /// How many commands meet the fault.
    pub fn times(mut self, count: u32) -> Self {
        self.limit = Limit::Times(count);
        self
    }

    /// Every matching command meets the fault for this long, counted from the injection, in virtual time.
    pub fn lasting(mut self, time: Duration) -> Self {
        self.limit = Limit::Lasting(time);
        self
    }

    /// Every matching command meets the fault, until the faults are cleared.
    pub fn always(mut self) -> Self {
        self.limit = Limit::Always;
        self
    }

    /// The first `count` matching commands are spared.
    pub fn after(mut self, count: u32) -> Self {
        self.skip = count;
        self
    }

    fn set_effect(&mut self, taken: bool) {
        match &mut self.action {
            Action::Answer { effect, .. } | Action::DropConnection { effect } => *effect = taken,
            Action::LoseReply { effect, .. } => *effect = if taken { Effect::Usual } else { Effect::None },
            _ => {}
        }
    }

    pub(crate) fn action(&self) -> Action {
        self.action
    }

    /// Whether the command has to get through to the device before it can meet the fault.
    fn on_arrival(&self) -> bool {
        matches!(self.action, Action::NotDelivered | Action::DropConnection { .. })
    }

    /// Whether only commands that need a ready unit meet the fault.
    fn spares_the_unready(&self) -> bool {
        matches!(
            self.action,
            Action::Answer { reply: Reply::Sense(Sense { key: SenseKey::NotReady, .. }), effect: false }
        )
    }
}

selecting!(Fault);

/// When in a command's life its faults are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// On its way to the device.
    Arrival,
    /// When the device takes it up; whether it needs a ready unit.
    Start { needs_ready: bool },
}

/// The faults that wait for their commands.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pending: Vec<Fault>,
}

impl Faults {
    pub(crate) fn add(&mut self, mut fault: Fault, now: Duration) {
        if let Limit::Lasting(time) = fault.limit {
            fault.limit = Limit::Until(now.saturating_add(time));
        }
        self.pending.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.pending.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.pending.len()
    }

    /// What happens to the command, if anything does.
    pub(crate) fn meet(&mut self, seen: &Seen, moment: Moment, now: Duration) -> Option<Action> {
        if self.pending.is_empty() {
            return None;
        }
        self.pending.retain(|fault| !matches!(fault.limit, Limit::Until(end) if end <= now));
        let arrives = moment == Moment::Arrival;
        let unready = moment == Moment::Start { needs_ready: false };
        let mut met = None;
        for (index, fault) in self.pending.iter_mut().enumerate() {
            if fault.on_arrival() != arrives || (unready && fault.spares_the_unready()) {
                continue;
            }
            if !fault.selector.matches(seen) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            met = Some((index, fault.action));
            break;
        }
        let (index, action) = met?;
        if let Some(Fault { limit: Limit::Times(count), .. }) = self.pending.get_mut(index) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                drop(self.pending.remove(index));
            }
        }
        Some(action)
    }
}
