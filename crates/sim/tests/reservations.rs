//! Persistent reservations: two initiators at one library.

mod common;

use autochanger_scsi::{
    Cdb, LogSense, PersistentReserveIn, PersistentReserveInAction, PersistentReserveOut,
    PersistentReserveOutAction as Out, PersistentReserveParameters, PreventAllowMediumRemoval,
    ReservationCapabilities, ReservationHolder, ReservationKeys, ReservationStatus, ReservationType, Status,
};
use autochanger_sim::{Answer, Nexus, Unit};

use common::*;

const OURS: Unit = Unit { nexus: Nexus(0), lun: 0 };
const THEIRS: Unit = Unit { nexus: Nexus(1), lun: 0 };

fn ask(action: PersistentReserveInAction) -> Cdb {
    PersistentReserveIn { action, allocation: 1024 }.cdb()
}

impl Rig {
    fn out(&mut self, unit: Unit, action: Out, kind: ReservationType, key: u64, service_key: u64) -> Answer {
        let command = PersistentReserveOut { action, scope: 0, kind: kind.code(), length: 24 };
        let list = PersistentReserveParameters {
            key,
            service_action_key: service_key,
            ..PersistentReserveParameters::default()
        };
        self.send_out(unit, command.cdb(), &list.to_bytes())
    }

    #[track_caller]
    fn done(&mut self, unit: Unit, action: Out, kind: ReservationType, key: u64, service_key: u64) {
        assert_eq!(self.out(unit, action, kind, key, service_key), Answer::good());
    }

    #[track_caller]
    fn conflicts(&mut self, unit: Unit, cdb: Cdb) {
        assert_eq!(self.send(unit, cdb), Answer::status(Status::ReservationConflict));
    }

    fn keys(&mut self) -> (u32, Vec<u64>) {
        let data = good(self.send(OURS, ask(PersistentReserveInAction::ReadKeys)));
        let keys = ReservationKeys::parse(&data).unwrap();
        (keys.generation(), keys.keys().collect())
    }

    fn holder(&mut self) -> Option<(u64, u8)> {
        let data = good(self.send(OURS, ask(PersistentReserveInAction::ReadReservation)));
        ReservationHolder::parse(&data).unwrap().1.map(|holder| (holder.key, holder.kind))
    }
}

/// Two initiators that know the library; ours has reserved it.
fn reserved(kind: ReservationType) -> Rig {
    let mut rig = rig();
    assert_eq!(code(&rig.send(THEIRS, ready())), (6, 0x29, 0x00));
    rig.done(OURS, Out::Register, kind, 0, 0xA);
    rig.done(OURS, Out::Reserve, kind, 0xA, 0);
    rig
}

#[test]
fn a_reservation_keeps_others_from_moving_but_not_from_looking() {
    let mut rig = reserved(ReservationType::WriteExclusive);
    rig.conflicts(THEIRS, move_medium(1000, 500));
    rig.conflicts(THEIRS, PreventAllowMediumRemoval { prevent: true }.cdb());
    good(rig.send(THEIRS, PreventAllowMediumRemoval { prevent: false }.cdb()));
    good(rig.send(THEIRS, ready()));
    good(rig.send(THEIRS, read(None).cdb()));
    let log = LogSense { page: 0x2E, allocation: 4096, ..LogSense::default() }.cdb();
    good(rig.send(THEIRS, log));
    assert_eq!(rig.find("VT0001L8"), Some(1000));
    rig.moves(1000, 500);
    // An exclusive one keeps others from the logs, too.
    let mut rig = reserved(ReservationType::ExclusiveAccess);
    rig.conflicts(THEIRS, log);
    good(rig.send(THEIRS, read(None).cdb()));
}

#[test]
fn a_reservation_is_of_one_logical_unit() {
    let mut rig = reserved(ReservationType::ExclusiveAccess);
    rig.moves(1000, 500);
    let drive = Unit { lun: 1, ..THEIRS };
    for _ in 0..2 {
        rig.send(drive, ready());
    }
    good(rig.send(drive, ready()));
}

#[test]
fn those_registered_are_spared_by_reservations_for_registrants() {
    for kind in [ReservationType::WriteExclusiveRegistrants, ReservationType::ExclusiveAccessAll] {
        let mut rig = reserved(kind);
        rig.conflicts(THEIRS, move_medium(1000, 1020));
        rig.done(THEIRS, Out::Register, kind, 0, 0xB);
        good(rig.send(THEIRS, move_medium(1000, 1020)));
        assert_eq!(rig.keys(), (2, vec![0xA, 0xB]));
    }
}

#[test]
fn only_the_holder_releases_and_those_registered_are_told() {
    let kind = ReservationType::WriteExclusiveRegistrants;
    let mut rig = reserved(kind);
    rig.done(THEIRS, Out::Register, kind, 0, 0xB);
    rig.done(THEIRS, Out::Release, kind, 0xB, 0);
    assert_eq!(rig.holder(), Some((0xA, kind.code())));
    let other = ReservationType::ExclusiveAccess;
    assert_eq!(code(&rig.out(OURS, Out::Release, other, 0xA, 0)), (5, 0x26, 0x04));
    rig.done(OURS, Out::Release, kind, 0xA, 0);
    assert_eq!(rig.holder(), None);
    assert_eq!(code(&rig.send(THEIRS, ready())), (6, 0x2A, 0x04));
    good(rig.send(OURS, ready()));
}

#[test]
fn a_wrong_key_is_a_conflict_and_changes_nothing() {
    let kind = ReservationType::WriteExclusive;
    let mut rig = reserved(kind);
    let conflict = Answer::status(Status::ReservationConflict);
    assert_eq!(rig.out(OURS, Out::Register, kind, 0xBAD, 0xC), conflict);
    assert_eq!(rig.out(OURS, Out::Clear, kind, 0xBAD, 0), conflict);
    assert_eq!(rig.out(THEIRS, Out::Reserve, kind, 0, 0), conflict);
    assert_eq!(rig.out(THEIRS, Out::Preempt, kind, 0, 0xA), conflict);
    assert_eq!((rig.keys(), rig.holder()), ((1, vec![0xA]), Some((0xA, kind.code()))));
    rig.done(OURS, Out::RegisterAndIgnore, kind, 0xBAD, 0xC);
    assert_eq!((rig.keys(), rig.holder()), ((2, vec![0xC]), Some((0xC, kind.code()))));
}

#[test]
fn a_preempted_holder_loses_registration_and_reservation_and_is_told() {
    let kind = ReservationType::ExclusiveAccess;
    let mut rig = reserved(kind);
    rig.done(THEIRS, Out::Register, kind, 0, 0xB);
    let conflict = Answer::status(Status::ReservationConflict);
    assert_eq!(rig.out(THEIRS, Out::Reserve, kind, 0xB, 0), conflict);
    rig.done(THEIRS, Out::PreemptAndAbort, kind, 0xB, 0xA);
    assert_eq!(code(&rig.send(OURS, ready())), (6, 0x2A, 0x05));
    assert_eq!((rig.keys().1, rig.holder()), (vec![0xB], Some((0xB, kind.code()))));
    rig.conflicts(OURS, move_medium(1000, 500));
}

#[test]
fn who_preempts_its_own_key_stays_registered_and_the_namesakes_do_not() {
    let kind = ReservationType::WriteExclusive;
    let mut rig = reserved(kind);
    rig.done(THEIRS, Out::Register, kind, 0, 0xA);
    rig.done(OURS, Out::Preempt, kind, 0xA, 0xA);
    assert_eq!((rig.keys().1, rig.holder()), (vec![0xA], Some((0xA, kind.code()))));
    rig.moves(1000, 500);
    assert_eq!(code(&rig.send(THEIRS, ready())), (6, 0x2A, 0x05));
    rig.conflicts(THEIRS, move_medium(1001, 501));
}

#[test]
fn clearing_removes_everything_and_tells_the_others() {
    let kind = ReservationType::WriteExclusiveAll;
    let mut rig = reserved(kind);
    rig.done(THEIRS, Out::Register, kind, 0, 0xB);
    assert_eq!(rig.holder(), Some((0, kind.code())), "all hold it");
    let data = good(rig.send(OURS, ask(PersistentReserveInAction::ReadFullStatus)));
    let status = ReservationStatus::parse(&data).unwrap();
    assert!(status.registrations().map(|it| (it.key, it.holds)).eq([(0xA, true), (0xB, true)]));
    rig.done(OURS, Out::Clear, kind, 0xA, 0);
    assert_eq!((rig.keys(), rig.holder()), ((3, vec![]), None));
    assert_eq!(code(&rig.send(THEIRS, ready())), (6, 0x2A, 0x03));
}

#[test]
fn registrations_outlive_a_reset_but_not_their_initiator() {
    let mut rig = reserved(ReservationType::WriteExclusive);
    rig.device.reset(rig.now(), 0);
    assert_eq!(code(&rig.send(OURS, ready())), (6, 0x29, 0x03));
    assert_eq!(rig.keys().1, [0xA]);
    rig.device.forget(OURS.nexus);
    assert_eq!(code(&rig.send(OURS, ready())), (6, 0x29, 0x00));
    assert_eq!((rig.keys().1, rig.holder()), (vec![], None));
}

#[test]
fn a_lost_session_keeps_its_registration_and_leaves_nothing_else() {
    let kind = ReservationType::WriteExclusive;
    let mut rig = reserved(kind);
    good(rig.send(OURS, PreventAllowMediumRemoval { prevent: true }.cdb()));
    assert!(rig.device.operator_put(10, "VT0099L8").is_err());
    rig.device.lose(rig.now(), OURS.nexus);
    rig.device.operator_put(10, "VT0099L8").expect("nobody prevents it");
    while rig.send(THEIRS, ready()).status == Status::CheckCondition {}
    assert!(rig.device.is_registered(OURS.nexus) && !rig.device.is_registered(THEIRS.nexus));
    assert_eq!(code(&rig.send(OURS, ready())), (6, 0x29, 0x07));
    while rig.send(OURS, ready()).status == Status::CheckCondition {}
    assert_eq!((rig.keys().1, rig.holder()), (vec![0xA], Some((0xA, kind.code()))));
    rig.conflicts(THEIRS, move_medium(1000, 501));
    rig.moves(1000, 500);
}

#[test]
fn the_full_status_names_who_has_a_name() {
    let kind = ReservationType::WriteExclusive;
    let mut rig = reserved(kind);
    rig.done(THEIRS, Out::Register, kind, 0, 0xB);
    let longest = format!("iqn.{},i,0x800000000001", "a".repeat(219));
    rig.device.name_nexus(OURS.nexus, &longest);
    rig.device.name_nexus(THEIRS.nexus, &"\u{e9}".repeat(200));
    let data = good(rig.send(OURS, ask(PersistentReserveInAction::ReadFullStatus)));
    let status = ReservationStatus::parse(&data).unwrap();
    let ids: Vec<_> = status.registrations().map(|it| it.initiator).collect();
    let [ours, theirs] = ids[..] else { panic!("{ids:?}") };
    assert_eq!((ours[..4].to_vec(), ours.len()), (vec![0x45, 0, 0, 244], 248));
    assert_eq!(ours[4..].strip_prefix(longest.as_bytes()), Some(&[0; 4][..]));
    assert_eq!((theirs[0], theirs.len() % 4, theirs.last()), (0x05, 0, Some(&0)));
}

#[test]
fn what_is_not_offered_is_refused() {
    let kind = ReservationType::WriteExclusive;
    let mut rig = reserved(kind);
    let data = good(rig.send(OURS, ask(PersistentReserveInAction::ReportCapabilities)));
    let capabilities = ReservationCapabilities::parse(&data).unwrap();
    assert_eq!((capabilities.supports(kind), capabilities.can_persist), (Some(true), false));
    let command = PersistentReserveOut { action: Out::Register, scope: 0, kind: 0, length: 24 };
    let persist = PersistentReserveParameters { key: 0xA, persist: true, ..Default::default() };
    assert_eq!(code(&rig.send_out(OURS, command.cdb(), &persist.to_bytes())), (5, 0x26, 0x00));
    assert_eq!(code(&rig.send_out(OURS, command.cdb(), &persist.to_bytes()[..23])), (5, 0x1A, 0x00));
    let short = PersistentReserveOut { length: 16, ..command };
    assert_eq!(code(&rig.send_out(OURS, short.cdb(), &persist.to_bytes())), (5, 0x1A, 0x00));
    let answer = rig.out(OURS, Out::RegisterAndMove, kind, 0xA, 0xB);
    assert_eq!((code(&answer), pointer(&answer)), ((5, 0x24, 0x00), Some(1)));
    let element = PersistentReserveOut { action: Out::Reserve, scope: 2, kind: 1, length: 24 };
    let list = PersistentReserveParameters { key: 0xA, ..Default::default() };
    let answer = rig.send_out(OURS, element.cdb(), &list.to_bytes());
    assert_eq!((code(&answer), pointer(&answer)), ((5, 0x24, 0x00), Some(2)));
}
