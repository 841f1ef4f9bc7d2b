//! The directory `supervise/` of a service: where it is, and what a supervisor keeps in it
//! (runsv(8)).
//!
//! It is below the service directory, or where a link of that name leads. Where there is neither, and the file system is
//! read-only, it is `/run/runit/supervise.NAME`: NAME is the last part of the service
//! directory's true path, and that of its parent followed by `-log` for a log service.

use core::ffi::CStr;

use supervision::limits::{PATH_BYTES, STATUS_FILE};
use supervision::process::Pid;
use supervision::process::errno::Errno;
use supervision::process::signal::Signal;
use supervision::supervise::extension::{Extension, File, Status, decode_file, is_same_news, is_same_pid};
use supervision::supervise::status::Record;
use supervision::text::{Path, Text};
use sys::file::{self, CURRENT, Metadata, Told};
use sys::{BorrowedFd, Descriptor, process};

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

    /// Whether both are of one kind, whatever file they are about.
    pub fn is_like(self, other: Self) -> bool {
        (self.step, self.reason) == (other.step, other.reason)
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
            Step::Fifo => b"%supervise/% exists but is not a fifo",
            Step::Write => b"unable to write %supervise/%",
            Step::WriteAll => b"unable to write %supervise/%: partial write.",
            Step::Rename => b"%supervise/%",
        };
        let is_new = matches!(self.step, Step::Open | Step::Write | Step::WriteAll);
        (template, if is_new { self.name.new_path() } else { self.name.path() }.to_bytes())
    }
}

/// Opens a file in the directory for a client, with `open`: the service directory is the current one.
///
/// # Errors
/// Those of `open`, for the file below the service directory.
pub fn open_file(
    name: Name,
    open: fn(BorrowedFd<'_>, &CStr) -> Result<Descriptor, Errno>,
) -> Result<Descriptor, Errno> {
    find(name.path(), |path| open(CURRENT, path))
}

/// What an open status file tells; `None` if it is none.
///
/// # Errors
/// The kernel's.
pub fn read_status_file(status: &Descriptor) -> Result<Option<Status>, Errno> {
    let mut buffer = [0; STATUS_FILE];
    file::read(status.as_fd(), &mut buffer).map(|bytes| decode_file(bytes).ok())
}

/// Opens the directory for a client: the service directory is the current one.
///
/// # Errors
/// The kernel's.
pub fn open() -> Result<Descriptor, Errno> {
    find(c"", |path| file::open_directory(CURRENT, path))
}

/// Tries `act` on the path of a file in the directory: below the service directory, and then elsewhere.
fn find<T>(name: &CStr, act: impl Fn(&CStr) -> Result<T, Errno>) -> Result<T, Errno> {
    let mut path = Path::from_bytes(NAME.to_bytes());
    path.push(b"/");
    path.push(name.to_bytes());
    let outcome = path.terminated().ok_or(Errno::NOENT).and_then(&act);
    if !matches!(outcome, Err(Errno::NOENT)) || !file::is_read_only(CURRENT, c".") {
        return outcome;
    }
    let Some(mut path) = elsewhere() else { return outcome };
    path.push(b"/");
    path.push(name.to_bytes());
    path.terminated().ok_or(Errno::NOENT).and_then(act)
}

/// The directory, held by a supervisor.
pub struct SuperviseDirectory {
    directory: Descriptor,
    /// Held for its lock.
    lock: Descriptor,
    control: Option<Control>,
    /// Open as long as the supervisor lives: that is how clients know.
    ok: Option<Descriptor>,
    /// What the files tell; `None` before they were written, or if they may have been lost.
    told: Option<File>,
    /// Somebody waits for the status to be written.
    must_answer: bool,
    /// Given up for a moment when no other descriptor can be had.
    reserve: Option<Descriptor>,
}

struct Control {
    reader: Descriptor,
    /// Keeps the fifo from ever being at its end.
    _writer: Descriptor,
}

impl SuperviseDirectory {
    /// Makes the directory if need be, and takes its lock. The current directory is the service directory.
    ///
    /// # Errors
    /// What could not be made, opened or locked.
    pub fn claim() -> Result<Self, Trouble> {
        let directory = open_or_make().map_err(Trouble::new(Step::Open, Name::Lock))?;
        let lock = take_lock(&directory)?;
        // Somebody may have removed the lock of a supervisor that lives.
        if file::open_fifo_to_write(directory.as_fd(), Name::Ok.path()).is_ok() {
            return Err(Trouble::new(Step::Lock, Name::Lock)(Errno::AGAIN));
        }
        listen(&directory, Told::Removals);
        let reserve = open_reserve(&directory);
        Ok(Self { directory, lock, control: None, ok: None, told: None, must_answer: false, reserve })
    }

    /// The status that the directory's last supervisor left.
    pub fn read_status(&self) -> Option<Status> {
        let status = file::open_trusted(self.directory.as_fd(), Name::Status.path()).ok()?;
        read_status_file(&status).ok().flatten()
    }

    /// The inode of the directory, as status files tell it.
    pub fn number(&self) -> u32 {
        file::metadata_of(self.directory.as_fd()).map_or(0, |metadata| inode_number(metadata.inode))
    }

    /// Finds out whether all is still in its place, and makes anew what is not: all but `ok`, which is the last, by
    /// [`SuperviseDirectory::open_ok`], when the status is written. The current directory is the service directory.
    ///
    /// # Errors
    /// What could not be made, opened or locked. What was open stays so.
    pub fn restore(&mut self) -> Result<(), Trouble> {
        let directory = open_or_make().map_err(Trouble::new(Step::Open, Name::Lock))?;
        if !is_same(file::metadata_of(directory.as_fd()), file::metadata_of(self.directory.as_fd())) {
            let mut new = Self::claim()?;
            new.open_control()?;
            *self = new;
            return Ok(());
        }
        if !self.holds(Name::Lock, Some(&self.lock)) {
            self.lock = take_lock(&self.directory)?;
        }
        if !self.holds(Name::Control, self.control()) {
            self.clear(Name::Control);
            self.open_control()?;
        }
        if !self.holds(Name::Ok, self.ok.as_ref()) {
            self.clear(Name::Ok);
        }
        self.forget();
        Ok(())
    }

    /// Removes what has taken the place of a fifo.
    fn clear(&self, name: Name) {
        // A directory stays, and that is told.
        let _ = file::remove(self.directory.as_fd(), name.path());
    }

    /// Whether the file of that name is the one that is open.
    fn holds(&self, name: Name, open: Option<&Descriptor>) -> bool {
        open.is_some_and(|open| {
            is_same(file::metadata_of(open.as_fd()), file::metadata(self.directory.as_fd(), name.path()))
        })
    }

    /// Makes and opens the fifo through which commands come.
    ///
    /// # Errors
    /// What could not be made or opened, or that something else has its name.
    pub fn open_control(&mut self) -> Result<(), Trouble> {
        let name = Name::Control;
        // It may be there already; if it cannot be made, the next step says so.
        let _ = file::make_fifo(self.directory.as_fd(), name.path(), 0o600);
        let control = file::open_fifo(self.directory.as_fd(), name.path()).map_err(|reason| match reason {
            Errno::NODEV | Errno::LOOP => Trouble { step: Step::Fifo, name, reason: None },
            _ => Trouble::new(Step::Open, name)(reason),
        })?;
        let writer =
            file::open_fifo_to_write(self.directory.as_fd(), name.path()).map_err(Trouble::new(Step::Open, name))?;
        self.control = Some(Control { reader: control, _writer: writer });
        Ok(())
    }

    /// Makes the fifo that tells that the supervisor lives, if it is not there.
    ///
    /// # Errors
    /// That it could not be made.
    pub fn make_ok(&self) -> Result<(), Trouble> {
        match file::make_fifo(self.directory.as_fd(), Name::Ok.path(), 0o600) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(reason) => Err(Trouble::new(Step::Read, Name::Ok)(reason)),
        }
    }

    /// Makes and opens the fifo that tells that the supervisor lives: from now on clients may speak.
    ///
    /// # Errors
    /// What could not be made or opened.
    pub fn open_ok(&mut self) -> Result<(), Trouble> {
        if self.holds(Name::Ok, self.ok.as_ref()) {
            return Ok(());
        }
        self.make_ok()?;
        let ok =
            file::open_read(self.directory.as_fd(), Name::Ok.path()).map_err(Trouble::new(Step::Read, Name::Ok))?;
        self.ok = Some(ok);
        Ok(())
    }

    /// The fifo to wait for.
    pub fn control(&self) -> Option<&Descriptor> {
        self.control.as_ref().map(|control| &control.reader)
    }

    /// The next bytes that were written to the control fifo, as many as fit into `buffer`.
    pub fn read_control<'buffer>(&self, buffer: &'buffer mut [u8]) -> &'buffer [u8] {
        self.control().and_then(|control| file::read(control.as_fd(), buffer).ok()).unwrap_or(&[])
    }

    /// The status is written again although it tells nothing new: by its time it is an answer.
    pub fn answer(&mut self) {
        self.must_answer = true;
    }

    /// The files may have been lost: they are written again although they tell nothing new.
    pub fn forget(&mut self) {
        self.told = None;
    }

    /// Writes `pid` (if it changed), `stat` and `status`, if there is anything to tell; each is replaced as a whole.
    /// `pid` is the process that runs, which is not always that of the record.
    ///
    /// # Errors
    /// The first file that could not be written; those after it were not tried.
    pub fn write_status(&mut self, record: &Record, pid: Option<Pid>, extension: &Extension) -> Result<(), Trouble> {
        let file = extension.encode(record);
        let told = self.told.take();
        let must_answer = core::mem::take(&mut self.must_answer);
        let is_no_news = told.is_some_and(|told| is_same_news(&told, &file));
        if is_no_news && !must_answer {
            self.told = told;
            return Ok(());
        }
        // A file that is replaced is told as removed, and would wake the supervisor for what it does itself.
        listen(&self.directory, Told::Nothing);
        let written = if is_no_news {
            self.replace(Name::Status, &file)
        } else {
            self.write_files(record, pid, &file, told.as_ref())
        };
        listen(&self.directory, Told::Removals);
        if written.is_ok() {
            self.told = Some(file);
        }
        written
    }

    fn write_files(
        &mut self,
        record: &Record,
        pid: Option<Pid>,
        file: &File,
        told: Option<&File>,
    ) -> Result<(), Trouble> {
        if !told.is_some_and(|told| is_same_pid(told, file)) {
            let mut line = Text::<12>::new();
            if let Some(pid) = pid {
                line.push_number(pid.raw().into());
                line.push(b"\n");
            }
            self.replace(Name::Pid, line.as_bytes())?;
        }
        self.replace(Name::Stat, record.stat_line().as_bytes())?;
        self.replace(Name::Status, file)
    }

    /// Gives a file new content: as a whole by another file, or in its place where there is no room for another.
    fn replace(&mut self, name: Name, bytes: &[u8]) -> Result<(), Trouble> {
        match self.replace_by_new(name, bytes) {
            Err(Trouble { reason: Some(Errno::NOSPC | Errno::DQUOT), .. }) => self.overwrite(name, bytes),
            Err(Trouble { reason: Some(Errno::MFILE | Errno::NFILE), .. }) => {
                self.with_reserve(|directory| directory.replace_by_new(name, bytes))
            }
            outcome => outcome,
        }
    }

    /// Does something that needs a descriptor where there is none left but the one in reserve.
    pub fn with_reserve<T>(&mut self, act: impl FnOnce(&Self) -> T) -> T {
        self.reserve = None;
        let outcome = act(self);
        self.reserve = open_reserve(&self.directory);
        outcome
    }

    /// A full file system still takes what is no longer than before, or nearly so.
    fn overwrite(&self, name: Name, bytes: &[u8]) -> Result<(), Trouble> {
        let file =
            file::open_to_overwrite(self.directory.as_fd(), name.path()).map_err(Trouble::new(Step::Open, name))?;
        file::write(file.as_fd(), bytes).map_err(Trouble::new(Step::Write, name))?;
        file::set_size(file.as_fd(), bytes.len() as u64).map_err(Trouble::new(Step::Write, name))?;
        // Clients are told of new attributes, as they are of new files.
        file::touch_mode(file.as_fd()).map_err(Trouble::new(Step::Write, name))
    }

    fn replace_by_new(&self, name: Name, bytes: &[u8]) -> Result<(), Trouble> {
        let new = file::create_anew(self.directory.as_fd(), name.new_path()).map_err(Trouble::new(Step::Open, name))?;
        let count = file::write(new.as_fd(), bytes).map_err(Trouble::new(Step::Write, name))?;
        if count != bytes.len() {
            return Err(Trouble { step: Step::WriteAll, name, reason: None });
        }
        file::rename(self.directory.as_fd(), name.new_path(), name.path()).map_err(Trouble::new(Step::Rename, name))
    }
}

/// By which number an inode is told in a status file.
pub fn inode_number(inode: u64) -> u32 {
    // The kernel counts pipes in 32 bits; of other inodes the lower half says enough.
    inode as u32
}

fn take_lock(directory: &Descriptor) -> Result<Descriptor, Trouble> {
    let lock = file::open_lock(directory.as_fd(), Name::Lock.path()).map_err(Trouble::new(Step::Open, Name::Lock))?;
    file::lock(lock.as_fd()).map_err(Trouble::new(Step::Lock, Name::Lock))?;
    Ok(lock)
}

/// A second descriptor of the directory. The kernel keeps what it knows of who listens there as long as one of them listens
/// for something: so listening anew is cheap.
fn open_reserve(directory: &Descriptor) -> Option<Descriptor> {
    let reserve = file::open_directory(directory.as_fd(), c".").ok()?;
    listen(&reserve, Told::Attributes);
    Some(reserve)
}

/// Asks to be told of changes. Where they are not told, they show at the next change of the status.
fn listen(directory: &Descriptor, told: Told) {
    let _ = file::tell_changes(directory.as_fd(), told, Signal::IO);
}

fn is_same(one: Result<Metadata, Errno>, other: Result<Metadata, Errno>) -> bool {
    matches!((one, other), (Ok(one), Ok(other)) if one.is_same(&other))
}

/// Opens the directory below the current one, or elsewhere; makes what is missing.
fn open_or_make() -> Result<Descriptor, Errno> {
    // An error shows when it is opened.
    let made = file::make_directory(CURRENT, NAME, 0o700);
    let opened = file::open_directory(CURRENT, NAME);
    // A link is there even where it leads nowhere.
    if opened == Err(Errno::NOENT) && made == Err(Errno::ROFS) {
        return open_elsewhere().ok_or(Errno::NOENT);
    }
    if opened != Err(Errno::NOENT) {
        return opened;
    }
    make_link_target();
    file::open_directory(CURRENT, NAME)
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
