//! Logs, ports, searches for labels, and what the library says of its commands.

mod common;

use autochanger_scsi::{
    ChangerCommand, ChangerDiagnostics, ChangerStatistics, CommandSupport, DriveActivity, DriveStatus,
    ElementCounts, ElementStatistics, ElementType, ExtendedCapabilities, InitializeElementStatus, LogSense,
    ModeParameters, ModeSense10, OneCommand, OpenCloseImportExport, PortAction, PreventAllowMediumRemoval,
    ReportSupportedOperationCodes, ReportingOptions, RequestVolumeElementAddress, SendVolumeTag, SenseKey,
    Status, SupportedCommands, SupportedLogPages, TapeAlertFlags, TapeAlertPage, TapeAlertResponse,
    TapeCommand, Temperature, VolumeElements, VolumeStatistics, VolumeTagAction, VolumeTagTemplate,
};
use autochanger_sim::{Fault, Library, Nexus, Quirk, Timing, Unit};

use common::*;

fn log(page: u8) -> LogSense {
    LogSense { page, allocation: 4096, ..LogSense::default() }
}

fn other() -> Unit {
    Unit { nexus: Nexus(1), lun: 0 }
}

#[test]
fn every_page_that_is_listed_is_there_and_no_other() {
    let mut rig = rig();
    for (lun, expected) in
        [(0, &[0x00, 0x0D, 0x14, 0x15, 0x16, 0x2E][..]), (1, &[0x00, 0x0D, 0x11, 0x12, 0x17, 0x2E])]
    {
        let list = good(rig.send(lun, log(0).cdb()));
        let list = SupportedLogPages::parse(&list).unwrap();
        assert!(list.pages().map(|(page, _)| page).eq(expected.iter().copied()));
        for page in 0..0x40 {
            let answer = rig.send(lun, log(page).cdb());
            match expected.contains(&page) {
                true => assert_eq!(good(answer)[0], page),
                false => assert_eq!((code(&answer), pointer(&answer)), ((5, 0x24, 0x00), Some(2))),
            }
        }
    }
    let temperature = Temperature::parse(&good(rig.send(0, log(Temperature::PAGE).cdb())));
    assert!(temperature.unwrap().celsius.is_some());
}

#[test]
fn reading_the_alerts_clears_them_for_everyone() {
    let mut rig = rig();
    rig.send(other(), ready());
    rig.device.raise_alert(0, 24);
    rig.device.raise_alert(0, 1);
    let page = TapeAlertPage::parse(&good(rig.send(0, log(0x2E).cdb()))).unwrap();
    assert_eq!(page.flags, [1, 24].into_iter().collect());
    let page = TapeAlertPage::parse(&good(rig.send(other(), log(0x2E).cdb()))).unwrap();
    assert_eq!((page.flags, page.present.bits()), (TapeAlertFlags::NONE, u64::MAX));
}

#[test]
fn a_look_at_the_header_or_at_another_page_clears_no_alert() {
    let mut rig = rig();
    rig.device.raise_alert(1, 20);
    good(rig.send(1, LogSense { allocation: 4, ..log(0x2E) }.cdb()));
    for _ in 0..2 {
        let page = TapeAlertResponse::parse(&good(rig.send(1, log(0x12).cdb()))).unwrap();
        assert!(page.0.iter().eq([20]));
    }
    assert!(TapeAlertPage::parse(&good(rig.send(1, log(0x2E).cdb()))).unwrap().flags.contains(20));
    assert!(TapeAlertResponse::parse(&good(rig.send(1, log(0x12).cdb()))).unwrap().0.is_empty());
}

#[test]
fn a_page_is_given_from_a_parameter_on() {
    let mut rig = rig();
    let data = good(rig.send(0, LogSense { parameter: 0x3F, ..log(0x2E) }.cdb()));
    assert!(TapeAlertPage::parse(&data).unwrap().present.iter().eq([0x3F, 0x40]));
    let answer = rig.send(0, LogSense { parameter: 0x41, ..log(0x2E) }.cdb());
    assert_eq!((code(&answer), pointer(&answer)), ((5, 0x24, 0x00), Some(5)));
}

#[test]
fn the_statistics_count_moves_and_scans() {
    let mut rig = rig();
    rig.moves(1000, 500);
    rig.moves(500, 1000);
    good(rig.send(0, InitializeElementStatus {}.cdb()));
    let page = ChangerStatistics::parse(&good(rig.send(0, log(0x14).cdb()))).unwrap();
    assert_eq!((page.moves, page.picks, page.places, page.inventories), (Some(2), Some(2), Some(2), Some(1)));
}

#[test]
fn each_element_counts_what_is_done_at_it() {
    let mut rig = rig_of(stocked().unlabelled_at(1023));
    rig.moves(1000, 500);
    rig.moves(500, 1000);
    good(rig.send(0, InitializeElementStatus {}.cdb()));
    let data = good(rig.send(0, log(0x15).cdb()));
    let page = ElementStatistics::parse(&data).unwrap();
    let counts: Vec<_> = page.elements().collect();
    assert_eq!(counts.len(), 1 + 24 + 4 + 2, "every element is listed");
    assert!(counts.is_sorted_by_key(|(address, _)| *address));
    let of = |address: u16| counts.iter().find(|(at, _)| at.0 == address).unwrap().1;
    let once = ElementCounts { places: 1, picks: 1, ..ElementCounts::default() };
    assert_eq!((of(500), of(1000)), (once, ElementCounts { tags_read: 1, ..once }));
    assert_eq!(of(1023), ElementCounts { tags_invalid: 1, ..ElementCounts::default() });
    assert_eq!(of(1022), ElementCounts::default());
}

#[test]
fn the_elements_of_a_large_library_are_counted_page_by_page() {
    let mut rig = rig_of(Library::new().slots(5000).cartridge_at(5999, "VT0001L8"));
    rig.moves(5999, 500);
    let (mut from, mut seen) = (0, Vec::new());
    loop {
        let command = LogSense { parameter: from, allocation: u16::MAX, ..log(0x15) };
        let data = good(rig.send(0, command.cdb()));
        let page = ElementStatistics::parse(&data).unwrap();
        assert!(!page.is_truncated());
        seen.extend(page.elements());
        let last = seen.last().unwrap().0;
        if last.0 == 5999 {
            break;
        }
        assert_eq!(page.elements().count(), ElementStatistics::MAX_ELEMENTS);
        from = last.0 + 1;
    }
    assert_eq!(seen.len(), 1 + 5000 + 4 + 2);
    assert!(seen.is_sorted_by_key(|(address, _)| *address));
    assert_eq!(seen.last().unwrap().1.picks, 1);
    let answer = rig.send(0, LogSense { parameter: 6000, ..log(0x15) }.cdb());
    assert_eq!((code(&answer), pointer(&answer)), ((5, 0x24, 0x00), Some(5)));
}

#[test]
fn the_errors_of_the_robot_are_remembered_the_latest_first() {
    let mut rig = rig();
    let errors = |rig: &mut Rig| {
        let data = good(rig.send(0, log(0x16).cdb()));
        let errors = ChangerDiagnostics::parse(&data).unwrap().errors().map(|error| {
            assert_eq!((error.key, error.opcode, error.code.asc), (SenseKey::HardwareError, 0xA5, 0x15));
            let [source, destination] = [error.source, error.destination].map(|it| it.map(|it| it.0));
            (error.number, error.code.ascq, source, destination, error.tag.map(str::to_owned))
        });
        errors.collect::<Vec<_>>()
    };
    assert!(errors(&mut rig).is_empty());
    // What is refused for its addresses is the initiator's error.
    assert_eq!(code(&rig.send(0, move_medium(1000, 1001))), (5, 0x3B, 0x0D));
    assert!(errors(&mut rig).is_empty());
    for (source, ascq) in [(1000, 0x01), (1001, 0x02)] {
        let fault = Fault::sense(SenseKey::HardwareError, 0x15, ascq).without_effect().on_move();
        rig.device.inject(fault);
        assert_eq!(code(&rig.send(0, move_medium(source, 500))), (4, 0x15, ascq));
    }
    let named = |label: &str| Some(label.to_owned());
    assert_eq!(
        errors(&mut rig),
        [
            (0, 0x02, Some(1001), Some(500), named("VT0002L8")),
            (1, 0x01, Some(1000), Some(500), named("VT0001L8")),
        ]
    );
    rig.device.inject(Fault::sense(SenseKey::HardwareError, 0x15, 3).without_effect().on_move().times(50));
    for _ in 0..50 {
        rig.send(0, move_medium(1000, 500));
    }
    assert_eq!(errors(&mut rig).len(), 16, "so many are remembered");
}

#[test]
fn a_drive_tells_of_the_volume_in_it() {
    let mut rig = rig();
    let nothing = VolumeStatistics { valid: Some(false), ..VolumeStatistics::default() };
    let data = good(rig.send(1, log(0x17).cdb()));
    assert_eq!(VolumeStatistics::parse(&data), Ok(nothing));
    rig.moves(1003, 500);
    while rig.send(1, ready()).status == Status::CheckCondition {}
    let data = good(rig.send(1, log(0x17).cdb()));
    let volume = VolumeStatistics::parse(&data).unwrap();
    assert_eq!((volume.valid, volume.barcode, volume.threads), (Some(true), Some("VT0004L8"), Some(1)));
    assert_eq!((volume.serial, volume.capacity_megabytes), (Some("SIMVT0004L8"), Some(12_000_000)));
}

#[test]
fn the_log_of_a_drive_tells_how_a_load_goes_on() {
    let mut timing = Timing::none();
    let a_while = std::time::Duration::from_secs(15);
    (timing.load, timing.unload) = (a_while, a_while);
    let mut rig = rig_of(stocked().timing(timing).cleaning_cartridge("CLN001L1"));
    let status = |rig: &mut Rig| {
        let mut answer = rig.send(1, log(0x11).cdb());
        while code(&answer).0 == 6 {
            answer = rig.send(1, log(0x11).cdb());
        }
        DriveStatus::parse(&good(answer)).expect("valid")
    };
    let empty = status(&mut rig);
    assert!(!empty.medium_present && empty.robotic_access_allowed && !empty.memory_accessible);
    rig.moves(1000, 500);
    let loading = status(&mut rig);
    assert_eq!((loading.activity, loading.in_transition), (DriveActivity::Loading, true));
    rig.pass(a_while);
    let loaded = status(&mut rig);
    assert!(loaded.mounted && loaded.memory_accessible && !loaded.robotic_access_allowed);
    rig.send(1, autochanger_scsi::LoadUnload { immediate: true, ..Default::default() }.cdb());
    assert_eq!(status(&mut rig).activity, DriveActivity::Unloading);
    rig.pass(a_while);
    let ejected = status(&mut rig);
    assert!(ejected.medium_present && ejected.robotic_access_allowed && !ejected.mounted);
    rig.moves(1020, 501);
    let page = TapeAlertPage::parse(&good(rig.send(2, log(0x2E).cdb()))).unwrap();
    assert!(page.flags.iter().eq([11]), "a cleaning cartridge is in the drive");
}

fn port(element: u16, action: PortAction) -> autochanger_scsi::Cdb {
    OpenCloseImportExport { element: at(element), action }.cdb()
}

#[test]
fn the_arm_does_not_reach_into_a_port_that_is_out() {
    let mut rig = rig();
    rig.send(other(), ready());
    rig.moves(1000, 10);
    good(rig.send(0, port(10, PortAction::Open)));
    assert_eq!(code(&rig.send(0, move_medium(10, 1000))), (2, 0x3A, 0x02));
    assert!(!rig.element(10).1, "ACCESS");
    rig.moves(1001, 11);
    good(rig.send(0, port(10, PortAction::Close)));
    assert_eq!(code(&rig.send(other(), ready())), (6, 0x28, 0x01));
    good(rig.send(0, ready()));
    assert!(rig.element(10).1);
    rig.moves(10, 1000);
    let page = ChangerStatistics::parse(&good(rig.send(0, log(0x14).cdb()))).unwrap();
    assert_eq!(page.port_opens, Some(1));
}

#[test]
fn a_port_is_not_put_out_a_whileit_is_locked_and_nothing_else_is_a_port() {
    let mut rig = rig();
    good(rig.send(0, PreventAllowMediumRemoval { prevent: true }.cdb()));
    assert_eq!(code(&rig.send(0, port(10, PortAction::Open))), (5, 0x53, 0x02));
    good(rig.send(0, port(10, PortAction::Close)));
    for element in [500, 1000, 1, 9999] {
        let answer = rig.send(0, port(element, PortAction::Open));
        assert_eq!((code(&answer), pointer(&answer)), ((5, 0x21, 0x01), Some(2)));
    }
}

fn search(action: VolumeTagAction, start: u16) -> autochanger_scsi::Cdb {
    SendVolumeTag { element_type: None, start: at(start), action, length: 40 }.cdb()
}

const FETCH: RequestVolumeElementAddress = RequestVolumeElementAddress {
    element_type: None,
    start: autochanger_scsi::ElementAddress(0),
    count: 0xFFFF,
    volume_tags: true,
    allocation: 65_535,
};

fn found(data: &[u8]) -> Vec<(u16, String)> {
    let answer = VolumeElements::parse(data).unwrap();
    let report = answer.report();
    assert!(report.is_well_formed());
    let label =
        |element: &autochanger_scsi::Element<'_>| element.volume_tag().unwrap().identifier().to_owned();
    report.elements().map(|element| (element.address().0, label(&element))).collect()
}

#[test]
fn cartridges_are_found_by_their_labels_wherever_they_are() {
    let mut rig = rig();
    rig.moves(1001, 500);
    let template = VolumeTagTemplate::new(b"VT000?L8").to_bytes();
    let action = VolumeTagAction::TranslatePrimaryAnySequence;
    good(rig.send_out(0, search(action, 0), &template));
    let data = good(rig.send(0, FETCH.cdb()));
    assert_eq!(VolumeElements::parse(&data).unwrap().action(), Some(action));
    let all = found(&data);
    assert_eq!(all.len(), 9);
    assert!(all.contains(&(500, "VT0002L8".into())) && all.contains(&(1000, "VT0001L8".into())));
    let drives = RequestVolumeElementAddress { element_type: Some(ElementType::Drive), ..FETCH };
    assert_eq!(found(&good(rig.send(0, drives.cdb()))), [(500, "VT0002L8".into())]);
    let some = RequestVolumeElementAddress { start: at(1005), count: 2, ..FETCH };
    assert!(found(&good(rig.send(0, some.cdb()))).iter().map(|it| it.0).eq([1005, 1006]));
    // Nothing is found, and that is no error.
    good(rig.send_out(0, search(action, 0), &VolumeTagTemplate::new(b"NOSUCH").to_bytes()));
    assert_eq!(found(&good(rig.send(0, FETCH.cdb()))), []);
}

#[test]
fn what_was_found_belongs_to_who_searched_and_ends_with_a_reset() {
    let mut rig = rig();
    rig.send(other(), ready());
    let template = VolumeTagTemplate::new(b"*").to_bytes();
    assert_eq!(code(&rig.send(0, FETCH.cdb())), (5, 0x2C, 0x00));
    good(rig.send_out(0, search(VolumeTagAction::TranslateAll, 0), &template));
    assert_eq!(found(&good(rig.send(0, FETCH.cdb()))).len(), 20);
    assert_eq!(code(&rig.send(other(), FETCH.cdb())), (5, 0x2C, 0x00));
    rig.device.reset(rig.now(), 0);
    rig.send(0, ready());
    assert_eq!(code(&rig.send(0, FETCH.cdb())), (5, 0x2C, 0x00));
    assert_eq!(
        code(&rig.send_out(0, search(VolumeTagAction::TranslateAll, 0), &template[..39])),
        (5, 0x1A, 0x00)
    );
    let answer = rig.send_out(0, search(VolumeTagAction::AssertPrimary, 0), &template);
    assert_eq!((code(&answer), pointer(&answer)), ((5, 0x24, 0x00), Some(5)));
}

fn report() -> ReportSupportedOperationCodes {
    ReportSupportedOperationCodes { timeouts: true, allocation: 4096, ..Default::default() }
}

#[test]
fn every_command_that_is_listed_is_known_and_every_other_is_not() {
    let mut rig = rig();
    for lun in [0, 1] {
        let data = good(rig.send(lun, report().cdb()));
        let list = SupportedCommands::parse(&data).unwrap();
        assert!(!list.is_truncated() && list.commands().all(|it| it.timeouts.is_some()));
        let listed: std::collections::BTreeSet<u8> = list.commands().map(|it| it.opcode).collect();
        for opcode in 0..=u8::MAX {
            // As empty as a command can be, which hardly any succeeds with; unknown is another matter.
            let length = autochanger_scsi::cdb_length(opcode).unwrap_or(16);
            let mut cdb = vec![0; length];
            cdb[0] = opcode;
            if opcode == 0xA3 {
                cdb[1] = 0x0C;
            }
            let mut answer = rig.send_bytes(lun, &cdb);
            while code(&answer).0 == 6 {
                answer = rig.send_bytes(lun, &cdb);
            }
            assert_eq!(
                code(&answer) != (5, 0x20, 0x00),
                listed.contains(&opcode),
                "unit {lun}, {opcode:02X}h"
            );
        }
    }
}

#[test]
fn one_command_is_told_with_its_usage_data() {
    let mut rig = rig_of(stocked().exchange(false));
    let ask = |opcode, options, service_action| {
        ReportSupportedOperationCodes { options, opcode, service_action, ..report() }.cdb()
    };
    let data = good(rig.send(0, ask(0xA5, ReportingOptions::Opcode, 0)));
    let one = OneCommand::parse(&data).unwrap();
    assert_eq!(one.usage, ChangerCommand::usage(0xA5).unwrap().as_bytes());
    assert_eq!((one.support, one.timeouts.map(|it| it.recommended)), (CommandSupport::Standard, Some(1800)));
    let data = good(rig.send(0, ask(0xA6, ReportingOptions::Opcode, 0)));
    assert_eq!(OneCommand::parse(&data).unwrap().support, CommandSupport::Unsupported);
    let data = good(rig.send(1, ask(0x5E, ReportingOptions::ServiceAction, 3)));
    let one = OneCommand::parse(&data).unwrap();
    assert_eq!((one.usage[..2].to_vec(), one.support), (vec![0x5E, 3], CommandSupport::Standard));
    assert_eq!(one.usage.len(), TapeCommand::usage(0x5E).unwrap().as_bytes().len());
    let data = good(rig.send(0, ask(0x5F, ReportingOptions::Either, 7)));
    assert_eq!(OneCommand::parse(&data).unwrap().support, CommandSupport::Unsupported);
    for (opcode, options) in [(0x5E, ReportingOptions::Opcode), (0xA5, ReportingOptions::ServiceAction)] {
        let answer = rig.send(0, ask(opcode, options, 0));
        assert_eq!((code(&answer), pointer(&answer)), ((5, 0x24, 0x00), Some(2)));
    }
}

#[test]
fn a_library_of_any_size_is_searched_whole() {
    let mut rig = rig_of(Library::new().slots(3000).first_slot(2000).cartridges("A{:05}L8", 1..=3000));
    good(rig.send_out(
        0,
        search(VolumeTagAction::TranslatePrimary, 0),
        &VolumeTagTemplate::new(b"A*").to_bytes(),
    ));
    let whole = RequestVolumeElementAddress { allocation: 0xFF_FFFF, ..FETCH };
    assert_eq!(found(&good(rig.send(0, whole.cdb()))).len(), 3000);
}

#[test]
fn a_library_that_wants_the_host_to_unload_says_so_in_its_extended_capabilities() {
    let ask = |quirk: Option<Quirk>| {
        let mut rig = rig_of(quirk.into_iter().fold(stocked(), Library::quirk));
        let command = ModeSense10 { page: 0x1F, subpage: 0x41, allocation: 255, ..ModeSense10::default() };
        let data = good(rig.send(0, command.cdb()));
        let page = ModeParameters::parse10(&data).unwrap().page(0x1F, 0x41).expect("the page");
        ExtendedCapabilities::parse(page).unwrap()
    };
    let usual = ask(None);
    assert!(usual.true_exchange && usual.locks_ports && !usual.source_eject_required);
    assert!(ask(Some(Quirk::HostUnloadFirst)).source_eject_required);
    assert!(!ask(Some(Quirk::NoExchange)).true_exchange);
    let other = ModeSense10 { page: 0x1F, subpage: 0x42, allocation: 255, ..ModeSense10::default() };
    let answer = rig().send(0, other.cdb());
    assert_eq!((code(&answer), pointer(&answer)), ((5, 0x24, 0x00), Some(3)));
}
