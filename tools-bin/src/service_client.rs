//! A supervised service from outside: what its `supervise/` tells, and how it is told something
//! (runsv(8)). The service directory is the current one.

use core::ffi::CStr;

use supervision::process::Pid;
use supervision::process::errno::Errno;
use supervision::process::message::Line;
use supervision::supervise::extension::Status;
use supervision::supervise::scan::Foreign;
use supervision::text::Path;
use sys::{Descriptor, file, process};

use crate::supervise_directory::{self, Name, read_status_file};

/// Why a service cannot be told, or does not tell.
#[derive(Clone, Copy)]
pub enum Trouble {
    /// Its directory cannot be entered.
    NoDirectory(Errno),
    /// Nobody supervises it.
    NotRunning,
    /// A file of `supervise/` is in trouble.
    File(Step, Errno),
    /// The status file is too short, or not a status file.
    BadFormat,
    /// Not all was taken by the control fifo.
    Cut,
}

/// What was tried on a file of `supervise/`.
#[derive(Clone, Copy)]
pub enum Step {
    /// To open the fifo that tells that the supervisor lives.
    OpenOk,
    /// To open the status file.
    OpenStatus,
    /// To read it.
    ReadStatus,
    /// To open the fifo for commands.
    OpenControl,
    /// To write to it.
    WriteControl,
}

impl Step {
    fn words(self) -> (&'static [u8], &'static [u8]) {
        match self {
            Self::OpenOk => (b"open", b"ok"),
            Self::OpenStatus => (b"open", b"status"),
            Self::ReadStatus => (b"read", b"status"),
            Self::OpenControl => (b"open", b"control"),
            Self::WriteControl => (b"write to", b"control"),
        }
    }
}

impl Trouble {
    /// Appends the words for it, behind the service's `name`.
    pub fn fill_words<'a>(self, line: &mut Line<'a>, name: &'a [u8]) {
        match self {
            Self::NoDirectory(reason) => {
                line.fill(b"%: unable to change to service directory: %", &[name, reason.text()]);
            }
            Self::NotRunning => line.fill(b"%: runsv not running", &[name]),
            Self::BadFormat => line.fill(b"%: unable to read supervise/status: bad format", &[name]),
            Self::Cut => line.fill(b"%: unable to write to supervise/control", &[name]),
            Self::File(step, reason) => {
                let (verb, file) = step.words();
                line.fill(b"%: unable to % supervise/%: %", &[name, verb, file, reason.text()]);
            }
        }
    }

    /// Whether it is the service's failure, and not only ours to learn about it.
    pub fn is_failure(self) -> bool {
        matches!(self, Self::NoDirectory(_) | Self::NotRunning)
    }

    /// Appends the whole of it: how bad, the service, and the words.
    pub fn fill<'a>(self, line: &mut Line<'a>, name: &'a [u8]) {
        line.fill(if self.is_failure() { b"fail: " } else { b"warning: " }, &[]);
        self.fill_words(line, name);
    }
}

/// The status of the service in the current directory, and the fifo that its supervisor holds open.
///
/// # Errors
/// Why there is no status to be had.
pub fn read_status() -> Result<(Status, Descriptor), Trouble> {
    let trouble = |step| move |reason| Trouble::File(step, reason);
    let ok = supervise_directory::open_file(Name::Ok, file::open_fifo_to_write).map_err(|reason| match reason {
        Errno::NXIO => Trouble::NotRunning,
        _ => Trouble::File(Step::OpenOk, reason),
    })?;
    let status = supervise_directory::open_file(Name::Status, file::open_read).map_err(trouble(Step::OpenStatus))?;
    let status = read_status_file(&status).map_err(trouble(Step::ReadStatus))?;
    status.map(|status| (status, ok)).ok_or(Trouble::BadFormat)
}

/// The status of the service whose `supervise/` is `directory`, which has told of a change, so that its supervisor is alive;
/// `None` if it is to be looked for by its path.
pub fn read_status_in(directory: &Descriptor) -> Option<Status> {
    let status = file::open_read(directory.as_fd(), c"status").ok()?;
    read_status_file(&status).ok().flatten()
}

/// Tells the service in the current directory, and gives its status from before.
///
/// # Errors
/// Why it could not be told.
pub fn tell(bytes: &[u8]) -> Result<Status, Trouble> {
    let (before, _) = read_status()?;
    if !bytes.is_empty() {
        write_control(bytes)?;
    }
    Ok(before)
}

/// The supervisor of the service `name` in `directory`, if it has one: who it is, if that can be known. The current directory
/// is `start`, before and after.
pub fn find_supervisor(start: &Descriptor, directory: &Descriptor, name: &CStr) -> Option<Option<Foreign>> {
    let path = |file: &[u8]| {
        let mut path = Path::from_bytes(name.to_bytes());
        path.push(b"/supervise/");
        path.push(file);
        path
    };
    let read = |opened: Result<Descriptor, Errno>| {
        let (_, extension) = read_status_file(&opened.ok()?).ok()??;
        let origin = extension?.origin;
        Some((Pid::new(origin.supervisor)?, origin.written))
    };
    if file::open_fifo_to_write(directory.as_fd(), path(b"ok").terminated()?).is_ok() {
        let mut status = path(b"status");
        let status = status.terminated().ok_or(Errno::NOENT);
        return Some(read(status.and_then(|path| file::open_trusted(directory.as_fd(), path))));
    }
    if !file::is_read_only(directory.as_fd(), name) {
        return None;
    }
    // Then `supervise/` may be elsewhere.
    let entered = file::open_path(directory.as_fd(), name).and_then(process::enter);
    let found = entered.ok().and_then(|()| {
        let _ok = supervise_directory::open_file(Name::Ok, file::open_fifo_to_write).ok()?;
        Some(read(supervise_directory::open_file(Name::Status, file::open_trusted)))
    });
    let _ = process::enter(start);
    found
}

/// Writes control bytes to the service in the current directory, all at once.
///
/// # Errors
/// Why it could not be told.
pub fn write_control(bytes: &[u8]) -> Result<(), Trouble> {
    let opened = supervise_directory::open_file(Name::Control, file::open_fifo_to_write);
    let control = opened.map_err(|reason| match reason {
        Errno::NXIO => Trouble::NotRunning,
        _ => Trouble::File(Step::OpenControl, reason),
    })?;
    let count = file::write(control.as_fd(), bytes).map_err(|reason| Trouble::File(Step::WriteControl, reason))?;
    if count == bytes.len() { Ok(()) } else { Err(Trouble::Cut) }
}
