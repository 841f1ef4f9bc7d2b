//! What chpst.md 7 says: the other names of chpst.

use nix::fcntl::{Flock, FlockArg};

use crate::chpst::{GROUPS, PASSWORDS, Stage, as_both, as_root};
use crate::scenario::Scenario;

/// The scenarios of this part.
pub fn scenarios() -> Vec<Scenario> {
    let mut all = usage();
    all.extend(users());
    all.extend(environment());
    all.extend(groups_and_locks());
    all.extend(limits());
    all.extend(names());
    all
}

const NAMES: [&str; 6] = ["envdir", "envuidgid", "pgrphack", "setlock", "setuidgid", "softlimit"];

fn usage() -> Vec<Scenario> {
    let mut all = Vec::new();
    for name in NAMES {
        all.extend(as_both(&format!("{name}: wrong usage"), move |stage| {
            for words in [
                &[][..],
                &["x"],
                &["-q"],
                &["-q", "x", "y"],
                &["-V"],
                &["-v", "x", "y"],
                &["--"],
                &["--", "x"],
                &["--", "--"],
            ] {
                stage.named(name, words);
            }
        }));
        all.extend(as_both(&format!("{name}: programs that cannot be run"), move |stage| {
            stage.directory("env");
            let first: &[&str] = match name {
                "envdir" => &["env"],
                "setlock" => &["lock"],
                "envuidgid" | "setuidgid" => &["root"],
                _ => &[],
            };
            for program in ["./nowhere", "nowhere", "", ".", "-", "./lock"] {
                stage.named(name, &[first, &["--", program, "word"]].concat());
                stage.named(name, &[first, &[program, "word"]].concat());
            }
        }));
    }
    all
}

fn users() -> Vec<Scenario> {
    let mut all = Vec::new();
    for name in ["setuidgid", "envuidgid"] {
        all.extend(as_both(&format!("{name}: accounts"), move |stage| {
            if stage.with_accounts(PASSWORDS, GROUPS) {
                for account in ["alice", "bob", "root", "twice", "1001", "last", "a.long-name_with$"] {
                    stage.named(name, &[account, "./probe", "word"]);
                }
            }
        }));
        all.extend(as_both(&format!("{name}: no accounts"), move |stage| {
            if stage.with_accounts(PASSWORDS, GROUPS) {
                let long = "x".repeat(5000);
                for account in [
                    "carol",
                    "",
                    "alice:users",
                    "alice:",
                    ":1:2",
                    ":1000:1000",
                    "65534",
                    "0",
                    "Alice",
                    "alice ",
                    "alice:+",
                    "+",
                    &long,
                ] {
                    stage.named(name, &[account, "./probe"]);
                }
            }
        }));
        all.extend(as_both(&format!("{name}: words"), move |stage| {
            if stage.with_accounts(PASSWORDS, GROUPS) {
                for words in [
                    &["alice", "./probe", "-x", "--"][..],
                    &["--", "alice", "./probe"],
                    &["alice", "--", "./probe"],
                    &["-v", "alice", "./probe"],
                    &["-", "./probe"],
                    &["alice"],
                ] {
                    stage.named(name, words);
                }
            }
        }));
        all.extend(as_both(&format!("{name}: empty files"), move |stage| {
            if stage.with_accounts("", "") {
                stage.named(name, &["alice", "./probe"]);
            }
        }));
    }
    all.push(as_root("setuidgid: supplementary groups that there were", |stage| {
        if stage.with_accounts(PASSWORDS, GROUPS) {
            stage.under(|conditions| conditions.groups(&[3, 4, 5]));
            stage.named("setuidgid", &["alice", "./probe"]);
            stage.named("envuidgid", &["alice", "./probe"]);
        }
    }));
    all.extend(as_both("envuidgid: an environment that has them", |stage| {
        if stage.with_accounts(PASSWORDS, GROUPS) {
            stage.under(|conditions| conditions.environment(&[b"UID=1", b"A=1", b"GID=2", b"B=1"]));
            stage.named("envuidgid", &["alice", "./probe"]);
        }
    }));
    all
}

fn environment() -> Vec<Scenario> {
    let few = |conditions: support::Conditions| conditions.environment(&[b"A=1", b"B=2", b"C=3", b"PATH=/bin"]);
    let mut all = as_both("envdir: files", move |stage| {
        stage.under(few);
        stage.file("env/A", "");
        stage.file("env/B", "new \t\nmore");
        stage.file("env/NEW", "a\0b\n");
        stage.file("env/.hidden", "no");
        stage.named("envdir", &["env", "./probe", "word"]);
        stage.named("envdir", &["./env/", "./probe", "-x"]);
    });
    all.extend(as_both("envdir: a subdirectory", move |stage| {
        stage.under(few);
        stage.directory("env/sub");
        stage.named("envdir", &["env", "./probe"]);
        stage.directory("hidden/.sub");
        stage.named("envdir", &["hidden", "./probe"]);
        stage.named("envdir", &["-v", "env", "./probe"]);
    }));
    all.extend(as_both("envdir: a dangling link", move |stage| {
        stage.under(few);
        stage.directory("env");
        stage.link("nowhere", "env/A");
        stage.named("envdir", &["env", "./probe"]);
    }));
    all.extend(as_both("envdir: a name with an equals sign", move |stage| {
        stage.under(few);
        stage.file("env/J=K", "eq");
        stage.named("envdir", &["env", "./probe"]);
    }));
    all.extend(as_both("envdir: a file that may not be read", move |stage| {
        stage.under(few);
        stage.file("env/A", "x");
        stage.mode("env/A", 0o000);
        stage.named("envdir", &["env", "./probe"]);
    }));
    all.extend(as_both("envdir: directories that are none", move |stage| {
        stage.file("plain", "");
        stage.directory("closed");
        stage.mode("closed", 0o000);
        for directory in ["nowhere", "", "plain", "closed", "-"] {
            stage.named("envdir", &[directory, "./probe"]);
        }
        stage.mode("closed", 0o755);
    }));
    all
}

/// Runs `setlock` with a lock that somebody else holds.
fn held(stage: &mut Stage, words: &[&str]) {
    let file = std::fs::OpenOptions::new().append(true).create(true).open(stage.path("held")).expect("a lock");
    let lock = Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, error)| error).expect("a lock");
    stage.named("setlock", words);
    drop(lock);
}

fn groups_and_locks() -> Vec<Scenario> {
    let mut all = as_both("pgrphack: a session", |stage| {
        for words in [&["./probe", "word"][..], &["--", "./probe", "-x"], &["-v", "./probe"], &["-P", "./probe"]] {
            stage.named("pgrphack", words);
        }
    });
    all.extend(as_both("setlock: a free lock", |stage| {
        for words in [
            &["lock", "./probe", "word"][..],
            &["-n", "lock", "./probe"],
            &["-N", "lock", "./probe"],
            &["-x", "lock", "./probe"],
            &["-X", "lock", "./probe"],
            &["-nNxX", "lock", "./probe", "-x"],
            &["--", "lock", "./probe"],
            &["-n", "--", "lock", "./probe"],
        ] {
            stage.named("setlock", words);
        }
        stage.look_at("lock");
    }));
    all.extend(as_both("setlock: a held lock", |stage| {
        for options in ["", "-n", "-N", "-x", "-X", "-nx", "-Nx", "-nN", "-Nn", "-xX", "-Xx", "-xN"] {
            let words: Vec<&str> = [options, "held", "./probe"].into_iter().filter(|word| !word.is_empty()).collect();
            held(stage, &words);
        }
    }));
    all.extend(as_both("setlock: no lock", |stage| {
        stage.directory("directory");
        nix::unistd::mkfifo(&stage.path("fifo"), nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
        for options in ["-X", "-x", "-n", "-nx"] {
            for name in ["directory", "nowhere/lock", "", "fifo", "probe/lock"] {
                stage.named("setlock", &[options, name, "./probe"]);
            }
        }
    }));
    all.extend(as_both("setlock: a program that cannot be run", |stage| {
        for options in ["-X", "-x", "-nx", "-xX"] {
            stage.named("setlock", &[options, "lock", "./nowhere"]);
            stage.named("setlock", &[options, "lock", "nowhere"]);
        }
        stage.look_at("lock");
    }));
    all.extend(as_both("setlock: wrong usage quietly", |stage| {
        for words in [&["-x"][..], &["-x", "lock"], &["-xq", "lock", "./probe"], &["-qx", "lock", "./probe"]] {
            stage.named("setlock", words);
        }
        stage.look_at("lock");
    }));
    all
}

fn limits() -> Vec<Scenario> {
    let mut all = Vec::new();
    for (option, value) in [
        ("-a", "50000000"),
        ("-c", "654321"),
        ("-d", "300000"),
        ("-f", "123456"),
        ("-l", "40960"),
        ("-m", "60000000"),
        ("-o", "77"),
        ("-p", "3000"),
        ("-r", "222222"),
        ("-s", "4000000"),
        ("-t", "3600"),
    ] {
        all.extend(as_both(&format!("softlimit: {option}"), move |stage| {
            stage.named("softlimit", &[option, value, "./probe", "word"]);
            stage.named("softlimit", &[&format!("{option}{value}"), "./probe"]);
            stage.named("softlimit", &[option, "=", "./probe"]);
            stage.named("softlimit", &[&format!("{option}="), "./probe"]);
            // Whether a program lives without a stack or without time is left to chance.
            if !["-s", "-t"].contains(&option) {
                stage.named("softlimit", &[option, "", "./probe"]);
            }
        }));
    }
    all.extend(as_both("softlimit: no numbers", |stage| {
        for option in ["-a", "-c", "-d", "-f", "-l", "-m", "-o", "-p", "-r", "-s", "-t"] {
            stage.named("softlimit", &[option, "1x", "./probe"]);
        }
        for value in ["x", "==", "=1", "-1"] {
            stage.named("softlimit", &["-o", value, "./probe"]);
        }
    }));
    all.extend(as_both("softlimit: large numbers", |stage| {
        stage.under(|conditions| conditions.limit(nix::libc::RLIMIT_NOFILE, Some(20), Some(50)));
        for value in ["50", "51", "9223372036854775807", "9223372036854775808", "18446744073709551615"] {
            stage.named("softlimit", &["-o", value, "./probe"]);
        }
        stage.named("softlimit", &["-o", "=", "./probe"]);
    }));
    all.extend(as_both("softlimit: several", |stage| {
        for words in [
            &["-m", "60000000", "-d", "100000", "-s", "5000000", "./probe"][..],
            &["-d", "100000", "-m", "60000000", "./probe"],
            &["-m", "60000000", "-a", "70000000", "-l", "=", "./probe"],
            &["-a", "=", "-c=", "-d=", "-o=", "./probe"],
            &["-o", "20", "-o", "30", "./probe"],
            &["-o20", "-c", "0", "--", "./probe", "-x"],
            &["./probe", "-o", "20"],
        ] {
            stage.named("softlimit", words);
        }
    }));
    all.extend(as_both("softlimit: options that chpst has", |stage| {
        for option in ["-u", "-U", "-b", "-e", "-/", "-n", "-L", "-P", "-0", "-v", "-C"] {
            stage.named("softlimit", &[option, "1", "./probe"]);
        }
    }));
    all
}

fn names() -> Vec<Scenario> {
    let mut all = Vec::new();
    for name in NAMES {
        all.extend(as_both(&format!("d{name}: a name of another package"), move |stage| {
            let name = format!("d{name}");
            stage.named(&name, &[]);
            stage.named(&name, &["-q"]);
            stage.directory("env");
            stage.named(&name, &["env", "./probe"]);
            stage.named(&name, &["./probe"]);
        }));
    }
    all.extend(as_both("dchpst: a name", |stage| {
        stage.named("dchpst", &[]);
        stage.named("dchpst", &["-x"]);
        stage.named("dchpst", &["-P", "./probe"]);
        stage.named("dchpst", &["./nowhere"]);
        stage.named("dchpst", &["-o", "x", "./probe"]);
    }));
    all.push(as_root("names that there are not", |stage| {
        for name in ["other", "ddchpst", "ddenvdir", "d", "chpst2", "Envdir"] {
            stage.named(name, &["./probe"]);
        }
    }));
    all.extend(as_both("names as they were called", |stage| {
        for name in ["chpst", "/a/path/chpst", "./chpst", "path/setuidgid", "/path/to/dsoftlimit", "-chpst"] {
            stage.run_under("named", &["-x", name], |conditions| conditions.name(name));
        }
    }));
    all
}
