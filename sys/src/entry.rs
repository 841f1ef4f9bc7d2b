//! Where a program begins, and what a panic does.
//!
//! The C library's start code is not used: it prepares thread-local storage, locale and buffers, which nobody here needs, and
//! writes to a page for it that every process would have for itself.
//!
//! # Safety
//! The file relies on the kernel to begin at `_start`, with the number of words, pointers to them, a null pointer, pointers to the
//! environment and a null pointer on the stack, all of which stay valid and unchanged until the process ends.
#![allow(unsafe_code)]

use core::ffi::{CStr, c_char};

use crate::process::Environment;

/// The words of the command line, the program's name first.
#[derive(Clone, Copy)]
pub struct Arguments {
    words: &'static [*const c_char],
    environment: Environment,
}

impl Arguments {
    /// Takes what the kernel left on the stack.
    ///
    /// # Safety
    /// - `stack` points to a number, so many pointers to NUL-terminated strings, a null pointer, pointers to more such strings
    ///   and a null pointer;
    /// - all of them live, unchanged, as long as the process.
    pub unsafe fn new(stack: *const usize) -> Self {
        // SAFETY: the caller promises the number.
        let count = unsafe { *stack };
        // SAFETY: so many pointers follow the number, hence the first of them is within the same memory.
        let first = unsafe { stack.add(1) }.cast::<*const c_char>();
        // SAFETY: the caller promises so many readable pointers that live as long as the process.
        let words = unsafe { core::slice::from_raw_parts(first, count) };
        // SAFETY: a null pointer follows them, and then the environment.
        let environment = unsafe { first.add(count.wrapping_add(1)) };
        // SAFETY: the caller promises that it ends in a null pointer.
        Self { words, environment: unsafe { Environment::new(environment) } }
    }

    /// What else the program was started with.
    pub fn environment(&self) -> Environment {
        self.environment
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
        // The innermost frame, and a stack that is aligned as every function expects.
        #[cfg(target_arch = "x86_64")]
        core::arch::global_asm!(
            ".globl _start", "_start:", "xor ebp, ebp", "mov rdi, rsp", "and rsp, -16", "call {begin}", "ud2",
            begin = sym begin,
        );
        #[cfg(target_arch = "arm")]
        core::arch::global_asm!(
            ".thumb", ".thumb_func", ".globl _start", ".type _start, %function", "_start:", "mov r7, #0", "mov lr, r7",
            "mov r0, sp", "bic r1, r0, #7", "mov sp, r1", "bl {begin}", "udf #0",
            begin = sym begin,
        );

        /// Called once, with the stack as the kernel left it.
        extern "C" fn begin(stack: *const usize) -> ! {
            // SAFETY: the kernel promises what lies there.
            let arguments = unsafe { $crate::entry::Arguments::new(stack) };
            $crate::standard::open_closed();
            $crate::process::exit($main(arguments))
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
