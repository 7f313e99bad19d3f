//! Bugs that are planted to see whether the world's checkers find them, and a count of work. Without the feature `planted-bugs`, which only tests
//! enable, each question here is the constant `false`.

#[cfg(feature = "planted-bugs")]
use crate::Engine;

/// A bug that an engine can be given. Each is one that somebody could write.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    not(feature = "planted-bugs"),
    allow(dead_code, unreachable_pub, reason = "nothing can be planted without the feature")
)]
pub enum Bug {
    /// What did not happen is sent again under its old intent.
    MoveSentTwice,
    /// The intent of a second attempt is not journaled.
    IntentNotJournaled,
    /// *Not moved* is concluded from one look, whether or not the command has ended.
    NotMovedAfterOneLook,
    /// That a motion was sent is forgotten, so that a cancel says that nothing was.
    CancelThatLies,
    /// Who waits for a cartridge is not woken when it is free.
    LostWakeUp,
    /// Attempts are not counted.
    UnboundedRetry,
    /// A cartridge that is on its way is taken for another one of the same label.
    MediumInTwoPlaces,
    /// A cancel of what had failed makes it cancelled.
    OutcomeThatChanges,
    /// A drive stays reserved for a request that was stopped.
    ReservationNeverFreed,
    /// The end of a request is told while it is on its way to the store.
    VerdictBeforeDurable,
    /// One command more than allowed is sent to a changer.
    OneTooManyInFlight,
    /// A request that was told to stop goes on.
    StopThatIsForgotten,
    /// What is ready for a group that failed stays in its drive.
    GroupLeftInDrive,
    /// That a cartridge has arrived is kept, and nobody is told.
    PlaceNotTold,
    /// That nothing is asked of a person any more is not told.
    TaskNotWithdrawn,
    /// Whoever cannot use what it was woken for keeps that to itself.
    WakeNotPassedOn,
    /// Nobody asks a drive who it is while a step with it is under way.
    DriveNotIdentified,
    /// A drive that did not answer is not looked for again.
    DriveNotLookedFor,
    /// A library that was paused goes on with what was prepared.
    PauseThatIsForgotten,
}

/// What is planted in an engine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Planted {
    #[cfg(feature = "planted-bugs")]
    bug: Option<Bug>,
}

impl Planted {
    #[cfg(feature = "planted-bugs")]
    pub(crate) fn is(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    #[cfg(not(feature = "planted-bugs"))]
    pub(crate) const fn is(&self, _: Bug) -> bool {
        false
    }
}

/// How many requests were looked at one by one. Nobody counts without the feature.
#[derive(Debug, Default)]
pub(crate) struct Visits {
    #[cfg(feature = "planted-bugs")]
    made: core::sync::atomic::AtomicUsize,
}

/// A copy of an engine begins to count anew.
impl Clone for Visits {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Visits {
    #[cfg(feature = "planted-bugs")]
    pub(crate) fn count(&self) {
        self.made.fetch_add(1, core::sync::atomic::Ordering::Relaxed);
    }

    #[cfg(not(feature = "planted-bugs"))]
    pub(crate) const fn count(&self) {}
}

#[cfg(feature = "planted-bugs")]
impl Engine {
    /// Plants a bug.
    #[doc(hidden)]
    pub fn plant(&mut self, bug: Bug) {
        self.planted.bug = Some(bug);
    }

    /// How many live requests it has looked at so far, one after the other or to start them: what work is counted by where
    /// time would be measured.
    #[doc(hidden)]
    pub fn visits(&self) -> usize {
        self.live.visits.made.load(core::sync::atomic::Ordering::Relaxed)
    }
}
