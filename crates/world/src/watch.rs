//! Who looks on: checkers that see what an outsider sees, and what they object to.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use autochanger_engine::id::{CommandId, LibraryId, Path, RequestId, Token};
use autochanger_engine::{Answer, Change, Config, Event, EventKind, Input, View};

use crate::checkers;
use crate::devices::Devices;
use crate::disk::Disk;

/// Something that an outsider sees.
#[derive(Debug)]
pub enum Sight<'a> {
    /// The engine is about to be told this.
    Input(&'a Input),
    /// A command leaves for a device.
    Send {
        /// The way that it takes.
        path: Path,
        /// Its name.
        id: CommandId,
        /// Its bytes.
        cdb: &'a [u8],
        /// The motions that it asks for: none, one, or two for an exchange.
        ways: &'a [Way],
    },
    /// A batch is about to be on the disk.
    Commit(&'a [Change]),
    /// A question was answered.
    Answer(Token, &'a Answer),
    /// Everyone was told.
    Event(&'a Event),
    /// Hands touched cartridges with these labels.
    Hands(&'a [String]),
    /// Hands put other drives into bays of the library of that number.
    Sleds(usize),
    /// These requests are about to be deleted from the disk.
    Purge(&'a [RequestId]),
    /// The power is back: another engine has begun.
    Restart,
    /// The devices have gone on.
    Passed,
    /// In calm everything has come to rest, and who still waits has not been given what it waits for.
    Rest,
    /// Calm has been given, and everything has come to rest.
    Calm,
}

/// A motion that a command asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    /// The address that the cartridge is taken from.
    pub source: u16,
    /// The address that it is put to.
    pub destination: u16,
    /// The open intent on the disk that says so; the youngest, should there be several.
    pub intent: Option<(RequestId, u32)>,
}

/// What can be looked at beside a sight.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The monotonic clock.
    pub now: Duration,
    /// The disk; before a batch that is being committed.
    pub disk: &'a Disk,
    /// Batches wait for it.
    pub disk_stalled: bool,
    /// The libraries, with the truth in them.
    pub devices: &'a Devices,
    /// How the engine was set up.
    pub config: &'a Config,
    /// What the engine shows to callers.
    pub view: View<'a>,
}

impl Facts<'_> {
    /// The place in the configuration of a library: it is known by its serial number.
    #[must_use]
    pub fn library(&self, id: LibraryId) -> Option<usize> {
        let serial = self.disk.libraries.iter().find(|record| record.id == id)?.identity.serial.clone();
        self.devices.0.iter().position(|device| device.serial() == &*serial)
    }
}

/// Looks on, and objects.
pub trait Checker: fmt::Debug + Send {
    /// Its name, in what it objects to.
    fn name(&self) -> &'static str;

    /// Sees something.
    ///
    /// # Errors
    /// What is wrong.
    fn see(&mut self, sight: &Sight<'_>, facts: &Facts<'_>) -> Result<(), String>;
}

/// What a checker objects to.
#[derive(Debug, Clone)]
pub struct Violation {
    /// The seed of the story, where there is one.
    pub seed: Option<u64>,
    /// Who objects.
    pub checker: &'static str,
    /// The step at which it does: how many things had been seen.
    pub step: u64,
    /// The time.
    pub at: Duration,
    /// What is wrong.
    pub what: String,
    /// What was seen last, oldest first.
    pub transcript: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(seed) = self.seed {
            write!(f, "seed {seed}, ")?;
        }
        let Self { checker, step, at, what, transcript, .. } = self;
        write!(f, "step {step}, {:.3} s: {checker}: {what}", at.as_secs_f64())?;
        transcript.iter().try_for_each(|line| write!(f, "\n    {line}"))
    }
}

/// All who look on.
#[derive(Debug)]
pub(crate) struct Watch {
    checkers: Vec<Box<dyn Checker>>,
    /// Panics at the first violation instead of keeping it.
    pub(crate) strict: bool,
    /// The first violation.
    pub(crate) violation: Option<Violation>,
    /// The last lines of what was seen.
    transcript: VecDeque<String>,
    /// How many lines are kept: writing them takes longer than all the rest.
    lines: usize,
    step: u64,
}

impl Watch {
    /// All checkers; the first violation panics.
    pub(crate) fn strict() -> Self {
        Self {
            checkers: checkers::all(),
            strict: true,
            violation: None,
            transcript: VecDeque::new(),
            lines: 0,
            step: 0,
        }
    }

    /// Nobody looks on: for measuring, where checkers would take longer than all the rest.
    pub(crate) fn nobody() -> Self {
        Self { checkers: Vec::new(), ..Self::lenient(0) }
    }

    /// The first violation is kept, with so many of the last lines.
    pub(crate) fn lenient(lines: usize) -> Self {
        Self { strict: false, lines, ..Self::strict() }
    }

    /// A line of the story itself.
    pub(crate) fn note(&mut self, line: impl FnOnce() -> String) {
        if self.lines == 0 {
            return;
        }
        if self.transcript.len() >= self.lines {
            self.transcript.pop_front();
        }
        self.transcript.push_back(line());
    }

    pub(crate) fn see(&mut self, sight: &Sight<'_>, facts: &Facts<'_>) {
        if self.violation.is_some() {
            return;
        }
        self.step += 1;
        if !matches!(sight, Sight::Passed | Sight::Input(Input::Tick)) {
            self.note(|| line(sight, facts.now));
        }
        for n in 0..self.checkers.len() {
            let checker = &mut self.checkers[n];
            if let Err(what) = checker.see(sight, facts) {
                let name = checker.name();
                return self.object(name, what, facts.now);
            }
        }
    }

    pub(crate) fn object(&mut self, checker: &'static str, what: String, at: Duration) {
        let transcript = self.transcript.iter().cloned().collect();
        let violation = Violation { seed: None, checker, step: self.step, at, what, transcript };
        assert!(!self.strict, "{violation}");
        self.violation.get_or_insert(violation);
    }
}

/// A sight in one line of bounded length.
fn line(sight: &Sight<'_>, now: Duration) -> String {
    /// A line on a wide screen; reports of elements would be pages.
    const WIDTH: usize = 220;
    let what = match sight {
        Sight::Send { path, id, cdb, ways } => {
            let bytes: Vec<String> = cdb.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("send {} to {}/{:?}: {} {ways:?}", id.0, path.library.0, path.device, bytes.join(" "))
        }
        Sight::Event(event) => match &event.kind {
            EventKind::Request(request) => format!("event {:x}: {}", short(request.id), event.kind),
            kind => format!("event {kind}"),
        },
        Sight::Commit(changes) => {
            let changes: Vec<String> = changes.iter().map(change).collect();
            format!("commit {}", changes.join(", "))
        }
        other => format!("{other:?}"),
    };
    let mut line = format!("{:10.3} {what}", now.as_secs_f64());
    if let Some((end, _)) = line.char_indices().nth(WIDTH) {
        line.truncate(end);
    }
    line
}

/// Enough of an id to know it by.
fn short(id: RequestId) -> u128 {
    id.0.as_u128() & 0xFFFF
}

fn change(change: &Change) -> String {
    match change {
        Change::Request(request) => {
            format!("request {:x} {} {}", short(request.id), request.operation(), request.state)
        }
        Change::Motion(motion) => format!(
            "motion {:x}.{} {} -> {} {:?}",
            short(motion.request),
            motion.sequence,
            motion.source,
            motion.destination,
            motion.state
        ),
        Change::Cartridge(cartridge) => {
            format!("cartridge {} {}", cartridge.barcode.as_deref().unwrap_or("-"), cartridge.place)
        }
        Change::Mount(mount) => format!("mount {:x}", short(mount.id)),
        Change::CartridgeGone(_) => "a cartridge is forgotten".into(),
        Change::MountEnded(id) => format!("mount ended {:x}", short(*id)),
        _ => "library".into(),
    }
}
