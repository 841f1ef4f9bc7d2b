//! `sv`: tells services what to do, and what they do (sv(8)). Under another name it is the init script of the service of
//! that name.

use core::ffi::CStr;

use heapless::Vec;
use supervision::limits::{PATH_BYTES, SERVICES_AT_ONCE, STOP_MARGIN};
use supervision::process::errno::Errno;
use supervision::supervise::client::{Request, Verb};
use supervision::supervise::settings::{File, Settings};
use supervision::text::{Path, decimal};
use supervision::time::{Duration, Instant};
use sys::file::{self, CURRENT};
use sys::{Descriptor, clock, process, report, standard};

use crate::Words;
use crate::options::{Options, Wrong, tell_version};
use crate::service_client::{Trouble, read_status, tell};
use crate::service_directory::read_settings;
use crate::status_report::{self, Detail};
use crate::waiting::{Notices, Pending, Waiting, tell_gone, tell_trouble};

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

/// How long is waited.
#[derive(Clone, Copy)]
enum Wait {
    /// For every service.
    Exactly(Duration),
    /// For a service that does not say how long it takes to stop.
    Usually(Duration),
    /// For nobody knows how long: what waits is wrong usage.
    Senseless,
}

/// What the command line says.
struct Call {
    is_init_script: bool,
    reports: bool,
    /// It was asked for more than is usual.
    is_verbose: bool,
    /// How long is waited for a service that does not say so itself, or for all.
    wait: Wait,
    /// Where the command's word is; the services follow it.
    command: usize,
    directory: &'static CStr,
    /// The starting directory.
    start: Descriptor,
}

/// Obeys the command line.
pub fn main(words: Words) -> i32 {
    let is_init_script = words.name() != b"sv";
    let codes = if is_init_script { INIT_SCRIPT } else { SV };
    let call = match parse(words, is_init_script) {
        Ok(Some(call)) => call,
        Ok(None) => return usage(words, is_init_script, &codes),
        Err(reason) => {
            report::line(standard::error(), b"fatal: unable to open current directory: %", &[reason.text()]);
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
        Verb::Status if call.is_verbose => call.tell_all(words, Detail::LineAndMore),
        Verb::Status => call.tell_all(words, Detail::Line),
        Verb::Show => call.tell_all(words, Detail::Everything),
        Verb::Send(request) if call.waits(request) && matches!(call.wait, Wait::Senseless) => {
            usage(words, is_init_script, &codes)
        }
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
    let (mut reports, mut is_verbose) = (false, false);
    let usual = words.environment().variable(b"SVWAIT").map_or(Some(DEFAULT_WAIT), |text| number(text.to_bytes()));
    let mut wait = usual.map_or(Wait::Senseless, |seconds| Wait::Usually(Duration::from_seconds(seconds)));
    let mut options = Options::new(words);
    loop {
        match options.next(b"vV", b"w") {
            Ok(Some((b'v', _))) => (reports, is_verbose) = (true, true),
            Ok(Some((b'w', digits))) => {
                reports = true;
                let Some(seconds) = number(digits.to_bytes()) else { return Ok(None) };
                wait = Wait::Exactly(Duration::from_seconds(seconds));
            }
            Ok(Some(_)) => {
                tell_version();
                return Ok(None);
            }
            Ok(None) => break,
            Err(Wrong) => return Ok(None),
        }
    }
    let place = options.operands();
    let is_complete = words.count() > place.saturating_add(usize::from(!is_init_script));
    if !is_complete {
        return Ok(None);
    }
    Ok(Some(Call {
        is_init_script,
        reports,
        is_verbose,
        wait,
        command: place,
        directory: words.environment().variable(b"SVDIR").unwrap_or(DEFAULT_DIRECTORY),
        start: file::open_path(CURRENT, c".")?,
    }))
}

/// A decimal number as a whole; too large a one is as large as can be.
fn number(digits: &[u8]) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    is_number.then(|| decimal(digits).unwrap_or(u64::MAX))
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

    /// Makes the service directory of that name the current one.
    fn enter(&self, name: &CStr) -> Result<(), Trouble> {
        let is_path = is_path(name.to_bytes());
        if !is_path && self.directory.is_empty() {
            return Err(Trouble::NoDirectory(Errno::NOENT));
        }
        let directory = if is_path { b"" } else { self.directory.to_bytes() };
        let is_absolute = if directory.is_empty() { name.to_bytes() } else { directory }.starts_with(b"/");
        let entered = if is_absolute { Ok(()) } else { process::enter(&self.start) };
        entered.and_then(|()| enter_below(directory, name)).map_err(Trouble::NoDirectory)
    }

    fn tell_all(&self, words: Words, detail: Detail) -> i32 {
        let mut failures: u8 = 0;
        let mut index = 0;
        let mut code = INIT_SCRIPT_RUNS;
        let now = clock::now();
        while let Some(name) = self.service(words, index) {
            if index > 0 && detail == Detail::Everything {
                report::line(standard::output(), b"", &[]);
            }
            index = index.saturating_add(1);
            match self.enter(name).and_then(|()| read_status()) {
                Ok((status, _)) => {
                    let Some(is_normally_up) = status_report::is_normally_up(name) else {
                        // An empty line, as ever; but whoever asked for everything has nothing.
                        report::line(standard::output(), b"", &[]);
                        failures = failures.saturating_add(u8::from(detail == Detail::Everything));
                        code = INIT_SCRIPT_UNKNOWN;
                        continue;
                    };
                    if !status_report::tell(name, is_normally_up, &status, detail, &now) {
                        failures = failures.saturating_add(1);
                    }
                    if status.0.pid.is_none() {
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

    fn waits(&self, request: Request) -> bool {
        request.waits || self.reports
    }

    fn send_to_all(&self, words: Words, request: Request) -> i32 {
        let waits = self.waits(request);
        let mut failures: u8 = 0;
        let mut index = 0;
        let mut notices = if waits { Notices::new() } else { Notices::NONE };
        let enter: &dyn Fn(&CStr) -> Result<(), Trouble> = &|name| self.enter(name);
        // As many at once as there is room for; usually all.
        loop {
            let now = clock::monotonic();
            let mut all = Vec::<Pending, SERVICES_AT_ONCE>::new();
            while !all.is_full()
                && let Some(name) = self.service(words, index)
            {
                index = index.saturating_add(1);
                let told = self.enter(name).and_then(|()| {
                    // Watched before it is told, so that nothing happens unseen.
                    let directory = if waits { notices.watch_service() } else { None };
                    match tell(request.bytes) {
                        Err(Trouble::File(_, Errno::MFILE | Errno::NFILE)) if directory.is_some() => {
                            // Then without: it is looked for.
                            drop(directory);
                            notices.give_up();
                            tell(request.bytes).map(|before| (None, before))
                        }
                        told => told.map(|before| (directory, before)),
                    }
                });
                match told {
                    Ok((directory, before)) if waits => {
                        let deadline = self.deadline(request, now);
                        let _ = all.push(Pending::new(name, before, deadline, directory));
                    }
                    Ok(_) => {}
                    Err(Trouble::NotRunning) if request.bytes.starts_with(b"x") => {
                        tell_gone(name);
                    }
                    Err(trouble) => {
                        tell_trouble(name, trouble);
                        failures = failures.saturating_add(1);
                    }
                }
            }
            let waiting = Waiting { request, notices: &notices, environment: words.environment(), enter };
            failures = failures.saturating_add(waiting.wait_for_all(&mut all));
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

    /// Until when the service in the current directory has time for what it was told.
    fn deadline(&self, request: Request, now: Instant) -> Instant {
        let usual = match self.wait {
            Wait::Exactly(wait) => return now.plus(wait),
            Wait::Usually(wait) => wait,
            Wait::Senseless => Duration::ZERO,
        };
        // Only what is stopped takes its own time.
        let stops = request.bytes.iter().any(|byte| matches!(byte, b'd' | b'x' | b't'));
        let mut settings = Settings::DEFAULT;
        if stops {
            read_settings(CURRENT, File::OF_TIMES, &mut settings, &mut |_, _| {});
        }
        match settings.kill_after {
            None => now.plus(usual),
            Some(kill_after) => {
                let finish = settings.finish_limit.unwrap_or(Duration::ZERO);
                now.plus(kill_after).plus(finish).plus(STOP_MARGIN)
            }
        }
    }
}

/// Changes to `name` below `directory`, or to `name` itself where that is empty.
fn enter_below(directory: &[u8], name: &CStr) -> Result<(), Errno> {
    if directory.is_empty() {
        return process::enter_path(name);
    }
    let mut path = Path::from_bytes(directory);
    path.push(b"/");
    // In one step, if there is room for both.
    if directory.len().saturating_add(name.count_bytes()) < PATH_BYTES {
        path.push(name.to_bytes());
        return path.terminated().map_or(Err(Errno::NOENT), process::enter_path);
    }
    path.terminated().map_or(Err(Errno::NOENT), process::enter_path).and_then(|()| process::enter_path(name))
}
