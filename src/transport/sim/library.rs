//! A library that runs: the device behind one lock, its clock, and those who wait for its answers.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use autochanger_sim::{
    Access, Device, ElementAddress, ElementType, Fault, Hold, Key, LayoutError, Library, LogEntry, Nexus,
    OperatorError, Outcome,
};
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use super::Gate;
use super::clock::Clock;
use super::initiators::{Initiators, Session};
use super::path::SimPath;
use crate::transport::Transport;

/// A simulated library that runs. A handle: clones are the same library.
///
/// Its virtual time runs with tokio's clock, paused or not, as fast as [`time_scale`](Self::time_scale) says. Without
/// [`Timing`](super::Timing) every answer is immediate. Commands go on whether or not anybody waits for them.
///
/// Waiting needs a tokio runtime with its time driver; everything else works anywhere.
///
/// ```
/// use autochanger::ElementAddress;
/// use autochanger::transport::sim::{self, SimulatedLibrary};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let library = SimulatedLibrary::start(sim::Library::new().cartridges("VT{:04}L8", 1..=4));
/// library.operator_take(1003)?; // a hand behind the manager's back
/// assert_eq!(library.find("VT0004L8"), None);
/// assert_eq!(library.find("VT0001L8"), Some(ElementAddress(1000)));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SimulatedLibrary {
    shared: Arc<Shared>,
}

pub(super) struct Shared {
    state: Mutex<State>,
    /// Something may happen earlier than those who wait have reckoned.
    changed: Notify,
}

pub(super) struct State {
    pub(super) device: Device,
    clock: Clock,
    waiters: BTreeMap<Key, oneshot::Sender<Ended>>,
    next_nexus: u32,
    initiators: Initiators,
    pub(super) label: Arc<str>,
}

/// How a command ended, and when in virtual time.
pub(super) type Ended = (Outcome, Duration);

/// Tells the libraries of one process apart that were given no serial number.
static NEXT_SERIAL: AtomicU32 = AtomicU32::new(1);

impl SimulatedLibrary {
    /// Starts a library.
    ///
    /// Without a serial number it gets one that no other library of this or another running process has.
    ///
    /// # Panics
    /// If the description makes no library; [`try_start`](Self::try_start) says why instead.
    pub fn start(library: Library) -> Self {
        match Self::try_start(library) {
            Ok(library) => library,
            Err(error) => panic!("{error}"),
        }
    }

    /// Starts a library.
    ///
    /// # Errors
    /// [`LayoutError`] says what in the description does not fit together.
    pub fn try_start(mut library: Library) -> Result<Self, LayoutError> {
        if !library.has_serial() {
            let number = NEXT_SERIAL.fetch_add(1, Ordering::Relaxed);
            library = library.serial(&format!("SIM{}N{number:04}", std::process::id()));
        }
        let device = library.try_build()?;
        let label = format!("sim:serial={}", device.serial()).into();
        let state = State {
            device,
            clock: Clock::start(),
            waiters: BTreeMap::new(),
            next_nexus: 0,
            initiators: Initiators::default(),
            label,
        };
        Ok(Self { shared: Arc::new(Shared { state: Mutex::new(state), changed: Notify::new() }) })
    }

    /// Sets how many virtual seconds pass per second, from now on: 60 makes a minute's motion take a second.
    ///
    /// Time-outs of commands are counted in virtual time, too.
    ///
    /// # Panics
    /// If the scale is not a finite number above zero.
    #[must_use]
    pub fn time_scale(self, scale: f64) -> Self {
        assert!(scale.is_finite() && scale > 0.0, "a time scale is a number above zero, not {scale}");
        self.shared.state().clock.set_scale(scale);
        self.shared.changed.notify_waiters();
        self
    }

    /// A new path to the changer: an initiator of its own, that finds a unit attention (29/00) first. Its
    /// [siblings](Transport::sibling) are the drives.
    pub fn transport(&self) -> Arc<dyn Transport> {
        self.transport_at(0)
    }

    /// The same through a target port of that number: another path to the same library, which can serve, stand by or die on its
    /// own; see [`set_port`](Self::set_port).
    pub fn transport_at(&self, port: u8) -> Arc<dyn Transport> {
        Arc::new(SimPath::new(&self.shared, port))
    }

    /// Changes what a target port does with the commands that come through it.
    pub fn set_port(&self, port: u8, access: Access) {
        self.with(|device| {
            let now = device.now();
            device.set_port(now, port, access);
        });
    }

    /// A path of an initiator that the library knows again by the name of its port (for iSCSI: name, `,i,0x` and ISID). When all
    /// of the path is dropped its session ends: what it had in flight is aborted, its prevention of removal is over, and the next
    /// path of that name finds a unit attention (29/07). Registrations and persistent reservations stay with the name.
    ///
    /// A second path of the same name ends the first one's session, as session reinstatement does (RFC 7143 section 6.3.5): the
    /// first path is refused everything from then on.
    #[doc(alias = "I_T nexus")]
    pub fn initiator(&self, port: &str) -> Arc<dyn Transport> {
        Arc::new(SimPath::named(&self.shared, port))
    }

    /// A new path to drive `index`, counted from 0; `None` if there is no such drive.
    pub fn drive_transport(&self, index: u16) -> Option<Arc<dyn Transport>> {
        SimPath::new(&self.shared, 0)
            .to_lun(index.checked_add(1)?)
            .map(|path| Arc::new(path) as Arc<dyn Transport>)
    }

    /// Plants a fault.
    pub fn inject(&self, fault: Fault) {
        self.with(|device| device.inject(fault));
    }

    /// Takes back the faults that wait for commands. Drives that are stuck or dead stay so.
    pub fn clear_faults(&self) {
        self.with(Device::clear_faults);
    }

    /// How many faults wait for commands.
    pub fn pending_faults(&self) -> usize {
        self.with(|device| device.pending_faults())
    }

    /// Makes a stuck or dead drive work again.
    pub fn repair(&self, drive: impl Into<autochanger_scsi::ElementAddress>) {
        let drive = drive.into();
        self.with(|device| device.repair(drive));
    }

    /// Stops commands half-way until the gate is [released](Gate::release) or dropped.
    pub fn hold(&self, hold: Hold) -> Gate {
        let id = self.with(|device| device.hold(hold));
        Gate::new(Arc::clone(&self.shared), id)
    }

    /// Puts a data cartridge into an element by hand; see [`Device::operator_put`].
    ///
    /// # Errors
    /// [`OperatorError`] says what is in the way.
    pub fn operator_put(
        &self,
        element: impl Into<autochanger_scsi::ElementAddress>,
        barcode: &str,
    ) -> Result<(), OperatorError> {
        let element = element.into();
        self.with(|device| device.operator_put(element, barcode))
    }

    /// Takes a cartridge out by hand; see [`Device::operator_take`].
    ///
    /// # Errors
    /// [`OperatorError`] says what is in the way.
    pub fn operator_take(
        &self,
        element: impl Into<autochanger_scsi::ElementAddress>,
    ) -> Result<String, OperatorError> {
        let element = element.into();
        self.with(|device| device.operator_take(element))
    }

    /// Exchanges the contents of two elements by hand; see [`Device::operator_swap`].
    ///
    /// # Errors
    /// [`OperatorError`] says what is in the way.
    pub fn operator_swap(
        &self,
        one: impl Into<autochanger_scsi::ElementAddress>,
        other: impl Into<autochanger_scsi::ElementAddress>,
    ) -> Result<(), OperatorError> {
        let one = one.into();
        let other = other.into();
        self.with(|device| device.operator_swap(one, other))
    }

    /// Opens the door by hand; see [`Device::operator_open_door`].
    ///
    /// # Errors
    /// [`OperatorError`] says what is in the way.
    pub fn operator_open_door(&self) -> Result<(), OperatorError> {
        self.with(Device::operator_open_door)
    }

    /// Closes the door by hand; see [`Device::operator_close_door`].
    pub fn operator_close_door(&self) {
        self.with(Device::operator_close_door);
    }

    /// What is where: every element with the barcode of its cartridge; see [`Device::contents`].
    pub fn contents(&self) -> Vec<(ElementAddress, ElementType, Option<String>)> {
        self.with(|device| device.contents())
    }

    /// Where a cartridge is; `None` if it is not in the library.
    pub fn find(&self, barcode: &str) -> Option<ElementAddress> {
        self.with(|device| device.find(barcode))
    }

    /// The commands that reached the library, oldest first; see [`Device::log`].
    pub fn log(&self) -> Vec<LogEntry> {
        self.with(|device| device.log().cloned().collect())
    }

    /// How many MOVE MEDIUM and EXCHANGE MEDIUM commands reached the changer.
    pub fn moves_sent(&self) -> u64 {
        self.with(|device| device.moves_sent())
    }

    /// How many of them took effect.
    pub fn moves_done(&self) -> u64 {
        self.with(|device| device.moves_done())
    }

    /// The virtual time since the start.
    pub fn now(&self) -> Duration {
        self.with(|device| device.now())
    }

    /// The serial number of the changer.
    pub fn serial(&self) -> String {
        self.with(|device| device.serial().to_owned())
    }

    /// Looks at the device itself, brought up to the present time. No other call may be made on the library
    /// meanwhile: it would wait for this one forever.
    pub fn with<R>(&self, look: impl FnOnce(&mut Device) -> R) -> R {
        let mut state = self.shared.state();
        state.catch_up();
        let seen = look(&mut state.device);
        state.settle();
        drop(state);
        self.shared.changed.notify_waiters();
        seen
    }

    pub(super) fn set_label(&self, label: &str) {
        self.shared.state().label = label.into();
    }
}

impl fmt::Debug for SimulatedLibrary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatedLibrary").field("url", &self.shared.state().label).finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // The device is left consistent by every call, so a panic elsewhere while the lock was held hurts nobody.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn wake_waiters(&self) {
        self.changed.notify_waiters();
    }

    /// Waits until the device has something to say to the caller: `look` is asked whenever something has happened,
    /// and no later than `deadline`, in virtual time.
    ///
    /// Whoever waits drives the device; there is no task of its own.
    pub(super) async fn wait<R>(
        &self,
        deadline: Duration,
        mut look: impl FnMut(&mut State) -> Option<R>,
    ) -> R {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let next: Instant = {
                let mut state = self.state();
                state.catch_up();
                if let Some(found) = look(&mut state) {
                    return found;
                }
                let event = state.device.next_event().unwrap_or(deadline);
                state.clock.instant(event.min(deadline))
            };
            tokio::select! {
                () = tokio::time::sleep_until(next) => {}
                () = changed => {}
            }
        }
    }
}

impl State {
    /// Brings the device to the present time and hands out what has ended; the present time.
    pub(super) fn catch_up(&mut self) -> Duration {
        let now = self.clock.now();
        // Event by event, so that each end is known with its time, however late anybody looks.
        while let Some(next) = self.device.next_event().filter(|next| *next <= now) {
            let finished = self.device.advance(next);
            self.hand_out(finished);
        }
        let finished = self.device.advance(now);
        self.hand_out(finished);
        now
    }

    /// Hands out what has ended just now.
    pub(super) fn settle(&mut self) {
        if self.device.has_finished() {
            let finished = self.device.advance(self.device.now());
            self.hand_out(finished);
        }
    }

    fn hand_out(&mut self, finished: Vec<(Key, Outcome)>) {
        let at = self.device.now();
        for (key, outcome) in finished {
            if let Some(waiter) = self.waiters.remove(&key) {
                // Nobody listens any more where the caller has dropped its future: the answer is abandoned.
                let _ = waiter.send((outcome, at));
            }
        }
    }

    pub(super) fn expect(&mut self, key: Key) -> oneshot::Receiver<Ended> {
        let (sender, receiver) = oneshot::channel();
        self.waiters.insert(key, sender);
        receiver
    }

    pub(super) fn expect_no_more(&mut self, key: Key) {
        self.waiters.remove(&key);
    }

    pub(super) fn new_nexus(&mut self) -> Nexus {
        self.next_nexus = self.next_nexus.wrapping_add(1);
        Nexus(self.next_nexus)
    }

    pub(super) fn enter(&mut self, port: &str) -> (Nexus, Session) {
        let Self { device, initiators, next_nexus, .. } = self;
        initiators.enter(port, device, || {
            *next_nexus = next_nexus.wrapping_add(1);
            Nexus(*next_nexus)
        })
    }

    pub(super) fn leave(&mut self, session: Session) {
        self.initiators.leave(session, &mut self.device);
    }

    pub(super) fn has(&self, session: Session) -> bool {
        self.initiators.has(session)
    }
}
