//! A command's way through the device: read, taken up, carried out, answered.

use core::time::Duration;

use autochanger_scsi::{ChangerCommand, Status, TapeCommand};

use crate::answer::{Answer, Key, Outcome, illegal};
use crate::device::{Device, Event};
use crate::fault::{Effect, Moment};
use crate::hold::Phase;
use crate::quirk::Quirk;
use crate::task::{Fate, Loss, Task, Work, refusal};

impl Device {
    /// Takes up a command: reads it, gives precedence to unit attentions, lets faults have their say.
    pub(crate) fn begin(&mut self, key: Key, mut task: Task, cdb: &[u8]) {
        let work = match usize::from(task.unit.lun) {
            0 => ChangerCommand::decode(cdb).map_err(refusal).and_then(|command| self.changer_work(command)),
            lun if lun <= self.drives.len() && !self.is_empty_bay(lun - 1) => {
                TapeCommand::decode(cdb).map_err(refusal).map(|command| Work::Tape(lun - 1, command))
            }
            _ => {
                task.answer = Some(self.absent_unit(cdb, task.data_in));
                return self.deliver(key, task);
            }
        };
        let exempt = matches!(
            work,
            Ok(Work::Changer(
                ChangerCommand::Inquiry(_) | ChangerCommand::RequestSense(_) | ChangerCommand::ReportLuns(_)
            ) | Work::Tape(
                _,
                TapeCommand::Inquiry(_) | TapeCommand::RequestSense(_) | TapeCommand::ReportLuns(_)
            ))
        );
        if !exempt && let Some(sense) = self.ports.refuses(task.unit.nexus) {
            return self.refuse(key, task, Answer::check(&sense));
        }
        if !exempt
            && task.unit.lun == 0
            && let Some(sense) = self.refuses_host()
        {
            return self.refuse(key, task, Answer::check(&sense));
        }
        if !exempt && let Some(sense) = self.nexuses.take_attention(task.unit) {
            return self.refuse(key, task, Answer::check(&sense));
        }
        if !exempt
            && task.unit.lun == 0
            && let Err(sense) = self.check_pause().and_then(|()| self.check_door())
        {
            return self.refuse(key, task, Answer::check(&sense));
        }
        if !exempt
            && task.unit.lun == 0
            && let Err(sense) = self.check_scanned(cdb)
        {
            return self.refuse(key, task, Answer::check(&sense));
        }
        match work {
            Err(sense) => return self.refuse(key, task, Answer::check(&sense)),
            Ok(work) if self.reserved_against(task.unit, &work) => {
                return self.refuse(key, task, Answer::status(Status::ReservationConflict));
            }
            Ok(work) => task.work = work,
        }
        let moment = Moment::Start { needs_ready: !exempt };
        task.fate = Fate::of(self.faults.meet(&task.seen, moment, self.now));
        let queues = match task.work {
            Work::Motion { .. } => true,
            Work::Changer(_) => self.quirks.has(Quirk::SerializeAll) && !exempt,
            Work::Tape(..) => false,
        };
        if queues {
            self.tasks.insert(key, task);
            self.waiting.push_back(key);
            self.dispatch();
        } else if self.holds.catches(&task.seen, Phase::Before, key) {
            self.tasks.insert(key, task);
        } else {
            self.carry_out(key, task);
        }
    }

    /// Answers a command that needs no arm.
    pub(crate) fn carry_out(&mut self, key: Key, task: Task) {
        if task.fate.effect == Effect::None {
            return self.conclude(key, task, Answer::good());
        }
        match task.work {
            Work::Changer(command) => {
                let answer = self.changer_status(&task, command);
                self.conclude(key, task, answer);
            }
            Work::Tape(index, command) => match self.tape(&task, index, command) {
                Ok((answer, at)) => self.conclude_at(at, key, task, answer),
                Err(sense) => self.conclude(key, task, Answer::check(&sense)),
            },
            Work::Motion { .. } => self.conclude(key, task, Answer::check(&illegal(0x20, 0x00))),
        }
    }

    /// Goes on with a command that a hold stopped before its effect.
    pub(crate) fn resume(&mut self, key: Key) {
        if let Some(arm) = self.arms.iter().position(|arm| arm.held_key() == Some(key)) {
            return self.set_off(arm, key);
        }
        if let Some(task) = self.tasks.remove(&key) {
            self.carry_out(key, task);
        }
    }

    /// Settles what a command is answered, now.
    pub(crate) fn conclude(&mut self, key: Key, task: Task, answer: Answer) {
        self.conclude_at(self.now, key, task, answer);
    }

    /// Settles what a command is answered, and when: its effect has been taken.
    pub(crate) fn conclude_at(&mut self, at: Duration, key: Key, mut task: Task, answer: Answer) {
        let answer = match task.fate.reply {
            Some(reply) if reply.is_remark() && task.fate.effect != Effect::None => {
                Answer { data: answer.data, ..reply.answer() }
            }
            Some(reply) => reply.answer(),
            None => answer,
        };
        self.remember_error(&task, &answer);
        task.answer = Some(answer);
        let at = at.saturating_add(self.timing.command);
        if self.holds.catches(&task.seen, Phase::After, key) {
            self.tasks.insert(key, task);
        } else if at <= self.now {
            self.deliver(key, task);
        } else {
            self.tasks.insert(key, task);
            self.schedule(at, Event::Answer(key));
        }
    }

    /// Answers a command that is not taken up: neither faults nor holds see it.
    fn refuse(&mut self, key: Key, mut task: Task, answer: Answer) {
        task.answer = Some(answer);
        if self.timing.command.is_zero() {
            return self.deliver(key, task);
        }
        self.tasks.insert(key, task);
        self.schedule(self.now.saturating_add(self.timing.command), Event::Answer(key));
    }

    pub(crate) fn deliver(&mut self, key: Key, mut task: Task) {
        if task.abandoned {
            return;
        }
        if matches!(task.work, Work::Motion { .. })
            && let Some(sense) = self.fails_over()
        {
            task.answer = Some(Answer::check(&sense));
        }
        if let Some(answer) = &mut task.answer {
            self.shape_sense(task.unit, answer);
        }
        let outcome = match (task.fate.lost, task.answer) {
            (None, Some(answer)) => Outcome::Answered(answer),
            _ => Outcome::Lost,
        };
        self.log.end(task.log, self.now, &outcome);
        if task.fate.lost != Some(Loss::Silent) {
            self.finished.push((key, outcome));
        }
    }

    /// The initiator learns that the answer is lost, while the command has not even taken effect.
    pub(crate) fn miss(&mut self, key: Key) {
        if let Some(task) = self.tasks.get_mut(&key)
            && !task.abandoned
        {
            task.abandoned = true;
            self.log.end(task.log, self.now, &Outcome::Lost);
            self.finished.push((key, Outcome::Lost));
        }
    }

    pub(crate) fn stops_before(&mut self, key: Key) -> bool {
        self.tasks.get(&key).is_some_and(|task| self.holds.catches(&task.seen, Phase::Before, key))
    }
}
