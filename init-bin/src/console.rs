//! What pid 1 says, and to whom: a line at a time, and never waiting.
//!
//! The console may be missing, hung up or stopped by flow control. It is opened once, without waiting; what it does not take is
//! lost, and it is opened again only after it failed. Closing it each time would make the kernel wait for the line.

use core::ffi::CStr;

use supervision::boot::event::Notice;
use supervision::process::errno::Errno;
use supervision::process::message::Line;
use sys::{Descriptor, poll, report, standard, terminal};

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
            line.fill(b": %", &[reason.common_text()]);
        }
        self.write(&line);
    }

    fn write(&mut self, line: &Line<'_>) {
        for is_last_try in [false, true] {
            let outcome = match &self.0 {
                Some(console) => report::write(console.as_fd(), line),
                None if poll::is_writable(standard::error()) => report::write(standard::error(), line),
                None => Err(Errno::INVAL),
            };
            // Stopped by flow control is no reason to open it again; hung up is, and not there before stage 1 mounted /dev.
            if is_last_try || matches!(outcome, Ok(()) | Err(Errno::AGAIN)) {
                return;
            }
            *self = Self::open();
        }
    }
}
