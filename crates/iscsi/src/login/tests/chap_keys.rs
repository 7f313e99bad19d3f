//! CHAP, key by key (RFC 7143 section 12.1.3).

use super::*;

#[test]
fn chap_proves_the_secret_and_shows_it_nowhere() {
    let (login, proof) = challenged(one_way());
    assert_eq!(proof.get("CHAP_N"), Some("backup"));
    let expected = chap::response(12, &Secret::new("open sesame"), &[1, 2, 3, 4, 5]);
    assert_eq!(proof.get("CHAP_R").and_then(chap::decode_binary), Some(expected.to_vec()));
    assert_eq!(proof.get("CHAP_C"), None);
    assert!(!format!("{login:?} {proof:?}").contains("sesame"));
}

#[test]
fn a_target_that_must_prove_itself_is_believed_only_when_it_does() {
    let proof = |name: &str, secret: &str| {
        let proof = chap::response(7, &Secret::new(secret), &[7; 16]);
        Pairs::new().with("CHAP_N", name).with("CHAP_R", chap::encode_binary(&proof))
    };
    let (mut login, pairs) = challenged(both_ways());
    assert_eq!(pairs.get("CHAP_C").and_then(chap::decode_binary), Some(vec![7; 16]));
    let (request, _) = sent(login.received(&response(0, Some(1), proof("library", "who is there"))));
    assert_eq!(request.current_stage, 1);

    for wrong in [proof("library", "a guess"), proof("other", "who is there"), Pairs::new()] {
        let (mut login, _) = challenged(both_ways());
        assert_eq!(login.received(&response(0, Some(1), wrong)).unwrap_err(), LoginError::TargetNotProved);
    }

    let mut login = Login::new(config(both_ways()));
    login.start();
    let none = response(0, None, Pairs::new().with("AuthMethod", "None"));
    assert_eq!(login.received(&none).unwrap_err(), LoginError::TargetNotProved);
}

#[test]
fn another_algorithm_or_method_than_was_offered_is_refused() {
    let mut login = Login::new(config(one_way()));
    login.start();
    sent(login.received(&response(0, None, Pairs::new().with("AuthMethod", "CHAP"))));
    let challenge = Pairs::new().with("CHAP_A", "7").with("CHAP_I", "1").with("CHAP_C", "0x01");
    assert!(matches!(login.received(&response(0, None, challenge)), Err(LoginError::Method(_))));

    let mut login = Login::new(config(one_way()));
    login.start();
    let kerberos = response(0, None, Pairs::new().with("AuthMethod", "KRB5"));
    assert_eq!(login.received(&kerberos).unwrap_err(), LoginError::Method("KRB5".into()));
}

#[test]
fn the_same_secret_both_ways_proves_nothing_and_is_not_used() {
    let mut chap = both_ways().unwrap();
    chap.mutual.as_mut().unwrap().secret = chap.secret.clone();
    let mut login = Login::new(config(Some(chap)));
    login.start();
    sent(login.received(&response(0, None, Pairs::new().with("AuthMethod", "CHAP"))));
    let challenge = Pairs::new().with("CHAP_A", "5").with("CHAP_I", "12").with("CHAP_C", "0x0102030405");
    assert_eq!(login.received(&response(0, None, challenge)).unwrap_err(), LoginError::SameSecret);
}

#[test]
fn our_own_words_prove_nothing() {
    let mut login = Login::new(config(both_ways()));
    login.start();
    sent(login.received(&response(0, None, Pairs::new().with("AuthMethod", "CHAP"))));
    let ours = chap::encode_binary(&[7; 16]);
    let challenge = Pairs::new().with("CHAP_A", "5").with("CHAP_I", "12").with("CHAP_C", ours);
    let error = login.received(&response(0, None, challenge)).unwrap_err();
    assert_eq!(error, LoginError::Protocol("our own challenge as its own"));

    let (mut login, proof) = challenged(both_ways());
    let reflected = Pairs::new().with("CHAP_N", "library").with("CHAP_R", proof.get("CHAP_R").unwrap());
    assert_eq!(login.received(&response(0, Some(1), reflected)).unwrap_err(), LoginError::TargetNotProved);
}

/// A login whose algorithm was agreed on, and the response that carries this challenge.
fn challenge(pairs: Pairs) -> Result<Step, LoginError> {
    let mut login = Login::new(config(one_way()));
    login.start();
    sent(login.received(&response(0, None, Pairs::new().with("AuthMethod", "CHAP"))));
    login.received(&response(0, None, pairs))
}

fn keys(algorithm: &str, identifier: &str, challenge: &str) -> Pairs {
    Pairs::new().with("CHAP_A", algorithm).with("CHAP_I", identifier).with("CHAP_C", challenge)
}

#[test]
fn an_algorithm_is_the_one_that_was_offered() {
    for algorithm in ["5", "0x5", "0x05"] {
        sent(challenge(keys(algorithm, "1", "0x01")));
    }
    for algorithm in ["7", "6", "0", "256", "4294967301", "md5", "", "5,7"] {
        let error = challenge(keys(algorithm, "1", "0x01")).unwrap_err();
        assert!(matches!(error, LoginError::Method(_)), "{algorithm:?}: {error}");
    }
}

#[test]
fn an_identifier_is_one_byte() {
    for (identifier, byte) in [("0", 0), ("1", 1), ("255", 255), ("0xff", 255), ("0X0", 0)] {
        let (_, proof) = sent(challenge(keys("5", identifier, "0x0102")));
        let expected = chap::response(byte, &Secret::new("open sesame"), &[1, 2]);
        assert_eq!(
            proof.get("CHAP_R").and_then(chap::decode_binary),
            Some(expected.to_vec()),
            "{identifier}"
        );
    }
    for identifier in ["256", "-1", "+1", "0x100", "one", "", "1 "] {
        let error = challenge(keys("5", identifier, "0x0102")).unwrap_err();
        assert_eq!(error, LoginError::Protocol("a challenge without identifier"), "{identifier:?}");
    }
}

#[test]
fn a_challenge_has_1_to_1024_bytes() {
    for length in [1, 2, 16, 1023, 1024] {
        let bytes = vec![0xA5; length];
        let (_, proof) = sent(challenge(keys("5", "3", &chap::encode_binary(&bytes))));
        let expected = chap::response(3, &Secret::new("open sesame"), &bytes);
        assert_eq!(
            proof.get("CHAP_R").and_then(chap::decode_binary),
            Some(expected.to_vec()),
            "{length} bytes"
        );
    }
    let too_long = chap::encode_binary(&[0xA5; 1025]);
    for bytes in ["0x", "0b", "", "0xgg", "0b*", "A5A5", &too_long] {
        let error = challenge(keys("5", "3", bytes)).unwrap_err();
        assert_eq!(error, LoginError::Protocol("a challenge that cannot be read"), "{bytes:.8}");
    }
}

#[test]
fn what_comes_before_its_turn_or_not_at_all_ends_the_login() {
    // The challenge in the place of the method.
    let mut login = Login::new(config(one_way()));
    login.start();
    let early = response(0, None, keys("5", "1", "0x01"));
    let (_, pairs) = sent(login.received(&early));
    assert_eq!(pairs.get("CHAP_R"), None, "no secret is proved to who was not asked for its method");
    // Each key of the challenge is needed.
    for missing in ["CHAP_A", "CHAP_I", "CHAP_C"] {
        let mut pairs = Pairs::new();
        for (key, value) in keys("5", "1", "0x01").iter().filter(|(key, _)| *key != missing) {
            pairs.push(key, value);
        }
        assert!(challenge(pairs).is_err(), "without {missing}");
    }
    // A proof in the place of the challenge, and a second challenge in the place of the proof.
    let early = Pairs::new().with("CHAP_N", "library").with("CHAP_R", "0x00");
    assert!(challenge(early).is_err());
    let (mut login, _) = challenged(both_ways());
    let again = response(0, Some(1), keys("5", "2", "0x0203"));
    assert_eq!(login.received(&again).unwrap_err(), LoginError::SaidTwice("CHAP_A".into()));
}

/// What a target that must prove itself comes to with this name and proof.
fn proved(name: &str, proof: &str) -> Result<Step, LoginError> {
    let (mut login, _) = challenged(both_ways());
    login.received(&response(0, Some(1), Pairs::new().with("CHAP_N", name).with("CHAP_R", proof)))
}

#[test]
fn a_targets_name_is_the_one_that_was_given_and_no_other() {
    let right = chap::encode_binary(&chap::response(7, &Secret::new("who is there"), &[7; 16]));
    sent(proved("library", &right));
    // The last one is ours, given back.
    for name in ["", "l", "librarY", "library ", "libraryy", &"l".repeat(1024), "backup"] {
        assert_eq!(proved(name, &right).unwrap_err(), LoginError::TargetNotProved, "{name:.16}");
    }
    let too_long = proved(&"l".repeat(8193), &right).unwrap_err();
    assert!(matches!(too_long, LoginError::Text(_)), "{too_long}");
    for (name, long) in [("l", "l"), ("x", &*"x".repeat(255))] {
        let mut chap = both_ways().unwrap();
        chap.mutual.as_mut().unwrap().user = long.to_owned();
        let (mut login, _) = challenged(Some(chap));
        let pairs = Pairs::new().with("CHAP_N", long).with("CHAP_R", &*right);
        assert!(login.received(&response(0, Some(1), pairs)).is_ok(), "{name} and so on");
    }
}

#[test]
fn a_targets_proof_is_whole_and_for_our_identifier_and_challenge() {
    let secret = Secret::new("who is there");
    let right = chap::response(7, &secret, &[7; 16]);
    for wrong in [
        &right[..15],
        &[&right[..], &[0]].concat(),
        &[0; 16],
        &[],
        // With another identifier, and for the challenge that it gave itself.
        &chap::response(12, &secret, &[7; 16]),
        &chap::response(7, &secret, &[1, 2, 3, 4, 5]),
    ] {
        let error = proved("library", &chap::encode_binary(wrong)).unwrap_err();
        assert_eq!(error, LoginError::TargetNotProved, "{wrong:x?}");
    }
    assert_eq!(proved("library", "who is there").unwrap_err(), LoginError::TargetNotProved);
}
