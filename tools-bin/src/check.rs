//! The script `check` of a service: whether it is not only up, but ready.

use core::ffi::CStr;

use supervision::limits::CHECK_INTERVAL;
use supervision::process::errno::Errno;
use supervision::process::signal::Signal;
use supervision::time::Instant;
use sys::file::{self, CURRENT};
use sys::process::Environment;
use sys::signal::{SignalSet, Signals};
use sys::{AsFd, clock, poll, process, report, standard};

const CHECK: &CStr = c"check";
const CAUGHT: SignalSet = SignalSet::of(&[Signal::CHLD]);
const EXIT_FAILED: i32 = 111;

/// What the script said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Check {
    /// Ready, or there is no script.
    Passed,
    /// Not ready, or the script could not be run, was killed, or did not end in time.
    Failed,
}

/// Runs the script of the service in the current directory, until `deadline` at the most; but for a moment at least, so that a
/// wait of no time is no refusal. `name` is for messages, and `restore` makes a child's signals what they were at the start.
pub fn run(name: &CStr, deadline: Instant, environment: Environment, restore: impl Fn() + Copy) -> Check {
    match file::exists(CURRENT, CHECK) {
        Ok(true) => {}
        Ok(false) => return Check::Passed,
        Err(reason) => return fail(b"warning: unable to stat %/check: %", name, reason),
    }
    let signals = match Signals::catch(CAUGHT) {
        Ok(signals) => signals,
        Err(reason) => return fail(b"warning: unable to wait for child %/check: %", name, reason),
    };
    let deadline = deadline.max(clock::monotonic().plus(CHECK_INTERVAL));
    let child = process::spawn_at_once(|| {
        signals.restore();
        restore();
        standard::close_output();
        let reason = process::execute(CHECK, &[c"./check"], environment);
        fail(b"warning: unable to run %/check: %", name, reason);
        EXIT_FAILED
    });
    let child = match child {
        Ok(child) => child,
        Err(reason) => return fail(b"warning: unable to fork for %/check: %", name, reason),
    };
    loop {
        poll::wait_for(signals.as_fd(), Some(deadline));
        while signals.take().is_some() {}
        while let Some((pid, outcome)) = process::reap() {
            if pid == child {
                return if outcome.is_success() { Check::Passed } else { Check::Failed };
            }
        }
        if clock::monotonic() >= deadline {
            process::signal(child, Signal::KILL);
            return Check::Failed;
        }
    }
}

fn fail(template: &[u8], name: &CStr, reason: Errno) -> Check {
    report::line(standard::error(), template, &[name.to_bytes(), reason.text()]);
    Check::Failed
}
