//! Persistent reservations (SPC-4 5.13): whether the library is ours, and how it becomes ours and ceases to be.
//!
//! The type is *exclusive access, registrants only*: every path of ours registers the same key and may do everything, and
//! when the path that holds the reservation is lost the others lose nothing. *All registrants* would make anyone who
//! registers a holder, and *exclusive access* would shut our own other paths out. What decides between two that come at once
//! is RESERVE, which only one of them gets.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use autochanger_scsi::{
    PersistentReserveIn, PersistentReserveInAction, PersistentReserveOut, PersistentReserveOutAction,
    PersistentReserveParameters, ReservationHolder, ReservationStatus, ReservationType, SenseKey, Status,
};
use bytes::Bytes;

use super::ask::{Ask, Refusal, unreadable};
use super::initialize::{Initialize, Initialized, wants_initialize};
use super::{Do, Heard, Procedure};
use crate::command::{Command, Completion, PathFault};
use crate::id::Device;
use crate::input::Timing;
use crate::time::Now;

const TYPE: ReservationType = ReservationType::ExclusiveAccessRegistrants;
/// Bytes of READ FULL STATUS that are read for a message: some dozens of registrations.
const STATUS_LENGTH: u16 = 8192;
/// Bytes of READ RESERVATION: a header and one reservation.
const HOLDER_LENGTH: u16 = 24;
/// How often the state of things is read anew because it changed under our hands.
const MAX_ROUNDS: u8 = 3;
/// iSCSI names are at most 223 bytes long (RFC 7143 4.2.7.2); what is longer is no name.
const MAX_NAME: usize = 223;

/// For what the reservation is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The library is being opened over this path, which is to hold the reservation.
    Opening {
        /// Another's reservation is taken away.
        take_over: bool,
    },
    /// The path in use: whether it still holds it.
    Looking,
    /// A path in reserve: it only registers.
    Standby,
}

/// How it ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reserved {
    /// It is ours.
    Ours,
    /// It is ours, and was another's.
    TakenFrom(u64),
    /// The device has no persistent reservations.
    NotOffered,
}

/// How it did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotReserved {
    /// The way to it is the trouble.
    Path(PathFault),
    /// Another owner has it.
    Foreign { key: Option<u64>, initiator: Option<String> },
    /// The device answers what it must not.
    Unfit(String),
}

type Ended = Result<Reserved, NotReserved>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Holder,
    Register,
    /// REGISTER for devices that cannot ignore the key that is there: this is the key.
    RegisterOver(u64),
    Reserve,
    /// Our own reservation comes to this path; registrations of ours that are left from before go.
    Gather,
    Preempt(u64),
    /// RESERVE was refused: somebody was faster, or another path of ours holds it.
    Recheck,
    /// Another has it: who is it?
    Who(u64),
    /// Another has it: our registration is taken back.
    Withdraw(u64),
    /// The device does not have the type: our registration is taken back.
    WithdrawUnoffered,
}

/// The procedure that makes the library ours, or finds who has it. Each of its commands may be repeated.
#[derive(Debug, Clone)]
pub(crate) struct Reserve {
    key: u64,
    role: Role,
    timing: Timing,
    stage: Stage,
    ask: Ask,
    /// Whose reservation was found.
    holder: Option<u64>,
    registered: bool,
    rounds: u8,
    /// Sense data did not come with its status.
    asked_for_sense: bool,
    /// How the library is told to look at its elements, where it answers nothing before that; once.
    initialize: Option<Box<Initialize>>,
    looking: Option<Box<Initialize>>,
    initialized: Option<Initialized>,
}

fn reserve_in(action: PersistentReserveInAction, allocation: u16, timing: Timing) -> Command {
    let cdb = PersistentReserveIn { action, allocation }.cdb();
    Command::reading(cdb, u32::from(allocation), timing.status)
}

fn reserve_out(action: PersistentReserveOutAction, key: u64, service_key: u64, timing: Timing) -> Command {
    let length = PersistentReserveParameters::LENGTH as u32;
    let cdb = PersistentReserveOut { action, scope: 0, kind: TYPE.code(), length }.cdb();
    // Not APTPL: a power cycle stays the way in which a person frees a library whose owner is gone for good.
    let parameters =
        PersistentReserveParameters { key, service_action_key: service_key, ..Default::default() };
    let data_out = Bytes::copy_from_slice(&parameters.to_bytes());
    Command { data_out, ..Command::new(cdb, timing.status) }
}

fn is_conflict(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Status(Status::ReservationConflict))
}

fn is_illegal(refusal: &Refusal) -> bool {
    refusal.sense().is_some_and(|sense| sense.key == SenseKey::IllegalRequest)
}

impl Reserve {
    pub(crate) fn new(key: u64, role: Role, timing: Timing) -> Self {
        let command = reserve_in(PersistentReserveInAction::ReadReservation, HOLDER_LENGTH, timing);
        let ask = Ask::new(Device::Changer, command, timing);
        Self {
            key,
            role,
            timing,
            stage: Stage::Holder,
            ask,
            holder: None,
            registered: false,
            rounds: 0,
            asked_for_sense: false,
            initialize: None,
            looking: None,
            initialized: None,
        }
    }

    /// The library may have to look at its elements before it answers.
    pub(crate) fn initializing(self, initialize: Initialize) -> Self {
        Self { initialize: Some(Box::new(initialize)), ..self }
    }

    /// What came of that, if it had to.
    pub(crate) fn initialized(&self) -> Option<Initialized> {
        self.initialized
    }

    /// Whether the device had to be asked for sense data.
    pub(crate) fn asked_for_sense(&self) -> bool {
        self.asked_for_sense
    }

    fn ask(&mut self, stage: Stage) -> Do<Ended> {
        use PersistentReserveInAction::*;
        use PersistentReserveOutAction::*;
        let (key, timing) = (self.key, self.timing);
        let command = match stage {
            Stage::Holder | Stage::Recheck => reserve_in(ReadReservation, HOLDER_LENGTH, timing),
            Stage::Who(_) => reserve_in(ReadFullStatus, STATUS_LENGTH, timing),
            Stage::Register => reserve_out(RegisterAndIgnore, 0, key, timing),
            Stage::RegisterOver(known) => reserve_out(Register, known, key, timing),
            Stage::Reserve => reserve_out(Reserve, key, 0, timing),
            Stage::Gather => reserve_out(Preempt, key, key, timing),
            Stage::Preempt(foreign) => reserve_out(Preempt, key, foreign, timing),
            Stage::Withdraw(_) | Stage::WithdrawUnoffered => reserve_out(Register, key, 0, timing),
        };
        self.stage = stage;
        self.ask = Ask::new(Device::Changer, command, timing);
        let step = self.ask.begin();
        self.follow(step)
    }

    fn follow(&mut self, step: Do<Result<Completion, Refusal>>) -> Do<Ended> {
        self.asked_for_sense |= self.ask.asked_for_sense();
        match step {
            Do::Send(device, command) => Do::Send(device, command),
            Do::Wait(pause) => Do::Wait(pause),
            Do::Done(Err(Refusal::Path(fault))) => Do::Done(Err(NotReserved::Path(fault))),
            Do::Done(answer) => self.judge(answer.map(|completion| completion.data)),
        }
    }

    /// What other owners have reserved the device itself keeps from being looked at.
    fn look(&mut self, mut initialize: Box<Initialize>, heard: Heard, now: Now) -> Do<Ended> {
        match initialize.step(heard, now) {
            Do::Send(device, command) => {
                self.looking = Some(initialize);
                return Do::Send(device, command);
            }
            Do::Wait(pause) => {
                self.looking = Some(initialize);
                return Do::Wait(pause);
            }
            Do::Done(Err(Refusal::Path(fault))) => return Do::Done(Err(NotReserved::Path(fault))),
            Do::Done(Ok(initialized)) => self.initialized = Some(initialized),
            // It may answer all the same.
            Do::Done(Err(_)) => {}
        }
        self.ask(self.stage)
    }

    fn unfit(&self, command: &str, refusal: &Refusal) -> Do<Ended> {
        Do::Done(Err(NotReserved::Unfit(format!("it answered {command} with {refusal}"))))
    }

    fn judge(&mut self, answer: Result<Bytes, Refusal>) -> Do<Ended> {
        const IN: &str = "PERSISTENT RESERVE IN";
        const OUT: &str = "PERSISTENT RESERVE OUT";
        match (self.stage, answer) {
            (Stage::Holder | Stage::Recheck, Err(refusal)) if is_conflict(&refusal) => {
                // Only the RESERVE of old keeps others from asking.
                Do::Done(Err(NotReserved::Foreign { key: None, initiator: None }))
            }
            (Stage::Holder, Err(refusal)) if is_illegal(&refusal) => Do::Done(Ok(Reserved::NotOffered)),
            (Stage::Holder | Stage::Recheck, Err(refusal)) => self.unfit(IN, &refusal),
            (Stage::Holder | Stage::Recheck, Ok(data)) => match ReservationHolder::parse(&data) {
                Ok((_, holder)) => self.judge_holder(holder.map(|holder| holder.key)),
                Err(_) => Do::Done(Err(NotReserved::Unfit(unreadable(IN)))),
            },

            (Stage::Register | Stage::RegisterOver(_), Ok(_)) => {
                self.registered = true;
                match (self.role, self.holder) {
                    (Role::Standby, _) => Do::Done(Ok(Reserved::Ours)),
                    (_, None) => self.ask(Stage::Reserve),
                    (_, Some(key)) if key == self.key => self.ask(Stage::Gather),
                    (_, Some(key)) => self.ask(Stage::Preempt(key)),
                }
            }
            (Stage::Register, Err(refusal)) if refusal.is_illegal(0x24) || refusal.is_illegal(0x26) => {
                self.ask(Stage::RegisterOver(0))
            }
            (Stage::RegisterOver(0), Err(refusal)) if is_conflict(&refusal) => {
                self.ask(Stage::RegisterOver(self.key))
            }
            (Stage::Register | Stage::RegisterOver(_), Err(refusal))
                if refusal.is_illegal(0x20) || refusal.is_illegal(0x24) =>
            {
                Do::Done(Ok(Reserved::NotOffered))
            }
            (Stage::Register | Stage::RegisterOver(_), Err(refusal)) if is_conflict(&refusal) => {
                Do::Done(Err(NotReserved::Foreign { key: self.holder, initiator: None }))
            }
            (Stage::Register | Stage::RegisterOver(_), Err(refusal)) => self.unfit(OUT, &refusal),

            (Stage::Reserve | Stage::Gather, Ok(_)) => Do::Done(Ok(Reserved::Ours)),
            (Stage::Preempt(key), Ok(_)) => Do::Done(Ok(Reserved::TakenFrom(key))),
            (Stage::Reserve | Stage::Gather, Err(refusal)) if is_conflict(&refusal) => {
                self.ask(Stage::Recheck)
            }
            // Who was to be preempted is gone, and perhaps another has come.
            (Stage::Preempt(_), Err(refusal)) if is_conflict(&refusal) => self.again(),
            (Stage::Reserve, Err(refusal)) if is_illegal(&refusal) => self.ask(Stage::WithdrawUnoffered),
            // It is ours all the same; only what is left from before stays.
            (Stage::Gather, Err(_)) => Do::Done(Ok(Reserved::Ours)),
            (Stage::Reserve | Stage::Preempt(_), Err(refusal)) => self.unfit(OUT, &refusal),

            (Stage::Who(key), answer) => {
                let initiator = answer.ok().and_then(|data| holder_name(&data));
                Do::Done(Err(NotReserved::Foreign { key: Some(key), initiator }))
            }
            (Stage::Withdraw(key), _) => {
                self.registered = false;
                self.ask(Stage::Who(key))
            }
            (Stage::WithdrawUnoffered, _) => Do::Done(Ok(Reserved::NotOffered)),
        }
    }

    fn judge_holder(&mut self, holder: Option<u64>) -> Do<Ended> {
        self.holder = holder;
        let take_over = self.role == (Role::Opening { take_over: true });
        match holder {
            Some(key) if key != self.key && !take_over => {
                if self.registered {
                    return self.ask(Stage::Withdraw(key));
                }
                self.ask(Stage::Who(key))
            }
            // Another path of ours holds it, and we are registered.
            Some(key) if key == self.key && self.stage == Stage::Recheck => Do::Done(Ok(Reserved::Ours)),
            _ if self.stage == Stage::Recheck => self.again(),
            _ => self.ask(Stage::Register),
        }
    }

    fn again(&mut self) -> Do<Ended> {
        self.rounds += 1;
        if self.rounds >= MAX_ROUNDS {
            let what = String::from("its reservations change whenever they are looked at");
            return Do::Done(Err(NotReserved::Unfit(what)));
        }
        self.ask(Stage::Holder)
    }
}

impl Procedure for Reserve {
    type Output = Ended;

    fn step(&mut self, heard: Heard, now: Now) -> Do<Ended> {
        if let Some(initialize) = self.looking.take() {
            return self.look(initialize, heard, now);
        }
        let step = self.ask.step(heard, now);
        if matches!(&step, Do::Done(Err(refusal)) if wants_initialize(refusal))
            && let Some(initialize) = self.initialize.take()
        {
            return self.look(initialize, Heard::Start, now);
        }
        self.follow(step)
    }
}

/// The procedure that gives it back: the path that holds it releases it, and each path takes its registration back. What the
/// device says to it changes nothing.
#[derive(Debug, Clone)]
pub(crate) struct Release {
    key: u64,
    timing: Timing,
    releasing: bool,
}

impl Release {
    pub(crate) fn new(key: u64, holds: bool, timing: Timing) -> Self {
        Self { key, timing, releasing: holds }
    }
}

impl Procedure for Release {
    type Output = ();

    fn step(&mut self, heard: Heard, _now: Now) -> Do<()> {
        use PersistentReserveOutAction::{Register, Release};
        let unregister = |it: &Self| Do::Send(Device::Changer, reserve_out(Register, it.key, 0, it.timing));
        match heard {
            Heard::Start if self.releasing => {
                Do::Send(Device::Changer, reserve_out(Release, self.key, 0, self.timing))
            }
            Heard::Start => unregister(self),
            Heard::Answer(Ok(_)) if core::mem::take(&mut self.releasing) => unregister(self),
            Heard::Answer(_) | Heard::Woken => Do::Done(()),
        }
    }
}

/// Who holds the reservation, by the TransportID (SPC-4 7.6.4) of READ FULL STATUS.
fn holder_name(data: &[u8]) -> Option<String> {
    const FIBRE_CHANNEL: u8 = 0;
    const ISCSI: u8 = 5;
    const SAS: u8 = 6;
    let status = ReservationStatus::parse(data).ok()?;
    let id = status.registrations().find(|registration| registration.holds)?.initiator;
    match id.first()? & 0x0F {
        FIBRE_CHANNEL => hexadecimal(id.get(8..16)?),
        SAS => hexadecimal(id.get(4..12)?),
        ISCSI => {
            let name = id.get(4..)?.split(|byte| *byte == 0).next()?;
            let printable: Vec<u8> =
                name.iter().copied().take_while(u8::is_ascii_graphic).take(MAX_NAME).collect();
            String::from_utf8(printable).ok().filter(|name| !name.is_empty())
        }
        _ => None,
    }
}

fn hexadecimal(bytes: &[u8]) -> Option<String> {
    let mut text = String::new();
    for byte in bytes {
        write!(text, "{byte:02x}").ok()?;
    }
    Some(text)
}
