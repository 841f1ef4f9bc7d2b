//! The smoke boot: what is done on the console, in order, and what must be seen.
//!
//! One machine serves for nearly all: it boots, is looked at, reboots by `shutdown -r now`, is looked at again, and reboots by ctrl-alt-del, which
//! ends it. A second one, which is quicker than one that was reset twice, powers off. A check returns the figures it found, or what was
//! seen instead. After a failed check the shell is brought back and the rest goes on; where that does not work, what is left counts as
//! failed.

use crate::console::Console;
use crate::guest::{self, Guest};
use crate::machine::{Boot, Machine};
use crate::stages;
use crate::times::Times;
use anyhow::{Context, Result, bail, ensure};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// From power-on to the login prompt: 4 s on x86_64, 8 s on armv7, four times that on a busy host.
const BOOT_LIMIT: Duration = Duration::from_secs(180);
/// From the user's name to the shell: 0.1 s.
const LOGIN_LIMIT: Duration = Duration::from_secs(30);
/// From a request to the end of the machine: 2 s.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(90);
/// Two starts of a service that dies at once must lie this far apart; the kernel counts them in whole hundredths of a second.
const CRASH_GAP_HUNDREDTHS: u64 = 99;
const CRASH_STARTS: usize = 4;
const IDLE_SECONDS: u64 = 10;
/// A link that only the next regular scan finds takes seconds. Starting programs under emulation is most of what is measured.
const PICKUP_LIMIT_MILLISECONDS: u64 = 500;
/// What stage 1 and all that it starts may have of the processor, under emulation on x86_64.
const STAGE_1_SECONDS: f64 = 0.5;
/// How many of its parts are shown, the slowest ones.
const PARTS_SHOWN: usize = 4;
/// What the stubborn service's own file says, in the units of /proc/uptime, which cuts off what is less.
const TIMEOUT_KILL_HUNDREDTHS: u64 = 49;
/// Where the guest keeps what is said without a log service, by supervisors too.
const CATCH_ALL: &str = "/var/log/catch-all/current";
/// How many new services are tried at most until one is fast enough: the host may be busy with something else.
const PICKUP_TRIES: u32 = 3;

type Check<'a> = fn(&mut Smoke<'a>) -> Result<String>;

fn checks<'a>() -> [(&'static str, Check<'a>); 25] {
    [
        ("boot", Smoke::boot),
        ("login", Smoke::log_in_first),
        ("status", Smoke::show_status),
        ("memory", Smoke::measure_memory),
        ("kill", Smoke::kill_service),
        ("down", Smoke::take_down),
        ("up", Smoke::bring_up),
        ("restart", Smoke::restart),
        ("crash", Smoke::hold_crashing_service),
        ("log", Smoke::kill_logger),
        ("catch-all", Smoke::keep_what_has_no_log),
        ("new-service", Smoke::add_service),
        ("removed-service", Smoke::remove_service),
        ("timeout-kill", Smoke::stop_stubborn_service),
        ("one-shot", Smoke::run_once),
        ("chpst", Smoke::change_processes),
        ("shutdown-cancelled", Smoke::cancel_shutdown),
        ("bad-input", Smoke::give_bad_input),
        ("idle", Smoke::stay_idle),
        ("reboot", Smoke::reboot),
        ("login-after-reboot", Smoke::log_in_again),
        ("stage-1", Smoke::judge_stage_1),
        ("ctrl-alt-del", Smoke::press_ctrl_alt_del),
        ("second-machine", Smoke::start_again),
        ("poweroff", Smoke::power_off),
    ]
}

/// Boots the machine, runs all checks, prints a line for each. True if all passed.
///
/// # Errors
/// QEMU cannot be started at all.
pub fn run(boot: &Boot, artefacts: &Path) -> Result<bool> {
    let board = boot.board.name;
    let journal = artefacts.join(format!("{board}-console.log"));
    let stderr_file = artefacts.join(format!("{board}-qemu.stderr"));
    let began = Instant::now();
    let (machine, stream) = Machine::start(boot, &stderr_file)?;
    let guest = Guest { console: Console::open(stream, machine.started, &journal)? };
    let mut smoke =
        Smoke { boot, stderr_file, guest, machine, figures: Vec::new(), prompt_at: None, stage_1: Vec::new() };
    let checks = checks();
    let mut passed = 0;
    let mut is_lost = false;
    for (name, check) in checks {
        if is_lost {
            println!("not ok {name}: not tried, the console is lost");
            continue;
        }
        match check(&mut smoke) {
            Ok(seen) => {
                println!("ok {name}: {seen}");
                passed += 1;
            }
            Err(error) => {
                println!("not ok {name}: {error:#}");
                is_lost = smoke.guest.console.recover_shell().is_err();
            }
        }
    }
    for figure in &smoke.figures {
        println!("# {board}: {figure}");
    }
    let failed = checks.len() - passed;
    let seconds = began.elapsed().as_secs_f64();
    println!("# {board}: {passed} checks passed, {failed} failed, in {seconds:.1} s; console: {}", journal.display());
    Ok(failed == 0)
}

struct Smoke<'a> {
    boot: &'a Boot<'a>,
    stderr_file: PathBuf,
    guest: Guest,
    machine: Machine,
    /// What is worth comparing from boot to boot, for the end.
    figures: Vec<String>,
    /// When the login prompt came that is still open.
    prompt_at: Option<Instant>,
    /// What stage 1 took in each boot.
    stage_1: Vec<Times>,
}

impl Smoke<'_> {
    /// Keeps a figure for the end and shows it now.
    fn keep(&mut self, figure: String) -> String {
        self.figures.push(figure.clone());
        figure
    }

    fn boot(&mut self) -> Result<String> {
        let after = self.wait_prompt()? - self.machine.started;
        Ok(self.keep(format!("login prompt {:.2} s after power-on", after.as_secs_f64())))
    }

    fn wait_prompt(&mut self) -> Result<Instant> {
        let at = stages::watch_boot(&mut self.guest.console, BOOT_LIMIT)?;
        self.prompt_at = Some(at);
        Ok(at)
    }

    fn log_in_first(&mut self) -> Result<String> {
        let after_start = self.log_in()?;
        Ok(self.keep(format!("login prompt {after_start:.2} s after the kernel's start")))
    }

    /// The better of both boots counts: where the host is busy, the guest takes its waiting for work.
    fn judge_stage_1(&mut self) -> Result<String> {
        let best = self.stage_1.iter().min_by(|one, other| one.processor.total_cmp(&other.processor));
        let best = best.context("no times")?;
        let seen = best.show(PARTS_SHOWN);
        ensure!(self.boot.board.name != "x86_64" || best.processor < STAGE_1_SECONDS, "too long: {seen}");
        Ok(self.keep(seen))
    }

    /// Returns at how many seconds of the kernel's own clock the prompt came.
    fn log_in(&mut self) -> Result<f64> {
        let prompt_at = self.prompt_at.take().context("no login prompt came")?;
        self.guest.console.type_line("root")?;
        self.guest.console.wait_for("# ", LOGIN_LIMIT).context("no shell after the login")?;
        self.guest.console.settle_shell()?;
        self.stage_1.push(self.guest.boot_times()?);
        let who = self.guest.console.ask("id -u; tty")?;
        ensure!(who.starts_with("0\n/dev/tty"), "not root on a terminal: {who:?}");
        self.guest.kernel_seconds_at(prompt_at)
    }

    /// Every service in /etc/service has a process, which exists; only the crashing one may be between two.
    fn show_status(&mut self) -> Result<String> {
        let names = self.guest.console.ask("ls -1d /etc/service/*")?;
        let statuses = self.guest.all_statuses(|status| status.name == "/etc/service/sample-crash")?;
        let listed: Vec<&str> = statuses.iter().map(|status| status.name.as_str()).collect();
        ensure!(listed == names.lines().collect::<Vec<_>>(), "services {names:?}, but status of {listed:?}");
        for needed in ["/etc/service/getties", "/etc/service/sample-crash", "/etc/service/sample-up"] {
            ensure!(listed.contains(&needed), "{needed} is not among {listed:?}");
        }
        let mut processes = Vec::new();
        for status in &statuses {
            match status.name.as_str() {
                "/etc/service/sample-crash" => {
                    let is_wanted = status.pid.is_some() || status.flags.iter().any(|flag| flag == "want up");
                    ensure!(is_wanted, "sample-crash is not wanted up: {status:?}");
                }
                name => {
                    ensure!(name != "/etc/service/sample-up" || status.log.is_some(), "sample-up shows no log service");
                    processes.push((name, status.running_pid()?));
                    if let Some(log) = &status.log {
                        processes.push((name, log.running_pid()?));
                    }
                }
            }
        }
        for (name, pid) in &processes {
            ensure!(self.guest.has_process(*pid)?, "{name}: there is no process {pid}");
        }
        Ok(format!("{} services, {} processes", statuses.len(), processes.len()))
    }

    fn measure_memory(&mut self) -> Result<String> {
        let mut shown = Vec::new();
        for (who, pid) in self.guest.supervisors("sample-up")? {
            let memory = self.guest.memory(pid).context(who.clone())?;
            ensure!(memory.resident > 0, "{who} has no memory");
            shown.push(format!("{who} {}/{}", memory.resident, memory.private_dirty));
        }
        Ok(self.keep(format!("KiB resident/private dirty: {}", shown.join(", "))))
    }

    fn kill_service(&mut self) -> Result<String> {
        let old = self.guest.status("sample-up")?.running_pid()?;
        self.guest.console.ask(&format!("kill -9 {old}"))?;
        let new = self.guest.wait_pid_other_than(old, "sample-up")?;
        Ok(format!("pid {old} became {new}"))
    }

    /// The one-letter commands say nothing; with -v they tell what became of the service.
    fn take_down(&mut self) -> Result<String> {
        let pid = self.guest.status("sample-up")?.running_pid()?;
        let said = self.guest.console.ask("sv down sample-up")?;
        ensure!(said.is_empty(), "sv down said {said:?}");
        let status = self.guest.expect_ok("sv -v down sample-up")?;
        ensure!(
            status.state == "down" && status.pid.is_none() && status.flags == ["normally up"],
            "sv -v down: {status:?}"
        );
        ensure!(!self.guest.has_process(pid)?, "process {pid} is still there");
        let status = self.guest.status("sample-up")?;
        ensure!(status.state == "down", "sv status: {status:?}");
        Ok(format!("process {pid} gone"))
    }

    fn bring_up(&mut self) -> Result<String> {
        let said = self.guest.console.ask("sv up sample-up")?;
        ensure!(said.is_empty(), "sv up said {said:?}");
        let status = self.guest.expect_ok("sv -v up sample-up")?;
        let pid = status.running_pid()?;
        ensure!(status.flags.is_empty(), "sv -v up: {status:?}");
        ensure!(self.guest.status("sample-up")?.running_pid()? == pid, "sv status shows another pid than {pid}");
        Ok(format!("pid {pid}"))
    }

    fn restart(&mut self) -> Result<String> {
        let old = self.guest.status("sample-up")?.running_pid()?;
        let status = self.guest.expect_ok("sv restart sample-up")?;
        let new = status.running_pid()?;
        ensure!(new != old, "still pid {old}");
        ensure!(!self.guest.has_process(old)?, "the old process {old} is still there");
        ensure!(status.seconds <= 1, "already {} s old", status.seconds);
        Ok(format!("pid {old} became {new}"))
    }

    /// Its starts, as the kernel has recorded them by the clock that does not jump.
    fn hold_crashing_service(&mut self) -> Result<String> {
        let path = "/run/sample-crash.starts";
        self.guest.look_until(&format!("[ $(wc -l <{path}) -ge {CRASH_STARTS} ]"))?;
        let text = self.guest.console.ask(&format!("cat {path}"))?;
        let starts: Vec<u64> = text.lines().map(str::parse).collect::<Result<_, _>>().context(text.clone())?;
        let gaps: Vec<u64> = starts.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
        let least = *gaps.iter().min().context("no two starts")?;
        ensure!(least >= CRASH_GAP_HUNDREDTHS, "hundredths of a second between starts: {gaps:?}");
        Ok(format!("{} starts, at least {least} hundredths of a second apart", starts.len()))
    }

    /// The logger is killed while the service writes: nothing in the pipe may be lost, and the service must not notice.
    fn kill_logger(&mut self) -> Result<String> {
        // What was not closed properly is put aside, so the lines are in several files, in the order of their names.
        let lines = "cat /run/log/sample-up/@* /run/log/sample-up/current 2>/dev/null | cut -d' ' -f2-";
        let last_number = format!("$({lines} | tail -n 1 | cut -d' ' -f2)");
        let before = self.guest.status("sample-up")?;
        let service = before.running_pid()?;
        let old = before.log.context("no log service")?.running_pid()?;
        self.guest.look_until(&format!("[ {last_number} -ge 2 ]"))?;
        let last = self.guest.console.ask(&format!("echo {last_number}"))?;
        let last: u32 = last.trim().parse().with_context(|| format!("not a number: {last:?}"))?;
        self.guest.console.ask(&format!("kill -9 {old}"))?;
        self.guest.look_until(&format!("[ {last_number} -ge {} ]", last + 3))?;
        let after = self.guest.status("sample-up")?;
        ensure!(after.running_pid()? == service, "the service was restarted too: {service}, then {after:?}");
        let new = after.log.context("no log service")?.running_pid()?;
        ensure!(new != old, "the logger still has pid {old}");
        self.guest.console.ask("sv alarm sample-up/log")?;
        self.guest.look_until("ls /run/log/sample-up/@*.s >/dev/null 2>&1")?;
        let count = guest::check_numbering(&self.guest.console.ask(lines)?)?;
        ensure!(count >= last + 3, "{count} lines of this run, but line {} was there", last + 3);
        Ok(format!("logger {old} became {new}, rotated by alarm, lines 1 to {count} without a gap"))
    }

    /// What a service without a log service says is in the catch-all's log, and not on the console, where the answer would have it.
    fn keep_what_has_no_log(&mut self) -> Result<String> {
        let name = "sample-talk";
        let run = r"#!/bin/sh\necho to output\necho to error >&2\nexec sleep 1000\n";
        self.guest.console.ask(&format!(
            "mkdir /etc/sv/{name} && printf '{run}' >/etc/sv/{name}/run && chmod 755 /etc/sv/{name}/run"
        ))?;
        let is_told = format!("grep -q 'to error' {CATCH_ALL}");
        let count = self.guest.console.ask(&format!(
            "ln -s /etc/sv/{name} /etc/service/{name}; n=0; until {is_told} || [ $n -ge 200 ]; do usleep 50000; n=$((n+1)); done; \
             grep -c -e 'to output' -e 'to error' {CATCH_ALL}; rm /etc/service/{name}"
        ))?;
        ensure!(count == "2\n", "lines in {CATCH_ALL}, or what was on the console: {count:?}");
        Ok("both of its descriptors lead to the log".to_owned())
    }

    fn add_service(&mut self) -> Result<String> {
        let mut seen = (0, 0);
        for number in 1..=PICKUP_TRIES {
            seen = self.add_numbered_service(number)?;
            if seen.0 <= PICKUP_LIMIT_MILLISECONDS {
                let (taken, run) = seen;
                return Ok(self.keep(format!("a new link has its runsv after {taken} ms, its service after {run} ms")));
            }
        }
        bail!("{PICKUP_TRIES} new links, and the last had its runsv only after {} ms", seen.0)
    }

    /// The time in milliseconds from the link to the lock that its runsv takes, and to the first act of the service, as the
    /// guest's file stamps tell it.
    fn add_numbered_service(&mut self, number: u32) -> Result<(u64, u64)> {
        let name = format!("sample-new-{number}");
        let run = format!(r"#!/bin/sh\n: >/run/{name}\nexec sleep 1000\n");
        self.guest.console.ask(&format!(
            "mkdir /etc/sv/{name} && printf '{run}' >/etc/sv/{name}/run && chmod 755 /etc/sv/{name}/run"
        ))?;
        self.guest.console.ask(&format!("ln -s /etc/sv/{name} /etc/service/{name}"))?;
        self.guest.look_until(&format!("[ -e /run/{name} ]"))?;
        let files = format!("/etc/service/{name} /etc/sv/{name}/supervise/lock /run/{name}");
        let text = self.guest.console.ask(&format!("stat -c %y {files}"))?;
        let stamps: Vec<u64> = text.lines().map(guest::parse_stamp).collect::<Result<_>>()?;
        let [linked, taken, run] = stamps[..] else { bail!("not three stamps: {text:?}") };
        ensure!(self.guest.status(&name)?.running_pid()? > 1, "{name} does not run");
        Ok((taken.saturating_sub(linked), run.saturating_sub(linked)))
    }

    fn remove_service(&mut self) -> Result<String> {
        let pid = self.guest.status("sample-new-1")?.running_pid()?;
        self.guest.console.ask("rm /etc/service/sample-new-1")?;
        self.guest.look_until(&format!("[ ! -d /proc/{pid} ]"))?;
        self.guest.look_until("sv status /etc/sv/sample-new-1 | grep -q 'runsv not running'")?;
        let answer = self.guest.console.run("sv status /etc/sv/sample-new-1")?;
        ensure!(answer.text == "fail: /etc/sv/sample-new-1: runsv not running\n" && answer.code == 1, "{answer:?}");
        Ok(format!("process {pid} gone with its link"))
    }

    /// It ignores TERM: its supervisor kills it, not before its time, and tells why. It is up again for the next shutdown.
    fn stop_stubborn_service(&mut self) -> Result<String> {
        let name = "sample-stubborn";
        let is_stubborn = format!("[ -e /run/{name} ]");
        self.guest.console.ask(&format!("ln -s /etc/sv/{name} /etc/service/{name}"))?;
        self.guest.look_until(&is_stubborn)?;
        let pid = self.guest.status(name)?.running_pid()?;
        let before = self.guest.uptime_hundredths()?;
        let status = self.guest.expect_ok(&format!("sv -w 30 stop {name}"))?;
        let passed = self.guest.uptime_hundredths()? - before;
        ensure!(status.state == "down" && !self.guest.has_process(pid)?, "sv stop: {status:?}");
        ensure!(passed >= TIMEOUT_KILL_HUNDREDTHS, "down after {passed} hundredths of a second already");
        let shown = self.guest.console.ask(&format!("sv show {name}"))?;
        for fact in ["state=down", "wanted=down", "last-end=signal 9", "failure=killed after timeout-kill"] {
            ensure!(shown.lines().any(|line| line == fact), "no {fact:?} in {shown:?}");
        }
        self.guest.console.ask(&format!("rm /run/{name} && sv up {name}"))?;
        self.guest.look_until(&is_stubborn)?;
        Ok(format!("killed after {passed} hundredths of a second"))
    }

    /// It is up without a process of its own, and a supervisor that was killed does not run it again.
    fn run_once(&mut self) -> Result<String> {
        let name = "sample-once";
        let supervisor = self.guest.status(name)?.running_pid()?;
        self.guest.console.ask("sv check sample-once")?;
        ensure!(self.guest.console.ask("cat /run/sample-once")? == "done\n", "it did not run once");
        self.guest.console.ask(&format!("kill -9 {supervisor}"))?;
        self.guest.look_until(&format!("grep -q 'taking over ./run: done' {CATCH_ALL}"))?;
        self.guest.look_until(&format!("sv status {name} | grep -v 'pid {supervisor})' | grep -q ^run:"))?;
        let next = self.guest.status(name)?.running_pid()?;
        self.guest.expect_ok("sv check sample-once")?;
        ensure!(self.guest.console.ask("cat /run/sample-once")? == "done\n", "it ran again");
        let status = self.guest.expect_ok("sv stop sample-once")?;
        ensure!(status.state == "down", "sv stop: {status:?}");
        self.guest.console.ask("test ! -e /run/sample-once").context("finish did not run")?;
        self.guest.expect_ok("sv start sample-once")?;
        Ok(format!("up once, also when supervisor {supervisor} became {next}"))
    }

    /// What programs are started with, on this kernel.
    fn change_processes(&mut self) -> Result<String> {
        let cases = [
            ("chpst -u nobody id -u", "65534\n"),
            ("chpst -u :1:2:3 id -G", "2 3\n"),
            (
                "mkdir -p /run/variables && printf '4711 \\n' >/run/variables/X && chpst -e /run/variables sh -c 'echo $X'",
                "4711\n",
            ),
            ("chpst -o 77 sh -c 'ulimit -n'", "77\n"),
            ("chpst -f 3000000000 grep -c '^Max file size  *3000000000 ' /proc/self/limits", "1\n"),
            ("chpst -n 3 cut -d' ' -f19 /proc/self/stat", "3\n"),
            (
                "setlock /run/lock-of-smoke chpst -L /run/lock-of-smoke true 2>&1 || echo $?",
                "chpst: fatal: unable to lock: /run/lock-of-smoke: temporary failure\n111\n",
            ),
            ("chpst -u nosuch true 2>&1 || echo $?", "chpst: fatal: unknown user/group: nosuch\n111\n"),
            ("runlevel", "N multi\n"),
        ];
        for (command, expected) in cases {
            let seen = self.guest.console.ask(command)?;
            ensure!(seen == expected, "{command}: {seen:?}, not {expected:?}");
        }
        self.guest.console.ask("rm -r /run/variables /run/lock-of-smoke")?;
        Ok(format!("{} cases", cases.len()))
    }

    /// A shutdown in a minute is told on the console, keeps people from logging in, and is taken back.
    fn cancel_shutdown(&mut self) -> Result<String> {
        self.guest.console.type_line("shutdown -r +1 the cat is on the keys")?;
        self.guest.console.wait_for("the cat is on the keys", SHUTDOWN_LIMIT).context("nobody was told")?;
        self.guest.look_until("test -e /etc/nologin")?;
        self.guest.console.type_line("shutdown -c")?;
        self.guest.console.wait_for("cancelled", SHUTDOWN_LIMIT).context("nobody was told of the cancel")?;
        self.guest.look_until("test ! -e /etc/nologin")?;
        let answer = self.guest.console.run("shutdown -c")?;
        ensure!(answer.code == 1, "a shutdown that was cancelled is still there: {answer:?}");
        Ok("told, and taken back".to_owned())
    }

    /// Each gets its message and its exit code, and nothing else changes.
    fn give_bad_input(&mut self) -> Result<String> {
        let before = self.guest.status("sample-up")?.running_pid()?;
        let cases = [
            ("/sbin/init 9", "usage: /sbin/init 0|6\n\n", 0),
            ("sv status nosuch", "fail: nosuch: unable to change to service directory: file does not exist\n", 1),
            ("sv up nosuch", "fail: nosuch: unable to change to service directory: file does not exist\n", 1),
            ("sv frobnicate sample-up", "usage: sv [-v] [-w sec] command service ...\n\n", 100),
            ("sv", "usage: sv [-v] [-w sec] command service ...\n\n", 100),
            ("runsv", "usage: runsv dir\n\n", 1),
            ("runsv /nosuch", "runsv /nosuch: fatal: unable to change to directory: file does not exist\n", 111),
        ];
        for (command, text, code) in cases {
            let answer = self.guest.console.run(&format!("{command} 2>&1"))?;
            ensure!(
                answer.text == text && answer.code == code,
                "{command}: exit code {} and {:?}, not {code} and {text:?}",
                answer.code,
                answer.text
            );
        }
        ensure!(self.guest.status("sample-up")?.running_pid()? == before, "sample-up was disturbed");
        Ok(format!("{} cases", cases.len()))
    }

    /// With the crashing service down nothing may run pid 1, runsvdir or a runsv for ten seconds of the guest's time.
    fn stay_idle(&mut self) -> Result<String> {
        self.guest.expect_ok("sv -v down sample-crash")?;
        let supervisors = self.guest.supervisors("sample-up")?;
        let before = self.guest.switches(&supervisors)?;
        let uptime_before = self.guest.uptime_hundredths()?;
        self.guest.console.ask(&format!("sleep {IDLE_SECONDS}"))?;
        let after = self.guest.switches(&supervisors)?;
        let passed = self.guest.uptime_hundredths()? - uptime_before;
        ensure!(passed >= IDLE_SECONDS * 100, "only {passed} hundredths of a second passed");
        ensure!(before == after, "switches before {before:?}, {} s later {after:?}", passed / 100);
        // The counters do count: a command to the service wakes its runsv.
        self.guest.console.ask("sv cont sample-up")?;
        let woken = self.guest.switches(&supervisors)?;
        ensure!(woken["runsv"] != after["runsv"], "not even a command changed the counter: {woken:?}");
        self.guest.console.ask("sv up sample-crash")?;
        let names: Vec<&str> = before.keys().map(String::as_str).collect();
        Ok(self.keep(format!("0 wake-ups in {:.1} s: {}", passed as f64 / 100.0, names.join(", "))))
    }

    fn reboot(&mut self) -> Result<String> {
        self.machine.qmp.forget_events()?;
        self.guest.console.type_line("shutdown -r now")?;
        let stage_3 = self.watch_shutdown("- runit: system reboot.")?;
        self.machine.wait_guest_reset(SHUTDOWN_LIMIT)?;
        let reset_at = Instant::now();
        let after = self.wait_prompt()?.saturating_duration_since(reset_at);
        Ok(format!(
            "stage 3 took {:.2} s, login prompt {:.2} s after the reset",
            stage_3.as_secs_f64(),
            after.as_secs_f64()
        ))
    }

    /// The machine is a new one: nothing of the last boot is left, and everything runs.
    fn log_in_again(&mut self) -> Result<String> {
        self.log_in()?;
        let uptime = Duration::from_millis(self.guest.uptime_hundredths()? * 10);
        let total = self.machine.started.elapsed();
        ensure!(uptime < total / 2, "up for {uptime:?} of {total:?}: not a new boot");
        let answer = self.guest.console.run("ls -d /etc/sv/sample-new-*")?;
        ensure!(answer.code != 0, "files of the last boot are there: {answer:?}");
        self.show_status()
    }

    /// QEMU is told to end at the reset that follows.
    fn press_ctrl_alt_del(&mut self) -> Result<String> {
        for module in self.boot.board.keyboard_modules {
            self.guest.console.ask(&format!("modprobe {module}"))?;
        }
        self.machine.end_at_reset()?;
        self.machine.press_ctrl_alt_del()?;
        for mark in [
            "- runit: ctrl-alt-del request...",
            "- runit: enter stage: /etc/runit/ctrlaltdel",
            "- runit: leave stage: /etc/runit/ctrlaltdel",
        ] {
            self.guest.console.wait_for(mark, SHUTDOWN_LIMIT)?;
        }
        let stage_3 = self.watch_shutdown("- runit: system reboot.")?;
        self.watch_end("guest-reset")?;
        Ok(format!("stage 3 took {:.2} s, then the machine was reset", stage_3.as_secs_f64()))
    }

    fn start_again(&mut self) -> Result<String> {
        let (machine, stream) = Machine::start(self.boot, &self.stderr_file)?;
        self.machine = machine;
        self.guest.console.connect(stream)?;
        let after = self.wait_prompt()? - self.machine.started;
        self.log_in()?;
        self.show_status()?;
        Ok(format!("login prompt {:.2} s after power-on", after.as_secs_f64()))
    }

    fn power_off(&mut self) -> Result<String> {
        let typed_at = Instant::now();
        self.guest.console.type_line("poweroff")?;
        let stage_3 = self.watch_shutdown("- runit: power off...")?;
        self.watch_end("guest-shutdown")?;
        let (stage_3, all) = (stage_3.as_secs_f64(), typed_at.elapsed().as_secs_f64());
        self.keep(format!("stage 3 took {stage_3:.2} s, poweroff {all:.2} s from the command to the end"));
        Ok(format!("stage 3 took {stage_3:.2} s, then the machine was off"))
    }

    fn watch_end(&mut self, expected: &str) -> Result<()> {
        stages::watch_end(&mut self.guest.console, &mut self.machine, expected, SHUTDOWN_LIMIT)
    }

    fn watch_shutdown(&mut self, last: &str) -> Result<Duration> {
        stages::watch_shutdown(&mut self.guest.console, last, SHUTDOWN_LIMIT)
    }
}
