//! `utmpset`: marks a line as logged out, in files of the test's own and beside Debian's.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::fcntl::{Flock, FlockArg};
use support::{
    Apart, Ending, LoginRecord, Output, RECORD_BYTES, Scratch, needs, now, polls, reference, skip, wait_until,
};

fn can_run() -> bool {
    needs(&["namespaces"])
}

/// A line of the longest kind: its field has no end mark.
const LONGEST: &str = "0123456789abcdef0123456789abcdef";

/// Who is logged in at the beginning: a line that is free already, one taken twice, one of the longest name.
fn some_logins() -> Vec<LoginRecord> {
    let mut free = LoginRecord::login("tty1", "");
    free.kind = 8;
    vec![
        free,
        LoginRecord::login("tty2", "ada"),
        LoginRecord::login("tty1", "bob"),
        LoginRecord::login("tty1", "eve"),
        LoginRecord::login(LONGEST, "max"),
    ]
}

#[test]
fn the_first_record_in_use_is_marked_in_its_place() {
    if !can_run() {
        return;
    }
    let scratch = Scratch::new();
    let apart = Apart::new(&scratch);
    LoginRecord::write(&apart.utmp(), &some_logins());
    let start = now();
    assert_eq!(apart.run(&["utmpset", "tty1"]), Output::exit(0, "", ""));
    let records = LoginRecord::read(&apart.utmp());
    let marked = &records[2];
    assert!(marked.is_since(start), "{marked:?}");
    let mut expected = some_logins();
    expected[2] = LoginRecord {
        kind: 8,
        user: String::new(),
        host: String::new(),
        seconds: marked.seconds,
        ..expected[2].clone()
    };
    assert_eq!(records, expected);
    assert!(!apart.wtmp().exists());
}

#[test]
fn with_w_the_history_gets_a_record() {
    if !can_run() {
        return;
    }
    let scratch = Scratch::new();
    let apart = Apart::new(&scratch);
    LoginRecord::write(&apart.utmp(), &some_logins());
    let start = now();
    for line in ["tty1", LONGEST] {
        assert_eq!(apart.run(&["utmpset", "-w", line, "and", "more"]), Output::exit(0, "", ""));
    }
    let records = LoginRecord::read(&apart.wtmp());
    assert_eq!(records.iter().map(|record| record.line.as_str()).collect::<Vec<_>>(), ["tty1", LONGEST]);
    for record in records {
        assert!(record.is_since(start), "{record:?}");
        let line = record.line.clone();
        let empty = LoginRecord::login(&line, "");
        let expected = LoginRecord {
            kind: 8,
            pid: 0,
            id: String::new(),
            host: String::new(),
            seconds: record.seconds,
            rest: vec![0; 46],
            ..empty
        };
        assert_eq!(record, expected);
    }
    let mode = std::fs::metadata(apart.wtmp()).expect("wtmp").permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
}

#[test]
fn wrong_usage() {
    if !can_run() {
        return;
    }
    let scratch = Scratch::new();
    let apart = Apart::new(&scratch);
    LoginRecord::write(&apart.utmp(), &some_logins());
    let usage = "usage: utmpset [-w] line\n\n";
    for words in [&["utmpset"][..], &["utmpset", "-w"], &["utmpset", "--"]] {
        assert_eq!(apart.run(words), Output::exit(1, "", usage), "{words:?}");
    }
    let illegal = format!("utmpset: illegal option -- x\n{usage}");
    assert_eq!(apart.run(&["utmpset", "-wx", "tty1"]), Output::exit(1, "", &illegal));
    let version = apart.run(&["utmpset", "-V"]);
    assert_eq!((version.ending, version.stderr.lines().count()), (Ending::Exit(1), 3));
    assert_eq!(LoginRecord::read(&apart.utmp()), some_logins());
}

/// One message and 111, no file changed or made, and no wait.
#[track_caller]
fn refuses(apart: &Apart<'_>, words: &[&str], message: &str) {
    let before = std::fs::read(apart.utmp()).ok();
    assert_eq!(apart.run(words), Output::exit(111, "", &format!("utmpset: {message}\n")));
    assert_eq!(std::fs::read(apart.utmp()).ok(), before);
    assert!(!apart.wtmp().is_file());
}

#[test]
fn a_line_that_nobody_is_on() {
    if !can_run() {
        return;
    }
    let scratch = Scratch::new();
    let apart = Apart::new(&scratch);
    LoginRecord::write(&apart.utmp(), &some_logins());
    let shorter = &LONGEST[..31];
    for line in ["tty", "tty11", "", shorter] {
        let message = format!("warning: unable to logout line {line} in utmp: no such entry");
        refuses(&apart, &["utmpset", "-w", line], &message);
    }
    std::fs::write(apart.utmp(), "").expect("an empty file");
    refuses(&apart, &["utmpset", "-w", "tty1"], "warning: unable to logout line tty1 in utmp: no such entry");
}

#[test]
fn mends_a_line_that_is_too_long() {
    if !can_run() {
        return;
    }
    let scratch = Scratch::new();
    let apart = Apart::new(&scratch);
    LoginRecord::write(&apart.utmp(), &some_logins());
    for line in [&format!("{LONGEST}x"), &"y".repeat(100_000)] {
        let message = format!("fatal: unable to logout line {line} in utmp: name too long");
        refuses(&apart, &["utmpset", "-w", line], &message);
    }
}

/// A record that is not whole is that of a crash, or of a program of another system.
#[test]
fn a_torn_last_record_does_not_count() {
    if !can_run() {
        return;
    }
    let scratch = Scratch::new();
    let apart = Apart::new(&scratch);
    let mut bytes = LoginRecord::login("tty1", "ada").encode();
    bytes.truncate(RECORD_BYTES - 1);
    std::fs::write(apart.utmp(), bytes).expect("utmp");
    refuses(&apart, &["utmpset", "-w", "tty1"], "warning: unable to logout line tty1 in utmp: no such entry");
    std::fs::write(apart.utmp(), "x").expect("utmp");
    refuses(&apart, &["utmpset", "tty1"], "warning: unable to logout line tty1 in utmp: no such entry");
}

#[test]
fn a_missing_utmp() {
    if !can_run() {
        return;
    }
    let scratch = Scratch::new();
    let apart = Apart::new(&scratch);
    refuses(&apart, &["utmpset", "-w", "tty1"], "fatal: unable to open /var/run/utmp: file does not exist");
    assert!(!apart.utmp().exists());
}

#[test]
fn a_directory_in_the_place_of_utmp() {
    if !can_run() {
        return;
    }
    let scratch = Scratch::new();
    let apart = Apart::new(&scratch);
    std::fs::create_dir(apart.utmp()).expect("a directory");
    refuses(&apart, &["utmpset", "tty1"], "fatal: unable to open /var/run/utmp: is a directory");
}

/// The original reads a fifo for ever.
#[test]
fn mends_a_fifo_or_a_device_in_the_place_of_utmp() {
    if !can_run() {
        return;
    }
    let scratch = Scratch::new();
    let apart = Apart::new(&scratch);
    let message = "fatal: unable to open /var/run/utmp: device does not support operation";
    let refused = Output::exit(111, "", &format!("utmpset: {message}\n"));
    nix::unistd::mkfifo(&apart.utmp(), nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
    assert_eq!(apart.run(&["utmpset", "-w", "tty1"]), refused);
    std::fs::remove_file(apart.utmp()).expect("the fifo");
    std::os::unix::fs::symlink("/dev/zero", apart.utmp()).expect("a link");
    assert_eq!(apart.run(&["utmpset", "-w", "tty1"]), refused);
}

/// The record of the line is marked already when the history cannot be written: that is told, and not undone.
#[track_caller]
fn fails_at_the_history(apart: &Apart<'_>, message: &str) {
    LoginRecord::write(&apart.utmp(), &some_logins());
    assert_eq!(apart.run(&["utmpset", "-w", "tty1"]), Output::exit(111, "", &format!("utmpset: {message}\n")));
    assert_eq!(LoginRecord::read(&apart.utmp())[2].user, "");
}

#[test]
fn a_history_that_is_no_file() {
    if !can_run() {
        return;
    }
    let scratch = Scratch::new();
    let apart = Apart::new(&scratch);
    std::fs::create_dir(apart.wtmp()).expect("a directory");
    fails_at_the_history(&apart, "fatal: unable to open /var/log/wtmp: is a directory");
    std::fs::remove_dir(apart.wtmp()).expect("the directory");
    nix::unistd::mkfifo(&apart.wtmp(), nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
    fails_at_the_history(&apart, "fatal: unable to open /var/log/wtmp: device not configured");
}

#[test]
fn mends_a_device_in_the_place_of_the_history() {
    if !can_run() {
        return;
    }
    let scratch = Scratch::new();
    let apart = Apart::new(&scratch);
    std::os::unix::fs::symlink("/dev/null", apart.wtmp()).expect("a link");
    fails_at_the_history(&apart, "fatal: unable to open /var/log/wtmp: device does not support operation");
}

/// A loop device without a file, if there is one: it can be opened, and nothing can be written to it.
fn empty_block_device() -> Option<PathBuf> {
    let is_empty =
        |name: &String| std::fs::read_to_string(format!("/sys/block/{name}/size")).is_ok_and(|size| size == "0\n");
    let device = Path::new("/dev").join((0..8).map(|number| format!("loop{number}")).find(is_empty)?);
    std::fs::File::open(&device).is_ok().then_some(device)
}

/// A record would lie in the middle of what the device holds.
#[test]
fn mends_a_block_device_in_the_place_of_either_file() {
    if !can_run() {
        return;
    }
    let Some(device) = empty_block_device() else { return skip("needs a loop device that is free") };
    let scratch = Scratch::new();
    let apart = Apart::new(&scratch);
    std::os::unix::fs::symlink(&device, apart.wtmp()).expect("a link");
    fails_at_the_history(&apart, "fatal: unable to open /var/log/wtmp: device does not support operation");
    std::fs::remove_file(apart.utmp()).expect("utmp");
    std::os::unix::fs::symlink(&device, apart.utmp()).expect("a link");
    let message = "utmpset: fatal: unable to open /var/run/utmp: device does not support operation\n";
    assert_eq!(apart.run(&["utmpset", "tty1"]), Output::exit(111, "", message));
    let message = "halt: warning: unable to write /var/log/wtmp: device does not support operation\n";
    assert_eq!(apart.run(&["halt", "-w"]), Output::exit(1, "", message));
}

#[test]
fn a_history_without_its_directory() {
    if !can_run() {
        return;
    }
    let scratch = Scratch::new();
    let apart = Apart::new(&scratch).with("mount -t tmpfs none /var");
    let apart = apart.with("ln -s /run /var/run");
    fails_at_the_history(&apart, "fatal: unable to open /var/log/wtmp: file does not exist");
}

#[test]
fn read_only_files() {
    if !can_run() {
        return;
    }
    let scratch = Scratch::new();
    let apart = Apart::new(&scratch).with("mount -o remount,bind,ro /run");
    LoginRecord::write(&apart.utmp(), &some_logins());
    refuses(&apart, &["utmpset", "-w", "tty1"], "fatal: unable to open /var/run/utmp: read-only file system");
    let apart = Apart::new(&scratch).with("mount -o remount,bind,ro /var/log");
    fails_at_the_history(&apart, "fatal: unable to open /var/log/wtmp: read-only file system");
}

/// Ten records fill the only page but for a piece: what is written of the eleventh is taken off again.
#[test]
fn a_record_that_does_not_fit_leaves_no_piece() {
    if !can_run() {
        return;
    }
    let scratch = Scratch::new();
    let before: Vec<_> = (0..10).map(|number| LoginRecord::login(&format!("pts/{number}"), "ada")).collect();
    LoginRecord::write(&scratch.path().join("full"), &before);
    let size = before.len() * RECORD_BYTES;
    let apart = Apart::new(&scratch).with("mount -t tmpfs -o size=4k none /var/log; cp full /var/log/wtmp");
    LoginRecord::write(&apart.utmp(), &some_logins());
    let output = apart.run(&["sh", "-c", "utmpset -w tty1 || echo failed with $?; cp /var/log/wtmp after"]);
    let message = "utmpset: warning: unable to logout line tty1 in wtmp: out of disk space\n";
    assert_eq!(output, Output::exit(0, "failed with 111\n", message));
    assert_eq!(std::fs::read(scratch.path().join("after")).expect("a copy").len(), size);
    assert_eq!(LoginRecord::read(&scratch.path().join("after")), before);
}

#[test]
fn mends_a_limit_of_the_size_of_files() {
    if !can_run() {
        return;
    }
    let scratch = Scratch::new();
    let apart = Apart::new(&scratch);
    LoginRecord::write(&apart.utmp(), &some_logins());
    LoginRecord::write(&apart.wtmp(), &some_logins());
    // One block: 512 bytes, which end in the second record.
    let run = |line: &str| apart.run(&["sh", "-c", &format!("ulimit -f 1; exec utmpset -w {line}")]);
    for (line, reason) in [("tty1", "file too big"), ("tty2", "out of disk space")] {
        let message = format!("utmpset: warning: unable to logout line {line} in utmp: {reason}\n");
        assert_eq!(run(line), Output::exit(111, "", &message));
    }
    LoginRecord::write(&apart.utmp(), &some_logins()[1..2]);
    let message = "utmpset: warning: unable to logout line tty2 in wtmp: file too big\n";
    assert_eq!(run("tty2"), Output::exit(111, "", message));
    assert_eq!(LoginRecord::read(&apart.wtmp()), some_logins());
}

fn lock(path: &Path) -> Flock<std::fs::File> {
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path).expect("a file");
    Flock::lock(file, FlockArg::LockExclusive).expect("its lock")
}

/// What is said of a lock that is not to be had.
fn unlocked(path: &str) -> String {
    format!("utmpset: warning: unable to lock: {path}: temporary failure\n")
}

/// How long a lock is waited for.
const LOCK_LIMIT: Duration = Duration::from_secs(2);

#[test]
fn locks_are_waited_for() {
    if !can_run() {
        return;
    }
    let scratch = Scratch::new();
    let apart = Apart::new(&scratch);
    LoginRecord::write(&apart.utmp(), &some_logins());
    let (utmp, wtmp) = (lock(&apart.utmp()), lock(&apart.wtmp()));
    let start = Instant::now();
    let mut utmpset = apart.start(&["utmpset", "-w", "tty1"]);
    wait_until("a wait for the lock", || polls(utmpset.pid()).then_some(()));
    let before = LoginRecord::read(&apart.utmp());
    drop(utmp);
    wait_until("the mark", || (LoginRecord::read(&apart.utmp()) != some_logins()).then_some(()));
    drop(wtmp);
    let output = utmpset.output();
    assert_eq!(LoginRecord::read(&apart.wtmp()).len(), 1);
    // Where the machine is slow, the time may be over before the locks are given back.
    if start.elapsed() < LOCK_LIMIT {
        assert_eq!(before, some_logins());
        assert_eq!(output, Output::exit(0, "", ""));
    }
}

/// Everybody may read the files, and needs no more to lock them: the original waits for ever, and with it every getty.
#[test]
fn mends_a_lock_that_is_kept() {
    if !can_run() {
        return;
    }
    let scratch = Scratch::new();
    let apart = Apart::new(&scratch);
    LoginRecord::write(&apart.utmp(), &some_logins());
    LoginRecord::write(&apart.wtmp(), &[]);
    let reader = std::fs::File::open(apart.utmp()).expect("utmp");
    let utmp = Flock::lock(reader, FlockArg::LockShared).expect("its lock");
    let start = Instant::now();
    assert_eq!(apart.run(&["utmpset", "-w", "tty1"]), Output::exit(0, "", &unlocked("/var/run/utmp")));
    assert!(start.elapsed() >= LOCK_LIMIT, "{:?}", start.elapsed());
    assert_eq!((&*LoginRecord::read(&apart.utmp())[2].user, LoginRecord::read(&apart.wtmp()).len()), ("", 1));
    drop(utmp);
    let _wtmp = lock(&apart.wtmp());
    assert_eq!(apart.run(&["utmpset", "-w", "tty2"]), Output::exit(0, "", &unlocked("/var/log/wtmp")));
    assert_eq!((&*LoginRecord::read(&apart.utmp())[1].user, LoginRecord::read(&apart.wtmp()).len()), ("", 2));
}

#[test]
fn an_ordinary_user_is_refused() {
    if !needs(&["namespaces", "setpriv"]) {
        return;
    }
    let mut scratch = Scratch::new();
    scratch.use_copied_programs();
    let apart = Apart::new(&scratch);
    LoginRecord::write(&apart.utmp(), &some_logins());
    refuses(
        &apart,
        &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "utmpset", "-w", "tty1"],
        "fatal: unable to open /var/run/utmp: access denied",
    );
}

// ---- beside Debian's

/// What a program said, and its two files, with times of the test replaced by one.
type Seen = (Output, Option<Vec<u8>>, Option<Vec<u8>>);

fn play(scratch: &Scratch, utmp: &[u8], words: &[&str]) -> Seen {
    let apart = Apart::new(scratch);
    let start = now();
    std::fs::write(apart.utmp(), utmp).expect("utmp");
    let _none = std::fs::remove_file(apart.wtmp());
    let output = apart.run(&[&["utmpset"], words].concat());
    let read = |path: &Path| {
        let mut bytes = std::fs::read(path).ok()?;
        for record in bytes.chunks_exact_mut(RECORD_BYTES) {
            if LoginRecord::decode(record).is_since(start) {
                record[340..344].fill(b't');
            }
        }
        Some(bytes)
    };
    (output, read(&apart.utmp()), read(&apart.wtmp()))
}

#[test]
fn does_what_runit_does() {
    if !can_run() {
        return;
    }
    let programs = match reference() {
        Ok(reference) if reference.programs.join("utmpset").exists() => reference.programs,
        Ok(_) => return skip("needs Debian's utmpset: run tests/setup.sh"),
        Err(reason) => return skip(&reason),
    };
    let (ours, theirs) = (Scratch::new(), Scratch::with_programs(programs));
    let whole: Vec<u8> = some_logins().iter().flat_map(LoginRecord::encode).collect();
    let torn = [&whole[..], b"torn"].concat();
    let only_torn = &whole[RECORD_BYTES..RECORD_BYTES + 300];
    for utmp in [&whole[..], &torn, only_torn, b""] {
        for words in [
            &[][..],
            &["-w"],
            &["-x"],
            &["-wx", "tty1"],
            &["--", "tty1"],
            &["--"],
            &["-", "tty1"],
            &["tty1"],
            &["tty1", "-w"],
            &["tty1", "more"],
            &["tty2"],
            &["tty9"],
            &[""],
            &["-w", "tty1"],
            &["-ww", "tty2"],
            &["-w", "-w", "tty2"],
            &["-w", "tty9"],
            &["-w", &LONGEST[1..]],
        ] {
            assert_eq!(play(&ours, utmp, words), play(&theirs, utmp, words), "utmpset {words:?}");
        }
    }
    // A name that fills its field: theirs reads on into the next one, as all before 2.3.0.
    let message = format!("utmpset: warning: unable to logout line {LONGEST} in utmp: no such entry\n");
    assert_eq!(play(&theirs, &whole, &[LONGEST]).0, Output::exit(111, "", &message));
    assert_eq!(play(&ours, &whole, &[LONGEST]).0, Output::exit(0, "", ""));
}
