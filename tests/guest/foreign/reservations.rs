//! Persistent reservations: sg_persist, against a second initiator, and across the kernel's own reconnection.

use std::time::Duration;

use autochanger::transport::{Command, IscsiTransport, Transport};
use autochanger_scsi::{Cdb, Inquiry, Status, TestUnitReady};

use super::super::bed::Guest;
use super::super::inside::{move_medium, shell, until};
use super::{Bed, behind, said, tool};

/// sg_persist's exit status after RESERVATION CONFLICT.
const CONFLICT: i32 = 24;

/// sg_persist's name for the type that keeps everybody else out.
const EXCLUSIVE: [&str; 2] = ["--prout-type=3", "Exclusive Access"];

struct Persist<'a> {
    bed: &'a Bed,
}

impl Persist<'_> {
    fn read(&self, what: &str) -> String {
        self.bed.calm(&self.bed.changer);
        said("sg_persist", &["-n", "-i", what, &self.bed.changer])
    }

    fn write(&self, arguments: &[&str]) -> i32 {
        self.bed.calm(&self.bed.changer);
        tool("sg_persist", &[&["-n", "-o"], arguments, &[&*self.bed.changer]].concat()).code
    }

    fn keys(&self) -> Vec<String> {
        let text = self.read("-k");
        text.lines().filter_map(|line| line.trim().strip_prefix("0x")).map(str::to_owned).collect()
    }

    fn reserves(&self) {
        assert_eq!(self.write(&["-G", "--param-sark=0x1234"]), 0);
        assert_eq!(self.write(&["-R", "--param-rk=0x1234", EXCLUSIVE[0]]), 0);
    }

    fn is_reserved(&self) {
        assert_eq!(self.keys(), ["1234"]);
        let held = self.read("-r");
        assert_eq!(behind(&held, "Key="), "0x1234");
        assert_eq!(behind(&held, "type: "), EXCLUSIVE[1]);
    }
}

/// How our own initiator is answered; a unit attention is heard out.
fn answer(bed: &Bed, other: &IscsiTransport, cdb: Cdb) -> Status {
    bed.runtime.block_on(async {
        loop {
            let answer = other.execute(Command::reading(cdb, 64, Duration::from_secs(60))).await;
            let answer = answer.expect("it is answered");
            if answer.status != Status::CheckCondition {
                return answer.status;
            }
        }
    })
}

#[test]
fn sg_persist_reserves_the_changer_against_another_initiator() {
    let name = "foreign::reservations::sg_persist_reserves_the_changer_against_another_initiator";
    Guest::new().nothing().run(name, || {
        let bed = Bed::start();
        let persist = Persist { bed: &bed };
        let other = IscsiTransport::new(bed.served.url());
        let able = persist.read("-c");
        for words in ["Type Mask Valid(TMV): 1", "Persist Through Power Loss Capable(PTPL_C): 0"] {
            assert!(able.contains(words), "{able}");
        }
        for kind in ["Write Exclusive: 1", "Exclusive Access: 1", "Exclusive Access, all registrants: 1"] {
            assert!(able.contains(kind), "{able}");
        }
        assert!(persist.keys().is_empty() && persist.read("-r").contains("there is NO reservation held"));

        persist.reserves();
        persist.is_reserved();
        let full = persist.read("-s");
        assert!(full.contains("<< Reservation holder >>"), "{full}");
        let port = behind(&full, "iSCSI world wide unique port id: ");
        let (initiator, isid) = port.split_once(",i,0x").expect("name and ISID");
        assert_eq!(initiator, "iqn.2026-01.test.bed:guest", "the kernel's own name");
        // What Linux makes: of the kind EN, with the IANA number of Open-iSCSI.
        assert!(isid.len() == 12 && isid.starts_with("00023d"), "{isid}");

        let there = move_medium(1000, 1023);
        assert_eq!(answer(&bed, &other, there), Status::ReservationConflict);
        assert_eq!(answer(&bed, &other, TestUnitReady {}.cdb()), Status::Good, "it may look");
        assert_eq!(answer(&bed, &other, Inquiry { vpd: None, allocation: 36 }.cdb()), Status::Good);
        assert_eq!(bed.library.moves_done(), 0);
        bed.mtx(&["transfer", "2", "24"]);
        bed.mtx(&["transfer", "24", "2"]);

        assert_eq!(persist.write(&["-L", "--param-rk=0xbad", EXCLUSIVE[0]]), CONFLICT, "a wrong key");
        persist.is_reserved();
        assert_eq!(persist.write(&["-L", "--param-rk=0x1234", EXCLUSIVE[0]]), 0);
        assert!(persist.read("-r").contains("there is NO reservation held"));
        assert_eq!(answer(&bed, &other, there), Status::Good);
        assert_eq!(persist.write(&["-C", "--param-rk=0x1234"]), 0);
        assert!(persist.keys().is_empty());
    });
}

#[test]
fn a_reservation_of_the_kernel_outlives_its_lost_connection_and_its_logout() {
    let name =
        "foreign::reservations::a_reservation_of_the_kernel_outlives_its_lost_connection_and_its_logout";
    Guest::new().nothing().run(name, || {
        let bed = Bed::start();
        let persist = Persist { bed: &bed };
        let other = IscsiTransport::new(bed.served.url());
        persist.reserves();
        let there = move_medium(1000, 1023);

        // The kernel finds out, logs in again as the same port, and the unit is the same to it.
        bed.served.cut_connections();
        until("the kernel is there again, and told", || {
            tool("sg_requests", &[&bed.changer]).err.contains("I_T nexus loss occurred")
        });
        persist.is_reserved();
        assert_eq!(answer(&bed, &other, there), Status::ReservationConflict);
        bed.mtx(&["transfer", "2", "24"]);

        shell(". /run/host/initiator.sh; tool iscsiadm -m node --logout >/run/logout");
        until("the kernel has gone", || bed.served.sessions() == 1);
        assert_eq!(answer(&bed, &other, there), Status::ReservationConflict, "nobody is there, and it holds");
    });
}
