//! What is told of a shutdown, and the message of whoever asked for it, made harmless for terminals.

use super::request::Way;
use crate::limits::{SHUTDOWN_MESSAGE, SHUTDOWN_NEWS};
use crate::local_time::TimeOfDay;
use crate::text::Text;

/// What is told.
pub type News = Text<SHUTDOWN_NEWS>;

/// Told when it is cancelled.
pub const CANCELLED: &[u8] = b"the shutdown is cancelled";

/// Told when it comes to nothing at its end.
pub const FAILED: &[u8] = b"the system does not go down: unable to run /sbin/runit-init";

/// That the machine goes down when the clock shows `at`, told to those who want to log in.
pub fn notice(way: Option<Way>, at: TimeOfDay) -> News {
    let mut news = begin(way);
    news.push(b" at ");
    news.push(at.to_text().as_slice());
    news
}

/// That the machine goes down in so many minutes, when the clock shows `at`; 0: now.
pub fn warning(way: Option<Way>, minutes: u64, at: TimeOfDay) -> News {
    if minutes == 0 {
        let mut news = begin(way);
        news.push(b" now");
        return news;
    }
    let mut news = notice(way, at);
    news.push(b" (in ");
    news.push_number(minutes);
    news.push(if minutes == 1 { b" minute)" } else { b" minutes)" });
    news
}

fn begin(way: Option<Way>) -> News {
    let mut news = News::from_bytes(b"the system goes down");
    if let Some(way) = way {
        news.push(b" for ");
        news.push(way.text());
    }
    news
}

/// Somebody's own words, on one line.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Message {
    text: Text<SHUTDOWN_MESSAGE>,
    cleaner: Cleaner,
}

impl Message {
    /// None yet.
    pub const fn new() -> Self {
        Self { text: Text::new(), cleaner: Cleaner { more: 0, least: 0 } }
    }

    /// Appends a word, as far as it fits. What is no printable text is replaced, byte by byte.
    pub fn push(&mut self, word: &[u8]) {
        let blank: &[u8] = if self.text.as_bytes().is_empty() { b"" } else { b" " };
        for byte in blank.iter().chain(word) {
            self.text.push(&[self.cleaner.clean(*byte)]);
        }
    }

    /// What was said.
    pub fn as_bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

/// Lets through what is text in UTF-8, and no control character: neither those of ASCII nor those from U+0080 on.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Cleaner {
    /// Bytes of a character that are still to come.
    more: u8,
    /// The least that the next of them may be.
    least: u8,
}

impl Cleaner {
    fn clean(&mut self, byte: u8) -> u8 {
        const UNKNOWN: u8 = b'?';
        let Self { more, least } = *self;
        let (more, least, shown) = match byte {
            b' '..=b'~' => (0, 0, byte),
            b'\t' | b'\n' | b'\r' => (0, 0, b' '),
            0x80..=0xbf if more > 0 && byte >= least => (more.wrapping_sub(1), 0x80, byte),
            // Behind the first of these are the control characters.
            0xc2 => (1, 0xa0, byte),
            0xc3..=0xdf => (1, 0x80, byte),
            // Lesser ones would be the long form of shorter characters.
            0xe0 => (2, 0xa0, byte),
            0xe1..=0xef => (2, 0x80, byte),
            0xf0 => (3, 0x90, byte),
            0xf1..=0xf4 => (3, 0x80, byte),
            _ => (0, 0, UNKNOWN),
        };
        *self = Self { more, least };
        shown
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(words: &[&[u8]]) -> Vec<u8> {
        let mut message = Message::new();
        words.iter().for_each(|word| message.push(word));
        message.as_bytes().to_vec()
    }

    #[test]
    fn warnings_say_what_and_when() {
        let at = TimeOfDay::parse(b"9:05").unwrap();
        let table = [
            (Some(Way::Reboot), 5, "the system goes down for reboot at 09:05 (in 5 minutes)"),
            (Some(Way::PowerOff), 1, "the system goes down for power off at 09:05 (in 1 minute)"),
            (Some(Way::Halt), 0, "the system goes down for halt now"),
            (None, 525_600, "the system goes down at 09:05 (in 525600 minutes)"),
            (None, 0, "the system goes down now"),
        ];
        for (way, minutes, expected) in table {
            assert_eq!(warning(way, minutes, at).as_bytes(), expected.as_bytes());
        }
        assert!(warning(Some(Way::PowerOff), u64::MAX, at).as_bytes().ends_with(b" minutes)"));
    }

    #[test]
    fn words_are_joined_by_blanks() {
        assert_eq!(said(&[]), b"");
        assert_eq!(said(&[b"new", b"kernel,  sorry", b""]), b"new kernel,  sorry ");
    }

    #[test]
    fn what_does_not_fit_is_cut() {
        let long = [b'x'; 600];
        assert_eq!(said(&[b"a", &long]).len(), SHUTDOWN_MESSAGE);
    }

    #[test]
    fn text_stays_and_controls_do_not() {
        let table: [(&[u8], &[u8]); 10] = [
            ("Stromausfall, schöne Grüße € 🐦 ÿ".as_bytes(), "Stromausfall, schöne Grüße € 🐦 ÿ".as_bytes()),
            (b"\x1b[2J\x07\x7f\0", b"?[2J???"),
            (b"one\ntwo\tthree\r", b"one two three "),
            // U+009B begins a sequence as escape and bracket do.
            (b"\xc2\x9b2J", b"\xc2?2J"),
            (b"\xc2\xa0", b"\xc2\xa0"),
            (b"\x9b2J", b"?2J"),
            (b"\xe0\x82\x9b", b"\xe0??"),
            (b"\xf0\x80\x82\x9b", b"\xf0???"),
            (b"\xc3\x9b\x9b", b"\xc3\x9b?"),
            (b"\xff\xfe\xc0\x9b\xf5\x9b", b"??????"),
        ];
        for (bytes, expected) in table {
            assert_eq!(said(&[bytes]), expected, "{bytes:?}");
        }
    }

    proptest! {
        /// What is not text by the strict rule loses its controls, and text keeps all.
        #[test]
        fn nothing_controls_a_terminal(bytes in prop::collection::vec(any::<u8>(), 0..60), text in "[^\\p{Cc}]{0,40}") {
            let shown = String::from_utf8_lossy(&said(&[&bytes])).into_owned();
            prop_assert!(!shown.chars().any(char::is_control), "{shown:?}");
            prop_assert_eq!(said(&[text.as_bytes()]), text.as_bytes());
        }
    }
}
