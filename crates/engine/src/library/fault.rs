//! What sense data mean for what we were doing. What can be done about them is in the tables of `autochanger-scsi`, for the standard
//! and for each dialect; here is what that comes to in a library.

use alloc::format;
use alloc::string::{String, ToString};

use autochanger_scsi::{Action, AdditionalSense, Advice, Dialect, Sense, SenseKey};

use crate::request::FailureKind;

/// What sense data say of the command that they came with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Said {
    /// It was carried out; the device only had something to remark.
    Done,
    /// Nothing: they are of an earlier command, and this one was not carried out (SPC-4 4.5.5). It may be sent again.
    OfAnother,
    /// It was not carried out, or not to its end.
    NotDone,
}

/// FAILURE PREDICTION THRESHOLD EXCEEDED: the command that hears of it has succeeded.
const FAILURE_PREDICTED: u8 = 0x5D;

/// What sense data say of the command that they came with (smc.md 2.1, and 2.3 on keys 0 and 1 and on 5D).
pub(crate) fn said(sense: &Sense) -> Said {
    let remark = match sense.key {
        // OPERATION IN PROGRESS comes with this key, too, and the command has to wait for that.
        SenseKey::NoSense | SenseKey::Completed => sense.advice().first() == Action::Proceed,
        SenseKey::RecoveredError => true,
        SenseKey::HardwareError => sense.code.asc == FAILURE_PREDICTED,
        _ => false,
    };
    match (sense.deferred, remark) {
        (true, _) => Said::OfAnother,
        (false, true) => Said::Done,
        (false, false) => Said::NotDone,
    }
}

/// What is to be expected of a device that does not do something now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Outlook {
    /// It comes ready by itself: inventory, power-up, loading, calibrating, formatting.
    ComesReady,
    /// Somebody has a door or a port open, or the library in pause: it will be closed.
    Open,
    /// It may pass by itself, or somebody is at the panel; else a person must come.
    MayPass,
    /// A person must come.
    WantsPerson,
    /// Nothing of that kind: the command is what it does not like, or something has failed.
    None,
}

/// What is to be expected, in the dialect of the device.
pub(crate) fn outlook(sense: &Sense, dialect: &Dialect) -> Outlook {
    let advice = dialect.advice(sense);
    if sense.deferred || said(sense) == Said::Done {
        return Outlook::None;
    }
    match advice.first() {
        _ if is_of_path(sense, advice) => Outlook::None,
        Action::Close => Outlook::Open,
        Action::Wait if advice.includes(Action::Operator) || advice.includes(Action::Down) => {
            Outlook::MayPass
        }
        Action::Wait => Outlook::ComesReady,
        Action::Retry if sense.key == SenseKey::NotReady => Outlook::MayPass,
        Action::Operator | Action::Down if sense.key != SenseKey::UnitAttention => Outlook::WantsPerson,
        _ => Outlook::None,
    }
}

/// Sense data of a path that is not to be used now: asymmetric access in transition, standby or unavailable; the port is off
/// line (a fail-over port in transition); the communication behind the port failed.
fn is_of_path(sense: &Sense, advice: Advice) -> bool {
    let offline = (SenseKey::NotReady, AdditionalSense::new(0x04, 0x12));
    let broken = (SenseKey::AbortedCommand, AdditionalSense::new(0x08, 0x00));
    let said = (sense.key, sense.code);
    (sense.key == SenseKey::NotReady && advice.first() == Action::OtherPath)
        || said == offline
        || said == broken
}

/// Whether another path to the device may serve, in whatever dialect.
pub(crate) fn speaks_of_path(sense: &Sense) -> bool {
    is_of_path(sense, sense.advice())
}

/// Sense data in words: the standard's, or those of the dialect for a code that the standard does not have.
pub(crate) fn words(sense: &Sense, dialect: &Dialect) -> String {
    match (sense.meaning(), dialect.meaning(sense)) {
        (None, Some(meaning)) => format!("{sense} ({meaning})"),
        _ => sense.to_string(),
    }
}

/// What was being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Doing {
    /// A motion that is known not to have happened.
    Moving,
    /// Waiting for a drive.
    Loading,
    /// Unloading a drive.
    Unloading,
}

/// What to make of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Meaning {
    /// It will go away by itself: try again.
    Again,
    /// It goes away by itself, however long it takes: a calibration takes two hours.
    Later,
    /// It may have been a single mishap: try again, once.
    OnceMore,
    /// The drive must be unloaded by us first.
    UnloadFirst,
    /// The drive must be told to load by us first.
    LoadFirst,
    /// The operation has no need to be done: it is so already.
    AlreadySo,
    /// The device does not have the command: do without.
    NotOffered,
    /// It failed.
    Failed(FailureKind),
}

/// The table: first what a code means by itself for what was being done, then what follows from the advice.
pub(crate) fn meaning(sense: &Sense, doing: Doing, dialect: &Dialect) -> Meaning {
    use Doing::*;
    use FailureKind::*;
    use Meaning::*;
    let advice = dialect.advice(sense);
    let also = |action| advice.includes(action);
    let code = (sense.code.asc, sense.code.ascq);
    match (doing, sense.key, code, advice.first()) {
        // Nothing was carried out, or it was broken off.
        _ if sense.deferred => Again,
        (_, SenseKey::UnitAttention | SenseKey::AbortedCommand, _, _) => Again,
        // Another path may serve, or this one soon.
        _ if is_of_path(sense, advice) => Again,

        (Unloading, _, (0x3A, _), _) => AlreadySo,
        (Unloading, SenseKey::IllegalRequest, (0x20, _), _) => NotOffered,
        (Loading, SenseKey::NotReady, (0x3A, _), _) => Failed(DriveFault),
        // A cleaning cartridge at work is ejected by the drive itself, and is no medium for anybody.
        (Loading, _, (0x30, 0x03), _) => Failed(MediumFault),
        // A cartridge that is still threaded: most libraries unload by themselves, these do not.
        (Moving, SenseKey::IllegalRequest, (0x3B, 0x90) | (0x53, 0x01), _) => UnloadFirst,
        (_, SenseKey::IllegalRequest, (0x3B, 0x0D), _) => Failed(DestinationFull),
        (_, SenseKey::IllegalRequest, (0x3B, 0x0E), _) => Failed(SourceEmpty),
        (_, SenseKey::IllegalRequest, (0x30, _), _) | (_, _, (0x30, 0x00..=0x02 | 0x05), _) => {
            Failed(Incompatible)
        }
        // Its label is invalid, missing or there twice.
        (Moving, _, (0x53, 0x05..=0x07), _) => Failed(MediumFault),
        // Nobody has looked into the element yet.
        (Moving, _, (0x53, 0x08), _) => Failed(NotAccessible),

        (Unloading, _, _, Action::Proceed) => AlreadySo,
        (_, _, _, Action::Proceed) => Again,
        (_, _, _, Action::Wait) if also(Action::Operator) || also(Action::Down) => Again,
        (_, _, _, Action::Wait) => Later,
        (Moving, _, _, Action::Close) => Again,
        // It was ready again when it was found out that nothing has moved: the person was there.
        (Moving, SenseKey::NotReady, _, Action::Operator | Action::Down) => Again,
        (_, _, _, Action::Retry | Action::Restore | Action::Reidentify | Action::OtherPath) => Again,
        (Loading, SenseKey::NotReady, _, Action::Initialize) => LoadFirst,
        // The library is read before the next attempt, and says then what it wants.
        (Moving, _, _, Action::Initialize) => Again,
        (Moving, _, _, Action::Unload) => UnloadFirst,
        (Moving, _, _, Action::State) if also(Action::Unload) => UnloadFirst,
        (Moving, _, _, Action::State) if also(Action::ReturnMedium) => Failed(Incompatible),
        (Moving, _, _, Action::State) => Failed(NotAccessible),
        (Moving, _, _, Action::Operator) if also(Action::Reinventory) => Failed(NotAccessible),
        (_, _, _, Action::Allow) => Failed(MediumHeld),
        (Moving | Loading, _, _, Action::ReturnMedium) => Failed(MediumFault),
        (Moving, _, _, Action::Caller | Action::Fallback | Action::Reinventory) => Failed(Refused),
        (Moving, _, _, Action::Verify) if also(Action::Suspect) => Failed(DriveFault),
        (Moving | Loading, _, _, Action::Verify) if also(Action::ReturnMedium) => Failed(MediumFault),
        (Loading, SenseKey::MediumError, _, _) => Failed(MediumFault),
        (Moving, _, _, Action::Verify) if also(Action::Wait) => Again,
        (Moving, _, _, Action::Verify) if also(Action::Retry) => OnceMore,
        (Moving, _, _, _) => Failed(LibraryFault),
        (Loading | Unloading, _, _, _) => Failed(DriveFault),
    }
}

/// Whether the picture that led to a motion was wrong, so that the library is read again before the next one.
pub(crate) fn picture_was_wrong(sense: &Sense, dialect: &Dialect) -> bool {
    let advice = dialect.advice(sense);
    sense.key != SenseKey::UnitAttention
        && [Action::State, Action::Reinventory, Action::Initialize]
            .iter()
            .any(|action| advice.includes(*action))
}

/// What a unit attention makes stale of what is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Stale {
    /// Nothing.
    Nothing,
    /// What is in the import/export elements.
    Ports,
    /// What is in all elements.
    All,
    /// The library itself: who it is, which elements it has and where, and which drives are in them.
    Library,
}

/// What a unit attention of the changer makes stale (smc.md 2.3, key 6).
pub(crate) fn stale(code: AdditionalSense) -> Stale {
    match (code.asc, code.ascq) {
        (0x28, 0x01 | 0x03) => Stale::Ports,
        // It was switched on, and what can be changed meanwhile is everything; operating conditions and mode parameters; elements and
        // drives that came or went; microcode, definition, inquiry data, identifiers; logical units.
        (0x29, 0x00 | 0x01 | 0x04)
        | (0x2A, 0x00 | 0x01)
        | (0x3B, 0x18..=0x1B | 0x20)
        | (0x3F, 0x00..=0x05 | 0x0E) => Stale::Library,
        // Parameters of logs, the clock, an echo buffer, reservations and paths: no element changed.
        (0x2A, 0x02..=0x07 | 0x10 | 0x15) | (0x3F, 0x0F) | (0x53, 0x02) => Stale::Nothing,
        _ => Stale::All,
    }
}

#[cfg(test)]
mod tests;
