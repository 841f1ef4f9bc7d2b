//! A line of fstab(5).

/// What is mounted where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry<'line> {
    /// The device, or what stands in its place.
    pub source: &'line [u8],
    /// The directory, without a slash at its end.
    pub place: &'line [u8],
    /// The file system; `auto`: whatever it is.
    pub kind: &'line [u8],
    /// Options separated by commas.
    pub options: &'line [u8],
}

impl<'line> Entry<'line> {
    /// Reads a line; `None` if it says nothing. What stands for blanks in it, `\040` and its like, is replaced where it is.
    pub fn parse(line: &'line mut [u8]) -> Option<Self> {
        let mut fields = separate(line).split(|byte| *byte == 0).filter(|field| !field.is_empty());
        let source = fields.next().filter(|field| !field.starts_with(b"#"))?;
        let place = match fields.next()? {
            [place @ .., b'/'] if !place.is_empty() => place,
            place => place,
        };
        let kind = fields.next().unwrap_or(b"auto");
        Some(Self { source, place, kind, options: fields.next().unwrap_or(b"") })
    }
}

/// Puts NULs in the place of blanks, and bytes in that of backslashes and three octal digits.
fn separate(line: &mut [u8]) -> &[u8] {
    let (mut from, mut to) = (0_usize, 0_usize);
    while let Some(rest) = line.get(from..) {
        let (byte, length) = match *rest {
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] => ((a & 3) << 6 | (b & 7) << 3 | c & 7, 4),
            [byte, ..] => (if byte.is_ascii_whitespace() { 0 } else { byte }, 1),
            [] => break,
        };
        if let Some(place) = line.get_mut(to) {
            *place = byte;
        }
        from = from.wrapping_add(length);
        to = to.wrapping_add(1);
    }
    line.get(..to).unwrap_or(&[])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(line: &str) -> Option<[String; 4]> {
        let mut line = line.as_bytes().to_vec();
        let text = |field: &[u8]| String::from_utf8(field.to_vec()).unwrap();
        Entry::parse(&mut line).map(|entry| [entry.source, entry.place, entry.kind, entry.options].map(text))
    }

    #[test]
    fn a_line_is_a_device_and_a_place_and_how() {
        for (line, expected) in [
            ("UUID=1234 /usr ext4 ro,noatime 0 2", ["UUID=1234", "/usr", "ext4", "ro,noatime"]),
            ("\t/dev/sda2\t/usr/\txfs\tdefaults\r", ["/dev/sda2", "/usr", "xfs", "defaults"]),
            ("proc /", ["proc", "/", "auto", ""]),
            ("LABEL=\"my\\040usr\" /a\\011b\\134c auto x=\\054", ["LABEL=\"my usr\"", "/a\tb\\c", "auto", "x=,"]),
        ] {
            assert_eq!(parsed(line), Some(expected.map(str::to_owned)), "{line:?}");
        }
    }

    #[test]
    fn other_backslashes_are_themselves() {
        for field in ["\\", "a\\04", "\\400", "\\048", "\\\\", "\\x20"] {
            let line = format!("{field} /");
            assert_eq!(parsed(&line).unwrap()[0], field);
        }
        assert_eq!(parsed("\\1344040 /").unwrap()[0], "\\4040");
    }

    #[test]
    fn comments_and_half_lines_say_nothing() {
        for line in ["", "  ", "# a /usr", "  #/dev/sda /usr", "/dev/sda1", "/dev/sda1  \t"] {
            assert_eq!(parsed(line), None, "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn no_line_is_too_odd(line in prop::collection::vec(prop_oneof![
            prop::sample::select(b"\\047 \t/#".to_vec()), any::<u8>()], 0..40)) {
            let mut line = line;
            let length = line.len();
            if let Some(entry) = Entry::parse(&mut line) {
                prop_assert!(!entry.source.is_empty() && !entry.place.is_empty());
                prop_assert!(entry.source.len() + entry.place.len() + entry.options.len() <= length);
            }
        }
    }
}
