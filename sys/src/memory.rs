//! What becomes of a process when the machine has no memory left, and that it needs little.
//!
//! # Safety
//! The file relies on anonymous memory of the kernel being zeroed, on the stack growing downwards, and on nothing but the kernel looking below the frame of the function that
//! runs, further than the red zone.
#![allow(unsafe_code)]

use core::ffi::CStr;

use linux_raw_sys::general::{__NR_madvise, MADV_DONTNEED};
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};
use supervision::text::Text;

use crate::call::call;
use crate::file::{self, CURRENT};
use crate::{Result, errno};

/// What the kernel adds to a process's badness (proc(5)).
const SCORE: &CStr = c"/proc/self/oom_score_adj";
/// Never chosen.
const NEVER: &[u8] = b"-1000";
const ORDINARY: &[u8] = b"0";

/// Keeps the caller from being chosen when memory runs out; its children must not be kept, or nothing could be chosen.
pub struct Protection {
    /// What a child shall have; `None`: the caller is not kept either.
    inherited: Option<Text<8>>,
}

impl Protection {
    /// Asks for it. Without the right to have it, everything stays as it was.
    pub fn take() -> Self {
        Self { inherited: Self::change().ok().flatten() }
    }

    fn change() -> Result<Option<Text<8>>> {
        let score = file::open_both_ways(SCORE)?;
        let mut buffer = [0; 8];
        let inherited = file::read(score.as_fd(), &mut buffer)?;
        if inherited.starts_with(NEVER) {
            return Ok(Some(Text::from_bytes(ORDINARY)));
        }
        // The kernel takes it as a whole, wherever it is written.
        file::write(score.as_fd(), NEVER).map(|_| Some(Text::from_bytes(inherited)))
    }

    /// In a child, before it executes another program: undoes it.
    pub fn leave(&self) {
        if let Some(inherited) = &self.inherited {
            write_score(inherited.as_bytes());
        }
    }

    /// In a child that asks for it anyway: undoes it only if that would not come to the same.
    pub fn hand_on(&self) {
        if self.inherited.as_ref().is_some_and(|inherited| inherited.as_bytes().trim_ascii_end() != ORDINARY) {
            self.leave();
        }
    }
}

/// Memory for as long as the process lives: `size` bytes, all 0. It is taken once, at the start; pages that are never
/// written to cost nothing.
///
/// # Errors
/// `ENOMEM`: there is not so much.
pub fn take(size: usize) -> Result<&'static mut [u8]> {
    // On 32-bit machines there may be more memory than a slice can hold.
    if isize::try_from(size).is_err() {
        return Err(errno(rustix::io::Errno::NOMEM));
    }
    let (protection, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE);
    // SAFETY: asks for memory that is used by nobody, wherever it may be.
    let start = unsafe { mmap_anonymous(core::ptr::null_mut(), size, protection, flags) }.map_err(errno)?;
    // SAFETY: so many bytes are there now, may be written to, hold 0, and are never given back; nobody else knows of them.
    Ok(unsafe { core::slice::from_raw_parts_mut(start.cast(), size) })
}

/// Gives the pages of the stack back that are not in use just now. Who waits for long needs one of them, and has had more.
#[inline(never)]
pub fn give_back_stack() {
    const PAGE: usize = 4096;
    /// More than was ever used.
    const DEPTH: usize = 64 * 1024;
    /// What this function and the call that it makes may use, and much more.
    const MARGIN: usize = 512;
    let here = 0_u8;
    let end = (&raw const here).addr().wrapping_sub(MARGIN) & !(PAGE - 1);
    // SAFETY: the pages lie below what is in use, and are empty when they are needed again. That some are not
    // there is an error that changes nothing.
    let _ = unsafe { call(__NR_madvise, [end.wrapping_sub(DEPTH), DEPTH, MADV_DONTNEED as usize, 0]) };
}

fn write_score(score: &[u8]) {
    let _ = file::open_write(CURRENT, SCORE).and_then(|file| file::write(file.as_fd(), score));
}
