//! Block devices that lie on others: loop devices, device mapper, md arrays. Only letting them go.
//!
//! # Safety
//! The file relies on `LOOP_CLR_FD` and `STOP_ARRAY` taking no argument, and on the head that device mapper's requests read and write
//! (linux/dm-ioctl.h), which is 312 bytes on every machine.
#![allow(unsafe_code)]

use core::ffi::CStr;

use linux_raw_sys::general::__NR_ioctl;
use supervision::process::errno::Errno;

use crate::call::call;
use crate::descriptor::number;
use crate::file::{self, CURRENT};
use crate::{Descriptor, Result};

const LOOP_CLR_FD: u32 = 0x4c01;
const STOP_ARRAY: u32 = 0x0932;
const DM_DEV_REMOVE: u32 = 0xc138_fd04;

/// Bytes of the head of a request.
const HEAD: usize = 312;
/// Place and bytes of a mapped device's name in it, a NUL included.
const NAME: usize = 48;
/// Bytes of the name of a mapped device, a NUL included.
pub const MAPPED_NAME: usize = 128;

/// Takes the file away from a loop device; at once if nobody uses it, else when nobody does any more.
///
/// # Errors
/// The kernel's.
pub fn detach_loop(path: &CStr) -> Result<()> {
    request(&file::open_read(CURRENT, path)?, LOOP_CLR_FD, 0)
}

/// Stops an md array.
///
/// # Errors
/// `EBUSY`: it is in use; else the kernel's.
pub fn stop_array(path: &CStr) -> Result<()> {
    request(&file::open_read(CURRENT, path)?, STOP_ARRAY, 0)
}

/// Removes a mapped device, as LUKS and LVM make them.
///
/// # Errors
/// `EBUSY`: it is in use; else the kernel's.
#[inline(never)]
pub fn remove_mapped(name: &[u8]) -> Result<()> {
    if name.is_empty() || name.len() >= MAPPED_NAME {
        return Err(Errno::INVAL);
    }
    let mut head = [0_u8; HEAD];
    // Version 4.0.0 of the interface, the size of all, and where the data begin: behind all of it.
    for (place, value) in [(0, 4_u32), (12, HEAD as u32), (16, HEAD as u32)] {
        put(&mut head, place, &value.to_ne_bytes());
    }
    put(&mut head, NAME, name);
    let control = file::open_both_ways(c"/dev/mapper/control")?;
    request(&control, DM_DEV_REMOVE, head.as_mut_ptr().expose_provenance())
}

fn put(head: &mut [u8], place: usize, bytes: &[u8]) {
    for (target, byte) in head.iter_mut().skip(place).zip(bytes) {
        *target = *byte;
    }
}

fn request(device: &Descriptor, request: u32, argument: usize) -> Result<()> {
    // SAFETY: the argument is none, or a head of the size that it tells itself.
    unsafe { call(__NR_ioctl, [number(device), request as usize, argument, 0]) }.map(drop)
}
