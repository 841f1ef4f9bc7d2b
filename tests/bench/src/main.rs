//! Measures the programs beside Debian's runit: the same services, the same run, one after the other and again.
//!
//! `tests/bench.sh` calls this after it has brought and built what is needed.

mod calls;
mod children;
mod clock;
mod figures;
mod load;
mod logger;
mod programs;
mod reports;
mod statistics;
mod sv;
mod table;
mod tree;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use nix::sys::statfs::{TMPFS_MAGIC, statfs};
use nix::sys::statvfs::{FsFlags, statvfs};
use tempfile::TempDir;

use figures::Figure;
use load::Load;
use programs::Programs;
use table::Row;

const EXIT_FAILURE: u8 = 1;
const EXIT_USAGE: u8 = 100;

/// Where files are kept in memory, on one machine or another.
const MEMORY: [&str; 3] = ["/dev/shm", "/tmp", "/run"];

/// Share of the processors that may go to others before the figures are doubted.
const TOLERATED_LOAD: f64 = 0.1;

/// How often a figure is measured that is not reached while the machine is busy.
const TRIES: usize = 3;

/// Who starts the services.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Side {
    /// Our programs.
    Ours,
    /// Those of Debian's package.
    Debian,
    /// One process that does nothing else: what the kernel takes for itself.
    Bare,
}

impl Side {
    const ALL: [Side; 3] = [Side::Ours, Side::Debian, Side::Bare];

    /// Those who have an `sv`.
    const PEERS: [Side; 2] = [Side::Ours, Side::Debian];
}

/// What every figure needs.
struct Bench {
    scratch: PathBuf,
    programs: Programs,
    ours: PathBuf,
    debian: PathBuf,
    /// Where it could be had.
    s6_log: Option<PathBuf>,
}

fn main() -> ExitCode {
    let matches = match command_line().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => {
            // Nothing is left to tell where this cannot be printed.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(EXIT_USAGE) } else { ExitCode::SUCCESS };
        }
    };
    if matches.get_flag("list") {
        figures::ALL.iter().for_each(|figure| println!("{}", figure.name));
        return ExitCode::SUCCESS;
    }
    match run(&matches) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(EXIT_FAILURE),
        Err(error) => {
            eprintln!("bench: fatal: {error:#}");
            ExitCode::from(EXIT_FAILURE)
        }
    }
}

fn command_line() -> Command {
    let programs = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).help(help).required_unless_present("list").value_parser(value_parser!(PathBuf))
    };
    Command::new("bench")
        .about("Measures the programs beside Debian's runit, in one run")
        .arg(programs("ours", "Directory of our programs"))
        .arg(programs("debian", "Directory of the programs of Debian's package runit"))
        .arg(
            Arg::new("s6-log")
                .long("s6-log")
                .help("The program of Debian's package s6; without it the figures that need it are left out")
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(Arg::new("list").long("list").action(ArgAction::SetTrue).help("Name the figures"))
        .arg(
            Arg::new("figure")
                .num_args(0..)
                .value_parser(figures::ALL.map(|figure| figure.name))
                .help("What to measure; without it all"),
        )
}

fn run(matches: &ArgMatches) -> Result<bool> {
    let directory = |name: &str| -> Result<PathBuf> {
        let given: &PathBuf = matches.get_one(name).context("clap wants it")?;
        let path = given.canonicalize().with_context(|| format!("unable to find programs: {}", given.display()))?;
        for program in ["runsvdir", "runsv", "sv", "svlogd", "chpst"] {
            ensure!(path.join(program).exists(), "unable to find a program: {}/{program}", path.display());
        }
        Ok(path)
    };
    let (ours, debian) = (directory("ours")?, directory("debian")?);
    let s6_log: Option<PathBuf> = matches.get_one("s6-log").cloned();
    let s6_log = s6_log.map(|path| path.canonicalize()).transpose().context("unable to find s6-log")?;
    let named: Vec<&String> = matches.get_many("figure").into_iter().flatten().collect();
    let wanted = figures::ALL.iter().filter(|figure| named.is_empty() || named.iter().any(|name| *name == figure.name));

    let scratch = make_scratch()?;
    children::adopt_and_end_on_signal(scratch.path())?;
    // Its own error would hide that of the measurement.
    let measured = Programs::build(scratch.path())
        .map(|programs| Bench { scratch: scratch.path().to_owned(), programs, ours, debian, s6_log })
        .and_then(|bench| measure(&bench, wanted));
    children::end_all();
    children::let_nobody_start();
    let (rows, busiest) = measured?;

    print!("{}", table::render(&rows));
    if busiest > TOLERATED_LOAD {
        println!("\nWARNING: THE MACHINE WAS BUSY: others took up to {:.0} % of its processors.", busiest * 100.0);
        println!("The sides took turns and can be compared; times by themselves are too long, their tails above all.");
    }
    Ok(rows.iter().all(Row::is_reached))
}

fn make_scratch() -> Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("pipit-bench-");
    for place in MEMORY {
        if can_hold_programs(place)
            && let Ok(scratch) = builder.tempdir_in(place)
        {
            return Ok(scratch);
        }
    }
    eprintln!("bench: warning: no place in memory: measuring on the disk that has the temporary directory");
    builder.tempdir().context("unable to make a scratch directory")
}

/// Whether files here are in memory, and may be executed.
fn can_hold_programs(place: &str) -> bool {
    let is_in_memory = statfs(place).is_ok_and(|system| system.filesystem_type() == TMPFS_MAGIC);
    is_in_memory && statvfs(place).is_ok_and(|system| !system.flags().contains(FsFlags::ST_NOEXEC))
}

/// The rows of all figures, and the largest share of the processors that others took meanwhile.
fn measure<'a>(bench: &Bench, wanted: impl Iterator<Item = &'a Figure>) -> Result<(Vec<Row>, f64)> {
    let mut rows = Vec::new();
    let mut busiest: f64 = 0.0;
    for figure in wanted {
        let mut tries = 0;
        let (new, others) = loop {
            eprintln!("bench: {}: {}", figure.name, figure.what);
            let (new, others) = measure_once(bench, figure)?;
            tries += 1;
            // What is missed on a busy machine may be reached on a quiet one. What is reached is reached.
            if new.iter().all(Row::is_reached) || others <= TOLERATED_LOAD || tries == TRIES {
                break (new, others);
            }
            println!("# {} again: others took {:.0} % of the processors", figure.name, others * 100.0);
        };
        new.iter().for_each(|row| println!("{}", row.line()));
        println!("# others took {:.0} % of the processors", others * 100.0);
        rows.extend(new);
        busiest = busiest.max(others);
    }
    Ok((rows, busiest))
}

/// The rows of one figure, and the share of the processors that others took meanwhile.
fn measure_once(bench: &Bench, figure: &Figure) -> Result<(Vec<Row>, f64)> {
    let load = Load::begin()?;
    let rows = (figure.measure)(bench).with_context(|| format!("unable to measure {}", figure.name))?;
    // Only when all have ended is the time that they took known.
    children::end_all();
    Ok((rows, load.share_of_others()?))
}
