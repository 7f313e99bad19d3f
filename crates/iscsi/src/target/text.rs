//! Text requests: SendTargets, and nothing else (RFC 7143 appendix C).

use super::login::PORTAL_GROUP;
use super::report::TargetEnded;
use super::{Phase, Target};
use crate::pdu::{NO_TAG, TextRequest, TextResponse};
use crate::text::{MAX_TEXT, Pairs};

/// The tag of a text that comes in pieces. There is one at a time, so any value that is not [`NO_TAG`] serves.
const CONTINUED: u32 = 1;

impl Target {
    pub(super) fn take_text(&mut self, pdu: &TextRequest) -> Result<(), TargetEnded> {
        if self.text.len() + pdu.data.len() > MAX_TEXT {
            return Err(TargetEnded::Protocol("a text without end"));
        }
        self.text.extend_from_slice(&pdu.data);
        if pdu.more {
            self.send_text(pdu, Pairs::new(), CONTINUED);
            return Ok(());
        }
        let pairs = Pairs::parse(&self.text.split())
            .map_err(|_| TargetEnded::Protocol("a text that cannot be read"))?;
        let mut answers = Pairs::new();
        for (key, value) in pairs.iter() {
            if key == "SendTargets" {
                self.send_targets(value, &mut answers);
            } else {
                answers.push(key, "NotUnderstood");
            }
        }
        self.send_text(pdu, answers, NO_TAG);
        Ok(())
    }

    /// `All` asks a discovery session for everything there is, no name asks a normal one for its own target.
    fn send_targets(&self, which: &str, answers: &mut Pairs) {
        let discovery = matches!(self.phase, Phase::FullFeature { discovery: true });
        let wanted = match which {
            "All" if !discovery => return answers.push("SendTargets", "Reject"),
            "All" => true,
            "" => !discovery,
            name => name.eq_ignore_ascii_case(&self.config.name),
        };
        if wanted {
            answers.push("TargetName", &*self.config.name);
            answers.push("TargetAddress", format!("{},{PORTAL_GROUP}", self.portal));
        }
    }

    fn send_text(&mut self, request: &TextRequest, pairs: Pairs, target_transfer_tag: u32) {
        self.open_window();
        let response = TextResponse {
            is_final: target_transfer_tag == NO_TAG,
            lun: request.lun,
            initiator_task_tag: request.initiator_task_tag,
            target_transfer_tag,
            status_sn: self.take_status_sn(),
            expected_command_sn: self.expected_command_sn,
            max_command_sn: self.max_command_sn,
            data: pairs.to_bytes(),
            ..TextResponse::default()
        };
        self.send(response.encode());
    }
}
