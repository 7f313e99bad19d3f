//! Asking what is where, and letting a person in.

use autochanger_engine::id::LibraryId;
use autochanger_engine::request::{AfterDoor, InventoryMethod, Wanted};

use super::{Common, request_builder, with_library};
use crate::session::Session;
use crate::session::outcome::{Done, Inventory};

impl Session {
    /// Asks for the inventory of a library to be read: what changed by hand is known afterwards. It is made as
    /// [`LibraryConfig::inventory_method`](crate::LibraryConfig::inventory_method) says, which is by READ ELEMENT STATUS unless
    /// configured otherwise. It goes on when the session is closed.
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
        InventoryBuilder { library: None, method: None, common: Common::new(self, true) }
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
    method: Option<InventoryMethod>,
    common: Common,
}

impl InventoryBuilder {
    /// Has the library scan itself first (INITIALIZE ELEMENT STATUS). That can take an hour, during which the library
    /// serves no host. Needs [`Role::Operator`](crate::Role).
    pub fn full(self) -> Self {
        self.method(InventoryMethod::Full)
    }

    /// Loads media and reads their labels when it is known what is where: each of which
    /// [nobody has looked at the label](crate::Cartridge::label_read_at) since it came, or
    /// [all](InventoryMethod::AllLabels). Each reading is an identification of the manager's own, a request that can be looked
    /// at and cancelled by itself; a drive is left to others, and what is in use is passed over. A cancel of the inventory
    /// ends the round: what is under way goes on, so that no medium stays in a drive. Needs
    /// [`Role::Operator`](crate::Role), and a way to a drive.
    ///
    /// ```no_run
    /// # async fn example(session: autochanger::Session) -> Result<(), autochanger::Error> {
    /// use autochanger::InventoryMethod;
    ///
    /// let found = session.inventory().method(InventoryMethod::NewLabels).await?;
    /// println!("{:?}", found.labels);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "NTMS_INVENTORY_OMID")]
    pub fn method(mut self, method: InventoryMethod) -> Self {
        self.method = Some(method);
        self
    }

    fn wanted(&self) -> Wanted {
        Wanted::Inventory { library: self.library, method: self.method }
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
