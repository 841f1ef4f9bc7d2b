//! `runsv` as a process: what it starts and when, what it writes into `supervise/`, how it takes every control byte.

use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use support::{
    Ending, LISTEN, LISTEN_AND_STAY, NOTE_START, Output, Scratch, Service, State, Status, assert_a_second_apart,
    is_alive, needs, process_state, seconds_between, send_signal, wait_until,
};

/// A program that notes its blocked signals. Shells are no use here: they unblock all at their start.
const NOTE_MASK: &str = "#!/usr/bin/awk -f
BEGIN { while ((getline line <\"/proc/self/status\") > 0) if (line ~ /^SigBlk/) print line >\"mask\" }
";

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

fn wait_gone(pid: u32) {
    wait_until(&format!("the end of process {pid}"), || (!is_alive(pid)).then_some(()));
}

// ---- usage and start

#[test]
fn usage() {
    let scratch = Scratch::new();
    let runsv = scratch.programs().join("runsv").display().to_string();
    let usage = Output::exit(1, "", &format!("usage: {runsv} dir\n\n"));
    assert_eq!(scratch.run("runsv", &[]), usage);
    assert_eq!(scratch.run("runsv", &["one", "two"]), usage);
}

#[test]
fn option_is_a_directory_name() {
    let scratch = Scratch::new();
    let expected = Output::exit(111, "", "runsv -V: fatal: unable to change to directory: file does not exist\n");
    assert_eq!(scratch.run("runsv", &["-V"]), expected);
}

#[test]
fn directory_faults() {
    let scratch = Scratch::new();
    scratch.file("file", "");
    let missing = Output::exit(111, "", "runsv none: fatal: unable to change to directory: file does not exist\n");
    assert_eq!(scratch.run("runsv", &["none"]), missing);
    let file = Output::exit(111, "", "runsv file: fatal: unable to change to directory: not a directory\n");
    assert_eq!(scratch.run("runsv", &["file"]), file);
}

#[test]
fn supervise_directory_has_the_files_and_modes() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN);
    let _runsv = scratch.supervise(&service);
    service.wait_running();
    let mode = |name: &str| service.path().join("supervise").join(name).metadata().expect(name).mode() & 0o7777;
    assert_eq!(service.path().join("supervise").metadata().expect("supervise").mode() & 0o7777, 0o700);
    for fifo in ["control", "ok"] {
        assert!(service.path().join("supervise").join(fifo).metadata().expect(fifo).file_type().is_fifo(), "{fifo}");
        assert_eq!(mode(fifo), 0o600, "{fifo}");
    }
    for (file, expected) in [("lock", 0o600), ("pid", 0o644), ("stat", 0o644), ("status", 0o644)] {
        assert!(service.path().join("supervise").join(file).metadata().expect(file).is_file(), "{file}");
        assert_eq!(mode(file), expected, "{file}");
    }
    assert_eq!(service.path().join("supervise/lock").metadata().expect("lock").len(), 0);
}

#[test]
fn modes_follow_the_umask() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN);
    let mut command = scratch.command("sh");
    command.args(["-c", "umask 077; exec runsv web"]);
    let _runsv = scratch.start(command, Signal::SIGTERM);
    wait_until("a supervisor", || service.is_supervised().then_some(()));
    service.wait_running();
    for file in ["pid", "stat", "status"] {
        assert_eq!(
            service.path().join("supervise").join(file).metadata().expect(file).mode() & 0o7777,
            0o600,
            "{file}"
        );
    }
}

#[test]
fn log_starts_before_the_service() {
    let scratch = Scratch::new();
    let service = scratch
        .service("web")
        .run(&format!("{NOTE_START}read -r line </proc/$$/stat; echo service >>order; exec sleep 1000"));
    let service = service.log_run("exec cat");
    let _runsv = scratch.supervise(&service);
    let pid = service.wait_running();
    let log = service.log().wait_running();
    let started = |pid: u32| support::process_fields(pid).expect("a process")[19].parse::<u64>().expect("ticks");
    assert!(started(log) <= started(pid), "log at {}, service at {}", started(log), started(pid));
    // Pids are handed out in order, and wrap seldom.
    assert!(log < pid || pid < 1000, "log {log}, service {pid}");
}

/// What a script sees that is started by runsv is what it sees when it is started by hand.
#[test]
fn run_gets_a_clean_start() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(
        "grep ^SigIgn /proc/$$/status >signals
        ls /proc/$$/fd >descriptors
        tr '\\0' ' ' </proc/$$/cmdline >arguments
        env | grep -v ^PWD= >environment
        pwd >directory
        echo >noted",
    );
    let names = ["signals", "descriptors", "arguments", "environment", "directory"];
    let noted = || names.map(|name| std::fs::read_to_string(service.path().join(name)).expect(name));
    let mut command = scratch.command("./run");
    command.current_dir(service.path()).env("KEEP_THIS", "as it is");
    scratch.output(command);
    let by_hand = noted();
    std::fs::remove_file(service.path().join("noted")).expect("noted");
    let mut command = scratch.command("runsv");
    command.arg("web").env("KEEP_THIS", "as it is");
    let _runsv = scratch.start(command, Signal::SIGTERM);
    service.wait_lines("noted", 1);
    for ((name, seen), expected) in names.iter().zip(noted()).zip(by_hand) {
        assert_eq!(seen, expected, "{name}");
    }
}

#[test]
fn run_gets_no_blocked_signals() {
    let scratch = Scratch::new();
    let service = scratch.service("web").executable("run", NOTE_MASK);
    let _runsv = scratch.supervise(&service);
    assert_eq!(service.wait_lines("mask", 1), ["SigBlk:\t0000000000000000"]);
}

#[test]
fn run_shares_group_and_session_of_runsv() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN);
    let runsv = scratch.supervise(&service);
    let group = |pid: u32| support::process_fields(pid).expect("a process")[2..4].to_vec();
    assert_eq!(group(service.wait_running()), group(runsv.pid()));
}

#[test]
fn down_file_keeps_it_down_until_told() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).down();
    let _runsv = scratch.supervise(&service);
    let status = service.wait_stat("down");
    assert_eq!((status.pid, status.want, status.state), (0, 'd', State::Down));
    assert_eq!(service.pid_text().as_deref(), Some(""));
    assert_eq!(service.lines("starts"), Vec::<String>::new());
    service.send("u");
    service.wait_running();
    assert_eq!(service.wait_stat("run").want, 'u');
}

#[test]
fn ok_can_be_opened_only_once_all_is_there() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).log_run("exec cat");
    let _runsv = scratch.supervise(&service);
    for supervise in ["supervise", "log/supervise"] {
        for file in ["lock", "control", "stat", "status"] {
            assert!(service.path().join(supervise).join(file).exists(), "{supervise}/{file}");
        }
    }
    let _decodes = service.status();
}

// ---- what the three files say, byte by byte

#[test]
fn status_bytes_in_state_run() {
    let scratch = Scratch::new();
    let before = Status::of(State::Run, 0, 'u', 0).seconds;
    let service = scratch.service("web").run(LISTEN);
    let _runsv = scratch.supervise(&service);
    let pid = service.wait_running();
    let after = Status::of(State::Run, 0, 'u', 0).seconds;
    let bytes = service.status_bytes().expect("status");
    assert!(bytes.len() >= 20, "{} bytes", bytes.len());
    assert_eq!(bytes[..2], [0x40, 0x00]);
    assert_eq!(bytes[12..16], pid.to_le_bytes());
    assert_eq!(bytes[16..20], [0, b'u', 0, 1]);
    let status = service.status();
    assert!((before..=after).contains(&status.seconds), "{before} <= {} <= {after}", status.seconds);
    assert_eq!(service.stat(), "run\n");
    assert_eq!(service.pid_text(), Some(format!("{pid}\n")));
    assert_eq!(service.wait_lines("starts", 1), [pid.to_string()]);
}

#[test]
fn status_bytes_in_state_down() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).down();
    let _runsv = scratch.supervise(&service);
    service.wait_stat("down");
    let bytes = service.status_bytes().expect("status");
    assert_eq!(bytes[12..20], [0, 0, 0, 0, 0, b'd', 0, 0]);
    assert_eq!(service.stat(), "down\n");
    assert_eq!(service.pid_text().as_deref(), Some(""));
}

#[test]
fn status_bytes_in_state_finish() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run("exit 0").finish("echo $$ >finish_pid\nread -r _ <gate").gate("gate");
    let _runsv = scratch.supervise(&service);
    let status = service.wait_stat("finish");
    let bytes = service.status_bytes().expect("status");
    assert_eq!(bytes[12..16], status.pid.to_le_bytes());
    assert_eq!(bytes[16..20], [0, b'u', 0, 2]);
    assert_eq!(service.wait_lines("finish_pid", 1), [status.pid.to_string()]);
    assert_eq!(service.pid_text(), Some(format!("{}\n", status.pid)));
}

#[test]
fn stamp_of_finish_is_the_start_of_run() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run("read -r _ <gate").finish("read -r _ <gate").gate("gate");
    let _runsv = scratch.supervise(&service);
    service.wait_running();
    let running = service.status();
    service.open_gate("gate");
    let finishing = service.wait_stat("finish");
    assert_eq!((finishing.seconds, finishing.nanoseconds), (running.seconds, running.nanoseconds));
    service.send("d");
    service.open_gate("gate");
    let down = service.wait_stat("down");
    let stamp = |status: Status| (status.seconds, status.nanoseconds);
    assert!(stamp(down) > stamp(running), "{down:?} after {running:?}");
}

#[test]
fn commands_do_not_change_the_stamp() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN_AND_STAY);
    let _runsv = scratch.supervise(&service);
    service.wait_running();
    let running = service.status();
    service.wait_lines("starts", 1);
    service.send("hpcdu");
    service.wait_line("signals", "TERM");
    let status = service.wait_stat("run, got TERM");
    assert_eq!((status.seconds, status.nanoseconds, status.pid), (running.seconds, running.nanoseconds, running.pid));
}

#[test]
fn all_files_stay_after_the_end() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN);
    let mut runsv = scratch.supervise(&service);
    service.wait_running();
    service.wait_lines("starts", 1);
    service.send("x");
    assert_eq!(runsv.output(), Output::exit(0, "", ""));
    let mut names: Vec<_> = std::fs::read_dir(service.path().join("supervise"))
        .expect("supervise")
        .map(|entry| entry.expect("entry").file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["control", "lock", "ok", "pid", "stat", "status"]);
    assert_eq!((service.stat().as_str(), service.pid_text().as_deref()), ("down\n", Some("")));
    assert_eq!(service.status_bytes().expect("status")[12..20], [0, 0, 0, 0, 0, b'd', 0, 0]);
}

// ---- restarting

#[test]
fn short_lives_are_started_once_a_second() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(&format!("{NOTE_START}exit 0"));
    let _runsv = scratch.supervise(&service);
    let gaps = seconds_between(&service.wait_lines("starts", 5));
    assert_a_second_apart(&gaps);
    let shortest = gaps.iter().copied().fold(f64::MAX, f64::min);
    assert!(shortest < 1.6, "gaps between starts: {gaps:?}");
}

#[test]
fn long_lives_are_restarted_at_once() {
    let scratch = Scratch::new();
    // Notes the hundredth of a second of its end from /proc/uptime, which is the same clock.
    let service = scratch
        .service("web")
        .run(&format!("{NOTE_START}sleep 1.3; read -r up _ </proc/uptime; echo $up | tr -d . >>ends"));
    let _runsv = scratch.supervise(&service);
    let starts = service.wait_lines("starts", 4);
    let ends = service.lines("ends");
    let number = |line: &String| line.parse::<f64>().expect("a stamp") / 100.0;
    let pauses: Vec<f64> = ends.iter().zip(&starts[1..]).map(|(end, start)| number(start) - number(end)).collect();
    let shortest = pauses.iter().copied().fold(f64::MAX, f64::min);
    assert!(shortest < 0.6, "pauses between end and start: {pauses:?}");
}

#[test]
fn restart_after_a_kill_brings_a_new_pid() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN);
    let _runsv = scratch.supervise(&service);
    let first = service.wait_running();
    service.wait_lines("starts", 1);
    send_signal(first, Signal::SIGKILL);
    let second = service.wait_running_other_than(first);
    assert_eq!(service.wait_lines("starts", 2)[1], second.to_string());
    assert_eq!(service.stat(), "run\n");
}

#[test]
fn run_that_cannot_be_started_is_tried_every_second() {
    let scratch = Scratch::new();
    let service = scratch.service("web").finish(&format!("{NOTE_START}echo \"$@\" >>finishes"));
    let runsv = scratch.supervise(&service);
    let line = "runsv web: fatal: unable to start ./run: file does not exist\n";
    let gaps = seconds_between(&service.wait_lines("starts", 3));
    assert_a_second_apart(&gaps);
    assert!(service.lines("finishes").iter().all(|arguments| arguments == "111 0"), "{:?}", service.lines("finishes"));
    assert_eq!(runsv.stderr().replace(line, ""), "");
    assert!(runsv.stderr().matches(line).count() >= 3);
}

/// The lines of section 4: what makes `./run` unable to start, and what is said.
#[test]
fn run_faults_and_their_messages() {
    let scratch = Scratch::new();
    scratch.service("mode").file("run", "#!/bin/sh\n");
    scratch.service("directory").file("run/x", "");
    scratch.service("interpreter").executable("run", "#!/no/such/interpreter\n");
    scratch.service("format").executable("run", "echo no first line\n");
    let rows = [
        ("mode", "access denied"),
        ("directory", "access denied"),
        ("interpreter", "file does not exist"),
        ("format", "exec format error"),
    ];
    let all: Vec<_> = rows.iter().map(|(name, _)| scratch.runsv(name)).collect();
    for ((name, reason), runsv) in rows.iter().zip(&all) {
        runsv.wait_stderr(&format!("runsv {name}: fatal: unable to start ./run: {reason}\n"));
    }
}

#[test]
fn finish_faults_and_their_messages() {
    let scratch = Scratch::new();
    scratch.service("mode").run("exit 0").file("finish", "#!/bin/sh\n");
    scratch.service("directory").run("exit 0").file("finish/x", "");
    let mode = scratch.runsv("mode");
    let directory = scratch.runsv("directory");
    mode.wait_stderr("runsv mode: fatal: unable to start ./finish: access denied\n");
    directory.wait_stderr("runsv directory: fatal: unable to start ./finish: access denied\n");
}

// ---- finish

#[test]
fn finish_is_told_how_run_ended() {
    let scratch = Scratch::new();
    let note = "echo \"$#: $*\" >>finishes";
    let exit = scratch.service("exit").run("exit 7").finish(note);
    let term = scratch.service("term").run("kill -TERM $$").finish(note);
    let good = scratch.service("good").run("exit 0").finish(note);
    let _all = ["exit", "term", "good"].map(|name| scratch.runsv(name));
    assert_eq!(exit.wait_lines("finishes", 1)[0], "2: 7 0");
    assert_eq!(term.wait_lines("finishes", 1)[0], "2: -1 15");
    assert_eq!(good.wait_lines("finishes", 1)[0], "2: 0 0");
}

#[test]
fn finish_sees_a_core_dump() {
    let pattern = std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
    if pattern.contains('/') || pattern.contains('|') {
        return support::skip("core dumps go elsewhere");
    }
    let scratch = Scratch::new();
    let service =
        scratch.service("web").run("ulimit -c unlimited\nexec sh -c 'kill -SEGV $$'").finish("echo \"$@\" >>finishes");
    let _runsv = scratch.runsv("web");
    let arguments = service.wait_lines("finishes", 1)[0].clone();
    if arguments == "-1 11" {
        return support::skip("no core dump was made here");
    }
    assert_eq!(arguments, "-1 139");
}

#[test]
fn finish_comes_without_delay_and_whatever_is_wanted() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).finish("echo \"$@\" >>finishes");
    let mut runsv = scratch.supervise(&service);
    service.wait_running();
    service.wait_lines("starts", 1);
    service.send("d");
    service.wait_stat("down");
    assert_eq!(service.lines("finishes"), ["0 0"]);
    service.send("u");
    service.wait_lines("starts", 2);
    service.send("x");
    assert_eq!(runsv.output(), Output::exit(0, "", ""));
    assert_eq!(service.lines("finishes"), ["0 0", "0 0"]);
}

#[test]
fn finish_lives_in_the_service_directory_with_the_log_as_output() {
    let scratch = Scratch::new();
    let service =
        scratch.service("web").run("exit 3").finish("pwd; echo to stderr >&2; exit 0").log_run("exec cat >>../lines");
    let runsv = scratch.supervise(&service);
    let lines = service.wait_lines("lines", 1);
    assert_eq!(lines[0], service.path().display().to_string());
    runsv.wait_stderr("to stderr\n");
}

#[test]
fn unreadable_finish_is_left_out() {
    if !needs(&["root", "setpriv"]) {
        return;
    }
    let mut scratch = Scratch::new();
    scratch.use_copied_programs();
    let service = scratch.service("web").run("echo >>starts").finish("echo >>finishes");
    std::fs::set_permissions(service.path().join("finish"), std::fs::Permissions::from_mode(0o111)).expect("mode");
    std::fs::set_permissions(service.path(), std::fs::Permissions::from_mode(0o777)).expect("mode");
    let runsv = runsv_as_nobody(&scratch, "web");
    service.wait_lines("starts", 2);
    assert_eq!((service.lines("finishes").len(), runsv.stderr()), (0, String::new()));
}

fn runsv_as_nobody(scratch: &Scratch, name: &str) -> support::Supervisor {
    let mut command = scratch.command("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--pdeathsig=TERM"]);
    command.arg(scratch.programs().join("runsv")).arg(name);
    scratch.start(command, Signal::SIGTERM)
}

// ---- control bytes: the table of supervise-protocol, section 7

/// One row in state run: the byte, the stat line after it, the signals that the process gets. TERM is only noted by it.
const IN_STATE_RUN: &[(&str, &str, &[&str])] = &[
    ("u", "run", &[]),
    ("d", "run, got TERM, want down", &["CONT", "TERM"]),
    ("o", "run, want down", &[]),
    ("x", "run, got TERM, want exit", &["CONT", "TERM"]),
    ("t", "run, got TERM", &["TERM"]),
    ("c", "run", &["CONT"]),
    ("h", "run", &["HUP"]),
    ("a", "run", &["ALRM"]),
    ("i", "run", &["INT"]),
    ("q", "run", &["QUIT"]),
    ("1", "run", &["USR1"]),
    ("2", "run", &["USR2"]),
    ("e", "run", &[]),
    ("z", "run", &[]),
    ("\n", "run", &[]),
    ("\0", "run", &[]),
    ("ez\n\0\u{7f}3U", "run", &[]),
    ("ot", "run, got TERM, want down", &["CONT", "TERM"]),
    ("du", "run, got TERM", &["CONT", "TERM"]),
];

#[test]
fn control_bytes_in_state_run() {
    let scratch = Scratch::new();
    let started: Vec<_> = (0..IN_STATE_RUN.len())
        .map(|row| {
            let service = scratch.service(&format!("row{row:02}")).run(LISTEN_AND_STAY);
            let runsv = scratch.supervise(&service);
            (service, runsv)
        })
        .collect();
    for ((service, _runsv), (bytes, stat, signals)) in started.iter().zip(IN_STATE_RUN) {
        let pid = service.wait_running();
        service.wait_lines("starts", 1);
        service.send(bytes);
        for signal in *signals {
            service.wait_line("signals", signal);
        }
        let status = service.wait_stat(stat);
        // What comes after it shows that nothing else was on its way.
        service.send("2");
        let mut expected: Vec<String> = signals.iter().map(|signal| (*signal).to_owned()).collect();
        expected.push("USR2".to_owned());
        let seen = service.wait_lines("signals", expected.len());
        assert_eq!(sorted(seen), sorted(expected), "signals after {bytes:?}");
        assert_eq!(
            (status.pid, service.stat(), service.lines("starts").len()),
            (pid, format!("{stat}\n"), 1),
            "after {bytes:?}"
        );
    }
}

#[test]
fn pause_and_continue_in_state_run() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN);
    let _runsv = scratch.supervise(&service);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    service.send("p");
    wait_until("a stopped process", || (process_state(pid) == Some('T')).then_some(()));
    let status = service.wait_stat("run, paused");
    assert_eq!((status.want, status.pid), ('u', pid));
    assert_eq!(service.status_bytes().expect("status")[16..20], [1, b'u', 0, 1]);
    service.send("c");
    service.wait_line("signals", "CONT");
    service.wait_stat("run");
    assert_ne!(process_state(pid), Some('T'));
}

#[test]
fn kill_in_state_run() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN_AND_STAY).finish("echo \"$@\" >>finishes");
    let _runsv = scratch.supervise(&service);
    let pid = service.wait_running();
    service.send("k");
    service.wait_running_other_than(pid);
    assert!(!is_alive(pid));
    assert_eq!(service.lines("finishes"), ["-1 9"]);
}

/// TERM alone leaves a paused process stopped, down wakes it.
#[test]
fn term_leaves_a_paused_process_stopped() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN);
    let _runsv = scratch.supervise(&service);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    service.send("p");
    service.wait_stat("run, paused");
    service.send("t");
    service.wait_stat("run, paused, got TERM");
    assert_eq!(process_state(pid), Some('T'));
    service.send("d");
    wait_gone(pid);
    // The original shows `down, paused` here (K18).
    wait_until("state down", || (service.status().state == State::Down).then_some(()));
    assert_eq!((service.status().pid, service.status().want), (0, 'd'));
}

/// A new start forgets that the service was paused and that it was sent TERM.
#[test]
fn start_clears_both_flags() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN);
    let _runsv = scratch.supervise(&service);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    service.send("pt");
    service.wait_stat("run, paused, got TERM");
    service.send("k");
    service.wait_running_other_than(pid);
    let status = service.wait_stat("run");
    assert_eq!((status.is_paused, status.got_term), (false, false));
}

#[test]
fn control_bytes_in_state_down() {
    let scratch = Scratch::new();
    let rows = ["d", "t", "k", "c", "h", "a", "i", "q", "1", "2", "z", "\n", "dtkchaiq12"];
    let started: Vec<_> = (0..rows.len())
        .map(|row| {
            let service = scratch.service(&format!("row{row:02}")).run(LISTEN_AND_STAY).down();
            let runsv = scratch.supervise(&service);
            (service, runsv)
        })
        .collect();
    for ((service, _runsv), bytes) in started.iter().zip(rows) {
        service.wait_stat("down");
        service.send(bytes);
        // Starting it once shows that nothing was kept for later.
        service.send("o");
        service.wait_running();
        service.wait_lines("starts", 1);
        service.wait_stat("run, want down");
        service.send("2");
        assert_eq!(service.wait_lines("signals", 1), ["USR2"], "after {bytes:?}");
        assert_eq!(service.lines("starts").len(), 1, "after {bytes:?}");
    }
}

#[test]
fn up_starts_and_stays() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).down();
    let _runsv = scratch.supervise(&service);
    service.send("u");
    let first = service.wait_running();
    assert_eq!(service.wait_stat("run").want, 'u');
    service.wait_lines("starts", 1);
    send_signal(first, Signal::SIGKILL);
    service.wait_running_other_than(first);
}

#[test]
fn once_starts_and_does_not_restart() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).down();
    let _runsv = scratch.supervise(&service);
    service.send("o");
    let pid = service.wait_running();
    assert_eq!(service.wait_stat("run, want down").want, 'd');
    service.wait_lines("starts", 1);
    send_signal(pid, Signal::SIGKILL);
    service.wait_stat("down");
    // Up again shows that only one start had happened in between.
    service.send("u");
    service.wait_running();
    assert_eq!(service.wait_lines("starts", 2).len(), 2);
}

#[test]
fn exit_in_state_down_ends_runsv() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).down();
    let mut runsv = scratch.supervise(&service);
    service.wait_stat("down");
    service.send("x");
    assert_eq!(runsv.output(), Output::exit(0, "", ""));
    assert_eq!(service.stat(), "down\n");
    assert_eq!(service.lines("starts").len(), 0);
}

/// One row in state finish: the byte and the stat line after it. No signal reaches the finish script.
const IN_STATE_FINISH: &[(&str, &str)] = &[
    ("u", "finish"),
    ("d", "finish, want down"),
    ("o", "finish, want down"),
    ("x", "finish, want exit"),
    ("t", "finish"),
    ("c", "finish"),
    ("pc", "finish"),
    ("h", "finish"),
    ("a", "finish"),
    ("i", "finish"),
    ("q", "finish"),
    ("1", "finish"),
    ("2", "finish"),
    ("z", "finish"),
    ("thaiq12cz\n", "finish"),
];

#[test]
fn control_bytes_in_state_finish() {
    let scratch = Scratch::new();
    let started: Vec<_> = (0..IN_STATE_FINISH.len())
        .map(|row| {
            let service = scratch.service(&format!("row{row:02}")).run("echo >>runs").finish(LISTEN_AND_STAY);
            let runsv = scratch.supervise(&service);
            (service, runsv)
        })
        .collect();
    for ((service, _runsv), (bytes, stat)) in started.iter().zip(IN_STATE_FINISH) {
        service.wait_stat("finish");
        service.wait_lines("starts", 1);
        service.send(bytes);
        let status = service.wait_stat(stat);
        if matches!(*bytes, "x" | "d" | "o") {
            assert_eq!(service.stat(), format!("{stat}\n"));
        } else {
            service.send("d");
            service.wait_stat("finish, want down");
        }
        assert_ne!(process_state(status.pid), Some('T'), "finish stopped by {bytes:?}");
        assert_eq!(service.lines("signals"), Vec::<String>::new(), "signals to finish after {bytes:?}");
        assert_eq!((service.lines("starts").len(), service.lines("runs").len()), (1, 1), "after {bytes:?}");
    }
}

/// Only a process that was stopped is paused.
#[test]
fn mends_k18_pause_while_nothing_is_stopped_is_not_shown() {
    let scratch = Scratch::new();
    let finishing = scratch.service("finishing").run("exit 0").finish(LISTEN_AND_STAY);
    let down = scratch.service("down").run(LISTEN).down();
    let _runsv = (scratch.supervise(&finishing), scratch.supervise(&down));
    finishing.wait_stat("finish");
    down.wait_stat("down");
    for (service, stat) in [(&finishing, "finish, want down"), (&down, "down")] {
        service.send("p");
        service.send("d");
        service.wait_stat(stat);
        assert!(!service.status().is_paused, "{stat}");
    }
}

/// The CONT that comes with a stop ends the pause.
#[test]
fn mends_k18_a_stop_ends_the_pause() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN_AND_STAY);
    let _runsv = scratch.supervise(&service);
    service.wait_running();
    service.wait_lines("starts", 1);
    service.send("p");
    service.wait_stat("run, paused");
    service.send("d");
    service.wait_stat("run, got TERM, want down");
}

#[test]
fn exit_in_state_finish_waits_for_it() {
    let scratch = Scratch::new();
    let service =
        scratch.service("web").run("echo >>runs").finish("read -r _ <gate; echo done >>finishes").gate("gate");
    let mut runsv = scratch.supervise(&service);
    service.wait_stat("finish");
    service.send("x");
    service.wait_stat("finish, want exit");
    assert_eq!(runsv.try_wait(), None);
    service.open_gate("gate");
    assert_eq!(runsv.output(), Output::exit(0, "", ""));
    assert_eq!((service.lines("finishes").len(), service.lines("runs").len()), (1, 1));
}

#[test]
fn several_bytes_are_taken_in_order() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN);
    let _runsv = scratch.supervise(&service);
    let first = service.wait_running();
    service.wait_lines("starts", 1);
    service.send("du");
    let second = service.wait_running_other_than(first);
    service.wait_lines("starts", 2);
    service.send("pco");
    service.wait_stat("run, want down");
    service.send("xud");
    assert_ne!(first, second);
}

#[test]
fn unknown_bytes_by_the_thousand_are_ignored() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN_AND_STAY);
    let _runsv = scratch.supervise(&service);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    for _write in 0..10 {
        service.send(&"z\n\0E~".repeat(80));
    }
    service.send("h");
    assert_eq!(service.wait_lines("signals", 1), ["HUP"]);
    assert_eq!(service.wait_stat("run").pid, pid);
}

#[test]
fn term_to_runsv_is_exit() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).finish("echo \"$@\" >>finishes");
    let mut runsv = scratch.supervise(&service);
    service.wait_running();
    service.wait_lines("starts", 1);
    runsv.signal(Signal::SIGTERM);
    assert_eq!(runsv.output(), Output::exit(0, "", ""));
    assert_eq!(sorted(service.lines("signals"))[..], ["CONT", "TERM"][2 - service.lines("signals").len()..]);
    assert_eq!((service.lines("finishes").len(), service.stat().as_str()), (1, "down\n"));
}

// ---- control scripts

/// A control script of each letter that exits 0 stands in for the signal.
#[test]
fn control_scripts_replace_the_signal() {
    let scratch = Scratch::new();
    for letter in ["t", "h", "a", "i", "q", "1", "2", "c"] {
        let service = scratch
            .service(&format!("letter-{letter}"))
            .run(LISTEN_AND_STAY)
            .script(&format!("control/{letter}"), "echo \"$0 $#\" >>scripts");
        let _runsv = scratch.supervise(&service);
        service.wait_running();
        service.wait_lines("starts", 1);
        service.send(letter);
        assert_eq!(service.wait_lines("scripts", 1), [format!("control/{letter} 0")]);
        let fence = if letter == "2" { ("1", "USR1") } else { ("2", "USR2") };
        service.send(fence.0);
        assert_eq!(service.wait_lines("signals", 1), [fence.1], "after {letter}");
        assert_eq!(service.stat(), "run\n", "after {letter}");
    }
}

#[test]
fn control_scripts_that_fail_leave_the_signal() {
    let scratch = Scratch::new();
    for (letter, signal, stat) in [("t", "TERM", "run, got TERM"), ("h", "HUP", "run"), ("2", "USR2", "run")] {
        let service = scratch
            .service(&format!("letter-{letter}"))
            .run(LISTEN_AND_STAY)
            .script(&format!("control/{letter}"), "echo script >>signals; exit 1");
        let _runsv = scratch.supervise(&service);
        service.wait_running();
        service.wait_lines("starts", 1);
        service.send(letter);
        assert_eq!(service.wait_lines("signals", 2), ["script", signal]);
        service.wait_stat(stat);
    }
}

#[test]
fn control_d_runs_control_t_first() {
    let scratch = Scratch::new();
    let service = scratch
        .service("web")
        .run(LISTEN_AND_STAY)
        .script("control/t", "echo t >>signals")
        .script("control/d", "echo d >>signals; exit 1");
    let service = service.script("control/x", "echo x >>signals");
    let _runsv = scratch.supervise(&service);
    service.wait_running();
    service.wait_lines("starts", 1);
    service.send("d");
    // With t taken over nothing says that TERM was sent; CONT is sent all the same.
    service.wait_stat("run, want down");
    service.wait_line("signals", "CONT");
    service.wait_line("signals", "d");
    assert_eq!(sorted(service.lines("signals")), ["CONT", "d", "t"]);
}

#[test]
fn control_x_runs_on_exit() {
    let scratch = Scratch::new();
    let service = scratch
        .service("web")
        .run(LISTEN)
        .script("control/x", "echo x >>scripts")
        .script("control/d", "echo d >>scripts");
    let mut runsv = scratch.supervise(&service);
    service.wait_running();
    service.wait_lines("starts", 1);
    service.send("x");
    assert_eq!(runsv.wait(), Ending::Exit(0));
    assert_eq!(service.lines("scripts"), ["x"]);
}

#[test]
fn control_u_runs_before_every_start() {
    let scratch = Scratch::new();
    let service = scratch
        .service("web")
        .run("echo run >>order; exec sleep 1000")
        .script("control/u", "echo u >>order; exit 1")
        .script("control/o", "echo o >>order")
        .down();
    let _runsv = scratch.supervise(&service);
    service.wait_stat("down");
    service.send("u");
    let first = service.wait_running();
    assert_eq!(service.wait_lines("order", 2), ["u", "run"]);
    send_signal(first, Signal::SIGKILL);
    service.wait_running_other_than(first);
    assert_eq!(service.wait_lines("order", 4), ["u", "run", "u", "run"]);
    service.send("d");
    service.wait_stat("down");
    service.send("o");
    service.wait_running();
    assert_eq!(service.wait_lines("order", 6)[4..], ["u", "run"]);
}

#[test]
fn control_p_that_takes_over_still_counts_as_paused() {
    let scratch = Scratch::new();
    let service = scratch
        .service("web")
        .run(LISTEN)
        .script("control/p", "echo p >>scripts")
        .script("control/c", "echo c >>scripts");
    let _runsv = scratch.supervise(&service);
    let pid = service.wait_running();
    service.send("p");
    service.wait_stat("run, paused");
    assert_ne!(process_state(pid), Some('T'));
    service.send("c");
    service.wait_stat("run");
    assert_eq!(service.lines("scripts"), ["p", "c"]);
}

#[test]
fn control_script_without_execute_bit_is_left_out() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN_AND_STAY).file("control/h", "#!/bin/sh\nexit 0\n");
    let runsv = scratch.supervise(&service);
    service.wait_running();
    service.wait_lines("starts", 1);
    service.send("h");
    assert_eq!(service.wait_lines("signals", 1), ["HUP"]);
    assert_eq!(runsv.stderr(), "");
}

/// The original writes a literal `control/?` here; ours names the script.
#[test]
fn mends_control_script_that_cannot_be_executed_is_named() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN_AND_STAY).executable("control/h", "#!/no/such/interpreter\n");
    let runsv = scratch.supervise(&service);
    service.wait_running();
    service.wait_lines("starts", 1);
    service.send("h");
    assert_eq!(service.wait_lines("signals", 1), ["HUP"]);
    assert_eq!(runsv.stderr(), "runsv web: fatal: unable to run control/h: file does not exist\n");
}

#[test]
fn control_script_writes_to_the_log() {
    let scratch = Scratch::new();
    let service =
        scratch.service("web").run("exec sleep 1000").script("control/h", "pwd").log_run("exec cat >>../lines");
    let _runsv = scratch.supervise(&service);
    service.wait_running();
    service.send("h");
    assert_eq!(service.wait_lines("lines", 1), [service.path().display().to_string()]);
}

// ---- the log service

/// A logger that writes line by line, so that at most one line is in its hands.
const LINE_LOGGER: &str = "while read -r line; do echo \"$line\" >>../lines; done; echo end of file >>../lines";

fn numbers(count: usize) -> Vec<String> {
    (1..=count).map(|number| number.to_string()).collect()
}

#[test]
fn log_keeps_the_pipe_when_the_logger_is_killed() {
    let scratch = Scratch::new();
    let service = scratch
        .service("web")
        .run("seq 1 100; read -r _ <gate; seq 101 400; echo >written; exec sleep 1000")
        .gate("gate")
        .log_run(LINE_LOGGER);
    let _runsv = scratch.supervise(&service);
    let pid = service.wait_running();
    let logger = service.log().wait_running();
    service.wait_lines("lines", 100);
    // Stopped where it has nothing in its hands, then killed there: what was written meanwhile waits in the pipe.
    service.log().send("p");
    wait_until("a stopped logger", || (process_state(logger) == Some('T')).then_some(()));
    service.open_gate("gate");
    wait_until("all lines written", || service.path().join("written").exists().then_some(()));
    assert_eq!(service.lines("lines").len(), 100);
    send_signal(logger, Signal::SIGKILL);
    service.log().wait_running_other_than(logger);
    assert_eq!(service.wait_lines("lines", 400), numbers(400));
    assert_eq!(service.wait_stat("run").pid, pid, "the service was restarted");
}

#[test]
fn log_keeps_the_logger_when_the_service_is_killed() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run("echo $$; exec sleep 1000").log_run(LINE_LOGGER);
    let _runsv = scratch.supervise(&service);
    let logger = service.log().wait_running();
    let first = service.wait_running();
    service.wait_line("lines", &first.to_string());
    send_signal(first, Signal::SIGKILL);
    let second = service.wait_running_other_than(first);
    service.wait_line("lines", &second.to_string());
    assert_eq!(service.lines("lines"), [first.to_string(), second.to_string()]);
    assert_eq!(service.log().wait_stat("run").pid, logger);
}

/// F4: both at once.
#[test]
fn log_and_service_killed_at_once_both_come_back() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run("echo $$; exec sleep 1000").log_run(LINE_LOGGER);
    let _runsv = scratch.supervise(&service);
    let (logger, first) = (service.log().wait_running(), service.wait_running());
    service.wait_line("lines", &first.to_string());
    send_signal(first, Signal::SIGKILL);
    send_signal(logger, Signal::SIGKILL);
    service.log().wait_running_other_than(logger);
    let second = service.wait_running_other_than(first);
    service.wait_line("lines", &second.to_string());
}

#[test]
fn log_has_its_own_supervise_directory() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run("exec sleep 1000").log_run(LISTEN_AND_STAY);
    let _runsv = scratch.supervise(&service);
    service.wait_running();
    let log = service.log();
    let pid = log.wait_running();
    log.wait_lines("starts", 1);
    let bytes = log.status_bytes().expect("status");
    assert_eq!((&bytes[12..16], &bytes[16..20]), (&pid.to_le_bytes()[..], &[0, b'u', 0, 1][..]));
    log.send("h");
    assert_eq!(log.wait_lines("signals", 1), ["HUP"]);
    // Exit is not for a log service.
    log.send("x1");
    assert_eq!(log.wait_lines("signals", 2), ["HUP", "USR1"]);
    assert_eq!(log.stat(), "run\n");
    log.send("t");
    log.wait_stat("run, got TERM");
}

#[test]
fn log_can_be_down_while_the_service_writes() {
    let scratch = Scratch::new();
    let service = scratch
        .service("web")
        .run("seq 1 50; echo >written; exec sleep 1000")
        .log_run(LINE_LOGGER)
        .file("log/down", "");
    let _runsv = scratch.supervise(&service);
    service.wait_running();
    wait_until("all lines written", || service.path().join("written").exists().then_some(()));
    assert_eq!((service.log().stat().as_str(), service.lines("lines").len()), ("down\n", 0));
    service.log().send("u");
    assert_eq!(service.wait_lines("lines", 50), numbers(50));
}

#[test]
fn log_gets_no_control_scripts_and_no_finish() {
    let scratch = Scratch::new();
    let service = scratch
        .service("web")
        .run("exec sleep 1000")
        .log_run(LISTEN)
        .script("log/control/h", "echo script >>signals")
        .script("log/finish", "echo finish >>finishes");
    let _runsv = scratch.supervise(&service);
    let log = service.log();
    let first = log.wait_running();
    log.wait_lines("starts", 1);
    log.send("h");
    assert_eq!(log.wait_lines("signals", 1), ["HUP"]);
    log.send("t");
    log.wait_running_other_than(first);
    assert_eq!(log.lines("finishes").len(), 0);
}

#[test]
fn log_that_crashes_is_held_to_one_start_a_second() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run("exec sleep 1000").log_run(&format!("{NOTE_START}exit 1"));
    let _runsv = scratch.supervise(&service);
    let gaps = seconds_between(&service.log().wait_lines("starts", 4));
    assert_a_second_apart(&gaps);
}

#[test]
fn log_without_run_does_not_disturb_the_service() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN);
    scratch.directory("web/log");
    let runsv = scratch.supervise(&service);
    runsv.wait_stderr("runsv web: fatal: unable to start log/./run: file does not exist\n");
    let pid = service.wait_running();
    assert_eq!(service.wait_lines("starts", 1), [pid.to_string()]);
}

#[test]
fn log_that_is_a_file_is_left_out() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).file("log", "");
    let runsv = scratch.supervise(&service);
    service.wait_running();
    assert_eq!(runsv.stderr(), "runsv web: warning: ./log: not a directory.\n");
}

#[test]
fn exit_lets_the_logger_read_to_the_end() {
    let scratch = Scratch::new();
    let service =
        scratch.service("web").run("echo first; echo $$ >>starts; exec sleep 1000").finish("echo from finish");
    let service = service.log_run("trap 'echo TERM >>../lines' TERM; while read -r line; do echo \"$line\" >>../lines; done; read -r _ <../gate; echo end >>../lines").gate("gate");
    let mut runsv = scratch.supervise(&service);
    service.wait_lines("lines", 1);
    service.send("x");
    service.log().wait_stat("run, want exit");
    assert_eq!(runsv.try_wait(), None);
    service.open_gate("gate");
    assert_eq!(runsv.output(), Output::exit(0, "", ""));
    assert_eq!(service.lines("lines"), ["first", "from finish", "end"]);
    assert_eq!(service.log().stat(), "down\n");
}

#[test]
fn exit_with_a_logger_that_is_down_is_at_once() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).log_run("exec cat").file("log/down", "");
    let mut runsv = scratch.supervise(&service);
    service.wait_running();
    service.wait_lines("starts", 1);
    service.send("x");
    assert_eq!(runsv.wait(), Ending::Exit(0));
}

#[test]
fn kill_helps_against_a_logger_that_ignores_the_end() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).log_run("exec sleep 1000");
    let mut runsv = scratch.supervise(&service);
    service.wait_running();
    service.wait_lines("starts", 1);
    service.send("x");
    service.log().wait_stat("run, want exit");
    service.log().send("k");
    assert_eq!(runsv.wait(), Ending::Exit(0));
}

// ---- faults at start, section 9

#[test]
fn second_runsv_on_the_same_directory_is_refused() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN);
    let mut first = scratch.supervise(&service);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    let before = (service.status_bytes(), service.stat(), service.pid_text());
    let refused = Output::exit(111, "", "runsv web: fatal: unable to lock supervise/lock: temporary failure\n");
    assert_eq!(scratch.run("runsv", &["web"]), refused);
    assert_eq!((service.status_bytes(), service.stat(), service.pid_text()), before);
    service.send("h");
    assert_eq!(service.wait_lines("signals", 1), ["HUP"]);
    assert_eq!((first.try_wait(), service.status().pid, service.lines("starts").len()), (None, pid, 1));
}

#[test]
fn lock_is_free_again_after_the_end() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN);
    let mut first = scratch.supervise(&service);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    service.send("x");
    assert_eq!(first.wait(), Ending::Exit(0));
    let _second = scratch.supervise(&service);
    service.wait_running_other_than(pid);
}

#[test]
fn supervise_faults_and_their_messages() {
    let scratch = Scratch::new();
    scratch.service("file").run(LISTEN).file("supervise", "");
    let file = Output::exit(111, "", "runsv file: fatal: unable to open supervise/lock: not a directory\n");
    assert_eq!(scratch.run("runsv", &["file"]), file);
    scratch.service("regular").run(LISTEN).file("supervise/control", "");
    let regular = Output::exit(111, "", "runsv regular: fatal: supervise/control exists but is not a fifo\n");
    assert_eq!(scratch.run("runsv", &["regular"]), regular);
}

#[test]
fn log_supervise_faults_and_their_messages() {
    let scratch = Scratch::new();
    scratch.service("file").run(LISTEN).log_run("exec cat").file("log/supervise", "");
    let file = Output::exit(111, "", "runsv file: fatal: unable to open log/supervise/lock: not a directory\n");
    assert_eq!(scratch.run("runsv", &["file"]), file);
}

#[test]
fn supervise_that_may_not_be_entered() {
    if !needs(&["root", "setpriv"]) {
        return;
    }
    let mut scratch = Scratch::new();
    scratch.use_copied_programs();
    let service = scratch.service("web").run(LISTEN);
    std::fs::set_permissions(scratch.directory("web/supervise"), std::fs::Permissions::from_mode(0o700)).expect("mode");
    let output = runsv_as_nobody(&scratch, "web").output();
    assert_eq!(output, Output::exit(111, "", "runsv web: fatal: unable to open supervise/lock: access denied\n"));
    assert_eq!(service.lines("starts").len(), 0);
}

#[test]
fn service_directory_that_may_not_be_written() {
    if !needs(&["root", "setpriv"]) {
        return;
    }
    let mut scratch = Scratch::new();
    scratch.use_copied_programs();
    let service = scratch.service("no-such-place-to-fall-back-to").run(LISTEN);
    let output = runsv_as_nobody(&scratch, &service.name()).output();
    assert_eq!(output.ending, Ending::Exit(111));
    assert_eq!(
        output.stderr,
        "runsv no-such-place-to-fall-back-to: fatal: unable to open supervise/lock: file does not exist\n"
    );
    assert!(!service.path().join("supervise").exists());
    assert_eq!(service.lines("starts").len(), 0);
}

#[test]
fn supervise_may_be_a_link() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN);
    scratch.directory("state");
    std::os::unix::fs::symlink("../state/web", service.path().join("supervise")).expect("a link");
    let _runsv = scratch.supervise(&service);
    let pid = service.wait_running();
    let text = std::fs::read_to_string(scratch.path().join("state/web/pid")).expect("pid");
    assert_eq!(text, format!("{pid}\n"));
    assert_eq!(scratch.path().join("state/web").metadata().expect("directory").mode() & 0o7777, 0o700);
}

/// Whoever owns `supervise/` may not choose what root writes to.
#[test]
fn mends_f29_links_in_supervise_are_not_followed() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN);
    let victim = scratch.file("victim", "mine\n");
    scratch.directory("web/supervise");
    std::os::unix::fs::symlink(&victim, service.path().join("supervise/status.new")).expect("a link");
    std::fs::hard_link(&victim, service.path().join("supervise/stat.new")).expect("a second name");
    let runsv = scratch.supervise(&service);
    service.wait_running();
    assert_eq!(std::fs::read_to_string(&victim).expect("victim"), "mine\n");
    assert!(!service.path().join("supervise/status").is_symlink());
    assert_eq!(runsv.stderr(), "");
}

/// The status is true although there is no room for it.
#[test]
fn mends_f27_full_file_system_still_takes_the_status() {
    if !needs(&["root", "namespaces"]) {
        return;
    }
    let scratch = Scratch::new();
    scratch.directory("web");
    let mut command = scratch.command("unshare");
    let script = "mount -t tmpfs -o size=64k none web && printf '#!/bin/sh\\nexec sleep 1000\\n' >web/run && chmod +x web/run && \
                  exec runsv web";
    command.args(["--mount", "sh", "-c", script]);
    let runsv = scratch.start(command, Signal::SIGTERM);
    let web = std::path::PathBuf::from(format!("/proc/{}/root{}", runsv.pid(), scratch.path().join("web").display()));
    let read = |name: &str| std::fs::read_to_string(web.join("supervise").join(name)).unwrap_or_default();
    wait_until("a running service", || (read("stat") == "run\n").then_some(()));
    let old = read("pid");
    // No page is left after this.
    let _ = std::fs::write(web.join("filler"), vec![b'x'; 1 << 17]);
    send_signal(old.trim().parse().expect("a pid"), Signal::SIGKILL);
    wait_until("the new pid", || {
        let pid = read("pid");
        (pid != old && read("stat") == "run\n" && !pid.is_empty()).then_some(())
    });
    let status = std::fs::read(web.join("supervise/status")).expect("status");
    let pid: u32 = read("pid").trim().parse().expect("a pid");
    assert_eq!((status.len(), &status[12..16], status[19]), (80, &pid.to_le_bytes()[..], 1));
}

#[test]
fn existing_files_are_used_again() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN);
    let mut first = scratch.supervise(&service);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    service.send("x");
    first.wait();
    let control = service.path().join("supervise/control");
    std::fs::set_permissions(&control, std::fs::Permissions::from_mode(0o660)).expect("mode");
    let inode = control.metadata().expect("control").ino();
    let _second = scratch.supervise(&service);
    service.wait_running_other_than(pid);
    let control = control.metadata().expect("control");
    assert_eq!((control.ino(), control.mode() & 0o7777), (inode, 0o660));
}

/// A command that came while no runsv lived is lost with the fifo, and nothing of an old state is believed.
#[test]
fn status_of_a_dead_runsv_is_replaced() {
    let scratch = Scratch::new();
    let stale = Status::of(State::Run, 12345, 'u', 1000);
    let service =
        scratch.service("web").run(LISTEN).down().file("supervise/pid", "12345\n").file("supervise/stat", "run\n");
    std::fs::write(service.path().join("supervise/status"), stale.encode()).expect("status");
    let _runsv = scratch.supervise(&service);
    let status = service.wait_stat("down");
    assert_eq!((status.pid, service.pid_text().as_deref()), (0, Some("")));
}

// ---- defects of the original that are mended

#[test]
fn mends_k1_kill_ends_finish_and_finish_runs_once() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run("exit 7").finish("echo \"$@\" >>finishes; exec sleep 1000");
    let _runsv = scratch.supervise(&service);
    let finish = service.wait_stat("finish");
    service.wait_lines("finishes", 1);
    service.send("dk");
    wait_gone(finish.pid);
    service.wait_stat("down");
    assert_eq!(service.lines("finishes"), ["7 0"]);
}

#[test]
fn mends_k2_kill_after_exit_reaps_and_finishes() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN_AND_STAY).finish("echo \"$@\" >>finishes");
    let mut runsv = scratch.supervise(&service);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    service.send("x");
    service.wait_stat("run, got TERM, want exit");
    service.send("k");
    assert_eq!(runsv.output(), Output::exit(0, "", ""));
    assert!(!is_alive(pid));
    assert_eq!(service.lines("finishes"), ["-1 9"]);
    assert_eq!((service.stat().as_str(), service.pid_text().as_deref()), ("down\n", Some("")));
}

#[test]
fn mends_k3_control_k_that_takes_over_leaves_the_service_running() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).script("control/k", "echo k >>scripts");
    let _runsv = scratch.supervise(&service);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    service.send("k");
    service.wait_lines("scripts", 1);
    service.send("u1");
    service.wait_line("signals", "USR1");
    assert_eq!((service.stat().as_str(), service.status().pid, service.lines("starts").len()), ("run\n", pid, 1));
    service.send("d");
    service.wait_stat("down");
    assert!(!is_alive(pid));
}

#[test]
fn mends_k4_control_script_that_is_killed_leaves_the_signal() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN_AND_STAY).script("control/h", "kill -KILL $$");
    let _runsv = scratch.supervise(&service);
    service.wait_running();
    service.wait_lines("starts", 1);
    service.send("h");
    assert_eq!(service.wait_lines("signals", 1), ["HUP"]);
}

/// F18: a control script that hangs keeps nobody waiting.
#[test]
fn mends_k5_kill_is_heard_during_a_control_script() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN_AND_STAY).script("control/t", "echo >>scripts; exec sleep 1000");
    let _runsv = scratch.supervise(&service);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    service.send("d");
    service.wait_lines("scripts", 1);
    service.send("k");
    wait_gone(pid);
    service.wait_stat("down");
}

/// The way a shutdown goes: exit, and after the wait kill.
#[test]
fn mends_f18_forced_shutdown_gets_past_a_control_script_that_hangs() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).script("control/t", "echo >>scripts; exec sleep 1000");
    let mut runsv = scratch.supervise(&service);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    service.send("h1t");
    service.wait_lines("scripts", 1);
    assert_eq!(scratch.sv(&["-w1", "force-shutdown", "web"]).ending, Ending::Exit(1));
    assert_eq!(runsv.wait(), Ending::Exit(0));
    assert!(!is_alive(pid));
}

/// F24: however many commands wait for the script.
#[test]
fn mends_f18_kill_is_heard_behind_many_commands() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN_AND_STAY).script("control/t", "echo >>scripts; exec sleep 1000");
    let _runsv = scratch.supervise(&service);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    service.send("t");
    service.wait_lines("scripts", 1);
    service.send(&"h".repeat(50));
    service.send("dk");
    wait_gone(pid);
}

#[test]
fn mends_k5_death_of_the_service_is_seen_during_a_control_script() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).script("control/h", "echo >>scripts; exec sleep 1000");
    let _runsv = scratch.supervise(&service);
    let first = service.wait_running();
    service.wait_lines("starts", 1);
    service.send("h");
    service.wait_lines("scripts", 1);
    send_signal(first, Signal::SIGKILL);
    service.wait_running_other_than(first);
}

#[test]
fn mends_k5_log_is_restarted_during_a_control_script() {
    let scratch = Scratch::new();
    let service =
        scratch.service("web").run(LISTEN).script("control/h", "echo >>scripts; exec sleep 1000").log_run("exec cat");
    let _runsv = scratch.supervise(&service);
    service.wait_running();
    let logger = service.log().wait_running();
    service.wait_lines("starts", 1);
    service.send("h");
    service.wait_lines("scripts", 1);
    send_signal(logger, Signal::SIGKILL);
    service.log().wait_running_other_than(logger);
}

#[test]
fn mends_k5_control_scripts_get_clean_signals() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).executable("control/h", NOTE_MASK);
    let _runsv = scratch.supervise(&service);
    service.wait_running();
    service.wait_lines("starts", 1);
    service.send("h");
    assert_eq!(service.wait_lines("mask", 1), ["SigBlk:\t0000000000000000"]);
}

/// The signal of the command comes after the script, as before.
#[test]
fn default_action_waits_for_the_control_script() {
    let scratch = Scratch::new();
    let service = scratch
        .service("web")
        .run(LISTEN_AND_STAY)
        .script("control/t", "echo script >>signals; read -r _ <gate; echo end >>signals; exit 1")
        .gate("gate");
    let _runsv = scratch.supervise(&service);
    service.wait_running();
    service.wait_lines("starts", 1);
    service.send("t");
    service.wait_lines("signals", 1);
    service.open_gate("gate");
    assert_eq!(service.wait_lines("signals", 3), ["script", "end", "TERM"]);
    service.wait_stat("run, got TERM");
}

/// In the second after a short life a command is taken at once: the median of several is far below that second.
#[test]
fn mends_k6_commands_are_heard_between_two_starts() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run("echo >>starts").down();
    let _runsv = scratch.supervise(&service);
    let mut delays = Vec::new();
    for round in 0..5 {
        let stamp = |status: &Status| (status.seconds, status.nanoseconds);
        let before = stamp(&service.status());
        service.send("u");
        service.wait_lines("starts", round + 1);
        wait_until("the end of the short life", || {
            let status = Status::decode(&service.status_bytes()?).ok()?;
            (status.state == State::Down && status.want == 'u' && stamp(&status) != before).then_some(())
        });
        let sent = Instant::now();
        service.send("d");
        wait_until("want down", || (service.status().want == 'd').then_some(()));
        delays.push(sent.elapsed());
        // The next round begins after the second, with a start of its own.
        assert_eq!(service.status().state, State::Down);
    }
    delays.sort();
    assert!(delays[2] < Duration::from_millis(400), "from d to status: {delays:?}");
}

#[test]
fn mends_k6_down_then_up_between_two_starts_comes_up() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run("echo >>starts");
    let _runsv = scratch.supervise(&service);
    service.wait_lines("starts", 1);
    service.wait_stat("down");
    assert_eq!(scratch.sv(&["d", "web"]), Output::exit(0, "", ""));
    assert_eq!(scratch.sv(&["u", "web"]), Output::exit(0, "", ""));
    service.wait_lines("starts", 3);
    assert_eq!(service.status().want, 'u');
}

#[test]
fn mends_k6_log_is_heard_while_the_service_waits_for_its_second() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run("exit 1").log_run(LISTEN_AND_STAY);
    let _runsv = scratch.supervise(&service);
    let log = service.log();
    log.wait_running();
    log.wait_lines("starts", 1);
    let mut delays = Vec::new();
    for round in 0..5 {
        let sent = Instant::now();
        log.send("h");
        log.wait_lines("signals", round + 1);
        delays.push(sent.elapsed());
    }
    delays.sort();
    assert!(delays[2] < Duration::from_millis(400), "from h to HUP: {delays:?}");
}

#[test]
fn mends_k7_up_while_the_logger_drains_starts_nothing_in_a_loop() {
    let scratch = Scratch::new();
    let service = scratch
        .service("web")
        .run(LISTEN)
        .log_run("cat >/dev/null; echo end >>../lines; read -r _ <../gate")
        .gate("gate");
    let mut runsv = scratch.supervise(&service);
    service.wait_running();
    service.wait_lines("starts", 1);
    service.send("x");
    service.wait_lines("lines", 1);
    service.send("u");
    service.open_gate("gate");
    assert_eq!(runsv.output(), Output::exit(0, "", ""));
    assert_eq!(service.lines("starts").len(), 1);
}

/// Decided: exit is final.
#[test]
fn mends_k8_nothing_cancels_an_exit() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN_AND_STAY);
    let mut runsv = scratch.supervise(&service);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    service.send("x");
    service.wait_stat("run, got TERM, want exit");
    service.send("dou1");
    service.wait_line("signals", "USR1");
    assert_eq!(service.stat(), "run, got TERM, want exit\n");
    send_signal(pid, Signal::SIGKILL);
    assert_eq!(runsv.wait(), Ending::Exit(0));
    assert_eq!(service.stat(), "down\n");
}

#[test]
fn mends_k10_lock_of_the_log_is_not_awaited() {
    let scratch = Scratch::new();
    scratch.service("web").run(LISTEN).log_run("exec cat");
    let lock = scratch.file("web/log/supervise/lock", "");
    let held = std::fs::OpenOptions::new().append(true).open(lock).expect("lock");
    let _guard = nix::fcntl::Flock::lock(held, nix::fcntl::FlockArg::LockExclusiveNonblock).expect("lock");
    let refused = Output::exit(111, "", "runsv web: fatal: unable to lock log/supervise/lock: temporary failure\n");
    assert_eq!(scratch.run("runsv", &["web"]), refused);
}

#[test]
fn mends_k11_other_signals_do_not_kill_runsv() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN_AND_STAY);
    let mut runsv = scratch.supervise(&service);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    use Signal::{SIGALRM, SIGCONT, SIGHUP, SIGPIPE, SIGQUIT, SIGUSR1, SIGUSR2};
    for signal in [SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGPIPE, SIGCONT] {
        runsv.signal(signal);
    }
    service.send("i");
    assert_eq!(service.wait_lines("signals", 1), ["INT"]);
    assert_eq!((runsv.try_wait(), service.wait_stat("run").pid), (None, pid));
    runsv.signal(Signal::SIGTERM);
    service.wait_stat("run, got TERM, want exit");
}

/// Ctrl-C at the terminal of somebody who tries a service out is meant for all of it: nothing is left without a
/// supervisor.
#[test]
fn mends_k11_int_ends_the_service_too() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN);
    let mut runsv = scratch.supervise(&service);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    runsv.signal(Signal::SIGINT);
    assert_eq!(runsv.output(), Output::exit(0, "", ""));
    assert!(!is_alive(pid));
    assert_eq!(service.stat(), "down\n");
}

/// What runsv may not let kill itself (K11) is not ignored in the service.
#[test]
fn services_die_of_signals_as_usual() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run("exec sleep 1000");
    let _runsv = scratch.supervise(&service);
    for signal in [Signal::SIGHUP, Signal::SIGINT, Signal::SIGUSR1, Signal::SIGPIPE] {
        let pid = service.wait_running();
        wait_until("exec of sleep", || support::command_line(pid).starts_with(&["sleep".to_owned()]).then_some(()));
        send_signal(pid, signal);
        service.wait_running_other_than(pid);
    }
}

#[test]
fn mends_k13_log_has_a_pid_file_from_the_start() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).log_run("exec cat").file("log/down", "");
    let _runsv = scratch.supervise(&service);
    service.wait_running();
    assert_eq!(service.log().pid_text().as_deref(), Some(""));
}

#[test]
fn mends_k19_link_of_supervise_may_need_several_directories() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).log_run("exec cat");
    std::os::unix::fs::symlink(scratch.path().join("run/runit/supervise/web"), service.path().join("supervise"))
        .expect("a link");
    std::os::unix::fs::symlink(
        scratch.path().join("run/runit/supervise/web-log"),
        service.path().join("log/supervise"),
    )
    .expect("a link");
    let _runsv = scratch.supervise(&service);
    let pid = service.wait_running();
    let log = service.log().wait_running();
    let read = |name: &str| std::fs::read_to_string(scratch.path().join("run/runit/supervise").join(name)).expect(name);
    assert_eq!((read("web/pid"), read("web-log/pid")), (format!("{pid}\n"), format!("{log}\n")));
}

// ---- what the original does not have

/// The service directory is on a read-only mount, and nothing says where `supervise` should be: it goes to /run/runit.
#[test]
fn adds_state_under_run_for_a_read_only_directory() {
    if !needs(&["namespaces", "nsenter"]) {
        return;
    }
    let scratch = Scratch::new();
    let service = scratch.service("web").run("exec sleep 1000").log_run("exec cat");
    let script = "set -e; mount -t tmpfs run /run; mount --bind web web; mount -o remount,bind,ro web; exec runsv web";
    let mut command = scratch.command("unshare");
    command.args(["--mount", "sh", "-c", script]);
    let mut runsv = scratch.start(command, Signal::SIGTERM);
    let inside = |path: &str| std::path::PathBuf::from(format!("/proc/{}/root{path}", runsv.pid()));
    for name in ["web", "web-log"] {
        let stat = inside(&format!("/run/runit/supervise.{name}/stat"));
        wait_until(&format!("run in {}", stat.display()), || {
            (std::fs::read_to_string(&stat).ok()? == "run\n").then_some(())
        });
    }
    let mode = inside("/run/runit/supervise.web").metadata().expect("directory").mode() & 0o7777;
    assert_eq!(mode, 0o700);
    let mut command = scratch.command("nsenter");
    command.arg(format!("--target={}", runsv.pid())).args(["--mount", "sh", "-c", "cd \"$SVDIR\" && sv status web"]);
    let status = scratch.output(command).without_numbers();
    assert_eq!(status, Output::exit(0, "run: web: (pid P) Ns; run: log: (pid P) Ns\n", ""));
    assert!(!service.path().join("supervise").exists());
    runsv.signal(Signal::SIGTERM);
    assert_eq!(runsv.output(), Output::exit(0, "", ""));
}

/// Nothing of the project is in the way of a name with odd characters.
#[test]
fn names_are_taken_as_they_are() {
    let scratch = Scratch::new();
    for name in ["with blank", "-dash", "new\nline", "ünïcode@host", &"n".repeat(255)] {
        let service = Service::create(&scratch.path().join("deep").join(name)).run(LISTEN);
        let mut command = scratch.command("runsv");
        command.current_dir(scratch.path().join("deep")).arg(name);
        let mut runsv = scratch.start(command, Signal::SIGTERM);
        wait_until("a supervisor", || service.is_supervised().then_some(()));
        service.wait_running();
        service.wait_lines("starts", 1);
        runsv.signal(Signal::SIGTERM);
        assert_eq!(runsv.output(), Output::exit(0, "", ""), "{name:?}");
        assert!(Path::new(service.path()).join("supervise/status").exists());
    }
}
