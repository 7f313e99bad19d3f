//! The transcript that the caller wanted: inputs and outputs are shown to it on their way past the driver.

use std::panic::{AssertUnwindSafe, catch_unwind};

use autochanger_engine::input::Config;
use autochanger_engine::transcript::{Line, Transcript};
use autochanger_engine::{Input, Output, Snapshot};

use crate::clock::Now;

/// Where lines go.
pub(crate) type Sink = Box<dyn FnMut(&Line) + Send>;

pub(crate) struct Recorder {
    transcript: Transcript,
    /// Until it panics.
    sink: Option<Sink>,
    /// When the input at hand was handled: what it causes has its time.
    now: Now,
}

impl Recorder {
    /// With the line of the start.
    pub(crate) fn start(sink: Sink, config: &Config, snapshot: &Snapshot, now: Now) -> Self {
        let mut recorder = Self { transcript: Transcript::new(), sink: Some(sink), now };
        let line = recorder.transcript.started(config, snapshot, now);
        recorder.put(Some(line));
        recorder
    }

    pub(super) fn input(&mut self, input: &Input, now: Now) {
        self.now = now;
        let line = self.transcript.input(input, now);
        self.put(line);
    }

    pub(super) fn output(&mut self, output: &Output) {
        let line = self.transcript.output(output, self.now);
        self.put(line);
    }

    /// A sink is the caller's code. The manager's work is not to end with it.
    fn put(&mut self, line: Option<Line>) {
        if let (Some(sink), Some(line)) = (&mut self.sink, line)
            && catch_unwind(AssertUnwindSafe(|| sink(&line))).is_err()
        {
            self.sink = None;
        }
    }
}
