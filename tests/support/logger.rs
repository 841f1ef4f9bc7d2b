//! A running `svlogd`, and the pipe the test feeds it through.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::Signal;

use crate::process::{Ending, Output, Supervisor};
use crate::scratch::Scratch;
use crate::wait::wait_until;

/// A pipe whose both ends the test keeps, as runsv does: what a logger leaves in it is there for the next one.
pub struct LogPipe {
    reader: OwnedFd,
    writer: Option<File>,
}

impl LogPipe {
    /// An empty pipe.
    #[expect(clippy::new_without_default, reason = "makes a pipe")]
    pub fn new() -> LogPipe {
        let (reader, writer) = nix::unistd::pipe2(OFlag::O_CLOEXEC).expect("a pipe");
        fcntl(&writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).expect("a mode");
        LogPipe { reader, writer: Some(writer.into()) }
    }

    /// Writes as much as there is room for, and says how much that was.
    pub fn try_write(&mut self, bytes: &[u8]) -> usize {
        let writer = self.writer.as_mut().expect("an input that is open");
        match writer.write(bytes) {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            Err(error) => panic!("unable to write to the pipe: {error}"),
        }
    }

    /// Writes all of it, in one piece if there is room, waiting until it is read where there is none.
    #[track_caller]
    pub fn write(&mut self, bytes: impl AsRef<[u8]>) {
        let mut rest = bytes.as_ref();
        while !rest.is_empty() {
            let count = wait_until("a logger that reads", || match self.try_write(rest) {
                0 => None,
                count => Some(count),
            });
            rest = &rest[count..];
        }
    }

    /// The bytes that nobody has read yet.
    pub fn unread(&self) -> usize {
        crate::waiting_bytes(&self.reader)
    }

    /// True if whoever reads from it waits where there is nothing.
    pub fn is_blocking(&self) -> bool {
        let flags = fcntl(&self.reader, FcntlArg::F_GETFL).expect("flags");
        !OFlag::from_bits_retain(flags).contains(OFlag::O_NONBLOCK)
    }

    /// Ends the input.
    pub fn close(&mut self) {
        self.writer = None;
    }

    /// Makes this pipe the standard input of a command.
    pub fn feed(&self, command: &mut Command) {
        let reader = self.reader.try_clone().expect("another descriptor");
        // SAFETY: the closure makes one system call, allocates nothing and takes no lock.
        unsafe {
            command.pre_exec(move || nix::unistd::dup2_stdin(&reader).map_err(std::io::Error::from));
        }
    }
}

/// A running logger that reads what the test writes. Killed when dropped.
pub struct Logger {
    process: Supervisor,
    /// What it reads.
    pub input: LogPipe,
}

impl Logger {
    /// Writes all of it to the logger's input.
    #[track_caller]
    pub fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.input.write(bytes);
    }

    /// Writes all of it and waits until the logger has dealt with it.
    #[track_caller]
    pub fn feed(&mut self, bytes: impl AsRef<[u8]>) {
        self.write(bytes);
        self.settle();
    }

    /// Ends its input.
    pub fn close(&mut self) {
        self.input.close();
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Sends it a signal.
    pub fn signal(&mut self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Sends it a signal and waits until it has dealt with it.
    #[track_caller]
    pub fn tell(&mut self, signal: Signal) {
        self.signal(signal);
        self.settle();
    }

    /// How it ended, `None` while it runs.
    pub fn try_wait(&mut self) -> Option<Ending> {
        self.process.try_wait()
    }

    /// Waits for its end.
    #[track_caller]
    pub fn wait(&mut self) -> Ending {
        self.process.wait()
    }

    /// Ends its input, waits for its end, and gives back all it left.
    #[track_caller]
    pub fn end(&mut self) -> Output {
        self.close();
        self.process.output()
    }

    /// Writes all of it, ends the input, waits for the end of the logger, and gives back all it left.
    #[track_caller]
    pub fn end_with(mut self, bytes: impl AsRef<[u8]>) -> Output {
        self.write(bytes);
        self.end()
    }

    /// Sends it TERM, waits for its end, and gives back all it left.
    #[track_caller]
    pub fn terminate(&mut self) -> Output {
        self.signal(Signal::SIGTERM);
        self.process.output()
    }

    /// What it has written to descriptor 1; its processors do not write there.
    pub fn stdout(&self) -> String {
        self.process.stdout()
    }

    /// What it and its processors have written to descriptor 2.
    pub fn stderr(&self) -> String {
        self.process.stderr()
    }

    /// Waits until stderr has `text` in it.
    #[track_caller]
    pub fn wait_stderr(&self, text: &str) {
        self.process.wait_stderr(text);
    }

    /// Waits until it has read all there is and waits for more, or has ended.
    #[track_caller]
    pub fn settle(&mut self) {
        wait_until("a logger that waits for input", || {
            let pid = self.pid();
            let switches = crate::context_switches(pid);
            // If it has not run meanwhile, all of this was so at one moment.
            let is_idle = self.input.unread() == 0 && crate::waits(pid) && crate::context_switches(pid) == switches;
            (is_idle || self.try_wait().is_some()).then_some(())
        });
    }

    /// Waits until no processor runs, and it waits for input, or has ended.
    #[track_caller]
    pub fn settle_processors(&mut self) {
        wait_until("an end of all processors", || {
            self.settle();
            let switches = crate::context_switches(self.pid());
            let runs = !crate::children(self.pid()).is_empty();
            (!runs && crate::context_switches(self.pid()) == switches).then_some(())
        });
    }

    /// The pipe with what is left in it, for the next logger; this one is killed if it still runs.
    pub fn into_input(self) -> LogPipe {
        self.input
    }
}

impl Scratch {
    /// Starts `svlogd` with these words on a new pipe.
    pub fn svlogd(&self, words: &[&str]) -> Logger {
        self.svlogd_on(LogPipe::new(), words)
    }

    /// Starts `svlogd` with these words on a pipe.
    pub fn svlogd_on(&self, input: LogPipe, words: &[&str]) -> Logger {
        let mut command = self.command("svlogd");
        command.args(words);
        self.logger(input, command)
    }

    /// Starts a command that becomes a logger.
    pub fn logger(&self, input: LogPipe, mut command: Command) -> Logger {
        input.feed(&mut command);
        Logger { process: self.start(command, Signal::SIGKILL), input }
    }
}
