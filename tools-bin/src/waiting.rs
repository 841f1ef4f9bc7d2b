//! Waits until services have done what they were told (sv(8)).

use core::ffi::CStr;

use supervision::limits::CHECK_INTERVAL;
use supervision::process::message::Line;
use supervision::supervise::client::{Progress, Request, progress};
use supervision::supervise::status::Record;
use supervision::text::Text;
use supervision::time::{Instant, earlier};
use sys::watch::Watch;
use sys::{AsFd, Descriptor, clock, poll, report, standard};

use crate::check::{self, Check};
use crate::service_client::{Trouble, read_status, write_control};
use crate::status_report::fill_status;
use crate::supervise_directory;

/// A service that was told something.
pub struct Pending {
    name: &'static CStr,
    /// Its status from before.
    before: Record,
    /// Until when it has time.
    deadline: Instant,
    /// The number by which its changes are told.
    watch: Option<i32>,
    /// Something has changed, or may have.
    is_changed: bool,
    /// When to look without being told.
    look_at: Option<Instant>,
    is_done: bool,
}

impl Pending {
    /// The service in the current directory.
    pub fn new(name: &'static CStr, before: Record, deadline: Instant, watch: Option<i32>) -> Self {
        Self { name, before, deadline, watch, is_changed: true, look_at: None, is_done: false }
    }

    /// Whether there is a reason to look at it.
    fn is_due(&self, now: Instant) -> bool {
        self.is_changed || now >= self.deadline || self.look_at.is_some_and(|at| now >= at)
    }
}

/// Tells of changes in the service in the current directory.
pub fn watch_service(watch: Option<&Watch>) -> Option<i32> {
    supervise_directory::watch(watch?).ok()
}

/// How far one service is.
enum Look {
    Done,
    Failed,
    Waiting {
        /// The fifo whose reader is the supervisor.
        ok: Descriptor,
        /// Nothing will tell of the change: it must be looked for.
        needs_looking: bool,
    },
}

/// What is waited for.
pub struct Waiting<'a> {
    /// What all were told.
    pub request: Request,
    /// Tells of changes; without it, they are looked for.
    pub watch: Option<&'a Watch>,
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
                    match self.look(pending) {
                        Look::Done => pending.is_done = true,
                        Look::Failed => {
                            pending.is_done = true;
                            failures = failures.saturating_add(1);
                        }
                        Look::Waiting { ok, needs_looking } => {
                            let is_told = pending.watch.is_some() && !needs_looking;
                            pending.look_at = if is_told { None } else { Some(now.plus(CHECK_INTERVAL)) };
                            supervisor = supervisor.or(Some(ok));
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
            let watched = self.watch.map(AsFd::as_fd);
            // The end of a supervisor shows as the end of those who read its fifo. When the first has ended, the next is
            // looked at.
            let end = supervisor.as_ref().map(Descriptor::as_fd).filter(|_| exits);
            poll::wait([watched, end, None, None, None], wake_at);
            if let Some(watch) = self.watch {
                watch.take(|number, file| mark_changed(all, number, file));
            }
        }
    }

    /// How far one service is; tells it when it is done, or when its time is up.
    fn look(&self, pending: &Pending) -> Look {
        let name = pending.name;
        let bytes = self.request.bytes;
        let (status, ok) = match (self.enter)(name).and_then(|()| read_status()) {
            Ok(status) => status,
            Err(Trouble::NotRunning) if bytes.starts_with(b"x") => {
                tell_gone(name);
                return Look::Done;
            }
            Err(trouble) => {
                tell_trouble(name, trouble);
                return Look::Failed;
            }
        };
        let (is_done, needs_looking) = match progress(bytes, &pending.before, &status.0) {
            Progress::Done => (true, false),
            Progress::DoneIfChecked => match check::run(name, pending.deadline) {
                Check::Passed => (true, false),
                Check::Failed => (false, true),
            },
            Progress::Pending => (false, false),
        };
        let outcome: &[u8] = if is_done {
            b"ok: "
        } else if clock::monotonic() < pending.deadline {
            return Look::Waiting { ok, needs_looking };
        } else if self.request.kills {
            b"kill: "
        } else {
            b"timeout: "
        };
        let mut tail = Text::new();
        let mut line = Line::default();
        line.fill(outcome, &[]);
        fill_status(&mut line, name.to_bytes(), name, &status, &mut tail);
        let _ = report::write(standard::output(), &line);
        if is_done {
            return Look::Done;
        }
        if self.request.kills
            && let Err(trouble) = write_control(b"k")
        {
            tell_trouble(name, trouble);
        }
        Look::Failed
    }
}

fn mark_changed(all: &mut [Pending], number: i32, file: &CStr) {
    // Of the directory itself, or of what was lost, anything may be true.
    let is_lost = number < 0;
    if is_lost || file.is_empty() || file == c"status" {
        for pending in all.iter_mut() {
            pending.is_changed |= is_lost || pending.watch == Some(number);
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
