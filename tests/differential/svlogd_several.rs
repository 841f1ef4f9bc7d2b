//! What svlogd.md 2, 7 and 10 say of several log directories at once, and of a disk that is full.

use nix::sys::signal::Signal;
use support::{LogDirectory, LogPipe};

use crate::cast::Roles;
use crate::contents::ruler;
use crate::scenario::{Scenario, scenario};

/// The scenarios of this part.
pub fn scenarios() -> Vec<Scenario> {
    let mut all = several();
    all.push(full_disk("and files to spare", "s4000\nn20\nN2\n"));
    all.push(full_disk("and one file to spare", "s4000\nn20\nN6\n"));
    all
}

fn several() -> Vec<Scenario> {
    vec![
        scenario("several directories", Roles::Loggers, |play| {
            let configs = [
                ("all", ""),
                ("small", "s300\nn3\n"),
                ("errors", "-*\n+*error*\np! \n"),
                ("others", "-*error*\ns500\n"),
                ("none", "-*\n"),
                ("processed", "s400\n!sed s/line/Line/\nn0\n"),
                ("loud", "e*error 1*\n"),
            ];
            let logs: Vec<LogDirectory> = configs.iter().map(|(name, config)| play.log(name).config(config)).collect();
            let names = configs.map(|(name, _)| name);
            let words = [&["-tt", "-l50"], &names[..]].concat();
            let line = |number: usize| match number % 7 {
                0 => format!("error {number}\n"),
                1 => "\n".to_owned(),
                _ => format!("line {number}\n"),
            };
            let processed = &logs[5];
            let play_round = |mut logger: support::Logger, numbers: std::ops::Range<usize>| {
                for number in numbers {
                    logger.feed(line(number));
                    // A rotation waits for the processor of the one before, or it does not.
                    processed.wait_count('u', 0);
                    logger.settle();
                }
                logger
            };
            let logger = play_round(play.svlogd(&words), 0..40);
            play.end_input(logger);
            let logger = play_round(play.next_svlogd(&words), 40..80);
            play.end_input(logger);
            for log in &logs {
                play.look_at_log(log);
            }
        }),
        scenario("one directory of several is rotated", Roles::Logger, |play| {
            let logs = [play.log("one").config("t1\n"), play.log("two"), play.log("three").config("s300\n")];
            let mut logger = play.svlogd(&["-l100", "one", "two", "three"]);
            logger.feed("line 1\n");
            logs[0].wait_count('s', 1);
            logger.feed(format!("{}\n", ruler(280)));
            logs[0].wait_count('s', 2);
            play.end_input(logger);
            for log in &logs {
                play.look_at_log(log);
            }
        }),
        scenario("several directories and HUP", Roles::Logger, |play| {
            let logs = [play.log("one"), play.log("two").config("p2 \n"), play.log("three").config("-*\n")];
            let mut logger = play.svlogd(&["-v", "one", "two", "three"]);
            logger.feed("line 1\n");
            logs[0].clone().config("p1 \n");
            logs[1].clone().config("-*\n");
            logs[2].clone().config("p3 \ne*\n");
            logger.tell(Signal::SIGHUP);
            logger.feed("line 2\n");
            play.terminate(logger);
            for log in &logs {
                play.look_at_log(log);
            }
        }),
    ]
}

/// A file system of ten pages that only the logger sees; the test looks into it through its process.
fn full_disk(name: &str, config: &'static str) -> Scenario {
    scenario(&format!("a full disk {name}"), Roles::Logger, move |play| {
        if !support::needs(&["namespaces"]) {
            return;
        }
        let log = play.log("log");
        let script = "mount -t tmpfs -o size=40960 tmpfs log && printf %s \"$1\" >log/config && exec \"$0\" -l100 log";
        let mut command = play.scratch().command("unshare");
        command.args(["--mount", "sh", "-c", script]).arg(play.scratch().programs().join("svlogd")).arg(config);
        let mut logger = play.scratch().logger(LogPipe::new(), command);
        let inside = format!("/proc/{}/root{}", logger.pid(), log.path().display());
        let inside = LogDirectory::new(inside);
        inside.wait_file("current");
        for number in 0..700 {
            logger.feed(format!("{number:06} {}\n", &ruler(100)[..92]));
        }
        play.look_at_sizes(&inside);
        let lines = inside.all_lines();
        play.saw_exactly("lines", &format!("{} to {}", &lines[0][..6], &lines[lines.len() - 1][..6]));
        play.end_input(logger);
    })
}
