//! What `chpst` costs, beside Debian's and beside a program that only executes another.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use nix::unistd::geteuid;

use super::{Figure, take_turns};
use crate::statistics::Samples;
use crate::table::{Asked, Row, Value};
use crate::{Bench, Side, children, clock};

pub const FIGURE: Figure = Figure { name: "chpst", what: "the time that chpst adds to an exec", measure };
pub const FULL: Figure =
    Figure { name: "chpst-full", what: "the same with a user and an environment", measure: measure_full };

/// How often each is run.
const ROUNDS: usize = 3000;

/// How many times the time of one more exec of the smallest program.
const ASKED: f64 = 1.3;
/// The same with a user and an environment directory.
const ASKED_FULL: f64 = 2.0;

/// A user that is on every machine, and in the last lines of its file.
const USER: &str = "nobody";
/// The files of the environment directory.
const FILES: [(&str, &str); 3] = [("LANG", "C.UTF-8\n"), ("STATE", "/var/lib/service\n"), ("PATH", "/usr/bin:/bin\n")];

fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let title = ("chpst", "what chpst adds to an exec");
    Ok(vec![row(bench, title, &[], ASKED)?])
}

fn measure_full(bench: &Bench) -> Result<Vec<Row>> {
    if !geteuid().is_root() {
        println!("# figure chpst-full left out: only the superuser may become another user");
        return Ok(Vec::new());
    }
    let directory = bench.scratch.join("environment");
    std::fs::create_dir_all(&directory).context("unable to make an environment directory")?;
    for (name, value) in FILES {
        std::fs::write(directory.join(name), value).context("unable to make a file of an environment")?;
    }
    let directory = directory.to_str().context("a scratch directory has an ordinary name")?;
    let title = ("chpst-full", "what chpst -u USER -e DIR adds to an exec");
    Ok(vec![row(bench, title, &["-u", USER, "-e", directory], ASKED_FULL)?])
}

/// All take turns, and each is held against the run without it of the same turn.
fn row(bench: &Bench, (name, what): (&'static str, &'static str), words: &[&str], asked: f64) -> Result<Row> {
    let passer = &bench.programs.passer;
    let place = |side| match side {
        Side::Ours => bench.ours.join("chpst"),
        Side::Debian => bench.debian.join("chpst"),
        Side::Bare => passer.clone(),
    };
    // Links on the way to a program are not what is measured.
    let programs =
        Side::ALL.map(|side| place(side).canonicalize().with_context(|| format!("unable to find {:?}", place(side))));
    let [ours, debian, bare]: [Result<PathBuf>; 3] = programs;
    let all = [(None, &[][..]), (Some(ours?), words), (Some(debian?), words), (Some(bare?), &[][..])];
    let places: Vec<usize> = (0..all.len()).collect();
    let times = take_turns(&places, ROUNDS, |place, _| {
        let (program, words) = &all[place];
        time(program.as_deref(), words, passer)
    })?;
    let added =
        |place: usize| Samples::new(times[place].iter().zip(&times[0]).map(|(with, without)| with - without).collect());
    let bare = added(3);
    Ok(Row {
        name,
        what,
        unit: "us",
        ours: Value::median(&added(1)),
        debian: Value::median(&added(2)),
        s6: None,
        bare: Some(Value::median(&bare)),
        asked: Asked::AtMost(asked * bare.median()),
    })
}

/// Microseconds from before the fork to the end of the program that is executed last.
fn time(program: Option<&Path>, words: &[&str], last: &Path) -> Result<f64> {
    let mut command = Command::new(program.unwrap_or(last));
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", "/root").env("LANG", "C");
    command.stdin(Stdio::null());
    if program.is_some() {
        std::os::unix::process::CommandExt::arg0(&mut command, "chpst");
        command.args(words).arg(last);
    }
    let begin = clock::now();
    let ending = children::start(&mut command)?.wait().context("unable to wait for a program")?;
    let time = clock::now().saturating_sub(begin);
    ensure!(ending.success(), "{}: {ending}", command.get_program().display());
    Ok(time.as_secs_f64() * 1e6)
}
