//! Writes lines for people: all parts in one call, so that lines of several processes do not mix.

use core::ffi::CStr;

use rustix::fd::BorrowedFd;
use rustix::io::IoSlice;
use supervision::limits::MESSAGE_PARTS;
use supervision::process::message::Line;

use crate::file::{self, CURRENT, Kind};
use crate::{Descriptor, Result, errno, poll, standard};

/// Writes one line, made of `template` with `values` in its places. What cannot be written is lost: there is nobody to tell.
pub fn line(to: BorrowedFd<'_>, template: &[u8], values: &[&[u8]]) {
    let mut line = Line::default();
    line.fill(template, values);
    let _ = write(to, &line);
}

/// Standard error for a supervisor, which never waits: where a line does not fit just now it is lost.
///
/// A terminal or a pipe is opened once more for this, so that the standard descriptor, which services share, stays as it
/// is. Where that cannot be done, a line is written only if there is room for at least its beginning.
#[derive(Clone, Copy, Debug)]
pub struct Errors;

impl Errors {
    /// Opens it. Lines are few, and a descriptor that is kept for them would be one for every supervisor.
    fn open() -> Option<Descriptor> {
        const PATH: &CStr = c"/proc/self/fd/2";
        // A file would be written from its beginning again; and it does not make its writers wait.
        let waits = |kind| matches!(kind, Kind::Fifo | Kind::CharacterDevice);
        let is_opened = file::metadata(CURRENT, PATH).is_ok_and(|metadata| waits(metadata.kind));
        if is_opened { file::open_write(CURRENT, PATH).ok() } else { None }
    }

    /// Writes one line, made of `template` with `values` in its places.
    pub fn line(&self, template: &[u8], values: &[&[u8]]) {
        let mut line = Line::default();
        line.fill(template, values);
        self.write(&line);
    }

    /// Writes these parts as they are.
    pub fn parts(&self, parts: &[&[u8]]) {
        let _ = match Self::open() {
            Some(errors) => file::write_parts(errors.as_fd(), parts),
            None if poll::is_writable(standard::error()) => file::write_parts(standard::error(), parts),
            None => Ok(0),
        };
    }

    /// Writes a line that was made before, and a newline.
    pub fn write(&self, line: &Line<'_>) {
        let _ = match Self::open() {
            Some(errors) => write(errors.as_fd(), line),
            None if poll::is_writable(standard::error()) => write(standard::error(), line),
            None => Ok(()),
        };
    }
}

/// As [`line`], but only if there is room for at least its beginning.
pub fn line_if_ready(to: BorrowedFd<'_>, template: &[u8], values: &[&[u8]]) {
    if poll::is_writable(to) {
        line(to, template, values);
    }
}

/// Writes a line that was made before, and a newline. A descriptor that does not wait takes as much as it has room for.
///
/// # Errors
/// The kernel's.
pub fn write(to: BorrowedFd<'_>, line: &Line<'_>) -> Result<()> {
    let mut slices = [IoSlice::new(b"\n"); MESSAGE_PARTS + 1];
    for (slice, part) in slices.iter_mut().zip(line.parts()) {
        *slice = IoSlice::new(part);
    }
    let slices = slices.get(..=line.parts().len()).unwrap_or(&[]);
    rustix::io::retry_on_intr(|| rustix::io::writev(to, slices)).map(drop).map_err(errno)
}
