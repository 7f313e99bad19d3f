//! The slot that is the cleaner's, at the ports.

use autochanger_engine::output::Refusal;
use autochanger_engine::request::{FailureKind, Outcome, State, Wanted};
use autochanger_world::{World, inject};

use super::{PORT, at, ended, failed, library};

#[test]
fn a_cleaner_goes_into_its_slot_and_out_of_it_again() {
    let mut world = World::ready(library());
    let inject_it = || Wanted::InjectCleaner { library: None, uses: Some(50) };
    assert!(matches!(world.submit(inject_it()), Err(Refusal::CleanerSlotMissing { .. })));
    world.submit(Wanted::ReserveCleanerSlot { library: None, slot: at(1007) }).unwrap();
    let id = world.submit(inject_it()).unwrap();
    world.device.operator_put(PORT, "CLNU01L1").unwrap();
    assert!(matches!(ended(&mut world, id), State::Passed(Outcome::Injected { .. })));
    assert_eq!(world.device.find("CLNU01L1"), Some(at(1007)));
    let cleaner = world.disk.cartridges.values().find(|c| c.barcode.as_deref() == Some("CLNU01L1")).unwrap();
    assert_eq!(cleaner.cleaner.unwrap().uses_left, Some(50));
    for wanted in [inject_it(), Wanted::ReleaseCleanerSlot { library: None }] {
        assert!(matches!(world.submit(wanted), Err(Refusal::CleanerInSlot { slot: 1007, .. })));
    }
    let out = world.submit(Wanted::EjectCleaner { library: None }).unwrap();
    assert_eq!(ended(&mut world, out), State::Passed(Outcome::Ejected { port: at(PORT) }));
    let none = world.submit(Wanted::EjectCleaner { library: None }).unwrap();
    assert_eq!(failed(ended(&mut world, none)), FailureKind::NoCleaner);
    world.rest();
    world.assert_true();
}

#[test]
fn what_becomes_of_the_cleaners_slot_meanwhile_is_found_out_when_its_turn_comes() {
    let mut world = World::ready(library());
    let reserve = |slot| Wanted::ReserveCleanerSlot { library: None, slot: at(slot) };
    world.disk_held = true;
    let first = world.submit(reserve(1007)).unwrap();
    let second = world.submit(reserve(1006)).unwrap();
    world.release_disk();
    world.rest();
    assert!(matches!(world.state(first), State::Passed(_)), "{}", world.state(first));
    assert_eq!(failed(world.state(second)), FailureKind::CleanerSlotTaken);
    world.disk_held = true;
    let released = world.submit(Wanted::ReleaseCleanerSlot { library: None }).unwrap();
    let again = world.submit(Wanted::ReleaseCleanerSlot { library: None }).unwrap();
    world.release_disk();
    world.rest();
    assert!(matches!(world.state(released), State::Passed(_)), "{}", world.state(released));
    assert_eq!(failed(world.state(again)), FailureKind::CleanerSlotMissing);
}

#[test]
fn nothing_but_the_cleaner_is_put_into_the_cleaners_slot() {
    let mut world = World::ready(library());
    world.submit(Wanted::ReserveCleanerSlot { library: None, slot: at(1006) }).unwrap();
    let id = world.submit(inject(false)).unwrap();
    world.device.operator_put(PORT, "NEW001L8").unwrap();
    assert!(matches!(ended(&mut world, id), State::Passed(_)));
    assert_eq!(world.device.find("NEW001L8"), Some(at(1007)));
}
