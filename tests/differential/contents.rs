//! What is in a log directory, in words that are equal when it comes to the same: all bytes, but for the stamps.

use std::fmt::Write as _;

use support::{LogDirectory, LogFile, State, Status};

/// As many of one character as this are written as a count.
const RUN: usize = 8;

/// The characters of a stamp, in each of its forms.
const STAMP: usize = 25;

/// All files of a log directory, in the order of their names: kind, mode, size, contents.
pub fn describe_log(log: &LogDirectory) -> String {
    if !log.path().exists() {
        return "no directory".to_owned();
    }
    let mut text = String::new();
    for file in log.files() {
        let _infallible = writeln!(text, "{}", describe_head(log, &file));
        describe_bytes(&file.bytes, &mut text);
    }
    text
}

/// The same without the contents.
pub fn describe_files(log: &LogDirectory) -> String {
    let lines: Vec<String> = log.files().iter().map(|file| describe_head(log, file)).collect();
    lines.join("\n")
}

/// Bytes as lines; one without end is marked.
pub fn describe_bytes(bytes: &[u8], text: &mut String) {
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let (sign, line) = line.strip_suffix(b"\n").map_or(("|~", line), |line| ("|", line));
        let line = without_stamps(&readable(line));
        let line = line.strip_suffix(' ').map_or(line.clone(), |line| format!("{line}\\x20"));
        let _infallible = writeln!(text, "{sign}{}{line}", if line.is_empty() { "" } else { " " });
    }
}

fn describe_head(log: &LogDirectory, file: &LogFile) -> String {
    let kind = std::fs::symlink_metadata(log.join(&file.name)).map(|metadata| metadata.file_type());
    let word = match kind {
        Ok(kind) if kind.is_dir() => return format!("{} directory {:04o}", file.name, file.mode),
        Ok(kind) if kind.is_symlink() => return format!("{} link", file.name),
        _ => format!("{:04o} {} bytes", file.mode, file.bytes.len()),
    };
    format!("{} {word}", without_stamps(&file.name))
}

/// So many characters, each hundred of them another letter: what is missing or changed places is seen.
pub fn ruler(length: usize) -> String {
    (b'a'..=b'z').cycle().flat_map(|letter| [letter as char; 100]).take(length).collect()
}

/// Bytes that cannot be printed as numbers, many of one as a count.
fn readable(mut bytes: &[u8]) -> String {
    let mut text = String::new();
    while let Some(first) = bytes.first() {
        let equal = bytes.iter().take_while(|byte| *byte == first).count();
        let one = match first {
            b'\\' | b'{' => format!("\\{}", *first as char),
            b' '..=b'~' => (*first as char).to_string(),
            _ => format!("\\x{first:02x}"),
        };
        if equal < RUN {
            text.push_str(&one.repeat(equal));
        } else {
            let _infallible = write!(text, "{{{one} {equal} times}}");
        }
        bytes = &bytes[equal..];
    }
    text
}

/// With `@LABEL`, `STAMP_` or `STAMPT` in the place of every stamp that is right in form and tells a time of this play.
pub fn without_stamps(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(word) = rest.get(..STAMP).and_then(word_for_stamp) {
            result.push_str(word);
            rest = &rest[STAMP..];
        } else {
            result.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    result
}

fn word_for_stamp(text: &str) -> Option<&'static str> {
    let (seconds, word) = match text.strip_prefix('@') {
        Some(digits) => (seconds_of_label(digits)?, "@LABEL"),
        None => (seconds_of_date(text)?, if text.as_bytes()[10] == b'T' { "STAMPT" } else { "STAMP_" }),
    };
    let age = Status::of(State::Down, 0, 'd', 0).seconds.checked_sub(seconds);
    matches!(age, Some(0..100)).then_some(word)
}

fn seconds_of_label(digits: &str) -> Option<u64> {
    if !digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let nanoseconds = u32::from_str_radix(&digits[16..], 16).ok()?;
    let label = u64::from_str_radix(&digits[..16], 16).ok()?;
    (nanoseconds < 1_000_000_000).then(|| label.wrapping_sub((1 << 62) + 10))
}

/// `YYYY-MM-DD_HH:MM:SS.xxxxx`, or with a `T` in the middle, in UTC.
fn seconds_of_date(text: &str) -> Option<u64> {
    let form = text.bytes().map(|byte| if byte.is_ascii_digit() { b'0' } else { byte });
    let form: Vec<u8> = form.map(|byte| if byte == b'_' { b'T' } else { byte }).collect();
    if form != b"0000-00-00T00:00:00.00000" {
        return None;
    }
    let number = |from: usize, to: usize| text[from..to].parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let seconds = number(11, 13)? * 3600 + number(14, 16)? * 60 + number(17, 19)?;
    Some(days_since_1970(year, month, day)? * 86400 + seconds)
}

fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    let is_leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let of_years: u64 = (1970..year).map(|year| if is_leap(year) { 366 } else { 365 }).sum();
    let of_months = [31, if is_leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let before = of_months.get(..usize::try_from(month).ok()?.checked_sub(1)?)?;
    Some(of_years + before.iter().sum::<u64>() + day.checked_sub(1)?)
}
