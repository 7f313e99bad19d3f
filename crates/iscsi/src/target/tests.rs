use super::*;
use crate::chap::{Chap, MutualChap, Secret};
use crate::digest::DigestPolicy;
use crate::initiator::{
    self, Ended, Event, Failure, Initiator, ManagementFunction, ManagementResponse, Request, Residual,
};
use crate::login::{LoginConfig, LoginError};
use crate::pdu::{LoginResponse, NopOut, Pdu, ScsiCommand};
use crate::text::Pairs;

mod data;
mod logins;
mod order;
mod talk;

const NAME: &str = "iqn.2026-01.test:library";

fn seed() -> SessionSeed {
    SessionSeed { challenge: [9; 16], tsih: 77, portal: "127.0.0.1:3260".into() }
}

fn login(target: Option<&str>, authentication: Option<Chap>) -> LoginConfig {
    LoginConfig {
        initiator: "iqn.2026-01.test:me".into(),
        target: target.map(str::to_owned),
        isid: [0x80, 0, 0, 0, 0, 1],
        authentication,
        digests: DigestPolicy::Accept,
    }
}

/// Both sides, with a wire between them.
struct Wire {
    initiator: Initiator,
    target: Target,
    seen: Vec<Event>,
    asked: Vec<TargetEvent>,
}

impl Wire {
    fn new(login: LoginConfig, config: TargetConfig) -> Self {
        let mut wire = Self {
            initiator: Initiator::new(login),
            target: Target::new(config, seed()),
            seen: Vec::new(),
            asked: Vec::new(),
        };
        wire.carry();
        wire
    }

    fn open() -> Self {
        Self::with(TargetConfig::new(NAME))
    }

    fn with(config: TargetConfig) -> Self {
        let mut wire = Self::new(login(Some(NAME), None), config);
        assert_eq!(wire.seen(), [Event::LoggedIn]);
        let [TargetEvent::LoggedIn(admitted)] = &wire.asked()[..] else { panic!("no login") };
        assert_eq!(admitted.initiator, "iqn.2026-01.test:me");
        wire
    }

    /// Carries everything that waits, both ways, until nothing is left.
    fn carry(&mut self) {
        loop {
            let mut moved = false;
            while let Some(bytes) = self.initiator.poll_transmit() {
                self.target.received(&bytes);
                moved = true;
            }
            while let Some(bytes) = self.target.poll_transmit() {
                self.initiator.received(&bytes);
                moved = true;
            }
            self.seen.extend(std::iter::from_fn(|| self.initiator.poll_event()));
            self.asked.extend(std::iter::from_fn(|| self.target.poll_event()));
            if !moved {
                return;
            }
        }
    }

    fn seen(&mut self) -> Vec<Event> {
        self.carry();
        std::mem::take(&mut self.seen)
    }

    fn asked(&mut self) -> Vec<TargetEvent> {
        self.carry();
        std::mem::take(&mut self.asked)
    }

    fn submit(&mut self, request: Request) -> initiator::Tag {
        self.initiator.submit(request).expect("room in the window")
    }

    /// The one command that waits at the target.
    fn command(&mut self) -> (TaskTag, TargetCommand) {
        match &self.asked()[..] {
            [TargetEvent::Command { task, command }] => (*task, command.clone()),
            other => panic!("not one command but {other:?}"),
        }
    }

    fn good(&mut self, task: TaskTag, data: Vec<u8>) {
        self.target.answer(task, TargetAnswer { data: data.into(), ..TargetAnswer::default() });
        self.carry();
    }
}

fn reading(lun: u16, data_in: u32) -> Request {
    Request { lun, cdb: [0x12; 16], data_out: Bytes::new(), data_in }
}

fn writing(length: usize) -> Request {
    Request { data_out: (0..length).map(|index| (index * 7) as u8).collect(), ..reading(2, 0) }
}

fn chap(user: &str, secret: &str, own: Option<(&str, &str)>) -> Option<Chap> {
    let mutual = own.map(|(user, secret)| MutualChap {
        user: user.into(),
        secret: Secret::new(secret),
        challenge: [3; 16],
    });
    Some(Chap { user: user.into(), secret: Secret::new(secret), mutual })
}

fn guarded() -> TargetConfig {
    let authentication = TargetChap {
        user: "backup".into(),
        secret: Secret::new("open sesame"),
        own: Some(("library".into(), Secret::new("who is there"))),
    };
    TargetConfig { authentication: Some(authentication), ..TargetConfig::new(NAME) }
}
