//! What unit attentions say has changed, and so is not known any more.

use alloc::string::ToString;

use autochanger_scsi::{AdditionalSense, Sense, SenseKey, Status};

use super::Engine;
use crate::changer::style::ReadStyle;
use crate::changer::survey::SWITCHED_ON;
use crate::command::{Completion, TransportError};
use crate::id::{Device, Path};
use crate::library::fault::{Stale, stale};
use crate::output::EventKind;
use crate::time::Now;

/// REMOVAL OF MEDIUM PREVENTION was PREEMPTED: 06/2A/15.
const PREVENTION_PREEMPTED: AdditionalSense = AdditionalSense::new(0x2A, 0x15);

impl Engine {
    /// A unit attention is the only way in which a library tells of changes: what it touches is read again.
    pub(crate) fn note_attention(
        &mut self,
        path: Path,
        result: &Result<Completion, TransportError>,
        now: Now,
    ) {
        let Ok(completion) = result else { return };
        if completion.status != Status::CheckCondition {
            return;
        }
        if path.device != Device::Changer {
            // Microcode, definition, inquiry data or identifiers of a drive are others; or it was switched on, as one is that was put in.
            let asked_anyway = self.has_step_on(path);
            let is_other = |sense: Sense| {
                sense.key == SenseKey::UnitAttention
                    && match (sense.code.asc, sense.code.ascq) {
                        (0x3F, 0x00..=0x05) => true,
                        (0x29, _) => !asked_anyway,
                        _ => false,
                    }
            };
            if completion.sense().is_some_and(is_other) {
                self.ask_who(path.library, path.device, now);
            }
            return;
        }
        // Each way has attentions of its own; those of one in reserve are heard late.
        if self.library(path.library).is_none_or(|library| library.routes.active != path.route) {
            return;
        }
        // Whoever hears of it: a survey that has begun to read, and what it found until that is durable, is touched, too.
        let survey = self.tasks.values().find_map(|task| task.surveys(path.library));
        let surveyed = survey == Some(true)
            || self.library(path.library).is_some_and(|library| library.id.is_some() && !library.opening);
        let Some(sense) = completion.sense().filter(|sense| sense.key == SenseKey::UnitAttention) else {
            return;
        };
        if let Some(library) = self.library_mut(path.library) {
            library.switched_on |= SWITCHED_ON.contains(&sense.code);
        }
        let Some(library) = self.library_mut(path.library).filter(|library| surveyed || library.is_ready())
        else {
            return;
        };
        let touched = if sense.unit_attention_overflow { Stale::Library } else { stale(sense.code) };
        // Before a survey all attentions are heard out; everything is read after them.
        if survey != Some(false) {
            library.touch(touched);
        }
        // Elements can have other addresses now, and firmware other habits: both are learned anew.
        if touched == Stale::Library {
            library.geometry = None;
            library.style = ReadStyle::default();
            library.exchange_refused = false;
            library.initialize_form = None;
        }
        library.elements.try_drives_again();
        library.ports.try_again();
        // A reset ends every PREVENT (SPC-4 6.18), and so does another initiator that may.
        if sense.code.asc == 0x29 || sense.code == PREVENTION_PREEMPTED {
            library.ports.locked = None;
        }
        let name = library.config.name.clone();
        self.tell(EventKind::Attention { library: name, what: sense.to_string() }, now);
    }
}
