//! `halt`, `poweroff` and `reboot`, always below a pid 1 of their own, or without what ends a machine: on the host they would
//! mean it. That something is written is seen from files of the test's own.

use std::path::Path;

use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::Signal;
use support::{
    Apart, Ending, LoginRecord, Machine, MachineEnd, Output, RECORD_BYTES, Root, Scratch, needs, now, repository,
};

const STAY: &str = "trap 'echo two got TERM; exit 0' TERM; echo two; while :; do sleep 1000 & wait $!; done";

fn can_boot() -> bool {
    needs(&["namespaces", "nsenter", "busybox"])
}

/// A small system with our pid 1, up to stage 2; `None`, after saying so, where that cannot be done.
fn boot(scratch: &Scratch) -> Option<Machine> {
    if !can_boot() {
        return None;
    }
    let root = Root::create(scratch).stage("1", "echo one").stage("2", STAY).stage("3", "echo three");
    let machine = Machine::boot(scratch, &root);
    machine.wait_console("\ntwo\n");
    Some(machine)
}

/// What an ending is called on the console.
const HALT: &str = "- runit: system halt.\n";
const POWER_OFF: &str = "- runit: power off...\n";
const REBOOT: &str = "- runit: system reboot.\n";
const NO_KEXEC: &str = "- runit: warning: unable to start another kernel by kexec.\n- runit: system reboot.\n";

fn goes_down_by_the_stages(words: &[&str], said: &str, expected: MachineEnd) {
    let scratch = Scratch::new();
    let Some(mut machine) = boot(&scratch) else { return };
    let output = machine.run(&scratch, words);
    // Where the machine is quick, the program is killed with all the rest.
    assert!(matches!(output.ending, Ending::Exit(0) | Ending::Signal(9)), "{output:?}");
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
    assert_eq!(machine.wait_end(), expected);
    let console = machine.console();
    let stages = "two got TERM\n- runit: leave stage: /etc/runit/2\n- runit: enter stage: /etc/runit/3\nthree\n";
    assert!(console.contains(stages) && console.ends_with(&format!("processes...\n{said}")), "{words:?}: {console}");
}

#[test]
fn adds_each_goes_down_by_the_stages() {
    use MachineEnd::{PowerOff, Reboot};
    for (words, said, end) in [
        (&["/sbin/halt"][..], HALT, PowerOff),
        (&["/sbin/poweroff"], POWER_OFF, PowerOff),
        (&["/sbin/reboot"], REBOOT, Reboot),
        (&["/sbin/halt", "-p"], POWER_OFF, PowerOff),
        (&["/sbin/poweroff", "-p"], POWER_OFF, PowerOff),
        (&["/sbin/reboot", "-k"], NO_KEXEC, Reboot),
        (&["/sbin/halt", "-nd", "-hi"], HALT, PowerOff),
        (&["/sbin/pipit", "reboot", "-h"], REBOOT, Reboot),
    ] {
        goes_down_by_the_stages(words, said, end);
    }
}

/// `-f` asks the kernel at once: the namespace ends in the middle of the call, so nothing is known of the caller's end.
fn goes_down_at_once(words: &[&str], expected: MachineEnd) {
    let scratch = Scratch::new();
    let Some(mut machine) = boot(&scratch) else { return };
    let caller = machine.run(&scratch, words);
    assert!(matches!(caller.ending, Ending::Signal(_)) || caller.stderr.is_empty(), "{caller:?}");
    assert_eq!(machine.wait_end(), expected);
    assert!(!machine.console().contains("three"), "{}", machine.console());
}

#[test]
fn adds_forced_is_at_once() {
    use MachineEnd::{PowerOff, Reboot};
    for (words, end) in [
        (&["/sbin/halt", "-f"][..], PowerOff),
        (&["/sbin/halt", "-fp"], PowerOff),
        (&["/sbin/poweroff", "-n", "-f"], PowerOff),
        (&["/sbin/reboot", "-f"], Reboot),
        (&["/sbin/reboot", "-fk"], Reboot),
    ] {
        goes_down_at_once(words, end);
    }
}

#[test]
fn adds_wrong_usage_does_nothing() {
    let scratch = Scratch::new();
    let Some(mut machine) = boot(&scratch) else { return };
    for program in ["halt", "poweroff", "reboot"] {
        let own: [&[&str]; 2] = if program == "reboot" { [&["-p"], &["-fp"]] } else { [&["-k"], &["-fk"]] };
        let all: [&[&str]; 12] = [
            &["-x"],
            &["-fx"],
            &["--help"],
            &["--force"],
            &["--"],
            &["-"],
            &[""],
            &["now"],
            &["-f", "now"],
            &["-w", "-f", "-l"],
            &["-wB"],
            &["-dB", "-w"],
        ];
        for words in all.into_iter().chain(own) {
            let output = machine.run(&scratch, &[&[&*format!("/sbin/{program}")], words].concat());
            let letters = if program == "reboot" { "Bdfhiknw" } else { "Bdfhinpw" };
            assert_eq!(output, Output::exit(1, "", &format!("usage: {program} [-{letters}]\n\n")), "{words:?}");
        }
        assert!(machine.is_up(), "{program} took the machine down");
    }
    assert!(!machine.console().contains("two got TERM"), "{}", machine.console());
}

#[test]
fn adds_ordinary_users_are_refused() {
    for program in ["halt", "poweroff", "reboot"] {
        for option in [None, Some("-f")] {
            let scratch = Scratch::new();
            let Some(mut machine) = boot(&scratch) else { return };
            let path = format!("/sbin/{program}");
            let mut words = vec![path.as_str()];
            words.extend(option);
            let output = machine.run_as_nobody(&scratch, &words);
            assert!(matches!(output.ending, Ending::Exit(code) if code != 0), "{program}: {output:?}");
            assert_eq!(output.stderr.lines().count(), 1, "{program}: {output:?}");
            assert!(machine.is_up(), "{program} took the machine down for nobody");
        }
    }
}

/// F65: the superuser of a container that may not end it. What is there is a namespace all the same.
#[test]
fn mends_f65_a_kernel_that_refuses_is_told() {
    if !needs(&["namespaces", "setpriv"]) {
        return;
    }
    let scratch = Scratch::new();
    for program in ["halt", "poweroff", "reboot"] {
        let mut command = scratch.command("unshare");
        command.args(["--pid", "--mount", "--fork", "--kill-child", "sh", "-c"]);
        command.arg(format!("setpriv --bounding-set=-sys_boot --inh-caps=-sys_boot {program} -fnd; echo $?"));
        let message = format!("{program}: fatal: unable to end the machine: permission denied\n");
        assert_eq!(scratch.output(command), Output::exit(0, "1\n", &message));
    }
}

#[test]
fn adds_a_missing_runit_init_is_told() {
    let scratch = Scratch::new();
    if !can_boot() {
        return;
    }
    let root = Root::create(&scratch).stage("1", "echo one").stage("2", STAY).stage("3", "echo three");
    std::fs::rename(root.path().join("sbin/runit-init"), root.path().join("sbin/other")).expect("another name");
    std::fs::remove_file(root.path().join("sbin/init")).expect("a link");
    std::os::unix::fs::symlink("other", root.path().join("sbin/init")).expect("a link");
    let mut machine = Machine::boot(&scratch, &root);
    machine.wait_console("\ntwo\n");
    let message = "reboot: fatal: unable to run /sbin/runit-init: file does not exist\n";
    assert_eq!(machine.run(&scratch, &["/sbin/reboot"]), Output::exit(1, "", message));
    assert!(machine.is_up());
}

// ---- records

fn release() -> String {
    std::fs::read_to_string("/proc/sys/kernel/osrelease").expect("a release").trim_end().to_owned()
}

/// True for a record of the machine that was made since then.
fn is_record_of(record: &LoginRecord, kind: u16, start: u32) -> bool {
    let (user, line) = if kind == 2 { ("reboot", "~") } else { ("shutdown", "~~") };
    let (line, user, id) = (line.to_owned(), user.to_owned(), "~~".to_owned());
    let seconds = record.seconds;
    record.is_since(start)
        && *record == LoginRecord { kind, pid: 0, line, id, user, host: release(), seconds, rest: vec![0; 46] }
}

const BOOT: u16 = 2;
const SHUTDOWN: u16 = 1;

#[test]
fn adds_w_records_a_shutdown_and_does_nothing_else() {
    if !needs(&["namespaces"]) {
        return;
    }
    let scratch = Scratch::new();
    let apart = Apart::new(&scratch);
    let before = LoginRecord::login("tty1", "ada");
    LoginRecord::write(&apart.wtmp(), std::slice::from_ref(&before));
    LoginRecord::write(&apart.utmp(), std::slice::from_ref(&before));
    let start = now();
    for program in ["halt", "poweroff", "reboot"] {
        assert_eq!(apart.run(&[program, "-w"]), Output::exit(0, "", ""));
    }
    assert_eq!(apart.run(&["halt", "-dw"]), Output::exit(0, "", ""));
    let records = LoginRecord::read(&apart.wtmp());
    assert_eq!((records.len(), &records[0]), (4, &before));
    assert!(records[1..].iter().all(|record| is_record_of(record, SHUTDOWN, start)), "{records:?}");
    assert_eq!(LoginRecord::read(&apart.utmp()), [before]);
    assert!(!scratch.path().join("run/runit").exists());
}

#[test]
fn adds_b_records_a_boot_in_both_files() {
    if !needs(&["namespaces"]) {
        return;
    }
    let scratch = Scratch::new();
    let apart = Apart::new(&scratch);
    let start = now();
    for file in [apart.utmp(), apart.wtmp()] {
        std::fs::write(file, "").expect("an empty file");
    }
    assert_eq!(apart.run(&["halt", "-B"]), Output::exit(0, "", ""));
    for file in [apart.utmp(), apart.wtmp()] {
        let records = LoginRecord::read(&file);
        assert!(matches!(&*records, [record] if is_record_of(record, BOOT, start)), "{records:?}");
    }
    assert!(!scratch.path().join("run/runit").exists());
}

/// Who wants no records has no files for them.
#[test]
fn adds_missing_files_are_not_made() {
    if !needs(&["namespaces"]) {
        return;
    }
    let scratch = Scratch::new();
    let apart = Apart::new(&scratch);
    for option in ["-w", "-B"] {
        assert_eq!(apart.run(&["halt", option]), Output::exit(0, "", ""));
        assert!(!apart.utmp().exists() && !apart.wtmp().exists());
    }
    std::fs::write(apart.utmp(), "").expect("utmp");
    assert_eq!(apart.run(&["halt", "-B"]), Output::exit(0, "", ""));
    assert_eq!(LoginRecord::read(&apart.utmp()).len(), 1);
    let without = Apart::new(&scratch).with("mount -t tmpfs none /var");
    assert_eq!(without.run(&["halt", "-w"]), Output::exit(0, "", ""));
}

#[test]
fn adds_files_on_a_read_only_file_system_are_left_alone() {
    if !needs(&["namespaces"]) {
        return;
    }
    let scratch = Scratch::new();
    let apart = Apart::new(&scratch).with("mount -o remount,bind,ro /var/log");
    for file in [apart.utmp(), apart.wtmp()] {
        std::fs::write(file, "").expect("an empty file");
    }
    assert_eq!(apart.run(&["halt", "-w"]), Output::exit(0, "", ""));
    assert_eq!(apart.run(&["halt", "-B"]), Output::exit(0, "", ""));
    assert_eq!((LoginRecord::read(&apart.utmp()).len(), LoginRecord::read(&apart.wtmp()).len()), (1, 0));
}

#[test]
fn adds_what_cannot_be_written_is_told() {
    if !needs(&["namespaces"]) {
        return;
    }
    let scratch = Scratch::new();
    let apart = Apart::new(&scratch);
    let told = |reason: &str| Output::exit(1, "", &format!("halt: warning: unable to write /var/log/wtmp: {reason}\n"));
    std::fs::create_dir(apart.wtmp()).expect("a directory");
    assert_eq!(apart.run(&["halt", "-w"]), told("is a directory"));
    std::fs::write(apart.utmp(), "").expect("utmp");
    assert_eq!(apart.run(&["halt", "-B"]), told("is a directory"));
    assert_eq!(LoginRecord::read(&apart.utmp()).len(), 1);
    std::fs::remove_dir(apart.wtmp()).expect("the directory");
    nix::unistd::mkfifo(&apart.wtmp(), nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
    assert_eq!(apart.run(&["halt", "-w"]), told("device not configured"));
    std::fs::remove_file(apart.wtmp()).expect("the fifo");
    std::os::unix::fs::symlink("/dev/null", apart.wtmp()).expect("a link");
    assert_eq!(apart.run(&["halt", "-w"]), told("device does not support operation"));
}

#[test]
fn adds_a_record_that_does_not_fit_leaves_no_piece() {
    if !needs(&["namespaces"]) {
        return;
    }
    let scratch = Scratch::new();
    // Ten records fill the only page but for a piece.
    std::fs::write(scratch.path().join("full"), vec![7; 10 * RECORD_BYTES]).expect("a file");
    let apart = Apart::new(&scratch).with("mount -t tmpfs -o size=4k none /var/log; cp full /var/log/wtmp");
    let output = apart.run(&["sh", "-c", "halt -w; echo $?; cmp full /var/log/wtmp && echo same"]);
    let message = "halt: warning: unable to write /var/log/wtmp: out of disk space\n";
    assert_eq!(output, Output::exit(0, "1\nsame\n", message));
}

/// Whoever has the lock may hang.
#[test]
fn adds_a_lock_is_not_waited_for() {
    if !needs(&["namespaces"]) {
        return;
    }
    let scratch = Scratch::new();
    let apart = Apart::new(&scratch);
    let file = std::fs::OpenOptions::new().create(true).append(true).open(apart.wtmp()).expect("a file");
    let _lock = Flock::lock(file, FlockArg::LockExclusive).expect("its lock");
    assert_eq!(apart.run(&["halt", "-w"]), Output::exit(0, "", ""));
    assert_eq!(LoginRecord::read(&apart.wtmp()).len(), 1);
}

#[test]
fn adds_records_of_an_ordinary_user_are_refused() {
    if !needs(&["namespaces", "setpriv"]) {
        return;
    }
    let mut scratch = Scratch::new();
    scratch.use_copied_programs();
    let apart = Apart::new(&scratch);
    std::fs::write(apart.wtmp(), "").expect("an empty file");
    let user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    let message = "halt: warning: unable to write /var/log/wtmp: access denied\n";
    assert_eq!(apart.run(&[&user[..], &["halt", "-w"]].concat()), Output::exit(1, "", message));
    assert_eq!(LoginRecord::read(&apart.wtmp()), []);
}

/// It says so, or says nothing, but goes on: after a limit of the size of files, with nobody to read what it says, or with somebody
/// who does not.
#[test]
fn adds_forced_is_not_kept_up_by_its_own_record() {
    if !can_boot() {
        return;
    }
    for trouble in [
        "ulimit -f 0; exec /sbin/reboot -f",
        "exec 4>/tmp/pipe; exec 3>&-; exec /sbin/reboot -f 2>&4",
        "/bin/busybox head -c 65536 /dev/zero >&3; exec /sbin/reboot -f 2>&3",
    ] {
        let scratch = Scratch::new();
        let root = recording_system(&scratch);
        if !trouble.starts_with("ulimit") {
            std::fs::remove_file(root.path().join("var/log/wtmp")).expect("the file");
            std::fs::create_dir(root.path().join("var/log/wtmp")).expect("a directory");
        }
        let mut machine = Machine::boot(&scratch, &root);
        machine.wait_console("\ntwo\n");
        let script = format!("/bin/busybox mkfifo /tmp/pipe; exec 3<>/tmp/pipe; {trouble}");
        machine.run(&scratch, &["/bin/sh", "-c", &script]);
        assert_eq!(machine.wait_end(), MachineEnd::Reboot, "{trouble}");
        assert!(!machine.console().contains("three"), "{trouble}: {}", machine.console());
    }
}

#[test]
fn adds_a_limit_of_the_size_of_files_is_told() {
    if !needs(&["namespaces"]) {
        return;
    }
    let scratch = Scratch::new();
    let apart = Apart::new(&scratch);
    for (count, reason) in [(1, "out of disk space"), (2, "file too big")] {
        let before = vec![LoginRecord::login("tty1", "ada"); count];
        LoginRecord::write(&apart.wtmp(), &before);
        // One block: 512 bytes.
        let output = apart.run(&["sh", "-c", "ulimit -f 1; exec halt -w"]);
        let message = format!("halt: warning: unable to write /var/log/wtmp: {reason}\n");
        assert_eq!(output, Output::exit(1, "", &message));
        assert_eq!(LoginRecord::read(&apart.wtmp()), before);
    }
}

/// The machine is still up, so there was no shutdown.
#[test]
fn adds_the_record_of_a_refused_shutdown_is_taken_back() {
    if !needs(&["namespaces", "setpriv"]) {
        return;
    }
    let scratch = Scratch::new();
    let apart = Apart::new(&scratch);
    let before = [LoginRecord::login("tty1", "ada")];
    LoginRecord::write(&apart.wtmp(), &before);
    for program in ["halt", "poweroff", "reboot"] {
        // What is there is a namespace all the same.
        let refused = format!("setpriv --bounding-set=-sys_boot --inh-caps=-sys_boot {program} -fn; echo $?");
        let output = apart.run(&["unshare", "--pid", "--fork", "--kill-child", "sh", "-c", &refused]);
        let message = format!("{program}: fatal: unable to end the machine: permission denied\n");
        assert_eq!(output, Output::exit(0, "1\n", &message));
        assert_eq!(LoginRecord::read(&apart.wtmp()), before);
    }
}

/// A system with our stages 1 and 3 and the parts of them that make records.
fn recording_system(scratch: &Scratch) -> Root {
    let root = Root::create(scratch).stage("2", STAY);
    let etc = root.path().join("etc/runit");
    for file in ["1", "3", "ctrlaltdel", "functions", "configuration", "deadline", "boot/55-utmp", "shutdown/50-wtmp"] {
        std::fs::create_dir_all(etc.join(file).parent().expect("a directory")).expect("directories");
        std::fs::copy(repository().join("stage-scripts").join(file), etc.join(file)).expect("a stage script");
    }
    std::fs::create_dir_all(root.path().join("var/log")).expect("directories");
    std::fs::write(root.path().join("var/log/wtmp"), "").expect("wtmp");
    root
}

/// What there is in the history after a boot and a shutdown; the record of the boot is checked.
fn shutdowns(root: &Path, start: u32) -> usize {
    let records = LoginRecord::read(&root.join("var/log/wtmp"));
    let (boot, rest) = records.split_first().expect("a record of the boot");
    assert!(is_record_of(boot, BOOT, start), "{boot:?}");
    assert_eq!(LoginRecord::read(&root.join("run/utmp")), std::slice::from_ref(boot));
    assert!(rest.iter().all(|record| is_record_of(record, SHUTDOWN, start)), "{rest:?}");
    rest.len()
}

/// Boots, has the machine taken down, and gives the records of shutdowns and how it ended.
fn history_of(take_down: impl Fn(&Scratch, &Machine)) -> (usize, MachineEnd, String) {
    let scratch = Scratch::new();
    let root = recording_system(&scratch).stage("pwrfail", "echo the power fails");
    let start = now();
    let mut machine = Machine::boot(&scratch, &root);
    machine.wait_console("\ntwo\n");
    take_down(&scratch, &machine);
    let end = machine.wait_end();
    (shutdowns(root.path(), start), end, machine.console())
}

/// Whoever asks for it, stage 3 runs once, and so there is one record.
#[test]
fn adds_each_shutdown_is_recorded_once() {
    if !can_boot() {
        return;
    }
    for words in [
        &["/sbin/halt"][..],
        &["/sbin/poweroff"],
        &["/sbin/reboot"],
        &["/sbin/halt", "-d"],
        &["/sbin/init", "0"],
        &["/sbin/init", "6"],
    ] {
        let (count, _, console) = history_of(|scratch, machine| {
            machine.run(scratch, words);
        });
        assert!(count == 1 && console.contains("- shutdown: done\n"), "{words:?}: {count}: {console}");
    }
    // Ctrl-alt-del, a failure of the power, and what busybox's halt, poweroff and reboot send.
    use Signal::{SIGINT, SIGPWR, SIGTERM, SIGUSR1, SIGUSR2};
    for signal in [SIGINT, SIGPWR, SIGUSR1, SIGUSR2, SIGTERM] {
        let (count, _, console) = history_of(|_, machine| machine.signal(signal));
        assert!(count == 1 && console.contains("- shutdown: done\n"), "{signal}: {count}: {console}");
    }
}

/// Without stage 3 the commands record it themselves, unless they are told not to.
#[test]
fn adds_forced_is_recorded_once() {
    if !can_boot() {
        return;
    }
    for (words, expected) in [
        (&["/sbin/halt", "-f"][..], 1),
        (&["/sbin/poweroff", "-fn"], 1),
        (&["/sbin/reboot", "-f"], 1),
        (&["/sbin/reboot", "-fd"], 0),
    ] {
        let (count, _, console) = history_of(|scratch, machine| {
            machine.run(scratch, words);
        });
        assert!(count == expected && !console.contains("/etc/runit/3"), "{words:?}: {count}: {console}");
    }
}

#[test]
fn adds_a_history_that_cannot_be_written_keeps_nothing_up() {
    if !can_boot() {
        return;
    }
    for (words, code) in [(&["/sbin/reboot", "-f"][..], None), (&["/sbin/reboot"], Some("1 step failed"))] {
        let scratch = Scratch::new();
        let root = recording_system(&scratch);
        std::fs::remove_file(root.path().join("var/log/wtmp")).expect("the file");
        std::fs::create_dir(root.path().join("var/log/wtmp")).expect("a directory");
        let mut machine = Machine::boot(&scratch, &root);
        machine.wait_console("\ntwo\n");
        let told = "- boot: warning: utmp: unable to record the boot: halt: warning: unable to write /var/log/wtmp: is a directory";
        machine.wait_console(told);
        machine.run(&scratch, words);
        assert_eq!(machine.wait_end(), MachineEnd::Reboot);
        let told = code.is_none_or(|code| machine.console().contains(&format!("- shutdown: done, {code}\n")));
        assert!(told, "{}", machine.console());
    }
}
