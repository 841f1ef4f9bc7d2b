//! Levels: directories of services, of which the link `current` leads to the one that runs, and `previous` to the one before
//! (runsvchdir(8)).

use crate::limits::LINK_BYTES;
use crate::text::Text;

/// The text of a link, and a NUL.
pub type LinkText = Text<LINK_BYTES>;

/// What a word says of a level.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// The one that runs.
    Current,
    /// The one before.
    Previous,
    /// The directory of this name, or path.
    Named,
}

impl Wanted {
    /// What `word` says; `None` if it begins with a dot, as no level does.
    pub fn new(word: &[u8]) -> Option<Self> {
        match without_slashes(word) {
            [b'.', ..] => None,
            b"current" => Some(Self::Current),
            b"previous" => Some(Self::Previous),
            _ => Some(Self::Named),
        }
    }
}

/// The name of the level that a link with this text leads to: the last part of the path.
pub fn name(text: &[u8]) -> &[u8] {
    without_slashes(text).rsplit(|byte| *byte == b'/').next().unwrap_or(text)
}

/// The text of a link to the level `word` of the directory `levels`, where that is not the directory of the link itself.
pub fn link_text(levels: &[u8], word: &[u8]) -> LinkText {
    let mut text = LinkText::new();
    if !word.starts_with(b"/") {
        text.push(levels);
        text.push(b"/");
    }
    text.push(word);
    text
}

fn without_slashes(path: &[u8]) -> &[u8] {
    let mut path = path;
    while let [rest @ .., b'/'] = path {
        path = rest;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_which_level_is_wanted() {
        for (word, wanted) in [
            ("multi", Some(Wanted::Named)),
            ("/etc/runit/runsvdir/current", Some(Wanted::Named)),
            ("previously", Some(Wanted::Named)),
            ("", Some(Wanted::Named)),
            ("/", Some(Wanted::Named)),
            ("current", Some(Wanted::Current)),
            ("previous", Some(Wanted::Previous)),
            ("previous//", Some(Wanted::Previous)),
            (".", None),
            ("..", None),
            ("./multi", None),
            (".hidden", None),
        ] {
            assert_eq!(Wanted::new(word.as_bytes()), wanted, "{word:?}");
        }
    }

    #[test]
    fn the_name_is_the_last_part_of_a_path() {
        for (text, expected) in [
            ("multi", "multi"),
            ("/etc/runit/runsvdir/multi", "multi"),
            ("multi/", "multi"),
            ("../a//b///", "b"),
            ("/", ""),
            ("", ""),
        ] {
            assert_eq!(name(text.as_bytes()), expected.as_bytes(), "{text:?}");
        }
    }

    #[test]
    fn a_link_elsewhere_has_an_absolute_path() {
        assert_eq!(link_text(b"/etc/levels", b"multi/").as_bytes(), b"/etc/levels/multi/");
        assert_eq!(link_text(b"/etc/levels", b"/srv/single").as_bytes(), b"/srv/single");
    }

    /// A text that does not fit has no room for its NUL either, so that no other level is taken for it.
    #[test]
    fn a_text_that_is_too_long_is_none() {
        let longest = vec![b'x'; LINK_BYTES - 3];
        assert_eq!(link_text(b"/", &longest).terminated().map(|text| text.count_bytes()), Some(LINK_BYTES - 1));
        for more in 1..10 {
            assert_eq!(link_text(b"/", &vec![b'x'; LINK_BYTES - 3 + more]).terminated(), None);
        }
    }
}
