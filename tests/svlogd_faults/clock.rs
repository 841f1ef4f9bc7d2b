//! Names of old files (F32, K86): later ones are behind earlier ones whatever the clock says, and none is used twice.
//!
//! A clock that has stepped back is seen from here as files whose labels are of the future.

use support::{Ending, LogDirectory, Output, Scratch};

use crate::numbered::{assert_all, line, lines, tally, text};

/// A label of the year 2106, as a clock leaves it that was wrong.
const FUTURE: &str = "@40000001000000000000000a.s";

/// The last labels there are.
const LAST: &str = "@fffffffffffffffffffffffe.s";
const VERY_LAST: &str = "@ffffffffffffffffffffffff.s";

fn names(log: &LogDirectory) -> Vec<String> {
    log.archives().into_iter().map(|file| file.name).collect()
}

#[test]
fn mends_k86_f32_order_is_kept_when_the_clock_has_stepped_back() {
    let scratch = Scratch::new();
    let log = scratch.log("log").config("s4000\nn0\n").file(FUTURE, line(1), 0o744);
    let mut logger = scratch.svlogd(&["log"]);
    logger.write(lines(2..=500));
    assert_eq!(logger.end(), Output::exit(0, "", ""));
    assert_all(&log, 500);
    assert_eq!(names(&log)[0], FUTURE);
}

/// What is newest is never removed for what is older.
#[test]
fn mends_k86_f32_newest_is_never_removed() {
    let scratch = Scratch::new();
    let log = scratch.log("log").config("s4000\nn2\n").file(FUTURE, line(1), 0o744);
    let mut logger = scratch.svlogd(&["log"]);
    logger.write(lines(2..=1_000));
    assert_eq!(logger.end(), Output::exit(0, "", ""));
    let tally = tally(&log);
    assert_eq!((names(&log).len(), tally.next), (2, 1_001));
    assert!(tally.first > 2, "{tally:?}");
}

/// The file that waits for the processor is of the future too.
#[test]
fn mends_k76_f32_file_that_waits_is_of_the_future() {
    let scratch = Scratch::new();
    let waiting = FUTURE.replace(".s", ".u");
    let log = scratch.log("log").config("s4000\nn0\n!cat\n").file(&waiting, line(1), 0o744);
    let mut logger = scratch.svlogd(&["log"]);
    logger.feed(lines(2..=500));
    log.wait_count('u', 0);
    log.wait_count('t', 0);
    let output = logger.end();
    assert_eq!(output.ending, Ending::Exit(0), "{}", output.stderr);
    assert_all(&log, 500);
}

/// There is no later label: nothing is overwritten and no line is lost.
#[test]
fn f32_no_later_label_is_left() {
    for last in [LAST, VERY_LAST] {
        let scratch = Scratch::new();
        let log = scratch.log("log").config("s4000\nn0\n").file(last, "an old line\n", 0o744);
        let mut logger = scratch.svlogd(&["log"]);
        logger.write(lines(1..=500));
        let output = logger.end();
        assert_eq!(output.ending, Ending::Exit(0), "{last}: {}", output.stderr);
        assert_eq!(String::from_utf8_lossy(&log.read(last)), "an old line\n");
        let mut all = log.all_lines();
        all.retain(|line| line != "an old line");
        all.sort();
        assert_eq!(all, (1..=500).map(text).collect::<Vec<_>>(), "{last}");
    }
}

/// A name that is in use as another kind of file is not used: a label has one file.
#[test]
fn f32_many_files_in_one_moment() {
    let scratch = Scratch::new();
    let log = scratch.log("log").config("s60\nn0\n");
    let mut logger = scratch.svlogd(&["-l", "10", "log"]);
    logger.write(lines(1..=2_000));
    assert_eq!(logger.end(), Output::exit(0, "", ""));
    assert_all(&log, 2_000);
    let mut labels: Vec<String> = names(&log).iter().map(|name| name[..25].to_owned()).collect();
    let count = labels.len();
    labels.dedup();
    assert_eq!(labels.len(), count);
}

/// What begins with `@` but is no archive is left alone, and what is a directory does not stop the removal of others.
#[test]
fn mends_names_that_are_no_archives_are_left_alone() {
    let scratch = Scratch::new();
    let log = scratch.log("log").config("s4000\nn2\n");
    let strangers = ["@", "@notes", "@4000000000000000000000zz.s", "@40000000000000000000000a.txt", "@.s", "notes.s"];
    let log = strangers.iter().fold(log, |log, name| log.file(name, "mine\n", 0o644));
    let directory = log.join("@400000000000000000000001.s");
    std::fs::create_dir(&directory).expect("a directory");
    std::fs::write(directory.join("file"), "mine\n").expect("a file");
    let mut logger = scratch.svlogd(&["log"]);
    logger.write(lines(1..=1_000));
    let output = logger.end();
    assert_eq!(output.ending, Ending::Exit(0), "{}", output.stderr);
    for name in strangers {
        assert_eq!(String::from_utf8_lossy(&log.read(name)), "mine\n", "{name}");
    }
    assert!(directory.join("file").exists());
    let files = log.archives().into_iter().filter(|file| !file.bytes.is_empty()).count();
    assert!((1..=2).contains(&files), "{files} files: {}", output.stderr);
    assert!(log.current().ends_with(line(1_000).as_bytes()) || names(&log).len() > 1);
}
