//! A command in flight: its data both ways, with bounds.

use bytes::{Bytes, BytesMut};

use super::Request;
use crate::pdu::{DataIn, DataOut, NO_TAG, ReadyToTransfer};

/// A command without an answer.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) lun: u16,
    pub(super) command_sn: u32,
    /// A byte of the command was handed out.
    pub(super) sent: bool,
    expected_in: usize,
    /// The data so far when it came in one piece, which is the usual case and needs no copy.
    first: Bytes,
    /// The data so far when it came in several.
    received: BytesMut,
    data_out: Bytes,
    /// How much of `data_out` was handed to the transmit queue.
    offered: u32,
    next_r2t_sn: u32,
}

impl Task {
    pub(super) fn new(request: &Request, command_sn: u32, immediate: u32) -> Self {
        Self {
            lun: request.lun,
            command_sn,
            sent: false,
            expected_in: request.data_in as usize,
            first: Bytes::new(),
            received: BytesMut::new(),
            data_out: request.data_out.clone(),
            offered: immediate,
            next_r2t_sn: 0,
        }
    }

    /// Takes data. In order and within what was asked for, or not at all: a gap would be data that never came.
    pub(super) fn take(&mut self, data_in: &DataIn) -> Result<(), &'static str> {
        let so_far = self.first.len() + self.received.len();
        if data_in.buffer_offset as usize != so_far {
            return Err("data out of order");
        }
        if data_in.data.len() > self.expected_in - so_far {
            return Err("more data than was asked for");
        }
        if !data_in.data.is_empty() {
            join(&mut self.received, &mut self.first, &data_in.data);
        }
        Ok(())
    }

    /// What arrived.
    pub(super) fn into_data(self) -> Bytes {
        if self.received.is_empty() { self.first } else { self.received.freeze() }
    }

    /// Whether data is left that the target has to ask for.
    pub(super) fn owes_data(&self) -> bool {
        (self.offered as usize) < self.data_out.len()
    }

    /// The Data-Out PDUs that the target is ready for. Each byte is asked for once and in order (DataSequenceInOrder),
    /// so a target cannot make us queue more than the command's data.
    pub(super) fn solicited(
        &mut self,
        r2t: &ReadyToTransfer,
        max_segment: u32,
        max_burst: u32,
    ) -> Result<Vec<DataOut>, &'static str> {
        let length = u32::try_from(self.data_out.len()).unwrap_or(u32::MAX);
        if r2t.r2t_sn != self.next_r2t_sn || r2t.buffer_offset != self.offered {
            return Err("a request for data out of order");
        }
        if r2t.desired_length == 0
            || r2t.desired_length > length - self.offered
            || r2t.desired_length > max_burst
        {
            return Err("a request for data that is not there");
        }
        self.next_r2t_sn = self.next_r2t_sn.wrapping_add(1);
        let end = self.offered + r2t.desired_length;
        Ok(self.cut(end, max_segment, r2t.initiator_task_tag, r2t.target_transfer_tag, r2t.lun))
    }

    /// The Data-Out PDUs that may go before the target asks, up to an offset.
    pub(super) fn unsolicited(&mut self, tag: u32, lun: u64, end: u32, max_segment: u32) -> Vec<DataOut> {
        self.cut(end, max_segment, tag, NO_TAG, lun)
    }

    /// Cuts the data up to an offset into PDUs: one sequence.
    fn cut(&mut self, end: u32, max_segment: u32, tag: u32, transfer_tag: u32, lun: u64) -> Vec<DataOut> {
        let mut pdus = Vec::new();
        while self.offered < end {
            let size = max_segment.min(end - self.offered);
            let data = self.data_out.slice(self.offered as usize..(self.offered + size) as usize);
            pdus.push(DataOut {
                is_final: self.offered + size == end,
                lun,
                initiator_task_tag: tag,
                target_transfer_tag: transfer_tag,
                data_sn: u32::try_from(pdus.len()).unwrap_or(u32::MAX),
                buffer_offset: self.offered,
                data,
                ..DataOut::default()
            });
            self.offered += size;
        }
        pdus
    }
}

/// Joins data that came in several PDUs.
fn join(received: &mut BytesMut, first: &mut Bytes, more: &Bytes) {
    if first.is_empty() && received.is_empty() {
        *first = more.clone();
        return;
    }
    if !first.is_empty() {
        received.extend_from_slice(first);
        *first = Bytes::new();
    }
    received.extend_from_slice(more);
}
