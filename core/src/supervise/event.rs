//! What a service is told, and what it asks for: the door of the machine in [`super::service`].

use heapless::Deque;

use super::control::Command;
use crate::limits::PAIR_ACTIONS;
use crate::process::Pid;
use crate::process::errno::Errno;
use crate::process::outcome::Outcome;
use crate::process::signal::Signal;

/// Which process of a pair.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Member {
    /// The service itself.
    Main,
    /// Its log service.
    Log,
}

/// A program of a service directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Script {
    /// `./run`.
    Run,
    /// `./finish`, with how `./run` ended as its arguments.
    Finish(Outcome),
    /// `control/X`.
    Control(Command),
}

/// Something that has already happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// A command was read, or a signal stands for one.
    Command(Command),
    /// The script asked for was forked.
    Spawned(Script, Pid),
    /// The script asked for is not there, or is not meant to be run.
    Absent(Script),
    /// The script asked for could not be forked.
    SpawnFailed(Script, Errno),
    /// A forked child could not execute its script; its end follows.
    ExecFailed(Pid, Errno),
    /// A child ended.
    Exited(Pid, Outcome),
    /// The deadline is reached; before its first, the machine does nothing.
    Deadline,
}

/// Something to do now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Start a script, and answer.
    Spawn(Script),
    /// Send a signal.
    Signal(Pid, Signal),
    /// Write the status files.
    WriteStatus,
    /// Close both ends of the log pipe.
    ClosePipe,
    /// End the supervisor.
    Exit,
}

/// What must be done, by and for which member, in this order.
pub type Actions = Deque<(Member, Action), PAIR_ACTIONS>;
