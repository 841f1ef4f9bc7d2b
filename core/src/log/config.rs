//! The config of a log directory, read in place.

use core::ffi::CStr;

use crate::limits::{LOG_FILES, LOG_SIZE};
use crate::log::lines::find;
use crate::log::pattern::{self, Choice, choose};
use crate::log::target::{self, NoTarget, Target};
use crate::time::Duration;

/// What is wrong with a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Its first character says nothing.
    UnknownDirective,
    /// A number, with or without a suffix, was wanted.
    NoNumber,
    /// The number is too large.
    TooLarge,
    /// An address was wanted.
    NoAddress,
    /// A port was wanted.
    NoPort,
    /// It holds a NUL.
    Nul,
    /// It ends in a carriage return, and is used without.
    CarriageReturn,
    /// It is behind the part that is read.
    TooLong,
}

/// What the config says, but for texts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Bytes at which a file is rotated; 0: never.
    pub size: u64,
    /// Old files that are kept; 0: all.
    pub keep: u32,
    /// Old files that are kept even if the disk is full; `None`: nothing is said.
    pub least: Option<u32>,
    /// The age at which a file is rotated.
    pub age: Option<Duration>,
    /// How long a processor may run.
    pub processor_limit: Option<Duration>,
    /// Where lines are sent.
    pub target: Option<Target>,
    /// They are not written, if they could be sent.
    pub only_sends: bool,
    /// Nothing is dropped.
    pub waits: bool,
}

impl Settings {
    /// What holds without a config.
    pub const DEFAULT: Self = Self {
        size: LOG_SIZE,
        keep: LOG_FILES,
        least: None,
        age: None,
        processor_limit: None,
        target: None,
        only_sends: false,
        waits: false,
    };

    /// Down to how many old files are removed if the disk is full; `None`: none is.
    pub fn spare(&self) -> Option<u32> {
        let least = self.least.unwrap_or(1);
        (least < self.keep).then_some(least)
    }
}

/// A part of the text: where it begins and ends.
type Part = (usize, usize);

/// A config, with its text.
#[derive(Debug)]
pub struct Config<'memory> {
    text: &'memory mut [u8],
    settings: Settings,
    prefix: Part,
    command: Option<Part>,
    /// From the first pattern to the last.
    patterns: Part,
}

impl<'memory> Config<'memory> {
    /// The defaults; `text` is where a config will be read to.
    pub fn new(text: &'memory mut [u8]) -> Self {
        Self { text, settings: Settings::DEFAULT, prefix: (0, 0), command: None, patterns: (0, 0) }
    }

    /// Where to read the text to. One byte more than may be read is kept.
    pub fn space(&mut self) -> &mut [u8] {
        match self.text {
            [space @ .., _] => space,
            [] => &mut [],
        }
    }

    /// Takes the first `length` bytes of that place for the config, in the place of what was said before. What is wrong is
    /// told with the number of its line, from 1 on; `is_cut` says that there is more behind them.
    pub fn read(&mut self, length: usize, is_cut: bool, tell: &mut dyn FnMut(u32, Fault)) {
        (self.settings, self.prefix, self.command, self.patterns) = (Settings::DEFAULT, (0, 0), None, (0, 0));
        let length = length.min(self.text.len().saturating_sub(1));
        let mut number = 0_u32;
        let mut start = 0;
        let mut has_told_of_returns = false;
        while start < length {
            number = number.wrapping_add(1);
            let rest = self.text.get(start..length).unwrap_or(&[]);
            let (mut end, has_end) = match find(b'\n', rest) {
                Some(place) => (start.wrapping_add(place), true),
                None => (length, false),
            };
            let next = end.wrapping_add(1);
            if !has_end && is_cut {
                self.blank(start, end);
                return tell(number, Fault::TooLong);
            }
            if self.text.get(start..end).is_some_and(|line| line.ends_with(b"\r")) {
                end = end.wrapping_sub(1);
                self.blank(end, end.wrapping_add(1));
                if !has_told_of_returns {
                    has_told_of_returns = true;
                    tell(number, Fault::CarriageReturn);
                }
            }
            if let Err(fault) = self.take(start, end) {
                self.blank(start, end);
                tell(number, fault);
            }
            start = next;
        }
    }

    /// What was there means nothing any more.
    fn blank(&mut self, start: usize, end: usize) {
        self.text.get_mut(start..end).unwrap_or(&mut []).fill(b'\n');
    }

    fn take(&mut self, start: usize, end: usize) -> Result<(), Fault> {
        const SIZES: &[(u8, u64)] = &[(b'k', 1024), (b'm', 1024 * 1024)];
        const TIMES: &[(u8, u64)] = &[(b'm', 60), (b'h', 3600)];
        let line = self.text.get(start..end).unwrap_or(&[]);
        let Some((directive, value)) = line.split_first() else { return Ok(()) };
        if *directive == b'#' {
            self.blank(start, end);
            return Ok(());
        }
        if find(0, line).is_some() {
            return Err(Fault::Nul);
        }
        let count = || number(value, &[]).and_then(|number| u32::try_from(number).map_err(|_| Fault::TooLarge));
        let time = || number(value, TIMES).map(|seconds| (seconds > 0).then_some(Duration::from_seconds(seconds)));
        let part = (start.wrapping_add(1), end);
        match directive {
            b's' => self.settings.size = number(value, SIZES)?,
            b'n' => self.settings.keep = count()?,
            b'N' => self.settings.least = Some(count()?),
            b't' => self.settings.age = time()?,
            b'k' => self.settings.processor_limit = time()?,
            b'u' | b'U' => {
                let target = target::parse(value).map_err(|no_target| match no_target {
                    NoTarget::Address => Fault::NoAddress,
                    NoTarget::Port => Fault::NoPort,
                })?;
                self.settings.target = Some(target);
                self.settings.only_sends = *directive == b'U';
            }
            b'w' if matches!(value, b"" | b"ait") => self.settings.waits = true,
            b'p' if value.is_empty() => {}
            b'p' => self.prefix = part,
            b'!' if value.is_empty() => {}
            b'!' => {
                self.command = Some(part);
                if let Some(byte) = self.text.get_mut(end) {
                    *byte = 0;
                }
            }
            _ if pattern::is_pattern(line) => {
                let (first, last) = self.patterns;
                self.patterns = if first == last { (start, end) } else { (first, end) };
            }
            _ => return Err(Fault::UnknownDirective),
        }
        Ok(())
    }

    /// What it says, but for texts.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What stands before each line.
    pub fn prefix(&self) -> &[u8] {
        self.part(self.prefix)
    }

    /// The processor.
    pub fn command(&self) -> Option<&CStr> {
        let (start, _) = self.command?;
        CStr::from_bytes_until_nul(self.text.get(start..)?).ok()
    }

    /// Whether there are patterns.
    pub fn has_patterns(&self) -> bool {
        self.patterns.0 != self.patterns.1
    }

    /// What the patterns say of a line.
    pub fn choose(&self, text: &[u8]) -> Choice {
        if !self.has_patterns() {
            return Choice::DEFAULT;
        }
        choose(self.part(self.patterns).split(|byte| matches!(byte, b'\n' | 0)), text)
    }

    fn part(&self, (start, end): Part) -> &[u8] {
        self.text.get(start..end).unwrap_or(&[])
    }
}

/// Digits, and one of these suffixes or none; blanks behind them do not count.
fn number(value: &[u8], suffixes: &[(u8, u64)]) -> Result<u64, Fault> {
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, suffix) = value.split_at_checked(digits).filter(|_| digits > 0).ok_or(Fault::NoNumber)?;
    let number = crate::text::decimal(digits).ok_or(Fault::TooLarge)?;
    let factor = match suffix.trim_ascii_end() {
        [] => 1,
        [letter] => suffixes.iter().find(|(suffix, _)| suffix == letter).ok_or(Fault::NoNumber)?.1,
        _ => return Err(Fault::NoNumber),
    };
    number.checked_mul(factor).ok_or(Fault::TooLarge)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads a config and hands it to `look`, with what was told.
    fn with<T>(text: &[u8], look: impl FnOnce(&Config, &[(u32, Fault)]) -> T) -> T {
        let mut memory = vec![b'x'; text.len() + 1];
        memory[..text.len()].copy_from_slice(text);
        let mut config = Config::new(&mut memory);
        let mut told = Vec::new();
        config.read(text.len(), false, &mut |line, fault| told.push((line, fault)));
        look(&config, &told)
    }

    fn settings(text: &str) -> Settings {
        with(text.as_bytes(), |config, told| {
            assert_eq!(told, []);
            *config.settings()
        })
    }

    fn faults(text: &[u8]) -> Vec<(u32, Fault)> {
        with(text, |_, told| told.to_vec())
    }

    #[test]
    fn without_a_line_the_defaults_hold() {
        for text in ["", "\n", "# s5\n\n#", "p\n!\n"] {
            assert_eq!(settings(text), Settings::DEFAULT, "{text:?}");
        }
    }

    #[test]
    fn numbers_have_suffixes() {
        assert_eq!(settings("s10").size, 10);
        assert_eq!(settings("s10k\n").size, 10_240);
        assert_eq!(settings("s2m \n").size, 2 * 1024 * 1024);
        assert_eq!(settings("t90").age, Some(Duration::from_seconds(90)));
        assert_eq!(settings("t2m").age, Some(Duration::from_seconds(120)));
        assert_eq!(settings("t1h\nk3m").processor_limit, Some(Duration::from_seconds(180)));
        assert_eq!(settings("t5\nt0").age, None);
        assert_eq!(settings("n7\nN3").least, Some(3));
        assert_eq!(settings("n0").keep, 0);
        assert!(settings("w").waits && settings("wait").waits);
    }

    #[test]
    fn numbers_that_are_none_are_told_and_change_nothing() {
        for text in ["s", "sabc", "s 2000", "s-5", "s10K", "s10kb", "n5k", "t5s", "s1 2"] {
            assert_eq!(faults(text.as_bytes()), [(1, Fault::NoNumber)], "{text}");
            with(text.as_bytes(), |config, _| assert_eq!(*config.settings(), Settings::DEFAULT));
        }
        for text in ["s18446744073709551616", "s18446744073709551615k", "n4294967296", "N99999999999999999999"] {
            assert_eq!(faults(text.as_bytes()), [(1, Fault::TooLarge)], "{text}");
        }
    }

    #[test]
    fn the_lines_that_are_right_count() {
        let text = b"s100\nxyz\nnope\n s5\nn3";
        assert_eq!(faults(text), [(2, Fault::UnknownDirective), (3, Fault::NoNumber), (4, Fault::UnknownDirective)]);
        with(text, |config, _| assert_eq!((config.settings().size, config.settings().keep), (100, 3)));
    }

    #[test]
    fn of_two_the_last_counts() {
        with(b"pone\n!true\nptwo\n!false\ns1\ns2", |config, told| {
            assert_eq!((config.prefix(), config.command()), (&b"two"[..], Some(c"false")));
            assert_eq!((config.settings().size, told.len()), (2, 0));
        });
    }

    #[test]
    fn a_command_at_the_end_needs_no_newline() {
        with(b"!exec cat", |config, _| assert_eq!(config.command(), Some(c"exec cat")));
    }

    #[test]
    fn patterns_add_up_with_others_between_them() {
        with(b"-*\ns5\n!true\n+*a*\n#+*\nex", |config, told| {
            assert_eq!(told, []);
            assert!(config.has_patterns());
            assert_eq!(config.choose(b"bab"), Choice { is_taken: true, is_shown: false });
            assert_eq!(config.choose(b"x"), Choice { is_taken: false, is_shown: true });
        });
    }

    #[test]
    fn carriage_returns_are_dropped_and_told_once() {
        with(b"s5\r\n+b\r\n-*\r\n+a\r\n!true\r\n", |config, told| {
            assert_eq!(told, [(1, Fault::CarriageReturn)]);
            assert_eq!((config.settings().size, config.command()), (5, Some(c"true")));
            assert_eq!(config.choose(b"a"), Choice { is_taken: true, is_shown: false });
            assert_eq!(config.choose(b"b"), Choice { is_taken: false, is_shown: false });
        });
    }

    #[test]
    fn a_nul_spoils_its_line_alone() {
        with(b"-a\0+b\n-b\n", |config, told| {
            assert_eq!(told, [(1, Fault::Nul)]);
            assert_eq!(config.choose(b"b"), Choice { is_taken: false, is_shown: false });
            assert_eq!(config.choose(b"a"), Choice::DEFAULT);
        });
    }

    #[test]
    fn what_is_cut_is_told() {
        let mut memory = *b"s5\nn7xxxx";
        let mut config = Config::new(&mut memory);
        let mut told = Vec::new();
        config.read(5, true, &mut |line, fault| told.push((line, fault)));
        assert_eq!(told, [(2, Fault::TooLong)]);
        assert_eq!((config.settings().size, config.settings().keep), (5, LOG_FILES));
    }

    #[test]
    fn a_wrong_address_leaves_everything_as_it_was() {
        with(b"u127.0.0.1:5\nU1.2.3\nu1.2.3.4:0", |config, told| {
            assert_eq!(told, [(2, Fault::NoAddress), (3, Fault::NoPort)]);
            assert_eq!(config.settings().target.unwrap().port, 5);
            assert!(!config.settings().only_sends);
        });
        assert!(settings("U[::1]:5").only_sends);
    }

    #[test]
    fn old_files_are_spared_as_told() {
        assert_eq!(settings("").spare(), Some(1));
        assert_eq!(settings("n0").spare(), None);
        assert_eq!(settings("n1").spare(), None);
        assert_eq!(settings("n5\nN5").spare(), None);
        assert_eq!(settings("n5\nN2").spare(), Some(2));
        assert_eq!(settings("n5\nN0").spare(), Some(0));
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_odd(text in prop::collection::vec(prop_oneof![
            prop::sample::select(b"snNtku!Up+-eEw#\n\r\0 0159km*:.[]".to_vec()), any::<u8>()], 0..200)) {
            with(&text, |config, told| {
                assert!(told.len() <= 1 + text.iter().filter(|byte| **byte == b'\n').count() * 2 + 1);
                let _ = config.choose(b"some text");
                assert!(config.command().is_none_or(|command| command.count_bytes() > 0));
            });
        }
    }
}
