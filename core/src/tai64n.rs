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
