//! Time as an argument: machines are told what time it is, and name deadlines.

use core::time::Duration;

use crate::tai64n::Label;

const NANOSECONDS_MAX: u32 = 999_999_999;

/// A moment of the monotonic clock; it never goes back and knows no date.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Instant(Duration);

impl Instant {
    /// The clock's origin, before everything else.
    pub const ORIGIN: Self = Self(Duration::ZERO);

    /// The moment `seconds` and `nanoseconds` after the origin; too many nanoseconds count as 999,999,999.
    pub fn new(seconds: u64, nanoseconds: u32) -> Self {
        Self(Duration::new(seconds, nanoseconds.min(NANOSECONDS_MAX)))
    }

    /// The moment `duration` later; the end of time if that is past it.
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }

    /// How much later this is than `earlier`; zero if it is not.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// What time it is: for deciding, and for showing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Now {
    /// Decides: throttles, deadlines, durations.
    pub monotonic: Instant,
    /// Is only shown: the stamp of status files. May jump.
    pub wall: Label,
}

/// The earlier of two deadlines, where there is any.
pub fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanoseconds_out_of_range_are_cut() {
        assert_eq!(Instant::new(1, 2_000_000_000), Instant::new(1, 999_999_999));
    }

    #[test]
    fn adding_carries_into_the_seconds() {
        let later = Instant::new(1, 600_000_000).plus(Duration::from_millis(500));
        assert_eq!(later, Instant::new(2, 100_000_000));
    }

    #[test]
    fn the_past_is_no_time_away() {
        assert_eq!(Instant::new(1, 0).since(Instant::new(2, 0)), Duration::ZERO);
    }

    #[test]
    fn the_earlier_of_two_deadlines_counts() {
        let (one, two) = (Instant::new(1, 0), Instant::new(2, 0));
        assert_eq!(earlier(Some(two), Some(one)), Some(one));
        assert_eq!(earlier(None, Some(two)), Some(two));
        assert_eq!(earlier(Some(one), None), Some(one));
        assert_eq!(earlier(None, None), None);
    }
}
