//! Services by name and by path, names of every shape, and several hundred services in one call of `sv`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::symlink;
use std::path::Path;

use nix::sys::signal::Signal;
use support::{Ending, FakeService, Output, Scratch, State, Status, wait_until};

fn up() -> Status {
    Status::of(State::Run, 4242, 'u', 100)
}

fn down() -> Status {
    Status::of(State::Down, 0, 'd', 100)
}

/// Any number of services that share the fifos of one: cheap ones, for calls with hundreds.
struct Crowd {
    first: FakeService,
    names: Vec<String>,
}

impl Crowd {
    fn create(scratch: &Scratch, count: usize, status: Status) -> Crowd {
        let first = FakeService::create(scratch.service("s0000"), status);
        let names: Vec<String> = (0..count).map(|number| format!("s{number:04}")).collect();
        for name in &names[1..] {
            let supervise = scratch.directory(name).join("supervise");
            std::fs::create_dir(&supervise).expect("supervise");
            for fifo in ["control", "ok"] {
                std::fs::hard_link(first.service().path().join("supervise").join(fifo), supervise.join(fifo))
                    .expect(fifo);
            }
            std::fs::write(supervise.join("status"), status.encode()).expect("status");
        }
        Crowd { first, names }
    }

    fn words<'a>(&'a self, command: &[&'a str]) -> Vec<&'a str> {
        command.iter().copied().chain(self.names.iter().map(String::as_str)).collect()
    }

    fn lines(&self, line: &str) -> String {
        self.names.iter().map(|name| line.replace("NAME", name) + "\n").collect()
    }

    /// All bytes that the shared fifo was sent so far.
    fn received(&mut self) -> String {
        let mut all = String::new();
        loop {
            let some = self.first.received();
            if some.is_empty() {
                return all;
            }
            all.push_str(&some);
        }
    }

    fn set(&self, scratch: &Scratch, name: &str, status: Status) {
        let path = scratch.path().join(name).join("supervise/status");
        let new = path.with_extension("new");
        std::fs::write(&new, status.encode()).expect("status.new");
        std::fs::rename(new, path).expect("status");
    }
}

// ---- several hundred

#[test]
fn status_of_hundreds_in_one_call() {
    let scratch = Scratch::new();
    let mut crowd = Crowd::create(&scratch, 700, up());
    let expected = Output::exit(0, &crowd.lines("run: NAME: (pid 4242) 100s"), "");
    assert_eq!(scratch.sv(&crowd.words(&["status"])).with_age(), expected);
    assert_eq!(crowd.received(), "");
}

#[test]
fn commands_to_hundreds_in_one_call() {
    let scratch = Scratch::new();
    let mut crowd = Crowd::create(&scratch, 700, up());
    assert_eq!(scratch.sv(&crowd.words(&["h"])), Output::exit(0, "", ""));
    assert_eq!(crowd.received(), "h".repeat(700));
    let expected = Output::exit(0, &crowd.lines("ok: run: NAME: (pid 4242) 100s"), "");
    assert_eq!(scratch.sv(&crowd.words(&["reload"])).with_age(), expected);
    assert_eq!(crowd.received(), "h".repeat(700));
    assert_eq!(scratch.sv(&crowd.words(&["check"])).with_age(), expected);
}

/// The codes end at 99; every service has its line all the same.
#[test]
fn hundreds_of_failures_are_ninety_nine() {
    let scratch = Scratch::new();
    let mut crowd = Crowd::create(&scratch, 700, up());
    let late = Output::exit(99, &crowd.lines("timeout: run: NAME: (pid 4242) 100s"), "");
    assert_eq!(scratch.sv(&crowd.words(&["-w0", "stop"])).with_age(), late);
    assert_eq!(crowd.received(), "d".repeat(700));
    std::fs::remove_dir_all(scratch.path().join("s0000/supervise")).expect("supervise");
    let crowd = Crowd { first: crowd.first, names: crowd.names[1..300].to_vec() };
    for name in &crowd.names {
        std::fs::remove_file(scratch.path().join(name).join("supervise/status")).expect("status");
    }
    let lines = crowd.lines("warning: NAME: unable to open supervise/status: file does not exist");
    assert_eq!(scratch.sv(&crowd.words(&["h"])), Output::exit(99, &lines, ""));
    let words: Vec<&str> = crowd.words(&["h"])[..100].to_vec();
    assert_eq!(scratch.sv(&words).ending, Ending::Exit(99));
    let words: Vec<&str> = crowd.words(&["h"])[..99].to_vec();
    assert_eq!(scratch.sv(&words).ending, Ending::Exit(98));
}

/// They come up one after the other, in an order of their own, and each is told once.
#[test]
fn hundreds_are_waited_for_together() {
    let scratch = Scratch::new();
    let mut crowd = Crowd::create(&scratch, 500, Status { want: 'd', ..down() });
    let mut command = scratch.command("sv");
    command.args(crowd.words(&["-w", "1000", "start"]));
    let mut sv = scratch.start(command, Signal::SIGKILL);
    let mut received = String::new();
    wait_until("500 commands", || {
        received.push_str(&crowd.received());
        (received.len() == 500).then_some(())
    });
    assert_eq!((sv.try_wait(), received), (None, "u".repeat(500)));
    for name in crowd.names.iter().rev() {
        crowd.set(&scratch, name, up());
    }
    let output = sv.output().without_numbers();
    let mut lines: Vec<&str> = output.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines.join("\n") + "\n", crowd.lines("ok: run: NAME: (pid P) Ns"));
    assert_eq!((output.ending, output.stderr.as_str()), (Ending::Exit(0), ""));
}

/// The same service again and again is a service each time.
#[test]
fn one_service_named_many_times() {
    let scratch = Scratch::new();
    let mut web = FakeService::create(scratch.service("web"), up());
    let mut words = vec!["1"];
    words.extend(["web"; 60]);
    assert_eq!(scratch.sv(&words), Output::exit(0, "", ""));
    assert_eq!(web.received(), "1".repeat(60));
}

// ---- names

/// `sv status NAME` in `directory`, with the output as bytes: not every name is text.
fn status(scratch: &Scratch, directory: &Path, name: &OsStr) -> (Ending, Vec<u8>, Vec<u8>) {
    let mut command = scratch.command("sv");
    command.arg("status").arg(name).current_dir(directory).env("SVDIR", directory);
    let output = command.output().expect("sv");
    (output.status.into(), output.stdout, output.stderr)
}

fn line(name: &OsStr) -> Vec<u8> {
    [b"run: ", name.as_bytes(), b": (pid 4242) 100s\n"].concat()
}

#[track_caller]
fn assert_told(scratch: &Scratch, directory: &Path, name: &OsStr) {
    let (ending, mut stdout, stderr) = status(scratch, directory, name);
    for age in 101..160 {
        let text = format!(" {age}s\n");
        if stdout.ends_with(text.as_bytes()) {
            stdout.truncate(stdout.len() - text.len());
            stdout.extend(b" 100s\n");
        }
    }
    let expected = (Ending::Exit(0), line(name), Vec::new());
    assert_eq!((ending, stdout, stderr), expected, "{name:?}");
}

fn shapes() -> Vec<OsString> {
    let mut shapes: Vec<OsString> = [
        "two\nlines",
        "\n",
        "tab\there",
        " ",
        " a b ",
        "-w",
        "--",
        "-",
        "a%s%n",
        "%",
        "*",
        "$(id)",
        "`id`",
        "'",
        "\"",
        "\\",
        "a:b",
        "[1]",
        "@",
        "a@b",
        "\u{e9}\u{4e2d}\u{1f426}",
        "\u{7f}",
        "\u{1b}[31m",
        "log",
        "supervise",
        "..hidden..",
        "a.",
        "#",
        "a=b",
    ]
    .into_iter()
    .map(OsString::from)
    .collect();
    shapes.push(OsString::from_vec(b"\xff\xfe".to_vec()));
    shapes.push(OsString::from_vec((1..=255).filter(|byte| *byte != b'/').collect()));
    shapes.push(OsString::from("x".repeat(255)));
    shapes.push(OsString::from("\n".repeat(255)));
    shapes
}

#[test]
fn names_of_every_shape_are_echoed_as_given() {
    let scratch = Scratch::new();
    let base = scratch.directory("base");
    for name in shapes() {
        let service = support::Service::create(&base.join(&name));
        let _fake = FakeService::create(service, up());
        if name.as_bytes()[0] != b'.' {
            assert_told(&scratch, &base, &name);
        }
        let mut path = OsString::from("./");
        path.push(&name);
        assert_told(&scratch, &base, &path);
        assert_told(&scratch, Path::new("/"), base.join(&name).as_os_str());
    }
}

#[test]
fn names_that_are_too_long_or_none() {
    let scratch = Scratch::new();
    let long = "x".repeat(256);
    let deep = "./".repeat(2048) + "x";
    for (name, reason) in [(&*long, "file name too long"), (&*deep, "file name too long"), ("", "file does not exist")]
    {
        let line = format!("fail: {name}: unable to change to service directory: {reason}\n");
        assert_eq!(scratch.sv(&["status", name]), Output::exit(1, &line, ""), "{} bytes", name.len());
    }
}

/// In longer lines than any buffer: a name of 4 KiB by way of a path with much in between.
#[test]
fn long_paths_come_out_whole() {
    let scratch = Scratch::new();
    let _web = FakeService::create(scratch.service("web"), up());
    let path = "./".repeat(1900) + "web";
    assert_told(&scratch, scratch.path(), OsStr::new(&path));
}

#[test]
fn links_and_their_targets_are_the_same_service() {
    let scratch = Scratch::new();
    let mut web = FakeService::create(scratch.service("sv/web"), up());
    let _log = FakeService::create(scratch.service("sv/web/log"), up());
    scratch.directory("service");
    symlink("../sv/web", scratch.path().join("service/link")).expect("a link");
    symlink("link", scratch.path().join("service/again")).expect("a link");
    symlink("loop", scratch.path().join("service/loop")).expect("a loop");
    symlink("nowhere", scratch.path().join("service/dangling")).expect("a link");
    let sv = |words: &[&str]| {
        let mut command = scratch.command("sv");
        command.args(words).env("SVDIR", scratch.path().join("service"));
        scratch.output(command).with_age()
    };
    let both = |name: &str| format!("run: {name}: (pid 4242) 100s; run: log: (pid 4242) 100s\n");
    let expected = both("link") + &both("again") + "run: again/log: (pid 4242) 100s\n" + &both("./sv/web");
    assert_eq!(sv(&["status", "link", "again", "again/log", "./sv/web"]), Output::exit(0, &expected, ""));
    let expected = "fail: loop: unable to change to service directory: symbolic link loop\n\
                    fail: dangling: unable to change to service directory: file does not exist\n";
    assert_eq!(sv(&["status", "loop", "dangling"]), Output::exit(2, expected, ""));
    assert_eq!(sv(&["1", "link", "again"]), Output::exit(0, "", ""));
    assert_eq!(web.received(), "11");
}

/// A path counts from where `sv` was started, however far the services before it have led.
#[test]
fn paths_count_from_the_start_each_time() {
    let scratch = Scratch::new();
    let _all = ["a/b/c", "x", "sv/n"].map(|name| FakeService::create(scratch.service(name), up()));
    let mut command = scratch.command("sv");
    command.args(["-w5", "check", "./a/b/c", "x/", "n", "./x", "../x", "n"]);
    command.current_dir(scratch.path().join("a")).env("SVDIR", scratch.path().join("sv"));
    let output = scratch.output(command).with_age();
    let mut lines: Vec<&str> = output.stdout.lines().collect();
    lines.sort_unstable();
    let expected = [
        "fail: ./a/b/c: unable to change to service directory: file does not exist",
        "fail: ./x: unable to change to service directory: file does not exist",
        "fail: x/: unable to change to service directory: file does not exist",
        "ok: run: ../x: (pid 4242) 100s",
        "ok: run: n: (pid 4242) 100s",
        "ok: run: n: (pid 4242) 100s",
    ];
    assert_eq!((output.ending, lines), (Ending::Exit(3), expected.to_vec()));
}
