//! What pid 1 says, and to whom: a line at a time, and never waiting.
//!
//! The console may be missing, hung up or stopped by flow control. It is opened once, without waiting; what it does not take is
//! lost, and it is opened again only after it failed. Closing it each time would make the kernel wait for the line.

use core::ffi::CStr;

use supervision::boot::event::Notice;
use supervision::process::message::Line;
use sys::{AsFd, Descriptor, poll, report, standard, terminal};

use crate::notice;

/// The console's device.
pub const CONSOLE: &CStr = c"/dev/console";

/// What every line of pid 1 begins with.
const PREFIX: &[u8] = b"- runit: ";

/// pid 1's own way to the console.
pub struct Console(Option<Descriptor>);

impl Console {
    /// Opens it, if it is there.
    pub fn open() -> Self {
        Self(terminal::open(CONSOLE).ok())
    }

    /// Writes one line, made of `template` with `values` in its places.
    pub fn line(&mut self, template: &[u8], values: &[&[u8]]) {
        let mut line = Line::default();
        line.fill(PREFIX, &[]);
        line.fill(template, values);
        self.write(&line);
    }

    /// Tells `notice`.
    pub fn say(&mut self, notice: Notice) {
        let (template, path, reason) = notice::words(notice);
        let mut line = Line::default();
        line.fill(PREFIX, &[]);
        line.fill(template, &[path.to_bytes()]);
        if let Some(reason) = reason {
            line.fill(b": %", &[reason.text()]);
        }
        self.write(&line);
    }

    fn write(&mut self, line: &Line<'_>) {
        for is_last_try in [false, true] {
            let to = self.0.as_ref().map_or(standard::error(), AsFd::as_fd);
            let is_written = (self.0.is_some() || poll::is_writable(to)) && report::write(to, line).is_ok();
            if is_written || is_last_try {
                return;
            }
            // Hung up, or not there before stage 1 mounted /dev.
            *self = Self::open();
        }
    }
}
