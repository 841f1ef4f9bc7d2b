//! Removes the files of the initramfs: their memory would be lost until the machine ends.

use core::ffi::CStr;

use sys::file::{self, CURRENT};
use sys::{BorrowedFd, Descriptor, directory};

/// Directories in directories; what lies deeper stays.
const DEPTH: u8 = 32;

/// Removes all that is below `old`, the root directory of before, but for what is mounted there. Not if it is that of now.
#[inline(never)]
pub fn remove_all(old: &Descriptor) {
    if let (Ok(old_root), Ok(root)) = (file::metadata_of(old.as_fd()), file::metadata(CURRENT, c"/"))
        && old_root.device != root.device
    {
        remove_below(old, old_root.device, DEPTH);
    }
}

#[inline(never)]
fn remove_below(parent: &Descriptor, device: u64, depth: u8) {
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
