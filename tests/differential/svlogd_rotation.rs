//! What svlogd.md 7 says: when a file is rotated by its size, at every position.

use nix::sys::signal::Signal;

use crate::cast::Roles;
use crate::contents::ruler;
use crate::play::Play;
use crate::scenario::{Scenario, scenario};

/// The scenarios of this part.
pub fn scenarios() -> Vec<Scenario> {
    let mut all = matrix();
    all.extend(edges());
    all.extend(cut());
    all.extend(by_signal());
    all
}

/// Numbered lines of a length, and their ends.
fn numbered(length: usize, count: usize) -> String {
    let line = |number: usize| -> String { format!("{number:04}{}", ruler(length)).chars().take(length).collect() };
    (0..count).map(|number| line(number) + "\n").collect()
}

/// Logs with this size, records the files, and whether all is there.
fn log_with_size(play: &mut Play, name: &str, size: usize, words: &[&str], input: &str) {
    let log = play.log(name).config(format!("s{size}\nn0\n"));
    play.log_all(&[words, &[name]].concat(), input);
    let sizes: Vec<String> = log.archives().iter().map(|file| file.bytes.len().to_string()).collect();
    play.saw_exactly(&format!("sizes of {name}"), &format!("{}; {}", sizes.join(" "), log.current().len()));
    if log.all_bytes() != input.as_bytes() {
        play.look_at_log(&log);
    }
}

/// Sizes at least twice the length, lines that are not longer: what both do in the same way.
fn matrix() -> Vec<Scenario> {
    let of = |length: usize| {
        scenario(&format!("rotation at every position, length {length}"), Roles::Logger, move |play| {
            let option = format!("-l{length}");
            for size in [length * 2, length * 2 + 1, length * 3 - 1, length * 5, length * 5 + 7] {
                for line in [0, 1, 2, length / 3, length / 2, length - 2, length - 1] {
                    let name = format!("s{size}-{line}");
                    let input = numbered(line, (size * 3 / (line + 1)).min(400));
                    log_with_size(play, &name, size, &[&option, "-b1200"], &input);
                }
            }
        })
    };
    [20, 37, 100, 1000].map(of).into()
}

/// One line that ends so many bytes before the size, and another behind it.
fn edges() -> Vec<Scenario> {
    vec![
        scenario("rotation around what is left", Roles::Logger, |play| {
            for left in [0, 1, 2, 19, 20, 21, 22, 40] {
                let first = numbered(19, 14) + &numbered(300 - 14 * 20 - left.min(19) - 1, 1);
                let first = if left > 19 { numbered(300 - left - 1, 1) } else { first };
                let input = first + &numbered(9, 3);
                log_with_size(play, &format!("left-{left}"), 300, &["-l20"], &input);
            }
        }),
        scenario("rotation when a line fits exactly", Roles::Logger, |play| {
            let first = format!("{}\n", ruler(59));
            for line in [18, 19, 20, 38, 39] {
                let input = format!("{first}{}\nend\n", ruler(line));
                log_with_size(play, &format!("then-{line}"), 100, &["-l20"], &input);
            }
        }),
        scenario("rotation counts stamps and prefixes", Roles::Logger, |play| {
            let log = play.log("log").config("s500\nn0\nppre: \n");
            play.log_all(&["-tt", "-l50", "log"], numbered(20, 60));
            play.look_at_log(&log);
            let log = play.log("label").config("s1000\nn0\n");
            play.log_all(&["-t", "-l100", "label"], numbered(40, 60));
            play.look_at_log(&log);
        }),
        scenario("rotation with the default size", Roles::Logger, |play| {
            let log = play.log("log");
            let input = numbered(79, 30_000);
            play.log_all(&["log"], &input);
            play.look_at_sizes(&log);
            play.saw_exactly("all is there", &(log.all_bytes() == input.as_bytes()).to_string());
        }),
        scenario("rotation while it goes on", Roles::Logger, |play| {
            let log = play.log("log").config("s200\n");
            let mut logger = play.svlogd(&["-l20", "log"]);
            for number in 0..40 {
                logger.feed(format!("line {number:02}\n"));
                if number % 10 == 9 {
                    play.look_at_log(&log);
                }
            }
            play.end_input(logger);
            play.look_at_log(&log);
        }),
    ]
}

/// Lines that are longer than what is left, than the length, than the size; sizes below the length.
fn cut() -> Vec<Scenario> {
    let of = |size: usize, words: &'static [&'static str], lines: &'static [usize]| {
        let name = format!("rotation at {size} {} with lines of {lines:?}", words.join(" "));
        scenario(&name, Roles::Logger, move |play| {
            let log = play.log("log").config(format!("s{size}\nn0\n"));
            let input: String = lines.iter().map(|length| format!("{}\n", ruler(*length))).collect();
            play.log_all(&[words, &["log"]].concat(), input);
            play.look_at_log(&log);
        })
    };
    vec![
        of(100, &["-l20"], &[50, 60]),
        of(100, &["-l20"], &[50, 150]),
        of(100, &["-l20"], &[350]),
        of(100, &["-l20"], &[99, 100, 101]),
        of(500, &[], &[100, 100, 100, 100, 100, 100, 100]),
        of(500, &[], &[300, 300, 300]),
        of(100, &[], &[30, 30, 30, 30, 30]),
        of(200, &["-l100"], &[90, 110, 150]),
        of(10, &["-l20"], &[1, 2, 3, 4, 5]),
        of(1, &["-l20"], &[1, 1]),
        of(1999, &[], &[500, 500, 500, 500]),
        of(1000, &[], &[400, 400, 400]),
        of(1001, &[], &[0, 400, 400]),
    ]
}

fn by_signal() -> Vec<Scenario> {
    vec![
        scenario("ALRM with nothing in current", Roles::Logger, |play| {
            let log = play.log("log");
            let mut logger = play.svlogd(&["log"]);
            logger.tell(Signal::SIGALRM);
            logger.feed("line\n");
            logger.tell(Signal::SIGALRM);
            logger.tell(Signal::SIGALRM);
            play.end_input(logger);
            play.look_at_log(&log);
        }),
        scenario("ALRM rotates all directories", Roles::Logger, |play| {
            let logs = [play.log("one"), play.log("two").config("-b*\n"), play.log("three").config("s0\n")];
            let mut logger = play.svlogd(&["one", "two", "three"]);
            logger.feed("a\n");
            logger.tell(Signal::SIGALRM);
            logger.feed("b\n");
            logger.tell(Signal::SIGALRM);
            play.end_input(logger);
            for log in logs {
                play.look_at_log(&log);
            }
        }),
        scenario("ALRM after current was filled by an earlier svlogd", Roles::Loggers, |play| {
            let log = play.log("log");
            play.log_all(&["log"], "line 1\n");
            let mut logger = play.next_svlogd(&["log"]);
            logger.tell(Signal::SIGALRM);
            logger.feed("line 2\n");
            play.end_input(logger);
            play.look_at_log(&log);
        }),
    ]
}
