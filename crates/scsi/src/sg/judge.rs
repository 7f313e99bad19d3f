//! What an ended command means: whose word counts, and what is known without one.

use super::answer::{Answer, SENSE_MAX};
use super::fault::{Cause, Fault, HostStatus, is_harmless};
use super::residue::transferred;
use super::sys::Ended;
use crate::{Cdb, Sense, SenseKey, Status};

/// What an ended command means: the device's word before the host adapter's, and the host adapter's before the data's.
pub(super) fn judge(cdb: &Cdb, data: &[u8], sense: [u8; SENSE_MAX], ended: Ended) -> Result<Answer, Fault> {
    /// Low bits of `driver_status` of kernels before 5.14: sense data is there. What is above them is advice.
    const DRIVER_SENSE: u16 = 8;
    let written = usize::from(ended.sense_length).min(SENSE_MAX);
    let parsed = sense.get(..written).and_then(Sense::parse);
    // The lowest bit and the highest are vendors'.
    let status = Status::from(ended.status & 0x7E);
    let answer = |status, transferred| Answer {
        status,
        transferred,
        residual: u32::try_from(ended.residue).unwrap_or(0),
        sense,
        sense_length: u8::try_from(written).unwrap_or(0),
    };
    let host = HostStatus(ended.host_status);
    let came = || transferred(cdb.opcode(), cdb.as_bytes(), data, ended.residue);
    // The kernel's recovery aborts commands and resets devices, which is what such an attention then tells of: it is no word
    // on whether the command was carried out before.
    let of_recovery = |sense: &Sense| host != HostStatus::OK && sense.key == SenseKey::UnitAttention;
    match (status, parsed) {
        (Status::CheckCondition | Status::Good, Some(sense)) if of_recovery(&sense) => {
            Err(Fault::OutcomeUnknown(Cause::Host(host)))
        }
        // Some host adapters report their own trouble beside the device's: sense is the device's word.
        (Status::CheckCondition, Some(sense)) => {
            // An untouched buffer is reported as full: only conditions that let a command succeed speak for its data.
            let succeeded = matches!(sense.key, SenseKey::NoSense | SenseKey::RecoveredError);
            Ok(answer(status, if succeeded { came() } else { 0 }))
        }
        (Status::ReservationConflict, _) => Ok(answer(status, 0)),
        // Sense data that came without the status for it.
        (Status::Good, Some(sense))
            if ended.driver_status & 0x0F == DRIVER_SENSE
                && !matches!(sense.key, SenseKey::NoSense | SenseKey::RecoveredError) =>
        {
            Ok(answer(Status::CheckCondition, 0))
        }
        _ if host != HostStatus::OK => {
            let cause = Cause::Host(host);
            Err(if host.seldom_sent() && is_harmless(cdb.opcode()) {
                Fault::NotSent(cause)
            } else {
                Fault::OutcomeUnknown(cause)
            })
        }
        _ if !matches!(ended.driver_status & 0x0F, 0 | DRIVER_SENSE) => {
            Err(Fault::OutcomeUnknown(Cause::Driver(ended.driver_status)))
        }
        (Status::Good | Status::ConditionMet, _) => Ok(answer(status, came())),
        _ => Ok(answer(status, 0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ElementAddress, MoveMedium, TestUnitReady};

    const MOVE: MoveMedium = MoveMedium {
        transport: ElementAddress(0),
        source: ElementAddress(1000),
        destination: ElementAddress(500),
        invert: false,
    };
    const GOOD: Ended = Ended { status: 0, host_status: 0, driver_status: 0, sense_length: 0, residue: 0 };

    fn sense(key: u8, asc: u8, ascq: u8) -> [u8; SENSE_MAX] {
        let mut sense = [0; SENSE_MAX];
        sense[..14].copy_from_slice(&[0x70, 0, key, 0, 0, 0, 0, 10, 0, 0, 0, 0, asc, ascq]);
        sense
    }

    fn judge_move(sense: [u8; SENSE_MAX], ended: Ended) -> Result<Answer, Fault> {
        judge(&MOVE.cdb(), &[], sense, ended)
    }

    #[test]
    fn sense_with_check_condition_is_an_answer_whatever_the_host_adapter_says() {
        for host_status in 0..=0x20 {
            let ended = Ended { status: 2, host_status, driver_status: 8, sense_length: 18, residue: 0 };
            let answer = judge_move(sense(5, 0x3B, 0x0E), ended).expect("the device's word");
            assert_eq!(answer.status, Status::CheckCondition);
            let seen = Sense::parse(answer.sense()).expect("it came");
            assert_eq!((seen.code.asc, seen.code.ascq), (0x3B, 0x0E));
        }
    }

    #[test]
    fn an_attention_beside_the_host_adapters_trouble_does_not_say_that_a_motion_was_refused() {
        const ATTENTION: u8 = 6;
        for (asc, ascq) in [(0x29, 0x00), (0x29, 0x02), (0x28, 0x00)] {
            let sense = sense(ATTENTION, asc, ascq);
            for host_status in 1..=0x20 {
                for (status, driver_status) in [(2, 0), (2, 8), (0, 8)] {
                    let ended = Ended { status, host_status, driver_status, sense_length: 18, residue: 0 };
                    let fault = judge_move(sense, ended).expect_err("no word on the motion");
                    assert!(
                        matches!(fault, Fault::OutcomeUnknown(Cause::Host(_))),
                        "{host_status:#x}: {fault}"
                    );
                }
            }
            let alone = Ended { status: 2, driver_status: 8, sense_length: 18, ..GOOD };
            let answer = judge_move(sense, alone).expect("the device's word");
            assert_eq!(answer.status, Status::CheckCondition, "an attention alone is an answer");
        }
    }

    #[test]
    fn a_motion_that_the_host_adapter_ended_is_always_in_doubt() {
        for host_status in 1..=0x20 {
            for status in [0, 2, 8] {
                let ended = Ended { host_status, status, ..GOOD };
                let fault = judge_move([0; SENSE_MAX], ended).expect_err("no answer");
                assert!(matches!(fault, Fault::OutcomeUnknown(Cause::Host(_))), "{host_status:#x}: {fault}");
            }
        }
        let ended = Ended { driver_status: 6, ..GOOD };
        let fault = judge_move([0; SENSE_MAX], ended).expect_err("no answer");
        assert!(matches!(fault, Fault::OutcomeUnknown(Cause::Driver(6))) && fault.cause().is_timeout());
    }

    #[test]
    fn a_question_to_a_device_that_is_gone_was_not_sent() {
        let ended = Ended { host_status: 1, ..GOOD };
        let fault = judge(&TestUnitReady {}.cdb(), &[], [0; SENSE_MAX], ended).expect_err("no answer");
        assert!(matches!(fault, Fault::NotSent(_)) && fault.cause().is_disconnected());
        let ended = Ended { host_status: 3, ..GOOD };
        let fault = judge(&TestUnitReady {}.cdb(), &[], [0; SENSE_MAX], ended).expect_err("no answer");
        assert!(matches!(fault, Fault::OutcomeUnknown(_)) && fault.cause().is_timeout());
    }

    #[test]
    fn statuses_are_the_devices() {
        for (byte, status) in [
            (0, Status::Good),
            (8, Status::Busy),
            (0x18, Status::ReservationConflict),
            (0x28, Status::TaskSetFull),
        ] {
            let answer = judge_move([0; SENSE_MAX], Ended { status: byte, ..GOOD }).expect("an answer");
            assert_eq!(answer.status, status);
        }
        // Kernels before 6.1 report a reservation conflict as the host adapter's trouble too.
        let ended = Ended { status: 0x18, host_status: 0x11, ..GOOD };
        assert_eq!(
            judge_move([0; SENSE_MAX], ended).map(|answer| answer.status).ok(),
            Some(Status::ReservationConflict)
        );
    }

    #[test]
    fn sense_without_its_status_is_not_overlooked() {
        let ended = Ended { driver_status: 8, sense_length: 18, ..GOOD };
        let answer = judge_move(sense(5, 0x3B, 0x0E), ended).expect("the device's word");
        assert_eq!(answer.status, Status::CheckCondition);
        let answer = judge_move(sense(1, 0x17, 0x01), ended).expect("the device's word");
        assert_eq!(answer.status, Status::Good, "a recovered error is a success");
    }

    #[test]
    fn a_failed_command_has_no_data_even_where_none_is_reported_missing() {
        let ended = Ended { status: 2, sense_length: 18, ..GOOD };
        let cdb = TestUnitReady {}.cdb();
        let answer = judge(&cdb, &[0; 64], sense(5, 0x24, 0), ended).expect("the device's word");
        assert_eq!(answer.transferred, 0);
        let answer =
            judge(&cdb, &[0; 64], sense(0, 0, 1), Ended { residue: 24, ..ended }).expect("a filemark");
        assert_eq!(answer.transferred, 40);
    }
}
