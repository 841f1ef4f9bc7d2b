//! Calls of `sv`, timed and counted.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use nix::sys::ptrace::{self, Options};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::{Bench, Side, children, clock};

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
        let mut command = self.command()?;
        // SAFETY: the closure makes one system call, allocates nothing and takes no lock.
        unsafe { command.pre_exec(|| ptrace::traceme().map_err(std::io::Error::from)) };
        let pid = Pid::from_raw(i32::try_from(children::start(&mut command)?.id()).context("a pid fits")?);
        let (stops, is_success) = count_stops(pid).context("unable to trace sv")?;
        self.check(is_success, begins)?;
        // One stop as a call begins and one as it ends; the last call does not.
        Ok(stops.div_ceil(2))
    }
}

/// The stops at system calls of a process that is stopped after its exec, and whether it ended well.
fn count_stops(pid: Pid) -> Result<(usize, bool)> {
    let mut stops = 0;
    let mut signal = None;
    let mut is_prepared = false;
    loop {
        match waitpid(pid, None)? {
            WaitStatus::Exited(_, code) => return Ok((stops, code == 0)),
            WaitStatus::Signaled(_, signal, _) => bail!("it was ended by {signal}"),
            WaitStatus::PtraceSyscall(_) => {
                stops += 1;
                signal = None;
            }
            WaitStatus::Stopped(_, _) if !is_prepared => {
                ptrace::setoptions(pid, Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_EXITKILL)?;
                is_prepared = true;
            }
            WaitStatus::Stopped(_, other) => signal = Some(other),
            other => bail!("it came to {other:?}"),
        }
        ptrace::syscall(pid, signal)?;
    }
}
