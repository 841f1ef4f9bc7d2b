//! `init 0` and `init 6`: leaves the request and wakes pid 1 (runit-init(8)).

use core::ffi::CStr;

use supervision::boot::event::Ending;
use supervision::process::Pid;
use supervision::process::signal::Signal;
use sys::{process, report, signal, standard};

use crate::{EXIT_FAILED, request};

/// Wrong usage is told and is no failure, as it always was.
const EXIT_USAGE: i32 = 0;

/// Does what the first letter of `word` asks for, and `ending` if it is known; `called` is the program's name as it was called.
pub fn run(called: &[u8], word: Option<&CStr>, ending: Option<&CStr>) -> i32 {
    let reboots = match word.and_then(|word| word.to_bytes().first()) {
        Some(b'0') => false,
        Some(b'6') => true,
        Some(_) | None => {
            if word.is_some_and(|word| word.to_bytes() == b"-V") {
                report::line(standard::error(), concat!("pipit ", env!("PIPIT_VERSION"), "\n").as_bytes(), &[]);
            }
            report::line(standard::error(), b"usage: % 0|6\n", &[called]);
            return EXIT_USAGE;
        }
    };
    // Under a limit of the size of files the request goes out without its word.
    signal::ignore(Signal::XFSZ);
    // As the original has it, other words mean nothing.
    let ending = ending.map(CStr::to_bytes).filter(|ending| Ending::from_word(ending).is_some());
    match request::ask(reboots, ending) {
        Ok(()) => {
            if let Some(init) = Pid::new(1) {
                process::signal(init, Signal::CONT);
            }
            0
        }
        Err(trouble) => {
            let values = [trouble.what, trouble.path.to_bytes(), trouble.reason.common_text()];
            report::line(standard::error(), b"init: fatal: unable to % %: %", &values);
            EXIT_FAILED
        }
    }
}
