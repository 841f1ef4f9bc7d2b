//! A process that is stopped at each of its system calls, and killed at the one that was chosen.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::ptr::null_mut;

use nix::libc;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

/// What [`run`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// It was killed at the call.
    Killed,
    /// It ended after so many calls.
    Ended(usize),
}

/// Makes a command stop at its start, for the thread that starts it to trace it with [`run`]. What it forks is not
/// traced.
pub fn prepare(command: &mut Command) {
    // SAFETY: the closure makes one system call, allocates nothing and takes no lock.
    unsafe {
        command
            .pre_exec(|| nix::errno::Errno::result(request(libc::PTRACE_TRACEME, 0, 0)).map(drop).map_err(Into::into));
    }
}

/// Lets a process run from call to call, from the thread that started it. Before each call `at_call` is asked; with its
/// number `kill_at` the process is killed, and the call is not made. The process is left to be waited for.
pub fn run(pid: u32, kill_at: usize, mut at_call: impl FnMut(usize)) -> Run {
    let pid = libc::pid_t::try_from(pid).expect("a pid");
    let mut calls = 0;
    let mut is_inside = false;
    let mut is_prepared = false;
    loop {
        // It stays to be waited for: whoever started it does so.
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WSTOPPED | WaitPidFlag::WNOWAIT;
        let mut signal = 0;
        match waitid(Id::Pid(Pid::from_raw(pid)), flags).expect("a process that is traced") {
            WaitStatus::Exited(..) | WaitStatus::Signaled(..) => return Run::Ended(calls),
            _ if !is_prepared => {
                is_prepared = true;
                request(libc::PTRACE_SETOPTIONS, pid, libc::PTRACE_O_TRACESYSGOOD.into());
            }
            WaitStatus::PtraceSyscall(_) if is_inside => is_inside = false,
            WaitStatus::PtraceSyscall(_) => {
                is_inside = true;
                calls += 1;
                at_call(calls);
                if calls == kill_at {
                    nix::sys::signal::kill(Pid::from_raw(pid), nix::sys::signal::SIGKILL).expect("a process to kill");
                    return Run::Killed;
                }
            }
            WaitStatus::Stopped(_, stopped_by) | WaitStatus::PtraceEvent(_, stopped_by, _) => {
                signal = i64::from(stopped_by as i32);
            }
            _ => {}
        }
        request(libc::PTRACE_SYSCALL, pid, signal);
    }
}

/// One request without address: -1 if the system refuses, or if the process is gone.
fn request(what: libc::c_uint, pid: libc::pid_t, data: i64) -> libc::c_long {
    // SAFETY: of the requests made here none reads or writes memory of this process.
    unsafe { libc::ptrace(what, pid, null_mut::<libc::c_void>(), data) }
}
