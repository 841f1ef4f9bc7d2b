//! Records of utmp and wtmp as glibc's header has them, written down a second time.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// Bytes of a record.
pub const RECORD_BYTES: usize = 384;

/// What a record says. Fields that nobody here reads are in `rest`, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginRecord {
    /// `ut_type`.
    pub kind: u16,
    /// `ut_pid`.
    pub pid: u32,
    /// `ut_line`.
    pub line: String,
    /// `ut_id`.
    pub id: String,
    /// `ut_user`.
    pub user: String,
    /// `ut_host`.
    pub host: String,
    /// `ut_tv.tv_sec`.
    pub seconds: u32,
    /// All that is not named above: padding, exit status, session, microseconds, addresses.
    pub rest: Vec<u8>,
}

impl LoginRecord {
    /// Somebody who logged in long ago.
    pub fn login(line: &str, user: &str) -> LoginRecord {
        LoginRecord {
            kind: 7,
            pid: 4711,
            line: line.to_owned(),
            id: "7".to_owned(),
            user: user.to_owned(),
            host: "far.away".to_owned(),
            seconds: 1_000_000,
            rest: (1..=46).collect(),
        }
    }

    /// As it lies in a file.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![0; RECORD_BYTES];
        let mut put = |offset: usize, value: &[u8]| bytes[offset..offset + value.len()].copy_from_slice(value);
        put(0, &self.kind.to_ne_bytes());
        put(2, &self.rest[..2]);
        put(4, &self.pid.to_ne_bytes());
        put(8, self.line.as_bytes());
        put(40, self.id.as_bytes());
        put(44, self.user.as_bytes());
        put(76, self.host.as_bytes());
        put(332, &self.rest[2..10]);
        put(340, &self.seconds.to_ne_bytes());
        put(344, &self.rest[10..46]);
        // What is left is `__unused`.
        bytes
    }

    /// What the bytes of a record say.
    pub fn decode(bytes: &[u8]) -> LoginRecord {
        let text = |offset: usize, length: usize| {
            let field = &bytes[offset..offset + length];
            let end = field.iter().position(|byte| *byte == 0).unwrap_or(length);
            assert!(field[end..].iter().all(|byte| *byte == 0), "left behind a text: {field:?}");
            String::from_utf8_lossy(&field[..end]).into_owned()
        };
        let number = |offset: usize| u32::from_ne_bytes(bytes[offset..offset + 4].try_into().expect("four bytes"));
        LoginRecord {
            kind: u16::from_ne_bytes([bytes[0], bytes[1]]),
            pid: number(4),
            line: text(8, 32),
            id: text(40, 4),
            user: text(44, 32),
            host: text(76, 256),
            seconds: number(340),
            rest: [&bytes[2..4], &bytes[332..340], &bytes[344..380]].concat(),
        }
    }

    /// All records of a file; none if it is not there.
    ///
    /// # Panics
    /// If the last one is not whole.
    pub fn read(path: &Path) -> Vec<LoginRecord> {
        let bytes = std::fs::read(path).unwrap_or_default();
        assert_eq!(bytes.len() % RECORD_BYTES, 0, "{} holds a piece of a record", path.display());
        bytes.chunks(RECORD_BYTES).map(LoginRecord::decode).collect()
    }

    /// Writes these records alone into a file.
    pub fn write(path: &Path, records: &[LoginRecord]) {
        let bytes: Vec<u8> = records.iter().flat_map(LoginRecord::encode).collect();
        std::fs::write(path, bytes).expect("a file of records");
    }

    /// True if its time lies between then and now.
    pub fn is_since(&self, then: u32) -> bool {
        (then..=now()).contains(&self.seconds)
    }
}

/// The time as records have it.
///
/// # Panics
/// After 2106.
pub fn now() -> u32 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970");
    u32::try_from(since.as_secs()).expect("a time before 2106")
}
