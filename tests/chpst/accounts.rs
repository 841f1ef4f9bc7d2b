//! Users and groups that there are not, too many of them, and files that are broken or large.

use support::{Executed, needs};

use crate::case::Case;

const PASSWORDS: &str = "root:x:0:0:root:/root:/bin/sh\nalice:x:1001:1001:Alice:/:/bin/sh\nbob:x:1002:100::/:\n";
const GROUPS: &str = "root:x:0:\nalice:x:1001:\nusers:x:100:alice,bob\nstaff:x:50:alice\n";

/// The most groups.
const MOST: usize = 60;

fn case() -> Option<Case> {
    needs(&["namespaces"]).then(|| Case::new().with_accounts(PASSWORDS, GROUPS))
}

/// Runs `-U`, for which no rights are needed, and gives back user and group.
#[track_caller]
fn told(case: &Case, specification: &str) -> (String, String) {
    case.executes(&["-U", specification, "./probe"], |executed| {
        let value = |name: &str| {
            let environment = executed.environment();
            environment.iter().find_map(|entry| entry.strip_prefix(name).map(str::to_owned)).expect("a variable")
        };
        (value("UID="), value("GID="))
    })
}

fn ids(user: u32, group: u32) -> (String, String) {
    (user.to_string(), group.to_string())
}

#[test]
fn unknown_users_and_groups() {
    let Some(case) = case() else { return };
    for specification in
        ["carol", "", "alice:", "alice:crowd", "alice:users:crowd", "carol:users", "65534", "alice:50", "+"]
    {
        for option in ["-u", "-U"] {
            case.refuses(&[option, specification, "./probe"], &format!("unknown user/group: {specification}"));
        }
    }
    for account in ["carol", "", "alice:users", ":0:0", "0"] {
        for name in ["setuidgid", "envuidgid"] {
            let output = case.run_as(name, &[account, "./probe"]);
            let message = format!("chpst: fatal: unknown account: {account}\n");
            assert_eq!(output, support::Output::exit(111, "", &message), "{name}");
        }
    }
}

#[test]
fn mends_k104_numbers_that_are_too_large() {
    let case = Case::new();
    for numbers in [
        "4294967296:1",
        "1:4294967296",
        "1:2:4294967296",
        "99999999999:0",
        "18446744073709551616:0",
        "0:18446744073709551616",
        "340282366920938463463374607431768211456:0",
    ] {
        for option in ["-u", "-U"] {
            let message = format!("invalid uid/gids: {numbers}");
            case.refuses(&[option, &format!(":{numbers}"), "./probe"], &message);
        }
    }
}

/// The one number of 32 bits that is none of a user or group: the kernel takes it for "as it is".
#[test]
fn the_number_that_stands_for_none() {
    if !needs(&["root"]) {
        return;
    }
    let case = Case::new();
    case.refuses(&["-u", ":4294967295:1", "./probe"], "unable to setuid: invalid argument");
    case.refuses(&["-u", ":1:4294967295", "./probe"], "unable to setgroups: invalid argument");
}

#[test]
fn numbers_that_are_none() {
    let case = Case::new();
    for numbers in
        ["", "1000", "x:1", "1:x", "-1:1", "1:-1", "+1:1", " 1:1", "1:1 ", "0x1:1", "1:1,2", "1.0:1", "1:2:x"]
    {
        case.refuses(&["-u", &format!(":{numbers}"), "./probe"], &format!("invalid uid/gids: {numbers}"));
    }
}

/// As many as fit into one word of a command line.
#[test]
fn a_specification_of_60000_groups() {
    let Some(case) = case() else { return };
    let numbers = format!("1{}", ":2".repeat(60_000));
    case.refuses(&["-u", &format!(":{numbers}"), "./probe"], &format!("invalid uid/gids: {numbers}"));
    case.refuses(&["-U", &format!(":{numbers}"), "./probe"], &format!("invalid uid/gids: {numbers}"));
    let empty = format!("alice{}", ":".repeat(120_000));
    case.refuses(&["-u", &empty, "./probe"], &format!("unknown user/group: {empty}"));
    let long = "x".repeat(130_000);
    case.refuses(&["-u", &long, "./probe"], &format!("unknown user/group: {long}"));
    case.refuses(&["-u", &format!("alice:{long}"), "./probe"], &format!("unknown user/group: alice:{long}"));
}

#[test]
fn mends_more_groups_than_there_is_room_for_are_not_left_out() {
    let Some(case) = case() else { return };
    let most = format!("alice{}", ":users".repeat(MOST));
    case.executes(&["-u", &most, "./probe"], |executed| {
        assert_eq!(executed.status("Groups").split(' ').count(), MOST);
    });
    for more in [":staff".to_owned(), ":staff:+".to_owned(), ":staff".repeat(20_000)] {
        let specification = format!("{most}{more}");
        case.refuses(&["-u", &specification, "./probe"], &format!("too many groups: {specification}"));
    }
}

/// A group file whose every line names the user.
fn memberships(count: usize) -> String {
    (0..count).map(|number| format!("group{number}:x:{}:bob,alice,carol\n", 5000 + number)).collect()
}

#[test]
fn adds_all_groups_of_a_user() {
    let Some(case) = case() else { return };
    let groups = |executed: Executed| (executed.status("Gid"), executed.status("Groups"));
    let seen = case.executes(&["-u", "alice:+", "./probe"], groups);
    assert_eq!(seen, ("1001 1001 1001 1001".to_owned(), "50 100 1001".to_owned()));
    let seen = case.executes(&["-u", "alice:staff:+", "./probe"], groups);
    assert_eq!(seen, ("50 50 50 50".to_owned(), "50 100".to_owned()));
    let seen = case.executes(&["-u", "bob:+", "./probe"], groups);
    assert_eq!(seen, ("100 100 100 100".to_owned(), "100".to_owned()));
}

#[test]
fn adds_as_many_groups_of_a_user_as_there_is_room_for() {
    let Some(_) = case() else { return };
    // The primary group is one of them.
    let case = Case::new().with_accounts(PASSWORDS, memberships(MOST - 1));
    case.executes(&["-u", "alice:+", "./probe"], |executed| {
        assert_eq!(executed.status("Groups").split(' ').count(), MOST);
    });
    for count in [MOST, 70_000] {
        let case = Case::new().with_accounts(PASSWORDS, memberships(count));
        case.refuses(&["-u", "alice:+", "./probe"], "too many groups: alice:+");
        case.refuses(&["-U", "alice:+", "./probe"], "too many groups: alice:+");
        let first = "group0";
        let named = format!("alice:{first}:+");
        if count == 70_000 {
            case.refuses(&["-u", &named, "./probe"], &format!("too many groups: {named}"));
            assert_eq!(told(&case, "alice:group69999"), ids(1001, 74_999));
        }
    }
}

#[test]
fn adds_a_group_named_before_the_plus_only_once() {
    let Some(_) = case() else { return };
    let case = Case::new().with_accounts(PASSWORDS, memberships(MOST));
    case.executes(&["-u", "alice:group7:+", "./probe"], |executed| {
        assert_eq!(executed.status("Groups").split(' ').count(), MOST);
        assert_eq!(executed.status("Gid"), "5007 5007 5007 5007");
    });
}

#[test]
fn files_of_ten_megabytes() {
    let Some(_) = case() else { return };
    let line = |number: usize| format!("user{number}:x:{number}:{number}:Somebody or other:/home:/bin/sh\n");
    let passwords: String = (0..200_000).map(line).collect();
    assert!(passwords.len() > 10_000_000);
    let groups: String = (0..400_000).map(|number| format!("group{number}:x:{number}:nobody\n")).collect();
    let case = Case::new().with_accounts(passwords + "last:x:7:8::/:/bin/sh", groups + "last:x:9:last");
    assert_eq!(told(&case, "last"), ids(7, 8));
    assert_eq!(told(&case, "last:last"), ids(7, 9));
    assert_eq!(told(&case, "user0:group0"), ids(0, 0));
    assert_eq!(told(&case, "user199999:group399999"), ids(199_999, 399_999));
    case.refuses(&["-u", "user200000", "./probe"], "unknown user/group: user200000");
}

#[test]
fn lines_of_megabytes() {
    let Some(_) = case() else { return };
    let long = "x".repeat(5_000_000);
    let passwords =
        format!("{long}\n{long}:x:1:1::/:\nalice:{long}:1001:1001:{long}:{long}:\n:{long}\nbob:x:1002:100::/:");
    let members: String = (0..700_000).map(|number| format!("m{number},")).collect();
    let groups = format!("{long}\nbig:{long}:70:{members}alice\n{long}:x:71:alice\nusers:x:100:{long},alice,{long}");
    let case = Case::new().with_accounts(passwords, groups);
    assert_eq!(told(&case, "alice"), ids(1001, 1001));
    assert_eq!(told(&case, "bob:users"), ids(1002, 100));
    assert_eq!(told(&case, "alice:big"), ids(1001, 70));
    case.refuses(&["-u", "xxx", "./probe"], "unknown user/group: xxx");
}

#[test]
fn adds_groups_of_a_user_in_files_of_megabytes() {
    let Some(_) = case() else { return };
    let long = "x".repeat(5_000_000);
    let members: String = (0..700_000).map(|number| format!("m{number},")).collect();
    let lines: String = (0..300_000).map(|number| format!("group{number}:x:{number}:nobody\n")).collect();
    let groups =
        format!("{long}\nbig:{long}:70:{members}alice\n{lines}{long}:x:71:alice\nusers:x:100:{long},alice,{long}");
    let case = Case::new().with_accounts(PASSWORDS, groups);
    case.executes(&["-u", "alice:+", "./probe"], |executed| assert_eq!(executed.status("Groups"), "70 71 100 1001"));
    case.executes(&["-u", "bob:+", "./probe"], |executed| assert_eq!(executed.status("Groups"), "100"));
}

#[test]
fn mends_no_line_has_an_empty_name() {
    let Some(_) = case() else { return };
    let case = Case::new().with_accounts(":x:6:6::/:\nalice:x:1:1::/:\n", ":x:7:\n");
    for specification in ["", "alice:"] {
        case.refuses(&["-u", specification, "./probe"], &format!("unknown user/group: {specification}"));
    }
}

#[test]
fn broken_lines_are_not_there() {
    let Some(_) = case() else { return };
    let passwords = "\n:\n::\n:::::::\nalice\nalice:\nalice:x\nalice:x:\nalice:x:1\nalice:x::5:\nalice:x:5:\nalice:x:1x:5\n\
        alice:x:5:x5::/:\nalice:x:4294967296:5::/:\nalice:x:5:99999999999::/:\nalice:x:-5:5::/:\nalice:x:5 :5::/:\n\
        \0\0\0:\0:\0\nalicex:x:6:6::/:\nxalice:x:6:6::/:\nalic:x:6:6::/:\n:x:6:6::/:\nalice:x:1001:1001::/:";
    let groups = "\n:\nusers\nusers:x\nusers:x:\nusers:x:x:\nusers:x:1x:\nusers:x:4294967296:\nusersx:x:6:\nxusers:x:6:\n\
        users:x:100:";
    let case = Case::new().with_accounts(passwords, groups);
    assert_eq!(told(&case, "alice"), ids(1001, 1001));
    assert_eq!(told(&case, "alice:users"), ids(1001, 100));
    for name in ["x", "\u{1}", "alic:x", "1001"] {
        case.refuses(&["-u", name, "./probe"], &format!("unknown user/group: {name}"));
    }
}

#[test]
fn the_first_of_several_lines_counts() {
    let Some(_) = case() else { return };
    let case = Case::new().with_accounts("alice:x:1:2::/:\nalice:x:3:4::/:\n", "users:x:5:\nusers:x:6:\n");
    assert_eq!(told(&case, "alice"), ids(1, 2));
    assert_eq!(told(&case, "alice:users"), ids(1, 5));
}

#[test]
fn files_without_any_line() {
    let Some(_) = case() else { return };
    for nothing in [&b""[..], b"\n", b"\n\n\n", b"\0", b":", b"\xff\xfe\xfd"] {
        let case = Case::new().with_accounts(nothing, nothing);
        case.refuses(&["-u", "alice", "./probe"], "unknown user/group: alice");
        case.refuses(&["-U", "root:root", "./probe"], "unknown user/group: root:root");
    }
}

#[test]
fn files_that_may_not_be_read() {
    let Some(_) = case() else { return };
    let case = Case::new().of_user().with_accounts(PASSWORDS, GROUPS);
    case.mode("etc/group", 0o000);
    assert_eq!(told(&case, "alice"), ids(1001, 1001));
    let denied = "unable to get password/group file entry: access denied";
    case.refuses(&["-U", "alice:users", "./probe"], denied);
    case.refuses(&["-U", "alice:+", "./probe"], denied);
    case.mode("etc/passwd", 0o000);
    case.refuses(&["-U", "alice", "./probe"], denied);
    let output = case.run_as("envuidgid", &["alice", "./probe"]);
    let message = "chpst: fatal: unable to get password file entry: access denied\n";
    assert_eq!(output, support::Output::exit(111, "", message));
}

#[test]
fn files_that_are_none() {
    if !needs(&["root"]) {
        return;
    }
    let case = Case::new();
    case.probe("root/probe");
    let refuses = |reason: &str| {
        let message = format!("unable to get password/group file entry: {reason}");
        case.refuses(&["-/", "root", "-u", "alice", "/probe"], &message);
        case.refuses(&["-/", "root", "-U", "alice:users", "/probe"], &message);
    };
    refuses("file does not exist");
    case.directory("root/etc/passwd");
    refuses("is a directory");
    std::fs::remove_dir(case.path("root/etc/passwd")).expect("a directory");
    std::os::unix::fs::symlink("passwd", case.path("root/etc/passwd")).expect("a link");
    refuses("symbolic link loop");
}

/// The original waits for somebody to write to it.
#[test]
fn mends_a_fifo_is_an_empty_file() {
    if !needs(&["root"]) {
        return;
    }
    let case = Case::new();
    case.probe("root/probe");
    case.directory("root/etc");
    nix::unistd::mkfifo(&case.path("root/etc/passwd"), nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
    case.refuses(&["-/", "root", "-u", "alice", "/probe"], "unknown user/group: alice");
}
