//! The machine of `runsv`: a service, and perhaps a log service that reads what it writes.
//!
//! The pipe between the two belongs to the pair and outlives every process at its ends. When the service
//! was told to exit and is down, the pair closes the pipe; the log service then reads to the end of its input, and
//! when it has ended too, the pair is done.

use super::control::Command;
use super::event::{Action, Actions, Event as MemberEvent, Member, Script};
use super::service::Service;
use super::settings::Settings;
use crate::limits::HOOK_GRACE;
use crate::process::Pid;
use crate::process::errno::Errno;
use crate::process::outcome::Outcome;
use crate::time::{Instant, Now, earlier};

/// Something that has already happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// A command for one of the two.
    Command(Member, Command),
    /// The supervisor itself was told to end: as the command exit.
    Terminate,
    /// The script asked for was forked.
    Spawned(Member, Script, Pid),
    /// The script asked for is not there.
    Absent(Member, Script),
    /// The script asked for could not be forked.
    SpawnFailed(Member, Script, Errno),
    /// A child could not execute its script.
    ExecFailed(Pid, Errno),
    /// A child ended; nobody has to know which one's.
    Exited(Pid, Outcome),
    /// The deadline is reached, or the pair shall begin.
    Deadline,
}

/// A service with or without a log service.
#[derive(Debug)]
pub struct Pair {
    main: Service,
    log: Option<Service>,
    /// When control scripts that are still busy at the exit are killed.
    patience_ends_at: Option<Instant>,
}

impl Pair {
    /// The pair of `main` and `log`; nothing is started before the first event.
    pub fn new(main: Service, log: Option<Service>) -> Self {
        Self { main, log, patience_ends_at: None }
    }

    /// What one of the two asks for from now on.
    pub fn configure(&mut self, member: Member, settings: Settings) {
        match member {
            Member::Main => self.main.configure(settings),
            Member::Log => {
                if let Some(log) = &mut self.log {
                    log.configure(settings);
                }
            }
        }
    }

    /// One of the two.
    pub fn member(&self, member: Member) -> Option<&Service> {
        match member {
            Member::Main => Some(&self.main),
            Member::Log => self.log.as_ref(),
        }
    }

    /// When to call again with [`Event::Deadline`].
    pub fn deadline(&self) -> Option<Instant> {
        let members = earlier(self.main.deadline(), self.log.as_ref().and_then(Service::deadline));
        if self.main.has_hooks() { earlier(members, self.patience_ends_at) } else { members }
    }

    /// Takes one event and appends what must be done. Never fails, never blocks.
    pub fn handle(&mut self, event: Event, now: Now, actions: &mut Actions) {
        match event {
            Event::Command(member, command) => self.tell(member, MemberEvent::Command(command), now, actions),
            Event::Terminate => self.tell(Member::Main, MemberEvent::Command(Command::Exit), now, actions),
            Event::Spawned(member, script, pid) => self.tell(member, MemberEvent::Spawned(script, pid), now, actions),
            Event::Absent(member, script) => self.tell(member, MemberEvent::Absent(script), now, actions),
            Event::SpawnFailed(member, script, errno) => {
                self.tell(member, MemberEvent::SpawnFailed(script, errno), now, actions);
            }
            Event::ExecFailed(pid, errno) => self.tell_both(MemberEvent::ExecFailed(pid, errno), now, actions),
            Event::Exited(pid, outcome) => self.tell_both(MemberEvent::Exited(pid, outcome), now, actions),
            Event::Deadline => self.tell_both(MemberEvent::Deadline, now, actions),
        }
        if self.main.wants_exit() && self.main.is_down() {
            self.wind_up(now, actions);
        }
    }

    fn tell(&mut self, member: Member, event: MemberEvent, now: Now, actions: &mut Actions) {
        let service = match member {
            Member::Main => Some(&mut self.main),
            Member::Log => self.log.as_mut(),
        };
        if let Some(service) = service {
            service.handle(event, now, actions);
        }
    }

    /// The log service first: it shall listen before the service speaks.
    fn tell_both(&mut self, event: MemberEvent, now: Now, actions: &mut Actions) {
        self.tell(Member::Log, event, now, actions);
        self.tell(Member::Main, event, now, actions);
    }

    fn wind_up(&mut self, now: Now, actions: &mut Actions) {
        if self.main.has_hooks() {
            let ends_at = *self.patience_ends_at.get_or_insert(now.monotonic.plus(HOOK_GRACE));
            if now.monotonic < ends_at {
                return;
            }
            self.patience_ends_at = None;
            self.main.kill_hooks(actions);
        }
        match &mut self.log {
            // A log service wants to exit only because its input has ended.
            Some(log) if !log.is_down() => {
                if !log.wants_exit() {
                    log.end_with_input(now, actions);
                    let _ = actions.push_back((Member::Log, Action::ClosePipe));
                }
            }
            Some(_) | None => {
                let _ = actions.push_back((Member::Main, Action::Exit));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::signal::Signal;
    use crate::tai64n::Label;

    fn now(seconds: u64) -> Now {
        let since_boot = Instant::new(seconds, 0);
        Now { monotonic: since_boot, wall: Label::from_unix(0, 0), since_boot }
    }

    fn pid(raw: u32) -> Pid {
        Pid::new(raw).unwrap()
    }

    /// Gives an event and answers what it asks for: run scripts get the next pid, nothing else exists.
    fn give(pair: &mut Pair, event: Event, seconds: u64, next: &mut u32) -> Vec<(Member, Action)> {
        let mut actions = Actions::new();
        let mut seen = Vec::new();
        pair.handle(event, now(seconds), &mut actions);
        while let Some((member, action)) = actions.pop_front() {
            seen.push((member, action));
            let Action::Spawn(script) = action else {
                continue;
            };
            let answer = if script == Script::Run {
                *next += 1;
                Event::Spawned(member, script, pid(*next - 1))
            } else {
                Event::Absent(member, script)
            };
            pair.handle(answer, now(seconds), &mut actions);
        }
        seen
    }

    fn started(with_log: bool) -> (Pair, u32) {
        let log = with_log.then(|| Service::new(Member::Log, true, now(0)));
        let mut pair = Pair::new(Service::new(Member::Main, true, now(0)), log);
        let mut next = 10;
        give(&mut pair, Event::Deadline, 10, &mut next);
        (pair, next)
    }

    #[test]
    fn the_log_service_is_started_first() {
        let (pair, _) = started(true);
        assert_eq!(pair.member(Member::Log).unwrap().pid(), Some(pid(10)));
        assert_eq!(pair.member(Member::Main).unwrap().pid(), Some(pid(11)));
    }

    #[test]
    fn commands_reach_the_one_they_are_for() {
        let (mut pair, mut next) = started(true);
        let seen = give(&mut pair, Event::Command(Member::Log, Command::Hangup), 12, &mut next);
        assert_eq!(seen, [(Member::Log, Action::Signal(pid(10), Signal::HUP))]);
    }

    #[test]
    fn without_a_log_the_supervisor_ends_with_its_service() {
        let (mut pair, mut next) = started(false);
        give(&mut pair, Event::Terminate, 12, &mut next);
        let seen = give(&mut pair, Event::Exited(pid(10), Outcome::Exited(0)), 12, &mut next);
        assert_eq!(seen.last(), Some(&(Member::Main, Action::Exit)));
    }

    #[test]
    fn the_log_reads_to_the_end_before_the_supervisor_ends() {
        let (mut pair, mut next) = started(true);
        give(&mut pair, Event::Terminate, 12, &mut next);
        let seen = give(&mut pair, Event::Exited(pid(11), Outcome::Exited(0)), 12, &mut next);
        assert_eq!(seen.last(), Some(&(Member::Log, Action::ClosePipe)));
        assert!(!seen.contains(&(Member::Main, Action::Exit)));
        assert_eq!(give(&mut pair, Event::Deadline, 20, &mut next), []);
        let seen = give(&mut pair, Event::Exited(pid(10), Outcome::Exited(0)), 21, &mut next);
        assert_eq!(seen, [(Member::Log, Action::WriteStatus), (Member::Main, Action::Exit)]);
    }

    #[test]
    fn a_log_that_is_down_does_not_hold_up_the_exit() {
        let (mut pair, mut next) = started(true);
        give(&mut pair, Event::Command(Member::Log, Command::Down), 12, &mut next);
        give(&mut pair, Event::Exited(pid(10), Outcome::Exited(0)), 12, &mut next);
        give(&mut pair, Event::Terminate, 12, &mut next);
        let seen = give(&mut pair, Event::Exited(pid(11), Outcome::Exited(0)), 12, &mut next);
        assert_eq!(seen.last(), Some(&(Member::Main, Action::Exit)));
    }

    #[test]
    fn a_control_script_that_hangs_does_not_hold_up_the_exit_for_ever() {
        let mut pair = Pair::new(Service::new(Member::Main, true, now(0)), None);
        let mut actions = Actions::new();
        let hook = Script::Control(Command::Up);
        pair.handle(Event::Deadline, now(10), &mut actions);
        pair.handle(Event::Spawned(Member::Main, hook, pid(10)), now(10), &mut actions);
        actions.clear();
        pair.handle(Event::Terminate, now(11), &mut actions);
        let ends_at = now(11).monotonic.plus(HOOK_GRACE);
        assert_eq!((actions.len(), pair.deadline()), (1, Some(ends_at)));
        actions.clear();
        pair.handle(Event::Deadline, Now { monotonic: ends_at, ..now(0) }, &mut actions);
        let seen: std::vec::Vec<_> = actions.iter().map(|(_, action)| *action).collect();
        assert_eq!(seen, [Action::Signal(pid(10), Signal::KILL), Action::Exit]);
    }

    #[test]
    fn up_does_not_start_a_service_whose_pipe_is_closed() {
        let (mut pair, mut next) = started(true);
        give(&mut pair, Event::Terminate, 12, &mut next);
        give(&mut pair, Event::Exited(pid(11), Outcome::Exited(0)), 12, &mut next);
        assert_eq!(give(&mut pair, Event::Command(Member::Main, Command::Up), 13, &mut next), []);
    }

    #[test]
    fn kill_ends_a_log_service_that_does_not_end_by_itself() {
        let (mut pair, mut next) = started(true);
        give(&mut pair, Event::Terminate, 12, &mut next);
        give(&mut pair, Event::Exited(pid(11), Outcome::Exited(0)), 12, &mut next);
        let seen = give(&mut pair, Event::Command(Member::Log, Command::Kill), 13, &mut next);
        assert_eq!(seen, [(Member::Log, Action::Signal(pid(10), Signal::KILL))]);
    }
}
