//! The directory `supervise/` of a service: where it is, and what a supervisor keeps in it
//! (runsv(8)).
//!
//! It is below the service directory, or where a link of that name leads. Where there is neither, and the service
//! directory cannot be written to, it is `/run/runit/supervise.NAME`: NAME is the last part of the service
//! directory's true path, and that of its parent followed by `-log` for a log service.

use core::ffi::CStr;

use supervision::limits::PATH_BYTES;
use supervision::process::Pid;
use supervision::process::errno::Errno;
use supervision::supervise::status::Record;
use supervision::text::{Path, Text};
use sys::file::{self, CURRENT, Kind};
use sys::watch::Watch;
use sys::{Descriptor, process};

const NAME: &CStr = c"supervise";
const ELSEWHERE: &[u8] = b"/run/runit/supervise.";

/// A file in the directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Name {
    /// Held locked by the supervisor.
    Lock,
    /// The fifo for commands.
    Control,
    /// The fifo that tells that the supervisor lives.
    Ok,
    /// The pid in decimal.
    Pid,
    /// The status as a line.
    Stat,
    /// The status in 20 bytes.
    Status,
}

impl Name {
    fn path(self) -> &'static CStr {
        match self {
            Self::Lock => c"lock",
            Self::Control => c"control",
            Self::Ok => c"ok",
            Self::Pid => c"pid",
            Self::Stat => c"stat",
            Self::Status => c"status",
        }
    }

    /// Under which name it is written before it takes its own.
    fn new_path(self) -> &'static CStr {
        match self {
            Self::Pid => c"pid.new",
            Self::Stat => c"stat.new",
            Self::Status => c"status.new",
            Self::Lock | Self::Control | Self::Ok => self.path(),
        }
    }
}

/// What was tried on a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// To open it, or the new file that shall take its place.
    Open,
    /// To open the other end, or the one for reading.
    Read,
    /// To take its lock.
    Lock,
    /// To learn what it is.
    Stat,
    /// To use it as a fifo, which it is not.
    Fifo,
    /// To write the new file.
    Write,
    /// To write all of the new file.
    WriteAll,
    /// To give the new file its name.
    Rename,
}

/// What went wrong with a file in the directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trouble {
    step: Step,
    name: Name,
    /// Why it failed, if a system call said so.
    pub reason: Option<Errno>,
}

impl Trouble {
    fn new(step: Step, name: Name) -> impl FnOnce(Errno) -> Self {
        move |reason| Self { step, name, reason: Some(reason) }
    }

    /// What was to be renamed, where that failed; it comes before the other words.
    pub fn renamed(self) -> Option<&'static [u8]> {
        if self.step == Step::Rename { Some(self.name.new_path().to_bytes()) } else { None }
    }

    /// The words for it: the first `%` is for what precedes `supervise/`, the second for the file's name.
    pub fn words(self) -> (&'static [u8], &'static [u8]) {
        let template: &[u8] = match self.step {
            Step::Open => b"unable to open %supervise/%",
            Step::Read => b"unable to read %supervise/%",
            Step::Lock => b"unable to lock %supervise/%",
            Step::Stat => b"unable to stat %supervise/%",
            Step::Fifo => b"%supervise/% exists but is not a fifo",
            Step::Write => b"unable to write %supervise/%",
            Step::WriteAll => b"unable to write %supervise/%: partial write.",
            Step::Rename => b"%supervise/%",
        };
        let is_new = matches!(self.step, Step::Open | Step::Write | Step::WriteAll);
        (template, if is_new { self.name.new_path() } else { self.name.path() }.to_bytes())
    }
}

/// Opens the directory for a client: the service directory is the current one.
///
/// # Errors
/// Why `supervise` below the service directory cannot be entered.
pub fn find() -> Result<Descriptor, Errno> {
    file::open_path(CURRENT, NAME).or_else(|reason| {
        if reason != Errno::NOENT {
            return Err(reason);
        }
        let mut path = elsewhere().ok_or(reason)?;
        path.terminated().and_then(|path| file::open_path(CURRENT, path).ok()).ok_or(reason)
    })
}

/// Makes `watch` tell when files in the directory are replaced. The current directory is the service directory.
///
/// # Errors
/// The kernel's, or that there is no such directory.
pub fn watch(watch: &Watch) -> Result<(), Errno> {
    watch.add(NAME).or_else(|reason| {
        let mut path = elsewhere().ok_or(reason)?;
        path.terminated().ok_or(reason).and_then(|path| watch.add(path))
    })
}

/// The directory, held by a supervisor.
pub struct SuperviseDirectory {
    directory: Descriptor,
    /// Held for its lock.
    _lock: Descriptor,
    fifos: Option<Fifos>,
    /// The pid that the file `pid` tells; `None` before it was ever written.
    told_pid: Option<Option<Pid>>,
}

struct Fifos {
    control: Descriptor,
    /// Keeps the fifo from ever being at its end.
    _control_writer: Descriptor,
    /// Open as long as the supervisor lives: that is how clients know.
    _ok: Option<Descriptor>,
}

impl SuperviseDirectory {
    /// Makes the directory if need be, and takes its lock. The current directory is the service directory.
    ///
    /// # Errors
    /// What could not be made, opened or locked.
    pub fn claim() -> Result<Self, Trouble> {
        let directory = open_or_make().map_err(Trouble::new(Step::Open, Name::Lock))?;
        let lock = file::append(directory.as_fd(), Name::Lock.path()).map_err(Trouble::new(Step::Open, Name::Lock))?;
        file::lock(lock.as_fd()).map_err(Trouble::new(Step::Lock, Name::Lock))?;
        Ok(Self { directory, _lock: lock, fifos: None, told_pid: None })
    }

    /// Makes and opens the fifo through which commands come.
    ///
    /// # Errors
    /// What could not be made or opened, or that something else has its name.
    pub fn open_control(&mut self) -> Result<(), Trouble> {
        let name = Name::Control;
        // It may be there already; if it cannot be made, the next step says so.
        let _ = file::make_fifo(self.directory.as_fd(), name.path(), 0o600);
        let metadata = file::metadata(self.directory.as_fd(), name.path()).map_err(Trouble::new(Step::Stat, name))?;
        if metadata.kind != Kind::Fifo {
            return Err(Trouble { step: Step::Fifo, name, reason: None });
        }
        let control = file::open_read(self.directory.as_fd(), name.path()).map_err(Trouble::new(Step::Open, name))?;
        let writer = file::open_write(self.directory.as_fd(), name.path()).map_err(Trouble::new(Step::Open, name))?;
        self.fifos = Some(Fifos { control, _control_writer: writer, _ok: None });
        Ok(())
    }

    /// Makes and opens the fifo that tells that the supervisor lives: from now on clients may speak.
    ///
    /// # Errors
    /// What could not be made or opened.
    pub fn open_ok(&mut self) -> Result<(), Trouble> {
        let _ = file::make_fifo(self.directory.as_fd(), Name::Ok.path(), 0o600);
        let ok =
            file::open_read(self.directory.as_fd(), Name::Ok.path()).map_err(Trouble::new(Step::Read, Name::Ok))?;
        if let Some(fifos) = &mut self.fifos {
            fifos._ok = Some(ok);
        }
        Ok(())
    }

    /// The fifo to wait for.
    pub fn control(&self) -> Option<&Descriptor> {
        self.fifos.as_ref().map(|fifos| &fifos.control)
    }

    /// The next byte that was written to the control fifo, if any.
    pub fn read_control(&self) -> Option<u8> {
        let mut byte = [0];
        match file::read(self.control()?.as_fd(), &mut byte).ok()? {
            [byte] => Some(*byte),
            _ => None,
        }
    }

    /// Writes `pid` (if it changed), `stat` and `status`; each is replaced as a whole.
    ///
    /// # Errors
    /// The first file that could not be written; those after it were not tried.
    pub fn write_status(&mut self, record: &Record) -> Result<(), Trouble> {
        if self.told_pid != Some(record.pid) {
            let mut line = Text::<12>::new();
            if let Some(pid) = record.pid {
                line.push_number(pid.raw().into());
                line.push(b"\n");
            }
            self.replace(Name::Pid, line.as_bytes())?;
            self.told_pid = Some(record.pid);
        }
        self.replace(Name::Stat, record.stat_line().as_bytes())?;
        self.replace(Name::Status, &record.encode())
    }

    /// Gives a file new content: as a whole by another file, or in its place where there is no room for another.
    fn replace(&self, name: Name, bytes: &[u8]) -> Result<(), Trouble> {
        match self.replace_by_new(name, bytes) {
            Err(Trouble { reason: Some(Errno::NOSPC | Errno::DQUOT), .. }) => self.overwrite(name, bytes),
            outcome => outcome,
        }
    }

    /// A full file system still takes what is no longer than before, or nearly so.
    fn overwrite(&self, name: Name, bytes: &[u8]) -> Result<(), Trouble> {
        let file = file::open_write(self.directory.as_fd(), name.path()).map_err(Trouble::new(Step::Open, name))?;
        file::write(file.as_fd(), bytes).map_err(Trouble::new(Step::Write, name))?;
        file::set_size(file.as_fd(), bytes.len()).map_err(Trouble::new(Step::Write, name))
    }

    fn replace_by_new(&self, name: Name, bytes: &[u8]) -> Result<(), Trouble> {
        let new = file::create(self.directory.as_fd(), name.new_path()).map_err(Trouble::new(Step::Open, name))?;
        let count = file::write(new.as_fd(), bytes).map_err(Trouble::new(Step::Write, name))?;
        if count != bytes.len() {
            return Err(Trouble { step: Step::WriteAll, name, reason: None });
        }
        file::rename(self.directory.as_fd(), name.new_path(), name.path()).map_err(Trouble::new(Step::Rename, name))
    }
}

/// Opens the directory below the current one, or elsewhere; makes what is missing.
fn open_or_make() -> Result<Descriptor, Errno> {
    match file::make_directory(CURRENT, NAME, 0o700) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(_) => {
            // The service directory cannot be written to. Without a directory elsewhere, there is none.
            if file::metadata(CURRENT, NAME) == Err(Errno::NOENT) && !is_link() {
                return open_elsewhere().ok_or(Errno::NOENT);
            }
        }
    }
    let opened = file::open_directory(CURRENT, NAME);
    if opened != Err(Errno::NOENT) {
        return opened;
    }
    make_link_target();
    file::open_directory(CURRENT, NAME)
}

fn is_link() -> bool {
    let mut first = [0; 1];
    file::read_link(CURRENT, NAME, &mut first).is_ok()
}

#[inline(never)]
fn open_elsewhere() -> Option<Descriptor> {
    let mut path = elsewhere()?;
    make_all(path.as_bytes());
    file::open_directory(CURRENT, path.terminated()?).ok()
}

/// Makes the directory that the link `supervise` leads to, and those above it.
#[inline(never)]
fn make_link_target() {
    let mut buffer = [0; PATH_BYTES];
    if let Ok(target) = file::read_link(CURRENT, NAME, &mut buffer) {
        make_all(target);
    }
}

/// Makes each directory of `path` that is not there: those above with mode 0755, the last with 0700.
fn make_all(path: &[u8]) {
    for end in 1..=path.len() {
        let (above, below) = path.split_at_checked(end).unwrap_or((path, b""));
        let is_last = below.is_empty();
        if is_last || below.starts_with(b"/") {
            // It may be there already; if it cannot be made, opening the last one says so.
            if let Some(one) = Path::from_bytes(above).terminated() {
                let _ = file::make_directory(CURRENT, one, if is_last { 0o700 } else { 0o755 });
            }
        }
    }
}

/// The path of `supervise/` for the current directory, if that is a service directory that is read-only.
#[inline(never)]
fn elsewhere() -> Option<Path> {
    let mut buffer = [0; PATH_BYTES];
    let mut parts = process::current_directory(&mut buffer).ok()?.rsplit(|byte| *byte == b'/');
    let last = parts.next()?;
    let mut path = Path::from_bytes(ELSEWHERE);
    match parts.next() {
        Some(parent) if last == b"log" && !parent.is_empty() => {
            path.push(parent);
            path.push(b"-log");
        }
        Some(_) | None => path.push(last),
    }
    Some(path)
}
