//! The three standard descriptors. They are open from the program's first line on: [`open_closed`] sees to it.
//!
//! # Safety
//! The file relies on nobody closing descriptors 0 to 2: no [`crate::Descriptor`] of them is ever dropped.
#![allow(unsafe_code)]

use core::mem::ManuallyDrop;

use linux_raw_sys::general::{__NR_close_range, __NR_dup3};
use rustix::fd::BorrowedFd;
use rustix::io::FdFlags;

use crate::call::call;
use crate::descriptor::{borrow as lend, number};
use crate::{Result, errno, file, poll};

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

/// Standard input.
pub fn input() -> BorrowedFd<'static> {
    borrow(Standard::Input)
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
    // SAFETY: `open_closed` opened what was closed, and nobody closes it. Before that, whoever uses it learns from the
    // kernel that it is closed.
    unsafe { lend(standard as i32) }
}

/// Closes standard output, for a program that shall have none.
pub fn close_output() {
    // SAFETY: the caller is a child that executes another program next and writes nothing before.
    unsafe { rustix::io::close(Standard::Output as i32) };
}

/// The three, lowest number first.
pub const ALL: [Standard; 3] = [Standard::Input, Standard::Output, Standard::Error];

/// Which of them were closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Closed(u8);

impl Closed {
    /// Whether `standard` was.
    pub fn has(self, standard: Standard) -> bool {
        self.0 & standard.bit() != 0
    }
}

impl Standard {
    fn bit(self) -> u8 {
        match self {
            Self::Input => 1,
            Self::Output => 2,
            Self::Error => 4,
        }
    }
}

/// Opens `/dev/null`, or something that cannot be used at all, in the place of each standard descriptor that is
/// closed, so that no file takes its number; which they were.
pub fn open_closed() -> Closed {
    let mut closed = Closed(0);
    // Nearly always all are open.
    if poll::are_open(ALL.map(borrow)) {
        return closed;
    }
    for standard in ALL {
        if rustix::io::fcntl_getfd(borrow(standard)).is_err() {
            closed.0 |= standard.bit();
            // The lowest free number is this one: those below it are open by now.
            let _ = file::open_nothing().map(ManuallyDrop::new);
        }
    }
    closed
}

/// Has `standard` closed when another program is executed. Until then it can be written to.
///
/// # Errors
/// `EBADF` if it is not open; else the kernel's.
pub fn close_on_exec(standard: Standard) -> Result<()> {
    rustix::io::fcntl_setfd(borrow(standard), FdFlags::CLOEXEC).map_err(errno)
}

/// Closes all but these three, for a program that stays when its caller has gone on: what the caller had open there by mistake would stay
/// open as long. To be called before anything is opened. Before Linux 5.9 nothing is closed.
pub fn close_others() {
    let first = Standard::Error as usize + 1;
    // SAFETY: takes numbers alone; no `Descriptor` has been made yet, as is asked for.
    let _ = unsafe { call(__NR_close_range, [first, u32::MAX as usize, 0, 0]) };
}

/// Leaves all three to whoever else has them: they lead to `/dev/null` from now on, or to something that cannot be used at all.
pub fn leave() {
    let Ok(nothing) = file::open_nothing() else { return };
    for standard in [Standard::Input, Standard::Output, Standard::Error] {
        let _ = redirect(nothing.as_fd(), standard);
    }
}

/// In a child that executes another program next: makes `descriptor` also the one with this number, which stays open then.
/// What had the number is closed.
///
/// # Errors
/// `EINVAL` if it is that one; else the kernel's.
pub fn hand_on(descriptor: BorrowedFd<'_>, to: u32) -> Result<()> {
    // SAFETY: the copy takes the place of a standard descriptor, which no `Descriptor` owns, or of one that the child
    // will not use any more.
    unsafe { call(__NR_dup3, [number(descriptor), to as usize, 0, 0]) }.map(drop)
}

/// Makes `descriptor` also the standard descriptor `standard`, which stays open when another program is executed.
///
/// # Errors
/// The kernel's.
pub fn redirect(descriptor: BorrowedFd<'_>, standard: Standard) -> Result<()> {
    if number(descriptor) == standard as usize {
        return rustix::io::fcntl_setfd(descriptor, FdFlags::empty()).map_err(errno);
    }
    hand_on(descriptor, standard as u32)
}
