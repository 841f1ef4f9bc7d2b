//! File descriptors, owned and borrowed, without a panic in their making.
//!
//! rustix without std has an owned descriptor of its own, but it asserts that a descriptor is not -1 each time it is made
//! or borrowed, and no compiler can prove that away. So descriptors are made here, and only lent to rustix.
//!
//! # Safety
//! The file relies on `BorrowedFd` being a transparent wrapper of the number, as rustix documents, and on
//! nobody closing a descriptor but its [`Descriptor`].
#![allow(unsafe_code)]

use rustix::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use crate::Result;

/// An open descriptor, closed when it is dropped.
#[derive(PartialEq, Eq, Debug)]
pub struct Descriptor(RawFd);

impl Descriptor {
    /// Takes what a system call returned, which makes a new descriptor, or failed.
    ///
    /// # Errors
    /// Those of the call.
    pub(crate) fn from_call(returned: Result<usize>) -> Result<Self> {
        // A descriptor is a small number.
        returned.map(|number| Self(number as RawFd))
    }

    /// Lends it.
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the descriptor is open as long as this value lives, and lent no longer.
        unsafe { borrow(self.0) }
    }

    /// Whether it has this number.
    pub fn is_number(&self, number: u32) -> bool {
        self.0.cast_unsigned() == number
    }

    /// Takes a new descriptor that the kernel wrote down.
    pub(crate) fn from_number(number: RawFd) -> Self {
        Self(number)
    }
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        Self::as_fd(self)
    }
}

impl Drop for Descriptor {
    // A call is smaller than the system call.
    #[inline(never)]
    fn drop(&mut self) {
        // SAFETY: the descriptor is ours alone, and nobody can use it after this.
        unsafe { rustix::io::close(self.0) };
    }
}

/// Lends a descriptor by its number.
///
/// # Safety
/// - the number is not -1;
/// - the descriptor stays open for `'open`, or is only used to ask the kernel whether it is open.
pub(crate) unsafe fn borrow<'open>(number: RawFd) -> BorrowedFd<'open> {
    // SAFETY: `BorrowedFd` is a transparent wrapper of the number, which the caller vouches for.
    unsafe { core::mem::transmute::<RawFd, BorrowedFd<'open>>(number) }
}

/// The number of a descriptor, as an argument of a system call.
pub(crate) fn number(descriptor: impl AsFd) -> usize {
    descriptor.as_fd().as_raw_fd() as usize
}
