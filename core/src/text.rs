//! Text in a fixed buffer: bytes and decimal numbers, cut where the buffer ends.

use core::ffi::CStr;

use heapless::{Vec, VecView};
use ufmt::{uWrite, uwrite};

use crate::limits::{PATH_BYTES, PATH_MARGIN};

/// At most `N` bytes of text. What does not fit is left out; the sizes in [`crate::limits`] are chosen so
/// that it always fits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Text<const N: usize>(Vec<u8, N>);

/// A path of one's own making, with room for its NUL.
pub type Path = Text<{ PATH_BYTES + PATH_MARGIN }>;

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Text<N> {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// `bytes`, as far as they fit.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut text = Self::new();
        text.push(bytes);
        text
    }

    /// Appends a NUL, and gives what is before it as a path; up to an earlier
    /// NUL if there is one; `None` if there is no room.
    pub fn terminated(&mut self) -> Option<&CStr> {
        self.push(b"\0");
        CStr::from_bytes_until_nul(&self.0).ok()
    }

    /// Appends `bytes`, as far as they fit.
    pub fn push(&mut self, bytes: &[u8]) {
        append(self.0.as_mut_view(), bytes);
    }

    /// Appends `number` in decimal.
    pub fn push_number(&mut self, number: u64) {
        append_number(Appender(self.0.as_mut_view()), number);
    }

    /// What was appended so far.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The number that `digits` stand for, all of them decimal; `None` if there are none, if there is something else, or if it is
/// too large.
pub fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| match digit {
        b'0'..=b'9' => number.checked_mul(10)?.checked_add(digit.wrapping_sub(b'0').into()),
        _ => None,
    })
}

// One copy for all sizes of text.
#[inline(never)]
fn append(text: &mut VecView<u8>, bytes: &[u8]) {
    for byte in bytes {
        if text.push(*byte).is_err() {
            return;
        }
    }
}

#[inline(never)]
fn append_number(mut text: Appender<'_>, number: u64) {
    // Most numbers here are small, and 64-bit division is a long routine on 32-bit machines.
    let _ = match u32::try_from(number) {
        Ok(small) => uwrite!(text, "{}", small),
        Err(_) => uwrite!(text, "{}", number),
    };
}

struct Appender<'text>(&'text mut VecView<u8>);

impl uWrite for Appender<'_> {
    type Error = core::convert::Infallible;

    fn write_str(&mut self, text: &str) -> Result<(), Self::Error> {
        append(self.0, text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_numbers_follow_each_other() {
        let mut text = Text::<64>::new();
        text.push(b"pid ");
        text.push_number(4_294_967_295);
        text.push(b", ");
        text.push_number(u64::MAX);
        assert_eq!(text.as_bytes(), b"pid 4294967295, 18446744073709551615");
    }

    #[test]
    fn only_decimal_numbers_that_fit_are_numbers() {
        assert_eq!(decimal(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(decimal(b"007"), Some(7));
        for text in ["", "-1", "+1", "1x", " 1", "18446744073709551616", "99999999999999999999"] {
            assert_eq!(decimal(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        let mut text = Text::<4>::new();
        text.push(b"finish");
        assert_eq!(text.as_bytes(), b"fini");
    }
}
