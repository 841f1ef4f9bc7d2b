//! Link arguments and version of the static executables.
//!
//! `target-specs/build.sh` names musl's directory in `PIPIT_MUSL`. Without it (`cargo clippy`, an editor)
//! nothing static is linked, so nothing is said here.

use std::env;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-changed=../build.rs");
    println!("cargo::rerun-if-env-changed=PIPIT_MUSL");
    println!("cargo::rerun-if-env-changed=PIPIT_VERSION");

    let version = env::var("PIPIT_VERSION").ok().filter(|version| !version.is_empty());
    let version = version.unwrap_or_else(|| variable("CARGO_PKG_VERSION"));
    println!("cargo::rustc-env=PIPIT_VERSION={version}");

    if let Ok(musl) = env::var("PIPIT_MUSL") {
        link_statically(Path::new(&musl));
    }
}

/// The program is our code, and what it needs of musl's C library: the functions for memory.
fn link_statically(musl: &Path) {
    let script = PathBuf::from(variable("CARGO_MANIFEST_DIR")).join("../target-specs/static.ld");
    println!("cargo::rerun-if-changed={}", script.display());
    println!("cargo::rerun-if-changed={}", musl.join("libc.a").display());

    // The crate `libc` asks for `-lc`; this directory is the only one where it may be found.
    println!("cargo::rustc-link-search=native={}", musl.display());
    link(&musl.join("libc.a").display().to_string());

    link(&format!("--script={}", script.display()));
    for argument in ["--static", "--gc-sections", "--icf=all", "-O2", "--build-id=none"] {
        link(argument);
    }
    // The page of both machines, and headers, data and code side by side in the file.
    for argument in ["-zmax-page-size=4096", "-znoseparate-code", "-znorelro"] {
        link(argument);
    }
    // The executables are stripped; a map of each keeps every symbol, for debugging and for tests/build.
    for program in programs() {
        let map = map_directory().join(program).with_extension("map");
        println!("cargo::rustc-link-arg-bin={program}=--Map={}", map.display());
    }
}

/// `target/TRIPLE/release`, where the executables are: `OUT_DIR` lies three levels below.
fn map_directory() -> PathBuf {
    let out = PathBuf::from(variable("OUT_DIR"));
    out.ancestors().nth(3).expect("OUT_DIR is deep inside the target directory").to_owned()
}

/// The executables of the package that is built.
fn programs() -> &'static [&'static str] {
    match variable("CARGO_PKG_NAME").as_str() {
        "init-bin" => &["runit-init", "handoff"],
        "tools-bin" => &["pipit"],
        other => panic!("{other} is not one of the program packages"),
    }
}

fn link(argument: &str) {
    println!("cargo::rustc-link-arg-bins={argument}");
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"))
}
