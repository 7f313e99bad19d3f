use super::SenseKey;

/// What a client of a changer or a drive can do about sense data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// Go on: the command did what it should, or the state is the one wanted.
    Proceed,
    /// Send the same command again after a short while. Motion only if it certainly was not carried out: a unit
    /// attention that is not the echo of an abort of one's own.
    Retry,
    /// The device is busy or becoming ready: TEST UNIT READY now and then until it is.
    Wait,
    /// Read the status of all elements again; what was known counts no more.
    Reinventory,
    /// The outcome of a motion is unknown: look at source, destination and robot. Never send it again.
    Verify,
    /// A fault of the caller: tell it, do not repeat.
    Caller,
    /// The caller's picture of the library was wrong: look at the elements, then tell it.
    State,
    /// Someone has to go there: tell people, ask again now and then.
    Operator,
    /// A door, a port or a tray is open, or someone has the library in pause: it is closed again by who opened it. Wait, and tell
    /// people if that takes long.
    Close,
    /// Take the library, drive or slot out of service.
    Down,
    /// Do without the optional feature or the variant of the command, and remember that.
    Fallback,
    /// Take another path to the device, or look at the paths again.
    OtherPath,
    /// Preventions and reservations may be gone: make them again where they are wanted.
    Restore,
    /// Ask again who the device is, and which elements and logical units it has.
    Reidentify,
    /// INITIALIZE ELEMENT STATUS on a changer, LOAD on a drive; once.
    Initialize,
    /// If the source is a drive: unload it, wait until it has, then once more.
    Unload,
    /// Allow the removal of media, if the prevention is one's own.
    Allow,
    /// Bring the cartridge back, and remember that it does not suit.
    ReturnMedium,
    /// Count it against the drive.
    Suspect,
    /// Read the TapeAlert flags.
    ReadAlerts,
}

/// What to do about sense data: one action, or a few in the order in which they are to be considered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Advice(&'static [Action]);

impl Advice {
    pub(super) const fn new(actions: &'static [Action]) -> Self {
        Self(actions)
    }

    /// The actions; never none.
    pub fn actions(self) -> &'static [Action] {
        self.0
    }

    /// The action to begin with.
    pub fn first(self) -> Action {
        self.0.first().copied().unwrap_or(Action::Verify)
    }

    /// Whether an action is among them.
    pub fn includes(self, action: Action) -> bool {
        self.0.contains(&action)
    }
}

impl SenseKey {
    /// What to do about a code that no table has.
    pub fn advice(self) -> Advice {
        Advice(match self {
            Self::NoSense | Self::RecoveredError | Self::Completed => &[Action::Proceed],
            Self::NotReady => &[Action::Wait, Action::Operator],
            Self::MediumError => &[Action::Verify, Action::ReturnMedium],
            Self::HardwareError | Self::Vendor => &[Action::Verify, Action::Operator],
            Self::IllegalRequest | Self::DataProtect | Self::BlankCheck => &[Action::Caller],
            Self::Miscompare | Self::VolumeOverflow => &[Action::Caller],
            // Something changed; what, is not told.
            Self::UnitAttention => &[Action::Reinventory, Action::Retry],
            Self::AbortedCommand | Self::CopyAborted | Self::Reserved => &[Action::Verify],
        })
    }
}
