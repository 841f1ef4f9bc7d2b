//! Where the programs under test are, and what the machine lets a test do.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The directory of the programs under test: `PIPIT_BIN`, else `out/x86_64/bin` of the repository.
///
/// # Panics
/// If there are none: they are built by `make`, not by cargo.
pub fn programs() -> PathBuf {
    let directory = std::env::var_os("PIPIT_BIN").map_or_else(|| repository().join("out/x86_64/bin"), PathBuf::from);
    assert!(
        directory.join("runsv").exists(),
        "no programs in {}: run `make ARCH=x86_64`, or set PIPIT_BIN",
        directory.display()
    );
    std::path::absolute(directory).expect("a current directory")
}

/// The directory of the armv7 programs: `PIPIT_ARM_BIN`, else `out/armv7/bin`; `None` if they are not built.
pub fn arm_programs() -> Option<PathBuf> {
    let directory = std::env::var_os("PIPIT_ARM_BIN").map_or_else(|| repository().join("out/armv7/bin"), PathBuf::from);
    directory.join("runsv").exists().then_some(directory)
}

/// True if the programs are the original ones, which come without the multi-call file.
pub fn is_reference() -> bool {
    !programs().join("pipit").exists()
}

/// True for the superuser.
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// True if a tool of the host is on its path.
pub fn has_program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(name).exists())
}

/// True if this user may make pid and mount namespaces here.
pub fn may_make_namespaces() -> bool {
    let mut command = Command::new("unshare");
    command.args(["--pid", "--mount", "--fork", "--kill-child", "true"]).stderr(Stdio::null());
    crate::process::spawn(&mut command).and_then(|mut child| child.wait()).is_ok_and(|status| status.success())
}

/// Says on the real stderr, past the capture of the test harness, that the running test is left out.
pub fn skip(reason: &str) {
    let thread = std::thread::current();
    let line = format!("SKIPPED: {}: {reason}\n", thread.name().unwrap_or("test"));
    let _nowhere_to_complain = std::io::stderr().write_all(line.as_bytes());
}

/// Says a measured figure on the real stderr, as a line that begins with `# `.
pub fn figure(text: &str) {
    let _nowhere_to_complain = std::io::stderr().write_all(format!("# {text}\n").as_bytes());
}

/// False, after saying so, if the running test cannot be done here. Needs are `root`, `namespaces`, or the name of a tool.
#[must_use]
pub fn needs(all: &[&str]) -> bool {
    let missing = all.iter().find(|need| match **need {
        "root" => !is_root(),
        "namespaces" => !is_root() || !has_program("unshare") || !may_make_namespaces(),
        tool => !has_program(tool),
    });
    if let Some(need) = missing {
        skip(&format!("needs {need}"));
    }
    missing.is_none()
}
