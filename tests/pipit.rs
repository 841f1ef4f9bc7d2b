//! `pipit`, the one file behind most names: by link, by first word, and by a name it does not know.

use support::{Ending, LISTEN, Output, Scratch};

fn listed(scratch: &Scratch) -> Vec<String> {
    let output = scratch.run("pipit", &["--list"]);
    assert_eq!((output.ending, output.stderr.as_str()), (Ending::Exit(0), ""));
    output.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn adds_list_names_every_program() {
    let scratch = Scratch::new();
    let names = listed(&scratch);
    for name in ["runsvdir", "runsv", "sv", "pause", "halt", "poweroff", "reboot", "shutdown"] {
        assert!(names.iter().any(|listed| listed == name), "{name} is not in {names:?}");
    }
}

#[test]
fn adds_every_listed_name_is_a_link_beside_it() {
    let scratch = Scratch::new();
    for name in listed(&scratch) {
        let link = std::fs::read_link(scratch.programs().join(&name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(link.to_str(), Some("pipit"), "{name}");
    }
}

#[test]
fn adds_first_word_is_the_program() {
    let scratch = Scratch::new();
    let service = scratch.service("web").run(LISTEN);
    let _runsv = scratch.supervise(&service);
    service.wait_running();
    let status = scratch.run("pipit", &["sv", "status", "web"]).without_numbers();
    assert_eq!(status, Output::exit(0, "run: web: (pid P) Ns\n", ""));
    assert_eq!(scratch.run("pipit", &["runsv"]), Output::exit(1, "", "usage: runsv dir\n\n"));
}

#[test]
fn adds_unknown_first_word_is_refused() {
    let scratch = Scratch::new();
    let output = scratch.run("pipit", &["no-such-program"]);
    assert!(matches!(output.ending, Ending::Exit(code) if code != 0), "{output:?}");
    assert!(!output.stderr.is_empty() && output.stdout.is_empty(), "{output:?}");
    let nothing = scratch.run("pipit", &[]);
    assert!(matches!(nothing.ending, Ending::Exit(code) if code != 0) && !nothing.stderr.is_empty(), "{nothing:?}");
}
