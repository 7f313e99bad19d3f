//! Libraries with habits of their own: each is read whole, and does the main job.

use autochanger_engine::request::State;
use autochanger_engine::view::{LibraryError, LibraryState};
use autochanger_sim::{Device, Fault, Library, Quirk, SenseKey, Timing};
use autochanger_world::World;

fn library() -> Library {
    Library::new().slots(120).drives(3).ports(2).cartridges("VT{:04}L8", 1..=90).timing(Timing::midrange())
}

fn does_the_main_job(mut world: World, what: &str) -> World {
    world.rest();
    let view = world.engine.view();
    let info = view.libraries().remove(0);
    assert_eq!(*info.state, LibraryState::Ready, "{what}: {}", info.state);
    assert_eq!((info.counts.slots, info.counts.drives, info.counts.ports), (120, 3, 2), "{what}");
    assert_eq!(view.cartridges(None).len(), 90, "{what}");
    let home = world.device.find("VT0090L8");
    let mounted = world.mount("VT0090L8");
    world.rest();
    assert!(matches!(world.state(mounted), State::Passed(_)), "{what}: {}", world.state(mounted));
    let down = world.dismount("VT0090L8");
    world.rest();
    assert!(matches!(world.state(down), State::Passed(_)), "{what}: {}", world.state(down));
    assert_eq!(world.device.find("VT0090L8"), home, "{what}");
    world.assert_true();
    world
}

#[test]
fn each_quirk_is_survived_with_every_drive_found() {
    for quirk in [
        Quirk::DvcidDrivesOnly,
        Quirk::NoVoltagWithDvcid,
        Quirk::RejectCurdata,
        Quirk::MaxElementsPerReport(16),
        Quirk::ShortBy8,
        Quirk::NoExchange,
        Quirk::SerializeAll,
    ] {
        let what = format!("{quirk:?}");
        let world = does_the_main_job(World::new(library().quirk(quirk).build()), &what);
        assert!(world.engine.view().drives(None).iter().all(|drive| drive.device.is_some()), "{what}");
    }
}

#[test]
fn without_identifiers_of_its_drives_a_library_still_mounts() {
    does_the_main_job(World::new(library().quirk(Quirk::NoDvcid).build()), "no DVCID");
}

#[test]
fn a_library_that_counts_no_transport_still_moves() {
    does_the_main_job(World::new(library().quirk(Quirk::TransportCountZero).build()), "no transport");
}

#[test]
fn a_library_that_wants_its_drives_unloaded_gets_them_unloaded_whatever_the_configuration_says() {
    for unload_before_move in [true, false] {
        let device = library().quirk(Quirk::HostUnloadFirst).build();
        let world = World::with(device, |config| config.libraries[0].unload_before_move = unload_before_move);
        does_the_main_job(world, "host unload first");
    }
}

#[test]
fn a_small_transfer_size_is_read_in_chunks() {
    let world = World::with(library().build(), |config| config.libraries[0].max_transfer = 1024);
    does_the_main_job(world, "1024 bytes a transfer");
}

#[test]
fn a_library_that_comes_ready_late_is_waited_for() {
    let mut device: Device = library().build();
    device.inject(Fault::becoming_ready().lasting(std::time::Duration::from_secs(200)));
    does_the_main_job(World::new(device), "becoming ready");
}

#[test]
fn a_library_that_wants_a_person_says_so_and_is_tried_again() {
    let mut device: Device = library().build();
    device.inject(
        Fault::sense(SenseKey::NotReady, 0x04, 0x03).on(0x00).lasting(std::time::Duration::from_secs(100)),
    );
    let mut world = World::new(device);
    world.until("it is told", |world| {
        matches!(
            &*world.engine.view().libraries()[0].state,
            LibraryState::Unusable(LibraryError::Unfit { .. })
        )
    });
    does_the_main_job(world, "manual intervention");
}

#[test]
fn a_path_that_is_lost_and_comes_back_costs_nobody_his_request() {
    let mut world = World::new(library().build());
    world.rest();
    world.device.inject(Fault::not_delivered().lasting(std::time::Duration::from_secs(20)));
    let id = world.mount("VT0001L8");
    world.until("it is told", |world| {
        matches!(&*world.engine.view().libraries()[0].state, LibraryState::NotPresent(_))
    });
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    world.assert_true();
}
