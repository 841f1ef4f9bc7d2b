//! What svlogd.md 1 says: the command line of svlogd, and what each option does to a line.

use crate::cast::Roles;
use crate::contents::ruler;
use crate::scenario::{Scenario, scenario};

/// The scenarios of this part.
pub fn scenarios() -> Vec<Scenario> {
    let mut all = command_line();
    all.extend(stamps());
    all.extend(replacement());
    all.extend(lengths());
    all
}

/// Every byte in a line of its own, and all that are no end of a line in one.
fn all_bytes() -> Vec<u8> {
    let one_each = (0..=255u8).filter(|byte| *byte != b'\n').flat_map(|byte| [b'<', byte, b'>', b'\n']);
    one_each.chain((0..=255u8).filter(|byte| *byte != b'\n')).chain([b'\n']).collect()
}

fn command_line() -> Vec<Scenario> {
    vec![
        scenario("usage of svlogd", Roles::Logger, |play| {
            play.log("log");
            for words in [
                &[][..],
                &["-t"],
                &["--"],
                &["-x", "log"],
                &["-tx", "log"],
                &["--help"],
                &["-r"],
                &["-R"],
                &["-l"],
                &["-b"],
                &["-tvr"],
                &["-r", "", "log"],
                &["-r", "ab", "log"],
                &["-rab", "log"],
                &["-r", "\u{e4}", "log"],
                &["-b", "1000", "log"],
                &["-b", "999", "log"],
                &["-b1", "log"],
                &["-l", "10", "-b", "10", "log"],
                &["-b", "10", "-l", "10", "log"],
                &["-l", "1024", "log"],
                &["-b0", "-l2000", "log"],
                &["-b", "abc", "-l", "1024", "log"],
            ] {
                play.run("svlogd", words);
            }
            play.look_at_log(&play.log("log"));
        }),
        scenario("version of svlogd", Roles::Logger, |play| {
            play.log("log");
            for words in [&["-V"][..], &["-tV", "log"], &["-V", "-x"], &["-x", "-V"]] {
                play.run("svlogd", words);
            }
            play.look_at_log(&play.log("log"));
        }),
        scenario("lengths and buffers that are right", Roles::Logger, |play| {
            for (name, words) in [
                ("b-more", &["-b", "1001"][..]),
                ("b-zero", &["-b0"]),
                ("l-zero", &["-l", "0"]),
                ("l-most", &["-l", "1023"]),
                ("l-one", &["-l1", "-b2"]),
                ("l-long", &["-l", "2000", "-b", "2001"]),
                ("last", &["-l", "2000", "-l", "20"]),
            ] {
                let log = play.log(name).config("e*\n");
                play.log_all(&[words, &[name]].concat(), format!("short\n{}\nend\n", "x".repeat(30)));
                play.look_at_log(&log);
            }
        }),
        scenario("lengths and buffers that are no numbers", Roles::Logger, |play| {
            for (name, words) in [
                ("b-text", &["-b", "abc"][..]),
                ("b-rest", &["-b", "2048kB"]),
                ("b-minus", &["-b", "-1"]),
                ("l-text", &["-l", "abc"]),
                ("l-rest", &["-l", "20x"]),
            ] {
                let log = play.log(name);
                play.log_all(&[words, &[name]].concat(), "line\n");
                play.saw_bytes(&format!("current of {name}"), &log.current());
            }
        }),
        scenario("options behind a directory", Roles::Logger, |play| {
            let log = play.log("log");
            play.log_all(&["log", "-t", "-v"], "line\n");
            play.look_at_log(&log);
        }),
        scenario("words that are no options of svlogd", Roles::Logger, |play| {
            let dashes = [play.log("-t"), play.log("-")];
            play.log_all(&["--", "-t", "-"], "line\n");
            play.log_all(&["-", "-t"], "another line\n");
            for log in dashes {
                play.look_at_log(&log);
            }
        }),
        scenario("a directory with an empty name", Roles::Logger, |play| {
            let log = play.log("log");
            play.log_all(&["", "log"], "line\n");
            play.look_at_log(&log);
        }),
        scenario("forty log directories", Roles::Logger, |play| {
            let names: Vec<String> = (0..40).map(|number| format!("log{number}")).collect();
            let logs: Vec<_> = names.iter().map(|name| play.log(name)).collect();
            let words: Vec<&str> = names.iter().map(String::as_str).collect();
            play.log_all(&words, "line\n");
            let count = logs.iter().filter(|log| log.current() == b"line\n").count();
            play.saw_exactly("directories with the line", &count.to_string());
        }),
        scenario("thirty-two log directories", Roles::Logger, |play| {
            let names: Vec<String> = (0..32).map(|number| format!("log{number}")).collect();
            let logs: Vec<_> = names.iter().map(|name| play.log(name)).collect();
            let words: Vec<&str> = names.iter().map(String::as_str).collect();
            play.log_all(&words, "line\n");
            let count = logs.iter().filter(|log| log.current() == b"line\n").count();
            play.saw_exactly("directories with the line", &count.to_string());
        }),
        scenario("svlogd tells what it does", Roles::Logger, |play| {
            let log = play.log("log").config("n2\ns100000\n");
            let mut logger = play.svlogd(&["-v", "log"]);
            play.rotate_each(&mut logger, 1..=4);
            logger.feed("line 5\n");
            logger.tell(nix::sys::signal::Signal::SIGHUP);
            logger.feed("line 6\n");
            play.terminate(logger);
            play.look_at_log(&log);
        }),
    ]
}

fn stamps() -> Vec<Scenario> {
    let words: [&[&str]; 8] =
        [&["-t"], &["-tt"], &["-ttt"], &["-tttt"], &["-ttttt"], &["-t", "-t"], &["-ttv"], &["-t", "-r_", "-tt"]];
    let stamp = |words: &[&'static str]| {
        let words = words.to_vec();
        scenario(&format!("stamps with {}", words.join(" ")), Roles::Logger, move |play| {
            let log = play.log("log").config("e*2\npprefix: \n");
            let plain = play.log("plain");
            let words = [&words[..], &["log", "plain"]].concat();
            let mut logger = play.svlogd(&words);
            logger.feed("line 1\n\n\0\n");
            logger.feed("line 2\npart of a ");
            logger.feed(format!("line\n{}\n", "x".repeat(2500)));
            play.look_at_log(&plain);
            logger.feed("last\n");
            play.end_input(logger);
            play.look_at_log(&log);
            play.look_at_log(&plain);
        })
    };
    words.iter().map(|words| stamp(words)).collect()
}

fn replacement() -> Vec<Scenario> {
    let all: [(&str, &[&str]); 14] = [
        ("nothing", &[]),
        ("-r_", &["-r_"]),
        ("-r with a blank", &["-r", " "]),
        ("-r with a byte that is replaced", &["-r", "\t"]),
        ("-R", &["-R", "abc"]),
        ("-R with nothing", &["-R", ""]),
        ("-R with one", &["-R<"]),
        ("-r and -R", &["-r.", "-R", "<>"]),
        ("-R and -r", &["-R", "<>", "-r."]),
        ("-r twice", &["-r.", "-r!"]),
        ("-R twice", &["-R", "abc", "-R", "xyz"]),
        ("-R with what cannot be printed", &["-R", "\t\u{1}"]),
        ("-R with its own replacement", &["-R", "_"]),
        ("-t and -r and -R", &["-tr#R", "abc"]),
    ];
    let of = |(name, words): (&str, &'static [&'static str])| {
        scenario(&format!("replacement with {name}"), Roles::Logger, move |play| {
            let log = play.log("log").config("pa<\u{1}b: \ne*<*a*>*\n");
            play.log_all(&[words, &["log"]].concat(), all_bytes());
            play.look_at_log(&log);
        })
    };
    let mut scenarios: Vec<Scenario> = all.into_iter().map(of).collect();
    scenarios.push(scenario("replacement in long lines", Roles::Logger, |play| {
        let log = play.log("log");
        let line = |length: usize| format!("{}\n", "\t".repeat(length));
        let text: String = [1, 19, 20, 21, 40, 1100].into_iter().map(line).collect();
        play.log_all(&["-r_", "-l20", "log"], text);
        play.look_at_log(&log);
    }));
    scenarios
}

fn lengths() -> Vec<Scenario> {
    let of = |words: &'static [&'static str], length: usize| {
        scenario(&format!("lines around the length of svlogd {}", words.join(" ")), Roles::Logger, move |play| {
            let log = play.log("log").config("e*\npP \n");
            let line = |length: usize| format!("{}\n", ruler(length));
            let around = [0, 1, length - 1, length, length + 1, length + 2, length * 2, length * 2 + 1];
            let text: String = around.into_iter().map(line).collect();
            play.log_all(&[words, &["log"]].concat(), text);
            play.look_at_log(&log);
        })
    };
    vec![of(&["-l20"], 20), of(&["-tl20"], 20), of(&[], 1000), of(&["-l", "1400", "-b", "1500"], 1400), of(&["-l2"], 2)]
}
