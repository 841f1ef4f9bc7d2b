//! `halt`, `poweroff` and `reboot`, always below a pid 1 of their own: on the host they would mean it.

use support::{Ending, Machine, MachineEnd, Root, Scratch, needs};

const STAY: &str = "trap 'echo two got TERM; exit 0' TERM; echo two; while :; do sleep 1000 & wait $!; done";

/// A small system with our pid 1, up to stage 2; `None`, after saying so, where that cannot be done.
fn boot(scratch: &Scratch) -> Option<Machine> {
    if !needs(&["namespaces", "nsenter", "busybox"]) {
        return None;
    }
    let root = Root::create(scratch).stage("1", "echo one").stage("2", STAY).stage("3", "echo three");
    let machine = Machine::boot(scratch, &root);
    machine.wait_console("\ntwo\n");
    Some(machine)
}

fn goes_down_by_the_stages(program: &str, expected: MachineEnd) {
    let scratch = Scratch::new();
    let Some(mut machine) = boot(&scratch) else { return };
    let output = machine.run(&scratch, &[program]);
    // Where the machine is quick, the program is killed with all the rest.
    assert!(matches!(output.ending, Ending::Exit(0) | Ending::Signal(9)), "{output:?}");
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
    assert_eq!(machine.wait_end(), expected);
    assert!(
        machine
            .console()
            .contains("two got TERM\n- runit: leave stage: /etc/runit/2\n- runit: enter stage: /etc/runit/3\nthree\n"),
        "{}",
        machine.console()
    );
}

#[test]
fn adds_poweroff_goes_down_by_the_stages() {
    goes_down_by_the_stages("/sbin/poweroff", MachineEnd::PowerOff);
}

#[test]
fn adds_halt_goes_down_by_the_stages() {
    goes_down_by_the_stages("/sbin/halt", MachineEnd::PowerOff);
}

#[test]
fn adds_reboot_goes_down_by_the_stages() {
    goes_down_by_the_stages("/sbin/reboot", MachineEnd::Reboot);
}

/// `-f` asks the kernel at once: the namespace ends in the middle of the call, so nothing is known of the caller's end.
fn goes_down_at_once(program: &str, expected: MachineEnd) {
    let scratch = Scratch::new();
    let Some(mut machine) = boot(&scratch) else { return };
    let caller = machine.run(&scratch, &[program, "-f"]);
    assert!(matches!(caller.ending, Ending::Signal(_)) || caller.stderr.is_empty(), "{caller:?}");
    assert_eq!(machine.wait_end(), expected);
    assert!(!machine.console().contains("three"), "{}", machine.console());
}

#[test]
fn adds_forced_poweroff_is_at_once() {
    goes_down_at_once("/sbin/poweroff", MachineEnd::PowerOff);
}

#[test]
fn adds_forced_halt_is_at_once() {
    goes_down_at_once("/sbin/halt", MachineEnd::PowerOff);
}

#[test]
fn adds_forced_reboot_is_at_once() {
    goes_down_at_once("/sbin/reboot", MachineEnd::Reboot);
}

#[test]
fn adds_unknown_options_are_refused() {
    for program in ["halt", "poweroff", "reboot"] {
        let scratch = Scratch::new();
        let Some(mut machine) = boot(&scratch) else { return };
        let output = machine.run(&scratch, &[&format!("/sbin/{program}"), "-x"]);
        assert_ne!(output.ending, Ending::Exit(0), "{program}: {output:?}");
        assert!(output.stdout.is_empty() && output.stderr.contains("usage: "), "{program}: {output:?}");
        assert!(machine.is_up(), "{program} -x took the machine down");
    }
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
            assert!(!output.stderr.is_empty(), "{program}: {output:?}");
            assert!(machine.is_up(), "{program} took the machine down for nobody");
        }
    }
}
