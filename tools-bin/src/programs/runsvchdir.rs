//! `runsvchdir`: makes the link `current` lead to another level (runsvchdir(8)).

use core::ffi::CStr;

use supervision::limits::LINK_BYTES;
use supervision::process::errno::Errno;
use supervision::process::message::Line;
use supervision::supervise::level::{self, LinkText, Wanted};
use sys::file::{self, CURRENT, Kind, Metadata};
use sys::{BorrowedFd, process, report, standard};

use crate::levels::{BEFORE, Levels, RUNNING};
use crate::{Words, lock};

// Both are there for a moment alone.
const NEW_RUNNING: &CStr = c"current.new";
const NEW_BEFORE: &CStr = c"previous.new";

const EXIT_USAGE: i32 = 1;
const EXIT_FAILED: i32 = 111;

/// Something failed, and it is told.
struct Failed;

/// Changes the level.
pub fn main(words: Words) -> i32 {
    let Some(word) = words.get(1) else {
        report::line(standard::error(), b"usage: % dir\n", &[words.called()]);
        return EXIT_USAGE;
    };
    match change(words, word) {
        Ok(template) => {
            report::line(standard::output(), template, &[word.to_bytes()]);
            0
        }
        Err(Failed) => EXIT_FAILED,
    }
}

/// Gives the line that tells of it.
fn change(words: Words, word: &CStr) -> Result<&'static [u8], Failed> {
    let Some(wanted) = Wanted::new(word.to_bytes()) else {
        return Err(fail(&words, b"%: must not start with a dot.", word.to_bytes(), None));
    };
    let unable_to_enter =
        |path: &CStr, reason: Errno| fail(&words, b"unable to chdir: %: %", path.to_bytes(), Some(reason));
    let levels = Levels::find(words.environment());
    let path = levels.links.unwrap_or(levels.directory);
    let directory = file::open_directory(CURRENT, path).map_err(|reason| unable_to_enter(path, reason))?;
    let links = Links { words, directory: directory.as_fd() };
    if let Err(reason) = lock::take(links.directory) {
        let values = [words.called(), path.to_bytes(), reason.text()];
        report::line(standard::error(), b"%: warning: unable to lock: %: %", &values);
    }
    process::enter_path(levels.directory).map_err(|reason| unable_to_enter(levels.directory, reason))?;
    let level = find_level(&links, word, wanted)?;
    let running = file::metadata(links.directory, RUNNING)
        .map_err(|reason| fail(&words, b"unable to stat: %: %", RUNNING.to_bytes(), Some(reason)))?;
    if level.is_same(&running) {
        return Ok(b"runsvchdir: %: current.");
    }
    links.clear()?;
    // What somebody left behind who was killed is no level.
    find_level(&links, word, wanted)?;
    let mut buffer = [0; LINK_BYTES];
    let text = match (wanted, levels.links) {
        (Wanted::Previous, _) => LinkText::from_bytes(links.read(BEFORE, &mut buffer).unwrap_or(&[])),
        (Wanted::Current | Wanted::Named, None) => LinkText::from_bytes(word.to_bytes()),
        (Wanted::Current | Wanted::Named, Some(_)) => level::link_text(levels.directory.to_bytes(), word.to_bytes()),
    };
    links.lead_to(text, &running)?;
    Ok(b"runsvchdir: %: now current.")
}

/// The directory that is wanted.
fn find_level(links: &Links<'_>, word: &CStr, wanted: Wanted) -> Result<Metadata, Failed> {
    let (directory, path) = match wanted {
        Wanted::Current => (links.directory, RUNNING),
        Wanted::Previous => (links.directory, BEFORE),
        Wanted::Named => (CURRENT, word),
    };
    match file::metadata(directory, path) {
        Ok(level) if level.kind == Kind::Directory => Ok(level),
        Ok(_) => Err(fail(&links.words, b"%: not a directory.", word.to_bytes(), None)),
        Err(reason) => {
            let template: &[u8] = if reason == Errno::NOENT { b"%: %" } else { b"unable to stat: %: %" };
            Err(fail(&links.words, template, word.to_bytes(), Some(reason)))
        }
    }
}

/// The links, and what messages begin with.
struct Links<'a> {
    words: Words,
    directory: BorrowedFd<'a>,
}

impl Links<'_> {
    fn read<'buffer>(&self, link: &CStr, buffer: &'buffer mut [u8]) -> Result<&'buffer [u8], Errno> {
        file::read_link(self.directory, link, buffer)
    }

    /// The text of a link; `None` if there is none, and it is an error if something else has its name.
    fn read_if_there<'buffer>(&self, link: &CStr, buffer: &'buffer mut [u8]) -> Result<Option<&'buffer [u8]>, Failed> {
        match self.read(link, buffer) {
            Ok(text) => Ok(Some(text)),
            Err(Errno::NOENT) => Ok(None),
            Err(Errno::INVAL) => Err(fail(&self.words, b"%: not a link.", link.to_bytes(), None)),
            Err(reason) => Err(self.fail_to_remove(link, reason)),
        }
    }

    /// Removes the two new links, where somebody was killed between making and renaming them.
    fn clear(&self) -> Result<(), Failed> {
        for link in [NEW_RUNNING, NEW_BEFORE] {
            if self.read_if_there(link, &mut [0])?.is_some() {
                file::remove(self.directory, link).map_err(|reason| self.fail_to_remove(link, reason))?;
            }
        }
        Ok(())
    }

    fn fail_to_remove(&self, link: &CStr, reason: Errno) -> Failed {
        fail(&self.words, b"unable to unlink: %: %", link.to_bytes(), Some(reason))
    }

    /// Makes `current`, which leads to `running`, lead to `text`, and `previous` to what it led to. Both are made beside their
    /// places first. `current` comes last: where that fails, only `previous` has to be put back.
    fn lead_to(&self, mut text: LinkText, running: &Metadata) -> Result<(), Failed> {
        let (mut running_text, mut before_text) = ([0; LINK_BYTES], [0; LINK_BYTES]);
        let running_text = self.read(RUNNING, &mut running_text).map_err(|reason| {
            let is_directory = reason == Errno::INVAL && running.kind == Kind::Directory;
            let reason = if is_directory { Errno::ISDIR } else { reason };
            fail(&self.words, b"unable to copy: % to previous: %", RUNNING.to_bytes(), Some(reason))
        })?;
        let before_text = self.read_if_there(BEFORE, &mut before_text)?;
        self.make(NEW_RUNNING, &mut text)?;
        let outcome = self.make(NEW_BEFORE, &mut LinkText::from_bytes(running_text)).and_then(|()| {
            file::rename(self.directory, NEW_BEFORE, BEFORE).map_err(|reason| self.fail_to_remove(BEFORE, reason))?;
            file::rename(self.directory, NEW_RUNNING, RUNNING).map_err(|reason| {
                self.put_back(before_text);
                fail(&self.words, b"unable to move: % to current: %", NEW_RUNNING.to_bytes(), Some(reason))
            })
        });
        if outcome.is_err() {
            for link in [NEW_RUNNING, NEW_BEFORE] {
                let _ = file::remove(self.directory, link);
            }
        }
        outcome
    }

    fn make(&self, link: &CStr, text: &mut LinkText) -> Result<(), Failed> {
        let made = match text.terminated() {
            Some(text) => file::make_link(text, self.directory, link),
            None => Err(Errno::NAMETOOLONG),
        };
        made.map_err(|reason| {
            let mut what = LinkText::from_bytes(link.to_bytes());
            what.push(b" -> ");
            what.push(text.as_bytes().split(|byte| *byte == 0).next().unwrap_or(&[]));
            fail(&self.words, b"unable to create: %: %", what.as_bytes(), Some(reason))
        })
    }

    fn put_back(&self, before: Option<&[u8]>) {
        let Some(text) = before else {
            let _ = file::remove(self.directory, BEFORE);
            return;
        };
        if self.make(NEW_BEFORE, &mut LinkText::from_bytes(text)).is_ok() {
            let _ = file::rename(self.directory, NEW_BEFORE, BEFORE);
        }
    }
}

/// Tells what failed: `template` with `what` and the reason, if there is one, in its places.
#[inline(never)]
fn fail(words: &Words, template: &[u8], what: &[u8], reason: Option<Errno>) -> Failed {
    let mut line = Line::default();
    line.fill(b"%: fatal: ", &[words.called()]);
    line.fill(template, &[what, reason.map_or(b"", Errno::text)]);
    let _ = report::write(standard::error(), &line);
    Failed
}
