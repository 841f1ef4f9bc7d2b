//! Signals by name; the numbers are those of x86 and arm.

use core::num::NonZeroU8;

use crate::text::decimal;

/// A signal; never 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signal(NonZeroU8);

macro_rules! signals {
    ($($(#[$doc:meta])* $name:ident = $number:literal,)*) => {
        impl Signal {
            $($(#[$doc])* pub const $name: Self = Self(NonZeroU8::new($number).unwrap());)*
        }
    };
}

signals! {
    /// The terminal is gone, or: read the configuration again.
    HUP = 1,
    /// Typed at the terminal; to pid 1: ctrl-alt-del.
    INT = 2,
    /// Typed at the terminal.
    QUIT = 3,
    /// Cannot be caught.
    KILL = 9,
    /// A program's own meaning.
    USR1 = 10,
    /// A program's own meaning.
    USR2 = 12,
    /// Nobody reads the pipe.
    PIPE = 13,
    /// A program's own meaning; to runsvdir: scan now.
    ALRM = 14,
    /// Please end.
    TERM = 15,
    /// A child ended.
    CHLD = 17,
    /// Go on after STOP; to pid 1: look at the requests.
    CONT = 18,
    /// Cannot be caught.
    STOP = 19,
    /// A file is larger than the process may make it.
    XFSZ = 25,
    /// Something happened to a watched directory.
    IO = 29,
    /// The power fails.
    PWR = 30,
    /// One of those that are queued, for a program's own use.
    QUEUED = 40,
}

/// The names of signals 1 to 31, in their order.
static NAMES: &[u8] =
    b"HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP \
TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS";

/// The last of the kernel's signals.
const LAST: u8 = 64;

impl Signal {
    /// The signal of that number, unless it is 0.
    pub const fn new(number: u8) -> Option<Self> {
        match NonZeroU8::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The signal called `text`: a number from 1 to 64, or a name with or without `SIG`, in any case.
    pub fn parse(text: &[u8]) -> Option<Self> {
        if let Some(number) = decimal(text) {
            return u8::try_from(number).ok().filter(|number| *number <= LAST).and_then(Self::new);
        }
        let name = match text.split_first_chunk::<3>() {
            Some((sig, name)) if sig.eq_ignore_ascii_case(b"SIG") => name,
            Some(_) | None => text,
        };
        let mut names = NAMES.split(|byte| *byte == b' ');
        let place = names.position(|known| known.eq_ignore_ascii_case(name))?;
        Self::new(u8::try_from(place).ok()?.wrapping_add(1))
    }

    /// The kernel's number.
    pub const fn number(self) -> u8 {
        self.0.get()
    }
}
