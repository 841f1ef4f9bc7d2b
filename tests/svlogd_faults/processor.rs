//! Processors that fail, are killed, hang or are missing (F39): lines are written and files rotated as ever, the files
//! wait, and are processed in order as soon as that works.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use support::{Ending, LogDirectory, Logger, Output, Scratch, command_line, needs, wait_until};

use crate::injection::Injection;
use crate::numbered::{assert_all, lines, tally, text};

/// How long a processor that runs at the end gets: after TERM, and after the end of the input.
const AFTER_TERM: Duration = Duration::from_secs(5);
const AFTER_INPUT: Duration = Duration::from_secs(60);

/// How often the processor has been started: it notes that itself.
fn starts(log: &LogDirectory) -> usize {
    support::lines(&log.join("starts")).len()
}

#[track_caller]
fn wait_starts(log: &LogDirectory, count: usize) {
    wait_until(&format!("{count} starts of the processor"), || (starts(log) >= count).then_some(()));
}

/// A logger whose processor does this.
#[track_caller]
fn start(scratch: &Scratch, config: &str, processor: &str) -> (LogDirectory, Logger) {
    let log = scratch.log("log").config(format!("s4000\n{config}!echo >>starts; {processor}\n"));
    (log, scratch.svlogd(&["log"]))
}

/// Writes lines and rotates them away.
#[track_caller]
fn rotate(logger: &mut Logger, numbers: std::ops::RangeInclusive<usize>) {
    logger.write(lines(numbers));
    wait_until("a logger that reads", || (logger.input.unread() == 0).then_some(()));
    logger.signal(Signal::SIGALRM);
}

/// Checks that all is processed, and nothing left over.
#[track_caller]
fn assert_processed(log: &LogDirectory, fed: usize) {
    log.wait_count('u', 0);
    log.wait_count('t', 0);
    assert_all(log, fed);
}

// ---- failure

/// Fails until there is a file `good`: tried again after pauses that grow, and then all files are processed in order.
#[track_caller]
fn assert_survives(failure: &str, message: &str) {
    let scratch = Scratch::new();
    let (log, mut logger) = start(&scratch, "n0\n", &format!("[ -e good ] || {failure}; cat; echo >>order"));
    let since = Instant::now();
    logger.write(lines(1..=1_000));
    log.wait_text(&text(1_000));
    logger.wait_stderr(message);
    let waiting = log.count('u');
    assert!(waiting >= 15, "{waiting} files wait");
    wait_starts(&log, 3);
    let (took, tries) = (since.elapsed(), starts(&log));
    // At 0, 1, 3, 7 seconds.
    assert!(took > Duration::from_millis(1_900), "three starts in {took:?}");
    assert!(tries <= 3 + took.as_secs() as usize / 4, "{tries} starts in {took:?}");
    assert_eq!(log.count('u'), waiting, "{}", logger.stderr());
    std::fs::write(log.join("good"), "").expect("a file");
    assert_processed(&log, 1_000);
    assert_eq!(support::lines(&log.join("order")).len(), waiting);
    let output = logger.terminate();
    assert_eq!(output.ending, Ending::Exit(0), "{}", output.stderr);
}

#[test]
fn mends_k75_f39_processor_that_fails() {
    assert_survives("exit 1", "svlogd: warning: processor failed, restart: log\n");
}

#[test]
fn mends_k4_f39_processor_that_is_killed() {
    assert_survives("kill -9 $$", "svlogd: warning: processor failed, restart: log\n");
}

#[test]
fn mends_k75_f39_processor_that_is_missing() {
    assert_survives("exec /nonexistent/processor", "svlogd: warning: processor failed, restart: log\n");
}

/// It wrote something before it failed: that is thrown away.
#[test]
fn mends_k75_f39_output_of_a_processor_that_fails_is_thrown_away() {
    assert_survives("{ echo half of it; exit 1; }", "svlogd: warning: processor failed, restart: log\n");
}

/// So many files may wait besides those that are wanted.
const WAITING: usize = 100;

/// There are never more of them, and the newest stay.
#[test]
fn mends_k75_f39_files_that_wait_are_limited() {
    let scratch = Scratch::new();
    let (log, mut logger) = start(&scratch, "n5\n", "[ -e good ] || exit 1; cat");
    logger.write(lines(1..=8_000));
    log.wait_text(&text(8_000));
    let count = log.count('u');
    assert!((WAITING..=WAITING + 6).contains(&count), "{count} files: {}", logger.stderr());
    std::fs::write(log.join("good"), "").expect("a file");
    log.wait_count('u', 0);
    log.wait_count('t', 0);
    assert_eq!((tally(&log).lost, tally(&log).next), (0, 8_001), "{}", logger.stderr());
    rotate(&mut logger, 8_001..=8_010);
    log.wait_text(&text(8_010));
    // The others go when one is rotated, which is then processed.
    wait_until("as many files as wanted", || (log.count('u') == 0 && (5..=6).contains(&log.count('s'))).then_some(()));
    assert_eq!(tally(&log).next, 8_011, "{}", logger.stderr());
}

/// What it works on is not taken away from it.
#[test]
fn mends_f39_file_that_is_processed_is_not_removed() {
    let scratch = Scratch::new();
    let (log, mut logger) = start(&scratch, "n2\n", "until [ -e good ]; do sleep 0.1; done; cat >>processed; echo");
    rotate(&mut logger, 1..=10);
    wait_starts(&log, 1);
    let first = log.archives()[0].name.clone();
    logger.feed(lines(11..=8_000));
    let names: Vec<String> = log.archives().into_iter().map(|file| file.name).collect();
    assert!(names.iter().any(|name| name[..25] == first[..25] && name.ends_with(".u")), "{first} of {names:?}");
    assert!(names.len() <= WAITING + 5, "{} files", names.len());
    std::fs::write(log.join("good"), "").expect("a file");
    log.wait_count('u', 0);
    log.wait_count('t', 0);
    rotate(&mut logger, 8_001..=8_010);
    wait_until("as many files as wanted", || (log.count('u') == 0 && (2..=3).contains(&log.count('s'))).then_some(()));
    assert_eq!(logger.terminate().ending, Ending::Exit(0));
    let processed = support::lines(&log.join("processed"));
    assert_eq!(processed[..10].join("\n") + "\n", lines(1..=10));
}

// ---- a processor that hangs

#[test]
fn mends_k75_f39_processor_that_hangs_keeps_no_line_waiting() {
    let scratch = Scratch::new();
    let (log, mut logger) = start(&scratch, "n0\n", "exec sleep 1000");
    rotate(&mut logger, 1..=100);
    wait_starts(&log, 1);
    logger.write(lines(101..=20_000));
    log.wait_text(&text(20_000));
    assert_all(&log, 20_000);
    assert_eq!(starts(&log), 1);
    logger.wait_stderr("svlogd: warning: processor already running: log\n");
}

/// TERM gives it five seconds; the whole group ends, and the next logger processes the file.
#[test]
fn mends_f21_term_with_a_processor_that_hangs() {
    let scratch = Scratch::new();
    let (log, mut logger) = start(&scratch, "n0\n", "[ -e good ] || sleep 1000 | sleep 1000; cat");
    rotate(&mut logger, 1..=100);
    wait_starts(&log, 1);
    let since = Instant::now();
    let output = logger.terminate();
    let took = since.elapsed();
    assert_eq!(output.ending, Ending::Exit(0), "{}", output.stderr);
    assert!(took < AFTER_TERM + Duration::from_secs(5), "{took:?}");
    assert!(took > AFTER_TERM / 2, "the processor got no time: {took:?}");
    wait_until("the end of its processes", || scratch.processes().is_empty().then_some(()));
    assert_eq!((log.count('u'), log.count('s')), (2, 0));
    std::fs::write(log.join("good"), "").expect("a file");
    let mut next = scratch.svlogd(&["log"]);
    next.feed(lines(101..=110));
    assert_processed(&log, 110);
}

/// TERM while it hangs, with two of them.
#[test]
fn mends_f21_second_term_ends_the_wait_for_a_processor() {
    let scratch = Scratch::new();
    let (log, mut logger) = start(&scratch, "n0\n", "exec sleep 1000");
    rotate(&mut logger, 1..=100);
    wait_starts(&log, 1);
    let since = Instant::now();
    logger.tell(Signal::SIGTERM);
    logger.signal(Signal::SIGTERM);
    assert_eq!(logger.wait(), Ending::Exit(0));
    assert!(since.elapsed() < AFTER_TERM - Duration::from_millis(500), "{:?}", since.elapsed());
    wait_until("the end of its processes", || scratch.processes().is_empty().then_some(()));
}

/// The input ends: the processor has a minute.
#[test]
fn mends_f21_end_of_input_with_a_processor_that_hangs() {
    let scratch = Scratch::new();
    let (log, mut logger) = start(&scratch, "n0\n", "exec sleep 1000");
    rotate(&mut logger, 1..=100);
    wait_starts(&log, 1);
    let since = Instant::now();
    logger.close();
    // The one limit that is longer than a test waits otherwise.
    while logger.try_wait().is_none() && since.elapsed() < AFTER_INPUT + Duration::from_secs(15) {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(logger.try_wait(), Some(Ending::Exit(0)), "{}", logger.stderr());
    assert!(since.elapsed() > AFTER_INPUT - Duration::from_secs(2), "{:?}", since.elapsed());
    wait_until("the end of its processes", || scratch.processes().is_empty().then_some(()));
    assert_all(&log, 100);
}

/// A processor that ends in time at the end of the input is waited for.
#[test]
fn f21_end_of_input_waits_for_the_processor() {
    let scratch = Scratch::new();
    let (log, mut logger) = start(&scratch, "n0\n", "sleep 1; cat");
    rotate(&mut logger, 1..=10);
    wait_starts(&log, 1);
    assert_eq!(logger.end().ending, Ending::Exit(0));
    assert_eq!((log.count('u'), log.count('t'), log.count('s')), (0, 0, 1));
    assert_all(&log, 10);
}

/// With `k` it is killed with its children, and tried again.
#[test]
fn adds_k_kills_a_processor_that_hangs() {
    let scratch = Scratch::new();
    let processor = "[ $(wc -l <starts) -gt 1 ] || sleep 1000 | sleep 1000; cat";
    let (log, mut logger) = start(&scratch, "n0\nk1\n", processor);
    rotate(&mut logger, 1..=10);
    wait_starts(&log, 2);
    assert_processed(&log, 10);
    let pid = logger.pid();
    wait_until("the end of its processes", || (scratch.processes() == [pid]).then_some(()));
    assert!(logger.stderr().contains("svlogd: warning: processor failed, restart: log\n"), "{}", logger.stderr());
}

/// A processor that is quick is not touched by `k`.
#[test]
fn adds_k_leaves_a_quick_processor_alone() {
    let scratch = Scratch::new();
    let (log, mut logger) = start(&scratch, "n0\nk30\n", "cat");
    logger.write(lines(1..=1_000));
    log.wait_text(&text(1_000));
    assert_processed(&log, 1_000);
    assert_eq!(logger.end().stderr.replace("svlogd: warning: processor already running: log\n", ""), "");
}

/// It ends, but something it started still has its output.
#[test]
fn f39_processor_that_leaves_a_process_behind() {
    let scratch = Scratch::new();
    let (log, mut logger) = start(&scratch, "n0\n", "sleep 1000 & cat");
    rotate(&mut logger, 1..=10);
    wait_starts(&log, 1);
    assert_processed(&log, 10);
    assert_eq!(logger.terminate().ending, Ending::Exit(0));
}

/// It reads nothing of its input, or only a part.
#[test]
fn f39_processor_that_reads_nothing() {
    let scratch = Scratch::new();
    let (log, mut logger) = start(&scratch, "n0\n", "echo processed");
    logger.feed(lines(1..=1_000));
    log.wait_count('u', 0);
    log.wait_count('t', 0);
    assert_eq!(logger.end().ending, Ending::Exit(0));
    let files = log.archives();
    assert!(files.iter().all(|file| file.bytes == b"processed\n"), "{}", logger.stderr());
    assert!(files.len() >= 15, "{}", files.len());
}

// ---- HUP, and what was left behind

#[test]
fn mends_k73_hup_while_a_processor_runs() {
    let scratch = Scratch::new();
    let (log, mut logger) = start(&scratch, "n0\n", "until [ -e good ]; do sleep 0.05; done; cat");
    rotate(&mut logger, 1..=10);
    wait_starts(&log, 1);
    logger.tell(Signal::SIGHUP);
    logger.feed(lines(11..=20));
    logger.tell(Signal::SIGALRM);
    std::fs::write(log.join("good"), "").expect("a file");
    assert_processed(&log, 20);
    assert_eq!(log.count('s'), 2);
    assert_eq!(logger.terminate().ending, Ending::Exit(0));
}

/// HUP while a processor is just being started, again and again: until it is executed it may have a copy of the lock,
/// which must not keep the logger itself out.
#[test]
fn mends_hup_while_a_processor_is_started_keeps_the_lock() {
    let scratch = Scratch::new();
    let (log, mut logger) = start(&scratch, "n0\n", "cat");
    for number in 1..=300 {
        logger.feed(lines(number..=number));
        logger.signal(Signal::SIGALRM);
        logger.signal(Signal::SIGHUP);
    }
    logger.settle();
    assert_processed(&log, 300);
    let output = logger.terminate();
    assert_eq!(output.ending, Ending::Exit(0), "{}", output.stderr);
    assert!(!output.stderr.contains("lock"), "{}", output.stderr);
}

/// HUP with a config that has no processor any more.
#[test]
fn hup_that_takes_the_processor_away() {
    let scratch = Scratch::new();
    let (log, mut logger) = start(&scratch, "n0\n", "until [ -e good ]; do sleep 0.05; done; cat");
    rotate(&mut logger, 1..=10);
    wait_starts(&log, 1);
    let log = log.config("s4000\nn0\n");
    logger.tell(Signal::SIGHUP);
    rotate(&mut logger, 11..=20);
    std::fs::write(log.join("good"), "").expect("a file");
    log.wait_count('t', 0);
    logger.feed(lines(21..=30));
    assert_eq!(logger.terminate().ending, Ending::Exit(0));
    assert_all(&log, 30);
}

#[test]
fn mends_k77_files_that_were_left_behind_are_processed() {
    let scratch = Scratch::new();
    let log = scratch.log("log").file("@40000000000000000000000a.u", lines(1..=10), 0o644);
    let log = log.file("@40000000000000000000000b.u", lines(11..=20), 0o744);
    let log = log.file("@40000000000000000000000b.t", "rubbish\n", 0o644).file("current", lines(21..=30), 0o644);
    let log = log.config("n0\n!cat\n");
    let mut logger = scratch.svlogd(&["log"]);
    logger.feed(lines(31..=40));
    log.wait_count('s', 3);
    assert_processed(&log, 40);
    assert_eq!(log.archives().iter().map(|file| file.mode).collect::<Vec<_>>(), [0o744; 3]);
    assert_eq!(logger.end(), Output::exit(0, "", ""));
}

/// Killed when the output had its name but the file was still there: the rest is done, and nothing is processed twice.
#[test]
fn mends_k77_commit_that_was_interrupted_is_finished() {
    let scratch = Scratch::new();
    let log = scratch.log("log").config("n0\n!echo >>starts; cat; echo wrong >&5\n");
    let log = log.file("@40000000000000000000000a.s", lines(1..=10), 0o744);
    let log = log.file("@40000000000000000000000a.u", "as it came\n", 0o744);
    let log = log.file("newstate", "new\n", 0o644).file("state", "old\n", 0o644);
    let mut logger = scratch.svlogd(&["log"]);
    logger.feed(lines(11..=20));
    log.wait_count('u', 0);
    wait_until("the new state", || (log.read("state") == b"new\n").then_some(()));
    assert_eq!(logger.end(), Output::exit(0, "", ""));
    assert_eq!((starts(&log), log.mode("newstate")), (0, None));
    assert_all(&log, 20);
}

/// Without a processor, what waits stays as it is.
#[test]
fn files_that_wait_stay_without_a_processor() {
    let scratch = Scratch::new();
    let log = scratch.log("log").file("@40000000000000000000000a.u", lines(1..=10), 0o644).config("n0\n");
    let mut logger = scratch.svlogd(&["log"]);
    logger.feed(lines(11..=20));
    assert_eq!(logger.end(), Output::exit(0, "", ""));
    assert_all(&log, 20);
    assert_eq!(log.count('u'), 1);
}

// ---- what a processor needs is not there

/// A directory in the place of its files: it cannot be run, which is told; when it is gone, it is.
#[track_caller]
fn assert_waits_for(name: &str, message: &str) {
    let scratch = Scratch::new();
    let log = scratch.log("log").config("s4000\nn0\n!cat\n");
    std::fs::create_dir(log.join(name)).expect("a directory");
    let mut logger = scratch.svlogd(&["log"]);
    rotate(&mut logger, 1..=10);
    logger.wait_stderr(message);
    logger.write(lines(11..=2_000));
    log.wait_text(&text(2_000));
    std::fs::remove_dir(log.join(name)).expect("the directory");
    assert_processed(&log, 2_000);
    assert_eq!(logger.terminate().ending, Ending::Exit(0));
}

#[test]
fn mends_k75_f39_state_that_is_a_directory() {
    assert_waits_for("state", "svlogd: warning: unable to rename state: log: is a directory\n");
}

#[test]
fn mends_k75_f39_newstate_that_is_a_directory() {
    assert_waits_for("newstate", "svlogd: fatal: unable to open newstate for processor: log: is a directory\n");
}

/// No process can be made.
#[test]
fn mends_k80_f10_no_process_for_the_processor() {
    if !needs(&["strace"]) {
        return;
    }
    let scratch = Scratch::new();
    let (log, mut logger) = start(&scratch, "n0\n", "cat");
    logger.feed(lines(1..=10));
    let calls = "?fork,?vfork,clone,?clone3";
    let injection = Injection::start(&scratch, logger.pid(), calls, "error=EAGAIN");
    logger.signal(Signal::SIGALRM);
    logger.wait_stderr("svlogd: warning: unable to fork for processor: log: temporary failure\n");
    logger.write(lines(11..=2_000));
    log.wait_text(&text(2_000));
    assert!(injection.end() > 0);
    assert_processed(&log, 2_000);
    assert_eq!(logger.terminate().ending, Ending::Exit(0));
}

/// How many files are finished or wait.
fn labels(log: &LogDirectory) -> usize {
    let mut names: Vec<String> = log.archives().iter().map(|file| file.name[..25].to_owned()).collect();
    names.dedup();
    names.len()
}

/// One call of the logger fails, each one in turn while two files are processed: tried again, and nothing is lost or
/// left.
#[track_caller]
fn assert_survives_each(calls: &'static str) {
    if !needs(&["strace"]) {
        return;
    }
    std::thread::scope(|scope| {
        for when in 1..=6 {
            scope.spawn(move || {
                let scratch = Scratch::new();
                let (log, mut logger) = start(&scratch, "n100\n", "cat; cat <&4 >&5; echo >&5");
                logger.feed(lines(1..=10));
                let what = format!("error=EIO:when={when}");
                let injection = Injection::start(&scratch, logger.pid(), calls, &what);
                for part in 0..2 {
                    logger.signal(Signal::SIGALRM);
                    wait_until("a file that is rotated", || (labels(&log) > part).then_some(()));
                    let first = part * 10 + 11;
                    logger.feed(lines(first..=first + 9));
                    log.wait_text(&text(first + 9));
                }
                log.wait_count('s', 2);
                log.wait_count('u', 0);
                log.wait_count('t', 0);
                injection.end();
                let output = logger.terminate();
                assert_eq!(output.ending, Ending::Exit(0), "{what}: {}", output.stderr);
                assert_all(&log, 30);
                assert_eq!(log.read("state"), b"\n\n", "{what}: {}", output.stderr);
            });
        }
    });
}

#[test]
fn f39_each_rename_fails() {
    assert_survives_each("?rename,?renameat,?renameat2");
}

#[test]
fn mends_f39_each_unlink_fails() {
    assert_survives_each("?unlink,?unlinkat");
}

#[test]
fn f39_each_open_fails() {
    assert_survives_each("?open,?openat,?openat2");
}

#[test]
fn f39_each_fsync_fails() {
    assert_survives_each("fsync,fdatasync");
}

#[test]
fn f39_each_chmod_fails() {
    assert_survives_each("?chmod,?fchmod,?fchmodat");
}

/// Its own process group, its standard input the file, and signals as they should be.
#[test]
fn adds_processor_is_a_group_of_its_own() {
    let scratch = Scratch::new();
    let (log, mut logger) = start(&scratch, "n0\n", "echo $$ >pid; exec sleep 1000");
    rotate(&mut logger, 1..=10);
    let pid: u32 = wait_until("a pid", || support::lines(&log.join("pid")).first()?.parse().ok());
    wait_until("the processor", || (command_line(pid).first()? == "sleep").then_some(()));
    let fields = support::process_fields(pid).expect("a process");
    assert_eq!(fields[2], pid.to_string(), "its process group");
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
    let masks: Vec<&str> =
        status.lines().filter(|line| line.starts_with("SigBlk:") || line.starts_with("SigIgn:")).collect();
    // Those above 31 are the C library's.
    let is_empty = |mask: &str| u64::from_str_radix(&mask[8..], 16).expect("a mask") & 0x7fff_ffff == 0;
    assert!(masks.iter().all(|mask| is_empty(mask)), "{masks:?}");
}
