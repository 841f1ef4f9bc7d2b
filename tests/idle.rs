//! An idle system makes no wake-up: the context switches of pid 1, `runsvdir` and `runsv` stand still.
//!
//! The ten seconds here are what is measured over, nothing is waited for.

use std::time::Duration;

use nix::sys::signal::Signal;
use support::{
    LISTEN, Machine, Root, Scratch, children, command_line, context_switches, is_alive, needs, process_state,
    wait_until,
};

const INTERVAL: Duration = Duration::from_secs(10);

/// Counts until they stand still for a moment: what was started has then come to rest.
fn wait_at_rest(pids: &[u32]) {
    let mut before = None;
    wait_until("processes at rest", || {
        let now: Vec<u64> = pids.iter().map(|pid| context_switches(*pid)).collect();
        let is_quiet = before.as_ref() == Some(&now) && pids.iter().all(|pid| process_state(*pid) == Some('S'));
        before = Some(now);
        std::thread::sleep(Duration::from_millis(300));
        is_quiet.then_some(())
    });
}

/// The processes that switched in the interval, with how often.
fn switches_in_interval(pids: &[u32]) -> Vec<(u64, String)> {
    wait_at_rest(pids);
    let before: Vec<u64> = pids.iter().map(|pid| context_switches(*pid)).collect();
    std::thread::sleep(INTERVAL);
    let gone: Vec<_> = pids.iter().filter(|pid| !is_alive(**pid)).collect();
    assert_eq!(gone, [] as [&u32; 0], "ended while they were watched");
    let all =
        pids.iter().zip(before).map(|(pid, before)| (context_switches(*pid) - before, command_line(*pid).join(" ")));
    all.filter(|(count, _)| *count > 0).collect()
}

#[test]
fn mends_idle_supervision_makes_no_wake_up() {
    let scratch = Scratch::new();
    scratch.directory("scan");
    let services: Vec<_> = (0..5).map(|number| scratch.service(&format!("scan/plain{number}")).run(LISTEN)).collect();
    let logged = scratch.service("scan/logged").run("exec sleep 1000").log_run("exec cat");
    let down = scratch.service("scan/down").run(LISTEN).down();
    let runsvdir = scratch.runsvdir(&["scan"]);
    for service in &services {
        service.wait_running();
    }
    logged.wait_running();
    wait_until("a supervisor", || down.is_supervised().then_some(()));
    let mut pids = children(runsvdir.pid());
    assert_eq!(pids.len(), 7);
    pids.push(runsvdir.pid());
    assert_eq!(switches_in_interval(&pids), []);
}

/// After all that can leave a timer behind: a restart, a crash, a pause, a stop, a new and a removed service.
#[test]
fn mends_idle_again_after_work() {
    let scratch = Scratch::new();
    scratch.directory("scan");
    let web = scratch.service("scan/web").run(LISTEN);
    let runsvdir = scratch.runsvdir(&["scan"]);
    let first = web.wait_running();
    web.wait_lines("starts", 1);
    support::send_signal(first, Signal::SIGKILL);
    web.wait_running_other_than(first);
    web.wait_lines("starts", 2);
    web.send("pcd");
    web.wait_stat("down");
    web.send("u");
    web.wait_running();
    let late = scratch.service("late").run(LISTEN);
    std::os::unix::fs::symlink("../late", scratch.path().join("scan/late")).expect("a link");
    late.wait_running();
    std::fs::remove_file(scratch.path().join("scan/late")).expect("a link");
    wait_until("the end of the removed one", || (children(runsvdir.pid()).len() == 1).then_some(()));
    let mut pids = children(runsvdir.pid());
    pids.push(runsvdir.pid());
    assert_eq!(switches_in_interval(&pids), []);
}

#[test]
fn mends_idle_pid_1_makes_no_wake_up() {
    if !needs(&["namespaces", "busybox"]) {
        return;
    }
    let scratch = Scratch::new();
    let root =
        Root::create(&scratch).stage("1", "echo one").stage("2", "echo two; exec sleep 1000").stage("3", "echo three");
    let machine = Machine::boot(&scratch, &root);
    machine.wait_console("\ntwo\n");
    assert_eq!(switches_in_interval(&[machine.pid()]), []);
}
