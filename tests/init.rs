//! `runit-init`: as pid 1 of a small system in namespaces of its own, and as the command that asks pid 1 to go down.
//!
//! Outside of such a namespace nothing here is ever run as root: `init 0` means it.

use std::os::unix::fs::PermissionsExt;

use nix::sys::signal::Signal;
use support::{
    Ending, Machine, MachineEnd, Output, Root, Scratch, children, command_line, is_alive, needs, process_fields,
    process_state, send_signal, wait_until,
};

/// A stage 2 that stays until it is told to end.
const STAY: &str = "trap 'echo two got TERM; exit 0' TERM; echo two; while :; do sleep 1000 & wait $!; done";

// Scripts name /sbin/init in full: busybox's shell takes its own `init` first, whatever the path says.

/// A small system whose three stages say `one`, `two`, `three`; stage 2 stays.
fn small_system(scratch: &Scratch) -> Root {
    Root::create(scratch).stage("1", "echo one").stage("2", STAY).stage("3", "echo three")
}

fn can_boot() -> bool {
    needs(&["namespaces", "nsenter", "busybox"])
}

/// Runs `init 0` or `init 6` inside. It says nothing; where the machine is quick, it is killed with all the rest.
fn ask(scratch: &Scratch, machine: &Machine, level: &str) {
    let output = machine.run(scratch, &["/sbin/init", level]);
    assert!(matches!(output.ending, Ending::Exit(0) | Ending::Signal(9)), "{output:?}");
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
}

/// The console without the first line, which carries a version.
fn after_booting(machine: &Machine) -> String {
    let console = machine.console();
    let (first, rest) = console.split_once('\n').expect("a first line");
    assert!(first.starts_with("- runit: ") && first.ends_with(": booting."), "first line {first:?}");
    rest.to_owned()
}

/// The child of pid 1 that was started as this.
fn stage_process(machine: &Machine, path: &str) -> u32 {
    wait_until(&format!("a process {path}"), || {
        children(machine.pid()).into_iter().find(|pid| command_line(*pid).iter().any(|word| word == path))
    })
}

const SHUTDOWN_OF_STAGE_2: &str = "two got TERM
- runit: leave stage: /etc/runit/2
- runit: enter stage: /etc/runit/3
three
- runit: leave stage: /etc/runit/3
- runit: sending KILL signal to all processes...
";

const BOOT_TO_STAGE_2: &str = "- runit: enter stage: /etc/runit/1
one
- runit: leave stage: /etc/runit/1
- runit: enter stage: /etc/runit/2
two
";

// ---- the three stages

#[test]
fn stages_run_one_after_the_other() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch).stage("2", "echo two");
    let mut machine = Machine::boot(&scratch, &root);
    assert_eq!(machine.wait_end(), MachineEnd::PowerOff, "{}", machine.trouble());
    let expected = "- runit: enter stage: /etc/runit/1
one
- runit: leave stage: /etc/runit/1
- runit: enter stage: /etc/runit/2
two
- runit: leave stage: /etc/runit/2
- runit: enter stage: /etc/runit/3
three
- runit: leave stage: /etc/runit/3
- runit: sending KILL signal to all processes...
- runit: power off...
";
    assert_eq!(after_booting(&machine), expected);
}

#[test]
fn stages_get_the_kernel_s_environment_and_no_arguments() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let note = "echo \"$0 $# $FROM_KERNEL\" >>/seen";
    let root = small_system(&scratch).stage("1", note).stage("2", note).stage("3", note);
    let mut machine = Machine::boot(&scratch, &root);
    assert_eq!(machine.wait_end(), MachineEnd::PowerOff);
    assert_eq!(root.lines("/seen"), ["/etc/runit/1 0 word", "/etc/runit/2 0 word", "/etc/runit/3 0 word"]);
}

#[test]
fn stages_have_the_console_as_standard_streams() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let note = "for fd in 0 1 2; do link=$(readlink /proc/$$/fd/$fd); echo $link >>/seen; done; echo to stdout; echo to stderr >&2";
    let root = small_system(&scratch).stage("1", note).stage("2", note).stage("3", note);
    let mut machine = Machine::boot(&scratch, &root);
    assert_eq!(machine.wait_end(), MachineEnd::PowerOff);
    assert_eq!(root.lines("/seen"), ["/dev/console"; 9]);
    let console = machine.console();
    assert_eq!((console.matches("to stdout\n").count(), console.matches("to stderr\n").count()), (3, 3));
}

/// Session and terminal of each stage: fields 6 and 7 of its stat line.
const NOTE_SESSION: &str = "(read -r line </proc/$$/stat; set -- $line; [ $6 = $$ ] && session=own || session=other; [ $7 = 0 ] && tty=none || tty=some; echo $session $tty >>/seen)";

#[test]
fn stages_2_and_3_lead_sessions_without_a_terminal() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch).stage("2", NOTE_SESSION).stage("3", NOTE_SESSION);
    let mut machine = Machine::boot(&scratch, &root);
    assert_eq!(machine.wait_end(), MachineEnd::PowerOff);
    assert_eq!(root.lines("/seen"), ["own none", "own none"]);
}

#[test]
fn stage_1_that_fails_is_told_and_stage_2_follows() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch).stage("1", "echo one; exit 1");
    let machine = Machine::boot(&scratch, &root);
    machine.wait_console("\ntwo\n");
    let expected = "- runit: enter stage: /etc/runit/1
one
- runit: warning: child failed: /etc/runit/1
- runit: leave stage: /etc/runit/1
- runit: enter stage: /etc/runit/2
two
";
    assert_eq!(after_booting(&machine), expected);
}

#[test]
fn stage_1_with_100_skips_stage_2() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch).stage("1", "echo one; exit 100");
    let mut machine = Machine::boot(&scratch, &root);
    assert_eq!(machine.wait_end(), MachineEnd::PowerOff);
    let expected = "- runit: enter stage: /etc/runit/1
one
- runit: warning: child failed: /etc/runit/1
- runit: leave stage: /etc/runit/1
- runit: warning: skipping stage 2...
- runit: enter stage: /etc/runit/3
three
- runit: leave stage: /etc/runit/3
- runit: sending KILL signal to all processes...
- runit: power off...
";
    assert_eq!(after_booting(&machine), expected);
}

#[test]
fn stage_2_that_fails_leads_to_stage_3() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch).stage("2", "echo two; exit 3");
    let mut machine = Machine::boot(&scratch, &root);
    assert_eq!(machine.wait_end(), MachineEnd::PowerOff);
    let console = machine.console();
    assert!(console.contains("two\n- runit: warning: child failed: /etc/runit/2\n- runit: leave stage: /etc/runit/2\n- runit: enter stage: /etc/runit/3\nthree\n"));
}

#[test]
fn stage_2_with_111_is_restarted_without_what_it_left() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch)
        .stage("2", "echo two; [ -e /again ] && exit 0; echo >/again; sleep 1000 & echo $! >/left; exit 111");
    let mut machine = Machine::boot(&scratch, &root);
    assert_eq!(machine.wait_end(), MachineEnd::PowerOff);
    let expected = "- runit: enter stage: /etc/runit/2
two
- runit: warning: child failed: /etc/runit/2
- runit: warning: killing all processes in stage 2...
- runit: warning: restarting.
- runit: enter stage: /etc/runit/2
two
- runit: leave stage: /etc/runit/2
- runit: enter stage: /etc/runit/3
";
    let console = after_booting(&machine);
    assert!(console.contains(expected), "{console}");
}

#[test]
fn what_stage_2_left_is_killed_before_the_restart() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch).stage("2", "echo two; [ -e /again ] && { ps >/processes; echo noted; exec sleep 1000; }; echo >/again; sleep 4321 & exit 111");
    let machine = Machine::boot(&scratch, &root);
    machine.wait_console("noted\n");
    let processes = root.lines("/processes");
    assert!(!processes.iter().any(|line| line.contains("sleep 4321")), "{processes:?}");
}

#[test]
fn stage_3_that_fails_changes_nothing() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch).stage("2", "echo two").stage("3", "echo three; exit 100");
    let mut machine = Machine::boot(&scratch, &root);
    assert_eq!(machine.wait_end(), MachineEnd::PowerOff);
    assert!(machine.console().contains(
        "three\n- runit: warning: child failed: /etc/runit/3\n- runit: leave stage: /etc/runit/3\n- runit: sending KILL"
    ));
}

// ---- going down

#[test]
fn init_0_powers_off() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch);
    let mut machine = Machine::boot(&scratch, &root);
    machine.wait_console("\ntwo\n");
    ask(&scratch, &machine, "0");
    assert_eq!(machine.wait_end(), MachineEnd::PowerOff);
    assert_eq!(after_booting(&machine), format!("{BOOT_TO_STAGE_2}{SHUTDOWN_OF_STAGE_2}- runit: power off...\n"));
}

#[test]
fn init_6_reboots() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch);
    let mut machine = Machine::boot(&scratch, &root);
    machine.wait_console("\ntwo\n");
    ask(&scratch, &machine, "6");
    assert_eq!(machine.wait_end(), MachineEnd::Reboot);
    assert_eq!(after_booting(&machine), format!("{BOOT_TO_STAGE_2}{SHUTDOWN_OF_STAGE_2}- runit: system reboot.\n"));
}

#[test]
fn init_can_be_asked_by_stage_2_itself() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch).stage(
        "2",
        "trap 'echo two got TERM; exit 0' TERM; echo two; /sbin/init 6; while :; do sleep 1000 & wait $!; done",
    );
    let mut machine = Machine::boot(&scratch, &root);
    assert_eq!(machine.wait_end(), MachineEnd::Reboot);
    assert_eq!(after_booting(&machine), format!("{BOOT_TO_STAGE_2}{SHUTDOWN_OF_STAGE_2}- runit: system reboot.\n"));
}

#[test]
fn stage_2_that_ignores_term_is_killed() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch)
        .stage("2", "trap 'echo two stays' TERM; echo two; while :; do sleep 1000 & wait $!; done");
    let mut machine = Machine::boot(&scratch, &root);
    machine.wait_console("\ntwo\n");
    ask(&scratch, &machine, "0");
    assert_eq!(machine.wait_end(), MachineEnd::PowerOff);
    let console = machine.console();
    assert!(console.contains("two stays\n- runit: warning: stage 2 not terminated, sending sigkill...\n"), "{console}");
    assert!(
        console.contains("- runit: leave stage: /etc/runit/2\n- runit: enter stage: /etc/runit/3\nthree\n"),
        "{console}"
    );
}

#[test]
fn cont_without_a_request_means_nothing() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch);
    for flag in ["stopit", "reboot"] {
        let path = root.path().join("run/runit").join(flag);
        std::fs::write(&path, "").expect("flag");
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o000)).expect("mode");
    }
    let mut machine = Machine::boot(&scratch, &root);
    machine.wait_console("\ntwo\n");
    let stage = stage_process(&machine, "/etc/runit/2");
    machine.signal(Signal::SIGCONT);
    // The next request shows that the first signal was nothing.
    ask(&scratch, &machine, "0");
    assert_eq!(machine.wait_end(), MachineEnd::PowerOff);
    assert_eq!(after_booting(&machine), format!("{BOOT_TO_STAGE_2}{SHUTDOWN_OF_STAGE_2}- runit: power off...\n"));
    assert!(!is_alive(stage));
}

/// The shell of busybox prefers its own halt, poweroff and reboot to any other, and they send these.
#[test]
fn adds_signals_of_busybox_end_the_machine() {
    if !can_boot() {
        return;
    }
    use Signal::{SIGTERM, SIGUSR1, SIGUSR2};
    for (signal, end, word) in [
        (SIGUSR1, MachineEnd::PowerOff, "system halt."),
        (SIGUSR2, MachineEnd::PowerOff, "power off..."),
        (SIGTERM, MachineEnd::Reboot, "system reboot."),
    ] {
        let scratch = Scratch::new();
        let root = small_system(&scratch);
        let mut machine = Machine::boot(&scratch, &root);
        machine.wait_console("\ntwo\n");
        machine.signal(signal);
        assert_eq!(machine.wait_end(), end);
        assert_eq!(after_booting(&machine), format!("{BOOT_TO_STAGE_2}{SHUTDOWN_OF_STAGE_2}- runit: {word}\n"));
    }
}

/// With Debian's original stage 2 ends without a word when these come.
#[test]
fn adds_other_signals_mean_nothing() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch);
    let mut machine = Machine::boot(&scratch, &root);
    machine.wait_console("\ntwo\n");
    use Signal::{SIGALRM, SIGHUP, SIGPIPE, SIGQUIT};
    for signal in [SIGHUP, SIGALRM, SIGPIPE, SIGQUIT] {
        machine.signal(signal);
    }
    ask(&scratch, &machine, "0");
    assert_eq!(machine.wait_end(), MachineEnd::PowerOff);
    assert_eq!(after_booting(&machine), format!("{BOOT_TO_STAGE_2}{SHUTDOWN_OF_STAGE_2}- runit: power off...\n"));
}

#[test]
fn services_of_stage_2_are_left_to_stage_3() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch)
        .stage("2", "setsid sleep 4321 & echo two; exec sleep 1000")
        .stage("3", "ps | grep -c '[s]leep 4321'");
    let mut machine = Machine::boot(&scratch, &root);
    machine.wait_console("\ntwo\n");
    ask(&scratch, &machine, "0");
    assert_eq!(machine.wait_end(), MachineEnd::PowerOff);
    assert!(machine.console().contains("- runit: enter stage: /etc/runit/3\n1\n"), "{}", machine.console());
}

// ---- ctrl-alt-del and power failure

#[test]
fn interrupt_runs_ctrlaltdel_and_then_shuts_down() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    // Set by hand, without waking pid 1: it looks when the script is over. The original of Debian has its files in /run.
    let script = "echo cad; for flag in stopit reboot; do for file in /run/runit/$flag /run/runit.$flag; do echo >$file; chmod 100 $file; done; done";
    let root = small_system(&scratch).stage("ctrlaltdel", script);
    let mut machine = Machine::boot(&scratch, &root);
    machine.wait_console("\ntwo\n");
    machine.signal(Signal::SIGINT);
    assert_eq!(machine.wait_end(), MachineEnd::Reboot);
    let request = "- runit: ctrl-alt-del request...
- runit: enter stage: /etc/runit/ctrlaltdel
cad
- runit: leave stage: /etc/runit/ctrlaltdel
";
    assert_eq!(
        after_booting(&machine),
        format!("{BOOT_TO_STAGE_2}{request}{SHUTDOWN_OF_STAGE_2}- runit: system reboot.\n")
    );
}

/// The script may also call `init`; whether pid 1 then waits for its end is not fixed.
#[test]
fn interrupt_with_a_script_that_calls_init() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch).stage("ctrlaltdel", "echo cad; /sbin/init 6");
    let mut machine = Machine::boot(&scratch, &root);
    machine.wait_console("\ntwo\n");
    machine.signal(Signal::SIGINT);
    assert_eq!(machine.wait_end(), MachineEnd::Reboot);
    // The script may end before or after the stages that it asked for.
    let console = after_booting(&machine).replace("- runit: leave stage: /etc/runit/ctrlaltdel\n", "");
    assert!(
        console.contains("- runit: ctrl-alt-del request...\n- runit: enter stage: /etc/runit/ctrlaltdel\ncad\n"),
        "{console}"
    );
    assert!(console.contains("- runit: enter stage: /etc/runit/3\nthree\n"), "{console}");
    assert!(console.ends_with("- runit: system reboot.\n"), "{console}");
}

#[test]
fn interrupt_without_script_means_nothing_in_stage_2() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch).stage("ctrlaltdel", "echo cad; /sbin/init 6");
    std::fs::set_permissions(root.path().join("etc/runit/ctrlaltdel"), std::fs::Permissions::from_mode(0o644))
        .expect("mode");
    let mut machine = Machine::boot(&scratch, &root);
    machine.wait_console("\ntwo\n");
    machine.signal(Signal::SIGINT);
    ask(&scratch, &machine, "0");
    assert_eq!(machine.wait_end(), MachineEnd::PowerOff);
    assert!(!machine.console().contains("cad"), "{}", machine.console());
}

#[test]
fn mends_k124_power_failure_runs_pwrfail() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch).stage("pwrfail", "echo the power fails; exit 0");
    let mut machine = Machine::boot(&scratch, &root);
    machine.wait_console("\ntwo\n");
    machine.signal(Signal::SIGPWR);
    assert_eq!(machine.wait_end(), MachineEnd::PowerOff);
    let console = after_booting(&machine);
    assert!(console.contains("- runit: enter stage: /etc/runit/pwrfail\nthe power fails\n"), "{console}");
    assert!(console.contains("- runit: enter stage: /etc/runit/3\nthree\n"), "{console}");
}

#[test]
fn mends_k124_power_failure_without_pwrfail_is_told() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch);
    let mut machine = Machine::boot(&scratch, &root);
    machine.wait_console("\ntwo\n");
    machine.signal(Signal::SIGPWR);
    machine.wait_console("power failure");
    assert!(machine.is_up());
    assert_eq!(machine.console().matches("leave stage: /etc/runit/2").count(), 0);
}

// ---- orphans

#[test]
fn orphans_are_reaped() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let orphans = "echo two; i=0; while [ $i -lt 2000 ]; do ( : & ); i=$((i + 1)); done; echo all orphans; while :; do sleep 1000; done";
    let root = small_system(&scratch).stage("2", orphans);
    let mut machine = Machine::boot(&scratch, &root);
    machine.wait_console("all orphans\n");
    let init = machine.pid();
    wait_until("no zombies", || (!children(init).into_iter().any(|pid| process_state(pid) == Some('Z'))).then_some(()));
    // And it still hears.
    ask(&scratch, &machine, "0");
    assert_eq!(machine.wait_end(), MachineEnd::PowerOff);
}

/// F13: many orphans at once, while requests come.
#[test]
fn orphans_that_die_at_once_do_not_starve_requests() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let crowd =
        "echo two; i=0; while [ $i -lt 1500 ]; do (sleep 1000 & ); i=$((i + 1)); done; echo all here; exec sleep 1000";
    let root = small_system(&scratch).stage("2", crowd);
    let mut machine = Machine::boot(&scratch, &root);
    machine.wait_console("all here\n");
    let init = machine.pid();
    let stage = stage_process(&machine, "1000");
    let crowd = children(init);
    assert!(crowd.len() >= 1500, "{}", crowd.len());
    for orphan in crowd.into_iter().filter(|pid| *pid != stage) {
        send_signal(orphan, Signal::SIGKILL);
    }
    ask(&scratch, &machine, "6");
    assert_eq!(machine.wait_end(), MachineEnd::Reboot);
}

// ---- defects of the original that are mended

#[test]
fn mends_k120_killed_stage_2_is_restarted() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch).stage("2", "echo two; exec sleep 4321");
    let mut machine = Machine::boot(&scratch, &root);
    machine.wait_console("\ntwo\n");
    let first = stage_process(&machine, "4321");
    send_signal(first, Signal::SIGSEGV);
    machine.wait_console_times("\ntwo\n", 2);
    let expected = "two
- runit: warning: child crashed: /etc/runit/2
- runit: warning: killing all processes in stage 2...
- runit: warning: restarting.
- runit: enter stage: /etc/runit/2
two
";
    assert!(machine.console().contains(expected), "{}", machine.console());
    assert!(machine.is_up());
}

#[test]
fn mends_k120_killed_stage_1_leads_to_stage_3() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch).stage("1", "echo one; kill -KILL $$");
    let mut machine = Machine::boot(&scratch, &root);
    assert_eq!(machine.wait_end(), MachineEnd::PowerOff);
    let expected = "one
- runit: warning: child crashed: /etc/runit/1
- runit: leave stage: /etc/runit/1
- runit: warning: skipping stage 2...
- runit: enter stage: /etc/runit/3
three
";
    assert!(machine.console().contains(expected), "{}", machine.console());
}

#[test]
fn mends_k121_stages_get_clean_signals() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let note = "grep -E 'Sig(Blk|Ign)' /proc/$$/status >>/seen";
    let awk = "#!/bin/awk -f\nBEGIN { while ((getline line <\"/proc/self/status\") > 0) if (line ~ /^Sig(Blk|Ign)/) print line >>\"/seen\" }\n";
    let root = small_system(&scratch).stage("1", note).stage("3", note).stage("2", "exit 0").stage("ctrlaltdel", note);
    for stage in ["1", "2", "3", "ctrlaltdel"] {
        let _etc = root.etc_runit().executable(stage, awk);
    }
    let mut machine = Machine::boot(&scratch, &root);
    assert_eq!(machine.wait_end(), MachineEnd::PowerOff);
    for line in root.lines("/seen") {
        let (name, value) = line.split_once(":\t").expect("a mask");
        // Signals 32 and up belong to the C library of whoever started the tests.
        let value = u64::from_str_radix(value, 16).expect("mask") & 0x7fff_ffff;
        assert_eq!(value, 0, "{name}: {line}");
    }
    assert_eq!(root.lines("/seen").len(), 6);
}

#[test]
fn mends_k122_stage_1_has_a_controlling_terminal() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch).stage("1", &format!("{NOTE_SESSION}; echo over the terminal >/dev/tty"));
    let machine = Machine::boot(&scratch, &root);
    machine.wait_console("\ntwo\n");
    assert_eq!(root.lines("/seen"), ["own some"]);
    assert!(machine.console().contains("over the terminal\n"), "{}", machine.console());
}

#[test]
fn mends_k122_keys_reach_stage_1() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch)
        .stage("1", "trap 'echo interrupted; exit 0' INT; echo one; while :; do sleep 1000 & wait $!; done");
    let mut machine = Machine::boot(&scratch, &root);
    machine.wait_console("\none\n");
    machine.type_in("\u{3}");
    machine.wait_console("interrupted\n");
    machine.wait_console("\ntwo\n");
}

#[test]
fn mends_k123_ctrlaltdel_gets_clean_signals_and_a_session() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch);
    let awk = "#!/bin/awk -f
BEGIN {
    while ((getline line <\"/proc/self/status\") > 0) if (line ~ /^SigBlk/) print line >>\"/seen\"
    getline line <\"/proc/self/stat\"; split(line, field, \" \"); print (field[1] == field[6] ? \"own\" : \"other\") >>\"/seen\"
    close(\"/seen\"); system(\"/sbin/init 0\")
}
";
    let _etc = root.etc_runit().executable("ctrlaltdel", awk);
    let mut machine = Machine::boot(&scratch, &root);
    machine.wait_console("\ntwo\n");
    machine.signal(Signal::SIGINT);
    assert_eq!(machine.wait_end(), MachineEnd::PowerOff);
    assert_eq!(root.lines("/seen"), ["SigBlk:\t0000000000000000", "own"]);
}

/// K127: pid 1 goes on reaping while the script runs.
#[test]
fn mends_k127_ctrlaltdel_that_hangs_holds_nothing_up() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch).stage("ctrlaltdel", "echo cad; exec sleep 1000");
    let mut machine = Machine::boot(&scratch, &root);
    machine.wait_console("\ntwo\n");
    machine.signal(Signal::SIGINT);
    machine.wait_console("cad\n");
    machine.run(&scratch, &["/bin/sh", "-c", "(true & ); (true & )"]);
    let init = machine.pid();
    wait_until("no zombies", || (!children(init).into_iter().any(|pid| process_state(pid) == Some('Z'))).then_some(()));
    ask(&scratch, &machine, "6");
    assert_eq!(machine.wait_end(), MachineEnd::Reboot);
    assert!(machine.console().contains("- runit: enter stage: /etc/runit/3\nthree\n"), "{}", machine.console());
}

#[test]
fn mends_k126_stage_1_that_hangs_can_be_left() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch).stage("1", "echo one; exec sleep 1000");
    let mut machine = Machine::boot(&scratch, &root);
    machine.wait_console("\none\n");
    ask(&scratch, &machine, "6");
    assert_eq!(machine.wait_end(), MachineEnd::Reboot);
    let console = machine.console();
    assert!(console.contains("- runit: leave stage: /etc/runit/1\n"), "{console}");
    assert!(!console.contains("enter stage: /etc/runit/2"), "{console}");
    assert!(console.contains("- runit: enter stage: /etc/runit/3\nthree\n"), "{console}");
}

#[test]
fn mends_k126_ctrl_alt_del_works_in_stage_1() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root =
        small_system(&scratch).stage("1", "echo one; exec sleep 1000").stage("ctrlaltdel", "echo cad; /sbin/init 6");
    let mut machine = Machine::boot(&scratch, &root);
    machine.wait_console("\none\n");
    machine.signal(Signal::SIGINT);
    assert_eq!(machine.wait_end(), MachineEnd::Reboot);
    assert!(machine.console().contains("cad\n") && machine.console().contains("three\n"), "{}", machine.console());
}

/// F57 and F58: a stage 3 that hangs is left by the third ctrl-alt-del.
#[test]
fn mends_f58_third_ctrl_alt_del_leaves_a_hanging_stage_3() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch).stage("3", "echo three; trap '' TERM INT; while :; do sleep 1000; done");
    let mut machine = Machine::boot(&scratch, &root);
    machine.wait_console("\ntwo\n");
    ask(&scratch, &machine, "6");
    machine.wait_console("three\n");
    let mut times = 0;
    while machine.is_up() {
        machine_interrupt(&mut machine);
        times += 1;
        assert!(times < 1000, "still up after {times} requests");
    }
    assert_eq!(machine.wait_end(), MachineEnd::Reboot);
}

/// One ctrl-alt-del, and a moment for it to be taken, as a person would leave.
fn machine_interrupt(machine: &mut Machine) {
    if let Some(init) = machine.try_pid() {
        send_signal(init, Signal::SIGINT);
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// F57: asked for both, the last word counts until stage 3 is over.
#[test]
fn mends_f57_power_off_during_a_reboot() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch).gate("/gate").stage("3", "echo three; read -r _ </gate");
    let mut machine = Machine::boot(&scratch, &root);
    machine.wait_console("\ntwo\n");
    ask(&scratch, &machine, "6");
    machine.wait_console("three\n");
    ask(&scratch, &machine, "0");
    std::fs::write(root.path().join("gate"), "go\n").expect("gate");
    assert_eq!(machine.wait_end(), MachineEnd::PowerOff);
    assert_eq!(machine.console().matches("enter stage: /etc/runit/3").count(), 1);
}

/// F49: the root is read-only, only /run can be written.
#[test]
fn mends_k125_read_only_root() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch);
    let steps = "touch dev/console; mount --bind \"$TERMINAL\" dev/console
        mount -t tmpfs run run; here=$(pwd); mount --rbind . .; cd \"$here\"; mount -o remount,bind,ro .";
    let mut machine = Machine::boot_with(&scratch, &root, "/sbin/init", steps);
    machine.wait_console("\ntwo\n");
    assert!(!machine.run(&scratch, &["/bin/touch", "/x"]).stderr.is_empty());
    ask(&scratch, &machine, "6");
    assert_eq!(machine.wait_end(), MachineEnd::Reboot);
    assert_eq!(after_booting(&machine), format!("{BOOT_TO_STAGE_2}{SHUTDOWN_OF_STAGE_2}- runit: system reboot.\n"));
}

/// F50: nothing powers the machine off silently.
#[test]
fn mends_f50_missing_stage_1_runs_the_emergency_program() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch).stage("emergency", "echo emergency; exec sleep 1000");
    std::fs::remove_file(root.path().join("etc/runit/1")).expect("stage 1");
    let mut machine = Machine::boot(&scratch, &root);
    machine.wait_console("\nemergency\n");
    let console = machine.console();
    assert!(
        console.contains("- runit: fatal: unable to start child: /etc/runit/1: file does not exist\n"),
        "{console}"
    );
    assert!(machine.is_up() && !console.contains("/etc/runit/2"), "{console}");
    ask(&scratch, &machine, "0");
    assert_eq!(machine.wait_end(), MachineEnd::PowerOff);
}

#[test]
fn mends_f50_stage_2_that_is_not_executable_runs_the_emergency_program() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch).stage("emergency", "echo emergency; exec sleep 1000");
    std::fs::set_permissions(root.path().join("etc/runit/2"), std::fs::Permissions::from_mode(0o644)).expect("mode");
    let mut machine = Machine::boot(&scratch, &root);
    machine.wait_console("\nemergency\n");
    let console = machine.console();
    assert!(console.contains("- runit: fatal: unable to start child: /etc/runit/2: access denied\n"), "{console}");
    assert!(machine.is_up() && !console.contains("/etc/runit/3"), "{console}");
}

#[test]
fn mends_f50_stage_with_a_missing_interpreter_is_named() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch).stage("emergency", "echo emergency; exec sleep 1000");
    let _etc = root.etc_runit().executable("1", "#!/no/such/shell\n");
    let machine = Machine::boot(&scratch, &root);
    machine.wait_console("\nemergency\n");
    assert!(
        machine.console().contains("- runit: fatal: unable to start child: /etc/runit/1: file does not exist\n"),
        "{}",
        machine.console()
    );
}

/// The emergency program repairs what is missing: its end brings the stage once more.
#[test]
fn mends_f50_stage_is_tried_again_after_the_emergency_program() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch).stage(
        "emergency",
        "echo emergency; echo '#!/bin/sh' >/etc/runit/1; echo 'echo mended' >>/etc/runit/1; chmod 755 /etc/runit/1",
    );
    std::fs::remove_file(root.path().join("etc/runit/1")).expect("stage 1");
    let machine = Machine::boot(&scratch, &root);
    machine.wait_console("\nmended\n");
    machine.wait_console("\ntwo\n");
}

#[test]
fn mends_f50_without_emergency_program_a_shell_is_on_the_console() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch);
    std::fs::remove_file(root.path().join("etc/runit/1")).expect("stage 1");
    let mut machine = Machine::boot(&scratch, &root);
    machine.wait_console("unable to start child: /etc/runit/1: file does not exist\n");
    // Typed again until the shell is there to hear it.
    wait_until("an answer of the shell", || {
        machine.type_in("echo $((40 + 2)) by hand\n");
        std::thread::sleep(std::time::Duration::from_millis(100));
        machine.console().contains("42 by hand").then_some(())
    });
}

#[test]
fn mends_f50_without_any_shell_it_waits_with_a_message() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch);
    std::fs::remove_file(root.path().join("etc/runit/1")).expect("stage 1");
    std::fs::remove_file(root.path().join("bin/sh")).expect("the shell");
    let mut machine = Machine::boot(&scratch, &root);
    machine.wait_console("- runit: fatal: nothing can be run instead of: /etc/runit/1");
    assert!(machine.is_up());
    let init = machine.pid();
    let switches = support::context_switches(init);
    assert_eq!(process_fields(init).map(|fields| fields[0].clone()).as_deref(), Some("S"));
    assert_eq!(support::context_switches(init), switches, "it does not turn in circles");
    // Stage 3 cannot run either, for want of a shell. That is told too, and ctrl-alt-del then ends it.
    ask(&scratch, &machine, "6");
    machine.wait_console("- runit: fatal: nothing can be run instead of: /etc/runit/3");
    machine.signal(Signal::SIGINT);
    assert_eq!(machine.wait_end(), MachineEnd::Reboot);
}

#[test]
fn mends_f50_missing_stage_3_is_named_before_the_end() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch).stage("emergency", "echo emergency");
    std::fs::remove_file(root.path().join("etc/runit/3")).expect("stage 3");
    let mut machine = Machine::boot(&scratch, &root);
    machine.wait_console("\ntwo\n");
    ask(&scratch, &machine, "6");
    assert_eq!(machine.wait_end(), MachineEnd::Reboot);
    assert!(
        machine.console().contains("- runit: fatal: unable to start child: /etc/runit/3: file does not exist\n"),
        "{}",
        machine.console()
    );
}

/// F47: no /dev/console at all.
#[test]
fn mends_f47_no_console_is_no_hindrance() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch)
        .stage("1", "echo one >>/seen")
        .stage("2", "echo two >>/seen")
        .stage("3", "echo three >>/seen; /sbin/init 6");
    let mut machine = Machine::boot_with(&scratch, &root, "/sbin/init", "true");
    assert_eq!(machine.wait_end(), MachineEnd::Reboot);
    assert_eq!(root.lines("/seen"), ["one", "two", "three"]);
}

/// F47: a console that takes nothing holds nobody up but who writes to it.
#[test]
fn mends_f47_stopped_console_is_no_hindrance() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch)
        .stage("1", "exec >/dev/null 2>&1; echo one >>/seen")
        .stage("2", "exec >/dev/null 2>&1; echo two >>/seen")
        .stage("3", "exec >/dev/null 2>&1; echo three >>/seen; /sbin/init 6");
    // A fifo with a reader that never reads, filled to the brim.
    let steps = "mknod dev/console p; sleep 1000 <>dev/console & tr '\\0' x </dev/zero | timeout 1 dd of=dev/console oflag=nonblock bs=1024 2>/dev/null || true";
    let mut machine = Machine::boot_with(&scratch, &root, "/sbin/init", steps);
    assert_eq!(machine.wait_end(), MachineEnd::Reboot);
    assert_eq!(root.lines("/seen"), ["one", "two", "three"]);
}

/// F53: started with nothing on descriptors 0 to 2.
#[test]
fn mends_f53_closed_standard_streams() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch).stage("2", "echo two; ls -l /proc/1/fd >/seen");
    let mut machine = Machine::boot_with(
        &scratch,
        &root,
        "/bin/sh -c 'exec /sbin/init <&- >&- 2>&-'",
        "touch dev/console; mount --bind \"$TERMINAL\" dev/console",
    );
    assert_eq!(machine.wait_end(), MachineEnd::PowerOff);
    assert!(machine.console().contains("\none\n") && machine.console().contains("\nthree\n"), "{}", machine.console());
}

/// A system of old has the request files themselves in /etc/runit.
#[test]
fn adds_requests_in_etc_are_heard_too() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch);
    for flag in ["stopit", "reboot"] {
        std::fs::remove_file(root.path().join("etc/runit").join(flag)).expect("a link");
    }
    let mut machine = Machine::boot(&scratch, &root);
    machine.wait_console("\ntwo\n");
    for flag in ["stopit", "reboot"] {
        let path = root.path().join("etc/runit").join(flag);
        std::fs::write(&path, "").expect("flag");
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o100)).expect("mode");
    }
    machine.signal(Signal::SIGCONT);
    assert_eq!(machine.wait_end(), MachineEnd::Reboot);
}

// ---- where the kernel refuses to end the machine

/// Boots a machine whose pid 1 lacks the capability to end it, as in many a container, asks for `word`, and gives its exit code; a
/// stage 3 writes `file` first, as the main service of a container would.
fn exits_with(file: &str, word: &str) -> MachineEnd {
    let scratch = Scratch::new();
    let root = small_system(&scratch).stage("3", &format!("echo three; printf '{file}' >/run/runit/exit-code"));
    let steps = "touch dev/console; mount --bind \"$TERMINAL\" dev/console
        exec setpriv --bounding-set=-sys_boot chroot . /sbin/init </dev/null >dev/null 2>&1";
    let mut machine = Machine::boot_with(&scratch, &root, "/sbin/init", steps);
    machine.wait_console("\ntwo\n");
    ask(&scratch, &machine, word);
    machine.wait_end()
}

#[test]
fn adds_exit_code_of_a_container() {
    if !needs(&["namespaces", "nsenter", "busybox", "setpriv"]) {
        return;
    }
    let cases =
        [("", "0", 0), ("7\\n", "0", 7), ("255\\n", "0", 255), ("256\\n", "0", 0), ("7\\n", "6", 6), ("", "6", 6)];
    for (file, word, code) in cases {
        assert_eq!(exits_with(file, word), MachineEnd::Died(Ending::Exit(code)), "{file:?}, init {word}");
    }
}

// ---- the second word

/// Boots, asks, and gives the last line of the console and the end; `prepare` may change the root before.
fn ends_by(scratch: &Scratch, prepare: impl Fn(&Root), words: &[&str]) -> (String, MachineEnd) {
    let root = small_system(scratch);
    prepare(&root);
    let mut machine = Machine::boot(scratch, &root);
    machine.wait_console("\ntwo\n");
    let output = machine.run(scratch, &[&["/sbin/init"], words].concat());
    assert!(matches!(output.ending, Ending::Exit(0) | Ending::Signal(9)), "{output:?}");
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
    let end = machine.wait_end();
    let console = after_booting(&machine);
    let told = console.strip_prefix(&format!("{BOOT_TO_STAGE_2}{SHUTDOWN_OF_STAGE_2}"));
    (told.unwrap_or_else(|| panic!("{console}")).to_owned(), end)
}

#[test]
fn adds_the_second_word_names_the_end() {
    if !can_boot() {
        return;
    }
    use MachineEnd::{PowerOff, Reboot};
    for (words, said, end) in [
        (["0", "poweroff"], "- runit: power off...\n", PowerOff),
        (["0", "halt"], "- runit: system halt.\n", PowerOff),
        (["6", "reboot"], "- runit: system reboot.\n", Reboot),
        // What is unknown, or does not go with the number, means nothing.
        (["0", "halts"], "- runit: power off...\n", PowerOff),
        (["0", "reboot"], "- runit: power off...\n", PowerOff),
        (["0", "kexec"], "- runit: power off...\n", PowerOff),
        (["6", "halt"], "- runit: system reboot.\n", Reboot),
        (["6", "poweroff"], "- runit: system reboot.\n", Reboot),
    ] {
        let scratch = Scratch::new();
        assert_eq!(ends_by(&scratch, |_| {}, &words), (said.to_owned(), end), "init {words:?}");
    }
}

const NO_KEXEC: &str = "- runit: warning: unable to start another kernel by kexec.\n- runit: system reboot.\n";

/// F63: nothing is loaded, or nothing tells whether something is.
#[test]
fn mends_f63_kexec_without_a_kernel_is_a_reboot() {
    if !can_boot() {
        return;
    }
    for loaded in [None, Some("0\n"), Some("")] {
        let scratch = Scratch::new();
        let prepare = |root: &Root| {
            let directory = root.path().join("sys/kernel");
            std::fs::create_dir_all(&directory).expect("a directory");
            if let Some(text) = loaded {
                std::fs::write(directory.join("kexec_loaded"), text).expect("a file");
            }
        };
        let expected = (NO_KEXEC.to_owned(), MachineEnd::Reboot);
        assert_eq!(ends_by(&scratch, prepare, &["6", "kexec"]), expected, "{loaded:?}");
    }
}

/// No namespace has a kernel of its own: the call is refused. A real kernel is started in `tests/guest.rs`.
#[test]
fn mends_f63_kexec_that_is_refused_is_a_reboot() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let prepare = |root: &Root| {
        std::fs::create_dir_all(root.path().join("sys/kernel")).expect("a directory");
        std::fs::write(root.path().join("sys/kernel/kexec_loaded"), "1\n").expect("a file");
    };
    let expected = (format!("- runit: system kexec.\n{NO_KEXEC}"), MachineEnd::Reboot);
    assert_eq!(ends_by(&scratch, prepare, &["6", "kexec"]), expected);
}

/// F57: the last word counts, and with it what it does not say.
#[test]
fn mends_f57_a_later_request_takes_the_word_of_an_earlier_one_back() {
    if !can_boot() {
        return;
    }
    for (first, second, said) in [
        (&["0", "halt"][..], &["0"][..], "power off..."),
        (&["0"], &["0", "halt"], "system halt."),
        (&["6", "kexec"], &["6"], "system reboot."),
        (&["6", "kexec"], &["0", "halt"], "system halt."),
    ] {
        let scratch = Scratch::new();
        let root = small_system(&scratch).gate("/gate").stage("3", "echo three; read -r _ </gate");
        let mut machine = Machine::boot(&scratch, &root);
        machine.wait_console("\ntwo\n");
        for words in [first, second] {
            let output = machine.run(&scratch, &[&["/sbin/init"], words].concat());
            assert_eq!(output, Output::exit(0, "", ""));
            machine.wait_console("three\n");
        }
        // pid 1 takes the request back when it has heard it.
        let stop = root.path().join("run/runit/stopit");
        wait_until("a request that is heard", || {
            (std::fs::metadata(&stop).expect("stopit").permissions().mode() & 0o777 == 0).then_some(())
        });
        std::fs::write(root.path().join("gate"), "go\n").expect("gate");
        machine.wait_end();
        let console = machine.console();
        assert!(console.ends_with(&format!("processes...\n- runit: {said}\n")), "{first:?} {second:?}: {console}");
    }
}

/// Whatever is in the file, or whatever it is, it is read without waiting, and says nothing.
#[test]
fn adds_a_forged_stop_file_only_stops() {
    if !can_boot() {
        return;
    }
    let long = format!("halt{}\n", " ".repeat(1_000_000));
    for contents in ["halt", "halt\nhalt\n", &long] {
        let scratch = Scratch::new();
        let root = small_system(&scratch);
        let mut machine = Machine::boot(&scratch, &root);
        machine.wait_console("\ntwo\n");
        let stop = root.path().join("run/runit/stopit");
        std::fs::write(&stop, contents).expect("a request");
        std::fs::set_permissions(&stop, std::fs::Permissions::from_mode(0o100)).expect("mode");
        machine.signal(Signal::SIGCONT);
        assert_eq!(machine.wait_end(), MachineEnd::PowerOff);
        let expected = format!("{BOOT_TO_STAGE_2}{SHUTDOWN_OF_STAGE_2}- runit: power off...\n");
        assert_eq!(after_booting(&machine), expected, "{contents:.20}");
    }
}

/// What is in the place of a request and is no plain file asks for nothing, and is in nobody's way.
#[test]
fn adds_only_a_plain_file_is_a_request() {
    if !can_boot() {
        return;
    }
    for is_fifo in [true, false] {
        let scratch = Scratch::new();
        let root = small_system(&scratch);
        let mut machine = Machine::boot(&scratch, &root);
        machine.wait_console("\ntwo\n");
        let place = root.path().join("run/runit");
        let [stop, reboot] = ["stopit", "reboot"].map(|name| place.join(name));
        if is_fifo {
            nix::unistd::mkfifo(&stop, nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
        } else {
            std::fs::create_dir(&stop).expect("a directory");
        }
        std::fs::create_dir(&reboot).expect("a directory");
        machine.signal(Signal::SIGCONT);
        assert!(machine.is_up());
        if !is_fifo {
            let said = "init: fatal: unable to create /run/runit/stopit: is a directory\n";
            assert_eq!(machine.run(&scratch, &["/sbin/init", "0"]), Output::exit(111, "", said));
            assert!(machine.is_up());
            std::fs::remove_dir(&stop).expect("the directory");
        }
        ask(&scratch, &machine, "0");
        assert_eq!(machine.wait_end(), MachineEnd::PowerOff);
        assert!(!machine.console().contains("reboot"), "{}", machine.console());
        // That of the other request is as it was.
        assert_eq!(std::fs::metadata(&reboot).expect("reboot").permissions().mode() & 0o777, 0o755);
    }
}

/// What an earlier boot left in a file of `/etc`, not set, is no word of this one.
#[test]
fn adds_an_old_word_means_nothing() {
    if !can_boot() {
        return;
    }
    let scratch = Scratch::new();
    let root = small_system(&scratch).stage("2", "echo two");
    let stop = root.path().join("etc/runit/stopit");
    std::fs::remove_file(&stop).expect("the link");
    std::fs::write(&stop, "halt\n").expect("a file");
    std::fs::set_permissions(&stop, std::fs::Permissions::from_mode(0o000)).expect("mode");
    let mut machine = Machine::boot(&scratch, &root);
    assert_eq!(machine.wait_end(), MachineEnd::PowerOff);
    assert!(machine.console().ends_with("- runit: power off...\n"), "{}", machine.console());
}

// ---- command mode

/// Runs a shell script with a pid namespace, a mount namespace and an empty /run of its own: whatever happens, the host
/// hears nothing of it.
fn run_apart(scratch: &Scratch, script: &str) -> Output {
    let mut command = scratch.command("unshare");
    let whole = format!("set -e; mount -t tmpfs -o mode=755 run /run; {script}");
    command.args(["--pid", "--mount", "--fork", "--kill-child", "--mount-proc", "sh", "-c", &whole]);
    scratch.output(command)
}

#[test]
fn command_usage() {
    if !needs(&["namespaces"]) {
        return;
    }
    let scratch = Scratch::new();
    for words in ["", "9", "''", "halt", "-x"] {
        let usage = Output::exit(0, "", "usage: init 0|6\n\n");
        assert_eq!(
            run_apart(&scratch, &format!("PATH={}:$PATH; init {words}", scratch.programs().display())),
            usage,
            "init {words}"
        );
    }
    let path = scratch.programs().join("runit-init").display().to_string();
    assert_eq!(
        run_apart(&scratch, &format!("{path} 9; ls -A /run")),
        Output::exit(0, "", &format!("usage: {path} 0|6\n\n"))
    );
}

#[test]
fn command_version() {
    if !needs(&["namespaces"]) {
        return;
    }
    let scratch = Scratch::new();
    let output = run_apart(&scratch, "init -V");
    assert_eq!((output.ending, output.stdout.as_str()), (Ending::Exit(0), ""));
    let line = output.stderr.strip_suffix("\n\nusage: init 0|6\n\n").unwrap_or_else(|| panic!("{output:?}"));
    assert_eq!(line.lines().count(), 1, "{output:?}");
}

#[test]
fn runit_must_be_pid_1() {
    if !needs(&["namespaces"]) {
        return;
    }
    let scratch = Scratch::new();
    let expected = Output::exit(111, "", "- runit: fatal: must be run as process no 1.\n");
    assert_eq!(run_apart(&scratch, "(runit) || exit $?"), expected);
    assert_eq!(run_apart(&scratch, "(runit 0 6) || exit $?"), expected);
}

#[test]
fn adds_command_leaves_the_requests_in_run() {
    if !needs(&["namespaces"]) {
        return;
    }
    let scratch = Scratch::new();
    let modes = "stat -c '%a %n' /run/runit/*";
    let off = Output::exit(0, "100 /run/runit/stopit\n", "");
    assert_eq!(run_apart(&scratch, &format!("init 0; {modes}")), off);
    let reboot = Output::exit(0, "100 /run/runit/reboot\n100 /run/runit/stopit\n", "");
    assert_eq!(run_apart(&scratch, &format!("init 6; {modes}")), reboot);
    let off_after_reboot = Output::exit(0, "0 /run/runit/reboot\n100 /run/runit/stopit\n", "");
    assert_eq!(run_apart(&scratch, &format!("init 6; init 0; {modes}")), off_after_reboot);
    let first_letter = Output::exit(0, "100 /run/runit/stopit\n", "");
    assert_eq!(run_apart(&scratch, &format!("init 0foo bar; {modes}")), first_letter);
}

#[test]
fn adds_command_writes_the_second_word_down() {
    if !needs(&["namespaces"]) {
        return;
    }
    let scratch = Scratch::new();
    for (commands, contents) in [
        ("init 0 halt", "halt\n"),
        ("init 0 poweroff", "poweroff\n"),
        ("init 6 kexec", "kexec\n"),
        ("init 6 reboot", "reboot\n"),
        ("init 0 halt now", "halt\n"),
        ("init 0", ""),
        ("init 0 now halt", ""),
        ("init 0 HALT", ""),
        ("init 0 ''", ""),
        ("init 0 halt; init 0", ""),
        ("init 6 kexec; init 0 -t 5", ""),
        ("init 0; init 6 kexec", "kexec\n"),
    ] {
        let output = run_apart(&scratch, &format!("{commands}; stat -c %a /run/runit/stopit; cat /run/runit/stopit"));
        assert_eq!(output, Output::exit(0, &format!("100\n{contents}"), ""), "{commands}");
    }
}

/// A full file system takes the request, but not the word.
#[test]
fn adds_command_needs_no_room_for_the_word() {
    if !needs(&["namespaces"]) {
        return;
    }
    let scratch = Scratch::new();
    let script = "mount -t tmpfs -o size=4k,mode=755 full /run; head -c 4096 /dev/zero >/run/fill
        init 0 halt; stat -c '%a %s' /run/runit/stopit";
    assert_eq!(run_apart(&scratch, script), Output::exit(0, "100 0\n", ""));
}

/// The word is written before the request is set, and that must not be the end of it.
#[test]
fn adds_command_needs_no_size_for_the_word() {
    if !needs(&["namespaces"]) {
        return;
    }
    let scratch = Scratch::new();
    let script = "(ulimit -f 0; exec init 0 halt); stat -c '%a %s' /run/runit/stopit";
    assert_eq!(run_apart(&scratch, script), Output::exit(0, "100 0\n", ""));
}

/// A request is said to be made only where pid 1 looks for it.
#[test]
fn adds_command_says_where_a_request_cannot_be_seen() {
    if !needs(&["namespaces"]) {
        return;
    }
    let scratch = Scratch::new();
    let prepare = "mkdir /run/runit /run/etc; mount --bind /run/etc /etc; mkdir /etc/runit";
    let show = "stat -c '%a %F %n' /run/runit/* /etc/runit/*";
    for (steps, expected) in [
        ("mkfifo /run/runit/stopit", Output::exit(0, "100 regular empty file /run/runit/stopit\n", "")),
        ("ln -s /dev/null /run/runit/stopit", Output::exit(0, "100 regular empty file /run/runit/stopit\n", "")),
        ("rmdir /run/runit; echo >/run/runit", Output::exit(0, "100 regular empty file /etc/runit/stopit\n", "")),
    ] {
        let script =
            format!("{prepare}; {steps}; init 0; {show} 2>/dev/null || true; [ -w /dev/null ] && [ ! -x /dev/null ]");
        let output = run_apart(&scratch, &script);
        assert_eq!(output, expected, "{steps}");
    }
    let script = format!("{prepare}; mkdir /run/runit/reboot; init 6 || echo $?; ls /run/runit /etc/runit");
    let said = "init: fatal: unable to create /run/runit/reboot: is a directory\n";
    assert_eq!(run_apart(&scratch, &script), Output::exit(0, "111\n/etc/runit:\n\n/run/runit:\nreboot\n", said));
    let script = format!(
        "{prepare}; touch /run/runit/stopit /run/runit/reboot; chmod 0 /run/runit/*
        mount --bind /run/etc /run/etc; mount --bind /run/etc /etc; mount -o remount,ro,bind /run
        init 6 || echo $?; {show} 2>/dev/null || true"
    );
    let said = "init: fatal: unable to create /run/runit/reboot: read-only file system\n";
    let left = "111\n0 regular empty file /run/runit/reboot\n0 regular empty file /run/runit/stopit\n";
    assert_eq!(run_apart(&scratch, &script), Output::exit(0, left, said));
}

#[test]
fn command_wakes_pid_1() {
    if !needs(&["namespaces"]) {
        return;
    }
    let scratch = Scratch::new();
    let output = run_apart(&scratch, "trap 'echo CONT' CONT; (exec init 0); wait; echo end");
    assert_eq!(output, Output::exit(0, "CONT\nend\n", ""));
}

#[test]
fn command_of_an_ordinary_user_is_refused() {
    if !needs(&["namespaces", "setpriv"]) {
        return;
    }
    let mut scratch = Scratch::new();
    scratch.use_copied_programs();
    for word in ["0", "6"] {
        let script = format!(
            "trap 'echo CONT' CONT; (setpriv --reuid=65534 --regid=65534 --clear-groups init {word}) || code=$?; ls -A /run; exit $code"
        );
        let output = run_apart(&scratch, &script);
        assert_eq!((output.ending, output.stdout.as_str()), (Ending::Exit(111), ""), "{output:?}");
        assert!(
            output.stderr.starts_with("init: fatal: unable to ") && output.stderr.matches('\n').count() == 1,
            "{output:?}"
        );
    }
}
