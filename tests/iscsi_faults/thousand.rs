//! A thousand moves through a proxy that harms a PDU in each: none is replayed, and what is said of each is true.

use std::time::{Duration, Instant};

use autochanger::transport::sim::ElementAddress;
use autochanger::transport::{Command, Completion, IscsiTransport, Transport, TransportError};
use autochanger_scsi::{ElementStatus, ElementType, ReadElementStatus, SenseKey, Status};

use super::proxy::{Fault, Kind, Proxy};
use super::{builder, move_medium, ready, through, until};

/// How many moves, over how many libraries side by side: each mostly waits.
const RUNS: u32 = 1000;
const LIBRARIES: u32 = 8;

/// How long a move may take. It takes no time, so what is later was harmed.
const PATIENCE: Duration = Duration::from_millis(40);

/// How long a target is silent before it is asked for a sign of life: what stalls is given up after twice that.
const KEEP_ALIVE: Duration = Duration::from_millis(60);

/// How long a login may take: it is harmed, too.
const CONNECTING: Duration = Duration::from_millis(150);

/// How long a look at the elements is tried: connections break while the fault is about.
const LOOKING: Duration = Duration::from_secs(60);

/// What a caller may believe of a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Moved,
    NotMoved,
    Unknown,
}

/// Random numbers that are the same in each run (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut value = self.0;
        value = (value ^ value >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        value = (value ^ value >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (value ^ value >> 31) % sides
    }

    fn fault(&mut self) -> Fault {
        let kind = match self.roll(6) {
            0 => Kind::Drop,
            1 => Kind::Delay(Duration::from_millis(self.roll(100))),
            2 => Kind::CutShort(self.roll(60) as usize),
            3 => Kind::Stall(self.roll(60) as usize),
            4 => Kind::Duplicate(Duration::ZERO),
            _ => Kind::Duplicate(Duration::from_millis(self.roll(20))),
        };
        // After a cut the login comes first: two requests and two responses.
        Fault { to_target: self.roll(2) == 0, skip: self.roll(4) as usize, kind }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_moves_are_never_replayed_and_each_ends_as_it_is_said_to() {
    let mut libraries = Vec::new();
    for seed in 0..LIBRARIES {
        libraries.push(tokio::spawn(moves(u64::from(seed), RUNS / LIBRARIES)));
    }
    let mut seen = Vec::new();
    for library in libraries {
        seen.extend(library.await.unwrap());
    }
    assert_eq!(seen.len(), RUNS as usize);
    let count = |wanted: Verdict| seen.iter().filter(|verdict| **verdict == wanted).count();
    let counts = [Verdict::Moved, Verdict::NotMoved, Verdict::Unknown].map(count);
    println!("moved, not moved, unknown: {counts:?}");
    assert!(counts.iter().all(|count| *count >= 20), "each ending is met often: {counts:?}");
}

async fn moves(seed: u64, runs: u32) -> Vec<Verdict> {
    let mut dice = Dice(seed);
    let served = builder().start().await.unwrap();
    let proxy = Proxy::start(served.address()).await;
    let open = || {
        IscsiTransport::new(through(&served, &proxy).parse().unwrap())
            .keep_alive(KEEP_ALIVE)
            .connect_timeout(CONNECTING)
    };
    let mut device = open();
    let library = served.library();
    let mut verdicts = Vec::new();
    for run in 0..runs {
        let from = look(&device).await;
        let to = if from == 1007 { 1000 } else { from + 1 };
        let (sent, done) = (library.moves_sent(), library.moves_done());
        match dice.roll(6) {
            0 => served.cut_connections(),
            1 | 2 => {
                // A device that nobody has spoken to: its login is harmed, or its first move meets an attention.
                device = open();
                until("the old device logs out", || served.sessions() == 0).await;
            }
            _ => {}
        }
        let fault = dice.fault();
        proxy.arm(fault);
        let command = Command { timeout: PATIENCE, ..move_medium(from, to) };
        let said = device.execute(command).await;
        let verdict = verdict(&said);
        verdicts.push(verdict);
        let settled = look(&device).await;
        proxy.disarm();
        let told = format!("seed {seed}, run {run}, {fault:?}: {said:?}, then seen in {settled}");
        assert!(settled == from || settled == to, "{told}");
        match verdict {
            Verdict::Moved => assert_eq!(settled, to, "{told}"),
            Verdict::NotMoved => assert_eq!(settled, from, "{told}"),
            Verdict::Unknown => {}
        }
        // What was seen is so, and what was sent was sent once.
        assert_eq!(library.find("VT0001L8"), Some(ElementAddress(settled)), "{told}");
        assert!(library.moves_sent() - sent <= 1, "{told}: a move was sent again");
        assert_eq!(library.moves_done() - done, u64::from(settled == to), "{told}");
    }
    assert!(proxy.moves() <= runs as usize, "{} moves left the initiator in {runs} runs", proxy.moves());
    verdicts
}

fn verdict(said: &Result<Completion, TransportError>) -> Verdict {
    match said {
        Ok(answer) if answer.status == Status::Good => Verdict::Moved,
        // A refusal: a new session begins with an attention, and the command was not carried out.
        Ok(answer) => {
            let sense = answer.sense().expect("sense with CHECK CONDITION");
            assert_eq!(sense.key, SenseKey::UnitAttention, "{sense}");
            Verdict::NotMoved
        }
        Err(TransportError::NotSent(_)) => Verdict::NotMoved,
        Err(_) => Verdict::Unknown,
    }
}

/// Where the cartridge is, settled as promise 2 wants it: the library is ready and two looks agree. A look in the same
/// session comes after the move, and a new session has ended the old one, so no move is still on its way; the
/// simulated arm takes no time.
async fn look(device: &IscsiTransport) -> u16 {
    let started = Instant::now();
    let mut last = None;
    loop {
        assert!(started.elapsed() < LOOKING, "no look at the elements within {LOOKING:?}");
        match look_once(device).await {
            Some(seen) if last == Some(seen) => return seen,
            seen => last = seen,
        }
    }
}

async fn look_once(device: &IscsiTransport) -> Option<u16> {
    let ready = device.execute(Command { timeout: PATIENCE, ..ready() }).await.ok()?;
    if ready.status != Status::Good {
        return None;
    }
    let command = ReadElementStatus {
        element_type: Some(ElementType::Storage),
        start: ElementAddress(0),
        count: 100,
        volume_tags: false,
        current_data: false,
        device_ids: false,
        allocation: 4096,
    };
    let answer = device.execute(Command::reading(command.cdb(), 4096, PATIENCE)).await.ok()?;
    if answer.status != Status::Good {
        return None;
    }
    let report = ElementStatus::parse(&answer.data).expect("an element status");
    report.elements().find(|element| element.full()).map(|element| element.address().0)
}
