//! What pid 1 is told, what it does, and what it says: the door of the machine in [`super::stage`].

use core::ffi::CStr;

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
    /// Another kernel that is loaded already takes its place.
    Kexec,
}

impl Ending {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::PowerOff, Self::Halt, Self::Reboot, Self::Kexec];

    /// Its word, in a command and in the stop file.
    pub const fn word(self) -> &'static CStr {
        match self {
            Self::PowerOff => c"poweroff",
            Self::Halt => c"halt",
            Self::Reboot => c"reboot",
            Self::Kexec => c"kexec",
        }
    }

    /// The words by which `runit-init` is asked for it: what every runit understands, and its own.
    pub const fn request(self) -> [&'static CStr; 2] {
        match self {
            Self::PowerOff | Self::Halt => [c"0", self.word()],
            Self::Reboot | Self::Kexec => [c"6", self.word()],
        }
    }

    /// How the machine shall end by this word of a command, or of the stop file.
    #[inline(never)]
    pub fn from_word(word: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|ending| ending.word().to_bytes() == word)
    }

    /// What the stop file says, of which these are the first bytes: a word and a newline. Anything may be in it.
    pub fn from_request(bytes: &[u8]) -> Option<Self> {
        bytes.strip_suffix(b"\n").and_then(Self::from_word)
    }

    /// What pid 1 exits with where the kernel refuses this end (runit-init(8), EXIT STATUS). `file` is what the file of the exit code
    /// says; it does not count for an end after which the machine shall start again, which others know by its code.
    pub fn exit_code(self, file: &[u8]) -> u8 {
        match self {
            Self::PowerOff | Self::Halt => code(file),
            Self::Reboot | Self::Kexec => EXIT_REBOOT,
        }
    }
}

const EXIT_REBOOT: u8 = 6;

/// The number in the first line of a file, which is 0 if there is none, or none that a process can exit with. A line without its
/// newline may be the beginning of another.
fn code(file: &[u8]) -> u8 {
    let mut code = 0_u16;
    for byte in file {
        let digit = byte.wrapping_sub(b'0');
        match digit {
            0..=9 => code = code.wrapping_mul(10).wrapping_add(digit.into()),
            _ if *byte == b'\n' => return code as u8,
            _ => break,
        }
        if code > 255 {
            break;
        }
    }
    0
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
    /// What it says of the end.
    pub ending: Option<Ending>,
    /// The reboot file is set.
    pub reboot: bool,
    /// The kernel has another one loaded for kexec.
    pub has_next_kernel: bool,
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
    /// No other kernel is loaded, or it cannot be started; the machine starts again.
    NoKexec,
    /// The last sync takes too long.
    NotSynced,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_an_ending_and_nothing_else_is() {
        for (word, ending) in [
            ("poweroff", Ending::PowerOff),
            ("halt", Ending::Halt),
            ("reboot", Ending::Reboot),
            ("kexec", Ending::Kexec),
        ] {
            assert_eq!(Ending::from_word(word.as_bytes()), Some(ending));
            assert_eq!(Ending::from_request(format!("{word}\n").as_bytes()), Some(ending));
        }
        for word in ["", "hal", "halted", "HALT", "halt ", "0"] {
            assert_eq!(Ending::from_word(word.as_bytes()), None, "{word:?}");
        }
    }

    #[test]
    fn exit_code_is_that_of_the_file_where_it_holds_one() {
        for ending in [Ending::PowerOff, Ending::Halt] {
            for (file, code) in
                [(&b"0\n"[..], 0), (b"7\n", 7), (b"010\n", 10), (b"143\n", 143), (b"255\n", 255), (b"7\nx", 7)]
            {
                assert_eq!(ending.exit_code(file), code, "{file:?}");
            }
            for file in
                [&b""[..], b"\n", b"7", b"256\n", b"1000\n", b"-1\n", b" 7\n", b"7 \n", b"\n7\n", b"x\n", b"7\0\n"]
            {
                assert_eq!(ending.exit_code(file), 0, "{file:?}");
            }
        }
    }

    #[test]
    fn exit_code_of_a_restart_is_always_the_same() {
        for ending in [Ending::Reboot, Ending::Kexec] {
            assert_eq!((ending.exit_code(b""), ending.exit_code(b"7\n")), (6, 6));
        }
    }

    #[test]
    fn a_stop_file_may_hold_anything() {
        for bytes in
            [&b""[..], b"\n", b"halt", b"halt\n\n", b"halt\nhalt\n", b" halt\n", b"halt\0\n", b"\xff\xfe\n", &[0; 16]]
        {
            assert_eq!(Ending::from_request(bytes), None, "{bytes:?}");
        }
    }
}
