//! What a mount and a dismount send to the devices, as it was seen on a library: the second floor sends the same.

use autochanger::scsi::{
    ChangerCommand, LoadUnload, MoveMedium, SenseKey, Status, TapeCommand, TestUnitReady,
};
use autochanger::transport::sim;

use crate::library::Rig;

/// The commands of one mount and of one dismount.
pub(crate) struct Script {
    pub(crate) mount: Vec<Step>,
    pub(crate) dismount: Vec<Step>,
}

/// One command.
#[derive(Clone, Copy)]
pub(crate) struct Step {
    pub(crate) what: What,
    /// It is answered with CHECK CONDITION and a unit attention, 18 bytes of sense data.
    pub(crate) attention: bool,
}

/// The commands that there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum What {
    Move,
    Ready,
    Unload,
}

impl Script {
    /// Has a cartridge mounted and dismounted twice, and looks at the second time, when the drive is no news any more.
    pub(crate) async fn seen_on(rig: &Rig, barcode: &str) -> Self {
        let mut script = Self { mount: Vec::new(), dismount: Vec::new() };
        for _ in 0..2 {
            let begun = rig.library.log().len();
            let tape = rig.session.mount(barcode).drive(500).await.expect("it is mounted");
            let mounted = rig.library.log().len();
            tape.dismount().await.expect("it is dismounted");
            let log = rig.library.log();
            let steps = |part: &[sim::LogEntry]| part.iter().map(Step::of).collect();
            script = Self { mount: steps(&log[begun..mounted]), dismount: steps(&log[mounted..]) };
        }
        script
    }
}

impl Step {
    fn of(entry: &sim::LogEntry) -> Self {
        let what = match entry.opcode() {
            Some(MoveMedium::OPCODE) => What::Move,
            Some(TestUnitReady::OPCODE) => What::Ready,
            Some(LoadUnload::OPCODE) => What::Unload,
            _ => panic!("the second floor does not know this command yet: {entry}"),
        };
        let end = entry.end.expect("it has ended");
        let attention = end.sense.is_some_and(|sense| sense.key == SenseKey::UnitAttention);
        assert_eq!(attention, end.status == Some(Status::CheckCondition), "nothing else goes wrong: {entry}");
        Self { what, attention }
    }

    /// Decodes as the device does to which the command goes.
    pub(crate) fn decode(self, cdb: &[u8]) -> Option<MoveMedium> {
        match self.what {
            What::Move => match ChangerCommand::decode(cdb) {
                Ok(ChangerCommand::MoveMedium(motion)) => Some(motion),
                other => panic!("not a MOVE MEDIUM: {other:?}"),
            },
            What::Ready | What::Unload => {
                let command = TapeCommand::decode(cdb).expect("what was built is understood");
                std::hint::black_box(command);
                None
            }
        }
    }
}
