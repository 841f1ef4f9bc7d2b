//! What svlogd.md 2 and 3 say: how a log directory is opened and closed, and how one that is there is continued.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::Signal;
use support::{Account, CLOSED, LogDirectory, OPEN};

use crate::cast::Roles;
use crate::play::Play;
use crate::scenario::{Scenario, scenario};

/// The scenarios of this part.
pub fn scenarios() -> Vec<Scenario> {
    let mut all = opening();
    all.extend(refused());
    all.extend(continued());
    all
}

/// Old names, in their order.
const OLD: [&str; 4] = [
    "@400000005f5e100a00000000.s",
    "@400000005f5e100a000001f4.u",
    "@400000005f5e110a00000000.s",
    "@400000005f5e120a0001e240.t",
];

fn with_old_files(log: LogDirectory) -> LogDirectory {
    OLD.iter().fold(log, |log, name| log.file(name, format!("of {name}\n"), CLOSED))
}

/// Opens the log directory, writes a line, and records its files before, between and after.
fn open_and_write(play: &mut Play, log: &LogDirectory) {
    let mut logger = play.svlogd(&["-v", "log"]);
    play.look_at_log(log);
    logger.feed("new line\n");
    play.look_at_log(log);
    play.end_input(logger);
    play.look_at_log(log);
}

fn opening() -> Vec<Scenario> {
    let of = |name: &str, prepare: fn(LogDirectory) -> LogDirectory| {
        scenario(&format!("opening {name}"), Roles::Logger, move |play| {
            let log = prepare(play.log("log"));
            open_and_write(play, &log);
        })
    };
    let mut all = vec![
        of("an empty directory", |log| log),
        of("a current that was closed", |log| log.file("current", "old line\n", CLOSED)),
        of("a current that was closed within a line", |log| log.file("current", "old li", CLOSED)),
        of("a current that was not closed", |log| log.file("current", "old line\n", OPEN)),
        of("a current of another mode", |log| log.file("current", "old line\n", 0o600)),
        of("a current that anybody may do anything with", |log| log.file("current", "old line\n", 0o777)),
        of("a current that others may execute", |log| log.file("current", "old line\n", 0o655)),
        of("an empty current that was closed", |log| log.file("current", "", CLOSED)),
        of("an empty current that was not closed", |log| log.file("current", "", OPEN)),
        of("a lock of another mode", |log| log.file("lock", "text\n", 0o644)),
        of("old files", with_old_files),
        of("old files and a current that was not closed", |log| {
            with_old_files(log).config("n2\n").file("current", "old line\n", OPEN)
        }),
        of("files of other names", |log| {
            log.config("n1\n").file("@400000005f5e100a00000000", "", OPEN).file("current.old", "", OPEN).file(
                "@400000005f5e100a00000000.old",
                "",
                OPEN,
            )
        }),
    ];
    for size in [100, 270, 279, 280, 300] {
        let name = format!("opening a current of 270 bytes where {size} are wanted");
        all.push(scenario(&name, Roles::Logger, move |play| {
            let log = play.log("log").config(format!("s{size}\n")).file("current", "old line\n".repeat(30), CLOSED);
            let mut logger = play.svlogd(&["-l20", "log"]);
            play.look_at_sizes(&log);
            logger.feed("new line\n");
            play.look_at_sizes(&log);
            logger.feed("new line\n");
            play.end_input(logger);
            play.look_at_sizes(&log);
        }));
    }
    all.push(scenario("opening a link to a directory", Roles::Logger, |play| {
        let log = play.log("elsewhere");
        symlink("elsewhere", play.scratch().path().join("log")).expect("a link");
        play.log_all(&["-v", "log"], "line\n");
        play.look_at_log(&log);
    }));
    all.push(scenario("opening a path with parts", Roles::Logger, |play| {
        let log = play.log("var/log/web").config("n1\n");
        let mut logger = play.svlogd(&["-v", "./var/../var/log//web/"]);
        logger.feed("line 1\n");
        logger.tell(Signal::SIGHUP);
        logger.feed("line 2\n");
        play.terminate(logger);
        play.look_at_log(&log);
    }));
    all.push(scenario("opening with another mask", Roles::Logger, |play| {
        let log = play.log("log").config("!cat; echo >&4; echo >&5\n");
        let mut command = play.scratch().command("sh");
        let svlogd = play.scratch().programs().join("svlogd");
        command.args(["-c", "umask 077; exec \"$0\" log"]).arg(svlogd);
        let mut logger = play.scratch().logger(support::LogPipe::new(), command);
        logger.settle();
        logger.feed("line\n");
        logger.tell(Signal::SIGALRM);
        log.wait_count('s', 1);
        log.wait_count('u', 0);
        logger.settle();
        play.look_at_log(&log);
        play.end_input(logger);
        play.look_at_log(&log);
    }));
    all
}

/// Starts with one directory that is right and one that `prepare` makes, and records what becomes of both; then the
/// other alone.
fn refuse(name: &str, prepare: fn(&Path)) -> Scenario {
    scenario(&format!("refusing {name}"), Roles::Logger, move |play| {
        let log = play.log("log");
        let other = LogDirectory::new(play.scratch().path().join("other"));
        prepare(other.path());
        play.log_all(&["-v", "other", "log"], "line\n");
        play.look_at_log(&log);
        play.look_at_log(&other);
        play.log_all(&["-v", "other"], "line\n");
        play.look_at_log(&other);
    })
}

fn refused() -> Vec<Scenario> {
    let mut all = vec![
        refuse("a directory that is missing", |_| {}),
        refuse("a directory that is missing in one that is", |path| {
            symlink("missing/log", path).expect("a link");
        }),
        refuse("a directory that is a plain file", |path| std::fs::write(path, "text\n").expect("a file")),
        refuse("a directory that is a loop", |path| symlink("other", path).expect("a link")),
        refuse("a lock that is a directory", |path| {
            std::fs::create_dir_all(path.join("lock")).expect("a directory");
        }),
        refuse("a config that is a directory", |path| {
            std::fs::create_dir_all(path.join("config")).expect("a directory");
        }),
        refuse("a config that is a loop", |path| {
            std::fs::create_dir(path).expect("a directory");
            symlink("config", path.join("config")).expect("a link");
        }),
        refuse("a config that leads nowhere", |path| {
            std::fs::create_dir(path).expect("a directory");
            symlink("nowhere", path.join("config")).expect("a link");
        }),
        refuse("a current that is a loop", |path| {
            std::fs::create_dir(path).expect("a directory");
            symlink("current", path.join("current")).expect("a link");
        }),
    ];
    all.push(scenario("refusing a directory that is locked", Roles::Loggers, |play| {
        let log = play.log("log");
        let mut logger = play.svlogd(&["log"]);
        logger.feed("line 1\n");
        let second = play.next_svlogd(&["-v", "log"]);
        play.log_ended(second);
        play.look_at_log(&log);
        logger.feed("line 2\n");
        play.end_input(logger);
        play.look_at_log(&log);
        play.log_all_next(&["-v", "log"], "line 3\n");
        play.look_at_log(&log);
    }));
    all.push(scenario("refusing the same directory twice", Roles::Logger, |play| {
        let log = play.log("log");
        play.log_all(&["-v", "log", "log"], "line\n");
        play.look_at_log(&log);
    }));
    all.push(scenario("refusing a directory that is locked on HUP", Roles::Logger, |play| {
        let (log, other) = (play.log("log"), play.log("other").file("lock", "", 0o600));
        let lock = std::fs::File::open(other.join("lock")).expect("a file");
        let lock = Flock::lock(lock, FlockArg::LockExclusive).map_err(|(_, error)| error).expect("a lock");
        let mut logger = play.svlogd(&["-v", "log", "other"]);
        logger.feed("line 1\n");
        drop(lock);
        logger.tell(Signal::SIGHUP);
        logger.feed("line 2\n");
        play.end_input(logger);
        play.look_at_log(&log);
        play.look_at_log(&other);
    }));
    all.push(scenario("refusing what another user must not do", Roles::Logger, |play| {
        if !support::needs(&["root", "setpriv"]) {
            return;
        }
        let account = Account::new();
        let names = ["unreadable", "unwritable", "lock", "config", "right"];
        let logs = names.map(|name| play.log(name).config("ptext \n"));
        for log in &logs {
            account.own(log.path());
        }
        let refuse = |path: &Path, mode| {
            std::os::unix::fs::chown(path, Some(0), Some(0)).expect("an owner");
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a mode");
        };
        refuse(logs[0].path(), 0o700);
        refuse(logs[1].path(), 0o755);
        std::fs::write(logs[2].join("lock"), "").expect("a file");
        refuse(&logs[2].join("lock"), 0o644);
        refuse(&logs[3].join("config"), 0o600);
        play.use_copied_programs();
        let mut command = account.command(play.scratch(), "svlogd");
        command.args(names);
        let mut logger = play.scratch().logger(support::LogPipe::new(), command);
        logger.write("line\n");
        play.end_input(logger);
        for log in &logs {
            play.look_at_log(log);
        }
    }));
    all
}

fn continued() -> Vec<Scenario> {
    let mut all = vec![
        scenario("one svlogd after the other", Roles::Loggers, |play| {
            let log = play.log("log").config("n3\n");
            let mut logger = play.svlogd(&["-tt", "log"]);
            play.rotate_each(&mut logger, 1..=4);
            logger.feed("line 5\n");
            play.end_input(logger);
            play.look_at_log(&log);
            let mut logger = play.next_svlogd(&["-tt", "log"]);
            logger.feed("line 6\n");
            play.rotate_each(&mut logger, 7..=8);
            play.look_at_log(&log);
            logger.feed("line 9\n");
            play.terminate(logger);
            play.look_at_log(&log);
            let mut logger = play.svlogd(&["-t", "log"]);
            play.rotate_each(&mut logger, 10..=12);
            play.end_input(logger);
            play.look_at_log(&log);
        }),
        scenario("one svlogd after another that was killed", Roles::Loggers, |play| {
            let log = play.log("log").config("n3\n");
            let mut logger = play.svlogd(&["-t", "log"]);
            play.rotate_each(&mut logger, 1..=2);
            logger.feed("line 3\n");
            logger.signal(Signal::SIGKILL);
            play.log_ended(logger);
            play.look_at_log(&log);
            let mut logger = play.next_svlogd(&["-t", "log"]);
            play.look_at_log(&log);
            play.rotate_each(&mut logger, 4..=6);
            play.end_input(logger);
            play.look_at_log(&log);
        }),
        scenario("one svlogd after the other by size", Roles::Loggers, |play| {
            let log = play.log("log").config("s3000\nn4\n");
            let lines =
                |from: usize, to: usize| -> String { (from..to).map(|number| format!("line {number:03}\n")).collect() };
            play.log_all(&["log"], lines(0, 450));
            play.look_at_log(&log);
            play.log_all_next(&["log"], lines(450, 900));
            play.look_at_log(&log);
        }),
        scenario("one svlogd after the other on one pipe", Roles::Loggers, |play| {
            let log = play.log("log");
            let mut logger = play.svlogd(&["log"]);
            logger.feed("line 1\n");
            logger.signal(Signal::SIGTERM);
            logger.wait();
            logger.write("line 2\nline 3\n");
            let mut logger = play.next_svlogd_on(logger.into_input(), &["log"]);
            logger.feed("line 4\n");
            play.terminate(logger);
            play.look_at_log(&log);
        }),
        scenario("one svlogd after the other with a processor", Roles::Loggers, |play| {
            let log = play.log("log").config("!cat <&4; tee /dev/fd/5\n");
            let rotate = |logger: &mut support::Logger, number: usize| {
                logger.feed(format!("line {number}\n"));
                logger.tell(Signal::SIGALRM);
                log.wait_count('s', number);
                log.wait_count('u', 0);
                logger.settle();
            };
            let mut logger = play.svlogd(&["log"]);
            rotate(&mut logger, 1);
            rotate(&mut logger, 2);
            play.end_input(logger);
            play.look_at_log(&log);
            let mut logger = play.next_svlogd(&["log"]);
            rotate(&mut logger, 3);
            rotate(&mut logger, 4);
            play.end_input(logger);
            play.look_at_log(&log);
        }),
    ];
    all.push(scenario("one svlogd after another that was killed with a processor", Roles::Loggers, |play| {
        let log = play.log("log").config("!sed s/line/Line/\n");
        let mut logger = play.svlogd(&["log"]);
        logger.feed("line 1\n");
        logger.signal(Signal::SIGKILL);
        play.log_ended(logger);
        let mut logger = play.next_svlogd(&["log"]);
        logger.settle_processors();
        logger.feed("line 2\n");
        logger.tell(Signal::SIGALRM);
        logger.settle_processors();
        logger.feed("line 3\n");
        play.end_input(logger);
        play.look_at_log(&log);
    }));
    all
}
