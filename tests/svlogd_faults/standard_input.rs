//! What standard input can be, and that it is left as it was for others who have it open (K84).

use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::Signal;
use support::{Account, Ending, LogPipe, Logger, Output, Scratch, Supervisor, needs};

use crate::numbered::{assert_all, lines};

/// Starts `svlogd log` on any descriptor. Others that stand for the same open file see what it does to it.
fn svlogd_on(scratch: &Scratch, input: &impl std::os::fd::AsFd) -> Supervisor {
    let mut command = scratch.command("svlogd");
    command.arg("log");
    become_input(&mut command, input);
    scratch.start(command, Signal::SIGKILL)
}

fn become_input(command: &mut Command, input: &impl std::os::fd::AsFd) {
    let input: OwnedFd = input.as_fd().try_clone_to_owned().expect("another descriptor");
    // SAFETY: the closure makes one system call, allocates nothing and takes no lock.
    unsafe {
        command.pre_exec(move || nix::unistd::dup2_stdin(&input).map_err(std::io::Error::from));
    }
}

fn flags(of: &impl std::os::fd::AsFd) -> OFlag {
    OFlag::from_bits_retain(fcntl(of, FcntlArg::F_GETFL).expect("flags"))
}

/// A terminal: the side of whoever types, and the side of a program.
fn open_terminal() -> (nix::pty::PtyMaster, std::fs::File) {
    let master = nix::pty::posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC).expect("a terminal");
    nix::pty::grantpt(&master).expect("a terminal");
    nix::pty::unlockpt(&master).expect("a terminal");
    let name = nix::pty::ptsname_r(&master).expect("a terminal");
    let terminal = std::fs::OpenOptions::new().read(true).write(true).custom_flags(OFlag::O_NOCTTY.bits()).open(name);
    (master, terminal.expect("a terminal"))
}

#[test]
fn mends_k84_flags_of_the_input_stay_as_they_are() {
    let scratch = Scratch::new();
    let log = scratch.log("log");
    for more in [OFlag::empty(), OFlag::O_NONBLOCK] {
        let (reader, writer) = nix::unistd::pipe2(OFlag::O_CLOEXEC).expect("a pipe");
        fcntl(&reader, FcntlArg::F_SETFL(flags(&reader) | more)).expect("flags");
        let before = flags(&reader);
        let mut logger = svlogd_on(&scratch, &reader);
        let mut writer = std::fs::File::from(writer);
        writer.write_all(b"one\n").expect("the pipe");
        log.wait_current("one\n");
        assert_eq!(flags(&reader), before);
        writer.write_all(b"tw").expect("the pipe");
        logger.signal(Signal::SIGTERM);
        writer.write_all(b"o\nthree\n").expect("the pipe");
        assert_eq!(logger.output(), Output::exit(0, "", ""));
        assert_eq!(flags(&reader), before);
        std::fs::remove_file(log.join("current")).expect("current");
    }
}

#[test]
fn mends_k70_input_that_is_a_file() {
    let scratch = Scratch::new();
    let log = scratch.log("log");
    let path = scratch.file("input", &format!("{}no end", lines(1..=1_000)));
    let mut logger = svlogd_on(&scratch, &std::fs::File::open(path).expect("a file"));
    assert_eq!(logger.output().ending, Ending::Exit(0));
    let all = log.all_lines();
    assert_eq!((all.len(), all[999].as_str()), (1_001, lines(1_000..=1_000).trim_end()));
}

#[test]
fn mends_k70_input_that_is_a_file_without_an_end() {
    let scratch = Scratch::new();
    let log = scratch.log("log");
    let path = scratch.file("input", "one\nno end");
    let mut logger = svlogd_on(&scratch, &std::fs::File::open(path).expect("a file"));
    assert_eq!(logger.output(), Output::exit(0, "", ""));
    assert_eq!(log.current(), b"one\nno end\n");
}

#[test]
fn input_that_is_empty() {
    let scratch = Scratch::new();
    let log = scratch.log("log");
    for path in ["/dev/null", scratch.file("empty", "").to_str().expect("text")] {
        let mut logger = svlogd_on(&scratch, &std::fs::File::open(path).expect("a file"));
        assert_eq!((logger.output(), log.current()), (Output::exit(0, "", ""), Vec::new()), "{path}");
    }
}

#[test]
fn mends_k84_input_that_is_a_terminal() {
    let scratch = Scratch::new();
    let log = scratch.log("log");
    let (mut master, terminal) = open_terminal();
    let before = flags(&terminal);
    let mut logger = svlogd_on(&scratch, &terminal);
    master.write_all(b"one\ntwo\n").expect("the terminal");
    log.wait_current("one\ntwo\n");
    assert_eq!(flags(&terminal), before);
    // The end of a file, as it is typed.
    master.write_all(b"\x04").expect("the terminal");
    assert_eq!(logger.output(), Output::exit(0, "", ""));
    assert_eq!(log.current(), b"one\ntwo\n");
}

/// The other side of the terminal goes away: that is the end.
#[test]
fn input_that_is_a_terminal_which_hangs_up() {
    let scratch = Scratch::new();
    let log = scratch.log("log");
    let (mut master, terminal) = open_terminal();
    let mut logger = svlogd_on(&scratch, &terminal);
    drop(terminal);
    master.write_all(b"one\n").expect("the terminal");
    log.wait_current("one\n");
    drop(master);
    assert_eq!(logger.output().ending, Ending::Exit(0));
    assert_eq!(log.current(), b"one\n");
}

#[test]
fn mends_k84_input_that_is_a_socket() {
    let scratch = Scratch::new();
    let log = scratch.log("log");
    let (reader, mut writer) = UnixStream::pair().expect("sockets");
    let before = flags(&reader);
    let mut logger = svlogd_on(&scratch, &reader);
    writer.write_all(lines(1..=2_000).as_bytes()).expect("the socket");
    log.wait_text(lines(2_000..=2_000).trim_end());
    assert_eq!(flags(&reader), before);
    drop(writer);
    assert_eq!(logger.output(), Output::exit(0, "", ""));
    assert_all(&log, 2_000);
}

/// TERM within a line that comes through a socket.
#[test]
fn mends_k71_term_on_a_socket() {
    use std::io::Read;
    let scratch = Scratch::new();
    let log = scratch.log("log");
    let (mut reader, mut writer) = UnixStream::pair().expect("sockets");
    let mut logger = svlogd_on(&scratch, &reader);
    writer.write_all(b"one\ntw").expect("the socket");
    log.wait_text("one\n");
    logger.signal(Signal::SIGTERM);
    writer.write_all(b"o\nthree\n").expect("the socket");
    assert_eq!(logger.output(), Output::exit(0, "", ""));
    drop(writer);
    let mut left = String::new();
    reader.read_to_string(&mut left).expect("the socket");
    assert_eq!(format!("{}{left}", String::from_utf8_lossy(&log.current())), "one\ntwo\nthree\n");
}

/// Descriptor 0 is closed: nothing that is opened instead is taken for the input.
#[test]
fn input_that_is_closed() {
    let scratch = Scratch::new();
    let log = scratch.log("log").config("p> \n").file("state", "not the input\n", 0o644);
    let mut command = scratch.command("sh");
    command.args(["-c", "exec svlogd log <&-"]);
    let output = scratch.output(command);
    assert_eq!(output.ending, Ending::Exit(0), "{}", output.stderr);
    assert_eq!((log.current(), log.read("config")), (Vec::new(), b"p> \n".to_vec()), "{}", output.stderr);
}

/// All three are closed: no message comes into the log.
#[test]
fn mends_all_descriptors_are_closed() {
    let scratch = Scratch::new();
    let log = scratch.log("log").config("nonsense\n");
    let mut command = scratch.command("sh");
    command.args(["-c", "exec svlogd -v log <&- >&- 2>&-"]);
    assert_eq!(scratch.output(command).ending, Ending::Exit(0));
    for file in log.files() {
        assert!(!String::from_utf8_lossy(&file.bytes).contains("svlogd:"), "{file:?}");
    }
}

/// Standard error is closed: messages do not go into a file that has taken its place.
#[test]
fn error_stream_that_is_closed() {
    let scratch = Scratch::new();
    let log = scratch.log("log").config("nonsense\ne*\n");
    let mut command = scratch.command("sh");
    command.args(["-c", "exec svlogd -v log 2>&-"]);
    let mut logger = scratch.logger(LogPipe::new(), command);
    logger.feed("text\n");
    assert_eq!(logger.end().ending, Ending::Exit(0));
    assert_eq!(log.current(), b"text\n");
}

#[test]
fn input_that_cannot_be_read() {
    let scratch = Scratch::new();
    let log = scratch.log("log");
    let directory = std::fs::File::open(scratch.path()).expect("a directory");
    let output = svlogd_on(&scratch, &directory).output();
    assert_eq!(output, Output::exit(0, "", "svlogd: warning: unable to read standard input: is a directory\n"));
    let writer = std::fs::OpenOptions::new().write(true).custom_flags(0).open("/dev/null").expect("a device");
    let output = svlogd_on(&scratch, &writer).output();
    assert_eq!(
        output,
        Output::exit(0, "", "svlogd: warning: unable to read standard input: file descriptor not open\n")
    );
    assert_eq!(log.current(), b"");
}

/// A pipe of the superuser, as a log service that gives its rights up has it.
#[test]
fn mends_k71_ordinary_user_reads_a_pipe_of_the_superuser() {
    if !needs(&["root", "setpriv"]) {
        return;
    }
    let mut scratch = Scratch::new();
    scratch.use_copied_programs();
    let account = Account::new();
    let log = scratch.log("log").config("s4000\nn0\n");
    account.own(log.path());
    let mut command = account.command(&scratch, "svlogd");
    command.arg("log");
    let mut logger = scratch.logger(LogPipe::new(), command);
    logger.feed(lines(1..=1_000));
    logger.feed("part");
    logger.tell(Signal::SIGTERM);
    logger.write(" of a line\nnext");
    assert_eq!(logger.wait(), Ending::Exit(0), "{}", logger.stderr());
    let mut all = log.all_lines();
    assert_eq!(all.pop().as_deref(), Some("part of a line"), "{}", logger.stderr());
    assert_eq!(all.len(), 1_000);
    let left = scratch.logger(logger.into_input(), scratch.command("cat")).end().stdout;
    assert_eq!(left, "next");
}

/// A logger that tells all it does, and whose standard error is this.
fn logger_that_tells(scratch: &Scratch, stream: OwnedFd) -> Logger {
    let mut command = scratch.command("svlogd");
    command.args(["-v", "log"]);
    // SAFETY: the closure makes one system call, allocates nothing and takes no lock.
    unsafe {
        command.pre_exec(move || nix::unistd::dup2_stderr(&stream).map_err(std::io::Error::from));
    }
    scratch.logger(LogPipe::new(), command)
}

/// Nobody reads what is said: the log goes on.
#[test]
fn mends_error_stream_that_nobody_reads() {
    let scratch = Scratch::new();
    let log = scratch.log("log").config("e*\ns0\n");
    let (reader, writer) = nix::unistd::pipe2(OFlag::O_CLOEXEC).expect("a pipe");
    let mut logger = logger_that_tells(&scratch, writer);
    logger.write(lines(1..=20_000));
    log.wait_text(lines(20_000..=20_000).trim_end());
    assert_all(&log, 20_000);
    assert_eq!(logger.end().ending, Ending::Exit(0));
    drop(reader);
}

/// Whoever read what is said is gone.
#[test]
fn mends_error_stream_whose_reader_is_gone() {
    let scratch = Scratch::new();
    let log = scratch.log("log").config("nonsense\ne*\n");
    let (reader, writer) = nix::unistd::pipe2(OFlag::O_CLOEXEC).expect("a pipe");
    drop(reader);
    let mut logger = logger_that_tells(&scratch, writer);
    logger.feed("one\n");
    logger.feed("two\n");
    assert_eq!((logger.end().ending, log.current()), (Ending::Exit(0), b"one\ntwo\n".to_vec()));
}
