//! A runsv that was killed, and the next one over the same service directory (F1, K11): it takes over what still runs, and
//! nothing is started twice.

use std::os::unix::process::CommandExt;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use support::{
    Ending, LISTEN, LISTEN_AND_STAY, NOTE_START, Output, Scan, Scratch, Service, Shown, State, Supervisor, find_runsv,
    is_alive, needs, process_state, runsv_of, seconds_between, send_signal, wait_gone, wait_until,
};

/// A finish script that notes its arguments.
const NOTE_ARGUMENTS: &str = "echo \"$@\" >>finishes";

/// Kills a runsv where it stands; nobody is told.
fn kill(mut runsv: Supervisor) -> u32 {
    runsv.signal(Signal::SIGKILL);
    assert_eq!(runsv.wait(), Ending::Signal(Signal::SIGKILL as i32));
    runsv.pid()
}

/// Starts a runsv where one was killed, and waits until its first status is there.
#[track_caller]
fn start_again(scratch: &Scratch, service: &Service) -> Supervisor {
    let runsv = scratch.runsv(&service.name());
    wait_supervisor(service, runsv.pid());
    runsv
}

#[track_caller]
fn wait_supervisor(service: &Service, pid: u32) {
    service.wait_extension(&format!("supervisor {pid}"), |_, extension| extension.supervisor == pid);
    wait_until("a supervisor", || service.is_supervised().then_some(()));
}

/// Waits until a process that was taken over has ended for the status, and gives back how long that took.
#[track_caller]
fn time_to_notice(service: &Service, pid: u32) -> Duration {
    send_signal(pid, Signal::SIGKILL);
    let killed = Instant::now();
    while service.status().pid == pid {
        assert!(killed.elapsed() < support::LIMIT, "the end of {pid} goes unnoticed: {:?}", service.extension());
        std::thread::sleep(Duration::from_micros(500));
    }
    killed.elapsed()
}

// ---- the service

#[test]
fn mends_k11_running_service_is_taken_over() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).finish(NOTE_ARGUMENTS);
    let first = scratch.supervise(&service);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    let before = service.extension().expect("an extension");
    let record = service.status();
    assert!(!before.is_taken_over, "{before:?}");
    kill(first);
    let second = start_again(&scratch, &service);
    let extension = service.extension().expect("an extension");
    assert_eq!(service.status(), record);
    assert_eq!((extension.seconds, extension.nanoseconds), (before.seconds, before.nanoseconds));
    assert_eq!((extension.is_taken_over, extension.wanted, extension.starts), (true, 'u', 1), "{extension:?}");
    assert_eq!((service.stat(), service.pid_text()), ("run\n".to_owned(), Some(format!("{pid}\n"))));
    service.send("h");
    service.wait_line("signals", "HUP");
    assert_eq!(service.lines("starts"), [pid.to_string()]);
    assert_eq!(second.stderr(), format!("runsv web: info: taking over ./run: pid {pid}\n"));
    let status = scratch.sv(&["status", "web"]);
    assert_eq!(status.without_numbers(), Output::exit(0, "run: web: (pid P) Ns\n", ""));
    assert!(status.stdout.contains(&format!("(pid {pid})")), "{status:?}");
}

#[test]
fn adds_show_tells_that_it_was_taken_over() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN);
    let first = scratch.supervise(&service);
    let pid = service.wait_running();
    kill(first);
    let second = start_again(&scratch, &service);
    let (pid, supervisor) = (pid.to_string(), second.pid().to_string());
    Shown::of(&scratch, "web").assert(&[
        ("state", "run"),
        ("pid", &pid),
        ("wanted", "up"),
        ("supervisor", &supervisor),
        ("starts", "1"),
        ("taken-over", "yes"),
        ("last-end", "none"),
        ("failure", "none"),
    ]);
}

/// Well within the second that it takes where the kernel has no descriptors for processes.
#[test]
fn mends_f1_end_of_a_process_taken_over_is_noticed_at_once() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).finish(NOTE_ARGUMENTS);
    let mut runsv = scratch.supervise(&service);
    let mut delays = Vec::new();
    let mut pid = service.wait_running();
    for _round in 0..3 {
        kill(runsv);
        runsv = start_again(&scratch, &service);
        delays.push(time_to_notice(&service, pid));
        pid = service.wait_running_other_than(pid);
    }
    let extension = service.extension().expect("an extension");
    assert_eq!((extension.is_taken_over, extension.end, extension.starts), (false, 2, 4), "{extension:?}");
    assert_eq!(service.lines("finishes"), ["-1 0", "-1 0", "-1 0"]);
    assert_eq!(service.wait_lines("starts", 4).len(), 4);
    Shown::of(&scratch, "web").assert(&[("taken-over", "no"), ("last-end", "unknown")]);
    let least = delays.iter().min().expect("some");
    support::figure(&format!("end of a process taken over to status: least {least:?} of {delays:?}"));
    assert!(*least < Duration::from_millis(500), "{delays:?}");
}

#[test]
fn mends_f1_service_taken_over_obeys() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).finish(NOTE_ARGUMENTS);
    let mut runsv = scratch.supervise(&service);
    let mut old = service.wait_running();
    for (round, bytes) in ["t", "du", "k"].into_iter().enumerate() {
        service.wait_lines("starts", round + 1);
        kill(runsv);
        runsv = start_again(&scratch, &service);
        service.send(bytes);
        let new = service.wait_running_other_than(old);
        assert!(!is_alive(old), "after {bytes:?}");
        old = new;
    }
    service.wait_lines("starts", 4);
    kill(runsv);
    runsv = start_again(&scratch, &service);
    service.send("p");
    wait_until("a stopped process", || (process_state(old) == Some('T')).then_some(()));
    service.wait_stat("run, paused");
    service.send("d");
    service.wait_stat("down");
    assert!(!is_alive(old));
    service.send("x");
    assert_eq!(runsv.output(), Output::exit(0, "", &format!("runsv web: info: taking over ./run: pid {old}\n")));
    assert_eq!(service.lines("finishes"), ["-1 0"; 4]);
}

#[test]
fn mends_f1_exit_of_a_service_taken_over() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).finish(NOTE_ARGUMENTS);
    let first = scratch.supervise(&service);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    kill(first);
    let mut second = start_again(&scratch, &service);
    second.signal(Signal::SIGTERM);
    assert_eq!(second.wait(), Ending::Exit(0));
    assert!(!is_alive(pid));
    assert_eq!((service.lines("finishes"), service.stat()), (vec!["-1 0".to_owned()], "down\n".to_owned()));
}

#[test]
fn mends_f1_many_kills_in_a_row_start_nothing() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN);
    let mut runsv = scratch.supervise(&service);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    for _round in 0..10 {
        kill(runsv);
        runsv = start_again(&scratch, &service);
    }
    service.send("h");
    service.wait_line("signals", "HUP");
    assert_eq!((service.wait_stat("run").pid, service.lines("starts").len()), (pid, 1));
}

/// F28: of several that come at once, one takes over.
#[test]
fn mends_f28_one_of_several_takes_over() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN);
    let first = scratch.supervise(&service);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    kill(first);
    let mut several: Vec<_> = (0..5).map(|_| scratch.runsv("web")).collect();
    wait_until("four to give up", || (several.iter_mut().filter_map(Supervisor::try_wait).count() == 4).then_some(()));
    for runsv in &mut several {
        if let Some(ending) = runsv.try_wait() {
            let refused = "runsv web: fatal: unable to lock supervise/lock: temporary failure\n";
            assert_eq!((ending, runsv.stderr().as_str()), (Ending::Exit(111), refused));
        } else {
            wait_supervisor(&service, runsv.pid());
        }
    }
    service.send("h");
    service.wait_line("signals", "HUP");
    assert_eq!((service.wait_stat("run").pid, service.lines("starts").len()), (pid, 1));
}

// ---- what is wanted

/// One row: the bytes sent to the first runsv, whether there is a file `down`, what the first one says then, what the second
/// one wants and says. TERM is only noted by the service.
const WANTED: &[(&str, bool, &str, char, &str)] = &[
    ("", false, "run", 'u', "run"),
    ("u", true, "run", 'u', "run"),
    ("o", false, "run, want down", 'o', "run, want down"),
    ("o", true, "run, want down", 'o', "run, want down"),
    ("d", false, "run, got TERM, want down", 'd', "run, got TERM, want down"),
    ("x", false, "run, got TERM, want exit", 'u', "run, got TERM"),
    ("ux", true, "run, got TERM, want exit", 'd', "run, got TERM, want down"),
    ("p", false, "run, paused", 'u', "run, paused"),
    ("t", false, "run, got TERM", 'u', "run, got TERM"),
];

#[test]
fn mends_f1_what_is_wanted_is_kept() {
    let scratch = Scratch::new();
    let all: Vec<_> = WANTED
        .iter()
        .enumerate()
        .map(|(row, (bytes, is_down, ..))| {
            let service = scratch.service(&format!("row{row}")).run(LISTEN_AND_STAY);
            let service = if *is_down { service.down() } else { service };
            let runsv = scratch.supervise(&service);
            if *is_down {
                service.send(&bytes[..1]);
            }
            (service, runsv)
        })
        .collect();
    for ((service, runsv), (bytes, _, before, wanted, after)) in all.into_iter().zip(WANTED) {
        let pid = service.wait_running();
        service.wait_lines("starts", 1);
        service.send(bytes);
        service.wait_stat(before);
        kill(runsv);
        let _second = start_again(&scratch, &service);
        let extension = service.extension().expect("an extension");
        let seen = (extension.wanted, service.stat(), service.status().pid);
        assert_eq!(seen, (*wanted, format!("{after}\n"), pid), "after {bytes:?}: {extension:?}");
        send_signal(pid, Signal::SIGKILL);
        if *wanted == 'u' {
            service.wait_running_other_than(pid);
        } else {
            service.wait_stat("down");
            assert_eq!(service.lines("starts").len(), 1, "after {bytes:?}");
        }
    }
}

/// Nothing runs: as a fresh start, and what is wanted is told by the file `down`.
#[test]
fn down_service_is_not_taken_over() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN);
    let first = scratch.supervise(&service);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    service.send("d");
    service.wait_stat("down");
    kill(first);
    let second = scratch.supervise(&service);
    service.wait_running_other_than(pid);
    assert_eq!((service.wait_lines("starts", 2).len(), second.stderr()), (2, String::new()));
}

// ---- finish

#[test]
fn mends_f1_finish_is_taken_over() {
    let scratch = Scratch::new();
    let service = scratch
        .service("web")
        .run("echo >>runs; exit 7")
        .finish("echo \"$@\" >>finishes; read -r _ <gate")
        .gate("gate");
    let first = scratch.supervise(&service);
    let finish = service.wait_stat("finish");
    service.wait_lines("finishes", 1);
    kill(first);
    let second = start_again(&scratch, &service);
    assert_eq!(second.stderr(), format!("runsv web: info: taking over ./finish: pid {}\n", finish.pid));
    assert_eq!((service.status().pid, service.status().state), (finish.pid, State::Finish));
    service.send("o");
    service.wait_stat("finish, want down");
    service.open_gate("gate");
    service.wait_stat("down");
    assert_eq!((service.lines("finishes"), service.lines("runs").len()), (vec!["7 0".to_owned()], 1));
    service.send("u");
    service.wait_lines("runs", 2);
}

#[test]
fn mends_f1_finish_taken_over_is_followed_by_run() {
    let scratch = Scratch::new();
    let service = scratch
        .service("web")
        .run("echo >>runs; exit 7")
        .finish("echo \"$@\" >>finishes; read -r _ <gate")
        .gate("gate");
    let first = scratch.supervise(&service);
    service.wait_stat("finish");
    service.wait_lines("finishes", 1);
    kill(first);
    let _second = start_again(&scratch, &service);
    service.send("k");
    assert_eq!((service.wait_lines("runs", 2).len(), service.wait_lines("finishes", 2)[1].as_str()), (2, "7 0"));
}

// ---- the second between two starts

#[test]
fn mends_f1_restart_after_a_short_life_waits_its_second() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(&format!("{NOTE_START}exec sleep 1000"));
    let first = scratch.supervise(&service);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    kill(first);
    let _second = start_again(&scratch, &service);
    time_to_notice(&service, pid);
    let gaps = seconds_between(&service.wait_lines("starts", 2));
    assert!(gaps[0] > 0.9, "seconds between the starts: {gaps:?}");
}

#[test]
fn mends_f1_restart_after_a_long_life_comes_at_once() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN);
    let mut runsv = scratch.supervise(&service);
    let mut pid = service.wait_running();
    let mut delays = Vec::new();
    for _round in 0..3 {
        let started = Instant::now();
        kill(runsv);
        runsv = start_again(&scratch, &service);
        wait_until("an age of more than a second", || (started.elapsed() > Duration::from_millis(1200)).then_some(()));
        let killed = Instant::now();
        send_signal(pid, Signal::SIGKILL);
        pid = service.wait_running_other_than(pid);
        delays.push(killed.elapsed());
    }
    assert!(delays.iter().min().expect("some") < &Duration::from_millis(600), "from end to start: {delays:?}");
}

// ---- stopping

#[test]
fn adds_service_taken_over_is_killed_after_its_time() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN_AND_STAY).finish(NOTE_ARGUMENTS).file("timeout-kill", "100\n");
    let first = scratch.supervise(&service);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    kill(first);
    let _second = start_again(&scratch, &service);
    service.send("d");
    service.wait_stat("down");
    assert!(!is_alive(pid));
    service.wait_line("signals", "TERM");
    assert_eq!(service.lines("finishes"), ["-1 0"]);
}

#[test]
fn adds_process_group_taken_over_is_stopped_whole() {
    let scratch = Scratch::new();
    let service =
        scratch.service("web").run("sleep 1000 & echo $! >>children; exec sleep 1000").file("process-group", "");
    let first = scratch.supervise(&service);
    let pid = service.wait_running();
    let child: u32 = service.wait_lines("children", 1)[0].parse().expect("a pid");
    kill(first);
    let _second = start_again(&scratch, &service);
    service.send("d");
    service.wait_stat("down");
    wait_gone(pid);
    wait_gone(child);
}

// ---- below runsvdir

#[test]
fn mends_f1_runsvdir_brings_a_runsv_that_takes_over() {
    let scan = Scan::new();
    let (web, other) = (scan.service("web").log_run("exec cat >>../lines"), scan.service("other"));
    scan.link("web");
    scan.link("other");
    let runsvdir = scan.start();
    let (pid, logger, untouched) = (web.wait_running(), web.log().wait_running(), other.wait_running());
    web.wait_lines("starts", 1);
    for _round in 0..3 {
        let old = runsv_of(&runsvdir, "web");
        send_signal(old, Signal::SIGKILL);
        let new = wait_until("a new runsv", || find_runsv(runsvdir.pid(), "web").filter(|new| *new != old));
        wait_supervisor(&web, new);
    }
    web.send("h");
    web.wait_line("signals", "HUP");
    assert_eq!((web.wait_stat("run").pid, web.log().wait_stat("run").pid), (pid, logger));
    assert_eq!((web.lines("starts").len(), other.wait_stat("run").pid), (1, untouched));
    scan.unlink("web");
    wait_gone(pid);
    wait_gone(logger);
}

/// F2 with F1: the whole tree of supervisors is killed.
#[test]
fn mends_f2_whole_tree_is_killed_and_comes_back() {
    let scan = Scan::new();
    let names = ["one", "two", "three"];
    let all = names.map(|name| {
        scan.link(name);
        scan.service(name)
    });
    let mut runsvdir = scan.start();
    let pids = all.each_ref().map(Service::wait_running);
    for service in &all {
        service.wait_lines("starts", 1);
    }
    let supervisors = names.map(|name| runsv_of(&runsvdir, name));
    runsvdir.signal(Signal::SIGKILL);
    runsvdir.wait();
    for pid in supervisors {
        send_signal(pid, Signal::SIGKILL);
        wait_gone(pid);
    }
    let again = scan.start();
    for (name, service) in names.iter().zip(&all) {
        wait_supervisor(service, runsv_of(&again, name));
        service.send("h");
        service.wait_line("signals", "HUP");
    }
    assert_eq!(all.each_ref().map(|service| service.wait_stat("run").pid), pids);
    assert_eq!(all.each_ref().map(|service| service.lines("starts").len()), [1; 3]);
}

// ---- where less is to be had

/// A kernel that has no descriptors for processes: it is looked for the process instead.
#[test]
fn mends_f1_takes_over_without_process_descriptors() {
    if !needs(&["strace"]) {
        return;
    }
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).finish(NOTE_ARGUMENTS);
    let first = scratch.supervise(&service);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    let old = kill(first);
    let mut command = scratch.command("strace");
    command.args(["-o", "trace", "-e", "trace=pidfd_open", "-e", "inject=pidfd_open:error=ENOSYS"]);
    command.arg(scratch.programs().join("runsv")).arg("web");
    let _strace = scratch.start(command, Signal::SIGTERM);
    let extension = service.wait_extension("a new supervisor", |_, extension| extension.supervisor != old);
    assert!(extension.is_taken_over, "{extension:?}");
    let delay = time_to_notice(&service, pid);
    support::figure(&format!("end of a process taken over to status without descriptors: {delay:?}"));
    service.wait_running_other_than(pid);
    assert_eq!(service.lines("finishes"), ["-1 0"]);
    assert!(std::fs::read_to_string(scratch.path().join("trace")).expect("trace").contains("INJECTED"));
}

/// Whoever inherits the process may leave it a zombie for ever: it has ended all the same.
#[test]
fn mends_f1_end_is_noticed_though_nobody_reaps() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).finish(NOTE_ARGUMENTS);
    let mut command = scratch.command("sh");
    command.args(["-c", "runsv web & exec sleep 1000"]);
    // SAFETY: the closure makes one system call, allocates nothing and takes no lock.
    unsafe {
        command.pre_exec(|| nix::sys::prctl::set_child_subreaper(true).map_err(std::io::Error::from));
    }
    let _heir = scratch.start(command, Signal::SIGKILL);
    let pid = service.wait_running();
    let old = service.extension().expect("an extension").supervisor;
    send_signal(old, Signal::SIGKILL);
    wait_gone(old);
    let _second = start_again(&scratch, &service);
    assert_eq!(service.status().pid, pid);
    send_signal(pid, Signal::SIGKILL);
    wait_until("a zombie", || (process_state(pid) == Some('Z')).then_some(()));
    service.wait_running_other_than(pid);
    assert_eq!(service.lines("finishes"), ["-1 0"]);
}
