//! When a runsv must doubt what its predecessor left (F1, F11, F29): a copy of a service directory, a status file that
//! anybody could have written, no descriptors, a stop that was under way.

use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use support::{
    Ending, LISTEN, Output, Scratch, Service, Supervisor, is_alive, needs, send_signal, wait_gone, wait_until,
};

fn kill(mut runsv: Supervisor) {
    runsv.signal(Signal::SIGKILL);
    assert_eq!(runsv.wait(), Ending::Signal(Signal::SIGKILL as i32));
}

/// Starts a runsv where one was killed, and waits until its first status is there.
#[track_caller]
fn start_again(scratch: &Scratch, service: &Service) -> Supervisor {
    let runsv = scratch.runsv(&service.name());
    let pid = runsv.pid();
    service.wait_extension(&format!("supervisor {pid}"), |_, extension| extension.supervisor == pid);
    wait_until("a supervisor", || service.is_supervised().then_some(()));
    runsv
}

fn status_file(service: &Service) -> PathBuf {
    service.path().join("supervise/status")
}

// ---- no descriptors

#[track_caller]
fn limit_descriptors(scratch: &Scratch, runsv: u32, limit: u32) {
    let words = [format!("--pid={runsv}"), format!("--nofile={limit}:")];
    assert_eq!(scratch.run("prlimit", &[&words[0], &words[1]]), Output::exit(0, "", ""));
}

/// A runsv that may have fewer than it has open: it cannot look at the process, nor tell anything, and the process lives.
#[test]
fn mends_f11_process_taken_over_lives_without_descriptors() {
    if !needs(&["prlimit"]) {
        return;
    }
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN);
    let first = scratch.supervise(&service);
    service.wait_running();
    service.wait_lines("starts", 1);
    kill(first);
    let second = start_again(&scratch, &service);
    lives_without_descriptors(&scratch, &service, &second);
}

/// The same where the kernel has no descriptors for processes: every look needs a descriptor.
#[test]
fn mends_f11_process_lives_though_it_cannot_be_looked_at() {
    if !needs(&["prlimit", "strace"]) {
        return;
    }
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN);
    let first = scratch.supervise(&service);
    let old = first.pid();
    service.wait_running();
    service.wait_lines("starts", 1);
    kill(first);
    let mut command = scratch.command("strace");
    command.args(["-o", "trace", "-e", "trace=pidfd_open", "-e", "inject=pidfd_open:error=ENOSYS"]);
    command.arg(scratch.programs().join("runsv")).arg("web");
    let strace = scratch.start(command, Signal::SIGTERM);
    service.wait_extension("a new supervisor", |_, extension| extension.supervisor != old);
    wait_until("a supervisor", || service.is_supervised().then_some(()));
    lives_without_descriptors(&scratch, &service, &strace);
}

#[track_caller]
fn lives_without_descriptors(scratch: &Scratch, service: &Service, second: &Supervisor) {
    let extension = service.extension().expect("an extension");
    let (runsv, pid) = (extension.supervisor, service.status().pid);
    assert!(extension.is_taken_over, "{extension:?}");
    limit_descriptors(scratch, runsv, 8);
    // Longer than the second after which a process would be looked at.
    let since = Instant::now();
    let mut heard = 0;
    while since.elapsed() < Duration::from_millis(2500) {
        send_signal(runsv, Signal::SIGHUP);
        service.send("1");
        heard += 1;
        wait_until("USR1", || (service.lines("signals").len() == heard).then_some(()));
    }
    service.send("o");
    second.wait_stderr(": process cannot open more files\n");
    assert_eq!((is_alive(runsv), service.lines("starts").len(), is_alive(pid)), (true, 1, true));
    limit_descriptors(scratch, runsv, 1000);
    // What was asked for before may be told only now.
    service.send("u");
    service.wait_stat("run");
    service.send("o");
    assert_eq!(service.wait_stat("run, want down").pid, pid, "{}", second.stderr());
    send_signal(pid, Signal::SIGKILL);
    service.wait_stat("down");
    assert_eq!(service.lines("starts").len(), 1);
}

// ---- a copy

/// The copy names a process and a supervisor that both live, but they are not its own.
#[test]
fn mends_f1_copy_of_a_service_directory_is_another_service() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).log_run("exec cat >>../logged");
    let mut runsv = scratch.supervise(&service);
    let (pid, logger) = (service.wait_running(), service.log().wait_running());
    service.wait_lines("starts", 1);
    let copied = scratch.run("cp", &["-a", "web", "copy"]);
    assert_eq!(copied, Output::exit(0, "", ""));
    let copy = Service::create(&scratch.path().join("copy"));
    let mut of_copy = start_again(&scratch, &copy);
    let own = copy.wait_running_other_than(pid);
    let own_logger = copy.log().wait_running_other_than(logger);
    assert_eq!(copy.wait_lines("starts", 2), [pid.to_string(), own.to_string()]);
    assert_eq!(of_copy.stderr(), "");
    copy.send("x");
    assert_eq!(of_copy.wait(), Ending::Exit(0));
    assert!(!is_alive(own) && !is_alive(own_logger));
    service.send("h");
    service.wait_line("signals", "HUP");
    assert_eq!((service.wait_stat("run").pid, service.log().wait_stat("run").pid), (pid, logger));
    assert_eq!((service.lines("signals"), service.lines("starts").len()), (vec!["HUP".to_owned()], 1));
    assert_eq!(runsv.try_wait(), None);
}

// ---- a status file that anybody could have written

/// Kills the runsv of a service, does something to its status file, and starts another runsv.
#[track_caller]
fn replace(scratch: &Scratch, name: &str, change: impl FnOnce(&Service)) -> (Service, Supervisor, u32) {
    let service = scratch.service(name).run(LISTEN);
    let first = scratch.supervise(&service);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    kill(first);
    change(&service);
    let second = start_again(scratch, &service);
    (service, second, pid)
}

/// The process it names is left alone.
#[track_caller]
fn is_not_believed(scratch: &Scratch, name: &str, change: impl FnOnce(&Service)) {
    let (service, mut runsv, old) = replace(scratch, name, change);
    let new = service.wait_running_other_than(old);
    assert_eq!(service.wait_lines("starts", 2)[1], new.to_string(), "{name}");
    let extension = service.extension().expect("an extension");
    assert!(!extension.is_taken_over, "{name}: {extension:?}, {}", runsv.stderr());
    service.send("x");
    assert_eq!(runsv.wait(), Ending::Exit(0), "{name}");
    assert!(is_alive(old), "{name}: the process that was named is gone");
}

fn set_mode(service: &Service, mode: u32) {
    std::fs::set_permissions(status_file(service), PermissionsExt::from_mode(mode)).expect("mode");
}

#[test]
fn mends_f29_status_that_is_a_link_is_not_believed() {
    let scratch = Scratch::new();
    is_not_believed(&scratch, "web", |service| {
        let elsewhere = service.path().join("elsewhere");
        std::fs::rename(status_file(service), &elsewhere).expect("rename");
        symlink("../elsewhere", status_file(service)).expect("a link");
    });
}

#[test]
fn mends_f29_status_that_others_may_write_is_not_believed() {
    let scratch = Scratch::new();
    for mode in [0o664, 0o646, 0o666, 0o620, 0o602] {
        is_not_believed(&scratch, &format!("mode-{mode:o}"), |service| set_mode(service, mode));
    }
}

#[test]
fn mends_f29_status_of_another_user_is_not_believed() {
    if !needs(&["root"]) {
        return;
    }
    let scratch = Scratch::new();
    is_not_believed(&scratch, "web", |service| {
        chown(status_file(service), Some(1_000_000), None).expect("another owner");
    });
}

#[test]
fn mends_f1_status_that_others_may_only_read_is_believed() {
    let scratch = Scratch::new();
    for mode in [0o644, 0o600, 0o400] {
        let name = format!("mode-{mode:o}");
        let (service, runsv, pid) = replace(&scratch, &name, |service| set_mode(service, mode));
        assert_eq!(runsv.stderr(), format!("runsv {name}: info: taking over ./run: pid {pid}\n"));
        assert_eq!(service.wait_stat("run").pid, pid);
    }
}

// ---- a stop that was under way

/// The script of the first one never ends.
#[test]
fn mends_f1_stop_under_way_goes_on() {
    let scratch = Scratch::new();
    let script = "echo >>asked; [ -e again ] && exit 1; exec sleep 1000";
    let service = scratch.service("web").run(LISTEN).script("control/t", script);
    let first = scratch.supervise(&service);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    service.send("d");
    service.wait_lines("asked", 1);
    service.wait_extension("control/t", |_, extension| extension.control_script == b't');
    kill(first);
    let service = service.file("again", "");
    let runsv = start_again(&scratch, &service);
    service.wait_line("signals", "TERM");
    wait_gone(pid);
    service.wait_stat("down");
    assert_eq!(service.lines("starts").len(), 1, "{}", runsv.stderr());
}
