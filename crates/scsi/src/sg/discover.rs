//! What the kernel knows of changers and drives, read from sysfs: nothing is sent to a device.

use core::fmt;
use std::borrow::ToOwned;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::string::String;
use std::vec::Vec;

use crate::DeviceType;
use crate::vpd::UnitSerial;

/// The most logical units and the most names that are looked at: as many as the sg driver numbers.
pub const MAX_UNITS: usize = 32_768;

/// The most that is read of an attribute: sysfs has pages of this size.
const ATTRIBUTE_MAX: u64 = 4096;

/// Directories of names that stay when devices are found in another order.
const NAME_DIRECTORIES: [&str; 2] = ["tape/by-id", "tape/by-path"];

/// Where the kernel has put a logical unit: host adapter, channel, target, logical unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[doc(alias = "HCTL")]
pub struct Address {
    /// The host adapter.
    pub host: u32,
    /// Its channel.
    pub channel: u32,
    /// The target on it.
    pub target: u32,
    /// The target's logical unit, as the kernel numbers it.
    pub lun: u64,
}

impl Address {
    /// Reads `H:C:T:L`.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let mut part = || parts.next()?.parse::<u64>().ok();
        let number = |part: Option<u64>| part.and_then(|part| u32::try_from(part).ok());
        let (host, channel, target, lun) = (number(part())?, number(part())?, number(part())?, part()?);
        parts.next().is_none().then_some(Self { host, channel, target, lun })
    }

    /// Whether both are logical units of one target.
    pub fn same_target(&self, other: &Self) -> bool {
        (self.host, self.channel, self.target) == (other.host, other.channel, other.target)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}:{}", self.host, self.channel, self.target, self.lun)
    }
}

/// A logical unit that the kernel has a `/dev/sgN` for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Its sg node, `/dev/sg3`. The number changes when devices are found in another order.
    pub node: PathBuf,
    /// Where it is.
    pub address: Address,
    /// What it is.
    pub device_type: DeviceType,
    /// The vendor, of INQUIRY.
    pub vendor: String,
    /// The product, of INQUIRY.
    pub product: String,
    /// The product's revision, of INQUIRY.
    pub revision: String,
    /// Its serial number (VPD page 80h) as the kernel read it when it found the unit. `None` for devices that the kernel
    /// does not ask for it (before SPC-3); such may still tell it when they are asked.
    pub serial: Option<String>,
    /// The tape driver's node that does not rewind, `/dev/nst0`, where that driver has the unit.
    pub tape: Option<PathBuf>,
    /// The names under `/dev/tape/by-id` and `by-path`, which stay when devices are found in another order.
    pub names: Vec<PathBuf>,
}

/// Where the kernel's knowledge is read. [`Sysfs::default`] is this machine's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sysfs {
    sys: PathBuf,
    dev: PathBuf,
}

impl Default for Sysfs {
    fn default() -> Self {
        Self::at("/sys", "/dev")
    }
}

impl Sysfs {
    /// Reads below other directories than `/sys` and `/dev`, where they are mounted elsewhere.
    pub fn at(sys: impl Into<PathBuf>, dev: impl Into<PathBuf>) -> Self {
        Self { sys: sys.into(), dev: dev.into() }
    }

    /// All logical units that have an sg node, in the order of their addresses. What disappears while it is looked at is
    /// left out.
    ///
    /// # Errors
    /// The directory of the sg driver's nodes cannot be read, but for its absence: without the driver there are none.
    pub fn units(&self) -> io::Result<Vec<Unit>> {
        let entries = match fs::read_dir(self.class("scsi_generic")) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut units = Vec::new();
        for entry in entries.take(MAX_UNITS) {
            if let Some(unit) = entry?.file_name().to_str().and_then(|name| self.read_unit(name)) {
                units.push(unit);
            }
        }
        units.sort_by_key(|unit| unit.address);
        self.add_names(&mut units);
        Ok(units)
    }

    /// The logical unit that a path leads to: an sg node, a node of the tape or the changer driver, or a name of one.
    pub fn unit(&self, path: &Path) -> Option<Unit> {
        let node = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let name = node.file_name()?.to_str()?;
        self.read_unit(name).or_else(|| {
            ["scsi_tape", "scsi_changer"].into_iter().find_map(|class| {
                let device = self.class(class).join(name).join("device");
                self.read_unit(&self.node_below(&device)?)
            })
        })
    }

    /// The logical unit `lun` of the target that has the logical unit at `address`.
    pub fn sibling(&self, address: Address, lun: u16) -> Option<Unit> {
        /// What the kernel makes of numbers from 256 on that come in the flat form (SAM-5 clause 4.7.7.4).
        const FLAT: u64 = 0x4000;
        let lun = u64::from(lun);
        [lun, lun | FLAT].into_iter().find_map(|lun| {
            let address = Address { lun, ..address };
            let device = self.sys.join("bus/scsi/devices").join(std::format!("{address}"));
            self.read_unit(&self.node_below(&device)?)
        })
    }

    fn class(&self, class: &str) -> PathBuf {
        self.sys.join("class").join(class)
    }

    /// The name of the sg node of a logical unit, given the unit's directory.
    fn node_below(&self, device: &Path) -> Option<String> {
        first_entry(&device.join("scsi_generic"), |name| name.starts_with("sg"))
    }

    /// What the kernel knows of the unit with the sg node `name`, but for the names.
    fn read_unit(&self, name: &str) -> Option<Unit> {
        let device = fs::canonicalize(self.class("scsi_generic").join(name).join("device")).ok()?;
        let address = Address::parse(device.file_name()?.to_str()?)?;
        let code: u8 = attribute(&device.join("type"))?.parse().ok()?;
        let text = |file| attribute(&device.join(file)).unwrap_or_default();
        let serial = read_some(&device.join("vpd_pg80")).and_then(|page| {
            let serial = UnitSerial::parse(&page).ok()?.serial();
            (!serial.is_empty()).then(|| serial.to_owned())
        });
        let tape = first_entry(&device.join("scsi_tape"), |name| {
            name.strip_prefix("nst").is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
        });
        Some(Unit {
            node: self.dev.join(name),
            address,
            device_type: DeviceType::from(code),
            vendor: text("vendor"),
            product: text("model"),
            revision: text("rev"),
            serial,
            tape: tape.map(|name| self.dev.join(name)),
            names: Vec::new(),
        })
    }

    fn add_names(&self, units: &mut [Unit]) {
        for directory in NAME_DIRECTORIES {
            let Ok(entries) = fs::read_dir(self.dev.join(directory)) else { continue };
            for entry in entries.take(MAX_UNITS).flatten() {
                let name = entry.path();
                let Ok(node) = fs::canonicalize(&name) else { continue };
                let has_it = |unit: &&mut Unit| {
                    let is = |own: &Path| fs::canonicalize(own).is_ok_and(|own| own == node);
                    is(&unit.node) || unit.tape.as_deref().is_some_and(is)
                };
                if let Some(unit) = units.iter_mut().find(has_it) {
                    unit.names.push(name);
                }
            }
        }
        for unit in units {
            unit.names.sort();
        }
    }
}

/// The first name in a directory, in order, that is wanted.
fn first_entry(directory: &Path, wanted: impl Fn(&str) -> bool) -> Option<String> {
    let entries = fs::read_dir(directory).ok()?.take(MAX_UNITS).flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| wanted(name)).min()
}

fn read_some(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(ATTRIBUTE_MAX).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn attribute(path: &Path) -> Option<String> {
    Some(String::from_utf8_lossy(&read_some(path)?).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::string::ToString;

    /// A machine on which a kernel has found things, made of files.
    struct Machine(PathBuf);

    impl Machine {
        fn new(name: &str) -> Self {
            let root =
                std::env::temp_dir().join(std::format!("autochanger-sysfs-{}-{name}", std::process::id()));
            let _ = fs::remove_dir_all(&root);
            fs::create_dir_all(root.join("sys/class/scsi_generic")).expect("a directory of the test's own");
            fs::create_dir_all(root.join("sys/bus/scsi/devices")).expect("a directory of the test's own");
            fs::create_dir_all(root.join("dev/tape/by-id")).expect("a directory of the test's own");
            Self(root)
        }

        fn sysfs(&self) -> Sysfs {
            Sysfs::at(self.0.join("sys"), self.0.join("dev"))
        }

        fn put(&self, path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
            let path = self.0.join(path);
            fs::create_dir_all(path.parent().expect("below the root")).expect("made");
            fs::write(path, bytes).expect("written");
        }

        fn find(&self, sg: &str, address: &str, kind: u8, serial: Option<&str>, drivers: &[(&str, &str)]) {
            let device = std::format!("sys/devices/pci0/host/{address}");
            self.put(std::format!("{device}/type"), std::format!("{kind}\n"));
            self.put(std::format!("{device}/vendor"), "STK     \n");
            self.put(std::format!("{device}/model"), "L700            \n");
            self.put(std::format!("{device}/rev"), "0010\n");
            if let Some(serial) = serial {
                let mut page = std::vec![kind, 0x80, 0, serial.len() as u8 + 4];
                page.extend(*b"    ");
                page.extend(serial.as_bytes());
                self.put(std::format!("{device}/vpd_pg80"), page);
            }
            for (class, name) in [("scsi_generic", sg)].iter().chain(drivers) {
                let own = self.0.join(&device).join(class).join(name);
                fs::create_dir_all(&own).expect("made");
                symlink(self.0.join(&device), own.join("device")).expect("linked");
                let class = self.0.join("sys/class").join(class);
                fs::create_dir_all(&class).expect("made");
                symlink(own, class.join(name)).expect("linked");
                self.put(std::format!("dev/{name}"), "");
            }
            let bus = self.0.join("sys/bus/scsi/devices").join(address);
            symlink(self.0.join(device), bus).expect("linked");
        }

        fn library(&self) {
            self.find("sg4", "2:0:0:1", 8, Some("LIB0000001"), &[("scsi_changer", "sch0")]);
            self.find(
                "sg3",
                "2:0:0:0",
                1,
                Some("DRV0000001"),
                &[("scsi_tape", "st0"), ("scsi_tape", "nst0a")],
            );
            self.find("sg12", "2:0:1:0", 1, None, &[("scsi_tape", "nst1"), ("scsi_tape", "nst1l")]);
        }
    }

    impl Drop for Machine {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn units_are_listed_by_address_with_what_the_kernel_knows() {
        let machine = Machine::new("listed");
        machine.library();
        let units = machine.sysfs().units().expect("readable");
        let seen: Vec<_> = units
            .iter()
            .map(|unit| (unit.address.to_string(), unit.device_type, unit.serial.as_deref()))
            .collect();
        assert_eq!(
            seen,
            [
                ("2:0:0:0".to_owned(), DeviceType::Tape, Some("DRV0000001")),
                ("2:0:0:1".to_owned(), DeviceType::Changer, Some("LIB0000001")),
                ("2:0:1:0".to_owned(), DeviceType::Tape, None),
            ]
        );
        let changer = &units[1];
        assert_eq!(changer.node, machine.0.join("dev/sg4"));
        assert_eq!((&*changer.vendor, &*changer.product, &*changer.revision), ("STK", "L700", "0010"));
    }

    #[test]
    fn a_drive_has_the_node_that_does_not_rewind_and_no_other() {
        let machine = Machine::new("tape");
        machine.library();
        let units = machine.sysfs().units().expect("readable");
        assert_eq!(units[0].tape, None, "st0 and nst0a are not it");
        assert_eq!(units[2].tape, Some(machine.0.join("dev/nst1")));
    }

    #[test]
    fn names_that_stay_are_found_for_both_nodes() {
        let machine = Machine::new("names");
        machine.library();
        let by_id = machine.0.join("dev/tape/by-id");
        symlink("../../sg4", by_id.join("scsi-LIB-changer")).expect("linked");
        symlink("../../nst1", by_id.join("scsi-DRV-nst")).expect("linked");
        symlink("../../gone", by_id.join("scsi-GONE")).expect("linked");
        let units = machine.sysfs().units().expect("readable");
        assert_eq!(units[1].names, [by_id.join("scsi-LIB-changer")]);
        assert_eq!(units[2].names, [by_id.join("scsi-DRV-nst")]);
        assert!(units[0].names.is_empty());
        let unit = machine.sysfs().unit(&by_id.join("scsi-LIB-changer")).expect("a name leads to its unit");
        assert_eq!(unit.node, units[1].node);
    }

    #[test]
    fn nodes_of_the_tape_and_the_changer_driver_lead_to_their_sg_node() {
        let machine = Machine::new("nodes");
        machine.library();
        for (node, sg) in [("dev/sch0", "dev/sg4"), ("dev/nst1", "dev/sg12"), ("dev/sg3", "dev/sg3")] {
            let unit = machine.sysfs().unit(&machine.0.join(node)).expect("it has one");
            assert_eq!(unit.node, machine.0.join(sg));
        }
        assert_eq!(machine.sysfs().unit(Path::new("/dev/null")), None);
    }

    #[test]
    fn siblings_are_units_of_the_same_target_only() {
        let machine = Machine::new("siblings");
        machine.library();
        machine.find("sg20", "2:0:0:16640", 1, None, &[]);
        let sysfs = machine.sysfs();
        let address = Address { host: 2, channel: 0, target: 0, lun: 1 };
        let node = |lun| sysfs.sibling(address, lun).map(|unit| unit.node);
        assert_eq!(node(0), Some(machine.0.join("dev/sg3")));
        assert_eq!(node(256), Some(machine.0.join("dev/sg20")), "the kernel keeps the flat form's bits");
        assert_eq!(node(2), None);
        assert!(address.same_target(&Address { lun: 7, ..address }));
        assert!(!address.same_target(&Address { target: 1, ..address }));
    }

    #[test]
    fn a_machine_without_the_driver_has_no_units() {
        assert_eq!(Sysfs::at("/nonexistent", "/dev").units().expect("no error"), []);
    }

    #[test]
    fn an_attribute_that_makes_no_sense_leaves_the_unit_out() {
        let machine = Machine::new("senseless");
        machine.library();
        machine.put("sys/devices/pci0/host/2:0:0:1/type", "changer");
        machine.put("sys/devices/pci0/host/2:0:0:0/vpd_pg80", [1, 0x80, 0xFF]);
        let units = machine.sysfs().units().expect("readable");
        assert_eq!(units.len(), 2);
        assert_eq!(units[0].serial, None);
    }
}
