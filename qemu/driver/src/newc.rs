//! The newc form of a cpio archive, the one that the kernel unpacks as an initramfs.
//!
//! Written directly, so that device nodes and files of root need no privilege: everything belongs to 0:0, was changed at time 0 and
//! stands in the order of its path. The same tree gives the same bytes. (Kernel documentation, driver-api/early-userspace/buffer-format.)

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::{fs, io};

const MAGIC: &str = "070701";
const TRAILER: &str = "TRAILER!!!";
/// Headers and contents begin at a multiple of this.
const ALIGNMENT_BYTES: usize = 4;

const TYPE_DIRECTORY: u32 = 0o040_000;
const TYPE_FILE: u32 = 0o100_000;
const TYPE_LINK: u32 = 0o120_000;
const TYPE_CHARACTER_DEVICE: u32 = 0o020_000;

/// What stands at a path. Modes are the permission bits alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    Directory { mode: u32 },
    File { mode: u32, content: Vec<u8> },
    Link { target: String },
    CharacterDevice { mode: u32, major: u32, minor: u32 },
}

/// A file tree in memory; paths are relative to its root, without a slash in front.
#[derive(Debug, Default)]
pub struct Tree {
    entries: BTreeMap<String, Entry>,
}

impl Tree {
    /// Puts `entry` at `path`, in the place of what stood there, and makes the directories above it.
    pub fn put(&mut self, path: &str, entry: Entry) {
        let mut above = path;
        while let Some((directory, _)) = above.rsplit_once('/') {
            self.entries.entry(directory.to_owned()).or_insert(Entry::Directory { mode: 0o755 });
            above = directory;
        }
        self.entries.insert(path.to_owned(), entry);
    }

    /// Every path in order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// Writes files, directories and links below `directory`. Device nodes are left out: only root could make them.
    ///
    /// # Errors
    /// Something cannot be written.
    pub fn write_below(&self, directory: &Path) -> io::Result<()> {
        fs::create_dir_all(directory)?;
        for (path, entry) in &self.entries {
            let path = directory.join(path);
            match entry {
                Entry::Directory { mode } => {
                    fs::create_dir_all(&path)?;
                    fs::set_permissions(&path, fs::Permissions::from_mode(*mode))?;
                }
                Entry::File { mode, content } => {
                    fs::write(&path, content)?;
                    fs::set_permissions(&path, fs::Permissions::from_mode(*mode))?;
                }
                Entry::Link { target } => symlink(target, &path)?,
                Entry::CharacterDevice { .. } => {}
            }
        }
        Ok(())
    }

    /// The whole archive.
    pub fn to_newc(&self) -> Vec<u8> {
        let mut archive = Vec::new();
        for (index, (path, entry)) in self.entries.iter().enumerate() {
            write_entry(&mut archive, index as u32 + 1, path, entry);
        }
        write_entry(&mut archive, 0, TRAILER, &Entry::File { mode: 0, content: Vec::new() });
        archive
    }
}

fn write_entry(archive: &mut Vec<u8>, inode: u32, path: &str, entry: &Entry) {
    let (mode, content, device): (u32, &[u8], (u32, u32)) = match entry {
        Entry::Directory { mode } => (TYPE_DIRECTORY | mode, &[], (0, 0)),
        Entry::File { mode, content } => (TYPE_FILE | mode, content, (0, 0)),
        Entry::Link { target } => (TYPE_LINK | 0o777, target.as_bytes(), (0, 0)),
        Entry::CharacterDevice { mode, major, minor } => (TYPE_CHARACTER_DEVICE | mode, &[], (*major, *minor)),
    };
    let fields = [
        inode,
        mode,
        0, // uid
        0, // gid
        1, // links
        0, // time of the last change
        content.len() as u32,
        0, // device that holds the file, major
        0, // and minor
        device.0,
        device.1,
        path.len() as u32 + 1,
        0, // checksum, unused in this form
    ];
    archive.extend_from_slice(MAGIC.as_bytes());
    for field in fields {
        archive.extend_from_slice(format!("{field:08x}").as_bytes());
    }
    archive.extend_from_slice(path.as_bytes());
    archive.push(0);
    pad(archive);
    archive.extend_from_slice(content);
    pad(archive);
}

fn pad(archive: &mut Vec<u8>) {
    archive.resize(archive.len().next_multiple_of(ALIGNMENT_BYTES), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_is_written_byte_for_byte() {
        let mut tree = Tree::default();
        tree.put("hi", Entry::File { mode: 0o644, content: b"hello".to_vec() });

        let archive = tree.to_newc();

        let file = concat!(
            "070701",
            "00000001",
            "000081a4",
            "00000000",
            "00000000",
            "00000001",
            "00000000",
            "00000005",
            "00000000",
            "00000000",
            "00000000",
            "00000000",
            "00000003",
            "00000000",
            "hi\0\0\0\0",
            "hello\0\0\0",
        );
        let trailer = concat!(
            "070701",
            "00000000",
            "00008000",
            "00000000",
            "00000000",
            "00000001",
            "00000000",
            "00000000",
            "00000000",
            "00000000",
            "00000000",
            "00000000",
            "0000000b",
            "00000000",
            "TRAILER!!!\0\0\0\0",
        );
        assert_eq!(String::from_utf8(archive).expect("text"), format!("{file}{trailer}"));
    }

    #[test]
    fn directories_above_come_first_and_keep_their_own_mode() {
        let mut tree = Tree::default();
        tree.put("dev", Entry::Directory { mode: 0o700 });
        tree.put("dev/console", Entry::CharacterDevice { mode: 0o600, major: 5, minor: 1 });
        tree.put("a/b/c", Entry::Link { target: "/x".to_owned() });

        assert_eq!(tree.paths().collect::<Vec<_>>(), ["a", "a/b", "a/b/c", "dev", "dev/console"]);
        assert_eq!(tree.entries["dev"], Entry::Directory { mode: 0o700 });
        assert_eq!(tree.entries["a/b"], Entry::Directory { mode: 0o755 });
    }

    #[test]
    fn a_later_entry_takes_the_place_of_an_earlier_one() {
        let mut tree = Tree::default();
        tree.put("sbin/init", Entry::Link { target: "/bin/busybox".to_owned() });
        tree.put("sbin/init", Entry::Link { target: "runit-init".to_owned() });

        assert_eq!(tree.entries["sbin/init"], Entry::Link { target: "runit-init".to_owned() });
    }
}
