//! Paths that are put together, and small files.

use core::ffi::CStr;

use supervision::handoff::lines::{Lines, TooLong};
use supervision::text::Path;
use sys::Descriptor;
use sys::file::{self, CURRENT};

/// A template with `name` in the place of `%`, or else at its end, as a path; an empty one, which leads nowhere, if it is too long.
#[inline(never)]
pub fn fill<'path>(path: &'path mut Path, template: &[u8], name: &[u8]) -> &'path CStr {
    *path = Path::new();
    let mut parts = template.split(|byte| *byte == b'%');
    path.push(parts.next().unwrap_or(&[]));
    path.push(name);
    path.push(parts.next().unwrap_or(&[]));
    path.terminated().unwrap_or_default()
}

/// Opens a file or a device for reading; its path is that of [`fill`].
#[inline(never)]
pub fn open(template: &[u8], name: &[u8]) -> sys::Result<Descriptor> {
    file::open_read(CURRENT, fill(&mut Path::new(), template, name))
}

/// What a file holds, by its path as in [`fill`], as far as there is room; nothing if it cannot be read.
#[inline(never)]
pub fn read<'buffer>(template: &[u8], name: &[u8], buffer: &'buffer mut [u8]) -> &'buffer [u8] {
    match open(template, name) {
        Ok(opened) => file::read(opened.as_fd(), buffer).unwrap_or(&[]),
        Err(_) => &[],
    }
}

/// Writes to a file that is there.
#[inline(never)]
pub fn write(path: &CStr, bytes: &[u8]) -> sys::Result<()> {
    file::open_write(CURRENT, path).and_then(|file| file::write(file.as_fd(), bytes)).map(drop)
}

/// Calls `visit` with each line of a file, and whether it is whole: of one that is too long only the beginning is there. Not at all if
/// the file cannot be read.
#[inline(never)]
pub fn visit_lines(path: &CStr, visit: &mut dyn FnMut(&mut [u8], bool)) {
    let Ok(opened) = file::open_read(CURRENT, path) else { return };
    let mut lines = Lines::new();
    let mut buffer = [0; 512];
    loop {
        let mut piece = file::read(opened.as_fd(), &mut buffer).unwrap_or(&[]);
        let is_last = piece.is_empty();
        loop {
            match if is_last { lines.last() } else { lines.next(&mut piece) } {
                Some(Ok(line)) => visit(line, true),
                Some(Err(TooLong)) => visit(lines.beginning(), false),
                None => break,
            }
        }
        if is_last {
            return;
        }
    }
}
