//! What a medium is: recorded labels and what a cartridge is for (RSM: `UpdateNtmsOmidInfo`, CLASSIFY).

use super::Engine;
use super::schedule::Start;
use crate::catalog::{Cartridge, Label, MediumKind};
use crate::id::RequestId;
use crate::request::{Outcome, State};
use crate::time::Now;

/// Labels of cleaning cartridges begin so, whoever made them (RSM: `RECOGNIZECLEANERBARCODE`).
const CLEANER_LABEL: &str = "CLN";

/// What a cartridge is for, as far as is known without loading it.
pub(crate) fn kind_of(cartridge: &Cartridge) -> MediumKind {
    let marked = cartridge.barcode.as_deref().is_some_and(|barcode| barcode.starts_with(CLEANER_LABEL));
    match (cartridge.cleaner.is_some() || marked, &cartridge.label, &cartridge.barcode) {
        (true, _, _) => MediumKind::Cleaning,
        (false, Some(_), _) | (false, _, Some(_)) => MediumKind::Data,
        (false, None, None) => MediumKind::Unknown,
    }
}

impl Engine {
    pub(crate) fn start_update_label(&mut self, id: RequestId, label: Label, now: Now) -> Start {
        if let Some(cartridge) = self.live.get(&id).and_then(|live| live.request.cartridge) {
            // Who records it has just written it.
            self.keep_cartridge(cartridge, |cartridge| cartridge.label_read_at = Some(now.wall));
            self.record_label(cartridge, label);
        }
        self.end(id, State::Passed(Outcome::Done), now);
        Start::Gone
    }

    pub(crate) fn start_classify(&mut self, id: RequestId, now: Now) -> Start {
        let cartridge = self.live.get(&id).and_then(|live| live.request.cartridge);
        let kind = cartridge
            .and_then(|cartridge| self.catalogue.cartridge(cartridge))
            .map_or(MediumKind::Unknown, kind_of);
        if let (MediumKind::Cleaning, Some(cartridge)) = (kind, cartridge) {
            self.keep_cartridge(cartridge, |cartridge| {
                cartridge.cleaner.get_or_insert_default();
            });
        }
        self.end(id, State::Passed(Outcome::Classified { kind }), now);
        Start::Gone
    }
}
