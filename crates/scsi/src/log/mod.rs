//! LOG SENSE: what a device has counted and what it warns of (SPC, SMC, SSC).

mod alert;
mod alert_table;
mod drive_status;
mod page;
mod statistics;
mod supported;
mod temperature;

pub use self::alert::{TapeAlertFlags, TapeAlertPage, TapeAlertResponse};
pub use self::alert_table::{AlertAction, AlertSeverity, CHANGER_ALERTS, DRIVE_ALERTS, TapeAlert};
pub use self::drive_status::{DriveActivity, DriveStatus};
pub use self::page::{LogPage, LogPageWriter, LogParameter};
pub use self::statistics::ChangerStatistics;
pub use self::supported::SupportedLogPages;
pub use self::temperature::Temperature;
