//! `pause`: stays, does nothing, and goes when it is told to.

use nix::sys::signal::Signal;
use support::{Ending, Scratch, context_switches, process_state, wait_until};

fn ends_by(signal: Signal) {
    let scratch = Scratch::new();
    let mut pause = scratch.start(scratch.command("pause"), Signal::SIGKILL);
    wait_until("sleep of pause", || (process_state(pause.pid()) == Some('S')).then_some(()));
    assert_eq!(pause.try_wait(), None);
    pause.signal(signal);
    let ending = pause.wait();
    assert!(ending == Ending::Exit(0) || ending == Ending::Signal(signal as i32), "{ending:?}");
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
