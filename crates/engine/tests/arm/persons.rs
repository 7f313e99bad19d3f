//! A person is asked to empty the arm where the library does not let it, and nothing is tried without end meanwhile.

use autochanger_engine::request::{FailureKind, Outcome, State, Waiting, Wanted};
use autochanger_engine::view::OperatorTask;
use autochanger_sim::{Fault, Quirk, SenseKey};
use autochanger_world::{World, inventory};

use super::{ARM, OTHER, SLOT, TAPE, device, library, passes, tasks};

#[test]
fn a_dismount_of_a_medium_in_the_arm_waits_for_the_person_and_passes_where_the_medium_is_then() {
    let mut world = World::ready(library().quirk(Quirk::NoArmSource).cartridge_at(ARM, "VT0091L8").build());
    assert!(matches!(tasks(&world).as_slice(), [OperatorTask::EmptyArm { .. }]), "{:?}", tasks(&world));
    let id = world.dismount("VT0091L8");
    world.rest();
    assert!(!world.state(id).is_final(), "it waits for the same: {}", world.state(id));
    world.device.operator_swap(ARM, 1009).unwrap();
    let read = world.submit(inventory()).unwrap();
    passes(&mut world, read);
    assert_eq!(world.state(id), State::Passed(Outcome::Dismounted { slot: 1009.into() }));
    assert!(tasks(&world).is_empty());
}

#[test]
fn a_person_is_asked_to_empty_an_arm_that_is_no_source_and_everybody_goes_on_then() {
    let mut world = World::ready(library().quirk(Quirk::NoArmSource).build());
    world.device.inject(Fault::stuck_in_arm().on_move());
    let stuck = world.mount(TAPE);
    let other = world.mount(OTHER);
    world.rest();
    // Who needs the arm waits for it.
    for id in [stuck, other] {
        assert_eq!(world.engine.view().request(id).unwrap().state, State::Waiting(Waiting::Arm));
    }
    let asked = tasks(&world);
    let [OperatorTask::EmptyArm { library, arm, cartridge }] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!((&**library, arm.0, &**cartridge), ("sim:test", ARM, TAPE));
    let text = asked[0].to_string();
    assert!(text.contains("arm 1") && text.contains(TAPE) && text.contains("sim:test"), "{text}");
    let sent = world.device.moves_sent();
    // An inventory needs no arm, and changes nothing while the cartridge is where it was: one more attempt at the most.
    let read = world.submit(inventory()).unwrap();
    world.rest();
    assert!(matches!(world.state(read), State::Passed(_)), "{}", world.state(read));
    assert!(world.device.moves_sent() <= sent + 1);
    world.device.operator_swap(ARM, SLOT).unwrap();
    let read = world.submit(inventory()).unwrap();
    world.rest();
    for id in [read, stuck, other] {
        assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    }
    assert!(tasks(&world).is_empty());
    world.assert_true();
}

#[test]
fn a_cartridge_that_a_person_took_out_of_the_arm_and_away_is_missing_and_nobody_waits_for_the_arm() {
    let mut world = World::ready(library().quirk(Quirk::NoArmSource).build());
    world.device.inject(Fault::stuck_in_arm().on_move());
    let stuck = world.mount(TAPE);
    let other = world.mount(OTHER);
    world.rest();
    world.device.operator_take(ARM).unwrap();
    let read = world.submit(inventory()).unwrap();
    world.rest();
    assert!(matches!(world.state(read), State::Passed(_)), "{}", world.state(read));
    let State::Failed(failure) = world.state(stuck) else { panic!("{}", world.state(stuck)) };
    assert_eq!(failure.kind, FailureKind::CartridgeMissing);
    assert!(matches!(world.state(other), State::Passed(_)), "{}", world.state(other));
    assert!(tasks(&world).is_empty() && world.engine.view().requests().is_empty());
    world.assert_true();
}

#[test]
fn with_a_second_arm_the_others_go_on_while_a_person_is_asked() {
    let device = library().arms(2).quirk(Quirk::NoArmSource).cartridge_at(2, "VT0091L8").build();
    let mut world = World::ready(device);
    assert!(matches!(tasks(&world).as_slice(), [OperatorTask::EmptyArm { arm, .. }] if arm.0 == 2));
    let id = world.mount(TAPE);
    passes(&mut world, id);
}

#[test]
fn a_refused_task_is_asked_again_by_the_manager_as_long_as_the_arm_is_full() {
    let mut world = World::ready(library().quirk(Quirk::NoArmSource).cartridge_at(ARM, "VT0091L8").build());
    let asked = world.engine.view().operator_requests();
    let [first] = asked.as_slice() else { panic!("{asked:?}") };
    let _ = world.cancel_as(
        autochanger_engine::catalog::Caller {
            session: autochanger_engine::id::SessionId(9),
            application: "operator".into(),
            role: autochanger_engine::catalog::Role::Administrator,
        },
        first.request,
    );
    world.rest();
    assert!(matches!(tasks(&world).as_slice(), [OperatorTask::EmptyArm { .. }]));
}

#[test]
fn inventories_do_not_have_a_full_arm_tried_without_end() {
    let mut world = World::ready(library().quirk(Quirk::NoArmSource).cartridge_at(ARM, "VT0091L8").build());
    for _ in 0..10 {
        let read = world.submit(inventory()).unwrap();
        world.rest();
        assert!(matches!(world.state(read), State::Passed(_)));
    }
    assert_eq!(world.device.moves_sent(), 5);
    assert!(matches!(tasks(&world).as_slice(), [OperatorTask::EmptyArm { .. }]));
}

#[test]
fn a_mount_whose_cartridge_stays_in_the_arm_is_not_tried_without_end() {
    let mut world = World::ready(device());
    world.device.inject(Fault::stuck_in_arm().on_move());
    world.device.inject(Fault::sense(SenseKey::NotReady, 0x04, 0x01).on_move().times(40));
    let id = world.group(1, &[TAPE, OTHER])[0];
    for _ in 0..10 {
        let read = world.submit(inventory()).unwrap();
        world.rest();
        assert!(matches!(world.state(read), State::Passed(_)));
    }
    let from_arm = |world: &World| {
        let own = world.disk.motions.values().filter(|motion| motion.request == id);
        own.filter(|motion| motion.source.address.0 == ARM).count()
    };
    assert!((1..=5).contains(&from_arm(&world)), "{}", from_arm(&world));
    // Whoever is asked to empty the arm has it go on.
    assert!(matches!(tasks(&world).as_slice(), [OperatorTask::EmptyArm { .. }]), "{:?}", tasks(&world));
    assert_eq!(world.engine.view().request(id).unwrap().state, State::Waiting(Waiting::Arm));
    world.device.clear_faults();
    world.device.operator_swap(ARM, SLOT).unwrap();
    let read = world.submit(inventory()).unwrap();
    world.rest();
    assert!(matches!(world.state(read), State::Passed(_)), "{}", world.state(read));
    passes(&mut world, id);
}

#[test]
fn a_dismount_gets_the_medium_that_a_mount_did_not_bring_out_of_the_arm() {
    let mut world = World::ready(device());
    world.device.inject(Fault::sense(SenseKey::HardwareError, 0x44, 0x00).on(0x00).lun(1).always());
    let mounted = world.mount(TAPE);
    world.until("it is in a drive", |world| world.device.moves_done() == 1);
    let wanted = Wanted::Dismount { cartridge: TAPE.into(), slot: None, force: true };
    let dismounted = world.submit(wanted).unwrap();
    // The way back sticks, and the library does not take it from there for the mount.
    world.device.inject(Fault::stuck_in_arm().on_move());
    world.device.inject(Fault::sense(SenseKey::IllegalRequest, 0x3B, 0x0D).on_move().always());
    world.rest();
    assert!(matches!(tasks(&world).as_slice(), [OperatorTask::EmptyArm { .. }]), "{:?}", tasks(&world));
    world.device.clear_faults();
    world.device.operator_swap(ARM, SLOT).unwrap();
    let read = world.submit(inventory()).unwrap();
    passes(&mut world, read);
    assert_eq!(world.state(dismounted), State::Passed(Outcome::Dismounted { slot: SLOT.into() }));
    passes(&mut world, mounted);
    world.assert_true();
}
