//! What pid 1 says, and to whom: a line at a time, and never waiting.
//!
//! The console may be missing, hung up or stopped by flow control. It is opened once, without waiting; what it does not take is
//! lost, and it is opened again only after it failed. Closing it each time would make the kernel wait for the line.

use core::ffi::CStr;

use supervision::boot::stage::Notice;
use sys::{AsFd, Descriptor, report, terminal};

use crate::notice;

/// The console's device.
pub const CONSOLE: &CStr = c"/dev/console";

/// pid 1's own way to the console.
pub struct Console(Option<Descriptor>);

impl Console {
    /// Opens it, if it is there.
    pub fn open() -> Self {
        Self(terminal::open(CONSOLE).ok())
    }

    /// Writes one line.
    pub fn say(&mut self, notice: Notice) {
        let mut parts = notice::Parts::new();
        notice::write(notice, &mut parts);
        self.line(&parts);
    }

    /// Writes one line of `parts`.
    pub fn line(&mut self, parts: &[&[u8]]) {
        let is_written = self.0.as_ref().is_some_and(|console| report::line_at_once(console.as_fd(), parts).is_ok());
        if !is_written {
            // Hung up, or not there before stage 1 mounted /dev.
            *self = Self::open();
            match &self.0 {
                Some(console) => drop(report::line_at_once(console.as_fd(), parts)),
                None => report::line_if_ready(sys::standard::error(), parts),
            }
        }
    }
}
