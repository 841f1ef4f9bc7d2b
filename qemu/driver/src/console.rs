//! The serial console, driven as a person would: type a line, read until something known appears.
//!
//! Nothing here waits for a fixed time; every wait has a limit, and an error shows what was seen instead.

use anyhow::{Context, Result, bail};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// A command that is not over by then is stuck. A slow one under emulation takes 2 s.
const COMMAND_LIMIT: Duration = Duration::from_secs(90);
/// The shortest time that a read can be told to wait.
const TICK: Duration = Duration::from_millis(1);
/// What the kernel says before it gives up; no wait goes on after it.
const PANIC_MARK: &str = "Kernel panic - not syncing";
/// How much of the console an error shows.
const SHOWN_LINES: usize = 25;

pub struct Console {
    stream: UnixStream,
    /// Text that nobody waited for yet, without carriage returns and escape sequences.
    unread: String,
    cleaner: Cleaner,
    journal: Journal,
    /// Number of the last command, so that each end mark is its own.
    commands: u32,
}

/// What a command printed and how it ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub text: String,
    pub code: u32,
}

/// What came before a mark, and when the mark came.
#[derive(Debug)]
pub struct Seen {
    pub text: String,
    pub at: Instant,
}

impl Console {
    /// # Errors
    /// The journal cannot be created.
    pub fn open(stream: UnixStream, started: Instant, journal: &Path) -> Result<Self> {
        Ok(Self {
            stream,
            unread: String::new(),
            cleaner: Cleaner::default(),
            journal: Journal::create(journal, started)?,
            commands: 0,
        })
    }

    /// Goes on with the console of another machine; it is recorded in the same journal.
    ///
    /// # Errors
    /// The journal cannot be written to.
    pub fn connect(&mut self, stream: UnixStream) -> Result<()> {
        self.stream = stream;
        self.journal.end_line()?;
        self.unread.clear();
        self.cleaner = Cleaner::default();
        Ok(())
    }

    /// Types `line` and the enter key.
    ///
    /// # Errors
    /// The machine is gone.
    pub fn type_line(&mut self, line: &str) -> Result<()> {
        self.journal.note_typed(line)?;
        self.stream.write_all(format!("{line}\n").as_bytes()).context("console: unable to type")
    }

    /// Reads until `mark` appears and takes everything up to its end.
    ///
    /// # Errors
    /// A kernel panic, the end of the machine, or `limit` passes; the error shows the last lines.
    pub fn wait_for(&mut self, mark: &str, limit: Duration) -> Result<Seen> {
        self.wait_for_any(&[mark], limit).map(|(_, seen)| seen)
    }

    /// The same with several marks, of which the one that comes first counts; returns its index too.
    ///
    /// # Errors
    /// As above.
    pub fn wait_for_any(&mut self, marks: &[&str], limit: Duration) -> Result<(usize, Seen)> {
        let deadline = Instant::now() + limit;
        loop {
            let found = marks.iter().enumerate().filter_map(|(index, mark)| Some((self.unread.find(mark)?, index)));
            if let Some((position, index)) = found.min() {
                let rest = self.unread.split_off(position + marks[index].len());
                let mut text = std::mem::replace(&mut self.unread, rest);
                text.truncate(position);
                return Ok((index, Seen { text, at: Instant::now() }));
            }
            if self.unread.contains(PANIC_MARK) {
                bail!("kernel panic while waiting for {marks:?}{}", self.shown());
            }
            if !self.read_more(deadline).with_context(|| format!("console: waiting for {marks:?}{}", self.shown()))? {
                bail!("the machine ended while waiting for {marks:?}{}", self.shown());
            }
        }
    }

    /// Reads for so long, whatever comes, or to the end of the machine.
    ///
    /// # Errors
    /// The console cannot be read.
    pub fn watch(&mut self, time: Duration) -> Result<()> {
        let deadline = Instant::now() + time;
        while Instant::now() < deadline {
            self.stream.set_read_timeout(Some(deadline.saturating_duration_since(Instant::now()).max(TICK)))?;
            if !self.read_once()?.unwrap_or(true) {
                break;
            }
        }
        Ok(())
    }

    /// Runs one command in the shell on the console.
    ///
    /// # Errors
    /// Its end mark does not come.
    pub fn run(&mut self, command: &str) -> Result<Answer> {
        self.run_within(command, COMMAND_LIMIT)
    }

    /// The same with a limit of its own, for a command that waits by itself.
    ///
    /// # Errors
    /// Its end mark does not come.
    pub fn run_within(&mut self, command: &str, limit: Duration) -> Result<Answer> {
        self.commands += 1;
        let mark = format!("END{}=", self.commands);
        // The mark is put together by the shell, so an echo of what was typed is not taken for it.
        self.type_line(&format!("{command}; echo \"E\"\"ND{}=$?\"", self.commands))?;
        let text = self.wait_for(&mark, limit).with_context(|| format!("command: {command}"))?.text;
        let code = self.wait_for("\n", COMMAND_LIMIT)?.text;
        let code = code.trim().parse().with_context(|| format!("command: {command}: not an exit code: {code:?}"))?;
        Ok(Answer { text, code })
    }

    /// Runs a command that must succeed; returns what it printed.
    ///
    /// # Errors
    /// It fails.
    pub fn ask(&mut self, command: &str) -> Result<String> {
        let answer = self.run(command)?;
        if answer.code != 0 {
            bail!("{command}: exit code {}: {}", answer.code, answer.text.trim());
        }
        Ok(answer.text)
    }

    /// Makes a fresh shell quiet: no echo, no prompt, so that only answers appear.
    ///
    /// # Errors
    /// The shell does not answer.
    pub fn settle_shell(&mut self) -> Result<()> {
        self.type_line("stty -echo cols 200; PS1=; PS2=")?;
        self.run("true").map(drop)
    }

    /// Gets the shell back after something went wrong: interrupts what runs there and drops what it said.
    ///
    /// # Errors
    /// The shell does not answer.
    pub fn recover_shell(&mut self) -> Result<()> {
        self.stream.write_all(b"\x03\n").context("console: unable to type")?;
        self.settle_shell()
    }

    /// Reads to the end of the machine.
    ///
    /// # Errors
    /// It does not end within the limit.
    pub fn wait_end(&mut self, limit: Duration) -> Result<()> {
        let deadline = Instant::now() + limit;
        while self.read_more(deadline).context("console: waiting for the end")? {}
        Ok(())
    }

    /// Adds what comes next to the unread text; false at the end of the machine.
    fn read_more(&mut self, deadline: Instant) -> Result<bool> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                bail!("nothing came within the limit");
            }
            self.stream.set_read_timeout(Some(left))?;
            if let Some(goes_on) = self.read_once()? {
                return Ok(goes_on);
            }
        }
    }

    /// One read: whether the machine goes on; `None` if nothing came in time.
    fn read_once(&mut self) -> Result<Option<bool>> {
        let mut buffer = [0; 4096];
        match self.stream.read(&mut buffer) {
            Ok(0) => Ok(Some(false)),
            Ok(count) => {
                let text = self.cleaner.clean(&buffer[..count]);
                self.journal.note_read(&text)?;
                self.unread.push_str(&text);
                Ok(Some(true))
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) =>
            {
                Ok(None)
            }
            // A machine that ends at once resets what was not read.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(Some(false)),
            Err(error) => Err(error).context("unable to read"),
        }
    }

    fn shown(&self) -> String {
        let lines: Vec<&str> = self.unread.lines().collect();
        let first = lines.len().saturating_sub(SHOWN_LINES);
        let mut shown = String::from("; the console shows:");
        for line in &lines[first..] {
            shown.push_str("\n    | ");
            shown.push_str(line);
        }
        shown
    }
}

/// Takes carriage returns and terminal sequences (`ESC [ ... letter`) out of a stream that may be cut anywhere.
#[derive(Default)]
struct Cleaner {
    state: Escape,
}

#[derive(Clone, Copy, Default)]
enum Escape {
    #[default]
    Outside,
    Begun,
    Inside,
}

impl Cleaner {
    fn clean(&mut self, bytes: &[u8]) -> String {
        let mut text = String::with_capacity(bytes.len());
        for &byte in bytes {
            self.state = match (self.state, byte) {
                (_, 0x1b) => Escape::Begun,
                (Escape::Begun, b'[') => Escape::Inside,
                (Escape::Begun, _) => Escape::Outside,
                (Escape::Inside, 0x40..=0x7e) => Escape::Outside,
                (Escape::Inside, _) => Escape::Inside,
                (Escape::Outside, b'\n' | b'\t' | 0x20..=0x7e) => {
                    text.push(char::from(byte));
                    Escape::Outside
                }
                (Escape::Outside, b'\r') => Escape::Outside,
                (Escape::Outside, _) => {
                    text.push('?');
                    Escape::Outside
                }
            };
        }
        text
    }
}

/// The console on record: every line with the time at which its first byte came; `>` before what was typed.
struct Journal {
    file: File,
    started: Instant,
    is_line_open: bool,
}

impl Journal {
    fn create(path: &Path, started: Instant) -> Result<Self> {
        let file = File::create(path).with_context(|| format!("unable to create {}", path.display()))?;
        Ok(Self { file, started, is_line_open: false })
    }

    fn note_read(&mut self, text: &str) -> Result<()> {
        for piece in text.split_inclusive('\n') {
            if !self.is_line_open {
                write!(self.file, "[{:9.3}] ", self.started.elapsed().as_secs_f64())?;
            }
            self.file.write_all(piece.as_bytes())?;
            self.is_line_open = !piece.ends_with('\n');
        }
        Ok(())
    }

    /// What comes next is not a part of what came last.
    fn end_line(&mut self) -> Result<()> {
        if self.is_line_open {
            writeln!(self.file)?;
            self.is_line_open = false;
        }
        Ok(())
    }

    fn note_typed(&mut self, line: &str) -> Result<()> {
        self.end_line()?;
        writeln!(self.file, "[{:9.3}] > {line}", self.started.elapsed().as_secs_f64())?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(100);

    struct Bench {
        console: Console,
        guest: UnixStream,
        directory: tempfile::TempDir,
    }

    fn bench() -> Bench {
        let directory = tempfile::tempdir().expect("a directory");
        let (ours, guest) = UnixStream::pair().expect("a pair");
        let console = Console::open(ours, Instant::now(), &directory.path().join("log")).expect("a console");
        Bench { console, guest, directory }
    }

    #[test]
    fn a_mark_takes_what_came_before_and_leaves_the_rest() {
        let mut bench = bench();
        bench.guest.write_all(b"one\r\ntwo login: three").expect("written");

        assert_eq!(bench.console.wait_for("login: ", SHORT).expect("seen").text, "one\ntwo ");
        assert_eq!(bench.console.unread, "three");
    }

    #[test]
    fn of_several_marks_the_first_to_come_counts() {
        let mut bench = bench();
        bench.guest.write_all(b"stage 1: emergency shell: login: ").expect("written");

        let (index, seen) = bench.console.wait_for_any(&["login: ", "emergency"], SHORT).expect("seen");

        assert_eq!((index, seen.text.as_str()), (1, "stage 1: "));
    }

    #[test]
    fn who_watches_reads_what_comes_and_does_not_mind_the_end() {
        let mut bench = bench();
        bench.guest.write_all(b"one").expect("written");
        bench.console.watch(SHORT).expect("watched");
        assert_eq!(bench.console.unread, "one");

        drop(bench.guest);
        bench.console.watch(COMMAND_LIMIT).expect("watched to the end");
    }

    #[test]
    fn the_echo_of_a_command_is_not_its_end() {
        let mut bench = bench();
        bench.guest.write_all(b"ls; echo \"E\"\"ND1=$?\"\r\nfile\r\nEND1=3\r\n").expect("written");

        let answer = bench.console.run("ls").expect("an answer");

        assert_eq!(answer.code, 3);
        assert!(answer.text.ends_with("file\n"), "{answer:?}");
    }

    #[test]
    fn a_panic_ends_every_wait_and_shows_itself() {
        let mut bench = bench();
        bench.guest.write_all(b"[ 1.0] Kernel panic - not syncing: no init\n").expect("written");

        let error = format!("{:#}", bench.console.wait_for("login: ", COMMAND_LIMIT).expect_err("a panic"));
        assert!(error.contains("no init"), "{error}");
    }

    #[test]
    fn a_limit_and_an_end_are_told_apart() {
        let mut bench = bench();
        let limit = format!("{:#}", bench.console.wait_for("x", SHORT).expect_err("the limit"));
        assert!(limit.contains("within the limit"), "{limit}");

        drop(bench.guest);
        let end = format!("{:#}", bench.console.wait_for("x", COMMAND_LIMIT).expect_err("the end"));
        assert!(end.contains("machine ended"), "{end}");
    }

    #[test]
    fn terminal_sequences_are_dropped_even_when_cut() {
        let mut cleaner = Cleaner::default();
        assert_eq!(cleaner.clean(b"a\x1b["), "a");
        assert_eq!(cleaner.clean(b"?2004"), "");
        assert_eq!(cleaner.clean(b"hb\r\n"), "b\n");
    }

    #[test]
    fn each_line_on_record_has_one_stamp() {
        let mut bench = bench();
        bench.guest.write_all(b"first ").expect("written");
        bench.console.wait_for("first", SHORT).expect("seen");
        bench.guest.write_all(b"line\nsecond\n").expect("written");
        bench.console.wait_for("second", SHORT).expect("seen");
        bench.console.type_line("ls").expect("typed");

        let log = std::fs::read_to_string(bench.directory.path().join("log")).expect("a log");
        let lines: Vec<&str> = log.lines().filter_map(|line| line.split_once("] ")).map(|(_, text)| text).collect();
        assert_eq!(lines, ["first line", "second", "> ls"]);
    }
}
