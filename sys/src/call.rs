//! System calls that rustix lacks, or that cannot be proven not to panic there.
//!
//! The C library has all of these too, but its fork and its signal functions care for threads: locks, handlers, a
//! second clock. That is 3 KiB of code for programs that have one thread and no handler.
//!
//! # Safety
//! The file relies on `syscall` of the C library passing its arguments on as they are.
#![allow(unsafe_code)]

use core::ffi::c_long;

use crate::Result;
use crate::descriptor::last_error;

/// Makes system call `number`; arguments that it does not have are 0.
///
/// # Errors
/// The kernel's.
///
/// # Safety
/// - the arguments are what this system call expects, in number and kind;
/// - each pointer among them leads to what the call reads or writes, for as long as the call may use it.
pub(crate) unsafe fn call(number: u32, arguments: [usize; 4]) -> Result<usize> {
    let [a, b, c, d] = arguments;
    // SAFETY: the caller promises that the arguments are those of this call.
    let returned = unsafe { libc::syscall(number as c_long, a, b, c, d) };
    if returned == -1 { Err(last_error()) } else { Ok(returned.cast_unsigned() as usize) }
}
