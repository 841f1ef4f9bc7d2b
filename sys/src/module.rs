//! Modules of the kernel.
//!
//! # Safety
//! The file relies on `finit_module` reading parameters up to their NUL.
#![allow(unsafe_code)]

use core::ffi::CStr;

use linux_raw_sys::general::__NR_finit_module;
use rustix::fd::BorrowedFd;

use crate::Result;
use crate::call::call;
use crate::descriptor::number;

/// The kernel shall decompress it (since Linux 5.17, where it is built to).
const COMPRESSED: usize = 4;

/// Loads a module from an open file.
///
/// # Errors
/// `EEXIST`: it is loaded already; `ENODEV`: there is no such hardware; else the kernel's.
pub fn load(file: BorrowedFd<'_>, parameters: &CStr, is_compressed: bool) -> Result<()> {
    let flags = if is_compressed { COMPRESSED } else { 0 };
    let parameters = parameters.as_ptr().expose_provenance();
    // SAFETY: the parameters end in NUL.
    unsafe { call(__NR_finit_module, [number(file), parameters, flags, 0]) }.map(drop)
}
