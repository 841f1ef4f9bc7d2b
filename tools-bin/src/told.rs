//! What `chpst` tells of its failures.

use core::ffi::CStr;

use supervision::process::errno::Errno;
use supervision::process::message::Line;
use sys::{report, standard};

/// It failed, and that is told.
pub struct Told;

/// Tells that something failed; under every name it says `chpst`.
pub fn fail(template: &[u8], values: &[&[u8]]) -> Told {
    let mut line = Line::default();
    line.fill(b"chpst: fatal: ", &[]);
    line.fill(template, values);
    let _ = report::write(standard::error(), &line);
    Told
}

/// There is no memory for what is to be changed.
pub fn out_of_memory(_: Errno) -> Told {
    fail(b"out of memory.", &[])
}

/// What came of `what`.
///
/// # Errors
/// It failed.
pub fn judge<T>(outcome: sys::Result<T>, what: &'static [u8]) -> Result<T, Told> {
    outcome.map_err(|reason| fail(b"unable to %: %", &[what, reason.text()]))
}

/// The same, where it was tried on `path`.
///
/// # Errors
/// It failed.
pub fn judge_path<T>(outcome: sys::Result<T>, what: &'static [u8], path: &CStr) -> Result<T, Told> {
    outcome.map_err(|reason| fail(b"unable to %: %: %", &[what, path.to_bytes(), reason.text()]))
}
