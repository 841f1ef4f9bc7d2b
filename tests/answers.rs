//! What `sv` says is true when it says it: of a service that still ends, of several, and of many with few descriptors.

use nix::sys::signal::Signal;
use support::{
    Ending, LISTEN, LISTEN_AND_STAY, Output, Scratch, Service, Supervisor, is_alive, send_signal, wait_until,
};

/// The pid in an answer of `sv`.
#[track_caller]
fn pid_in(output: &Output) -> u32 {
    let text = output.stdout.split_once("(pid ").and_then(|(_, rest)| rest.split_once(')'));
    text.and_then(|(pid, _)| pid.parse().ok()).unwrap_or_else(|| panic!("no pid in {output:?}"))
}

/// What is told of a service that was told to go down just before, and is up again.
#[test]
fn mends_up_right_after_down_names_a_process_that_lives() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN);
    let runsv = scratch.supervise(&service);
    service.wait_running();
    service.wait_lines("starts", 1);
    for round in 0..8 {
        assert_eq!(scratch.sv(&["down", "web"]), Output::exit(0, "", ""));
        let answer = scratch.sv(&["-v", "-w", "60", "up", "web"]);
        let named = pid_in(&answer);
        assert_eq!(answer.without_numbers(), Output::exit(0, "ok: run: web: (pid P) Ns\n", ""), "round {round}");
        assert!(is_alive(named), "round {round}: {answer:?}");
        // It is the last one: nothing that was sent before comes to it later.
        wait_until("its start, or its end", || {
            (service.lines("starts").last() == Some(&named.to_string()) || !is_alive(named)).then_some(())
        });
        service.send("h");
        wait_until("HUP, or its end", || {
            let heard = service.lines("signals").iter().filter(|signal| *signal == "HUP").count();
            (heard == round + 1 || !is_alive(named)).then_some(())
        });
        assert_eq!((service.wait_stat("run").pid, is_alive(named)), (named, true), "round {round}: {}", runsv.stderr());
    }
}

/// One after the other is told as soon as it is done, not in the order in which they are named.
#[test]
fn mends_exit_of_a_slow_one_keeps_no_other_from_being_told() {
    let scratch = Scratch::new();
    let slow = scratch.service("slow").run(LISTEN_AND_STAY);
    let logged = scratch.service("logged").run(LISTEN).log_run("exec cat >>../lines");
    let mut supervisors = [&slow, &logged].map(|service| scratch.supervise(service));
    let pid = slow.wait_running();
    logged.wait_running();
    logged.log().wait_running();
    for service in [&slow, &logged] {
        service.wait_lines("starts", 1);
    }
    let mut command = scratch.command("sv");
    command.args(["-w", "1000", "exit", "slow", "logged"]);
    let mut sv = scratch.start(command, Signal::SIGKILL);
    wait_until(&format!("logged to be told: {:?}", sv.stdout()), || sv.stdout().contains(": logged: ").then_some(()));
    assert_eq!((sv.try_wait(), is_alive(pid)), (None, true), "{}", sv.stdout());
    assert!(!sv.stdout().contains(": slow: "), "{}", sv.stdout());
    send_signal(pid, Signal::SIGKILL);
    let output = sv.output();
    assert_eq!(output, Output::exit(0, "ok: logged: runsv not running\nok: slow: runsv not running\n", ""));
    assert_eq!(supervisors.each_mut().map(Supervisor::wait), [Ending::Exit(0); 2]);
}

#[test]
fn mends_restart_of_many_with_few_descriptors() {
    let scratch = Scratch::new();
    let names: Vec<String> = (0..60).map(|number| format!("web{number}")).collect();
    let services: Vec<Service> = names.iter().map(|name| scratch.service(name).run("exec sleep 1000")).collect();
    let _supervisors: Vec<_> = services.iter().map(|service| scratch.runsv(&service.name())).collect();
    let before: Vec<u32> = services.iter().map(Service::wait_running).collect();
    let mut command = scratch.command("sh");
    command.args(["-c", "ulimit -n 24 && exec sv -w 60 restart \"$@\"", "sh"]).args(&names);
    let output = scratch.output(command);
    let shown = output.without_numbers();
    let mut told: Vec<&str> = shown.stdout.lines().collect();
    told.sort_unstable();
    let mut expected: Vec<String> = names.iter().map(|name| format!("ok: run: {name}: (pid P) Ns")).collect();
    expected.sort_unstable();
    assert_eq!((output.ending, shown.stderr.as_str()), (Ending::Exit(0), ""), "{output:?}");
    assert_eq!(told, expected);
    for (service, old) in services.iter().zip(before) {
        service.wait_running_other_than(old);
        assert!(!is_alive(old), "{}", service.name());
    }
}
