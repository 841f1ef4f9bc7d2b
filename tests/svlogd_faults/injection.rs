//! Errors that a running program gets from the system: `strace` answers in its place.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::sys::signal::Signal;
use support::{Scratch, Supervisor};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// While this lives, some system calls of a process fail.
pub struct Injection {
    strace: Supervisor,
    trace: PathBuf,
}

impl Injection {
    /// Makes calls of a running process fail: `what` is `error=EIO`, or `error=EIO:when=1` for the first one only.
    #[track_caller]
    pub fn start(scratch: &Scratch, pid: u32, calls: &str, what: &str) -> Injection {
        let trace = scratch.path().join(format!("trace-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
        let mut command = scratch.command("strace");
        command.arg("-o").arg(&trace).args(["-e", &format!("trace={calls}")]);
        command.args(["-e", &format!("inject={calls}:{what}"), "-p", &pid.to_string()]);
        let strace = scratch.start(command, Signal::SIGTERM);
        strace.wait_stderr("attached");
        Injection { strace, trace }
    }

    /// How many calls have failed for it. `strace` writes its lines late: it is true after the end.
    fn count(&self) -> usize {
        std::fs::read_to_string(&self.trace).unwrap_or_default().matches("(INJECTED)").count()
    }

    /// Lets all calls succeed again, and says how many failed.
    #[track_caller]
    pub fn end(mut self) -> usize {
        self.strace.signal(Signal::SIGINT);
        self.strace.wait();
        self.count()
    }
}
