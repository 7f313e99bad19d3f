//! What went wrong, in the words that the rest of the crate understands.

use std::sync::Arc;

use autochanger_iscsi::{Ended, Failure, LoginError, ManagementResponse};

use super::{PathFault, PathFaultKind, TransportError};

pub(super) fn fault(device: &Arc<str>, kind: PathFaultKind, detail: impl Into<String>) -> PathFault {
    PathFault { kind, device: device.clone(), detail: detail.into() }
}

/// Why there is no connection (any more): the same for every command that it hits, but for the device's name.
#[derive(Debug, Clone)]
pub(super) struct Cause {
    pub(super) kind: PathFaultKind,
    pub(super) detail: String,
}

impl Cause {
    pub(super) fn new(kind: PathFaultKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    pub(super) fn of_end(ended: &Ended) -> Self {
        let kind = match ended {
            Ended::Login(error) => return Self::new(login_kind(error), error.to_string()),
            Ended::Protocol(error) if error.is_breach() => PathFaultKind::Protocol,
            Ended::LoggedOut => PathFaultKind::Closed,
            _ => PathFaultKind::ConnectionLost,
        };
        Self::new(kind, ended.to_string())
    }

    pub(super) fn at(&self, device: &Arc<str>) -> PathFault {
        fault(device, self.kind, self.detail.clone())
    }
}

fn login_kind(error: &LoginError) -> PathFaultKind {
    match error {
        LoginError::TargetNotFound | LoginError::TargetRemoved => PathFaultKind::TargetNotFound,
        LoginError::Redirected { .. }
        | LoginError::Unavailable { .. }
        | LoginError::TooManyConnections
        | LoginError::NoSuchSession => PathFaultKind::Unreachable,
        LoginError::Text(_)
        | LoginError::Protocol(_)
        | LoginError::SaidTwice(_)
        | LoginError::MissingParameter => PathFaultKind::Protocol,
        LoginError::Negotiation { .. }
        | LoginError::Version
        | LoginError::SessionType
        | LoginError::Refused { .. } => PathFaultKind::Disagreement,
        _ => PathFaultKind::LoginRefused,
    }
}

/// What a command without an answer is reported as. `cause` is why the session ended, where it did.
pub(super) fn of_failure(failure: Failure, cause: Option<&Cause>, device: &Arc<str>) -> TransportError {
    let lost = || match cause {
        Some(cause) => cause.at(device),
        None => fault(device, PathFaultKind::ConnectionLost, "the connection ended"),
    };
    match failure {
        Failure::NotSent => TransportError::NotSent(lost()),
        Failure::Aborted => TransportError::OutcomeUnknown(fault(
            device,
            PathFaultKind::TimedOut,
            "the command was aborted by a task management function before it was answered",
        )),
        Failure::TargetFailure(code) => TransportError::OutcomeUnknown(fault(
            device,
            PathFaultKind::Protocol,
            format!("the target could not carry the command through (iSCSI response {code:#04x})"),
        )),
        _ => TransportError::OutcomeUnknown(lost()),
    }
}

/// What a task management function is reported as.
pub(super) fn of_management(
    response: ManagementResponse,
    cause: Option<&Cause>,
    device: &Arc<str>,
) -> Result<(), TransportError> {
    let refused = |kind, detail: String| Err(TransportError::NotSent(fault(device, kind, detail)));
    match response {
        // The tasks that were to end have ended.
        ManagementResponse::Complete | ManagementResponse::NoSuchTask => Ok(()),
        ManagementResponse::NoSuchLun => {
            refused(PathFaultKind::NoSuchUnit, "the target has no such logical unit".into())
        }
        ManagementResponse::Unsupported => refused(
            PathFaultKind::Unsupported,
            "the target does not offer this task management function".into(),
        ),
        ManagementResponse::Refused(code) => refused(
            PathFaultKind::Unsupported,
            format!("the target refused the function (response {code:#04x})"),
        ),
        _ => Err(of_failure(Failure::SessionLost, cause, device)),
    }
}

#[cfg(test)]
mod tests {
    use autochanger_iscsi::ProtocolError;
    use autochanger_iscsi::pdu::PduError;

    use super::*;

    #[test]
    fn what_a_new_session_may_mend_is_tried_again_and_what_it_would_meet_again_is_not() {
        use PathFaultKind::{
            ConnectionLost, Disagreement, LoginRefused, Protocol, TargetNotFound, Unreachable,
        };
        let negotiation = LoginError::Negotiation { key: "HeaderDigest".into(), value: "None".into() };
        for (ended, kind) in [
            (Ended::Protocol(ProtocolError::Pdu(PduError::HeaderDigest)), ConnectionLost),
            (Ended::Protocol(ProtocolError::Pdu(PduError::DataDigest)), ConnectionLost),
            (Ended::Protocol(ProtocolError::CommandLost), ConnectionLost),
            (Ended::Protocol(ProtocolError::StatusLost), ConnectionLost),
            (Ended::Protocol(ProtocolError::Rejected(9)), ConnectionLost),
            (Ended::Protocol(ProtocolError::Breach("nonsense")), Protocol),
            (Ended::Protocol(ProtocolError::Pdu(PduError::UnknownOpcode(0x3E))), Protocol),
            (Ended::Login(LoginError::AuthenticationFailed { secret_given: true }), LoginRefused),
            (Ended::Login(LoginError::SameSecret), LoginRefused),
            (Ended::Login(LoginError::TargetNotFound), TargetNotFound),
            (Ended::Login(LoginError::TooManyConnections), Unreachable),
            (Ended::Login(LoginError::NoSuchSession), Unreachable),
            (Ended::Login(LoginError::Unavailable { class: 3, detail: 2 }), Unreachable),
            (Ended::Login(LoginError::Version), Disagreement),
            (Ended::Login(LoginError::SessionType), Disagreement),
            (Ended::Login(LoginError::Refused { class: 2, detail: 0 }), Disagreement),
            (Ended::Login(negotiation), Disagreement),
            (Ended::Login(LoginError::MissingParameter), Protocol),
            (Ended::Login(LoginError::SaidTwice("ImmediateData".into())), Protocol),
        ] {
            let cause = Cause::of_end(&ended);
            assert_eq!(cause.kind, kind, "{}", cause.detail);
            assert_eq!(kind.is_transient(), matches!(kind, ConnectionLost | Unreachable));
            let blamed = cause.detail.contains("broke the protocol");
            assert_eq!(blamed, kind == Protocol && matches!(ended, Ended::Protocol(_)), "{}", cause.detail);
        }
    }
}
