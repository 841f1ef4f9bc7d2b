//! `runlevel`: the previous and the current level, by their links. Levels in `/run` and on a real boot: `tests/runsvchdir.rs`.

use std::os::unix::fs::symlink;
use std::path::Path;

use support::{Apart, Output, Scratch, needs};

#[track_caller]
fn says(scratch: &Scratch, levels: &Path, expected: &str) {
    let mut command = scratch.command("runlevel");
    command.env("RUNSVDIR", levels);
    assert_eq!(scratch.output(command), Output::exit(0, &format!("{expected}\n"), ""));
}

fn link(levels: &Path, name: &str, text: &str) {
    let path = levels.join(name);
    let _none = std::fs::remove_file(&path);
    symlink(text, path).expect("a link");
}

#[test]
fn adds_levels_are_the_last_part_of_the_links() {
    let scratch = Scratch::new();
    let levels = scratch.directory("levels");
    says(&scratch, &levels, "N unknown");
    link(&levels, "current", "multi");
    says(&scratch, &levels, "N multi");
    link(&levels, "previous", "/etc/runit/runsvdir/single");
    says(&scratch, &levels, "single multi");
    link(&levels, "current", "default/");
    says(&scratch, &levels, "single default");
    std::fs::remove_file(levels.join("current")).expect("the link");
    says(&scratch, &levels, "single unknown");
}

#[test]
fn adds_what_is_no_link_to_a_level_is_unknown() {
    let scratch = Scratch::new();
    let levels = scratch.directory("levels");
    says(&scratch, &levels.join("none"), "N unknown");
    says(&scratch, Path::new(""), "N unknown");
    std::fs::create_dir(levels.join("current")).expect("a directory");
    std::fs::write(levels.join("previous"), "multi").expect("a file");
    says(&scratch, &levels, "N unknown");
    std::fs::remove_dir(levels.join("current")).expect("the directory");
    link(&levels, "current", "/");
    says(&scratch, &levels, "N unknown");
    let longest = format!("{}z", "y/".repeat(2000));
    link(&levels, "current", &longest);
    says(&scratch, &levels, "N z");
}

#[test]
fn adds_words_are_wrong_usage() {
    let scratch = Scratch::new();
    for words in [&["multi"][..], &["-V"], &["--help"], &[""]] {
        assert_eq!(scratch.run("runlevel", words), Output::exit(1, "", "usage: runlevel\n\n"), "{words:?}");
    }
}

#[test]
fn adds_the_usual_links_are_read_without_the_variable() {
    if !needs(&["namespaces"]) {
        return;
    }
    let scratch = Scratch::new();
    let levels = scratch.directory("levels");
    let apart = Apart::new(&scratch).with("mount -t tmpfs none /etc; mkdir -p /etc/runit");
    assert_eq!(apart.run(&["runlevel"]), Output::exit(0, "N unknown\n", ""));
    let apart = apart.with("ln -s \"$PWD/levels\" /etc/runit/runsvdir");
    link(&levels, "current", "multi");
    link(&levels, "previous", "single");
    assert_eq!(apart.run(&["runlevel"]), Output::exit(0, "single multi\n", ""));
}
