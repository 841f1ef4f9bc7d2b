//! The command line: usage texts, names, and what our `chpst` knows that runit 2.1.2 does not.

use nix::libc::RLIMIT_STACK;
use support::{Executed, Output, needs};

use crate::case::{Case, FAILED, USAGE};

/// The usage of `chpst`, behind its name.
const CHPST: &str = "[-vVP012] [-u user[:group]] [-U user[:group]] [-b argv0] [-e dir] [-/ root] [-C pwd] [-n nice] \
    [-l|-L lock] [-m n] [-d n] [-o n] [-p n] [-f n] [-c n] [-t n] prog";
/// That of `softlimit`.
const SOFTLIMIT: &str = "[-a allbytes] [-c corebytes] [-d databytes] [-f filebytes] [-l lockbytes] [-m membytes] \
    [-o openfiles] [-p processes] [-r residentbytes] [-s stackbytes] [-t cpusecs] child";

/// The usage under a name, as it is told.
pub fn usage_of(name: &str) -> String {
    let text = match name {
        // Runit 2.1.2 does without one.
        "chpst" if support::is_reference() => CHPST.replace("[-C pwd] ", ""),
        "chpst" => CHPST.to_owned(),
        "softlimit" => SOFTLIMIT.to_owned(),
        "setlock" => "[ -nNxX ] file program [ arg ... ]".to_owned(),
        "envdir" => "dir child".to_owned(),
        "pgrphack" => "child".to_owned(),
        _ => "account child".to_owned(),
    };
    format!("usage: {name} {text}\n\n")
}

#[test]
fn usage() {
    let case = Case::new();
    for name in ["chpst", "envdir", "envuidgid", "pgrphack", "setlock", "setuidgid", "softlimit"] {
        assert_eq!(case.run_as(name, &[]), Output::exit(USAGE, "", &usage_of(name)));
    }
    for name in ["chpst", "setlock", "softlimit"] {
        let message = format!("{name}: illegal option -- q\n{}", usage_of(name));
        assert_eq!(case.run_as(name, &["-q", "x", "./probe"]), Output::exit(USAGE, "", &message));
    }
    let message = format!("chpst: option requires an argument -- u\n{}", usage_of("chpst"));
    assert_eq!(case.run(&["-P", "-u"]), Output::exit(USAGE, "", &message));
}

#[test]
fn adds_a_version_of_its_own() {
    let case = Case::new();
    let version = env!("CARGO_PKG_VERSION");
    for words in [&["-V"][..], &["-PV", "./probe"], &["-V", "-x"]] {
        let output = case.run(words);
        let (first, rest) = output.stderr.split_once('\n').expect("lines");
        assert!(first.starts_with("pipit ") && first.contains(version), "{first}");
        assert_eq!((output.ending, rest), (support::Ending::Exit(USAGE), &*usage_of("chpst")));
    }
}

#[test]
fn adds_its_names_to_the_one_executable() {
    let case = Case::new();
    case.executes_as("pipit", &["chpst", "-P", "./probe", "word"], |executed| {
        assert_eq!((executed.words(), executed.leads()), (vec!["./probe".to_owned(), "word".to_owned()], (true, true)));
    });
    case.executes_as("pipit", &["pgrphack", "./probe"], |executed| assert_eq!(executed.leads(), (true, true)));
    case.executes_as("pipit", &["dsoftlimit", "-o", "30", "./probe"], |executed| {
        assert_eq!(executed.limit("Max open files"), "30");
    });
    let output = case.run_as("pipit", &["setuidgid"]);
    assert_eq!(output, Output::exit(USAGE, "", &usage_of("setuidgid")));
}

#[test]
fn adds_a_working_directory() {
    let case = Case::new();
    case.directory("work/inner");
    case.probe("work/inner/probe");
    case.executes(&["-C", "work/inner", "./probe"], |executed| {
        assert_eq!(executed.link("cwd"), case.path("work/inner"));
    });
    case.executes(&["-Cwork", "-C", "work/inner", "./probe"], |executed| {
        assert_eq!(executed.link("cwd"), case.path("work/inner"));
    });
    case.file("env/NEW", "value");
    // The directory of variables is that from before, the lock that from now.
    case.executes(&["-C", "work", "-e", "env", "-l", "lock", "inner/probe"], |executed| {
        assert!(executed.environment().contains(&"NEW=value".to_owned()));
        assert_eq!(executed.link("fd/3"), case.path("work/lock"));
    });
}

#[test]
fn adds_working_directories_that_are_none() {
    let case = Case::new().of_user();
    case.file("plain", "");
    case.directory("closed");
    case.mode("closed", 0o000);
    let long = "x".repeat(5000);
    for (directory, reason) in [
        ("nowhere", "file does not exist"),
        ("", "file does not exist"),
        ("plain", "not a directory"),
        ("closed", "access denied"),
        (&long, "file name too long"),
    ] {
        case.refuses(&["-C", directory, "./probe"], &format!("unable to change directory: {directory}: {reason}"));
    }
    case.mode("closed", 0o755);
}

#[test]
fn adds_a_working_directory_below_the_root() {
    if !needs(&["root"]) {
        return;
    }
    let case = Case::new();
    case.directory("outer");
    case.directory("root/inner");
    case.probe("root/probe");
    for words in [["-/", "root", "-C", "inner"], ["-C", "/inner", "-/", "root"], ["-C", "../../inner", "-/", "root"]] {
        case.executes(&[&words[..], &["/probe"]].concat(), |executed| {
            assert_eq!(executed.link("cwd"), case.path("root/inner"));
            assert_eq!(executed.link("root"), case.path("root"));
        });
    }
    case.refuses(&["-/", "root", "-C", "outer", "/probe"], "unable to change directory: outer: file does not exist");
}

/// No table of words has an end.
#[test]
fn as_many_words_as_the_kernel_takes() {
    let case = Case::new().under(|conditions| conditions.limit(RLIMIT_STACK, Some(8 << 20), None));
    let many: Vec<String> = (0..100_000).map(|number| format!("w{number}")).collect();
    for options in [&[][..], &["-b", "./probe"], &["-P", "-o", "30", "-b", "./probe"]] {
        let mut words: Vec<&str> = [options, &["./probe"]].concat();
        words.extend(many.iter().map(String::as_str));
        case.executes(&words, |executed| {
            let seen = executed.words();
            assert_eq!((seen.len(), &*seen[0]), (100_001, "./probe"));
            assert!(seen[1..] == many);
        });
    }
    let long = "x".repeat(131_071);
    case.executes(&["-b", &long, "./probe", &long], |executed| {
        assert!(executed.words() == [long.clone(), long.clone()]);
    });
}

/// What is given fits for `chpst`, and no more for what it executes.
#[test]
fn too_many_words() {
    let case = Case::new().under(|conditions| conditions.limit(RLIMIT_STACK, Some(8 << 20), None));
    let long = "x".repeat(120_000);
    let words: Vec<&str> = ["./probe"].into_iter().chain([&*long; 15]).collect();
    case.executes(&words, |executed| assert_eq!(executed.words().len(), 16));
    let words = [&["-m", "600000"], &words[..]].concat();
    case.refuses(&words, "unable to run: ./probe: argument list too long");
}

#[test]
fn programs_that_cannot_be_run() {
    let case = Case::new();
    case.file("plain", "");
    case.directory("directory");
    for (name, reason) in [
        ("", "access denied"),
        ("./nowhere", "file does not exist"),
        ("nowhere", "file does not exist"),
        ("./plain", "access denied"),
        ("./directory", "access denied"),
        ("./plain/x", "not a directory"),
    ] {
        case.refuses(&["-P", "--", name, "word"], &format!("unable to run: {name}: {reason}"));
        case.refuses(&["-b", "fake", name, "word"], &format!("unable to run: fake: {reason}"));
        for (alias, word) in [("pgrphack", ""), ("softlimit", "-o30"), ("setlock", "lock")] {
            let words: Vec<&str> = [word, name].into_iter().skip(usize::from(word.is_empty())).collect();
            let mut process = case.start(alias, &words);
            assert!(Executed::wait(&mut process, &case.path("probe")).is_none());
            let message = format!("chpst: fatal: unable to run: {name}: {reason}\n");
            assert_eq!(process.output(), Output::exit(FAILED, "", &message), "{alias}");
        }
    }
}
