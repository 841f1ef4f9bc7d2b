//! The programs in a service directory: which are there, and how each is executed (runsv(8)).

use core::cell::Cell;
use core::ffi::CStr;

use supervision::limits::SETTING_BYTES;
use supervision::process::Pid;
use supervision::process::errno::Errno;
use supervision::process::outcome::Outcome;
use supervision::process::signal::Signal;
use supervision::supervise::event::{Member, Script};
use supervision::supervise::settings::{File, Settings};
use supervision::text::Text;
use sys::memory::Protection;
use sys::process::{Environment, enter, execute, lead_group, spawn_at_once};
use sys::report::Errors;
use sys::signal::{SignalSet, Signals};
use sys::standard::{Standard, redirect};
use sys::{BorrowedFd, Descriptor, file};

/// What a supervisor blocks, and reads when it has time. TERM and INT end it; the rest must not.
///
/// IO tells of changes in its directories.
pub const CAUGHT: SignalSet = SignalSet::of(&[
    Signal::ALRM,
    Signal::CHLD,
    Signal::HUP,
    Signal::INT,
    Signal::IO,
    Signal::PIPE,
    Signal::QUIT,
    Signal::TERM,
    Signal::USR1,
    Signal::USR2,
]);

/// A child that could not execute its program, and every failed system call (runsv(8)).
pub const EXIT_FAILED: i32 = 111;

/// What a child needs of its supervisor.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The service directory as the user gave it, for messages.
    pub name: &'a CStr,
    /// The service directory, or its `log`.
    pub directory: &'a Descriptor,
    /// The log pipe: its reading and its writing end.
    pub pipe: Option<&'a (Descriptor, Descriptor)>,
    /// Whether `./run` leads a process group of its own.
    pub leads_group: bool,
    /// The supervisor's signals.
    pub signals: &'a Signals,
    /// How the supervisor is kept when memory runs out.
    pub protection: &'a Protection,
    /// The supervisor's environment.
    pub environment: Environment,
    /// Where a child leaves the reason why it could not execute its program.
    pub failed: &'a Cell<Option<Errno>>,
    /// Where the supervisor tells of trouble.
    pub errors: &'a Errors,
}

/// Why a script was not started.
pub enum NotStarted {
    /// It is not there, or it is not meant to be run.
    Absent,
    /// There is no room for a process.
    NoFork(Errno),
}

/// Starts `script`.
///
/// # Errors
/// [`NotStarted`].
pub fn start(member: Member, script: Script, surroundings: Surroundings<'_>) -> Result<Pid, NotStarted> {
    let is_there = match script {
        Script::Run => true,
        // Readable is enough: one that cannot be executed is tried, and says so.
        Script::Finish(_) => has_finish(surroundings.directory),
        Script::Control(_) => is_control_script(script, surroundings),
    };
    if !is_there {
        return Err(NotStarted::Absent);
    }
    spawn_at_once(|| become_script(member, script, surroundings)).map_err(NotStarted::NoFork)
}

/// Whether there is a finish script.
pub fn has_finish(directory: &Descriptor) -> bool {
    file::is_readable(directory.as_fd(), c"./finish")
}

/// Whether `./run` shall lead a process group of its own, by which all of it is signalled.
pub fn leads_group(directory: &Descriptor) -> bool {
    file::is_readable(directory.as_fd(), c"process-group")
}

/// Reads what the service asks for in these files; `tell` is told what cannot be used, and why.
pub fn read_settings(
    directory: BorrowedFd<'_>,
    files: &[File],
    settings: &mut Settings,
    tell: &mut dyn FnMut(File, Errno),
) {
    for file in files.iter().copied() {
        settings.forget(file);
        let mut buffer = [0; SETTING_BYTES];
        if file.is_flag() {
            // Looked at without a descriptor: where there is none left, a service must not become another one.
            match file::metadata(directory, file.name()) {
                Err(Errno::NOENT) => {}
                Ok(_) => drop(settings.take(file, b"")),
                Err(reason) => tell(file, reason),
            }
            continue;
        }
        let content = match file::open_read(directory, file.name()) {
            Err(Errno::NOENT) => continue,
            Ok(opened) => file::read(opened.as_fd(), &mut buffer),
            Err(reason) => Err(reason),
        };
        let taken = content.and_then(|content| settings.take(file, content).map_err(|_| Errno::INVAL));
        if let Err(reason) = taken {
            tell(file, reason);
        }
    }
}

fn is_control_script(script: Script, surroundings: Surroundings<'_>) -> bool {
    let Some(path) = control_path(script) else { return false };
    match file::metadata(surroundings.directory.as_fd(), path) {
        Ok(metadata) => metadata.is_owner_executable(),
        Err(Errno::NOENT) => false,
        Err(reason) => {
            let values = [surroundings.name.to_bytes(), path.to_bytes(), reason.text()];
            surroundings.errors.line(b"runsv %: warning: unable to stat %: %", &values);
            false
        }
    }
}

fn control_path(script: Script) -> Option<&'static CStr> {
    match script {
        Script::Control(command) => command.script(),
        Script::Run | Script::Finish(_) => None,
    }
}

/// Becomes `script`; returns the exit code if it cannot.
fn become_script(member: Member, script: Script, surroundings: Surroundings<'_>) -> i32 {
    let prepared = prepare(member, surroundings);
    surroundings.protection.leave();
    surroundings.signals.restore();
    if surroundings.leads_group {
        lead_group(None);
    }
    let environment = surroundings.environment;
    let reason = match (prepared, script) {
        (Err(reason), _) => reason,
        (Ok(()), Script::Run) => execute(c"./run", &[c"./run"], environment),
        (Ok(()), Script::Finish(outcome)) => execute_finish(outcome, environment),
        (Ok(()), Script::Control(_)) => {
            control_path(script).map_or(Errno::NOENT, |path| execute(path, &[path], environment))
        }
    };
    let (template, path): (&[u8], &[u8]) = match (member, script) {
        (Member::Main, Script::Control(_)) => {
            (b"runsv %: fatal: unable to run %: %", control_path(script).map_or(b"", CStr::to_bytes))
        }
        (Member::Main, Script::Run) => (b"runsv %: fatal: unable to start %: %", b"./run"),
        (Member::Main, Script::Finish(_)) => (b"runsv %: fatal: unable to start %: %", b"./finish"),
        (Member::Log, _) => (b"runsv %: fatal: unable to start %: %", b"log/./run"),
    };
    surroundings.errors.line(template, &[surroundings.name.to_bytes(), path, reason.text()]);
    surroundings.failed.set(Some(reason));
    EXIT_FAILED
}

fn prepare(member: Member, surroundings: Surroundings<'_>) -> sys::Result<()> {
    enter(surroundings.directory)?;
    match (member, surroundings.pipe) {
        (Member::Main, Some((_, writer))) => redirect(writer.as_fd(), Standard::Output),
        (Member::Log, Some((reader, _))) => redirect(reader.as_fd(), Standard::Input),
        (Member::Main | Member::Log, None) => Ok(()),
    }
}

/// `./finish CODE STATUS`: the exit code or -1, and the low byte of the wait status.
fn execute_finish(outcome: Outcome, environment: Environment) -> Errno {
    let mut code = Text::<8>::new();
    match outcome.exit_code() {
        Some(exit_code) => code.push_number(exit_code.into()),
        None => code.push(b"-1"),
    }
    let mut status = Text::<8>::new();
    status.push_number(outcome.low_byte().into());
    match (code.terminated(), status.terminated()) {
        (Some(code), Some(status)) => execute(c"./finish", &[c"./finish", code, status], environment),
        // Three digits and a NUL always fit.
        _ => Errno::INVAL,
    }
}
