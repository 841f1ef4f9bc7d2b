//! Performs what the machine of a service and its log service asks for. One of these makes `runsv`; a
//! table of them a supervisor of many services in one process.

use core::cell::Cell;
use core::ffi::CStr;

use supervision::limits::{COMMANDS_AT_ONCE, LOOK_INTERVAL, SCAN_INTERVAL};
use supervision::process::Pid;
use supervision::process::errno::Errno;
use supervision::process::message::Line;
use supervision::process::outcome::Outcome;
use supervision::process::signal::Signal;
use supervision::supervise::control::Command;
use supervision::supervise::event::{Action, Actions, Member, Script};
use supervision::supervise::extension::{BootId, Origin};
use supervision::supervise::pair::{Event, Pair};
use supervision::supervise::service::Service;
use supervision::supervise::settings::{File, Settings};
use supervision::supervise::status::Phase;
use supervision::text::Text;
use supervision::time::{Duration, Instant, Now, earlier};
use sys::file::{self, CURRENT, Kind, Told, Waiting};
use sys::memory::Protection;
use sys::process::{self, Environment, enter};
use sys::report::Errors;
use sys::signal::Signals;
use sys::{BorrowedFd, Descriptor, clock, report, standard};

use crate::service_directory::{self, NotStarted, Surroundings, read_settings};
use crate::supervise_directory::{SuperviseDirectory, Trouble, inode_number};
use crate::takeover::{self, Foreign, Found};

/// What all supervisors of one process share.
pub struct Shared {
    /// The signals that the process catches.
    pub signals: Signals,
    /// Where trouble is told.
    pub errors: Errors,
    /// How the process is kept when memory runs out.
    pub protection: Protection,
    /// What the process was started with.
    pub environment: Environment,
    /// The process.
    pub pid: u32,
    /// The boot it lives in.
    pub boot: BootId,
}

/// One member of the pair: what stays of it on disk, and what is known of its process beside what the machine knows.
struct Place {
    directory: Descriptor,
    supervise: SuperviseDirectory,
    /// What was told last of its status files, so that it is not told again and again.
    told: Option<Trouble>,
    /// Its process, if that is another's child.
    foreign: Option<Foreign>,
    /// Its process, if that leads a process group.
    group: Option<Pid>,
    /// Bytes that were no commands.
    ignored: u8,
    /// What it asks for, as far as that was looked at.
    settings: Settings,
    /// The status files do not tell the latest.
    has_news: bool,
}

/// A service and perhaps its log service, with all that is open for them.
pub struct Supervisor {
    name: &'static CStr,
    /// Where `name` begins.
    start: Option<Descriptor>,
    pair: Pair,
    main: Place,
    log: Option<Place>,
    pipe: Option<(Descriptor, Descriptor)>,
    /// By which number the pipe is told, while it is open.
    pipe_number: u32,
    /// When to look whether all of `supervise/` is in its place.
    restore_at: Option<Instant>,
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
    if let Some(new) = trouble.renamed() {
        line.fill(b"unable to rename % to ", &[new]);
    }
    line.fill(template, &[prefix(member), file]);
    if let Some(reason) = trouble.reason {
        line.fill(b": %", &[reason.text()]);
    }
}

impl Supervisor {
    /// Takes charge of the service directory `name`: it and its `supervise/` are opened and locked. Nothing is started before
    /// [`Supervisor::begin`]. The directory becomes the current one.
    ///
    /// # Errors
    /// [`Fatal`]; what was made stays.
    #[inline(never)]
    pub fn open(name: &'static CStr, shared: &Shared) -> Result<Self, Fatal> {
        let start = file::open_path(CURRENT, c".").ok();
        let directory = file::open_directory(CURRENT, name)
            .and_then(|directory| enter(&directory).map(|()| directory))
            .map_err(Fatal::Directory)?;
        tell_removals(&directory);
        let log_directory = open_log(name, &directory, shared)?;
        let supervise = SuperviseDirectory::claim().map_err(|trouble| Fatal::Supervise(Member::Main, trouble))?;
        let mut log = match log_directory {
            Some(log_directory) => Some(open_log_place(log_directory, &directory)?),
            None => None,
        };
        let mut main = Place::new(directory, supervise);
        let found = takeover::find(&main.supervise, shared.boot);
        // A log service has always had a process.
        let log_found = log
            .as_ref()
            .and_then(|log| takeover::find(&log.supervise, shared.boot))
            .filter(|found| found.process.is_some());
        let pipe = match log {
            Some(_) => match takeover::reopen_pipe(found.as_ref(), log_found.as_ref()) {
                None => Some(file::pipe(Waiting::Always).map_err(Fatal::LogPipe)?),
                pipe => pipe,
            },
            None => None,
        };
        let metadata = pipe.as_ref().and_then(|(reader, _)| file::metadata_of(reader.as_fd()).ok());
        let pipe_number = metadata.map_or(0, |metadata| inode_number(metadata.inode));
        let main_service = main.service(Member::Main, found, name, shared);
        let log_service = log.as_mut().map(|log| log.service(Member::Log, log_found, name, shared));
        let pair = Pair::new(main_service, log_service);
        Ok(Self { name, start, pair, main, log, pipe, pipe_number, restore_at: None })
    }

    /// Makes the fifos for commands, starts what is wanted, and writes the status; then makes the fifos that tell clients
    /// that all this is there. One that is started at once was never seen down.
    ///
    /// # Errors
    /// [`Fatal`]; nothing was started.
    pub fn begin(&mut self, shared: &Shared) -> Result<Next, Fatal> {
        for member in [Member::Main, Member::Log] {
            if let Some(place) = self.place(member) {
                let made = place.supervise.open_control().and_then(|()| place.supervise.make_ok());
                made.map_err(|trouble| Fatal::Supervise(member, trouble))?;
            }
        }
        let next = self.handle(Event::Deadline, shared);
        self.write_news(shared);
        for member in [Member::Main, Member::Log] {
            self.open_ok(member, shared);
        }
        Ok(next)
    }

    #[inline(never)]
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

    /// What becomes readable when the process of the service, or of its log service, has ended that is another's child.
    pub fn ends(&self) -> [Option<BorrowedFd<'_>>; 2] {
        [Some(&self.main), self.log.as_ref()].map(|place| place?.foreign.as_ref()?.end.as_ref().map(Descriptor::as_fd))
    }

    /// When to call again with [`Event::Deadline`].
    pub fn deadline(&self) -> Option<Instant> {
        let looks = [Some(&self.main), self.log.as_ref()].map(|place| takeover::look_at(place?.foreign.as_ref()));
        let [look, log_look] = looks;
        earlier(earlier(self.pair.deadline(), self.restore_at), earlier(look, log_look))
    }

    /// Something in the directories was removed: soon it will be looked after.
    pub fn suspect(&mut self) {
        // Whoever removes one thing may be about to remove more.
        self.look_again(LOOK_INTERVAL);
    }

    fn look_again(&mut self, delay: Duration) {
        let at = clock::monotonic().plus(delay);
        self.restore_at.get_or_insert(at);
    }

    /// Looks at processes that are not children, and after `supervise/` if it is time.
    pub fn look(&mut self, shared: &Shared) -> Next {
        for member in [Member::Main, Member::Log] {
            if let Some(place) = self.place(member)
                && let Some(foreign) = place.foreign.take_if(|foreign| !foreign.is_alive())
                && self.exited(foreign.pid, Outcome::Unknown, shared) == Next::Exit
            {
                return Next::Exit;
            }
        }
        if self.restore_at.is_some_and(|at| clock::monotonic() >= at) {
            self.restore(shared);
        }
        Next::Wait
    }

    /// Makes anew what is no longer in its place.
    pub fn restore(&mut self, shared: &Shared) {
        self.restore_at = None;
        let is_gone = file::metadata_of(self.main.directory.as_fd()).is_ok_and(|metadata| metadata.links == 0);
        if is_gone && !self.find_directory() {
            // It will not do, and that is told.
            self.main.supervise.forget();
            return self.write_status(Member::Main, shared);
        }
        self.find_log();
        for member in [Member::Main, Member::Log] {
            let Some(place) = self.place(member) else { continue };
            let restored = enter(&place.directory).is_ok().then(|| place.supervise.restore());
            self.tell_outcome(member, restored.unwrap_or(Ok(())), shared);
            self.write_status(member, shared);
            self.open_ok(member, shared);
        }
        let _ = enter(&self.main.directory);
    }

    /// The log service's directory may have been removed, and be there again.
    fn find_log(&mut self) {
        if let Some(log) = &mut self.log
            && file::metadata_of(log.directory.as_fd()).is_ok_and(|metadata| metadata.links == 0)
            && let Ok(directory) = file::open_directory(self.main.directory.as_fd(), c"log")
        {
            log.directory = directory;
        }
    }

    /// From now on clients know that there is a supervisor; if not, it is tried again.
    fn open_ok(&mut self, member: Member, shared: &Shared) {
        let Some(place) = self.place(member) else { return };
        let opened = place.supervise.open_ok();
        if opened.is_err() {
            self.look_again(SCAN_INTERVAL);
        }
        self.tell_outcome(member, opened, shared);
    }

    /// The service directory was removed. There may be another of its name by now; else it is looked for again.
    fn find_directory(&mut self) -> bool {
        let start = self.start.as_ref().map_or(CURRENT, Descriptor::as_fd);
        match file::open_directory(start, self.name) {
            Ok(directory) if !self.pair.member(Member::Main).is_some_and(Service::wants_exit) => {
                tell_removals(&directory);
                self.main.directory = directory;
                true
            }
            Ok(_) | Err(_) => {
                self.look_again(SCAN_INTERVAL);
                false
            }
        }
    }

    /// Reads a few bytes from a fifo, and acts on those that are commands. More are left for later, so that who ended meanwhile
    /// is not kept waiting.
    pub fn take_commands(&mut self, member: Member, shared: &Shared) -> Next {
        let mut buffer = [0; COMMANDS_AT_ONCE];
        let bytes = self.place(member).map_or(&[][..], |place| place.supervise.read_control(&mut buffer));
        for byte in bytes {
            if self.take_byte(member, *byte, shared) == Next::Exit {
                return Next::Exit;
            }
        }
        Next::Wait
    }

    fn take_byte(&mut self, member: Member, byte: u8, shared: &Shared) -> Next {
        match Command::from_byte(byte) {
            Some(command) => {
                if matches!(command, Command::Down | Command::Exit | Command::Term) {
                    self.configure(member, File::OF_STOP, shared);
                }
                if command == Command::Exit {
                    self.configure(Member::Log, File::OF_STOP, shared);
                }
                if matches!(command, Command::Up | Command::Down | Command::Once | Command::Exit) {
                    // Whoever waits for the answer knows it by its time.
                    self.mark(member);
                    if let Some(place) = self.place(member) {
                        place.supervise.answer();
                    }
                }
                self.handle(Event::Command(member, command), shared)
            }
            None => {
                if let Some(place) = self.place(member)
                    && place.ignored < u8::MAX
                {
                    place.ignored = place.ignored.saturating_add(1);
                    self.mark(member);
                }
                Next::Wait
            }
        }
    }

    /// There is news to write.
    fn mark(&mut self, member: Member) {
        if let Some(place) = self.place(member) {
            place.has_news = true;
        }
    }

    /// Writes what became of all that happened: once for several things that happened together.
    pub fn write_news(&mut self, shared: &Shared) {
        for member in [Member::Main, Member::Log] {
            if self.place(member).is_some_and(|place| core::mem::take(&mut place.has_news)) {
                self.write_status(member, shared);
            }
        }
    }

    /// The supervisor was told to end.
    pub fn terminate(&mut self, shared: &Shared) -> Next {
        self.configure(Member::Main, File::OF_STOP, shared);
        self.configure(Member::Log, File::OF_STOP, shared);
        self.handle(Event::Terminate, shared)
    }

    /// Reads what a member asks for, just before it matters.
    fn configure(&mut self, member: Member, files: &[File], shared: &Shared) {
        let name = self.name;
        if let Some(place) = self.place(member) {
            place.read_settings(files, member, name, shared);
            let settings = place.settings;
            self.pair.configure(member, settings);
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
                Action::Signal(pid, signal) => self.signal(member, pid, signal),
                Action::WriteStatus => self.mark(member),
                Action::ClosePipe => self.pipe = None,
                Action::Exit => {
                    self.write_news(shared);
                    return Next::Exit;
                }
            }
        }
        Next::Wait
    }

    /// Takes one child's end.
    pub fn exited(&mut self, pid: Pid, outcome: Outcome, shared: &Shared) -> Next {
        for member in [Member::Main, Member::Log] {
            if self.pair.member(member).and_then(Service::pid) == Some(pid) {
                self.configure(member, File::OF_END, shared);
            }
            if let Some(place) = self.place(member)
                && place.group.take_if(|leader| *leader == pid).is_some()
            {
                process::signal_group(pid, Signal::KILL);
            }
        }
        self.handle(Event::Exited(pid, outcome), shared)
    }

    fn signal(&mut self, member: Member, pid: Pid, signal: Signal) {
        match self.place(member) {
            Some(Place { group: Some(leader), .. }) if *leader == pid => process::signal_group(pid, signal),
            Some(Place { foreign: Some(foreign), .. }) if foreign.pid == pid => foreign.signal(signal),
            Some(_) | None => process::signal(pid, signal),
        }
    }

    fn spawn(&mut self, member: Member, script: Script, now: Now, shared: &Shared, actions: &mut Actions) {
        if matches!(script, Script::Finish(_)) && service_directory::has_finish(&self.main.directory) {
            // The script may look at it.
            self.mark(member);
            self.write_news(shared);
        }
        match (member, script) {
            (Member::Main, Script::Run) => self.configure(member, File::OF_START, shared),
            (Member::Main, Script::Finish(_)) => self.configure(member, File::OF_FINISH, shared),
            (Member::Log, _) | (_, Script::Control(_)) => {}
        }
        let place = match (member, &self.log) {
            (Member::Log, Some(log)) => log,
            (Member::Main | Member::Log, _) => &self.main,
        };
        // The child leaves word in the memory that it shares until then.
        let failed = Cell::new(None);
        let leads_group = script == Script::Run && service_directory::leads_group(&place.directory);
        let surroundings = Surroundings {
            name: self.name,
            directory: &place.directory,
            pipe: self.pipe.as_ref(),
            leads_group,
            signals: &shared.signals,
            protection: &shared.protection,
            environment: shared.environment,
            failed: &failed,
            errors: &shared.errors,
        };
        let answer = match service_directory::start(member, script, surroundings) {
            Ok(pid) => {
                if leads_group && let Some(place) = self.place(member) {
                    place.group = Some(pid);
                    // The child does the same; whoever is first.
                    process::lead_group(Some(pid));
                }
                Event::Spawned(member, script, pid)
            }
            Err(NotStarted::Absent) => Event::Absent(member, script),
            Err(NotStarted::NoFork(reason)) => {
                let values = [self.name.to_bytes(), reason.text()];
                shared.errors.line(b"runsv %: warning: unable to fork, sleeping: %", &values);
                Event::SpawnFailed(member, script, reason)
            }
        };
        // Forking took its time, and a start counts from when it happened.
        let now = if matches!(answer, Event::Absent(..)) { now } else { clock::now() };
        self.pair.handle(answer, now, actions);
        if let (Event::Spawned(_, _, pid), Some(reason)) = (answer, failed.get()) {
            self.pair.handle(Event::ExecFailed(pid, reason), now, actions);
        }
    }

    fn write_status(&mut self, member: Member, shared: &Shared) {
        let Some(service) = self.pair.member(member) else { return };
        let (place, log) = (&mut self.main, &mut self.log);
        let place = match (member, log) {
            (Member::Log, Some(log)) => log,
            (Member::Main | Member::Log, _) => place,
        };
        let origin = Origin {
            supervisor: shared.pid,
            boot: shared.boot,
            inode: match &self.pipe {
                _ if service.is_done() => place.supervise.number(),
                Some(_) => self.pipe_number,
                None => 0,
            },
            ignored: place.ignored,
            written: clock::since_boot(),
        };
        let (record, extension) = service.status(origin);
        let written = place.supervise.write_status(&record, service.pid(), &extension);
        if written.is_err() {
            self.look_again(SCAN_INTERVAL);
        }
        self.tell_outcome(member, written, shared);
    }

    /// Tells of trouble with `supervise/`, once for each reason.
    fn tell_outcome(&mut self, member: Member, outcome: Result<(), Trouble>, shared: &Shared) {
        let name = self.name;
        let Some(place) = self.place(member) else { return };
        let told = core::mem::replace(&mut place.told, outcome.err());
        if let Err(trouble) = outcome
            && !told.is_some_and(|told| told.is_like(trouble))
        {
            let mut line = Line::default();
            line.fill(b"runsv %: warning: ", &[name.to_bytes()]);
            fill_trouble(&mut line, member, trouble);
            shared.errors.write(&line);
        }
    }
}

impl Place {
    fn new(directory: Descriptor, supervise: SuperviseDirectory) -> Self {
        Self {
            directory,
            supervise,
            told: None,
            foreign: None,
            group: None,
            ignored: 0,
            settings: Settings::DEFAULT,
            has_news: true,
        }
    }

    /// What the member asks for in its directory. What cannot be used is told, and counts as not there.
    fn read_settings(&mut self, files: &[File], member: Member, name: &CStr, shared: &Shared) {
        let directory = self.directory.as_fd();
        let mut has_descriptors = true;
        let mut tell = |file: File, reason: Errno| {
            if matches!(reason, Errno::MFILE | Errno::NFILE) {
                has_descriptors = false;
                return;
            }
            let values = [name.to_bytes(), prefix(member), file.name().to_bytes(), reason.text()];
            shared.errors.line(b"runsv %: warning: unable to use %%: %", &values);
        };
        let settings = &mut self.settings;
        read_settings(directory, files, settings, &mut tell);
        if !has_descriptors {
            self.supervise.with_reserve(|_| read_settings(directory, files, settings, &mut |_, _| {}));
        }
    }

    /// The member's machine: as it was `found`, or new.
    fn service(&mut self, member: Member, found: Option<Found>, name: &CStr, shared: &Shared) -> Service {
        let now = clock::now();
        let wants_up = file::metadata(self.directory.as_fd(), c"down").is_err();
        let Some(Found { process, record, extension }) = found else {
            return Service::new(member, wants_up, now);
        };
        let pid = process.as_ref().map(|process| process.pid);
        let mut how = Text::<20>::new();
        match pid {
            Some(pid) => {
                how.push(b"pid ");
                how.push_number(pid.raw().into());
            }
            None => how.push(b"done"),
        }
        let script: &[u8] = match record.phase {
            Phase::Down | Phase::Run => b"./run",
            Phase::Finish => b"./finish",
        };
        let values = [name.to_bytes(), prefix(member), script, how.as_bytes()];
        shared.errors.line(b"runsv %: info: taking over %%: %", &values);
        if service_directory::leads_group(&self.directory) {
            self.group = pid.filter(|pid| process::leads_group(*pid));
        }
        self.foreign = process;
        self.read_settings(File::OF_TAKEOVER, member, name, shared);
        Service::taken_over(member, wants_up, (&record, &extension), pid, self.settings, now)
    }
}

/// What precedes the name of a file of a member.
fn prefix(member: Member) -> &'static [u8] {
    match member {
        Member::Main => b"",
        Member::Log => b"log/",
    }
}

/// Asks to be told when something in the service directory is removed. Where it is not told, it shows at the next change.
fn tell_removals(directory: &Descriptor) {
    let _ = file::tell_changes(directory.as_fd(), Told::RemovalsAndRenames, Signal::IO);
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
    Ok(Place::new(directory, claimed?))
}
