//! The smoke boot: what is done on the console, in order, and what must be seen.
//!
//! One machine serves for all: it boots, is looked at, reboots by `init 6`, again by ctrl-alt-del, and powers off. A check returns the
//! figures it found, or what was seen instead. After a failed check the shell is brought back and the rest goes on; where that does not
//! work, what is left counts as failed.

use crate::console::Console;
use crate::machine::{Boot, Machine};
use crate::status_line::StatusLine;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// From power-on to the login prompt: 3 s on x86_64, 8 s on armv7, four times that on a busy host.
const BOOT_LIMIT: Duration = Duration::from_secs(180);
/// From a request to the end of the machine: 2 s.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(90);
/// How many times the guest looks for something that should come soon, and how long it waits between two looks.
const LOOKS: u32 = 200;
const LOOK_MICROSECONDS: u32 = 50_000;
/// Two starts of a service that dies at once must lie this far apart, in hundredths of a second (what /proc/uptime counts).
const CRASH_GAP_HUNDREDTHS: u64 = 99;
const CRASH_STARTS: usize = 4;
const IDLE_SECONDS: u64 = 10;
/// A link that only the next regular scan finds takes seconds. Emulated program starts take most of what is measured.
const PICKUP_LIMIT_MILLISECONDS: u64 = 500;

type Check = fn(&mut Smoke) -> Result<String>;

const CHECKS: [(&str, Check); 19] = [
    ("boot", Smoke::boot),
    ("login", Smoke::log_in),
    ("status", Smoke::show_status),
    ("memory", Smoke::measure_memory),
    ("kill", Smoke::kill_service),
    ("down", Smoke::take_down),
    ("up", Smoke::bring_up),
    ("restart", Smoke::restart),
    ("crash", Smoke::hold_crashing_service),
    ("log", Smoke::kill_logger),
    ("new-service", Smoke::add_service),
    ("removed-service", Smoke::remove_service),
    ("bad-input", Smoke::give_bad_input),
    ("idle", Smoke::stay_idle),
    ("reboot", Smoke::reboot),
    ("again", Smoke::log_in_again),
    ("ctrl-alt-del", Smoke::press_ctrl_alt_del),
    ("third", Smoke::log_in_again),
    ("poweroff", Smoke::power_off),
];

/// Boots the machine, runs all checks, prints a line for each. True if all passed.
///
/// # Errors
/// QEMU cannot be started at all.
pub fn run(boot: &Boot, artefacts: &Path) -> Result<bool> {
    let began = Instant::now();
    let journal = artefacts.join(format!("{}-console.log", boot.board.name));
    let (machine, stream) = Machine::start(boot, &artefacts.join(format!("{}-qemu.stderr", boot.board.name)))?;
    let console = Console::open(stream, machine.started, &journal)?;
    let mut smoke = Smoke { console, machine, has_virtual_keyboard: boot.board.name == "armv7" };
    let mut passed = 0;
    let mut is_lost = false;
    for (name, check) in CHECKS {
        if is_lost {
            println!("not ok {name}: not tried, the console is lost");
            continue;
        }
        match check(&mut smoke) {
            Ok(figures) => {
                println!("ok {name}: {figures}");
                passed += 1;
            }
            Err(error) => {
                println!("not ok {name}: {error:#}");
                is_lost = smoke.console.recover_shell().is_err();
            }
        }
    }
    let failed = CHECKS.len() - passed;
    println!(
        "{}: {passed} ok, {failed} not ok, {:.1} s; console: {}",
        boot.board.name,
        began.elapsed().as_secs_f64(),
        journal.display()
    );
    Ok(failed == 0)
}

struct Smoke {
    console: Console,
    machine: Machine,
    /// The keyboard is a virtio device whose modules must be loaded by hand.
    has_virtual_keyboard: bool,
}

impl Smoke {
    /// Stages 1 and 2 begin, and a prompt comes.
    fn boot(&mut self) -> Result<String> {
        let at = self.wait_prompt()?;
        Ok(format!("login prompt {:.2} s after QEMU's start", at.as_secs_f64()))
    }

    fn wait_prompt(&mut self) -> Result<Duration> {
        self.console.wait_for("- runit: enter stage: /etc/runit/1", BOOT_LIMIT)?;
        self.console.wait_for("- runit: leave stage: /etc/runit/1", BOOT_LIMIT)?;
        self.console.wait_for("- runit: enter stage: /etc/runit/2", BOOT_LIMIT)?;
        Ok(self.console.wait_for("login: ", BOOT_LIMIT)?.at)
    }

    fn log_in(&mut self) -> Result<String> {
        let prompt_at = self.machine.started.elapsed();
        self.console.type_line("root")?;
        self.console.wait_for("# ", BOOT_LIMIT).context("no shell after the login")?;
        self.console.settle_shell()?;
        let who = self.console.ask("id -u; tty")?;
        ensure!(who.starts_with("0\n/dev/tty"), "not root on a terminal: {who:?}");
        // The kernel's clock starts when it is unpacked; what has passed since the prompt is taken off.
        let uptime_hundredths = self.uptime_hundredths()?;
        let since_prompt = self.machine.started.elapsed() - prompt_at;
        Ok(format!(
            "prompt {:.2} s after the kernel's start, on its own clock",
            uptime_hundredths as f64 / 100.0 - since_prompt.as_secs_f64()
        ))
    }

    /// Every service in /etc/service has a process, which exists; only the crashing one may be between two.
    fn show_status(&mut self) -> Result<String> {
        let names = self.console.ask("ls -d /etc/service/*")?;
        let mut statuses = Vec::new();
        // The last one may still be starting when the prompt comes.
        for _ in 0..LOOKS {
            statuses = self.all_statuses()?;
            let is_up = |status: &StatusLine| status.name.ends_with("/sample-crash") || status.running_pid().is_ok();
            if statuses.iter().all(|status| is_up(status) && status.log.as_deref().is_none_or(is_up)) {
                break;
            }
            self.console.ask(&format!("usleep {LOOK_MICROSECONDS}"))?;
        }
        let listed: Vec<&str> = statuses.iter().map(|status| status.name.as_str()).collect();
        ensure!(listed == names.lines().collect::<Vec<_>>(), "services {names:?}, but status of {listed:?}");
        let mut shown = Vec::new();
        for status in &statuses {
            let name = status.name.trim_start_matches("/etc/service/");
            if name == "sample-crash" {
                ensure!(
                    status.pid.is_some() || status.flags.iter().any(|flag| flag == "want up"),
                    "sample-crash is not wanted up: {status:?}"
                );
                continue;
            }
            let pid = status.running_pid()?;
            self.console.ask(&format!("test -d /proc/{pid}")).with_context(|| format!("{name}: no process {pid}"))?;
            shown.push(format!("{name} {pid}"));
            if let Some(log) = &status.log {
                let pid = log.running_pid().with_context(|| format!("log of {name}"))?;
                self.console
                    .ask(&format!("test -d /proc/{pid}"))
                    .with_context(|| format!("log of {name}: no process {pid}"))?;
                shown.push(format!("{name}/log {pid}"));
            }
        }
        for needed in ["/etc/service/sample-up", "/etc/service/sample-crash"] {
            ensure!(listed.contains(&needed), "{needed} is not among {listed:?}");
        }
        let sample = statuses.iter().find(|status| status.name.ends_with("/sample-up"));
        ensure!(sample.is_some_and(|status| status.log.is_some()), "sample-up shows no log service");
        Ok(shown.join(", "))
    }

    fn measure_memory(&mut self) -> Result<String> {
        let mut shown = Vec::new();
        for (who, pid) in self.supervisors()? {
            let fields = self.console.ask(&format!("cat /proc/{pid}/smaps_rollup"))?;
            let kib = |name: &str| -> Result<u32> {
                let line = fields
                    .lines()
                    .find(|line| line.starts_with(name))
                    .with_context(|| format!("{who}: no {name} in {fields:?}"))?;
                line.split_whitespace()
                    .nth(1)
                    .and_then(|word| word.parse().ok())
                    .with_context(|| format!("{who}: {line}"))
            };
            let (resident, dirty) = (kib("Rss:")?, kib("Private_Dirty:")?);
            ensure!(resident > 0, "{who} has no memory: {fields}");
            shown.push(format!("{who} {resident} KiB resident, {dirty} KiB private dirty"));
        }
        Ok(shown.join("; "))
    }

    fn kill_service(&mut self) -> Result<String> {
        let old = self.status("sample-up")?.running_pid()?;
        self.console.ask(&format!("kill -9 {old}"))?;
        let new = self.wait_pid_other_than(old, "sample-up")?;
        Ok(format!("pid {old} became {new}"))
    }

    /// The one-letter commands say nothing; with -v they tell what became of the service.
    fn take_down(&mut self) -> Result<String> {
        let pid = self.status("sample-up")?.running_pid()?;
        let said = self.console.ask("sv down sample-up")?;
        ensure!(said.is_empty(), "sv down said {said:?}");
        let line = self.expect_ok("sv -v down sample-up")?;
        ensure!(line.state == "down" && line.pid.is_none() && line.flags == ["normally up"], "{line:?}");
        let gone = self.console.run(&format!("test -d /proc/{pid}"))?;
        ensure!(gone.code == 1, "process {pid} is still there");
        ensure!(self.status("sample-up")?.state == "down", "sv status does not show it");
        Ok(format!("process {pid} gone"))
    }

    fn bring_up(&mut self) -> Result<String> {
        let said = self.console.ask("sv up sample-up")?;
        ensure!(said.is_empty(), "sv up said {said:?}");
        let line = self.expect_ok("sv -v up sample-up")?;
        let pid = line.running_pid()?;
        ensure!(line.flags.is_empty(), "{line:?}");
        ensure!(self.status("sample-up")?.running_pid()? == pid, "sv status shows another pid");
        Ok(format!("pid {pid}"))
    }

    fn restart(&mut self) -> Result<String> {
        let old = self.status("sample-up")?.running_pid()?;
        let line = self.expect_ok("sv restart sample-up")?;
        let new = line.running_pid()?;
        ensure!(new != old, "still pid {old}");
        ensure!(line.seconds <= 1, "already {} s old", line.seconds);
        Ok(format!("pid {old} became {new}"))
    }

    /// Its starts, which it counts itself on the clock that does not jump.
    fn hold_crashing_service(&mut self) -> Result<String> {
        let path = "/run/sample-crash.starts";
        self.look_until(&format!("[ $(wc -l <{path}) -ge {CRASH_STARTS} ]"))?;
        let text = self.console.ask(&format!("cat {path}"))?;
        let starts: Vec<u64> = text.lines().map(parse_hundredths).collect::<Result<_>>()?;
        let gaps: Vec<u64> = starts.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
        let (least, most) = (gaps.iter().min().context("no two starts")?, gaps.iter().max().context("no two starts")?);
        let shown = format!("{} starts, {least} to {most} hundredths of a second apart", starts.len());
        ensure!(*least >= CRASH_GAP_HUNDREDTHS, "{shown}: {gaps:?}");
        Ok(shown)
    }

    /// The logger is killed while the service writes: nothing in the pipe may be lost, and the service must not notice.
    fn kill_logger(&mut self) -> Result<String> {
        let path = "/run/log/sample-up";
        let before = self.status("sample-up")?;
        let service = before.running_pid()?;
        let old = before.log.context("no log service")?.running_pid()?;
        self.look_until(&format!("[ $(tail -n 1 {path} | cut -d' ' -f2) -ge 2 ]"))?;
        let last: u32 =
            self.console.ask(&format!("tail -n 1 {path} | cut -d' ' -f2"))?.trim().parse().context("not a number")?;
        self.console.ask(&format!("kill -9 {old}"))?;
        self.look_until(&format!("[ $(tail -n 1 {path} | cut -d' ' -f2) -ge {} ]", last + 3))?;
        let after = self.status("sample-up")?;
        ensure!(after.running_pid()? == service, "the service was restarted too");
        let new = after.log.context("no log service")?.running_pid()?;
        ensure!(new != old, "the logger still has pid {old}");
        let count = check_numbering(&self.console.ask(&format!("cat {path}"))?)?;
        ensure!(count >= last + 3, "{count} lines of this run, but line {} was there", last + 3);
        Ok(format!("logger {old} became {new}, lines 1 to {count} without a gap"))
    }

    /// The time from the link to the lock that its runsv takes, as the guest's file stamps tell it.
    fn add_service(&mut self) -> Result<String> {
        let run = r"#!/bin/sh\n: >/run/sample-new\nexec sleep 1000\n";
        self.console.ask(&format!(
            "mkdir /etc/sv/sample-new && printf '{run}' >/etc/sv/sample-new/run && chmod 755 /etc/sv/sample-new/run"
        ))?;
        self.console.ask("ln -s /etc/sv/sample-new /etc/service/sample-new")?;
        self.look_until("[ -e /run/sample-new ]")?;
        let text =
            self.console.ask("stat -c %y /etc/service/sample-new /etc/sv/sample-new/supervise/lock /run/sample-new")?;
        let stamps: Vec<u64> = text.lines().map(milliseconds_of_hour).collect::<Result<_>>()?;
        let [link, lock, started] = stamps[..] else { anyhow::bail!("not three stamps: {text:?}") };
        let (picked_up, started) = (lock.saturating_sub(link), started.saturating_sub(link));
        let shown = format!("its runsv holds the lock {picked_up} ms after the link, run begins after {started} ms");
        ensure!(picked_up <= PICKUP_LIMIT_MILLISECONDS, "{shown}");
        ensure!(self.status("sample-new")?.running_pid()? > 1, "not running");
        Ok(shown)
    }

    fn remove_service(&mut self) -> Result<String> {
        let pid = self.status("sample-new")?.running_pid()?;
        self.console.ask("rm /etc/service/sample-new")?;
        self.look_until(&format!("[ ! -d /proc/{pid} ]"))?;
        let answer = self.console.run("sv status /etc/sv/sample-new")?;
        ensure!(answer.text == "fail: /etc/sv/sample-new: runsv not running\n" && answer.code == 1, "{answer:?}");
        Ok(format!("process {pid} gone with its link"))
    }

    /// Each gets its message and its exit code, and nothing else changes.
    fn give_bad_input(&mut self) -> Result<String> {
        let before = self.status("sample-up")?.running_pid()?;
        let cases = [
            ("init 9", "usage: init 0|6\n\n", 0),
            ("sv status nosuch", "fail: nosuch: unable to change to service directory: file does not exist\n", 1),
            ("sv up nosuch", "fail: nosuch: unable to change to service directory: file does not exist\n", 1),
            ("sv frobnicate sample-up", "usage: sv [-v] [-w sec] command service ...\n\n", 100),
            ("sv", "usage: sv [-v] [-w sec] command service ...\n\n", 100),
            ("runsv", "usage: runsv dir\n\n", 1),
            ("runsv /nosuch", "runsv /nosuch: fatal: unable to change to directory: file does not exist\n", 111),
        ];
        for (command, text, code) in cases {
            let answer = self.console.run(&format!("{command} 2>&1"))?;
            ensure!(
                answer.text == text && answer.code == code,
                "{command}: exit code {} and {:?}, not {code} and {text:?}",
                answer.code,
                answer.text
            );
        }
        ensure!(self.status("sample-up")?.running_pid()? == before, "sample-up was disturbed");
        Ok(format!("{} cases", cases.len()))
    }

    /// With the crashing service down nothing may run pid 1, runsvdir or a runsv for ten seconds of the guest's time.
    fn stay_idle(&mut self) -> Result<String> {
        self.expect_ok("sv -v down sample-crash")?;
        let supervisors = self.supervisors()?;
        let before = self.switches(&supervisors)?;
        let uptime_before = self.uptime_hundredths()?;
        self.console.ask(&format!("sleep {IDLE_SECONDS}"))?;
        let after = self.switches(&supervisors)?;
        let passed = self.uptime_hundredths()? - uptime_before;
        ensure!(passed >= IDLE_SECONDS * 100, "only {passed} hundredths of a second passed");
        ensure!(before == after, "switches before {before:?}, {} s later {after:?}", passed / 100);
        // The counters do count: a command to the service wakes its runsv.
        self.console.ask("sv up sample-up")?;
        let woken = self.switches(&supervisors)?;
        ensure!(woken["runsv"] != after["runsv"], "not even a command changed the counter: {woken:?}");
        self.console.ask("sv up sample-crash")?;
        Ok(format!(
            "0 wake-ups in {:.1} s of {}",
            passed as f64 / 100.0,
            before.keys().cloned().collect::<Vec<_>>().join(", ")
        ))
    }

    fn reboot(&mut self) -> Result<String> {
        self.console.type_line("init 6")?;
        let stage_3 = self.watch_shutdown("- runit: system reboot.")?;
        self.machine.wait_guest_reset(SHUTDOWN_LIMIT)?;
        let at = self.machine.started.elapsed();
        let prompt_at = self.wait_prompt()?;
        Ok(format!(
            "stage 3 took {:.2} s, prompt {:.2} s after the reset",
            stage_3.as_secs_f64(),
            (prompt_at - at).as_secs_f64()
        ))
    }

    /// The machine is a new one: nothing of the last boot is left, and everything runs.
    fn log_in_again(&mut self) -> Result<String> {
        self.log_in()?;
        let uptime = self.uptime_hundredths()?;
        let since_start = self.machine.started.elapsed();
        ensure!(
            Duration::from_millis(uptime * 10) < since_start / 2,
            "up for {uptime} hundredths of a second: not a new boot"
        );
        let answer = self.console.run("test -e /etc/sv/sample-new")?;
        ensure!(answer.code == 1, "a file of the last boot is there");
        self.show_status()
    }

    fn press_ctrl_alt_del(&mut self) -> Result<String> {
        if self.has_virtual_keyboard {
            self.console.ask("modprobe virtio_mmio && modprobe virtio_input")?;
        }
        self.machine.press_ctrl_alt_del()?;
        self.console.wait_for("- runit: ctrl-alt-del request...", SHUTDOWN_LIMIT)?;
        self.console.wait_for("- runit: enter stage: /etc/runit/ctrlaltdel", SHUTDOWN_LIMIT)?;
        self.console.wait_for("- runit: leave stage: /etc/runit/ctrlaltdel", SHUTDOWN_LIMIT)?;
        let stage_3 = self.watch_shutdown("- runit: system reboot.")?;
        self.machine.wait_guest_reset(SHUTDOWN_LIMIT)?;
        self.wait_prompt()?;
        Ok(format!("stage 3 took {:.2} s, and the machine is up again", stage_3.as_secs_f64()))
    }

    fn power_off(&mut self) -> Result<String> {
        self.console.type_line("poweroff")?;
        let stage_3 = self.watch_shutdown("- runit: power off...")?;
        self.console.wait_end(SHUTDOWN_LIMIT)?;
        let (reason, status) = self.machine.wait_shutdown(SHUTDOWN_LIMIT)?;
        ensure!(reason == "guest-shutdown", "QEMU ended by {reason}");
        ensure!(status.success(), "QEMU ended with {status}");
        Ok(format!("stage 3 took {:.2} s, QEMU ended by {reason}", stage_3.as_secs_f64()))
    }

    /// Follows the way down to the last line; returns the time of stage 3.
    fn watch_shutdown(&mut self, last: &str) -> Result<Duration> {
        self.console.wait_for("- runit: leave stage: /etc/runit/2", SHUTDOWN_LIMIT)?;
        let entered = self.console.wait_for("- runit: enter stage: /etc/runit/3", SHUTDOWN_LIMIT)?.at;
        let left = self.console.wait_for("- runit: leave stage: /etc/runit/3", SHUTDOWN_LIMIT)?.at;
        self.console.wait_for("- runit: sending KILL signal to all processes...", SHUTDOWN_LIMIT)?;
        self.console.wait_for(last, SHUTDOWN_LIMIT)?;
        Ok(left - entered)
    }

    fn status(&mut self, service: &str) -> Result<StatusLine> {
        let text = self.console.ask(&format!("sv status {service}"))?;
        StatusLine::parse(text.trim_end())
    }

    fn all_statuses(&mut self) -> Result<Vec<StatusLine>> {
        // A runsv that is just starting makes sv fail: that is for the caller to see in the lines.
        let answer = self.console.run("sv status /etc/service/*")?;
        answer.text.lines().map(StatusLine::parse).collect()
    }

    /// Runs a command of sv that waits, and returns the status after its `ok: `.
    fn expect_ok(&mut self, command: &str) -> Result<StatusLine> {
        let text = self.console.ask(command)?;
        let line = text.trim_end().strip_prefix("ok: ").with_context(|| format!("{command}: {text:?}"))?;
        StatusLine::parse(line).with_context(|| command.to_owned())
    }

    fn wait_pid_other_than(&mut self, old: u32, service: &str) -> Result<u32> {
        for _ in 0..LOOKS {
            match self.status(service)?.running_pid() {
                Ok(pid) if pid != old => return Ok(pid),
                _ => self.console.ask(&format!("usleep {LOOK_MICROSECONDS}")).map(drop)?,
            }
        }
        anyhow::bail!("{service} has no new pid: {:?}", self.status(service)?)
    }

    /// Lets the guest's shell look again and again until `condition` holds.
    fn look_until(&mut self, condition: &str) -> Result<()> {
        let looking = format!(
            "n=0; until {condition} || [ $n -ge {LOOKS} ]; do usleep {LOOK_MICROSECONDS}; n=$((n+1)); done 2>/dev/null; {condition}"
        );
        self.console.ask(&looking).map(drop).with_context(|| format!("never came true: {condition}"))
    }

    fn uptime_hundredths(&mut self) -> Result<u64> {
        let text = self.console.ask("cut -d' ' -f1 /proc/uptime")?;
        parse_hundredths(text.trim())
    }

    /// pid 1, the runsvdir of stage 2 and an idle runsv.
    fn supervisors(&mut self) -> Result<BTreeMap<String, u32>> {
        let text = self.console.ask("ps -o pid,args")?;
        let pid_of = |command: &str| -> Result<u32> {
            let line = text.lines().find(|line| {
                line.split_once(' ').is_some_and(|_| {
                    line.trim_start().split_once(' ').is_some_and(|(_, args)| args.trim_start().starts_with(command))
                })
            });
            let line = line.with_context(|| format!("no process {command:?} in\n{text}"))?;
            line.split_whitespace().next().and_then(|pid| pid.parse().ok()).with_context(|| format!("no pid: {line:?}"))
        };
        Ok(BTreeMap::from([
            ("pid 1".to_owned(), 1),
            ("runsvdir".to_owned(), pid_of("runsvdir -P /run/runit/runsvdir/current")?),
            ("runsv".to_owned(), pid_of("runsv sample-up")?),
        ]))
    }

    /// How often each process was given the processor, of its own will or not.
    fn switches(&mut self, processes: &BTreeMap<String, u32>) -> Result<BTreeMap<String, Vec<u64>>> {
        let mut switches = BTreeMap::new();
        for (who, pid) in processes {
            let text = self.console.ask(&format!("grep ctxt_switches /proc/{pid}/status"))?;
            let counts: Vec<u64> =
                text.lines().filter_map(|line| line.split_whitespace().nth(1)?.parse().ok()).collect();
            ensure!(counts.len() == 2 && counts[0] > 0, "{who}: {text:?}");
            switches.insert(who.clone(), counts);
        }
        Ok(switches)
    }
}

/// `12.34` seconds as hundredths.
fn parse_hundredths(text: &str) -> Result<u64> {
    let (whole, part) = text.split_once('.').with_context(|| format!("not a time: {text:?}"))?;
    ensure!(part.len() == 2, "not in hundredths: {text:?}");
    Ok(whole.parse::<u64>()? * 100 + part.parse::<u64>()?)
}

/// The part of `2026-01-02 03:04:05.678901234 +0000` that tells two stamps of one minute apart: minutes to milliseconds.
fn milliseconds_of_hour(stamp: &str) -> Result<u64> {
    let time = stamp.split_whitespace().nth(1).with_context(|| format!("not a stamp: {stamp:?}"))?;
    let mut parts = time.splitn(3, ':').skip(1);
    let minutes: u64 = parts.next().context("no minutes")?.parse()?;
    let (seconds, nanoseconds) =
        parts.next().and_then(|part| part.split_once('.')).with_context(|| format!("no seconds: {stamp:?}"))?;
    Ok((minutes * 60 + seconds.parse::<u64>()?) * 1000 + nanoseconds.parse::<u64>()? / 1_000_000)
}

/// Lines `line N`: in each run of the service N starts at 1 and grows by one. Returns the last N.
fn check_numbering(text: &str) -> Result<u32> {
    let mut last = 0;
    for line in text.lines() {
        let number: u32 = line
            .strip_prefix("line ")
            .and_then(|number| number.parse().ok())
            .with_context(|| format!("torn line {line:?} after line {last}"))?;
        ensure!(number == last + 1 || number == 1, "line {number} follows line {last}");
        last = number;
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uptime_is_counted_in_hundredths() {
        assert_eq!(parse_hundredths("12.05").expect("a time"), 1205);
        assert!(parse_hundredths("12").is_err());
        assert!(parse_hundredths("12.5").is_err());
    }

    #[test]
    fn stamps_of_files_are_compared_in_milliseconds() {
        assert_eq!(milliseconds_of_hour("2026-01-02 03:01:05.678901234 +0000").expect("a stamp"), 65_678);
        assert!(milliseconds_of_hour("2026-01-02").is_err());
    }

    #[test]
    fn numbering_may_start_again_but_not_skip() {
        assert_eq!(check_numbering("line 1\nline 2\nline 1\nline 2\nline 3\n").expect("no gap"), 3);
        assert!(check_numbering("line 1\nline 3\n").is_err());
        assert!(check_numbering("line 1\nli").is_err());
    }
}
