//! The power goes at each step of a reading, a writing, a refusal and a mount.

use autochanger_engine::id::RequestId;
use autochanger_engine::input::Verify;
use autochanger_engine::label::FreeLabel;
use autochanger_engine::request::{FailureKind, LabelFound, Outcome, State, Wanted};
use autochanger_sim::{Device, Record};
use autochanger_world::{World, mount};

use super::{
    TAPE, block, cartridge, failed, found, free, identify, is_in_slot, kept, label, library, vol1, with_tape,
};

/// Steps of time that pass while the disk keeps what it is given to itself: it stalls, and then the power goes.
const STALLED: usize = 3;

/// Tells a request's story again and again, with the power going one step of time later each time: once with all that was
/// decided on the disk, and once with what the last steps decided lost.
fn crashed_at_each_step(
    device: impl Fn() -> Device,
    wanted: &Wanted,
    verify: Verify,
    check: impl Fn(&World, RequestId),
) {
    for steps in 0.. {
        let mut over = false;
        for stalled in [0, STALLED] {
            let mut world = World::with(device(), |config| config.libraries[0].verify = verify);
            world.rest();
            let id = world.submit(wanted.clone()).unwrap();
            over = !(0..steps).all(|_| world.step());
            world.disk_held = stalled > 0;
            (0..stalled).all(|_| world.step());
            world.crash();
            world.rest();
            if matches!(world.state(id), State::Waiting(_)) {
                world.adopt(id);
                world.rest();
            }
            check(&world, id);
            world.assert_true();
        }
        if over {
            assert!(steps > 5, "nothing was crashed into");
            return;
        }
    }
}

#[test]
fn an_identification_survives_a_power_loss_at_each_step() {
    let device = || with_tape(block(&vol1("VT0001", "LTFS")));
    crashed_at_each_step(device, &identify(TAPE), Verify::Barcode, |world, id| {
        assert_eq!(found(world, id), LabelFound::Known(label("LTFS", "VT0001")));
        assert!(is_in_slot(world));
    });
    crashed_at_each_step(device, &kept(TAPE), Verify::Barcode, |world, id| {
        assert_eq!(found(world, id), LabelFound::Known(label("LTFS", "VT0001")));
    });
}

#[test]
fn the_writing_of_a_free_label_survives_a_power_loss_at_each_step() {
    crashed_at_each_step(library, &free(TAPE, false), Verify::Barcode, |world, id| {
        let LabelFound::Free(label) = found(world, id) else { panic!("{}", world.state(id)) };
        let Some([Record::Block(block), Record::Filemark]) = world.device.recording(TAPE) else { panic!() };
        assert_eq!(FreeLabel::parse(block).map(|free| free.to_label()), Some(label.clone()));
        assert_eq!(cartridge(world).label, Some(label));
        assert!(is_in_slot(world));
    });
}

#[test]
fn a_refusal_survives_a_power_loss_at_each_step() {
    let device = || with_tape(block(b"who knows"));
    crashed_at_each_step(device, &free(TAPE, false), Verify::Barcode, |world, id| {
        assert_eq!(failed(world, id), FailureKind::NotFree);
        assert!(is_in_slot(world));
        assert_eq!(world.device.recording(TAPE), Some(&block(b"who knows")[..]));
    });
}

#[test]
fn a_verified_mount_survives_a_power_loss_at_each_step() {
    let device = || with_tape(block(&vol1("VT0001", "LTFS")));
    crashed_at_each_step(device, &mount(TAPE), Verify::Label, |world, id| {
        assert!(matches!(world.state(id), State::Passed(Outcome::Mounted { .. })), "{}", world.state(id));
        assert_eq!(cartridge(world).label, Some(label("LTFS", "VT0001")));
    });
}
