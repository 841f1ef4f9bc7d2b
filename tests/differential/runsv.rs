//! What stands in runsv.md: its start and end, what it starts and how, control scripts, logs, signals.

use std::os::unix::fs::symlink;

use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::Signal;
use support::{send_signal, wait_until};

use crate::cast::Roles;
use crate::play::{LISTEN, NOTE, Play, STAY};
use crate::scenario::{Scenario, scenario};
use crate::words::describe_ending;

/// Notes what a process is given, apart from its pid.
pub const NOTE_SURROUNDINGS: &str = "\
{ echo \"$0 $*\"; pwd; umask; ulimit -n; ulimit -c
env | grep -v -e ^PWD= -e ^OLDPWD= -e ^_= | sort
ls -l /proc/$$/fd >descriptors; sed <descriptors -n 's/.* \\([0-9]*\\) -> /\\1 /p' | sed -e 's/\\[.*//' -e 's/[0-9]*\\.runsv/runsv/'
cat /proc/$$/oom_score_adj; tr '\\0' ' ' </proc/$$/cmdline; echo; } >surroundings";

/// A program that notes its signals. A shell would not do: it sets them at its start.
const NOTE_SIGNALS: &str = "#!/usr/bin/awk -f
BEGIN { while ((getline line <\"/proc/self/status\") > 0) if (line ~ /^Sig(Blk|Ign)/) print line >\"mask\" }
";

/// The scenarios of this part.
pub fn scenarios() -> Vec<Scenario> {
    let mut all = starts();
    all.extend(faults_at_start());
    all.extend(links());
    all.extend(lives());
    all.extend(signals());
    all.extend(accidents());
    all
}

// ---- command line and service directory

fn starts() -> Vec<Scenario> {
    vec![
        scenario("usage of runsv", Roles::Supervisor, |play| {
            play.scratch().file("file", "");
            for words in [&[][..], &["one", "two"], &["-V"], &["--", "x"], &["none"], &["file"], &[""]] {
                play.run("runsv", words);
            }
        }),
        scenario("names of every shape for runsv", Roles::Supervisor, |play| {
            let long = "n".repeat(255);
            for name in ["we b", "-web", "\u{fc}bung", "new\nline", "@tty1", "a%sb", ".hidden", long.as_str()] {
                play.service(name);
                play.launch(name);
                play.supervisor(name).wait_stderr("./run: file does not exist\n");
            }
        }),
        scenario("paths for runsv", Roles::Supervisor, |play| {
            play.service("deep/web");
            let absolute = play.scratch().path().join("deep/web").display().to_string();
            for path in ["deep/web", "./deep/web/", absolute.as_str()] {
                play.launch(path);
                play.supervisor(path).wait_stderr("./run: file does not exist\n");
                play.signal_supervisor(path, Signal::SIGTERM);
                play.ended(path);
            }
        }),
        scenario("down of every type", Roles::Supervisor, |play| {
            let directory = play.service("directory").run(LISTEN).file("down/x", "");
            let dangling = play.service("dangling").run(LISTEN);
            let link = play.service("link").run(LISTEN);
            symlink("nowhere", dangling.path().join("down")).expect("a link");
            symlink("run", link.path().join("down")).expect("a link");
            for service in [directory, dangling, link] {
                play.runsv(&service);
                play.look(&service);
            }
        }),
        scenario("surroundings of run and finish", Roles::Supervisor, |play| {
            let web = play.service("web").run(&format!("{NOTE_SURROUNDINGS}; {NOTE}; exit 7"));
            let web =
                web.finish(&format!("{}; echo $* >>notes", NOTE_SURROUNDINGS.replace(">surroundings", ">of_finish")));
            let mut command = play.scratch().command("runsv");
            command.arg("web").env("KEEP_THIS", "as it is").env("EMPTY", "");
            play.start_as("web", command);
            play.wait_note(&web, "7 0");
            for file in ["surroundings", "of_finish"] {
                let text = std::fs::read_to_string(web.path().join(file)).expect("surroundings");
                play.saw(file, &text);
            }
        }),
        scenario("surroundings of run and its log", Roles::Supervisor, |play| {
            let web = play.service("web").run(&format!("{NOTE_SURROUNDINGS}; {LISTEN}"));
            let web = web.log_run(&format!("{NOTE_SURROUNDINGS}; echo >../noted; exec cat"));
            play.runsv(&web);
            play.wait_listening(&web, 1);
            web.wait_lines("noted", 1);
            for service in [&web, &web.log()] {
                let text = std::fs::read_to_string(service.path().join("surroundings")).expect("surroundings");
                play.saw(&format!("surroundings of {}", service.name()), &text);
            }
        }),
        scenario("signals of run and control scripts", Roles::Supervisor, |play| {
            let web = play.service("web").executable("run", NOTE_SIGNALS);
            let mut command = play.scratch().command("sh");
            command.args(["-c", "trap '' INT QUIT; exec runsv web"]);
            play.start_as("web", command);
            let text = web.wait_lines("mask", 2).join("\n");
            play.saw("of run", &text);
            let mail = play.service("mail").run(LISTEN).executable("control/h", NOTE_SIGNALS);
            play.runsv(&mail);
            play.wait_listening(&mail, 1);
            play.send(&mail, "h");
            let text = mail.wait_lines("mask", 2).join("\n");
            play.saw("of control/h", &text);
        }),
        scenario("group and session", Roles::Supervisor, |play| {
            let web = play.service("web").run(LISTEN).log_run("exec cat");
            play.runsv(&web);
            let of = |pid: u32| support::process_fields(pid).expect("a process")[2..4].to_vec();
            let own = of(play.supervisor("web").pid());
            let (run, log) = (of(web.wait_running()), of(web.log().wait_running()));
            play.saw("of runsv", &format!("run: {}, log: {}", own == run, own == log));
        }),
    ]
}

/// Starts `runsv NAME` and records whether it goes on.
fn try_start(play: &mut Play, name: &str) {
    play.launch(name);
    play.settled_how(name);
}

fn faults_at_start() -> Vec<Scenario> {
    vec![
        scenario("second runsv", Roles::Supervisor, |play| {
            let web = play.service("web").run(LISTEN).log_run("exec cat");
            play.runsv(&web);
            play.wait_listening(&web, 1);
            play.run("runsv", &["web"]);
            play.look(&web);
            play.fenced_notes(&web);
        }),
        scenario("lock of the log is held", Roles::Supervisor, |play| {
            play.service("web").run(LISTEN).log_run("exec cat");
            let lock = play.scratch().file("web/log/supervise/lock", "");
            let held = std::fs::OpenOptions::new().append(true).open(lock).expect("lock");
            let _guard = Flock::lock(held, FlockArg::LockExclusiveNonblock).expect("lock");
            try_start(play, "web");
        }),
        scenario("supervise is a file", Roles::Supervisor, |play| {
            play.service("web").run(LISTEN).file("supervise", "");
            try_start(play, "web");
            play.service("mail").run(LISTEN).log_run("exec cat").file("log/supervise", "");
            try_start(play, "mail");
        }),
        scenario("lock is a directory", Roles::Supervisor, |play| {
            play.service("web").run(LISTEN).file("supervise/lock/x", "");
            try_start(play, "web");
        }),
        scenario("control is no fifo", Roles::Supervisor, |play| {
            play.service("web").run(LISTEN).file("supervise/control", "");
            try_start(play, "web");
            play.service("mail").run(LISTEN).file("supervise/control/x", "");
            try_start(play, "mail");
            let link = play.service("link").run(LISTEN).file("supervise/x", "");
            symlink("nowhere", link.path().join("supervise/control")).expect("a link");
            try_start(play, "link");
        }),
        scenario("control of the log is no fifo", Roles::Supervisor, |play| {
            let web = play.service("web").run(LISTEN).log_run("exec cat").file("log/supervise/control", "");
            play.launch("web");
            // It may turn in a circle from then on.
            let text = wait_until("a refusal, or a start", || {
                let runs = web.lines("notes").len() == 1;
                play.supervisor("web").try_wait().map(describe_ending).or(runs.then(|| "runs".to_owned()))
            });
            play.saw("web", &text);
        }),
        scenario("log is no directory", Roles::Supervisor, |play| {
            let web = play.service("web").run(LISTEN).file("log", "");
            try_start(play, "web");
            play.wait_listening(&web, 1);
            let mail = play.service("mail").run(LISTEN);
            symlink("nowhere", mail.path().join("log")).expect("a link");
            try_start(play, "mail");
            play.wait_listening(&mail, 1);
            let circle = play.service("circle").run(LISTEN);
            symlink("log", circle.path().join("log")).expect("a link");
            try_start(play, "circle");
            play.wait_listening(&circle, 1);
        }),
    ]
}

fn links() -> Vec<Scenario> {
    vec![
        scenario("supervise is a link", Roles::Supervisor, |play| {
            let web = play.service("web").run(LISTEN).log_run("exec cat");
            play.scratch().directory("state");
            symlink("../state/web", web.path().join("supervise")).expect("a link");
            symlink(play.scratch().path().join("state/web-log"), web.path().join("log/supervise")).expect("a link");
            play.runsv(&web);
            play.wait_listening(&web, 1);
            let state = play.scratch().path().join("state");
            play.look_at("state", &state.join("web"));
            play.look_at("state of log", &state.join("web-log"));
        }),
        scenario("supervise is a link to a missing directory in a missing one", Roles::Supervisor, |play| {
            let web = play.service("web").run(LISTEN);
            symlink("../run/runit/web", web.path().join("supervise")).expect("a link");
            try_start(play, "web");
        }),
        scenario("supervise is a link to a dangling link", Roles::Supervisor, |play| {
            let web = play.service("web").run(LISTEN);
            symlink("second", web.path().join("supervise")).expect("a link");
            symlink("third", web.path().join("second")).expect("a link");
            try_start(play, "web");
        }),
        scenario("supervise is a link to itself", Roles::Supervisor, |play| {
            let web = play.service("web").run(LISTEN);
            symlink("supervise", web.path().join("supervise")).expect("a link");
            try_start(play, "web");
        }),
        scenario("supervise is a link of 255 bytes", Roles::Supervisor, |play| long_link(play, 255)),
        scenario("supervise is a link of 256 bytes", Roles::Supervisor, |play| long_link(play, 256)),
    ]
}

fn long_link(play: &mut Play, length: usize) {
    let web = play.service("web").run(LISTEN);
    let target = format!("{}state", "./".repeat((length - 5) / 2 + 1));
    symlink(&target[target.len() - length..], web.path().join("supervise")).expect("a link");
    try_start(play, "web");
}

// ---- starting and ending

fn lives() -> Vec<Scenario> {
    let mut all = vec![
        scenario("run cannot be executed", Roles::Supervisor, |play| {
            let faults = [
                play.service("missing"),
                play.service("mode").file("run", "#!/bin/sh\n"),
                play.service("directory").file("run/x", ""),
                play.service("interpreter").executable("run", "#!/no/such/interpreter\n"),
                play.service("format").executable("run", "echo no first line\n"),
                play.service("empty").executable("run", ""),
                play.service("loop"),
            ];
            symlink("run", faults[6].path().join("run")).expect("a link");
            for service in faults {
                let service = service.finish(NOTE);
                play.launch(&service.name());
                play.wait_note(&service, "finish 111 0");
            }
        }),
        scenario("run is put in place later", Roles::Both, |play| {
            let web = play.service("web").finish(NOTE).down();
            play.runsv(&web);
            play.sv(&["once", "web"]);
            play.wait_note(&web, "finish 111 0");
            play.wait(&web, "down");
            play.sv(&["status", "web"]);
            let web = web.run(LISTEN);
            play.sv(&["start", "web"]);
            play.wait_listening(&web, 1);
            play.look(&web);
        }),
        scenario("finish cannot be executed", Roles::Supervisor, |play| {
            let faults = [
                play.service("mode").file("finish", "#!/bin/sh\n"),
                play.service("directory").file("finish/x", ""),
                play.service("interpreter").executable("finish", "#!/no/such/interpreter\n"),
                play.service("format").executable("finish", "echo no first line\n"),
            ];
            for service in faults {
                let service = service.run(NOTE);
                play.launch(&service.name());
                play.supervisor(&service.name()).wait_stderr("./finish");
                play.wait_note(&service, "run");
            }
            let dangling = play.service("dangling").run(LISTEN);
            symlink("nowhere", dangling.path().join("finish")).expect("a link");
            play.runsv(&dangling);
            play.wait_listening(&dangling, 1);
            play.send(&dangling, "d");
            play.wait(&dangling, "down");
        }),
        scenario("lives of no second", Roles::Supervisor, |play| {
            let web = play.service("web").run(&format!("{NOTE}; exit 1")).finish(NOTE);
            play.launch("web");
            wait_until("two lives", || (web.lines("notes").len() >= 4).then_some(()));
            web.send("d");
            play.wait(&web, "down");
            let lines = web.lines("notes");
            play.saw("notes", &lines[..4].join("\n"));
            play.look(&web);
        }),
        scenario("exit of a service with finish", Roles::Both, |play| {
            let web = play.service("web").run(LISTEN).finish(&format!("{NOTE}; cp supervise/stat seen"));
            play.runsv(&web);
            play.wait_listening(&web, 1);
            play.sv(&["exit", "web"]);
            play.ended("web");
            play.notes(&web);
            play.look(&web);
            let seen = web.lines("seen").join("\n");
            play.saw("stat during finish", &seen);
        }),
        scenario("exit while finish runs", Roles::Supervisor, |play| {
            let web = play.service("web").run("exit 0").finish(&format!("{NOTE}; read -r _ <gate")).gate("gate");
            play.runsv(&web);
            play.wait(&web, "finish");
            play.send(&web, "x");
            play.look(&web);
            web.open_gate("gate");
            play.ended("web");
            play.look(&web);
        }),
        scenario("stray children", Roles::Supervisor, |play| {
            let web = play.service("web").run(&format!("sleep 1000 & {LISTEN}"));
            play.runsv(&web);
            play.wait_listening(&web, 1);
            play.send(&web, "d");
            play.wait(&web, "down");
            let left = play.scratch().processes().into_iter();
            let left = left.filter(|pid| support::command_line(*pid).starts_with(&["sleep".to_owned()])).count();
            play.saw("are left alone", &(left > 0).to_string());
        }),
    ];
    let ends = [
        "exit 0",
        "exit 7",
        "exit 255",
        "kill -TERM $$",
        "kill -KILL $$",
        "ulimit -c 0; kill -SEGV $$",
        "ulimit -c unlimited; kill -SEGV $$",
    ];
    for how in ends {
        all.push(scenario(&format!("finish after {how}"), Roles::Supervisor, move |play| {
            let web = play.service("web").run(how).finish(NOTE).down();
            play.runsv(&web);
            web.send("o");
            web.wait_lines("notes", 1);
            play.wait(&web, "down");
            play.notes(&web);
            play.look(&web);
        }));
    }
    all
}

// ---- signals to runsv

fn signals() -> Vec<Scenario> {
    use Signal::{SIGALRM, SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
    [SIGTERM, SIGCONT, SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGPIPE]
        .into_iter()
        .map(|signal| {
            scenario(&format!("{signal} to runsv"), Roles::Supervisor, move |play| {
                let web = play.service("web").run(LISTEN).finish(NOTE).log_run("exec cat");
                play.runsv(&web);
                play.wait_listening(&web, 1);
                web.log().wait_running();
                play.signal_supervisor("web", signal);
                if signal == SIGTERM || signal == SIGINT {
                    play.ended("web");
                } else {
                    play.settled_how("web");
                }
                play.look(&web);
                play.notes(&web);
            })
        })
        .collect()
}

// ---- accidents

fn accidents() -> Vec<Scenario> {
    vec![
        scenario("new runsv after a kill", Roles::Both, |play| {
            let web = play.service("web").run(LISTEN).log_run("exec cat");
            play.runsv(&web);
            play.wait_listening(&web, 1);
            let (pid, log) = (web.status().pid, web.log().wait_running());
            play.signal_supervisor("web", Signal::SIGKILL);
            play.ended("web");
            play.sv(&["status", "web"]);
            play.runsv(&web);
            web.wait_running();
            web.log().wait_running();
            play.settle(&web);
            let same = format!("run: {}, log: {}", web.status().pid == pid, web.log().status().pid == log);
            play.saw("processes are the same", &same);
            play.look(&web);
        }),
        scenario("control is removed", Roles::Supervisor, |play| removed(play, &["control"])),
        scenario("ok is removed", Roles::Supervisor, |play| removed(play, &["ok"])),
        scenario("supervise is emptied", Roles::Supervisor, |play| {
            removed(play, &["control", "ok", "lock", "pid", "stat", "status"]);
        }),
        scenario("status cannot be replaced", Roles::Supervisor, |play| {
            let web = play.service("web").run(STAY);
            play.runsv(&web);
            play.wait_listening(&web, 1);
            for name in ["stat.new", "status.new", "pid.new"] {
                std::fs::create_dir(web.path().join("supervise").join(name)).expect("a directory in the way");
                play.send(&web, "p");
                play.send(&web, "c");
                std::fs::remove_dir(web.path().join("supervise").join(name)).expect("a directory in the way");
                // Ours tells of trouble once, until there was none.
                play.send(&web, "c");
            }
            let pid = web.status().pid;
            std::fs::create_dir(web.path().join("supervise/pid.new")).expect("a directory in the way");
            web.send("k");
            play.wait_note(&web, "run");
            wait_until("a second start", || {
                (web.lines("notes").iter().filter(|line| *line == "run").count() == 2).then_some(())
            });
            play.settle(&web);
            let kept = web.status().pid == pid;
            play.saw("status tells the old pid", &kept.to_string());
        }),
    ]
}

/// Some files are removed from below a running supervisor; then the service dies twice, so that there is something to be
/// told and more than a second goes by.
fn removed(play: &mut Play, names: &[&str]) {
    let web = play.service("web").run(LISTEN);
    play.runsv(&web);
    play.wait_listening(&web, 1);
    let first = web.status().pid;
    for name in names {
        std::fs::remove_file(web.path().join("supervise").join(name)).expect("a file");
    }
    send_signal(first, Signal::SIGKILL);
    play.wait_listening(&web, 2);
    send_signal(web.wait_running_other_than(first), Signal::SIGKILL);
    play.wait_listening(&web, 3);
    play.look(&web);
}
