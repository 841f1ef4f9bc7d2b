//! Watches a directory by its path: what is in it, and every link on the way that could come to lead elsewhere.

use core::ffi::CStr;

use supervision::limits::{LINKS, PATH_BYTES};
use supervision::supervise::scan::NameHash;
use supervision::text::Path;
use sys::file::{self, CURRENT};
use sys::watch::Watch;
use sys::{Descriptor, Result};

/// Begins to watch, with `watch` if it is there: it may know all or most of it already. What changes after this call
/// is told, and what changed before is not.
///
/// # Errors
/// The kernel's: the directory is not there, or there are no more watches.
pub fn watch(watch: Option<Watch>, directory: &CStr) -> Result<Watch> {
    let watch = match watch {
        Some(watch) => watch,
        None => Watch::new()?,
    };
    watch.drain();
    watch.add(directory)?;
    watch_links(&watch, directory);
    Ok(watch)
}

/// Watches the directory in which the link `name` of `directory` ends, whose path is `path`: the name of what it leads to
/// there. `None` if it is no link.
pub fn watch_target(watch: &Watch, path: &CStr, directory: &Descriptor, name: &CStr) -> Option<NameHash> {
    let mut buffer = [0; PATH_BYTES];
    let target = file::read_link(directory.as_fd(), name, &mut buffer).ok()?;
    let end = target.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash.saturating_add(1));
    let (parent, last) = target.split_at_checked(end)?;
    let mut place = Path::new();
    if !parent.starts_with(b"/") {
        place.push(path.to_bytes());
        place.push(b"/");
    }
    place.push(parent);
    // Without this watch a change is seen at the next other change.
    let _ = watch.add(place.terminated()?);
    Some(NameHash::of(last))
}

/// Watches the directory of every link on the way, as the kernel follows them.
fn watch_links(watch: &Watch, path: &CStr) {
    let mut path = Path::from_bytes(path.to_bytes());
    for _ in 0..LINKS {
        let mut buffer = [0; PATH_BYTES];
        let Some((end, target)) = first_link(&path, &mut buffer) else { return };
        let (link, rest) = path.as_bytes().split_at_checked(end).unwrap_or((b"", b""));
        let parent_end = link.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash.saturating_add(1));
        let parent = link.get(..parent_end).unwrap_or(b"");
        let mut place = Path::from_bytes(if parent.is_empty() { b"." } else { parent });
        if let Some(place) = place.terminated() {
            // Without this watch a change of the link is seen at the next other change.
            let _ = watch.add(place);
        }
        let mut next = Path::from_bytes(if target.starts_with(b"/") { b"" } else { parent });
        next.push(target);
        next.push(rest);
        path = next;
    }
}

/// The end of the first part of `path` that is a link, and where it leads.
fn first_link<'a>(path: &Path, buffer: &'a mut [u8; PATH_BYTES]) -> Option<(usize, &'a [u8])> {
    let bytes = path.as_bytes();
    let (end, size) = (1..=bytes.len()).find_map(|end| {
        let (part, rest) = bytes.split_at_checked(end)?;
        let is_whole = (rest.is_empty() || rest.starts_with(b"/")) && !part.ends_with(b"/");
        let mut part = Path::from_bytes(if is_whole { part } else { return None });
        let target = file::read_link(CURRENT, part.terminated()?, &mut *buffer).ok()?;
        Some((end, target.len()))
    })?;
    Some((end, buffer.get(..size)?))
}
