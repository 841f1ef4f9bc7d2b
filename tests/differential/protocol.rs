//! What stands in supervise-protocol.md: the files, the status record, and every control byte in every state.

use nix::sys::signal::Signal;
use support::{is_alive, send_signal, wait_until};

use crate::cast::Roles;
use crate::idle;
use crate::play::{LISTEN, NOTE, Play, STAY};
use crate::scenario::{Scenario, scenario};

/// The letters that change what is wanted, or the state.
const COMMANDS: [char; 8] = ['u', 'd', 'o', 'x', 't', 'k', 'p', 'c'];

/// The scenarios of this part.
pub fn scenarios() -> Vec<Scenario> {
    let mut all = files();
    for letter in COMMANDS {
        all.push(scenario(&format!("{letter} while down"), Roles::Told, move |play| while_down(play, letter)));
        all.push(scenario(&format!("{letter} while running"), Roles::Told, move |play| while_running(play, letter)));
        all.push(scenario(&format!("{letter} while finishing"), Roles::Told, move |play| {
            while_finishing(play, letter)
        }));
    }
    all.extend(sequences());
    all.extend(log_letters());
    all
}

fn files() -> Vec<Scenario> {
    vec![
        scenario("files of supervise", Roles::Supervisor, |play| {
            let web = play.service("web").run(LISTEN).log_run("exec cat");
            play.runsv(&web);
            play.wait_listening(&web, 1);
            web.log().wait_running();
            play.look(&web);
            play.look(&web.log());
            play.send(&web, "x");
            play.ended("web");
            play.look(&web);
            play.look(&web.log());
        }),
        scenario("files of a service that is down", Roles::Supervisor, |play| {
            let web = play.service("web").run(LISTEN).down().log_run("exec cat").file("log/down", "");
            play.runsv(&web);
            play.look(&web);
            play.look(&web.log());
        }),
        scenario("files under umask 077", Roles::Supervisor, |play| files_under_umask(play, "077")),
        scenario("files under umask 0", Roles::Supervisor, |play| files_under_umask(play, "0")),
        scenario("files that are there already", Roles::Supervisor, |play| {
            let web = play.service("web").run(LISTEN);
            let mut command = play.scratch().command("sh");
            command.args([
                "-c",
                "mkdir -m 0755 web/supervise && cd web/supervise && mkfifo -m 0622 control && mkfifo -m 0666 ok && \
                 echo old >lock && echo old >pid && echo old >stat && echo old >status && chmod 0640 lock pid stat status && \
                 exec runsv ../../web",
            ]);
            play.start(&web, command);
            play.wait_listening(&web, 1);
            play.look(&web);
        }),
        scenario("ok is an ordinary file", Roles::Supervisor, |play| {
            let web = play.service("web").run(LISTEN).file("supervise/ok", "");
            play.runsv(&web);
            play.wait_listening(&web, 1);
            play.look(&web);
        }),
        scenario("stamps of a life", Roles::Supervisor, |play| {
            let web = play.service("web").run(LISTEN).finish("read -r _ <gate").gate("gate");
            play.runsv(&web);
            play.wait_listening(&web, 1);
            let stamp = || web.status_bytes().expect("status")[..12].to_vec();
            let started = stamp();
            play.send(&web, "hpcd");
            play.wait(&web, "finish, want down");
            let finishing = stamp();
            web.open_gate("gate");
            play.wait(&web, "down");
            let order = format!("started = finishing: {}, < down: {}", started == finishing, finishing < stamp());
            play.saw("stamps", &order);
            let mut stamps = vec![started, stamp()];
            for starts in 2..5 {
                play.send(&web, "u");
                play.wait_listening(&web, starts);
                stamps.push(stamp());
                play.send(&web, "d");
                web.open_gate("gate");
                play.wait(&web, "down");
                stamps.push(stamp());
            }
            let nanoseconds = |stamp: &Vec<u8>| u32::from_be_bytes(stamp[8..12].try_into().expect("4 bytes"));
            let rounded = stamps.iter().all(|stamp| nanoseconds(stamp) % 1000 == 500);
            play.saw("nanoseconds", if rounded { "microseconds and 500" } else { "as the clock tells them" });
        }),
    ]
}

fn files_under_umask(play: &mut Play, umask: &str) {
    let web = play.service("web").run(&format!("umask >>notes\n{LISTEN}")).log_run("exec cat");
    let mut command = play.scratch().command("sh");
    command.args(["-c", &format!("umask {umask}; exec runsv web")]);
    play.start(&web, command);
    play.wait_listening(&web, 1);
    web.log().wait_running();
    play.look(&web);
    play.look(&web.log());
    play.notes(&web);
}

// ---- one letter in each state

fn while_down(play: &mut Play, letter: char) {
    let web = play.service("web").run(STAY).down();
    play.runsv(&web);
    play.look(&web);
    play.tell(&web, letter);
    match letter {
        'u' | 'o' => play.wait_listening(&web, 1),
        'x' => play.ended("web"),
        _ => {}
    }
    play.look(&web);
    if letter != 'x' {
        // Nothing of it may stay behind.
        play.send(&web, "u");
        play.wait_listening(&web, 1);
        play.look(&web);
        play.fenced_notes(&web);
    }
}

fn while_running(play: &mut Play, letter: char) {
    let web = play.service("web").run(STAY);
    play.runsv(&web);
    play.wait_listening(&web, 1);
    let pid = web.status().pid;
    play.tell(&web, letter);
    if letter == 'k' {
        web.wait_running_other_than(pid);
        play.wait_listening(&web, 2);
    }
    play.look(&web);
    if letter == 'p' {
        wait_until("a stopped process", || (support::process_state(pid) == Some('T')).then_some(()));
        send_signal(pid, Signal::SIGCONT);
    }
    play.fenced_notes(&web);
}

fn while_finishing(play: &mut Play, letter: char) {
    // The second time it ends, so that no play is caught in a circle.
    let first = "trap 'echo CONT >>notes' CONT";
    let finish = format!("test ! -e once || {{ {NOTE}; exit 0; }}; : >once; {first}\n{LISTEN}");
    let finish = finish.replace("exit 0' TERM", "exit 3' TERM");
    let web = play.service("web").run("exit 7").finish(&finish);
    play.runsv(&web);
    play.wait(&web, "finish");
    play.wait_note(&web, "finish 7 0");
    let pid = web.status().pid;
    play.tell(&web, letter);
    if letter != 'k' {
        play.look(&web);
        play.fenced_notes(&web);
    }
    if letter != 'x' {
        play.send(&web, "d");
    }
    send_signal(pid, Signal::SIGTERM);
    wait_until("the end of finish", || (!is_alive(pid)).then_some(()));
    play.settle(&web);
    if letter == 'x' {
        play.ended("web");
    } else {
        play.wait_down(&web);
    }
    play.look(&web);
    play.notes(&web);
}

// ---- several letters

fn sequences() -> Vec<Scenario> {
    vec![
        scenario("signals while down", Roles::Both, |play| {
            let web = play.service("web").run(STAY).down();
            play.runsv(&web);
            for letter in "haiq12".chars() {
                play.tell(&web, letter);
            }
            play.look(&web);
            play.send(&web, "u");
            play.wait_listening(&web, 1);
            play.fenced_notes(&web);
        }),
        scenario("signals while running", Roles::Both, |play| {
            let web = play.service("web").run(STAY);
            play.runsv(&web);
            play.wait_listening(&web, 1);
            for letter in "haiq12".chars() {
                play.tell(&web, letter);
                play.fenced_notes(&web);
            }
            play.look(&web);
        }),
        scenario("signals while finishing", Roles::Both, |play| {
            let web = play.service("web").run("exit 0").finish(STAY);
            play.runsv(&web);
            play.wait(&web, "finish");
            play.wait_note(&web, "finish 0 0");
            for letter in "haiq12".chars() {
                play.tell(&web, letter);
            }
            play.look(&web);
            play.fenced_notes(&web);
        }),
        scenario("signals of svc", Roles::Busybox, |play| {
            let web = play.service("web").run(STAY);
            play.runsv(&web);
            play.wait_listening(&web, 1);
            for letter in "chait".chars() {
                play.tell(&web, letter);
                play.fenced_notes(&web);
            }
            play.look(&web);
        }),
        scenario("svc and svok", Roles::Busybox, |play| {
            let web = play.service("web").run(LISTEN);
            let mail = play.service("mail").run(LISTEN);
            play.service("never");
            for name in ["web", "mail", "never", "none"] {
                play.sv(&["svok", name]);
                play.sv(&["svc", "-u", name]);
            }
            play.runsv(&web);
            play.runsv(&mail);
            play.wait_listening(&web, 1);
            play.wait_listening(&mail, 1);
            play.sv(&["svok", "web"]);
            play.sv(&["svc", "-hd", "web", "never", "mail"]);
            play.wait(&web, "down");
            play.wait(&mail, "down");
            play.look(&web);
            play.look(&mail);
            play.notes(&mail);
            play.sv(&["svc", "-x", "web"]);
            play.ended("web");
            play.sv(&["svok", "web"]);
            play.look(&web);
        }),
        scenario("bytes that are no commands", Roles::Supervisor, |play| {
            let web = play.service("web").run(STAY);
            play.runsv(&web);
            play.wait_listening(&web, 1);
            play.send(&web, "e\nz\0U D3\u{e9}C");
            play.look(&web);
            play.fenced_notes(&web);
            play.send(&web, &format!("{}h", "z\n".repeat(1000)));
            play.fenced_notes(&web);
        }),
        scenario("du comes back", Roles::Supervisor, |play| {
            let web = play.service("web").run(LISTEN).finish(NOTE);
            play.runsv(&web);
            play.wait_listening(&web, 1);
            play.send(&web, "du");
            play.wait_listening(&web, 2);
            play.look(&web);
            play.fenced_notes(&web);
        }),
        scenario("o and the end", Roles::Both, |play| {
            let web = play.service("web").run(LISTEN).finish(NOTE).down();
            play.runsv(&web);
            play.tell(&web, 'o');
            play.wait_listening(&web, 1);
            play.look(&web);
            play.tell(&web, 't');
            play.wait(&web, "down");
            play.look(&web);
            play.notes(&web);
        }),
        scenario("t after o", Roles::Supervisor, |play| {
            let web = play.service("web").run(STAY);
            play.runsv(&web);
            play.wait_listening(&web, 1);
            play.send(&web, "ot");
            play.look(&web);
            play.fenced_notes(&web);
        }),
        scenario("t while paused", Roles::Both, |play| {
            let web = play.service("web").run(STAY);
            play.runsv(&web);
            play.wait_listening(&web, 1);
            play.tell(&web, 'p');
            play.tell(&web, 't');
            play.look(&web);
            play.tell(&web, 'c');
            play.look(&web);
            play.fenced_notes(&web);
        }),
        scenario("d while paused", Roles::Both, |play| {
            let web = play.service("web").run(STAY);
            play.runsv(&web);
            play.wait_listening(&web, 1);
            play.tell(&web, 'p');
            play.tell(&web, 'd');
            play.fenced_notes(&web);
            play.look(&web);
        }),
        scenario("x while paused", Roles::Both, |play| {
            let web = play.service("web").run(LISTEN);
            play.runsv(&web);
            play.wait_listening(&web, 1);
            play.tell(&web, 'p');
            play.tell(&web, 'x');
            play.ended("web");
            play.look(&web);
            play.notes(&web);
        }),
        scenario("kill and finish", Roles::Supervisor, |play| {
            let web = play.service("web").run(STAY).finish(&format!("{NOTE}; read -r _ <gate")).gate("gate");
            play.runsv(&web);
            play.wait_listening(&web, 1);
            play.send(&web, "d");
            play.fenced_notes(&web);
            play.send(&web, "k");
            play.wait(&web, "finish, want down");
            play.wait_note(&web, "finish -1 9");
            play.look(&web);
            web.open_gate("gate");
            play.wait(&web, "down");
            play.notes(&web);
        }),
        scenario("k after x", Roles::Supervisor, |play| {
            let web = play.service("web").run(STAY).finish(NOTE);
            play.runsv(&web);
            play.wait_listening(&web, 1);
            play.send(&web, "x");
            play.wait(&web, "run, got TERM, want exit");
            play.look(&web);
            play.fenced_notes(&web);
            web.send("k");
            play.ended("web");
            play.look(&web);
            play.notes(&web);
        }),
        scenario("d after x", Roles::Supervisor, |play| {
            let web = play.service("web").run(STAY);
            play.runsv(&web);
            play.wait_listening(&web, 1);
            play.send(&web, "x");
            play.fenced_notes(&web);
            play.send(&web, "d");
            play.look(&web);
            play.fenced_notes(&web);
        }),
        scenario("u after x", Roles::Supervisor, |play| {
            let web = play.service("web").run(STAY);
            play.runsv(&web);
            play.wait_listening(&web, 1);
            play.send(&web, "xu");
            play.look(&web);
        }),
        scenario("d in the second after the start", Roles::Supervisor, |play| {
            let web = play.service("web").run("exit 0").finish(NOTE);
            play.launch("web");
            play.wait_note(&web, "finish 0 0");
            wait_until("a service that is down again", || (web.stat() == "down\n").then_some(()));
            web.send("d");
            let pid = play.supervisor("web").pid();
            let text = wait_until("a supervisor that heard it or sleeps", || {
                let sleeps = idle::sleeps(pid).then_some("it sleeps");
                sleeps.or((web.status().want == 'd').then_some("it has heard it"))
            });
            play.saw("runsv", text);
        }),
        scenario("down and up before runsv looks", Roles::Both, |play| {
            let web = play.service("web").run(LISTEN);
            play.runsv(&web);
            play.wait_listening(&web, 1);
            play.signal_supervisor("web", Signal::SIGSTOP);
            play.sv(&["d", "web"]);
            play.sv(&["u", "web"]);
            play.signal_supervisor("web", Signal::SIGCONT);
            let pid = play.supervisor("web").pid();
            wait_until("both to be heard", || {
                let is_heard = idle::is_drained(&web.path().join("supervise/control"));
                (is_heard && (support::waits(pid) || idle::sleeps(pid))).then_some(())
            });
            let want = web.status().want.to_string();
            play.saw("want", &want);
        }),
        scenario("killed from outside", Roles::Both, |play| {
            let web = play.service("web").run(LISTEN).finish(NOTE);
            play.runsv(&web);
            play.wait_listening(&web, 1);
            let pid = web.status().pid;
            send_signal(pid, Signal::SIGKILL);
            web.wait_running_other_than(pid);
            play.wait_listening(&web, 2);
            play.look(&web);
            play.notes(&web);
            play.sv(&["status", "web"]);
        }),
    ]
}

// ---- the log's fifo

fn log_letters() -> Vec<Scenario> {
    vec![
        scenario("letters for the log while it runs", Roles::Supervisor, |play| {
            let web = play.service("web").run(LISTEN).log_run(STAY);
            let log = web.log();
            play.runsv(&web);
            play.wait_listening(&web, 1);
            play.wait_listening(&log, 1);
            for letter in "uhaiq12oupcxt".chars() {
                play.send(&log, &letter.to_string());
                play.look_at_state(&log);
                if letter != 'p' {
                    play.fenced_notes(&log);
                }
            }
            play.look(&web);
            play.notes(&web);
        }),
        scenario("letters for the log while it is down", Roles::Supervisor, |play| {
            let web = play.service("web").run(LISTEN).log_run("exec cat").file("log/down", "");
            play.runsv(&web);
            play.wait_listening(&web, 1);
            for letter in "dtkhpcxo".chars() {
                web.log().send(&letter.to_string());
                play.settle(&web);
                if letter != 'o' {
                    play.look_at_state(&web.log());
                }
            }
            web.log().wait_running();
            play.settle(&web);
            play.look(&web.log());
        }),
        scenario("kill of the log", Roles::Supervisor, |play| {
            let web = play.service("web").run(LISTEN).log_run("echo log >>../notes; exec cat");
            play.runsv(&web);
            play.wait_listening(&web, 1);
            let pid = web.log().wait_running();
            web.log().send("k");
            web.log().wait_running_other_than(pid);
            play.settle(&web);
            play.look(&web.log());
            web.log().send("d");
            play.wait(&web.log(), "down");
            play.look(&web.log());
            play.look(&web);
        }),
    ]
}
