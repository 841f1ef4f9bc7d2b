//! What the system refuses a runsv: processes, descriptors, memory, programs to execute (F10 to F12, F19), and what is
//! written to it without sense (F24).

use std::time::{Duration, Instant};

use nix::libc::{E2BIG, EACCES, EAGAIN, ETXTBSY};
use nix::sys::signal::Signal;
use support::{
    Account, Ending, Extension, LISTEN, LISTEN_AND_STAY, Output, Scratch, Service, Shown, Supervisor, is_alive, needs,
    send_signal, wait_until,
};

/// `failure` of the record: `./run` not executed; no process made.
const RUN: u8 = 1;
const FORK: u8 = 4;

/// Sets a limit of a running process of our own.
#[track_caller]
fn limit(scratch: &Scratch, pid: u32, what: &str) {
    let output = scratch.run("prlimit", &[&format!("--pid={pid}"), what]);
    assert_eq!(output, Output::exit(0, "", ""));
}

fn reason(extension: &Extension) -> (u8, i32) {
    (extension.failure, extension.errno.into())
}

// ---- F10: no process can be made

/// A runsv of an ordinary user: the superuser's processes are not counted.
struct Limited {
    account: Account,
    runsv: Supervisor,
}

impl Limited {
    fn start(scratch: &mut Scratch, service: &Service) -> Limited {
        scratch.use_copied_programs();
        let account = Account::new();
        account.own(service.path());
        let mut command = account.command(scratch, "runsv");
        command.arg(service.name());
        let runsv = scratch.start(command, Signal::SIGTERM);
        wait_until("a supervisor", || service.is_supervised().then_some(()));
        Limited { account, runsv }
    }

    /// How many processes of the user there may be when runsv makes another one.
    #[track_caller]
    fn limit_processes(&self, scratch: &Scratch, limit: &str) {
        let mut command = self.account.command(scratch, "prlimit");
        command.args([format!("--pid={}", self.runsv.pid()), format!("--nproc={limit}:")]);
        assert_eq!(scratch.output(command), Output::exit(0, "", ""));
    }
}

#[test]
fn mends_f10_fork_that_fails_keeps_nobody_waiting() {
    if !needs(&["root", "setpriv", "prlimit"]) {
        return;
    }
    let mut scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).down();
    let mut limited = Limited::start(&mut scratch, &service);
    service.wait_stat("down");
    limited.limit_processes(&scratch, "1");
    service.send("u");
    limited.runsv.wait_stderr("runsv web: warning: unable to fork, sleeping: temporary failure\n");
    let extension = service.wait_extension("a failure", |_, extension| extension.failure != 0);
    assert_eq!(reason(&extension), (FORK, EAGAIN), "{extension:?}");
    let mut delays = Vec::new();
    for (byte, want) in ["d", "u"].iter().zip(['d', 'u']).cycle().take(8) {
        let sent = Instant::now();
        service.send(byte);
        wait_until("what is wanted in the status", || (service.status().want == want).then_some(()));
        delays.push(sent.elapsed());
    }
    delays.sort();
    assert!(delays[4] < Duration::from_millis(400), "from command to status: {delays:?}");
    Shown::of(&scratch, "web").assert(&[("state", "down"), ("failure", "unable to fork: temporary failure")]);
    assert_eq!(service.lines("starts").len(), 0);
    limited.limit_processes(&scratch, "1000");
    service.wait_running();
    service.wait_lines("starts", 1);
    limited.runsv.signal(Signal::SIGTERM);
    assert_eq!(limited.runsv.wait(), Ending::Exit(0));
}

/// What needs no new process goes on: a signal to the service although its logger and a control script cannot be started,
/// and the finish script comes when it can.
#[test]
fn mends_f10_what_runs_is_not_affected() {
    if !needs(&["root", "setpriv", "prlimit"]) {
        return;
    }
    let mut scratch = Scratch::new();
    let service = scratch
        .service("web")
        .run(&format!("echo run >>order\n{LISTEN}"))
        .finish("echo finish \"$@\" >>order")
        .script("control/2", "exit 0")
        .log_run("exec cat");
    let limited = Limited::start(&mut scratch, &service);
    let (pid, logger) = (service.wait_running(), service.log().wait_running());
    service.wait_lines("starts", 1);
    limited.limit_processes(&scratch, "1");
    send_signal(logger, Signal::SIGKILL);
    service.log().wait_extension("a failure", |_, extension| reason(extension) == (FORK, EAGAIN));
    service.send("h");
    service.wait_line("signals", "HUP");
    // The script cannot be asked, so the signal is sent.
    service.send("2");
    service.wait_line("signals", "USR2");
    send_signal(pid, Signal::SIGKILL);
    service.wait_extension("a failure", |_, extension| reason(extension) == (FORK, EAGAIN));
    limited.limit_processes(&scratch, "1000");
    assert_eq!(service.wait_lines("order", 3), ["run", "finish -1 9", "run"]);
    service.log().wait_running_other_than(logger);
}

#[test]
fn mends_f10_exit_is_possible_without_processes() {
    if !needs(&["root", "setpriv", "prlimit"]) {
        return;
    }
    let mut scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).down();
    let mut limited = Limited::start(&mut scratch, &service);
    limited.limit_processes(&scratch, "1");
    service.send("u");
    limited.runsv.wait_stderr("unable to fork");
    service.send("x");
    assert_eq!(limited.runsv.wait(), Ending::Exit(0));
    assert_eq!((service.stat().as_str(), service.lines("starts").len()), ("down\n", 0));
}

// ---- F11: no descriptor is left

/// Takes away every descriptor that a process does not have open yet.
fn take_descriptors(scratch: &Scratch, pid: u32) {
    let is_free = |fd: &u32| std::fs::read_link(format!("/proc/{pid}/fd/{fd}")).is_err();
    let lowest = (0..).find(is_free).expect("a free descriptor");
    limit(scratch, pid, &format!("--nofile={lowest}:"));
}

/// A program that needs few descriptors itself.
const FRUGAL: &str = "#!/usr/bin/env -S sh -c 'echo $$ >>starts; exec sleep 1000'\n";

#[test]
fn mends_f11_status_is_true_without_descriptors() {
    if !needs(&["prlimit"]) {
        return;
    }
    let scratch = Scratch::new();
    let service = scratch
        .service("web")
        .executable("run", FRUGAL)
        .executable("finish", "#!/usr/bin/env -S sh -c 'echo >>finishes'\n")
        .executable("log/run", FRUGAL);
    let runsv = scratch.supervise(&service);
    let (first, logger) = (service.wait_running(), service.log().wait_running());
    service.wait_lines("starts", 1);
    take_descriptors(&scratch, runsv.pid());
    send_signal(first, Signal::SIGKILL);
    let second = service.wait_running_other_than(first);
    assert_eq!(service.wait_lines("starts", 2)[1], second.to_string());
    assert_eq!(service.lines("finishes").len(), 1, "finish was left out: {}", runsv.stderr());
    send_signal(logger, Signal::SIGKILL);
    service.log().wait_running_other_than(logger);
    service.send("o");
    service.wait_stat("run, want down");
    service.send("d");
    service.wait_stat("down");
    assert_eq!(runsv.stderr(), "");
}

/// The whole system has none left, not for the reserve either: the service goes on, it is told once, and the status is
/// true again as soon as it can be.
#[test]
fn mends_f11_system_without_files() {
    if !needs(&["strace"]) {
        return;
    }
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN);
    let runsv = scratch.supervise(&service);
    let first = service.wait_running();
    service.wait_lines("starts", 1);
    let mut command = scratch.command("strace");
    command.args(["-o", "trace", "-e", "trace=?open,?openat", "-e", "inject=?open,?openat:error=ENFILE"]);
    command.args(["-p", &runsv.pid().to_string()]);
    let mut strace = scratch.start(command, Signal::SIGTERM);
    strace.wait_stderr("attached");
    service.send("oupchuo");
    runsv.wait_stderr(": system cannot open more files\n");
    send_signal(first, Signal::SIGUSR1);
    service.wait_line("signals", "USR1");
    let said = runsv.stderr();
    let mut lines: Vec<&str> = said.lines().collect();
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines.len(), said.lines().count(), "something is told twice: {said}");
    strace.signal(Signal::SIGINT);
    strace.wait();
    service.send("u");
    assert_eq!(service.wait_stat("run").pid, first);
    assert_eq!(service.lines("starts").len(), 1);
}

// ---- F12: the memory is short (what the superuser gets is in `guest.rs`)

fn oom_score(pid: u32) -> i32 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/oom_score_adj")).unwrap_or_default();
    text.trim().parse().unwrap_or(i32::MIN)
}

/// Whoever may not, does without, and says nothing.
#[test]
fn f12_ordinary_user_is_not_spared() {
    if !needs(&["root", "setpriv"]) {
        return;
    }
    let mut scratch = Scratch::new();
    let service = scratch.service("web").run("cat /proc/self/oom_score_adj >>scores; exec sleep 1000");
    let own = oom_score(std::process::id());
    let Limited { runsv, .. } = Limited::start(&mut scratch, &service);
    assert_eq!(service.wait_lines("scores", 1), [own.to_string()]);
    assert_eq!((oom_score(runsv.pid()), runsv.stderr().as_str()), (own, ""));
}

// ---- F19: what cannot be executed

/// A program that is being written: tried again soon, as everything.
#[test]
fn f19_text_busy() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run("exec sleep 1000").down();
    let runsv = scratch.supervise(&service);
    let writer = std::fs::OpenOptions::new().append(true).open(service.path().join("run")).expect("run");
    let mut command = scratch.command("./run");
    command.current_dir(service.path());
    if command.spawn().map_err(|error| error.raw_os_error()).err() != Some(Some(ETXTBSY)) {
        return support::skip("files that are being written are executed here");
    }
    service.send("u");
    runsv.wait_stderr("runsv web: fatal: unable to start ./run: text busy\n");
    drop(writer);
    let freed = Instant::now();
    wait_until("sleep", || {
        let pid = service.pid_text()?.trim().parse().ok()?;
        support::command_line(pid).starts_with(&["sleep".to_owned()]).then_some(())
    });
    assert!(freed.elapsed() < Duration::from_secs(10), "{:?}", freed.elapsed());
}

#[test]
fn adds_f19_too_long_an_environment() {
    if !needs(&["prlimit"]) {
        return;
    }
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).down();
    let mut command = scratch.command("runsv");
    command.arg("web");
    for name in ["ONE", "TWO", "THREE"] {
        command.env(name, "x".repeat(100_000));
    }
    let runsv = scratch.start(command, Signal::SIGTERM);
    wait_until("a supervisor", || service.is_supervised().then_some(()));
    // A quarter of the stack is for arguments, and 128 KiB always.
    limit(&scratch, runsv.pid(), "--stack=65536:");
    service.send("u");
    runsv.wait_stderr("runsv web: fatal: unable to start ./run: argument list too long\n");
    let extension = service.wait_extension("a failure", |_, extension| extension.failure != 0);
    assert_eq!(reason(&extension), (RUN, E2BIG));
    limit(&scratch, runsv.pid(), "--stack=8388608:");
    service.wait_lines("starts", 1);
    service.wait_running();
}

#[test]
fn adds_f19_mounted_without_execution() {
    if !needs(&["namespaces"]) {
        return;
    }
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN);
    let mut command = scratch.command("unshare");
    let script = "set -e; mount --bind web web; mount -o remount,bind,noexec web; exec runsv web";
    command.args(["--mount", "sh", "-c", script]);
    let runsv = scratch.start(command, Signal::SIGTERM);
    runsv.wait_stderr("runsv web: fatal: unable to start ./run: access denied\n");
    let extension = service.wait_extension("a failure", |_, extension| extension.failure != 0);
    assert_eq!(reason(&extension), (RUN, EACCES));
}

// ---- F24: what is written without sense

/// Ten thousand bytes at once: all 256 values but those that end or stop something, and a last one that does.
#[test]
fn mends_f24_ten_thousand_bytes_at_once() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN_AND_STAY);
    let _runsv = scratch.supervise(&service);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    let mut bytes: Vec<u8> = (0..=255).filter(|byte| !b"dtxkpchaiq12".contains(byte)).cycle().take(9_998).collect();
    bytes.extend(b"o1");
    let control = service.path().join("supervise/control");
    let mut fifo = std::fs::OpenOptions::new().write(true).open(control).expect("control");
    std::io::Write::write_all(&mut fifo, &bytes).expect("control");
    service.wait_line("signals", "USR1");
    assert_eq!(service.lines("signals"), ["USR1"]);
    assert_eq!(service.wait_stat("run, want down").pid, pid);
    let extension = service.wait_extension("255 bytes ignored", |_, extension| extension.ignored == 255);
    assert_eq!(extension.failure, 0, "{extension:?}");
}

/// A flood of commands that all do something, and a service that dies in the middle of it.
#[test]
fn mends_f24_flood_of_commands_starves_nobody() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).log_run(LISTEN_AND_STAY);
    let _runsv = scratch.supervise(&service);
    let (pid, log) = (service.wait_running(), service.log());
    log.wait_running();
    log.wait_lines("starts", 1);
    service.wait_lines("starts", 1);
    let control = service.path().join("supervise/control");
    let mut fifo = std::fs::OpenOptions::new().write(true).open(control).expect("control");
    std::io::Write::write_all(&mut fifo, &b"pcou".repeat(5_000)).expect("control");
    send_signal(pid, Signal::SIGKILL);
    log.send("h");
    log.wait_line("signals", "HUP");
    service.wait_running_other_than(pid);
    // The last one written is what is wanted in the end.
    std::io::Write::write_all(&mut fifo, &b"cu".repeat(10_000)).expect("control");
    std::io::Write::write_all(&mut fifo, b"o").expect("control");
    service.wait_stat("run, want down");
}

/// Somebody writes nonsense without end: the service that died is started again all the same.
#[test]
fn mends_f24_flood_of_nonsense_keeps_no_service_down() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN);
    let runsv = scratch.supervise(&service);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    let mut command = scratch.command("sh");
    command.args(["-c", "exec head -c 10000000000 /dev/zero >web/supervise/control"]);
    let mut writer = scratch.start(command, Signal::SIGKILL);
    wait_until("255 bytes of nonsense", || (Shown::of(&scratch, "web").get("ignored-bytes") == "255").then_some(()));
    send_signal(pid, Signal::SIGKILL);
    let next = service.wait_running_other_than(pid);
    assert_eq!(writer.try_wait(), None, "the flood ended: {}", writer.stderr());
    writer.signal(Signal::SIGKILL);
    writer.wait();
    assert_eq!(service.wait_lines("starts", 2)[1], next.to_string(), "{}", runsv.stderr());
    // What is left of the flood must be read first: this waits for room.
    let control = service.path().join("supervise/control");
    let mut fifo = std::fs::OpenOptions::new().write(true).open(control).expect("control");
    std::io::Write::write_all(&mut fifo, b"o").expect("control");
    service.wait_stat("run, want down");
}

/// Whoever writes to `ok`, which is only there to be opened, fills it and keeps no one busy.
#[test]
fn f29_ok_that_is_flooded() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN_AND_STAY);
    let runsv = scratch.supervise(&service);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    let ok = service.path().join("supervise/ok");
    let mut fifo =
        std::os::unix::fs::OpenOptionsExt::custom_flags(std::fs::OpenOptions::new().write(true), nix::libc::O_NONBLOCK)
            .open(ok)
            .expect("ok");
    while std::io::Write::write(&mut fifo, &[b'd'; 4096]).is_ok() {}
    let before = support::context_switches(runsv.pid());
    service.send("h");
    service.wait_line("signals", "HUP");
    let switches = support::context_switches(runsv.pid()) - before;
    assert!(switches < 100, "{switches} context switches of runsv");
    assert_eq!((service.wait_stat("run").pid, is_alive(pid)), (pid, true));
}
