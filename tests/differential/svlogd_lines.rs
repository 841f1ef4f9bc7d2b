//! What svlogd.md 6 says: lines of every length and content, the end of the input, and inputs that are no pipe.

use std::process::Command;

use nix::sys::signal::Signal;

use crate::cast::Roles;
use crate::contents::ruler;
use crate::play::Play;
use crate::scenario::{Scenario, scenario};

/// The scenarios of this part.
pub fn scenarios() -> Vec<Scenario> {
    let mut all = lines();
    all.extend(ends());
    all.extend(inputs());
    all
}

/// Two lines around one that is given.
fn framed(line: impl AsRef<[u8]>) -> Vec<u8> {
    [b"before\n", line.as_ref(), b"\nbehind\n"].concat()
}

fn lines() -> Vec<Scenario> {
    let of = |name: &str, words: &'static [&'static str], input: Vec<u8>| {
        scenario(&format!("lines {name}"), Roles::Logger, move |play| {
            let (log, prefix) = (play.log("log").config("s0\n"), play.log("prefix").config("s0\npprefix \n-x*\n"));
            play.log_all(&[words, &["log", "prefix"]].concat(), &input);
            play.look_at_log(&log);
            play.look_at_log(&prefix);
        })
    };
    let around = |lengths: &[usize]| -> Vec<u8> {
        lengths.iter().flat_map(|length| format!("{}\n", ruler(*length)).into_bytes()).collect()
    };
    let every_byte: Vec<u8> = (0..=255).chain([b'\n']).collect();
    vec![
        of("of no input", &[], Vec::new()),
        of("of one newline", &[], b"\n".to_vec()),
        of("of many newlines", &[], b"\n".repeat(3000)),
        of("of many newlines with stamps", &["-tt"], b"\n".repeat(300)),
        of("of blanks", &[], b" \n  \n\t\n".to_vec()),
        of("of carriage returns", &[], b"\r\n\r\r\na\r\nb\r\n".to_vec()),
        of("of every byte", &[], every_byte.repeat(20)),
        of("of every byte and stamps", &["-t"], every_byte.repeat(9)),
        of("of NULs", &[], framed([0; 20])),
        of("of very many NULs", &[], framed([0; 30_000])),
        of("of bytes that are no text", &[], framed(b"\xff\xfe\xc3\x28".repeat(700))),
        of("around the length", &[], around(&[998, 999, 1000, 1001, 1002, 1999, 2000, 2001])),
        of("around the buffer", &[], around(&[1022, 1023, 1024, 1025, 1026, 2046, 2047, 2048, 2049, 2050])),
        of(
            "around the buffer with stamps",
            &["-tt"],
            around(&[997, 998, 999, 1000, 1023, 1024, 1025, 2047, 2048, 2049]),
        ),
        of("around a short length", &["-l20", "-b30"], around(&[19, 20, 21, 29, 30, 31, 39, 40, 41, 60, 61])),
        of(
            "around a long length",
            &["-l3000", "-b4096"],
            around(&[2999, 3000, 3001, 4095, 4096, 4097, 8191, 8192, 8193]),
        ),
        of("of 60000 characters", &[], framed(ruler(60_000))),
        of("of 60000 characters with stamps", &["-ttt"], framed(ruler(60_000))),
        of("of a million characters", &[], framed(ruler(1_000_000))),
        of("of every length to 150", &["-l50", "-b60"], around(&(0..=150).collect::<Vec<_>>())),
        scenario("lines in pieces", Roles::Logger, |play| {
            let log = play.log("log").config("e*\n");
            let mut logger = play.svlogd(&["log"]);
            for piece in ["a", " line", " in", " pieces", "\nand", "\n", "\n", "\nlast\n"] {
                logger.feed(piece);
            }
            logger.feed(ruler(999));
            logger.feed("x");
            logger.feed("y");
            logger.feed("\n");
            logger.feed(ruler(5000));
            logger.feed(ruler(5000));
            logger.feed("\n");
            play.end_input(logger);
            play.look_at_log(&log);
        }),
        scenario("lines as they come", Roles::Logger, |play| {
            let (log, other) = (play.log("log"), play.log("other").config("pprefix \n"));
            let mut logger = play.svlogd(&["log", "other"]);
            for number in 1..=5 {
                logger.feed(format!("line {number}\n"));
                play.saw_bytes("current", &log.current());
                play.saw_bytes("current of other", &other.current());
            }
            play.end_input(logger);
        }),
    ]
}

fn ends() -> Vec<Scenario> {
    let of = |name: &str, words: &'static [&'static str], length: usize| {
        scenario(&format!("end of input within a line of {length}{name}"), Roles::Logger, move |play| {
            let log = play.log("log").config("e*\n");
            play.log_all(&[words, &["-l20", "log"]].concat(), format!("line\n{}", ruler(length)));
            play.look_at_log(&log);
        })
    };
    let mut all: Vec<Scenario> = [1, 19, 20, 21, 60, 3000].into_iter().map(|length| of("", &[], length)).collect();
    all.extend([1, 20, 60].map(|length| of(" with stamps", &["-tt"], length)));
    all.push(scenario("end of input within a line that is not taken", Roles::Logger, |play| {
        let log = play.log("log").config("-x*\n");
        play.log_all(&["-l20", "log"], format!("line\nx{}", ruler(60)));
        play.look_at_log(&log);
    }));
    all.push(scenario("one svlogd after the other behind a line without end", Roles::Loggers, |play| {
        let log = play.log("log");
        play.log_all(&["-l20", "log"], format!("line 1\n{}", ruler(60)));
        play.log_all_next(&["-l20", "log"], "line 2\n");
        play.look_at_log(&log);
    }));
    all
}

/// Runs a shell command that ends as `svlogd`.
fn from_shell(play: &mut Play, name: &str, script: &str) {
    let log = play.log(name);
    let svlogd = play.scratch().programs().join("svlogd");
    let mut command: Command = play.scratch().command("sh");
    command.args(["-c", script]).arg(svlogd).arg(name);
    play.record(script, command);
    play.look_at_log(&log);
}

fn inputs() -> Vec<Scenario> {
    vec![
        scenario("inputs of other kinds", Roles::Logger, |play| {
            play.scratch().file("input", &format!("line 1\n{}\nline 3\n", ruler(3000)));
            play.scratch().file("empty", "");
            from_shell(play, "file", "exec \"$0\" \"$1\" <input");
            from_shell(play, "empty-file", "exec \"$0\" \"$1\" <empty");
            from_shell(play, "null", "exec \"$0\" \"$1\" </dev/null");
            from_shell(play, "directory", "exec \"$0\" \"$1\" <.");
            from_shell(play, "writer", "exec \"$0\" \"$1\" 0>output");
            from_shell(play, "zeros", "head -c 5000 /dev/zero | \"$0\" \"$1\"");
            from_shell(play, "two-writers", "(echo line 1; (echo line 2)) | \"$0\" \"$1\"");
        }),
        scenario("an input that is closed", Roles::Logger, |play| {
            from_shell(play, "closed", "exec \"$0\" \"$1\" <&-");
        }),
        scenario("other streams that are closed", Roles::Logger, |play| {
            play.scratch().file("input", "line 1\nline 2\n");
            from_shell(play, "stdout", "exec \"$0\" \"$1\" <input >&-");
            from_shell(play, "full", "exec \"$0\" -v \"$1\" <input 2>/dev/full");
        }),
        scenario("flags of the input", Roles::Logger, |play| {
            play.log("log");
            let mut logger = play.svlogd(&["log"]);
            logger.feed("line\n");
            let flags = logger.input.is_blocking();
            play.saw_exactly("blocking while it runs", &flags.to_string());
            logger.signal(Signal::SIGTERM);
            logger.wait();
            let flags = logger.input.is_blocking();
            play.saw_exactly("blocking behind it", &flags.to_string());
        }),
    ]
}
