//! The armv7 `chpst` under `qemu-arm-static`: system calls, and sizes of numbers, are others there. What it executes is
//! a program of this machine.

use nix::sys::signal::Signal;
use support::{Ending, Executed, Output, needs};

use crate::case::{Case, FAILED, USAGE};

/// The directory, with the way to start the armv7 program.
struct Arm {
    case: Case,
    chpst: std::path::PathBuf,
}

impl Arm {
    fn new() -> Option<Arm> {
        if !needs(&["qemu-arm-static"]) {
            return None;
        }
        let chpst = support::arm_programs().map(|programs| programs.join("chpst")).filter(|program| program.exists());
        let Some(chpst) = chpst else {
            support::skip("no chpst in out/armv7/bin: run `make ARCH=armv7`");
            return None;
        };
        Some(Arm { case: Case::new(), chpst: chpst.canonicalize().expect("the program") })
    }

    fn start(&self, name: &str, words: &[&str]) -> support::Supervisor {
        let mut command = self.case.scratch().command("qemu-arm-static");
        command.args(["-0", name]).arg(&self.chpst).args(words);
        self.case.scratch().start(command, Signal::SIGKILL)
    }

    #[track_caller]
    fn refuses(&self, words: &[&str], message: &str) {
        let mut process = self.start("chpst", words);
        assert!(Executed::wait(&mut process, &self.case.path("probe")).is_none(), "{words:?}");
        let expected = Output::exit(FAILED, "", &format!("chpst: fatal: {message}\n"));
        assert_eq!(process.output(), expected, "{words:?}");
    }

    #[track_caller]
    fn executes<T>(&self, name: &str, words: &[&str], look: impl FnOnce(Executed) -> T) -> T {
        let mut process = self.start(name, words);
        let Some(executed) = Executed::wait(&mut process, &self.case.path("probe")) else {
            panic!("not executed: {words:?}: {:?}", process.output());
        };
        look(executed)
    }
}

#[test]
fn ids() {
    let Some(arm) = Arm::new() else { return };
    if !needs(&["root"]) {
        return;
    }
    for (specification, user, groups) in [
        (":1000:1001", "1000", "1001"),
        (":70000:80000:90000", "70000", "80000 90000"),
        (":4294967294:4294967294", "4294967294", "4294967294"),
    ] {
        arm.executes("chpst", &["-u", specification, "./probe"], |executed| {
            assert_eq!(executed.status("Uid"), [user; 4].join(" "));
            assert_eq!(executed.status("Groups"), groups);
            assert_eq!(executed.status("CapEff"), "0000000000000000");
        });
    }
    arm.executes("setuidgid", &["root", "./probe"], |executed| assert_eq!(executed.status("Groups"), "0"));
    arm.executes("chpst", &["-U", "root:root", "./probe"], |executed| {
        let environment = executed.environment();
        assert_eq!(environment[environment.len() - 2..], ["GID=0", "UID=0"]);
    });
}

#[test]
fn numbers_that_are_too_large() {
    let Some(arm) = Arm::new() else { return };
    for numbers in ["4294967296:1", "1:4294967296", "99999999999:1", "18446744073709551616:1"] {
        arm.refuses(&["-u", &format!(":{numbers}"), "./probe"], &format!("invalid uid/gids: {numbers}"));
    }
    let mut process = arm.start("chpst", &["-o", "18446744073709551616", "./probe"]);
    assert_eq!(process.wait(), Ending::Exit(USAGE));
}

/// The emulator itself lives with the limits of memory, so these are left out.
#[test]
fn limits_of_more_than_32_bits() {
    let Some(arm) = Arm::new() else { return };
    for (value, seen) in [
        ("4294967295", "4294967295"),
        ("4294967296", "4294967296"),
        ("5000000000", "5000000000"),
        ("9223372036854775807", "9223372036854775807"),
        ("123", "123"),
        ("", "0"),
    ] {
        arm.executes("chpst", &["-f", value, "./probe"], |executed| {
            assert_eq!(executed.limit("Max file size"), seen, "{value}");
        });
    }
    arm.executes("chpst", &["-o", "77", "-c", "5000000000", "-t", "5000000000", "./probe"], |executed| {
        assert_eq!(executed.limit("Max open files"), "77");
        assert_eq!(executed.limit("Max cpu time"), "5000000000");
    });
}

#[test]
fn variables_locks_and_the_rest() {
    let Some(arm) = Arm::new() else { return };
    arm.case.file("env/NEW", "a\0value \t\nmore");
    arm.case.file("env/LC_ALL", "");
    arm.case.file("env/LONG", format!("{}\n", "x".repeat(100_000)));
    arm.case.directory("work");
    let words =
        ["-v", "-P", "-0", "-b", "name", "-e", "env", "-C", "work", "-n", "+3", "-L", "lock", "../probe", "word"];
    arm.executes("chpst", &words, |executed| {
        assert_eq!(executed.words(), ["name", "word"]);
        let environment = executed.environment();
        assert!(environment.contains(&"NEW=a\\nvalue".to_owned()), "{environment:?}");
        assert!(environment.contains(&format!("LONG={}", "x".repeat(100_000))));
        assert!(!environment.iter().any(|entry| entry.starts_with("LC_ALL=")));
        assert_eq!((executed.nice(), executed.leads()), (3, (true, true)));
        assert_eq!(executed.link("cwd"), arm.case.path("work"));
        assert!(!executed.descriptors().contains(&0));
        assert_eq!(executed.link("fd/3"), arm.case.path("work/lock"));
    });
    arm.case.file("bad/J=K", "x");
    arm.refuses(&["-e", "bad", "./probe"], "unable to read bad/J=K: invalid argument");
    arm.refuses(&["-u", "nobody-of-that-name", "./probe"], "unknown user/group: nobody-of-that-name");
    arm.refuses(&["./nowhere"], "unable to run: ./nowhere: file does not exist");
}

#[test]
fn another_root() {
    let Some(arm) = Arm::new() else { return };
    if !needs(&["root"]) {
        return;
    }
    arm.case.file("root/etc/passwd", "alice:x:1001:1001::/:");
    arm.case.file("root/etc/group", "users:x:100:bob,alice");
    arm.case.probe("root/probe");
    arm.executes("chpst", &["-/", "root", "-u", "alice:users:+", "/probe"], |executed| {
        assert_eq!(executed.link("root"), arm.case.path("root"));
        assert_eq!((executed.status("Uid"), executed.status("Groups")), ("1001 1001 1001 1001".into(), "100".into()));
    });
}
