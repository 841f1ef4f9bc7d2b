//! The file `oneshot` in a service directory: `./run` is run once, and the service is up without a process until it is told
//! otherwise.

use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use support::{
    Ending, Extension, LISTEN, NOTE_START, Output, Scan, Scratch, Service, Shown, State, Supervisor, find_runsv,
    is_alive, needs, runsv_of, send_signal, wait_gone, wait_until,
};

const RUNNING: u8 = 1;
const DONE: u8 = 2;
const FAILED: u8 = 3;

/// A finish script that notes its arguments.
const NOTE_ARGUMENTS: &str = "echo \"$@\" >>finishes";

/// A one-shot that notes its starts and its ends.
fn one_shot(scratch: &Scratch, name: &str, run: &str) -> Service {
    scratch.service(name).run(&format!("echo $$ >>starts\n{run}")).finish(NOTE_ARGUMENTS).file("oneshot", "")
}

/// Waits until it is that far, at that start.
#[track_caller]
fn wait_one_shot(service: &Service, one_shot: u8, starts: u32) -> Extension {
    service.wait_extension(&format!("one-shot {one_shot} at start {starts}"), |_, extension| {
        (extension.one_shot, extension.starts) == (one_shot, starts)
    })
}

/// Long enough for anything that would come back, after a second, to have come back.
fn wait_restart_time() {
    let begin = Instant::now();
    wait_until("more than a second", || (begin.elapsed() > Duration::from_millis(1700)).then_some(()));
}

fn counts(service: &Service) -> (usize, usize) {
    (service.lines("starts").len(), service.lines("finishes").len())
}

/// Kills a runsv where it stands; nobody is told.
fn kill(mut runsv: Supervisor) {
    runsv.signal(Signal::SIGKILL);
    assert_eq!(runsv.wait(), Ending::Signal(Signal::SIGKILL as i32));
}

/// A one-shot that is done and whose runsv was killed.
fn orphaned(scratch: &Scratch, name: &str) -> Service {
    let service = one_shot(scratch, name, "exit 0");
    let runsv = scratch.supervise(&service);
    wait_one_shot(&service, DONE, 1);
    kill(runsv);
    service
}

/// Waits until this runsv has written a status of a one-shot that is done.
#[track_caller]
fn wait_done_by(service: &Service, supervisor: u32) -> Extension {
    service.wait_extension(&format!("done, as {supervisor} tells it"), |_, extension| {
        (extension.one_shot, extension.supervisor) == (DONE, supervisor)
    })
}

// ---- done

#[test]
fn adds_one_shot_that_is_done_is_up() {
    let scratch = Scratch::new();
    let service = one_shot(&scratch, "web", "exit 0");
    let runsv = scratch.supervise(&service);
    let extension = wait_one_shot(&service, DONE, 1);
    assert_eq!((extension.wanted, extension.end, extension.wait_status), ('u', 1, 0), "{extension:?}");
    let status = service.wait_stat("run");
    assert_eq!((status.pid, status.want, status.state), (runsv.pid(), 'u', State::Run));
    assert_eq!(service.pid_text(), Some(String::new()), "nobody shall signal runsv by it");
    wait_restart_time();
    assert_eq!(counts(&service), (1, 0));
    let plain = scratch.sv(&["status", "web"]);
    assert_eq!(plain.without_numbers(), Output::exit(0, "run: web: (pid P) Ns\n", ""));
    assert!(plain.stdout.contains(&format!("(pid {})", runsv.pid())), "{plain:?}");
    let verbose = scratch.sv(&["-v", "status", "web"]);
    assert!(verbose.stdout.ends_with("s\n  starts=1\n  oneshot=done\n  last-end=exit 0\n"), "{verbose:?}");
    Shown::of(&scratch, "web").assert(&[
        ("state", "run"),
        ("pid", "0"),
        ("wanted", "up"),
        ("normally", "up"),
        ("starts", "1"),
        ("oneshot", "done"),
        ("last-end", "exit 0"),
        ("failure", "none"),
        ("tally", "0"),
    ]);
    assert_eq!(runsv.stderr(), "");
}

/// The seconds of a status are those since it is done, not those that it took.
#[test]
fn adds_seconds_count_from_when_it_was_done() {
    let scratch = Scratch::new();
    let service = one_shot(&scratch, "web", "read -r _ <gate").gate("gate");
    let _runsv = scratch.supervise(&service);
    let running = wait_one_shot(&service, RUNNING, 1);
    wait_restart_time();
    service.open_gate("gate");
    let done = wait_one_shot(&service, DONE, 1);
    assert!(done.seconds > running.seconds, "{running:?} {done:?}");
}

#[test]
fn adds_down_runs_finish_and_leaves_it_down() {
    let scratch = Scratch::new();
    let service = one_shot(&scratch, "web", "exit 0");
    let _runsv = scratch.supervise(&service);
    wait_one_shot(&service, DONE, 1);
    let stopped = scratch.sv(&["-w30", "stop", "web"]);
    assert_eq!(stopped.without_numbers(), Output::exit(0, "ok: down: web: Ns, normally up\n", ""));
    assert_eq!((service.lines("finishes"), service.stat().as_str()), (vec!["0 0".to_owned()], "down\n"));
    wait_restart_time();
    assert_eq!(counts(&service), (1, 1));
    Shown::of(&scratch, "web").assert(&[("oneshot", "no"), ("wanted", "down")]);
    let started = scratch.sv(&["-w30", "start", "web"]);
    assert_eq!(started.without_numbers(), Output::exit(0, "ok: run: web: (pid P) Ns\n", ""));
    wait_one_shot(&service, DONE, 2);
}

#[test]
fn adds_one_without_finish_goes_down_too() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run("echo >>starts").file("oneshot", "");
    let mut runsv = scratch.supervise(&service);
    wait_one_shot(&service, DONE, 1);
    service.send("d");
    service.wait_stat("down");
    service.send("u");
    wait_one_shot(&service, DONE, 2);
    service.send("x");
    assert_eq!(runsv.output(), Output::exit(0, "", ""));
    assert_eq!(service.stat(), "down\n");
}

#[test]
fn adds_restart_runs_finish_and_run_again() {
    let scratch = Scratch::new();
    let service = one_shot(&scratch, "web", "exit 0");
    let _runsv = scratch.supervise(&service);
    wait_one_shot(&service, DONE, 1);
    for (round, word) in ["restart", "try-restart", "force-restart", "force-reload"].into_iter().enumerate() {
        let restarted = scratch.sv(&["-w30", word, "web"]);
        assert_eq!(restarted.without_numbers(), Output::exit(0, "ok: run: web: (pid P) Ns\n", ""), "{word}");
        assert_eq!(counts(&service), (round + 2, round + 1), "{word}");
        Shown::of(&scratch, "web").assert(&[("oneshot", "done")]);
    }
    assert_eq!(service.lines("finishes"), ["0 0"; 4]);
}

#[test]
fn adds_kill_is_its_end_as_term_is() {
    let scratch = Scratch::new();
    let service = one_shot(&scratch, "web", "exit 0");
    let _runsv = scratch.supervise(&service);
    for (starts, byte) in [(1, "k"), (2, "t")] {
        wait_one_shot(&service, DONE, starts);
        service.send(byte);
    }
    wait_one_shot(&service, DONE, 3);
    assert_eq!(service.lines("finishes"), ["0 0"; 2]);
}

#[test]
fn adds_other_commands_mean_nothing_when_it_is_done() {
    let scratch = Scratch::new();
    let service =
        one_shot(&scratch, "web", "exit 0").script("control/t", "echo t >>hooks").script("control/h", "exit 1");
    let _runsv = scratch.supervise(&service);
    wait_one_shot(&service, DONE, 1);
    service.send("pchaiq12uo?");
    service.wait_extension("all read", |_, extension| extension.ignored == 1);
    assert_eq!((counts(&service), service.stat().as_str()), ((1, 0), "run\n"));
    for word in ["pause", "cont", "hup", "up", "once", "reload"] {
        let output = scratch.sv(&["-w30", word, "web"]);
        assert_eq!(output.without_numbers(), Output::exit(0, "ok: run: web: (pid P) Ns\n", ""), "{word}");
    }
    wait_one_shot(&service, DONE, 1);
    // There is nothing to signal, so nothing stands in its place either.
    service.send("d");
    service.wait_stat("down");
    assert_eq!((counts(&service), service.lines("hooks").len()), ((1, 1), 0));
}

#[test]
fn adds_exit_and_term_run_finish() {
    let scratch = Scratch::new();
    for (name, ends) in [("told", true), ("signalled", false)] {
        let service = one_shot(&scratch, name, "exit 0");
        let mut runsv = scratch.supervise(&service);
        wait_one_shot(&service, DONE, 1);
        if ends {
            assert_eq!(scratch.sv(&["-w30", "shutdown", name]).stdout, format!("ok: {name}: runsv not running\n"));
        } else {
            runsv.signal(Signal::SIGTERM);
        }
        assert_eq!(runsv.output(), Output::exit(0, "", ""));
        assert_eq!((service.lines("finishes"), service.stat().as_str()), (vec!["0 0".to_owned()], "down\n"));
    }
}

#[test]
fn adds_once_is_up() {
    let scratch = Scratch::new();
    let service = one_shot(&scratch, "web", "exit 0").down();
    let _runsv = scratch.supervise(&service);
    let once = scratch.sv(&["-w30", "once", "web"]);
    assert_eq!(once.without_numbers(), Output::exit(0, "ok: run: web: (pid P) Ns, normally down\n", ""));
    wait_one_shot(&service, DONE, 1);
    Shown::of(&scratch, "web").assert(&[("wanted", "up"), ("oneshot", "done")]);
    wait_restart_time();
    assert_eq!(counts(&service), (1, 0));
}

#[test]
fn adds_one_that_is_normally_down_waits_to_be_told() {
    let scratch = Scratch::new();
    let service = one_shot(&scratch, "web", "exit 0").down();
    let _runsv = scratch.supervise(&service);
    service.wait_stat("down");
    assert_eq!(scratch.sv(&["check", "web"]).without_numbers(), Output::exit(0, "ok: down: web: Ns\n", ""));
    let started = scratch.sv(&["-w30", "start", "web"]);
    assert_eq!(started.without_numbers(), Output::exit(0, "ok: run: web: (pid P) Ns, normally down\n", ""));
    assert_eq!(counts(&service), (1, 0));
}

/// As the init script of its service.
#[test]
fn adds_init_script_knows_it_as_running() {
    let scratch = Scratch::new();
    let service = one_shot(&scratch, "web", "exit 0");
    let _runsv = scratch.supervise(&service);
    wait_one_shot(&service, DONE, 1);
    scratch.directory("init.d");
    let script = scratch.path().join("init.d/web");
    std::os::unix::fs::symlink(scratch.programs().join("sv"), &script).expect("a link");
    let run = |word: &str| {
        let mut command = scratch.command(script.to_str().expect("text"));
        command.args(["-w", "30", word]);
        scratch.output(command).ending
    };
    assert_eq!(["status", "restart", "stop", "status"].map(run), [0, 0, 0, 3].map(Ending::Exit));
    assert_eq!(counts(&service), (2, 2));
}

// ---- while it runs

/// What waits for it to be up waits until it is done.
#[test]
fn adds_start_and_check_wait_until_it_is_done() {
    let scratch = Scratch::new();
    let service = one_shot(&scratch, "web", "read -r _ <gate").gate("gate").down();
    let _runsv = scratch.supervise(&service);
    let sv = |words: &[&str]| {
        let mut command = scratch.command("sv");
        command.args(words);
        scratch.start(command, Signal::SIGKILL)
    };
    let mut start = sv(&["-w30", "start", "web"]);
    wait_one_shot(&service, RUNNING, 1);
    let mut check = sv(&["-w30", "check", "web"]);
    let line = "timeout: run: web: (pid P) Ns, normally down\n";
    assert_eq!(scratch.sv(&["-w1", "check", "web"]).without_numbers(), Output::exit(1, line, ""));
    assert_eq!((start.try_wait(), check.try_wait()), (None, None));
    service.open_gate("gate");
    for waiting in [&mut start, &mut check] {
        let output = waiting.output().without_numbers();
        assert_eq!(output, Output::exit(0, "ok: run: web: (pid P) Ns, normally down\n", ""));
    }
}

#[test]
fn adds_check_script_counts_when_it_is_done() {
    let scratch = Scratch::new();
    let service = one_shot(&scratch, "web", "exit 0").script("check", "echo >>checks; [ -e good ]");
    let _runsv = scratch.supervise(&service);
    wait_one_shot(&service, DONE, 1);
    assert_eq!(scratch.sv(&["-w1", "check", "web"]).ending, Ending::Exit(1));
    let service = service.file("good", "");
    for word in ["check", "start", "restart"] {
        assert_eq!(scratch.sv(&["-w30", word, "web"]).ending, Ending::Exit(0), "{word}");
    }
    assert!(service.lines("checks").len() >= 4);
}

#[test]
fn adds_down_while_it_runs_stops_it() {
    let scratch = Scratch::new();
    let service = one_shot(&scratch, "web", "exec sleep 1000");
    let _runsv = scratch.supervise(&service);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    service.send("d");
    service.wait_stat("down");
    assert!(!is_alive(pid));
    assert_eq!((service.lines("finishes"), counts(&service)), (vec!["-1 15".to_owned()], (1, 1)));
    Shown::of(&scratch, "web").assert(&[("oneshot", "no"), ("wanted", "down"), ("last-end", "signal 15")]);
}

/// Also where it ends well by being told to end: it was not done.
#[test]
fn adds_restart_while_it_runs_runs_it_again() {
    let scratch = Scratch::new();
    let service = one_shot(&scratch, "web", "trap 'exit 0' TERM\necho >>ready\n[ -e good ] || { sleep 1000 & wait; }");
    let _runsv = scratch.supervise(&service);
    service.wait_lines("ready", 1);
    let service = service.file("good", "");
    assert_eq!(scratch.sv(&["-w30", "restart", "web"]).ending, Ending::Exit(0));
    assert_eq!((counts(&service), service.lines("finishes")), ((2, 1), vec!["0 0".to_owned()]));
    wait_one_shot(&service, DONE, 2);
}

// ---- failures

#[test]
fn adds_one_shot_that_fails_does_not_come_back() {
    let scratch = Scratch::new();
    for (name, run, arguments, end) in
        [("exits", "exit 3", "3 0", "exit 3"), ("killed", "kill -KILL $$", "-1 9", "signal 9")]
    {
        let service = one_shot(&scratch, name, run).file("backoff", "");
        let runsv = scratch.supervise(&service);
        wait_one_shot(&service, FAILED, 1);
        service.wait_stat("down");
        wait_restart_time();
        assert_eq!((counts(&service), service.lines("finishes")), ((1, 1), vec![arguments.to_owned()]));
        let expected =
            [("state", "down"), ("wanted", "down"), ("oneshot", "failed"), ("last-end", end), ("backoff", "0")];
        Shown::of(&scratch, name).assert(&expected);
        let verbose = scratch.sv(&["-v", "status", name]);
        let line = format!("down: {name}: Ns, normally up\n  starts=1\n  oneshot=failed\n  last-end={end}\n");
        assert_eq!(verbose.without_numbers().stdout, line);
        assert_eq!(runsv.stderr(), "");
    }
}

/// It is not as it shall be, and nobody has to wait for that to show.
#[test]
fn adds_sv_tells_a_failure_at_once() {
    let scratch = Scratch::new();
    let service = one_shot(&scratch, "web", "[ -e good ] || exit 3");
    let _runsv = scratch.supervise(&service);
    wait_one_shot(&service, FAILED, 1);
    service.wait_stat("down");
    let failure = Output::exit(1, "fail: down: web: Ns, normally up\n", "");
    for (round, word) in ["check", "start", "restart", "force-restart"].into_iter().enumerate() {
        let begin = Instant::now();
        assert_eq!(scratch.sv(&["-w39", word, "web"]).without_numbers(), failure, "{word}");
        assert!(begin.elapsed() < Duration::from_secs(30), "{word} waited");
        assert_eq!(service.lines("starts").len(), round + 1, "{word}");
    }
    let service = service.file("good", "");
    assert_eq!(scratch.sv(&["-w30", "start", "web"]).ending, Ending::Exit(0));
    wait_one_shot(&service, DONE, 5);
}

#[test]
fn adds_down_forgets_a_failure() {
    let scratch = Scratch::new();
    let service = one_shot(&scratch, "web", "exit 3");
    let _runsv = scratch.supervise(&service);
    wait_one_shot(&service, FAILED, 1);
    let stopped = scratch.sv(&["-w30", "stop", "web"]);
    assert_eq!(stopped.without_numbers(), Output::exit(0, "ok: down: web: Ns, normally up\n", ""));
    Shown::of(&scratch, "web").assert(&[("oneshot", "no"), ("last-end", "exit 3")]);
    assert_eq!(scratch.sv(&["check", "web"]).ending, Ending::Exit(0));
}

#[test]
fn adds_run_that_cannot_be_executed_is_tried_once() {
    let scratch = Scratch::new();
    let service = scratch.service("web").file("run", "").finish(NOTE_ARGUMENTS).file("oneshot", "");
    let runsv = scratch.supervise(&service);
    wait_one_shot(&service, FAILED, 1);
    service.wait_stat("down");
    wait_restart_time();
    assert_eq!(runsv.stderr(), "runsv web: fatal: unable to start ./run: access denied\n");
    assert_eq!(service.lines("finishes"), ["111 0"]);
    Shown::of(&scratch, "web").assert(&[
        ("oneshot", "failed"),
        ("failure", "unable to start ./run: access denied"),
        ("failed-start", "1"),
        ("starts", "1"),
    ]);
}

// ---- the file

/// It is looked at when `./run` ends; without it the service is one like any other.
#[test]
fn adds_file_is_looked_at_when_it_matters() {
    let scratch = Scratch::new();
    let service = one_shot(&scratch, "web", "read -r _ <gate").gate("gate");
    let _runsv = scratch.supervise(&service);
    let remove = || std::fs::remove_file(service.path().join("oneshot")).expect("oneshot");
    service.open_gate("gate");
    wait_one_shot(&service, DONE, 1);
    // What is done stays so.
    remove();
    wait_restart_time();
    assert_eq!(counts(&service), (1, 0));
    assert_eq!(wait_one_shot(&service, DONE, 1).wanted, 'u');
    service.send("t");
    service.open_gate("gate");
    // Now it comes back.
    service.wait_lines("starts", 3);
    assert_eq!(service.wait_extension("a third start", |_, extension| extension.starts == 3).one_shot, 0);
    let service = service.file("oneshot", "");
    service.open_gate("gate");
    wait_one_shot(&service, DONE, 3);
}

/// How the file is made.
type Make = fn(&Service);

/// That it is there says all.
#[test]
fn adds_file_may_be_anything() {
    let scratch = Scratch::new();
    let make: [(&str, Make); 4] = [
        ("text", |service| std::fs::write(service.path().join("oneshot"), "no\n").expect("a file")),
        ("directory", |service| std::fs::create_dir(service.path().join("oneshot")).expect("a directory")),
        ("fifo", |service| drop(service.clone().gate("oneshot"))),
        ("link", |service| std::os::unix::fs::symlink("run", service.path().join("oneshot")).expect("a link")),
    ];
    let all = make.map(|(name, make)| {
        let service = scratch.service(name).run("echo >>starts");
        make(&service);
        let runsv = scratch.supervise(&service);
        (service, runsv)
    });
    for (service, runsv) in &all {
        wait_one_shot(service, DONE, 1);
        assert_eq!(runsv.stderr(), "");
    }
    let service = scratch.service("loop").run("echo >>starts");
    std::os::unix::fs::symlink("oneshot", service.path().join("oneshot")).expect("a link");
    let runsv = scratch.supervise(&service);
    service.wait_lines("starts", 2);
    runsv.wait_stderr("runsv loop: warning: unable to use oneshot: symbolic link loop\n");
}

/// A log service is none.
#[test]
fn adds_log_service_is_no_one_shot() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).log_run("echo >>starts").file("log/oneshot", "");
    let _runsv = scratch.supervise(&service);
    service.log().wait_lines("starts", 2);
}

// ---- the log service beside it

#[test]
fn adds_log_pipe_stays_while_it_is_done() {
    let scratch = Scratch::new();
    let service =
        one_shot(&scratch, "web", "echo said by run").finish("echo said by finish").log_run("exec cat >>../lines");
    let mut runsv = scratch.supervise(&service);
    wait_one_shot(&service, DONE, 1);
    service.wait_line("lines", "said by run");
    let logger = service.log().wait_running();
    assert_eq!(
        scratch.sv(&["status", "web"]).without_numbers(),
        Output::exit(0, "run: web: (pid P) Ns; run: log: (pid P) Ns\n", "")
    );
    send_signal(logger, Signal::SIGKILL);
    let logger = service.log().wait_running_other_than(logger);
    service.send("t");
    wait_one_shot(&service, DONE, 2);
    service.wait_lines("lines", 3);
    service.send("x");
    assert_eq!(runsv.wait(), Ending::Exit(0));
    assert!(!is_alive(logger));
    assert_eq!(service.lines("lines"), ["said by run", "said by finish", "said by run", "said by finish"]);
}

/// Nobody but its runsv held the pipe, so the logger reads to the end, and another one follows: no line is lost.
#[test]
fn adds_log_service_follows_the_runsv_of_one_that_is_done() {
    let scratch = Scratch::new();
    let service =
        one_shot(&scratch, "web", "echo said by run").finish("echo said by finish").log_run("exec cat >>../lines");
    let first = scratch.supervise(&service);
    wait_one_shot(&service, DONE, 1);
    kill(first);
    let mut second = scratch.runsv("web");
    wait_done_by(&service, second.pid());
    service.log().wait_running();
    assert_eq!(service.lines("starts").len(), 1);
    service.send("x");
    assert_eq!(second.wait(), Ending::Exit(0));
    assert_eq!(service.lines("lines"), ["said by run", "said by finish"]);
}

// ---- another supervisor

#[test]
fn adds_killed_runsv_does_not_run_it_again() {
    let scratch = Scratch::new();
    let service = one_shot(&scratch, "web", "exit 0");
    let mut runsv = scratch.supervise(&service);
    let before = wait_one_shot(&service, DONE, 1);
    let mut record = service.status();
    for _round in 0..3 {
        kill(runsv);
        runsv = scratch.runsv("web");
        let extension = wait_done_by(&service, runsv.pid());
        assert_eq!((extension.seconds, extension.nanoseconds), (before.seconds, before.nanoseconds));
        assert!(extension.is_taken_over && extension.starts == 1 && extension.wanted == 'u', "{extension:?}");
        record.pid = runsv.pid();
        assert_eq!((service.status(), service.pid_text()), (record, Some(String::new())));
        assert_eq!(runsv.stderr(), "runsv web: info: taking over ./run: done\n");
    }
    wait_until("a supervisor", || service.is_supervised().then_some(()));
    assert_eq!(counts(&service), (1, 0));
    Shown::of(&scratch, "web").assert(&[("oneshot", "done"), ("taken-over", "yes"), ("last-end", "exit 0")]);
    assert_eq!(scratch.sv(&["-w30", "restart", "web"]).ending, Ending::Exit(0));
    assert_eq!((counts(&service), service.lines("finishes")), ((2, 1), vec!["0 0".to_owned()]));
    Shown::of(&scratch, "web").assert(&[("oneshot", "done"), ("taken-over", "no")]);
}

/// Nobody can tell how the one that ran then has ended.
#[test]
fn adds_one_that_ran_is_run_again_when_it_has_ended() {
    let scratch = Scratch::new();
    let service = one_shot(&scratch, "web", "read -r _ <gate").gate("gate");
    let first = scratch.supervise(&service);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    kill(first);
    let second = scratch.supervise(&service);
    service.wait_extension("a new supervisor", |status, extension| {
        extension.supervisor == second.pid() && extension.one_shot == RUNNING && status.pid == pid
    });
    service.open_gate("gate");
    service.wait_lines("starts", 2);
    assert_eq!(service.lines("finishes"), ["-1 0"]);
    service.open_gate("gate");
    wait_one_shot(&service, DONE, 2);
}

/// It stays down, as far as this boot's `down` says: a failure is not remembered.
#[test]
fn adds_one_that_is_down_is_started_by_the_next_runsv() {
    let scratch = Scratch::new();
    let service = one_shot(&scratch, "web", "exit 0");
    let mut first = scratch.supervise(&service);
    wait_one_shot(&service, DONE, 1);
    service.send("x");
    first.wait();
    let _second = scratch.supervise(&service);
    wait_one_shot(&service, DONE, 1);
    assert_eq!(counts(&service), (2, 1));
}

/// What is done to a status.
type Spoil = fn(&mut [u8]);

/// Each row spoils a status that would be believed.
#[test]
fn adds_status_that_is_not_its_own_is_not_believed() {
    let scratch = Scratch::new();
    let spoil: [(&str, Spoil); 6] = [
        ("boot", |bytes| bytes[44] ^= 1),
        ("no-boot", |bytes| bytes[44..52].fill(0)),
        ("place", |bytes| bytes[52] ^= 1),
        ("pid", |bytes| bytes[12] ^= 1),
        ("wanted", |bytes| bytes[22] = b'd'),
        ("finish", |bytes| bytes[19] = 2),
    ];
    for (name, spoil) in spoil {
        let service = orphaned(&scratch, name);
        let mut bytes = service.status_bytes().expect("status");
        spoil(&mut bytes);
        std::fs::write(service.path().join("supervise/status"), bytes).expect("status");
        assert_runs_again(&scratch, &service);
    }
    let service = orphaned(&scratch, "writable");
    let mut permissions = std::fs::metadata(service.path().join("supervise/status")).expect("status").permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o666);
    std::fs::set_permissions(service.path().join("supervise/status"), permissions).expect("mode");
    assert_runs_again(&scratch, &service);
}

#[track_caller]
fn assert_runs_again(scratch: &Scratch, service: &Service) {
    let runsv = scratch.supervise(service);
    let extension = wait_done_by(service, runsv.pid());
    assert_eq!((counts(service), extension.is_taken_over), ((2, 0), false), "{}", service.name());
    assert_eq!(runsv.stderr(), "");
}

/// A copy of its directory is another service, whether its runsv lives or not.
#[test]
fn adds_copied_directory_is_another_service() {
    let scratch = Scratch::new();
    let copy = |from: &str, to: &str| {
        let mut command = scratch.command("cp");
        command.args(["-a", from, to]);
        assert_eq!(scratch.output(command).ending, Ending::Exit(0));
        std::fs::write(scratch.path().join(to).join("starts"), "").expect("starts");
        scratch.service(to)
    };
    let original = one_shot(&scratch, "original", "exit 0");
    let runsv = scratch.supervise(&original);
    wait_one_shot(&original, DONE, 1);
    for (round, name) in ["while-it-lives", "afterwards"].into_iter().enumerate() {
        if round == 1 {
            runsv_ends(&original, runsv.pid());
        }
        let service = copy("original", name);
        let copied = scratch.runsv(name);
        let extension = wait_done_by(&service, copied.pid());
        assert_eq!((service.lines("starts").len(), extension.is_taken_over), (1, false), "{name}");
    }
    // Where it was written it is believed, also under another name.
    std::fs::rename(original.path(), scratch.path().join("renamed")).expect("rename");
    let renamed = scratch.service("renamed");
    let second = scratch.runsv("renamed");
    wait_done_by(&renamed, second.pid());
    assert_eq!(counts(&renamed), (1, 0));
}

/// Kills a runsv that the caller still holds.
fn runsv_ends(service: &Service, pid: u32) {
    send_signal(pid, Signal::SIGKILL);
    wait_until("the end of runsv", || (!service.is_supervised()).then_some(()));
    wait_until("a dead runsv", || matches!(support::process_state(pid), None | Some('Z')).then_some(()));
}

/// Its `supervise` was made anew meanwhile: that is now the place of the status.
#[test]
fn adds_supervise_made_anew_is_believed() {
    let scratch = Scratch::new();
    let service = one_shot(&scratch, "web", "exit 0");
    let mut first = scratch.supervise(&service);
    let before = wait_one_shot(&service, DONE, 1);
    std::fs::rename(service.path().join("supervise"), service.path().join("old")).expect("supervise");
    first.signal(Signal::SIGHUP);
    let after = wait_one_shot(&service, DONE, 1);
    assert!(before.pipe != after.pipe && after.pipe != 0, "{before:?} {after:?}");
    wait_until("a supervisor", || service.is_supervised().then_some(()));
    kill(first);
    let second = scratch.runsv("web");
    wait_done_by(&service, second.pid());
    assert_eq!(counts(&service), (1, 0));
}

/// A container has the boot of its machine, and its own pid 1: a new one runs it again, a new runsv in the same one does not.
#[test]
fn adds_new_container_runs_it_again() {
    if !needs(&["namespaces"]) {
        return;
    }
    let scratch = Scratch::new();
    // It takes longer than the kernel's tick, in which a start is not told from the end of it.
    let service = one_shot(&scratch, "web", "sleep 0.05");
    let container = || {
        let mut command = scratch.command("unshare");
        command.args(["--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c"]);
        command.arg("while :; do runsv web; done");
        scratch.start(command, Signal::SIGKILL)
    };
    let supervisor = |old: u32| {
        service.wait_extension(&format!("done, and not as {old} tells it"), |_, extension| {
            extension.one_shot == DONE && extension.supervisor != old
        })
    };
    let first = container();
    let pid = supervisor(0).supervisor;
    let inside = support::children(first.pid())[0];
    send_signal(support::children(inside)[0], Signal::SIGKILL);
    let extension = supervisor(pid);
    assert_eq!((counts(&service), extension.is_taken_over), ((1, 0), true));
    kill(first);
    wait_gone(inside);
    wait_until("the end of runsv", || (!service.is_supervised()).then_some(()));
    let _second = container();
    let extension = wait_started_again(&service);
    assert_eq!((counts(&service), extension.starts, extension.is_taken_over), ((2, 0), 1, false));
}

#[track_caller]
fn wait_started_again(service: &Service) -> Extension {
    service.wait_lines("starts", 2);
    service.wait_extension("done again", |_, extension| extension.one_shot == DONE && !extension.is_taken_over)
}

// ---- below runsvdir

#[test]
fn adds_one_shot_below_runsvdir() {
    let scan = Scan::new();
    let service = scan.service("web").run("echo >>starts").finish(NOTE_ARGUMENTS).file("oneshot", "");
    scan.link("web");
    let mut runsvdir = scan.start();
    wait_one_shot(&service, DONE, 1);
    let old = runsv_of(&runsvdir, "web");
    send_signal(old, Signal::SIGKILL);
    let new = wait_until("a new runsv", || find_runsv(runsvdir.pid(), "web").filter(|new| *new != old));
    wait_done_by(&service, new);
    assert_eq!(counts(&service), (1, 0));
    scan.unlink("web");
    wait_gone(new);
    assert_eq!((counts(&service), service.stat().as_str()), ((1, 1), "down\n"));
    scan.link("web");
    wait_one_shot(&service, DONE, 1);
    assert_eq!(service.lines("starts").len(), 2);
    runsvdir.signal(Signal::SIGHUP);
    assert_eq!(runsvdir.wait(), Ending::Exit(111));
    service.wait_lines("finishes", 2);
}

// ---- runit

/// A command with runit's own program.
fn reference_command(scratch: &Scratch, program: &str) -> Option<Command> {
    match support::reference() {
        Ok(reference) => Some(scratch.command(reference.programs.join(program).to_str().expect("text"))),
        Err(reason) => {
            support::skip(&reason);
            None
        }
    }
}

#[test]
fn adds_sv_of_runit_takes_it_for_up() {
    let scratch = Scratch::new();
    if reference_command(&scratch, "sv").is_none() {
        return;
    }
    let sv = |words: &[&str]| {
        let mut command = reference_command(&scratch, "sv").expect("sv");
        command.env("SVWAIT", "30").args(words);
        scratch.output(command).without_numbers()
    };
    let service = one_shot(&scratch, "web", "[ ! -e bad ]");
    let _runsv = scratch.supervise(&service);
    wait_one_shot(&service, DONE, 1);
    let up = |before: &str| Output::exit(0, &format!("{before}run: web: (pid P) Ns\n"), "");
    assert_eq!(sv(&["status", "web"]), up(""));
    for words in
        [&["-v", "up", "web"][..], &["start", "web"], &["check", "web"], &["-v", "hup", "web"], &["reload", "web"]]
    {
        assert_eq!(sv(words), up("ok: "), "{words:?}");
    }
    assert_eq!(counts(&service), (1, 0));
    assert_eq!(sv(&["restart", "web"]), up("ok: "));
    wait_one_shot(&service, DONE, 2);
    let down = Output::exit(0, "ok: down: web: Ns, normally up\n", "");
    assert_eq!((sv(&["stop", "web"]), counts(&service)), (down, (2, 2)));
    assert_eq!(sv(&["status", "web"]), Output::exit(0, "down: web: Ns, normally up\n", ""));
    // If told to wait for that it would wait for something that is not wanted up.
    assert_eq!(sv(&["once", "web"]), Output::exit(0, "", ""));
    wait_one_shot(&service, DONE, 3);
    // One that has failed is not wanted up in what it reads, so it does start it again.
    let service = service.file("bad", "");
    service.send("t");
    wait_one_shot(&service, FAILED, 4);
    service.wait_stat("down");
    std::fs::remove_file(service.path().join("bad")).expect("bad");
    assert_eq!(sv(&["start", "web"]).ending, Ending::Exit(0));
    wait_one_shot(&service, DONE, 5);
    assert_eq!(sv(&["shutdown", "web"]), Output::exit(0, "ok: web: runsv not running\n", ""));
}

/// It does not know the file, and what it finds in `supervise` does not keep it from anything.
#[test]
fn adds_runsv_of_runit_takes_it_for_a_service() {
    let scratch = Scratch::new();
    let Some(mut command) = reference_command(&scratch, "runsv") else { return };
    let service = scratch.service("web").run(NOTE_START).file("oneshot", "");
    let first = scratch.supervise(&service);
    wait_one_shot(&service, DONE, 1);
    kill(first);
    command.arg("web");
    let mut second = scratch.start(command, Signal::SIGTERM);
    service.wait_lines("starts", 3);
    second.signal(Signal::SIGTERM);
    assert_eq!(second.wait(), Ending::Exit(0));
}
