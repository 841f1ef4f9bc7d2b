//! Files in a service directory that change how a service is stopped: `down-signal`, `timeout-kill`, `timeout-finish`
//! and `process-group`, seen from outside. What they may hold is in `service_files_input.rs`.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use support::{
    Ending, LISTEN, LISTEN_AND_STAY, Output, Scratch, Service, Shown, State, Supervisor, is_alive, process_fields,
    send_signal, wait_until,
};

/// What none of the waits below may take on any machine.
const UPPER: Duration = Duration::from_secs(30);

fn wait_gone(pid: u32) {
    wait_until(&format!("the end of process {pid}"), || (!is_alive(pid)).then_some(()));
}

/// Starts a supervisor and waits until the traps of the service are set.
fn start(scratch: &Scratch, service: &Service) -> (Supervisor, u32) {
    let runsv = scratch.supervise(service);
    service.wait_lines("starts", 1);
    (runsv, service.wait_running())
}

fn signals(service: &Service) -> Vec<String> {
    let mut lines = service.lines("signals");
    lines.sort_unstable();
    lines
}

/// Sends control bytes, waits for the end of `pid`, and tells how long it took.
#[track_caller]
fn time_to_end(service: &Service, bytes: &str, pid: u32) -> Duration {
    let start = Instant::now();
    service.send(bytes);
    wait_gone(pid);
    start.elapsed()
}

// ---- down-signal

/// Every way to write one: the process has no traps, so finish is told which signal it was.
#[test]
fn adds_down_signal_takes_the_place_of_term() {
    let rows = [
        ("HUP\n", "-1 1"),
        ("SIGHUP\n", "-1 1"),
        ("hup", "-1 1"),
        ("sighup\r\n", "-1 1"),
        ("Int\n", "-1 2"),
        ("2\n", "-1 2"),
        ("KILL", "-1 9"),
        ("9", "-1 9"),
        ("USR1\nrubbish\n", "-1 10"),
        ("sigUSR2\t", "-1 12"),
        ("PIPE", "-1 13"),
        ("14\r\n", "-1 14"),
        ("SIGTERM\n", "-1 15"),
        ("015\n", "-1 15"),
        ("16", "-1 16"),
        ("VTALRM", "-1 26"),
        ("PWR\n", "-1 30"),
        ("34", "-1 34"),
        ("64\n", "-1 64"),
    ];
    let scratch = Scratch::new();
    let all: Vec<_> = rows
        .iter()
        .enumerate()
        .map(|(number, (contents, _))| {
            let service = scratch.service(&format!("web{number}")).run("echo >>starts; exec sleep 1000");
            let service = service.finish("echo \"$@\" >>finishes").file("down-signal", contents);
            let runsv = scratch.supervise(&service);
            (service, runsv)
        })
        .collect();
    for ((service, runsv), (contents, expected)) in all.iter().zip(&rows) {
        service.wait_lines("starts", 1);
        // Until exec, the shell is there.
        let pid = service.wait_running();
        wait_until("sleep", || (support::command_line(pid).first()? == "sleep").then_some(()));
        service.send("d");
        service.wait_stat("down");
        assert_eq!(service.lines("finishes"), [*expected], "{contents:?}: {}", runsv.stderr());
        assert_eq!(runsv.stderr(), "", "{contents:?}");
    }
}

#[test]
fn adds_down_signal_is_for_every_way_to_stop() {
    for (bytes, stat) in [("t", "run, got TERM"), ("d", "run, got TERM, want down"), ("x", "run, got TERM, want exit")]
    {
        let scratch = Scratch::new();
        let service = scratch.service("web").run(LISTEN_AND_STAY).file("down-signal", "USR1\n");
        let (_runsv, _) = start(&scratch, &service);
        service.send(bytes);
        service.wait_stat(stat);
        service.wait_line("signals", "USR1");
        let expected: &[&str] = if bytes == "t" { &["USR1"] } else { &["CONT", "USR1"] };
        wait_until("CONT", || (signals(&service) == expected).then_some(()));
        service.send("k");
    }
}

#[test]
fn adds_down_signal_is_used_when_the_supervisor_is_told_to_end() {
    let scratch = Scratch::new();
    let service = scratch
        .service("web")
        .run("trap 'echo HUP >>signals; exit 0' HUP; echo >>starts; while :; do sleep 1000 & wait $!; done");
    let service = service.file("down-signal", "HUP");
    let (mut runsv, pid) = start(&scratch, &service);
    send_signal(runsv.pid(), Signal::SIGTERM);
    assert_eq!(runsv.output(), Output::exit(0, "", ""));
    assert!(!is_alive(pid));
    assert_eq!(service.lines("signals"), ["HUP"]);
}

/// The commands that name a signal send that one, and a file for another does not come between.
#[test]
fn adds_down_signal_is_not_for_commands_that_name_a_signal() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN_AND_STAY).file("down-signal", "USR2\n");
    let (_runsv, pid) = start(&scratch, &service);
    for (byte, signal) in [("h", "HUP"), ("a", "ALRM"), ("i", "INT"), ("q", "QUIT"), ("1", "USR1"), ("c", "CONT")] {
        service.send(byte);
        service.wait_line("signals", signal);
    }
    assert!(!service.lines("signals").iter().any(|signal| signal == "USR2"), "{:?}", service.lines("signals"));
    service.send("k");
    wait_gone(pid);
}

#[test]
fn adds_down_signal_is_looked_at_when_it_is_used() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN_AND_STAY);
    let (_runsv, _) = start(&scratch, &service);
    let mut seen = Vec::new();
    for (contents, signal) in [(None, "TERM"), (Some("HUP"), "HUP"), (Some("USR1"), "USR1"), (None, "TERM")] {
        match contents {
            Some(contents) => drop(service.clone().file("down-signal", contents)),
            None => drop(std::fs::remove_file(service.path().join("down-signal"))),
        }
        service.send("t");
        seen.push(signal);
        wait_until(&format!("{seen:?}"), || (service.lines("signals") == seen).then_some(()));
    }
    service.send("dk");
}

#[test]
fn adds_down_signal_is_not_sent_if_a_control_script_took_over() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN_AND_STAY).file("down-signal", "USR1\n");
    let service = service.script("control/t", "echo >>scripts; exit 0");
    let (_runsv, _) = start(&scratch, &service);
    service.send("t2");
    service.wait_line("signals", "USR2");
    assert_eq!((service.lines("scripts").len(), signals(&service)), (1, vec!["USR2".to_owned()]));
    service.send("dk");
}

#[test]
fn adds_down_signal_of_the_log_is_the_log_s() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).log_run(LISTEN_AND_STAY).file("log/down-signal", "ALRM\n");
    let (_runsv, _) = start(&scratch, &service);
    let log = service.log();
    log.wait_lines("starts", 1);
    log.send("d");
    wait_until("the log's signals", || (signals(&log) == ["ALRM", "CONT"]).then_some(()));
    service.send("d");
    service.wait_stat("down");
    assert_eq!(service.lines("signals").iter().filter(|signal| *signal == "TERM").count(), 1);
    log.send("k");
    log.wait_stat("down");
}

// ---- timeout-kill

#[test]
fn adds_timeout_kill_ends_what_is_deaf() {
    for (bytes, want) in [("d", "down"), ("x", "exit"), ("t", "up")] {
        let scratch = Scratch::new();
        let service = scratch.service("web").run(LISTEN_AND_STAY).finish("echo \"$@\" >>finishes");
        let service = service.file("timeout-kill", "700\n");
        let (mut runsv, pid) = start(&scratch, &service);
        let took = time_to_end(&service, bytes, pid);
        assert!(took >= Duration::from_millis(700) && took < UPPER, "{bytes}: {took:?}");
        assert_eq!(service.wait_lines("finishes", 1), ["-1 9"], "{bytes}");
        assert!(service.lines("signals").contains(&"TERM".to_owned()), "{bytes}: no TERM before KILL");
        match want {
            "up" => drop(service.wait_lines("starts", 2)),
            "down" => drop(service.wait_stat("down")),
            _ => assert_eq!(runsv.wait(), Ending::Exit(0)),
        }
        let extension = service.extension().expect("an extension");
        assert_eq!((extension.failure, extension.failed_start), (5, 1), "{bytes}: {extension:?}");
    }
}

/// `sv` waits for as long as it takes, whatever SVWAIT says, and has nothing to kill itself.
#[test]
fn adds_timeout_kill_is_waited_for_by_sv() {
    for (word, line) in [
        ("stop", "ok: down: web: Ns, normally up\n"),
        ("force-stop", "ok: down: web: Ns, normally up\n"),
        ("shutdown", "ok: web: runsv not running\n"),
        ("force-shutdown", "ok: web: runsv not running\n"),
        ("restart", "ok: run: web: (pid P) Ns\n"),
    ] {
        let scratch = Scratch::new();
        let service = scratch.service("web").run(LISTEN_AND_STAY).file("timeout-kill", "1500");
        let (_runsv, pid) = start(&scratch, &service);
        let mut command = scratch.command("sv");
        command.args([word, "web"]).env("SVWAIT", "0");
        let begin = Instant::now();
        let output = scratch.output(command).without_numbers();
        let took = begin.elapsed();
        // A second is on top of it; a machine that needs more for one kill is too busy to judge.
        let late = output.ending == Ending::Exit(1) && took >= Duration::from_millis(2500);
        assert!(output == Output::exit(0, line, "") || late, "sv {word}: {output:?} after {took:?}");
        assert!(took >= Duration::from_millis(1500), "sv {word}: {took:?}");
        wait_gone(pid);
    }
}

#[test]
fn adds_timeout_kill_is_told_as_the_failure() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN_AND_STAY).file("timeout-kill", "100");
    let (_runsv, pid) = start(&scratch, &service);
    time_to_end(&service, "d", pid);
    let expected =
        [("state", "down"), ("failure", "killed after timeout-kill"), ("last-end", "signal 9"), ("failed-start", "1")];
    Shown::wait(&scratch, "web", &expected);
}

#[test]
fn adds_timeout_kill_gets_past_a_pause() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN_AND_STAY).file("timeout-kill", "200");
    let (_runsv, pid) = start(&scratch, &service);
    // TERM alone: there is no CONT with it, and the process sleeps on.
    service.send("p");
    service.wait_stat("run, paused");
    let took = time_to_end(&service, "t", pid);
    assert!(took >= Duration::from_millis(200) && took < UPPER, "{took:?}");
    service.wait_lines("starts", 2);
}

/// Without a number, or with 0, nothing is killed: not while another service waits for its own time.
#[test]
fn adds_no_timeout_kill_is_no_kill() {
    let scratch = Scratch::new();
    let patient: Vec<_> = [None, Some("0\n"), Some("00"), Some("4294967295")]
        .into_iter()
        .enumerate()
        .map(|(number, contents)| {
            let service = scratch.service(&format!("patient{number}")).run(LISTEN_AND_STAY);
            if let Some(contents) = contents {
                let _same = service.clone().file("timeout-kill", contents);
            }
            let (runsv, pid) = start(&scratch, &service);
            (service, runsv, pid)
        })
        .collect();
    let clock = scratch.service("clock").run(LISTEN_AND_STAY).file("timeout-kill", "1500");
    let (_runsv, pid) = start(&scratch, &clock);
    for (service, ..) in &patient {
        service.send("d");
    }
    time_to_end(&clock, "d", pid);
    for (service, runsv, pid) in &patient {
        assert!(is_alive(*pid), "{}", service.name());
        assert_eq!((service.stat().as_str(), runsv.stderr()), ("run, got TERM, want down\n", String::new()));
        service.send("k");
    }
}

/// One that obeys is not killed, and what is started after it has nothing to fear from the old deadline.
#[test]
fn adds_timeout_kill_does_not_hit_the_next_process() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).file("timeout-kill", "1500");
    let (_runsv, first) = start(&scratch, &service);
    service.send("t");
    let begin = Instant::now();
    wait_gone(first);
    service.wait_lines("starts", 2);
    let second = service.wait_running_other_than(first);
    wait_until("the deadline to be over", || (begin.elapsed() > Duration::from_millis(3000)).then_some(()));
    assert!(is_alive(second));
    Shown::of(&scratch, "web").assert(&[("starts", "2"), ("failure", "none"), ("last-end", "exit 0")]);
}

/// With `d` it is the service's end that counts, and with `t` alone the script knows what it does.
#[test]
fn adds_timeout_kill_where_a_control_script_took_over() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN_AND_STAY).file("timeout-kill", "300");
    let service = service.script("control/t", "echo >>scripts; exit 0");
    let (_runsv, pid) = start(&scratch, &service);
    let clock = scratch.service("clock").run(LISTEN_AND_STAY).file("timeout-kill", "900");
    let (_clock, clock_pid) = start(&scratch, &clock);
    service.send("t");
    service.wait_lines("scripts", 1);
    time_to_end(&clock, "d", clock_pid);
    assert!(is_alive(pid));
    assert_eq!((service.stat().as_str(), service.lines("signals").len()), ("run\n", 0));
    let took = time_to_end(&service, "d", pid);
    assert!(took >= Duration::from_millis(300) && took < UPPER, "{took:?}");
    service.wait_stat("down");
    assert!(!service.lines("signals").contains(&"TERM".to_owned()));
}

#[test]
fn adds_timeout_kill_of_the_log_is_the_log_s() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN_AND_STAY).log_run(LISTEN_AND_STAY).file("log/timeout-kill", "400");
    let (_runsv, pid) = start(&scratch, &service);
    let log = service.log();
    log.wait_lines("starts", 1);
    let logger = log.wait_running();
    service.send("d");
    let took = time_to_end(&log, "d", logger);
    assert!(took >= Duration::from_millis(400) && took < UPPER, "{took:?}");
    let expected = [("log-failure", "killed after timeout-kill"), ("log-last-end", "signal 9"), ("failure", "none")];
    Shown::wait(&scratch, "web", &expected);
    assert!(is_alive(pid), "the log's time is not the service's");
    service.send("k");
}

// ---- timeout-finish

#[test]
fn adds_timeout_finish_ends_a_finish_that_hangs() {
    for (bytes, want) in [("d", "down"), ("x", "exit"), ("t", "up")] {
        let scratch = Scratch::new();
        let service = scratch.service("web").run(LISTEN).file("timeout-finish", "600\n");
        let service = service.finish("trap '' TERM; echo $$ >>finishes; exec sleep 1000");
        let (mut runsv, _) = start(&scratch, &service);
        let begin = Instant::now();
        service.send(bytes);
        let finish: u32 = service.wait_lines("finishes", 1)[0].parse().expect("a pid");
        wait_gone(finish);
        let took = begin.elapsed();
        assert!(took >= Duration::from_millis(600) && took < UPPER, "{bytes}: {took:?}");
        match want {
            "up" => drop(service.wait_lines("starts", 2)),
            "down" => drop(service.wait_stat("down")),
            _ => assert_eq!(runsv.wait(), Ending::Exit(0)),
        }
        assert_eq!(service.lines("finishes").len(), 1, "{bytes}: finish was run for its own end");
        let extension = service.extension().expect("an extension");
        assert_eq!((extension.failure, extension.wait_status), (6, 0), "{bytes}: {extension:?}");
        if want == "down" {
            Shown::of(&scratch, "web").assert(&[("failure", "finish killed after timeout-finish")]);
        }
    }
}

#[test]
fn adds_timeout_finish_leaves_a_finish_in_time_alone() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).file("timeout-finish", "30000");
    let service = service.finish("read -r _ <gate; echo >>finishes").gate("gate");
    let (_runsv, _) = start(&scratch, &service);
    service.send("d");
    service.wait_state(State::Finish);
    service.open_gate("gate");
    service.wait_stat("down");
    assert_eq!(service.lines("finishes").len(), 1);
    Shown::of(&scratch, "web").assert(&[("failure", "none"), ("last-end", "exit 0")]);
}

/// 0 is for ever, as is nothing; `k` still ends it.
#[test]
fn adds_no_timeout_finish_is_no_kill() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).file("timeout-finish", "0");
    let service = service.finish("echo $$ >>finishes; exec sleep 1000");
    let (_runsv, _) = start(&scratch, &service);
    let clock = scratch.service("clock").run(LISTEN_AND_STAY).file("timeout-kill", "1500");
    let (_clock, pid) = start(&scratch, &clock);
    service.send("d");
    let finish: u32 = service.wait_lines("finishes", 1)[0].parse().expect("a pid");
    time_to_end(&clock, "d", pid);
    assert!(is_alive(finish));
    assert_eq!(service.stat(), "finish, want down\n");
    service.send("k");
    wait_gone(finish);
    service.wait_stat("down");
    assert_eq!(process_fields(finish), None);
}
