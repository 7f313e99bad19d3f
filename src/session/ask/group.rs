//! Asking for mounts that are served together or not at all.

use std::future::IntoFuture;
use std::pin::Pin;
use std::time::Duration;

use autochanger_engine::id::{CartridgeId, RequestId};
use autochanger_engine::request::{Access, CancelledBy, CartridgeRef, FailureKind, GroupId, Wanted};
use autochanger_scsi::ElementAddress;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::Common;
use crate::driver::Work;
use crate::error::{RequestError, SessionClosed, SubmitError};
use crate::session::Session;
use crate::session::outcome::Mounted;
use crate::session::ticket::Ticket;

impl Session {
    /// Asks for several cartridges of one library to be mounted together or not at all: all wait until there is a drive for each, so
    /// that two jobs that need two drives each cannot hold one each for ever. When one fails or is cancelled, those that were not
    /// mounted yet end as well.
    ///
    /// ```no_run
    /// # async fn example(session: autochanger::Session) -> Result<(), autochanger::Error> {
    /// use autochanger::GroupMember;
    ///
    /// let tapes = session.mount_all([GroupMember::new("VT0001L8").read_only(), "VT0002L8".into()]).await?;
    /// println!("{} and {} are ready", tapes[0], tapes[1]);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "MountNtmsMedia")]
    pub fn mount_all<M: Into<GroupMember>>(&self, members: impl IntoIterator<Item = M>) -> MountAllBuilder {
        MountAllBuilder {
            members: members.into_iter().map(Into::into).collect(),
            common: Common::new(self, false),
        }
    }
}

/// One mount of a group; see [`Session::mount_all`].
#[derive(Debug, Clone)]
#[must_use = "nothing is asked for until its group is awaited or submitted"]
pub struct GroupMember {
    cartridge: CartridgeRef,
    drive: Option<ElementAddress>,
    access: Access,
    id: Option<RequestId>,
}

impl GroupMember {
    /// A mount of this cartridge, for reading and writing, in any drive that fits.
    pub fn new(cartridge: impl Into<CartridgeRef>) -> Self {
        Self { cartridge: cartridge.into(), drive: None, access: Access::default(), id: None }
    }

    /// In the drive with this element address.
    pub fn drive(mut self, drive: impl Into<ElementAddress>) -> Self {
        self.drive = Some(drive.into());
        self
    }

    /// For reading only.
    pub fn read_only(mut self) -> Self {
        self.access = Access::Read;
        self
    }

    /// The request's id, drawn by the caller (UUID v7): the request can be found by it, also after a crash. Where all members have
    /// one, a group that is handed in again with the same content is answered with what became of the first, and not repeated.
    /// Ids that stand for anything else, or for a part of the group only, are
    /// [`Refusal::IdReused`](crate::Refusal::IdReused).
    pub fn id(mut self, id: impl Into<RequestId>) -> Self {
        self.id = Some(id.into());
        self
    }

    fn wanted(&self) -> Wanted {
        Wanted::Mount { cartridge: self.cartridge.clone(), drive: self.drive, access: self.access }
    }
}

macro_rules! member_from {
    ($($cartridge:ty),+) => {
        $(impl From<$cartridge> for GroupMember {
            fn from(cartridge: $cartridge) -> Self {
                Self::new(cartridge)
            }
        })+
    };
}

member_from!(&str, &String, String, CartridgeId, CartridgeRef);

/// Mounts to be asked for together; see [`Session::mount_all`].
#[derive(Debug, Clone)]
#[must_use = "nothing is asked for until the builder is awaited or submitted"]
pub struct MountAllBuilder {
    members: Vec<GroupMember>,
    common: Common,
}

impl MountAllBuilder {
    /// The priority of each: −15 to 15, 0 unless given; the higher is served first.
    pub fn priority(mut self, priority: i8) -> Self {
        self.common.priority = priority;
        self
    }

    /// They are cancelled when they have not ended within this time of being accepted.
    pub fn deadline(mut self, time: Duration) -> Self {
        self.common.deadline = Some(time);
        self
    }

    /// They live on when their session is closed.
    pub fn detached(mut self) -> Self {
        self.common.detached = true;
        self
    }

    /// Refused where one of the cartridges is in use, or not so many drives are free that each can have one that fits, instead of
    /// waiting. What comes in between ends all of them, one with [`FailureKind::Busy`].
    pub fn at_once(mut self) -> Self {
        self.common.options.at_once = true;
        self
    }

    /// Where one of the cartridges is not in the library, all wait until a person brings it ([`Session::operator_requests`]),
    /// instead of being refused. While one is away none is mounted, and no drive is kept for them. RSM waits unless it is told
    /// not to (`NTMS_MOUNT_ERROR_OFFLINE`).
    #[doc(alias = "NTMS_MOUNT_ERROR_OFFLINE")]
    pub fn wait_for_operator(mut self) -> Self {
        self.common.options.wait_for_operator = true;
        self
    }

    /// Hands the mounts in; a ticket for each, in their order. With the tickets' arrival all are durable.
    ///
    /// # Errors
    /// [`SubmitError`]: one of them, and so all, were refused, or the session is closed. Nothing was kept.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, the future has handed all of them in or none: give them [ids](GroupMember::id) to be able to ask.
    pub async fn submit(self) -> Result<Vec<Ticket<Mounted>>, SubmitError> {
        let Self { members, mut common } = self;
        common.options.group = Some(group_id(&members));
        let submissions: Result<Vec<_>, SessionClosed> =
            members.iter().map(|member| common.submission(member.id, member.wanted())).collect();
        let submissions = submissions?;
        let ids: Vec<RequestId> = submissions.iter().map(|submission| submission.id).collect();
        let (reply, answer) = oneshot::channel();
        common.send(Work::Group { submissions, reply }).await?;
        let standings = answer.await.map_err(|_| SessionClosed)??;
        let session = &common.session;
        Ok(ids.into_iter().zip(standings).map(|(id, one)| Ticket::new(session.clone(), id, one)).collect())
    }

    async fn finish(self) -> Result<Vec<Mounted>, RequestError> {
        let (mut mounted, mut errors) = (Vec::new(), Vec::new());
        for ticket in self.submit().await? {
            match ticket.await {
                Ok(one) => mounted.push(one),
                Err(error) => errors.push(error),
            }
        }
        // The others only followed the one that failed by itself.
        let cause = errors.iter().position(|error| !is_for_the_group(error)).unwrap_or(0);
        if errors.is_empty() { Ok(mounted) } else { Err(errors.swap_remove(cause)) }
    }
}

/// Made of the members' ids where all have one, so that a group that is handed in again is known: the same ids in the same order
/// give the same one, others another one (FNV-1a over their bytes).
fn group_id(members: &[GroupMember]) -> GroupId {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let ids: Option<Vec<Uuid>> = members.iter().map(|member| Some(member.id?.0)).collect();
    let made_of = |ids: Vec<Uuid>| {
        let bytes = ids.iter().flat_map(|id| id.as_bytes());
        let hash = bytes.fold(OFFSET, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME));
        uuid::Builder::from_custom_bytes(hash.to_be_bytes()).into_uuid()
    };
    GroupId(ids.map_or_else(Uuid::now_v7, made_of))
}

fn is_for_the_group(error: &RequestError) -> bool {
    match error {
        RequestError::Failed { failure, .. } => failure.kind == FailureKind::Group,
        RequestError::Cancelled { by, .. } | RequestError::Stopped { by, .. } => {
            matches!(by, CancelledBy::Group { .. })
        }
        _ => false,
    }
}

/// Submits the mounts and waits until all have ended. Where not all passed, the error is that of the one that kept the others from it;
/// a member that was mounted before stays mounted ([`Session::mounts`]).
///
/// # Cancel safety
/// Dropping the future cancels nothing: requests that were accepted go on.
impl IntoFuture for MountAllBuilder {
    type Output = Result<Vec<Mounted>, RequestError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.finish())
    }
}
