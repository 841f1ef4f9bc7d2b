//! What is done when there is no root to hand over to: a shell, if the image has one.

use core::ffi::CStr;

use supervision::limits::LOOK_INTERVAL;
use supervision::process::outcome::Outcome;
use sys::process::{self, Environment, execute};
use sys::standard::{self, redirect};
use sys::{clock, file, poll, terminal};

use crate::{EXIT_FAILED, tell};

const SHELL: &CStr = c"/bin/sh";

/// Runs a shell on the console and waits for its end; whether there is one that can be executed.
#[inline(never)]
pub fn run_shell(environment: Environment) -> bool {
    // One that ends at once, for nobody can type, does not come back more often than that.
    let begin = clock::monotonic();
    let outcome = file::may_execute(file::CURRENT, SHELL)
        .then(|| process::spawn(|| become_shell(environment)).ok().and_then(process::wait_for))
        .flatten();
    if outcome.is_none_or(|outcome| outcome == Outcome::Exited(EXIT_FAILED as u8)) {
        return false;
    }
    poll::pause_until(begin.plus(LOOK_INTERVAL));
    true
}

#[inline(never)]
fn become_shell(environment: Environment) -> i32 {
    process::lead_session();
    let mut console = None;
    // The device behind it can be a controlling terminal, which `/dev/console` itself cannot.
    tell::visit_consoles(&mut |path| console = terminal::open(path).ok());
    if let Some(console) = console.or_else(|| terminal::open(c"/dev/console").ok()) {
        let _ = file::make_blocking(console.as_fd());
        let _ = terminal::make_controlling(&console);
        for standard in standard::ALL {
            let _ = redirect(console.as_fd(), standard);
        }
    }
    let reason = execute(SHELL, &[SHELL], environment);
    tell::fatal(b"unable to execute %: %", &[SHELL.to_bytes(), reason.few_text()]);
    EXIT_FAILED
}
