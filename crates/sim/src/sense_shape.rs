//! In which shape sense data reaches the initiator, and what else several commands ask of the quirks.

use alloc::vec;

use autochanger_scsi::{Sense, Status};

use crate::answer::{Answer, Unit};
use crate::device::Device;
use crate::drive::Drive;
use crate::quirk::Quirk;

/// Bytes of short sense data: they end before the additional sense code.
const SHORT_SENSE: usize = 8;

impl Device {
    /// Gives sense data its format, or keeps it for REQUEST SENSE.
    pub(crate) fn shape_sense(&mut self, unit: Unit, answer: &mut Answer) {
        if answer.status != Status::CheckCondition {
            return;
        }
        let Some(mut sense) = Sense::parse(&answer.sense) else { return };
        if self.quirks.has(Quirk::NoFieldPointer) {
            sense.field_pointer = None;
            answer.sense = sense.to_fixed().to_vec();
        }
        if self.quirks.has(Quirk::NoAutosense) {
            answer.sense.clear();
            self.service.kept_sense.insert(unit, sense);
        } else if self.quirks.has(Quirk::DescriptorSense) {
            let mut data = vec![0; Sense::MAX_DESCRIPTOR];
            let length = sense.write_descriptor(&mut data);
            data.truncate(length);
            answer.sense = data;
        } else if self.quirks.has(Quirk::ShortSense) {
            answer.sense.truncate(SHORT_SENSE);
        }
    }

    /// EXCHANGE MEDIUM is unknown, whatever page 1Fh says.
    pub(crate) fn lacks_exchange(&self) -> bool {
        self.quirks.has(Quirk::NoExchange) || self.quirks.has(Quirk::ExchangeClaimed)
    }

    /// A drive has to be unloaded before the robot takes its cartridge.
    pub(crate) fn wants_host_unload(&self) -> bool {
        self.quirks.has(Quirk::HostUnloadFirst) || self.quirks.has(Quirk::HostUnloadFirst3A)
    }

    /// The drive's ACCESS comes later than its eject.
    pub(crate) fn access_lags(&self, drive: &Drive) -> bool {
        self.quirks.number(Quirk::AccessLags(0)).is_some_and(|lag| drive.lags(lag, self.now))
    }
}
