//! The image that the machine began with: where handoff(8) kept it, it has the last word, for only from outside can the root be
//! unmounted.

use core::ffi::CStr;

use supervision::boot::event::Ending;
use sys::process::{Environment, enter_path, execute};
use sys::{mount, rights};

use crate::request;

/// Where it is, and what is executed in it.
const PLACE: &CStr = c"/run/initramfs";
const SHUTDOWN: &CStr = c"/run/initramfs/shutdown";

/// Goes back into the image, which ends the machine. Returns if there is none, or if it cannot be entered.
pub fn go_back(ending: Ending, environment: Environment) {
    if !request::is_executable(SHUTDOWN) {
        return;
    }
    let entered = enter_path(PLACE)
        .and_then(|()| mount::make_private(c"/"))
        .and_then(|()| mount::exchange_root(c".", c"oldroot"))
        .and_then(|()| rights::change_root(c"."));
    if entered.is_ok() {
        execute(c"/shutdown", &[c"/shutdown", ending.word()], environment);
    }
}
