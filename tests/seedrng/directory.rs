//! Who may do it, and where.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};

use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::Signal;
use support::{Account, Conditions, Ending, Output, Supervisor, needs};

use crate::case::{CREDITED, Case, fatal, seed, told};

/// What must not be lost is not touched by those who cannot use it.
#[test]
fn adds_others_than_root_change_nothing() {
    let Some(mut case) = Case::with_both() else { return };
    case.scratch.use_copied_programs();
    let account = Account::new();
    account.own(case.scratch.path());
    let before = case.files();
    for directory in ["seeds", "new"] {
        let mut command = case.scratch.command("seedrng");
        command.arg(directory);
        Conditions::new().user(account).prepare(&mut command);
        let text = format!("seedrng: fatal: unable to seed the kernel: {directory}: permission denied\n");
        assert_eq!(case.scratch.output(command), Output::exit(1, "", &text));
    }
    assert_eq!(case.files(), before);
    assert!(!case.scratch.path().join("new").exists());
}

/// As in a container.
#[test]
fn adds_root_without_the_right_changes_nothing() {
    if !needs(&["setpriv"]) {
        return;
    }
    let Some(case) = Case::with_both() else { return };
    let before = case.files();
    let mut command = case.scratch.command("setpriv");
    command.arg("--bounding-set=-sys_admin").arg(case.scratch.programs().join("seedrng")).arg("seeds");
    assert_eq!(case.scratch.output(command), Output::exit(1, "", &fatal("seed the kernel", "permission denied")));
    assert_eq!(case.files(), before);
}

// ---- the directory

#[test]
fn adds_directory_must_be_one_and_of_root() {
    let Some(case) = Case::with_both() else { return };
    let before = case.files();
    let run = |directory: &str, reason: &str| {
        let output = case.scratch.output(case.traced(&[], &[directory]));
        let text = format!("seedrng: fatal: unable to open directory: {directory}: {reason}\n");
        assert_eq!(output, Output::exit(1, "", &text));
    };
    case.scratch.file("file", "");
    symlink("seeds", case.scratch.path().join("link")).expect("a link");
    symlink("nowhere", case.scratch.path().join("dangling")).expect("a link");
    run("file", "not a directory");
    run("link", "not a directory");
    run("dangling", "not a directory");
    run("missing/seeds", "file does not exist");
    run("file/seeds", "not a directory");
    run("", "file does not exist");
    for (mode, owner) in [(0o720, 0), (0o702, 0), (0o1777, 0), (0o700, 1234)] {
        std::fs::set_permissions(case.directory(), Permissions::from_mode(mode)).expect("a mode");
        std::os::unix::fs::chown(case.directory(), Some(owner), None).expect("an owner");
        run("seeds", "permission denied");
    }
    assert_eq!(case.files(), before);
    std::os::unix::fs::chown(case.directory(), Some(0), None).expect("an owner");
    std::fs::set_permissions(case.directory(), Permissions::from_mode(0o755)).expect("a mode");
    case.run_well();
    case.only(CREDITED);
}

#[test]
fn adds_lock_that_is_held_is_not_waited_for() {
    let Some(case) = Case::with_both() else { return };
    let before = case.files();
    let opened = std::fs::File::open(case.directory()).expect("the directory");
    let lock = Flock::lock(opened, FlockArg::LockExclusive).expect("its lock");
    assert_eq!(case.run_with(&[]), Output::exit(1, "", &fatal("lock directory", "temporary failure")));
    assert_eq!(case.files(), before);
    drop(lock);
    case.run_well();
}

#[test]
fn adds_many_at_once_use_each_seed_once() {
    let Some(case) = Case::with_both() else { return };
    let start = |number: usize| {
        let mut command = case.scratch.command("strace");
        let own = format!("trace-{number}");
        let traced = case.traced(&[], &["seeds"]);
        command.args(traced.get_args().map(|word| if word == "trace" { own.as_ref() } else { word }));
        case.scratch.start(command, Signal::SIGKILL)
    };
    let mut all: Vec<Supervisor> = (0..8).map(start).collect();
    let outputs: Vec<Output> = all.iter_mut().map(Supervisor::output).collect();
    let locked = Output::exit(1, "", &fatal("lock directory", "temporary failure"));
    assert!(outputs.iter().any(|output| output.ending == Ending::Exit(0)), "{outputs:?}");
    for output in outputs {
        assert!(output == locked || output == Output::exit(0, "", ""), "{output:?}");
    }
    case.only(CREDITED);
    let mut seeds: Vec<Vec<u8>> = Vec::new();
    for number in 0..8 {
        let text = std::fs::read_to_string(case.scratch.path().join(format!("trace-{number}"))).expect("a trace");
        let calls = text.lines().filter_map(|line| told(line.rsplit_once(" = ")?.0.trim()));
        seeds.extend(calls.map(|(_, seed)| seed).filter(|seed| !seed.is_empty()));
    }
    let count = seeds.len();
    seeds.sort();
    seeds.dedup();
    assert_eq!(seeds.len(), count);
    assert!(seeds.contains(&seed(100, 1)) && seeds.contains(&seed(100, 2)));
}
