//! All that is started here is a descendant of this process, and none of it outlives the measurement.

use std::collections::HashMap;
use std::io::{PipeWriter, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::signal::{self, SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpid};

/// What ends the measurement early.
const ENDING: [Signal; 4] = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM];

/// Held while a process is started; and for good when everything is being ended.
static STARTING: Mutex<()> = Mutex::new(());

/// Where the handler tells of a signal.
static TOLD: OnceLock<PipeWriter> = OnceLock::new();

/// Makes this process the parent of those whose own parent has ended. A signal that ends the measurement then ends them
/// too, and removes `scratch`; so does a panic.
pub fn adopt_and_end_on_signal(scratch: &Path) -> Result<()> {
    prctl::set_child_subreaper(true).context("unable to become the parent of orphans")?;
    let (mut heard, told) = std::io::pipe().context("unable to make a pipe")?;
    TOLD.get_or_init(|| told);
    // Caught, not blocked: what is started here would inherit the mask.
    let catch = SigAction::new(SigHandler::Handler(tell), SaFlags::SA_RESTART, SigSet::empty());
    for signal in ENDING {
        // SAFETY: the handler makes one system call, which is allowed in one.
        let before = unsafe { sigaction(signal, &catch) }.context("unable to catch signals")?;
        if matches!(before.handler(), SigHandler::SigIgn) {
            // SAFETY: it is as it was.
            unsafe { sigaction(signal, &before) }.context("unable to ignore a signal again")?;
        }
    }
    let here = scratch.to_owned();
    std::thread::spawn(move || {
        let mut signal = [0];
        if heard.read_exact(&mut signal).is_ok() {
            eprintln!("bench: fatal: ended by signal {}", signal[0]);
            let_nobody_start();
            end_early(&here);
            std::process::exit(128 + i32::from(signal[0]));
        }
    });
    let here = scratch.to_owned();
    let say = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |information| {
        say(information);
        end_early(&here);
    }));
    Ok(())
}

extern "C" fn tell(signal: i32) {
    if let (Some(told), Ok(signal)) = (TOLD.get(), u8::try_from(signal)) {
        // There is nobody else to be told.
        let _ = nix::unistd::write(told, &[signal]);
    }
}

fn end_early(scratch: &Path) {
    end_all();
    // Somebody may still be making files in it.
    while scratch.exists() {
        let _ = std::fs::remove_dir_all(scratch);
    }
}

/// For the end of the measurement: waits for good if a signal is ending it already.
pub fn let_nobody_start() {
    std::mem::forget(start_alone());
}

fn start_alone() -> MutexGuard<'static, ()> {
    STARTING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a process.
pub fn start(command: &mut Command) -> Result<Child> {
    let _alone = start_alone();
    command.spawn().with_context(|| format!("unable to start {}", command.get_program().display()))
}

/// Starts a supervisor that ends by itself if this process is killed.
pub fn start_supervisor(command: &mut Command) -> Result<Child> {
    let prepare = || {
        // SAFETY: the default disposition runs no code of ours.
        unsafe { signal::signal(Signal::SIGHUP, SigHandler::SigDfl) }?;
        Ok(prctl::set_pdeathsig(Signal::SIGHUP)?)
    };
    // SAFETY: the closure only makes system calls, allocates nothing and takes no lock.
    unsafe { command.pre_exec(prepare) };
    start(command)
}

/// The state of a process and its parent.
fn state_and_parent(pid: i32) -> Option<(String, i32)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in parentheses and may hold anything.
    let (_, fields) = text.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}

/// Whether a process waits for something to happen.
pub fn is_asleep(pid: i32) -> bool {
    state_and_parent(pid).is_some_and(|(state, _)| state == "S")
}

/// The private dirty memory of a process in KiB, as the kernel counts it.
pub fn private_dirty(pid: i32) -> Result<f64> {
    number_in(&format!("/proc/{pid}/smaps_rollup"), "Private_Dirty:")
}

/// How often a process has begun to run: it had slept, or another one had to run.
pub fn context_switches(pid: i32) -> Result<f64> {
    let path = format!("/proc/{pid}/status");
    Ok(number_in(&path, "voluntary_ctxt_switches:")? + number_in(&path, "nonvoluntary_ctxt_switches:")?)
}

/// What stands behind a name in a file of the kernel.
fn number_in(path: &str, name: &str) -> Result<f64> {
    let text = std::fs::read_to_string(path).with_context(|| format!("unable to read {path}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let word = line.and_then(|line| line.split_whitespace().next());
    word.and_then(|word| word.parse().ok()).with_context(|| format!("no {name} in {path}"))
}

/// Every process of the machine, with its parent.
fn parents() -> Vec<(i32, i32)> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| Some((pid, state_and_parent(pid)?.1))).collect()
}

/// The children of a process.
pub fn children_of(parent: u32) -> Vec<i32> {
    let is_of = |its: &i32| u32::try_from(*its) == Ok(parent);
    parents().into_iter().filter(|(_, its)| is_of(its)).map(|(pid, _)| pid).collect()
}

/// The descendants of this process: children, then theirs, and so on.
fn descendants() -> Vec<i32> {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    for (pid, parent) in parents() {
        children.entry(parent).or_default().push(pid);
    }
    let mut found = vec![getpid().as_raw()];
    let mut at = 0;
    while let Some(parent) = found.get(at) {
        found.extend(children.remove(parent).unwrap_or_default());
        at += 1;
    }
    found.split_off(1)
}

/// Kills all that was started, those before whose children would be started again, and takes their ends.
pub fn end_all() {
    loop {
        for pid in descendants() {
            // It may have ended.
            let _ = signal::kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => break,
                Err(Errno::ECHILD) => return,
                Ok(_) | Err(_) => {}
            }
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}
