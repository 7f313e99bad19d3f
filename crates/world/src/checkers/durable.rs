//! Nobody is told what is not on the disk.

use std::collections::BTreeSet;

use autochanger_engine::id::RequestId;
use autochanger_engine::request::{CancelAccepted, CancelError, Request, State};
use autochanger_engine::{Answer, Event, EventKind};

use crate::disk::Disk;
use crate::watch::{Checker, Facts, Sight};

/// Holds each answer and each end against the disk, at the moment at which it is given.
#[derive(Debug, Default)]
pub(crate) struct Durable {
    /// What was deleted since: it was on the disk when the answer was found.
    purged: BTreeSet<RequestId>,
}

impl Checker for Durable {
    fn name(&self) -> &'static str {
        "durable"
    }

    fn see(&mut self, sight: &Sight<'_>, facts: &Facts<'_>) -> Result<(), String> {
        match sight {
            Sight::Purge(ids) => {
                self.purged.extend(ids.iter().copied());
                Ok(())
            }
            Sight::Answer(_, Answer::Submitted(Ok(request)) | Answer::Adopted(Ok(request)))
            | Sight::Event(Event { kind: EventKind::Request(request), .. })
                if self.purged.contains(&request.id) && request.state.is_final() =>
            {
                Ok(())
            }
            Sight::Answer(_, Answer::Submitted(Ok(request)) | Answer::Adopted(Ok(request))) => {
                is_kept(facts.disk, request)
            }
            Sight::Answer(_, Answer::Cancel(Err(CancelError::AlreadyFinished { id, state }))) => {
                match facts.disk.requests.get(id) {
                    None if self.purged.contains(id) => Ok(()),
                    Some(kept) if kept.state == **state && state.is_final() => Ok(()),
                    kept => Err(format!("{id} is said to have ended: {state}; the disk has {kept:?}")),
                }
            }
            Sight::Event(event) => match &event.kind {
                EventKind::Request(request) => is_kept(facts.disk, request),
                EventKind::Mounted(mount) if !facts.disk.mounts.contains_key(&mount.id) => {
                    Err(format!("the mount {} is told, and not on the disk", mount.id))
                }
                EventKind::CancelAccepted { id, .. } if self.purged.contains(id) => Ok(()),
                EventKind::CancelAccepted { id, cancellation, .. } => {
                    let kept = facts.disk.requests.get(id);
                    let fits = kept.is_some_and(|kept| match cancellation {
                        CancelAccepted::Cancelled => matches!(kept.state, State::Cancelled { .. }),
                        CancelAccepted::Stopping => kept.stopping.is_some() || kept.state.is_final(),
                    });
                    if fits {
                        Ok(())
                    } else {
                        Err(format!("{id} was told {cancellation:?}, the disk has {kept:?}"))
                    }
                }
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

/// The disk has the request, with its end if it has one. Waiting is shown and not kept.
fn is_kept(disk: &Disk, told: &Request) -> Result<(), String> {
    let id = told.id;
    match disk.requests.get(&id) {
        None => Err(format!("request {id} is told ({}), and not on the disk", told.state)),
        Some(kept) if told.state.is_final() && kept.state != told.state => {
            Err(format!("request {id} is told as {}, the disk has {}", told.state, kept.state))
        }
        Some(_) => Ok(()),
    }
}
