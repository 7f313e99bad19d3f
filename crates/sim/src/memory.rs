//! Medium auxiliary memory: the chip in each cartridge, read and written through a drive.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;

use autochanger_scsi::{
    ATTRIBUTES, Attribute, AttributeFormat, AttributeIds, AttributeKind, AttributeSource, AttributeWriter,
    Attributes, InvalidField, PartitionList, ReadAttribute, ReadAttributeAction, Sense, TapeAlertFlags,
    WriteAttribute, attribute_id as id,
};

use crate::answer::{Answer, illegal, transfer, written};
use crate::device::Device;
use crate::drive::unknown_drive;
use crate::identity::Lun;
use crate::shelves::{Cartridge, Medium};

/// Bytes that hosts can write into one memory: what an LTO chip has.
const CAPACITY: usize = 16 * 1024;
/// The whole memory as READ ATTRIBUTE gives it, with room for what the drive adds.
const MEMORY_BUFFER: usize = 2 * CAPACITY;
/// LTO-8: capacity in MiB, and density code.
const CAPACITY_MIB: u64 = 12_000_000_000_000 / (1024 * 1024);
pub(crate) const DENSITY: u8 = 0x5E;

/// The attributes that hosts have written.
pub(crate) type Memory = BTreeMap<u16, (AttributeFormat, Vec<u8>)>;

/// An attribute that owns its value.
struct Owned {
    id: u16,
    format: AttributeFormat,
    read_only: bool,
    value: Vec<u8>,
}

impl Owned {
    fn number(id: u16, value: u64) -> Self {
        let length = AttributeKind::of(id).map_or(8, |kind| usize::from(kind.length)).min(8);
        let value = value.to_be_bytes().get(8 - length..).unwrap_or_default().to_vec();
        Self { id, format: AttributeFormat::Binary, read_only: true, value }
    }

    fn text(id: u16, text: &str) -> Self {
        let length = AttributeKind::of(id).map_or(text.len(), |kind| usize::from(kind.length));
        let mut value = text.as_bytes().to_vec();
        value.resize(length, b' ');
        Self { id, format: AttributeFormat::Ascii, read_only: true, value }
    }
}

/// What cartridge and drive know by themselves.
fn own_attributes(cartridge: &Cartridge, drive: &str, alerts: TapeAlertFlags) -> Vec<Owned> {
    let cleaning = cartridge.medium == Medium::Cleaning;
    let used: usize = cartridge.memory.values().map(|(_, value)| value.len()).sum();
    let free = CAPACITY.saturating_sub(used) as u64;
    let mut own = Vec::from([
        Owned::number(id::TAPE_ALERT, alerts.bits()),
        Owned::number(id::LOAD_COUNT, cartridge.loads),
        Owned::number(id::MEMORY_FREE, free),
        Owned::text(id::LAST_DRIVE, drive),
        Owned::text(id::MANUFACTURER, "AUTOCHGR"),
        Owned::text(id::MEDIUM_SERIAL, &cartridge.serial()),
        Owned::number(id::MEDIUM_DENSITY, u64::from(DENSITY)),
        Owned::number(id::MEMORY_CAPACITY, CAPACITY as u64),
        Owned::number(id::MEDIUM_TYPE, u64::from(cleaning)),
    ]);
    if !cleaning {
        own.insert(0, Owned::number(id::MAXIMUM_CAPACITY, CAPACITY_MIB));
        own.insert(0, Owned::number(id::REMAINING_CAPACITY, CAPACITY_MIB));
    }
    own
}

impl Device {
    fn memory_of(&self, index: usize) -> Result<&Cartridge, Sense> {
        let drive = self.drives.get(index).ok_or_else(unknown_drive)?;
        if !drive.memory_accessible() {
            return Err(drive.unready().unwrap_or_else(unknown_drive));
        }
        self.shelves.cartridge(drive.address).ok_or_else(unknown_drive)
    }

    pub(crate) fn read_attribute(
        &self,
        index: usize,
        command: ReadAttribute,
        room: u32,
    ) -> Result<Answer, Sense> {
        only_memory(command.element.0, command.volume, command.partition)?;
        let cartridge = self.memory_of(index)?;
        let lun = crate::motion::drive_lun(index);
        let alerts = self.service.alerts.get(&lun).copied().unwrap_or_default();
        let drive = self.names.t10(Lun::Drive(index));
        let drive = format!(
            "{:<8}{}",
            core::str::from_utf8(drive.get(..8).unwrap_or_default()).unwrap_or_default(),
            self.names.drive_serial(index)
        );
        let mut all = own_attributes(cartridge, &drive, alerts);
        all.extend(cartridge.memory.iter().map(|(id, (format, value))| Owned {
            id: *id,
            format: *format,
            read_only: false,
            value: value.clone(),
        }));
        let data = match command.action {
            ReadAttributeAction::Values => {
                if command.first > 0 && !all.iter().any(|it| it.id == command.first) {
                    // As IBM's drives: to begin with an attribute that has no value is an error.
                    return Err(Sense::invalid_field(InvalidField { byte: 8, bit: None }));
                }
                written(MEMORY_BUFFER, |buffer| {
                    let mut writer = AttributeWriter::new(buffer);
                    for Owned { id, format, read_only, value } in
                        all.iter().filter(|it| it.id >= command.first)
                    {
                        writer.attribute(&Attribute {
                            id: *id,
                            read_only: *read_only,
                            format: *format,
                            value,
                        });
                    }
                    writer.finish()
                })
            }
            ReadAttributeAction::List => {
                written(MEMORY_BUFFER, |buffer| AttributeIds::write(all.iter().map(|it| it.id), buffer))
            }
            ReadAttributeAction::Supported => {
                let ids = ATTRIBUTES.iter().map(|kind| kind.id);
                written(MEMORY_BUFFER, |buffer| AttributeIds::write(ids, buffer))
            }
            ReadAttributeAction::LogicalVolumes | ReadAttributeAction::Partitions => {
                PartitionList { first: 0, count: 1 }.to_bytes().to_vec()
            }
        };
        Ok(transfer(data, command.allocation, room))
    }

    /// All attributes are written, or none.
    pub(crate) fn write_attribute(
        &mut self,
        index: usize,
        command: WriteAttribute,
        list: &[u8],
    ) -> Result<Answer, Sense> {
        only_memory(command.element.0, command.volume, command.partition)?;
        let mut memory = self.memory_of(index)?.memory.clone();
        let length = usize::try_from(command.length).unwrap_or(usize::MAX);
        let list = list.get(..length).ok_or(illegal(0x1A, 0x00))?;
        if length == 0 {
            return Ok(Answer::good());
        }
        let attributes = Attributes::parse(list).map_err(|_| illegal(0x1A, 0x00))?;
        if !attributes.is_well_formed() {
            return Err(illegal(0x26, 0x00));
        }
        let mut last = None;
        for attribute in attributes.iter() {
            let fits = attribute.kind().is_none_or(|kind| {
                kind.format == attribute.format
                    && (kind.length == 0 || usize::from(kind.length) == attribute.value.len())
            });
            let deletes = attribute.value.is_empty();
            let host = AttributeSource::of(attribute.id) == Some(AttributeSource::Host);
            if !host || !(fits || deletes) || last.is_some_and(|last| last >= attribute.id) {
                return Err(illegal(0x26, 0x00));
            }
            last = Some(attribute.id);
            if deletes {
                memory.remove(&attribute.id);
            } else {
                memory.insert(attribute.id, (attribute.format, attribute.value.to_vec()));
            }
        }
        if memory.values().map(|(_, value)| value.len()).sum::<usize>() > CAPACITY {
            // AUXILIARY MEMORY OUT OF SPACE.
            return Err(illegal(0x55, 0x06));
        }
        let address = self.drives.get(index).ok_or_else(unknown_drive)?.address;
        if let Some(cartridge) = self.shelves.cartridge_mut(address) {
            cartridge.memory = memory;
        }
        Ok(Answer::good())
    }
}

/// There is one memory in a drive, with one volume and one partition.
fn only_memory(element: u16, volume: u8, partition: u8) -> Result<(), Sense> {
    let fields = [(element != 0, 2), (volume != 0, 5), (partition != 0, 7)];
    match fields.into_iter().find(|(set, _)| *set) {
        Some((_, byte)) => Err(Sense::invalid_field(InvalidField { byte, bit: None })),
        None => Ok(()),
    }
}
