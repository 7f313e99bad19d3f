//! Libraries with habits of their own: each is read whole, told apart, and does the main job.

#[path = "devices/drives.rs"]
mod drives;
#[path = "devices/geometry.rs"]
mod geometry;
#[path = "devices/habits.rs"]
mod habits;
#[path = "devices/hands.rs"]
mod hands;
#[path = "devices/initialize.rs"]
mod initialize;
#[path = "devices/labels.rs"]
mod labels;
#[path = "devices/manners.rs"]
mod manners;
#[path = "devices/storms.rs"]
mod storms;
#[path = "devices/trouble.rs"]
mod trouble;

use autochanger_engine::Quirk;
use autochanger_engine::id::CartridgeId;
use autochanger_engine::request::{CartridgeRef, Place, State, Wanted};
use autochanger_engine::view::LibraryState;
use autochanger_sim::{Library, Timing};
use autochanger_world::World;

/// Cartridges in the first 90 of 120 slots.
fn library() -> Library {
    Library::new().slots(120).drives(3).ports(2).cartridges("VT{:04}L8", 1..=90).timing(Timing::midrange())
}

/// What the library was found to do otherwise.
fn quirks(world: &World) -> Vec<Quirk> {
    world.engine.view().libraries().remove(0).quirks
}

/// The number of slots, drives and ports.
fn counts(world: &World) -> (u16, u16, u16) {
    let counts = world.engine.view().libraries().remove(0).counts;
    (counts.slots, counts.drives, counts.ports)
}

/// The cartridge that stands in the element, labelled or not.
fn cartridge_in(world: &World, address: u16) -> CartridgeId {
    let cartridges = world.engine.view().cartridges(None);
    let there = cartridges
        .iter()
        .find(|cartridge| matches!(&cartridge.place, Place::Element(name) if name.address.0 == address));
    there.unwrap_or_else(|| panic!("no cartridge in {address}")).id
}

#[track_caller]
fn passes(world: &mut World, wanted: Wanted, what: &str) {
    let id = world.submit(wanted).unwrap();
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{what}: {}", world.state(id));
}

/// Opens the library, and carries the cartridge of slot 1089 to a drive and back.
#[track_caller]
fn does_the_main_job(world: World, what: &str) -> World {
    carries_the_last_of(90, world, what)
}

/// Steps in which a library is open, however it has to be asked: what goes on for longer is refused again and again.
const OPENING: usize = 40;

/// The same with fewer cartridges.
#[track_caller]
fn carries_the_last_of(cartridges: u16, mut world: World, what: &str) -> World {
    for _ in 0..OPENING {
        if *world.engine.view().libraries()[0].state == LibraryState::Ready {
            break;
        }
        world.step();
    }
    let info = world.engine.view().libraries().remove(0);
    assert_eq!(*info.state, LibraryState::Ready, "{what}: {}", info.state);
    world.rest();
    assert_eq!(world.engine.view().cartridges(None).len(), usize::from(cartridges), "{what}");
    let (label, slot) = (format!("VT{cartridges:04}L8"), 999 + cartridges);
    let cartridge = CartridgeRef::Id(cartridge_in(&world, slot));
    let mount = Wanted::Mount { cartridge: cartridge.clone(), drive: None, access: Default::default() };
    passes(&mut world, mount, what);
    assert!((500..503).contains(&world.device.find(&label).expect("it exists").0), "{what}");
    passes(&mut world, Wanted::Dismount { cartridge, slot: None, force: false }, what);
    assert_eq!(world.device.find(&label).map(|at| at.0), Some(slot), "{what}");
    world
}
