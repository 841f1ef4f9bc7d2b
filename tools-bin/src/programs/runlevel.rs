//! `runlevel`: prints the previous and the current level (runlevel(8)).

use core::ffi::CStr;

use supervision::limits::LINK_BYTES;
use supervision::supervise::level;
use sys::file::{self, CURRENT};
use sys::{Descriptor, report, standard};

use crate::Words;
use crate::levels::{BEFORE, Levels, RUNNING};

const EXIT_USAGE: i32 = 1;

/// Prints them.
pub fn main(words: Words) -> i32 {
    if words.count() > 1 {
        report::line(standard::error(), b"usage: %\n", &[words.name()]);
        return EXIT_USAGE;
    }
    let levels = Levels::find(words.environment());
    let links = file::open_path(CURRENT, levels.links.unwrap_or(levels.directory)).ok();
    let (mut before, mut running) = ([0; LINK_BYTES], [0; LINK_BYTES]);
    let before = read_name(links.as_ref(), BEFORE, &mut before).unwrap_or(b"N");
    let running = read_name(links.as_ref(), RUNNING, &mut running).unwrap_or(b"unknown");
    report::line(standard::output(), b"% %", &[before, running]);
    0
}

/// The name of the level that a link leads to; `None` if it is no link, or leads to none.
fn read_name<'a>(links: Option<&Descriptor>, link: &CStr, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    let text = file::read_link(links?.as_fd(), link, buffer).ok()?;
    Some(level::name(text)).filter(|name| !name.is_empty())
}
