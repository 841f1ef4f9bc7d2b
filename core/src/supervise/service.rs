//! The machine of one supervised process: a service, or the log service beside it.
//!
//! # States
//! | State | Process | Left by |
//! |---|---|---|
//! | `Down` | none | the start, when one is wanted and its time has come |
//! | `Starting` | being forked | the answer to `Spawn(Run)` |
//! | `Running` | `./run` | its end |
//! | `Done` | none, and none is missing | a command that would end it |
//! | `Finishing` | `./finish`, being forked | the answer to `Spawn(Finish)` |
//! | `Finish` | `./finish` | its end |
//!
//! Beside the state stand what is *wanted* (changed by commands, and at once; by an end only after *once*, and of a
//! one-shot), and the *control scripts* that run: one for a start, one for other commands. While the latter runs, later
//! signals wait, each kind once and in the order of their last command; `Kill` does not wait: it kills the script too. A script that hangs
//! therefore holds up neither what is wanted nor the next start, and what it was run for is done only to
//! the process that it was run for. The state itself changes only when the kernel has told of it: a signal that was sent
//! changes nothing, the end of the process does.
//!
//! # One-shots
//! The `./run` of a one-shot is run once. If it ends well, by itself, it is `Done`, which counts as up. If it fails, down is
//! wanted from then on, so that it does not come back before somebody says so. An end that somebody asked for, or of
//! which nobody knows how it was, is like that of any service: what is wanted decides.
//!
//! A process that another supervisor started is taken over as it is: it runs, or finishes, until its end is told.
//!
//! Every `Spawn` is answered by `Spawned`, `Absent` or `SpawnFailed` before the next event from outside.
//!
//! # Differences between the two members
//! A log service has no control scripts and no finish script, and cannot be told to exit; it is told so by
//! the end of its input ([`super::pair`]).

use heapless::Vec;

use super::control::Command;
use super::event::{Action, Actions, Event, Member, Script};
use super::extension::{Extension, Failure, History, OneShot, Origin};
use super::settings::Settings;
use super::status::{Phase, Record, Wanted};
use crate::limits::{FAILING_LIFE, FORK_RETRY, LONGEST_BACK_OFF, START_INTERVAL, WAITING_COMMANDS};
use crate::process::Pid;
use crate::process::errno::Errno;
use crate::process::outcome::Outcome;
use crate::process::signal::Signal;
use crate::tai64n::Label;
use crate::time::{Duration, Instant, Now};

/// What commands have made of the service's future.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Want {
    Up,
    /// To be started once more if it does not run, and down when it has run.
    Once,
    Down,
    Exit,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Down { not_before: Instant },
    Starting,
    Running { pid: Pid },
    Done,
    Finishing { ended: Outcome, retry_at: Option<Instant> },
    Finish { pid: Pid },
}

/// How the `./run` of a one-shot that is done has ended.
const WELL: Outcome = Outcome::Exited(0);

/// A control script that was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Hook {
    command: Command,
    /// None until the answer came.
    pid: Option<Pid>,
    /// The process that it was run for.
    target: Option<Pid>,
}

/// One supervised process. A plain value of fixed size: one makes a `runsv`, a table of them a supervisor
/// of many.
#[derive(Debug)]
pub struct Service {
    member: Member,
    want: Want,
    state: State,
    is_paused: bool,
    got_term: bool,
    stamp: Label,
    stamp_since_boot: Instant,
    started: Instant,
    /// When the process in the foreground is killed, because it had its time.
    kill_at: Option<Instant>,
    /// Somebody told the process to do something; its end is no failure.
    is_told: bool,
    /// The one-shot has failed by itself, and nobody has told it anything since.
    has_failed: bool,
    history: History,
    settings: Settings,
    /// The control script of a command.
    hook: Option<Hook>,
    /// The control script of a start.
    start_hook: Option<Hook>,
    waiting: Vec<Command, WAITING_COMMANDS>,
}

// A supervisor of a thousand services keeps two thousand of them.
const _: () = assert!(size_of::<Service>() <= 320);

impl Service {
    /// A service that is down. It does nothing before its first event; `wants_up` says whether it is then
    /// started by itself.
    pub fn new(member: Member, wants_up: bool, now: Now) -> Self {
        Self {
            member,
            want: if wants_up { Want::Up } else { Want::Down },
            state: State::Down { not_before: Instant::ORIGIN },
            is_paused: false,
            got_term: false,
            stamp: now.wall,
            stamp_since_boot: now.since_boot,
            started: Instant::ORIGIN,
            kill_at: None,
            is_told: false,
            has_failed: false,
            history: History::NONE,
            settings: Settings::DEFAULT,
            hook: None,
            start_hook: None,
            waiting: Vec::new(),
        }
    }

    /// A service whose process `pid` another supervisor started and told of, in `record` and `extension`; `None`: a
    /// one-shot that is done. It goes on as it was; one whose supervisor was told to exit is what `wants_up` says.
    pub fn taken_over(
        member: Member,
        wants_up: bool,
        (record, extension): (&Record, &Extension),
        pid: Option<Pid>,
        settings: Settings,
        now: Now,
    ) -> Self {
        let mut service = Self::new(member, wants_up, now);
        match extension.wanted {
            Wanted::Up => service.want = Want::Up,
            Wanted::Once if record.phase == Phase::Run => service.want = Want::Once,
            Wanted::Once | Wanted::Down => service.want = Want::Down,
            Wanted::Exit => {}
        }
        if record.got_term {
            // How long ago it was told to stop is not known.
            service.kill_at = settings.kill_after.map(|limit| now.monotonic.plus(limit));
        } else if record.phase == Phase::Run && (service.want == Want::Down || extension.hook == Command::Term.byte()) {
            // A stop was under way, in a control script perhaps: it begins anew.
            let _ = service.waiting.push(Command::Term);
        }
        service.state = match (pid, record.phase) {
            (None, _) => State::Done,
            (Some(pid), Phase::Down | Phase::Run) => State::Running { pid },
            (Some(pid), Phase::Finish) => State::Finish { pid },
        };
        service.has_failed = extension.one_shot == OneShot::Failed;
        service.is_paused = record.is_paused;
        service.got_term = record.got_term;
        service.stamp = record.stamp;
        service.stamp_since_boot = extension.since_boot;
        service.started = now.monotonic.minus(now.since_boot.since(extension.since_boot));
        service.history = History { is_taken_over: true, ..extension.history };
        service.settings = settings;
        service
    }

    /// What the service asks for from now on.
    pub fn configure(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// What the status files shall tell. The process of a one-shot that is done is named by [`Service::status`].
    pub fn record(&self) -> Record {
        Record {
            stamp: self.stamp,
            pid: self.pid(),
            is_paused: self.is_paused,
            wanted: self.wanted(),
            got_term: self.got_term,
            phase: match self.state {
                State::Down { .. } | State::Starting => Phase::Down,
                State::Running { .. } | State::Done => Phase::Run,
                State::Finishing { .. } | State::Finish { .. } => Phase::Finish,
            },
        }
    }

    fn wanted(&self) -> Wanted {
        match self.want {
            Want::Up => Wanted::Up,
            Want::Once => Wanted::Once,
            Want::Down => Wanted::Down,
            Want::Exit => Wanted::Exit,
        }
    }

    /// What the status file tells behind the record.
    pub fn extension(&self, origin: Origin) -> Extension {
        // One that is only asked for may not be there.
        let hook = [self.hook, self.start_hook].into_iter().flatten().find(|hook| hook.pid.is_some());
        Extension {
            wanted: self.wanted(),
            since_boot: self.stamp_since_boot,
            history: self.history,
            one_shot: self.one_shot(),
            hook: hook.map_or(0, |hook| hook.command.byte()),
            origin,
        }
    }

    /// What the whole status file tells. In the place of the process that a one-shot has no more stands its supervisor,
    /// since others count as up only what has a process.
    pub fn status(&self, origin: Origin) -> (Record, Extension) {
        let mut record = self.record();
        if self.is_done() {
            record.pid = Pid::new(origin.supervisor);
        }
        (record, self.extension(origin))
    }

    fn one_shot(&self) -> OneShot {
        match self.state {
            State::Done => OneShot::Done,
            State::Running { .. } if self.is_one_shot() => OneShot::Running,
            _ if self.has_failed => OneShot::Failed,
            State::Down { .. }
            | State::Starting
            | State::Running { .. }
            | State::Finishing { .. }
            | State::Finish { .. } => OneShot::No,
        }
    }

    fn is_one_shot(&self) -> bool {
        self.member == Member::Main && self.settings.is_one_shot
    }

    /// Whether it is a one-shot that is done.
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// The process in the foreground: `./run` or `./finish`.
    pub fn pid(&self) -> Option<Pid> {
        match self.state {
            State::Running { pid } | State::Finish { pid } => Some(pid),
            State::Down { .. } | State::Starting | State::Done | State::Finishing { .. } => None,
        }
    }

    /// Whether nothing runs, and nothing is being started. A control script may still be busy.
    pub fn is_down(&self) -> bool {
        matches!(self.state, State::Down { .. })
    }

    /// Whether a control script is busy.
    pub fn has_hooks(&self) -> bool {
        self.hook.is_some() || self.start_hook.is_some()
    }

    /// Kills the control scripts that are busy.
    pub(super) fn kill_hooks(&self, actions: &mut Actions) {
        for hook in [&self.hook, &self.start_hook] {
            if let Some(Hook { pid: Some(pid), .. }) = hook {
                self.act(actions, Action::Signal(*pid, Signal::KILL));
            }
        }
    }

    /// Whether it was told to exit.
    pub fn wants_exit(&self) -> bool {
        self.want == Want::Exit
    }

    /// When to call again with [`Event::Deadline`]; `None`: only on other events.
    pub fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Down { not_before } if self.wants_start() && self.start_hook.is_none() => Some(not_before),
            State::Finishing { retry_at, .. } => retry_at,
            State::Running { .. } | State::Finish { .. } => self.kill_at,
            State::Down { .. } | State::Starting | State::Done => None,
        }
    }

    /// Takes one event and appends what must be done. Never fails, never blocks.
    pub fn handle(&mut self, event: Event, now: Now, actions: &mut Actions) {
        match event {
            Event::Command(command) => self.take(command, now.monotonic, actions),
            Event::Spawned(script, pid) => self.spawned(script, pid, now, actions),
            Event::Absent(script) => self.not_spawned(script, None, now, actions),
            Event::SpawnFailed(script, errno) => self.not_spawned(script, Some(errno), now, actions),
            Event::ExecFailed(pid, errno) => self.exec_failed(pid, errno),
            Event::Exited(pid, outcome) => self.exited(pid, outcome, now, actions),
            Event::Deadline => {}
        }
        self.advance(now, actions);
    }

    /// Tells a log service that its input is at its end, and that it shall not come back.
    pub(super) fn end_with_input(&mut self, now: Now, actions: &mut Actions) {
        self.want = Want::Exit;
        self.kill_at = self.settings.kill_after.map(|limit| now.monotonic.plus(limit));
        self.act(actions, Action::WriteStatus);
    }

    fn runs(&self, process: Pid) -> bool {
        matches!(self.state, State::Running { pid } if pid == process)
    }

    /// Where the control script of `command` has its place.
    fn hook_slot(&mut self, command: Command) -> &mut Option<Hook> {
        if command == Command::Up { &mut self.start_hook } else { &mut self.hook }
    }

    fn wants_start(&self) -> bool {
        matches!(self.want, Want::Up | Want::Once)
    }

    fn act(&self, actions: &mut Actions, action: Action) {
        // The size of `Actions` is proven by test; what would not fit there cannot happen.
        let _ = actions.push_back((self.member, action));
    }

    fn signal(&self, actions: &mut Actions, signal: Signal) {
        if let State::Running { pid } = self.state {
            self.act(actions, Action::Signal(pid, signal));
        }
    }

    /// A command from outside: what is wanted changes now, signals may wait for a control script.
    fn take(&mut self, command: Command, now: Instant, actions: &mut Actions) {
        self.is_told |= command.stops();
        if !matches!(command.signal(), Some(signal) if signal != Signal::TERM) {
            self.forgive(actions);
        }
        // Told to exit is told for good: a new supervisor follows if one is wanted.
        let is_final = self.want == Want::Exit;
        match command {
            Command::Up | Command::Once if is_final => {}
            // What must end is told again.
            Command::Down | Command::Exit if is_final => self.signal_or_wait(Command::Term, now, actions),
            Command::Exit if self.member == Member::Log => {}
            Command::Up => self.want_now(Want::Up, actions),
            Command::Once => {
                let want = match self.state {
                    // To a one-shot once is up.
                    State::Done => Want::Up,
                    // What finishes has run already.
                    State::Finishing { .. } | State::Finish { .. } if !self.is_one_shot() => Want::Down,
                    State::Down { .. }
                    | State::Starting
                    | State::Running { .. }
                    | State::Finishing { .. }
                    | State::Finish { .. } => Want::Once,
                };
                self.want_now(want, actions);
            }
            Command::Down => {
                self.want_now(Want::Down, actions);
                self.signal_or_wait(Command::Term, now, actions);
            }
            Command::Exit => {
                self.want_now(Want::Exit, actions);
                self.signal_or_wait(Command::Term, now, actions);
            }
            Command::Kill => self.kill(now, actions),
            Command::Term
            | Command::Pause
            | Command::Continue
            | Command::Hangup
            | Command::Alarm
            | Command::Interrupt
            | Command::Quit
            | Command::User1
            | Command::User2 => self.signal_or_wait(command, now, actions),
        }
    }

    /// Failures of the past count no more: whoever tells a service something has seen them.
    fn forgive(&mut self, actions: &mut Actions) {
        if self.has_failed || (self.history.tally, self.history.backoff) != (0, 0) {
            self.act(actions, Action::WriteStatus);
        }
        self.has_failed = false;
        self.history.tally = 0;
        if self.history.backoff > 0 && matches!(self.state, State::Down { .. }) {
            self.state = State::Down { not_before: self.started.plus(START_INTERVAL) };
        }
        self.history.backoff = 0;
    }

    fn signal_or_wait(&mut self, command: Command, now: Instant, actions: &mut Actions) {
        if self.is_done() {
            // There is no process: only what would end it means something, and waits for nothing.
            if command == Command::Term {
                self.finish(WELL, actions);
            }
            return;
        }
        if self.hook.is_none() && !matches!(self.state, State::Starting) {
            return self.apply(command, now, actions);
        }
        // A repeated command takes its latest place, so there is room for all kinds of them.
        self.waiting.retain(|waiting| *waiting != command);
        let _ = self.waiting.push(command);
    }

    /// A signal that nothing holds up any more. TERM goes on to whatever is wanted: see [`Service::hook_ended`].
    fn apply(&mut self, command: Command, now: Instant, actions: &mut Actions) {
        if matches!(self.state, State::Running { .. }) {
            self.ask_hook(command, now, actions);
        }
    }

    /// KILL waits for nothing: neither for a control script, which is killed too, nor for the signals behind it.
    fn kill(&mut self, now: Instant, actions: &mut Actions) {
        self.waiting.clear();
        let is_held_up = self.hook.is_some();
        self.kill_hooks(actions);
        match self.state {
            State::Running { .. } if !is_held_up => self.ask_hook(Command::Kill, now, actions),
            State::Running { pid } | State::Finish { pid } => self.act(actions, Action::Signal(pid, Signal::KILL)),
            State::Done => self.finish(WELL, actions),
            State::Down { .. } | State::Starting | State::Finishing { .. } => {}
        }
    }

    fn want_now(&mut self, want: Want, actions: &mut Actions) {
        self.want = want;
        self.act(actions, Action::WriteStatus);
    }

    fn set_paused(&mut self, is_paused: bool, actions: &mut Actions) {
        self.is_paused = is_paused;
        self.act(actions, Action::WriteStatus);
    }

    /// Lets `control/X` have the first word; a log service has none.
    fn ask_hook(&mut self, command: Command, now: Instant, actions: &mut Actions) {
        let hook = Hook { command, pid: None, target: self.pid() };
        if self.member == Member::Log {
            return self.hook_ended(hook, false, now, actions);
        }
        *self.hook_slot(command) = Some(hook);
        self.act(actions, Action::Spawn(Script::Control(command)));
    }

    /// A control script is done or is not there; `took_over` says that it replaces the default.
    fn hook_ended(&mut self, hook: Hook, took_over: bool, now: Instant, actions: &mut Actions) {
        let command = hook.command;
        let signal = match command {
            _ if took_over => None,
            Command::Term => Some(self.settings.down_signal),
            _ => command.signal(),
        };
        // Another process than the one it was for has nothing to do with it.
        let is_for_this = self.pid() == hook.target && matches!(self.state, State::Running { .. });
        if is_for_this && let Some(signal) = signal {
            self.signal(actions, signal);
        }
        match command {
            Command::Up => {
                // Whoever stopped the service while `control/u` ran does not want it started after it.
                if self.is_down() && self.wants_start() {
                    self.start(actions);
                }
            }
            Command::Term if is_for_this => self.stop(signal.is_some(), now, actions),
            Command::Pause if is_for_this => self.set_paused(true, actions),
            Command::Continue if is_for_this => self.set_paused(false, actions),
            Command::Down
            | Command::Pause
            | Command::Continue
            | Command::Once
            | Command::Exit
            | Command::Term
            | Command::Kill
            | Command::Hangup
            | Command::Alarm
            | Command::Interrupt
            | Command::Quit
            | Command::User1
            | Command::User2 => {}
        }
    }

    /// The process was told to end, or a control script did it its own way.
    fn stop(&mut self, is_signalled: bool, now: Instant, actions: &mut Actions) {
        let further = match self.want {
            Want::Up => None,
            Want::Once | Want::Down => Some(Command::Down),
            Want::Exit => Some(Command::Exit),
        };
        if (is_signalled || further.is_some())
            && let Some(limit) = self.settings.kill_after
        {
            // Told again, it gets no more time.
            self.kill_at.get_or_insert(now.plus(limit));
        }
        let was_paused = self.is_paused;
        self.got_term |= is_signalled;
        // A process that is stopped could not hear the signal.
        self.is_paused &= further.is_none();
        if is_signalled || was_paused != self.is_paused {
            self.act(actions, Action::WriteStatus);
        }
        if let Some(command) = further {
            self.signal(actions, Signal::CONT);
            if self.member == Member::Main {
                self.ask_hook(command, now, actions);
            }
        }
    }

    /// A child could not execute its script; its end is told next, and with it the status written.
    fn exec_failed(&mut self, pid: Pid, errno: Errno) {
        let failure = match self.state {
            State::Running { pid: run } if run == pid => Failure::Run(errno),
            State::Finish { pid: finish } if finish == pid => Failure::Finish(errno),
            _ if [self.hook, self.start_hook].iter().any(|hook| hook.is_some_and(|hook| hook.pid == Some(pid))) => {
                Failure::Control(errno)
            }
            _ => return,
        };
        self.fail(failure);
    }

    fn fail(&mut self, failure: Failure) {
        self.history.failure = Some((failure, self.history.starts));
    }

    fn start(&mut self, actions: &mut Actions) {
        self.state = State::Starting;
        self.act(actions, Action::Spawn(Script::Run));
    }

    fn spawned(&mut self, script: Script, pid: Pid, now: Now, actions: &mut Actions) {
        match (script, self.state) {
            (Script::Run, State::Starting) => {
                self.state = State::Running { pid };
                self.started = now.monotonic;
                self.set_stamp(now);
                self.is_paused = false;
                self.got_term = false;
                self.is_told = false;
                self.has_failed = false;
                self.history.starts = self.history.starts.saturating_add(1);
                self.history.backoff = 0;
                self.history.is_taken_over = false;
                self.act(actions, Action::WriteStatus);
            }
            (Script::Finish(_), State::Finishing { .. }) => {
                self.state = State::Finish { pid };
                self.kill_at = self.settings.finish_limit.map(|limit| now.monotonic.plus(limit));
                self.act(actions, Action::WriteStatus);
            }
            (Script::Control(command), _) => {
                if let Some(hook) = self.hook_slot(command) {
                    hook.pid = Some(pid);
                }
                self.act(actions, Action::WriteStatus);
            }
            // Answers that nobody asked for.
            (Script::Run | Script::Finish(_), _) => {}
        }
    }

    fn not_spawned(&mut self, script: Script, errno: Option<Errno>, now: Now, actions: &mut Actions) {
        let retry_at = errno.map(|_| now.monotonic.plus(FORK_RETRY));
        if let Some(errno) = errno {
            self.fail(Failure::Fork(errno));
            self.act(actions, Action::WriteStatus);
        }
        match (script, self.state) {
            (Script::Run, State::Starting) => {
                let not_before = retry_at.unwrap_or(now.monotonic.plus(START_INTERVAL));
                self.state = State::Down { not_before };
            }
            (Script::Finish(_), State::Finishing { ended, .. }) => match retry_at {
                Some(_) => self.state = State::Finishing { ended, retry_at },
                None => self.come_down(now, actions),
            },
            (Script::Control(command), _) => {
                if let Some(hook) = self.hook_slot(command).take() {
                    self.hook_ended(hook, false, now.monotonic, actions);
                }
            }
            (Script::Run | Script::Finish(_), _) => {}
        }
    }

    fn exited(&mut self, pid: Pid, outcome: Outcome, now: Now, actions: &mut Actions) {
        let has_ended = |hook: &mut Hook| hook.pid == Some(pid);
        if let Some(hook) = self.hook.take_if(has_ended).or_else(|| self.start_hook.take_if(has_ended)) {
            self.hook_ended(hook, outcome.is_success(), now.monotonic, actions);
            self.act(actions, Action::WriteStatus);
        } else if self.runs(pid) {
            self.got_term = false;
            self.kill_at = None;
            self.history.last_end = Some(outcome);
            self.count_end(now.monotonic);
            let is_wanted = matches!(self.want, Want::Up | Want::Once);
            if self.is_one_shot() && is_wanted && !self.is_told {
                return self.one_shot_ended(outcome, now, actions);
            }
            if self.want == Want::Once {
                self.want = Want::Down;
            }
            match self.member {
                Member::Main => self.finish(outcome, actions),
                Member::Log => self.come_down(now, actions),
            }
        } else if self.pid() == Some(pid) {
            self.come_down(now, actions);
        }
    }

    /// `./run` of a one-shot has ended by itself.
    fn one_shot_ended(&mut self, outcome: Outcome, now: Now, actions: &mut Actions) {
        match outcome {
            WELL => {
                self.want = Want::Up;
                self.state = State::Done;
                self.is_paused = false;
                self.set_stamp(now);
                self.act(actions, Action::WriteStatus);
            }
            // It may have ended well or not: the next run tells.
            Outcome::Unknown => self.finish(outcome, actions),
            Outcome::Exited(_) | Outcome::Killed { .. } => {
                self.want = Want::Down;
                self.has_failed = true;
                self.finish(outcome, actions);
            }
        }
    }

    fn finish(&mut self, ended: Outcome, actions: &mut Actions) {
        self.state = State::Finishing { ended, retry_at: None };
        self.act(actions, Action::Spawn(Script::Finish(ended)));
    }

    /// Whether the end of `./run` was one more failing end; and what follows from it for the next start.
    fn count_end(&mut self, now: Instant) {
        let is_one_shot = self.is_one_shot();
        let history = &mut self.history;
        // A one-shot does not come back after a failure, so there is nothing to put off.
        let is_failing = !is_one_shot && !self.is_told && now.since(self.started) < FAILING_LIFE;
        history.tally = if is_failing { history.tally.saturating_add(1) } else { 0 };
        let beyond = self.settings.back_off_after.and_then(|after| history.tally.checked_sub(after)).unwrap_or(0);
        let doublings = beyond.saturating_sub(1).min(15);
        history.backoff = if beyond == 0 { 0 } else { LONGEST_BACK_OFF.min(1 << doublings) };
    }

    fn come_down(&mut self, now: Now, actions: &mut Actions) {
        let backed_off = now.monotonic.plus(Duration::from_seconds(self.history.backoff.into()));
        self.state = State::Down { not_before: self.started.plus(START_INTERVAL).max(backed_off) };
        self.kill_at = None;
        self.set_stamp(now);
        self.act(actions, Action::WriteStatus);
    }

    fn set_stamp(&mut self, now: Now) {
        self.stamp = now.wall;
        self.stamp_since_boot = now.since_boot;
    }

    /// What follows from the state alone: signals that waited, and starts whose time has come.
    fn advance(&mut self, now: Now, actions: &mut Actions) {
        while self.hook.is_none() && !matches!(self.state, State::Starting) {
            let Some(command) = self.waiting.first().copied() else { break };
            self.waiting.retain(|waiting| *waiting != command);
            self.apply(command, now.monotonic, actions);
        }
        if let State::Running { pid } | State::Finish { pid } = self.state
            && self.kill_at.is_some_and(|at| now.monotonic >= at)
        {
            self.kill_at = None;
            self.fail(if self.runs(pid) { Failure::Stop } else { Failure::FinishStop });
            self.act(actions, Action::Signal(pid, Signal::KILL));
            self.act(actions, Action::WriteStatus);
        }
        match self.state {
            State::Down { not_before }
                if self.wants_start() && self.start_hook.is_none() && now.monotonic >= not_before =>
            {
                match self.member {
                    Member::Main => self.ask_hook(Command::Up, now.monotonic, actions),
                    Member::Log => self.start(actions),
                }
            }
            State::Finishing { ended, retry_at: Some(at) } if now.monotonic >= at => {
                self.state = State::Finishing { ended, retry_at: None };
                self.act(actions, Action::Spawn(Script::Finish(ended)));
            }
            State::Down { .. }
            | State::Starting
            | State::Running { .. }
            | State::Done
            | State::Finishing { .. }
            | State::Finish { .. } => {}
        }
    }
}

#[cfg(test)]
mod histories;
#[cfg(test)]
mod tests;
