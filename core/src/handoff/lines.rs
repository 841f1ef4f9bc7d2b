//! Lines of a file that is read piece by piece: `/etc/fstab`, `/etc/handoff/modules`.

use heapless::Vec;

use crate::limits::FILE_LINE_BYTES;

/// A line is longer than there is room for. The next one is a line again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooLong;

/// The line that is being read.
#[derive(Default, Debug)]
pub struct Lines {
    line: Vec<u8, FILE_LINE_BYTES>,
    is_too_long: bool,
    is_given: bool,
}

impl Lines {
    /// At the beginning of a file.
    pub const fn new() -> Self {
        Self { line: Vec::new(), is_too_long: false, is_given: false }
    }

    /// Takes from the beginning of `piece`, up to the end of a line, which it gives without its newline; or else all of it.
    ///
    /// # Errors
    /// [`TooLong`], in the place of the line.
    pub fn next(&mut self, piece: &mut &[u8]) -> Option<Result<&mut [u8], TooLong>> {
        if self.is_given {
            self.line.clear();
            (self.is_too_long, self.is_given) = (false, false);
        }
        while let Some((byte, rest)) = piece.split_first() {
            *piece = rest;
            if *byte == b'\n' {
                return Some(self.give());
            }
            self.is_too_long |= self.line.push(*byte).is_err();
        }
        None
    }

    /// The line that the file ends with, if there is no newline behind it.
    ///
    /// # Errors
    /// [`TooLong`], in the place of the line.
    pub fn last(&mut self) -> Option<Result<&mut [u8], TooLong>> {
        if self.is_given || self.line.is_empty() { None } else { Some(self.give()) }
    }

    /// What there was room for of the line that was too long.
    pub fn beginning(&mut self) -> &mut [u8] {
        &mut self.line
    }

    fn give(&mut self) -> Result<&mut [u8], TooLong> {
        self.is_given = true;
        if self.is_too_long { Err(TooLong) } else { Ok(&mut self.line) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(file: &str, step: usize) -> std::vec::Vec<Result<String, TooLong>> {
        let mut lines = Lines::new();
        let mut found = vec![];
        let text = |line: Result<&mut [u8], TooLong>| line.map(|line| String::from_utf8(line.to_vec()).unwrap());
        for mut piece in file.as_bytes().chunks(step) {
            while let Some(line) = lines.next(&mut piece) {
                found.push(text(line));
            }
        }
        found.extend(lines.last().map(text));
        assert_eq!(lines.last(), None);
        found
    }

    #[test]
    fn pieces_of_any_size_give_the_same_lines() {
        for step in 1..12 {
            assert_eq!(lines("one\n\ntwo\nend", step), ["one", "", "two", "end"].map(|line| Ok(line.to_owned())));
            assert_eq!(lines("one\n", step), [Ok("one".to_owned())]);
            assert_eq!(lines("", step), []);
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_told_and_passed_over() {
        let full = "x".repeat(FILE_LINE_BYTES);
        let file = format!("a\n{full}\n{full}y\nb\n{full}z");
        let expected = [Ok("a".to_owned()), Ok(full), Err(TooLong), Ok("b".to_owned()), Err(TooLong)];
        assert_eq!(lines(&file, 100), expected);
    }
    #[test]
    fn the_beginning_of_a_line_that_is_too_long_is_there() {
        let mut lines = Lines::new();
        let file = format!("/dev/sda {}\n", "x".repeat(FILE_LINE_BYTES));
        let mut piece = file.as_bytes();
        assert_eq!(lines.next(&mut piece), Some(Err(TooLong)));
        assert!(file.as_bytes().starts_with(lines.beginning()) && lines.beginning().len() == FILE_LINE_BYTES);
    }
}
