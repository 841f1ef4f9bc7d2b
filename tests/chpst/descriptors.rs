//! What is open in the program, and what becomes of signals.

use std::os::fd::AsRawFd;

use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::signal::Signal;
use support::{Conditions, Executed, Output, needs};

use crate::case::{Case, FAILED};

#[test]
fn nothing_is_left_open() {
    if !needs(&["root"]) {
        return;
    }
    let case = Case::new();
    case.file("env/NEW", "value");
    case.file("env/OLD", "");
    case.file("root/etc/passwd", "alice:x:1:1::/:\n");
    case.file("root/etc/group", "users:x:2:alice\n");
    case.probe("root/probe");
    case.mode("root", 0o777);
    let descriptors = |executed: Executed| executed.descriptors();
    let words = ["-e", "env", "-/", "root", "-U", "alice:users", "-u", "alice", "-n", "1", "-m", "100000000", "/probe"];
    assert_eq!(case.executes(&words, descriptors), [0, 1, 2]);
    let words = [&["-l", "lock"][..], &words].concat();
    case.executes(&words, |executed| {
        assert_eq!(executed.descriptors(), [0, 1, 2, 3]);
        assert_eq!(executed.link("fd/3"), case.path("root/lock"));
    });
    let words = [&["-012"][..], &words].concat();
    assert_eq!(case.executes(&words, descriptors), [3]);
}

/// What was open before, and is to be inherited, is.
#[test]
fn other_descriptors_are_left_alone() {
    let case = Case::new();
    let file = std::fs::File::create(case.path("inherited")).expect("a file");
    // Executed by way of a shell: what is started here gets no other descriptor.
    let script = "exec 3>inherited 5>inherited 9>inherited; exec \"$@\"";
    let mut command = case.scratch().command("/bin/sh");
    command.args(["-c", script, "sh"]).arg(case.scratch().programs().join("chpst"));
    command.args(["-l", "lock", "./probe"]);
    let mut process = case.start_command(command);
    let executed = Executed::wait(&mut process, &case.path("probe")).expect("a program that waits");
    assert_eq!(executed.descriptors(), [0, 1, 2, 3, 4, 5, 9]);
    assert_eq!(executed.link("fd/4"), case.path("lock"));
    assert!(executed.flags(4).1);
    drop(file);
}

#[test]
fn descriptors_that_were_closed_cannot_be_closed() {
    for (number, option, name) in [(0, "-0", "stdin"), (1, "-1", "stdout")] {
        let case = Case::new().under(|conditions| conditions.close(number));
        let message = format!("unable to close {name}: file descriptor not open");
        case.refuses(&[option, "./probe"], &message);
        case.refuses(&["-012", "./probe"], &message);
    }
    let case = Case::new().under(|conditions| conditions.close(2));
    assert_eq!(case.run(&["-2", "./probe"]), Output::exit(FAILED, "", ""));
}

/// Other files must not take their place.
#[test]
fn descriptors_that_were_closed_stay_closed() {
    for closed in [&[0][..], &[1], &[2], &[0, 1], &[0, 1, 2]] {
        let case = Case::new().under(|conditions| closed.iter().fold(conditions, |all, one| all.close(*one)));
        case.file("env/NEW", "value");
        let left: Vec<i32> = (0..3).filter(|number| !closed.contains(number)).collect();
        for words in [&["./probe"][..], &["-e", "env", "-U", ":1:2", "-P", "-o", "40", "./probe"]] {
            case.executes(words, |executed| assert_eq!(executed.descriptors(), left));
        }
    }
}

/// Where messages go nowhere, or to nobody, the exit code tells.
#[test]
fn errors_that_cannot_be_told() {
    let case = Case::new().under(|conditions| conditions.close(2));
    assert_eq!(case.run(&["-u", "", "./probe"]), Output::exit(FAILED, "", ""));
    assert_eq!(case.run(&["-x", "./probe"]), Output::exit(crate::case::USAGE, "", ""));
    if std::fs::OpenOptions::new().write(true).open("/dev/full").is_err() {
        return support::skip("needs /dev/full");
    }
    let case = Case::new();
    let mut command = case.scratch().command("/bin/sh");
    command.args(["-c", "exec \"$0\" -u '' ./probe 2>/dev/full"]).arg(case.scratch().programs().join("chpst"));
    assert_eq!(case.scratch().output(command), Output::exit(FAILED, "", ""));
}

/// What is open without waiting, or not, is the property of a file that others share.
#[test]
fn files_that_others_share_are_not_changed() {
    let (reader, _writer) = std::io::pipe().expect("a pipe");
    let before = fcntl(&reader, FcntlArg::F_GETFL).expect("flags");
    let case = Case::new();
    let mut command = std::process::Command::new(case.scratch().programs().join("chpst"));
    command.current_dir(case.path("")).args(["-P", "-l", "lock", "/bin/true"]);
    command.stdin(reader.try_clone().expect("a descriptor"));
    // Through the shell of the scratch directory nothing but files would be given.
    let ending = command.status().expect("a program");
    assert!(ending.success());
    assert_eq!(fcntl(&reader, FcntlArg::F_GETFL).expect("flags"), before, "{}", reader.as_raw_fd());
}

#[test]
fn signals_are_left_alone() {
    let signals = |conditions: Conditions| {
        let ignored = [Signal::SIGPIPE, Signal::SIGHUP, Signal::SIGCHLD, Signal::SIGINT, Signal::SIGTERM];
        let blocked = [Signal::SIGUSR1, Signal::SIGCHLD, Signal::SIGALRM, Signal::SIGTERM, Signal::SIGXCPU];
        let conditions = ignored.iter().fold(conditions, |all, one| all.ignore(*one));
        blocked.iter().fold(conditions, |all, one| all.block(*one))
    };
    let masks = |executed: Executed| ["SigBlk", "SigIgn", "SigCgt"].map(|name| executed.status(name));
    let case = Case::new().under(signals);
    case.file("env/NEW", "value");
    let mut bare = case.start("./probe", &[""; 0]);
    let without = masks(Executed::wait(&mut bare, &case.path("probe")).expect("a program that waits"));
    assert!(without[0] != "0000000000000000" && without[1] != without[0], "{without:?}");
    for words in [&["./probe"][..], &["-P", "-e", "env", "-U", ":1:2", "-l", "lock", "-n", "1", "-o", "40", "./probe"]]
    {
        assert_eq!(case.executes(words, masks), without, "{words:?}");
    }
}
