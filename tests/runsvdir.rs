//! `runsvdir` as a process: which supervisors it starts and stops, how soon, and what it says.

use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use support::{
    Ending, LISTEN, Output, Scan, Service, children, command_line, find_runsv, is_alive, needs, process_fields,
    runsv_of, send_signal, wait_gone, wait_until,
};

// ---- usage

#[test]
fn usage() {
    let scan = Scan::new();
    let program = scan.scratch().programs().join("runsvdir").display().to_string();
    let usage = Output::exit(1, "", &format!("usage: {program} [-P] dir\n\n"));
    for words in [&[][..], &["-P"], &["--"]] {
        assert_eq!(scan.scratch().run("runsvdir", words), usage, "{words:?}");
    }
}

#[test]
fn other_options_are_a_directory_name() {
    let scan = Scan::new();
    let runsvdir = scan.scratch().runsvdir(&["-x"]);
    runsvdir.wait_stderr("-x: warning: unable to stat -x: file does not exist\n");
    let service = scan.scratch().service("-x/web").run(LISTEN);
    service.wait_running();
}

#[test]
fn option_p_and_double_dash_are_skipped() {
    for words in [&["-P", "scan"][..], &["-Pxyz", "scan"], &["--", "scan"]] {
        let scan = Scan::new();
        let service = scan.service("web");
        scan.link("web");
        let runsvdir = scan.scratch().runsvdir(words);
        service.wait_running();
        assert_eq!(runsvdir.stderr(), "", "{words:?}");
    }
}

// ---- starting

#[test]
fn starts_every_service() {
    let scan = Scan::new();
    let linked = scan.service("linked");
    scan.link("linked");
    let inside = scan.scratch().service("scan/inside").run(LISTEN);
    scan.scratch().file("scan/file", "not a directory");
    let hidden = scan.scratch().service("scan/.hidden").run(LISTEN);
    let runsvdir = scan.start();
    linked.wait_running();
    inside.wait_running();
    assert_eq!(children(runsvdir.pid()).len(), 2);
    assert!(!hidden.is_supervised());
    assert_eq!(runsvdir.stderr(), "");
    assert_eq!(command_line(runsv_of(&runsvdir, "linked")), ["runsv", "linked"]);
    let directory = std::fs::read_link(format!("/proc/{}/cwd", runsv_of(&runsvdir, "linked"))).expect("a directory");
    assert_eq!(directory, linked.path(), "runsv enters the service directory");
}

#[test]
fn empty_and_missing_run_do_not_disturb_the_others() {
    let scan = Scan::new();
    scan.scratch().directory("scan/empty");
    let web = scan.service("web");
    scan.link("web");
    let runsvdir = scan.start();
    web.wait_running();
    runsvdir.wait_stderr("runsv empty: fatal: unable to start ./run: file does not exist\n");
    runsv_of(&runsvdir, "empty");
}

#[test]
fn without_p_services_stay_in_the_session() {
    let scan = Scan::new();
    scan.service("web");
    scan.link("web");
    let runsvdir = scan.start();
    let runsv = runsv_of(&runsvdir, "web");
    let ids = |pid: u32| process_fields(pid).expect("a process")[2..4].to_vec();
    assert_eq!(ids(runsv), ids(runsvdir.pid()));
}

#[test]
fn with_p_every_runsv_leads_a_session() {
    let scan = Scan::new();
    for name in ["one", "two"] {
        scan.service(name);
        scan.link(name);
    }
    let runsvdir = scan.scratch().runsvdir(&["-P", "scan"]);
    for name in ["one", "two"] {
        let runsv = runsv_of(&runsvdir, name);
        let own = runsv.to_string();
        wait_until("group and session of its own", || {
            (process_fields(runsv)?[2..4] == [own.clone(), own.clone()]).then_some(())
        });
    }
}

#[test]
fn names_are_taken_as_they_are() {
    let scan = Scan::new();
    let names = ["-dash", "with blank", "new\nline", "ünï@host", &"n".repeat(255)];
    for name in names {
        Service::create(&scan.path().join(name)).run(LISTEN);
    }
    let runsvdir = scan.start();
    for name in names {
        Service::create(&scan.path().join(name)).wait_running();
        assert_eq!(command_line(runsv_of(&runsvdir, name)), ["runsv", name]);
    }
}

#[test]
fn environment_is_handed_on() {
    let scan = Scan::new();
    let service = scan.service("web").run("echo $KEEP_THIS >kept; exec sleep 1000");
    scan.link("web");
    let mut command = scan.scratch().command("runsvdir");
    command.arg("scan").env("KEEP_THIS", "as it is");
    let _runsvdir = scan.scratch().start(command, Signal::SIGHUP);
    assert_eq!(service.wait_lines("kept", 1), ["as it is"]);
}

#[test]
fn two_links_to_one_directory_are_one_service() {
    let scan = Scan::new();
    let service = scan.service("web");
    let other = scan.service("other");
    scan.link_as("web", "first");
    scan.link_as("web", "second");
    scan.link("other");
    let runsvdir = scan.start();
    service.wait_running();
    other.wait_running();
    assert_eq!(children(runsvdir.pid()).len(), 2);
    assert_eq!(service.wait_lines("starts", 1).len(), 1);
    assert_eq!(runsvdir.stderr(), "");
}

#[test]
fn runsv_that_cannot_be_executed() {
    let scan = Scan::new();
    scan.service("web");
    scan.link("web");
    let mut command = scan.scratch().command("runsvdir");
    command.arg("scan").env("PATH", "/nonexistent");
    let runsvdir = scan.scratch().start(command, Signal::SIGHUP);
    runsvdir.wait_stderr("runsvdir scan: fatal: unable to start runsv web: file does not exist\n");
}

// ---- changes

#[test]
fn new_link_is_picked_up() {
    let scan = Scan::new();
    let first = scan.service("first");
    scan.link("first");
    let _runsvdir = scan.start();
    first.wait_running();
    let second = scan.service("second");
    scan.link("second");
    second.wait_running();
}

#[test]
fn new_directory_is_picked_up() {
    let scan = Scan::new();
    let first = scan.service("first");
    scan.link("first");
    let _runsvdir = scan.start();
    first.wait_running();
    // Made elsewhere and moved in, as a careful script does it.
    let staged = scan.service("staged");
    std::fs::rename(staged.path(), scan.path().join("moved")).expect("rename");
    Service::create(&scan.path().join("moved")).wait_running();
}

#[test]
fn removed_link_stops_the_service() {
    let scan = Scan::new();
    let (gone, stays) = (scan.service("gone"), scan.service("stays"));
    scan.link("gone");
    scan.link("stays");
    let runsvdir = scan.start();
    let (service, other) = (gone.wait_running(), stays.wait_running());
    let runsv = runsv_of(&runsvdir, "gone");
    gone.wait_lines("starts", 1);
    scan.unlink("gone");
    wait_gone(runsv);
    assert!(!is_alive(service));
    assert_eq!(gone.stat(), "down\n");
    assert_eq!(stays.wait_stat("run").pid, other);
    // And back again.
    scan.link("gone");
    gone.wait_running_other_than(service);
}

#[test]
fn dead_runsv_is_restarted() {
    let scan = Scan::new();
    let (web, other) = (scan.service("web"), scan.service("other"));
    scan.link("web");
    scan.link("other");
    let runsvdir = scan.start();
    let untouched = other.wait_running();
    let service = web.wait_running();
    let old = runsv_of(&runsvdir, "web");
    web.wait_lines("starts", 1);
    // The service goes with it, so that no question of adoption arises.
    send_signal(old, Signal::SIGSTOP);
    send_signal(service, Signal::SIGKILL);
    send_signal(old, Signal::SIGKILL);
    wait_until("a new runsv", || find_runsv(runsvdir.pid(), "web").filter(|pid| *pid != old));
    web.wait_running_other_than(service);
    assert_eq!(other.wait_stat("run").pid, untouched);
}

#[test]
fn exit_of_a_service_brings_it_back() {
    let scan = Scan::new();
    let web = scan.service("web");
    scan.link("web");
    let _runsvdir = scan.start();
    let first = web.wait_running();
    web.wait_lines("starts", 1);
    web.send("x");
    web.wait_running_other_than(first);
}

#[test]
fn replaced_directory_is_a_new_service() {
    let scan = Scan::new();
    let old = scan.service("old");
    let new = scan.service("new");
    scan.link_as("old", "web");
    let runsvdir = scan.start();
    let service = old.wait_running();
    let runsv = runsv_of(&runsvdir, "web");
    old.wait_lines("starts", 1);
    scan.relink("new", "web");
    new.wait_running();
    wait_gone(runsv);
    assert!(!is_alive(service));
}

/// K59, decided: a renamed entry keeps its supervisor and its name.
#[test]
fn renamed_entry_keeps_its_supervisor() {
    let scan = Scan::new();
    let web = scan.service("web");
    scan.link("web");
    let runsvdir = scan.start();
    let pid = web.wait_running();
    let runsv = runsv_of(&runsvdir, "web");
    std::fs::rename(scan.path().join("web"), scan.path().join("renamed")).expect("rename");
    let fence = scan.service("fence");
    scan.link("fence");
    fence.wait_running();
    assert_eq!((runsv_of(&runsvdir, "web"), web.wait_stat("run").pid), (runsv, pid));
    assert_eq!(find_runsv(runsvdir.pid(), "renamed"), None);
}

#[test]
fn directory_that_appears_later() {
    let scan = Scan::new();
    let mut runsvdir = scan.scratch().runsvdir(&["later"]);
    runsvdir.wait_stderr("runsvdir later: warning: unable to stat later: file does not exist\n");
    scan.scratch().service("staged/web").run(LISTEN);
    std::fs::rename(scan.scratch().path().join("staged"), scan.scratch().path().join("later")).expect("rename");
    Service::create(&scan.scratch().path().join("later/web")).wait_running();
    assert_eq!(runsvdir.try_wait(), None);
}

#[test]
fn directory_that_disappears_stops_nothing() {
    let scan = Scan::new();
    let web = scan.service("web");
    scan.link("web");
    let runsvdir = scan.start();
    let pid = web.wait_running();
    std::fs::rename(scan.path(), scan.scratch().path().join("elsewhere")).expect("rename");
    runsvdir.wait_stderr("runsvdir scan: warning: unable to stat scan: file does not exist\n");
    assert_eq!(web.wait_stat("run").pid, pid);
    std::fs::rename(scan.scratch().path().join("elsewhere"), scan.path()).expect("rename");
    let fence = scan.service("fence");
    scan.link("fence");
    fence.wait_running();
    assert_eq!(web.wait_stat("run").pid, pid);
}

/// A supervisor that is due and cannot be seen is no reason to look without end.
#[test]
fn mends_dead_runsv_in_a_missing_directory_makes_no_flood() {
    let scan = Scan::new();
    let web = scan.service("web");
    scan.link("web");
    let runsvdir = scan.start();
    web.wait_running();
    let runsv = runsv_of(&runsvdir, "web");
    std::fs::rename(scan.path(), scan.scratch().path().join("elsewhere")).expect("rename");
    runsvdir.wait_stderr("file does not exist\n");
    send_signal(runsv, Signal::SIGTERM);
    wait_until("runsv to end", || (!is_alive(runsv)).then_some(()));
    let since = Instant::now();
    let warnings = || runsvdir.stderr().lines().count();
    let before = warnings();
    wait_until("three more warnings", || (warnings() >= before + 3).then_some(()));
    assert!(since.elapsed() > Duration::from_millis(1500), "{} warnings at once", warnings() - before);
    std::fs::rename(scan.scratch().path().join("elsewhere"), scan.path()).expect("rename");
    web.wait_running();
}

/// Of many supervisors that end at once each is seen, though another one takes its place soon.
#[test]
fn mends_exit_of_many_services_is_seen() {
    let scan = Scan::new();
    let names: Vec<String> = (0..40).map(|number| format!("s{number}")).collect();
    for name in &names {
        scan.service(name);
        scan.link(name);
    }
    let _runsvdir = scan.start();
    for name in &names {
        scan.scratch().service(&format!("sv/{name}")).wait_running();
    }
    let mut words = vec!["-w30", "exit"];
    let paths: Vec<String> = names.iter().map(|name| format!("./sv/{name}")).collect();
    words.extend(paths.iter().map(String::as_str));
    let output = scan.scratch().sv(&words);
    let all_gone: String = paths.iter().map(|path| format!("ok: {path}: runsv not running\n")).collect();
    let mut lines: Vec<&str> = output.stdout.lines().collect();
    let mut expected: Vec<&str> = all_gone.lines().collect();
    lines.sort_unstable();
    expected.sort_unstable();
    assert_eq!((lines, output.stderr.as_str()), (expected, ""));
}

/// The way levels are switched: `current` is a link, and is replaced by a rename.
#[test]
fn switched_current_link() {
    let scan = Scan::new();
    let [both, one, two] = ["both", "one", "two"].map(|name| scan.service(name));
    for (level, names) in [("multi", ["both", "one"]), ("single", ["both", "two"])] {
        scan.scratch().directory(&format!("levels/{level}"));
        for name in names {
            symlink(format!("../../sv/{name}"), scan.scratch().path().join("levels").join(level).join(name))
                .expect("a link");
        }
    }
    let current = scan.scratch().path().join("levels/current");
    symlink("multi", &current).expect("a link");
    let _runsvdir = scan.scratch().runsvdir(&["levels/current"]);
    let (kept, stopped) = (both.wait_running(), one.wait_running());
    one.wait_lines("starts", 1);
    symlink("single", scan.scratch().path().join("levels/new")).expect("a link");
    std::fs::rename(scan.scratch().path().join("levels/new"), &current).expect("rename");
    two.wait_running();
    wait_gone(stopped);
    assert_eq!(both.wait_stat("run").pid, kept);
}

// ---- faults

#[test]
fn dangling_link_is_warned_about() {
    let scan = Scan::new();
    let web = scan.service("web");
    scan.link("web");
    scan.link("none");
    let runsvdir = scan.start();
    web.wait_running();
    let line = "runsvdir scan: warning: unable to stat none: file does not exist\n";
    runsvdir.wait_stderr(line);
    assert_eq!(runsvdir.stderr().replace(line, ""), "");
    let late = scan.service("none");
    // Something in the directory has to change, for the original and for anything that watches only it.
    scan.scratch().file("scan/touched", "");
    late.wait_running();
}

#[test]
fn link_loop_is_warned_about() {
    let scan = Scan::new();
    let web = scan.service("web");
    scan.link("web");
    symlink("loop", scan.path().join("loop")).expect("a link");
    let runsvdir = scan.start();
    web.wait_running();
    runsvdir.wait_stderr("runsvdir scan: warning: unable to stat loop: symbolic link loop\n");
}

#[test]
fn more_than_the_table_holds() {
    let scan = Scan::new();
    // Supervisors that cost nothing: a runsv that only sleeps.
    let tools = scan.scratch().service("tools").script("runsv", "exec sleep 1000");
    for number in 0..1001 {
        scan.scratch().directory(&format!("scan/{number:04}"));
    }
    let mut command = scan.scratch().command("runsvdir");
    command.arg("scan").env("PATH", format!("{}:/usr/bin:/bin", tools.path().display()));
    let mut runsvdir = scan.scratch().start(command, Signal::SIGHUP);
    wait_until("1000 supervisors and a message", || {
        let refused = runsvdir.stderr().lines().any(|line| {
            line.starts_with("runsvdir scan: warning: unable to start runsv ") && line.ends_with(": too many services.")
        });
        (refused && children(runsvdir.pid()).len() == 1000).then_some(())
    });
    assert_eq!(runsvdir.try_wait(), None);
}

// ---- signals

#[test]
fn term_leaves_the_supervisors_running() {
    let scan = Scan::new();
    let web = scan.service("web");
    scan.link("web");
    let mut runsvdir = scan.start();
    let pid = web.wait_running();
    let runsv = runsv_of(&runsvdir, "web");
    runsvdir.signal(Signal::SIGTERM);
    assert_eq!(runsvdir.output(), Output::exit(0, "", ""));
    assert!(is_alive(runsv));
    web.wait_lines("starts", 1);
    web.send("h");
    web.wait_line("signals", "HUP");
    assert_eq!(web.wait_stat("run").pid, pid);
}

#[test]
fn hup_tells_every_supervisor_to_end() {
    let scan = Scan::new();
    let all = ["one", "two", "three"].map(|name| {
        scan.link(name);
        scan.service(name)
    });
    let mut runsvdir = scan.start();
    let pids = all.each_ref().map(Service::wait_running);
    let supervisors = ["one", "two", "three"].map(|name| runsv_of(&runsvdir, name));
    for service in &all {
        service.wait_lines("starts", 1);
    }
    runsvdir.signal(Signal::SIGHUP);
    assert_eq!(runsvdir.output(), Output::exit(111, "", ""));
    for pid in pids.into_iter().chain(supervisors) {
        wait_gone(pid);
    }
    for service in &all {
        assert_eq!(service.stat(), "down\n");
    }
}

/// A new runsvdir over supervisors that an old one left: none is disturbed, and none is started twice.
#[test]
fn second_runsvdir_disturbs_nothing() {
    let scan = Scan::new();
    let web = scan.service("web");
    scan.link("web");
    let mut first = scan.start();
    let pid = web.wait_running();
    first.signal(Signal::SIGTERM);
    first.wait();
    let mut second = scan.start();
    let fence = scan.service("fence");
    scan.link("fence");
    fence.wait_running();
    assert_eq!(web.wait_stat("run").pid, pid);
    assert_eq!((web.wait_lines("starts", 1).len(), second.try_wait()), (1, None));
}

// ---- defects of the original that are mended

#[test]
fn mends_k50_dead_runsv_is_noticed_at_once() {
    let scan = Scan::new();
    let web = scan.service("web").run("exec sleep 1000").down();
    scan.link("web");
    let runsvdir = scan.start();
    let mut delays = Vec::new();
    for _round in 0..3 {
        let old = runsv_of(&runsvdir, "web");
        wait_until("a supervisor", || web.is_supervised().then_some(()));
        // Long enough alive that no rule against endless restarting is in play.
        wait_until("an age of two seconds", || (process_age(old) >= 2.0).then_some(()));
        let killed = Instant::now();
        send_signal(old, Signal::SIGKILL);
        wait_until("a new runsv", || find_runsv(runsvdir.pid(), "web").filter(|pid| *pid != old));
        delays.push(killed.elapsed());
    }
    let least = delays.iter().min().expect("some");
    support::figure(&format!("killed runsv to new runsv: least {least:?} of {delays:?}"));
    assert!(*least < Duration::from_millis(500), "from kill to new runsv: {delays:?}");
}

fn process_age(pid: u32) -> f64 {
    let up: f64 = std::fs::read_to_string("/proc/uptime")
        .expect("uptime")
        .split(' ')
        .next()
        .expect("a word")
        .parse()
        .expect("seconds");
    process_fields(pid).and_then(|fields| fields[19].parse::<f64>().ok()).map_or(0.0, |ticks| up - ticks / 100.0)
}

/// The promise is 20 ms; the bound here is for the slowest machine, the figure is printed.
#[test]
fn mends_k51_new_link_is_picked_up_at_once() {
    let scan = Scan::new();
    let first = scan.service("first");
    scan.link("first");
    let runsvdir = scan.start();
    first.wait_running();
    let mut delays = Vec::new();
    for round in 0..7 {
        let name = format!("new{round}");
        scan.service(&name).down();
        let linked = Instant::now();
        scan.link(&name);
        while find_runsv(runsvdir.pid(), &name).is_none() {
            assert!(linked.elapsed() < support::LIMIT, "no runsv for {name}");
            std::thread::sleep(Duration::from_micros(200));
        }
        delays.push(linked.elapsed());
    }
    delays.sort();
    support::figure(&format!("new link to runsv: least {:?}, median {:?}, most {:?}", delays[0], delays[3], delays[6]));
    // The promise is 20 ms. What the machine was busy with otherwise can only add to it, so the least counts.
    assert!(delays[0] < Duration::from_millis(20), "from link to runsv: {delays:?}");
    assert!(delays[3] < Duration::from_millis(300), "from link to runsv: {delays:?}");
}

#[test]
fn adds_scan_without_inotify() {
    if !needs(&["namespaces"]) {
        return;
    }
    let scan = Scan::new();
    let first = scan.service("first");
    scan.link("first");
    let mut command = scan.scratch().command("unshare");
    let script = "echo 0 >/proc/sys/user/max_inotify_instances && exec runsvdir scan";
    command.args(["--user", "--map-root-user", "sh", "-c", script]);
    let mut runsvdir = scan.scratch().start(command, Signal::SIGHUP);
    wait_until("a first service, or a refusal", || {
        (first.is_supervised() || runsvdir.try_wait().is_some()).then_some(())
    });
    if runsvdir.stderr().contains("max_inotify_instances") || runsvdir.stderr().contains("unshare") {
        return support::skip(&format!("no user namespace without inotify: {}", runsvdir.stderr().trim_end()));
    }
    first.wait_running();
    let second = scan.service("second");
    let linked = Instant::now();
    scan.link("second");
    second.wait_running();
    support::figure(&format!("new link to run without inotify: {:?}", linked.elapsed()));
    let pid = first.wait_running();
    first.wait_lines("starts", 1);
    scan.unlink("first");
    wait_gone(pid);
}

#[test]
fn mends_k52_all_removals_are_done_at_once() {
    let scan = Scan::new();
    let names = ["a", "b", "c", "d", "e"];
    let all = names.map(|name| {
        scan.link(name);
        scan.service(name).run("exec sleep 1000")
    });
    let runsvdir = scan.start();
    for service in &all {
        service.wait_running();
    }
    let supervisors = children(runsvdir.pid());
    send_signal(runsvdir.pid(), Signal::SIGSTOP);
    for name in names {
        scan.unlink(name);
    }
    send_signal(runsvdir.pid(), Signal::SIGCONT);
    wait_until("the end of one supervisor", || supervisors.iter().any(|pid| !is_alive(*pid)).then_some(()));
    let first = Instant::now();
    wait_until("the end of all", || (!supervisors.iter().any(|pid| is_alive(*pid))).then_some(()));
    assert!(first.elapsed() < Duration::from_millis(800), "from the first to the last: {:?}", first.elapsed());
}

#[test]
fn mends_k53_term_and_hup_are_heard_at_once() {
    for (signal, code) in [(Signal::SIGTERM, 0), (Signal::SIGHUP, 111)] {
        let scan = Scan::new();
        let web = scan.service("web");
        scan.link("web");
        let mut runsvdir = scan.start();
        web.wait_running();
        let sent = Instant::now();
        runsvdir.signal(signal);
        assert_eq!(runsvdir.wait(), Ending::Exit(code));
        assert!(sent.elapsed() < Duration::from_secs(4), "{signal}: {:?}", sent.elapsed());
    }
}

/// F5: only ENOENT removes a service. A loop in place of the link is trouble of another kind.
#[test]
fn mends_k60_trouble_with_an_entry_stops_nothing() {
    let scan = Scan::new();
    let web = scan.service("web");
    scan.link("web");
    let runsvdir = scan.start();
    let pid = web.wait_running();
    symlink("web", scan.path().join(".new")).expect("a link");
    std::fs::rename(scan.path().join(".new"), scan.path().join("web")).expect("rename");
    runsvdir.wait_stderr("runsvdir scan: warning: unable to stat web: symbolic link loop\n");
    let fence = scan.service("fence");
    scan.link("fence");
    fence.wait_running();
    assert_eq!(web.wait_stat("run").pid, pid);
}

/// F2: HUP, USR1, ALRM and the like. HUP and TERM have a meaning, no other signal ends the scan.
#[test]
fn mends_f2_other_signals_do_not_kill_runsvdir() {
    let scan = Scan::new();
    let web = scan.service("web");
    scan.link("web");
    let mut runsvdir = scan.start();
    let pid = web.wait_running();
    for signal in [Signal::SIGUSR1, Signal::SIGUSR2, Signal::SIGALRM, Signal::SIGPIPE, Signal::SIGCONT] {
        runsvdir.signal(signal);
    }
    let fence = scan.service("fence");
    scan.link("fence");
    fence.wait_running();
    assert_eq!((runsvdir.try_wait(), web.wait_stat("run").pid), (None, pid));
}
