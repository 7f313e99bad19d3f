//! Scripts by hand, for bodies that follow one.

use autochanger_iscsi::DigestPolicy;

use super::pdus::{overheard, pdu, response};

/// Target, name and script.
type Script = (&'static str, &'static str, Vec<u8>);

/// The flags of a login PDU, as the bodies read them.
const TRANSIT: u8 = 1;
const MORE: u8 = 2;
const OPERATIONAL: u8 = 1 << 2;
const TO_OPERATIONAL: u8 = 1 << 4;
const TO_FULL_FEATURE: u8 = 3 << 4;

/// A login that says it needs none, step by step.
const LOGIN_WITHOUT_PROOF: [u8; 9] =
    [9, TRANSIT | TO_OPERATIONAL, 2, 1, 6, 9, TRANSIT | OPERATIONAL | TO_FULL_FEATURE, 1, 11];

pub(super) fn by_hand() -> Vec<Script> {
    let mut scripts = vec![
        // No authentication: security, parameters, then a command and its answer.
        (
            "initiator_login",
            "plain",
            [
                &[0][..],
                &[9, TRANSIT | TO_OPERATIONAL, 0, 1, 1],
                &[9, TRANSIT | OPERATIONAL | TO_FULL_FEATURE, 0, 2, 9, 12],
                &[1, 1, 0, 8],
                // In a login, what is no response to it has another number.
                &[2],
                &response(1, 0, &[])[1..],
            ]
            .concat(),
        ),
        (
            "initiator_login",
            "chap",
            [
                &[1][..],
                &[9, 0, 0, 1, 0],
                &[9, 0, 0, 1, 4],
                &[9, TRANSIT | TO_OPERATIONAL, 0, 0],
                &[9, TRANSIT | OPERATIONAL | TO_FULL_FEATURE, 0, 1, 7],
            ]
            .concat(),
        ),
        (
            "initiator_login",
            "chap-both-ways",
            [&[2][..], &[9, 0, 0, 1, 0], &[9, 0, 0, 1, 4], &[9, TRANSIT | TO_OPERATIONAL, 0, 1, 6]].concat(),
        ),
        (
            "initiator_login",
            "in-parts",
            [
                &[4][..],
                &[9, TRANSIT | TO_OPERATIONAL, 0, 0],
                &[9, OPERATIONAL | MORE, 0, 1, 9],
                &[9, OPERATIONAL | MORE, 0, 1, 200, 4, b'A', b'=', b'1', 0],
                &[9, TRANSIT | OPERATIONAL | TO_FULL_FEATURE, 0, 2, 7, 11],
            ]
            .concat(),
        ),
        ("initiator_login", "redirected", vec![0, 9, 0, 0x11, 1, 14]),
        ("initiator_login", "refused", vec![1, 9, 0, 0x21, 0]),
        // A read in two pieces, a write that is asked for, a task management function, a ping of theirs.
        (
            "initiator_session",
            "read",
            [
                &[0][..],
                &[0, 1, 0, 16],
                &pdu(5, [0, 0, 0], 1, 0xFF, [3, 2, 40], [0, 0, 0], &[7; 8]),
                &pdu(5, [0x81, 0, 0], 1, 0xFF, [3, 2, 40], [1, 8, 0], &[7; 8]),
            ]
            .concat(),
        ),
        (
            "initiator_session",
            "write",
            [
                &[4][..],
                &[0, 3, 0, 0x90],
                &pdu(7, [0x80, 0, 0], 1, 3, [3, 2, 40], [0, 0, 0x88], &[]),
                &pdu(7, [0x80, 0, 0], 1, 4, [3, 2, 40], [1, 0x88, 0x88], &[]),
                &response(1, 2, &[0, 18, 0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x24, 0, 0, 0, 0, 0]),
            ]
            .concat(),
        ),
        (
            "initiator_session",
            "management",
            [
                &[0][..],
                &[0, 0, 3, 0, 5, 0, 0, 6, 0],
                &pdu(2, [0x80, 0, 0], 2, 0, [3, 2, 40], [0, 0, 0], &[]),
                &pdu(0, [0x80, 0, 0], 3, 0xFF, [4, 2, 40], [0, 0, 0], &[]),
                &pdu(0, [0x80, 0, 0], 0xFF, 9, [4, 2, 40], [0, 0, 0], &[1, 2, 3]),
                &pdu(8, [0x80, 0, 0], 0xFF, 0, [4, 2, 40], [0, 0, 0], &[]),
            ]
            .concat(),
        ),
        (
            "initiator_session",
            "abandoned",
            [
                &[1][..],
                &[0, 0, 3, 0, 7, 0],
                &pdu(0, [0x80, 0, 0], 2, 0xFF, [3, 1, 40], [0, 0, 0], &[]),
                &pdu(9, [0x80, 9, 0], 0xFF, 0, [4, 2, 40], [0, 0, 0], &[0; 48]),
            ]
            .concat(),
        ),
        (
            "initiator_session",
            "logout",
            [&[0x80][..], &[0, 8, 0], &pdu(6, [0x80, 0, 0], 1, 0, [3, 2, 40], [0, 0, 0], &[])].concat(),
        ),
        // Each breach that a bound stops: what was not asked for, what is in use, what has no end.
        (
            "initiator_session",
            "more-than-asked-for",
            [&[0][..], &[0, 1, 0, 8], &pdu(5, [0x81, 0, 0], 1, 0xFF, [3, 2, 40], [0, 0, 0], &[7; 16])]
                .concat(),
        ),
        (
            "initiator_session",
            "answered-twice",
            [&[0][..], &[0, 0, 0], &response(1, 0, &[]), &response(1, 0, &[])].concat(),
        ),
        (
            "initiator_session",
            "asked-for-twice",
            [
                &[4][..],
                &[0, 3, 0, 0x90],
                &pdu(7, [0x80, 0, 0], 1, 3, [3, 2, 40], [0, 0, 0x90], &[]),
                &pdu(7, [0x80, 0, 0], 1, 4, [3, 2, 40], [1, 0, 0x90], &[]),
            ]
            .concat(),
        ),
        (
            "initiator_login",
            "no-proof",
            [
                &[2][..],
                &[9, 0, 0, 1, 0],
                &[9, 0, 0, 1, 4],
                &[9, TRANSIT | TO_OPERATIONAL, 0, 0],
                &[9, TRANSIT | OPERATIONAL | TO_FULL_FEATURE, 0, 0],
            ]
            .concat(),
        ),
        (
            "initiator_login",
            "no-authentication-wanted",
            [
                &[2][..],
                &[9, TRANSIT | TO_OPERATIONAL, 0, 1, 1],
                &[9, TRANSIT | OPERATIONAL | TO_FULL_FEATURE, 0, 0],
            ]
            .concat(),
        ),
        ("initiator_login", "without-end", [&[0][..], &[9, MORE, 0, 1, 9].repeat(40)].concat()),
        ("discovery", "without-end", {
            // Parts of 32,000 bytes: twenty of them are more than a list may have.
            let text: Vec<u8> = b"TargetName=iqn.2026-01.test:abcd\0".repeat(4);
            [&[2, 250, text.len() as u8][..], &text].concat().repeat(20)
        }),
        ("text", "long-challenge", [b"CHAP_C=0x".to_vec(), b"ab".repeat(1100)].concat()),
        ("target_login", "unproved", [&[1][..], &LOGIN_WITHOUT_PROOF].concat()),
        (
            "target_login",
            "straight-to-the-parameters",
            [&[1][..], &[9, TRANSIT | OPERATIONAL | TO_FULL_FEATURE, 1, 1]].concat(),
        ),
        (
            "target_login",
            "wrong-proof",
            [
                &[1][..],
                &[9, 0, 2, 1, 4],
                &[9, 0, 1, 7],
                &[9, TRANSIT | TO_OPERATIONAL, 1, 0x20, 40],
                b"CHAP_N=backup\0CHAP_R=0x00010203040506070",
                &[9, TRANSIT | OPERATIONAL | TO_FULL_FEATURE, 0],
            ]
            .concat(),
        ),
        (
            "target_session",
            "tag-in-use",
            [
                &[0xE0][..],
                &pdu(1, [0x81, 0, 0], 1, 0, [2, 1, 0], [0, 0, 0], &[]),
                &pdu(1, [0x81, 0, 0], 1, 0, [3, 1, 0], [0, 0, 0], &[]),
            ]
            .concat(),
        ),
        (
            "target_session",
            "immediate-without-end",
            [
                vec![0xE0],
                (1..100).flat_map(|tag| pdu(8, [0x81, 0, 0], tag, 0, [2, 1, 0], [0, 0, 0], &[])).collect(),
            ]
            .concat(),
        ),
        (
            "discovery",
            "one-part",
            [&[4 | 2, 0, 40][..], b"TargetName=iqn.a\0TargetAddress=[::1]:3260,1\0"].concat(),
        ),
        (
            "discovery",
            "two-parts",
            [&[2, 3, 17][..], b"TargetName=iqn.a\0", &[4 | 2, 9, 23], b"TargetAddress=h:3260,1\0"].concat(),
        ),
        (
            "text",
            "login",
            b"InitiatorName=iqn.2026-01.test:me\0AuthMethod=CHAP,None\0CHAP_C=0x0102030405\0".to_vec(),
        ),
        ("text", "base64", b"CHAP_R=0bTWFuTWFuTWFuTWFu\0CHAP_C=0b//8=\0".to_vec()),
        ("text", "targets", b"TargetName=iqn.a\0TargetAddress=[::1]:3260,1\0TargetName=iqn.b\0".to_vec()),
        (
            "target_login",
            "plain",
            [
                &[0][..],
                &[9, TRANSIT | TO_OPERATIONAL, 2, 1, 6],
                &[9, TRANSIT | OPERATIONAL | TO_FULL_FEATURE, 2, 11, 13],
            ]
            .concat(),
        ),
        (
            "target_login",
            "chap",
            [
                &[1 | 2][..],
                &[9, 0, 2, 1, 4],
                &[9, 0, 1, 7],
                &[9, TRANSIT | TO_OPERATIONAL, 2, 0x10, 8],
                &[9, TRANSIT | OPERATIONAL | TO_FULL_FEATURE, 1, 12],
            ]
            .concat(),
        ),
        (
            "target_login",
            "challenge-sent-back",
            [&[1 | 2][..], &[9, 0, 2, 1, 4], &[9, 0, 1, 7], &[9, TRANSIT | TO_OPERATIONAL, 2, 0x10, 9]]
                .concat(),
        ),
        (
            "target_login",
            "discovery-in-parts",
            [&[4][..], &[9, MORE, 1, 2], &[9, TRANSIT | TO_OPERATIONAL, 1, 6]].concat(),
        ),
        (
            "target_session",
            "read",
            [&[0xE0][..], &pdu(1, [0xC1, 0, 0], 1, 64, [2, 1, 0], [0, 0, 0], &[]), &[0, 0, 0, 32]].concat(),
        ),
        (
            "target_session",
            "write",
            [
                &[0xE0][..],
                &pdu(1, [0xA1, 0, 0], 1, 0x88, [2, 1, 0], [0, 0, 0], &[]),
                &pdu(5, [0x80, 0, 0], 1, 0, [0, 1, 0], [0, 0, 0], &[0xC8]),
                &[0, 4, 0],
            ]
            .concat(),
        ),
        (
            "target_session",
            "aborted",
            [
                &[0x40][..],
                &pdu(1, [0x81, 0, 0], 1, 0, [2, 1, 0], [0, 0, 0], &[]),
                &pdu(9, [0x81, 0, 0], 2, 1, [3, 1, 0], [1, 0, 0], &[]),
                &[0, 5, 0],
            ]
            .concat(),
        ),
        (
            "target_session",
            "out-of-order",
            [
                &[0xE0][..],
                &pdu(1, [0x81, 0, 0], 2, 0, [3, 1, 0], [0, 0, 0], &[]),
                &pdu(1, [0x81, 0, 0], 1, 0, [2, 1, 0], [0, 0, 0], &[]),
                &[0, 0, 0, 0, 0, 0, 1, 0],
            ]
            .concat(),
        ),
        (
            "target_session",
            "targets",
            [&[0x48][..], &pdu(4, [0x80, 0, 0], 1, 0xFF, [2, 1, 0], [0, 0, 0], b"SendTargets=All\0")]
                .concat(),
        ),
        (
            "target_session",
            "ping-and-logout",
            [
                &[0x50][..],
                &pdu(0, [0x80, 0, 0], 1, 0xFF, [2, 1, 0], [0, 0, 0], b"are you there"),
                &[0, 7, 2],
                &pdu(6, [0x80, 0, 0], 2, 0, [3, 1, 0], [0, 0, 0], &[]),
            ]
            .concat(),
        ),
    ];
    for (name, flavour, digests) in [("plain", 0, DigestPolicy::Accept), ("digests", 0, DigestPolicy::Prefer)]
    {
        let [ours, theirs] = overheard(digests);
        scripts.push((
            "pdu_reader",
            if name == "plain" { "initiator" } else { "initiator-digests" },
            [&[flavour, 36][..], &ours].concat(),
        ));
        scripts.push((
            "pdu_reader",
            if name == "plain" { "target" } else { "target-digests" },
            [&[flavour, 255][..], &theirs].concat(),
        ));
        if name == "plain" {
            scripts.push(("pdu_reader", "mended", [&[1, 60][..], &ours].concat()));
        }
    }
    scripts.push(("engine", "honest", vec![0]));
    scripts.push(("engine", "cancelled", vec![64 | 4]));
    scripts.push(("engine", "exchange", vec![64 | 32]));
    scripts
}

/// Scripts of the engine's body: so many honest answers, then one that another changer gave, or that tells of trouble.
pub(super) fn lies(reports: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut scripts = Vec::new();
    for (number, report) in reports.iter().enumerate().step_by(2) {
        let length = u16::try_from(report.len()).expect("reports are short").to_be_bytes();
        let honest = vec![0; 6 + number];
        scripts.push([&[(number * 5) as u8][..], &honest, &[8], &length, report].concat());
    }
    // Sense that means something: unit attention, not ready, source empty, hardware error; a reply that is lost.
    let troubles: [&[u8]; 8] = [
        &[6, 6, 0x28, 0],
        &[6, 2, 4, 1],
        &[6, 5, 0x3B, 0x0E],
        &[6, 4, 0x15, 1],
        &[6, 6, 0x29, 0],
        &[2],
        &[4, 1],
        &[1, 3, 0, 9, 0x80],
    ];
    for honest in [0, 2, 5, 8, 12, 14, 16, 18, 20, 22, 24, 28, 32, 40] {
        for (number, trouble) in troubles.iter().enumerate().skip(honest / 2 % 2).step_by(2) {
            scripts.push([&[(64 + number) as u8][..], &vec![0; honest], trouble, trouble].concat());
        }
    }
    scripts
}
