//! Time as an argument: machines are told what time it is, and name deadlines.

use crate::tai64n::Label;

const NANOSECONDS: u32 = 1_000_000_000;

/// A length of time. `core::time::Duration` would do, if it were not for the panic in its making.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Duration {
    seconds: u64,
    nanoseconds: u32,
}

impl Duration {
    /// No time.
    pub const ZERO: Self = Self::from_seconds(0);

    /// So many whole seconds.
    pub const fn from_seconds(seconds: u64) -> Self {
        Self { seconds, nanoseconds: 0 }
    }

    /// So many thousandths of a second, less than one second.
    pub const fn from_milliseconds(milliseconds: u16) -> Self {
        assert!(milliseconds < 1000, "a whole second or more");
        Self { seconds: 0, nanoseconds: milliseconds as u32 * 1_000_000 }
    }

    /// Its whole seconds.
    pub const fn seconds(self) -> u64 {
        self.seconds
    }

    /// What is left beside the whole seconds: less than 1,000,000,000.
    pub const fn nanoseconds(self) -> u32 {
        self.nanoseconds
    }
}

/// A moment of the monotonic clock; it never goes back and knows no date.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Instant {
    seconds: u64,
    nanoseconds: u32,
}

impl Instant {
    /// The clock's origin, before everything else.
    pub const ORIGIN: Self = Self { seconds: 0, nanoseconds: 0 };

    /// The moment `seconds` and `nanoseconds` after the origin; too many nanoseconds count as 999,999,999.
    pub fn new(seconds: u64, nanoseconds: u32) -> Self {
        Self { seconds, nanoseconds: nanoseconds.min(NANOSECONDS - 1) }
    }

    /// The moment `duration` later.
    pub fn plus(self, duration: Duration) -> Self {
        let nanoseconds = self.nanoseconds.wrapping_add(duration.nanoseconds);
        let (carry, nanoseconds) =
            if nanoseconds >= NANOSECONDS { (1, nanoseconds.wrapping_sub(NANOSECONDS)) } else { (0, nanoseconds) };
        Self { seconds: self.seconds.saturating_add(duration.seconds).saturating_add(carry), nanoseconds }
    }

    /// How much later this is than `earlier`; zero if it is not.
    pub fn since(self, earlier: Self) -> Duration {
        if self <= earlier {
            return Duration::ZERO;
        }
        let seconds = self.seconds.wrapping_sub(earlier.seconds);
        match self.nanoseconds.checked_sub(earlier.nanoseconds) {
            Some(nanoseconds) => Duration { seconds, nanoseconds },
            None => Duration {
                seconds: seconds.wrapping_sub(1),
                nanoseconds: self.nanoseconds.wrapping_add(NANOSECONDS).wrapping_sub(earlier.nanoseconds),
            },
        }
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
        let later = Instant::new(1, 600_000_000).plus(Duration::from_milliseconds(500));
        assert_eq!(later, Instant::new(2, 100_000_000));
    }

    #[test]
    fn the_time_between_borrows_from_the_seconds() {
        let between = Instant::new(5, 100_000_000).since(Instant::new(3, 600_000_000));
        assert_eq!((between.seconds(), between.nanoseconds()), (1, 500_000_000));
        assert_eq!(Instant::new(3, 600_000_000).plus(between), Instant::new(5, 100_000_000));
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
