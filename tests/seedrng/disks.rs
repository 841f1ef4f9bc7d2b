//! Disks that are full or read-only, and limits of the process.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;

use support::{Output, needs, skip};

use crate::case::{CREDITED, Case, UNCREDITED, make_directory, may_seed, new_length, seed, warning};

#[test]
fn adds_read_only_disk() {
    if !needs(&["namespaces"]) {
        return;
    }
    let Some(case) = Case::with_both() else { return };
    let before = case.files();
    let output = case.run_apart(&["seeds"], "mount --bind seeds seeds; mount -o remount,bind,ro seeds; exec \"$@\"");
    let text = [
        warning("remove seed.no-credit", "read-only file system"),
        warning("remove seed.credit", "read-only file system"),
        warning("create seed.no-credit", "read-only file system"),
    ];
    assert_eq!(output, Output::exit(2 | 4 | 16, "", &text.concat()));
    assert_eq!((case.told(), case.files()), (vec![], before));

    std::fs::remove_dir_all(case.directory()).expect("the directory");
    let script = "mkdir disk; mount --bind disk disk; mount -o remount,bind,ro disk; exec \"$@\"";
    let text = "seedrng: fatal: unable to open directory: disk/seeds: read-only file system\n";
    assert_eq!(case.run_apart(&["disk/seeds"], script), Output::exit(1, "", text));
}

/// On a disk without a byte left the old seed makes room for the new one.
#[test]
fn adds_full_disk_with_an_old_seed() {
    if !needs(&["namespaces"]) {
        return;
    }
    let Some(case) = Case::with_both() else { return };
    let script =
        "mkdir full; mount -t tmpfs -o mode=700,size=12k none full; cp -p seeds/* full; mount --move full seeds
        cat /dev/zero >seeds/filler 2>/dev/null || :
        \"$@\"; ls seeds; stat -c %s seeds/seed.credit";
    let expected = format!("filler\nseed.credit\n{}\n", new_length());
    assert_eq!(case.run_apart(&["seeds"], script), Output::exit(0, &expected, ""));
    assert_eq!(case.told(), [(0, seed(100, 1)), (800, seed(100, 2))]);
}

#[test]
fn adds_full_disk_without_an_old_seed() {
    if !needs(&["namespaces"]) {
        return;
    }
    let Some(case) = Case::new() else { return };
    let script = "mkdir seeds; mount -t tmpfs -o mode=700,size=8k none seeds
        cat /dev/zero >seeds/filler 2>/dev/null || :
        \"$@\" || echo $?; rm seeds/filler; stat -c '%n %s' seeds/*; \"$@\"; stat -c '%n %s' seeds/*";
    let expected = format!("32\nseeds/seed.no-credit 0\nseeds/seed.credit {}\n", new_length());
    let output = Output::exit(0, &expected, &warning("write seed.no-credit", "out of disk space"));
    assert_eq!(case.run_apart(&["seeds"], script), output);
}

#[test]
fn adds_disk_without_a_file_left() {
    if !needs(&["namespaces"]) {
        return;
    }
    let Some(case) = Case::new() else { return };
    let script = "mkdir seeds; mount -t tmpfs -o mode=700,nr_inodes=2 none seeds; >seeds/filler
        \"$@\" || echo $?; ls seeds; rm seeds/filler; \"$@\"; ls seeds";
    let output = Output::exit(0, "16\nfiller\nseed.credit\n", &warning("create seed.no-credit", "out of disk space"));
    assert_eq!(case.run_apart(&["seeds"], script), output);
}

#[test]
fn adds_limit_of_the_size_of_files() {
    let Some(case) = Case::with_both() else { return };
    if !may_seed() {
        // The limit is that of `strace`, too, which could not write its trace.
        return skip("the kernel does not let itself be seeded here");
    }
    let output = case.scratch.run("sh", &["-c", "ulimit -f 0; exec seedrng seeds"]);
    // What is said goes to a file that has the same limit.
    assert_eq!(output, Output::exit(32, "", ""));
    assert_eq!(case.files(), BTreeMap::from([(UNCREDITED.to_owned(), Vec::new())]));
}

/// That nobody reads a message is no reason to leave the disk without a seed.
#[test]
fn adds_message_that_nobody_reads() {
    let Some(case) = Case::new() else { return };
    if !may_seed() {
        return skip("the kernel does not let itself be seeded here");
    }
    make_directory(&case.directory());
    symlink("nowhere", case.path(CREDITED)).expect("a link");
    let script = "mkfifo pipe; exec 3<>pipe 4>pipe; exec 3<&-; exec seedrng seeds 2>&4";
    let output = case.scratch.run("sh", &["-c", script]);
    assert_eq!(output, Output::exit(4, "", ""));
    case.only(CREDITED);
}
