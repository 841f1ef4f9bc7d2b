//! Time as an argument: machines are told what time it is, and name deadlines.

use crate::tai64n::Label;

const NANOSECONDS: u64 = 1_000_000_000;

/// A length of time: up to 584 years. `core::time::Duration` would do, if it were not for the panic in its making.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Duration(u64);

impl Duration {
    /// No time.
    pub const ZERO: Self = Self(0);

    /// So many whole seconds; too many are as many as can be.
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(NANOSECONDS))
    }

    /// So many thousandths of a second.
    pub const fn from_milliseconds(milliseconds: u32) -> Self {
        Self(milliseconds as u64 * 1_000_000)
    }

    /// Its whole seconds.
    pub const fn seconds(self) -> u64 {
        self.0 / NANOSECONDS
    }

    /// What is left beside the whole seconds: less than 1,000,000,000.
    pub const fn nanoseconds(self) -> u32 {
        // Less than 2^30.
        (self.0 % NANOSECONDS) as u32
    }
}

/// A moment of the monotonic clock; it never goes back and knows no date.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Instant(u64);

impl Instant {
    /// The clock's origin, before everything else.
    pub const ORIGIN: Self = Self(0);

    /// The moment `seconds` and `nanoseconds` after the origin, within 584 years.
    pub const fn new(seconds: u64, nanoseconds: u32) -> Self {
        Self(seconds.saturating_mul(NANOSECONDS).saturating_add(nanoseconds as u64))
    }

    /// The moment so many nanoseconds after the origin.
    pub const fn from_raw(nanoseconds: u64) -> Self {
        Self(nanoseconds)
    }

    /// How many nanoseconds after the origin it is.
    pub const fn raw(self) -> u64 {
        self.0
    }

    /// Whole seconds since the origin.
    pub const fn seconds(self) -> u64 {
        Duration(self.0).seconds()
    }

    /// What is left beside the whole seconds: less than 1,000,000,000.
    pub const fn nanoseconds(self) -> u32 {
        Duration(self.0).nanoseconds()
    }

    /// The moment `duration` later.
    #[inline(never)]
    pub const fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.0))
    }

    /// The moment `duration` earlier, but not before the origin.
    pub const fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration.0))
    }

    /// How much later this is than `earlier`; zero if it is not.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }
}

/// What time it is: for deciding, and for showing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Now {
    /// Decides: throttles, deadlines, durations.
    pub monotonic: Instant,
    /// Is only shown: the stamp of status files. May jump.
    pub wall: Label,
    /// As the monotonic clock, but it counts while the machine sleeps: ages are told by it, and the kernel stamps
    /// processes with it.
    pub since_boot: Instant,
}

/// The earlier of two deadlines, where there is any.
#[inline(never)]
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
    fn times_without_end_stay_at_the_end() {
        let end = Instant::new(u64::MAX, 0);
        assert_eq!(end.plus(Duration::from_seconds(u64::MAX)), end);
        assert!(Instant::new(1, 0).plus(Duration::from_seconds(u64::MAX)) == end);
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
