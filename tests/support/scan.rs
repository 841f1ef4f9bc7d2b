//! A scan directory, and the supervisors below a runsvdir.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::process::Supervisor;
use crate::scratch::Scratch;
use crate::service::{LISTEN, Service};
use crate::wait::wait_until;

/// A scan directory and the services its links lead to.
pub struct Scan {
    scratch: Scratch,
}

impl Scan {
    /// An empty scan directory.
    #[expect(clippy::new_without_default, reason = "makes a directory")]
    pub fn new() -> Scan {
        Scan::within(Scratch::new())
    }

    /// An empty scan directory in this one.
    pub fn within(scratch: Scratch) -> Scan {
        scratch.directory("scan");
        Scan { scratch }
    }

    /// What it is in.
    pub fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// The scan directory.
    pub fn path(&self) -> PathBuf {
        self.scratch.path().join("scan")
    }

    /// A service outside of the scan directory that notes its starts and signals.
    pub fn service(&self, name: &str) -> Service {
        self.scratch.service(&format!("sv/{name}")).run(LISTEN)
    }

    /// Links a service under its own name.
    pub fn link(&self, name: &str) {
        self.link_as(name, name);
    }

    /// Links a service under another name.
    pub fn link_as(&self, target: &str, name: &str) {
        symlink(format!("../sv/{target}"), self.path().join(name)).expect("a link");
    }

    /// Makes a link lead to another service, in one step.
    pub fn relink(&self, target: &str, name: &str) {
        let new = self.path().join(format!(".{name}.new"));
        symlink(format!("../sv/{target}"), &new).expect("a link");
        std::fs::rename(new, self.path().join(name)).expect("rename");
    }

    /// Removes a link.
    pub fn unlink(&self, name: &str) {
        std::fs::remove_file(self.path().join(name)).expect("a link");
    }

    /// A new service that is linked and waited for: by then the scan has seen all that was done before.
    #[track_caller]
    pub fn fence(&self, name: &str) {
        let fence = self.scratch.service(&format!("fences/{name}")).run("exec sleep 1000");
        symlink(format!("../fences/{name}"), self.path().join(name)).expect("a link");
        fence.wait_running();
    }

    /// Starts runsvdir.
    pub fn start(&self) -> Supervisor {
        self.scratch.runsvdir(&["scan"])
    }
}

/// The runsv of this name below a runsvdir.
pub fn find_runsv(runsvdir: u32, name: &str) -> Option<u32> {
    crate::children(runsvdir).into_iter().find(|pid| is_runsv(*pid, name))
}

/// True if the process is the runsv of this name.
pub fn is_runsv(pid: u32, name: &str) -> bool {
    let words = crate::command_line(pid);
    words.first().is_some_and(|program| Path::new(program).file_name().is_some_and(|file| file == "runsv"))
        && words.last().is_some_and(|word| word == name)
}

/// Waits for the runsv of this name below a runsvdir.
#[track_caller]
pub fn runsv_of(runsvdir: &Supervisor, name: &str) -> u32 {
    wait_until(&format!("a runsv for {name}"), || find_runsv(runsvdir.pid(), name))
}

/// Waits for the end of a process.
#[track_caller]
pub fn wait_gone(pid: u32) {
    wait_until(&format!("the end of process {pid}"), || (!crate::is_alive(pid)).then_some(()));
}
