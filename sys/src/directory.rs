//! Reads the entries of a directory.

use core::ffi::CStr;
use core::mem::MaybeUninit;

use rustix::fs::RawDir;

use crate::{Descriptor, Result, errno};

/// Bytes read from the kernel at a time; several dozen entries.
const BUFFER: usize = 2048;

/// Calls `visit` with the name of each entry of `directory`, `.` and `..` included.
///
/// # Errors
/// The kernel's, on the first failing read; the entries before it were visited.
pub fn visit(directory: &Descriptor, mut visit: impl FnMut(&CStr)) -> Result<()> {
    let mut buffer = [MaybeUninit::uninit(); BUFFER];
    let mut entries = RawDir::new(directory, &mut buffer);
    while let Some(entry) = entries.next() {
        visit(entry.map_err(errno)?.file_name());
    }
    Ok(())
}
