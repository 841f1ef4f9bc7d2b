//! `svlogd DIR ...`: writes lines into log directories that rotate themselves (svlogd(8)).

use supervision::limits::{
    BUFFER_LENGTH, CONFIG_BYTES, LAST_LINE_LIMIT, LAST_LINES_LIMIT, LINE_CHARACTERS, LINES_BYTES, LOG_DIRECTORIES,
    PROCESSOR_GRACE, PROCESSOR_LAST_GRACE, READS_AT_ONCE,
};
use supervision::log::config::Config;
use supervision::log::directory::Directory;
use supervision::log::event::Event;
use supervision::log::lines::{Lines, Replacement, Rules};
use supervision::log::processor;
use supervision::log::stamp::{Stamp, Style};
use supervision::process::errno::Errno;
use supervision::process::signal::Signal;
use supervision::text::decimal;
use supervision::time::{Instant, earlier};
use sys::file::{self, CURRENT, Kind};
use sys::report::Errors;
use sys::signal::{SignalSet, Signals};
use sys::{AsFd, Descriptor, clock, memory, poll, process, report, standard};

use crate::Words;
use crate::log_directory::{LogDirectories, LogDirectory, Surroundings};
use crate::log_files::Files;
use crate::options::{Options, Wrong, tell_version};

const EXIT_DONE: i32 = 0;
/// Wrong usage, or nothing can be logged to.
const EXIT_FAILED: i32 = 111;

/// The last two only so that they kill nobody: who reads standard error may have ended, and files may have a limit.
const CAUGHT: SignalSet =
    SignalSet::of(&[Signal::TERM, Signal::HUP, Signal::ALRM, Signal::CHLD, Signal::IO, Signal::PIPE, Signal::XFSZ]);

/// A pipe from which less than this is read at once is empty now.
const LITTLE: usize = 4096;

/// What the command line says.
struct Call {
    style: Style,
    is_verbose: bool,
    rules: Rules,
    buffer: usize,
    /// The first directory.
    directories: usize,
}

/// How far it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Everything is read.
    Reading,
    /// Told to end, within a line, of which the rest may come until then.
    LastLine(Instant),
    /// The input has ended; what could not be written yet is tried until then.
    LastLines(Instant),
    /// Nothing is read or written any more.
    Ended(processor::Event),
}

/// Logs until the input ends, or until told to end.
pub fn main(words: Words) -> i32 {
    let Some(call) = parse(words) else {
        let template = b"usage: % [-ttv] [-r c] [-R abc] [-l len] [-b buflen] dir ...\n";
        report::line(standard::error(), template, &[words.called()]);
        return EXIT_FAILED;
    };
    match log(words, &call) {
        Ok(()) => EXIT_DONE,
        Err((what, reason)) => {
            let reason = reason.map_or(&b""[..], Errno::text);
            report::line(standard::error(), b"svlogd: fatal: %%", &[what, reason]);
            EXIT_FAILED
        }
    }
}

/// Takes the command line apart; `None` for wrong usage.
fn parse(words: Words) -> Option<Call> {
    let (mut stamps, mut is_verbose) = (0, false);
    let (mut characters, mut buffer) = (0, 0);
    let (mut by, mut more) = (None, None);
    let mut options = Options::new(words);
    loop {
        match options.next(b"tvV", b"rRlb") {
            Ok(Some((b't', _))) => stamps += 1,
            Ok(Some((b'v', _))) => is_verbose = true,
            Ok(Some((b'V', _))) => {
                tell_version();
                return None;
            }
            Ok(Some((b'r', value))) => match value.to_bytes() {
                [character] => by = Some(*character),
                _ => return None,
            },
            Ok(Some((b'R', characters))) => more = Some(characters.to_bytes()),
            Ok(Some((letter, digits))) => {
                let number = usize::try_from(decimal(digits.to_bytes())?).ok()?;
                *(if letter == b'l' { &mut characters } else { &mut buffer }) = number;
            }
            Ok(None) => break,
            Err(Wrong) => return None,
        }
    }
    if characters == 0 {
        characters = LINE_CHARACTERS;
    }
    if buffer == 0 {
        buffer = BUFFER_LENGTH;
    }
    let directories = options.operands();
    if buffer <= characters || directories >= words.count() {
        return None;
    }
    let style = Style::of_count(stamps);
    let replacement =
        (by.is_some() || more.is_some()).then(|| Replacement::new(by.unwrap_or(b'_'), more.unwrap_or(b"")));
    let stamp_size = if style == Style::None { 0 } else { Stamp::SIZE };
    // What stands before a line needs its place too, and something must be left to read to.
    let least = buffer.checked_add(LITTLE)?;
    Some(Call {
        style,
        is_verbose,
        rules: Rules { stamp_size, replacement, characters },
        buffer: LINES_BYTES.max(least),
        directories,
    })
}

/// Why it cannot begin, or go on: what to say, and the error that belongs to it.
type Fatal = (&'static [u8], Option<Errno>);

const NOT_FUNCTIONAL: Fatal = (b"no functional log directories.", None);

struct Logger {
    around: Surroundings,
    lines: Lines<'static>,
    style: Style,
    directories: LogDirectories,
    /// The input once more, where reading it does not wait.
    input: Option<Descriptor>,
    phase: Phase,
}

/// Logs; the logger is large, and therefore never moved.
fn log(words: Words, call: &Call) -> Result<(), Fatal> {
    let count = words.count().saturating_sub(call.directories);
    if count > LOG_DIRECTORIES {
        return Err((b"too many log directories.", None));
    }
    let start = file::open_path(CURRENT, c".")
        .map_err(|reason| (&b"unable to open current working directory: "[..], Some(reason)))?;
    let config_bytes = CONFIG_BYTES.saturating_add(1);
    let all = count.checked_mul(config_bytes).and_then(|bytes| bytes.checked_add(call.buffer));
    let memory = all.and_then(|bytes| memory::take(bytes).ok()).ok_or((&b"out of memory."[..], None))?;
    let signals = Signals::catch(CAUGHT).map_err(|reason| (&b"unable to catch signals: "[..], Some(reason)))?;
    let (buffer, mut rest) = memory.split_at_mut_checked(call.buffer).unwrap_or((&mut [], &mut []));
    let mut logger = Logger {
        around: Surroundings {
            signals,
            environment: words.environment(),
            start,
            now: clock::monotonic(),
            wall: clock::wall(),
        },
        lines: Lines::new(buffer, call.rules),
        style: call.style,
        directories: LogDirectories::new(),
        input: open_input(),
        phase: Phase::Reading,
    };
    for index in call.directories..words.count() {
        let (text, behind) = rest.split_at_mut_checked(config_bytes).unwrap_or((&mut [], &mut []));
        rest = behind;
        let machine = Directory::new(Config::new(text), call.style);
        let files = Files::new(words.get(index).unwrap_or(c""), call.is_verbose);
        // There is room: they were counted.
        let _ = logger.directories.push(LogDirectory::new(machine, files));
    }
    logger.handle_all(Event::Look);
    logger.run(call.is_verbose)
}

/// A pipe is opened once more for this program alone, so that reading it need not wait. That can fail: it belongs to who made it.
fn open_input() -> Option<Descriptor> {
    let is_pipe = file::metadata_of(standard::input()).is_ok_and(|metadata| metadata.kind == Kind::Fifo);
    if is_pipe { file::open_read(CURRENT, c"/proc/self/fd/0").ok() } else { None }
}

impl Logger {
    fn run(&mut self, is_verbose: bool) -> Result<(), Fatal> {
        loop {
            if self.directories.iter().all(|directory| directory.machine.is_gone()) {
                return Err(NOT_FUNCTIONAL);
            }
            if let Phase::Ended(farewell) = self.phase {
                self.end(farewell, is_verbose);
                return Ok(());
            }
            if self.directories.iter_mut().any(LogDirectory::was_deep) {
                memory::give_back_stack();
            }
            let (is_signalled, is_readable) = self.wait();
            (self.around.now, self.around.wall) = (clock::monotonic(), clock::wall());
            if is_signalled {
                self.hear(is_verbose);
            }
            // What is there when it is told to end is for the next one.
            if is_readable && !matches!(self.phase, Phase::Ended(_)) {
                self.read();
            } else {
                self.make_lines();
            }
            self.process_all(processor::Event::Deadline);
            self.advance();
        }
    }

    /// Waits for a signal, something to read, or a deadline.
    fn wait(&mut self) -> (bool, bool) {
        let (wants_input, mut deadline) = match self.phase {
            Phase::Reading => (self.make_room(), None),
            Phase::LastLine(until) => (self.make_room(), Some(until)),
            Phase::LastLines(until) => (false, Some(until)),
            Phase::Ended(_) => (false, None),
        };
        if self.has_no_limit() {
            deadline = None;
        }
        for directory in &self.directories {
            deadline = earlier(deadline, directory.deadline(&self.lines));
        }
        let input = self.input.as_ref().map_or(standard::input(), Descriptor::as_fd);
        let signals = self.around.signals.as_fd();
        let [is_signalled, is_readable, ..] =
            poll::wait([Some(signals), wants_input.then_some(input), None, None, None], deadline);
        (is_signalled, is_readable)
    }

    /// The input has ended, and somebody insists on its last lines.
    fn has_no_limit(&self) -> bool {
        let end = self.lines.ready().len();
        matches!(self.phase, Phase::LastLines(_))
            && self.directories.iter().any(|directory| directory.machine.insists_on(end))
    }

    /// Takes the signals that came.
    fn hear(&mut self, is_verbose: bool) {
        while let Some(signal) = self.around.signals.take() {
            let text: &[u8] = match signal {
                Signal::TERM => b"sigterm",
                Signal::HUP => b"sighangup",
                Signal::ALRM => b"sigalarm",
                Signal::CHLD => b"sigchild",
                _ => b"",
            };
            if is_verbose && !text.is_empty() {
                Errors.line(b"svlogd: info: % received.", &[text]);
            }
            match signal {
                Signal::TERM => self.terminate(),
                Signal::HUP => self.handle_all(Event::Reopen),
                Signal::ALRM => self.handle_all(Event::Rotate),
                Signal::IO => self.handle_all(Event::Suspect),
                Signal::CHLD => self.reap(),
                _ => {}
            }
        }
    }

    fn reap(&mut self) {
        while let Some((pid, outcome)) = process::reap() {
            for directory in &mut self.directories {
                directory.ended(pid, outcome, &self.around);
            }
        }
    }

    fn terminate(&mut self) {
        self.phase = match self.phase {
            Phase::Reading => {
                self.write_or_lose();
                match self.lines.is_open() {
                    true => Phase::LastLine(self.around.now.plus(LAST_LINE_LIMIT)),
                    false => self.finish(),
                }
            }
            Phase::LastLine(_) | Phase::LastLines(_) => self.finish(),
            // Once more is at once.
            Phase::Ended(processor::Event::Terminate(_)) => {
                self.process_all(processor::Event::Kill);
                self.phase
            }
            Phase::Ended(_) => {
                let farewell = processor::Event::Terminate(PROCESSOR_GRACE);
                self.process_all(farewell);
                Phase::Ended(farewell)
            }
        };
    }

    /// Reads what is there, and writes it.
    fn read(&mut self) {
        for _ in 0..READS_AT_ONCE {
            let count = match self.read_once() {
                Ok(Some(count)) => count,
                Ok(None) => return,
                Err(reason) => {
                    Errors.line(b"svlogd: warning: unable to read standard input: %", &[reason.text()]);
                    0
                }
            };
            let is_last = matches!(self.phase, Phase::LastLine(_));
            if count == 0 {
                self.lines.end_line();
                self.phase = Phase::LastLines(self.around.now.plus(LAST_LINES_LIMIT));
            }
            self.lines.received(count);
            self.make_lines();
            if is_last && !self.lines.is_open() {
                self.phase = self.finish();
            }
            if is_last || self.input.is_none() || count < LITTLE || !self.make_room() {
                return;
            }
        }
    }

    /// Bytes that were read, 0 at the end of the input; `None` if there are none just now.
    fn read_once(&mut self) -> Result<Option<usize>, Errno> {
        let input = self.input.as_ref().map_or(standard::input(), Descriptor::as_fd);
        let space = self.lines.space();
        // What is behind the last line is for the next one to read.
        let most = if let Phase::LastLine(_) = self.phase { 1 } else { space.len() };
        match space.get_mut(..most).filter(|space| !space.is_empty()) {
            None => Ok(None),
            Some(space) => match file::read(input, space) {
                Ok(read) => Ok(Some(read.len())),
                Err(Errno::AGAIN) => Ok(None),
                Err(reason) => Err(reason),
            },
        }
    }

    /// Makes lines of what was read, and has them written.
    fn make_lines(&mut self) {
        let stamp = Stamp::new(self.style, self.around.wall);
        loop {
            let is_done = self.lines.make(&stamp);
            self.handle_all(Event::Look);
            self.discard();
            if is_done || !self.make_room() {
                return;
            }
        }
    }

    fn handle_all(&mut self, event: Event) {
        for directory in &mut self.directories {
            directory.handle(event, &self.lines, &self.around);
        }
    }

    /// Forgets what all directories have dealt with, if that is all there is, or room is needed.
    fn discard(&mut self) {
        let ready = self.lines.ready().len();
        let done = self.directories.iter().filter_map(|directory| directory.machine.cursor()).min().unwrap_or(ready);
        if done == ready || self.lines.is_crowded() {
            self.lines.discard(done);
            for directory in &mut self.directories {
                directory.machine.shift(done);
            }
        }
    }

    /// Sees to it that there is room to read to: lines that wait for the longest time are dropped for those that could not write
    /// them. False if somebody insists on them.
    fn make_room(&mut self) -> bool {
        if !self.lines.is_crowded() {
            return true;
        }
        let end = self.lines.crowd();
        if self.directories.iter().any(|directory| directory.machine.insists_on(end)) {
            return false;
        }
        self.lose(end);
        true
    }

    fn lose(&mut self, end: usize) {
        for directory in &mut self.directories {
            directory.machine.lose(&self.lines, end);
        }
        self.discard();
    }

    /// Goes on where the time is over, or everything is written.
    fn advance(&mut self) {
        match self.phase {
            Phase::Reading | Phase::Ended(_) => {}
            Phase::LastLine(until) => {
                if self.around.now >= until {
                    self.phase = self.finish();
                }
            }
            Phase::LastLines(until) => {
                let is_behind = self.directories.iter().any(|directory| directory.machine.is_behind(&self.lines));
                if !is_behind || (self.around.now >= until && !self.has_no_limit()) {
                    self.lose(self.lines.ready().len());
                    self.phase = Phase::Ended(processor::Event::End(PROCESSOR_LAST_GRACE));
                }
            }
        }
    }

    /// Told to end: what was read is written now, or never.
    fn finish(&mut self) -> Phase {
        self.write_or_lose();
        self.lines.end_line();
        self.write_or_lose();
        Phase::Ended(processor::Event::Terminate(PROCESSOR_GRACE))
    }

    /// Tries once more to write all that was read, and gives up what cannot be written.
    fn write_or_lose(&mut self) {
        let stamp = Stamp::new(self.style, self.around.wall);
        loop {
            let is_done = self.lines.make(&stamp);
            self.handle_all(Event::Flush);
            self.lose(self.lines.ready().len());
            if is_done {
                return;
            }
        }
    }

    /// Closes everything, and waits for processors; told again to end, it waits no longer.
    fn end(&mut self, farewell: processor::Event, is_verbose: bool) {
        self.process_all(farewell);
        while self.directories.iter().any(|directory| directory.processor.is_waited_for()) {
            let (is_signalled, _) = self.wait();
            (self.around.now, self.around.wall) = (clock::monotonic(), clock::wall());
            if is_signalled {
                self.hear(is_verbose);
            }
            self.handle_all(Event::Look);
            self.process_all(processor::Event::Deadline);
        }
        self.handle_all(Event::End);
    }

    fn process_all(&mut self, event: processor::Event) {
        for directory in &mut self.directories {
            directory.process(event, &self.around);
        }
    }
}
