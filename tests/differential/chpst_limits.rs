//! What chpst.md 3 says of limits, and of the nice value.

use nix::libc::{RLIMIT_CORE, RLIMIT_DATA, RLIMIT_FSIZE, RLIMIT_NOFILE, RLIMIT_STACK};

use crate::chpst::{as_both, as_root, as_user};
use crate::scenario::Scenario;

/// The scenarios of this part.
pub fn scenarios() -> Vec<Scenario> {
    let mut all = each();
    all.extend(numbers());
    all.extend(together());
    all.extend(nice());
    all
}

/// The options, and a value that leaves the program that waits alive.
const OPTIONS: [(&str, &str); 9] = [
    ("-d", "300000"),
    ("-o", "77"),
    ("-p", "3000"),
    ("-f", "123456"),
    ("-c", "654321"),
    ("-r", "222222"),
    ("-t", "3600"),
    ("-m", "5000000"),
    ("-n", "1"),
];

fn each() -> Vec<Scenario> {
    let mut all = Vec::new();
    for (option, value) in &OPTIONS[..8] {
        all.extend(as_both(&format!("limits: {option}"), move |stage| {
            stage.run(&[option, value, "./probe"]);
            stage.run(&[&format!("{option}{value}"), "./probe"]);
            stage.run(&["-v", option, value, "./probe"]);
            // Whether the kernel looks at the time before the program waits is left to chance.
            if *option != "-t" {
                stage.run(&[option, "0", "./probe"]);
                stage.run(&[option, "", "./probe"]);
            }
        }));
    }
    all
}

fn numbers() -> Vec<Scenario> {
    let mut all = Vec::new();
    for option in ["-d", "-o", "-p", "-f", "-c", "-r", "-t", "-m"] {
        all.extend(as_both(&format!("limits: no numbers for {option}"), move |stage| {
            for value in ["x", "1x", "-1", "+1", " 1", "1 ", "=", "0x10", "unlimited", "1k", "1.5", "1\n"] {
                stage.run(&[option, value, "./probe"]);
            }
        }));
    }
    // What is too little for the C library of Debian's is not compared.
    for (option, resource, soft, hard) in [
        ("-o", RLIMIT_NOFILE, 500, 15_000),
        ("-f", RLIMIT_FSIZE, 500, 1_000_000_000),
        ("-c", RLIMIT_CORE, 500, 1_000_000_000),
        ("-d", RLIMIT_DATA, 500_000_000, 1_000_000_000),
    ] {
        all.extend(as_both(&format!("limits: large numbers for {option}"), move |stage| {
            for hard in [None, Some(hard)] {
                for value in [
                    "4294967295",
                    "4294967296",
                    "9223372036854775806",
                    "9223372036854775807",
                    "9223372036854775808",
                    "10000000000000000000",
                    "18446744073709551614",
                    "18446744073709551615",
                ] {
                    let under = |conditions: support::Conditions| conditions.limit(resource, Some(soft), hard);
                    stage.run_under("chpst", &[option, value, "./probe"], under);
                }
            }
        }));
    }
    all.extend(as_both("limits: numbers beyond 64 bits", |stage| {
        stage.under(|conditions| {
            let conditions = conditions.limit(RLIMIT_NOFILE, Some(200), Some(300));
            let conditions = conditions.limit(RLIMIT_FSIZE, Some(200), Some(300));
            conditions.limit(RLIMIT_CORE, Some(200), Some(300))
        });
        for option in ["-o", "-f", "-c"] {
            stage.run(&[option, "18446744073709551616", "./probe"]);
        }
        for value in ["18446744073709551716", "99999999999999999999999999"] {
            stage.run(&["-o", value, "./probe"]);
        }
    }));
    all.extend(as_both("limits: leading zeros", |stage| {
        for value in ["010", "0000000000000000000000000000077", "00"] {
            stage.run(&["-o", value, "./probe"]);
        }
    }));
    all.extend(as_both("limits: a hard limit below", |stage| {
        stage.under(|conditions| conditions.limit(RLIMIT_NOFILE, Some(40), Some(50)));
        for value in ["0", "39", "40", "41", "49", "50", "51", "1000"] {
            stage.run(&["-o", value, "./probe"]);
        }
    }));
    all.extend(as_both("limits: a hard limit of nothing", |stage| {
        stage.under(|conditions| conditions.limit(RLIMIT_CORE, Some(0), Some(0)));
        for value in ["0", "1", "18446744073709551615", "9223372036854775808", ""] {
            stage.run(&["-c", value, "./probe"]);
        }
    }));
    all
}

fn together() -> Vec<Scenario> {
    let mut all = as_both("limits: all four and one of them", |stage| {
        for words in [
            &["-m", "40000000", "-d", "100000", "./probe"][..],
            &["-d", "100000", "-m", "40000000", "./probe"],
            &["-m", "40000000", "-o", "30", "-d", "", "./probe"],
            &["-d", "1", "-m", "40000000", "-d", "2", "./probe"],
            &["-m", "18446744073709551615", "./probe"],
            &["-m", "9223372036854775808", "./probe"],
            &["-d", "100000", "-m", "9223372036854775808", "./probe"],
            &["-d", "100000", "-m", "18446744073709551615", "./probe"],
        ] {
            stage.run(words);
        }
    });
    all.extend(as_both("limits: all together", |stage| {
        let words = ["-d1000000", "-o50", "-p2000", "-f70", "-c80", "-r90", "-t5000", "-m", "30000000", "./probe"];
        stage.run(&words);
        let mut others: Vec<&str> = words[..7].iter().rev().copied().collect();
        others.extend(["-P", "-v", "./probe"]);
        stage.run(&others);
    }));
    all.extend(as_both("limits: too little to execute", |stage| {
        stage.script("script", "#!/bin/sh\necho ran\n");
        for words in [
            &["-m", "0", "./probe"][..],
            &["-m", "4096", "./probe"],
            &["-o", "0", "./script"],
            &["-o", "0", "/bin/sh", "-c", "echo ran"],
            &["-f", "0", "/bin/sh", "-c", "trap '' XFSZ; echo ran"],
        ] {
            stage.run(words);
        }
    }));
    all.extend(as_both("limits: long words and little stack", |stage| {
        let long = "x".repeat(100_000);
        stage.under(|conditions| conditions.limit(RLIMIT_STACK, Some(1_000_000), None));
        stage.run(&["./probe", &long, &long]);
        stage.run(&["-m", "400000", "./probe", &long, &long]);
        stage.run(&["-m", "30000000", "./probe", &long, &long]);
    }));
    all.push(as_root("limits: the user, then the limits", |stage| {
        stage.run(&["-u", ":1000:1000", "-o", "30", "-c", "0", "./probe"]);
        stage.run(&["-o", "30", "-p", "0", "-u", ":1000:1000", "./probe"]);
    }));
    all.extend(as_both("limits: options that another name has", |stage| {
        for words in [["-s", "1000"], ["-a", "1000"]] {
            stage.run(&[words[0], words[1], "./probe"]);
        }
    }));
    all.extend(as_both("limits: the resident set is not in the usage", |stage| stage.run(&["-r"])));
    all
}

fn nice() -> Vec<Scenario> {
    let mut all = as_both("nice: more", |stage| {
        for value in ["0", "1", "+1", "5", "+5", "19", "20", "39", "40", "100", "+100"] {
            stage.run(&["-n", value, "./probe"]);
            stage.run_under("chpst", &["-n", value, "./probe"], |conditions| conditions.nice(3));
        }
    });
    all.extend(as_both("nice: less", |stage| {
        for value in ["-0", "-1", "-5", "-20", "-21", "-100"] {
            stage.run(&["-n", value, "./probe"]);
            stage.run_under("chpst", &["-n", value, "./probe"], |conditions| conditions.nice(3));
        }
        stage.run(&["-n-1", "./probe"]);
        stage.run(&["-vn-1", "./probe"]);
    }));
    all.extend(as_both("nice: nothing", |stage| {
        for value in ["", "-", "+"] {
            stage.run_under("chpst", &["-n", value, "./probe"], |conditions| conditions.nice(3));
        }
    }));
    all.extend(as_both("nice: no numbers", |stage| {
        for value in ["x", "5x", "+x", "-x", "--5", "++5", "+-5", "-+5", " 5", "5 ", "0x5", "1.5", "=", "- 5"] {
            stage.run(&["-n", value, "./probe"]);
        }
    }));
    all.extend(as_both("nice: large numbers", |stage| {
        for value in ["2147483647", "-2147483648", "32767", "-32768", "1000000", "-1000000"] {
            stage.run_under("chpst", &["-n", value, "./probe"], |conditions| conditions.nice(3));
        }
    }));
    all.extend(as_both("nice: numbers beyond 31 bits", |stage| {
        for value in [
            "2147483648",
            "-2147483649",
            "4294967296",
            "9223372036854775807",
            "18446744073709551621",
            "-99999999999999999999999",
        ] {
            stage.run_under("chpst", &["-n", value, "./probe"], |conditions| conditions.nice(3));
        }
    }));
    all.push(as_root("nice: before the user changes", |stage| {
        stage.run(&["-u", ":1000:1000", "-n", "-5", "./probe"]);
        stage.run(&["-n", "-5", "-u", ":1000:1000", "-P", "./probe"]);
    }));
    all.push(as_user("nice: as far as a user may", |stage| {
        stage.run(&["-n", "19", "./probe"]);
        stage.run(&["-n", "0", "./probe"]);
        stage.run(&["-n", "-1", "./nowhere"]);
    }));
    all
}
