//! The machine of one supervised process: a service, or the log service beside it.
//!
//! # States
//! | State | Process | Left by |
//! |---|---|---|
//! | `Down` | none | the start, when one is wanted and its time has come |
//! | `Starting` | being forked | the answer to `Spawn(Run)` |
//! | `Running` | `./run` | its end |
//! | `Finishing` | `./finish`, being forked | the answer to `Spawn(Finish)` |
//! | `Finish` | `./finish` | its end |
//!
//! Beside the state stand what is *wanted* (changed by commands alone, and at once), and the *control scripts*
//! that run: one for a start, one for other commands. While the latter runs, later signals wait, each
//! kind once and in the order of their last command; `Kill` does not wait: it kills the script too. A script that hangs
//! therefore holds up neither what is wanted nor the next start, and what it was run for is done only to
//! the process that it was run for. The state itself changes only when the kernel has told of it: a signal that was sent
//! changes nothing, the end of the process does.
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
use super::extension::{Extension, Failure, History, Origin};
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
    Finishing { ended: Outcome, retry_at: Option<Instant> },
    Finish { pid: Pid },
}

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
            history: History::NONE,
            settings: Settings::DEFAULT,
            hook: None,
            start_hook: None,
            waiting: Vec::new(),
        }
    }

    /// A service whose process `pid` another supervisor started and told of: in `record` and `extension`. It goes on as it
    /// was; one whose supervisor was told to exit is what `wants_up` says.
    pub fn taken_over(
        member: Member,
        wants_up: bool,
        (record, extension): (&Record, &Extension),
        pid: Pid,
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
        }
        service.state = match record.phase {
            Phase::Down | Phase::Run => State::Running { pid },
            Phase::Finish => State::Finish { pid },
        };
        service.is_paused = record.is_paused;
        service.got_term = record.got_term;
        service.stamp = record.stamp;
        service.stamp_since_boot = extension.since_boot;
        service.started = now.monotonic;
        service.history = History { is_taken_over: true, ..extension.history };
        service.settings = settings;
        service
    }

    /// What the service asks for from now on.
    pub fn configure(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// What the status files shall tell.
    pub fn record(&self) -> Record {
        Record {
            stamp: self.stamp,
            pid: self.pid(),
            is_paused: self.is_paused,
            wanted: match self.want {
                Want::Up => Wanted::Up,
                Want::Once => Wanted::Once,
                Want::Down => Wanted::Down,
                Want::Exit => Wanted::Exit,
            },
            got_term: self.got_term,
            phase: match self.state {
                State::Down { .. } | State::Starting => Phase::Down,
                State::Running { .. } => Phase::Run,
                State::Finishing { .. } | State::Finish { .. } => Phase::Finish,
            },
        }
    }

    /// What the status file tells behind the record.
    pub fn extension(&self, origin: Origin) -> Extension {
        let hook = self.hook.or(self.start_hook);
        Extension {
            wanted: self.record().wanted,
            since_boot: self.stamp_since_boot,
            history: self.history,
            hook: hook.map_or(0, |hook| hook.command.byte()),
            origin,
        }
    }

    /// The process in the foreground: `./run` or `./finish`.
    pub fn pid(&self) -> Option<Pid> {
        match self.state {
            State::Running { pid } | State::Finish { pid } => Some(pid),
            State::Down { .. } | State::Starting | State::Finishing { .. } => None,
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
            State::Down { .. } | State::Starting => None,
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
            self.forgive();
        }
        // Told to exit is told for good: a new supervisor follows if one is wanted.
        let is_final = self.want == Want::Exit;
        match command {
            Command::Up | Command::Once | Command::Down | Command::Exit if is_final => {}
            Command::Exit if self.member == Member::Log => {}
            Command::Up => self.want_now(Want::Up, actions),
            Command::Once => {
                // What finishes has run already.
                let has_run = matches!(self.state, State::Finishing { .. } | State::Finish { .. });
                self.want_now(if has_run { Want::Down } else { Want::Once }, actions);
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
    fn forgive(&mut self) {
        self.history.tally = 0;
        if self.history.backoff > 0 && matches!(self.state, State::Down { .. }) {
            self.state = State::Down { not_before: self.started.plus(START_INTERVAL) };
        }
        self.history.backoff = 0;
    }

    fn signal_or_wait(&mut self, command: Command, now: Instant, actions: &mut Actions) {
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
            if self.want == Want::Once {
                self.want = Want::Down;
            }
            self.history.last_end = Some(outcome);
            self.count_end(now.monotonic);
            match self.member {
                Member::Main => {
                    self.state = State::Finishing { ended: outcome, retry_at: None };
                    self.act(actions, Action::Spawn(Script::Finish(outcome)));
                }
                Member::Log => self.come_down(now, actions),
            }
        } else if self.pid() == Some(pid) {
            self.come_down(now, actions);
        }
    }

    /// Whether the end of `./run` was one more failing end; and what follows from it for the next start.
    fn count_end(&mut self, now: Instant) {
        let history = &mut self.history;
        let is_failing = !self.is_told && now.since(self.started) < FAILING_LIFE;
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
            | State::Finishing { .. }
            | State::Finish { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::PAIR_ACTIONS;

    /// The moment `seconds` after the boot, which was in the wall clock's second 900.
    fn now(seconds: u64) -> Now {
        let since_boot = Instant::new(seconds, 0);
        Now { monotonic: since_boot, wall: Label::from_unix(900 + seconds.cast_signed(), 0), since_boot }
    }

    /// A service under test: time is invented, and scripts start as told here.
    struct Bench {
        service: Service,
        seconds: u64,
        /// Pid of the next child.
        next: u32,
        has_hooks: bool,
        has_finish: bool,
        log: std::vec::Vec<Action>,
    }

    impl Bench {
        fn new(member: Member) -> Self {
            let now = now(100);
            Self {
                service: Service::new(member, true, now),
                seconds: 100,
                next: 10,
                has_hooks: false,
                has_finish: false,
                log: vec![],
            }
        }

        /// A service that runs with pid 10, and two seconds later.
        fn running(member: Member) -> Self {
            let mut bench = Self::new(member);
            bench.give(Event::Deadline);
            assert_eq!(bench.service.state, State::Running { pid: pid(10) });
            bench.later(2)
        }

        fn later(mut self, seconds: u64) -> Self {
            self.seconds += seconds;
            self.log.clear();
            self
        }

        fn now(&self) -> Now {
            now(self.seconds)
        }

        /// Gives an event, performs what it asks for, and answers.
        fn give(&mut self, event: Event) {
            let mut actions = Actions::new();
            self.service.handle(event, self.now(), &mut actions);
            while let Some((member, action)) = actions.pop_front() {
                assert_eq!(member, self.service.member);
                assert!(actions.len() < PAIR_ACTIONS / 2, "half of the room belongs to the other member");
                self.log.push(action);
                let Action::Spawn(script) = action else {
                    continue;
                };
                let exists = match script {
                    Script::Run => true,
                    Script::Finish(_) => self.has_finish,
                    Script::Control(_) => self.has_hooks,
                };
                let answer = if exists {
                    let is_alone = matches!(script, Script::Control(_)) || self.service.pid().is_none();
                    assert!(is_alone, "a second process beside a live one");
                    self.next += 1;
                    Event::Spawned(script, pid(self.next - 1))
                } else {
                    Event::Absent(script)
                };
                self.service.handle(answer, self.now(), &mut actions);
            }
        }

        fn command(&mut self, byte: u8) {
            self.give(Event::Command(Command::from_byte(byte).unwrap()));
        }

        fn end(&mut self, number: u32, status: u32) {
            self.give(Event::Exited(pid(number), Outcome::from_wait_status(status)));
        }

        fn history(&self) -> History {
            self.service.history
        }

        fn hook(&self) -> u8 {
            self.service.extension(Origin::NONE).hook
        }

        fn signals(&self) -> std::vec::Vec<(u32, u8)> {
            let sent = self.log.iter().filter_map(|action| match action {
                Action::Signal(pid, signal) => Some((pid.raw(), signal.number())),
                _ => None,
            });
            sent.collect()
        }

        fn hooks(&self) -> std::vec::Vec<u8> {
            let asked = self.log.iter().filter_map(|action| match action {
                Action::Spawn(Script::Control(command)) => Some(command.byte()),
                _ => None,
            });
            asked.collect()
        }

        fn stat(&self) -> String {
            String::from_utf8(self.service.record().stat_line().as_bytes().to_vec()).unwrap().trim_end().to_owned()
        }
    }

    fn pid(raw: u32) -> Pid {
        Pid::new(raw).unwrap()
    }

    #[test]
    fn a_wanted_service_is_started_by_its_first_event() {
        let mut bench = Bench::new(Member::Main);
        bench.give(Event::Deadline);
        assert_eq!(
            bench.log,
            [Action::Spawn(Script::Control(Command::Up)), Action::Spawn(Script::Run), Action::WriteStatus]
        );
        assert_eq!((bench.stat().as_str(), bench.service.pid()), ("run", Some(pid(10))));
    }

    #[test]
    fn a_service_that_is_down_by_file_waits_for_up() {
        let mut bench = Bench::new(Member::Main);
        bench.service = Service::new(Member::Main, false, bench.now());
        bench.give(Event::Deadline);
        assert_eq!(bench.log, []);
        assert_eq!(bench.service.deadline(), None);
        bench.command(b'u');
        assert_eq!(bench.stat(), "run");
    }

    #[test]
    fn a_service_that_lived_for_a_second_is_restarted_at_once() {
        let mut bench = Bench::running(Member::Main);
        bench.end(10, 0);
        assert_eq!(bench.service.state, State::Running { pid: pid(11) });
    }

    #[test]
    fn a_service_that_ends_at_once_is_started_once_a_second() {
        let mut bench = Bench::new(Member::Main);
        bench.give(Event::Deadline);
        bench.end(10, 1 << 8);
        assert_eq!(bench.stat(), "down");
        assert_eq!(bench.service.deadline(), Some(Instant::new(101, 0)));
        bench.give(Event::Deadline);
        assert_eq!(bench.stat(), "down");
        let mut bench = bench.later(1);
        bench.give(Event::Deadline);
        assert_eq!(bench.service.pid(), Some(pid(11)));
    }

    #[test]
    fn down_then_up_while_throttled_is_not_lost() {
        let mut bench = Bench::new(Member::Main);
        bench.give(Event::Deadline);
        bench.end(10, 0);
        bench.command(b'd');
        assert_eq!(bench.service.deadline(), None);
        bench.command(b'u');
        assert_eq!(bench.service.deadline(), Some(Instant::new(101, 0)));
    }

    #[test]
    fn finish_gets_how_run_ended_and_keeps_its_stamp() {
        let mut bench = Bench::running(Member::Main);
        bench.has_finish = true;
        bench.end(10, 139);
        let killed = Outcome::Killed { signal: Signal::new(11).unwrap(), core_dumped: true };
        assert_eq!(bench.log, [Action::Spawn(Script::Finish(killed)), Action::WriteStatus]);
        assert_eq!(bench.stat(), "finish");
        assert_eq!(bench.service.record().stamp, Label::from_unix(1000, 0));
        bench.end(11, 0);
        assert_eq!(bench.service.pid(), Some(pid(12)));
    }

    #[test]
    fn down_sends_term_and_cont_and_runs_both_scripts() {
        let mut bench = Bench::running(Member::Main);
        bench.command(b'd');
        assert_eq!(bench.signals(), [(10, 15), (10, 18)]);
        assert_eq!(bench.hooks(), [b't', b'd']);
        assert_eq!(bench.stat(), "run, got TERM, want down");
        bench.end(10, 15);
        assert_eq!(bench.stat(), "down");
        assert_eq!(bench.service.deadline(), None);
    }

    #[test]
    fn term_alone_sends_no_cont_and_the_service_comes_back() {
        let mut bench = Bench::running(Member::Main);
        bench.command(b't');
        assert_eq!(bench.signals(), [(10, 15)]);
        assert_eq!(bench.stat(), "run, got TERM");
        bench.end(10, 15);
        assert_eq!(bench.stat(), "run");
    }

    #[test]
    fn once_is_started_and_not_again() {
        let mut bench = Bench::new(Member::Main);
        bench.service = Service::new(Member::Main, false, bench.now());
        bench.command(b'o');
        assert_eq!(bench.stat(), "run, want down");
        let mut bench = bench.later(5);
        bench.end(10, 0);
        assert_eq!((bench.stat().as_str(), bench.service.deadline()), ("down", None));
        assert_eq!(bench.service.record().wanted, Wanted::Down);
    }

    #[test]
    fn once_to_a_service_that_runs_lets_it_run_to_its_end() {
        let mut bench = Bench::running(Member::Main);
        bench.command(b'o');
        assert_eq!((bench.stat().as_str(), bench.service.record().wanted), ("run, want down", Wanted::Once));
        assert_eq!((bench.signals(), bench.hooks()), (vec![], vec![]));
        bench.command(b't');
        assert_eq!((bench.signals(), bench.hooks()), (vec![(10, 15), (10, 18)], vec![b't', b'd']));
        bench.end(10, 15);
        assert_eq!((bench.stat().as_str(), bench.service.deadline()), ("down", None));
    }

    #[test]
    fn once_while_throttled_still_starts_once() {
        let mut bench = Bench::new(Member::Main);
        bench.give(Event::Deadline);
        bench.end(10, 0);
        bench.command(b'o');
        let mut bench = bench.later(1);
        bench.give(Event::Deadline);
        assert_eq!(bench.stat(), "run, want down");
    }

    #[test]
    fn kill_leaves_the_state_to_the_end_of_the_process() {
        let mut bench = Bench::running(Member::Main);
        bench.command(b'k');
        assert_eq!((bench.signals(), bench.stat().as_str()), (vec![(10, 9)], "run"));
        bench.command(b'd');
        assert_eq!(bench.stat(), "run, got TERM, want down");
    }

    #[test]
    fn kill_while_finishing_kills_finish_and_does_not_repeat_it() {
        let mut bench = Bench::running(Member::Main);
        bench.has_finish = true;
        bench.end(10, 0);
        bench.command(b'd');
        bench.command(b'k');
        assert_eq!(bench.signals(), [(11, 9)]);
        bench.end(11, 9);
        assert_eq!(bench.stat(), "down");
    }

    #[test]
    fn signals_reach_a_running_process_only() {
        let mut bench = Bench::running(Member::Main);
        for byte in b"haiq12" {
            bench.command(*byte);
        }
        assert_eq!(bench.signals(), [(10, 1), (10, 14), (10, 2), (10, 3), (10, 10), (10, 12)]);
        assert_eq!(bench.hooks(), b"haiq12");
        bench.command(b'd');
        bench.end(10, 15);
        let mut bench = bench.later(0);
        for byte in b"thaiq12k" {
            bench.command(*byte);
        }
        assert_eq!(bench.log, []);
    }

    #[test]
    fn pause_is_shown_and_cleared_by_continue() {
        let mut bench = Bench::running(Member::Main);
        bench.command(b'p');
        assert_eq!((bench.signals(), bench.stat().as_str()), (vec![(10, 19)], "run, paused"));
        bench.command(b'c');
        assert_eq!((bench.signals(), bench.stat().as_str()), (vec![(10, 19), (10, 18)], "run"));
    }

    #[test]
    fn pause_while_down_changes_nothing() {
        let mut bench = Bench::new(Member::Main);
        bench.service = Service::new(Member::Main, false, bench.now());
        bench.command(b'p');
        assert_eq!((bench.log.as_slice(), bench.stat().as_str()), (&[][..], "down"));
    }

    #[test]
    fn a_paused_service_that_is_stopped_goes_on_and_is_paused_no_more() {
        let mut bench = Bench::running(Member::Main);
        bench.command(b'p');
        bench.command(b't');
        assert_eq!(bench.stat(), "run, paused, got TERM");
        bench.command(b'd');
        assert_eq!(bench.stat(), "run, got TERM, want down");
        assert_eq!(bench.signals(), [(10, 19), (10, 15), (10, 15), (10, 18)]);
    }

    #[test]
    fn a_control_script_that_succeeds_replaces_the_signal() {
        let mut bench = Bench::running(Member::Main);
        bench.has_hooks = true;
        bench.command(b'd');
        assert_eq!((bench.hooks(), bench.stat().as_str()), (vec![b't'], "run, want down"));
        bench.end(11, 0);
        assert_eq!((bench.signals(), bench.hooks()), (vec![(10, 18)], vec![b't', b'd']));
        assert_eq!(bench.stat(), "run, want down");
    }

    #[test]
    fn a_control_script_that_fails_or_is_killed_does_not() {
        for status in [1 << 8, 9] {
            let mut bench = Bench::running(Member::Main);
            bench.has_hooks = true;
            bench.command(b't');
            assert_eq!(bench.signals(), []);
            bench.end(11, status);
            assert_eq!(bench.signals(), [(10, 15)]);
        }
    }

    #[test]
    fn commands_wait_for_a_control_script_in_order() {
        let mut bench = Bench::running(Member::Main);
        bench.has_hooks = true;
        bench.command(b't');
        bench.has_hooks = false;
        bench.command(b'h');
        bench.command(b'1');
        assert_eq!(bench.signals(), []);
        bench.end(11, 1 << 8);
        assert_eq!(bench.signals(), [(10, 15), (10, 1), (10, 10)]);
    }

    #[test]
    fn kill_does_not_wait_for_a_control_script() {
        let mut bench = Bench::running(Member::Main);
        bench.has_hooks = true;
        bench.command(b't');
        bench.command(b'k');
        assert_eq!(bench.signals(), [(11, 9), (10, 9)]);
    }

    #[test]
    fn repeated_commands_wait_once_in_their_latest_place() {
        let mut bench = Bench::running(Member::Main);
        bench.has_hooks = true;
        bench.command(b't');
        bench.has_hooks = false;
        for byte in b"hphc1h" {
            bench.command(*byte);
        }
        bench.end(11, 1 << 8);
        assert_eq!(bench.signals(), [(10, 15), (10, 19), (10, 18), (10, 10), (10, 1)]);
    }

    #[test]
    fn what_is_wanted_does_not_wait_for_a_control_script() {
        let mut bench = Bench::running(Member::Main);
        bench.has_hooks = true;
        bench.command(b'h');
        bench.command(b'x');
        assert_eq!(bench.stat(), "run, want exit");
        bench.command(b'k');
        assert_eq!(bench.signals(), [(11, 9), (10, 9)]);
        bench.end(11, 9);
        bench.end(10, 9);
        assert!(bench.service.is_down() && bench.service.wants_exit());
    }

    #[test]
    fn a_control_script_that_hangs_does_not_hold_up_the_next_start() {
        let mut bench = Bench::running(Member::Main);
        bench.has_hooks = true;
        bench.command(b't');
        bench.has_hooks = false;
        bench.end(10, 15);
        assert_eq!((bench.stat().as_str(), bench.service.pid()), ("run", Some(pid(12))));
        bench.end(11, 1 << 8);
        assert_eq!((bench.signals(), bench.stat().as_str()), (vec![], "run"));
    }

    #[test]
    fn down_during_control_u_means_no_start() {
        let mut bench = Bench::new(Member::Main);
        bench.has_hooks = true;
        bench.give(Event::Deadline);
        bench.command(b'd');
        bench.end(10, 0);
        assert_eq!((bench.signals(), bench.stat().as_str(), bench.service.deadline()), (vec![], "down", None));
    }

    #[test]
    fn exit_is_final() {
        let mut bench = Bench::running(Member::Main);
        bench.command(b'x');
        assert_eq!((bench.stat().as_str(), bench.hooks()), ("run, got TERM, want exit", vec![b't', b'x']));
        for byte in b"dou" {
            bench.command(*byte);
        }
        assert_eq!(bench.stat(), "run, got TERM, want exit");
        bench.end(10, 0);
        assert!(bench.service.is_down() && bench.service.wants_exit());
    }

    #[test]
    fn a_log_service_has_no_scripts_beside_run_and_does_not_exit_by_command() {
        let mut bench = Bench::running(Member::Log);
        bench.has_hooks = true;
        bench.has_finish = true;
        bench.command(b'x');
        assert_eq!(bench.log, []);
        bench.command(b't');
        assert_eq!(bench.log, [Action::Signal(pid(10), Signal::TERM), Action::WriteStatus]);
        bench.end(10, 15);
        assert_eq!(bench.stat(), "run");
    }

    #[test]
    fn a_fork_that_fails_is_tried_again_later_and_commands_are_heard_meanwhile() {
        let mut bench = Bench::new(Member::Log);
        let mut actions = Actions::new();
        bench.service.handle(Event::Deadline, bench.now(), &mut actions);
        bench.service.handle(Event::SpawnFailed(Script::Run, Errno::AGAIN), bench.now(), &mut actions);
        assert_eq!(bench.service.deadline(), Some(Instant::new(105, 0)));
        bench.command(b'd');
        assert_eq!(bench.service.deadline(), None);
    }

    #[test]
    fn a_finish_that_cannot_be_forked_is_tried_again_with_its_arguments() {
        let mut bench = Bench::running(Member::Main);
        let mut actions = Actions::new();
        let ended = Outcome::Exited(7);
        bench.service.handle(Event::Exited(pid(10), ended), bench.now(), &mut actions);
        bench.service.handle(Event::SpawnFailed(Script::Finish(ended), Errno::AGAIN), bench.now(), &mut actions);
        assert_eq!(bench.service.deadline(), Some(Instant::new(107, 0)));
        let mut bench = bench.later(5);
        bench.has_finish = true;
        bench.give(Event::Deadline);
        assert_eq!(bench.log, [Action::Spawn(Script::Finish(ended)), Action::WriteStatus]);
    }

    #[test]
    fn an_exec_error_is_told_with_the_start_it_happened_at() {
        let mut bench = Bench::running(Member::Main);
        bench.give(Event::ExecFailed(pid(10), Errno::NOENT));
        bench.end(10, 111 << 8);
        let history = bench.history();
        assert_eq!(history.failure, Some((Failure::Run(Errno::NOENT), 1)));
        assert_eq!((history.starts, history.last_end), (2, Some(Outcome::Exited(111))));
    }

    #[test]
    fn exec_errors_of_the_other_scripts_are_told_too() {
        let mut bench = Bench::running(Member::Main);
        bench.has_hooks = true;
        bench.command(b'h');
        bench.give(Event::ExecFailed(pid(11), Errno::ACCES));
        assert_eq!(bench.history().failure, Some((Failure::Control(Errno::ACCES), 1)));
        bench.end(11, 111 << 8);
        bench.has_finish = true;
        bench.end(10, 0);
        bench.give(Event::ExecFailed(pid(12), Errno::NOENT));
        assert_eq!(bench.history().failure, Some((Failure::Finish(Errno::NOENT), 1)));
        bench.give(Event::ExecFailed(pid(99), Errno::PERM));
        assert_eq!(bench.history().failure, Some((Failure::Finish(Errno::NOENT), 1)));
    }

    #[test]
    fn a_control_script_is_shown_while_it_runs() {
        let mut bench = Bench::running(Member::Main);
        bench.has_hooks = true;
        bench.command(b'h');
        assert_eq!((bench.hook(), bench.log.last()), (b'h', Some(&Action::WriteStatus)));
        bench.log.clear();
        bench.end(11, 1 << 8);
        assert_eq!((bench.hook(), bench.log.last()), (0, Some(&Action::WriteStatus)));
    }

    #[test]
    fn another_signal_may_stand_for_term() {
        let mut bench = Bench::running(Member::Main);
        bench.service.configure(Settings { down_signal: Signal::HUP, ..Settings::DEFAULT });
        bench.command(b'd');
        assert_eq!(bench.signals(), [(10, 1), (10, 18)]);
        assert_eq!(bench.stat(), "run, got TERM, want down");
    }

    const IN_THREE: Settings = Settings { kill_after: Some(Duration::from_seconds(3)), ..Settings::DEFAULT };

    #[test]
    fn what_does_not_stop_in_its_time_is_killed_once() {
        for byte in *b"dxt" {
            let mut bench = Bench::running(Member::Main);
            bench.service.configure(IN_THREE);
            bench.command(byte);
            assert_eq!(bench.service.deadline(), Some(Instant::new(105, 0)));
            let mut bench = bench.later(2);
            // Told again, it gets no more time.
            bench.command(byte);
            let mut bench = bench.later(1);
            bench.give(Event::Deadline);
            assert_eq!((bench.signals(), bench.log.last()), (vec![(10, 9)], Some(&Action::WriteStatus)));
            assert_eq!(bench.history().failure, Some((Failure::Stop, 1)));
            assert_eq!(bench.service.deadline(), None);
        }
    }

    #[test]
    fn what_stops_in_its_time_is_not_killed() {
        let mut bench = Bench::running(Member::Main);
        bench.service.configure(IN_THREE);
        bench.command(b't');
        bench.end(10, 15);
        assert_eq!((bench.service.pid(), bench.service.deadline()), (Some(pid(11)), None));
        let mut bench = bench.later(60);
        bench.give(Event::Deadline);
        assert_eq!((bench.log.as_slice(), bench.history().failure), (&[][..], None));
    }

    #[test]
    fn a_control_script_that_took_over_a_stop_has_its_time_too_but_not_one_for_term_alone() {
        for (byte, deadline) in [(b'd', Some(Instant::new(105, 0))), (b't', None)] {
            let mut bench = Bench::running(Member::Main);
            bench.service.configure(IN_THREE);
            bench.has_hooks = true;
            bench.command(byte);
            bench.end(11, 0);
            assert_eq!(bench.service.deadline(), deadline);
        }
    }

    #[test]
    fn a_finish_that_takes_too_long_is_killed() {
        let mut bench = Bench::running(Member::Main);
        bench.has_finish = true;
        bench.service.configure(Settings { finish_limit: Some(Duration::from_seconds(2)), ..Settings::DEFAULT });
        bench.end(10, 0);
        assert_eq!(bench.service.deadline(), Some(Instant::new(104, 0)));
        let mut bench = bench.later(2);
        bench.give(Event::Deadline);
        assert_eq!(bench.signals(), [(11, 9)]);
        assert_eq!(bench.history().failure, Some((Failure::FinishStop, 1)));
        bench.end(11, 9);
        assert_eq!((bench.stat().as_str(), bench.history().last_end), ("run", Some(Outcome::Exited(0))));
    }

    /// Seconds from each end to the next start of a service that ends at once.
    fn pauses(bench: &mut Bench, count: usize) -> std::vec::Vec<u64> {
        let mut pauses = vec![];
        for _ in 0..count {
            let running = bench.service.pid().unwrap().raw();
            bench.end(running, 1 << 8);
            let due = bench.service.deadline().unwrap();
            pauses.push(due.seconds() - bench.seconds);
            bench.seconds = due.seconds();
            bench.give(Event::Deadline);
        }
        pauses
    }

    fn backing_off(after: u16) -> Bench {
        let mut bench = Bench::new(Member::Main);
        bench.service.configure(Settings { back_off_after: Some(after), ..Settings::DEFAULT });
        bench.give(Event::Deadline);
        bench
    }

    #[test]
    fn restarts_come_every_second_unless_asked_otherwise() {
        let mut bench = Bench::new(Member::Main);
        bench.give(Event::Deadline);
        assert_eq!(pauses(&mut bench, 9), [1; 9]);
        assert_eq!(bench.history().tally, 9);
    }

    #[test]
    fn a_service_that_asks_for_patience_backs_off_up_to_a_minute() {
        assert_eq!(pauses(&mut backing_off(0), 9), [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(pauses(&mut backing_off(3), 6), [1, 1, 1, 1, 2, 4]);
        let mut bench = backing_off(0);
        bench.service.history.tally = u16::MAX;
        assert_eq!(pauses(&mut bench, 2), [60, 60]);
    }

    #[test]
    fn a_longer_life_and_a_command_end_the_back_off() {
        let mut bench = backing_off(0);
        pauses(&mut bench, 4);
        let mut bench = bench.later(FAILING_LIFE.seconds());
        assert_eq!(bench.history().tally, 4);
        let running = bench.service.pid().unwrap().raw();
        bench.end(running, 1 << 8);
        assert_eq!((bench.history().tally, bench.stat().as_str()), (0, "run"));

        pauses(&mut bench, 4);
        let running = bench.service.pid().unwrap().raw();
        bench.end(running, 1 << 8);
        assert_eq!(bench.history().backoff, 16);
        bench.command(b'u');
        assert_eq!(bench.service.deadline(), Some(Instant::new(bench.seconds + 1, 0)));
        assert_eq!((bench.history().tally, bench.history().backoff), (0, 0));
    }

    #[test]
    fn an_end_that_was_asked_for_is_no_failure() {
        for (byte, tally) in [(b't', 0), (b'k', 0), (b'i', 0), (b'q', 0), (b'h', 1), (b'c', 1)] {
            let mut bench = backing_off(0);
            bench.command(byte);
            bench.end(10, 15);
            assert_eq!(bench.history().tally, tally, "{}", char::from(byte));
        }
    }

    fn found(phase: Phase, wanted: Wanted) -> (Record, Extension) {
        let bench = Bench::running(Member::Main);
        let record = Record { phase, wanted, got_term: phase == Phase::Run, ..bench.service.record() };
        (record, Extension { wanted, ..bench.service.extension(Origin::NONE) })
    }

    fn taken_over(phase: Phase, wanted: Wanted, wants_up: bool) -> Bench {
        let mut bench = Bench::new(Member::Main).later(400);
        let (record, extension) = found(phase, wanted);
        let found = (&record, &extension);
        bench.service = Service::taken_over(Member::Main, wants_up, found, pid(10), IN_THREE, bench.now());
        bench.give(Event::Deadline);
        bench
    }

    #[test]
    fn a_process_that_was_not_told_to_stop_has_no_limit() {
        let mut bench = Bench::new(Member::Main).later(400);
        let (mut record, extension) = found(Phase::Run, Wanted::Down);
        record.got_term = false;
        let found = (&record, &extension);
        bench.service = Service::taken_over(Member::Main, true, found, pid(10), IN_THREE, bench.now());
        assert_eq!(bench.service.deadline(), None);
    }

    #[test]
    fn a_process_of_another_supervisor_goes_on_as_it_was() {
        let mut bench = taken_over(Phase::Run, Wanted::Up, false);
        assert_eq!((bench.log.as_slice(), bench.stat().as_str()), (&[][..], "run, got TERM"));
        assert_eq!(bench.service.record().stamp, Label::from_unix(1000, 0));
        let history = bench.history();
        assert_eq!((history.starts, history.is_taken_over), (1, true));
        bench.has_finish = true;
        bench.next = 20;
        bench.give(Event::Exited(pid(10), Outcome::Unknown));
        assert_eq!(bench.log[0], Action::Spawn(Script::Finish(Outcome::Unknown)));
        bench.end(20, 0);
        // Started again only a second after the takeover.
        assert_eq!(bench.service.deadline(), Some(Instant::new(501, 0)));
        let mut bench = bench.later(1);
        bench.give(Event::Deadline);
        assert_eq!((bench.service.pid(), bench.history().is_taken_over), (Some(pid(21)), false));
    }

    #[test]
    fn a_finish_of_another_supervisor_is_awaited_and_not_repeated() {
        let mut bench = taken_over(Phase::Finish, Wanted::Down, true);
        bench.has_finish = true;
        bench.give(Event::Exited(pid(10), Outcome::Unknown));
        assert_eq!((bench.stat().as_str(), bench.service.deadline()), ("down", None));
    }

    #[test]
    fn what_was_wanted_before_is_wanted_still_unless_it_was_exit() {
        for (wanted, wants_up, stat) in [
            (Wanted::Down, true, "run, got TERM, want down"),
            (Wanted::Once, true, "run, got TERM, want down"),
            (Wanted::Exit, true, "run, got TERM"),
            (Wanted::Exit, false, "run, got TERM, want down"),
        ] {
            assert_eq!(taken_over(Phase::Run, wanted, wants_up).stat(), stat);
        }
    }

    #[test]
    fn a_stop_that_was_under_way_keeps_its_limit() {
        let mut bench = taken_over(Phase::Run, Wanted::Down, true);
        assert_eq!(bench.service.deadline(), Some(Instant::new(503, 0)));
        bench.seconds = 503;
        bench.give(Event::Deadline);
        assert_eq!(bench.signals(), [(10, 9)]);
    }

    #[test]
    fn a_late_pause_script_does_not_mark_another_process() {
        let mut bench = Bench::running(Member::Main);
        bench.has_hooks = true;
        bench.command(b'p');
        bench.has_hooks = false;
        bench.end(10, 9);
        bench.end(11, 1 << 8);
        assert_eq!((bench.signals(), bench.stat().as_str()), (vec![], "run"));
    }

    #[test]
    fn strangers_change_nothing() {
        let mut bench = Bench::running(Member::Main);
        bench.end(4711, 0);
        bench.give(Event::Spawned(Script::Run, pid(99)));
        bench.give(Event::Absent(Script::Finish(Outcome::Exited(0))));
        assert_eq!((bench.log.as_slice(), bench.stat().as_str()), (&[][..], "run"));
    }

    /// Every sequence of four events, from the start: the actions always fit, no second process is ever
    /// started beside a live one, and the status record names the process that lives.
    #[test]
    fn every_short_history_keeps_the_promises() {
        const BYTES: &[u8] = b"udoxtkpc1";
        const KINDS: usize = BYTES.len() + 4;
        for variant in 0..4 {
            for history in 0..KINDS.pow(4) {
                let mut bench = Bench::new(if variant == 3 { Member::Log } else { Member::Main });
                bench.has_hooks = variant == 1;
                bench.has_finish = variant == 2;
                let mut rest = history;
                bench.give(Event::Deadline);
                for _ in 0..4 {
                    let kind = rest % KINDS;
                    rest /= KINDS;
                    match (
                        kind,
                        bench.service.pid(),
                        bench.service.hook.or(bench.service.start_hook).and_then(|hook| hook.pid),
                    ) {
                        (0, Some(pid), _) => bench.give(Event::Exited(pid, Outcome::Exited(0))),
                        (1, Some(pid), _) => bench.give(Event::Exited(pid, Outcome::from_wait_status(9))),
                        (2, _, Some(hook)) => bench.give(Event::Exited(hook, Outcome::Exited(0))),
                        (3, ..) => bench.seconds += 1,
                        (0..=2, ..) => {}
                        (byte, ..) => bench.command(BYTES[byte - 4]),
                    }
                    bench.give(Event::Deadline);
                }
                let record = bench.service.record();
                assert_eq!(record.pid.is_some(), record.phase != Phase::Down, "history {history}");
                assert!(bench.service.state != State::Starting, "history {history}");
            }
        }
    }
}
