//! The machine of a pending shutdown: it warns at falling intervals, keeps people out, and then acts.
//!
//! # States
//! | State | Meaning | Left by |
//! |---|---|---|
//! | `Pending` | the time has not come | its deadline; being cancelled |
//! | `Over` | the machine goes down, or nothing will happen any more | never |
//!
//! Each warning names the next. When a deadline comes late, because the machine slept or was busy, warnings in between are left
//! out: one that was true some minutes ago helps nobody.

use heapless::Deque;

use crate::limits::{KEPT_OUT, SHUTDOWN_ACTIONS};
use crate::time::{Duration, Instant};

/// Minutes before the end at which there is a warning, beside whole days.
const MARKS: [u64; 13] = [720, 360, 180, 120, 60, 30, 15, 10, 5, 4, 3, 2, 1];

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;

/// Something that has happened outside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// It is pending now.
    Start,
    /// Time has passed.
    Deadline,
    /// Somebody wants it to end.
    Cancel,
}

/// Something that must be done now, in this order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Let nobody log in any more.
    KeepOut,
    /// Tell everybody how many minutes are left.
    Warn(u64),
    /// Take the machine down.
    GoDown,
    /// Undo what was done.
    GiveUp,
}

/// What must be done, in this order.
pub type Actions = Deque<Action, SHUTDOWN_ACTIONS>;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Pending { next: Instant, keeps_out: bool },
    Over,
}

/// A shutdown. A plain value.
#[derive(Clone, Copy, Debug)]
pub struct Countdown {
    end: Instant,
    state: State,
}

impl Countdown {
    /// One whose time comes at `end`. The first event must be [`Event::Start`].
    pub const fn new(end: Instant) -> Self {
        Self { end, state: State::Pending { next: Instant::ORIGIN, keeps_out: false } }
    }

    /// When to call again with [`Event::Deadline`]; `None`: never.
    pub fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Pending { next, .. } => Some(next),
            State::Over => None,
        }
    }

    /// Takes one event and appends what must be done. Never fails, never blocks.
    pub fn handle(&mut self, event: Event, now: Instant, actions: &mut Actions) {
        match (self.state, event) {
            (State::Pending { .. }, Event::Cancel) => {
                act(actions, Action::GiveUp);
                self.state = State::Over;
            }
            (State::Pending { next, keeps_out }, Event::Start | Event::Deadline) => {
                if now >= next {
                    self.warn(now, keeps_out, actions);
                }
            }
            (State::Over, _) => {}
        }
    }

    fn warn(&mut self, now: Instant, kept_out: bool, actions: &mut Actions) {
        let left = self.end.since(now);
        let keeps_out = left <= KEPT_OUT;
        if keeps_out && !kept_out {
            act(actions, Action::KeepOut);
        }
        act(actions, Action::Warn(minutes(left)));
        if left == Duration::ZERO {
            act(actions, Action::GoDown);
            self.state = State::Over;
        } else {
            self.state = State::Pending { next: self.end.minus(next_mark(left)), keeps_out };
        }
    }
}

/// Minutes as people count them: the next full one, and not less than one as long as there is time.
pub fn minutes(left: Duration) -> u64 {
    match left {
        Duration::ZERO => 0,
        left => (left.seconds().saturating_add(MINUTE / 2) / MINUTE).max(1),
    }
}

/// How long before the end the next warning is when so much is left.
fn next_mark(left: Duration) -> Duration {
    let days = left.seconds() / DAY;
    // A whole day is not before itself.
    let whole = if Duration::from_seconds(days.wrapping_mul(DAY)) < left { days } else { days.saturating_sub(1) };
    if whole > 0 {
        return Duration::from_seconds(whole.wrapping_mul(DAY));
    }
    let marks = MARKS.iter().map(|mark| Duration::from_seconds(mark.wrapping_mul(MINUTE)));
    marks.into_iter().find(|mark| *mark < left).unwrap_or(Duration::ZERO)
}

/// SHUTDOWN_ACTIONS is more than any event asks for.
fn act(actions: &mut Actions, action: Action) {
    let _ = actions.push_back(action);
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: u64 = 1_000_000;

    fn at(seconds: u64) -> Instant {
        Instant::new(BEGIN + seconds, 0)
    }

    fn handle(countdown: &mut Countdown, event: Event, now: Instant) -> Vec<Action> {
        let mut actions = Actions::new();
        countdown.handle(event, now, &mut actions);
        actions.into_iter().collect()
    }

    /// All that happens, with the minutes left when it does.
    fn play(minutes: u64) -> Vec<(u64, Vec<Action>)> {
        let end = at(minutes * 60);
        let mut countdown = Countdown::new(end);
        let mut seen = vec![(minutes, handle(&mut countdown, Event::Start, at(0)))];
        while let Some(deadline) = countdown.deadline() {
            // A wake-up that is early changes nothing.
            let early = deadline.minus(Duration::from_milliseconds(1));
            assert_eq!(handle(&mut countdown, Event::Deadline, early), []);
            assert_eq!(countdown.deadline(), Some(deadline));
            seen.push((end.since(deadline).seconds() / 60, handle(&mut countdown, Event::Deadline, deadline)));
        }
        seen
    }

    #[test]
    fn now_is_at_once() {
        assert_eq!(play(0), [(0, vec![Action::KeepOut, Action::Warn(0), Action::GoDown])]);
    }

    #[test]
    fn five_minutes_keep_out_at_once() {
        let seen = play(5);
        assert_eq!(seen[0], (5, vec![Action::KeepOut, Action::Warn(5)]));
        assert_eq!(seen[1..5], [4, 3, 2, 1].map(|left| (left, vec![Action::Warn(left)])));
        assert_eq!(seen[5..], [(0, vec![Action::Warn(0), Action::GoDown])]);
    }

    #[test]
    fn a_long_time_is_warned_of_less_and_less_seldom() {
        let seen = play(3 * 1440 + 7);
        let minutes: Vec<u64> = seen.iter().map(|(left, _)| *left).collect();
        assert_eq!(minutes, [4327, 4320, 2880, 1440, 720, 360, 180, 120, 60, 30, 15, 10, 5, 4, 3, 2, 1, 0]);
        for (left, actions) in seen {
            let mut expected = vec![Action::Warn(left)];
            if left == 5 {
                expected.insert(0, Action::KeepOut);
            }
            if left == 0 {
                expected.push(Action::GoDown);
            }
            assert_eq!(actions, expected, "{left}");
        }
    }

    #[test]
    fn a_whole_day_is_warned_of_once() {
        let minutes: Vec<u64> = play(1440).iter().map(|(left, _)| *left).collect();
        assert_eq!(minutes[..2], [1440, 720]);
        assert_eq!(play(525_600).len(), 365 + 14);
    }

    #[test]
    fn what_a_sleep_left_out_is_not_made_up_for() {
        let mut countdown = Countdown::new(at(3600));
        assert_eq!(handle(&mut countdown, Event::Start, at(0)), [Action::Warn(60)]);
        assert_eq!(handle(&mut countdown, Event::Deadline, at(3600 - 200)), [Action::KeepOut, Action::Warn(3)]);
        assert_eq!(countdown.deadline(), Some(at(3600 - 180)));
        assert_eq!(handle(&mut countdown, Event::Deadline, at(9999)), [Action::Warn(0), Action::GoDown]);
    }

    #[test]
    fn part_of_a_minute_counts_as_one() {
        let mut countdown = Countdown::new(at(20));
        assert_eq!(handle(&mut countdown, Event::Start, at(0)), [Action::KeepOut, Action::Warn(1)]);
        assert_eq!(countdown.deadline(), Some(at(20)));
    }

    #[test]
    fn a_warning_that_comes_a_little_late_is_told_as_it_was_meant() {
        let mut countdown = Countdown::new(at(600));
        handle(&mut countdown, Event::Start, at(0));
        let late = at(300).plus(Duration::from_milliseconds(700));
        assert_eq!(handle(&mut countdown, Event::Deadline, late), [Action::KeepOut, Action::Warn(5)]);
        assert_eq!(countdown.deadline(), Some(at(360)));
    }

    #[test]
    fn cancelling_ends_it_once() {
        let mut countdown = Countdown::new(at(60));
        handle(&mut countdown, Event::Start, at(0));
        assert_eq!(handle(&mut countdown, Event::Cancel, at(1)), [Action::GiveUp]);
        assert_eq!(countdown.deadline(), None);
        for event in [Event::Cancel, Event::Deadline, Event::Start] {
            assert_eq!(handle(&mut countdown, event, at(99)), []);
        }
    }

    #[test]
    fn what_is_under_way_is_not_cancelled() {
        let mut countdown = Countdown::new(at(0));
        handle(&mut countdown, Event::Start, at(0));
        assert_eq!(handle(&mut countdown, Event::Cancel, at(1)), []);
    }
}
