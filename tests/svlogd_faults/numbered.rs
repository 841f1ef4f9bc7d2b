//! Lines with numbers, and what a log says of them: each is there once and in order, or counted at its place.

use std::ops::RangeInclusive;

use support::LogDirectory;

/// The bytes of a numbered line.
pub const LENGTH: usize = 60;

/// A numbered line with its newline.
pub fn line(number: usize) -> String {
    format!("line {number:08} {:.>45}\n", number)
}

/// Numbered lines in order.
pub fn lines(numbers: RangeInclusive<usize>) -> String {
    numbers.map(line).collect()
}

/// The text of a numbered line, without newline.
pub fn text(number: usize) -> String {
    line(number).trim_end().to_owned()
}

/// The number of a line, if it is a whole numbered one.
pub fn number_of(text: &str) -> Option<usize> {
    let number = text.get(5..13)?.parse().ok()?;
    (line(number).trim_end() == text).then_some(number)
}

/// The number of lines that a line in the log says are lost, and the reason.
pub fn announcement(text: &str) -> Option<(usize, &str)> {
    let (_, rest) = text.split_once("svlogd: warning: ")?;
    let (number, reason) = rest.split_once(" lines lost: ").or_else(|| rest.split_once(" line lost: "))?;
    Some((number.parse().ok()?, reason))
}

/// What a log says of the numbered lines that were fed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The first number that is there.
    pub first: usize,
    /// How many are there.
    pub written: usize,
    /// How many are announced as lost.
    pub lost: usize,
    /// How often, with the reason.
    pub announcements: Vec<String>,
    /// The number that would come next.
    pub next: usize,
}

/// Reads a log of numbered lines.
///
/// # Panics If a line is there twice, out of order, or missing without being announced where it is missing; if a line
/// is torn and no announcement follows.
#[track_caller]
pub fn tally(log: &LogDirectory) -> Tally {
    tally_lines(&log.all_lines())
}

/// The same of lines.
#[track_caller]
pub fn tally_lines(lines: &[String]) -> Tally {
    let mut tally = Tally::default();
    for (index, line) in lines.iter().enumerate() {
        if let Some((count, reason)) = announcement(line) {
            if index == 0 {
                (tally.first, tally.next) = (1, 1);
            }
            tally.lost += count;
            tally.next += count;
            tally.announcements.push(reason.to_owned());
        } else if let Some(number) = number_of(line) {
            if tally.written == 0 && tally.lost == 0 {
                tally.first = number;
                tally.next = number;
            }
            assert_eq!(number, tally.next, "at line {index} of the log:\n{}", around(lines, index));
            tally.next += 1;
            tally.written += 1;
        } else {
            let is_part = self::line(tally.next.max(1)).starts_with(line.as_str());
            let is_announced = lines.get(index + 1).is_some_and(|next| announcement(next).is_some());
            assert!(is_part && is_announced, "torn line {index} of the log:\n{}", around(lines, index));
        }
    }
    tally
}

fn around(lines: &[String], index: usize) -> String {
    lines[index.saturating_sub(3)..lines.len().min(index + 3)].join("\n")
}

/// Checks that all lines from 1 to this one are in the log or announced, and gives back the tally.
#[track_caller]
pub fn assert_accounted(log: &LogDirectory, fed: usize) -> Tally {
    let tally = tally(log);
    assert_eq!((tally.first, tally.next), (1, fed + 1), "{tally:?}");
    tally
}

/// Checks that all lines from 1 to this one are in the log.
#[track_caller]
pub fn assert_all(log: &LogDirectory, fed: usize) {
    assert_eq!(assert_accounted(log, fed).written, fed);
}
