//! Limits and nice values that are no numbers, and limits that leave little to work with.

use nix::libc::{RLIMIT_AS, RLIMIT_DATA, RLIMIT_NOFILE, RLIMIT_STACK};
use support::Output;

use crate::case::{Case, FAILED, USAGE};
use crate::words::usage_of;

#[test]
fn limits_that_are_no_numbers() {
    let case = Case::new();
    let wrong = Output::exit(USAGE, "", &usage_of("chpst"));
    for option in ["-m", "-d", "-o", "-p", "-f", "-c", "-r", "-t"] {
        for value in ["x", "1x", "-1", "+1", " 1", "1 ", "=", "0x10", "1e3", "1.5", "1k", "unlimited", "\u{661}"] {
            assert_eq!(case.run(&["-l", "lock", option, value, "./probe"]), wrong, "{option} {value}");
        }
    }
}

#[test]
fn mends_k106_the_usage_of_softlimit() {
    let case = Case::new();
    let wrong = Output::exit(USAGE, "", &usage_of("softlimit"));
    for option in ["-a", "-c", "-d", "-f", "-l", "-m", "-o", "-p", "-r", "-s", "-t"] {
        for value in ["x", "1x", "-1", "==", "=1", "1="] {
            assert_eq!(case.run_as("softlimit", &[option, value, "./probe"]), wrong, "{option} {value}");
        }
    }
}

#[test]
fn mends_k104_limits_that_are_too_large() {
    let case = Case::new();
    let wrong = Output::exit(USAGE, "", &usage_of("chpst"));
    for value in ["18446744073709551616", "18446744073709551716", "99999999999999999999999", &"9".repeat(1000)] {
        for option in ["-o", "-m", "-f"] {
            assert_eq!(case.run(&[option, value, "./probe"]), wrong, "{option} {value}");
        }
    }
}

#[test]
fn nice_values_that_are_no_numbers() {
    let case = Case::new();
    let wrong = Output::exit(USAGE, "", &usage_of("chpst"));
    for value in ["x", "5x", "--5", "+-5", "-+5", " 5", "5 ", "0x5", "1.5", "="] {
        assert_eq!(case.run(&["-n", value, "./probe"]), wrong, "{value}");
    }
}

#[test]
fn mends_k104_nice_values_end_at_the_last() {
    let case = Case::new().under(|conditions| conditions.nice(3));
    for value in ["17", "100", "2147483647", "2147483648", "4294967296", "18446744073709551616", &"9".repeat(1000)] {
        assert_eq!(case.executes(&["-n", value, "./probe"], |executed| executed.nice()), 19, "{value}");
    }
}

#[test]
fn less_nice_is_for_the_superuser() {
    let case = Case::new().of_user();
    for value in ["-1", "-20", "-100"] {
        case.refuses(&["-n", value, "./probe"], "unable to set nice level: permission denied");
    }
    for value in ["-0", "-", ""] {
        assert_eq!(case.executes(&["-n", value, "./probe"], |executed| executed.nice()), 0, "{value}");
    }
}

/// Another name and more variables are made before the limits hold: afterwards there may be no memory for them.
#[test]
fn limits_hold_for_the_program() {
    let case = Case::new();
    case.file("env/NEW", "value");
    for option in ["-d", "-o", "-f", "-c", "-r"] {
        let words = ["-b", "name", "-e", "env", "-U", ":1:2", option, "1", "./probe"];
        case.executes(&words, |executed| {
            assert_eq!(executed.words(), ["name"]);
            let environment = executed.environment();
            assert!(environment.contains(&"NEW=value".to_owned()) && environment.contains(&"UID=1".to_owned()));
        });
    }
    let words = ["-b", "name", "-m", "300000", "./probe"];
    case.executes(&words, |executed| assert_eq!(executed.limit("Max data size"), "300000"));
}

/// Nothing more is needed to tell what fails then.
#[test]
fn limits_do_not_hinder_the_last_message() {
    let case = Case::new();
    let long = "x".repeat(100_000);
    for value in ["0", "1", "4096", "100000"] {
        case.refuses(&["-m", value, "./nowhere"], "unable to run: ./nowhere: file does not exist");
        case.refuses(&["-m", value, "nowhere"], "unable to run: nowhere: file does not exist");
        case.refuses(&["-m", value, "-b", &long, "nowhere"], &format!("unable to run: {long}: file does not exist"));
        let output = case.run_as("softlimit", &["-s", value, "-a", value, "nowhere"]);
        assert_eq!(output.stderr, "chpst: fatal: unable to run: nowhere: file does not exist\n");
    }
}

/// Limits that came with it: it works with what there is, or says that there is none.
#[test]
fn little_memory() {
    if support::is_reference() {
        return support::skip("the original's C library needs more");
    }
    for (resource, value) in [(RLIMIT_DATA, 300_000), (RLIMIT_AS, 1_000_000), (RLIMIT_STACK, 150_000)] {
        let case = Case::new().under(|conditions| conditions.limit(resource, Some(value), None));
        case.executes(&["-P", "-o", "30", "./probe"], |_| ());
    }
    let case = Case::new().under(|conditions| conditions.limit(RLIMIT_DATA, Some(100_000), None));
    case.file("env/NEW", "value");
    case.executes(&["-P", "-o", "30", "./probe"], |_| ());
    case.refuses(&["-e", "env", "./probe"], "out of memory.");
    case.refuses(&["-U", ":1:2", "./probe"], "out of memory.");
}

#[test]
fn no_descriptors() {
    if support::is_reference() {
        return support::skip("the original's C library needs more");
    }
    let case = Case::new().under(|conditions| conditions.limit(RLIMIT_NOFILE, Some(3), None));
    case.file("env/NEW", "value");
    let reason = "process cannot open more files";
    case.refuses(&["-l", "lock", "./probe"], &format!("unable to open lock: lock: {reason}"));
    let output = case.run(&["-e", "env", "./probe"]);
    assert_eq!(output.ending, support::Ending::Exit(FAILED));
    assert!(output.stderr.ends_with(&format!(": {reason}\n")) && output.stderr.lines().count() == 1, "{output:?}");
    case.refuses(&["-U", "root", "./probe"], &format!("unable to get password/group file entry: {reason}"));
    case.executes(&["-P", "-o", "2", "./probe"], |executed| assert_eq!(executed.limit("Max open files"), "2"));
}
