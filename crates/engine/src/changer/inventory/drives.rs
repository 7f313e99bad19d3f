//! The end of a thorough reading: which drive is in which element.

use autochanger_scsi::ElementType;

use super::{Inventory, NotRead, ReadInventory};
use crate::changer::ask::Refusal;
use crate::changer::identifiers::{Identified, ReadIdentifiers};
use crate::changer::{Do, Heard, Procedure};
use crate::command::PathFault;
use crate::time::Now;

impl ReadInventory {
    pub(super) fn end(&mut self, now: Now) -> Do<Result<Inventory, NotRead>> {
        if !self.thorough || !self.order.contains(&ElementType::Drive) {
            return Do::Done(Ok(self.finish()));
        }
        let style = self.style.of(ElementType::Drive);
        let mut reading = ReadIdentifiers::new(self.elements.values(), style, self.timing, self.max_transfer)
            .in_dialect(self.dialect);
        let step = reading.step(Heard::Start, now);
        self.identifiers = Some(reading);
        self.follow_identifiers(step)
    }

    pub(super) fn follow_identifiers(
        &mut self,
        step: Do<Result<Identified, PathFault>>,
    ) -> Do<Result<Inventory, NotRead>> {
        match step {
            Do::Send(device, command) => Do::Send(device, command),
            Do::Wait(pause) => Do::Wait(pause),
            Do::Done(Err(fault)) => {
                Do::Done(Err(NotRead { kind: ElementType::Drive, refusal: Refusal::Path(fault) }))
            }
            Do::Done(Ok(identified)) => {
                // What was asked for is the better answer.
                self.drives.retain(|drive| !identified.drives.contains_key(&drive.address));
                self.drives.extend(identified.drives.into_values());
                self.quirks.extend(identified.quirks);
                Do::Done(Ok(self.finish()))
            }
        }
    }
}
