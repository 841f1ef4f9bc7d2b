//! What a forked child of pid 1 does: one short function, up to exec.

use core::ffi::CStr;

use supervision::boot::event::{Child, Ending, Stage};
use supervision::boot::stage::REFUSED;
use supervision::process::errno::Errno;
use supervision::process::signal::Signal;
use sys::process::{Environment, ExecErrors, execute};
use sys::signal::{SignalSet, Signals};
use sys::standard::{Standard, redirect};
use sys::{file, machine, process, report, standard, terminal};

use crate::console::CONSOLE;
use crate::{EXIT_FAILED, notice, request};

/// What pid 1 blocks, and reads when it has time. Most of them mean nothing to it.
pub const CAUGHT: SignalSet = SignalSet::of(&[
    Signal::ALRM,
    Signal::CHLD,
    Signal::CONT,
    Signal::HUP,
    Signal::INT,
    Signal::PIPE,
    Signal::PWR,
    Signal::TERM,
    Signal::USR1,
    Signal::USR2,
]);

const SHELL: &CStr = c"/bin/sh";

/// Becomes `child`; returns its exit code if it cannot.
pub fn become_child(
    child: Child,
    signals: &Signals,
    exec_errors: Option<&ExecErrors>,
    environment: Environment,
) -> i32 {
    if let Child::Ending { ending, syncs } = child {
        return end(ending, syncs);
    }
    process::lead_session();
    take_console(child);
    signals.restore();
    let path = notice::path(child);
    let reason = match child {
        Child::Emergency => run_emergency(path, environment),
        _ => execute(path, &[path], environment),
    };
    if let Some(exec_errors) = exec_errors {
        exec_errors.leave(reason);
    }
    EXIT_FAILED
}

/// Makes the kernel end the machine; returns if it will not, or if it did and only this process is left.
pub fn end(ending: Ending, syncs: bool) -> i32 {
    if syncs {
        machine::sync();
    }
    let outcome = match ending {
        Ending::PowerOff => machine::power_off(),
        Ending::Halt => machine::halt(),
        Ending::Reboot => machine::restart(),
        Ending::Kexec => machine::kexec(),
    };
    if outcome.is_ok() { 0 } else { REFUSED.into() }
}

/// Puts the standard descriptors on the console, opened anew so that no flag of pid 1's own is shared.
fn take_console(child: Child) {
    let is_typed_at = matches!(child, Child::Stage(Stage::One) | Child::Emergency);
    match terminal::open(CONSOLE) {
        Ok(console) => {
            // A console that refuses one of these is still better than none.
            let _ = file::make_blocking(console.as_fd());
            if is_typed_at {
                let _ = terminal::make_controlling(&console);
            }
            for standard in [Standard::Input, Standard::Output, Standard::Error] {
                let _ = redirect(console.as_fd(), standard);
            }
        }
        Err(reason) if is_typed_at => {
            let values = [CONSOLE.to_bytes(), reason.common_text()];
            report::line_if_ready(standard::error(), b"- runit: warning: unable to open %: %", &values);
        }
        Err(_) => {}
    }
}

fn run_emergency(path: &CStr, environment: Environment) -> Errno {
    if request::is_executable(path) {
        execute(path, &[path], environment);
    }
    execute(SHELL, &[SHELL], environment)
}
