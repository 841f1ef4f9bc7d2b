//! A runsvdir that was killed, and the next one over the same directory (F2, K58): the supervisors that the old one left
//! go on, and answer to the new one.

use nix::sys::signal::Signal;
use support::{Ending, Scan, Service, Supervisor, find_runsv, is_alive, runsv_of, send_signal, wait_gone};

/// Kills runsvdir, and waits until it is gone.
fn kill(mut runsvdir: Supervisor) {
    runsvdir.signal(Signal::SIGKILL);
    runsvdir.wait();
}

#[test]
fn mends_k58_old_supervisors_are_left_alone() {
    let scan = Scan::new();
    let (web, other) = (scan.service("web"), scan.service("other"));
    scan.link("web");
    scan.link("other");
    let first = scan.start();
    let pids = [web.wait_running(), other.wait_running()];
    let supervisors = ["web", "other"].map(|name| runsv_of(&first, name));
    web.wait_lines("starts", 1);
    kill(first);
    let second = scan.start();
    for round in 0..3 {
        scan.fence(&format!("fence{round}"));
    }
    assert_eq!([web.wait_stat("run").pid, other.wait_stat("run").pid], pids);
    assert_eq!(supervisors.map(is_alive), [true, true]);
    assert_eq!((find_runsv(second.pid(), "web"), find_runsv(second.pid(), "other")), (None, None));
    web.send("h");
    web.wait_line("signals", "HUP");
    assert_eq!((web.lines("starts").len(), second.stderr().as_str()), (1, ""));
}

#[test]
fn mends_k58_old_supervisor_that_ends_is_replaced() {
    let scan = Scan::new();
    let web = scan.service("web");
    scan.link("web");
    let first = scan.start();
    let pid = web.wait_running();
    let old = runsv_of(&first, "web");
    web.wait_lines("starts", 1);
    kill(first);
    let second = scan.start();
    scan.fence("fence");
    send_signal(old, Signal::SIGKILL);
    wait_gone(old);
    let new = runsv_of(&second, "web");
    web.wait_extension("the new supervisor", |_, extension| extension.supervisor == new);
    assert_eq!((web.wait_stat("run").pid, web.lines("starts").len()), (pid, 1));
}

#[test]
fn mends_k58_old_supervisor_of_a_removed_link_ends() {
    let scan = Scan::new();
    let (web, other) = (scan.service("web"), scan.service("other"));
    scan.link("web");
    scan.link("other");
    let first = scan.start();
    let (pid, untouched) = (web.wait_running(), other.wait_running());
    let supervisor = runsv_of(&first, "web");
    web.wait_lines("starts", 1);
    kill(first);
    let _second = scan.start();
    scan.fence("fence");
    scan.unlink("web");
    wait_gone(supervisor);
    assert!(!is_alive(pid));
    assert_eq!((web.stat().as_str(), other.wait_stat("run").pid), ("down\n", untouched));
}

#[test]
fn mends_k58_hup_reaches_old_supervisors() {
    let scan = Scan::new();
    let web = scan.service("web");
    scan.link("web");
    let first = scan.start();
    let pid = web.wait_running();
    let supervisor = runsv_of(&first, "web");
    web.wait_lines("starts", 1);
    kill(first);
    let mut second = scan.start();
    scan.fence("fence");
    second.signal(Signal::SIGHUP);
    assert_eq!(second.wait(), Ending::Exit(111));
    wait_gone(supervisor);
    assert!(!is_alive(pid));
    assert_eq!(web.stat(), "down\n");
}

/// Killed again and again: nobody fights for a lock, and nothing is started twice.
#[test]
fn mends_f2_many_kills_in_a_row_disturb_nothing() {
    let scan = Scan::new();
    let names: Vec<String> = (0..10).map(|number| format!("s{number}")).collect();
    let all: Vec<Service> = names.iter().map(|name| scan.service(name)).collect();
    for name in &names {
        scan.link(name);
    }
    let mut runsvdir = scan.start();
    let pids: Vec<u32> = all.iter().map(Service::wait_running).collect();
    for service in &all {
        service.wait_lines("starts", 1);
    }
    for round in 0..5 {
        kill(runsvdir);
        runsvdir = scan.start();
        scan.fence(&format!("fence{round}"));
    }
    assert_eq!(all.iter().map(|service| service.wait_stat("run").pid).collect::<Vec<_>>(), pids);
    assert!(all.iter().all(|service| service.lines("starts").len() == 1));
    assert_eq!(runsvdir.stderr(), "");
}
