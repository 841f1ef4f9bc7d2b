//! Counts the system calls of a process.

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result, bail};
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::children;

/// A process that ended by itself.
pub struct Counted {
    /// From its exec to its end.
    pub calls: usize,
    /// Whether its exit code was 0.
    pub is_success: bool,
}

/// Runs a command to its end. Its pipes are closed here when it has started.
pub fn count(mut command: Command) -> Result<Counted> {
    // SAFETY: the closure makes one system call, allocates nothing and takes no lock.
    unsafe { command.pre_exec(|| ptrace::traceme().map_err(std::io::Error::from)) };
    let pid = Pid::from_raw(i32::try_from(children::start(&mut command)?.id()).context("a pid fits")?);
    let name = command.get_program().to_owned();
    drop(command);
    let (stops, is_success) = count_stops(pid).with_context(|| format!("unable to trace {}", name.display()))?;
    // One stop as a call begins and one as it ends; the last call does not.
    Ok(Counted { calls: stops.div_ceil(2), is_success })
}

/// The stops at system calls of a process that is stopped after its exec, and whether it ended well.
fn count_stops(pid: Pid) -> Result<(usize, bool)> {
    let mut stops = 0;
    let mut signal = None;
    let mut is_prepared = false;
    loop {
        match waitpid(pid, None)? {
            WaitStatus::Exited(_, code) => return Ok((stops, code == 0)),
            WaitStatus::Signaled(_, signal, _) => bail!("it was ended by {signal}"),
            WaitStatus::PtraceSyscall(_) => {
                stops += 1;
                signal = None;
            }
            WaitStatus::Stopped(_, _) if !is_prepared => {
                ptrace::setoptions(pid, Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_EXITKILL)?;
                is_prepared = true;
            }
            // After a further exec.
            WaitStatus::Stopped(_, Signal::SIGTRAP) => signal = None,
            WaitStatus::Stopped(_, other) => signal = Some(other),
            other => bail!("it came to {other:?}"),
        }
        ptrace::syscall(pid, signal)?;
    }
}
