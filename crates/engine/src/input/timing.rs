//! How long devices are given, and how often they are asked.

use alloc::collections::BTreeMap;
use core::time::Duration;

use autochanger_scsi::{
    ExchangeMedium, InitializeElementStatus, InitializeElementStatusWithRange,
    InitializeElementStatusWithRangeVendor, Inquiry, LoadUnload, LogSense, ModeSense6, ModeSense10,
    MoveMedium, OpenCloseImportExport, PersistentReserveIn, PersistentReserveOut, PreventAllowMediumRemoval,
    Read6, ReadElementStatus, ReportLuns, RequestSense, Rewind, TestUnitReady, Write6, WriteFilemarks6,
};

/// Time-outs of one library. Round up, never down: an expired time-out makes a move doubtful, and through a kernel it
/// resets devices. Where a changer or a drive recommends longer ones for its commands, those hold (see [`recommended`](Self::recommended)). The manual's chapter on defaults gives the reason of each.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// TEST UNIT READY, INQUIRY, MODE SENSE and their like. Default 60 s.
    pub status: Duration,
    /// READ ELEMENT STATUS. Default 5 min.
    pub element_status: Duration,
    /// The longest that one motion can take. A doubtful motion is not taken for *not moved* before. Default 30 min.
    pub motion: Duration,
    /// INITIALIZE ELEMENT STATUS, at least: a library is given half a minute, and 16 s for each of its elements, up to 4 h. Default
    /// 60 min.
    pub initialize: Duration,
    /// LOAD UNLOAD, and REWIND, READ and WRITE of a label: what winds a tape, or tries a bad spot again. Default 16 min.
    pub unload: Duration,
    /// From the end of LOAD UNLOAD to the move: some robots pull before the drive has let go, and can do harm. Default 0: most drives answer
    /// when they have.
    pub unload_settle: Duration,
    /// From the end of the move to a ready drive. Default 5 min; longer while the drive says that it is coming ready.
    pub drive_ready: Duration,
    /// The longest that a drive may say that it is coming ready (LTO-9 calibrates up to 2 h). Default 2 h 15 min.
    pub drive_calibration: Duration,
    /// LOG SENSE to a drive. Default 3 min: an LTO-9 drive that finishes what it was told before takes more than one, and a question that
    /// is broken off then can cost it the end of its data.
    pub drive_log: Duration,
    /// The longest that a drive may clean itself, from the end of the move. Default 15 min: LTO drives take two to three minutes,
    /// and what takes five times as long will not end.
    pub cleaning: Duration,
    /// The first pause before trying again; doubled up to `retry_max`. Default 1 s.
    pub retry_min: Duration,
    /// The longest pause before trying again. Default 30 s.
    pub retry_max: Duration,
    /// OPEN/CLOSE IMPORT/EXPORT ELEMENT: a tray that moves. Default 10 min, what makers recommend.
    pub port: Duration,
    /// How often the ports are looked at while somebody waits for one, and the door while a person is at it. Default 5 s: a
    /// person hardly notices, and READ ELEMENT STATUS of a few ports takes milliseconds.
    pub port_poll: Duration,
    /// How long a person may take to fill or empty a port (RSM: `MaxExtendSecs`). It begins anew with each cartridge, and after a
    /// restart. Default 30 min.
    pub port_timeout: Duration,
    /// How long is waited for a door to be opened. Many libraries do not tell of their doors: then the request goes on when this
    /// has passed. Default 30 min.
    pub door_timeout: Duration,
    /// How long a door may stay open before a person is asked to close it (RSM: `MaxOpenSecs`). Default 10 min.
    pub door_patience: Duration,
    /// How often the ports of a library are looked at that nobody asks for anything; `None`: never. Not every library tells of hands, and
    /// what it tells another program can have heard. Default 60 s.
    pub refresh_ports: Option<Duration>,
    /// How often all of such a library is read again; `None`: never. Default 15 min.
    pub refresh_all: Option<Duration>,
    /// Whether a changer and its drives are asked how long they recommend to wait for their commands (REPORT SUPPORTED OPERATION CODES),
    /// and given that where it is longer. Default yes; no where you know better than they.
    pub recommended: bool,
}

impl Default for Timing {
    fn default() -> Self {
        const MINUTE: Duration = Duration::from_secs(60);
        Self {
            status: MINUTE,
            element_status: 5 * MINUTE,
            motion: 30 * MINUTE,
            initialize: 60 * MINUTE,
            unload: 16 * MINUTE,
            unload_settle: Duration::ZERO,
            drive_ready: 5 * MINUTE,
            drive_calibration: 135 * MINUTE,
            drive_log: 3 * MINUTE,
            cleaning: 15 * MINUTE,
            retry_min: Duration::from_secs(1),
            retry_max: Duration::from_secs(30),
            port: 10 * MINUTE,
            port_poll: Duration::from_secs(5),
            port_timeout: 30 * MINUTE,
            door_timeout: 30 * MINUTE,
            door_patience: 10 * MINUTE,
            refresh_ports: Some(MINUTE),
            refresh_all: Some(15 * MINUTE),
            recommended: true,
        }
    }
}

/// The longest that a library's own word on a command is taken for: as long as it can take to look at all its elements.
const LONGEST: Duration = Duration::from_secs(4 * 60 * 60);

impl Timing {
    /// The same, with no command to the changer given less time than the changer recommends (REPORT SUPPORTED OPERATION CODES, SPC-4
    /// 6.35.4).
    pub(crate) fn at_least(self, recommended: &BTreeMap<u8, Duration>) -> Self {
        let longer = |ours, opcodes: &[u8]| longer(ours, opcodes, recommended);
        let status = [
            TestUnitReady::OPCODE,
            RequestSense::OPCODE,
            Inquiry::OPCODE,
            ModeSense6::OPCODE,
            ModeSense10::OPCODE,
            PreventAllowMediumRemoval::OPCODE,
            PersistentReserveIn::OPCODE,
            PersistentReserveOut::OPCODE,
            ReportLuns::OPCODE,
        ];
        let initialize = [
            InitializeElementStatus::OPCODE,
            InitializeElementStatusWithRange::OPCODE,
            InitializeElementStatusWithRangeVendor::OPCODE,
        ];
        // An exchange is given twice the time of a move.
        let half =
            recommended.get(&ExchangeMedium::OPCODE).map(|time| time.checked_div(2).unwrap_or_default());
        Self {
            status: longer(self.status, &status),
            element_status: longer(self.element_status, &[ReadElementStatus::OPCODE]),
            motion: longer(self.motion.max(half.unwrap_or_default().min(LONGEST)), &[MoveMedium::OPCODE]),
            initialize: longer(self.initialize, &initialize),
            port: longer(self.port, &[OpenCloseImportExport::OPCODE]),
            ..self
        }
    }

    /// The same, with no command to a drive given less time than that drive recommends.
    pub(crate) fn of_drive(self, recommended: &BTreeMap<u8, Duration>) -> Self {
        let longer = |ours, opcodes: &[u8]| longer(ours, opcodes, recommended);
        let winds =
            [LoadUnload::OPCODE, Rewind::OPCODE, Read6::OPCODE, Write6::OPCODE, WriteFilemarks6::OPCODE];
        let status = [TestUnitReady::OPCODE, Inquiry::OPCODE, PreventAllowMediumRemoval::OPCODE];
        Self {
            status: longer(self.status, &status),
            unload: longer(self.unload, &winds),
            drive_log: longer(self.drive_log, &[LogSense::OPCODE]),
            ..self
        }
    }
}

/// The longer one of our time and the longest that is recommended for these commands.
fn longer(ours: Duration, opcodes: &[u8], recommended: &BTreeMap<u8, Duration>) -> Duration {
    let theirs = opcodes.iter().filter_map(|opcode| recommended.get(opcode)).max();
    ours.max(theirs.copied().unwrap_or_default().min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_device_recommends_lengthens_and_never_shortens_and_is_bounded() {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        let ours = Timing::default();
        let at_least = |list: &[(u8, Duration)]| ours.at_least(&list.iter().copied().collect());
        assert_eq!(at_least(&[]).motion, ours.motion);
        assert_eq!(at_least(&[(0xA5, minutes(1)), (0xB8, minutes(1))]).motion, ours.motion);
        let theirs =
            at_least(&[(0xA5, minutes(45)), (0xB8, minutes(12)), (0x12, minutes(2)), (0xE7, minutes(90))]);
        assert_eq!((theirs.motion, theirs.element_status), (minutes(45), minutes(12)));
        assert_eq!((theirs.status, theirs.initialize), (minutes(2), minutes(90)));
        assert_eq!(theirs.unload, ours.unload, "of a drive the changer says nothing");
        assert_eq!(at_least(&[(0xA6, minutes(90))]).motion, minutes(45));
        assert_eq!(at_least(&[(0xA5, Duration::from_secs(u32::MAX.into()))]).motion, LONGEST);
    }

    #[test]
    fn what_a_drive_recommends_is_for_what_winds_its_tape_and_for_its_counters() {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        let ours = Timing::default();
        let of_drive = |list: &[(u8, Duration)]| ours.of_drive(&list.iter().copied().collect());
        for opcode in [0x01, 0x08, 0x0A, 0x10, 0x1B] {
            assert_eq!(of_drive(&[(opcode, minutes(132))]).unload, minutes(132));
            assert_eq!(of_drive(&[(opcode, minutes(1))]).unload, ours.unload);
        }
        assert_eq!(of_drive(&[(0x4D, minutes(9))]).drive_log, minutes(9));
        assert_eq!(of_drive(&[(0x1B, Duration::MAX)]).unload, LONGEST);
        let motions = of_drive(&[(0xA5, minutes(90)), (0x1B, minutes(90))]);
        assert_eq!((motions.motion, motions.drive_ready), (ours.motion, ours.drive_ready));
    }
}
