//! Variables of the environment as files: a directory of them, a file each (chpst(8), `-e`).

/// What a file says of the variable that it is named after.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Said {
    /// There shall be none.
    Nothing,
    /// It has this value, which lies in so many bytes from the beginning; possibly none.
    Value(usize),
    /// The value has not ended yet, and there was no room for more.
    TooLong,
}

/// Whether a file in the directory stands for a variable; names with a dot in front do not.
pub fn is_hidden(name: &[u8]) -> bool {
    name.first() == Some(&b'.')
}

/// Whether there can be a variable of that name.
pub fn is_name(name: &[u8]) -> bool {
    !name.contains(&b'=')
}

/// Makes the value of a file in place: its first line, without blanks and tabs at the end, each NUL in it a newline. `content` is the
/// file, or its beginning; `is_whole` says which.
pub fn read(content: &mut [u8], is_whole: bool) -> Said {
    if content.is_empty() && is_whole {
        return Said::Nothing;
    }
    let line = content.iter().position(|byte| *byte == b'\n');
    let Some(length) = line.or(is_whole.then_some(content.len())) else { return Said::TooLong };
    let line = content.get_mut(..length).unwrap_or_default();
    let end = line.iter().rposition(|byte| !matches!(byte, b' ' | b'\t')).map_or(0, |last| last.wrapping_add(1));
    for byte in line.iter_mut().filter(|byte| **byte == 0) {
        *byte = b'\n';
    }
    Said::Value(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(content: &str) -> Option<String> {
        let mut content = content.as_bytes().to_vec();
        match read(&mut content, true) {
            Said::Value(length) => Some(String::from_utf8(content[..length].to_vec()).unwrap()),
            said => {
                assert_eq!(said, Said::Nothing);
                None
            }
        }
    }

    #[test]
    fn a_value_is_the_first_line_without_blanks_behind() {
        for (content, expected) in [
            ("v", "v"),
            ("v\n", "v"),
            (" v \t \nrest", " v"),
            ("v\r\n", "v\r"),
            ("a b\tc", "a b\tc"),
            ("\n", ""),
            (" \t", ""),
            ("a\0b\0 \n", "a\nb\n"),
        ] {
            assert_eq!(value(content).as_deref(), Some(expected), "{content:?}");
        }
    }

    #[test]
    fn an_empty_file_says_that_there_is_none() {
        assert_eq!(value(""), None);
    }

    #[test]
    fn a_line_that_has_not_ended_is_no_value_yet() {
        assert_eq!(read(&mut b"long".to_vec(), false), Said::TooLong);
        assert_eq!(read(&mut b"short\nlong".to_vec(), false), Said::Value(5));
        assert_eq!(read(&mut [], false), Said::TooLong);
    }

    #[test]
    fn names_are_those_of_variables() {
        assert!(is_hidden(b".git") && !is_hidden(b"A.B") && !is_hidden(b""));
        assert!(is_name(b"A-b.c") && !is_name(b"A=b") && !is_name(b"="));
    }
}
