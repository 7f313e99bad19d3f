//! What an act does in the world.

use std::time::Duration;

use autochanger_engine::Input;
use autochanger_engine::catalog::{Caller, Role};
use autochanger_engine::id::{LibraryId, RequestId, SessionId};
use autochanger_engine::input::RestartPolicy;
use autochanger_engine::request::{GroupId, Options, Request, Submission, Wanted};
use autochanger_sim::{Fault, SenseKey};
use uuid::Uuid;

use crate::act::{ARM, Act, Command, FIRST_DRIVE, Handed, Mishap};
use crate::wanted::Ask;
use crate::world::{Store, World};

pub(crate) const TEST_UNIT_READY: u8 = 0x00;
const MOVE_MEDIUM: u8 = 0xA5;
const EXCHANGE_MEDIUM: u8 = 0xA6;
const READ_ELEMENT_STATUS: u8 = 0xB8;

/// The number of the first cartridge that hands put in, and that of the first library's cleaning cartridge.
pub(crate) const FIRST_GUEST: u8 = 100;
pub(crate) const FIRST_CLEANER: u8 = 200;

/// How a label of a story is made: every third cartridge is of the older generation, which all drives can use.
pub(crate) fn label(cartridge: u8) -> String {
    match cartridge {
        FIRST_CLEANER.. => format!("CLN{:03}L1", cartridge - FIRST_CLEANER),
        FIRST_GUEST.. => guest(cartridge - FIRST_GUEST),
        _ if cartridge.is_multiple_of(3) => format!("VT{cartridge:04}L7"),
        _ => format!("VT{cartridge:04}L8"),
    }
}

/// The request id of a number: in the order of age, as UUIDs of version 7 are.
fn request_id(number: u32) -> RequestId {
    RequestId(Uuid::from_u128(0x1000_0000 + u128::from(number)))
}

/// The label of a cartridge that hands put in.
pub(crate) fn guest(number: u8) -> String {
    format!("NW{number:04}L8")
}

/// The label of a cleaning cartridge that hands put in.
pub(crate) fn guest_cleaner(number: u8) -> String {
    format!("CLN1{number:02}L1")
}

/// The serial number of a drive that hands put in.
pub(crate) fn sled(number: u8) -> String {
    format!("SLED{number:04}")
}

/// Whether hands put the cartridge in.
pub(crate) fn is_guest(label: &str) -> bool {
    label.starts_with("NW") || label.starts_with("CLN1")
}

/// Whether a request was handed in by an act: not in calm, not by the manager itself.
pub(crate) fn is_of_story(id: RequestId) -> bool {
    (0x1000_0000..0x2000_0000).contains(&id.0.as_u128())
}

/// The application's name.
pub(crate) fn application(who: u8) -> &'static str {
    match who {
        0 => "backup",
        1 => "archive",
        2 => "restore",
        _ => "operator",
    }
}

/// Two operators' applications, one with the least rights, and an administrator.
fn caller(who: u8) -> Caller {
    let role = match who {
        0 | 1 => Role::Operator,
        2 => Role::Application,
        _ => Role::Administrator,
    };
    let application = application(who);
    Caller { session: SessionId(u64::from(who) + 1), application: application.into(), role }
}

fn submission(handed: Handed, id_given: bool, wanted: Wanted) -> Submission {
    let mut options = Options::default();
    match handed.ask {
        Ask::Mount { at_once, wait, .. } => (options.at_once, options.wait_for_operator) = (at_once, wait),
        Ask::Dismount { deferred, .. } => options.deferred = deferred,
        _ => {}
    }
    // What an application may not ask for it has its operator ask for: a refusal would tell no story.
    let mut caller = caller(handed.who);
    if !caller.role.suffices_for(wanted.needs()) {
        caller.role = wanted.needs();
    }
    Submission {
        id: request_id(handed.number),
        id_given,
        caller,
        wanted,
        priority: handed.priority,
        deadline: handed.deadline.map(|seconds| Duration::from_secs(seconds.into())),
        detached: handed.detached,
        options,
    }
}

impl World {
    /// Lets an act happen.
    pub(crate) fn act(&mut self, act: &Act) {
        self.watch.note(|| format!("-- {act}"));
        match *act {
            Act::Submit(handed) => self.hand_in(handed, false, true),
            Act::Repeat { handed, same } => self.hand_in(handed, true, same),
            Act::Group { all, again } => self.hand_in_group(&all, again),
            Act::Reorder { who, number, position } => {
                let (token, caller, id) = (self.token(), caller(who), request_id(number));
                self.input(Input::Reorder { token, caller, id, position: position.into() });
            }
            Act::Refuse { who, number } => {
                let (token, caller, id) = (self.token(), caller(who), request_id(number));
                self.input(Input::RefuseOperatorTask { token, caller, id });
            }
            Act::Satisfy { who, number } => {
                let (token, caller, id) = (self.token(), caller(who), request_id(number));
                self.input(Input::SatisfyOperatorTask { token, caller, id });
            }
            Act::Cancel { who, number } => {
                let token = self.token();
                self.input(Input::Cancel {
                    token,
                    caller: caller(who),
                    id: request_id(number),
                    reason: None,
                });
            }
            Act::Adopt { who, number } => self.adopt_as(caller(who), request_id(number)),
            Act::CloseSession { who } => {
                let (token, session) = (self.token(), caller(who).session);
                self.input(Input::CloseSession { token, session });
            }
            Act::Mishap { library, mishap } => self.mishap(usize::from(library), mishap),
            Act::Hands { library, hand } => self.hand(usize::from(library), hand),
            Act::PowerLoss { kept, cancel_unfinished } => {
                for _ in 0..kept {
                    if let Some((_, changes)) = self.stalled.pop_front() {
                        self.commit(changes);
                    }
                }
                let policy =
                    if cancel_unfinished { RestartPolicy::CancelUnfinished } else { RestartPolicy::Resume };
                self.crash_with(|config| config.restart = policy);
            }
            Act::ChangedWhileOff { library, hand } => {
                self.off_with(|world| world.touch(library.into(), hand));
            }
            Act::ShutDown(steps) => {
                self.input(Input::Stop);
                for _ in 0..steps {
                    self.step();
                }
                self.crash();
            }
            Act::StoreFails(steps) => {
                self.store = Store::ToFail;
                for _ in 0..steps {
                    self.step();
                }
                self.crash();
            }
            Act::NoLookUps(times) => self.lookups_lost = times,
            Act::OtherOwner(times) => self.claims_refused = times,
            Act::Purge => self.purge(),
            Act::CleanerUses { library, uses } => {
                let cartridge = label(FIRST_CLEANER + library).into();
                let (token, caller) = (self.token(), self.administrator());
                self.input(Input::SetCleanerUses { token, caller, cartridge, uses: uses.map(Into::into) });
            }
            Act::Clock(ahead) => self.wall_ahead = Duration::from_secs(ahead.into()),
            Act::PowerLossAt(failure) => self.power_fails = Some(failure),
            Act::HoldDisk => self.disk_held = true,
            Act::CommitOne => self.release_one(),
            Act::ReleaseDisk => self.release_disk(),
            Act::Pass(steps) => {
                for _ in 0..steps {
                    self.step();
                }
            }
        }
        // Nobody waits for these answers: the checkers have seen them.
        self.answers.clear();
        self.events.clear();
    }

    fn hand_in(&mut self, handed: Handed, given: bool, same: bool) {
        let Some(mut wanted) = self.wanted(handed.ask) else { return };
        if let (
            false,
            Wanted::Mount { cartridge, .. }
            | Wanted::Dismount { cartridge, .. }
            | Wanted::Eject { cartridge, .. }
            | Wanted::Identify { cartridge, .. },
        ) = (same, &mut wanted)
        {
            *cartridge = label(0).into();
        }
        let token = self.token();
        self.input(Input::Submit { token, submission: submission(handed, given, wanted) });
    }

    fn hand_in_group(&mut self, all: &[Option<Handed>], given: bool) {
        let group = all.iter().flatten().next().map(|first| GroupId(request_id(first.number).0));
        let submissions = all.iter().flatten().filter_map(|handed| {
            let mut submission = submission(*handed, given, self.wanted(handed.ask)?);
            submission.options.group = group;
            Some(submission)
        });
        let submissions = submissions.collect();
        let token = self.token();
        self.input(Input::SubmitGroup { token, submissions });
    }

    pub(crate) fn library_id(&self, library: usize) -> Option<LibraryId> {
        self.engine.view().libraries().get(library)?.id
    }

    pub(crate) fn adopt_as(&mut self, caller: Caller, id: RequestId) {
        let token = self.token();
        self.input(Input::Adopt { token, caller, id });
    }

    /// The administrator of the story.
    pub(crate) fn administrator(&self) -> Caller {
        caller(u8::MAX)
    }

    fn mishap(&mut self, library: usize, mishap: Mishap) {
        let motion = |exchange| if exchange { EXCHANGE_MEDIUM } else { MOVE_MEDIUM };
        let seconds = |seconds: u16| Duration::from_secs(seconds.into());
        let drive = |drive: u8| FIRST_DRIVE + u16::from(drive);
        let cleaned: Vec<u16> = match mishap {
            Mishap::Dirty { .. } => self.drives_to_be_cleaned(),
            _ => Vec::new(),
        };
        let Some(device) = self.device.0.get_mut(library) else { return };
        self.mishaps += 1;
        let fault = match mishap {
            Mishap::LostReply { exchange, effect: true } => {
                Fault::lost_reply().on(motion(exchange)).after_effect()
            }
            Mishap::LostReply { exchange, effect: false } => {
                Fault::lost_reply().on(motion(exchange)).without_effect()
            }
            Mishap::Late { exchange, after } => Fault::late_effect(seconds(after)).on(motion(exchange)),
            Mishap::Silence => Fault::silence().on_move(),
            Mishap::NotDelivered { motions: true, times } => {
                Fault::not_delivered().on_move().times(times.into())
            }
            Mishap::NotDelivered { motions: false, times } => Fault::not_delivered().times(times.into()),
            Mishap::Unplugged(time) => Fault::not_delivered().lasting(seconds(time)),
            Mishap::ConnectionLost => Fault::connection_lost().on_move(),
            Mishap::Sense { exchange, key, asc, ascq, times } => {
                Fault::sense(key, asc, ascq).on(motion(exchange)).times(times.into())
            }
            Mishap::NoLooks(times) => {
                Fault::sense(SenseKey::AbortedCommand, 0x44, 0x00).on(READ_ELEMENT_STATUS).times(times.into())
            }
            Mishap::Attention { lun, asc, ascq } => Fault::unit_attention(lun.into(), asc, ascq),
            Mishap::Status { to, status, times } => {
                let opcode = match to {
                    Command::Move => MOVE_MEDIUM,
                    Command::Exchange => EXCHANGE_MEDIUM,
                    Command::Look => READ_ELEMENT_STATUS,
                };
                Fault::status(status).on(opcode).times(times.into())
            }
            Mishap::NeverReady { drive: n, coming } => {
                Fault::sense(SenseKey::NotReady, 0x04, if coming { 0x01 } else { 0x03 })
                    .on(TEST_UNIT_READY)
                    .lun(u16::from(n) + 1)
                    .always()
            }
            Mishap::SilentDrive { drive: n, time } => {
                Fault::not_delivered().lun(u16::from(n) + 1).lasting(seconds(time))
            }
            Mishap::DoorUnderMove => Fault::door_mid_move(),
            Mishap::Door(time) => {
                device.inject(Fault::unit_attention(0, 0x28, 0x00));
                Fault::sense(SenseKey::NotReady, 0x04, 0x01).lun(0).lasting(seconds(time))
            }
            Mishap::StuckInArm => Fault::stuck_in_arm().on_move(),
            Mishap::StuckInDrive(n) => Fault::stuck_in_drive(drive(n)),
            Mishap::DeadDrive(n) => Fault::dead_drive(drive(n)),
            // Whoever is cleaning it would be said to have left it so.
            Mishap::Dirty { drive: n, .. } if cleaned.contains(&drive(n)) => return,
            Mishap::Dirty { drive: n, required } => {
                device.drive_asks_for_cleaning(drive(n), required);
                return;
            }
            Mishap::Repair => {
                device.clear_faults();
                return self.repair(library);
            }
        };
        device.inject(fault);
    }

    /// Their addresses in any library: which is which is not known before it is open.
    fn drives_to_be_cleaned(&self) -> Vec<u16> {
        let live = self.disk.requests.values().filter(|request| !request.state.is_final());
        let drive = |request: &Request| match request.wanted {
            Wanted::CleanDrive { drive, .. } => Some(drive.0),
            _ => None,
        };
        live.filter_map(drive).collect()
    }

    /// Drives and arms of the library work again.
    pub(crate) fn repair(&mut self, library: usize) {
        if let Some(device) = self.device.0.get_mut(library) {
            for drive in 0..device.drive_count() {
                device.repair(FIRST_DRIVE + drive);
                device.drive_was_cleaned(FIRST_DRIVE + drive);
            }
            device.repair(ARM);
        }
    }
}
