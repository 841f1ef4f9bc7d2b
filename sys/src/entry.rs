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

use supervision::process::errno::Errno;

use crate::process::{self, Environment};
use crate::standard::{Closed, Standard};
use crate::strings::Strings;

/// The words of the command line, the program's name first, and what else a program is started with.
#[derive(Clone, Copy)]
pub struct Arguments {
    start: *const *const c_char,
    count: usize,
    environment: Environment,
    closed: Closed,
}

impl Arguments {
    /// Takes what the kernel left on the stack. `closed` is what was closed before the program was started.
    ///
    /// # Safety
    /// - `stack` points to a number, so many pointers to NUL-terminated strings, a null pointer, pointers to more such strings
    ///   and a null pointer;
    /// - all of them live, unchanged, as long as the process.
    pub unsafe fn new(stack: *const usize, closed: Closed) -> Self {
        // SAFETY: the caller promises the number.
        let count = unsafe { *stack };
        // SAFETY: so many pointers follow the number, hence the first of them is within the same memory.
        let start = unsafe { stack.add(1) }.cast::<*const c_char>();
        // SAFETY: a null pointer follows them, and then the environment.
        let environment = unsafe { start.add(count.wrapping_add(1)) };
        // SAFETY: the caller promises that it ends in a null pointer.
        let environment = Environment::new(unsafe { Strings::new(environment) });
        Self { start, count, environment, closed }
    }

    /// What else the program was started with.
    pub fn environment(&self) -> Environment {
        self.environment
    }

    /// Whether `standard` was closed before the program was started.
    pub fn was_closed(&self, standard: Standard) -> bool {
        self.closed.has(standard)
    }

    /// How many words there are, the program's name included.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether not even a program name was passed.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The word at `index`; the program's name is word 0.
    pub fn get(&self, index: usize) -> Option<&'static CStr> {
        self.from(index).iter().next()
    }

    /// Executes `program` in the place of the caller, under its path, with the words behind the first and the environment of the
    /// caller. Returns only if that fails.
    pub fn hand_over(&self, program: &CStr) -> Errno {
        let execute = || process::execute_words(program, self.from(0), self.environment);
        if self.is_empty() {
            return execute();
        }
        let place = self.start.cast_mut();
        // SAFETY: there is a first word.
        let first = unsafe { *place };
        // SAFETY: the stack can be written to, and nobody looks at the word before the kernel does.
        unsafe { *place = program.as_ptr() };
        let reason = execute();
        // SAFETY: as above; this is what was there.
        unsafe { *place = first };
        reason
    }

    /// The words from `index` on.
    pub fn from(&self, index: usize) -> Strings {
        // SAFETY: behind the words lies a null pointer, and the place is not behind it.
        let start = unsafe { self.start.add(index.min(self.count)) };
        // SAFETY: `new` was promised NUL-terminated strings, and a null pointer behind them.
        unsafe { Strings::new(start) }
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
            let closed = $crate::standard::open_closed();
            // SAFETY: the kernel promises what lies there.
            let arguments = unsafe { $crate::entry::Arguments::new(stack, closed) };
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
