//! What a disk was told to write, as QEMU's driver blklogwrites keeps it (the format of Linux's dm-log-writes), and
//! the disk as it would be had the power gone in between.

use anyhow::{Context, Result, ensure};
use std::fs::File;
use std::io::ErrorKind;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

const MAGIC: u64 = 0x006a_7366_7773_6872;
/// Offsets within the superblock: magic, version and number of entries, of 8 bytes each, and the size of a sector, of
/// 4.
const SECTOR_SIZE_AT: usize = 24;
const SUPERBLOCK_BYTES: usize = 28;
/// Sector, number of sectors, flags, and the length of the data, which is not used here, of 8 bytes each.
const ENTRY_BYTES: usize = 32;

const FLUSH: u64 = 1;
const FUA: u64 = 2;
const DISCARD: u64 = 4;
const KNOWN: u64 = 15;

/// One request to the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Write {
    /// First byte on the disk, and how many.
    place: u64,
    length: u64,
    flags: u64,
    /// Where its data stand in the log.
    data_at: u64,
}

impl Write {
    /// All that was written before is on the disk for good.
    fn is_flush(&self) -> bool {
        self.flags & FLUSH != 0
    }

    /// It is itself on the disk for good.
    fn is_forced(&self) -> bool {
        self.flags & FUA != 0
    }
}

/// A log that may still grow: nobody else knows how many entries it has until QEMU ends.
pub struct WriteLog {
    file: File,
    sector_bytes: u64,
    /// Where the next entry will stand.
    next_at: u64,
    pub writes: Vec<Write>,
}

impl WriteLog {
    /// # Errors
    /// There is no log yet.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("unable to open: {}", path.display()))?;
        let mut superblock = [0; SUPERBLOCK_BYTES];
        file.read_exact_at(&mut superblock, 0).context("no superblock")?;
        ensure!(number(&superblock, 0) == MAGIC, "not a log of writes: {}", path.display());
        let sector_bytes = number(&superblock, SECTOR_SIZE_AT - 4) >> 32;
        ensure!(sector_bytes >= 512, "sectors of {sector_bytes} bytes");
        Ok(Self { file, sector_bytes, next_at: sector_bytes, writes: Vec::new() })
    }

    /// Takes what has come since the last time. An entry is written after its data, as a whole.
    ///
    /// # Errors
    /// The log cannot be read, or makes no sense.
    pub fn read_on(&mut self) -> Result<()> {
        let mut entry = [0; ENTRY_BYTES];
        loop {
            match self.file.read_exact_at(&mut entry, self.next_at) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
                Err(error) => return Err(error).context("unable to read the log"),
            }
            if entry == [0; ENTRY_BYTES] {
                return Ok(());
            }
            let (sector, sectors, flags) = (number(&entry, 0), number(&entry, 8), number(&entry, 16));
            ensure!(flags & !KNOWN == 0, "entry {} of the log has flags {flags}", self.writes.len());
            let length = sectors * self.sector_bytes;
            let data_at = self.next_at + self.sector_bytes;
            self.writes.push(Write { place: sector * self.sector_bytes, length, flags, data_at });
            let has_data = flags & DISCARD == 0;
            self.next_at = data_at + if has_data { length } else { 0 };
        }
    }

    /// Does some of the writes to a disk.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn apply(&self, range: Range<usize>, disk: &File) -> Result<()> {
        self.writes[range].iter().try_for_each(|write| self.apply_one(write, disk))
    }

    /// What is discarded may stay.
    fn apply_one(&self, write: &Write, disk: &File) -> Result<()> {
        if write.flags & DISCARD != 0 {
            return Ok(());
        }
        let mut data = vec![0; usize::try_from(write.length)?];
        self.file.read_exact_at(&mut data, write.data_at).context("the log ends within data")?;
        Ok(disk.write_all_at(&data, write.place)?)
    }

    /// How many of the first `count` writes no cut could take back: those before the last flush.
    pub fn safe_before(&self, count: usize) -> usize {
        self.writes[..count].iter().rposition(Write::is_flush).unwrap_or_default()
    }

    /// Does those of some writes that were forced, or that `keeps` wants; returns how many were lost.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn apply_some(&self, range: Range<usize>, disk: &File, mut keeps: impl FnMut() -> bool) -> Result<usize> {
        let mut lost = 0;
        for write in &self.writes[range] {
            if write.is_forced() || write.length == 0 || keeps() {
                self.apply_one(write, disk)?;
            } else {
                lost += 1;
            }
        }
        Ok(lost)
    }
}

/// A little-endian number of 8 bytes.
fn number(bytes: &[u8], at: usize) -> u64 {
    bytes[at..at + 8].iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A log with sectors of 512 bytes; each write fills one sector of the disk with its letter.
    fn log(entries: &[(u64, u64, u8)]) -> (tempfile::TempDir, WriteLog) {
        let directory = tempfile::tempdir().expect("a directory");
        let mut bytes = Vec::new();
        for value in [MAGIC, 1, entries.len() as u64] {
            bytes.extend_from_slice(&value.to_le_bytes());
        }
        bytes.extend_from_slice(&512_u32.to_le_bytes());
        bytes.resize(512, 0);
        for &(sector, flags, letter) in entries {
            let sectors = u64::from(letter != 0);
            let start = bytes.len();
            for value in [sector, sectors, flags, 0] {
                bytes.extend_from_slice(&value.to_le_bytes());
            }
            bytes.resize(start + 512, 0);
            if flags & DISCARD == 0 && letter != 0 {
                bytes.resize(start + 1024, letter);
            }
        }
        // QEMU is given a log that is large enough from the start.
        bytes.resize(bytes.len() + 4096, 0);
        let path = directory.path().join("log");
        fs::write(&path, bytes).expect("a log");
        let mut log = WriteLog::open(&path).expect("a log");
        log.read_on().expect("entries");
        (directory, log)
    }

    fn disk(directory: &tempfile::TempDir) -> File {
        let path = directory.path().join("disk");
        fs::write(&path, [b'.'; 2048]).expect("a disk");
        File::options().read(true).write(true).open(path).expect("a disk")
    }

    fn letters(disk: &File) -> String {
        let letter = |sector: u64| {
            let mut byte = [0];
            disk.read_exact_at(&mut byte, sector * 512).expect("a sector");
            char::from(byte[0])
        };
        (0..4).map(letter).collect()
    }

    #[test]
    fn entries_are_read_up_to_the_first_empty_one() {
        let (directory, log) = log(&[(0, 0, b'a'), (1, DISCARD, b'x'), (0, FLUSH, 0), (3, FUA, b'b')]);
        let disk = disk(&directory);

        log.apply(0..log.writes.len(), &disk).expect("written");

        assert_eq!(log.writes.len(), 4);
        assert_eq!(letters(&disk), "a..b");
    }

    #[test]
    fn only_what_came_after_the_last_flush_and_was_not_forced_is_lost() {
        let (directory, log) = log(&[(0, 0, b'a'), (0, FLUSH, 0), (1, 0, b'b'), (2, FUA, b'c'), (3, 0, b'd')]);
        let disk = disk(&directory);
        let safe = log.safe_before(4);
        assert_eq!((safe, log.safe_before(1)), (1, 0));

        let lost = log.apply_some(safe..4, &disk, || false).expect("written");

        assert_eq!((lost, letters(&disk).as_str()), (1, "..c."));
    }
}
