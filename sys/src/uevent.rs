//! What the kernel tells of devices as they come and go (netlink(7), `NETLINK_KOBJECT_UEVENT`).
//!
//! # Safety
//! The file relies on `socket` touching no memory, and on `bind` reading an address of the size it is told.
#![allow(unsafe_code)]

use linux_raw_sys::general::{__NR_bind, __NR_socket, O_CLOEXEC, O_NONBLOCK};
use linux_raw_sys::net::{AF_NETLINK, SOCK_DGRAM};

use crate::call::call;
use crate::descriptor::number;
use crate::{Descriptor, Result};

/// The netlink protocol of these messages.
const KOBJECT_UEVENT: usize = 15;

/// A descriptor from which each message is read as a whole ([`crate::file::read`]), from here on.
///
/// # Errors
/// The kernel's: it may have no netlink.
pub fn open() -> Result<Descriptor> {
    let kind = SOCK_DGRAM as usize | (O_CLOEXEC | O_NONBLOCK) as usize;
    // SAFETY: takes numbers alone, and makes a new descriptor.
    let made = unsafe { call(__NR_socket, [AF_NETLINK as usize, kind, KOBJECT_UEVENT, 0]) };
    let socket = Descriptor::from_call(made)?;
    // Family and padding; the port, which the kernel chooses; the group of messages from the kernel itself.
    let address = [u32::from(AF_NETLINK as u16).to_le(), 0, 1];
    let (place, size) = (address.as_ptr().expose_provenance(), size_of_val(&address));
    // SAFETY: the address has this size.
    unsafe { call(__NR_bind, [number(&socket), place, size, 0]) }?;
    Ok(socket)
}
