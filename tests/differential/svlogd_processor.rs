//! What svlogd.md 8 says: the processor of rotated files, what it is given, and what becomes of its files.

use nix::sys::signal::Signal;
use support::{LogDirectory, Logger, wait_until};

use crate::cast::Roles;
use crate::contents::ruler;
use crate::play::Play;
use crate::scenario::{Scenario, scenario};

/// The scenarios of this part.
pub fn scenarios() -> Vec<Scenario> {
    let mut all = successes();
    all.extend(failures());
    all.extend(meanwhile());
    all
}

/// Waits until a number of files were processed and nothing is left to do.
fn wait_processed(log: &LogDirectory, logger: &mut Logger, count: usize) {
    wait_until(&format!("{count} files to be processed"), || {
        let files = log.archives();
        (files.len() == count && files.iter().all(|file| file.kind() == Some('s'))).then_some(())
    });
    logger.settle();
}

/// Feeds these lines, has a file rotated behind each, and waits until it was processed.
fn process(log: &LogDirectory, logger: &mut Logger, lines: &[&str]) {
    for line in lines {
        let before = log.count('s');
        logger.feed(format!("{line}\n"));
        logger.tell(Signal::SIGALRM);
        wait_processed(log, logger, before + 1);
    }
}

/// A log with this processor has three files processed.
fn three(name: &str, command: &'static str) -> Scenario {
    scenario(&format!("processor {name}"), Roles::Logger, move |play| {
        let log = play.log("log").config(format!("!{command}\n"));
        let mut logger = play.svlogd(&["log"]);
        process(&log, &mut logger, &["line 1", "line 2", "line 3"]);
        play.look_at_log(&log);
        play.end_input(logger);
        play.look_at_log(&log);
    })
}

/// What a processor tells of itself; it is read by the shell that svlogd has started.
const REPORT: &str = r#"exec 3>report
while read -r line; do
    case $line in SigBlk*) echo "$line" >&3 ;; esac
done </proc/$$/status
echo "words: $(tr '\0' ' ' </proc/$$/cmdline)" >&3
echo "directory: $(readlink /proc/$$/cwd)" >&3
tr '\0' '\n' </proc/$$/environ | sort >&3
for descriptor in 0 1 4 5; do
    echo "$descriptor: $(readlink /proc/$$/fd/$descriptor)" >&3
    grep flags /proc/$$/fdinfo/$descriptor | grep -o '.$' >&3
done
read -r line </proc/$$/stat
set -- $line
test "$5" = $$ && echo leads a group >&3
exec 3>&-
ls /proc/$$/fd >descriptors
cat
"#;

fn successes() -> Vec<Scenario> {
    vec![
        three("that copies", "cat"),
        three("that changes lines", "sed -e s/line/Line/ -e p"),
        three("that writes nothing", "cat >/dev/null"),
        three("that reads nothing", "echo text"),
        three("that does nothing", ":"),
        three("that writes no end", "printf text"),
        three("that tells on standard error", "cat; echo words >&2"),
        three("that is two", "tr a-z A-Z | tail -c 3"),
        three("that writes a newstate", "cat <&4; echo old; echo \"state $(cat)\" | tee /dev/fd/5"),
        three("that writes no newstate", "cat; cat <&4"),
        three("that removes its newstate", "cat; rm newstate; :>newstate"),
        three("with a blank in front", " cat"),
        three("with quotes", "printf '%s' \"a  'b' $(cat) \\\\\""),
        three("that has a state of its own", "echo x >>seen; cat - seen"),
        three("that closes what it has", "exec 0<&- 4<&- 5>&-; echo text"),
        three("that runs elsewhere", "cd /; cat"),
        three("that writes much", "cat; yes 0123456789 | head -c 300000 | tr 0-9 a"),
        scenario("what a processor is given", Roles::Logger, |play| {
            let log = play.log("log").config("!. ./script\n").file("script", REPORT, 0o644);
            let mut logger = play.svlogd(&["log"]);
            process(&log, &mut logger, &["line"]);
            let report = support::lines(&log.join("report"));
            play.saw_exactly("blocked signals", &report[0]);
            play.saw_stamped("report", &report[1..].join("\n"));
            // What the test has inherited itself is not of svlogd.
            let descriptors = support::lines(&log.join("descriptors"));
            let descriptors: Vec<String> = descriptors.into_iter().filter(|number| number.len() == 1).collect();
            play.saw_exactly("descriptors", &descriptors.join(" "));
            play.end_input(logger);
        }),
        scenario("modes while a processor runs", Roles::Logger, |play| {
            let log = play.log("log").config(format!("!cat; {WAIT}\n"));
            let mut logger = play.svlogd(&["log"]);
            logger.feed("line\n");
            logger.tell(Signal::SIGALRM);
            log.wait_file("started");
            play.look_at_log(&log);
            open_gate(&log);
            wait_processed(&log, &mut logger, 1);
            play.end_input(logger);
            play.look_at_log(&log);
        }),
        scenario("a processor tells what it does", Roles::Logger, |play| {
            let log = play.log("log").config("!cat\n");
            let mut logger = play.svlogd(&["-v", "log"]);
            process(&log, &mut logger, &["line 1", "line 2"]);
            logger.close();
            logger.wait();
            // Who notices the end of it first is left to chance, and so is the order.
            let stderr = logger.stderr();
            let mut lines: Vec<&str> = stderr.lines().collect();
            lines.sort_unstable();
            play.saw_stamped("sorted", &lines.join("\n"));
        }),
        scenario("a processor and files by size", Roles::Logger, |play| {
            let log = play.log("log").config("!sed s/line/Line/\ns500\nn4\n");
            let mut logger = play.svlogd(&["-l20", "log"]);
            for number in 0..20 {
                logger.feed((0..10).map(|line| format!("line {number:02}{line}\n")).collect::<String>());
                wait_until("what is processed", || (log.count('u') + log.count('t') == 0).then_some(()));
                logger.settle();
            }
            play.end_input(logger);
            play.look_at_log(&log);
        }),
        scenario("a processor and few files", Roles::Logger, |play| {
            let log = play.log("log").config("!cat\nn2\n");
            let mut logger = play.svlogd(&["log"]);
            process(&log, &mut logger, &["line 1", "line 2"]);
            for line in ["line 3\n", "line 4\n", "line 5\n"] {
                logger.feed(line);
                logger.tell(Signal::SIGALRM);
                log.wait_text(line.trim_end());
                wait_until("what is processed", || (log.count('u') + log.count('t') == 0).then_some(()));
                logger.settle();
                play.look_at_log(&log);
            }
            play.end_input(logger);
        }),
        scenario("two processors", Roles::Logger, |play| {
            let logs = [play.log("one").config("!tr a-z A-Z\n"), play.log("two").config("!tr a x\n"), play.log("none")];
            let mut logger = play.svlogd(&["one", "two", "none"]);
            for round in 1..=3 {
                logger.feed(format!("{round} {}\n", ruler(300)));
                logger.tell(Signal::SIGALRM);
                for log in &logs {
                    wait_processed(log, &mut logger, round);
                }
            }
            play.end_input(logger);
            for log in &logs {
                play.look_at_log(log);
            }
        }),
        scenario("a processor changed by HUP", Roles::Logger, |play| {
            let log = play.log("log").config("!tr a-z A-Z\n");
            let mut logger = play.svlogd(&["log"]);
            process(&log, &mut logger, &["line 1"]);
            for config in ["!sed s/$/!/\n", "n3\n", "!one\n!cat\n"] {
                log.clone().config(config);
                logger.tell(Signal::SIGHUP);
                process(&log, &mut logger, &["line"]);
            }
            play.end_input(logger);
            play.look_at_log(&log);
        }),
    ]
}

fn failures() -> Vec<Scenario> {
    // Each fails at its first run only: runit starts it again for ever, and at once.
    let once = |name: &str, fail: &'static str| {
        let script =
            format!("test -e failed || {{ :>failed; {fail}; }}; sed s/line/Line/; cat <&4; echo $$ >/dev/fd/5");
        scenario(&format!("processor that fails once: {name}"), Roles::Logger, move |play| {
            let log = play.log("log").config(format!("!{script}\n"));
            let mut logger = play.svlogd(&["log"]);
            process(&log, &mut logger, &["line 1"]);
            std::fs::write(log.join("state"), "").expect("a file");
            play.look_at_log(&log);
            play.end_input(logger);
        })
    };
    vec![
        once("exit 1", "exit 1"),
        once("exit 100 with output", "echo output; echo state >/dev/fd/5; exit 100"),
        once("killed", "kill -KILL $$"),
        once("killed with output", "echo output; echo state >/dev/fd/5; kill -TERM $$"),
        once("a command that is missing", "exec ./missing 2>/dev/null"),
        scenario("processor that fails at the end of the input", Roles::Logger, |play| {
            let script = "test -e failed || { :>failed; exit 1; }; cat";
            let log = play.log("log").config(format!("!{WAIT}; {script}\n"));
            let mut logger = play.svlogd(&["log"]);
            logger.feed("line 1\n");
            logger.tell(Signal::SIGALRM);
            logger.close();
            open_gate(&log);
            play.log_ended(logger);
            std::fs::remove_file(log.join("gate")).expect("a file");
            play.look_at_log(&log);
        }),
    ]
}

/// What a processor begins with that waits for the gate.
const WAIT: &str = ":>started; while ! test -e gate; do sleep 0.02; done";

/// Lets the processors go on that wait at the gate, and those that will.
fn open_gate(log: &LogDirectory) {
    std::fs::write(log.join("gate"), "").expect("a file");
}

/// What happens while a processor runs: it waits at a gate.
fn during(name: &str, then: fn(&mut Play, &LogDirectory, Logger)) -> Scenario {
    scenario(&format!("while a processor runs: {name}"), Roles::Logger, move |play| {
        let log = play.log("log").config(format!("!{WAIT}; sed s/line/Line/\n"));
        let mut logger = play.svlogd(&["log"]);
        logger.feed("line 1\n");
        logger.tell(Signal::SIGALRM);
        // Until it is executed a processor of runit holds the lock.
        log.wait_file("started");
        then(play, &log, logger);
        std::fs::remove_file(log.join("gate")).expect("a file");
        play.look_at_log(&log);
    })
}

fn meanwhile() -> Vec<Scenario> {
    vec![
        during("lines", |play, log, mut logger| {
            logger.feed("line 2\nline 3\n");
            play.saw_bytes("current", &log.current());
            open_gate(log);
            wait_processed(log, &mut logger, 1);
            play.end_input(logger);
        }),
        during("the end of the input", |play, log, mut logger| {
            logger.feed("line 2\n");
            logger.close();
            open_gate(log);
            play.log_ended(logger);
        }),
        during("TERM", |play, log, mut logger| {
            logger.feed("line 2\n");
            logger.signal(Signal::SIGTERM);
            open_gate(log);
            play.log_ended(logger);
        }),
        during("ALRM", |play, log, mut logger| {
            logger.feed("line 2\n");
            logger.signal(Signal::SIGALRM);
            open_gate(log);
            wait_processed(log, &mut logger, 2);
            play.end_input(logger);
        }),
        during("HUP", |play, log, mut logger| {
            logger.feed("line 2\n");
            logger.tell(Signal::SIGHUP);
            open_gate(log);
            logger.settle_processors();
            play.end_input(logger);
        }),
        scenario("files that an earlier processor has left", Roles::Logger, |play| {
            let log = play.log("log").config("!sed s/line/Line/\nn10\n");
            let log = log.file("@400000005f5e100a00000000.u", "old line 1\n", 0o744);
            let log = log.file("@400000005f5e100a00000000.t", "old Li", 0o644);
            let log = log.file("@400000005f5e110a00000000.u", "old line 2\n", 0o644);
            let mut logger = play.svlogd(&["log"]);
            logger.settle_processors();
            logger.feed("line 3\n");
            logger.tell(Signal::SIGALRM);
            logger.settle_processors();
            play.end_input(logger);
            play.look_at_log(&log);
        }),
    ]
}
