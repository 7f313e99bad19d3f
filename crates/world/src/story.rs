//! A story: libraries, and what happens to them. It is told from beginning to calm, and the checkers look on.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use autochanger_engine::input::Verify;
use autochanger_sim::{Device, Library, Timing};

use crate::act::{Act, FIRST_DRIVE, FIRST_PORT, FIRST_SLOT};
use crate::perform::{FIRST_CLEANER, is_of_story, label};
use crate::watch::{Violation, Watch};
use crate::world::World;

/// The product of the older drive that some libraries have.
pub(crate) const OLDER_DRIVE: &str = "SIM LTO-7";

/// A story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// What it was drawn from.
    pub seed: u64,
    /// How it begins.
    pub setup: Setup,
    /// What happens.
    pub acts: Vec<Act>,
}

/// How a story begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// The libraries.
    pub libraries: Vec<Shape>,
    /// How many requests may be live.
    pub max_live_requests: usize,
    /// How many cancels may wait.
    pub max_pending_cancels: usize,
}

/// One library of a story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Slots.
    pub slots: u8,
    /// Drives.
    pub drives: u8,
    /// Cartridges, at most as many as slots.
    pub cartridges: u8,
    /// The first drive is of the older generation.
    pub mixed: bool,
    /// Each command takes a second.
    pub slow: bool,
    /// EXCHANGE MEDIUM is allowed.
    pub exchange: bool,
    /// Drives are unloaded before the robot takes a cartridge.
    pub unload_before_move: bool,
    /// Moves in flight, and arms for them.
    pub moves_in_flight: u8,
    /// Import/export elements.
    pub ports: u8,
    /// They are kept locked.
    pub lock_ports: bool,
    /// There is a cleaning cartridge beside the others, with a slot of its own, and it lasts so often.
    pub cleaner: Option<u8>,
    /// Drives that ask for it are cleaned.
    pub auto_clean: bool,
    /// How long a medium stays whose dismount was deferred, in seconds.
    pub dwell: u16,
    /// Mounts read labels.
    pub verify: bool,
}

/// Two drives, six cartridges with room beside them, two ports, and nothing out of the way.
impl Default for Shape {
    fn default() -> Self {
        Self {
            slots: 10,
            drives: 2,
            cartridges: 6,
            mixed: false,
            slow: false,
            exchange: false,
            unload_before_move: true,
            moves_in_flight: 1,
            ports: 2,
            lock_ports: false,
            cleaner: None,
            auto_clean: true,
            dwell: 0,
            verify: false,
        }
    }
}

/// How a story is told.
#[derive(Debug, Clone, Copy)]
pub struct Telling {
    /// How many of the last lines a violation shows. They are written when the shortened story of a failing seed is told.
    pub lines: usize,
    /// What is wrong with the engine.
    #[cfg(feature = "planted-bugs")]
    pub bug: Option<autochanger_engine::Bug>,
}

impl Default for Telling {
    /// A page on a screen: some seconds of a busy library.
    fn default() -> Self {
        Self {
            lines: 60,
            #[cfg(feature = "planted-bugs")]
            bug: None,
        }
    }
}

/// What a story came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tale {
    /// Requests that were accepted.
    pub requests: u64,
    /// Things that went wrong.
    pub mishaps: u64,
    /// Motions that reached a device.
    pub moves: u64,
    /// Restarts.
    pub restarts: u64,
    /// Virtual time.
    pub time: Duration,
}

impl Story {
    fn devices(&self) -> Vec<Device> {
        let mut first = 1;
        let mut devices = Vec::new();
        for (n, shape) in self.setup.libraries.iter().enumerate() {
            let mut timing = Timing::midrange();
            if shape.slow {
                timing.command = Duration::from_secs(1);
            }
            let mut library = Library::new()
                .first_slot(FIRST_SLOT)
                .slots((shape.slots + u8::from(shape.cleaner.is_some())).into())
                .first_drive(FIRST_DRIVE)
                .drives(shape.drives.into())
                .first_port(FIRST_PORT)
                .ports(shape.ports.into())
                .arms(shape.moves_in_flight.into())
                .serial(&format!("WORLD{n}"))
                .timing(timing)
                .seed(self.seed);
            if shape.mixed {
                library = library.drive_product_of(0, OLDER_DRIVE);
            }
            for (slot, cartridge) in (first..).take(shape.cartridges.into()).enumerate() {
                library = library.cartridge_at(FIRST_SLOT + slot as u16, &label(cartridge));
            }
            first += shape.cartridges;
            let cleaner = label(FIRST_CLEANER + n as u8);
            if shape.cleaner.is_some() {
                library = library.cleaning_cartridge(&cleaner);
            }
            let mut device = library.build();
            if let Some(uses) = shape.cleaner {
                device.cleaner_lasts(&cleaner, uses.into());
            }
            devices.push(device);
        }
        devices
    }

    fn world(&self, telling: Telling) -> World {
        let mut world = World::watched(self.devices(), Watch::lenient(telling.lines), |config| {
            config.max_live_requests = self.setup.max_live_requests;
            config.max_pending_cancels = self.setup.max_pending_cancels;
            for (library, shape) in config.libraries.iter_mut().zip(&self.setup.libraries) {
                library.exchange = shape.exchange;
                library.unload_before_move = shape.unload_before_move;
                library.moves_in_flight = shape.moves_in_flight;
                library.lock_ports = shape.lock_ports;
                library.auto_clean = shape.auto_clean;
                library.dwell = Duration::from_secs(shape.dwell.into());
                library.verify = if shape.verify { Verify::Label } else { Verify::Barcode };
            }
        });
        world.gives_up = true;
        // What the checkers saw is shown when one objects; writing all of it would double the time.
        world.tape.off = true;
        #[cfg(feature = "planted-bugs")]
        world.plant(telling.bug);
        world
    }
}

/// Tells a story, to its calm.
///
/// # Errors
/// What a checker objected to; a panic is objected to by `panic`.
pub fn tell(story: &Story, telling: Telling) -> Result<Tale, Box<Violation>> {
    let mut world = story.world(telling);
    let told = catch_unwind(AssertUnwindSafe(|| {
        world.come_to_rest();
        for act in &story.acts {
            if world.violation().is_some() {
                return;
            }
            world.act(act);
        }
        world.calm();
    }));
    if let Err(panic) = told {
        let at = world.now;
        world.watch.object("panic", said(&*panic), at);
    }
    match world.watch.violation.take() {
        Some(violation) => Err(Box::new(Violation { seed: Some(story.seed), ..violation })),
        None => Ok(Tale {
            requests: world.disk.requests.keys().filter(|id| is_of_story(**id)).count() as u64,
            mishaps: world.mishaps,
            moves: world.device.moves_sent(),
            restarts: world.config.seed as u64 - 1,
            time: world.now,
        }),
    }
}

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}
