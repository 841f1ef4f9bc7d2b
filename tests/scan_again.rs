//! `runsvdir` and what was there before it: a runsv that somebody else reads, an entry that comes back.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use support::{LISTEN_AND_STAY, Scan, command_line, is_runsv, runsv_of, send_signal, wait_gone, wait_until};

const LOG: &str = "log: ..................................................";

/// A runsv that writes to a pipe with a reader of its own: a runsvdir with a log must not read along.
#[test]
fn mends_log_leaves_a_pipe_with_a_reader_alone() {
    let scan = Scan::new();
    let run = "echo $$ >>starts; read -r _ <gate; seq 1 20000 >&2; echo >>written; exec sleep 1000";
    let service = scan.service("web").run(run).gate("gate");
    scan.link("web");
    let mut command = scan.scratch().command("sh");
    command.args(["-c", "runsv scan/web 2>&1 >/dev/null | cat >>said"]);
    let _reader = scan.scratch().start(command, Signal::SIGKILL);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    let supervisor = service.extension().expect("an extension").supervisor;
    assert!(is_runsv(supervisor, "scan/web"));
    let runsvdir = scan.scratch().runsvdir(&["scan", LOG]);
    scan.fence("fence");
    service.open_gate("gate");
    service.wait_lines("written", 1);
    let said = wait_until("all that was written", || {
        let lines = support::lines(&scan.scratch().path().join("said"));
        (lines.len() >= 20_000).then_some(lines)
    });
    let expected: Vec<String> = (1..=20_000).map(|number| number.to_string()).collect();
    assert!(said == expected, "not what was written: {} lines", said.len());
    scan.fence("last");
    let shown = command_line(runsvdir.pid()).pop().expect("an argument");
    assert!(!shown.contains("20000"), "{shown:?}");
    assert_eq!((service.wait_stat("run").pid, service.lines("starts").len()), (pid, 1));
}

/// It is removed, its runsv waits for a slow service, and it comes back meanwhile: the next one is there as soon as the
/// old one has ended.
#[test]
fn mends_entry_that_comes_back_is_back_soon() {
    let mut delays = Vec::new();
    for _round in 0..2 {
        let scan = Scan::new();
        let web = scan.service("web").run(LISTEN_AND_STAY);
        scan.link("web");
        let runsvdir = scan.start();
        let pid = web.wait_running();
        web.wait_lines("starts", 1);
        let old = runsv_of(&runsvdir, "web");
        scan.unlink("web");
        web.wait_line("signals", "TERM");
        scan.link("web");
        scan.fence("fence");
        send_signal(pid, Signal::SIGKILL);
        wait_gone(old);
        let ended = Instant::now();
        let next = web.wait_running_other_than(pid);
        delays.push(ended.elapsed());
        assert_eq!(web.wait_lines("starts", 2)[1], next.to_string());
    }
    support::figure(&format!("entry that comes back, from the end of the old runsv to run: {delays:?}"));
    assert!(delays.iter().min().expect("some") < &Duration::from_millis(2500), "{delays:?}");
}
