//! The machine against a world in memory, in which everything can fail.

use proptest::prelude::*;

use super::*;
use crate::limits::LINE_PARTS;
use crate::log::archive::Name;
use crate::log::lines::Rules;

/// A log directory in memory.
#[derive(Default)]
struct World {
    current: Option<Vec<u8>>,
    is_sealed: bool,
    is_open: bool,
    old: Vec<(Name, Vec<u8>)>,
    shown: Vec<u8>,
    sent: Vec<Vec<u8>>,
    warnings: Vec<(What, Errno)>,
    /// What a look finds, if not that all is there.
    presence: Option<Presence>,
    lost: u64,
    /// What fails next: for each action one, `None` if it succeeds. Behind the end all succeed.
    faults: std::collections::VecDeque<Option<Fault>>,
    done: Vec<Action>,
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    Fails(Errno),
    /// A write takes only so many bytes.
    IsShort(usize),
}

struct Stage {
    machine: Directory<'static>,
    lines: Lines<'static>,
    world: World,
    now: Instant,
    wall: Label,
}

const STYLE: Style = Style::None;

impl Stage {
    fn new(config: &str, buffer: usize) -> Stage {
        let mut text = config.as_bytes().to_vec();
        text.push(0);
        let mut config = Config::new(text.leak());
        let length = config.space().len();
        config.read(length, false, &mut |line, fault| panic!("line {line}: {fault:?}"));
        let rules = Rules { stamp_size: 0, replacement: None, characters: 20 };
        Stage {
            machine: Directory::new(config, STYLE),
            lines: Lines::new(vec![0; buffer].leak(), rules),
            world: World::default(),
            now: Instant::new(100, 0),
            wall: Label::from_unix(1_000_000, 0),
        }
    }

    fn opened(config: &str) -> Stage {
        let mut stage = Stage::new(config, 4096);
        stage.tell(Event::Look);
        stage.world.done.clear();
        stage
    }

    /// Hands in an event and performs what follows.
    fn tell(&mut self, event: Event) {
        let mut event = event;
        for _ in 0..10_000 {
            let mut parts = Parts::new();
            let action = self.machine.handle(event, &self.lines, self.now, self.wall, &mut parts);
            let Some(action) = action else { return };
            let bytes = parts.concat();
            assert!(parts.len() <= LINE_PARTS);
            drop(parts);
            event = self.world.perform(action, &bytes, self.machine.latest());
        }
        panic!("it never ends: {:?}", &self.world.done[self.world.done.len() - 20..]);
    }

    /// Lines come, and are written or dropped as a program does it.
    fn feed(&mut self, mut input: &[u8]) {
        while !input.is_empty() {
            self.make_room();
            let space = self.lines.space();
            let count = space.len().min(input.len());
            assert!(count > 0, "no room");
            space[..count].copy_from_slice(&input[..count]);
            input = &input[count..];
            self.lines.received(count);
            assert!(self.lines.make(&Stamp::NONE));
            self.tell(Event::Look);
            self.discard();
        }
    }

    fn make_room(&mut self) {
        if self.lines.is_crowded() {
            let end = self.lines.crowd();
            self.machine.lose(&self.lines, end);
            self.discard();
        }
    }

    fn discard(&mut self) {
        let done = self.machine.cursor().unwrap_or(self.lines.ready().len());
        self.lines.discard(done);
        self.machine.shift(done);
    }

    fn wait(&mut self, seconds: u64) {
        self.now = self.now.plus(crate::time::Duration::from_seconds(seconds));
        self.tell(Event::Look);
        self.discard();
    }

    fn current(&self) -> String {
        String::from_utf8(self.world.current.clone().unwrap_or_default()).unwrap()
    }

    fn old(&self) -> Vec<String> {
        self.world.old.iter().map(|(_, bytes)| String::from_utf8(bytes.clone()).unwrap()).collect()
    }

    /// All that was written. A line may go on in the next file, but what is lost ends with its file.
    fn all(&self, prefix: &str) -> String {
        let all: String = self.old().into_iter().chain([self.current()]).collect();
        let note = format!("{prefix}svlogd: w");
        all.replace(&note, &format!("\n{note}"))
    }
}

impl World {
    fn perform(&mut self, action: Action, bytes: &[u8], latest: Label) -> Event {
        self.done.push(action);
        let what = match action {
            Action::Warn(what, reason) => {
                self.warnings.push((what, reason));
                return Event::Look;
            }
            Action::TellLost(lost, _) => {
                self.lost += lost;
                return Event::Look;
            }
            Action::Show => {
                self.shown.extend(bytes);
                return Event::Look;
            }
            Action::Check => return Event::Checked(self.presence.take().unwrap_or(Presence::Present)),
            Action::Close { .. } => {
                self.is_open = false;
                return Event::Done;
            }
            Action::SyncDirectory => return Event::Done,
            Action::MakeRoom(least) => {
                let may = self.old.len() > least as usize;
                if may {
                    self.old.remove(0);
                }
                return Event::Removed(may);
            }
            Action::Open { .. } => What::OpenDirectory,
            Action::Create => What::OpenCurrent,
            Action::Write => What::Write,
            Action::Send => What::Send,
            Action::Sync => What::Sync,
            Action::Seal => What::SetMode,
            Action::Rename(_) => What::Rename,
            Action::Prune => What::ReadDirectory,
        };
        let mut most = usize::MAX;
        match self.faults.pop_front().flatten() {
            Some(Fault::Fails(reason)) => return Event::Failed(what, reason),
            Some(Fault::IsShort(count)) => most = count.max(1),
            None => {}
        }
        match action {
            Action::Open { .. } => {
                self.is_open = true;
                let size = self.current.as_ref().map_or(0, Vec::len) as u64;
                Event::Opened { size, is_sealed: self.is_sealed }
            }
            Action::Create => {
                assert!(self.is_open);
                self.is_sealed = false;
                let current = self.current.get_or_insert_default();
                Event::Created {
                    size: current.len() as u64,
                    ends_line: current.last().is_none_or(|byte| *byte == b'\n'),
                }
            }
            Action::Write => {
                assert!(self.is_open && !self.is_sealed && !bytes.is_empty());
                let count = bytes.len().min(most);
                self.current.as_mut().expect("an open file").extend(&bytes[..count]);
                Event::Written(count)
            }
            Action::Send => {
                self.sent.push(bytes.to_vec());
                Event::Done
            }
            Action::Seal => {
                self.is_sealed = true;
                Event::Done
            }
            Action::Rename(kind) => {
                let name = Name::new(latest, kind);
                if self.old.iter().any(|(have, _)| *have == name) {
                    return Event::Failed(what, Errno::EXIST);
                }
                assert!(self.old.iter().all(|(have, _)| *have < name), "out of order");
                self.old.push((name, self.current.take().expect("a file")));
                Event::Done
            }
            Action::Prune => Event::Pruned { is_complete: true },
            _ => Event::Done,
        }
    }
}

#[test]
fn opening_is_done_in_steps() {
    let mut stage = Stage::new("", 4096);
    stage.tell(Event::Look);
    let steps = [Action::Open { must_make: false }, Action::Create, Action::SyncDirectory, Action::Prune];
    assert_eq!(stage.world.done, steps);
    assert_eq!(stage.machine.deadline(&stage.lines), None);
}

#[test]
fn an_error_that_stays_ends_it_and_one_that_may_go_does_not() {
    for (reason, is_gone) in [(Errno::NOENT, true), (Errno::AGAIN, true), (Errno::ROFS, false), (Errno::new(5), false)]
    {
        let mut stage = Stage::new("", 4096);
        stage.world.faults = [Some(Fault::Fails(reason))].into();
        stage.tell(Event::Look);
        assert_eq!(stage.machine.is_gone(), is_gone, "{reason:?}");
        assert_eq!(stage.world.warnings, [(What::OpenDirectory, reason)]);
        stage.feed(b"one\n");
        stage.wait(1);
        assert_eq!(stage.current(), if is_gone { "" } else { "one\n" });
    }
}

#[test]
fn what_was_not_closed_properly_is_put_aside() {
    let mut stage = Stage::new("", 4096);
    stage.world.current = Some(b"old\n".to_vec());
    stage.tell(Event::Look);
    stage.feed(b"new\n");
    assert_eq!((stage.old(), stage.current()), (vec!["old\n".to_owned()], "new\n".to_owned()));
    assert!(stage.world.old[0].0.is(Kind::Unprocessed));
}

#[test]
fn what_was_closed_properly_is_gone_on_with() {
    let mut stage = Stage::new("", 4096);
    (stage.world.current, stage.world.is_sealed) = (Some(b"old\n".to_vec()), true);
    stage.tell(Event::Look);
    stage.feed(b"new\n");
    assert_eq!(stage.current(), "old\nnew\n");
}

#[test]
fn a_line_that_another_has_torn_ends_before_the_next() {
    let mut stage = Stage::new("", 4096);
    (stage.world.current, stage.world.is_sealed) = (Some(b"torn".to_vec()), true);
    stage.tell(Event::Look);
    assert_eq!(stage.current(), "torn");
    stage.feed(b"new\n");
    assert_eq!(stage.current(), "torn\nnew\n");
}

#[test]
fn rotation_that_was_asked_for_is_tried_again() {
    let mut stage = Stage::opened("");
    stage.feed(b"one\n");
    stage.world.faults = [None, None, Some(Fault::Fails(Errno::new(5)))].into();
    stage.tell(Event::Rotate);
    assert_eq!((stage.old().len(), stage.current().as_str()), (0, "one\n"));
    assert_eq!(stage.machine.deadline(&stage.lines), Some(stage.now.plus(LOG_RETRY)));
    stage.wait(1);
    assert_eq!((stage.old().len(), stage.machine.deadline(&stage.lines)), (1, None));
}

#[test]
fn rotation_is_done_in_steps() {
    let mut stage = Stage::opened("s100");
    stage.feed(b"one\n");
    stage.world.done.clear();
    stage.tell(Event::Rotate);
    let steps = [
        Action::Sync,
        Action::Seal,
        Action::Rename(Kind::Finished),
        Action::Create,
        Action::SyncDirectory,
        Action::Prune,
    ];
    assert_eq!(stage.world.done, steps);
    stage.world.done.clear();
    // An empty file is left alone.
    stage.tell(Event::Rotate);
    assert_eq!(stage.world.done, []);
}

#[test]
fn a_file_is_rotated_when_little_is_left_or_the_next_line_does_not_fit() {
    let mut stage = Stage::opened("s100");
    // 20 characters before the end is little.
    for line in [70, 9, 1, 60, 45] {
        stage.feed(format!("{}\n", "x".repeat(line - 1)).as_bytes());
    }
    assert_eq!(stage.old().iter().map(String::len).collect::<Vec<_>>(), [80, 60]);
    assert_eq!(stage.current().len(), 45);
}

#[test]
fn only_a_line_that_is_larger_than_a_file_is_cut() {
    let mut stage = Stage::opened("s50");
    stage.feed(format!("short\n{}\nnext\n", "x".repeat(119)).as_bytes());
    assert_eq!(stage.old().iter().map(String::len).collect::<Vec<_>>(), [6, 50, 50]);
    assert_eq!(stage.current(), format!("{}\nnext\n", "x".repeat(19)));
}

#[test]
fn age_is_counted_from_the_first_moment_of_the_file_and_needs_no_wake_up_without_lines() {
    let mut stage = Stage::opened("t10");
    assert_eq!(stage.machine.deadline(&stage.lines), None);
    stage.wait(20);
    stage.feed(b"one\n");
    assert_eq!(stage.machine.deadline(&stage.lines), Some(stage.now.plus(crate::time::Duration::from_seconds(10))));
    stage.wait(9);
    assert_eq!(stage.old().len(), 0);
    stage.wait(1);
    assert_eq!(stage.old(), ["one\n"]);
}

#[test]
fn later_files_have_later_names_whatever_the_clock_says() {
    let mut stage = Stage::opened("s10");
    for wall in [5_000_000, 10, 4_000_000] {
        stage.wall = Label::from_unix(wall, 0);
        stage.feed(b"0123456789\n");
    }
    assert!(stage.world.old.len() >= 3 && stage.world.old.is_sorted_by(|one, other| one.0 < other.0));
}

#[test]
fn a_full_disk_costs_old_files_first() {
    let mut stage = Stage::opened("s20\nn5\nN1");
    stage.feed(b"0123456789\n0123456789\n0123456789\n");
    let before = stage.old().len();
    assert_eq!(before, 3);
    stage.world.faults = [Some(Fault::Fails(Errno::NOSPC))].into();
    stage.feed(b"next\n");
    assert_eq!((stage.old().len(), stage.world.warnings.as_slice()), (before - 1, &[][..]));
    assert!(stage.current().ends_with("next\n"));
}

#[test]
fn lines_wait_until_it_can_be_written_again() {
    let mut stage = Stage::opened("n0");
    stage.world.faults = [Some(Fault::Fails(Errno::NOSPC)), Some(Fault::Fails(Errno::NOSPC))].into();
    stage.feed(b"one\n");
    stage.feed(b"two\n");
    assert_eq!((stage.current().as_str(), stage.world.warnings.len()), ("", 1));
    let at = stage.machine.deadline(&stage.lines).unwrap();
    assert_eq!(at, stage.now.plus(LOG_RETRY));
    stage.wait(1);
    // Told once.
    assert_eq!((stage.current().as_str(), stage.world.warnings.len()), ("", 1));
    stage.wait(1);
    assert_eq!(stage.current(), "one\ntwo\n");
    assert_eq!(stage.machine.deadline(&stage.lines), None);
}

#[test]
fn what_is_lost_is_told_before_the_next_line() {
    let mut stage = Stage::opened("n0\npP: ");
    stage.world.faults = [Some(Fault::IsShort(4)), Some(Fault::Fails(Errno::NOSPC))].into();
    stage.feed(b"one\ntwo\n");
    assert_eq!(stage.current(), "P: o");
    let end = stage.lines.ready().len();
    stage.machine.lose(&stage.lines, end);
    stage.discard();
    stage.wait(1);
    stage.feed(b"three\n");
    assert_eq!(stage.current(), "P: o\nP: svlogd: warning: 2 lines lost: out of disk space\nP: three\n");
    assert_eq!(stage.world.lost, 2);
}

#[test]
fn after_another_error_it_is_opened_anew() {
    let mut stage = Stage::opened("");
    stage.world.faults = [Some(Fault::Fails(Errno::new(5)))].into();
    stage.feed(b"one\n");
    stage.world.done.clear();
    stage.wait(1);
    let steps = [
        Action::Sync,
        Action::Seal,
        Action::Close { is_last: false },
        Action::Open { must_make: false },
        Action::Create,
    ];
    assert_eq!(stage.world.done[..5], steps);
    assert_eq!((stage.current().as_str(), stage.old().len()), ("one\n", 0));
}

#[test]
fn a_file_that_cannot_be_renamed_grows_to_twice_its_size() {
    let mut stage = Stage::opened("s100");
    let line = b"0123456789012345678\n".repeat(4);
    stage.feed(&line);
    assert_eq!(stage.old().len(), 1);
    stage.world.old.clear();
    stage.feed(&line[..60]);
    // Sync and seal succeed, rename does not.
    stage.world.faults = [None, None, None, Some(Fault::Fails(Errno::ACCES))].into();
    stage.feed(&line.repeat(4));
    assert_eq!((stage.old().len(), stage.current().len()), (0, 200));
    assert_eq!(stage.world.warnings, [(What::Rename, Errno::ACCES)]);
    stage.wait(1);
    assert_eq!(stage.old()[0].len(), 200);
}

#[test]
fn patterns_prefix_and_standard_error() {
    let mut stage = Stage::opened("-*\n+a*\ne*!*\npP: ");
    stage.feed(b"a1\nb1\nb!2\na2 which is longer than twenty characters\n");
    assert_eq!(stage.current(), "P: a1\nP: a2 which is longer than twenty characters\n");
    assert_eq!(stage.world.shown, b"P: b!2\n");
}

#[test]
fn what_is_shown_and_sent_is_cut() {
    let mut stage = Stage::opened("e*\nu127.0.0.1");
    stage.feed(b"01234567890123456789\n012345678901234567890\n");
    assert_eq!(stage.world.shown, b"01234567890123456789\n01234567890123456789...\n");
    assert_eq!(stage.world.sent.concat(), stage.world.shown);
    assert_eq!(stage.current(), "01234567890123456789\n012345678901234567890\n");
}

#[test]
fn what_could_not_be_sent_stands_in_the_log() {
    let mut stage = Stage::opened("U127.0.0.1");
    stage.world.faults = [Some(Fault::Fails(Errno::new(101)))].into();
    stage.feed(b"one\ntwo\n");
    assert_eq!(stage.world.sent, [b"two\n"]);
    assert_eq!(stage.current(), "warning: failure sending through udp: one\n");
}

#[test]
fn lines_are_sent_although_they_cannot_be_written() {
    let mut stage = Stage::opened("u127.0.0.1\nn0");
    stage.world.faults = [None, Some(Fault::Fails(Errno::NOSPC))].into();
    stage.feed(b"one\n");
    stage.feed(b"two\n");
    assert_eq!((stage.world.sent.concat(), stage.current()), (b"one\ntwo\n".to_vec(), String::new()));
    stage.wait(1);
    assert_eq!((stage.world.sent.len(), stage.current().as_str()), (2, "one\ntwo\n"));
}

#[test]
fn what_was_renamed_is_made_anew_at_once_and_what_was_removed_after_a_second() {
    for (presence, seconds) in [(Presence::CurrentMoved, 0), (Presence::CurrentGone, 1), (Presence::DirectoryGone, 1)] {
        let mut stage = Stage::opened("");
        stage.feed(b"one\n");
        (stage.world.presence, stage.world.current) = (Some(presence), None);
        stage.tell(Event::Suspect);
        stage.feed(b"two\n");
        assert_eq!(stage.current(), if seconds == 0 { "two\n" } else { "" }, "{presence:?}");
        stage.wait(1);
        assert_eq!(stage.current(), "two\n", "{presence:?}");
        let must_make = presence != Presence::CurrentMoved;
        assert!(stage.world.done.contains(&Action::Open { must_make }), "{presence:?}");
    }
}

#[test]
fn a_file_that_may_not_grow_is_rotated() {
    let mut stage = Stage::opened("n0");
    stage.world.faults = [Some(Fault::IsShort(6)), Some(Fault::Fails(Errno::FBIG))].into();
    stage.feed(b"one\ntwo\nthree\n");
    assert_eq!((stage.old(), stage.current().as_str()), (vec!["one\ntw".to_owned()], "o\nthree\n"));
    // A new one that may not begin does not turn for ever.
    stage.world.faults =
        [Some(Fault::Fails(Errno::FBIG)), None, None, None, None, Some(Fault::Fails(Errno::FBIG))].into();
    stage.feed(b"four\n");
    stage.wait(1);
    assert_eq!(stage.current(), "four\n");
}

#[test]
fn a_line_that_can_be_neither_sent_nor_written_is_counted() {
    let mut stage = Stage::opened("U127.0.0.1\nn0");
    let no_network = Some(Fault::Fails(Errno::new(101)));
    stage.world.faults = [no_network, Some(Fault::Fails(Errno::NOSPC)), no_network].into();
    stage.feed(b"one\ntwo\n");
    stage.wait(1);
    assert_eq!((stage.current().as_str(), stage.world.lost), ("svlogd: warning: 2 lines lost: out of disk space\n", 2));
}

#[test]
fn what_waits_is_told_as_lost_where_it_cannot_be_reopened() {
    let mut stage = Stage::opened("n0");
    stage.world.faults = [Some(Fault::Fails(Errno::NOSPC)), None, None, Some(Fault::Fails(Errno::NOENT))].into();
    stage.feed(b"one\ntwo\n");
    stage.tell(Event::Reopen);
    assert!(stage.machine.is_gone());
    assert_eq!(stage.world.lost, 2);
}

#[test]
fn lines_are_sent_although_it_is_not_open() {
    let mut stage = Stage::opened("u127.0.0.1\nn0");
    stage.world.faults = [None, Some(Fault::Fails(Errno::new(5))), None, None, Some(Fault::Fails(Errno::ROFS))].into();
    stage.feed(b"one\n");
    // It is closed, and cannot be opened.
    stage.wait(1);
    assert!(!stage.world.is_open);
    stage.feed(b"two\n");
    assert_eq!((stage.world.sent.concat(), stage.current()), (b"one\ntwo\n".to_vec(), String::new()));
    stage.wait(1);
    assert_eq!((stage.world.sent.len(), stage.current().as_str()), (2, "one\ntwo\n"));
}

#[test]
fn lines_that_nobody_takes_are_not_waited_for() {
    let mut stage = Stage::opened("n0\n-*\n+a*");
    stage.world.faults = [Some(Fault::Fails(Errno::NOSPC))].into();
    stage.feed(b"b\n");
    stage.feed(b"a\n");
    assert!(stage.machine.is_behind(&stage.lines));
    stage.wait(1);
    stage.world.faults = [Some(Fault::Fails(Errno::NOSPC))].into();
    stage.feed(b"a2\n");
    let end = stage.lines.ready().len();
    stage.machine.lose(&stage.lines, end);
    stage.discard();
    stage.feed(b"b\nb\n");
    assert!(!stage.machine.is_behind(&stage.lines));
    stage.wait(1);
    assert_eq!(stage.current(), "a\nsvlogd: warning: 1 lines lost: out of disk space\n");
}

#[test]
fn reopening_reads_everything_anew() {
    let mut stage = Stage::opened("");
    stage.feed(b"one\n");
    stage.world.done.clear();
    stage.tell(Event::Reopen);
    let steps = [
        Action::Sync,
        Action::Seal,
        Action::Close { is_last: false },
        Action::Open { must_make: false },
        Action::Create,
    ];
    assert_eq!(stage.world.done[..5], steps);
    stage.feed(b"two\n");
    assert_eq!(stage.current(), "one\ntwo\n");
    stage.tell(Event::End);
    assert!(stage.machine.is_gone() && stage.world.is_sealed && !stage.world.is_open);
    // Reopened once more after the end: nothing is left of what came before.
    stage.tell(Event::Reopen);
    assert!(stage.world.is_open);
}

/// The texts of the reasons below.
const REASONS: [&str; 5] =
    ["out of disk space", "input/output error", "read-only file system", "access denied", "file does not exist"];

/// Lines, each with its number, of some length.
fn numbered(first: usize, lengths: &[usize]) -> Vec<u8> {
    let line =
        |(place, length): (usize, &usize)| format!("{:05}{}!\n", first + place, "x".repeat(*length)).into_bytes();
    lengths.iter().enumerate().flat_map(line).collect()
}

fn faults() -> impl Strategy<Value = Vec<Option<Fault>>> {
    let reasons = [Errno::NOSPC, Errno::new(5), Errno::ROFS, Errno::ACCES, Errno::NOENT].map(Fault::Fails);
    let fault = prop_oneof![
        4 => Just(None),
        2 => prop::sample::select(reasons.to_vec()).prop_map(Some),
        1 => (1_usize..40).prop_map(|count| Some(Fault::IsShort(count))),
    ];
    prop::collection::vec(fault, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]
    /// Whatever fails: each line that is taken is in the files once, in order, or counted as lost; what is left of a line that was
    /// written in part ends where the count is told; and no file is larger than twice its size and a note.
    #[test]
    fn every_line_is_written_or_counted(
        rounds in prop::collection::vec((prop::collection::vec(0_usize..40, 1..12), faults(), 0_u64..3), 1..8),
        config in prop::sample::select(vec!["n0", "n0\ns150", "n0\ns150\npP: ", "n0\ns200\n-*\n+*1*", "n0\ns90\n+*"]),
    ) {
        let mut stage = Stage::new(config, 640);
        // At the start nothing fails: that is another matter.
        stage.tell(Event::Look);
        let mut count = 0;
        for (lengths, faults, seconds) in rounds {
            stage.world.faults.extend(faults);
            stage.feed(&numbered(count, &lengths));
            count += lengths.len();
            stage.wait(seconds);
        }
        stage.world.faults.clear();
        for _ in 0..4 {
            stage.wait(1);
        }
        prop_assert!(!stage.machine.is_behind(&stage.lines));
        let prefix = if config.contains("pP") { "P: " } else { "" };
        let is_taken = |number: usize| !config.contains("+*1*") || format!("{number:05}").contains('1');
        let taken = (0..count).filter(|number| is_taken(*number)).count();
        let all = stage.all(prefix);
        let output: Vec<&str> = all.lines().filter(|line| !line.is_empty()).collect();
        let (mut written, mut lost, mut last) = (0, 0, None);
        let is_note = |line: &str| line.contains(" lines lost: ") && REASONS.iter().any(|reason| line.ends_with(reason));
        for (place, line) in output.iter().enumerate() {
            let text = line.strip_prefix(prefix).unwrap_or("");
            if let Some(told) = text.strip_prefix("svlogd: warning: ").filter(|_| is_note(text)) {
                lost += told.split(' ').next().unwrap().parse::<usize>().unwrap();
            } else if text.ends_with('!') {
                let number = text[..5].parse::<usize>().unwrap();
                prop_assert!(is_taken(number) && last.is_none_or(|last| number > last), "{} in {}", line, all);
                last = Some(number);
                written += 1;
            } else {
                // Of a line, or of a note.
                let next = output.iter().skip(place + 1).find(|line| is_note(line) || line.ends_with('!'));
                prop_assert!(next.is_some_and(|next| is_note(next)), "{} in {}", line, all);
            }
        }
        prop_assert_eq!(lost as u64, stage.world.lost);
        // One that was written but for its end is counted as lost, too.
        let notes = output.iter().filter(|line| is_note(line)).count();
        prop_assert!((taken..=taken + notes).contains(&(written + lost)), "{} + {} of {}: {}", written, lost, taken, all);
        if config.contains("s150") {
            prop_assert!(stage.world.old.iter().all(|(_, bytes)| bytes.len() <= 300 + 2 * NOTE_BYTES));
        }
    }
}
