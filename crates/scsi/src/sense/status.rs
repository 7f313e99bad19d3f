use core::fmt;

/// SCSI status: how a command ended (SAM).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Success.
    Good,
    /// Sense data says what happened.
    CheckCondition,
    /// A prefetch or search condition is met.
    ConditionMet,
    /// The device can not take the command now.
    Busy,
    /// Another initiator has reserved the device.
    ReservationConflict,
    /// The device's queue is full.
    TaskSetFull,
    /// An auto contingent allegiance is in force.
    AcaActive,
    /// Another initiator aborted the command.
    TaskAborted,
    /// A status that is obsolete or unknown.
    Other(u8),
}

impl From<u8> for Status {
    fn from(code: u8) -> Self {
        match code {
            0x00 => Self::Good,
            0x02 => Self::CheckCondition,
            0x04 => Self::ConditionMet,
            0x08 => Self::Busy,
            0x18 => Self::ReservationConflict,
            0x28 => Self::TaskSetFull,
            0x30 => Self::AcaActive,
            0x40 => Self::TaskAborted,
            other => Self::Other(other),
        }
    }
}

impl From<Status> for u8 {
    fn from(status: Status) -> Self {
        match status {
            Status::Good => 0x00,
            Status::CheckCondition => 0x02,
            Status::ConditionMet => 0x04,
            Status::Busy => 0x08,
            Status::ReservationConflict => 0x18,
            Status::TaskSetFull => 0x28,
            Status::AcaActive => 0x30,
            Status::TaskAborted => 0x40,
            Status::Other(other) => other,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Good => "GOOD",
            Self::CheckCondition => "CHECK CONDITION",
            Self::ConditionMet => "CONDITION MET",
            Self::Busy => "BUSY",
            Self::ReservationConflict => "RESERVATION CONFLICT",
            Self::TaskSetFull => "TASK SET FULL",
            Self::AcaActive => "ACA ACTIVE",
            Self::TaskAborted => "TASK ABORTED",
            Self::Other(other) => return write!(formatter, "status {other:02X}h"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_byte_survives_both_ways() {
        for code in 0..=u8::MAX {
            assert_eq!(u8::from(Status::from(code)), code);
        }
        assert_eq!(Status::from(0x18), Status::ReservationConflict);
        assert_eq!(Status::from(0x22), Status::Other(0x22));
    }
}
