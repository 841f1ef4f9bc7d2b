//! System calls that rustix lacks, or that cannot be proven not to panic there.
//!
//! They are made here and not by the C library, whose `syscall` writes the error number into thread-local storage: that, and
//! the start code that sets it up, would cost every process a private page.
//!
//! # Safety
//! The file relies on the kernel's calling convention: which registers carry number, arguments and answer, which
//! ones the kernel changes, and that an answer from -4095 to -1 is an error.
#![allow(unsafe_code)]

use core::arch::asm;

use supervision::process::errno::Errno;

use crate::Result;

/// The largest number of an error.
const LAST_ERROR: usize = 4095;

/// Makes system call `number`; arguments that it does not have are 0.
///
/// # Errors
/// The kernel's.
///
/// # Safety
/// - the arguments are what this system call expects, in number and kind;
/// - each pointer among them leads to what the call reads or writes, for as long as the call may use it;
/// - the call comes back once, in this process.
#[inline(never)]
pub(crate) unsafe fn call(number: u32, arguments: [usize; 4]) -> Result<usize> {
    // SAFETY: the caller promises that the arguments are those of this call.
    judge(unsafe { enter(number as usize, arguments) })
}

/// Makes system call `clone` with `flags`, and no stack of its own for the child. There `child` is called with `data`;
/// the child ends with the code it returns.
///
/// # Errors
/// The kernel's.
///
/// # Safety
/// - the flags ask for a process, not for a thread;
/// - `child` may be called with `data` in a copy of this process;
/// - with `CLONE_VM`, which must come with `CLONE_VFORK`: what `child` changes in memory may be so when the parent goes on.
pub(crate) unsafe fn clone(flags: u32, child: unsafe extern "C" fn(*mut u8) -> i32, data: *mut u8) -> Result<usize> {
    // SAFETY: the caller promises what the child needs.
    judge(unsafe { enter_clone(flags as usize, child, data) })
}

fn judge(answer: usize) -> Result<usize> {
    let error = answer.wrapping_neg();
    // Such a number is small.
    if error.wrapping_sub(1) < LAST_ERROR { Err(Errno::new(error as u16)) } else { Ok(answer) }
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn enter(number: usize, arguments: [usize; 4]) -> usize {
    let [a, b, c, d] = arguments;
    let answer;
    // SAFETY: the kernel changes the answer's register, rcx and r11 alone, and no memory but what the caller vouches for.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => answer,
            in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d,
            lateout("rcx") _, lateout("r11") _,
            options(nostack, preserves_flags),
        );
    }
    answer
}

#[cfg(target_arch = "arm")]
#[inline(always)]
unsafe fn enter(number: usize, arguments: [usize; 4]) -> usize {
    let [a, b, c, d] = arguments;
    let answer;
    // SAFETY: the kernel changes the answer's register alone, and no memory but what the caller vouches for.
    unsafe {
        asm!(
            // The frame pointer, which the compiler does not give away.
            "mov {frame}, r7",
            "mov r7, {number}",
            "svc 0",
            "mov r7, {frame}",
            frame = out(reg) _,
            number = in(reg) number,
            inlateout("r0") a => answer,
            in("r1") b, in("r2") c, in("r3") d,
            options(nostack, preserves_flags),
        );
    }
    answer
}

// The child never comes back from the assembler: it could not, once it has used the stack that its parent shares.

#[cfg(target_arch = "x86_64")]
unsafe fn enter_clone(flags: usize, child: unsafe extern "C" fn(*mut u8) -> i32, data: *mut u8) -> usize {
    use linux_raw_sys::general::{__NR_clone, __NR_exit_group};
    let answer;
    // SAFETY: the child keeps to the stack below what the compiler uses here, which the absence of `nostack` allows.
    unsafe {
        asm!(
            "syscall",
            "test eax, eax",
            "jnz 2f",
            "and rsp, -16",
            "mov rdi, r8",
            "call r9",
            "mov edi, eax",
            "mov eax, {exit}",
            "syscall",
            "ud2",
            "2:",
            exit = const __NR_exit_group,
            inlateout("rax") __NR_clone as usize => answer,
            in("rdi") flags, in("rsi") 0, in("rdx") 0, in("r10") 0,
            in("r8") data, in("r9") child,
            lateout("rcx") _, lateout("r11") _,
        );
    }
    answer
}

#[cfg(target_arch = "arm")]
unsafe fn enter_clone(flags: usize, child: unsafe extern "C" fn(*mut u8) -> i32, data: *mut u8) -> usize {
    use linux_raw_sys::general::{__NR_clone, __NR_exit_group};
    let answer;
    // SAFETY: the child keeps to the stack below what the compiler uses here, which the absence of `nostack` allows.
    unsafe {
        asm!(
            "mov {frame}, r7",
            "mov r7, {clone}",
            "svc 0",
            "cmp r0, #0",
            "bne 2f",
            "mov r0, sp",
            "bic r0, r0, #7",
            "mov sp, r0",
            "mov r0, r4",
            "blx r5",
            "mov r7, #{exit}",
            "svc 0",
            "udf #0",
            "2:",
            "mov r7, {frame}",
            exit = const __NR_exit_group,
            frame = out(reg) _,
            clone = in(reg) __NR_clone,
            inlateout("r0") flags => answer,
            in("r1") 0, in("r2") 0, in("r3") 0,
            in("r4") data, in("r5") child,
        );
    }
    answer
}
