//! `pipit`: every tool in one executable, chosen by the name it is called by.
//!
//! All supervisors of a machine run this one file, so they share its pages.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

mod accounts;
mod check;
mod levels;
mod lock;
mod log_directory;
mod log_files;
mod log_processor;
mod options;
mod path_search;
mod pending_shutdown;
mod programs;
mod readout;
mod records;
mod service_client;
mod service_directory;
mod status_report;
mod supervise_directory;
mod supervisor;
mod takeover;
mod terminals;
mod told;
mod variable_files;
mod waiting;
mod watched_path;
mod zone;

use core::ffi::CStr;

use sys::entry::Arguments;
use sys::process::Environment;
use sys::standard::Standard;
use sys::strings::Strings;
use sys::title::Title;
use sys::{report, standard};

sys::entry!(start);

/// A program: it gets its own words, its name first, and gives its exit code.
type Program = fn(Words) -> i32;

/// The words of a command line, from a program's own name on.
#[derive(Clone, Copy)]
pub struct Words {
    arguments: Arguments,
    skipped: usize,
}

impl Words {
    /// The word at `index`; the program's name, as it was called, is word 0.
    pub fn get(&self, index: usize) -> Option<&'static CStr> {
        self.arguments.get(self.skipped.saturating_add(index))
    }

    /// The word at `index` as a place to show text in.
    pub fn title(&self, index: usize) -> Option<Title> {
        Title::new(self.arguments, self.skipped.saturating_add(index))
    }

    /// The words from `index` on.
    pub fn from(&self, index: usize) -> Strings {
        self.arguments.from(self.skipped.saturating_add(index))
    }

    /// Whether `standard` was closed before the program was started.
    pub fn was_closed(&self, standard: Standard) -> bool {
        self.arguments.was_closed(standard)
    }

    /// What else the program was started with.
    pub fn environment(&self) -> Environment {
        self.arguments.environment()
    }

    /// How many words there are, the program's name included.
    pub fn count(&self) -> usize {
        self.arguments.len().saturating_sub(self.skipped)
    }

    /// The program's name as it was called, with its path.
    pub fn called(&self) -> &'static [u8] {
        self.get(0).map_or(b"", CStr::to_bytes)
    }

    /// The program's name without its path.
    pub fn name(&self) -> &'static [u8] {
        base_name(self.called())
    }
}

/// Every name, and its program. The build reads the names of the links from these lines.
static PROGRAMS: &[(&str, Program)] = &[
    ("runsvdir", programs::runsvdir::main),
    ("runsv", programs::runsv::main),
    ("sv", programs::sv::main),
    ("svlogd", programs::svlogd::main),
    ("chpst", programs::chpst::main),
    ("envdir", programs::chpst::main),
    ("envuidgid", programs::chpst::main),
    ("pgrphack", programs::chpst::main),
    ("setlock", programs::chpst::main),
    ("setuidgid", programs::chpst::main),
    ("softlimit", programs::chpst::main),
    ("utmpset", programs::utmpset::main),
    ("runsvchdir", programs::runsvchdir::main),
    ("runlevel", programs::runlevel::main),
    ("pause", programs::pause::main),
    ("halt", programs::halt::main),
    ("poweroff", programs::halt::main),
    ("reboot", programs::halt::main),
    ("shutdown", programs::shutdown::main),
    ("seedrng", programs::seedrng::main),
];

/// Wrong usage of `pipit` itself.
const EXIT_USAGE: i32 = 100;

fn start(arguments: Arguments) -> i32 {
    #[cfg(feature = "planted-panic")]
    assert!(arguments.len() < 100);
    let words = Words { arguments, skipped: 0 };
    if words.name() != b"pipit" {
        return run(words);
    }
    let words = Words { arguments, skipped: 1 };
    match words.called() {
        b"" => {
            report::line(standard::error(), b"usage: pipit --list | name ...\n", &[]);
            EXIT_USAGE
        }
        b"--list" => {
            for (name, _) in PROGRAMS {
                report::line(standard::output(), name.as_bytes(), &[]);
            }
            0
        }
        _ => run(words),
    }
}

/// Runs the program of that name; every name that is none is a service, told by `sv`.
fn run(words: Words) -> i32 {
    let find = |wanted: &[u8]| PROGRAMS.iter().find(|(name, _)| name.as_bytes() == wanted);
    // `dsetuidgid` and its like, of which there are no links.
    let is_chpst = |program: &&(&str, Program)| core::ptr::fn_addr_eq(program.1, programs::chpst::main as Program);
    let plain = || find(programs::chpst::plain_name(words.name())).filter(is_chpst);
    find(words.name()).or_else(plain).map_or(programs::sv::main as Program, |(_, program)| *program)(words)
}

fn base_name(path: &'static [u8]) -> &'static [u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}
