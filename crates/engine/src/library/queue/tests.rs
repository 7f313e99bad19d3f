//! The order, and the lines in which is waited.

use super::*;
use crate::request::tests::request;
use crate::request::{Access, Operation, Wanted};
use crate::time::WallTime;
use uuid::Uuid;

const WORTH: Duration = Duration::from_secs(600);

const DRIVE: ElementAddress = ElementAddress(500);

fn need(access: Access) -> Need {
    Need { access, ..Need::default() }
}

fn id(n: u128) -> RequestId {
    RequestId(Uuid::from_u128(n))
}

fn mount(priority: i8, at: u64, age: u64) -> Order {
    order(Wanted::Mount { cartridge: "A".into(), drive: None, access: Default::default() }, priority, at, age)
}

fn dismount(priority: i8, at: u64, age: u64) -> Order {
    order(Wanted::Dismount { cartridge: "A".into(), slot: None, force: false }, priority, at, age)
}

fn order(wanted: Wanted, priority: i8, at: u64, age: u64) -> Order {
    let mut request = request(wanted);
    request.priority = priority;
    request.queued_at = WallTime(at);
    Order::new(&request, age, WORTH)
}

#[test]
fn dismounts_come_before_mounts_and_priority_before_age() {
    let mut queue = Queue::default();
    queue.insert(mount(15, 1, 1), id(1));
    queue.insert(mount(0, 0, 0), id(2));
    queue.insert(dismount(-15, 9, 9), id(3));
    let order: alloc::vec::Vec<_> = queue.ready.values().copied().collect();
    assert_eq!(order, [id(3), id(1), id(2)]);
}

#[test]
fn the_lowest_priority_is_not_overtaken_by_what_comes_later_than_the_points_are_worth() {
    let waiting = mount(-15, 0, 0);
    let span = 30 * WORTH.as_millis() as u64;
    assert!(mount(15, span - 1, 1) < waiting);
    assert!(mount(15, span + 1, 2) > waiting);
    // Also not by another operation, for ever.
    let operations = (Operation::Mount as u64 - Operation::Inventory as u64) * 31 * WORTH.as_millis() as u64;
    let inventory = Wanted::Inventory { library: None, method: Some(crate::request::InventoryMethod::Fast) };
    assert!(order(inventory.clone(), 15, 1, 3) < waiting);
    assert!(order(inventory, 15, operations + span + 1, 4) > waiting);
}

fn between(before: Option<Order>, behind: Option<Order>) -> Option<Order> {
    Order::spread(before, behind, 1, |_| false).map(|places| places[0])
}

#[test]
fn between_two_neighbours_there_is_room_for_thirty_in_turn() {
    let (first, mut behind) = (mount(0, 5, 1), mount(0, 5, 2));
    for _ in 0..30 {
        let middle = between(Some(first), Some(behind)).unwrap();
        assert!(first < middle && middle < behind);
        behind = middle;
    }
    assert_eq!(between(Some(first), Some(first)), None);
    assert!(between(None, Some(first)).unwrap() < first);
    assert!(between(Some(first), None).unwrap() > first);
}

#[test]
fn places_that_are_spread_are_in_turn_and_nobody_elses() {
    let (low, high) = (mount(0, 5, 1), mount(0, 5, 2));
    let others = Order::spread(Some(low), Some(high), 3, |_| false).unwrap();
    let all = Order::spread(Some(low), Some(high), 3, |order| others.contains(&order)).unwrap();
    assert!(all.iter().all(|order| !others.contains(order) && low < *order && *order < high));
    assert!(all.is_sorted_by(|one, other| one < other));
    let tight = Order { place: low.place + 3, ..low };
    assert_eq!(Order::spread(Some(low), Some(tight), 2, |_| false).map(|all| all.len()), Some(2));
    assert_eq!(Order::spread(Some(low), Some(tight), 3, |_| false), None);
    assert_eq!(Order::spread(Some(low), Some(tight), 2, |order| order.place == low.place + 1), None);
}

#[test]
fn only_the_first_waiter_for_a_thing_is_woken() {
    let mut queue = Queue::default();
    for n in 0..3 {
        let order = mount(0, n, n);
        queue.insert(order, id(u128::from(n)));
        queue.block(order, id(u128::from(n)), Blocker::Drive(DRIVE));
    }
    assert_eq!(queue.wake(Blocker::Slot, |_| true), None);
    assert_eq!(queue.wake(Blocker::Drive(DRIVE), |_| true), Some(id(0)));
    assert_eq!(queue.first(), Some(id(0)));
    assert_eq!(queue.waiting.len(), 2);
}

#[test]
fn a_waiting_request_takes_another_place_and_waits_on() {
    let mut queue = Queue::default();
    let (first, second) = (mount(0, 0, 0), mount(0, 1, 1));
    for (order, n) in [(first, 0), (second, 1)] {
        queue.insert(order, id(n));
        queue.block(order, id(n), Blocker::Slot);
    }
    queue.reorder(&[(second, first, Some(Blocker::Slot)), (first, second, Some(Blocker::Slot))]);
    assert_eq!(queue.wake(Blocker::Slot, |_| true), Some(id(1)));
}

#[test]
fn who_waits_for_any_drive_is_woken_for_one_that_it_can_use_and_in_the_order_of_all() {
    let mut queue = Queue::default();
    let (read, write) = (need(Access::Read), need(Access::ReadWrite));
    for (n, need) in [(0, write), (1, read), (2, write), (3, read)] {
        let order = mount(0, n, n);
        queue.insert(order, id(u128::from(n)));
        queue.block(order, id(u128::from(n)), Blocker::AnyDrive(need));
    }
    assert_eq!(queue.needs().collect::<Vec<_>>(), [read, write]);
    let all: Vec<_> = queue.waiting_for_drive(DRIVE, |_| true).map(|(_, id)| id).collect();
    assert_eq!(all, [id(0), id(1), id(2), id(3)]);
    assert_eq!(queue.wake_for_drive(DRIVE, Order::LOWEST, |need| need == read), Some(id(1)));
    assert_eq!(queue.wake_for_drive(DRIVE, Order::LOWEST, |_| true), Some(id(0)));
    assert_eq!(queue.wake_for_any(mount(0, 2, 2), |_| true), Some((Blocker::AnyDrive(read), id(3))));
    assert_eq!(queue.wake_for_any(mount(0, 2, 2), |_| true), None, "nobody is behind it");
    assert_eq!(queue.wake_for_drive(DRIVE, Order::LOWEST, |_| true), Some(id(2)));
    assert_eq!(queue.needs().next(), None);
}

#[test]
fn who_names_a_drive_and_who_would_take_any_are_one_line() {
    let mut queue = Queue::default();
    let any = Blocker::AnyDrive(need(Access::Read));
    let other = Blocker::Drive(ElementAddress(501));
    for (n, blocker) in
        [(0, any), (1, Blocker::Drive(DRIVE)), (2, other), (3, any), (4, Blocker::Drive(DRIVE))]
    {
        let order = mount(0, n, n);
        queue.insert(order, id(u128::from(n)));
        queue.block(order, id(u128::from(n)), blocker);
    }
    let all: Vec<_> = queue.waiting_for_drive(DRIVE, |_| true).map(|(_, id)| id).collect();
    assert_eq!(all, [id(0), id(1), id(3), id(4)]);
    let named: Vec<_> = queue.waiting_for_drive(DRIVE, |_| false).map(|(_, id)| id).collect();
    assert_eq!(named, [id(1), id(4)]);
    assert_eq!(queue.wake_for_drive(DRIVE, Order::LOWEST, |_| true), Some(id(0)));
    assert_eq!(queue.wake_for_drive(DRIVE, mount(0, 1, 1), |_| true), Some(id(3)));
    assert_eq!(queue.wake_for_drive(DRIVE, Order::LOWEST, |_| false), Some(id(1)));
    assert_eq!(queue.wake_for_drive(DRIVE, mount(0, 4, 4), |_| true), None, "nobody is behind it");
}
