//! Tells something to everybody who sits at a terminal, and at the console.

use core::ffi::CStr;

use supervision::limits::{TELL_LIMIT, USER_RECORDS};
use supervision::shutdown::news::Message;
use supervision::text::{Path, Text, decimal};
use supervision::utmp::{Kind, LINE_BYTES, RECORD_BYTES, Record};
use sys::file::{self, CURRENT, Waiting};
use sys::{clock, directory, poll, process, terminal};

const USERS: &CStr = c"/run/utmp";
const TERMINALS: &CStr = c"/dev/pts";
const CONSOLE: &[u8] = b"console";

/// Which terminal the console is; the last word counts. Of several virtual ones it is the one that is shown.
const CONSOLES: [&CStr; 2] = [c"/sys/class/tty/console/active", c"/sys/class/tty/tty0/active"];

/// The name of a terminal, without `/dev/`.
type Name = Text<LINE_BYTES>;

/// Writes `news` and the message below it on all terminals. What one of them does not take at once it loses.
///
/// A child does it: the kernel may make whoever opens or closes a terminal wait for the line. It is waited for, but not for long.
pub fn tell_all(news: &[u8], message: &Message) {
    let ends = file::pipe(Waiting::Never);
    let child = process::spawn(|| {
        tell_each(news, message);
        0
    });
    if child.is_err() {
        return tell_each(news, message);
    }
    if let Ok((reader, writer)) = ends {
        // The child has the other copy, until its end.
        drop(writer);
        poll::wait_for(reader.as_fd(), Some(clock::monotonic().plus(TELL_LIMIT)));
    }
}

#[inline(never)]
fn tell_each(news: &[u8], message: &Message) {
    let message = message.as_bytes();
    let end: &[u8] = if message.is_empty() { b"\r\n" } else { b"\r\n\r\n" };
    let parts = [b"\r\n\x07pipit: ", news, b"\r\n", message, end];
    let console = console();
    let mut is_console_told = false;
    let mut tell = |name: &[u8]| {
        is_console_told |= console.as_ref().is_some_and(|console| console.as_bytes() == name);
        tell_one(name, &parts);
    };
    if !each_user(&mut tell) {
        each_terminal(&mut tell);
    }
    if !is_console_told {
        tell_one(CONSOLE, &parts);
    }
}

fn tell_one(name: &[u8], parts: &[&[u8]]) {
    // Nothing outside of /dev.
    if name.split(|byte| *byte == b'/').any(|part| part == b"..") {
        return;
    }
    let mut path = Path::from_bytes(b"/dev/");
    path.push(name);
    if let Some(Ok(opened)) = path.terminated().map(terminal::open_to_tell) {
        let _ = file::write_parts(opened.as_fd(), parts);
    }
}

/// The terminals of those who are logged in; whether there was any, as far as it is recorded.
fn each_user(tell: &mut dyn FnMut(&[u8])) -> bool {
    let Ok(users) = file::open_read(CURRENT, USERS) else { return false };
    let mut bytes = [0; RECORD_BYTES];
    let mut is_any = false;
    for _ in 0..USER_RECORDS {
        if !matches!(file::read(users.as_fd(), &mut bytes), Ok(read) if read.len() == RECORD_BYTES) {
            break;
        }
        let record = Record::from_bytes(bytes);
        if record.is(Kind::User) && !record.line().is_empty() {
            is_any = true;
            tell(record.line());
        }
    }
    is_any
}

/// The terminals of windows and of connections from elsewhere, whoever has them.
fn each_terminal(tell: &mut dyn FnMut(&[u8])) {
    let Ok(terminals) = file::open_directory(CURRENT, TERMINALS) else { return };
    let _ = directory::visit(&terminals, |number| {
        if decimal(number.to_bytes()).is_some() {
            let mut name = Name::from_bytes(b"pts/");
            name.push(number.to_bytes());
            tell(name.as_bytes());
        }
    });
}

/// The name of the terminal that the console is.
fn console() -> Option<Name> {
    let mut name = None;
    for path in CONSOLES {
        let mut bytes = [0; 128];
        let file = file::open_read(CURRENT, path).ok()?;
        let read = file::read(file.as_fd(), &mut bytes).ok()?;
        let last = Name::from_bytes(read.trim_ascii_end().rsplit(|byte| *byte == b' ').next()?);
        let is_virtual = last.as_bytes() == b"tty0";
        name = Some(last);
        if !is_virtual {
            break;
        }
    }
    name
}
