//! `runsvchdir`: changes the level that runs, in a directory of the test's own, below our stage 2, and beside Debian's.

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use nix::fcntl::{Flock, FlockArg};
use support::{Apart, Ending, Machine, MachineEnd, Output, Root, Scratch, needs, reference, skip, wait_until};

/// What a directory holds: a link's text, or what else it is.
type Tree = BTreeMap<String, String>;

fn tree(directory: &Path) -> Tree {
    let entries = std::fs::read_dir(directory).map(|entries| entries.flatten().collect::<Vec<_>>());
    let describe = |entry: std::fs::DirEntry| {
        let what = match std::fs::read_link(entry.path()) {
            Ok(text) => format!("-> {}", text.display()),
            Err(_) if entry.path().is_dir() => "directory".to_owned(),
            Err(_) => "file".to_owned(),
        };
        (entry.file_name().into_string().expect("a name"), what)
    };
    entries.unwrap_or_default().into_iter().map(describe).collect()
}

fn expected<const N: usize>(entries: [(&str, &str); N]) -> Tree {
    entries.into_iter().map(|(name, what)| (name.to_owned(), what.to_owned())).collect()
}

/// Levels `a` and `b`, a file `f`, and a link to `a`.
fn make_levels(scratch: &Scratch, name: &str) -> PathBuf {
    let levels = scratch.directory(name);
    for level in ["a", "b"] {
        std::fs::create_dir(levels.join(level)).expect("a level");
    }
    std::fs::write(levels.join("f"), "").expect("a file");
    symlink("a", levels.join("current")).expect("a link");
    levels
}

const LEVELS: [(&str, &str); 3] = [("a", "directory"), ("b", "directory"), ("f", "file")];

fn with_links(current: &str, previous: Option<&str>) -> Tree {
    let mut all = expected(LEVELS);
    all.insert("current".to_owned(), format!("-> {current}"));
    all.extend(previous.map(|text| ("previous".to_owned(), format!("-> {text}"))));
    all
}

/// `runsvchdir` on a directory that is named by the environment.
#[track_caller]
fn run_with(scratch: &Scratch, levels: &Path, words: &[&str]) -> Output {
    let mut command = scratch.command("runsvchdir");
    command.args(words).env("RUNSVDIR", levels);
    // The name that it is called by stands in its messages.
    std::os::unix::process::CommandExt::arg0(&mut command, "runsvchdir");
    scratch.output(command)
}

fn changed(word: &str) -> Output {
    Output::exit(0, &format!("runsvchdir: {word}: now current.\n"), "")
}

fn refused(message: &str) -> Output {
    Output::exit(111, "", &format!("runsvchdir: fatal: {message}\n"))
}

#[test]
fn adds_levels_change_in_the_directory_of_runsvdir() {
    let scratch = Scratch::new();
    let levels = make_levels(&scratch, "levels");
    assert_eq!(run_with(&scratch, &levels, &["a"]), Output::exit(0, "runsvchdir: a: current.\n", ""));
    assert_eq!(tree(&levels), with_links("a", None));
    assert_eq!(run_with(&scratch, &levels, &["b"]), changed("b"));
    assert_eq!(tree(&levels), with_links("b", Some("a")));
    let absolute = levels.join("a").display().to_string();
    assert_eq!(run_with(&scratch, &levels, &[&absolute, "more"]), changed(&absolute));
    assert_eq!(tree(&levels), with_links(&absolute, Some("b")));
}

#[test]
fn adds_previous_goes_back_and_forth() {
    let scratch = Scratch::new();
    let levels = make_levels(&scratch, "levels");
    let missing = refused("previous: file does not exist");
    assert_eq!(run_with(&scratch, &levels, &["previous"]), missing);
    assert_eq!(run_with(&scratch, &levels, &["b/"]), changed("b/"));
    assert_eq!(run_with(&scratch, &levels, &["previous"]), changed("previous"));
    assert_eq!(tree(&levels), with_links("a", Some("b/")));
    assert_eq!(run_with(&scratch, &levels, &["previous/"]), changed("previous/"));
    assert_eq!(tree(&levels), with_links("b/", Some("a")));
    let nothing = Output::exit(0, "runsvchdir: current: current.\n", "");
    assert_eq!(run_with(&scratch, &levels, &["current"]), nothing);
}

#[test]
fn adds_wrong_words_change_nothing() {
    let scratch = Scratch::new();
    let levels = make_levels(&scratch, "levels");
    symlink("loop", levels.join("loop")).expect("a link");
    let before = tree(&levels);
    let long = "x".repeat(300);
    let longest = "y/".repeat(30_000);
    for (word, message) in [
        (".a", ".a: must not start with a dot."),
        ("../levels/a", "../levels/a: must not start with a dot."),
        ("", ": file does not exist"),
        ("none", "none: file does not exist"),
        ("100%", "100%: file does not exist"),
        ("f", "f: not a directory."),
        ("f/", "unable to stat: f/: not a directory"),
        ("loop", "unable to stat: loop: symbolic link loop"),
        (&long, &format!("unable to stat: {long}: file name too long")),
        (&longest, &format!("unable to stat: {longest}: file name too long")),
        ("current.new", "current.new: file does not exist"),
    ] {
        assert_eq!(run_with(&scratch, &levels, &[word]), refused(message), "{word:.40}");
        assert_eq!(tree(&levels), before, "{word:.40}");
    }
    assert_eq!(run_with(&scratch, &levels, &[]), Output::exit(1, "", "usage: runsvchdir dir\n\n"));
    let nowhere = levels.join("nowhere");
    let message = format!("unable to chdir: {}: file does not exist", nowhere.display());
    assert_eq!(run_with(&scratch, &nowhere, &["a"]), refused(&message));
}

#[test]
fn adds_current_must_be_a_link_that_leads_somewhere() {
    let scratch = Scratch::new();
    let levels = make_levels(&scratch, "levels");
    std::fs::remove_file(levels.join("current")).expect("the link");
    assert_eq!(run_with(&scratch, &levels, &["b"]), refused("unable to stat: current: file does not exist"));
    symlink("gone", levels.join("current")).expect("a link");
    assert_eq!(run_with(&scratch, &levels, &["b"]), refused("unable to stat: current: file does not exist"));
    assert_eq!(tree(&levels), with_links("gone", None));
    std::fs::remove_file(levels.join("current")).expect("the link");
    std::fs::create_dir(levels.join("current")).expect("a directory");
    let message = "unable to copy: current to previous: is a directory";
    assert_eq!(run_with(&scratch, &levels, &["b"]), refused(message));
    let mut left = expected(LEVELS);
    left.insert("current".to_owned(), "directory".to_owned());
    assert_eq!(tree(&levels), left);
}

// ---- K131

/// In the original there is a moment without `current`, in which `runsvdir` finds nothing.
#[test]
fn mends_k131_there_is_always_a_current() {
    let scratch = Scratch::new();
    let levels = make_levels(&scratch, "levels");
    let (is_over, is_missing) = (AtomicBool::new(false), AtomicBool::new(false));
    let mut outputs = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                if std::fs::read_link(levels.join("current")).is_err() {
                    is_missing.store(true, Ordering::Relaxed);
                }
            }
        });
        outputs = (0..100).map(|_| ["b", "a"].map(|level| run_with(&scratch, &levels, &[level]))).collect();
        is_over.store(true, Ordering::Relaxed);
    });
    assert!(!is_missing.load(Ordering::Relaxed));
    assert_eq!(outputs, vec![[changed("b"), changed("a")]; 100]);
    assert_eq!(tree(&levels), with_links("a", Some("b")));
}

#[test]
fn mends_k131_nothing_is_left_by_a_previous_that_is_a_directory() {
    let scratch = Scratch::new();
    let levels = make_levels(&scratch, "levels");
    std::fs::create_dir(levels.join("previous")).expect("a directory");
    let before = tree(&levels);
    assert_eq!(run_with(&scratch, &levels, &["previous"]), refused("previous: not a link."));
    assert_eq!(run_with(&scratch, &levels, &["b"]), refused("previous: not a link."));
    assert_eq!(tree(&levels), before);
}

#[test]
fn mends_k131_what_is_in_the_way_of_the_new_links_is_named() {
    let scratch = Scratch::new();
    for name in ["current.new", "previous.new"] {
        let levels = make_levels(&scratch, name);
        std::fs::create_dir(levels.join(name)).expect("a directory");
        let before = tree(&levels);
        assert_eq!(run_with(&scratch, &levels, &["b"]), refused(&format!("{name}: not a link.")));
        assert_eq!(tree(&levels), before);
    }
}

/// A file of somebody's own, and a level of such a name as long as no other one is asked for.
#[test]
fn mends_k131_what_is_not_its_own_is_not_removed() {
    let scratch = Scratch::new();
    for name in ["current.new", "previous.new", "previous"] {
        let levels = make_levels(&scratch, name);
        std::fs::write(levels.join(name), "mine").expect("a file");
        let before = tree(&levels);
        assert_eq!(run_with(&scratch, &levels, &["none"]), refused("none: file does not exist"));
        assert_eq!(run_with(&scratch, &levels, &["a"]), Output::exit(0, "runsvchdir: a: current.\n", ""));
        assert_eq!(run_with(&scratch, &levels, &["b"]), refused(&format!("{name}: not a link.")));
        assert_eq!(tree(&levels), before);
    }
    let levels = make_levels(&scratch, "levels");
    symlink("b", levels.join("current.new")).expect("a link");
    let before = tree(&levels);
    assert_eq!(run_with(&scratch, &levels, &["none"]), refused("none: file does not exist"));
    assert_eq!(run_with(&scratch, &levels, &["a"]), Output::exit(0, "runsvchdir: a: current.\n", ""));
    assert_eq!(tree(&levels), before);
}

/// What one that was killed left behind, here or in the original, is no level and in nobody's way.
#[test]
fn mends_k131_what_was_left_behind_is_cleared() {
    let scratch = Scratch::new();
    let levels = make_levels(&scratch, "levels");
    symlink("a", levels.join("current.new")).expect("a link");
    symlink("b", levels.join("previous.new")).expect("a link");
    assert_eq!(run_with(&scratch, &levels, &["b"]), changed("b"));
    assert_eq!(tree(&levels), with_links("b", Some("a")));
    symlink("a", levels.join("current.new")).expect("a link");
    let message = "current.new: file does not exist";
    assert_eq!(run_with(&scratch, &levels, &["current.new"]), refused(message));
    assert_eq!(tree(&levels), with_links("b", Some("a")));
}

/// In a sticky directory an ordinary user may make links, but not put one in the place of root's `current`: the last step fails.
#[test]
fn mends_k131_previous_is_put_back() {
    if !needs(&["root", "setpriv"]) {
        return;
    }
    let mut scratch = Scratch::new();
    scratch.use_copied_programs();
    let levels = make_levels(&scratch, "levels");
    std::fs::set_permissions(&levels, std::fs::Permissions::from_mode(0o1777)).expect("a mode");
    let run = || {
        let mut command = scratch.command("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "runsvchdir", "b"]).env("RUNSVDIR", &levels);
        scratch.output(command)
    };
    let message = "unable to move: current.new to current: permission denied";
    assert_eq!(run(), refused(message));
    assert_eq!(tree(&levels), with_links("a", None));
    symlink("long ago", levels.join("previous")).expect("a link");
    lchown(levels.join("previous"), Some(65534), None).expect("an owner");
    assert_eq!(run(), refused(message));
    assert_eq!(tree(&levels), with_links("a", Some("long ago")));
    std::fs::set_permissions(&levels, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    assert_eq!(run(), refused("unable to create: current.new -> b: access denied"));
    assert_eq!(tree(&levels), with_links("a", Some("long ago")));
}

// ---- two at a time

/// In the original one may take the links of the other.
#[test]
fn mends_two_at_a_time_wait_for_each_other() {
    let scratch = Scratch::new();
    let levels = make_levels(&scratch, "levels");
    let results: Vec<_> = std::thread::scope(|scope| {
        let callers = ["a", "b", "a", "b"].map(|level| {
            let run = || (0..25).map(|_| run_with(&scratch, &levels, &[level])).collect::<Vec<_>>();
            scope.spawn(run)
        });
        callers.into_iter().flat_map(|caller| caller.join().expect("outputs")).collect()
    });
    // Where the machine is slow, some may not get their turn in time.
    if results.iter().any(|output| output.stderr.contains("unable to lock")) {
        return skip("a lock was waited for too long");
    }
    for output in results {
        assert_eq!((output.ending, &*output.stderr), (Ending::Exit(0), ""));
    }
    let after = tree(&levels);
    assert!([with_links("a", Some("b")), with_links("b", Some("a"))].contains(&after), "{after:?}");
}

/// Everybody may read the directory, and needs no more to lock it.
#[test]
fn adds_a_lock_that_is_kept_is_no_hindrance() {
    let scratch = Scratch::new();
    let levels = make_levels(&scratch, "levels");
    let directory = std::fs::File::open(&levels).expect("the levels");
    let _lock = Flock::lock(directory, FlockArg::LockShared).expect("its lock");
    let output = run_with(&scratch, &levels, &["b"]);
    let warning = format!("runsvchdir: warning: unable to lock: {}: temporary failure\n", levels.display());
    assert_eq!(output, Output::exit(0, "runsvchdir: b: now current.\n", &warning));
    assert_eq!(tree(&levels), with_links("b", Some("a")));
}

// ---- in /run

/// `/etc/runit/runsvdir` is the directory `levels`, and `/run` the directory `run`.
fn system(scratch: &Scratch) -> Apart<'_> {
    let apart = Apart::new(scratch);
    apart.with("mount -t tmpfs none /etc; mkdir -p /etc/runit/runsvdir; mount --bind levels /etc/runit/runsvdir")
}

/// What our stage 2 makes: the link in `/run` is the one that is watched.
fn watch_in_run(scratch: &Scratch, text: &str) -> PathBuf {
    let links = scratch.directory("run/runit/runsvdir");
    symlink(text, links.join("current")).expect("a link");
    links
}

#[test]
fn adds_links_in_run_are_changed() {
    if !needs(&["namespaces"]) {
        return;
    }
    let scratch = Scratch::new();
    let levels = make_levels(&scratch, "levels");
    // One of an older system: nobody watches it.
    let before = tree(&levels);
    let apart = system(&scratch);
    let links = watch_in_run(&scratch, "/etc/runit/runsvdir/a");
    let at = |current: &str, previous: &str| {
        expected([("current", &*format!("-> {current}")), ("previous", &*format!("-> {previous}"))])
    };
    assert_eq!(apart.run(&["runsvchdir", "a"]), Output::exit(0, "runsvchdir: a: current.\n", ""));
    assert_eq!(apart.run(&["runsvchdir", "b"]), changed("b"));
    assert_eq!(tree(&links), at("/etc/runit/runsvdir/b", "/etc/runit/runsvdir/a"));
    assert_eq!(apart.run(&["runlevel"]), Output::exit(0, "a b\n", ""));
    assert_eq!(apart.run(&["runsvchdir", "previous"]), changed("previous"));
    assert_eq!(tree(&links), at("/etc/runit/runsvdir/a", "/etc/runit/runsvdir/b"));
    assert_eq!(apart.run(&["runsvchdir", "/etc"]), changed("/etc"));
    assert_eq!(tree(&links), at("/etc", "/etc/runit/runsvdir/a"));
    assert_eq!(apart.run(&["runsvchdir", "current"]), Output::exit(0, "runsvchdir: current: current.\n", ""));
    assert_eq!(apart.run(&["runsvchdir", "none"]), refused("none: file does not exist"));
    assert_eq!(tree(&levels), before);
    // An empty word is none.
    assert_eq!(apart.run(&["env", "RUNSVDIR=", "runsvchdir", "b"]), changed("b"));
    assert_eq!(apart.run(&["env", "RUNSVDIR=", "runlevel"]), Output::exit(0, "etc b\n", ""));
    assert_eq!(apart.run(&["runsvchdir", "/etc"]), changed("/etc"));
    assert_eq!(tree(&links), at("/etc", "/etc/runit/runsvdir/b"));
    // Only the usual levels have their links in /run.
    let output = apart.run(&["env", "RUNSVDIR=/etc/runit/runsvdir", "runsvchdir", "b"]);
    assert_eq!(output, changed("b"));
    assert_eq!(tree(&levels), with_links("b", Some("a")));
    assert_eq!(tree(&links), at("/etc", "/etc/runit/runsvdir/b"));
}

/// As Void has it: what is in `/run` only leads to the links in `/etc`.
#[test]
fn adds_links_in_etc_are_changed_where_run_leads_back() {
    if !needs(&["namespaces"]) {
        return;
    }
    let scratch = Scratch::new();
    let levels = make_levels(&scratch, "levels");
    let apart = system(&scratch);
    let links = watch_in_run(&scratch, "/etc/runit/runsvdir/current");
    assert_eq!(apart.run(&["runsvchdir", "b"]), changed("b"));
    assert_eq!(tree(&levels), with_links("b", Some("a")));
    assert_eq!(tree(&links), expected([("current", "-> /etc/runit/runsvdir/current")]));
    assert_eq!(apart.run(&["runlevel"]), Output::exit(0, "a b\n", ""));
}

#[test]
fn adds_a_full_or_read_only_file_system_is_told() {
    if !needs(&["namespaces"]) {
        return;
    }
    let scratch = Scratch::new();
    make_levels(&scratch, "levels");
    // Room for the directory and so many links.
    let full = |links: u32| {
        let inodes = 1 + 4 + links;
        system(&scratch).with(&format!(
            "mount -t tmpfs -o nr_inodes={inodes} none /etc/runit/runsvdir; cp -a levels/. /etc/runit/runsvdir"
        ))
    };
    let script = "runsvchdir b; echo $?; ls /etc/runit/runsvdir";
    for (links, said) in [
        (0, "unable to create: current.new -> b: out of disk space"),
        (1, "unable to create: previous.new -> a: out of disk space"),
    ] {
        let output = full(links).run(&["sh", "-c", script]);
        assert_eq!(output, Output::exit(0, "111\na\nb\ncurrent\nf\n", &format!("runsvchdir: fatal: {said}\n")));
    }
    let apart = system(&scratch).with("mount -o remount,bind,ro /etc/runit/runsvdir");
    let output = apart.run(&["runsvchdir", "b"]);
    assert_eq!(output, refused("unable to create: current.new -> b: read-only file system"));
}

/// Our own stage 2 as pid 1 starts it, with two levels of one service each.
fn boot(scratch: &Scratch, console_steps: &str) -> Machine {
    let root = Root::create(scratch).stage("1", "echo one").stage("3", "echo three");
    let scripts = support::repository().join("stage-scripts");
    let etc = root.path().join("etc/runit");
    for file in ["2", "functions"] {
        std::fs::copy(scripts.join(file), etc.join(file)).expect("a stage script");
    }
    for (level, service) in [("multi", "web"), ("multi", "both"), ("single", "shell"), ("single", "both")] {
        let place = root.path().join("etc/sv").join(service);
        std::fs::create_dir_all(&place).expect("a service");
        let _run = support::Service::create(&place).run("echo here >>/tmp/$(basename $(pwd)); exec sleep 1000");
        std::fs::create_dir_all(etc.join("runsvdir").join(level)).expect("a level");
        symlink(format!("../../../sv/{service}"), etc.join("runsvdir").join(level).join(service)).expect("a link");
    }
    symlink("busybox", root.path().join("bin/basename")).expect("an applet");
    Machine::boot_with(scratch, &root, "/sbin/init", console_steps)
}

/// The states of the three services.
fn states(scratch: &Scratch, machine: &Machine) -> String {
    let services = ["/etc/sv/web", "/etc/sv/both", "/etc/sv/shell"];
    let output = machine.run(scratch, &[&["/sbin/sv", "status"], &services[..]].concat());
    output.stdout.lines().map(|line| if line.starts_with("run: ") { "run" } else { "-" }).collect::<Vec<_>>().join(" ")
}

fn changes_what_runsvdir_watches(console_steps: &str) {
    if !needs(&["namespaces", "nsenter", "busybox"]) {
        return;
    }
    let scratch = Scratch::new();
    let mut machine = boot(&scratch, console_steps);
    let run = |machine: &Machine, words: &[&str]| machine.run(&scratch, words);
    let wait_for = |machine: &Machine, expected: &str| {
        wait_until(&format!("services: {expected}"), || (states(&scratch, machine) == expected).then_some(()));
    };
    wait_for(&machine, "run run -");
    assert_eq!(run(&machine, &["/sbin/runlevel"]), Output::exit(0, "N multi\n", ""));
    assert_eq!(run(&machine, &["/sbin/runsvchdir", "single"]).stdout, "runsvchdir: single: now current.\n");
    wait_for(&machine, "- run run");
    assert_eq!(run(&machine, &["/sbin/runlevel"]), Output::exit(0, "multi single\n", ""));
    assert_eq!(run(&machine, &["/sbin/runsvchdir", "previous"]).stdout, "runsvchdir: previous: now current.\n");
    wait_for(&machine, "run run -");
    assert_eq!(run(&machine, &["/sbin/runlevel"]), Output::exit(0, "single multi\n", ""));
    // What is in both levels was never stopped.
    assert_eq!(run(&machine, &["/bin/cat", "/tmp/both"]).stdout, "here\n");
    let output = run(&machine, &["/sbin/init", "0"]);
    assert!(matches!(output.ending, Ending::Exit(0) | Ending::Signal(9)), "{output:?}");
    assert_eq!(machine.wait_end(), MachineEnd::PowerOff);
}

const CONSOLE: &str = "touch dev/console; mount --bind \"$TERMINAL\" dev/console";

#[test]
fn adds_levels_change_on_our_own_boot() {
    changes_what_runsvdir_watches(CONSOLE);
}

#[test]
fn adds_levels_change_on_a_read_only_root() {
    changes_what_runsvdir_watches(&format!(
        "{CONSOLE}
        mount -t tmpfs run run; mount -t tmpfs tmp tmp
        here=$(pwd); mount --rbind . .; cd \"$here\"; mount -o remount,bind,ro ."
    ));
}

// ---- beside Debian's

#[test]
fn does_what_runit_does() {
    if !needs(&["namespaces"]) {
        return;
    }
    let programs = match reference() {
        Ok(reference) if reference.programs.join("runsvchdir").exists() => reference.programs,
        Ok(_) => return skip("needs Debian's runsvchdir: run tests/setup.sh"),
        Err(reason) => return skip(&reason),
    };
    let sides = [Scratch::new(), Scratch::with_programs(programs)];
    let played = sides.each_ref().map(|scratch| {
        let levels = make_levels(scratch, "levels");
        symlink("b", levels.join("linked")).expect("a link");
        let apart = system(scratch);
        let words: [&[&str]; 21] = [
            &[],
            &["-V"],
            &["a"],
            &["b"],
            &["b"],
            &["b/"],
            &["a/"],
            &["linked"],
            &["b"],
            &["/etc/runit/runsvdir/a"],
            &["a", "b"],
            &["b/../b"],
            &["current"],
            &[".a"],
            &["../runsvdir/a"],
            &["./a"],
            &[""],
            &["none"],
            &["f/x"],
            &["a\nb"],
            &["/"],
        ];
        let seen = words.map(|words| {
            let output = apart.run(&[&["runsvchdir"], words].concat());
            (words, output, tree(&levels))
        });
        let _nothing = std::fs::remove_file(levels.join("current"));
        let without = apart.run(&["runsvchdir", "a"]);
        let nowhere = Apart::new(scratch).with("mount -t tmpfs none /etc").run(&["runsvchdir", "a"]);
        (seen, without, nowhere)
    });
    let [ours, theirs] = played;
    for (ours, theirs) in ours.0.iter().zip(&theirs.0) {
        assert_eq!(ours, theirs);
    }
    assert_eq!((ours.1, ours.2), (theirs.1, theirs.2));
}
