//! Asking for libraries, drives and cartridges to be taken into or out of service.

use autochanger_engine::catalog::Service;
use autochanger_engine::request::{ServiceTarget, Wanted};

use super::{Common, request_builder};
use crate::session::Session;
use crate::session::outcome::Done;

impl Session {
    /// Asks for another service. It passes when the service is there: a pause when nothing moves any more, a drain when nothing is
    /// mounted any more. It goes on when the session is closed. A later change of the same library's or drive's service takes the place
    /// of one that has not come to its end: that one is stopped
    /// ([`CancelledBy::Superseded`](crate::request::CancelledBy::Superseded)), and what it waited for does not happen. Needs
    /// [`Role::Operator`](crate::Role).
    ///
    /// | | library | drive | cartridge |
    /// |---|---|---|---|
    /// | [`Service::Enabled`] | serves | serves | can be mounted |
    /// | [`Service::Paused`] | nothing is begun but inventories and door accesses; what waits goes on waiting | gets no medium | refused |
    /// | [`Service::Draining`] | dismounts go on; when nothing is mounted any more it is paused | is emptied, then paused | refused: drain the drive that it is in |
    /// | [`Service::Disabled`] | what is asked of it is refused, what waits for it fails | gets no medium; what nobody has mounted leaves it | is not mounted; mounts that wait for it fail |
    ///
    /// ```no_run
    /// # async fn example(session: autochanger::Session) -> Result<(), autochanger::Error> {
    /// use autochanger::{ElementAddress, ServiceTarget};
    ///
    /// session.drain(ElementAddress(500)).await?; // a drive, until it is empty
    /// session.disable(ServiceTarget::cartridge("VT0001L8")).await?;
    /// session.pause(ServiceTarget::Library(None)).await?; // the only library
    /// session.resume(ServiceTarget::Library(None)).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "EnableNtmsObject", alias = "DisableNtmsObject")]
    pub fn set_service(&self, target: impl Into<ServiceTarget>, service: Service) -> ServiceBuilder {
        ServiceBuilder { target: target.into(), service, common: Common::new(self, true) }
    }

    /// Asks for a library, drive or cartridge to serve again; see [`set_service`](Self::set_service).
    #[doc(alias = "EnableNtmsObject")]
    pub fn enable(&self, target: impl Into<ServiceTarget>) -> ServiceBuilder {
        self.set_service(target, Service::Enabled)
    }

    /// Asks for a library, drive or cartridge to be taken out of service; see [`set_service`](Self::set_service).
    #[doc(alias = "DisableNtmsObject")]
    pub fn disable(&self, target: impl Into<ServiceTarget>) -> ServiceBuilder {
        self.set_service(target, Service::Disabled)
    }

    /// Asks for nothing new to be begun with a library or drive; see [`set_service`](Self::set_service).
    pub fn pause(&self, target: impl Into<ServiceTarget>) -> ServiceBuilder {
        self.set_service(target, Service::Paused)
    }

    /// Asks for a library or drive to be emptied and paused; see [`set_service`](Self::set_service).
    pub fn drain(&self, target: impl Into<ServiceTarget>) -> ServiceBuilder {
        self.set_service(target, Service::Draining)
    }

    /// As [`enable`](Self::enable), after a [`pause`](Self::pause) or [`drain`](Self::drain).
    pub fn resume(&self, target: impl Into<ServiceTarget>) -> ServiceBuilder {
        self.enable(target)
    }
}

/// A change of service to be asked for; see [`Session::set_service`].
#[derive(Debug, Clone)]
#[must_use = "nothing is asked for until the builder is awaited or submitted"]
pub struct ServiceBuilder {
    target: ServiceTarget,
    service: Service,
    common: Common,
}

impl ServiceBuilder {
    fn wanted(&self) -> Wanted {
        Wanted::SetService { target: self.target.clone(), service: self.service }
    }
}

request_builder!(ServiceBuilder gives Done);
