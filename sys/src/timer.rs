//! A timer that counts while the machine sleeps, and wakes whoever waits for it when it is awake again.
//!
//! # Safety
//! The file relies on `timerfd_create` touching no memory.
#![allow(unsafe_code)]

use linux_raw_sys::general::{__NR_timerfd_create, CLOCK_BOOTTIME, O_CLOEXEC, O_NONBLOCK};
use rustix::fd::{AsFd, BorrowedFd};
use rustix::time::{Itimerspec, TimerfdTimerFlags, Timespec};
use supervision::time::Instant;

use crate::call::call;
use crate::{Descriptor, Result, errno};

/// A timer on the boot clock. It is readable when its moment has come.
#[derive(Debug)]
pub struct Timer(Descriptor);

impl Timer {
    /// One that is not set.
    ///
    /// # Errors
    /// `EINVAL` before Linux 3.15; else the kernel's.
    pub fn new() -> Result<Self> {
        let flags = (O_CLOEXEC | O_NONBLOCK) as usize;
        // SAFETY: takes numbers alone, and makes a new descriptor.
        Descriptor::from_call(unsafe { call(__NR_timerfd_create, [CLOCK_BOOTTIME as usize, flags, 0, 0]) }).map(Self)
    }

    /// Sets it to a moment of the boot clock, the past included; what it was set to before counts no more.
    ///
    /// # Errors
    /// The kernel's.
    pub fn set(&self, moment: Instant) -> Result<()> {
        // All zero would switch it off.
        let nanoseconds = if moment == Instant::ORIGIN { 1 } else { moment.nanoseconds() };
        let value = Timespec {
            tv_sec: i64::try_from(moment.seconds()).unwrap_or(i64::MAX),
            tv_nsec: nanoseconds.cast_signed().into(),
        };
        let once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let setting = Itimerspec { it_interval: once, it_value: value };
        rustix::time::timerfd_settime(&self.0, TimerfdTimerFlags::ABSTIME, &setting).map(drop).map_err(errno)
    }
}

impl AsFd for Timer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
