//! One `seedrng` after the other in a scratch directory, seen by `strace`.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use support::{Ending, Output, Scratch, needs, skip};

pub const CREDITED: &str = "seed.credit";
pub const UNCREDITED: &str = "seed.no-credit";

/// Most bytes that are taken of a seed.
pub const MOST: usize = 512;

/// The default mode of a test's own seeds.
pub const MODE: u32 = 0o400;

/// Bytes of a new seed on this kernel.
pub fn new_length() -> usize {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/poolsize").expect("the size of the pool");
    let bits: usize = text.trim().parse().expect("a number");
    (bits / 8).clamp(32, MOST)
}

/// So many bytes that nothing else has.
pub fn seed(length: usize, salt: u8) -> Vec<u8> {
    (0..length).map(|place| u8::try_from(place * 7 % 251).expect("a byte") ^ salt).collect()
}

/// What the kernel is told in one call: bits that are credited, and the seed.
pub type Told = (usize, Vec<u8>);

/// The directory `seeds` of a scratch directory, and how `seedrng` is run on it.
pub struct Case {
    /// Where it is.
    pub scratch: Scratch,
}

impl Case {
    /// Without the directory; `None`, after saying so, where `seedrng` cannot be run.
    pub fn new() -> Option<Case> {
        if support::is_reference() {
            skip("the original has no seedrng");
            return None;
        }
        if !needs(&["root", "strace"]) {
            return None;
        }
        Some(Case { scratch: Scratch::new() })
    }

    /// With the directory, and a seed of 100 bytes under each of both names.
    pub fn with_both() -> Option<Case> {
        let case = Case::new()?;
        case.put(UNCREDITED, &seed(100, 1));
        case.put(CREDITED, &seed(100, 2));
        Some(case)
    }

    pub fn directory(&self) -> PathBuf {
        self.scratch.path().join("seeds")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }

    /// Puts a file into the directory, which is made.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        make_directory(&self.directory());
        std::fs::write(self.path(name), bytes).expect("a seed");
        std::fs::set_permissions(self.path(name), Permissions::from_mode(MODE)).expect("a mode");
    }

    /// What is in the directory by name; of what is no file the name alone.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        files(&self.directory())
    }

    /// A command under `strace`, which makes calls fail by these rules; the trace is in the file `trace`.
    pub fn traced(&self, rules: &[&str], words: &[&str]) -> Command {
        let mut command = self.scratch.command("strace");
        command.args(["-qq", "-xx", "-s", "2000", "-o", "trace"]);
        if !may_seed() && !rules.iter().any(|rule| rule.starts_with("ioctl")) {
            command.args(["-e", "inject=ioctl:retval=0"]);
        }
        for rule in rules {
            command.arg("-e").arg(format!("inject={rule}"));
        }
        command.arg(self.scratch.programs().join("seedrng")).args(words);
        command
    }

    /// Runs `seedrng` started by a script for a shell, as `"$@"`.
    #[track_caller]
    pub fn run_scripted(&self, words: &[&str], script: &str) -> Output {
        self.scratch.output(self.scripted(&[], words, script))
    }

    /// The same in a mount namespace.
    #[track_caller]
    pub fn run_apart(&self, words: &[&str], script: &str) -> Output {
        self.scratch.output(self.apart(&[], words, script))
    }

    /// Runs `seedrng seeds` on a kernel with a pool of 4096 bits, as it was before Linux 5.18, with calls failing. Needs
    /// namespaces.
    #[track_caller]
    pub fn run_with_large_pool(&self, rules: &[&str]) -> Output {
        let script = "echo 4096 >size; mount --bind size /proc/sys/kernel/random/poolsize; exec \"$@\"";
        self.scratch.output(self.apart(rules, &["seeds"], script))
    }

    fn scripted(&self, rules: &[&str], words: &[&str], script: &str) -> Command {
        let traced = self.traced(rules, words);
        let mut command = self.scratch.command("sh");
        command.args(["-c", &format!("set -e; {script}"), "sh"]).arg(traced.get_program()).args(traced.get_args());
        command
    }

    fn apart(&self, rules: &[&str], words: &[&str], script: &str) -> Command {
        let scripted = self.scripted(rules, words, script);
        let mut command = self.scratch.command("unshare");
        command.arg("--mount").arg(scripted.get_program()).args(scripted.get_args());
        command
    }

    /// Runs `seedrng seeds` with calls failing: rules as `fsync:error=EIO:when=1`. Of two for a call the last one counts.
    #[track_caller]
    pub fn run_with(&self, rules: &[&str]) -> Output {
        self.scratch.output(self.traced(rules, &["seeds"]))
    }

    /// Runs `seedrng seeds`, which must have nothing to say.
    #[track_caller]
    pub fn run_well(&self) {
        assert_eq!(self.run_with(&[]), Output::exit(0, "", ""));
    }

    /// The calls of the last run that was traced, without their results.
    pub fn calls(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.scratch.path().join("trace")).expect("a trace");
        text.lines().map(|line| line.rsplit_once(" = ").map_or(line, |(call, _)| call).trim().to_owned()).collect()
    }

    /// What the kernel was told in the last run, after the question whether it may be told something.
    #[track_caller]
    pub fn told(&self) -> Vec<Told> {
        let all: Vec<Told> = self.calls().iter().filter_map(|call| told(call)).collect();
        assert_eq!(all.first(), Some(&(0, Vec::new())), "{:?}", self.calls());
        all[1..].to_vec()
    }

    /// The only file in the directory, which must be a whole seed of this name.
    #[track_caller]
    pub fn only(&self, name: &str) -> Vec<u8> {
        let files = self.files();
        assert_eq!(files.keys().collect::<Vec<_>>(), [name]);
        assert_eq!(files[name].len(), new_length());
        assert_eq!(std::fs::metadata(self.path(name)).expect("a seed").mode() & 0o7777, 0o400);
        files[name].clone()
    }
}

pub fn make_directory(path: &Path) {
    if !path.exists() {
        std::fs::create_dir(path).expect("a directory");
        std::fs::set_permissions(path, Permissions::from_mode(0o700)).expect("a mode");
    }
}

pub fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(directory).expect("a directory").flatten();
    let read = |path: PathBuf| if path.is_file() { std::fs::read(path).expect("a file") } else { Vec::new() };
    entries.map(|entry| (entry.file_name().into_string().expect("a name"), read(entry.path()))).collect()
}

/// Reads `ioctl(3, RNDADDENTROPY, {entropy_count=8, buf_size=1, buf="\x01"})`.
pub fn told(call: &str) -> Option<Told> {
    let (_, rest) = call.strip_prefix("ioctl(")?.split_once("RNDADDENTROPY, {entropy_count=")?;
    let (bits, rest) = rest.split_once(", buf_size=").expect("a size");
    let (size, rest) = rest.split_once(", buf=\"").expect("bytes");
    let text = rest.strip_suffix("\"})").expect("all bytes");
    let byte = |digits: &str| u8::from_str_radix(digits, 16).expect("a byte");
    let bytes: Vec<u8> = text.split("\\x").skip(1).map(byte).collect();
    assert_eq!(size.parse(), Ok(bytes.len()));
    Some((bits.parse().expect("bits"), bytes))
}

/// Whether the kernel lets itself be seeded here.
pub fn may_seed() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| {
        let scratch = Scratch::new();
        scratch.run("seedrng", &["seeds"]).ending == Ending::Exit(0)
    })
}

/// The message of a failure.
pub fn warning(what: &str, reason: &str) -> String {
    format!("seedrng: warning: unable to {what}: seeds: {reason}\n")
}

/// One that ends it.
pub fn fatal(what: &str, reason: &str) -> String {
    format!("seedrng: fatal: unable to {what}: seeds: {reason}\n")
}
