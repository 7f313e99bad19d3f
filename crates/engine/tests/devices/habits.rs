//! Every switch of the simulator, one by one and in pairs: what is learned is exactly that, and the job is done.

use autochanger_engine::Quirk::{self, *};
use autochanger_sim::{Library, Quirk as Switch, Timing};

use super::{World, carries_the_last_of, counts, does_the_main_job, library, quirks};

/// What a library with the switch is found to do, where its cartridges are in slots. Nothing, where what it does otherwise is
/// never asked of it, or cannot be told from what the standard allows.
fn learned(switch: Switch) -> &'static [Quirk] {
    match switch {
        Switch::NoDvcid | Switch::DvcidIgnored => &[NoDriveIdentifiers],
        Switch::DvcidOnlyWithVoltag => &[IdentifiersWithTags],
        Switch::DvcidUnasked => &[IdentifiersUnasked],
        Switch::DvcidHidesState => &[IdentifiersHideState],
        Switch::RejectCurdata => &[NoCurrentData],
        Switch::RejectVoltag | Switch::EmptyWithVoltag | Switch::VoltagHardwareError => &[NoVolumeTags],
        Switch::MaxElementsPerReport(_) => &[FewElementsReported],
        Switch::MaxElementsAsked(_) => &[FewElementsAsked],
        Switch::ExactAllocation => &[ExactAllocation],
        Switch::AllTypesOnly => &[AllTypesOnly],
        Switch::TypesIgnored => &[OtherTypes],
        Switch::ShortBy8 | Switch::ByteCountTooLarge => &[ShortReports],
        Switch::WrongHeader => &[WrongElementCounts],
        Switch::ByteCountTooSmall | Switch::PageCountTooSmall => &[WrongByteCounts, WrongElementCounts],
        Switch::SplitPages(_) => &[SeveralPages],
        Switch::EmptyPage => &[EmptyPages],
        Switch::TrailingBytes => &[WrongByteCounts],
        Switch::Unordered => &[Unordered],
        Switch::RepeatedElement | Switch::SlotAlsoPort => &[RepeatedElements],
        Switch::DescriptorLength(_) => &[NoDriveIdentifiers, FalseTagFlags],
        Switch::FalseAlternateTags => &[FalseTagFlags],
        Switch::StaleTags => &[StaleTags],
        Switch::GarbageTags => &[UnreadableTags],
        Switch::LabelsUnscanned => &[UnscannedLabels],
        Switch::AbsentSlots(_) | Switch::AbsentEvery(_) => &[AbsentElements],
        Switch::UncountedSlots(_) => &[UncountedElements],
        Switch::NoGeometryPage => &[NoGeometry],
        Switch::RejectDbd => &[BlockDescriptors],
        Switch::ModeSense10Only => &[ModeSense10Only],
        Switch::TransportCountZero => &[NoTransportCounted],
        Switch::AccessLags(_) => &[LateAccess],
        Switch::NoAutosense => &[NoAutosense],
        Switch::NeedsInitialize => &[NeedsInitialize],
        Switch::EmptyBays(_) | Switch::GhostDrives(_) => &[EmptyBays],
        // Never asked of it.
        Switch::DvcidDrivesOnly
        | Switch::NoVoltagWithDvcid
        | Switch::ExactCount
        | Switch::AllocationLow16
        | Switch::AllocationWithinTransfer
        | Switch::RejectAbsentType
        | Switch::RejectUnknownStart
        | Switch::ModeSense6Only
        | Switch::TransportZeroOnly
        | Switch::NoExchange
        | Switch::ExchangeClaimed
        | Switch::HostUnloadFirst
        | Switch::HostUnloadFirst3A
        | Switch::HostUnloadFirst5301
        | Switch::HostUnloadFirst5303
        | Switch::InitializeDoesNothing
        | Switch::Initialize37Only
        | Switch::InitializeE7Only
        | Switch::NoInitialize
        | Switch::RefusesWhileScanning
        | Switch::LabelsDoubtfulAfterDoor
        | Switch::NoPortMoves
        | Switch::NoDriveToDrive
        | Switch::NoArmSource
        | Switch::ArmKeepsCartridge
        | Switch::ArmWithoutLabel
        | Switch::NoPrevent
        | Switch::PreventIgnored
        | Switch::AllowClearsAll
        | Switch::NoPortCommand
        | Switch::PortCommandIsMagazine
        | Switch::AttentionOnForeignMove
        | Switch::SledsAsMediumChange => &[],
        // Allowed, or seen only where cartridges are in drives.
        Switch::DvcidSerialOnly
        | Switch::DvcidNaa
        | Switch::LogicalSerials
        | Switch::NoDriveElementPage
        | Switch::NoOperationCodes
        | Switch::RecommendsMinutes(_)
        | Switch::PanelSession(_)
        | Switch::PauseMode(_)
        | Switch::StartsUp(_)
        | Switch::AccessDenied(_)
        | Switch::PortFailover(_)
        | Switch::NoFieldPointer
        | Switch::PadToAllocation
        | Switch::CutAtDescriptor
        | Switch::PadLogPages
        | Switch::SlowLogs(_)
        | Switch::VendorBytes(_)
        | Switch::NulTags
        | Switch::LabelLength(_)
        | Switch::NoSource
        | Switch::SourceIsFull
        | Switch::SourceIsDrive
        | Switch::SourceIsNowhere
        | Switch::GhostSlots(_)
        | Switch::SerializeAll
        | Switch::DescriptorSense
        | Switch::ShortSense => &[],
        other => panic!("nobody says what is learned of {other}"),
    }
}

/// A library with the switch whose cartridges are in slots that it has.
fn with(switch: Switch, slots: u16, cartridges: u16) -> Library {
    let library = Library::new().slots(slots).drives(3).ports(2).timing(Timing::midrange()).quirk(switch);
    let Switch::AbsentEvery(every) = switch else {
        return library.cartridges("VT{:04}L8", 1..=u32::from(cartridges));
    };
    let last = cartridges - 1;
    let library = library.cartridge_at(1000 + last, &format!("VT{cartridges:04}L8"));
    let there = (0..slots).filter(|index| index % every != every - 1 && *index != last);
    there.take(usize::from(last)).enumerate().fold(library, |library, (number, index)| {
        library.cartridge_at(1000 + index, &format!("VT{:04}L8", number + 1))
    })
}

#[test]
fn each_habit_is_found_out_and_the_main_job_is_done() {
    assert_eq!(quirks(&does_the_main_job(World::new(library().build()), "no habit")), []);
    for &switch in Switch::ALL {
        let what = switch.to_string();
        let world = does_the_main_job(World::new(with(switch, 120, 90).build()), &what);
        assert_eq!(quirks(&world), learned(switch), "{what}");
        let slots = match switch {
            Switch::AbsentSlots(count) => 120 - count,
            Switch::AbsentEvery(every) => 120 - 120 / every,
            _ => 120,
        };
        assert_eq!(counts(&world), (slots, 3, 2), "{what}");
        let labelled = !quirks(&world).iter().any(|quirk| matches!(quirk, NoVolumeTags | UnscannedLabels));
        if labelled && !matches!(switch, Switch::DescriptorLength(_)) {
            world.assert_true();
        }
        // Three drives behind one target are told apart, where not by the library then by what they say of their place.
        let matched = world.engine.view().drives(None).iter().all(|drive| drive.device.is_some());
        let bare = quirks(&world).contains(&EmptyBays);
        assert_eq!(matched, !bare, "{what}");
    }
}

/// Pairs with which nothing can be done, and why.
fn contradict(one: Switch, other: Switch) -> bool {
    let either = |wanted: &[Switch], with: &[Switch]| {
        (wanted.contains(&one) && with.contains(&other)) || (wanted.contains(&other) && with.contains(&one))
    };
    let unloads = [
        Switch::HostUnloadFirst,
        Switch::HostUnloadFirst3A,
        Switch::HostUnloadFirst5301,
        Switch::HostUnloadFirst5303,
    ];
    let too_small = [Switch::ByteCountTooSmall, Switch::PageCountTooSmall];
    // The exact length is wanted, and a wrong one is told.
    either(&[Switch::ExactAllocation], &[Switch::ByteCountTooLarge, Switch::TrailingBytes])
        // The drive must be unloaded, and which of three it is is not told: the error asks for a configuration.
        || either(&unloads, &[Switch::NoDvcid, Switch::DvcidIgnored, Switch::DescriptorLength(12)])
        // It does not serve before it was told, and cannot be told.
        || either(&[Switch::NeedsInitialize], &[Switch::NoInitialize, Switch::InitializeDoesNothing])
        // What it wants has no code.
        || either(&[Switch::NeedsInitialize], &[Switch::ShortSense])
        // Only the false report of an element is counted.
        || either(&too_small, &[Switch::RepeatedElement])
        // The refusal is to be waited for, and has no code.
        || either(&[Switch::AccessLags(8)], &[Switch::ShortSense])
}

#[test]
fn any_two_habits_at_once_are_lived_with() {
    for (at, &one) in Switch::ALL.iter().enumerate() {
        for &other in Switch::ALL.iter().skip(at + 1).filter(|other| !contradict(one, **other)) {
            let what = format!("{one} and {other}");
            // Holes are made first: the cartridges stand beside them.
            let library = match other {
                Switch::AbsentEvery(_) => with(other, 16, 8).quirk(one),
                _ => with(one, 16, 8).quirk(other),
            };
            carries_the_last_of(8, World::new(library.build()), &what);
        }
    }
}
