//! File systems: mounted, moved and taken away; and the root.

use core::ffi::CStr;

use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags};

use crate::{Result, errno};

/// Mounts `source`, a file system of the kind `kind`, on the directory `target`. `flags` are the kernel's own (mount(2)), `data` what
/// the file system itself is told.
///
/// # Errors
/// `ENODEV`: the kernel does not know this kind; else the kernel's.
pub fn mount(source: &CStr, target: &CStr, kind: &CStr, flags: u32, data: &CStr) -> Result<()> {
    rustix::mount::mount(source, target, kind, MountFlags::from_bits_retain(flags), data).map_err(errno)
}

/// Moves what is mounted on `from` to the directory `to`.
///
/// # Errors
/// The kernel's.
pub fn shift(from: &CStr, to: &CStr) -> Result<()> {
    rustix::mount::mount_move(from, to).map_err(errno)
}

/// Shows what lies below the directory `from` also at `to`.
///
/// # Errors
/// The kernel's.
pub fn bind(from: &CStr, to: &CStr) -> Result<()> {
    rustix::mount::mount_bind(from, to).map_err(errno)
}

/// Has nothing that is mounted or unmounted at `target` or below happen elsewhere too: only then can it be moved.
///
/// # Errors
/// The kernel's.
pub fn make_private(target: &CStr) -> Result<()> {
    let flags = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    rustix::mount::mount_change(target, flags).map_err(errno)
}

/// How a file system is taken away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unmount {
    /// If nobody uses it.
    Unused,
    /// At once from where it is, and for good when nobody uses it any more.
    Detached,
}

/// Takes away what is mounted on `target`; a link is not followed.
///
/// # Errors
/// `EBUSY`: somebody uses it; else the kernel's.
pub fn unmount(target: &CStr, how: Unmount) -> Result<()> {
    let flags = match how {
        Unmount::Unused => UnmountFlags::NOFOLLOW,
        Unmount::Detached => UnmountFlags::NOFOLLOW | UnmountFlags::DETACH,
    };
    rustix::mount::unmount(target, flags).map_err(errno)
}

/// Makes what is mounted on `target` read-only.
///
/// # Errors
/// `EBUSY`: somebody writes; else the kernel's.
pub fn make_read_only(target: &CStr) -> Result<()> {
    rustix::mount::mount_remount(target, MountFlags::RDONLY, c"").map_err(errno)
}

/// Makes the file system mounted on `root` the root of all processes that have the old one, which is at `old` then.
///
/// # Errors
/// The kernel's.
pub fn exchange_root(root: &CStr, old: &CStr) -> Result<()> {
    rustix::process::pivot_root(root, old).map_err(errno)
}
