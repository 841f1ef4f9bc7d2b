//! The files of one log directory: each thing that the machine asks for is done here, once.

use core::ffi::CStr;

use supervision::limits::CONFIG_FAULTS;
use supervision::log::archive::{Census, Name};
use supervision::log::config::{Config, Fault};
use supervision::log::directory::Directory;
use supervision::log::event::{Event, Presence, What};
use supervision::log::target::Target;
use supervision::process::errno::Errno;
use supervision::process::signal::Signal;
use supervision::tai64n::Label;
use supervision::text::Text;
use sys::file::{self, Kind, Metadata, Told};
use sys::report::Errors;
use sys::{Descriptor, directory, network};

const CURRENT: &CStr = c"current";
const LOCK: &CStr = c"lock";
const CONFIG: &CStr = c"config";

/// Of `current` while it is written to.
const OPEN_MODE: u32 = 0o644;
/// Of a file that was closed properly.
pub const CLOSED_MODE: u32 = 0o744;

/// What is open of a log directory.
pub struct Files {
    path: &'static CStr,
    is_verbose: bool,
    directory: Option<Descriptor>,
    lock: Option<Descriptor>,
    /// With what it is.
    current: Option<(Descriptor, Metadata)>,
    /// Where lines are sent.
    target: Option<Target>,
    socket: Option<Descriptor>,
    /// The mode that the directory had.
    mode: u32,
    /// The directory was opened, and `current` was not yet.
    is_opening: bool,
}

impl Files {
    /// Nothing is open yet.
    pub fn new(path: &'static CStr, is_verbose: bool) -> Self {
        Self {
            path,
            is_verbose,
            directory: None,
            lock: None,
            current: None,
            target: None,
            socket: None,
            mode: 0o755,
            is_opening: false,
        }
    }

    /// Another descriptor of the directory, with a place of its own in it.
    pub fn reopen(&self) -> Result<Descriptor, Errno> {
        let directory = self.directory.as_ref().ok_or(Errno::NOENT)?;
        file::open_directory(directory.as_fd(), c".")
    }

    /// Opens the directory below `start`, takes its lock, reads its config, looks at `current`.
    pub fn open(&mut self, start: &Descriptor, machine: &mut Directory, busy: Option<Label>, must_make: bool) -> Event {
        self.close(false);
        match self.try_open(start, machine, busy, must_make) {
            Ok(event) => event,
            Err((what, reason)) => {
                self.close(true);
                Event::Failed(what, reason)
            }
        }
    }

    fn try_open(
        &mut self,
        start: &Descriptor,
        machine: &mut Directory,
        busy: Option<Label>,
        must_make: bool,
    ) -> Result<Event, (What, Errno)> {
        let open = || file::open_directory(start.as_fd(), self.path);
        let opened = match open() {
            Err(Errno::NOENT) if must_make => {
                file::make_directory(start.as_fd(), self.path, self.mode).and_then(|()| open())
            }
            opened => opened,
        };
        let opened = opened.map_err(|reason| (What::OpenDirectory, reason))?;
        let metadata = file::metadata_of(opened.as_fd());
        if let Ok(metadata) = &metadata {
            self.mode = metadata.mode & 0o7777;
        }
        let before = self.directory.replace(opened);
        let before = before.and_then(|before| file::metadata_of(before.as_fd()).ok());
        let is_same = before.zip(metadata.ok()).is_some_and(|(before, metadata)| before.is_same(&metadata));
        // A lock that is kept cannot be lost: a child just before its exec has it, too, and would hold it for a moment.
        if !is_same || self.lock.is_none() {
            self.lock = None;
            self.lock = Some(self.take_lock().map_err(|reason| (What::Lock, reason))?);
        }
        self.read_config(machine.config_mut());
        self.target = machine.config().settings().target;
        let (size, is_sealed) = self.look_at_current()?;
        match self.take_census(busy, false) {
            Ok(census) => machine.saw(census.latest()),
            Err(reason) => self.warn(What::ReadDirectory, reason),
        }
        if let Some(directory) = &self.directory {
            // Where the kernel does not tell, what was removed is noticed at HUP.
            let _ = file::tell_changes(directory.as_fd(), Told::RemovalsAndRenames, Signal::IO);
        }
        self.is_opening = true;
        Ok(Event::Opened { size, is_sealed })
    }

    fn take_lock(&self) -> Result<Descriptor, Errno> {
        let directory = self.directory.as_ref().ok_or(Errno::NOENT)?;
        let lock = file::open_lock(directory.as_fd(), LOCK)?;
        file::lock(lock.as_fd()).map(|()| lock)
    }

    /// Size and state of `current`, if it is there; it must be a file.
    fn look_at_current(&self) -> Result<(u64, bool), (What, Errno)> {
        let Some(directory) = &self.directory else { return Ok((0, true)) };
        if file::read_link(directory.as_fd(), CURRENT, &mut [0]).is_ok() {
            return Err((What::OpenCurrent, Errno::LOOP));
        }
        match file::metadata(directory.as_fd(), CURRENT) {
            Ok(metadata) => match metadata.kind {
                Kind::Other => Ok((metadata.size, metadata.is_owner_executable())),
                Kind::Directory => Err((What::OpenCurrent, Errno::ISDIR)),
                Kind::Fifo | Kind::CharacterDevice | Kind::BlockDevice => Err((What::OpenCurrent, Errno::NODEV)),
            },
            Err(Errno::NOENT) => Ok((0, true)),
            Err(reason) => Err((What::StatCurrent, reason)),
        }
    }

    fn read_config(&self, config: &mut Config) {
        let (length, is_cut) = match self.load_config(config.space()) {
            Ok(loaded) => {
                self.tell(b"svlogd: info: read: %/config", &[]);
                loaded
            }
            Err(Errno::NOENT) => (0, false),
            Err(reason) => {
                Errors.line(b"svlogd: warning: unable to read config: %: %", &[self.path.to_bytes(), reason.text()]);
                (0, false)
            }
        };
        let mut count = 0;
        config.read(length, is_cut, &mut |line, fault| {
            count += 1;
            if fault == Fault::CarriageReturn || count <= CONFIG_FAULTS {
                self.tell_fault(line, fault);
            }
        });
    }

    /// Bytes that were read into `space`, and whether there are more.
    fn load_config(&self, space: &mut [u8]) -> Result<(usize, bool), Errno> {
        let directory = self.directory.as_ref().ok_or(Errno::NOENT)?;
        let opened = file::open_read(directory.as_fd(), CONFIG)?;
        let mut length = 0_usize;
        while let Some(rest) = space.get_mut(length..).filter(|rest| !rest.is_empty()) {
            match file::read(opened.as_fd(), rest)?.len() {
                0 => return Ok((length, false)),
                count => length = length.saturating_add(count),
            }
        }
        Ok((length, !file::read(opened.as_fd(), &mut [0])?.is_empty()))
    }

    fn tell_fault(&self, line: u32, fault: Fault) {
        let text: &[u8] = match fault {
            Fault::UnknownDirective => b"unknown directive",
            Fault::NoNumber => b"not a number",
            Fault::TooLarge => b"number too large",
            Fault::NoAddress => b"not an ip address",
            Fault::NoPort => b"not a port number",
            Fault::Nul => b"holds a NUL",
            Fault::TooLong => b"config too long",
            Fault::CarriageReturn => b"",
        };
        let template: &[u8] = match fault {
            Fault::CarriageReturn => b"svlogd: warning: carriage return left out of line % of config: %",
            _ => b"svlogd: warning: unable to use line % of config: %: %",
        };
        let mut number = Text::<10>::new();
        number.push_number(line.into());
        let values = [number.as_bytes(), self.path.to_bytes(), text];
        Errors.line(template, &values);
    }

    /// Opens `current` for appending.
    pub fn create(&mut self) -> Event {
        self.current = None;
        let Some(directory) = &self.directory else { return Event::Failed(What::OpenCurrent, Errno::NOENT) };
        let must_tell = self.is_verbose && core::mem::take(&mut self.is_opening);
        let was_there = must_tell && file::exists(directory.as_fd(), CURRENT) == Ok(true);
        match file::open_to_append(directory.as_fd(), CURRENT) {
            Ok((current, metadata)) => {
                // Somebody else's file stays as it is, but for its contents.
                let _ = file::set_mode_of(current.as_fd(), OPEN_MODE);
                self.current = Some((current, metadata));
                let template: &[u8] =
                    if was_there { b"svlogd: info: append: %/current" } else { b"svlogd: info: new: %/current" };
                if must_tell {
                    self.tell(template, &[]);
                }
                Event::Created { size: metadata.size, ends_line: ends_with_line(directory, metadata.size) }
            }
            Err(reason) => Event::Failed(What::OpenCurrent, reason),
        }
    }

    /// Writes to `current`.
    pub fn write(&self, parts: &[&[u8]]) -> Event {
        let Some((current, _)) = &self.current else { return Event::Failed(What::Write, Errno::NOENT) };
        match file::write_parts(current.as_fd(), parts) {
            Ok(0) => Event::Failed(What::Write, Errno::NOSPC),
            Ok(count) => Event::Written(count),
            Err(reason) => Event::Failed(What::Write, reason),
        }
    }

    /// Sends one datagram.
    pub fn send(&mut self, parts: &[&[u8]]) -> Event {
        let Some(target) = &self.target else { return Event::Done };
        let socket = match self.socket.take() {
            Some(socket) => Ok(socket),
            None => network::open(target),
        };
        let sent = socket.and_then(|socket| network::send(self.socket.insert(socket), target, parts));
        answer(What::Send, sent)
    }

    /// Writes `current` to the disk.
    pub fn sync(&self) -> Event {
        answer(What::Sync, self.current.as_ref().map_or(Ok(()), |(current, _)| file::sync(current.as_fd())))
    }

    /// Marks `current` as closed properly.
    pub fn seal(&self) -> Event {
        let sealed =
            self.current.as_ref().map_or(Ok(()), |(current, _)| file::set_mode_of(current.as_fd(), CLOSED_MODE));
        answer(What::SetMode, sealed)
    }

    /// Gives `current`, of so many bytes, another name, unless something has it.
    pub fn rename(&self, name: &Name, size: u64) -> Event {
        let Some(directory) = &self.directory else { return Event::Failed(What::Rename, Errno::NOENT) };
        let renamed = file::rename_to_new(directory.as_fd(), CURRENT, name.as_path());
        if renamed.is_ok() && self.is_verbose && !self.is_opening {
            let mut number = Text::<20>::new();
            number.push_number(size);
            self.tell(b"svlogd: info: rename: %/current % %", &[name.as_bytes(), number.as_bytes()]);
        }
        answer(What::Rename, renamed)
    }

    /// Writes the directory to the disk, if that can be done.
    pub fn sync_directory(&self) -> Event {
        if let Some(directory) = &self.directory {
            let _ = file::sync(directory.as_fd());
        }
        Event::Done
    }

    /// Looks at all files; removes what a processor has left behind.
    pub fn take_census(&self, busy: Option<Label>, has_processor: bool) -> Result<Census, Errno> {
        let directory = self.directory.as_ref().ok_or(Errno::NOENT)?;
        let mut census = Census::new(busy, has_processor);
        directory::visit_again(directory, |entry| {
            if let Some(name) = census.see(entry.to_bytes())
                && let Err(reason) = file::remove(directory.as_fd(), name.as_path())
            {
                let template = b"svlogd: warning: unable to unlink processor leftover: %/%: %";
                Errors.line(template, &[self.path.to_bytes(), name.as_bytes(), reason.text()]);
            }
        })?;
        Ok(census)
    }

    /// Removes surplus files, of which `keep` may stay.
    pub fn prune(&self, census: &Census, keep: u32) -> Event {
        let mut are_removed = true;
        for name in census.surplus(keep).iter().chain(&census.overdue(keep)) {
            self.tell(b"svlogd: info: delete: %/%", &[name.as_bytes()]);
            are_removed &= self.remove(name);
        }
        Event::Pruned { is_complete: !are_removed || !census.is_incomplete(keep) }
    }

    /// Removes the oldest file, if there are more than `least`.
    pub fn make_room(&self, census: &Census, least: u32) -> Event {
        let Some(name) = census.spare(least) else { return Event::Removed(false) };
        let values = [self.path.to_bytes(), name.as_bytes()];
        Errors.line(b"svlogd: warning: out of disk space, delete: %/%", &values);
        Event::Removed(self.remove(&name))
    }

    fn remove(&self, name: &Name) -> bool {
        let Some(directory) = &self.directory else { return false };
        let removed = file::remove(directory.as_fd(), name.as_path());
        if let Err(reason) = removed {
            let template = b"svlogd: warning: unable to unlink oldest logfile: %/%: %";
            Errors.line(template, &[self.path.to_bytes(), name.as_bytes(), reason.text()]);
        }
        removed.is_ok()
    }

    /// Whether `current` is still the file that is open, in a directory that still has a name.
    pub fn check(&self) -> Presence {
        let (Some(directory), Some((current, own))) = (&self.directory, &self.current) else {
            return Presence::Present;
        };
        match file::metadata(directory.as_fd(), CURRENT) {
            Ok(named) if named.is_same(own) => Presence::Present,
            Err(reason) if reason != Errno::NOENT && reason != Errno::LOOP => Presence::Present,
            _ => match file::metadata_of(directory.as_fd()) {
                Ok(metadata) if metadata.links == 0 => Presence::DirectoryGone,
                _ if file::metadata_of(current.as_fd()).is_ok_and(|metadata| metadata.links > 0) => {
                    Presence::CurrentMoved
                }
                _ => Presence::CurrentGone,
            },
        }
    }

    /// Closes `current`; for the last time, everything.
    pub fn close(&mut self, is_last: bool) {
        if self.current.take().is_some() {
            self.tell(b"svlogd: info: close: %", &[]);
        }
        self.socket = None;
        if is_last {
            (self.lock, self.directory) = (None, None);
        }
    }

    /// Tells that something failed.
    pub fn warn(&self, what: What, reason: Errno) {
        let text: &[u8] = match what {
            What::OpenDirectory if reason == Errno::NOTDIR => b"change directory",
            What::OpenDirectory => b"open log directory",
            What::Lock => b"lock directory",
            What::StatCurrent => b"stat current",
            What::OpenCurrent => b"open current",
            What::Write => b"write to current",
            What::Send => b"send through udp",
            What::Sync => b"fsync current logfile",
            What::SetMode => b"set mode of current",
            What::Rename => b"rename current",
            What::ReadDirectory => b"read directory",
        };
        let values = [text, self.path.to_bytes(), reason.text()];
        Errors.line(b"svlogd: warning: unable to %: %: %", &values);
    }

    /// Tells how many lines are gone.
    pub fn tell_lost(&self, lost: u64, reason: Errno) {
        let mut number = Text::<20>::new();
        number.push_number(lost);
        let values = [number.as_bytes(), self.path.to_bytes(), reason.text()];
        Errors.line(b"svlogd: warning: % lines lost: %: %", &values);
    }

    /// Tells what is done, about the directory and `values`, if that is wanted.
    pub fn tell(&self, template: &[u8], values: &[&[u8]]) {
        if self.is_verbose {
            let mut all = [self.path.to_bytes(), b"", b""];
            all.iter_mut().skip(1).zip(values).for_each(|(place, value)| *place = value);
            Errors.line(template, &all);
        }
    }

    /// Where it is, as it was given.
    pub fn path(&self) -> &'static CStr {
        self.path
    }
}

/// Whether `current` ends with a line; if it cannot be read, nobody will find a torn one either.
fn ends_with_line(directory: &Descriptor, size: u64) -> bool {
    let Some(last) = size.checked_sub(1) else { return true };
    let mut byte = [b'\n'];
    let read = file::open_read(directory.as_fd(), CURRENT).and_then(|current| {
        file::seek(current.as_fd(), last)?;
        file::read(current.as_fd(), &mut byte).map(drop)
    });
    read.is_err() || byte == [b'\n']
}

fn answer(what: What, outcome: Result<(), Errno>) -> Event {
    match outcome {
        Ok(()) => Event::Done,
        Err(reason) => Event::Failed(what, reason),
    }
}
