//! pid 1 for real: a root of its own, pid and mount namespaces of its own, and a terminal as its console.
//!
//! In a pid namespace reboot(2) ends the namespace: the parent of its pid 1 sees SIGHUP for a restart and SIGINT for
//! power-off and halt, so nothing here can touch the machine the test runs on.

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use nix::fcntl::OFlag;
use nix::sys::signal::Signal;
use nix::sys::termios;

use crate::process::{Ending, Output, Supervisor};
use crate::scratch::Scratch;
use crate::service::Service;
use crate::wait::wait_until;

const APPLETS: &[&str] = &[
    "awk", "cat", "chmod", "cut", "echo", "env", "grep", "head", "kill", "ln", "ls", "mkdir", "mount", "ps",
    "readlink", "rm", "sed", "seq", "setsid", "sh", "sleep", "stat", "touch", "tr", "true", "tty", "wc",
];

/// The root directory of a small system: busybox, the programs, and empty stages.
pub struct Root {
    path: PathBuf,
}

impl Root {
    /// Makes the tree. Stages are the test's to write.
    pub fn create(scratch: &Scratch) -> Root {
        let path = scratch.directory("root");
        for directory in ["bin", "sbin", "dev", "proc", "tmp", "etc/runit", "run/runit"] {
            std::fs::create_dir_all(path.join(directory)).expect("directories");
        }
        let busybox =
            ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|path| Path::new(path).exists()).expect("busybox");
        copy(Path::new(busybox), &path.join("bin/busybox"));
        for applet in APPLETS {
            symlink("busybox", path.join("bin").join(applet)).expect("an applet");
        }
        copy_programs(scratch.programs(), &path.join("sbin"));
        for flag in ["stopit", "reboot"] {
            symlink(format!("/run/runit/{flag}"), path.join("etc/runit").join(flag)).expect("a flag link");
        }
        Root { path }
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `/etc/runit`, where the stages are.
    pub fn etc_runit(&self) -> Service {
        Service::create(&self.path.join("etc/runit"))
    }

    /// Writes a stage, or any other script of `/etc/runit`.
    pub fn stage(self, name: &str, body: &str) -> Root {
        let _etc = self.etc_runit().script(name, body);
        self
    }

    /// The lines of a file, by its path inside.
    pub fn lines(&self, path: &str) -> Vec<String> {
        crate::lines(&self.path.join(path.trim_start_matches('/')))
    }

    /// Makes a fifo for scripts to wait at.
    pub fn gate(self, path: &str) -> Root {
        nix::unistd::mkfifo(&self.path.join(path.trim_start_matches('/')), nix::sys::stat::Mode::S_IRWXU)
            .expect("a fifo");
        self
    }
}

/// How a machine went down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MachineEnd {
    /// reboot(2) with restart.
    Reboot,
    /// reboot(2) with power-off or halt.
    PowerOff,
    /// pid 1 ended in another way, which on a real machine is a panic.
    Died(Ending),
}

/// A running pid 1.
pub struct Machine {
    unshare: Supervisor,
    console: PathBuf,
    terminal: Option<std::fs::File>,
    master: std::fs::File,
    reader: Option<JoinHandle<()>>,
}

impl Machine {
    /// Boots `root` with a terminal as `/dev/console`.
    pub fn boot(scratch: &Scratch, root: &Root) -> Machine {
        Machine::boot_with(scratch, root, "/sbin/init", "touch dev/console; mount --bind \"$TERMINAL\" dev/console")
    }

    /// Boots `root` with other steps to prepare `/dev`, and another program as pid 1.
    pub fn boot_with(scratch: &Scratch, root: &Root, program: &str, console_steps: &str) -> Machine {
        let (master, terminal, name) = open_terminal();
        let console = scratch.path().join("console");
        std::fs::write(&console, "").expect("console");
        let script = format!(
            "set -e; cd {root}; mount -t proc proc proc; mount -t tmpfs -o mode=755 dev dev
             for node in null zero tty; do touch dev/$node; mount --bind /dev/$node dev/$node; done
             {console_steps}
             exec chroot . {program} </dev/null >dev/null 2>&1",
            root = root.path().display(),
        );
        let mut command = scratch.command("unshare");
        command.args(["--pid", "--mount", "--uts", "--ipc", "--fork", "--kill-child", "sh", "-c", &script]);
        command
            .env("TERMINAL", name)
            .env("PATH", "/sbin:/bin:/usr/sbin:/usr/bin")
            .env_remove("SVDIR")
            .env("FROM_KERNEL", "word");
        let unshare = scratch.start(command, Signal::SIGKILL);
        let mut source = master.try_clone().expect("descriptor");
        let mut sink = std::fs::OpenOptions::new().append(true).open(&console).expect("console");
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // The read fails with EIO once the last user of the terminal is gone.
            while let Ok(count @ 1..) = source.read(&mut bytes) {
                sink.write_all(&bytes[..count]).expect("console");
            }
        });
        Machine { unshare, console, terminal: Some(terminal), master, reader: Some(reader) }
    }

    /// The pid of pid 1 outside.
    #[track_caller]
    pub fn pid(&self) -> u32 {
        wait_until("pid 1", || self.try_pid())
    }

    /// The pid of pid 1 outside, `None` before the first moment and after the last.
    pub fn try_pid(&self) -> Option<u32> {
        crate::children(self.unshare.pid()).first().copied()
    }

    /// All that was written to the console so far.
    pub fn console(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.console).expect("console")).replace("\r\n", "\n")
    }

    /// Waits until the console has shown `text`.
    #[track_caller]
    pub fn wait_console(&self, text: &str) {
        self.wait_console_times(text, 1);
    }

    /// Waits until the console has shown `text` so many times.
    #[track_caller]
    pub fn wait_console_times(&self, text: &str, times: usize) {
        wait_until(&format!("{text:?} {times} times on the console"), || {
            (self.console().matches(text).count() >= times).then_some(())
        });
    }

    /// Types on the console.
    pub fn type_in(&mut self, text: &str) {
        self.master.write_all(text.as_bytes()).expect("the terminal");
    }

    /// Sends a signal to pid 1 from outside.
    #[track_caller]
    pub fn signal(&self, signal: Signal) {
        crate::send_signal(self.pid(), signal);
    }

    /// Runs a program inside, as root, to its end.
    #[track_caller]
    pub fn run(&self, scratch: &Scratch, words: &[&str]) -> Output {
        self.enter(scratch, &[], words)
    }

    /// Runs a program inside, as an ordinary user, to its end.
    #[track_caller]
    pub fn run_as_nobody(&self, scratch: &Scratch, words: &[&str]) -> Output {
        self.enter(scratch, &["--setuid=65534", "--setgid=65534"], words)
    }

    #[track_caller]
    fn enter(&self, scratch: &Scratch, options: &[&str], words: &[&str]) -> Output {
        let mut command = scratch.command("nsenter");
        command
            .arg(format!("--target={}", self.pid()))
            .args(["--pid", "--mount", "--root", "--wd"])
            .args(options)
            .args(words);
        command.env("PATH", "/sbin:/bin").env_remove("SVDIR");
        scratch.output(command)
    }

    /// Waits until the machine is down.
    #[track_caller]
    pub fn wait_end(&mut self) -> MachineEnd {
        let ending = wait_until("the end of the machine", || self.unshare.try_wait());
        self.drain();
        match ending {
            Ending::Signal(signal) if signal == Signal::SIGHUP as i32 => MachineEnd::Reboot,
            Ending::Signal(signal) if signal == Signal::SIGINT as i32 => MachineEnd::PowerOff,
            other => MachineEnd::Died(other),
        }
    }

    /// True while pid 1 lives.
    pub fn is_up(&mut self) -> bool {
        self.unshare.try_wait().is_none()
    }

    /// What the tools that built the namespaces said.
    pub fn trouble(&self) -> String {
        self.unshare.stderr()
    }

    /// Gives up the own end of the terminal and takes in what is still on its way.
    fn drain(&mut self) {
        self.terminal = None;
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader of the console");
        }
    }
}

/// A new terminal in raw mode, so that lines come out as they were written, though ^C still makes a signal: its master, itself, its path.
pub fn open_terminal() -> (std::fs::File, std::fs::File, String) {
    let master = nix::pty::posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC).expect("a terminal");
    nix::pty::grantpt(&master).expect("a terminal");
    nix::pty::unlockpt(&master).expect("a terminal");
    let name = nix::pty::ptsname_r(&master).expect("a terminal");
    let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let terminal = nix::fcntl::open(name.as_str(), flags, nix::sys::stat::Mode::empty()).expect("a terminal");
    let mut settings = termios::tcgetattr(&terminal).expect("settings");
    termios::cfmakeraw(&mut settings);
    settings.local_flags |= termios::LocalFlags::ISIG;
    termios::tcsetattr(&terminal, termios::SetArg::TCSANOW, &settings).expect("settings");
    let master = master.as_fd().try_clone_to_owned().expect("descriptor");
    (master.into(), terminal.into(), name)
}

fn copy(from: &Path, to: &Path) {
    let _nobody_forks = crate::process::hold_forks();
    std::fs::copy(from, to).unwrap_or_else(|error| panic!("copy {} to {}: {error}", from.display(), to.display()));
}

/// Copies the programs with their links; programs of the original bring the C library they are linked to.
fn copy_programs(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("the programs").flatten() {
        let target = to.join(entry.file_name());
        match std::fs::read_link(entry.path()) {
            Ok(link) if link.components().count() == 1 => symlink(link, target).expect("a link"),
            _ => copy(&entry.path(), &target),
        }
    }
    if crate::is_reference() {
        let root = to.parent().expect("a root");
        for library in ["lib64/ld-linux-x86-64.so.2", "lib/x86_64-linux-gnu/libc.so.6"] {
            let target = root.join(library);
            std::fs::create_dir_all(target.parent().expect("a directory")).expect("directories");
            copy(&Path::new("/").join(library), &target);
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if self.unshare.try_wait().is_none() {
            self.unshare.signal(Signal::SIGKILL);
            let _ended = self.unshare.wait();
        }
        // pid 1 is killed by the kernel right after; its processes then let go of the terminal.
        self.drain();
    }
}
