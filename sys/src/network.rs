//! Datagrams to other machines.
//!
//! # Safety
//! The file relies on `socket` touching no memory, on `sendmsg` only reading what the message's head points to, and on the
//! layouts of addresses and of that head, which `linux_raw_sys` states.
#![allow(unsafe_code)]

use core::net::IpAddr;

use linux_raw_sys::general::{__NR_sendmsg, __NR_socket, O_CLOEXEC, O_NONBLOCK, iovec};
use linux_raw_sys::net::{AF_INET, AF_INET6, MSG_DONTWAIT, MSG_NOSIGNAL, SOCK_DGRAM, msghdr};
use supervision::limits::LINE_PARTS;
use supervision::log::target::Target;

use crate::call::call;
use crate::descriptor::number;
use crate::{Descriptor, Result};

/// Bytes of the longer kind of address.
const ADDRESS_BYTES: usize = 28;

/// A socket from which datagrams can be sent to `target`.
///
/// # Errors
/// The kernel's: it may not have this kind of network, or no descriptor is left.
pub fn open(target: &Target) -> Result<Descriptor> {
    let family = match target.address {
        IpAddr::V4(_) => AF_INET,
        IpAddr::V6(_) => AF_INET6,
    };
    let kind = SOCK_DGRAM as usize | (O_CLOEXEC | O_NONBLOCK) as usize;
    // SAFETY: takes numbers alone, and makes a new descriptor.
    Descriptor::from_call(unsafe { call(__NR_socket, [family as usize, kind, 0, 0]) })
}

/// Sends these parts as one datagram, without waiting.
///
/// # Errors
/// The kernel's: nobody can be reached, it is too long, there is no room just now.
pub fn send(socket: &Descriptor, target: &Target, parts: &[&[u8]]) -> Result<()> {
    let mut vectors = [const { iovec { iov_base: core::ptr::null_mut(), iov_len: 0 } }; LINE_PARTS];
    for (vector, part) in vectors.iter_mut().zip(parts) {
        *vector = iovec { iov_base: part.as_ptr().cast_mut().cast(), iov_len: part.len() as _ };
    }
    let (mut address, size) = encode(target);
    let head = msghdr {
        msg_name: address.as_mut_ptr().cast(),
        msg_namelen: size,
        msg_iov: vectors.as_mut_ptr().cast(),
        msg_iovlen: parts.len().min(LINE_PARTS) as _,
        msg_control: core::ptr::null_mut(),
        msg_controllen: 0,
        msg_flags: 0,
    };
    let flags = (MSG_DONTWAIT | MSG_NOSIGNAL) as usize;
    // SAFETY: head, address and vectors live through the call, and all of them tell their true sizes.
    unsafe { call(__NR_sendmsg, [number(socket), (&raw const head).expose_provenance(), flags, 0]) }.map(drop)
}

/// An address as the kernel takes it: family; port, big-endian; for IPv6 four bytes of flow; the address; zeros.
fn encode(target: &Target) -> ([u8; ADDRESS_BYTES], i32) {
    const FAMILY: usize = 0;
    const PORT: usize = 2;
    let mut bytes = [0; ADDRESS_BYTES];
    let mut put = |place: usize, value: &[u8]| {
        let places = bytes.get_mut(place..).unwrap_or(&mut []);
        places.iter_mut().zip(value).for_each(|(byte, value)| *byte = *value);
    };
    // Families are small numbers.
    let mut put_all = |family: u32, place: usize, octets: &[u8]| {
        put(FAMILY, &(family as u16).to_ne_bytes());
        put(PORT, &target.port.to_be_bytes());
        put(place, octets);
    };
    let size = match target.address {
        IpAddr::V4(address) => {
            put_all(AF_INET, 4, &address.octets());
            16
        }
        IpAddr::V6(address) => {
            put_all(AF_INET6, 8, &address.octets());
            28
        }
    };
    (bytes, size)
}
