//! What only pid 1 asks of the kernel: the machine as a whole.

use rustix::system::RebootCommand;
use supervision::process::signal::Signal;

use crate::{Result, errno, process};

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

/// Starts the kernel that was loaded for it. Does not return unless it fails.
///
/// # Errors
/// `EINVAL` if none is loaded; else the kernel's.
pub fn kexec() -> Result<()> {
    rustix::system::reboot(RebootCommand::Kexec).map_err(errno)
}
