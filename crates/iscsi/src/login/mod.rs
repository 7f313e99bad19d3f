//! The login of an initiator (RFC 7143 section 6.3): security first, then the operational parameters.

mod error;
mod once;
mod operational;

use bytes::{Bytes, BytesMut};

use crate::chap::{self, Chap};
use crate::digest::DigestPolicy;
use crate::pdu::{LoginRequest, LoginResponse, MAX_DATA_SEGMENT};
use crate::text::{MAX_TEXT, Pairs, number};

pub use error::LoginError;
pub(crate) use once::Once;
pub use operational::Negotiated;
pub(crate) use operational::{FIRST_BURST, LONGEST_WAIT, MAX_BURST, length};

/// Security negotiation, as CSG and NSG say it.
pub(crate) const SECURITY: u8 = 0;
/// Operational negotiation.
pub(crate) const OPERATIONAL: u8 = 1;
/// Full feature phase.
pub(crate) const FULL_FEATURE: u8 = 3;

/// The most requests in one login. A login with mutual CHAP takes five; a target that goes on beyond this plays for time.
const MAX_REQUESTS: u32 = 32;

/// What a target declares rather than negotiates: the same word said again changes nothing, and some say it in each stage.
/// MaxRecvDataSegmentLength and TargetAddress may even change.
const DECLARATIONS: [&str; 5] =
    ["TargetAddress", "TargetAlias", "TargetName", "TargetPortalGroupTag", "MaxRecvDataSegmentLength"];

/// The tag of the login's requests.
const LOGIN_TAG: u32 = 0;

/// Who logs in to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginConfig {
    /// The name of this initiator (InitiatorName).
    pub initiator: String,
    /// The name of the target (TargetName); `None` for a discovery session, which only asks what is there.
    pub target: Option<String>,
    /// The initiator's part of the session's id. The same one again makes the target drop the earlier session
    /// (session reinstatement, RFC 7143 section 6.3.5).
    pub isid: [u8; 6],
    /// How to authenticate; `None` offers no method.
    pub authentication: Option<Chap>,
    /// What is said about digests.
    pub digests: DigestPolicy,
}

/// What the next step of a login is.
#[derive(Debug)]
pub(crate) enum Step {
    /// Send this and wait for its response.
    Send(LoginRequest),
    /// Full feature phase.
    Done(Negotiated),
}

/// A login in progress.
#[derive(Debug)]
pub(crate) struct Login {
    config: LoginConfig,
    phase: Phase,
    requests: u32,
    expected_status_sn: u32,
    /// What came with the C bit so far.
    partial: BytesMut,
    /// What the target has said.
    said: Once,
    /// The proof of our secret, once it was given.
    proof: Option<[u8; 16]>,
    negotiated: Negotiated,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The method was offered.
    Method,
    /// CHAP was chosen and its algorithm offered.
    Challenge,
    /// The proof was sent.
    Proof,
    /// Authentication is over; the stage is to be left.
    SecurityDone,
    /// The parameters were offered.
    Operational,
}

impl Login {
    pub(crate) fn new(config: LoginConfig) -> Self {
        Self {
            config,
            phase: Phase::Method,
            requests: 0,
            expected_status_sn: 0,
            partial: BytesMut::new(),
            said: Once::new(&DECLARATIONS),
            proof: None,
            negotiated: Negotiated::default(),
        }
    }

    /// The first request.
    pub(crate) fn start(&mut self) -> LoginRequest {
        let mut pairs = Pairs::new().with("InitiatorName", &*self.config.initiator);
        match &self.config.target {
            Some(target) => {
                pairs.push("SessionType", "Normal");
                pairs.push("TargetName", &**target);
            }
            None => pairs.push("SessionType", "Discovery"),
        }
        let (methods, transit) = match &self.config.authentication {
            None => ("None", true),
            // A target that must prove itself may not choose to be believed.
            Some(Chap { mutual: Some(_), .. }) => ("CHAP", false),
            Some(Chap { mutual: None, .. }) => ("CHAP,None", false),
        };
        self.request(pairs.with("AuthMethod", methods), transit)
    }

    /// Takes a response and says what comes next.
    pub(crate) fn received(&mut self, response: &LoginResponse) -> Result<Step, LoginError> {
        if response.status_class != 0 {
            let text = Pairs::parse(&response.data).unwrap_or_default();
            let secret_given = self.config.authentication.is_some();
            return Err(LoginError::from_status(
                response.status_class,
                response.status_detail,
                &text,
                secret_given,
            ));
        }
        if response.initiator_task_tag != LOGIN_TAG {
            return Err(LoginError::Protocol("a response to another request"));
        }
        if response.version_active != 0 {
            return Err(LoginError::Protocol("a protocol version that was not offered"));
        }
        self.expected_status_sn = response.status_sn.wrapping_add(1);
        if self.partial.len() + response.data.len() > MAX_TEXT {
            return Err(LoginError::Protocol("a text without end"));
        }
        self.partial.extend_from_slice(&response.data);
        if self.requests >= MAX_REQUESTS {
            return Err(LoginError::Protocol("a login without end"));
        }
        if response.more {
            if response.transit {
                return Err(LoginError::Protocol("a stage left in the middle of a text"));
            }
            return Ok(Step::Send(self.request(Pairs::new(), false)));
        }
        let pairs = Pairs::parse(&self.partial.split()).map_err(LoginError::Text)?;
        self.said.hear(&pairs).map_err(LoginError::SaidTwice)?;
        if response.current_stage != self.stage() {
            return Err(LoginError::Protocol("a response of another stage"));
        }
        self.advance(response, &pairs)
    }

    fn advance(&mut self, response: &LoginResponse, pairs: &Pairs) -> Result<Step, LoginError> {
        match self.phase {
            Phase::Method => match pairs.get("AuthMethod") {
                // A target that authenticates nobody may leave the key unanswered.
                None | Some("None") => self.authentication_not_wanted()?,
                Some("CHAP") if self.config.authentication.is_some() => {
                    self.phase = Phase::Challenge;
                    return Ok(Step::Send(
                        self.request(Pairs::new().with("CHAP_A", chap::MD5.to_string()), false),
                    ));
                }
                Some(method) => return Err(LoginError::Method(method.to_owned())),
            },
            Phase::Challenge => {
                let proof = self.prove(pairs)?;
                self.phase = Phase::Proof;
                return Ok(Step::Send(self.request(proof, true)));
            }
            Phase::Proof => {
                self.check_target(pairs)?;
                self.phase = Phase::SecurityDone;
            }
            Phase::SecurityDone => {}
            Phase::Operational => return self.operational(response, pairs),
        }
        if !response.transit {
            return Ok(Step::Send(self.request(Pairs::new(), true)));
        }
        match response.next_stage {
            OPERATIONAL => {
                self.phase = Phase::Operational;
                Ok(Step::Send(self.request(Negotiated::offer(self.config.digests), true)))
            }
            _ => Err(LoginError::Protocol("a stage that was not asked for")),
        }
    }

    fn authentication_not_wanted(&mut self) -> Result<(), LoginError> {
        if matches!(&self.config.authentication, Some(Chap { mutual: Some(_), .. })) {
            return Err(LoginError::TargetNotProved);
        }
        self.phase = Phase::SecurityDone;
        Ok(())
    }

    fn prove(&mut self, pairs: &Pairs) -> Result<Pairs, LoginError> {
        let Some(own) = &self.config.authentication else {
            return Err(LoginError::Protocol("a challenge that was not asked for"));
        };
        // Who poses as the target would have this side answer its own challenge (RFC 7143 section 9.2.1).
        if own.mutual.as_ref().is_some_and(|mutual| mutual.secret == own.secret) {
            return Err(LoginError::SameSecret);
        }
        if pairs.get("CHAP_A").and_then(number) != Some(chap::MD5) {
            return Err(LoginError::Method("CHAP with another algorithm than MD5".into()));
        }
        let identifier = pairs.get("CHAP_I").and_then(number).and_then(|number| u8::try_from(number).ok());
        let identifier = identifier.ok_or(LoginError::Protocol("a challenge without identifier"))?;
        let challenge = pairs.get("CHAP_C").and_then(chap::decode_binary).filter(|bytes| !bytes.is_empty());
        let challenge = challenge.ok_or(LoginError::Protocol("a challenge that cannot be read"))?;
        if own.mutual.as_ref().is_some_and(|mutual| challenge == mutual.challenge) {
            return Err(LoginError::Protocol("our own challenge as its own"));
        }
        let proof = chap::response(identifier, &own.secret, &challenge);
        let mut answer = Pairs::new().with("CHAP_N", &*own.user).with("CHAP_R", chap::encode_binary(&proof));
        if let Some(mutual) = &own.mutual {
            answer.push("CHAP_I", mutual_identifier(mutual).to_string());
            answer.push("CHAP_C", chap::encode_binary(&mutual.challenge));
        }
        self.proof = Some(proof);
        Ok(answer)
    }

    fn check_target(&self, pairs: &Pairs) -> Result<(), LoginError> {
        let Some(Chap { mutual: Some(mutual), .. }) = &self.config.authentication else { return Ok(()) };
        let expected = chap::response(mutual_identifier(mutual), &mutual.secret, &mutual.challenge);
        let proof = pairs.get("CHAP_R").and_then(chap::decode_binary);
        let is_ours = proof.as_deref() == self.proof.as_ref().map(|proof| &proof[..]);
        let proved = pairs.get("CHAP_N") == Some(&mutual.user) && proof.as_deref() == Some(&expected[..]);
        let proved = proved && !is_ours;
        if proved { Ok(()) } else { Err(LoginError::TargetNotProved) }
    }

    fn operational(&mut self, response: &LoginResponse, pairs: &Pairs) -> Result<Step, LoginError> {
        let answer = self.negotiated.take(pairs, self.config.digests)?;
        if response.transit {
            if response.next_stage != FULL_FEATURE {
                return Err(LoginError::Protocol("a stage that was not asked for"));
            }
            // What the target offers in its last word is not asked of us any more: devices declare things of their own there.
            self.negotiated.finish(response, self.config.digests, self.config.target.is_none())?;
            return Ok(Step::Done(self.negotiated.clone()));
        }
        Ok(Step::Send(self.request(answer, true)))
    }

    fn stage(&self) -> u8 {
        if self.phase == Phase::Operational { OPERATIONAL } else { SECURITY }
    }

    fn request(&mut self, pairs: Pairs, transit: bool) -> LoginRequest {
        self.requests += 1;
        let current_stage = self.stage();
        let next_stage = if current_stage == SECURITY { OPERATIONAL } else { FULL_FEATURE };
        LoginRequest {
            immediate: true,
            transit,
            current_stage,
            next_stage: if transit { next_stage } else { 0 },
            isid: self.config.isid,
            initiator_task_tag: LOGIN_TAG,
            command_sn: FIRST_COMMAND_SN,
            expected_status_sn: self.expected_status_sn,
            data: if pairs.is_empty() { Bytes::new() } else { pairs.to_bytes() },
            ..LoginRequest::default()
        }
    }
}

/// CmdSN of the login and of the first command after it.
pub(crate) const FIRST_COMMAND_SN: u32 = 1;

/// The identifier of our own challenge. Any value serves; taken from the challenge it differs from login to login.
fn mutual_identifier(mutual: &chap::MutualChap) -> u8 {
    mutual.challenge[0]
}

// What is declared must fit the reader.
const _: () = assert!(MAX_DATA_SEGMENT < 1 << 24);

#[cfg(test)]
mod tests;
