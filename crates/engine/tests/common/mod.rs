//! What several of these tests do.

use autochanger_engine::id::RequestId;
use autochanger_engine::request::{State, Wanted};
use autochanger_world::World;

/// Hands a request in, lets the world come to rest, and sees that the request has passed.
#[track_caller]
pub(crate) fn passes(world: &mut World, wanted: Wanted) -> RequestId {
    let id = world.submit(wanted).unwrap();
    world.rest();
    assert!(matches!(world.state(id), State::Passed(_)), "{}", world.state(id));
    id
}
