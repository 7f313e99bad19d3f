//! Whether a drive asks to be cleaned: its status page, else its TapeAlert flags. Asked when it has let go of a medium.

use autochanger_scsi::{DriveStatus, Status, TapeAlertFlags, TapeAlertPage, TapeAlertResponse};

use super::clean::log_page;
use crate::changer::{Do, Heard, Procedure};
use crate::id::Device;
use crate::input::Timing;
use crate::time::Now;

/// TapeAlert: the drive must be cleaned.
pub(crate) const CLEAN_NOW: u8 = 20;
/// TapeAlert: the drive would like to be cleaned.
const CLEAN_PERIODIC: u8 = 21;
/// The pages that tell, the most exact one first. Reading 2Eh takes flags back from whoever reads it next, so it comes last.
const PAGES: [u8; 3] = [DriveStatus::PAGE, TapeAlertResponse::PAGE, TapeAlertPage::PAGE];
/// Answers (unit attentions, say) after which a page is taken for one that the drive does not have.
const MAX_TRIES: u8 = 3;

/// What a drive asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wants {
    Nothing,
    /// It would like to be cleaned.
    Cleaning,
    /// It must be cleaned.
    CleaningNow,
}

/// The procedure. It ends with `None` where the drive does not tell.
#[derive(Debug, Clone)]
pub(crate) struct AskNeeds {
    device: Device,
    timing: Timing,
    pages: &'static [u8],
    page: usize,
    tries: u8,
}

impl AskNeeds {
    pub(crate) fn new(device: Device, timing: Timing) -> Self {
        Self { device, timing, pages: &PAGES, page: 0, tries: 0 }
    }

    /// Its status page alone: flags are somebody else's matter just now.
    pub(crate) fn by_status(device: Device, timing: Timing) -> Self {
        Self { pages: &PAGES[..1], ..Self::new(device, timing) }
    }

    fn ask(&self) -> Do<Option<Wants>> {
        match self.pages.get(self.page) {
            Some(page) => Do::Send(self.device, log_page(*page, self.timing)),
            None => Do::Done(None),
        }
    }

    fn read(&self, data: &[u8]) -> Option<Wants> {
        match self.page {
            0 => DriveStatus::parse(data).map(|status| {
                match (status.cleaning_required, status.cleaning_requested) {
                    (true, _) => Wants::CleaningNow,
                    (false, true) => Wants::Cleaning,
                    (false, false) => Wants::Nothing,
                }
            }),
            1 => TapeAlertResponse::parse(data).map(|TapeAlertResponse(flags)| of_flags(flags)),
            _ => TapeAlertPage::parse(data).ok().map(|page| of_flags(page.flags)),
        }
    }
}

fn of_flags(flags: TapeAlertFlags) -> Wants {
    match (flags.contains(CLEAN_NOW), flags.contains(CLEAN_PERIODIC)) {
        (true, _) => Wants::CleaningNow,
        (false, true) => Wants::Cleaning,
        (false, false) => Wants::Nothing,
    }
}

impl Procedure for AskNeeds {
    type Output = Option<Wants>;

    fn step(&mut self, heard: Heard, _now: Now) -> Do<Self::Output> {
        let completion = match heard {
            Heard::Start | Heard::Woken => return self.ask(),
            // Nobody waits for it: a drive that cannot be reached is asked after its next medium.
            Heard::Answer(Err(_)) => return Do::Done(None),
            Heard::Answer(Ok(completion)) => completion,
        };
        if completion.status == Status::Good
            && let Some(wants) = self.read(&completion.data)
        {
            return Do::Done(Some(wants));
        }
        let attention = completion
            .sense()
            .is_some_and(|sense| sense.deferred || sense.key == autochanger_scsi::SenseKey::UnitAttention);
        self.tries += 1;
        if !attention || self.tries >= MAX_TRIES {
            self.page += 1;
            self.tries = 0;
        }
        self.ask()
    }
}
