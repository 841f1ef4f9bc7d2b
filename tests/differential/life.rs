//! What stands in sv.md, with real supervisors: each `sv` drives each `runsv`.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;

use support::{State, Status, wait_until};

use crate::cast::Roles;
use crate::play::{LISTEN, NOTE, Play, STAY};
use crate::scenario::{Scenario, scenario};

/// Waits until the service has been in its state since an earlier second of the wall clock: within the same one runit's `sv`
/// takes the old process for the new one (K30).
fn wait_older(play: &mut Play, service: &support::Service) {
    play.settle(service);
    let since = service.status().seconds;
    wait_until("the next second", || (Status::of(State::Down, 0, 'd', 0).seconds > since).then_some(()));
}

/// The scenarios of this part.
pub fn scenarios() -> Vec<Scenario> {
    vec![
        scenario("a life by short words", Roles::Both, |play| {
            let web = play.service("web").run(LISTEN);
            play.runsv(&web);
            play.wait_listening(&web, 1);
            for word in ["up", "pause", "cont", "hup", "alarm", "interrupt", "quit", "1", "2", "once"] {
                play.sv(&["-v", word, "web"]);
                play.sv(&["status", "web"]);
            }
            play.fenced_notes(&web);
            for word in ["down", "down", "hup", "once"] {
                wait_older(play, &web);
                play.sv(&["-v", word, "web"]);
                play.sv(&["status", "web"]);
            }
            play.wait_listening(&web, 2);
            play.sv(&["up", "web"]);
            wait_older(play, &web);
            play.sv(&["-v", "term", "web"]);
            play.wait_listening(&web, 3);
            wait_older(play, &web);
            play.sv(&["-v", "kill", "web"]);
            play.wait_listening(&web, 4);
            play.sv(&["status", "web"]);
            play.sv(&["-v", "exit", "web"]);
            play.ended("web");
            for word in ["status", "up", "exit"] {
                play.sv(&[word, "web"]);
            }
            play.notes(&web);
            play.look(&web);
        }),
        scenario("a life by long words", Roles::Both, |play| {
            let web = play.service("web").run(LISTEN).finish(NOTE).down();
            play.runsv(&web);
            play.sv(&["status", "web"]);
            play.sv(&["check", "web"]);
            play.sv(&["start", "web"]);
            play.wait_listening(&web, 1);
            play.sv(&["start", "web"]);
            play.sv(&["check", "web"]);
            play.sv(&["reload", "web"]);
            play.fenced_notes(&web);
            for (number, word) in ["restart", "force-reload", "force-restart", "try-restart"].into_iter().enumerate() {
                wait_older(play, &web);
                play.sv(&[word, "web"]);
                play.wait_listening(&web, number + 2);
            }
            play.sv(&["stop", "web"]);
            play.sv(&["status", "web"]);
            play.sv(&["try-restart", "web"]);
            play.sv(&["force-stop", "web"]);
            play.sv(&["restart", "web"]);
            play.wait_listening(&web, 6);
            play.sv(&["shutdown", "web"]);
            play.ended("web");
            play.sv(&["shutdown", "web"]);
            play.notes(&web);
            play.look(&web);
        }),
        scenario("a restart within the second of the start", Roles::Both, |play| {
            let web = play.service("web").run(LISTEN);
            play.runsv(&web);
            play.wait_listening(&web, 1);
            play.sv(&["restart", "web"]);
            play.wait_listening(&web, 2);
            play.notes(&web);
        }),
        scenario("a service that ignores TERM", Roles::Both, |play| {
            let web = play.service("web").run(STAY);
            play.runsv(&web);
            play.wait_listening(&web, 1);
            for words in [&["-w1", "stop", "web"][..], &["status", "web"], &["-w1", "force-stop", "web"]] {
                play.sv(words);
            }
            play.wait(&web, "down");
            play.sv(&["status", "web"]);
            play.sv(&["start", "web"]);
            play.wait_listening(&web, 2);
            wait_older(play, &web);
            play.sv(&["-w1", "restart", "web"]);
            play.sv(&["status", "web"]);
            play.sv(&["-w1", "force-restart", "web"]);
            play.wait_listening(&web, 3);
            play.sv(&["-w1", "exit", "web"]);
            play.sv(&["status", "web"]);
            play.look(&web);
        }),
        scenario("force-shutdown of a service that ignores TERM", Roles::Both, |play| {
            let web = play.service("web").run(STAY).finish(NOTE);
            play.runsv(&web);
            play.wait_listening(&web, 1);
            play.sv(&["-w1", "force-shutdown", "web"]);
            play.ended("web");
            play.sv(&["status", "web"]);
            play.notes(&web);
            play.look(&web);
        }),
        scenario("a finish that hangs", Roles::Both, |play| {
            let web = play.service("web").run(LISTEN).finish(&format!("{NOTE}; read -r _ <gate")).gate("gate");
            play.runsv(&web);
            play.wait_listening(&web, 1);
            play.sv(&["-w1", "stop", "web"]);
            play.sv(&["status", "web"]);
            play.sv(&["-w1", "start", "web"]);
            play.sv(&["status", "web"]);
            play.sv(&["-w0", "check", "web"]);
            play.sv(&["d", "web"]);
            play.settle(&web);
            web.open_gate("gate");
            play.wait(&web, "down");
            play.sv(&["status", "web"]);
        }),
        scenario("a service that cannot start", Roles::Both, |play| {
            let web = play.service("web").down();
            play.runsv(&web);
            play.sv(&["-w1", "stop", "web"]);
            play.sv(&["u", "web"]);
            play.supervisor("web").wait_stderr("unable to start ./run");
            play.sv(&["d", "web"]);
            play.settle(&web);
            play.wait(&web, "down");
            play.sv(&["status", "web"]);
        }),
        scenario("a check script of a real service", Roles::Both, |play| {
            let web = play
                .service("web")
                .run(&format!("sleep 0.5; : >ready; {LISTEN}"))
                .script("check", "test -e ready")
                .down();
            play.runsv(&web);
            play.sv(&["start", "web"]);
            play.wait_listening(&web, 1);
            play.sv(&["check", "web"]);
            std::fs::remove_file(web.path().join("ready")).expect("ready");
            play.sv(&["-w1", "check", "web"]);
            play.sv(&["status", "web"]);
        }),
        scenario("several services in one call", Roles::Both, |play| {
            let web = play.service("web").run(LISTEN);
            let mail = play.service("mail").run(STAY);
            let news = play.service("news").run(LISTEN).down();
            for service in [&web, &mail, &news] {
                play.runsv(service);
            }
            play.wait_listening(&web, 1);
            play.wait_listening(&mail, 1);
            let all = ["web", "none", "mail", "news"];
            play.sv(&[&["status"][..], &all].concat());
            play.sv_each("stop ", &["-w1", "stop"], &all);
            play.sv(&[&["status"][..], &all].concat());
            play.sv(&[&["hup"][..], &all].concat());
            play.sv_each("force-stop ", &["-w1", "force-stop"], &all);
            play.wait(&mail, "down");
            play.sv_each("start ", &["-w5", "start"], &all);
            play.sv(&["status", "web", "web", "./mail", "news/"]);
        }),
        scenario("a log by itself", Roles::Both, |play| {
            let web = play.service("web").run(LISTEN).log_run(&LISTEN.replace("notes", "../lognotes"));
            play.runsv(&web);
            play.wait_listening(&web, 1);
            web.wait_lines("lognotes", 1);
            play.sv(&["status", "web", "web/log"]);
            play.sv(&["-w5", "stop", "./web/log"]);
            play.sv(&["status", "web"]);
            play.sv(&["-w5", "start", "./web/log"]);
            web.wait_lines("lognotes", 3);
            play.sv(&["-v", "hup", "web/log"]);
            play.sv(&["-w0", "exit", "web/log"]);
            play.settle(&web);
            play.sv(&["status", "web", "web/log"]);
            play.sv(&["stop", "web"]);
            play.sv(&["status", "web"]);
        }),
        scenario("a log that ignores the end of file", Roles::Both, |play| {
            let web = play.service("web").run(LISTEN).log_run(&LISTEN.replace("notes", "../lognotes"));
            play.runsv(&web);
            play.wait_listening(&web, 1);
            web.wait_lines("lognotes", 1);
            play.sv(&["x", "web"]);
            wait_until("the end of the service", || (web.stat() == "down\n").then_some(()));
            play.settle(&web);
            play.look(&web.log());
            play.sv(&["d", "web/log"]);
            play.ended("web");
            play.look(&web.log());
            let notes = web.lines("lognotes").join("\n");
            play.saw("notes of the log", &notes);
        }),
        scenario("init scripts of a real service", Roles::Both, |play| {
            let web = play.service("web").run(LISTEN).log_run("exec cat").down();
            play.runsv(&web);
            web.log().wait_running();
            play.settle(&web);
            for word in ["start", "status", "reload", "stop"] {
                if word == "reload" {
                    play.wait_listening(&web, 1);
                }
                play.init_script("web", &[word]);
            }
            play.init_script("web", &["shutdown"]);
            play.ended("web");
            play.init_script("web", &["status"]);
            play.init_script("web", &["start"]);
            play.notes(&web);
        }),
        scenario("a user who may not", Roles::Both, |play| {
            if !support::is_root() {
                return;
            }
            let web = play.service("web").run(LISTEN);
            play.runsv(&web);
            play.wait_listening(&web, 1);
            let client = play.scratch().directory("client").join("sv");
            // Not by the test itself: a process that is forked meanwhile would hold it open for writing.
            let mut copy = play.scratch().command("cp");
            copy.arg(play.client(&[]).get_program()).arg(&client);
            play.scratch().output(copy);
            let supervise = web.path().join("supervise");
            for (directory, ok) in [(0o700, 0o600), (0o755, 0o600), (0o755, 0o666)] {
                std::fs::set_permissions(&supervise, std::fs::Permissions::from_mode(directory)).expect("mode");
                std::fs::set_permissions(supervise.join("ok"), std::fs::Permissions::from_mode(ok)).expect("mode");
                for words in [["-w1", "status"], ["-w1", "up"], ["-w1", "stop"], ["-w1", "exit"]] {
                    let mut command = play.scratch().command(client.to_str().expect("text"));
                    command.args(words).arg("web").uid(65534).gid(65534);
                    play.record(&format!("sv {} web, modes {directory:o} and {ok:o}", words.join(" ")), command);
                }
            }
            play.look(&web);
        }),
    ]
}
