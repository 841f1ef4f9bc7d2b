//! What happens to `supervise/` and to the service directory behind a runsv's back (F6, F26, F27, F29, K9): it is made
//! anew, and meanwhile the service is not disturbed.

use std::io::Write;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Instant;

use nix::sys::signal::Signal;
use support::{
    Account, Ending, LISTEN, Output, Scratch, Service, Supervisor, is_alive, needs, send_signal, wait_gone, wait_until,
};

fn supervise(service: &Service, name: &str) -> PathBuf {
    service.path().join("supervise").join(name)
}

fn is_fifo(service: &Service, name: &str) -> bool {
    supervise(service, name).symlink_metadata().is_ok_and(|metadata| metadata.file_type().is_fifo())
}

/// Writes control bytes if somebody reads them.
fn try_send(service: &Service, bytes: &str) {
    let control = supervise(service, "control");
    let opened = std::fs::OpenOptions::new().write(true).custom_flags(nix::libc::O_NONBLOCK).open(control);
    let _nobody_there_yet = opened.and_then(|mut fifo| fifo.write_all(bytes.as_bytes()));
}

/// Waits until the service obeys commands and tells the truth: what a user sees of a whole `supervise/`.
#[track_caller]
fn wait_obeys(service: &Service, pid: u32, what: &str) {
    for (bytes, stat) in [("o", "run, want down\n"), ("u", "run\n")] {
        wait_until(&format!("{stat:?} of {} after {what}", service.name()), || {
            try_send(service, bytes);
            (service.stat() == stat && service.is_supervised()).then_some(())
        });
    }
    assert!(is_fifo(service, "control") && is_fifo(service, "ok"), "after {what}");
    assert_eq!((service.wait_stat("run").pid, service.pid_text()), (pid, Some(format!("{pid}\n"))), "after {what}");
}

/// Takes `supervise/` away in one step.
fn remove_supervise(service: &Service) {
    let away = service.path().join("away");
    std::fs::rename(service.path().join("supervise"), &away).expect("rename");
    // runsv may be just about to write to it.
    wait_until("supervise removed", || {
        let _not_empty_yet = std::fs::remove_dir_all(&away);
        (!away.exists()).then_some(())
    });
}

/// A running service, with its runsv and its pid.
fn running(scratch: &Scratch, name: &str) -> (Service, Supervisor, u32) {
    let service = scratch.service(name).run(LISTEN);
    let runsv = scratch.supervise(&service);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    (service, runsv, pid)
}

// ---- F26: removed or replaced

#[test]
fn mends_f26_what_is_removed_is_made_anew() {
    let scratch = Scratch::new();
    for removed in [&["control"][..], &["ok"], &["control", "ok"], &["stat", "status"]] {
        let name = removed.join("-");
        let (service, mut runsv, pid) = running(&scratch, &name);
        let modes = ["control", "ok"].map(|fifo| supervise(&service, fifo).metadata().expect(fifo).mode());
        for file in removed {
            std::fs::remove_file(supervise(&service, file)).expect(file);
        }
        let since = Instant::now();
        wait_obeys(&service, pid, &format!("removal of {name}"));
        support::figure(&format!("{name} removed to obeyed: {:?}", since.elapsed()));
        assert_eq!(["control", "ok"].map(|fifo| supervise(&service, fifo).metadata().expect(fifo).mode()), modes);
        assert_eq!((runsv.try_wait(), service.lines("starts").len()), (None, 1), "{name}: {}", runsv.stderr());
    }
}

/// F28: whoever comes second is sent away, though nothing stands for the lock any more.
#[test]
fn mends_f26_lock_that_was_removed_lets_nobody_in() {
    let scratch = Scratch::new();
    let (service, mut runsv, pid) = running(&scratch, "web");
    std::fs::remove_file(supervise(&service, "lock")).expect("lock");
    let mut second = scratch.runsv("web");
    wait_until("a refusal, or a supervisor", || {
        let has_come = service.extension().is_some_and(|extension| extension.supervisor == second.pid());
        (has_come || second.try_wait().is_some()).then_some(())
    });
    assert_eq!(second.try_wait(), Some(Ending::Exit(111)), "two supervisors: {}", second.stderr());
    wait_obeys(&service, pid, "removal of the lock");
    assert_eq!((runsv.try_wait(), service.lines("starts").len()), (None, 1));
}

#[test]
fn mends_f26_whole_directory_is_made_anew() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).log_run("exec cat");
    let runsv = scratch.supervise(&service);
    let (pid, logger) = (service.wait_running(), service.log().wait_running());
    service.wait_lines("starts", 1);
    for member in [&service, &service.log()] {
        remove_supervise(member);
    }
    wait_obeys(&service, pid, "removal");
    wait_obeys(&service.log(), logger, "removal");
    let mode = service.path().join("supervise").metadata().expect("supervise").mode() & 0o7777;
    assert_eq!(mode, 0o700);
    // The lock is held again, on the file that is there now.
    let refused = Output::exit(111, "", "runsv web: fatal: unable to lock supervise/lock: temporary failure\n");
    assert_eq!(scratch.run("runsv", &["web"]), refused);
    let shown = scratch.sv(&["status", "web"]).without_numbers();
    assert_eq!(shown, Output::exit(0, "run: web: (pid P) Ns; run: log: (pid P) Ns\n", ""));
    service.send("h");
    service.wait_line("signals", "HUP");
    send_signal(pid, Signal::SIGKILL);
    service.wait_running_other_than(pid);
    assert_eq!(service.wait_lines("starts", 2).len(), 2, "{}", runsv.stderr());
}

/// Puts something in the place of a fifo, and waits until all is whole again.
#[track_caller]
fn replace(name: &str, put: fn(&Path)) {
    let scratch = Scratch::new();
    let (service, mut runsv, pid) = running(&scratch, "web");
    let staged = service.path().join("staged");
    put(&staged);
    std::fs::rename(staged, supervise(&service, name)).expect("rename");
    wait_until(&format!("{name} as a fifo"), || is_fifo(&service, name).then_some(()));
    wait_obeys(&service, pid, "replacement");
    assert_eq!((runsv.try_wait(), service.lines("starts").len()), (None, 1), "{}", runsv.stderr());
}

fn put_file(path: &Path) {
    std::fs::write(path, "").expect("a file");
}

fn put_fifo(path: &Path) {
    nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
}

#[test]
fn mends_f26_control_replaced_by_a_file() {
    replace("control", put_file);
}

#[test]
fn mends_f26_control_replaced_by_another_fifo() {
    replace("control", put_fifo);
}

#[test]
fn mends_f26_ok_replaced_by_a_file() {
    replace("ok", put_file);
}

#[test]
fn mends_f26_ok_replaced_by_another_fifo() {
    replace("ok", put_fifo);
}

/// Moved away and replaced by an empty one, by a link to an empty one, by nothing and then one.
#[test]
fn mends_f26_supervise_is_another_directory() {
    let scratch = Scratch::new();
    for name in ["directory", "link", "later"] {
        let (service, _runsv, pid) = running(&scratch, name);
        let directory = service.path().join("supervise");
        std::fs::rename(&directory, scratch.path().join(format!("{name}.old"))).expect("rename");
        match name {
            "link" => {
                scratch.directory("elsewhere");
                symlink(scratch.path().join("elsewhere"), &directory).expect("a link");
            }
            // runsv may have made it by now.
            "directory" => drop(std::fs::create_dir(&directory)),
            _ => {}
        }
        wait_obeys(&service, pid, name);
        assert_eq!(service.lines("starts").len(), 1);
    }
}

/// Something that is no directory is in the way: the service goes on, and when it is gone, all is well again.
#[test]
fn mends_f26_supervise_is_a_file_for_a_while() {
    let scratch = Scratch::new();
    let (service, mut runsv, pid) = running(&scratch, "web");
    let directory = service.path().join("supervise");
    std::fs::rename(&directory, scratch.path().join("old")).expect("rename");
    if std::fs::OpenOptions::new().write(true).create_new(true).open(&directory).is_err() {
        // Made anew already: then it was not in the way.
        return wait_obeys(&service, pid, "removal");
    }
    runsv.wait_stderr("runsv web: warning: ");
    assert_eq!((runsv.try_wait(), is_alive(pid)), (None, true));
    std::fs::remove_file(&directory).expect("the file");
    runsv.signal(Signal::SIGHUP);
    wait_obeys(&service, pid, "the file");
}

#[test]
fn mends_f26_hup_looks_after_it_at_once() {
    let scratch = Scratch::new();
    let (service, mut runsv, pid) = running(&scratch, "web");
    let mut delays = Vec::new();
    for _round in 0..5 {
        remove_supervise(&service);
        let since = Instant::now();
        runsv.signal(Signal::SIGHUP);
        wait_until("fifos", || (is_fifo(&service, "control") && service.is_supervised()).then_some(()));
        delays.push(since.elapsed());
        wait_obeys(&service, pid, "HUP");
    }
    delays.sort();
    assert!(delays[0].as_millis() < 500, "from HUP to whole: {delays:?}");
}

// ---- F6, K9: the service directory itself

/// Its supervise/ moves with it.
#[test]
fn renamed_service_directory_stays_in_charge() {
    let scratch = Scratch::new();
    let (_service, _runsv, pid) = running(&scratch, "web");
    std::fs::rename(scratch.path().join("web"), scratch.path().join("moved")).expect("rename");
    let moved = Service::create(&scratch.path().join("moved"));
    moved.send("h");
    moved.wait_line("signals", "HUP");
    moved.send("o");
    assert_eq!(moved.wait_stat("run, want down").pid, pid);
    send_signal(pid, Signal::SIGKILL);
    moved.wait_stat("down");
    moved.send("u");
    moved.wait_running_other_than(pid);
}

#[test]
fn mends_f6_removed_service_directory_is_told_once() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run("echo >>starts; exec sleep 1000");
    let mut runsv = scratch.supervise(&service);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    std::fs::remove_dir_all(service.path()).expect("the service directory");
    for _round in 0..20 {
        runsv.signal(Signal::SIGHUP);
    }
    runsv.wait_stderr("runsv web: warning: ");
    assert!(is_alive(pid));
    runsv.signal(Signal::SIGTERM);
    assert_eq!(runsv.wait(), Ending::Exit(0));
    assert!(!is_alive(pid));
    assert_eq!(runsv.stderr().matches("warning: ").count(), 1, "{}", runsv.stderr());
    assert!(!service.path().exists());
}

#[test]
fn mends_k9_service_directory_made_anew_is_controllable() {
    let scratch = Scratch::new();
    let (service, mut runsv, pid) = running(&scratch, "web");
    std::fs::remove_dir_all(service.path()).expect("the service directory");
    let service = Service::create(&scratch.path().join("web")).run(LISTEN);
    wait_obeys(&service, pid, "a new directory");
    let status = scratch.sv(&["status", "web"]);
    assert!(status.stdout.starts_with(&format!("run: web: (pid {pid}) ")), "{status:?}");
    // The process was started in the old directory; the next one has the new.
    send_signal(pid, Signal::SIGKILL);
    let next = service.wait_running_other_than(pid);
    assert_eq!(service.wait_lines("starts", 1), [next.to_string()]);
    assert_eq!(std::fs::read_link(format!("/proc/{next}/cwd")).expect("cwd"), service.path());
    service.send("x");
    assert_eq!(runsv.wait(), Ending::Exit(0));
    assert!(!is_alive(next));
}

/// `log/` is removed, and made anew with another script: the old logger reads on, the next one is of the new directory.
#[track_caller]
fn make_log_anew(is_told: bool) {
    let scratch = Scratch::new();
    // A reader may meet a writer who has nothing left to say.
    let run = "while :; do read -r line <gate || continue; echo $line; done";
    let service = scratch.service("web").run(run).gate("gate").log_run("exec cat >>../old");
    let mut runsv = scratch.supervise(&service);
    let (pid, logger) = (service.wait_running(), service.log().wait_running());
    service.open_gate("gate");
    service.wait_lines("old", 1);
    let away = scratch.path().join("away");
    std::fs::rename(service.log().path(), &away).expect("rename");
    std::fs::remove_dir_all(away).expect("the old log directory");
    let service = service.log_run("exec cat >>../new");
    if is_told {
        runsv.signal(Signal::SIGHUP);
    }
    wait_until("a status that tells of the log", || {
        let status = scratch.sv(&["status", "web"]).without_numbers();
        (status == Output::exit(0, "run: web: (pid P) Ns; run: log: (pid P) Ns\n", "")).then_some(())
    });
    assert_eq!(service.log().wait_stat("run").pid, logger, "{}", runsv.stderr());
    service.open_gate("gate");
    service.wait_lines("old", 2);
    service.log().send("t");
    let next = service.log().wait_running_other_than(logger);
    service.open_gate("gate");
    assert_eq!(service.wait_lines("new", 1), ["go"]);
    assert_eq!((service.lines("old").len(), service.wait_stat("run").pid), (2, pid));
    assert_eq!(service.log().wait_stat("run").pid, next);
}

#[test]
fn mends_k9_log_directory_made_anew_is_found_at_hup() {
    make_log_anew(true);
}

#[test]
fn mends_k9_log_directory_made_anew_is_found_by_itself() {
    make_log_anew(false);
}

// ---- F27: the status cannot be written

#[test]
fn mends_f27_trouble_with_the_status_is_told_once() {
    let scratch = Scratch::new();
    let (service, runsv, pid) = running(&scratch, "web");
    let line = "runsv web: warning: unable to open supervise/status.new: is a directory\n";
    for times in 1..=2 {
        std::fs::create_dir(supervise(&service, "status.new")).expect("a directory in the way");
        for (bytes, stat) in [("o", "run, want down\n"), ("u", "run\n"), ("o", "run, want down\n"), ("u", "run\n")] {
            service.send(bytes);
            wait_until(&format!("stat {stat:?}"), || (service.stat() == stat).then_some(()));
        }
        assert_eq!(runsv.stderr(), line.repeat(times));
        std::fs::remove_dir(supervise(&service, "status.new")).expect("the directory");
        service.send("o");
        assert_eq!(service.wait_stat("run, want down").pid, pid);
        service.send("u");
        service.wait_stat("run");
    }
    assert_eq!(runsv.stderr(), line.repeat(2));
}

/// The directory cannot be written to for a while. The service goes on, and then the files are true again.
#[test]
fn mends_f27_not_writable_for_a_while() {
    if !needs(&["root", "setpriv"]) {
        return;
    }
    let mut scratch = Scratch::new();
    scratch.use_copied_programs();
    let service = scratch.service("web").run(LISTEN);
    let account = Account::new();
    account.own(service.path());
    let mut command = account.command(&scratch, "runsv");
    command.arg("web");
    let mut runsv = scratch.start(command, Signal::SIGTERM);
    let first = service.wait_running();
    service.wait_lines("starts", 1);
    let set_mode = |mode| std::fs::set_permissions(supervise(&service, ""), std::fs::Permissions::from_mode(mode));
    set_mode(0o500).expect("mode");
    for bytes in ["o", "u", "o", "u"] {
        service.send(bytes);
    }
    runsv.wait_stderr("access denied\n");
    send_signal(first, Signal::SIGKILL);
    wait_gone(first);
    let second = service.wait_lines("starts", 2)[1].parse().expect("a pid");
    let said = runsv.stderr();
    for name in ["pid", "stat", "status"] {
        let line = format!("runsv web: warning: unable to open supervise/{name}.new: access denied\n");
        assert!(said.matches(&line).count() <= 1, "{said}");
    }
    assert!(said.lines().count() <= 3, "{said}");
    set_mode(0o700).expect("mode");
    service.send("o");
    assert_eq!(service.wait_stat("run, want down").pid, second);
    assert_eq!(service.pid_text(), Some(format!("{second}\n")));
    runsv.signal(Signal::SIGTERM);
    assert_eq!(runsv.wait(), Ending::Exit(0));
}

// ---- F29: other users, and what they plant

#[test]
fn f29_other_users_are_kept_out() {
    if !needs(&["root", "setpriv"]) {
        return;
    }
    let mut scratch = Scratch::new();
    scratch.use_copied_programs();
    let (service, _runsv, pid) = running(&scratch, "web");
    let stranger = |script: &str| {
        let mut command = Account::new().command(&scratch, "sh");
        command.args(["-c", script]);
        scratch.output(command).ending
    };
    assert_ne!(stranger("printf d >web/supervise/control"), Ending::Exit(0));
    assert_ne!(stranger("printf d >web/supervise/ok"), Ending::Exit(0));
    assert_ne!(stranger("ls web/supervise"), Ending::Exit(0));
    assert_ne!(stranger("sv down web"), Ending::Exit(0));
    // Let in on purpose, he may look, and still not touch.
    for (name, mode) in [("", 0o755), ("ok", 0o666)] {
        std::fs::set_permissions(supervise(&service, name), std::fs::Permissions::from_mode(mode)).expect("mode");
    }
    assert_eq!(stranger("sv status web"), Ending::Exit(0));
    assert_ne!(stranger("printf d >web/supervise/control"), Ending::Exit(0));
    service.send("h");
    service.wait_line("signals", "HUP");
    assert_eq!((service.wait_stat("run").pid, service.lines("signals").len()), (pid, 1));
}

/// Links where files are expected: what they lead to is neither made, nor emptied, nor read.
#[test]
fn mends_f29_planted_links_lead_nowhere() {
    let scratch = Scratch::new();
    for name in ["lock", "control", "ok", "pid.new", "stat.new", "status.new"] {
        for is_there in [true, false] {
            let row = format!("{name}-{is_there}");
            let service = scratch.service(&row).run(LISTEN);
            let victim = scratch.path().join(format!("{row}.victim"));
            if is_there {
                std::fs::write(&victim, "mine\n").expect("victim");
            }
            scratch.directory(&format!("{row}/supervise"));
            symlink(&victim, supervise(&service, name)).expect("a link");
            let mut runsv = scratch.runsv(&row);
            wait_until(&format!("{row}: a refusal, a warning or a start"), || {
                (runsv.try_wait().is_some()
                    || runsv.stderr().contains("warning")
                    || !service.lines("starts").is_empty())
                .then_some(())
            });
            let seen = std::fs::read_to_string(&victim).ok();
            assert_eq!(seen, is_there.then(|| "mine\n".to_owned()), "{row}: {}", runsv.stderr());
        }
    }
}

/// A planted fifo of somebody else: he must not command.
#[test]
fn mends_f29_control_that_is_a_link_is_not_obeyed() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).gate("planted");
    scratch.directory("web/supervise");
    symlink("../planted", supervise(&service, "control")).expect("a link");
    let mut runsv = scratch.runsv("web");
    wait_until("an end or a start", || {
        (runsv.try_wait().is_some() || !service.lines("starts").is_empty()).then_some(())
    });
    let opened = std::fs::OpenOptions::new()
        .write(true)
        .custom_flags(nix::libc::O_NONBLOCK)
        .open(service.path().join("planted"));
    assert!(opened.is_err(), "runsv reads what is behind the link: {}", runsv.stderr());
}
