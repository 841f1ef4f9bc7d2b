//! `runit-init`: pid 1, and the command that asks pid 1 to go down.
//!
//! Started as pid 1, under whatever name, it is the init of the machine. Otherwise `runit` only says that it must be
//! pid 1, and every other name is the command (`init 0`, `init 6`).
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

mod boot;
mod children;
mod command;
mod console;
mod image;
mod notice;
mod request;

use sys::entry::Arguments;
use sys::{process, report, standard};

sys::entry!(start);

/// A failed system call, or not pid 1 (runit-init(8)).
const EXIT_FAILED: i32 = 111;

fn start(arguments: Arguments) -> i32 {
    #[cfg(feature = "planted-panic")]
    assert!(arguments.len() < 100);
    if process::own_pid() == 1 {
        return boot::run(arguments.environment());
    }
    let called = arguments.get(0).map_or(&b"init"[..], core::ffi::CStr::to_bytes);
    if called == b"runit" || called.ends_with(b"/runit") {
        report::line(standard::error(), b"- runit: fatal: must be run as process no 1.", &[]);
        return EXIT_FAILED;
    }
    command::run(called, arguments.get(1), arguments.get(2))
}
