//! What the kernel tells of a device: a message of its own (netlink, `NETLINK_KOBJECT_UEVENT`), and the file `uevent` in sysfs.

use crate::handoff::split;
use crate::text::decimal;

/// What is told: values by their keys.
#[derive(Clone, Copy, Debug)]
pub struct Uevent<'text> {
    text: &'text [u8],
    /// What is behind each value.
    end: u8,
}

impl<'text> Uevent<'text> {
    /// Reads a message. `None` if it is none of the kernel's: udev's begin otherwise.
    pub fn of_message(message: &'text [u8]) -> Option<Self> {
        let (title, text) = split(message, 0)?;
        split(title, b'@').map(|_| Self { text, end: 0 })
    }

    /// Reads the file of a device. It says neither of what kind a change was, nor which directory and subsystem it is from.
    pub const fn of_file(text: &'text [u8]) -> Self {
        Self { text, end: b'\n' }
    }

    /// `add`, `change`, `remove` ...
    pub fn action(self) -> &'text [u8] {
        self.value(b"ACTION")
    }

    /// The directory of the device, below `/sys`.
    pub fn path(self) -> &'text [u8] {
        self.value(b"DEVPATH")
    }

    /// `block` and others.
    pub fn subsystem(self) -> &'text [u8] {
        self.value(b"SUBSYSTEM")
    }

    /// The name below `/dev`.
    pub fn name(self) -> &'text [u8] {
        self.value(b"DEVNAME")
    }

    /// `disk` or `partition`.
    pub fn kind(self) -> &'text [u8] {
        self.value(b"DEVTYPE")
    }

    /// The major number of the device.
    pub fn major(self) -> Option<u32> {
        self.number(b"MAJOR")
    }

    /// The minor number of the device.
    pub fn minor(self) -> Option<u32> {
        self.number(b"MINOR")
    }

    /// Which partition of its disk it is.
    pub fn partition(self) -> Option<u32> {
        self.number(b"PARTN")
    }

    /// Of two values the first counts; it is empty where there is none.
    #[inline(never)]
    fn value(self, wanted: &[u8]) -> &'text [u8] {
        let mut lines = self.text.split(|byte| *byte == self.end).filter_map(|line| split(line, b'='));
        lines.find(|(key, _)| *key == wanted).map_or(&[], |(_, value)| value)
    }

    #[inline(never)]
    fn number(self, wanted: &[u8]) -> Option<u32> {
        decimal(self.value(wanted))?.try_into().ok()
    }
}

/// The kernel's name of the disk of a partition: the directory that the partition's lies in, in sysfs, as `DEVPATH` and the links of
/// `/sys/class/block` have it.
pub fn disk_of(path: &[u8]) -> Option<&[u8]> {
    path.rsplit(|byte| *byte == b'/').nth(1).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As Linux 6.1 sends it.
    const MESSAGE: &[u8] = b"add@/devices/pci0000:00/0000:00:03.0/virtio0/block/vda/vda1\0ACTION=add\0\
        DEVPATH=/devices/pci0000:00/0000:00:03.0/virtio0/block/vda/vda1\0SUBSYSTEM=block\0MAJOR=254\0MINOR=1\0DEVNAME=vda1\0\
        DEVTYPE=partition\0DISKSEQ=9\0PARTN=1\0PARTNAME=my=root\0SEQNUM=1054\0";

    #[test]
    fn a_message_tells_of_a_partition() {
        let told = Uevent::of_message(MESSAGE).unwrap();
        let path = b"/devices/pci0000:00/0000:00:03.0/virtio0/block/vda/vda1";
        assert_eq!((told.action(), told.path(), told.subsystem()), (&b"add"[..], &path[..], &b"block"[..]));
        assert_eq!((told.name(), told.kind()), (&b"vda1"[..], &b"partition"[..]));
        assert_eq!((told.major(), told.minor(), told.partition()), (Some(254), Some(1), Some(1)));
        assert_eq!(disk_of(told.path()), Some(&b"vda"[..]));
    }

    #[test]
    fn a_file_tells_the_same_but_for_what_its_place_says() {
        let told = Uevent::of_file(b"MAJOR=8\nMINOR=17\nDEVNAME=cciss/c0d0p1\nDEVTYPE=partition\nPARTN=17\n");
        assert_eq!((told.name(), told.kind()), (&b"cciss/c0d0p1"[..], &b"partition"[..]));
        assert_eq!((told.major(), told.minor(), told.partition()), (Some(8), Some(17), Some(17)));
        assert_eq!((told.action(), told.path(), told.subsystem()), (&b""[..], &b""[..], &b""[..]));
    }

    #[test]
    fn what_is_not_told_is_not_there() {
        let told =
            Uevent::of_message(b"add@/module/loop\0ACTION=add\0SUBSYSTEM=module\0MAJOR=8\0MINOR=x\0PARTN\0").unwrap();
        assert_eq!((told.major(), told.minor(), told.partition(), told.name()), (Some(8), None, None, &b""[..]));
    }

    #[test]
    fn messages_of_others_are_none() {
        for message in [&b""[..], b"libudev\0\xfe\xed\xca\xfe\0ACTION=add\0", b"ACTION=add\0x@y\0", b"\0\0"] {
            assert!(Uevent::of_message(message).is_none(), "{message:?}");
        }
    }

    #[test]
    fn the_disk_is_the_directory_above() {
        assert_eq!(disk_of(b"../../devices/virtual/block/md0/md0p1"), Some(&b"md0"[..]));
        assert_eq!(disk_of(b"../../devices/cciss0/block/cciss!c0d0/cciss!c0d0p1"), Some(&b"cciss!c0d0"[..]));
        for path in [&b""[..], b"vda", b"/vda"] {
            assert_eq!(disk_of(path), None);
        }
    }

    proptest! {
        #[test]
        fn no_message_is_too_odd(message in prop::collection::vec(any::<u8>(), 0..200), cut in 0_usize..MESSAGE.len()) {
            for told in [Uevent::of_message(&message), Some(Uevent::of_file(&message)), Uevent::of_message(&MESSAGE[..cut])] {
                let _ = told.map(|told| (told.name(), told.partition(), disk_of(told.path()).is_some()));
            }
            let _ = disk_of(&message);
        }
    }
}
