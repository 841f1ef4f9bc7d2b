//! Signals that are read like a file, and no handlers.
//!
//! A supervisor blocks the signals it knows for good and reads them when it has time. What it starts gets back the signal
//! mask that the supervisor was started with.
//!
//! # Safety
//! The file relies on the kernel's signal set having 64 bits, the first for signal 1, on both machines; and on
//! a zeroed action being the default action without flags.
#![allow(unsafe_code)]

use linux_raw_sys::general::{
    __NR_rt_sigaction, __NR_rt_sigprocmask, __NR_signalfd4, O_CLOEXEC, O_NONBLOCK, SIG_BLOCK, SIG_SETMASK,
};
use rustix::fd::{AsFd, BorrowedFd};
use supervision::process::signal::Signal;

use crate::call::call;
use crate::{Descriptor, Result, file};

/// The blocked signals, and how to let a child have them again.
pub struct Signals {
    pending: Descriptor,
    inherited: Set,
}

/// The kernel's signal set.
type Set = u64;

const SET_SIZE: usize = size_of::<Set>();

impl Signals {
    /// Blocks `signals` for good, and makes them readable. A child's end is told even where the
    /// parent was started with `SIGCHLD` ignored.
    ///
    /// # Errors
    /// The kernel's: no descriptor is left, or no memory.
    pub fn catch(signals: &[Signal]) -> Result<Self> {
        let caught = set_of(signals);
        let inherited = change_mask(SIG_BLOCK, caught)?;
        restore_default(Signal::CHLD);
        let new = usize::MAX;
        let arguments = [new, (&raw const caught).expose_provenance(), SET_SIZE, (O_CLOEXEC | O_NONBLOCK) as usize];
        // SAFETY: the set lives through the call; all bits set ask for a new descriptor.
        let pending = Descriptor::from_call(unsafe { call(__NR_signalfd4, arguments) })?;
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
        for signal in unblocked {
            restore_default(*signal);
        }
        let _ = change_mask(SIG_SETMASK, self.inherited & !set_of(unblocked));
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pending.as_fd()
    }
}

fn set_of(signals: &[Signal]) -> Set {
    signals.iter().fold(0, |set, signal| set | 1 << (u32::from(signal.number()).wrapping_sub(1) & 63))
}

/// Changes the signal mask, and gives the old one.
fn change_mask(how: u32, set: Set) -> Result<Set> {
    let mut old: Set = 0;
    let sets = [(&raw const set).expose_provenance(), (&raw mut old).expose_provenance()];
    let [new_set, old_set] = sets;
    // SAFETY: both sets have the stated size and live through the call.
    unsafe { call(__NR_rt_sigprocmask, [how as usize, new_set, old_set, SET_SIZE]) }?;
    Ok(old)
}

fn restore_default(signal: Signal) {
    // Handler, flags, restorer and set: all zero is the default action.
    let action: [Set; 4] = [0; 4];
    let arguments = [signal.number().into(), (&raw const action).expose_provenance(), 0, SET_SIZE];
    // SAFETY: the action is at least as large as the kernel's, and calls no code of ours.
    let _ = unsafe { call(__NR_rt_sigaction, arguments) };
}
