//! Whether a process has done all there is to do, seen from outside.

use std::os::fd::{AsFd, AsRawFd};

/// True if a process waits for descriptors and no signal is on its way.
pub fn waits(pid: u32) -> bool {
    let switches = crate::context_switches(pid);
    polls(pid) && !has_pending_signals(pid) && crate::context_switches(pid) == switches
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

/// True if a process sleeps in one of the calls that wait for descriptors.
pub fn polls(pid: u32) -> bool {
    use nix::libc::{SYS_epoll_pwait, SYS_epoll_wait, SYS_poll, SYS_ppoll, SYS_pselect6, SYS_select};
    system_call(pid).is_some_and(|call| {
        [SYS_poll, SYS_ppoll, SYS_select, SYS_pselect6, SYS_epoll_wait, SYS_epoll_pwait].contains(&call)
    })
}

/// The bytes that wait in a pipe; 0 if it is none.
pub fn waiting_bytes(pipe: &impl AsFd) -> usize {
    let mut count: nix::libc::c_int = 0;
    // SAFETY: FIONREAD writes one int to the address given, and the descriptor is open. nix has no safe form without
    // its macros, which come to the same.
    let _not_a_pipe = unsafe { nix::libc::ioctl(pipe.as_fd().as_raw_fd(), nix::libc::FIONREAD, &raw mut count) };
    usize::try_from(count).unwrap_or_default()
}
