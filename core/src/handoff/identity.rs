//! By what a file system and a partition are known: UUID and label.

use crate::limits::UUID_BYTES;
use crate::text::Text;

/// A UUID as blkid(8) prints it, or what stands in its place; empty if there is none.
pub type Uuid = Text<UUID_BYTES>;

/// Whether `uuid` is what `text` names, in whichever case. No text names one that is not there.
pub fn is_uuid(uuid: &Uuid, text: &[u8]) -> bool {
    let (uuid, lower) = (uuid.as_bytes(), |byte: &u8| byte.to_ascii_lowercase());
    !text.is_empty() && uuid.iter().map(lower).eq(text.iter().map(lower))
}

/// In a form: a dash. All other numbers in it are places of bytes.
const DASH: u8 = 0xff;

/// Sixteen bytes in their order.
const PLAIN: &[u8] = &[0, 1, 2, 3, DASH, 4, 5, DASH, 6, 7, DASH, 8, 9, DASH, 10, 11, 12, 13, 14, 15];

/// The same in a GPT: the first three groups are numbers with the low byte first.
const MIXED: &[u8] = &[3, 2, 1, 0, DASH, 5, 4, DASH, 7, 6, DASH, 8, 9, DASH, 10, 11, 12, 13, 14, 15];

/// The serial number of a FAT.
const SERIAL: &[u8] = &[3, 2, DASH, 1, 0];

/// The number of a disk in a table of DOS, and that of a partition.
const DISK: &[u8] = &[3, 2, 1, 0, DASH, 4];

/// The UUID that sixteen bytes are, unless all are zero, or the serial number that four are. Of another number of bytes there is none.
pub fn uuid(bytes: &[u8]) -> Uuid {
    match bytes.len() {
        16 if bytes.iter().any(|byte| *byte != 0) => write(bytes, PLAIN, b'a'),
        4 => write(bytes, SERIAL, b'A'),
        _ => Uuid::new(),
    }
}

/// The UUID in a GPT.
pub fn mixed_uuid(bytes: &[u8; 16]) -> Uuid {
    write(bytes, MIXED, b'a')
}

/// What the kernel takes for a UUID in a table of DOS.
pub fn disk_uuid(disk: [u8; 4], partition: u8) -> Uuid {
    let [a, b, c, d] = disk;
    write(&[a, b, c, d, partition], DISK, b'a')
}

/// Bytes as digits in a form; `ten` is the digit for ten.
#[inline(never)]
fn write(bytes: &[u8], form: &[u8], ten: u8) -> Uuid {
    let digit = |value: u8| value.wrapping_add(if value < 10 { b'0' } else { ten.wrapping_sub(10) });
    let mut text = Uuid::new();
    for place in form {
        match bytes.get(usize::from(*place)) {
            Some(byte) => text.push(&[digit(byte >> 4), digit(byte & 15)]),
            None => text.push(b"-"),
        }
    }
    text
}

/// A label where it lies, without what only fills its place: what is behind a NUL, and blanks at the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Label<'bytes> {
    /// As it is.
    Bytes(&'bytes [u8]),
    /// In UTF-16, low bytes first.
    Units(&'bytes [[u8; 2]]),
}

impl<'bytes> Label<'bytes> {
    /// No label.
    pub const NONE: Self = Self::Bytes(&[]);

    /// The label in a field for bytes.
    pub fn of_bytes(field: &'bytes [u8]) -> Self {
        let text = field.split(|byte| *byte == 0).next().unwrap_or(&[]);
        Self::Bytes(text.trim_ascii_end())
    }

    /// The label in a field for UTF-16.
    pub fn of_units(field: &'bytes [u8]) -> Self {
        let (units, _) = field.as_chunks();
        let text = units.split(|unit| *unit == [0, 0]).next().unwrap_or(&[]);
        let is_blank = |unit: &[u8; 2]| unit[1] == 0 && unit[0].is_ascii_whitespace();
        let end = text.iter().rposition(|unit| !is_blank(unit)).map_or(0, |last| last.wrapping_add(1));
        Self::Units(text.get(..end).unwrap_or(&[]))
    }

    /// Hands it over in UTF-8, piece by piece. Of two units that are one character only together, one alone means
    /// nothing, and comes as nothing or as some other character.
    pub fn write(&self, take: &mut dyn FnMut(&[u8])) {
        match *self {
            Self::Bytes(text) => take(text),
            Self::Units(units) => {
                let mut high = 0;
                for unit in units {
                    let unit = u32::from(u16::from_le_bytes(*unit));
                    let code = match unit {
                        0xd800..=0xdbff => {
                            high = (unit & 0x3ff) << 10;
                            continue;
                        }
                        0xdc00..=0xdfff => 0x1_0000_u32.wrapping_add(high | unit & 0x3ff),
                        _ => unit,
                    };
                    let (mut shift, mark): (u32, u8) = match code {
                        ..0x80 => (0, 0),
                        0x80..0x800 => (6, 0xc0),
                        0x800..0x1_0000 => (12, 0xe0),
                        _ => (18, 0xf0),
                    };
                    take(&[mark | low_byte(code >> shift)]);
                    while shift > 0 {
                        shift = shift.wrapping_sub(6);
                        take(&[0x80 | low_byte(code >> shift) & 0x3f]);
                    }
                }
            }
        }
    }

    /// Whether it is `text`. No text is a label that is not there.
    pub fn is(&self, text: &[u8]) -> bool {
        let mut rest = Some(text);
        self.write(&mut |piece| rest = rest.and_then(|rest| rest.strip_prefix(piece)));
        rest == Some(&[]) && !text.is_empty()
    }
}

fn low_byte(number: u32) -> u8 {
    let [low, ..] = number.to_le_bytes();
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: [u8; 16] =
        [0x00, 0x01, 0x20, 0x9a, 0xab, 0x09, 0x90, 0xff, 0x10, 0x0f, 0xf0, 0x11, 0x22, 0x33, 0x44, 0x55];

    fn text(uuid: &Uuid) -> &str {
        core::str::from_utf8(uuid.as_bytes()).unwrap()
    }

    fn units(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn a_uuid_is_printed_in_five_groups() {
        assert_eq!(text(&uuid(&BYTES)), "0001209a-ab09-90ff-100f-f01122334455");
        assert_eq!(text(&mixed_uuid(&BYTES)), "9a200100-09ab-ff90-100f-f01122334455");
    }

    #[test]
    fn what_stands_in_the_place_of_a_uuid() {
        assert_eq!(text(&uuid(&[0x0f, 0x9a, 0xbc, 0xde])), "DEBC-9A0F");
        assert_eq!(text(&uuid(&[0; 4])), "0000-0000");
        assert_eq!(text(&disk_uuid([0x0f, 0x9a, 0xbc, 0xde], 11)), "debc9a0f-0b");
    }

    #[test]
    fn sixteen_zeros_are_no_uuid_and_neither_is_part_of_one() {
        assert_eq!(text(&uuid(&[0; 16])), "");
        assert_eq!(text(&uuid(&BYTES[..15])), "");
        assert_eq!(text(&uuid(&[])), "");
    }

    #[test]
    fn uuids_are_equal_in_either_case() {
        let uuid = uuid(&BYTES);
        assert!(is_uuid(&uuid, b"0001209a-ab09-90ff-100f-f01122334455"));
        assert!(is_uuid(&uuid, b"0001209A-AB09-90ff-100F-F01122334455"));
        assert!(!is_uuid(&uuid, b"0001209a-ab09-90ff-100f-f0112233445"));
        assert!(!is_uuid(&uuid, b"0001209aab0990ff100ff01122334455"));
        assert!(!is_uuid(&Uuid::new(), b""));
    }

    #[test]
    fn what_fills_a_field_is_no_part_of_the_label() {
        for field in ["root", "root\0", "root\0\0x", "root  \0", "root \n"] {
            assert!(Label::of_bytes(field.as_bytes()).is(b"root"), "{field:?}");
            assert!(Label::of_units(&units(field)).is(b"root"), "{field:?}");
        }
        assert!(Label::of_bytes(b" my root").is(b" my root"));
        assert!(Label::of_units(&units(" my root")).is(b" my root"));
    }

    #[test]
    fn a_label_is_equal_as_a_whole_or_not() {
        for other in ["", "roo", "roots", "Root", "root ", "xroot"] {
            assert!(!Label::of_bytes(b"root").is(other.as_bytes()), "{other:?}");
            assert!(!Label::of_units(&units("root")).is(other.as_bytes()), "{other:?}");
        }
    }

    #[test]
    fn nothing_is_nobodys_label() {
        for label in [Label::NONE, Label::of_bytes(b"\0root"), Label::of_units(b"\0\0r\0"), Label::of_units(b"r")] {
            assert!(!label.is(b"") && !label.is(b"root"), "{label:?}");
        }
        assert!(!Label::of_bytes(b"   ").is(b"") && !Label::of_units(b" \0 \0").is(b""));
    }

    #[test]
    fn utf_16_is_compared_with_utf_8() {
        for text in ["Größe", "日本", "a😀b", "\u{ffff}", "\u{7f}\u{80}\u{7ff}\u{800}", "\u{10000}\u{10ffff}"] {
            assert!(Label::of_units(&units(text)).is(text.as_bytes()), "{text}");
        }
        // Half a character.
        assert!(Label::of_units(&[b'a', 0, 0x00, 0xd8, b'b', 0]).is(b"ab"));
        assert!(Label::of_units(&[b'a', 0, 0x01, 0xdc, b'b', 0]).is("a\u{10001}b".as_bytes()));
    }
}
