//! The manual's page for those who come from RSM, held to the list of RSM's functions and operations.

const PAGE: &str = include_str!("../src/manual/from_rsm.rs");

/// The public functions of ntmsapi.h, and the two that a library for labels had to have.
const FUNCTIONS: [&str; 63] = [
    "AccessNtmsLibraryDoor",
    "AddNtmsMediaType",
    "AllocateNtmsMedia",
    "BeginNtmsDeviceChangeDetection",
    "CancelNtmsLibraryRequest",
    "CancelNtmsOperatorRequest",
    "ChangeNtmsMediaType",
    "CleanNtmsDrive",
    "CloseNtmsNotification",
    "CloseNtmsSession",
    "CreateNtmsMedia",
    "CreateNtmsMediaPool",
    "DeallocateNtmsMedia",
    "DecommissionNtmsMedia",
    "DeleteNtmsDrive",
    "DeleteNtmsLibrary",
    "DeleteNtmsMedia",
    "DeleteNtmsMediaPool",
    "DeleteNtmsMediaType",
    "DeleteNtmsRequests",
    "DisableNtmsObject",
    "DismountNtmsDrive",
    "DismountNtmsMedia",
    "EjectDiskFromSADrive",
    "EjectNtmsCleaner",
    "EjectNtmsMedia",
    "EnableNtmsObject",
    "EndNtmsDeviceChangeDetection",
    "EnumerateNtmsObject",
    "ExportNtmsDatabase",
    "GetNtmsMediaPoolName",
    "GetNtmsObjectAttribute",
    "GetNtmsObjectInformation",
    "GetNtmsObjectSecurity",
    "GetNtmsRequestOrder",
    "GetNtmsUIOptions",
    "GetVolumesFromDrive",
    "IdentifyNtmsSlot",
    "ImportNtmsDatabase",
    "InjectNtmsCleaner",
    "InjectNtmsMedia",
    "InventoryNtmsLibrary",
    "MountNtmsMedia",
    "MoveToNtmsMediaPool",
    "OpenNtmsNotification",
    "OpenNtmsSession",
    "ReleaseNtmsCleanerSlot",
    "ReserveNtmsCleanerSlot",
    "SatisfyNtmsOperatorRequest",
    "SetNtmsDeviceChangeDetection",
    "SetNtmsMediaComplete",
    "SetNtmsObjectAttribute",
    "SetNtmsObjectInformation",
    "SetNtmsObjectSecurity",
    "SetNtmsRequestOrder",
    "SetNtmsUIOptions",
    "SubmitNtmsOperatorRequest",
    "SwapNtmsMedia",
    "UpdateNtmsOmidInfo",
    "WaitForNtmsNotification",
    "WaitForNtmsOperatorRequest",
    "ClaimMediaLabel",
    "MaxMediaLabel",
];

/// The cells of each row of a table.
fn rows() -> impl Iterator<Item = Vec<&'static str>> {
    let lines = PAGE.lines().filter_map(|line| line.strip_prefix("//! |"));
    let rows = lines.filter(|line| !line.starts_with("---"));
    rows.map(|line| line.trim_end_matches('|').split('|').map(str::trim).collect())
}

#[test]
fn every_function_has_one_row_which_says_what_takes_its_place_or_why_nothing_does() {
    for function in FUNCTIONS {
        let name = format!("`{function}`");
        let told: Vec<_> = rows().filter(|row| row[0].contains(&name)).collect();
        assert!(!told.is_empty(), "{function} has no row");
        assert!(told.iter().all(|row| row[1..].iter().any(|cell| cell.len() > 3)), "{told:?}");
    }
}

#[test]
fn no_row_is_about_a_function_that_rsm_did_not_have() {
    for row in rows() {
        let names = row[0].split('`').skip(1).step_by(2).filter(|name| name.contains("Ntms"));
        for name in names.filter(|name| !name.starts_with("Ntms")) {
            assert!(FUNCTIONS.contains(&name), "{name} is not RSM's");
        }
    }
}
