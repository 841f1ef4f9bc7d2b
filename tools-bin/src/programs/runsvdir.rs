//! `runsvdir [-P] DIR [LOG]`: one `runsv` for each service directory in DIR (runsvdir(8)).

use core::ffi::CStr;

use supervision::limits::{FORK_RETRY, SCAN_INTERVAL, SCAN_RETRY, SERVICES};
use supervision::process::errno::Errno;
use supervision::process::signal::Signal;
use supervision::supervise::scan::{Ending, Identity, NameHash, Scan, Verdict};
use supervision::time::{Instant, earlier};
use sys::file::{self, CURRENT, Kind, Metadata};
use sys::memory::{self, Protection};
use sys::process::{Environment, execute};
use sys::report::Errors;
use sys::signal::Signals;
use sys::watch::Watch;
use sys::{AsFd, Descriptor, clock, directory, poll, process, report, standard};

use crate::path_search::execute_from;
use crate::readout::Readout;
use crate::service_client::find_supervisor;
use crate::service_directory::CAUGHT;
use crate::takeover::is_same_process;
use crate::{Words, watched_path};

/// TERM: the supervisors are left running.
const EXIT_TERM: i32 = 0;
const EXIT_USAGE: i32 = 1;
/// A child that cannot execute `runsv`; and no signals to be had at the start.
const EXIT_FATAL: i32 = 100;
/// HUP: every supervisor was told to end.
const EXIT_HANGUP: i32 = 111;

/// What stays the same.
struct Settings {
    directory: &'static CStr,
    /// Each supervisor leads a session of its own.
    leads_sessions: bool,
    signals: Signals,
    /// Where trouble is told.
    errors: Errors,
    protection: Protection,
    environment: Environment,
    /// The directory in which this program was started.
    start: Descriptor,
}

/// What a directory looked like when it was last scanned, where changes are not told.
type Look = (u64, u64, (i64, u64));

/// When the next scan is due.
struct Schedule {
    watch: Option<Watch>,
    /// The directories in which links of the directory end.
    targets: Option<Watch>,
    look: Option<Look>,
    /// The time to look for changes, or to try again.
    look_at: Option<Instant>,
    must_scan: bool,
    /// The last scan missed something, or may have.
    is_suspect: bool,
}

/// Watches over the directory until told to end.
pub fn main(words: Words) -> i32 {
    let (leads_sessions, place) = match words.get(1).map(CStr::to_bytes) {
        Some([b'-', b'P', ..]) => (true, 2),
        Some([b'-', b'-', ..]) => (false, 2),
        Some(_) | None => (false, 1),
    };
    let Some(directory) = words.get(place) else {
        report::line(standard::error(), b"usage: % [-P] dir\n", &[words.called()]);
        return EXIT_USAGE;
    };
    let signals = match Signals::catch(CAUGHT) {
        Ok(signals) => signals,
        Err(reason) => {
            let values = [directory.to_bytes(), reason.text()];
            report::line(standard::error(), b"runsvdir %: fatal: unable to catch signals: %", &values);
            return EXIT_FATAL;
        }
    };
    let start = match file::open_path(CURRENT, c".") {
        Ok(start) => start,
        Err(reason) => {
            let values = [directory.to_bytes(), reason.text()];
            report::line(standard::error(), b"runsvdir %: fatal: unable to open current directory: %", &values);
            return EXIT_FATAL;
        }
    };
    // From here on standard error may be the pipe of the log.
    let mut readout = Readout::open(words, place.saturating_add(1), directory);
    let settings = Settings {
        directory,
        leads_sessions,
        signals,
        errors: Errors,
        protection: Protection::take(),
        environment: words.environment(),
        start,
    };
    let mut schedule = Schedule {
        watch: None,
        targets: Watch::new().ok(),
        look: None,
        look_at: None,
        must_scan: true,
        is_suspect: false,
    };
    // Large, and therefore never moved.
    let mut scan = Scan::<SERVICES>::new();
    loop {
        if schedule.is_due(&settings, &scan) {
            settings.scan(&mut scan, &mut schedule, &mut readout);
        }
        let deadline = earlier(earlier(schedule.look_at, scan.deadline()), readout.deadline());
        let watched = schedule.watch.as_ref().map(AsFd::as_fd);
        let targets = schedule.targets.as_ref().map(AsFd::as_fd);
        let [messages, old_messages] = readout.pipes();
        memory::give_back_stack();
        let waited = [Some(settings.signals.as_fd()), watched, targets, messages, old_messages];
        let [is_signalled, has_changed, ..] = poll::wait(waited, deadline);
        schedule.must_scan |= has_changed;
        if let Some(targets) = &schedule.targets {
            // Much may happen beside what a link leads to.
            targets.take(|name| {
                schedule.must_scan |= name.is_none_or(|name| scan.has_target(NameHash::of(name.to_bytes())));
            });
        }
        readout.take();
        if is_signalled && let Some(code) = settings.hear(&mut scan, &mut schedule) {
            return code;
        }
    }
}

impl Schedule {
    /// Whether something changed, or may have changed, or is due again.
    fn is_due<const N: usize>(&mut self, settings: &Settings, scan: &Scan<N>) -> bool {
        let now = clock::monotonic();
        let is_reached = |deadline: Option<Instant>| deadline.is_some_and(|deadline| now >= deadline);
        if is_reached(self.look_at) {
            // Only where changes are not told is there something to look for.
            self.must_scan |= self.is_suspect || self.look != look(settings.directory);
            self.look_at = Some(now.plus(SCAN_INTERVAL));
        }
        self.must_scan || is_reached(scan.deadline())
    }
}

impl Settings {
    /// Takes the signals that came, and children that ended; an exit code if they end this program.
    fn hear<const N: usize>(&self, scan: &mut Scan<N>, schedule: &mut Schedule) -> Option<i32> {
        while let Some(signal) = self.signals.take() {
            match signal {
                Signal::TERM | Signal::INT => return Some(EXIT_TERM),
                Signal::HUP => {
                    scan.supervisors().for_each(end_supervisor);
                    return Some(EXIT_HANGUP);
                }
                Signal::ALRM => schedule.must_scan = true,
                _ => {}
            }
        }
        while let Some((pid, outcome)) = process::reap() {
            scan.exited(pid, outcome, clock::monotonic());
        }
        None
    }

    /// Holds the directory against the table: starts what is new or has ended, ends what is gone.
    fn scan<const N: usize>(&self, scan: &mut Scan<N>, schedule: &mut Schedule, readout: &mut Readout) {
        let now = clock::monotonic();
        // Watched before it is read, so that nothing happens unseen.
        let before = look(self.directory);
        let watched = schedule.watch.take();
        // Closing the watches of another directory takes the kernel its time: at the end of this function.
        let (watched, _left) = if is_same(before, schedule.look) { (watched, None) } else { (None, watched) };
        schedule.watch = watched_path::watch(watched, self.directory).ok();
        // A change within one tick of the file system's clock looks like none: look twice.
        let has_changed = before != schedule.look;
        schedule.look = before;
        schedule.look_at = match schedule.watch {
            Some(_) => None,
            None => Some(now.plus(if has_changed { SCAN_RETRY } else { SCAN_INTERVAL })),
        };
        schedule.must_scan = false;
        schedule.is_suspect = has_changed;
        let directory = match file::open_directory(CURRENT, self.directory) {
            Ok(directory) => directory,
            Err(reason) => {
                let template: &[u8] = match reason {
                    Errno::NOENT => b"runsvdir %: warning: unable to stat %: %",
                    _ => b"runsvdir %: warning: unable to change directory to %: %",
                };
                self.warn(template, self.directory, reason);
                schedule.look_at = Some(now.plus(SCAN_RETRY));
                schedule.is_suspect = true;
                scan.end(false, now);
                return;
            }
        };
        scan.begin();
        let mut has_trouble = false;
        let read = directory::visit(&directory, |name| {
            if !name.to_bytes().starts_with(b".") {
                has_trouble |= !self.examine(&directory, name, scan, schedule.targets.as_ref(), readout);
            }
        });
        if let Err(reason) = read {
            self.warn(b"runsvdir %: warning: unable to read directory %: %", self.directory, reason);
        }
        scan.end(read.is_ok(), now);
        let has_refused = scan.has_refused();
        while let Some(supervisor) = scan.take_removed() {
            end_supervisor(supervisor);
            // There is room for one that was refused.
            schedule.must_scan |= has_refused;
        }
        if has_trouble || read.is_err() {
            schedule.is_suspect = true;
            schedule.look_at = earlier(schedule.look_at, Some(now.plus(SCAN_INTERVAL)));
        }
    }

    /// Deals with one entry; false if it could not be examined.
    fn examine<const N: usize>(
        &self,
        directory: &Descriptor,
        name: &CStr,
        scan: &mut Scan<N>,
        targets: Option<&Watch>,
        readout: &mut Readout,
    ) -> bool {
        let now = clock::monotonic();
        let hash = NameHash::of(name.to_bytes());
        let metadata = match file::metadata(directory.as_fd(), name) {
            Ok(Metadata { kind: Kind::Fifo | Kind::CharacterDevice | Kind::BlockDevice | Kind::Other, .. }) => {
                return true;
            }
            Ok(metadata) => metadata,
            Err(reason) => {
                if scan.is_news(hash) {
                    self.warn(b"runsvdir %: warning: unable to stat %: %", name, reason);
                }
                let is_gone = matches!(reason, Errno::NOENT | Errno::NOTDIR);
                if !is_gone {
                    scan.unreadable(hash);
                }
                // What a link leads to may come back, and nothing will tell.
                return false;
            }
        };
        let identity = Identity { device: metadata.device, inode: metadata.inode };
        let verdict = scan.found(identity, hash, now);
        if let Some(target) =
            targets.and_then(|targets| watched_path::watch_target(targets, self.directory, directory, name))
        {
            scan.leads_to(identity, target);
        }
        match verdict {
            Verdict::Leave => {}
            Verdict::Full => {
                let template = b"runsvdir %: warning: unable to start runsv %: too many services.";
                self.errors.line(template, &[self.directory.to_bytes(), name.to_bytes()]);
            }
            Verdict::Start => match find_supervisor(&self.start, directory, name) {
                Some(who) => {
                    if let Some((pid, _)) = who {
                        readout.take_over(pid);
                    }
                    scan.is_supervised(identity, who, now);
                }
                None => self.start(directory, name, scan, identity),
            },
        }
        true
    }

    fn start<const N: usize>(&self, directory: &Descriptor, name: &CStr, scan: &mut Scan<N>, identity: Identity) {
        let now = clock::monotonic();
        match process::spawn_at_once(|| self.become_runsv(directory, name)) {
            Ok(pid) => scan.started(identity, pid, now),
            Err(reason) => {
                self.warn(b"runsvdir %: warning: unable to fork for %: %", name, reason);
                scan.not_started(identity, now, FORK_RETRY);
            }
        }
    }

    fn become_runsv(&self, directory: &Descriptor, name: &CStr) -> i32 {
        self.signals.restore();
        self.protection.hand_on();
        if self.leads_sessions {
            process::lead_session();
        }
        let reason = match process::enter(directory) {
            Ok(()) => execute_from(self.environment.variable(b"PATH"), c"runsv", &|program| {
                execute(program, &[c"runsv", name], self.environment)
            }),
            Err(reason) => reason,
        };
        let values = [self.directory.to_bytes(), name.to_bytes(), reason.text()];
        self.errors.line(b"runsvdir %: fatal: unable to start runsv %: %", &values);
        EXIT_FATAL
    }

    fn warn(&self, template: &[u8], name: &CStr, reason: Errno) {
        let values = [self.directory.to_bytes(), name.to_bytes(), reason.text()];
        self.errors.line(template, &values);
    }
}

/// Tells a supervisor to end.
fn end_supervisor(supervisor: Ending) {
    match supervisor {
        Ending::Nobody => {}
        Ending::Child(pid) => process::signal(pid, Signal::TERM),
        Ending::Foreign((pid, seen)) => {
            // Its end is nobody's news here, and another may have its number by now.
            if is_same_process(pid, seen) {
                process::signal(pid, Signal::TERM);
            }
        }
    }
}

fn is_same(one: Option<Look>, other: Option<Look>) -> bool {
    one.zip(other).is_some_and(|(one, other)| (one.0, one.1) == (other.0, other.1))
}

fn look(directory: &CStr) -> Option<Look> {
    let metadata = file::metadata(CURRENT, directory).ok()?;
    Some((metadata.device, metadata.inode, metadata.modified))
}
