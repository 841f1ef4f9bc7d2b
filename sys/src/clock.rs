//! The only reader of clocks.

use rustix::time::{ClockId, clock_gettime};
use supervision::tai64n::Label;
use supervision::time::{Instant, Now};

/// The monotonic clock, which decides.
pub fn monotonic() -> Instant {
    let time = clock_gettime(ClockId::Monotonic);
    Instant::new(time.tv_sec.cast_unsigned(), nanoseconds(time.tv_nsec))
}

/// The wall clock, which is shown.
pub fn wall() -> Label {
    let time = clock_gettime(ClockId::Realtime);
    Label::from_unix(time.tv_sec, nanoseconds(time.tv_nsec))
}

/// Both.
pub fn now() -> Now {
    Now { monotonic: monotonic(), wall: wall() }
}

fn nanoseconds(raw: impl TryInto<u32>) -> u32 {
    raw.try_into().unwrap_or(0)
}
