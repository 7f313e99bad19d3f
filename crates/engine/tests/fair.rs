//! That nobody starves: who names a drive and who takes any are served in one order, and a medium that everybody wants in place, or that
//! dwells, keeps nobody out for longer than its head start.

use std::time::Duration;

use autochanger_engine::id::RequestId;
use autochanger_engine::request::{Outcome, State, Wanted};
use autochanger_sim::{Device, Library, Timing};
use autochanger_world::{World, dismount, mount, mount_in};

const DRIVE: u16 = 500;
/// What a point of priority is worth in these tests.
const WORTH: Duration = Duration::from_secs(60);
/// How long a medium is used.
const WORK: Duration = Duration::from_secs(30);
/// Longer than any of these stories lasts if nobody starves: 30 points, and some loads.
const BOUND: Duration = Duration::from_secs(30 * 60 + 15 * 60);

fn library(drives: u16) -> Device {
    Library::new().slots(12).drives(drives).cartridges("VT{:04}L8", 1..=9).timing(Timing::midrange()).build()
}

fn world(drives: u16, dwell: Duration) -> World {
    let mut world = World::with(library(drives), |config| {
        config.priority_worth = WORTH;
        config.libraries[0].dwell = dwell;
    });
    world.rest();
    world
}

fn tape(n: usize) -> String {
    format!("VT{n:04}L8")
}

fn submit(world: &mut World, wanted: Wanted, priority: i8) -> RequestId {
    let caller = world.caller();
    world.submit_as(caller, wanted, |submission| submission.priority = priority).unwrap()
}

fn let_go(world: &mut World, barcode: &str, deferred: bool) {
    let caller = world.caller();
    let dismounted =
        world.submit_as(caller, dismount(barcode), |submission| submission.options.deferred = deferred);
    dismounted.unwrap();
}

fn is_mounted(world: &World, id: RequestId) -> bool {
    matches!(world.state(id), State::Passed(Outcome::Mounted { .. }))
}

/// How long the `waiting` one waits, if it is served at all, while the medium that is mounted and the `others` come again and again:
/// each is asked for as soon as it has been used.
fn waits_among(
    world: &mut World,
    waiting: RequestId,
    others: &[String],
    deferred: bool,
    ask: impl Fn(&str) -> Wanted,
) -> Option<Duration> {
    let begun = world.now;
    let mut asked: Vec<(RequestId, String)> = Vec::new();
    for barcode in others {
        asked.push((submit(world, ask(barcode), 15), barcode.clone()));
    }
    let mut at_work = vec![(begun, tape(9))];
    while world.now < begun + BOUND {
        if is_mounted(world, waiting) {
            return Some(world.now - begun);
        }
        let now = world.now;
        let (ready, rest): (Vec<_>, Vec<_>) = asked.into_iter().partition(|(id, _)| is_mounted(world, *id));
        asked = rest;
        at_work.extend(ready.into_iter().map(|(_, barcode)| (now + WORK, barcode)));
        let due = at_work.iter().map(|(at, _)| *at).min();
        if due.is_none_or(|due| due > now)
            && world.next_event().is_some_and(|next| due.is_none_or(|due| next <= due))
        {
            world.step();
            continue;
        }
        let due = due?;
        world.wait_until(due);
        let at = at_work.iter().position(|(at, _)| *at == due).unwrap();
        let (_, barcode) = at_work.swap_remove(at);
        let_go(world, &barcode, deferred);
        let id = submit(world, ask(&barcode), 15);
        asked.push((id, barcode));
    }
    None
}

/// A library whose drive is in use, and a request that waits for it.
fn behind_one(world: &mut World, wanted: Wanted) -> RequestId {
    world.mount(&tape(9));
    world.rest();
    let waiting = submit(world, wanted, -15);
    world.rest();
    waiting
}

#[test]
fn a_mount_in_any_drive_is_not_kept_out_by_mounts_that_name_the_drive() {
    let mut world = world(1, Duration::ZERO);
    let waiting = behind_one(&mut world, mount(&tape(1)));
    let waited =
        waits_among(&mut world, waiting, &[tape(2), tape(3), tape(4)], false, |it| mount_in(it, DRIVE));
    assert!(waited.is_some(), "it was never served");
    world.assert_true();
}

#[test]
fn a_mount_that_names_its_drive_is_not_kept_out_by_mounts_in_any_drive() {
    let mut world = world(1, Duration::ZERO);
    let waiting = behind_one(&mut world, mount_in(&tape(1), DRIVE));
    let waited = waits_among(&mut world, waiting, &[tape(2), tape(3), tape(4)], false, mount);
    assert!(waited.is_some(), "it was never served");
    world.assert_true();
}

#[test]
fn who_names_the_drive_and_who_does_not_are_served_in_the_order_in_which_they_came() {
    let mut world = world(1, Duration::ZERO);
    world.mount(&tape(9));
    world.rest();
    for n in 1..=4 {
        let wanted = if n % 2 == 0 { mount_in(&tape(n), DRIVE) } else { mount(&tape(n)) };
        world.submit(wanted).unwrap();
        world.rest();
    }
    let mut leaving = tape(9);
    for n in 1..=4 {
        world.dismount(&leaving);
        world.rest();
        leaving = world.engine.view().mounts()[0].barcode.clone().unwrap().to_string();
        assert_eq!(leaving, tape(n));
    }
}

#[test]
fn a_medium_that_is_handed_on_keeps_a_mount_that_names_the_drive_out_for_its_head_start_only() {
    let mut world = world(1, Duration::ZERO);
    let waiting = behind_one(&mut world, mount_in(&tape(1), DRIVE));
    let waited = waits_among(&mut world, waiting, &[tape(9)], false, mount);
    assert!(waited.is_some(), "it was never served");
    world.assert_true();
}

#[test]
fn a_medium_that_dwells_is_mounted_in_place_for_its_head_start_only_while_another_mount_waits() {
    for named in [false, true] {
        let mut world = world(1, Duration::from_secs(120));
        let wanted = if named { mount_in(&tape(1), DRIVE) } else { mount(&tape(1)) };
        let waiting = behind_one(&mut world, wanted);
        let waited = waits_among(&mut world, waiting, &[], true, mount);
        assert!(waited.is_some(), "it was never served");
        world.assert_true();
    }
}

#[test]
fn a_medium_that_nobody_else_is_kept_out_by_stays_for_the_next_mount_however_often() {
    let mut world = world(1, Duration::from_secs(120));
    world.mount(&tape(9));
    world.rest();
    let moves = world.device.moves_sent();
    for _ in 0..50 {
        let_go(&mut world, &tape(9), true);
        world.wait_until(world.now + Duration::from_secs(60));
        let again = world.mount(&tape(9));
        world.until("it is mounted again", |world| is_mounted(world, again));
    }
    assert_eq!(world.device.moves_sent(), moves);
}

#[test]
fn an_urgent_mount_that_comes_while_the_arm_is_busy_follows_the_next_dismount() {
    let mut world = world(3, Duration::ZERO);
    for n in 7..=9 {
        world.mount(&tape(n));
    }
    world.rest();
    let patient: Vec<_> = (1..=3).map(|n| world.mount(&tape(n))).collect();
    world.rest();
    let moves = world.device.moves_sent();
    for n in 7..=9 {
        let_go(&mut world, &tape(n), false);
    }
    // All have unloaded when the arm has taken the first one out, and what follows that is prepared.
    world.until("the second load", |world| world.device.moves_sent() == moves + 2);
    let urgent = submit(&mut world, mount(&tape(4)), 15);
    world.until("the urgent one has begun", |world| matches!(world.state(urgent), State::InProcess));
    let begun = |id: &&RequestId| !matches!(world.state(**id), State::Waiting(_) | State::Queued);
    assert_eq!(patient.iter().filter(begun).count(), 1);
    world.rest();
    world.assert_true();
}
