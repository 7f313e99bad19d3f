//! What is known of cartridges whose labels are not read, or not as they are.

use autochanger_engine::Quirk;
use autochanger_engine::request::{InventoryMethod, Wanted};
use autochanger_sim::{Library, Quirk as Switch};

use super::{World, cartridge_in, counts, library, passes, quirks};

#[test]
fn labels_that_were_never_scanned_are_there_after_a_full_inventory() {
    let mut world = World::ready(library().quirk(Switch::LabelsUnscanned).build());
    assert_eq!(quirks(&world), [Quirk::UnscannedLabels]);
    let nameless = cartridge_in(&world, 1003);
    passes(
        &mut world,
        Wanted::Inventory { library: None, method: Some(InventoryMethod::Full) },
        "full inventory",
    );
    let found = world.engine.view().cartridges(None);
    assert_eq!(found.len(), 90, "none is taken for another one");
    let known = found.iter().find(|cartridge| cartridge.id == nameless).unwrap();
    assert_eq!(known.barcode.as_deref(), Some("VT0004L8"));
    world.assert_true();
}

#[test]
fn an_inventory_of_the_library_that_does_nothing_loses_nothing() {
    let mut world = World::ready(library().quirk(Switch::InitializeDoesNothing).build());
    passes(
        &mut world,
        Wanted::Inventory { library: None, method: Some(InventoryMethod::Full) },
        "full inventory",
    );
    assert_eq!(world.engine.view().cartridges(None).len(), 90);
    world.assert_true();
}

#[test]
fn a_cartridge_without_a_label_is_a_cartridge_whatever_stands_in_its_place() {
    for switch in [Switch::NulTags, Switch::GarbageTags, Switch::StaleTags] {
        let world = World::ready(library().unlabelled_at(1095).quirk(switch).build());
        let cartridges = world.engine.view().cartridges(None);
        assert_eq!(cartridges.len(), 91, "{switch}");
        assert_eq!(cartridges.iter().filter(|cartridge| cartridge.barcode.is_none()).count(), 1, "{switch}");
    }
}

#[test]
fn descriptors_of_four_bytes_tell_what_is_full() {
    let device = Library::new().slots(24).drives(2).ports(1).cartridges("VT{:04}L8", 1..=20);
    let world = World::ready(device.quirk(Switch::DescriptorLength(4)).build());
    assert_eq!(counts(&world), (24, 2, 1));
    assert_eq!(world.engine.view().cartridges(None).len(), 20);
    assert!(quirks(&world).contains(&Quirk::ShortDescriptors));
}
