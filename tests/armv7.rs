//! A few of the tests on the armv7 programs, under `qemu-arm-static`: what differs between the architectures is the
//! system calls, the sizes of numbers and the layout of structures, so every program is driven once through its work.

use nix::sys::signal::Signal;
use support::{
    Apart, Ending, LISTEN, LoginRecord, NOTE_START, Output, Scratch, State, assert_a_second_apart, needs, now,
    seconds_between, send_signal, wait_until,
};

/// A scratch directory whose programs are scripts that run the armv7 ones in the emulator, under their own names.
fn arm_scratch() -> Option<Scratch> {
    if !needs(&["qemu-arm-static"]) {
        return None;
    }
    let Some(programs) = support::arm_programs() else {
        support::skip("no programs in out/armv7/bin: run `make ARCH=armv7`");
        return None;
    };
    let programs = programs.canonicalize().expect("the programs");
    let mut scratch = Scratch::with_programs(programs.clone());
    let mut wrappers = scratch.service(".programs");
    for entry in std::fs::read_dir(&programs).expect("the programs").flatten() {
        let name = entry.file_name().into_string().expect("a name");
        let script = format!("#!/bin/sh\nexec qemu-arm-static -0 {name} {}/{name} \"$@\"\n", programs.display());
        wrappers = wrappers.executable(&name, &script);
    }
    scratch.use_programs(wrappers.path());
    Some(scratch)
}

#[test]
fn service_through_its_life() {
    let Some(scratch) = arm_scratch() else { return };
    let service = scratch.service("web").run(LISTEN).finish("echo \"$@\" >>finishes");
    let mut runsv = scratch.supervise(&service);
    let first = service.wait_running();
    service.wait_lines("starts", 1);
    let bytes = service.status_bytes().expect("status");
    assert_eq!((&bytes[12..16], &bytes[16..20]), (&first.to_le_bytes()[..], &[0, b'u', 0, 1][..]));
    service.send("p");
    service.wait_stat("run, paused");
    service.send("c");
    service.wait_stat("run");
    service.send("h");
    service.wait_line("signals", "HUP");
    send_signal(first, Signal::SIGKILL);
    service.wait_running_other_than(first);
    service.wait_lines("starts", 2);
    assert_eq!(service.lines("finishes"), ["-1 9"]);
    service.send("d");
    let down = service.wait_stat("down");
    assert_eq!((down.pid, down.want, down.state), (0, 'd', State::Down));
    service.send("x");
    assert_eq!(runsv.output(), Output::exit(0, "", ""));
}

/// In a mount namespace whose `/run`, `/etc` and terminals are its own; nothing is ever due there.
#[test]
fn shutdown_is_scheduled_replaced_and_cancelled() {
    if !needs(&["namespaces"]) {
        return;
    }
    let Some(scratch) = arm_scratch() else { return };
    let script =
        "for place in /run /etc /dev/pts; do mount -t tmpfs none $place; done; mount --bind /dev/null /dev/console
        export TZ=UTC
        shutdown -r +2 a b; until [ \"$record\" ]; do record=$(cat /run/runit/shutdown); done; echo \"$record\"
        until [ -L /etc/nologin ]; do sleep 0.01; done; cat /run/nologin
        TZ=AAA-1BBB,M3.5.0,M10.5.0/3 shutdown -H +525600; [ -e /run/nologin ] || echo gone
        shutdown -r 25:00; shutdown -c; shutdown -c; ls /etc";
    let mut command = scratch.command("unshare");
    command.args(["--mount", "sh", "-c", script]);
    let output = scratch.output(command);
    let [told, record, notice, message, again, run] = output.stdout.lines().collect::<Vec<_>>()[..] else {
        panic!("{output:?}")
    };
    let shown = told.strip_prefix("shutdown: the system goes down for reboot at ").expect("a time");
    let shown = shown.strip_suffix(" (in 2 minutes)").expect("minutes");
    let words: Vec<_> = record.split(' ').collect();
    assert_eq!((words[2], words[4], words[5]), ("reboot", shown, "pending"), "{record}");
    let seconds: u64 = words[3].parse().expect("seconds");
    assert_eq!(shown, format!("{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60));
    assert_eq!((notice, message), (format!("the system goes down for reboot at {shown}").as_str(), "a b"));
    assert!(
        again.starts_with("shutdown: the system goes down for halt at ") && again.ends_with(" (in 525600 minutes)")
    );
    assert_eq!(run, "gone");
    let errors: Vec<_> = output.stderr.lines().collect();
    let replaced = format!("shutdown: info: replaces the one at {shown}");
    assert_eq!(errors[..2], [replaced.as_str(), "shutdown: fatal: not a time: 25:00"]);
    assert_eq!(errors.last(), Some(&"shutdown: fatal: no shutdown is pending"));
}

/// The emulator may not let the kernel be seeded; then the old seed stays. Where it does, the seed is used up.
#[test]
fn seed_is_used_up_or_stays() {
    if !needs(&["root"]) {
        return;
    }
    let Some(scratch) = arm_scratch() else { return };
    let old = scratch.file("seeds/seed.credit", "an old seed");
    let output = scratch.run("seedrng", &["seeds"]);
    let new = std::fs::read(old).expect("a seed");
    if output.ending == Ending::Exit(0) {
        assert!(new.len() >= 32 && !new.starts_with(b"an old seed"), "{new:?}");
    } else {
        let text = "seedrng: fatal: unable to seed the kernel: seeds: system call not available\n";
        assert_eq!((output, &new[..]), (Output::exit(1, "", text), &b"an old seed"[..]));
    }
}

#[test]
fn short_lives_are_started_once_a_second() {
    let Some(scratch) = arm_scratch() else { return };
    let service = scratch.service("web").run(NOTE_START);
    let _runsv = scratch.supervise(&service);
    // The emulator translates at the first start, which is late by that: it is left out.
    assert_a_second_apart(&seconds_between(&service.wait_lines("starts", 5)[1..]));
}

#[test]
fn one_shot_through_its_life() {
    let Some(scratch) = arm_scratch() else { return };
    let service = scratch.service("web").run("echo >>starts; [ ! -e bad ]").finish("echo \"$@\" >>finishes");
    let service = service.file("oneshot", "");
    let wait = |one_shot, starts| {
        service.wait_extension(&format!("one-shot {one_shot} at start {starts}"), |_, extension| {
            (extension.one_shot, extension.starts) == (one_shot, starts)
        })
    };
    let mut first = scratch.supervise(&service);
    let done = wait(2, 1);
    let status = service.status();
    assert_eq!((status.pid, status.state, service.pid_text().as_deref()), (done.supervisor, State::Run, Some("")));
    let sv = |words: &[&str]| scratch.sv(words).without_numbers();
    assert_eq!(sv(&["check", "web"]), Output::exit(0, "ok: run: web: (pid P) Ns\n", ""));
    send_signal(done.supervisor, Signal::SIGKILL);
    first.wait();
    let mut second = scratch.runsv("web");
    second.wait_stderr("runsv web: info: taking over ./run: done\n");
    service.wait_extension("a new supervisor", |_, extension| extension.supervisor != done.supervisor);
    wait_until("a supervisor", || service.is_supervised().then_some(()));
    assert_eq!(sv(&["-w30", "restart", "web"]), Output::exit(0, "ok: run: web: (pid P) Ns\n", ""));
    scratch.file("web/bad", "");
    service.send("t");
    wait(3, 3);
    service.wait_stat("down");
    assert_eq!(sv(&["check", "web"]), Output::exit(1, "fail: down: web: Ns, normally up\n", ""));
    assert_eq!(service.lines("finishes"), ["0 0", "0 0", "1 0"]);
    service.send("x");
    assert_eq!(second.wait(), Ending::Exit(0));
}

#[test]
fn log_keeps_every_line() {
    let Some(scratch) = arm_scratch() else { return };
    let service = scratch.service("web").run("seq 1 50; read -r _ <gate; seq 51 100; exec sleep 1000").gate("gate");
    let service = service.log_run("while read -r line; do echo \"$line\" >>../lines; done");
    let _runsv = scratch.supervise(&service);
    let logger = service.log().wait_running();
    service.wait_lines("lines", 50);
    send_signal(logger, Signal::SIGKILL);
    // Only when it is gone can it no longer take a byte with it.
    wait_until("the end of the logger", || (!support::is_alive(logger)).then_some(()));
    service.open_gate("gate");
    let expected: Vec<String> = (1..=100).map(|number| number.to_string()).collect();
    assert_eq!(service.wait_lines("lines", 100), expected);
}

#[test]
fn second_runsv_is_refused() {
    let Some(scratch) = arm_scratch() else { return };
    let service = scratch.service("web").run(LISTEN);
    let _first = scratch.supervise(&service);
    let refused = Output::exit(111, "", "runsv web: fatal: unable to lock supervise/lock: temporary failure\n");
    assert_eq!(scratch.run("runsv", &["web"]), refused);
    assert_eq!(scratch.run("runsv", &[]), Output::exit(1, "", "usage: runsv dir\n\n"));
}

#[test]
fn sv_drives_a_service() {
    let Some(scratch) = arm_scratch() else { return };
    let service = scratch.service("web").run(LISTEN).log_run("exec cat >/dev/null");
    let _runsv = scratch.supervise(&service);
    service.wait_running();
    service.log().wait_running();
    service.wait_lines("starts", 1);
    let sv = |words: &[&str]| scratch.sv(words).without_numbers();
    assert_eq!(sv(&["status", "web"]), Output::exit(0, "run: web: (pid P) Ns; run: log: (pid P) Ns\n", ""));
    assert_eq!(sv(&["stop", "web"]), Output::exit(0, "ok: down: web: Ns, normally up\n", ""));
    assert_eq!(sv(&["start", "web"]), Output::exit(0, "ok: run: web: (pid P) Ns\n", ""));
    service.wait_lines("starts", 2);
    assert_eq!(sv(&["restart", "web"]), Output::exit(0, "ok: run: web: (pid P) Ns\n", ""));
    assert_eq!(
        sv(&["status", "none"]),
        Output::exit(1, "fail: none: unable to change to service directory: file does not exist\n", "")
    );
    assert_eq!(sv(&["zzz", "web"]), Output::exit(100, "", "usage: sv [-v] [-w sec] command service ...\n\n"));
    assert_eq!(sv(&["shutdown", "web"]), Output::exit(0, "ok: web: runsv not running\n", ""));
}

#[test]
fn runsvdir_starts_and_stops() {
    let Some(scratch) = arm_scratch() else { return };
    scratch.directory("scan");
    let first = scratch.service("scan/first").run(LISTEN);
    let mut runsvdir = scratch.runsvdir(&["-P", "scan"]);
    first.wait_running();
    let second = scratch.service("second").run(LISTEN);
    std::os::unix::fs::symlink("../second", scratch.path().join("scan/second")).expect("a link");
    let pid = second.wait_running();
    second.wait_lines("starts", 1);
    std::fs::remove_file(scratch.path().join("scan/second")).expect("a link");
    wait_until("the end of the removed one", || (!support::is_alive(pid)).then_some(()));
    first.wait_lines("starts", 1);
    runsvdir.signal(Signal::SIGHUP);
    assert_eq!(runsvdir.wait(), Ending::Exit(111));
    first.wait_stat("down");
}

/// The layout of records is the same on both machines.
#[test]
fn utmpset_marks_a_line() {
    if !needs(&["namespaces"]) {
        return;
    }
    let Some(scratch) = arm_scratch() else { return };
    let apart = Apart::new(&scratch);
    let logins = [LoginRecord::login("tty1", "ada"), LoginRecord::login("tty2", "bob")];
    LoginRecord::write(&apart.utmp(), &logins);
    let start = now();
    assert_eq!(apart.run(&["utmpset", "-w", "tty2"]), Output::exit(0, "", ""));
    let records = LoginRecord::read(&apart.utmp());
    assert_eq!(records[0], logins[0]);
    assert!(records[1].is_since(start), "{records:?}");
    let (user, host) = (String::new(), String::new());
    assert_eq!(records[1], LoginRecord { kind: 8, user, host, seconds: records[1].seconds, ..logins[1].clone() });
    let history = LoginRecord::read(&apart.wtmp());
    assert_eq!((history.len(), history[0].kind, history[0].line.as_str()), (1, 8, "tty2"));
    let missing = "utmpset: warning: unable to logout line tty2 in utmp: no such entry\n";
    assert_eq!(apart.run(&["utmpset", "-w", "tty2"]), Output::exit(111, "", missing));
}

#[test]
fn halt_makes_records() {
    if !needs(&["namespaces"]) {
        return;
    }
    let Some(scratch) = arm_scratch() else { return };
    let apart = Apart::new(&scratch);
    for file in [apart.utmp(), apart.wtmp()] {
        std::fs::write(file, "").expect("an empty file");
    }
    let start = now();
    assert_eq!(apart.run(&["halt", "-B"]), Output::exit(0, "", ""));
    assert_eq!(apart.run(&["halt", "-w"]), Output::exit(0, "", ""));
    let records = LoginRecord::read(&apart.wtmp());
    let seen: Vec<_> = records.iter().map(|record| (record.kind, &*record.user, &*record.line, &*record.id)).collect();
    assert_eq!(seen, [(2, "reboot", "~", "~~"), (1, "shutdown", "~~", "~~")]);
    assert!(records.iter().all(|record| record.is_since(start) && !record.host.is_empty()), "{records:?}");
    assert_eq!(LoginRecord::read(&apart.utmp()), &records[..1]);
    // The signal of the limit is ignored: how the kernel is told that differs.
    let message = "halt: warning: unable to write /var/log/wtmp: file too big\n";
    assert_eq!(apart.run(&["sh", "-c", "ulimit -f 1; exec halt -w"]), Output::exit(1, "", message));
}

#[test]
fn levels_change() {
    let Some(scratch) = arm_scratch() else { return };
    let levels = scratch.directory("levels");
    for level in ["multi", "single"] {
        std::fs::create_dir(levels.join(level)).expect("a level");
    }
    std::os::unix::fs::symlink("multi", levels.join("current")).expect("a link");
    let run = |program: &str, words: &[&str]| {
        let mut command = scratch.command(program);
        command.args(words).env("RUNSVDIR", &levels);
        scratch.output(command)
    };
    assert_eq!(run("runlevel", &[]), Output::exit(0, "N multi\n", ""));
    assert_eq!(run("runsvchdir", &["single"]), Output::exit(0, "runsvchdir: single: now current.\n", ""));
    assert_eq!(run("runlevel", &[]), Output::exit(0, "multi single\n", ""));
    let missing = Output::exit(111, "", "runsvchdir: fatal: none: file does not exist\n");
    assert_eq!(run("runsvchdir", &["none"]), missing);
    assert_eq!(run("runsvchdir", &["previous"]), Output::exit(0, "runsvchdir: previous: now current.\n", ""));
    assert_eq!(run("runlevel", &[]), Output::exit(0, "single multi\n", ""));
}

#[test]
fn init_as_a_command() {
    if !needs(&["namespaces"]) {
        return;
    }
    let Some(scratch) = arm_scratch() else { return };
    let apart = |script: &str| {
        let mut command = scratch.command("unshare");
        let whole = format!("set -e; mount -t tmpfs -o mode=755 run /run; {script}");
        command.args(["--pid", "--mount", "--fork", "--kill-child", "--mount-proc", "sh", "-c", &whole]);
        scratch.output(command)
    };
    assert_eq!(apart("init 9"), Output::exit(0, "", "usage: init 0|6\n\n"));
    assert_eq!(apart("(runit) || exit $?"), Output::exit(111, "", "- runit: fatal: must be run as process no 1.\n"));
    assert_eq!(apart("init 0 halt; cat /run/runit/stopit"), Output::exit(0, "halt\n", ""));
    let asked = Output::exit(0, "CONT\n100 /run/runit/reboot\n100 /run/runit/stopit\n", "");
    assert_eq!(apart("trap 'echo CONT' CONT; (exec init 6); stat -c '%a %n' /run/runit/*"), asked);
}
