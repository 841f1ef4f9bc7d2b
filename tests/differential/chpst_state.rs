//! What chpst.md 2 and 3 say of roots, locks, descriptors, sessions and signals, and in which order all is done.

use std::os::unix::fs::symlink;

use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::Signal;

use crate::chpst::{GROUPS, PASSWORDS, Stage, as_both, as_root, as_user};
use crate::scenario::Scenario;

/// The scenarios of this part.
pub fn scenarios() -> Vec<Scenario> {
    let mut all = roots();
    all.extend(locks());
    all.extend(descriptors());
    all.extend(sessions());
    all.extend(order());
    all
}

/// A root with accounts of its own and the program that waits.
fn make_root(stage: &mut Stage) {
    stage.file("root/etc/passwd", "inner:x:500:501::/:\nalice:x:502:503::/:\n");
    stage.file("root/etc/group", "crew:x:504:inner\nalice:x:503:\n");
    stage.probe("root/bin/probe");
}

fn roots() -> Vec<Scenario> {
    let mut all = as_both("root: another one", |stage| {
        make_root(stage);
        let whole = stage.path("root").display().to_string();
        for directory in ["root", "./root/", &whole, "/", ".", "root/etc/.."] {
            stage.run(&["-/", directory, "/bin/probe"]);
        }
        stage.run(&["-/root", "bin/probe"]);
        stage.run(&["-/root", "root/bin/probe"]);
        stage.run(&["-vP/", "root", "/bin/probe"]);
    });
    all.extend(as_both("root: none that is one", |stage| {
        make_root(stage);
        stage.file("plain", "");
        stage.directory("closed");
        stage.mode("closed", 0o000);
        stage.link("loop", "loop");
        stage.link("nowhere", "dangling");
        let long = "x".repeat(300);
        for directory in ["nowhere", "", "plain", "closed", "loop", "dangling", "root/nowhere", &long] {
            stage.run(&["-/", directory, "/bin/probe"]);
        }
        stage.mode("closed", 0o755);
    }));
    all.push(as_root("root: programs in it", |stage| {
        make_root(stage);
        stage.probe("outside");
        for name in ["probe", "outside", "./outside", "/bin/nowhere", "../../bin/probe", "/root/bin/probe"] {
            stage.run_under("chpst", &["-/", "root", name], |conditions| {
                conditions.environment(&[b"PATH=/usr/bin:/bin"])
            });
        }
        stage.run_under("chpst", &["-/", "root", "probe"], |conditions| conditions.environment(&[]));
        stage.run_under("chpst", &["-/", "root", "probe"], |conditions| conditions.environment(&[b"PATH=bin"]));
    }));
    all.push(as_root("root: users and groups of it", |stage| {
        make_root(stage);
        for specification in
            ["inner", "inner:crew", "alice", "alice:alice:crew", "root", "nobody", "inner:root", ":1:2", "inner:nobody"]
        {
            for option in ["-u", "-U"] {
                stage.run(&["-/", "root", option, specification, "/bin/probe"]);
            }
        }
    }));
    for (name, passwords, groups) in [
        ("no files of users and groups", None, None),
        ("no file of users", None, Some("users:x:100:\n")),
        ("no file of groups", Some("alice:x:1001:1001::/:\n"), None),
        ("empty files of users and groups", Some(""), Some("")),
    ] {
        all.push(as_root(&format!("root: {name}"), move |stage| {
            stage.directory("root/etc");
            stage.probe("root/probe");
            for (name, contents) in [("passwd", passwords), ("group", groups)] {
                if let Some(contents) = contents {
                    stage.file(&format!("root/etc/{name}"), contents);
                }
            }
            for specification in ["alice", "alice:users", "root", "alice:crowd"] {
                for option in ["-u", "-U"] {
                    stage.run(&["-/", "root", option, specification, "/probe"]);
                }
            }
        }));
    }
    all.push(as_root("root: directories in the place of files", |stage| {
        stage.directory("root/etc/passwd");
        stage.directory("root/etc/group");
        stage.probe("root/probe");
        stage.run(&["-/", "root", "-u", "alice", "/probe"]);
        stage.run(&["-/", "root", "-U", "alice:users", "/probe"]);
    }));
    all.push(as_root("root: a loop in the place of files", |stage| {
        stage.directory("root/etc");
        stage.link("passwd", "root/etc/passwd");
        stage.link("group", "root/etc/group");
        stage.probe("root/probe");
        stage.run(&["-/", "root", "-u", "alice", "/probe"]);
        stage.file("other/etc/passwd", PASSWORDS);
        stage.link("group", "other/etc/group");
        stage.probe("other/probe");
        stage.run(&["-/", "other", "-u", "alice:users", "/probe"]);
    }));
    all.extend(as_both("root: another working directory", |stage| {
        stage.directory("root/srv");
        stage.probe("root/bin/probe");
        stage.run(&["-C", "root/bin", "./probe"]);
        stage.run(&["-Croot/bin", "./probe"]);
        stage.run(&["-C", "root", "-C", "root/bin", "./probe"]);
        stage.run(&["-C", "nowhere", "./probe"]);
        stage.run(&["-C", "", "./probe"]);
        stage.run(&["-C"]);
        stage.run(&["-/", "root", "-C", "bin", "./probe"]);
        stage.run(&["-C", "/srv", "-/", "root", "/bin/probe"]);
    }));
    all
}

/// Runs with a lock that somebody else holds.
fn held(stage: &mut Stage, name: &str, words: &[&str]) {
    let file = std::fs::OpenOptions::new().append(true).create(true).open(stage.path(name)).expect("a lock");
    let lock = Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, error)| error).expect("a lock");
    stage.run(words);
    drop(lock);
}

fn locks() -> Vec<Scenario> {
    let mut all = Vec::new();
    for option in ["-l", "-L"] {
        all.extend(as_both(&format!("lock: {option} of a new file"), move |stage| {
            stage.run(&[option, "lock", "./probe"]);
            stage.look_at("lock");
            stage.run(&[&format!("{option}lock"), "./probe"]);
            stage.run(&["-v", option, "./lock", "./probe"]);
            stage.look_at("lock");
        }));
        all.extend(as_both(&format!("lock: {option} of a file that is there"), move |stage| {
            stage.file("lock", "contents that stay\n");
            stage.mode("lock", 0o640);
            stage.run(&[option, "lock", "./probe"]);
            stage.look_at("lock");
        }));
        all.extend(as_both(&format!("lock: {option} of a held file"), move |stage| {
            held(stage, "lock", &[option, "lock", "./probe"]);
            stage.run(&[option, "lock", "./probe"]);
        }));
        all.extend(as_both(&format!("lock: {option} of what is no file"), move |stage| {
            stage.directory("directory");
            stage.link("loop", "loop");
            stage.link("nowhere", "dangling");
            stage.file("unwritable", "");
            stage.mode("unwritable", 0o444);
            nix::unistd::mkfifo(&stage.path("fifo"), nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
            let _socket = std::os::unix::net::UnixListener::bind(stage.path("socket")).expect("a socket");
            let long = "x".repeat(300);
            for name in [
                "directory",
                "directory/",
                "",
                "nowhere/lock",
                "probe/lock",
                "loop",
                "unwritable",
                "fifo",
                "socket",
                "dangling",
                &long,
            ] {
                stage.run(&[option, name, "./probe"]);
            }
            stage.look_at("nowhere");
        }));
        all.extend(as_both(&format!("lock: {option} without a place for it"), move |stage| {
            stage.directory("closed");
            stage.mode("closed", 0o555);
            stage.run(&[option, "closed/lock", "./probe"]);
            stage.look_at("closed/lock");
            stage.mode("closed", 0o755);
        }));
        all.extend(as_both(&format!("lock: {option} and a program that cannot be run"), move |stage| {
            stage.run(&[option, "lock", "./nowhere"]);
            stage.look_at("lock");
        }));
        all.extend(as_both(&format!("lock: {option} with a descriptor closed"), move |stage| {
            for closed in [&[0][..], &[1], &[2], &[0, 1, 2], &[0, 2]] {
                let close =
                    |conditions: support::Conditions| closed.iter().fold(conditions, |all, one| all.close(*one));
                stage.run_under(&format!("without {closed:?}: chpst"), &[option, "lock", "./probe"], close);
            }
        }));
        all.extend(as_both(&format!("lock: {option} and descriptors to close"), move |stage| {
            stage.run(&[option, "lock", "-0", "./probe"]);
            stage.run(&[option, "lock", "-012", "./probe"]);
            for words in [[option, "lock", "-0", "./probe"], [option, "lock", "-1", "./probe"]] {
                stage.run_under("without 0: chpst", &words, |conditions| conditions.close(0));
            }
        }));
        all.push(as_root(&format!("lock: {option} opened as the new user"), move |stage| {
            stage.file("of-root", "");
            stage.mode("of-root", 0o600);
            stage.directory("for-all");
            stage.mode("for-all", 0o777);
            stage.mode("", 0o755);
            for name in ["of-root", "for-all/lock", "not-for-all"] {
                stage.run(&["-u", ":1000:1000", option, name, "./probe"]);
                stage.look_at(name);
            }
        }));
        all.push(as_root(&format!("lock: {option} in the new root"), move |stage| {
            make_root(stage);
            stage.run(&["-/", "root", option, "lock", "/bin/probe"]);
            stage.run(&["-/", "root", option, "/other", "/bin/probe"]);
            for name in ["lock", "root/lock", "root/other"] {
                stage.look_at(name);
            }
        }));
    }
    all.extend(as_both("lock: two of them", |stage| {
        for words in [
            &["-l", "one", "-l", "two", "./probe"][..],
            &["-L", "one", "-L", "two", "./probe"],
            &["-l", "one", "-L", "two", "./probe"],
            &["-L", "one", "-l", "one", "./probe"],
            &["-l", "one", "-l", "one", "-x", "./probe"],
            &["-l", "one", "-l"],
        ] {
            stage.run(words);
        }
        stage.look_at("one");
        stage.look_at("two");
    }));
    all.extend(as_both("lock: a link to it", |stage| {
        stage.file("lock", "");
        symlink("lock", stage.path("link")).expect("a link");
        held(stage, "lock", &["-L", "link", "./probe"]);
        stage.run(&["-L", "link", "./probe"]);
    }));
    all
}

fn descriptors() -> Vec<Scenario> {
    let mut all = as_both("descriptors: closed", |stage| {
        for words in ["-0", "-1", "-2", "-01", "-02", "-12", "-012", "-210"] {
            stage.run(&[words, "./probe"]);
        }
        stage.run(&["-0", "-1", "./probe"]);
        stage.run(&["-0", "-0", "-00", "./probe"]);
    });
    all.extend(as_both("descriptors: closed before", |stage| {
        stage.file("env/NEW", "value");
        for closed in [&[0][..], &[1], &[2], &[0, 1], &[1, 2], &[0, 1, 2]] {
            let close = |conditions: support::Conditions| closed.iter().fold(conditions, |all, one| all.close(*one));
            for words in [
                &["./probe"][..],
                &["-P", "-o", "50", "./probe"],
                &["-0", "./probe"],
                &["-1", "./probe"],
                &["-2", "./probe"],
                &["-U", "root", "./probe"],
                &["-e", "env", "./probe"],
                &["-v", "./nowhere"],
            ] {
                stage.run_under(&format!("without {closed:?}: chpst"), words, close);
            }
        }
    }));
    all.extend(as_both("descriptors: programs that speak", |stage| {
        stage.run(&["-1", "/bin/sh", "-c", "echo out; echo err >&2"]);
        stage.run(&["-2", "/bin/sh", "-c", "echo out; echo err >&2"]);
        stage.run(&["-2", "./nowhere"]);
        stage.run(&["-012", "./nowhere"]);
    }));
    all
}

fn sessions() -> Vec<Scenario> {
    let mut all = as_both("session: a new one", |stage| {
        stage.run(&["-P", "./probe"]);
        stage.run(&["./probe"]);
        stage.run(&["-P", "-P", "./probe"]);
        // The shell is its leader already.
        stage.run(&["-P", "/bin/sh", "-c", "exec \"$0\" -P ./probe", "PROGRAM"]);
    });
    all.push(as_user("session: signals", |stage| {
        stage.under(|conditions| {
            conditions
                .ignore(Signal::SIGPIPE)
                .ignore(Signal::SIGHUP)
                .ignore(Signal::SIGCHLD)
                .block(Signal::SIGTERM)
                .block(Signal::SIGUSR1)
                .block(Signal::SIGCHLD)
        });
        stage.file("env/NEW", "value");
        stage.run(&["./probe"]);
        stage.run(&["-P", "-e", "env", "-l", "lock", "-o", "40", "-n", "1", "-U", ":1:2", "./probe"]);
    }));
    all.push(as_root("session: signals of the superuser", |stage| {
        stage.under(|conditions| conditions.ignore(Signal::SIGPIPE).block(Signal::SIGTERM));
        stage.file("env/NEW", "value");
        stage.run(&["-P", "-e", "env", "-u", ":1:2", "-n", "-1", "./probe"]);
    }));
    all
}

fn order() -> Vec<Scenario> {
    let mut all = as_both("order: the first failure is told", |stage| {
        let wrong = [
            &["-e", "nowhere"][..],
            &["-/", "nowhere"],
            &["-U", ":1"],
            &["-u", ":2"],
            &["-l", "nowhere/lock"],
            &["-2"],
        ];
        for (place, first) in wrong.iter().enumerate() {
            for second in &wrong[place + 1..] {
                let words = [second, *first, &["./probe"][..]].concat();
                stage.run(&words);
            }
        }
        stage.run_under("without 0: chpst", &["-0", "-l", "nowhere/lock", "./probe"], |conditions| conditions.close(0));
        stage.run_under("without 0: chpst", &["-0", "-o", "10", "./nowhere"], |conditions| conditions.close(0));
        stage.run(&["-o", "10", "-c", "0", "./nowhere"]);
    });
    all.push(as_root("order: all of them", |stage| {
        if !stage.with_accounts(PASSWORDS, GROUPS) {
            return;
        }
        make_root(stage);
        stage.file("env/NEW", "value");
        stage.mode("root", 0o777);
        let words = [
            "-v",
            "-P",
            "-0",
            "-u",
            "inner:crew",
            "-U",
            "alice",
            "-b",
            "name",
            "-e",
            "env",
            "-/",
            "root",
            "-n",
            "-2",
            "-l",
            "lock",
            "-m",
            "30000000",
            "-d",
            "100000",
            "-o",
            "20",
            "-p",
            "2000",
            "-f",
            "1000",
            "-c",
            "0",
            "-t",
            "100",
            "probe",
            "word",
        ];
        stage.run_under("chpst", &words, |conditions| conditions.environment(&[b"A=1", b"PATH=/bin", b"B=2"]));
        stage.look_at("root/lock");
    }));
    all
}
