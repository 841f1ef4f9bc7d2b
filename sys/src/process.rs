//! Processes: fork, execute, wait, kill.
//!
//! # Safety
//! The file relies on the process having one thread, so that the child of a fork may do all that its parent could,
//! and on the strings that are passed to `exec` ending in NUL, which their type proves.
#![allow(unsafe_code)]

use core::ffi::CStr;
use core::mem::ManuallyDrop;

use linux_raw_sys::general::{
    __NR_execve, __NR_getcwd, __NR_kill, __NR_pidfd_open, __NR_pidfd_send_signal, CLONE_VFORK, CLONE_VM, SIGCHLD,
};
use rustix::fd::AsFd;
use rustix::process::WaitOptions;
use supervision::process::Pid;
use supervision::process::birth::{self, Birth};
use supervision::process::errno::Errno;
use supervision::process::outcome::Outcome;
use supervision::process::signal::Signal;
use supervision::text::Path;

use crate::call::{call, clone};
use crate::descriptor::number;
use crate::file::CURRENT;
use crate::strings::Strings;
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
pub fn spawn<F: FnOnce() -> i32>(child: F) -> Result<Pid> {
    clone_process(SIGCHLD, child)
}

/// As [`spawn`], but the caller waits until the child has executed another program, or has ended: nothing is copied for it
/// meanwhile. `child` must never wait for anything. What it writes into a `Cell` of the caller, the caller finds there (but not
/// where an emulator forks in full).
///
/// # Errors
/// `EAGAIN`, `ENOMEM`: there is no room for another process.
pub fn spawn_at_once<F: FnOnce() -> i32 + Copy>(child: F) -> Result<Pid> {
    clone_process(CLONE_VM | CLONE_VFORK | SIGCHLD, child)
}

fn clone_process<F: FnOnce() -> i32>(flags: u32, child: F) -> Result<Pid> {
    unsafe extern "C" fn run<F: FnOnce() -> i32>(child: *mut u8) -> i32 {
        // SAFETY: `clone_process` passes a closure that it never uses or drops itself.
        let child = unsafe { child.cast::<F>().read() };
        child()
    }
    let mut child = ManuallyDrop::new(child);
    let data = (&raw mut child).cast::<u8>();
    // SAFETY: `run` takes this closure. Where memory is shared it captures references and copies alone.
    unsafe { clone_to_run(flags, run::<F>, data) }
}

/// As [`clone`].
///
/// # Safety
/// - `run` may be called with `data` in the child, which shares memory if the flags say so.
#[inline(never)]
unsafe fn clone_to_run(flags: u32, run: unsafe extern "C" fn(*mut u8) -> i32, data: *mut u8) -> Result<Pid> {
    // SAFETY: the flags ask for a process; it has one thread as this one has, so it may go on as its parent would.
    let pid = unsafe { clone(flags, run, data) }?;
    // A pid is a small number, and 0 stays in the child.
    Pid::new(pid as u32).ok_or(Errno::AGAIN)
}

/// Ends the process at once.
pub fn exit(code: i32) -> ! {
    // SAFETY: ends the process without running anything of it.
    unsafe { libc::_exit(code) }
}

/// The variables that a program was started with, or is to be started with.
#[derive(Clone, Copy)]
pub struct Environment(Strings);

impl Environment {
    /// Takes strings of the form `NAME=value`.
    pub fn new(variables: Strings) -> Self {
        Self(variables)
    }

    /// As strings.
    pub fn strings(self) -> Strings {
        self.0
    }

    /// The value of the variable called `name`.
    pub fn variable(self, name: &[u8]) -> Option<&'static CStr> {
        self.0.iter().find_map(|variable| {
            let value = variable.to_bytes_with_nul().strip_prefix(name)?.strip_prefix(b"=")?;
            CStr::from_bytes_until_nul(value).ok()
        })
    }
}

/// Executes `program` in the place of the caller. Returns only if that fails.
pub fn execute(program: &CStr, arguments: &[&CStr], environment: Environment) -> Errno {
    let mut argv = [core::ptr::null(); ARGUMENTS + 1];
    for (pointer, argument) in argv.iter_mut().take(ARGUMENTS).zip(arguments) {
        *pointer = argument.as_ptr();
    }
    // SAFETY: the strings end in NUL, and the list in a null pointer; all live until the call comes back.
    execute_words(program, unsafe { Strings::new(argv.as_ptr()) }, environment)
}

/// As [`execute`], with any number of words.
pub fn execute_words(program: &CStr, words: Strings, environment: Environment) -> Errno {
    let pointers = [program.as_ptr().expose_provenance(), words.address(), environment.0.address(), 0];
    // SAFETY: all strings end in NUL, and both lists in a null pointer.
    unsafe { call(__NR_execve, pointers) }.err().unwrap_or(Errno::INVAL)
}

/// Takes one child that ended, if there is one, without waiting.
pub fn reap() -> Option<(Pid, Outcome)> {
    let (pid, status) = rustix::process::wait(WaitOptions::NOHANG).ok()??;
    let pid = Pid::new(pid.as_raw_nonzero().get().cast_unsigned())?;
    Some((pid, Outcome::from_wait_status(status.as_raw().cast_unsigned())))
}

/// Waits for the end of a child, for as long as it takes; `None` if there is no such child.
pub fn wait_for(child: Pid) -> Option<Outcome> {
    let child = rustix::process::Pid::from_raw(child.raw().cast_signed());
    let waited = || rustix::process::waitpid(child, WaitOptions::empty());
    let (_, status) = rustix::io::retry_on_intr(waited).ok()??;
    Some(Outcome::from_wait_status(status.as_raw().cast_unsigned()))
}

/// Sends a signal to a process. It may be gone already: then nothing happens.
pub fn signal(pid: Pid, signal: Signal) {
    kill(pid.raw().cast_signed(), signal);
}

/// Sends a signal to the caller itself.
pub fn signal_self(signal: Signal) {
    if let Some(own) = Pid::new(own_pid()) {
        self::signal(own, signal);
    }
}

/// Sends a signal to the process group that `leader` leads.
pub fn signal_group(leader: Pid, signal: Signal) {
    kill(leader.raw().cast_signed().wrapping_neg(), signal);
}

/// rustix knows the signals that have names alone.
pub(crate) fn kill(target: i32, signal: Signal) {
    // SAFETY: takes two numbers.
    let _ = unsafe { call(__NR_kill, [target as usize, signal.number().into(), 0, 0]) };
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

/// What tells a process from others of its number.
///
/// # Errors
/// `ENOENT`, `ESRCH`: there is no such process; else the kernel's, which say nothing of the process.
pub fn birth(process: Pid) -> Result<Birth> {
    // Name and numbers up to the start fit many times.
    let mut buffer = [0; 512];
    let mut path = path_of(process, b"/stat");
    let stat = file::open_read(CURRENT, path.terminated().ok_or(Errno::INVAL)?)?;
    birth::read(file::read(stat.as_fd(), &mut buffer)?).ok_or(Errno::INVAL)
}

/// Sends a signal to the process that a descriptor of [`watch_end`] stands for.
///
/// # Errors
/// `ESRCH` if it has ended; else the kernel's.
pub fn signal_by(end: &Descriptor, signal: Signal) -> Result<()> {
    // SAFETY: takes numbers alone, and no further information.
    unsafe { call(__NR_pidfd_send_signal, [number(end), signal.number().into(), 0, 0]) }.map(drop)
}

/// The user in whose name the caller acts.
pub fn effective_user() -> u32 {
    rustix::process::geteuid().as_raw()
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
