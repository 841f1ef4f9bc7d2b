//! Commands to a service: the one table of control byte, control script and signal
//! (runsv(8)).

use crate::process::signal::Signal;

/// What a service can be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    /// Start it, and keep it started.
    Up,
    /// Stop it, and leave it stopped.
    Down,
    /// Start it, and leave it stopped once it ends.
    Once,
    /// Stop it, then end its supervisor.
    Exit,
    /// TERM.
    Term,
    /// KILL.
    Kill,
    /// STOP.
    Pause,
    /// CONT.
    Continue,
    /// HUP.
    Hangup,
    /// ALRM.
    Alarm,
    /// INT.
    Interrupt,
    /// QUIT.
    Quit,
    /// USR1.
    User1,
    /// USR2.
    User2,
}

/// One command, as bytes and as a signal.
struct Row {
    byte: u8,
    command: Command,
    /// Path of the script that may take its place, NUL-terminated; empty for `o`, which runs that of `u`.
    script: [u8; 10],
    /// What is sent to the process in state run.
    signal: Option<Signal>,
}

macro_rules! row {
    ($byte:literal, $command:ident, $script:expr, $signal:expr) => {
        Row { byte: $byte, command: Command::$command, script: $script, signal: $signal }
    };
}

// In the order of `Command`, so that a command finds its row by its place.
static COMMANDS: [Row; 14] = [
    row!(b'u', Up, *b"control/u\0", None),
    row!(b'd', Down, *b"control/d\0", None),
    row!(b'o', Once, [0; 10], None),
    row!(b'x', Exit, *b"control/x\0", None),
    row!(b't', Term, *b"control/t\0", Some(Signal::TERM)),
    row!(b'k', Kill, *b"control/k\0", Some(Signal::KILL)),
    row!(b'p', Pause, *b"control/p\0", Some(Signal::STOP)),
    row!(b'c', Continue, *b"control/c\0", Some(Signal::CONT)),
    row!(b'h', Hangup, *b"control/h\0", Some(Signal::HUP)),
    row!(b'a', Alarm, *b"control/a\0", Some(Signal::ALRM)),
    row!(b'i', Interrupt, *b"control/i\0", Some(Signal::INT)),
    row!(b'q', Quit, *b"control/q\0", Some(Signal::QUIT)),
    row!(b'1', User1, *b"control/1\0", Some(Signal::USR1)),
    row!(b'2', User2, *b"control/2\0", Some(Signal::USR2)),
];

impl Command {
    /// The command that a control byte stands for; unknown bytes stand for none.
    pub fn from_byte(byte: u8) -> Option<Self> {
        COMMANDS.iter().find(|row| row.byte == byte).map(|row| row.command)
    }

    /// The control byte.
    pub fn byte(self) -> u8 {
        self.row().map_or(0, |row| row.byte)
    }

    /// The path of its control script below the service directory, NUL-terminated.
    pub fn script(self) -> Option<&'static core::ffi::CStr> {
        let path = core::ffi::CStr::from_bytes_until_nul(&self.row()?.script).ok()?;
        if path.is_empty() { None } else { Some(path) }
    }

    /// The signal that it sends to a running process by itself.
    pub fn signal(self) -> Option<Signal> {
        self.row()?.signal
    }

    /// Whether a running process is expected to end by it.
    pub fn stops(self) -> bool {
        match self {
            Self::Down | Self::Exit | Self::Term | Self::Kill | Self::Interrupt | Self::Quit => true,
            Self::Up
            | Self::Once
            | Self::Pause
            | Self::Continue
            | Self::Hangup
            | Self::Alarm
            | Self::User1
            | Self::User2 => false,
        }
    }

    fn row(self) -> Option<&'static Row> {
        COMMANDS.get(self as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_stands_at_its_command_and_is_found_by_its_byte() {
        for (place, row) in COMMANDS.iter().enumerate() {
            assert_eq!(row.command as usize, place);
            assert_eq!(Command::from_byte(row.byte), Some(row.command));
            assert_eq!(row.command.byte(), row.byte);
            if row.command != Command::Once {
                assert_eq!(&row.script[..], [b"control/", &[row.byte][..], b"\0"].concat());
            }
        }
    }

    #[test]
    fn exactly_these_bytes_are_commands() {
        let known: Vec<u8> = (0..=255).filter(|byte| Command::from_byte(*byte).is_some()).collect();
        let mut expected = b"udoxtkpchaiq12".to_vec();
        expected.sort_unstable();
        assert_eq!(known, expected);
    }

    #[test]
    fn once_has_no_script_of_its_own() {
        assert_eq!(Command::Once.script(), None);
        assert_eq!(Command::Up.script(), Some(c"control/u"));
    }

    #[test]
    fn signals_are_those_of_the_manual() {
        let sent: Vec<_> =
            b"tkpchaiq12".iter().map(|byte| Command::from_byte(*byte).unwrap().signal().unwrap().number()).collect();
        assert_eq!(sent, [15, 9, 19, 18, 1, 14, 2, 3, 10, 12]);
        assert!(b"udox".iter().all(|byte| Command::from_byte(*byte).unwrap().signal().is_none()));
    }
}
