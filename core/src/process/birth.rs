//! When a process was started, by which two processes of one number are told apart.

use crate::text::decimal;
use crate::time::Instant;

/// Ticks of the kernel's stamp in a second, on every machine that this is built for.
const TICKS: u64 = 100;
const NANOSECONDS_IN_TICK: u32 = 10_000_000;

/// Place of the start among the words behind a process's name in `/proc/PID/stat` (proc(5), field 22).
const START: usize = 19;

/// A moment since the boot, in the kernel's ticks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Ticks(u64);

impl Ticks {
    /// The moment so many ticks after the boot.
    pub const fn from_raw(ticks: u64) -> Self {
        Self(ticks)
    }

    /// How many ticks after the boot it is.
    pub const fn raw(self) -> u64 {
        self.0
    }

    /// The tick that a moment of the boot clock falls into.
    pub fn of(since_boot: Instant) -> Self {
        let part = since_boot.nanoseconds().wrapping_div(NANOSECONDS_IN_TICK);
        Self(since_boot.seconds().wrapping_mul(TICKS).wrapping_add(part.into()))
    }
}

/// What tells a process from another one of its number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Birth {
    /// When it was started.
    pub started: Ticks,
    /// Whether it, or its first thread, has ended and only waits to be reaped.
    pub is_zombie: bool,
}

/// Reads `stat`, the text of `/proc/PID/stat`; `None` if it is something else.
pub fn read(stat: &[u8]) -> Option<Birth> {
    // The name in parentheses may hold anything.
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let mut words = stat.get(end..)?.split(|byte| *byte == b' ').skip(1);
    let is_zombie = matches!(words.next()?, b"Z" | b"X");
    let started = Ticks(decimal(words.nth(START.wrapping_sub(1))?)?);
    Some(Birth { started, is_zombie })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEN: &[u8] = b"1765 (a ) R 1 b) S 1 1765 1765 0 -1 4194560 180 0 0 0 0 0 0 0 20 0 1 0 105523 2547712 \
        224 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n";

    #[test]
    fn the_start_is_found_behind_any_name() {
        assert_eq!(read(SEEN), Some(Birth { started: Ticks(105_523), is_zombie: false }));
    }

    #[test]
    fn what_waits_to_be_reaped_is_told_as_such() {
        let zombie = b"7 (x) Z 1 7 7 0 -1 4 1 0 0 0 0 0 0 0 20 0 1 0 4294967296 0 0";
        assert_eq!(read(zombie), Some(Birth { started: Ticks(1 << 32), is_zombie: true }));
    }

    #[test]
    fn other_texts_tell_nothing() {
        for end in 0..SEEN.len() {
            assert!(read(&SEEN[..end]).is_none_or(|birth| birth.started <= Ticks(105_523)));
        }
        assert_eq!(read(b""), None);
    }

    #[test]
    fn a_moment_falls_into_the_tick_that_began_before_it() {
        assert_eq!(Ticks::of(Instant::new(1055, 239_999_999)), Ticks(105_523));
        assert_eq!(Ticks::of(Instant::new(1055, 240_000_000)), Ticks(105_524));
    }
}
