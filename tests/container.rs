//! The whole system as a container has it: `runit-init` as pid 1 of namespaces of its own, the stages and services of the tree,
//! no right to end the machine. What a container's manager sees of it is the exit code.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use nix::sys::signal::Signal;
use support::{Ending, Machine, MachineEnd, Root, Scratch, Service, figure, needs, repository, wait_until};

/// What of the tree is not for /etc/runit.
const ELSEWHERE: [&str; 6] = ["man", "mkinitramfs", "rc.local", "rc.shutdown", "runit.conf", "services"];

/// What the tree installs, over a small system.
fn installed(scratch: &Scratch) -> Root {
    let root = Root::create(scratch);
    let etc = root.path().join("etc");
    let stages = repository().join("stage-scripts");
    std::fs::create_dir_all(etc.join("sv")).expect("a directory");
    std::fs::create_dir_all(root.path().join("var/log")).expect("a directory");
    for entry in std::fs::read_dir(&stages).expect("the stages").flatten() {
        if !ELSEWHERE.iter().any(|name| entry.file_name() == *name) {
            copy(&entry.path(), &etc.join("runit"));
        }
    }
    copy(&stages.join("services/."), &etc.join("sv"));
    std::fs::write(etc.join("passwd"), "root::0:0::/:/bin/sh\n").expect("passwd");
    root
}

/// With the links and modes that they have.
fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-R").arg(from).arg(to).status().expect("cp");
    assert!(status.success(), "cp {}", from.display());
}

/// A service of the level multi.
fn add_service(root: &Root, name: &str) -> Service {
    let link = root.path().join("etc/runit/runsvdir/multi").join(name);
    std::os::unix::fs::symlink(format!("../../../sv/{name}"), link).expect("a link");
    Service::create(&root.path().join("etc/sv").join(name))
}

/// Boots it as a container manager would that lets it not end the machine.
fn boot(scratch: &Scratch, root: &Root) -> Machine {
    let steps = "touch dev/console; mount --bind \"$TERMINAL\" dev/console
        exec env container=test setpriv --bounding-set=-sys_boot chroot . /sbin/init </dev/null >dev/null 2>&1";
    Machine::boot_with(scratch, root, "/sbin/init", steps)
}

fn can_boot() -> bool {
    needs(&["namespaces", "nsenter", "busybox", "setpriv"])
}

/// Neither pid 1 nor a stage complained. A getty that begins throws away what the console has not shown yet, so what
/// stage 1 said is looked for in its log.
fn assert_no_complaint(root: &Root, machine: &Machine) {
    let console = machine.console();
    let is_complaint =
        |line: &&str| line.starts_with("- ") && (line.contains(": warning: ") || line.contains(": fatal: "));
    let complaints: Vec<&str> = console.lines().filter(is_complaint).collect();
    assert!(complaints.is_empty(), "{complaints:?} in {console}");
    let log = root.lines("/run/runit/boot.log");
    assert!(log.iter().any(|line| line.ends_with("boot: done")), "{log:?}");
    assert!(!log.iter().any(|line| line.contains("warning")), "{log:?}");
    assert!(console.contains("- shutdown: done\n"), "{console}");
}

/// The main service is stopped by the end of the container, and its finish script hands its exit code out.
#[test]
fn whole_system_goes_up_and_down_in_a_container() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = installed(&scratch);
    let _main = add_service(&root, "main")
        .script("run", "trap 'exit 7' TERM; echo main is up; echo >/tmp/up; while :; do sleep 1000 & wait $!; done")
        .script("finish", "echo $1 >/run/runit/exit-code");
    let began = Instant::now();
    let mut machine = boot(&scratch, &root);
    wait_until("the main service", || root.path().join("tmp/up").exists().then_some(()));
    let up = began.elapsed();
    let log = root.path().join("var/log/catch-all/current");
    wait_until("its log", || std::fs::read_to_string(&log).is_ok_and(|text| text.contains("main is up")).then_some(()));
    let asked = Instant::now();
    let _killed_with_the_rest = machine.run(&scratch, &["/sbin/init", "0"]);
    assert_eq!(machine.wait_end(), MachineEnd::Died(Ending::Exit(7)), "{}", machine.console());
    assert_no_complaint(&root, &machine);
    assert!(!machine.console().contains("main is up"), "on the console: {}", machine.console());
    figure(&format!(
        "container: main service up after {} ms, down in {} ms",
        up.as_millis(),
        asked.elapsed().as_millis()
    ));
}

/// The main service ends by itself, and the container with it.
#[test]
fn main_service_takes_the_container_down() {
    if !can_boot() {
        return;
    }
    for (word, code) in [("0", 3), ("6", 6)] {
        let scratch = Scratch::new();
        let root = installed(&scratch);
        let _main = add_service(&root, "main")
            .script("run", "exit 3")
            .script("finish", &format!("echo $1 >/run/runit/exit-code; exec /sbin/init {word}"));
        let mut machine = boot(&scratch, &root);
        assert_eq!(machine.wait_end(), MachineEnd::Died(Ending::Exit(code)), "init {word}: {}", machine.console());
    }
}

/// How lxc and incus stop a container. On a machine of one's own it is switched on by hand.
#[test]
fn power_failure_takes_the_container_down() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = installed(&scratch);
    let _main = add_service(&root, "main").script("run", "echo >/tmp/up; exec sleep 1000");
    let mut machine = boot(&scratch, &root);
    wait_until("the main service", || root.path().join("tmp/up").exists().then_some(()));
    machine.signal(Signal::SIGPWR);
    assert_eq!(machine.wait_end(), MachineEnd::Died(Ending::Exit(0)), "{}", machine.console());
    assert_no_complaint(&root, &machine);
    assert!(machine.console().contains("- pwrfail: the power fails"), "{}", machine.console());
}

/// The shell of the level single: with job control, again after it was left, and gone with the level. The terminal is free then.
#[test]
fn single_has_one_shell_on_the_console() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = installed(&scratch);
    // Nobody whose password could be asked for: a shell comes at once, whatever sulogin there is.
    std::fs::write(root.path().join("etc/passwd"), "daemon:x:1:1::/:/bin/false\n").expect("passwd");
    let mut machine = boot(&scratch, &root);
    let mark = "To go on with all services: runsvchdir multi";
    machine.wait_console("login: ");
    let output = machine.run(&scratch, &["/sbin/runsvchdir", "single"]);
    assert_eq!(output.ending, Ending::Exit(0), "{output:?}");
    machine.wait_console(mark);
    machine.type_in("tty; echo $((40 + 2)) is the answer\n");
    machine.wait_console("42 is the answer\n");
    assert!(!machine.console().contains("job control turned off"), "{}", machine.console());
    machine.type_in("sleep 1000; echo $((40 + 3)) after it\n");
    wait_until("sleep", || machine.run(&scratch, &["/bin/ps"]).stdout.contains("sleep 1000").then_some(()));
    machine.type_in("\x03");
    machine.type_in("echo $((40 + 4)) after ^C\n");
    machine.wait_console("44 after ^C\n");
    assert!(!machine.console().contains("43 after it"), "{}", machine.console());
    machine.type_in("exit\n");
    machine.wait_console_times(mark, 2);
    machine.type_in("echo $((40 + 5)) again; runsvchdir multi\n");
    machine.wait_console("45 again\n");
    wait_until("the end of sulogin", || {
        let status = machine.run(&scratch, &["/sbin/sv", "status", "/etc/sv/sulogin"]);
        status.stdout.contains("runsv not running").then_some(())
    });
    machine.wait_console_times("login: ", 2);
    let _killed_with_the_rest = machine.run(&scratch, &["/sbin/init", "0"]);
    assert_eq!(machine.wait_end(), MachineEnd::Died(Ending::Exit(0)), "{}", machine.console());
    assert_no_complaint(&root, &machine);
}
