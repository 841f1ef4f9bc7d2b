//! Calls of `sv`, timed and counted.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::{Bench, Side, calls, children, clock};

/// One command line of `sv`, for services of one directory.
pub struct Sv {
    program: PathBuf,
    directory: PathBuf,
    words: Vec<String>,
    output: PathBuf,
}

impl Sv {
    /// `sv COMMAND NAME ...` of one of the peers.
    pub fn new(bench: &Bench, side: Side, directory: &Path, command: &str, names: &[&str]) -> Self {
        let programs = if side == Side::Debian { &bench.debian } else { &bench.ours };
        let words = [&[command], names].concat().into_iter().map(str::to_owned).collect();
        let output = bench.scratch.join("sv.output");
        Self { program: programs.join("sv"), directory: directory.to_owned(), words, output }
    }

    fn command(&self) -> Result<Command> {
        // A file takes what is written without waking a reader.
        let output = File::create(&self.output).context("unable to make a file for the output of sv")?;
        let errors = output.try_clone().context("unable to share the output of sv")?;
        let mut command = Command::new(&self.program);
        command.args(&self.words).env_clear().env("SVDIR", &self.directory);
        command.stdin(Stdio::null()).stdout(output).stderr(errors);
        Ok(command)
    }

    /// Whether it told of every service that it runs.
    fn check(&self, is_success: bool, begins: &str) -> Result<()> {
        let output = fs::read_to_string(&self.output).context("unable to read the output of sv")?;
        let told = output.lines().filter(|line| line.starts_with(begins)).count();
        let is_complete = is_success && told == self.words.len() - 1 && told == output.lines().count();
        ensure!(is_complete, "{} {}: {output}", self.program.display(), self.words[0]);
        Ok(())
    }

    /// Runs it to its end, which must be success, with a line that begins so for every service.
    pub fn time(&self, begins: &str) -> Result<Duration> {
        let mut command = self.command()?;
        let begin = clock::now();
        let ending = children::start(&mut command)?.wait().context("unable to wait for sv")?;
        let time = clock::now().saturating_sub(begin);
        self.check(ending.success(), begins)?;
        Ok(time)
    }

    /// Runs it likewise, and counts its system calls.
    pub fn count_calls(&self, begins: &str) -> Result<usize> {
        let command = self.command()?;
        let counted = calls::count(command)?;
        self.check(counted.is_success, begins)?;
        Ok(counted.calls)
    }
}
