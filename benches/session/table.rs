//! The table.

use std::time::Duration;

use crate::library::{DISMOUNT, MOUNT, Worked};
use crate::measure::Measured;

pub(crate) const LEGEND: &str = "\
one op is: floor 1, a message and its answer; mount + cancel, both, while the arm is busy; else a mount or a dismount.
1st, 2nd are the latencies of mounts and dismounts apart. x1, x2: how many times floor 1 and floor 2 are faster.
com/op, chg/com: commits per op and changes per commit; x sync: the time per op in bare commits of one change.
Where a client waits longer than the run lasts (many clients, redb), latencies are those of the first who were served.";

/// A line of the table.
pub(crate) struct Line {
    what: &'static str,
    clients: usize,
    rate: f64,
    /// p50 and p99 of each kind.
    latencies: [Option<Duration>; 4],
    above: [Option<f64>; 2],
    commits: [Option<f64>; 3],
}

impl Line {
    pub(crate) fn new(what: &'static str, clients: usize, measured: &Measured) -> Self {
        let quantiles = |kind| [0.5, 0.99].map(|share| measured.quantile(kind, share));
        let ([first, first_99], [second, second_99]) = (quantiles(MOUNT), quantiles(DISMOUNT));
        Self {
            what,
            clients,
            rate: measured.rate(),
            latencies: [first, first_99, second, second_99],
            above: [None; 2],
            commits: [None; 3],
        }
    }

    /// How many times faster the floors are, of which the rates are given.
    pub(crate) fn above(mut self, floors: [Option<f64>; 2]) -> Self {
        self.above = floors.map(|floor| floor.map(|floor| floor / self.rate));
        self
    }

    /// What the store did; `commit` is what a commit of one change takes.
    pub(crate) fn commits(mut self, worked: &Worked, commit: Duration) -> Self {
        let in_commits = 1.0 / self.rate / commit.as_secs_f64();
        self.commits =
            [Some(worked.commits_per_operation), Some(worked.changes_per_commit), Some(in_commits)];
        self
    }
}

/// Prints the lines of one runtime.
pub(crate) fn print_table(title: &str, lines: &[Line]) {
    let [p50, p99] = ["p50", "p99"];
    println!(
        "{title:<26}{:>7}{:>12}{:>10}{:>10}{:>10}{:>10}{:>8}{:>8}{:>8}{:>9}{:>8}",
        "clients",
        "ops/s",
        format!("1st {p50}"),
        p99,
        format!("2nd {p50}"),
        p99,
        "x1",
        "x2",
        "com/op",
        "chg/com",
        "x sync"
    );
    for line in lines {
        print!("{:<26}{:>7}{:>12.0}", line.what, line.clients, line.rate);
        for latency in line.latencies {
            print!("{:>10}", time(latency));
        }
        for ratio in line.above {
            print!("{:>8}", ratio.map_or(String::new(), |ratio| format!("{ratio:.1}")));
        }
        for (figure, width) in line.commits.into_iter().zip([8, 9, 8]) {
            print!("{:>width$}", figure.map_or(String::new(), |figure| format!("{figure:.2}")));
        }
        println!();
    }
    println!();
}

/// A time in three digits.
pub(crate) fn time(time: Option<Duration>) -> String {
    let Some(time) = time else { return String::new() };
    let nanoseconds = time.as_nanos() as f64;
    let (value, unit) = match nanoseconds {
        n if n < 1e3 => (n, "ns"),
        n if n < 1e6 => (n / 1e3, "us"),
        n if n < 1e9 => (n / 1e6, "ms"),
        n => (n / 1e9, "s"),
    };
    let decimals = if value < 10.0 && unit != "ns" { 2 } else { usize::from(value < 100.0 && unit != "ns") };
    format!("{value:.decimals$} {unit}")
}
