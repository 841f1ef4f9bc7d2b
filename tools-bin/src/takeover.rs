//! Finds processes that an earlier supervisor of the same service left behind, and the pipe between them
//! (runsv(8)).

use supervision::process::Pid;
use supervision::process::birth::Ticks;
use supervision::supervise::extension::{BootId, Extension};
use supervision::supervise::status::{Phase, Record};
use supervision::time::Instant;
use sys::file::{self, CURRENT, Kind};
use sys::{Descriptor, clock, process};

use crate::supervise_directory::SuperviseDirectory;

/// A process that is not a child, and how its end is noticed.
pub struct Foreign {
    /// Its number.
    pub pid: Pid,
    /// Readable when it has ended; without it the process must be looked at.
    pub end: Option<Descriptor>,
    /// When it was surely alive.
    seen: Ticks,
}

impl Foreign {
    /// Takes hold of the process `pid`, if it is still the one that was alive at `seen`.
    fn find(pid: Pid, seen: Ticks) -> Option<Self> {
        // First the descriptor, then the look: what is looked at is what is held.
        let foreign = Self { pid, end: process::watch_end(pid).ok(), seen };
        foreign.is_alive().then_some(foreign)
    }

    /// Whether it is alive.
    pub fn is_alive(&self) -> bool {
        process::birth(self.pid).is_some_and(|birth| birth <= self.seen)
    }
}

/// A service as its last supervisor left it.
pub struct Found {
    /// Its process.
    pub process: Foreign,
    /// What was told of it.
    pub record: Record,
    /// And what else.
    pub extension: Extension,
}

/// What runs of the service of `directory`, according to the status there.
pub fn find(directory: &SuperviseDirectory, boot: BootId) -> Option<Found> {
    let (record, extension) = directory.read_status()?;
    let extension = extension?;
    // Of another boot the pid says nothing, of an unknown one nothing can be said.
    if record.phase == Phase::Down || extension.origin.boot != boot || boot == BootId::default() {
        return None;
    }
    let process = Foreign::find(record.pid?, extension.origin.written)?;
    Some(Found { process, record, extension })
}

/// The first characters of the kernel's random name for this boot.
pub fn boot_id() -> BootId {
    let mut boot = BootId::default();
    if let Ok(file) = file::open_read(CURRENT, c"/proc/sys/kernel/random/boot_id") {
        let _ = file::read(file.as_fd(), &mut boot);
    }
    boot
}

/// The pipe between a service and its log service, of which at least one is still alive: its reading and its writing end,
/// opened anew.
pub fn reopen_pipe(main: Option<&Found>, log: Option<&Found>) -> Option<(Descriptor, Descriptor)> {
    let places: [(_, &[u8]); 3] = [(main, b"/fd/1"), (log, b"/fd/0"), (main, b"/fd/2")];
    places.iter().find_map(|(found, place)| {
        let found = (*found)?;
        let mut path = process::path_of(found.process.pid, place);
        let path = path.terminated()?;
        let metadata = file::metadata(CURRENT, path).ok()?;
        if metadata.kind != Kind::Fifo || pipe_number(metadata.inode) != found.extension.origin.pipe {
            return None;
        }
        let ends = (file::open_read(CURRENT, path).ok()?, file::open_write(CURRENT, path).ok()?);
        file::make_blocking(ends.0.as_fd()).and_then(|()| file::make_blocking(ends.1.as_fd())).ok()?;
        Some(ends)
    })
}

/// By which number a pipe is told in a status file.
pub fn pipe_number(inode: u64) -> u32 {
    // The kernel counts pipes in 32 bits.
    inode as u32
}

/// When to look at a process that cannot be watched.
pub fn look_at(foreign: Option<&Foreign>) -> Option<Instant> {
    match foreign {
        Some(Foreign { end: None, .. }) => Some(clock::monotonic().plus(supervision::limits::LOOK_INTERVAL)),
        Some(_) | None => None,
    }
}
