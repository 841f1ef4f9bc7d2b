//! Signals that are read like a file, and no handlers.
//!
//! A supervisor blocks the signals it knows for good and reads them when it has time. What it starts gets back the signal
//! mask that the supervisor was started with.
//!
//! # Safety
//! The file relies on musl's signal functions reading and writing the set or action they are given, and
//! on a zeroed `sigaction` being the default action without flags.
#![allow(unsafe_code)]

use core::mem::MaybeUninit;

use rustix::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use supervision::process::signal::Signal;

use crate::process::last_error;
use crate::{Result, file};

/// The blocked signals, and how to let a child have them again.
pub struct Signals {
    pending: OwnedFd,
    inherited: libc::sigset_t,
}

impl Signals {
    /// Blocks `signals` for good, and makes them readable. A child's end is told even where the
    /// parent was started with `SIGCHLD` ignored.
    ///
    /// # Errors
    /// The kernel's: no descriptor is left, or no memory.
    pub fn catch(signals: &[Signal]) -> Result<Self> {
        let mut caught = MaybeUninit::uninit();
        // SAFETY: `sigemptyset` initializes the set it is given.
        unsafe { libc::sigemptyset(caught.as_mut_ptr()) };
        // SAFETY: it was initialized one line above.
        let mut caught = unsafe { caught.assume_init() };
        for signal in signals {
            // SAFETY: the set is initialized and ours.
            unsafe { libc::sigaddset(&raw mut caught, signal.number().into()) };
        }
        let mut inherited = MaybeUninit::uninit();
        // SAFETY: both sets are ours; the old mask is written to the second.
        unsafe { libc::sigprocmask(libc::SIG_BLOCK, &raw const caught, inherited.as_mut_ptr()) };
        // SAFETY: `sigprocmask` cannot fail with `SIG_BLOCK` and valid sets, so it was written.
        let inherited = unsafe { inherited.assume_init() };
        // SAFETY: the set is initialized; -1 asks for a new descriptor.
        let descriptor = unsafe { libc::signalfd(-1, &raw const caught, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
        if descriptor < 0 {
            return Err(last_error());
        }
        restore_default(Signal::CHLD);
        // SAFETY: the kernel just made this descriptor, and nobody else has it.
        let pending = unsafe { OwnedFd::from_raw_fd(descriptor) };
        Ok(Self { pending, inherited })
    }

    /// The next signal that came, if any.
    pub fn take(&self) -> Option<Signal> {
        // The kernel's record has 128 bytes; its first four are the number.
        let mut record = [0; 128];
        let [number, ..] = *file::read(&self.pending, &mut record).ok()? else { return None };
        Signal::new(number)
    }

    /// In a child, before it executes another program: the mask as it was inherited, with `unblocked` not in it
    /// and at their default action.
    pub fn restore(&self, unblocked: &[Signal]) {
        let mut mask = self.inherited;
        for signal in unblocked {
            restore_default(*signal);
            // SAFETY: the set was initialized by the kernel and is ours.
            unsafe { libc::sigdelset(&raw mut mask, signal.number().into()) };
        }
        // SAFETY: the set is initialized; no old mask is asked for.
        unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const mask, core::ptr::null_mut()) };
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pending.as_fd()
    }
}

fn restore_default(signal: Signal) {
    // SAFETY: zero is a valid value of every field of `sigaction`; it means the default action.
    let action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    // SAFETY: the action is initialized, and the default action calls no code of ours.
    unsafe { libc::sigaction(signal.number().into(), &raw const action, core::ptr::null_mut()) };
}
