//! Clients that work without pause, watched for a while.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

/// Kinds of operations that one client does, each with its own latencies.
pub(crate) const KINDS: usize = 2;

/// How long clients run before anything is counted, and how long they are counted.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) warm_up: Duration,
    pub(crate) window: Duration,
}

impl Pace {
    pub(crate) fn new(warm_up_ms: u64, window_ms: u64) -> Self {
        Self { warm_up: Duration::from_millis(warm_up_ms), window: Duration::from_millis(window_ms) }
    }
}

/// What was counted: the latencies in nanoseconds of all operations that ended within the window, also of those that
/// began before it, so that long waits are not left out.
pub(crate) struct Measured {
    window: Duration,
    latencies: [Vec<u64>; KINDS],
}

impl Measured {
    pub(crate) fn count(&self) -> usize {
        self.latencies.iter().map(Vec::len).sum()
    }

    /// Operations of all kinds per second.
    pub(crate) fn rate(&self) -> f64 {
        self.count() as f64 / self.window.as_secs_f64()
    }

    /// The latency that this share of the operations of one kind did not exceed; `None` when none ended.
    pub(crate) fn quantile(&self, kind: usize, share: f64) -> Option<Duration> {
        let latencies = self.latencies.get(kind)?;
        let last = latencies.len().checked_sub(1)?;
        let index = (last as f64 * share).round() as usize;
        latencies.get(index.min(last)).map(|&nanoseconds| Duration::from_nanos(nanoseconds))
    }
}

const WARMING_UP: u8 = 0;
const COUNTING: u8 = 1;
/// As counting, and something was counted.
const COUNTED: u8 = 2;
const OVER: u8 = 3;

/// A window in which nothing ended is made longer, but not beyond this: a disk can be slow, and then it is dead.
const PATIENCE: Duration = Duration::from_secs(20);

/// A client's stop-watch.
pub(crate) struct Recorder {
    phase: Arc<AtomicU8>,
    begun: Instant,
    latencies: [Vec<u64>; KINDS],
    sink: Sender<[Vec<u64>; KINDS]>,
}

impl Recorder {
    /// The first operation begins.
    pub(crate) fn start(&mut self) {
        self.begun = Instant::now();
    }

    /// An operation of this kind has ended, and the next begins.
    pub(crate) fn done(&mut self, kind: usize) {
        // One look at the clock serves both: it would be a tenth of the cheapest floor.
        let now = Instant::now();
        let phase = self.phase.load(Ordering::Relaxed);
        if matches!(phase, COUNTING | COUNTED)
            && let Some(latencies) = self.latencies.get_mut(kind)
        {
            latencies.push(u64::try_from((now - self.begun).as_nanos()).unwrap_or(u64::MAX));
            if phase == COUNTING {
                let _ = self.phase.compare_exchange(COUNTING, COUNTED, Ordering::Relaxed, Ordering::Relaxed);
            }
        }
        self.begun = now;
    }
}

impl Drop for Recorder {
    /// Clients are stopped by being dropped: one that finished its turn first could wait for another's drive for ever.
    fn drop(&mut self) {
        let _ = self.sink.send(std::mem::take(&mut self.latencies));
    }
}

/// Runs clients that never end by themselves. `between` is called when the counting begins and when it ends.
pub(crate) async fn measure<F>(
    clients: usize,
    pace: Pace,
    client: impl Fn(usize, Recorder) -> F,
    mut between: impl FnMut(),
) -> Measured
where
    F: Future<Output = ()> + Send + 'static,
{
    let phase = Arc::new(AtomicU8::new(WARMING_UP));
    let (sink, collected) = channel();
    let mut tasks = JoinSet::new();
    for number in 0..clients {
        let recorder = Recorder {
            phase: Arc::clone(&phase),
            begun: Instant::now(),
            latencies: Default::default(),
            sink: sink.clone(),
        };
        tasks.spawn(client(number, recorder));
    }
    drop(sink);
    tokio::time::sleep(pace.warm_up).await;
    phase.store(COUNTING, Ordering::Relaxed);
    let begun = Instant::now();
    between();
    tokio::time::sleep(pace.window).await;
    while phase.load(Ordering::Relaxed) == COUNTING && begun.elapsed() < PATIENCE {
        tokio::time::sleep(pace.window).await;
    }
    phase.store(OVER, Ordering::Relaxed);
    let window = begun.elapsed();
    between();
    while let Some(ended) = tasks.try_join_next() {
        ended.expect("a client works until it is stopped");
    }
    tasks.shutdown().await;
    let mut latencies: [Vec<u64>; KINDS] = Default::default();
    for of_client in collected {
        for (all, part) in latencies.iter_mut().zip(of_client) {
            all.extend(part);
        }
    }
    latencies.iter_mut().for_each(|all| all.sort_unstable());
    Measured { window, latencies }
}
