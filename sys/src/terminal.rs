//! Terminals: the console, whose controlling terminal it is, and those of users.
//!
//! # Safety
//! The file relies on `TIOCSCTTY` taking a number, not a pointer, and on `TCGETS` writing settings as `linux_raw_sys` states them.
#![allow(unsafe_code)]

use core::ffi::CStr;

use rustix::fd::AsFd;
use rustix::ioctl::{Getter, IntegerSetter, ioctl};

use linux_raw_sys::general::termios;
use linux_raw_sys::ioctl::{TCGETS, TIOCSCTTY};
use supervision::process::errno::Errno;

use crate::{Descriptor, Result, errno, file};

/// Opens a terminal for reading and writing without waiting for a line, and without making it the
/// controlling terminal; reads and writes do not wait either.
///
/// # Errors
/// The kernel's.
pub fn open(path: &CStr) -> Result<Descriptor> {
    file::open_both_ways(path)
}

/// Opens somebody's terminal to write on it; writes do not wait.
///
/// # Errors
/// `ENOTTY` if it is none; else the kernel's.
pub fn open_to_tell(path: &CStr) -> Result<Descriptor> {
    let opened = file::open_write(file::CURRENT, path)?;
    // SAFETY: the opcode is that of TCGETS, which writes such settings.
    let request = unsafe { Getter::<TCGETS, termios>::new() };
    // SAFETY: TCGETS changes nothing but what the request has room for.
    match unsafe { ioctl(&opened, request) } {
        Ok(_) => Ok(opened),
        Err(_) => Err(Errno::NOTTY),
    }
}

/// Makes it the controlling terminal of the caller, who leads a session; takes it from another session.
///
/// # Errors
/// The kernel's.
pub fn make_controlling(terminal: impl AsFd) -> Result<()> {
    const TAKE_IT: usize = 1;
    // SAFETY: the opcode is that of TIOCSCTTY, whose argument is a number.
    let request = unsafe { IntegerSetter::<TIOCSCTTY>::new_usize(TAKE_IT) };
    // SAFETY: TIOCSCTTY changes only which session the terminal belongs to.
    unsafe { ioctl(terminal, request) }.map_err(errno)
}
