//! What can happen in a story: typed, so that a failing story can be shrunk and read.

use autochanger_engine::catalog::Service;
use autochanger_sim::SenseKey;

use crate::world::PowerFailure;

/// The first slot and the first drive of every library of a story.
pub(crate) const FIRST_SLOT: u16 = 1000;
pub(crate) const FIRST_DRIVE: u16 = 500;
pub(crate) const FIRST_PORT: u16 = 10;
pub(crate) const ARM: u16 = 1;

/// One act of a story. What it speaks of may not be there any more: then it does nothing, so that acts can be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Somebody hands a request in, under a number of the story.
    Submit(Handed),
    /// The same is handed in once more, or, with another cartridge, something else under its id.
    Repeat {
        /// What.
        handed: Handed,
        /// With the same content.
        same: bool,
    },
    /// Two or three mounts are handed in as a group, which has the number of the first.
    Group {
        /// Its mounts.
        all: [Option<Handed>; 3],
        /// Not for the first time, or with ids that can be handed in again.
        again: bool,
    },
    /// Somebody gives the request of that number another place in the queue.
    Reorder {
        /// Who.
        who: u8,
        /// The request's number.
        number: u32,
        /// Counted from 1.
        position: u8,
    },
    /// Somebody says that what a person is asked for the request of that number will not be done.
    Refuse {
        /// Who.
        who: u8,
        /// The request's number.
        number: u32,
    },
    /// Somebody cancels the request of that number.
    Cancel {
        /// Who.
        who: u8,
        /// The request's number.
        number: u32,
    },
    /// Somebody adopts the mount of that number.
    Adopt {
        /// Who.
        who: u8,
        /// The request's number.
        number: u32,
    },
    /// A session is closed.
    CloseSession {
        /// Whose.
        who: u8,
    },
    /// Something goes wrong in a library.
    Mishap {
        /// Which library.
        library: u8,
        /// What.
        mishap: Mishap,
    },
    /// Hands are in a library.
    Hands {
        /// Which library.
        library: u8,
        /// What they do.
        hand: Hand,
    },
    /// The power goes now; so many of the batches that wait for the disk are on it, the others are lost.
    PowerLoss {
        /// Batches that the disk had kept without saying so.
        kept: u8,
        /// The next manager cancels what is unfinished.
        cancel_unfinished: bool,
    },
    /// The power goes at one of the batches to come.
    PowerLossAt(PowerFailure),
    /// The disk stalls.
    HoldDisk,
    /// The disk commits the oldest batch that waits.
    CommitOne,
    /// The disk goes on.
    ReleaseDisk,
    /// So many steps of time.
    Pass(u8),
}

/// A request of a story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handed {
    /// Its number, from which its id is made.
    pub number: u32,
    /// Who asks.
    pub who: u8,
    /// What is asked.
    pub ask: Ask,
    /// −15..=15.
    pub priority: i8,
    /// Seconds.
    pub deadline: Option<u16>,
    /// The request outlives its session.
    pub detached: bool,
}

/// What is asked. Cartridges are counted through all libraries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// A mount, perhaps in a certain drive.
    Mount {
        /// Which cartridge.
        cartridge: u8,
        /// Which drive, counted from 0.
        drive: Option<u8>,
        /// Only to read.
        read: bool,
        /// Refused rather than made to wait.
        at_once: bool,
        /// A person brings what is not in the library.
        wait: bool,
    },
    /// A dismount, perhaps to a certain slot.
    Dismount {
        /// Which cartridge.
        cartridge: u8,
        /// Which slot, counted from 0.
        slot: Option<u8>,
        /// Whosever it is.
        force: bool,
        /// The medium stays in the drive until the drive is needed.
        deferred: bool,
    },
    /// An inventory.
    Inventory {
        /// Which library.
        library: u8,
        /// After a scan.
        full: bool,
    },
    /// Something is taken into or out of service.
    Service {
        /// What.
        target: Target,
        /// How it is to serve.
        service: Service,
    },
}

/// What is taken into or out of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A library.
    Library(u8),
    /// A drive of a library, counted from 0.
    Drive(u8, u8),
    /// A cartridge.
    Cartridge(u8),
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// The reply of a motion is lost; it takes effect or not.
    LostReply {
        /// Of an exchange.
        exchange: bool,
        /// It takes effect.
        effect: bool,
    },
    /// The reply of a motion is lost, and it takes effect later.
    Late {
        /// Of an exchange.
        exchange: bool,
        /// Seconds after the loss.
        after: u16,
    },
    /// Nothing is ever heard of a motion.
    Silence,
    /// Commands do not reach the device.
    NotDelivered {
        /// Only motions.
        motions: bool,
        /// How many.
        times: u8,
    },
    /// No command reaches the device for so many seconds.
    Unplugged(u16),
    /// The connection ends under a motion.
    ConnectionLost,
    /// A motion is answered with sense data.
    Sense {
        /// Of an exchange.
        exchange: bool,
        /// The sense key.
        key: SenseKey,
        /// The additional sense code.
        asc: u8,
        /// Its qualifier.
        ascq: u8,
        /// How often.
        times: u8,
    },
    /// Looks are answered with ABORTED COMMAND.
    NoLooks(u8),
    /// A unit attention that names a change comes up.
    Attention {
        /// Only of a port.
        port: bool,
    },
    /// The door is open for so many seconds: motions are refused, and an attention follows.
    Door(u16),
    /// The arm picks a cartridge and cannot place it.
    StuckInArm,
    /// The drive does not give its cartridge back.
    StuckInDrive(u8),
    /// The drive is dead.
    DeadDrive(u8),
    /// Drives and arms work again.
    Repair,
}

/// What hands do. Slots are counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hand {
    /// They exchange the contents of two slots.
    Swap(u8, u8),
    /// They take a cartridge out of a slot.
    Take(u8),
    /// They put a new cartridge, with a label of that number, into a slot.
    PutNew(u8, u8),
    /// They put a new cartridge into a port.
    Import(u8),
}
