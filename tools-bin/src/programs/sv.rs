//! `sv`: tells services what to do, and what they do (sv(8)). Under another name it is the init script of the service of
//! that name.

use core::ffi::CStr;

use heapless::Vec;
use supervision::limits::{CHECK_INTERVAL, MESSAGE_PARTS, SERVICES_AT_ONCE, STATUS_TAIL};
use supervision::process::errno::Errno;
use supervision::supervise::client::{Progress, Request, Verb, progress, status_tail};
use supervision::supervise::status::{Record, Wanted};
use supervision::text::Text;
use supervision::time::{Duration, Instant, earlier};
use sys::file::{self, CURRENT};
use sys::watch::Watch;
use sys::{AsFd, Descriptor, clock, poll, process, report, standard};

use crate::check::{self, Check};
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

type Line<'a> = Vec<&'a [u8], MESSAGE_PARTS>;

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

/// Why a service cannot be told, or does not tell.
#[derive(Clone, Copy)]
enum Trouble {
    /// Its directory cannot be entered.
    NoDirectory(Errno),
    /// Nobody supervises it.
    NotRunning,
    /// A file of `supervise/` is in trouble.
    File(&'static [u8], Option<Errno>),
}

const BAD_FORMAT: Trouble = Trouble::File(b"unable to read supervise/status: bad format", None);

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
            let parts: &[&[u8]] = &[words.name(), b": fatal: unable to open current directory: ", reason.text()];
            report::line(standard::error(), parts);
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
    let rest: &[u8] = if is_init_script { b" [-w sec] command\n" } else { b" [-v] [-w sec] command service ...\n" };
    report::line(standard::error(), &[b"usage: ", words.name(), rest]);
    codes.usage
}

/// Takes the command line apart; `None` for wrong usage.
fn parse(words: Words, is_init_script: bool) -> Result<Option<Call>, Errno> {
    let mut reports = false;
    let mut seconds = match process::variable(c"SVWAIT").map(|text| number(text.to_bytes())) {
        None => Some(DEFAULT_WAIT),
        Some(seconds) => seconds,
    };
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
                            report::line(standard::error(), &[words.name(), b": option requires an argument -- w"]);
                            return Ok(None);
                        };
                        place = place.saturating_add(1);
                        seconds = number(word.to_bytes());
                    } else {
                        seconds = number(rest);
                    }
                }
                b'V' => {
                    report::line(standard::error(), &[b"pipit ", env!("CARGO_PKG_VERSION").as_bytes()]);
                    return Ok(None);
                }
                _ => {
                    let letter = core::slice::from_ref(letter);
                    report::line(standard::error(), &[words.name(), b": illegal option -- ", letter]);
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
            return if index == 0 { CStr::from_bytes_with_nul(base).ok() } else { None };
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
                    tell_status(name, &record);
                    if record.pid.is_none() {
                        code = INIT_SCRIPT_DOWN;
                    }
                }
                Err(trouble) => {
                    tell_trouble(name, trouble);
                    code = match trouble {
                        Trouble::NoDirectory(_) | Trouble::NotRunning => INIT_SCRIPT_FAILED,
                        Trouble::File(..) => INIT_SCRIPT_UNKNOWN,
                    };
                    failures = failures.saturating_add(1);
                }
            }
        }
        if self.is_init_script { code } else { failures.min(MOST_FAILURES).into() }
    }

    fn send_to_all(&self, words: Words, request: Request) -> i32 {
        let waits = request.waits || self.reports;
        let deadline = clock::monotonic().plus(self.wait);
        let mut failures: u8 = 0;
        let mut index = 0;
        // As many at once as there is room for; usually all.
        loop {
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
                        report::line(standard::output(), &[b"ok: ", name.to_bytes(), b": runsv not running"]);
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
                        is_waiting = true;
                        if needs_looking || watch.is_none() {
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
            let ends = supervisor.as_ref().map(AsFd::as_fd).filter(|_| request.bytes.contains(&b'x'));
            poll::wait([watched, ends], earlier(look_at, Some(deadline)));
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
                report::line(standard::output(), &[b"ok: ", name.to_bytes(), b": runsv not running"]);
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
        let mut line = Line::new();
        push(&mut line, outcome);
        push_status(&mut line, name.to_bytes(), name, &record, &mut tail);
        report::line(standard::output(), &line);
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

/// The status of the service in the current directory, and the fifo that its supervisor holds open.
fn read_status() -> Result<(Record, Descriptor), Trouble> {
    let file_trouble = |what: &'static [u8]| move |reason| Trouble::File(what, Some(reason));
    let directory = supervise_directory::find().map_err(file_trouble(b"unable to open supervise/ok"))?;
    let ok = file::open_write(&directory, c"ok").map_err(|reason| match reason {
        Errno::NXIO => Trouble::NotRunning,
        _ => Trouble::File(b"unable to open supervise/ok", Some(reason)),
    })?;
    let status = file::open_read(&directory, c"status").map_err(file_trouble(b"unable to open supervise/status"))?;
    let mut bytes = [0; Record::SIZE];
    let count = file::read(&status, &mut bytes).map_err(file_trouble(b"unable to read supervise/status"))?.len();
    if count != Record::SIZE {
        return Err(BAD_FORMAT);
    }
    let record = Record::decode(&bytes).map_err(|_| BAD_FORMAT)?;
    Ok((record, ok))
}

/// Tells the service in the current directory, and gives its status from before.
fn tell(bytes: &[u8]) -> Result<Record, Trouble> {
    let (before, _) = read_status()?;
    if !bytes.is_empty() {
        write_control(bytes)?;
    }
    Ok(before)
}

fn write_control(bytes: &[u8]) -> Result<(), Trouble> {
    let opened = supervise_directory::find().and_then(|directory| file::open_write(&directory, c"control"));
    let control = opened.map_err(|reason| match reason {
        Errno::NXIO => Trouble::NotRunning,
        _ => Trouble::File(b"unable to open supervise/control", Some(reason)),
    })?;
    match file::write(&control, bytes) {
        Ok(count) if count == bytes.len() => Ok(()),
        Ok(_) => Err(Trouble::File(b"unable to write to supervise/control", None)),
        Err(reason) => Err(Trouble::File(b"unable to write to supervise/control", Some(reason))),
    }
}

/// Writes the status line of a service and of its log service; the current directory is the service directory.
fn tell_status(name: &'static CStr, record: &Record) {
    let (mut tail, mut log_tail) = (Text::new(), Text::new());
    let mut line = Line::new();
    push_status(&mut line, name.to_bytes(), name, record, &mut tail);
    let log_record;
    match process::enter_path(c"log") {
        Err(Errno::NOENT) => {}
        Err(reason) => {
            push_log_trouble(&mut line, name, b"/log: unable to change directory: ", Some(reason));
        }
        Ok(()) => match read_status() {
            Ok((record, _)) => {
                log_record = record;
                push(&mut line, b"; ");
                push_status(&mut line, b"log", name, &log_record, &mut log_tail);
            }
            Err(Trouble::NotRunning) => {
                push(&mut line, b"; fail: ");
                push(&mut line, name.to_bytes());
                push(&mut line, b"/log: runsv not running");
            }
            Err(Trouble::File(what, reason)) => {
                push_log_trouble(&mut line, name, b"/log: ", None);
                push(&mut line, what);
                if let Some(reason) = reason {
                    push(&mut line, b": ");
                    push(&mut line, reason.text());
                }
            }
            Err(Trouble::NoDirectory(reason)) => {
                push_log_trouble(&mut line, name, b"/log: unable to change directory: ", Some(reason));
            }
        },
    }
    report::line(standard::output(), &line);
}

fn push_log_trouble(line: &mut Line<'_>, name: &'static CStr, what: &'static [u8], reason: Option<Errno>) {
    push(line, b"; warning: ");
    push(line, name.to_bytes());
    push(line, what);
    if let Some(reason) = reason {
        push(line, reason.text());
    }
}

/// Appends `STATE: NAME: ...`; the current directory is that of the service.
fn push_status<'a>(
    line: &mut Line<'a>,
    shown: &'a [u8],
    name: &CStr,
    record: &Record,
    tail: &'a mut Text<STATUS_TAIL>,
) {
    let is_normally_up = match file::metadata(CURRENT, c"down") {
        Ok(_) => false,
        Err(Errno::NOENT) => true,
        Err(reason) => {
            let parts: &[&[u8]] = &[b"warning: unable to stat ", name.to_bytes(), b"/down: ", reason.text()];
            report::line(standard::error(), parts);
            record.wanted == Wanted::Up
        }
    };
    *tail = status_tail(record, is_normally_up, clock::wall());
    push(line, record.phase.word());
    push(line, b": ");
    push(line, shown);
    push(line, b": ");
    push(line, tail.as_bytes());
}

fn push<'a>(line: &mut Line<'a>, part: &'a [u8]) {
    // No line has more parts than there is room for.
    let _ = line.push(part);
}

fn tell_trouble(name: &CStr, trouble: Trouble) {
    let name = name.to_bytes();
    let (kind, what, reason): (&[u8], &[u8], Option<Errno>) = match trouble {
        Trouble::NoDirectory(reason) => (b"fail: ", b"unable to change to service directory", Some(reason)),
        Trouble::NotRunning => (b"fail: ", b"runsv not running", None),
        Trouble::File(what, reason) => (b"warning: ", what, reason),
    };
    let (colon, text): (&[u8], &[u8]) = reason.map_or((b"", b""), |reason| (b": ", reason.text()));
    report::line(standard::output(), &[kind, name, b": ", what, colon, text]);
}
