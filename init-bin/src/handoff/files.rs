//! Removes the files of the initramfs: their memory would be lost until the machine ends.

use core::ffi::CStr;

use sys::file::{self, CURRENT};
use sys::{BorrowedFd, directory};

/// Directories in directories; what lies deeper stays.
const DEPTH: u8 = 32;

/// Removes all that is below the root directory, but for what is mounted there.
#[inline(never)]
pub fn remove_all() {
    if let Ok(root) = file::open_directory(CURRENT, c"/")
        && let Ok(metadata) = file::metadata_of(root.as_fd())
    {
        remove_below(&root, metadata.device, DEPTH);
    }
}

#[inline(never)]
fn remove_below(parent: &sys::Descriptor, device: u64, depth: u8) {
    let visit: &mut dyn FnMut(&CStr) = &mut |name| {
        if !matches!(name.to_bytes(), b"." | b"..") {
            remove(parent.as_fd(), name, device, depth);
        }
    };
    // A failure is told to nobody: some memory is lost, and that is all.
    let _ = directory::visit(parent, visit);
}

#[inline(never)]
fn remove(parent: BorrowedFd<'_>, name: &CStr, device: u64, depth: u8) {
    if file::remove(parent, name).is_ok() {
        return;
    }
    let Ok(opened) = file::open_own_directory(parent, name) else { return };
    if !file::metadata_of(opened.as_fd()).is_ok_and(|metadata| metadata.device == device) {
        return;
    }
    if let Some(depth) = depth.checked_sub(1) {
        remove_below(&opened, device, depth);
    }
    let _ = file::remove_directory(parent, name);
}
