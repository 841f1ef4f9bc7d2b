//! Reads the entries of a directory.
//!
//! # Safety
//! The file relies on `getdents64` writing no more than the size it is given.
#![allow(unsafe_code)]

use core::ffi::CStr;

use linux_raw_sys::general::__NR_getdents64;
use rustix::fs::SeekFrom;

use crate::call::call;
use crate::descriptor::number;
use crate::{Descriptor, Result, errno};

/// Bytes read from the kernel at a time; several dozen entries.
const BUFFER: usize = 2048;

/// As [`visit`], from the beginning of a directory that may have been visited before.
///
/// # Errors
/// The kernel's, on the first failing read; the entries before it were visited.
pub fn visit_again(directory: &Descriptor, visit: impl FnMut(&CStr)) -> Result<()> {
    rustix::fs::seek(directory, SeekFrom::Start(0)).map_err(errno)?;
    self::visit(directory, visit)
}

/// Calls `visit` with the name of each entry of `directory`, `.` and `..` included.
///
/// # Errors
/// The kernel's, on the first failing read; the entries before it were visited.
pub fn visit(directory: &Descriptor, mut visit: impl FnMut(&CStr)) -> Result<()> {
    visit_each(directory, &mut visit)
}

/// One copy for all callers.
#[inline(never)]
fn visit_each(directory: &Descriptor, visit: &mut dyn FnMut(&CStr)) -> Result<()> {
    let mut buffer = [0_u8; BUFFER];
    loop {
        let arguments = [number(directory), buffer.as_mut_ptr().expose_provenance(), BUFFER, 0];
        // SAFETY: the kernel writes at most as many bytes as the buffer has.
        let count = unsafe { call(__NR_getdents64, arguments) }?;
        let mut records = buffer.get(..count).unwrap_or(&[]);
        if records.is_empty() {
            return Ok(());
        }
        while let Some((name, rest)) = take_record(records) {
            records = rest;
            if let Ok(name) = CStr::from_bytes_until_nul(name) {
                visit(name);
            }
        }
    }
}

/// The name in the first record, with what pads it, and the records behind it. A record is inode and offset of eight bytes
/// each, its own length of two, a type of one, and the name.
fn take_record(records: &[u8]) -> Option<(&[u8], &[u8])> {
    const LENGTH: usize = 16;
    const NAME: usize = 19;
    let length = records.get(LENGTH..)?.first_chunk::<2>()?;
    let (record, rest) = records.split_at_checked(u16::from_ne_bytes(*length).into())?;
    Some((record.get(NAME..)?, rest))
}
