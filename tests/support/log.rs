//! A log directory: prepared by a test, and looked at while a logger writes into it or after.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::scratch::Scratch;
use crate::wait::wait_until;

/// The mode of a file that was closed properly, and of one that is finished.
pub const CLOSED: u32 = 0o744;

/// The mode of `current` while a logger has it open.
pub const OPEN: u32 = 0o644;

/// The characters of `@`, a label in hexadecimal, a dot and a letter.
const ARCHIVE_NAME: usize = 27;

/// One file of a log directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFile {
    /// Its name.
    pub name: String,
    /// Its permission bits.
    pub mode: u32,
    /// All that is in it; nothing if it is no plain file.
    pub bytes: Vec<u8>,
}

impl LogFile {
    /// True for `@`, 24 lower-case hexadecimal digits, `.`, and one letter.
    pub fn is_archive(&self) -> bool {
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        match self.name.as_bytes() {
            [b'@', rest @ .., b'.', b'a'..=b'z'] if self.name.len() == ARCHIVE_NAME => rest.iter().all(is_digit),
            _ => false,
        }
    }

    /// The letter behind the dot of an archive's name: `s` finished, `u` not yet processed, `t` in the making.
    pub fn kind(&self) -> Option<char> {
        self.is_archive().then(|| self.name.chars().last())?
    }
}

/// A log directory.
#[derive(Clone, Debug)]
pub struct LogDirectory {
    path: PathBuf,
}

impl LogDirectory {
    /// The log directory at this path, whether it is there or not.
    pub fn new(path: impl Into<PathBuf>) -> LogDirectory {
        LogDirectory { path: path.into() }
    }

    /// Makes a log directory at this path.
    pub fn create(path: impl Into<PathBuf>) -> LogDirectory {
        let log = LogDirectory::new(path);
        std::fs::create_dir_all(&log.path).expect("a log directory");
        log
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file of it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Its last component.
    pub fn name(&self) -> String {
        self.path.file_name().expect("a name").to_string_lossy().into_owned()
    }

    // ---- what a test puts there

    /// Writes `config`.
    pub fn config(self, text: impl AsRef<[u8]>) -> LogDirectory {
        self.file("config", text, 0o644)
    }

    /// Writes a file and gives it a mode. 0744 makes a `current` that was closed properly.
    pub fn file(self, name: &str, bytes: impl AsRef<[u8]>, mode: u32) -> LogDirectory {
        let path = self.join(name);
        std::fs::write(&path, bytes).expect("a file");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("mode");
        self
    }

    // ---- what is there

    /// The bytes of a file, none if it is not there.
    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.join(name)).unwrap_or_default()
    }

    /// The bytes of `current`.
    pub fn current(&self) -> Vec<u8> {
        self.read("current")
    }

    /// The permission bits of a file, `None` if it is not there.
    pub fn mode(&self, name: &str) -> Option<u32> {
        Some(self.join(name).symlink_metadata().ok()?.mode() & 0o7777)
    }

    /// All its files in the order of their names. A file that goes away meanwhile makes it look again, so what it
    /// answers was there at one moment, but for what is appended.
    pub fn files(&self) -> Vec<LogFile> {
        wait_until("a look between two rotations", || {
            let names = self.names();
            let files: Option<Vec<LogFile>> = names.iter().map(|name| self.look(name)).collect();
            files.filter(|_| self.names() == names)
        })
    }

    /// Its finished files and those that wait, oldest first: name, mode, contents.
    pub fn archives(&self) -> Vec<LogFile> {
        self.files().into_iter().filter(LogFile::is_archive).collect()
    }

    /// How many finished files of this kind there are: `s`, `u` or `t`.
    pub fn count(&self, kind: char) -> usize {
        self.files().iter().filter(|file| file.kind() == Some(kind)).count()
    }

    /// All that is in it, oldest first: finished files, files that wait, `current`. What a processor is writing is not.
    pub fn all_bytes(&self) -> Vec<u8> {
        let files = self.files();
        let current = files.iter().filter(|file| file.name == "current");
        let archives = files.iter().filter(|file| matches!(file.kind(), Some('s' | 'u')));
        archives.chain(current).flat_map(|file| file.bytes.iter().copied()).collect()
    }

    /// The lines of [`Self::all_bytes`]; a last one without end counts.
    pub fn all_lines(&self) -> Vec<String> {
        String::from_utf8_lossy(&self.all_bytes()).lines().map(str::to_owned).collect()
    }

    fn names(&self) -> Vec<String> {
        let entries =
            std::fs::read_dir(&self.path).map(|entries| entries.flatten().collect()).unwrap_or_else(|_| vec![]);
        let mut names: Vec<String> =
            entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn look(&self, name: &str) -> Option<LogFile> {
        let metadata = self.join(name).symlink_metadata().ok()?;
        let bytes = if metadata.is_file() { std::fs::read(self.join(name)).ok()? } else { Vec::new() };
        Some(LogFile { name: name.to_owned(), mode: metadata.mode() & 0o7777, bytes })
    }

    // ---- waiting

    /// Waits until `current` is exactly this.
    #[track_caller]
    pub fn wait_current(&self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        let what = format!("current of {}: {:?}", self.name(), String::from_utf8_lossy(bytes));
        wait_until(&what, || (self.current() == bytes).then_some(()));
    }

    /// Waits until this text is somewhere in it.
    #[track_caller]
    pub fn wait_text(&self, text: &str) {
        let is_there = || String::from_utf8_lossy(&self.all_bytes()).contains(text);
        wait_until(&format!("{text:?} in {}", self.name()), || is_there().then_some(()));
    }

    /// Waits until there are so many finished files of a kind: `s`, `u` or `t`.
    #[track_caller]
    pub fn wait_count(&self, kind: char, count: usize) {
        let what = format!("{count} files .{kind} in {}", self.name());
        wait_until(&what, || (self.count(kind) == count).then_some(()));
    }

    /// Waits until a file is there.
    #[track_caller]
    pub fn wait_file(&self, name: &str) {
        wait_until(&format!("{name} in {}", self.name()), || self.mode(name));
    }
}

impl Scratch {
    /// A new log directory, empty.
    pub fn log(&self, name: &str) -> LogDirectory {
        LogDirectory::create(self.path().join(name))
    }
}
