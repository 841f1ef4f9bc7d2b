//! Environment variables from a directory of files, each named after one (chpst(8), `-e`).

use core::ffi::CStr;
use core::mem;

use supervision::limits::{VARIABLE_BYTES, VARIABLES, VARIABLES_BYTES};
use supervision::process::errno::Errno;
use supervision::process::variable::{Said, is_hidden, is_name, read};
use sys::file::{self, CURRENT};
use sys::strings::{List, Strings};
use sys::{Descriptor, directory, memory, process, report, standard};

use crate::told::{Told, fail, judge_path, out_of_memory};

/// Variables, some of them new.
pub struct Variables {
    list: List,
    /// For those that are new.
    room: &'static mut [u8],
}

/// What is done about a directory among the files.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Directories {
    /// It is passed over.
    Skipped,
    /// The same, and told.
    Told,
    /// It cannot be read.
    Fatal,
}

impl Variables {
    /// Those that are there.
    ///
    /// # Errors
    /// `ENOMEM`.
    pub fn copy(variables: Strings) -> Result<Self, Errno> {
        let (list, room) = List::copy(variables, VARIABLES, VARIABLES_BYTES)?;
        Ok(Self { list, room })
    }

    /// As a list that does not change any more.
    pub fn into_strings(self) -> Strings {
        self.list.into_strings()
    }

    /// Replaces the variable `name`, wherever it is, or adds it.
    ///
    /// # Errors
    /// `ENOMEM`; `E2BIG`: it is larger than the kernel takes.
    pub fn set(&mut self, name: &[u8], value: &[u8]) -> Result<(), Errno> {
        for (place, byte) in self.room_for(name)?.iter_mut().zip(value) {
            *place = *byte;
        }
        self.take(name, Said::Value(value.len()))
    }

    /// Begins the variable `name` in what is free, and gives the place of its value. What fills all of that is too long.
    fn room_for(&mut self, name: &[u8]) -> Result<&mut [u8], Errno> {
        if self.room.len() < VARIABLE_BYTES {
            self.room = memory::take(VARIABLES_BYTES)?;
        }
        let room = self.room.get_mut(..VARIABLE_BYTES).unwrap_or_default();
        let (before, value) = room.split_at_mut_checked(name.len().saturating_add(1)).ok_or(Errno::TOOBIG)?;
        for (place, byte) in before.iter_mut().zip(name.iter().chain(b"=")) {
            *place = *byte;
        }
        Ok(value)
    }

    /// Takes what is said of the variable `name`, whose value lies in its place.
    fn take(&mut self, name: &[u8], said: Said) -> Result<(), Errno> {
        self.list.remove(name);
        let value = match said {
            Said::Nothing => return Ok(()),
            Said::TooLong => return Err(Errno::TOOBIG),
            Said::Value(length) => length,
        };
        // With the `=` and a NUL.
        let length = name.len().saturating_add(value).saturating_add(2);
        let (used, left) = mem::take(&mut self.room).split_at_mut_checked(length).ok_or(Errno::TOOBIG)?;
        self.room = left;
        if let Some(last) = used.last_mut() {
            *last = 0;
        }
        self.list.add(CStr::from_bytes_with_nul(used).map_err(|_| Errno::INVAL)?)
    }

    /// Takes what the file `name` says of the variable `name`.
    fn read(&mut self, directory: &Descriptor, name: &CStr) -> Result<(), Errno> {
        let bytes = name.to_bytes();
        if !is_name(bytes) {
            return Err(Errno::INVAL);
        }
        let opened = file::open_read(directory.as_fd(), name)?;
        let room = self.room_for(bytes)?;
        let mut filled = 0_usize;
        let mut is_whole = false;
        while !is_whole && filled < room.len() {
            let piece = file::read(opened.as_fd(), room.get_mut(filled..).unwrap_or_default())?;
            // What is behind the first line does not matter.
            is_whole = piece.is_empty() || piece.contains(&b'\n');
            filled = filled.saturating_add(piece.len());
        }
        let said = read(room.get_mut(..filled).unwrap_or_default(), is_whole);
        self.take(bytes, said)
    }
}

/// The variables in `variables` as changed by the files in the directory `path`.
///
/// # Errors
/// It is told; the current directory is another one then.
pub fn read_directory(variables: Strings, path: &CStr, directories: Directories) -> Result<Variables, Told> {
    let directory = match file::open_directory(CURRENT, path) {
        Ok(directory) => directory,
        Err(reason) => {
            // Which of the two steps of the original fails.
            judge_path(process::enter_path(path), b"switch to directory", path)?;
            return Err(fail(b"unable to open directory: %: %", &[path.to_bytes(), reason.text()]));
        }
    };
    let mut variables = Variables::copy(variables).map_err(out_of_memory)?;
    let mut outcome = Ok(());
    let visited = directory::visit(&directory, |name| {
        if outcome.is_ok() && !is_hidden(name.to_bytes()) {
            outcome = variables.read(&directory, name).or_else(|reason| judge_file(path, name, reason, directories));
        }
    });
    outcome?;
    judge_path(visited, b"read directory", path)?;
    Ok(variables)
}

/// What follows from a file that cannot be read.
fn judge_file(path: &CStr, name: &CStr, reason: Errno, directories: Directories) -> Result<(), Told> {
    let values = [path.to_bytes(), name.to_bytes(), reason.text()];
    match (reason, directories) {
        // A link that leads nowhere, or a file that was just removed.
        (Errno::NOENT, Directories::Skipped | Directories::Fatal) | (Errno::ISDIR, Directories::Skipped) => Ok(()),
        (Errno::NOENT | Errno::ISDIR, Directories::Told) => {
            report::line(standard::error(), b"chpst: warning: unable to read %/%: %", &values);
            Ok(())
        }
        _ => Err(fail(b"unable to read %/%: %", &values)),
    }
}
