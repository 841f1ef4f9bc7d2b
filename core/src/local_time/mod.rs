//! Local time: what the clock on the wall shows, and when it will show a given time.
//!
//! A zone comes from a file of the time zone database (tzfile(5), RFC 9636) or from a rule as in `TZ` (POSIX). Only what a
//! machine that runs today needs: times from 1970 on, no names of zones, no leap seconds.

pub mod file;
pub mod rule;

use crate::limits::SEARCHED_MINUTES;
use crate::text::decimal;

use self::file::Table;
use self::rule::Rule;

const MINUTE: i64 = 60;
const DAY: u64 = 86_400;

/// What is not to be in the name of a zone's file: it would lead out of the directory.
const UP: &[u8] = b"..";

/// A time as a clock shows it, from 0:00 to 23:59: minutes since midnight.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    /// Reads `h:mm` or `hh:mm`.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (hour, minute) = match text {
            [hour @ .., b':', a, b] if matches!(hour.len(), 1 | 2) => (decimal(hour)?, decimal(&[*a, *b])?),
            _ => return None,
        };
        // Less than a day.
        (hour < 24 && minute < 60).then_some(Self((hour * 60 + minute) as u16))
    }

    /// `hh:mm`.
    pub fn to_text(self) -> [u8; 5] {
        let [hour, minute] = [self.0 / 60, self.0 % 60];
        let digit = |number: u16| b'0'.wrapping_add(number as u8);
        [digit(hour / 10), digit(hour % 10), b':', digit(minute / 10), digit(minute % 10)]
    }

    fn seconds(self) -> i64 {
        i64::from(self.0) * MINUTE
    }
}

/// How far local time is from UTC, and when that changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Zone<'a> {
    table: Table<'a>,
    /// What holds behind the table.
    rule: Option<Rule>,
}

impl<'a> Zone<'a> {
    /// No zone at all.
    pub const UTC: Zone<'static> = Zone { table: Table::EMPTY, rule: None };

    /// The zone that a file of the time zone database describes; `None` if it is something else.
    pub fn from_file(bytes: &'a [u8]) -> Option<Self> {
        let (table, footer) = Table::parse(bytes)?;
        Some(Self { table, rule: Rule::parse(footer) })
    }

    /// The zone that a rule describes; `None` if it is none.
    pub fn from_rule(text: &[u8]) -> Option<Self> {
        Some(Self { table: Table::EMPTY, rule: Some(Rule::parse(text)?) })
    }

    /// What the clock shows then.
    pub fn time_of_day(&self, moment: i64) -> TimeOfDay {
        // Less than a day.
        let second = (positive(self.local(moment)) % DAY) as u32;
        TimeOfDay((second / 60) as u16)
    }

    /// The first moment later than `now`, in seconds since 1970, at which the clock shows `time`, or is put forward past it;
    /// `None` if it never does.
    pub fn next(&self, time: TimeOfDay, now: i64) -> Option<i64> {
        // Days of a clock that begin at that time: there is another one as soon as it was shown.
        let day = |local: i64| positive(local.wrapping_sub(time.seconds())) / DAY;
        let mut before = self.local(now);
        let into_minute = (positive(before) % 60).cast_signed();
        let mut moment = now.wrapping_add(MINUTE.wrapping_sub(into_minute));
        for _ in 0..SEARCHED_MINUTES {
            let after = self.local(moment);
            if day(after) > day(before) {
                return Some(moment);
            }
            before = after;
            moment = moment.wrapping_add(MINUTE);
        }
        None
    }

    /// Local time, some whole days later: on the first days of 1970, where clocks begin that nobody has set, it is not negative either.
    fn local(&self, moment: i64) -> i64 {
        const DAYS: i64 = 3 * DAY.cast_signed();
        moment.wrapping_add(self.offset_at(moment).into()).wrapping_add(DAYS)
    }

    /// Seconds that local time is ahead of UTC.
    fn offset_at(&self, moment: i64) -> i32 {
        let passed = self.table.passed(moment);
        match &self.rule {
            Some(rule) if passed == self.table.len() => rule.offset_at(moment),
            _ => self.table.offset(passed).unwrap_or(0),
        }
    }
}

/// The name of the file that a value of `TZ` means, a path if it begins with a slash; `None` if it leads elsewhere than it seems to.
pub fn file_name(value: &[u8]) -> Option<&[u8]> {
    let name = value.strip_prefix(b":").unwrap_or(value);
    let is_safe = !name.is_empty() && name.split(|byte| *byte == b'/').all(|part| part != UP);
    is_safe.then_some(name)
}

/// Times before 1970 count as its beginning.
fn positive(seconds: i64) -> u64 {
    seconds.max(0).cast_unsigned()
}

#[cfg(test)]
mod tests;
