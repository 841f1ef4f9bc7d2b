//! The boot of a whole distribution: Debian's programs as a Linux From Scratch system would have them, and our init.
//!
//! A machine boots from its disk, is looked at from its serial console, by ssh and by http, reboots, and powers off
//! while people are logged in and a job of cron is at work. Then its disk is looked at from outside.

use crate::console::Console;
use crate::disk_image::{MIB, check_unmounted, copy_sparsely, output_of};
use crate::guest::Guest;
use crate::machine::{Boot, Machine};
use crate::network::{self, FORWARDING_NETWORK, NETWORK_LIMIT, Ports};
use crate::stages;
use anyhow::{Context, Result, bail, ensure};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// From power-on to the login prompt: 11 s, and many times that on a busy host.
const BOOT_LIMIT: Duration = Duration::from_secs(300);
/// From the user's name to the shell: 0.6 s.
const LOGIN_LIMIT: Duration = Duration::from_secs(60);
/// From a request to the end of the machine: 1.2 s.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(120);
/// The image's own names for its parts, as `qemu/distribution/make-image.sh` gives them.
const ROOT_PARTITION: &str = "0e0a8a1c-7d53-4f0e-9c39-3f6d2f8c1a01";
const UUIDS: [(&str, &str); 3] = [
    ("0e0a8a1c-7d53-4f0e-9c39-3f6d2f8c1b01", "nvme0n1p1"),
    ("0e0a8a1c-7d53-4f0e-9c39-3f6d2f8c1b02", "nvme0n1p2"),
    ("0e0a8a1c-7d53-4f0e-9c39-3f6d2f8c1b03", "nvme0n1p3"),
];
/// Where / and /home begin, in MiB.
const FILE_SYSTEMS: [(&str, u64); 2] = [("/", 1), ("/home", 641)];
const SERVICES: [&str; 8] = ["chrony", "cron", "dbus", "eth0", "getties", "nginx", "rsyslog", "sshd"];
/// How long every service must keep its process, by the guest's clock.
const STEADY_SECONDS: u64 = 5;
/// What a kernel may say above the level of a notice, and why that is no fault of the system.
const EXPECTED_OF_KERNEL: [(&str, &str); 6] = [
    ("tsc: Unable to calibrate against PIT", "the emulator was not given the processor for a while"),
    ("APIC calibration not consistent", "likewise"),
    ("hpet: Lost", "likewise"),
    ("clocksource", "likewise"),
    ("hrtimer: interrupt took", "likewise"),
    ("perf: interrupt took too long", "likewise"),
];

type Check<'a> = fn(&mut Distribution<'a>) -> Result<String>;

fn checks<'a>() -> [(&'static str, Check<'a>); 21] {
    [
        ("boot", Distribution::boot),
        ("login", Distribution::log_in_first),
        ("stage-1", Distribution::show_times),
        ("records", Distribution::look_at_records),
        ("services", Distribution::look_at_services),
        ("devices", Distribution::look_at_devices),
        ("mounts", Distribution::look_at_mounts),
        ("settings", Distribution::look_at_settings),
        ("quiet", Distribution::refuse_warnings),
        ("dbus", Distribution::ask_dbus),
        ("syslog", Distribution::log_a_line),
        ("web", Distribution::fetch_page),
        ("restart", Distribution::restart_web_server),
        ("kill", Distribution::kill_daemons),
        ("ssh", Distribution::run_by_ssh),
        ("reboot", Distribution::reboot),
        ("login-after-reboot", Distribution::log_in_again),
        ("sessions", Distribution::open_sessions),
        ("poweroff", Distribution::power_off),
        ("sessions-ended", Distribution::see_sessions_end),
        ("clean", Distribution::check_disk),
    ]
}

/// Boots the machine, runs all checks, prints a line for each. True if all passed.
///
/// # Errors
/// QEMU cannot be started at all.
pub fn run<'a>(boot: &'a Boot<'a>, image: &Path, artefacts: &Path) -> Result<bool> {
    let board = boot.board.name;
    let began = Instant::now();
    let scratch = tempfile::Builder::new().prefix("pipit-distribution.").tempdir()?;
    let mut distribution = Distribution::start(boot, image, scratch.path(), artefacts)?;
    let checks = checks();
    let (mut passed, mut skipped, mut is_lost) = (0, 0, false);
    for (name, check) in checks {
        if is_lost {
            println!("not ok distribution-{name}: not tried, the console is lost");
            continue;
        }
        if distribution.key.is_none() && ["ssh", "sessions", "sessions-ended"].contains(&name) {
            println!("SKIPPED: distribution-{name}: no ssh or ssh-keygen on this host: apt-get install openssh-client");
            skipped += 1;
            continue;
        }
        match check(&mut distribution) {
            Ok(seen) => {
                println!("ok distribution-{name}: {seen}");
                passed += 1;
            }
            Err(error) => {
                println!("not ok distribution-{name}: {error:#}");
                is_lost = !distribution.is_off && distribution.guest.console.recover_shell().is_err();
            }
        }
    }
    for figure in &distribution.figures {
        println!("# {board}: distribution: {figure}");
    }
    let failed = checks.len() - passed - skipped;
    let seconds = began.elapsed().as_secs_f64();
    println!("# {board}: distribution: {passed} checks passed, {failed} failed, in {seconds:.1} s");
    Ok(failed == 0)
}

struct Distribution<'a> {
    boot: &'a Boot<'a>,
    stderr_file: PathBuf,
    guest: Guest,
    machine: Machine,
    /// A copy, which the machine writes to.
    disk: PathBuf,
    ports: Ports,
    /// Without one there is no ssh.
    key: Option<PathBuf>,
    /// Logins by ssh that are still open.
    sessions: Vec<Child>,
    is_off: bool,
    /// What is worth comparing from boot to boot, for the end.
    figures: Vec<String>,
    /// When the login prompt came that is still open.
    prompt_at: Option<Instant>,
}

impl<'a> Distribution<'a> {
    fn start(boot: &'a Boot<'a>, image: &Path, scratch: &Path, artefacts: &Path) -> Result<Self> {
        let disk = scratch.join("disk.img");
        copy_sparsely(&image.join("disk.img"), &disk)?;
        let name = format!("{}-distribution", boot.board.name);
        let stderr_file = artefacts.join(format!("{name}.stderr"));
        let (mut machine, stream) = start_machine(boot, &disk, &stderr_file)?;
        let console = Console::open(stream, machine.started, &artefacts.join(format!("{name}.log")))?;
        let ports = Ports::read(&mut machine)?;
        Ok(Self {
            boot,
            stderr_file,
            guest: Guest { console },
            machine,
            disk,
            ports,
            key: network::find_key(image, scratch)?,
            sessions: Vec::new(),
            is_off: false,
            figures: Vec::new(),
            prompt_at: None,
        })
    }

    /// Another machine with the same disk, as it was left.
    fn start_again(&mut self) -> Result<()> {
        let (machine, stream) = start_machine(self.boot, &self.disk, &self.stderr_file)?;
        self.machine = machine;
        self.guest.console.connect(stream)?;
        self.ports = Ports::read(&mut self.machine)?;
        Ok(())
    }

    /// Keeps a figure for the end and shows it now.
    fn keep(&mut self, figure: String) -> String {
        self.figures.push(figure.clone());
        figure
    }

    // ---- the first boot ----------------------------------------------------

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

    /// Returns at how many seconds of the kernel's own clock the prompt came.
    fn log_in(&mut self) -> Result<f64> {
        let prompt_at = self.prompt_at.take().context("no login prompt came")?;
        self.guest.console.type_line("root")?;
        self.guest.console.wait_for("# ", LOGIN_LIMIT).context("no shell after the login")?;
        // What edits the line answers each with an empty one, whatever the terminal's settings are.
        self.guest.console.type_line("set +o emacs")?;
        self.guest.console.wait_for("# ", LOGIN_LIMIT).context("the shell does not answer")?;
        self.guest.console.settle_shell()?;
        let who = self.guest.console.ask("id -u; tty; readlink /proc/$$/exe; readlink -f /bin/sh")?;
        ensure!(who == "0\n/dev/ttyS0\n/usr/bin/bash\n/usr/bin/bash\n", "not root's bash on the line: {who:?}");
        self.guest.kernel_seconds_at(prompt_at)
    }

    fn show_times(&mut self) -> Result<String> {
        let seen = self.guest.boot_times()?.show(usize::MAX);
        Ok(self.keep(seen))
    }

    /// As the programs of others read what we write: boots and logins.
    fn look_at_records(&mut self) -> Result<String> {
        let who = self.guest.console.ask("who; who -b")?;
        let last = self.guest.console.ask("last")?;
        ensure!(has_line(&who, &["root", "ttyS0"]), "who does not show the login: {who}");
        ensure!(has_line(&who, &["system", "boot"]), "who does not show the boot: {who}");
        ensure!(has_line(&last, &["root", "ttyS0", "still logged in"]), "last does not show the login: {last}");
        ensure!(has_line(&last, &["reboot", "system boot", "still running"]), "last does not show the boot: {last}");
        Ok("who and last show boot and login".to_owned())
    }

    /// Every service runs, and still has the same process a while later; so has its log service.
    fn look_at_services(&mut self) -> Result<String> {
        // A one-shot has two processes, one after the other.
        self.guest.expect_ok("sv -w 60 check eth0")?;
        let first = self.list_pids()?;
        self.guest.console.ask(&format!("sleep {STEADY_SECONDS}"))?;
        let second = self.list_pids()?;
        ensure!(first == second, "not the same processes after {STEADY_SECONDS} s: {first:?}, then {second:?}");
        let names: Vec<&str> = first.iter().map(|(name, ..)| name.as_str()).collect();
        Ok(format!("{}: steady for {STEADY_SECONDS} s", names.join(" ")))
    }

    /// The processes of every service and of its log service. Those of ours are among them.
    fn list_pids(&mut self) -> Result<Vec<(String, u32, Option<u32>)>> {
        let mut pids = Vec::new();
        for status in self.guest.all_statuses(|_| false)? {
            let name = status.name.trim_start_matches("/etc/service/").to_owned();
            let log = status.log.as_ref().map(|log| log.running_pid()).transpose()?;
            pids.push((name, status.running_pid()?, log));
        }
        for service in SERVICES {
            ensure!(pids.iter().any(|(name, ..)| name == service), "{service} is not among the services: {pids:?}");
        }
        Ok(pids)
    }

    /// What udev has loaded, linked and given to a group.
    fn look_at_devices(&mut self) -> Result<String> {
        let modules = self.guest.console.ask("lsmod")?;
        for module in ["virtio_pci", "virtio_net", "virtio_rng"] {
            ensure!(has_line(&modules, &[module]), "{module} is not loaded: {modules}");
        }
        for (uuid, partition) in UUIDS {
            let device = self.guest.console.ask(&format!("readlink -f /dev/disk/by-uuid/{uuid}"))?;
            ensure!(device == format!("/dev/{partition}\n"), "{uuid} leads to {device:?}");
        }
        let group = self.guest.console.ask("stat -c '%G %a' /dev/nvme0n1 /dev/null /dev/ttyS0")?;
        ensure!(group == "disk 660\nroot 666\ntty 600\n", "owners and modes of devices: {group:?}");
        let address = self.guest.console.ask("ip -brief address show dev eth0")?;
        ensure!(has_line(&address, &["eth0", "UP", "10.0.2.15/24"]), "eth0: {address}");
        Ok("modules loaded, links by UUID, groups and modes, eth0 up".to_owned())
    }

    fn look_at_mounts(&mut self) -> Result<String> {
        let text = self.guest.console.ask("findmnt --raw --noheadings --output TARGET,SOURCE,FSTYPE,OPTIONS")?;
        let [root, home, swap] = UUIDS.map(|(_, partition)| format!("/dev/{partition}"));
        for start in [
            format!("/ {root} ext4 rw,"),
            format!("/home {home} ext4 rw,"),
            "/tmp tmpfs tmpfs rw,".to_owned(),
            "/proc proc proc ".to_owned(),
            "/dev devtmpfs devtmpfs ".to_owned(),
            "/dev/pts devpts devpts ".to_owned(),
            "/run tmpfs tmpfs rw,".to_owned(),
        ] {
            let count = text.lines().filter(|line| line.starts_with(&start)).count();
            ensure!(count == 1, "{count} mounts {start:?} in\n{text}");
        }
        // No mount point stands there twice, and nothing of fstab is missing.
        let mut points: Vec<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
        points.sort_unstable();
        let all = points.len();
        points.dedup();
        ensure!(points.len() == all, "mounted twice:\n{text}");
        let swaps = self.guest.console.ask("swapon --show=NAME --noheadings")?;
        ensure!(swaps == format!("{swap}\n"), "swap: {swaps:?}");
        Ok(format!("{all} mounts, each once; /home checked and mounted; swap on {swap}"))
    }

    /// What stage 1 was told by `/etc/runit.conf` and the files of others that it reads.
    fn look_at_settings(&mut self) -> Result<String> {
        let cases = [
            ("lsmod | grep -c -e '^loop ' -e '^dummy '", "2\n"),
            ("readlink /etc/localtime; date +%Z", "/usr/share/zoneinfo/Asia/Tokyo\nJST\n"),
            ("sysctl -n net.ipv4.ip_forward", "1\n"),
            ("stat -c '%U %a' /run/created /tmp/.ICE-unix", "lfs 750\nroot 1777\n"),
            ("stat -c '%U %a %s' /var/lib/seedrng/seed.*", "root 400 32\n"),
        ];
        for (command, expected) in cases {
            let seen = self.guest.console.ask(command)?;
            ensure!(seen == expected, "{command}: {seen:?}, not {expected:?}");
        }
        Ok("modules, time zone, kernel parameters, files, random seed".to_owned())
    }

    /// Neither the kernel nor a stage nor a daemon complained.
    fn refuse_warnings(&mut self) -> Result<String> {
        let kernel = self.guest.console.ask("dmesg --level=emerg,alert,crit,err,warn")?;
        let is_expected = |line: &&str| EXPECTED_OF_KERNEL.iter().any(|(text, _)| line.contains(text));
        let unexpected: Vec<&str> = kernel.lines().filter(|line| !is_expected(line)).collect();
        ensure!(unexpected.is_empty(), "the kernel complains: {unexpected:#?}");
        let boot = self.guest.console.ask("cat /run/runit/boot.log")?;
        let complaints: Vec<&str> = boot.lines().filter(|line| line.contains("warning: ")).collect();
        ensure!(complaints.is_empty(), "a stage complained: {complaints:?}");
        let kept = self.guest.console.ask("cat /var/log/boot.log")?;
        ensure!(!kept.is_empty() && boot.starts_with(&kept), "/var/log/boot.log is not what was: {kept:?}");
        let services = self
            .guest
            .console
            .run("cat /var/log/catch-all/current /var/log/sv/*/current | grep -iE 'error|fail|fatal|unable|warning'")?;
        ensure!(services.code == 1, "a service complains: {}", services.text);
        Ok(format!(
            "nothing from the kernel, nor in {} lines of stages 1 and 2, nor from services",
            boot.lines().count()
        ))
    }

    // ---- the services ------------------------------------------------------

    fn ask_dbus(&mut self) -> Result<String> {
        self.guest.expect_ok("sv check dbus")?;
        let names = self
            .guest
            .console
            .ask("dbus-send --system --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.ListNames")?;
        ensure!(names.contains("\"org.freedesktop.DBus\""), "no name on the bus: {names}");
        Ok("its check passes, the bus answers".to_owned())
    }

    fn log_a_line(&mut self) -> Result<String> {
        self.guest.console.ask("logger -t smoke 'a line for the log'")?;
        self.guest.look_until("grep -q 'smoke: a line for the log' /var/log/syslog")?;
        self.guest.look_until("grep -q 'kernel: .*Linux version' /var/log/syslog")?;
        Ok("a line of logger and those of the kernel reach the file".to_owned())
    }

    fn fetch_page(&mut self) -> Result<String> {
        let page = self.get_page()?;
        ensure!(page.contains("Welcome to nginx"), "not the page of nginx: {page:?}");
        Ok(format!("{} bytes by http", page.len()))
    }

    /// A daemon that runs may not listen yet.
    fn get_page(&mut self) -> Result<String> {
        self.guest.look_until("(: >/dev/tcp/127.0.0.1/80)").context("nobody listens")?;
        self.ports.get_page()
    }

    fn restart_web_server(&mut self) -> Result<String> {
        let old = self.guest.status("nginx")?.running_pid()?;
        let new = self.guest.expect_ok("sv restart nginx")?.running_pid()?;
        ensure!(new != old, "still pid {old}");
        self.get_page()?;
        Ok(format!("nginx {old} became {new} and answers"))
    }

    /// Those that leave pid files, sockets and children behind are the ones that may not come back.
    fn kill_daemons(&mut self) -> Result<String> {
        let mut seen = Vec::new();
        for service in ["chrony", "cron", "dbus", "nginx", "rsyslog", "sshd"] {
            let old = self.guest.status(service)?.running_pid()?;
            self.guest.console.ask(&format!("kill -9 {old}"))?;
            let new = self.guest.wait_pid_other_than(old, service)?;
            seen.push(format!("{service} {old} {new}"));
        }
        self.guest.look_until("sv check dbus >/dev/null")?;
        self.guest.look_until("(: >/dev/tcp/127.0.0.1/22)")?;
        self.get_page()?;
        Ok(format!("{}: each came back", seen.join(", ")))
    }

    // ---- by ssh ------------------------------------------------------------

    fn key(&self) -> Result<&Path> {
        self.key.as_deref().context("no key")
    }

    fn run_by_ssh(&mut self) -> Result<String> {
        let began = Instant::now();
        let said = output_of(self.ports.ssh(self.key()?).arg("id -un; hostname; cat /proc/1/comm; sv status sshd"))?;
        let took = began.elapsed().as_secs_f64();
        ensure!(said.starts_with("root\nstand-in\ninit\n"), "by ssh: {said:?}");
        ensure!(said.contains("run: sshd: (pid "), "sv does not work by ssh: {said:?}");
        Ok(self.keep(format!("a command by ssh took {took:.2} s")))
    }

    /// What must not hold up the end: a login and a bare command by ssh; a bash in the bash on the line, with a job; a
    /// job of cron.
    fn open_sessions(&mut self) -> Result<String> {
        let mut login = self.ports.ssh(self.key()?);
        login.arg("-tt").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        self.sessions.push(login.spawn().context("unable to start ssh")?);
        let mut command = self.ports.ssh(self.key()?);
        command.arg("exec sleep 100001").stdout(Stdio::null()).stderr(Stdio::null());
        self.sessions.push(command.spawn().context("unable to start ssh")?);
        self.guest.look_until("who | grep -q ' pts/0 '").context("no login by ssh")?;
        for argument in ["100000", "100001"] {
            let is_there = format!("pgrep -f -x 'sleep {argument}' >/dev/null");
            self.guest.look_until(&is_there).with_context(|| format!("no sleep {argument}"))?;
        }
        // Who is logged in stays so while the service is another.
        self.guest.expect_ok("sv restart sshd")?;
        for session in &mut self.sessions {
            ensure!(session.try_wait()?.is_none(), "a session by ssh ended with the service");
        }
        self.guest.console.type_line("bash --norc --noediting")?;
        self.guest.console.settle_shell()?;
        self.guest.console.ask("sleep 100002 & :")?;
        let who = self.guest.console.ask("who")?;
        Ok(format!(
            "{} logins, one more command by ssh, a job of cron, a shell in the shell; none ends with sshd",
            who.lines().count()
        ))
    }

    fn see_sessions_end(&mut self) -> Result<String> {
        let deadline = Instant::now() + NETWORK_LIMIT;
        for mut session in self.sessions.drain(..) {
            while session.try_wait()?.is_none() {
                if Instant::now() > deadline {
                    session.kill()?;
                    session.wait()?;
                    bail!("ssh on this host has not noticed that the machine is off");
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        Ok("ssh on this host was told".to_owned())
    }

    // ---- the ways down -----------------------------------------------------

    /// The machine ends at the reset: an emulator that goes on with the memory of before is many times slower. A new
    /// one has the same disk.
    fn reboot(&mut self) -> Result<String> {
        self.machine.end_at_reset()?;
        let typed_at = Instant::now();
        self.guest.console.type_line("shutdown -r now")?;
        let stage_3 = stages::watch_shutdown(&mut self.guest.console, "- runit: system reboot.", SHUTDOWN_LIMIT)?;
        stages::watch_end(&mut self.guest.console, &mut self.machine, "guest-reset", SHUTDOWN_LIMIT)?;
        let (stage_3, all) = (stage_3.as_secs_f64(), typed_at.elapsed().as_secs_f64());
        let seen = self.keep(format!("reboot: stage 3 took {stage_3:.2} s, {all:.2} s from the command to the reset"));
        self.check_disk()?;
        self.start_again()?;
        self.wait_prompt()?;
        Ok(format!("{seen}; both file systems clean; a prompt again"))
    }

    fn log_in_again(&mut self) -> Result<String> {
        self.log_in()?;
        let last = self.guest.console.ask("last -x")?;
        let boots = last.lines().filter(|line| line.starts_with("reboot ")).count();
        let shutdowns = last.lines().filter(|line| line.starts_with("shutdown ")).count();
        ensure!(boots == 2 && shutdowns == 1, "{boots} boots and {shutdowns} shutdowns: {last}");
        ensure!(last.lines().filter(|line| line.contains("still")).count() == 2, "more than login and boot: {last}");
        let times = self.guest.boot_times()?.show(usize::MAX);
        self.refuse_warnings()?;
        self.list_pids()?;
        self.get_page()?;
        Ok(format!("all services again, the history has both boots; {times}"))
    }

    fn power_off(&mut self) -> Result<String> {
        let typed_at = Instant::now();
        self.guest.console.type_line("poweroff")?;
        self.is_off = true;
        let stage_3 = stages::watch_shutdown(&mut self.guest.console, "- runit: power off...", SHUTDOWN_LIMIT)?;
        stages::watch_end(&mut self.guest.console, &mut self.machine, "guest-shutdown", SHUTDOWN_LIMIT)?;
        let (stage_3, all) = (stage_3.as_secs_f64(), typed_at.elapsed().as_secs_f64());
        Ok(self.keep(format!("poweroff: stage 3 took {stage_3:.2} s, {all:.2} s from the command to the end")))
    }

    /// Both file systems were unmounted, or made read-only, before the power went.
    fn check_disk(&mut self) -> Result<String> {
        for (name, begin_mib) in FILE_SYSTEMS {
            let image = PathBuf::from(format!("{}?offset={}", self.disk.display(), begin_mib * MIB));
            check_unmounted(&image).context(name)?;
        }
        Ok("/ and /home were unmounted, and are whole".to_owned())
    }
}

impl Drop for Distribution<'_> {
    fn drop(&mut self) {
        for session in &mut self.sessions {
            // Both fail only where there is nothing left to end.
            let _ = session.kill();
            let _ = session.wait();
        }
    }
}

/// A machine with this disk, and a network in which nothing but it and this host is.
fn start_machine(boot: &Boot<'_>, disk: &Path, stderr_file: &Path) -> Result<(Machine, UnixStream)> {
    let drive = format!("if=none,id=disk,format=raw,file={}", disk.display());
    // More memory than a small board has: a daemon of Debian's is large.
    let machine = ["-m", "512", "-drive", &drive, "-device", "nvme,drive=disk,serial=1", "-device", "virtio-rng-pci"];
    let arguments: Vec<String> = machine.into_iter().chain(FORWARDING_NETWORK).map(str::to_owned).collect();
    let words = format!("net.ifnames=0 root=PARTUUID={ROOT_PARTITION} ro {}", boot.words);
    Machine::start(&Boot { arguments: &arguments, words: &words, ..*boot }, stderr_file)
}

/// A line that begins with the first of these words, and has the others.
fn has_line(text: &str, words: &[&str]) -> bool {
    let Some((first, rest)) = words.split_first() else { return false };
    text.lines().any(|line| {
        line.split_whitespace().next().is_some_and(|word| word == *first) && rest.iter().all(|word| line.contains(word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_known_by_its_first_word_and_its_others() {
        let text = "root     ttyS0   Nov 26\n         system boot  Nov 26\n";

        assert!(has_line(text, &["root", "ttyS0"]));
        assert!(has_line(text, &["system", "boot"]));
        assert!(!has_line(text, &["ttyS0", "root"]));
    }
}
