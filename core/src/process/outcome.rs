//! How a process ended.

use super::signal::Signal;

/// How a process ended, as the kernel tells its parent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It exited with this code.
    Exited(u8),
    /// A signal killed it.
    Killed {
        /// The signal.
        signal: Signal,
        /// Whether a core was dumped.
        core_dumped: bool,
    },
    /// It was another's child, and only its end is known.
    Unknown,
}

impl Outcome {
    /// Takes a wait status apart (wait(2)): signal in the low seven bits, core flag, exit code above.
    pub fn from_wait_status(status: u32) -> Self {
        let [low, high, ..] = status.to_le_bytes();
        match Signal::new(low & 0x7f) {
            None => Self::Exited(high),
            Some(signal) => Self::Killed { signal, core_dumped: low & 0x80 != 0 },
        }
    }

    /// The low two bytes of the wait status; 0 if it is not known.
    pub fn wait_status(self) -> u16 {
        u16::from_le_bytes([self.low_byte(), self.exit_code().unwrap_or(0)])
    }

    /// Whether it exited with code 0; being killed is no success.
    pub fn is_success(self) -> bool {
        self == Self::Exited(0)
    }

    /// The exit code, unless a signal ended it.
    pub fn exit_code(self) -> Option<u8> {
        match self {
            Self::Exited(code) => Some(code),
            Self::Killed { .. } | Self::Unknown => None,
        }
    }

    /// The low byte of the wait status: 0 after an exit (or if nothing is known), else the signal, plus 128 if a core
    /// was dumped. The second argument of a finish script.
    pub fn low_byte(self) -> u8 {
        match self {
            Self::Exited(_) | Self::Unknown => 0,
            Self::Killed { signal, core_dumped } => signal.number() | if core_dumped { 0x80 } else { 0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exit_code_is_taken_from_the_second_byte() {
        assert_eq!(Outcome::from_wait_status(7 << 8), Outcome::Exited(7));
        assert_eq!(Outcome::from_wait_status(7 << 8).low_byte(), 0);
    }

    #[test]
    fn a_killed_process_is_no_success() {
        let killed = Outcome::from_wait_status(15);
        assert_eq!(killed, Outcome::Killed { signal: Signal::TERM, core_dumped: false });
        assert!(!killed.is_success());
        assert_eq!((killed.exit_code(), killed.low_byte()), (None, 15));
    }

    #[test]
    fn a_core_dump_adds_128_to_the_signal() {
        assert_eq!(Outcome::from_wait_status(139).low_byte(), 139);
    }

    #[test]
    fn every_wait_status_comes_back() {
        for status in [0, 7 << 8, 255 << 8, 15, 139] {
            assert_eq!(Outcome::from_wait_status(status).wait_status(), u16::try_from(status).unwrap());
        }
        assert_eq!((Outcome::Unknown.wait_status(), Outcome::Unknown.is_success()), (0, false));
    }
}
