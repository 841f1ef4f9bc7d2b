//! Files in a service directory that hold something else than they should: each is told in one warning and counts as
//! absent, nothing hangs, and the service can be stopped as ever.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, Instant};

use support::{
    Account, Ending, LISTEN, LISTEN_AND_STAY, Scratch, Service, State, Supervisor, is_alive, needs, wait_until,
};

/// Contents that are no number, for files that want one.
const NO_NUMBERS: &[&str] = &[
    "",
    "\n",
    "\r\n",
    "x",
    " 5",
    "\t5",
    "5x",
    "5.5",
    "5e3",
    "5_000",
    "-5",
    "+5",
    "0x10",
    "5\0",
    "\0",
    "\0\0\0\x005",
    "\u{feff}5",
    "\u{665}",
    "five",
    "4294967296",
    "18446744073709551617",
    "99999999999999999999999999999999",
    "5\u{a0}",
    ";",
    "5,5",
];

/// Contents that are no signal.
const NO_SIGNALS: &[&str] = &[
    "",
    "\n",
    "0",
    "65",
    "-9",
    "+9",
    "999999999999999999999",
    "SIG",
    "TERMINATE",
    "SIGSIGTERM",
    " TERM",
    "TERM\0",
    "\0",
    "x",
    "SIG15",
    "TERM,HUP",
    "\u{feff}TERM",
    "AVERYLONGNAMETHATISNOSIGNALATALLBUTFILLSTHEBUFFER",
];

/// Services that are supervised, each with one file, all at the same time.
struct Services {
    scratch: Scratch,
    all: Vec<(Service, Supervisor)>,
}

impl Services {
    fn start(run: &str, file: &str, contents: &[&str]) -> Services {
        let scratch = Scratch::new();
        let all = contents
            .iter()
            .enumerate()
            .map(|(number, contents)| {
                let service = scratch.service(&format!("web{number}")).run(run).file(file, contents);
                let runsv = scratch.supervise(&service);
                (service, runsv)
            })
            .collect();
        Services { scratch, all }
    }
}

fn warning(service: &Service, file: &str, reason: &str) -> String {
    format!("runsv {}: warning: unable to use {file}: {reason}\n", service.name())
}

/// Waits for the warning, and for nothing else to be said. It may come once for each use.
#[track_caller]
fn assert_warned(service: &Service, runsv: &Supervisor, file: &str, reason: &str) {
    let line = warning(service, file, reason);
    runsv.wait_stderr(&line);
    let said = runsv.stderr();
    assert_eq!(said.replace(&line, ""), "", "{said}");
}

// ---- contents

#[test]
fn adds_down_signal_that_is_no_signal_is_told_and_term_is_sent() {
    let services = Services::start(LISTEN, "down-signal", NO_SIGNALS);
    for ((service, runsv), contents) in services.all.iter().zip(NO_SIGNALS) {
        service.wait_lines("starts", 1);
        service.wait_running();
        service.send("d");
        service.wait_stat("down");
        assert_warned(service, runsv, "down-signal", "invalid argument");
        assert!(service.lines("signals").contains(&"TERM".to_owned()), "{contents:?}");
    }
}

#[test]
fn adds_timeout_kill_that_is_no_number_is_told_and_nothing_is_killed() {
    let services = Services::start(LISTEN_AND_STAY, "timeout-kill", NO_NUMBERS);
    let mut pids = Vec::new();
    for (service, _) in &services.all {
        service.wait_lines("starts", 1);
        pids.push(service.wait_running());
        service.send("d");
    }
    for ((service, runsv), contents) in services.all.iter().zip(NO_NUMBERS) {
        service.wait_stat("run, got TERM, want down");
        assert_warned(service, runsv, "timeout-kill", "invalid argument");
        assert_eq!(service.stat(), "run, got TERM, want down\n", "{contents:?}");
    }
    let clock = services.scratch.service("clock").run(LISTEN_AND_STAY).file("timeout-kill", "1000");
    let _clock = services.scratch.supervise(&clock);
    clock.wait_lines("starts", 1);
    clock.send("d");
    clock.wait_stat("down");
    for (((service, _), contents), pid) in services.all.iter().zip(NO_NUMBERS).zip(pids) {
        assert!(is_alive(pid), "{contents:?}");
        service.send("k");
        service.wait_stat("down");
    }
}

#[test]
fn adds_timeout_finish_that_is_no_number_is_told_and_nothing_is_killed() {
    let scratch = Scratch::new();
    for (number, contents) in ["", "5x", "-1", "4294967296", "\0"].into_iter().enumerate() {
        let service = scratch.service(&format!("web{number}")).run(LISTEN).file("timeout-finish", contents);
        let service = service.finish("read -r _ <gate; echo >>finishes").gate("gate");
        let runsv = scratch.supervise(&service);
        service.wait_lines("starts", 1);
        service.send("d");
        service.wait_state(State::Finish);
        assert_warned(&service, &runsv, "timeout-finish", "invalid argument");
        service.open_gate("gate");
        service.wait_stat("down");
        assert_eq!(service.lines("finishes").len(), 1, "{contents:?}");
    }
}

#[test]
fn adds_max_death_tally_that_is_no_number_is_told_and_there_is_no_back_off() {
    let contents = ["", "x", "5x", "-1", "65536", "4294967295", "4294967296", "\0"];
    let services = Services::start("exit 1", "max-death-tally", &contents);
    for ((service, runsv), contents) in services.all.iter().zip(contents) {
        let extension = service.wait_extension("a third start", |_, extension| extension.starts >= 3);
        assert_eq!(extension.backoff, 0, "{contents:?}");
        assert_warned(service, runsv, "max-death-tally", "invalid argument");
    }
}

/// `backoff` is there or not; what it holds is nobody's concern.
#[test]
fn adds_backoff_may_hold_anything() {
    let contents = ["", "x", "0", "-1", "\0", "no\n"];
    let services = Services::start("exit 1", "backoff", &contents);
    for ((service, runsv), contents) in services.all.iter().zip(contents) {
        let extension = service.wait_extension("a second failure", |_, extension| extension.tally == 2);
        assert_eq!((extension.backoff, runsv.stderr()), (2, String::new()), "{contents:?}");
    }
}

/// What ends a number, and what may follow.
#[test]
fn adds_numbers_end_with_the_file_or_a_blank() {
    let contents = [
        "300",
        "300\n",
        "300\r\n",
        "300 ms\n",
        "300\t",
        "0300",
        "00000000000000300\n",
        "300\n\0\0\0",
        "300\nx",
        "300 \u{ff}",
    ];
    let services = Services::start(LISTEN_AND_STAY, "timeout-kill", &contents);
    for ((service, runsv), contents) in services.all.iter().zip(contents) {
        service.wait_lines("starts", 1);
        let pid = service.wait_running();
        let begin = Instant::now();
        service.send("d");
        wait_until(&format!("the kill of {contents:?}"), || (!is_alive(pid)).then_some(()));
        let took = begin.elapsed();
        assert!(took >= Duration::from_millis(300), "{contents:?}: {took:?}");
        assert_eq!(runsv.stderr(), "", "{contents:?}");
    }
}

/// Only the first bytes are read, however many there are: of a hole, of a line that never ends, of a number with a hole
/// behind it.
#[test]
fn adds_a_hundred_megabytes_are_not_read() {
    const SIZE: u64 = 100 << 20;
    let scratch = Scratch::new();
    let hole = |service: &Service, file: &str| {
        let file = std::fs::OpenOptions::new().write(true).open(service.path().join(file)).expect("the file");
        file.set_len(SIZE).expect("a hole");
    };
    for (number, (contents, reason)) in
        [("", Some("invalid argument")), (&*"9".repeat(5000), Some("invalid argument")), ("200\n", None)]
            .into_iter()
            .enumerate()
    {
        let service = scratch.service(&format!("web{number}")).run(LISTEN_AND_STAY).file("timeout-kill", contents);
        hole(&service, "timeout-kill");
        let runsv = scratch.supervise(&service);
        service.wait_lines("starts", 1);
        let pid = service.wait_running();
        service.send("d");
        service.wait_line("signals", "TERM");
        if let Some(reason) = reason {
            assert_warned(&service, &runsv, "timeout-kill", reason);
            service.send("k");
        }
        wait_until("the end", || (!is_alive(pid)).then_some(()));
        assert_eq!(runsv.stderr().is_empty(), reason.is_none());
    }
    let service = scratch.service("names").run(LISTEN).file("down-signal", &"HUP".repeat(100_000));
    hole(&service, "down-signal");
    let runsv = scratch.supervise(&service);
    service.wait_lines("starts", 1);
    service.send("d");
    service.wait_stat("down");
    assert_warned(&service, &runsv, "down-signal", "invalid argument");
}

// ---- what is no file

const FILES: [&str; 3] = ["down-signal", "timeout-kill", "timeout-finish"];

/// All three in the way of one stop: the service goes down as if they were not there.
#[track_caller]
fn assert_stops(scratch: &Scratch, service: &Service, reason: Option<&str>) {
    let service = service.clone().run(LISTEN).finish("echo >>finishes");
    let runsv = scratch.supervise(&service);
    service.wait_lines("starts", 1);
    service.wait_running();
    let output = scratch.sv(&["-w30", "stop", &service.name()]);
    assert_eq!(output.ending, Ending::Exit(0), "{output:?}");
    assert_eq!(service.lines("finishes").len(), 1);
    assert!(service.lines("signals").contains(&"TERM".to_owned()));
    let said = runsv.stderr();
    for file in FILES {
        let begin = format!("runsv {}: warning: unable to use {file}: ", service.name());
        let told: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix(&begin)).collect();
        match reason {
            None => assert_eq!(said, ""),
            Some("") => assert!(!told.is_empty(), "{file}: {said}"),
            Some(reason) => assert!(!told.is_empty() && told.iter().all(|text| *text == reason), "{file}: {said}"),
        }
    }
}

#[test]
fn adds_directories_links_and_devices_are_told() {
    let scratch = Scratch::new();
    type Make = fn(&Path);
    let rows: [(&str, Make, Option<&str>); 5] = [
        ("directory", |path| std::fs::create_dir(path).expect("a directory"), Some("is a directory")),
        ("loop", |path| symlink(path.file_name().expect("a name"), path).expect("a loop"), Some("symbolic link loop")),
        ("dangling", |path| symlink("nowhere", path).expect("a link"), None),
        ("zeros", |path| symlink("/dev/zero", path).expect("a link"), Some("invalid argument")),
        ("nothing", |path| symlink("/dev/null", path).expect("a link"), Some("invalid argument")),
    ];
    for (name, make, reason) in rows {
        let service = scratch.service(name);
        for file in FILES {
            make(&service.path().join(file));
        }
        assert_stops(&scratch, &service, reason);
    }
}

/// With nobody at the other end, with somebody who says nothing, and with somebody who does: no waiting in any case.
#[test]
fn adds_fifos_do_not_hang_the_supervisor() {
    let scratch = Scratch::new();
    for is_held in [false, true] {
        let service = scratch.service(&format!("fifo-{is_held}"));
        let mut held = Vec::new();
        for file in FILES {
            let path = service.path().join(file);
            nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
            if is_held {
                held.push(std::fs::OpenOptions::new().read(true).write(true).open(&path).expect("a fifo"));
            }
        }
        assert_stops(&scratch, &service, Some(""));
    }
}

#[test]
fn adds_fifos_in_the_place_of_back_off_files_do_not_hang_the_supervisor() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run("echo >>starts; exit 1");
    for file in ["max-death-tally", "backoff", "process-group"] {
        nix::unistd::mkfifo(&service.path().join(file), nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
    }
    let runsv = scratch.supervise(&service);
    runsv.wait_stderr("runsv web: warning: unable to use max-death-tally: ");
    service.wait_lines("starts", 2);
    service.send("d");
    service.wait_extension("the end", |status, extension| status.state == State::Down && extension.wanted == 'd');
}

/// `sv` looks at the same files, and waits for none of them.
#[test]
fn adds_fifos_do_not_hang_sv() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN_AND_STAY);
    let _runsv = scratch.supervise(&service);
    service.wait_lines("starts", 1);
    service.wait_running();
    let mut held = Vec::new();
    for file in ["timeout-kill", "timeout-finish"] {
        let path = service.path().join(file);
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
        held.push(std::fs::OpenOptions::new().read(true).write(true).open(&path).expect("a fifo"));
    }
    let mut command = scratch.command("sv");
    command.args(["force-stop", "web"]).env("SVWAIT", "1");
    let output = scratch.output(command).without_numbers();
    assert_eq!(
        (output.ending, &*output.stdout),
        (Ending::Exit(1), "kill: run: web: (pid P) Ns, want down, got TERM\n")
    );
    service.wait_stat("down");
}

#[test]
fn adds_files_that_may_not_be_read_are_told() {
    if !needs(&["root", "setpriv"]) {
        return;
    }
    let mut scratch = Scratch::new();
    scratch.use_copied_programs();
    let user = Account::new();
    let service = scratch.service("web").run(LISTEN).file("down-signal", "HUP").file("timeout-kill", "1");
    for file in ["down-signal", "timeout-kill"] {
        std::fs::set_permissions(service.path().join(file), std::fs::Permissions::from_mode(0o000)).expect("mode");
    }
    user.own(service.path());
    let mut command = user.command(&scratch, "runsv");
    command.arg("web");
    let runsv = scratch.start(command, nix::sys::signal::Signal::SIGTERM);
    service.wait_lines("starts", 1);
    service.wait_running();
    service.send("d");
    service.wait_stat("down");
    for file in ["down-signal", "timeout-kill"] {
        runsv.wait_stderr(&warning(&service, file, "access denied"));
    }
    assert!(service.lines("signals").contains(&"TERM".to_owned()));
}

/// The log's are told with their path, and do not touch the service.
#[test]
fn adds_files_of_the_log_are_told_as_the_log_s() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).log_run(LISTEN);
    let service = service.file("log/timeout-kill", "soon").file("log/down-signal", "NONE");
    let runsv = scratch.supervise(&service);
    service.wait_lines("starts", 1);
    service.log().wait_lines("starts", 1);
    service.log().wait_running();
    service.log().send("d");
    service.log().wait_stat("down");
    runsv.wait_stderr(&warning(&service, "log/timeout-kill", "invalid argument"));
    runsv.wait_stderr(&warning(&service, "log/down-signal", "invalid argument"));
    let said = runsv.stderr();
    assert!(!said.contains("use timeout-kill") && !said.contains("use down-signal"), "{said}");
    let failing = scratch.service("failing").run(LISTEN).log_run("exit 1").file("log/max-death-tally", "-");
    let runsv = scratch.supervise(&failing);
    runsv.wait_stderr(&warning(&failing, "log/max-death-tally", "invalid argument"));
}
