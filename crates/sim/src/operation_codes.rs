//! REPORT SUPPORTED OPERATION CODES: what the simulator really has.

use autochanger_scsi::{
    ChangerCommand, CommandSupport, CommandTimeouts, ExchangeMedium, InitializeElementStatus,
    InitializeElementStatusWithRange, InitializeElementStatusWithRangeVendor, Inquiry, InvalidField,
    LoadUnload, Locate10, LogSense, ModeSense6, ModeSense10, MoveMedium, OneCommand, OpenCloseImportExport,
    PersistentReserveIn, PersistentReserveOut, PositionToElement, PreventAllowMediumRemoval, Read6,
    ReadAttribute, ReadElementStatus, ReadPosition, ReportDensitySupport, ReportLuns,
    ReportSupportedOperationCodes, ReportingOptions, RequestSense, RequestVolumeElementAddress, Rewind,
    SendVolumeTag, Sense, SupportedCommand, SupportedCommands, TapeCommand, TestUnitReady, Write6,
    WriteAttribute, WriteFilemarks6, cdb_length,
};

use alloc::vec::Vec;

use crate::answer::{Answer, illegal, transfer, written};
use crate::device::Device;
use crate::identity::Lun;
use crate::quirk::Quirk;

/// The commands of the changer, with their service actions where they have some.
const CHANGER: &[(u8, &[u8])] = &[
    (TestUnitReady::OPCODE, &[]),
    (RequestSense::OPCODE, &[]),
    (InitializeElementStatus::OPCODE, &[]),
    (Inquiry::OPCODE, &[]),
    (ModeSense6::OPCODE, &[]),
    (OpenCloseImportExport::OPCODE, &[]),
    (PreventAllowMediumRemoval::OPCODE, &[]),
    (PositionToElement::OPCODE, &[]),
    (InitializeElementStatusWithRange::OPCODE, &[]),
    (LogSense::OPCODE, &[]),
    (ModeSense10::OPCODE, &[]),
    (PersistentReserveIn::OPCODE, &[0, 1, 2, 3]),
    (PersistentReserveOut::OPCODE, &[0, 1, 2, 3, 4, 5, 6]),
    (ReportLuns::OPCODE, &[]),
    (ReportSupportedOperationCodes::OPCODE, &[ReportSupportedOperationCodes::SERVICE_ACTION]),
    (MoveMedium::OPCODE, &[]),
    (ExchangeMedium::OPCODE, &[]),
    (RequestVolumeElementAddress::OPCODE, &[]),
    (SendVolumeTag::OPCODE, &[]),
    (ReadElementStatus::OPCODE, &[]),
    (InitializeElementStatusWithRangeVendor::OPCODE, &[]),
];

/// The commands of a drive.
const DRIVE: &[(u8, &[u8])] = &[
    (TestUnitReady::OPCODE, &[]),
    (Rewind::OPCODE, &[]),
    (RequestSense::OPCODE, &[]),
    (Read6::OPCODE, &[]),
    (Write6::OPCODE, &[]),
    (WriteFilemarks6::OPCODE, &[]),
    (Inquiry::OPCODE, &[]),
    (ModeSense6::OPCODE, &[]),
    (LoadUnload::OPCODE, &[]),
    (PreventAllowMediumRemoval::OPCODE, &[]),
    (Locate10::OPCODE, &[]),
    (ReadPosition::OPCODE, &[]),
    (ReportDensitySupport::OPCODE, &[]),
    (LogSense::OPCODE, &[]),
    (ModeSense10::OPCODE, &[]),
    (PersistentReserveIn::OPCODE, &[0, 1, 2, 3]),
    (PersistentReserveOut::OPCODE, &[0, 1, 2, 3, 4, 5, 6]),
    (ReadAttribute::OPCODE, &[0, 1, 2, 3, 5]),
    (WriteAttribute::OPCODE, &[]),
    (ReportLuns::OPCODE, &[]),
    (ReportSupportedOperationCodes::OPCODE, &[ReportSupportedOperationCodes::SERVICE_ACTION]),
];

/// Bytes of the longest list: fewer than 48 commands of 20 bytes.
const LIST_BUFFER: usize = 4 + 48 * 20;
/// Seconds for commands that move a cartridge or a tape, and for others.
const MOTION_SECONDS: u32 = 30 * 60;
const STATUS_SECONDS: u32 = 60;

impl Device {
    fn commands(&self, lun: Lun) -> impl Iterator<Item = (u8, &'static [u8])> + use<> {
        let changer = matches!(lun, Lun::Changer);
        let lacks: Vec<u8> = CHANGER
            .iter()
            .map(|(opcode, _)| *opcode)
            .filter(|opcode| changer && self.lacks(*opcode))
            .collect();
        let all = match lun {
            Lun::Changer => CHANGER,
            Lun::Drive(_) => DRIVE,
        };
        all.iter().copied().filter(move |(opcode, _)| !lacks.contains(opcode))
    }

    /// Whether the changer does not know the command.
    fn lacks(&self, opcode: u8) -> bool {
        match opcode {
            ExchangeMedium::OPCODE => self.lacks_exchange(),
            PreventAllowMediumRemoval::OPCODE => self.quirks.has(Quirk::NoPrevent),
            OpenCloseImportExport::OPCODE => self.quirks.has(Quirk::NoPortCommand),
            other => self.lacks_form(other),
        }
    }

    pub(crate) fn operation_codes(
        &self,
        lun: Lun,
        command: ReportSupportedOperationCodes,
        room: u32,
    ) -> Result<Answer, Sense> {
        if self.quirks.has(Quirk::NoOperationCodes) {
            return Err(illegal(0x20, 0x00));
        }
        let minutes = self.quirks.number(Quirk::RecommendsMinutes(0));
        let timeouts = |opcode| match minutes {
            Some(minutes) => {
                CommandTimeouts { specific: 0, nominal: 1, recommended: 60 * u32::from(minutes) }
            }
            None => timeouts(opcode),
        };
        let data = match command.options {
            ReportingOptions::All => {
                let listed = self.commands(lun).flat_map(|(opcode, actions)| {
                    let alone = actions.is_empty().then_some(None);
                    let actions = actions.iter().map(|action| Some(u16::from(*action)));
                    alone.into_iter().chain(actions).map(move |service_action| SupportedCommand {
                        opcode,
                        service_action,
                        cdb_length: length(opcode),
                        timeouts: command.timeouts.then(|| timeouts(opcode)),
                    })
                });
                written(LIST_BUFFER, |buffer| SupportedCommands::write(listed, buffer))
            }
            options => {
                let known = self.commands(lun).find(|(opcode, _)| *opcode == command.opcode);
                let has_actions = known.is_some_and(|(_, actions)| !actions.is_empty());
                let wrong = match options {
                    ReportingOptions::Opcode => has_actions,
                    ReportingOptions::ServiceAction => known.is_some() && !has_actions,
                    _ => false,
                };
                if wrong {
                    return Err(Sense::invalid_field(InvalidField { byte: 2, bit: Some(2) }));
                }
                let known = known.filter(|(_, actions)| {
                    actions.is_empty() || actions.iter().any(|it| u16::from(*it) == command.service_action)
                });
                one(lun, command, known.is_some(), has_actions)
            }
        };
        Ok(transfer(data, command.allocation, room))
    }
}

/// What is said of one command.
fn one(
    lun: Lun,
    command: ReportSupportedOperationCodes,
    known: bool,
    has_actions: bool,
) -> alloc::vec::Vec<u8> {
    let usage = match lun {
        Lun::Changer => ChangerCommand::usage(command.opcode),
        Lun::Drive(_) => TapeCommand::usage(command.opcode),
    };
    let mut usage = usage.filter(|_| known).map(|cdb| cdb.as_bytes().to_vec()).unwrap_or_default();
    if has_actions && let Some(byte) = usage.get_mut(1) {
        // Usage data hold the service action itself (SPC-4 6.35.3).
        *byte = *byte & 0xE0 | u8::try_from(command.service_action).unwrap_or(0) & 0x1F;
    }
    let answer = OneCommand {
        support: if known { CommandSupport::Standard } else { CommandSupport::Unsupported },
        usage: &usage,
        timeouts: (known && command.timeouts).then(|| timeouts(command.opcode)),
    };
    written(LIST_BUFFER, |buffer| answer.write(buffer))
}

fn length(opcode: u8) -> u16 {
    cdb_length(opcode).and_then(|length| u16::try_from(length).ok()).unwrap_or(0)
}

fn timeouts(opcode: u8) -> CommandTimeouts {
    // Of changers and drives: where they share an operation code, both move something.
    let moves = matches!(
        opcode,
        InitializeElementStatus::OPCODE
            | InitializeElementStatusWithRange::OPCODE
            | InitializeElementStatusWithRangeVendor::OPCODE
            | OpenCloseImportExport::OPCODE
            | PositionToElement::OPCODE
            | MoveMedium::OPCODE
            | ExchangeMedium::OPCODE
            | Rewind::OPCODE
            | Read6::OPCODE
            | Write6::OPCODE
            | WriteFilemarks6::OPCODE
    );
    let recommended = if moves { MOTION_SECONDS } else { STATUS_SECONDS };
    CommandTimeouts { specific: 0, nominal: 1, recommended }
}
