//! Libraries that look at their elements when they are told to: in which form, before what, and what they do meanwhile.

use std::time::Duration;

use autochanger_engine::Quirk;
use autochanger_engine::input::Reservation;
use autochanger_engine::request::{FailureKind, InventoryMethod, State, Wanted};
use autochanger_engine::view::{LibraryError, LibraryState};
use autochanger_sim::{Fault, Nexus, Quirk as Switch, Unit};

use super::{World, does_the_main_job, library, passes, quirks};

const FULL: Wanted = Wanted::Inventory { library: None, method: Some(InventoryMethod::Full) };
const FORMS: [u8; 3] = [0x37, 0xE7, 0x07];

/// The commands in any form that reached the library, in order.
fn scans(world: &World) -> Vec<u8> {
    let opcodes = world.device.log().filter_map(|entry| entry.opcode());
    opcodes.filter(|opcode| FORMS.contains(opcode)).collect()
}

#[test]
fn the_form_that_the_library_has_is_found_and_kept() {
    for (switch, sent, again, told) in [
        (Switch::NulTags, &[0x37][..], 0x37, &[][..]),
        (Switch::Initialize37Only, &[0x37], 0x37, &[]),
        (Switch::InitializeE7Only, &[0x37, 0xE7], 0xE7, &[Quirk::OlderInitialize]),
    ] {
        let mut world = World::ready(library().quirk(switch).build());
        passes(&mut world, FULL, "full inventory");
        assert_eq!(scans(&world), sent, "{switch}");
        assert_eq!(quirks(&world), told, "{switch}");
        passes(&mut world, FULL, "full inventory");
        assert_eq!(scans(&world).split_off(sent.len()), [again], "{switch}");
        world.assert_true();
    }
    // The plain form is last.
    let mut world = World::ready(library().build());
    let unknown =
        |opcode| Fault::sense(autochanger_sim::SenseKey::IllegalRequest, 0x20, 0x00).on(opcode).always();
    world.device.inject(unknown(0x37));
    world.device.inject(unknown(0xE7));
    passes(&mut world, FULL, "full inventory");
    assert_eq!((scans(&world), quirks(&world)), (FORMS.to_vec(), vec![]));
}

#[test]
fn a_library_that_cannot_be_told_to_look_says_so_and_serves() {
    let mut world = World::ready(library().quirk(Switch::NoInitialize).build());
    let id = world.submit(FULL).unwrap();
    world.rest();
    let State::Failed(failure) = world.state(id) else { panic!("{}", world.state(id)) };
    assert_eq!(failure.kind, FailureKind::Refused, "{failure}");
    assert_eq!((scans(&world), quirks(&world)), (FORMS.to_vec(), vec![Quirk::NoInitialize]));
    does_the_main_job(world, "no INITIALIZE ELEMENT STATUS").assert_true();
}

#[test]
fn a_library_that_only_says_that_it_has_looked_is_told_as_that() {
    let mut world = World::ready(library().quirk(Switch::InitializeDoesNothing).build());
    passes(&mut world, FULL, "full inventory");
    assert_eq!(quirks(&world), [Quirk::InitializeDoesNothing]);
    world.assert_true();
}

#[test]
fn a_library_that_does_not_serve_before_it_has_looked_is_told_to_once() {
    for form in [Switch::NulTags, Switch::Initialize37Only, Switch::InitializeE7Only] {
        let device = library().quirk(Switch::NeedsInitialize).quirk(form).build();
        let mut world = does_the_main_job(World::new(device), "needs INITIALIZE ELEMENT STATUS");
        let sent = if form == Switch::InitializeE7Only { 2 } else { 1 };
        assert_eq!(scans(&world).len(), sent, "{form}");
        assert!(quirks(&world).contains(&Quirk::NeedsInitialize));
        passes(
            &mut world,
            Wanted::Inventory { library: None, method: Some(InventoryMethod::Fast) },
            "inventory",
        );
        assert_eq!(scans(&world).len(), sent, "{form}");
        world.assert_true();
    }
}

#[test]
fn a_library_that_wants_to_be_told_without_end_is_not_fit() {
    let device = library().quirk(Switch::NeedsInitialize).quirk(Switch::InitializeDoesNothing).build();
    let mut world = World::new(device);
    world.until("it is told", |world| match &*world.engine.view().libraries()[0].state {
        LibraryState::Unusable(LibraryError::Unfit { what, .. }) => what.contains("02/04/02"),
        _ => false,
    });
    assert_eq!(scans(&world).len(), 1);
}

#[test]
fn at_start_a_library_looks_at_its_elements_where_that_is_configured_and_when_it_was_switched_on() {
    let unscanned = || library().quirk(Switch::LabelsUnscanned).quirk(Switch::InitializeE7Only).build();
    let mut world = World::with(unscanned(), |config| config.libraries[0].initialize_at_start = true);
    world.rest();
    assert_eq!((scans(&world), quirks(&world)), (vec![0x37, 0xE7], vec![Quirk::OlderInitialize]));
    assert_eq!(world.engine.view().cartridges(None).iter().filter(|it| it.barcode.is_none()).count(), 0);
    world.assert_true();

    let lose_path = |world: &mut World, tape: &str| {
        world.device.inject(Fault::not_delivered().lasting(Duration::from_secs(20)));
        world.mount(tape);
        world.until("it is told", |world| {
            matches!(&*world.engine.view().libraries()[0].state, LibraryState::NotPresent(_))
        });
    };
    // A path that was lost is no start.
    lose_path(&mut world, "VT0001L8");
    world.rest();
    assert_eq!(scans(&world).len(), 2);
    // A library that was off is.
    lose_path(&mut world, "VT0002L8");
    world.device.inject(Fault::unit_attention(0, 0x29, 0x01));
    world.rest();
    assert_eq!(scans(&world), [0x37, 0xE7, 0xE7]);
    world.assert_true();

    // Without being asked for it is not done.
    let world = World::ready(unscanned());
    assert_eq!((scans(&world), quirks(&world)), (vec![], vec![Quirk::UnscannedLabels]));
}

#[test]
fn what_is_asked_while_the_library_looks_at_its_elements_waits() {
    let device = library().quirk(Switch::RefusesWhileScanning).build();
    let mut world = World::with(device, |config| config.libraries[0].reservation = Reservation::Never);
    world.rest();
    // Another host has it done: for minutes nothing else is.
    let other = Unit { nexus: Nexus(7), lun: 0 };
    let now = world.now;
    let ready = world.device.submit(now, other, &[0; 6], &[], 0);
    world.device.take(ready);
    world.device.submit(now, other, &[0x07, 0, 0, 0, 0, 0], &[], 0);
    let id = world.mount("VT0001L8");
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    assert!(world.now - now > Duration::from_secs(100));
    assert_eq!(world.device.moves_done(), 1);
    world.assert_true();
    passes(&mut world, FULL, "full inventory");
}

#[test]
fn a_scan_that_was_not_answered_in_its_time_is_not_begun_anew() {
    let mut world = World::ready(library().build());
    world.gives_up = true;
    world.device.inject(Fault::silence().on(0x37));
    let begun = world.now;
    let id = world.submit(FULL).unwrap();
    world.until("it ends", |world| world.state(id).is_final());
    let State::Failed(failure) = world.state(id) else { panic!("{}", world.state(id)) };
    assert_eq!((failure.kind, scans(&world)), (FailureKind::PathLost, vec![0x37]));
    // 126 elements of 16 s each, and half a minute, is less than an hour.
    assert_eq!(world.now - begun, Duration::from_secs(3600));
}

#[test]
fn a_large_library_has_the_time_that_it_needs() {
    for (slots, seconds) in [(300, 30 + 16 * 306), (2000, 4 * 3600)] {
        let mut world = World::ready(library().slots(slots).build());
        world.gives_up = true;
        world.device.inject(Fault::silence().on(0x37));
        let begun = world.now;
        let id = world.submit(FULL).unwrap();
        world.until("it ends", |world| world.state(id).is_final());
        assert_eq!(world.now - begun, Duration::from_secs(seconds));
    }
}

#[test]
fn labels_that_are_in_doubt_after_the_door_stay_known_until_they_are_scanned() {
    let mut world = World::ready(library().quirk(Switch::LabelsDoubtfulAfterDoor).build());
    world.device.operator_open_door().unwrap();
    world.device.operator_close_door();
    let mut world = does_the_main_job(world, "after the door");
    passes(&mut world, FULL, "full inventory");
    assert_eq!(world.engine.view().cartridges(None).len(), 90);
    world.assert_true();
}
