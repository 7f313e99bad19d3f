use super::*;
use crate::chap::{MutualChap, Secret};

mod chap_keys;
mod keys;

fn config(authentication: Option<Chap>) -> LoginConfig {
    LoginConfig {
        initiator: "iqn.2026-01.test:me".into(),
        target: Some("iqn.2026-01.test:library".into()),
        isid: [0x80, 1, 2, 3, 4, 5],
        authentication,
        digests: DigestPolicy::Accept,
    }
}

fn one_way() -> Option<Chap> {
    Some(Chap { user: "backup".into(), secret: Secret::new("open sesame"), mutual: None })
}

fn both_ways() -> Option<Chap> {
    let mutual =
        MutualChap { user: "library".into(), secret: Secret::new("who is there"), challenge: [7; 16] };
    Some(Chap { mutual: Some(mutual), ..one_way().unwrap() })
}

fn response(stage: u8, next: Option<u8>, pairs: Pairs) -> LoginResponse {
    LoginResponse {
        transit: next.is_some(),
        current_stage: stage,
        next_stage: next.unwrap_or(0),
        data: pairs.to_bytes(),
        ..LoginResponse::default()
    }
}

fn refusal(class: u8, detail: u8) -> LoginResponse {
    LoginResponse { status_class: class, status_detail: detail, ..LoginResponse::default() }
}

#[track_caller]
fn sent(step: Result<Step, LoginError>) -> (LoginRequest, Pairs) {
    match step.unwrap() {
        Step::Send(request) => {
            let pairs = Pairs::parse(&request.data).unwrap();
            (request, pairs)
        }
        Step::Done(_) => panic!("the login is over too early"),
    }
}

#[test]
fn a_login_without_secret_takes_two_requests() {
    let mut login = Login::new(config(None));
    let first = login.start();
    assert!(first.immediate && first.transit);
    assert_eq!((first.current_stage, first.next_stage, first.tsih), (0, 1, 0));
    let pairs = Pairs::parse(&first.data).unwrap();
    assert_eq!(pairs.get("AuthMethod"), Some("None"));
    assert_eq!(pairs.get("TargetName"), Some("iqn.2026-01.test:library"));

    let answer = response(0, Some(1), Pairs::new().with("AuthMethod", "None"));
    let (second, pairs) = sent(login.received(&answer));
    assert_eq!((second.current_stage, second.next_stage, second.transit), (1, 3, true));
    assert_eq!(pairs.get("ErrorRecoveryLevel"), Some("0"));

    let mut answer = response(
        1,
        Some(3),
        Pairs::new().with("MaxRecvDataSegmentLength", "16384").with("ImmediateData", "No"),
    );
    answer.tsih = 9;
    answer.status_sn = 41;
    let Step::Done(negotiated) = login.received(&answer).unwrap() else { panic!("not done") };
    assert_eq!(negotiated.max_send_segment, 16384);
    assert!(!negotiated.immediate_data);
    assert_eq!((negotiated.tsih, negotiated.expected_status_sn), (9, 42));
}

fn challenged(authentication: Option<Chap>) -> (Login, Pairs) {
    let mut login = Login::new(config(authentication));
    assert!(!login.start().transit);
    let (request, pairs) = sent(login.received(&response(0, None, Pairs::new().with("AuthMethod", "CHAP"))));
    assert_eq!(pairs.get("CHAP_A"), Some("5"));
    assert!(!request.transit);
    let challenge = Pairs::new().with("CHAP_A", "5").with("CHAP_I", "12").with("CHAP_C", "0x0102030405");
    let (request, pairs) = sent(login.received(&response(0, None, challenge)));
    assert!(request.transit);
    (login, pairs)
}

#[test]
fn each_refusal_has_its_own_error() {
    let refused = |class, detail, authentication| {
        let mut login = Login::new(config(authentication));
        login.start();
        login.received(&refusal(class, detail)).unwrap_err()
    };
    assert_eq!(refused(2, 1, one_way()), LoginError::AuthenticationFailed { secret_given: true });
    assert_eq!(refused(2, 1, None), LoginError::AuthenticationFailed { secret_given: false });
    assert_eq!(refused(2, 2, None), LoginError::NotAuthorized);
    assert_eq!(refused(2, 3, None), LoginError::TargetNotFound);
    assert_eq!(refused(2, 4, None), LoginError::TargetRemoved);
    for (detail, error, words) in [
        (5, LoginError::Version, "another version"),
        (6, LoginError::TooManyConnections, "no more connections"),
        (7, LoginError::MissingParameter, "misses a parameter"),
        (9, LoginError::SessionType, "no sessions of this kind"),
        (10, LoginError::NoSuchSession, "does not know"),
        (0, LoginError::Refused { class: 2, detail: 0 }, "status 2/0"),
        (11, LoginError::Refused { class: 2, detail: 11 }, "its own log may"),
    ] {
        assert_eq!(refused(2, detail, None), error);
        assert!(error.to_string().contains(words), "{error}");
    }
    assert_eq!(refused(3, 1, None), LoginError::Unavailable { class: 3, detail: 1 });
    let mut login = Login::new(config(None));
    login.start();
    let mut moved = refusal(1, 2);
    moved.data = Pairs::new().with("TargetAddress", "192.0.2.7:3260,1").to_bytes();
    let error = login.received(&moved).unwrap_err();
    assert_eq!(error.to_string(), "the target has moved for good to 192.0.2.7:3260,1");
}

#[test]
fn a_text_may_come_in_pieces() {
    let mut login = Login::new(config(None));
    login.start();
    let mut piece = response(0, None, Pairs::new());
    piece.more = true;
    piece.data = Bytes::from_static(b"AuthMet");
    let (request, pairs) = sent(login.received(&piece));
    assert!(pairs.is_empty() && !request.transit);
    let mut rest = response(0, Some(1), Pairs::new());
    rest.data = Bytes::from_static(b"hod=None\0");
    let (request, _) = sent(login.received(&rest));
    assert_eq!(request.current_stage, 1);
}

#[test]
fn a_response_that_does_not_fit_ends_the_login() {
    let fits = response(0, Some(1), Pairs::new());
    for (wrong, what) in [
        (LoginResponse { current_stage: 1, ..fits.clone() }, "another stage"),
        (LoginResponse { initiator_task_tag: 7, ..fits.clone() }, "another request"),
        (LoginResponse { version_active: 1, ..fits.clone() }, "a protocol version"),
        (LoginResponse { next_stage: 3, ..fits.clone() }, "a stage that was not asked for"),
        (LoginResponse { more: true, ..fits }, "in the middle of a text"),
    ] {
        let mut login = Login::new(config(None));
        login.start();
        let error = login.received(&wrong).unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
    }
}

#[test]
fn a_key_that_the_target_does_not_answer_keeps_its_default() {
    let mut login = Login::new(config(None));
    login.start();
    sent(login.received(&response(0, Some(1), Pairs::new())));
    let answers = Pairs::new()
        .with("InitialR2T", "Irrelevant")
        .with("HeaderDigest", "Reject")
        .with("MaxBurstLength", "NotUnderstood");
    let Step::Done(negotiated) = login.received(&last(answers)).unwrap() else { panic!("not done") };
    assert!(negotiated.initial_r2t && !negotiated.digests.header);
    assert_eq!(negotiated.max_burst, 262_144);
}

#[test]
fn who_requires_digests_takes_no_silence_for_them() {
    let mut login = Login::new(LoginConfig { digests: DigestPolicy::Require, ..config(None) });
    login.start();
    sent(login.received(&response(0, Some(1), Pairs::new())));
    let answers = Pairs::new().with("HeaderDigest", "CRC32C");
    let error = login.received(&response(1, Some(3), answers)).unwrap_err();
    assert_eq!(error.to_string(), "the target wants DataDigest=None, which cannot be agreed to");
}

#[test]
fn a_target_that_goes_on_for_ever_is_left() {
    let mut login = Login::new(config(None));
    login.start();
    let again = response(0, None, Pairs::new());
    let error = (0..100).find_map(|_| login.received(&again).err());
    assert_eq!(error, Some(LoginError::Protocol("a login without end")));
}

#[test]
fn what_cannot_be_agreed_to_is_named() {
    let mut login = Login::new(config(None));
    login.start();
    sent(login.received(&response(0, Some(1), Pairs::new())));
    let error = login.received(&response(1, Some(3), Pairs::new().with("HeaderDigest", "MD5"))).unwrap_err();
    assert_eq!(error.to_string(), "the target wants HeaderDigest=MD5, which cannot be agreed to");
}

#[test]
fn an_offer_that_nobody_knows_is_answered() {
    let mut login = Login::new(config(None));
    login.start();
    sent(login.received(&response(0, Some(1), Pairs::new())));
    let (_, pairs) = sent(login.received(&response(1, None, Pairs::new().with("X-speed", "11"))));
    assert_eq!(pairs.get("X-speed"), Some("NotUnderstood"));
}

/// A login without a secret that is about to hear the target's parameters.
fn negotiating() -> Login {
    let mut login = Login::new(config(None));
    login.start();
    sent(login.received(&response(0, Some(1), Pairs::new().with("TargetPortalGroupTag", "1"))));
    login
}

#[test]
fn a_key_that_the_target_says_twice_ends_the_login_in_one_pdu_and_in_two() {
    let error = |pairs, next| negotiating().received(&response(1, next, pairs)).unwrap_err();
    let twice = Pairs::new().with("ImmediateData", "Yes").with("ImmediateData", "No");
    assert_eq!(error(twice, Some(3)), LoginError::SaidTwice("ImmediateData".into()));

    let mut login = negotiating();
    sent(login.received(&response(1, None, Pairs::new().with("ImmediateData", "Yes"))));
    let again = response(1, Some(3), Pairs::new().with("ImmediateData", "Yes"));
    let error = login.received(&again).unwrap_err();
    assert_eq!(error.to_string(), "the target spoke of ImmediateData twice");

    let mut login = negotiating();
    let declared = Pairs::new().with("TargetPortalGroupTag", "1").with("MaxRecvDataSegmentLength", "512");
    sent(login.received(&response(1, None, declared.clone())));
    assert!(matches!(login.received(&last(declared)), Ok(Step::Done(_))), "declarations may be repeated");
}

/// The last response of a login that goes well.
fn last(pairs: Pairs) -> LoginResponse {
    LoginResponse { tsih: 9, ..response(1, Some(3), pairs) }
}

#[test]
fn numbers_may_be_hexadecimal() {
    let answers = Pairs::new()
        .with("MaxRecvDataSegmentLength", "0x400")
        .with("MaxBurstLength", "0X4000")
        .with("FirstBurstLength", "0x1000")
        .with("MaxOutstandingR2T", "0x1")
        .with("MaxConnections", "0x01")
        .with("ErrorRecoveryLevel", "0x0");
    let Step::Done(agreed) = negotiating().received(&last(answers)).unwrap() else { panic!("not done") };
    assert_eq!((agreed.max_send_segment, agreed.max_burst, agreed.first_burst), (0x400, 0x4000, 0x1000));

    let mut login = Login::new(config(one_way()));
    login.start();
    sent(login.received(&response(0, None, Pairs::new().with("AuthMethod", "CHAP"))));
    let challenge = Pairs::new().with("CHAP_A", "0x5").with("CHAP_I", "0x0c").with("CHAP_C", "0x01");
    let (_, proof) = sent(login.received(&response(0, None, challenge)));
    let expected = chap::response(12, &Secret::new("open sesame"), &[1]);
    assert_eq!(proof.get("CHAP_R").and_then(chap::decode_binary), Some(expected.to_vec()));
}

#[test]
fn what_a_target_declares_of_its_own_in_its_last_word_is_let_be() {
    let extras = Pairs::new().with("X-com.example.firmware", "7").with("OFMarker", "Yes");
    assert!(matches!(negotiating().received(&last(extras)), Ok(Step::Done(_))));
}

#[test]
fn a_session_has_a_handle_and_a_discovery_session_needs_none() {
    let error = negotiating().received(&LoginResponse { tsih: 0, ..last(Pairs::new()) }).unwrap_err();
    assert_eq!(error, LoginError::Protocol("a session without a handle (TSIH 0)"));
    let mut login = Login::new(LoginConfig { target: None, ..config(None) });
    login.start();
    sent(login.received(&response(0, Some(1), Pairs::new())));
    assert!(matches!(login.received(&LoginResponse { tsih: 0, ..last(Pairs::new()) }), Ok(Step::Done(_))));
}
