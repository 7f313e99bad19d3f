//! The parent's side: kills, and holds what is kept against what is and what was said.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use autochanger::catalog::{MotionRecord, MotionState};
use autochanger::change::Snapshot;
use autochanger::request::ElementName;
use autochanger::store::{RedbStore, Store, StoreError};
use autochanger::{HistoryFilter, Place, Request, RequestId};

use crate::beds::{TgtBed, TgtOptions};
use crate::child::{self, BARCODES, MARK, Orders};
use crate::news::Row;
use crate::proxy::{Fate, Move, Proxy};
use crate::temp::TempDir;
use crate::truth;

/// How long the child may take to come to where it is to be killed: recoveries take a motion's time-out each, and the
/// machine may be busy. Longer than the child's own patience, so that it tells what it waits for.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long after the next process's first look the move arrives that is late: far within a motion's time-out, before
/// which nobody may conclude that it did not happen.
const LATE: Duration = Duration::from_millis(500);

/// A library, a store, and what was learned of them so far.
pub(crate) struct Proof {
    bed: TgtBed,
    /// What was where before anything moved.
    at_first: BTreeMap<String, ElementName>,
    proxy: Proxy,
    directory: TempDir,
    kills: usize,
    /// Requests whose ticket the child had.
    told: BTreeSet<RequestId>,
    /// Final states, as the child was told them or as they were found after a kill.
    ended: BTreeMap<RequestId, String>,
    /// What was kept after the last kill.
    kept: BTreeMap<RequestId, Request>,
    motions: BTreeMap<RequestId, Vec<MotionRecord>>,
}

/// What a commit would have made durable.
#[derive(Debug, Default)]
pub(crate) struct Caught {
    pub(crate) accepted: Vec<RequestId>,
    pub(crate) intents: Vec<(RequestId, u32)>,
    pub(crate) outcomes: Vec<(RequestId, u32)>,
}

impl Proof {
    pub(crate) fn start() -> Self {
        let options = TgtOptions { slots: 6, drives: 2, ports: 0, cartridges: 4, chap: None };
        let bed = TgtBed::start(options);
        let proxy = Proxy::start(bed.port());
        let at_first = truth::contents(&bed.url());
        assert!(at_first.keys().eq(BARCODES.concat()), "the bed holds other cartridges: {at_first:?}");
        Self {
            bed,
            at_first,
            proxy,
            directory: TempDir::new(),
            kills: 0,
            told: BTreeSet::new(),
            ended: BTreeMap::new(),
            kept: BTreeMap::new(),
            motions: BTreeMap::new(),
        }
    }

    /// How often the process was killed where it was to be killed.
    pub(crate) fn kills(&self) -> usize {
        self.kills
    }

    pub(crate) fn moves(&self) -> usize {
        self.proxy.moves().len()
    }

    /// Whether the process had the request's ticket.
    pub(crate) fn was_told(&self, id: RequestId) -> bool {
        self.told.contains(&id)
    }

    /// The request as it was kept after the last kill.
    pub(crate) fn kept(&self, id: RequestId) -> Option<&Request> {
        self.kept.get(&id)
    }

    /// The request's motions as they were kept after the last kill.
    pub(crate) fn motions(&self, id: RequestId) -> &[MotionRecord] {
        self.motions.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Lets the process run until it is about to commit something of the kind, after so many of them, and kills it.
    pub(crate) fn kill_before_commit(&mut self, row: Row, after: usize) -> Caught {
        let mut running = self.spawn(Some((row, after)), false);
        let mut caught = Caught::default();
        loop {
            let line = self.line(&mut running);
            let words: Vec<&str> = line.split(' ').collect();
            match *words.as_slice() {
                ["accepted", id, _] => caught.accepted.push(parse(id)),
                ["intent", id, sequence] => caught.intents.push((parse(id), number(sequence))),
                ["outcome", id, sequence] => caught.outcomes.push((parse(id), number(sequence))),
                ["stopped"] => break,
                _ => self.note(&line),
            }
        }
        running.kill();
        self.note_the_rest(&running);
        let where_it_was = match row {
            Row::Accepted => caught.accepted.len(),
            Row::Intent => caught.intents.len(),
            Row::Outcome => caught.outcomes.len(),
        };
        assert!(where_it_was > 0, "the process was not caught before the commit of {row}: {caught:?}");
        self.kills += 1;
        self.check();
        caught
    }

    /// Lets the process run until one of its moves, after so many others, is held by the proxy, and kills it.
    pub(crate) fn kill_in_flight(&mut self, after: usize, fate: Fate) {
        let gate = self.proxy.hold(after, fate);
        let mut running = self.spawn(None, false);
        if !gate.until_reached(PATIENCE) {
            self.stuck(&mut running, "no move came to be held");
        }
        let second = RedbStore::open(self.directory.file("store.redb"));
        assert!(matches!(second, Err(StoreError::InUse { .. })), "the store has two owners: {second:?}");
        running.kill();
        self.note_the_rest(&running);
        self.kills += 1;
        let held = *self.proxy.moves().last().expect("one is held");
        self.check();
        let open = self.motions.values().flatten().filter(|motion| motion.state == MotionState::Open);
        // A second one may be open: the intent that waits for the arm.
        let open: Vec<Move> = open.map(as_move).collect();
        assert!(open.contains(&held), "{held:?} is held, and these intents are open: {open:?}");
        match fate {
            Fate::DoneUnanswered | Fate::Lost => gate.open(),
            Fate::Late => {
                gate.open();
                self.until_done(held);
            }
            Fate::LateAfterLook => self.proxy.open_after_look(gate, LATE),
        }
    }

    /// Lets the process run for a time, wherever that takes it, and kills it. Only the clock on the wall can say when.
    pub(crate) fn kill_after(&mut self, time: Duration) {
        let mut running = self.spawn(None, false);
        std::thread::sleep(time);
        running.kill();
        self.note_the_rest(&running);
        self.kills += 1;
        self.check();
    }

    /// Runs the process once more, to the end of everything, and looks at the result.
    pub(crate) fn finish(mut self) {
        let mut running = self.spawn(None, true);
        loop {
            let line = self.line(&mut running);
            if line == "finished" {
                break;
            }
            self.note(&line);
        }
        let status = running.process.wait().expect("the child ends");
        assert!(status.success(), "the last run ended with {status}");
        let snapshot = self.check();
        assert!(snapshot.requests.is_empty() && snapshot.motions.is_empty() && snapshot.mounts.is_empty());

        assert_eq!(truth::contents(&self.bed.url()), self.at_first, "each cartridge is back in its slot");
        assert_eq!(self.moves_with_intent(), self.moves(), "each move that was sent has its intent");
    }

    fn line(&self, running: &mut Running) -> String {
        match running.lines.recv_timeout(PATIENCE) {
            Ok(line) if line.starts_with("is stuck") => self.stuck(running, &line),
            Ok(line) => line,
            Err(error) => self.stuck(running, &format!("the process said nothing more ({error})")),
        }
    }

    /// Fails, and shows how things stand.
    fn stuck(&self, running: &mut Running, what: &str) -> ! {
        let status = running.process.try_wait();
        let _ = running.process.kill();
        let _ = running.process.wait();
        let said: Vec<String> = running.lines.iter().collect();
        let kept = RedbStore::open(self.directory.file("store.redb")).and_then(|mut store| store.load());
        let (moves, truth) = (self.proxy.moves(), truth::contents(&self.bed.url()));
        panic!(
            "{what}\nit was {status:?}\nit said {said:#?}\nmoves {moves:?}\nin the library {truth:?}\nkept {kept:#?}"
        );
    }

    fn spawn(&self, stop: Option<(Row, usize)>, finish: bool) -> Running {
        let orders = Orders {
            url: self.bed.url_through(self.proxy.port()),
            store: self.directory.file("store.redb"),
            locks: self.directory.file(""),
            stop,
            finish,
        };
        Running::new(child::spawn(&orders))
    }

    /// What holds at any moment, checked on the file that a killed process left:
    ///
    /// - every request that was accepted is found;
    /// - a request that had ended has the state that it ended with;
    /// - there are no more moves on the wire than intents in the file, each with an intent of its own;
    /// - each cartridge is in the catalogue once, and is where the catalogue says; one with an open motion is at the
    ///   motion's source or its destination.
    fn check(&mut self) -> Snapshot {
        let mut store = RedbStore::open(self.directory.file("store.redb")).expect("a killed store opens");
        let snapshot = store.load().expect("a killed store loads");
        let everything = HistoryFilter { limit: HistoryFilter::MAX_LIMIT, ..HistoryFilter::default() };
        let requests = store.history(&everything).expect("its history reads");
        assert!(requests.len() < HistoryFilter::MAX_LIMIT, "the history was not read whole");
        self.motions = requests
            .iter()
            .map(|request| (request.id, store.motions(request.id).expect("its motions read")))
            .collect();
        self.kept = requests.into_iter().map(|request| (request.id, request)).collect();

        for id in &self.told {
            assert!(self.kept.contains_key(id), "request {id} was accepted and is lost");
        }
        for (id, state) in &self.ended {
            let kept = self.kept.get(id).unwrap_or_else(|| panic!("request {id} ended and is lost"));
            assert_eq!(format!("{:?}", kept.state), *state, "request {id} changed after its end");
        }
        for request in self.kept.values().filter(|request| request.state.is_final()) {
            self.ended.insert(request.id, format!("{:?}", request.state));
        }
        assert_eq!(self.moves_with_intent(), self.moves(), "{:?} / {:?}", self.proxy.moves(), self.motions);
        self.check_places(&snapshot);
        snapshot
    }

    /// How many of the moves on the wire have an intent that no other of them has.
    fn moves_with_intent(&self) -> usize {
        let mut intents: Vec<Move> = self.motions.values().flatten().map(as_move).collect();
        let has_intent = |sent: &Move| {
            let found = intents.iter().position(|intent| intent == sent);
            found.map(|at| intents.swap_remove(at)).is_some()
        };
        self.proxy.moves().into_iter().filter(has_intent).count()
    }

    fn check_places(&self, snapshot: &Snapshot) {
        let truth = truth::contents(&self.bed.url());
        // A process that was killed before its first inventory was kept knows of no cartridge yet.
        if snapshot.cartridges.is_empty() && self.moves() == 0 {
            return;
        }
        let mut kept: Vec<&str> =
            snapshot.cartridges.iter().filter_map(|one| one.barcode.as_deref()).collect();
        kept.sort_unstable();
        assert_eq!(kept, BARCODES.concat(), "the catalogue holds each cartridge once");
        for cartridge in &snapshot.cartridges {
            let barcode = cartridge.barcode.as_deref().unwrap_or_default();
            let place = truth.get(barcode).unwrap_or_else(|| panic!("{barcode} is not in the library"));
            let mut open = snapshot.motions.iter().filter(|motion| motion.state == MotionState::Open);
            let open = open.find(|motion| motion.cartridge == cartridge.id);
            match (open, &cartridge.place) {
                (Some(motion), _) => {
                    assert!([motion.source, motion.destination].contains(place), "{barcode} {place}")
                }
                (None, Place::Element(kept)) => assert_eq!(kept, place, "{barcode}"),
                (None, Place::Unknown { one_of }) => assert!(one_of.contains(place), "{barcode} {place}"),
                (None, other) => panic!("{barcode} is in {place}, and the catalogue says {other}"),
            }
        }
    }

    fn note(&mut self, line: &str) {
        match line.split_once(' ') {
            Some(("ticket", id)) => {
                self.told.insert(parse(id));
            }
            Some(("ended", rest)) => {
                let (id, state) = rest.split_once(' ').expect("a state follows the id");
                let before = self.ended.insert(parse(id), state.to_owned());
                assert!(before.is_none_or(|before| before == state), "request {id} ended twice");
            }
            Some(("refused", what)) => panic!("the process was refused: {what}"),
            _ => {}
        }
    }

    /// What the process had said before it was killed.
    fn note_the_rest(&mut self, running: &Running) {
        while let Ok(line) = running.lines.recv() {
            self.note(&line);
        }
    }

    fn until_done(&self, late: Move) {
        for _ in 0..500 {
            let truth = truth::contents(&self.bed.url());
            if truth.values().any(|place| place.address.0 == late.destination) {
                return;
            }
            // The target tells nobody that a command of a dead session arrived.
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the late move never happened: {late:?}");
    }
}

fn as_move(motion: &MotionRecord) -> Move {
    Move { source: motion.source.address.0, destination: motion.destination.address.0 }
}

fn parse(id: &str) -> RequestId {
    RequestId(id.parse().unwrap_or_else(|_| panic!("{id:?} is no id")))
}

fn number(text: &str) -> u32 {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is no number"))
}

/// The process while it runs; it does not outlive this value.
struct Running {
    process: Child,
    /// Its end is the child's sign that the parent is gone.
    _alive: ChildStdin,
    lines: Receiver<String>,
}

impl Running {
    fn new(mut process: Child) -> Self {
        let alive = process.stdin.take().expect("stdin is piped");
        let stdout = BufReader::new(process.stdout.take().expect("stdout is piped"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                // The harness writes the test's name without a line's end in front of the first one.
                if let Some((_, said)) = line.split_once(MARK)
                    && sender.send(said.to_owned()).is_err()
                {
                    return;
                }
            }
        });
        Self { process, _alive: alive, lines }
    }

    /// SIGKILL, and the certainty that it is gone.
    fn kill(&mut self) {
        self.process.kill().expect("it is alive where it is to be killed");
        let status = self.process.wait().expect("it ends");
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "{status}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
