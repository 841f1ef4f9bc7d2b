//! `pause`: stays, does nothing, and goes when it is told to.

use nix::sys::signal::Signal;
use support::{Ending, Scratch, Supervisor, context_switches, polls, process_state, wait_until, waits};

fn ends_by(signal: Signal) {
    let scratch = Scratch::new();
    let mut pause = scratch.start(scratch.command("pause"), Signal::SIGKILL);
    wait_until("sleep of pause", || (process_state(pause.pid()) == Some('S')).then_some(()));
    assert_eq!(pause.try_wait(), None);
    pause.signal(signal);
    assert_eq!(pause.wait(), Ending::Exit(0));
    assert_eq!((pause.stdout(), pause.stderr()), (String::new(), String::new()));
}

#[test]
fn adds_pause_ends_by_term() {
    ends_by(Signal::SIGTERM);
}

#[test]
fn adds_pause_ends_by_int() {
    ends_by(Signal::SIGINT);
}

/// A shell that is no terminal's has what it starts in the background ignore INT.
#[test]
fn adds_pause_ends_by_what_it_was_started_to_ignore() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let scratch = Scratch::new();
        let mut command = scratch.command("sh");
        command.args(["-c", "trap '' TERM INT; exec pause and more words"]);
        let mut pause = scratch.start(command, Signal::SIGKILL);
        wait_until("sleep of pause", || polls(pause.pid()).then_some(()));
        pause.signal(signal);
        assert_eq!(pause.wait(), Ending::Exit(0));
    }
}

#[test]
fn adds_pause_ignores_hup_alone() {
    let scratch = Scratch::new();
    let mut pause = scratch.start(scratch.command("pause"), Signal::SIGKILL);
    wait_until("sleep of pause", || polls(pause.pid()).then_some(()));
    pause.signal(Signal::SIGHUP);
    wait_until("a signal that is taken", || waits(pause.pid()).then_some(()));
    assert_eq!(pause.try_wait(), None);
    pause.signal(Signal::SIGUSR1);
    assert_eq!(pause.wait(), Ending::Signal(Signal::SIGUSR1 as i32));
}

/// KiB that only this process has, and that were written to.
fn private_dirty(process: &Supervisor) -> u32 {
    let text = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", process.pid())).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Private_Dirty:"));
    line.and_then(|rest| rest.trim().strip_suffix(" kB")?.trim().parse().ok()).expect("a number of KiB")
}

/// One page of stack, beside one or two in which the kernel laid words and variables, wherever it chose to.
#[test]
fn adds_pause_takes_one_page_of_stack() {
    if !std::path::Path::new("/proc/self/smaps_rollup").exists() {
        return support::skip("needs smaps_rollup: Linux 4.14");
    }
    let scratch = Scratch::new();
    let pauses: Vec<_> = (0..25).map(|_| scratch.start(scratch.command("pause"), Signal::SIGKILL)).collect();
    let mut all: Vec<u32> = pauses
        .iter()
        .map(|pause| {
            wait_until("sleep of pause", || polls(pause.pid()).then_some(()));
            private_dirty(pause)
        })
        .collect();
    all.sort_unstable();
    let (least, median, most) = (all[0], all[all.len() / 2], all[all.len() - 1]);
    support::figure(&format!("private dirty memory of a pause: least {least}, median {median}, most {most} KiB"));
    assert!(median <= 8 && most <= 16, "{all:?}");
}

#[test]
fn adds_pause_takes_no_time() {
    let scratch = Scratch::new();
    let pause = scratch.start(scratch.command("pause"), Signal::SIGKILL);
    wait_until("sleep of pause", || (process_state(pause.pid()) == Some('S')).then_some(()));
    let before = context_switches(pause.pid());
    // An interval to measure over, nothing is waited for.
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(context_switches(pause.pid()), before);
}

/// As the run script of a service that holds the place of something.
#[test]
fn adds_pause_is_a_service() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run("exec pause");
    let _runsv = scratch.supervise(&service);
    service.wait_running();
    wait_until("exec of pause", || {
        support::command_line(service.status().pid).iter().any(|word| word == "pause").then_some(())
    });
    service.send("d");
    service.wait_stat("down");
}
