//! A group that is handed in again: answered, not repeated, also when it has ended long ago.

use autochanger_engine::id::{RequestId, Token};
use autochanger_engine::output::Refusal;
use autochanger_engine::request::{GroupId, Options, Request, State, Submission};
use autochanger_engine::time::{Now, WallTime};
use autochanger_engine::{Answer, Config, Input, Output};
use autochanger_sim::{Device, Library, Timing};
use autochanger_world::{World, mount};

fn library() -> Device {
    Library::new().slots(10).drives(2).cartridges("VT{:04}L8", 1..=6).timing(Timing::midrange()).build()
}

fn given(submission: &mut Submission) {
    submission.id_given = true;
}

fn ask(world: &mut World, number: u128, barcodes: &[&str]) -> Result<Vec<Request>, Refusal> {
    world.submit_group(number, barcodes.iter().map(|barcode| mount(barcode)), given)
}

const BOTH: &[&str] = &["VT0001L8", "VT0002L8"];

#[test]
fn it_is_answered_with_how_it_stands_at_every_moment() {
    let mut world = World::ready(library());
    let first = ask(&mut world, 1, BOTH).unwrap();
    let again = ask(&mut world, 1, BOTH).unwrap();
    assert!(again.iter().zip(&first).all(|(again, first)| again.id == first.id && !again.state.is_final()));
    world.rest();
    let passed = |requests: &[Request]| requests.iter().all(|it| matches!(it.state, State::Passed(_)));
    assert!(passed(&ask(&mut world, 1, BOTH).unwrap()));
    world.dismount("VT0001L8");
    world.dismount("VT0002L8");
    world.rest();
    world.crash();
    world.rest();
    assert!(passed(&ask(&mut world, 1, BOTH).unwrap()), "that it has passed stays so");
    world.rest();
    assert_eq!(world.device.moves_sent(), 4);
    assert!(world.engine.view().mounts().is_empty());
    // Service goes on.
    world.group(2, BOTH);
    world.rest();
    assert_eq!(world.engine.view().mounts().len(), 2);
}

#[test]
fn an_end_that_is_on_its_way_is_told_when_it_is_durable() {
    let mut world = World::ready(library());
    ask(&mut world, 1, BOTH).unwrap();
    world.until("both are in drives", |world| world.device.moves_sent() == 2);
    world.disk_held = true;
    world.rest();
    assert!(ask(&mut world, 1, BOTH).unwrap().is_empty(), "there is no answer yet");
    world.release_disk();
    world.rest();
    let told = world.answers.values().find_map(|answer| match answer {
        Answer::SubmittedGroup(Ok(requests)) => Some(requests.clone()),
        _ => None,
    });
    assert_eq!(told.map(|requests| requests.len()), Some(2));
}

#[test]
fn other_content_a_part_or_more_than_it_under_its_ids_is_refused() {
    let mut world = World::ready(library());
    ask(&mut world, 1, BOTH).unwrap();
    for _ in ["while it lives", "when it has ended"] {
        for (barcodes, from) in [
            (&["VT0002L8", "VT0001L8"][..], 0),
            (&["VT0001L8", "VT0003L8"], 0),
            (&["VT0002L8", "VT0003L8"], 1),
        ] {
            let wanted = barcodes.iter().map(|barcode| mount(barcode));
            let moved_on = |submission: &mut Submission| {
                given(submission);
                submission.id.0 = uuid::Uuid::from_u128(submission.id.0.as_u128() + from);
            };
            let refused = world.submit_group(1, wanted, moved_on);
            assert!(matches!(refused, Err(Refusal::IdReused { .. })), "{refused:?}");
        }
        world.rest();
    }
    assert_eq!(world.device.moves_sent(), 2);
    assert_eq!(world.engine.view().mounts().len(), 2);
}

#[test]
fn a_session_that_is_closed_while_the_store_is_asked_has_handed_nothing_in() {
    let mut world = World::ready(library());
    let group = GroupId(uuid::Uuid::from_u128(1));
    let submissions = BOTH.iter().zip(100..).map(|(barcode, id)| Submission {
        id: RequestId(uuid::Uuid::from_u128(id)),
        id_given: true,
        caller: world.caller(),
        wanted: mount(barcode),
        priority: 0,
        deadline: None,
        detached: false,
        options: Options { group: Some(group), ..Options::default() },
    });
    let submissions: Vec<Submission> = submissions.collect();
    let session = world.caller().session;
    let asked = tell(&mut world, Input::SubmitGroup { token: Token(1), submissions });
    let closed = tell(&mut world, Input::CloseSession { token: Token(2), session });
    assert!(closed.iter().any(|output| matches!(
        output,
        Output::Answer { token: Token(1), answer: Answer::SubmittedGroup(Err(Refusal::SessionClosed)) }
    )));
    for output in asked {
        let Output::Lookup { token, .. } = output else { panic!("{output:?}") };
        let late = tell(&mut world, Input::Found { token, result: Ok(None) });
        assert!(late.is_empty(), "{late:?}");
    }
}

/// One input, and what it causes, of which nothing is carried out.
fn tell(world: &mut World, input: Input) -> Vec<Output> {
    world.engine.handle(input, Now { monotonic: world.now, wall: WallTime(0) });
    core::iter::from_fn(|| world.engine.poll_output()).collect()
}

#[test]
fn more_look_ups_than_the_bound_are_refused_and_a_group_counts_once() {
    let bound = |config: &mut Config| config.max_pending_cancels = 1;
    let mut world = World::with(library(), bound);
    world.rest();
    let asked = ask(&mut world, 1, BOTH);
    assert_eq!(asked.unwrap().len(), 2);
}
