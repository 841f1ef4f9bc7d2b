//! `max-death-tally` and `backoff` in a service directory: a service that fails again and again comes back more and more
//! slowly, where it asks for it. Times are held against lower bounds, and upper ones that only a standstill would miss.

use nix::sys::signal::Signal;
use support::{
    LISTEN, NOTE_START, Scratch, Service, Shown, State, Supervisor, seconds_between, send_signal, wait_until,
};

/// A start is noted in hundredths of a second.
const TICK: f64 = 0.02;

/// What a machine under load may be late by.
const LATE: f64 = 20.0;

/// A run script that notes its start and fails.
fn failing() -> String {
    format!("{NOTE_START}exit 1")
}

fn start(scratch: &Scratch, service: &Service) -> Supervisor {
    scratch.supervise(service)
}

/// The starts come at least this far apart.
#[track_caller]
fn assert_gaps(service: &Service, bounds: &[f64]) {
    let gaps = seconds_between(&service.wait_lines("starts", bounds.len() + 1));
    for (gap, bound) in gaps.iter().zip(bounds) {
        assert!(*gap >= bound - TICK && *gap < bound + LATE, "{gaps:?} should be {bounds:?}");
    }
}

#[test]
fn adds_backoff_doubles_from_the_first_failure() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(&failing()).file("backoff", "");
    let runsv = start(&scratch, &service);
    for (tally, backoff) in [(1, 1), (2, 2), (3, 4)] {
        let extension = service.wait_extension(&format!("tally {tally}"), |status, extension| {
            extension.tally == tally && status.state == State::Down
        });
        assert_eq!((extension.backoff, extension.starts), (backoff, tally.into()), "{extension:?}");
        let line = format!("  tally={tally}\n  backoff={backoff}\n");
        let verbose = scratch.sv(&["-v", "status", "web"]).stdout;
        assert!(verbose.contains(&line), "{verbose}");
    }
    assert_gaps(&service, &[1.0, 2.0, 4.0]);
    assert_eq!(runsv.stderr(), "");
}

#[test]
fn adds_max_death_tally_counts_failures_before_it_backs_off() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(&failing()).file("max-death-tally", "2\n");
    let _runsv = start(&scratch, &service);
    for (tally, backoff) in [(1, 0), (2, 0), (3, 1), (4, 2)] {
        let extension = service.wait_extension(&format!("tally {tally}"), |status, extension| {
            extension.tally == tally && status.state == State::Down
        });
        assert_eq!(extension.backoff, backoff, "{extension:?}");
    }
    // The first two are the ordinary second, counted from the start.
    let gaps = seconds_between(&service.wait_lines("starts", 5));
    assert!(gaps[2] >= 1.0 - TICK && gaps[3] >= 2.0 - TICK && gaps[3] < 2.0 + LATE, "{gaps:?}");
}

#[test]
fn adds_the_number_counts_where_both_files_are() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(&failing()).file("max-death-tally", "65535").file("backoff", "0");
    let _runsv = start(&scratch, &service);
    let extension = service.wait_extension("a third failure", |_, extension| extension.tally == 3);
    assert_eq!(extension.backoff, 0, "{extension:?}");
    let other = scratch.service("other").run(&failing()).file("max-death-tally", "0").file("backoff", "");
    let _other = start(&scratch, &other);
    let extension = other.wait_extension("a second failure", |_, extension| extension.tally == 2);
    assert_eq!(extension.backoff, 2, "{extension:?}");
}

/// Neither file: a start each second, for ever.
#[test]
fn adds_without_the_files_there_is_no_back_off() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(&failing());
    let _runsv = start(&scratch, &service);
    for starts in 2..6 {
        let extension = service.wait_extension("another start", |_, extension| extension.starts >= starts);
        assert_eq!(extension.backoff, 0, "{extension:?}");
    }
    let gaps = seconds_between(&service.wait_lines("starts", 5));
    support::assert_a_second_apart(&gaps);
}

/// The wait counts from the end, which is the end of finish if there is one.
#[test]
fn adds_back_off_counts_from_the_end() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(&format!("{NOTE_START}sleep 1.5; exit 1")).file("backoff", "");
    let _runsv = start(&scratch, &service);
    assert_gaps(&service, &[2.5, 3.5]);
}

// ---- what sets it back

#[test]
fn adds_up_starts_at_once_and_sets_it_back() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(&failing()).file("backoff", "");
    let _runsv = start(&scratch, &service);
    service.wait_extension("the third failure", |status, extension| {
        extension.tally == 3 && extension.backoff == 4 && status.state == State::Down
    });
    service.send("u");
    let extension = service.wait_extension("the first failure after it", |status, extension| {
        extension.starts == 4 && extension.tally == 1 && status.state == State::Down
    });
    assert_eq!(extension.backoff, 1, "{extension:?}");
    assert_gaps(&service, &[1.0, 2.0, 1.0]);
    let gaps = seconds_between(&service.lines("starts"));
    support::figure(&format!("start after u in a back-off of 4 s: {:.2} s after the one before", gaps[2]));
}

#[test]
fn adds_down_ends_the_back_off_and_sets_it_back() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(&failing()).file("backoff", "");
    let _runsv = start(&scratch, &service);
    service.wait_extension("the second failure", |status, extension| {
        extension.tally == 2 && extension.backoff == 2 && status.state == State::Down
    });
    service.send("d");
    let expected = [("state", "down"), ("wanted", "down"), ("tally", "0"), ("backoff", "0")];
    Shown::wait(&scratch, "web", &expected);
    let starts = service.lines("starts").len();
    // It stays down for longer than it would have been put off.
    let begin = std::time::Instant::now();
    wait_until("three seconds", || (begin.elapsed().as_secs() >= 3).then_some(()));
    assert_eq!((service.lines("starts").len(), service.stat().as_str()), (starts, "down\n"));
    service.send("u");
    let extension = service
        .wait_extension("a failure after it", |status, extension| extension.tally == 1 && status.state == State::Down);
    assert_eq!(extension.backoff, 1, "{extension:?}");
}

#[test]
fn adds_once_starts_at_once_and_sets_it_back() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(&failing()).file("backoff", "");
    let _runsv = start(&scratch, &service);
    service.wait_extension("the third failure", |status, extension| {
        extension.tally == 3 && extension.backoff == 4 && status.state == State::Down
    });
    service.send("o");
    service.wait_lines("starts", 4);
    service.wait_extension("the end of it", |status, extension| {
        extension.starts == 4 && status.state == State::Down && status.pid == 0
    });
    assert!(service.extension().expect("an extension").backoff <= 1);
}

/// There is no process to send anything to, but the count begins anew.
#[test]
fn adds_term_between_two_starts_sets_it_back() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(&failing()).file("backoff", "");
    let _runsv = start(&scratch, &service);
    service.wait_extension("the second failure", |status, extension| {
        extension.tally == 2 && extension.backoff == 2 && status.state == State::Down
    });
    service.send("t");
    let extension = service
        .wait_extension("the next failure", |status, extension| extension.starts == 3 && status.state == State::Down);
    assert_eq!((extension.tally, extension.backoff), (1, 1), "{extension:?}");
}

#[test]
fn adds_exit_during_the_back_off_is_at_once() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(&failing()).file("backoff", "");
    let mut runsv = start(&scratch, &service);
    service.wait_extension("the third failure", |_, extension| extension.backoff == 4);
    assert_eq!(scratch.sv(&["-w30", "shutdown", "web"]).stdout, "ok: web: runsv not running\n");
    assert_eq!(runsv.wait(), support::Ending::Exit(0));
    assert_eq!(service.lines("starts").len(), 3);
}

/// To be told to stop is no failure, however often.
#[test]
fn adds_restarts_that_were_asked_for_do_not_count() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).file("backoff", "");
    let _runsv = start(&scratch, &service);
    for starts in 1..4 {
        service.wait_lines("starts", starts);
        assert_eq!(scratch.sv(&["-w30", "restart", "web"]).ending, support::Ending::Exit(0));
        Shown::of(&scratch, "web").assert(&[("tally", "0"), ("backoff", "0")]);
    }
    assert_eq!(scratch.sv(&["-w30", "stop", "web"]).ending, support::Ending::Exit(0));
    Shown::of(&scratch, "web").assert(&[("tally", "0"), ("backoff", "0"), ("starts", "4")]);
}

#[test]
fn adds_a_kill_from_outside_counts() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).file("max-death-tally", "5");
    let _runsv = start(&scratch, &service);
    let mut old = 0;
    for tally in 1..3 {
        old = service.wait_running_other_than(old);
        send_signal(old, Signal::SIGKILL);
        service.wait_extension("a failure", |_, extension| extension.tally == tally);
    }
}

/// Ten seconds of life make up for all before.
#[test]
fn adds_a_long_life_sets_it_back() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(
        "echo >>starts
        case $(wc -l <starts) in
        3) sleep 10.5 ;;
        esac
        exit 1",
    );
    let service = service.file("max-death-tally", "1");
    let _runsv = start(&scratch, &service);
    let extension = service.wait_extension("the second failure", |_, extension| extension.tally == 2);
    assert_eq!(extension.backoff, 1, "{extension:?}");
    let extension = service.wait_extension("the failure after the long life", |status, extension| {
        extension.starts == 4 && status.state == State::Down
    });
    assert_eq!((extension.tally, extension.backoff), (1, 0), "{extension:?}");
}

// ---- other ways to fail

/// F19: what cannot be executed will not be executable the next second either.
#[test]
fn adds_a_run_that_cannot_be_executed_backs_off() {
    let scratch = Scratch::new();
    let service = scratch.service("web").executable("run", "#!/no/such/interpreter\n").file("backoff", "");
    let runsv = start(&scratch, &service);
    let extension = service.wait_extension("the third failure", |_, extension| extension.tally == 3);
    assert_eq!(
        (extension.backoff, extension.failure, extension.errno, extension.starts),
        (4, 1, 2, 3),
        "{extension:?}"
    );
    let line = "runsv web: fatal: unable to start ./run: file does not exist\n";
    assert_eq!(runsv.stderr(), line.repeat(3));
}

#[test]
fn adds_a_failing_service_with_finish_backs_off() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(&failing()).finish("echo \"$@\" >>finishes").file("backoff", "");
    let _runsv = start(&scratch, &service);
    assert_gaps(&service, &[1.0, 2.0]);
    let extension = service.wait_extension("the third failure", |_, extension| extension.tally == 3);
    assert_eq!(extension.backoff, 4, "{extension:?}");
    assert_eq!(service.wait_lines("finishes", 3), ["1 0"; 3]);
}

#[test]
fn adds_the_log_has_a_back_off_of_its_own() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN).log_run(&failing()).file("log/backoff", "");
    let _runsv = start(&scratch, &service);
    let log = service.log();
    assert_gaps(&log, &[1.0, 2.0]);
    service.wait_lines("starts", 1);
    let shown = Shown::wait(&scratch, "web", &[("log-tally", "3"), ("log-backoff", "4"), ("log-state", "down")]);
    shown.assert(&[("tally", "0"), ("backoff", "0"), ("starts", "1"), ("state", "run")]);
    log.send("u");
    Shown::wait(&scratch, "web", &[("log-tally", "1"), ("log-backoff", "1")]);
}

/// Other commands are heard while it waits, and none of them starts it.
#[test]
fn adds_other_commands_leave_the_back_off_as_it_is() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(&failing()).file("backoff", "");
    let _runsv = start(&scratch, &service);
    service
        .wait_extension("the third failure", |status, extension| extension.backoff == 4 && status.state == State::Down);
    service.send("hakqpci12z");
    let extension = service.wait_extension("the last of them", |_, extension| extension.ignored == 1);
    assert_eq!((extension.tally, extension.backoff, extension.starts), (3, 4, 3), "{extension:?}");
    assert_gaps(&service, &[1.0, 2.0, 4.0]);
}
