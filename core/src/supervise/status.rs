//! What `supervise/status` and `supervise/stat` hold (service-directory(5)); [`super::extension`] tells what is ours alone.

use crate::limits::STAT_LINE;
use crate::process::Pid;
use crate::tai64n::Label;
use crate::text::Text;

/// What is running, as status files tell it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Nothing.
    Down,
    /// `./run`.
    Run,
    /// `./finish`.
    Finish,
}

impl Phase {
    /// Its word in `stat` and in what `sv` prints.
    pub fn word(self) -> &'static [u8] {
        match self {
            Self::Down => b"down",
            Self::Run => b"run",
            Self::Finish => b"finish",
        }
    }
}

/// What the supervisor works towards. The 20 bytes know only up and not up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// A running service.
    Up,
    /// A service that runs once more.
    Once,
    /// A stopped service.
    Down,
    /// A stopped service, and no supervisor.
    Exit,
}

impl Wanted {
    const ALL: [(Self, u8, &'static [u8]); 4] = [
        (Self::Up, b'u', b"up"),
        (Self::Once, b'o', b"once"),
        (Self::Down, b'd', b"down"),
        (Self::Exit, b'x', b"exit"),
    ];

    pub(super) fn from_letter(letter: u8) -> Option<Self> {
        Self::ALL.iter().find(|row| row.1 == letter).map(|row| row.0)
    }

    fn row(self) -> (Self, u8, &'static [u8]) {
        let [up, once, down, exit] = Self::ALL;
        match self {
            Self::Up => up,
            Self::Once => once,
            Self::Down => down,
            Self::Exit => exit,
        }
    }

    /// Its letter in status files.
    pub(super) fn letter(self) -> u8 {
        self.row().1
    }

    /// Its word in what `sv` prints.
    pub fn word(self) -> &'static [u8] {
        self.row().2
    }
}

/// One service as its files show it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record {
    /// When `./run` was started; in state down: when the service came down.
    pub stamp: Label,
    /// The process, if any.
    pub pid: Option<Pid>,
    /// Whether it was paused.
    pub is_paused: bool,
    /// What is wanted.
    pub wanted: Wanted,
    /// Whether the supervisor sent TERM to the running process.
    pub got_term: bool,
    /// What is running.
    pub phase: Phase,
}

/// A state byte that is none of the known three.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownState(pub u8);

impl Record {
    /// Length of the binary form, in bytes. Files may be longer; readers take the first `SIZE`.
    pub const SIZE: usize = 20;

    /// The binary form: stamp big-endian, pid little-endian, four bytes of flags.
    pub fn encode(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        let flags = [
            u8::from(self.is_paused),
            if self.wanted == Wanted::Up { b'u' } else { b'd' },
            u8::from(self.got_term),
            match self.phase {
                Phase::Down => 0,
                Phase::Run => 1,
                Phase::Finish => 2,
            },
        ];
        let pid = self.pid.map_or(0, Pid::raw).to_le_bytes();
        let [stamp @ .., p0, p1, p2, p3, f0, f1, f2, f3] = &mut bytes;
        *stamp = self.stamp.encode();
        [*p0, *p1, *p2, *p3] = pid;
        [*f0, *f1, *f2, *f3] = flags;
        bytes
    }

    /// Reads the binary form, whoever wrote it. "Exit" cannot be told from "down" here.
    ///
    /// # Errors
    /// [`UnknownState`] if the last byte is none of 0, 1 and 2.
    pub fn decode(bytes: &[u8; Self::SIZE]) -> Result<Self, UnknownState> {
        let [stamp @ .., p0, p1, p2, p3, paused, wanted, got_term, phase] = *bytes;
        let phase = match phase {
            0 => Phase::Down,
            1 => Phase::Run,
            2 => Phase::Finish,
            other => return Err(UnknownState(other)),
        };
        Ok(Self {
            stamp: Label::decode(stamp),
            pid: Pid::new(u32::from_le_bytes([p0, p1, p2, p3])),
            is_paused: paused != 0,
            wanted: if wanted == b'u' { Wanted::Up } else { Wanted::Down },
            got_term: got_term != 0,
            phase,
        })
    }

    /// The line of `supervise/stat`, newline included.
    pub fn stat_line(&self) -> Text<STAT_LINE> {
        let mut line = Text::new();
        line.push(self.phase.word());
        if self.is_paused {
            line.push(b", paused");
        }
        if self.got_term {
            line.push(b", got TERM");
        }
        if self.phase != Phase::Down {
            line.push(match self.wanted {
                Wanted::Up => b"",
                Wanted::Once | Wanted::Down => b", want down",
                Wanted::Exit => b", want exit",
            });
        }
        line.push(b"\n");
        line
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Dumps of files that another implementation wrote.
    const SEEN_RUN: [u8; 20] = *b"\x40\0\0\0\x6b\x03\x0b\x49\x27\x0e\xf8\x54\xe5\x06\0\0\0u\0\x01";
    const SEEN_DOWN: [u8; 20] = *b"\x40\0\0\0\x6b\x03\x0b\x4b\x0c\x8f\x91\x8c\0\0\0\0\0d\0\0";

    #[test]
    fn seen_files_decode_and_encode_to_the_same_bytes() {
        let run = Record::decode(&SEEN_RUN).unwrap();
        assert_eq!((run.pid, run.phase, run.wanted), (Pid::new(1765), Phase::Run, Wanted::Up));
        assert_eq!(run.encode(), SEEN_RUN);
        let down = Record::decode(&SEEN_DOWN).unwrap();
        assert_eq!((down.pid, down.phase, down.wanted), (None, Phase::Down, Wanted::Down));
        assert_eq!(down.encode(), SEEN_DOWN);
    }

    #[test]
    fn exit_is_stored_as_down() {
        let record = Record { wanted: Wanted::Exit, ..Record::decode(&SEEN_RUN).unwrap() };
        assert_eq!(record.encode()[17], b'd');
        assert_eq!(Record::decode(&record.encode()).unwrap().wanted, Wanted::Down);
    }

    #[test]
    fn an_unknown_state_byte_is_refused() {
        let mut bytes = SEEN_RUN;
        bytes[19] = 3;
        assert_eq!(Record::decode(&bytes), Err(UnknownState(3)));
    }

    #[test]
    fn the_stat_line_has_its_parts_in_order() {
        let run = Record::decode(&SEEN_RUN).unwrap();
        let line = |record: Record| String::from_utf8(record.stat_line().as_bytes().to_vec()).unwrap();
        assert_eq!(line(run), "run\n");
        assert_eq!(line(Record { wanted: Wanted::Exit, ..run }), "run, want exit\n");
        assert_eq!(line(Record { phase: Phase::Down, wanted: Wanted::Down, is_paused: true, ..run }), "down, paused\n");
        let longest = Record { phase: Phase::Finish, is_paused: true, got_term: true, wanted: Wanted::Down, ..run };
        assert_eq!(line(longest), "finish, paused, got TERM, want down\n");
    }

    proptest! {
        #[test]
        fn every_file_decodes_to_what_encodes_it_again(bytes: [u8; 20]) {
            if let Ok(record) = Record::decode(&bytes) {
                prop_assert_eq!(Record::decode(&record.encode()), Ok(record));
            } else {
                prop_assert!(bytes[19] > 2);
            }
        }
    }
}
