//! A fresh directory of one test, and everything that was started for it.

use std::fmt::Write as _;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::process::{Output, Supervisor};
use crate::service::Service;
use crate::status::Status;
use crate::wait::wait_until;

/// Every process of a test carries this in its environment, with the scratch directory as value: what is left of them
/// at the end is found by it, whatever sessions and parents they have.
const MARK: &str = "PIPIT_TEST_SCRATCH";

/// The directory itself; shared so that the first guard dropped after a failure can tell what it saw.
pub(crate) struct Shared {
    directory: TempDir,
    reported: AtomicBool,
}

impl Shared {
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Prints the files and processes of the test, once, if the test is failing.
    pub(crate) fn report_if_failed(&self) {
        if std::thread::panicking() && !self.reported.swap(true, Ordering::Relaxed) {
            eprintln!("{}", self.describe());
        }
    }

    fn describe(&self) -> String {
        let mut text = format!("what was seen in {}:\n", self.path().display());
        describe_directory(self.path(), self.path(), &mut text);
        for pid in self.processes() {
            let state = crate::process_fields(pid).map_or(String::new(), |fields| fields[..4].join(" "));
            let _infallible = writeln!(
                text,
                "  process {pid} (state, parent, group, session: {state}): {}",
                crate::command_line(pid).join(" ")
            );
        }
        text
    }

    fn processes(&self) -> Vec<u32> {
        let mark = format!("{MARK}={}", self.path().display());
        let pids = std::fs::read_dir("/proc")
            .expect("/proc")
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter(|pid: &u32| {
            let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|word| word == mark.as_bytes())
        })
        .collect()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        for _round in 0..1000 {
            let left = self.processes();
            if left.is_empty() {
                return;
            }
            for pid in left {
                crate::send_signal(pid, Signal::SIGKILL);
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        eprintln!("left behind by {}: {:?}", self.path().display(), self.processes());
    }
}

/// A fresh directory, the programs under test, and the processes started in it.
pub struct Scratch {
    shared: Arc<Shared>,
    programs: PathBuf,
}

impl Scratch {
    /// A directory for the programs of [`crate::programs`].
    #[expect(clippy::new_without_default, reason = "makes a directory")]
    pub fn new() -> Scratch {
        Scratch::with_programs(crate::programs())
    }

    /// A directory for the programs of another directory.
    pub fn with_programs(programs: PathBuf) -> Scratch {
        let directory = tempfile::Builder::new().prefix("pipit-").tempdir().expect("a temporary directory");
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).expect("mode");
        Scratch { shared: Arc::new(Shared { directory, reported: AtomicBool::new(false) }), programs }
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        self.shared.path()
    }

    /// Where the programs are.
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    /// Uses the programs of another directory from now on.
    pub fn use_programs(&mut self, programs: &Path) {
        self.programs = programs.to_owned();
    }

    /// Copies the programs into the directory, where every user can reach them, and uses them from there.
    pub fn use_copied_programs(&mut self) {
        let target = self.path().join(".programs");
        std::fs::create_dir(&target).expect("a directory for the programs");
        for entry in std::fs::read_dir(&self.programs).expect("the programs").flatten() {
            let link = std::fs::read_link(entry.path()).ok().filter(|link| link.components().count() == 1);
            let copy = target.join(entry.file_name());
            if let Some(link) = link {
                std::os::unix::fs::symlink(link, copy).expect("a link");
            } else if entry.path().is_file() {
                let _nobody_forks = crate::process::hold_forks();
                std::fs::copy(entry.path(), copy).expect("a copy");
            }
        }
        self.programs = target;
    }

    /// A new service directory, empty.
    pub fn service(&self, name: &str) -> Service {
        Service::create(&self.path().join(name))
    }

    /// Makes a file with its directories, and gives back its path.
    pub fn file(&self, name: &str, contents: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        std::fs::write(&path, contents).expect("a file");
        path
    }

    /// Makes a directory, and gives back its path.
    pub fn directory(&self, name: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(&path).expect("a directory");
        path
    }

    /// A command in this directory with the programs on the path. `program` is one of them, or any path.
    pub fn command(&self, program: &str) -> Command {
        let own = self.programs.join(program);
        let mut command =
            Command::new(if !program.contains('/') && own.exists() { own } else { PathBuf::from(program) });
        command.current_dir(self.path()).env_clear();
        command.env(
            "PATH",
            format!("{}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", self.programs.display()),
        );
        command.env("LC_ALL", "C").env("SVDIR", self.path()).env(MARK, self.path());
        command
    }

    /// The entry of an environment by which a process is known to be of this test.
    pub fn mark(&self) -> String {
        format!("{MARK}={}", self.path().display())
    }

    /// Starts a command that stays; it gets `farewell` if the test dies.
    pub fn start(&self, command: Command, farewell: Signal) -> Supervisor {
        Supervisor::start(command, farewell, &self.shared)
    }

    /// Starts `runsv NAME` in this directory.
    pub fn runsv(&self, name: &str) -> Supervisor {
        let mut command = self.command("runsv");
        command.arg(name);
        self.start(command, Signal::SIGTERM)
    }

    /// Starts `runsvdir` with these arguments in this directory.
    pub fn runsvdir(&self, arguments: &[&str]) -> Supervisor {
        let mut command = self.command("runsvdir");
        command.args(arguments);
        self.start(command, Signal::SIGHUP)
    }

    /// Starts `runsv` on a service and waits until it can be told something.
    #[track_caller]
    pub fn supervise(&self, service: &Service) -> Supervisor {
        let runsv = self.runsv(&service.name());
        wait_until("a supervisor", || service.is_supervised().then_some(()));
        runsv
    }

    /// Runs a program to its end.
    #[track_caller]
    pub fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let mut command = self.command(program);
        command.args(arguments);
        self.output(command)
    }

    /// Runs a command to its end.
    #[track_caller]
    pub fn output(&self, command: Command) -> Output {
        self.start(command, Signal::SIGKILL).output()
    }

    /// `sv` with these arguments; services are looked for in this directory.
    #[track_caller]
    pub fn sv(&self, arguments: &[&str]) -> Output {
        self.run("sv", arguments)
    }

    /// Processes of this test that still live.
    pub fn processes(&self) -> Vec<u32> {
        self.shared.processes()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.shared.report_if_failed();
    }
}

fn describe_directory(top: &Path, directory: &Path, text: &mut String) {
    let mut entries: Vec<_> =
        std::fs::read_dir(directory).map(|entries| entries.flatten().collect()).unwrap_or_default();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let name = path.strip_prefix(top).unwrap_or(&path).display();
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        let _infallible = if kind.is_symlink() {
            writeln!(text, "  {name} -> {}", std::fs::read_link(&path).unwrap_or_default().display())
        } else if kind.is_dir() {
            if entry.file_name() != "root" && entry.file_name() != ".programs" {
                describe_directory(top, &path, text);
            }
            Ok(())
        } else if kind.is_fifo() {
            writeln!(text, "  {name} (fifo)")
        } else if kind.is_file() {
            let bytes = std::fs::read(&path).unwrap_or_default();
            if entry.file_name() == "status" {
                writeln!(text, "  {name}: {} {:?}", hexadecimal(&bytes), Status::decode(&bytes))
            } else if bytes.is_empty() {
                writeln!(text, "  {name} (empty)")
            } else {
                let tail = &bytes[bytes.len().saturating_sub(6000)..];
                writeln!(
                    text,
                    "  {name}:\n    | {}",
                    String::from_utf8_lossy(tail).trim_end().replace('\n', "\n    | ")
                )
            }
        } else {
            writeln!(text, "  {name} ({kind:?})")
        };
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
