//! A disk in the test's hand: it keeps in memory what is written, in its order, so that the power can be cut at any moment
//! of it afterwards.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use autochanger::store::Disk;
use tokio::sync::Notify;

/// What happened to the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Op {
    Write { offset: u64, data: Vec<u8> },
    SetLength(u64),
    Sync,
}

/// A handle: clones are the same disk, which outlives the store that lies on it.
#[derive(Debug, Clone)]
pub(crate) struct TestDisk(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    cut: Condvar,
    standing: Notify,
}

#[derive(Debug)]
struct State {
    /// As the system sees it: with all that was written, synced or not.
    content: Vec<u8>,
    log: Vec<Op>,
    /// The operation from which on all fail.
    fails_from: Option<usize>,
    /// So many bytes may be read yet.
    may_read: u64,
    /// So many syncs are done yet, and the next one stands still until the power is cut.
    syncs_left: usize,
    stands_still: bool,
    is_cut: bool,
}

impl TestDisk {
    pub(crate) fn new(content: Vec<u8>) -> Self {
        let state = State {
            content,
            log: Vec::new(),
            fails_from: None,
            may_read: u64::MAX,
            syncs_left: usize::MAX,
            stands_still: false,
            is_cut: false,
        };
        Self(Arc::new(Shared { state: Mutex::new(state), cut: Condvar::new(), standing: Notify::new() }))
    }

    /// From now on so many syncs are done. The next one stands still.
    pub(crate) fn stand_still_after(&self, syncs: usize) {
        self.state().syncs_left = syncs;
    }

    /// Waits until a sync stands still.
    pub(crate) async fn stands_still(&self) {
        loop {
            let standing = self.0.standing.notified();
            if self.state().stands_still {
                return;
            }
            standing.await;
        }
    }

    /// Cuts the power: the sync that stands still fails, and so does everything from now on.
    pub(crate) fn cut(&self) {
        self.state().is_cut = true;
        self.0.cut.notify_all();
    }

    /// Has every operation fail from this one on, counted from 0 and from the disk's beginning.
    pub(crate) fn failing_from(self, operation: usize) -> Self {
        self.state().fails_from = Some(operation);
        self
    }

    /// Has readings fail when so many bytes have been read: whoever reads in a circle meets an end.
    pub(crate) fn readable_for(self, bytes: u64) -> Self {
        self.state().may_read = bytes;
        self
    }

    /// How many writings, changes of the length and syncs there were.
    pub(crate) fn operations(&self) -> usize {
        self.state().log.len()
    }

    /// How many bytes were written.
    pub(crate) fn bytes_written(&self) -> usize {
        let written = |op: &Op| if let Op::Write { data, .. } = op { data.len() } else { 0 };
        self.state().log.iter().map(written).sum()
    }

    pub(crate) fn log(&self) -> Vec<Op> {
        self.state().log.clone()
    }

    /// What a process that was killed leaves: all that it wrote.
    pub(crate) fn content(&self) -> Vec<u8> {
        self.state().content.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, op: Op) -> io::Result<()> {
        let mut state = self.state();
        if op == Op::Sync {
            state.stands_still = state.syncs_left == 0;
            state.syncs_left = state.syncs_left.saturating_sub(1);
            if state.stands_still {
                self.0.standing.notify_waiters();
                let waited = self.0.cut.wait_while(state, |state| !state.is_cut);
                state = waited.unwrap_or_else(PoisonError::into_inner);
            }
        }
        if state.is_cut || state.fails_from.is_some_and(|first| state.log.len() >= first) {
            return Err(io::Error::other("the disk does not answer"));
        }
        apply(&op, &mut state.content)?;
        state.log.push(op);
        Ok(())
    }
}

impl Disk for TestDisk {
    fn length(&self) -> io::Result<u64> {
        Ok(self.state().content.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut state = self.state();
        state.may_read = state
            .may_read
            .checked_sub(out.len() as u64)
            .ok_or_else(|| io::Error::other("more was read than there is reason to"))?;
        out.copy_from_slice(range(&mut state.content, offset, out.len())?);
        Ok(())
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.record(Op::SetLength(length))
    }

    fn sync(&self) -> io::Result<()> {
        self.record(Op::Sync)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.record(Op::Write { offset, data: data.to_vec() })
    }
}

/// A file of this length is no store of these tests: a damaged one may ask for any.
const MAX_LENGTH: u64 = 1 << 30;

/// Does to the content what the operation says.
pub(crate) fn apply(op: &Op, content: &mut Vec<u8>) -> io::Result<()> {
    match op {
        Op::Write { offset, data } => range(content, *offset, data.len())?.copy_from_slice(data),
        Op::SetLength(length) if *length > MAX_LENGTH => return Err(io::ErrorKind::StorageFull.into()),
        Op::SetLength(length) => content.resize(*length as usize, 0),
        Op::Sync => {}
    }
    Ok(())
}

fn range(content: &mut [u8], offset: u64, length: usize) -> io::Result<&mut [u8]> {
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    let end = start.saturating_add(length);
    content.get_mut(start..end).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}
