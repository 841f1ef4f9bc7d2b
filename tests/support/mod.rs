//! What the real-process tests share: a scratch directory with services in it, the programs under test,
//! waiting for a condition, and pid 1 in namespaces of its own.
//!
//! Nothing here knows the crates of the project: what the programs promise is written down a second time,
//! from the outside, so that one mistake cannot hide in both.
//!
//! The programs are looked for in `PIPIT_BIN`, else in `out/x86_64/bin`. A test whose name begins with
//! `mends_` shows a defect of the original mended (`mends_k5_…`), one with `adds_` something the original does
//! not have: leave both out (`--skip mends_ --skip adds_`) to hold the suite against the original programs.

mod account;
mod apart;
mod conditions;
mod executed;
mod fake;
mod idle;
mod log;
mod logger;
mod machine;
mod process;
mod programs;
mod records;
mod reference;
mod scan;
mod scratch;
mod service;
mod shown;
mod status;
pub mod tracer;
mod wait;

pub use account::Account;
pub use apart::Apart;
pub use conditions::Conditions;
pub use executed::{Executed, Parts};
pub use fake::FakeService;
pub use idle::{has_pending_signals, polls, system_call, waiting_bytes, waits};
pub use log::{CLOSED, LogDirectory, LogFile, OPEN};
pub use logger::{LogPipe, Logger};
pub use machine::{Machine, MachineEnd, Root, open_terminal};
pub use process::{Ending, Output, Supervisor};
pub use programs::{
    arm_programs, figure, has_program, is_reference, is_root, may_make_namespaces, needs, programs, repository, skip,
};
pub use records::{LoginRecord, RECORD_BYTES, now};
pub use reference::{Reference, reference};
pub use scan::{Scan, find_runsv, is_runsv, runsv_of, wait_gone};
pub use scratch::Scratch;
pub use service::{LISTEN, LISTEN_AND_STAY, NOTE_START, Service, assert_a_second_apart, seconds_between};
pub use shown::{EXTENSION_KEYS, Extension, RECORD_KEYS, STATUS_BYTES, Shown, boot_name, boot_seconds};
pub use status::{State, Status};
pub use wait::{LIMIT, wait_until};

use std::path::Path;

/// The first line of `/proc/PID/stat` split at the blanks, with the name in parentheses left out:
/// index 0 is the state letter.
pub fn process_fields(pid: u32) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}

/// The state letter of a process, `None` once it is gone.
pub fn process_state(pid: u32) -> Option<char> {
    process_fields(pid)?.first()?.chars().next()
}

/// True while the process exists and is not a zombie.
pub fn is_alive(pid: u32) -> bool {
    !matches!(process_state(pid), None | Some('Z' | 'X'))
}

/// Sends a signal to one process that a test started.
pub fn send_signal(pid: u32, signal: nix::sys::signal::Signal) {
    let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).expect("pid fits"));
    let _gone_already = nix::sys::signal::kill(pid, signal);
}

/// The words of a process's command line, empty once it is gone.
pub fn command_line(pid: u32) -> Vec<String> {
    let bytes = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    bytes
        .split(|byte| *byte == 0)
        .filter(|word| !word.is_empty())
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect()
}

/// The children of a process, oldest first.
pub fn children(pid: u32) -> Vec<u32> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

/// How often a process has given up or lost the processor: the sum of both counters.
pub fn context_switches(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.split_once("ctxt_switches:"))
        .filter_map(|(_, count)| count.trim().parse::<u64>().ok())
        .sum()
}

/// The lines of a file, none if it is not there. A last line without newline is not counted yet.
pub fn lines(path: &Path) -> Vec<String> {
    let text = String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    if whole.is_empty() && !text.starts_with('\n') {
        Vec::new()
    } else {
        whole.split('\n').map(str::to_owned).collect()
    }
}

/// `text` with pids and ages made equal: `(pid 12) 3s` becomes `(pid P) Ns`.
pub fn without_numbers(text: &str) -> String {
    let mut result = String::new();
    for (index, word) in text.split(' ').enumerate() {
        if index > 0 {
            result.push(' ');
        }
        let (core, tail) = word.find([',', ';', '\n']).map_or((word, ""), |at| word.split_at(at));
        if let Some(digits) = core
            .strip_suffix('s')
            .filter(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
        {
            let _age = digits;
            result.push_str("Ns");
            result.push_str(tail);
        } else if core.len() > 1
            && core.ends_with(')')
            && core[..core.len() - 1].bytes().all(|byte| byte.is_ascii_digit())
        {
            result.push_str("P)");
            result.push_str(tail);
        } else {
            result.push_str(word);
        }
    }
    result
}
