//! REPORT SUPPORTED OPERATION CODES: which commands a device has (SPC).

use crate::ShortData;
use crate::bytes::{Sink, bit_at, slice_at, u8_at, u16_at, u32_at};

/// Bytes of the header of both forms.
const HEADER: usize = 4;
/// Bytes of a command in the list of all.
const ENTRY: usize = 8;
/// Bytes of the timeouts of a command, their length included.
const TIMEOUTS: usize = 12;
/// What the length field of the timeouts says.
const TIMEOUTS_LENGTH: u16 = 10;

/// How long a command takes, in seconds; 0 where the device does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CommandTimeouts {
    /// Depends on the command.
    pub specific: u8,
    /// Until the device has usually answered.
    pub nominal: u32,
    /// Until an initiator should stop waiting. Take the longer of this and one's own.
    pub recommended: u32,
}

impl CommandTimeouts {
    /// Reads the descriptor; `None` if it is cut. What its length field says is not needed.
    fn parse(data: &[u8]) -> Option<Self> {
        Some(Self { specific: u8_at(data, 3)?, nominal: u32_at(data, 4)?, recommended: u32_at(data, 8)? })
    }

    fn put(self, sink: &mut Sink<'_>) {
        sink.put(&TIMEOUTS_LENGTH.to_be_bytes());
        sink.put(&[0, self.specific]);
        sink.put(&self.nominal.to_be_bytes());
        sink.put(&self.recommended.to_be_bytes());
    }
}

/// A command in the list of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SupportedCommand {
    /// Operation code.
    pub opcode: u8,
    /// Service action, for commands that have them.
    pub service_action: Option<u16>,
    /// Bytes of its CDB.
    pub cdb_length: u16,
    /// How long it takes, if that was asked for and told.
    pub timeouts: Option<CommandTimeouts>,
}

/// The list of all commands.
#[derive(Clone, Copy, Debug)]
#[doc(alias = "RSOC")]
pub struct SupportedCommands<'a> {
    entries: &'a [u8],
    length: u32,
}

impl<'a> SupportedCommands<'a> {
    /// Reads the data.
    ///
    /// # Errors
    /// [`ShortData`] if the header of four bytes is not whole.
    pub fn parse(data: &'a [u8]) -> Result<Self, ShortData> {
        ShortData::check(data, HEADER)?;
        let length = u32_at(data, 0).unwrap_or(0);
        Ok(Self { entries: slice_at(data, HEADER, usize::try_from(length).unwrap_or(usize::MAX)), length })
    }

    /// The commands in the order in which they came; a last one that is cut is left out.
    pub fn commands(&self) -> impl Iterator<Item = SupportedCommand> + use<'a> {
        let mut rest = self.entries;
        core::iter::from_fn(move || {
            let entry = rest.first_chunk::<ENTRY>()?;
            let timed = bit_at(entry, 5, 1);
            let end = if timed { ENTRY + TIMEOUTS } else { ENTRY };
            let command = SupportedCommand {
                opcode: entry[0],
                service_action: bit_at(entry, 5, 0).then_some(u16_at(entry, 2)?),
                cdb_length: u16_at(entry, 6)?,
                timeouts: if timed { Some(CommandTimeouts::parse(rest.get(ENTRY..)?)?) } else { None },
            };
            rest = rest.get(end..)?;
            Some(command)
        })
    }

    /// A command; without a service action, whichever comes first.
    pub fn find(&self, opcode: u8, service_action: Option<u16>) -> Option<SupportedCommand> {
        let fits = |command: &SupportedCommand| {
            command.opcode == opcode && (service_action.is_none() || command.service_action == service_action)
        };
        self.commands().find(fits)
    }

    /// Whether there are more than were transferred.
    pub fn is_truncated(&self) -> bool {
        u32::try_from(self.entries.len()).is_ok_and(|got| got < self.length)
    }

    /// Writes the data as a target does; returns how many bytes are in `buffer`. The length in it is that of the
    /// whole list.
    pub fn write(commands: impl IntoIterator<Item = SupportedCommand>, buffer: &mut [u8]) -> usize {
        let mut sink = Sink::new(buffer);
        sink.fill(0, HEADER);
        for command in commands {
            let [action_high, action_low] = command.service_action.unwrap_or(0).to_be_bytes();
            let [length_high, length_low] = command.cdb_length.to_be_bytes();
            let flags =
                u8::from(command.timeouts.is_some()) << 1 | u8::from(command.service_action.is_some());
            sink.put(&[command.opcode, 0, action_high, action_low, 0, flags, length_high, length_low]);
            if let Some(timeouts) = command.timeouts {
                timeouts.put(&mut sink);
            }
        }
        let length = u32::try_from(sink.total() - HEADER).unwrap_or(u32::MAX);
        sink.patch(0, &length.to_be_bytes());
        sink.written()
    }
}

/// Whether a device has a command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CommandSupport {
    /// It does not tell now.
    #[default]
    Unknown,
    /// It has not.
    Unsupported,
    /// It has, as the standard says.
    Standard,
    /// It has, in the vendor's own way.
    Vendor,
}

/// The answer about one command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct OneCommand<'a> {
    /// Whether the device has it.
    pub support: CommandSupport,
    /// The bits of the CDB that count; the first byte is the operation code. One known device sends zeros.
    pub usage: &'a [u8],
    /// How long it takes, if that was asked for and told.
    pub timeouts: Option<CommandTimeouts>,
}

impl<'a> OneCommand<'a> {
    /// Reads the data. Usage data that is cut is given as far as it goes.
    ///
    /// # Errors
    /// [`ShortData`] if there are fewer than two bytes.
    pub fn parse(data: &'a [u8]) -> Result<Self, ShortData> {
        ShortData::check(data, 2)?;
        let support = match u8_at(data, 1).unwrap_or(0) & 0x07 {
            1 => CommandSupport::Unsupported,
            3 => CommandSupport::Standard,
            5 => CommandSupport::Vendor,
            _ => CommandSupport::Unknown,
        };
        let length = usize::from(u16_at(data, 2).unwrap_or(0));
        let timeouts = match bit_at(data, 1, 7) {
            true => data.get(HEADER + length..).and_then(CommandTimeouts::parse),
            false => None,
        };
        Ok(Self { support, usage: slice_at(data, HEADER, length), timeouts })
    }

    /// Writes the data as a target does; returns how many bytes are in `buffer`.
    pub fn write(&self, buffer: &mut [u8]) -> usize {
        let support = match self.support {
            CommandSupport::Unknown => 0,
            CommandSupport::Unsupported => 1,
            CommandSupport::Standard => 3,
            CommandSupport::Vendor => 5,
        };
        let mut sink = Sink::new(buffer);
        sink.put(&[0, u8::from(self.timeouts.is_some()) << 7 | support]);
        sink.put(&u16::try_from(self.usage.len()).unwrap_or(u16::MAX).to_be_bytes());
        sink.put(self.usage);
        if let Some(timeouts) = self.timeouts {
            timeouts.put(&mut sink);
        }
        sink.written()
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    const MOVE: SupportedCommand =
        SupportedCommand { opcode: 0xA5, service_action: None, cdb_length: 12, timeouts: None };
    const REPORT: SupportedCommand = SupportedCommand {
        opcode: 0xA3,
        service_action: Some(0x0C),
        cdb_length: 12,
        timeouts: Some(CommandTimeouts { specific: 0, nominal: 1, recommended: 0x0102_0304 }),
    };

    #[test]
    fn the_list_is_read_with_and_without_timeouts() {
        let data = [
            0, 0, 0, 28, // length
            0xA5, 0, 0, 0, 0, 0, 0, 12, // MOVE MEDIUM
            0xA3, 0, 0, 0x0C, 0, 3, 0, 12, // with service action and timeouts
            0, 10, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4,
        ];
        let list = SupportedCommands::parse(&data).expect("header");
        assert_eq!(list.commands().collect::<Vec<_>>(), [MOVE, REPORT]);
        assert_eq!((list.find(0xA3, Some(0x0C)), list.find(0xA3, Some(5))), (Some(REPORT), None));
        assert_eq!((list.find(0xA5, None), list.is_truncated()), (Some(MOVE), false));
        let mut buffer = [0xEE; 32];
        assert_eq!(SupportedCommands::write([MOVE, REPORT], &mut buffer), 32);
        assert_eq!(buffer, data);
        for end in 4..32 {
            let cut = SupportedCommands::parse(&data[..end]).expect("header");
            assert!(cut.is_truncated());
            assert_eq!(cut.commands().count(), usize::from(end >= 12), "{end} bytes");
        }
    }

    #[test]
    fn one_command_is_read_as_it_was_written() {
        let usage = [0xA5, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 1, 0];
        let timeouts = CommandTimeouts { specific: 9, nominal: 30, recommended: 1800 };
        for timeouts in [None, Some(timeouts)] {
            let one = OneCommand { support: CommandSupport::Standard, usage: &usage, timeouts };
            let mut buffer = [0xEE; 28];
            let length = one.write(&mut buffer);
            assert_eq!(length, if timeouts.is_some() { 28 } else { 16 });
            assert_eq!(OneCommand::parse(&buffer[..length]), Ok(one));
        }
        // From tgt: supported, and the usage data are zeros.
        let data = [0, 3, 0, 6, 0, 0, 0, 0, 0, 0];
        let one = OneCommand::parse(&data).expect("header");
        assert_eq!((one.support, one.usage, one.timeouts), (CommandSupport::Standard, &[0; 6][..], None));
        assert_eq!(OneCommand::parse(&[0, 1]).map(|one| one.support), Ok(CommandSupport::Unsupported));
        assert_eq!(OneCommand::parse(&[0]), Err(ShortData { needed: 2, got: 1 }));
    }
}
