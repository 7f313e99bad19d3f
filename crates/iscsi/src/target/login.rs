//! The login as a target sees it (RFC 7143 section 6.3).

use bytes::{Bytes, BytesMut};

use super::config::{Admitted, LoginRefusal, SessionSeed, TargetChap, TargetConfig};
use super::parameters::Parameters;
use crate::chap;
use crate::login::{FULL_FEATURE, OPERATIONAL, Once, SECURITY};
use crate::pdu::{LoginRequest, LoginResponse};
use crate::text::{MAX_TEXT, Pairs, number};

/// The most requests in one login; see the initiator's bound of the same size.
const MAX_REQUESTS: u32 = 32;

/// The most bytes of an iSCSI name (RFC 7143 section 4.2.7.1).
const MAX_NAME: usize = 223;

/// Who an initiator is and what it came for: some say so in each stage (libiscsi does).
const DECLARATIONS: [&str; 4] = ["InitiatorName", "InitiatorAlias", "TargetName", "SessionType"];

/// The portal group of the one portal that there is.
pub(super) const PORTAL_GROUP: u16 = 1;

/// The StatSN of the first response.
const FIRST_STATUS_SN: u32 = 1;

/// What the next step of a login is.
#[derive(Debug)]
pub(super) enum Step {
    /// Send this, and wait for more.
    Send(LoginResponse),
    /// Send this; the session is in full feature phase.
    Done(LoginResponse, Box<Agreed>),
    /// Send this and close the connection.
    Refuse(LoginResponse, LoginRefusal),
}

/// What a login ended with.
#[derive(Debug)]
pub(super) struct Agreed {
    pub(super) admitted: Admitted,
    pub(super) parameters: Parameters,
    pub(super) status_sn: u32,
    pub(super) command_sn: u32,
}

/// A login in progress.
#[derive(Debug)]
pub(super) struct Login {
    config: TargetConfig,
    seed: SessionSeed,
    stage: u8,
    authentication: Authentication,
    initiator: Option<String>,
    discovery: bool,
    isid: [u8; 6],
    requests: u32,
    status_sn: u32,
    partial: BytesMut,
    /// What the initiator has said.
    said: Once,
    parameters: Parameters,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Authentication {
    /// Nothing was said about it yet.
    Open,
    /// CHAP was agreed on; its algorithm is to be offered.
    Algorithm,
    /// The challenge was sent.
    Proof,
    /// It is over, or none is wanted.
    Done,
}

impl Login {
    pub(super) fn new(config: TargetConfig, seed: SessionSeed) -> Self {
        let parameters = Parameters::new(&config);
        Self {
            config,
            seed,
            stage: SECURITY,
            authentication: Authentication::Open,
            initiator: None,
            discovery: false,
            isid: [0; 6],
            requests: 0,
            status_sn: FIRST_STATUS_SN,
            partial: BytesMut::new(),
            said: Once::new(&DECLARATIONS),
            parameters,
        }
    }

    pub(super) fn received(&mut self, request: &LoginRequest) -> Step {
        let step = self.take(request);
        self.requests += 1;
        step.unwrap_or_else(|refusal| {
            let (status_class, status_detail) = refusal.status();
            let response =
                LoginResponse { status_class, status_detail, ..self.response(request, Pairs::new()) };
            Step::Refuse(response, refusal)
        })
    }

    fn take(&mut self, request: &LoginRequest) -> Result<Step, LoginRefusal> {
        if request.version_min > 0 {
            return Err(LoginRefusal::Version);
        }
        if request.tsih != 0 {
            return Err(LoginRefusal::Session);
        }
        if self.requests >= MAX_REQUESTS || self.partial.len() + request.data.len() > MAX_TEXT {
            return Err(LoginRefusal::Protocol("a login without end"));
        }
        let first = self.requests == 0;
        if first {
            self.stage = request.current_stage;
            self.isid = request.isid;
        }
        if request.current_stage != self.stage || !matches!(self.stage, SECURITY | OPERATIONAL) {
            return Err(LoginRefusal::Protocol("a request of another stage"));
        }
        self.partial.extend_from_slice(&request.data);
        if request.more {
            if request.transit {
                return Err(LoginRefusal::Protocol("a stage left in the middle of a text"));
            }
            return Ok(Step::Send(self.response(request, Pairs::new())));
        }
        let pairs = Pairs::parse(&self.partial.split())
            .map_err(|_| LoginRefusal::Protocol("a text that cannot be read"))?;
        self.said.hear(&pairs).map_err(|_| LoginRefusal::Protocol("a key that it had said before"))?;
        let mut answers = Pairs::new();
        if self.initiator.is_none() {
            self.introduce(&pairs, &mut answers)?;
        }
        if self.stage == SECURITY {
            self.authenticate(&pairs, &mut answers)?;
        } else if self.config.authentication.is_some() && self.authentication != Authentication::Done {
            return Err(LoginRefusal::Authentication);
        }
        self.parameters.negotiate(&pairs, &mut answers);
        self.leave(request, answers)
    }

    /// Who is there, and for what.
    fn introduce(&mut self, pairs: &Pairs, answers: &mut Pairs) -> Result<(), LoginRefusal> {
        let initiator = pairs.get("InitiatorName").ok_or(LoginRefusal::Missing("InitiatorName"))?;
        if initiator.is_empty() || initiator.len() > MAX_NAME {
            return Err(LoginRefusal::Protocol("an InitiatorName that is none"));
        }
        self.discovery = match pairs.get("SessionType") {
            None | Some("Normal") => false,
            Some("Discovery") => true,
            Some(_) => return Err(LoginRefusal::Protocol("a type of session that does not exist")),
        };
        match pairs.get("TargetName") {
            Some(name) if name.eq_ignore_ascii_case(&self.config.name) => {}
            Some(_) => return Err(LoginRefusal::UnknownTarget),
            None if self.discovery => {}
            None => return Err(LoginRefusal::Missing("TargetName")),
        }
        self.initiator = Some(initiator.to_owned());
        if !self.discovery {
            answers.push("TargetPortalGroupTag", PORTAL_GROUP.to_string());
            if let Some(alias) = &self.config.alias {
                answers.push("TargetAlias", &**alias);
            }
        }
        Ok(())
    }

    fn authenticate(&mut self, pairs: &Pairs, answers: &mut Pairs) -> Result<(), LoginRefusal> {
        match (self.authentication, &self.config.authentication) {
            (Authentication::Open, wanted) => {
                let Some(methods) = pairs.get("AuthMethod") else { return Ok(()) };
                let method = if wanted.is_some() { "CHAP" } else { "None" };
                if !methods.split(',').any(|offered| offered == method) {
                    return Err(LoginRefusal::Authentication);
                }
                answers.push("AuthMethod", method);
                self.authentication =
                    if wanted.is_some() { Authentication::Algorithm } else { Authentication::Done };
            }
            (Authentication::Algorithm, _) => {
                let Some(algorithms) = pairs.get("CHAP_A") else { return Ok(()) };
                if !algorithms.split(',').any(|offered| number(offered) == Some(chap::MD5)) {
                    return Err(LoginRefusal::Authentication);
                }
                answers.push("CHAP_A", chap::MD5.to_string());
                answers.push("CHAP_I", self.identifier().to_string());
                answers.push("CHAP_C", chap::encode_binary(&self.seed.challenge));
                self.authentication = Authentication::Proof;
            }
            (Authentication::Proof, Some(chap)) => {
                if pairs.get("CHAP_R").is_none() {
                    return Ok(());
                }
                self.check(chap, pairs)?;
                prove(chap, pairs, &self.seed.challenge, answers)?;
                self.authentication = Authentication::Done;
            }
            (Authentication::Proof | Authentication::Done, _) => {}
        }
        Ok(())
    }

    fn check(&self, chap: &TargetChap, pairs: &Pairs) -> Result<(), LoginRefusal> {
        let expected = chap::response(self.identifier(), &chap.secret, &self.seed.challenge);
        let proof = pairs.get("CHAP_R").and_then(chap::decode_binary).unwrap_or_default();
        // Every byte is looked at, so that the time tells nothing.
        let differing = expected.iter().zip(&proof).fold(0, |all, (one, other)| all | (one ^ other));
        let right = proof.len() == expected.len() && differing == 0;
        if right && pairs.get("CHAP_N") == Some(&chap.user) {
            Ok(())
        } else {
            Err(LoginRefusal::Authentication)
        }
    }

    fn identifier(&self) -> u8 {
        self.seed.challenge[0]
    }

    /// Goes to the stage that the initiator wants, if nothing is left to be said in this one.
    fn leave(&mut self, request: &LoginRequest, answers: Pairs) -> Result<Step, LoginRefusal> {
        let settled = match self.authentication {
            Authentication::Done => true,
            // An initiator that says nothing about it is let in where nothing is wanted.
            Authentication::Open => self.config.authentication.is_none(),
            Authentication::Algorithm | Authentication::Proof => false,
        };
        if !request.transit || !settled {
            return Ok(Step::Send(self.response(request, answers)));
        }
        let next_stage = request.next_stage;
        if next_stage <= self.stage || !matches!(next_stage, OPERATIONAL | FULL_FEATURE) {
            return Err(LoginRefusal::Protocol("a stage that cannot follow"));
        }
        self.stage = next_stage;
        let response = LoginResponse { transit: true, next_stage, ..self.response(request, answers) };
        if next_stage != FULL_FEATURE {
            return Ok(Step::Send(response));
        }
        self.parameters.finish()?;
        let agreed = Agreed {
            admitted: Admitted {
                initiator: self.initiator.clone().unwrap_or_default(),
                isid: self.isid,
                discovery: self.discovery,
                digests: self.parameters.digests,
            },
            parameters: self.parameters.clone(),
            status_sn: self.status_sn,
            command_sn: request.command_sn,
        };
        Ok(Step::Done(LoginResponse { tsih: self.seed.tsih, ..response }, Box::new(agreed)))
    }

    fn response(&mut self, request: &LoginRequest, pairs: Pairs) -> LoginResponse {
        let status_sn = self.status_sn;
        self.status_sn = status_sn.wrapping_add(1);
        LoginResponse {
            current_stage: request.current_stage,
            isid: request.isid,
            initiator_task_tag: request.initiator_task_tag,
            status_sn,
            expected_command_sn: request.command_sn,
            max_command_sn: request.command_sn.wrapping_add(self.config.window).wrapping_sub(1),
            data: if pairs.is_empty() { Bytes::new() } else { pairs.to_bytes() },
            ..LoginResponse::default()
        }
    }
}

/// The target's own proof, where the initiator asks for it.
fn prove(
    chap: &TargetChap,
    pairs: &Pairs,
    challenge: &[u8; 16],
    answers: &mut Pairs,
) -> Result<(), LoginRefusal> {
    let (Some(identifier), Some(theirs)) = (pairs.get("CHAP_I"), pairs.get("CHAP_C")) else { return Ok(()) };
    let identifier = number(identifier).and_then(|number| u8::try_from(number).ok());
    let identifier = identifier.ok_or(LoginRefusal::Protocol("a challenge without identifier"))?;
    let theirs = chap::decode_binary(theirs).filter(|bytes| !bytes.is_empty());
    let theirs = theirs.ok_or(LoginRefusal::Protocol("a challenge that cannot be read"))?;
    let Some((name, secret)) = &chap.own else { return Err(LoginRefusal::Authentication) };
    // Whoever sends our own challenge back wants us to prove his secret for him (RFC 7143 section 12.1.3).
    if theirs == challenge || *secret == chap.secret {
        return Err(LoginRefusal::Authentication);
    }
    answers.push("CHAP_N", &**name);
    answers.push("CHAP_R", chap::encode_binary(&chap::response(identifier, secret, &theirs)));
    Ok(())
}
