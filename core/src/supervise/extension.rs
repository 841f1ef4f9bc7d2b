//! What our supervisors tell in `supervise/status` behind the 20 bytes that everybody knows (service-directory(5)).
//!
//! Others neither write nor read it. One that is of another version counts as missing.

use super::status::{Phase, Record, UnknownState, Wanted};
use crate::limits::STATUS_FILE;
use crate::process::errno::Errno;
use crate::process::outcome::Outcome;
use crate::time::Instant;

/// What went wrong last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure {
    /// `./run` could not be executed.
    Run(Errno),
    /// `./finish` could not be executed.
    Finish(Errno),
    /// A control script could not be executed.
    Control(Errno),
    /// No process could be made.
    Fork(Errno),
    /// `./run` did not end in time when it was told to, and was killed.
    Stop,
    /// `./finish` did not end in time, and was killed.
    FinishStop,
}

impl Failure {
    fn encode(self) -> (u8, Errno) {
        const NONE: Errno = Errno::new(0);
        match self {
            Self::Run(errno) => (1, errno),
            Self::Finish(errno) => (2, errno),
            Self::Control(errno) => (3, errno),
            Self::Fork(errno) => (4, errno),
            Self::Stop => (5, NONE),
            Self::FinishStop => (6, NONE),
        }
    }

    fn decode(kind: u8, errno: Errno) -> Option<Self> {
        match kind {
            1 => Some(Self::Run(errno)),
            2 => Some(Self::Finish(errno)),
            3 => Some(Self::Control(errno)),
            4 => Some(Self::Fork(errno)),
            5 => Some(Self::Stop),
            6 => Some(Self::FinishStop),
            _ => None,
        }
    }

    /// The words for it; the second part is why.
    pub fn words(self) -> (&'static [u8], &'static [u8]) {
        match self {
            Self::Run(errno) => (b"unable to start ./run: ", errno.text()),
            Self::Finish(errno) => (b"unable to start ./finish: ", errno.text()),
            Self::Control(errno) => (b"unable to run a control script: ", errno.text()),
            Self::Fork(errno) => (b"unable to fork: ", errno.text()),
            Self::Stop => (b"killed after timeout-kill", b""),
            Self::FinishStop => (b"finish killed after timeout-finish", b""),
        }
    }
}

/// How far a one-shot is: a service whose `./run` is run once (service-directory(5)).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OneShot {
    /// It is none, or it is down and shall be.
    No,
    /// `./run` runs.
    Running,
    /// `./run` has ended well: what it did is in force.
    Done,
    /// `./run` has failed, and is not run again before somebody says so.
    Failed,
}

impl OneShot {
    const ALL: [(Self, &'static [u8]); 4] =
        [(Self::No, b"no"), (Self::Running, b"running"), (Self::Done, b"done"), (Self::Failed, b"failed")];

    fn decode(number: u8) -> Self {
        Self::ALL.get(usize::from(number)).map_or(Self::No, |row| row.0)
    }

    /// Its word in what `sv` prints.
    pub fn word(self) -> &'static [u8] {
        Self::ALL.get(self as usize).map_or(b"", |row| row.1)
    }
}

/// What has become of a service over its starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct History {
    /// How often `./run` was started.
    pub starts: u32,
    /// How it ended the last time.
    pub last_end: Option<Outcome>,
    /// What went wrong last, and at which start.
    pub failure: Option<(Failure, u32)>,
    /// Ends in a row that count as failing.
    pub tally: u16,
    /// Seconds of the present back-off; 0: none.
    pub backoff: u16,
    /// The process was another supervisor's child.
    pub is_taken_over: bool,
}

impl History {
    /// Nothing has happened yet.
    pub const NONE: Self =
        Self { starts: 0, last_end: None, failure: None, tally: 0, backoff: 0, is_taken_over: false };
}

/// Which boot of which machine: the first characters of the kernel's random name for it.
pub type BootId = [u8; 8];

/// What only the supervisor's process knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Origin {
    /// Its pid.
    pub supervisor: u32,
    /// The boot it lives in; all NUL: unknown.
    pub boot: BootId,
    /// The inode of the log pipe, or that of `supervise/` where a one-shot is done: nothing but its place tells that
    /// such a status was not copied; 0: there is none.
    pub inode: u32,
    /// Bytes in the control fifo that were no commands, 255 at the most.
    pub ignored: u8,
    /// When it was written, since the machine booted. The process that is told was alive then: one of that number that started later is another.
    pub written: Instant,
}

impl Origin {
    /// Nobody.
    pub const NONE: Self = Self { supervisor: 0, boot: [0; 8], inode: 0, ignored: 0, written: Instant::ORIGIN };
}

/// All that stands behind the 20 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extension {
    /// What is wanted, in full.
    pub wanted: Wanted,
    /// The record's stamp, since the machine booted.
    pub since_boot: Instant,
    /// What has become of the service.
    pub history: History,
    /// How far it is, if it is a one-shot.
    pub one_shot: OneShot,
    /// The letter of the control script that runs; 0: none.
    pub hook: u8,
    /// Who writes.
    pub origin: Origin,
}

const MAGIC: u8 = b'p';
const VERSION: u8 = 1;

// The flags: one bit, and above it the number of a one-shot's state.
const TAKEN_OVER: u8 = 1;
const ONE_SHOT_SHIFT: u32 = 1;
const ONE_SHOT_MASK: u8 = 3;

// How the end of the last `./run` is known.
const END_NONE: u8 = 0;
const END_STATUS: u8 = 1;
const END_UNKNOWN: u8 = 2;

/// Where each part begins. All numbers are little-endian; what lies between two of them is one part.
mod at {
    pub const HEAD: usize = 20;
    pub const SECONDS: usize = 24;
    pub const NANOSECONDS: usize = 32;
    pub const STARTS: usize = 36;
    pub const SUPERVISOR: usize = 40;
    pub const BOOT: usize = 44;
    pub const INODE: usize = 52;
    pub const END_STATUS: usize = 56;
    pub const END_AND_FAILURE: usize = 58;
    pub const ERRNO: usize = 60;
    pub const HOOK_AND_IGNORED: usize = 62;
    pub const FAILED_START: usize = 64;
    pub const TALLY: usize = 68;
    pub const BACKOFF: usize = 70;
    pub const WRITTEN: usize = 72;
}

/// A whole status file.
pub type File = [u8; STATUS_FILE];

/// Whether two files tell the same, whenever they were written.
pub fn is_same_news(one: &File, other: &File) -> bool {
    one.get(..at::WRITTEN) == other.get(..at::WRITTEN)
}

/// Whether two files tell of the same process.
pub fn is_same_pid(one: &File, other: &File) -> bool {
    const PID: core::ops::Range<usize> = 12..16;
    one.get(PID) == other.get(PID)
}

/// Puts one part in its place.
#[inline(always)]
fn put<const N: usize>(file: &mut File, at: usize, part: [u8; N]) {
    if let Some(place) = file.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
        *place = part;
    }
}

/// Takes one part from its place.
#[inline(always)]
fn take<const N: usize>(file: &File, at: usize) -> [u8; N] {
    // The test of the layout shows that every part is there.
    file.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or([0; N])
}

impl Extension {
    /// The whole file: the record, and this behind it.
    pub fn encode(&self, record: &Record) -> File {
        let Self { wanted, since_boot, history, one_shot, hook, origin } = self;
        let (failure, failed_start) =
            history.failure.map_or((None, 0), |(failure, start)| (Some(failure.encode()), start));
        let (kind, errno) = failure.unwrap_or((0, Errno::new(0)));
        let end = match history.last_end {
            None => END_NONE,
            Some(Outcome::Unknown) => END_UNKNOWN,
            Some(Outcome::Exited(_) | Outcome::Killed { .. }) => END_STATUS,
        };
        let taken_over = if history.is_taken_over { TAKEN_OVER } else { 0 };
        let flags = taken_over | ((*one_shot as u8) << ONE_SHOT_SHIFT);
        let mut file = [0; STATUS_FILE];
        put(&mut file, 0, record.encode());
        put(&mut file, at::HEAD, [MAGIC, VERSION, wanted.letter(), flags]);
        put(&mut file, at::SECONDS, since_boot.seconds().to_le_bytes());
        put(&mut file, at::NANOSECONDS, since_boot.nanoseconds().to_le_bytes());
        put(&mut file, at::STARTS, history.starts.to_le_bytes());
        put(&mut file, at::SUPERVISOR, origin.supervisor.to_le_bytes());
        put(&mut file, at::BOOT, origin.boot);
        put(&mut file, at::INODE, origin.inode.to_le_bytes());
        put(&mut file, at::END_STATUS, history.last_end.map_or(0, Outcome::wait_status).to_le_bytes());
        put(&mut file, at::END_AND_FAILURE, [end, kind]);
        put(&mut file, at::ERRNO, errno.number().to_le_bytes());
        put(&mut file, at::HOOK_AND_IGNORED, [*hook, origin.ignored]);
        put(&mut file, at::FAILED_START, failed_start.to_le_bytes());
        put(&mut file, at::TALLY, history.tally.to_le_bytes());
        put(&mut file, at::BACKOFF, history.backoff.to_le_bytes());
        put(&mut file, at::WRITTEN, origin.written.raw().to_le_bytes());
        file
    }

    /// Whether this, with `record` before it, tells of a one-shot that is done, and was written where it is found:
    /// `directory` is the inode of `supervise/`, or 0 if that is not known.
    pub fn is_done_in(&self, directory: u32, record: &Record) -> bool {
        (self.one_shot, record.phase, record.wanted) == (OneShot::Done, Phase::Run, Wanted::Up)
            && record.pid.is_some_and(|pid| pid.raw() == self.origin.supervisor)
            && directory != 0
            && self.origin.inode == directory
    }

    /// Reads what [`Extension::encode`] made; `None` if it is something else.
    fn decode(file: &File) -> Option<Self> {
        let [magic, version, wanted, flags] = take(file, at::HEAD);
        if (magic, version) != (MAGIC, VERSION) {
            return None;
        }
        let seconds = u64::from_le_bytes(take(file, at::SECONDS));
        let [end, kind] = take(file, at::END_AND_FAILURE);
        let [hook, ignored] = take(file, at::HOOK_AND_IGNORED);
        let errno = Errno::new(u16::from_le_bytes(take(file, at::ERRNO)));
        let failed_start = u32::from_le_bytes(take(file, at::FAILED_START));
        Some(Self {
            wanted: Wanted::from_letter(wanted)?,
            since_boot: Instant::new(seconds, u32::from_le_bytes(take(file, at::NANOSECONDS))),
            history: History {
                starts: u32::from_le_bytes(take(file, at::STARTS)),
                last_end: match end {
                    END_STATUS => {
                        Some(Outcome::from_wait_status(u16::from_le_bytes(take(file, at::END_STATUS)).into()))
                    }
                    END_UNKNOWN => Some(Outcome::Unknown),
                    _ => None,
                },
                failure: Failure::decode(kind, errno).map(|failure| (failure, failed_start)),
                tally: u16::from_le_bytes(take(file, at::TALLY)),
                backoff: u16::from_le_bytes(take(file, at::BACKOFF)),
                is_taken_over: flags & TAKEN_OVER != 0,
            },
            one_shot: OneShot::decode((flags >> ONE_SHOT_SHIFT) & ONE_SHOT_MASK),
            hook,
            origin: Origin {
                supervisor: u32::from_le_bytes(take(file, at::SUPERVISOR)),
                boot: take(file, at::BOOT),
                inode: u32::from_le_bytes(take(file, at::INODE)),
                ignored,
                written: Instant::from_raw(u64::from_le_bytes(take(file, at::WRITTEN))),
            },
        })
    }
}

/// Why a status file tells nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadStatus {
    /// It has not even the 20 bytes.
    Short,
    /// Its state is none of the known ones.
    State(UnknownState),
}

/// What a status file tells.
pub type Status = (Record, Option<Extension>);

/// How far a one-shot is, if a status tells.
pub fn one_shot((_, extension): &Status) -> OneShot {
    extension.as_ref().map_or(OneShot::No, |extension| extension.one_shot)
}

/// Reads a whole status file, whoever wrote it.
///
/// # Errors
/// [`BadStatus`]: the part that everybody writes is no status.
pub fn decode_file(bytes: &[u8]) -> Result<Status, BadStatus> {
    let mut record = Record::decode(bytes.first_chunk().ok_or(BadStatus::Short)?).map_err(BadStatus::State)?;
    let extension = bytes.first_chunk().and_then(Extension::decode);
    if let Some(extension) = &extension {
        record.wanted = extension.wanted;
    }
    Ok((record, extension))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::process::Pid;
    use crate::tai64n::Label;

    const RECORD: Record = Record {
        stamp: Label::from_unix(1_795_361_599, 655_292_500),
        pid: Pid::new(1765),
        is_paused: false,
        wanted: Wanted::Exit,
        got_term: true,
        phase: Phase::Run,
    };

    fn extension() -> Extension {
        Extension {
            wanted: Wanted::Exit,
            since_boot: Instant::new(0x0102_0304, 9),
            history: History {
                starts: 17,
                last_end: Some(Outcome::from_wait_status(139)),
                failure: Some((Failure::Run(Errno::NOENT), 3)),
                tally: 258,
                backoff: 60,
                is_taken_over: true,
            },
            one_shot: OneShot::Done,
            hook: b't',
            origin: Origin {
                supervisor: 99,
                boot: *b"0123abcd",
                inode: 0x00c0_ffee,
                ignored: 4,
                written: Instant::from_raw(258),
            },
        }
    }

    #[test]
    fn the_layout_is_that_of_the_manual() {
        let bytes = extension().encode(&RECORD);
        let (known, ours) = bytes.split_at(Record::SIZE);
        assert_eq!(known, RECORD.encode());
        let expected: Vec<u8> = [
            &b"p\x01x\x05"[..],
            b"\x04\x03\x02\x01\0\0\0\0",
            b"\x09\0\0\0",
            b"\x11\0\0\0",
            b"\x63\0\0\0",
            b"0123abcd",
            b"\xee\xff\xc0\0",
            b"\x8b\0",
            b"\x01\x01",
            b"\x02\0",
            b"t\x04",
            b"\x03\0\0\0",
            b"\x02\x01",
            b"\x3c\0",
            b"\x02\x01\0\0\0\0\0\0",
        ]
        .concat();
        assert_eq!((ours, bytes.len()), (&expected[..], STATUS_FILE));
    }

    #[test]
    fn a_file_comes_back_with_what_is_wanted_in_full() {
        let bytes = extension().encode(&RECORD);
        assert_eq!(decode_file(&bytes), Ok((RECORD, Some(extension()))));
    }

    #[test]
    fn every_failure_comes_back() {
        let errno = Errno::new(8);
        for failure in [
            Failure::Run(errno),
            Failure::Finish(errno),
            Failure::Control(errno),
            Failure::Fork(errno),
            Failure::Stop,
            Failure::FinishStop,
        ] {
            let (kind, errno) = failure.encode();
            assert_eq!(Failure::decode(kind, errno), Some(failure));
        }
        assert_eq!(Failure::decode(0, errno), None);
    }

    #[test]
    fn every_state_of_a_one_shot_comes_back() {
        for (number, (state, word)) in OneShot::ALL.into_iter().enumerate() {
            assert_eq!((state as usize, state.word()), (number, word));
            let bytes = Extension { one_shot: state, ..extension() }.encode(&RECORD);
            assert_eq!(one_shot(&decode_file(&bytes).unwrap()), state);
        }
        assert_eq!(one_shot(&(RECORD, None)), OneShot::No);
    }

    #[test]
    fn a_one_shot_is_done_only_where_that_was_written() {
        let record = Record { pid: Pid::new(99), wanted: Wanted::Up, ..RECORD };
        assert!(extension().is_done_in(0x00c0_ffee, &record));
        let nowhere = Extension { origin: Origin { inode: 0, ..extension().origin }, ..extension() };
        for (other, directory, record) in [
            (nowhere, 0, record),
            (extension(), 1, record),
            (extension(), 0x00c0_ffee, RECORD),
            (extension(), 0x00c0_ffee, Record { phase: Phase::Finish, ..record }),
            (extension(), 0x00c0_ffee, Record { wanted: Wanted::Exit, ..record }),
            (extension(), 0x00c0_ffee, Record { pid: None, ..record }),
            (Extension { one_shot: OneShot::Running, ..extension() }, 0x00c0_ffee, record),
        ] {
            assert!(!other.is_done_in(directory, &record), "{other:?} {record:?}");
        }
    }

    #[test]
    fn only_the_time_of_writing_is_no_news() {
        let told = extension().encode(&RECORD);
        for place in 0..STATUS_FILE {
            let mut other = told;
            other[place] ^= 1;
            assert_eq!(is_same_news(&told, &other), place >= at::WRITTEN);
        }
    }

    #[test]
    fn files_of_others_have_no_extension() {
        let bytes = RECORD.encode();
        let seen = decode_file(&bytes).unwrap();
        assert_eq!(seen, (Record { wanted: Wanted::Down, ..RECORD }, None));
        assert_eq!(decode_file(&bytes[..19]), Err(BadStatus::Short));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(bytes: Vec<u8>) {
            let _ = decode_file(&bytes);
        }

        #[test]
        fn a_file_that_was_cut_loses_only_the_extension(size in 20..STATUS_FILE) {
            let bytes = extension().encode(&RECORD);
            let (record, extension) = decode_file(&bytes[..size]).unwrap();
            prop_assert_eq!((record.pid, extension), (RECORD.pid, None));
        }

        #[test]
        fn what_is_read_is_written_again(mut bytes: [u8; STATUS_FILE]) {
            bytes[20..22].copy_from_slice(&[MAGIC, VERSION]);
            if let Ok((record, Some(extension))) = decode_file(&bytes) {
                let again = extension.encode(&record);
                prop_assert_eq!(decode_file(&again), Ok((record, Some(extension))));
            }
        }
    }
}
