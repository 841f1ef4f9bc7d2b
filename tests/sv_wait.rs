//! How long `sv` waits: `-w`, SVWAIT, the time-outs of a service, and the check script. The supervisors here are played
//! by the test, so nothing ever happens unless it is made to.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use support::{Ending, FakeService, Output, Scratch, Service, State, Status, wait_until};

const USAGE: &str = "usage: sv [-v] [-w sec] command service ...\n\n";

fn up() -> Status {
    Status::of(State::Run, 4242, 'u', 100)
}

fn down() -> Status {
    Status::of(State::Down, 0, 'd', 100)
}

fn running(scratch: &Scratch, name: &str) -> FakeService {
    FakeService::create(scratch.service(name), up())
}

/// Runs `sv` with SVWAIT set, and tells how long it took.
fn sv(scratch: &Scratch, svwait: &str, words: &[&str]) -> (Output, Duration) {
    let mut command = scratch.command("sv");
    command.args(words).env("SVWAIT", svwait);
    let start = Instant::now();
    (scratch.output(command).with_age(), start.elapsed())
}

const LATE: &str = "timeout: run: web: (pid 4242) 100s\n";
const KILLED: &str = "kill: run: web: (pid 4242) 100s\n";

// ---- SVWAIT and -w

#[test]
fn no_wait_at_all_still_looks_once() {
    let scratch = Scratch::new();
    let _web = running(&scratch, "web");
    let _off = FakeService::create(scratch.service("off"), down());
    for words in [&["-w0", "check", "web"][..], &["-w", "0", "start", "web"], &["-w00", "reload", "web"]] {
        let ok = Output::exit(0, "ok: run: web: (pid 4242) 100s\n", "");
        assert_eq!(sv(&scratch, "7", words).0, ok, "{words:?}");
    }
    let expected = Output::exit(1, "ok: down: off: 100s, normally up\ntimeout: run: web: (pid 4242) 100s\n", "");
    assert_eq!(sv(&scratch, "7", &["-w0", "stop", "off", "web"]).0, expected);
    assert_eq!(sv(&scratch, "0", &["stop", "off", "web"]).0, expected);
}

#[test]
fn mends_k36_seconds_that_are_no_number_are_wrong_usage() {
    let scratch = Scratch::new();
    let mut web = running(&scratch, "web");
    let usage = Output::exit(100, "", USAGE);
    for number in ["", "x", "1x", "-1", "+1", " 1", "1 ", "1.5", "0x10", "1e3", "\u{665}", "1\n"] {
        assert_eq!(sv(&scratch, "7", &["-w", number, "stop", "web"]).0, usage, "-w {number:?}");
        assert_eq!(sv(&scratch, number, &["stop", "web"]).0, usage, "SVWAIT {number:?}");
    }
    assert_eq!(web.received(), "");
}

/// The original wraps around, which makes a wait as short as it happens to be.
#[test]
fn mends_k36_numbers_too_large_for_any_clock_wait_for_ever() {
    let scratch = Scratch::new();
    let numbers = [
        "4294967296",
        "9223372036854775807",
        "18446744073709551",
        "18446744073709551615",
        "18446744073709551616",
        "99999999999999999999999999999999999999999999999999",
    ];
    let mut started: Vec<_> = numbers
        .iter()
        .enumerate()
        .flat_map(|(number, seconds)| {
            [(format!("option{number}"), *seconds, true), (format!("variable{number}"), *seconds, false)]
        })
        .map(|(name, seconds, is_option)| {
            let web = FakeService::create(scratch.service(&name), down());
            let mut command = scratch.command("sv");
            if is_option {
                command.args(["-w", seconds]);
            } else {
                command.env("SVWAIT", seconds);
            }
            command.args(["start", &name]);
            let sv = scratch.start(command, Signal::SIGKILL);
            (name, web, sv)
        })
        .collect();
    for (name, web, sv) in &mut started {
        wait_until("the command", || (web.received() == "u").then_some(()));
        assert_eq!((sv.try_wait(), sv.stdout()), (None, String::new()), "{name}");
    }
    for (name, web, sv) in &mut started {
        web.set(up());
        let expected = Output::exit(0, &format!("ok: run: {name}: (pid P) Ns\n"), "");
        assert_eq!(sv.output().without_numbers(), expected, "{name}");
    }
}

#[test]
fn the_last_option_counts_and_beats_the_environment() {
    let scratch = Scratch::new();
    let _web = running(&scratch, "web");
    let (output, took) = sv(&scratch, "1000000", &["-w", "1000000", "-w1", "stop", "web"]);
    assert_eq!(output, Output::exit(1, LATE, ""));
    assert!(took >= Duration::from_secs(1), "{took:?}");
    let (output, took) = sv(&scratch, "0", &["-w2", "stop", "web"]);
    assert_eq!(output, Output::exit(1, LATE, ""));
    assert!(took >= Duration::from_secs(2), "{took:?}");
}

// ---- the time-outs of a service

/// A wait that ends, against an SVWAIT that would not, was the service's own.
#[test]
fn adds_commands_that_stop_wait_for_the_service_s_own_time() {
    let rows = [
        ("stop", LATE),
        ("restart", LATE),
        ("try-restart", LATE),
        ("shutdown", LATE),
        ("-v down", LATE),
        ("-v exit", LATE),
        ("-v term", LATE),
        ("force-stop", KILLED),
        ("force-restart", KILLED),
        ("force-reload", KILLED),
        ("force-shutdown", KILLED),
        ("D", KILLED),
        ("T", KILLED),
        ("X", KILLED),
    ];
    let scratches: Vec<_> = rows.iter().map(|_| Scratch::new()).collect();
    let start = Instant::now();
    let mut started: Vec<_> = scratches
        .iter()
        .zip(&rows)
        .map(|(scratch, (words, _))| {
            let web = FakeService::create(scratch.service("web").file("timeout-kill", "300\n"), up());
            let mut command = scratch.command("sv");
            command.args(words.split(' ')).arg("web").env("SVWAIT", "1000000");
            (web, scratch.start(command, Signal::SIGKILL))
        })
        .collect();
    for ((_, sv), (words, line)) in started.iter_mut().zip(&rows) {
        assert_eq!(sv.output().with_age(), Output::exit(1, line, ""), "sv {words}");
        assert!(start.elapsed() >= Duration::from_millis(1300), "sv {words}: {:?}", start.elapsed());
    }
}

/// A wait that ends, against a time of the service that would not, was not the service's own.
#[test]
fn adds_other_commands_wait_as_ever() {
    let late = "timeout: down: web: 100s, normally up\n";
    let rows = [
        ("start", Status { want: 'd', ..down() }, late),
        ("-v up", down(), late),
        ("check", Status { want: 'u', ..down() }, "timeout: down: web: 100s, normally up, want up\n"),
        ("-v once", down(), late),
        ("-v kill", up(), LATE),
        ("-v pause", up(), LATE),
        ("-v cont", up().paused(), "timeout: run: web: (pid 4242) 100s, paused\n"),
    ];
    let scratches: Vec<_> = rows.iter().map(|_| Scratch::new()).collect();
    let mut started: Vec<_> = scratches
        .iter()
        .zip(&rows)
        .map(|(scratch, (words, status, _))| {
            let service = scratch.service("web").file("timeout-kill", "4294967295");
            let web = FakeService::create(service, *status);
            let mut command = scratch.command("sv");
            command.args(words.split(' ')).arg("web").env("SVWAIT", "1");
            (web, scratch.start(command, Signal::SIGKILL))
        })
        .collect();
    for ((_, sv), (words, _, line)) in started.iter_mut().zip(&rows) {
        assert_eq!(sv.output().with_age(), Output::exit(1, line, ""), "sv {words}");
    }
}

#[test]
fn adds_both_times_of_a_service_and_a_second_add_up() {
    let scratch = Scratch::new();
    let service = scratch.service("web").file("timeout-kill", "700").file("timeout-finish", "800");
    let _web = FakeService::create(service, up());
    let (output, took) = sv(&scratch, "0", &["stop", "web"]);
    assert_eq!(output, Output::exit(1, LATE, ""));
    assert!(took >= Duration::from_millis(2500), "{took:?}");
}

#[test]
fn adds_the_option_beats_the_service_s_own_time() {
    let scratch = Scratch::new();
    let service = scratch.service("web").file("timeout-kill", "4294967295").file("timeout-finish", "4294967295");
    let _web = FakeService::create(service, up());
    assert_eq!(sv(&scratch, "7", &["-w1", "stop", "web"]).0, Output::exit(1, LATE, ""));
    assert_eq!(sv(&scratch, "7", &["-w0", "force-stop", "web"]).0, Output::exit(1, KILLED, ""));
}

/// The same, the other way round: two numbers as large as can be are no small sum.
#[test]
fn adds_the_largest_times_of_a_service_do_not_wrap() {
    let scratch = Scratch::new();
    let service = scratch.service("web").file("timeout-kill", "4294967295").file("timeout-finish", "4294967295");
    let mut web = FakeService::create(service, up());
    let mut command = scratch.command("sv");
    command.args(["stop", "web"]).env("SVWAIT", "0");
    let mut sv = scratch.start(command, Signal::SIGKILL);
    wait_until("the command", || (web.received() == "d").then_some(()));
    assert_eq!((sv.try_wait(), sv.stdout()), (None, String::new()));
    web.set(down());
    assert_eq!(sv.output().without_numbers(), Output::exit(0, "ok: down: web: Ns, normally up\n", ""));
}

/// None, 0, and what is no number leave it to SVWAIT; timeout-finish alone does too.
#[test]
fn adds_a_service_without_time_out_waits_as_ever() {
    let scratch = Scratch::new();
    let rows = [
        ("timeout-finish", "4294967295"),
        ("timeout-kill", "0"),
        ("timeout-kill", "0\n"),
        ("timeout-kill", "for ever"),
        ("timeout-kill", "-1"),
        ("timeout-kill", "4294967296"),
        ("timeout-kill", ""),
    ];
    for (number, (file, contents)) in rows.into_iter().enumerate() {
        let name = format!("web{number}");
        let _web = FakeService::create(scratch.service(&name).file(file, contents), up());
        let (output, _) = sv(&scratch, "0", &["stop", &name]);
        let expected = format!("timeout: run: {name}: (pid 4242) 100s\n");
        assert_eq!((output.ending, output.stdout), (Ending::Exit(1), expected), "{file} {contents:?}");
    }
}

#[test]
fn adds_each_service_of_a_call_has_its_own_time() {
    let scratch = Scratch::new();
    let _plain = running(&scratch, "plain");
    let _slow = FakeService::create(scratch.service("slow").file("timeout-kill", "2000"), up());
    let _quick = FakeService::create(scratch.service("quick").file("timeout-kill", "1"), up());
    let _off = FakeService::create(scratch.service("off").file("timeout-kill", "4294967295"), down());
    let (output, took) = sv(&scratch, "2", &["stop", "slow", "plain", "off", "quick"]);
    let expected = "\
ok: down: off: 100s, normally up
timeout: run: quick: (pid 4242) 100s
timeout: run: plain: (pid 4242) 100s
timeout: run: slow: (pid 4242) 100s
";
    assert_eq!(output, Output::exit(3, expected, ""));
    assert!(took >= Duration::from_secs(3), "{took:?}");
}

#[test]
fn adds_a_log_service_has_its_own_time() {
    let scratch = Scratch::new();
    let _web = running(&scratch, "web");
    let log = Service::create(&scratch.path().join("web/log")).file("timeout-kill", "500");
    let _log = FakeService::create(log, up());
    let (output, took) = sv(&scratch, "1000000", &["stop", "web/log"]);
    assert_eq!(output, Output::exit(1, "timeout: run: web/log: (pid 4242) 100s\n", ""));
    assert!(took >= Duration::from_millis(1500), "{took:?}");
    assert_eq!(sv(&scratch, "0", &["stop", "web"]).0, Output::exit(1, LATE, ""));
}

#[test]
fn adds_an_init_script_knows_the_service_s_own_time() {
    let scratch = Scratch::new();
    let _web = FakeService::create(scratch.service("web").file("timeout-kill", "500"), up());
    let link = scratch.directory("init.d").join("web");
    std::os::unix::fs::symlink(scratch.programs().join("sv"), &link).expect("a link");
    let mut command = scratch.command(link.to_str().expect("text"));
    command.arg("force-stop").env("SVWAIT", "1000000");
    assert_eq!(scratch.output(command).with_age(), Output::exit(1, KILLED, ""));
}

// ---- check scripts and their time

/// However short the wait: the script gets 0.42 s. This one needs a few milliseconds; one lucky try in five is enough on
/// a busy machine.
#[test]
fn a_quick_check_script_passes_without_any_wait() {
    let scratch = Scratch::new();
    let _web = FakeService::create(scratch.service("web").script("check", "exit 0"), up());
    let ok = Output::exit(0, "ok: run: web: (pid 4242) 100s\n", "");
    let seen: Vec<Output> = (0..5).map(|_| sv(&scratch, "7", &["-w0", "check", "web"]).0).collect();
    assert!(seen.contains(&ok), "{seen:?}");
}

#[test]
fn mends_k37_a_hanging_check_script_gets_its_least_time_and_is_killed() {
    let scratch = Scratch::new();
    let service = scratch.service("web").script("check", "echo $$ >>checks; exec sleep 1000");
    let web = FakeService::create(service, up());
    let (output, took) = sv(&scratch, "7", &["-w0", "check", "web"]);
    assert_eq!(output, Output::exit(1, LATE, ""));
    assert!(took >= Duration::from_millis(420), "{took:?}");
    for pid in web.service().wait_lines("checks", 1) {
        let pid = pid.parse().expect("a pid");
        wait_until("the end of the script", || (!support::is_alive(pid)).then_some(()));
    }
}

#[test]
fn mends_k37_hanging_check_scripts_of_two_services_both_end() {
    let scratch = Scratch::new();
    let script = "exec sleep 1000";
    let _one = FakeService::create(scratch.service("one").script("check", script), up());
    let _two = FakeService::create(scratch.service("two").script("check", script), up());
    let _off = FakeService::create(scratch.service("off"), down());
    let (output, _) = sv(&scratch, "7", &["-w1", "check", "one", "two", "off"]);
    let mut lines: Vec<&str> = output.stdout.lines().collect();
    lines.sort_unstable();
    let expected = [
        "ok: down: off: 100s, normally up",
        "timeout: run: one: (pid 4242) 100s",
        "timeout: run: two: (pid 4242) 100s",
    ];
    assert_eq!((output.ending, lines), (Ending::Exit(2), expected.to_vec()), "{}", output.stderr);
}

/// A script that becomes content in the middle of the wait ends it.
#[test]
fn check_script_is_asked_until_it_passes() {
    let scratch = Scratch::new();
    let service = scratch.service("web").script("check", "echo >>checks; [ $(wc -l <checks) -gt 3 ]");
    let web = FakeService::create(service, up());
    let (output, took) = sv(&scratch, "0", &["-w", "30", "start", "web"]);
    assert_eq!(output, Output::exit(0, "ok: run: web: (pid 4242) 100s\n", ""));
    assert_eq!(web.service().lines("checks").len(), 4);
    assert!(took >= Duration::from_secs(1), "asked more often than each 0.42 s: {took:?}");
}

#[test]
fn check_script_that_is_a_loop_of_links_is_told() {
    let scratch = Scratch::new();
    let _web = running(&scratch, "web");
    std::os::unix::fs::symlink("check", scratch.path().join("web/check")).expect("a loop");
    let (output, _) = sv(&scratch, "7", &["-w0", "check", "web"]);
    assert_eq!((output.ending, output.stdout.as_str()), (Ending::Exit(1), LATE));
    assert!(output.stderr.starts_with("warning: unable to stat web/check: symbolic link loop\n"), "{output:?}");
}
