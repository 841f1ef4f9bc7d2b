//! What svlogd.md 4 says: each directive of `config`, with the values at its edges.

use nix::sys::signal::Signal;
use support::LogDirectory;

use crate::cast::Roles;
use crate::contents::ruler;
use crate::play::Play;
use crate::scenario::{Scenario, scenario};

/// The scenarios of this part.
pub fn scenarios() -> Vec<Scenario> {
    let mut all = sizes();
    all.extend(numbers_of_files());
    all.extend(prefixes());
    all.extend(whole_files());
    all.extend(ages());
    all
}

/// Lines of 100 bytes, so many of them.
fn hundreds(count: usize) -> String {
    (0..count).map(|number| format!("{number:06} {}\n", &ruler(100)[..92])).collect()
}

fn sizes() -> Vec<Scenario> {
    let of = |directive: &'static str, count: usize| {
        scenario(&format!("size {directive}"), Roles::Logger, move |play| {
            let log = play.log("log").config(format!("n3\n{directive}\n"));
            play.log_all(&["-l100", "log"], hundreds(count));
            play.look_at_sizes(&log);
            let are_last = hundreds(count).as_bytes().ends_with(&log.all_bytes());
            play.saw_exactly("the last lines are there", &are_last.to_string());
        })
    };
    vec![
        of("s2000", 60),
        of("s2001", 60),
        of("s1999", 60),
        of("s200", 5),
        of("s2k", 60),
        of("s02000", 60),
        of("s1m", 11_000),
        of("s0", 11_000),
        of("n9", 11_000),
        of("s1000000", 11_000),
        of("s3000k", 40),
        of("s2000 k", 60),
        of("s2000b", 60),
        of("s2K", 2),
        of("s1M", 1),
        of("s2kb", 60),
        of("sabc", 60),
        of("s", 60),
        of("s 2000", 60),
        of("s-2000", 60),
        of("s+2000", 60),
        of("s0x2000", 60),
        of("s2000,5", 60),
        of("s2000\r", 60),
        of("s2000\t", 60),
        of("s2000\0", 60),
        of("s18446744073709551616", 60),
        of("s18446744073709553616", 60),
        of("s99999999999999999999999", 60),
        of(" s2000", 60),
        of("S2000", 60),
        of("# s2000", 60),
    ]
}

fn numbers_of_files() -> Vec<Scenario> {
    let of = |config: &'static str| {
        scenario(&format!("number of files {config:?}"), Roles::Logger, move |play| {
            let log = play.log("log").config(config);
            let mut logger = play.svlogd(&["log"]);
            play.rotate_each(&mut logger, 1..=13);
            play.end_input(logger);
            play.saw_exactly("lines", &log.all_lines().join("\n"));
        })
    };
    vec![
        of(""),
        of("n0\n"),
        of("n1\n"),
        of("n2\n"),
        of("n11\n"),
        of("n100\n"),
        of("n2\nN1\n"),
        of("n2\nN5\n"),
        of("n2\nN0\n"),
        of("n3\nn2\n"),
        of("N2\n"),
        of("n\n"),
        of("nabc\n"),
        of("n2x\n"),
        of("n 2\n"),
        of("n-2\n"),
        of("n4294967298\n"),
        of("Nabc\n"),
        of("N\n"),
        // Left-overs of a processor are removed with the old files.
        scenario("number of files with left-overs", Roles::Logger, |play| {
            let log = play.log("log").config("n3\n");
            let old = ["@400000005f5e100a00000000.s", "@400000005f5e110a00000000.s", "@400000005f5e120a00000000.t"];
            let log = old.iter().fold(log, |log, name| log.file(name, "old\n", 0o744));
            let log = log.file("@400000005f5e100a0000000000.s", "no archive\n", 0o744).file("@none", "", 0o600);
            let mut logger = play.svlogd(&["log"]);
            for number in 1..=4 {
                play.rotate_each(&mut logger, number..=number);
                play.look_at_sizes(&log);
            }
            play.end_input(logger);
        }),
        scenario("number of files made smaller", Roles::Logger, |play| {
            let log = play.log("log").config("n0\n");
            let mut logger = play.svlogd(&["log"]);
            play.rotate_each(&mut logger, 1..=6);
            let log = log.config("n2\n");
            logger.tell(Signal::SIGHUP);
            play.look_at_sizes(&log);
            play.rotate_each(&mut logger, 7..=7);
            play.look_at_sizes(&log);
            play.end_input(logger);
        }),
    ]
}

fn prefixes() -> Vec<Scenario> {
    let of = |directive: &'static str, words: &'static [&'static str]| {
        let name = format!("prefix {directive:?} {}", words.join(" "));
        scenario(name.trim_end(), Roles::Logger, move |play| {
            let log = play.log("log").config([directive.as_bytes(), b"\ne*\n"].concat());
            let text = format!("line\n\n{}\n", ruler(1100));
            play.log_all(&[words, &["log"]].concat(), text);
            play.look_at_log(&log);
        })
    };
    let short = |directive: &'static str| {
        scenario(&format!("short prefix {directive:?}"), Roles::Logger, move |play| {
            let log = play.log("log").config(format!("{directive}\n"));
            play.log_all(&["log"], "line\n");
            play.saw_bytes("current", &log.current());
        })
    };
    vec![
        of("pprefix ", &[]),
        of("pprefix ", &["-t"]),
        of("pprefix ", &["-r_", "-Rpr"]),
        of("p", &[]),
        of("p ", &["-tt"]),
        of("p\t\u{1}", &[]),
        of(" pprefix", &[]),
        of("pone\nptwo", &[]),
        of("pone\np", &[]),
        short("p\0"),
        short("pP\0P "),
        short("pP\r"),
        scenario("prefix longer than the buffer", Roles::Logger, |play| {
            let log = play.log("log").config(format!("p{}\n", ruler(3000)));
            play.log_all(&["log"], "line\nline\n");
            play.look_at_log(&log);
        }),
    ]
}

/// Logs two lines with this config.
fn with_config(play: &mut Play, log: &LogDirectory) {
    let mut logger = play.svlogd(&["-v", "log"]);
    logger.feed("line 1\nline 2\n");
    play.end_input(logger);
    play.look_at_log(log);
}

fn whole_files() -> Vec<Scenario> {
    let of = |name: &str, config: Vec<u8>| {
        scenario(&format!("config {name}"), Roles::Logger, move |play| {
            let log = play.log("log").config(&config);
            with_config(play, &log);
        })
    };
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        of("of no byte", Vec::new()),
        of("of a newline", text("\n")),
        of("of one character", text("p")),
        of("of a minus", text("-")),
        of("of a minus and a newline", text("-\n")),
        of("of two characters without end", text("pP")),
        of("whose last line has one character", text("pP\n-")),
        of("whose last line has no end", text("n3\npP")),
        of("with empty lines", text("\n\npP\n\n\n")),
        of("with comments", text("# pX\n#\n#pY\npP\n#")),
        of("with carriage returns", text("pP\r\nn3\r\n-line\r\n")),
        of("with NULs", text("p\0P\0\n\0pX\n")),
        of("with a line that nobody knows", text("zebra\npP\nxyz\n")),
        of("with blanks in front", text(" n1\n\tpX\npP\n")),
        of("with bytes that are no text", b"p\xff\xfe\n\xffpX\n".to_vec()),
        of("with one of each", text("s2000\nn5\nN2\nt3600\npP \n-*\n+line*\ne*2\nE*1\n")),
        of("that says it twice", text("pX\npY\npP\nn1\nn0\n")),
        of("of many lines", [text("# a comment\n").repeat(600), text("pP\n")].concat()),
        of("of many patterns", [text("-line 1\n+line 1\n").repeat(300), text("pP\n")].concat()),
        of("of a long line", [text("p"), text(&ruler(5000)), text("\n")].concat()),
        of("with a processor of no name", text("!\npP\n")),
        scenario("config is a link", Roles::Logger, |play| {
            play.scratch().file("elsewhere", "pP\n");
            let log = play.log("log");
            std::os::unix::fs::symlink("../elsewhere", log.join("config")).expect("a link");
            play.log_all(&["-v", "log"], "line\n");
            play.look_at_log(&log);
        }),
        scenario("config is a fifo", Roles::Logger, |play| {
            let log = play.log("log");
            nix::unistd::mkfifo(&log.join("config"), nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
            play.log_all(&["-v", "log"], "line\n");
            play.saw_exactly("current", &String::from_utf8_lossy(&log.current()));
        }),
        scenario("config changed and HUP", Roles::Logger, |play| {
            let log = play.log("log").config("pone \n-*2*\n");
            let mut logger = play.svlogd(&["-v", "log"]);
            let mut round = |config: Option<&str>| {
                if let Some(config) = config {
                    log.clone().config(config);
                    logger.tell(Signal::SIGHUP);
                }
                logger.feed("line 1\nline 2\nline 3\n");
            };
            round(None);
            round(Some("ptwo \n"));
            round(Some("-*1*\ne*3*\n"));
            round(Some("E*\n"));
            round(Some(""));
            std::fs::remove_file(log.join("config")).expect("a file");
            logger.tell(Signal::SIGHUP);
            logger.feed("line 4\n");
            play.end_input(logger);
            play.look_at_log(&log);
        }),
    ]
}

fn ages() -> Vec<Scenario> {
    let of = |directive: &'static str| {
        scenario(&format!("age {directive}"), Roles::Logger, move |play| {
            let log = play.log("log").config(format!("{directive}\nn5\n"));
            let mut logger = play.svlogd(&["log"]);
            logger.feed("line 1\n");
            log.wait_count('s', 1);
            logger.feed("line 2\n");
            log.wait_count('s', 2);
            logger.settle();
            play.look_at_log(&log);
            logger.feed("line 3\n");
            log.wait_count('s', 3);
            logger.settle();
            play.end_input(logger);
            play.look_at_log(&log);
        })
    };
    let off = |directive: &'static str| {
        scenario(&format!("no age {directive}"), Roles::Logger, move |play| {
            let (log, fence) = (play.log("log").config(format!("{directive}\n")), play.log("fence").config("t2\n"));
            let mut logger = play.svlogd(&["log", "fence"]);
            logger.feed("line\n");
            fence.wait_count('s', 1);
            play.end_input(logger);
            play.look_at_log(&log);
        })
    };
    vec![
        of("t1"),
        of("t1\nt0\nt1"),
        of("t01"),
        off("t0"),
        off("t60"),
        off("t1m"),
        off("t1h"),
        off("t"),
        off("tabc"),
        off("t 1"),
        off("t-1"),
        off("t1d"),
        off("t1s"),
        off("t1\nt0"),
    ]
}
