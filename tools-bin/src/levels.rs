//! Where the levels are, and the links to the one that runs and the one before: for `runsvchdir` and `runlevel` alike
//! (runsvchdir(8)).

use core::ffi::CStr;

use supervision::limits::LINK_BYTES;
use sys::file::{self, CURRENT};
use sys::process::Environment;

/// The link to the level that runs.
pub const RUNNING: &CStr = c"current";
/// The link to the one before.
pub const BEFORE: &CStr = c"previous";

const USUAL: &CStr = c"/etc/runit/runsvdir";

/// Where our stage 2 has them, so that the root can be read-only, and the one that `runsvdir` watches.
const IN_RUN: &CStr = c"/run/runit/runsvdir";
const WATCHED: &CStr = c"/run/runit/runsvdir/current";
/// What it leads to where only its own place is new: the links that count are the usual ones.
const LEADS_BACK: &[u8] = b"/etc/runit/runsvdir/current";

/// The two directories.
pub struct Levels {
    /// That of the levels.
    pub directory: &'static CStr,
    /// That of the links, if it is another one.
    pub links: Option<&'static CStr>,
}

impl Levels {
    /// Looks where they are.
    pub fn find(environment: Environment) -> Self {
        if let Some(directory) = environment.variable(b"RUNSVDIR").filter(|directory| !directory.is_empty()) {
            return Self { directory, links: None };
        }
        let mut buffer = [0; LINK_BYTES];
        let is_in_run = file::read_link(CURRENT, WATCHED, &mut buffer).is_ok_and(|text| text != LEADS_BACK);
        Self { directory: USUAL, links: is_in_run.then_some(IN_RUN) }
    }
}
