//! System calls that fail (F36): once, and for as long as the test wants. Reading goes on, TERM is obeyed, and when it
//! is over each line is in the log or counted.

use support::{Ending, LogDirectory, Logger, Scratch, needs, wait_until};

use crate::injection::Injection;
use crate::numbered::{Tally, assert_accounted, assert_all, lines, number_of, tally, text};

/// Calls that fail, and what is said then.
struct Fault {
    calls: &'static str,
    error: &'static str,
    message: &'static str,
    config: &'static str,
}

const KEEP_ALL: &str = "s4000\nn1000\n";

const WRITE: Fault = Fault {
    calls: "write,writev",
    error: "EIO",
    message: "svlogd: warning: unable to write to current: log: input/output error\n",
    config: KEEP_ALL,
};

const WRITE_READ_ONLY: Fault = Fault {
    calls: "write,writev",
    error: "EROFS",
    message: "svlogd: warning: unable to write to current: log: read-only file system\n",
    config: KEEP_ALL,
};

const WRITE_STALE: Fault = Fault {
    calls: "write,writev",
    error: "ESTALE",
    message: "svlogd: warning: unable to write to current: log: stale NFS file handle\n",
    config: KEEP_ALL,
};

const WRITE_QUOTA: Fault = Fault {
    calls: "write,writev",
    error: "EDQUOT",
    message: "svlogd: warning: unable to write to current: log: disk quota exceeded\n",
    // As on a full disk, old files make room where some may go.
    config: "s4000\nn0\n",
};

const FSYNC: Fault = Fault {
    calls: "fsync,fdatasync",
    error: "EIO",
    message: "svlogd: warning: unable to fsync current logfile: log: input/output error\n",
    config: KEEP_ALL,
};

const RENAME: Fault = Fault {
    calls: "?rename,?renameat,?renameat2",
    error: "EIO",
    message: "svlogd: warning: unable to rename current: log: input/output error\n",
    config: KEEP_ALL,
};

const OPEN: Fault =
    Fault { calls: "?open,?openat,?openat2", error: "EIO", message: ": log: input/output error\n", config: KEEP_ALL };

const OPEN_FILES: Fault = Fault {
    calls: "?open,?openat,?openat2",
    error: "EMFILE",
    message: ": log: process cannot open more files\n",
    config: KEEP_ALL,
};

const MODE: Fault = Fault {
    calls: "?chmod,?fchmod,?fchmodat",
    error: "EIO",
    message: "svlogd: warning: unable to set mode of current: log: input/output error\n",
    config: KEEP_ALL,
};

const READ_DIRECTORY: Fault = Fault {
    calls: "?getdents,?getdents64",
    error: "EIO",
    message: "svlogd: warning: unable to read directory: log: input/output error\n",
    config: "s4000\nn3\n",
};

const UNLINK: Fault = Fault {
    calls: "?unlink,?unlinkat",
    error: "EIO",
    message: "svlogd: warning: unable to unlink oldest logfile: log/@",
    config: "s4000\nn3\n",
};

const TRUNCATE: Fault = Fault { calls: "?ftruncate,?truncate", error: "EIO", message: "", config: KEEP_ALL };

const STAT: Fault =
    Fault { calls: "?stat,?lstat,?fstat,?newfstatat,?statx", error: "EIO", message: "", config: KEEP_ALL };

const LOCK: Fault = Fault { calls: "flock", error: "ENOLCK", message: "", config: KEEP_ALL };

impl Fault {
    /// A logger that has written a hundred lines, before anything fails.
    #[track_caller]
    fn start(&self, scratch: &Scratch) -> (LogDirectory, Logger) {
        let log = scratch.log("log").config(self.config);
        let mut logger = scratch.svlogd(&["log"]);
        logger.feed(lines(1..=100));
        (log, logger)
    }

    /// What the program says is written too, unless that is what fails.
    fn is_told(&self) -> bool {
        !self.message.is_empty() && !self.calls.starts_with("write")
    }

    fn keeps_all(&self) -> bool {
        !self.config.contains("n3")
    }

    /// Checks that no line is missing, but for those of files that were removed because there were too many.
    #[track_caller]
    fn assert_whole(&self, log: &LogDirectory, fed: usize, stderr: &str) {
        if self.keeps_all() {
            return assert_all(log, fed);
        }
        let Tally { lost, next, written, .. } = tally(log);
        assert_eq!((lost, next), (0, fed + 1), "{stderr}");
        assert!(written >= 3 * 3000 / 60, "{written} lines: {stderr}");
        assert_eq!(log.count('s'), 3, "{stderr}");
    }
}

/// One call fails: it is told, tried again, and nothing is lost.
#[track_caller]
fn assert_survives_one(fault: &Fault) {
    let scratch = Scratch::new();
    let (log, mut logger) = fault.start(&scratch);
    let injection = Injection::start(&scratch, logger.pid(), fault.calls, &format!("error={}:when=1", fault.error));
    logger.write(lines(101..=500));
    wait_until("a logger that reads", || (logger.input.unread() == 0).then_some(()));
    if fault.is_told() {
        logger.wait_stderr(fault.message);
    }
    log.wait_text(&text(500));
    let failed = injection.end();
    assert!(failed > 0 || fault.message.is_empty(), "no call failed");
    logger.feed(lines(501..=1_000));
    log.wait_text(&text(1_000));
    let output = logger.terminate();
    assert_eq!(output.ending, Ending::Exit(0), "{}", output.stderr);
    fault.assert_whole(&log, 1_000, &output.stderr);
}

/// All calls fail for a while: the writer does not wait, and at the end each line is there or counted.
#[track_caller]
fn assert_survives_many(fault: &Fault) {
    let scratch = Scratch::new();
    let (log, mut logger) = fault.start(&scratch);
    let injection = Injection::start(&scratch, logger.pid(), fault.calls, &format!("error={}", fault.error));
    logger.write(lines(101..=10_000));
    wait_until("a logger that reads", || (logger.input.unread() == 0).then_some(()));
    if fault.is_told() {
        logger.wait_stderr(fault.message);
    }
    assert!(injection.end() > 0 || fault.message.is_empty(), "no call failed");
    logger.write(lines(10_001..=10_200));
    log.wait_text(&text(10_200));
    logger.settle();
    // Whatever could not be done is done with the next files.
    logger.feed(lines(10_201..=11_000));
    log.wait_text(&text(11_000));
    let output = logger.terminate();
    assert_eq!(output.ending, Ending::Exit(0), "{}", output.stderr);
    if fault.keeps_all() {
        let tally = assert_accounted(&log, 11_000);
        assert!(tally.announcements.len() <= 1, "{tally:?}");
    } else {
        fault.assert_whole(&log, 11_000, &output.stderr);
    }
    assert_eq!(log.count('u') + log.count('t'), 0, "{}", output.stderr);
}

/// TERM while all of them fail: it ends, and what it could not write is counted.
#[track_caller]
fn assert_ends(fault: &Fault) {
    let scratch = Scratch::new();
    let (log, mut logger) = fault.start(&scratch);
    let injection = Injection::start(&scratch, logger.pid(), fault.calls, &format!("error={}", fault.error));
    logger.write(lines(101..=3_000));
    wait_until("a logger that reads", || (logger.input.unread() == 0).then_some(()));
    let output = logger.terminate();
    assert_eq!(output.ending, Ending::Exit(0), "{}", output.stderr);
    injection.end();
    let numbers: Vec<usize> = log.all_lines().iter().filter_map(|line| number_of(line)).collect();
    assert!(numbers.is_sorted() && numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{numbers:?}");
    let counts = output.stderr.lines().filter_map(|line| crate::numbered::announcement(line)).map(|(count, _)| count);
    let (last, lost) = (numbers.last().copied().unwrap_or_default(), counts.sum::<usize>());
    // Where nothing can be written, nothing can be said either.
    if !fault.calls.starts_with("write") {
        assert_eq!(last + lost, 3_000, "{}", output.stderr);
    }
}

#[track_caller]
fn assert_survives(fault: &Fault) {
    if !needs(&["strace"]) {
        return;
    }
    assert_survives_one(fault);
    assert_survives_many(fault);
    assert_ends(fault);
}

#[test]
fn mends_k80_f36_write_fails() {
    assert_survives(&WRITE);
}

#[test]
fn mends_k80_f36_write_is_refused() {
    assert_survives(&WRITE_READ_ONLY);
}

#[test]
fn mends_k80_f36_write_is_stale() {
    assert_survives(&WRITE_STALE);
}

#[test]
fn mends_k80_f36_write_over_quota() {
    assert_survives(&WRITE_QUOTA);
}

#[test]
fn mends_k80_f36_fsync_fails() {
    assert_survives(&FSYNC);
}

#[test]
fn mends_k80_f36_rename_fails() {
    assert_survives(&RENAME);
}

#[test]
fn mends_k80_f36_open_fails() {
    assert_survives(&OPEN);
}

#[test]
fn mends_k80_f11_no_descriptor_is_left() {
    assert_survives(&OPEN_FILES);
}

#[test]
fn mends_k80_f36_chmod_fails() {
    assert_survives(&MODE);
}

#[test]
fn mends_k80_f36_directory_cannot_be_read() {
    assert_survives(&READ_DIRECTORY);
}

#[test]
fn mends_k80_f36_unlink_fails() {
    assert_survives(&UNLINK);
}

#[test]
fn mends_k80_f36_truncate_fails() {
    assert_survives(&TRUNCATE);
}

#[test]
fn mends_k80_f36_stat_fails() {
    assert_survives(&STAT);
}

#[test]
fn mends_k80_f36_lock_fails() {
    assert_survives(&LOCK);
}
