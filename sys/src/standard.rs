//! The three standard descriptors. They are open from the program's first line on: [`open_closed`] sees to it.
//!
//! # Safety
//! The file relies on nobody closing descriptors 0 to 2: no `OwnedFd` of them is ever made that would.
#![allow(unsafe_code)]

use core::ffi::c_int;
use core::mem::ManuallyDrop;

use rustix::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::{DupFlags, FdFlags};

use crate::{Result, errno};

/// A standard descriptor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standard {
    /// Standard input.
    Input = 0,
    /// Standard output.
    Output = 1,
    /// Standard error.
    Error = 2,
}

/// Standard output.
pub fn output() -> BorrowedFd<'static> {
    borrow(Standard::Output)
}

/// Standard error.
pub fn error() -> BorrowedFd<'static> {
    borrow(Standard::Error)
}

fn borrow(standard: Standard) -> BorrowedFd<'static> {
    // SAFETY: `open_closed` opened what was not open, and nobody closes it.
    unsafe { BorrowedFd::borrow_raw(standard as c_int) }
}

/// Opens `/dev/null` in the place of each standard descriptor that is closed, so that no file takes its number.
pub fn open_closed() {
    for standard in [Standard::Input, Standard::Output, Standard::Error] {
        if rustix::io::fcntl_getfd(borrow(standard)).is_err() {
            // The lowest free number is this one: those below it are open by now.
            let opened = rustix::fs::open(c"/dev/null", OFlags::RDWR, Mode::empty());
            let _ = opened.map(ManuallyDrop::new);
        }
    }
}

/// Makes `descriptor` also the standard descriptor `standard`, which stays open when another program is executed.
///
/// # Errors
/// The kernel's.
pub fn redirect(descriptor: BorrowedFd<'_>, standard: Standard) -> Result<()> {
    if descriptor.as_raw_fd() == standard as c_int {
        return rustix::io::fcntl_setfd(descriptor, FdFlags::empty()).map_err(errno);
    }
    // SAFETY: the number is that of a standard descriptor, and the value is never dropped, so nothing closes it.
    let mut target = ManuallyDrop::new(unsafe { OwnedFd::from_raw_fd(standard as c_int) });
    rustix::io::dup3(descriptor, &mut target, DupFlags::empty()).map_err(errno)
}
