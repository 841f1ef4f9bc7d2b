//! What a process may do and use: its user and groups, its root directory, its priority, its limits.
//!
//! # Safety
//! The file relies on `setgroups` reading so many numbers as it is told, and on `prlimit64` reading and writing two numbers of 64
//! bits, on every machine.
#![allow(unsafe_code)]

use core::ffi::CStr;

use linux_raw_sys::general::{__NR_getpriority, __NR_prlimit64, __NR_setpriority};
#[cfg(not(target_arch = "arm"))]
use linux_raw_sys::general::{__NR_setgid, __NR_setgroups, __NR_setuid};
#[cfg(target_arch = "arm")]
use linux_raw_sys::general::{
    __NR_setgid32 as __NR_setgid, __NR_setgroups32 as __NR_setgroups, __NR_setuid32 as __NR_setuid,
};
use supervision::process::errno::Errno;
use supervision::process::resource::Resource;

use crate::call::call;
use crate::{Result, errno};

/// The caller alone, where a process is asked for.
const CALLER: usize = 0;

/// Replaces the supplementary groups.
///
/// # Errors
/// `EPERM`: the caller may not; else the kernel's.
pub fn set_groups(groups: &[u32]) -> Result<()> {
    // SAFETY: so many numbers are there to be read.
    unsafe { call(__NR_setgroups, [groups.len(), groups.as_ptr().expose_provenance(), 0, 0]) }.map(drop)
}

/// Replaces the group: for whoever may choose any, the real, the effective and the saved one.
///
/// # Errors
/// `EPERM`: the caller may not; `EINVAL`: there is no such number.
pub fn set_group(group: u32) -> Result<()> {
    // SAFETY: takes a number.
    unsafe { call(__NR_setgid, [group as usize, 0, 0, 0]) }.map(drop)
}

/// Replaces the user: for whoever may choose any, the real, the effective and the saved one.
///
/// # Errors
/// `EPERM`: the caller may not; `EINVAL`: there is no such number; `EAGAIN`: the user has too many processes.
pub fn set_user(user: u32) -> Result<()> {
    // SAFETY: takes a number.
    unsafe { call(__NR_setuid, [user as usize, 0, 0, 0]) }.map(drop)
}

/// Makes `directory` the root directory. The current directory stays.
///
/// # Errors
/// `EPERM`: the caller may not; else the kernel's.
pub fn change_root(directory: &CStr) -> Result<()> {
    rustix::process::chroot(directory).map_err(errno)
}

/// Makes the caller so many steps nicer, or less nice if it is negative, as far as there are steps.
///
/// # Errors
/// `EPERM`: the caller may not be less nice, as nice(2) has it; else the kernel's.
pub fn add_nice(steps: i32) -> Result<()> {
    const PROCESS: usize = 0;
    /// The kernel tells how far a priority is from here, so that it is never negative.
    const OFFSET: i32 = 20;
    // SAFETY: takes numbers.
    let told = unsafe { call(__NR_getpriority, [PROCESS, CALLER, 0, 0]) }?;
    let nice = OFFSET.wrapping_sub(told as i32).saturating_add(steps);
    // SAFETY: takes numbers. The kernel cuts those that are too large or too small.
    match unsafe { call(__NR_setpriority, [PROCESS, CALLER, nice as usize, 0]) } {
        Err(Errno::ACCES) => Err(Errno::PERM),
        outcome => outcome.map(drop),
    }
}

/// What the caller may raise its limit of `resource` to.
///
/// # Errors
/// The kernel's.
pub fn hard_limit(resource: Resource) -> Result<u64> {
    // The soft limit and the hard one.
    let mut limits = [0_u64; 2];
    let place = limits.as_mut_ptr().expose_provenance();
    // SAFETY: it writes two numbers of 64 bits.
    unsafe { call(__NR_prlimit64, [CALLER, resource as usize, 0, place]) }?;
    let [_, hard] = limits;
    Ok(hard)
}

/// Limits `resource` to `soft`, which may be raised to `hard`.
///
/// # Errors
/// The kernel's.
pub fn set_limit(resource: Resource, soft: u64, hard: u64) -> Result<()> {
    let limits = [soft, hard];
    let place = limits.as_ptr().expose_provenance();
    // SAFETY: it reads two numbers of 64 bits.
    unsafe { call(__NR_prlimit64, [CALLER, resource as usize, place, 0]) }.map(drop)
}
