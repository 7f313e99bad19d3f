//! What can happen in a story: typed, so that a failing story can be shrunk and read.

use autochanger_sim::{SenseKey, Status};

use crate::wanted::Ask;
use crate::world::PowerFailure;

/// The first elements of every library of a story.
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
    /// Somebody says that what a person is asked for the request of that number is done.
    Satisfy {
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
    /// The power goes, hands are in a library while it is off, and it comes back.
    ChangedWhileOff {
        /// Which library.
        library: u8,
        /// What they do.
        hand: Hand,
    },
    /// The manager is shut down, and started again after so many steps.
    ShutDown(u8),
    /// The next batch cannot be committed, nor any after it; the manager is started again after so many steps.
    StoreFails(u8),
    /// So many questions to the store are not answered.
    NoLookUps(u8),
    /// Another manager has the libraries for so many attempts to take one.
    OtherOwner(u8),
    /// Requests that have ended are deleted from the store.
    Purge,
    /// An administrator says how often a cleaning cartridge can be used yet.
    CleanerUses {
        /// Of which library.
        library: u8,
        /// `None`: it is not counted.
        uses: Option<u8>,
    },
    /// The wall clock is so many seconds ahead from now on.
    Clock(u32),
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
    /// A unit attention comes up.
    Attention {
        /// Of the changer (0), or of a drive, counted from 1.
        lun: u8,
        /// The additional sense code.
        asc: u8,
        /// Its qualifier.
        ascq: u8,
    },
    /// Motions, or looks, are answered with a bare status.
    Status {
        /// Of which command.
        to: Command,
        /// Which status.
        status: Status,
        /// How often.
        times: u8,
    },
    /// The drive says for ever that it is not ready.
    NeverReady {
        /// Which drive.
        drive: u8,
        /// It says that it is coming ready; else that somebody must look.
        coming: bool,
    },
    /// No command reaches the drive for so many seconds.
    SilentDrive {
        /// Which drive.
        drive: u8,
        /// Seconds.
        time: u16,
    },
    /// Somebody opens the door while the arm carries a cartridge.
    DoorUnderMove,
    /// The door is open for so many seconds: motions are refused, and an attention follows.
    Door(u16),
    /// The arm picks a cartridge and cannot place it.
    StuckInArm,
    /// The drive does not give its cartridge back.
    StuckInDrive(u8),
    /// The drive is dead.
    DeadDrive(u8),
    /// The drive asks to be cleaned.
    Dirty {
        /// Which drive.
        drive: u8,
        /// It must be.
        required: bool,
    },
    /// Drives and arms work again.
    Repair,
}

/// To which commands a bare status is answered. RESERVATION CONFLICT is only drawn for motions: at an opening a library is
/// another's with it, and stays so until somebody gives it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// MOVE MEDIUM.
    Move,
    /// EXCHANGE MEDIUM.
    Exchange,
    /// READ ELEMENT STATUS.
    Look,
}

/// What hands do. Slots, ports and drives are counted from 0.
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
    /// They put a new cleaning cartridge into a port.
    ImportCleaner(u8),
    /// They put what was taken out of the library last into a slot.
    PutBack(u8),
    /// They put what was taken out of the library last into a port.
    BringBack,
    /// They take what lies in the ports, and shut them.
    EmptyPorts,
    /// They open the door.
    OpenDoor,
    /// They close the door.
    CloseDoor,
    /// They press a drive's eject button.
    PressEject(u8),
    /// They let two drives change their bays, each with what is in it and whatever it does.
    SwapSleds(u8, u8),
    /// They pull a drive out with what is in it, and put an empty one in its place, whose serial number has that number.
    ReplaceSled(u8, u8),
    /// They do what a person is asked first, where that takes something new with that number.
    Oblige(u8),
}
