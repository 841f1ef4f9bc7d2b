//! Signals by name; the numbers are those of x86 and arm.

use core::num::NonZeroU8;

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
    /// The power fails.
    PWR = 30,
}

impl Signal {
    /// The signal of that number, unless it is 0.
    pub const fn new(number: u8) -> Option<Self> {
        match NonZeroU8::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The kernel's number.
    pub const fn number(self) -> u8 {
        self.0.get()
    }
}
