//! `utmpset`: marks a line as logged out (utmpset(8)).

use core::ffi::CStr;

use supervision::process::message::Line;
use supervision::process::signal::Signal;
use supervision::utmp::{Kind, LINE_BYTES, Record};
use sys::file::{self, Missing};
use sys::{Descriptor, clock, report, signal, standard};

use crate::options::{Options, Wrong, tell_version};
use crate::{Words, lock, records};

const UTMP: &CStr = c"/var/run/utmp";
const WTMP: &CStr = c"/var/log/wtmp";

const EXIT_USAGE: i32 = 1;
const EXIT_FAILED: i32 = 111;

/// Something failed, and it is told.
struct Failed;

/// Marks the line.
pub fn main(words: Words) -> i32 {
    let Ok((line, is_added)) = read_words(words) else {
        report::line(standard::error(), b"usage: % [-w] line\n", &[words.called()]);
        return EXIT_USAGE;
    };
    // Under a limit of the size of files it is told that nothing could be written.
    signal::ignore(Signal::XFSZ);
    let outcome = log_out(line).and_then(|()| if is_added { add_to_history(line) } else { Ok(()) });
    if outcome.is_ok() { 0 } else { EXIT_FAILED }
}

/// The line, and whether a record of it is added to the history.
fn read_words(words: Words) -> Result<(&'static [u8], bool), Wrong> {
    let mut options = Options::new(words);
    let mut is_added = false;
    while let Some((letter, _)) = options.next(b"wV", b"")? {
        if letter == b'V' {
            tell_version();
            return Err(Wrong);
        }
        is_added = true;
    }
    let line = words.get(options.operands()).ok_or(Wrong)?;
    Ok((line.to_bytes(), is_added))
}

fn log_out(line: &[u8]) -> Result<(), Failed> {
    if line.len() > LINE_BYTES {
        return Err(fail(b"fatal: unable to logout line % in utmp: name too long", &[line]));
    }
    let utmp = file::open_to_change(UTMP)
        .map_err(|reason| fail(b"fatal: unable to open /var/run/utmp: %", &[reason.text()]))?;
    lock_file(UTMP, &utmp);
    let now = clock::wall();
    let found = records::change_first(&utmp, |record| {
        let is_in_use = record.line() == line && !record.user().is_empty();
        is_in_use.then(|| record.with_user(b"").with_host(b"").with_kind(Kind::Dead).with_time(now))
    });
    let reason = match found {
        Ok(true) => return Ok(()),
        Ok(false) => b"no such entry",
        Err(reason) => reason.text(),
    };
    Err(fail(b"warning: unable to logout line % in utmp: %", &[line, reason]))
}

fn add_to_history(line: &[u8]) -> Result<(), Failed> {
    let wtmp = file::open_to_add(WTMP, Missing::Made)
        .map_err(|reason| fail(b"fatal: unable to open /var/log/wtmp: %", &[reason.text()]))?;
    lock_file(WTMP, &wtmp);
    let record = Record::new().with_line(line).with_kind(Kind::Dead).with_time(clock::wall());
    records::append(&wtmp, &record)
        .map(drop)
        .map_err(|reason| fail(b"warning: unable to logout line % in wtmp: %", &[line, reason.text()]))
}

/// Whoever may read the file can keep its lock, so that nothing but a warning comes of it.
fn lock_file(path: &CStr, opened: &Descriptor) {
    if let Err(reason) = lock::take(opened.as_fd()) {
        fail(b"warning: unable to lock: %: %", &[path.to_bytes(), reason.text()]);
    }
}

fn fail(template: &[u8], values: &[&[u8]]) -> Failed {
    let mut message = Line::default();
    message.fill(b"utmpset: ", &[]);
    message.fill(template, values);
    let _ = report::write(standard::error(), &message);
    Failed
}
