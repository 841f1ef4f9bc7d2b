//! The time before a line: as a label, or for people.

use crate::tai64n::Label;

/// How a time is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// Not at all.
    None,
    /// `@` and 24 hexadecimal digits.
    Label,
    /// `YYYY-MM-DD_HH:MM:SS.xxxxx`, UTC.
    Underscore,
    /// `YYYY-MM-DDTHH:MM:SS.xxxxx`, UTC.
    T,
}

impl Style {
    /// What so many options `-t` ask for.
    pub fn of_count(count: usize) -> Self {
        match count {
            0 => Self::None,
            1 => Self::Label,
            2 => Self::Underscore,
            _ => Self::T,
        }
    }
}

/// A written time, with the blank behind it; empty without a style.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    bytes: [u8; Stamp::SIZE],
    is_shown: bool,
}

impl Stamp {
    /// Bytes of each form, the blank included.
    pub const SIZE: usize = Label::TEXT_SIZE + 1;

    /// No time.
    pub const NONE: Self = Self { bytes: [b' '; Self::SIZE], is_shown: false };

    /// Writes `label` in this style. The fraction of a second is cut, not rounded.
    #[inline(never)]
    pub fn new(style: Style, label: Label) -> Self {
        let mut bytes = [b' '; Self::SIZE];
        if let Some(text) = bytes.first_chunk_mut() {
            *text = match style {
                Style::None => return Self::NONE,
                Style::Label => label.to_text(),
                Style::Underscore => date(label, b'_'),
                Style::T => date(label, b'T'),
            };
        }
        Self { bytes, is_shown: true }
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        if self.is_shown { &self.bytes } else { &[] }
    }
}

/// Date and time of day, UTC. Before 1970 it is 1970, behind the year 9999 the year begins again at 0.
fn date(label: Label, separator: u8) -> [u8; Label::TEXT_SIZE] {
    const DAY: u64 = 86_400;
    let seconds = u64::try_from(label.unix_seconds()).unwrap_or(0);
    // So many days fit for millions of years.
    let (days, second) = ((seconds / DAY) as u32, (seconds % DAY) as u32);
    let (year, month, day) = civil(days);
    let mut text = *b"0000-00-00_00:00:00.00000";
    let fields = [(4, year), (7, month), (10, day), (13, second / 3600), (16, second / 60 % 60), (19, second % 60)];
    for (end, number) in fields {
        write_digits(text.get_mut(..end), number);
    }
    write_digits(Some(&mut text), label.nanoseconds() / 10_000);
    if let Some(byte) = text.get_mut(10) {
        *byte = separator;
    }
    text
}

/// Writes `number` over the digits that `text` ends in.
fn write_digits(text: Option<&mut [u8]>, mut number: u32) {
    for digit in text.into_iter().flatten().rev().take_while(|byte| byte.is_ascii_digit()) {
        // Less than ten.
        *digit = b'0'.wrapping_add((number % 10) as u8);
        number /= 10;
    }
}

/// Year, month and day of so many days after the first of 1970, in the Gregorian calendar.
fn civil(days: u32) -> (u32, u32, u32) {
    const FOUR_CENTURIES: u32 = 146_097;
    // Counted from the first of March of the year 0: then the day that comes every four years is the last.
    let days = days.wrapping_add(719_468);
    let (era, day) = (days / FOUR_CENTURIES, days % FOUR_CENTURIES);
    let year = day.wrapping_sub(day / 1460).wrapping_add(day / 36_524).wrapping_sub(day / 146_096) / 365;
    let day = day.wrapping_add(year / 100).wrapping_sub(year / 4).wrapping_sub(year.wrapping_mul(365));
    // Of five months, from March on, always 153 days.
    let month = day.wrapping_mul(5).wrapping_add(2) / 153;
    let day = day.wrapping_sub(month.wrapping_mul(153).wrapping_add(2) / 5).wrapping_add(1);
    let year = year.wrapping_add(era.wrapping_mul(400)) % 10_000;
    if month < 10 { (year, month + 3, day) } else { (year.wrapping_add(1) % 10_000, month - 9, day) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(style: Style, seconds: i64, nanoseconds: u32) -> String {
        let stamp = Stamp::new(style, Label::from_unix(seconds, nanoseconds));
        String::from_utf8(stamp.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn without_a_style_nothing_is_written() {
        assert_eq!(text(Style::None, 0, 0), "");
    }

    #[test]
    fn every_form_has_a_blank_behind_it() {
        assert_eq!(text(Style::Label, 1_795_361_599, 655_292_500), "@400000006b030b49270ef854 ");
        assert_eq!(text(Style::Underscore, 1_795_361_599, 655_292_500), "2026-11-22_15:33:19.65529 ");
        assert_eq!(text(Style::T, 1_795_361_599, 655_292_500), "2026-11-22T15:33:19.65529 ");
    }

    #[test]
    fn the_fraction_is_cut() {
        assert_eq!(text(Style::T, 0, 999_999_999), "1970-01-01T00:00:00.99999 ");
        assert_eq!(text(Style::T, 0, 9_999), "1970-01-01T00:00:00.00000 ");
    }

    #[test]
    fn days_that_are_easily_wrong() {
        for (seconds, day) in [
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (4_107_542_400, "2100-03-01"),
            (4_107_456_000, "2100-02-28"),
            (1_798_675_200, "2026-12-31"),
            (2_147_483_648, "2038-01-19"),
            (253_402_300_799, "9999-12-31"),
        ] {
            assert_eq!(&text(Style::T, seconds, 0)[..10], day);
        }
    }

    #[test]
    fn before_1970_is_1970() {
        assert_eq!(&text(Style::T, -1, 0)[..19], "1970-01-01T00:00:00");
    }

    #[test]
    fn so_many_options_ask_for_a_style() {
        let styles = [0, 1, 2, 3, 4].map(Style::of_count);
        assert_eq!(styles, [Style::None, Style::Label, Style::Underscore, Style::T, Style::T]);
    }

    proptest! {
        /// One day after the other, as the calendar has them.
        #[test]
        fn the_next_day_is_the_next_day(days in 0_u32..2_900_000) {
            let (year, month, day) = civil(days);
            let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = match month { 2 => 28 + u32::from(is_leap), 4 | 6 | 9 | 11 => 30, _ => 31 };
            let next = if day < length { (year, month, day + 1) }
                else if month < 12 { (year, month + 1, 1) } else { (year + 1, 1, 1) };
            prop_assert_eq!(civil(days + 1), next);
        }
    }
}
