//! The files through which a shutdown is asked for, and what "set" means: a plain file that the owner may execute.
//!
//! Their place is `/run`. `/etc/runit` holds links to them; a system of old has the files themselves there, so
//! the second place is asked, and written, where there is nothing in the first. What is written must be what is asked.

use core::ffi::CStr;

use supervision::boot::event::{Ending, Requests};
use supervision::limits::STOP_FILE_BYTES;
use supervision::process::errno::Errno;
use sys::file::{self, CURRENT, Kind};
use sys::{machine, report};

/// One request, in both of its places.
type Places = [&'static CStr; 2];

const STOP: Places = [c"/run/runit/stopit", c"/etc/runit/stopit"];
const REBOOT: Places = [c"/run/runit/reboot", c"/etc/runit/reboot"];
const NO_SYNC: &CStr = c"/etc/runit/nosync";
const EXIT_CODE: Places = [c"/run/runit/exit-code"; 2];
const DIRECTORY: &CStr = c"/run/runit";

const SET: u32 = 0o100;
const UNSET: u32 = 0;

/// A file that could not be made or changed.
pub struct Trouble {
    /// What was tried, as a verb.
    pub what: &'static [u8],
    /// On which file.
    pub path: &'static CStr,
    /// Why it failed.
    pub reason: Errno,
}

/// What is asked for now.
pub fn read() -> Requests {
    let mut buffer = [0; STOP_FILE_BYTES];
    Requests {
        stop: is_set(STOP),
        ending: Ending::from_request(read_text(STOP, &mut buffer)),
        reboot: is_set(REBOOT),
        has_next_kernel: machine::has_next_kernel(),
        no_sync: file::metadata(CURRENT, NO_SYNC).is_ok(),
    }
}

/// What pid 1 exits with where the kernel refuses this end.
pub fn exit_code(ending: Ending) -> i32 {
    ending.exit_code(read_text(EXIT_CODE, &mut [0; STOP_FILE_BYTES])).into()
}

/// The first bytes of the first of the two places that is there. Whatever is there, nothing is waited for.
fn read_text(places: Places, buffer: &mut [u8]) -> &[u8] {
    let opened = places.into_iter().find_map(|path| file::open_read(CURRENT, path).ok());
    opened.and_then(|file| file::read(file.as_fd(), buffer).ok()).unwrap_or(&[])
}

/// Asks for the end of the machine, or for its restart; and for this ending, if it can be written down.
///
/// # Errors
/// The file in the last of the places that were tried, and why.
pub fn ask(reboots: bool, ending: Option<&[u8]>) -> Result<(), Trouble> {
    // It may be there already, or `/run` may not; both show when the files are made.
    let _ = file::make_directory(CURRENT, DIRECTORY, 0o755);
    // The stop request comes last: where it is left by one that failed, the machine would go down later.
    if reboots {
        set(REBOOT, None)?;
    }
    set(STOP, ending)?;
    if !reboots {
        unset(REBOOT);
    }
    Ok(())
}

/// Takes the stop request back.
pub fn clear_stop() {
    unset(STOP);
}

/// Whether `path` leads to a plain file that its owner may execute.
pub fn is_executable(path: &CStr) -> bool {
    file::metadata(CURRENT, path).is_ok_and(|metadata| metadata.kind == Kind::Other && metadata.is_owner_executable())
}

/// Of the two places the one that counts: the first, unless nothing is there.
fn place([first, second]: Places) -> &'static CStr {
    if file::metadata(CURRENT, first).is_ok() { first } else { second }
}

fn is_set(places: Places) -> bool {
    is_executable(place(places))
}

fn set(places: Places, text: Option<&[u8]>) -> Result<(), Trouble> {
    let [first, _] = places;
    set_one(first, text).or_else(|trouble| {
        // As long as something is there, pid 1 looks at nothing else.
        let path = place(places);
        if path == first && file::remove(CURRENT, first).is_err() {
            return Err(trouble);
        }
        set_one(path, text)
    })
}

fn set_one(path: &'static CStr, text: Option<&[u8]>) -> Result<(), Trouble> {
    let file = file::create_followed(CURRENT, path).map_err(|reason| Trouble { what: b"create", path, reason })?;
    if let Some(text) = text {
        // A full file system is no reason to stay up.
        report::line(file.as_fd(), text, &[]);
    }
    file::set_mode(CURRENT, path, SET).map_err(|reason| Trouble { what: b"chmod", path, reason })
}

/// What is not set, or no request at all, is left alone.
fn unset(places: Places) {
    for place in places {
        if is_executable(place) {
            let _ = file::set_mode(CURRENT, place, UNSET);
        }
    }
}
