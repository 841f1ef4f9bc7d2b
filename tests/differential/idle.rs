//! Whether a supervisor has done all there is to do, seen from outside.

use std::path::Path;

use std::os::unix::fs::OpenOptionsExt;
use support::{system_call, waiting_bytes};

/// True if there is a child that is not `./run` or `./finish`, or has not executed it yet, or is not reaped yet.
pub fn runs_command(pid: u32) -> bool {
    let own = support::command_line(pid);
    support::children(pid).into_iter().any(|child| {
        let words = support::command_line(child);
        words.is_empty() || words == own || words.iter().any(|word| word.starts_with("control/"))
    })
}

/// True if no byte waits in a fifo, or there is none.
pub fn is_drained(fifo: &Path) -> bool {
    let opened = std::fs::OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK).open(fifo);
    opened.map_or(true, |fifo| waiting_bytes(&fifo) == 0)
}

/// True if a process just sleeps.
pub fn sleeps(pid: u32) -> bool {
    system_call(pid).is_some_and(|call| [nix::libc::SYS_nanosleep, nix::libc::SYS_clock_nanosleep].contains(&call))
}
