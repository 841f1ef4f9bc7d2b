//! The end, when the image was kept: what was the root is unmounted for good, what it lay on is let go, and the machine ends.

use core::ffi::CStr;

use supervision::handoff::fstab::Entry;
use supervision::process::signal::Signal;
use supervision::text::Path;
use supervision::time::Duration;
use sys::file::{self, CURRENT};
use sys::mount::{self, Unmount};
use sys::{clock, device, directory, machine, poll, process};

use crate::{paths, root, tell};

/// Looks at most at what cannot be unmounted, and how far they lie apart: processes that were killed take their time.
const ROUNDS: u8 = 64;
const ROUND: Duration = Duration::from_milliseconds(50);

/// How long a file system that does not answer may hold up the end of the machine.
const LIMIT: Duration = Duration::from_seconds(60);

/// Ends the machine by `action`.
pub fn end(action: &[u8]) -> i32 {
    machine::signal_all(Signal::KILL);
    // A child, for unmounting may take for ever.
    if let Ok(child) = process::spawn(let_go_of_root) {
        match process::watch_end(child) {
            Ok(end) => drop(poll::wait_for(end.as_fd(), Some(clock::monotonic().plus(LIMIT)))),
            // Linux before 5.3.
            Err(_) => drop(process::wait_for(child)),
        }
    }
    // Where one is not named the whole is compared byte by byte, which takes more room.
    let ended = if action == b"poweroff" {
        machine::power_off()
    } else if action == b"halt" {
        machine::halt()
    } else if action == b"kexec" && machine::kexec().is_ok() {
        Ok(())
    } else {
        machine::restart()
    };
    if let Err(reason) = ended {
        tell::fatal(b"unable to end the machine: %", &[reason.few_text()]);
    }
    crate::EXIT_FAILED
}

/// Unmounts all, and lets go of what it lay on.
fn let_go_of_root() -> i32 {
    root::shift_all(b"/oldroot", b"");
    for _ in 0..ROUNDS {
        let has_unmounted = visit_old(&mut |path| mount::unmount(path, Unmount::Unused).is_ok());
        let has_let_go = let_go_all();
        if last_before(u32::MAX, &mut Path::new()).is_none() && !has_let_go {
            break;
        }
        // A loop device that is in use is let go of later, and says so each time.
        if !has_unmounted {
            poll::pause_until(clock::monotonic().plus(ROUND));
        }
    }
    visit_old(&mut |path| {
        tell::warn(b"% is still mounted", &[path.to_bytes()]);
        mount::make_read_only(path).is_ok()
    });
    machine::sync();
    0
}

/// Calls `act` with each mount point of the old root, the last mounted first; whether it has done anything.
#[inline(never)]
fn visit_old(act: &mut dyn FnMut(&CStr) -> bool) -> bool {
    let mut has_done = false;
    let mut limit = u32::MAX;
    let mut path = Path::new();
    while let Some(index) = last_before(limit, &mut path) {
        has_done |= act(path.terminated().unwrap_or_default());
        limit = index;
    }
    has_done
}

/// Finds the last line before `limit` whose mount point is that of the old root, or below.
#[inline(never)]
fn last_before(limit: u32, path: &mut Path) -> Option<u32> {
    let (mut index, mut found) = (0_u32, None);
    paths::visit_lines(c"/proc/self/mounts", &mut |line, _| {
        // Where pid 1 has put it; and what the image itself had mounted, as far as it was handed on.
        if index < limit
            && let Some(entry) = Entry::parse(line)
            && (entry.place.starts_with(b"/oldroot") || entry.place.starts_with(b"/run/"))
        {
            *path = Path::from_bytes(entry.place);
            found = Some(index);
        }
        index = index.saturating_add(1);
    });
    found
}

/// Lets go of devices that lie on others; whether any could be.
#[inline(never)]
fn let_go_all() -> bool {
    let mut has_let_go = false;
    if let Ok(block) = file::open_directory(CURRENT, c"/sys/class/block") {
        let visit: &mut dyn FnMut(&CStr) = &mut |name| has_let_go |= let_go(name.to_bytes()).is_ok();
        let _ = directory::visit(&block, visit);
    }
    has_let_go
}

#[inline(never)]
fn let_go(name: &[u8]) -> sys::Result<()> {
    let mut node = Path::new();
    let node = paths::fill(&mut node, b"/dev/", name);
    let tells = |template: &[u8], buffer: &mut [u8]| !paths::read(template, name, buffer).is_empty();
    let mut buffer = [0; device::MAPPED_NAME];
    if tells(b"/sys/class/block/%/loop/backing_file", &mut buffer) {
        device::detach_loop(node)
    } else if tells(b"/sys/class/block/%/md/array_state", &mut buffer) {
        device::stop_array(node)
    } else {
        device::remove_mapped(paths::read(b"/sys/class/block/%/dm/name", name, &mut buffer).trim_ascii_end())
    }
}
