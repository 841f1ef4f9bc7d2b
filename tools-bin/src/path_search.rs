//! Executes a program that is looked for in `PATH`, as runsvdir(8) says.

use core::ffi::CStr;

use supervision::process::errno::Errno;
use supervision::text::Path;

/// Where programs are looked for without a `PATH`.
const DEFAULT_PATH: &[u8] = b"/bin:/usr/bin";

/// Executes `program`, in the place of the caller: as it is if it has a slash, else from the first directory of `path` where that
/// can be done. Returns only if nothing can, with the most telling reason: one that was refused says more than one that
/// was not there.
pub fn execute_from(path: Option<&CStr>, program: &CStr, execute: &dyn Fn(&CStr) -> Errno) -> Errno {
    if program.to_bytes().contains(&b'/') {
        return execute(program);
    }
    let path = path.map_or(DEFAULT_PATH, CStr::to_bytes);
    let mut telling = Errno::NOENT;
    for directory in path.split(|byte| *byte == b':') {
        let mut candidate = Path::from_bytes(directory);
        candidate.push(if directory.is_empty() { b"./" } else { b"/" });
        candidate.push(program.to_bytes());
        // A path that is too long leads to nothing.
        match candidate.terminated().map_or(Errno::NOENT, execute) {
            Errno::NOENT | Errno::NOTDIR => {}
            reason @ (Errno::ACCES | Errno::PERM | Errno::ISDIR) => telling = reason,
            reason => return reason,
        }
    }
    telling
}
