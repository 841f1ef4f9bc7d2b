//! The only reader of clocks.
//!
//! # Safety
//! The file relies on the kernel's layouts of a time of 64 and of 32 bits, which `linux_raw_sys` states.
#![allow(unsafe_code)]

use core::ffi::c_long;

use linux_raw_sys::general::{__NR_clock_gettime, CLOCK_BOOTTIME, CLOCK_MONOTONIC, CLOCK_REALTIME};
use supervision::tai64n::Label;
use supervision::time::{Instant, Now};

use crate::call::call;

/// The monotonic clock, which decides.
pub fn monotonic() -> Instant {
    instant(CLOCK_MONOTONIC)
}

/// The monotonic clock with the time that the machine slept.
pub fn since_boot() -> Instant {
    instant(CLOCK_BOOTTIME)
}

#[inline(never)]
fn instant(clock: u32) -> Instant {
    let (seconds, nanoseconds) = read(clock);
    Instant::new(seconds.cast_unsigned(), nanoseconds)
}

/// The wall clock, which is shown.
pub fn wall() -> Label {
    let (seconds, nanoseconds) = read(CLOCK_REALTIME);
    Label::from_unix(seconds, nanoseconds)
}

/// All of them.
#[inline(never)]
pub fn now() -> Now {
    Now { monotonic: monotonic(), wall: wall(), since_boot: since_boot() }
}

/// Seconds and nanoseconds of a clock that the kernel has since its beginnings. The virtual system call would be
/// faster, and needs more code than these programs have use for.
fn read(clock: u32) -> (i64, u32) {
    #[cfg(target_pointer_width = "32")]
    {
        use linux_raw_sys::general::{__NR_clock_gettime64, __kernel_timespec};
        let mut time = __kernel_timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the kernel writes one time of 64 bits.
        let answer = unsafe { call(__NR_clock_gettime64, [clock as usize, (&raw mut time).expose_provenance(), 0, 0]) };
        if answer.is_ok() {
            return (time.tv_sec, u32::try_from(time.tv_nsec).unwrap_or(0));
        }
        // Linux before 5.1.
    }
    let mut time: [c_long; 2] = [0; 2];
    // SAFETY: the kernel writes one time of two words.
    let _ = unsafe { call(__NR_clock_gettime, [clock as usize, (&raw mut time).expose_provenance(), 0, 0]) };
    let [seconds, nanoseconds] = time;
    (seconds.into(), u32::try_from(nanoseconds).unwrap_or(0))
}
