//! A tape library on a port: the simulator, served as an iSCSI target.
//!
//! ```text
//! cargo run --example virtual_library                                # on 127.0.0.1:3260, for this machine
//! cargo run --example virtual_library -- 127.0.0.1:0                 # on a port that is free
//! cargo run --example virtual_library -- sim:slots=1000,drives=4     # another library: the options of sim: URLs
//! cargo run --example virtual_library -- 127.0.0.1:3261              # a second one: its port is in its serial numbers
//! cargo run --example virtual_library -- 0.0.0.0:3260 user=backup    # for others; the secret comes from CHAP_SECRET
//! ```
//!
//! Any initiator may then log in: `iscsi-ls -s iscsi://127.0.0.1:3260`, `iscsiadm`, or this crate with the URL that is
//! printed. It ends with Ctrl-C or SIGTERM; where its standard input is a pipe, with the end of that.

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;

use autochanger::transport::sim::{self, ElementType, SimulatedLibrary};
use autochanger::virtual_library::{VirtualLibrary, VirtualLibraryError};

const HELP: &str = "\
virtual_library: a simulated tape library, served as an iSCSI target until its standard input ends

    cargo run --example virtual_library [-- [ADDRESS] [sim:OPTIONS] [user=NAME]]

ADDRESS      where it listens: 127.0.0.1:3260 unless given; with port 0 on one that is free
sim:OPTIONS  the library, as in a `sim:` URL: sim:slots=1000,drives=4,scale=60;
             its serial number ends with its port (serial=TEXT: another one)
user=NAME    who may log in, by CHAP with the secret in the environment's CHAP_SECRET;
             an address that other machines reach is served with it only
-h, --help   this text";

/// The library that is served unless another is described: a minute of its arm takes a second.
const LIBRARY: &str = "slots=24,drives=2,ports=4,cartridges=20,profile=midrange,scale=60";

/// Where it listens unless told otherwise.
const DEFAULT_PORT: u16 = 3260;

/// Under this name the library is found again in the process.
const NAME: &str = "virtual-library";

/// Where the secret of a named user comes from: arguments are seen by everybody on the machine.
const SECRET: &str = "CHAP_SECRET";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let (mut options, mut address, mut user) = (LIBRARY.to_owned(), None, None);
    for argument in std::env::args().skip(1) {
        if ["-h", "--help"].contains(&&*argument) {
            println!("{HELP}");
            return Ok(());
        } else if let Some(described) = argument.strip_prefix("sim:") {
            options = described.to_owned();
        } else if let Some(named) = argument.strip_prefix("user=") {
            user = Some(named.to_owned());
        } else {
            let parsed: SocketAddr = argument.parse().map_err(|_| {
                format!(
                    "{argument:?} is neither `sim:…`, `user=…` nor an address as 127.0.0.1:3260; see --help"
                )
            })?;
            address = Some(parsed);
        }
    }

    if !options.split(',').any(|option| option.starts_with("serial=")) {
        options += &format!(",serial={}", serial_of(address));
    }
    sim::open(&format!("{options},name={NAME}"))?;
    let library = SimulatedLibrary::named(NAME).ok_or("the library has another name")?;
    let mut builder = VirtualLibrary::builder(library);
    if let Some(address) = address {
        builder = builder.listen(address);
    }
    if let Some(user) = user {
        let secret =
            std::env::var(SECRET).map_err(|_| format!("the secret of {user} is missing: set {SECRET}"))?;
        builder = builder.chap(user, secret);
    }
    let served = builder.start().await.map_err(|error| match error {
        VirtualLibraryError::NeedsChap { .. } => {
            format!("{error}; the user is named by user=NAME, the secret by {SECRET}").into()
        }
        other => Box::<dyn Error>::from(other),
    })?;

    let contents = served.library().contents();
    let count = |kind| contents.iter().filter(|(_, element, _)| *element == kind).count();
    let cartridges = contents.iter().filter(|(_, _, cartridge)| cartridge.is_some()).count();
    println!(
        "A library with {} slots, {} drives, {} mail slots and {cartridges} cartridges listens on {}.",
        count(ElementType::Storage),
        count(ElementType::Drive),
        count(ElementType::ImportExport),
        served.address(),
    );
    println!("Its changer: {}", served.url());
    println!("Look at it:  iscsi-ls -s iscsi://{}", served.address());

    if is_piped() {
        println!("It serves until its standard input ends.");
        // A thread, since standard input cannot be waited for otherwise; it ends with the program.
        let (ended, end) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            let _ = ended.send(());
        });
        let _ = end.await;
    } else {
        let told_to_end = told_to_end()?;
        println!("It serves until Ctrl-C, or `kill {}`.", std::process::id());
        told_to_end.await;
    }
    println!(
        "Closing: {} sessions were open, {} moves were made.",
        served.sessions(),
        served.library().moves_done()
    );
    served.shutdown().await;
    Ok(())
}

/// Another one for each library of a machine, the same at each start on a port that is named. The serial numbers of its drives begin
/// with its last five characters.
fn serial_of(address: Option<SocketAddr>) -> String {
    let number = match address.map_or(DEFAULT_PORT, |address| address.port()) {
        0 => std::process::id() % 100_000,
        port => port.into(),
    };
    format!("VIRTUAL{number:05}")
}

/// Whether somebody holds the other end of the standard input: its end tells that he is gone. A terminal, a file or nothing at
/// all (`nohup`, a job in the background) tells nothing.
fn is_piped() -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        let kind = std::fs::metadata("/dev/stdin").map(|stdin| stdin.file_type());
        kind.is_ok_and(|kind| kind.is_fifo() || kind.is_socket())
    }
    #[cfg(not(unix))]
    false
}

/// Ends when the process is told to. It is heard from the call on, so that whoever is told that the library serves can end it.
#[cfg(unix)]
fn told_to_end() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminated, mut interrupted) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
    })
}

/// The same where there is Ctrl-C alone.
#[cfg(not(unix))]
fn told_to_end() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}
