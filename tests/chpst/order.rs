//! The order of the changes, whatever the order of the options (chpst(8)).

use support::needs;

use crate::case::Case;
use crate::steps::trace;

/// The calls that change something, as `strace` shows them, without what they answer.
fn changes(trace: &str) -> Vec<String> {
    let calls = [
        "setsid(",
        "chdir(",
        "chroot(",
        "setpriority(",
        "setgroups(",
        "setgid(",
        "setuid(",
        "flock(",
        "fcntl(",
        "prlimit64(",
        "openat(",
        "execve(",
    ];
    // Of a limit the second call sets it.
    let is_change = |line: &&str| calls.iter().any(|call| line.starts_with(call)) && !line.contains("NULL, {");
    let name = |line: &str| {
        let line = line.rsplit_once(" = ").map_or(line, |(call, _)| call);
        let words: String = line.split(['(', ',', '{', ')']).take(3).map(str::trim).collect::<Vec<_>>().join(" ");
        words.replace("AT_FDCWD ", "").trim_end().to_owned()
    };
    // The first one is that of `strace`.
    trace.lines().skip(1).filter(is_change).map(name).collect()
}

#[test]
fn changes_come_in_their_order() {
    if !needs(&["root", "strace"]) || support::is_reference() {
        return;
    }
    let case = Case::new();
    case.file("env/NEW", "value\n");
    case.file("root/etc/passwd", "alice:x:1001:1001::/:\n");
    case.file("root/etc/group", "users:x:100:alice\n");
    case.directory("root/work");
    case.mode("root/work", 0o777);
    let options: [&[&str]; 11] = [
        &["-P"],
        &["-e", "env"],
        &["-/", "root"],
        &["-C", "work"],
        &["-n", "1"],
        &["-U", "alice:users"],
        &["-u", "alice"],
        &["-L", "lock"],
        &["-012"],
        &["-m100000000", "-t1000", "-r2000000", "-f4096", "-p1000", "-c0", "-o30", "-d50000000"],
        &["-b", "name"],
    ];
    let mut seen: Vec<Vec<String>> = Vec::new();
    for turn in 0..options.len() {
        for is_reversed in [false, true] {
            let mut turned = options;
            turned.rotate_left(turn);
            if is_reversed {
                turned.reverse();
            }
            let words = [turned.concat(), vec!["./nowhere"]].concat();
            let (mut process, path) = trace(&case, &[], &words);
            process.wait();
            seen.push(changes(&std::fs::read_to_string(path).expect("a trace")));
        }
    }
    let expected = [
        "setsid",
        "openat \"env\"",
        "openat 3 \"NEW\"",
        "chdir \"root\"",
        "chroot \".\"",
        "chdir \"work\"",
        "setpriority PRIO_PROCESS 0",
        "openat \"/etc/passwd\"",
        "openat \"/etc/group\"",
        "openat \"/etc/passwd\"",
        "setgroups 1 [1001]",
        "setgid 1001",
        "setuid 1001",
        "openat \"lock\"",
        "flock 3 LOCK_EX|LOCK_NB",
        "fcntl 3 F_SETFD",
        "fcntl 0 F_SETFD",
        "fcntl 1 F_SETFD",
        "fcntl 2 F_SETFD",
        "prlimit64 0 RLIMIT_DATA",
        "prlimit64 0 RLIMIT_STACK",
        "prlimit64 0 RLIMIT_MEMLOCK",
        "prlimit64 0 RLIMIT_AS",
        "prlimit64 0 RLIMIT_NOFILE",
        "prlimit64 0 RLIMIT_NPROC",
        "prlimit64 0 RLIMIT_FSIZE",
        "prlimit64 0 RLIMIT_CORE",
        "prlimit64 0 RLIMIT_RSS",
        "prlimit64 0 RLIMIT_CPU",
        "execve \"./nowhere\" [\"name\"]",
    ];
    for order in seen {
        assert_eq!(order, expected);
    }
}

/// Words are all read before anything is changed.
#[test]
fn wrong_words_change_nothing() {
    if !needs(&["root", "strace"]) || support::is_reference() {
        return;
    }
    let case = Case::new();
    case.directory("root");
    for wrong in [
        &["-x", "./probe"][..],
        &["-o", "x", "./probe"],
        &["-l", "one", "-L", "two", "./probe"],
        &["-V", "./probe"],
        &[],
    ] {
        let words = [&["-P", "-e", ".", "-/", "root", "-u", ":1:1", "-o", "10", "-n", "5"], wrong].concat();
        let (mut process, path) = trace(&case, &[], &words);
        assert_eq!(process.wait(), support::Ending::Exit(100));
        assert_eq!(changes(&std::fs::read_to_string(path).expect("a trace")), [""; 0], "{words:?}");
    }
}
