//! What one look at the ends of a motion saw.

use alloc::format;
use alloc::string::String;

use crate::changer::reply::ElementReport;
use crate::command::PathFault;
use crate::request::ElementName;

#[derive(Debug, Clone, Default)]
pub(super) struct Look {
    pub(super) ready: bool,
    /// Answered, and there is no such element.
    pub(super) source_gone: bool,
    pub(super) destination_gone: bool,
    pub(super) source: Option<ElementReport>,
    pub(super) destination: Option<ElementReport>,
    pub(super) arm: Option<ElementName>,
    pub(super) trouble: Option<String>,
    pub(super) path: Option<PathFault>,
    /// The library says that it is not ready, and why that will end: by itself, or by a person.
    pub(super) held_up: bool,
    /// A person must come before it is ready; what it said.
    pub(super) person: Option<String>,
}

impl Look {
    /// What was seen, for people.
    pub(super) fn describe(&self, source: ElementName, destination: ElementName) -> String {
        let say = |name: ElementName, report: Option<&ElementReport>| match report {
            None => format!("{name} was not reported"),
            Some(ElementReport { full: false, .. }) => format!("{name} is empty"),
            Some(ElementReport { tag: Some(tag), .. }) => format!("{name} holds {tag}"),
            Some(_) => format!("{name} is full"),
        };
        let mut text =
            format!("{}, {}", say(source, self.source.as_ref()), say(destination, self.destination.as_ref()));
        if let Some(arm) = self.arm {
            text.push_str(&format!(", {arm} holds a cartridge"));
        }
        if let Some(trouble) = &self.trouble {
            text.push_str(", ");
            text.push_str(trouble);
        }
        text
    }
}
