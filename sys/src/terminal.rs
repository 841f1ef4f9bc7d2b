//! Terminals: the console, and whose controlling terminal it is.
//!
//! # Safety
//! The file relies on `TIOCSCTTY` taking a number, not a pointer.
#![allow(unsafe_code)]

use core::ffi::CStr;

use rustix::fd::AsFd;
use rustix::ioctl::{IntegerSetter, ioctl};

use crate::{Descriptor, Result, errno, file};

/// Opens a terminal for reading and writing without waiting for a line, and without making it the
/// controlling terminal; reads and writes do not wait either.
///
/// # Errors
/// The kernel's.
pub fn open(path: &CStr) -> Result<Descriptor> {
    file::open_both_ways(path)
}

/// Makes it the controlling terminal of the caller, who leads a session; takes it from another session.
///
/// # Errors
/// The kernel's.
pub fn make_controlling(terminal: impl AsFd) -> Result<()> {
    const TAKE_IT: usize = 1;
    // SAFETY: the opcode is that of TIOCSCTTY, whose argument is a number.
    let request = unsafe { IntegerSetter::<{ linux_raw_sys::ioctl::TIOCSCTTY }>::new_usize(TAKE_IT) };
    // SAFETY: TIOCSCTTY changes only which session the terminal belongs to.
    unsafe { ioctl(terminal, request) }.map_err(errno)
}
