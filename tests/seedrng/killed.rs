//! A run that is killed at each of its system calls.

use nix::libc;
use nix::sys::signal::Signal;
use support::skip;
use support::tracer::{self, Run};

use crate::case::{CREDITED, Case, UNCREDITED, may_seed, new_length, seed};

/// The calls of a run that was killed before its call `kill_at`, as numbers; all of them if it ended before.
fn run_killed(case: &Case, kill_at: usize) -> (Run, Vec<i64>) {
    let mut command = case.scratch.command("seedrng");
    command.arg("seeds");
    tracer::prepare(&mut command);
    let mut seedrng = case.scratch.start(command, Signal::SIGKILL);
    let pid = seedrng.pid();
    let mut calls = Vec::new();
    let run = tracer::run(pid, kill_at, |number| {
        if number < kill_at {
            calls.push(support::system_call(pid).expect("a call"));
        }
    });
    seedrng.wait();
    (run, calls)
}

/// At each call: a seed that was used is found nowhere, and only what is whole and on the disk is worth something.
#[test]
fn adds_killed_at_each_call() {
    let Some(case) = Case::new() else { return };
    if !may_seed() {
        return skip("the kernel does not let itself be seeded here");
    }
    let (old_uncredited, old_credited) = (seed(100, 1), seed(100, 2));
    for kill_at in 1.. {
        case.put(UNCREDITED, &old_uncredited);
        case.put(CREDITED, &old_credited);
        let (run, calls) = run_killed(&case, kill_at);
        let count = |wanted: i64| calls.iter().filter(|call| **call == wanted).count();
        let files = case.files();
        let what = format!("killed at {kill_at}, after {calls:?}: {files:?}");
        assert!(files.keys().all(|name| name == CREDITED || name == UNCREDITED), "{what}");
        let found = |old: &Vec<u8>| files.values().any(|bytes| bytes == old);
        // The first time it only asks.
        let used = count(libc::SYS_ioctl);
        assert!(used < 2 || !found(&old_uncredited), "{what}");
        assert!(used < 3 || !found(&old_credited), "{what}");
        // Each was taken off the disk before.
        assert!(used < 2 || count(libc::SYS_fsync) >= used - 1, "{what}");
        match files.get(CREDITED) {
            Some(bytes) if *bytes == old_credited => {}
            Some(bytes) => assert_eq!((bytes.len(), count(libc::SYS_fsync) >= 3), (new_length(), true), "{what}"),
            None => {}
        }
        if matches!(run, Run::Ended(_)) {
            assert!(kill_at > 30, "{what}");
            support::figure(&format!("system calls seedrng was killed at: {}", kill_at - 1));
            break;
        }
        // The next one finds its way, and uses what is left.
        let left: Vec<Vec<u8>> = files.into_values().collect();
        case.run_well();
        let told: Vec<Vec<u8>> = case.told().into_iter().map(|(_, seed)| seed).collect();
        assert!(told.len() == left.len() && left.iter().all(|seed| told.contains(seed)), "{what}");
        case.only(CREDITED);
    }
}
