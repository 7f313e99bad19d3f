//! What else can come between: questions of others, a cancel, a crash, hands with a tape.

use super::*;

#[test]
fn an_attention_that_another_question_heard_begins_a_label_anew() {
    let Begun { mut world, id, .. } = begun(Step::Overwrite);
    // The drive foretells a failure when it has written, and is asked for its alerts; that question hears of a reset.
    world.device.inject(Fault::sense(SenseKey::HardwareError, 0x5D, 0x00).on(0x0A).lun(1).after_effect());
    world.until("it writes", |world| sent(world).contains(&0x0A));
    world.device.inject(Fault::unit_attention(1, 0x29, 0x03));
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)) && is_labelled(&world), "{}", world.state(id));
    let sent = sent(&world);
    let since = sent.iter().skip_while(|opcode| **opcode != 0x0A).skip(1);
    let tape: Vec<u8> = since.copied().filter(|it| [0x01, 0x0A, 0x10, 0x4D].contains(it)).collect();
    assert_eq!(tape[..5], [0x4D, 0x4D, 0x01, 0x0A, 0x10], "where the tape stands is not known after it");
    world.assert_true();
}

#[test]
fn a_cancel_and_a_crash_find_a_step_that_waits_for_its_drive() {
    for crash in [true, false] {
        let Begun { mut world, id, .. } = begun(Step::Overwrite);
        world.until("it is read", |world| sent(world).contains(&0x08));
        assert!(pulled(&mut world, Hands::Between));
        world.until("it was found out", |world| {
            world.device.log().last().and_then(|it| it.opcode()) == Some(0x1A)
        });
        if crash {
            world.crash();
        } else {
            assert_eq!(world.cancel(id), Some(Ok(CancelAccepted::Stopping)));
        }
        world.rest();
        let state = world.state(id);
        if crash {
            assert!(matches!(state, State::Passed(_)) && is_labelled(&world), "{state}");
        } else {
            assert!(matches!(state, State::Stopped { .. }) && !is_labelled(&world), "{state}");
        }
        assert_eq!(world.device.recording(OTHER).unwrap(), data(OTHER));
        world.assert_true();
    }
}

#[test]
fn a_tape_that_hands_put_into_the_drive_while_a_label_is_written_is_not_written() {
    const STRANGER: &str = "XX0009L8";
    for told in [true, false] {
        let mut moments = 0;
        for n in 1.. {
            let Begun { mut world, id, before, .. } = begun(Step::Overwrite);
            while sent(&world).len() < before + n && !world.state(id).is_final() && world.step() {}
            if world.state(id).is_final() {
                break;
            }
            // Before, the load of what hands put in cannot be told from the robot's.
            let under_way = sent(&world).contains(&0x01);
            if !under_way
                || world.device.moves_sent() > world.device.moves_done()
                || world.device.operator_eject(FIRST).is_err()
            {
                continue;
            }
            moments += 1;
            assert_eq!(world.device.operator_take(FIRST).as_deref(), Ok(TAPE));
            world.device.operator_put(FIRST, STRANGER).unwrap();
            assert!(world.device.set_recording(STRANGER, data(STRANGER)));
            if !told {
                // Another program has heard what the changer had to say.
                let now = world.now;
                let _: Key = world.device.submit(now, 0, &[0; 6], &[], 0);
            }
            world.rest();
            // When nobody tells, a robot takes what it finds.
            let ended = world.state(id);
            assert!(matches!(ended, State::Failed(_)) || !told, "{told}, {n}: {ended}");
            assert_eq!(world.device.recording(STRANGER).unwrap(), data(STRANGER), "{told}, {n}");
            if told {
                world.assert_true();
            }
        }
        assert!(moments >= 14, "{told}: {moments}");
    }
}
