//! The one pending shutdown of a machine: its record, whose lock says that it is pending, and what is made for it (shutdown(8)).

use core::ffi::CStr;

use supervision::limits::{LOCK_INTERVAL, REPLACE_LIMIT};
use supervision::local_time::TimeOfDay;
use supervision::process::Pid;
use supervision::process::errno::Errno;
use supervision::process::signal::Signal;
use supervision::shutdown::made::{Made, Thing};
use supervision::shutdown::record::Holder;
use sys::file::{self, CURRENT};
use sys::{Descriptor, clock, poll, process};

const DIRECTORY: &CStr = c"/run/runit";
/// Locked as long as a shutdown is pending; holds its record.
const PATH: &CStr = c"/run/runit/shutdown";

/// More than any record has.
const READ: usize = 128;

/// Why something cannot be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// A call failed: what was tried, and why it failed.
    Failed(Step, Errno),
    /// The time of the pending one has come.
    Going,
    /// The clock never shows the time that is asked for.
    Never,
    /// The process of the pending one does not end.
    Stuck(Pid),
}

/// What can fail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// The directory of the record is made.
    Directory,
    /// The record is opened.
    Open,
    /// The record is locked.
    Lock,
    /// The record is written.
    Write,
    /// Something is made.
    Make(Thing),
    /// Signals are caught.
    Catch,
    /// A pipe is made.
    Pipe,
    /// A child is made.
    Fork,
}

impl Step {
    /// What it does, on which file, if it is one.
    pub fn words(self) -> (&'static [u8], &'static CStr) {
        match self {
            Self::Directory => (b"create ", DIRECTORY),
            Self::Open => (b"open ", PATH),
            Self::Lock => (b"lock ", PATH),
            Self::Write => (b"write ", PATH),
            Self::Make(thing) => (b"create ", thing.path()),
            Self::Catch => (b"catch signals", c""),
            Self::Pipe => (b"create pipe", c""),
            Self::Fork => (b"fork", c""),
        }
    }
}

type Result<T> = core::result::Result<T, Refusal>;

/// The record's file.
pub struct Pending(Descriptor);

impl Pending {
    /// Opens it, and makes it if need be.
    ///
    /// # Errors
    /// It could not be made: usually the caller is not root.
    pub fn create() -> Result<Self> {
        match file::make_directory(CURRENT, DIRECTORY, 0o755) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(reason) => return Err(Refusal::Failed(Step::Directory, reason)),
        }
        file::create_to_update(CURRENT, PATH).map(Self).map_err(|reason| Refusal::Failed(Step::Open, reason))
    }

    /// Opens it; `None` if it is not there.
    ///
    /// # Errors
    /// It could not be opened.
    pub fn open() -> Result<Option<Self>> {
        match file::open_to_update(CURRENT, PATH) {
            Ok(opened) => Ok(Some(Self(opened))),
            Err(Errno::NOENT) => Ok(None),
            Err(reason) => Err(Refusal::Failed(Step::Open, reason)),
        }
    }

    /// Takes the lock, and gives the time of the one that had to end for it, if any. What is left of another one, which
    /// was killed, is undone.
    ///
    /// # Errors
    /// The lock is not to be had.
    pub fn take(&self) -> Result<Option<TimeOfDay>> {
        let deadline = clock::monotonic().plus(REPLACE_LIMIT);
        let mut ended = None;
        loop {
            match file::lock(self.0.as_fd()) {
                Ok(()) => break,
                // Without a record: it has just begun, or just ended.
                Err(Errno::AGAIN) => match self.read() {
                    Some(holder) if holder.is_going => return Err(Refusal::Going),
                    Some(holder) => {
                        tell_to_end(&holder);
                        ended = Some((holder.pid, holder.shown));
                    }
                    None => {}
                },
                Err(reason) => return Err(Refusal::Failed(Step::Lock, reason)),
            }
            let now = clock::monotonic();
            if now >= deadline {
                return Err(ended.map_or(Refusal::Failed(Step::Lock, Errno::AGAIN), |(pid, _)| Refusal::Stuck(pid)));
            }
            poll::pause_until(now.plus(LOCK_INTERVAL));
        }
        if let Some(left) = self.read() {
            // Its time came before it was told.
            if ended.is_some() && left.is_going {
                return Err(Refusal::Going);
            }
            self.give_up(left.made);
        }
        Ok(ended.map(|(_, shown)| shown))
    }

    /// Writes the record.
    ///
    /// # Errors
    /// It could not be written.
    pub fn write(&self, line: &[u8]) -> Result<()> {
        self.clear();
        match file::write(self.0.as_fd(), line) {
            Ok(count) if count == line.len() => Ok(()),
            Ok(_) => Err(Refusal::Failed(Step::Write, Errno::NOSPC)),
            Err(reason) => Err(Refusal::Failed(Step::Write, reason)),
        }
    }

    /// Makes something with this text in it; whether it was made. What is there already stays as it is.
    ///
    /// # Errors
    /// It could not be made.
    pub fn make(thing: Thing, text: &[&[u8]]) -> Result<bool> {
        let made = match thing {
            Thing::NoLoginLink => file::make_link(Thing::NoLogin.path(), CURRENT, thing.path()),
            Thing::NoLogin | Thing::FastBoot | Thing::ForceCheck => {
                file::create_new(CURRENT, thing.path()).map(|file| {
                    // Everybody may read it, whatever the umask.
                    let _ = file::set_mode_of(file.as_fd(), 0o644);
                    let _ = file::write_parts(file.as_fd(), text);
                })
            }
        };
        match made {
            Ok(()) => Ok(true),
            Err(Errno::EXIST) => Ok(false),
            Err(reason) => Err(Refusal::Failed(Step::Make(thing), reason)),
        }
    }

    /// Undoes what was made, and forgets the record.
    pub fn give_up(&self, made: Made) {
        for thing in made.things() {
            if thing != Thing::NoLoginLink || is_our_link(thing.path()) {
                let _ = file::remove(CURRENT, thing.path());
            }
        }
        self.clear();
    }

    /// Lets another have the lock.
    pub fn release(&self) {
        file::unlock(self.0.as_fd());
    }

    fn read(&self) -> Option<Holder> {
        let mut line = [0; READ];
        file::seek(self.0.as_fd(), 0).ok()?;
        Holder::decode(file::read(self.0.as_fd(), &mut line).ok()?)
    }

    fn clear(&self) {
        let _ = file::set_size(self.0.as_fd(), 0);
        let _ = file::seek(self.0.as_fd(), 0);
    }
}

/// Tells the process that wrote a record to end, if it is still that one.
fn tell_to_end(holder: &Holder) {
    // In this order: what is seen to be the process has been it when it was opened.
    let end = process::watch_end(holder.pid);
    if process::birth(holder.pid).is_ok_and(|birth| birth.started <= holder.since) {
        match end {
            Ok(end) => {
                let _ = process::signal_by(&end, Signal::TERM);
            }
            Err(_) => process::signal(holder.pid, Signal::TERM),
        }
    }
}

/// Somebody may have put something else in its place.
fn is_our_link(path: &CStr) -> bool {
    let mut text = [0; 32];
    file::read_link(CURRENT, path, &mut text).is_ok_and(|text| text == Thing::NoLogin.path().to_bytes())
}
