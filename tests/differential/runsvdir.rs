//! What stands in runsvdir.md: which supervisors there are, under which names, and what is said.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use support::{Service, children, command_line, is_alive, process_fields, send_signal, wait_until, waits};

use crate::cast::{Programs, Roles};
use crate::play::{LISTEN, NOTE, Play};
use crate::scenario::{Scenario, scenario};
use crate::words::describe_ending;

/// The scenarios of this part.
pub fn scenarios() -> Vec<Scenario> {
    let mut all = starts();
    all.extend(changes());
    all.extend(ends());
    all.extend(titles());
    all
}

/// A service outside of the scan directory, with a link in it.
fn linked(play: &Play, name: &str) -> Service {
    let service = play.service(&format!("sv/{name}")).run(LISTEN);
    link(play, name, name);
    service
}

fn link(play: &Play, target: &str, name: &str) {
    let scan = play.scratch().directory("scan");
    symlink(format!("../sv/{target}"), scan.join(name)).expect("a link");
}

fn unlink(play: &Play, name: &str) {
    std::fs::remove_file(play.scratch().path().join("scan").join(name)).expect("a link");
}

/// Waits until the script of this service listens.
fn wait_listening(service: &Service, starts: usize) {
    wait_until("the script to listen", || {
        (service.lines("notes").iter().filter(|line| line.starts_with("run")).count() >= starts).then_some(())
    });
    service.wait_running();
}

/// The command lines of the supervisors below the runsvdir, but for the place of the program.
fn supervisors(play: &mut Play) -> Vec<(u32, String)> {
    let runsvdir = play.supervisor("runsvdir").pid();
    let all = children(runsvdir).into_iter().filter(|pid| is_alive(*pid)).map(|pid| {
        let words = command_line(pid);
        let program =
            words.first().map(|word| Path::new(word).file_name().unwrap_or_default().to_string_lossy().into_owned());
        (pid, format!("{} {}", program.unwrap_or_default(), words.get(1..).unwrap_or_default().join(" ")))
    });
    let mut all: Vec<_> = all.collect();
    all.sort_by(|one, other| one.1.cmp(&other.1));
    all
}

fn find(play: &mut Play, name: &str) -> Option<u32> {
    supervisors(play).into_iter().find(|(_, line)| *line == format!("runsv {name}")).map(|(pid, _)| pid)
}

fn saw_supervisors(play: &mut Play) {
    let lines: Vec<String> = supervisors(play).into_iter().map(|(_, line)| line).collect();
    play.saw("supervisors", &lines.join("\n"));
}

fn wait_gone(pid: u32) {
    wait_until("the end of a process", || (!is_alive(pid)).then_some(()));
}

// ---- command line, entries

fn starts() -> Vec<Scenario> {
    vec![
        scenario("usage of runsvdir", Roles::Supervisor, |play| {
            for words in [&[][..], &["-P"], &["--"], &["-Pxyz"], &["--help"]] {
                play.run("runsvdir", words);
            }
        }),
        scenario("words that are no options of runsvdir", Roles::Supervisor, |play| {
            for words in [&["-x", "short"][..], &["-", "short"], &["-p"], &[""]] {
                play.runsvdir(words);
                play.supervisor("runsvdir").wait_stderr(&format!("unable to stat {}: ", words[0]));
                play.signal_supervisor("runsvdir", Signal::SIGTERM);
                play.ended("runsvdir");
            }
        }),
        scenario("options of runsvdir", Roles::Supervisor, |play| {
            for (name, words) in [
                ("a", &["scan-a"][..]),
                ("b", &["-P", "scan-b"]),
                ("c", &["-Pxyz", "scan-c"]),
                ("d", &["--", "scan-d"]),
            ] {
                let service = play.service(&format!("scan-{name}/web")).run(LISTEN).log_run("exec cat");
                play.runsvdir(words);
                wait_listening(&service, 1);
                let own = play.supervisor("runsvdir").pid();
                let runsv = find(play, "web").expect("a runsv");
                let of = |pid: u32| process_fields(pid).expect("a process")[2..4].to_vec();
                let leads = of(runsv).iter().all(|number| *number == runsv.to_string());
                let text = format!(
                    "shares: {}, leads: {leads}, run with it: {}",
                    of(own) == of(runsv),
                    of(service.wait_running()) == of(runsv)
                );
                play.saw("group and session", &text);
            }
        }),
        scenario("entries of every kind", Roles::Supervisor, |play| {
            let web = linked(play, "web");
            let plain = play.service("scan/plain").run(LISTEN);
            let hidden = play.service("scan/.hidden").run(LISTEN);
            play.service("scan/empty");
            play.scratch().file("scan/file", "");
            symlink("nowhere", play.scratch().path().join("scan/dangling")).expect("a link");
            symlink("circle", play.scratch().path().join("scan/circle")).expect("a link");
            symlink("file", play.scratch().path().join("scan/link-to-file")).expect("a link");
            play.runsvdir(&["scan"]);
            wait_listening(&web, 1);
            wait_listening(&plain, 1);
            play.supervisor("runsvdir").wait_stderr("runsv empty: fatal");
            play.supervisor("runsvdir").wait_stderr("unable to stat dangling");
            play.supervisor("runsvdir").wait_stderr("unable to stat circle");
            saw_supervisors(play);
            play.saw("hidden", &hidden.lines("notes").join("\n"));
            play.look(&web);
            saw_sorted_stderr(play);
        }),
        scenario("names of every shape for runsvdir", Roles::Supervisor, |play| {
            let long = "n".repeat(255);
            let names = [
                "we b",
                "-web",
                "-P",
                "--",
                "\u{fc}bung",
                "new\nline",
                "@tty1",
                "a%sb",
                "\u{1b}[31m",
                "log",
                long.as_str(),
            ];
            let all = names.map(|name| play.service(&format!("scan/{name}")).run(LISTEN));
            play.runsvdir(&["scan"]);
            for service in &all {
                wait_listening(service, 1);
            }
            saw_supervisors(play);
        }),
        scenario("two links to one directory", Roles::Supervisor, |play| {
            let web = linked(play, "web");
            link(play, "web", "same");
            let fence = linked(play, "fence");
            play.runsvdir(&["scan"]);
            wait_listening(&web, 1);
            wait_listening(&fence, 1);
            let count = supervisors(play).len();
            play.saw("number of supervisors", &count.to_string());
        }),
        scenario("environment of runsvdir", Roles::Supervisor, |play| {
            let web = linked(play, "web").run("{ env | grep -v -e ^PWD= -e ^OLDPWD= -e ^_= | sort; pwd; umask; cat /proc/$$/oom_score_adj; } >given; echo >>notes");
            let mut command = play.scratch().command("runsvdir");
            command.arg("scan").env("KEEP_THIS", "as it is").env("EMPTY", "");
            play.start_as("runsvdir", command);
            web.wait_lines("notes", 1);
            let text = std::fs::read_to_string(web.path().join("given")).expect("given");
            play.saw("environment", &text);
        }),
        scenario("runsv is not on the path", Roles::Supervisor, |play| {
            linked(play, "web");
            let mut command = play.scratch().command("runsvdir");
            command.arg("scan").env("PATH", "/nonexistent:");
            play.start_as("runsvdir", command);
            play.supervisor("runsvdir").wait_stderr("fatal");
        }),
        scenario("runsv of runit below runsvdir", Roles::Supervisor, |play| foreign_runsv(play, Programs::Runit)),
        scenario("our runsv below runsvdir", Roles::Supervisor, |play| foreign_runsv(play, Programs::Ours)),
    ]
}

/// The supervisors come from this set, whosever the scan is.
fn foreign_runsv(play: &mut Play, programs: Programs) {
    let web = linked(play, "web");
    let mut command = play.scratch().command("runsvdir");
    command.arg("scan").env("PATH", format!("{}:/usr/bin:/bin", play.programs(programs).display()));
    play.start_as("runsvdir", command);
    wait_listening(&web, 1);
    play.look(&web);
    unlink(play, "web");
    wait_until("the end of the service", || (web.stat() == "down\n").then_some(()));
    let mail = linked(play, "mail");
    wait_listening(&mail, 1);
    play.signal_supervisor("runsvdir", Signal::SIGHUP);
    play.ended("runsvdir");
    wait_until("the end of the service", || (mail.stat() == "down\n").then_some(()));
    play.notes(&web);
    play.notes(&mail);
}

/// In which order the entries are met is the file system's affair.
fn saw_sorted_stderr(play: &mut Play) {
    let text = play.supervisor("runsvdir").stderr();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.dedup();
    let text = lines.join("\n");
    play.saw("sorted stderr", &text);
    play.forget_stderr("runsvdir");
}

// ---- what changes while it runs

fn changes() -> Vec<Scenario> {
    vec![
        scenario("links come and go", Roles::Supervisor, |play| {
            let web = linked(play, "web").finish(NOTE);
            play.runsvdir(&["scan"]);
            wait_listening(&web, 1);
            let mail = linked(play, "mail");
            wait_listening(&mail, 1);
            saw_supervisors(play);
            let runsv = find(play, "web").expect("a runsv");
            unlink(play, "web");
            wait_gone(runsv);
            play.look(&web);
            play.notes(&web);
            link(play, "web", "web");
            wait_listening(&web, 2);
            saw_supervisors(play);
            play.notes(&mail);
        }),
        scenario("several links go at once", Roles::Supervisor, |play| {
            let names = ["a", "b", "c", "d", "e"];
            let all = names.map(|name| linked(play, name));
            play.runsvdir(&["scan"]);
            for service in &all {
                wait_listening(service, 1);
            }
            for name in &names[..4] {
                unlink(play, name);
            }
            wait_until("one supervisor", || (supervisors(play).len() == 1).then_some(()));
            saw_supervisors(play);
            for service in &all {
                play.notes(service);
            }
        }),
        scenario("an entry is renamed", Roles::Supervisor, |play| {
            let web = linked(play, "web");
            play.runsvdir(&["scan"]);
            wait_listening(&web, 1);
            let scan = play.scratch().path().join("scan");
            std::fs::rename(scan.join("web"), scan.join("renamed")).expect("rename");
            let fence = linked(play, "fence");
            wait_listening(&fence, 1);
            saw_supervisors(play);
            play.notes(&web);
        }),
        scenario("an entry is another directory now", Roles::Supervisor, |play| {
            let old = linked(play, "old");
            let new = play.service("sv/new").run(LISTEN);
            play.runsvdir(&["scan"]);
            wait_listening(&old, 1);
            let scan = play.scratch().path().join("scan");
            symlink("../sv/new", scan.join(".next")).expect("a link");
            std::fs::rename(scan.join(".next"), scan.join("old")).expect("rename");
            wait_listening(&new, 1);
            wait_until("the end of the old one", || (old.stat() == "down\n").then_some(()));
            wait_until("one supervisor", || (supervisors(play).len() == 1).then_some(()));
            saw_supervisors(play);
            play.notes(&old);
        }),
        scenario("an entry becomes a loop", Roles::Supervisor, |play| {
            let web = linked(play, "web");
            play.runsvdir(&["scan"]);
            wait_listening(&web, 1);
            let scan = play.scratch().path().join("scan");
            symlink("web", scan.join(".next")).expect("a link");
            std::fs::rename(scan.join(".next"), scan.join("web")).expect("rename");
            play.supervisor("runsvdir").wait_stderr("unable to stat web");
            let fence = linked(play, "fence");
            wait_listening(&fence, 1);
            // The scan that met the loop is over. If its runsv was told something, it shows now.
            if let Some(runsv) = find(play, "web") {
                wait_until("a runsv that waits", || (waits(runsv) || !is_alive(runsv)).then_some(()));
            }
            let is_left_alone = web.stat() == "run\n";
            play.saw("service is left alone", &is_left_alone.to_string());
        }),
        scenario("a service exits", Roles::Supervisor, |play| {
            let web = linked(play, "web");
            play.runsvdir(&["scan"]);
            wait_listening(&web, 1);
            web.send("x");
            wait_listening(&web, 2);
            saw_supervisors(play);
            play.notes(&web);
        }),
        scenario("a runsv is killed", Roles::Supervisor, |play| {
            let web = linked(play, "web");
            play.runsvdir(&["scan"]);
            wait_listening(&web, 1);
            let (pid, runsv) = (web.status().pid, find(play, "web").expect("a runsv"));
            send_signal(runsv, Signal::SIGKILL);
            wait_until("a new runsv", || find(play, "web").filter(|pid| *pid != runsv && web.is_supervised()));
            wait_until("a service that runs", || (web.stat() == "run\n").then_some(()));
            let same = web.status().pid == pid;
            play.saw("process is the same", &same.to_string());
        }),
        scenario("the directory comes later", Roles::Supervisor, |play| {
            play.runsvdir(&["scan"]);
            play.supervisor("runsvdir").wait_stderr("file does not exist\n");
            let web = linked(play, "web");
            wait_listening(&web, 1);
            saw_supervisors(play);
        }),
        scenario("the directory goes away", Roles::Supervisor, |play| {
            let web = linked(play, "web");
            play.runsvdir(&["scan"]);
            wait_listening(&web, 1);
            let away = play.scratch().path().join("away");
            std::fs::rename(play.scratch().path().join("scan"), &away).expect("rename");
            play.supervisor("runsvdir").wait_stderr("unable to stat scan");
            saw_supervisors(play);
            std::fs::rename(&away, play.scratch().path().join("scan")).expect("rename");
            let mail = linked(play, "mail");
            wait_listening(&mail, 1);
            saw_supervisors(play);
            play.notes(&web);
        }),
        scenario("the directory is a file", Roles::Supervisor, |play| {
            let web = play.service("real/web").run(LISTEN);
            play.scratch().file("file", "");
            let top = play.scratch().path().to_owned();
            let link = |target: &str| {
                symlink(target, top.join("next")).expect("a link");
                std::fs::rename(top.join("next"), top.join("scan")).expect("rename");
            };
            link("file");
            play.runsvdir(&["scan"]);
            play.supervisor("runsvdir").wait_stderr("not a directory\n");
            link("real");
            wait_listening(&web, 1);
        }),
        scenario("the directory is switched", Roles::Supervisor, |play| {
            let directory = |name: &str| -> PathBuf { play.scratch().directory(name) };
            let (one, two) = (directory("one"), directory("two"));
            let (web, mail, both) = (
                play.service("one/web").run(LISTEN),
                play.service("two/mail").run(LISTEN),
                play.service("sv/both").run(LISTEN),
            );
            for set in [&one, &two] {
                symlink("../sv/both", set.join("both")).expect("a link");
            }
            symlink("one", play.scratch().path().join("current")).expect("a link");
            play.runsvdir(&["current"]);
            wait_listening(&web, 1);
            wait_listening(&both, 1);
            symlink("two", play.scratch().path().join("next")).expect("a link");
            std::fs::rename(play.scratch().path().join("next"), play.scratch().path().join("current")).expect("rename");
            wait_listening(&mail, 1);
            wait_until("the end of the first", || (web.stat() == "down\n").then_some(()));
            wait_until("two supervisors", || (supervisors(play).len() == 2).then_some(()));
            saw_supervisors(play);
            play.notes(&both);
        }),
    ]
}

// ---- its end

fn ends() -> Vec<Scenario> {
    use Signal::{SIGCONT, SIGHUP, SIGPIPE, SIGTERM, SIGUSR1, SIGUSR2};
    let mut all = vec![
        scenario("TERM to runsvdir", Roles::Supervisor, |play| {
            let web = linked(play, "web");
            play.runsvdir(&["scan"]);
            wait_listening(&web, 1);
            play.signal_supervisor("runsvdir", SIGTERM);
            play.ended("runsvdir");
            web.send("h");
            play.wait_note(&web, "HUP");
            play.look(&web);
            play.notes(&web);
        }),
        scenario("HUP to runsvdir", Roles::Supervisor, |play| {
            let web = linked(play, "web").finish(NOTE);
            let mail = linked(play, "mail");
            play.runsvdir(&["scan"]);
            wait_listening(&web, 1);
            wait_listening(&mail, 1);
            let all = supervisors(play);
            play.signal_supervisor("runsvdir", SIGHUP);
            play.ended("runsvdir");
            for (pid, _) in all {
                wait_gone(pid);
            }
            play.look(&web);
            play.notes(&web);
            play.notes(&mail);
        }),
        scenario("second runsvdir", Roles::Supervisor, |play| {
            let web = linked(play, "web");
            play.runsvdir(&["scan"]);
            wait_listening(&web, 1);
            let (first, runsv) = (play.supervisor("runsvdir").pid(), find(play, "web"));
            play.runsvdir(&["scan"]);
            let fence = linked(play, "fence");
            wait_listening(&fence, 1);
            wait_until("both to have seen it", || {
                let mut count = |text: &str| play.supervisor("runsvdir").stderr().contains(text);
                (count("runsv web") || count("runsv fence") || fence.is_supervised()).then_some(())
            });
            let same = children(first).contains(&runsv.expect("a runsv"));
            play.saw("first one is left alone", &same.to_string());
            play.notes(&web);
            play.notes(&fence);
            play.forget_stderr("runsvdir");
        }),
        scenario("new runsvdir after a kill", Roles::Supervisor, |play| {
            let web = linked(play, "web");
            play.runsvdir(&["scan"]);
            wait_listening(&web, 1);
            play.signal_supervisor("runsvdir", Signal::SIGKILL);
            play.ended("runsvdir");
            play.runsvdir(&["scan"]);
            let mail = linked(play, "mail");
            wait_listening(&mail, 1);
            play.notes(&web);
            // The old supervisor ends, a new one takes its place.
            web.send("x");
            wait_listening(&web, 2);
            saw_supervisors(play);
            play.notes(&web);
        }),
    ];
    all.extend([SIGUSR1, SIGUSR2, SIGPIPE, SIGCONT].map(|signal| {
        scenario(&format!("{signal} to runsvdir"), Roles::Supervisor, move |play| {
            let web = linked(play, "web");
            play.runsvdir(&["scan"]);
            wait_listening(&web, 1);
            play.signal_supervisor("runsvdir", signal);
            let fence = linked(play, "fence");
            let text = wait_until("an end, or the next service", || {
                let listens = !fence.lines("notes").is_empty();
                play.supervisor("runsvdir").try_wait().map(describe_ending).or(listens.then(|| "runs".to_owned()))
            });
            play.saw("runsvdir", &text);
            play.notes(&web);
        })
    }));
    all
}

// ---- the log in its title

fn titles() -> Vec<Scenario> {
    /// The title, and how the standard error of a service is open.
    fn play_with(play: &mut Play, log: &str, run: &str, expected: &str) {
        let web = linked(play, "web").run(&format!("{run}\n{LISTEN}"));
        play.runsvdir(&["scan", log]);
        wait_listening(&web, 1);
        saw_title(play, expected);
        let pid = web.status().pid;
        let descriptor = std::fs::read_link(format!("/proc/{pid}/fd/2")).expect("a descriptor").display().to_string();
        play.saw("stderr of the service", descriptor.split(':').next().unwrap_or_default());
        let info = std::fs::read_to_string(format!("/proc/{pid}/fdinfo/2")).expect("fdinfo");
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap_or_default().trim().to_owned();
        play.saw("flags of it", &flags);
    }
    vec![
        scenario("log of six characters", Roles::Supervisor, |play| {
            let web = linked(play, "web");
            play.runsvdir(&["scan", "sixsix"]);
            wait_listening(&web, 1);
            saw_supervisors(play);
        }),
        scenario("log of seven characters", Roles::Supervisor, |play| play_with(play, "log: ..", "echo ab >&2", "b ")),
        scenario("log of many characters", Roles::Supervisor, |play| {
            let log = format!("log: {}", ".".repeat(395));
            play_with(play, &log, "echo line of web >&2", "line of web ");
        }),
        scenario("log of bytes that cannot be printed", Roles::Supervisor, |play| {
            let log = format!("log: {}", ".".repeat(50));
            play_with(play, &log, "printf 'a\\033[31mb\\000c\\tdone' >&2", "done");
        }),
        scenario("log with other words after it", Roles::Supervisor, |play| {
            let web = linked(play, "web").run(&format!("echo spoken >&2\n{LISTEN}"));
            play.runsvdir(&["scan", "log: ..........................", "more", "words"]);
            wait_listening(&web, 1);
            saw_title(play, "spoken ");
        }),
    ]
}

/// Waits until the words of runsvdir have this in them, a blank for the end of a line, and records them. Many dots are told
/// by their number.
fn saw_title(play: &mut Play, expected: &str) {
    let pid = play.supervisor("runsvdir").pid();
    let title = wait_until("the title", || {
        let title = command_line(pid).get(1..)?.join("|");
        title.replace('\n', " ").contains(expected).then_some(title)
    });
    let dots = title.matches('.').count();
    let without_dots = title.replace('.', "");
    play.saw("title", &format!("{dots} dots in {without_dots:?}"));
}
