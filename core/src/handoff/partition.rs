//! By what a partition is known: its UUID and its label in the partition table of its disk, which is a GPT, or that of DOS.
//!
//! The kernel has read the table and numbered the partitions, so only the one with a known number is looked at. The copy of a GPT at the
//! end of the disk is not.

use crate::handoff::identity::{Label, Uuid, disk_uuid, mixed_uuid};

/// Bytes that are read of a disk at once.
pub const READ_BYTES: usize = 512;

/// What a partition is known by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Partition<'bytes> {
    /// Its UUID; in a table of DOS what the kernel makes of the disk's number and its own.
    pub uuid: Uuid,
    /// Its label; a table of DOS has none.
    pub label: Label<'bytes>,
}

/// What comes next in a search.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step<'bytes> {
    /// [`READ_BYTES`] must be read of the disk, from this byte on.
    Read(u64),
    /// It was found.
    Found(Partition<'bytes>),
    /// There is no such partition, or no table that is known.
    Missing,
}

/// The search for one partition. It begins with what is at the beginning of the disk, and takes three reads at most.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    /// From 1 on.
    number: u32,
    sector: u32,
    stage: Stage,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    First,
    Header,
    Entry,
}

// The table of DOS: its entries, of 16 bytes each, and in each the kind and the first sector.
const DISK: usize = 440;
const ENTRIES: usize = 446;
const ENTRY_BYTES: usize = 16;
const KIND: usize = 4;
const START: usize = 8;
const SIGNATURE: usize = 510;
/// The kind of what covers a disk with a GPT, from the second sector on.
const GPT_COVER: u8 = 0xee;

// The header of a GPT, in the second sector.
const GPT_MAGIC: &[u8; 8] = b"EFI PART";
const GPT_HEADER_BYTES: usize = 12;
const GPT_CHECKSUM: usize = 16;
const GPT_OWN_SECTOR: usize = 24;
const GPT_ENTRIES_SECTOR: usize = 72;
const GPT_ENTRIES: usize = 80;
const GPT_ENTRY_SIZE: usize = 84;
const GPT_LEAST_BYTES: usize = 92;

// One of its entries, of the only size that the kernel takes.
const GPT_ENTRY_BYTES: usize = 128;
const GPT_ENTRY_KIND: usize = 0;
const GPT_ENTRY_UUID: usize = 16;
const GPT_ENTRY_LABEL: usize = 56;

impl Search {
    /// For the partition that the kernel has given this number, on a disk with logical sectors of so many bytes.
    pub const fn new(number: u32, sector: u32) -> Self {
        Self { number, sector, stage: Stage::First }
    }

    /// Takes what was read, and says what comes next.
    pub fn next<'bytes>(&mut self, bytes: &'bytes [u8]) -> Step<'bytes> {
        match self.stage {
            Stage::First => self.first(bytes),
            Stage::Header => self.header(bytes).map_or(Step::Missing, Step::Read),
            Stage::Entry => entry(bytes).map_or(Step::Missing, Step::Found),
        }
    }

    fn first(&mut self, bytes: &[u8]) -> Step<'static> {
        if bytes_at(bytes, SIGNATURE) != [0x55, 0xaa] {
            return Step::Missing;
        }
        let entries = bytes.get(ENTRIES..SIGNATURE).unwrap_or(&[]);
        let is_cover =
            |entry: &[u8]| bytes_at(entry, KIND) == [GPT_COVER] && u32::from_le_bytes(bytes_at(entry, START)) == 1;
        if entries.chunks_exact(ENTRY_BYTES).any(is_cover) {
            self.stage = Stage::Header;
            return Step::Read(self.sector.into());
        }
        // The kernel numbers the partitions of an extended one too, from 5 on.
        match u8::try_from(self.number) {
            Ok(number) => Step::Found(Partition { uuid: disk_uuid(bytes_at(bytes, DISK), number), label: Label::NONE }),
            Err(_) => Step::Missing,
        }
    }

    /// Where the entry lies.
    fn header(&mut self, bytes: &[u8]) -> Option<u64> {
        let number_at = |at| u32::from_le_bytes(bytes_at(bytes, at));
        let length = usize::try_from(number_at(GPT_HEADER_BYTES)).ok()?;
        let is_whole = bytes.starts_with(GPT_MAGIC)
            && length >= GPT_LEAST_BYTES
            && number_at(GPT_CHECKSUM) == checksum(bytes.get(..length)?)
            && u64::from_le_bytes(bytes_at(bytes, GPT_OWN_SECTOR)) == 1
            && number_at(GPT_ENTRY_SIZE) == GPT_ENTRY_BYTES as u32
            && (1..=number_at(GPT_ENTRIES)).contains(&self.number);
        if !is_whole {
            return None;
        }
        self.stage = Stage::Entry;
        let entries = u64::from_le_bytes(bytes_at(bytes, GPT_ENTRIES_SECTOR)).checked_mul(self.sector.into())?;
        let before = u64::from(self.number.wrapping_sub(1)).wrapping_mul(GPT_ENTRY_BYTES as u64);
        entries.checked_add(before)
    }
}

fn entry(bytes: &[u8]) -> Option<Partition<'_>> {
    let (_, label) = bytes.get(..GPT_ENTRY_BYTES)?.split_at_checked(GPT_ENTRY_LABEL)?;
    let is_used = bytes_at(bytes, GPT_ENTRY_KIND) != [0; 16];
    let uuid = || mixed_uuid(&bytes_at(bytes, GPT_ENTRY_UUID));
    is_used.then(|| Partition { uuid: uuid(), label: Label::of_units(label) })
}

/// The bytes at `at`; zeros where they are not all there.
fn bytes_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(|bytes| bytes.first_chunk()).copied().unwrap_or([0; N])
}

/// The checksum of a header (CRC-32, as in Ethernet), its own bytes taken as zeros.
fn checksum(header: &[u8]) -> u32 {
    let own = GPT_CHECKSUM..GPT_CHECKSUM + 4;
    let sum = header.iter().enumerate().fold(u32::MAX, |sum, (place, byte)| {
        let byte = if own.contains(&place) { 0 } else { *byte };
        (0..8).fold(sum ^ u32::from(byte), |sum, _| sum >> 1 ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
    });
    !sum
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Plays a search on a disk.
    fn search(disk: &[u8], number: u32, sector: u32) -> Option<(String, String)> {
        let mut search = Search::new(number, sector);
        let mut offset = 0;
        for _ in 0..3 {
            let start = usize::try_from(offset).unwrap_or(usize::MAX).min(disk.len());
            match search.next(&disk[start..disk.len().min(start + READ_BYTES)]) {
                Step::Read(next) => offset = next,
                Step::Missing => return None,
                Step::Found(partition) => {
                    let mut label = vec![];
                    partition.label.write(&mut |piece| label.extend(piece));
                    let uuid = partition.uuid.as_bytes().to_vec();
                    return Some((String::from_utf8(uuid).unwrap(), String::from_utf8(label).unwrap()));
                }
            }
        }
        panic!("more than three reads");
    }

    fn put(disk: &mut [u8], at: usize, bytes: &[u8]) {
        disk[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn seal(disk: &mut [u8], sector: usize) {
        let sum = checksum(&disk[sector..sector + 92]);
        put(disk, sector + 16, &sum.to_le_bytes());
    }

    /// With partitions 1 and 6 of 8, each with a label.
    fn gpt(sector: usize) -> Vec<u8> {
        let mut disk = vec![0; 4 * sector + 1024];
        put(&mut disk, 446, &[0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff, 1, 0, 0, 0, 9, 0, 0, 0]);
        put(&mut disk, 510, &[0x55, 0xaa]);
        put(&mut disk, sector, b"EFI PART\0\0\x01\0\x5c\0\0\0");
        put(&mut disk, sector + 24, &[1]);
        put(&mut disk, sector + 72, &[3]);
        put(&mut disk, sector + 80, &[8, 0, 0, 0, 128]);
        seal(&mut disk, sector);
        for (index, name) in [(0, "root"), (5, "Größe")] {
            let entry = 3 * sector + index * 128;
            put(&mut disk, entry, &[0xaf, 0x3d]);
            put(&mut disk, entry + 16, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 + index as u8]);
            let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
            put(&mut disk, entry + 56, &units);
        }
        disk
    }

    #[test]
    fn a_gpt_has_uuids_and_labels() {
        for sector in [512, 4096] {
            let disk = gpt(sector);
            let find = |number| search(&disk, number, sector as u32);
            let known = |uuid: &str, label: &str| Some((uuid.to_owned(), label.to_owned()));
            assert_eq!(find(1), known("04030201-0605-0807-090a-0b0c0d0e0f10", "root"));
            assert_eq!(find(6), known("04030201-0605-0807-090a-0b0c0d0e0f15", "Größe"));
            for missing in [0, 2, 5, 8, 9, u32::MAX] {
                assert_eq!(find(missing), None, "{missing}");
            }
        }
    }

    #[test]
    fn a_gpt_with_any_bit_wrong_in_its_header_is_none() {
        let disk = gpt(512);
        for bit in 512 * 8..(512 + 92) * 8 {
            let mut disk = disk.clone();
            disk[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(search(&disk, 1, 512), None, "{bit}");
        }
        assert_eq!(search(&disk, 1, 4096), None);
    }

    #[test]
    fn a_header_that_is_whole_may_still_be_no_use() {
        // Its length, its place, the size of entries, their number, their place.
        for (at, bytes) in [(12, &[0x54][..]), (24, &[2]), (84, &[0, 1]), (80, &[0]), (72, &[0xff; 8])] {
            let mut disk = gpt(512);
            put(&mut disk, 512 + at, bytes);
            put(&mut disk, 512 + 16, &[0; 4]);
            let length = usize::from(disk[512 + 12]);
            let sum = checksum(&disk[512..512 + length]);
            put(&mut disk, 512 + 16, &sum.to_le_bytes());
            assert_eq!(search(&disk, 1, 512), None, "{at}");
        }
    }

    #[test]
    fn a_table_of_dos_has_the_number_of_its_disk() {
        let mut disk = vec![0; 512];
        put(&mut disk, 440, &[0x78, 0x56, 0x34, 0x1a]);
        put(&mut disk, 446 + 4, &[0x83]);
        assert_eq!(search(&disk, 1, 512), None);
        put(&mut disk, 510, &[0x55, 0xaa]);
        for (number, uuid) in [(1, "1a345678-01"), (10, "1a345678-0a"), (255, "1a345678-ff")] {
            assert_eq!(search(&disk, number, 512), Some((uuid.to_owned(), String::new())));
        }
        assert_eq!(search(&disk, 256, 512), None);
        // Not the cover of a GPT: it does not begin at the second sector.
        put(&mut disk, 446 + 4, &[0xee]);
        assert!(search(&disk, 1, 512).is_some());
    }

    #[test]
    fn the_checksum_is_the_known_one() {
        assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn a_disk_that_ends_anywhere_is_no_harm() {
        let disk = gpt(512);
        let whole = search(&disk, 1, 512);
        for end in 0..disk.len() {
            let found = search(&disk[..end], 1, 512);
            assert!(found.is_none() || found == whole, "{end}");
        }
    }

    proptest! {
        #[test]
        fn no_disk_is_too_odd(
            changes in prop::collection::vec((0_usize..4 * 512, any::<u8>()), 0..8),
            sealed: bool,
            number: u32,
            sector: u32,
        ) {
            let mut disk = gpt(512);
            for (at, byte) in changes {
                disk[at] = byte;
            }
            if sealed {
                seal(&mut disk, 512);
            }
            for number in [1, 2, 6, number] {
                let _ = search(&disk, number, 512);
                let _ = search(&disk, number, sector);
            }
        }
    }
}
