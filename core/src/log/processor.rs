//! The machine of the processor of one log directory.
//!
//! It is **idle**; it **runs**, for one file; it **keeps** what a processor has made, in named steps; or it **rests** after
//! one that failed, for a while that grows with each failure. A file is dealt with when its output has its name, the
//! new state has taken the place of the old one, and it is removed itself, in this order: whoever finds the output beside
//! the file knows that only the last two are left.

use crate::limits::{LOG_RETRY, LONGEST_PROCESSOR_PAUSE};
use crate::log::archive::Name;
use crate::process::errno::Errno;
use crate::process::outcome::Outcome;
use crate::process::Pid;
use crate::time::{Duration, Instant};

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
    Waiting(Option<Name>),
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
    /// No more is started, and the one that runs is killed if it runs for longer than this.
    End(Duration),
    /// It is killed now.
    Kill,
}

/// What must be done now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Start the processor for this file, killing it after that time if it says so.
    Start(Name),
    /// Kill it, with all that it has started.
    Kill(Pid),
    /// Write the output for this file to the disk, and give it its name.
    Keep(Name),
    /// Put the new state in the place of the old one, if there is a new one.
    RenameState,
    /// Remove this file.
    Remove(Name),
    /// Remove the output for this file, which is not good.
    Discard(Name),
    /// Look what waits. Is answered by [`Event::Waiting`].
    Look,
    /// Tell that something failed. Is not answered.
    Warn(What, Errno),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Idle,
    /// [`Action::Start`] is being done.
    Starting(Name),
    Running { name: Name, pid: Pid, kill_at: Option<Instant>, has_told: bool },
    /// The next step, and when to try it.
    Keeping { name: Name, step: Step, at: Instant },
    /// [`Action::Discard`] is being done.
    Discarding,
    Resting { until: Instant },
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
    /// How often in a row it failed.
    failures: u8,
    is_ending: bool,
}

impl Default for Processor {
    fn default() -> Self {
        Self { state: State::Idle, failures: 0, is_ending: false }
    }
}

impl Processor {
    /// The file that it works on.
    pub fn busy(&self) -> Option<Name> {
        match self.state {
            State::Starting(name) | State::Running { name, .. } | State::Keeping { name, .. } => Some(name),
            State::Idle | State::Discarding | State::Resting { .. } => None,
        }
    }

    /// Whether it runs.
    pub fn is_running(&self) -> bool {
        matches!(self.state, State::Running { .. })
    }

    /// Whether this is its process.
    pub fn is(&self, process: Pid) -> bool {
        matches!(self.state, State::Running { pid, .. } if pid == process)
    }

    /// When to come with [`Event::Deadline`].
    pub fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Running { kill_at, .. } => kill_at,
            State::Keeping { at, .. } if !self.is_ending => Some(at),
            State::Resting { until } if !self.is_ending => Some(until),
            _ => None,
        }
    }

    /// Takes one event, and gives what must be done now; its answer is the next event. `limit` is how long one may run.
    pub fn handle(&mut self, event: Event, limit: Option<Duration>, now: Instant) -> Option<Action> {
        match (self.state, event) {
            (State::Idle, Event::Waiting(Some(name))) if !self.is_ending => {
                self.state = State::Starting(name);
                Some(Action::Start(name))
            }
            (State::Running { name, pid, kill_at, has_told: false }, Event::Waiting(Some(_))) => {
                self.state = State::Running { name, pid, kill_at, has_told: true };
                Some(Action::Warn(What::Begin, Errno::AGAIN))
            }
            (State::Starting(name), Event::Started(pid)) => {
                let kill_at = limit.map(|limit| now.plus(limit));
                self.state = State::Running { name, pid, kill_at, has_told: false };
                None
            }
            (State::Starting(name), Event::IsKept) => self.step(name, Step::RenameState, now),
            (State::Starting(_), Event::Failed(what, reason)) => {
                self.rest(now);
                Some(Action::Warn(what, reason))
            }
            (State::Running { name, pid, .. }, Event::Ended(ended, outcome)) if pid == ended => {
                if outcome.is_success() {
                    self.step(name, Step::Keep, now)
                } else {
                    self.state = State::Discarding;
                    Some(Action::Discard(name))
                }
            }
            (State::Running { pid, kill_at: Some(at), .. }, Event::Deadline) if now >= at => self.kill(pid),
            (State::Running { pid, .. }, Event::Kill) => self.kill(pid),
            (State::Running { name, pid, kill_at, has_told }, Event::End(grace)) => {
                self.is_ending = true;
                let end = now.plus(grace);
                let kill_at = Some(kill_at.map_or(end, |at| at.min(end)));
                self.state = State::Running { name, pid, kill_at, has_told };
                None
            }
            (_, Event::End(_)) => {
                self.is_ending = true;
                None
            }
            (State::Discarding, Event::Done | Event::Failed(..)) => {
                self.rest(now);
                Some(Action::Warn(What::Process, Errno::AGAIN))
            }
            (State::Keeping { name, step, at }, Event::Deadline) if now >= at => self.step(name, step, now),
            (State::Keeping { name, step, .. }, Event::Done) => match step {
                Step::Keep => self.step(name, Step::RenameState, now),
                Step::RenameState => self.step(name, Step::Remove, now),
                Step::Remove => {
                    (self.state, self.failures) = (State::Idle, 0);
                    Some(Action::Look)
                }
            },
            (State::Keeping { name, step, .. }, Event::Failed(what, reason)) => {
                self.state = State::Keeping { name, step, at: now.plus(LOG_RETRY) };
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

    fn step(&mut self, name: Name, step: Step, now: Instant) -> Option<Action> {
        self.state = State::Keeping { name, step, at: now };
        Some(match step {
            Step::Keep => Action::Keep(name),
            Step::RenameState => Action::RenameState,
            Step::Remove => Action::Remove(name),
        })
    }

    /// One that was killed is waited for all the same.
    fn kill(&mut self, process: Pid) -> Option<Action> {
        if let State::Running { kill_at, .. } = &mut self.state {
            *kill_at = None;
        }
        Some(Action::Kill(process))
    }

    fn rest(&mut self, now: Instant) {
        let pause = LONGEST_PROCESSOR_PAUSE.min(1 << self.failures.min(6));
        self.failures = self.failures.saturating_add(1);
        self.state = State::Resting { until: now.plus(Duration::from_seconds(pause)) };
    }
}
