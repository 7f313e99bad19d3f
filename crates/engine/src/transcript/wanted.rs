//! What is asked for, in words.

use alloc::format;
use alloc::string::{String, ToString};

use super::Transcript;
use crate::id::LibraryId;
use crate::request::{Access, AfterDoor, ServiceTarget, Wanted};

impl Transcript {
    pub(super) fn wanted(&mut self, wanted: &Wanted) -> String {
        match wanted {
            Wanted::Inventory { library, method } => {
                let what =
                    method.map_or_else(|| "inventory as configured".into(), |method| method.to_string());
                match library {
                    Some(library) => format!("{what} of {}", self.names.library(*library)),
                    None => what,
                }
            }
            Wanted::Mount { cartridge, drive, access } => {
                let mut text = format!("mount {}", self.names.called(cartridge));
                if let Some(drive) = drive {
                    text.push_str(&format!(" in drive {drive}"));
                }
                if *access == Access::Read {
                    text.push_str(" to read");
                }
                text
            }
            Wanted::Dismount { cartridge, slot, force } => {
                let mut text = format!("dismount {}", self.names.called(cartridge));
                if let Some(slot) = slot {
                    text.push_str(&format!(" to slot {slot}"));
                }
                if *force {
                    text.push_str(" by force");
                }
                text
            }
            Wanted::SetService { target, service } => {
                let target = match target {
                    ServiceTarget::Library(library) => self.some_library(*library),
                    ServiceTarget::Drive { library, drive } => {
                        format!("drive {drive} of {}", self.some_library(*library))
                    }
                    ServiceTarget::Cartridge(cartridge) => self.names.called(cartridge),
                };
                format!("{target} to be {service}")
            }
            Wanted::UpdateLabel { cartridge, label } => {
                format!("record label {label} of {}", self.names.called(cartridge))
            }
            Wanted::DoorAccess { library, then } => {
                let then = match then {
                    AfterDoor::Nothing => String::new(),
                    then => match then.method() {
                        Some(method) => format!(", then {method}"),
                        None => ", then inventory as configured".into(),
                    },
                };
                format!("access to the door of {}{then}", self.some_library(*library))
            }
            Wanted::Eject { cartridge, port } => {
                let mut text = format!("eject {}", self.names.called(cartridge));
                if let Some(port) = port {
                    text.push_str(&format!(" to port {port}"));
                }
                text
            }
            Wanted::EjectCleaner { library } => {
                format!("eject the cleaner of {}", self.some_library(*library))
            }
            Wanted::Inject { library, many } => {
                let many = if *many { "inject many" } else { "inject" };
                format!("{many} into {}", self.some_library(*library))
            }
            Wanted::InjectCleaner { library, uses } => {
                let mut text = format!("inject a cleaner into {}", self.some_library(*library));
                if let Some(uses) = uses {
                    text.push_str(&format!(" for {uses} uses"));
                }
                text
            }
            Wanted::Identify { cartridge, keep } => {
                let keep = if *keep { " and leave it in the drive" } else { "" };
                format!("identify {}{keep}", self.names.called(cartridge))
            }
            Wanted::CleanDrive { library, drive } => {
                format!("clean drive {drive} of {}", self.some_library(*library))
            }
            Wanted::WriteFreeLabel { cartridge, overwrite } => {
                let overwrite = if *overwrite { ", over what is there" } else { "" };
                format!("write a free label on {}{overwrite}", self.names.called(cartridge))
            }
            Wanted::Classify { cartridge } => format!("classify {}", self.names.called(cartridge)),
            Wanted::ReserveCleanerSlot { library, slot } => {
                format!("keep slot {slot} of {} for the cleaner", self.some_library(*library))
            }
            Wanted::ReleaseCleanerSlot { library } => {
                format!("release the cleaner's slot of {}", self.some_library(*library))
            }
        }
    }

    fn some_library(&mut self, library: Option<LibraryId>) -> String {
        library.map_or_else(|| String::from("the library"), |library| self.names.library(library))
    }
}
