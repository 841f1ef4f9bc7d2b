//! Processes: fork, execute, wait, kill.
//!
//! # Safety
//! The file relies on the process having one thread, so that the child of a fork may do all that its parent could,
//! and on the strings that are passed to `exec` ending in NUL, which their type proves.
#![allow(unsafe_code)]

use core::ffi::CStr;

use linux_raw_sys::general::{__NR_clone, __NR_getcwd, __NR_pidfd_open, SIGCHLD};
use rustix::fd::AsFd;
use rustix::process::WaitOptions;
use supervision::process::Pid;
use supervision::process::birth::{self, Ticks};
use supervision::process::errno::Errno;
use supervision::process::outcome::Outcome;
use supervision::process::signal::Signal;
use supervision::text::Path;

use crate::call::call;
use crate::descriptor::last_error;
use crate::file::CURRENT;
use crate::{Descriptor, Result, errno, file};

/// Arguments of an executed program, its name included; what is beyond is cut.
const ARGUMENTS: usize = 7;

/// The caller's own process id.
pub fn own_pid() -> u32 {
    rustix::process::getpid().as_raw_nonzero().get().cast_unsigned()
}

/// Forks a child that runs `child`, and gives its pid. The child ends with the code that `child` returns;
/// it returns only if it could not execute another program.
///
/// # Errors
/// `EAGAIN`, `ENOMEM`: there is no room for another process.
pub fn spawn(child: impl FnOnce() -> i32) -> Result<Pid> {
    // SAFETY: with no flag but the signal of its end the child is a copy; this process has one thread, so it may
    // go on as its parent would.
    let returned = unsafe { call(__NR_clone, [SIGCHLD as usize, 0, 0, 0]) }?;
    // A pid is a small number.
    match Pid::new(returned as u32) {
        None => exit(child()),
        Some(pid) => Ok(pid),
    }
}

/// Ends the process at once.
pub fn exit(code: i32) -> ! {
    // SAFETY: ends the process without running anything of it.
    unsafe { libc::_exit(code) }
}

/// Executes `program` in the place of the caller, with its environment. Returns only if that fails.
pub fn execute(program: &CStr, arguments: &[&CStr]) -> Errno {
    let mut argv = [core::ptr::null(); ARGUMENTS + 1];
    for (pointer, argument) in argv.iter_mut().take(ARGUMENTS).zip(arguments) {
        *pointer = argument.as_ptr();
    }
    // SAFETY: both are NUL-terminated strings, and `argv` ends in a null pointer.
    unsafe { libc::execv(program.as_ptr(), argv.as_ptr()) };
    last_error()
}

/// Takes one child that ended, if there is one, without waiting.
pub fn reap() -> Option<(Pid, Outcome)> {
    let (pid, status) = rustix::process::wait(WaitOptions::NOHANG).ok()??;
    let pid = Pid::new(pid.as_raw_nonzero().get().cast_unsigned())?;
    Some((pid, Outcome::from_wait_status(status.as_raw().cast_unsigned())))
}

/// Sends a signal to a process. It may be gone already: then nothing happens.
pub fn signal(pid: Pid, signal: Signal) {
    if let Some((pid, signal)) = kernel_terms(pid, signal) {
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// Sends a signal to the caller itself.
pub fn signal_self(signal: Signal) {
    if let Some(own) = Pid::new(own_pid()) {
        self::signal(own, signal);
    }
}

/// Sends a signal to the process group that `leader` leads.
pub fn signal_group(leader: Pid, signal: Signal) {
    if let Some((pid, signal)) = kernel_terms(leader, signal) {
        let _ = rustix::process::kill_process_group(pid, signal);
    }
}

fn kernel_terms(pid: Pid, signal: Signal) -> Option<(rustix::process::Pid, rustix::process::Signal)> {
    let pid = rustix::process::Pid::from_raw(pid.raw().cast_signed())?;
    Some((pid, rustix::process::Signal::from_named_raw(signal.number().into())?))
}

/// Makes a child, or the caller itself where `process` is `None`, lead a process group of its own.
pub fn lead_group(process: Option<Pid>) {
    let process = process.and_then(|pid| rustix::process::Pid::from_raw(pid.raw().cast_signed()));
    let _ = rustix::process::setpgid(process, None);
}

/// Whether a process leads its process group.
pub fn leads_group(process: Pid) -> bool {
    let Some(pid) = rustix::process::Pid::from_raw(process.raw().cast_signed()) else { return false };
    rustix::process::getpgid(Some(pid)) == Ok(pid)
}

/// A descriptor that is readable when `process` has ended, whoever's child it is.
///
/// # Errors
/// `ESRCH` if there is no such process, `ENOSYS` before Linux 5.3; else the kernel's.
pub fn watch_end(process: Pid) -> Result<Descriptor> {
    // SAFETY: takes numbers alone, and makes a new descriptor.
    Descriptor::from_call(unsafe { call(__NR_pidfd_open, [process.raw() as usize, 0, 0, 0]) })
}

/// When a process was started; `None` if it has ended, or if `/proc` does not tell.
pub fn birth(process: Pid) -> Option<Ticks> {
    // Name and numbers up to the start fit many times.
    let mut buffer = [0; 512];
    let stat = file::open_read(CURRENT, path_of(process, b"/stat").terminated()?).ok()?;
    birth::started(file::read(stat.as_fd(), &mut buffer).ok()?)
}

/// The path of something that `/proc` tells about a process.
pub fn path_of(process: Pid, what: &[u8]) -> Path {
    let mut path = Path::from_bytes(b"/proc/");
    path.push_number(process.raw().into());
    path.push(what);
    path
}

/// Makes the caller lead a session of its own; nothing changes if it leads one already.
pub fn lead_session() {
    let _ = rustix::process::setsid();
}

/// The true path of the current directory, without links.
///
/// # Errors
/// `ERANGE` if `buffer` is too small; else the kernel's.
pub fn current_directory(buffer: &mut [u8]) -> Result<&[u8]> {
    // SAFETY: the kernel writes at most as many bytes as the buffer has.
    let length = unsafe { call(__NR_getcwd, [buffer.as_mut_ptr().expose_provenance(), buffer.len(), 0, 0]) }?;
    // The last byte is a NUL.
    Ok(buffer.get(..length.saturating_sub(1)).unwrap_or(&[]))
}

/// Changes to the directory that `path` leads to.
///
/// # Errors
/// The kernel's.
pub fn enter_path(path: &CStr) -> Result<()> {
    rustix::process::chdir(path).map_err(errno)
}

/// The value of a variable of the environment.
pub fn variable(name: &CStr) -> Option<&'static CStr> {
    // SAFETY: the name ends in NUL; the environment belongs to the process and nobody here changes it.
    let value = unsafe { libc::getenv(name.as_ptr()) };
    // SAFETY: a value that is there ends in NUL, and stays as long as the process.
    (!value.is_null()).then(|| unsafe { CStr::from_ptr(value) })
}

/// Changes to a directory.
///
/// # Errors
/// The kernel's.
pub fn enter(directory: impl AsFd) -> Result<()> {
    rustix::process::fchdir(directory).map_err(errno)
}

/// How children tell that they could not execute their program: records in a pipe that exec closes.
#[derive(Debug)]
pub struct ExecErrors {
    records: Descriptor,
    writer: Descriptor,
}

impl ExecErrors {
    /// An empty pipe.
    ///
    /// # Errors
    /// The kernel's: no descriptor is left.
    pub fn new() -> Result<Self> {
        let (records, writer) = file::pipe(file::Waiting::Never)?;
        Ok(Self { records, writer })
    }

    /// In the child: leaves a record for its parent.
    pub fn leave(&self, reason: Errno) {
        let [a, b, c, d] = own_pid().to_le_bytes();
        let [e, f] = reason.number().to_le_bytes();
        let _ = file::write(self.writer.as_fd(), &[a, b, c, d, e, f]);
    }

    /// In the parent: the next record, if there is one. It is there before the child's end is told.
    pub fn take(&self) -> Option<(Pid, Errno)> {
        let mut record = [0; 6];
        let [a, b, c, d, e, f] = *file::read(self.records.as_fd(), &mut record).ok()? else { return None };
        Some((Pid::new(u32::from_le_bytes([a, b, c, d]))?, Errno::new(u16::from_le_bytes([e, f]))))
    }
}
