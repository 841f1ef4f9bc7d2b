//! Programs that write what comes through a pipe into a directory of their own.

use std::fs::{self, File};
use std::io::{PipeWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::{Bench, children, clock};

/// Looks at a logger are this far apart.
const PAUSE: Duration = Duration::from_micros(200);

/// Bytes at which a log directory is rotated.
const SIZE: usize = 1_000_000;

/// More old files than there will ever be.
const ALL: usize = 1_000_000;

/// Who writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Logger {
    /// Our `svlogd`.
    Ours,
    /// That of Debian's package.
    Debian,
    /// `s6-log`, where it could be had.
    S6Log,
    /// `cat` into one file: the floor, for much at once.
    Cat,
    /// One read and one write for each line of so many bytes: the floor, for lines that arrive one at a time.
    Copier(usize),
}

/// What stands before each line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stamp {
    /// Nothing.
    None,
    /// Date and time for people. `cat` and the copier never write one.
    Date,
}

/// How many old files stay.
#[derive(Clone, Copy)]
pub enum Keep {
    /// Few.
    Five,
    /// All of them.
    All,
}

/// What a logger is to do.
#[derive(Clone, Copy)]
pub struct Task {
    /// What it writes before each line.
    pub stamp: Stamp,
    /// What it removes.
    pub keep: Keep,
}

impl Keep {
    fn number(self) -> usize {
        match self {
            Self::Five => 5,
            Self::All => ALL,
        }
    }
}

impl Logger {
    /// Those who rotate, with their stamps and directories.
    pub fn peers(bench: &Bench) -> Vec<Self> {
        let s6_log = bench.s6_log.as_ref().map(|_| Self::S6Log);
        [Self::Ours, Self::Debian].into_iter().chain(s6_log).collect()
    }

    /// Those, and a floor.
    pub fn peers_and(bench: &Bench, floor: Self) -> Vec<Self> {
        let mut loggers = Self::peers(bench);
        loggers.push(floor);
        loggers
    }
}

/// A log directory and the logger that is to write into it.
pub struct Prepared {
    /// Starts the logger.
    pub command: Command,
    /// What it reads.
    pub input: PipeWriter,
    /// Where it writes.
    pub directory: LogDirectory,
}

impl Prepared {
    /// Makes a new directory.
    pub fn new(bench: &Bench, logger: Logger, task: Task) -> Result<Self> {
        let directory = LogDirectory(bench.scratch.join(format!("{logger:?}")));
        fs::create_dir(&directory.0).context("unable to make a log directory")?;
        let mut command = directory.command(bench, logger, task)?;
        let (reader, input) = std::io::pipe().context("unable to make a pipe")?;
        command.stdin(reader).env_clear();
        Ok(Self { command, input, directory })
    }

    /// Starts the logger, and waits until it has nothing to do.
    pub fn start(mut self) -> Result<Running> {
        let child = children::start(&mut self.command)?;
        let running = Running { child, input: self.input, directory: self.directory };
        // The pipe must have no reader here: with the logger gone, writing to it is an error.
        drop(self.command);
        clock::wait_until("a logger to begin", PAUSE, || Ok(running.directory.current().exists().then_some(())))?;
        running.wait_asleep()?;
        Ok(running)
    }
}

/// A logger that has been started.
pub struct Running {
    child: Child,
    input: PipeWriter,
    directory: LogDirectory,
}

impl Running {
    /// Starts one with a new directory, and waits until it has nothing to do.
    pub fn start(bench: &Bench, logger: Logger, task: Task) -> Result<Self> {
        Prepared::new(bench, logger, task)?.start().with_context(|| format!("unable to start {logger:?}"))
    }

    /// Writes to its pipe, as much at once as there is room for.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<()> {
        self.input.write_all(bytes).context("unable to feed a logger")
    }

    /// The process.
    pub fn pid(&self) -> Result<i32> {
        i32::try_from(self.child.id()).context("a pid fits")
    }

    /// Waits until it has done all it was given: who has something to read does not sleep.
    pub fn wait_asleep(&self) -> Result<()> {
        let pid = self.pid()?;
        clock::wait_until("a logger to sleep", PAUSE, || Ok(children::is_asleep(pid).then_some(())))
    }

    /// The file that lines are appended to.
    pub fn open_current(&self) -> Result<File> {
        File::open(self.directory.current()).context("unable to open current")
    }

    /// Closes its input, and waits for its end.
    pub fn finish(mut self) -> Result<LogDirectory> {
        drop(self.input);
        let ending = self.child.wait().context("unable to wait for a logger")?;
        ensure!(ending.success(), "a logger has failed: {ending}");
        Ok(self.directory)
    }
}

/// What a logger writes into.
pub struct LogDirectory(PathBuf);

impl LogDirectory {
    fn current(&self) -> PathBuf {
        self.0.join("current")
    }

    fn command(&self, bench: &Bench, logger: Logger, task: Task) -> Result<Command> {
        match logger {
            Logger::Ours => self.svlogd(&bench.ours, task),
            Logger::Debian => self.svlogd(&bench.debian, task),
            Logger::S6Log => Ok(self.s6_log(bench.s6_log.as_ref().context("there is no s6-log")?, task)),
            Logger::Cat => self.copier(Command::new("cat")),
            Logger::Copier(bytes) => {
                let mut command = Command::new(&bench.programs.copier);
                command.arg(bytes.to_string());
                self.copier(command)
            }
        }
    }

    fn svlogd(&self, programs: &Path, task: Task) -> Result<Command> {
        let config = format!("s{SIZE}\nn{}\n", task.keep.number());
        fs::write(self.0.join("config"), config).context("unable to write config")?;
        let mut command = Command::new(programs.join("svlogd"));
        command.args((task.stamp == Stamp::Date).then_some("-tt")).arg(&self.0);
        Ok(command)
    }

    fn s6_log(&self, program: &Path, task: Task) -> Command {
        let mut command = Command::new(program);
        command.args((task.stamp == Stamp::Date).then_some("T"));
        command.args([format!("n{}", task.keep.number()), format!("s{SIZE}")]).arg(&self.0);
        command
    }

    /// One that writes to descriptor 1.
    fn copier(&self, mut command: Command) -> Result<Command> {
        command.stdout(File::create(self.current()).context("unable to make a file")?);
        Ok(command)
    }

    /// Whether it has so many lines as were fed, in this order, each with nothing but a stamp before it.
    pub fn check(&self, fed: &[u8]) -> Result<()> {
        compare(&self.contents()?, fed).with_context(|| format!("{} has not what was fed", self.0.display()))
    }

    /// All files, the oldest first.
    fn contents(&self) -> Result<Vec<u8>> {
        let entries = fs::read_dir(&self.0).context("unable to read a log directory")?;
        let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
        names.retain(|name| name.as_encoded_bytes().starts_with(b"@"));
        names.sort();
        names.push("current".into());
        let files: Result<Vec<_>> = names
            .iter()
            .map(|name| fs::read(self.0.join(name)).with_context(|| format!("unable to read {}", name.display())))
            .collect();
        Ok(files?.concat())
    }

    /// Removes it with all that is in it.
    pub fn remove(self) -> Result<()> {
        fs::remove_dir_all(&self.0).context("unable to remove a log directory")
    }
}

fn compare(written: &[u8], fed: &[u8]) -> Result<()> {
    let mut written = written.split_inclusive(|byte| *byte == b'\n');
    let mut count = 0;
    for line in fed.split_inclusive(|byte| *byte == b'\n') {
        count += 1;
        ensure!(written.next().is_some_and(|its| its.ends_with(line)), "line {count} is not there");
    }
    let surplus = written.count();
    ensure!(surplus == 0, "{surplus} lines more than {count}");
    Ok(())
}

/// So many numbered lines of so many bytes each, with the newline.
pub fn lines(count: usize, bytes: usize) -> Vec<u8> {
    const NUMBER: usize = 10;
    let filling = "x".repeat(bytes.saturating_sub(NUMBER + 1));
    (0..count).flat_map(|number| format!("{number:09} {filling}\n").into_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_differ_and_have_the_length_asked_for() {
        assert_eq!(lines(2, 12), b"000000000 x\n000000001 x\n");
        assert!(lines(3, 80).split_inclusive(|byte| *byte == b'\n').all(|line| line.len() == 80));
    }

    #[test]
    fn stamped_lines_are_those_that_were_fed() {
        assert!(compare(b"2026-01-01 one\n2026-01-01 two\n", b"one\ntwo\n").is_ok());
    }

    #[test]
    fn lost_doubled_and_disordered_lines_are_found() {
        let fed = b"one\ntwo\n";
        for written in ["one\n", "two\n", "one\ntwo\ntwo\n", "two\none\n", "one\ntw", ""] {
            assert!(compare(written.as_bytes(), fed).is_err(), "{written:?}");
        }
    }
}
