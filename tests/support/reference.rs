//! The programs ours are held against: Debian's runit and its static busybox, brought by the set-up, never installed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What the `sv` of runit 2.1.2 calls itself: the differences that are known were seen with this version.
const VERSION: &str = "900314260c6d52c986c5357673bea2f3bd3f4698";

/// Where the set-up has unpacked them.
pub struct Reference {
    /// The directory of runit's programs.
    pub programs: PathBuf,
    /// The executable, which has the applets `svc` and `svok`.
    pub busybox: PathBuf,
}

/// The reference programs; `None`, with the reason, if they are not here or of another version.
pub fn reference() -> Result<Reference, String> {
    let directory = cache().ok_or("no directory for a cache")?.join("reference");
    let reference = Reference { programs: directory.join("bin"), busybox: directory.join("busybox") };
    for file in [reference.programs.join("runsvdir"), reference.programs.join("sv"), reference.busybox.clone()] {
        if !file.exists() {
            return Err(format!("needs {}: run tests/setup.sh", file.display()));
        }
    }
    let version = standard_error(&reference.programs.join("sv"), "-V");
    if !version.contains(VERSION) {
        let line = version.lines().next().unwrap_or_default();
        return Err(format!("needs runit 2.1.2; here is another one: {line}"));
    }
    Ok(reference)
}

fn cache() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let of_user = || variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")));
    variable("PIPIT_CACHE").or_else(|| Some(of_user()?.join("pipit")))
}

fn standard_error(program: &Path, word: &str) -> String {
    let mut command = Command::new(program);
    command.arg(word).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let output = crate::process::spawn(&mut command).and_then(std::process::Child::wait_with_output);
    output.map_or_else(|error| error.to_string(), |output| String::from_utf8_lossy(&output.stderr).into_owned())
}
