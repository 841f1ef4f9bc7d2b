//! What runsv.md says of log services: what they get, and how they end.

use std::os::unix::fs::symlink;

use support::wait_until;

use crate::cast::Roles;
use crate::play::LISTEN;
use crate::scenario::{Scenario, scenario};

/// The scenarios of this part.
pub fn scenarios() -> Vec<Scenario> {
    vec![
        scenario("what the log gets", Roles::Supervisor, |play| {
            let run = "echo of run; echo of run to stderr >&2; exit 3";
            let web = play.service("web").run(&format!("{run}; {LISTEN}")).finish("echo of finish; echo to stderr >&2");
            let web = web
                .script("control/u", "echo of control/u")
                .log_run("while read -r line; do echo \"$line\" >>../lines; done");
            play.launch("web");
            web.wait_lines("lines", 3);
            web.send("d");
            wait_until("a service that is down", || (web.status().want == 'd' && web.stat() == "down\n").then_some(()));
            play.settle(&web);
            let lines = web.lines("lines")[..3].join("\n");
            play.saw("lines", &lines);
        }),
        scenario("log cannot be executed", Roles::Supervisor, |play| {
            let missing = play.service("missing").run(LISTEN).file("log/x", "");
            let mode = play.service("mode").run(LISTEN).file("log/run", "#!/bin/sh\n");
            for service in [missing, mode] {
                play.launch(&service.name());
                play.supervisor(&service.name()).wait_stderr("log/./run");
                wait_until("the script to listen", || service.lines("notes").first().map(|_| ()));
                service.wait_running();
            }
        }),
        scenario("log is a link to a directory", Roles::Supervisor, |play| {
            let web = play.service("web").run(LISTEN);
            let logger = play.service("logger").run("pwd >>notes; exec cat");
            symlink("../logger", web.path().join("log")).expect("a link");
            play.runsv(&web);
            play.wait_listening(&web, 1);
            logger.wait_lines("notes", 1);
            play.notes(&logger);
            logger.wait_running();
            play.look(&logger);
        }),
        scenario("log that dies loses nothing", Roles::Supervisor, |play| {
            let run = "for number in 1 2 3 4 5 6 7 8 9; do echo $number; done; echo run >>notes; exec sleep 1000";
            let web = play.service("web").run(run);
            let web = web.log_run("read -r line; echo \"$line\" >>../lines; test \"$line\" != 9 || exec sleep 1000");
            play.runsv(&web);
            let lines = web.wait_lines("lines", 9).join(" ");
            play.saw("lines", &lines);
        }),
        scenario("exit with a log", Roles::Both, |play| {
            let web = play.service("web").run(LISTEN);
            let web = web.log_run("cat; echo end of file >>../notes; read -r _ <../gate").gate("gate");
            play.runsv(&web);
            play.wait_listening(&web, 1);
            web.log().wait_running();
            play.tell(&web, 'x');
            play.wait_note(&web, "end of file");
            play.settle(&web);
            play.look(&web);
            play.look(&web.log());
            play.sv(&["status", "web"]);
            web.open_gate("gate");
            play.ended("web");
            play.look(&web.log());
            play.notes(&web);
        }),
        scenario("d while the log drains", Roles::Supervisor, |play| {
            let web = play.service("web").run(LISTEN);
            let web = web.log_run("cat; echo end of file >>../notes; read -r _ <../gate").gate("gate");
            play.runsv(&web);
            play.wait_listening(&web, 1);
            play.send(&web, "x");
            play.wait_note(&web, "end of file");
            play.send(&web, "d");
            web.open_gate("gate");
            wait_until("the end of the log", || (web.log().stat() == "down\n").then_some(()));
            play.settled_how("web");
            play.look(&web);
        }),
        scenario("u while the log drains", Roles::Supervisor, |play| {
            let web = play.service("web").run(LISTEN);
            let web = web.log_run("cat; echo end of file >>../notes; read -r _ <../gate").gate("gate");
            play.runsv(&web);
            play.wait_listening(&web, 1);
            play.send(&web, "x");
            play.wait_note(&web, "end of file");
            web.send("u");
            wait_until("the u to be taken", || (web.status().want == 'u' || web.stat() == "down\n").then_some(()));
            web.open_gate("gate");
            wait_until("an end, or a start that fails", || {
                let runsv = play.supervisor("web");
                (runsv.try_wait().is_some() || runsv.stderr().contains("unable to setup")).then_some(())
            });
            let ended = play.supervisor("web").try_wait().is_some();
            play.saw("ended", &ended.to_string());
        }),
        scenario("exit with a log that is down", Roles::Supervisor, |play| {
            let web = play.service("web").run(LISTEN).log_run("exec cat").file("log/down", "");
            play.runsv(&web);
            play.wait_listening(&web, 1);
            play.send(&web, "x");
            play.ended("web");
            play.look(&web);
        }),
        scenario("log is down and comes up", Roles::Both, |play| {
            let web = play.service("web").run(LISTEN).log_run("echo log >>../notes; exec cat");
            play.runsv(&web);
            play.wait_listening(&web, 1);
            web.log().wait_running();
            play.wait_note(&web, "log");
            play.sv(&["down", "web/log"]);
            play.wait(&web.log(), "down");
            play.sv(&["status", "web", "web/log"]);
            play.sv(&["up", "web/log"]);
            web.log().wait_running();
            play.settle(&web);
            play.sv(&["status", "web", "web/log"]);
            play.look(&web);
        }),
        scenario("finish of a log is not run", Roles::Supervisor, |play| {
            let web =
                play.service("web").run(LISTEN).log_run("exec cat").script("log/finish", "echo log/finish >>../notes");
            let web = web.script("log/control/d", "echo log/control/d >>../notes");
            play.runsv(&web);
            play.wait_listening(&web, 1);
            web.log().wait_running();
            web.log().send("d");
            play.wait(&web.log(), "down");
            play.look(&web.log());
            play.fenced_notes(&web);
        }),
    ]
}
