//! What svlogd.md 5 says: which lines are taken, and which go to standard error.

use support::LogDirectory;

use crate::cast::Roles;
use crate::contents::ruler;
use crate::play::Play;
use crate::scenario::{Scenario, scenario};

/// All patterns of the table, and what is like them.
const PATTERNS: [&str; 30] = [
    "",
    "abc",
    "ab",
    "*",
    "a*",
    "*c",
    "*b*",
    "*pid*",
    "*: *: pid *",
    "**",
    "**a",
    "*+a",
    "+**",
    "+a",
    "+ab",
    "+a+b",
    "+aa",
    "x+ab",
    "a+b",
    "+",
    "a+",
    "a?",
    "*x",
    "a*b*c",
    "*a*a",
    "+a*",
    "a+*b",
    "*ab",
    "ab+c*",
    "***",
];

/// All texts of the table, and what is like them.
const TEXTS: [&str; 38] = [
    "",
    "a",
    "b",
    "x",
    "*",
    "+",
    "ab",
    "abc",
    "abcc",
    "abcabc",
    "aab",
    "aabb",
    "aa",
    "aaa",
    "aaab",
    "xaa",
    "xaab",
    "xb",
    "x+a",
    "x+aaa",
    "+a",
    "+aa",
    "*a",
    "xa",
    "**x",
    "***x",
    "**",
    "*+",
    "a+",
    "a?",
    "a+b",
    "abbb",
    "axbxc",
    "bbc",
    "tcpsvd pid 4",
    "tcpsvd: info: pid 1977 from",
    "a*xb",
    "abcccx",
];

/// The scenarios of this part.
pub fn scenarios() -> Vec<Scenario> {
    let mut all = vec![
        scenario("every pattern on every text", Roles::Logger, |play| {
            let logs = logs(play, "-*\n+");
            let words = words_of(&logs);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            // Each text by a logger of its own: none has seen an earlier line.
            for text in TEXTS {
                play.scratch().svlogd(&words).end_with(format!("{text}\n"));
            }
            saw_all(play, &logs);
        }),
        scenario("every pattern on every text the other way round", Roles::Logger, |play| {
            let logs = logs(play, "-");
            let words = words_of(&logs);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            for text in TEXTS {
                play.scratch().svlogd(&words).end_with(format!("{text}\n"));
            }
            saw_all(play, &logs);
        }),
        scenario("every pattern on every text for standard error", Roles::Logger, |play| {
            let logs = logs(play, "-*\ne");
            for (log, pattern) in logs.iter().zip(PATTERNS) {
                log.clone().config(format!("p<{pattern}> \n-*\ne{pattern}\n"));
            }
            let words = words_of(&logs);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            for text in TEXTS {
                let output = play.scratch().svlogd(&words).end_with(format!("{text}\n"));
                play.saw_bytes(&format!("patterns that match {text:?}"), output.stderr.as_bytes());
            }
            saw_all(play, &logs);
        }),
    ];
    all.extend(several());
    all.extend(long_lines());
    all
}

/// A log directory for each pattern.
fn logs(play: &Play, config: &str) -> Vec<LogDirectory> {
    let of = |(number, pattern)| play.log(&format!("log{number}")).config(format!("{config}{pattern}\n"));
    PATTERNS.iter().enumerate().map(of).collect()
}

fn words_of(logs: &[LogDirectory]) -> Vec<String> {
    logs.iter().map(LogDirectory::name).collect()
}

fn saw_all(play: &mut Play, logs: &[LogDirectory]) {
    for (log, pattern) in logs.iter().zip(PATTERNS) {
        play.saw_bytes(&format!("texts taken with {pattern:?}"), &log.current());
    }
}

fn several() -> Vec<Scenario> {
    let of = |config: &'static str| {
        scenario(&format!("patterns {config:?}"), Roles::Logger, move |play| {
            let log = play.log("log").config(config);
            play.log_all(&["-t", "log"], "a\nb\nab\nabc\n\nb a\n");
            play.look_at_log(&log);
        })
    };
    vec![
        of("-a\n-b\n"),
        of("-*\n+a\n+b\n"),
        of("+a\n-*\n"),
        of("-*\n+*\n-ab*\n"),
        of("-a*\n+ab*\n-abc\n"),
        of("e*\n"),
        of("e*\nE*b\n"),
        of("E*\n"),
        of("E*\ne*b\n"),
        of("-*\ne*\n"),
        of("-*\n+a*\ne*b\n"),
        of("ea\n+a\nEa\n-a\n"),
        of("+\n"),
        of("-\n"),
        of("e\n"),
        of("- a\n"),
        of("-a \n"),
        scenario("patterns look at what is replaced", Roles::Logger, |play| {
            let log = play.log("log").config("-*\n+a_b\ne<*>\n");
            play.log_all(&["-r_", "-R<", "log"], "a\tb\na_b\n<>\na<b\n");
            play.look_at_log(&log);
        }),
        scenario("patterns do not look at stamp and prefix", Roles::Logger, |play| {
            let log = play.log("log").config("pprefix\n-prefix*\n-@*\n-2*\n+line\n");
            play.log_all(&["-t", "log"], "line\n");
            play.log_all(&["-tt", "log"], "line\n");
            play.look_at_log(&log);
        }),
        // What a longer line left behind.
        scenario("a pattern that ends in a plus after a longer line", Roles::Logger, |play| {
            let log = play.log("log").config("-*\n+a+b\n");
            play.log_all(&["log"], "ab\na\n");
            play.look_at_log(&log);
        }),
        scenario("a pattern with NULs", Roles::Logger, |play| {
            let log = play.log("log").config("-*\n+a\0b*\n");
            play.log_all(&["log"], "a\nab\na\0bc\n");
            play.look_at_log(&log);
        }),
    ]
}

fn long_lines() -> Vec<Scenario> {
    vec![
        scenario("patterns and the length", Roles::Logger, |play| {
            let log = play.log("log").config(format!("-*\n+{}\n+*y\n", ruler(20)));
            let text: String = [19, 20, 21, 60].into_iter().map(|length| format!("{}\n", ruler(length))).collect();
            play.log_all(&["-l20", "log"], format!("{text}{}y\n{}y\n", "x".repeat(19), "x".repeat(20)));
            play.look_at_log(&log);
        }),
        scenario("a long line that is not taken", Roles::Logger, |play| {
            let log = play.log("log").config("-*\n+line*\nea*\n");
            play.log_all(&["log"], format!("line 1\n{}\nline 2\nx{}\nline 3\n", ruler(5000), ruler(5000)));
            play.look_at_log(&log);
        }),
        scenario("a pattern of many repetitions", Roles::Logger, |play| {
            let log = play.log("log").config(format!("-*\n+{}b*\n", "*a".repeat(40)));
            let text = |count: usize| format!("{}b\n", "a".repeat(count));
            play.log_all(&["log"], [39, 40, 41, 900].into_iter().map(text).collect::<String>());
            play.look_at_log(&log);
        }),
    ]
}
