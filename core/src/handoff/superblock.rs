//! What is on a block device: which file system, and by what it is known.
//!
//! Of each kind a few fields must make sense beside its magic bytes, so that chance is not taken for a file system. What this does *not*
//! do: verify checksums, look at second superblocks, or at the directory in which a FAT may have another label.

use crate::handoff::identity::{Label, Uuid, uuid};

/// What a device holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The second extended file system.
    Ext2,
    /// The third: with a journal.
    Ext3,
    /// The fourth: with what the third does not know.
    Ext4,
    /// btrfs; it may lie on more than this device.
    Btrfs,
    /// XFS.
    Xfs,
    /// FAT, of any width.
    Vfat,
    /// SquashFS.
    Squashfs,
    /// EROFS.
    Erofs,
    /// F2FS.
    F2fs,
    /// Room for memory.
    Swap,
    /// The same with a machine asleep in it.
    Suspended,
    /// An encrypted device.
    Luks,
    /// A part of an md array.
    ArrayMember,
    /// A physical volume of LVM.
    VolumeMember,
}

impl Kind {
    /// The name by which blkid(8) knows it, and for file systems mount(2) too.
    pub const fn name(self) -> &'static [u8] {
        match self {
            Self::Ext2 => b"ext2",
            Self::Ext3 => b"ext3",
            Self::Ext4 => b"ext4",
            Self::Btrfs => b"btrfs",
            Self::Xfs => b"xfs",
            Self::Vfat => b"vfat",
            Self::Squashfs => b"squashfs",
            Self::Erofs => b"erofs",
            Self::F2fs => b"f2fs",
            Self::Swap => b"swap",
            Self::Suspended => b"swsuspend",
            Self::Luks => b"crypto_LUKS",
            Self::ArrayMember => b"linux_raid_member",
            Self::VolumeMember => b"LVM2_member",
        }
    }

    /// Whether it can be mounted.
    pub const fn is_file_system(self) -> bool {
        !matches!(self, Self::Swap | Self::Suspended | Self::Luks | Self::ArrayMember | Self::VolumeMember)
    }
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Superblock<'bytes> {
    /// What it is.
    pub kind: Kind,
    /// Its UUID; of a FAT its serial number.
    pub uuid: Uuid,
    /// Its label.
    pub label: Label<'bytes>,
}

impl Superblock<'_> {
    /// A part of something larger. By what that is known, the part is not: who looks for the whole must not get a half of it.
    pub const fn member(kind: Kind) -> Self {
        Self { kind, uuid: Uuid::new(), label: Label::NONE }
    }
}

/// Where bytes lie on a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// From which byte on.
    pub offset: u64,
    /// How many bytes.
    pub length: usize,
}

/// What must be read of a device: [`identify`] takes them in this order. The first is as long as a page, for swap has its magic bytes
/// at the end of one.
pub const PLACES: [Place; 2] = [Place { offset: 0, length: 4096 }, Place { offset: BTRFS as u64, length: 1024 }];

const BTRFS: u32 = 64 * 1024;

/// A field: where it begins, and its bytes.
type Field = (u16, u16);

/// There is no such field.
const NONE: Field = (0, 0);

/// A number, low byte first: where it lies, how many bytes it has, and between which values it makes sense.
struct Number(u16, u8, u32, u32);

const MOST: u32 = u32::MAX;

/// How a kind is known.
struct Format {
    kind: Kind,
    magic_at: u16,
    magic: &'static [u8],
    uuid: Field,
    label: Field,
    numbers: &'static [Number],
}

// What a kind writes at the very beginning or end stands first: what is behind may be left of something else.
const FORMATS: [Format; 11] = [
    Format {
        kind: Kind::Luks,
        magic_at: 0,
        magic: b"LUKS\xba\xbe\0",
        uuid: NONE,
        label: NONE,
        // Version.
        numbers: &[Number(7, 1, 1, 2)],
    },
    Format {
        kind: Kind::Xfs,
        magic_at: 0,
        magic: b"XFSB",
        uuid: (32, 16),
        label: (108, 12),
        // Groups, the highest byte first; logarithms of the bytes of a block, a sector, an inode.
        numbers: &[Number(88, 4, 1, MOST), Number(120, 1, 9, 16), Number(121, 1, 9, 15), Number(122, 1, 8, 11)],
    },
    Format {
        kind: Kind::Squashfs,
        magic_at: 0,
        magic: b"hsqs",
        uuid: NONE,
        label: NONE,
        // Bytes of a block, and their logarithm; version.
        numbers: &[Number(12, 4, 1 << 12, 1 << 20), Number(22, 2, 12, 20), Number(28, 4, 4, 4)],
    },
    Format {
        kind: Kind::Erofs,
        magic_at: 1024,
        magic: b"\xe2\xe1\xf5\xe0",
        uuid: (1072, 16),
        label: (1088, 16),
        // Logarithm of the bytes of a block.
        numbers: &[Number(1036, 1, 9, 16)],
    },
    Format {
        kind: Kind::F2fs,
        magic_at: 1024,
        magic: b"\x10\x20\xf5\xf2",
        uuid: (1132, 16),
        label: (1148, 1024),
        // Logarithms: bytes of a sector, sectors of a block, bytes of a block.
        numbers: &[Number(1032, 4, 9, 16), Number(1036, 4, 0, 7), Number(1040, 4, 12, 16)],
    },
    Format {
        kind: Kind::Swap,
        magic_at: 4086,
        magic: b"SWAPSPACE2",
        uuid: (1036, 16),
        label: (1052, 16),
        numbers: SWAP,
    },
    Format {
        kind: Kind::Suspended,
        magic_at: 4086,
        magic: b"S1SUSPEND\0",
        uuid: (1036, 16),
        label: (1052, 16),
        numbers: SWAP,
    },
    Format {
        kind: Kind::Ext4,
        magic_at: 1080,
        magic: b"\x53\xef",
        uuid: (1128, 16),
        label: (1144, 16),
        // Logarithm of the KiB of a block; blocks and inodes of a group; revision.
        numbers: &[Number(1048, 4, 0, 6), Number(1056, 4, 1, MOST), Number(1064, 4, 1, MOST), Number(1100, 4, 0, 1)],
    },
    Format {
        kind: Kind::Vfat,
        magic_at: 510,
        magic: b"\x55\xaa",
        uuid: (67, 4),
        label: (71, 11),
        numbers: &[
            FAT_JUMP,
            FAT_SECTOR,
            FAT_CLUSTER,
            FAT_RESERVED,
            FAT_TABLES,
            FAT_MEDIUM,
            // What only a narrow one has: entries of the root directory, sectors of a table. Sectors of a table here. Serial number and
            // label are there.
            Number(17, 2, 0, 0),
            Number(22, 2, 0, 0),
            Number(36, 4, 1, MOST),
            Number(66, 1, 0x29, 0x29),
        ],
    },
    Format {
        kind: Kind::Vfat,
        magic_at: 510,
        magic: b"\x55\xaa",
        uuid: (39, 4),
        label: (43, 11),
        numbers: &[
            FAT_JUMP,
            FAT_SECTOR,
            FAT_CLUSTER,
            FAT_RESERVED,
            FAT_TABLES,
            FAT_MEDIUM,
            Number(17, 2, 1, MOST),
            Number(22, 2, 1, MOST),
            Number(38, 1, 0x29, 0x29),
        ],
    },
    Format {
        kind: Kind::Btrfs,
        magic_at: 64,
        magic: b"_BHRfS_M",
        uuid: (32, 16),
        label: (299, 256),
        // Its own place; bytes of a sector and of a node.
        numbers: &[
            Number(48, 4, BTRFS, BTRFS),
            Number(52, 4, 0, 0),
            Number(144, 4, 1 << 9, 1 << 16),
            Number(148, 4, 1 << 9, 1 << 16),
        ],
    },
];

// Version; the last page; how many pages are bad, for which there is room in the first one.
const SWAP: &[Number] = &[Number(1024, 4, 1, 1), Number(1028, 4, 1, MOST), Number(1032, 4, 0, 637)];

const FAT_JUMP: Number = Number(0, 1, 0xe9, 0xeb);
/// Bytes of a sector.
const FAT_SECTOR: Number = Number(11, 2, 1 << 9, 1 << 12);
/// Sectors of a cluster.
const FAT_CLUSTER: Number = Number(13, 1, 1, 128);
/// Sectors before the tables.
const FAT_RESERVED: Number = Number(14, 2, 1, MOST);
const FAT_TABLES: Number = Number(16, 1, 1, 2);
const FAT_MEDIUM: Number = Number(21, 1, 0xf0, 0xff);

/// Says what a device holds by the bytes that were read at [`PLACES`]; fewer where the device has no more. What ends before its last
/// field is not there.
pub fn identify<'bytes>([first, far]: [&'bytes [u8]; 2]) -> Option<Superblock<'bytes>> {
    if is_volume(first) {
        return Some(Superblock::member(Kind::VolumeMember));
    }
    for format in &FORMATS {
        let bytes = if format.kind == Kind::Btrfs { far } else { first };
        if !format.is_of(bytes) {
            continue;
        }
        let (Some(uuid_bytes), Some(label)) = (field(bytes, format.uuid), field(bytes, format.label)) else { continue };
        let kind = if format.kind == Kind::Ext4 { extended(bytes)? } else { format.kind };
        let label = match kind {
            // What a FAT says that has none.
            Kind::Vfat if label == b"NO NAME    " => Label::NONE,
            Kind::F2fs => Label::of_units(label),
            _ => Label::of_bytes(label),
        };
        return Some(Superblock { kind, uuid: uuid(uuid_bytes), label });
    }
    None
}

/// Whether one of the first four sectors is the label of a physical volume.
fn is_volume(bytes: &[u8]) -> bool {
    let (sectors, _) = bytes.as_chunks::<SECTOR>();
    sectors.iter().take(4).any(|sector| sector.starts_with(b"LABELONE") && field(sector, (24, 8)) == Some(b"LVM2 001"))
}

/// Bytes of what sysfs and md call a sector.
const SECTOR: usize = 512;

/// How much must be read at each of [`array_places`].
pub const ARRAY_BYTES: usize = 256;

/// From which bytes on the superblock of an md array may lie on a device of so many sectors of 512 bytes: format 1.1, 1.2, 1.0 and 0.90.
/// It must be looked for before all else, for a half of a mirror may have a whole file system in it.
pub fn array_places(sectors: u64) -> [u64; 4] {
    let byte = |sector: u64| sector.saturating_mul(SECTOR as u64);
    [0, 4096, byte((sectors & !7).saturating_sub(16)), byte((sectors & !127).saturating_sub(128))]
}

/// Whether the bytes at this one of [`array_places`] are the superblock of an md array. One of format 1 says where it lies: so that of a
/// partition is not taken for that of the disk that ends with it.
pub fn is_array(place: u64, bytes: &[u8]) -> bool {
    let number = |at| field(bytes, (at, 4)).map(number);
    let place = place / SECTOR as u64;
    number(0) == Some(0xa92b_4efc)
        && match number(4) {
            Some(0) => matches!(number(8), Some(90 | 91)),
            Some(1) => field(bytes, (144, 8)).is_some_and(|told| *told == place.to_le_bytes()),
            _ => false,
        }
}

impl Format {
    fn is_of(&self, bytes: &[u8]) -> bool {
        bytes.get(self.magic_at.into()..).is_some_and(|bytes| bytes.starts_with(self.magic))
            && self.numbers.iter().all(|Number(at, length, least, most)| {
                let bytes = field(bytes, (*at, (*length).into()));
                bytes.is_some_and(|bytes| (*least..=*most).contains(&number(bytes)))
            })
    }
}

#[inline(never)]
fn field(bytes: &[u8], (at, length): Field) -> Option<&[u8]> {
    bytes.get(at.into()..)?.get(..length.into())
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// Which of the extended file systems it is; `None`: only the journal of one.
fn extended(bytes: &[u8]) -> Option<Kind> {
    const HAS_JOURNAL: u32 = 0x4;
    const NEEDS_RECOVERY: u32 = 0x4;
    const IS_JOURNAL: u32 = 0x8;
    // Types of files in directories, and groups described by groups.
    const OLD: u32 = 0x2 | 0x10;
    // Few copies of the superblock, large files, directories as trees.
    const OLD_READ_ONLY: u32 = 0x1 | 0x2 | 0x4;
    let features = |at| field(bytes, (at, 4)).map(number);
    let (compatible, incompatible, read_only) = (features(1116)?, features(1120)?, features(1124)?);
    let has_journal = compatible & HAS_JOURNAL != 0;
    if incompatible & IS_JOURNAL != 0 {
        None
    } else if incompatible & !(OLD | NEEDS_RECOVERY) != 0 || read_only & !OLD_READ_ONLY != 0 {
        Some(Kind::Ext4)
    } else if has_journal {
        Some(Kind::Ext3)
    } else {
        Some(Kind::Ext2)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A device of zeros, but for these bytes.
    struct Device([Vec<u8>; 2]);

    impl Device {
        fn with(place: usize, parts: &[(usize, &[u8])]) -> Self {
            let mut places = PLACES.map(|place| vec![0; place.length]);
            for (at, bytes) in parts {
                places[place][*at..at + bytes.len()].copy_from_slice(bytes);
            }
            Self(places)
        }

        fn identify(&self) -> Option<Superblock<'_>> {
            identify([&self.0[0], &self.0[1]])
        }
    }

    type Parts = &'static [(usize, &'static [u8])];

    /// For every kind: the place, and the bytes without which it is not one.
    const NEEDED: [(Kind, usize, Parts); 11] = [
        (Kind::Luks, 0, &[(0, b"LUKS\xba\xbe\0\x02")]),
        (Kind::Xfs, 0, &[(0, b"XFSB"), (91, &[4]), (120, &[12, 9, 9])]),
        (Kind::Squashfs, 0, &[(0, b"hsqs"), (13, &[0x10]), (22, &[17]), (28, &[4])]),
        (Kind::Erofs, 0, &[(1024, b"\xe2\xe1\xf5\xe0"), (1036, &[12])]),
        (Kind::F2fs, 0, &[(1024, b"\x10\x20\xf5\xf2"), (1032, &[9]), (1040, &[12])]),
        (Kind::Swap, 0, &[(1024, &[1]), (1029, &[1]), (4086, b"SWAPSPACE2")]),
        (Kind::Suspended, 0, &[(1024, &[1]), (1029, &[1]), (4086, b"S1SUSPEND")]),
        (Kind::Ext2, 0, &[(1057, &[0x20]), (1065, &[8]), (1080, b"\x53\xef")]),
        (
            Kind::Vfat,
            0,
            &[
                (0, &[0xeb]),
                (12, &[2, 4, 1]),
                (16, &[2]),
                (18, &[2]),
                (21, &[0xf8, 9]),
                (38, &[0x29]),
                (510, b"\x55\xaa"),
            ],
        ),
        (
            Kind::Vfat,
            0,
            &[
                (0, &[0xeb]),
                (12, &[2, 8, 32]),
                (16, &[2]),
                (21, &[0xf8]),
                (36, &[9]),
                (66, &[0x29]),
                (510, b"\x55\xaa"),
            ],
        ),
        (Kind::Btrfs, 1, &[(50, &[1]), (64, b"_BHRfS_M"), (145, &[0x10]), (149, &[0x40])]),
    ];

    #[test]
    fn each_kind_is_known_by_the_bytes_that_it_needs() {
        for (kind, place, parts) in NEEDED {
            let device = Device::with(place, parts);
            let found = device.identify().unwrap_or_else(|| panic!("{kind:?}"));
            let serial = if kind == Kind::Vfat { "0000-0000" } else { "" };
            assert_eq!((found.kind, found.uuid.as_bytes()), (kind, serial.as_bytes()));
            assert!(matches!(found.label, Label::Bytes([]) | Label::Units([])), "{kind:?}");
        }
    }

    #[test]
    fn without_one_of_them_it_is_not_known() {
        for (kind, place, parts) in NEEDED {
            for (at, bytes) in parts {
                for index in 0..bytes.len() {
                    if bytes[index] != 0 {
                        let mut device = Device::with(place, parts);
                        device.0[place][at + index] = 0;
                        assert_eq!(device.identify(), None, "{kind:?} {}", at + index);
                    }
                }
            }
        }
    }

    #[test]
    fn extended_file_systems_are_told_apart_by_what_they_know() {
        // Compatible, incompatible, and compatible for readers.
        for (features, kind) in [
            ([0x38, 0x02, 0x03], Some(Kind::Ext2)),
            ([0x38, 0x12, 0x07], Some(Kind::Ext2)),
            ([0x3c, 0x02, 0x03], Some(Kind::Ext3)),
            ([0x3c, 0x06, 0x03], Some(Kind::Ext3)),
            ([0x3c, 0x42, 0x03], Some(Kind::Ext4)),
            ([0x38, 0x42, 0x03], Some(Kind::Ext4)),
            ([0x3c, 0x02, 0x0b], Some(Kind::Ext4)),
            ([0x38, 0x08, 0x03], None),
        ] {
            let mut device = Device::with(0, NEEDED[7].2);
            for (place, byte) in [1116, 1120, 1124].into_iter().zip(features) {
                device.0[0][place] = byte;
            }
            assert_eq!(device.identify().map(|found| found.kind), kind, "{features:x?}");
        }
    }

    #[test]
    fn a_fat_without_a_name_has_none() {
        for (label, text) in [(&b"NO NAME    "[..], &b""[..]), (b"BOOT       ", b"BOOT"), (b"NO NAMES   ", b"NO NAMES")]
        {
            let mut device = Device::with(0, NEEDED[8].2);
            device.0[0][39..43].copy_from_slice(&[0x78, 0x56, 0x34, 0x12]);
            device.0[0][43..54].copy_from_slice(label);
            let found = device.identify().unwrap();
            assert_eq!((found.uuid.as_bytes(), found.label), (&b"1234-5678"[..], Label::Bytes(text)));
        }
    }

    #[test]
    fn what_a_file_system_covers_is_what_was_there_before() {
        let mut device = Device::with(1, NEEDED[10].2);
        assert_eq!(device.identify().unwrap().kind, Kind::Btrfs);
        for (at, bytes) in NEEDED[7].2 {
            device.0[0][*at..at + bytes.len()].copy_from_slice(bytes);
        }
        assert_eq!(device.identify().unwrap().kind, Kind::Ext2);
    }

    #[test]
    fn a_physical_volume_is_known_by_its_label_in_one_of_four_sectors() {
        for sector in 0..5 {
            let mut device = Device::with(0, NEEDED[7].2);
            device.0[0][sector * 512..][..8].copy_from_slice(b"LABELONE");
            let kind = device.identify().map(|found| found.kind);
            assert_ne!(kind, Some(Kind::VolumeMember));
            device.0[0][sector * 512 + 24..][..8].copy_from_slice(b"LVM2 001");
            let kind = if sector < 4 { Some(Kind::VolumeMember) } else { kind };
            assert_eq!(device.identify().map(|found| found.kind), kind, "{sector}");
        }
    }

    /// A superblock of an md array.
    fn array(version: [u8; 2], sector: u64) -> Vec<u8> {
        let mut bytes = vec![0; ARRAY_BYTES];
        bytes[..4].copy_from_slice(&[0xfc, 0x4e, 0x2b, 0xa9]);
        (bytes[4], bytes[8]) = (version[0], version[1]);
        bytes[144..152].copy_from_slice(&sector.to_le_bytes());
        bytes
    }

    #[test]
    fn an_array_lies_at_four_places() {
        assert_eq!(array_places(204_800), [0, 4096, 204_784 * 512, 204_672 * 512]);
        assert_eq!(array_places(204_807), array_places(204_800));
        assert_eq!(array_places(204_799), [0, 4096, 204_776 * 512, 204_544 * 512]);
        assert_eq!(array_places(0), [0, 4096, 0, 0]);
        assert_eq!(array_places(u64::MAX), [0, 4096, u64::MAX, u64::MAX]);
    }

    #[test]
    fn an_array_of_format_1_says_where_it_lies() {
        for place in array_places(204_800) {
            assert!(is_array(place, &array([1, 0], place / 512)));
            assert!(!is_array(place, &array([1, 0], place / 512 + 8)));
            assert!(!is_array(place, &array([1, 0], place / 512 + (1 << 32))));
            assert!(is_array(place, &array([0, 90], 0)) && is_array(place, &array([0, 91], 0)));
            assert!(!is_array(place, &array([0, 89], 0)) && !is_array(place, &array([2, 90], 0)));
        }
        let mut bytes = array([0, 90], 0);
        assert!(!is_array(0, &bytes[..8]) && !is_array(0, &array([1, 0], 0)[..151]) && !is_array(0, &[]));
        bytes[0] = 0;
        assert!(!is_array(0, &bytes));
    }

    #[test]
    fn a_member_has_no_name_of_its_own() {
        for kind in [Kind::ArrayMember, Kind::VolumeMember] {
            let member = Superblock::member(kind);
            assert!(member.uuid.as_bytes().is_empty() && member.label == Label::NONE && !kind.is_file_system());
        }
        assert_eq!(Kind::ArrayMember.name(), b"linux_raid_member");
        assert_eq!(Kind::VolumeMember.name(), b"LVM2_member");
    }

    #[test]
    fn names_are_told_apart() {
        let kinds = NEEDED.map(|(kind, ..)| kind);
        for kind in kinds {
            assert_eq!(
                kinds.iter().filter(|other| other.name() == kind.name()).count(),
                kinds.iter().filter(|other| **other == kind).count()
            );
        }
        assert!(Kind::Btrfs.is_file_system());
        assert!(!Kind::Swap.is_file_system() && !Kind::Suspended.is_file_system() && !Kind::Luks.is_file_system());
    }

    fn bytes(length: usize) -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(any::<u8>(), length)
    }

    proptest! {
        #[test]
        fn chance_is_no_file_system(first in bytes(4096), far in bytes(1024), format in 0..FORMATS.len()) {
            prop_assert_eq!(identify([&first, &far]), None);
            // Not even with magic bytes, but for those that say nearly all.
            let format = &FORMATS[format];
            let mut places = [first, far];
            let place = &mut places[usize::from(format.kind == Kind::Btrfs)];
            place[format.magic_at.into()..][..format.magic.len()].copy_from_slice(format.magic);
            let found = identify([&places[0], &places[1]]);
            prop_assert!(found.is_none_or(|found| matches!(found.kind, Kind::Erofs | Kind::Luks)));
        }

        #[test]
        fn no_bytes_are_too_odd(
            needed in prop::sample::select(NEEDED.to_vec()),
            changes in prop::collection::vec((0_usize..4096, any::<u8>()), 0..6),
            cuts in (0_usize..=4096, 0_usize..=1024),
        ) {
            let (_, place, parts) = needed;
            let mut device = Device::with(place, parts);
            for (at, byte) in changes {
                let at = at % device.0[place].len();
                device.0[place][at] = byte;
            }
            let _ = identify([&device.0[0][..cuts.0], &device.0[1][..cuts.1]]);
        }
    }
}
