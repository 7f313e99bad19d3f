//! Whether the drive behind a path is still the one that a step was begun with. A sled can be pulled at any moment; then another
//! drive answers there, with another tape in it.
//!
//! Another drive is not heard at once: it has an attention to tell (it was switched on, SPC-4 5.11), or the connection was lost. After that
//! it is asked for its serial number before it is sent anything more. What writes, or lets go of a medium, is never sent without
//! asking, nor is anything that reads or writes a label: the attention can have been told to another program on this machine. What is left
//! is the moment between that question and the command, when nobody hears of the attention.

use alloc::sync::Arc;

use autochanger_scsi::{LoadUnload, PreventAllowMediumRemoval, SenseKey, Status, Write6, WriteFilemarks6};

use crate::changer::ask::{Ask, Refusal};
use crate::changer::identify::serial_page;
use crate::changer::{Do, Heard, Procedure};
use crate::command::{Command, Completion, TransportError};
use crate::drive::who::told_serial;
use crate::id::{Device, Path};
use crate::input::Timing;
use crate::time::Now;

/// NOT READY TO READY CHANGE, MEDIUM MAY HAVE CHANGED: each load raises it.
const MEDIUM_CHANGED: u8 = 0x28;

/// What changes a tape, or the hold on it: on another drive's that is a loss.
const ACTS: [u8; 4] =
    [Write6::OPCODE, WriteFilemarks6::OPCODE, LoadUnload::OPCODE, PreventAllowMediumRemoval::OPCODE];

/// What follows.
#[derive(Debug)]
pub(crate) enum Checked {
    /// The step goes on so.
    Do(Do<Another>),
    /// The procedure hears this.
    Hears(Heard),
}

/// Another drive is there, or none that says who it is: what it calls itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Another(pub(crate) Option<Arc<str>>);

/// The drive that a step was begun with.
#[derive(Debug, Clone)]
pub(crate) struct SameDrive {
    device: Device,
    timing: Timing,
    /// Its serial number, as it told it itself; `None`: it has none, so that what answers after a doubt cannot be told from it.
    serial: Option<Arc<str>>,
    /// The load itself raises an attention, which is none about the drive.
    loads: bool,
    each_time: bool,
    doubt: bool,
    /// It has answered this step.
    heard: bool,
    /// The way by which it was known last.
    known_by: Option<Path>,
    /// What is to be sent when it has said who it is.
    held: Option<(Command, Ask)>,
    /// What another procedure heard from it, which is this one's matter, too.
    missed: Option<Completion>,
}

impl SameDrive {
    pub(crate) fn new(device: Device, timing: Timing, serial: Option<Arc<str>>) -> Self {
        Self {
            device,
            timing,
            serial,
            loads: false,
            each_time: false,
            doubt: false,
            heard: false,
            known_by: None,
            held: None,
            missed: None,
        }
    }

    /// A medium is being loaded into it.
    pub(crate) fn loading(self) -> Self {
        Self { loads: true, ..self }
    }

    /// It is asked before each command: a label that was read from another drive's tape would be taken for this one's.
    pub(crate) fn each_time(self) -> Self {
        Self { each_time: true, ..self }
    }

    pub(crate) fn device(&self) -> Device {
        self.device
    }

    pub(crate) fn serial(&self) -> Option<&str> {
        self.serial.as_deref()
    }

    /// Whether it is being asked for its serial number.
    pub(crate) fn is_asking(&self) -> bool {
        self.held.is_some()
    }

    /// Takes note of an answer of the drive.
    fn note(&mut self, result: &Result<Completion, TransportError>) {
        let doubtful = match result {
            Ok(completion) => is_attention(completion, self.loads),
            Err(_) => true,
        };
        // Of a drive without a number only what it says from now on can tell that it is another.
        self.doubt |= doubtful && (self.serial.is_some() || self.heard);
        self.heard |= !doubtful;
    }

    /// Somebody else has heard an attention of the drive.
    pub(crate) fn note_missed(&mut self, completion: &Completion) {
        self.doubt |= self.serial.is_some() || self.heard;
        self.missed = Some(completion.clone());
    }

    /// A command is to be sent to the drive: perhaps it has to say first who it is.
    pub(crate) fn before(&mut self, command: Command, path: Path, now: Now) -> Checked {
        if let Some(missed) = self.missed.take() {
            return Checked::Hears(Heard::Answer(Ok(missed)));
        }
        let acts = ACTS.contains(&command.cdb.opcode());
        let elsewhere = self.known_by.is_some_and(|known| known != path);
        match self.serial {
            None if self.doubt && acts => Checked::Do(Do::Done(Another(None))),
            Some(_) if self.doubt || self.each_time || acts || elsewhere => {
                let mut ask = Ask::new(self.device, serial_page(self.timing.status), self.timing);
                let first = ask.step(Heard::Start, now);
                self.held = Some((command, ask));
                self.follow(first, path)
            }
            _ => Checked::Do(Do::Send(self.device, command)),
        }
    }

    /// Something was heard. While the drive is asked who it is, that is the answer; otherwise it is for the procedure.
    pub(crate) fn hears(&mut self, heard: Heard, path: Path, now: Now) -> Checked {
        if let Some((_, ask)) = &mut self.held {
            let step = ask.step(heard, now);
            return self.follow(step, path);
        }
        if let Heard::Answer(result) = &heard {
            self.note(result);
        }
        Checked::Hears(heard)
    }

    fn follow(&mut self, step: Do<Result<Completion, Refusal>>, path: Path) -> Checked {
        let answer = match step {
            Do::Send(device, command) => return Checked::Do(Do::Send(device, command)),
            Do::Wait(pause) => return Checked::Do(Do::Wait(pause)),
            Do::Done(answer) => answer,
        };
        let Some((command, _)) = self.held.take() else { return Checked::Do(Do::Done(Another(None))) };
        let found = match answer {
            // What was to be sent was not: the procedure knows what to do about that.
            Err(Refusal::Path(fault)) => {
                return Checked::Hears(Heard::Answer(Err(TransportError::NotSent(fault))));
            }
            Err(_) => None,
            Ok(completion) => told_serial(&completion),
        };
        if found.is_none() || found != self.serial {
            return Checked::Do(Do::Done(Another(found)));
        }
        (self.doubt, self.known_by) = (false, Some(path));
        match self.missed.take() {
            Some(missed) => Checked::Hears(Heard::Answer(Ok(missed))),
            None => Checked::Do(Do::Send(self.device, command)),
        }
    }
}

/// Whether it is an attention after which another drive can be there.
fn is_attention(completion: &Completion, loads: bool) -> bool {
    let sense = completion.sense().filter(|_| completion.status == Status::CheckCondition);
    sense.is_some_and(|sense| {
        let of_load = loads && sense.code.asc == MEDIUM_CHANGED && !sense.unit_attention_overflow;
        sense.key == SenseKey::UnitAttention && !sense.deferred && !of_load
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{LibraryIndex, Route};
    use crate::time::WallTime;
    use autochanger_scsi::{Read6, Sense};
    use core::time::Duration;

    const DRIVE: Device = Device::Sibling(1);
    const PATH: Path = Path { library: LibraryIndex(0), route: Route(0), device: DRIVE };

    fn now() -> Now {
        Now { monotonic: Duration::ZERO, wall: WallTime(0) }
    }

    fn drive(serial: Option<&str>) -> SameDrive {
        SameDrive::new(DRIVE, Timing::default(), serial.map(Arc::from))
    }

    fn command(cdb: autochanger_scsi::Cdb) -> Command {
        Command::new(cdb, Duration::from_secs(1))
    }

    fn unload() -> Command {
        let unload =
            LoadUnload { immediate: false, load: false, retension: false, end_of_tape: false, hold: false };
        command(unload.cdb())
    }

    fn read() -> Command {
        command(Read6 { fixed: false, suppress_incorrect_length: true, length: 80 }.cdb())
    }

    fn attention(asc: u8) -> Heard {
        let sense = Sense::new(SenseKey::UnitAttention, asc, 0).to_fixed();
        let sense = bytes::Bytes::copy_from_slice(&sense);
        Heard::Answer(Ok(Completion { status: Status::CheckCondition, sense, ..Completion::good() }))
    }

    fn good() -> Heard {
        Heard::Answer(Ok(Completion::good()))
    }

    /// The operation code of what is sent; `None`: the step ends.
    fn sends(checked: &Checked) -> Option<u8> {
        match checked {
            Checked::Do(Do::Send(_, command)) => Some(command.cdb.opcode()),
            Checked::Do(Do::Done(_)) => None,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_acts_is_sent_after_a_question_and_the_rest_after_an_attention() {
        let mut same = drive(Some("A"));
        assert_eq!(sends(&same.before(read(), PATH, now())), Some(0x08));
        assert!(matches!(same.hears(good(), PATH, now()), Checked::Hears(_)));
        assert_eq!(sends(&same.before(unload(), PATH, now())), Some(0x12));
        let mut same = drive(Some("A"));
        assert!(matches!(same.hears(attention(0x29), PATH, now()), Checked::Hears(_)));
        assert_eq!(sends(&same.before(read(), PATH, now())), Some(0x12));
        // A drive that has no such page any more is none that is known.
        assert_eq!(sends(&same.hears(good(), PATH, now())), None);
    }

    #[test]
    fn an_attention_of_a_load_is_none_about_the_drive() {
        for (asc, sent) in [(0x28, 0x08), (0x29, 0x12)] {
            let mut same = drive(Some("A")).loading();
            assert!(matches!(same.hears(attention(asc), PATH, now()), Checked::Hears(_)));
            assert_eq!(sends(&same.before(read(), PATH, now())), Some(sent));
        }
    }

    #[test]
    fn another_way_is_another_question() {
        let mut same = drive(Some("A"));
        same.known_by = Some(Path { route: Route(1), ..PATH });
        assert_eq!(sends(&same.before(read(), PATH, now())), Some(0x12));
    }

    #[test]
    fn a_drive_without_a_number_is_trusted_until_it_tells_something_in_the_midst_of_a_step() {
        let mut same = drive(None);
        assert!(matches!(same.hears(attention(0x29), PATH, now()), Checked::Hears(_)));
        assert_eq!(sends(&same.before(unload(), PATH, now())), Some(0x1B));
        assert!(matches!(same.hears(good(), PATH, now()), Checked::Hears(_)));
        assert!(matches!(same.hears(attention(0x29), PATH, now()), Checked::Hears(_)));
        assert_eq!(sends(&same.before(read(), PATH, now())), Some(0x08));
        assert_eq!(sends(&same.before(unload(), PATH, now())), None);
    }
}
