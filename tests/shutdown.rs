//! `shutdown`, always below a pid 1 of its own: on the host it would mean it, and tell everybody.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::fcntl::{Flock, FlockArg, OFlag};
use nix::sys::signal::Signal;
use support::{
    Ending, Machine, MachineEnd, Output, Root, Scratch, context_switches, is_alive, needs, open_terminal,
    process_fields, send_signal, wait_until, waits,
};

const STAY: &str = "trap 'echo two got TERM; exit 0' TERM; echo two; while :; do sleep 1000 & wait $!; done";
const USAGE: &str = "usage: shutdown [-k] [-fF] [-t seconds] -r|-h|-P|-H time [message ...] | -c [message ...]\n\n";
const NONE_PENDING: &str = "shutdown: fatal: no shutdown is pending\n";

/// A small system with our pid 1, in stage 2.
struct System {
    machine: Machine,
    root: PathBuf,
    scratch: Scratch,
}

impl System {
    /// `None`, after saying so, where that cannot be done.
    fn boot() -> Option<System> {
        System::boot_with(|_| {}, "")
    }

    /// The same with other files, and more steps to prepare it in its namespace.
    fn boot_with(prepare: impl FnOnce(&Path), steps: &str) -> Option<System> {
        if !needs(&["namespaces", "nsenter", "busybox"]) {
            return None;
        }
        let scratch = Scratch::new();
        let root = Root::create(&scratch).stage("1", "echo one").stage("2", STAY).stage("3", "echo three");
        let path = root.path().to_owned();
        prepare(&path);
        let steps = format!("touch dev/console; mount --bind \"$TERMINAL\" dev/console\n{steps}");
        let machine = Machine::boot_with(&scratch, &root, "/sbin/init", &steps);
        machine.wait_console("\ntwo\n");
        Some(System { machine, root: path, scratch })
    }

    #[track_caller]
    fn run(&self, words: &[&str]) -> Output {
        self.machine.run(&self.scratch, words)
    }

    #[track_caller]
    fn shutdown(&self, words: &[&str]) -> Output {
        let mut all = vec!["/sbin/shutdown"];
        all.extend(words);
        self.run(&all)
    }

    /// A shutdown that becomes pending, with nothing to say on standard error.
    #[track_caller]
    fn schedule(&self, words: &[&str]) -> Record {
        let output = self.shutdown(words);
        assert_eq!((output.ending, output.stderr.as_str()), (Ending::Exit(0), ""), "{output:?}");
        assert!(output.stdout.starts_with("shutdown: the system goes down for "), "{output:?}");
        self.record()
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    fn exists(&self, path: &str) -> bool {
        self.path(path).symlink_metadata().is_ok()
    }

    fn text(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap_or_default()
    }

    #[track_caller]
    fn wait_for(&self, path: &str) {
        wait_until(path, || self.exists(path).then_some(()));
    }

    /// It is empty for a moment when something is added to it.
    #[track_caller]
    fn record(&self) -> Record {
        wait_until("a record", || Record::parse(&self.text("/run/runit/shutdown")))
    }

    /// The processes outside that are a `shutdown`.
    fn holders(&self) -> Vec<u32> {
        let is_one = |pid: &u32| support::command_line(*pid).first().is_some_and(|word| word == "/sbin/shutdown");
        self.scratch.processes().into_iter().filter(is_one).filter(|pid| is_alive(*pid)).collect()
    }

    /// The one process that waits.
    #[track_caller]
    fn holder(&self) -> u32 {
        wait_until("the process that waits", || match self.holders()[..] {
            [pid] if waits(pid) => Some(pid),
            _ => None,
        })
    }

    #[track_caller]
    fn assert_nothing_is_left(&mut self) {
        assert!(self.machine.is_up());
        assert_eq!(self.holders(), []);
        assert_eq!(self.text("/run/runit/shutdown"), "");
        for path in ["/run/nologin", "/etc/nologin", "/fastboot", "/forcefsck"] {
            assert!(!self.exists(path), "{path}");
        }
    }
}

/// The record of a pending shutdown, read once more from the outside.
#[derive(Debug, PartialEq, Eq)]
struct Record {
    pid: u32,
    way: String,
    seconds: u64,
    shown: String,
    state: String,
    made: String,
}

impl Record {
    fn parse(text: &str) -> Option<Record> {
        let words: Vec<&str> = text.strip_suffix('\n')?.split(' ').collect();
        let [pid, _ticks, way, seconds, shown, state, made] = words[..] else { return None };
        Some(Record {
            pid: pid.parse().ok()?,
            way: way.to_owned(),
            seconds: seconds.parse().ok()?,
            shown: shown.to_owned(),
            state: state.to_owned(),
            made: made.to_owned(),
        })
    }
}

fn seconds_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs()
}

fn clock(seconds: u64) -> String {
    format!("{:02}:{:02}", seconds % 86_400 / 3600, seconds % 3600 / 60)
}

fn fatal(text: &str) -> Output {
    Output::exit(1, "", &format!("shutdown: {text}\n"))
}

fn wrong_usage(text: &str) -> Output {
    Output::exit(1, "", &format!("shutdown: {text}\n{USAGE}"))
}

// --- what the machine does ----------------------------------------------------------------------------------------------

fn goes_down_now(options: &[&str], told: &str, expected: MachineEnd) {
    let Some(mut system) = System::boot() else { return };
    let mut words = options.to_vec();
    words.extend(["now", "so", "long"]);
    let output = system.shutdown(&words);
    // Where the machine is quick, the program is killed with all the rest.
    assert!(matches!(output.ending, Ending::Exit(0) | Ending::Signal(9)), "{output:?}");
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
    assert_eq!(system.machine.wait_end(), expected);
    let console = system.machine.console();
    assert!(console.contains(&format!("\n\u{7}pipit: the system goes down for {told} now\nso long\n\n")), "{console}");
    assert!(
        console
            .contains("two got TERM\n- runit: leave stage: /etc/runit/2\n- runit: enter stage: /etc/runit/3\nthree\n"),
        "{console}"
    );
    // Nobody logs in meanwhile.
    assert!(system.text("/run/nologin").ends_with("\nso long\n"));
    assert_eq!(std::fs::read_link(system.path("/etc/nologin")).expect("a link"), Path::new("/run/nologin"));
}

#[test]
fn adds_r_reboots_by_the_stages() {
    goes_down_now(&["-r"], "reboot", MachineEnd::Reboot);
}

#[test]
fn adds_h_powers_off_by_the_stages() {
    goes_down_now(&["-h"], "power off", MachineEnd::PowerOff);
}

#[test]
fn adds_p_powers_off_by_the_stages() {
    goes_down_now(&["-t", "30", "-P"], "power off", MachineEnd::PowerOff);
}

#[test]
fn adds_large_h_halts_by_the_stages() {
    goes_down_now(&["-hH"], "halt", MachineEnd::PowerOff);
}

/// Takes the place of `runit-init`, which pid 1 runs already.
fn replace_init(system: &System, body: &str) {
    let script = system.path("/sbin/script");
    std::fs::write(&script, format!("#!/bin/sh\n{body}\n")).expect("a script");
    let output =
        system.run(&["sh", "-c", "chmod 755 /sbin/script; rm /sbin/runit-init; ln -s script /sbin/runit-init"]);
    assert_eq!(output, Output::exit(0, "", ""));
}

#[test]
fn adds_init_is_told_the_way_in_a_second_word() {
    let Some(system) = System::boot() else { return };
    replace_init(&system, "echo \"$*\" >>/asked");
    for options in ["-r", "-h", "-hP", "-H"] {
        assert_eq!(system.shutdown(&[options, "+0"]), Output::exit(0, "", ""), "{options}");
    }
    assert_eq!(system.text("/asked"), "6 reboot\n0 poweroff\n0 poweroff\n0 halt\n");
}

/// `TZ` by which the clock shows the next full minute in about so many seconds, and that minute.
fn soon(seconds: u64) -> (String, String) {
    let now = seconds_now();
    let ahead = 120 - now % 60 - seconds;
    (format!("AAA-0:{:02}:{:02}", ahead / 60, ahead % 60), clock(now + ahead + seconds))
}

#[test]
fn mends_hours_and_minutes_take_the_machine_down_at_that_time() {
    let Some(mut system) = System::boot() else { return };
    let (zone, time) = soon(4);
    let begin = Instant::now();
    let output = system.run(&["env", &zone_variable(&zone), "/sbin/shutdown", "-r", &time]);
    assert_eq!(
        output,
        Output::exit(0, &format!("shutdown: the system goes down for reboot at {time} (in 1 minute)\n"), "")
    );
    assert_eq!(system.machine.wait_end(), MachineEnd::Reboot);
    let took = begin.elapsed();
    assert!(took >= Duration::from_secs(2), "{took:?}");
    let console = system.machine.console();
    let first = console.find(&format!("pipit: the system goes down for reboot at {time} (in 1 minute)\n"));
    let last = console.find("pipit: the system goes down for reboot now\n");
    assert!(first.is_some() && first < last, "{console}");
    assert!(console.contains("\nthree\n"), "{console}");
}

fn zone_variable(zone: &str) -> String {
    format!("TZ={zone}")
}

#[test]
fn adds_an_init_that_cannot_be_run_is_told_and_all_is_undone() {
    let Some(mut system) = System::boot() else { return };
    assert_eq!(system.run(&["rm", "/sbin/runit-init"]), Output::exit(0, "", ""));
    let expected = fatal("fatal: unable to run /sbin/runit-init: file does not exist");
    assert_eq!(system.shutdown(&["-r", "-f", "now"]), expected);
    system.assert_nothing_is_left();
    system.machine.wait_console("pipit: the system does not go down: unable to run /sbin/runit-init\n");

    std::fs::write(system.path("/sbin/runit-init"), "#!/bin/sh\necho init: no >&2\nexit 3\n").expect("a script");
    assert_eq!(system.run(&["chmod", "755", "/sbin/runit-init"]), Output::exit(0, "", ""));
    let expected = Output::exit(1, "", "init: no\nshutdown: fatal: /sbin/runit-init failed\n");
    assert_eq!(system.shutdown(&["-h", "now"]), expected);
    system.assert_nothing_is_left();
}

#[test]
fn adds_what_is_going_down_is_neither_cancelled_nor_replaced() {
    let Some(mut system) = System::boot() else { return };
    nix::unistd::mkfifo(&system.path("/gate"), nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
    replace_init(&system, "read -r line </gate");
    let mut waiting = system.scratch.command("nsenter");
    waiting.arg(format!("--target={}", system.machine.pid())).args(["--pid", "--mount", "--root", "--wd"]);
    waiting.args(["/sbin/shutdown", "-r", "now"]);
    let mut waiting = system.scratch.start(waiting, Signal::SIGKILL);
    wait_until("a record", || Record::parse(&system.text("/run/runit/shutdown")));
    for words in [&["-c"][..], &["-h", "+5"], &["-r", "now"]] {
        assert_eq!(system.shutdown(words), fatal("fatal: the system is going down already"), "{words:?}");
    }
    // Signals come too late, too.
    for pid in system.holders() {
        send_signal(pid, Signal::SIGTERM);
    }
    assert_eq!(system.record().state, "going");
    std::fs::write(system.path("/gate"), "open\n").expect("the gate");
    assert_eq!(waiting.wait(), Ending::Exit(0));
    assert!(system.machine.is_up());
}

// --- wrong words ---------------------------------------------------------------------------------------------------------

/// All names below the root, but for those that tell of processes.
fn names(root: &Path) -> Vec<PathBuf> {
    let mut names = Vec::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(&directory).expect("a directory").flatten() {
            if entry.file_type().expect("a type").is_dir() {
                directories.push(entry.path());
            }
            names.push(entry.path());
        }
    }
    names.sort();
    names
}

#[test]
fn mends_wrong_words_are_told_and_leave_nothing_behind() {
    let Some(mut system) = System::boot() else { return };
    let before = names(&system.root);
    let console = system.machine.console();
    let no_action = "fatal: no action: -r, -h, -P, -H, -k or -c";
    let no_time = "fatal: no time: now, +minutes or hours:minutes";
    let exclusive = "fatal: these options exclude each other";
    let long = format!("+{}", "9".repeat(4000));
    let enormous = ["-r", &long];
    let table: Vec<(&[&str], String)> = vec![
        (&[], no_action.into()),
        (&["now"], no_action.into()),
        (&["+5", "-r"], no_action.into()),
        (&["-f", "now"], no_action.into()),
        (&["-r"], no_time.into()),
        (&["-h", "--"], no_time.into()),
        (&["-k"], no_time.into()),
        (&["-rh", "now"], exclusive.into()),
        (&["-r", "-P", "now"], exclusive.into()),
        (&["-r", "-H", "now"], exclusive.into()),
        (&["-HP", "now"], exclusive.into()),
        (&["-c", "-r"], exclusive.into()),
        (&["-c", "-h", "now"], exclusive.into()),
        (&["-kc"], exclusive.into()),
        (&["-cf"], exclusive.into()),
        (&["-krf", "now"], exclusive.into()),
        (&["-rfF", "now"], exclusive.into()),
        (&["-r", "+1h"], "fatal: not a time: +1h".into()),
        (&["-r", "+"], "fatal: not a time: +".into()),
        (&["-r", "+-5"], "fatal: not a time: +-5".into()),
        (&["-r", "--", "-5"], "fatal: not a time: -5".into()),
        (&["-r", "5"], "fatal: not a time: 5".into()),
        (&["-r", ""], "fatal: not a time: ".into()),
        (&["-r", "+525601"], "fatal: not a time: +525601".into()),
        (&["-r", "+18446744073709551617"], "fatal: not a time: +18446744073709551617".into()),
        (&enormous, format!("fatal: not a time: {long}")),
        (&["-h", "25:00"], "fatal: not a time: 25:00".into()),
        (&["-h", "24:00"], "fatal: not a time: 24:00".into()),
        (&["-h", "12:60"], "fatal: not a time: 12:60".into()),
        (&["-h", "12:5"], "fatal: not a time: 12:5".into()),
        (&["-h", "012:05"], "fatal: not a time: 012:05".into()),
        (&["-h", "-1:00"], "illegal option -- 1".into()),
        (&["-r", "-5"], "illegal option -- 5".into()),
        (&["-x", "now"], "illegal option -- x".into()),
        (&["-t"], "option requires an argument -- t".into()),
        (&["-r", "-t", "soon", "now"], "fatal: not a number: soon".into()),
        (&["-r", "-t", "-1", "now"], "fatal: not a number: -1".into()),
        (&["-F", "-r", "tomorrow"], "fatal: not a time: tomorrow".into()),
    ];
    for (words, text) in table {
        assert_eq!(system.shutdown(words), wrong_usage(&text), "{words:?}");
    }
    assert_eq!(system.shutdown(&["-r", "-a", "now"]), fatal("fatal: not implemented: -a"));
    assert_eq!(system.shutdown(&["-n", "-r", "now"]), fatal("fatal: not implemented: -n"));
    assert_eq!(system.shutdown(&["-c"]), Output::exit(1, "", NONE_PENDING));
    assert_eq!(system.shutdown(&["-c", "now"]), Output::exit(1, "", NONE_PENDING));
    assert_eq!(names(&system.root), before);
    assert_eq!(system.machine.console(), console);
    assert!(system.machine.is_up());
}

#[test]
fn adds_v_tells_the_version() {
    let Some(system) = System::boot() else { return };
    let output = system.shutdown(&["-V"]);
    assert_eq!((output.ending, output.stdout.as_str()), (Ending::Exit(0), ""));
    assert!(output.stderr.starts_with("pipit ") && output.stderr.lines().count() == 1, "{output:?}");
}

#[test]
fn adds_ordinary_users_are_refused() {
    let Some(mut system) = System::boot() else { return };
    let nobody = |words: &[&str]| {
        let mut all = vec!["/sbin/shutdown"];
        all.extend(words);
        system.machine.run_as_nobody(&system.scratch, &all)
    };
    let before = names(&system.root);
    let refused = fatal("fatal: unable to open /run/runit/shutdown: access denied");
    for words in [&["-r", "now"][..], &["-h", "+5"], &["-H", "23:59"], &["-k", "now"], &["-rf", "now"]] {
        assert_eq!(nobody(words), refused, "{words:?}");
    }
    assert_eq!(nobody(&["-c"]), Output::exit(1, "", NONE_PENDING));
    assert_eq!(names(&system.root), before);
    let record = system.schedule(&["-r", "+9"]);
    assert_eq!(nobody(&["-c"]), refused);
    assert_eq!(nobody(&["-h", "now"]), refused);
    assert_eq!(system.record(), record);
    assert!(system.machine.is_up());
}

#[test]
fn adds_where_run_cannot_be_written_nothing_is_pending() {
    let Some(mut system) = System::boot_with(|_| {}, "mount -t tmpfs -o ro none run") else { return };
    let refused = fatal("fatal: unable to create /run/runit: read-only file system");
    for words in [&["-r", "now"][..], &["-r", "+5"], &["-k", "now"]] {
        assert_eq!(system.shutdown(words), refused, "{words:?}");
    }
    assert_eq!(system.shutdown(&["-c"]), Output::exit(1, "", NONE_PENDING));
    assert!(system.machine.is_up());
    assert_eq!(system.holders(), []);
}

#[test]
fn adds_a_missing_directory_is_made() {
    let Some(system) = System::boot_with(|root| std::fs::remove_dir(root.join("run/runit")).expect("a directory"), "")
    else {
        return;
    };
    assert_eq!(system.schedule(&["-r", "+9"]).way, "reboot");
}

// --- pending -----------------------------------------------------------------------------------------------------------------

#[test]
fn adds_a_pending_shutdown_is_told_and_recorded() {
    let Some(system) = System::boot() else { return };
    let before = seconds_now();
    let output = system.shutdown(&["-P", "+90", "new", "disk"]);
    let record = system.record();
    let told = format!("the system goes down for power off at {} (in 90 minutes)", record.shown);
    assert_eq!(output, Output::exit(0, &format!("shutdown: {told}\n"), ""));
    assert_eq!((record.way.as_str(), record.state.as_str(), record.made.as_str()), ("poweroff", "pending", "-"));
    assert!((before + 5400..=seconds_now() + 5400).contains(&record.seconds), "{record:?}");
    assert_eq!(record.shown, clock(record.seconds));
    system.machine.wait_console(&format!("\n\u{7}pipit: {told}\nnew disk\n\n"));
    // There is time yet to log in.
    assert!(!system.exists("/run/nologin") && !system.exists("/etc/nologin"));
}

#[test]
fn mends_a_pending_shutdown_survives_its_terminal() {
    let Some(mut system) = System::boot_with(|_| {}, "mkdir dev/pts; touch dev/pts/7") else { return };
    let (master, terminal, name) = open_terminal();
    bind(&system, &name, "/dev/pts/7");
    // A login shell with this terminal, whose last command it is.
    let script = "exec setsid -c sh -c '/sbin/shutdown -r +9' </dev/pts/7 >/dev/pts/7 2>&1";
    assert_eq!(system.run(&["sh", "-c", script]), Output::exit(0, "", ""));
    let holder = system.holder();
    drop((master, terminal));
    send_signal(holder, Signal::SIGHUP);
    let fields = process_fields(holder).expect("a process");
    // Parent, group, session, terminal: nobody's, its own, its own, none.
    let [group, session, terminal] = [&fields[2], &fields[3], &fields[4]];
    assert!(group == session && terminal == "0", "{fields:?}");
    let device = |number: u32| std::fs::metadata(format!("/proc/{holder}/fd/{number}")).expect("a descriptor").rdev();
    assert_eq!([0, 1, 2].map(device), [nix::sys::stat::makedev(1, 3); 3]);
    // It keeps nothing busy.
    assert_eq!(std::fs::read_link(format!("/proc/{holder}/cwd")).expect("a directory"), system.root);
    wait_until("the signal", || waits(holder).then_some(()));
    assert_eq!(system.holders(), [holder]);
    assert_eq!(system.shutdown(&["-c"]), Output::exit(0, "", ""));
    system.assert_nothing_is_left();
}

#[test]
fn adds_descriptors_of_the_caller_are_not_kept() {
    let Some(system) = System::boot() else { return };
    let output = system.run(&["sh", "-c", "exec 7>/tmp/held; /sbin/shutdown -r +9 >/tmp/said"]);
    assert_eq!(output, Output::exit(0, "", ""));
    let holder = system.holder();
    for entry in std::fs::read_dir(format!("/proc/{holder}/fd")).expect("descriptors").flatten() {
        let link = std::fs::read_link(entry.path()).unwrap_or_default();
        assert!(!link.starts_with(system.path("/tmp")), "{}", link.display());
    }
}

#[test]
fn adds_nobody_need_listen() {
    let Some(system) = System::boot() else { return };
    nix::unistd::mkfifo(&system.path("/gone"), nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
    // A pipe without a reader.
    let script = "exec 8<>/gone 9>/gone 8<&-; /sbin/shutdown -r +9 >&9";
    assert_eq!(system.run(&["sh", "-c", script]), Output::exit(0, "", ""));
    assert_eq!(system.record().state, "pending");
    system.holder();
}

#[test]
fn adds_waiting_takes_no_time() {
    let Some(system) = System::boot() else { return };
    system.schedule(&["-r", "+90"]);
    let holder = system.holder();
    let before = context_switches(holder);
    // An interval to measure over, nothing is waited for.
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(context_switches(holder), before);
}

#[test]
fn mends_cancelling_needs_no_time_and_undoes_everything() {
    let Some(mut system) = System::boot() else { return };
    for (words, told) in [
        (&["-c"][..], "pipit: the shutdown is cancelled\n\n"),
        (&["-c", "now"], "pipit: the shutdown is cancelled\n\n"),
        (&["-c", "false", "alarm"], "pipit: the shutdown is cancelled\nfalse alarm\n\n"),
        (&["-c", "now", "never", "mind"], "pipit: the shutdown is cancelled\nnever mind\n\n"),
    ] {
        system.schedule(&["-r", "-F", "+2", "why"]);
        system.wait_for("/etc/nologin");
        let record = wait_until("all in the record", || Some(system.record()).filter(|record| record.made == "nlF"));
        assert!(system.exists("/forcefsck") && !system.exists("/fastboot"));
        let notice = format!("the system goes down for reboot at {}\nwhy\n", record.shown);
        assert_eq!(system.text("/run/nologin"), notice);
        assert_eq!(std::fs::read_link(system.path("/etc/nologin")).expect("a link"), Path::new("/run/nologin"));
        assert_eq!(system.shutdown(words), Output::exit(0, "", ""));
        system.assert_nothing_is_left();
        system.machine.wait_console(told);
        assert_eq!(system.shutdown(&["-c"]), Output::exit(1, "", NONE_PENDING));
    }
}

#[test]
fn adds_term_and_int_cancel_without_a_word() {
    let Some(mut system) = System::boot() else { return };
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        system.schedule(&["-r", "-f", "+2"]);
        system.wait_for("/etc/nologin");
        send_signal(system.holder(), signal);
        wait_until("its end", || system.holders().is_empty().then_some(()));
        system.assert_nothing_is_left();
    }
    assert!(!system.machine.console().contains("cancelled"));
}

#[test]
fn adds_a_second_one_replaces_the_first() {
    let Some(mut system) = System::boot() else { return };
    let first = system.schedule(&["-r", "-f", "+3", "first"]);
    system.wait_for("/etc/nologin");
    let output = system.shutdown(&["-H", "+60", "second"]);
    assert_eq!(output.ending, Ending::Exit(0));
    assert_eq!(output.stderr, format!("shutdown: info: replaces the one at {}\n", first.shown));
    let second = system.record();
    assert_eq!((second.way.as_str(), second.made.as_str()), ("halt", "-"));
    assert_ne!(first.pid, second.pid);
    assert!(!system.exists("/etc/nologin") && !system.exists("/run/nologin") && !system.exists("/fastboot"));
    system.holder();
    assert!(!system.machine.console().contains("cancelled"));
    // And one for now.
    let output = system.shutdown(&["-h", "now"]);
    assert!(matches!(output.ending, Ending::Exit(0) | Ending::Signal(9)), "{output:?}");
    assert_eq!(output.stderr, format!("shutdown: info: replaces the one at {}\n", second.shown));
    assert_eq!(system.machine.wait_end(), MachineEnd::PowerOff);
}

#[test]
fn adds_of_many_at_once_one_is_pending() {
    let Some(mut system) = System::boot() else { return };
    let mut started: Vec<_> = (0..8)
        .map(|number| {
            let mut command = system.scratch.command("nsenter");
            command.arg(format!("--target={}", system.machine.pid())).args(["--pid", "--mount", "--root", "--wd"]);
            command.args(["/sbin/shutdown", "-r", &format!("+{}", 3 + number)]);
            system.scratch.start(command, Signal::SIGKILL)
        })
        .collect();
    for one in &mut started {
        assert_eq!(one.wait(), Ending::Exit(0), "{}", one.stderr());
    }
    let holder = system.holder();
    let inside = std::fs::read_to_string(format!("/proc/{holder}/status")).expect("a status");
    let pids = inside.lines().find_map(|line| line.strip_prefix("NSpid:")).expect("a pid");
    assert_eq!(pids.split_whitespace().next_back(), Some(system.record().pid.to_string().as_str()));
    assert_eq!(system.shutdown(&["-c"]), Output::exit(0, "", ""));
    system.assert_nothing_is_left();
}

#[test]
fn mends_what_a_killed_one_left_is_not_believed_and_undone() {
    let Some(mut system) = System::boot() else { return };
    for words in [&["-c"][..], &["-r", "+60"]] {
        system.schedule(&["-r", "-f", "+2"]);
        system.wait_for("/etc/nologin");
        let holder = system.holder();
        send_signal(holder, Signal::SIGKILL);
        wait_until("its end", || system.holders().is_empty().then_some(()));
        assert_eq!(system.record().made, "nlf");
        let output = system.shutdown(words);
        if words == ["-c"] {
            assert_eq!(output, Output::exit(1, "", NONE_PENDING));
        } else {
            assert_eq!((output.ending, output.stderr.as_str()), (Ending::Exit(0), ""));
            assert_eq!(system.shutdown(&["-c"]), Output::exit(0, "", ""));
        }
        system.assert_nothing_is_left();
    }
}

#[test]
fn mends_a_stranger_with_the_pid_of_a_record_is_left_alone() {
    let Some(mut system) = System::boot() else { return };
    let shell = system.run(&["sh", "-c", "sleep 1000 >/dev/null 2>&1 & echo $!"]);
    let stranger = shell.stdout.trim().to_owned();
    let record = format!("{stranger} 1 reboot 1 12:00 pending n\n");
    std::fs::write(system.path("/run/runit/shutdown"), &record).expect("a record");
    assert_eq!(system.shutdown(&["-c"]), Output::exit(1, "", NONE_PENDING));
    // The same while somebody has the lock who has written nothing yet.
    std::fs::write(system.path("/run/runit/shutdown"), &record).expect("a record");
    let file = File::open(system.path("/run/runit/shutdown")).expect("the record");
    let _lock = Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, error)| error).expect("the lock");
    let expected = format!("fatal: unable to end the pending shutdown: process {stranger}");
    assert_eq!(system.shutdown(&["-r", "now"]), fatal(&expected));
    assert_eq!(system.run(&["kill", "-0", &stranger]).ending, Ending::Exit(0));
    assert!(system.machine.is_up());
}

#[test]
fn adds_senseless_records_are_nothing() {
    let Some(mut system) = System::boot() else { return };
    for text in ["nonsense", "1\n", "0 0 reboot 1 12:00 pending -\n", &"x".repeat(100_000)] {
        std::fs::write(system.path("/run/runit/shutdown"), text).expect("a record");
        assert_eq!(system.shutdown(&["-c"]), Output::exit(1, "", NONE_PENDING));
        system.schedule(&["-r", "+9"]);
        assert_eq!(system.shutdown(&["-c"]), Output::exit(0, "", ""));
        system.assert_nothing_is_left();
    }
    std::fs::remove_file(system.path("/run/runit/shutdown")).expect("the record");
    symlink("/etc/passwd", system.path("/run/runit/shutdown")).expect("a link");
    let refused = fatal("fatal: unable to open /run/runit/shutdown: symbolic link loop");
    assert_eq!(system.shutdown(&["-r", "now"]), refused);
    assert_eq!(system.shutdown(&["-c"]), refused);
    assert!(system.machine.is_up());
}

// --- logins and flags --------------------------------------------------------------------------------------------------

#[test]
fn mends_the_administrators_own_nologin_stays() {
    let Some(system) =
        System::boot_with(|root| std::fs::write(root.join("etc/nologin"), "mine\n").expect("a file"), "")
    else {
        return;
    };
    system.schedule(&["-r", "+2"]);
    system.wait_for("/run/nologin");
    assert_eq!(system.shutdown(&["-c"]), Output::exit(0, "", ""));
    assert_eq!(system.text("/etc/nologin"), "mine\n");
    assert!(!system.exists("/run/nologin"));
    std::fs::write(system.path("/run/nologin"), "mine too\n").expect("a file");
    system.schedule(&["-r", "+2"]);
    system.machine.wait_console_times("(in 2 minutes)\n", 2);
    assert_eq!(system.shutdown(&["-c"]), Output::exit(0, "", ""));
    assert_eq!((system.text("/etc/nologin"), system.text("/run/nologin")), ("mine\n".into(), "mine too\n".into()));
}

#[test]
fn adds_a_link_that_was_replaced_meanwhile_stays() {
    let Some(system) = System::boot() else { return };
    system.schedule(&["-r", "+2"]);
    system.wait_for("/etc/nologin");
    std::fs::remove_file(system.path("/etc/nologin")).expect("the link");
    std::fs::write(system.path("/etc/nologin"), "mine\n").expect("a file");
    assert_eq!(system.shutdown(&["-c"]), Output::exit(0, "", ""));
    assert_eq!(system.text("/etc/nologin"), "mine\n");
}

#[test]
fn adds_a_read_only_root_gets_no_link_and_no_flags() {
    let steps = "mount -t tmpfs run run; here=$(pwd); mount --rbind . .; cd \"$here\"; mount -o remount,bind,ro .";
    let Some(mut system) = System::boot_with(|_| {}, steps) else { return };
    for (option, path) in [("-f", "/fastboot"), ("-F", "/forcefsck")] {
        let expected = fatal(&format!("fatal: unable to create {path}: read-only file system"));
        assert_eq!(system.shutdown(&["-r", option, "+2"]), expected);
        assert_eq!(system.shutdown(&["-r", option, "now"]), expected);
    }
    assert_eq!(system.run(&["ls", "/run"]), Output::exit(0, "", ""));
    let output = system.shutdown(&["-r", "+2"]);
    assert_eq!((output.ending, output.stderr.as_str()), (Ending::Exit(0), ""));
    let nologin = wait_until("a record", || {
        let output = system.run(&["cat", "/run/nologin", "/run/runit/shutdown"]);
        output.stdout.ends_with(" n\n").then_some(output.stdout)
    });
    assert!(nologin.starts_with("the system goes down for reboot at "), "{nologin}");
    assert!(!system.exists("/etc/nologin"));
    assert_eq!(system.shutdown(&["-c"]), Output::exit(0, "", ""));
    assert_eq!(system.run(&["ls", "/run"]), Output::exit(0, "runit\n", ""));
    assert!(system.machine.is_up());
}

#[test]
fn adds_flags_that_were_there_stay() {
    let Some(system) = System::boot() else { return };
    std::fs::write(system.path("/fastboot"), "").expect("a file");
    system.schedule(&["-rf", "+60"]);
    assert_eq!(system.record().made, "-");
    assert_eq!(system.shutdown(&["-c"]), Output::exit(0, "", ""));
    assert!(system.exists("/fastboot"));
}

#[test]
fn mends_k_only_warns() {
    let Some(mut system) = System::boot() else { return };
    let pending = system.schedule(&["-r", "+60"]);
    assert_eq!(system.shutdown(&["-k", "now", "try"]), Output::exit(0, "", ""));
    system.machine.wait_console("pipit: the system goes down now\ntry\n\n");
    assert_eq!(system.shutdown(&["-kH", "+2"]), Output::exit(0, "", ""));
    system.machine.wait_console("pipit: the system goes down for halt at ");
    assert_eq!(system.record(), pending);
    assert!(!system.exists("/run/nologin") && !system.exists("/etc/nologin"));
    assert_eq!(system.shutdown(&["-c"]), Output::exit(0, "", ""));
    assert_eq!(system.shutdown(&["-k", "+2"]), Output::exit(0, "", ""));
    system.assert_nothing_is_left();
}

// --- terminals ---------------------------------------------------------------------------------------------------------------

/// Puts a device of the host into the machine.
#[track_caller]
fn bind(system: &System, device: &str, path: &str) {
    let mut command = system.scratch.command("nsenter");
    // From the mount namespace, with the root of the host: the machine cannot see its own terminals by their names.
    command.arg(format!("--target={}", system.machine.pid())).arg("--mount").args(["mount", "--bind", device]);
    command.arg(system.path(path));
    assert_eq!(system.scratch.output(command), Output::exit(0, "", ""));
}

/// A user's record as utmp(5) has it on x86_64.
fn user_record(kind: u16, line: &str) -> Vec<u8> {
    let mut record = vec![0; 384];
    record[..2].copy_from_slice(&kind.to_ne_bytes());
    record[8..8 + line.len()].copy_from_slice(line.as_bytes());
    record[44..48].copy_from_slice(b"user");
    record
}

fn log_in(system: &System, records: &[(u16, &str)]) {
    let bytes: Vec<u8> = records.iter().flat_map(|(kind, line)| user_record(*kind, line)).collect();
    std::fs::write(system.path("/run/utmp"), bytes).expect("utmp");
}

/// A terminal that somebody reads, in the place of `path`.
struct Terminal {
    master: File,
    _slave: File,
    seen: Vec<u8>,
}

impl Terminal {
    fn open(system: &System, path: &str) -> Terminal {
        let (master, slave, name) = open_terminal();
        bind(system, &name, path);
        nix::fcntl::fcntl(&master, nix::fcntl::FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).expect("flags");
        Terminal { master, _slave: slave, seen: Vec::new() }
    }

    fn seen(&mut self) -> String {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = self.master.read(&mut bytes) {
            self.seen.extend(&bytes[..count]);
        }
        String::from_utf8_lossy(&self.seen).into_owned()
    }

    #[track_caller]
    fn wait(&mut self, text: &str) {
        wait_until(&format!("{text:?} on the terminal"), || self.seen().contains(text).then_some(()));
    }
}

const TERMINALS: &str = "mkdir dev/pts; touch dev/pts/1 dev/pts/2 dev/pts/3 dev/tty9 outside";

#[test]
fn adds_users_are_told_on_their_terminals() {
    let Some(system) = System::boot_with(|_| {}, TERMINALS) else { return };
    let [mut one, mut two, mut three, mut nine, mut outside] =
        ["/dev/pts/1", "/dev/pts/2", "/dev/pts/3", "/dev/tty9", "/outside"].map(|path| Terminal::open(&system, path));
    let long = "x".repeat(32);
    // One that was logged in, one that is not there, one outside, one that is no terminal, names without an end.
    log_in(
        &system,
        &[
            (2, "~"),
            (8, "pts/2"),
            (7, "../outside"),
            (7, "pts/99"),
            (7, "null"),
            (7, "pts"),
            (7, ""),
            (7, &long),
            (7, "pts/1"),
            (7, "tty9"),
        ],
    );
    let output = system.shutdown(&["-r", "+30", "Grüße", "\u{1b}[2J\u{9b}\u{7}", "a\nb"]);
    assert_eq!(output.ending, Ending::Exit(0));
    for terminal in [&mut one, &mut nine] {
        terminal.wait("a b\r\n\r\n");
        assert!(
            terminal.seen().starts_with("\r\n\u{7}pipit: the system goes down for reboot at "),
            "{:?}",
            terminal.seen()
        );
        assert!(terminal.seen().contains("(in 30 minutes)\r\nGrüße ?[2J"), "{:?}", terminal.seen());
        assert_eq!(terminal.seen().matches('\u{7}').count(), 1);
        assert!(!terminal.seen().contains('\u{1b}') && !terminal.seen().contains('\u{9b}'), "{:?}", terminal.seen());
    }
    system.machine.wait_console("(in 30 minutes)\n");
    system.holder();
    assert_eq!([two.seen(), three.seen(), outside.seen()], ["", "", ""]);
}

#[test]
fn adds_without_records_all_terminals_are_told() {
    let Some(system) = System::boot_with(|_| {}, TERMINALS) else { return };
    let [mut one, mut three, mut nine] =
        ["/dev/pts/1", "/dev/pts/3", "/dev/tty9"].map(|path| Terminal::open(&system, path));
    for text in [None, Some(""), Some("short")] {
        if let Some(text) = text {
            std::fs::write(system.path("/run/utmp"), text).expect("utmp");
        }
        assert_eq!(system.shutdown(&["-k", "now"]), Output::exit(0, "", ""));
        for terminal in [&mut one, &mut three] {
            terminal.wait("pipit: the system goes down now\r\n\r\n");
            terminal.seen.clear();
        }
        assert_eq!(nine.seen(), "");
    }
}

#[test]
fn adds_a_stuck_terminal_holds_nothing_up() {
    let Some(mut system) = System::boot_with(|_| {}, TERMINALS) else { return };
    let (stuck_master, mut stuck, name) = open_terminal();
    bind(&system, &name, "/dev/pts/1");
    // Nobody reads it, and no more fits.
    nix::fcntl::fcntl(&stuck, nix::fcntl::FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).expect("flags");
    while stuck.write(&[b'x'; 4096]).is_ok() {}
    let mut other = Terminal::open(&system, "/dev/pts/2");
    log_in(&system, &[(7, "pts/1"), (7, "pts/2")]);
    let begin = Instant::now();
    let output = system.shutdown(&["-h", "now"]);
    assert!(matches!(output.ending, Ending::Exit(0) | Ending::Signal(9)), "{output:?}");
    assert_eq!(system.machine.wait_end(), MachineEnd::PowerOff);
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    other.wait("pipit: the system goes down for power off now\r\n\r\n");
    drop((stuck_master, stuck));
}

#[test]
fn adds_a_machine_without_devices_goes_down_too() {
    let Some(mut system) = System::boot_with(|_| {}, "") else { return };
    assert_eq!(system.run(&["sh", "-c", "mount -t tmpfs none /dev"]), Output::exit(0, "", ""));
    let output = system.shutdown(&["-r", "now"]);
    assert!(matches!(output.ending, Ending::Exit(0) | Ending::Signal(9)), "{output:?}");
    assert_eq!(system.machine.wait_end(), MachineEnd::Reboot);
}

// --- local time ----------------------------------------------------------------------------------------------------------------

/// The time that is shown is that of the zone, and the moment is when it is shown.
#[track_caller]
fn shows(system: &System, zone: &str, ahead: u64) {
    let time = clock(seconds_now() + ahead + 7200);
    let output = system.run(&["env", &zone_variable(zone), "/sbin/shutdown", "-r", &time]);
    assert_eq!(output.ending, Ending::Exit(0), "{zone}: {output:?}");
    let record = system.record();
    assert_eq!((record.shown.as_str(), record.seconds % 60), (time.as_str(), 0), "{zone}");
    assert_eq!(clock(record.seconds + ahead), time, "{zone}");
    let left = record.seconds - seconds_now();
    assert!((7100..=7200).contains(&left), "{zone}: {left}");
}

#[test]
fn adds_local_time_is_that_of_tz_or_of_etc_localtime() {
    let Some(system) = System::boot() else { return };
    shows(&system, "AAA-5:45", 20_700);
    shows(&system, "<+09>-9", 32_400);
    shows(&system, "", 0);
    shows(&system, "nonsense", 0);
    shows(&system, "../../etc/localtime", 0);
    let database = Path::new("/usr/share/zoneinfo");
    let files = ["Asia/Kathmandu", "Asia/Tokyo"].map(|name| std::fs::read(database.join(name)));
    let [Ok(kathmandu), Ok(tokyo)] = files else { return support::skip("needs a zone database") };
    std::fs::create_dir_all(system.path("/usr/share/zoneinfo/Asia")).expect("directories");
    std::fs::write(system.path("/usr/share/zoneinfo/Asia/Tokyo"), tokyo).expect("a zone");
    std::fs::write(system.path("/etc/localtime"), kathmandu).expect("a zone");
    shows(&system, "Asia/Tokyo", 32_400);
    shows(&system, ":Asia/Tokyo", 32_400);
    shows(&system, ":/etc/localtime", 20_700);
    let time = clock(seconds_now() + 20_700 + 7200);
    let output = system.run(&["env", "-u", "TZ", "/sbin/shutdown", "-r", &time]);
    assert_eq!(output.ending, Ending::Exit(0), "{output:?}");
    assert_eq!(clock(system.record().seconds + 20_700), time);
    // What makes no sense is UTC.
    for text in ["TZif2", "x", &"x".repeat(100_000)] {
        std::fs::write(system.path("/etc/localtime"), text).expect("a zone");
        let time = clock(seconds_now() + 7200);
        assert_eq!(system.run(&["env", "-u", "TZ", "/sbin/shutdown", "-r", &time]).ending, Ending::Exit(0));
        assert_eq!(clock(system.record().seconds), time);
    }
}
