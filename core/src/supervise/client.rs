//! What `sv` knows: its words, when a command counts as done, and how a status is told
//! (sv(8)).

use super::extension::{OneShot, Status, one_shot};
use super::status::{Phase, Record, Wanted};
use crate::limits::STATUS_TAIL;
use crate::text::Text;
use crate::time::Instant;

/// What a word on the command line asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verb {
    /// Tell the status.
    Status,
    /// Tell all that is known, for programs.
    Show,
    /// Send control bytes, and perhaps wait.
    Send(Request),
}

/// Control bytes to send, and what follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Request {
    /// Sent in one write; empty for `check`, which only waits.
    pub bytes: &'static [u8],
    /// Whether it waits without being told to.
    pub waits: bool,
    /// Whether `k` follows when the wait was in vain.
    pub kills: bool,
}

/// Words that count as a whole, and what they send. One text, because a table of slices would be three times as large.
static WORDS: &[u8] = b"\
start u\n\
stop d\n\
shutdown x\n\
restart tcu\n\
reload h\n\
force-reload tc\n\
force-restart tcu\n\
force-shutdown x\n\
force-stop d\n\
try-restart tc\n\
check ";

/// Words that begin like this kill what does not obey in time.
const FORCE: &[u8] = b"force-";

/// First letters of all other words: each sends itself.
static LETTERS: &[u8] = b"udotpchaikq12x";

impl Verb {
    /// What `word` means; `None` for wrong usage.
    pub fn parse(word: &[u8]) -> Option<Self> {
        let mut rows = WORDS.split(|byte| *byte == b'\n');
        if let Some(bytes) = rows.find_map(|row| row.strip_prefix(word)?.strip_prefix(b" ")) {
            return Some(Self::Send(Request { bytes, waits: true, kills: word.starts_with(FORCE) }));
        }
        let bytes: &[u8] = match *word.first()? {
            b's' => return Some(if word == b"show" { Self::Show } else { Self::Status }),
            b'X' | b'E' | b'e' => b"x",
            b'D' => b"d",
            b'T' => b"tc",
            letter => {
                let place = LETTERS.iter().position(|known| *known == letter)?;
                LETTERS.get(place..=place)?
            }
        };
        // Capital letters wait, then kill.
        let is_capital = word.first().is_some_and(u8::is_ascii_uppercase);
        Some(Self::Send(Request { bytes, waits: is_capital, kills: is_capital }))
    }
}

/// How far a command has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// Not yet.
    Pending,
    /// Done.
    Done,
    /// Done, if the service's check script says so.
    DoneIfChecked,
    /// It has been tried, and is not tried again.
    Failed,
}

impl Progress {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Pending, _) | (_, Self::Pending) => Self::Pending,
            (Self::Failed, _) | (_, Self::Failed) => Self::Failed,
            (Self::DoneIfChecked, _) | (_, Self::DoneIfChecked) => Self::DoneIfChecked,
            (Self::Done, Self::Done) => Self::Done,
        }
    }

    fn done_if(condition: bool) -> Self {
        if condition { Self::Done } else { Self::Pending }
    }

    fn checked_if(condition: bool) -> Self {
        if condition { Self::DoneIfChecked } else { Self::Pending }
    }
}

/// Whether what `bytes` ask for has come true: `before` is the status from before they were sent.
pub fn progress(bytes: &[u8], before: &Status, now: &Status) -> Progress {
    // What a supervisor of ours told before it heard is no answer: it writes at every such command.
    let is_answer = written(before).is_none() || written(now) != written(before);
    let one = |byte| match byte {
        b'u' | b'd' | b'o' if !is_answer => Progress::Pending,
        // Only the end of the supervisor is the end of an exit: there may be another one by now.
        b'x' => Progress::done_if(supervisor(now).is_some() && supervisor(now) != supervisor(before)),
        _ => one_progress(byte, before, now),
    };
    match bytes {
        // It is down and not wanted up any more, but not because somebody said so.
        [] if has_failed(now) => Progress::Failed,
        [] => {
            let byte = if now.0.wanted == Wanted::Up { b'u' } else { b'd' };
            one_progress(byte, before, now)
        }
        _ => bytes.iter().fold(Progress::Done, |so_far, byte| so_far.and(one(*byte))),
    }
}

/// When a status was written, if it tells.
fn written((_, extension): &Status) -> Option<Instant> {
    extension.as_ref().map(|extension| extension.origin.written)
}

/// Who supervises, if a status tells.
fn supervisor((_, extension): &Status) -> Option<u32> {
    extension.as_ref().map(|extension| extension.origin.supervisor)
}

/// Whether a one-shot has failed, and its finish script is over.
fn has_failed(status: &Status) -> bool {
    one_shot(status) == OneShot::Failed && status.0.phase == Phase::Down
}

/// How far a one-shot is at which start.
fn how_far((_, extension): &Status) -> Option<(OneShot, u32)> {
    extension.as_ref().map(|extension| (extension.one_shot, extension.history.starts))
}

fn one_progress(byte: u8, before: &Status, now: &Status) -> Progress {
    let one_shot = one_shot(now);
    if matches!(one_shot, OneShot::Running | OneShot::Failed) && matches!(byte, b'u' | b'o' | b't' | b'k') {
        // It is up when it is done. A failure from before says nothing.
        if !has_failed(now) {
            return Progress::Pending;
        }
        if how_far(now) != how_far(before) {
            return Progress::Failed;
        }
    }
    let is_done = one_shot == OneShot::Done;
    let (before, now) = (&before.0, &now.0);
    let is_alive = now.pid.is_some();
    let is_another = now.pid != before.pid || now.stamp != before.stamp;
    match byte {
        // One that was told to go down is on its way, although up is wanted again; one that was sent TERM and stayed is up.
        b'u' => {
            let has_stayed = before.got_term && before.wanted == Wanted::Up && !is_another;
            Progress::checked_if(is_alive && now.phase == Phase::Run && (!now.got_term || has_stayed))
        }
        // A service that waits for its next start is not told yet.
        b'd' => Progress::done_if(!is_alive && now.phase == Phase::Down && now.wanted != Wanted::Up),
        b't' | b'k' if !is_alive && now.wanted != Wanted::Up => Progress::Done,
        b't' | b'k' => Progress::checked_if(is_alive && is_another && now.phase == Phase::Run && !now.got_term),
        b'o' if is_alive => Progress::done_if(now.wanted != Wanted::Up || is_done),
        b'o' => Progress::done_if(is_another),
        b'p' => Progress::done_if(!is_alive || now.is_paused || is_done),
        b'c' => Progress::done_if(!is_alive || !now.is_paused),
        _ => Progress::Done,
    }
}

/// Whole seconds from `then` to `now`, counted between the two full seconds; 0 if it is not later.
pub fn age(then: Instant, now: Instant) -> u64 {
    now.seconds().saturating_sub(then.seconds())
}

/// What follows `run: NAME: ` in a status line: process, seconds and remarks.
pub fn status_tail(record: &Record, is_normally_up: bool, seconds: u64) -> Text<STATUS_TAIL> {
    let mut tail = Text::new();
    // Finish without a process is between two writes; it is told without a pid.
    if let Some(pid) = record.pid {
        tail.push(b"(pid ");
        tail.push_number(pid.raw().into());
        tail.push(b") ");
    }
    tail.push_number(seconds);
    tail.push(b"s");
    let is_alive = record.pid.is_some();
    let wants_up = record.wanted == Wanted::Up;
    let remarks: [(bool, &[u8]); 6] = [
        (is_alive && !is_normally_up, b", normally down"),
        (!is_alive && is_normally_up, b", normally up"),
        (is_alive && record.is_paused, b", paused"),
        (!is_alive && wants_up, b", want up"),
        (is_alive && !wants_up, b", want down"),
        (is_alive && record.got_term, b", got TERM"),
    ];
    for (applies, remark) in remarks {
        if applies {
            tail.push(remark);
        }
    }
    tail
}

#[cfg(test)]
mod tests {
    use super::super::control::Command;
    use super::*;
    use crate::process::Pid;
    use crate::supervise::extension::{Extension, History, OneShot, Origin};
    use crate::tai64n::Label;
    use crate::time::Instant;

    fn sends(word: &str) -> Option<(&'static str, bool, bool)> {
        match Verb::parse(word.as_bytes())? {
            Verb::Status | Verb::Show => None,
            Verb::Send(request) => Some((std::str::from_utf8(request.bytes).unwrap(), request.waits, request.kills)),
        }
    }

    fn record(phase: Phase, pid: u32, wanted: Wanted, second: i64) -> Record {
        Record {
            stamp: Label::from_unix(second, 0),
            pid: Pid::new(pid),
            is_paused: false,
            wanted,
            got_term: false,
            phase,
        }
    }

    /// Progress where nobody tells more than the 20 bytes.
    fn of_records(bytes: &[u8], before: &Record, now: &Record) -> Progress {
        progress(bytes, &(*before, None), &(*now, None))
    }

    const UP: Wanted = Wanted::Up;
    const DOWN: Wanted = Wanted::Down;

    #[test]
    fn whole_words_wait() {
        assert_eq!(sends("start"), Some(("u", true, false)));
        assert_eq!(sends("restart"), Some(("tcu", true, false)));
        assert_eq!(sends("force-stop"), Some(("d", true, true)));
        assert_eq!(sends("check"), Some(("", true, false)));
    }

    #[test]
    fn other_words_count_by_their_first_letter() {
        assert_eq!(sends("upfoo"), Some(("u", false, false)));
        assert_eq!(sends("exit"), Some(("x", false, false)));
        assert_eq!(sends("term"), Some(("t", false, false)));
        assert_eq!(sends("cont"), Some(("c", false, false)));
        assert_eq!(sends("2"), Some(("2", false, false)));
        assert_eq!(sends("D"), Some(("d", true, true)));
        assert_eq!(sends("T"), Some(("tc", true, true)));
    }

    #[test]
    fn every_other_s_word_is_status() {
        for word in ["status", "s", "star", "sxyz"] {
            assert_eq!(Verb::parse(word.as_bytes()), Some(Verb::Status));
        }
    }

    #[test]
    fn show_is_a_word_of_its_own() {
        assert_eq!(Verb::parse(b"show"), Some(Verb::Show));
        assert_eq!(Verb::parse(b"shown"), Some(Verb::Status));
    }

    #[test]
    fn an_age_counts_between_full_seconds() {
        let (early, late) = (Instant::new(5, 900), Instant::new(7, 100));
        assert_eq!((age(early, late), age(late, early)), (2, 0));
    }

    #[test]
    fn the_rest_is_wrong_usage() {
        for word in ["", "rest", "r", "force", "f", "F", "3", "z", "-", "g", "force-stop d", "restart "] {
            assert_eq!(Verb::parse(word.as_bytes()), None, "{word}");
        }
    }

    #[test]
    fn every_byte_of_every_row_is_a_control_byte() {
        let sent = WORDS.split(|byte| *byte == b'\n').map(|row| row.rsplit(|byte| *byte == b' ').next().unwrap());
        for byte in sent.flatten().chain(LETTERS) {
            assert!(Command::from_byte(*byte).is_some());
        }
    }

    #[test]
    fn up_is_done_when_run_is_checked() {
        let before = record(Phase::Down, 0, DOWN, 5);
        assert_eq!(of_records(b"u", &before, &before), Progress::Pending);
        assert_eq!(of_records(b"u", &before, &record(Phase::Finish, 9, UP, 5)), Progress::Pending);
        assert_eq!(of_records(b"u", &before, &record(Phase::Run, 9, UP, 6)), Progress::DoneIfChecked);
    }

    #[test]
    fn down_is_done_when_finish_has_ended_too() {
        let before = record(Phase::Run, 9, UP, 5);
        assert_eq!(of_records(b"d", &before, &record(Phase::Finish, 10, DOWN, 5)), Progress::Pending);
        assert_eq!(of_records(b"d", &before, &record(Phase::Finish, 0, DOWN, 5)), Progress::Pending);
        assert_eq!(of_records(b"d", &before, &record(Phase::Down, 0, DOWN, 6)), Progress::Done);
    }

    #[test]
    fn restart_is_not_done_by_the_old_process_even_within_its_first_second() {
        let before = record(Phase::Run, 9, UP, 5);
        assert_eq!(of_records(b"tcu", &before, &before), Progress::Pending);
        assert_eq!(of_records(b"tcu", &before, &record(Phase::Run, 10, UP, 5)), Progress::DoneIfChecked);
    }

    #[test]
    fn term_is_done_when_nothing_is_wanted_and_nothing_runs() {
        let before = record(Phase::Run, 9, DOWN, 5);
        assert_eq!(of_records(b"t", &before, &record(Phase::Down, 0, DOWN, 6)), Progress::Done);
        assert_eq!(of_records(b"t", &before, &record(Phase::Down, 0, UP, 6)), Progress::Pending);
    }

    #[test]
    fn once_is_done_when_it_runs_or_has_run() {
        let before = record(Phase::Down, 0, DOWN, 5);
        assert_eq!(of_records(b"o", &before, &before), Progress::Pending);
        assert_eq!(of_records(b"o", &before, &record(Phase::Run, 9, DOWN, 6)), Progress::Done);
        assert_eq!(of_records(b"o", &before, &record(Phase::Down, 0, DOWN, 6)), Progress::Done);
    }

    #[test]
    fn pause_and_continue_look_at_the_flag() {
        let running = record(Phase::Run, 9, UP, 5);
        let paused = Record { is_paused: true, ..running };
        assert_eq!(of_records(b"p", &running, &running), Progress::Pending);
        assert_eq!(of_records(b"p", &running, &paused), Progress::Done);
        assert_eq!(of_records(b"c", &paused, &paused), Progress::Pending);
        assert_eq!(of_records(b"c", &paused, &running), Progress::Done);
    }

    #[test]
    fn signals_are_done_when_sent_and_exit_never_while_the_supervisor_lives() {
        let running = record(Phase::Run, 9, UP, 5);
        for byte in b"haiq12" {
            assert_eq!(of_records(&[*byte], &running, &running), Progress::Done);
        }
        assert_eq!(of_records(b"x", &running, &record(Phase::Down, 0, DOWN, 6)), Progress::Pending);
    }

    /// A service that is wanted up, by the supervisor that `origin` tells of.
    fn told(record: Record, origin: Origin) -> (Record, Option<Extension>) {
        let since_boot = Instant::ORIGIN;
        let (history, one_shot) = (History::NONE, OneShot::No);
        (record, Some(Extension { wanted: UP, since_boot, history, one_shot, hook: 0, origin }))
    }

    #[test]
    fn another_supervisor_is_the_end_of_an_exit() {
        let running = record(Phase::Run, 9, UP, 5);
        let told_by = |supervisor| told(running, Origin { supervisor, ..Origin::NONE });
        assert_eq!(progress(b"x", &told_by(7), &told_by(7)), Progress::Pending);
        assert_eq!(progress(b"x", &told_by(7), &told_by(8)), Progress::Done);
        assert_eq!(progress(b"x", &told_by(7), &(running, None)), Progress::Pending);
    }

    #[test]
    fn what_was_written_before_a_command_is_no_answer_to_it() {
        let running = record(Phase::Run, 9, UP, 5);
        let written_at =
            |nanoseconds| told(running, Origin { written: Instant::from_raw(nanoseconds), ..Origin::NONE });
        assert_eq!(progress(b"u", &written_at(7), &written_at(7)), Progress::Pending);
        assert_eq!(progress(b"u", &written_at(7), &written_at(8)), Progress::DoneIfChecked);
        assert_eq!(progress(b"", &written_at(7), &written_at(7)), Progress::DoneIfChecked);
        assert_eq!(progress(b"h", &written_at(7), &written_at(7)), Progress::Done);
    }

    /// The status of a one-shot at its start number `starts`, written at that second.
    fn once(phase: Phase, pid: u32, wanted: Wanted, one_shot: OneShot, starts: u32) -> Status {
        let origin = Origin { written: Instant::new(starts.into(), 0), ..Origin::NONE };
        let history = History { starts, ..History::NONE };
        let extension = Extension { wanted, since_boot: Instant::ORIGIN, history, one_shot, hook: 0, origin };
        (record(phase, pid, wanted, starts.into()), Some(extension))
    }

    #[test]
    fn a_one_shot_is_up_when_it_is_done() {
        let before = once(Phase::Down, 0, DOWN, OneShot::No, 0);
        let running = once(Phase::Run, 9, UP, OneShot::Running, 1);
        let done = once(Phase::Run, 7, UP, OneShot::Done, 1);
        for (bytes, expected) in
            [(&b"u"[..], Progress::DoneIfChecked), (b"tcu", Progress::DoneIfChecked), (b"o", Progress::Done)]
        {
            assert_eq!(progress(bytes, &before, &running), Progress::Pending);
            assert_eq!(progress(bytes, &before, &done), expected);
        }
    }

    #[test]
    fn a_one_shot_that_is_done_is_restarted_when_it_is_done_again() {
        let before = once(Phase::Run, 7, UP, OneShot::Done, 1);
        assert_eq!(progress(b"tcu", &before, &before), Progress::Pending);
        assert_eq!(progress(b"tcu", &before, &once(Phase::Run, 7, UP, OneShot::Done, 2)), Progress::DoneIfChecked);
        assert_eq!(progress(b"d", &before, &once(Phase::Finish, 9, DOWN, OneShot::No, 2)), Progress::Pending);
        assert_eq!(progress(b"d", &before, &once(Phase::Down, 0, DOWN, OneShot::No, 2)), Progress::Done);
    }

    #[test]
    fn check_wants_a_one_shot_to_be_done() {
        for (status, expected) in [
            (once(Phase::Run, 9, UP, OneShot::Running, 1), Progress::Pending),
            (once(Phase::Run, 7, UP, OneShot::Done, 1), Progress::DoneIfChecked),
            (once(Phase::Finish, 8, DOWN, OneShot::Failed, 1), Progress::Pending),
            (once(Phase::Down, 0, DOWN, OneShot::Failed, 1), Progress::Failed),
            (once(Phase::Down, 0, DOWN, OneShot::No, 1), Progress::Done),
        ] {
            assert_eq!(progress(b"", &status, &status), expected);
        }
    }

    #[test]
    fn a_one_shot_that_fails_is_not_waited_for() {
        let before = once(Phase::Down, 0, DOWN, OneShot::Failed, 1);
        for bytes in [&b"u"[..], b"o", b"tcu", b"tc"] {
            assert_eq!(progress(bytes, &before, &once(Phase::Finish, 8, DOWN, OneShot::Failed, 2)), Progress::Pending);
            assert_eq!(progress(bytes, &before, &once(Phase::Down, 0, DOWN, OneShot::Failed, 2)), Progress::Failed);
        }
        // The failure is an old one.
        assert_eq!(progress(b"u", &before, &before), Progress::Pending);
        assert_eq!(progress(b"d", &before, &once(Phase::Down, 0, DOWN, OneShot::No, 2)), Progress::Done);
    }

    #[test]
    fn pause_and_continue_do_nothing_to_a_one_shot_that_is_done() {
        let done = once(Phase::Run, 7, UP, OneShot::Done, 1);
        assert_eq!((progress(b"p", &done, &done), progress(b"c", &done, &done)), (Progress::Done, Progress::Done));
    }

    #[test]
    fn a_service_that_is_on_its_way_down_is_not_up() {
        let before = record(Phase::Down, 0, DOWN, 5);
        let ending = Record { got_term: true, ..record(Phase::Run, 9, UP, 5) };
        assert_eq!(of_records(b"u", &before, &ending), Progress::Pending);
        assert_eq!(of_records(b"u", &Record { wanted: DOWN, ..ending }, &ending), Progress::Pending);
        assert_eq!(of_records(b"u", &ending, &ending), Progress::DoneIfChecked);
    }

    #[test]
    fn a_service_that_waits_for_its_next_start_is_not_stopped_yet() {
        let waiting = record(Phase::Down, 0, UP, 5);
        assert_eq!(of_records(b"d", &waiting, &waiting), Progress::Pending);
        assert_eq!(of_records(b"d", &waiting, &Record { wanted: DOWN, ..waiting }), Progress::Done);
    }

    #[test]
    fn check_waits_for_what_is_wanted() {
        let up = record(Phase::Run, 9, UP, 5);
        let down = record(Phase::Down, 0, DOWN, 5);
        assert_eq!(of_records(b"", &up, &up), Progress::DoneIfChecked);
        assert_eq!(of_records(b"", &down, &down), Progress::Done);
        assert_eq!(of_records(b"", &down, &record(Phase::Down, 0, UP, 5)), Progress::Pending);
    }

    #[test]
    fn status_lines_are_those_of_the_field() {
        let now = Label::from_unix(20, 0);
        let tail = |record: &Record, up| {
            let seconds = now.seconds_since(record.stamp);
            String::from_utf8(status_tail(record, up, seconds).as_bytes().to_vec()).unwrap()
        };
        let run = record(Phase::Run, 22692, UP, 18);
        assert_eq!(tail(&run, true), "(pid 22692) 2s");
        assert_eq!(tail(&Record { is_paused: true, ..run }, false), "(pid 22692) 2s, normally down, paused");
        assert_eq!(tail(&Record { wanted: DOWN, got_term: true, ..run }, true), "(pid 22692) 2s, want down, got TERM");
        assert_eq!(tail(&record(Phase::Down, 0, DOWN, 18), false), "2s");
        assert_eq!(tail(&record(Phase::Down, 0, UP, 30), true), "0s, normally up, want up");
        assert_eq!(tail(&Record { is_paused: true, ..record(Phase::Down, 0, DOWN, 20) }, true), "0s, normally up");
    }

    #[test]
    fn the_longest_status_line_fits() {
        let mut longest = record(Phase::Finish, u32::MAX, DOWN, i64::MIN);
        (longest.is_paused, longest.got_term) = (true, true);
        let tail = status_tail(&longest, false, u64::MAX);
        assert!(tail.as_bytes().ends_with(b", normally down, paused, want down, got TERM"));
    }
}
