use AlertAction::{
    Clean, DriveUnusable, ExpectMissingTags, Reinventory, Report, RetireMedium, StopPlacing, SuspendQueue,
};
use AlertSeverity::{Critical, Information, Warning};

/// How bad a TapeAlert flag is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertSeverity {
    /// Worth knowing.
    Information,
    /// Data or motion is at risk.
    Warning,
    /// Data or motion is lost, or soon will be.
    Critical,
}

/// What a TapeAlert flag asks of whoever drives the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AlertAction {
    /// Tell people.
    Report,
    /// Read the status of every element again.
    Reinventory,
    /// A cartridge is in no slot: place nothing until someone has looked.
    StopPlacing,
    /// Send no motion until it is over.
    SuspendQueue,
    /// Take the drive out of service.
    DriveUnusable,
    /// Expect cartridges without volume tags.
    ExpectMissingTags,
    /// Clean the drive.
    Clean,
    /// Copy the cartridge's data and use it no more.
    RetireMedium,
}

/// A TapeAlert flag and its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TapeAlert {
    /// The number of the flag, from 1.
    pub number: u8,
    /// What it is called.
    pub name: &'static str,
    /// How bad it is.
    pub severity: AlertSeverity,
    /// What is to be done.
    pub action: AlertAction,
}

impl TapeAlert {
    /// What a flag means on a changer; `None` for one that is reserved. Single products differ: Scalar i40 and i80
    /// have no flag 16.
    pub fn of_changer(number: u8) -> Option<&'static Self> {
        CHANGER_ALERTS.get(usize::from(number).checked_sub(1)?)
    }

    /// What a flag means on a tape drive; `None` for one that is reserved.
    pub fn of_drive(number: u8) -> Option<&'static Self> {
        DRIVE_ALERTS.get(usize::from(number).checked_sub(1)?)
    }
}

const fn alert(number: u8, name: &'static str, severity: AlertSeverity, action: AlertAction) -> TapeAlert {
    TapeAlert { number, name, severity, action }
}

/// The flags of a changer, in the order of their numbers (SMC-3); those from 33 on are reserved.
pub static CHANGER_ALERTS: [TapeAlert; 32] = [
    alert(1, "library hardware A: drive communication", Critical, Report),
    alert(2, "library hardware B", Warning, Report),
    alert(3, "library hardware C", Critical, Report),
    alert(4, "library hardware D", Critical, Report),
    alert(5, "diagnostics required", Warning, Report),
    alert(6, "interface problem", Critical, Report),
    alert(7, "predictive failure", Warning, Report),
    alert(8, "maintenance required", Warning, Report),
    alert(9, "humidity", Critical, Report),
    alert(10, "temperature", Critical, Report),
    alert(11, "voltage", Critical, Report),
    alert(12, "stray tape left in drive or robot", Critical, StopPlacing),
    alert(13, "pick retry", Warning, Report),
    alert(14, "place retry", Warning, Report),
    alert(15, "load retry", Warning, Report),
    alert(16, "door open, robot stopped", Critical, SuspendQueue),
    alert(17, "mail slot fault", Critical, Report),
    alert(18, "magazine missing", Critical, Report),
    alert(19, "security: door opened", Warning, Report),
    alert(20, "security mode changed", Information, Report),
    alert(21, "library offline", Information, SuspendQueue),
    alert(22, "drive offline", Information, DriveUnusable),
    alert(23, "bar code scan retry", Warning, Report),
    alert(24, "inventory inconsistent", Critical, Reinventory),
    alert(25, "illegal operation", Warning, Report),
    alert(26, "dual-port interface", Warning, Report),
    alert(27, "cooling fan", Warning, Report),
    alert(28, "power supply", Warning, Report),
    alert(29, "power consumption", Warning, Report),
    alert(30, "pass-through mechanism", Critical, Report),
    alert(31, "cartridge in pass-through", Critical, StopPlacing),
    alert(32, "unreadable bar code labels", Information, ExpectMissingTags),
];

/// The flags of a tape drive, in the order of their numbers (SSC-4); those from 62 on are reserved.
pub static DRIVE_ALERTS: [TapeAlert; 61] = [
    alert(1, "read warning", Warning, Report),
    alert(2, "write warning", Warning, Report),
    alert(3, "hard error", Warning, Report),
    alert(4, "media", Critical, Report),
    alert(5, "read failure", Critical, Report),
    alert(6, "write failure", Critical, Report),
    alert(7, "media life", Warning, RetireMedium),
    alert(8, "not data grade", Warning, Report),
    alert(9, "write protected", Critical, Report),
    alert(10, "no removal", Information, Report),
    alert(11, "cleaning media", Information, Report),
    alert(12, "unsupported format", Information, Report),
    alert(13, "recoverable mechanical cartridge failure", Critical, Report),
    alert(14, "unrecoverable snapped tape", Critical, Report),
    alert(15, "cartridge memory chip failure", Warning, Report),
    alert(16, "forced eject", Critical, Report),
    alert(17, "read-only format", Warning, Report),
    alert(18, "tape directory corrupt on load", Warning, Report),
    alert(19, "nearing media life", Information, RetireMedium),
    alert(20, "clean now", Critical, Clean),
    alert(21, "clean periodically", Warning, Clean),
    alert(22, "expired cleaning media", Critical, Report),
    alert(23, "invalid cleaning tape", Critical, Report),
    alert(24, "retension requested", Warning, Report),
    alert(25, "dual-port interface or host channel", Warning, Report),
    alert(26, "cooling fan", Warning, Report),
    alert(27, "power supply", Warning, Report),
    alert(28, "power consumption", Warning, Report),
    alert(29, "drive maintenance", Warning, Report),
    alert(30, "hardware A", Critical, Report),
    alert(31, "hardware B", Critical, Report),
    alert(32, "interface", Warning, Report),
    alert(33, "eject media", Critical, Report),
    alert(34, "microcode update failed", Warning, Report),
    alert(35, "drive humidity", Warning, Report),
    alert(36, "drive temperature", Warning, Report),
    alert(37, "drive voltage", Warning, Report),
    alert(38, "predictive failure", Critical, Report),
    alert(39, "diagnostics required", Warning, Report),
    alert(40, "loader hardware A", Critical, Report),
    alert(41, "loader stray tape", Critical, Report),
    alert(42, "loader hardware B", Warning, Report),
    alert(43, "loader door", Critical, Report),
    alert(44, "loader hardware C", Critical, Report),
    alert(45, "loader magazine", Critical, Report),
    alert(46, "loader predictive failure", Warning, Report),
    alert(47, "external encryption control communication failure", Warning, Report),
    alert(48, "external encryption key manager error", Warning, Report),
    alert(49, "diminished native capacity", Information, Report),
    alert(50, "lost statistics", Warning, Report),
    alert(51, "tape directory invalid at unload", Warning, Report),
    alert(52, "system area write failure", Critical, Report),
    alert(53, "system area read failure", Critical, Report),
    alert(54, "no start of data", Critical, Report),
    alert(55, "loading failure", Critical, Report),
    alert(56, "unrecoverable unload failure", Critical, Report),
    alert(57, "automation interface failure", Critical, Report),
    alert(58, "firmware failure", Warning, Report),
    alert(59, "WORM integrity check failed", Warning, Report),
    alert(60, "WORM overwrite attempted", Warning, Report),
    alert(61, "encryption policy violation", Warning, Report),
];
