//! What the driver tells `tracing`, where that feature is on. Device names never hold a secret, and neither do CDBs.
#![cfg_attr(
    not(feature = "tracing"),
    expect(unused_variables, reason = "without the feature nothing is told")
)]

use autochanger_engine::Event;
#[cfg(feature = "tracing")]
use autochanger_engine::EventKind;
use autochanger_engine::command::{Command, Completion, TransportError};
use autochanger_engine::id::{BatchId, CommandId, Path};
use autochanger_engine::input::StoreFailure;

pub(super) fn command_sent(path: Path, id: CommandId, command: &Command) {
    #[cfg(feature = "tracing")]
    tracing::trace!(library = path.library.0, device = ?path.device, id = id.0, cdb = ?command.cdb, "command sent");
}

pub(super) fn command_ended(id: CommandId, result: &Result<Completion, TransportError>) {
    #[cfg(feature = "tracing")]
    match result {
        Ok(completion) => match completion.sense() {
            None => tracing::trace!(id = id.0, status = ?completion.status, "command ended"),
            Some(sense) => tracing::debug!(id = id.0, status = ?completion.status, %sense, "command ended"),
        },
        Err(error) => tracing::warn!(id = id.0, %error, "command has no answer"),
    }
}

pub(super) fn persisted(batch: BatchId, result: &Result<(), StoreFailure>) {
    #[cfg(feature = "tracing")]
    match result {
        Ok(()) => tracing::trace!(batch = batch.0, "committed"),
        Err(error) => tracing::error!(batch = batch.0, %error, "the store failed"),
    }
}

pub(super) fn event(event: &Event) {
    #[cfg(feature = "tracing")]
    match &event.kind {
        EventKind::Request(request) => {
            tracing::info!(
                id = %request.id,
                operation = %request.operation(),
                application = %request.application,
                barcode = request.barcode.as_deref(),
                state = %request.state,
                "request"
            );
        }
        EventKind::CancelAccepted { id, cancellation, .. } => {
            tracing::info!(%id, ?cancellation, "cancel accepted");
        }
        EventKind::Cartridge { id, barcode, place } => {
            tracing::debug!(%id, barcode = barcode.as_deref(), %place, "cartridge");
        }
        EventKind::Library { name, state } => tracing::info!(%name, %state, "library"),
        EventKind::MotionInDoubt { request, why, .. } => tracing::warn!(%request, %why, "motion in doubt"),
        EventKind::Warning { library, drive: Some(drive), what } => {
            tracing::warn!(%library, %drive, %what, "a drive warns");
        }
        EventKind::Warning { library, drive: None, what } => {
            tracing::warn!(%library, %what, "the library warns")
        }
        EventKind::Purged { requests, failure: Some(failure) } => {
            tracing::warn!(requests, %failure, "purging went no further");
        }
        EventKind::Attention { library, what } => tracing::info!(%library, %what, "attention"),
        other => tracing::debug!(event = ?other, "event"),
    }
}
