//! Runs in which the system does its part: what is used, what is credited, what is left.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use support::{Output, Scratch, needs, skip};

use crate::case::{CREDITED, Case, MOST, UNCREDITED, make_directory, new_length, seed, warning};

#[test]
fn adds_first_run_makes_directory_and_seed() {
    let Some(case) = Case::new() else { return };
    case.run_well();
    case.only(CREDITED);
    assert_eq!(case.told(), []);
    let directory = std::fs::metadata(case.directory()).expect("the directory");
    assert_eq!((directory.mode() & 0o7777, directory.uid()), (0o700, 0));
}

#[test]
fn adds_modes_do_not_depend_on_the_umask() {
    let Some(case) = Case::new() else { return };
    for umask in ["000", "077", "027"] {
        let output = case.run_scripted(&["seeds"], &format!("umask {umask}; exec \"$@\""));
        assert_eq!(output, Output::exit(0, "", ""), "{umask}");
        assert_eq!(std::fs::metadata(case.directory()).expect("the directory").mode() & 0o7777, 0o700, "{umask}");
        case.only(CREDITED);
        std::fs::remove_dir_all(case.directory()).expect("the directory");
    }
}

#[test]
fn adds_default_directory_is_below_var_lib() {
    if !needs(&["namespaces"]) {
        return;
    }
    let Some(case) = Case::new() else { return };
    let script = "mount -t tmpfs none /var/lib; \"$@\"; echo $?; ls /var/lib /var/lib/seedrng";
    let expected = "0\n/var/lib:\nseedrng\n\n/var/lib/seedrng:\nseed.credit\n";
    assert_eq!(case.run_apart(&[], script), Output::exit(0, expected, ""));
}

#[test]
fn adds_old_seeds_are_used_up_and_a_new_one_is_left() {
    let Some(case) = Case::with_both() else { return };
    case.run_well();
    assert_eq!(case.told(), [(0, seed(100, 1)), (800, seed(100, 2))]);
    let first = case.only(CREDITED);
    case.run_well();
    assert_eq!(case.told(), [(first.len() * 8, first.clone())]);
    let second = case.only(CREDITED);
    case.run_well();
    let third = case.only(CREDITED);
    assert!(first != second && second != third && first != third);
}

/// Names and directories are on the disk, in this order, whenever the machine stops.
#[test]
fn adds_order_of_what_is_written_to_the_disk() {
    let Some(case) = Case::with_both() else { return };
    case.run_well();
    let hexadecimal = |name: &str| name.bytes().map(|byte| format!("\\x{byte:02x}")).collect::<String>();
    let (credited, uncredited) = (hexadecimal(CREDITED), hexadecimal(UNCREDITED));
    let short = |call: &String| {
        let call = call.replace(&credited, CREDITED).replace(&uncredited, UNCREDITED);
        let (name, arguments) = call.split_once('(')?;
        let descriptor = arguments.split([',', ')']).next()?.to_owned();
        match name {
            "flock" | "fsync" => Some(format!("{name} {descriptor}")),
            "ioctl" => Some("seed".to_owned()),
            "write" | "getrandom" => Some(name.to_owned()),
            "openat" if call.contains("O_CREAT") => Some("create".to_owned()),
            "unlinkat" | "renameat" => Some(call.replace('"', "")),
            _ => None,
        }
    };
    let calls: Vec<String> = case.calls().iter().filter_map(short).collect();
    let expected = [
        "seed",
        "flock 4",
        "unlinkat(4, seed.no-credit, 0)",
        "fsync 4",
        "seed",
        "unlinkat(4, seed.credit, 0)",
        "fsync 4",
        "seed",
        "getrandom",
        "create",
        "write",
        "fsync 5",
        "renameat(4, seed.no-credit, 4, seed.credit)",
    ];
    assert_eq!(calls, expected);
}

/// The end of the new seed depends on the old ones and on the time, though the kernel give the same numbers each time.
#[test]
fn adds_new_seed_is_another_one_if_the_kernel_gives_nothing() {
    let Some(case) = Case::new() else { return };
    let answer = format!("getrandom:retval={}", new_length());
    let mut seen: Vec<Vec<u8>> = vec![seed(new_length(), 3)];
    case.put(CREDITED, &seen[0]);
    for _ in 0..3 {
        assert_eq!(case.run_with(&[&answer]), Output::exit(0, "", ""));
        let new = case.only(CREDITED);
        assert!(seen.iter().all(|old| old[old.len() - 32..] != new[new.len() - 32..]), "{new:?}");
        seen.push(new);
    }
}

// ---- what is credited

#[test]
fn adds_credit_is_left_out_where_the_environment_says_so() {
    let Some(case) = Case::new() else { return };
    for (value, credit) in
        [("1", 0), ("true", 0), ("yes", 0), ("y", 0), ("YES", 0), ("0", 80), ("", 80), ("no", 80), ("11", 80)]
    {
        case.put(CREDITED, &seed(10, 4));
        let mut command = case.traced(&[], &["seeds"]);
        command.env("SEEDRNG_SKIP_CREDIT", value);
        assert_eq!(case.scratch.output(command), Output::exit(0, "", ""), "{value}");
        assert_eq!(case.told(), [(credit, seed(10, 4))], "{value}");
        case.only(CREDITED);
    }
}

#[test]
fn adds_seed_of_an_unready_kernel_is_not_credited() {
    let Some(case) = Case::new() else { return };
    // Not ready; then an older kernel that is not; then one that does not know the call.
    for rule in ["getrandom:error=EAGAIN:when=1", "getrandom:error=EAGAIN", "getrandom:error=ENOSYS"] {
        case.put(CREDITED, &seed(64, 5));
        assert_eq!(case.run_with(&[rule]), Output::exit(0, "", ""), "{rule}");
        assert_eq!(case.told(), [(512, seed(64, 5))], "{rule}");
        let new = case.only(UNCREDITED);
        // It is known again, and worth nothing.
        assert_eq!(case.run_with(&[rule]), Output::exit(0, "", ""), "{rule}");
        assert_eq!(case.told(), [(0, new.clone())], "{rule}");
        assert_ne!(case.only(UNCREDITED), new, "{rule}");
        case.run_well();
        case.only(CREDITED);
    }
}

// ---- old seeds of all kinds

#[test]
fn adds_seeds_of_any_length() {
    let Some(case) = Case::new() else { return };
    for length in [0, 1, 31, 511, 512, 513, 5000] {
        case.put(UNCREDITED, &seed(length, 6));
        case.put(CREDITED, &seed(length, 7));
        case.run_well();
        let taken = length.min(MOST);
        assert_eq!(case.told(), [(0, seed(taken, 6)), (taken * 8, seed(taken, 7))], "{length}");
        case.only(CREDITED);
    }
}

/// Kernels before Linux 5.18 have a larger pool.
#[test]
fn adds_large_pool_has_a_long_seed() {
    if !needs(&["namespaces"]) {
        return;
    }
    let Some(case) = Case::with_both() else { return };
    assert_eq!(case.run_with_large_pool(&[]), Output::exit(0, "", ""));
    let new = case.files()[CREDITED].clone();
    assert_eq!((case.files().len(), new.len()), (1, MOST));
    assert_eq!(case.run_with_large_pool(&[]), Output::exit(0, "", ""));
    assert_eq!(case.told(), [(MOST * 8, new.clone())]);
    // Nothing of it is written again.
    let next = &case.files()[CREDITED];
    assert!(new.windows(8).all(|part| next.windows(8).all(|other| other != part)));
}

/// Makes what is no seed, whatever stands in its way.
type Make = fn(&Path);

#[test]
fn adds_what_is_no_seed_is_not_used_and_makes_room() {
    let Some(case) = Case::new() else { return };
    let rows: [(Make, &str); 5] = [
        (|path| symlink("../elsewhere", path).expect("a link"), "symbolic link loop"),
        (|path| symlink("nowhere", path).expect("a link"), "symbolic link loop"),
        (
            |path| nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).expect("a fifo"),
            "device does not support operation",
        ),
        (
            |path| {
                std::fs::write(path, "laid there").expect("a file");
                std::fs::set_permissions(path, Permissions::from_mode(0o620)).expect("a mode");
            },
            "permission denied",
        ),
        (
            |path| {
                std::fs::write(path, "laid there").expect("a file");
                std::os::unix::fs::chown(path, Some(1234), None).expect("an owner");
            },
            "permission denied",
        ),
    ];
    case.scratch.file("elsewhere", "not a seed");
    for (name, code) in [(UNCREDITED, 2), (CREDITED, 4)] {
        for (make, reason) in rows {
            make_directory(&case.directory());
            make(&case.path(name));
            let expected = Output::exit(code, "", &warning(&format!("read {name}"), reason));
            assert_eq!(case.run_with(&[]), expected, "{name} {reason}");
            assert_eq!(case.told(), [], "{name} {reason}");
            case.only(CREDITED);
            std::fs::remove_dir_all(case.directory()).expect("the directory");
        }
    }
    assert_eq!(std::fs::read_to_string(case.scratch.path().join("elsewhere")).expect("a file"), "not a seed");
}

#[test]
fn adds_directories_in_the_place_of_seeds() {
    let Some(case) = Case::new() else { return };
    let reason = "device does not support operation";
    case.put(CREDITED, &seed(40, 8));
    std::fs::create_dir(case.path(UNCREDITED)).expect("a directory");
    let text = warning("read seed.no-credit", reason) + &warning("create seed.no-credit", "is a directory");
    assert_eq!(case.run_with(&[]), Output::exit(2 | 16, "", &text));
    assert_eq!(case.told(), [(320, seed(40, 8))]);
    assert_eq!(case.files().keys().collect::<Vec<_>>(), [UNCREDITED]);

    std::fs::rename(case.path(UNCREDITED), case.path(CREDITED)).expect("another name");
    let text = warning("read seed.credit", reason) + &warning("rename seed.no-credit", "is a directory");
    assert_eq!(case.run_with(&[]), Output::exit(4 | 64, "", &text));
    let left = case.files()[UNCREDITED].clone();
    assert_eq!(left.len(), new_length());
    // What is left is used all the same.
    assert_eq!(case.run_with(&[]), Output::exit(4 | 64, "", &text));
    assert_eq!(case.told(), [(0, left)]);
}

#[test]
fn adds_wrong_usage() {
    if support::is_reference() {
        return skip("the original has no seedrng");
    }
    let scratch = Scratch::new();
    for words in [&["-h"][..], &["--"], &["-"], &["seeds", "more"], &["-x", "seeds"]] {
        assert_eq!(scratch.run("seedrng", words), Output::exit(128, "", "usage: seedrng [directory]\n\n"), "{words:?}");
    }
    assert!(!scratch.path().join("seeds").exists());
}
