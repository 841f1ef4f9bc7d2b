//! What our supervisors write behind the 20 bytes of `supervise/status`, and what `sv show` tells of it, written down
//! from the outside.

use crate::fake::FakeService;
use crate::process::{Ending, Output};
use crate::scratch::Scratch;
use crate::service::Service;
use crate::status::{State, Status};
use crate::wait::wait_until;

/// Bytes of a status file of ours.
pub const STATUS_BYTES: usize = 80;

/// The keys of `sv show` that every record has, in order.
pub const RECORD_KEYS: [&str; 8] = ["service", "state", "pid", "wanted", "normally", "paused", "got-term", "seconds"];

/// The keys that need the extension, in order.
pub const EXTENSION_KEYS: [&str; 11] = [
    "supervisor",
    "starts",
    "taken-over",
    "oneshot",
    "last-end",
    "failure",
    "failed-start",
    "tally",
    "backoff",
    "control-script",
    "ignored-bytes",
];

/// The part of the status file behind the 20 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension {
    /// `u`, `o`, `d` or `x`.
    pub wanted: char,
    /// The process was another supervisor's child.
    pub is_taken_over: bool,
    /// 0 no one-shot, 1 it runs, 2 it is done, 3 it has failed.
    pub one_shot: u8,
    /// The stamp on the clock of the boot.
    pub seconds: u64,
    /// Nanoseconds of it.
    pub nanoseconds: u32,
    /// How often `./run` was started.
    pub starts: u32,
    /// The supervisor's pid.
    pub supervisor: u32,
    /// The first characters of the boot's name.
    pub boot: [u8; 8],
    /// Inode of the log pipe, or that of `supervise` where a one-shot is done.
    pub pipe: u32,
    /// Wait status of the last `./run`.
    pub wait_status: u16,
    /// 0 no end yet, 1 it is in `wait_status`, 2 unknown.
    pub end: u8,
    /// Number of the last failure, 0 for none.
    pub failure: u8,
    /// Its errno.
    pub errno: u16,
    /// Letter of the control script that runs, or 0.
    pub control_script: u8,
    /// Unknown bytes read.
    pub ignored: u8,
    /// The start of the last failure.
    pub failed_start: u32,
    /// Failing ends in a row.
    pub tally: u16,
    /// Seconds of the back-off.
    pub backoff: u16,
    /// When the file was written, in nanoseconds on the clock of the boot.
    pub written: u64,
}

impl Extension {
    /// That of a service started once, `age` seconds ago, of which there is nothing else to tell.
    pub fn of(wanted: char, age: u64) -> Extension {
        Extension {
            wanted,
            is_taken_over: false,
            one_shot: 0,
            seconds: boot_seconds() - age,
            nanoseconds: 0,
            starts: 1,
            supervisor: 77,
            boot: boot_name(),
            pipe: 0,
            wait_status: 0,
            end: 0,
            failure: 0,
            errno: 0,
            control_script: 0,
            ignored: 0,
            failed_start: 0,
            tally: 0,
            backoff: 0,
            written: boot_seconds() * 1_000_000_000,
        }
    }

    /// The whole file.
    pub fn encode(&self, status: &Status) -> Vec<u8> {
        let mut bytes = status.encode().to_vec();
        bytes.extend([b'p', 1, self.wanted as u8, u8::from(self.is_taken_over) | (self.one_shot << 1)]);
        bytes.extend(self.seconds.to_le_bytes());
        bytes.extend(self.nanoseconds.to_le_bytes());
        bytes.extend(self.starts.to_le_bytes());
        bytes.extend(self.supervisor.to_le_bytes());
        bytes.extend(self.boot);
        bytes.extend(self.pipe.to_le_bytes());
        bytes.extend(self.wait_status.to_le_bytes());
        bytes.extend([self.end, self.failure]);
        bytes.extend(self.errno.to_le_bytes());
        bytes.extend([self.control_script, self.ignored]);
        bytes.extend(self.failed_start.to_le_bytes());
        bytes.extend(self.tally.to_le_bytes());
        bytes.extend(self.backoff.to_le_bytes());
        bytes.extend(self.written.to_le_bytes());
        assert_eq!(bytes.len(), STATUS_BYTES);
        bytes
    }

    /// Reads a whole file; `None` if there is no extension of this version.
    pub fn decode(bytes: &[u8]) -> Option<Extension> {
        let bytes: &[u8; STATUS_BYTES] = bytes.try_into().ok()?;
        if bytes[20..22] != [b'p', 1] {
            return None;
        }
        let short = |at: usize| u16::from_le_bytes(bytes[at..at + 2].try_into().expect("2 bytes"));
        let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 bytes"));
        let long = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));
        Some(Extension {
            wanted: bytes[22].into(),
            is_taken_over: bytes[23] & 1 != 0,
            one_shot: (bytes[23] >> 1) & 3,
            seconds: long(24),
            nanoseconds: number(32),
            starts: number(36),
            supervisor: number(40),
            boot: bytes[44..52].try_into().expect("8 bytes"),
            pipe: number(52),
            wait_status: short(56),
            end: bytes[58],
            failure: bytes[59],
            errno: short(60),
            control_script: bytes[62],
            ignored: bytes[63],
            failed_start: number(64),
            tally: short(68),
            backoff: short(70),
            written: long(72),
        })
    }
}

/// Whole seconds since the machine booted, time asleep included.
pub fn boot_seconds() -> u64 {
    let text = std::fs::read_to_string("/proc/uptime").expect("/proc/uptime");
    text.split('.').next().and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("uptime {text:?}"))
}

/// The first characters of the boot's name.
pub fn boot_name() -> [u8; 8] {
    let text = std::fs::read("/proc/sys/kernel/random/boot_id").expect("boot_id");
    text[..8].try_into().expect("8 characters")
}

impl FakeService {
    /// Makes a service with an extension behind its record.
    pub fn extended(service: Service, status: Status, extension: Extension) -> FakeService {
        let fake = FakeService::create(service, status);
        fake.set_bytes(&extension.encode(&status));
        fake
    }

    /// Replaces the whole status file.
    pub fn set_bytes(&self, bytes: &[u8]) {
        let path = self.service().path().join("supervise/status");
        let new = path.with_extension("new");
        std::fs::write(&new, bytes).expect("status.new");
        std::fs::rename(new, path).expect("status");
    }
}

impl Service {
    /// The extension that its supervisor wrote last.
    pub fn extension(&self) -> Option<Extension> {
        Extension::decode(&self.status_bytes()?)
    }

    /// Waits until the record and its extension are as wanted, and gives the extension back.
    #[track_caller]
    pub fn wait_extension(&self, what: &str, is_right: impl Fn(&Status, &Extension) -> bool) -> Extension {
        wait_until(&format!("{what}, of {}", self.name()), || {
            let bytes = self.status_bytes()?;
            let status = Status::decode(&bytes).ok()?;
            Extension::decode(&bytes).filter(|extension| is_right(&status, extension))
        })
    }

    /// Waits until it is in this state, whatever is wanted.
    #[track_caller]
    pub fn wait_state(&self, state: State) -> Status {
        wait_until(&format!("state {state:?} of {}", self.name()), || {
            Status::decode(&self.status_bytes()?).ok().filter(|status| status.state == state)
        })
    }
}

impl Output {
    /// The same with ages from 100 to 160 seconds made 100.
    pub fn with_age(&self) -> Output {
        let mut output = self.clone();
        for age in 101..160 {
            output.stdout = output.stdout.replace(&format!(" {age}s"), " 100s");
            output.stdout = output.stdout.replace(&format!("seconds={age}\n"), "seconds=100\n");
        }
        output
    }
}

/// What `sv show` told of one service, its log service included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown(Vec<(String, String)>);

impl Shown {
    /// Asks `sv show` for one service.
    ///
    /// # Panics
    /// If it fails, or prints anything but the known keys in their order.
    #[track_caller]
    pub fn of(scratch: &Scratch, name: &str) -> Shown {
        let output = scratch.sv(&["show", name]);
        assert_eq!((output.ending, output.stderr.as_str()), (Ending::Exit(0), ""), "sv show {name}: {output:?}");
        Shown::parse(&output.stdout)
    }

    /// Asks until the answer is as wanted.
    #[track_caller]
    pub fn wait(scratch: &Scratch, name: &str, expected: &[(&str, &str)]) -> Shown {
        wait_until(&format!("sv show {name} to tell {expected:?}"), || {
            let shown = Shown::of(scratch, name);
            expected.iter().all(|(key, value)| shown.get(key) == *value).then_some(shown)
        })
    }

    /// Reads the lines of one service.
    ///
    /// # Panics
    /// If a line has no `=`, or the keys are not the known ones in their order.
    #[track_caller]
    pub fn parse(text: &str) -> Shown {
        let pairs: Vec<(String, String)> = text
            .lines()
            .map(|line| line.split_once('=').unwrap_or_else(|| panic!("line {line:?} in {text:?}")))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        let keys: Vec<&str> = pairs.iter().map(|(key, _)| key.as_str()).collect();
        let own: Vec<&str> = keys.iter().copied().filter(|key| !key.starts_with("log-")).collect();
        let log: Vec<&str> = keys.iter().filter_map(|key| key.strip_prefix("log-")).collect();
        assert!(is_key_list(&own) && (log.is_empty() || is_key_list(&log)), "keys {keys:?}");
        assert!(keys[..own.len()] == own, "the log is not last: {keys:?}");
        Shown(pairs)
    }

    /// The value of a key.
    ///
    /// # Panics
    /// If there is none.
    #[track_caller]
    pub fn get(&self, key: &str) -> &str {
        let pair = self.0.iter().find(|pair| pair.0 == key);
        pair.map_or_else(|| panic!("no {key} in {self:?}"), |pair| pair.1.as_str())
    }

    /// Whether there is such a key.
    pub fn has(&self, key: &str) -> bool {
        self.0.iter().any(|pair| pair.0 == key)
    }

    /// Asserts several values at once.
    #[track_caller]
    pub fn assert(&self, expected: &[(&str, &str)]) {
        let seen: Vec<(&str, &str)> = expected.iter().map(|(key, _)| (*key, self.get(key))).collect();
        assert_eq!(seen, expected, "of {self:#?}");
    }
}

fn is_key_list(keys: &[&str]) -> bool {
    let all: Vec<&str> = RECORD_KEYS.into_iter().chain(EXTENSION_KEYS).collect();
    keys == RECORD_KEYS || keys == all
}
