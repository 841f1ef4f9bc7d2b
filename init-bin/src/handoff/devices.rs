//! Block devices: which there are, what is on them, and which one is meant.

use core::ffi::CStr;

use supervision::handoff::device::Device;
use supervision::handoff::identity::{Label, Uuid};
use supervision::handoff::partition::{self, Partition, Search, Step};
use supervision::handoff::superblock::{self, Kind, PLACES, Superblock};
use supervision::handoff::uevent::Uevent;
use supervision::limits::DEVICE_NAME_BYTES;
use supervision::text::{Path, Text, decimal};
use sys::file::{self, CURRENT};
use sys::{Descriptor, directory};

use crate::{paths, tell};

/// A block device.
pub struct Node<'text> {
    /// Its name in sysfs.
    own: &'text [u8],
    /// The name below `/dev`, which may have slashes.
    name: &'text [u8],
    number: (u32, u32),
    partition: Option<u32>,
}

/// The one that is meant.
#[derive(Default)]
pub struct Found {
    /// The name below `/dev`.
    pub name: Text<DEVICE_NAME_BYTES>,
    /// What is on it, if that is known.
    pub kind: Option<Kind>,
    /// `MAJOR:MINOR`.
    pub number: Text<24>,
}

/// What is asked about a device; whether no more need be asked.
pub type Judge<'judge> = &'judge mut dyn FnMut(&Node<'_>) -> bool;

/// Asks `judge` of each block device until it has enough; whether it had.
#[inline(never)]
pub fn visit(judge: Judge<'_>) -> bool {
    let mut is_enough = false;
    if let Ok(block) = file::open_directory(CURRENT, c"/sys/class/block") {
        let look: &mut dyn FnMut(&CStr) = &mut |name| is_enough = is_enough || look_at(name.to_bytes(), judge);
        let _ = directory::visit(&block, look);
    }
    is_enough
}

/// Asks `judge` of the device that news of the kernel are of, if they are of one.
#[inline(never)]
pub fn judge_news(message: &[u8], judge: Judge<'_>) -> bool {
    match Uevent::of_message(message) {
        Some(told) if told.subsystem() == b"block" && told.action() != b"remove" => {
            told.path().rsplit(|byte| *byte == b'/').next().is_some_and(|own| look_at(own, judge))
        }
        _ => false,
    }
}

#[inline(never)]
fn look_at(own: &[u8], judge: Judge<'_>) -> bool {
    let mut buffer = [0; 512];
    let told = Uevent::of_file(paths::read(b"/sys/class/block/%/uevent", own, &mut buffer));
    told.major()
        .zip(told.minor())
        .is_some_and(|number| judge(&Node { own, name: told.name(), number, partition: told.partition() }))
}

/// Looks at all devices for the one that is wanted, which `name` names; whether it is there: then it is written down as `found`. Of
/// several the one with the lowest number is taken, and it is told that there is another.
#[inline(never)]
pub fn search(name: &[u8], wanted: &Device<'_>, found: &mut Found) -> bool {
    let mut least = None;
    let mut other = Text::<DEVICE_NAME_BYTES>::new();
    visit(&mut |node| {
        let mut kind = None;
        if is_wanted(node, wanted, &mut kind) {
            if least.is_some_and(|least| least < node.number) {
                other = Text::from_bytes(node.name);
            } else {
                other = core::mem::take(&mut found.name);
                least = Some(node.number);
                found.name = Text::from_bytes(node.name);
                found.kind = kind;
                found.number = Text::new();
                push_number(&mut found.number, node);
            }
        }
        false
    });
    if !other.as_bytes().is_empty() {
        tell::warn(b"% is on % and on %; the first is taken", &[name, found.name.as_bytes(), other.as_bytes()]);
    }
    least.is_some()
}

/// Whether `node` is the one that is wanted; `kind` becomes what is on it, if that was looked at and is known.
#[inline(never)]
pub fn is_wanted(node: &Node<'_>, wanted: &Device<'_>, kind: &mut Option<Kind>) -> bool {
    let (major, minor) = node.number;
    let mut is_it = wanted.is_node(node.name, major, minor);
    if !is_it && !matches!(wanted, Device::Tag(..)) {
        return false;
    }
    look_at_partition(node, &mut |known| is_it |= wanted.is_partition(&known.uuid, known.label));
    let mut buffers = Buffers::new();
    let content = buffers.read(node);
    if let Some(content) = content {
        *kind = Some(content.kind);
        // What is on a disk with partitions was there before them, or is the first of them.
        is_it = is_it || wanted.is_content(&content.uuid, content.label) && !has_partitions(node);
    }
    is_it
}

/// Whether `node` is a disk with partitions: in sysfs they are directories in its own, and begin with its name.
#[inline(never)]
fn has_partitions(node: &Node<'_>) -> bool {
    let mut has_some = false;
    let mut path = Path::new();
    if let Ok(disk) = file::open_directory(CURRENT, paths::fill(&mut path, b"/sys/class/block/", node.own)) {
        let look: &mut dyn FnMut(&CStr) = &mut |name| {
            has_some = has_some
                || name.to_bytes().starts_with(node.own)
                    && file::open_read(disk.as_fd(), paths::fill(&mut path, b"%/partition", name.to_bytes())).is_ok();
        };
        let _ = directory::visit(&disk, look);
    }
    has_some
}

#[inline(never)]
fn push_number<const N: usize>(text: &mut Text<N>, node: &Node<'_>) {
    text.push_number(node.number.0.into());
    text.push(b":");
    text.push_number(node.number.1.into());
}

/// What is read of a device.
struct Buffers {
    first: [u8; PLACES[0].length],
    far: [u8; PLACES[1].length],
    array: [u8; superblock::ARRAY_BYTES],
}

impl Buffers {
    fn new() -> Self {
        Self { first: [0; PLACES[0].length], far: [0; PLACES[1].length], array: [0; superblock::ARRAY_BYTES] }
    }

    #[inline(never)]
    fn read(&mut self, node: &Node<'_>) -> Option<Superblock<'_>> {
        let device = paths::open(b"/dev/", node.name).ok()?;
        let [first, far] = PLACES;
        let first = read_at(&device, first.offset, &mut self.first);
        if first.is_empty() {
            return None;
        }
        let digits = paths::read(b"/sys/class/block/%/size", node.own, &mut self.array);
        for place in superblock::array_places(decimal(digits.trim_ascii_end()).unwrap_or(0)) {
            if superblock::is_array(place, read_at(&device, place, &mut self.array)) {
                return Some(Superblock::member(Kind::ArrayMember));
            }
        }
        superblock::identify([first, read_at(&device, far.offset, &mut self.far)])
    }
}

#[inline(never)]
fn read_at<'buffer>(device: &Descriptor, offset: u64, buffer: &'buffer mut [u8]) -> &'buffer [u8] {
    match file::seek(device.as_fd(), offset) {
        Ok(()) => file::read(device.as_fd(), buffer).unwrap_or(&[]),
        Err(_) => &[],
    }
}

/// Calls `take` with what the table of its disk says of a partition.
#[inline(never)]
fn look_at_partition(node: &Node<'_>, take: &mut dyn FnMut(&Partition<'_>)) {
    let Some(number) = node.partition else { return };
    // In sysfs a partition lies in its disk.
    let mut buffer = [0; partition::READ_BYTES];
    let digits = paths::read(b"/sys/class/block/%/../queue/logical_block_size", node.own, &mut buffer);
    let sector = decimal(digits.trim_ascii_end()).and_then(|sector| sector.try_into().ok()).unwrap_or(512);
    let disk = Uevent::of_file(paths::read(b"/sys/class/block/%/../uevent", node.own, &mut buffer));
    let Ok(disk) = paths::open(b"/dev/", disk.name()) else { return };
    let mut search = Search::new(number, sector);
    let mut place = 0;
    loop {
        match search.next(read_at(&disk, place, &mut buffer)) {
            Step::Read(next) => place = next,
            Step::Found(found) => return take(&found),
            Step::Missing => return,
        }
    }
}

/// Tells every console of the devices, and what is on them.
#[inline(never)]
pub fn tell_all() {
    tell::tell(b"", b"block devices:", &[]);
    visit(&mut |node| {
        tell_one(node);
        false
    });
}

#[inline(never)]
fn tell_one(node: &Node<'_>) {
    let mut text = Text::<512>::new();
    text.push(node.name);
    text.push(b" ");
    push_number(&mut text, node);
    let mut buffers = Buffers::new();
    if let Some(found) = buffers.read(node) {
        text.push(b" ");
        text.push(found.kind.name());
        push_known(&mut text, b" ", &found.uuid, found.label);
    }
    look_at_partition(node, &mut |found| push_known(&mut text, b" PART", &found.uuid, found.label));
    tell::tell(b"  ", b"%", &[text.as_bytes()]);
}

#[inline(never)]
fn push_known(text: &mut Text<512>, start: &[u8], uuid: &Uuid, label: Label<'_>) {
    if !uuid.as_bytes().is_empty() {
        text.push(start);
        text.push(b"UUID=");
        text.push(uuid.as_bytes());
    }
    let mut is_first = true;
    label.write(&mut |piece| {
        if is_first && !piece.is_empty() {
            text.push(start);
            text.push(b"LABEL=");
            is_first = false;
        }
        // Without bytes that a terminal may take for something else.
        for byte in piece {
            text.push(&[if byte.is_ascii_control() { b'?' } else { *byte }]);
        }
    });
}
