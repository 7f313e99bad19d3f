//! Whole transcripts, compared with what a person should read. Where the engine does something else on purpose,
//! `UPDATE_EXPECT=1 cargo test -p autochanger-engine --test transcript` writes them anew: read the difference before you keep it.

use std::time::Duration;

use autochanger_engine::id::RequestId;
use autochanger_sim::{Device, Fault, Library, Timing};
use autochanger_world::{World, mount};
use expect_test::{Expect, expect};
use uuid::Uuid;

/// Round times, so that a reader can add them up: 10 s for a motion, 2 s until the drive is ready, 5 s for an unload.
fn timing() -> Timing {
    let mut timing = Timing::none();
    timing.pick = Duration::from_secs(4);
    timing.place = Duration::from_secs(6);
    timing.load = Duration::from_secs(2);
    timing.unload = Duration::from_secs(5);
    timing
}

fn library() -> Device {
    // A serial number that the simulator draws would be another in each test.
    let described = Library::new().slots(4).drives(1).ports(0).serial("SIM-T");
    described.cartridges("VT{:04}L8", 1..=2).timing(timing()).build()
}

/// The story from when the library was ready.
fn told(world: &World) -> String {
    let ready =
        world.tape.lines.iter().position(|line| line.text.ends_with(": ready")).expect("it was ready");
    world.tape.lines.iter().skip(ready + 1).map(|line| format!("{line}\n")).collect()
}

fn check(world: &World, expected: Expect) {
    expected.assert_eq(&told(world));
}

#[test]
fn a_library_is_made_ready() {
    let world = World::ready(library());
    expect![[r#"
        +00:00:00.000  started   with sim:test; nothing in the store  [2026-01-01T00:00:01.000Z]
        +00:00:00.000  sent      command 1 to the changer of sim:test: INQUIRY
        +00:00:00.000  answered  command 1 INQUIRY: GOOD, AUTOCHGR SIM LIBRARY 0001
        +00:00:00.000  sent      command 2 to the changer of sim:test: INQUIRY page 80h
        +00:00:00.000  answered  command 2 INQUIRY: GOOD
        +00:00:00.000  sought    the lock of sim:test  [AUTOCHGR SIM LIBRARY, serial number SIM-T]
        +00:00:00.000  found     sim:test is this manager's
        +00:00:00.000  sent      command 3 to the changer of sim:test: PERSISTENT RESERVE IN
        +00:00:00.000  decided   batch 1: sim:test is known
        +00:00:00.000  durable   batch 1
        +00:00:00.000  answered  command 3 PERSISTENT RESERVE IN: CHECK CONDITION 06/29/00 (power on, reset, or bus device reset occurred)
        +00:00:00.000  sent      command 4 to the changer of sim:test: PERSISTENT RESERVE IN
        +00:00:00.000  answered  command 4 PERSISTENT RESERVE IN: GOOD
        +00:00:00.000  sent      command 5 to the changer of sim:test: PERSISTENT RESERVE OUT
        +00:00:00.000  answered  command 5 PERSISTENT RESERVE OUT: GOOD
        +00:00:00.000  sent      command 6 to the changer of sim:test: PERSISTENT RESERVE OUT
        +00:00:00.000  answered  command 6 PERSISTENT RESERVE OUT: GOOD
        +00:00:00.000  sent      command 7 to the changer of sim:test: TEST UNIT READY
        +00:00:00.000  answered  command 7 TEST UNIT READY: GOOD
        +00:00:00.000  sent      command 8 to the changer of sim:test: MODE SENSE(6) page 1Dh
        +00:00:00.000  answered  command 8 MODE SENSE(6): GOOD
        +00:00:00.000  sent      command 9 to the changer of sim:test: MODE SENSE(6) page 1Fh
        +00:00:00.000  answered  command 9 MODE SENSE(6): GOOD
        +00:00:00.000  sent      command 10 to the changer of sim:test: MAINTENANCE IN
        +00:00:00.000  answered  command 10 MAINTENANCE IN: GOOD
        +00:00:00.000  sent      command 11 to the changer of sim:test: READ ELEMENT STATUS of drives from 500, at most 1
        +00:00:00.000  answered  command 11 READ ELEMENT STATUS: GOOD, drive 500 is empty
        +00:00:00.000  sent      command 12 to the changer of sim:test: READ ELEMENT STATUS of drives from 501, at most 1
        +00:00:00.000  answered  command 12 READ ELEMENT STATUS: GOOD, 0 elements, 0 full
        +00:00:00.000  sent      command 13 to the changer of sim:test: READ ELEMENT STATUS of ports from 0, at most 1
        +00:00:00.000  answered  command 13 READ ELEMENT STATUS: GOOD, 0 elements, 0 full
        +00:00:00.000  sent      command 14 to the changer of sim:test: READ ELEMENT STATUS of slots from 1000, at most 4
        +00:00:00.000  answered  command 14 READ ELEMENT STATUS: GOOD, slot 1000 holds VT0001L8, slot 1001 holds VT0002L8, slot 1002 is empty, slot 1003 is empty
        +00:00:00.000  sent      command 15 to the changer of sim:test: READ ELEMENT STATUS of slots from 1004, at most 1
        +00:00:00.000  answered  command 15 READ ELEMENT STATUS: GOOD, 0 elements, 0 full
        +00:00:00.000  sent      command 16 to the changer of sim:test: READ ELEMENT STATUS of arms from 1, at most 1
        +00:00:00.000  answered  command 16 READ ELEMENT STATUS: GOOD, arm 1 is empty
        +00:00:00.000  sent      command 17 to the changer of sim:test: READ ELEMENT STATUS of arms from 2, at most 1
        +00:00:00.000  answered  command 17 READ ELEMENT STATUS: GOOD, 0 elements, 0 full
        +00:00:00.000  sent      command 18 to the changer of sim:test: READ ELEMENT STATUS of drives from 500, at most 1, with identifiers
        +00:00:00.000  answered  command 18 READ ELEMENT STATUS: GOOD, drive 500 is empty
        +00:00:00.000  sent      command 19 to the changer of sim:test: REPORT LUNS
        +00:00:00.000  answered  command 19 REPORT LUNS: GOOD
        +00:00:00.000  sent      command 20 to logical unit 0 of sim:test: INQUIRY
        +00:00:00.000  answered  command 20 INQUIRY: GOOD, AUTOCHGR SIM LIBRARY 0001
        +00:00:00.000  sent      command 21 to logical unit 1 of sim:test: INQUIRY
        +00:00:00.000  answered  command 21 INQUIRY: GOOD, AUTOCHGR SIM LTO-8 0001
        +00:00:00.000  sent      command 22 to logical unit 1 of sim:test: INQUIRY page 80h
        +00:00:00.000  answered  command 22 INQUIRY: GOOD
        +00:00:00.000  sent      command 23 to the changer of sim:test: TEST UNIT READY
        +00:00:00.000  answered  command 23 TEST UNIT READY: GOOD
        +00:00:00.000  decided   batch 2: VT0001L8 is in slot 1000; VT0002L8 is in slot 1001; drive 500 is enabled
        +00:00:00.000  durable   batch 2
        +00:00:00.000  told      VT0001L8 is in slot 1000
        +00:00:00.000  told      VT0002L8 is in slot 1001
        +00:00:00.000  told      library sim:test: ready
    "#]].assert_eq(&world.tape.text());
}

#[test]
fn a_mount_and_a_dismount() {
    let mut world = World::ready(library());
    world.mount("VT0001L8");
    world.rest();
    world.dismount("VT0001L8");
    world.rest();
    check(
        &world,
        expect![[r#"
            +00:00:00.000  asked     r1: mount VT0001L8 for test, session 1  [r1 = 00000000-0000-0000-0000-000000000001]
            +00:00:00.000  decided   batch 3: r1 queued
            +00:00:00.000  durable   batch 3
            +00:00:00.000  told      r1 queued
            +00:00:00.000  replied   r1 is accepted: queued
            +00:00:00.000  decided   batch 4: r1 in process with drive 500; r1 moves VT0001L8 from slot 1000 to drive 500, intent 1
            +00:00:00.000  durable   batch 4
            +00:00:00.000  told      r1 in process
            +00:00:00.000  sent      command 24 to the changer of sim:test: MOVE MEDIUM slot 1000 to drive 500
            +00:00:10.000  answered  command 24 MOVE MEDIUM: GOOD
            +00:00:10.000  sent      command 25 to logical unit 1 of sim:test: TEST UNIT READY
            +00:00:10.000  decided   batch 5: intent 1 of r1: moved; sim:test has made 1 motions; VT0001L8 is in drive 500; drive 500 is enabled
            +00:00:10.000  durable   batch 5
            +00:00:10.000  told      VT0001L8 is in drive 500
            +00:00:10.000  answered  command 25 TEST UNIT READY: CHECK CONDITION 06/29/00 (power on, reset, or bus device reset occurred)
            +00:00:10.000  sent      command 26 to logical unit 1 of sim:test: INQUIRY page 80h
            +00:00:10.000  answered  command 26 INQUIRY: GOOD
            +00:00:10.000  sent      command 27 to logical unit 1 of sim:test: TEST UNIT READY
            +00:00:10.000  answered  command 27 TEST UNIT READY: CHECK CONDITION 02/04/01 (logical unit is in process of becoming ready)
            +00:00:10.250  sent      command 28 to logical unit 1 of sim:test: TEST UNIT READY
            +00:00:10.250  answered  command 28 TEST UNIT READY: CHECK CONDITION 02/04/01 (logical unit is in process of becoming ready)
            +00:00:10.500  sent      command 29 to logical unit 1 of sim:test: TEST UNIT READY
            +00:00:10.500  answered  command 29 TEST UNIT READY: CHECK CONDITION 02/04/01 (logical unit is in process of becoming ready)
            +00:00:10.750  sent      command 30 to logical unit 1 of sim:test: TEST UNIT READY
            +00:00:10.750  answered  command 30 TEST UNIT READY: CHECK CONDITION 02/04/01 (logical unit is in process of becoming ready)
            +00:00:11.000  sent      command 31 to logical unit 1 of sim:test: TEST UNIT READY
            +00:00:11.000  answered  command 31 TEST UNIT READY: CHECK CONDITION 02/04/01 (logical unit is in process of becoming ready)
            +00:00:12.000  sent      command 32 to logical unit 1 of sim:test: TEST UNIT READY
            +00:00:12.000  answered  command 32 TEST UNIT READY: CHECK CONDITION 06/28/00 (not ready to ready change, medium may have changed)
            +00:00:12.000  sent      command 33 to logical unit 1 of sim:test: TEST UNIT READY
            +00:00:12.000  answered  command 33 TEST UNIT READY: GOOD
            +00:00:12.000  sent      command 34 to logical unit 1 of sim:test: MAINTENANCE IN
            +00:00:12.000  answered  command 34 MAINTENANCE IN: GOOD
            +00:00:12.000  decided   batch 6: r1 passed: mounted in drive 500; r1 has VT0001L8 in drive 500 for test
            +00:00:12.000  durable   batch 6
            +00:00:12.000  told      VT0001L8 is mounted in drive 500 for test
            +00:00:12.000  told      r1 passed: mounted in drive 500
            +00:00:12.000  asked     r2: dismount VT0001L8 for test, session 1  [r2 = 00000000-0000-0000-0000-000000000002]
            +00:00:12.000  decided   batch 7: r2 queued
            +00:00:12.000  durable   batch 7
            +00:00:12.000  told      r2 queued
            +00:00:12.000  replied   r2 is accepted: queued
            +00:00:12.000  decided   batch 8: r2 in process with drive 500
            +00:00:12.000  durable   batch 8
            +00:00:12.000  told      r2 in process
            +00:00:12.000  sent      command 35 to logical unit 1 of sim:test: INQUIRY page 80h
            +00:00:12.000  answered  command 35 INQUIRY: GOOD
            +00:00:12.000  sent      command 36 to logical unit 1 of sim:test: LOAD UNLOAD to unload
            +00:00:17.000  answered  command 36 LOAD UNLOAD: GOOD
            +00:00:17.000  sent      command 37 to logical unit 1 of sim:test: LOG SENSE
            +00:00:17.000  decided   batch 9: r2 in process with drive 500; r2 moves VT0001L8 from drive 500 to slot 1000, intent 1
            +00:00:17.000  durable   batch 9
            +00:00:17.000  told      r2 in process
            +00:00:17.000  sent      command 38 to the changer of sim:test: MOVE MEDIUM drive 500 to slot 1000
            +00:00:17.000  answered  command 37 LOG SENSE: GOOD
            +00:00:27.000  answered  command 38 MOVE MEDIUM: GOOD
            +00:00:27.000  decided   batch 10: r2 passed: dismounted to slot 1000; intent 1 of r2: moved; the mount of r1 is over; sim:test has made 2 motions; VT0001L8 is in slot 1000
            +00:00:27.000  durable   batch 10
            +00:00:27.000  told      VT0001L8 is in slot 1000
            +00:00:27.000  told      VT0001L8 is no longer mounted for test
            +00:00:27.000  told      r2 passed: dismounted to slot 1000
        "#]],
    );
}

#[test]
fn a_cancel_during_a_move() {
    let mut world = World::ready(library());
    let id = world.mount("VT0001L8");
    let waiting = world.mount("VT0002L8");
    world.until("the move is sent", |world| world.device.moves_sent() == 1);
    world.cancel(waiting).unwrap().unwrap();
    world.cancel(id).unwrap().unwrap();
    world.rest();
    world.cancel(id).unwrap().unwrap_err();
    check(
        &world,
        expect![[r#"
            +00:00:00.000  asked     r1: mount VT0001L8 for test, session 1  [r1 = 00000000-0000-0000-0000-000000000001]
            +00:00:00.000  decided   batch 3: r1 queued
            +00:00:00.000  durable   batch 3
            +00:00:00.000  told      r1 queued
            +00:00:00.000  replied   r1 is accepted: queued
            +00:00:00.000  decided   batch 4: r1 in process with drive 500; r1 moves VT0001L8 from slot 1000 to drive 500, intent 1
            +00:00:00.000  durable   batch 4
            +00:00:00.000  told      r1 in process
            +00:00:00.000  sent      command 24 to the changer of sim:test: MOVE MEDIUM slot 1000 to drive 500
            +00:00:00.000  asked     r2: mount VT0002L8 for test, session 1  [r2 = 00000000-0000-0000-0000-000000000002]
            +00:00:00.000  decided   batch 5: r2 queued
            +00:00:00.000  durable   batch 5
            +00:00:00.000  told      r2 queued
            +00:00:00.000  replied   r2 is accepted: queued
            +00:00:00.000  told      r2 waiting for a drive
            +00:00:00.000  asked     to cancel r2 for test, session 1, operator
            +00:00:00.000  decided   batch 6: r2 cancelled by test
            +00:00:00.000  durable   batch 6
            +00:00:00.000  told      r2 cancelled by test
            +00:00:00.000  told      cancelled request r2
            +00:00:00.000  replied   r2 is cancelled
            +00:00:00.000  asked     to cancel r1 for test, session 1, operator
            +00:00:00.000  decided   batch 7: r1 in process with drive 500, to be stopped by test
            +00:00:00.000  durable   batch 7
            +00:00:00.000  told      r1 in process
            +00:00:00.000  told      stopping request r1
            +00:00:00.000  replied   r1 is stopping
            +00:00:10.000  answered  command 24 MOVE MEDIUM: GOOD
            +00:00:10.000  decided   batch 8: r1 stopped by test; the cartridge is in drive 500; intent 1 of r1: moved; sim:test has made 1 motions; VT0001L8 is in drive 500; drive 500 is enabled
            +00:00:10.000  durable   batch 8
            +00:00:10.000  told      VT0001L8 is in drive 500
            +00:00:10.000  told      r1 stopped by test; the cartridge is in drive 500
            +00:00:12.000  asked     to cancel r1 for test, session 1, operator
            +00:00:12.000  sought    r1 in the store
            +00:00:12.000  found     r1, mount of VT0001L8, stopped by test; the cartridge is in drive 500
            +00:00:12.000  replied   r1 is not cancelled: request r1 had already ended: stopped by test; the cartridge is in drive 500
        "#]],
    );
}

#[test]
fn a_lost_reply_is_settled_by_looking() {
    let mut world = World::ready(library());
    world.device.inject(Fault::lost_reply().on_move().after_effect());
    world.mount("VT0001L8");
    world.rest();
    check(
        &world,
        expect![[r#"
            +00:00:00.000  asked     r1: mount VT0001L8 for test, session 1  [r1 = 00000000-0000-0000-0000-000000000001]
            +00:00:00.000  decided   batch 3: r1 queued
            +00:00:00.000  durable   batch 3
            +00:00:00.000  told      r1 queued
            +00:00:00.000  replied   r1 is accepted: queued
            +00:00:00.000  decided   batch 4: r1 in process with drive 500; r1 moves VT0001L8 from slot 1000 to drive 500, intent 1
            +00:00:00.000  durable   batch 4
            +00:00:00.000  told      r1 in process
            +00:00:00.000  sent      command 24 to the changer of sim:test: MOVE MEDIUM slot 1000 to drive 500
            +00:00:10.000  answered  command 24 MOVE MEDIUM: outcome unknown: sim:test: the reply was lost (the next command tries the way anew)
            +00:00:10.000  told      a motion of request r1 is in doubt: sim:test: the reply was lost (the next command tries the way anew)
            +00:00:10.000  sent      command 25 to the changer of sim:test: TEST UNIT READY
            +00:00:10.000  answered  command 25 TEST UNIT READY: GOOD
            +00:00:10.000  sent      command 26 to the changer of sim:test: READ ELEMENT STATUS of slots from 1000, at most 1
            +00:00:10.000  answered  command 26 READ ELEMENT STATUS: GOOD, slot 1000 is empty
            +00:00:10.000  sent      command 27 to the changer of sim:test: READ ELEMENT STATUS of drives from 500, at most 1
            +00:00:10.000  answered  command 27 READ ELEMENT STATUS: GOOD, drive 500 holds VT0001L8
            +00:00:10.000  sent      command 28 to logical unit 1 of sim:test: TEST UNIT READY
            +00:00:10.000  decided   batch 5: intent 1 of r1: moved; sim:test has made 1 motions; VT0001L8 is in drive 500; drive 500 is enabled
            +00:00:10.000  durable   batch 5
            +00:00:10.000  told      VT0001L8 is in drive 500
            +00:00:10.000  answered  command 28 TEST UNIT READY: CHECK CONDITION 06/29/00 (power on, reset, or bus device reset occurred)
            +00:00:10.000  sent      command 29 to logical unit 1 of sim:test: INQUIRY page 80h
            +00:00:10.000  answered  command 29 INQUIRY: GOOD
            +00:00:10.000  sent      command 30 to logical unit 1 of sim:test: TEST UNIT READY
            +00:00:10.000  answered  command 30 TEST UNIT READY: CHECK CONDITION 02/04/01 (logical unit is in process of becoming ready)
            +00:00:10.250  sent      command 31 to logical unit 1 of sim:test: TEST UNIT READY
            +00:00:10.250  answered  command 31 TEST UNIT READY: CHECK CONDITION 02/04/01 (logical unit is in process of becoming ready)
            +00:00:10.500  sent      command 32 to logical unit 1 of sim:test: TEST UNIT READY
            +00:00:10.500  answered  command 32 TEST UNIT READY: CHECK CONDITION 02/04/01 (logical unit is in process of becoming ready)
            +00:00:10.750  sent      command 33 to logical unit 1 of sim:test: TEST UNIT READY
            +00:00:10.750  answered  command 33 TEST UNIT READY: CHECK CONDITION 02/04/01 (logical unit is in process of becoming ready)
            +00:00:11.000  sent      command 34 to logical unit 1 of sim:test: TEST UNIT READY
            +00:00:11.000  answered  command 34 TEST UNIT READY: CHECK CONDITION 02/04/01 (logical unit is in process of becoming ready)
            +00:00:12.000  sent      command 35 to logical unit 1 of sim:test: TEST UNIT READY
            +00:00:12.000  answered  command 35 TEST UNIT READY: CHECK CONDITION 06/28/00 (not ready to ready change, medium may have changed)
            +00:00:12.000  sent      command 36 to logical unit 1 of sim:test: TEST UNIT READY
            +00:00:12.000  answered  command 36 TEST UNIT READY: GOOD
            +00:00:12.000  sent      command 37 to logical unit 1 of sim:test: MAINTENANCE IN
            +00:00:12.000  answered  command 37 MAINTENANCE IN: GOOD
            +00:00:12.000  decided   batch 6: r1 passed: mounted in drive 500; r1 has VT0001L8 in drive 500 for test
            +00:00:12.000  durable   batch 6
            +00:00:12.000  told      VT0001L8 is mounted in drive 500 for test
            +00:00:12.000  told      r1 passed: mounted in drive 500
        "#]],
    );
}

#[test]
fn a_restart_in_the_middle_of_a_move() {
    let mut world = World::ready(library());
    world.mount("VT0001L8");
    world.until("the move is sent", |world| world.device.moves_sent() == 1);
    let crash = world.tape.lines.len();
    world.crash();
    world.rest();
    let after = &world.tape.lines[crash..];
    // In between the library is identified and read, as at the first start.
    let ready = after.iter().position(|line| line.text.ends_with(": ready")).expect("it was ready again");
    let after: String = after[..1].iter().chain(&after[ready..]).map(|line| format!("{line}\n")).collect();
    expect![[r#"
        +00:00:00.000  started   with sim:test; in the store 2 cartridges, 1 live request, 1 motion; r1, mount of VT0001L8, in process  [2026-01-01T00:00:01.000Z]
        +00:00:00.000  told      library sim:test: ready
        +00:00:00.000  told      a motion of request r1 is in doubt: the manager ended while the motion was open
        +00:00:00.000  sent      command 23 to the changer of sim:test: TEST UNIT READY
        +00:00:00.000  answered  command 23 TEST UNIT READY: GOOD
        +00:00:00.000  sent      command 24 to the changer of sim:test: READ ELEMENT STATUS of slots from 1000, at most 1
        +00:00:00.000  answered  command 24 READ ELEMENT STATUS: GOOD, slot 1000 holds VT0001L8
        +00:00:00.000  sent      command 25 to the changer of sim:test: READ ELEMENT STATUS of drives from 500, at most 1
        +00:00:00.000  answered  command 25 READ ELEMENT STATUS: GOOD, drive 500 is empty
        +00:00:00.000  sent      command 26 to the changer of sim:test: READ ELEMENT STATUS of arms from 1, at most 1
        +00:00:00.000  answered  command 26 READ ELEMENT STATUS: GOOD, arm 1 is empty
        +00:00:01.000  sent      command 27 to the changer of sim:test: TEST UNIT READY
        +00:00:01.000  answered  command 27 TEST UNIT READY: GOOD
        +00:00:01.000  sent      command 28 to the changer of sim:test: READ ELEMENT STATUS of slots from 1000, at most 1
        +00:00:01.000  answered  command 28 READ ELEMENT STATUS: GOOD, slot 1000 holds VT0001L8
        +00:00:01.000  sent      command 29 to the changer of sim:test: READ ELEMENT STATUS of drives from 500, at most 1
        +00:00:01.000  answered  command 29 READ ELEMENT STATUS: GOOD, drive 500 is empty
        +00:00:01.000  sent      command 30 to the changer of sim:test: READ ELEMENT STATUS of arms from 1, at most 1
        +00:00:01.000  answered  command 30 READ ELEMENT STATUS: GOOD, arm 1 is empty
        +00:00:03.000  sent      command 31 to the changer of sim:test: TEST UNIT READY
        +00:00:03.000  answered  command 31 TEST UNIT READY: GOOD
        +00:00:03.000  sent      command 32 to the changer of sim:test: READ ELEMENT STATUS of slots from 1000, at most 1
        +00:00:03.000  answered  command 32 READ ELEMENT STATUS: GOOD, slot 1000 holds VT0001L8
        +00:00:03.000  sent      command 33 to the changer of sim:test: READ ELEMENT STATUS of drives from 500, at most 1
        +00:00:03.000  answered  command 33 READ ELEMENT STATUS: GOOD, drive 500 is empty
        +00:00:03.000  sent      command 34 to the changer of sim:test: READ ELEMENT STATUS of arms from 1, at most 1
        +00:00:03.000  answered  command 34 READ ELEMENT STATUS: GOOD, arm 1 is empty
        +00:00:07.000  sent      command 35 to the changer of sim:test: TEST UNIT READY
        +00:00:07.000  answered  command 35 TEST UNIT READY: GOOD
        +00:00:07.000  sent      command 36 to the changer of sim:test: READ ELEMENT STATUS of slots from 1000, at most 1
        +00:00:07.000  answered  command 36 READ ELEMENT STATUS: GOOD, slot 1000 is empty
        +00:00:07.000  sent      command 37 to the changer of sim:test: READ ELEMENT STATUS of drives from 500, at most 1
        +00:00:07.000  answered  command 37 READ ELEMENT STATUS: GOOD, drive 500 is empty
        +00:00:07.000  sent      command 38 to the changer of sim:test: READ ELEMENT STATUS of arms from 1, at most 1
        +00:00:07.000  answered  command 38 READ ELEMENT STATUS: GOOD, arm 1 holds VT0001L8
        +00:00:15.000  sent      command 39 to the changer of sim:test: TEST UNIT READY
        +00:00:15.000  answered  command 39 TEST UNIT READY: GOOD
        +00:00:15.000  sent      command 40 to the changer of sim:test: READ ELEMENT STATUS of slots from 1000, at most 1
        +00:00:15.000  answered  command 40 READ ELEMENT STATUS: GOOD, slot 1000 is empty
        +00:00:15.000  sent      command 41 to the changer of sim:test: READ ELEMENT STATUS of drives from 500, at most 1
        +00:00:15.000  answered  command 41 READ ELEMENT STATUS: GOOD, drive 500 holds VT0001L8
        +00:00:15.000  sent      command 42 to logical unit 1 of sim:test: TEST UNIT READY
        +00:00:15.000  sent      command 43 to the changer of sim:test: READ ELEMENT STATUS of drives from 500, at most 1
        +00:00:15.000  decided   batch 1: intent 1 of r1: moved; sim:test has made 1 motions; VT0001L8 is in drive 500; drive 500 is enabled
        +00:00:15.000  durable   batch 1
        +00:00:15.000  told      VT0001L8 is in drive 500
        +00:00:15.000  answered  command 42 TEST UNIT READY: CHECK CONDITION 06/29/00 (power on, reset, or bus device reset occurred)
        +00:00:15.000  sent      command 44 to logical unit 1 of sim:test: INQUIRY page 80h
        +00:00:15.000  answered  command 43 READ ELEMENT STATUS: GOOD, drive 500 holds VT0001L8
        +00:00:15.000  sent      command 45 to the changer of sim:test: READ ELEMENT STATUS of drives from 501, at most 1
        +00:00:15.000  answered  command 44 INQUIRY: GOOD
        +00:00:15.000  sent      command 46 to logical unit 1 of sim:test: TEST UNIT READY
        +00:00:15.000  answered  command 45 READ ELEMENT STATUS: GOOD, 0 elements, 0 full
        +00:00:15.000  sent      command 47 to the changer of sim:test: READ ELEMENT STATUS of ports from 0, at most 1
        +00:00:15.000  answered  command 46 TEST UNIT READY: CHECK CONDITION 06/28/00 (not ready to ready change, medium may have changed)
        +00:00:15.000  sent      command 48 to logical unit 1 of sim:test: TEST UNIT READY
        +00:00:15.000  answered  command 47 READ ELEMENT STATUS: GOOD, 0 elements, 0 full
        +00:00:15.000  sent      command 49 to the changer of sim:test: READ ELEMENT STATUS of slots from 1000, at most 4
        +00:00:15.000  answered  command 48 TEST UNIT READY: GOOD
        +00:00:15.000  sent      command 50 to logical unit 1 of sim:test: MAINTENANCE IN
        +00:00:15.000  answered  command 49 READ ELEMENT STATUS: GOOD, slot 1000 is empty, slot 1001 holds VT0002L8, slot 1002 is empty, slot 1003 is empty
        +00:00:15.000  sent      command 51 to the changer of sim:test: READ ELEMENT STATUS of slots from 1004, at most 1
        +00:00:15.000  answered  command 50 MAINTENANCE IN: GOOD
        +00:00:15.000  decided   batch 2: r1 passed: mounted in drive 500; r1 has VT0001L8 in drive 500 for test
        +00:00:15.000  answered  command 51 READ ELEMENT STATUS: GOOD, 0 elements, 0 full
        +00:00:15.000  sent      command 52 to the changer of sim:test: READ ELEMENT STATUS of arms from 1, at most 1
        +00:00:15.000  durable   batch 2
        +00:00:15.000  told      VT0001L8 is mounted in drive 500 for test
        +00:00:15.000  told      r1 passed: mounted in drive 500
        +00:00:15.000  answered  command 52 READ ELEMENT STATUS: GOOD, arm 1 is empty
        +00:00:15.000  sent      command 53 to the changer of sim:test: READ ELEMENT STATUS of arms from 2, at most 1
        +00:00:15.000  answered  command 53 READ ELEMENT STATUS: GOOD, 0 elements, 0 full
        +00:00:15.000  sent      command 54 to the changer of sim:test: READ ELEMENT STATUS of drives from 500, at most 1, with identifiers
        +00:00:15.000  answered  command 54 READ ELEMENT STATUS: GOOD, drive 500 is full
    "#]].assert_eq(&after);
}

#[test]
fn refusals_name_requests_as_the_other_lines_do() {
    let mut world = World::ready(library());
    world.submit(mount("VT0009L8")).unwrap_err();
    let unknown = RequestId(Uuid::from_u128(0xABC));
    world.cancel(unknown).unwrap().unwrap_err();
    check(
        &world,
        expect![[r#"
        +00:00:00.000  asked     r1: mount VT0009L8 for test, session 1  [r1 = 00000000-0000-0000-0000-000000000001]
        +00:00:00.000  replied   r1 is refused: there is no cartridge VT0009L8: check the label, or run an inventory if it was put in by hand
        +00:00:00.000  asked     to cancel r2 for test, session 1, operator  [r2 = 00000000-0000-0000-0000-000000000abc]
        +00:00:00.000  sought    r2 in the store
        +00:00:00.000  found     r2 is not in the store
        +00:00:00.000  replied   r2 is not cancelled: there is no request r2; list the requests to see which there are
    "#]],
    );
}
