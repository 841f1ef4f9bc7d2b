//! What somebody asks of `shutdown`: its letters, which may contradict each other, and its time.

use super::made::Thing;
use crate::boot::event::Ending;
use crate::limits::SHUTDOWN_MINUTES;
use crate::local_time::TimeOfDay;
use crate::text::decimal;

/// How the machine goes down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// It starts again.
    Reboot,
    /// It goes off.
    PowerOff,
    /// It stops, and stays on.
    Halt,
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Reboot, Self::PowerOff, Self::Halt];

    /// As people call it.
    pub const fn text(self) -> &'static [u8] {
        match self {
            Self::Reboot => b"reboot",
            Self::PowerOff => b"power off",
            Self::Halt => b"halt",
        }
    }

    /// How the machine ends by it.
    pub const fn ending(self) -> Ending {
        match self {
            Self::Reboot => Ending::Reboot,
            Self::PowerOff => Ending::PowerOff,
            Self::Halt => Ending::Halt,
        }
    }
}

/// What shall be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    /// Take the machine down.
    GoDown(Way),
    /// Say so, and do nothing.
    Warn(Option<Way>),
    /// Cancel what is pending.
    Cancel,
}

/// Why letters make no wish.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// None of them says what shall be done.
    NoAction,
    /// One excludes another.
    Exclusive,
}

/// The letters that say what shall be done, and how; a bit for each that was given.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Letters(u8);

const REBOOT: u8 = 1;
const OFF: u8 = 2;
const POWER_OFF: u8 = 4;
const HALT: u8 = 8;
const WARN: u8 = 16;
const CANCEL: u8 = 32;
const FAST: u8 = 64;
const FORCE: u8 = 128;

impl Letters {
    /// Every letter that counts, in the order of the bits.
    pub const KNOWN: &'static [u8; 8] = b"rhPHkcfF";

    /// Notes one of them.
    pub fn add(&mut self, letter: u8) {
        let known = Self::KNOWN.iter().zip(0_u32..).find(|(known, _)| **known == letter);
        self.0 |= known.map_or(0, |(_, place)| 1 << place);
    }

    /// What they mean together.
    ///
    /// # Errors
    /// They mean nothing.
    pub fn wish(self) -> Result<Wish, Fault> {
        const WAYS: u8 = REBOOT | OFF | POWER_OFF | HALT;
        const OFF_POWER_OFF: u8 = OFF | POWER_OFF;
        const OFF_HALT: u8 = OFF | HALT;
        let way = match self.0 & WAYS {
            0 => None,
            REBOOT => Some(Way::Reboot),
            OFF | POWER_OFF | OFF_POWER_OFF => Some(Way::PowerOff),
            HALT | OFF_HALT => Some(Way::Halt),
            _ => return Err(Fault::Exclusive),
        };
        match (self.0 & !WAYS, way) {
            (CANCEL, None) => Ok(Wish::Cancel),
            (WARN, way) => Ok(Wish::Warn(way)),
            (0 | FAST | FORCE, Some(way)) => Ok(Wish::GoDown(way)),
            (0 | FAST | FORCE, None) => Err(Fault::NoAction),
            _ => Err(Fault::Exclusive),
        }
    }

    /// What the next boot shall find, if anything.
    pub fn flag(self) -> Option<Thing> {
        match self.0 & (FAST | FORCE) {
            FAST => Some(Thing::FastBoot),
            FORCE => Some(Thing::ForceCheck),
            _ => None,
        }
    }
}

/// When it shall be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// After so many minutes.
    After(u32),
    /// When the clock shows it next.
    At(TimeOfDay),
}

impl When {
    /// Reads `now`, `+minutes` or `hours:minutes`; `None` if it is something else.
    pub fn parse(word: &[u8]) -> Option<Self> {
        match word {
            b"now" => Some(Self::After(0)),
            [b'+', minutes @ ..] => {
                // So many fit.
                decimal(minutes)
                    .filter(|minutes| *minutes <= SHUTDOWN_MINUTES)
                    .map(|minutes| Self::After(minutes as u32))
            }
            _ => TimeOfDay::parse(word).map(Self::At),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(letters: &str) -> Result<Wish, Fault> {
        let mut given = Letters::default();
        letters.bytes().for_each(|letter| given.add(letter));
        given.wish()
    }

    #[test]
    fn letters_mean_what_the_page_says() {
        let table = [
            ("r", Ok(Wish::GoDown(Way::Reboot))),
            ("h", Ok(Wish::GoDown(Way::PowerOff))),
            ("P", Ok(Wish::GoDown(Way::PowerOff))),
            ("hP", Ok(Wish::GoDown(Way::PowerOff))),
            ("H", Ok(Wish::GoDown(Way::Halt))),
            ("hH", Ok(Wish::GoDown(Way::Halt))),
            ("rr", Ok(Wish::GoDown(Way::Reboot))),
            ("k", Ok(Wish::Warn(None))),
            ("kr", Ok(Wish::Warn(Some(Way::Reboot)))),
            ("kh", Ok(Wish::Warn(Some(Way::PowerOff)))),
            ("c", Ok(Wish::Cancel)),
            ("rf", Ok(Wish::GoDown(Way::Reboot))),
            ("hF", Ok(Wish::GoDown(Way::PowerOff))),
            ("", Err(Fault::NoAction)),
            ("f", Err(Fault::NoAction)),
            ("F", Err(Fault::NoAction)),
        ];
        for (letters, expected) in table {
            assert_eq!(wish(letters), expected, "{letters}");
        }
        for letters in [
            "rh", "rP", "rH", "HP", "hHP", "rhHP", "cr", "ch", "ck", "ckr", "cf", "cF", "kf", "kF", "krF", "rfF",
            "ckrhPHfF",
        ] {
            assert_eq!(wish(letters), Err(Fault::Exclusive), "{letters}");
        }
    }

    #[test]
    fn every_letter_has_its_bit() {
        let bits = [REBOOT, OFF, POWER_OFF, HALT, WARN, CANCEL, FAST, FORCE];
        for (letter, bit) in Letters::KNOWN.iter().zip(bits) {
            let mut given = Letters::default();
            given.add(*letter);
            assert_eq!(given, Letters(bit));
        }
        let mut none = Letters::default();
        none.add(b'x');
        assert_eq!(none, Letters::default());
    }

    #[test]
    fn flags_are_what_the_next_boot_finds() {
        for (letters, flag) in [("r", None), ("rf", Some(Thing::FastBoot)), ("Fh", Some(Thing::ForceCheck))] {
            let mut given = Letters::default();
            letters.bytes().for_each(|letter| given.add(letter));
            assert_eq!(given.flag(), flag, "{letters}");
        }
    }

    #[test]
    fn times_are_read_whole_or_not_at_all() {
        let at = |text: &str| Some(When::At(TimeOfDay::parse(text.as_bytes()).unwrap()));
        let right = [
            ("now", Some(When::After(0))),
            ("+0", Some(When::After(0))),
            ("+5", Some(When::After(5))),
            ("+005", Some(When::After(5))),
            ("+525600", Some(When::After(525_600))),
            ("0:00", at("0:00")),
            ("23:59", at("23:59")),
        ];
        for (word, expected) in right {
            assert_eq!(When::parse(word.as_bytes()), expected, "{word}");
        }
        let wrong = [
            "",
            "+",
            "5",
            "60",
            "+1h",
            "+1m",
            "+5 ",
            "+ 5",
            "+-5",
            "-5",
            "++5",
            "+0x5",
            "+1.5",
            "+525601",
            "+4294967296",
            "+18446744073709551616",
            "+99999999999999999999999999",
            "25:00",
            "24:00",
            "12:60",
            "-1:00",
            "now ",
            "NOW",
            "nowx",
            "tomorrow",
            "12:5",
            "12:30:00",
        ];
        for word in wrong {
            assert_eq!(When::parse(word.as_bytes()), None, "{word}");
        }
    }
}
