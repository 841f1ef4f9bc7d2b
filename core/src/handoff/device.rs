//! How the command line and fstab(5) name a block device.

use crate::handoff::identity::{Label, Uuid, is_uuid};
use crate::handoff::keyword::{Keyword, keyword, meaning};
use crate::handoff::split;
use crate::text::decimal;

/// What a device is known by, beside its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tag {
    /// The UUID of a file system or swap.
    Uuid,
    /// The label of one.
    Label,
    /// The UUID of a partition; in a partition table without UUIDs, eight digits of its disk's number and two of its own.
    PartitionUuid,
    /// The label of a partition.
    PartitionLabel,
}

const TAGS: [Keyword<Tag>; 4] = [
    keyword(b"UUID", Tag::Uuid),
    keyword(b"LABEL", Tag::Label),
    keyword(b"PARTUUID", Tag::PartitionUuid),
    keyword(b"PARTLABEL", Tag::PartitionLabel),
];

/// A block device, by whatever it is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Device<'text> {
    /// `/dev/NAME`, without `/dev/`.
    Name(&'text [u8]),
    /// `MAJOR:MINOR`.
    Number(u32, u32),
    /// `UUID=` and its like.
    Tag(Tag, &'text [u8]),
}

impl<'text> Device<'text> {
    /// Reads a name; `None` if it is none of these. Behind `=` quotes around the rest do not count.
    pub fn parse(text: &'text [u8]) -> Option<Self> {
        if let Some(name) = text.strip_prefix(b"/dev/") {
            return Some(Self::Name(name)).filter(|_| !name.is_empty());
        }
        if let Some((key, value)) = split(text, b'=') {
            let value = unquoted(value);
            return meaning(&TAGS, key).map(|tag| Self::Tag(tag, value)).filter(|_| !value.is_empty());
        }
        let (major, minor) = split(text, b':')?;
        Some(Self::Number(number(major)?, number(minor)?))
    }

    /// Whether the kernel's name, as it is below `/dev`, or its number are this.
    pub fn is_node(&self, name: &[u8], major: u32, minor: u32) -> bool {
        match *self {
            Self::Name(wanted) => wanted == name,
            Self::Number(wanted_major, wanted_minor) => (wanted_major, wanted_minor) == (major, minor),
            Self::Tag(..) => false,
        }
    }

    /// Whether the file system with these is this.
    pub fn is_content(&self, uuid: &Uuid, label: Label<'_>) -> bool {
        self.is_known_by([Tag::Uuid, Tag::Label], uuid, label)
    }

    /// Whether the partition with these is this.
    pub fn is_partition(&self, uuid: &Uuid, label: Label<'_>) -> bool {
        self.is_known_by([Tag::PartitionUuid, Tag::PartitionLabel], uuid, label)
    }

    fn is_known_by(&self, [uuid_tag, label_tag]: [Tag; 2], uuid: &Uuid, label: Label<'_>) -> bool {
        match *self {
            Self::Tag(tag, wanted) if tag == uuid_tag => is_uuid(uuid, wanted),
            Self::Tag(tag, wanted) if tag == label_tag => label.is(wanted),
            _ => false,
        }
    }
}

fn unquoted(text: &[u8]) -> &[u8] {
    match text {
        [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] => inner,
        _ => text,
    }
}

fn number(digits: &[u8]) -> Option<u32> {
    decimal(digits)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<Device<'_>> {
        Device::parse(text.as_bytes())
    }

    #[test]
    fn every_way_to_name_a_device() {
        assert_eq!(parsed("/dev/sda1"), Some(Device::Name(b"sda1")));
        assert_eq!(parsed("/dev/cciss/c0d0p1"), Some(Device::Name(b"cciss/c0d0p1")));
        assert_eq!(parsed("/dev/odd=name"), Some(Device::Name(b"odd=name")));
        assert_eq!(parsed("259:4294967295"), Some(Device::Number(259, 4_294_967_295)));
        assert_eq!(parsed("UUID=12ab-34cd"), Some(Device::Tag(Tag::Uuid, b"12ab-34cd")));
        assert_eq!(parsed("LABEL=my = root"), Some(Device::Tag(Tag::Label, b"my = root")));
        assert_eq!(parsed("PARTUUID=0011aabb-01"), Some(Device::Tag(Tag::PartitionUuid, b"0011aabb-01")));
        assert_eq!(parsed("PARTLABEL=root"), Some(Device::Tag(Tag::PartitionLabel, b"root")));
    }

    #[test]
    fn quotes_around_a_value_do_not_count() {
        assert_eq!(parsed("LABEL=\"my root\""), Some(Device::Tag(Tag::Label, b"my root")));
        assert_eq!(parsed("LABEL='my root'"), Some(Device::Tag(Tag::Label, b"my root")));
        assert_eq!(parsed("LABEL=\"my root'"), Some(Device::Tag(Tag::Label, b"\"my root'")));
        assert_eq!(parsed("LABEL=\""), Some(Device::Tag(Tag::Label, b"\"")));
    }

    #[test]
    fn everything_else_names_none() {
        for text in [
            "",
            "sda1",
            "/dev/",
            "/dev",
            "/",
            "UUID=",
            "LABEL=\"\"",
            "UUID",
            "uuid=12",
            "NAME=x",
            "=x",
            "8",
            "8:",
            ":1",
            "8:1:0",
            "8:x",
            "4294967296:1",
            "-8:1",
            "tmpfs",
        ] {
            assert_eq!(parsed(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_name_is_asked_only_where_it_can_be_found() {
        let uuid = Uuid::from_bytes(b"12ab-34cd");
        let label = Label::Bytes(b"root");
        let found = |text: &str| {
            let device = parsed(text).unwrap();
            [device.is_node(b"sda1", 8, 1), device.is_content(&uuid, label), device.is_partition(&uuid, label)]
        };
        assert_eq!(found("/dev/sda1"), [true, false, false]);
        assert_eq!(found("8:1"), [true, false, false]);
        assert_eq!(found("UUID=12AB-34CD"), [false, true, false]);
        assert_eq!(found("LABEL=root"), [false, true, false]);
        assert_eq!(found("PARTUUID=12ab-34CD"), [false, false, true]);
        assert_eq!(found("PARTLABEL=root"), [false, false, true]);
        for other in ["/dev/sda", "/dev/sda11", "8:11", "9:1", "UUID=root", "LABEL=12ab-34cd", "PARTLABEL=Root"] {
            assert_eq!(found(other), [false; 3], "{other}");
        }
    }
}
