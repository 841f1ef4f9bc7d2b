//! File systems that their own tools have made are found as blkid(8) finds them, whole, cut and with wrong bits.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use supervision::handoff::superblock::{ARRAY_BYTES, Kind, PLACES, Superblock, array_places, identify, is_array};
use support::needs;
use tempfile::TempDir;

const MEBIBYTE: u64 = 1024 * 1024;

/// A file that is a device.
struct Image {
    directory: TempDir,
    path: PathBuf,
}

impl Image {
    /// Of so many zeros.
    fn new(length: u64) -> Image {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("image");
        File::create(&path).unwrap().set_len(length).unwrap();
        Image { directory, path }
    }

    /// Made by `tool` with these words, in which `IMAGE` is the file and `TREE` a directory with a file in it.
    fn made(length: u64, tool: &str, words: &[&str]) -> Image {
        let image = Image::new(length);
        let tree = image.directory.path().join("tree");
        std::fs::create_dir(&tree).unwrap();
        std::fs::write(tree.join("file"), "text").unwrap();
        let words = words.iter().map(|word| match *word {
            "IMAGE" => image.path.clone().into(),
            "TREE" => tree.clone().into(),
            word => OsString::from(word),
        });
        let output = Command::new(tool).args(words).output().unwrap();
        assert!(output.status.success(), "{tool}: {output:?}");
        image
    }

    fn overwrite(&self, at: u64, bytes: &[u8]) {
        let mut file = File::options().write(true).open(&self.path).unwrap();
        file.seek(SeekFrom::Start(at)).unwrap();
        file.write_all(bytes).unwrap();
    }

    fn read(&self) -> [Vec<u8>; 2] {
        PLACES.map(|place| {
            let mut file = File::open(&self.path).unwrap();
            file.seek(SeekFrom::Start(place.offset)).unwrap();
            let mut bytes = vec![];
            file.take(place.length as u64).read_to_end(&mut bytes).unwrap();
            bytes
        })
    }

    /// It holds `kind` with this label, and blkid says the same, and which UUID it has.
    fn holds(&self, kind: Kind, label: &str) {
        let [first, far] = self.read();
        let whole = identify([&first, &far]).unwrap_or_else(|| panic!("{kind:?} was not found"));
        let known = known(&self.path);
        assert_eq!((whole.kind, shown_label(&whole).as_str()), (kind, label));
        assert_eq!((whole.kind.name(), shown_label(&whole)), (known.kind.as_bytes(), known.label));
        assert_eq!(String::from_utf8_lossy(whole.uuid.as_bytes()), known.uuid);

        let places = (0..=first.len()).map(|end| (end, far.len())).chain((0..=far.len()).map(|end| (first.len(), end)));
        for (end, far_end) in places {
            let cut = identify([&first[..end], &far[..far_end]]);
            assert!(cut.is_none_or(|cut| cut == whole), "{end} {far_end}");
        }
        for bit in 0..first.len() * 8 {
            let mut first = first.clone();
            first[bit / 8] ^= 1 << (bit % 8);
            let _ = identify([&first, &far]);
        }
        for bit in 0..far.len() * 8 {
            let mut far = far.clone();
            far[bit / 8] ^= 1 << (bit % 8);
            let _ = identify([&first, &far]);
        }
    }

    fn holds_nothing(&self) {
        let [first, far] = self.read();
        assert_eq!(identify([&first, &far]), None);
    }
}

fn shown_label(superblock: &Superblock<'_>) -> String {
    let mut label = vec![];
    superblock.label.write(&mut |piece| label.extend(piece));
    String::from_utf8(label).unwrap()
}

struct Known {
    kind: String,
    uuid: String,
    label: String,
}

fn known(path: &Path) -> Known {
    let output = Command::new("blkid").args(["--probe", "--output", "udev"]).arg(path).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let value = |key: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        plain(line.unwrap_or_default())
    };
    Known { kind: value("ID_FS_TYPE"), uuid: value("ID_FS_UUID_ENC"), label: value("ID_FS_LABEL_ENC") }
}

/// A text in which odd bytes are written as `\xHH`.
fn plain(text: &str) -> String {
    let mut bytes = vec![];
    let mut rest = text.as_bytes();
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        if let Some((digits, behind)) =
            rest.strip_prefix(b"x").filter(|_| *byte == b'\\').and_then(|rest| rest.split_at_checked(2))
        {
            rest = behind;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap());
        } else {
            bytes.push(*byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn ext2() {
    if needs(&["blkid", "mke2fs"]) {
        let options = ["-q", "-t", "ext2", "-L", "old root", "-U", "01234567-89ab-cdef-0123-456789ABCDEF", "IMAGE"];
        Image::made(8 * MEBIBYTE, "mke2fs", &options).holds(Kind::Ext2, "old root");
        Image::made(8 * MEBIBYTE, "mke2fs", &["-q", "-t", "ext2", "-r", "0", "IMAGE"]).holds(Kind::Ext2, "");
    }
}

#[test]
fn ext3() {
    if needs(&["blkid", "mke2fs"]) {
        Image::made(
            16 * MEBIBYTE,
            "mke2fs",
            &["-q", "-t", "ext3", "-O", "has_journal", "-L", "sixteen-letters!", "IMAGE"],
        )
        .holds(Kind::Ext3, "sixteen-letters!");
    }
}

#[test]
fn ext4() {
    if needs(&["blkid", "mke2fs"]) {
        let made =
            |words: &[&str]| Image::made(16 * MEBIBYTE, "mke2fs", &[&["-q", "-t", "ext4"], words, &["IMAGE"]].concat());
        made(&["-O", "extents,has_journal", "-L", "Größe"]).holds(Kind::Ext4, "Größe");
        made(&["-O", "extents,^has_journal", "-b", "4096"]).holds(Kind::Ext4, "");
        made(&["-O", "metadata_csum,64bit,bigalloc,extents", "-L", "a"]).holds(Kind::Ext4, "a");
        // Only the journal of one.
        Image::made(16 * MEBIBYTE, "mke2fs", &["-q", "-O", "journal_dev", "IMAGE"]).holds_nothing();
    }
}

#[test]
fn btrfs() {
    if needs(&["blkid", "mkfs.btrfs"]) {
        let long = "x".repeat(200);
        for label in ["b t r", "", &long] {
            Image::made(256 * MEBIBYTE, "mkfs.btrfs", &["-q", "-L", label, "IMAGE"]).holds(Kind::Btrfs, label);
        }
    }
}

#[test]
fn xfs() {
    if needs(&["blkid", "mkfs.xfs"]) {
        Image::made(400 * MEBIBYTE, "mkfs.xfs", &["-q", "-L", "twelve-bytes", "IMAGE"])
            .holds(Kind::Xfs, "twelve-bytes");
        let options = ["-q", "-s", "size=4096", "-b", "size=8192", "IMAGE"];
        Image::made(400 * MEBIBYTE, "mkfs.xfs", &options).holds(Kind::Xfs, "");
    }
}

#[test]
fn fat() {
    if needs(&["blkid", "mkfs.vfat"]) {
        let made = |length: u64, width: &str, words: &[&str]| {
            Image::made(length * MEBIBYTE, "mkfs.vfat", &[&["-F", width], words, &["IMAGE"]].concat())
        };
        made(2, "12", &["-n", "FLOPPY"]).holds(Kind::Vfat, "FLOPPY");
        made(32, "16", &["-n", "ELEVEN BYTE", "-i", "00ab00cd"]).holds(Kind::Vfat, "ELEVEN BYTE");
        made(64, "32", &["-n", "BOOT", "-s", "1"]).holds(Kind::Vfat, "BOOT");
        made(64, "32", &["-s", "1", "-S", "1024"]).holds(Kind::Vfat, "");
        made(32, "16", &[]).holds(Kind::Vfat, "");
    }
}

#[test]
fn squashfs() {
    if needs(&["blkid", "mksquashfs"]) {
        for block in ["4096", "131072", "1048576"] {
            let options = ["TREE", "IMAGE", "-noappend", "-quiet", "-no-progress", "-b", block];
            Image::made(0, "mksquashfs", &options).holds(Kind::Squashfs, "");
        }
    }
}

#[test]
fn erofs() {
    if needs(&["blkid", "mkfs.erofs"]) {
        Image::made(0, "mkfs.erofs", &["IMAGE", "TREE"]).holds(Kind::Erofs, "");
        // Not every version of the tool can write a label.
        let labelled = Image::made(0, "mkfs.erofs", &["-Enosbcrc", "IMAGE", "TREE"]);
        labelled.overwrite(1024 + 64, b"read-only");
        labelled.holds(Kind::Erofs, "read-only");
    }
}

#[test]
fn f2fs() {
    if needs(&["blkid", "mkfs.f2fs"]) {
        Image::made(100 * MEBIBYTE, "mkfs.f2fs", &["-q", "-l", "Größe 日本", "IMAGE"]).holds(Kind::F2fs, "Größe 日本");
        Image::made(100 * MEBIBYTE, "mkfs.f2fs", &["-q", "IMAGE"]).holds(Kind::F2fs, "");
    }
}

#[test]
fn swap() {
    if needs(&["blkid", "mkswap"]) {
        let image = Image::made(MEBIBYTE, "mkswap", &["-q", "-p", "4096", "-L", "memory", "IMAGE"]);
        image.holds(Kind::Swap, "memory");
        // As the kernel marks it before it goes to sleep.
        image.overwrite(4086, b"S1SUSPEND\0");
        image.holds(Kind::Suspended, "memory");
    }
}

#[test]
fn luks() {
    if needs(&["blkid"]) {
        for version in [1, 2] {
            let image = Image::new(32 * MEBIBYTE);
            image.overwrite(0, &[b"LUKS\xba\xbe".as_slice(), &[0, version]].concat());
            image.read().iter().for_each(|bytes| assert!(!bytes.is_empty()));
            let [first, far] = image.read();
            assert_eq!(identify([&first, &far]).unwrap().kind, Kind::Luks);
            assert_eq!(known(&image.path).kind.as_bytes(), Kind::Luks.name());
        }
    }
}

/// An array of format 1.1, 1.2, 1.0, 0.90, in a device that holds a whole file system besides: blkid finds it first too.
#[test]
fn halves_of_arrays() {
    if needs(&["blkid", "mke2fs"]) {
        let length = 8 * MEBIBYTE;
        for (place, version) in array_places(length / 512).into_iter().zip([[1, 0], [1, 0], [1, 0], [0, 90]]) {
            let image = Image::made(length, "mke2fs", &["-q", "-F", "-t", "ext2", "IMAGE"]);
            let mut superblock = [0; ARRAY_BYTES];
            superblock[..4].copy_from_slice(&0xa92b_4efc_u32.to_le_bytes());
            (superblock[4], superblock[8]) = (version[0], version[1]);
            if version[0] == 1 {
                superblock[144..152].copy_from_slice(&(place / 512).to_le_bytes());
            }
            image.overwrite(place, &superblock);
            assert!(is_array(place, &superblock));
            assert_eq!(known(&image.path).kind.as_bytes(), Kind::ArrayMember.name(), "{place}");
        }
    }
}

/// A file system that is made where another one was covers it.
#[test]
fn what_was_made_last_is_found() {
    if !needs(&["blkid", "mke2fs", "mkfs.btrfs", "mkfs.xfs", "mkfs.vfat", "mkfs.f2fs", "mkswap"]) {
        return;
    }
    type Maker = (&'static str, &'static [&'static str], Kind);
    let makers: [Maker; 7] = [
        ("mke2fs", &["-q", "-F", "-t", "ext4", "-O", "extents"], Kind::Ext4),
        ("mkfs.btrfs", &["-q", "-f"], Kind::Btrfs),
        ("mkfs.xfs", &["-q", "-f"], Kind::Xfs),
        ("mkfs.vfat", &["-F", "32"], Kind::Vfat),
        ("mkfs.vfat", &["-F", "16"], Kind::Vfat),
        ("mkfs.f2fs", &["-q", "-f"], Kind::F2fs),
        ("mkswap", &["-q", "-f", "-p", "4096"], Kind::Swap),
    ];
    let image = Image::new(400 * MEBIBYTE);
    for (before, before_options, _) in makers {
        for (tool, options, kind) in makers {
            for (tool, options) in [(before, before_options), (tool, options)] {
                let output = Command::new(tool).args(options).arg(&image.path).output().unwrap();
                assert!(output.status.success(), "{tool}: {output:?}");
            }
            let [first, far] = image.read();
            let found = identify([&first, &far]).map(|found| found.kind);
            assert_eq!(found, Some(kind), "{tool} after {before}");
        }
    }
}
