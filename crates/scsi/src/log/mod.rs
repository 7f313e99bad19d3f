//! LOG SENSE: what a device has counted and what it warns of (SPC, SMC, SSC).

mod alert;
mod alert_table;
mod diagnostic;
mod drive_status;
mod elements;
mod page;
mod statistics;
mod supported;
mod temperature;
mod volume;

pub use self::alert::{TapeAlertFlags, TapeAlertPage, TapeAlertResponse};
pub use self::alert_table::{AlertAction, AlertSeverity, CHANGER_ALERTS, DRIVE_ALERTS, TapeAlert};
pub use self::diagnostic::{ChangerDiagnostic, ChangerDiagnostics};
pub use self::drive_status::{DriveActivity, DriveStatus};
pub use self::elements::{ElementCounts, ElementStatistics};
pub use self::page::{LogPage, LogPageWriter, LogParameter};
pub use self::statistics::ChangerStatistics;
pub use self::supported::SupportedLogPages;
pub use self::temperature::Temperature;
pub use self::volume::VolumeStatistics;
