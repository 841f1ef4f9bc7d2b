//! Finds processes that an earlier supervisor of the same service left behind, and the pipe between them
//! (runsv(8)).

use supervision::process::Pid;
use supervision::process::birth::Ticks;
use supervision::process::errno::Errno;
use supervision::process::signal::Signal;
use supervision::supervise::extension::{BootId, Extension, OneShot, Origin};
use supervision::supervise::status::{Phase, Record};
use supervision::time::Instant;
use sys::file::{self, CURRENT, Kind};
use sys::{Descriptor, clock, poll, process};

use crate::supervise_directory::{SuperviseDirectory, inode_number};

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
        let is_it = process::birth(pid).is_ok_and(|birth| birth.started <= seen);
        (is_it && foreign.is_alive()).then_some(foreign)
    }

    /// Whether it is alive.
    pub fn is_alive(&self) -> bool {
        match (&self.end, process::birth(self.pid)) {
            (Some(end), _) => !poll::is_readable(end.as_fd()),
            (None, Ok(birth)) => birth.started <= self.seen && !birth.is_zombie,
            // What cannot be learnt says nothing.
            (None, Err(reason)) => !matches!(reason, Errno::NOENT | Errno::SRCH),
        }
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        match &self.end {
            Some(end) => {
                let _ = process::signal_by(end, signal);
            }
            None => process::signal(self.pid, signal),
        }
    }
}

/// Whether `pid` is a process that was alive at `seen`.
pub fn is_same_process(pid: Pid, seen: Instant) -> bool {
    process::birth(pid).is_ok_and(|birth| birth.started <= Ticks::of(seen) && !birth.is_zombie)
}

/// A service as its last supervisor left it.
pub struct Found {
    /// Its process; `None`: it is a one-shot that is done.
    pub process: Option<Foreign>,
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
    let Origin { supervisor, written, .. } = extension.origin;
    // Where the supervisor is alive that wrote this, the file was copied with the directory.
    if Pid::new(supervisor).is_some_and(|supervisor| is_same_process(supervisor, written)) {
        return None;
    }
    let process = if extension.one_shot == OneShot::Done {
        // There is no process to look at. So it must have been written in this very directory, and while this pid 1
        // lived: a container that is started anew has the boot of the machine that it is in. One that was started in the tick of
        // the writing may be the next one, and what is done once too often is better than what is not done.
        let is_earlier = |first| process::birth(first).is_ok_and(|birth| birth.started < Ticks::of(written));
        let is_of_this_life = Pid::new(1).is_some_and(is_earlier);
        if !is_of_this_life || !extension.is_done_in(directory.number(), &record) {
            return None;
        }
        None
    } else {
        let pid = record.pid.filter(|pid| pid.raw() > 1 && pid.raw() != process::own_pid())?;
        Some(Foreign::find(pid, Ticks::of(written))?)
    };
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
        let mut path = process::path_of(found.process.as_ref()?.pid, place);
        let path = path.terminated()?;
        let metadata = file::metadata(CURRENT, path).ok()?;
        if metadata.kind != Kind::Fifo || inode_number(metadata.inode) != found.extension.origin.inode {
            return None;
        }
        let ends = (file::open_read(CURRENT, path).ok()?, file::open_write(CURRENT, path).ok()?);
        file::make_blocking(ends.0.as_fd()).and_then(|()| file::make_blocking(ends.1.as_fd())).ok()?;
        Some(ends)
    })
}

/// When to look at a process that cannot be watched.
pub fn look_at(foreign: Option<&Foreign>) -> Option<Instant> {
    match foreign {
        Some(Foreign { end: None, .. }) => Some(clock::monotonic().plus(supervision::limits::LOOK_INTERVAL)),
        Some(_) | None => None,
    }
}
