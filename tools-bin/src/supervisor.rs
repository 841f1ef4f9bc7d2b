//! Performs what the machine of a service and its log service asks for. One of these makes `runsv`; a
//! table of them a supervisor of many services in one process.

use core::ffi::CStr;

use supervision::process::Pid;
use supervision::process::errno::Errno;
use supervision::process::outcome::Outcome;
use supervision::supervise::control::Command;
use supervision::supervise::pair::{Event, Pair};
use supervision::supervise::service::{Action, Actions, Member, Script, Service};
use supervision::time::{Instant, Now};
use sys::file::{self, CURRENT, Kind, Waiting};
use sys::process::{self, ExecErrors, enter};
use sys::signal::Signals;
use sys::{AsFd, BorrowedFd, Descriptor, clock, report, standard};

use crate::service_directory::{self, EXIT_FAILED, NotStarted, Surroundings};
use crate::supervise_directory::{SuperviseDirectory, Trouble};

/// What all supervisors of one process share.
pub struct Shared {
    /// The signals that the process catches.
    pub signals: Signals,
    /// How children tell that they could not execute their program.
    pub exec_errors: ExecErrors,
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
pub struct Fatal {
    /// What was tried, in parts.
    parts: [&'static [u8]; 4],
    reason: Option<Errno>,
}

impl Fatal {
    fn new(what: &'static [u8], reason: Errno) -> Self {
        Self { parts: [what, b"", b"", b""], reason: Some(reason) }
    }

    fn of(member: Member, trouble: Trouble) -> Self {
        Self { parts: [trouble.what, below(member), trouble.file, trouble.then], reason: trouble.reason }
    }

    /// Writes the line about it.
    pub fn report(&self, name: &CStr) {
        let [a, b, c, d] = self.parts;
        report_trouble(name, b": fatal: ", [a, b, c, d], self.reason, report::line);
    }
}

fn report_trouble(
    name: &CStr,
    severity: &[u8],
    [a, b, c, d]: [&[u8]; 4],
    reason: Option<Errno>,
    write: fn(BorrowedFd<'_>, &[&[u8]]),
) {
    let (colon, text): (&[u8], &[u8]) = reason.map_or((b"", b""), |reason| (b": ", reason.text()));
    write(standard::error(), &[b"runsv ", name.to_bytes(), severity, a, b, c, d, colon, text]);
}

/// How the files of `supervise/` are called in messages.
fn below(member: Member) -> &'static [u8] {
    match member {
        Member::Main => b"supervise/",
        Member::Log => b"log/supervise/",
    }
}

impl Supervisor {
    /// Takes charge of the service directory `name`: it and its `supervise/` are opened and locked, and the fifos are
    /// ready. Nothing is started before the first event. The directory becomes the current one.
    ///
    /// # Errors
    /// [`Fatal`]; what was made stays.
    pub fn open(name: &'static CStr) -> Result<Self, Fatal> {
        let directory = file::open_directory(CURRENT, name)
            .and_then(|directory| enter(&directory).map(|()| directory))
            .map_err(|reason| Fatal::new(b"unable to change to directory", reason))?;
        let log_directory = open_log(name, &directory)?;
        let pipe = match log_directory {
            Some(_) => {
                Some(file::pipe(Waiting::Always).map_err(|reason| Fatal::new(b"unable to create log pipe", reason))?)
            }
            None => None,
        };
        let supervise = SuperviseDirectory::claim().map_err(|trouble| Fatal::of(Member::Main, trouble))?;
        let log = match log_directory {
            Some(log_directory) => Some(open_log_place(log_directory, &directory)?),
            None => None,
        };
        let now = clock::now();
        let wants_up = |directory| file::metadata(directory, c"down").is_err();
        let pair = Pair::new(
            Service::new(Member::Main, wants_up(&directory), now),
            log.as_ref().map(|log| Service::new(Member::Log, wants_up(&log.directory), now)),
        );
        let mut supervisor = Self { name, pair, main: Place { directory, supervise }, log, pipe };
        supervisor.open_fifos()?;
        Ok(supervisor)
    }

    /// First the fifos for commands and the status files, then those that tell clients that both are there.
    fn open_fifos(&mut self) -> Result<(), Fatal> {
        for member in [Member::Main, Member::Log] {
            if let Some(place) = self.place(member) {
                place.supervise.open_control().map_err(|trouble| Fatal::of(member, trouble))?;
            }
            self.write_status(member);
        }
        for member in [Member::Main, Member::Log] {
            if let Some(place) = self.place(member) {
                place.supervise.open_ok().map_err(|trouble| Fatal::of(member, trouble))?;
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

    /// The fifos to wait for, of the service and of its log service: none where commands cannot be taken now.
    pub fn controls(&self) -> [Option<BorrowedFd<'_>>; 2] {
        [self.control(Member::Main, Some(&self.main)), self.control(Member::Log, self.log.as_ref())]
    }

    fn control<'a>(&'a self, member: Member, place: Option<&'a Place>) -> Option<BorrowedFd<'a>> {
        let accepts = self.pair.member(member).is_some_and(Service::accepts_commands);
        place?.supervise.control().filter(|_| accepts).map(AsFd::as_fd)
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
                Action::Spawn(script) => self.spawn(member, script, now, shared, &mut actions),
                Action::Signal(pid, signal) => process::signal(pid, signal),
                Action::WriteStatus => self.write_status(member),
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

    fn spawn(&mut self, member: Member, script: Script, now: Now, shared: &Shared, actions: &mut Actions) {
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
        };
        let answer = match service_directory::start(member, script, surroundings) {
            Ok(pid) => Event::Spawned(member, script, pid),
            Err(NotStarted::Absent) => Event::Absent(member, script),
            Err(NotStarted::NoFork(reason)) => {
                self.warn([b"unable to fork, sleeping", b"", b"", b""], Some(reason));
                Event::SpawnFailed(member, script, reason)
            }
        };
        self.pair.handle(answer, now, actions);
    }

    fn write_status(&mut self, member: Member) {
        let Some(record) = self.pair.member(member).map(Service::record) else { return };
        let Some(place) = self.place(member) else { return };
        if let Err(trouble) = place.supervise.write_status(&record) {
            self.warn([trouble.what, below(member), trouble.file, trouble.then], trouble.reason);
        }
    }

    fn warn(&self, parts: [&[u8]; 4], reason: Option<Errno>) {
        report_trouble(self.name, b": warning: ", parts, reason, report::line_if_ready);
    }
}

/// The directory of the log service, if there is one.
fn open_log(name: &CStr, service: &Descriptor) -> Result<Option<Descriptor>, Fatal> {
    const LOG: &CStr = c"log";
    match file::metadata(service, LOG) {
        Ok(metadata) if metadata.kind == Kind::Directory => file::open_directory(service, LOG)
            .map(Some)
            .map_err(|reason| Fatal::new(b"unable to change directory to ./log", reason)),
        Ok(_) => {
            let parts: [&[u8]; 4] = [b"./log: not a directory.", b"", b"", b""];
            report_trouble(name, b": warning: ", parts, None, report::line_if_ready);
            Ok(None)
        }
        Err(Errno::NOENT) => Ok(None),
        Err(reason) => {
            let parts: [&[u8]; 4] = [b"unable to stat() ./log: ", b"", b"", b""];
            report_trouble(name, b": warning: ", parts, Some(reason), report::line_if_ready);
            Ok(None)
        }
    }
}

fn open_log_place(directory: Descriptor, service: &Descriptor) -> Result<Place, Fatal> {
    enter(&directory).map_err(|reason| Fatal::new(b"unable to change directory to ./log", reason))?;
    let claimed = SuperviseDirectory::claim().map_err(|trouble| Fatal::of(Member::Log, trouble));
    enter(service).map_err(|reason| Fatal::new(b"unable to change back to service directory", reason))?;
    Ok(Place { directory, supervise: claimed? })
}
