//! Which drive is which: each shape in which libraries and drives tell it leads to the drive in whose element it is.

use autochanger_engine::id::Device as Way;
use autochanger_sim::{Library, Quirk as Switch, Timing};

use super::{World, passes, quirks};
use autochanger_world::{dismount, mount_in};

/// The ways to the drives of a library of three, by element.
fn ways(world: &World) -> Vec<(u16, Option<Way>)> {
    let drives = world.engine.view().drives(None);
    drives.iter().map(|drive| (drive.element.0, drive.device)).collect()
}

fn library(switches: &[Switch]) -> World {
    let library =
        Library::new().slots(12).drives(3).cartridges("VT{:04}L8", 1..=8).timing(Timing::midrange());
    World::ready(switches.iter().fold(library, |library, switch| library.quirk(*switch)).build())
}

fn pages(world: &World, page: u8) -> usize {
    let asked = world.device.log().filter(|entry| entry.unit.lun > 0);
    asked.filter(|entry| matches!(entry.cdb(), [0x12, 1, asked, ..] if *asked == page)).count()
}

/// Switches, the ways that are found, and how many drives are asked further.
type Case<'a> = (&'a [Switch], &'a [(u16, Option<Way>)], usize);

#[test]
fn each_way_in_which_drives_are_told_leads_to_the_drive_in_the_element() {
    let all = [500, 501, 502].map(|element| (element, Some(Way::Sibling(element - 499))));
    let none = [500, 501, 502].map(|element| (element, None));
    let by_place = Switch::NoDriveElementPage;
    let cases: [Case<'_>; 9] = [
        (&[], &all, 0),
        (&[Switch::DvcidSerialOnly], &all, 0),
        // By its world wide name, where the drive does not say where it is.
        (&[Switch::DvcidNaa, by_place], &all, 3),
        (&[Switch::LogicalSerials, by_place], &all, 3),
        (&[Switch::LogicalSerials, Switch::DvcidSerialOnly, by_place], &all, 3),
        (&[Switch::LogicalSerials, Switch::DvcidNaa, by_place], &all, 3),
        // The library does not tell at all.
        (&[Switch::NoDvcid], &all, 3),
        (&[Switch::DvcidIgnored], &all, 3),
        (&[Switch::NoDvcid, by_place], &none, 3),
    ];
    for (switches, expected, asked) in cases {
        let mut world = library(switches);
        assert_eq!(ways(&world), expected, "{switches:?}");
        assert_eq!(pages(&world, 0x83), asked, "{switches:?}: what is known is not asked for");
        passes(&mut world, mount_in("VT0001L8", 501), "mount");
        passes(&mut world, dismount("VT0001L8"), "dismount");
        let said = quirks(&world);
        assert!(said.iter().all(|quirk| *quirk == autochanger_engine::Quirk::NoDriveIdentifiers), "{said:?}");
        world.assert_true();
    }
}

#[test]
fn a_drive_with_a_world_wide_name_is_followed_to_another_bay() {
    let mut world = library(&[Switch::DvcidNaa]);
    passes(&mut world, mount_in("VT0001L8", 500), "mount");
    world.device.swap_drives(500, 502).unwrap();
    passes(&mut world, autochanger_world::inventory(), "inventory");
    world.rest();
    let mounts = world.engine.view().mounts();
    assert_eq!(mounts.iter().map(|mount| mount.drive.0).collect::<Vec<_>>(), [502]);
    passes(&mut world, dismount("VT0001L8"), "dismount");
    world.assert_true();
}
