//! Options of a command line: single letters, which may stand together, some of them with a value behind.

use core::ffi::CStr;

use sys::{report, standard};

use crate::Words;

/// Wrong usage. What there is to say of it is said; the usage is not.
pub struct Wrong;

/// A letter, and its value; empty if it has none.
type Given = (u8, &'static CStr);

/// The options of a command line, one after the other.
pub struct Options {
    words: Words,
    /// The next word.
    place: usize,
    /// What is left of the word before, with the NUL at its end; or nothing.
    letters: &'static [u8],
}

impl Options {
    /// All of them.
    pub fn new(words: Words) -> Self {
        Self { words, place: 1, letters: &[] }
    }

    /// The first word that is no option.
    pub fn operands(&self) -> usize {
        self.place
    }

    /// The next option, which must be one of `flags`, or of `valued` with a value behind it; `None` behind the last.
    ///
    /// # Errors
    /// It is another one, or has no value.
    pub fn next(&mut self, flags: &[u8], valued: &[u8]) -> Result<Option<Given>, Wrong> {
        if matches!(self.letters, [] | [0]) {
            match self.word().map(CStr::to_bytes_with_nul) {
                Some([b'-', letters @ ..]) if letters.len() > 1 => self.letters = letters,
                _ => return Ok(None),
            }
            self.place = self.place.saturating_add(1);
            // As the original has it, whatever follows.
            if self.letters.starts_with(b"-") {
                self.letters = &[];
                return Ok(None);
            }
        }
        let Some((letter, rest)) = self.letters.split_first() else { return Ok(None) };
        if flags.contains(letter) {
            self.letters = rest;
            return Ok(Some((*letter, c"")));
        }
        if !valued.contains(letter) {
            return Err(self.complain(b"%: illegal option -- %", *letter));
        }
        self.letters = &[];
        if let Ok(value) = CStr::from_bytes_with_nul(rest)
            && !value.is_empty()
        {
            return Ok(Some((*letter, value)));
        }
        let Some(value) = self.word() else {
            return Err(self.complain(b"%: option requires an argument -- %", *letter));
        };
        self.place = self.place.saturating_add(1);
        Ok(Some((*letter, value)))
    }

    fn word(&self) -> Option<&'static CStr> {
        self.words.get(self.place)
    }

    fn complain(&self, template: &[u8], letter: u8) -> Wrong {
        report::line(standard::error(), template, &[self.words.name(), &[letter]]);
        Wrong
    }
}

/// Tells the version.
pub fn tell_version() {
    report::line(standard::error(), concat!("pipit ", env!("PIPIT_VERSION")).as_bytes(), &[]);
}
