//! Whether a supervisor has done all there is to do, seen from outside.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// True if a supervisor polls and no signal is on its way.
pub fn waits(pid: u32) -> bool {
    let switches = support::context_switches(pid);
    polls(pid) && !has_pending_signals(pid) && support::context_switches(pid) == switches
}

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

fn waiting_bytes(fifo: &File) -> i32 {
    let mut count = 0;
    // SAFETY: FIONREAD writes one int to the address given, and the descriptor is open. nix has no safe form without its
    // macros, which come to the same.
    let _not_a_fifo = unsafe { nix::libc::ioctl(fifo.as_raw_fd(), nix::libc::FIONREAD, &raw mut count) };
    count
}

/// True if a signal is on its way to a process.
pub fn has_pending_signals(pid: u32) -> bool {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let masks = text.lines().filter_map(|line| line.strip_prefix("SigPnd:").or_else(|| line.strip_prefix("ShdPnd:")));
    masks.map(str::trim).any(|mask| mask.bytes().any(|digit| digit != b'0'))
}

/// The number of the system call a process sleeps in.
pub fn system_call(pid: u32) -> Option<i64> {
    std::fs::read_to_string(format!("/proc/{pid}/syscall")).ok()?.split(' ').next()?.parse().ok()
}

/// True if a process just sleeps.
pub fn sleeps(pid: u32) -> bool {
    system_call(pid).is_some_and(|call| [nix::libc::SYS_nanosleep, nix::libc::SYS_clock_nanosleep].contains(&call))
}

/// True if a process sleeps in one of the calls that wait for descriptors.
pub fn polls(pid: u32) -> bool {
    use nix::libc::{SYS_epoll_pwait, SYS_epoll_wait, SYS_poll, SYS_ppoll, SYS_pselect6, SYS_select};
    system_call(pid).is_some_and(|call| {
        [SYS_poll, SYS_ppoll, SYS_select, SYS_pselect6, SYS_epoll_wait, SYS_epoll_pwait].contains(&call)
    })
}
