//! Lines sent to where nobody listens, or nobody can be reached (F43).

use std::net::UdpSocket;
use std::time::Duration;

use support::{Ending, Scratch};

use crate::mounts::Mounts;
use crate::numbered::{LENGTH, assert_all, line, lines, number_of, text};

/// Nobody listens: the lines are in the log, and nobody waits.
#[test]
fn f43_nobody_listens() {
    let scratch = Scratch::new();
    // The port is free, because this socket had it.
    let port = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a socket").port();
    let log = scratch.log("log").config(format!("u127.0.0.1:{port}\n"));
    let mut logger = scratch.svlogd(&["log"]);
    logger.write(lines(1..=2_000));
    let output = logger.end();
    assert_eq!(output.ending, Ending::Exit(0), "{}", output.stderr);
    let numbers: Vec<usize> = log.all_lines().iter().filter_map(|line| number_of(line)).collect();
    assert!(numbers.iter().copied().eq(1..=2_000), "{} lines", numbers.len());
}

/// There is no network at all: what could not be sent is in the log, with `u` and with `U`.
#[track_caller]
fn assert_unreachable(target: &str) {
    let scratch = Scratch::new();
    let namespaces = &["--mount", "--net"];
    let Some(mounts) = Mounts::with_namespaces(&scratch, namespaces, "true") else { return };
    for kind in ["u", "U"] {
        let log = scratch.log(kind).config(format!("{kind}{target}\ns0\n"));
        let mut logger = mounts.svlogd(&[kind]);
        logger.write(lines(1..=500));
        let output = logger.end();
        assert_eq!(output.ending, Ending::Exit(0), "{}", output.stderr);
        let all = log.all_lines();
        let said = |number| format!("warning: failure sending through udp: {}", text(number));
        for number in [1, 2, 250, 500] {
            let is_said = all.iter().any(|line| line.ends_with(&said(number)));
            assert!(is_said, "{kind}{target}: line {number} is not in\n{}", all[..all.len().min(8)].join("\n"));
        }
        let written = all.iter().filter(|line| number_of(line).is_some()).count();
        assert_eq!(written, if kind == "u" { 500 } else { 0 }, "{kind}{target}");
    }
}

#[test]
fn f43_network_is_unreachable() {
    assert_unreachable("192.0.2.1");
    assert_unreachable("127.0.0.1:9");
}

#[test]
fn adds_f43_network_is_unreachable_by_ipv6() {
    assert_unreachable("2001:db8::1");
    assert_unreachable("[2001:db8::1]:514");
    assert_unreachable("[::1]:9");
}

/// More than a datagram can hold.
#[test]
fn f43_line_longer_than_a_datagram() {
    let scratch = Scratch::new();
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let port = socket.local_addr().expect("an address").port();
    let log = scratch.log("log").config(format!("u127.0.0.1:{port}\ns0\n"));
    let mut logger = scratch.svlogd(&["-l", "100000", "-b", "200000", "log"]);
    let long = "x".repeat(90_000);
    logger.write(format!("{long}\n{}", lines(1..=1)));
    let output = logger.end();
    assert_eq!(output.ending, Ending::Exit(0), "{}", output.stderr);
    let all = log.all_lines();
    assert!(all.contains(&long) && all.contains(&text(1)), "{} lines", all.len());
    socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
    let mut bytes = vec![0; 70_000];
    // Nothing of the long one comes, or a part of it.
    loop {
        let count = socket.recv(&mut bytes).expect("a datagram");
        if bytes[..count] == *line(1).as_bytes() {
            return;
        }
        assert!(bytes[..count].starts_with(b"xxx"), "{:?}", String::from_utf8_lossy(&bytes[..count.min(100)]));
    }
}

/// A host that has IPv6 only.
#[test]
fn adds_f43_ipv6() {
    let scratch = Scratch::new();
    let Ok(socket) = UdpSocket::bind("[::1]:0") else { return support::skip("needs IPv6") };
    let port = socket.local_addr().expect("an address").port();
    scratch.log("log").config(format!("U[::1]:{port}\n"));
    let mut logger = scratch.svlogd(&["log"]);
    logger.write(lines(1..=3));
    assert_eq!(logger.end().ending, Ending::Exit(0));
    socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
    for number in 1..=3 {
        let mut bytes = [0; 2 * LENGTH];
        let count = socket.recv(&mut bytes).expect("a datagram");
        assert_eq!(String::from_utf8_lossy(&bytes[..count]), line(number));
    }
}

/// A receiver that reads nothing: its buffer is full, and nobody waits.
#[test]
fn f43_receiver_that_reads_nothing() {
    let scratch = Scratch::new();
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let port = socket.local_addr().expect("an address").port();
    let log = scratch.log("log").config(format!("u127.0.0.1:{port}\ns0\n"));
    let mut logger = scratch.svlogd(&["log"]);
    logger.write(lines(1..=20_000));
    let output = logger.end();
    assert_eq!(output.ending, Ending::Exit(0), "{}", output.stderr);
    assert_all(&log, 20_000);
}
