//! The log of a `runsvdir`: what its services say on standard error is shown in its command line (runsvdir(8)).

use core::ffi::CStr;

use supervision::limits::{MARK_INTERVAL, READOUT_BYTES};
use supervision::process::Pid;
use supervision::supervise::readout::{SHORTEST, append};
use supervision::time::Instant;
use sys::file::{self, CURRENT, Kind, Waiting};
use sys::standard::{Standard, redirect};
use sys::title::Title;
use sys::{BorrowedFd, Descriptor, clock, poll, process, report, standard};

use crate::Words;

/// The log, if there is one.
pub struct Readout(Option<Open>);

struct Open {
    title: Title,
    /// What services say.
    pipe: Descriptor,
    /// What those of an earlier `runsvdir` say.
    old: Option<Descriptor>,
    /// When to show that it lives.
    mark_at: Instant,
}

impl Readout {
    /// Makes the word at `index` a log, and standard error the pipe to it. `directory` is for messages.
    pub fn open(words: Words, index: usize, directory: &CStr) -> Self {
        let Some(word) = words.get(index) else { return Self(None) };
        let warn = |what: &[u8]| {
            report::line(standard::error(), b"runsvdir %: warning: %", &[directory.to_bytes(), what]);
        };
        let opened = if word.count_bytes() < SHORTEST { None } else { open_pipe(&warn) };
        let title = opened.is_some().then(|| words.title(index)).flatten();
        match opened.zip(title) {
            Some((pipe, title)) => {
                let mut open = Open { title, pipe, old: None, mark_at: clock::monotonic() };
                open.mark();
                Self(Some(open))
            }
            None => {
                if word.count_bytes() < SHORTEST {
                    warn(b"log must have at least seven characters.");
                }
                warn(b"log service disabled.");
                Self(None)
            }
        }
    }

    /// The pipes to wait for.
    pub fn pipes(&self) -> [Option<BorrowedFd<'_>>; 2] {
        let open = self.0.as_ref();
        [open.map(|open| open.pipe.as_fd()), open.and_then(|open| open.old.as_ref().map(Descriptor::as_fd))]
    }

    /// When to show that it lives.
    pub fn deadline(&self) -> Option<Instant> {
        self.0.as_ref().map(|open| open.mark_at)
    }

    /// Shows what was said, a part of it if it is much.
    pub fn take(&mut self) {
        let Some(open) = &mut self.0 else { return };
        open.mark();
        let mut buffer = [0; READOUT_BYTES];
        if let Ok(said) = file::read(open.pipe.as_fd(), &mut buffer) {
            append(open.title.bytes(), said);
        }
        if let Some(old) = &open.old {
            match file::read(old.as_fd(), &mut buffer) {
                Ok([]) => open.old = None,
                Ok(said) => append(open.title.bytes(), said),
                Err(_) => {}
            }
        }
    }

    /// Hears those whose `runsvdir` is gone: `supervisor` has its pipe as standard error.
    pub fn take_over(&mut self, supervisor: Pid) {
        if let Some(open) = &mut self.0
            && open.old.is_none()
        {
            let mut path = process::path_of(supervisor, b"/fd/2");
            open.old = path.terminated().and_then(open_pipe_of);
        }
    }
}

impl Open {
    fn mark(&mut self) {
        let now = clock::monotonic();
        if now >= self.mark_at {
            self.mark_at = now.plus(MARK_INTERVAL);
            append(self.title.bytes(), b".");
        }
    }
}

/// The reading end of a pipe whose writing end is standard error from now on.
fn open_pipe(warn: &dyn Fn(&[u8])) -> Option<Descriptor> {
    let Ok((reader, writer)) = file::pipe(Waiting::Never) else {
        warn(b"unable to create pipe for log.");
        return None;
    };
    // Those who write must not lose their words because they are fast.
    if file::make_blocking(writer.as_fd()).and_then(|()| redirect(writer.as_fd(), Standard::Error)).is_err() {
        warn(b"unable to set filedescriptor for log.");
        return None;
    }
    Some(reader)
}

fn open_pipe_of(path: &CStr) -> Option<Descriptor> {
    let pipe = file::metadata(CURRENT, path).ok().filter(|metadata| metadata.kind == Kind::Fifo);
    // One that somebody reads is not ours.
    let is_left = file::open_write(CURRENT, path).is_ok_and(|writer| poll::has_no_reader(writer.as_fd()));
    pipe.filter(|_| is_left).and_then(|_| file::open_read(CURRENT, path).ok())
}
