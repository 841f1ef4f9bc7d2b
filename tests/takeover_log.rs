//! A runsv with a log service that was killed, and the next one (F1, F4): the pipe between the two is found again as long
//! as one of them holds it.

use nix::sys::signal::Signal;
use support::{
    Ending, Output, Scratch, Service, Supervisor, is_alive, process_state, send_signal, wait_gone, wait_until,
};

/// A logger that writes line by line, so that at most one line is in its hands.
const LINE_LOGGER: &str = "while read -r line; do echo \"$line\" >>../lines; done; echo end of file >>../lines";

/// Three hundred lines in three parts; before the second and the third it waits at the gate.
const THREE_PARTS: &str = "\
echo $$ >>starts
seq 1 100; echo 1 >>written; until read -r _ <gate; do :; done
seq 101 200; echo 2 >>written; until read -r _ <gate; do :; done
seq 201 300; echo 3 >>written; exec sleep 1000";

fn numbers(count: usize) -> Vec<String> {
    (1..=count).map(|number| number.to_string()).collect()
}

fn service(scratch: &Scratch) -> Service {
    scratch.service("web").run(THREE_PARTS).gate("gate").log_run(LINE_LOGGER)
}

/// Kills a runsv, and starts the next when `meanwhile` is done.
#[track_caller]
fn replace(scratch: &Scratch, service: &Service, mut old: Supervisor, meanwhile: impl FnOnce()) -> Supervisor {
    old.signal(Signal::SIGKILL);
    assert_eq!(old.wait(), Ending::Signal(Signal::SIGKILL as i32));
    meanwhile();
    let runsv = scratch.runsv("web");
    for member in [service, &service.log()] {
        member.wait_extension("the new supervisor", |_, extension| extension.supervisor == runsv.pid());
    }
    wait_until("a supervisor", || service.is_supervised().then_some(()));
    runsv
}

fn stop(pid: u32) {
    send_signal(pid, Signal::SIGSTOP);
    wait_until("a stopped process", || (process_state(pid) == Some('T')).then_some(()));
}

#[test]
fn mends_f1_both_are_taken_over_and_the_pipe_goes_on() {
    let scratch = Scratch::new();
    let service = service(&scratch);
    let first = scratch.supervise(&service);
    let (pid, logger) = (service.wait_running(), service.log().wait_running());
    service.wait_lines("lines", 100);
    let second = replace(&scratch, &service, first, || ());
    assert_eq!((service.status().pid, service.log().status().pid), (pid, logger));
    for member in [&service, &service.log()] {
        let extension = member.extension().expect("an extension");
        assert!(extension.is_taken_over && extension.pipe != 0, "{extension:?}");
    }
    let mut said: Vec<String> = second.stderr().lines().map(str::to_owned).collect();
    said.sort();
    let expected = [
        format!("runsv web: info: taking over ./run: pid {pid}"),
        format!("runsv web: info: taking over log/./run: pid {logger}"),
    ];
    assert_eq!(said, expected);
    service.open_gate("gate");
    assert_eq!(service.wait_lines("lines", 200), numbers(200));

    // A new logger reads what the old one was going to.
    stop(logger);
    service.open_gate("gate");
    service.wait_lines("written", 3);
    send_signal(logger, Signal::SIGKILL);
    let new_logger = service.log().wait_running_other_than(logger);
    assert_eq!(service.wait_lines("lines", 300), numbers(300));
    assert_eq!(service.wait_stat("run").pid, pid, "the service was restarted");

    // And a new service writes to it.
    send_signal(pid, Signal::SIGKILL);
    service.wait_running_other_than(pid);
    assert_eq!(service.wait_lines("lines", 400)[300..], numbers(100));
    assert_eq!(service.log().wait_stat("run").pid, new_logger);
    assert_eq!(service.lines("starts").len(), 2);
}

/// Several times, so that what is found again is found again.
#[test]
fn mends_f1_pipe_is_found_again_and_again() {
    let scratch = Scratch::new();
    let service = service(&scratch);
    let mut runsv = scratch.supervise(&service);
    let (pid, logger) = (service.wait_running(), service.log().wait_running());
    service.wait_lines("lines", 100);
    for lines in [200, 300] {
        for _round in 0..3 {
            runsv = replace(&scratch, &service, runsv, || ());
        }
        service.open_gate("gate");
        assert_eq!(service.wait_lines("lines", lines), numbers(lines));
    }
    assert_eq!((service.status().pid, service.log().status().pid), (pid, logger));
    assert_eq!(service.lines("starts").len(), 1);
}

/// The service holds the pipe, with what the logger did not come to read.
#[test]
fn mends_f1_logger_dead_and_service_alive() {
    let scratch = Scratch::new();
    let service = service(&scratch);
    let first = scratch.supervise(&service);
    let (pid, logger) = (service.wait_running(), service.log().wait_running());
    service.wait_lines("lines", 100);
    stop(logger);
    service.open_gate("gate");
    service.wait_lines("written", 2);
    let second = replace(&scratch, &service, first, || {
        send_signal(logger, Signal::SIGKILL);
        wait_gone(logger);
    });
    service.log().wait_running_other_than(logger);
    assert_eq!(service.wait_lines("lines", 200), numbers(200));
    service.open_gate("gate");
    assert_eq!(service.wait_lines("lines", 300), numbers(300));
    assert_eq!((service.wait_stat("run").pid, service.lines("starts").len()), (pid, 1));
    assert_eq!(second.stderr(), format!("runsv web: info: taking over ./run: pid {pid}\n"));
}

/// The logger holds the pipe: the next service writes to it, and the logger sees no end.
#[test]
fn mends_f1_service_dead_and_logger_alive() {
    let scratch = Scratch::new();
    let service = service(&scratch);
    let first = scratch.supervise(&service);
    let (pid, logger) = (service.wait_running(), service.log().wait_running());
    service.wait_lines("lines", 100);
    // As long as it is stopped, it cannot see that nobody else has the pipe.
    stop(logger);
    service.open_gate("gate");
    service.wait_lines("written", 2);
    let second = replace(&scratch, &service, first, || {
        send_signal(pid, Signal::SIGKILL);
        wait_gone(pid);
    });
    service.wait_running_other_than(pid);
    service.wait_lines("starts", 2);
    send_signal(logger, Signal::SIGCONT);
    let expected: Vec<String> = numbers(200).into_iter().chain(numbers(100)).collect();
    assert_eq!(service.wait_lines("lines", 300), expected);
    assert_eq!(service.log().wait_stat("run").pid, logger);
    assert_eq!(second.stderr(), format!("runsv web: info: taking over log/./run: pid {logger}\n"));
}

#[test]
fn mends_f4_both_dead_is_a_fresh_start() {
    let scratch = Scratch::new();
    let service = service(&scratch);
    let first = scratch.supervise(&service);
    let (pid, logger) = (service.wait_running(), service.log().wait_running());
    service.wait_lines("lines", 100);
    // Stopped, it does not see that the service is gone.
    stop(logger);
    let second = replace(&scratch, &service, first, || {
        for process in [pid, logger] {
            send_signal(process, Signal::SIGKILL);
            wait_gone(process);
        }
    });
    service.wait_running_other_than(pid);
    service.log().wait_running_other_than(logger);
    assert_eq!(service.wait_lines("lines", 200)[100..], numbers(100));
    assert_eq!(second.stderr(), "");
}

/// A logger that was down when runsv was killed: the pipe is the service's, and stays.
#[test]
fn mends_f1_logger_that_is_down_stays_down() {
    let scratch = Scratch::new();
    let service = service(&scratch).file("log/down", "");
    let first = scratch.supervise(&service);
    let pid = service.wait_running();
    service.wait_lines("written", 1);
    let _second = replace(&scratch, &service, first, || ());
    assert_eq!((service.status().pid, service.log().stat()), (pid, "down\n".to_owned()));
    service.open_gate("gate");
    service.wait_lines("written", 2);
    service.log().send("u");
    assert_eq!(service.wait_lines("lines", 200), numbers(200));
}

/// Told to exit, the logger taken over reads to the end of its input.
#[test]
fn mends_f1_exit_lets_the_logger_read_to_the_end() {
    let scratch = Scratch::new();
    let service = service(&scratch);
    let first = scratch.supervise(&service);
    let (pid, logger) = (service.wait_running(), service.log().wait_running());
    service.wait_lines("lines", 100);
    let mut second = replace(&scratch, &service, first, || ());
    stop(logger);
    service.open_gate("gate");
    service.wait_lines("written", 2);
    service.send("x");
    service.log().wait_stat("run, want exit");
    assert!(!is_alive(pid));
    assert_eq!(second.try_wait(), None);
    send_signal(logger, Signal::SIGCONT);
    assert_eq!(second.wait(), Ending::Exit(0));
    let mut expected = numbers(200);
    expected.push("end of file".to_owned());
    assert_eq!(service.lines("lines"), expected);
    assert_eq!((service.stat().as_str(), service.log().stat().as_str()), ("down\n", "down\n"));
    assert!(!is_alive(logger));
}

/// A logger of another runsv, taken over from it, is told what its own would be told.
#[test]
fn mends_f1_logger_taken_over_obeys() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run("exec sleep 1000").log_run(support::LISTEN);
    let log = service.log();
    let first = scratch.supervise(&service);
    let logger = log.wait_running();
    service.wait_running();
    log.wait_lines("starts", 1);
    let _second = replace(&scratch, &service, first, || ());
    log.send("h");
    log.wait_line("signals", "HUP");
    log.send("t");
    log.wait_running_other_than(logger);
    assert!(!is_alive(logger));
    log.send("d");
    log.wait_stat("down");
    let status = scratch.sv(&["status", "web"]).without_numbers();
    assert_eq!(status, Output::exit(0, "run: web: (pid P) Ns; down: log: Ns, normally up\n", ""));
}
