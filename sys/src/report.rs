//! Writes lines for people: all parts in one call, so that lines of several processes do not mix.

use rustix::fd::BorrowedFd;
use rustix::io::IoSlice;
use supervision::limits::MESSAGE_PARTS;
use supervision::process::message::Message;

use crate::{Result, errno, poll, standard};

const NEWLINE: &[u8] = b"\n";

/// Writes `parts` and a newline to `to`, as one line. What cannot be written is lost: there is nobody to tell.
/// More than [`MESSAGE_PARTS`] parts are cut.
pub fn line(to: BorrowedFd<'_>, parts: &[&[u8]]) {
    let _ = line_at_once(to, parts);
}

/// As [`line`], and tells whether it was written. A descriptor that does not wait takes as much as it has room for.
///
/// # Errors
/// The kernel's.
pub fn line_at_once(to: BorrowedFd<'_>, parts: &[&[u8]]) -> Result<()> {
    let mut slices = [IoSlice::new(NEWLINE); MESSAGE_PARTS + 1];
    let count = parts.len().min(MESSAGE_PARTS);
    for (slice, part) in slices.iter_mut().zip(parts.iter().take(count)) {
        *slice = IoSlice::new(part);
    }
    let slices = slices.get(..=count).unwrap_or(&[]);
    rustix::io::retry_on_intr(|| rustix::io::writev(to, slices)).map(drop).map_err(errno)
}

/// As [`line`], but never waits: where the line does not fit just now it is lost. For supervisors.
pub fn line_if_ready(to: BorrowedFd<'_>, parts: &[&[u8]]) {
    if poll::is_writable(to) {
        line(to, parts);
    }
}

/// Writes a diagnostic line to standard error, waiting if need be.
pub fn message(message: &Message<'_>) {
    line(standard::error(), &message.parts());
}

/// Writes a diagnostic line to standard error if that takes no waiting. For supervisors.
pub fn message_if_ready(message: &Message<'_>) {
    line_if_ready(standard::error(), &message.parts());
}
