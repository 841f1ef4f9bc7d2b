//! Executes a program that is looked for in `PATH`, as runsvdir(8) says.

use core::ffi::CStr;

use supervision::process::errno::Errno;
use supervision::text::Path;
use sys::process::{Environment, execute};

/// Where programs are looked for without a `PATH`.
const DEFAULT_PATH: &[u8] = b"/bin:/usr/bin";

/// Executes `program`, a name without a slash, in the place of the caller. Returns only if that fails, with the most telling
/// reason: one that was refused says more than one that was not there.
pub fn execute_from_path(program: &CStr, arguments: &[&CStr], environment: Environment) -> Errno {
    let path = environment.variable(b"PATH").map_or(DEFAULT_PATH, CStr::to_bytes);
    let mut telling = Errno::NOENT;
    for directory in path.split(|byte| *byte == b':') {
        let mut candidate = Path::from_bytes(directory);
        candidate.push(if directory.is_empty() { b"./" } else { b"/" });
        candidate.push(program.to_bytes());
        // A path that is too long leads to nothing.
        let reason =
            candidate.terminated().map_or(Errno::NOENT, |candidate| execute(candidate, arguments, environment));
        match reason {
            Errno::NOENT | Errno::NOTDIR => {}
            Errno::ACCES | Errno::PERM | Errno::ISDIR => telling = reason,
            _ => return reason,
        }
    }
    telling
}
