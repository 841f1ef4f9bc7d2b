//! `runsvdir` among faults: errors that pass (F5), directories made anew (F6), odd entries and names (F7, F9), too many of
//! them (F8, K57).

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use support::{
    Account, Ending, LISTEN, Output, Scan, Scratch, Service, Supervisor, children, find_runsv, is_alive, needs,
    runsv_of, send_signal, wait_gone, wait_until,
};

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("mode");
}

/// A runsvdir that no other test disturbs, as an ordinary user.
fn start_as_user(scan: &Scan) -> (Account, Supervisor) {
    let account = Account::new();
    account.own(&scan.path());
    account.own(&scan.scratch().path().join("sv"));
    let mut command = account.command(scan.scratch(), "runsvdir");
    command.arg("scan");
    (account, scan.scratch().start(command, Signal::SIGHUP))
}

fn scan_for_user() -> Scan {
    let mut scratch = Scratch::new();
    scratch.use_copied_programs();
    Scan::within(scratch)
}

// ---- F5: errors that pass

/// Where the services lie cannot be entered for a while, nor can the scan directory be read.
#[test]
fn mends_f5_access_denied_stops_nothing() {
    if !needs(&["root", "setpriv"]) {
        return;
    }
    let scan = scan_for_user();
    let web = scan.service("web");
    scan.link("web");
    let (_account, runsvdir) = start_as_user(&scan);
    let pid = web.wait_running();
    let supervisor = runsv_of(&runsvdir, "web");
    web.wait_lines("starts", 1);
    let services = scan.scratch().path().join("sv");
    set_mode(&services, 0);
    scan.scratch().file("scan/touched", "");
    runsvdir.wait_stderr("runsvdir scan: warning: unable to stat web: access denied\n");
    set_mode(&scan.path(), 0);
    runsvdir.wait_stderr(": access denied\nrunsvdir scan: warning: unable to ");
    set_mode(&scan.path(), 0o755);
    set_mode(&services, 0o755);
    let late = scan.service("late");
    set_mode(late.path(), 0o777);
    scan.link("late");
    late.wait_running();
    assert_eq!((web.wait_stat("run").pid, find_runsv(runsvdir.pid(), "web")), (pid, Some(supervisor)));
    assert_eq!(web.lines("starts").len(), 1);
}

/// The directory cannot be read to its end: what was not seen is not gone.
#[test]
fn mends_f5_input_error_stops_nothing() {
    if !needs(&["strace"]) {
        return;
    }
    let scan = Scan::new();
    let web = scan.service("web");
    scan.link("web");
    let runsvdir = scan.start();
    let pid = web.wait_running();
    web.wait_lines("starts", 1);
    let mut command = scan.scratch().command("strace");
    command.args(["-o", "trace", "-e", "trace=getdents64,?getdents", "-e", "inject=getdents64,?getdents:error=EIO"]);
    command.args(["-p", &runsvdir.pid().to_string()]);
    let mut strace = scan.scratch().start(command, Signal::SIGTERM);
    strace.wait_stderr("attached");
    let late = scan.service("late");
    scan.link("late");
    runsvdir.wait_stderr("runsvdir scan: warning: unable to read directory scan: input/output error\n");
    strace.signal(Signal::SIGINT);
    strace.wait();
    late.wait_running();
    assert_eq!((web.wait_stat("run").pid, web.lines("starts").len()), (pid, 1));
}

/// F10, F11: no process and no descriptor for a while. What runs goes on, and the rest comes when it can.
#[test]
fn mends_f10_runsvdir_without_processes() {
    if !needs(&["root", "setpriv", "prlimit"]) {
        return;
    }
    let scan = scan_for_user();
    let web = scan.service("web");
    scan.link("web");
    let (account, mut runsvdir) = start_as_user(&scan);
    let pid = web.wait_running();
    let limit_processes = |limit: &str| {
        let mut command = account.command(scan.scratch(), "prlimit");
        command.args([format!("--pid={}", runsvdir.pid()), format!("--nproc={limit}:")]);
        assert_eq!(scan.scratch().output(command), Output::exit(0, "", ""));
    };
    limit_processes("1");
    let late = scan.service("late");
    set_mode(late.path(), 0o777);
    scan.link("late");
    runsvdir.wait_stderr("runsvdir scan: warning: unable to fork for late: temporary failure\n");
    assert_eq!(web.wait_stat("run").pid, pid);
    limit_processes("1000");
    late.wait_running();
    assert_eq!((web.wait_stat("run").pid, runsvdir.try_wait()), (pid, None));
}

#[test]
fn mends_f11_runsvdir_without_descriptors() {
    if !needs(&["prlimit"]) {
        return;
    }
    let scan = Scan::new();
    let web = scan.service("web");
    scan.link("web");
    let mut runsvdir = scan.start();
    let pid = web.wait_running();
    let limit_files = |limit: &str| {
        let words = [format!("--pid={}", runsvdir.pid()), format!("--nofile={limit}:")];
        assert_eq!(scan.scratch().run("prlimit", &[&words[0], &words[1]]), Output::exit(0, "", ""));
    };
    limit_files("3");
    let late = scan.service("late");
    scan.link("late");
    runsvdir.wait_stderr(": process cannot open more files\n");
    assert_eq!(web.wait_stat("run").pid, pid);
    limit_files("1024");
    late.wait_running();
    assert_eq!((web.wait_stat("run").pid, runsvdir.try_wait()), (pid, None));
}

// ---- F6: made anew

/// What the link leads to is removed and made anew: a new service, and the old one ends.
#[test]
fn mends_f6_target_made_anew_is_a_new_service() {
    let scan = Scan::new();
    let web = scan.service("web");
    scan.link("web");
    let runsvdir = scan.start();
    let old = web.wait_running();
    let supervisor = runsv_of(&runsvdir, "web");
    web.wait_lines("starts", 1);
    std::fs::remove_dir_all(web.path()).expect("the service directory");
    let web = scan.service("web");
    let since = Instant::now();
    let new = web.wait_running_other_than(old);
    support::figure(&format!("target made anew to run: {:?}", since.elapsed()));
    wait_gone(supervisor);
    wait_gone(old);
    web.wait_lines("starts", 1);
    web.send("h");
    web.wait_line("signals", "HUP");
    assert_eq!((web.wait_stat("run").pid, web.lines("starts").len()), (new, 1));
    assert_eq!(children(runsvdir.pid()).len(), 1);
}

/// A link that led nowhere: what it leads to appears, and nothing changes in the scan directory.
#[test]
fn mends_f6_target_that_appears_is_a_new_service() {
    let scan = Scan::new();
    scan.service("other");
    scan.link("other");
    scan.link("web");
    let runsvdir = scan.start();
    scan.fence("fence");
    runsvdir.wait_stderr("runsvdir scan: warning: unable to stat web: file does not exist\n");
    let since = Instant::now();
    scan.service("web").wait_running();
    support::figure(&format!("target that appears to run: {:?}", since.elapsed()));
}

/// The same in the scan directory itself.
#[test]
fn directory_made_anew_is_a_new_service() {
    let scan = Scan::new();
    let web = Service::create(&scan.path().join("web")).run(LISTEN);
    let runsvdir = scan.start();
    let old = web.wait_running();
    let supervisor = runsv_of(&runsvdir, "web");
    web.wait_lines("starts", 1);
    let staged = scan.service("staged");
    std::fs::rename(web.path(), scan.scratch().path().join("away")).expect("rename");
    std::fs::rename(staged.path(), web.path()).expect("rename");
    let new = web.wait_running_other_than(old);
    wait_gone(supervisor);
    wait_gone(old);
    assert_eq!(web.wait_lines("starts", 1), [new.to_string()]);
}

/// Both directories share a `supervise`: the new runsv has to wait for the old one, and does not for long.
#[test]
fn mends_k9_new_directory_with_the_same_supervise() {
    let scan = Scan::new();
    let state = scan.scratch().directory("state");
    let share = |service: &Service| symlink(&state, service.path().join("supervise")).expect("a link");
    let old = scan.service("old");
    share(&old);
    scan.link_as("old", "web");
    let _runsvdir = scan.start();
    let pid = old.wait_running();
    old.wait_lines("starts", 1);
    let new = scan.service("new");
    share(&new);
    scan.relink("new", "web");
    let next = new.wait_running_other_than(pid);
    wait_gone(pid);
    assert_eq!(new.wait_lines("starts", 1), [next.to_string()]);
}

// ---- links that change

/// Gone and back in one moment, or put in place of itself: the same service.
#[test]
fn same_link_made_anew_changes_nothing() {
    let scan = Scan::new();
    let web = scan.service("web");
    scan.link("web");
    let runsvdir = scan.start();
    let pid = web.wait_running();
    let supervisor = runsv_of(&runsvdir, "web");
    for round in 0..3 {
        scan.relink("web", "web");
        scan.fence(&format!("fence{round}"));
    }
    // And by another name.
    scan.relink("web", "again");
    scan.unlink("web");
    scan.fence("last");
    assert_eq!((web.wait_stat("run").pid, is_alive(supervisor)), (pid, true));
    assert_eq!(web.wait_lines("starts", 1).len(), 1);
}

/// Two links change places: both services go on.
#[test]
fn links_that_change_places() {
    let scan = Scan::new();
    let all = ["one", "two"].map(|name| {
        scan.link(name);
        scan.service(name)
    });
    let runsvdir = scan.start();
    let pids = all.each_ref().map(Service::wait_running);
    send_signal(runsvdir.pid(), Signal::SIGSTOP);
    scan.relink("two", "one");
    scan.relink("one", "two");
    send_signal(runsvdir.pid(), Signal::SIGCONT);
    scan.fence("fence");
    assert_eq!(all.each_ref().map(|service| service.wait_stat("run").pid), pids);
    assert_eq!(children(runsvdir.pid()).len(), 3);
}

// ---- F7: odd entries

#[test]
fn mends_f7_trouble_with_an_entry_is_told_once() {
    let scan = Scan::new();
    scan.link("none");
    symlink("loop", scan.path().join("loop")).expect("a link");
    scan.scratch().file("file", "");
    symlink("../file/none", scan.path().join("below")).expect("a link");
    let runsvdir = scan.start();
    for round in 0..5 {
        scan.fence(&format!("fence{round}"));
    }
    let line = |name: &str, reason: &str| format!("runsvdir scan: warning: unable to stat {name}: {reason}\n");
    let lines =
        [line("none", "file does not exist"), line("loop", "symbolic link loop"), line("below", "not a directory")];
    let said = runsvdir.stderr();
    for line in &lines {
        assert_eq!(said.matches(line).count(), 1, "{line}{said}");
    }
    // It can be examined, and then again it cannot: that is news.
    let late = scan.service("none");
    let pid = late.wait_running();
    late.wait_lines("starts", 1);
    std::fs::remove_dir_all(late.path()).expect("the service");
    wait_gone(pid);
    wait_until("a second line", || (runsvdir.stderr().matches(&lines[0]).count() == 2).then_some(()));
}

/// Entries that are no directories, and service directories with odd files in them: nothing hangs, nothing is started for
/// the first, the others are supervised.
#[test]
fn f7_odd_files() {
    let scan = Scan::new();
    let fifo = |path: &Path| nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
    scan.scratch().file("scan/file", "");
    fifo(&scan.path().join("fifo"));
    symlink("fifo", scan.path().join("link-to-fifo")).expect("a link");
    symlink("/dev/null", scan.path().join("null")).expect("a link");
    let _socket = std::os::unix::net::UnixListener::bind(scan.path().join("socket")).expect("a socket");
    let odd = scan.service("odd");
    for name in ["finish", "log"] {
        fifo(&odd.path().join(name));
    }
    scan.scratch().directory("sv/odd/control/h");
    fifo(&odd.path().join("control/t"));
    scan.link("odd");
    let runsvdir = scan.start();
    odd.wait_running();
    odd.wait_lines("starts", 1);
    odd.send("hd");
    odd.wait_stat("down");
    odd.send("u");
    odd.wait_running();
    assert_eq!(children(runsvdir.pid()).len(), 1, "{}", runsvdir.stderr());
    assert!(!runsvdir.stderr().contains("runsvdir scan"), "{}", runsvdir.stderr());
}

/// A service directory that may not be entered: told, and the others are not disturbed.
#[test]
fn f7_directory_that_may_not_be_entered() {
    if !needs(&["root", "setpriv"]) {
        return;
    }
    let scan = scan_for_user();
    let (web, closed) = (scan.service("web"), scan.service("closed"));
    scan.link("web");
    scan.link("closed");
    set_mode(closed.path(), 0);
    let (_account, runsvdir) = start_as_user(&scan);
    let pid = web.wait_running();
    runsvdir.wait_stderr("runsv closed: fatal: unable to change to directory: access denied\n");
    set_mode(closed.path(), 0o755);
    closed.wait_running();
    assert_eq!(web.wait_stat("run").pid, pid);
}

// ---- F9: names

/// Nothing gives them to a shell, a pattern or a format.
#[test]
fn f9_names_mean_nothing() {
    let scan = Scan::new();
    let names = [
        "$(touch planted)",
        "`touch planted`",
        ";touch planted;",
        "* ? [a]",
        "%s%n",
        "a\\b",
        "'\"",
        "@",
        "-",
        "--",
        "-P",
    ];
    for name in names {
        scan.service(name);
        symlink(Path::new("../sv").join(name), scan.path().join(name)).expect("a link");
    }
    let runsvdir = scan.start();
    for name in names {
        Service::create(&scan.scratch().path().join("sv").join(name)).wait_running();
        runsv_of(&runsvdir, name);
        let status = scan.scratch().sv(&["status", &format!("./sv/{name}")]).without_numbers();
        assert_eq!(status, Output::exit(0, &format!("run: ./sv/{name}: (pid P) Ns\n"), ""), "{name:?}");
    }
    assert!(!scan.scratch().processes().is_empty());
    for directory in ["", "scan", "sv"] {
        assert!(!scan.scratch().path().join(directory).join("planted").exists());
    }
}

#[test]
fn f9_hidden_ones_are_refused_by_runsvdir_only() {
    let scan = Scan::new();
    let [hidden, _two] = [".hidden", "..two"].map(|name| {
        scan.link(name);
        scan.service(name)
    });
    let runsvdir = scan.start();
    scan.fence("fence");
    assert_eq!(children(runsvdir.pid()).len(), 1);
    let mut command = scan.scratch().command("runsv");
    command.arg("sv/.hidden");
    let _runsv = scan.scratch().start(command, Signal::SIGTERM);
    hidden.wait_running();
}

// ---- F8, K57: many of them

/// One that costs nothing stands in for runsv.
fn start_cheaply(scan: &Scan) -> Supervisor {
    let names = scan.scratch().directory("names");
    let tools = scan.scratch().service("tools").script("runsv", "echo \"$1\" >\"$NAMES/$$\"; exec sleep 1000");
    let mut command = scan.scratch().command("runsvdir");
    command.arg("scan").env("PATH", format!("{}:/usr/bin:/bin", tools.path().display())).env("NAMES", names);
    scan.scratch().start(command, Signal::SIGHUP)
}

#[test]
fn mends_f8_ten_thousand_entries() {
    let scan = Scan::new();
    for number in 0..10_000 {
        std::fs::create_dir(scan.path().join(format!("{number:05}"))).expect("a directory");
    }
    let runsvdir = start_cheaply(&scan);
    let refused = || {
        let said = runsvdir.stderr();
        let lines = said.lines().filter(|line| line.ends_with(": too many services.")).count();
        assert_eq!(lines, said.lines().count(), "{said}");
        lines
    };
    wait_until("1000 supervisors and a message", || {
        (refused() == 1 && children(runsvdir.pid()).len() == 1000).then_some(())
    });
    let first: Vec<u32> = children(runsvdir.pid());
    // Another scan says nothing again, and disturbs nobody.
    std::fs::create_dir(scan.path().join("one-more")).expect("a directory");
    let names = scan.scratch().path().join("names");
    let one = wait_until("the name of one", || support::lines(&names.join(first[17].to_string())).pop());
    std::fs::remove_dir(scan.path().join(&one)).expect("the directory");
    wait_gone(first[17]);
    // The original notices room only at its next scan.
    scan.scratch().file("scan/touched", "");
    wait_until("another in its place", || (children(runsvdir.pid()).len() == 1000).then_some(()));
    let alive = first.iter().filter(|pid| is_alive(**pid)).count();
    assert_eq!((alive, refused() <= 2), (999, true));
}

#[test]
fn thousand_services_come_and_go() {
    let scan = Scan::new();
    let count = 1000;
    let services: Vec<Service> = (0..count)
        .map(|number| Service::create(&scan.path().join(format!("{number:04}"))).run("exec sleep 1000"))
        .collect();
    let since = Instant::now();
    let mut runsvdir = scan.start();
    let pids: Vec<u32> = services.iter().map(Service::wait_running).collect();
    support::figure(&format!("1000 services from nothing to running: {:?}", since.elapsed()));
    assert_eq!((children(runsvdir.pid()).len(), runsvdir.stderr().as_str()), (count, ""));
    runsvdir.signal(Signal::SIGHUP);
    assert_eq!(runsvdir.wait(), Ending::Exit(111));
    for (service, pid) in services.iter().zip(pids) {
        wait_gone(pid);
        wait_until("down", || (service.stat() == "down\n").then_some(()));
    }
}

// ---- K59 to K61

/// All that a renamed directory writes stands in it, and its supervisor hears.
#[test]
fn renamed_directory_is_the_same_service() {
    let scan = Scan::new();
    let web = Service::create(&scan.path().join("web")).run(LISTEN);
    let runsvdir = scan.start();
    let pid = web.wait_running();
    web.wait_lines("starts", 1);
    std::fs::rename(web.path(), scan.path().join("renamed")).expect("rename");
    scan.fence("fence");
    let renamed = Service::create(&scan.path().join("renamed"));
    renamed.send("h");
    renamed.wait_line("signals", "HUP");
    assert_eq!((renamed.wait_stat("run").pid, children(runsvdir.pid()).len()), (pid, 2));
}

/// A burst of changes is dealt with in one go or a few, not in one scan each.
#[test]
fn mends_k51_burst_of_links() {
    let scan = Scan::new();
    let first = scan.service("first");
    scan.link("first");
    let runsvdir = scan.start();
    first.wait_running();
    let names: Vec<String> = (0..100).map(|number| format!("s{number:03}")).collect();
    let all: Vec<Service> = names.iter().map(|name| scan.service(name).run("exec sleep 1000")).collect();
    let since = Instant::now();
    for name in &names {
        scan.link(name);
    }
    for service in &all {
        service.wait_running();
    }
    let came = since.elapsed();
    for name in &names {
        scan.unlink(name);
    }
    wait_until("the end of all", || (children(runsvdir.pid()).len() == 1).then_some(()));
    support::figure(&format!("100 links to run: {came:?}, 100 links removed to gone: {:?}", since.elapsed() - came));
    assert!(came < Duration::from_secs(20), "{came:?}");
}
