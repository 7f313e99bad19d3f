//! What the library is made of: geometry (MODE SENSE), contents (READ ELEMENT STATUS), and which path leads to which drive.

mod before;
pub(crate) mod commands;
mod drives;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use autochanger_scsi::{
    DeviceCapabilities, DeviceType, Dialect, ElementAddress, ElementAddressAssignment, ElementType, LunList,
    StandardInquiry, TestUnitReady, lun_number, vpd::UNIT_SERIAL,
};
use bytes::Bytes;

pub(crate) use self::before::{SWITCHED_ON, When};
use self::commands::{operation_codes, recommended};
use self::drives::DrivePath;
use super::ask::{Ask, Refusal};
use super::identify::serial_page;
use super::initialize::{Form, Initialize};
use super::inventory::{Inventory, ReadInventory};
use super::mode::{GeometryForm, mode_sense, parse_mode};
use super::reply::ElementReport;
use super::style::ReadStyle;
use super::{Do, Heard, Procedure};
use crate::command::{Command, Completion, PathFault};
use crate::id::Device;
use crate::input::{ConfiguredDrive, Timing};
use crate::pairing::{DriveElement, DriveNames};
use crate::quirk::Quirk;
use crate::time::Now;

/// Logical units of the changer's target that are asked whether they are drives. A library with more drives has them
/// behind targets of their own, and their paths are configured.
const MAX_SIBLINGS: usize = 128;
/// Small types first: a quirk shows itself cheaply.
pub(crate) const TYPES: [ElementType; 4] =
    [ElementType::Drive, ElementType::ImportExport, ElementType::Storage, ElementType::Transport];

/// What was found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Surveyed {
    pub(crate) geometry: Option<ElementAddressAssignment>,
    pub(crate) capabilities: Option<DeviceCapabilities>,
    pub(crate) elements: Vec<ElementReport>,
    pub(crate) style: ReadStyle,
    /// The drive elements, as far as the library identifies them.
    pub(crate) drives: Vec<DriveElement>,
    /// Paths to the drives, by element.
    pub(crate) paths: BTreeMap<ElementAddress, DrivePath>,
    /// How long it recommends to wait for its commands, by operation code.
    pub(crate) recommended: BTreeMap<u8, Duration>,
    /// A way that can lead to a drive was not answered.
    pub(crate) silent: bool,
    /// What was found to be otherwise than the standard says.
    pub(crate) quirks: BTreeSet<Quirk>,
    /// The form of INITIALIZE ELEMENT STATUS that was used, if the library had to look at its elements.
    pub(crate) initialized: Option<Form>,
}

/// Why the library was not surveyed.
#[derive(Debug)]
pub(crate) enum NotSurveyed {
    /// The way to it is the trouble.
    Path(PathFault),
    /// It is not ready, or answers what a changer must not.
    Unfit(String),
}

#[derive(Debug, Clone)]
enum Stage {
    Ready,
    /// It looks at its elements, for it does not serve without, or is told to at each start.
    Initialize(Box<Initialize>),
    Geometry(GeometryForm),
    Capabilities,
    OperationCodes,
    Inventory(Box<ReadInventory>),
    Luns,
    Candidate {
        device: Device,
        element: Option<ElementAddress>,
    },
    /// The drives were asked for a while: what the library has to tell since is heard before it is called ready.
    LastLook,
    CandidateSerial {
        device: Device,
        element: Option<ElementAddress>,
        product: Arc<str>,
    },
    /// A page of the drive behind one of the paths.
    Further(usize, u8),
}

/// The procedure.
#[derive(Debug, Clone)]
pub(crate) struct Survey {
    timing: Timing,
    dialect: &'static Dialect,
    max_transfer: u32,
    stage: Stage,
    ask: Ask,
    form: GeometryForm,
    /// Its geometry was asked for a second time.
    again: bool,
    /// How the library is told to look at its elements; `None`: it was.
    initialize: Option<Initialize>,
    when: When,
    found: Surveyed,
    /// The library's own serial number.
    library: Option<Arc<str>>,
    configured: Vec<ConfiguredDrive>,
    candidates: Vec<(Device, Option<ElementAddress>)>,
    paths: Vec<DrivePath>,
    /// Paths of drives that nobody said are this library's.
    assumed: Vec<Device>,
    /// Pages that are still to be asked for, of the drives behind some paths; the next is the last.
    further: Vec<(usize, u8)>,
}

impl Survey {
    /// Of a library that speaks the dialect.
    pub(crate) fn new(
        configured: Vec<ConfiguredDrive>,
        timing: Timing,
        max_transfer: u32,
        dialect: &'static Dialect,
    ) -> Self {
        let command = Command::new(TestUnitReady {}.cdb(), timing.status);
        Self {
            timing,
            dialect,
            max_transfer,
            stage: Stage::Ready,
            ask: Ask::new(Device::Changer, command, timing).in_dialect(dialect),
            form: GeometryForm::SixWithoutDescriptors,
            again: false,
            initialize: Some(Initialize::new(None, 0, timing)),
            when: When::Wanted,
            found: Surveyed::default(),
            library: None,
            configured,
            candidates: Vec::new(),
            paths: Vec::new(),
            assumed: Vec::new(),
            further: Vec::new(),
        }
    }

    /// The library has this serial number.
    pub(crate) fn of_library(self, serial: Option<Arc<str>>) -> Self {
        Self { library: serial, ..self }
    }

    /// Whether the attentions that had gathered before are drained: a new one is of a change since.
    pub(crate) fn is_under_way(&self) -> bool {
        !matches!(self.stage, Stage::Ready)
    }

    fn ask(
        &mut self,
        stage: Stage,
        device: Device,
        command: Command,
        now: Now,
    ) -> Do<Result<Surveyed, NotSurveyed>> {
        self.stage = stage;
        // A drive is another product.
        let dialect = if device == Device::Changer { self.dialect } else { &Dialect::COMMON };
        self.ask = Ask::new(device, command, self.timing).in_dialect(dialect);
        let step = self.ask.begin();
        self.follow(step, now)
    }

    fn follow(
        &mut self,
        step: Do<Result<Completion, Refusal>>,
        now: Now,
    ) -> Do<Result<Surveyed, NotSurveyed>> {
        if self.ask.asked_for_sense() {
            self.found.quirks.insert(Quirk::NoAutosense);
        }
        match step {
            Do::Send(device, command) => Do::Send(device, command),
            Do::Wait(pause) => Do::Wait(pause),
            Do::Done(answer) => self.judge(answer.map(|completion| completion.data), now),
        }
    }

    fn judge(&mut self, answer: Result<Bytes, Refusal>, now: Now) -> Do<Result<Surveyed, NotSurveyed>> {
        // The way to the changer is needed for everything; the way to a drive only for that drive.
        let of_drive = matches!(
            self.stage,
            Stage::Candidate { .. } | Stage::CandidateSerial { .. } | Stage::Further(..)
        );
        self.found.silent |= of_drive && matches!(&answer, Err(Refusal::Path(_)));
        if let Err(Refusal::Path(fault)) = &answer
            && !of_drive
        {
            return Do::Done(Err(NotSurveyed::Path(fault.clone())));
        }
        match core::mem::replace(&mut self.stage, Stage::Ready) {
            Stage::Ready => self.judge_ready(answer, now),
            Stage::Geometry(form) => self.judge_geometry(form, answer, now),
            Stage::Capabilities => {
                self.found.capabilities = answer.ok().and_then(|data| {
                    let parameters = parse_mode(&data, self.form)?;
                    DeviceCapabilities::parse(parameters.page(0x1F, 0)?).ok()
                });
                if !self.timing.recommended {
                    return self.read_elements(now);
                }
                let command = operation_codes(self.timing, self.max_transfer);
                self.ask(Stage::OperationCodes, Device::Changer, command, now)
            }
            Stage::OperationCodes => {
                // Most libraries do not have it.
                self.found.recommended = answer.map(|data| recommended(&data)).unwrap_or_default();
                self.timing = self.timing.at_least(&self.found.recommended);
                self.read_elements(now)
            }
            // They hear their answers by themselves.
            stage @ (Stage::Initialize(_) | Stage::Inventory(_)) => {
                self.stage = stage;
                Do::Wait(self.timing.retry_min)
            }
            Stage::Luns => {
                if let Ok(data) = answer
                    && let Ok(list) = LunList::parse(&data)
                {
                    let luns = list.luns().filter_map(lun_number).take(MAX_SIBLINGS);
                    // The last is asked first.
                    let mut siblings: Vec<_> = luns.map(|lun| (Device::Sibling(lun), None)).collect();
                    siblings.reverse();
                    siblings.append(&mut self.candidates);
                    self.candidates = siblings;
                }
                self.next_candidate(now)
            }
            Stage::LastLook => Do::Done(Ok(self.finish())),
            Stage::Candidate { device, element } => {
                // A drive that the configuration puts into an element is there, whether it answers now or not.
                if let (Err(Refusal::Path(_)), Some(_)) = (&answer, element) {
                    let names = DriveNames::default();
                    let path = DrivePath { device, element, assumed: false, names, product: "".into() };
                    self.paths.push(path);
                    return self.next_candidate(now);
                }
                let product = answer.ok().and_then(|data| {
                    let inquiry = StandardInquiry::parse(&data).ok()?;
                    let is_drive =
                        inquiry.peripheral_qualifier() == 0 && inquiry.device_type() == DeviceType::Tape;
                    is_drive.then(|| Arc::<str>::from(inquiry.product()))
                });
                let Some(product) = product else { return self.next_candidate(now) };
                let command = serial_page(self.timing.status);
                self.ask(Stage::CandidateSerial { device, element, product }, device, command, now)
            }
            Stage::CandidateSerial { device, element, product } => {
                let mut names = DriveNames::default();
                if let Ok(data) = answer {
                    names.take(UNIT_SERIAL, &data);
                }
                let assumed = self.assumed.contains(&device);
                self.paths.push(DrivePath { device, element, assumed, names, product });
                self.next_candidate(now)
            }
            Stage::Further(path, page) => {
                if let (Some(path), Ok(data)) = (self.paths.get_mut(path), answer) {
                    path.names.take(page, &data);
                }
                self.ask_further(now)
            }
        }
    }

    fn ask_geometry(&mut self, form: GeometryForm, now: Now) -> Do<Result<Surveyed, NotSurveyed>> {
        self.again &= form == self.form;
        self.form = form;
        let command = mode_sense(0x1D, form, self.timing);
        self.ask(Stage::Geometry(form), Device::Changer, command, now)
    }

    fn judge_geometry(
        &mut self,
        form: GeometryForm,
        answer: Result<Bytes, Refusal>,
        now: Now,
    ) -> Do<Result<Surveyed, NotSurveyed>> {
        let minds = answer.as_ref().is_err_and(Refusal::minds_the_question);
        let page = answer.ok().and_then(|data| {
            let parameters = parse_mode(&data, form)?;
            ElementAddressAssignment::parse(parameters.page(0x1D, 0)?).ok()
        });
        match (page, form) {
            // A passing trouble is no habit.
            (None, _) if !minds && !core::mem::replace(&mut self.again, true) => self.ask_geometry(form, now),
            (Some(geometry), _) => {
                self.found.geometry = Some(geometry);
                match form {
                    GeometryForm::SixWithoutDescriptors => {}
                    GeometryForm::Six => drop(self.found.quirks.insert(Quirk::BlockDescriptors)),
                    GeometryForm::Ten => drop(self.found.quirks.insert(Quirk::ModeSense10Only)),
                }
                if geometry.transport.count == 0 {
                    self.found.quirks.insert(Quirk::NoTransportCounted);
                }
                let command = mode_sense(0x1F, form, self.timing);
                self.ask(Stage::Capabilities, Device::Changer, command, now)
            }
            (None, GeometryForm::SixWithoutDescriptors) => self.ask_geometry(GeometryForm::Six, now),
            (None, GeometryForm::Six) => self.ask_geometry(GeometryForm::Ten, now),
            // Without the page the element status alone tells what there is.
            (None, GeometryForm::Ten) => {
                self.found.quirks.insert(Quirk::NoGeometry);
                self.read_elements(now)
            }
        }
    }

    fn read_elements(&mut self, now: Now) -> Do<Result<Surveyed, NotSurveyed>> {
        let mut reading = ReadInventory::new(
            self.found.geometry,
            &TYPES,
            ReadStyle::default(),
            self.timing,
            self.max_transfer,
        )
        .in_dialect(self.dialect)
        .thorough();
        let step = reading.step(Heard::Start, now);
        self.stage = Stage::Inventory(Box::new(reading));
        self.follow_inventory(step, now)
    }

    fn follow_inventory(
        &mut self,
        step: Do<Result<Inventory, super::inventory::NotRead>>,
        now: Now,
    ) -> Do<Result<Surveyed, NotSurveyed>> {
        match step {
            Do::Send(device, command) => Do::Send(device, command),
            Do::Wait(pause) => Do::Wait(pause),
            Do::Done(Err(not_read)) => Do::Done(Err(match not_read.refusal {
                Refusal::Path(fault) => NotSurveyed::Path(fault),
                _ => NotSurveyed::Unfit(not_read.describe()),
            })),
            Do::Done(Ok(inventory)) => {
                self.found.elements = inventory.elements;
                self.found.style = inventory.style;
                self.found.drives = inventory.drives;
                self.found.quirks.extend(inventory.quirks);
                self.find_candidates(now)
            }
        }
    }
}

impl Procedure for Survey {
    type Output = Result<Surveyed, NotSurveyed>;

    fn step(&mut self, heard: Heard, now: Now) -> Do<Self::Output> {
        if let Stage::Initialize(initialize) = &mut self.stage {
            let step = initialize.step(heard, now);
            return self.follow_initialize(step, now);
        }
        if let Stage::Inventory(reading) = &mut self.stage {
            let step = reading.step(heard, now);
            return self.follow_inventory(step, now);
        }
        if matches!(self.stage, Stage::Ready) {
            self.note_start(&heard);
        }
        let step = self.ask.step(heard, now);
        self.follow(step, now)
    }
}
