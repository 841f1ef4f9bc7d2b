//! What the machine of a log directory is told, and what it asks for.

use crate::log::archive::Kind;
use crate::process::errno::Errno;

/// What could not be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// To open the directory.
    OpenDirectory,
    /// To take its lock.
    Lock,
    /// To look at `current`.
    StatCurrent,
    /// To open `current`.
    OpenCurrent,
    /// To write to it.
    Write,
    /// To send by UDP.
    Send,
    /// To write it to the disk.
    Sync,
    /// To set its mode.
    SetMode,
    /// To rename it.
    Rename,
    /// To look at all files.
    ReadDirectory,
}

/// What has happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// There may be lines, or a deadline was reached.
    Look,
    /// The last action is done.
    Done,
    /// [`Action::Open`] is done.
    Opened {
        /// The size of `current`, 0 if it is not there.
        size: u64,
        /// It was closed properly.
        is_sealed: bool,
    },
    /// [`Action::Create`] is done.
    Created {
        /// The size of the file.
        size: u64,
        /// What is in it ends with a line.
        ends_line: bool,
    },
    /// [`Action::Write`] has written so many bytes.
    Written(usize),
    /// [`Action::MakeRoom`] has removed a file, or not.
    Removed(bool),
    /// [`Action::Prune`] is done; or there are so many files that it must be done again.
    Pruned {
        /// Not again.
        is_complete: bool,
    },
    /// What [`Action::Check`] has found.
    Checked(Presence),
    /// The last action failed.
    Failed(What, Errno),
    /// Rotate, if there is something in the file.
    Rotate,
    /// Close and open again.
    Reopen,
    /// Write now what could not be written before: for a last time.
    Flush,
    /// Close for good.
    End,
    /// Something was removed or renamed in the directory.
    Suspect,
}

/// What is still there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Presence {
    /// All of it.
    Present,
    /// `current` has another name now, and is as it was.
    CurrentMoved,
    /// `current` is another file, or none.
    CurrentGone,
    /// The directory was removed.
    DirectoryGone,
}

/// What must be done now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Open the directory, take its lock, read its config, look at `current`. `must_make`: make the directory if it is
    /// not there.
    Open {
        /// It was there before.
        must_make: bool,
    },
    /// Open `current` for appending, make it if it is not there.
    Create,
    /// Write the parts to `current`.
    Write,
    /// Write the parts to standard error. Is not answered.
    Show,
    /// Send the parts.
    Send,
    /// Write `current` to the disk.
    Sync,
    /// Give it the mode of a file that was closed properly.
    Seal,
    /// Give it a name with the last label ([`latest`](crate::log::directory::Directory::latest)); not if there is such a file.
    Rename(Kind),
    /// Write the directory to the disk.
    SyncDirectory,
    /// Remove surplus files, tell the processor what waits.
    Prune,
    /// Remove the oldest file, if there are more than so many.
    MakeRoom(u32),
    /// Look whether all is still there.
    Check,
    /// Close `current`; for the last time, everything.
    Close {
        /// What is kept of the directory, for its lock, is closed too.
        is_last: bool,
    },
    /// Tell that something failed. Is not answered.
    Warn(What, Errno),
    /// Tell how many lines are gone, and why. Is not answered.
    TellLost(u64, Errno),
}
