//! The words of `sv` that stop and restart, in every state of a real service, and the exit codes of `sv` as an init
//! script.

use std::os::unix::fs::symlink;

use support::{
    Ending, FakeService, LISTEN, LISTEN_AND_STAY, Output, Scratch, Service, State, Status, Supervisor, wait_until,
};

/// A service that was brought into a state.
struct Subject {
    scratch: Scratch,
    service: Service,
    runsv: Supervisor,
    /// The process that the status shows, 0 for none.
    pid: u32,
}

impl Subject {
    fn supervise(scratch: Scratch, service: Service) -> Subject {
        let runsv = scratch.supervise(&service);
        Subject { scratch, service, runsv, pid: 0 }
    }

    /// The first second is over: the original counts in whole ones (K30).
    #[track_caller]
    fn wait_age(&self) {
        wait_until("an age of two seconds", || {
            (Status::of(State::Run, 0, 'u', 0).seconds >= self.service.status().seconds + 2).then_some(())
        });
    }

    /// `./run` runs, and ends on TERM or not.
    fn running(body: &str) -> Subject {
        let scratch = Scratch::new();
        let service = scratch.service("web").run(body);
        let mut subject = Subject::supervise(scratch, service);
        subject.service.wait_lines("starts", 1);
        subject.pid = subject.service.wait_running();
        subject.wait_age();
        subject
    }

    fn obedient() -> Subject {
        Subject::running(LISTEN)
    }

    fn stubborn() -> Subject {
        Subject::running(LISTEN_AND_STAY)
    }

    fn down() -> Subject {
        let scratch = Scratch::new();
        let service = scratch.service("web").run(LISTEN).down();
        let subject = Subject::supervise(scratch, service);
        subject.service.wait_stat("down");
        subject
    }

    /// `./finish` hangs, deaf to TERM.
    fn finishing() -> Subject {
        let scratch = Scratch::new();
        let service =
            scratch.service("web").run("echo $$ >>starts").finish("trap '' TERM; echo >>finishes; exec sleep 1000");
        let mut subject = Subject::supervise(scratch, service);
        subject.service.wait_lines("finishes", 1);
        subject.pid = subject.service.wait_stat("finish").pid;
        subject.wait_age();
        subject
    }

    /// `./run` is tried again and again.
    fn failing() -> Subject {
        let scratch = Scratch::new();
        let service = scratch.service("web").executable("run", "#!/no/such/interpreter\n");
        let subject = Subject::supervise(scratch, service);
        subject.runsv.wait_stderr("unable to start ./run: file does not exist");
        subject
    }

    #[track_caller]
    fn sv(&self, words: &str, expected: &Output) {
        let words: Vec<&str> = words.split(' ').chain(["web"]).collect();
        assert_eq!(self.scratch.sv(&words).without_numbers(), *expected, "sv {words:?}");
    }

    #[track_caller]
    fn assert_same(&mut self) {
        assert_eq!(self.service.status().pid, self.pid);
        assert!(support::is_alive(self.pid) && self.runsv.try_wait().is_none());
    }

    #[track_caller]
    fn assert_new(&self) {
        let new = self.service.wait_running_other_than(self.pid);
        assert!(support::is_alive(new));
        wait_until("the end of the old process", || (!support::is_alive(self.pid)).then_some(()));
    }

    #[track_caller]
    fn assert_down(&mut self) {
        self.service.wait_stat("down");
        assert!(self.runsv.try_wait().is_none());
        assert!(self.pid == 0 || !support::is_alive(self.pid));
    }

    #[track_caller]
    fn assert_gone(&mut self) {
        assert_eq!(self.runsv.wait(), Ending::Exit(0));
        assert!(self.pid == 0 || !support::is_alive(self.pid));
        assert_eq!((self.service.stat(), self.service.status().pid), ("down\n".to_owned(), 0));
    }
}

fn ok(line: &str) -> Output {
    Output::exit(0, &format!("ok: {line}\n"), "")
}

fn late(line: &str) -> Output {
    Output::exit(1, &format!("timeout: {line}\n"), "")
}

fn killed(line: &str) -> Output {
    Output::exit(1, &format!("kill: {line}\n"), "")
}

// ---- a service that obeys

#[test]
fn obedient_service_and_words_that_stop() {
    for word in ["stop", "force-stop", "D", "-v down"] {
        let mut subject = Subject::obedient();
        subject.sv(word, &ok("down: web: Ns, normally up"));
        subject.assert_down();
    }
}

#[test]
fn obedient_service_and_words_that_restart() {
    for word in ["restart", "force-restart", "force-reload", "try-restart", "T"] {
        let subject = Subject::obedient();
        subject.sv(word, &ok("run: web: (pid P) Ns"));
        subject.assert_new();
    }
}

#[test]
fn obedient_service_and_words_that_end_its_supervisor() {
    for word in ["shutdown", "force-shutdown", "X", "E", "-v exit"] {
        let mut subject = Subject::obedient();
        subject.sv(word, &ok("web: runsv not running"));
        subject.assert_gone();
    }
}

// ---- a service that is down

#[test]
fn stopped_service_stays_down_unless_it_is_told_up() {
    for word in ["stop", "force-stop", "force-reload", "try-restart"] {
        let mut subject = Subject::down();
        subject.sv(word, &ok("down: web: Ns"));
        subject.assert_down();
        assert_eq!(subject.service.lines("starts").len(), 0, "sv {word}");
    }
    for word in ["start", "restart", "force-restart"] {
        let subject = Subject::down();
        subject.sv(word, &ok("run: web: (pid P) Ns, normally down"));
        subject.assert_new();
    }
}

#[test]
fn stopped_service_and_words_that_end_its_supervisor() {
    for word in ["shutdown", "force-shutdown"] {
        let mut subject = Subject::down();
        subject.sv(word, &ok("web: runsv not running"));
        subject.assert_gone();
    }
}

// ---- a service that is deaf to TERM

#[test]
fn stubborn_service_outlives_words_without_force() {
    for (word, line) in [
        ("stop", "run: web: (pid P) Ns, want down, got TERM"),
        ("try-restart", "run: web: (pid P) Ns, got TERM"),
        ("restart", "run: web: (pid P) Ns, got TERM"),
        ("shutdown", "run: web: (pid P) Ns, want down, got TERM"),
    ] {
        let mut subject = Subject::stubborn();
        subject.sv(&format!("-w1 {word}"), &late(line));
        subject.assert_same();
    }
}

#[test]
fn stubborn_service_is_killed_by_words_with_force() {
    let mut subject = Subject::stubborn();
    subject.sv("-w1 force-stop", &killed("run: web: (pid P) Ns, want down, got TERM"));
    subject.assert_down();
    for word in ["force-restart", "force-reload"] {
        let subject = Subject::stubborn();
        subject.sv(&format!("-w1 {word}"), &killed("run: web: (pid P) Ns, got TERM"));
        subject.assert_new();
    }
}

#[test]
fn mends_k2_stubborn_service_is_killed_and_its_supervisor_ends() {
    let mut subject = Subject::stubborn();
    subject.sv("-w1 force-shutdown", &killed("run: web: (pid P) Ns, want down, got TERM"));
    subject.assert_gone();
}

/// CONT is part of stopping: the process goes on, deaf as it is, and is not called paused any more.
#[test]
fn mends_k18_paused_service_is_killed_by_words_with_force() {
    let mut subject = Subject::stubborn();
    subject.sv("-v pause", &ok("run: web: (pid P) Ns, paused"));
    subject.sv("-w1 force-stop", &killed("run: web: (pid P) Ns, want down, got TERM"));
    subject.assert_down();
}

// ---- a service whose ./finish hangs

#[test]
fn hung_finish_outlives_words_without_force() {
    for (word, line) in [
        ("stop", "finish: web: (pid P) Ns, want down"),
        ("restart", "finish: web: (pid P) Ns"),
        ("try-restart", "finish: web: (pid P) Ns"),
        ("shutdown", "finish: web: (pid P) Ns, want down"),
    ] {
        let mut subject = Subject::finishing();
        subject.sv(&format!("-w1 {word}"), &late(line));
        subject.assert_same();
    }
}

#[test]
fn mends_k1_hung_finish_is_killed_by_words_with_force() {
    let mut subject = Subject::finishing();
    subject.sv("-w1 force-stop", &killed("finish: web: (pid P) Ns, want down"));
    subject.assert_down();
    assert_eq!(subject.service.lines("finishes").len(), 1, "it was run again");
    for word in ["force-restart", "force-reload"] {
        let subject = Subject::finishing();
        subject.sv(&format!("-w1 {word}"), &killed("finish: web: (pid P) Ns"));
        subject.service.wait_lines("starts", 2);
        wait_until("the end of the old finish", || (!support::is_alive(subject.pid)).then_some(()));
    }
    let mut subject = Subject::finishing();
    subject.sv("-w1 force-shutdown", &killed("finish: web: (pid P) Ns, want down"));
    subject.assert_gone();
}

// ---- a service that cannot be started

/// It is down between two starts anyway: that alone is no success.
#[test]
fn mends_k6_stop_of_a_failing_service_is_done_when_it_was_heard() {
    for word in ["stop", "force-stop"] {
        let mut subject = Subject::failing();
        subject.sv(&format!("-w30 {word}"), &ok("down: web: Ns, normally up"));
        subject.assert_down();
    }
}

#[test]
fn failing_service_and_words_that_end_its_supervisor() {
    for word in ["shutdown", "force-shutdown"] {
        let mut subject = Subject::failing();
        subject.sv(&format!("-w30 {word}"), &ok("web: runsv not running"));
        subject.assert_gone();
    }
}

// ---- nobody supervises it

#[test]
fn unsupervised_service_is_a_failure_but_for_words_that_end_the_supervisor() {
    let scratch = Scratch::new();
    drop(FakeService::create(scratch.service("web"), Status::of(State::Run, 4242, 'u', 100)));
    for word in
        ["force-stop", "force-restart", "force-reload", "try-restart", "restart", "reload", "stop", "check", "D", "T"]
    {
        let expected = Output::exit(1, "fail: web: runsv not running\n", "");
        assert_eq!(scratch.sv(&[word, "web"]), expected, "sv {word}");
    }
    for word in ["shutdown", "force-shutdown", "X", "E"] {
        assert_eq!(scratch.sv(&[word, "web"]), ok("web: runsv not running"), "sv {word}");
    }
}

/// A good service, a deaf one and one that nobody supervises, in one call: each gets its own.
#[test]
fn services_in_different_states_in_one_call() {
    let subject = Subject::stubborn();
    let scratch = &subject.scratch;
    let good = scratch.service("good").run(LISTEN);
    let _runsv = scratch.supervise(&good);
    good.wait_lines("starts", 1);
    scratch.directory("nosup");
    let output = scratch.sv(&["-w2", "force-stop", "nosup", "web", "good"]).without_numbers();
    let expected = "warning: nosup: unable to open supervise/ok: file does not exist\n\
                    ok: down: good: Ns, normally up\n\
                    kill: run: web: (pid P) Ns, want down, got TERM\n";
    assert_eq!(output, Output::exit(2, expected, ""));
    subject.service.wait_stat("down");
}

// ---- exit codes of an init script

fn init_script(scratch: &Scratch, name: &str, words: &str) -> Output {
    let link = scratch.directory("init.d").join(name);
    if !link.is_symlink() {
        symlink(scratch.programs().join("sv"), &link).expect("a link");
    }
    let mut command = scratch.command(link.to_str().expect("text"));
    command.args(words.split(' ').filter(|word| !word.is_empty()));
    scratch.output(command).without_numbers()
}

#[test]
fn init_script_codes_through_a_life() {
    let mut subject = Subject::obedient();
    let script = |words: &str| init_script(&subject.scratch, "web", words);
    let running = "run: web: (pid P) Ns";
    assert_eq!(script("status"), Output::exit(0, &format!("{running}\n"), ""));
    assert_eq!(script("start"), ok(running));
    assert_eq!(script("reload"), ok(running));
    assert_eq!(script("stop"), ok("down: web: Ns, normally up"));
    assert_eq!(script("status"), Output::exit(3, "down: web: Ns, normally up\n", ""));
    assert_eq!(script("stop"), ok("down: web: Ns, normally up"));
    assert_eq!(script("try-restart"), ok("down: web: Ns, normally up"));
    assert_eq!(script("start"), ok(running));
    assert_eq!(script("status"), Output::exit(0, &format!("{running}\n"), ""));
    assert_eq!(script("check"), ok(running));
    assert_eq!(script("shutdown"), ok("web: runsv not running"));
    assert_eq!(script("shutdown"), ok("web: runsv not running"));
    let fail = Output::exit(1, "fail: web: runsv not running\n", "");
    for word in ["status", "start", "stop", "restart", "force-stop", "u"] {
        assert_eq!(script(word), fail, "{word}");
    }
    assert_eq!(subject.runsv.wait(), Ending::Exit(0));
}

#[test]
fn init_script_codes_of_what_does_not_obey() {
    let mut subject = Subject::stubborn();
    let run = "run: web: (pid P) Ns, want down, got TERM";
    let script = |words: &str| init_script(&subject.scratch, "web", words);
    assert_eq!(script("-w1 stop"), late(run));
    assert_eq!(script("status"), Output::exit(0, &format!("{run}\n"), ""));
    assert_eq!(script("-w1 force-stop"), killed(run));
    subject.assert_down();
    let finishing = Subject::finishing();
    let line = Output::exit(0, "finish: web: (pid P) Ns\n", "");
    assert_eq!(init_script(&finishing.scratch, "web", "status"), line);
}

#[test]
fn init_script_codes_of_wrong_words() {
    let subject = Subject::down();
    let usage = "usage: web [-w sec] command\n\n";
    for words in ["", "sta", "stat", "s", "startt", "rest", "force", "3", "-w3", "--"] {
        assert_eq!(init_script(&subject.scratch, "web", words), Output::exit(2, "", usage), "{words:?}");
    }
    let option = Output::exit(2, "", &format!("web: illegal option -- z\n{usage}"));
    assert_eq!(init_script(&subject.scratch, "web", "-z status"), option);
    let option = Output::exit(2, "", &format!("web: option requires an argument -- w\n{usage}"));
    assert_eq!(init_script(&subject.scratch, "web", "-w"), option);
}

#[test]
fn mends_k36_init_script_code_of_a_wrong_number() {
    let subject = Subject::down();
    let usage = Output::exit(2, "", "usage: web [-w sec] command\n\n");
    assert_eq!(init_script(&subject.scratch, "web", "-w x start"), usage);
    assert_eq!(subject.service.stat(), "down\n");
}
