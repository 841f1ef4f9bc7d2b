//! Tells when something in a directory changes (inotify).
//!
//! # Safety
//! The file relies on `inotify_init1` touching no memory.
#![allow(unsafe_code)]

use core::ffi::CStr;

use linux_raw_sys::general::{__NR_inotify_init1, O_CLOEXEC, O_NONBLOCK};
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::inotify::{self, WatchFlags};

use crate::call::call;
use crate::{Descriptor, Result, errno, file};

/// Room for the events of one read: one with the longest name, many with short ones.
const BUFFER: usize = 1024;

/// A set of watched directories.
#[derive(Debug)]
pub struct Watch(Descriptor);

impl Watch {
    /// Watches nothing yet.
    ///
    /// # Errors
    /// The kernel's: it may have no inotify, or no more of it for this user.
    pub fn new() -> Result<Self> {
        // SAFETY: takes flags alone, and makes a new descriptor.
        Descriptor::from_call(unsafe { call(__NR_inotify_init1, [(O_CLOEXEC | O_NONBLOCK) as usize, 0, 0, 0]) })
            .map(Self)
    }

    /// Watches a directory: entries that appear, vanish or are renamed, and its own end.
    ///
    /// # Errors
    /// The kernel's.
    pub fn add(&self, directory: &CStr) -> Result<()> {
        let flags = WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVE
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        inotify::add_watch(&self.0, directory, flags).map(drop).map_err(errno)
    }

    /// Takes all that is known to have happened.
    pub fn drain(&self) {
        // What changed is not asked for: whoever watches looks at everything.
        let mut events = [0; BUFFER];
        while file::read(self.0.as_fd(), &mut events).is_ok() {}
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
