//! `runsv DIR`: supervises one service and its log service (runsv(8)).

use supervision::process::signal::Signal;
use supervision::supervise::event::Member;
use supervision::supervise::pair::Event;
use sys::memory::{self, Protection};
use sys::process;
use sys::report::Errors;
use sys::signal::Signals;
use sys::{AsFd, clock, poll, report, standard};

use crate::Words;
use crate::service_directory::{CAUGHT, EXIT_FAILED};
use crate::supervisor::{Fatal, Next, Shared, Supervisor};
use crate::takeover;

/// Told to exit, and everything is down.
const EXIT_DONE: i32 = 0;
/// Not exactly one argument.
const EXIT_USAGE: i32 = 1;

/// Supervises until told to exit.
pub fn main(words: Words) -> i32 {
    let (Some(name), 2) = (words.get(1), words.count()) else {
        report::line(standard::error(), b"usage: % dir\n", &[words.called()]);
        return EXIT_USAGE;
    };
    let opened = Signals::catch(CAUGHT);
    let shared = match opened {
        Ok(signals) => Shared {
            signals,
            errors: Errors,
            protection: Protection::take(),
            environment: words.environment(),
            pid: process::own_pid(),
            boot: takeover::boot_id(),
        },
        Err(reason) => {
            let template = b"runsv %: fatal: unable to create selfpipe: %";
            report::line(standard::error(), template, &[name.to_bytes(), reason.text()]);
            return EXIT_FAILED;
        }
    };
    // Looked at in its place: moving it would take as much stack again.
    let mut opened = Supervisor::open(name, &shared);
    let outcome = match &mut opened {
        Ok(supervisor) => supervise(supervisor, &shared),
        Err(fatal) => Err(*fatal),
    };
    match outcome {
        Ok(()) => EXIT_DONE,
        Err(fatal) => {
            fatal.report(name);
            EXIT_FAILED
        }
    }
}

#[inline(never)]
fn supervise(supervisor: &mut Supervisor, shared: &Shared) -> Result<(), Fatal> {
    let mut next = supervisor.begin(shared)?;
    memory::give_back_stack();
    while next == Next::Wait {
        next = turn(supervisor, shared);
    }
    Ok(())
}

/// Waits for something to happen, and deals with it: children first, then one command of each, then signals.
fn turn(supervisor: &mut Supervisor, shared: &Shared) -> Next {
    let ([main, log], [main_end, log_end]) = (supervisor.controls(), supervisor.ends());
    let [is_signalled, has_command, has_log_command, ..] =
        poll::wait([Some(shared.signals.as_fd()), main, log, main_end, log_end], supervisor.deadline());
    let mut is_told_to_end = false;
    if is_signalled {
        while let Some(signal) = shared.signals.take() {
            match signal {
                // Ctrl-C at the terminal of somebody who tries a service out is meant for all of it.
                Signal::TERM | Signal::INT => is_told_to_end = true,
                Signal::HUP => supervisor.restore(shared),
                Signal::IO => supervisor.suspect(),
                _ => {}
            }
        }
    }
    if supervisor.look(shared) == Next::Exit {
        return Next::Exit;
    }
    if is_signalled {
        while let Some((pid, outcome)) = process::reap() {
            if supervisor.exited(pid, outcome, shared) == Next::Exit {
                return Next::Exit;
            }
        }
    }
    for (member, has_command) in [(Member::Main, has_command), (Member::Log, has_log_command)] {
        if has_command && supervisor.take_commands(member, shared) == Next::Exit {
            return Next::Exit;
        }
    }
    if !has_command && !has_log_command {
        // After a command another one often follows.
        memory::give_back_stack();
    }
    if is_told_to_end && supervisor.terminate(shared) == Next::Exit {
        return Next::Exit;
    }
    // What is due is done, whatever else there is.
    let is_due = supervisor.deadline().is_some_and(|at| clock::monotonic() >= at);
    if is_due && supervisor.handle(Event::Deadline, shared) == Next::Exit {
        return Next::Exit;
    }
    supervisor.write_news(shared);
    Next::Wait
}
