//! Who is there: INQUIRY and the unit serial number. Sent before the library is ours, so nothing but INQUIRY.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use core::time::Duration;

use autochanger_scsi::vpd::{DEVICE_IDENTIFICATION, DeviceIdentification, UnitSerial};
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

/// Page 83h has at most 4 + 65,535 bytes; those that tell units apart stand in the first few.
const DESIGNATORS_LENGTH: u16 = 1024;
/// Identifiers of a unit that are kept: devices have two or three.
const MAX_DESIGNATORS: usize = 16;

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

/// INQUIRY of a vital product data page.
pub(crate) fn vital_page(page: u8, timeout: Duration) -> Command {
    let cdb = Inquiry { vpd: Some(page), allocation: DESIGNATORS_LENGTH }.cdb();
    Command::reading(cdb, u32::from(DESIGNATORS_LENGTH), timeout)
}

/// REPORT LUNS for up to 256 logical units.
pub(crate) fn report_luns(timeout: Duration) -> Command {
    const ALLOCATION: u32 = 8 + 256 * 8;
    Command::reading(ReportLuns { select: 0, allocation: ALLOCATION }.cdb(), ALLOCATION, timeout)
}

/// Who is there, and what tells it from others.
#[derive(Debug, Clone)]
pub(crate) struct Identified {
    pub(crate) identity: Identity,
    /// The serial number is the device's own, and not the name under which it was asked for.
    pub(crate) has_serial: bool,
    /// The identifiers of the logical unit from page 83h, where they were asked for: type and bytes.
    pub(crate) designators: alloc::vec::Vec<(u8, Arc<[u8]>)>,
}

impl Identified {
    /// In what two paths lead to different libraries; `None` where they lead to one.
    pub(crate) fn difference(&self, other: &Self) -> Option<String> {
        let (one, two) = (&self.identity, &other.identity);
        if (&one.vendor, &one.product) != (&two.vendor, &two.product) {
            return Some(format!(
                "one is a {} {}, the other a {} {}",
                one.vendor, one.product, two.vendor, two.product
            ));
        }
        if (self.has_serial || other.has_serial) && one.serial != two.serial {
            let serial =
                |it: &Self| if it.has_serial { String::from(&*it.identity.serial) } else { "none".into() };
            return Some(format!("the serial numbers are {} and {}", serial(self), serial(other)));
        }
        let common = self.designators.iter().any(|designator| other.designators.contains(designator));
        let both = !self.designators.is_empty() && !other.designators.is_empty();
        match (self.has_serial, both, common) {
            (_, true, false) => Some(String::from("their identifiers (VPD page 83h) differ")),
            (false, false, _) => {
                Some(String::from("neither has a serial number, so that nothing shows that they are one"))
            }
            _ => None,
        }
    }
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
#[derive(Debug, Clone)]
pub(crate) struct Identify {
    name: Arc<str>,
    timing: Timing,
    ask: Ask,
    stage: Stage,
    /// Page 83h is asked for, too: there are several paths to compare.
    designators: bool,
}

#[derive(Debug, Clone)]
enum Stage {
    Standard,
    Serial {
        vendor: Arc<str>,
        product: Arc<str>,
        revision: Arc<str>,
    },
    Designators(Identified),
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
        Self { name, timing, ask, stage: Stage::Standard, designators: false }
    }

    /// Also asks for the identifiers of page 83h.
    pub(crate) fn with_designators(mut self, wanted: bool) -> Self {
        self.designators = wanted;
        self
    }

    fn next(
        &mut self,
        device: Device,
        command: Command,
        stage: Stage,
    ) -> Do<Result<Identified, NotIdentified>> {
        self.stage = stage;
        self.ask = Ask::new(device, command, self.timing).without_retries();
        let step = self.ask.begin();
        self.follow(step)
    }

    fn follow(&mut self, step: Do<Result<Completion, Refusal>>) -> Do<Result<Identified, NotIdentified>> {
        match step {
            Do::Send(device, command) => Do::Send(device, command),
            Do::Wait(pause) => Do::Wait(pause),
            Do::Done(answer) => self.judge(answer.map(|completion| completion.data)),
        }
    }

    fn judge(&mut self, answer: Result<bytes::Bytes, Refusal>) -> Do<Result<Identified, NotIdentified>> {
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
                let has_serial = !serial.is_empty();
                let serial = if has_serial { serial } else { self.name.clone() };
                let identity = Identity { vendor, product, revision, serial };
                let found = Identified { identity, has_serial, designators: alloc::vec::Vec::new() };
                if !self.designators {
                    return Do::Done(Ok(found));
                }
                let cdb = Inquiry { vpd: Some(DEVICE_IDENTIFICATION), allocation: DESIGNATORS_LENGTH }.cdb();
                let command = Command::reading(cdb, u32::from(DESIGNATORS_LENGTH), self.timing.status);
                self.next(Device::Changer, command, Stage::Designators(found))
            }
            Stage::Designators(mut found) => match answer {
                Err(Refusal::Path(fault)) => Do::Done(Err(path_error(fault))),
                answer => {
                    found.designators = answer.map(|data| unit_designators(&data)).unwrap_or_default();
                    Do::Done(Ok(found))
                }
            },
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

    fn judge_standard(&mut self, data: &[u8]) -> Do<Result<Identified, NotIdentified>> {
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
    ) -> Do<Result<Identified, NotIdentified>> {
        match candidates.last() {
            None => self.not_a_changer(found, String::new()),
            Some(&lun) => {
                let command = inquiry(self.timing.status);
                self.next(Device::Sibling(lun), command, Stage::Hint { found, candidates })
            }
        }
    }

    fn not_a_changer(&self, found: String, hint: String) -> Do<Result<Identified, NotIdentified>> {
        Do::Done(Err(NotIdentified::Error(LibraryError::NotAChanger {
            device: self.name.clone(),
            found,
            hint,
        })))
    }

    fn no_answer(&self, refusal: &Refusal) -> NotIdentified {
        match refusal {
            Refusal::Path(fault) => path_error(fault.clone()),
            Refusal::Sense(sense, _) if sense.code.asc == 0x25 => {
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
    type Output = Result<Identified, NotIdentified>;

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

/// What page 83h says of the logical unit itself: T10 vendor identification, EUI-64, NAA, name. What it says of ports differs
/// from path to path.
fn unit_designators(data: &[u8]) -> alloc::vec::Vec<(u8, Arc<[u8]>)> {
    const LOGICAL_UNIT: u8 = 0;
    let Ok(page) = DeviceIdentification::parse(data) else { return alloc::vec::Vec::new() };
    page.designators()
        .filter(|it| {
            it.association == LOGICAL_UNIT && matches!(it.kind, 1 | 2 | 3 | 8) && !it.bytes.is_empty()
        })
        .map(|it| (it.kind, Arc::from(it.bytes)))
        .take(MAX_DESIGNATORS)
        .collect()
}

/// The logical unit numbers of a REPORT LUNS answer, last first, at most [`MAX_HINTS`].
fn other_luns(data: &[u8]) -> alloc::vec::Vec<u16> {
    let Ok(list) = LunList::parse(data) else { return alloc::vec::Vec::new() };
    let mut luns: alloc::vec::Vec<u16> = list.luns().filter_map(lun_number).take(MAX_HINTS).collect();
    luns.reverse();
    luns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(serial: &str, designators: &[&[u8]]) -> Identified {
        let identity = Identity {
            vendor: "V".into(),
            product: "P".into(),
            revision: "1".into(),
            serial: if serial.is_empty() { "its url".into() } else { serial.into() },
        };
        let designators = designators.iter().map(|bytes| (3, Arc::from(*bytes))).collect();
        Identified { identity, has_serial: !serial.is_empty(), designators }
    }

    #[test]
    fn two_paths_are_one_library_only_where_what_both_tell_agrees() {
        let same = |one: &Identified, other: &Identified| {
            assert_eq!(one.difference(other).is_none(), other.difference(one).is_none());
            one.difference(other).is_none()
        };
        assert!(same(&found("A", &[]), &found("A", &[])));
        assert!(same(&found("A", &[b"1", b"2"]), &found("A", &[b"2"])), "one in common is enough");
        assert!(same(&found("A", &[b"1"]), &found("A", &[])), "an older firmware has no page");
        assert!(same(&found("", &[b"1"]), &found("", &[b"1"])), "the page alone shows it");
        assert!(!same(&found("A", &[]), &found("B", &[])));
        assert!(!same(&found("A", &[b"1"]), &found("B", &[b"1"])));
        assert!(!same(&found("A", &[b"1"]), &found("A", &[b"2"])));
        assert!(!same(&found("A", &[b"1"]), &found("", &[b"1"])));
        assert!(!same(&found("", &[]), &found("", &[])), "nothing shows it");
        let mut other = found("A", &[]);
        other.identity.product = "Q".into();
        assert!(!same(&found("A", &[]), &other));
    }
}
