//! What pid 1 is told, what it does, and what it says: the door of the machine in [`super::stage`].

use crate::process::Pid;
use crate::process::errno::Errno;
use crate::process::outcome::Outcome;
use crate::process::signal::Signal;

/// One of the three stages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Brings the machine up.
    One,
    /// Keeps it up.
    Two,
    /// Takes it down.
    Three,
}

/// How the machine ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// It goes off.
    PowerOff,
    /// It stops, and stays on.
    Halt,
    /// It starts again.
    Reboot,
}

/// A child that pid 1 starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Child {
    /// A stage's script.
    Stage(Stage),
    /// The script that ctrl-alt-del runs.
    CtrlAltDel,
    /// The script that a power failure runs.
    PowerFail,
    /// What runs in the place of a stage that cannot.
    Emergency,
    /// Syncs, and makes the kernel end the machine.
    Ending {
        /// How.
        ending: Ending,
        /// Whether to sync first.
        syncs: bool,
    },
}

/// The files through which people ask for things.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Requests {
    /// The stop file is set.
    pub stop: bool,
    /// The reboot file is set.
    pub reboot: bool,
    /// The last sync shall be left out.
    pub no_sync: bool,
}

/// Something that has already happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// pid 1 begins.
    Start,
    /// The child asked for was forked.
    Spawned(Child, Pid),
    /// The child asked for could not be forked.
    SpawnFailed(Child, Errno),
    /// A forked child could not execute its program; its end follows.
    ExecFailed(Pid, Errno),
    /// A child ended, one of these or an orphan.
    Exited(Pid, Outcome),
    /// CONT came, or [`Action::ReadRequests`] is answered.
    Requests(Requests),
    /// Ctrl-alt-del; whether it has a script.
    Interrupt {
        /// The script is there and executable.
        has_script: bool,
    },
    /// A signal asks for this end, whatever the files say.
    Asked(Ending),
    /// The power fails; whether there is a script for it.
    PowerFail {
        /// The script is there and executable.
        has_script: bool,
    },
    /// The deadline is reached.
    Deadline,
}

/// Something to do now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Start a child, and answer.
    Spawn(Child),
    /// Send a signal to one process.
    Signal(Pid, Signal),
    /// Send a signal to the process group that this process leads.
    SignalGroup(Pid, Signal),
    /// Read the request files, and answer.
    ReadRequests,
    /// Take the stop file back, so that it asks once.
    ClearStop,
    /// KILL everything but pid 1.
    KillAll,
    /// End the machine from pid 1 itself, without a sync: the child that should have did not.
    EndNow(Ending),
    /// The kernel refuses to end the machine, so it is a container: leave it.
    Leave(Ending),
    /// Tell the console.
    Say(Notice),
}

/// What pid 1 tells on the console.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Notice {
    /// A child begins.
    Enter(Child),
    /// A child is over.
    LeaveChild(Child),
    /// A child could not be forked and is tried again.
    UnableToFork(Child, Errno),
    /// A child could not be executed.
    UnableToStart(Child, Errno),
    /// A signal ended a child.
    Crashed(Child),
    /// A child ended with an exit code that is not 0.
    Failed(Child),
    /// Stage 1 ended so that stage 2 is left out.
    SkippingStageTwo,
    /// Stage 2 died; what it left behind is killed.
    KillingStageTwo,
    /// A stage is started again.
    Restarting,
    /// A stage did not end when told to.
    NotTerminated(Stage),
    /// A stage cannot be run; the emergency program takes its place.
    Emergency(Stage),
    /// Nothing can be run; pid 1 waits.
    Stranded(Stage),
    /// Ctrl-alt-del was typed.
    CtrlAltDelRequest,
    /// Ctrl-alt-del was typed, and waits for what is already going down.
    GoingDownAlready,
    /// It was typed often enough.
    Forcing,
    /// The power fails.
    PowerFailure,
    /// The power fails, and nobody said what to do then.
    PowerFailureIgnored,
    /// Everything that is left is killed.
    KillingAll,
    /// The machine ends like this.
    Ending(Ending),
    /// The last sync takes too long.
    NotSynced,
}
