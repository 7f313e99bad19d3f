//! What things are called in a transcript, where their own names are long or differ from run to run.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use autochanger_scsi::{ElementAddress, ElementType};
use uuid::Uuid;

use crate::catalog::{Cartridge, Identity};
use crate::id::{CartridgeId, Device, LibraryId, LibraryIndex, Path, RequestId};
use crate::input::{Config, Snapshot};
use crate::request::{CartridgeRef, ElementName};

/// Names kept of each kind, so that a manager that runs for years does not fill memory with those of ended requests: some
/// megabytes. What was forgotten and is mentioned again gets another number, and its full id is shown anew.
const NAMES_MAX: usize = 65_536;

/// The length of a UUID in its usual form.
const UUID_LENGTH: usize = 36;

#[derive(Debug, Default)]
pub(super) struct Names {
    libraries: Vec<Library>,
    records: BTreeMap<LibraryId, Identity>,
    requests: Numbers,
    /// Cartridges with a label.
    labels: BTreeMap<Uuid, Arc<str>>,
    /// Cartridges without one.
    unlabelled: Numbers,
    /// What is to be told beside the line at hand.
    notes: Vec<String>,
}

#[derive(Debug)]
struct Library {
    name: Arc<str>,
    identity: Option<Identity>,
    /// What the library said of its elements.
    elements: BTreeMap<ElementAddress, ElementType>,
}

/// Ids by the order of their appearance.
#[derive(Debug, Default)]
struct Numbers {
    by_id: BTreeMap<Uuid, u64>,
    by_number: BTreeMap<u64, Uuid>,
    last: u64,
}

impl Numbers {
    /// The number, and whether it is new.
    fn of(&mut self, id: Uuid) -> (u64, bool) {
        if let Some(number) = self.by_id.get(&id) {
            return (*number, false);
        }
        if self.by_id.len() >= NAMES_MAX
            && let Some((_, oldest)) = self.by_number.pop_first()
        {
            self.by_id.remove(&oldest);
        }
        self.last += 1;
        self.by_id.insert(id, self.last);
        self.by_number.insert(self.last, id);
        (self.last, true)
    }
}

impl Names {
    pub(super) fn begin(&mut self, config: &Config, snapshot: &Snapshot) {
        let library =
            |name: &Arc<str>| Library { name: name.clone(), identity: None, elements: BTreeMap::new() };
        self.libraries = config.libraries.iter().map(|configured| library(&configured.name)).collect();
        for record in &snapshot.libraries {
            self.recorded(record.id, &record.identity);
        }
        for cartridge in &snapshot.cartridges {
            self.labelled(cartridge);
        }
    }

    /// To be told beside the line at hand.
    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    pub(super) fn take_notes(&mut self) -> String {
        super::join(core::mem::take(&mut self.notes).into_iter(), ", ")
    }

    pub(super) fn request(&mut self, id: RequestId) -> String {
        let (number, new) = self.requests.of(id.0);
        let name = format!("r{number}");
        if new {
            self.note(format!("{name} = {id}"));
        }
        name
    }

    pub(super) fn labelled(&mut self, cartridge: &Cartridge) {
        match &cartridge.barcode {
            Some(label) if self.labels.len() < NAMES_MAX || self.labels.contains_key(&cartridge.id.0) => {
                self.labels.insert(cartridge.id.0, label.clone());
            }
            _ => {
                self.labels.remove(&cartridge.id.0);
            }
        }
    }

    pub(super) fn cartridge(&mut self, id: CartridgeId) -> String {
        if let Some(label) = self.labels.get(&id.0) {
            return label.to_string();
        }
        let (number, new) = self.unlabelled.of(id.0);
        let name = format!("c{number}");
        if new {
            self.note(format!("{name} = {id}"));
        }
        name
    }

    /// A cartridge as a caller names it, who may name one that is not there.
    pub(super) fn called(&mut self, cartridge: &CartridgeRef) -> String {
        match cartridge {
            CartridgeRef::Barcode(label) => label.to_string(),
            CartridgeRef::Id(id) => self.cartridge(*id),
            CartridgeRef::Element { library: None, element } => format!("what is in element {element}"),
            CartridgeRef::Element { library: Some(library), element } => {
                format!("what is in element {element} of {}", self.library(*library))
            }
        }
    }

    pub(super) fn recorded(&mut self, id: LibraryId, identity: &Identity) {
        self.records.insert(id, identity.clone());
    }

    /// The changer at this place of the configuration says who it is.
    pub(super) fn identified(&mut self, index: LibraryIndex, identity: &Identity) {
        self.note(format!("{} {}, serial number {}", identity.vendor, identity.product, identity.serial));
        if let Some(library) = self.libraries.get_mut(usize::from(index.0)) {
            library.identity = Some(identity.clone());
        }
    }

    pub(super) fn library_at(&self, index: LibraryIndex) -> String {
        match self.libraries.get(usize::from(index.0)) {
            Some(library) => library.name.to_string(),
            None => format!("library {}", index.0),
        }
    }

    pub(super) fn library(&self, id: LibraryId) -> String {
        self.known_library(id.0).map_or_else(|| format!("library {id}"), |name| name.to_string())
    }

    /// ` of LIBRARY`, where there are several to mistake it for.
    pub(super) fn of_library(&self, id: LibraryId) -> String {
        if self.libraries.len() > 1 { format!(" of {}", self.library(id)) } else { String::new() }
    }

    pub(super) fn device(&self, path: Path) -> String {
        let library = self.library_at(path.library);
        match path.device {
            Device::Changer => format!("the changer of {library}"),
            Device::Configured(place) => format!("configured drive {place} of {library}"),
            Device::Sibling(unit) => format!("logical unit {unit} of {library}"),
        }
    }

    pub(super) fn element_seen(&mut self, library: LibraryIndex, address: ElementAddress, kind: ElementType) {
        if let Some(library) = self.libraries.get_mut(usize::from(library.0)) {
            library.elements.insert(address, kind);
        }
    }

    pub(super) fn element(&self, library: LibraryIndex, address: ElementAddress) -> String {
        let library = self.libraries.get(usize::from(library.0));
        match library.and_then(|library| library.elements.get(&address)) {
            Some(kind) => ElementName { kind: *kind, address }.to_string(),
            None => format!("element {address}"),
        }
    }

    fn known_library(&self, id: Uuid) -> Option<&Arc<str>> {
        let identity = self.records.get(&LibraryId(id))?;
        let is_it = |library: &&Library| library.identity.as_ref().is_some_and(|own| own.is_same(identity));
        self.libraries.iter().find(is_it).map(|library| &library.name)
    }

    /// The text with the names of things in the place of their ids: messages carry ids in full.
    pub(super) fn put_into(&self, text: &str) -> String {
        let mut named = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            let at_word = !named.ends_with(|before: char| before.is_ascii_alphanumeric());
            let id = rest.get(..UUID_LENGTH).filter(|_| at_word && character.is_ascii_hexdigit());
            match id.and_then(|id| Uuid::try_parse(id).ok()).and_then(|id| self.name_of(id)) {
                Some(name) => {
                    named.push_str(&name);
                    rest = rest.get(UUID_LENGTH..).unwrap_or_default();
                }
                None => {
                    named.push(character);
                    rest = rest.get(character.len_utf8()..).unwrap_or_default();
                }
            }
        }
        named
    }

    fn name_of(&self, id: Uuid) -> Option<String> {
        if let Some(number) = self.requests.by_id.get(&id) {
            return Some(format!("r{number}"));
        }
        if let Some(label) = self.labels.get(&id) {
            return Some(label.to_string());
        }
        if let Some(number) = self.unlabelled.by_id.get(&id) {
            return Some(format!("c{number}"));
        }
        self.known_library(id).map(|name| name.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_in_a_message_become_names_and_unknown_ones_stay() {
        let mut names = Names::default();
        let (known, unknown) = (Uuid::from_u128(7), Uuid::from_u128(8));
        assert_eq!(names.request(RequestId(known)), "r1");
        assert_eq!(names.take_notes(), format!("r1 = {known}"));
        assert_eq!(names.put_into(&format!("ä{known}: {unknown}, a{known}")), {
            format!("är1: {unknown}, a{known}")
        });
        assert_eq!(names.request(RequestId(known)), "r1");
        assert_eq!(names.take_notes(), "", "the full id is told once");
    }

    #[test]
    fn no_more_names_are_kept_than_the_bound_and_no_number_is_used_twice() {
        let mut numbers = Numbers::default();
        for n in 0..NAMES_MAX as u128 + 5 {
            assert_eq!(numbers.of(Uuid::from_u128(n)), (n as u64 + 1, true));
        }
        assert_eq!((numbers.by_id.len(), numbers.by_number.len()), (NAMES_MAX, NAMES_MAX));
        assert_eq!(numbers.of(Uuid::from_u128(5)), (6, false));
        assert_eq!(numbers.of(Uuid::from_u128(0)), (NAMES_MAX as u64 + 6, true));
    }
}
