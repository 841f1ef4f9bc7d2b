//! What `sv` tells of a service: one line as everybody knows it, and what only our supervisors know (sv(8)). The current
//! directory is the service directory.

use core::ffi::CStr;

use supervision::limits::STATUS_TAIL;
use supervision::process::errno::Errno;
use supervision::process::message::Line;
use supervision::process::outcome::Outcome;
use supervision::supervise::client::{age, status_tail};
use supervision::supervise::control::Command;
use supervision::supervise::extension::{Extension, OneShot, Status, one_shot};
use supervision::supervise::status::Record;
use supervision::text::Text;
use supervision::time::Now;
use sys::file::{self, CURRENT};
use sys::{process, report, standard};

use crate::service_client::{Trouble, read_status};

/// How much is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Detail {
    /// The line that everybody knows.
    Line,
    /// That, and below it what is remarkable.
    LineAndMore,
    /// Everything, for programs: `key=value`.
    Everything,
}

/// Tells of a service and of its log service; false if something was in the way.
pub fn tell(name: &CStr, is_normally_up: bool, status: &Status, detail: Detail, now: &Now) -> bool {
    if detail == Detail::Everything {
        return tell_everything(name, is_normally_up, status, now);
    }
    let tail = tail_of(status, is_normally_up, now);
    let mut log_tail = Text::new();
    let mut line = Line::default();
    line.fill(b"%: %: %", &[status.0.phase.word(), name.to_bytes(), tail.as_bytes()]);
    let mut is_whole = true;
    let log = read_log_status();
    match &log {
        Ok(None) => {}
        Ok(Some(log)) => {
            line.fill(b"; ", &[]);
            is_whole &= fill_status(&mut line, b"log", name, log, now, &mut log_tail);
        }
        Err(trouble) => {
            is_whole = false;
            fill_log_trouble(&mut line, name, *trouble);
        }
    }
    let _ = report::write(standard::output(), &line);
    if detail == Detail::LineAndMore {
        let facts = Facts { indent: b"  ", is_remarkable_only: true };
        facts.tell_extension(b"", status);
        if let Ok(Some(log)) = &log {
            facts.tell_extension(LOG_PREFIX, log);
        }
    }
    is_whole
}

/// The status of the log service, if there is one; its directory becomes the current one.
fn read_log_status() -> Result<Option<Status>, Trouble> {
    match process::enter_path(c"log") {
        Err(Errno::NOENT) => Ok(None),
        Err(reason) => Err(Trouble::NoDirectory(reason)),
        Ok(()) => read_status().map(|(status, _)| Some(status)),
    }
}

fn fill_log_trouble<'a>(line: &mut Line<'a>, name: &'a CStr, trouble: Trouble) {
    let name = name.to_bytes();
    match trouble {
        Trouble::NoDirectory(reason) => {
            line.fill(b"; warning: %/log: unable to change directory: %", &[name, reason.text()]);
        }
        _ => {
            let kind: &[u8] = if trouble.is_failure() { b"; fail: %/log" } else { b"; warning: %/log" };
            line.fill(kind, &[name]);
            trouble.fill_words(line, b"");
        }
    }
}

/// Appends `STATE: NAME: ...`. Without a word about whether the service is normally up there is nothing to append: false.
pub fn fill_status<'a>(
    line: &mut Line<'a>,
    shown: &'a [u8],
    name: &CStr,
    status: &Status,
    now: &Now,
    tail: &'a mut Text<STATUS_TAIL>,
) -> bool {
    let Some(is_normally_up) = is_normally_up(name) else { return false };
    *tail = tail_of(status, is_normally_up, now);
    line.fill(b"%: %: %", &[status.0.phase.word(), shown, tail.as_bytes()]);
    true
}

fn tail_of((record, extension): &Status, is_normally_up: bool, now: &Now) -> Text<STATUS_TAIL> {
    status_tail(record, is_normally_up, age_of(record, extension.as_ref(), now))
}

fn age_of(record: &Record, extension: Option<&Extension>, now: &Now) -> u64 {
    match extension {
        Some(extension) => age(extension.since_boot, now.since_boot),
        None => now.wall.seconds_since(record.stamp),
    }
}

/// Whether the service is up unless told otherwise; `None`, and a warning, if that is not to be learnt.
pub fn is_normally_up(name: &CStr) -> Option<bool> {
    match file::exists(CURRENT, c"down") {
        Ok(is_down) => Some(!is_down),
        Err(reason) => {
            let values = [name.to_bytes(), reason.text()];
            report::line(standard::error(), b"warning: unable to stat %/down: %", &values);
            None
        }
    }
}

const LOG_PREFIX: &[u8] = b"log-";

fn tell_everything(name: &CStr, is_normally_up: bool, status: &Status, now: &Now) -> bool {
    let facts = Facts { indent: b"", is_remarkable_only: false };
    facts.tell_all(b"", name.to_bytes(), is_normally_up, status, now);
    match read_log_status() {
        Ok(None) => true,
        Ok(Some(log)) => match self::is_normally_up(name) {
            Some(is_normally_up) => {
                facts.tell_all(LOG_PREFIX, b"log", is_normally_up, &log, now);
                true
            }
            None => false,
        },
        Err(trouble) => {
            let mut line = Line::default();
            fill_log_trouble(&mut line, name, trouble);
            let _ = report::write(standard::output(), &line);
            false
        }
    }
}

/// Writes facts as lines.
struct Facts {
    indent: &'static [u8],
    /// Facts that say nothing are left out.
    is_remarkable_only: bool,
}

impl Facts {
    fn tell(&self, prefix: &[u8], key: &[u8], value: &[u8]) {
        if !(self.is_remarkable_only && matches!(value, NONE | NO | b"0") && key != b"starts") {
            report::line(standard::output(), b"%%%=%", &[self.indent, prefix, key, value]);
        }
    }

    fn tell_number(&self, prefix: &[u8], key: &[u8], number: u64) {
        let mut value = Text::<20>::new();
        value.push_number(number);
        self.tell(prefix, key, value.as_bytes());
    }

    fn tell_all(&self, prefix: &[u8], shown: &[u8], is_normally_up: bool, status: &Status, now: &Now) {
        let (record, extension) = status;
        self.tell(prefix, b"service", shown);
        self.tell(prefix, b"state", record.phase.word());
        // Who signals what is told here shall not signal a supervisor.
        let pid = record.pid.filter(|_| one_shot(status) != OneShot::Done);
        self.tell_number(prefix, b"pid", pid.map_or(0, |pid| pid.raw().into()));
        self.tell(prefix, b"wanted", record.wanted.word());
        self.tell(prefix, b"normally", if is_normally_up { b"up" } else { b"down" });
        self.tell(prefix, b"paused", yes(record.is_paused));
        self.tell(prefix, b"got-term", yes(record.got_term));
        self.tell_number(prefix, b"seconds", age_of(record, extension.as_ref(), now));
        self.tell_extension(prefix, status);
    }

    fn tell_extension(&self, prefix: &[u8], (_, extension): &Status) {
        let Some(Extension { history, one_shot, hook, origin, .. }) = extension else { return };
        if !self.is_remarkable_only {
            self.tell_number(prefix, b"supervisor", origin.supervisor.into());
        }
        self.tell_number(prefix, b"starts", history.starts.into());
        self.tell(prefix, b"taken-over", yes(history.is_taken_over));
        self.tell(prefix, b"oneshot", one_shot.word());
        self.tell(prefix, b"last-end", last_end(history.last_end).as_bytes());
        let (mut failure, mut failed_start) = (Text::<80>::from_bytes(NONE), 0);
        if let Some((what, start)) = history.failure {
            let (words, reason) = what.words();
            failure = Text::from_bytes(words);
            failure.push(reason);
            failed_start = start;
        }
        self.tell(prefix, b"failure", failure.as_bytes());
        self.tell_number(prefix, b"failed-start", failed_start.into());
        self.tell_number(prefix, b"tally", history.tally.into());
        self.tell_number(prefix, b"backoff", history.backoff.into());
        let letter = Command::from_byte(*hook).map(|command| [command.byte()]);
        self.tell(prefix, b"control-script", letter.as_ref().map_or(NONE, <[u8; 1]>::as_slice));
        self.tell_number(prefix, b"ignored-bytes", origin.ignored.into());
    }
}

const NONE: &[u8] = b"none";
const NO: &[u8] = b"no";

fn yes(claim: bool) -> &'static [u8] {
    if claim { b"yes" } else { NO }
}

fn last_end(end: Option<Outcome>) -> Text<16> {
    let mut text = Text::new();
    match end {
        None => text.push(NONE),
        Some(Outcome::Unknown) => text.push(b"unknown"),
        Some(Outcome::Exited(code)) => {
            text.push(b"exit ");
            text.push_number(code.into());
        }
        Some(Outcome::Killed { signal, .. }) => {
            text.push(b"signal ");
            text.push_number(signal.number().into());
        }
    }
    text
}
