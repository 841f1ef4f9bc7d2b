//! The file `process-group` in a service directory: signals reach all that `./run` has started, and nothing of it
//! outlives `./run`. Without the file only the one process is signalled, as ever.

use nix::sys::signal::Signal;
use support::{
    Ending, LISTEN, Scratch, Service, Supervisor, is_alive, process_fields, process_state, send_signal, wait_until,
};

/// A run script with a child that notes its signals in `child-signals`; both stay until they are killed, and the parent
/// ends on TERM. It is ready when both have noted their pids.
const WITH_CHILD: &str = "\
(
    for signal in HUP USR1 USR2 ALRM CONT TERM; do trap \"echo $signal >>child-signals\" $signal; done
    sh -c 'echo $PPID >>children'
    while :; do sleep 1000 >/dev/null 2>&1 & wait $!; done
) &
for signal in HUP USR1 USR2 ALRM CONT; do trap \"echo $signal >>signals\" $signal; done
trap 'echo TERM >>signals; exit 0' TERM
echo $$ >>starts
while :; do sleep 1000 >/dev/null 2>&1 & wait $!; done
";

struct Family {
    service: Service,
    runsv: Supervisor,
    parent: u32,
    child: u32,
}

impl Family {
    fn start(scratch: &Scratch, service: Service) -> Family {
        let runsv = scratch.supervise(&service);
        service.wait_lines("starts", 1);
        let child = service.wait_lines("children", 1)[0].parse().expect("a pid");
        let parent = service.wait_running();
        Family { service, runsv, parent, child }
    }
}

fn group(pid: u32) -> String {
    process_fields(pid).expect("a process")[2].clone()
}

fn session(pid: u32) -> String {
    process_fields(pid).expect("a process")[3].clone()
}

fn wait_gone(pid: u32) {
    wait_until(&format!("the end of process {pid}"), || (!is_alive(pid)).then_some(()));
}

#[test]
fn without_the_file_only_run_is_signalled() {
    let scratch = Scratch::new();
    let family = Family::start(&scratch, scratch.service("web").run(WITH_CHILD));
    assert_eq!(group(family.parent), group(family.runsv.pid()));
    family.service.send("1");
    family.service.wait_line("signals", "USR1");
    family.service.send("d");
    family.service.wait_stat("down");
    assert!(is_alive(family.child), "runit leaves it to itself");
    assert_eq!(family.service.lines("child-signals").len(), 0);
}

#[test]
fn adds_the_file_makes_a_group_in_the_same_session() {
    let scratch = Scratch::new();
    let family = Family::start(&scratch, scratch.service("web").run(WITH_CHILD).file("process-group", ""));
    assert_eq!(group(family.parent), family.parent.to_string());
    assert_eq!(group(family.child), family.parent.to_string());
    assert_eq!(session(family.parent), session(family.runsv.pid()));
}

#[test]
fn adds_signals_reach_the_whole_group() {
    let scratch = Scratch::new();
    let family = Family::start(&scratch, scratch.service("web").run(WITH_CHILD).file("process-group", ""));
    for (byte, signal) in [("h", "HUP"), ("a", "ALRM"), ("1", "USR1"), ("2", "USR2"), ("c", "CONT")] {
        family.service.send(byte);
        family.service.wait_line("signals", signal);
        family.service.wait_line("child-signals", signal);
    }
    family.service.send("p");
    for pid in [family.parent, family.child] {
        wait_until(&format!("process {pid} to stop"), || (process_state(pid)? == 'T').then_some(()));
    }
    family.service.send("c");
    for pid in [family.parent, family.child] {
        wait_until(&format!("process {pid} to go on"), || (process_state(pid)? != 'T').then_some(()));
    }
}

/// K16: the child is deaf to TERM, and gone all the same.
#[test]
fn mends_k16_nothing_of_the_group_outlives_run() {
    for bytes in ["d", "t", "x", "k"] {
        let scratch = Scratch::new();
        let mut family = Family::start(&scratch, scratch.service("web").run(WITH_CHILD).file("process-group", ""));
        family.service.send(bytes);
        wait_gone(family.parent);
        wait_gone(family.child);
        match bytes {
            "d" => drop(family.service.wait_stat("down")),
            "x" => assert_eq!(family.runsv.wait(), Ending::Exit(0)),
            _ => drop(family.service.wait_lines("starts", 2)),
        }
    }
}

#[test]
fn adds_what_is_left_is_killed_when_run_ends_by_itself() {
    let scratch = Scratch::new();
    let service =
        scratch.service("web").run("trap '' TERM HUP; sleep 1000 & echo $! >>children; read -r _ <gate; exit 3");
    let service = service.gate("gate").finish("echo $$ \"$@\" >>finishes; exec sleep 1000").file("process-group", "");
    let _runsv = scratch.supervise(&service);
    let left: u32 = service.wait_lines("children", 1)[0].parse().expect("a pid");
    service.wait_running();
    service.open_gate("gate");
    wait_gone(left);
    // Finish is none of it.
    let line = service.wait_lines("finishes", 1)[0].clone();
    let (finish, rest) = line.split_once(' ').expect("two words");
    let finish: u32 = finish.parse().expect("a pid");
    service.wait_stat("finish");
    assert!(is_alive(finish));
    assert_eq!(rest, "3 0");
    service.send("dk");
    service.wait_stat("down");
}

#[test]
fn adds_what_is_left_is_killed_when_run_is_killed_from_outside() {
    let scratch = Scratch::new();
    let family = Family::start(&scratch, scratch.service("web").run(WITH_CHILD).file("process-group", ""));
    send_signal(family.parent, Signal::SIGKILL);
    wait_gone(family.child);
    family.service.wait_lines("starts", 2);
}

/// Who made a session of its own has left the group, and is left alone.
#[test]
fn adds_who_left_the_group_is_left_alone() {
    if !support::needs(&["setsid"]) {
        return;
    }
    let scratch = Scratch::new();
    let service = scratch.service("web").run(
        "setsid sh -c 'echo $$ >>children; exec sleep 1000' &
        trap 'exit 0' TERM
        echo $$ >>starts
        while :; do sleep 1000 & wait $!; done",
    );
    let family = Family::start(&scratch, service.file("process-group", ""));
    family.service.send("d");
    family.service.wait_stat("down");
    assert!(is_alive(family.child));
}

#[test]
fn adds_the_file_is_looked_at_when_run_is_started() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN);
    let runsv = scratch.supervise(&service);
    service.wait_lines("starts", 1);
    let first = service.wait_running();
    assert_eq!(group(first), group(runsv.pid()));
    let service = service.file("process-group", "any\0thing");
    service.send("h");
    service.wait_line("signals", "HUP");
    service.send("t");
    service.wait_lines("starts", 2);
    let second = service.wait_running_other_than(first);
    assert_eq!(group(second), second.to_string());
    // It is gone, but the process is still the leader of its group.
    std::fs::remove_file(service.path().join("process-group")).expect("the file");
    service.send("t");
    service.wait_lines("starts", 3);
    let third = service.wait_running_other_than(second);
    assert_eq!(group(third), group(runsv.pid()));
}

#[test]
fn adds_the_log_has_a_group_of_its_own() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).log_run(WITH_CHILD).file("log/process-group", "");
    let runsv = scratch.supervise(&service);
    service.wait_lines("starts", 1);
    let log = service.log();
    log.wait_lines("starts", 1);
    let child: u32 = log.wait_lines("children", 1)[0].parse().expect("a pid");
    let logger = log.wait_running();
    assert_eq!(group(logger), logger.to_string());
    assert_eq!(group(child), logger.to_string());
    assert_eq!(group(service.wait_running()), group(runsv.pid()));
    log.send("d");
    log.wait_stat("down");
    wait_gone(child);
}

/// The signal of a time-out reaches all as well.
#[test]
fn adds_timeout_kill_is_for_the_whole_group() {
    let scratch = Scratch::new();
    let deaf = WITH_CHILD.replace("echo TERM >>signals; exit 0", "echo TERM >>signals");
    let service = scratch.service("web").run(&deaf).file("process-group", "").file("timeout-kill", "300");
    let family = Family::start(&scratch, service);
    family.service.send("d");
    wait_gone(family.parent);
    wait_gone(family.child);
    family.service.wait_line("signals", "TERM");
    family.service.wait_line("child-signals", "TERM");
    family.service.wait_stat("down");
}
