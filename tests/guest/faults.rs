//! What a kernel says when things go wrong, and what is made of it.

use std::time::{Duration, Instant};

use autochanger::transport::{Command, PathFaultKind, Transport, TransportError};
use autochanger_scsi::{
    Cdb, ElementAddress, ElementType, Inquiry, LoadUnload, ReadElementStatus, Sense, SenseKey, Status,
    TestUnitReady,
};

use super::bed::Guest;
use super::inside::{
    DRIVE, PATIENCE, SLOT, Standstill, ask, changer, commands_sent, delete, kill_target, move_medium,
    transport, until,
};

fn in_runtime(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.expect("a runtime").block_on(test);
}

fn test_unit_ready() -> Command {
    Command::new(TestUnitReady {}.cdb(), PATIENCE)
}

#[test]
fn a_target_that_dies_during_a_move_leaves_it_in_doubt_and_questions_come_to_an_end() {
    let name = "faults::a_target_that_dies_during_a_move_leaves_it_in_doubt_and_questions_come_to_an_end";
    Guest::new().run(name, || {
        in_runtime(async {
            drop(ask());
            let transport = transport();
            let _until_it_is_killed = Standstill::begin();
            let before = commands_sent();
            let moving = tokio::spawn({
                let transport = transport.clone();
                async move { transport.execute(Command::new(move_medium(SLOT, DRIVE), PATIENCE)).await }
            });
            until("the move is sent", || commands_sent() > before);
            kill_target();
            let error = moving.await.expect("no panic").expect_err("no answer");
            assert!(matches!(error, TransportError::OutcomeUnknown(_)), "{error}");
            // The kernel gives the target up after some seconds. Until then, and after, each question ends.
            let start = Instant::now();
            loop {
                let error = transport.execute(test_unit_ready()).await.expect_err("nobody is there");
                assert!(error.fault().kind.is_transient(), "{error}");
                if matches!(error, TransportError::NotSent(_)) {
                    break;
                }
                assert!(start.elapsed() < PATIENCE, "{error}");
            }
            let error = transport.execute(Command::new(move_medium(SLOT, DRIVE), PATIENCE)).await;
            let error = error.expect_err("nobody is there");
            assert!(error.fault().kind.is_transient(), "{error}");
        });
    });
}

#[test]
fn a_device_that_does_not_answer_in_time_is_in_doubt() {
    let name = "faults::a_device_that_does_not_answer_in_time_is_in_doubt";
    Guest::new().scsi_debug("").run(name, || {
        in_runtime(async {
            let transport = transport();
            drop(ask());
            let options = "/sys/bus/pseudo/drivers/scsi_debug";
            std::fs::write(format!("{options}/every_nth"), "1").expect("set");
            std::fs::write(format!("{options}/opts"), "4").expect("set");
            for cdb in [TestUnitReady {}.cdb(), LoadUnload::default().cdb()] {
                let error = transport.execute(Command::new(cdb, Duration::from_millis(900))).await;
                let error = error.expect_err("it ignores every command");
                let TransportError::OutcomeUnknown(fault) = &error else { panic!("{cdb}: {error}") };
                assert_eq!(fault.kind, PathFaultKind::TimedOut, "{cdb}: {error}");
            }
        });
    });
}

#[test]
fn sense_data_in_descriptor_form_comes_through() {
    let guest = Guest::new().scsi_debug("dsense=1");
    guest.run("faults::sense_data_in_descriptor_form_comes_through", || {
        in_runtime(async {
            drop(ask());
            let unknown = Cdb::from_bytes(&[0x02, 0, 0, 0, 0, 0]).expect("six bytes");
            let answer = transport().execute(Command::new(unknown, PATIENCE)).await.expect("an answer");
            assert_eq!((answer.status, answer.sense[0]), (Status::CheckCondition, 0x72));
            let sense: Sense = answer.sense().expect("it can be read");
            assert_eq!((sense.key, sense.code.asc), (SenseKey::IllegalRequest, 0x20), "{sense}");
        });
    });
}

#[test]
fn a_device_that_is_taken_away_is_not_there_and_nothing_hangs() {
    let name = "faults::a_device_that_is_taken_away_is_not_there_and_nothing_hangs";
    Guest::new().scsi_debug("").run(name, || {
        in_runtime(async {
            drop(ask());
            let transport = transport();
            transport.execute(test_unit_ready()).await.expect("it is there");
            delete(&changer());
            for cdb in [TestUnitReady {}.cdb(), move_medium(SLOT, DRIVE)] {
                let error = transport.execute(Command::new(cdb, PATIENCE)).await.expect_err("it is gone");
                let TransportError::NotSent(fault) = &error else { panic!("{cdb}: {error}") };
                assert_eq!(fault.kind, PathFaultKind::Unreachable, "{cdb}: {error}");
            }
        });
    });
}

/// The processor time that this process has used.
fn processor_time() -> Duration {
    /// Of /proc/self/stat (USER_HZ), on every Linux.
    const TICK: Duration = Duration::from_millis(10);
    let stat = std::fs::read_to_string("/proc/self/stat").expect("readable");
    // Behind the name in brackets, which may hold anything: utime and stime are fields 14 and 15 of the whole.
    let fields = stat.rsplit_once(')').expect("a name").1.split_whitespace();
    let ticks: u32 = fields.skip(11).take(2).map(|field| field.parse::<u32>().expect("a number")).sum();
    TICK * ticks
}

#[test]
fn a_device_that_is_taken_away_while_a_command_is_on_its_way_costs_no_processor() {
    let name = "faults::a_device_that_is_taken_away_while_a_command_is_on_its_way_costs_no_processor";
    Guest::new().scsi_debug("").run(name, || {
        in_runtime(async {
            drop(ask());
            let transport = transport();
            transport.execute(test_unit_ready()).await.expect("it is there");
            // In jiffies, of which User Mode Linux has a hundred in a second.
            std::fs::write("/sys/bus/pseudo/drivers/scsi_debug/delay", "400").expect("set");
            let before = commands_sent();
            let asking = tokio::spawn({
                let transport = transport.clone();
                async move { transport.execute(test_unit_ready()).await }
            });
            until("the command is sent", || commands_sent() > before);
            let node = changer();
            let device = format!("/sys/class/scsi_generic/{}", node.file_name().expect("a name").display());
            let (start, used) = (Instant::now(), processor_time());
            // Deleting waits for the command that is on its way.
            let deleting = std::thread::spawn({
                let device = device.clone();
                move || std::fs::write(format!("{device}/device/delete"), "1").expect("deleted")
            });
            let gone = asking.await.expect("no panic");
            let (time, used) = (start.elapsed(), processor_time() - used);
            deleting.join().expect("no panic");
            assert!(!std::path::Path::new(&device).exists(), "it is taken away: {gone:?}");
            assert!(
                time > Duration::from_secs(1),
                "the command was on its way while it was: {time:?}, {gone:?}"
            );
            assert!(used < time / 10, "{used:?} of processor time in {time:?}");
            let error = transport.execute(test_unit_ready()).await.expect_err("it is gone");
            assert!(matches!(error, TransportError::NotSent(_)), "{error}");
        });
    });
}

#[test]
fn a_transfer_that_the_kernel_refuses_was_not_sent() {
    Guest::new().run("faults::a_transfer_that_the_kernel_refuses_was_not_sent", || {
        in_runtime(async {
            drop(ask());
            let transport = transport();
            let before = commands_sent();
            let limit = transport.limits().max_transfer;
            let command = Command::reading(TestUnitReady {}.cdb(), limit + 1, PATIENCE);
            let error = transport.execute(command).await.expect_err("too much");
            let TransportError::NotSent(fault) = &error else { panic!("{error}") };
            assert_eq!(fault.kind, PathFaultKind::LimitReached, "{error}");
            assert_eq!(commands_sent(), before);
        });
    });
}

#[test]
fn more_than_was_asked_for_is_not_reported_as_less() {
    Guest::new().run("faults::more_than_was_asked_for_is_not_reported_as_less", || {
        in_runtime(async {
            drop(ask());
            let transport = transport();
            // tgt says more than fits, which Linux reports as a residue: as if bytes were missing.
            for allocation in [5, 36, 48, 60] {
                let command = Inquiry { vpd: None, allocation };
                let answer =
                    transport.execute(Command::reading(command.cdb(), allocation.into(), PATIENCE)).await;
                assert_eq!(answer.expect("answered").data.len(), usize::from(allocation));
            }
            for allocation in [100, 316, 900] {
                let command = ReadElementStatus {
                    element_type: Some(ElementType::Storage),
                    start: ElementAddress(0),
                    count: u16::MAX,
                    volume_tags: true,
                    current_data: false,
                    device_ids: false,
                    allocation,
                };
                let answer = transport.execute(Command::reading(command.cdb(), allocation, PATIENCE)).await;
                let data = answer.expect("answered").data;
                assert!(data.len() == allocation as usize, "{} of {allocation}", data.len());
            }
        });
    });
}
