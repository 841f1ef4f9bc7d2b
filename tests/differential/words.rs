//! What was seen, in words that are equal when it comes to the same.

use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use support::{Ending, Output, State, Status};

/// Without the number at the end of `taking over ./run: pid 12`.
pub fn without_last_pid(line: &str) -> &str {
    let rest = line.trim_end_matches(|digit: char| digit.is_ascii_digit());
    if rest.ends_with(": pid ") { rest } else { line }
}

/// How a process ended, in words.
pub fn describe_ending(ending: Ending) -> String {
    match ending {
        Ending::Exit(code) => format!("exit {code}"),
        Ending::Signal(signal) => format!("signal {signal}"),
    }
}

/// All that a program left, as lines.
pub fn describe(output: &Output) -> String {
    let mut text = String::new();
    for (sign, stream) in [("", &output.stdout), ("stderr: ", &output.stderr)] {
        for line in stream.lines() {
            text.push_str(&format!("{sign}{line}\n"));
        }
    }
    text + &describe_ending(output.ending)
}

/// Each line once: how often a fault is told depends on how long the play took.
pub fn distinct(text: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines() {
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.join("\n")
}

/// The files of a supervise directory: types, modes, bytes.
pub fn describe_supervise(supervise: &Path) -> String {
    let Ok(metadata) = supervise.metadata() else {
        return "no supervise".to_owned();
    };
    let mut lines = vec![format!("supervise {}", describe_mode(&metadata))];
    let entries =
        std::fs::read_dir(supervise).map(|entries| entries.flatten().collect()).unwrap_or_else(|_| Vec::new());
    let mut names: Vec<_> = entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    let pid = number(&std::fs::read_to_string(supervise.join("pid")).unwrap_or_default());
    for name in names {
        let path = supervise.join(&name);
        let metadata = path.symlink_metadata().expect("a file that stays");
        let content = match (metadata.is_file(), name.as_str()) {
            (false, _) => String::new(),
            (true, "status") => describe_status(&std::fs::read(&path).expect("status"), pid),
            (true, "pid") if pid != 0 => "\"P\\n\"".to_owned(),
            (true, _) => format!("{:?}", std::fs::read_to_string(&path).expect("a file")),
        };
        lines.push(format!("{name} {} {content}", describe_mode(&metadata)).trim_end().to_owned());
    }
    lines.join("\n")
}

fn describe_mode(metadata: &std::fs::Metadata) -> String {
    let kind = metadata.file_type();
    let word = if kind.is_fifo() {
        "fifo"
    } else if kind.is_dir() {
        "directory"
    } else if kind.is_file() {
        "file"
    } else {
        "something else"
    };
    format!("{word} {:04o}", metadata.mode() & 0o7777)
}

/// The number in a text, 0 if there is none.
pub fn number(text: &str) -> u32 {
    text.trim().parse().unwrap_or(0)
}

/// The first 20 bytes, with the stamp and the pid of `supervise/pid` made equal.
pub fn describe_status(bytes: &[u8], pid: u32) -> String {
    let Some(record) = bytes.first_chunk::<20>() else {
        return format!("{bytes:02x?}");
    };
    let label = u64::from_be_bytes(record[..8].try_into().expect("8 bytes"));
    let nanoseconds = u32::from_be_bytes(record[8..12].try_into().expect("4 bytes"));
    let age = now().checked_sub(label.wrapping_sub((1 << 62) + 10));
    let stamp = match age {
        Some(0..100) if nanoseconds < 1_000_000_000 => "STAMP".to_owned(),
        _ => format!("{:02x?}", &record[..12]),
    };
    let own = u32::from_le_bytes(record[12..16].try_into().expect("4 bytes"));
    let own = if own == 0 {
        "0".to_owned()
    } else if own == pid {
        "P".to_owned()
    } else {
        "another pid".to_owned()
    };
    format!("{stamp} {own} {} {} {} {}", record[16], record[17] as char, record[18], record[19])
}

fn now() -> u64 {
    Status::of(State::Down, 0, 'd', 0).seconds
}
