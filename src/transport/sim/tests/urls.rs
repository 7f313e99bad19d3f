//! What a `sim:` URL opens, and what it can say.

use super::*;

#[tokio::test]
async fn a_named_url_is_the_same_library_until_it_is_unpublished() {
    let first = open("name=same,slots=10,cartridges=3").unwrap();
    open("name=same").unwrap();
    open("cartridges=3,slots=10,name=same").unwrap();
    assert_eq!(first.device(), "sim:name=same");
    let library = SimulatedLibrary::named("same").unwrap();
    first.execute(ready()).await.unwrap();
    assert_eq!((library.log().len(), library.serial().as_str()), (1, "SIM-same"));
    assert!(matches!(open("name=same,slots=11"), Err(UrlError::Malformed { .. })));
    assert!(SimulatedLibrary::unpublish("same").is_some());
    open("name=same,slots=11").unwrap();
    assert!(SimulatedLibrary::named("nobody").is_none());
}

#[tokio::test]
async fn a_url_switches_quirks_on_and_names_those_that_do_not_exist() {
    let library = open("quirks=mode-sense-10-only+ghost-slots:9").unwrap();
    library.execute(ready()).await.unwrap();
    let six = autochanger_scsi::ModeSense6 { page: 0x1D, allocation: 255, ..Default::default() };
    let answer = library.execute(Command::reading(six.cdb(), 255, Duration::from_secs(60))).await.unwrap();
    assert_eq!(answer.sense().map(|sense| sense.code.asc), Some(0x20));
    for (options, named) in
        [("quirks=", "\"\""), ("quirks=no-dvcid+gosts", "gosts"), ("quirks=ghost-slots:x", "ghost-slots:x")]
    {
        let error = open(options).err().expect("no such quirk").to_string();
        assert!(error.contains(named), "{error}");
    }
}

#[test]
fn a_library_of_ones_own_can_be_published() {
    let library = SimulatedLibrary::start(stocked().serial("MINE"));
    assert_eq!(library.publish("published").unwrap().to_string(), "sim:name=published");
    assert_eq!(SimulatedLibrary::named("published").unwrap().serial(), "MINE");
    assert_eq!(open("name=published,lun=1").unwrap().device(), "sim:name=published,lun=1");
    assert!(library.publish("published").is_err());
    assert!(library.publish("a,b").is_err());
}

#[test]
fn two_unnamed_libraries_are_two() {
    let [one, two] = [open("").unwrap(), open("").unwrap()];
    assert_ne!(one.device(), two.device());
}

#[test]
fn options_make_the_library_that_they_describe() {
    open(
        "name=made,slots=40,drives=3,ports=2,arms=2,cartridges=5,profile=midrange,scale=100,seed=7,serial=S9",
    )
    .unwrap();
    let library = SimulatedLibrary::named("made").unwrap();
    assert_eq!(library.serial(), "S9");
    let contents = library.contents();
    assert_eq!(contents.len(), 40 + 3 + 2 + 2);
    assert_eq!(contents.iter().filter(|(_, _, barcode)| barcode.is_some()).count(), 5);
    assert_eq!(library.find("VT0005L8"), Some(ElementAddress(1004)));
    open("slots=3").unwrap();
}

#[test]
fn wrong_options_are_told_what_is_wrong() {
    for (options, problem) in [
        ("slots", "has no value"),
        ("slots=many", "no number"),
        ("slots=70000", "no number"),
        ("slots=1,slots=2", "twice"),
        ("colour=red", "no option \"colour\""),
        ("profile=quick", "no profile"),
        ("scale=0", "above zero"),
        ("scale=inf", "above zero"),
        ("name=", "printable"),
        ("lun=3", "no logical unit 3"),
        ("slots=3,cartridges=4", "no slot is left"),
        ("drives=600", "overlap"),
    ] {
        let Err(error) = open(options) else { panic!("{options} was taken") };
        let text = error.to_string();
        assert!(text.contains(problem) && text.contains(options) && text.contains("sim:"), "{text}");
    }
}
