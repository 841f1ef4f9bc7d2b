//! The two machines we boot, as QEMU's command line, and one of them running.

use crate::qmp::Qmp;
use anyhow::{Context, Result, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::{Value, json};
use std::fs::{self, File};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

const MEMORY_MIB: &str = "256";
/// How long QEMU may take to start and to connect, and to end after its last word.
const EMULATOR_LIMIT: Duration = Duration::from_secs(60);
/// How often a QEMU that does not connect is asked whether it still lives.
const LOOK_INTERVAL: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// What differs between the machines.
pub struct Board {
    pub name: &'static str,
    emulator: &'static str,
    arguments: &'static [&'static str],
    /// Devices without which ctrl-alt-del cannot be pressed.
    keyboard: &'static [&'static str],
    /// What the guest must load for it.
    pub keyboard_modules: &'static [&'static str],
    console: &'static str,
    /// Architecture of a host that could run it without emulation.
    host: &'static str,
}

pub const BOARDS: [Board; 2] = [
    Board {
        name: "x86_64",
        emulator: "qemu-system-x86_64",
        arguments: &["-M", "q35"],
        keyboard: &[],
        keyboard_modules: &[],
        console: "ttyS0",
        host: "x86_64",
    },
    Board {
        name: "armv7",
        emulator: "qemu-system-arm",
        arguments: &["-M", "virt,highmem=off", "-cpu", "cortex-a15"],
        // With the legacy form of virtio the keyboard does not appear.
        keyboard: &["-global", "virtio-mmio.force-legacy=false", "-device", "virtio-keyboard-device"],
        keyboard_modules: &["virtio_mmio", "virtio_input"],
        console: "ttyAMA0",
        host: "arm",
    },
];

/// What a machine is booted with.
pub struct Boot<'a> {
    pub board: &'a Board,
    pub kernel: &'a Path,
    /// An initramfs; without one the kernel finds the root by itself.
    pub image: Option<&'a Path>,
    pub accelerator: Option<&'a str>,
    /// Words for the kernel after `console=`.
    pub words: &'a str,
    /// More arguments for QEMU: disks.
    pub arguments: &'a [String],
}

impl Boot<'_> {
    /// A machine for a person: the serial console is this terminal, Ctrl-A X leaves. Returns only if QEMU cannot be
    /// started.
    ///
    /// # Errors
    /// Always, see above.
    pub fn become_machine(&self) -> Result<()> {
        let mut command = Command::new(self.board.emulator);
        self.add_arguments(&mut command);
        command.args(["-serial", "mon:stdio"]);
        Err(command.exec()).with_context(|| format!("unable to start {}", self.board.emulator))
    }

    fn add_arguments(&self, command: &mut Command) {
        let accelerator = self.accelerator.unwrap_or_else(|| choose_accelerator(self.board));
        command.args(self.board.arguments).args(self.board.keyboard);
        command.args(["-accel", accelerator, "-m", MEMORY_MIB, "-display", "none", "-nodefaults", "-no-user-config"]);
        command.arg("-kernel").arg(self.kernel);
        if let Some(image) = self.image {
            command.arg("-initrd").arg(image);
        }
        command.args(self.arguments);
        command.args(["-append", &format!("console={} {}", self.board.console, self.words)]);
    }
}

/// /dev/kvm alone proves nothing: there are hosts where it opens and every guest hangs.
fn choose_accelerator(board: &Board) -> &'static str {
    let has_extension = fs::read_to_string("/proc/cpuinfo")
        .is_ok_and(|text| text.split_whitespace().any(|word| word == "vmx" || word == "svm"));
    let is_writable = File::options().read(true).write(true).open("/dev/kvm").is_ok();
    if has_extension && is_writable && board.host == std::env::consts::ARCH { "kvm" } else { "tcg" }
}

/// A running QEMU with its control channel. Dropping it ends QEMU.
pub struct Machine {
    child: Child,
    pub qmp: Qmp,
    pub started: Instant,
}

impl Machine {
    /// Starts QEMU; returns it and the stream that is its serial console. The guest's first byte is not lost: QEMU
    /// connects first.
    ///
    /// # Errors
    /// QEMU ends at once or does not connect; what it said stands in the error.
    pub fn start(boot: &Boot, stderr_file: &Path) -> Result<(Self, UnixStream)> {
        let directory = tempfile::Builder::new().prefix("pipit-qemu.").tempdir()?;
        let console_path = directory.path().join("console");
        let qmp_path = directory.path().join("qmp");
        let console_listener = listen(&console_path)?;
        let qmp_listener = listen(&qmp_path)?;

        // The guest dies with its driver, however that ends.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig=KILL", "--", boot.board.emulator]);
        boot.add_arguments(&mut command);
        command.arg("-chardev").arg(format!("socket,id=console,path={}", console_path.display()));
        command.arg("-chardev").arg(format!("socket,id=qmp,path={}", qmp_path.display()));
        command.args(["-serial", "chardev:console", "-mon", "chardev=qmp,mode=control"]);
        let stderr =
            File::create(stderr_file).with_context(|| format!("unable to create {}", stderr_file.display()))?;
        let started = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .with_context(|| format!("unable to start setpriv {}", boot.board.emulator))?;

        let connect = move |child: &mut Child| -> Result<(UnixStream, Qmp)> {
            let console = accept(&console_listener, child)?;
            let qmp = Qmp::open(accept(&qmp_listener, child)?)?;
            // Nobody else connects; a driver that is killed leaves nothing behind.
            directory.close()?;
            Ok((console, qmp))
        };
        match connect(&mut child) {
            Ok((console, qmp)) => Ok((Self { child, qmp, started }, console)),
            Err(error) => {
                end_child(&mut child);
                let said = fs::read_to_string(stderr_file).unwrap_or_default();
                Err(error).with_context(|| format!("{}: {}", boot.board.emulator, said.trim()))
            }
        }
    }

    /// Presses ctrl, alt and delete together.
    ///
    /// # Errors
    /// QEMU refuses.
    pub fn press_ctrl_alt_del(&mut self) -> Result<()> {
        let keys = ["ctrl", "alt", "delete"].map(|name| json!({ "type": "qcode", "data": name }));
        self.qmp.execute("send-key", json!({ "keys": keys })).map(drop)
    }

    /// Lets the next reset end QEMU.
    ///
    /// # Errors
    /// QEMU refuses.
    pub fn end_at_reset(&mut self) -> Result<()> {
        self.qmp.execute("set-action", json!({ "reboot": "shutdown" })).map(drop)
    }

    /// Waits for a reset that the guest made.
    ///
    /// # Errors
    /// No reset within the limit, or one that the host made.
    pub fn wait_guest_reset(&mut self, limit: Duration) -> Result<()> {
        match self.qmp.wait_event("RESET", limit)? {
            Some(data) if data["guest"] == json!(true) => Ok(()),
            Some(data) => bail!("reset, but not by the guest: {data}"),
            None => bail!("QEMU ended instead of a reset"),
        }
    }

    /// Waits for the end of QEMU; returns the reason that it gave for it.
    ///
    /// # Errors
    /// No reason given, or QEMU lives on.
    pub fn wait_shutdown(&mut self, limit: Duration) -> Result<(String, ExitStatus)> {
        let data = self.qmp.wait_event("SHUTDOWN", limit)?.context("QEMU ended without a reason")?;
        let reason = data.get("reason").and_then(Value::as_str).unwrap_or("none").to_owned();
        // The channel closes when the process is about to end.
        while self.qmp.wait_event("", EMULATOR_LIMIT)?.is_some() {}
        Ok((reason, self.child.wait()?))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        end_child(&mut self.child);
    }
}

fn end_child(child: &mut Child) {
    // Both fail only where there is nothing left to end.
    let _ = child.kill();
    let _ = child.wait();
}

fn listen(path: &PathBuf) -> Result<UnixListener> {
    UnixListener::bind(path).with_context(|| format!("unable to listen: {}", path.display()))
}

fn accept(listener: &UnixListener, child: &mut Child) -> Result<UnixStream> {
    let deadline = Instant::now() + EMULATOR_LIMIT;
    while Instant::now() < deadline {
        if poll(&mut [PollFd::new(listener, PollFlags::IN)], Some(&LOOK_INTERVAL))? > 0 {
            return Ok(listener.accept()?.0);
        }
        if let Some(status) = child.try_wait()? {
            bail!("ended before it connected: {status}");
        }
    }
    bail!("did not connect within {} s", EMULATOR_LIMIT.as_secs())
}
