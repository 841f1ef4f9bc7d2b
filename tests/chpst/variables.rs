//! Environment directories with what cannot be a variable, is too long, or is too much.

use support::{Output, needs};

use crate::case::{Case, FAILED};

/// What the kernel takes of one variable: its name, `=`, its value and the NUL behind it.
const MOST: usize = 131_072;

fn environment(case: &Case, words: &[&str]) -> Vec<String> {
    case.executes(words, |executed| executed.environment())
}

fn few() -> Case {
    Case::new().under(|conditions| conditions.environment(&[b"A=1", b"B=2", b"C=3"]))
}

#[test]
fn mends_k101_names_with_an_equals_sign() {
    for name in ["J=K", "=", "=J", "J=", "A=1"] {
        for contents in ["value", ""] {
            let case = few();
            case.file(&format!("env/{name}"), contents);
            let message = format!("unable to read env/{name}: invalid argument");
            case.refuses(&["-e", "env", "./probe"], &message);
            case.refuses(&["-v", "-e", "env", "./probe"], &message);
            let output = case.run_as("envdir", &["env", "./probe"]);
            assert_eq!(output, Output::exit(FAILED, "", &format!("chpst: fatal: {message}\n")));
        }
    }
}

/// The original gives each of them what the file before had in it.
#[test]
fn mends_k100_links_that_lead_nowhere() {
    let case = few();
    let names = ["A", "B", "C", "D", "E", "F", "G", "H"];
    for name in names {
        case.file(&format!("env/VALUE{name}"), format!("of {name}\n"));
        std::os::unix::fs::symlink("nowhere", case.path(&format!("env/{name}"))).expect("a link");
    }
    let mut expected: Vec<String> = ["A=1", "B=2", "C=3"].map(str::to_owned).to_vec();
    expected.extend(names.map(|name| format!("VALUE{name}=of {name}")));
    let mut seen = environment(&case, &["-e", "env", "./probe"]);
    assert_eq!(seen[..3], expected[..3]);
    seen.sort();
    expected.sort();
    assert_eq!(seen, expected);
}

#[test]
fn adds_warnings_of_links_that_lead_nowhere() {
    let case = few();
    case.directory("env");
    std::os::unix::fs::symlink("nowhere", case.path("env/A")).expect("a link");
    let mut process = case.start("chpst", &["-v", "-e", "env", "./nowhere"]);
    let expected = "chpst: warning: unable to read env/A: file does not exist\n\
        chpst: fatal: unable to run: ./nowhere: file does not exist\n";
    assert_eq!(process.output(), Output::exit(FAILED, "", expected));
}

#[test]
fn files_that_cannot_be_read() {
    let case = few().of_user();
    case.file("env/A", "value");
    case.file("env/LOCKED", "value");
    case.mode("env/LOCKED", 0o000);
    case.refuses(&["-e", "env", "./probe"], "unable to read env/LOCKED: access denied");
    case.refuses(&["-v", "-e", "env", "./probe"], "unable to read env/LOCKED: access denied");
    let case = few();
    case.directory("env");
    std::os::unix::fs::symlink("LOOP", case.path("env/LOOP")).expect("a link");
    case.refuses(&["-e", "env", "./probe"], "unable to read env/LOOP: symbolic link loop");
    let case = few();
    case.directory("env");
    let _socket = std::os::unix::net::UnixListener::bind(case.path("env/SOCKET")).expect("a socket");
    case.refuses(&["-e", "env", "./probe"], "unable to read env/SOCKET: device not configured");
}

#[test]
fn directories_that_cannot_be_read() {
    let case = few().of_user();
    case.file("plain", "");
    case.directory("closed");
    case.mode("closed", 0o000);
    case.directory("blind");
    case.mode("blind", 0o311);
    case.refuses(&["-e", "nowhere", "./probe"], "unable to switch to directory: nowhere: file does not exist");
    case.refuses(&["-e", "", "./probe"], "unable to switch to directory: : file does not exist");
    case.refuses(&["-e", "plain", "./probe"], "unable to switch to directory: plain: not a directory");
    case.refuses(&["-e", "closed", "./probe"], "unable to switch to directory: closed: access denied");
    case.refuses(&["-e", "blind", "./probe"], "unable to open directory: blind: access denied");
    let long = "x".repeat(5000);
    case.refuses(&["-e", &long, "./probe"], &format!("unable to switch to directory: {long}: file name too long"));
    case.mode("closed", 0o755);
    case.mode("blind", 0o755);
}

#[test]
fn subdirectories() {
    let case = few();
    case.file("env/sub/INNER", "value");
    case.file("env/B", "");
    assert_eq!(environment(&case, &["-e", "env", "./probe"]), ["A=1", "C=3"]);
    let output = case.run_as("envdir", &["env", "./probe"]);
    assert_eq!(output, Output::exit(FAILED, "", "chpst: fatal: unable to read env/sub: is a directory\n"));
}

#[test]
fn only_the_first_line_of_megabytes_counts() {
    let case = few();
    case.file("env/B", format!("first \t\n{}", "x".repeat(5_000_000)));
    case.file("env/C", format!("\n{}", "y\n".repeat(2_000_000)));
    let mut seen = environment(&case, &["-e", "env", "./probe"]);
    seen.sort();
    assert_eq!(seen, ["A=1", "B=first", "C="]);
}

#[test]
fn mends_a_line_of_megabytes_is_told_by_its_name() {
    for contents in ["x".repeat(5_000_000), format!("{}\n", "x".repeat(MOST)), format!("x{}", " ".repeat(5_000_000))] {
        let case = few();
        case.file("env/B", &contents);
        case.refuses(&["-e", "env", "./probe"], "unable to read env/B: argument list too long");
    }
}

/// Nothing is kept of it, but for what fits.
#[test]
fn mends_a_file_without_an_end_is_not_read_to_it() {
    let case = few();
    case.directory("env");
    std::os::unix::fs::symlink("/dev/zero", case.path("env/B")).expect("a link");
    case.refuses(&["-e", "env", "./probe"], "unable to read env/B: argument list too long");
}

#[test]
fn mends_what_is_longer_than_the_longest_value_is_told_by_its_name() {
    // Name, equals sign, value and a NUL.
    let longest = "x".repeat(MOST - "NAME=".len() - 1);
    for end in ["\n", "", "\nmore\n"] {
        let case = few();
        case.file("env/NAME", format!("{longest}{end}"));
        assert_eq!(environment(&case, &["-e", "env", "./probe"])[3], format!("NAME={longest}"), "{end:?}");
        case.file("env/NAME", format!("{longest}x{end}"));
        case.refuses(&["-e", "env", "./probe"], "unable to read env/NAME: argument list too long");
    }
}

#[test]
fn the_longest_name() {
    let case = few();
    let name = "N".repeat(255);
    case.file(&format!("env/{name}"), "x".repeat(MOST - 257));
    assert_eq!(environment(&case, &["-e", "env", "./probe"])[3].len(), MOST - 1);
    case.file(&format!("env/{name}"), "");
    assert_eq!(environment(&case, &["-e", "env", "./probe"]), ["A=1", "B=2", "C=3"]);
}

#[test]
fn five_thousand_files() {
    let case = few();
    let name = |number: usize| format!("NAME{number}");
    for number in 0..5000 {
        case.file(&format!("env/{}", name(number)), format!("value {number} {}\n", "x".repeat(100)));
    }
    case.file("env/B", "");
    let mut seen = environment(&case, &["-e", "env", "./probe"]);
    let mut expected: Vec<String> =
        (0..5000).map(|number| format!("{}=value {number} {}", name(number), "x".repeat(100))).collect();
    expected.extend(["A=1".to_owned(), "C=3".to_owned()]);
    seen.sort();
    expected.sort();
    assert_eq!(seen.len(), expected.len());
    assert!(seen == expected, "not all of them, or others");
}

/// More than the kernel takes in all.
#[test]
fn an_environment_of_megabytes_is_refused() {
    let case = few().under(|conditions| conditions.limit(nix::libc::RLIMIT_STACK, Some(8 << 20), None));
    for number in 0..20 {
        case.file(&format!("env/NAME{number}"), "x".repeat(MOST - 20));
    }
    case.refuses(&["-e", "env", "./probe"], "unable to run: ./probe: argument list too long");
}

#[test]
fn an_inherited_environment_of_a_megabyte() {
    let long: Vec<Vec<u8>> =
        (0..10).map(|number| format!("LONG{number}={}", "x".repeat(100_000)).into_bytes()).collect();
    let entries: Vec<&[u8]> = long.iter().map(Vec::as_slice).collect();
    let case = Case::new()
        .under(|conditions| conditions.limit(nix::libc::RLIMIT_STACK, Some(8 << 20), None).environment(&entries));
    case.file("env/LONG3", "short");
    let seen = environment(&case, &["-e", "env", "-U", ":1:2", "./probe"]);
    assert_eq!(seen.len(), 12);
    assert_eq!(seen[9..], ["LONG3=short", "GID=2", "UID=1"]);
}

#[test]
fn entries_without_a_name() {
    let odd: [&[u8]; 8] = [b"", b"=", b"==", b"A", b"A=1", b"=A", b"AA=1", b"\xff=\xfe"];
    let case = Case::new().under(|conditions| conditions.environment(&odd));
    case.file("env/A", "new");
    let seen = environment(&case, &["-e", "env", "./probe"]);
    // The place of what is removed is taken by the last.
    assert_eq!(seen, ["", "=", "==", "A", "\\xff=\\xfe", "=A", "AA=1", "A=new"]);
}

#[test]
fn no_environment_at_all() {
    let case = Case::new().under(|conditions| conditions.environment(&[]));
    assert_eq!(environment(&case, &["./probe"]), [""; 0]);
    case.file("env/NEW", "value");
    assert_eq!(environment(&case, &["-e", "env", "./probe"]), ["NEW=value"]);
    case.file("env/NEW", "");
    assert_eq!(environment(&case, &["-e", "env", "./probe"]), [""; 0]);
}

/// The directory of variables is that of the old root, and its lookup needs nothing of the new one.
#[test]
fn variables_come_before_the_root() {
    if !needs(&["root"]) {
        return;
    }
    let case = few();
    case.file("env/NEW", "outer");
    case.probe("root/probe");
    let seen = environment(&case, &["-/", "root", "-e", "env", "/probe"]);
    assert_eq!(seen[3], "NEW=outer");
}
