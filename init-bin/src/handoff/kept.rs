//! Keeps the image for the shutdown, where it asks for it.

use sys::file::{self, CURRENT};
use sys::mount;

use crate::tell;

/// Shows the image below `/run`, which goes on; whether its files must stay.
#[inline(never)]
pub fn keep() -> bool {
    if file::exists(CURRENT, c"/etc/handoff/keep") != Ok(true) {
        return false;
    }
    // What pid 1 executes at the end.
    let _ = file::make_link(c"init", CURRENT, c"/shutdown");
    let _ = file::make_directory(CURRENT, c"/oldroot", 0o755);
    let _ = file::make_directory(CURRENT, c"/run/initramfs", 0o755);
    let kept = mount::bind(c"/", c"/run/initramfs");
    if let Err(reason) = kept {
        tell::warn(b"unable to keep the image: %", &[reason.few_text()]);
    }
    kept.is_ok()
}
