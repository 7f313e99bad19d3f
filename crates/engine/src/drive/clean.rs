//! Watching a drive clean itself: the cartridge does the work, the drive ejects it when it is done (SSC-3; smc.md has the codes).

use core::time::Duration;

use autochanger_scsi::{
    LogControl, LogSense, Sense, SenseKey, Status, TapeAlertFlags, TapeAlertPage, TapeAlertResponse,
    TestUnitReady,
};

use crate::changer::{Do, Heard, Procedure};
use crate::command::{Command, Completion};
use crate::drive::needs::{AskNeeds, Wants};
use crate::id::Device;
use crate::input::Timing;
use crate::library::fault::{Said, said};
use crate::time::Now;

/// The pause between two looks: a cleaning takes two to three minutes.
const PAUSE: Duration = Duration::from_secs(5);
/// How long the cartridge is left in a drive that cannot be asked, or that does not say that it is cleaning. The longest
/// cleaning of an LTO drive takes some three minutes.
const UNSEEN: Duration = Duration::from_secs(5 * 60);
/// How long "no medium" can be the drive's own delay after the robot has let go.
const NOTICE: Duration = Duration::from_secs(30);
/// Unit attentions (the cartridge itself raises one) and sense data of earlier commands that are read without a pause; as many as can be pending.
const MAX_ATTENTIONS: u8 = 16;
/// TapeAlert: the cleaning cartridge is used up.
const EXPIRED: u8 = 22;
/// TapeAlert: what was put in to clean with is no cleaning cartridge.
const INVALID: u8 = 23;

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cleaned {
    /// The drive has ejected the cartridge and complains of nothing; or it cannot be asked, and has had its time.
    Yes,
    /// The drive has ejected the cartridge, and asks to be cleaned as before. Flags that said why can have been read by a
    /// manager that did not live to write it down.
    InVain,
    /// The cartridge cannot clean any more.
    UsedUp(Option<Sense>),
    /// The drive takes the cartridge for a tape.
    NoCleaner,
    /// The drive says that it is not clean, or said nothing of use in time.
    No(Option<Sense>),
}

/// The procedure.
#[derive(Debug, Clone)]
pub(crate) struct Clean {
    /// `None`: there is no way to the drive.
    device: Option<Device>,
    timing: Timing,
    begun: Option<Duration>,
    /// The drive said that it has a cleaning cartridge.
    works: bool,
    attentions: u8,
    asked: Asked,
    /// The last question.
    needs: Option<AskNeeds>,
}

/// What the answer that is to come is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Ready,
    /// Log page 12h, which tells and changes nothing.
    Response,
    /// Log page 2Eh, which every drive has. Reading it takes the flags back, so that they are not taken for the next cartridge's.
    Alerts(TapeAlertFlags),
}

impl Clean {
    pub(crate) fn new(device: Option<Device>, timing: Timing) -> Self {
        Self { device, timing, begun: None, works: false, attentions: 0, asked: Asked::Ready, needs: None }
    }

    pub(crate) fn device(&self) -> Option<Device> {
        self.device
    }

    fn look(&mut self) -> Do<Cleaned> {
        self.asked = Asked::Ready;
        self.send(Command::new(TestUnitReady {}.cdb(), self.timing.status))
    }

    fn ask_page(&mut self, asked: Asked) -> Do<Cleaned> {
        self.asked = asked;
        let page = match asked {
            Asked::Response => TapeAlertResponse::PAGE,
            Asked::Alerts(_) | Asked::Ready => TapeAlertPage::PAGE,
        };
        self.send(log_page(page, self.timing))
    }

    fn send(&self, command: Command) -> Do<Cleaned> {
        match self.device {
            Some(device) => Do::Send(device, command),
            None => Do::Done(Cleaned::Yes),
        }
    }

    fn wait_or(&self, patience: Duration, now: Now, end: Cleaned) -> Do<Cleaned> {
        if self.waited(now) >= patience { Do::Done(end) } else { Do::Wait(PAUSE) }
    }

    fn waited(&self, now: Now) -> Duration {
        now.monotonic.saturating_sub(self.begun.unwrap_or(now.monotonic))
    }

    fn judge(&mut self, status: Status, sense: Option<Sense>, now: Now) -> Do<Cleaned> {
        let remark = sense.is_some_and(|sense| said(&sense) == Said::Done);
        let status = if remark { Status::Good } else { status };
        let Some(sense) = sense.filter(|_| status == Status::CheckCondition) else {
            // Ready with a cleaning cartridge: it takes it for a tape, unless it is done and about to eject it.
            return match status {
                Status::Good if self.waited(now) >= UNSEEN && self.works => self.ask_page(Asked::Response),
                Status::Good if self.waited(now) >= UNSEEN => Do::Done(Cleaned::NoCleaner),
                // Becoming ready, among others: so does a drive with a tape, which says nothing of cleaning.
                _ => self.wait_or(self.timing.cleaning, now, Cleaned::No(None)),
            };
        };
        match (sense.key, (sense.code.asc, sense.code.ascq)) {
            _ if (sense.deferred || sense.key == SenseKey::UnitAttention)
                && self.attentions < MAX_ATTENTIONS =>
            {
                self.attentions += 1;
                self.look()
            }
            _ if sense.deferred => self.wait_or(self.timing.cleaning, now, Cleaned::No(Some(sense))),
            (_, (0x30, 0x13)) => Do::Done(Cleaned::UsedUp(Some(sense))),
            (_, (0x30, 0x07)) => Do::Done(Cleaned::No(Some(sense))),
            (_, (0x3A, _)) if self.works || self.waited(now) >= NOTICE => self.ask_page(Asked::Response),
            (_, (0x3A, _)) => Do::Wait(PAUSE),
            (_, (0x30, 0x03)) => {
                self.works = true;
                self.wait_or(self.timing.cleaning, now, Cleaned::No(Some(sense)))
            }
            _ => self.wait_or(self.timing.cleaning, now, Cleaned::No(Some(sense))),
        }
    }

    /// It complains of nothing; whether it is content it says itself.
    fn ask_needs(&mut self, now: Now) -> Do<Cleaned> {
        let Some(device) = self.device else { return Do::Done(Cleaned::Yes) };
        self.needs = Some(AskNeeds::by_status(device, self.timing));
        self.hear_needs(Heard::Start, now)
    }

    fn hear_needs(&mut self, heard: Heard, now: Now) -> Do<Cleaned> {
        let Some(needs) = &mut self.needs else { return self.look() };
        needs.step(heard, now).map(|wants| match wants {
            Some(Wants::Cleaning | Wants::CleaningNow) => Cleaned::InVain,
            Some(Wants::Nothing) | None => Cleaned::Yes,
        })
    }

    fn judge_page(&mut self, completion: Option<&Completion>, now: Now) -> Do<Cleaned> {
        let data = completion.filter(|it| it.status == Status::Good).map(|it| &*it.data);
        let used_up = |told: TapeAlertFlags| told.contains(EXPIRED) || told.contains(INVALID);
        match self.asked {
            Asked::Response => match data.and_then(TapeAlertResponse::parse) {
                Some(TapeAlertResponse(told)) if !used_up(told) => self.ask_needs(now),
                Some(TapeAlertResponse(told)) => self.ask_page(Asked::Alerts(told)),
                None => self.ask_page(Asked::Alerts(TapeAlertFlags::NONE)),
            },
            Asked::Alerts(before) => {
                let told = data.and_then(|data| TapeAlertPage::parse(data).ok()).map(|page| page.flags);
                match used_up(before.union(told.unwrap_or_default())) {
                    true => Do::Done(Cleaned::UsedUp(None)),
                    false => self.ask_needs(now),
                }
            }
            Asked::Ready => self.look(),
        }
    }
}

/// Reads a log page of at most some hundred bytes: the current cumulative values.
pub(crate) fn log_page(page: u8, timing: Timing) -> Command {
    /// Longer than the longest of the pages that are read so, 2Eh.
    const ALLOCATION: u16 = 512;
    let cdb = LogSense {
        page,
        subpage: 0,
        control: LogControl::Cumulative,
        changed_only: false,
        save: false,
        parameter: 0,
        allocation: ALLOCATION,
    };
    Command::reading(cdb.cdb(), u32::from(ALLOCATION), timing.drive_log)
}

impl Procedure for Clean {
    type Output = Cleaned;

    fn step(&mut self, heard: Heard, now: Now) -> Do<Cleaned> {
        let begun = *self.begun.get_or_insert(now.monotonic);
        match (heard, self.device) {
            (heard, _) if self.needs.is_some() => self.hear_needs(heard, now),
            (Heard::Start | Heard::Woken, None) => {
                let left = begun.saturating_add(UNSEEN).saturating_sub(now.monotonic);
                if left.is_zero() { Do::Done(Cleaned::Yes) } else { Do::Wait(left) }
            }
            (Heard::Start | Heard::Woken, _) => self.look(),
            (Heard::Answer(answer), _) if self.asked != Asked::Ready => {
                self.judge_page(answer.as_ref().ok(), now)
            }
            (Heard::Answer(Ok(completion)), _) => self.judge(completion.status, completion.sense(), now),
            // A drive that cannot be reached cleans itself all the same.
            (Heard::Answer(Err(_)), _) => self.wait_or(UNSEEN, now, Cleaned::Yes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::WallTime;
    use bytes::Bytes;

    fn sense(key: SenseKey, asc: u8, ascq: u8) -> Heard {
        let sense = Bytes::copy_from_slice(&Sense::new(key, asc, ascq).to_fixed());
        Heard::Answer(Ok(Completion { status: Status::CheckCondition, sense, ..Completion::good() }))
    }

    fn page(data: &'static [u8]) -> Heard {
        Heard::Answer(Ok(Completion { data: Bytes::from_static(data), ..Completion::good() }))
    }

    #[test]
    fn an_attention_in_place_of_its_last_word_does_not_make_a_drive_clean() {
        const NO_FLAGS: &[u8] = &[0x12, 0, 0, 0x0C, 0, 0, 3, 8, 0, 0, 0, 0, 0, 0, 0, 0];
        const CLEANING_REQUIRED: &[u8] = &[0x11, 0, 0, 8, 0, 0, 3, 4, 0x23, 0, 0, 0];
        const CONTENT: &[u8] = &[0x11, 0, 0, 8, 0, 0, 3, 4, 0x21, 0, 0, 0];
        let now = Now { monotonic: Duration::ZERO, wall: WallTime(0) };
        for (word, end) in [(CLEANING_REQUIRED, Cleaned::InVain), (CONTENT, Cleaned::Yes)] {
            let mut clean = Clean::new(Some(Device::Sibling(1)), Timing::default());
            let mut hear = |heard| clean.step(heard, now);
            assert!(matches!(hear(Heard::Start), Do::Send(..)));
            assert!(matches!(hear(sense(SenseKey::NotReady, 0x30, 0x03)), Do::Wait(_)));
            assert!(matches!(hear(Heard::Woken), Do::Send(..)));
            for heard in [
                sense(SenseKey::NotReady, 0x3A, 0x04),
                page(NO_FLAGS),
                sense(SenseKey::UnitAttention, 0x2A, 0x01),
            ] {
                assert!(matches!(hear(heard), Do::Send(..)));
            }
            let Do::Done(said) = hear(page(word)) else { panic!("it has said all") };
            assert_eq!(said, end);
        }
    }
}
