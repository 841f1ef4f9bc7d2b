//! What `sv` makes of damaged `supervise/` directories: status files of every length and content, fifos that are none,
//! links, loops, and what an ordinary user may not see. Each is one line and one failure, and the service next to it is
//! told as ever.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use support::{
    Account, EXTENSION_KEYS, Ending, Extension, FakeService, Output, Scratch, Shown, State, Status, needs, wait_until,
};

fn up() -> Status {
    Status::of(State::Run, 4242, 'u', 100)
}

fn running(scratch: &Scratch, name: &str) -> FakeService {
    FakeService::create(scratch.service(name), up())
}

const GOOD: &str = "run: good: (pid 4242) 100s\n";

/// Every kind of command on a service in trouble and a good one: the line of the trouble, and nothing wrong with the other.
#[track_caller]
fn assert_trouble(scratch: &Scratch, good: &mut FakeService, name: &str, line: &str) {
    for (words, bytes, rest) in [
        ("status", "", GOOD),
        ("h", "h", ""),
        ("-w5 check", "", "ok: run: good: (pid 4242) 100s\n"),
        ("-w5 reload", "h", "ok: run: good: (pid 4242) 100s\n"),
    ] {
        let mut all: Vec<&str> = words.split(' ').collect();
        all.extend([name, "good"]);
        let expected = Output::exit(1, &format!("{line}\n{rest}"), "");
        assert_eq!(scratch.sv(&all).with_age(), expected, "sv {words}");
        assert_eq!(good.received(), bytes, "sv {words}");
    }
}

/// In the place of `supervise/FILE`.
fn supervise(scratch: &Scratch, name: &str, file: &str) -> PathBuf {
    let path = scratch.path().join(name).join("supervise").join(file);
    let _was_none = std::fs::remove_file(&path);
    path
}

// ---- the status file

#[test]
fn status_files_that_are_too_short() {
    let scratch = Scratch::new();
    let mut good = running(&scratch, "good");
    let web = running(&scratch, "web");
    let bytes = up().encode();
    for length in 0..20 {
        web.set_bytes(&bytes[..length]);
        assert_trouble(&scratch, &mut good, "web", "warning: web: unable to read supervise/status: bad format");
    }
}

#[test]
fn status_files_that_are_no_files() {
    let scratch = Scratch::new();
    let mut good = running(&scratch, "good");
    let web = running(&scratch, "web");
    symlink("status", supervise(&scratch, "web", "status")).expect("a loop");
    let line = "warning: web: unable to open supervise/status: symbolic link loop";
    assert_trouble(&scratch, &mut good, "web", line);
    symlink("nowhere", supervise(&scratch, "web", "status")).expect("a link");
    let line = "warning: web: unable to open supervise/status: file does not exist";
    assert_trouble(&scratch, &mut good, "web", line);
    symlink("/dev/null", supervise(&scratch, "web", "status")).expect("a link");
    let line = "warning: web: unable to read supervise/status: bad format";
    assert_trouble(&scratch, &mut good, "web", line);
    std::fs::create_dir(supervise(&scratch, "web", "status")).expect("a directory");
    let line = "warning: web: unable to read supervise/status: is a directory";
    assert_trouble(&scratch, &mut good, "web", line);
    drop(web);
}

/// Nobody writes to it, or somebody who says nothing: neither is waited for.
#[test]
fn status_file_that_is_a_fifo() {
    let scratch = Scratch::new();
    let mut good = running(&scratch, "good");
    let _web = running(&scratch, "web");
    let fifo = supervise(&scratch, "web", "status");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
    let line = "warning: web: unable to read supervise/status: bad format";
    assert_trouble(&scratch, &mut good, "web", line);
    let _silent = std::fs::OpenOptions::new().read(true).write(true).open(&fifo).expect("a fifo");
    let line = "warning: web: unable to read supervise/status: temporary failure";
    assert_trouble(&scratch, &mut good, "web", line);
}

/// A number that comes out the same each time the test is run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }
}

/// Garbage of every length, some of it with the marks of a true record and extension.
#[test]
fn adds_status_files_full_of_garbage() {
    let scratch = Scratch::new();
    let _good = running(&scratch, "good");
    let web = running(&scratch, "web");
    let mut numbers = Numbers(1);
    for round in 0..60 {
        let length = usize::try_from(numbers.next() % 120).expect("small");
        let mut bytes: Vec<u8> = (0..length).map(|_| numbers.next().to_le_bytes()[0]).collect();
        if round % 2 == 0 && length > 21 {
            bytes[19] %= 3;
            bytes[20..22].copy_from_slice(&[b'p', 1]);
        }
        web.set_bytes(&bytes);
        for word in [&["status"][..], &["-v", "status"], &["show"], &["-w0", "check"], &["h"]] {
            let mut words = word.to_vec();
            words.extend(["web", "good"]);
            let output = scratch.sv(&words);
            assert!(matches!(output.ending, Ending::Exit(0..=2)), "sv {words:?} on {bytes:?}: {output:?}");
            assert!(output.stderr.is_empty(), "sv {words:?} on {bytes:?}: {output:?}");
            let is_told = ["run: good: (pid 4242)", "service=good\n", "ok: run: good: (pid 4242)"];
            assert!(
                word == ["h"] || is_told.iter().any(|text| output.stdout.contains(text)),
                "sv {words:?} on {bytes:?}: {output:?}"
            );
        }
    }
}

/// Each byte of an extension may be anything: every key keeps its place, and a value without line end.
#[test]
fn adds_every_byte_of_an_extension_may_be_anything() {
    let scratch = Scratch::new();
    let whole = Extension::of('u', 100).encode(&up());
    let web = running(&scratch, "web");
    for at in 22..whole.len() {
        for byte in [0, 2, b'\n', 0xff] {
            let mut bytes = whole.clone();
            bytes[at] = byte;
            web.set_bytes(&bytes);
            let shown = Shown::of(&scratch, "web");
            shown.assert(&[("state", "run"), ("pid", "4242"), ("paused", "no")]);
            // A letter for what is wanted that is none may make the whole unknown.
            let is_whole = EXTENSION_KEYS.iter().all(|key| shown.has(key));
            assert!(is_whole || at == 22, "byte {at} is {byte}: {shown:?}");
        }
    }
}

#[test]
fn adds_sizes_beyond_all_bounds_are_not_read() {
    let scratch = Scratch::new();
    let web = FakeService::extended(scratch.service("web"), up(), Extension::of('u', 100));
    let status = web.service().path().join("supervise/status");
    let file = std::fs::OpenOptions::new().write(true).open(&status).expect("status");
    file.set_len(1 << 40).expect("a hole of a terabyte");
    assert_eq!(scratch.sv(&["status", "web"]).with_age(), Output::exit(0, "run: web: (pid 4242) 100s\n", ""));
    Shown::of(&scratch, "web").assert(&[("starts", "1")]);
}

// ---- the fifos

#[test]
fn ok_that_cannot_be_opened() {
    let scratch = Scratch::new();
    let mut good = running(&scratch, "good");
    let _web = running(&scratch, "web");
    symlink("ok", supervise(&scratch, "web", "ok")).expect("a loop");
    let line = "warning: web: unable to open supervise/ok: symbolic link loop";
    assert_trouble(&scratch, &mut good, "web", line);
    symlink("nowhere", supervise(&scratch, "web", "ok")).expect("a link");
    let line = "warning: web: unable to open supervise/ok: file does not exist";
    assert_trouble(&scratch, &mut good, "web", line);
    std::fs::create_dir(supervise(&scratch, "web", "ok")).expect("a directory");
    let line = "warning: web: unable to open supervise/ok: is a directory";
    assert_trouble(&scratch, &mut good, "web", line);
}

#[test]
fn supervise_that_is_no_directory() {
    let scratch = Scratch::new();
    let mut good = running(&scratch, "good");
    scratch.file("file/supervise", "");
    assert_trouble(&scratch, &mut good, "file", "warning: file: unable to open supervise/ok: not a directory");
    scratch.directory("loop");
    symlink("supervise", scratch.path().join("loop/supervise")).expect("a loop");
    assert_trouble(&scratch, &mut good, "loop", "warning: loop: unable to open supervise/ok: symbolic link loop");
}

/// Only commands that write need it.
#[test]
fn control_that_cannot_be_opened() {
    let scratch = Scratch::new();
    let mut good = running(&scratch, "good");
    let _web = running(&scratch, "web");
    let mut tell = |reason: &str| {
        let line = format!("warning: web: unable to open supervise/control: {reason}\n");
        assert_eq!(scratch.sv(&["h", "web", "good"]), Output::exit(1, &line, ""));
        assert_eq!(good.received(), "h");
        let output = scratch.sv(&["-w5", "reload", "web", "good"]).with_age();
        assert_eq!(output, Output::exit(1, &format!("{line}ok: run: good: (pid 4242) 100s\n"), ""));
        assert_eq!(good.received(), "h");
        let status = Output::exit(0, "run: web: (pid 4242) 100s\n", "");
        assert_eq!(scratch.sv(&["status", "web"]).with_age(), status, "{reason}");
    };
    symlink("control", supervise(&scratch, "web", "control")).expect("a loop");
    tell("symbolic link loop");
    symlink("nowhere", supervise(&scratch, "web", "control")).expect("a link");
    tell("file does not exist");
    std::fs::create_dir(supervise(&scratch, "web", "control")).expect("a directory");
    tell("is a directory");
}

/// The original writes its bytes into the file and reports success.
#[test]
fn mends_f7_a_file_in_the_place_of_the_control_fifo_is_no_success() {
    let scratch = Scratch::new();
    let mut good = running(&scratch, "good");
    let _web = running(&scratch, "web");
    let file = supervise(&scratch, "web", "control");
    std::fs::write(&file, "").expect("a file");
    let output = scratch.sv(&["h", "web", "good"]);
    assert_eq!((output.ending, output.stderr.as_str()), (Ending::Exit(1), ""), "{output:?}");
    assert!(output.stdout.starts_with("warning: web: unable to open supervise/control: "), "{output:?}");
    assert_eq!(std::fs::read(&file).expect("the file"), b"", "it was written to");
    assert_eq!(good.received(), "h");
}

/// Nobody has it open, so nobody supervises the service.
#[test]
fn mends_f7_a_file_in_the_place_of_ok_is_no_supervisor() {
    let scratch = Scratch::new();
    let _web = running(&scratch, "web");
    std::fs::write(supervise(&scratch, "web", "ok"), "").expect("a file");
    for word in ["status", "h", "check"] {
        let output = scratch.sv(&[word, "web"]);
        assert_eq!((output.ending, output.stderr.as_str()), (Ending::Exit(1), ""), "sv {word}: {output:?}");
        let is_told = ["warning: web: unable to open supervise/ok: ", "fail: web: runsv not running\n"];
        assert!(is_told.iter().any(|text| output.stdout.starts_with(text)), "sv {word}: {output:?}");
    }
}

#[test]
fn control_that_is_full_is_not_waited_for() {
    let scratch = Scratch::new();
    let mut good = running(&scratch, "good");
    let web = running(&scratch, "web");
    for _ in 0..16 {
        web.service().send(&"z".repeat(4096));
    }
    let line = "warning: web: unable to write to supervise/control: temporary failure\n";
    assert_eq!(scratch.sv(&["h", "web", "good"]), Output::exit(1, line, ""));
    assert_eq!(good.received(), "h");
    let output = scratch.sv(&["-w5", "restart", "web"]);
    assert_eq!(output, Output::exit(1, line, ""));
}

// ---- while sv waits

/// What was there when the command was sent is gone when its effect is looked for.
#[test]
fn services_that_fall_apart_during_the_wait() {
    type Damage = fn(&Path);
    let rows: &[(&str, Damage, &str)] = &[
        ("short", |path| std::fs::write(path.join("supervise/status"), "x").expect("status"), "bad format"),
        (
            "gone",
            |path| std::fs::remove_file(path.join("supervise/status")).expect("status"),
            "unable to open supervise/status",
        ),
        (
            "moved",
            |path| std::fs::rename(path, path.with_extension("away")).expect("moved"),
            "unable to change to service directory",
        ),
    ];
    for (name, damage, text) in rows {
        let scratch = Scratch::new();
        let mut web = running(&scratch, name);
        let mut command = scratch.command("sv");
        command.args(["-w", "3", "stop", name]);
        let mut sv = scratch.start(command, Signal::SIGKILL);
        wait_until("the command", || (web.received() == "d").then_some(()));
        damage(web.service().path());
        let output = sv.output();
        assert_eq!((output.ending, output.stderr.as_str()), (Ending::Exit(1), ""), "{name}: {output:?}");
        assert!(output.stdout.contains(text), "{name}: {output:?}");
    }
}

// ---- what an ordinary user may not see

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("mode");
}

#[test]
fn places_that_an_ordinary_user_may_not_enter() {
    if !needs(&["root", "setpriv"]) {
        return;
    }
    let mut scratch = Scratch::new();
    scratch.use_copied_programs();
    let user = Account::new();
    let _all = ["shut", "inner", "secret", "good", "logged", "logged/log"].map(|name| {
        let fake = running(&scratch, name);
        set_mode(&fake.service().path().join("supervise"), 0o755);
        set_mode(&fake.service().path().join("supervise/ok"), 0o666);
        fake
    });
    let at = |name: &str| scratch.path().join(name);
    set_mode(&at("shut"), 0o700);
    set_mode(&at("inner/supervise"), 0o700);
    set_mode(&at("secret/supervise/status"), 0o600);
    set_mode(&at("logged/log"), 0o600);
    let sv = |words: &[&str]| {
        let mut command = user.command(&scratch, "sv");
        command.args(words);
        scratch.output(command).with_age()
    };
    let rows = [
        ("shut", "fail: shut: unable to change to service directory: access denied\n"),
        ("inner", "warning: inner: unable to open supervise/ok: access denied\n"),
        ("secret", "warning: secret: unable to open supervise/status: access denied\n"),
        ("logged", "run: logged: (pid 4242) 100s; warning: logged/log: unable to change directory: access denied\n"),
    ];
    for (name, line) in rows {
        assert_eq!(sv(&["status", name, "good"]), Output::exit(1, &format!("{line}{GOOD}"), ""), "{name}");
    }
    // It may look, but not touch.
    let line = "warning: good: unable to open supervise/control: access denied\n";
    assert_eq!(sv(&["h", "good"]), Output::exit(1, line, ""));
    let mut command = user.command(&scratch, "sv");
    command.args(["status", "good"]).env("SVDIR", at("shut"));
    let line = "fail: good: unable to change to service directory: access denied\n";
    assert_eq!(scratch.output(command), Output::exit(1, line, ""));
}

/// There is no way back to where it was started: it does not begin.
#[test]
fn starting_directory_that_may_not_be_entered() {
    if !needs(&["root", "setpriv"]) {
        return;
    }
    let mut scratch = Scratch::new();
    scratch.use_copied_programs();
    let _good = running(&scratch, "good");
    let here = scratch.directory("here");
    set_mode(&here, 0o700);
    symlink(scratch.programs().join("sv"), scratch.programs().join("good")).expect("a link");
    for (program, code) in [("sv", 100), ("good", 151)] {
        let mut command = Account::new().command(&scratch, program);
        command.arg("status").current_dir(&here);
        if program == "sv" {
            command.arg("good");
        }
        let line = "fatal: unable to open current directory: access denied\n";
        assert_eq!(scratch.output(command), Output::exit(code, "", line), "{program}");
    }
}
