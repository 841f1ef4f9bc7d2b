//! `sv show` and `sv -v status`: what they tell of status files that the test wrote. What a real supervisor writes is
//! in `history.rs`.

use std::os::unix::fs::symlink;
use std::process::Command;

use support::{
    EXTENSION_KEYS, Ending, Extension, FakeService, Output, Scratch, Shown, State, Status, boot_seconds, needs, skip,
};

fn up() -> Status {
    Status::of(State::Run, 4242, 'u', 100)
}

fn down() -> Status {
    Status::of(State::Down, 0, 'd', 100)
}

fn ours(scratch: &Scratch, name: &str, status: Status, extension: Extension) -> FakeService {
    FakeService::extended(scratch.service(name), status, extension)
}

/// What the extension of [`plain`] looks like.
const PLAIN_REST: &str = "\
supervisor=77
starts=1
taken-over=no
oneshot=no
last-end=none
failure=none
failed-start=0
tally=0
backoff=0
control-script=none
ignored-bytes=0
";

fn plain() -> Extension {
    Extension::of('u', 100)
}

fn show(scratch: &Scratch, name: &str) -> Shown {
    Shown::of(scratch, name)
}

// ---- sv show

#[test]
fn adds_show_prints_every_fact_in_order() {
    let scratch = Scratch::new();
    let mut web = ours(&scratch, "web", up(), plain());
    let record = "\
service=web
state=run
pid=4242
wanted=up
normally=up
paused=no
got-term=no
seconds=100
";
    assert_eq!(scratch.sv(&["show", "web"]).with_age(), Output::exit(0, &format!("{record}{PLAIN_REST}"), ""));
    assert_eq!(web.received(), "");
}

#[test]
fn adds_show_of_a_record_of_others_ends_with_the_record() {
    let scratch = Scratch::new();
    let _web = FakeService::create(scratch.service("web").down(), Status { want: 'd', ..up() }.after_term().paused());
    let expected = "\
service=web
state=run
pid=4242
wanted=down
normally=down
paused=yes
got-term=yes
seconds=100
";
    assert_eq!(scratch.sv(&["show", "web"]).with_age(), Output::exit(0, expected, ""));
}

#[test]
fn adds_show_of_every_state() {
    let finish = Status { state: State::Finish, ..up() };
    let rows = [
        (up(), 'u', ["run", "4242", "up", "no", "no"]),
        (Status { want: 'd', ..up() }, 'o', ["run", "4242", "once", "no", "no"]),
        (Status { want: 'd', ..up() }.after_term(), 'd', ["run", "4242", "down", "no", "yes"]),
        (Status { want: 'd', ..up() }.after_term().paused(), 'x', ["run", "4242", "exit", "yes", "yes"]),
        (up().paused(), 'u', ["run", "4242", "up", "yes", "no"]),
        (finish, 'u', ["finish", "4242", "up", "no", "no"]),
        (Status { want: 'd', ..finish }, 'x', ["finish", "4242", "exit", "no", "no"]),
        (down(), 'd', ["down", "0", "down", "no", "no"]),
        (Status { want: 'u', ..down() }, 'u', ["down", "0", "up", "no", "no"]),
        (down(), 'x', ["down", "0", "exit", "no", "no"]),
    ];
    let scratch = Scratch::new();
    for (number, (status, wanted, values)) in rows.into_iter().enumerate() {
        let name = format!("web{number}");
        let _web = ours(&scratch, &name, status, Extension { wanted, ..plain() });
        let keys = ["state", "pid", "wanted", "paused", "got-term"];
        let expected: Vec<(&str, &str)> = keys.into_iter().zip(values).collect();
        show(&scratch, &name).assert(&expected);
    }
}

#[test]
fn adds_show_of_every_end() {
    // The wait status as the kernel gives it: the exit code in the high byte, else the signal, 128 more with a core.
    let rows = [
        (0, 0, "none"),
        (0, 1, "exit 0"),
        (3 << 8, 1, "exit 3"),
        (111 << 8, 1, "exit 111"),
        (255 << 8, 1, "exit 255"),
        (15, 1, "signal 15"),
        (9, 1, "signal 9"),
        (64, 1, "signal 64"),
        (11 + 128, 1, "signal 11"),
        (0, 2, "unknown"),
    ];
    let scratch = Scratch::new();
    let web = ours(&scratch, "web", up(), plain());
    for (wait_status, end, text) in rows {
        web.set_bytes(&Extension { wait_status, end, ..plain() }.encode(&up()));
        show(&scratch, "web").assert(&[("last-end", text)]);
    }
}

/// Its process is its supervisor only for those who read no further.
#[test]
fn adds_show_of_every_state_of_a_one_shot() {
    let scratch = Scratch::new();
    let web = ours(&scratch, "web", up(), plain());
    for (one_shot, word, pid) in [(0, "no", "4242"), (1, "running", "4242"), (2, "done", "0"), (3, "failed", "4242")] {
        web.set_bytes(&Extension { one_shot, ..plain() }.encode(&up()));
        show(&scratch, "web").assert(&[("oneshot", word), ("pid", pid), ("taken-over", "no")]);
        let line = Output::exit(0, "run: web: (pid 4242) 100s\n", "");
        assert_eq!(scratch.sv(&["status", "web"]).with_age(), line);
    }
}

#[test]
fn adds_show_of_every_failure() {
    let rows = [
        (0, 0, "none"),
        (1, 2, "unable to start ./run: file does not exist"),
        (1, 13, "unable to start ./run: access denied"),
        (1, 8, "unable to start ./run: exec format error"),
        (2, 13, "unable to start ./finish: access denied"),
        (3, 2, "unable to run a control script: file does not exist"),
        (4, 11, "unable to fork: temporary failure"),
        (4, 12, "unable to fork: out of memory"),
        (5, 0, "killed after timeout-kill"),
        (6, 0, "finish killed after timeout-finish"),
        (1, 4095, "unable to start ./run: unknown error"),
        (1, 65535, "unable to start ./run: unknown error"),
    ];
    let scratch = Scratch::new();
    let web = ours(&scratch, "web", up(), plain());
    for (failure, errno, text) in rows {
        let failed_start = if failure == 0 { 0 } else { 7 };
        let extension = Extension { failure, errno, failed_start, ..plain() };
        web.set_bytes(&extension.encode(&up()));
        show(&scratch, "web").assert(&[("failure", text), ("failed-start", &failed_start.to_string())]);
    }
}

#[test]
fn adds_show_of_the_largest_numbers() {
    let scratch = Scratch::new();
    let extension = Extension {
        is_taken_over: true,
        starts: u32::MAX,
        supervisor: u32::MAX,
        failure: 5,
        control_script: b't',
        ignored: 255,
        failed_start: u32::MAX,
        tally: u16::MAX,
        backoff: u16::MAX,
        ..plain()
    };
    let _web = ours(&scratch, "web", Status { pid: u32::MAX, ..up() }, extension);
    show(&scratch, "web").assert(&[
        ("pid", "4294967295"),
        ("supervisor", "4294967295"),
        ("starts", "4294967295"),
        ("taken-over", "yes"),
        ("failed-start", "4294967295"),
        ("tally", "65535"),
        ("backoff", "65535"),
        ("control-script", "t"),
        ("ignored-bytes", "255"),
    ]);
}

#[test]
fn adds_show_of_a_service_with_log() {
    let scratch = Scratch::new();
    let _web = ours(&scratch, "web", up(), plain());
    let _log = ours(&scratch, "web/log", Status { pid: 78, ..up() }, Extension { starts: 5, ..plain() });
    let output = scratch.sv(&["show", "web"]).with_age();
    let shown = Shown::parse(&output.stdout);
    shown.assert(&[
        ("service", "web"),
        ("pid", "4242"),
        ("starts", "1"),
        ("log-service", "log"),
        ("log-state", "run"),
        ("log-pid", "78"),
        ("log-seconds", "100"),
        ("log-starts", "5"),
    ]);
    assert!(!output.stdout.contains("\n\n"), "{output:?}");
    // As a service of its own it has its own name, and no prefix.
    show(&scratch, "web/log").assert(&[("service", "web/log"), ("pid", "78"), ("starts", "5")]);
}

#[test]
fn adds_show_of_a_mixed_pair() {
    let scratch = Scratch::new();
    let _web = ours(&scratch, "web", up(), plain());
    let _log = FakeService::create(scratch.service("web/log"), up());
    let shown = show(&scratch, "web");
    assert!(shown.has("starts") && shown.has("log-seconds") && !shown.has("log-starts"), "{shown:?}");
    let _old = FakeService::create(scratch.service("old"), up());
    let _its_log = ours(&scratch, "old/log", up(), plain());
    let shown = show(&scratch, "old");
    assert!(!shown.has("starts") && shown.has("log-starts"), "{shown:?}");
}

#[test]
fn adds_show_of_several_services_is_parted_by_empty_lines() {
    let scratch = Scratch::new();
    let _all = ["one", "two", "three"].map(|name| ours(&scratch, name, up(), plain()));
    let _log = ours(&scratch, "two/log", up(), plain());
    let output = scratch.sv(&["show", "one", "two", "three"]);
    assert_eq!((output.ending, output.stderr.as_str()), (Ending::Exit(0), ""));
    let parts: Vec<&str> = output.stdout.split("\n\n").collect();
    let names: Vec<String> = parts.iter().map(|part| Shown::parse(part).get("service").to_owned()).collect();
    assert_eq!(names, ["one", "two", "three"], "{output:?}");
    assert!(Shown::parse(parts[1]).has("log-service"), "{output:?}");
    assert!(output.stdout.ends_with("ignored-bytes=0\n"), "{output:?}");
}

#[test]
fn adds_show_tells_troubles_as_status_does() {
    let scratch = Scratch::new();
    scratch.directory("nosup");
    drop(FakeService::create(scratch.service("wasrun"), up()));
    let short = FakeService::create(scratch.service("short"), up());
    short.set_bytes(&[0; 19]);
    for name in ["none", "nosup", "wasrun", "short"] {
        let status = scratch.sv(&["status", name]);
        assert_eq!(status.ending, Ending::Exit(1), "{status:?}");
        assert_eq!(scratch.sv(&["show", name]), status, "sv show {name}");
    }
    let _good = ours(&scratch, "good", up(), plain());
    let output = scratch.sv(&["show", "none", "good", "nosup"]);
    assert_eq!((output.ending, output.stderr.as_str()), (Ending::Exit(2), ""), "{output:?}");
    let lines: Vec<&str> = output.stdout.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(lines.len(), 21, "{output:?}");
    assert_eq!(lines[0], "fail: none: unable to change to service directory: file does not exist");
    assert_eq!(lines[1], "service=good");
    assert_eq!(lines[20], "warning: nosup: unable to open supervise/ok: file does not exist");
}

#[test]
fn adds_show_of_a_log_service_in_trouble() {
    let scratch = Scratch::new();
    let _web = ours(&scratch, "web", up(), plain());
    drop(FakeService::create(scratch.service("web/log"), up()));
    let output = scratch.sv(&["show", "web"]);
    assert_eq!((output.ending, output.stderr.as_str()), (Ending::Exit(1), ""), "{output:?}");
    assert!(output.stdout.starts_with("service=web\n"), "{output:?}");
    assert!(output.stdout.contains("fail: web/log: runsv not running\n"), "{output:?}");
}

#[test]
fn adds_show_where_down_cannot_be_examined() {
    let scratch = Scratch::new();
    let _web = ours(&scratch, "web", up(), plain());
    symlink("down", scratch.path().join("web/down")).expect("a loop");
    let output = scratch.sv(&["show", "web"]);
    assert_eq!(output.ending, Ending::Exit(1), "{output:?}");
    assert_eq!(output.stderr, "warning: unable to stat web/down: symbolic link loop\n");
}

#[test]
fn adds_show_counts_as_a_whole_word() {
    let scratch = Scratch::new();
    let _web = ours(&scratch, "web", up(), plain());
    let line = Output::exit(0, "run: web: (pid 4242) 100s\n", "");
    for word in ["sho", "shows", "showx", "sh"] {
        assert_eq!(scratch.sv(&[word, "web"]).with_age(), line, "{word}");
    }
    assert_eq!(scratch.sv(&["Show", "web"]).ending, Ending::Exit(100));
}

#[test]
fn adds_show_takes_the_options_that_status_takes() {
    let scratch = Scratch::new();
    let _web = ours(&scratch, "web", up(), plain());
    let plainly = scratch.sv(&["show", "web"]).with_age();
    for options in [&["-v"][..], &["-w", "1"], &["-vw0"]] {
        let mut words = options.to_vec();
        words.extend(["show", "web"]);
        assert_eq!(scratch.sv(&words).with_age(), plainly, "{words:?}");
    }
}

/// As an init script `show` is for the one service, and ends as `status` does.
#[test]
fn adds_show_as_an_init_script() {
    let scratch = Scratch::new();
    let _web = ours(&scratch, "web", up(), plain());
    let _off = ours(&scratch, "off", down(), Extension { wanted: 'd', ..plain() });
    drop(FakeService::create(scratch.service("cold"), up()));
    scratch.directory("nosup");
    scratch.directory("init.d");
    for (name, code) in [("web", 0), ("off", 3), ("cold", 1), ("none", 1), ("nosup", 4)] {
        let link = scratch.path().join("init.d").join(name);
        symlink(scratch.programs().join("sv"), &link).expect("a link");
        let run = |word: &str| {
            let mut command = scratch.command(link.to_str().expect("text"));
            command.arg(word);
            scratch.output(command)
        };
        let output = run("show");
        assert_eq!(output.ending, Ending::Exit(code), "{name}: {output:?}");
        if code == 0 || code == 3 {
            Shown::parse(&output.stdout).assert(&[("service", name), ("starts", "1")]);
        } else {
            assert_eq!(output, run("status"), "{name}");
        }
        assert_eq!(run("sho").ending, Ending::Exit(2), "{name}");
    }
}

// ---- sv -v status

#[test]
fn adds_verbose_status_tells_what_is_not_as_usual() {
    let scratch = Scratch::new();
    let _web = ours(&scratch, "web", up(), plain());
    let expected = "run: web: (pid 4242) 100s\n  starts=1\n";
    assert_eq!(scratch.sv(&["-v", "status", "web"]).with_age(), Output::exit(0, expected, ""));
    let full = Extension {
        is_taken_over: true,
        one_shot: 1,
        starts: 12,
        wait_status: 3 << 8,
        end: 1,
        failure: 1,
        errno: 13,
        failed_start: 11,
        tally: 4,
        backoff: 8,
        control_script: b't',
        ignored: 9,
        ..plain()
    };
    let _bad = ours(&scratch, "bad", up(), full);
    let expected = "\
run: bad: (pid 4242) 100s
  starts=12
  taken-over=yes
  oneshot=running
  last-end=exit 3
  failure=unable to start ./run: access denied
  failed-start=11
  tally=4
  backoff=8
  control-script=t
  ignored-bytes=9
";
    assert_eq!(scratch.sv(&["-v", "status", "bad"]).with_age(), Output::exit(0, expected, ""));
    // Without -v, and for the records of others, runit's line alone.
    let line = Output::exit(0, "run: bad: (pid 4242) 100s\n", "");
    assert_eq!(scratch.sv(&["status", "bad"]).with_age(), line);
    let _old = FakeService::create(scratch.service("old"), up());
    let line = Output::exit(0, "run: old: (pid 4242) 100s\n", "");
    assert_eq!(scratch.sv(&["-v", "status", "old"]).with_age(), line);
}

#[test]
fn adds_verbose_status_of_a_service_with_log() {
    let scratch = Scratch::new();
    let _web = ours(&scratch, "web", up(), Extension { starts: 0, ..plain() });
    let _log = ours(&scratch, "web/log", Status { pid: 78, ..up() }, Extension { starts: 5, tally: 2, ..plain() });
    let _off = ours(&scratch, "off", down(), Extension { wanted: 'd', wait_status: 9, end: 1, ..plain() });
    let expected = "\
run: web: (pid 4242) 100s; run: log: (pid 78) 100s
  starts=0
  log-starts=5
  log-tally=2
down: off: 100s, normally up
  starts=1
  last-end=signal 9
";
    assert_eq!(scratch.sv(&["-v", "status", "web", "off"]).with_age(), Output::exit(0, expected, ""));
}

// ---- seconds, by the clock of the boot

/// The wall clock of the record may be anything: it was set back or forward since.
#[test]
fn mends_k14_seconds_do_not_depend_on_the_wall_clock() {
    let scratch = Scratch::new();
    let now = up().seconds + 100;
    for (number, seconds) in
        [0, 1, now - 1_000_000_000, now + 1_000_000, 1 << 31, 1 << 33, 1 << 61].into_iter().enumerate()
    {
        let name = format!("web{number}");
        let _web = ours(&scratch, &name, Status { seconds, ..up() }, plain());
        let line = Output::exit(0, &format!("run: {name}: (pid 4242) 100s\n"), "");
        assert_eq!(scratch.sv(&["status", &name]).with_age(), line, "stamp {seconds}");
        let shown = Shown::parse(&scratch.sv(&["show", &name]).with_age().stdout);
        shown.assert(&[("seconds", "100")]);
    }
}

#[test]
fn mends_k14_seconds_of_a_stamp_in_the_future_are_none() {
    let scratch = Scratch::new();
    for seconds in [boot_seconds() + 1000, u64::MAX] {
        let web = ours(&scratch, "web", up(), Extension { seconds, nanoseconds: 999_999_999, ..plain() });
        assert_eq!(scratch.sv(&["status", "web"]), Output::exit(0, "run: web: (pid 4242) 0s\n", ""), "{seconds}");
        show(&scratch, "web").assert(&[("seconds", "0")]);
        std::fs::remove_dir_all(web.service().path()).expect("the service");
    }
}

/// Not the monotonic clock, which stands still while the machine sleeps: here the two are a day apart.
#[test]
fn adds_seconds_count_the_sleep_of_the_machine() {
    if !needs(&["namespaces"]) {
        return;
    }
    let scratch = Scratch::new();
    let sleepy = |program: &str| -> Command {
        let mut command = scratch.command("unshare");
        command.args(["--time", "--boottime=90000", "--monotonic=10", "--fork", "--kill-child"]).arg(program);
        command
    };
    if scratch.output(sleepy("true")).ending != Ending::Exit(0) {
        return skip("needs time namespaces");
    }
    let _web = ours(&scratch, "web", up(), Extension { seconds: boot_seconds() + 90_000 - 100, ..plain() });
    let mut command = sleepy(scratch.programs().join("sv").to_str().expect("text"));
    command.args(["status", "web"]);
    let expected = Output::exit(0, "run: web: (pid 4242) 100s\n", "");
    assert_eq!(scratch.output(command).with_age(), expected);
}

/// A record that was cut, or is of a version to come, is one without extension: the wall clock counts.
#[test]
fn adds_unknown_extensions_are_left_out() {
    let scratch = Scratch::new();
    let whole = Extension { seconds: boot_seconds() - 7000, ..plain() }.encode(&up());
    let other = |at: usize, byte: u8| {
        let mut bytes = whole.clone();
        bytes[at] = byte;
        bytes
    };
    let cut = (20..whole.len()).map(|length| whole[..length].to_vec());
    let rows = cut.chain([other(20, b'q'), other(20, 0), other(21, 0), other(21, 2), other(21, 255)]);
    let web = ours(&scratch, "web", up(), plain());
    for bytes in rows {
        web.set_bytes(&bytes);
        let line = Output::exit(0, "run: web: (pid 4242) 100s\n", "");
        assert_eq!(scratch.sv(&["-v", "status", "web"]).with_age(), line, "{} bytes: {bytes:?}", bytes.len());
        let shown = show(&scratch, "web");
        assert!(!EXTENSION_KEYS.iter().any(|key| shown.has(key)), "{} bytes: {bytes:?}: {shown:?}", bytes.len());
    }
}

/// What comes after the extension is for those who know it.
#[test]
fn adds_longer_files_are_read_as_far_as_they_are_known() {
    let scratch = Scratch::new();
    let web = ours(&scratch, "web", up(), plain());
    let mut bytes = plain().encode(&up());
    bytes.resize(100_000, 0xff);
    web.set_bytes(&bytes);
    show(&scratch, "web").assert(&[("starts", "1"), ("supervisor", "77"), ("ignored-bytes", "0")]);
}
