//! A rule for local time, as in `TZ` and at the end of a zone's file: `CET-1CEST,M3.5.0,M10.5.0/3` (POSIX, RFC 9636).

use super::positive;

const HOUR: i32 = 3600;
const DAY: u32 = 86_400;

/// What holds where a rule names a summer time, but not when it is.
const WHEN_NOT_SAID: &[u8] = b",M3.2.0,M11.1.0";

/// Of longer times no sense is made; it keeps the numbers small.
const LAST_DAY: u64 = 10_000_000;

/// Days from the year 1 to 1970.
const DAYS_TO_1970: u32 = 719_162;

/// Days before each month, in years without a 29th of February.
static BEGINS: [u16; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

/// A standard time, and perhaps a summer time. Seconds are ahead of UTC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rule {
    standard: i32,
    summer: i32,
    /// When summer time begins, and when it ends; there is none without.
    changes: Option<[Change; 2]>,
}

/// When the clock is changed: a day of each year, and seconds from its begin, as the clock showed them until then.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Change {
    day: Day,
    seconds: i32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Day {
    /// From 1 to 365; the 29th of February is not counted.
    Julian(u16),
    /// From 0 to 365.
    Ordinal(u16),
    /// Of a month from 1 to 12 the week from 1 to 5, which is the last, and its day from 0, which is Sunday.
    Weekday { month: u8, week: u8, day: u8 },
}

impl Rule {
    /// Reads a whole rule; `None` if it is something else.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut reader = Reader(text);
        reader.skip_name()?;
        let standard = reader.offset()?;
        if reader.0.is_empty() {
            return Some(Self { standard, summer: standard, changes: None });
        }
        reader.skip_name()?;
        let summer = match reader.0.first() {
            None | Some(b',') => standard.wrapping_add(HOUR),
            Some(_) => reader.offset()?,
        };
        if reader.0.is_empty() {
            reader = Reader(WHEN_NOT_SAID);
        }
        let changes = Some([reader.change()?, reader.change()?]);
        reader.0.is_empty().then_some(Self { standard, summer, changes })
    }

    /// Seconds that local time is ahead of UTC at a moment since 1970: what the latest change has made of it.
    #[inline(never)]
    pub fn offset_at(&self, moment: i64) -> i32 {
        let Some(changes) = &self.changes else { return self.standard };
        // At most LAST_DAY.
        let day = (positive(moment) / u64::from(DAY)).min(LAST_DAY) as u32;
        let second = (positive(moment) % u64::from(DAY)) as i32;
        let day = day.wrapping_add(DAYS_TO_1970);
        let year = year_of(day);
        let (mut latest, mut found) = (i32::MIN, self.standard);
        // A change may lie some days before its year, or after it; local time may be in another year than UTC.
        for year in [year.wrapping_sub(1), year, year.wrapping_add(1)] {
            let mut offsets = (self.standard, self.summer);
            for change in changes {
                let (before, after) = offsets;
                // Seconds from the begin of this day, a year or two at most.
                let days = change.day.in_year(year).wrapping_sub(day).cast_signed();
                let at = days.wrapping_mul(DAY.cast_signed()).wrapping_add(change.seconds).wrapping_sub(before);
                if at <= second && at >= latest {
                    (latest, found) = (at, after);
                }
                offsets = (after, before);
            }
        }
        found
    }
}

impl Day {
    /// Days from the year 1 to this day of a year.
    fn in_year(self, year: u32) -> u32 {
        let first = first_day(year);
        let is_leap = first_day(year.wrapping_add(1)).wrapping_sub(first) == 366;
        first.wrapping_add(match self {
            Self::Julian(day) => u32::from(day).wrapping_sub(if is_leap && day >= 60 { 0 } else { 1 }),
            Self::Ordinal(day) => day.into(),
            Self::Weekday { month, week, day } => {
                let begin = |month: u8| {
                    let days = BEGINS.get(usize::from(month)).map_or(365, |days| u32::from(*days));
                    days.wrapping_add(u32::from(is_leap && month >= 2))
                };
                let (begin, end) = (begin(month.wrapping_sub(1)), begin(month));
                // The year 1 began on a Monday.
                let weekday = first.wrapping_add(begin).wrapping_add(1) % 7;
                let first_such = u32::from(day).wrapping_add(7).wrapping_sub(weekday) % 7;
                let such = begin.wrapping_add(first_such).wrapping_add(u32::from(week).wrapping_sub(1).wrapping_mul(7));
                such.wrapping_sub(if such < end { 0 } else { 7 })
            }
        })
    }
}

/// Days from the year 1 to the begin of a year.
fn first_day(year: u32) -> u32 {
    let full = year.wrapping_sub(1);
    let leap = (full / 4).wrapping_sub(full / 100).wrapping_add(full / 400);
    full.wrapping_mul(365).wrapping_add(leap)
}

/// The year that a day since the year 1 falls into.
fn year_of(day: u32) -> u32 {
    // By the length of years on the whole, which is off by one at most.
    let since_1970 = day.wrapping_sub(DAYS_TO_1970);
    let about = (since_1970.wrapping_mul(400) / 146_097).wrapping_add(1970);
    if first_day(about) > day {
        about.wrapping_sub(1)
    } else if first_day(about.wrapping_add(1)) <= day {
        about.wrapping_add(1)
    } else {
        about
    }
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    /// Three letters or more, or anything that a name may have between angle brackets.
    fn skip_name(&mut self) -> Option<()> {
        let in_brackets = self.skip(b'<');
        let is_part = |byte: &u8| match in_brackets {
            true => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-'),
            false => byte.is_ascii_alphabetic(),
        };
        let length = self.0.iter().take_while(|byte| is_part(byte)).count();
        let (_, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        (length >= 3 && (!in_brackets || self.skip(b'>'))).then_some(())
    }

    /// Rules count what UTC is ahead of local time.
    fn offset(&mut self) -> Option<i32> {
        self.clock(24).map(i32::wrapping_neg)
    }

    fn change(&mut self) -> Option<Change> {
        self.need(b',')?;
        let day = if self.skip(b'J') {
            Day::Julian(self.number(1, 365)?)
        } else if self.skip(b'M') {
            // Small numbers, all of them.
            let month = self.number(1, 12)? as u8;
            self.need(b'.')?;
            let week = self.number(1, 5)? as u8;
            self.need(b'.')?;
            Day::Weekday { month, week, day: self.number(0, 6)? as u8 }
        } else {
            Day::Ordinal(self.number(0, 365)?)
        };
        let seconds = if self.skip(b'/') { self.clock(167)? } else { HOUR.wrapping_mul(2) };
        Some(Change { day, seconds })
    }

    /// Hours, and perhaps minutes and seconds, in seconds.
    fn clock(&mut self, most_hours: u16) -> Option<i32> {
        let is_negative = !self.skip(b'+') && self.skip(b'-');
        let mut seconds = i32::from(self.number(0, most_hours)?).wrapping_mul(HOUR);
        for unit in [60, 1] {
            if !self.skip(b':') {
                break;
            }
            seconds = seconds.wrapping_add(i32::from(self.number(0, 59)?).wrapping_mul(unit));
        }
        Some(if is_negative { seconds.wrapping_neg() } else { seconds })
    }

    fn number(&mut self, least: u16, most: u16) -> Option<u16> {
        let mut number = None;
        while let Some((digit @ b'0'..=b'9', rest)) = self.0.split_first() {
            let more = number.unwrap_or(0_u16).checked_mul(10)?.checked_add(digit.wrapping_sub(b'0').into())?;
            number = Some(more);
            self.0 = rest;
        }
        number.filter(|number| (least..=most).contains(number))
    }

    fn need(&mut self, byte: u8) -> Option<()> {
        self.skip(byte).then_some(())
    }

    fn skip(&mut self, byte: u8) -> bool {
        match self.0.split_first() {
            Some((first, rest)) if *first == byte => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }
}
