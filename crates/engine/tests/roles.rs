//! Which role may ask for what.

use autochanger_engine::catalog::{Caller, Label, Role, Service};
use autochanger_engine::id::SessionId;
use autochanger_engine::output::Refusal;
use autochanger_engine::request::{Access, AfterDoor, InventoryMethod, Operation, ServiceTarget, Wanted};
use autochanger_scsi::ElementAddress;
use autochanger_sim::{Device, Library};
use autochanger_world::World;

const TAPE: &str = "VT0001L8";
const DRIVE: ElementAddress = ElementAddress(500);
const ROLES: [Role; 3] = [Role::Application, Role::Operator, Role::Administrator];

fn device() -> Device {
    Library::new().slots(10).drives(2).ports(2).cartridges("VT{:04}L8", 1..=6).build()
}

fn caller(application: &str, role: Role) -> Caller {
    Caller { session: SessionId(7), application: application.into(), role }
}

fn service(target: ServiceTarget, service: Service) -> Wanted {
    Wanted::SetService { target, service }
}

/// Everything that can be asked for, and the least role for it.
fn everything() -> Vec<(Wanted, Role)> {
    use Role::{Application, Operator};
    let library = || ServiceTarget::Library(None);
    let drive = || ServiceTarget::Drive { library: None, drive: DRIVE };
    let tape = || ServiceTarget::Cartridge(TAPE.into());
    let label = Label { format: "ours".into(), id: b"1"[..].into(), description: "".into() };
    vec![
        (service(library(), Service::Disabled), Operator),
        (service(library(), Service::Draining), Operator),
        (service(drive(), Service::Disabled), Operator),
        (service(drive(), Service::Paused), Operator),
        (service(tape(), Service::Disabled), Operator),
        (service(tape(), Service::Enabled), Operator),
        (Wanted::UpdateLabel { cartridge: TAPE.into(), label }, Application),
        (Wanted::Inventory { library: None, method: Some(InventoryMethod::Fast) }, Application),
        (Wanted::Inventory { library: None, method: Some(InventoryMethod::Full) }, Operator),
        (Wanted::DoorAccess { library: None, then: AfterDoor::Nothing }, Operator),
        (Wanted::Eject { cartridge: TAPE.into(), port: None }, Operator),
        (Wanted::EjectCleaner { library: None }, Operator),
        (Wanted::Inject { library: None, many: true }, Operator),
        (Wanted::InjectCleaner { library: None, uses: None }, Operator),
        (Wanted::Identify { cartridge: TAPE.into(), keep: false }, Application),
        (Wanted::CleanDrive { library: None, drive: DRIVE }, Operator),
        (Wanted::Dismount { cartridge: TAPE.into(), slot: None, force: false }, Application),
        (Wanted::Mount { cartridge: TAPE.into(), drive: None, access: Access::Read }, Application),
        (Wanted::WriteFreeLabel { cartridge: TAPE.into(), overwrite: false }, Operator),
        (Wanted::Classify { cartridge: TAPE.into() }, Operator),
        (Wanted::ReserveCleanerSlot { library: None, slot: ElementAddress(1009) }, Operator),
        (Wanted::ReleaseCleanerSlot { library: None }, Operator),
    ]
}

#[test]
fn the_table_of_roles_names_every_operation() {
    let asked: Vec<Operation> = everything().iter().map(|(wanted, _)| wanted.operation()).collect();
    for operation in Operation::ALL {
        assert!(asked.contains(&operation), "{operation} is not in the table");
    }
}

#[test]
fn what_a_role_does_not_suffice_for_is_refused_by_that_name_and_nothing_else_is() {
    for (wanted, least) in everything() {
        for role in ROLES {
            let mut world = World::ready(device());
            let answer = world.submit_as(caller("restore", role), wanted.clone(), |_| {});
            let refused = matches!(answer, Err(Refusal::RoleNeeded { .. }));
            assert_eq!(refused, !role.suffices_for(least), "{role} asks for {wanted:?}: {answer:?}");
            if let Err(error @ Refusal::RoleNeeded { .. }) = answer {
                let operation = wanted.operation();
                assert_eq!(error, Refusal::RoleNeeded { operation, role, needed: least });
                assert_eq!(error.win32_code(), 5);
                assert!(world.engine.view().requests().is_empty(), "nothing is kept of it");
            }
        }
    }
}

#[test]
fn the_refusal_says_what_to_do() {
    let mut world = World::ready(device());
    let asked = service(ServiceTarget::Library(None), Service::Disabled);
    let error = world.submit_as(caller("restore", Role::Application), asked, |_| {}).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the disabling of the library needs the role of an operator, and this session has the role of an application: open one as an operator"
    );
}

#[test]
fn a_cartridge_that_is_asked_to_be_paused_or_drained_is_not_disabled_behind_the_callers_back() {
    let mut world = World::ready(device());
    for wanted in [Service::Paused, Service::Draining] {
        let answer = world.submit(service(ServiceTarget::Cartridge(TAPE.into()), wanted));
        assert!(matches!(&answer, Err(Refusal::Unfit(words)) if words.contains("disable it")), "{answer:?}");
    }
    let view = world.engine.view();
    assert!(view.cartridges(None).iter().all(|cartridge| !cartridge.disabled));
}

#[test]
fn who_has_a_medium_mounted_is_told_to_dismount_it_and_the_others_whom_to_ask() {
    let mut world = World::ready(device());
    world.mount(TAPE);
    world.rest();
    for wanted in [
        Wanted::Eject { cartridge: TAPE.into(), port: None },
        Wanted::Identify { cartridge: TAPE.into(), keep: false },
    ] {
        let own = world.submit(wanted.clone()).unwrap_err();
        assert_eq!(own.to_string(), "you have cartridge VT0001L8 mounted in drive 500: dismount it first");
        let other = world.submit_as(caller("other", Role::Operator), wanted, |_| {});
        assert!(
            matches!(&other, Err(Refusal::MediaOpen { application, .. }) if application == "test"),
            "{other:?}"
        );
    }
}
