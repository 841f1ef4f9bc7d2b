//! The 20 bytes of `supervise/status`, written down from the outside.

/// What the supervised process is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No process.
    Down = 0,
    /// `./run` is running.
    Run = 1,
    /// `./finish` is running.
    Finish = 2,
}

/// A decoded status record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Unix seconds of the last change of state.
    pub seconds: u64,
    /// Nanoseconds of it.
    pub nanoseconds: u32,
    /// The supervised process, 0 if none.
    pub pid: u32,
    /// Paused by a command.
    pub is_paused: bool,
    /// `u` or `d`.
    pub want: char,
    /// TERM was sent to the process.
    pub got_term: bool,
    /// The state.
    pub state: State,
}

/// TAI64 labels count from 2^62, and ten leap seconds are always added.
const LABEL: u64 = (1 << 62) + 10;

impl Status {
    /// Reads the first 20 bytes; every byte must be one the format knows. More bytes may follow.
    pub fn decode(bytes: &[u8]) -> Result<Status, String> {
        let record: &[u8; 20] = bytes.first_chunk().ok_or_else(|| format!("{} bytes of status", bytes.len()))?;
        let flag = |at: usize| match record[at] {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(format!("byte {at} of status is {other}: {record:02x?}")),
        };
        let label = u64::from_be_bytes(record[..8].try_into().expect("8 bytes"));
        let nanoseconds = u32::from_be_bytes(record[8..12].try_into().expect("4 bytes"));
        if nanoseconds >= 1_000_000_000 {
            return Err(format!("{nanoseconds} nanoseconds in status: {record:02x?}"));
        }
        Ok(Status {
            seconds: label.checked_sub(LABEL).ok_or_else(|| format!("label before 1970: {record:02x?}"))?,
            nanoseconds,
            pid: u32::from_le_bytes(record[12..16].try_into().expect("4 bytes")),
            is_paused: flag(16)?,
            want: match record[17] {
                b'u' => 'u',
                b'd' => 'd',
                other => return Err(format!("byte 17 of status is {other}: {record:02x?}")),
            },
            got_term: flag(18)?,
            state: match record[19] {
                0 => State::Down,
                1 => State::Run,
                2 => State::Finish,
                other => return Err(format!("byte 19 of status is {other}: {record:02x?}")),
            },
        })
    }

    /// The record as runsv writes it.
    pub fn encode(&self) -> [u8; 20] {
        let mut record = [0; 20];
        record[..8].copy_from_slice(&(LABEL + self.seconds).to_be_bytes());
        record[8..12].copy_from_slice(&self.nanoseconds.to_be_bytes());
        record[12..16].copy_from_slice(&self.pid.to_le_bytes());
        record[16] = u8::from(self.is_paused);
        record[17] = self.want as u8;
        record[18] = u8::from(self.got_term);
        record[19] = self.state as u8;
        record
    }

    /// A record of a process that has been in its state for `age` seconds of the wall clock.
    pub fn of(state: State, pid: u32, want: char, age: u64) -> Status {
        let seconds = wall_seconds() - age;
        Status { seconds, nanoseconds: 500, pid, is_paused: false, want, got_term: false, state }
    }

    /// The same, paused.
    pub fn paused(self) -> Status {
        Status { is_paused: true, ..self }
    }

    /// The same, with TERM sent.
    pub fn after_term(self) -> Status {
        Status { got_term: true, ..self }
    }
}

/// Whole seconds of the wall clock.
pub fn wall_seconds() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs()
}
