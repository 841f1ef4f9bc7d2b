//! What chpst.md 1, 3 and 6 and common.md 3 and 8 say: the words of chpst, and how it finds and executes a program.

use crate::chpst::{Stage, as_both, as_root, as_user};
use crate::scenario::Scenario;

/// The scenarios of this part.
pub fn scenarios() -> Vec<Scenario> {
    [usage(), words(), programs(), paths(), environments(), names_of_programs()].into_iter().flatten().collect()
}

fn usage() -> Vec<Scenario> {
    let mut all = as_both("no program", |stage| {
        for words in [&[][..], &["--"], &["-v"], &["-P"], &["-012"], &["-u", "root"], &["-o", "10"], &["-v", "--"]] {
            stage.run(words);
        }
    });
    all.extend(as_both("options that there are not", |stage| {
        for words in [
            &["-x", "./probe"][..],
            &["-vx", "./probe"],
            &["--help"],
            &["--version", "./probe"],
            &["-h"],
            &["-s", "10", "./probe"],
            &["-a", "10", "./probe"],
            &["-3", "./probe"],
            &["-F", "./probe"],
            &["-I", "./probe"],
            &["-\u{e4}", "./probe"],
            &["-v", "-xP", "./probe"],
            &["-:", "./probe"],
            &["-?", "./probe"],
            &["-=", "./probe"],
        ] {
            stage.run(words);
        }
    }));
    all.extend(as_both("options without their value", |stage| {
        for letter in "uUbe/nlLmdopfcrt".chars() {
            stage.run(&[&format!("-{letter}")]);
            stage.run(&[&format!("-vP{letter}")]);
        }
    }));
    all.extend(as_both("version", |stage| {
        for words in
            [&["-V"][..], &["-V", "./probe"], &["-vV"], &["-Vx"], &["-V", "-x"], &["-x", "-V"], &["-V", "-o", "x"]]
        {
            stage.run(words);
        }
    }));
    all.extend(as_both("wrong usage after what is right", |stage| {
        stage.directory("env");
        stage.run(&["-e", "env", "-l", "lock", "-x", "./probe"]);
        stage.run(&["-l", "lock", "-o", "x", "./probe"]);
        stage.run(&["-l", "lock", "-P"]);
        stage.look_at("lock");
    }));
    all
}

fn words() -> Vec<Scenario> {
    let mut all = as_both("words of the program", |stage| {
        stage.probe("-");
        stage.probe("--");
        stage.probe("-v");
        for words in [
            &["./probe"][..],
            &["./probe", "a", "", "b c", "-u", "x", "--", "-"],
            &["--", "./probe", "-x"],
            &["-v", "--", "./probe", "--"],
            &["-v", "./probe", "-v"],
            &["-P", "--", "./-"],
        ] {
            stage.run(words);
        }
    });
    all.extend(as_both("words that are no options", |stage| {
        for name in ["-", "--", "-v"] {
            stage.probe(&format!("bin/{name}"));
            let bin = stage.path("bin");
            let path = format!("PATH={}", bin.display());
            for words in
                [&["-"][..], &["-", "-v"], &["-v", "-"], &["--", "-"], &["--", "--"], &["--", "-v"], &["-", "--"]]
            {
                stage.run_under("chpst", words, |conditions| conditions.environment(&[path.as_bytes()]));
            }
        }
    }));
    all.extend(as_both("merged options", |stage| {
        for words in [
            &["-vP", "./probe"][..],
            &["-Pvo100", "./probe"],
            &["-Po", "100", "./probe"],
            &["-vPbname", "./probe", "x"],
            &["-vPb", "name", "./probe", "x"],
            &["-bP", "./probe"],
            &["-b-P", "./probe"],
            &["-b", "-P", "./probe"],
            &["-b", "--", "./probe"],
            &["-o100", "-d200", "-vn1", "./probe"],
            &["-Pn", "+1", "./probe"],
            &["-o", "100", "--", "./probe"],
            &["-PPP", "-vv", "./probe"],
            &["-0Pb", "", "./probe"],
        ] {
            stage.run(words);
        }
    }));
    all.extend(as_both("options that come again", |stage| {
        stage.file("one/ONE", "1");
        stage.file("two/TWO", "2");
        for words in [
            &["-b", "one", "-b", "two", "./probe"][..],
            &["-e", "one", "-e", "two", "./probe"],
            &["-n", "1", "-n", "2", "./probe"],
            &["-n", "5", "-n", "", "./probe"],
            &["-o", "100", "-o", "200", "./probe"],
            &["-m", "10000000", "-m", "20000000", "./probe"],
            &["-P", "-P", "./probe"],
            &["-U", ":1:2", "-U", ":3:4", "./probe"],
        ] {
            stage.run(words);
        }
    }));
    all.push(as_root("ids and roots that come again", |stage| {
        stage.directory("root");
        stage.probe("root/probe");
        stage.run(&["-u", ":1:2", "-u", ":3:4", "root/probe"]);
        stage.run(&["-/", "nowhere", "-/", "root", "/probe"]);
        stage.run(&["-/", "root", "-/", "nowhere", "/probe"]);
    }));
    all
}

fn programs() -> Vec<Scenario> {
    let mut all = as_both("programs that cannot be run", |stage| {
        stage.directory("directory");
        stage.file("plain", "");
        stage.script("empty", "");
        stage.script("no-interpreter-line", "exit 0\n");
        stage.script("no-interpreter", "#!/nowhere/sh\n");
        stage.script("interpreter-is-a-directory", "#!/\n");
        stage.script("interpreter-is-a-file", "#!/etc/passwd\n");
        stage.script("bad-elf", "\u{7f}ELFxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
        stage.link("nowhere", "dangling");
        stage.link("loop", "loop");
        stage.file("closed/probe", "");
        stage.mode("closed", 0o000);
        let long = "x".repeat(300);
        let longer = format!("./{}", "x/".repeat(3000));
        for name in [
            "",
            "-",
            "nowhere",
            "./nowhere",
            "./directory",
            "./directory/",
            "directory",
            ".",
            "..",
            "/",
            "./plain",
            "plain",
            "./plain/x",
            "./probe/",
            "./empty",
            "./no-interpreter-line",
            "./no-interpreter",
            "./interpreter-is-a-directory",
            "./interpreter-is-a-file",
            "./bad-elf",
            "./dangling",
            "./loop",
            "./closed/probe",
            &long,
            &longer,
        ] {
            stage.run(&["--", name, "word"]);
        }
        stage.mode("closed", 0o755);
    });
    all.extend(as_both("exit codes of a program", |stage| {
        for script in ["exit 0", "exit 7", "exit 100", "exit 111", "exit 255", "kill -9 $$", "kill -15 $$"] {
            stage.run(&["-v", "/bin/sh", "-c", script]);
        }
    }));
    all.extend(as_both("what a program says", |stage| {
        stage.run(&["-P", "/bin/sh", "-c", "echo out; echo err >&2; exit 3"]);
        stage.run(&["sh", "-c", "echo \"$0\" \"$@\"", "name", "a", "b c"]);
    }));
    all.extend(as_both("a script with its interpreter", |stage| {
        stage.script("script", "#!/bin/sh\necho \"$0\" \"$@\"\n");
        stage.run(&["./script", "a", "b"]);
        stage.run(&["-b", "name", "./script", "a", "b"]);
        let path = format!("PATH={}", stage.path("").display());
        stage.run_under("chpst", &["script", "a"], |conditions| conditions.environment(&[path.as_bytes()]));
    }));
    all.extend(as_both("a program that somebody writes to", |stage| {
        stage.script("busy", "#!/bin/sh\n");
        let _writer = std::fs::OpenOptions::new().append(true).open(stage.path("busy")).expect("a program");
        stage.run(&["./busy"]);
    }));
    all
}

/// Runs a name with `PATH`.
fn search(stage: &mut Stage, path: &str, name: &str) {
    let path = path.replace("HERE", &stage.path("").display().to_string());
    stage.saw("PATH", &path);
    let entry = format!("PATH={path}");
    stage.run_under("chpst", &[name], |conditions| conditions.environment(&[b"A=1", entry.as_bytes(), b"Z=1"]));
}

fn paths() -> Vec<Scenario> {
    let mut all = as_both("programs on PATH", |stage| {
        stage.directory("empty");
        stage.directory("second");
        stage.probe("bin/prog");
        for path in [
            "HERE/bin",
            "HERE/bin/",
            "HERE//bin",
            "HERE/empty:HERE/bin",
            "HERE/nowhere:HERE/bin",
            "HERE/bin:HERE/empty",
            "bin",
            "./bin",
            "empty:bin:second",
            "HERE/empty",
            "HERE/nowhere",
            "HERE/empty:HERE/nowhere",
            "HERE/bin/prog",
            "HERE/bin/prog:HERE/bin",
            "HERE/empty:HERE/bin/prog",
            "~/bin",
            ":::",
            "/",
            "",
        ] {
            search(stage, path, "prog");
        }
    });
    all.extend(as_both("the working directory on PATH", |stage| {
        for path in ["", ":", "::", ":HERE/nowhere", "HERE/nowhere:", "HERE/nowhere::HERE/never", "."] {
            search(stage, path, "probe");
        }
        stage.run_under("chpst", &["sh", "-c", "echo sh"], |conditions| conditions.environment(&[b"PATH="]));
    }));
    all.extend(as_both("no PATH", |stage| {
        stage.run_under("chpst", &["sh", "-c", "echo found"], |conditions| conditions.environment(&[b"A=1"]));
        stage.run_under("chpst", &["sh", "-c", "echo found"], |conditions| conditions.environment(&[]));
        stage.run_under("chpst", &["probe"], |conditions| conditions.environment(&[b"A=1"]));
        stage.run_under("chpst", &["./probe"], |conditions| conditions.environment(&[]));
        stage.run_under("chpst", &["sh", "-c", "echo found"], |conditions| conditions.environment(&[b"PATH"]));
        stage.run_under("chpst", &["sh", "-c", "echo found"], |conditions| conditions.environment(&[b"path=/bin"]));
        stage.run_under("chpst", &["sh", "-c", "echo found"], |conditions| conditions.environment(&[b"PATHS=/bin"]));
    }));
    all.extend(as_both("PATH with what must not be run", |stage| {
        stage.probe("right/prog");
        stage.file("plain/prog", "");
        stage.directory("directory/prog");
        stage.script("script/prog", "exit 0\n");
        stage.script("no-interpreter/prog", "#!/nowhere/sh\n");
        stage.directory("links");
        stage.link("prog", "links/prog");
        stage.directory("dangling");
        stage.link("nowhere", "dangling/prog");
        stage.file("closed/prog", "");
        stage.mode("closed", 0o000);
        stage.directory("empty");
        for first in ["plain", "directory", "script", "no-interpreter", "links", "dangling", "closed"] {
            search(stage, &format!("HERE/{first}:HERE/right"), "prog");
            search(stage, &format!("HERE/{first}"), "prog");
            search(stage, &format!("HERE/{first}:HERE/empty"), "prog");
            search(stage, &format!("HERE/empty:HERE/{first}:HERE/nowhere"), "prog");
        }
        search(stage, "HERE/plain:HERE/script:HERE/right", "prog");
        search(stage, "HERE/plain:HERE/links:HERE/right", "prog");
        search(stage, "HERE/plain:HERE/right/prog:HERE/right", "prog");
        stage.mode("closed", 0o755);
    }));
    all.extend(as_both("PATH with what is too long", |stage| {
        stage.probe("bin/prog");
        let long = "x".repeat(300);
        let longer = "y/".repeat(2100);
        search(stage, &format!("HERE/{long}:HERE/bin"), "prog");
        search(stage, &format!("HERE/{longer}:HERE/bin"), "prog");
        search(stage, "HERE/bin", &long);
        search(stage, &format!("{}HERE/bin", "HERE/nowhere:".repeat(2000)), "prog");
    }));
    all.extend(as_both("PATH twice", |stage| {
        stage.probe("bin/prog");
        let path = format!("PATH={}", stage.path("bin").display());
        for paths in [[path.as_str(), "PATH=/nowhere"], ["PATH=/nowhere", path.as_str()]] {
            stage.run_under("chpst", &["prog"], |conditions| conditions.environment(&paths.map(str::as_bytes)));
        }
    }));
    all.extend(as_both("a name with a slash", |stage| {
        stage.probe("bin/prog");
        for name in ["bin/prog", "./bin/prog", "bin//prog", "bin/../bin/prog", "/bin/prog", "prog/"] {
            search(stage, "HERE/bin:HERE", name);
        }
    }));
    all
}

fn environments() -> Vec<Scenario> {
    as_both("environments as they come", |stage| {
        for environment in [
            &[][..],
            &[&b"A=1"[..]],
            &[b"B=2", b"A=1", b"B=3", b"C", b"=D", b"", b"E=", b"==", b"A=1"],
            &[b"\xff\xfe=\x80", b"NEW\nLINE=a\nb"],
        ] {
            for words in [&["./probe"][..], &["-U", ":5:6", "./probe"]] {
                stage.run_under("chpst", words, |conditions| conditions.environment(environment));
            }
        }
    })
}

fn names_of_programs() -> Vec<Scenario> {
    let mut all = as_both("another name for a program", |stage| {
        let long = "n".repeat(5000);
        for words in [
            &["-b", "name", "./probe", "word"][..],
            &["-bname", "./probe"],
            &["-b", "", "./probe", "word"],
            &["-b", "-login", "./probe"],
            &["-b", "/a/path/name", "./probe"],
            &["-b", "two words", "./probe"],
            &["-b", &long, "./probe"],
            &["-b", "name", "./nowhere", "word"],
            &["-b", "name", "nowhere"],
            &["-b", "", "./nowhere"],
            &["-b", "./probe", "nowhere"],
            &["-b", "sh", "sh", "-c", "echo $0"],
            &["-b", "fake", "sh", "-c", "echo $0"],
        ] {
            stage.run(words);
        }
    });
    all.push(as_user("name and descriptors", |stage| stage.run(&["-b", "name", "-2", "./nowhere"])));
    all
}
