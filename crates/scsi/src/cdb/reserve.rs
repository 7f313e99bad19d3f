//! Persistent reservations (SPC).

use super::layout::{bits, bytes, choices, commands};

choices! {
    /// What PERSISTENT RESERVE IN asks for.
    #[derive(Default)]
    PersistentReserveInAction {
        /// READ KEYS: the registered keys.
        #[default]
        ReadKeys = 0,
        /// READ RESERVATION: the reservation in force.
        ReadReservation = 1,
        /// REPORT CAPABILITIES: which kinds the device has.
        ReportCapabilities = 2,
        /// READ FULL STATUS: every registration with its initiator.
        ReadFullStatus = 3,
    }

    /// What PERSISTENT RESERVE OUT does.
    #[derive(Default)]
    PersistentReserveOutAction {
        /// REGISTER: register, change or (key 0) remove this initiator's key.
        #[default]
        Register = 0,
        /// RESERVE: take the reservation.
        Reserve = 1,
        /// RELEASE: give it back.
        Release = 2,
        /// CLEAR: remove the reservation and every registration.
        Clear = 3,
        /// PREEMPT: remove those who registered with a key, and take over their reservation.
        Preempt = 4,
        /// PREEMPT AND ABORT: the same, and abort their commands.
        PreemptAndAbort = 5,
        /// REGISTER AND IGNORE EXISTING KEY: as REGISTER, whatever key is registered.
        RegisterAndIgnore = 6,
        /// REGISTER AND MOVE: hand the reservation to another initiator.
        RegisterAndMove = 7,
    }

    /// What a persistent reservation keeps others from.
    #[derive(Default)]
    ReservationType {
        /// Others may not change anything.
        #[default]
        WriteExclusive = 1,
        /// Others may hardly do anything.
        ExclusiveAccess = 3,
        /// Only those registered may change anything.
        WriteExclusiveRegistrants = 5,
        /// Only those registered may do more than look.
        ExclusiveAccessRegistrants = 6,
        /// As [`WriteExclusiveRegistrants`](Self::WriteExclusiveRegistrants), and all registered hold it.
        WriteExclusiveAll = 7,
        /// As [`ExclusiveAccessRegistrants`](Self::ExclusiveAccessRegistrants), and all registered hold it.
        ExclusiveAccessAll = 8,
    }
}

commands! {
    /// PERSISTENT RESERVE IN: who has registered and reserved.
    #[doc(alias = "PERSISTENT RESERVE IN")]
    #[derive(Default)]
    PersistentReserveIn = 0x5E [10] {
        /// What is asked for.
        action: PersistentReserveInAction = bits(1, 4, 0),
        /// Allocation length in bytes.
        allocation: u16 = bytes(7, 2),
    }

    /// PERSISTENT RESERVE OUT: register and reserve. Its data is a
    /// [`PersistentReserveParameters`](crate::PersistentReserveParameters).
    #[doc(alias = "PERSISTENT RESERVE OUT")]
    #[derive(Default)]
    PersistentReserveOut = 0x5F [10] {
        /// What is to be done.
        action: PersistentReserveOutAction = bits(1, 4, 0),
        /// 0: the logical unit; 2, an element, is obsolete.
        scope: u8 = bits(2, 7, 4),
        /// The type, in [`ReservationType`]'s codes; devices overlook it where it means nothing.
        kind: u8 = bits(2, 3, 0),
        /// Length of the parameter list in bytes: 24.
        length: u32 = bytes(5, 4),
    }
}
