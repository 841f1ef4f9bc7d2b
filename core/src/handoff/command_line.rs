//! The words that the kernel was started with (`/proc/cmdline`), taken apart as the kernel does it, and what they ask of handoff(8).
//!
//! - Blanks separate words, double quotes protect blanks. Quotes around a value, or around a whole word, are no part of it; all
//!   others are.
//! - `-` and `_` are the same in names. None of those asked for here has one, but those of modules do.
//! - `--` ends the words of the kernel.
//! - Of a word that is given twice the last one counts.
//!
//! Unlike the kernel, no byte above 127 is a blank: one of them is in the UTF-8 of `à`, and a label may have it.
//!
//! What is for init is not looked for here, for the kernel hands it to `/init` as it would to init: as arguments the words behind
//! `--`, and those without `.` and `=` that it does not know itself, as far as they stand behind `init=`; in the environment
//! those with `=`. Which words it knows, only the kernel knows.

use crate::limits::{COMMAND_LINE_BYTES, ROOT_LIMIT};
use crate::text::decimal;
use crate::time::Duration;

/// One word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Word<'line> {
    /// What is before the first `=`, or all of it.
    pub name: &'line [u8],
    /// What is behind it, if there is one.
    pub value: Option<&'line [u8]>,
}

/// The words for the kernel, in their order.
#[derive(Clone, Debug)]
pub struct Words<'line> {
    rest: &'line [u8],
    is_cut: bool,
}

impl<'line> Words<'line> {
    /// The words of a line, with or without the newline at its end. A line of [`COMMAND_LINE_BYTES`] or more loses its last word: nobody
    /// knows whether that is whole.
    pub fn of(line: &'line [u8]) -> Self {
        match (line.get(..COMMAND_LINE_BYTES), line) {
            (Some(read), _) => Self { rest: read, is_cut: true },
            (None, [rest @ .., b'\n'] | rest) => Self { rest, is_cut: false },
        }
    }
}

impl<'line> Iterator for Words<'line> {
    type Item = Word<'line>;

    fn next(&mut self) -> Option<Word<'line>> {
        let start = self.rest.iter().position(|byte| !is_blank(*byte))?;
        let (is_whole_quoted, rest) = match self.rest.get(start..)? {
            [b'"', rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        let mut is_inside = is_whole_quoted;
        let end = rest.iter().position(|byte| {
            is_inside ^= *byte == b'"';
            is_blank(*byte) && !is_inside
        });
        let end = if self.is_cut { end? } else { end.unwrap_or(rest.len()) };
        let (word, rest) = rest.split_at_checked(end)?;
        self.rest = rest;
        // At the beginning it separates nothing.
        let equals = word.iter().skip(1).position(|byte| *byte == b'=').map(|place| place.wrapping_add(1));
        let (name, value) = match equals {
            Some(place) => (word.get(..place)?, Some(word.get(place.wrapping_add(1)..)?)),
            None => (word, None),
        };
        let word = match value {
            // Both quotes may be one.
            Some([b'"', value @ ..]) => Word { name, value: Some(without_quote(value)) },
            Some(value) if is_whole_quoted => Word { name, value: Some(without_quote(value)) },
            None if is_whole_quoted => Word { name: without_quote(name), value: None },
            value => Word { name, value },
        };
        if word.name == b"--" && word.value.is_none() {
            self.rest = &[];
            return None;
        }
        Some(word)
    }
}

/// What is before the last quote.
fn without_quote(text: &[u8]) -> &[u8] {
    match text {
        [text @ .., b'"'] => text,
        text => text,
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// What is asked of handoff(8).
#[derive(Clone, Copy, Debug)]
pub struct CommandLine<'line>(&'line [u8]);

impl<'line> CommandLine<'line> {
    /// What a line asks for. Words that are not known, or make no sense, say nothing.
    pub const fn new(line: &'line [u8]) -> Self {
        Self(line)
    }

    /// Its words.
    pub fn words(self) -> Words<'line> {
        Words::of(self.0)
    }

    /// `root=`; empty: nothing is said.
    pub fn root(self) -> &'line [u8] {
        self.text(b"root")
    }

    /// `rootfstype=`: names separated by commas; empty: whatever it is.
    pub fn types(self) -> &'line [u8] {
        self.text(b"rootfstype")
    }

    /// `rootflags=`: options separated by commas.
    pub fn options(self) -> &'line [u8] {
        self.text(b"rootflags")
    }

    /// Of `ro` and `rw` the last one is `rw`.
    pub fn is_writable(self) -> bool {
        self.said(b"rw").bare_at > self.said(b"ro").bare_at
    }

    /// `rootdelay=`: how long nothing is looked for.
    pub fn delay(self) -> Duration {
        seconds(self.text(b"rootdelay")).unwrap_or(Duration::ZERO)
    }

    /// How long the root is waited for: [`ROOT_LIMIT`], or what `rootwait=` says; `None`, of `rootwait`: for ever.
    pub fn limit(self) -> Option<Duration> {
        let wait = self.said(b"rootwait");
        if wait.bare_at > wait.value_at { None } else { Some(seconds(wait.value).unwrap_or(ROOT_LIMIT)) }
    }

    /// `init=`; empty: nothing is said.
    pub fn init(self) -> &'line [u8] {
        self.text(b"init")
    }

    /// `resume=`; empty: nothing is said, or there is `noresume`.
    pub fn resume(self) -> &'line [u8] {
        let is_wanted = !self.has(b"noresume") && self.text(b"hibernate") != b"noresume";
        if is_wanted { self.text(b"resume") } else { &[] }
    }

    /// `overlay=tmpfs`: the root is read-only, and what is written to it stays in memory.
    pub fn is_overlaid(self) -> bool {
        self.text(b"overlay") == b"tmpfs"
    }

    /// `handoff.shell`: the emergency command comes before the root.
    pub fn wants_shell(self) -> bool {
        self.has(b"handoff.shell")
    }

    /// `handoff.debug`: everything that is done is told.
    pub fn wants_debug(self) -> bool {
        self.has(b"handoff.debug")
    }

    /// `panic=`: after how long the machine is started again; `None`: never.
    pub fn panic(self) -> Option<Duration> {
        let value = self.text(b"panic");
        match value.strip_prefix(b"-") {
            Some(digits) => seconds(digits).map(|_| Duration::ZERO),
            None => seconds(value).filter(|time| *time != Duration::ZERO),
        }
    }

    fn text(self, name: &[u8]) -> &'line [u8] {
        self.said(name).value
    }

    fn has(self, name: &[u8]) -> bool {
        self.said(name).bare_at > 0
    }

    #[inline(never)]
    fn said(self, name: &[u8]) -> Said<'line> {
        let mut said = Said { bare_at: 0, value_at: 0, value: &[] };
        for (place, word) in (1..).zip(self.words()).filter(|(_, word)| word.name == name) {
            match word.value {
                Some(value) => (said.value_at, said.value) = (place, value),
                None => said.bare_at = place,
            }
        }
        said
    }
}

/// What is said by a name. Places are counted in words from 1 on; 0: nowhere.
#[derive(Clone, Copy)]
struct Said<'line> {
    /// Where it stands alone, the last time.
    bare_at: usize,
    /// Where it stands with a value, the last time.
    value_at: usize,
    /// That value.
    value: &'line [u8],
}

fn seconds(digits: &[u8]) -> Option<Duration> {
    // As many as the kernel takes.
    let number = decimal(digits).and_then(|number| i32::try_from(number).ok())?;
    Some(Duration::from_seconds(number.unsigned_abs().into()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(line: &[u8]) -> Vec<(String, Option<String>)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Words::of(line).map(|word| (text(word.name), word.value.map(text))).collect()
    }

    fn one(line: &str) -> (String, Option<String>) {
        let words = words(line.as_bytes());
        assert_eq!(words.len(), 1, "{line} {words:?}");
        words[0].clone()
    }

    /// What Linux 6.1 made of these words, seen in the arguments and the environment of its `/init`.
    #[test]
    fn words_are_those_of_the_kernel() {
        for (line, name, value) in [
            ("single", "single", None),
            ("a=\"b c\"", "a", Some("b c")),
            ("\"d=e f\"", "d", Some("e f")),
            ("g=h\"i j\"k", "g", Some("h\"i j\"k")),
            ("\"plain word\"", "plain word", None),
            ("=odd", "=odd", None),
            ("=odd=two", "=odd", Some("two")),
            ("un=\"closed\"", "un", Some("closed")),
            ("q=\"\"", "q", Some("")),
            ("n=", "n", Some("")),
            ("un=\"closed", "un", Some("closed")),
        ] {
            assert_eq!(one(line), (name.to_owned(), value.map(str::to_owned)), "{line}");
        }
        let split = [("r".to_owned(), Some("s".to_owned())), ("t\"\"".to_owned(), None)];
        assert_eq!(words(b"\"r=\"s t\"\""), split);
    }

    #[test]
    fn blanks_of_any_kind_and_number_separate_words() {
        let names = |line: &[u8]| words(line).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names(b"  a \t\x0b\x0c b\r\nc \n"), ["a", "b", "c"]);
        assert_eq!(names(b" \n"), [""; 0]);
        assert_eq!(names("LABEL=voil\u{e0} b".as_bytes()), ["LABEL", "b"]);
    }

    #[test]
    fn the_newline_at_the_end_is_in_no_open_quote() {
        assert_eq!(words(b"a=\"b c\n"), [("a".to_owned(), Some("b c".to_owned()))]);
    }

    #[test]
    fn two_dashes_end_the_words_of_the_kernel() {
        for line in ["a -- root=b", "a \"--\" root=b", "a --", "a -- --"] {
            assert_eq!(words(line.as_bytes()), [("a".to_owned(), None)], "{line}");
        }
        assert_eq!(words(b"--=1 --a a--").len(), 3);
    }

    #[test]
    fn a_line_that_may_be_cut_loses_its_last_word() {
        for (end, lost) in [("root=/dev/sda12", 1), ("a=\"b c", 1), ("rw ", 0), ("rw\n", 0)] {
            let mut line = vec![b' '; COMMAND_LINE_BYTES - end.len()];
            line.extend(end.bytes());
            assert_eq!(words(&line).len(), 1 - lost, "{end}");
            assert_eq!(words(&line[1..]).len(), 1, "{end}");
            line.extend(b"6 rw");
            assert_eq!(words(&line).len(), 1 - lost, "{end}");
        }
    }

    fn said(line: &str) -> CommandLine<'_> {
        CommandLine::new(line.as_bytes())
    }

    #[test]
    fn nothing_and_strangers_say_nothing() {
        let strangers = "quiet console=ttyS0,115200 BOOT_IMAGE=/vmlinuz root rootflags init ro=1 rootx=1 handoff.shell=1 noresume=1 -- rw";
        for said in ["", "\n", strangers].map(said) {
            assert_eq!([said.root(), said.types(), said.options(), said.init(), said.resume()], [b""; 5]);
            assert!(!said.is_writable() && !said.is_overlaid() && !said.wants_shell() && !said.wants_debug());
            assert_eq!((said.delay(), said.limit(), said.panic()), (Duration::ZERO, Some(ROOT_LIMIT), None));
        }
    }

    #[test]
    fn everything_that_can_be_said() {
        let said = said(
            "root=\"LABEL=my root\" rootfstype=ext4,xfs rootflags=noatime,subvol=@ rw rootdelay=3 rootwait init=/bin/sh \
             resume=/dev/sda2 overlay=tmpfs handoff.shell handoff.debug panic=10",
        );
        assert_eq!((said.root(), said.types()), (&b"LABEL=my root"[..], &b"ext4,xfs"[..]));
        assert_eq!((said.options(), said.init()), (&b"noatime,subvol=@"[..], &b"/bin/sh"[..]));
        assert_eq!(said.resume(), b"/dev/sda2");
        assert!(said.is_writable() && said.is_overlaid() && said.wants_shell() && said.wants_debug());
        assert_eq!((said.delay(), said.limit()), (Duration::from_seconds(3), None));
        assert_eq!(said.panic(), Some(Duration::from_seconds(10)));
    }

    #[test]
    fn of_two_the_last_counts() {
        assert_eq!(said("root=/dev/sda init=/a root=/dev/sdb init=/b").root(), b"/dev/sdb");
        assert_eq!(said("root=/dev/sda root").root(), b"/dev/sda");
        assert_eq!(said("root=/dev/sda root=").root(), b"");
        assert!(!said("rw ro").is_writable() && said("ro rw").is_writable() && !said("rw ro rw ro").is_writable());
        assert_eq!(said("rootwait rootwait=5").limit(), Some(Duration::from_seconds(5)));
        assert_eq!(said("rootwait=5 rootwait").limit(), None);
        assert!(!said("overlay=tmpfs overlay=").is_overlaid());
    }

    #[test]
    fn numbers_that_are_none_say_nothing() {
        for value in ["", "x", "5s", "-1", "1.5", "2147483648", "99999999999999999999"] {
            assert_eq!(said(&format!("rootdelay={value}")).delay(), Duration::ZERO, "{value}");
            assert_eq!(said(&format!("rootwait={value}")).limit(), Some(ROOT_LIMIT), "{value}");
        }
        assert_eq!(said("rootdelay=2147483647").delay(), Duration::from_seconds(2_147_483_647));
    }

    #[test]
    fn a_panic_waits_or_does_not() {
        assert_eq!(said("panic=5").panic(), Some(Duration::from_seconds(5)));
        assert_eq!(said("panic=-1").panic(), Some(Duration::ZERO));
        for never in ["panic=5 panic=0", "panic=x", "panic=-", "panic=-x", "panic="] {
            assert_eq!(said(never).panic(), None, "{never}");
        }
    }

    #[test]
    fn a_resume_that_is_not_wanted_is_not_made() {
        for line in ["noresume resume=/dev/sda2", "resume=/dev/sda2 noresume", "resume=/dev/sda2 hibernate=noresume"] {
            assert_eq!(said(line).resume(), b"", "{line}");
        }
        assert_eq!(said("resume=/dev/sda2 hibernate=nocompress").resume(), b"/dev/sda2");
    }

    /// The kernel's way, byte by byte, with what it writes over them.
    fn kernel_words(line: &str) -> Vec<(String, Option<String>)> {
        let mut bytes: Vec<u8> = line.bytes().chain([0]).collect();
        let text = |bytes: &[u8], at: usize| {
            String::from_utf8(bytes[at..].iter().copied().take_while(|byte| *byte != 0).collect()).unwrap()
        };
        let mut found = vec![];
        let mut at = 0;
        loop {
            while is_blank(bytes[at]) {
                at += 1;
            }
            if bytes[at] == 0 {
                return found;
            }
            let mut inside = bytes[at] == b'"';
            let quoted = inside;
            at += usize::from(quoted);
            let (mut end, mut equals) = (at, 0);
            while bytes[end] != 0 && (inside || !is_blank(bytes[end])) {
                if equals == 0 && end > at && bytes[end] == b'=' {
                    equals = end;
                }
                inside ^= bytes[end] == b'"';
                end += 1;
            }
            let next = end + usize::from(bytes[end] != 0);
            bytes[end] = 0;
            let mut value = None;
            if equals > 0 {
                bytes[equals] = 0;
                let mut start = equals + 1;
                if bytes[start] == b'"' {
                    start += 1;
                    if bytes[end - 1] == b'"' {
                        bytes[end - 1] = 0;
                    }
                }
                value = Some(start);
            }
            if quoted && bytes[end - 1] == b'"' && end > at {
                bytes[end - 1] = 0;
            }
            let word = (text(&bytes, at), value.map(|start| text(&bytes, start)));
            if word == ("--".to_owned(), None) {
                return found;
            }
            found.push(word);
            at = next;
        }
    }

    proptest! {
        #[test]
        fn any_line_is_read_as_the_kernel_reads_it(line in "[ab=\" -]{0,24}") {
            prop_assert_eq!(words(line.as_bytes()), kernel_words(&line));
        }

        #[test]
        fn no_bytes_are_too_odd(line in prop::collection::vec(any::<u8>(), 0..80)) {
            let said = CommandLine::new(&line);
            let _ = (said.root(), said.limit(), said.is_writable());
        }
    }
}
