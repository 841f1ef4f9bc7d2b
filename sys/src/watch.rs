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

    /// Takes what is known to have happened, and calls `tell` with the name of each entry that it happened to; `None`: to
    /// nobody knows which.
    pub fn take(&self, mut tell: impl FnMut(Option<&CStr>)) {
        let mut events = [0; BUFFER];
        while let Ok(mut rest) = file::read(self.0.as_fd(), &mut events) {
            while let Some((name, behind)) = take_event(rest) {
                tell(if name.is_empty() { None } else { Some(name) });
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

/// The name in the first event, and what is behind it. An event is watch, mask, cookie and length of the name of four
/// bytes each, and the name, filled up with NULs; it has none where the directory itself is meant, or events were lost.
fn take_event(events: &[u8]) -> Option<(&CStr, &[u8])> {
    let (head, rest) = events.split_first_chunk::<16>()?;
    let [.., a, b, c, d] = *head;
    let (name, rest) = rest.split_at_checked(u32::from_ne_bytes([a, b, c, d]) as usize)?;
    Some((CStr::from_bytes_until_nul(name).unwrap_or(c""), rest))
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
