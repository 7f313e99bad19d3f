//! The second floor: the messages, codec calls and map operations that a mount and a dismount need, without policy. It
//! checks nothing, orders nothing, recovers from nothing: what is above it is what the engine decides.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use autochanger::scsi::{ElementAddress, LoadUnload, MoveMedium, Sense, SenseKey, Status, TestUnitReady};
use autochanger::transport::{Command, Completion};
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

use crate::library::{DISMOUNT, MOUNT, Size};
use crate::measure::{Measured, Pace, Recorder, measure};
use crate::script::{Script, Step, What};

/// As deep as the session's lanes.
const SUBMISSION_LANE: usize = 1024;
const CONTROL_LANE: usize = 256;
/// As many ended requests as the memory store keeps.
const MAX_ENDED: usize = autochanger::store::MemoryStore::MAX_ENDED;
const FIRST_SLOT: u16 = 1000;
const FIRST_DRIVE: u16 = 500;
const TIMEOUT: Duration = Duration::from_secs(60);

/// What a client is told of its request.
type Standing = watch::Receiver<Option<ElementAddress>>;

struct Ask {
    id: Uuid,
    barcode: Arc<str>,
    mount: bool,
    reply: oneshot::Sender<Standing>,
}

/// A look at a mount, as a session takes one for the way to its drive.
struct Look {
    id: Uuid,
    reply: oneshot::Sender<Option<ElementAddress>>,
}

struct Carried {
    id: u64,
    step: Step,
    command: Command,
}

struct Report {
    id: u64,
    completion: Completion,
}

/// A request, as large as it must be to be kept.
#[derive(Clone)]
struct Record {
    id: Uuid,
    cartridge: u32,
    barcode: Arc<str>,
    drive: Option<ElementAddress>,
    mount: bool,
    ended: bool,
}

struct Live {
    record: Record,
    from: ElementAddress,
    to: ElementAddress,
    step: usize,
}

struct Cartridge {
    place: ElementAddress,
    home: ElementAddress,
}

/// The contents of the elements, as the device has them.
type Shelves = Arc<Mutex<BTreeMap<ElementAddress, u32>>>;

struct Bare {
    script: Arc<Script>,
    by_barcode: BTreeMap<Arc<str>, u32>,
    cartridges: BTreeMap<u32, Cartridge>,
    elements: BTreeMap<ElementAddress, Option<u32>>,
    free: VecDeque<ElementAddress>,
    waiting: VecDeque<Uuid>,
    live: BTreeMap<Uuid, Live>,
    commands: BTreeMap<u64, Uuid>,
    next_command: u64,
    mounts: BTreeMap<Uuid, ElementAddress>,
    mounted: BTreeMap<u32, Uuid>,
    watched: HashMap<Uuid, watch::Sender<Option<ElementAddress>>>,
    records: BTreeMap<Uuid, Record>,
    motions: BTreeMap<(Uuid, u32), (ElementAddress, ElementAddress, bool)>,
    ended: VecDeque<Uuid>,
    changer: mpsc::UnboundedSender<Carried>,
    drives: Vec<mpsc::UnboundedSender<Carried>>,
}

/// Mounts and dismounts on the floor, by so many clients.
pub(crate) async fn bare(script: &Arc<Script>, size: Size, clients: usize, pace: Pace) -> Measured {
    let (asks, ask_lane) = mpsc::channel(SUBMISSION_LANE);
    let (looks, look_lane) = mpsc::channel(CONTROL_LANE);
    let actor = tokio::spawn(run(Arc::clone(script), size, ask_lane, look_lane));
    let client = |number: usize, mut recorder: Recorder| {
        let (asks, looks) = (asks.clone(), looks.clone());
        let barcode: Arc<str> = format!("VT{:04}L8", number + 1).into();
        async move {
            recorder.start();
            loop {
                for (kind, mount) in [(MOUNT, true), (DISMOUNT, false)] {
                    let (reply, answer) = oneshot::channel();
                    let id = Uuid::now_v7();
                    let ask = Ask { id, barcode: Arc::clone(&barcode), mount, reply };
                    asks.send(ask).await.expect("the actor outlives its clients");
                    let mut standing = answer.await.expect("the actor answers");
                    standing.wait_for(Option::is_some).await.expect("the request ends");
                    if mount {
                        let (reply, answer) = oneshot::channel();
                        looks.send(Look { id, reply }).await.expect("the actor outlives its clients");
                        answer.await.expect("the actor answers").expect("it is mounted");
                    }
                    recorder.done(kind);
                }
            }
        }
    };
    let measured = measure(clients, pace, client, || {}).await;
    drop((asks, looks));
    actor.await.expect("the actor ends in peace");
    measured
}

async fn run(
    script: Arc<Script>,
    size: Size,
    mut asks: mpsc::Receiver<Ask>,
    mut looks: mpsc::Receiver<Look>,
) {
    let (reports_to, mut reports) = mpsc::unbounded_channel();
    let shelves: Shelves = Arc::default();
    let path = || {
        let (queue, commands) = mpsc::unbounded_channel();
        tokio::spawn(device(commands, Arc::clone(&shelves), reports_to.clone()));
        queue
    };
    let mut bare = Bare::new(script, size, path(), (0..size.drives).map(|_| path()).collect());
    *shelves.lock().unwrap_or_else(PoisonError::into_inner) =
        bare.cartridges.iter().map(|(&number, cartridge)| (cartridge.place, number)).collect();
    loop {
        tokio::select! {
            biased;
            Some(look) = looks.recv() => {
                let _ = look.reply.send(bare.mounts.get(&look.id).copied());
            }
            Some(report) = reports.recv() => bare.heard(report),
            ask = asks.recv() => match ask {
                Some(ask) => bare.take(ask),
                None => return,
            },
        }
    }
}

/// The device at the end of a path: decodes, moves, answers in bytes.
async fn device(
    mut commands: mpsc::UnboundedReceiver<Carried>,
    shelves: Shelves,
    reports: mpsc::UnboundedSender<Report>,
) {
    while let Some(Carried { id, step, command }) = commands.recv().await {
        if let Some(motion) = step.decode(command.cdb.as_bytes()) {
            let mut shelves = shelves.lock().unwrap_or_else(PoisonError::into_inner);
            let cartridge = shelves.remove(&motion.source).expect("the source is full");
            let before = shelves.insert(motion.destination, cartridge);
            assert!(before.is_none(), "the destination is empty");
        }
        let completion = if step.attention {
            let sense = Sense::new(SenseKey::UnitAttention, 0x28, 0x00).to_fixed();
            let sense = Bytes::from(sense.to_vec());
            Completion { status: Status::CheckCondition, sense, ..Completion::good() }
        } else {
            Completion::good()
        };
        let _ = reports.send(Report { id, completion });
    }
}

impl Bare {
    fn new(
        script: Arc<Script>,
        size: Size,
        changer: mpsc::UnboundedSender<Carried>,
        drives: Vec<mpsc::UnboundedSender<Carried>>,
    ) -> Self {
        let slot = |number: u16| ElementAddress(FIRST_SLOT + number);
        let free: VecDeque<_> = (0..size.drives).map(|n| ElementAddress(FIRST_DRIVE + n)).collect();
        let full = (0..size.cartridges).map(|n| (slot(n), Some(u32::from(n))));
        Self {
            script,
            by_barcode: (0..size.cartridges)
                .map(|n| (format!("VT{:04}L8", n + 1).into(), u32::from(n)))
                .collect(),
            cartridges: (0..size.cartridges)
                .map(|n| (u32::from(n), Cartridge { place: slot(n), home: slot(n) }))
                .collect(),
            elements: free.iter().map(|&drive| (drive, None)).chain(full).collect(),
            free,
            waiting: VecDeque::new(),
            live: BTreeMap::new(),
            commands: BTreeMap::new(),
            next_command: 0,
            mounts: BTreeMap::new(),
            mounted: BTreeMap::new(),
            watched: HashMap::new(),
            records: BTreeMap::new(),
            motions: BTreeMap::new(),
            ended: VecDeque::new(),
            changer,
            drives,
        }
    }

    fn take(&mut self, ask: Ask) {
        let cartridge = *self.by_barcode.get(&ask.barcode).expect("it is in the catalogue");
        let Cartridge { place, home } = *self.cartridges.get(&cartridge).expect("it is in the catalogue");
        let drive = (!ask.mount).then_some(place);
        let barcode = Arc::clone(&ask.barcode);
        let record = Record { id: ask.id, cartridge, barcode, drive, mount: ask.mount, ended: false };
        self.records.insert(ask.id, record.clone());
        self.live.insert(ask.id, Live { record, from: place, to: home, step: 0 });
        let (sender, standing) = watch::channel(None);
        self.watched.insert(ask.id, sender);
        let _ = ask.reply.send(standing);
        if ask.mount {
            self.waiting.push_back(ask.id);
            self.mount_next();
        } else {
            self.step(ask.id);
        }
    }

    fn mount_next(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let Some(drive) = self.free.pop_front() else { return };
        let id = self.waiting.pop_front().expect("somebody waits");
        let live = self.live.get_mut(&id).expect("it is live");
        live.to = drive;
        live.record.drive = Some(drive);
        self.step(id);
    }

    /// Sends a request's next command, or ends the request.
    fn step(&mut self, id: Uuid) {
        let live = self.live.get_mut(&id).expect("it is live");
        let steps = if live.record.mount { &self.script.mount } else { &self.script.dismount };
        let Some(&step) = steps.get(live.step) else { return self.end(id) };
        live.step += 1;
        let drive = live.record.drive.expect("it has a drive");
        let (cdb, queue) = match step.what {
            What::Move => {
                let motion = MoveMedium {
                    transport: ElementAddress(0),
                    source: live.from,
                    destination: live.to,
                    invert: false,
                };
                self.records.insert(id, live.record.clone());
                self.motions.insert((id, 1), (live.from, live.to, false));
                (motion.cdb(), Some(&self.changer))
            }
            What::Ready => (TestUnitReady {}.cdb(), self.drives.get(usize::from(drive.0 - FIRST_DRIVE))),
            What::Unload => {
                (LoadUnload::default().cdb(), self.drives.get(usize::from(drive.0 - FIRST_DRIVE)))
            }
        };
        self.next_command += 1;
        self.commands.insert(self.next_command, id);
        let carried = Carried { id: self.next_command, step, command: Command::new(cdb, TIMEOUT) };
        let _ = queue.expect("every drive has a path").send(carried);
    }

    fn heard(&mut self, report: Report) {
        let id = self.commands.remove(&report.id).expect("it was sent");
        if let Some(sense) = report.completion.sense() {
            assert_eq!(sense.key, SenseKey::UnitAttention);
        }
        let live = self.live.get(&id).expect("it is live");
        let steps = if live.record.mount { &self.script.mount } else { &self.script.dismount };
        if steps.get(live.step - 1).is_some_and(|step| step.what == What::Move) {
            let (from, to, cartridge) = (live.from, live.to, live.record.cartridge);
            self.motions.insert((id, 1), (from, to, true));
            self.elements.insert(from, None);
            self.elements.insert(to, Some(cartridge));
            self.cartridges.get_mut(&cartridge).expect("it is in the catalogue").place = to;
        }
        self.step(id);
    }

    fn end(&mut self, id: Uuid) {
        let mut record = self.live.remove(&id).expect("it is live").record;
        let (cartridge, drive) = (record.cartridge, record.drive.expect("it has a drive"));
        record.ended = true;
        if record.mount {
            self.mounts.insert(id, drive);
            self.mounted.insert(cartridge, id);
        } else if let Some(mount) = self.mounted.remove(&cartridge) {
            self.mounts.remove(&mount);
            self.free.push_back(drive);
        }
        let mount = record.mount;
        debug_assert!(!record.barcode.is_empty() && record.id == id && record.ended);
        self.records.insert(id, record);
        self.ended.push_back(id);
        if self.ended.len() > MAX_ENDED
            && let Some(oldest) = self.ended.pop_front()
        {
            self.records.remove(&oldest);
            self.motions.remove(&(oldest, 1));
        }
        if let Some(sender) = self.watched.remove(&id) {
            let _ = sender.send(Some(drive));
        }
        if !mount {
            self.mount_next();
        }
    }
}
