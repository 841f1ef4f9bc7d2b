//! TAI64N labels: the stamps of status files and logs.
//!
//! A label counts from 2^62 with a constant offset of ten seconds to Unix time; leap seconds are ignored,
//! as every program of this family does.

/// Added to Unix seconds to make a label's seconds.
const OFFSET: u64 = (1 << 62) + 10;
const NANOSECONDS_MAX: u32 = 999_999_999;

/// A moment of the wall clock. For showing only: it may jump.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Label {
    seconds: u64,
    nanoseconds: u32,
}

impl Label {
    /// Length of the binary form, in bytes.
    pub const SIZE: usize = 12;
    /// Length of the text form, in bytes: `@` and 24 hexadecimal digits.
    pub const TEXT_SIZE: usize = 25;

    /// The label of a Unix time; a time before 1970 is as far before the offset.
    pub const fn from_unix(seconds: i64, nanoseconds: u32) -> Self {
        let nanoseconds = if nanoseconds > NANOSECONDS_MAX { NANOSECONDS_MAX } else { nanoseconds };
        Self { seconds: OFFSET.wrapping_add_signed(seconds), nanoseconds }
    }

    /// The Unix seconds it stands for.
    pub fn unix_seconds(self) -> i64 {
        self.seconds.wrapping_sub(OFFSET).cast_signed()
    }

    /// What is left beside the whole seconds: less than 1,000,000,000, if it is a time at all.
    pub fn nanoseconds(self) -> u32 {
        self.nanoseconds
    }

    /// Whether it is a time: of other labels TAI64 says nothing.
    pub fn is_time(self) -> bool {
        self.seconds < 1 << 63 && self.nanoseconds <= NANOSECONDS_MAX
    }

    /// The next label, a nanosecond later.
    #[must_use]
    pub fn next(self) -> Self {
        if self.nanoseconds < NANOSECONDS_MAX {
            Self { nanoseconds: self.nanoseconds.wrapping_add(1), ..self }
        } else {
            Self { seconds: self.seconds.saturating_add(1), nanoseconds: 0 }
        }
    }

    /// Whole seconds from `earlier` to this label, counted between the two full seconds; 0 if it is not later.
    pub fn seconds_since(self, earlier: Self) -> u64 {
        self.seconds.saturating_sub(earlier.seconds)
    }

    /// Eight bytes of seconds and four of nanoseconds, both big-endian.
    pub fn encode(self) -> [u8; Self::SIZE] {
        let [a, b, c, d, e, f, g, h] = self.seconds.to_be_bytes();
        let [i, j, k, l] = self.nanoseconds.to_be_bytes();
        [a, b, c, d, e, f, g, h, i, j, k, l]
    }

    /// Reads what [`Label::encode`] made, whoever made it.
    pub fn decode(bytes: [u8; Self::SIZE]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = bytes;
        Self { seconds: u64::from_be_bytes([a, b, c, d, e, f, g, h]), nanoseconds: u32::from_be_bytes([i, j, k, l]) }
    }

    /// `@` and 24 lower-case hexadecimal digits.
    pub fn to_text(self) -> [u8; Self::TEXT_SIZE] {
        let mut text = [b'@'; Self::TEXT_SIZE];
        let (_, digits) = text.split_at_mut(1);
        for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(self.encode()) {
            *pair = [hexadecimal(byte >> 4), hexadecimal(byte & 15)];
        }
        text
    }

    /// Reads what [`Label::to_text`] made; `None` if it is something else.
    pub fn from_text(text: &[u8; Self::TEXT_SIZE]) -> Option<Self> {
        let (b"@", digits) = text.split_first_chunk()? else { return None };
        let mut bytes = [0; Self::SIZE];
        for (byte, [high, low]) in bytes.iter_mut().zip(digits.as_chunks().0) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(Self::decode(bytes))
    }
}

fn digit(text: u8) -> Option<u8> {
    match text {
        b'0'..=b'9' => Some(text.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(text.wrapping_sub(b'a').wrapping_add(10)),
        _ => None,
    }
}

fn hexadecimal(digit: u8) -> u8 {
    if digit < 10 { b'0' + digit } else { b'a' + (digit - 10) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From a status file that another implementation wrote at 22 Nov 2026 15:33:19 UTC.
    const SEEN: [u8; 12] = [0x40, 0, 0, 0, 0x6b, 0x03, 0x0b, 0x49, 0x27, 0x0e, 0xf8, 0x54];

    #[test]
    fn a_seen_label_decodes() {
        let label = Label::decode(SEEN);
        assert_eq!(label.unix_seconds(), 1_795_361_599);
        assert_eq!(label, Label::from_unix(1_795_361_599, 655_292_500));
        assert_eq!(label.encode(), SEEN);
    }

    #[test]
    fn the_text_is_an_at_sign_and_hexadecimal_digits() {
        assert_eq!(&Label::decode(SEEN).to_text(), b"@400000006b030b49270ef854");
    }

    #[test]
    fn a_text_is_read_back_and_nothing_else_is() {
        let label = Label::decode(SEEN);
        assert_eq!(Label::from_text(&label.to_text()), Some(label));
        assert_eq!(Label::from_text(b"@400000006B030b49270ef854"), None);
        assert_eq!(Label::from_text(b"x400000006b030b49270ef854"), None);
    }

    #[test]
    fn the_next_label_is_later() {
        let label = Label::from_unix(1, 999_999_998);
        assert_eq!(label.next(), Label::from_unix(1, 999_999_999));
        assert_eq!(label.next().next(), Label::from_unix(2, 0));
        assert!(label.next() > label);
    }

    #[test]
    fn labels_far_away_are_no_times() {
        assert!(Label::decode(SEEN).is_time());
        assert!(!Label::decode([0xff; 12]).is_time());
        assert!(!Label::decode([0x40, 0, 0, 0, 0, 0, 0, 0, 0xff, 0, 0, 0]).is_time());
    }

    #[test]
    fn times_before_1970_and_after_2038_survive() {
        for seconds in [-1, i64::from(i32::MAX) + 1, 1 << 40] {
            assert_eq!(Label::decode(Label::from_unix(seconds, 0).encode()).unix_seconds(), seconds);
        }
    }

    #[test]
    fn a_label_from_the_future_is_no_time_ago() {
        let (early, late) = (Label::from_unix(5, 900), Label::from_unix(7, 100));
        assert_eq!(late.seconds_since(early), 2);
        assert_eq!(early.seconds_since(late), 0);
    }
}
