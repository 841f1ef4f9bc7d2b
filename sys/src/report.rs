//! Writes lines for people: all parts in one call, so that lines of several processes do not mix.

use rustix::fd::BorrowedFd;
use rustix::io::IoSlice;
use supervision::limits::MESSAGE_PARTS;
use supervision::process::message::Line;

use crate::{Result, errno, poll};

/// Writes one line, made of `template` with `values` in its places. What cannot be written is lost: there is nobody to tell.
pub fn line(to: BorrowedFd<'_>, template: &[u8], values: &[&[u8]]) {
    let mut line = Line::default();
    line.fill(template, values);
    let _ = write(to, &line);
}

/// As [`line`], but never waits: where the line does not fit just now it is lost. For supervisors.
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
