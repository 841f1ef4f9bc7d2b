//! What stands in sv.md, with a test that plays the supervisors: every status that there can be is shown to each `sv`.

use std::os::unix::fs::symlink;

use support::{FakeService, State, Status};

use crate::cast::Roles;
use crate::play::Play;
use crate::scenario::{Scenario, scenario};

/// The commands that wait, and those that do with -v.
const WAITING: [&str; 28] = [
    "start",
    "stop",
    "shutdown",
    "restart",
    "reload",
    "force-reload",
    "force-restart",
    "force-shutdown",
    "force-stop",
    "try-restart",
    "check",
    "D",
    "T",
    "X",
    "E",
    "up",
    "down",
    "once",
    "pause",
    "cont",
    "hup",
    "alarm",
    "interrupt",
    "quit",
    "1",
    "2",
    "term",
    "kill",
];

/// Words for an init script.
const INIT_WORDS: [&str; 20] = [
    "start",
    "stop",
    "restart",
    "reload",
    "shutdown",
    "force-reload",
    "force-restart",
    "force-stop",
    "force-shutdown",
    "try-restart",
    "check",
    "up",
    "u",
    "down",
    "once",
    "hup",
    "term",
    "exit",
    "x",
    "1",
];

/// The scenarios of this part.
pub fn scenarios() -> Vec<Scenario> {
    let mut all = command_lines();
    all.extend(statuses());
    all.extend(places());
    for word in WAITING {
        all.push(scenario(&format!("sv {word} of every status"), Roles::Client, move |play| every_status(play, word)));
    }
    all.extend(check_scripts());
    all.extend(init_scripts());
    for word in INIT_WORDS {
        all.push(scenario(&format!("init script with {word}"), Roles::Client, move |play| init_word(play, word)));
    }
    all
}

fn up() -> Status {
    Status::of(State::Run, 4242, 'u', 100)
}

fn down() -> Status {
    Status::of(State::Down, 0, 'd', 100)
}

fn finish() -> Status {
    Status { state: State::Finish, ..up() }
}

fn fake(play: &Play, name: &str, status: Status) -> FakeService {
    FakeService::create(play.service(name), status)
}

// ---- the command line

fn command_lines() -> Vec<Scenario> {
    vec![
        scenario("usage of sv", Roles::Client, |play| {
            let _web = fake(play, "web", up());
            let wrong: &[&[&str]] = &[
                &[],
                &["status"],
                &["up"],
                &["-v"],
                &["-v", "up"],
                &["-w", "3", "up"],
                &["-w"],
                &["-x", "up", "web"],
                &["-vx", "up", "web"],
                &["--help"],
                &["-"],
                &["rest", "web"],
                &["reloa", "web"],
                &["force", "web"],
                &["force-", "web"],
                &["F", "web"],
                &["3", "web"],
                &["zzz", "web"],
                &["", "web"],
                &["r", "web"],
                &["S", "web"],
                &["U", "web"],
                &["b", "web"],
            ];
            for words in wrong {
                play.sv(words);
            }
        }),
        scenario("version of sv", Roles::Client, |play| play.sv(&["-V"])),
        scenario("options of sv", Roles::Client, |play| {
            let _web = fake(play, "web", up());
            let right: &[&[&str]] = &[
                &["-vw3", "up", "web"],
                &["-w3", "-v", "--", "up", "web"],
                &["-w9", "-w", "3", "up", "web"],
                &["-v", "-v", "up", "web"],
                &["status", "-w", "3", "web"],
                &["up", "-v", "web"],
                &["-w0", "up", "web"],
                &["-v", "status", "web"],
            ];
            for words in right.iter().filter(|words| words[..2] != ["-v", "status"]) {
                play.sv(words);
            }
        }),
        scenario("times of every shape", Roles::Client, |play| {
            let _web = fake(play, "web", up());
            for time in ["abc", "", "3x", " 3", "-3", "1.5", "0x10", "99999999999999999999", "007"] {
                play.sv(&["-w", time, "up", "web"]);
                let mut command = play.client(&["-v", "up", "web"]);
                command.env("SVWAIT", time);
                play.record(&format!("SVWAIT={time:?} sv -v up web"), command);
            }
        }),
        scenario("first letters", Roles::Client, |play| {
            let words = [
                "up",
                "upfoo",
                "u",
                "down",
                "dead",
                "once",
                "open",
                "pause",
                "cont",
                "change",
                "hup",
                "alarm",
                "interrupt",
                "quit",
                "1",
                "1st",
                "2",
                "term",
                "t",
                "try",
                "kill",
                "exit",
                "e",
                "x",
                "xyz",
            ];
            for word in words {
                for (name, status) in
                    [("low", down()), ("high", up()), ("last", Status { want: 'd', ..up() }.after_term())]
                {
                    let mut service = fake(play, &format!("{word}-{name}"), status);
                    let name = service.service().name();
                    play.sv(&[word, &name]);
                    let received = service.received();
                    play.saw(&format!("bytes of {word} to {name}"), &received);
                }
            }
        }),
    ]
}

// ---- status

fn statuses() -> Vec<Scenario> {
    vec![
        scenario("status of every state", Roles::Client, |play| {
            let rows = every_record();
            let mut words = vec!["status".to_owned()];
            let mut services = Vec::new();
            for (name, status) in rows {
                services.push(fake(play, name, status));
                let normally_down = format!("{name}-off");
                services.push(FakeService::create(play.service(&normally_down).down(), status));
                words.extend([name.to_owned(), normally_down]);
            }
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            play.sv(&words);
            for word in ["s", "sta", "status", "sxyz", "star"] {
                play.sv(&[word, "running", "stopped"]);
            }
        }),
        scenario("status records of every length", Roles::Client, |play| {
            for length in [0, 1, 18, 19, 20, 21, 35, 72, 80, 5000] {
                let name = format!("b{length}");
                let service = fake(play, &name, up());
                let mut record = up().encode().to_vec();
                record.resize(length, 0xff);
                std::fs::write(service.service().path().join("supervise/status"), record).expect("status");
                play.sv(&["status", &name]);
                play.sv(&["-w0", "up", &name]);
            }
        }),
        scenario("status records of every content", Roles::Client, |play| {
            for (name, at, value) in [
                ("state-3", 19, 3),
                ("state-255", 19, 255),
                ("paused-2", 16, 2),
                ("want-x", 17, b'x'),
                ("want-0", 17, 0),
                ("term-2", 18, 2),
                ("label", 0, 0xff),
                ("old", 0, 0),
                ("pid", 15, 0xff),
            ] {
                let service = fake(play, name, up());
                let mut record = up().encode();
                record[at] = value;
                std::fs::write(service.service().path().join("supervise/status"), record).expect("status");
                play.sv(&["status", name]);
            }
        }),
        scenario("status of a service with a log", Roles::Client, |play| {
            let _services = [
                fake(play, "web", up()),
                fake(play, "web/log", up()),
                fake(play, "off", down()),
                fake(play, "off/log", Status { want: 'd', ..down() }),
                fake(play, "bare", up()),
                fake(play, "file", up()),
                fake(play, "cold", up()),
                fake(play, "short", up()),
                fake(play, "short/log", up()),
                fake(play, "loop", up()),
            ];
            play.scratch().directory("bare/log");
            play.scratch().file("file/log", "");
            drop(fake(play, "cold/log", up()));
            play.scratch().file("short/log/supervise/status", "short");
            symlink("log", play.scratch().path().join("loop/log")).expect("a link");
            for name in ["web", "off", "bare", "file", "cold", "short", "loop", "web/log", "cold/log"] {
                play.sv(&["status", name]);
            }
            play.sv(&["status", "web", "cold", "off", "file"]);
        }),
        scenario("down cannot be examined", Roles::Client, |play| {
            let service = fake(play, "web", up());
            let _other = fake(play, "mail", up());
            symlink("down", service.service().path().join("down")).expect("a link");
            play.sv(&["status", "web", "mail"]);
            play.sv(&["-w0", "up", "web"]);
            symlink("nowhere", play.scratch().path().join("mail/down")).expect("a link");
            play.sv(&["status", "mail"]);
        }),
    ]
}

/// Every kind of record, under a name.
fn every_record() -> Vec<(&'static str, Status)> {
    let later = |status: Status| Status { seconds: status.seconds + 600, ..status };
    let want = |want: char, status: Status| Status { want, ..status };
    vec![
        ("running", up()),
        ("paused", up().paused()),
        ("once", want('d', up())),
        ("term", up().after_term()),
        ("ending", want('d', up()).after_term()),
        ("all", want('d', up()).after_term().paused()),
        ("future", later(up())),
        ("finishing", finish()),
        ("last", want('d', finish())),
        ("late", later(finish())),
        ("stopped", down()),
        ("failing", want('u', down())),
        ("asleep", down().paused()),
        ("fallen", later(want('u', down()))),
        ("fell", later(down())),
    ]
}

// ---- where a service is, and what can be wrong with it

fn places() -> Vec<Scenario> {
    vec![
        scenario("services that cannot be told", Roles::Client, |play| {
            play.service("never");
            drop(fake(play, "stopped", up()));
            let no_ok = fake(play, "no-ok", up());
            std::fs::remove_file(no_ok.service().path().join("supervise/ok")).expect("ok");
            let no_control = fake(play, "no-control", up());
            std::fs::remove_file(no_control.service().path().join("supervise/control")).expect("control");
            let no_status = fake(play, "no-status", up());
            std::fs::remove_file(no_status.service().path().join("supervise/status")).expect("status");
            let directory = fake(play, "directory", up());
            std::fs::remove_file(directory.service().path().join("supervise/status")).expect("status");
            std::fs::create_dir(directory.service().path().join("supervise/status")).expect("a directory");
            let deaf = fake(play, "deaf", up());
            std::fs::remove_file(deaf.service().path().join("supervise/control")).expect("control");
            let fifo = deaf.service().path().join("supervise/control");
            nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
            play.scratch().file("file", "");
            play.scratch().file("ordinary/supervise", "");
            let names = [
                "never",
                "stopped",
                "no-ok",
                "no-control",
                "no-status",
                "directory",
                "deaf",
                "file",
                "ordinary",
                "none",
            ];
            for name in names {
                for words in
                    [&["status", name][..], &["down", name], &["-w0", "stop", name], &["exit", name], &["check", name]]
                {
                    play.sv(words);
                }
            }
            let mut words = vec!["status"];
            words.extend(names);
            play.sv(&words);
            words[0] = "-w0";
            words.insert(1, "shutdown");
            play.sv(&words);
        }),
        scenario("more failures than an exit code holds", Roles::Client, |play| {
            let names: Vec<String> = (0..300).map(|number| format!("none{number}")).collect();
            let mut words = vec!["status"];
            words.extend(names.iter().map(String::as_str));
            play.sv(&words);
            play.sv(&words[..100]);
            play.sv(&words[..99]);
        }),
        scenario("names of every shape for sv", Roles::Client, |play| {
            let long = "n".repeat(255);
            let names = ["we b", "-web", "\u{fc}bung", "new\nline", "@tty1", "a%sb", "\u{1b}[31m", long.as_str()];
            let _services = names.map(|name| fake(play, name, up()));
            for name in names {
                play.sv(&["status", name]);
                play.sv(&["-w0", "up", name]);
            }
            for name in [&"n".repeat(256), &"n/".repeat(3000), ""] {
                play.sv(&["status", name]);
            }
        }),
        scenario("paths of every shape for sv", Roles::Client, |play| {
            let _services = [fake(play, "web", up()), fake(play, "web/log", down()), fake(play, "here/web", down())];
            let absolute = play.scratch().path().join("web").display().to_string();
            let slash = format!("{absolute}/");
            for name in
                ["web", "./web", "web/", "../here/web", ".", "..", "./", "web/.", "web//log", "/", &absolute, &slash]
            {
                for words in [&["status", name][..], &["-w0", "check", name], &["hup", name]] {
                    let mut command = play.client(words);
                    command.current_dir(play.scratch().path().join("here"));
                    play.record(&format!("sv {} in here", words.join(" ")), command);
                }
            }
        }),
        scenario("values of SVDIR", Roles::Client, |play| {
            let _services = [fake(play, "dir/web", up()), fake(play, "web", down())];
            play.scratch().file("file", "");
            for value in ["", "dir", "./dir/", "none", "file", "dir/web", "/"] {
                for name in ["web", "./web", "supervise"] {
                    let mut command = play.client(&["status", name]);
                    command.env("SVDIR", value);
                    play.record(&format!("SVDIR={value} sv status {name}"), command);
                }
            }
            let mut command = play.client(&["status", "surely-not-there"]);
            command.env_remove("SVDIR");
            play.record("sv without SVDIR", command);
        }),
        scenario("a starting directory that is gone", Roles::Client, |play| {
            let _web = fake(play, "web", up());
            let mut command = play.scratch().command("sh");
            let program = play.client(&[]).get_program().display().to_string();
            let script = format!("mkdir gone && cd gone && rmdir ../gone && exec {program} status web");
            command.args(["-c", &script]);
            play.record("sv status web", command);
        }),
    ]
}

/// One command to services in every state, with little time to wait.
fn every_status(play: &mut Play, word: &str) {
    let mut services: Vec<FakeService> =
        every_record().into_iter().map(|(name, status)| fake(play, name, status)).collect();
    let names: Vec<String> = services.iter().map(|service| service.service().name()).collect();
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    play.sv_each("", &["-w1", word], &all);
    let bytes: Vec<String> =
        services.iter_mut().zip(&names).map(|(service, name)| format!("{name}: {}", service.received())).collect();
    play.saw("bytes", &bytes.join("\n"));
}

// ---- check scripts

fn check_scripts() -> Vec<Scenario> {
    let play_with = |name: &str, script: &'static str| {
        scenario(name, Roles::Client, move |play| {
            let _web = FakeService::create(play.service("web").script("check", script), up());
            let _off = FakeService::create(play.service("off").script("check", script), down());
            for words in [&["-w1", "check", "web", "off"][..], &["-w1", "start", "web"], &["-w1", "stop", "off"]] {
                play.sv(words);
            }
        })
    };
    vec![
        play_with("check passes", "exit 0"),
        play_with("check fails", "exit 1"),
        play_with("check is killed", "kill -KILL $$"),
        play_with("check takes longer than the wait", "sleep 3"),
        play_with("check speaks", "echo to stdout; echo \"$0 $#\" >&2; pwd >&2; exit 0"),
        scenario("check is asked again", Roles::Client, |play| {
            let script = "echo >>asked; test \"$(wc -l <asked)\" -ge 3";
            let _web = FakeService::create(play.service("web").script("check", script), up());
            play.sv(&["-w20", "check", "web"]);
        }),
        scenario("check cannot be executed", Roles::Client, |play| {
            let services = [
                play.service("mode").file("check", "#!/bin/sh\n"),
                play.service("directory").file("check/x", ""),
                play.service("interpreter").executable("check", "#!/no/such/interpreter\n"),
                play.service("format").executable("check", "exit 0\n"),
                play.service("loop"),
                play.service("dangling"),
            ];
            symlink("check", services[4].path().join("check")).expect("a link");
            symlink("nowhere", services[5].path().join("check")).expect("a link");
            let services = services.map(|service| FakeService::create(service, up()));
            for service in services {
                play.sv(&["-w0", "check", &service.service().name()]);
            }
        }),
        scenario("check is not asked of a service that is down", Roles::Client, |play| {
            let with_check = |name: &str| play.service(name).script("check", "echo $0 >&2; exit 0");
            let _services = [
                FakeService::create(with_check("down"), down()),
                FakeService::create(with_check("failing"), Status { want: 'u', ..down() }),
                FakeService::create(with_check("finish"), finish()),
                FakeService::create(with_check("last"), Status { want: 'd', ..finish() }),
                FakeService::create(with_check("once"), Status { want: 'd', ..up() }),
            ];
            for name in ["down", "failing", "finish", "last", "once"] {
                play.sv(&["-w0", "check", name]);
            }
        }),
    ]
}

// ---- init-script mode

fn init_scripts() -> Vec<Scenario> {
    vec![
        scenario("usage of init scripts", Roles::Client, |play| {
            let _web = fake(play, "web", up());
            for words in [
                &[][..],
                &["sta"],
                &["s"],
                &["zzz"],
                &["-w", "3"],
                &["-w"],
                &["-x"],
                &["-V"],
                &["rest"],
                &[""],
                &["-v"],
            ] {
                play.init_script("web", words);
            }
        }),
        scenario("init scripts tell the status", Roles::Client, |play| {
            for (name, status) in every_record() {
                let _service = fake(play, name, status);
                play.init_script(name, &["status"]);
            }
            drop(fake(play, "cold", up()));
            play.service("never");
            play.scratch().file("file", "");
            let _short = fake(play, "short", up());
            play.scratch().file("short/supervise/status", "short");
            let _loop = fake(play, "loop", up());
            symlink("down", play.scratch().path().join("loop/down")).expect("a link");
            for name in ["cold", "never", "file", "short", "loop", "none"] {
                play.init_script(name, &["status"]);
            }
        }),
        scenario("init scripts tell the status of a log", Roles::Client, |play| {
            let _services = [
                fake(play, "web", up()),
                fake(play, "web/log", down()),
                fake(play, "off", down()),
                fake(play, "off/log", up()),
                fake(play, "bare", down()),
            ];
            play.scratch().directory("bare/log");
            for name in ["web", "off", "bare"] {
                play.init_script(name, &["status"]);
            }
        }),
        scenario("init scripts of services that cannot be told", Roles::Client, |play| {
            drop(fake(play, "stopped", up()));
            play.service("never");
            for name in ["stopped", "never", "none"] {
                for word in ["start", "stop", "exit", "hup"] {
                    play.init_script(name, &["-w0", word]);
                }
            }
        }),
    ]
}

fn init_word(play: &mut Play, word: &str) {
    for (name, status) in [("high", up()), ("low", down())] {
        let mut service = fake(play, name, status);
        play.init_script(name, &["-w0", word, "and", "more"]);
        let received = service.received();
        play.saw(&format!("bytes to {name}"), &received);
    }
}
