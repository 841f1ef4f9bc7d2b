//! Runs the processor of a log directory, and puts what it has made in its place.

use core::ffi::CStr;

use supervision::log::archive::{Kind, Name};
use supervision::log::processor::{Action, Event, What};
use supervision::process::Pid;
use supervision::process::errno::Errno;
use supervision::process::signal::Signal;
use supervision::tai64n::Label;
use sys::Descriptor;
use sys::file;
use sys::process::{self, Environment};
use sys::report::Errors;
use sys::signal::Signals;
use sys::standard::{Standard, hand_on, redirect};

use crate::log_files::{CLOSED_MODE, Files};

const STATE: &CStr = c"state";
const NEW_STATE: &CStr = c"newstate";
const SHELL: &CStr = c"/bin/sh";

/// Which descriptors a processor finds its states under.
const STATE_NUMBER: u32 = 4;
const NEW_STATE_NUMBER: u32 = 5;

/// The processor could not be executed, or its files could not be opened.
const EXIT_FAILED: i32 = 111;

/// The directory that a processor works in: it is kept open for it, whatever happens to the log meanwhile.
#[derive(Default)]
pub struct Workplace {
    directory: Option<Descriptor>,
}

/// What a processor is for.
pub struct Job<'a> {
    /// The log's files.
    pub files: &'a Files,
    /// The label of the file to be processed.
    pub file: Label,
    /// The processor.
    pub command: Option<&'a CStr>,
    /// What is blocked, and must not be in a child.
    pub signals: &'a Signals,
    /// What it is started with.
    pub environment: Environment,
}

impl Workplace {
    /// Does what the machine asks for, but for a look, which needs the files of the log; the answer, if there is one.
    pub fn perform(&mut self, action: Action, job: &Job) -> Option<Event> {
        let outcome = match action {
            Action::Start => return Some(self.start(job).unwrap_or_else(|reason| Event::Failed(What::Fork, reason))),
            Action::Kill(pid) => {
                kill(pid);
                return None;
            }
            Action::Warn(what, reason) => {
                warn(what, reason, job.files.path());
                return None;
            }
            Action::Look => return None,
            Action::Keep => self.keep(job.file),
            Action::RenameState => self.rename_state().map_err(|reason| (What::RenameState, reason)),
            Action::Remove => self.remove(job, Kind::Unprocessed),
            Action::Discard => self.remove(job, Kind::InProgress),
        };
        Some(match outcome {
            Ok(()) => Event::Done,
            Err((what, reason)) => Event::Failed(what, reason),
        })
    }

    fn start(&mut self, job: &Job) -> Result<Event, Errno> {
        // Opened anew each time: the log may have moved.
        let directory = self.directory.insert(job.files.reopen()?);
        let command = job.command.ok_or(Errno::NOENT)?;
        if file::exists(directory.as_fd(), Name::new(job.file, Kind::Finished).as_path()) == Ok(true) {
            return Ok(Event::IsKept);
        }
        job.files.tell(b"svlogd: info: processing: %/%", &[Name::new(job.file, Kind::Unprocessed).as_bytes()]);
        process::spawn_at_once(|| become_processor(directory, command, job)).map(Event::Started)
    }

    fn directory(&self) -> Result<&Descriptor, Errno> {
        self.directory.as_ref().ok_or(Errno::NOENT)
    }

    /// The output gets its name when it is on the disk. If it has it already, that is as good.
    fn keep(&self, file: Label) -> Result<(), (What, Errno)> {
        let directory = self.directory().map_err(|reason| (What::Rename, reason))?;
        let (output, finished) = (Name::new(file, Kind::InProgress), Name::new(file, Kind::Finished));
        let opened = match file::open_read(directory.as_fd(), output.as_path()) {
            Err(Errno::NOENT) if file::exists(directory.as_fd(), finished.as_path()) == Ok(true) => return Ok(()),
            opened => opened.map_err(|reason| (What::Rename, reason))?,
        };
        file::sync(opened.as_fd()).map_err(|reason| (What::Sync, reason))?;
        file::set_mode_of(opened.as_fd(), CLOSED_MODE).map_err(|reason| (What::SetMode, reason))?;
        let renamed = file::rename(directory.as_fd(), output.as_path(), finished.as_path());
        renamed.map_err(|reason| (What::Rename, reason))?;
        // Before anything else is removed the name must be there.
        let _ = file::sync(directory.as_fd());
        Ok(())
    }

    fn rename_state(&self) -> Result<(), Errno> {
        match file::rename(self.directory()?.as_fd(), NEW_STATE, STATE) {
            // It was done before.
            Err(Errno::NOENT) => Ok(()),
            renamed => renamed,
        }
    }

    fn remove(&self, job: &Job, kind: Kind) -> Result<(), (What, Errno)> {
        let name = Name::new(job.file, kind);
        let removed = self.directory().and_then(|directory| file::remove(directory.as_fd(), name.as_path()));
        match removed {
            Err(reason) if reason != Errno::NOENT => return Err((What::Remove, reason)),
            _ if kind == Kind::Unprocessed => {
                job.files.tell(b"svlogd: info: processed: %/%", &[name.with(Kind::Finished).as_bytes()]);
            }
            _ => {}
        }
        Ok(())
    }
}

/// In the child: opens what a processor expects, and becomes it.
fn become_processor(directory: &Descriptor, command: &CStr, job: &Job) -> i32 {
    job.signals.restore();
    process::lead_group(None);
    let (what, reason): (&[u8], Errno) = match prepare(directory, job.file) {
        Ok(()) => {
            let words = [c"sh", c"-c", command];
            (b"run processor", process::execute(SHELL, &words, job.environment))
        }
        Err(failed) => failed,
    };
    let values = [what, job.files.path().to_bytes(), reason.text()];
    Errors.line(b"svlogd: fatal: unable to %: %: %", &values);
    EXIT_FAILED
}

fn prepare(directory: &Descriptor, file: Label) -> Result<(), (&'static [u8], Errno)> {
    let fail = |what: &'static [u8]| move |reason| (what, reason);
    let place = directory.as_fd();
    let input = Name::new(file, Kind::Unprocessed);
    let input = file::open_read(place, input.as_path()).map_err(fail(b"open input for processor"))?;
    let output = Name::new(file, Kind::InProgress);
    let output = file::create_anew(place, output.as_path()).map_err(fail(b"open output for processor"))?;
    let state = match file::open_read(place, STATE) {
        Err(Errno::NOENT) => file::create_anew(place, STATE)
            .map_err(fail(b"create empty state for processor"))
            .and_then(|_| file::open_read(place, STATE).map_err(fail(b"open state for processor")))?,
        opened => opened.map_err(fail(b"open state for processor"))?,
    };
    let new_state = file::create_anew(place, NEW_STATE).map_err(fail(b"open newstate for processor"))?;
    process::enter(directory).map_err(fail(b"change directory for processor"))?;
    let move_fail = fail(b"move filedescriptor for processor");
    redirect(input.as_fd(), Standard::Input).map_err(move_fail)?;
    // The first of these may have got number 5, and must not take it along when it is closed. The others have larger ones.
    drop(input);
    redirect(output.as_fd(), Standard::Output).map_err(move_fail)?;
    hand_on(state.as_fd(), STATE_NUMBER).map_err(move_fail)?;
    hand_on(new_state.as_fd(), NEW_STATE_NUMBER).map_err(move_fail)
}

/// With all that it has started.
fn kill(processor: Pid) {
    process::signal_group(processor, Signal::KILL);
    process::signal(processor, Signal::KILL);
}

fn warn(what: What, reason: Errno, path: &CStr) {
    let text: &[u8] = match what {
        What::Process => return Errors.line(b"svlogd: warning: processor failed, restart: %", &[path.to_bytes()]),
        What::Begin => return Errors.line(b"svlogd: warning: processor already running: %", &[path.to_bytes()]),
        What::Fork => b"fork for processor",
        What::Sync => b"fsync processed",
        What::SetMode => b"set mode of processed",
        What::Rename => b"rename processed",
        What::RenameState => b"rename state",
        What::Remove => b"unlink processed",
    };
    Errors.line(b"svlogd: warning: unable to %: %: %", &[text, path.to_bytes(), reason.text()]);
}
