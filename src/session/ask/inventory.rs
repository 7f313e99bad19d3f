//! Asking what is where, and letting a person in.

use autochanger_engine::id::LibraryId;
use autochanger_engine::request::{AfterDoor, Wanted};

use super::{Common, request_builder, with_library};
use crate::session::Session;
use crate::session::outcome::{Done, Inventory};

impl Session {
    /// Asks for the inventory of a library to be read (READ ELEMENT STATUS): what changed by hand is known afterwards.
    /// It goes on when the session is closed.
    ///
    /// ```no_run
    /// # async fn example(session: autochanger::Session) -> Result<(), autochanger::Error> {
    /// let found = session.inventory().await?;
    /// println!("{} cartridges, {} of them new, {} missing", found.cartridges, found.appeared, found.missing);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "InventoryNtmsLibrary")]
    pub fn inventory(&self) -> InventoryBuilder {
        InventoryBuilder { library: None, full: false, common: Common::new(self, true) }
    }

    /// Asks for the door to be unlocked, and waits until it was opened and closed again. It goes on when the session is closed.
    /// Needs [`Role::Operator`](crate::Role).
    #[doc(alias = "AccessNtmsLibraryDoor")]
    pub fn door_access(&self) -> DoorAccessBuilder {
        DoorAccessBuilder { library: None, then: AfterDoor::default(), common: Common::new(self, true) }
    }
}

/// An inventory to be asked for; see [`Session::inventory`].
#[derive(Debug, Clone)]
#[must_use = "nothing is asked for until the builder is awaited or submitted"]
pub struct InventoryBuilder {
    library: Option<LibraryId>,
    full: bool,
    common: Common,
}

impl InventoryBuilder {
    /// Has the library scan itself first (INITIALIZE ELEMENT STATUS). That can take an hour, during which the library
    /// serves no host. Needs [`Role::Operator`](crate::Role).
    pub fn full(mut self) -> Self {
        self.full = true;
        self
    }

    fn wanted(&self) -> Wanted {
        Wanted::Inventory { library: self.library, full: self.full }
    }
}

request_builder!(InventoryBuilder gives Inventory);
with_library!(InventoryBuilder);

/// An opening of the door to be asked for; see [`Session::door_access`].
#[derive(Debug, Clone)]
#[must_use = "nothing is asked for until the builder is awaited or submitted"]
pub struct DoorAccessBuilder {
    library: Option<LibraryId>,
    then: AfterDoor,
    common: Common,
}

impl DoorAccessBuilder {
    /// What follows when the door is closed; an inventory unless given.
    pub fn then(mut self, then: AfterDoor) -> Self {
        self.then = then;
        self
    }

    fn wanted(&self) -> Wanted {
        Wanted::DoorAccess { library: self.library, then: self.then }
    }
}

request_builder!(DoorAccessBuilder gives Done);
with_library!(DoorAccessBuilder);
