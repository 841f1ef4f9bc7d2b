//! Each call fails in its turn, as `strace` has it: its bit in the exit code, one message, and nothing used twice.

use std::collections::BTreeMap;

use support::{Output, needs, skip};

use crate::case::{CREDITED, Case, Told, UNCREDITED, fatal, may_seed, new_length, seed, warning};

/// The only file that is there after a run.
#[derive(Clone, Copy, PartialEq)]
enum Left {
    /// A new seed that is worth something.
    Credited,
    /// One that is not.
    Uncredited,
    /// What could not be written.
    Piece,
    /// None.
    Nothing,
}

/// One call that fails with both seeds there: the rule for it, the exit code, what could not be done and why, which of
/// the seeds (2: that of no worth, 4: the other one) the kernel gets, and what is left.
struct Fault(&'static str, i32, &'static str, &'static str, &'static [u8], Left);

const IO: &str = "input/output error";
const FULL: &str = "out of disk space";

const FAULTS: [Fault; 14] = [
    Fault("read:error=EIO:when=1", 2, "read seed.no-credit", IO, &[4], Left::Credited),
    Fault("read:error=EIO:when=2", 4, "read seed.credit", IO, &[2], Left::Credited),
    Fault("unlinkat:error=EIO:when=1", 2, "remove seed.no-credit", IO, &[4], Left::Credited),
    Fault("unlinkat:error=EPERM:when=2", 4, "remove seed.credit", "permission denied", &[2], Left::Credited),
    Fault("fsync:error=EIO:when=1", 2, "remove seed.no-credit", IO, &[4], Left::Credited),
    Fault("fsync:error=EIO:when=2", 4, "remove seed.credit", IO, &[2], Left::Credited),
    Fault("ioctl:error=EINVAL:when=2", 2, "use seed.no-credit", "invalid argument", &[2, 4], Left::Credited),
    Fault("ioctl:error=EINVAL:when=3", 4, "use seed.credit", "invalid argument", &[2, 4], Left::Credited),
    Fault("openat:error=ENOSPC:when=6", 16, "create seed.no-credit", FULL, &[2, 4], Left::Nothing),
    Fault("write:error=ENOSPC:when=1", 32, "write seed.no-credit", FULL, &[2, 4], Left::Piece),
    Fault("write:retval=5:when=1", 32, "write seed.no-credit", FULL, &[2, 4], Left::Piece),
    Fault("write:retval=0:when=1", 32, "write seed.no-credit", FULL, &[2, 4], Left::Piece),
    Fault("fsync:error=EIO:when=3", 32, "write seed.no-credit", IO, &[2, 4], Left::Uncredited),
    Fault("renameat:error=EIO", 64, "rename seed.no-credit", IO, &[2, 4], Left::Uncredited),
];

#[test]
fn adds_each_fault_has_its_bit() {
    for Fault(rule, code, what, reason, used, left) in FAULTS {
        let Some(case) = Case::with_both() else { return };
        if rule.starts_with("ioctl") && !may_seed() {
            skip("the kernel does not let itself be seeded here");
            continue;
        }
        assert_eq!(case.run_with(&[rule]), Output::exit(code, "", &warning(what, reason)), "{rule}");
        let told = |bit: &u8| -> Told { if *bit == 2 { (0, seed(100, 1)) } else { (800, seed(100, 2)) } };
        assert_eq!(case.told(), used.iter().map(told).collect::<Vec<_>>(), "{rule}");
        let files = case.files();
        let expected = match left {
            Left::Credited => vec![(CREDITED, new_length())],
            Left::Uncredited => vec![(UNCREDITED, new_length())],
            Left::Piece => vec![(UNCREDITED, 0)],
            Left::Nothing => vec![],
        };
        let lengths: Vec<_> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.len())).collect();
        assert_eq!(lengths, expected, "{rule}");
        assert!(files.values().all(|bytes| *bytes != seed(100, 1) && *bytes != seed(100, 2)), "{rule}");
        // The next run makes good for it.
        case.run_well();
        case.only(CREDITED);
    }
}

/// Without random numbers the new seed is a hash of the old ones, and worth nothing; there is nothing of an old one in it.
#[test]
fn adds_kernel_without_random_numbers() {
    if !needs(&["namespaces"]) {
        return;
    }
    for (rule, reason) in [("read:error=EIO:when=4", IO), ("read:retval=511:when=4", "temporary failure")] {
        let Some(case) = Case::with_both() else { return };
        let expected = Output::exit(8, "", &warning("get bytes for seed.no-credit", reason));
        assert_eq!(case.run_with_large_pool(&["getrandom:error=ENOSYS", rule]), expected);
        let files = case.files();
        assert_eq!(files.keys().collect::<Vec<_>>(), [UNCREDITED]);
        let new = &files[UNCREDITED];
        assert_eq!(new.len(), 32);
        let is_old = |salt| seed(100, salt).windows(8).any(|part| new.windows(8).any(|other| other == part));
        assert!(!is_old(1) && !is_old(2), "{new:?}");
    }
}

#[test]
fn adds_faults_come_together() {
    let Some(case) = Case::with_both() else { return };
    let output = case.run_with(&["unlinkat:error=EROFS", "openat:error=EROFS:when=6"]);
    let text = [
        warning("remove seed.no-credit", "read-only file system"),
        warning("remove seed.credit", "read-only file system"),
        warning("create seed.no-credit", "read-only file system"),
    ];
    assert_eq!(output, Output::exit(2 | 4 | 16, "", &text.concat()));
    assert_eq!(case.told(), []);
    let both = BTreeMap::from([(UNCREDITED.to_owned(), seed(100, 1)), (CREDITED.to_owned(), seed(100, 2))]);
    assert_eq!(case.files(), both);
}

/// Without `/proc` the smallest length will do.
#[test]
fn adds_size_of_the_pool_need_not_be_known() {
    let Some(case) = Case::new() else { return };
    assert_eq!(case.run_with(&["openat:error=ENOENT:when=5"]), Output::exit(0, "", ""));
    assert_eq!(case.files()[CREDITED].len(), 32);
}

#[test]
fn adds_setup_that_fails_changes_nothing() {
    let rows = [
        ("openat:error=ENOENT:when=1", "seed the kernel", "file does not exist"),
        ("openat:error=EACCES:when=2", "open directory", "access denied"),
        ("fstat:error=EIO:when=1", "open directory", "input/output error"),
        ("flock:error=ENOLCK", "lock directory", "no locks available"),
        ("mkdirat:error=EROFS", "open directory", "read-only file system"),
        ("ioctl:error=EPERM:when=1", "seed the kernel", "permission denied"),
        ("ioctl:error=ENOTTY:when=1", "seed the kernel", "not a tty"),
    ];
    let Some(case) = Case::with_both() else { return };
    let before = case.files();
    for (rule, what, reason) in rows {
        assert_eq!(case.run_with(&[rule]), Output::exit(1, "", &fatal(what, reason)), "{rule}");
        assert_eq!(case.files(), before, "{rule}");
    }
    case.run_well();
}
