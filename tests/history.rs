//! What a supervisor records of a service's life, as `sv show` tells it: starts, ends, failures and their reasons, the
//! control script that runs, the bytes that were no commands.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nix::sys::signal::Signal;
use support::{
    Ending, LISTEN, LISTEN_AND_STAY, STATUS_BYTES, Scratch, Service, Shown, State, boot_name, boot_seconds, send_signal,
};

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("mode");
}

/// Waits until the traps of [`LISTEN`] are set in the latest start.
fn wait_listening(service: &Service, starts: usize) -> u32 {
    service.wait_lines("starts", starts);
    service.wait_running()
}

#[test]
fn adds_a_service_that_just_runs_has_a_short_history() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN);
    let runsv = scratch.supervise(&service);
    let pid = wait_listening(&service, 1).to_string();
    let supervisor = runsv.pid().to_string();
    Shown::of(&scratch, "web").assert(&[
        ("service", "web"),
        ("state", "run"),
        ("pid", &pid),
        ("wanted", "up"),
        ("normally", "up"),
        ("paused", "no"),
        ("got-term", "no"),
        ("supervisor", &supervisor),
        ("starts", "1"),
        ("taken-over", "no"),
        ("last-end", "none"),
        ("failure", "none"),
        ("failed-start", "0"),
        ("tally", "0"),
        ("backoff", "0"),
        ("control-script", "none"),
        ("ignored-bytes", "0"),
    ]);
    assert_eq!(scratch.sv(&["-v", "status", "web"]).without_numbers().stdout, "run: web: (pid P) Ns\n  starts=1\n");
}

#[test]
fn adds_a_service_that_is_down_has_never_started() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).down();
    let _runsv = scratch.supervise(&service);
    service.wait_stat("down");
    Shown::of(&scratch, "web").assert(&[
        ("state", "down"),
        ("pid", "0"),
        ("wanted", "down"),
        ("normally", "down"),
        ("starts", "0"),
        ("last-end", "none"),
    ]);
}

#[test]
fn adds_the_file_is_as_long_as_promised_and_names_the_boot() {
    let scratch = Scratch::new();
    let before = boot_seconds();
    let service = scratch.service("web").run(LISTEN);
    let _runsv = scratch.supervise(&service);
    wait_listening(&service, 1);
    let extension = service.wait_extension("a start", |status, extension| status.pid != 0 && extension.starts == 1);
    let after = boot_seconds() + 1;
    assert_eq!(service.status_bytes().map(|bytes| bytes.len()), Some(STATUS_BYTES));
    assert_eq!((extension.boot, extension.pipe, extension.wanted), (boot_name(), 0, 'u'));
    assert!((before..=after).contains(&extension.seconds), "{before} {after}: {extension:?}");
    assert!(
        (before * 1_000_000_000..=after * 1_000_000_000).contains(&extension.written),
        "{before} {after}: {extension:?}"
    );
    assert!(extension.nanoseconds < 1_000_000_000, "{extension:?}");
}

/// The stamp on the clock of the boot is that of the record: of the start of `./run`, in state finish too.
#[test]
fn adds_both_stamps_are_of_the_same_moment() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run("read -r _ <gate").finish("exec sleep 1000").gate("gate");
    let _runsv = scratch.supervise(&service);
    service.wait_running();
    let running = service.wait_extension("a start", |status, _| status.state == State::Run);
    let stamp = service.status();
    service.open_gate("gate");
    let finishing = service.wait_extension("finish", |status, _| status.state == State::Finish && status.pid != 0);
    let later = service.status();
    assert_eq!((later.seconds, later.nanoseconds), (stamp.seconds, stamp.nanoseconds));
    assert_eq!((finishing.seconds, finishing.nanoseconds), (running.seconds, running.nanoseconds));
    let gap = (stamp.seconds as i128 - i128::from(running.seconds)) - (wall_now() as i128 - i128::from(boot_seconds()));
    assert!(gap.abs() <= 2, "the stamps are {gap} s apart");
}

fn wall_now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs()
}

#[test]
fn adds_every_end_is_told_and_every_start_counted() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(
        "echo >>starts
        case $(wc -l <starts) in
        1) exit 3 ;;
        2) exit 111 ;;
        3) kill -TERM $$ ;;
        4) kill -KILL $$ ;;
        *) exec sleep 1000 ;;
        esac",
    );
    let _runsv = scratch.supervise(&service);
    for (starts, wait_status, text) in
        [(1, 3 << 8, "exit 3"), (2, 111 << 8, "exit 111"), (3, 15, "signal 15"), (4, 9, "signal 9")]
    {
        let extension =
            service.wait_extension(text, |status, extension| extension.starts == starts && status.state == State::Down);
        assert_eq!((extension.end, extension.wait_status), (1, wait_status), "{text}: {extension:?}");
    }
    // A real 111 is not taken for a failure to execute.
    let last = [("starts", "5"), ("last-end", "signal 9"), ("failure", "none"), ("failed-start", "0")];
    Shown::wait(&scratch, "web", &last);
}

#[test]
fn adds_the_end_of_a_stopped_service_is_told_while_it_is_down() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN);
    let _runsv = scratch.supervise(&service);
    wait_listening(&service, 1);
    assert_eq!(scratch.sv(&["stop", "web"]).ending, Ending::Exit(0));
    Shown::of(&scratch, "web").assert(&[
        ("state", "down"),
        ("wanted", "down"),
        ("starts", "1"),
        ("last-end", "exit 0"),
        ("tally", "0"),
        ("failure", "none"),
    ]);
}

#[test]
fn adds_a_core_dump_is_shown_as_its_signal() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run("kill -SEGV $$").finish("echo \"$@\" >>finishes").down();
    let _runsv = scratch.supervise(&service);
    service.send("o");
    service.wait_lines("finishes", 1);
    Shown::wait(&scratch, "web", &[("last-end", "signal 11"), ("state", "down")]);
}

// ---- what is wanted

#[test]
fn adds_what_is_wanted_is_told_in_full() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN_AND_STAY);
    let _runsv = scratch.supervise(&service);
    wait_listening(&service, 1);
    for (byte, stat, wanted, got_term) in [
        ("o", "run, want down", "once", "no"),
        ("u", "run", "up", "no"),
        ("d", "run, got TERM, want down", "down", "yes"),
        ("x", "run, got TERM, want exit", "exit", "yes"),
    ] {
        service.send(byte);
        service.wait_stat(stat);
        Shown::of(&scratch, "web").assert(&[("wanted", wanted), ("got-term", got_term), ("state", "run")]);
    }
    service.send("k");
}

#[test]
fn adds_pause_is_shown_and_the_stop_procedure_ends_it() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN_AND_STAY);
    let _runsv = scratch.supervise(&service);
    wait_listening(&service, 1);
    service.send("p");
    Shown::wait(&scratch, "web", &[("paused", "yes"), ("state", "run")]);
    // CONT is part of it, so the process is not stopped any more, and the flag says so.
    service.send("d");
    Shown::wait(&scratch, "web", &[("paused", "no"), ("got-term", "yes")]);
    service.wait_line("signals", "CONT");
    service.send("k");
    service.wait_stat("down");
    service.send("pc");
    service.send("p\n");
    Shown::wait(&scratch, "web", &[("ignored-bytes", "1"), ("paused", "no")]);
    assert_eq!(service.stat(), "down\n");
}

// ---- failures

#[test]
fn adds_a_run_that_cannot_be_executed_is_told_with_the_reason() {
    let scratch = Scratch::new();
    let missing = scratch.service("missing");
    let plain = scratch.service("plain").file("run", "#!/bin/sh\n");
    let bare = scratch.service("bare").executable("run", "exec sleep 1000\n");
    let lost = scratch.service("lost").executable("run", "#!/no/such/interpreter\n");
    let folder = scratch.service("folder");
    scratch.directory("folder/run");
    let rows = [
        (missing, "file does not exist"),
        (plain, "access denied"),
        (bare, "exec format error"),
        (lost, "file does not exist"),
        (folder, "access denied"),
    ];
    let supervisors: Vec<_> = rows.iter().map(|row| scratch.supervise(&row.0)).collect();
    for (service, reason) in &rows {
        let failed = service.wait_extension("a second failure", |_, extension| extension.failed_start >= 2);
        assert_eq!((failed.failure, failed.failed_start <= failed.starts), (1, true), "{}: {failed:?}", service.name());
        let shown = Shown::of(&scratch, &service.name());
        shown.assert(&[("failure", &format!("unable to start ./run: {reason}")), ("wanted", "up")]);
    }
    for runsv in &supervisors {
        send_signal(runsv.pid(), Signal::SIGTERM);
    }
}

/// What failed last stays, with the number of the start: a later start that went well has a larger one.
#[test]
fn adds_an_old_failure_is_known_by_its_start() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN);
    set_mode(&service.path().join("run"), 0o600);
    let _runsv = scratch.supervise(&service);
    service.wait_extension("a failure", |_, extension| extension.failure == 1);
    set_mode(&service.path().join("run"), 0o700);
    service.wait_lines("starts", 1);
    service.wait_running();
    let extension = service.extension().expect("an extension");
    assert_eq!(extension.failure, 1, "{extension:?}");
    assert!(extension.failed_start < extension.starts && extension.failed_start > 0, "{extension:?}");
    Shown::of(&scratch, "web").assert(&[("failure", "unable to start ./run: access denied")]);
}

#[test]
fn adds_a_finish_that_cannot_be_executed_is_told() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).file("finish", "#!/bin/sh\n");
    let _runsv = scratch.supervise(&service);
    wait_listening(&service, 1);
    assert_eq!(scratch.sv(&["stop", "web"]).ending, Ending::Exit(0));
    let failure = "unable to start ./finish: access denied";
    Shown::of(&scratch, "web").assert(&[("failure", failure), ("failed-start", "1"), ("last-end", "exit 0")]);
}

#[test]
fn adds_a_control_script_that_cannot_be_executed_is_told() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).executable("control/h", "#!/no/such/interpreter\n");
    let _runsv = scratch.supervise(&service);
    wait_listening(&service, 1);
    service.send("h");
    service.wait_line("signals", "HUP");
    let failure = "unable to run a control script: file does not exist";
    Shown::wait(&scratch, "web", &[("failure", failure), ("failed-start", "1"), ("control-script", "none")]);
}

#[test]
fn adds_a_failing_log_is_told_as_the_log_s() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN);
    scratch.directory("web/log");
    let _runsv = scratch.supervise(&service);
    wait_listening(&service, 1);
    service.log().wait_extension("a second failure", |_, extension| extension.failed_start >= 2);
    let shown = Shown::of(&scratch, "web");
    shown.assert(&[
        ("failure", "none"),
        ("starts", "1"),
        ("log-failure", "unable to start ./run: file does not exist"),
        ("log-wanted", "up"),
    ]);
    assert_eq!(shown.get("supervisor"), shown.get("log-supervisor"));
}

#[test]
fn adds_log_and_service_count_their_own_starts() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).log_run("exec cat >>lines");
    let _runsv = scratch.supervise(&service);
    wait_listening(&service, 1);
    let logger = service.log().wait_running();
    send_signal(logger, Signal::SIGKILL);
    service.log().wait_running_other_than(logger);
    let expected = [
        ("starts", "1"),
        ("last-end", "none"),
        ("log-service", "log"),
        ("log-starts", "2"),
        ("log-last-end", "signal 9"),
        ("log-taken-over", "no"),
    ];
    Shown::wait(&scratch, "web", &expected);
    let (own, its) = (service.extension().expect("ours"), service.log().extension().expect("its"));
    assert!(own.pipe != 0 && own.pipe == its.pipe, "one pipe: {own:?} {its:?}");
}

// ---- control scripts and unknown bytes

#[test]
fn adds_a_control_script_that_hangs_is_shown_and_killed() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN_AND_STAY).script("control/t", "echo $$ >>scripts; exec sleep 1000");
    let _runsv = scratch.supervise(&service);
    wait_listening(&service, 1);
    service.send("t");
    let script: u32 = service.wait_lines("scripts", 1)[0].parse().expect("a pid");
    Shown::wait(&scratch, "web", &[("control-script", "t"), ("state", "run")]);
    let verbose = scratch.sv(&["-v", "status", "web"]).without_numbers().stdout;
    assert_eq!(verbose, "run: web: (pid P) Ns\n  starts=1\n  control-script=t\n");
    service.send("dk");
    support::wait_until("the end of the script", || (!support::is_alive(script)).then_some(()));
    Shown::wait(&scratch, "web", &[("control-script", "none"), ("state", "down")]);
}

#[test]
fn adds_unknown_bytes_are_counted_up_to_255() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).log_run("exec cat");
    let _runsv = scratch.supervise(&service);
    wait_listening(&service, 1);
    service.send("zz\n\0");
    Shown::wait(&scratch, "web", &[("ignored-bytes", "4"), ("log-ignored-bytes", "0")]);
    service.send(&"\n".repeat(250));
    Shown::wait(&scratch, "web", &[("ignored-bytes", "254")]);
    service.send(&"?".repeat(10_000));
    service.send("1");
    service.wait_line("signals", "USR1");
    Shown::wait(&scratch, "web", &[("ignored-bytes", "255"), ("starts", "1")]);
    service.log().send("e");
    Shown::wait(&scratch, "web", &[("log-ignored-bytes", "1")]);
}
