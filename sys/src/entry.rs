//! Where a program begins, and what a panic does.
//!
//! # Safety
//! The file relies on the C start code (musl's `crt1.o`) to call `main` once, on the initial stack,
//! with `argc` valid pointers to NUL-terminated strings in `argv`, which stay valid and unchanged
//! until the process ends.
#![allow(unsafe_code)]

use core::ffi::{CStr, c_char, c_int};

/// The words of the command line, the program's name first.
#[derive(Clone, Copy)]
pub struct Arguments {
    words: &'static [*const c_char],
}

impl Arguments {
    /// Takes what the C start code passes to `main`.
    ///
    /// # Safety
    /// - `argv` points to `argc` pointers to NUL-terminated strings;
    /// - all of them live, unchanged, as long as the process.
    pub unsafe fn new(argc: c_int, argv: *const *const c_char) -> Self {
        let count = usize::try_from(argc).unwrap_or(0);
        // SAFETY: the caller promises `argc` readable pointers that live as long as the process.
        let words = unsafe { core::slice::from_raw_parts(argv, count) };
        Self { words }
    }

    /// How many words there are, the program's name included.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether not even a program name was passed.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The word at `index`; the program's name is word 0.
    pub fn get(&self, index: usize) -> Option<&'static CStr> {
        let word = *self.words.get(index)?;
        // SAFETY: `new` was promised NUL-terminated strings that live as long as the process.
        Some(unsafe { CStr::from_ptr(word) })
    }
}

/// Makes `$main`, a `fn(Arguments) -> i32`, the program's entry; what it returns is the exit code.
#[macro_export]
macro_rules! entry {
    ($main:path) => {
        /// Called once by the C start code.
        #[unsafe(no_mangle)]
        extern "C" fn main(argc: core::ffi::c_int, argv: *const *const core::ffi::c_char) -> core::ffi::c_int {
            // SAFETY: the C start code passes `argc` strings that live as long as the process.
            let arguments = unsafe { $crate::entry::Arguments::new(argc, argv) };
            $crate::standard::open_closed();
            $main(arguments)
        }
    };
}

// No such function exists: a program in which a panic can still be reached does not link.
unsafe extern "C" {
    fn a_panic_path_is_left() -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: never executed; a program that could execute it does not link.
    unsafe { a_panic_path_is_left() }
}
