//! A word of the command line as a place to show text in: whoever lists processes sees it.
//!
//! # Safety
//! The file relies on the words of the command line lying in memory that the process may write to, on their staying there until
//! it ends, and on the one that is made a [`Title`] being read by nobody else after that.
#![allow(unsafe_code)]

use crate::entry::Arguments;

/// A word that is written to. Its length never changes.
pub struct Title(&'static mut [u8]);

impl Title {
    /// Makes the word at `index` one, if there is one. Whoever has looked at the word shall not look again.
    pub fn new(arguments: Arguments, index: usize) -> Option<Self> {
        let word = arguments.get(index)?;
        let (start, length) = (word.as_ptr().cast_mut().cast::<u8>(), word.to_bytes().len());
        // SAFETY: the word has as many bytes, may be written to, and from here on is used through this slice alone.
        Some(Self(unsafe { core::slice::from_raw_parts_mut(start, length) }))
    }

    /// What it shows, to be changed.
    pub fn bytes(&mut self) -> &mut [u8] {
        self.0
    }
}
