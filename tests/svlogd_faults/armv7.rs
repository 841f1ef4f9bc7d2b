//! The armv7 `svlogd` under `qemu-arm-static`: system calls, sizes of numbers and layouts are others there.

use nix::sys::signal::Signal;
use support::{CLOSED, Ending, LogPipe, Logger, Output, Scratch, needs, wait_until};

use crate::numbered::{assert_all, lines};

fn arm_svlogd(scratch: &Scratch, input: LogPipe, words: &[&str]) -> Option<Logger> {
    if !needs(&["qemu-arm-static"]) {
        return None;
    }
    let program = support::arm_programs().map(|programs| programs.join("svlogd")).filter(|program| program.exists());
    let Some(program) = program else {
        support::skip("no svlogd in out/armv7/bin: run `make ARCH=armv7`");
        return None;
    };
    let mut command = scratch.command("qemu-arm-static");
    command.args(["-0", "svlogd"]).arg(program.canonicalize().expect("the program")).args(words);
    Some(scratch.logger(input, command))
}

#[test]
fn logs_and_rotates() {
    let scratch = Scratch::new();
    let log = scratch.log("log").config("s4000\nn0\n");
    let Some(mut logger) = arm_svlogd(&scratch, LogPipe::new(), &["log"]) else { return };
    logger.feed(lines(1..=500));
    logger.tell(Signal::SIGALRM);
    logger.tell(Signal::SIGHUP);
    logger.feed(lines(501..=600));
    assert_eq!(logger.terminate(), Output::exit(0, "", ""));
    assert_all(&log, 600);
    assert_eq!(log.mode("current"), Some(CLOSED));
    assert!(log.archives().iter().all(|file| file.mode == CLOSED && file.name.starts_with("@40000000")));
    assert!(log.count('s') >= 8, "{} files", log.count('s'));
}

#[test]
fn stamps_lines() {
    let scratch = Scratch::new();
    let log = scratch.log("log");
    let Some(mut logger) = arm_svlogd(&scratch, LogPipe::new(), &["-tt", "log"]) else { return };
    logger.feed("one\n");
    assert_eq!(logger.end(), Output::exit(0, "", ""));
    let text = String::from_utf8(log.current()).expect("text");
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00_00:00:00.00000 one\n");
    assert!(text.starts_with("20"), "{text}");
}

#[test]
fn processes() {
    let scratch = Scratch::new();
    let log = scratch.log("log").config("s4000\nn0\n!cat; cat <&4 >&5; echo >&5\n");
    let Some(mut logger) = arm_svlogd(&scratch, LogPipe::new(), &["log"]) else { return };
    logger.write(lines(1..=300));
    let output = logger.end();
    assert_eq!(output.ending, Ending::Exit(0), "{}", output.stderr);
    assert_all(&log, 300);
    assert_eq!((log.count('u'), log.count('t')), (0, 0), "{}", output.stderr);
    assert_eq!(support::lines(&log.join("state")).len(), log.count('s'));
}

/// A processor that fails is tried again after a while, and an unclean `current` is taken over.
#[test]
fn goes_on_after_a_kill() {
    let scratch = Scratch::new();
    let log = scratch.log("log").config("s4000\nn0\n![ -e good ] || { >good; exit 1; }; cat\n");
    let Some(mut logger) = arm_svlogd(&scratch, LogPipe::new(), &["log"]) else { return };
    logger.feed(lines(1..=10));
    logger.signal(Signal::SIGKILL);
    logger.wait();
    let Some(mut next) = arm_svlogd(&scratch, logger.into_input(), &["log"]) else { return };
    next.feed(lines(11..=20));
    next.wait_stderr("svlogd: warning: processor failed, restart: log\n");
    wait_until("the file that waited", || (log.count('s') == 1 && log.count('u') == 0).then_some(()));
    assert_all(&log, 20);
    assert_eq!(next.terminate().ending, Ending::Exit(0));
}
