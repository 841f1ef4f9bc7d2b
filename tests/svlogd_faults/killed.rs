//! Loggers that are killed while a service writes (F3, F4): the pipe stays open and what is in it stays there.

use nix::sys::signal::Signal;
use support::{LogDirectory, NOTE_START, Scratch, Service, is_alive, send_signal, wait_until};

/// A service that writes numbers, some at a time, until there is a file `stop`, then a last line.
const WRITE: &str = "
i=1
until [ -e stop ]; do
    seq $i $((i + 7))
    i=$((i + 8))
    sleep 0.01
done
echo last
exec sleep 1000
";

/// A service that is logged into `web/log/main`.
fn logged(scratch: &Scratch, run: &str) -> (Service, LogDirectory) {
    let service = scratch.service("web").run(run).log_run("exec svlogd main");
    (service, scratch.log("web/log/main"))
}

/// Kills the logger and waits for the next one.
#[track_caller]
fn kill_logger(service: &Service, logger: u32) -> u32 {
    send_signal(logger, Signal::SIGKILL);
    service.log().wait_running_other_than(logger)
}

/// Three kills, and each time the next logger goes on with the line that was next in the pipe: what is missing was in
/// the hands of the one that was killed.
#[test]
fn f3_killed_again_and_again_loses_only_what_was_in_flight() {
    let scratch = Scratch::new();
    let (service, log) = logged(&scratch, WRITE);
    let _runsv = scratch.supervise(&service);
    let mut logger = service.log().wait_running();
    const KILLS: usize = 3;
    for kill in 0..KILLS {
        wait_until("lines of this logger", || (log.current().len() > 300 && log.count('u') == kill).then_some(()));
        logger = kill_logger(&service, logger);
    }
    std::fs::write(service.path().join("stop"), "").expect("stop");
    log.wait_text("\nlast\n");
    let mut lines = log.all_lines();
    assert_eq!(lines.pop().as_deref(), Some("last"));
    let numbers: Vec<usize> = lines.iter().map(|line| line.parse().expect(line)).collect();
    assert_eq!(numbers[0], 1);
    let missing: Vec<usize> = numbers.windows(2).map(|pair| pair[1].checked_sub(pair[0] + 1).expect("order")).collect();
    // No reader has more in its hands than a pipe holds.
    let gaps: Vec<usize> = missing.into_iter().filter(|gap| *gap > 0).collect();
    assert!(gaps.len() <= KILLS && gaps.iter().all(|gap| *gap <= 65_536 / 2), "missing: {gaps:?}");
    assert_eq!(log.count('u'), KILLS, "files that were not closed properly");
    assert!(log.archives().iter().all(|file| file.bytes.ends_with(b"\n")), "a torn line");
    support::figure(&format!("lines lost by {KILLS} kills of the logger: {}", gaps.iter().sum::<usize>()));
}

/// Both at once, with lines in the pipe that nobody has read.
#[test]
fn f4_killed_together_with_the_service() {
    let scratch = Scratch::new();
    let run = format!("{NOTE_START}\nread -r first <starts; seq 1 500 | sed 's/^/line of a start: /'; exec sleep 1000");
    let (service, log) = logged(&scratch, &run);
    let service = service.down();
    let _runsv = scratch.supervise(&service);
    let logger = service.log().wait_running();
    log.wait_file("current");
    send_signal(logger, Signal::SIGSTOP);
    service.send("u");
    let pid = service.wait_running();
    wait_until("all lines in the pipe", || (support::command_line(pid).first()? == "sleep").then_some(()));
    send_signal(pid, Signal::SIGKILL);
    send_signal(logger, Signal::SIGKILL);
    service.wait_running_other_than(pid);
    service.log().wait_running_other_than(logger);
    wait_until("the end of the first", || (!is_alive(logger)).then_some(()));
    let once: Vec<String> = (1..=500).map(|number| format!("line of a start: {number}")).collect();
    let twice = [once.clone(), once].concat();
    wait_until("the lines of both lives", || (log.all_lines().len() >= twice.len()).then_some(()));
    assert_eq!(log.all_lines(), twice);
}
