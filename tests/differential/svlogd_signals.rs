//! What svlogd.md 9 says: HUP, TERM, and the signals that nobody catches.

use nix::sys::signal::Signal;
use support::Logger;

use crate::cast::Roles;
use crate::contents::ruler;
use crate::play::Play;
use crate::scenario::{Scenario, scenario};

/// The scenarios of this part.
pub fn scenarios() -> Vec<Scenario> {
    let mut all = hup();
    all.extend(term());
    all.extend([Signal::SIGINT, Signal::SIGQUIT, Signal::SIGUSR1, Signal::SIGUSR2].map(other));
    all
}

fn hup() -> Vec<Scenario> {
    vec![
        scenario("HUP with nothing changed", Roles::Logger, |play| {
            let log = play.log("log");
            let mut logger = play.svlogd(&["-v", "log"]);
            logger.tell(Signal::SIGHUP);
            logger.feed("line 1\n");
            logger.tell(Signal::SIGHUP);
            logger.tell(Signal::SIGHUP);
            play.look_at_log(&log);
            logger.feed("line 2\n");
            play.end_input(logger);
            play.look_at_log(&log);
        }),
        scenario("HUP behind a current that was moved away", Roles::Logger, |play| {
            let log = play.log("log");
            let mut logger = play.svlogd(&["log"]);
            logger.feed("line 1\n");
            std::fs::rename(log.join("current"), log.join("moved")).expect("rename");
            logger.tell(Signal::SIGHUP);
            play.look_at_log(&log);
            logger.feed("line 2\n");
            play.end_input(logger);
            play.look_at_log(&log);
        }),
        scenario("HUP behind a current that was removed", Roles::Logger, |play| {
            let log = play.log("log");
            let mut logger = play.svlogd(&["log"]);
            logger.feed("line 1\n");
            std::fs::remove_file(log.join("current")).expect("a file");
            logger.tell(Signal::SIGHUP);
            logger.feed("line 2\n");
            play.end_input(logger);
            play.look_at_log(&log);
        }),
        scenario("HUP behind a current that was emptied", Roles::Logger, |play| {
            let log = play.log("log").config("s1000\n");
            let mut logger = play.svlogd(&["-l100", "log"]);
            logger.feed(format!("{}\n", ruler(700)));
            std::fs::File::create(log.join("current")).expect("a file");
            logger.tell(Signal::SIGHUP);
            logger.feed("line\n".repeat(150));
            play.end_input(logger);
            play.look_at_sizes(&log);
        }),
        scenario("HUP and a directory that came back", Roles::Logger, |play| {
            let log = play.log("log");
            let mut logger = play.svlogd(&["-v", "log", "late"]);
            logger.feed("line 1\n");
            let late = play.log("late").config("plate \n");
            logger.tell(Signal::SIGHUP);
            logger.feed("line 2\n");
            play.end_input(logger);
            play.look_at_log(&log);
            play.look_at_log(&late);
        }),
        scenario("HUP and a directory that is gone", Roles::Logger, |play| {
            let (log, gone) = (play.log("log"), play.log("gone"));
            let mut logger = play.svlogd(&["-v", "log", "gone"]);
            logger.feed("line 1\n");
            std::fs::rename(gone.path(), play.scratch().path().join("elsewhere")).expect("rename");
            logger.tell(Signal::SIGHUP);
            logger.feed("line 2\n");
            play.end_input(logger);
            play.look_at_log(&log);
            play.look_at_log(&support::LogDirectory::new(play.scratch().path().join("elsewhere")));
        }),
        scenario("HUP within a line", Roles::Logger, |play| {
            let log = play.log("log").config("pone \n");
            let mut logger = play.svlogd(&["log"]);
            logger.feed("part of ");
            let log = log.config("ptwo \n");
            logger.tell(Signal::SIGHUP);
            logger.feed("a line\nline\n");
            play.end_input(logger);
            play.look_at_log(&log);
        }),
        scenario("HUP starts the age anew", Roles::Logger, |play| {
            let log = play.log("log").config("t1h\n");
            let mut logger = play.svlogd(&["log"]);
            logger.feed("line\n");
            let log = log.config("t1\n");
            logger.tell(Signal::SIGHUP);
            log.wait_count('s', 1);
            play.end_input(logger);
            play.look_at_log(&log);
        }),
    ]
}

/// What is in the pipe when TERM comes is read by this logger or by the next one.
fn term() -> Vec<Scenario> {
    let mut all = vec![
        scenario("TERM with nothing to do", Roles::Logger, |play| {
            let log = play.log("log");
            let logger = play.svlogd(&["-v", "log"]);
            play.terminate(logger);
            play.look_at_log(&log);
        }),
        scenario("TERM behind a line", Roles::Logger, |play| {
            let log = play.log("log");
            let mut logger = play.svlogd(&["-v", "-tt", "log"]);
            logger.feed("line 1\nline 2\n");
            play.terminate(logger);
            play.look_at_log(&log);
        }),
        scenario("TERM behind a file that was rotated", Roles::Logger, |play| {
            let log = play.log("log");
            let mut logger = play.svlogd(&["log"]);
            logger.feed("line 1\n");
            logger.tell(Signal::SIGALRM);
            play.terminate(logger);
            play.look_at_log(&log);
        }),
    ];
    let within = |name: &str, then: fn(&mut Logger)| {
        scenario(&format!("TERM within a line {name}"), Roles::Loggers, move |play| {
            let log = play.log("log");
            let mut logger = play.svlogd(&["log"]);
            logger.feed("line 1\npart of ");
            logger.tell(Signal::SIGTERM);
            then(&mut logger);
            end_and_go_on(play, logger);
            play.look_at_log(&log);
        })
    };
    all.push(within("that is completed", |logger| logger.write("line 2\n")));
    all.push(within("that is completed, and another", |logger| logger.write("line 2\nline 3\n")));
    all.push(within("that never ends", Logger::close));
    all.push(scenario("TERM and lines that wait", Roles::Loggers, |play| {
        let log = play.log("log");
        let mut logger = play.svlogd(&["log"]);
        logger.feed("line 1\n");
        logger.signal(Signal::SIGSTOP);
        logger.write("line 2\nline 3\nline 4\n");
        logger.signal(Signal::SIGTERM);
        logger.signal(Signal::SIGCONT);
        end_and_go_on(play, logger);
        play.look_at_log(&log);
    }));
    all
}

/// Waits for the end of the logger, and has the next one read what is left.
fn end_and_go_on(play: &mut Play, mut logger: Logger) {
    let ending = logger.wait();
    play.saw_exactly("ending", &format!("{ending:?}"));
    play.saw_bytes("stderr", logger.stderr().as_bytes());
    let next = play.next_svlogd_on(logger.into_input(), &["log"]);
    play.end_input(next);
}

fn other(signal: Signal) -> Scenario {
    scenario(&format!("{signal} to svlogd"), Roles::Logger, move |play| {
        let log = play.log("log");
        let mut logger = play.svlogd(&["log"]);
        logger.feed("line\n");
        logger.tell(signal);
        play.end_input(logger);
        play.look_at_log(&log);
    })
}
