//! Who is there: INQUIRY and the unit serial number. Sent before the library is ours, so nothing but INQUIRY.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use core::time::Duration;

use autochanger_scsi::vpd::UnitSerial;
use autochanger_scsi::{DeviceType, Inquiry, LunList, ReportLuns, StandardInquiry, lun_number};

use super::ask::{Ask, Refusal, unreadable};
use super::{Do, Heard, Procedure};
use crate::catalog::Identity;
use crate::command::{Command, Completion, PathFault, PathFaultKind};
use crate::id::Device;
use crate::input::Timing;
use crate::time::Now;
use crate::view::LibraryError;

/// The part of the standard INQUIRY data that every device has; SCSI-2 devices count the length in one byte.
const INQUIRY_LENGTH: u16 = 36;
/// A serial number page has at most 4 + 255 bytes; one byte of length is what SCSI-2 devices read.
const SERIAL_LENGTH: u16 = 255;
/// Logical units looked at for a hint to where the changer is: a message may cost a little, not a scan.
const MAX_HINTS: usize = 16;

/// INQUIRY of the standard data.
pub(crate) fn inquiry(timeout: Duration) -> Command {
    let cdb = Inquiry { vpd: None, allocation: INQUIRY_LENGTH }.cdb();
    Command::reading(cdb, u32::from(INQUIRY_LENGTH), timeout)
}

/// INQUIRY of the unit serial number page.
pub(crate) fn serial_page(timeout: Duration) -> Command {
    let cdb = Inquiry { vpd: Some(0x80), allocation: SERIAL_LENGTH }.cdb();
    Command::reading(cdb, u32::from(SERIAL_LENGTH), timeout)
}

/// REPORT LUNS for up to 256 logical units.
pub(crate) fn report_luns(timeout: Duration) -> Command {
    const ALLOCATION: u32 = 8 + 256 * 8;
    Command::reading(ReportLuns { select: 0, allocation: ALLOCATION }.cdb(), ALLOCATION, timeout)
}

/// Why a device was not identified.
#[derive(Debug)]
pub(crate) enum NotIdentified {
    /// Trying again may help.
    Path(PathFault),
    /// It will not.
    Error(LibraryError),
}

/// The procedure.
#[derive(Debug)]
pub(crate) struct Identify {
    name: Arc<str>,
    timing: Timing,
    ask: Ask,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Standard,
    Serial {
        vendor: Arc<str>,
        product: Arc<str>,
        revision: Arc<str>,
    },
    /// Not a changer: the target's other logical units are asked, so that the message can name the right one.
    Luns {
        found: String,
    },
    Hint {
        found: String,
        candidates: alloc::vec::Vec<u16>,
    },
}

impl Identify {
    pub(crate) fn new(name: Arc<str>, timing: Timing) -> Self {
        let ask = Ask::new(Device::Changer, inquiry(timing.status), timing).without_retries();
        Self { name, timing, ask, stage: Stage::Standard }
    }

    fn next(
        &mut self,
        device: Device,
        command: Command,
        stage: Stage,
    ) -> Do<Result<Identity, NotIdentified>> {
        self.stage = stage;
        self.ask = Ask::new(device, command, self.timing).without_retries();
        let step = self.ask.begin();
        self.follow(step)
    }

    fn follow(&mut self, step: Do<Result<Completion, Refusal>>) -> Do<Result<Identity, NotIdentified>> {
        match step {
            Do::Send(device, command) => Do::Send(device, command),
            Do::Wait(pause) => Do::Wait(pause),
            Do::Done(answer) => self.judge(answer.map(|completion| completion.data)),
        }
    }

    fn judge(&mut self, answer: Result<bytes::Bytes, Refusal>) -> Do<Result<Identity, NotIdentified>> {
        match core::mem::replace(&mut self.stage, Stage::Standard) {
            Stage::Standard => match answer {
                Ok(data) => self.judge_standard(&data),
                Err(refusal) => Do::Done(Err(self.no_answer(&refusal))),
            },
            Stage::Serial { vendor, product, revision } => {
                let serial: Arc<str> = match &answer {
                    Ok(data) => UnitSerial::parse(data).map_or("", |page| page.serial()).into(),
                    Err(Refusal::Path(fault)) => return Do::Done(Err(path_error(fault.clone()))),
                    Err(_) => "".into(),
                };
                // A library without a serial number is known by the way it is reached.
                let serial = if serial.is_empty() { self.name.clone() } else { serial };
                Do::Done(Ok(Identity { vendor, product, revision, serial }))
            }
            Stage::Luns { found } => {
                let candidates = answer.ok().map(|data| other_luns(&data)).unwrap_or_default();
                self.ask_hint(found, candidates)
            }
            Stage::Hint { found, mut candidates } => {
                let lun = candidates.pop().unwrap_or_default();
                let is_changer = answer.is_ok_and(|data| {
                    StandardInquiry::parse(&data)
                        .is_ok_and(|inquiry| inquiry.device_type() == DeviceType::Changer)
                });
                if is_changer {
                    return self.not_a_changer(found, format!("; on this target that is logical unit {lun}"));
                }
                self.ask_hint(found, candidates)
            }
        }
    }

    fn judge_standard(&mut self, data: &[u8]) -> Do<Result<Identity, NotIdentified>> {
        let Ok(inquiry) = StandardInquiry::parse(data) else {
            let device = self.name.clone();
            return Do::Done(Err(NotIdentified::Error(LibraryError::Unfit {
                device,
                what: unreadable("INQUIRY"),
            })));
        };
        if inquiry.peripheral_qualifier() != 0 {
            return Do::Done(Err(NotIdentified::Error(LibraryError::Path(PathFault {
                kind: PathFaultKind::NoSuchUnit,
                device: self.name.clone(),
                detail: String::from("the target says that no device is connected to this logical unit"),
            }))));
        }
        if inquiry.device_type() != DeviceType::Changer {
            let found = format!("{} ({} {})", inquiry.device_type(), inquiry.vendor(), inquiry.product());
            let command = report_luns(self.timing.status);
            return self.next(Device::Changer, command, Stage::Luns { found });
        }
        let stage = Stage::Serial {
            vendor: inquiry.vendor().into(),
            product: inquiry.product().into(),
            revision: inquiry.revision().into(),
        };
        self.next(Device::Changer, serial_page(self.timing.status), stage)
    }

    fn ask_hint(
        &mut self,
        found: String,
        candidates: alloc::vec::Vec<u16>,
    ) -> Do<Result<Identity, NotIdentified>> {
        match candidates.last() {
            None => self.not_a_changer(found, String::new()),
            Some(&lun) => {
                let command = inquiry(self.timing.status);
                self.next(Device::Sibling(lun), command, Stage::Hint { found, candidates })
            }
        }
    }

    fn not_a_changer(&self, found: String, hint: String) -> Do<Result<Identity, NotIdentified>> {
        Do::Done(Err(NotIdentified::Error(LibraryError::NotAChanger {
            device: self.name.clone(),
            found,
            hint,
        })))
    }

    fn no_answer(&self, refusal: &Refusal) -> NotIdentified {
        match refusal {
            Refusal::Path(fault) => path_error(fault.clone()),
            Refusal::Sense(sense) if sense.code.asc == 0x25 => {
                NotIdentified::Error(LibraryError::Path(PathFault {
                    kind: PathFaultKind::NoSuchUnit,
                    device: self.name.clone(),
                    detail: format!("sense {sense}"),
                }))
            }
            other => NotIdentified::Error(LibraryError::Unfit {
                device: self.name.clone(),
                what: format!("INQUIRY was answered with {other}"),
            }),
        }
    }
}

impl Procedure for Identify {
    type Output = Result<Identity, NotIdentified>;

    fn step(&mut self, heard: Heard, now: Now) -> Do<Self::Output> {
        let step = self.ask.step(heard, now);
        self.follow(step)
    }
}

fn path_error(fault: PathFault) -> NotIdentified {
    if fault.kind.is_transient() {
        NotIdentified::Path(fault)
    } else {
        NotIdentified::Error(LibraryError::Path(fault))
    }
}

/// The logical unit numbers of a REPORT LUNS answer, last first, at most [`MAX_HINTS`].
fn other_luns(data: &[u8]) -> alloc::vec::Vec<u16> {
    let Ok(list) = LunList::parse(data) else { return alloc::vec::Vec::new() };
    let mut luns: alloc::vec::Vec<u16> = list.luns().filter_map(lun_number).take(MAX_HINTS).collect();
    luns.reverse();
    luns
}
