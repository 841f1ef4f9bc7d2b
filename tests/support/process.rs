//! Started processes: captured to the end, or kept as a supervisor.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use nix::sys::signal::Signal;

use crate::scratch::Shared;
use crate::wait::wait_until;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With this exit code.
    Exit(i32),
    /// Killed by this signal.
    Signal(i32),
}

impl From<ExitStatus> for Ending {
    fn from(status: ExitStatus) -> Ending {
        status.signal().map_or_else(|| Ending::Exit(status.code().expect("exited")), Ending::Signal)
    }
}

/// What a program left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// How it ended.
    pub ending: Ending,
    /// All it wrote to descriptor 1.
    pub stdout: String,
    /// All it wrote to descriptor 2.
    pub stderr: String,
}

impl Output {
    /// What is expected: an exit code and both streams.
    pub fn exit(code: i32, stdout: &str, stderr: &str) -> Output {
        Output { ending: Ending::Exit(code), stdout: stdout.to_owned(), stderr: stderr.to_owned() }
    }

    /// The same with pids and ages made equal.
    pub fn without_numbers(&self) -> Output {
        Output {
            ending: self.ending,
            stdout: crate::without_numbers(&self.stdout),
            stderr: crate::without_numbers(&self.stderr),
        }
    }
}

/// Held shared while an executable file is open for writing, and exclusively from fork to exec. Otherwise the child of one
/// test could hold the descriptor of another test's script just when that is executed: "text busy".
static FORKS: RwLock<()> = RwLock::new(());

/// While the answer lives, no process is started.
pub(crate) fn hold_forks() -> RwLockReadGuard<'static, ()> {
    FORKS.read().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a process while nobody writes an executable file.
pub(crate) fn spawn(command: &mut Command) -> std::io::Result<Child> {
    let _nobody_writes = FORKS.write().unwrap_or_else(PoisonError::into_inner);
    command.spawn()
}

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A process with its two streams in files, killed when dropped. Its descendants are found by the scratch directory.
pub struct Supervisor {
    child: Child,
    ended: Option<Ending>,
    stdout: PathBuf,
    stderr: PathBuf,
    shared: Arc<Shared>,
}

impl Supervisor {
    /// Starts `command`; if the test dies without cleaning up, the process gets `farewell`.
    pub(crate) fn start(mut command: Command, farewell: Signal, shared: &Arc<Shared>) -> Supervisor {
        let captured = shared.path().join(".captured");
        std::fs::create_dir_all(&captured).expect("captured");
        let name = Path::new(command.get_program()).file_name().expect("a name").to_string_lossy().into_owned();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let stdout = captured.join(format!("{number:03}.{name}.out"));
        let stderr = captured.join(format!("{number:03}.{name}.err"));
        let append =
            |path: &Path| std::fs::OpenOptions::new().create(true).append(true).open(path).expect("captured stream");
        command.stdin(Stdio::null()).stdout(append(&stdout)).stderr(append(&stderr));
        // SAFETY: the closure only makes system calls, allocates nothing and takes no lock.
        unsafe {
            command.pre_exec(move || prepare(farewell));
        }
        let child = spawn(&mut command).unwrap_or_else(|error| panic!("unable to start {command:?}: {error}"));
        Supervisor { child, ended: None, stdout, stderr, shared: Arc::clone(shared) }
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal to the process, unless it has ended.
    pub fn signal(&mut self, signal: Signal) {
        if self.try_wait().is_none() {
            crate::send_signal(self.pid(), signal);
        }
    }

    /// How it ended, `None` while it runs.
    pub fn try_wait(&mut self) -> Option<Ending> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().expect("own child").map(Ending::from);
        }
        self.ended
    }

    /// Waits for the end.
    #[track_caller]
    pub fn wait(&mut self) -> Ending {
        wait_until("the end of the process", || self.try_wait())
    }

    /// What it and its children have written to descriptor 1.
    pub fn stdout(&self) -> String {
        read(&self.stdout)
    }

    /// What it and its children have written to descriptor 2.
    pub fn stderr(&self) -> String {
        read(&self.stderr)
    }

    /// Waits for the end and gives back all it left.
    #[track_caller]
    pub fn output(&mut self) -> Output {
        let ending = self.wait();
        Output { ending, stdout: self.stdout(), stderr: self.stderr() }
    }

    /// Waits until stderr has `text` in it.
    #[track_caller]
    pub fn wait_stderr(&self, text: &str) {
        wait_until(&format!("stderr with {text:?}"), || self.stderr().contains(text).then_some(()));
    }
}

/// What is set for every process between fork and exec. Makes system calls only.
pub(crate) fn prepare(farewell: Signal) -> std::io::Result<()> {
    reset_signals();
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o022));
    nix::sys::prctl::set_pdeathsig(farewell).map_err(std::io::Error::from)
}

/// A shell that runs the tests in the background has them ignore INT and QUIT; no service may inherit that.
fn reset_signals() {
    for signal in Signal::iterator() {
        // SAFETY: the default disposition runs no code of ours. KILL and STOP refuse, which changes nothing.
        let _refused = unsafe { nix::sys::signal::signal(signal, nix::sys::signal::SigHandler::SigDfl) };
    }
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.shared.report_if_failed();
        if self.try_wait().is_none() {
            let _ended_meanwhile = self.child.kill();
            let _status = self.child.wait();
        }
    }
}
