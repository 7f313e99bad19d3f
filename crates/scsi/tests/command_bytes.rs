//! Commands byte by byte, as the standards lay them out.

use autochanger_scsi::*;

#[track_caller]
fn check_changer(command: impl Into<ChangerCommand>, bytes: &[u8]) {
    let command = command.into();
    assert_eq!(command.cdb().as_bytes(), bytes, "{command:?}");
    assert_eq!(ChangerCommand::decode(bytes), Ok(command));
}

#[track_caller]
fn check_tape(command: impl Into<TapeCommand>, bytes: &[u8]) {
    let command = command.into();
    assert_eq!(command.cdb().as_bytes(), bytes, "{command:?}");
    assert_eq!(TapeCommand::decode(bytes), Ok(command));
}

#[test]
fn ports_are_opened_and_closed() {
    let element = ElementAddress(0x0102);
    let open = OpenCloseImportExport { element, action: PortAction::Open };
    check_changer(open, &[0x1B, 0, 1, 2, 0, 0]);
    check_changer(OpenCloseImportExport { action: PortAction::Close, ..open }, &[0x1B, 0, 1, 2, 1, 0]);
    let pointer = CdbError::Field(InvalidField { byte: 4, bit: Some(4) });
    assert_eq!(ChangerCommand::decode(&[0x1B, 0, 1, 2, 2, 0]), Err(pointer));
}

#[test]
fn volume_tags_are_searched_and_what_was_found_is_fetched() {
    let search = SendVolumeTag {
        element_type: Some(ElementType::Storage),
        start: ElementAddress(0x0304),
        action: VolumeTagAction::TranslatePrimaryAnySequence,
        length: 40,
    };
    check_changer(search, &[0xB6, 2, 3, 4, 0, 5, 0, 0, 0, 40, 0, 0]);
    let fetch = RequestVolumeElementAddress {
        element_type: None,
        start: ElementAddress(0x0304),
        count: 0x0506,
        volume_tags: true,
        allocation: 0x01_0203,
    };
    check_changer(fetch, &[0xB5, 0x10, 3, 4, 5, 6, 0, 1, 2, 3, 0, 0]);
    assert!(VolumeTagAction::TranslateAlternateAnySequence.translates());
    assert!(!VolumeTagAction::AssertPrimary.translates());
}

#[test]
fn logs_are_read() {
    // As they stand in the captures.
    let page = |page| LogSense { page, allocation: 4096, ..LogSense::default() };
    check_changer(page(0x2E), &[0x4D, 0, 0x6E, 0, 0, 0, 0, 0x10, 0, 0]);
    check_tape(page(0x11), &[0x4D, 0, 0x51, 0, 0, 0, 0, 0x10, 0, 0]);
    let all = LogSense {
        page: 0x15,
        subpage: 0xFF,
        control: LogControl::DefaultCumulative,
        changed_only: true,
        save: true,
        parameter: 0x0102,
        allocation: 0x0304,
    };
    check_changer(all, &[0x4D, 3, 0xD5, 0xFF, 0, 1, 2, 3, 4, 0]);
}

#[test]
fn reservations_are_asked_for_and_made() {
    let ask = PersistentReserveIn { action: PersistentReserveInAction::ReportCapabilities, allocation: 256 };
    check_changer(ask, &[0x5E, 2, 0, 0, 0, 0, 0, 1, 0, 0]);
    let take = PersistentReserveOut {
        action: PersistentReserveOutAction::Preempt,
        scope: 0,
        kind: ReservationType::ExclusiveAccessRegistrants.code(),
        length: 24,
    };
    check_tape(take, &[0x5F, 4, 6, 0, 0, 0, 0, 0, 24, 0]);
    let pointer = CdbError::Field(InvalidField { byte: 1, bit: Some(4) });
    assert_eq!(ChangerCommand::decode(&[0x5E, 4, 0, 0, 0, 0, 0, 1, 0, 0]), Err(pointer));
}

#[test]
fn supported_commands_are_asked_for_by_their_service_action() {
    let one = ReportSupportedOperationCodes {
        timeouts: true,
        options: ReportingOptions::ServiceAction,
        opcode: 0x5E,
        service_action: 0x0102,
        allocation: 0x0304_0506,
    };
    check_changer(one, &[0xA3, 0x0C, 0x82, 0x5E, 1, 2, 3, 4, 5, 6, 0, 0]);
    // REPORT TARGET PORT GROUPS is another command of the same operation code.
    let pointer = CdbError::Field(InvalidField { byte: 1, bit: Some(4) });
    assert_eq!(ChangerCommand::decode(&[0xA3, 0x0A, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), Err(pointer));
    assert_eq!(ReportSupportedOperationCodes::SERVICE_ACTION, 0x0C);
}

#[test]
fn the_memory_of_a_cartridge_is_read_and_written() {
    let read = ReadAttribute {
        action: ReadAttributeAction::Supported,
        element: ElementAddress(0x0102),
        volume: 3,
        partition: 4,
        first: 0x0506,
        allocation: 0x0708_090A,
        cache: true,
    };
    check_tape(read, &[0x8C, 5, 1, 2, 0, 3, 0, 4, 5, 6, 7, 8, 9, 10, 1, 0]);
    let write = WriteAttribute {
        write_through: true,
        element: ElementAddress(0),
        volume: 3,
        partition: 4,
        length: 0x0708_090A,
    };
    check_changer(write, &[0x8D, 1, 0, 0, 0, 3, 0, 4, 0, 0, 7, 8, 9, 10, 0, 0]);
}

#[test]
fn drives_are_positioned_read_and_written() {
    check_tape(Rewind { immediate: true }, &[0x01, 1, 0, 0, 0, 0]);
    let locate = Locate10 { immediate: true, partition: Some(2), device_specific: false, block: 0x0304_0506 };
    check_tape(locate, &[0x2B, 3, 0, 3, 4, 5, 6, 0, 2, 0]);
    check_tape(Locate10 { partition: None, ..locate }, &[0x2B, 1, 0, 3, 4, 5, 6, 0, 0, 0]);
    let read = Read6 { fixed: false, suppress_incorrect_length: true, length: 0x01_0203 };
    check_tape(read, &[0x08, 2, 1, 2, 3, 0]);
    check_tape(Write6 { fixed: true, length: 0x01_0203 }, &[0x0A, 1, 1, 2, 3, 0]);
    check_tape(WriteFilemarks6 { immediate: false, count: 1 }, &[0x10, 0, 0, 0, 1, 0]);
    let position = ReadPosition { form: PositionForm::Long, allocation: 0 };
    check_tape(position, &[0x34, 6, 0, 0, 0, 0, 0, 0, 0, 0]);
    let density = ReportDensitySupport { medium: true, medium_types: false, allocation: 0x0102 };
    check_tape(density, &[0x44, 1, 0, 0, 0, 0, 0, 1, 2, 0]);
    // HOLD: seated, not threaded.
    let hold = LoadUnload { load: true, hold: true, ..LoadUnload::default() };
    check_tape(hold, &[0x1B, 0, 0, 0, 9, 0]);
    let all = LoadUnload { immediate: true, load: true, retension: true, end_of_tape: true, hold: true };
    check_tape(all, &[0x1B, 1, 0, 0, 15, 0]);
}

#[test]
fn usage_data_have_a_one_for_each_bit_that_counts() {
    let usage = |opcode| ChangerCommand::usage(opcode).map(|cdb| cdb.as_bytes().to_vec());
    let moving = [0xA5, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 1, 0];
    assert_eq!(usage(0xA5).as_deref(), Some(&moving[..]));
    let report = [0xA3, 0x1F, 0x87, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0];
    assert_eq!(usage(0xA3).as_deref(), Some(&report[..]));
    assert_eq!(usage(0x01), None);
    assert_eq!(TapeCommand::usage(0x01).map(|cdb| cdb.as_bytes().to_vec()), Some(vec![1, 1, 0, 0, 0, 0]));
}

#[test]
fn every_choice_survives_both_ways() {
    fn check<T: Copy + PartialEq + std::fmt::Debug>(all: &[T], code: fn(T) -> u8, of: fn(u8) -> Option<T>) {
        for number in 0..=u8::MAX {
            match of(number) {
                Some(choice) => assert!(code(choice) == number && all.contains(&choice)),
                None => assert!(all.iter().all(|choice| code(*choice) != number)),
            }
        }
    }
    check(ReservationType::ALL, ReservationType::code, ReservationType::from_code);
    check(VolumeTagAction::ALL, VolumeTagAction::code, VolumeTagAction::from_code);
    check(DriveActivity::ALL, DriveActivity::code, DriveActivity::from_code);
    check(ReadAttributeAction::ALL, ReadAttributeAction::code, ReadAttributeAction::from_code);
    check(PositionForm::ALL, PositionForm::code, PositionForm::from_code);
}
