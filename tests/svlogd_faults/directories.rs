//! Log directories and files in them that go away or are replaced while a logger writes (F37, F38), and those that
//! cannot be written yet (F36, F45).

use std::os::unix::fs::symlink;
use std::path::Path;

use nix::sys::signal::Signal;
use support::{Account, Ending, LogDirectory, LogPipe, Logger, Scratch, needs, wait_until};

use crate::mounts::Mounts;
use crate::numbered::{Tally, announcement, assert_all, lines, number_of, tally, tally_lines, text};

/// A logger that has written a hundred lines.
#[track_caller]
fn start(scratch: &Scratch) -> (LogDirectory, Logger) {
    let log = scratch.log("log");
    let mut logger = scratch.svlogd(&["log"]);
    logger.feed(lines(1..=100));
    (log, logger)
}

/// Checks that a logger has not ended, then ends it.
#[track_caller]
fn assert_ends(logger: &mut Logger) {
    assert_eq!(logger.try_wait(), None, "{}", logger.stderr());
    assert_eq!(logger.terminate().ending, Ending::Exit(0), "{}", logger.stderr());
}

/// Removes a log directory, in which the logger may just be making something.
#[track_caller]
fn remove(log: &LogDirectory) {
    let away = log.path().with_file_name("removed");
    std::fs::rename(log.path(), &away).expect("the directory");
    wait_until("an empty directory", || {
        let _not_empty_yet = std::fs::remove_dir_all(&away);
        (!away.exists()).then_some(())
    });
}

// ---- F37

#[test]
fn mends_f37_current_that_was_removed_is_made_anew() {
    let scratch = Scratch::new();
    let (log, mut logger) = start(&scratch);
    std::fs::remove_file(log.join("current")).expect("current");
    logger.feed(lines(101..=200));
    log.wait_text(&text(200));
    assert_eq!(tally(&log), Tally { first: 101, written: 100, next: 201, ..Tally::default() });
    assert_ends(&mut logger);
}

#[test]
fn mends_f37_current_that_was_renamed_is_made_anew() {
    let scratch = Scratch::new();
    let (log, mut logger) = start(&scratch);
    std::fs::rename(log.join("current"), log.join("moved")).expect("current");
    logger.feed(lines(101..=200));
    log.wait_text(&text(200));
    assert_eq!(tally(&log), Tally { first: 101, written: 100, next: 201, ..Tally::default() });
    assert_eq!(String::from_utf8_lossy(&log.read("moved")), lines(1..=100));
    assert_ends(&mut logger);
}

/// An ordinary file in its place is not appended to unseen: what was written is somewhere, once.
#[test]
fn mends_f37_current_that_was_replaced_by_a_file() {
    let scratch = Scratch::new();
    let (log, mut logger) = start(&scratch);
    std::fs::rename(log.join("current"), log.join("moved")).expect("current");
    std::fs::write(log.join("current"), "").expect("a file");
    logger.feed(lines(101..=200));
    log.wait_text(&text(200));
    assert_ends(&mut logger);
    assert_eq!(tally(&log), Tally { first: 101, written: 100, next: 201, ..Tally::default() });
}

#[test]
fn mends_f37_directory_that_was_removed_is_made_anew() {
    let scratch = Scratch::new();
    let (log, mut logger) = start(&scratch);
    remove(&log);
    logger.write(lines(101..=200));
    log.wait_text(&text(200));
    assert_eq!(tally(&log), Tally { first: 101, written: 100, next: 201, ..Tally::default() });
    // It is locked again.
    let refused = scratch.run("svlogd", &["log"]);
    assert!(refused.stderr.contains("unable to lock directory: log: temporary failure\n"), "{refused:?}");
    assert_ends(&mut logger);
}

#[test]
fn mends_f37_directory_that_was_made_anew_by_another() {
    let scratch = Scratch::new();
    let (log, mut logger) = start(&scratch);
    remove(&log);
    // The logger may be faster.
    let _there_already = std::fs::create_dir(log.path());
    logger.write(lines(101..=200));
    log.wait_text(&text(200));
    assert_eq!(tally(&log), Tally { first: 101, written: 100, next: 201, ..Tally::default() });
    assert_ends(&mut logger);
}

/// Renamed: each line is in the old place or in the new one.
#[test]
fn f37_directory_that_was_renamed_loses_no_line() {
    let scratch = Scratch::new();
    let (log, mut logger) = start(&scratch);
    let moved = LogDirectory::new(scratch.path().join("moved"));
    std::fs::rename(log.path(), moved.path()).expect("the directory");
    logger.feed(lines(101..=200));
    logger.tell(Signal::SIGALRM);
    logger.feed(lines(201..=300));
    assert_eq!(logger.terminate().ending, Ending::Exit(0), "{}", logger.stderr());
    let all = [moved.all_lines(), log.all_lines()].concat();
    assert_eq!(
        tally_lines(&all),
        Tally { first: 1, written: 300, next: 301, ..Tally::default() },
        "{}",
        logger.stderr()
    );
}

/// Renamed and replaced by an empty one, as a hand-made rotation does it.
#[test]
fn f37_directory_that_was_replaced_loses_no_line() {
    let scratch = Scratch::new();
    let (log, mut logger) = start(&scratch);
    let moved = LogDirectory::new(scratch.path().join("moved"));
    std::fs::rename(log.path(), moved.path()).expect("the directory");
    let _there_already = std::fs::create_dir(log.path());
    logger.feed(lines(101..=200));
    logger.tell(Signal::SIGHUP);
    logger.feed(lines(201..=300));
    assert_ends(&mut logger);
    let all = [moved.all_lines(), log.all_lines()].concat();
    assert_eq!(tally_lines(&all), Tally { first: 1, written: 300, next: 301, ..Tally::default() });
    assert!(log.all_lines().contains(&text(300)), "the new directory is not used");
}

/// The directory is gone and cannot be made: lines are held, dropped and counted until somebody makes it.
#[test]
fn mends_k80_f37_directory_that_cannot_be_made() {
    if !needs(&["root", "setpriv"]) {
        return;
    }
    let mut scratch = Scratch::new();
    scratch.use_copied_programs();
    let account = Account::new();
    let log = scratch.log("log");
    account.own(log.path());
    let mut command = account.command(&scratch, "svlogd");
    command.arg("log");
    let mut logger = scratch.logger(LogPipe::new(), command);
    logger.feed(lines(1..=1));
    log.wait_current(lines(1..=1));
    remove(&log);
    logger.write(lines(2..=20_000));
    logger.wait_stderr(": log: ");
    wait_until("a logger that reads", || (logger.input.unread() == 0).then_some(()));
    let staged = LogDirectory::create(scratch.path().join("staged"));
    account.own(staged.path());
    std::fs::rename(staged.path(), log.path()).expect("the directory");
    log.wait_text(&text(20_000));
    let all = log.all_lines();
    // The first line was in the one that was removed.
    let tally = tally_lines(&[vec![text(1)], all].concat());
    assert_eq!((tally.next, tally.announcements.len()), (20_001, 1), "{tally:?}");
    assert_eq!(logger.terminate().ending, Ending::Exit(0));
}

// ---- F38

/// Puts something in the place of `current` while a logger writes: it gets nothing, and when it is gone all is well.
#[track_caller]
fn assert_refused(put: fn(&Path), assert_untouched: fn(&Path)) {
    let scratch = Scratch::new();
    let (log, mut logger) = start(&scratch);
    let staged = scratch.path().join("staged");
    put(&staged);
    std::fs::rename(log.join("current"), log.join("moved")).expect("current");
    // The logger may have made a new one: then it is moved away with nothing in it.
    wait_until("the thing in its place", || {
        let _made_anew = std::fs::remove_file(log.join("current"));
        std::fs::rename(&staged, log.join("current")).ok()
    });
    logger.write(lines(101..=200));
    logger.wait_stderr(": log: ");
    wait_until("a logger that reads", || (logger.input.unread() == 0).then_some(()));
    assert_untouched(&log.join("current"));
    std::fs::rename(log.join("current"), scratch.path().join("away")).expect("rename");
    logger.write(lines(201..=300));
    log.wait_text(&text(300));
    let all =
        [String::from_utf8_lossy(&log.read("moved")).lines().map(str::to_owned).collect(), log.all_lines()].concat();
    assert_eq!(
        tally_lines(&all),
        Tally { first: 1, written: 300, next: 301, ..Tally::default() },
        "{}",
        logger.stderr()
    );
    assert_ends(&mut logger);
}

fn put_link(path: &Path) {
    std::fs::write(path.with_file_name("target"), "").expect("a file");
    symlink(path.with_file_name("target"), path).expect("a link");
}

fn assert_link_untouched(path: &Path) {
    assert_eq!(std::fs::read(path).expect("the target"), b"");
}

#[test]
fn mends_f38_current_replaced_by_a_link() {
    assert_refused(put_link, assert_link_untouched);
}

#[test]
fn mends_f38_current_replaced_by_a_link_to_a_full_device() {
    assert_refused(|path| symlink("/dev/full", path).expect("a link"), |_| {});
}

#[test]
fn mends_f38_current_replaced_by_a_directory() {
    assert_refused(
        |path| std::fs::create_dir(path).expect("a directory"),
        |path| assert_eq!(path.read_dir().expect("a directory").count(), 0),
    );
}

/// The same is refused at rotation: the new file must be a new one.
#[test]
fn mends_f38_directory_in_the_place_of_current_at_hup() {
    let scratch = Scratch::new();
    let (log, mut logger) = start(&scratch);
    let other = scratch.log("other");
    drop(logger.terminate());
    let mut logger = scratch.svlogd(&["log", "other"]);
    logger.feed("one\n");
    std::fs::rename(log.join("current"), log.join("moved")).expect("current");
    wait_until("a directory in its place", || {
        let _made_anew = std::fs::remove_file(log.join("current"));
        std::fs::create_dir(log.join("current")).ok()
    });
    logger.signal(Signal::SIGHUP);
    logger.wait_stderr("log: is a directory\n");
    logger.feed("two\n");
    other.wait_current("one\ntwo\n");
    assert_ends(&mut logger);
}

// ---- F36, F45

/// The file system is mounted read-only when the logger starts.
#[test]
fn mends_f36_f45_read_only_directory_that_becomes_writable() {
    let scratch = Scratch::new();
    let Some(mounts) = Mounts::of_memory(&scratch, "ro") else { return };
    let log = mounts.log();
    let mut logger = mounts.svlogd(&["log"]);
    logger.write(lines(1..=400));
    logger.wait_stderr(": log: read-only file system\n");
    wait_until("a logger that reads", || (logger.input.unread() == 0).then_some(()));
    assert_eq!(logger.try_wait(), None, "{}", logger.stderr());
    mounts.run("mount -o remount,rw log");
    log.wait_text(&text(400));
    assert_all(&log, 400);
    assert_ends(&mut logger);
}

/// More lines than the buffer holds.
#[test]
fn mends_f36_f45_read_only_directory_keeps_no_writer_waiting() {
    let scratch = Scratch::new();
    let Some(mounts) = Mounts::of_memory(&scratch, "ro") else { return };
    let log = mounts.log();
    let mut logger = mounts.svlogd(&["log"]);
    logger.write(lines(1..=20_000));
    wait_until("a logger that reads", || (logger.input.unread() == 0).then_some(()));
    mounts.run("mount -o remount,rw log");
    log.wait_text(&text(20_000));
    let all = log.all_lines();
    let first = announcement(&all[0]).expect("an announcement");
    assert_eq!(first.1, "read-only file system");
    let Tally { next, written, lost, .. } = tally(&log);
    // Nothing is there to count from: the first number that is there is the one behind those that are lost.
    assert_eq!((first.0, number_of(&all[1])), (lost, Some(lost + 1)));
    assert!(written > 300 && next <= 20_001, "{written}");
    assert_ends(&mut logger);
}

/// What was read-only is covered by a file system that is not.
#[test]
fn mends_f45_file_system_that_is_mounted_later() {
    let scratch = Scratch::new();
    scratch.directory("log");
    let script = "mount --bind log log; mount -o remount,bind,ro log";
    let Some(mounts) = Mounts::new(&scratch, script) else { return };
    let log = mounts.log();
    let mut logger = mounts.svlogd(&["log"]);
    logger.write(lines(1..=400));
    logger.wait_stderr(": log: read-only file system\n");
    mounts.run("mount -t tmpfs none log");
    log.wait_text(&text(400));
    assert_all(&log, 400);
    assert!(!scratch.path().join("log/current").exists(), "it went to the wrong place");
    assert_ends(&mut logger);
}

/// Another directory works from the start.
#[test]
fn mends_f36_read_only_directory_and_another() {
    let scratch = Scratch::new();
    let Some(mounts) = Mounts::of_memory(&scratch, "ro") else { return };
    let (log, other) = (mounts.log(), scratch.log("other"));
    let mut logger = mounts.svlogd(&["log", "other"]);
    logger.feed(lines(1..=400));
    other.wait_text(&text(400));
    mounts.run("mount -o remount,rw log");
    log.wait_text(&text(400));
    assert_all(&log, 400);
    assert_all(&other, 400);
    assert_ends(&mut logger);
}

/// It becomes read-only while the logger is told to open it again, then writable.
#[test]
fn mends_f36_read_only_at_hup() {
    let scratch = Scratch::new();
    scratch.directory("log");
    let Some(mounts) = Mounts::new(&scratch, "mount --bind log log") else { return };
    let log = mounts.log();
    let mut logger = mounts.svlogd(&["log"]);
    logger.feed(lines(1..=100));
    // What is open keeps its mount writable, so another one is put over it.
    mounts.run("mount --bind log log; mount -o remount,bind,ro log");
    logger.tell(Signal::SIGHUP);
    logger.write(lines(101..=200));
    logger.wait_stderr(": log: read-only file system\n");
    mounts.run("mount -o remount,bind,rw log");
    log.wait_text(&text(200));
    assert_all(&log, 200);
    assert_ends(&mut logger);
}

#[test]
fn mends_k80_f36_term_on_a_read_only_directory() {
    let scratch = Scratch::new();
    let Some(mounts) = Mounts::of_memory(&scratch, "ro") else { return };
    let mut logger = mounts.svlogd(&["log"]);
    logger.write(lines(1..=400));
    logger.wait_stderr(": log: read-only file system\n");
    wait_until("a logger that reads", || (logger.input.unread() == 0).then_some(()));
    let output = logger.terminate();
    assert_eq!(output.ending, Ending::Exit(0), "{}", output.stderr);
    assert!(
        output.stderr.contains("svlogd: warning: 400 lines lost: log: read-only file system\n"),
        "{}",
        output.stderr
    );
    assert_eq!(mounts.log().all_lines(), [] as [&str; 0]);
}
