//! A user of its own: what the superuser is not refused, and what others on this machine must not use up.

use std::os::unix::fs::chown;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::scratch::Scratch;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A user and group that no other test runs processes as.
#[derive(Clone, Copy, Debug)]
pub struct Account {
    id: u32,
}

impl Account {
    /// The next free one.
    #[expect(clippy::new_without_default, reason = "a new one each time")]
    pub fn new() -> Account {
        Account { id: 1_000_000 + std::process::id() * 64 + NEXT.fetch_add(1, Ordering::Relaxed) % 64 }
    }

    /// The number of both.
    pub fn id(self) -> u32 {
        self.id
    }

    /// Gives a directory and all that is in it to the user.
    pub fn own(self, path: &Path) {
        chown(path, Some(self.id), Some(self.id)).expect("a new owner");
        for entry in std::fs::read_dir(path).expect("a directory").flatten() {
            match entry.file_type().expect("a type") {
                kind if kind.is_dir() => self.own(&entry.path()),
                kind if kind.is_symlink() => {}
                _ => chown(entry.path(), Some(self.id), Some(self.id)).expect("a new owner"),
            }
        }
    }

    /// A command of the user. The programs must have been copied to where the user can reach them.
    pub fn command(self, scratch: &Scratch, program: &str) -> Command {
        let mut command = scratch.command("setpriv");
        command.args([format!("--reuid={}", self.id), format!("--regid={}", self.id)]);
        // A change of user forgets the signal for the death of the parent.
        command.args(["--clear-groups", "--pdeathsig=TERM"]).arg(scratch.command(program).get_program());
        command
    }
}
