//! Each step fails in its turn, as `strace` has it: one message, exit code 111, and nothing executed.

use std::ffi::OsStr;
use std::path::PathBuf;

use support::{Output, Supervisor, needs};

use crate::case::{Case, FAILED};

/// All that can be changed: the words, to be followed by a program.
const ALL: [&str; 24] = [
    "-P",
    "-v",
    "-e",
    "env",
    "-/",
    "root",
    "-C",
    "work",
    "-n",
    "1",
    "-U",
    "alice:users:+",
    "-u",
    "alice:+",
    "-l",
    "lock",
    "-0",
    "-b",
    "name",
    "-m",
    "100000000",
    "-o",
    "50",
    "--",
];

/// A directory with all that these words name.
fn case() -> Option<Case> {
    if support::is_reference() {
        support::skip("the original makes other calls");
        return None;
    }
    if !needs(&["root", "strace"]) {
        return None;
    }
    let case = Case::new();
    case.file("env/NEW", "value\n");
    case.file("root/etc/passwd", "root:x:0:0::/:\nalice:x:1001:1001::/:\n");
    case.file("root/etc/group", "root:x:0:\nusers:x:100:alice\n");
    case.directory("root/work");
    case.mode("root/work", 0o777);
    case.probe("root/probe");
    Some(case)
}

/// Runs `chpst` with one call failing: the number of it, of those of the name, counts from 1.
fn failing(case: &Case, call: &str, number: usize, error: &str, words: &[&str]) -> Output {
    let inject = format!("inject={call}:error={error}:when={number}");
    let (mut process, _) = trace(case, &["-e", &format!("trace={call}"), "-e", &inject], words);
    process.output()
}

/// Runs `chpst` under `strace`, and says where that writes to.
pub fn trace(case: &Case, options: &[&str], words: &[&str]) -> (Supervisor, PathBuf) {
    let trace = case.path("trace");
    let chpst = case.scratch().programs().join("chpst");
    let mut all: Vec<&OsStr> = vec!["-qq".as_ref(), "-s".as_ref(), "100".as_ref(), "-o".as_ref(), trace.as_os_str()];
    all.extend(options.iter().map(OsStr::new));
    all.push(chpst.as_os_str());
    all.extend(words.iter().map(OsStr::new));
    let mut command = case.scratch().command("strace");
    command.args(all);
    (case.scratch().start(command, nix::sys::signal::Signal::SIGKILL), trace)
}

#[track_caller]
fn fails(case: &Case, (call, number): (&str, usize), words: &[&str], message: &str) {
    let output = failing(case, call, number, "EIO", words);
    let message = format!("chpst: fatal: {message}: input/output error\n");
    assert_eq!(output, Output::exit(FAILED, "", &message), "{call} {number}: {words:?}");
}

#[test]
fn each_change_fails() {
    let Some(case) = case() else { return };
    let words = [&ALL[..], &["/probe"]].concat();
    for (call, number, message) in [
        ("getdents64", 1, "unable to read directory: env"),
        ("getdents64", 2, "unable to read directory: env"),
        ("openat", 2, "unable to read env/NEW"),
        ("read", 1, "unable to read env/NEW"),
        ("chdir", 1, "unable to change directory: root"),
        ("chroot", 1, "unable to change root directory"),
        ("chdir", 2, "unable to change directory: work"),
        ("getpriority", 1, "unable to set nice level"),
        ("setpriority", 1, "unable to set nice level"),
        // Users, groups and memberships for -U, then users and memberships for -u.
        ("openat", 3, "unable to get password/group file entry"),
        ("openat", 4, "unable to get password/group file entry"),
        ("openat", 5, "unable to get password/group file entry"),
        ("openat", 6, "unable to get password/group file entry"),
        ("openat", 7, "unable to get password/group file entry"),
        ("read", 2, "unable to get password/group file entry"),
        ("read", 3, "unable to get password/group file entry"),
        ("setgroups", 1, "unable to setgroups"),
        ("setgid", 1, "unable to setgid"),
        ("setuid", 1, "unable to setuid"),
        ("openat", 8, "unable to open lock: lock"),
        ("flock", 1, "unable to lock: lock"),
        ("prlimit64", 1, "unable to getrlimit()"),
        ("prlimit64", 2, "unable to setrlimit()"),
        ("prlimit64", 7, "unable to getrlimit()"),
        ("prlimit64", 10, "unable to setrlimit()"),
        ("execve", 1, "unable to run: name"),
    ] {
        fails(&case, (call, number), &words, message);
    }
}

/// What may be refused although it is asked by root: a security module, a filter of system calls, a container.
#[test]
fn rights_are_not_given_up() {
    let Some(case) = case() else { return };
    for (call, what) in [("setgroups", "setgroups"), ("setgid", "setgid"), ("setuid", "setuid")] {
        for (error, reason) in [
            ("EPERM", "permission denied"),
            ("EINVAL", "invalid argument"),
            ("EAGAIN", "temporary failure"),
            ("ENOSYS", "system call not available"),
        ] {
            for words in [&["-u", ":1000:1000", "./probe"][..], &["-u", ":1000:1:2:3", "-U", ":1:2", "./probe"]] {
                let message = format!("chpst: fatal: unable to {what}: {reason}\n");
                assert_eq!(failing(&case, call, 1, error, words), Output::exit(FAILED, "", &message));
            }
        }
    }
}

#[test]
fn descriptors_cannot_be_prepared() {
    let Some(case) = case() else { return };
    fails(&case, ("fcntl", 1), &["-l", "lock", "./probe"], "unable to lock: lock");
    fails(&case, ("fcntl", 1), &["-0", "./probe"], "unable to close stdin");
    fails(&case, ("fcntl", 1), &["-1", "./probe"], "unable to close stdout");
    fails(&case, ("fcntl", 1), &["-2", "./probe"], "unable to close stderr");
}

#[test]
fn there_is_no_memory() {
    let Some(case) = case() else { return };
    for words in [&["-e", "env", "./probe"][..], &["-U", ":1:2", "./probe"], &["-b", "name", "./probe"]] {
        let output = failing(&case, "mmap", 1, "ENOMEM", words);
        assert_eq!(output, Output::exit(FAILED, "", "chpst: fatal: out of memory.\n"), "{words:?}");
    }
}

/// That of a process which leads a group already.
#[test]
fn a_session_that_cannot_be_led_is_no_failure() {
    let Some(case) = case() else { return };
    let output = failing(&case, "setsid", 1, "EPERM", &["-P", "/bin/sh", "-c", "echo ran"]);
    assert_eq!(output, Output::exit(0, "ran\n", ""));
}

#[test]
fn executing_fails_in_every_way() {
    let Some(case) = case() else { return };
    for (error, reason) in [
        ("E2BIG", "argument list too long"),
        ("ENOMEM", "out of memory"),
        ("ETXTBSY", "text busy"),
        ("EMFILE", "process cannot open more files"),
        ("ELIBBAD", "unknown error"),
        ("EACCES", "access denied"),
        ("ENOEXEC", "exec format error"),
    ] {
        let message = format!("chpst: fatal: unable to run: ./probe: {reason}\n");
        assert_eq!(failing(&case, "execve", 1, error, &["./probe"]), Output::exit(FAILED, "", &message));
        assert_eq!(failing(&case, "execve", 1, error, &["-l", "lock", "./probe"]), Output::exit(FAILED, "", &message));
    }
}
