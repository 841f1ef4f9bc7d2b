//! A full disk (F35): the input is read all the same, the oldest files make room, and what cannot be written is
//! counted.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use support::{Ending, LogDirectory, Logger, Scratch, needs, wait_until};

use crate::mounts::{Filler, Mounts};
use crate::numbered::{Tally, announcement, assert_accounted, assert_all, lines, number_of, tally, text};

const REASON: &str = "out of disk space";

/// Waits until all is read.
#[track_caller]
fn wait_read(logger: &Logger) {
    wait_until("a logger that reads", || (logger.input.unread() == 0).then_some(()));
}

/// The lines of stderr that say how many lines are lost.
fn lost_on_stderr(stderr: &str) -> usize {
    let counts = stderr.lines().filter_map(|line| {
        let (count, reason) = announcement(line)?;
        assert_eq!(reason, format!("log: {REASON}"), "{stderr}");
        Some(count)
    });
    counts.sum()
}

/// How many whole numbered lines are in a log, which must be the first ones.
#[track_caller]
fn count_first(log: &LogDirectory) -> usize {
    let lines = log.all_lines();
    let numbers: Vec<usize> = lines.iter().filter_map(|line| number_of(line)).collect();
    assert!(numbers.iter().copied().eq(1..=numbers.len()), "{numbers:?}");
    numbers.len()
}

// ---- old files make room

#[test]
fn f35_oldest_files_make_room_and_no_new_line_is_lost() {
    let scratch = Scratch::new();
    let Some(mounts) = Mounts::of_memory(&scratch, "size=256k") else { return };
    let log = mounts.log().config("s8000\nn100\n");
    let mut logger = mounts.svlogd(&["log"]);
    logger.write(lines(1..=20_000));
    log.wait_text(&text(20_000));
    let stderr = logger.stderr();
    let removed: Vec<&str> = stderr
        .lines()
        .map(|line| line.strip_prefix("svlogd: warning: out of disk space, delete: log/").expect(line))
        .collect();
    assert!(removed.len() > 50 && removed.is_sorted(), "{removed:?}");
    assert!(log.archives().iter().all(|file| file.name.as_str() > removed[removed.len() - 1]), "{removed:?}");
    let Tally { first, written, lost, next, .. } = tally(&log);
    assert_eq!((lost, next, first + written), (0, 20_001, 20_001));
    assert!(written > 256 * 1024 / 60 / 2, "only {written} lines are left");
}

/// Six files, then a disk that somebody else fills whenever there is room: so many files are left in the end, and when
/// there is room for good, all is well.
#[track_caller]
fn assert_left(config: &str, left: usize) {
    let scratch = Scratch::new();
    let Some(mounts) = Mounts::of_memory(&scratch, "size=256k") else { return };
    let log = mounts.log().config(config);
    let mut logger = mounts.svlogd(&["log"]);
    let mut fed = 0;
    while log.count('s') < 6 {
        logger.feed(lines(fed + 1..=fed + 10));
        fed += 10;
    }
    for _round in 0..20 {
        drop(Filler::fill(&log));
        logger.feed(lines(fed + 1..=fed + 200));
        fed += 200;
    }
    let filler = Filler::fill(&log);
    logger.wait_stderr("svlogd: warning: unable to write to current: log: out of disk space\n");
    assert_eq!(log.count('s'), left, "{}", logger.stderr());
    filler.remove();
    logger.write(lines(fed + 1..=fed + 10));
    log.wait_text(&text(fed + 10));
    let Tally { lost, announcements, next, .. } = tally(&log);
    assert!(lost > 0 && announcements.iter().all(|reason| reason == REASON), "{lost} lost: {announcements:?}");
    assert_eq!(next, fed + 11);
    assert_eq!(logger.terminate().ending, Ending::Exit(0));
}

#[test]
fn mends_f35_as_many_files_are_left_as_n_says() {
    assert_left("s8000\nn100\nN3\n", 3);
}

#[test]
fn mends_f35_newest_file_is_left() {
    assert_left("s8000\nn100\n", 1);
}

#[test]
fn mends_f35_where_all_are_wanted_none_is_removed() {
    assert_left("s8000\nn0\n", 6);
}

#[test]
fn mends_f35_minimum_that_is_no_less_than_the_number_removes_none() {
    assert_left("s8000\nn50\nN50\n", 6);
}

/// There is room, but not for one more file.
#[test]
fn mends_f35_no_room_for_names() {
    let scratch = Scratch::new();
    let Some(mounts) = Mounts::of_memory(&scratch, "size=1m,nr_inodes=8") else { return };
    let log = mounts.log().config("s8000\nn100\n");
    let mut logger = mounts.svlogd(&["log"]);
    logger.write(lines(1..=2_000));
    log.wait_text(&text(2_000));
    logger.write(lines(2_001..=4_000));
    log.wait_text(&text(4_000));
    let Tally { written, lost, next, .. } = tally(&log);
    assert!(written > 133 && log.count('s') <= 5, "{}", logger.stderr());
    assert_eq!((lost, next), (0, 4_001), "{}", logger.stderr());
    assert_eq!(logger.terminate().ending, Ending::Exit(0));
}

// ---- lines are held, then dropped, then counted

/// A logger on a full disk that has read so many lines.
struct Full<'scratch> {
    mounts: Mounts<'scratch>,
    log: LogDirectory,
    logger: Logger,
    filler: Filler,
}

impl<'scratch> Full<'scratch> {
    #[track_caller]
    fn start(scratch: &'scratch Scratch, words: &[&str], config: &str) -> Option<Full<'scratch>> {
        let mounts = Mounts::of_memory(scratch, "size=4m")?;
        let log = mounts.log().config(config);
        let mut logger = mounts.svlogd(words);
        logger.feed(lines(1..=100));
        let filler = Filler::fill(&log);
        Some(Full { mounts, log, logger, filler })
    }
}

/// Three megabytes go by: nobody waits, one line says how many are missing, and what was held comes behind it.
#[test]
fn mends_k80_f35_full_disk_keeps_no_writer_waiting() {
    let scratch = Scratch::new();
    let Some(mut full) = Full::start(&scratch, &["log"], "") else { return };
    full.logger.write(lines(101..=50_000));
    wait_read(&full.logger);
    let warning = "svlogd: warning: unable to write to current: log: out of disk space\n";
    full.logger.wait_stderr(warning);
    assert_eq!(full.logger.stderr().matches(warning).count(), 1, "{}", full.logger.stderr());
    full.filler.remove();
    full.logger.write(lines(50_001..=50_100));
    full.log.wait_text(&text(50_100));
    let Tally { written, lost, announcements, .. } = assert_accounted(&full.log, 50_100);
    assert_eq!(announcements, [REASON]);
    assert!(lost > 40_000 && written > 45_056 / 2 / 60, "{written} written, {lost} lost");
    assert_eq!(full.logger.terminate().ending, Ending::Exit(0));
    assert_accounted(&full.log, 50_100);
    assert_eq!(lost_on_stderr(&full.logger.stderr()), lost, "{}", full.logger.stderr());
}

/// What the buffer has room for is not lost at all.
#[test]
fn f35_few_lines_are_held() {
    let scratch = Scratch::new();
    let Some(mut full) = Full::start(&scratch, &["log"], "") else { return };
    full.logger.write(lines(101..=400));
    full.logger.wait_stderr("unable to write to current");
    full.filler.remove();
    full.log.wait_text(&text(400));
    assert_all(&full.log, 400);
}

/// With a larger buffer more of them. A part of it is for what is being read.
#[test]
fn mends_f35_buffer_is_as_large_as_the_option_says() {
    let scratch = Scratch::new();
    let Some(mut full) = Full::start(&scratch, &["-b", "1000000", "log"], "") else { return };
    full.logger.write(lines(101..=10_000));
    full.logger.wait_stderr("unable to write to current");
    wait_read(&full.logger);
    full.filler.remove();
    full.log.wait_text(&text(10_000));
    assert_all(&full.log, 10_000);
}

/// The disk is full again and again; each time there is one announcement at most, at its place.
#[test]
fn mends_f35_full_disk_again_and_again() {
    let scratch = Scratch::new();
    let Some(mut full) = Full::start(&scratch, &["log"], "") else { return };
    let mut fed = 100;
    for round in 0..3 {
        full.logger.write(lines(fed + 1..=fed + 5_000));
        fed += 5_000;
        wait_read(&full.logger);
        full.filler.remove();
        full.logger.write(lines(fed + 1..=fed + 10));
        fed += 10;
        full.log.wait_text(&text(fed));
        let tally = assert_accounted(&full.log, fed);
        assert_eq!(tally.announcements.len(), round + 1, "{tally:?}");
        full.filler = Filler::fill(&full.log);
    }
}

/// The announcement has a stamp and the prefix, as every line.
#[test]
fn mends_f35_announcement_is_a_line_as_others() {
    let scratch = Scratch::new();
    let Some(mut full) = Full::start(&scratch, &["-tt", "log"], "pweb: \n") else { return };
    full.logger.write(lines(101..=5_000));
    wait_read(&full.logger);
    full.filler.remove();
    full.log.wait_text(&text(5_000));
    let lines = full.log.all_lines();
    let index = lines.iter().position(|line| announcement(line).is_some()).expect("an announcement");
    let shape: String = lines[index].chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let (stamp, rest) = shape.split_once(' ').expect("a stamp");
    assert_eq!(stamp, "0000-00-00_00:00:00.00000");
    let number: String = "0".repeat(rest.matches('0').count());
    assert_eq!(rest, format!("web: svlogd: warning: {number} lines lost: {REASON}"));
    assert!(lines[..index - 1].iter().all(|line| line.contains(" web: line ")), "{}", lines[index - 1]);
    assert!(lines[index + 1..].iter().all(|line| line.contains(" web: line ")));
}

/// Lines that a pattern does not take are not missed.
#[test]
fn mends_f35_lines_not_taken_are_not_counted() {
    let scratch = Scratch::new();
    let Some(mut full) = Full::start(&scratch, &["log"], "-skip*\n") else { return };
    for number in 101..=5_000 {
        full.logger.write(format!("skip this {number}\n{}", lines(number..=number)));
    }
    wait_read(&full.logger);
    full.filler.remove();
    full.log.wait_text(&text(5_000));
    let Tally { lost, announcements, .. } = assert_accounted(&full.log, 5_000);
    assert!(lost > 0);
    assert_eq!(announcements.len(), 1);
}

/// Another directory, on a disk with room, gets every line.
#[test]
fn mends_k80_f35_other_directories_are_not_affected() {
    let scratch = Scratch::new();
    let Some(mounts) = Mounts::of_memory(&scratch, "size=4m") else { return };
    let (log, other) = (mounts.log().config(""), scratch.log("other").config("s0\n"));
    let mut logger = mounts.svlogd(&["log", "other"]);
    logger.feed(lines(1..=100));
    let filler = Filler::fill(&log);
    logger.write(lines(101..=20_000));
    other.wait_text(&text(20_000));
    filler.remove();
    log.wait_text(&text(20_000));
    assert_all(&other, 20_000);
    assert!(assert_accounted(&log, 20_000).lost > 0);
}

/// A line that is longer than all buffers, begun before the disk was full and ended after: it is counted once.
#[test]
fn mends_f35_long_line_is_one_line() {
    let scratch = Scratch::new();
    let Some(mut full) = Full::start(&scratch, &["log"], "s0\n") else { return };
    full.logger.write(vec![b'x'; 300_000]);
    wait_read(&full.logger);
    full.filler.remove();
    full.logger.write("end of it\n");
    full.logger.write(lines(102..=200));
    full.log.wait_text(&text(200));
    let all = full.log.all_lines();
    let index = all.iter().position(|line| announcement(line).is_some()).expect("an announcement");
    assert_eq!(announcement(&all[index]), Some((1, REASON)));
    let expected: Vec<String> = (1..=100).chain(102..=200).map(text).collect();
    let others: Vec<String> = all.into_iter().filter(|line| number_of(line).is_some()).collect();
    assert_eq!(others, expected);
}

/// No room for what a processor writes: it fails, and is run again when there is.
#[test]
fn mends_k75_f35_no_room_for_a_processor() {
    let scratch = Scratch::new();
    let Some(mut full) = Full::start(&scratch, &["log"], "s8000\nn0\n!cat\n") else { return };
    full.logger.feed(lines(101..=2_000));
    full.logger.signal(Signal::SIGALRM);
    full.logger.wait_stderr("svlogd: warning: processor failed, restart: log\n");
    full.logger.write(lines(2_001..=10_000));
    wait_read(&full.logger);
    full.filler.remove();
    full.logger.write(lines(10_001..=10_010));
    full.log.wait_text(&text(10_010));
    full.log.wait_count('u', 0);
    full.log.wait_count('t', 0);
    assert!(assert_accounted(&full.log, 10_010).lost > 0);
    assert_eq!(full.logger.terminate().ending, Ending::Exit(0));
}

/// The size of files is limited for the process, as `chpst -f` does it: the next file takes what this one does not.
#[test]
fn mends_k80_file_that_may_not_be_so_large() {
    if !needs(&["prlimit"]) {
        return;
    }
    let scratch = Scratch::new();
    let log = scratch.log("log").config("n0\n");
    let mut logger = scratch.svlogd(&["log"]);
    logger.feed(lines(1..=100));
    let pid = logger.pid();
    let limit = |size: &str| {
        let output = scratch.run("prlimit", &[&format!("--pid={pid}"), &format!("--fsize={size}:")]);
        assert_eq!(output.ending, Ending::Exit(0), "{}", output.stderr);
    };
    limit("8000");
    logger.write(lines(101..=10_000));
    wait_read(&logger);
    limit("unlimited");
    logger.write(lines(10_001..=10_010));
    log.wait_text(&text(10_010));
    assert_eq!(assert_accounted(&log, 10_010).lost, 0);
    assert_eq!(logger.terminate().ending, Ending::Exit(0));
}

// ---- `w`: wait

/// Writes until nobody has read for a second, and says how much that was.
fn write_until_stalled(logger: &mut Logger, bytes: &[u8]) -> usize {
    let (mut written, mut since) = (0, Instant::now());
    while written < bytes.len() && since.elapsed() < Duration::from_secs(1) {
        match logger.input.try_write(&bytes[written..]) {
            0 => std::thread::sleep(Duration::from_millis(5)),
            count => (written, since) = (written + count, Instant::now()),
        }
    }
    written
}

#[track_caller]
fn assert_waits(config: &str) {
    let scratch = Scratch::new();
    let Some(mut full) = Full::start(&scratch, &["log"], config) else { return };
    let all = lines(101..=20_000);
    let written = write_until_stalled(&mut full.logger, all.as_bytes());
    assert!(written < 65_536 * 3, "{written} bytes were read");
    full.filler.remove();
    full.logger.write(&all[written..]);
    full.log.wait_text(&text(20_000));
    assert_all(&full.log, 20_000);
    assert_eq!(full.logger.terminate().ending, Ending::Exit(0));
}

#[test]
fn f35_with_w_the_writer_waits_and_nothing_is_lost() {
    assert_waits("w\n");
}

#[test]
fn f35_with_wait_the_writer_waits_and_nothing_is_lost() {
    assert_waits("wait\n");
}

/// It ends though somebody wants it to wait, and what it had is told.
#[test]
fn mends_k80_f35_term_while_it_waits() {
    let scratch = Scratch::new();
    let Some(mut full) = Full::start(&scratch, &["log"], "w\n") else { return };
    let all = lines(101..=20_000);
    write_until_stalled(&mut full.logger, all.as_bytes());
    let since = Instant::now();
    let output = full.logger.terminate();
    assert_eq!(output.ending, Ending::Exit(0), "{}", output.stderr);
    assert!(since.elapsed() < Duration::from_secs(8), "{:?}", since.elapsed());
    let (written, lost) = (count_first(&full.log), lost_on_stderr(&output.stderr));
    // What it has not read is there for the next one.
    let left = scratch.logger(full.logger.into_input(), scratch.command("cat")).end().stdout;
    let first_left = left.lines().next().map(|line| number_of(line).expect("a whole line"));
    assert_eq!(Some(written + lost + 1), first_left, "{written} written, {lost} lost: {}", output.stderr);
}

// ---- the end

#[test]
fn mends_k80_f35_term_on_a_full_disk() {
    let scratch = Scratch::new();
    let Some(mut full) = Full::start(&scratch, &["log"], "") else { return };
    full.logger.write(lines(101..=10_000));
    wait_read(&full.logger);
    full.logger.wait_stderr("unable to write to current");
    let since = Instant::now();
    let output = full.logger.terminate();
    assert_eq!(output.ending, Ending::Exit(0), "{}", output.stderr);
    assert!(since.elapsed() < Duration::from_secs(8), "{:?}", since.elapsed());
    assert_eq!(count_first(&full.log) + lost_on_stderr(&output.stderr), 10_000, "{}", output.stderr);
}

#[test]
fn mends_k80_f35_end_of_input_on_a_full_disk() {
    let scratch = Scratch::new();
    let Some(mut full) = Full::start(&scratch, &["log"], "") else { return };
    full.logger.write(lines(101..=10_000));
    let since = Instant::now();
    let output = full.logger.end();
    assert_eq!(output.ending, Ending::Exit(0), "{}", output.stderr);
    assert!(since.elapsed() < Duration::from_secs(12), "{:?}", since.elapsed());
    assert_eq!(count_first(&full.log) + lost_on_stderr(&output.stderr), 10_000, "{}", output.stderr);
}

/// There is room again while it still tries: what is held arrives.
#[test]
fn mends_f35_room_after_the_end_of_input() {
    let scratch = Scratch::new();
    let Some(mut full) = Full::start(&scratch, &["log"], "") else { return };
    full.logger.write(lines(101..=400));
    full.logger.wait_stderr("unable to write to current");
    full.logger.close();
    wait_read(&full.logger);
    full.filler.remove();
    assert_eq!(full.logger.wait(), Ending::Exit(0));
    assert_all(&full.log, 400);
    assert_eq!(lost_on_stderr(&full.logger.stderr()), 0);
}

#[test]
fn f35_with_w_the_end_of_input_waits_for_room() {
    let scratch = Scratch::new();
    let Some(mut full) = Full::start(&scratch, &["log"], "w\n") else { return };
    full.logger.write(lines(101..=400));
    full.logger.close();
    // Longer than it tries without `w`.
    let since = Instant::now();
    while since.elapsed() < Duration::from_millis(6_500) {
        assert_eq!(full.logger.try_wait(), None, "{}", full.logger.stderr());
        std::thread::sleep(Duration::from_millis(50));
    }
    full.filler.remove();
    assert_eq!(full.logger.wait(), Ending::Exit(0));
    assert_all(&full.log, 400);
}

/// The next logger goes on in the same file; a line that was torn does not run into its first one.
#[test]
fn mends_f35_next_logger_begins_a_line() {
    let scratch = Scratch::new();
    let Some(mut full) = Full::start(&scratch, &["log"], "") else { return };
    full.logger.write(lines(101..=10_000));
    wait_read(&full.logger);
    assert_eq!(full.logger.terminate().ending, Ending::Exit(0));
    let written = count_first(&full.log);
    full.filler.remove();
    let mut next = full.mounts.svlogd(&["log"]);
    next.feed("a line of the next\n");
    assert_eq!(next.terminate().ending, Ending::Exit(0));
    let all = full.log.all_lines();
    assert!(all.contains(&"a line of the next".to_owned()), "{:?}", &all[written.saturating_sub(1)..]);
}

/// ALRM and HUP on a full disk break nothing.
#[test]
fn mends_k80_f35_signals_on_a_full_disk() {
    let scratch = Scratch::new();
    let Some(mut full) = Full::start(&scratch, &["log"], "n0\n") else { return };
    let mut fed = 100;
    for signal in [Signal::SIGALRM, Signal::SIGHUP, Signal::SIGALRM, Signal::SIGCHLD, Signal::SIGHUP] {
        full.logger.write(lines(fed + 1..=fed + 1_000));
        fed += 1_000;
        full.logger.signal(signal);
        wait_read(&full.logger);
    }
    full.filler.remove();
    full.logger.write(lines(fed + 1..=fed + 10));
    full.log.wait_text(&text(fed + 10));
    assert_accounted(&full.log, fed + 10);
    assert_eq!(full.logger.terminate().ending, Ending::Exit(0));
}
