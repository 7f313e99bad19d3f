//! A cartridge in the arm: the request that wanted it moved goes on from there, the manager itself clears the arm of what nobody
//! moves, and a person is asked where the library does not let it. In virtual time.

#[path = "arm/persons.rs"]
mod persons;

use std::time::Duration;

use autochanger_engine::catalog::MotionState;
use autochanger_engine::id::RequestId;
use autochanger_engine::request::{FailureKind, Operation, Outcome, Place, State, Waiting, Wanted};
use autochanger_engine::view::OperatorTask;
use autochanger_engine::{Answer, EventKind};
use autochanger_sim::{Device, Fault, Library, Quirk, SenseKey, Timing};
use autochanger_world::{World, eject, inject, inventory};

const TAPE: &str = "VT0001L8";

const OTHER: &str = "VT0002L8";

const ARM: u16 = 1;

const SLOT: u16 = 1000;

fn library() -> Library {
    Library::new().slots(10).drives(2).ports(2).cartridges("VT{:04}L8", 1..=6).timing(Timing::midrange())
}

fn device() -> Device {
    library().build()
}

fn place(world: &World, label: &str) -> Place {
    let all = world.engine.view().cartridges(None);
    all.iter().find(|it| it.barcode.as_deref() == Some(label)).expect("it is known").place.clone()
}

fn is_in(world: &World, label: &str, address: u16) -> bool {
    matches!(place(world, label), Place::Element(name) if name.address.0 == address)
}

fn tasks(world: &World) -> Vec<OperatorTask> {
    world.engine.view().operator_requests().into_iter().map(|asked| asked.task).collect()
}

/// The motions of a cartridge as they stand on the disk: from, to, how they ended; in the order in which they were intended.
fn motions(world: &World, label: &str) -> Vec<(u16, u16, MotionState)> {
    let id =
        world.disk.cartridges.values().find(|it| it.barcode.as_deref() == Some(label)).expect("known").id;
    let mut motions: Vec<_> = world.disk.motions.values().filter(|motion| motion.cartridge == id).collect();
    motions.sort_by_key(|motion| (motion.at, motion.request, motion.sequence));
    motions.iter().map(|it| (it.source.address.0, it.destination.address.0, it.state)).collect()
}

#[track_caller]
fn passes(world: &mut World, id: RequestId) {
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    world.assert_true();
}

/// What the manager did of its own accord.
fn own(world: &World) -> Vec<(Operation, State)> {
    let own = world.disk.requests.values().filter(|request| &*request.application == "autochanger");
    own.map(|request| (request.operation(), request.state.clone())).collect()
}

#[test]
fn a_mount_whose_cartridge_stayed_in_the_arm_goes_on_from_there() {
    let mut world = World::ready(device());
    world.device.inject(Fault::stuck_in_arm().on_move());
    let id = world.mount(TAPE);
    passes(&mut world, id);
    assert!(matches!(world.state(id), State::Passed(Outcome::Mounted { .. })));
    let State::Passed(Outcome::Mounted { drive, .. }) = world.state(id) else { unreachable!() };
    assert_eq!(
        motions(&world, TAPE),
        [(SLOT, drive.0, MotionState::InArm), (ARM, drive.0, MotionState::Moved)]
    );
    // That the arm kept it is the library's fault, and is told.
    let told = |event: &EventKind| matches!(event, EventKind::Fault { fault, .. } if fault.message.contains("arm 1"));
    assert!(world.events.iter().any(|event| told(&event.kind)));
    assert_eq!(world.engine.view().libraries()[0].blame.faults, 1);
    assert!(own(&world).is_empty());
    // And back to where it came from.
    let id = world.dismount(TAPE);
    passes(&mut world, id);
    assert!(is_in(&world, TAPE, SLOT));
}

#[test]
fn a_dismount_whose_cartridge_stayed_in_the_arm_goes_on_from_there() {
    let mut world = World::ready(device());
    let id = world.mount(TAPE);
    passes(&mut world, id);
    world.device.inject(Fault::stuck_in_arm().on_move());
    let id = world.dismount(TAPE);
    world.until("it is in the arm", |world| is_in(world, TAPE, ARM));
    assert!(world.engine.view().mounts().is_empty(), "it is in no drive any more");
    passes(&mut world, id);
    assert_eq!(world.state(id), State::Passed(Outcome::Dismounted { slot: SLOT.into() }));
}

#[test]
fn ejects_and_injects_go_on_from_the_arm() {
    let mut world = World::ready(device());
    world.device.inject(Fault::stuck_in_arm().on_move());
    let id = world.submit(eject(TAPE)).unwrap();
    passes(&mut world, id);
    let State::Passed(Outcome::Ejected { port }) = world.state(id) else { panic!("{}", world.state(id)) };
    world.device.operator_take(port).unwrap();
    let id = world.submit(inventory()).unwrap();
    passes(&mut world, id);
    // And in again, where it counts as what was injected.
    world.device.operator_put(port, TAPE).unwrap();
    world.device.inject(Fault::stuck_in_arm().on_move());
    let id = world.submit(inject(false)).unwrap();
    passes(&mut world, id);
    let State::Passed(Outcome::Injected { cartridges }) = world.state(id) else {
        panic!("{}", world.state(id))
    };
    assert_eq!(cartridges.len(), 1);
    assert!(own(&world).is_empty());
}

#[test]
fn what_a_cancel_stopped_in_the_arm_the_manager_brings_home_before_anything_else_moves() {
    let mut world = World::ready(device());
    world.device.inject(Fault::stuck_in_arm().on_move());
    let id = world.mount(TAPE);
    let other = world.mount(OTHER);
    world.until("the move is sent", |world| world.device.moves_sent() == 1);
    let _ = world.cancel(id);
    world.rest();
    let State::Stopped { place: Some(Place::Element(stopped)), .. } = world.state(id) else {
        panic!("{}", world.state(id))
    };
    assert_eq!(stopped.address.0, ARM, "nothing is moved back for a stop");
    assert!(matches!(world.state(other), State::Passed(_)), "{}", world.state(other));
    assert!(is_in(&world, TAPE, SLOT));
    assert_eq!(
        own(&world),
        [(Operation::Dismount, State::Passed(Outcome::Dismounted { slot: SLOT.into() }))]
    );
    // The other one's move was never refused by the full arm.
    assert!(
        motions(&world, OTHER)
            .iter()
            .all(|(.., state)| matches!(state, MotionState::Moved | MotionState::NotSent))
    );
    world.assert_true();
}

#[test]
fn a_cartridge_that_is_in_the_arm_at_open_is_brought_to_a_slot() {
    let mut world = World::ready(library().cartridge_at(ARM, "VT0091L8").build());
    assert!(!is_in(&world, "VT0091L8", ARM), "{:?}", place(&world, "VT0091L8"));
    let id = world.mount(TAPE);
    passes(&mut world, id);
    let id = world.mount("VT0091L8");
    passes(&mut world, id);
}

#[test]
fn an_arm_without_labels_is_known_by_what_is_missing_elsewhere() {
    for quirks in [&[Quirk::ArmWithoutLabel][..], &[Quirk::ArmWithoutLabel, Quirk::NoArmSource]] {
        let device = quirks.iter().fold(library(), |library, quirk| library.quirk(*quirk)).build();
        let mut world = World::ready(device);
        let known = world.engine.view().cartridges(None).len();
        world.device.inject(Fault::stuck_in_arm().on_move());
        let id = world.mount(TAPE);
        world.rest();
        let read = world.submit(inventory()).unwrap();
        world.rest();
        assert!(matches!(world.state(read), State::Passed(_)));
        assert_eq!(world.engine.view().cartridges(None).len(), known, "it is no new cartridge");
        if quirks.len() == 1 {
            assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
        } else {
            assert!(is_in(&world, TAPE, ARM), "{:?}", place(&world, TAPE));
        }
    }
}

/// Nothing can be read while the move is looked into, so that nothing is concluded.
#[test]
fn a_medium_whose_place_is_unknown_is_found_in_the_arm_and_not_made_a_second_one() {
    for labelled in [true, false] {
        let mut library = library().unlabelled_at(1009);
        if !labelled {
            library = library.quirk(Quirk::ArmWithoutLabel);
        }
        let mut world = World::ready(library.build());
        let slot = if labelled { SLOT } else { 1009 };
        let all = world.engine.view().cartridges(None);
        let known = all.len();
        let id = all
            .iter()
            .find(|it| matches!(it.place, Place::Element(name) if name.address.0 == slot))
            .unwrap()
            .id;
        let wanted = autochanger_engine::request::Wanted::Mount {
            cartridge: autochanger_engine::request::CartridgeRef::Id(id),
            drive: None,
            access: Default::default(),
        };
        world.device.inject(Fault::stuck_in_arm().on_move());
        let reads = Fault::sense(autochanger_sim::SenseKey::HardwareError, 0x44, 0x00).on(0xB8);
        let request = world.submit(wanted).unwrap();
        world.until("the move is sent", |world| world.device.moves_sent() == 1);
        world.device.inject(reads.times(15));
        world.until("it is given up", |world| world.disk.requests[&request].state.is_final());
        let State::Failed(failure) = world.state(request) else { panic!("{}", world.state(request)) };
        assert_eq!(failure.kind, FailureKind::Unknown, "{failure}");
        let Some(Place::Unknown { one_of }) = &failure.place else { panic!("{failure:?}") };
        assert!(one_of.iter().any(|element| element.address.0 == ARM), "{one_of:?}");
        world.rest();
        let all = world.engine.view().cartridges(None);
        assert_eq!(all.len(), known, "{all:?}");
        let there = all.iter().find(|it| it.id == id).unwrap();
        assert!(matches!(there.place, Place::Element(_)), "{:?}", there.place);
        world.assert_true();
    }
}

#[test]
fn the_power_goes_at_each_batch_of_a_way_through_the_arm_and_the_cartridge_arrives() {
    for source in [true, false] {
        for batch in 0..12 {
            for kept in [true, false] {
                let device = if source { device() } else { library().quirk(Quirk::NoArmSource).build() };
                let mut world = World::ready(device);
                world.device.inject(Fault::stuck_in_arm().on_move());
                world.power_fails = Some(autochanger_world::PowerFailure { batch, kept });
                let id = world.mount(TAPE);
                let other = world.mount(OTHER);
                world.rest();
                let stuck = [(TAPE, SLOT), (OTHER, SLOT + 1)]
                    .into_iter()
                    .find(|(label, _)| world.device.find(label).is_some_and(|place| place.0 == ARM));
                if let Some((_, home)) = stuck {
                    assert!(!source, "the manager empties it");
                    assert!(
                        matches!(tasks(&world).as_slice(), [OperatorTask::EmptyArm { .. }]),
                        "batch {batch}, kept {kept}: {:?}",
                        tasks(&world)
                    );
                    world.device.operator_swap(ARM, home).unwrap();
                    let read = world.submit(inventory()).unwrap();
                    world.rest();
                    assert!(matches!(world.state(read), State::Passed(_)));
                }
                for id in [id, other] {
                    let known = world.disk.requests.contains_key(&id);
                    if known && world.state(id) == State::Waiting(Waiting::Owner) {
                        assert!(matches!(world.adopt(id), Answer::Adopted(_)));
                    }
                    world.rest();
                    let ended = !known || matches!(world.state(id), State::Passed(_));
                    assert!(ended, "batch {batch}, kept {kept}: {}", world.state(id));
                }
                world.assert_true();
                assert!(world.engine.view().requests().is_empty());
            }
        }
    }
}

#[test]
fn after_a_restart_with_the_arm_full_its_motion_is_settled_and_the_arm_cleared() {
    let mut world = World::ready(device());
    world.device.inject(Fault::stuck_in_arm().on_move());
    let id = world.mount(TAPE);
    world.until("it is in the arm", |world| world.device.find(TAPE).is_some_and(|place| place.0 == ARM));
    world.crash();
    world.rest();
    assert_eq!(world.state(id), State::Waiting(Waiting::Owner));
    assert!(is_in(&world, TAPE, SLOT), "nobody has claimed the mount: the arm is needed by others");
    world.adopt(id);
    passes(&mut world, id);
}

#[test]
fn a_move_that_was_aborted_in_the_arm_is_found_there_when_its_time_is_over() {
    let mut world = World::ready(library().quirk(Quirk::ArmKeepsCartridge).build());
    let id = world.mount(TAPE);
    world.until("it is in the arm", |world| world.device.find(TAPE).is_some_and(|place| place.0 == ARM));
    let now = world.now;
    world.device.abort(now, 0);
    passes(&mut world, id);
    assert!(motions(&world, TAPE).iter().any(|(.., state)| *state == MotionState::InArm));
    assert!(world.now - now >= Duration::from_secs(30 * 60), "nothing proves that the move has ended before");
}

#[test]
fn both_cartridges_of_an_exchange_that_stuck_arrive() {
    let mut world = World::with(library().exchange(true).drives(1).build(), |config| {
        config.libraries[0].exchange = true;
    });
    world.rest();
    let id = world.mount(TAPE);
    passes(&mut world, id);
    let waits = world.mount(OTHER);
    world.device.inject(Fault::stuck_in_arm().on(0xA6));
    let out = world.dismount(TAPE);
    world.rest();
    for id in [waits, out] {
        assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    }
    assert!(motions(&world, OTHER).iter().any(|(.., state)| *state == MotionState::InArm));
    world.assert_true();
}

#[test]
fn a_medium_that_comes_out_of_a_drive_that_failed_goes_on_from_the_arm() {
    let mut world = World::ready(device());
    world
        .device
        .inject(Fault::sense(autochanger_sim::SenseKey::HardwareError, 0x44, 0x00).on(0x00).lun(1).always());
    let id = world.mount(TAPE);
    world.until("it is in a drive", |world| world.device.moves_done() == 1);
    // The way back sticks.
    world.device.inject(Fault::stuck_in_arm().on_move());
    world.rest();
    let motions = motions(&world, TAPE);
    assert!(motions.iter().any(|(.., state)| *state == MotionState::InArm), "{motions:?}");
    assert!(world.state(id).is_final(), "{}", world.state(id));
    assert!(!is_in(&world, TAPE, ARM));
    world.assert_true();
}

#[test]
fn a_cleaning_cartridge_that_stuck_goes_on_and_cleans() {
    let device = library().cleaning_cartridge("CLN001L1").build();
    let mut world = World::ready(device);
    for stuck_at in [0, 1] {
        world.device.inject(Fault::stuck_in_arm().after(stuck_at).on_move());
        let wanted = autochanger_engine::request::Wanted::CleanDrive { library: None, drive: 500.into() };
        let id = world.submit(wanted).unwrap();
        passes(&mut world, id);
        assert!(!is_in(&world, "CLN001L1", ARM));
    }
}

#[test]
fn what_stuck_on_its_way_back_goes_to_another_slot_when_hands_have_filled_its_own() {
    let mut world = World::ready(device());
    world.device.inject(Fault::stuck_in_arm().on_move().after(1));
    let wanted = Wanted::Identify { cartridge: TAPE.into(), keep: false };
    let id = world.submit(wanted).unwrap();
    world.until("it is on its way back", |world| world.device.moves_sent() == 2);
    world.device.operator_swap(SLOT + 1, SLOT).unwrap();
    passes(&mut world, id);
    let sent = motions(&world, TAPE);
    let (first, last) = (sent[1], sent[sent.len() - 1]);
    assert_eq!((first.1, first.2), (SLOT, MotionState::InArm));
    assert_eq!((last.0, last.2), (ARM, MotionState::Moved));
    assert!(sent.len() <= 4 && is_in(&world, OTHER, SLOT), "{sent:?}");
}

#[test]
fn what_stuck_on_its_way_back_and_is_refused_from_then_on_is_not_tried_without_end() {
    let mut world = World::ready(device());
    world.device.inject(Fault::stuck_in_arm().on_move().after(1));
    world.device.inject(Fault::sense(SenseKey::NotReady, 0x04, 0x01).on_move().after(1).always());
    let wanted = Wanted::Identify { cartridge: TAPE.into(), keep: false };
    let id = world.submit(wanted).unwrap();
    world.rest();
    assert!(matches!(world.state(id), State::Failed(_)), "{}", world.state(id));
    assert!(world.device.moves_sent() < 16, "{}", world.device.moves_sent());
    assert!(matches!(tasks(&world).as_slice(), [OperatorTask::EmptyArm { .. }]));
    world.assert_true();
}

#[test]
fn a_mount_whose_cartridge_stays_in_one_of_two_arms_is_not_tried_without_end() {
    let mut world = World::with(library().arms(2).build(), |config| config.libraries[0].moves_in_flight = 2);
    world.rest();
    world.device.inject(Fault::stuck_in_arm().on_move());
    world.device.inject(Fault::sense(SenseKey::NotReady, 0x04, 0x01).on_move().after(1).always());
    let id = world.group(1, &[TAPE, OTHER])[0];
    world.rest();
    assert!((5..20).contains(&world.device.moves_sent()), "{}", world.device.moves_sent());
    assert_eq!(world.engine.view().request(id).unwrap().state, State::Waiting(Waiting::Medium));
    world.device.clear_faults();
    world.device.operator_swap(ARM, SLOT).unwrap();
    let read = world.submit(inventory()).unwrap();
    passes(&mut world, read);
    passes(&mut world, id);
}
