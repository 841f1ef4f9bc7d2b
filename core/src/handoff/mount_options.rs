//! Options of mount(8): some are flags for the kernel, some are for nobody here, the rest is for the file system.

use crate::handoff::keyword::{Keyword, keyword, meaning};
use crate::limits::MOUNT_DATA_BYTES;
use crate::text::Text;

/// Read-only.
pub const READ_ONLY: u32 = 1;

/// What a word is for. Flags are known by their bits in the kernel's number (mount(2)).
#[derive(Clone, Copy)]
enum Meaning {
    Set(u8),
    Clear(u8),
    /// For those who decide what is mounted, and when.
    Nothing,
}

const WORDS: [Keyword<Meaning>; 24] = [
    keyword(b"ro", Meaning::Set(0)),
    keyword(b"rw", Meaning::Clear(0)),
    keyword(b"nosuid", Meaning::Set(1)),
    keyword(b"suid", Meaning::Clear(1)),
    keyword(b"nodev", Meaning::Set(2)),
    keyword(b"dev", Meaning::Clear(2)),
    keyword(b"noexec", Meaning::Set(3)),
    keyword(b"exec", Meaning::Clear(3)),
    keyword(b"sync", Meaning::Set(4)),
    keyword(b"async", Meaning::Clear(4)),
    keyword(b"noatime", Meaning::Set(10)),
    keyword(b"atime", Meaning::Clear(10)),
    keyword(b"nodiratime", Meaning::Set(11)),
    keyword(b"diratime", Meaning::Clear(11)),
    keyword(b"relatime", Meaning::Set(21)),
    keyword(b"norelatime", Meaning::Clear(21)),
    keyword(b"strictatime", Meaning::Set(24)),
    keyword(b"lazytime", Meaning::Set(25)),
    keyword(b"defaults", Meaning::Nothing),
    keyword(b"auto", Meaning::Nothing),
    keyword(b"noauto", Meaning::Nothing),
    keyword(b"nofail", Meaning::Nothing),
    keyword(b"_netdev", Meaning::Nothing),
    keyword(b"", Meaning::Nothing),
];

/// What mount(2) is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MountOptions {
    /// The kernel's flags.
    pub flags: u32,
    /// What is for the file system, separated by commas.
    pub data: Text<MOUNT_DATA_BYTES>,
}

/// There is no room for what is for the file system.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooLong;

impl MountOptions {
    /// These flags, and nothing for the file system.
    pub const fn new(flags: u32) -> Self {
        Self { flags, data: Text::new() }
    }

    /// Adds `options`, separated by commas. Of those that contradict each other the last one counts.
    ///
    /// # Errors
    /// [`TooLong`]; the file system must not be mounted with half of them.
    pub fn add(&mut self, options: &[u8]) -> Result<(), TooLong> {
        for word in options.split(|byte| *byte == b',') {
            match meaning(&WORDS, word) {
                Some(Meaning::Set(bit)) => self.flags |= 1_u32.wrapping_shl(bit.into()),
                Some(Meaning::Clear(bit)) => self.flags &= !1_u32.wrapping_shl(bit.into()),
                Some(Meaning::Nothing) => {}
                None if matches!(word, [b'x' | b'X', b'-', ..]) => {}
                None => self.push(word)?,
            }
        }
        Ok(())
    }

    fn push(&mut self, word: &[u8]) -> Result<(), TooLong> {
        if !self.data.as_bytes().is_empty() {
            self.data.push(b",");
        }
        self.data.push(word);
        // What fills it may be cut.
        if self.data.as_bytes().len() < MOUNT_DATA_BYTES { Ok(()) } else { Err(TooLong) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(options: &str) -> (u32, String) {
        let mut all = MountOptions::new(0);
        all.add(options.as_bytes()).unwrap();
        (all.flags, String::from_utf8(all.data.as_bytes().to_vec()).unwrap())
    }

    /// The kernel's numbers are in its header; written down here a second time.
    #[test]
    fn flags_are_those_of_the_kernel() {
        assert_eq!(said("ro,nosuid,nodev,noexec,sync"), (1 | 2 | 4 | 8 | 16, String::new()));
        assert_eq!(said("noatime,nodiratime"), (1024 | 2048, String::new()));
        assert_eq!(said("relatime,strictatime,lazytime"), (1 << 21 | 1 << 24 | 1 << 25, String::new()));
    }

    #[test]
    fn flags_can_be_taken_back() {
        for (set, clear) in [
            ("ro", "rw"),
            ("nosuid", "suid"),
            ("nodev", "dev"),
            ("noexec", "exec"),
            ("sync", "async"),
            ("noatime", "atime"),
            ("nodiratime", "diratime"),
            ("relatime", "norelatime"),
        ] {
            let mut options = MountOptions::new(u32::MAX);
            options.add(clear.as_bytes()).unwrap();
            assert_eq!(options.flags.count_zeros(), 1, "{clear}");
            options.add(set.as_bytes()).unwrap();
            assert_eq!(options.flags, u32::MAX, "{set}");
        }
    }

    #[test]
    fn the_last_of_two_counts() {
        assert_eq!(said("ro,rw").0, 0);
        assert_eq!(said("rw,ro").0, READ_ONLY);
        let mut options = MountOptions::new(READ_ONLY);
        assert_eq!(options.add(b"noatime"), Ok(()));
        assert_eq!(options.flags, READ_ONLY | 1024);
    }

    #[test]
    fn the_rest_is_for_the_file_system() {
        let options =
            "defaults,subvol=@,rw,nofail,x-systemd.automount,compress=zstd,,X-mount.mkdir,context=\"a,b\",user_xattr";
        assert_eq!(said(options), (0, "subvol=@,compress=zstd,context=\"a,b\",user_xattr".to_owned()));
        assert_eq!(said(""), (0, String::new()));
    }

    #[test]
    fn what_is_too_much_is_refused() {
        let full = "x".repeat(MOUNT_DATA_BYTES - 3);
        assert_eq!(said(&format!("{full},y")).1.len(), MOUNT_DATA_BYTES - 1);
        for more in ["yz", "y,z", "yzzzz"] {
            assert_eq!(MountOptions::new(0).add(format!("{full},{more}").as_bytes()), Err(TooLong), "{more}");
        }
    }
}
