//! The LOG argument of `runsvdir`: what the services write to stderr stands in its command line, for `ps` to show.

use nix::sys::signal::Signal;
use support::{Output, Scan, Supervisor, children, command_line, is_alive, process_fields, runsv_of, wait_until};

const DOTS: &str = "log: ..................................................";

fn start(scan: &Scan, log: &str) -> Supervisor {
    scan.scratch().runsvdir(&["scan", log])
}

/// The bytes of the argument LOG.
fn shown(runsvdir: &Supervisor) -> Vec<u8> {
    let bytes = std::fs::read(format!("/proc/{}/cmdline", runsvdir.pid())).expect("a command line");
    bytes.split(|byte| *byte == 0).nth(2).expect("an argument").to_vec()
}

fn shown_text(runsvdir: &Supervisor) -> String {
    String::from_utf8_lossy(&shown(runsvdir)).into_owned()
}

#[track_caller]
fn wait_shown(runsvdir: &Supervisor, text: &str) -> String {
    wait_until(&format!("{text:?} in the command line, which is {:?}", shown_text(runsvdir)), || {
        Some(shown_text(runsvdir)).filter(|shown| shown.contains(text))
    })
}

/// A service that writes this to stderr, by printf's rules, and stays.
fn add_writer(scan: &Scan, format: &str) -> support::Service {
    let service = scan.service("writer").run(&format!("printf '{format}' >&2; echo >>written; exec sleep 1000"));
    scan.link("writer");
    service
}

#[test]
fn log_begins_with_a_dot() {
    for (log, expected) in [("log: abcdefghij", "log: bcdefghij."), ("1234567", "123457."), (DOTS, DOTS)] {
        let scan = Scan::new();
        let runsvdir = start(&scan, log);
        wait_until(&format!("{expected:?} after {log:?}: {:?}", shown_text(&runsvdir)), || {
            (shown_text(&runsvdir) == expected).then_some(())
        });
        assert_eq!(runsvdir.stderr(), "");
    }
}

#[test]
fn too_short_a_log_is_not_used() {
    let scan = Scan::new();
    let service = scan.service("web");
    scan.link("web");
    let runsvdir = start(&scan, "123456");
    service.wait_running();
    let said = "runsvdir scan: warning: log must have at least seven characters.\n\
                runsvdir scan: warning: log service disabled.\n";
    assert_eq!((shown_text(&runsvdir).as_str(), runsvdir.stderr().as_str()), ("123456", said));
}

/// The first five characters and the length never change; the rest moves to the left.
#[test]
fn log_shows_what_services_write() {
    let scan = Scan::new();
    let runsvdir = start(&scan, DOTS);
    let before = command_line(runsvdir.pid());
    add_writer(&scan, "this is what it says");
    let seen = wait_shown(&runsvdir, "this is what it says");
    let expected = format!("log: {}this is what it says", &DOTS[5 + 20..]);
    assert_eq!(seen, expected);
    assert_eq!(command_line(runsvdir.pid())[..2], before[..2]);
    assert_eq!(runsvdir.stderr(), "");
}

/// More than there is room for: the last of it.
#[test]
fn log_shows_the_last_of_much() {
    let scan = Scan::new();
    let runsvdir = start(&scan, DOTS);
    let service = scan.service("writer").run("seq 1 3000 >&2; printf %s the-end >&2; echo >>written; exec sleep 1000");
    scan.link("writer");
    service.wait_lines("written", 1);
    let seen = wait_shown(&runsvdir, "the-end");
    assert_eq!(seen.replace('\n', " "), "log: 92 2993 2994 2995 2996 2997 2998 2999 3000 the-end");
}

#[test]
fn log_takes_runsvdir_s_own_words() {
    let scan = Scan::new();
    scan.link("none");
    let runsvdir = start(&scan, DOTS);
    wait_shown(&runsvdir, "stat none: file does not exist");
    assert_eq!(runsvdir.stderr(), "");
}

#[test]
fn log_takes_what_runsv_says() {
    let scan = Scan::new();
    scan.scratch().directory("scan/empty");
    let runsvdir = start(&scan, DOTS);
    wait_shown(&runsvdir, "to start ./run: file does not exist");
}

#[test]
fn words_after_the_log_are_ignored() {
    let scan = Scan::new();
    let service = scan.service("web");
    scan.link("web");
    let runsvdir = scan.scratch().runsvdir(&["-P", "scan", DOTS, "more", "words"]);
    service.wait_running();
    let words = command_line(runsvdir.pid());
    assert_eq!(words[1..], ["-P", "scan", DOTS, "more", "words"]);
    let runsv = runsv_of(&runsvdir, "web");
    let own = runsv.to_string();
    wait_until("a session of its own", || (process_fields(runsv)?[3] == own).then_some(()));
}

/// What lies behind the argument in memory is not touched: the environment, and that of the services.
#[test]
fn log_stays_in_its_place() {
    let scan = Scan::new();
    let mut command = scan.scratch().command("runsvdir");
    command.args(["scan", DOTS]).env("AAA_FIRST", "as it is").env("ZZZ_LAST", "as it is");
    let runsvdir = scan.scratch().start(command, Signal::SIGHUP);
    let service = scan.service("writer").run("seq 1 3000 >&2; env >environment; echo >>written; exec sleep 1000");
    scan.link("writer");
    service.wait_lines("written", 1);
    wait_shown(&runsvdir, "3000");
    let environment = std::fs::read(format!("/proc/{}/environ", runsvdir.pid())).expect("environment");
    let text = String::from_utf8_lossy(&environment).into_owned();
    for word in ["AAA_FIRST=as it is", "ZZZ_LAST=as it is"] {
        assert!(text.split('\0').any(|have| have == word), "{word} in {text:?}");
        assert!(service.lines("environment").iter().any(|have| have == word), "{word}");
    }
}

#[test]
fn services_do_their_work_below_a_log() {
    let scan = Scan::new();
    let service = scan.service("web");
    scan.link("web");
    let mut runsvdir = start(&scan, DOTS);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    service.send("h");
    service.wait_line("signals", "HUP");
    runsvdir.signal(Signal::SIGHUP);
    assert_eq!(runsvdir.output(), Output::exit(111, "", ""));
    wait_until("the end of the service", || (!is_alive(pid)).then_some(()));
}

/// K54: a pipe that has no room makes whoever writes wait; nothing is lost.
#[test]
fn mends_k54_log_pipe_makes_writers_wait() {
    let scan = Scan::new();
    let runsvdir = start(&scan, DOTS);
    let service = scan
        .service("writer")
        .run("cat /proc/$$/fdinfo/2 >flags; seq 1 100000 >&2 && echo all >>written; exec sleep 1000");
    scan.link("writer");
    assert_eq!(service.wait_lines("written", 1), ["all"]);
    wait_shown(&runsvdir, "100000");
    let flags = service.lines("flags").into_iter().find_map(|line| line.strip_prefix("flags:").map(str::to_owned));
    let flags = u32::from_str_radix(flags.expect("flags").trim(), 8).expect("an octal number");
    assert_eq!(flags & nix::libc::O_NONBLOCK as u32, 0, "flags of descriptor 2: {flags:o}");
}

/// A runsvdir that is busy, or stopped, keeps nobody from working but those who write too much.
#[test]
fn mends_k54_stopped_runsvdir_loses_nothing() {
    let scan = Scan::new();
    let runsvdir = start(&scan, DOTS);
    let service = scan.service("writer").run("read -r _ <gate; seq 1 30000 >&2 && echo all >>written; exec sleep 1000");
    let service = service.gate("gate");
    scan.link("writer");
    service.wait_running();
    support::send_signal(runsvdir.pid(), Signal::SIGSTOP);
    service.open_gate("gate");
    service.send("o");
    service.wait_stat("run, want down");
    support::send_signal(runsvdir.pid(), Signal::SIGCONT);
    assert_eq!(service.wait_lines("written", 1), ["all"]);
    wait_shown(&runsvdir, "30000");
}

/// F2: the next runsvdir reads what is written into the pipe of the old one.
#[test]
fn mends_k58_log_of_an_earlier_runsvdir_goes_on() {
    let scan = Scan::new();
    let run = "read -r _ <gate; printf the-end >&2; echo >>written; exec sleep 1000";
    let service = scan.service("writer").run(run).gate("gate");
    scan.link("writer");
    let mut first = start(&scan, DOTS);
    let pid = service.wait_running();
    let runsv = runsv_of(&first, "writer");
    first.signal(Signal::SIGKILL);
    first.wait();
    let second = start(&scan, DOTS);
    scan.fence("fence");
    service.open_gate("gate");
    wait_shown(&second, "the-end");
    service.wait_lines("written", 1);
    assert_eq!((service.wait_stat("run").pid, is_alive(runsv)), (pid, true));
}

/// K55: what a terminal would obey becomes a blank, NUL is left out.
#[test]
fn mends_k55_log_holds_only_what_can_be_printed() {
    let scan = Scan::new();
    let runsvdir = start(&scan, DOTS);
    add_writer(&scan, "a\\033[31mb\\tc\\r\\nd\\000e\\177f\\001g\\007the-end");
    let seen = wait_shown(&runsvdir, "the-end");
    assert!(seen.ends_with(".a [31mb c  de f g the-end"), "{seen:?}");
    assert!(shown(&runsvdir).iter().all(|byte| (b' '..0x7f).contains(byte)), "{seen:?}");
}

/// Every byte there is.
#[test]
fn mends_k55_log_of_all_bytes() {
    let scan = Scan::new();
    let log = format!("log: {}", ".".repeat(600));
    let runsvdir = start(&scan, &log);
    let all: String = (0..=255).map(|byte| format!("\\{byte:03o}")).collect::<String>().replace("\\047", "x");
    add_writer(&scan, &all.replace("\\045", "%%").replace("\\134", "y").replace("\\012", "\\n"));
    let service = scan.service("last").run("printf the-end >&2; exec sleep 1000");
    scan.scratch().service("sv/writer").wait_lines("written", 1);
    scan.link("last");
    service.wait_running();
    let seen = wait_shown(&runsvdir, "the-end");
    let bytes = shown(&runsvdir);
    assert_eq!(bytes.len(), log.len(), "{seen:?}");
    assert!(!bytes.iter().any(|byte| byte.is_ascii_control()), "{seen:?}");
    assert!(seen.contains("!\"#$%&x()*+,-./0123456789:;<=>?@ABC"), "{seen:?}");
}

/// It is drained while nothing else happens, and nobody is woken for nothing.
#[test]
fn mends_log_makes_no_wake_up() {
    let scan = Scan::new();
    let service = scan.service("web");
    scan.link("web");
    let runsvdir = start(&scan, DOTS);
    service.wait_running();
    service.wait_lines("starts", 1);
    wait_until("a quiet time", || {
        let before = support::context_switches(runsvdir.pid());
        std::thread::sleep(std::time::Duration::from_millis(2200));
        (support::context_switches(runsvdir.pid()) == before).then_some(())
    });
    assert_eq!(children(runsvdir.pid()).len(), 1);
}
