//! A logger that is killed at each of its system calls (F41): what was written is still there after the next one, once
//! and in order, and nothing is left half done.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use nix::sys::signal::Signal;
use support::tracer::{self, Run};
use support::{CLOSED, Ending, LogDirectory, LogPipe, Logger, Scratch, wait_until};

/// Runs at a time. Each is two processes of which one works.
const TRACERS: usize = 3;

/// Lines that the logger that is killed gets one by one, and those of the next one.
const FIRST: usize = 26;
const SECOND: usize = 12;

/// Room for nine lines.
const SIZE: usize = 4_000;
const LENGTH: usize = 400;

/// Files of earlier days, with labels of the past: the first to go, one for each new file.
const OLD_FILES: usize = 6;

fn line(number: usize) -> String {
    format!("line {number:04} {:.>width$}\n", "", width = LENGTH - 11)
}

fn number_of(text: &str) -> Option<usize> {
    let number = text.get(5..9)?.parse().ok()?;
    (line(number).trim_end() == text).then_some(number)
}

fn lines(numbers: std::ops::RangeInclusive<usize>) -> String {
    numbers.map(line).collect()
}

/// The numbers of the lines of a log in its order. Of a file that was processed the output counts.
#[track_caller]
fn numbers(log: &LogDirectory) -> Vec<usize> {
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for file in log.archives() {
        // `.s` comes before `.u`: what has the same label is the same file before it was processed.
        if file.kind() != Some('t') {
            files.entry(file.name[..25].to_owned()).or_insert(file.bytes);
        }
    }
    let all: Vec<u8> = files.into_values().flatten().chain(log.current()).collect();
    let text = String::from_utf8(all).expect("text");
    let lines = text.lines().filter(|line| *line != "of an earlier day");
    lines.map(|line| number_of(line).unwrap_or_else(|| panic!("a line that is none: {line:?}"))).collect()
}

/// The log directory before the first logger: rotated at nine lines, and full of old files.
fn prepare(scratch: &Scratch, name: &str, processor: &str) -> LogDirectory {
    let log = scratch.log(name).config(format!("s{SIZE}\nn{}\n{processor}", OLD_FILES + 2));
    (0..OLD_FILES).fold(log, |log, number| {
        log.file(&format!("@4000000000000000000000{number:02}.s"), "of an earlier day\n", CLOSED)
    })
}

/// Kills a logger at one of its calls, lets another one go on with the same pipe, and looks at what there is. Gives
/// back the number of calls if it ended before.
#[track_caller]
fn kill_at(scratch: &Scratch, processor: &str, kill_at: usize) -> Option<usize> {
    let name = format!("log-{kill_at}");
    let log = prepare(scratch, &name, processor);
    let (run, mut feeder) = run_traced(scratch, &name, kill_at);
    if let Run::Ended(calls) = run {
        assert_eq!(numbers(&log), (1..=FIRST).collect::<Vec<_>>());
        return Some(calls);
    }
    let written = numbers(&log);
    let unread = feeder.input.unread() / LENGTH;
    let what = format!("killed at call {kill_at}; fed {}, {unread} of it unread, written {written:?}", feeder.fed);
    // One that was read may have been in its hands.
    assert!(written.iter().copied().eq(1..=written.len()) && written.len() + unread + 1 >= feeder.fed, "{what}");

    if feeder.is_closed {
        feeder.input = LogPipe::new();
    }
    let mut next = start_next(scratch, &name, feeder.input);
    next.feed(lines(FIRST + 1..=FIRST + SECOND));
    if !processor.is_empty() {
        // Those that wait at the end are left to the next one.
        wait_until(&format!("all files processed: {what}"), || (log.count('u') + log.count('t') == 0).then_some(()));
    }
    let output = next.end();
    assert_eq!(output.ending, Ending::Exit(0), "{what}: {}", output.stderr);
    let what = format!("{what}: {}", output.stderr);
    let expected: Vec<usize> =
        written.iter().copied().chain(feeder.fed - unread + 1..=feeder.fed).chain(FIRST + 1..=FIRST + SECOND).collect();
    assert_eq!(numbers(&log), expected, "{what}");
    assert_eq!((log.count('t'), log.mode("current")), (0, Some(CLOSED)), "{what}");
    let (archives, finished) = (log.archives(), log.count('s'));
    // Those that waited for the processor were not counted when others were removed.
    let may_be_more = support::is_reference() || !processor.is_empty();
    assert!(may_be_more || finished <= OLD_FILES + 2, "{finished} files: {what}");
    let labels: Vec<&str> = archives.iter().map(|file| &file.name[..25]).collect();
    assert!(labels.windows(2).all(|pair| pair[0] < pair[1]), "{labels:?}: {what}");
    if !processor.is_empty() {
        assert_processed_once(&log, &what);
    }
    std::fs::remove_dir_all(log.path()).expect("the log directory");
    None
}

/// Starts the next logger, again if it must be, as runsv does: a processor that was just being started has the lock for
/// a moment.
#[track_caller]
fn start_next(scratch: &Scratch, name: &str, mut input: LogPipe) -> Logger {
    wait_until("a logger that has the lock", || {
        let mut logger = scratch.svlogd_on(std::mem::replace(&mut input, LogPipe::new()), &[name]);
        wait_until("a logger that reads or ends", || {
            (support::waits(logger.pid()) || logger.try_wait().is_some()).then_some(())
        });
        let is_locked_out = logger.stderr().contains("unable to lock directory");
        if is_locked_out {
            input = logger.into_input();
            return None;
        }
        Some(logger)
    })
}

/// No file waits, and the state has one line for each that was processed.
#[track_caller]
fn assert_processed_once(log: &LogDirectory, what: &str) {
    assert_eq!((log.count('u'), log.mode("newstate")), (0, None), "{what}");
    let processed = log.archives().iter().filter(|file| !file.bytes.starts_with(b"of an")).count();
    assert_eq!(support::lines(&log.join("state")).len(), processed, "files that were processed by the state: {what}");
}

/// What a logger was fed.
struct Feeder {
    input: LogPipe,
    fed: usize,
    is_closed: bool,
}

impl Feeder {
    /// Gives it the next line if it has read the one before, and the end after the last one.
    fn feed(&mut self) {
        if self.input.unread() > 0 {
            return;
        }
        if self.fed < FIRST {
            self.fed += 1;
            self.input.write(line(self.fed));
        } else if !self.is_closed {
            self.is_closed = true;
            self.input.close();
        }
    }
}

/// Starts a traced logger, which gets one line at a time, and kills it at one of its calls.
fn run_traced(scratch: &Scratch, name: &str, kill_at: usize) -> (Run, Feeder) {
    let mut command = scratch.command("svlogd");
    command.arg(name);
    tracer::prepare(&mut command);
    let mut feeder = Feeder { input: LogPipe::new(), fed: 0, is_closed: false };
    feeder.input.feed(&mut command);
    let mut logger = scratch.start(command, Signal::SIGKILL);
    let run = tracer::run(logger.pid(), kill_at, |_| feeder.feed());
    logger.wait();
    (run, feeder)
}

/// Kills at the first call, the second, and so on, until a logger ends by itself.
#[track_caller]
fn kill_at_each(processor: &str) {
    let scratch = Scratch::new();
    let probe = {
        prepare(&scratch, "probe", processor);
        match run_traced(&scratch, "probe", usize::MAX) {
            (Run::Ended(calls), _) => calls,
            (Run::Killed, _) => panic!("it was killed"),
        }
    };
    assert!(probe > 60, "{probe} calls");
    let next = AtomicUsize::new(1);
    let ended = Mutex::new(None);
    std::thread::scope(|scope| {
        for _tracer in 0..TRACERS {
            scope.spawn(|| {
                while ended.lock().expect("no failure").is_none() {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if let Some(calls) = kill_at(&scratch, processor, number) {
                        *ended.lock().expect("no failure") = Some(calls);
                    }
                }
            });
        }
    });
    support::figure(&format!("system calls a logger was killed at: {}", next.load(Ordering::Relaxed) - 1 - TRACERS));
}

#[test]
fn f41_killed_at_each_call() {
    kill_at_each("");
}

#[test]
fn mends_f41_killed_at_each_call_with_a_processor() {
    kill_at_each("!cat; cat <&4 >&5; echo >&5\n");
}
