//! Signals that are read like a file, and no handlers.
//!
//! A supervisor blocks the signals it knows for good and reads them when it has time. What it starts gets back the signal
//! mask that the supervisor was started with.
//!
//! # Safety
//! The file relies on the kernel's signal set having 64 bits, the first for signal 1, on both machines; and on
//! an action that is zero but for its first bytes having no flags, and the handler 0 or 1, which are no addresses.
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
    inherited: Bits,
    caught: Bits,
}

/// The kernel's signal set.
type Bits = u64;

/// Bytes that the kernel tells of a signal.
const RECORD: usize = 128;

/// Signals that are read at a time where there may be many.
const RECORDS: usize = 16;

const BITS_SIZE: usize = size_of::<Bits>();

// The handlers that are none.
const SIG_DFL: Bits = 0;
const SIG_IGN: Bits = 1;

/// A set of signals, made when the program is built.
#[derive(Clone, Copy)]
pub struct SignalSet(Bits);

impl SignalSet {
    /// The set of these signals.
    pub const fn of(mut signals: &[Signal]) -> Self {
        let mut bits = 0;
        while let [signal, rest @ ..] = signals {
            bits |= 1 << (signal.number() - 1);
            signals = rest;
        }
        Self(bits)
    }
}

impl Signals {
    /// Blocks `signals` for good, and makes them readable. The end of a child and TERM are told even where the
    /// process was started with them ignored; the others stay as they were.
    ///
    /// # Errors
    /// The kernel's: no descriptor is left, or no memory.
    pub fn catch(signals: SignalSet) -> Result<Self> {
        let SignalSet(caught) = signals;
        let inherited = change_mask(SIG_BLOCK, caught)?;
        restore_default(Signal::CHLD);
        restore_default(Signal::TERM);
        let new = usize::MAX;
        let arguments = [new, (&raw const caught).expose_provenance(), BITS_SIZE, (O_CLOEXEC | O_NONBLOCK) as usize];
        // SAFETY: the set lives through the call; all bits set ask for a new descriptor.
        let pending = Descriptor::from_call(unsafe { call(__NR_signalfd4, arguments) })?;
        Ok(Self { pending, inherited, caught })
    }

    /// The next signal that came, if any.
    pub fn take(&self) -> Option<Signal> {
        let mut record = [0; RECORD];
        let [number, ..] = *file::read(self.pending.as_fd(), &mut record).ok()? else { return None };
        Signal::new(number)
    }

    /// Takes all signals that came, and calls `tell` with each, and with the descriptor that it is about, if it is about one.
    pub fn take_all(&self, mut tell: impl FnMut(Signal, u32)) {
        let mut buffer = [0; RECORD * RECORDS];
        while let Ok(mut records) = file::read(self.pending.as_fd(), &mut buffer) {
            while let Some((record, rest)) = records.split_first_chunk::<RECORD>() {
                records = rest;
                // Its first four bytes are the number, and the sixth four the descriptor.
                let (head, _) = record.split_first_chunk::<24>().unwrap_or((&[0; 24], &[]));
                let [number, .., a, b, c, d] = *head;
                if let Some(signal) = Signal::new(number) {
                    tell(signal, u32::from_ne_bytes([a, b, c, d]));
                }
            }
        }
    }

    /// In a child, before it executes another program: the mask as it was inherited, without what was caught.
    pub fn restore(&self) {
        let _ = change_mask(SIG_SETMASK, self.inherited & !self.caught);
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pending.as_fd()
    }
}

/// Changes the signal mask, and gives the old one.
fn change_mask(how: u32, bits: Bits) -> Result<Bits> {
    let mut old: Bits = 0;
    let [new_set, old_set] = [(&raw const bits).expose_provenance(), (&raw mut old).expose_provenance()];
    // SAFETY: both sets have the stated size and live through the call.
    unsafe { call(__NR_rt_sigprocmask, [how as usize, new_set, old_set, BITS_SIZE]) }?;
    Ok(old)
}

/// Undoes that the caller was started with this signal ignored.
pub fn restore_default(signal: Signal) {
    set_action(signal, SIG_DFL);
}

/// Lets a signal do nothing to the caller, nor to what it executes.
pub fn ignore(signal: Signal) {
    set_action(signal, SIG_IGN);
}

fn set_action(signal: Signal, handler: Bits) {
    // Handler, flags, restorer and set. The handler is a word that comes first, and no larger than here; both machines have the low
    // bytes first.
    let action: [Bits; 4] = [handler, 0, 0, 0];
    let arguments = [signal.number().into(), (&raw const action).expose_provenance(), 0, BITS_SIZE];
    // SAFETY: the action is at least as large as the kernel's, and calls no code of ours.
    let _ = unsafe { call(__NR_rt_sigaction, arguments) };
}
