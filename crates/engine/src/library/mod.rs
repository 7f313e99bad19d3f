//! One library: what is where, who waits, and what is under way.

pub(crate) mod assign;
pub(crate) mod elements;
pub(crate) mod fault;
pub(crate) mod learned;
pub(crate) mod ownership;
pub(crate) mod ports;
pub(crate) mod queue;
pub(crate) mod routes;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use autochanger_scsi::{
    AdditionalSense, DeviceCapabilities, Dialect, ElementAddress, ElementAddressAssignment, ElementType,
};

use crate::catalog::generation;
use crate::catalog::{Blame, Identity, LibraryRecord, MotionRecord, Service};
use crate::changer::initialize::{Form, Initialize, Initialized};
use crate::changer::style::ReadStyle;
use crate::id::{CartridgeId, LibraryId, LibraryIndex, RequestId};
use crate::input::{LibraryConfig, Timing};
use crate::quirk::Quirk;
use crate::request::{ElementName, GroupId};
use crate::view::LibraryState;
use elements::Elements;
use fault::Stale;
use learned::Usual;
use ownership::Ownership;
use ports::Ports;
use queue::Queue;
use routes::Routes;

/// Intents for each arm that are made durable while it still works, so that its next move is ready when it is free.
pub(crate) const PREPARED_AHEAD: usize = 1;

/// A library.
#[derive(Debug, Clone)]
pub(crate) struct Library {
    pub(crate) index: LibraryIndex,
    pub(crate) config: LibraryConfig,
    /// The time-outs as the caller gave them; those in `config` are no shorter than the library recommends.
    pub(crate) given: Timing,
    pub(crate) state: Arc<LibraryState>,
    pub(crate) identity: Option<Identity>,
    /// What it means by codes of its own; known with its identity.
    pub(crate) dialect: &'static Dialect,
    pub(crate) id: Option<LibraryId>,
    /// This process holds the library's lock.
    pub(crate) claimed: bool,
    pub(crate) ownership: Ownership,
    pub(crate) routes: Routes,
    /// Identification or survey is running, or its next attempt is due at a timer.
    pub(crate) opening: bool,
    pub(crate) retry_pause: Duration,
    pub(crate) geometry: Option<ElementAddressAssignment>,
    pub(crate) capabilities: Option<DeviceCapabilities>,
    /// EXCHANGE MEDIUM was refused as unknown, whatever mode page 1Fh says.
    pub(crate) exchange_refused: bool,
    pub(crate) style: ReadStyle,
    /// The form of INITIALIZE ELEMENT STATUS that it has, once that is known.
    pub(crate) initialize_form: Option<Form>,
    /// It was surveyed since the manager was opened.
    pub(crate) surveyed: bool,
    /// It said since that it was switched on.
    pub(crate) switched_on: bool,
    /// What was found to be otherwise than the standard says, since the manager was opened.
    pub(crate) quirks: BTreeSet<Quirk>,
    pub(crate) elements: Elements,
    pub(crate) queue: Queue,
    /// What unit attentions and doubtful motions have made stale and was not read again yet.
    pub(crate) stale: Stale,
    /// Which drive stands at an end of a motion that is not settled was in doubt when the drives were found.
    pub(crate) drives_unsure: bool,
    /// Drives that were found in place of others: what they hold is not what those held.
    pub(crate) strangers: BTreeSet<ElementAddress>,
    /// Dismounts that were put off in drives that are gone, until the elements are laid over the catalogue.
    pub(crate) astray: Vec<RequestId>,
    /// A drive did not answer when the ways to the drives were looked for, and has none: how often that was so in a row.
    pub(crate) unheard: Option<u32>,
    /// Elements and cartridges whose motions ended while the elements were being read.
    pub(crate) overtaken: Unsettled,
    /// It told of a cartridge that is in no slot, and was not read since.
    pub(crate) has_stray: bool,
    /// When it was looked at last.
    pub(crate) look: Look,
    /// An inventory runs: nothing moves meanwhile.
    pub(crate) reading: bool,
    /// Refreshes in a row, and when the next one may begin: a device that raises an attention at each look must not keep
    /// everybody waiting.
    pub(crate) refreshes: u32,
    pub(crate) refresh_after: Duration,
    pub(crate) motions: BTreeMap<RequestId, PlannedMotion>,
    pub(crate) service: Service,
    /// The changes of service that are in force, and whose end waits for what was under way.
    pub(crate) settling: BTreeSet<RequestId>,
    /// The mounts and cleanings for which a person is to bring a cartridge.
    pub(crate) to_be_brought: BTreeSet<RequestId>,
    /// The inventories that read labels.
    pub(crate) rounds: BTreeSet<RequestId>,
    pub(crate) cleaner_slot: Option<ElementAddress>,
    pub(crate) ports: Ports,
    pub(crate) blame: Blame,
    /// What its devices remarked lately beside their answers, and when that was told: the changer, or the drive in an element.
    pub(crate) remarks: BTreeMap<(Option<ElementAddress>, AdditionalSense), Duration>,
    /// Arms out of which the library did not take a cartridge when it was told to. It is tried again after an inventory that
    /// somebody asks for.
    pub(crate) arms_refused: BTreeSet<ElementAddress>,
    /// How long motions take.
    pub(crate) ways: learned::Ways,
    /// The group for which free drives are kept until it has all that it needs.
    pub(crate) holding: Option<GroupId>,
}

/// When a library was read, on the monotonic clock.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Look {
    pub(crate) ports: Duration,
    pub(crate) all: Duration,
    /// A timer for the next one is set.
    pub(crate) awaited: bool,
    /// The reading that begins is one that nobody asked for.
    pub(crate) unasked: bool,
}

/// Elements and cartridges of which a report is not to be believed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unsettled {
    pub(crate) elements: BTreeSet<ElementAddress>,
    pub(crate) cartridges: BTreeSet<CartridgeId>,
}

/// A motion from its intent to its end.
#[derive(Debug, Clone)]
pub(crate) struct PlannedMotion {
    pub(crate) record: MotionRecord,
    pub(crate) stage: MotionStage,
    /// The mount whose cartridge takes the place of this one, by the same command.
    pub(crate) with: Option<RequestId>,
    /// The dismount that must arrive before it is sent: it frees the drive.
    pub(crate) after: Option<RequestId>,
    /// It was made to follow such a dismount, and goes before others when that has arrived.
    pub(crate) follows: bool,
    /// An earlier process made the intent.
    pub(crate) recovered: bool,
    /// A step of the request had been sent before this motion was.
    pub(crate) sent_before: bool,
    /// The doubt about it was told.
    pub(crate) doubted: bool,
    /// The arm in which its cartridge was seen last, while it is looked into.
    pub(crate) in_arm: Option<ElementName>,
    /// An inventory left its elements out, so that they are to be read when it has ended.
    pub(crate) unread: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MotionStage {
    /// The intent is on its way to the store.
    Intent,
    /// The intent is durable; the arm is not free yet.
    Prepared,
    /// It has no command of its own: another request's EXCHANGE MEDIUM is for it, too.
    Paired,
    /// The command was sent and the arm works for it.
    Sent,
    /// Its ending is in doubt and being looked into; the arm is free for others between looks.
    Settling,
}

impl Library {
    pub(crate) fn new(index: LibraryIndex, mut config: LibraryConfig) -> Self {
        // A pause of nothing would be a loop.
        config.timing.retry_min = config.timing.retry_min.max(Duration::from_millis(1));
        config.timing.port_poll = config.timing.port_poll.max(Duration::from_millis(1));
        let retry_pause = config.timing.retry_min;
        let (ownership, routes) = (Ownership::new(&config), Routes::new(&config));
        Self {
            index,
            given: config.timing,
            config,
            state: Arc::new(LibraryState::Initializing),
            identity: None,
            dialect: &Dialect::COMMON,
            id: None,
            claimed: false,
            ownership,
            routes,
            opening: false,
            retry_pause,
            geometry: None,
            capabilities: None,
            exchange_refused: false,
            style: ReadStyle::default(),
            initialize_form: None,
            surveyed: false,
            switched_on: false,
            quirks: BTreeSet::new(),
            elements: Elements::default(),
            queue: Queue::default(),
            stale: Stale::Nothing,
            drives_unsure: false,
            astray: Vec::new(),
            strangers: BTreeSet::new(),
            overtaken: Unsettled::default(),
            has_stray: false,
            look: Look::default(),
            reading: false,
            unheard: None,
            refreshes: 0,
            refresh_after: Duration::ZERO,
            motions: BTreeMap::new(),
            service: Service::default(),
            settling: BTreeSet::new(),
            to_be_brought: BTreeSet::new(),
            rounds: BTreeSet::new(),
            cleaner_slot: None,
            ports: Ports::default(),
            blame: Blame::default(),
            remarks: BTreeMap::new(),
            arms_refused: BTreeSet::new(),
            ways: learned::Ways::default(),
            holding: None,
        }
    }

    /// Whether OPEN/CLOSE IMPORT/EXPORT ELEMENT is a command to the magazine: of a Quantum SuperLoader 3, which cannot be found out
    /// but by losing all slots.
    pub(crate) fn tray_is_magazine(&self) -> bool {
        let is_one = |identity: &Identity| {
            identity.vendor.trim().eq_ignore_ascii_case("QUANTUM") && identity.product.starts_with("UHDL")
        };
        self.identity.as_ref().is_some_and(is_one)
    }

    /// Has it look at its elements, in the form that it is known to have.
    pub(crate) fn initialize(&self) -> Initialize {
        Initialize::new(self.initialize_form, self.elements.iter().count(), self.config.timing)
            .in_dialect(self.dialect)
    }

    /// It has looked at its elements.
    pub(crate) fn note_initialized(&mut self, initialized: Initialized) {
        self.initialize_form = Some(initialized.form);
        self.quirks.extend(initialized.quirks());
    }

    /// What is kept of it, once it is known.
    pub(crate) fn record(&self) -> Option<LibraryRecord> {
        let (id, identity) = (self.id?, self.identity.clone()?);
        let (service, cleaner_slot, blame) = (self.service, self.cleaner_slot, self.blame);
        Some(LibraryRecord { id, identity, service, cleaner_slot, blame })
    }

    /// Whether the drive has failed with one medium after another, so often that another drive is chosen where one fits.
    pub(crate) fn is_suspect(&self, drive: ElementAddress) -> bool {
        let state = self.elements.get(drive).and_then(|element| element.drive.as_ref());
        let after = usize::from(self.config.suspect_after);
        after > 0 && state.is_some_and(|drive| drive.row.len() >= after)
    }

    /// Something is not known any more, and is read again before anything moves.
    pub(crate) fn touch(&mut self, stale: Stale) {
        self.stale = self.stale.max(stale);
    }

    /// A motion has ended whose elements an inventory left out.
    pub(crate) fn touch_unread(&mut self) {
        self.touch(if self.drives_unsure { Stale::Library } else { Stale::All });
    }

    /// What a drive's product says of what it works with. Without its product this time, what was known of it holds.
    pub(crate) fn note_product(&mut self, drive: ElementAddress, product: Option<&str>) {
        let rules = &self.config.compatibility;
        self.elements.update(drive, |element| {
            let Some(drive) = &mut element.drive else { return };
            if product.is_some() || drive.rules.is_empty() {
                drive.rules = rules.iter().filter(|rule| rule.is_for(product)).cloned().collect();
            }
            drive.generation = product.and_then(generation::of_drive).or(drive.generation);
        });
    }

    /// How long something usually takes here, as measured; until then as configured.
    pub(crate) fn usual(&self, usual: Usual) -> Duration {
        let state = |drive: Option<ElementAddress>| self.elements.get(drive?)?.drive.as_ref();
        let costs = &self.config.costs;
        let times = |drive| costs.times_of(state(drive).and_then(|drive| Some(drive.generation?.number())));
        match usual {
            Usual::Motion(one, other) => self.ways.usual(costs, one, other),
            Usual::Load(drive) => {
                state(drive).and_then(|drive| drive.load_time.get()).unwrap_or_else(|| times(drive).load)
            }
            Usual::Unload(drive) => {
                state(drive).and_then(|drive| drive.unload_time.get()).unwrap_or_else(|| times(drive).unload)
            }
        }
    }

    /// A motion has taken so long.
    pub(crate) fn note_way(&mut self, source: ElementName, destination: ElementName, took: Duration) {
        self.ways.note(&self.config.costs, source, destination, took);
    }

    pub(crate) fn is_ready(&self) -> bool {
        *self.state == LibraryState::Ready
    }

    pub(crate) fn arms(&self) -> Vec<ElementName> {
        self.elements.of_kind(ElementType::Transport).map(|element| element.name).collect()
    }

    fn count(&self, stages: &[MotionStage]) -> usize {
        self.motions.values().filter(|motion| stages.contains(&motion.stage)).count()
    }

    /// Whether an arm is free to be sent: one that holds a cartridge moves nothing but that.
    pub(crate) fn has_free_arm(&self) -> bool {
        let in_flight = usize::from(self.config.moves_in_flight.max(1));
        self.count(&[MotionStage::Sent]) < in_flight.saturating_sub(self.held_arms()).max(1)
    }

    /// Arms with a cartridge that no motion is about to take out of them.
    fn held_arms(&self) -> usize {
        let seen =
            |arm| self.motions.values().any(|motion| motion.in_arm.is_some_and(|it| it.address == arm));
        let emptied = |arm| {
            let planned = [MotionStage::Intent, MotionStage::Prepared, MotionStage::Sent];
            let from = |motion: &PlannedMotion| motion.record.source.address == arm;
            self.motions.values().any(|motion| from(motion) && planned.contains(&motion.stage))
        };
        let arms = self.elements.of_kind(ElementType::Transport);
        let held = arms.filter(|arm| (arm.full && arm.cartridge.is_some()) || seen(arm.name.address));
        held.filter(|arm| !emptied(arm.name.address)).count()
    }

    /// Whether one more intent may be made.
    pub(crate) fn may_prepare(&self) -> bool {
        self.count(&[MotionStage::Intent, MotionStage::Prepared, MotionStage::Sent])
            < usize::from(self.config.moves_in_flight.max(1)) * (1 + PREPARED_AHEAD)
    }

    /// Whether nothing moves and nothing is about to.
    pub(crate) fn is_still(&self) -> bool {
        self.count(&[MotionStage::Intent, MotionStage::Prepared, MotionStage::Sent]) == 0
    }

    /// Whether nothing moves, and of everything that moved is known where it is.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.count(&[MotionStage::Sent, MotionStage::Settling, MotionStage::Paired]) == 0
    }

    /// Whether dismount and mount can be one command.
    pub(crate) fn can_exchange(&self) -> bool {
        self.config.exchange
            && !self.exchange_refused
            && self.capabilities.is_some_and(|capabilities| {
                capabilities.can_exchange(ElementType::Storage, ElementType::Drive)
                    && capabilities.can_exchange(ElementType::Drive, ElementType::Storage)
            })
    }

    /// Whether a command to the arm is in flight.
    pub(crate) fn arm_is_busy(&self) -> bool {
        self.count(&[MotionStage::Sent]) > 0
    }
}
