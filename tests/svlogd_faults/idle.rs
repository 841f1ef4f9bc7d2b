//! A logger with nothing to do makes no wake-up.
//!
//! The seconds here are what is measured over, nothing is waited for.

use std::time::Duration;

use nix::sys::signal::Signal;
use support::{Logger, Scratch, context_switches};

const INTERVAL: Duration = Duration::from_secs(4);

/// Checks that a logger does nothing for some seconds.
#[track_caller]
fn assert_idle(logger: &mut Logger) {
    logger.settle();
    let before = context_switches(logger.pid());
    std::thread::sleep(INTERVAL);
    assert_eq!(logger.try_wait(), None, "{}", logger.stderr());
    assert_eq!(context_switches(logger.pid()) - before, 0, "wake-ups");
}

#[test]
fn mends_idle_after_lines_and_signals() {
    let scratch = Scratch::new();
    let log = scratch.log("log").config("s4000\nn3\n!cat\nt500\nk100\n");
    let _other = scratch.log("other");
    let mut logger = scratch.svlogd(&["log", "other"]);
    // Before it has begun, a signal would end it.
    logger.settle();
    for signal in [Signal::SIGALRM, Signal::SIGHUP, Signal::SIGCHLD] {
        logger.write("some lines\n".repeat(1_000));
        logger.tell(signal);
    }
    log.wait_count('u', 0);
    log.wait_count('t', 0);
    assert_idle(&mut logger);
}

/// A line whose end has not come.
#[test]
fn idle_within_a_line() {
    let scratch = Scratch::new();
    let _log = scratch.log("log");
    let mut logger = scratch.svlogd(&["log"]);
    logger.feed("one\ntwo without e");
    assert_idle(&mut logger);
}

/// A processor that runs and runs.
#[test]
fn idle_while_a_processor_runs() {
    let scratch = Scratch::new();
    let log = scratch.log("log").config("!exec sleep 1000\n");
    let mut logger = scratch.svlogd(&["log"]);
    logger.feed("one\n");
    logger.tell(Signal::SIGALRM);
    logger.feed("two\n");
    log.wait_count('t', 1);
    assert_idle(&mut logger);
}
