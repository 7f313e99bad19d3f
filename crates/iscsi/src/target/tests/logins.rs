//! Who is let in, and what is agreed.

use super::*;

#[test]
fn the_right_secrets_open_one_way_and_both_ways() {
    for own in [None, Some(("library", "who is there"))] {
        let mut wire = Wire::new(login(Some(NAME), chap("backup", "open sesame", own)), guarded());
        assert_eq!(wire.seen(), [Event::LoggedIn]);
    }
}

#[test]
fn each_wrong_login_is_refused_with_its_own_status() {
    let failed = |secret_given| Ended::Login(LoginError::AuthenticationFailed { secret_given });
    for (config, ended) in [
        (login(Some(NAME), chap("backup", "guess", None)), failed(true)),
        (login(Some(NAME), chap("other", "open sesame", None)), failed(true)),
        (login(Some(NAME), None), failed(false)),
        (login(None, None), failed(false)),
        (
            login(Some(NAME), chap("backup", "open sesame", Some(("library", "guess")))),
            Ended::Login(LoginError::TargetNotProved),
        ),
        (login(Some("iqn.2026-01.test:other"), None), Ended::Login(LoginError::TargetNotFound)),
    ] {
        let mut wire = Wire::new(config, guarded());
        assert_eq!(wire.seen(), [Event::Ended(ended)]);
        let shown = format!("{:?} {:?}", wire.asked(), wire.target);
        assert!(!shown.contains("sesame") && !shown.contains("who is"), "{shown}");
    }
}

#[test]
fn a_name_that_is_longer_than_names_are_opens_nothing() {
    for (length, opens) in [(223, true), (224, false)] {
        let initiator = format!("iqn.{}", "a".repeat(length - 4));
        let mut wire =
            Wire::new(LoginConfig { initiator, ..login(Some(NAME), None) }, TargetConfig::new(NAME));
        assert_eq!(wire.seen() == [Event::LoggedIn], opens, "{length}");
    }
}

#[test]
fn a_target_proves_nothing_to_one_who_sends_its_own_challenge_back() {
    for (challenge, status) in [([3; 16], (0, 0)), (seed().challenge, (2, 1))] {
        let mut negotiation = Negotiation { target: Target::new(guarded(), seed()), stage: 0 };
        negotiation.say(who().with("AuthMethod", "CHAP"), false);
        negotiation.say(Pairs::new().with("CHAP_A", "0x5"), false);
        let [identifier, ..] = seed().challenge;
        let proof = crate::chap::response(identifier, &Secret::new("open sesame"), &seed().challenge);
        let proof = Pairs::new()
            .with("CHAP_N", "backup")
            .with("CHAP_R", crate::chap::encode_binary(&proof))
            .with("CHAP_I", "0x11")
            .with("CHAP_C", crate::chap::encode_binary(&challenge));
        let answer = negotiation.say(proof, true);
        assert_eq!((answer.status_class, answer.status_detail), status);
        let proved = Pairs::parse(&answer.data).unwrap().get("CHAP_R").and_then(crate::chap::decode_binary);
        let expected = crate::chap::response(0x11, &Secret::new("who is there"), &challenge);
        assert_eq!(proved, (status == (0, 0)).then(|| expected.to_vec()));
    }
}

#[test]
fn skipping_the_security_stage_opens_nothing() {
    let mut target = Target::new(guarded(), seed());
    let pairs = Pairs::new().with("InitiatorName", "iqn.2026-01.test:me").with("TargetName", NAME);
    let request = LoginRequest {
        immediate: true,
        transit: true,
        current_stage: 1,
        next_stage: 3,
        data: pairs.to_bytes(),
        ..LoginRequest::default()
    };
    target.received(&request.encode().to_bytes());
    assert_eq!(
        target.poll_event(),
        Some(TargetEvent::Ended(TargetEnded::Refused(LoginRefusal::Authentication)))
    );
    let response = target.poll_transmit().expect("a refusal");
    assert_eq!((response[36], response[37]), (2, 1));
}

#[test]
fn digests_are_used_when_either_side_wants_them_and_the_other_can() {
    use DigestPolicy::{Accept, Prefer, Refuse, Require};
    for (ours, theirs, used) in [
        (Accept, Accept, Some(false)),
        (Accept, Prefer, Some(true)),
        (Require, Accept, Some(true)),
        (Refuse, Prefer, Some(false)),
        (Require, Refuse, None),
        (Refuse, Require, None),
    ] {
        let config = LoginConfig { digests: ours, ..login(Some(NAME), None) };
        let mut wire = Wire::new(config, TargetConfig { digests: theirs, ..TargetConfig::new(NAME) });
        let Some(used) = used else {
            assert!(matches!(wire.seen()[..], [Event::Ended(Ended::Login(_))]), "{ours:?} with {theirs:?}");
            continue;
        };
        assert_eq!(wire.seen(), [Event::LoggedIn]);
        let digests = wire.initiator.negotiated().digests;
        assert_eq!((digests.header, digests.data), (used, used), "{ours:?} with {theirs:?}");
        wire.asked();
        let request = writing(200_000);
        wire.submit(request.clone());
        let (task, command) = wire.command();
        assert_eq!(command.data_out, request.data_out);
        wire.good(task, Vec::new());
        assert!(matches!(wire.seen()[..], [Event::Completed { .. }]));
    }
}

/// A target in the middle of a login that is written by hand, and the stage that it is in.
struct Negotiation {
    target: Target,
    stage: u8,
}

impl Negotiation {
    /// One that goes through the operational stage only.
    fn new() -> Self {
        Self { target: Target::new(TargetConfig::new(NAME), seed()), stage: 1 }
    }

    /// Says this; who the initiator is comes with the first word.
    fn say(&mut self, pairs: Pairs, transit: bool) -> LoginResponse {
        let request = LoginRequest {
            immediate: true,
            transit,
            current_stage: self.stage,
            next_stage: if transit { 3 } else { 0 },
            data: pairs.to_bytes(),
            ..LoginRequest::default()
        };
        self.target.received(&request.encode().to_bytes());
        let mut reader = PduReader::new(1 << 20);
        reader.push(&self.target.poll_transmit().expect("an answer"));
        LoginResponse::decode(&reader.next_pdu().unwrap().expect("a whole PDU"))
    }
}

fn who() -> Pairs {
    Pairs::new().with("InitiatorName", "iqn.2026-01.test:me").with("TargetName", NAME)
}

#[test]
fn a_key_that_the_initiator_says_twice_is_an_error_of_its_own_in_one_pdu_and_in_two() {
    let twice = who().with("ImmediateData", "Yes").with("ImmediateData", "Yes");
    let answer = Negotiation::new().say(twice, true);
    assert_eq!((answer.status_class, answer.status_detail), (2, 0));

    let mut negotiation = Negotiation::new();
    let first = negotiation.say(who().with("MaxBurstLength", "8192"), false);
    assert_eq!((first.status_class, first.transit), (0, false));
    let answer = negotiation.say(Pairs::new().with("MaxBurstLength", "16384"), true);
    assert_eq!((answer.status_class, answer.status_detail), (2, 0));
    assert!(negotiation.target.has_ended());

    let mut negotiation = Negotiation::new();
    negotiation.say(who(), false);
    let answer = negotiation.say(who().with("MaxBurstLength", "16384"), true);
    assert_eq!((answer.status_class, answer.transit), (0, true), "who one is may be said in each stage");
    let mut negotiation = Negotiation::new();
    negotiation.say(who(), false);
    let answer = negotiation.say(Pairs::new().with("InitiatorName", "iqn.2026-01.test:you"), true);
    assert_eq!((answer.status_class, answer.status_detail), (2, 0), "somebody else in each is nobody");
}

#[test]
fn numbers_are_read_in_hexadecimal_too_and_what_is_none_is_rejected() {
    let offer = who()
        .with("MaxRecvDataSegmentLength", "0x400")
        .with("MaxBurstLength", "0x4000")
        .with("DefaultTime2Wait", "0x3")
        .with("FirstBurstLength", "many");
    let answer = Negotiation::new().say(offer, true);
    let pairs = Pairs::parse(&answer.data).unwrap();
    assert_eq!(pairs.get("MaxBurstLength"), Some("16384"));
    assert_eq!(pairs.get("DefaultTime2Wait"), Some("3"));
    assert_eq!(pairs.get("FirstBurstLength"), Some("Reject"));
    let late = Negotiation::new().say(who().with("DefaultTime2Wait", "3601"), true);
    assert_eq!(Pairs::parse(&late.data).unwrap().get("DefaultTime2Wait"), Some("Reject"));
}

#[test]
fn the_first_burst_is_not_larger_than_a_burst_whichever_is_spoken_of_first() {
    for keys in [["MaxBurstLength", "FirstBurstLength"], ["FirstBurstLength", "MaxBurstLength"]] {
        let mut offer = who();
        for key in keys {
            offer.push(key, if key == "MaxBurstLength" { "1024" } else { "65536" });
        }
        let answer = Negotiation::new().say(offer, true);
        let pairs = Pairs::parse(&answer.data).unwrap();
        assert_eq!(
            (pairs.get("FirstBurstLength"), pairs.get("MaxBurstLength")),
            (Some("1024"), Some("1024"))
        );
    }
}
