//! How a manager is set up and opened.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use autochanger_engine::Engine;
use autochanger_engine::input::{Config, DEFAULT_PRIORITY_WORTH, RestartPolicy};
use autochanger_engine::label::{SharedFormat, usual_formats};
use autochanger_engine::transcript::Line;

use super::config::LibraryConfig;
use super::manager::Manager;
use super::shared::Shared;
use crate::clock::{Clock, SystemClock};
use crate::driver::{self, Keep, Recorder, Setup, Sink, Writer};
use crate::error::OpenError;
use crate::store::{MemoryStore, Store};

/// Live requests unless the caller says otherwise: some 50 MB, and more than a library works off in a month.
pub const DEFAULT_MAX_LIVE_REQUESTS: usize = 100_000;

/// Cancels that may wait for a verdict, and look-ups for the store, unless the caller says otherwise: verdicts wait for
/// moves in flight, of which there are as many as arms, so even a storm of repeated cancels seldom comes near.
pub const DEFAULT_MAX_PENDING_CANCELS: usize = 4096;

/// How long a request is kept after its end unless the caller says otherwise: a long weekend, as on Windows Server 2003.
pub const DEFAULT_PURGE_AFTER: Duration = Duration::from_secs(72 * 3600);

/// Sets a manager up; made by [`Manager::builder`].
#[must_use]
pub struct ManagerBuilder {
    libraries: Vec<LibraryConfig>,
    store: StoreChoice,
    lock_directory: Option<PathBuf>,
    restart: RestartPolicy,
    clock: Arc<dyn Clock>,
    max_live_requests: usize,
    max_pending_cancels: usize,
    transcript: Option<Sink>,
    owner: Option<String>,
    priority_worth: Duration,
    label_formats: Vec<SharedFormat>,
    keep: Keep,
}

enum StoreChoice {
    Memory,
    #[cfg(feature = "redb")]
    File(PathBuf),
    Own(Box<dyn Store>),
}

impl ManagerBuilder {
    pub(crate) fn new() -> Self {
        Self {
            libraries: Vec::new(),
            store: StoreChoice::Memory,
            lock_directory: None,
            restart: RestartPolicy::default(),
            clock: Arc::new(SystemClock::new()),
            max_live_requests: DEFAULT_MAX_LIVE_REQUESTS,
            max_pending_cancels: DEFAULT_MAX_PENDING_CANCELS,
            transcript: None,
            owner: None,
            priority_worth: DEFAULT_PRIORITY_WORTH,
            label_formats: usual_formats(),
            keep: Keep { time: Some(DEFAULT_PURGE_AFTER), failed: true },
        }
    }

    /// Adds a library.
    pub fn library(mut self, library: LibraryConfig) -> Self {
        self.libraries.push(library);
        self
    }

    /// Keeps requests and catalogue in the file at `path`, made where there is none. Left out, they are kept in memory
    /// and end with the process.
    #[cfg(feature = "redb")]
    pub fn store(mut self, path: impl Into<PathBuf>) -> Self {
        self.store = StoreChoice::File(path.into());
        self
    }

    /// Keeps requests and catalogue in a store of the caller's own.
    pub fn store_with(mut self, store: impl Store) -> Self {
        self.store = StoreChoice::Own(Box::new(store));
        self
    }

    /// Where the lock files are made that give each library one owner. Every manager that can reach a library must use
    /// the same directory. Default: `/run/lock` where it can be written, else the directory for temporary files.
    pub fn lock_directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.lock_directory = Some(directory.into());
        self
    }

    /// Under which name libraries are reserved: managers of one name know each other's reservations as their own, so that one
    /// that crashed is followed by the next without a word, and no two may run at once on one library. Default: this
    /// machine and the lock directory, within which the lock keeps a second manager out; on a machine without an id of its
    /// own (`/etc/machine-id`), an id that is kept in the lock directory. Give a name to managers that stand in for each other on several machines, where
    /// something else sees to it that only one runs.
    pub fn owner(mut self, name: impl Into<String>) -> Self {
        self.owner = Some(name.into());
        self
    }

    /// What becomes of requests that the last manager left unfinished; [`RestartPolicy::Resume`] unless given.
    pub fn restart(mut self, policy: RestartPolicy) -> Self {
        self.restart = policy;
        self
    }

    /// Where the manager takes its time from; the system's clock unless given.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// How many requests may be live at once ([`DEFAULT_MAX_LIVE_REQUESTS`]); one more is refused with
    /// [`Refusal::ResourceExhausted`](crate::Refusal::ResourceExhausted).
    pub fn max_live_requests(mut self, requests: usize) -> Self {
        self.max_live_requests = requests;
        self
    }

    /// How many cancels may wait for a verdict at once ([`DEFAULT_MAX_PENDING_CANCELS`]); one more is refused with
    /// [`CancelError::ResourceExhausted`](crate::CancelError::ResourceExhausted).
    pub fn max_pending_cancels(mut self, cancels: usize) -> Self {
        self.max_pending_cancels = cancels;
        self
    }

    /// How long a request is kept after its end ([`DEFAULT_PURGE_AFTER`], three days), with its motions and faults; `None`: until
    /// [`purge_requests`](crate::Session::purge_requests) is called. A request's [id](crate::MountBuilder::id) is known for as long: after that
    /// the same submission is a new one.
    ///
    /// What is older is forgotten within an hour or so, a few requests at a time, while nobody waits for the store;
    /// [`EventKind::Purged`](crate::EventKind::Purged) tells how many. What failed [stays](Self::purge_failed), and so does what has a medium mounted
    /// or a motion in doubt, and for up to a day longer. The time is that of the wall clock: one that is set ahead has requests forgotten
    /// early.
    #[doc(alias = "dwLibRequestPurgeTime", alias = "NTMS_LIBREQFLAGS_NOAUTOPURGE")]
    pub fn purge_after(mut self, time: impl Into<Option<Duration>>) -> Self {
        self.keep.time = time.into();
        self
    }

    /// Whether requests that failed are forgotten as the others are. Unless it is said they stay, for whoever looks into it,
    /// until [`purge_requests`](crate::Session::purge_requests) is called.
    #[doc(alias = "NTMS_LIBREQFLAGS_NOFAILEDPURGE")]
    pub fn purge_failed(mut self, yes: bool) -> Self {
        self.keep.failed = !yes;
        self
    }

    /// One more format of labels that is recognized (see [`LabelFormat`](crate::label::LabelFormat)), before those that are
    /// known without it: ANSI X3.27 and LTFS. The manager's own label of a free medium is always known.
    pub fn label_format(mut self, format: SharedFormat) -> Self {
        self.label_formats.insert(0, format);
        self
    }

    /// What a point of [priority](crate::MountBuilder::priority) is worth ([`DEFAULT_PRIORITY_WORTH`](crate::DEFAULT_PRIORITY_WORTH),
    /// ten minutes): a request overtakes those that are older by less than this for each point that it has more. So nothing starves:
    /// the lowest priority waits at most 30 times this long behind later requests of the highest. Zero makes priorities worthless;
    /// a longer time makes the low ones wait longer.
    pub fn priority_worth(mut self, time: Duration) -> Self {
        self.priority_worth = time;
        self
    }

    /// Hands each line of the [transcript](crate::transcript) to `sink`: what was asked, decided, sent and answered, in order. The
    /// line of an answer comes before the caller has it.
    ///
    /// The manager calls the sink where it stands and does nothing else meanwhile, so let it be quick: a line on a terminal or in
    /// a file of this machine will do, while for whatever can take long (a network, a lock that others hold) hand a copy to
    /// a bounded channel with `try_send`. A sink that panics is not called again; the manager goes on.
    ///
    /// Lines hold labels, names of applications and device names, and no secrets of device URLs.
    ///
    /// ```
    /// # #[cfg(feature = "sim")]
    /// # async fn example() -> Result<(), autochanger::OpenError> {
    /// use autochanger::{LibraryConfig, Manager};
    ///
    /// let builder = Manager::builder().library(LibraryConfig::new("sim:"));
    /// let manager = builder.transcript(|line| eprintln!("{line}")).open().await?;
    /// # manager.shutdown().await;
    /// # Ok(())
    /// # }
    /// # #[cfg(feature = "sim")]
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
    /// ```
    pub fn transcript(mut self, sink: impl FnMut(&Line) + Send + 'static) -> Self {
        self.transcript = Some(Box::new(sink));
        self
    }

    /// Opens the store and starts the manager. It waits for no library: see [`Manager::ready`]. Must be called within a
    /// tokio runtime with its time driver, on which the manager then runs.
    ///
    /// # Errors
    /// [`OpenError`]: no library or too many of them, a wrong device URL, or a store that cannot be opened or read.
    ///
    /// # Cancel safety
    /// Dropping the future opens nothing, or closes what it had opened.
    pub async fn open(self) -> Result<Manager, OpenError> {
        let limit = usize::from(u16::MAX);
        match self.libraries.len() {
            0 => return Err(OpenError::NoLibrary),
            count if count > limit => return Err(OpenError::TooMany { what: "libraries", count, limit }),
            _ => {}
        }
        let mut libraries = Vec::with_capacity(self.libraries.len());
        let mut ways = Vec::with_capacity(self.libraries.len());
        for library in &self.libraries {
            let (config, way) = library.resolve()?;
            libraries.push(config);
            ways.push(way);
        }
        let lock_directory = self.lock_directory.unwrap_or_else(driver::default_directory);
        let config = Config {
            owner: driver::owner_key(self.owner.as_deref(), &lock_directory),
            libraries,
            seed: seed()?,
            max_live_requests: self.max_live_requests,
            max_pending_cancels: self.max_pending_cancels,
            restart: self.restart,
            priority_worth: self.priority_worth,
            label_formats: self.label_formats,
        };
        let (writer, snapshot) = Writer::start(self.store.open().await?).await?;
        let ways: Arc<[_]> = ways.into();
        let now = self.clock.now();
        let recorder = self.transcript.map(|sink| Recorder::start(sink, &config, &snapshot, now));
        let setup = Setup {
            engine: Engine::new(config, snapshot, now),
            clock: Arc::clone(&self.clock),
            writer,
            libraries: Arc::clone(&ways),
            lock_directory,
            recorder,
            keep: self.keep,
        };
        let (lanes, ended) = driver::start(setup);
        Ok(Manager::new(Shared::new(lanes, self.clock, ways), ended))
    }
}

impl StoreChoice {
    async fn open(self) -> Result<Box<dyn Store>, OpenError> {
        match self {
            Self::Memory => Ok(Box::new(MemoryStore::new())),
            #[cfg(feature = "redb")]
            Self::File(path) => {
                use crate::store::{RedbStore, StoreError};
                let opened = tokio::task::spawn_blocking(move || RedbStore::open(path)).await;
                let store = opened.map_err(|error| StoreError::Io { source: Box::new(error) })??;
                Ok(Box::new(store))
            }
            Self::Own(store) => Ok(store),
        }
    }
}

fn seed() -> Result<u128, OpenError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| OpenError::Random(error.to_string()))?;
    Ok(u128::from_ne_bytes(bytes))
}
