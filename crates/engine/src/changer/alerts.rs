//! The flags of TapeAlert, read when a device has hinted at trouble (SMC-3 and SSC-3, log pages 2Eh and 12h).

use autochanger_scsi::{TapeAlertFlags, TapeAlertPage, TapeAlertResponse};

use super::ask::{Ask, Refusal};
use super::{Do, Heard, Procedure};
use crate::command::Completion;
use crate::drive::clean::log_page;
use crate::id::Device;
use crate::input::Timing;
use crate::time::Now;

/// The procedure. It ends with no flags where the device does not tell.
///
/// A changer has page 2Eh, and reading it takes the flags back. Of a drive page 12h is read, which changes nothing: whoever has the
/// medium open may want to see the flags, too.
#[derive(Debug, Clone)]
pub(crate) struct AskAlerts {
    device: Device,
    ask: Ask,
}

impl AskAlerts {
    pub(crate) fn new(device: Device, timing: Timing) -> Self {
        let page = if device == Device::Changer { TapeAlertPage::PAGE } else { TapeAlertResponse::PAGE };
        Self { device, ask: Ask::new(device, log_page(page, timing), timing).without_retries() }
    }

    fn read(&self, answer: Result<Completion, Refusal>) -> TapeAlertFlags {
        let Ok(completion) = answer else { return TapeAlertFlags::NONE };
        let flags = if self.device == Device::Changer {
            TapeAlertPage::parse(&completion.data).ok().map(|page| page.flags)
        } else {
            TapeAlertResponse::parse(&completion.data).map(|TapeAlertResponse(flags)| flags)
        };
        flags.unwrap_or_default()
    }
}

impl Procedure for AskAlerts {
    type Output = TapeAlertFlags;

    fn step(&mut self, heard: Heard, now: Now) -> Do<TapeAlertFlags> {
        let step = self.ask.step(heard, now);
        step.map(|answer| self.read(answer))
    }
}
