//! What happened, for a person: a line for each thing that passes the engine's face, in order, with its time.
//!
//! A [`Transcript`] looks at inputs before the engine takes them and at outputs as they are polled. It decides nothing and
//! keeps nothing but names, so an engine that nobody listens to pays nothing for it.

mod line;
mod names;
mod persisted;
mod questions;
mod wanted;
mod wire;

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use core::time::Duration;

use autochanger_scsi::Cdb;

pub use line::{Kind, LINE_MAX, Line};
use names::Names;

use crate::id::{BatchId, CommandId, LibraryIndex, Path, RequestId, Token};
use crate::input::{ClaimError, Config, Input, Snapshot, StoreFailure};
use crate::output::{Event, EventKind, Output};
use crate::request::{Place, Request};
use crate::time::Now;

/// Requests of an earlier manager that the first line names; the others are counted.
const REQUESTS_SHOWN: usize = 8;

/// Turns inputs and outputs into lines. The same story gives the same lines.
///
/// Requests are numbered in the order in which they appear (`r1`, `r2`, …), so that two runs with other ids compare equal;
/// cartridges go by their labels (without one: `c1`, `c2`, …), elements by what they are. The full ids are in
/// [`Line::aside`], at the first mention.
///
/// ```
/// use autochanger_engine::transcript::Transcript;
/// use autochanger_engine::{Config, Engine, Input, Snapshot, time::{Now, WallTime}};
///
/// # let config = Config::new(vec![]);
/// let now = Now { monotonic: core::time::Duration::ZERO, wall: WallTime(0) };
/// let mut transcript = Transcript::new();
/// let mut lines = vec![transcript.started(&config, &Snapshot::default(), now)];
/// let mut engine = Engine::new(config, Snapshot::default(), now);
/// let input = Input::Stop;
/// lines.extend(transcript.input(&input, now));
/// engine.handle(input, now);
/// while let Some(output) = engine.poll_output() {
///     lines.extend(transcript.output(&output, now));
/// }
/// assert_eq!(lines[1].to_string(), "+00:00:00.000  asked     to stop");
/// ```
#[derive(Debug, Default)]
pub struct Transcript {
    /// Monotonic time of the first line.
    origin: Option<Duration>,
    names: Names,
    /// What is in flight; as many as the engine has.
    sent: BTreeMap<CommandId, (Path, Cdb)>,
    /// Which request a question is about, until it is answered.
    questions: BTreeMap<Token, RequestId>,
    /// The same of the engine's own questions to the store.
    lookups: BTreeMap<Token, RequestId>,
}

impl Transcript {
    /// A transcript that knows no names yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// An engine is made from this. Call it before anything else, and again for each engine that takes up the same story
    /// after a restart: numbers and names go on, what was in flight is forgotten.
    pub fn started(&mut self, config: &Config, snapshot: &Snapshot, now: Now) -> Line {
        self.sent.clear();
        self.questions.clear();
        self.lookups.clear();
        self.names.begin(config, snapshot);
        let libraries: String = join(config.libraries.iter().map(|library| library.name.to_string()), ", ");
        let mut text = format!("with {libraries}");
        let kept = [
            (snapshot.cartridges.len(), "cartridge"),
            (snapshot.mounts.len(), "mount"),
            (snapshot.requests.len(), "live request"),
            (snapshot.motions.len(), "motion"),
        ];
        if kept.iter().all(|(count, _)| *count == 0) {
            text.push_str("; nothing in the store");
        } else {
            let kept = kept.iter().filter(|(count, _)| *count > 0).map(|(count, what)| counted(*count, what));
            text.push_str(&format!("; in the store {}", join(kept, ", ")));
        }
        for request in snapshot.requests.iter().take(REQUESTS_SHOWN) {
            let name = self.names.request(request.id);
            text.push_str(&format!("; {name}, {}, {}", title(request), request.state));
        }
        self.names.note(now.wall.to_string());
        self.line(Kind::Started, text, now)
    }

    /// The line of an input, at the time at which the engine is to handle it; call it before
    /// [`Engine::handle`](crate::Engine::handle). `None`: that time passed is not worth a line, nor is what an event repeats.
    pub fn input(&mut self, input: &Input, now: Now) -> Option<Line> {
        let (kind, text) = match input {
            Input::Submit { token, submission } => (Kind::Asked, self.submitted(*token, submission)),
            Input::SubmitGroup { token, submissions } => {
                (Kind::Asked, self.group_submitted(*token, submissions))
            }
            Input::Reorder { token, caller, id, position } => {
                (Kind::Asked, self.place_asked(*token, caller, *id, *position))
            }
            Input::RefuseOperatorTask { token, caller, id } => {
                (Kind::Asked, self.task_refused(*token, caller, *id))
            }
            Input::SatisfyOperatorTask { token, caller, id } => {
                (Kind::Asked, self.task_done(*token, caller, *id))
            }
            Input::SetCleanerUses { caller, cartridge, uses, .. } => {
                (Kind::Asked, self.uses_set(caller, cartridge, *uses))
            }
            Input::Cancel { token, caller, id, reason } => {
                (Kind::Asked, self.cancel_asked(*token, caller, *id, reason.as_deref()))
            }
            Input::Adopt { token, caller, id } => (Kind::Asked, self.adoption_asked(*token, caller, *id)),
            Input::CloseSession { session, .. } => (Kind::Asked, format!("to close session {}", session.0)),
            Input::Persisted { batch, result } => stored(*batch, result),
            Input::Found { token, result } => (Kind::Found, self.found(*token, result)),
            Input::Completed { command, result } => {
                (Kind::Answered, self.wire_answered(*command, result.as_ref()))
            }
            Input::Claimed { library, result } => (Kind::Found, self.claimed(*library, result)),
            Input::Stop => (Kind::Asked, String::from("to stop")),
            // The event says it.
            Input::Purged { .. } => return None,
            Input::Tick => return None,
        };
        Some(self.line(kind, text, now))
    }

    /// The line of an output, at the time of the input that caused it.
    pub fn output(&mut self, output: &Output, now: Now) -> Option<Line> {
        let (kind, text) = match output {
            Output::Execute { path, id, command } => (Kind::Sent, self.wire_sent(*path, *id, &command.cdb)),
            Output::Persist { batch, changes } => (Kind::Decided, self.decided(*batch, changes)),
            Output::Lookup { token, id } => {
                self.lookups.insert(*token, *id);
                (Kind::Sought, format!("{} in the store", self.names.request(*id)))
            }
            Output::Claim { library, identity } => {
                self.names.identified(*library, identity);
                (Kind::Sought, format!("the lock of {}", self.names.library_at(*library)))
            }
            Output::Answer { token, answer } => (Kind::Replied, self.replied(*token, answer)),
            Output::Notify(event) => (Kind::Told, self.told(event)),
        };
        Some(self.line(kind, text, now))
    }

    fn line(&mut self, kind: Kind, text: String, now: Now) -> Line {
        let origin = *self.origin.get_or_insert(now.monotonic);
        let text = self.names.put_into(&text);
        Line::new(now.monotonic.saturating_sub(origin), kind, &text, &self.names.take_notes())
    }

    fn found(&mut self, token: Token, result: &Result<Option<Request>, StoreFailure>) -> String {
        let name = self.lookups.remove(&token).map(|id| self.names.request(id));
        let name = name.as_deref().unwrap_or("a request");
        match result {
            Ok(Some(request)) => format!("{name}, {}, {}", title(request), request.state),
            Ok(None) => format!("{name} is not in the store"),
            Err(error) => format!("{name} could not be looked up: {error}"),
        }
    }

    fn claimed(&self, library: LibraryIndex, result: &Result<(), ClaimError>) -> String {
        let name = self.names.library_at(library);
        match result {
            Ok(()) => format!("{name} is this manager's"),
            Err(error) => format!("{name} is not this manager's: {error}"),
        }
    }

    fn told(&mut self, event: &Event) -> String {
        match &event.kind {
            EventKind::Request(request) => format!("{} {}", self.names.request(request.id), request.state),
            EventKind::CancelAccepted { id, .. } | EventKind::MotionInDoubt { request: id, .. } => {
                // Known from here on, so that the text has its name.
                self.names.request(*id);
                event.kind.to_string()
            }
            EventKind::Cartridge { id, place, .. } => at(&self.names.cartridge(*id), "", place),
            EventKind::Mounted(mount) => {
                let name = self.names.cartridge(mount.cartridge);
                let library = self.names.of_library(mount.library);
                format!("{name} is mounted in drive {}{library} for {}", mount.drive, mount.application)
            }
            kind => kind.to_string(),
        }
    }
}

fn stored(batch: BatchId, result: &Result<(), StoreFailure>) -> (Kind, String) {
    match result {
        Ok(()) => (Kind::Durable, format!("batch {}", batch.0)),
        Err(error) => (Kind::Failed, format!("batch {}: {error}", batch.0)),
    }
}

/// What a request is, for its first mention: `mount of VT0001L8`.
fn title(request: &Request) -> String {
    match &request.barcode {
        Some(barcode) => format!("{} of {barcode}", request.operation()),
        None => request.operation().to_string(),
    }
}

/// Where a cartridge is, with ` of LIBRARY` where that is to be told.
fn at(cartridge: &str, library: &str, place: &Place) -> String {
    match place {
        Place::Element(_) => format!("{cartridge} {}{library}", place.told()),
        _ => format!("{cartridge}{library} {}", place.told()),
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn join(parts: impl Iterator<Item = String>, separator: &str) -> String {
    let mut joined = String::new();
    for part in parts {
        if !joined.is_empty() {
            joined.push_str(separator);
        }
        joined.push_str(&part);
    }
    joined
}
