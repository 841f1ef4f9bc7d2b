//! The machine of pid 1: three stages one after the other, and what may interrupt them (runit-init(8)).
//!
//! # States
//! | State | Meaning | Left by |
//! |---|---|---|
//! | `Starting` | a stage's child is being forked | the answer to `Spawn` |
//! | `Running` | a stage runs | its end, or a shutdown request; for stage 3 its deadline |
//! | `Stopping` | stage 1 or 2 was told to end | its end; KILL after the grace period; stage 3 after another |
//! | `Resting` | a stage is due again, but not at once | the deadline |
//! | `Emergency` | a stage cannot be run; the emergency program runs in its place | its end |
//! | `Stranded` | nor can the emergency program | a shutdown request, ctrl-alt-del |
//! | `Killing` | the stages are over, everything was killed | the answer about the ending |
//! | `Unended` | that child could not be forked | another try; the deadline, then without the sync |
//! | `Ending` | a child syncs and calls the kernel | its end; the deadline, then without the sync |
//! | `Over` | nothing is left to do | never |
//!
//! Beside the state there is at most one *helper*: the script of ctrl-alt-del or of a power failure.
//! It never holds up the stages: pid 1 goes on reaping and listening while it runs.
//!
//! # Who may interrupt what
//! - A shutdown request (CONT with the stop file set, or the end of the power failure script) leaves stage 1, stage 2 and
//!   the emergency program, and leads to stage 3. In stage 3 it changes nothing but how the machine ends, which
//!   is read at the end.
//! - A signal that asks for an end is such a request too, and says how the machine ends; the last one that asks,
//!   by signal or by file, has its way.
//! - The stop file may say more of the end than the reboot file does, and never against it. It counts as it was when the
//!   request was heard: one of an earlier boot may have left it behind.
//! - Where there is no other kernel to start, or it will not start, the machine starts again.
//! - Ctrl-alt-del runs its script, except in stage 3: the machine goes down already. The third one during stage 3, or
//!   while the script runs, kills what it waits for.
//! - A stage that is missing or cannot be executed never ends the machine silently: it is named, the
//!   emergency program runs, and then stages 1 and 2 are tried again, and stage 3 is left.

use heapless::Deque;

use super::event::{Action, Child, Ending, Event, Notice, Requests, Stage};
use crate::limits::{
    END_RETRY, FORCING_INTERRUPTS, FORK_RETRY, POWER_OFF_LIMIT, STAGE_ACTIONS, STAGE_GRACE, STAGE_RETRY,
    STAGE_THREE_LIMIT, SYNC_LIMIT,
};
use crate::process::Pid;
use crate::process::errno::Errno;
use crate::process::outcome::Outcome;
use crate::process::signal::Signal;
use crate::time::Instant;

/// The exit code of the child that shall end the machine, where the kernel refuses: it is a container.
pub const REFUSED: u8 = 111;

/// What must be done, in this order.
pub type Actions = Deque<Action, STAGE_ACTIONS>;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Starting { child: Child, retry_at: Option<Instant> },
    Running { pid: Pid, until: Option<Instant> },
    Stopping { pid: Pid, until: Instant, was_killed: bool },
    Resting { until: Instant },
    Emergency { pid: Pid, since: Instant },
    Stranded,
    Killing,
    Unended { ending: Ending, retry_at: Instant, give_up_at: Instant },
    Ending { pid: Option<Pid>, ending: Ending, give_up_at: Instant },
    Over,
}

/// pid 1's machine. A plain value.
#[derive(Debug)]
pub struct Boot {
    stage: Stage,
    state: State,
    /// Why the child of the state could not be executed, if it could not.
    exec_error: Option<Errno>,
    helper: Option<Helper>,
    /// Ctrl-alt-del since it last led to anything.
    interrupts: u8,
    /// How the machine shall end, if a signal said it after the files did.
    asked: Option<Ending>,
    /// What the stop file of the last request said.
    wished: Option<Ending>,
}

/// A script that runs beside the stages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Helper {
    child: Child,
    pid: Option<Pid>,
}

impl Default for Boot {
    fn default() -> Self {
        Self::new()
    }
}

impl Boot {
    /// Before stage 1. The first event must be [`Event::Start`].
    pub const fn new() -> Self {
        Self {
            stage: Stage::One,
            state: State::Resting { until: Instant::ORIGIN },
            exec_error: None,
            helper: None,
            interrupts: 0,
            asked: None,
            wished: None,
        }
    }

    /// When to call again with [`Event::Deadline`]; `None`: only on other events.
    pub fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Starting { retry_at, .. } => retry_at,
            State::Running { until, .. } => until,
            State::Stopping { until, .. } => Some(until),
            State::Resting { until } => Some(until),
            State::Unended { retry_at, .. } => Some(retry_at),
            State::Ending { give_up_at, .. } => Some(give_up_at),
            State::Emergency { .. } | State::Stranded | State::Killing | State::Over => None,
        }
    }

    /// Takes one event and appends what must be done. Never fails, never blocks.
    pub fn handle(&mut self, event: Event, now: Instant, actions: &mut Actions) {
        match event {
            Event::Start => self.enter(self.stage, actions),
            Event::Spawned(child, pid) => self.spawned(child, pid, now),
            Event::SpawnFailed(child, errno) => self.not_spawned(child, errno, now, actions),
            Event::ExecFailed(pid, errno) => self.exec_failed(pid, errno, actions),
            Event::Exited(pid, outcome) => self.exited(pid, outcome, now, actions),
            Event::Requests(requests) => self.requested(requests, now, actions),
            Event::Asked(ending) => {
                self.asked = Some(ending);
                self.go_down(now, actions);
            }
            Event::Interrupt { has_script } => self.interrupted(has_script, actions),
            Event::PowerFail { has_script: true } => self.help(Child::PowerFail, Notice::PowerFailure, actions),
            Event::PowerFail { has_script: false } => act(actions, Action::Say(Notice::PowerFailureIgnored)),
            Event::Deadline => self.due(now, actions),
        }
    }

    fn enter(&mut self, stage: Stage, actions: &mut Actions) {
        self.stage = stage;
        self.interrupts = 0;
        self.start(Child::Stage(stage), actions);
    }

    fn start(&mut self, child: Child, actions: &mut Actions) {
        self.state = State::Starting { child, retry_at: None };
        self.exec_error = None;
        act(actions, Action::Say(Notice::Enter(child)));
        act(actions, Action::Spawn(child));
    }

    fn help(&mut self, child: Child, notice: Notice, actions: &mut Actions) {
        if self.helper.is_none() {
            self.helper = Some(Helper { child, pid: None });
            act(actions, Action::Say(notice));
            act(actions, Action::Say(Notice::Enter(child)));
            act(actions, Action::Spawn(child));
        }
    }

    fn spawned(&mut self, child: Child, pid: Pid, now: Instant) {
        match (child, &mut self.state) {
            (Child::Stage(stage), State::Starting { .. }) => {
                let until = if stage == Stage::Three { Some(now.plus(STAGE_THREE_LIMIT)) } else { None };
                self.state = State::Running { pid, until };
            }
            (Child::Emergency, State::Starting { .. }) => {
                self.state = State::Emergency { pid, since: now };
            }
            (Child::Ending { .. }, State::Ending { pid: ending, .. }) => *ending = Some(pid),
            (Child::CtrlAltDel | Child::PowerFail, _) => {
                self.helper = Some(Helper { child, pid: Some(pid) });
                self.interrupts = 0;
            }
            // Answers that nobody asked for.
            (Child::Stage(_) | Child::Emergency | Child::Ending { .. }, _) => {}
        }
    }

    fn not_spawned(&mut self, child: Child, errno: Errno, now: Instant, actions: &mut Actions) {
        act(actions, Action::Say(Notice::UnableToFork(child, errno)));
        match (child, self.state) {
            (Child::Stage(_) | Child::Emergency, State::Starting { child, .. }) => {
                self.state = State::Starting { child, retry_at: Some(now.plus(FORK_RETRY)) };
            }
            // Those that were killed a moment ago take their room still.
            (Child::Ending { syncs: true, .. }, State::Ending { ending, give_up_at, .. }) if now < give_up_at => {
                self.state = State::Unended { ending, retry_at: now.plus(END_RETRY), give_up_at };
            }
            (Child::Ending { .. }, State::Ending { ending, .. }) => self.end_now(ending, actions),
            // The script would have been asked in vain for ever where there is no room for it.
            (Child::CtrlAltDel, _) => {
                self.helper = None;
                if self.is_forced(actions) {
                    self.asked = Some(Ending::Reboot);
                    self.go_down(now, actions);
                }
            }
            (Child::PowerFail, _) => {
                self.helper = None;
                self.go_down(now, actions);
            }
            (Child::Stage(_) | Child::Emergency | Child::Ending { .. }, _) => {}
        }
    }

    fn exec_failed(&mut self, failed: Pid, errno: Errno, actions: &mut Actions) {
        match self.state {
            State::Running { pid, .. } | State::Emergency { pid, .. } if pid == failed => {
                self.exec_error = Some(errno);
            }
            _ => {
                if let Some(helper) = self.helper
                    && helper.pid == Some(failed)
                {
                    act(actions, Action::Say(Notice::UnableToStart(helper.child, errno)));
                }
            }
        }
    }

    fn exited(&mut self, ended: Pid, outcome: Outcome, now: Instant, actions: &mut Actions) {
        if let Some(helper) = self.helper
            && helper.pid == Some(ended)
        {
            self.helper_ended(helper.child, outcome, now, actions);
            return;
        }
        match self.state {
            State::Running { pid, .. } if pid == ended => self.stage_ended(pid, outcome, now, actions),
            State::Stopping { pid, .. } if pid == ended => {
                act(actions, Action::Say(Notice::LeaveChild(Child::Stage(self.stage))));
                self.enter(Stage::Three, actions);
            }
            State::Emergency { pid, since } if pid == ended => self.emergency_ended(since, now, actions),
            State::Ending { pid: Some(pid), ending, .. } if pid == ended => {
                self.ending_returned(ending, outcome, now, actions);
            }
            // An orphan.
            _ => {}
        }
    }

    fn stage_ended(&mut self, pid: Pid, outcome: Outcome, now: Instant, actions: &mut Actions) {
        let child = Child::Stage(self.stage);
        if let Some(errno) = self.exec_error {
            act(actions, Action::Say(Notice::UnableToStart(child, errno)));
            act(actions, Action::Say(Notice::Emergency(self.stage)));
            self.start(Child::Emergency, actions);
            return;
        }
        judge(child, outcome, actions);
        match (self.stage, outcome) {
            (Stage::One, Outcome::Killed { .. } | Outcome::Exited(100)) => {
                act(actions, Action::Say(Notice::LeaveChild(child)));
                act(actions, Action::Say(Notice::SkippingStageTwo));
                self.enter(Stage::Three, actions);
            }
            (Stage::Two, Outcome::Killed { .. } | Outcome::Exited(111)) => {
                act(actions, Action::Say(Notice::KillingStageTwo));
                act(actions, Action::SignalGroup(pid, Signal::KILL));
                self.state = State::Resting { until: now.plus(STAGE_RETRY) };
            }
            (stage, Outcome::Exited(_) | Outcome::Killed { .. } | Outcome::Unknown) => {
                act(actions, Action::Say(Notice::LeaveChild(child)));
                match stage {
                    Stage::One => self.enter(Stage::Two, actions),
                    Stage::Two => self.enter(Stage::Three, actions),
                    Stage::Three => self.kill_all(actions),
                }
            }
        }
    }

    fn emergency_ended(&mut self, since: Instant, now: Instant, actions: &mut Actions) {
        if let Some(errno) = self.exec_error {
            act(actions, Action::Say(Notice::UnableToStart(Child::Emergency, errno)));
            act(actions, Action::Say(Notice::Stranded(self.stage)));
            self.state = State::Stranded;
            return;
        }
        act(actions, Action::Say(Notice::LeaveChild(Child::Emergency)));
        match self.stage {
            Stage::Three => self.kill_all(actions),
            // Whoever was there may have mended the stage. A shell that ended at once did not.
            Stage::One | Stage::Two => {
                let until = since.plus(STAGE_RETRY);
                if now >= until {
                    self.enter(self.stage, actions);
                } else {
                    self.state = State::Resting { until };
                }
            }
        }
    }

    fn helper_ended(&mut self, child: Child, outcome: Outcome, now: Instant, actions: &mut Actions) {
        self.helper = None;
        self.interrupts = 0;
        if matches!(self.state, State::Killing | State::Unended { .. } | State::Ending { .. } | State::Over) {
            // It was killed with everything else.
            return;
        }
        judge(child, outcome, actions);
        act(actions, Action::Say(Notice::LeaveChild(child)));
        if child == Child::PowerFail {
            self.go_down(now, actions);
        } else {
            // The script says what it wants by the same files as everybody.
            act(actions, Action::ReadRequests);
        }
    }

    fn requested(&mut self, requests: Requests, now: Instant, actions: &mut Actions) {
        if matches!(self.state, State::Killing) {
            // One that came together with the end of stage 3 says how, as any other before it.
            if requests.stop {
                self.asked = None;
                self.wished = requests.ending;
            }
            let ending = match self.asked.unwrap_or(self.ending_by_files(requests.reboot)) {
                Ending::Kexec if !requests.has_next_kernel => {
                    act(actions, Action::Say(Notice::NoKexec));
                    Ending::Reboot
                }
                ending => ending,
            };
            self.end(ending, !requests.no_sync, now, actions);
        } else if requests.stop {
            self.asked = None;
            self.wished = requests.ending;
            act(actions, Action::ClearStop);
            self.go_down(now, actions);
        }
    }

    fn ending_by_files(&self, reboots: bool) -> Ending {
        match (reboots, self.wished) {
            (true, Some(Ending::Kexec)) => Ending::Kexec,
            (true, _) => Ending::Reboot,
            (false, Some(Ending::Halt)) => Ending::Halt,
            (false, _) => Ending::PowerOff,
        }
    }

    /// A shutdown was asked for.
    fn go_down(&mut self, now: Instant, actions: &mut Actions) {
        let is_leaving = self.stage != Stage::Three;
        match self.state {
            State::Running { pid, .. } if is_leaving => {
                self.state = State::Stopping { pid, until: now.plus(STAGE_GRACE), was_killed: false };
                // Stage 1 is a script that waits for its children: they are told too.
                act(
                    actions,
                    match self.stage {
                        Stage::One => Action::SignalGroup(pid, Signal::TERM),
                        Stage::Two | Stage::Three => Action::Signal(pid, Signal::TERM),
                    },
                );
            }
            State::Emergency { pid, .. } if is_leaving => {
                act(actions, Action::SignalGroup(pid, Signal::KILL));
                self.enter(Stage::Three, actions);
            }
            State::Resting { .. } | State::Stranded | State::Starting { retry_at: Some(_), .. } if is_leaving => {
                self.enter(Stage::Three, actions);
            }
            State::Emergency { .. } | State::Stranded => self.kill_all(actions),
            State::Starting { .. }
            | State::Running { .. }
            | State::Stopping { .. }
            | State::Resting { .. }
            | State::Killing
            | State::Unended { .. }
            | State::Ending { .. }
            | State::Over => {}
        }
    }

    fn interrupted(&mut self, has_script: bool, actions: &mut Actions) {
        let is_lost = matches!(self.state, State::Emergency { .. } | State::Stranded);
        match (self.helper, self.state) {
            (Some(helper), _) => {
                if self.is_forced(actions)
                    && let Some(pid) = helper.pid
                {
                    act(actions, Action::SignalGroup(pid, Signal::KILL));
                }
            }
            (None, State::Running { pid, .. }) if self.stage == Stage::Three => {
                if self.is_forced(actions) {
                    act(actions, Action::SignalGroup(pid, Signal::KILL));
                }
            }
            (None, _) if is_lost && !has_script => {
                self.asked = Some(Ending::Reboot);
                act(actions, Action::Say(Notice::CtrlAltDelRequest));
                if let State::Emergency { pid, .. } = self.state {
                    act(actions, Action::SignalGroup(pid, Signal::KILL));
                }
                match self.stage {
                    Stage::One | Stage::Two => self.enter(Stage::Three, actions),
                    Stage::Three => self.kill_all(actions),
                }
            }
            (None, State::Killing | State::Unended { .. } | State::Ending { .. } | State::Over) => {}
            (None, _) => {
                if has_script {
                    self.help(Child::CtrlAltDel, Notice::CtrlAltDelRequest, actions);
                }
            }
        }
    }

    /// Counts a ctrl-alt-del that nothing waits for; says whether it was one too many.
    fn is_forced(&mut self, actions: &mut Actions) -> bool {
        self.interrupts = self.interrupts.saturating_add(1);
        let is_forced = self.interrupts >= FORCING_INTERRUPTS;
        act(actions, Action::Say(if is_forced { Notice::Forcing } else { Notice::GoingDownAlready }));
        is_forced
    }

    fn kill_all(&mut self, actions: &mut Actions) {
        self.state = State::Killing;
        act(actions, Action::Say(Notice::KillingAll));
        act(actions, Action::KillAll);
        act(actions, Action::ReadRequests);
    }

    fn end(&mut self, ending: Ending, syncs: bool, now: Instant, actions: &mut Actions) {
        self.state = State::Ending { pid: None, ending, give_up_at: now.plus(SYNC_LIMIT) };
        act(actions, Action::Say(Notice::Ending(ending)));
        act(actions, Action::Spawn(Child::Ending { ending, syncs }));
    }

    /// The child that should have ended the machine is back: halted, or refused, or it did not work.
    fn ending_returned(&mut self, ending: Ending, outcome: Outcome, now: Instant, actions: &mut Actions) {
        if ending == Ending::Kexec {
            act(actions, Action::Say(Notice::NoKexec));
            self.end(Ending::Reboot, false, now, actions);
        } else if outcome == Outcome::Exited(REFUSED) {
            self.state = State::Over;
            act(actions, Action::Leave(ending));
        } else if !outcome.is_success() {
            self.end_now(ending, actions);
        } else if ending == Ending::PowerOff {
            self.state = State::Ending { pid: None, ending, give_up_at: now.plus(POWER_OFF_LIMIT) };
        } else {
            self.state = State::Over;
        }
    }

    fn end_now(&mut self, ending: Ending, actions: &mut Actions) {
        self.state = State::Over;
        // pid 1 would have nobody to tell it that the other kernel does not start.
        let ending = if ending == Ending::Kexec { Ending::Reboot } else { ending };
        act(actions, Action::EndNow(ending));
    }

    fn due(&mut self, now: Instant, actions: &mut Actions) {
        match self.state {
            State::Starting { child, retry_at: Some(at) } if now >= at => {
                if self.stage == Stage::Three {
                    // What leaves no room for it would be killed after it.
                    act(actions, Action::Say(Notice::KillingAll));
                    act(actions, Action::KillAll);
                }
                self.start(child, actions);
            }
            // KILL did not help either: it hangs in the kernel, and is left there.
            State::Stopping { until, was_killed: true, .. } if now >= until => self.enter(Stage::Three, actions),
            State::Running { until: Some(until), .. } if now >= until => {
                act(actions, Action::Say(Notice::NotTerminated(self.stage)));
                self.kill_all(actions);
            }
            State::Stopping { pid, until, .. } if now >= until => {
                self.state = State::Stopping { pid, until: now.plus(STAGE_GRACE), was_killed: true };
                act(actions, Action::Say(Notice::NotTerminated(self.stage)));
                act(actions, Action::SignalGroup(pid, Signal::KILL));
            }
            State::Resting { until } if now >= until => {
                act(actions, Action::Say(Notice::Restarting));
                self.enter(self.stage, actions);
            }
            State::Unended { ending, retry_at, give_up_at } if now >= retry_at => {
                self.state = State::Ending { pid: None, ending, give_up_at };
                act(actions, Action::Spawn(Child::Ending { ending, syncs: true }));
            }
            State::Ending { pid: Some(_), ending, give_up_at } if now >= give_up_at => {
                act(actions, Action::Say(Notice::NotSynced));
                self.end_now(ending, actions);
            }
            State::Ending { pid: None, give_up_at, .. } if now >= give_up_at => {
                self.end(Ending::Halt, false, now, actions);
            }
            State::Starting { .. }
            | State::Running { .. }
            | State::Stopping { .. }
            | State::Resting { .. }
            | State::Emergency { .. }
            | State::Stranded
            | State::Killing
            | State::Unended { .. }
            | State::Ending { .. }
            | State::Over => {}
        }
    }
}

fn act(actions: &mut Actions, action: Action) {
    // The size of `Actions` is proven by test; what would not fit there cannot happen.
    let _ = actions.push_back(action);
}

/// Says how a child ended, if it did not end well.
fn judge(child: Child, outcome: Outcome, actions: &mut Actions) {
    match outcome {
        Outcome::Exited(0) | Outcome::Unknown => {}
        Outcome::Exited(_) => act(actions, Action::Say(Notice::Failed(child))),
        Outcome::Killed { .. } => act(actions, Action::Say(Notice::Crashed(child))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Child = Child::Stage(Stage::One);
    const TWO: Child = Child::Stage(Stage::Two);
    const THREE: Child = Child::Stage(Stage::Three);
    const KILLED: Outcome = Outcome::Killed { signal: Signal::KILL, core_dumped: false };
    const OFF: Child = Child::Ending { ending: Ending::PowerOff, syncs: true };
    const STOP: Requests = Requests { stop: true, ending: None, reboot: false, has_next_kernel: false, no_sync: false };

    /// pid 1 under test: every child starts, with the next pid.
    struct Bench {
        boot: Boot,
        seconds: u64,
        next: u32,
        requests: Requests,
        seen: Vec<Action>,
    }

    impl Bench {
        fn new() -> Self {
            let mut bench =
                Self { boot: Boot::new(), seconds: 1, next: 2, requests: Requests::default(), seen: Vec::new() };
            bench.give(Event::Start);
            bench
        }

        /// In stage 2, which is pid 3.
        fn in_stage_two() -> Self {
            let mut bench = Self::new();
            bench.end(2, Outcome::Exited(0));
            bench.seen.clear();
            bench
        }

        /// In stage 3, which is pid 4.
        fn in_stage_three() -> Self {
            let mut bench = Self::in_stage_two();
            bench.end(3, Outcome::Exited(0));
            bench.seen.clear();
            bench
        }

        fn give(&mut self, event: Event) {
            let mut actions = Actions::new();
            let now = Instant::new(self.seconds, 0);
            self.boot.handle(event, now, &mut actions);
            assert!(!actions.is_full());
            while let Some(action) = actions.pop_front() {
                self.seen.push(action);
                let answer = match action {
                    Action::Spawn(child) => {
                        self.next += 1;
                        Event::Spawned(child, pid(self.next - 1))
                    }
                    Action::ReadRequests => Event::Requests(self.requests),
                    _ => continue,
                };
                self.boot.handle(answer, now, &mut actions);
                assert!(!actions.is_full());
            }
        }

        fn end(&mut self, raw: u32, outcome: Outcome) {
            self.give(Event::Exited(pid(raw), outcome));
        }

        fn running(&self) -> Option<Pid> {
            if let State::Running { pid, .. } = self.boot.state { Some(pid) } else { None }
        }

        fn after(&mut self, seconds: u64) {
            self.seconds += seconds;
            self.give(Event::Deadline);
        }

        fn notices(&self) -> Vec<Notice> {
            self.seen
                .iter()
                .filter_map(|action| if let Action::Say(notice) = action { Some(*notice) } else { None })
                .collect()
        }

        fn saw(&self, action: Action) -> bool {
            self.seen.contains(&action)
        }
    }

    fn pid(raw: u32) -> Pid {
        Pid::new(raw).unwrap()
    }

    #[test]
    fn three_stages_follow_each_other_and_the_machine_goes_off() {
        let mut bench = Bench::new();
        bench.end(2, Outcome::Exited(0));
        bench.end(3, Outcome::Exited(0));
        bench.end(4, Outcome::Exited(1));
        assert_eq!(
            bench.notices(),
            [
                Notice::Enter(ONE),
                Notice::LeaveChild(ONE),
                Notice::Enter(TWO),
                Notice::LeaveChild(TWO),
                Notice::Enter(THREE),
                Notice::Failed(THREE),
                Notice::LeaveChild(THREE),
                Notice::KillingAll,
                Notice::Ending(Ending::PowerOff),
            ]
        );
        assert_eq!(bench.seen.last(), Some(&Action::Spawn(OFF)));
        assert!(bench.saw(Action::KillAll));
    }

    #[test]
    fn stage_one_that_fails_goes_on_unless_it_says_100_or_was_killed() {
        for (outcome, next) in
            [(Outcome::Exited(1), Stage::Two), (Outcome::Exited(100), Stage::Three), (KILLED, Stage::Three)]
        {
            let mut bench = Bench::new();
            bench.end(2, outcome);
            assert_eq!(bench.boot.stage, next, "{outcome:?}");
            assert_eq!(bench.notices().contains(&Notice::SkippingStageTwo), next == Stage::Three);
        }
    }

    #[test]
    fn stage_two_that_dies_is_restarted_after_a_rest() {
        for outcome in [Outcome::Exited(111), KILLED] {
            let mut bench = Bench::in_stage_two();
            bench.end(3, outcome);
            assert!(bench.saw(Action::SignalGroup(pid(3), Signal::KILL)));
            assert_eq!(bench.boot.deadline(), Some(Instant::new(6, 0)));
            bench.after(5);
            assert_eq!(bench.running(), Some(pid(4)));
            assert!(bench.notices().ends_with(&[Notice::Restarting, Notice::Enter(TWO)]));
        }
    }

    #[test]
    fn a_shutdown_request_ends_stage_two_and_is_taken_back() {
        let mut bench = Bench::in_stage_two();
        bench.give(Event::Requests(STOP));
        assert_eq!(bench.seen, [Action::ClearStop, Action::Signal(pid(3), Signal::TERM)]);
        bench.end(3, KILLED);
        assert_eq!(bench.boot.stage, Stage::Three);
        assert!(!bench.notices().contains(&Notice::KillingStageTwo));
    }

    #[test]
    fn a_stage_that_does_not_end_is_killed_after_its_grace() {
        let mut bench = Bench::in_stage_two();
        bench.give(Event::Requests(STOP));
        bench.after(4);
        assert!(!bench.saw(Action::SignalGroup(pid(3), Signal::KILL)));
        bench.after(1);
        assert!(bench.saw(Action::SignalGroup(pid(3), Signal::KILL)));
        assert_eq!(bench.boot.stage, Stage::Two);
        bench.after(5);
        assert_eq!(bench.boot.stage, Stage::Three);
    }

    #[test]
    fn a_hung_stage_one_can_be_left() {
        let mut bench = Bench::new();
        bench.give(Event::Requests(STOP));
        assert!(bench.saw(Action::SignalGroup(pid(2), Signal::TERM)));
        bench.end(2, KILLED);
        assert_eq!((bench.boot.stage, bench.running()), (Stage::Three, Some(pid(3))));
    }

    #[test]
    fn cont_without_a_request_changes_nothing() {
        let mut bench = Bench::in_stage_two();
        bench.give(Event::Requests(Requests { reboot: true, ..Requests::default() }));
        assert_eq!(bench.seen, []);
    }

    #[test]
    fn the_reboot_file_is_read_at_the_end() {
        let mut bench = Bench::in_stage_three();
        bench.requests = Requests { reboot: true, no_sync: true, ..Requests::default() };
        bench.end(4, Outcome::Exited(0));
        assert!(bench.saw(Action::Spawn(Child::Ending { ending: Ending::Reboot, syncs: false })));
    }

    #[test]
    fn a_signal_asks_for_an_end_without_any_file() {
        for ending in [Ending::Halt, Ending::PowerOff, Ending::Reboot] {
            let mut bench = Bench::in_stage_two();
            bench.give(Event::Asked(ending));
            assert_eq!(bench.seen, [Action::Signal(pid(3), Signal::TERM)]);
            bench.end(3, Outcome::Exited(0));
            bench.end(4, Outcome::Exited(0));
            assert!(bench.saw(Action::Spawn(Child::Ending { ending, syncs: true })));
        }
    }

    #[test]
    fn the_last_one_who_asks_has_his_way() {
        let mut bench = Bench::in_stage_two();
        bench.give(Event::Asked(Ending::Reboot));
        bench.give(Event::Requests(STOP));
        bench.end(3, Outcome::Exited(0));
        bench.end(4, Outcome::Exited(0));
        assert!(bench.saw(Action::Spawn(OFF)));
    }

    /// The end of a machine that was asked to go down like this.
    fn ending_of(requests: Requests) -> (Ending, bool) {
        let mut bench = Bench::in_stage_two();
        bench.give(Event::Requests(requests));
        // What is left of the stop file by then does not count.
        bench.requests = Requests { stop: false, ending: None, ..requests };
        bench.end(3, Outcome::Exited(0));
        bench.end(4, Outcome::Exited(0));
        let endings: Vec<Ending> = bench
            .seen
            .iter()
            .filter_map(|action| match action {
                Action::Spawn(Child::Ending { ending, syncs: true }) => Some(*ending),
                _ => None,
            })
            .collect();
        let [ending] = *endings else { panic!("{endings:?}") };
        assert_eq!(bench.notices().last(), Some(&Notice::Ending(ending)));
        (ending, bench.notices().contains(&Notice::NoKexec))
    }

    #[test]
    fn the_stop_file_says_more_of_the_end_but_never_against_the_reboot_file() {
        use Ending::{Halt, Kexec, PowerOff, Reboot};
        for (ending, off, again) in [
            (None, PowerOff, Reboot),
            (Some(PowerOff), PowerOff, Reboot),
            (Some(Halt), Halt, Reboot),
            (Some(Reboot), PowerOff, Reboot),
            (Some(Kexec), PowerOff, Kexec),
        ] {
            let requests = Requests { ending, has_next_kernel: true, ..STOP };
            assert_eq!(ending_of(requests), (off, false), "{ending:?}");
            assert_eq!(ending_of(Requests { reboot: true, ..requests }), (again, false), "{ending:?}");
        }
    }

    #[test]
    fn without_another_kernel_the_machine_starts_again() {
        let requests = Requests { ending: Some(Ending::Kexec), reboot: true, ..STOP };
        assert_eq!(ending_of(requests), (Ending::Reboot, true));
    }

    const NEXT_KERNEL: Requests = Requests { ending: Some(Ending::Kexec), reboot: true, has_next_kernel: true, ..STOP };
    const KEXEC: Child = Child::Ending { ending: Ending::Kexec, syncs: true };

    /// The child that shall start another kernel is pid 5.
    fn at_kexec() -> Bench {
        let mut bench = Bench::in_stage_three();
        bench.give(Event::Requests(NEXT_KERNEL));
        bench.requests = NEXT_KERNEL;
        bench.end(4, Outcome::Exited(0));
        assert!(bench.saw(Action::Spawn(KEXEC)));
        bench.seen.clear();
        bench
    }

    #[test]
    fn another_kernel_that_will_not_start_makes_it_start_again() {
        for outcome in [Outcome::Exited(REFUSED), Outcome::Exited(0), KILLED] {
            let mut bench = at_kexec();
            bench.end(5, outcome);
            assert_eq!(bench.notices(), [Notice::NoKexec, Notice::Ending(Ending::Reboot)], "{outcome:?}");
            assert!(bench.saw(Action::Spawn(Child::Ending { ending: Ending::Reboot, syncs: false })));
            bench.end(6, Outcome::Exited(REFUSED));
            assert!(bench.saw(Action::Leave(Ending::Reboot)));
        }
    }

    #[test]
    fn a_sync_that_hangs_before_another_kernel_makes_it_start_again() {
        let mut bench = at_kexec();
        bench.after(30);
        assert!(bench.saw(Action::EndNow(Ending::Reboot)));
    }

    #[test]
    fn a_later_request_takes_the_wish_of_an_earlier_one_back() {
        let halt = Requests { ending: Some(Ending::Halt), ..STOP };
        for (later, expected) in [(STOP, Ending::PowerOff), (halt, Ending::Halt)] {
            let mut bench = Bench::in_stage_two();
            bench.give(Event::Requests(halt));
            bench.give(Event::Requests(later));
            bench.end(3, Outcome::Exited(0));
            bench.end(4, Outcome::Exited(0));
            assert!(bench.saw(Action::Spawn(Child::Ending { ending: expected, syncs: true })), "{later:?}");
        }
    }

    /// One that an earlier boot left behind, or that was never set.
    #[test]
    fn a_stop_file_that_did_not_ask_says_nothing_of_the_end() {
        let mut bench = Bench::in_stage_two();
        let unset = Requests { stop: false, ending: Some(Ending::Halt), ..STOP };
        bench.give(Event::Requests(unset));
        assert_eq!(bench.seen, []);
        bench.requests = unset;
        bench.end(3, Outcome::Exited(0));
        bench.end(4, Outcome::Exited(0));
        assert!(bench.saw(Action::Spawn(OFF)));
    }

    #[test]
    fn ctrl_alt_del_runs_its_script_and_then_asks_the_files() {
        let mut bench = Bench::in_stage_two();
        bench.give(Event::Interrupt { has_script: true });
        assert_eq!(bench.notices(), [Notice::CtrlAltDelRequest, Notice::Enter(Child::CtrlAltDel)]);
        bench.requests = STOP;
        bench.end(4, Outcome::Exited(0));
        assert!(bench.saw(Action::Signal(pid(3), Signal::TERM)));
    }

    #[test]
    fn ctrl_alt_del_without_a_script_does_nothing() {
        let mut bench = Bench::in_stage_two();
        bench.give(Event::Interrupt { has_script: false });
        assert_eq!(bench.seen, []);
    }

    #[test]
    fn stages_go_on_while_the_script_of_ctrl_alt_del_runs() {
        let mut bench = Bench::new();
        bench.give(Event::Interrupt { has_script: true });
        bench.end(2, Outcome::Exited(0));
        assert_eq!((bench.boot.stage, bench.running()), (Stage::Two, Some(pid(4))));
    }

    #[test]
    fn the_script_of_ctrl_alt_del_may_be_killed_with_everything_else() {
        let mut bench = Bench::in_stage_three();
        bench.give(Event::Interrupt { has_script: true });
        bench.boot.helper = Some(Helper { child: Child::CtrlAltDel, pid: Some(pid(99)) });
        bench.end(4, Outcome::Exited(0));
        let told = bench.notices().len();
        bench.end(99, KILLED);
        assert_eq!(bench.notices().len(), told);
    }

    #[test]
    fn the_third_ctrl_alt_del_kills_a_hung_script() {
        let mut bench = Bench::in_stage_two();
        for _ in 0..3 {
            bench.give(Event::Interrupt { has_script: true });
        }
        assert!(!bench.saw(Action::SignalGroup(pid(4), Signal::KILL)));
        bench.give(Event::Interrupt { has_script: true });
        assert!(bench.saw(Action::SignalGroup(pid(4), Signal::KILL)));
    }

    #[test]
    fn the_third_ctrl_alt_del_ends_a_hung_stage_three() {
        let mut bench = Bench::in_stage_three();
        for _ in 0..3 {
            assert!(!bench.saw(Action::SignalGroup(pid(4), Signal::KILL)));
            bench.give(Event::Interrupt { has_script: true });
        }
        assert!(bench.saw(Action::SignalGroup(pid(4), Signal::KILL)));
        bench.end(4, KILLED);
        assert!(bench.saw(Action::KillAll));
    }

    #[test]
    fn a_power_failure_with_a_script_goes_down_without_the_stop_file() {
        let mut bench = Bench::in_stage_two();
        bench.give(Event::PowerFail { has_script: true });
        bench.end(4, Outcome::Exited(0));
        assert!(bench.saw(Action::Signal(pid(3), Signal::TERM)));
    }

    #[test]
    fn a_power_failure_without_a_script_is_told_and_ignored() {
        let mut bench = Bench::in_stage_two();
        bench.give(Event::PowerFail { has_script: false });
        assert_eq!(bench.seen, [Action::Say(Notice::PowerFailureIgnored)]);
    }

    #[test]
    fn a_missing_stage_is_named_and_the_emergency_program_runs() {
        for stage in [Stage::One, Stage::Two, Stage::Three] {
            let mut bench = match stage {
                Stage::One => Bench::new(),
                Stage::Two => Bench::in_stage_two(),
                Stage::Three => Bench::in_stage_three(),
            };
            let pid = bench.running().unwrap();
            bench.give(Event::ExecFailed(pid, Errno::NOENT));
            bench.give(Event::Exited(pid, Outcome::Exited(111)));
            assert!(bench.notices().ends_with(&[
                Notice::UnableToStart(Child::Stage(stage), Errno::NOENT),
                Notice::Emergency(stage),
                Notice::Enter(Child::Emergency),
            ]));
            assert!(matches!(bench.boot.state, State::Emergency { .. }));
        }
    }

    /// In the emergency program, which is pid 3, in the place of stage 1.
    fn in_emergency() -> Bench {
        let mut bench = Bench::new();
        bench.give(Event::ExecFailed(pid(2), Errno::NOENT));
        bench.end(2, Outcome::Exited(111));
        bench.seen.clear();
        bench
    }

    #[test]
    fn after_the_emergency_program_the_stage_is_tried_again() {
        let mut bench = in_emergency();
        bench.seconds += 60;
        bench.end(3, Outcome::Exited(0));
        assert_eq!((bench.boot.stage, bench.running()), (Stage::One, Some(pid(4))));
    }

    #[test]
    fn an_emergency_program_that_ends_at_once_makes_no_loop() {
        let mut bench = in_emergency();
        bench.end(3, Outcome::Exited(0));
        assert_eq!(bench.boot.deadline(), Some(Instant::new(6, 0)));
    }

    #[test]
    fn without_an_emergency_program_it_waits_and_can_be_rebooted() {
        let mut bench = in_emergency();
        bench.give(Event::ExecFailed(pid(3), Errno::NOENT));
        bench.end(3, Outcome::Exited(111));
        assert_eq!((bench.boot.state, bench.boot.deadline()), (State::Stranded, None));
        bench.give(Event::Interrupt { has_script: false });
        assert_eq!(bench.boot.stage, Stage::Three);
        bench.end(4, Outcome::Exited(0));
        assert!(bench.saw(Action::Spawn(Child::Ending { ending: Ending::Reboot, syncs: true })));
    }

    #[test]
    fn a_shutdown_request_leaves_the_emergency_program() {
        let mut bench = in_emergency();
        bench.give(Event::Requests(STOP));
        assert!(bench.saw(Action::SignalGroup(pid(3), Signal::KILL)));
        assert_eq!(bench.boot.stage, Stage::Three);
    }

    #[test]
    fn a_fork_that_fails_is_tried_again_and_requests_are_heard_meanwhile() {
        let mut boot = Boot::new();
        let mut actions = Actions::new();
        boot.handle(Event::Start, Instant::new(1, 0), &mut actions);
        boot.handle(Event::SpawnFailed(ONE, Errno::AGAIN), Instant::new(1, 0), &mut actions);
        assert_eq!(boot.deadline(), Some(Instant::new(6, 0)));
        actions.clear();
        boot.handle(Event::Deadline, Instant::new(6, 0), &mut actions);
        assert_eq!(actions.back(), Some(&Action::Spawn(ONE)));
        boot.handle(Event::SpawnFailed(ONE, Errno::AGAIN), Instant::new(6, 0), &mut actions);
        boot.handle(Event::Requests(STOP), Instant::new(7, 0), &mut actions);
        assert_eq!(boot.stage, Stage::Three);
    }

    #[test]
    fn a_sync_that_hangs_is_given_up() {
        let mut bench = Bench::in_stage_three();
        bench.end(4, Outcome::Exited(0));
        bench.after(30);
        assert!(bench.saw(Action::EndNow(Ending::PowerOff)));
        assert_eq!(bench.boot.deadline(), None);
    }

    #[test]
    fn a_machine_that_does_not_go_off_is_halted() {
        let mut bench = Bench::in_stage_three();
        bench.end(4, Outcome::Exited(0));
        bench.end(5, Outcome::Exited(0));
        bench.after(2);
        assert!(bench.saw(Action::Spawn(Child::Ending { ending: Ending::Halt, syncs: false })));
        bench.end(6, Outcome::Exited(0));
        assert_eq!((bench.boot.state, bench.boot.deadline()), (State::Over, None));
    }

    #[test]
    fn a_stage_three_that_hangs_is_left_at_its_deadline() {
        let mut bench = Bench::in_stage_three();
        bench.after(STAGE_THREE_LIMIT.seconds() - 1);
        assert!(!bench.saw(Action::KillAll));
        bench.after(1);
        assert!(bench.saw(Action::KillAll) && bench.saw(Action::Spawn(OFF)));
    }

    #[test]
    fn a_request_that_stage_three_leaves_behind_counts_without_its_signal() {
        for (ending, reboot, expected) in [
            (Some(Ending::Kexec), true, Ending::Kexec),
            (None, true, Ending::Reboot),
            (Some(Ending::Halt), false, Ending::Halt),
        ] {
            let mut bench = Bench::in_stage_three();
            bench.give(Event::Asked(Ending::PowerOff));
            bench.requests = Requests { stop: true, ending, reboot, has_next_kernel: true, no_sync: false };
            bench.end(4, Outcome::Exited(0));
            assert!(bench.notices().contains(&Notice::Ending(expected)), "{:?}", bench.seen);
        }
    }

    #[test]
    fn an_ending_that_was_killed_is_done_by_pid_1_itself() {
        let mut bench = Bench::in_stage_three();
        bench.end(4, Outcome::Exited(0));
        bench.end(5, KILLED);
        assert!(bench.saw(Action::EndNow(Ending::PowerOff)));
    }

    #[test]
    fn a_power_failure_whose_script_cannot_be_forked_goes_down_all_the_same() {
        let mut boot = Boot::new();
        let mut actions = Actions::new();
        let now = Instant::new(1, 0);
        boot.handle(Event::Start, now, &mut actions);
        boot.handle(Event::Spawned(ONE, pid(2)), now, &mut actions);
        boot.handle(Event::PowerFail { has_script: true }, now, &mut actions);
        boot.handle(Event::SpawnFailed(Child::PowerFail, Errno::AGAIN), now, &mut actions);
        assert_eq!(actions.back(), Some(&Action::SignalGroup(pid(2), Signal::TERM)));
    }

    /// Stage 3 could not be forked just now.
    fn without_room_for_stage_three() -> (Boot, Actions) {
        let mut boot = Bench::in_stage_two().boot;
        let mut actions = Actions::new();
        let now = Instant::new(1, 0);
        boot.handle(Event::Exited(pid(3), Outcome::Exited(0)), now, &mut actions);
        boot.handle(Event::SpawnFailed(THREE, Errno::AGAIN), now, &mut actions);
        actions.clear();
        (boot, actions)
    }

    #[test]
    fn what_leaves_no_room_for_stage_three_is_killed() {
        let (mut boot, mut actions) = without_room_for_stage_three();
        assert_eq!(boot.deadline(), Some(Instant::new(6, 0)));
        boot.handle(Event::Deadline, Instant::new(6, 0), &mut actions);
        assert_eq!(
            actions.into_iter().collect::<Vec<_>>(),
            [Action::Say(Notice::KillingAll), Action::KillAll, Action::Say(Notice::Enter(THREE)), Action::Spawn(THREE)]
        );
    }

    #[test]
    fn the_end_waits_for_room_to_sync_but_not_for_ever() {
        let mut boot = Bench::in_stage_three().boot;
        let mut actions = Actions::new();
        boot.handle(Event::Exited(pid(4), Outcome::Exited(0)), Instant::new(1, 0), &mut actions);
        boot.handle(Event::Requests(Requests::default()), Instant::new(1, 0), &mut actions);
        for second in 1..31 {
            assert_eq!(actions.pop_back(), Some(Action::Spawn(OFF)));
            actions.clear();
            let now = Instant::new(second, 0);
            boot.handle(Event::SpawnFailed(OFF, Errno::AGAIN), now, &mut actions);
            boot.handle(Event::Interrupt { has_script: true }, now, &mut actions);
            boot.handle(Event::Deadline, now, &mut actions);
            assert_eq!(actions.pop_back(), Some(Action::Say(Notice::UnableToFork(OFF, Errno::AGAIN))));
            let next = Instant::new(second + 1, 0);
            assert_eq!(boot.deadline(), Some(next));
            boot.handle(Event::Deadline, next, &mut actions);
        }
        boot.handle(Event::SpawnFailed(OFF, Errno::AGAIN), Instant::new(31, 0), &mut actions);
        assert_eq!(actions.back(), Some(&Action::EndNow(Ending::PowerOff)));
    }

    #[test]
    fn the_third_ctrl_alt_del_without_room_for_its_script_goes_down() {
        let mut boot = Bench::in_stage_two().boot;
        let mut actions = Actions::new();
        let now = Instant::new(1, 0);
        for notice in [Notice::GoingDownAlready, Notice::GoingDownAlready, Notice::Forcing] {
            boot.handle(Event::Interrupt { has_script: true }, now, &mut actions);
            assert_eq!(actions.pop_back(), Some(Action::Spawn(Child::CtrlAltDel)));
            actions.clear();
            boot.handle(Event::SpawnFailed(Child::CtrlAltDel, Errno::AGAIN), now, &mut actions);
            assert!(actions.iter().any(|action| *action == Action::Say(notice)));
        }
        assert_eq!(actions.back(), Some(&Action::Signal(pid(3), Signal::TERM)));
        assert_eq!(boot.asked, Some(Ending::Reboot));
    }

    #[test]
    fn a_container_that_may_not_end_the_machine_is_left() {
        let mut bench = Bench::in_stage_three();
        bench.end(4, Outcome::Exited(0));
        bench.end(5, Outcome::Exited(111));
        assert!(bench.saw(Action::Leave(Ending::PowerOff)));
    }

    #[test]
    fn orphans_change_nothing() {
        let mut bench = Bench::in_stage_two();
        bench.end(4711, KILLED);
        assert_eq!(bench.seen, []);
    }

    /// Every sequence of five events, from the start: the actions always fit, and nothing is ever waited for without a
    /// process, a deadline or a person.
    #[test]
    fn every_short_history_keeps_the_promises() {
        const KINDS: usize = 11;
        for history in 0..KINDS.pow(5) {
            let mut bench = Bench::new();
            let mut rest = history;
            for _ in 0..5 {
                let current = match bench.boot.state {
                    State::Running { pid, .. } | State::Stopping { pid, .. } | State::Emergency { pid, .. } => {
                        Some(pid)
                    }
                    State::Ending { pid, .. } => pid,
                    _ => None,
                };
                let helper = bench.boot.helper.and_then(|helper| helper.pid);
                let kind = rest % KINDS;
                rest /= KINDS;
                match (kind, current, helper) {
                    (0, Some(pid), _) => bench.give(Event::Exited(pid, Outcome::Exited(0))),
                    (1, Some(pid), _) => bench.give(Event::Exited(pid, Outcome::Exited(111))),
                    (2, Some(pid), _) => {
                        bench.give(Event::ExecFailed(pid, Errno::NOENT));
                        bench.give(Event::Exited(pid, Outcome::Exited(111)));
                    }
                    (3, Some(pid), _) => bench.give(Event::Exited(pid, KILLED)),
                    (4, _, Some(pid)) => bench.give(Event::Exited(pid, Outcome::Exited(0))),
                    (5, ..) => bench.give(Event::Requests(STOP)),
                    (6, ..) => bench.give(Event::Interrupt { has_script: history % 2 == 0 }),
                    (7, ..) => bench.give(Event::PowerFail { has_script: true }),
                    (8, ..) => bench.after(10),
                    (9, ..) => bench.give(Event::Asked(Ending::Halt)),
                    (10, ..) => {
                        bench.requests = NEXT_KERNEL;
                        bench.give(Event::Requests(NEXT_KERNEL));
                    }
                    _ => {}
                }
                let waits_for_nothing = match bench.boot.state {
                    State::Starting { retry_at, .. } => retry_at.is_none(),
                    State::Killing => true,
                    _ => false,
                };
                assert!(!waits_for_nothing, "history {history}: {:?}", bench.boot);
            }
        }
    }
}
