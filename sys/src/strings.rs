//! Lists of strings as the kernel has them: the words of a command line, the variables of an environment.
//!
//! # Safety
//! The file relies on what whoever makes a [`Strings`] promises, on a null pointer being all zeros, and on a page being aligned for
//! pointers.
#![allow(unsafe_code)]

use core::ffi::{CStr, c_char};

use supervision::process::errno::Errno;

use crate::{Result, memory};

/// Pointers to strings, and a null pointer behind them.
#[derive(Clone, Copy)]
pub struct Strings(*const *const c_char);

impl Strings {
    /// Takes a list as the kernel lays it out.
    ///
    /// # Safety
    /// - `start` points to pointers to NUL-terminated strings, and a null pointer behind them;
    /// - all of them live, unchanged, as long as the process.
    pub(crate) unsafe fn new(start: *const *const c_char) -> Self {
        Self(start)
    }

    /// As an argument of a system call.
    pub(crate) fn address(self) -> usize {
        self.0.expose_provenance()
    }

    /// One string after the other.
    pub fn iter(self) -> impl Iterator<Item = &'static CStr> {
        let mut place = self.0;
        core::iter::from_fn(move || {
            // SAFETY: `new` was promised that the pointers end in a null pointer, behind which nobody goes.
            let string = unsafe { *place };
            if string.is_null() {
                return None;
            }
            // SAFETY: this was not the null pointer at the end, so there is one more.
            place = unsafe { place.add(1) };
            // SAFETY: it leads to a NUL-terminated string that lives as long as the process.
            Some(unsafe { CStr::from_ptr(string) })
        })
    }
}

/// A list that is made anew from another one.
pub struct List {
    /// One more than there may be strings; behind the last all are null.
    pointers: &'static mut [*const c_char],
    count: usize,
}

impl List {
    /// The strings of `other`, and room for so many `more`; `extra` bytes of memory besides.
    ///
    /// # Errors
    /// `ENOMEM`: there is not so much memory.
    pub fn copy(other: Strings, more: usize, extra: usize) -> Result<(Self, &'static mut [u8])> {
        let room = other.iter().count().saturating_add(more).saturating_add(1);
        let size = room.checked_mul(size_of::<*const c_char>()).ok_or(Errno::NOMEM)?;
        let (bytes, extra) =
            memory::take(size.saturating_add(extra))?.split_at_mut_checked(size).ok_or(Errno::NOMEM)?;
        let start = bytes.as_mut_ptr().cast::<*const c_char>();
        // SAFETY: the memory has this size, begins on a page, holds null pointers, and is known to nobody else.
        let pointers = unsafe { core::slice::from_raw_parts_mut(start, room) };
        let mut list = Self { pointers, count: 0 };
        for string in other.iter() {
            list.put(string);
        }
        Ok((list, extra))
    }

    /// Adds one at the end.
    ///
    /// # Errors
    /// `ENOMEM`: there is no memory for it.
    pub fn add(&mut self, string: &'static CStr) -> Result<()> {
        if !self.put(string) {
            // Twice as large.
            let strings = Strings(self.pointers.as_ptr());
            (*self, _) = Self::copy(strings, self.count.saturating_add(1), 0)?;
            self.put(string);
        }
        Ok(())
    }

    /// Adds one at the end if there is room for it.
    fn put(&mut self, string: &'static CStr) -> bool {
        let [place, _, ..] = self.pointers.get_mut(self.count..).unwrap_or_default() else { return false };
        *place = string.as_ptr();
        self.count = self.count.wrapping_add(1);
        true
    }

    /// Puts another one in the place of the first.
    pub fn replace_first(&mut self, string: &'static CStr) {
        if let (Some(place), 1..) = (self.pointers.first_mut(), self.count) {
            *place = string.as_ptr();
        }
    }

    /// Removes each that begins with `name` and a `=`; the last one takes its place.
    pub fn remove(&mut self, name: &[u8]) {
        let mut index = 0;
        while let Some(string) = self.pointers.get(index).copied().filter(|string| !string.is_null()) {
            if !is_variable(string, name) {
                index = index.wrapping_add(1);
                continue;
            }
            self.count = self.count.wrapping_sub(1);
            let last = self.pointers.get_mut(self.count).map(|last| core::mem::replace(last, core::ptr::null()));
            if let (Some(place), Some(last)) = (self.pointers.get_mut(index).filter(|_| index < self.count), last) {
                *place = last;
            }
        }
    }

    /// As the kernel takes it. It does not change any more.
    pub fn into_strings(self) -> Strings {
        // The last pointer is never written to.
        Strings(self.pointers.as_ptr())
    }
}

/// Whether a string of a list begins with `name` and a `=`. No more of it is looked at: there may be thousands.
fn is_variable(string: *const c_char, name: &[u8]) -> bool {
    let mut place = string;
    name.iter().chain(b"=").all(|byte| {
        // SAFETY: what was before is no NUL, for no name has one; so this still belongs to the string.
        let is_same = unsafe { *place } as u8 == *byte;
        // SAFETY: if it is the same it is no NUL, so there is one more; if not, nobody looks there.
        place = unsafe { place.add(1) };
        is_same
    })
}
