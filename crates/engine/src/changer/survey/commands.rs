//! Which commands a device has, and how long it recommends to wait for each.

use alloc::collections::BTreeMap;
use core::time::Duration;

use autochanger_scsi::{ReportSupportedOperationCodes, ReportingOptions, SupportedCommands};

use crate::command::Command;
use crate::input::Timing;

/// Twenty bytes for each command that a changer or a drive can have. Where less is transferred at once, what is cut off recommends nothing.
const ALLOCATION: u32 = 8 * 1024;

/// REPORT SUPPORTED OPERATION CODES: all, with their time-outs (RCTD).
pub(crate) fn operation_codes(timing: Timing, max_transfer: u32) -> Command {
    let allocation = ALLOCATION.min(max_transfer);
    let command = ReportSupportedOperationCodes {
        timeouts: true,
        options: ReportingOptions::All,
        opcode: 0,
        service_action: 0,
        allocation,
    };
    Command::reading(command.cdb(), allocation, timing.status)
}

/// The recommended times; the nominal ones where nothing is recommended.
pub(crate) fn recommended(data: &[u8]) -> BTreeMap<u8, Duration> {
    let mut times = BTreeMap::<u8, Duration>::new();
    let Ok(list) = SupportedCommands::parse(data) else { return times };
    for command in list.commands() {
        let Some(told) = command.timeouts else { continue };
        let seconds = if told.recommended > 0 { told.recommended } else { told.nominal };
        let time = times.entry(command.opcode).or_default();
        *time = (*time).max(Duration::from_secs(seconds.into()));
    }
    times
}
