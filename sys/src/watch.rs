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
const BUFFER: usize = 2048;

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

    /// Watches a directory for files in it that are replaced or written over; the number by which [`Watch::take`] tells of it.
    ///
    /// # Errors
    /// The kernel's.
    pub fn add_file(&self, directory: &CStr) -> Result<i32> {
        let flags = WatchFlags::MOVED_TO
            | WatchFlags::MODIFY
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        inotify::add_watch(&self.0, directory, flags).map_err(errno)
    }

    /// Takes what is known to have happened, and calls `tell` with the number of each watch and the name of the file, which is
    /// empty if the directory itself was meant. A number of -1: some of it was lost.
    pub fn take(&self, mut tell: impl FnMut(i32, &CStr)) {
        let mut events = [0; BUFFER];
        while let Ok(mut rest) = file::read(self.0.as_fd(), &mut events) {
            while let Some((number, name, behind)) = take_event(rest) {
                tell(number, name);
                rest = behind;
            }
        }
    }

    /// Takes all that is known to have happened.
    pub fn drain(&self) {
        // What changed is not asked for: whoever watches looks at everything.
        let mut events = [0; BUFFER];
        while file::read(self.0.as_fd(), &mut events).is_ok() {}
    }
}

/// The first event: its watch, its name, and what is behind it. An event is watch, mask, cookie and length of the
/// name of four bytes each, and the name, filled up with NULs.
fn take_event(events: &[u8]) -> Option<(i32, &CStr, &[u8])> {
    let (head, rest) = events.split_first_chunk::<16>()?;
    let [w, x, y, z, .., a, b, c, d] = *head;
    let (name, rest) = rest.split_at_checked(u32::from_ne_bytes([a, b, c, d]) as usize)?;
    Some((i32::from_ne_bytes([w, x, y, z]), CStr::from_bytes_until_nul(name).unwrap_or(c""), rest))
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
