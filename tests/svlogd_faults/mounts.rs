//! File systems of a test's own: in a mount namespace that a process holds, so that a logger can be started in it more
//! than once, and nothing is left mounted whatever becomes of the test.

use std::path::PathBuf;

use nix::sys::signal::Signal;
use support::{Ending, LogDirectory, LogPipe, Logger, Scratch, Supervisor, needs, wait_until};

/// A mount namespace, and a network namespace if it was asked for.
pub struct Mounts<'scratch> {
    scratch: &'scratch Scratch,
    namespaces: &'static [&'static str],
    holder: Supervisor,
}

impl<'scratch> Mounts<'scratch> {
    /// A namespace in which a shell has run `script` in the scratch directory; `None`, after saying so, if this user
    /// may not make one.
    #[track_caller]
    pub fn new(scratch: &'scratch Scratch, script: &str) -> Option<Mounts<'scratch>> {
        Mounts::with_namespaces(scratch, &["--mount"], script)
    }

    /// The same with namespaces of these kinds.
    #[track_caller]
    pub fn with_namespaces(
        scratch: &'scratch Scratch,
        namespaces: &'static [&'static str],
        script: &str,
    ) -> Option<Mounts<'scratch>> {
        if !needs(&["namespaces", "nsenter"]) {
            return None;
        }
        let mut command = scratch.command("unshare");
        command.args(namespaces);
        command.args(["sh", "-c", &format!("set -e; {script}\necho ready; exec sleep 1000")]);
        let mut holder = scratch.start(command, Signal::SIGKILL);
        wait_until("a namespace", || {
            assert_eq!(holder.try_wait(), None, "{}", holder.stderr());
            holder.stdout().ends_with("ready\n").then_some(())
        });
        Some(Mounts { scratch, namespaces, holder })
    }

    /// An empty file system of memory on `log`, with these mount options.
    #[track_caller]
    pub fn of_memory(scratch: &'scratch Scratch, options: &str) -> Option<Mounts<'scratch>> {
        scratch.directory("log");
        Mounts::new(scratch, &format!("mount -t tmpfs -o {options} none log"))
    }

    /// A path of the scratch directory as it is in the namespace.
    pub fn path(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{}", self.holder.pid(), self.scratch.path().join(name).display()))
    }

    /// The log directory `log`.
    pub fn log(&self) -> LogDirectory {
        LogDirectory::new(self.path("log"))
    }

    /// Runs a shell script in the scratch directory and the namespace.
    #[track_caller]
    pub fn run(&self, script: &str) {
        let output = self.scratch.output(self.command("sh", &["-c", script]));
        assert_eq!(output.ending, Ending::Exit(0), "{script}: {}{}", output.stdout, output.stderr);
    }

    /// Starts `svlogd` with these words in the namespace.
    pub fn svlogd(&self, words: &[&str]) -> Logger {
        self.scratch.logger(LogPipe::new(), self.command("svlogd", words))
    }

    /// A command in the namespace. What is started for it becomes it.
    pub fn command(&self, program: &str, words: &[&str]) -> std::process::Command {
        let mut command = self.scratch.command("nsenter");
        command.arg(format!("--target={}", self.holder.pid())).args(self.namespaces);
        command.args(["sh", "-c", "cd \"$SVDIR\" && exec \"$0\" \"$@\"", program]).args(words);
        command
    }
}

/// Fills a file system to the last byte, until the answer is dropped or [`Filler::remove`]d.
pub struct Filler {
    path: PathBuf,
}

impl Filler {
    /// Fills the file system of a log directory with one file in it.
    #[track_caller]
    pub fn fill(log: &LogDirectory) -> Filler {
        use std::io::Write;
        let path = log.join("filler");
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&path).expect("a file");
        while file.write_all(&[b'x'; 512]).is_ok() {}
        while file.write_all(b"x").is_ok() {}
        Filler { path }
    }

    /// Makes room.
    pub fn remove(self) {
        std::fs::remove_file(self.path).expect("the file that fills");
    }
}
