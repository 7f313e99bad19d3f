//! What a program may send that changes nothing in a library or in a drive.

use autochanger_scsi::command_name;

/// TEST UNIT READY, REQUEST SENSE, INQUIRY, MODE SENSE(6) and (10), LOG SENSE, PERSISTENT RESERVE IN, REPORT LUNS, MAINTENANCE IN
/// (REPORT SUPPORTED OPERATION CODES), READ ELEMENT STATUS.
const READING: [u8; 10] = [0x00, 0x03, 0x12, 0x1A, 0x5A, 0x4D, 0x5E, 0xA0, 0xA3, 0xB8];

/// The log page whose reading clears it for everybody.
const TAPE_ALERT: u8 = 0x2E;

/// Fails with the first command that does more than read. An operation code alone is a command, too.
#[track_caller]
pub(crate) fn only_reads<'a>(commands: impl IntoIterator<Item = &'a [u8]>) {
    for cdb in commands {
        let name = command_name(cdb[0]).unwrap_or("an unknown command");
        assert!(READING.contains(&cdb[0]), "{name} was sent: {cdb:02X?}");
        let clears = cdb[0] == 0x4D && cdb.get(2).is_some_and(|page| page & 0x3F == TAPE_ALERT);
        assert!(!clears, "the TapeAlert flags were cleared: {cdb:02X?}");
    }
}
