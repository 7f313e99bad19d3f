//! From the library's words to the target's.

use autochanger_iscsi::target::{TargetAnswer, TargetCommand};
use bytes::Bytes;

use crate::scsi::{Cdb, Inquiry, ReportLuns, RequestSense, Sense, SenseKey, Status, cdb_length};
use crate::transport::Completion;

/// Peripheral qualifier 011b and device type 1Fh: no unit is there, nor can be (SPC-4 clause 6.4.2).
const NO_UNIT: u8 = 0x7F;

/// The length of standard INQUIRY data.
const INQUIRY_LENGTH: usize = 36;

/// A CDB of the length that its operation code has.
pub(super) fn cdb(padded: &[u8; 16]) -> Option<Cdb> {
    let length = cdb_length(padded[0]).unwrap_or(padded.len());
    Cdb::from_bytes(padded.get(..length)?)
}

pub(super) fn of_completion(completion: Completion) -> TargetAnswer {
    TargetAnswer { status: completion.status.into(), sense: completion.sense, data: completion.data }
}

/// The command was ended by another initiator's reset (SAM-5 clause 5.3.1).
pub(super) fn aborted() -> TargetAnswer {
    TargetAnswer { status: Status::TaskAborted.into(), ..TargetAnswer::default() }
}

/// Whether a command is for the whole target, so that any unit number will do (SPC-4 clause 6.33).
pub(super) fn is_for_everyone(command: &TargetCommand) -> bool {
    command.cdb[0] == ReportLuns::OPCODE
}

/// What is said to a command for a unit that is not there.
pub(super) fn no_such_unit(command: &TargetCommand) -> TargetAnswer {
    let sense = Sense::new(SenseKey::IllegalRequest, 0x25, 0x00).to_fixed();
    let [opcode, flags, ..] = command.cdb;
    let (data, allocation) = match opcode {
        // The vital data of nobody is asked for in vain.
        Inquiry::OPCODE if flags & 1 == 0 => {
            let mut data = vec![0; INQUIRY_LENGTH];
            data[..5].copy_from_slice(&[NO_UNIT, 0, 6, 2, (INQUIRY_LENGTH - 5) as u8]);
            (data, usize::from(u16::from_be_bytes([command.cdb[3], command.cdb[4]])))
        }
        RequestSense::OPCODE => (sense.to_vec(), usize::from(command.cdb[4])),
        _ => {
            return TargetAnswer {
                status: Status::CheckCondition.into(),
                sense: Bytes::copy_from_slice(&sense),
                data: Bytes::new(),
            };
        }
    };
    let data = Bytes::from(data);
    TargetAnswer { data: data.slice(..data.len().min(allocation)), ..TargetAnswer::default() }
}
