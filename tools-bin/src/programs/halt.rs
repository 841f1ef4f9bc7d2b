//! `halt`, `poweroff`, `reboot`: one program, which asks pid 1, or with `-f` the kernel (halt(8)).

use core::ffi::CStr;

use supervision::process::errno::Errno;
use sys::{Result, machine, process, report, standard};

use crate::Words;

const EXIT_FAILED: i32 = 1;

/// The command that talks to pid 1.
const INIT: &CStr = c"/sbin/runit-init";

/// Does what its name says.
pub fn main(words: Words) -> i32 {
    let mut is_forced = false;
    let mut syncs = true;
    for index in 1..words.count() {
        match words.get(index).map(CStr::to_bytes) {
            Some([b'-', letters @ ..]) if !letters.is_empty() => {
                for letter in letters {
                    match letter {
                        b'f' => is_forced = true,
                        b'n' => syncs = false,
                        _ => return usage(words),
                    }
                }
            }
            _ => return usage(words),
        }
    }
    if is_forced { force(words, syncs) } else { ask(words) }
}

fn usage(words: Words) -> i32 {
    report::line(standard::error(), b"usage: % [-fn]\n", &[words.name()]);
    EXIT_FAILED
}

fn ask(words: Words) -> i32 {
    let level = if words.name() == b"reboot" { c"6" } else { c"0" };
    let reason = process::execute(INIT, &[c"init", level], words.environment());
    fail(words, b"%: fatal: unable to run /sbin/runit-init: %", reason)
}

fn force(words: Words, syncs: bool) -> i32 {
    if syncs {
        machine::sync();
    }
    let outcome: Result<()> = match words.name() {
        b"reboot" => machine::restart(),
        b"poweroff" => machine::power_off(),
        _ => machine::halt(),
    };
    match outcome {
        Ok(()) => 0,
        Err(reason) => fail(words, b"%: fatal: unable to end the machine: %", reason),
    }
}

fn fail(words: Words, template: &[u8], reason: Errno) -> i32 {
    report::line(standard::error(), template, &[words.name(), reason.text()]);
    EXIT_FAILED
}
