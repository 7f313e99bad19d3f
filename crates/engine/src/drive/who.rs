//! Who a drive is: asked when it says that its inquiry data have changed.

use alloc::sync::Arc;

use autochanger_scsi::{DeviceType, StandardInquiry, vpd::UnitSerial};

use crate::changer::ask::{Ask, Refusal};
use crate::changer::identify::{inquiry, serial_page};
use crate::changer::{Do, Heard, Procedure};
use crate::command::Completion;
use crate::id::Device;
use crate::input::Timing;
use crate::time::Now;

/// What it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Who {
    pub(crate) product: Arc<str>,
    pub(crate) serial: Option<Arc<str>>,
}

/// The serial number in an answer to INQUIRY (page 80h).
pub(crate) fn told_serial(completion: &Completion) -> Option<Arc<str>> {
    let page = UnitSerial::parse(&completion.data).ok()?;
    (!page.serial().is_empty()).then(|| Arc::from(page.serial()))
}

/// The procedure. It ends with `None` where no drive answers.
#[derive(Debug, Clone)]
pub(crate) struct AskWho {
    device: Device,
    timing: Timing,
    product: Option<Arc<str>>,
    ask: Ask,
}

impl AskWho {
    pub(crate) fn new(device: Device, timing: Timing) -> Self {
        let ask = Ask::new(device, inquiry(timing.status), timing).without_retries();
        Self { device, timing, product: None, ask }
    }

    fn follow(&mut self, step: Do<Result<Completion, Refusal>>) -> Do<Option<Who>> {
        let answer = match step {
            Do::Send(device, command) => return Do::Send(device, command),
            Do::Wait(pause) => return Do::Wait(pause),
            Do::Done(answer) => answer.ok(),
        };
        if let Some(product) = self.product.take() {
            let serial = answer.and_then(|completion| told_serial(&completion));
            return Do::Done(Some(Who { product, serial }));
        }
        let product = answer.and_then(|completion| {
            let inquiry = StandardInquiry::parse(&completion.data).ok()?;
            let is_drive = inquiry.peripheral_qualifier() == 0 && inquiry.device_type() == DeviceType::Tape;
            is_drive.then(|| Arc::<str>::from(inquiry.product()))
        });
        let Some(product) = product else { return Do::Done(None) };
        self.product = Some(product);
        self.ask = Ask::new(self.device, serial_page(self.timing.status), self.timing).without_retries();
        let step = self.ask.begin();
        self.follow(step)
    }
}

impl Procedure for AskWho {
    type Output = Option<Who>;

    fn step(&mut self, heard: Heard, now: Now) -> Do<Self::Output> {
        let step = self.ask.step(heard, now);
        self.follow(step)
    }
}
