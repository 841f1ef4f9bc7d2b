//! Lines of any length and any bytes (F40): all of them arrive, and the memory does not grow with them.

use std::io::Read;

use support::{LogDirectory, Logger, Output, Scratch};

/// A pattern whose pieces all differ, without newline.
const PIECE: usize = 64 * 1024;

fn piece(number: usize) -> Vec<u8> {
    let unit = format!("{number:07}\u{1b}[31m\u{fffd}\0\u{7f}");
    unit.bytes().cycle().take(PIECE).collect()
}

/// A field of `status` or `smaps_rollup` in KiB.
fn kibibytes(pid: u32, file: &str, field: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/{file}")).expect("a process");
    let line = text.lines().find(|line| line.starts_with(field)).expect("a field");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}

/// Writes pieces without newline, then looks at the memory.
#[track_caller]
fn write_pieces(logger: &mut Logger, count: usize) {
    for number in 0..count {
        logger.write(piece(number));
    }
    logger.settle();
    let private = kibibytes(logger.pid(), "smaps_rollup", "Private_Dirty:");
    support::figure(&format!("private memory after a line of {} MB: {private} KiB", count * PIECE / 1_000_000));
    assert!(private <= 64, "private memory: {private} KiB");
}

/// Checks that the files, one behind the other, are the pieces and a newline.
#[track_caller]
fn assert_pieces(log: &LogDirectory, count: usize) {
    let files = log.files().into_iter().map(|file| file.name);
    let (current, archives): (Vec<String>, Vec<String>) =
        files.filter(|name| name.starts_with('@') || name == "current").partition(|name| name == "current");
    let mut readers = archives.iter().chain(&current).map(|name| std::fs::File::open(log.join(name)).expect("a file"));
    let mut all: Box<dyn Read> = Box::new(std::io::empty());
    for reader in &mut readers {
        all = Box::new(all.chain(reader));
    }
    for number in 0..count {
        let mut bytes = vec![0; PIECE];
        all.read_exact(&mut bytes).expect("a piece");
        assert!(bytes == piece(number), "piece {number} of {count} differs");
    }
    let mut rest = Vec::new();
    all.read_to_end(&mut rest).expect("the rest");
    assert_eq!(String::from_utf8_lossy(&rest), "\n");
}

/// A hundred megabytes in one line and one file.
#[test]
fn mends_f40_line_of_100_megabytes() {
    let scratch = Scratch::new();
    let log = scratch.log("log").config("s0\n");
    let mut logger = scratch.svlogd(&["log"]);
    write_pieces(&mut logger, 1600);
    assert_eq!(logger.end(), Output::exit(0, "", ""));
    assert_pieces(&log, 1600);
}

/// In files that are smaller than the line it is cut, and only there.
#[test]
fn mends_f40_line_longer_than_a_file_is_cut() {
    let scratch = Scratch::new();
    let log = scratch.log("log").config("s100000\nn0\n");
    let mut logger = scratch.svlogd(&["log"]);
    write_pieces(&mut logger, 40);
    assert_eq!(logger.end(), Output::exit(0, "", ""));
    assert_pieces(&log, 40);
    let sizes: Vec<usize> = log.archives().iter().map(|file| file.bytes.len()).collect();
    assert!(sizes.iter().all(|size| *size <= 100_000) && sizes.len() >= 26, "{sizes:?}");
}

/// A line that is never finished, from a writer that is silent: it is still written when the input ends.
#[test]
fn mends_k70_f40_line_without_end() {
    let scratch = Scratch::new();
    let log = scratch.log("log");
    for text in ["x", "\0", "\r", " ", "one\ntwo", &"y".repeat(999), &"y".repeat(1000), &"y".repeat(100_000)] {
        let _removed = std::fs::remove_file(log.join("current"));
        let mut logger = scratch.svlogd(&["log"]);
        logger.feed(text);
        assert_eq!(logger.end(), Output::exit(0, "", ""));
        assert!(log.current() == format!("{text}\n").as_bytes(), "{} bytes of {:?}", text.len(), &text[..1]);
    }
}

/// All bytes there are, in short lines and long ones, in one write and byte by byte.
#[test]
fn f40_bytes_arrive_as_they_are() {
    let scratch = Scratch::new();
    let log = scratch.log("log").config("s0\n");
    let all: Vec<u8> = (0..=255).filter(|byte| *byte != b'\n').chain([b'\n']).collect();
    let invalid =
        b"\xff\xfe\n\xc3\x28\n\xe2\x82\n\xf0\x9f\x92\n\xed\xa0\x80\n\x1b]0;title\x07\x1b[2J\n\n\0\n\0\0\n".to_vec();
    let long: Vec<u8> = all[..255].iter().copied().cycle().take(70_000).chain([b'\n']).collect();
    let mut logger = scratch.svlogd(&["log"]);
    for part in [&all, &invalid, &long] {
        logger.write(part);
    }
    for byte in all.iter().chain(&invalid) {
        logger.feed([*byte]);
    }
    assert_eq!(logger.end(), Output::exit(0, "", ""));
    let expected = [all.clone(), invalid.clone(), long, all, invalid].concat();
    assert!(log.current() == expected, "{} bytes instead of {}", log.current().len(), expected.len());
}

/// Only newlines, and a great many of them.
#[test]
fn f40_empty_lines() {
    let scratch = Scratch::new();
    let log = scratch.log("log").config("s10000\nn0\npx\n");
    let mut logger = scratch.svlogd(&["log"]);
    logger.write("\n".repeat(100_000));
    assert_eq!(logger.end(), Output::exit(0, "", ""));
    assert!(log.all_bytes() == "x\n".repeat(100_000).as_bytes());
}

/// With a stamp and a prefix, a long line has them once.
#[test]
fn f40_long_line_is_one_line() {
    let scratch = Scratch::new();
    let log = scratch.log("log").config("s0\npweb: \n");
    let mut logger = scratch.svlogd(&["-t", "log"]);
    let text = "z".repeat(1_000_000);
    logger.write(format!("{text}\n{text}\n"));
    assert_eq!(logger.end(), Output::exit(0, "", ""));
    let lines = log.all_lines();
    assert_eq!(lines.len(), 2);
    for line in lines {
        let (stamp, rest) = line.split_once(' ').expect("a stamp");
        assert!(stamp.len() == 25 && stamp.starts_with("@4"), "{stamp}");
        assert!(rest == format!("web: {text}"), "{} bytes", rest.len());
    }
}
