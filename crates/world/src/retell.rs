//! A story in plain sentences, for whoever reads why it failed.

use std::fmt;

use crate::act::{Act, Command, FIRST_DRIVE, FIRST_PORT, FIRST_SLOT, Hand, Handed, Mishap};
use crate::perform::{application, guest, guest_cleaner, label, sled};
use crate::story::{Shape, Story};
use crate::wanted::{Ask, Target};

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let setup = &self.setup;
        write!(
            f,
            "The story of seed {}. {} requests can be live, and {} cancels wait.",
            self.seed, setup.max_live_requests, setup.max_pending_cancels
        )?;
        for (n, shape) in setup.libraries.iter().enumerate() {
            write!(f, "\n  Library {n} has {shape}")?;
        }
        self.acts.iter().try_for_each(|act| write!(f, "\n  - {act}"))
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { drives, slots, cartridges, ports, moves_in_flight, .. } = self;
        write!(
            f,
            "{drives} drives, {slots} slots, {cartridges} cartridges, {ports} ports, {moves_in_flight} arms"
        )?;
        let told: [(bool, &str); 7] = [
            (self.mixed, "its first drive is of the older generation"),
            (self.slow, "each command takes a second"),
            (self.exchange, "EXCHANGE MEDIUM is allowed"),
            (!self.unload_before_move, "drives are not unloaded before a move"),
            (self.lock_ports, "its ports are kept locked"),
            (!self.auto_clean, "drives are not cleaned unasked"),
            (self.verify, "mounts read labels"),
        ];
        told.iter().filter(|(so, _)| *so).try_for_each(|(_, what)| write!(f, "; {what}"))?;
        if let Some(uses) = self.cleaner {
            write!(f, "; there is a cleaning cartridge for {uses} cleanings")?;
        }
        if self.dwell > 0 {
            write!(f, "; what is put off stays for {} s", self.dwell)?;
        }
        f.write_str(".")
    }
}

/// Somebody asks for something.
impl fmt::Display for Handed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, who, ask, priority, deadline, detached } = self;
        write!(f, "{} asks (request {number}) for {ask}", application(*who))?;
        if *priority != 0 {
            write!(f, ", priority {priority}")?;
        }
        if let Some(deadline) = deadline {
            write!(f, ", within {deadline} s")?;
        }
        if *detached { f.write_str(", whatever becomes of the session") } else { Ok(()) }
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slot = |n: u8| FIRST_SLOT + u16::from(n);
        match *self {
            Self::Mount { cartridge, drive, read, at_once, wait } => {
                write!(f, "a mount of {}", label(cartridge))?;
                if let Some(drive) = drive {
                    write!(f, " in drive {}", FIRST_DRIVE + u16::from(drive))?;
                }
                let told = [
                    (read, " to read"),
                    (at_once, ", at once or never"),
                    (wait, ", brought by a person if need be"),
                ];
                told.iter().filter(|(so, _)| *so).try_for_each(|(_, what)| f.write_str(what))
            }
            Self::Dismount { cartridge, slot: to, force, deferred } => {
                write!(f, "a dismount of {}", label(cartridge))?;
                if let Some(to) = to {
                    write!(f, " to slot {}", slot(to))?;
                }
                let told = [(force, ", by force"), (deferred, ", put off until the drive is needed")];
                told.iter().filter(|(so, _)| *so).try_for_each(|(_, what)| f.write_str(what))
            }
            Self::Inventory { library, method: Some(method) } => {
                write!(f, "an inventory of library {library} ({method})")
            }
            Self::Inventory { library, method: None } => {
                write!(f, "an inventory of library {library} as configured")
            }
            Self::Service { target, service } => {
                f.write_str("a change of service: ")?;
                match target {
                    Target::Library(library) => write!(f, "library {library}")?,
                    Target::Drive(library, drive) => {
                        write!(f, "drive {} of library {library}", FIRST_DRIVE + u16::from(drive))?;
                    }
                    Target::Cartridge(cartridge) => write!(f, "cartridge {}", label(cartridge))?,
                }
                write!(f, " is to be {service}")
            }
            Self::DoorAccess { library, then } => write!(f, "the door of library {library}, then {then:?}"),
            Self::Eject { cartridge, port: None } => write!(f, "an eject of {}", label(cartridge)),
            Self::Eject { cartridge, port: Some(port) } => {
                write!(f, "an eject of {} to port {}", label(cartridge), FIRST_PORT + u16::from(port))
            }
            Self::Inject { library, many: false } => write!(f, "an inject into library {library}"),
            Self::Inject { library, many: true } => {
                write!(f, "an inject of all that come into library {library}")
            }
            Self::EjectCleaner { library } => write!(f, "an eject of the cleaner of library {library}"),
            Self::InjectCleaner { library, uses: None } => {
                write!(f, "an inject of a cleaner into library {library}")
            }
            Self::InjectCleaner { library, uses: Some(uses) } => {
                write!(f, "an inject of a cleaner for {uses} cleanings into library {library}")
            }
            Self::ReserveCleanerSlot { library, slot: n } => {
                write!(f, "slot {} of library {library} to be the cleaner's", slot(n))
            }
            Self::ReleaseCleanerSlot { library } => {
                write!(f, "the cleaner's slot of library {library} to be given back")
            }
            Self::CleanDrive { library, drive } => {
                write!(f, "drive {} of library {library} to be cleaned", FIRST_DRIVE + u16::from(drive))
            }
            Self::Identify { cartridge, keep } => {
                let stays = if keep { ", which stays in the drive" } else { "" };
                write!(f, "the label of {}{stays}", label(cartridge))
            }
            Self::WriteFreeLabel { cartridge, overwrite } => {
                let what = if overwrite { ", whatever is on it" } else { "" };
                write!(f, "the label of a free medium on {}{what}", label(cartridge))
            }
            Self::UpdateLabel { cartridge, number } => {
                write!(f, "label {number} to be recorded of {}", label(cartridge))
            }
            Self::Classify { cartridge } => write!(f, "what {} is for", label(cartridge)),
        }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Submit(handed) => write!(f, "{handed}."),
            Self::Repeat { handed, same: true } => write!(f, "Once more, {handed}."),
            Self::Repeat { handed, same: false } => {
                write!(f, "Under the same id, but of another cartridge, {handed}.")
            }
            Self::Group { all, again } => {
                f.write_str(if *again { "Perhaps once more, as one group:" } else { "As one group:" })?;
                all.iter().flatten().try_for_each(|handed| write!(f, " {handed}."))
            }
            Self::Reorder { who, number, position } => {
                write!(f, "{} puts request {number} to place {position}.", application(*who))
            }
            Self::Refuse { who, number } => {
                write!(f, "{} refuses what a person is asked for request {number}.", application(*who))
            }
            Self::Satisfy { who, number } => {
                write!(
                    f,
                    "{} says that what a person is asked for request {number} is done.",
                    application(*who)
                )
            }
            Self::Cancel { who, number } => write!(f, "{} cancels request {number}.", application(*who)),
            Self::Adopt { who, number } => write!(f, "{} adopts request {number}.", application(*who)),
            Self::CloseSession { who } => write!(f, "The session of {} is closed.", application(*who)),
            Self::Mishap { library, mishap } => write!(f, "In library {library} {mishap}."),
            Self::Hands { library, hand } => write!(f, "At library {library} hands {hand}."),
            Self::PowerLoss { kept, cancel_unfinished } => {
                let then = if *cancel_unfinished { "cancels what is unfinished" } else { "goes on" };
                write!(
                    f,
                    "The power goes; {kept} batches were on the disk unsaid, and the next manager {then}."
                )
            }
            Self::ChangedWhileOff { library, hand } => {
                write!(f, "The power goes, hands {hand} at library {library}, and it comes back.")
            }
            Self::ShutDown(steps) => {
                write!(f, "The manager is shut down, and started again after {steps} steps.")
            }
            Self::StoreFails(steps) => {
                write!(f, "The disk fails; the manager is started again after {steps} steps.")
            }
            Self::NoLookUps(times) => write!(f, "The disk does not answer the next {times} questions."),
            Self::OtherOwner(times) => write!(f, "The next {times} times a library is another manager's."),
            Self::Purge => f.write_str("What has ended is deleted."),
            Self::Clock(ahead) => write!(f, "The wall clock is {ahead} s ahead."),
            Self::PowerLossAt(failure) => {
                let kept = if failure.kept { "on" } else { "not on" };
                write!(
                    f,
                    "The power will go {} batches from now, the last of them {kept} the disk.",
                    failure.batch
                )
            }
            Self::CleanerUses { library, uses } => {
                write!(f, "An administrator says of the cleaner of library {library}: ")?;
                match uses {
                    Some(uses) => write!(f, "it can be used {uses} times yet."),
                    None => f.write_str("its uses are not counted."),
                }
            }
            Self::HoldDisk => f.write_str("The disk stalls."),
            Self::CommitOne => f.write_str("The disk commits one batch."),
            Self::ReleaseDisk => f.write_str("The disk goes on."),
            Self::Pass(steps) => write!(f, "Time goes on by {steps} steps."),
        }
    }
}

impl fmt::Display for Mishap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let motion = |exchange| if exchange { "exchange" } else { "move" };
        let drive = |n: u8| FIRST_DRIVE + u16::from(n);
        match *self {
            Self::LostReply { exchange, effect: true } => {
                write!(f, "the next {} happens, and its reply is lost", motion(exchange))
            }
            Self::LostReply { exchange, effect: false } => {
                write!(f, "the next {} does not happen, and its reply is lost", motion(exchange))
            }
            Self::Late { exchange, after } => {
                write!(
                    f,
                    "the reply to the next {} is lost, and it happens {after} s later",
                    motion(exchange)
                )
            }
            Self::Silence => f.write_str("nothing is heard of the next move"),
            Self::NotDelivered { motions, times } => {
                let what = if motions { "moves" } else { "commands" };
                write!(f, "the next {times} {what} do not reach the device")
            }
            Self::Unplugged(time) => write!(f, "no command reaches a device for {time} s"),
            Self::ConnectionLost => f.write_str("the connection ends under the next move"),
            Self::Sense { exchange, key, asc, ascq, times } => write!(
                f,
                "the next {times} times an {} is answered {key:?} {asc:02X}/{ascq:02X}",
                if exchange { "EXCHANGE MEDIUM" } else { "attempt to move" }
            ),
            Self::NoLooks(times) => write!(f, "the next {times} looks are aborted"),
            Self::Attention { lun, asc, ascq } => {
                write!(f, "unit {lun} raises the unit attention {asc:02X}/{ascq:02X}")
            }
            Self::Status { to, status, times } => {
                let what = match to {
                    Command::Move => "moves",
                    Command::Exchange => "exchanges",
                    Command::Look => "looks",
                };
                write!(f, "the next {times} {what} are answered {status:?}")
            }
            Self::NeverReady { drive: n, coming } => {
                let how = if coming { "is coming ready" } else { "needs a person" };
                write!(f, "drive {} says for ever that it {how}", drive(n))
            }
            Self::SilentDrive { drive: n, time } => {
                write!(f, "drive {} cannot be reached for {time} s", drive(n))
            }
            Self::DoorUnderMove => f.write_str("the door is opened under the next move"),
            Self::Door(time) => write!(f, "the door is open for {time} s"),
            Self::StuckInArm => f.write_str("the next cartridge stays in the arm"),
            Self::StuckInDrive(n) => write!(f, "drive {} keeps its cartridge", drive(n)),
            Self::DeadDrive(n) => write!(f, "drive {} is dead", drive(n)),
            Self::Dirty { drive: n, required } => {
                write!(f, "drive {} {} to be cleaned", drive(n), if required { "has" } else { "would like" })
            }
            Self::Repair => f.write_str("everything works again"),
        }
    }
}

impl fmt::Display for Hand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slot = |n: u8| FIRST_SLOT + u16::from(n);
        let drive = |n: u8| FIRST_DRIVE + u16::from(n);
        match *self {
            Self::Swap(one, other) => {
                write!(f, "exchange what is in the slots {} and {}", slot(one), slot(other))
            }
            Self::Take(from) => write!(f, "take a cartridge out of slot {}", slot(from)),
            Self::PutNew(n, to) => write!(f, "put {} into slot {}", guest(n), slot(to)),
            Self::Import(n) => write!(f, "put {} into port {FIRST_PORT}", guest(n)),
            Self::ImportCleaner(n) => write!(f, "put {} into port {FIRST_PORT}", guest_cleaner(n)),
            Self::PutBack(to) => write!(f, "put what was taken last into slot {}", slot(to)),
            Self::BringBack => write!(f, "put what was taken last into port {FIRST_PORT}"),
            Self::EmptyPorts => f.write_str("empty the ports and shut them"),
            Self::OpenDoor => f.write_str("open the door"),
            Self::CloseDoor => f.write_str("close the door"),
            Self::PressEject(n) => write!(f, "press the button of drive {}", drive(n)),
            Self::SwapSleds(one, other) => {
                write!(f, "let the drives {} and {} change their bays", drive(one), drive(other))
            }
            Self::ReplaceSled(n, number) => {
                write!(f, "put drive {} in the place of {}", sled(number), drive(n))
            }
            Self::Oblige(n) => write!(f, "do what is asked of a person first (with {} if need be)", guest(n)),
        }
    }
}
