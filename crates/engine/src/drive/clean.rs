//! Watching a drive clean itself: the cartridge does the work, the drive ejects it when it is done (SSC-3; smc.md has the codes).

use core::time::Duration;

use autochanger_scsi::{
    DriveStatus, LogControl, LogSense, Sense, SenseKey, Status, TapeAlertFlags, TapeAlertPage,
    TapeAlertResponse, TestUnitReady,
};

use crate::changer::{Do, Heard, Procedure};
use crate::command::{Command, Completion};
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
}

/// What the answer that is to come is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Ready,
    /// Log page 12h, which tells and changes nothing.
    Response,
    /// Log page 2Eh, which every drive has. Reading it takes the flags back, so that they are not taken for the next cartridge's.
    Alerts(TapeAlertFlags),
    /// Log page 11h: whether it asks to be cleaned.
    Needs,
}

impl Clean {
    pub(crate) fn new(device: Option<Device>, timing: Timing) -> Self {
        Self { device, timing, begun: None, works: false, attentions: 0, asked: Asked::Ready }
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
            Asked::Needs => DriveStatus::PAGE,
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

    fn judge_page(&mut self, completion: Option<&Completion>) -> Do<Cleaned> {
        let data = completion.filter(|it| it.status == Status::Good).map(|it| &*it.data);
        let used_up = |told: TapeAlertFlags| told.contains(EXPIRED) || told.contains(INVALID);
        match self.asked {
            Asked::Response => match data.and_then(TapeAlertResponse::parse) {
                Some(TapeAlertResponse(told)) if !used_up(told) => self.ask_page(Asked::Needs),
                Some(TapeAlertResponse(told)) => self.ask_page(Asked::Alerts(told)),
                None => self.ask_page(Asked::Alerts(TapeAlertFlags::NONE)),
            },
            Asked::Alerts(before) => {
                let told = data.and_then(|data| TapeAlertPage::parse(data).ok()).map(|page| page.flags);
                match used_up(before.union(told.unwrap_or_default())) {
                    true => Do::Done(Cleaned::UsedUp(None)),
                    false => self.ask_page(Asked::Needs),
                }
            }
            Asked::Needs => {
                let asks = |status: DriveStatus| status.cleaning_required || status.cleaning_requested;
                let in_vain = data.and_then(DriveStatus::parse).is_some_and(asks);
                Do::Done(if in_vain { Cleaned::InVain } else { Cleaned::Yes })
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
            (Heard::Start | Heard::Woken, None) => {
                let left = begun.saturating_add(UNSEEN).saturating_sub(now.monotonic);
                if left.is_zero() { Do::Done(Cleaned::Yes) } else { Do::Wait(left) }
            }
            (Heard::Start | Heard::Woken, _) => self.look(),
            (Heard::Answer(answer), _) if self.asked != Asked::Ready => self.judge_page(answer.as_ref().ok()),
            (Heard::Answer(Ok(completion)), _) => self.judge(completion.status, completion.sense(), now),
            // A drive that cannot be reached cleans itself all the same.
            (Heard::Answer(Err(_)), _) => self.wait_or(UNSEEN, now, Cleaned::Yes),
        }
    }
}
