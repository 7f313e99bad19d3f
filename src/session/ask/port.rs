//! Asking for cartridges to leave and to come in.

use autochanger_engine::id::LibraryId;
use autochanger_engine::request::{CartridgeRef, Wanted};
use autochanger_scsi::ElementAddress;

use super::{Common, request_builder, with_library};
use crate::error::SubmitError;
use crate::session::Session;
use crate::session::outcome::{Ejected, Injected};
use crate::session::ticket::Ticket;

impl Session {
    /// Asks for a cartridge to be put into a port, for a person to take. It goes on when the session is closed.
    /// Needs [`Role::Operator`](crate::Role).
    ///
    /// ```no_run
    /// # async fn example(session: autochanger::Session) -> Result<(), autochanger::Error> {
    /// let out = session.eject("VT0001L8").await?;
    /// println!("take it out of port {:?}", out.port);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "EjectNtmsMedia")]
    pub fn eject(&self, cartridge: impl Into<CartridgeRef>) -> EjectBuilder {
        EjectBuilder { cartridge: cartridge.into(), port: None, common: Common::new(self, true) }
    }

    /// Asks for several cartridges to be put into ports: one request for each, so that each can be cancelled, and each has its end.
    /// Needs [`Role::Operator`](crate::Role).
    #[doc(alias = "BeginNtmsEject")]
    pub fn eject_all<C: Into<CartridgeRef>>(
        &self,
        cartridges: impl IntoIterator<Item = C>,
    ) -> EjectAllBuilder {
        EjectAllBuilder { ejects: cartridges.into_iter().map(|cartridge| self.eject(cartridge)).collect() }
    }

    /// Asks for a cartridge that a person puts into a port to be taken in. It goes on when the session is closed.
    /// Needs [`Role::Operator`](crate::Role).
    ///
    /// ```no_run
    /// # async fn example(session: autochanger::Session) -> Result<(), autochanger::Error> {
    /// let came = session.inject().await?; // waits for a person
    /// println!("{} came", came.cartridges.len());
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "InjectNtmsMedia", alias = "NTMS_INJECT_START")]
    pub fn inject(&self) -> InjectBuilder {
        InjectBuilder { library: None, many: false, common: Common::new(self, true) }
    }

    /// As [`inject`](Self::inject), for all cartridges that come, as many at once as moves may be in flight, until it is cancelled or nothing
    /// more comes.
    ///
    /// Where nothing more comes within [`Timing::port_timeout`](crate::Timing::port_timeout) it passes with the
    /// [cartridges](Injected::cartridges) that came. A cancel stops it; which ones it has taken in by then, and into which slots,
    /// [`motions`](Self::motions) tells:
    ///
    /// ```no_run
    /// # use autochanger::Cancellation;
    /// # async fn example(session: autochanger::Session) -> Result<(), autochanger::Error> {
    /// let ticket = session.inject_many().submit().await?;
    /// // … until the person at the library says that this was all:
    /// if let Cancellation::Stopping(verdict) = session.cancel_library_request(ticket.id()).await? {
    ///     println!("{}", verdict.await?);
    /// }
    /// for motion in session.motions(ticket.id()).await? {
    ///     println!("{} to {}: {}", motion.cartridge, motion.destination, motion.state);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "NTMS_INJECT_STARTMANY")]
    pub fn inject_many(&self) -> InjectBuilder {
        InjectBuilder { library: None, many: true, common: Common::new(self, true) }
    }

    /// Asks for the cleaning cartridge to be put into a port. It goes on when the session is closed.
    /// Needs [`Role::Operator`](crate::Role).
    #[doc(alias = "EjectNtmsCleaner")]
    pub fn eject_cleaner(&self) -> EjectCleanerBuilder {
        EjectCleanerBuilder { library: None, common: Common::new(self, true) }
    }

    /// Asks for a cleaning cartridge to be taken from a port into the slot that is
    /// [reserved](Self::reserve_cleaner_slot) for it. `uses`: how often it can clean; `None`: not counted. It goes on when the
    /// session is closed. Needs [`Role::Operator`](crate::Role).
    #[doc(alias = "InjectNtmsCleaner")]
    pub fn inject_cleaner(&self, uses: impl Into<Option<u32>>) -> InjectCleanerBuilder {
        InjectCleanerBuilder { library: None, uses: uses.into(), common: Common::new(self, true) }
    }
}

/// An eject to be asked for; see [`Session::eject`].
#[derive(Debug, Clone)]
#[must_use = "nothing is asked for until the builder is awaited or submitted"]
pub struct EjectBuilder {
    cartridge: CartridgeRef,
    port: Option<ElementAddress>,
    common: Common,
}

impl EjectBuilder {
    /// To the port with this element address; any empty one unless given.
    pub fn port(mut self, port: impl Into<ElementAddress>) -> Self {
        self.port = Some(port.into());
        self
    }

    fn wanted(&self) -> Wanted {
        Wanted::Eject { cartridge: self.cartridge.clone(), port: self.port }
    }
}

request_builder!(EjectBuilder gives Ejected);

/// Ejects to be asked for; see [`Session::eject_all`].
#[derive(Debug, Clone)]
#[must_use = "nothing is asked for until the builder is submitted"]
pub struct EjectAllBuilder {
    ejects: Vec<EjectBuilder>,
}

impl EjectAllBuilder {
    /// The priority of each; see [`EjectBuilder::priority`].
    pub fn priority(mut self, priority: i8) -> Self {
        self.ejects = self.ejects.into_iter().map(|eject| eject.priority(priority)).collect();
        self
    }

    /// Hands the requests in, one after the other: a ticket for each that was accepted, and the error of each that was not, in their
    /// order. All that were accepted are durable then.
    ///
    /// # Errors
    /// Each for itself, a [`SubmitError`]: it was refused, or the session is closed.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, the future has handed in some of the requests; those that were accepted go on.
    pub async fn submit(self) -> Vec<Result<Ticket<Ejected>, SubmitError>> {
        let mut tickets = Vec::with_capacity(self.ejects.len());
        for eject in self.ejects {
            tickets.push(eject.submit().await);
        }
        tickets
    }
}

/// An inject to be asked for; see [`Session::inject`].
#[derive(Debug, Clone)]
#[must_use = "nothing is asked for until the builder is awaited or submitted"]
pub struct InjectBuilder {
    library: Option<LibraryId>,
    many: bool,
    common: Common,
}

impl InjectBuilder {
    /// Has the label of each cartridge read that comes, by an identification of the manager's own for which the inject does not
    /// wait (RSM queues one for each). Needs a way to a drive.
    #[doc(alias = "NTMS_LM_PROCESSOMID")]
    pub fn identify(mut self) -> Self {
        self.common.options.identify = true;
        self
    }

    fn wanted(&self) -> Wanted {
        Wanted::Inject { library: self.library, many: self.many }
    }
}

request_builder!(InjectBuilder gives Injected);
with_library!(InjectBuilder);

/// An eject of the cleaner to be asked for; see [`Session::eject_cleaner`].
#[derive(Debug, Clone)]
#[must_use = "nothing is asked for until the builder is awaited or submitted"]
pub struct EjectCleanerBuilder {
    library: Option<LibraryId>,
    common: Common,
}

impl EjectCleanerBuilder {
    fn wanted(&self) -> Wanted {
        Wanted::EjectCleaner { library: self.library }
    }
}

request_builder!(EjectCleanerBuilder gives Ejected);
with_library!(EjectCleanerBuilder);

/// An inject of a cleaner to be asked for; see [`Session::inject_cleaner`].
#[derive(Debug, Clone)]
#[must_use = "nothing is asked for until the builder is awaited or submitted"]
pub struct InjectCleanerBuilder {
    library: Option<LibraryId>,
    uses: Option<u32>,
    common: Common,
}

impl InjectCleanerBuilder {
    fn wanted(&self) -> Wanted {
        Wanted::InjectCleaner { library: self.library, uses: self.uses }
    }
}

request_builder!(InjectCleanerBuilder gives Injected);
with_library!(InjectCleanerBuilder);
