use std::path::Path;

use super::*;

fn iscsi(text: &str) -> IscsiUrl {
    text.parse().unwrap()
}

#[test]
fn a_full_url_is_read_and_shown_without_its_secret() {
    let url = iscsi("iscsi://backup%p@ss/word@vtl.example:3261/iqn.2026-01.example:lib/3");
    assert_eq!((url.host(), url.port(), url.lun()), ("vtl.example", 3261, 3));
    assert_eq!(url.target(), "iqn.2026-01.example:lib");
    assert_eq!(url.credentials.as_ref().unwrap().secret, "p@ss/word");
    assert_eq!(url.to_string(), "iscsi://backup@vtl.example:3261/iqn.2026-01.example:lib/3");
    assert!(!format!("{url:?} {:?}", DeviceUrl::from(url.clone())).contains("word"));
    assert_eq!(url.with_lun(1).to_string(), "iscsi://backup@vtl.example:3261/iqn.2026-01.example:lib/1");
}

#[test]
fn port_secret_and_the_targets_own_secret_may_be_left_out() {
    let url = iscsi("iscsi://10.0.0.7/iqn.2026-01.example:lib/0");
    assert_eq!((url.port(), url.user()), (3260, None));
    let url = iscsi("iscsi://a%b%c%d@10.0.0.7/iqn.2026-01.example:lib/0");
    assert_eq!(url.target_credentials.as_ref().unwrap().user, "c");
    assert!(!format!("{url} {url:?}").contains("%"));
}

#[test]
fn an_ipv6_host_stands_in_brackets() {
    let url = iscsi("iscsi://[::1]:3261/iqn.2026-01.example:lib/0");
    assert_eq!((url.host(), url.port()), ("::1", 3261));
    assert_eq!(url.to_string(), "iscsi://[::1]:3261/iqn.2026-01.example:lib/0");
    assert!("iscsi://::1/iqn.2026-01.example:lib/0".parse::<DeviceUrl>().is_err());
    assert!("iscsi://[nine]/iqn.2026-01.example:lib/0".parse::<DeviceUrl>().is_err());
}

#[test]
fn a_link_local_address_names_its_interface() {
    let url = iscsi("iscsi://me%secret@[fe80::1%eth0]:3261/iqn.2026-01.example:lib/0");
    assert_eq!((url.host(), url.port(), url.user()), ("fe80::1%eth0", 3261, Some("me")));
    assert_eq!(url.to_string(), "iscsi://me@[fe80::1%eth0]:3261/iqn.2026-01.example:lib/0");
}

#[test]
fn a_url_of_an_iscsi_unit_may_say_how_it_is_spoken_to() {
    let text = "iscsi://h:3260/iqn.x:y/3?digests=require&keep_alive=5&connect_timeout=20&initiator=iqn.2026-01.example:me";
    let url = iscsi(text);
    assert_eq!((url.to_string(), url.lun()), (text.to_owned(), 3));
    let url = iscsi("iscsi://me%what?is@h/iqn.x:y/3?keep_alive=5");
    assert_eq!(url.to_string(), "iscsi://me@h:3260/iqn.x:y/3?keep_alive=5");
    assert_eq!(url.with_lun(4).to_string(), "iscsi://me@h:3260/iqn.x:y/4?keep_alive=5");
    for (options, problem) in [
        ("", "none of digests, keep_alive"),
        ("max_transfer=5", "none of digests, keep_alive"),
        ("digests=maybe", "none of accept, prefer"),
        ("keep_alive=0", "from 1 to 86400"),
        ("keep_alive=86401", "from 1 to 86400"),
        ("connect_timeout=1s", "from 1 to 86400"),
        ("connect_timeout", "from 1 to 86400"),
        ("initiator=me", "the initiator name begins with none"),
        ("keep_alive=5&keep_alive=6", "keep_alive is said twice"),
    ] {
        let error = format!("iscsi://u%hunter2@h/iqn.x:y/0?{options}").parse::<DeviceUrl>().unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(problem) && !shown.contains("hunter2"), "{options:?}: {shown}");
    }
}

#[test]
fn sim_keeps_its_options() {
    assert_eq!("sim:".parse(), Ok(DeviceUrl::Sim(String::new())));
    assert_eq!("sim:drives=4".parse::<DeviceUrl>().unwrap().to_string(), "sim:drives=4");
}

#[test]
fn an_sg_device_is_a_path_with_its_options() {
    let url: SgUrl = "sg:/dev/sg3".parse().unwrap();
    assert_eq!((url.path(), url.max_transfer()), (Path::new("/dev/sg3"), None));
    assert_eq!(url.to_string(), "sg:/dev/sg3");
    let text = "sg:/dev/tape/by-path/ip-10.0.0.1:3260-iscsi-iqn.2026-01.x:y-lun-3-changer?max_transfer=65536";
    let url: SgUrl = text.parse().unwrap();
    assert_eq!(url.max_transfer(), Some(65536));
    assert_eq!(DeviceUrl::from(url).to_string(), text);
    let both: SgUrl = "sg:/dev/sg3?in_flight=2&max_transfer=4096".parse().unwrap();
    assert_eq!((both.in_flight(), both.max_transfer()), (Some(2), Some(4096)));
    assert_eq!(both.to_string(), "sg:/dev/sg3?max_transfer=4096&in_flight=2");
    assert!("sim:".parse::<SgUrl>().is_err() && "sg:/dev/sg3".parse::<IscsiUrl>().is_err());
    for (text, problem) in [
        ("sg:", "no absolute path"),
        ("sg:sg3", "no absolute path"),
        ("sg:/dev/sg3?max_transfer=1023", "from 1024 on"),
        ("sg:/dev/sg3?max_transfer=all", "from 1024 on"),
        ("sg:/dev/sg3?in_flight=0", "from 1 to 64"),
        ("sg:/dev/sg3?in_flight=65", "from 1 to 64"),
        ("sg:/dev/sg3?in_flight=2&in_flight=2", "said twice"),
        ("sg:/dev/sg3?timeout=5", "none of max_transfer, in_flight"),
        ("sg:/dev/sg3?", "none of max_transfer, in_flight"),
    ] {
        let error = text.parse::<DeviceUrl>().unwrap_err().to_string();
        assert!(error.contains(problem) && error.contains("sg:/dev/sg3?max_transfer=65536"), "{error}");
    }
}

#[cfg(not(all(feature = "sg", target_os = "linux")))]
#[test]
fn an_sg_device_is_recognised_and_this_build_says_what_it_has() {
    let error = open(&"sg:/dev/sg3".parse().unwrap()).err().expect("no such transport");
    assert!(matches!(error, UrlError::Unavailable { scheme: "sg", .. }));
    let text = error.to_string();
    assert!(text.contains("/dev/sg3") && text.contains(SCHEMES), "{text}");
}

#[test]
fn what_was_probably_meant_is_said_and_no_secret_with_it() {
    let told = |text: &str| text.parse::<DeviceUrl>().unwrap_err().to_string();
    assert!(told("/dev/sg3").contains("did you mean sg:/dev/sg3?"), "{}", told("/dev/sg3"));
    let portal = told("127.0.0.1:13277");
    assert!(portal.contains("iscsi://127.0.0.1:13277/iqn."), "{portal}");
    for text in ["me%hunter2@host:3260", "/dev/%hunter2", "hunter2@host:1"] {
        assert!(!told(text).contains("hunter2"), "{}", told(text));
    }
}

#[test]
fn each_wrong_url_is_told_what_is_wrong_and_never_shows_a_secret() {
    for (text, problem) in [
        ("iscsi:host/iqn.x:y/0", "`//` is missing"),
        ("iscsi://u%hunter2@/iqn.x:y/0", "the host is missing"),
        ("iscsi://u%hunter2/iqn.x:y/0", "a host has no %"),
        ("iscsi://u%hunter2:3260/iqn.x:y/0", "a host has no %"),
        ("iscsi://[fe80::1%hunter2!]/iqn.x:y/0", "no name of a network interface"),
        ("iscsi://[fe80::1%]/iqn.x:y/0", "no name of a network interface"),
        ("iscsi://u%hunter2%t%hunter2@h/iqn.x:y/0", "give each its own"),
        ("iscsi://u%hunter2@h:0/iqn.x:y/0", "the port"),
        ("iscsi://u%hunter2@h:port/iqn.x:y/0", "the port"),
        ("iscsi://u%hunter2@h", "the target name is missing"),
        ("iscsi://u%hunter2@h/x:y/0", "begins with none of"),
        ("iscsi://u%hunter2@h/iqn.x:y", "the LUN is missing"),
        ("iscsi://u%hunter2@h/iqn.x:y/first", "the LUN is no number"),
        ("iscsi://u%hunter2@h/iqn.x:y/16384", "the LUN is no number"),
        ("iscsi://u%hunter2@h/iqn.x:y/0/1", "something follows"),
        ("iscsi://hunter2@h/iqn.x:y/0", "before the @"),
        ("iscsi://u%hunter2%t@h/iqn.x:y/0", "before the @"),
        ("iscsi://u%hunter2", "the host"),
        ("isci://u%hunter2@h/iqn.x:y/0", "unknown kind"),
        ("/dev/sg0", "did you mean sg:/dev/sg0?"),
        ("sg3", "did you mean sg:/dev/sg3?"),
        ("", "Write sim:, sg:/dev/sg3, or"),
    ] {
        let error = text.parse::<DeviceUrl>().unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(error.to_string().contains("iscsi://"), "{error}");
        if text != "iscsi://u%hunter2" {
            assert!(shown.contains(problem), "{text}: {shown}");
        }
    }
}
