//! The machine of the processor of one log directory.
//!
//! It is **idle**; it **runs**, for one file; it **keeps** what a processor has made, in named steps; or it **rests** after
//! one that failed, for a while that grows with each failure. A file is dealt with when its output has its name, the
//! new state has taken the place of the old one, and it is removed itself, in this order: whoever finds the output beside
//! the file knows that only the last two are left.

use crate::limits::LONGEST_PROCESSOR_PAUSE;
use crate::process::Pid;
use crate::process::errno::Errno;
use crate::process::outcome::Outcome;
use crate::tai64n::Label;
use crate::time::{Duration, Instant, earlier};

/// What could not be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// To fork.
    Fork,
    /// To process: it failed.
    Process,
    /// To begin: it runs already.
    Begin,
    /// To write the output to the disk.
    Sync,
    /// To set the mode of the output.
    SetMode,
    /// To give the output its name.
    Rename,
    /// To replace the state.
    RenameState,
    /// To remove the file.
    Remove,
}

/// What has happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// A look at the directory has found the oldest file that waits, or none.
    Waiting(Option<Label>),
    /// [`Action::Start`] is done, in this process.
    Started(Pid),
    /// It was not needed: the output is there.
    IsKept,
    /// This process has ended.
    Ended(Pid, Outcome),
    /// The last action is done.
    Done,
    /// The last action failed.
    Failed(What, Errno),
    /// A deadline was reached.
    Deadline,
    /// It is killed if it runs for longer than this, and none is started later.
    End(Duration),
    /// The same, and none is started at all.
    Terminate(Duration),
    /// It is killed now.
    Kill,
}

/// What must be done now; where it is about a file, [`Processor::file`] is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Start the processor for the file.
    Start,
    /// Kill it, with all that it has started.
    Kill(Pid),
    /// Write the output for the file to the disk, and give it its name.
    Keep,
    /// Put the new state in the place of the old one, if there is a new one.
    RenameState,
    /// Remove the file.
    Remove,
    /// Remove the output for the file, which is not good.
    Discard,
    /// Look what waits. Is answered by [`Event::Waiting`].
    Look,
    /// Tell that something failed. Is not answered.
    Warn(What, Errno),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Idle,
    /// [`Action::Start`] is being done.
    Starting,
    Running {
        pid: Pid,
        kill_at: Option<Instant>,
        has_told: bool,
    },
    /// The next step, and when to try it.
    Keeping {
        step: Step,
        at: Instant,
    },
    /// [`Action::Discard`] is being done.
    Discarding,
    Resting {
        until: Instant,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    Keep,
    RenameState,
    Remove,
}

/// The processor of a log directory.
#[derive(Debug)]
pub struct Processor {
    state: State,
    /// The file that it works on, or has worked on.
    file: Label,
    /// How often in a row it failed.
    failures: u8,
    /// All is killed then.
    end_at: Option<Instant>,
    /// Nothing is started.
    is_ending: bool,
}

impl Default for Processor {
    fn default() -> Self {
        Self { state: State::Idle, file: Label::from_unix(0, 0), failures: 0, end_at: None, is_ending: false }
    }
}

impl Processor {
    /// The file that it works on.
    pub fn busy(&self) -> Option<Label> {
        match self.state {
            State::Starting | State::Running { .. } | State::Keeping { .. } => Some(self.file),
            State::Idle | State::Discarding | State::Resting { .. } => None,
        }
    }

    /// The file that an action is about.
    pub fn file(&self) -> Label {
        self.file
    }

    /// Whether it runs, or will run once more, so that it is waited for at the end.
    pub fn is_waited_for(&self) -> bool {
        match self.state {
            State::Running { .. } => true,
            State::Resting { until: at } | State::Keeping { at, .. } => {
                !self.is_ending && self.end_at.is_none_or(|end| at < end)
            }
            State::Idle | State::Starting | State::Discarding => false,
        }
    }

    /// Whether this is its process.
    pub fn is(&self, process: Pid) -> bool {
        matches!(self.state, State::Running { pid, .. } if pid == process)
    }

    /// When to come with [`Event::Deadline`].
    pub fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Running { kill_at, .. } => earlier(kill_at, self.end_at),
            State::Resting { until: at } | State::Keeping { at, .. } if !self.is_ending => Some(at),
            _ => None,
        }
    }

    /// Takes one event, and gives what must be done now; its answer is the next event. `limit` is how long one may run.
    pub fn handle(&mut self, event: Event, limit: Option<Duration>, now: Instant) -> Option<Action> {
        match (self.state, event) {
            (State::Idle, Event::Waiting(Some(file))) if !self.is_ending => {
                (self.state, self.file) = (State::Starting, file);
                Some(Action::Start)
            }
            (State::Running { pid, kill_at, has_told: false }, Event::Waiting(Some(_))) => {
                self.state = State::Running { pid, kill_at, has_told: true };
                Some(Action::Warn(What::Begin, Errno::AGAIN))
            }
            (State::Starting, Event::Started(pid)) => {
                let kill_at = limit.map(|limit| now.plus(limit));
                self.state = State::Running { pid, kill_at, has_told: false };
                None
            }
            (State::Starting, Event::IsKept) => self.step(Step::RenameState, now),
            (State::Starting, Event::Failed(what, reason)) => {
                self.rest(now);
                Some(Action::Warn(what, reason))
            }
            (State::Running { pid, .. }, Event::Ended(ended, outcome)) if pid == ended => {
                if outcome.is_success() {
                    self.step(Step::Keep, now)
                } else {
                    self.state = State::Discarding;
                    Some(Action::Discard)
                }
            }
            (State::Running { pid, .. }, Event::Deadline) if self.deadline().is_some_and(|at| now >= at) => {
                self.kill(pid)
            }
            (State::Running { pid, .. }, Event::Kill) => self.kill(pid),
            (_, Event::End(grace)) => {
                self.end_at = Some(now.plus(grace));
                None
            }
            (_, Event::Terminate(grace)) => {
                (self.end_at, self.is_ending) = (Some(now.plus(grace)), true);
                None
            }
            (State::Discarding, Event::Done | Event::Failed(..)) => {
                self.rest(now);
                Some(Action::Warn(What::Process, Errno::AGAIN))
            }
            (State::Keeping { step, at }, Event::Deadline) if now >= at => self.step(step, now),
            (State::Keeping { step, .. }, Event::Done) => match step {
                Step::Keep => self.step(Step::RenameState, now),
                Step::RenameState => self.step(Step::Remove, now),
                Step::Remove => {
                    (self.state, self.failures) = (State::Idle, 0);
                    Some(Action::Look)
                }
            },
            (State::Keeping { step, .. }, Event::Failed(what, reason)) => {
                let at = now.plus(self.pause());
                self.state = match reason {
                    // It was removed; there is nothing to keep any more.
                    Errno::NOENT => State::Resting { until: at },
                    _ => State::Keeping { step, at },
                };
                Some(Action::Warn(what, reason))
            }
            (State::Resting { until }, Event::Deadline) if now >= until => {
                self.state = State::Idle;
                Some(Action::Look)
            }
            // What waits is found by the next look; anything else has been dealt with.
            _ => None,
        }
    }

    fn step(&mut self, step: Step, now: Instant) -> Option<Action> {
        self.state = State::Keeping { step, at: now };
        Some(match step {
            Step::Keep => Action::Keep,
            Step::RenameState => Action::RenameState,
            Step::Remove => Action::Remove,
        })
    }

    /// One that was killed is waited for all the same.
    fn kill(&mut self, process: Pid) -> Option<Action> {
        if let State::Running { kill_at, .. } = &mut self.state {
            *kill_at = None;
        }
        if self.end_at.take().is_some() {
            self.is_ending = true;
        }
        Some(Action::Kill(process))
    }

    fn rest(&mut self, now: Instant) {
        self.state = State::Resting { until: now.plus(self.pause()) };
    }

    /// How long to wait after one more failure.
    fn pause(&mut self) -> Duration {
        let seconds = LONGEST_PROCESSOR_PAUSE.min(1 << self.failures.min(6));
        self.failures = self.failures.saturating_add(1);
        Duration::from_seconds(seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::signal::Signal;

    const FIRST: Label = Label::from_unix(1, 0);
    const SECOND: Label = Label::from_unix(2, 0);
    const KILLED: Outcome = Outcome::Killed { signal: Signal::KILL, core_dumped: false };

    fn pid() -> Pid {
        Pid::new(7).unwrap()
    }

    fn at(seconds: u64) -> Instant {
        Instant::new(seconds, 0)
    }

    /// Hands in events at second 0, and gives what each asks for.
    fn play(processor: &mut Processor, events: &[Event]) -> Vec<Option<Action>> {
        events.iter().map(|event| processor.handle(*event, None, at(0))).collect()
    }

    fn running() -> Processor {
        let mut processor = Processor::default();
        play(&mut processor, &[Event::Waiting(Some(FIRST)), Event::Started(pid())]);
        processor
    }

    #[test]
    fn a_file_is_processed_in_steps() {
        let mut processor = running();
        assert_eq!(processor.busy(), Some(FIRST));
        let events = [Event::Ended(pid(), Outcome::Exited(0)), Event::Done, Event::Done, Event::Done];
        let actions = [Action::Keep, Action::RenameState, Action::Remove, Action::Look].map(Some);
        assert_eq!(play(&mut processor, &events), actions);
        assert_eq!((processor.busy(), processor.deadline()), (None, None));
        assert_eq!(play(&mut processor, &[Event::Waiting(Some(SECOND))]), [Some(Action::Start)]);
        assert_eq!(processor.file(), SECOND);
    }

    #[test]
    fn what_was_done_before_is_only_finished() {
        let mut processor = Processor::default();
        let events = [Event::Waiting(Some(FIRST)), Event::IsKept, Event::Done, Event::Done, Event::Waiting(None)];
        let actions = [Action::Start, Action::RenameState, Action::Remove, Action::Look].map(Some);
        assert_eq!(play(&mut processor, &events)[..4], actions);
    }

    #[test]
    fn one_that_fails_or_is_killed_is_tried_again_later_and_later() {
        let mut now = 0;
        let mut processor = Processor::default();
        for (outcome, pause) in
            [Outcome::Exited(1), KILLED, Outcome::Exited(111)].into_iter().cycle().zip([1, 2, 4, 8, 16, 32, 60, 60])
        {
            assert_eq!(processor.handle(Event::Waiting(Some(FIRST)), None, at(now)), Some(Action::Start));
            processor.handle(Event::Started(pid()), None, at(now));
            assert_eq!(processor.handle(Event::Ended(pid(), outcome), None, at(now)), Some(Action::Discard));
            assert_eq!(processor.handle(Event::Done, None, at(now)), Some(Action::Warn(What::Process, Errno::AGAIN)));
            assert_eq!(processor.handle(Event::Waiting(Some(FIRST)), None, at(now)), None);
            assert_eq!(processor.deadline(), Some(at(now + pause)));
            now += pause;
            assert_eq!(processor.handle(Event::Deadline, None, at(now)), Some(Action::Look));
        }
    }

    #[test]
    fn that_it_runs_already_is_told_once() {
        let mut processor = running();
        let waiting = Event::Waiting(Some(SECOND));
        assert_eq!(play(&mut processor, &[waiting, waiting]), [Some(Action::Warn(What::Begin, Errno::AGAIN)), None]);
    }

    #[test]
    fn what_cannot_be_kept_is_tried_again() {
        let mut processor = running();
        let events = [Event::Ended(pid(), Outcome::Exited(0)), Event::Failed(What::Rename, Errno::NOSPC)];
        assert_eq!(play(&mut processor, &events)[1], Some(Action::Warn(What::Rename, Errno::NOSPC)));
        assert_eq!((processor.deadline(), processor.busy()), (Some(at(1)), Some(FIRST)));
        assert_eq!(processor.handle(Event::Deadline, None, at(1)), Some(Action::Keep));
    }

    #[test]
    fn one_that_takes_too_long_is_killed() {
        let mut processor = Processor::default();
        let limit = Some(Duration::from_seconds(5));
        processor.handle(Event::Waiting(Some(FIRST)), limit, at(0));
        processor.handle(Event::Started(pid()), limit, at(0));
        assert_eq!(processor.deadline(), Some(at(5)));
        assert_eq!(processor.handle(Event::Deadline, limit, at(4)), None);
        assert_eq!(processor.handle(Event::Deadline, limit, at(5)), Some(Action::Kill(pid())));
        // It is waited for.
        assert_eq!((processor.deadline(), processor.is_waited_for()), (None, true));
        assert_eq!(processor.handle(Event::Ended(pid(), KILLED), limit, at(6)), Some(Action::Discard));
    }

    #[test]
    fn at_the_end_of_the_input_what_waits_is_processed_for_a_while() {
        let mut processor = running();
        play(&mut processor, &[Event::End(Duration::from_seconds(60))]);
        let events = [
            Event::Ended(pid(), Outcome::Exited(0)),
            Event::Done,
            Event::Done,
            Event::Done,
            Event::Waiting(Some(SECOND)),
        ];
        assert_eq!(play(&mut processor, &events)[4], Some(Action::Start));
        play(&mut processor, &[Event::Started(pid())]);
        assert_eq!(processor.handle(Event::Deadline, None, at(60)), Some(Action::Kill(pid())));
        processor.handle(Event::Ended(pid(), KILLED), None, at(60));
        processor.handle(Event::Done, None, at(60));
        assert!(!processor.is_waited_for());
        assert_eq!(processor.handle(Event::Waiting(Some(SECOND)), None, at(60)), None);
    }

    #[test]
    fn one_that_fails_at_the_end_of_the_input_is_tried_again_as_long_as_there_is_time() {
        let mut processor = running();
        play(
            &mut processor,
            &[Event::End(Duration::from_seconds(2)), Event::Ended(pid(), Outcome::Exited(1)), Event::Done],
        );
        assert!(processor.is_waited_for());
        assert_eq!(processor.handle(Event::Deadline, None, at(1)), Some(Action::Look));
        processor.handle(Event::Waiting(Some(FIRST)), None, at(1));
        processor.handle(Event::Started(pid()), None, at(1));
        processor.handle(Event::Ended(pid(), Outcome::Exited(1)), None, at(1));
        processor.handle(Event::Done, None, at(1));
        assert!(!processor.is_waited_for());
    }

    #[test]
    fn told_to_end_none_is_started_and_told_again_it_is_killed() {
        let mut processor = running();
        play(&mut processor, &[Event::Terminate(Duration::from_seconds(5))]);
        assert_eq!(processor.deadline(), Some(at(5)));
        assert_eq!(play(&mut processor, &[Event::Kill]), [Some(Action::Kill(pid()))]);
        let mut processor = running();
        play(&mut processor, &[Event::Terminate(Duration::from_seconds(5))]);
        let events = [
            Event::Ended(pid(), Outcome::Exited(0)),
            Event::Done,
            Event::Done,
            Event::Done,
            Event::Waiting(Some(SECOND)),
        ];
        assert_eq!(play(&mut processor, &events)[3..], [Some(Action::Look), None]);
    }

    #[test]
    fn the_end_of_another_process_is_none_of_its_business() {
        let mut processor = running();
        let other = Pid::new(8).unwrap();
        assert_eq!(play(&mut processor, &[Event::Ended(other, Outcome::Exited(0))]), [None]);
        assert!(processor.is(pid()) && !processor.is(other));
    }
}
