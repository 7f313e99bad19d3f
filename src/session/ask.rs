//! Asking for something: a builder per operation. Await it to submit and wait in one, or submit it for a ticket.

use std::future::IntoFuture;
use std::pin::Pin;
use std::time::Duration;

use autochanger_engine::id::{LibraryId, RequestId};
use autochanger_engine::request::{Access, CartridgeRef, Options, Submission, Wanted};
use autochanger_scsi::ElementAddress;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::Session;
use super::outcome::{Dismounted, Inventory, Mounted};
use super::ticket::Ticket;
use crate::driver::{Standing, Submit};
use crate::error::{RequestError, SessionClosed, SubmitError};

impl Session {
    /// Asks for a cartridge to be put into a drive; it passes when the drive is ready.
    ///
    /// ```no_run
    /// # async fn example(session: autochanger::Session) -> Result<(), autochanger::Error> {
    /// let tape = session.mount("VT0001L8").read_only().await?;
    /// println!("{} is in drive {}", tape.barcode(), tape.drive());
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "MountNtmsMedia")]
    pub fn mount(&self, cartridge: impl Into<CartridgeRef>) -> MountBuilder {
        MountBuilder {
            cartridge: cartridge.into(),
            drive: None,
            access: Access::default(),
            common: Common::new(self, false),
        }
    }

    /// Asks for a cartridge to be taken out of its drive and put into a slot: the one it came from, unless the builder
    /// says otherwise. It goes on when the session is closed.
    #[doc(alias = "DismountNtmsMedia")]
    pub fn dismount(&self, cartridge: impl Into<CartridgeRef>) -> DismountBuilder {
        DismountBuilder {
            cartridge: cartridge.into(),
            slot: None,
            force: false,
            common: Common::new(self, true),
        }
    }

    /// Asks for the inventory of a library to be read (READ ELEMENT STATUS): what changed by hand is known afterwards.
    /// It goes on when the session is closed.
    #[doc(alias = "InventoryNtmsLibrary")]
    pub fn inventory(&self) -> InventoryBuilder {
        InventoryBuilder { library: None, full: false, common: Common::new(self, true) }
    }
}

/// What every request can be told.
#[derive(Debug, Clone)]
struct Common {
    session: Session,
    id: Option<RequestId>,
    priority: i8,
    deadline: Option<Duration>,
    detached: bool,
    options: Options,
}

impl Common {
    fn new(session: &Session, detached: bool) -> Self {
        Self {
            session: session.clone(),
            id: None,
            priority: 0,
            deadline: None,
            detached,
            options: Options::default(),
        }
    }

    async fn submit(self, wanted: Wanted) -> Result<(Session, RequestId, Standing), SubmitError> {
        let caller = self.session.caller()?.clone();
        let id = self.id.unwrap_or_else(|| RequestId(Uuid::now_v7()));
        let submission = Submission {
            id,
            id_given: self.id.is_some(),
            caller,
            wanted,
            priority: self.priority,
            deadline: self.deadline,
            detached: self.detached,
            options: self.options,
        };
        let permit = self.session.shared().lanes.submissions.reserve().await.map_err(|_| SessionClosed)?;
        let (reply, answer) = oneshot::channel();
        permit.send(Submit { submission, closed: self.session.inner.closed.clone(), reply });
        let standing = answer.await.map_err(|_| SessionClosed)??;
        Ok((self.session, id, standing))
    }
}

macro_rules! request_builder {
    ($name:ident gives $outcome:ident) => {
        impl $name {
            /// The request's place in the queue among its like: −15 to 15, 0 unless given; the higher is served first.
            /// Out of range it is [refused](crate::Refusal::PriorityOutOfRange).
            pub fn priority(mut self, priority: i8) -> Self {
                self.common.priority = priority;
                self
            }

            /// The request is cancelled when it has not ended within this time of being accepted; it is stopped where
            /// it has begun.
            pub fn deadline(mut self, time: Duration) -> Self {
                self.common.deadline = Some(time);
                self
            }

            /// The request's id, drawn by the caller (UUID v7): handing the same request in again, also after a crash,
            /// is answered and not repeated. Another request of that id is [refused](crate::Refusal::IdReused).
            pub fn id(mut self, id: impl Into<RequestId>) -> Self {
                self.common.id = Some(id.into());
                self
            }

            /// Hands the request in. With the ticket's arrival the request is durable.
            ///
            /// # Errors
            /// [`SubmitError`]: it was refused, or the session is closed. Nothing was kept of it.
            ///
            /// # Cancel safety
            /// Dropped before it is ready, the future has handed the request in or not: give it an [id](Self::id) to
            /// be able to ask again. An accepted request goes on without its ticket.
            pub async fn submit(self) -> Result<Ticket<$outcome>, SubmitError> {
                let wanted = self.wanted();
                let (session, id, standing) = self.common.submit(wanted).await?;
                Ok(Ticket::new(session, id, standing))
            }
        }

        /// Submits the request and waits for its end.
        ///
        /// # Cancel safety
        /// Dropping the future cancels nothing: a request that was accepted goes on.
        impl IntoFuture for $name {
            type Output = Result<$outcome, RequestError>;
            type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

            fn into_future(self) -> Self::IntoFuture {
                Box::pin(async move { self.submit().await?.wait().await })
            }
        }
    };
}

/// A mount to be asked for; see [`Session::mount`].
#[derive(Debug, Clone)]
#[must_use = "nothing is asked for until the builder is awaited or submitted"]
pub struct MountBuilder {
    cartridge: CartridgeRef,
    drive: Option<ElementAddress>,
    access: Access,
    common: Common,
}

impl MountBuilder {
    /// In the drive with this element address; any that fits unless given.
    pub fn drive(mut self, drive: impl Into<ElementAddress>) -> Self {
        self.drive = Some(drive.into());
        self
    }

    /// For reading only: also drives that read the medium's generation and do not write it will do.
    pub fn read_only(mut self) -> Self {
        self.access = Access::Read;
        self
    }

    /// For reading and writing, which is the default.
    pub fn read_write(mut self) -> Self {
        self.access = Access::ReadWrite;
        self
    }

    /// The request lives on when its session is closed.
    pub fn detached(mut self) -> Self {
        self.common.detached = true;
        self
    }

    fn wanted(&self) -> Wanted {
        Wanted::Mount { cartridge: self.cartridge.clone(), drive: self.drive, access: self.access }
    }
}

request_builder!(MountBuilder gives Mounted);

/// A dismount to be asked for; see [`Session::dismount`].
#[derive(Debug, Clone)]
#[must_use = "nothing is asked for until the builder is awaited or submitted"]
pub struct DismountBuilder {
    cartridge: CartridgeRef,
    slot: Option<ElementAddress>,
    force: bool,
    common: Common,
}

impl DismountBuilder {
    /// To the slot with this element address.
    pub fn to(mut self, slot: impl Into<ElementAddress>) -> Self {
        self.slot = Some(slot.into());
        self
    }

    /// Although the drive holds the medium (PREVENT MEDIUM REMOVAL), or, with [`Role::Administrator`](crate::Role), although
    /// another application has it mounted.
    pub fn force(mut self) -> Self {
        self.force = true;
        self
    }

    fn wanted(&self) -> Wanted {
        Wanted::Dismount { cartridge: self.cartridge.clone(), slot: self.slot, force: self.force }
    }
}

request_builder!(DismountBuilder gives Dismounted);

/// An inventory to be asked for; see [`Session::inventory`].
#[derive(Debug, Clone)]
#[must_use = "nothing is asked for until the builder is awaited or submitted"]
pub struct InventoryBuilder {
    library: Option<LibraryId>,
    full: bool,
    common: Common,
}

impl InventoryBuilder {
    /// Of this library; not needed where there is one only.
    pub fn library(mut self, library: LibraryId) -> Self {
        self.library = Some(library);
        self
    }

    /// Has the library scan itself first (INITIALIZE ELEMENT STATUS). That can take an hour, during which the library
    /// serves no host.
    pub fn full(mut self) -> Self {
        self.full = true;
        self
    }

    fn wanted(&self) -> Wanted {
        Wanted::Inventory { library: self.library, full: self.full }
    }
}

request_builder!(InventoryBuilder gives Inventory);
