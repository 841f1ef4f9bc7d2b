//! The machine as a whole.

use core::ffi::CStr;

use rustix::system::RebootCommand;
use supervision::limits::RELEASE_BYTES;
use supervision::process::signal::Signal;
use supervision::text::Text;

use crate::file::{self, CURRENT};
use crate::{Result, errno, process};

/// Whether another kernel is loaded: `1` if it is.
const NEXT_KERNEL: &CStr = c"/sys/kernel/kexec_loaded";

/// The release of the running kernel.
pub fn kernel_release() -> Text<RELEASE_BYTES> {
    Text::from_bytes(rustix::system::uname().release().to_bytes())
}

/// Whether a kernel is loaded that [`kexec`] starts.
pub fn has_next_kernel() -> bool {
    let mut buffer = [0; 1];
    let opened = file::open_read(CURRENT, NEXT_KERNEL);
    opened.and_then(|file| file::read(file.as_fd(), &mut buffer).map(|text| text == b"1")).unwrap_or(false)
}

/// Sends a signal to every process but pid 1 (and the caller).
pub fn signal_all(signal: Signal) {
    process::kill(-1, signal);
}

/// Writes all file systems back. May take long.
pub fn sync() {
    rustix::fs::sync();
}

/// Lets ctrl-alt-del be a signal to pid 1 instead of a reset.
///
/// # Errors
/// The kernel's; a container may not.
pub fn catch_ctrl_alt_del() -> Result<()> {
    rustix::system::reboot(RebootCommand::CadOff).map_err(errno)
}

/// Starts the machine again. Does not return unless it fails.
///
/// # Errors
/// The kernel's; a container may not.
pub fn restart() -> Result<()> {
    rustix::system::reboot(RebootCommand::Restart).map_err(errno)
}

/// Switches the machine off.
///
/// # Errors
/// The kernel's; a container may not.
pub fn power_off() -> Result<()> {
    rustix::system::reboot(RebootCommand::PowerOff).map_err(errno)
}

/// Stops the machine and leaves it on.
///
/// # Errors
/// The kernel's; a container may not.
pub fn halt() -> Result<()> {
    rustix::system::reboot(RebootCommand::Halt).map_err(errno)
}

/// Starts the kernel that is loaded for it. Does not return unless it fails.
///
/// # Errors
/// `EINVAL` if none is loaded; else the kernel's.
pub fn kexec() -> Result<()> {
    rustix::system::reboot(RebootCommand::Kexec).map_err(errno)
}
