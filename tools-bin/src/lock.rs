//! Locks of files that everybody may read, and so may lock: they are not waited for without end.

use supervision::limits::{LOCK_INTERVAL, LOCK_LIMIT};
use supervision::process::errno::Errno;
use sys::{BorrowedFd, Result, clock, file, poll};

/// Takes the lock of an open file, or directory.
///
/// # Errors
/// `EAGAIN` if somebody has it all the time; else the kernel's.
pub fn take(opened: BorrowedFd<'_>) -> Result<()> {
    let deadline = clock::monotonic().plus(LOCK_LIMIT);
    loop {
        let outcome = file::lock(opened);
        let now = clock::monotonic();
        if outcome != Err(Errno::AGAIN) || now >= deadline {
            return outcome;
        }
        poll::pause_until(now.plus(LOCK_INTERVAL));
    }
}
