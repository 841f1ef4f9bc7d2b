//! What stands in runsv.md, section 6: the scripts of a service's `control` directory.

use std::os::unix::fs::symlink;

use nix::sys::signal::Signal;
use support::{Service, send_signal, wait_until};

use crate::cast::Roles;
use crate::play::{LISTEN, NOTE, Play, STAY};
use crate::runsv::NOTE_SURROUNDINGS;
use crate::scenario::{Scenario, scenario};

/// A service with a script for every letter; each notes its name and ends with this code.
fn with_all_scripts(play: &Play, code: u8) -> Service {
    "utdxkpchaiqo12".chars().fold(play.service("web"), |service, letter| {
        service.script(&format!("control/{letter}"), &format!("echo $0 $# >>scripts; exit {code}"))
    })
}

/// The scenarios of this part.
pub fn scenarios() -> Vec<Scenario> {
    let mut all = vec![
        scenario("surroundings of control scripts", Roles::Supervisor, |play| {
            let web = play.service("web").run(LISTEN).script("control/h", NOTE_SURROUNDINGS);
            let web = web.log_run("exec cat >/dev/null");
            play.runsv(&web);
            play.wait_listening(&web, 1);
            play.send(&web, "h");
            wait_until("the script", || web.path().join("surroundings").exists().then_some(()));
            play.settle(&web);
            let text = std::fs::read_to_string(web.path().join("surroundings")).expect("surroundings");
            play.saw("surroundings", &text);
        }),
        scenario("control scripts that cannot be executed", Roles::Supervisor, |play| {
            let web = play.service("web").run(STAY).executable("control/h", "#!/no/such/interpreter\n");
            let web = web.file("control/a", "#!/bin/sh\n").file("control/i/x", "");
            symlink("nowhere", web.path().join("control/1")).expect("a link");
            symlink("2", web.path().join("control/2")).expect("a link");
            play.runsv(&web);
            play.wait_listening(&web, 1);
            for letter in ["h", "a", "i", "1", "2"] {
                play.send(&web, letter);
                play.fenced_notes(&web);
            }
        }),
        scenario("control is a file", Roles::Supervisor, |play| {
            let web = play.service("web").run(STAY).file("control", "");
            play.runsv(&web);
            play.wait_listening(&web, 1);
            play.send(&web, "h");
            play.fenced_notes(&web);
        }),
        scenario("control script killed", Roles::Supervisor, |play| {
            let web = play.service("web").run(STAY).script("control/t", "echo $0 >>notes; kill -KILL $$");
            play.runsv(&web);
            play.wait_listening(&web, 1);
            play.send(&web, "t");
            play.look(&web);
            play.fenced_notes(&web);
        }),
        scenario("control/k takes over", Roles::Supervisor, |play| {
            let web = play.service("web").run(STAY).script("control/k", "echo $0 >>notes");
            play.runsv(&web);
            play.wait_listening(&web, 1);
            play.send(&web, "k");
            play.look(&web);
            play.send(&web, "d");
            play.fenced_notes(&web);
            play.look(&web);
        }),
        scenario("control/k ends the service", Roles::Supervisor, |play| {
            let web = play.service("web").run(LISTEN);
            let web = web.script("control/k", "echo $0 >>notes; kill -TERM $(cat supervise/pid)");
            play.runsv(&web);
            play.wait_listening(&web, 1);
            play.send(&web, "k");
            play.wait_listening(&web, 2);
            play.look(&web);
            play.fenced_notes(&web);
        }),
        scenario("k during a control script", Roles::Supervisor, |play| {
            let web =
                play.service("web").run(STAY).script("control/t", "echo $0 >>scripts; sleep 1; echo end >>scripts");
            play.runsv(&web);
            play.wait_listening(&web, 1);
            web.send("t");
            web.wait_lines("scripts", 1);
            web.send("ok");
            play.wait(&web, "down");
            play.scripts(&web);
            play.notes(&web);
        }),
        scenario("command during a control script", Roles::Supervisor, |play| {
            let script = "echo $0 >>scripts; read -r _ <gate; cat notes >seen";
            let web = play.service("web").run(STAY).script("control/t", script).gate("gate");
            play.runsv(&web);
            play.wait_listening(&web, 1);
            web.send("th");
            web.open_gate("gate");
            play.wait_note(&web, "HUP");
            play.settle(&web);
            let seen = web.lines("seen").join("\n");
            play.saw("notes during the script", &seen);
            play.look(&web);
        }),
        scenario("death during a control script", Roles::Supervisor, |play| {
            let script = "kill -KILL $(cat supervise/pid); for _ in 1 2 3 4 5 6 7 8 9 10; do grep -q down supervise/stat && break; \
                          sleep 0.1; done; cat supervise/stat >>seen";
            let web = play
                .service("web")
                .run(LISTEN)
                .script("control/h", script)
                .script("control/u", "read -r _ <gate")
                .gate("gate");
            play.launch("web");
            web.open_gate("gate");
            play.wait_listening(&web, 1);
            web.send("h");
            let seen = web.wait_lines("seen", 1).join("\n");
            play.saw("stat during the script", &seen);
            web.open_gate("gate");
            play.wait_listening(&web, 2);
            play.fenced_notes(&web);
        }),
    ];
    for code in [0, 1] {
        all.push(scenario(
            &format!("control scripts that exit {code}, while running"),
            Roles::Supervisor,
            move |play| {
                let web = with_all_scripts(play, code).run(STAY);
                play.runsv(&web);
                play.wait_listening(&web, 1);
                for letter in ["u", "h", "a", "i", "q", "1", "2", "t", "c"] {
                    play.send(&web, letter);
                    play.fenced_notes(&web);
                }
                play.send(&web, "p");
                play.look(&web);
                play.send(&web, "c");
                play.look(&web);
                play.send(&web, "o");
                play.fenced_notes(&web);
                play.send(&web, "t");
                play.look(&web);
                play.fenced_notes(&web);
                play.send(&web, "d");
                play.look(&web);
                play.fenced_notes(&web);
                play.send(&web, "x");
                play.look(&web);
                play.fenced_notes(&web);
            },
        ));
        all.push(scenario(&format!("control scripts that exit {code}, while down"), Roles::Supervisor, move |play| {
            let web = with_all_scripts(play, code).run(LISTEN).down();
            play.runsv(&web);
            for letter in ["t", "d", "k", "p", "c", "h", "a", "i", "q", "1", "2"] {
                play.send(&web, letter);
            }
            play.scripts(&web);
            play.send(&web, "o");
            play.wait_listening(&web, 1);
            play.fenced_notes(&web);
            play.scripts(&web);
        }));
        all.push(scenario(&format!("control/u that exits {code}, at every start"), Roles::Supervisor, move |play| {
            let web = with_all_scripts(play, code).run(LISTEN);
            play.runsv(&web);
            play.wait_listening(&web, 1);
            send_signal(web.status().pid, Signal::SIGKILL);
            play.wait_listening(&web, 2);
            play.scripts(&web);
        }));
    }
    all.push(scenario("control scripts and SIGTERM", Roles::Supervisor, |play| {
        let web = with_all_scripts(play, 1).run(LISTEN).finish(NOTE);
        play.runsv(&web);
        play.wait_listening(&web, 1);
        play.signal_supervisor("web", Signal::SIGTERM);
        play.ended("web");
        play.scripts(&web);
        play.notes(&web);
        play.look(&web);
    }));
    all
}
