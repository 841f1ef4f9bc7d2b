//! Bad input: configs that make no sense, directories that are none, files of another kind, wrong words.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, Instant};

use support::{Account, Ending, LogDirectory, LogPipe, Output, Scratch, needs, wait_until};

/// More than this cannot be used at once.
const DIRECTORIES: usize = 32;

/// How many faults of a config are told.
const TOLD: usize = 10;

/// The numbers of the lines that are told for a directory.
fn told(stderr: &str, directory: &str) -> Vec<usize> {
    let lines = stderr.lines().filter_map(|line| {
        let warning = line.strip_prefix("svlogd: warning: ")?;
        if let Some(rest) = warning.strip_prefix("carriage return left out of line ") {
            return rest.strip_suffix(&format!(" of config: {directory}"))?.parse().ok();
        }
        let (number, rest) = warning.strip_prefix("unable to use line ")?.split_once(" of config: ")?;
        let reason = rest.strip_prefix(directory)?.strip_prefix(": ")?;
        assert!(!reason.is_empty(), "{line}");
        number.parse().ok()
    });
    lines.collect()
}

/// Runs loggers on directories with these configs, feeds a line, and gives back for each the lines that are told, and
/// what was written.
fn run_configs(configs: &[Vec<u8>]) -> Vec<(Vec<usize>, String)> {
    let mut results = Vec::new();
    for some in configs.chunks(DIRECTORIES) {
        let scratch = Scratch::new();
        let logs: Vec<LogDirectory> = some
            .iter()
            .enumerate()
            .map(|(number, config)| scratch.log(&format!("log{number:02}")).config(config))
            .collect();
        let names: Vec<String> = logs.iter().map(LogDirectory::name).collect();
        let words: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut logger = scratch.svlogd(&words);
        logger.write("text\n");
        let output = logger.end();
        assert_eq!(output.ending, Ending::Exit(0), "{}", output.stderr);
        let of_directories: usize = names.iter().map(|name| told(&output.stderr, name).len()).sum();
        assert_eq!(of_directories, output.stderr.lines().count(), "{}", output.stderr);
        for log in logs {
            let written = String::from_utf8_lossy(&log.current()).into_owned();
            results.push((told(&output.stderr, &log.name()), written));
        }
    }
    results
}

// ---- config: its size

#[test]
fn config_of_no_bytes() {
    assert_eq!(run_configs(&[Vec::new()]), [(Vec::new(), "text\n".to_owned())]);
}

/// Each byte there is, alone, without and with a newline.
#[test]
fn mends_config_of_one_byte() {
    let configs: Vec<Vec<u8>> = (0..=255).flat_map(|byte| [vec![byte], vec![byte, b'\n']]).collect();
    for (config, (told, written)) in configs.iter().zip(run_configs(&configs)) {
        assert!(told.is_empty() || told == [1], "{config:?}: {told:?}");
        assert_eq!(written, "text\n", "{config:?}");
    }
}

/// A hundred megabytes: the first part is used, and nobody waits for the rest.
#[test]
fn mends_config_of_100_megabytes() {
    let head = "pfirst: \n";
    let comments = format!("{head}{}plast: \n", "# comment\n".repeat(10_000_000));
    for (contents, size) in [(comments.as_str(), comments.len()), (head, 100_000_000)] {
        let scratch = Scratch::new();
        let log = scratch.log("log").config(contents);
        // What it is longer than its contents are bytes of value 0.
        let file = std::fs::OpenOptions::new().write(true).open(log.join("config")).expect("config");
        file.set_len(size.try_into().expect("a size")).expect("config");
        let since = Instant::now();
        let mut logger = scratch.svlogd(&["log"]);
        logger.feed("text\n");
        let status = std::fs::read_to_string(format!("/proc/{}/status", logger.pid())).expect("a process");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak").trim().to_owned();
        let kibibytes: u64 = peak.trim_end_matches(" kB").parse().expect("a number");
        assert!(kibibytes < 4_000, "{peak}");
        let output = logger.end();
        assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
        assert_eq!(output.ending, Ending::Exit(0));
        assert!(output.stderr.lines().count() <= 2, "{}", output.stderr);
        assert_eq!(log.current(), b"first: text\n");
    }
}

/// Only the first of very many faults are told.
#[test]
fn adds_config_with_very_many_faults() {
    let config = format!("{}p> \n", "nonsense\n".repeat(200));
    assert_eq!(run_configs(&[config.into()]), [((1..=TOLD).collect(), "> text\n".to_owned())]);
}

/// Many lines that are all right.
#[test]
fn config_of_8000_bytes() {
    let config = format!("{}p> \n", "-nothing that comes*\n".repeat(380));
    assert_eq!(run_configs(&[config.into()]), [(Vec::new(), "> text\n".to_owned())]);
}

// ---- config: what is in it

/// Lines that make no sense.
const FAULTS: &[&str] = &[
    "s",
    "sabc",
    "s 2000",
    "s-5",
    "s+5",
    "s2000x",
    "s2000K",
    "s2000kb",
    "s2 000",
    "s1.5k",
    "s0x10",
    "s99999999999999999999999999999999",
    "s18446744073709551615m",
    "n",
    "nabc",
    "n-1",
    "n1k",
    "n99999999999999999999999999999999",
    "N",
    "Nabc",
    "N-1",
    "N99999999999999999999999999999999",
    "t",
    "tx",
    "t1d",
    "t-1",
    "t5s",
    "t99999999999999999999999999999999h",
    "k",
    "kx",
    "k-1",
    "k1d",
    "k99999999999999999999999999999999",
    "u",
    "u256.1.1.1",
    "u1.2.3",
    "u1.2.3.4.5",
    "u1.2.3.4x",
    "u 1.2.3.4",
    "u1.2.3.4:",
    "u1.2.3.4:0",
    "u1.2.3.4:65536",
    "u1.2.3.4:99999999999999999999999999999999",
    "u1.2.3.4:514x",
    "uexample.org",
    "ulocalhost:514",
    "u:514",
    "u[::1",
    "u[::1]x",
    "u[::g]:514",
    "u[1.2.3.4]:514",
    "u[]:514",
    "U",
    "U256.1.1.1",
    "U1.2.3.4:0",
    "Uexample.org",
    "U[::1]:65536",
    "xyz",
    "S2000",
    "+\0",
    "p\0",
    "!true\0",
    " s2000",
    "\ts2000",
    "s2000\0",
    "\0",
    "\0s2000",
    "waiting",
    "w ",
    "\u{feff}s2000",
];

/// Each is told with its number, and is as if it were not there; the line behind it counts.
#[test]
fn mends_k81_lines_that_make_no_sense_are_told_and_skipped() {
    let configs: Vec<Vec<u8>> = FAULTS.iter().map(|fault| format!("#\n\n{fault}\np> \n").into_bytes()).collect();
    for (fault, (told, written)) in FAULTS.iter().zip(run_configs(&configs)) {
        assert_eq!((told, written.as_str()), (vec![3], "> text\n"), "{fault:?}");
    }
}

/// Lines that make sense, with what is unusual.
const SENSE: &[&str] = &[
    "s0",
    "s2000",
    "s2000k",
    "s10m",
    "s2000 ",
    "s2k  ",
    "s0000000000000000000002000",
    "n0",
    "n1000000",
    "N0",
    "t0",
    "t5",
    "t5m",
    "t5h",
    "k5m",
    "u127.0.0.1",
    "u127.0.0.1:65535",
    "u::1",
    "u[::1]",
    "u[::1]:9",
    "w",
    "wait",
    "!true",
    "#",
    "# comment",
    "",
    "-x",
    "-\u{1b}*",
];

#[test]
fn adds_lines_that_make_sense_are_not_told() {
    // Nothing of the network may come into the log.
    let configs: Vec<Vec<u8>> = SENSE.iter().map(|line| format!("{line}\np> \n").into_bytes()).collect();
    for (line, (told, written)) in SENSE.iter().zip(run_configs(&configs)) {
        assert_eq!(told, [] as [usize; 0], "{line:?}");
        assert!(written.ends_with("> text\n"), "{line:?}: {written}");
    }
}

/// A file as other systems write it is used without the carriage returns, which is told once.
#[test]
fn mends_k81_config_with_crlf() {
    let scratch = Scratch::new();
    let log = scratch.log("log").config("# comment\r\ns4000\r\n\r\nn2\r\npweb: \r\n+*\r\n!cat\r\n");
    let mut logger = scratch.svlogd(&["log"]);
    logger.feed("text\n".repeat(2_000));
    wait_until("two files that are processed", || (log.count('u') == 0 && log.count('s') >= 2).then_some(()));
    assert_eq!(logger.end().ending, Ending::Exit(0));
    assert_eq!(told(&logger.stderr(), "log"), [1]);
    assert!(log.all_lines().iter().all(|line| line == "web: text"), "{:?}", log.all_lines()[0]);
    assert!(log.archives().iter().all(|file| file.bytes.len() <= 4_000));
}

/// A number with a fault does not take the one before it away.
#[test]
fn mends_k81_value_of_a_line_before_counts() {
    let scratch = Scratch::new();
    let log = scratch.log("log").config("s4000\nn2\nsbig\nn-1\n");
    let mut logger = scratch.svlogd(&["log"]);
    logger.write(crate::numbered::lines(1..=1_000));
    let output = logger.end();
    assert_eq!(told(&output.stderr, "log"), [3, 4]);
    let sizes: Vec<usize> = log.archives().iter().map(|file| file.bytes.len()).collect();
    assert!(sizes.len() == 2 && sizes.iter().all(|size| *size <= 4_000), "{sizes:?}");
}

/// A U line without an address takes no line away from the log.
#[test]
fn mends_no_address_leaves_the_lines_in_the_log() {
    let results = run_configs(&["Unowhere\n".into(), "U\n".into()]);
    assert!(results.iter().all(|result| *result == (vec![1], "text\n".to_owned())), "{results:?}");
}

// ---- config: what it is

#[test]
fn config_that_is_a_directory() {
    let scratch = Scratch::new();
    let log = scratch.log("log");
    std::fs::create_dir(log.join("config")).expect("a directory");
    let mut logger = scratch.svlogd(&["log"]);
    logger.write("text\n");
    let warning = "svlogd: warning: unable to read config: log: is a directory\n";
    assert_eq!((logger.end(), log.current()), (Output::exit(0, "", warning), b"text\n".to_vec()));
}

/// Nobody writes to it: that must not be waited for.
#[test]
fn config_that_is_a_fifo() {
    let scratch = Scratch::new();
    let log = scratch.log("log");
    nix::unistd::mkfifo(&log.join("config"), nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
    let mut logger = scratch.svlogd(&["log"]);
    logger.write("text\n");
    assert_eq!((logger.end().ending, log.current()), (Ending::Exit(0), b"text\n".to_vec()));
}

#[test]
fn mends_config_that_is_a_link() {
    let scratch = Scratch::new();
    let (log, loops) = (scratch.log("log"), scratch.log("loops"));
    scratch.file("elsewhere", "p> \n");
    symlink("../elsewhere", log.join("config")).expect("a link");
    symlink("config", loops.join("config")).expect("a link");
    let mut logger = scratch.svlogd(&["log", "loops"]);
    logger.write("text\n");
    let warning = "svlogd: warning: unable to read config: loops: symbolic link loop\n";
    assert_eq!(logger.end(), Output::exit(0, "", warning));
    assert_eq!((log.current(), loops.current()), (b"> text\n".to_vec(), b"text\n".to_vec()));
}

#[test]
fn config_that_may_not_be_read() {
    if !needs(&["root", "setpriv"]) {
        return;
    }
    let mut scratch = Scratch::new();
    scratch.use_copied_programs();
    let account = Account::new();
    let log = scratch.log("log").file("config", "p> \n", 0o000);
    account.own(log.path());
    let mut command = account.command(&scratch, "svlogd");
    command.arg("log");
    let mut logger = scratch.logger(LogPipe::new(), command);
    logger.write("text\n");
    let warning = "svlogd: warning: unable to read config: log: access denied\n";
    assert_eq!((logger.end(), log.current()), (Output::exit(0, "", warning), b"text\n".to_vec()));
}

/// HUP with a config that has become nonsense: told again, and the lines go on.
#[test]
fn mends_k81_nonsense_at_hup() {
    let scratch = Scratch::new();
    let log = scratch.log("log").config("pa: \n");
    let mut logger = scratch.svlogd(&["log"]);
    logger.feed("one\n");
    let log = log.config("nonsense\npb: \nsx\n");
    logger.tell(nix::sys::signal::Signal::SIGHUP);
    logger.feed("two\n");
    assert_eq!(told(&logger.stderr(), "log"), [1, 3]);
    log.wait_current("a: one\nb: two\n");
    assert_eq!(logger.end().ending, Ending::Exit(0));
}

// ---- directories

const NONE: &str = "svlogd: fatal: no functional log directories.\n";

/// Checks that a directory is refused for a reason, and that another one beside it works.
#[track_caller]
fn assert_refused(scratch: &Scratch, directory: &str, reason: &str) {
    let alone = scratch.run("svlogd", &[directory]);
    assert_eq!((alone.ending, alone.stdout.as_str()), (Ending::Exit(111), ""), "{directory}");
    let warning = alone.stderr.strip_suffix(NONE).unwrap_or_else(|| panic!("{directory}: {}", alone.stderr));
    let said = format!(": {directory}: {reason}\n");
    assert!(warning.starts_with("svlogd: warning: unable to "), "{}", alone.stderr);
    assert!(warning.ends_with(&said) && warning.lines().count() == 1, "{reason}: {}", alone.stderr);
    let other = scratch.log("other");
    let mut logger = scratch.svlogd(&[directory, "other", directory]);
    logger.write("text\n");
    assert_eq!(logger.end(), Output::exit(0, "", &warning.repeat(2)));
    other.wait_current("text\n");
    std::fs::remove_dir_all(other.path()).expect("the other directory");
}

#[test]
fn directory_that_is_a_file() {
    let scratch = Scratch::new();
    scratch.file("file", "mine\n");
    assert_refused(&scratch, "file", "not a directory");
    assert_refused(&scratch, "file/log", "not a directory");
    assert_eq!(std::fs::read_to_string(scratch.path().join("file")).expect("the file"), "mine\n");
}

#[test]
fn directory_that_is_not_there() {
    let scratch = Scratch::new();
    assert_refused(&scratch, "absent", "file does not exist");
    assert_refused(&scratch, "", "file does not exist");
    assert!(!scratch.path().join("absent").exists());
}

#[test]
fn directory_that_is_a_link() {
    let scratch = Scratch::new();
    let log = scratch.log("log").config("p> \n");
    for (name, target) in [("link", "log"), ("dangling", "absent"), ("round", "round"), ("to-file", "file")] {
        symlink(target, scratch.path().join(name)).expect("a link");
    }
    scratch.file("file", "");
    assert_refused(&scratch, "dangling", "file does not exist");
    assert_refused(&scratch, "round", "symbolic link loop");
    assert_refused(&scratch, "to-file", "not a directory");
    let mut logger = scratch.svlogd(&["link"]);
    logger.write("text\n");
    assert_eq!((logger.end(), log.current()), (Output::exit(0, "", ""), b"> text\n".to_vec()));
}

#[test]
fn directory_that_is_a_device_or_a_fifo() {
    let scratch = Scratch::new();
    nix::unistd::mkfifo(&scratch.path().join("fifo"), nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
    assert_refused(&scratch, "fifo", "not a directory");
    assert_refused(&scratch, "/dev/full", "not a directory");
}

#[test]
fn directory_with_a_long_name() {
    let scratch = Scratch::new();
    assert_refused(&scratch, &"n".repeat(256), "file name too long");
    assert_refused(&scratch, &"long/".repeat(900), "file name too long");
    let name = "n".repeat(255);
    let log = scratch.log(&name);
    let mut logger = scratch.svlogd(&[&name]);
    logger.write("text\n");
    assert_eq!((logger.end(), log.current()), (Output::exit(0, "", ""), b"text\n".to_vec()));
}

#[test]
fn directory_with_odd_names() {
    let scratch = Scratch::new();
    for name in ["with blank", "./-dash", "new\nline", "ünïcode@host", "./deep/er/log", "log/"] {
        let log = scratch.log(name);
        let mut logger = scratch.svlogd(&["--", name]);
        logger.write("text\n");
        assert_eq!((logger.end(), log.current()), (Output::exit(0, "", ""), b"text\n".to_vec()), "{name:?}");
    }
}

#[test]
fn directory_that_may_not_be_written() {
    if !needs(&["root", "setpriv"]) {
        return;
    }
    let mut scratch = Scratch::new();
    scratch.use_copied_programs();
    let account = Account::new();
    // What is asked of the system first is not said.
    let refuse = |mode: u32, tries: &[&str]| {
        let log = scratch.log(&format!("log{mode:o}"));
        std::fs::set_permissions(log.path(), std::fs::Permissions::from_mode(mode)).expect("mode");
        let mut command = account.command(&scratch, "svlogd");
        command.arg(log.name());
        let output = scratch.output(command);
        let said = |what: &&str| format!("svlogd: warning: unable to {what}: {}: access denied\n{NONE}", log.name());
        assert_eq!(output.ending, Ending::Exit(111));
        assert!(tries.iter().map(said).any(|text| text == output.stderr), "{}", output.stderr);
    };
    refuse(0o755, &["lock directory"]);
    refuse(0o700, &["open log directory"]);
    refuse(0o744, &["change directory", "lock directory"]);
}

/// The one that has it is not disturbed.
#[test]
fn directory_that_is_locked() {
    let scratch = Scratch::new();
    let log = scratch.log("log");
    let mut first = scratch.svlogd(&["log"]);
    first.feed("one\n");
    let refused = format!("svlogd: warning: unable to lock directory: log: temporary failure\n{NONE}");
    assert_eq!(scratch.run("svlogd", &["log"]), Output::exit(111, "", &refused));
    first.feed("two\n");
    assert_eq!(first.end(), Output::exit(0, "", ""));
    assert_eq!(log.current(), b"one\ntwo\n");
    // Given twice, it is used once.
    let mut twice = scratch.svlogd(&["log", "log"]);
    twice.write("three\n");
    let warning = "svlogd: warning: unable to lock directory: log: temporary failure\n";
    assert_eq!(twice.end(), Output::exit(0, "", warning));
    assert_eq!(log.current(), b"one\ntwo\nthree\n");
}

#[test]
fn adds_limit_of_directories() {
    let scratch = Scratch::new();
    let names: Vec<String> = (0..=DIRECTORIES).map(|number| format!("log{number}")).collect();
    let logs: Vec<LogDirectory> = names.iter().map(|name| scratch.log(name)).collect();
    let words: Vec<&str> = names.iter().map(String::as_str).collect();
    let fatal = "svlogd: fatal: too many log directories.\n";
    assert_eq!(scratch.run("svlogd", &words), Output::exit(111, "", fatal));
    assert!(logs.iter().all(|log| log.files().is_empty()), "something was made");
    let mut logger = scratch.svlogd(&words[..DIRECTORIES]);
    logger.write("text\n");
    assert_eq!(logger.end(), Output::exit(0, "", ""));
    assert!(logs[..DIRECTORIES].iter().all(|log| log.current() == b"text\n"));
}

// ---- files in the directory

fn put_directory(path: &Path) {
    std::fs::create_dir(path).expect("a directory");
}

fn put_link(path: &Path) {
    symlink("../target", path).expect("a link");
}

fn put_full_device(path: &Path) {
    symlink("/dev/full", path).expect("a link");
}

fn put_fifo(path: &Path) {
    nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
}

/// A log directory with something else in the place of a file is refused, and what a link stands for is not touched.
#[track_caller]
fn assert_file_refused(name: &str, put: fn(&Path), reason: &str) {
    let scratch = Scratch::new();
    let log = scratch.log("log");
    scratch.file("target", "mine\n");
    put(&log.join(name));
    assert_refused(&scratch, "log", reason);
    assert_eq!(std::fs::read_to_string(scratch.path().join("target")).expect("the target"), "mine\n");
}

#[test]
fn mends_k80_f38_current_is_a_directory() {
    assert_file_refused("current", put_directory, "is a directory");
}

#[test]
fn mends_f38_current_is_a_link() {
    assert_file_refused("current", put_link, "symbolic link loop");
}

#[test]
fn mends_k80_f38_current_is_a_link_to_a_full_device() {
    assert_file_refused("current", put_full_device, "symbolic link loop");
}

#[test]
fn mends_k80_f38_current_is_a_fifo() {
    assert_file_refused("current", put_fifo, "device does not support operation");
}

#[test]
fn lock_is_a_directory() {
    assert_file_refused("lock", put_directory, "is a directory");
}

#[test]
fn mends_lock_is_a_link() {
    assert_file_refused("lock", put_link, "symbolic link loop");
}

/// What is in `current` and was not closed properly is not touched by whoever may not have it.
#[test]
fn f38_unclean_current_that_cannot_be_renamed() {
    if !needs(&["root", "setpriv"]) {
        return;
    }
    let mut scratch = Scratch::new();
    scratch.use_copied_programs();
    let account = Account::new();
    let log = scratch.log("log").file("current", "not closed\n", 0o644).file("lock", "", 0o600);
    account.own(log.path());
    std::fs::set_permissions(log.path(), std::fs::Permissions::from_mode(0o555)).expect("mode");
    let mut command = account.command(&scratch, "svlogd");
    command.arg("log");
    let mut logger = scratch.logger(LogPipe::new(), command);
    logger.write("text\n");
    wait_until("something said", || (!logger.stderr().is_empty()).then_some(()));
    assert!(log.current().starts_with(b"not closed\n"), "{}", logger.stderr());
    std::fs::set_permissions(log.path(), std::fs::Permissions::from_mode(0o755)).expect("mode");
    logger.close();
    let ending = logger.wait();
    assert!([Ending::Exit(0), Ending::Exit(111)].contains(&ending));
    assert!(log.all_lines().contains(&"not closed".to_owned()), "{}", logger.stderr());
}

// ---- words

#[test]
fn wrong_words() {
    let scratch = Scratch::new();
    scratch.log("log");
    let wrong: &[&[&str]] = &[
        &[],
        &["-x", "log"],
        &["-r", "xy", "log"],
        &["-r", "", "log"],
        &["-r"],
        &["-l"],
        &["-b", "10", "-l", "10", "log"],
        &["-l", "2000", "-b", "1000", "log"],
        &["-b", "999", "log"],
        &["-l", "2000", "log"],
        &["-t"],
        &["--"],
        &["-V"],
    ];
    for words in wrong {
        let output = scratch.run("svlogd", words);
        assert_eq!((output.ending, output.stdout.as_str()), (Ending::Exit(111), ""), "{words:?}: {}", output.stderr);
        assert!(output.stderr.contains("usage: ") && output.stderr.ends_with("\n\n"), "{words:?}: {}", output.stderr);
    }
    assert!(scratch.log("log").files().is_empty(), "something was made");
}

/// Numbers that are none, too small or too large for -b and -l: refused, or taken, but nothing breaks.
#[test]
fn mends_odd_numbers_in_words() {
    let numbers =
        ["", "x", "-1", "0", "1", "1.5", "1000x", "999999999999999999999999", "18446744073709551615", "4294967296"];
    let scratch = Scratch::new();
    let log = scratch.log("log");
    for option in ["-b", "-l"] {
        for number in numbers {
            let mut logger = scratch.svlogd(&[option, number, "log"]);
            logger.write("text\n");
            let output = logger.end();
            match output.ending {
                Ending::Exit(0) => assert_eq!(log.current(), b"text\n", "{option} {number}"),
                Ending::Exit(111) => assert!(!output.stderr.is_empty(), "{option} {number}"),
                ending => panic!("{option} {number}: {ending:?}"),
            }
            let _not_made = std::fs::remove_file(log.join("current"));
        }
    }
}

/// More memory than there is.
#[test]
fn adds_buffer_that_does_not_fit() {
    if !needs(&["prlimit"]) {
        return;
    }
    let scratch = Scratch::new();
    scratch.log("log");
    let mut command = scratch.command("prlimit");
    command.args(["--as=50000000", "svlogd", "-b", "400000000", "log"]);
    assert_eq!(scratch.output(command), Output::exit(111, "", "svlogd: fatal: out of memory.\n"));
}
