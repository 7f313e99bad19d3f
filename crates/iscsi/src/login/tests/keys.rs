//! The stages of a login, and the operational keys one by one (RFC 7143 section 13).

use super::*;

#[test]
fn a_target_may_stay_in_a_stage_as_long_as_it_has_something_to_say() {
    let mut login = Login::new(config(None));
    assert!(login.start().transit);
    for _ in 0..3 {
        let (request, _) = sent(login.received(&response(0, None, Pairs::new())));
        assert_eq!((request.current_stage, request.next_stage, request.transit), (0, 1, true));
    }
    let (request, _) = sent(login.received(&response(0, Some(1), Pairs::new())));
    assert_eq!((request.current_stage, request.next_stage, request.transit), (1, 3, true));
    for _ in 0..3 {
        let (request, pairs) = sent(login.received(&response(1, None, Pairs::new())));
        assert!(request.transit && pairs.is_empty(), "what was offered is not offered again");
    }
    assert!(matches!(login.received(&last(Pairs::new())), Ok(Step::Done(_))));
}

#[test]
fn a_login_begins_at_whatever_status_number_the_target_has_and_acknowledges_each() {
    for first in [0, 1, 77, u32::MAX] {
        let mut login = Login::new(config(None));
        assert_eq!(login.start().expected_status_sn, 0, "nothing is known before the first response");
        let numbered =
            |response, number: u32| LoginResponse { status_sn: first.wrapping_add(number), ..response };
        let (request, _) = sent(login.received(&numbered(response(0, None, Pairs::new()), 0)));
        assert_eq!(request.expected_status_sn, first.wrapping_add(1));
        let (request, _) = sent(login.received(&numbered(response(0, Some(1), Pairs::new()), 1)));
        assert_eq!(request.expected_status_sn, first.wrapping_add(2));
        let Ok(Step::Done(agreed)) = login.received(&numbered(last(Pairs::new()), 2)) else {
            panic!("not done")
        };
        assert_eq!(agreed.expected_status_sn, first.wrapping_add(3));
    }
}

#[test]
fn this_side_says_each_key_once() {
    let mut login = Login::new(config(both_ways()));
    let mut said: Vec<String> = Vec::new();
    let mut hear = |request: &LoginRequest| {
        for (key, _) in Pairs::parse(&request.data).unwrap().iter() {
            assert!(!said.iter().any(|known| known == key), "{key} is said twice");
            said.push(key.to_owned());
        }
    };
    hear(&login.start());
    let challenge = Pairs::new().with("CHAP_A", "5").with("CHAP_I", "1").with("CHAP_C", "0x01");
    let proof = chap::encode_binary(&chap::response(7, &Secret::new("who is there"), &[7; 16]));
    for answer in [
        response(0, None, Pairs::new().with("AuthMethod", "CHAP")),
        response(0, None, challenge),
        response(0, Some(1), Pairs::new().with("CHAP_N", "library").with("CHAP_R", proof)),
        response(1, None, Pairs::new().with("X-speed", "11")),
    ] {
        hear(&sent(login.received(&answer)).0);
    }
    assert!(said.len() > 20, "{said:?}");
}

#[test]
fn what_cannot_be_agreed_to_ends_the_login() {
    for (key, value) in [
        ("MaxConnections", "2"),
        ("MaxOutstandingR2T", "2"),
        ("MaxOutstandingR2T", "one"),
        ("ErrorRecoveryLevel", "1"),
        ("DataPDUInOrder", "No"),
        ("DataSequenceInOrder", "No"),
        ("ImmediateData", "Maybe"),
        ("ImmediateData", "yes"),
        ("InitialR2T", "1"),
        ("InitialR2T", ""),
        ("MaxRecvDataSegmentLength", "511"),
        ("MaxRecvDataSegmentLength", "16777216"),
        ("MaxRecvDataSegmentLength", "-1"),
        ("MaxBurstLength", "0"),
        ("FirstBurstLength", "many"),
        ("DefaultTime2Wait", "3601"),
        ("HeaderDigest", "SHA-256"),
        ("DataDigest", "CRC32C,None"),
    ] {
        let error = negotiating().received(&last(Pairs::new().with(key, value))).unwrap_err();
        assert_eq!(error, LoginError::Negotiation { key: key.into(), value: value.into() });
    }
}

#[test]
fn booleans_are_yes_or_no() {
    for (initial_r2t, immediate_data) in [("Yes", "Yes"), ("Yes", "No"), ("No", "Yes"), ("No", "No")] {
        let answers = Pairs::new().with("InitialR2T", initial_r2t).with("ImmediateData", immediate_data);
        let Ok(Step::Done(agreed)) = negotiating().received(&last(answers)) else { panic!("not done") };
        assert_eq!(
            (agreed.initial_r2t, agreed.immediate_data),
            (initial_r2t == "Yes", immediate_data == "Yes")
        );
    }
}

#[test]
fn lengths_are_never_larger_than_what_this_side_offered() {
    let agreed = |pairs| match negotiating().received(&last(pairs)) {
        Ok(Step::Done(agreed)) => (agreed.first_burst, agreed.max_burst),
        other => panic!("{other:?}"),
    };
    let lengths =
        |first: &str, most: &str| Pairs::new().with("FirstBurstLength", first).with("MaxBurstLength", most);
    assert_eq!(agreed(lengths("512", "512")), (512, 512));
    assert_eq!(agreed(lengths("1024", "65536")), (1024, 65536), "less than a burst");
    assert_eq!(agreed(lengths("65536", "1024")), (1024, 1024), "more than a burst");
    assert_eq!(agreed(lengths("16777215", "16777215")), (FIRST_BURST, MAX_BURST), "more than was offered");
    assert_eq!(agreed(Pairs::new()), (65_536, 262_144), "what holds where nothing is said");
}

#[test]
fn markers_are_refused() {
    let offer = Pairs::new().with("OFMarker", "Yes").with("IFMarker", "Yes");
    let (_, pairs) = sent(negotiating().received(&response(1, None, offer)));
    assert_eq!((pairs.get("OFMarker"), pairs.get("IFMarker")), (Some("No"), Some("No")));
}

#[test]
fn the_kind_of_session_and_the_names_come_first() {
    let first = |target: Option<&str>| {
        let mut login = Login::new(LoginConfig { target: target.map(str::to_owned), ..config(None) });
        Pairs::parse(&login.start().data).unwrap()
    };
    let normal = first(Some("iqn.2026-01.test:library"));
    assert_eq!(normal.get("SessionType"), Some("Normal"));
    assert_eq!(normal.get("InitiatorName"), Some("iqn.2026-01.test:me"));
    assert_eq!(normal.get("TargetName"), Some("iqn.2026-01.test:library"));
    let discovery = first(None);
    assert_eq!((discovery.get("SessionType"), discovery.get("TargetName")), (Some("Discovery"), None));
}
