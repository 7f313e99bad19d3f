//! The layout of each PDU (RFC 7143 sections 11.3 to 11.19).

use bytes::Bytes;

use super::layout::{self, at, bit, bits, pdus};
use super::{HEADER_LENGTH, PduError, RawPdu};

pdus! {
    /// NOP-Out (11.18): the initiator's ping, or its answer to the target's.
    NopOut = 0x00, 0x80 {
        /// Delivered outside the command order.
        immediate: bool = bit(0, 6),
        /// Logical unit, copied from the NOP-In that is answered.
        lun: u64 = at(8),
        /// Tag of the ping; [`NO_TAG`](super::NO_TAG) when no answer is wanted.
        initiator_task_tag: u32 = at(16),
        /// Tag of the NOP-In that is answered.
        target_transfer_tag: u32 = at(20),
        /// CmdSN.
        command_sn: u32 = at(24),
        /// ExpStatSN.
        expected_status_sn: u32 = at(28),
    }

    /// SCSI Command (11.3).
    ScsiCommand = 0x01, 0x00 {
        /// Delivered outside the command order.
        immediate: bool = bit(0, 6),
        /// No unsolicited Data-Out follows.
        is_final: bool = bit(1, 7),
        /// Data towards the initiator is expected.
        read: bool = bit(1, 6),
        /// Data towards the target is expected.
        write: bool = bit(1, 5),
        /// Task attribute: 1 simple, 2 ordered, 3 head of queue.
        attribute: u8 = bits(1, 0, 3),
        /// Logical unit, in the form of SAM-5.
        lun: u64 = at(8),
        /// Tag of the task.
        initiator_task_tag: u32 = at(16),
        /// Expected Data Transfer Length.
        expected_length: u32 = at(20),
        /// CmdSN.
        command_sn: u32 = at(24),
        /// ExpStatSN.
        expected_status_sn: u32 = at(28),
        /// The command descriptor block, padded with zeros.
        cdb: [u8; 16] = at(32),
    }

    /// Task Management Function Request (11.5).
    TaskManagementRequest = 0x02, 0x80 {
        /// Delivered outside the command order.
        immediate: bool = bit(0, 6),
        /// Function: 1 ABORT TASK, 2 ABORT TASK SET, 4 CLEAR TASK SET, 5 LOGICAL UNIT RESET, 6 TARGET WARM RESET.
        function: u8 = bits(1, 0, 7),
        /// Logical unit.
        lun: u64 = at(8),
        /// Tag of this request.
        initiator_task_tag: u32 = at(16),
        /// Tag of the task to be aborted.
        referenced_task_tag: u32 = at(20),
        /// CmdSN.
        command_sn: u32 = at(24),
        /// ExpStatSN.
        expected_status_sn: u32 = at(28),
        /// CmdSN of the task to be aborted.
        referenced_command_sn: u32 = at(32),
    }

    /// Login Request (11.12).
    LoginRequest = 0x03, 0x00 {
        /// Always set in a login.
        immediate: bool = bit(0, 6),
        /// T: ready to leave this stage.
        transit: bool = bit(1, 7),
        /// C: the text goes on in the next PDU.
        more: bool = bit(1, 6),
        /// CSG.
        current_stage: u8 = bits(1, 2, 2),
        /// NSG.
        next_stage: u8 = bits(1, 0, 2),
        /// Version-max.
        version_max: u8 = at(2),
        /// Version-min.
        version_min: u8 = at(3),
        /// ISID.
        isid: [u8; 6] = at(8),
        /// TSIH; zero for a new session.
        tsih: u16 = at(14),
        /// Tag of the login.
        initiator_task_tag: u32 = at(16),
        /// CID.
        connection_id: u16 = at(20),
        /// CmdSN.
        command_sn: u32 = at(24),
        /// ExpStatSN.
        expected_status_sn: u32 = at(28),
    }

    /// Text Request (11.10).
    TextRequest = 0x04, 0x00 {
        /// Delivered outside the command order.
        immediate: bool = bit(0, 6),
        /// F: this side has nothing more to say.
        is_final: bool = bit(1, 7),
        /// C: the text goes on in the next PDU.
        more: bool = bit(1, 6),
        /// Logical unit, copied from the response that is continued.
        lun: u64 = at(8),
        /// Tag of the exchange.
        initiator_task_tag: u32 = at(16),
        /// Copied from the response that is continued.
        target_transfer_tag: u32 = at(20),
        /// CmdSN.
        command_sn: u32 = at(24),
        /// ExpStatSN.
        expected_status_sn: u32 = at(28),
    }

    /// SCSI Data-Out (11.7).
    DataOut = 0x05, 0x00 {
        /// F: last PDU of the sequence.
        is_final: bool = bit(1, 7),
        /// Logical unit, copied from the R2T.
        lun: u64 = at(8),
        /// Tag of the task.
        initiator_task_tag: u32 = at(16),
        /// Copied from the R2T.
        target_transfer_tag: u32 = at(20),
        /// ExpStatSN.
        expected_status_sn: u32 = at(28),
        /// DataSN within the sequence.
        data_sn: u32 = at(36),
        /// Where this data begins in the command's data.
        buffer_offset: u32 = at(40),
    }

    /// Logout Request (11.14).
    LogoutRequest = 0x06, 0x80 {
        /// Delivered outside the command order.
        immediate: bool = bit(0, 6),
        /// Reason: 0 close the session.
        reason: u8 = bits(1, 0, 7),
        /// Tag of the logout.
        initiator_task_tag: u32 = at(16),
        /// CID, where a connection is closed.
        connection_id: u16 = at(20),
        /// CmdSN.
        command_sn: u32 = at(24),
        /// ExpStatSN.
        expected_status_sn: u32 = at(28),
    }

    /// NOP-In (11.19): the target's ping, or its answer to the initiator's.
    NopIn = 0x20, 0x80 {
        /// Logical unit of the ping.
        lun: u64 = at(8),
        /// Tag of the ping that is answered.
        initiator_task_tag: u32 = at(16),
        /// Tag of the target's ping; [`NO_TAG`](super::NO_TAG) when no answer is wanted.
        target_transfer_tag: u32 = at(20),
        /// StatSN.
        status_sn: u32 = at(24),
        /// ExpCmdSN.
        expected_command_sn: u32 = at(28),
        /// MaxCmdSN.
        max_command_sn: u32 = at(32),
    }

    /// SCSI Response (11.4).
    ScsiResponse = 0x21, 0x80 {
        /// O: more data than expected was there.
        overflow: bool = bit(1, 2),
        /// U: less data than expected was there.
        underflow: bool = bit(1, 1),
        /// Response: 0 completed at the target, 1 target failure.
        response: u8 = at(2),
        /// SCSI status.
        status: u8 = at(3),
        /// Tag of the task.
        initiator_task_tag: u32 = at(16),
        /// StatSN.
        status_sn: u32 = at(24),
        /// ExpCmdSN.
        expected_command_sn: u32 = at(28),
        /// MaxCmdSN.
        max_command_sn: u32 = at(32),
        /// ExpDataSN.
        expected_data_sn: u32 = at(36),
        /// Residual Count.
        residual: u32 = at(44),
    }

    /// Task Management Function Response (11.6).
    TaskManagementResponse = 0x22, 0x80 {
        /// Response: 0 function complete.
        response: u8 = at(2),
        /// Tag of the request.
        initiator_task_tag: u32 = at(16),
        /// StatSN.
        status_sn: u32 = at(24),
        /// ExpCmdSN.
        expected_command_sn: u32 = at(28),
        /// MaxCmdSN.
        max_command_sn: u32 = at(32),
    }

    /// Login Response (11.13).
    LoginResponse = 0x23, 0x00 {
        /// T: the stage is left.
        transit: bool = bit(1, 7),
        /// C: the text goes on in the next PDU.
        more: bool = bit(1, 6),
        /// CSG.
        current_stage: u8 = bits(1, 2, 2),
        /// NSG.
        next_stage: u8 = bits(1, 0, 2),
        /// Version-max.
        version_max: u8 = at(2),
        /// Version-active.
        version_active: u8 = at(3),
        /// ISID.
        isid: [u8; 6] = at(8),
        /// TSIH, given in the last response.
        tsih: u16 = at(14),
        /// Tag of the login.
        initiator_task_tag: u32 = at(16),
        /// StatSN.
        status_sn: u32 = at(24),
        /// ExpCmdSN.
        expected_command_sn: u32 = at(28),
        /// MaxCmdSN.
        max_command_sn: u32 = at(32),
        /// Status-Class.
        status_class: u8 = at(36),
        /// Status-Detail.
        status_detail: u8 = at(37),
    }

    /// Text Response (11.11).
    TextResponse = 0x24, 0x00 {
        /// F: the exchange is over.
        is_final: bool = bit(1, 7),
        /// C: the text goes on in the next PDU.
        more: bool = bit(1, 6),
        /// Logical unit.
        lun: u64 = at(8),
        /// Tag of the exchange.
        initiator_task_tag: u32 = at(16),
        /// To be copied into the next request.
        target_transfer_tag: u32 = at(20),
        /// StatSN.
        status_sn: u32 = at(24),
        /// ExpCmdSN.
        expected_command_sn: u32 = at(28),
        /// MaxCmdSN.
        max_command_sn: u32 = at(32),
    }

    /// SCSI Data-In (11.7).
    DataIn = 0x25, 0x00 {
        /// F: last PDU of the sequence.
        is_final: bool = bit(1, 7),
        /// A: the target wants an acknowledgement (error recovery level above 0).
        acknowledge: bool = bit(1, 6),
        /// O: more data than expected was there. Valid with S.
        overflow: bool = bit(1, 2),
        /// U: less data than expected was there. Valid with S.
        underflow: bool = bit(1, 1),
        /// S: the status is here, no SCSI Response follows.
        has_status: bool = bit(1, 0),
        /// SCSI status. Valid with S.
        status: u8 = at(3),
        /// Logical unit.
        lun: u64 = at(8),
        /// Tag of the task.
        initiator_task_tag: u32 = at(16),
        /// Tag for an acknowledgement.
        target_transfer_tag: u32 = at(20),
        /// StatSN. Valid with S.
        status_sn: u32 = at(24),
        /// ExpCmdSN.
        expected_command_sn: u32 = at(28),
        /// MaxCmdSN.
        max_command_sn: u32 = at(32),
        /// DataSN.
        data_sn: u32 = at(36),
        /// Where this data begins in the command's data.
        buffer_offset: u32 = at(40),
        /// Residual Count. Valid with S.
        residual: u32 = at(44),
    }

    /// Logout Response (11.15).
    LogoutResponse = 0x26, 0x80 {
        /// Response: 0 closed.
        response: u8 = at(2),
        /// Tag of the logout.
        initiator_task_tag: u32 = at(16),
        /// StatSN.
        status_sn: u32 = at(24),
        /// ExpCmdSN.
        expected_command_sn: u32 = at(28),
        /// MaxCmdSN.
        max_command_sn: u32 = at(32),
        /// Time2Wait, in seconds.
        time_to_wait: u16 = at(40),
        /// Time2Retain, in seconds.
        time_to_retain: u16 = at(42),
    }

    /// Ready To Transfer (11.8).
    ReadyToTransfer = 0x31, 0x80 {
        /// Logical unit.
        lun: u64 = at(8),
        /// Tag of the task.
        initiator_task_tag: u32 = at(16),
        /// To be copied into the Data-Out PDUs.
        target_transfer_tag: u32 = at(20),
        /// StatSN, not advanced by an R2T.
        status_sn: u32 = at(24),
        /// ExpCmdSN.
        expected_command_sn: u32 = at(28),
        /// MaxCmdSN.
        max_command_sn: u32 = at(32),
        /// R2TSN.
        r2t_sn: u32 = at(36),
        /// Where the wanted data begins.
        buffer_offset: u32 = at(40),
        /// How many bytes are wanted.
        desired_length: u32 = at(44),
    }

    /// Asynchronous Message (11.9).
    AsyncMessage = 0x32, 0x80 {
        /// Logical unit.
        lun: u64 = at(8),
        /// Always [`NO_TAG`](super::NO_TAG).
        initiator_task_tag: u32 = at(16),
        /// StatSN.
        status_sn: u32 = at(24),
        /// ExpCmdSN.
        expected_command_sn: u32 = at(28),
        /// MaxCmdSN.
        max_command_sn: u32 = at(32),
        /// AsyncEvent: 0 SCSI event, 1 logout wanted, 2 connection dropped, 3 session dropped, 4 negotiation wanted.
        event: u8 = at(36),
        /// AsyncVCode.
        vendor_code: u8 = at(37),
        /// Parameter1.
        parameter1: u16 = at(38),
        /// Parameter2.
        parameter2: u16 = at(40),
        /// Parameter3.
        parameter3: u16 = at(42),
    }

    /// Reject (11.17). The data segment holds the header that was rejected.
    Reject = 0x3F, 0x80 {
        /// Reason.
        reason: u8 = at(2),
        /// Always [`NO_TAG`](super::NO_TAG).
        initiator_task_tag: u32 = at(16),
        /// StatSN.
        status_sn: u32 = at(24),
        /// ExpCmdSN.
        expected_command_sn: u32 = at(28),
        /// MaxCmdSN.
        max_command_sn: u32 = at(32),
    }
}
