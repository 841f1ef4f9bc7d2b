//! Waits until services have done what they were told (sv(8)).

use core::ffi::CStr;

use supervision::limits::{CHECK_INTERVAL, RESERVED};
use supervision::process::errno::Errno;
use supervision::process::message::Line;
use supervision::process::signal::Signal;
use supervision::supervise::client::{Progress, Request, progress};
use supervision::supervise::extension::Status;
use supervision::text::Text;
use supervision::time::{Instant, earlier};
use sys::file::{self, CURRENT, Told};
use sys::process::Environment;
use sys::signal::{SignalSet, Signals};
use sys::{AsFd, Descriptor, clock, poll, report, standard};

use crate::check::{self, Check};
use crate::service_client::{Trouble, read_status, read_status_in, write_control};
use crate::status_report::fill_status;
use crate::supervise_directory;

/// Comes with the descriptor of the directory in which something changed.
const CHANGED: Signal = Signal::QUEUED;

/// IO comes in its place when the kernel's queue is full.
const CAUGHT: SignalSet = SignalSet::of(&[CHANGED, Signal::IO]);

/// How changes are told.
pub struct Notices {
    signals: Option<Signals>,
    /// Given up when no descriptor is left for one more directory: some are needed to look at services.
    reserve: [Option<Descriptor>; RESERVED],
}

impl Notices {
    /// Hears nothing.
    pub const NONE: Self = Self { signals: None, reserve: [const { None }; RESERVED] };

    /// Begins to listen.
    pub fn new() -> Self {
        let mut notices = Self { signals: Signals::catch(CAUGHT).ok(), ..Self::NONE };
        for reserve in &mut notices.reserve {
            *reserve = file::open_path(CURRENT, c".").ok();
        }
        notices
    }

    /// Listens for changes in the service in the current directory, as long as what it gives is open.
    pub fn watch_service(&mut self) -> Option<Descriptor> {
        let [Some(_), ..] = self.reserve else { return None };
        self.signals.as_ref()?;
        let directory = match supervise_directory::open() {
            Ok(directory) => directory,
            Err(reason) => {
                if matches!(reason, Errno::MFILE | Errno::NFILE) {
                    self.give_up();
                }
                return None;
            }
        };
        file::tell_changes(directory.as_fd(), Told::Files, CHANGED).ok().map(|()| directory)
    }

    /// Descriptors are needed for something else.
    pub fn give_up(&mut self) {
        self.reserve = [const { None }; RESERVED];
    }

    /// Marks the services of which changes were told.
    fn mark(&self, all: &mut [Pending]) {
        let Some(signals) = &self.signals else { return };
        signals.take_all(|signal, descriptor| {
            for pending in all.iter_mut() {
                let is_meant = pending.directory.as_ref().is_some_and(|directory| directory.is_number(descriptor));
                pending.is_changed |= is_meant || signal != CHANGED;
            }
        });
    }

    fn restore(&self) {
        if let Some(signals) = &self.signals {
            signals.restore();
        }
    }
}

/// A service that was told something.
pub struct Pending {
    name: &'static CStr,
    /// Its status from before.
    before: Status,
    /// Until when it has time.
    deadline: Instant,
    /// Its `supervise/`, if changes there are told.
    directory: Option<Descriptor>,
    /// Something has changed, or may have.
    is_changed: bool,
    /// When to look without being told.
    look_at: Option<Instant>,
    is_done: bool,
}

impl Pending {
    /// The service of that name.
    pub fn new(name: &'static CStr, before: Status, deadline: Instant, directory: Option<Descriptor>) -> Self {
        Self { name, before, deadline, directory, is_changed: true, look_at: None, is_done: false }
    }

    /// Whether there is a reason to look at it.
    fn is_due(&self, now: Instant) -> bool {
        self.is_changed || now >= self.deadline || self.look_at.is_some_and(|at| now >= at)
    }
}

/// How far one service is.
enum Look {
    Done,
    Failed,
    Waiting {
        /// The fifo whose reader is the supervisor.
        ok: Option<Descriptor>,
        /// Nothing will tell of the change: it must be looked for.
        needs_looking: bool,
    },
}

/// What is waited for.
pub struct Waiting<'a> {
    /// What all were told.
    pub request: Request,
    /// Tells of changes.
    pub notices: &'a Notices,
    /// For check scripts.
    pub environment: Environment,
    /// Makes the service directory of that name the current one.
    pub enter: &'a dyn Fn(&CStr) -> Result<(), Trouble>,
}

impl Waiting<'_> {
    /// Waits until each has done what it was told, or its time is up; how many had not.
    pub fn wait_for_all(&self, all: &mut [Pending]) -> u8 {
        let mut failures: u8 = 0;
        let exits = self.request.bytes.contains(&b'x');
        loop {
            let now = clock::monotonic();
            let mut supervisor = None;
            let mut wake_at = None;
            for pending in all.iter_mut().filter(|pending| !pending.is_done) {
                if exits || pending.is_due(now) {
                    pending.is_changed = false;
                    match self.look(pending, now >= pending.deadline) {
                        Look::Done => pending.is_done = true,
                        Look::Failed => {
                            pending.is_done = true;
                            failures = failures.saturating_add(1);
                        }
                        Look::Waiting { ok, needs_looking } => {
                            // Of several supervisors only the end of the first is told.
                            let is_told =
                                pending.directory.is_some() && !needs_looking && !(exits && supervisor.is_some());
                            pending.look_at = if is_told { None } else { Some(now.plus(CHECK_INTERVAL)) };
                            supervisor = supervisor.or(ok);
                        }
                    }
                }
                if !pending.is_done {
                    wake_at = earlier(wake_at, earlier(pending.look_at, Some(pending.deadline)));
                }
            }
            if wake_at.is_none() {
                return failures;
            }
            let watched = self.notices.signals.as_ref().map(AsFd::as_fd);
            // The end of a supervisor shows as the end of those who read its fifo. When the first has ended, the next is
            // looked at.
            let end = supervisor.as_ref().map(Descriptor::as_fd).filter(|_| exits);
            poll::wait([watched, end, None, None, None], wake_at);
            self.notices.mark(all);
        }
    }

    /// How far one service is; tells it when it is done, or when its time is up.
    fn look(&self, pending: &Pending, is_late: bool) -> Look {
        let name = pending.name;
        let bytes = self.request.bytes;
        // What is open may be another directory by now; at the end the path counts.
        let exits = bytes.contains(&b'x');
        let directory = pending.directory.as_ref().filter(|_| !is_late && !exits);
        let found = match directory.and_then(read_status_in) {
            Some(status) => Ok((status, None)),
            None => (self.enter)(name).and_then(|()| read_status()).map(|(status, ok)| (status, Some(ok))),
        };
        let (status, ok) = match found {
            Ok(found) => found,
            Err(Trouble::NotRunning) if bytes.starts_with(b"x") => {
                tell_gone(name);
                return Look::Done;
            }
            Err(trouble) => {
                tell_trouble(name, trouble);
                return Look::Failed;
            }
        };
        let mut is_late = is_late;
        let mut has_failed = false;
        let (is_done, needs_looking) = match progress(bytes, &pending.before, &status) {
            Progress::Done => (true, false),
            Progress::DoneIfChecked => match self.check(pending) {
                Check::Passed => (true, false),
                Check::Failed => {
                    is_late = clock::monotonic() >= pending.deadline;
                    (false, true)
                }
            },
            Progress::Failed => {
                has_failed = true;
                (false, false)
            }
            Progress::Pending => (false, false),
        };
        let outcome: &[u8] = if is_done {
            b"ok: "
        } else if has_failed {
            b"fail: "
        } else if !is_late {
            return Look::Waiting { ok, needs_looking };
        } else if self.request.kills {
            b"kill: "
        } else {
            b"timeout: "
        };
        if let Err(trouble) = (self.enter)(name) {
            tell_trouble(name, trouble);
            return Look::Failed;
        }
        let mut tail = Text::new();
        let mut line = Line::default();
        line.fill(outcome, &[]);
        fill_status(&mut line, name.to_bytes(), name, &status, &clock::now(), &mut tail);
        let _ = report::write(standard::output(), &line);
        if is_done {
            return Look::Done;
        }
        if self.request.kills
            && !has_failed
            && let Err(trouble) = write_control(b"k")
        {
            tell_trouble(name, trouble);
        }
        Look::Failed
    }

    fn check(&self, pending: &Pending) -> Check {
        match (self.enter)(pending.name) {
            Ok(()) => check::run(pending.name, pending.deadline, self.environment, || self.notices.restore()),
            Err(_) => Check::Failed,
        }
    }
}

/// Told to exit, it is gone.
pub fn tell_gone(name: &CStr) {
    report::line(standard::output(), b"ok: %: runsv not running", &[name.to_bytes()]);
}

/// Tells why a service could not be told, or does not tell.
pub fn tell_trouble(name: &CStr, trouble: Trouble) {
    let mut line = Line::default();
    trouble.fill(&mut line, name.to_bytes());
    let _ = report::write(standard::output(), &line);
}
