//! What chpst.md 5 says: the environment directory.

use crate::chpst::{Stage, as_both, as_root};
use crate::scenario::Scenario;

/// The scenarios of this part.
pub fn scenarios() -> Vec<Scenario> {
    let mut all = values();
    all.extend(entries());
    all.extend(order());
    all.extend(directories());
    all
}

/// An environment of few short entries: the order is what is looked at.
const FEW: [&[u8]; 6] = [b"A=1", b"B=2", b"C=3", b"D=4", b"E=5", b"PATH=/bin"];

fn run(stage: &mut Stage, words: &[&str]) {
    stage.run_under("chpst", words, |conditions| conditions.environment(&FEW));
}

fn values() -> Vec<Scenario> {
    let long = "x".repeat(3000);
    let longer = "y".repeat(70_000);
    let all: Vec<(&str, Vec<u8>)> = vec![
        ("a line", b"value\n".to_vec()),
        ("a line without an end", b"value".to_vec()),
        ("several lines", b"value\nmore\nand more\n".to_vec()),
        ("a newline", b"\n".to_vec()),
        ("newlines", b"\n\n\n".to_vec()),
        ("an empty line first", b"\nvalue\n".to_vec()),
        ("a blank", b" ".to_vec()),
        ("blanks and tabs", b" \t \t\n".to_vec()),
        ("blanks at the end", b"value \t \n".to_vec()),
        ("blanks at the end without a newline", b"value \t ".to_vec()),
        ("blanks at the beginning", b" \t value\n".to_vec()),
        ("blanks within", b"a  b\tc\n".to_vec()),
        ("a carriage return", b"value\r\n".to_vec()),
        ("a blank and a carriage return", b"value \r\n".to_vec()),
        ("other blanks at the end", b"value\x0b\x0c\n".to_vec()),
        ("a NUL", b"a\0b\n".to_vec()),
        ("a NUL alone", b"\0".to_vec()),
        ("a NUL at the end", b"value\0\n".to_vec()),
        ("a NUL before blanks", b"value\0 \t\n".to_vec()),
        ("NULs and newlines", b"a\0\0b\0\nmore\0\n".to_vec()),
        ("bytes that are no text", b"\xff\xfe\x80\x01\x7f\n".to_vec()),
        ("an equals sign", b"=a=b=\n".to_vec()),
        ("3000 bytes", format!("{long}\nmore").into_bytes()),
        ("70000 bytes", format!("{longer}\n").into_bytes()),
        ("blanks beyond a buffer", format!("value{}\n", " ".repeat(5000)).into_bytes()),
        ("blanks within beyond a buffer", format!("value{}end\n", " ".repeat(5000)).into_bytes()),
        ("NULs beyond a buffer", format!("value{}\n", "\0".repeat(5000)).into_bytes()),
        ("more than the kernel takes", format!("{}\n", "z".repeat(200_000)).into_bytes()),
    ];
    all.into_iter()
        .flat_map(|(name, contents)| {
            as_both(&format!("environment: a value of {name}"), move |stage| {
                stage.file("env/NAME", &contents);
                run(stage, &["-e", "env", "./probe"]);
            })
        })
        .collect()
}

fn entries() -> Vec<Scenario> {
    let mut all = as_both("environment: files that are empty", |stage| {
        for name in ["C", "NEW", "PATH"] {
            stage.file(&format!("env/{name}"), "");
        }
        run(stage, &["-e", "env", "./probe"]);
    });
    all.extend(as_both("environment: names that begin with a dot", |stage| {
        stage.file("env/.hidden", "no");
        stage.file("env/..twice", "no");
        stage.file("env/a.dot", "yes");
        run(stage, &["-e", "env", "./probe"]);
    }));
    all.extend(as_both("environment: unusual names", |stage| {
        stage.file("env/two words", "1");
        run(stage, &["-e", "env", "./probe"]);
        stage.file("env/line\nbreak", "2");
        run(stage, &["-e", "env", "./probe"]);
        stage.file(&format!("env/{}", "n".repeat(255)), "3");
        run(stage, &["-e", "env", "./probe"]);
        stage.file("env/\u{e4}\u{f6}", "4");
        stage.file("env/-x", "5");
        stage.file("env/1", "6");
        run(stage, &["-e", "env", "./probe"]);
    }));
    all.extend(as_both("environment: a name with an equals sign", |stage| {
        stage.file("env/J=K", "eq");
        run(stage, &["-e", "env", "./probe"]);
        run(stage, &["-v", "-e", "env", "./probe"]);
    }));
    all.extend(as_both("environment: an empty file whose name has an equals sign", |stage| {
        stage.file("env/A=1", "");
        run(stage, &["-e", "env", "./probe"]);
    }));
    all.extend(as_both("environment: a name that begins with an equals sign", |stage| {
        stage.file("env/=", "x");
        run(stage, &["-e", "env", "./probe"]);
    }));
    all.extend(as_both("environment: subdirectories", |stage| {
        stage.file("env/sub/INNER", "no");
        stage.file("env/NEW", "yes");
        run(stage, &["-e", "env", "./probe"]);
        run(stage, &["-ve", "env", "./probe"]);
        stage.directory("env/.hidden");
        stage.directory("env/B");
        run(stage, &["-ve", "env", "./probe"]);
    }));
    all.extend(as_both("environment: a file that may not be read", |stage| {
        stage.file("env/NEW", "value");
        stage.mode("env/NEW", 0o000);
        run(stage, &["-e", "env", "./probe"]);
        run(stage, &["-ve", "env", "./probe"]);
    }));
    all.extend(as_both("environment: a subdirectory that may not be read", |stage| {
        stage.directory("env/sub");
        stage.mode("env/sub", 0o000);
        run(stage, &["-ve", "env", "./probe"]);
        stage.mode("env/sub", 0o755);
    }));
    all.extend(as_both("environment: links", |stage| {
        stage.file("value", "linked");
        stage.directory("env");
        stage.link("../value", "env/NEW");
        run(stage, &["-e", "env", "./probe"]);
    }));
    all.extend(as_both("environment: a link to a directory", |stage| {
        stage.directory("env");
        stage.link("..", "env/NEW");
        run(stage, &["-ve", "env", "./probe"]);
    }));
    all.extend(as_both("environment: a link that leads to itself", |stage| {
        stage.directory("env");
        stage.link("NEW", "env/NEW");
        run(stage, &["-ve", "env", "./probe"]);
    }));
    all.extend(as_both("environment: a dangling link", |stage| {
        stage.directory("env");
        stage.link("nowhere", "env/C");
        run(stage, &["-e", "env", "./probe"]);
        run(stage, &["-ve", "env", "./probe"]);
    }));
    all.extend(as_both("environment: a dangling link beside a file", |stage| {
        stage.file("env/NEW", "value");
        stage.link("nowhere", "env/LINK");
        stage.file("env/OTHER", "another");
        run(stage, &["-e", "env", "./probe"]);
        run(stage, &["-ve", "env", "./probe"]);
    }));
    all.extend(as_both("environment: a fifo", |stage| {
        stage.directory("env");
        nix::unistd::mkfifo(&stage.path("env/C"), nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
        run(stage, &["-ve", "env", "./probe"]);
    }));
    all.extend(as_both("environment: a socket", |stage| {
        stage.directory("env");
        let _socket = std::os::unix::net::UnixListener::bind(stage.path("env/C")).expect("a socket");
        run(stage, &["-ve", "env", "./probe"]);
    }));
    all.extend(as_both("environment: devices", |stage| {
        stage.directory("env");
        stage.link("/dev/null", "env/C");
        run(stage, &["-ve", "env", "./probe"]);
    }));
    all
}

fn order() -> Vec<Scenario> {
    let all: [(&str, &[(&str, &str)]); 12] = [
        ("nothing", &[]),
        ("the first removed", &[("A", "")]),
        ("one within removed", &[("C", "")]),
        ("the last removed", &[("PATH", "")]),
        ("several removed", &[("A", ""), ("C", ""), ("E", "")]),
        ("all removed", &[("A", ""), ("B", ""), ("C", ""), ("D", ""), ("E", ""), ("PATH", "")]),
        ("the first replaced", &[("A", "x")]),
        ("one within replaced", &[("C", "x")]),
        ("the last replaced", &[("PATH", "/usr/bin")]),
        ("all replaced", &[("E", "e"), ("D", "d"), ("C", "c"), ("B", "b"), ("A", "a"), ("PATH", "p")]),
        ("several added", &[("X", "1"), ("Y", "2"), ("Z", "3"), ("W", "4"), ("V", "5")]),
        (
            "removed, replaced and added",
            &[("A", ""), ("B", "x"), ("D", ""), ("E", "y"), ("N", "1"), ("M", "2"), ("G", "")],
        ),
    ];
    let mut scenarios: Vec<Scenario> = Vec::new();
    for (name, files) in all {
        scenarios.extend(as_both(&format!("environment: order with {name}"), move |stage| {
            stage.directory("env");
            for (name, value) in files {
                stage.file(&format!("env/{name}"), value);
            }
            run(stage, &["-e", "env", "./probe"]);
            run(stage, &["-e", "env", "-U", ":5:6", "./probe"]);
            run(stage, &["-U", ":5:6", "-e", "env", "-b", "name", "./probe"]);
        }));
    }
    scenarios.extend(as_both("environment: order with entries that come twice", |stage| {
        stage.file("replaced/A", "new");
        stage.file("removed/B", "");
        for environment in [
            &[&b"A=1"[..], b"A=2", b"B=1", b"B=2", b"C=1"][..],
            &[&b"C=1"[..], b"B=1", b"A=1", b"C=2", b"B=2", b"A=2"],
            &[&b"A=1"[..], b"B=1", b"A=2", b"B=2", b"A=3", b"B=3"],
            &[&b"A"[..], b"B", b"=A", b"A=", b"B=", b"AA=1", b"a=1"],
        ] {
            for directory in ["replaced", "removed"] {
                stage.run_under("chpst", &["-e", directory, "./probe"], |conditions| {
                    conditions.environment(environment)
                });
            }
        }
    }));
    scenarios.extend(as_both("environment: user and group from files", |stage| {
        stage.file("env/UID", "of the file");
        stage.file("env/GID", "");
        run(stage, &["-e", "env", "./probe"]);
        run(stage, &["-e", "env", "-U", ":5:6", "./probe"]);
    }));
    scenarios.extend(as_both("environment: two hundred files", |stage| {
        for number in 0..200 {
            stage.file(&format!("env/V{number}"), if number % 7 == 0 { "" } else { "value" });
        }
        run(stage, &["-e", "env", "./probe"]);
    }));
    scenarios.extend(as_both("environment: PATH from a file", |stage| {
        stage.probe("bin/prog");
        let bin = stage.path("bin").display().to_string();
        stage.file("env/PATH", &bin);
        run(stage, &["-e", "env", "prog"]);
        let old = format!("PATH={bin}");
        stage.file("other/PATH", "/nowhere");
        stage.run_under("chpst", &["-e", "other", "prog"], |conditions| conditions.environment(&[old.as_bytes()]));
        stage.file("empty/PATH", "");
        stage.run_under("chpst", &["-e", "empty", "prog"], |conditions| conditions.environment(&[old.as_bytes()]));
    }));
    scenarios
}

fn directories() -> Vec<Scenario> {
    let mut all = as_both("environment: directories that are none", |stage| {
        stage.file("plain", "");
        stage.directory("closed");
        stage.mode("closed", 0o000);
        stage.directory("only-to-pass");
        stage.mode("only-to-pass", 0o311);
        stage.file("only-to-list/NEW", "value");
        stage.mode("only-to-list", 0o444);
        stage.link("nowhere", "dangling");
        stage.link("loop", "loop");
        let long = "x".repeat(300);
        for directory in
            ["nowhere", "", "plain", "plain/", "closed", "only-to-pass", "only-to-list", "dangling", "loop", &long]
        {
            run(stage, &["-e", directory, "./probe"]);
        }
        stage.mode("closed", 0o755);
        stage.mode("only-to-pass", 0o755);
        stage.mode("only-to-list", 0o755);
    });
    all.extend(as_both("environment: ways to a directory", |stage| {
        stage.file("env/NEW", "value");
        stage.link("env", "link");
        let whole = stage.path("env").display().to_string();
        for directory in ["env", "env/", "./env", "env/../env", "link", &whole, "/dev/null/../env", "-"] {
            run(stage, &["-e", directory, "./probe"]);
        }
        stage.file("-/NEW", "of a dash");
        run(stage, &["-e", "-", "./probe"]);
        run(stage, &["-eenv", "./probe"]);
        run(stage, &["-vPeenv", "./probe"]);
    }));
    all.extend(as_both("environment: the working directory stays", |stage| {
        stage.file("env/NEW", "value");
        stage.directory("env/bin");
        stage.probe("env/bin/probe");
        run(stage, &["-e", "env", "bin/probe"]);
        run(stage, &["-e", "env", "env/bin/probe"]);
    }));
    all.push(as_root("environment: before the root changes", |stage| {
        stage.file("env/NEW", "of the outer one");
        stage.file("root/env/NEW", "of the inner one");
        stage.probe("root/probe");
        run(stage, &["-/", "root", "-e", "env", "/probe"]);
        run(stage, &["-e", "/env", "-/", "root", "/probe"]);
    }));
    all
}
