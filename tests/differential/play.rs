//! One scenario in one combination: what a scenario can do, and the record of what it saw.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::Signal;
use support::{
    Ending, Scratch, Service, Status, Supervisor, has_pending_signals, polls, send_signal, system_call, wait_until,
    waits, without_numbers,
};

use crate::cast::{Client, Combination, Programs};
use crate::idle::{is_drained, runs_command};
use crate::words::{
    describe, describe_ending, describe_status, describe_supervise, distinct, number, without_last_pid,
};

/// A script that notes in `notes` that it was started and every signal, and ends at TERM. CONT is not noted: it comes
/// together with the TERM that ends it, and whether there is time to note it is left to chance.
pub const LISTEN: &str = "\
for signal in HUP INT QUIT USR1 USR2 ALRM WINCH; do trap \"echo $signal >>notes\" $signal; done
trap 'echo TERM >>notes; exit 0' TERM
echo ${0#./} \"$@\" >>notes
while :; do sleep 1000 >/dev/null 2>&1 & wait $!; done";

/// The same, but TERM is only noted.
pub const STAY: &str = "\
for signal in HUP INT QUIT USR1 USR2 ALRM CONT WINCH TERM; do trap \"echo $signal >>notes\" $signal; done
echo ${0#./} \"$@\" >>notes
while :; do sleep 1000 >/dev/null 2>&1 & wait $!; done";

/// A script that notes that it was started, with its arguments, and ends.
pub const NOTE: &str = "echo ${0#./} \"$@\" >>notes";

/// The signal that asks a listening script whether it has noted all that came before.
const FENCE: &str = "WINCH";

/// What was seen: labels in order, each with its text.
pub type Seen = Vec<(String, String)>;

/// A scenario on the stage.
pub struct Play {
    scratch: Scratch,
    combination: Combination,
    next: PathBuf,
    programs: [PathBuf; 2],
    supervisors: Vec<(String, Supervisor)>,
    forgotten: Vec<String>,
    seen: Seen,
}

impl Play {
    /// An empty directory for this combination.
    pub fn new(combination: Combination, ours: &Path, reference: &support::Reference) -> Play {
        let of = |programs| match programs {
            Programs::Runit => reference.programs.as_path(),
            Programs::Ours => ours,
        };
        let (first, next) = match combination {
            Combination::Supervised { supervisor, client: Client::Test } => (supervisor, PathBuf::new()),
            Combination::Supervised { supervisor, client: Client::Sv(programs) } => {
                (supervisor, of(programs).join("sv"))
            }
            Combination::Supervised { supervisor, client: Client::Busybox } => (supervisor, reference.busybox.clone()),
            Combination::Logged { first, next } => (first, of(next).join("svlogd")),
            Combination::Command { programs } => (programs, PathBuf::new()),
        };
        let scratch = Scratch::with_programs(of(first).to_owned());
        let programs = [Programs::Runit, Programs::Ours].map(|programs| of(programs).to_owned());
        Play { scratch, combination, next, programs, supervisors: Vec::new(), forgotten: Vec::new(), seen: Vec::new() }
    }

    /// What was seen, with what the supervisors have said at the end.
    pub fn end(mut self) -> Seen {
        for (name, supervisor) in std::mem::take(&mut self.supervisors) {
            self.saw(&format!("stdout of {name}"), &distinct(&supervisor.stdout()));
            if !self.forgotten.contains(&name) {
                self.saw(&format!("stderr of {name}"), &distinct(&supervisor.stderr()));
            }
        }
        self.seen
    }

    /// Records a text under a label. A label that comes again gets a number.
    pub fn saw(&mut self, label: &str, text: &str) {
        let text = without_numbers(text.trim_end_matches('\n'));
        let lines: Vec<&str> = text.split('\n').map(without_last_pid).collect();
        self.saw_exactly(label, &lines.join("\n"));
    }

    /// Records a text with all its numbers.
    pub fn saw_exactly(&mut self, label: &str, text: &str) {
        let label = self.without_paths(label);
        let again =
            self.seen.iter().filter(|(have, _)| *have == label || have.starts_with(&format!("{label} #"))).count();
        let label = if again == 0 { label } else { format!("{label} #{}", again + 1) };
        self.seen.push((label, self.without_paths(text)));
    }

    fn without_paths(&self, text: &str) -> String {
        let text = text.replace(&self.scratch.path().display().to_string(), "SCRATCH");
        let text = text.replace(&self.scratch.programs().display().to_string(), "PROGRAMS");
        text.replace(concat!("pipit ", env!("CARGO_PKG_VERSION")), "pipit VERSION")
    }

    /// The directory of the play.
    pub fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// Puts the first programs where every user can reach them.
    pub fn use_copied_programs(&mut self) {
        self.scratch.use_copied_programs();
    }

    /// Where a set of programs is.
    pub fn programs(&self, programs: Programs) -> &Path {
        match programs {
            Programs::Runit => &self.programs[0],
            Programs::Ours => &self.programs[1],
        }
    }

    /// A new service directory, empty.
    pub fn service(&self, name: &str) -> Service {
        self.scratch.service(name)
    }

    // ---- supervisors

    /// Starts `runsv NAME` and waits until it can be told something.
    pub fn runsv(&mut self, service: &Service) {
        let mut command = self.scratch.command("runsv");
        command.arg(service.name());
        self.start(service, command);
    }

    /// Starts `runsv NAME` and waits for nothing.
    pub fn launch(&mut self, name: &str) {
        let runsv = self.scratch.runsv(name);
        self.supervisors.push((name.to_owned(), runsv));
    }

    /// Starts a command that becomes the runsv of a service.
    pub fn start(&mut self, service: &Service, command: Command) {
        let runsv = self.scratch.start(command, Signal::SIGTERM);
        self.supervisors.push((service.name(), runsv));
        wait_until("a supervisor", || service.is_supervised().then_some(()));
        self.settle(service);
    }

    /// Starts `runsvdir` with these words.
    pub fn runsvdir(&mut self, words: &[&str]) {
        let runsvdir = self.scratch.runsvdir(words);
        self.supervisors.push(("runsvdir".to_owned(), runsvdir));
    }

    /// Starts a command that is a supervisor of no single service.
    pub fn start_as(&mut self, name: &str, command: Command) {
        let supervisor = self.scratch.start(command, Signal::SIGTERM);
        self.supervisors.push((name.to_owned(), supervisor));
    }

    /// The last supervisor of this name.
    pub fn supervisor(&mut self, name: &str) -> &mut Supervisor {
        let found = self.supervisors.iter_mut().rev().find(|(have, _)| have == name);
        &mut found.expect("a supervisor of this name").1
    }

    /// Sends a signal to the supervisor of a service.
    pub fn signal_supervisor(&mut self, name: &str, signal: Signal) {
        self.supervisor(name).signal(signal);
    }

    /// What this supervisor says is not compared: the order of it, or how much, is left to chance.
    pub fn forget_stderr(&mut self, name: &str) {
        self.forgotten.push(name.to_owned());
    }

    /// Waits until the supervisor has ended, and records how.
    pub fn ended(&mut self, name: &str) {
        let ending = self.supervisor(name).wait();
        self.saw(&format!("end of {name}"), &describe_ending(ending));
    }

    /// Waits until the supervisor has nothing left to do: no byte in its fifos, no signal pending, no script of a command
    /// running, and it polls. Or until it has ended.
    pub fn settle(&mut self, service: &Service) {
        let service = if service.name() == "log" { service.path().parent().expect("a parent") } else { service.path() };
        let name = service.file_name().expect("a name").to_string_lossy();
        let pid = self.supervisor(&name).pid();
        let fifos = [service.join("supervise/control"), service.join("log/supervise/control")];
        let ended = |play: &mut Play| play.supervisor(&name).try_wait().is_some();
        wait_until("a supervisor that waits", || {
            let is_idle = || {
                // If it has not run meanwhile, all of this was so at one moment.
                let switches = support::context_switches(pid);
                let waits = polls(pid) && fifos.iter().all(|fifo| is_drained(fifo)) && !runs_command(pid);
                waits && !has_pending_signals(pid) && support::context_switches(pid) == switches
            };
            (ended(self) || is_idle()).then_some(())
        });
    }

    /// Waits until the supervisor has ended, waits for somebody's lock, or waits for work, and records which.
    pub fn settled_how(&mut self, name: &str) {
        let text = wait_until("an end, or a supervisor that waits", || {
            let supervisor = self.supervisor(name);
            let pid = supervisor.pid();
            supervisor.try_wait().map(describe_ending).or_else(|| match system_call(pid) {
                Some(nix::libc::SYS_flock) => Some("waits for a lock".to_owned()),
                _ => waits(pid).then(|| "runs".to_owned()),
            })
        });
        self.saw(&format!("end of {name}"), &text);
    }

    /// Runs a program of the supervisor's set to its end, and records all of it.
    pub fn run(&mut self, program: &str, words: &[&str]) {
        let mut command = self.scratch.command(program);
        command.args(words);
        self.record(&format!("{program} {}", words.join(" ")), command);
    }

    // ---- clients

    /// The client, or the `svlogd` that goes on, with these words, ready to be started.
    pub fn client(&self, words: &[&str]) -> Command {
        let mut command = self.scratch.command(self.next.to_str().expect("text"));
        command.args(words);
        command
    }

    /// Runs the client and records all of it.
    pub fn sv(&mut self, words: &[&str]) {
        let command = self.client(words);
        self.record(&format!("sv {}", words.join(" ")), command);
    }

    /// Runs `sv` under another name.
    pub fn init_script(&mut self, name: &str, words: &[&str]) {
        let mut command = self.client(words);
        command.arg0(format!("/etc/init.d/{name}"));
        self.record(&format!("{name} {}", words.join(" ")), command);
    }

    /// Runs `sv` with several services, and records the line of each under its name: in which order they come depends on
    /// when the client looks.
    pub fn sv_each(&mut self, label: &str, words: &[&str], names: &[&str]) {
        let command = self.client(&[words, names].concat());
        let output = self.scratch.output(command);
        for name in names {
            let of_service = |line: &&str| line.contains(&format!(": {name}: "));
            let lines: Vec<&str> = output.stdout.lines().filter(of_service).collect();
            self.saw(&format!("{label}{name}"), &lines.join("\n"));
        }
        let signs = ["fail: ", "warning: ", "timeout: ", "kill: "];
        let failures = output.stdout.lines().filter(|line| signs.iter().any(|sign| line.starts_with(sign))).count();
        let is_right = output.ending == Ending::Exit(i32::try_from(failures).expect("few"));
        self.saw(&format!("{label}exit code"), if is_right { "the number of failures" } else { "another" });
        self.saw(&format!("{label}stderr"), &output.stderr);
    }

    /// Runs a command to its end and records all of it.
    pub fn record(&mut self, label: &str, command: Command) {
        let output = self.scratch.output(command);
        self.saw(label.trim_end(), &describe(&output));
    }

    /// Tells a service one letter in the way of the client, and waits until the supervisor has taken it.
    pub fn tell(&mut self, service: &Service, letter: char) {
        let name = service.name();
        let command = match self.combination {
            Combination::Supervised { client: Client::Sv(_), .. } => self.client(&[&letter.to_string(), &name]),
            Combination::Supervised { client: Client::Busybox, .. } => {
                self.client(&["svc", &format!("-{letter}"), &format!("./{name}")])
            }
            Combination::Supervised { client: Client::Test, .. }
            | Combination::Logged { .. }
            | Combination::Command { .. } => {
                service.send(&letter.to_string());
                return self.settle(service);
            }
        };
        self.record(&format!("tell {letter} {name}"), command);
        self.settle(service);
    }

    /// Writes control bytes in one write, and waits until they are taken.
    pub fn send(&mut self, service: &Service, bytes: &str) {
        service.send(bytes);
        self.settle(service);
    }

    // ---- what there is to see

    /// Records the files of a supervise directory.
    pub fn look(&mut self, service: &Service) {
        let name = service.path().strip_prefix(self.scratch.path()).expect("in the directory").display().to_string();
        self.look_at(&format!("look {name}"), &service.path().join("supervise"));
    }

    /// Records the files of a supervise directory at this path.
    pub fn look_at(&mut self, label: &str, supervise: &Path) {
        let text = describe_supervise(supervise);
        self.saw(label, &text);
    }

    /// Records what `stat` and `status` say.
    pub fn look_at_state(&mut self, service: &Service) {
        let bytes = service.status_bytes().unwrap_or_default();
        let text = format!(
            "{}{}",
            service.stat(),
            describe_status(&bytes, service.pid_text().map_or(0, |text| number(&text)))
        );
        self.saw(&format!("state of {}", service.name()), &text);
    }

    /// Records what the scripts of a service have noted so far.
    pub fn notes(&mut self, service: &Service) {
        let lines: Vec<_> = service.lines("notes").into_iter().filter(|line| line != FENCE).collect();
        self.saw(&format!("notes of {}", service.name()), &lines.join("\n"));
    }

    /// Records which control scripts have run, and with how many arguments.
    pub fn scripts(&mut self, service: &Service) {
        let lines = service.lines("scripts");
        self.saw(&format!("control scripts of {}", service.name()), &lines.join("\n"));
    }

    /// Waits until the process of the service has noted all signals that it got so far, and records the notes.
    pub fn fenced_notes(&mut self, service: &Service) {
        self.settle(service);
        let fences = || service.lines("notes").iter().filter(|line| *line == FENCE).count();
        let before = fences();
        send_signal(service.status().pid, Signal::SIGWINCH);
        wait_until("all signals to be noted", || (fences() > before).then_some(()));
        self.notes(service);
    }

    /// Waits until `stat` is this line, and `status` says the same; the supervisor waits by then.
    pub fn wait(&mut self, service: &Service, line: &str) {
        wait_stat(service, line);
        self.settle(service);
    }

    /// Waits until nothing runs.
    pub fn wait_down(&mut self, service: &Service) {
        wait_until("a service that is down", || service.stat().starts_with("down").then_some(()));
        self.settle(service);
    }

    /// Waits until `./run` runs and has noted its start for this many times.
    pub fn wait_listening(&mut self, service: &Service, starts: usize) {
        let count = || service.lines("notes").iter().filter(|line| *line == "run").count();
        wait_until("the script to listen", || (count() >= starts).then_some(()));
        service.wait_running();
        self.settle(service);
    }

    /// Waits for a line among the notes.
    pub fn wait_note(&self, service: &Service, line: &str) {
        service.wait_line("notes", line);
    }
}

/// Waits until the files of a service say this.
fn wait_stat(service: &Service, line: &str) {
    wait_until(&format!("stat {line:?} of {}", service.name()), || {
        (service.stat() == format!("{line}\n")).then_some(())
    });
    let (word, _) = line.split_once(',').unwrap_or((line, ""));
    wait_until("the status of the same state", || {
        let status = Status::decode(&service.status_bytes()?).ok()?;
        (format!("{:?}", status.state).to_lowercase() == word).then_some(())
    });
}
