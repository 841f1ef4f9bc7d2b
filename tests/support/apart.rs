//! Programs that know their files by path alone, below a `/run` and a `/var/log` of the test's own.

use std::path::PathBuf;

use nix::sys::signal::Signal;

use crate::process::{Output, Supervisor};
use crate::scratch::Scratch;

/// A mount namespace in which `/run` and `/var/run` are the directory `run` of a scratch directory, and `/var/log` is its `log`.
pub struct Apart<'scratch> {
    scratch: &'scratch Scratch,
    /// More to do there, before a program is started.
    steps: String,
}

impl<'scratch> Apart<'scratch> {
    /// Makes the two directories. Needs namespaces.
    pub fn new(scratch: &'scratch Scratch) -> Apart<'scratch> {
        scratch.directory("run");
        scratch.directory("log");
        Apart { scratch, steps: String::new() }
    }

    /// More to do, as a line of a shell, each time before a program is started; its directory is the scratch directory.
    #[must_use]
    pub fn with(mut self, step: &str) -> Apart<'scratch> {
        self.steps.push_str(step);
        self.steps.push('\n');
        self
    }

    /// `/run/utmp`, seen from outside.
    pub fn utmp(&self) -> PathBuf {
        self.scratch.path().join("run/utmp")
    }

    /// `/var/log/wtmp`, seen from outside.
    pub fn wtmp(&self) -> PathBuf {
        self.scratch.path().join("log/wtmp")
    }

    /// Starts a program there; it is looked for in `PATH`, and gets the first word as its name.
    pub fn start(&self, words: &[&str]) -> Supervisor {
        let script = format!(
            "set -e
            [ -L /var/run ] || mount --bind run /var/run
            mount --bind run /run
            mount --bind log /var/log
            {}exec \"$@\"",
            self.steps
        );
        let mut command = self.scratch.command("unshare");
        command.args(["--mount", "sh", "-c", &script, "sh"]).args(words);
        self.scratch.start(command, Signal::SIGKILL)
    }

    /// Runs a program there to its end.
    #[track_caller]
    pub fn run(&self, words: &[&str]) -> Output {
        self.start(words).output()
    }
}
