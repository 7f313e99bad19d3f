//! The transport, asked by so many callers at once, each of which waits for its answer.

use std::time::{Duration, Instant};

use autochanger::transport::{Command, IscsiTransport, IscsiUrl, Transport};
use autochanger_scsi::Status;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use crate::Question;

const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Ours {
    runtime: Runtime,
    device: IscsiTransport,
    question: Question,
    depth: usize,
}

impl Ours {
    pub(crate) fn open(url: &IscsiUrl, question: Question, depth: usize) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let device = IscsiTransport::new(url.clone());
        let ours = Self { runtime, device, question, depth };
        // A new session is told of a power-on first.
        ours.runtime.block_on(ours.device.execute(command(&question))).expect("the target answers");
        ours
    }

    /// Works for so long; how many commands were answered.
    pub(crate) fn run(&mut self, time: Duration) -> usize {
        let (device, question, depth) = (&self.device, self.question, self.depth);
        self.runtime.block_on(async {
            let begun = Instant::now();
            let mut callers = JoinSet::new();
            for _ in 0..depth {
                let device = device.clone();
                callers.spawn(async move {
                    let mut count = 0;
                    while begun.elapsed() < time || count == 0 {
                        let answer = device.execute(command(&question)).await.expect("the target answers");
                        assert_eq!(answer.status, Status::Good);
                        assert!(answer.data.len() >= question.at_least, "an answer of {}", answer.data.len());
                        count += 1;
                    }
                    count
                });
            }
            let count: usize = callers.join_all().await.into_iter().sum();
            count
        })
    }
}

fn command(question: &Question) -> Command {
    Command::reading(question.cdb, question.data_in, PATIENCE)
}
