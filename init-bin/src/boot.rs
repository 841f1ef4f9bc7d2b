//! pid 1: drives the machine of the stages. It decides nothing, and blocks nowhere but in its poll.

use supervision::boot::event::{Action, Child, Ending, Event};
use supervision::boot::stage::{Actions, Boot};
use supervision::limits::{FORK_RETRY, REAPED_AT_ONCE};
use supervision::process::outcome::Outcome;
use supervision::process::signal::Signal;
use sys::process::{Environment, ExecErrors, signal, signal_group, spawn};
use sys::signal::Signals;
use sys::{AsFd, clock, machine, poll, process};

use crate::children::{self, CAUGHT};
use crate::console::Console;
use crate::{EXIT_FAILED, image, notice, request};

struct Init {
    boot: Boot,
    console: Console,
    signals: Signals,
    /// Without it, a program that cannot be executed looks like one that failed.
    exec_errors: Option<ExecErrors>,
    environment: Environment,
}

/// Runs the machine. Returns, with an exit code, only in a container.
pub fn run(environment: Environment) -> i32 {
    let mut console = Console::open();
    process::lead_session();
    let signals = loop {
        match Signals::catch(CAUGHT) {
            Ok(signals) => break signals,
            Err(reason) => {
                console.line(b"fatal: unable to catch signals, pausing: %", &[reason.common_text()]);
                poll::pause_until(clock::monotonic().plus(FORK_RETRY));
            }
        }
    };
    // A container may not; there it is nobody's key.
    let _ = machine::catch_ctrl_alt_del();
    console.line(concat!("pipit ", env!("PIPIT_VERSION"), ": booting.").as_bytes(), &[]);
    let mut init = Init { boot: Boot::new(), console, signals, exec_errors: ExecErrors::new().ok(), environment };
    let mut next = init.handle(Event::Start);
    loop {
        if let Some(code) = next {
            return code;
        }
        next = init.turn();
    }
}

impl Init {
    /// Waits for something to happen, and deals with it; an exit code if that ends pid 1.
    fn turn(&mut self) -> Option<i32> {
        poll::wait_for(self.signals.as_fd(), self.boot.deadline());
        while let Some(signal) = self.signals.take() {
            let event = match signal {
                Signal::CONT => Event::Requests(request::read()),
                Signal::INT => Event::Interrupt { has_script: has_script(Child::CtrlAltDel) },
                Signal::PWR => Event::PowerFail { has_script: has_script(Child::PowerFail) },
                Signal::CHLD => return self.reap(),
                // What busybox's halt, poweroff and reboot send, which its shell prefers to any other.
                Signal::USR1 => Event::Asked(Ending::Halt),
                Signal::USR2 => Event::Asked(Ending::PowerOff),
                Signal::TERM => Event::Asked(Ending::Reboot),
                _ => continue,
            };
            if let Some(code) = self.handle(event) {
                return Some(code);
            }
        }
        self.handle(Event::Deadline)
    }

    /// Takes children that ended, orphans too; after many of them the rest waits until others were heard.
    fn reap(&mut self) -> Option<i32> {
        for _ in 0..REAPED_AT_ONCE {
            // When no child is left that ended, pid 1 goes on.
            let (pid, outcome) = process::reap()?;
            if outcome == Outcome::Exited(EXIT_FAILED as u8) {
                while let Some((pid, reason)) = self.exec_errors.as_ref().and_then(ExecErrors::take) {
                    self.handle(Event::ExecFailed(pid, reason));
                }
            }
            if let Some(code) = self.handle(Event::Exited(pid, outcome)) {
                return Some(code);
            }
        }
        process::signal_self(Signal::CHLD);
        None
    }

    fn handle(&mut self, event: Event) -> Option<i32> {
        let now = clock::monotonic();
        let mut actions = Actions::new();
        self.boot.handle(event, now, &mut actions);
        while let Some(action) = actions.pop_front() {
            match action {
                Action::Spawn(child) => {
                    if let Child::Ending { ending, .. } = child {
                        image::go_back(ending, self.environment);
                    }
                    let answer = self.spawn(child);
                    self.boot.handle(answer, now, &mut actions);
                }
                Action::ReadRequests => self.boot.handle(Event::Requests(request::read()), now, &mut actions),
                Action::Signal(pid, number) => signal(pid, number),
                Action::SignalGroup(leader, number) => signal_group(leader, number),
                Action::ClearStop => request::clear_stop(),
                Action::KillAll => machine::signal_all(Signal::KILL),
                Action::EndNow(ending) => {
                    if children::end(ending, false) != 0 {
                        return Some(request::exit_code(ending));
                    }
                }
                Action::Leave(ending) => return Some(request::exit_code(ending)),
                Action::Say(notice) => self.console.say(notice),
            }
        }
        None
    }

    fn spawn(&mut self, child: Child) -> Event {
        let spawned =
            spawn(|| children::become_child(child, &self.signals, self.exec_errors.as_ref(), self.environment));
        match spawned {
            Ok(pid) => Event::Spawned(child, pid),
            Err(reason) => Event::SpawnFailed(child, reason),
        }
    }
}

fn has_script(child: Child) -> bool {
    request::is_executable(notice::path(child))
}
