//! `sv`: tells services what to do, and what they do (sv(8)). Under another name it is the init script of the service of
//! that name.

use core::ffi::CStr;

use heapless::Vec;
use supervision::limits::{CHECK_INTERVAL, SERVICES_AT_ONCE, STATUS_TAIL};
use supervision::process::errno::Errno;
use supervision::process::message::Line;
use supervision::supervise::client::{Progress, Request, Verb, progress, status_tail};
use supervision::supervise::status::Record;
use supervision::text::Text;
use supervision::time::{Duration, Instant, earlier};
use sys::file::{self, CURRENT};
use sys::watch::Watch;
use sys::{AsFd, Descriptor, clock, poll, process, report, standard};

use crate::check::{self, Check};
use crate::service_client::{Trouble, read_status, tell, write_control};
use crate::{Words, supervise_directory};

const DEFAULT_DIRECTORY: &CStr = c"/etc/service";
const DEFAULT_WAIT: u64 = 7;

/// The exit code is the number of services in trouble, up to this.
const MOST_FAILURES: u8 = 99;

/// Exit codes, of `sv` and of an init script.
struct ExitCodes {
    usage: i32,
    fatal: i32,
}

const SV: ExitCodes = ExitCodes { usage: 100, fatal: 100 };
const INIT_SCRIPT: ExitCodes = ExitCodes { usage: 2, fatal: 151 };

const INIT_SCRIPT_RUNS: i32 = 0;
const INIT_SCRIPT_FAILED: i32 = 1;
const INIT_SCRIPT_DOWN: i32 = 3;
const INIT_SCRIPT_UNKNOWN: i32 = 4;

/// What the command line says.
struct Call {
    is_init_script: bool,
    reports: bool,
    wait: Duration,
    /// Where the command's word is; the services follow it.
    command: usize,
    directory: &'static CStr,
    /// The starting directory.
    start: Descriptor,
}

/// A service that was told something, and is waited for.
struct Pending {
    name: &'static CStr,
    before: Record,
    is_done: bool,
}

/// Obeys the command line.
pub fn main(words: Words) -> i32 {
    let is_init_script = words.name() != b"sv";
    let codes = if is_init_script { INIT_SCRIPT } else { SV };
    let call = match parse(words, is_init_script) {
        Ok(Some(call)) => call,
        Ok(None) => return usage(words, is_init_script, &codes),
        Err(reason) => {
            let values = [words.name(), reason.text()];
            report::line(standard::error(), b"%: fatal: unable to open current directory: %", &values);
            return codes.fatal;
        }
    };
    let Some(verb) = words.get(call.command).and_then(|word| Verb::parse(word.to_bytes())) else {
        return usage(words, is_init_script, &codes);
    };
    match verb {
        // An init script knows this word only as a whole.
        Verb::Status if is_init_script && words.get(call.command) != Some(c"status") => {
            usage(words, is_init_script, &codes)
        }
        Verb::Status => call.status_of_all(words),
        Verb::Send(request) => call.send_to_all(words, request),
    }
}

fn usage(words: Words, is_init_script: bool, codes: &ExitCodes) -> i32 {
    let template: &[u8] =
        if is_init_script { b"usage: % [-w sec] command\n" } else { b"usage: % [-v] [-w sec] command service ...\n" };
    report::line(standard::error(), template, &[words.name()]);
    codes.usage
}

/// Takes the command line apart; `None` for wrong usage.
fn parse(words: Words, is_init_script: bool) -> Result<Option<Call>, Errno> {
    let mut reports = false;
    let mut seconds = process::variable(c"SVWAIT").map_or(Some(DEFAULT_WAIT), |text| number(text.to_bytes()));
    let mut place = 1;
    while let Some([b'-', letters @ ..]) = words.get(place).map(CStr::to_bytes)
        && !letters.is_empty()
    {
        place = place.saturating_add(1);
        if letters == b"-" {
            break;
        }
        let mut letters = letters.iter();
        while let Some(letter) = letters.next() {
            match letter {
                b'v' => reports = true,
                b'w' => {
                    reports = true;
                    let rest = letters.as_slice();
                    letters = [].iter();
                    if rest.is_empty() {
                        let Some(word) = words.get(place) else {
                            let template = b"%: option requires an argument -- w";
                            report::line(standard::error(), template, &[words.name()]);
                            return Ok(None);
                        };
                        place = place.saturating_add(1);
                        seconds = number(word.to_bytes());
                    } else {
                        seconds = number(rest);
                    }
                }
                b'V' => {
                    report::line(standard::error(), concat!("pipit ", env!("PIPIT_VERSION")).as_bytes(), &[]);
                    return Ok(None);
                }
                _ => {
                    let letter = core::slice::from_ref(letter);
                    report::line(standard::error(), b"%: illegal option -- %", &[words.name(), letter]);
                    return Ok(None);
                }
            }
        }
    }
    let Some(seconds) = seconds else { return Ok(None) };
    let is_complete = words.count() > place.saturating_add(usize::from(!is_init_script));
    if !is_complete {
        return Ok(None);
    }
    Ok(Some(Call {
        is_init_script,
        reports,
        wait: Duration::from_seconds(seconds),
        command: place,
        directory: process::variable(c"SVDIR").unwrap_or(DEFAULT_DIRECTORY),
        start: file::open_path(CURRENT, c".")?,
    }))
}

/// A decimal number as a whole; too large a one is as large as can be.
fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| match digit {
        b'0'..=b'9' => Some(number.saturating_mul(10).saturating_add(u64::from(digit.wrapping_sub(b'0')))),
        _ => None,
    })
}

/// Whether `name` is a path of its own, and not a service of the service directory.
fn is_path(name: &[u8]) -> bool {
    name.is_empty() || name.starts_with(b"/") || name.starts_with(b".") || name.ends_with(b"/")
}

impl Call {
    /// The service at `index` of those that the command line names.
    fn service(&self, words: Words, index: usize) -> Option<&'static CStr> {
        if self.is_init_script {
            // The name it is called by; words behind the command mean nothing.
            let called = words.get(0)?.to_bytes_with_nul();
            let base = called.rsplit(|byte| *byte == b'/').next()?;
            return if index == 0 { CStr::from_bytes_until_nul(base).ok() } else { None };
        }
        words.get(self.command.saturating_add(1).saturating_add(index))
    }

    fn enter(&self, name: &CStr) -> Result<(), Trouble> {
        process::enter(&self.start)
            .and_then(|()| if is_path(name.to_bytes()) { Ok(()) } else { process::enter_path(self.directory) })
            .and_then(|()| process::enter_path(name))
            .map_err(Trouble::NoDirectory)
    }

    fn status_of_all(&self, words: Words) -> i32 {
        let mut failures: u8 = 0;
        let mut index = 0;
        let mut code = INIT_SCRIPT_RUNS;
        while let Some(name) = self.service(words, index) {
            index = index.saturating_add(1);
            match self.enter(name).and_then(|()| read_status().map(|(record, _)| record)) {
                Ok(record) => {
                    if !tell_status(name, &record) {
                        failures = failures.saturating_add(1);
                    }
                    if record.pid.is_none() {
                        code = INIT_SCRIPT_DOWN;
                    }
                }
                Err(trouble) => {
                    tell_trouble(name, trouble);
                    code = if trouble.is_failure() { INIT_SCRIPT_FAILED } else { INIT_SCRIPT_UNKNOWN };
                    failures = failures.saturating_add(1);
                }
            }
        }
        if self.is_init_script { code } else { failures.min(MOST_FAILURES).into() }
    }

    fn send_to_all(&self, words: Words, request: Request) -> i32 {
        let waits = request.waits || self.reports;
        let mut failures: u8 = 0;
        let mut index = 0;
        // As many at once as there is room for; usually all.
        loop {
            let deadline = clock::monotonic().plus(self.wait);
            let mut all = Vec::<Pending, SERVICES_AT_ONCE>::new();
            while !all.is_full()
                && let Some(name) = self.service(words, index)
            {
                index = index.saturating_add(1);
                match self.enter(name).and_then(|()| tell(request.bytes)) {
                    Ok(before) => {
                        let _ = all.push(Pending { name, before, is_done: !waits });
                    }
                    Err(Trouble::NotRunning) if request.bytes.starts_with(b"x") => {
                        tell_gone(name);
                    }
                    Err(trouble) => {
                        tell_trouble(name, trouble);
                        failures = failures.saturating_add(1);
                    }
                }
            }
            failures = failures.saturating_add(self.wait_for_all(&mut all, request, deadline));
            if self.service(words, index).is_none() {
                break;
            }
        }
        match failures {
            0 => 0,
            _ if self.is_init_script => INIT_SCRIPT_FAILED,
            _ => failures.min(MOST_FAILURES).into(),
        }
    }

    /// Waits until each has done what it was told, or the time is up; how many had not.
    fn wait_for_all(&self, all: &mut [Pending], request: Request, deadline: Instant) -> u8 {
        let mut failures: u8 = 0;
        if all.iter().all(|pending| pending.is_done) {
            return failures;
        }
        let watch = self.watch(all);
        let exits = request.bytes.contains(&b'x');
        loop {
            let now = clock::monotonic();
            let mut is_waiting = false;
            let mut look_at = None;
            let mut supervisor = None;
            for pending in all.iter_mut().filter(|pending| !pending.is_done) {
                match self.look(pending, request, deadline) {
                    Look::Done => pending.is_done = true,
                    Look::Failed => {
                        pending.is_done = true;
                        failures = failures.saturating_add(1);
                    }
                    Look::Waiting { ok, needs_looking } => {
                        // Of several supervisors that end, only the first shows it.
                        let is_unseen = exits && is_waiting;
                        is_waiting = true;
                        if needs_looking || is_unseen || watch.is_none() {
                            look_at = Some(now.plus(CHECK_INTERVAL));
                        }
                        supervisor = supervisor.or(ok);
                    }
                }
            }
            if !is_waiting {
                return failures;
            }
            let watched = watch.as_ref().map(AsFd::as_fd);
            // The end of a supervisor shows as the end of those who read its fifo.
            let ends = supervisor.as_ref().map(AsFd::as_fd).filter(|_| exits);
            poll::wait([watched, ends, None], earlier(look_at, Some(deadline)));
            if let Some(watch) = &watch {
                watch.drain();
            }
        }
    }

    fn watch(&self, all: &[Pending]) -> Option<Watch> {
        let watch = Watch::new().ok()?;
        for pending in all {
            self.enter(pending.name).ok()?;
            supervise_directory::watch(&watch).ok()?;
        }
        Some(watch)
    }

    /// How far one service is; tells it when it is done, or when its time is up.
    fn look(&self, pending: &Pending, request: Request, deadline: Instant) -> Look {
        let name = pending.name;
        let (record, ok) = match self.enter(name).and_then(|()| read_status()) {
            Ok(status) => status,
            Err(Trouble::NotRunning) if request.bytes.starts_with(b"x") => {
                tell_gone(name);
                return Look::Done;
            }
            Err(trouble) => {
                tell_trouble(name, trouble);
                return Look::Failed;
            }
        };
        let (is_done, needs_looking) = match progress(request.bytes, &pending.before, &record) {
            Progress::Done => (true, false),
            Progress::DoneIfChecked => match check::run(name, deadline) {
                Check::Passed => (true, false),
                Check::Failed => (false, true),
            },
            Progress::Pending => (false, false),
        };
        let outcome: &[u8] = if is_done {
            b"ok: "
        } else if clock::monotonic() < deadline {
            return Look::Waiting { ok: Some(ok), needs_looking };
        } else if request.kills {
            b"kill: "
        } else {
            b"timeout: "
        };
        let mut tail = Text::new();
        let mut line = Line::default();
        line.fill(outcome, &[]);
        fill_status(&mut line, name.to_bytes(), name, &record, &mut tail);
        let _ = report::write(standard::output(), &line);
        if is_done {
            return Look::Done;
        }
        if request.kills
            && let Err(trouble) = write_control(b"k")
        {
            tell_trouble(name, trouble);
        }
        Look::Failed
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

/// Writes the status line of a service and of its log service; the current directory is the service directory. False if
/// something was in the way.
fn tell_status(name: &CStr, record: &Record) -> bool {
    let (mut tail, mut log_tail) = (Text::new(), Text::new());
    let mut line = Line::default();
    let mut is_whole = fill_status(&mut line, name.to_bytes(), name, record, &mut tail);
    match process::enter_path(c"log") {
        Err(Errno::NOENT) => {}
        Err(reason) => {
            is_whole = false;
            line.fill(b"; warning: %/log: unable to change directory: %", &[name.to_bytes(), reason.text()]);
        }
        Ok(()) => match read_status() {
            Ok((record, _)) => {
                line.fill(b"; ", &[]);
                is_whole &= fill_status(&mut line, b"log", name, &record, &mut log_tail);
            }
            Err(trouble) => {
                is_whole = false;
                let kind: &[u8] = if trouble.is_failure() { b"; fail: %/log" } else { b"; warning: %/log" };
                line.fill(kind, &[name.to_bytes()]);
                trouble.fill_words(&mut line, b"");
            }
        },
    }
    let _ = report::write(standard::output(), &line);
    is_whole
}

/// Appends `STATE: NAME: ...`; the current directory is that of the service. Without a word about whether the service is
/// normally up there is nothing to append: false.
fn fill_status<'a>(
    line: &mut Line<'a>,
    shown: &'a [u8],
    name: &CStr,
    record: &Record,
    tail: &'a mut Text<STATUS_TAIL>,
) -> bool {
    let is_normally_up = match file::metadata(CURRENT, c"down") {
        Ok(_) => false,
        Err(Errno::NOENT) => true,
        Err(reason) => {
            let values = [name.to_bytes(), reason.text()];
            report::line(standard::error(), b"warning: unable to stat %/down: %", &values);
            return false;
        }
    };
    *tail = status_tail(record, is_normally_up, clock::wall());
    line.fill(b"%: %: %", &[record.phase.word(), shown, tail.as_bytes()]);
    true
}

/// Told to exit, it is gone.
fn tell_gone(name: &CStr) {
    report::line(standard::output(), b"ok: %: runsv not running", &[name.to_bytes()]);
}

fn tell_trouble(name: &CStr, trouble: Trouble) {
    let mut line = Line::default();
    trouble.fill(&mut line, name.to_bytes());
    let _ = report::write(standard::output(), &line);
}
