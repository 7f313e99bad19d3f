//! A command at the target: how its data comes in, piece by piece and within bounds.

use bytes::BytesMut;

use super::parameters::Parameters;
use super::report::TargetCommand;
use crate::lun;
use crate::pdu::{DataOut, NO_TAG, ReadyToTransfer, ScsiCommand};

/// The most data that one command may bring. A changer's parameter lists are below 64 KiB; the rest is a tape block.
pub const MAX_DATA_OUT: u32 = 1024 * 1024;

/// A command without an answer.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) lun_field: u64,
    pub(super) immediate: bool,
    /// How many bytes the initiator takes.
    pub(super) data_in: u32,
    /// It was handed out, and waits for the device's answer.
    pub(super) delivered: bool,
    cdb: [u8; 16],
    expected_out: u32,
    received: BytesMut,
    transfer: Transfer,
    next_r2t_sn: u32,
    next_data_sn: u32,
}

/// What may come in now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transfer {
    Nothing,
    /// Data that was not asked for, up to that offset.
    Unsolicited(u32),
    /// Data that was, with its tag.
    Solicited {
        tag: u32,
        end: u32,
    },
}

/// What a task needs next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// More of the data that is on its way.
    Data,
    /// To be asked for its data.
    Ask,
    /// To be handed out.
    Deliver,
}

impl Task {
    /// Takes a command with the data that came along.
    pub(super) fn new(pdu: &ScsiCommand, parameters: &Parameters) -> Result<(Self, Next), &'static str> {
        let expected_out = if pdu.write { pdu.expected_length } else { 0 };
        let data_in = if pdu.read && !pdu.write { pdu.expected_length } else { 0 };
        let length = u32::try_from(pdu.data.len()).unwrap_or(u32::MAX);
        let most_unasked = expected_out.min(parameters.first_burst);
        if length > 0 && !parameters.immediate_data {
            return Err("data with a command, which was not agreed");
        }
        if length > most_unasked {
            return Err("more data with a command than was agreed");
        }
        if !pdu.is_final && (parameters.initial_r2t || !pdu.write) {
            return Err("data that was not asked for, which was not agreed");
        }
        let transfer = if pdu.is_final { Transfer::Nothing } else { Transfer::Unsolicited(most_unasked) };
        let task = Self {
            lun_field: pdu.lun,
            immediate: pdu.immediate,
            data_in,
            delivered: false,
            cdb: pdu.cdb,
            expected_out,
            received: BytesMut::from(&pdu.data[..]),
            transfer,
            next_r2t_sn: 0,
            next_data_sn: 0,
        };
        let next = task.next();
        Ok((task, next))
    }

    /// Whether it brings more data than is taken in.
    pub(super) fn is_too_large(&self) -> bool {
        self.expected_out > MAX_DATA_OUT
    }

    fn so_far(&self) -> u32 {
        u32::try_from(self.received.len()).unwrap_or(u32::MAX)
    }

    fn next(&self) -> Next {
        if self.transfer != Transfer::Nothing {
            Next::Data
        } else if self.so_far() < self.expected_out && !self.is_too_large() {
            Next::Ask
        } else {
            Next::Deliver
        }
    }

    /// Asks for the next burst.
    pub(super) fn ask(&mut self, task_tag: u32, tag: u32, max_burst: u32) -> ReadyToTransfer {
        let offset = self.so_far();
        let desired_length = (self.expected_out - offset).min(max_burst);
        self.transfer = Transfer::Solicited { tag, end: offset + desired_length };
        self.next_data_sn = 0;
        let r2t_sn = self.next_r2t_sn;
        self.next_r2t_sn = r2t_sn.wrapping_add(1);
        ReadyToTransfer {
            lun: self.lun_field,
            initiator_task_tag: task_tag,
            target_transfer_tag: tag,
            r2t_sn,
            buffer_offset: offset,
            desired_length,
            ..ReadyToTransfer::default()
        }
    }

    /// Takes data. In order, within what was asked for, or not at all.
    pub(super) fn take(&mut self, pdu: &DataOut) -> Result<Next, &'static str> {
        let end = match self.transfer {
            Transfer::Unsolicited(end) if pdu.target_transfer_tag == NO_TAG => end,
            Transfer::Solicited { tag, end } if pdu.target_transfer_tag == tag => end,
            _ => return Err("data that was not asked for"),
        };
        if pdu.buffer_offset != self.so_far() || pdu.data_sn != self.next_data_sn {
            return Err("data out of order");
        }
        if pdu.data.len() > (end - self.so_far()) as usize {
            return Err("more data than was asked for");
        }
        self.next_data_sn = self.next_data_sn.wrapping_add(1);
        if self.is_too_large() {
            // It will be refused: its data is counted by its place, and not kept.
            return Err("more data than a command may bring");
        }
        self.received.extend_from_slice(&pdu.data);
        if pdu.is_final {
            if matches!(self.transfer, Transfer::Solicited { .. }) && self.so_far() != end {
                return Err("less data than was asked for");
            }
            self.transfer = Transfer::Nothing;
        }
        Ok(self.next())
    }

    /// The command, to be handed out.
    pub(super) fn deliver(&mut self) -> TargetCommand {
        self.delivered = true;
        TargetCommand {
            lun: lun::decode(self.lun_field),
            cdb: self.cdb,
            data_out: self.received.split().freeze(),
            data_in: self.data_in,
        }
    }
}
