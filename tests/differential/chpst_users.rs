//! What chpst.md 4 says: users and groups, set and told.

use crate::chpst::{GROUPS, PASSWORDS, Stage, as_both, as_root, as_user};
use crate::scenario::Scenario;

/// The scenarios of this part.
pub fn scenarios() -> Vec<Scenario> {
    let mut all = names();
    all.extend(numbers());
    all.extend(too_large());
    all.extend(wrong());
    all.extend(files());
    all.extend(together());
    all
}

/// Sets and tells what a specification means.
fn try_both(stage: &mut Stage, all: &[&str]) {
    for specification in all {
        for option in ["-u", "-U"] {
            stage.run(&[option, specification, "./probe"]);
        }
    }
}

fn names() -> Vec<Scenario> {
    let all: [(&str, &[&str]); 9] = [
        ("a user", &["alice", "bob"]),
        ("the superuser", &["root", "root:root", "root:users", "root:users:root"]),
        ("a user and a group", &["alice:users", "alice:alice", "bob:staff", "alice:root"]),
        ("a user and groups", &["alice:users:staff", "bob:audio:users:staff:root"]),
        ("a group named again", &["alice:users:users", "alice:users:staff:users"]),
        ("entries that come twice", &["twice", "twice:twice", "alice:twice"]),
        ("unusual names", &["a.long-name_with$", "a.long-name_with$:users"]),
        ("names of digits", &["1001", "1001:100", "alice:100", "1001:users"]),
        ("the last lines", &["last", "last:last", "alice:last"]),
    ];
    let mut scenarios: Vec<Scenario> = Vec::new();
    for (name, specifications) in all {
        scenarios.extend(as_both(&format!("ids: {name}"), move |stage| {
            if stage.with_accounts(PASSWORDS, GROUPS) {
                try_both(stage, specifications);
            }
        }));
    }
    let extended: [(&str, &[&str]); 3] = [
        ("all groups of a user", &["alice:+", "bob:+", "root:+"]),
        ("a group and all groups of a user", &["alice:root:+", "alice:users:+", "bob:staff:root:+"]),
        ("a plus at another place", &["+", "alice:+:users", "alice:+:+", ":1001:+", ":1001:100:+", "nobody:+"]),
    ];
    for (name, specifications) in extended {
        scenarios.extend(as_both(&format!("ids: {name}"), move |stage| {
            if stage.with_accounts(PASSWORDS, GROUPS) {
                try_both(stage, specifications);
            }
        }));
    }
    scenarios
}

fn numbers() -> Vec<Scenario> {
    let sixty = |first: &str| format!("{first}{}", ":7".repeat(60));
    let many: Vec<String> = (1..=60).map(|number| format!(":{number}")).collect();
    let sixty_different = format!(":1000{}", many.concat());
    let all: Vec<(&str, Vec<String>)> = vec![
        ("a number and a group", vec![":1000:1000".into(), ":1000:0".into(), ":0:0".into(), ":0:5".into()]),
        ("numbers and groups", vec![":1000:1:2:3".into(), ":1000:3:2:1".into(), ":1:1:1".into()]),
        ("a number alone", vec![":1000".into(), ":".into(), ":0".into()]),
        (
            "empty numbers",
            [":1000:", "::", ":::", ":1000::5", "::5", ":1000:5:", ":1000:5::"].map(str::to_owned).into(),
        ),
        ("sixty numbers", vec![sixty(":1000"), sixty_different.clone()]),
        ("more than sixty numbers", vec![sixty(":1000") + ":7", sixty_different + ":61"]),
        (
            "numbers with leading zeros",
            [":01000:010", ":0000000000000000000000001:00000000000000000000002"].map(str::to_owned).into(),
        ),
        (
            "the largest numbers",
            [":4294967294:1", ":1:4294967294", ":2147483648:2147483648", ":1:2:4294967294"].map(str::to_owned).into(),
        ),
        ("numbers that mean no id", [":4294967295:1", ":1:4294967295", ":1:2:4294967295"].map(str::to_owned).into()),
    ];
    let mut scenarios: Vec<Scenario> = Vec::new();
    for (name, specifications) in all {
        scenarios.extend(as_both(&format!("ids: {name}"), move |stage| {
            let specifications: Vec<&str> = specifications.iter().map(String::as_str).collect();
            try_both(stage, &specifications);
        }));
    }
    scenarios
}

/// What runit wraps around.
const TOO_LARGE: [&str; 7] = [
    ":4294967296:1",
    ":1:4294967296",
    ":99999999999:1",
    ":1:2:4294967297",
    ":18446744073709551616:1",
    ":1:18446744073709551617",
    ":1:2:99999999999999999999999",
];

fn too_large() -> Vec<Scenario> {
    let run = |stage: &mut Stage, option| TOO_LARGE.iter().for_each(|numbers| stage.run(&[option, numbers, "./probe"]));
    let sixty_and_nothing = format!(":1000{}:", ":7".repeat(60));
    vec![
        as_user("ids: nothing behind sixty numbers", move |stage| stage.run(&["-U", &sixty_and_nothing, "./probe"])),
        as_root("ids: numbers that are too large", move |stage| run(stage, "-u")),
        as_user("ids: numbers that are too large", move |stage| run(stage, "-U")),
    ]
}

fn wrong() -> Vec<Scenario> {
    let long = "x".repeat(5000);
    let all: Vec<(&str, Vec<String>)> = vec![
        ("unknown names", ["carol", "carol:users", "alice:crowd", "alice:users:crowd"].map(str::to_owned).into()),
        (
            "empty names",
            ["", "alice:", "alice::", "alice::users", "alice:users:", "alice:users::"].map(str::to_owned).into(),
        ),
        (
            "names that are nearly right",
            ["Alice", "alice ", " alice", "alic", "alicee", "alice:Users", "alice:user", "alice:users "]
                .map(str::to_owned)
                .into(),
        ),
        ("numbers without a colon", ["65534", "0", "0:0", "alice:0", "alice:50"].map(str::to_owned).into()),
        (
            "numbers that are none",
            [":x:1", ":1:x", ":1x:1", ":1:1x", ":-1:1", ":1:-1", ":+1:1", ": 1:1", ":1 :1", ":0x10:1", ":1:2:x"]
                .map(str::to_owned)
                .into(),
        ),
        ("names behind a colon", [":alice:users", ":alice", ":1001:users"].map(str::to_owned).into()),
        (
            "commas, dots and lines",
            ["alice,users", "alice.users", "alice\nbob", "alice:users,staff"].map(str::to_owned).into(),
        ),
        ("long names", vec![long.clone(), format!("alice:{long}"), format!(":{long}:1"), format!(":1:{long}")]),
    ];
    let mut scenarios: Vec<Scenario> = Vec::new();
    for (name, specifications) in all {
        scenarios.extend(as_both(&format!("ids: {name}"), move |stage| {
            if stage.with_accounts(PASSWORDS, GROUPS) {
                let specifications: Vec<&str> = specifications.iter().map(String::as_str).collect();
                try_both(stage, &specifications);
            }
        }));
    }
    let groups = |count: usize| format!("alice{}", ":users:staff".repeat(count / 2));
    scenarios.extend(as_both("ids: sixty names of groups", move |stage| {
        if stage.with_accounts(PASSWORDS, GROUPS) {
            try_both(stage, &[&groups(60)]);
        }
    }));
    scenarios.extend(as_both("ids: more than sixty names of groups", move |stage| {
        if stage.with_accounts(PASSWORDS, GROUPS) {
            for specification in [groups(62), format!("{}:crowd", groups(60)), format!("{}:", groups(60))] {
                stage.run(&["-U", &specification, "./probe"]);
            }
        }
    }));
    scenarios
}

fn files() -> Vec<Scenario> {
    let files: [(&str, &str, &str); 8] = [
        ("empty files", "", ""),
        ("no groups", PASSWORDS, ""),
        ("files without a last newline", "root:x:0:0::/:\nalice:x:1001:1001::/:", "root:x:0:\nusers:x:100:"),
        ("files with empty lines", "\n\nroot:x:0:0::/:\n\nalice:x:1001:1001::/:\n\n", "\n\nusers:x:100:\n\n"),
        ("files with comments", "# alice:x:1:1::/:\n#\nalice:x:1001:1001::/:\n", "#users:x:1:\nusers:x:100:\n"),
        ("short lines", "alice\nalice:x\nalice:x:1001\nalice:x:1001:1001\n", "users\nusers:x\nusers:x:100\n"),
        ("lines with fewer fields", "alice:x:1001:1001:\n", "users:x:100\n"),
        ("lines with more fields", "alice:x:1001:1001::/:/bin/sh:more:and more\n", "users:x:100:alice:more:and more\n"),
    ];
    let mut scenarios: Vec<Scenario> = Vec::new();
    for (name, passwords, groups) in files {
        scenarios.extend(as_both(&format!("ids: {name}"), move |stage| {
            if stage.with_accounts(passwords, groups) {
                try_both(stage, &["alice", "alice:users", "root", "carol"]);
            }
        }));
    }
    scenarios.push(as_root("ids: long lines", |stage| {
        let long = "x".repeat(100_000);
        let passwords = format!("root:x:0:0:{long}:/:\n{long}\nalice:x:1001:1001:{long}:/:\nbob:x:1002:100::/:\n");
        let groups = format!("root:x:0:{long}\n{long}\nusers:x:100:{long},alice\nstaff:x:50:\n");
        if stage.with_accounts(&passwords, &groups) {
            try_both(stage, &["alice", "bob", "alice:users", "bob:staff", "alice:users:staff", "carol"]);
        }
    }));
    scenarios.push(as_root("ids: numbers in the files", |stage| {
        let lines: String = [
            ("zeros", "0001", "0002"),
            ("most", "4294967294", "4294967294"),
            ("none", "4294967295", "4294967295"),
            ("beyond", "4294967296", "4294967296"),
            ("beyond-group", "5", "4294967297"),
            ("far", "18446744073709551617", "18446744073709551617"),
            ("minus", "-2", "-2"),
            ("plus", "+5", "+6"),
            ("letters", "x", "y"),
            ("rest", "5x", "6x"),
            ("empty", "", ""),
            ("blank", " 5", " 6"),
            ("hexadecimal", "0x10", "0x10"),
        ]
        .map(|(name, user, group)| format!("{name}:x:{user}:{group}::/:\n"))
        .concat();
        if stage.with_accounts(&lines, "") {
            for (name, _) in lines.lines().filter_map(|line| line.split_once(':')) {
                stage.run(&["-U", name, "./probe"]);
            }
        }
    }));
    scenarios.push(as_root("ids: numbers in the group file", |stage| {
        let lines: String = [
            ("zeros", "0001"),
            ("most", "4294967294"),
            ("none", "4294967295"),
            ("beyond", "4294967296"),
            ("far", "18446744073709551617"),
            ("minus", "-2"),
            ("plus", "+5"),
            ("letters", "x"),
            ("rest", "5x"),
            ("empty", ""),
            ("blank", " 5"),
        ]
        .map(|(name, group)| format!("{name}:x:{group}:\n"))
        .concat();
        if stage.with_accounts(PASSWORDS, &lines) {
            for (name, _) in lines.lines().filter_map(|line| line.split_once(':')) {
                stage.run(&["-U", &format!("alice:{name}"), "./probe"]);
            }
        }
    }));
    scenarios.extend(as_both("ids: names with blanks in the files", |stage| {
        if stage.with_accounts(" alice:x:1:1::/:\nbob :x:2:2::/:\n\tcarol:x:3:3::/:\n", " users:x:1:\n") {
            for name in ["alice", " alice", "bob", "bob ", "carol"] {
                stage.run(&["-U", name, "./probe"]);
            }
        }
    }));
    scenarios.extend(as_both("ids: carriage returns in the files", |stage| {
        if stage.with_accounts("alice:x:1:1::/:\r\nbob:x:2:2\r\n", "users:x:1:\r\nstaff:x:2\r\n") {
            try_both(stage, &["alice", "bob", "root:users"]);
        }
    }));
    scenarios
}

fn together() -> Vec<Scenario> {
    let mut all = vec![
        as_root("ids: supplementary groups that there were", |stage| {
            if stage.with_accounts(PASSWORDS, GROUPS) {
                stage.under(|conditions| conditions.groups(&[3, 4, 5, 6]));
                for words in [
                    &["./probe"][..],
                    &["-u", "alice", "./probe"],
                    &["-u", "alice:users:staff", "./probe"],
                    &["-u", ":7:8", "./probe"],
                    &["-U", "alice", "./probe"],
                ] {
                    stage.run(words);
                }
            }
        }),
        as_root("ids: set and told together", |stage| {
            if stage.with_accounts(PASSWORDS, GROUPS) {
                for words in [
                    &["-u", "alice", "-U", "bob", "./probe"][..],
                    &["-U", "bob:staff:users", "-u", "alice:users", "./probe"],
                    &["-u", "alice", "-U", "carol", "./probe"],
                    &["-u", "carol", "-U", "alice", "./probe"],
                    &["-u", "carol", "-U", "dave", "./probe"],
                    &["-u", ":1", "-U", "carol", "./probe"],
                ] {
                    stage.run(words);
                }
            }
        }),
        as_root("ids: no right to run the program any more", |stage| {
            stage.directory("closed");
            stage.probe("closed/probe");
            stage.mode("closed", 0o700);
            stage.run(&["-u", ":1000:1000", "closed/probe"]);
            stage.run(&["closed/probe"]);
        }),
    ];
    all.extend(as_both("ids: told to an environment that has them", |stage| {
        for environment in [
            &[&b"UID=1"[..], b"GID=2", b"A=1"][..],
            &[&b"A=1"[..], b"GID=2", b"B=2", b"UID=1", b"C=3"],
            &[&b"UID=1"[..], b"UID=2", b"GID=3", b"GID=4", b"A=1"],
            &[&b"UID"[..], b"GID", b"UIDS=1", b"XUID=1", b"uid=3"],
        ] {
            stage.run_under("chpst", &["-U", ":1000:50:60", "./probe"], |conditions| {
                conditions.environment(environment)
            });
        }
    }));
    all
}
