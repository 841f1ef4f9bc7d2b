//! The kernel edge: one thin wrapper per system call, no policy and no text.
//!
//! It knows descriptors, paths and numbers; what they are for, its callers know. Errors are the kernel's.
//!
//! What this crate does *not* do: it decides nothing, allocates nothing, and installs no signal handlers: signals are
//! read like everything else ([`signal`]), and only [`poll`] blocks.
#![no_std]
#![deny(unsafe_code)]
#![allow(
    clippy::useless_conversion,
    clippy::unnecessary_cast,
    reason = "the kernel's types differ between the machines"
)]

mod call;
pub mod clock;
pub mod descriptor;
pub mod device;
pub mod directory;
pub mod entry;
pub mod file;
pub mod machine;
pub mod memory;
pub mod module;
pub mod mount;
pub mod network;
pub mod poll;
pub mod process;
pub mod random;
pub mod report;
pub mod rights;
pub mod signal;
pub mod standard;
pub mod strings;
pub mod terminal;
pub mod timer;
pub mod title;
pub mod uevent;
pub mod watch;

use supervision::process::errno::Errno;

pub use descriptor::Descriptor;
pub use rustix::fd::{AsFd, BorrowedFd};

/// What a system call gives, or why it failed.
pub type Result<T> = core::result::Result<T, Errno>;

/// The kernel's reason in the core's words.
fn errno(error: rustix::io::Errno) -> Errno {
    Errno::new(u16::try_from(error.raw_os_error()).unwrap_or(0))
}
