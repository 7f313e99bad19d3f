//! Nobody waits while nothing is in its way: at rest, with all that goes wrong taken away, each request has ended, or waits for
//! something that is so.

use autochanger_engine::catalog::{Cartridge, Service};
use autochanger_engine::request::{Access, Place, Request, State, Waiting, Wanted};
use autochanger_engine::view::{DriveInfo, LibraryInfo, LibraryState, OperatorTask};
use autochanger_sim::{Device, ElementAddress, ElementType};

use crate::story::OLDER_DRIVE;
use crate::watch::{Checker, Facts, Sight};

/// Looks each time that calm has come to rest.
#[derive(Debug)]
pub(crate) struct Waits;

impl Checker for Waits {
    fn name(&self) -> &'static str {
        "waits"
    }

    fn see(&mut self, sight: &Sight<'_>, facts: &Facts<'_>) -> Result<(), String> {
        let Sight::Rest = sight else { return Ok(()) };
        let requests = facts.view.requests();
        for request in &requests {
            let (Some(n), Some(library)) = (
                facts.library(request.library),
                facts.view.libraries().into_iter().find(|library| library.id == Some(request.library)),
            ) else {
                continue;
            };
            let Some(device) = facts.devices.0.get(n) else { continue };
            let look = Look { request, requests: &requests, library: &library, device, facts };
            if let Some(why) = look.objection() {
                let all: Vec<String> = requests.iter().map(in_short).collect();
                return Err(format!("{}, and {why}; there are: {}", in_short(request), all.join("; ")));
            }
        }
        Ok(())
    }
}

/// A live request, and what it can wait for.
struct Look<'a> {
    request: &'a Request,
    requests: &'a [Request],
    library: &'a LibraryInfo,
    device: &'a Device,
    facts: &'a Facts<'a>,
}

impl Look<'_> {
    /// Why it should not be as it is.
    fn objection(&self) -> Option<String> {
        let ready = *self.library.state == LibraryState::Ready;
        match &self.request.state {
            State::Waiting(Waiting::Library) => ready.then(|| "the library is ready".into()),
            _ if !ready => None,
            // Its medium is ready, and those of its group are not yet.
            State::InProcess if self.request.options.group.is_some() => self.not_so(Waiting::Group),
            // It lasts as long as something is mounted.
            State::InProcess if matches!(self.request.wanted, Wanted::SetService { .. }) => {
                self.facts.disk.mounts.is_empty().then(|| "nothing is mounted".into())
            }
            // Labels are read one by one, each by a request that says itself what it waits for.
            State::InProcess
                if matches!(self.request.wanted, Wanted::Inventory { .. } | Wanted::DoorAccess { .. }) =>
            {
                let reads = self.others().any(|other| matches!(other.wanted, Wanted::Identify { .. }));
                (!reads).then(|| "nothing happens any more".into())
            }
            State::Queued | State::InProcess => Some("nothing happens any more".into()),
            State::Waiting(reason) => self.not_so(*reason),
            _ => None,
        }
    }

    fn not_so(&self, reason: Waiting) -> Option<String> {
        match reason {
            Waiting::Medium => {
                let held = self.together().any(|mine| {
                    self.is_mounted(mine) || self.others().any(|other| is_about_same(mine, other))
                });
                (!held && !self.awaits_mounted_cleaner()).then(|| "nobody has the cartridge".into())
            }
            Waiting::Drive => self.usable_drive(),
            Waiting::Slot => self.vacant_slot().map(|slot| format!("slot {slot} is free")),
            Waiting::Port => self.vacant_port().map(|port| format!("port {port} is free")),
            Waiting::Service => {
                let drives = self.drives();
                let out = self.library.service != Service::Enabled
                    || drives.iter().any(|it| it.service != Service::Enabled || it.wants_cleaning);
                (!out).then(|| "all serve".into())
            }
            Waiting::Group => {
                let group = self.request.options.group;
                let other = self.others().any(|other| {
                    other.options.group == group && other.state != State::Waiting(Waiting::Group)
                });
                (!other).then(|| "all of its group wait for each other".into())
            }
            Waiting::Operator => self.not_asked(),
            _ => None,
        }
    }

    fn others(&self) -> impl Iterator<Item = &Request> {
        self.requests.iter().filter(|other| other.id != self.request.id)
    }

    /// The request, and the others of its group, for which the first one waits.
    fn together(&self) -> impl Iterator<Item = &Request> {
        let group = self.request.options.group;
        let of_group = move |other: &&Request| group.is_some() && other.options.group == group;
        std::iter::once(self.request).chain(self.others().filter(of_group))
    }

    fn is_mounted(&self, request: &Request) -> bool {
        self.facts.disk.mounts.values().any(|mount| Some(mount.cartridge) == request.cartridge)
    }

    /// The only cleaner is one that was mounted before somebody said that it cleans.
    fn awaits_mounted_cleaner(&self) -> bool {
        let mounted = |id| self.facts.disk.mounts.values().any(|mount| mount.cartridge == id);
        let cleaners = self.facts.disk.cartridges.values().filter(|it| it.cleaner.is_some());
        matches!(self.request.wanted, Wanted::CleanDrive { .. }) && cleaners.map(|it| it.id).any(mounted)
    }

    fn drives(&self) -> Vec<DriveInfo> {
        self.facts.view.drives(Some(self.request.library))
    }

    /// A drive that nothing keeps it from. A group waits for several.
    fn usable_drive(&self) -> Option<String> {
        let (named, reads) = match self.request.wanted {
            Wanted::Mount { drive, access, .. } => (drive, access == Access::Read),
            Wanted::CleanDrive { drive, .. } => (Some(drive), true),
            Wanted::Identify { .. } | Wanted::WriteFreeLabel { .. } => (None, false),
            _ => return None,
        };
        // It is meant wherever it is now.
        let named = named.map(|named| self.request.drive.unwrap_or(named));
        // It did not come ready in those, and another one is to be tried.
        let motions = self.facts.disk.motions.values().filter(|motion| motion.request == self.request.id);
        let last = self.request.drive.filter(|_| self.request.motions > 0);
        let suspects: Vec<ElementAddress> =
            motions.map(|motion| motion.destination.address).chain(last).collect();
        // The older drive of some libraries does not take it.
        let older = self.request.barcode.as_deref().is_some_and(|label| !label.ends_with("L7")) || !reads;
        let drives = self.drives();
        let count = drives.len();
        let cleaning = matches!(self.request.wanted, Wanted::CleanDrive { .. });
        let free: Vec<ElementAddress> = drives
            .into_iter()
            .filter(|it| named.is_none_or(|named| named == it.element) && !suspects.contains(&it.element))
            .filter(|it| {
                let takes_it = !older || self.device.drive_product(it.element) != Some(OLDER_DRIVE);
                cleaning || named.is_some() || takes_it
            })
            .filter(|it| it.service == Service::Enabled && (cleaning || !it.wants_cleaning))
            .filter(|it| it.mount.is_none() && it.reserved_by.is_none())
            .filter(|it| {
                let held =
                    self.others().any(|other| it.cartridge.is_some() && other.cartridge == it.cartridge);
                !held && it.cartridge.is_none_or(|held| Some(held) != self.request.cartridge)
            })
            .map(|it| it.element)
            .collect();
        let needed = if self.request.options.group.is_some() { count } else { 1 };
        (free.len() >= needed && !free.is_empty()).then(|| format!("drive {} is free", free[0]))
    }

    fn empty(&self, kind: ElementType) -> Vec<ElementAddress> {
        let contents = self.device.contents().into_iter();
        contents.filter(|(_, of, label)| *of == kind && label.is_none()).map(|(at, ..)| at).collect()
    }

    fn vacant_slot(&self) -> Option<ElementAddress> {
        let for_cleaner = matches!(self.request.wanted, Wanted::InjectCleaner { .. });
        self.empty(ElementType::Storage)
            .into_iter()
            .find(|slot| for_cleaner == (Some(*slot) == self.library.cleaner_slot))
    }

    fn vacant_port(&self) -> Option<ElementAddress> {
        let named = match self.request.wanted {
            Wanted::Eject { port, .. } => port,
            _ => None,
        };
        self.empty(ElementType::ImportExport)
            .into_iter()
            .find(|port| named.is_none_or(|named| named == *port))
    }

    fn not_asked(&self) -> Option<String> {
        let asked = self.facts.view.operator_requests();
        let Some(asked) = asked.into_iter().find(|asked| asked.request == self.request.id) else {
            return Some("nobody is asked for anything".into());
        };
        let there = match &asked.task {
            OperatorTask::BringCartridge { cartridge, .. } => self.device.find(cartridge).is_some(),
            OperatorTask::BringCleaner { .. } => {
                let library = self.facts.view.cartridges(Some(self.request.library));
                library.iter().any(is_usable_cleaner)
            }
            _ => false,
        };
        there.then(|| format!("what is asked for is there: {}", asked.task))
    }
}

fn in_short(request: &Request) -> String {
    let label = request.barcode.as_deref().unwrap_or("-");
    format!("{} {} of {label} is {}", request.operation(), request.id, request.state)
}

/// A cleaning has no cartridge while it waits for one.
fn is_about_same(request: &Request, other: &Request) -> bool {
    match request.cartridge {
        Some(cartridge) => other.cartridge == Some(cartridge),
        None => other.library == request.library && other.cartridge.is_some(),
    }
}

fn is_usable_cleaner(cartridge: &Cartridge) -> bool {
    let cleans = cartridge.barcode.as_deref().is_some_and(|label| label.starts_with("CLN"));
    let used_up = cartridge.cleaner.and_then(|cleaner| cleaner.uses_left) == Some(0);
    let stands = matches!(&cartridge.place, Place::Element(name) if name.kind == ElementType::Storage);
    cleans && stands && !used_up && !cartridge.disabled
}
