//! What libraries do otherwise at their ports, with locks, with drives' pages and with other initiators.

use autochanger_engine::Quirk;
use autochanger_engine::input::Reservation;
use autochanger_engine::request::{FailureKind, Outcome, State, Wanted};
use autochanger_sim::{ElementAddress, Library, Nexus, Quirk as Switch, Unit};
use autochanger_world::{dismount, eject, inventory, mount};

use super::{World, counts, does_the_main_job, library, passes, quirks};

const TAPE: &str = "VT0001L8";
const OTHER: Unit = Unit { nexus: Nexus(7), lun: 0 };
const TRAY: u8 = 0x1B;

fn superloader() -> Library {
    library().vendor("QUANTUM").product("UHDL").quirk(Switch::PortCommandIsMagazine)
}

fn sent(world: &World, opcode: u8) -> usize {
    world.device.log().filter(|it| it.unit.lun == 0 && it.opcode() == Some(opcode)).count()
}

/// Another initiator sends a command, after it has heard its power-on attention.
fn by_another(world: &mut World, cdb: &[u8]) {
    let now = world.now;
    for cdb in [&[0; 6][..], cdb] {
        world.device.submit(now, OTHER, cdb, &[], 0);
    }
}

#[test]
fn a_magazine_is_not_taken_out_for_an_eject() {
    let mut world = World::ready(superloader().build());
    assert_eq!(quirks(&world), [Quirk::PortCommandIsMagazine]);
    passes(&mut world, eject(TAPE), "eject");
    assert_eq!((sent(&world, TRAY), counts(&world)), (0, (120, 3, 2)));
    // A person takes it, and nothing is shut by command either.
    assert_eq!(world.device.operator_take(10).unwrap(), TAPE);
    passes(&mut world, inventory(), "inventory");
    does_the_main_job_of(world, "after an eject");
}

fn does_the_main_job_of(mut world: World, what: &str) {
    passes(&mut world, mount("VT0002L8"), what);
    passes(&mut world, dismount("VT0002L8"), what);
    assert_eq!(sent(&world, TRAY), 0, "{what}");
    world.assert_true();
}

#[test]
fn a_magazine_that_goes_out_all_the_same_takes_its_slots_with_it_and_brings_them_back() {
    // Of another name: nobody can know.
    let device = library().quirk(Switch::PortCommandIsMagazine).build();
    let mut world = World::with(device, |config| config.libraries[0].reservation = Reservation::Never);
    world.rest();
    passes(&mut world, eject(TAPE), "eject");
    assert!(sent(&world, TRAY) > 0);
    let all = world.engine.view().cartridges(None);
    assert_eq!(all.len(), 90, "none is forgotten");
    world.device.operator_take(10).unwrap();
    by_another(&mut world, &[TRAY, 0, 0, 10, 1, 0]);
    passes(&mut world, inventory(), "inventory");
    assert_eq!(counts(&world), (120, 3, 2));
    passes(&mut world, mount("VT0002L8"), "mount");
    world.assert_true();
}

#[test]
fn an_eject_of_a_library_that_carries_nothing_to_its_ports_fails_with_its_words_and_moves_nothing() {
    let mut world = World::ready(library().quirk(Switch::NoPortMoves).build());
    let id = world.submit(eject(TAPE)).unwrap();
    world.rest();
    let State::Failed(failure) = world.state(id) else { panic!("{}", world.state(id)) };
    assert_eq!(failure.kind, FailureKind::Refused, "{failure}");
    assert!(failure.to_string().contains("05/21/01"), "{failure}");
    assert_eq!(world.device.moves_done(), 0);
    does_the_main_job(world, "no port moves").assert_true();
}

#[test]
fn nothing_is_carried_from_drive_to_drive() {
    let mut world = World::ready(library().drives(2).quirk(Switch::NoDriveToDrive).build());
    for tape in [TAPE, "VT0002L8", "VT0003L8"] {
        passes(&mut world, mount(tape), "mount");
        if tape != TAPE {
            passes(&mut world, dismount(tape), "dismount");
        }
    }
    assert_eq!(quirks(&world), []);
    world.assert_true();
}

#[test]
fn locks_that_are_ignored_or_ended_by_others_keep_hands_out_of_nothing_and_nothing_is_lost() {
    for switch in [Switch::PreventIgnored, Switch::AllowClearsAll, Switch::NoPrevent] {
        let device = library().quirk(switch).build();
        let mut world = World::with(device, |config| config.libraries[0].lock_ports = true);
        world.rest();
        by_another(&mut world, &[0x1E, 0, 0, 0, 0, 0]);
        assert!(!world.device.is_locked(), "{switch}");
        assert_eq!(world.device.operator_take(1000).unwrap(), TAPE, "{switch}");
        world.device.operator_put(1110, TAPE).unwrap();
        passes(&mut world, mount(TAPE), &switch.to_string());
        passes(&mut world, dismount(TAPE), &switch.to_string());
        world.assert_true();
    }
}

#[test]
fn a_port_that_no_command_opens_is_used_by_hand() {
    let mut world = World::ready(library().quirk(Switch::NoPortCommand).build());
    let id = world.submit(eject(TAPE)).unwrap();
    world.rest();
    assert!(matches!(world.state(id), State::Passed(Outcome::Ejected { .. })), "{}", world.state(id));
    assert_eq!(world.device.operator_take(10).unwrap(), TAPE);
    passes(&mut world, eject("VT0002L8"), "eject");
    assert_eq!(sent(&world, TRAY), 1, "it is asked once");
    world.assert_true();
}

#[test]
fn a_bay_without_a_drive_is_told_and_nothing_is_loaded_into_it() {
    for (switch, named) in [(Switch::EmptyBays(2), "05/3B/1A"), (Switch::GhostDrives(2), "05/80/06")] {
        let mut world = World::ready(library().quirk(switch).build());
        assert_eq!(quirks(&world), [Quirk::EmptyBays], "{switch}");
        passes(&mut world, mount(TAPE), "mount");
        assert_eq!(world.device.find(TAPE).map(|at| at.0), Some(500), "{switch}");
        // The only drive is taken: another mount waits for it.
        let waiting = world.mount("VT0002L8");
        world.rest();
        assert!(!world.state(waiting).is_final(), "{switch} {named}: {}", world.state(waiting));
        passes(&mut world, dismount(TAPE), "dismount");
        assert!(matches!(world.state(waiting), State::Passed(_)), "{}", world.state(waiting));
        // A drive that is built in comes with an attention.
        world.device.quirk(Switch::EmptyBays(0));
        world.device.quirk(Switch::GhostDrives(0));
        world.device.inject(autochanger_sim::Fault::unit_attention(0, 0x3B, 0x1B));
        passes(&mut world, inventory(), "inventory");
        passes(&mut world, mount(TAPE), "mount");
        world.assert_true();
    }
}

#[test]
fn a_drive_that_pads_its_pages_is_cleaned_when_it_asks_for_it() {
    let device = library().cleaning_cartridge("CLN001L8").quirk(Switch::PadLogPages).build();
    let mut world = World::ready(device);
    assert!(world.device.drive_asks_for_cleaning(500, true));
    let drive = Some(ElementAddress(500));
    passes(&mut world, Wanted::Mount { cartridge: TAPE.into(), drive, access: Default::default() }, "mount");
    passes(&mut world, dismount(TAPE), "dismount");
    let cleaned = world.device.log().filter(|it| it.opcode() == Some(0xA5)).count();
    assert_eq!(cleaned, 4, "there and back, twice");
    world.assert_true();
}

#[test]
fn a_drive_that_takes_minutes_to_tell_what_it_counted_is_waited_for() {
    let device = library().quirk(Switch::SlowLogs(150)).build();
    let mut world = World::ready(device);
    world.gives_up = true;
    passes(&mut world, mount(TAPE), "mount");
    passes(&mut world, dismount(TAPE), "dismount");
    let lost = world.device.log().filter(|it| it.opcode() == Some(0x4D)).count();
    assert!(lost > 0, "it was asked");
    world.assert_true();
}
