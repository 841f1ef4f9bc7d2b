//! What is told, and to whom: trouble to every console, steps to the kernel's log, which stamps them.

use core::ffi::CStr;

use supervision::handoff::command_line::CommandLine;
use supervision::process::message::Line;
use supervision::text::Path;
use sys::file::{self, CURRENT};
use sys::{report, standard, terminal};

use crate::paths;

/// The consoles that the kernel uses, the one that is typed at last.
const ACTIVE: &[u8] = b"/sys/class/tty/console/active";

/// Bytes of their names that are looked at.
const NAMES_BYTES: usize = 128;

/// Goes on, but somebody should know.
#[inline(never)]
pub fn warn(template: &[u8], values: &[&[u8]]) {
    tell(b"warning: ", template, values);
}

/// What was tried has failed.
#[inline(never)]
pub fn fatal(template: &[u8], values: &[&[u8]]) {
    tell(b"fatal: ", template, values);
}

/// Tells every console.
#[inline(never)]
pub fn tell(prefix: &[u8], template: &[u8], values: &[&[u8]]) {
    let mut line = Line::default();
    line.fill(b"handoff: %", &[prefix]);
    line.fill(template, values);
    let mut has_told = false;
    visit_consoles(&mut |path| {
        // One that does not take it must not hold anything up.
        has_told |= terminal::open(path).is_ok_and(|console| report::write(console.as_fd(), &line).is_ok());
    });
    if !has_told {
        let _ = report::write(standard::error(), &line);
    }
}

/// Tells the kernel's log, if that is wanted.
#[inline(never)]
pub fn step(said: CommandLine<'_>, template: &[u8], values: &[&[u8]]) {
    if !said.wants_debug() {
        return;
    }
    let mut line = Line::default();
    line.fill(b"<6>handoff: ", &[]);
    line.fill(template, values);
    if let Ok(log) = file::open_write(CURRENT, c"/dev/kmsg") {
        let _ = report::write(log.as_fd(), &line);
    }
}

/// Calls `visit` with the path of each console, the one that is typed at last.
#[inline(never)]
pub fn visit_consoles(visit: &mut dyn FnMut(&CStr)) {
    let mut buffer = [0; NAMES_BYTES];
    let names = paths::read(ACTIVE, b"", &mut buffer);
    for name in names.split(|byte| *byte <= b' ').filter(|name| !name.is_empty()) {
        visit(paths::fill(&mut Path::new(), b"/dev/", name));
    }
}
