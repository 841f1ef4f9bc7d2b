//! Performs what the machine of a service and its log service asks for. One of these makes `runsv`; a
//! table of them a supervisor of many services in one process.

use core::ffi::CStr;

use supervision::process::Pid;
use supervision::process::errno::Errno;
use supervision::process::message::Line;
use supervision::process::outcome::Outcome;
use supervision::supervise::control::Command;
use supervision::supervise::event::{Action, Actions, Member, Script};
use supervision::supervise::pair::{Event, Pair};
use supervision::supervise::service::Service;
use supervision::time::Instant;
use sys::file::{self, CURRENT, Kind, Waiting};
use sys::process::{self, ExecErrors, enter};
use sys::report::Errors;
use sys::signal::Signals;
use sys::{BorrowedFd, Descriptor, clock, report, standard};

use crate::service_directory::{self, EXIT_FAILED, NotStarted, Surroundings};
use crate::supervise_directory::{SuperviseDirectory, Trouble};

/// What all supervisors of one process share.
pub struct Shared {
    /// The signals that the process catches.
    pub signals: Signals,
    /// How children tell that they could not execute their program.
    pub exec_errors: ExecErrors,
    /// Where trouble is told.
    pub errors: Errors,
}

/// What stays of one member of the pair on disk.
struct Place {
    directory: Descriptor,
    supervise: SuperviseDirectory,
}

/// A service and perhaps its log service, with all that is open for them.
pub struct Supervisor {
    name: &'static CStr,
    pair: Pair,
    main: Place,
    log: Option<Place>,
    pipe: Option<(Descriptor, Descriptor)>,
}

/// Whether a supervisor goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Next {
    /// It waits for its next event.
    Wait,
    /// It was told to exit, and all is down.
    Exit,
}

/// Why a service directory cannot be supervised.
#[derive(Clone, Copy)]
pub enum Fatal {
    /// It cannot be entered.
    Directory(Errno),
    /// Nor can its `log`.
    LogDirectory(Errno),
    /// Nor can it again, after `log`.
    DirectoryAgain(Errno),
    /// There is no pipe to be had.
    LogPipe(Errno),
    /// Its `supervise/`, or that of its log service, is in trouble.
    Supervise(Member, Trouble),
}

impl Fatal {
    /// Writes the line about it.
    pub fn report(self, name: &CStr) {
        let mut line = Line::default();
        line.fill(b"runsv %: fatal: ", &[name.to_bytes()]);
        let (template, reason): (&[u8], Errno) = match self {
            Self::Directory(reason) => (b"unable to change to directory: %", reason),
            Self::LogDirectory(reason) => (b"unable to change directory to ./log: %", reason),
            Self::DirectoryAgain(reason) => (b"unable to change back to service directory: %", reason),
            Self::LogPipe(reason) => (b"unable to create log pipe: %", reason),
            Self::Supervise(member, trouble) => {
                fill_trouble(&mut line, member, trouble);
                let _ = report::write(standard::error(), &line);
                return;
            }
        };
        line.fill(template, &[reason.text()]);
        let _ = report::write(standard::error(), &line);
    }
}

fn fill_trouble(line: &mut Line<'_>, member: Member, trouble: Trouble) {
    let (template, file) = trouble.words();
    let log: &[u8] = match member {
        Member::Main => b"",
        Member::Log => b"log/",
    };
    if let Some(new) = trouble.renamed() {
        line.fill(b"unable to rename % to ", &[new]);
    }
    line.fill(template, &[log, file]);
    if let Some(reason) = trouble.reason {
        line.fill(b": %", &[reason.text()]);
    }
}

impl Supervisor {
    /// Takes charge of the service directory `name`: it and its `supervise/` are opened and locked, and the fifos are
    /// ready. Nothing is started before the first event. The directory becomes the current one.
    ///
    /// # Errors
    /// [`Fatal`]; what was made stays.
    pub fn open(name: &'static CStr, shared: &Shared) -> Result<Self, Fatal> {
        let directory = file::open_directory(CURRENT, name)
            .and_then(|directory| enter(&directory).map(|()| directory))
            .map_err(Fatal::Directory)?;
        let log_directory = open_log(name, &directory, shared)?;
        let pipe = match log_directory {
            Some(_) => Some(file::pipe(Waiting::Always).map_err(Fatal::LogPipe)?),
            None => None,
        };
        let supervise = SuperviseDirectory::claim().map_err(|trouble| Fatal::Supervise(Member::Main, trouble))?;
        let log = match log_directory {
            Some(log_directory) => Some(open_log_place(log_directory, &directory)?),
            None => None,
        };
        let now = clock::now();
        let wants_up = |directory: &Descriptor| file::metadata(directory.as_fd(), c"down").is_err();
        let pair = Pair::new(
            Service::new(Member::Main, wants_up(&directory), now),
            log.as_ref().map(|log| Service::new(Member::Log, wants_up(&log.directory), now)),
        );
        let mut supervisor = Self { name, pair, main: Place { directory, supervise }, log, pipe };
        supervisor.open_fifos(shared)?;
        Ok(supervisor)
    }

    /// First the fifos for commands and the status files, then those that tell clients that both are there.
    fn open_fifos(&mut self, shared: &Shared) -> Result<(), Fatal> {
        for member in [Member::Main, Member::Log] {
            if let Some(place) = self.place(member) {
                place.supervise.open_control().map_err(|trouble| Fatal::Supervise(member, trouble))?;
            }
            self.write_status(member, shared);
        }
        for member in [Member::Main, Member::Log] {
            if let Some(place) = self.place(member) {
                place.supervise.open_ok().map_err(|trouble| Fatal::Supervise(member, trouble))?;
            }
        }
        Ok(())
    }

    fn place(&mut self, member: Member) -> Option<&mut Place> {
        match member {
            Member::Main => Some(&mut self.main),
            Member::Log => self.log.as_mut(),
        }
    }

    /// The fifos to wait for, of the service and of its log service.
    pub fn controls(&self) -> [Option<BorrowedFd<'_>>; 2] {
        [Some(&self.main), self.log.as_ref()].map(|place| place?.supervise.control().map(Descriptor::as_fd))
    }

    /// When to call again with [`Event::Deadline`].
    pub fn deadline(&self) -> Option<Instant> {
        self.pair.deadline()
    }

    /// Reads one byte from a fifo, and acts on it if it is a command.
    pub fn take_command(&mut self, member: Member, shared: &Shared) -> Next {
        let byte = self.place(member).and_then(|place| place.supervise.read_control());
        match byte.and_then(Command::from_byte) {
            Some(command) => self.handle(Event::Command(member, command), shared),
            None => Next::Wait,
        }
    }

    /// Takes one event, and does what follows.
    pub fn handle(&mut self, event: Event, shared: &Shared) -> Next {
        let now = clock::now();
        let mut actions = Actions::new();
        self.pair.handle(event, now, &mut actions);
        while let Some((member, action)) = actions.pop_front() {
            match action {
                Action::Spawn(script) => self.spawn(member, script, shared, &mut actions),
                Action::Signal(pid, signal) => process::signal(pid, signal),
                Action::WriteStatus => self.write_status(member, shared),
                Action::ClosePipe => self.pipe = None,
                Action::Exit => return Next::Exit,
            }
        }
        Next::Wait
    }

    /// Takes one child's end.
    pub fn exited(&mut self, pid: Pid, outcome: Outcome, shared: &Shared) -> Next {
        if outcome.exit_code().is_some_and(|code| i32::from(code) == EXIT_FAILED) {
            while let Some((pid, reason)) = shared.exec_errors.take() {
                if self.handle(Event::ExecFailed(pid, reason), shared) == Next::Exit {
                    return Next::Exit;
                }
            }
        }
        self.handle(Event::Exited(pid, outcome), shared)
    }

    fn spawn(&mut self, member: Member, script: Script, shared: &Shared, actions: &mut Actions) {
        let place = match (member, &self.log) {
            (Member::Log, Some(log)) => log,
            (Member::Main | Member::Log, _) => &self.main,
        };
        let surroundings = Surroundings {
            name: self.name,
            directory: &place.directory,
            pipe: self.pipe.as_ref(),
            signals: &shared.signals,
            exec_errors: &shared.exec_errors,
            errors: &shared.errors,
        };
        let answer = match service_directory::start(member, script, surroundings) {
            Ok(pid) => Event::Spawned(member, script, pid),
            Err(NotStarted::Absent) => Event::Absent(member, script),
            Err(NotStarted::NoFork(reason)) => {
                let values = [self.name.to_bytes(), reason.text()];
                shared.errors.line(b"runsv %: warning: unable to fork, sleeping: %", &values);
                Event::SpawnFailed(member, script, reason)
            }
        };
        // Forking took its time, and a start counts from when it happened.
        self.pair.handle(answer, clock::now(), actions);
    }

    fn write_status(&mut self, member: Member, shared: &Shared) {
        let Some(record) = self.pair.member(member).map(Service::record) else { return };
        let Some(place) = self.place(member) else { return };
        if let Err(trouble) = place.supervise.write_status(&record) {
            let mut line = Line::default();
            line.fill(b"runsv %: warning: ", &[self.name.to_bytes()]);
            fill_trouble(&mut line, member, trouble);
            shared.errors.write(&line);
        }
    }
}

/// The directory of the log service, if there is one.
fn open_log(name: &CStr, service: &Descriptor, shared: &Shared) -> Result<Option<Descriptor>, Fatal> {
    const LOG: &CStr = c"log";
    match file::metadata(service.as_fd(), LOG) {
        Ok(metadata) if metadata.kind == Kind::Directory => {
            file::open_directory(service.as_fd(), LOG).map(Some).map_err(Fatal::LogDirectory)
        }
        Ok(_) => {
            shared.errors.line(b"runsv %: warning: ./log: not a directory.", &[name.to_bytes()]);
            Ok(None)
        }
        Err(Errno::NOENT) => Ok(None),
        Err(reason) => {
            let values = [name.to_bytes(), reason.text()];
            shared.errors.line(b"runsv %: warning: unable to stat() ./log: : %", &values);
            Ok(None)
        }
    }
}

fn open_log_place(directory: Descriptor, service: &Descriptor) -> Result<Place, Fatal> {
    enter(&directory).map_err(Fatal::LogDirectory)?;
    let claimed = SuperviseDirectory::claim().map_err(|trouble| Fatal::Supervise(Member::Log, trouble));
    enter(service).map_err(Fatal::DirectoryAgain)?;
    Ok(Place { directory, supervise: claimed? })
}
