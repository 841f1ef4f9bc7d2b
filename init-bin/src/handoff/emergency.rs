//! What is done when there is no root to hand over to: a shell, if the image has one.

use core::ffi::CStr;

use sys::process::{self, Environment, execute};
use sys::standard::{self, redirect};
use sys::{file, terminal};

use crate::{EXIT_FAILED, tell};

const SHELL: &CStr = c"/bin/sh";

/// Runs a shell on the console and waits for its end; whether there is one.
#[inline(never)]
pub fn run_shell(environment: Environment) -> bool {
    file::may_execute(file::CURRENT, SHELL)
        && process::spawn(|| become_shell(environment)).ok().and_then(process::wait_for).is_some()
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
