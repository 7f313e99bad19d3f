//! Whatever can be sent or answered.

use autochanger_scsi::*;
use proptest::prelude::*;

pub(super) fn address() -> impl Strategy<Value = ElementAddress> {
    any::<u16>().prop_map(ElementAddress)
}

pub(super) fn element_type() -> impl Strategy<Value = ElementType> {
    prop::sample::select(&ElementType::ALL[..])
}

pub(super) fn page_control() -> impl Strategy<Value = PageControl> {
    use PageControl::{Changeable, Current, Default, Saved};
    prop::sample::select(&[Current, Changeable, Default, Saved][..])
}

pub(super) fn range() -> impl Strategy<Value = Option<(ElementAddress, u16)>> {
    prop::option::of((address(), any::<u16>()))
}

pub(super) fn changer_command() -> impl Strategy<Value = ChangerCommand> {
    let addresses = || (address(), address(), address(), address());
    prop_oneof![
        Just(TestUnitReady {}.into()),
        Just(InitializeElementStatus {}.into()),
        (any::<bool>(), any::<u8>()).prop_map(|(descriptor, allocation)| RequestSense {
            descriptor,
            allocation
        }
        .into()),
        (any::<Option<u8>>(), any::<u16>()).prop_map(|(vpd, allocation)| Inquiry { vpd, allocation }.into()),
        (any::<u8>(), any::<u32>()).prop_map(|(select, allocation)| ReportLuns { select, allocation }.into()),
        (0u8..0x40, any::<u8>(), page_control(), any::<bool>(), any::<u8>()).prop_map(
            |(page, subpage, control, disable_block_descriptors, allocation)| {
                ModeSense6 { page, subpage, control, disable_block_descriptors, allocation }.into()
            }
        ),
        (0u8..0x40, any::<u8>(), page_control(), any::<bool>(), any::<u16>()).prop_map(
            |(page, subpage, control, disable_block_descriptors, allocation)| {
                ModeSense10 { page, subpage, control, disable_block_descriptors, allocation }.into()
            }
        ),
        (any::<bool>(), range())
            .prop_map(|(fast, range)| InitializeElementStatusWithRange { fast, range }.into()),
        (any::<bool>(), range()).prop_map(|(no_bar_code, range)| {
            InitializeElementStatusWithRangeVendor { no_bar_code, range }.into()
        }),
        (prop::option::of(element_type()), address(), any::<(u16, bool, bool, bool)>(), 0u32..0x100_0000)
            .prop_map(|(element_type, start, (count, volume_tags, current_data, device_ids), allocation)| {
                ReadElementStatus {
                    element_type,
                    start,
                    count,
                    volume_tags,
                    current_data,
                    device_ids,
                    allocation,
                }
                .into()
            }),
        (addresses(), any::<bool>()).prop_map(|((transport, source, destination, _), invert)| {
            MoveMedium { transport, source, destination, invert }.into()
        }),
        (addresses(), any::<(bool, bool)>()).prop_map(
            |((transport, source, first_destination, second_destination), (invert_first, invert_second))| {
                ExchangeMedium {
                    transport,
                    source,
                    first_destination,
                    second_destination,
                    invert_first,
                    invert_second,
                }
                .into()
            }
        ),
        (address(), address(), any::<bool>()).prop_map(|(transport, destination, invert)| {
            PositionToElement { transport, destination, invert }.into()
        }),
        any::<bool>().prop_map(|prevent| PreventAllowMediumRemoval { prevent }.into()),
        (address(), choice(PortAction::ALL)).prop_map(|(element, action)| OpenCloseImportExport {
            element,
            action
        }
        .into()),
        (prop::option::of(element_type()), address(), choice(VolumeTagAction::ALL), any::<u16>()).prop_map(
            |(element_type, start, action, length)| {
                SendVolumeTag { element_type, start, action, length }.into()
            }
        ),
        (prop::option::of(element_type()), address(), any::<(u16, bool)>(), 0u32..0x100_0000).prop_map(
            |(element_type, start, (count, volume_tags), allocation)| {
                RequestVolumeElementAddress { element_type, start, count, volume_tags, allocation }.into()
            }
        ),
        common_command().prop_map(|common| ChangerCommand::decode(common.as_bytes()).expect("shared")),
    ]
}

pub(super) fn choice<T: Copy + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = T> {
    prop::sample::select(all)
}

/// What changers and drives both have.
pub(super) fn common_command() -> impl Strategy<Value = Cdb> {
    prop_oneof![
        (0u8..0x40, any::<(u8, bool, bool, u16, u16)>(), choice(LogControl::ALL)).prop_map(
            |(page, (subpage, changed_only, save, parameter, allocation), control)| {
                LogSense { page, subpage, control, changed_only, save, parameter, allocation }.cdb()
            }
        ),
        (choice(PersistentReserveInAction::ALL), any::<u16>())
            .prop_map(|(action, allocation)| PersistentReserveIn { action, allocation }.cdb()),
        (choice(PersistentReserveOutAction::ALL), 0u8..16, 0u8..16, any::<u32>()).prop_map(
            |(action, scope, kind, length)| PersistentReserveOut { action, scope, kind, length }.cdb()
        ),
        (choice(ReportingOptions::ALL), any::<(bool, u8, u16, u32)>()).prop_map(
            |(options, (timeouts, opcode, service_action, allocation))| {
                ReportSupportedOperationCodes { timeouts, options, opcode, service_action, allocation }.cdb()
            }
        ),
        (choice(ReadAttributeAction::ALL), address(), any::<(u8, u8, u16, u32, bool)>()).prop_map(
            |(action, element, (volume, partition, first, allocation, cache))| {
                ReadAttribute { action, element, volume, partition, first, allocation, cache }.cdb()
            }
        ),
        (address(), any::<(bool, u8, u8, u32)>()).prop_map(
            |(element, (write_through, volume, partition, length))| {
                WriteAttribute { write_through, element, volume, partition, length }.cdb()
            }
        ),
    ]
}

pub(super) fn tape_command() -> impl Strategy<Value = TapeCommand> {
    let flags = any::<[bool; 5]>();
    prop_oneof![
        flags.prop_map(|[immediate, load, retension, end_of_tape, hold]| {
            LoadUnload { immediate, load, retension, end_of_tape, hold }.into()
        }),
        any::<bool>().prop_map(|immediate| Rewind { immediate }.into()),
        any::<(bool, Option<u8>, bool, u32)>().prop_map(|(immediate, partition, device_specific, block)| {
            Locate10 { immediate, partition, device_specific, block }.into()
        }),
        (any::<(bool, bool)>(), 0u32..0x100_0000).prop_map(|((fixed, suppress_incorrect_length), length)| {
            Read6 { fixed, suppress_incorrect_length, length }.into()
        }),
        (any::<bool>(), 0u32..0x100_0000).prop_map(|(fixed, length)| Write6 { fixed, length }.into()),
        (any::<bool>(), 0u32..0x100_0000)
            .prop_map(|(immediate, count)| WriteFilemarks6 { immediate, count }.into()),
        (choice(PositionForm::ALL), any::<u16>()).prop_map(|(form, allocation)| ReadPosition {
            form,
            allocation
        }
        .into()),
        any::<(bool, bool, u16)>().prop_map(|(medium, medium_types, allocation)| {
            ReportDensitySupport { medium, medium_types, allocation }.into()
        }),
        common_command().prop_map(|common| TapeCommand::decode(common.as_bytes()).expect("shared")),
    ]
}

pub(super) fn sense() -> impl Strategy<Value = Sense> {
    let flags = any::<(bool, bool, bool, bool, bool)>();
    let field = (any::<bool>(), any::<u16>(), prop::option::of(0u8..8));
    (0u8..16, any::<(u8, u8, u8)>(), prop::option::of(any::<u64>()), flags, field, any::<Option<u16>>())
        .prop_map(|(key, (asc, ascq, fru), information, flags, (command, byte, bit), progress)| {
            let key = SenseKey::from_bits(key);
            let mut sense = Sense { information, fru, ..Sense::new(key, asc, ascq) };
            (sense.deferred, sense.filemark, sense.end_of_medium, sense.incorrect_length, _) = flags;
            match key {
                SenseKey::IllegalRequest => sense.field_pointer = Some(FieldPointer { command, byte, bit }),
                SenseKey::NoSense | SenseKey::NotReady => sense.progress = progress,
                SenseKey::UnitAttention => sense.unit_attention_overflow = flags.4,
                _ => {}
            }
            sense
        })
}

#[derive(Clone, Debug)]
pub(super) struct Owned {
    pub(super) record: ElementRecord<'static>,
    pub(super) tag: Option<String>,
    pub(super) serial: Option<String>,
}

pub(super) fn record() -> impl Strategy<Value = Owned> {
    let bits = any::<[bool; 9]>();
    let codes = (any::<Option<(u8, u8)>>(), 0u8..8, any::<Option<u16>>());
    let texts = (prop::option::of("[!-~]([ -~]{0,30}[!-~])?"), prop::option::of("[!-~]{1,10}"));
    (address(), bits, codes, texts).prop_map(
        |(address, bits, (except, medium_type, source), (tag, serial))| {
            let [full, access, import_export, export_enabled, import_enabled, ..] = bits;
            let [.., connected_changer, operator_intervention, disabled, inverted] = bits;
            let record = ElementRecord {
                full,
                access,
                import_export,
                export_enabled,
                import_enabled,
                connected_changer,
                operator_intervention,
                disabled,
                inverted,
                except: except.map(|(asc, ascq)| AdditionalSense::new(asc, ascq)),
                medium_type: MediumType::from(medium_type),
                source: source.map(ElementAddress),
                ..ElementRecord::new(address)
            };
            Owned { record, tag, serial }
        },
    )
}

pub(super) fn pages() -> impl Strategy<Value = Vec<(ElementPageOptions, Vec<Owned>)>> {
    let options = (element_type(), any::<bool>(), any::<bool>(), 0u8..8).prop_map(
        |(element_type, volume_tags, alternate_volume_tags, vendor_bytes)| ElementPageOptions {
            volume_tags,
            alternate_volume_tags,
            identifier: Some(34),
            vendor_bytes,
            ..ElementPageOptions::new(element_type)
        },
    );
    prop::collection::vec((options, prop::collection::vec(record(), 1..5)), 0..5)
}

/// A T10 identifier of 34 bytes.
pub(super) fn t10(serial: &str) -> String {
    format!("ACME    LTO-8           {serial:10}")
}
