//! TERM in the middle of a line (F42), and more signals than anybody needs (F23).

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use support::{CLOSED, Ending, LogPipe, Output, Scratch, send_signal, wait_until};

use crate::numbered::{assert_all, lines};

/// How long after TERM the rest of a line is waited for, and what a busy machine may add.
const REST_OF_LINE: Duration = Duration::from_secs(3);
const SLACK: Duration = Duration::from_secs(5);

/// What is left in a pipe whose writer is closed.
#[track_caller]
fn left_in(scratch: &Scratch, input: LogPipe) -> String {
    scratch.logger(input, scratch.command("cat")).end().stdout
}

// ---- F42

#[test]
fn f42_term_writes_all_that_was_read() {
    let scratch = Scratch::new();
    let log = scratch.log("log");
    let mut logger = scratch.svlogd(&["log"]);
    logger.feed("one\ntwo\nthree\n");
    assert_eq!(logger.terminate(), Output::exit(0, "", ""));
    assert_eq!((log.current(), log.mode("current")), (b"one\ntwo\nthree\n".to_vec(), Some(CLOSED)));
}

/// The writer says nothing more: the part of the line is written.
#[test]
fn mends_f42_term_within_a_line_of_a_silent_writer() {
    let scratch = Scratch::new();
    let log = scratch.log("log");
    let mut logger = scratch.svlogd(&["log"]);
    logger.feed("one\ntwo without e");
    let since = Instant::now();
    assert_eq!(logger.terminate(), Output::exit(0, "", ""));
    let took = since.elapsed();
    assert!(took < REST_OF_LINE + SLACK, "{took:?}");
    assert!(took > REST_OF_LINE / 2, "the rest was not waited for: {took:?}");
    assert_eq!(String::from_utf8_lossy(&log.current()), "one\ntwo without e\n");
    assert_eq!(log.mode("current"), Some(CLOSED));
}

/// The rest of the line comes after TERM, with more behind it: that stays in the pipe.
#[test]
fn mends_k71_term_within_a_line_reads_no_byte_behind_it() {
    let scratch = Scratch::new();
    let log = scratch.log("log");
    let mut logger = scratch.svlogd(&["log"]);
    logger.feed("one\ntw");
    logger.tell(Signal::SIGTERM);
    logger.write("o\nthree\nfour");
    assert_eq!(logger.wait(), Ending::Exit(0));
    assert_eq!(String::from_utf8_lossy(&log.current()), "one\ntwo\n");
    assert_eq!(left_in(&scratch, logger.into_input()), "three\nfour");
}

/// The rest comes byte by byte, each within the time that is allowed for all of it.
#[test]
fn mends_f42_term_within_a_line_that_comes_slowly() {
    let scratch = Scratch::new();
    let log = scratch.log("log");
    let mut logger = scratch.svlogd(&["log"]);
    logger.feed("begin");
    logger.signal(Signal::SIGTERM);
    let since = Instant::now();
    wait_until("its end", || {
        logger.input.try_write(b".");
        std::thread::sleep(Duration::from_millis(100));
        logger.try_wait()
    });
    let took = since.elapsed();
    assert!(took < REST_OF_LINE + SLACK, "{took:?}");
    let written = String::from_utf8(log.current()).expect("text");
    assert!(written.starts_with("begin.") && written.ends_with(".\n"), "{written}");
}

#[test]
fn mends_f42_second_term_ends_at_once() {
    let scratch = Scratch::new();
    let log = scratch.log("log");
    let mut logger = scratch.svlogd(&["log"]);
    logger.feed("one\ntwo without e");
    let since = Instant::now();
    logger.tell(Signal::SIGTERM);
    logger.signal(Signal::SIGTERM);
    assert_eq!(logger.wait(), Ending::Exit(0));
    let took = since.elapsed();
    assert!(took < REST_OF_LINE - Duration::from_millis(500), "{took:?}");
    assert_eq!(String::from_utf8_lossy(&log.current()), "one\ntwo without e\n");
}

/// The input ends while the rest of the line is waited for.
#[test]
fn mends_f42_end_of_input_after_term() {
    let scratch = Scratch::new();
    let log = scratch.log("log");
    let mut logger = scratch.svlogd(&["log"]);
    logger.feed("one\ntw");
    let since = Instant::now();
    logger.tell(Signal::SIGTERM);
    logger.write("o");
    assert_eq!(logger.end(), Output::exit(0, "", ""));
    assert!(since.elapsed() < REST_OF_LINE - Duration::from_millis(500), "{:?}", since.elapsed());
    assert_eq!(String::from_utf8_lossy(&log.current()), "one\ntwo\n");
}

/// What waits in the pipe at TERM is for the next one; together they have it all.
#[test]
fn mends_k71_term_while_lines_come() {
    let scratch = Scratch::new();
    let log = scratch.log("log").config("s20000\nn0\n");
    let mut input = LogPipe::new();
    let all = lines(1..=20_000);
    for part in all.as_bytes().chunks(all.len() / 10) {
        let mut logger = scratch.svlogd_on(input, &["log"]);
        logger.write(part);
        let output = logger.terminate();
        // TERM may have come before anybody listened for it.
        assert!([Ending::Exit(0), Ending::Signal(15)].contains(&output.ending), "{output:?}");
        input = logger.into_input();
    }
    assert_eq!(scratch.svlogd_on(input, &["log"]).end(), Output::exit(0, "", ""));
    assert_all(&log, 20_000);
}

// ---- F23

#[test]
fn f23_flood_of_signals_loses_no_line() {
    let scratch = Scratch::new();
    let log = scratch.log("log").config("s20000\nn0\n");
    let mut logger = scratch.svlogd(&["log"]);
    logger.feed(lines(1..=1));
    let pid = logger.pid();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..3_000 {
                for signal in [Signal::SIGHUP, Signal::SIGCHLD, Signal::SIGALRM, Signal::SIGCHLD] {
                    send_signal(pid, signal);
                }
            }
        });
        for number in 2..=3_000 {
            logger.write(lines(number..=number));
        }
    });
    logger.settle();
    assert_eq!(logger.end(), Output::exit(0, "", ""));
    assert_all(&log, 3_000);
}

/// Children that are not its own, and signals that come while a processor runs.
#[test]
fn mends_k73_f23_flood_of_signals_while_a_processor_runs() {
    let scratch = Scratch::new();
    let log = scratch.log("log").config("s2000\nn0\n!cat\n");
    let mut logger = scratch.svlogd(&["log"]);
    logger.feed(lines(1..=1));
    let pid = logger.pid();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..500 {
                for signal in [Signal::SIGCHLD, Signal::SIGHUP, Signal::SIGALRM] {
                    send_signal(pid, signal);
                }
            }
        });
        for number in 2..=500 {
            logger.write(lines(number..=number));
        }
    });
    logger.settle();
    log.wait_count('u', 0);
    log.wait_count('t', 0);
    let ended = logger.end();
    assert_eq!(ended.ending, Ending::Exit(0), "{}", ended.stderr);
    assert_all(&log, 500);
}
