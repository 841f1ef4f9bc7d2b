//! What svlogd.md 11 says: lines that are sent by UDP.

use std::net::{Ipv4Addr, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::cast::Roles;
use crate::contents::ruler;
use crate::play::Play;
use crate::scenario::{Scenario, scenario};

/// How often the scenario of the port 514 was begun.
static PLAYS: AtomicU32 = AtomicU32::new(0);

/// The scenarios of this part.
pub fn scenarios() -> Vec<Scenario> {
    let mut all = sent();
    all.extend(refused());
    all
}

/// A socket of the test, and its port.
fn target() -> (UdpSocket, u16) {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    socket.set_nonblocking(true).expect("a mode");
    let port = socket.local_addr().expect("an address").port();
    (socket, port)
}

/// Records what has come so far. On the loopback it is there as soon as it was sent.
fn saw_received(play: &mut Play, socket: &UdpSocket) {
    let mut text = Vec::new();
    let mut buffer = vec![0; 70_000];
    while let Ok((count, _)) = socket.recv_from(&mut buffer) {
        text.extend_from_slice(format!("[{count}]\n").as_bytes());
        text.extend_from_slice(&buffer[..count]);
    }
    play.saw_bytes("received", &text);
}

/// What is sent and what is written with these options; `TARGET` in the config stands for the address.
fn send(name: &str, words: &'static [&'static str], config: &'static str, input: Vec<u8>) -> Scenario {
    scenario(&format!("sending {name}"), Roles::Logger, move |play| {
        let (socket, port) = target();
        let log = play.log("log").config(config.replace("TARGET", &format!("127.0.0.1:{port}")));
        play.log_all(&[words, &["log"]].concat(), &input);
        saw_received(play, &socket);
        play.saw_bytes("current", &log.current());
        // The port is another one each time.
        std::fs::remove_file(log.join("config")).expect("a file");
        play.look_at_sizes(&log);
    })
}

fn sent() -> Vec<Scenario> {
    let text = |text: &str| text.as_bytes().to_vec();
    let lines = || text("line 1\n\nline 3\n");
    vec![
        send("and writing", &[], "uTARGET\n", lines()),
        send("only", &[], "UTARGET\n", lines()),
        send("with -t", &["-t"], "UTARGET\n", lines()),
        send("with -ttt", &["-ttt"], "uTARGET\n", lines()),
        send("with a prefix", &["-tt"], "pprefix: \nUTARGET\n", lines()),
        send("with patterns", &[], "uTARGET\n-*\n+*3\n", lines()),
        send("with patterns and standard error", &[], "UTARGET\n-*3\ne*3\ne*1\n", lines()),
        send("with replacement", &["-r_", "-R", "l"], "uTARGET\n", text("line\t1\n\u{e4}\0\n")),
        send("NULs and other bytes", &[], "UTARGET\n", [(1..=255u8).collect::<Vec<_>>(), vec![0, 0, b'\n']].concat()),
        send("lines around the length", &["-l20"], "uTARGET\n", {
            [19, 20, 21, 40].into_iter().flat_map(|length| format!("{}\n", ruler(length)).into_bytes()).collect()
        }),
        send("long lines only", &[], "UTARGET\n", text(&format!("{}\nend\n", ruler(3000)))),
        send("a line without end", &["-l20"], "UTARGET\n", text(&format!("line\n{}", ruler(30)))),
        send("twice: the last counts", &[], "u127.0.0.1:9\nuTARGET\n", lines()),
        send("u behind U", &[], "U127.0.0.1:9\nuTARGET\n", lines()),
        send("U behind u", &[], "u127.0.0.1:9\nUTARGET\n", lines()),
        send("to a port with text behind it", &[], "uTARGETx\n", lines()),
        send("to a port with a blank behind it", &[], "uTARGET \n", lines()),
        send("with a carriage return", &[], "uTARGET\r\n", lines()),
        scenario("sending to several", Roles::Logger, |play| {
            let ((one, one_port), (two, two_port)) = (target(), target());
            let logs = [
                play.log("one").config(format!("u127.0.0.1:{one_port}\np1 \n")),
                play.log("two").config(format!("U127.0.0.1:{two_port}\np2 \n")),
                play.log("three"),
            ];
            play.log_all(&["one", "two", "three"], "line 1\nline 2\n");
            saw_received(play, &one);
            saw_received(play, &two);
            for log in logs {
                play.saw_bytes(&format!("current of {}", log.name()), &log.current());
            }
        }),
        scenario("sending to the port 514", Roles::Logger, |play| {
            // An address of the loopback that nobody else uses, nor another play of this: on it the port is free.
            let pid = std::process::id();
            let play_number = PLAYS.fetch_add(1, Ordering::Relaxed);
            let address = Ipv4Addr::new(127, (64 + (pid >> 8) % 190) as u8, pid as u8, (1 + play_number % 250) as u8);
            let Ok(socket) = UdpSocket::bind((address, 514)) else {
                return support::skip("the port 514 cannot be had");
            };
            socket.set_nonblocking(true).expect("a mode");
            play.log("log").config(format!("U{address}\n"));
            play.log_all(&["log"], "line 1\nline 2\n");
            saw_received(play, &socket);
        }),
        scenario("sending changed by HUP", Roles::Logger, |play| {
            let (socket, port) = target();
            let log = play.log("log").config(format!("U127.0.0.1:{port}\n"));
            let mut logger = play.svlogd(&["log"]);
            logger.feed("line 1\n");
            log.clone().config("n3\n");
            logger.tell(nix::sys::signal::Signal::SIGHUP);
            logger.feed("line 2\n");
            log.clone().config(format!("u127.0.0.1:{port}\n"));
            logger.tell(nix::sys::signal::Signal::SIGHUP);
            logger.feed("line 3\n");
            play.end_input(logger);
            saw_received(play, &socket);
            play.saw_bytes("current", &log.current());
        }),
    ]
}

fn refused() -> Vec<Scenario> {
    // Nothing is sent to other machines: an address that runit takes for one is of the loopback.
    let directives = [
        "u",
        "U",
        "uabc",
        "Uabc",
        "u1",
        "u127.0.0",
        "U127.0.0",
        "u127.0.0.",
        "u.0.0.1",
        "u127..0.1",
        "u-127.0.0.1",
        "u 127.0.0.1",
        "ulocalhost",
        "u127.0.0.1:",
        "U127.0.0.1:",
        "u127.0.0.1:0",
        "u127.0.0.1:abc",
        "U127.0.0.1:abc",
        "u127.0.0.1:-1",
        "u127.0.0.1: 9",
        "u127.0.0.1::9",
        "u127.0.0.1.1",
        "u127.0.0.1x",
        "u127.0.0.1 :9",
        "u127.0.0.257:9",
        "u383.0.0.1:9",
        "u127.0.0.1:65536",
        "u127.0.0.1:65545",
        "u127.0.0.1:18446744073709551625",
    ];
    let bad = |directive: &'static str| {
        scenario(&format!("address {directive}"), Roles::Logger, move |play| {
            let log = play.log("log").config(format!("pP \n{directive}\nn3\n"));
            play.log_all(&["log"], "line 1\nline 2\n");
            play.look_at_log(&log);
        })
    };
    let mut all: Vec<Scenario> = directives.map(bad).into();
    // Nobody may send to all without having asked for it.
    let fail = |name: &str, words: &'static [&'static str], config: &'static str| {
        scenario(&format!("sending that fails {name}"), Roles::Logger, move |play| {
            let log = play.log("log").config(config);
            play.log_all(&[words, &["-l20", "log"]].concat(), format!("line 1\n{}\n", ruler(30)));
            play.look_at_log(&log);
        })
    };
    all.push(fail("with u", &[], "u255.255.255.255:9\npP \n"));
    all.push(fail("with U", &["-tt"], "U255.255.255.255:9\npP \n"));
    all.push(fail("with patterns", &[], "U255.255.255.255:9\n-line*\ne*\n"));
    all
}
