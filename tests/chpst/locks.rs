//! Locks that cannot be had, and who has one.

use nix::fcntl::{Flock, FlockArg};
use nix::libc;
use nix::sys::signal::Signal;
use support::{Ending, Executed, Output, needs, wait_until};

use crate::case::{Case, FAILED};

fn hold(case: &Case, name: &str) -> Flock<std::fs::File> {
    let file = std::fs::OpenOptions::new().append(true).create(true).open(case.path(name)).expect("a lock");
    Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, error)| error).expect("a lock")
}

#[test]
fn locks_that_are_no_files() {
    let case = Case::new();
    case.directory("directory");
    std::os::unix::fs::symlink("loop", case.path("loop")).expect("a link");
    nix::unistd::mkfifo(&case.path("fifo"), nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
    let _socket = std::os::unix::net::UnixListener::bind(case.path("socket")).expect("a socket");
    let long = "x".repeat(5000);
    for (name, reason) in [
        ("directory", "is a directory"),
        (".", "is a directory"),
        ("", "file does not exist"),
        ("nowhere/lock", "file does not exist"),
        ("probe/lock", "not a directory"),
        ("loop", "symbolic link loop"),
        ("fifo", "device not configured"),
        ("socket", "device not configured"),
        (&long, "file name too long"),
    ] {
        for option in ["-l", "-L"] {
            case.refuses(&[option, name, "./probe"], &format!("unable to open lock: {name}: {reason}"));
        }
        let output = case.run_as("setlock", &[name, "./probe"]);
        let message = format!("chpst: fatal: unable to open lock: {name}: {reason}\n");
        assert_eq!(output, Output::exit(FAILED, "", &message));
        assert_eq!(case.run_as("setlock", &["-x", name, "./probe"]), Output::exit(0, "", ""));
    }
}

#[test]
fn locks_that_a_user_may_not_have() {
    let case = Case::new().of_user();
    case.file("unwritable", "");
    case.mode("unwritable", 0o444);
    case.directory("closed");
    case.mode("closed", 0o555);
    for name in ["unwritable", "closed/lock"] {
        case.refuses(&["-l", name, "./probe"], &format!("unable to open lock: {name}: access denied"));
    }
    case.mode("closed", 0o755);
}

/// The rights are those of the new user.
#[test]
fn locks_that_the_new_user_may_not_have() {
    if !needs(&["root"]) {
        return;
    }
    let case = Case::new();
    case.file("lock", "");
    case.mode("lock", 0o600);
    for name in ["lock", "new"] {
        case.refuses(
            &["-u", ":1000:1000", "-l", name, "./probe"],
            &format!("unable to open lock: {name}: access denied"),
        );
    }
}

#[test]
fn a_lock_that_somebody_has() {
    let case = Case::new();
    let held = hold(&case, "lock");
    case.refuses(&["-L", "lock", "./probe"], "unable to lock: lock: temporary failure");
    let message = "chpst: fatal: unable to lock: lock: temporary failure\n";
    assert_eq!(case.run_as("setlock", &["lock", "./probe"]), Output::exit(FAILED, "", message));
    assert_eq!(case.run_as("setlock", &["-x", "lock", "./probe"]), Output::exit(0, "", ""));
    drop(held);
    case.executes(&["-L", "lock", "./probe"], |_| ());
}

/// It sleeps until then, and any signal ends it.
#[test]
fn waits_for_a_lock() {
    let case = Case::new();
    let held = hold(&case, "lock");
    let waits = |pid| wait_until("a wait", || (support::system_call(pid) == Some(libc::SYS_flock)).then_some(()));
    for (name, words) in [("chpst", &["-l", "lock", "./probe"][..]), ("setlock", &["-n", "lock", "./probe"])] {
        let mut process = case.start(name, words);
        waits(process.pid());
        process.signal(Signal::SIGTERM);
        assert_eq!(
            process.output(),
            Output { ending: Ending::Signal(15), stdout: String::new(), stderr: String::new() }
        );
    }
    let mut process = case.start("chpst", &["-l", "lock", "./probe"]);
    waits(process.pid());
    drop(held);
    assert!(Executed::wait(&mut process, &case.path("probe")).is_some());
}

#[test]
fn the_program_has_the_lock_to_its_end() {
    let case = Case::new();
    let mut process = case.start("chpst", &["-L", "lock", "./probe"]);
    assert!(Executed::wait(&mut process, &case.path("probe")).is_some());
    case.refuses(&["-L", "lock", "./probe"], "unable to lock: lock: temporary failure");
    process.signal(Signal::SIGKILL);
    process.wait();
    case.executes(&["-L", "lock", "./probe"], |executed| {
        assert_eq!(executed.link("fd/3"), case.path("lock"));
    });
}

/// The lowest number that is free would be a standard descriptor.
#[test]
fn mends_the_lock_is_no_standard_descriptor() {
    for closed in [&[0][..], &[1], &[2], &[0, 1, 2]] {
        let case = Case::new().under(|conditions| closed.iter().fold(conditions, |all, one| all.close(*one)));
        let left: Vec<i32> = (0..3).filter(|number| !closed.contains(number)).chain([3]).collect();
        case.executes(&["-l", "lock", "./probe"], |executed| assert_eq!(executed.descriptors(), left));
    }
}

/// The original takes the lock for standard error, and writes into the file what fails.
#[test]
fn mends_no_message_goes_into_the_lock() {
    let case = Case::new().under(|conditions| conditions.close(2));
    let lock = case.file("lock", "contents\n");
    for option in ["-l", "-L"] {
        assert_eq!(case.run(&[option, "lock", "./nowhere"]), Output::exit(FAILED, "", ""));
        assert_eq!(std::fs::read_to_string(&lock).expect("a lock"), "contents\n");
    }
}

/// A file system that is full of inodes has no room for a new one, and one that is read-only takes none.
#[test]
fn a_lock_without_room() {
    if !needs(&["namespaces"]) {
        return;
    }
    let case = Case::new();
    let probe = case.path("probe").display().to_string();
    let chpst = case.scratch().programs().join("chpst").display().to_string();
    let place = case.directory("place").display().to_string();
    for (options, reason) in [("nr_inodes=1", "out of disk space"), ("ro", "read-only file system")] {
        let script = format!("mount -t tmpfs -o {options} none {place}; exec {chpst} -l {place}/lock {probe}");
        let mut command = case.scratch().command("unshare");
        command.args(["--mount", "sh", "-c", &script]);
        let message = format!("chpst: fatal: unable to open lock: {place}/lock: {reason}\n");
        assert_eq!(case.scratch().output(command), Output::exit(FAILED, "", &message));
    }
}
