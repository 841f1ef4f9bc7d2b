//! What a program finds that was executed by another one, seen from outside: that needs no tool and no `/proc` where the
//! program is, no memory, and no rights.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::process::Supervisor;
use crate::scratch::Scratch;
use crate::wait::wait_until;

/// An executable of x86_64 that waits for good, in one page that is not written to.
const PROBE: &[u8] = &{
    let mut file = [0; 129];
    let (head, rest) = file.split_at_mut(64);
    // The file: 64 bits, little-endian, version 1, no system named.
    head.first_chunk_mut::<7>().unwrap().copy_from_slice(b"\x7fELF\x02\x01\x01");
    head[16] = 2; // an executable
    head[18] = 62; // of x86_64
    head[20] = 1;
    head[24] = 120; // its first instruction, at 0x400078
    head[26] = 0x40;
    head[32] = 64; // the table of segments
    head[52] = 64; // the lengths of this head and of a segment's, and their number
    head[54] = 56;
    head[56] = 1;
    // The segment: all of the file, to be read and executed at 0x400000.
    rest[0] = 1;
    rest[4] = 5;
    rest[18] = 0x40;
    rest[26] = 0x40;
    rest[32] = 129;
    rest[40] = 129;
    rest[49] = 0x10;
    // mov $34, %eax; syscall; jmp to the first: pause(2).
    let code = [0xb8, 34, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7];
    let (_, place) = rest.split_at_mut(56);
    place.copy_from_slice(&code);
    file
};

impl Scratch {
    /// Writes the program that waits to be looked at, and gives back its path.
    pub fn probe(&self, name: &str) -> PathBuf {
        let _nobody_forks = crate::process::hold_forks();
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        std::fs::write(&path, PROBE).expect("a program");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("mode");
        path
    }
}

/// What it has, in parts: a name, and lines.
pub type Parts = Vec<(&'static str, Vec<String>)>;

/// A process that has become the program that waits to be looked at.
#[derive(Clone, Copy, Debug)]
pub struct Executed {
    pid: u32,
}

impl Executed {
    /// The process, if it executes `probe` by now and waits.
    pub fn is(pid: u32, probe: &Path) -> Option<Executed> {
        let executes = identity(Path::new(&format!("/proc/{pid}/exe")))?;
        // The kernel sets its link before its words.
        let waits = crate::system_call(pid) == Some(nix::libc::SYS_pause);
        (waits && identity(probe) == Some(executes)).then_some(Executed { pid })
    }

    /// Waits until a process executes `probe`; `None` if it ends instead.
    #[track_caller]
    pub fn wait(process: &mut Supervisor, probe: &Path) -> Option<Executed> {
        let pid = process.pid();
        wait_until("a program to be executed, or an end", || {
            let executed = Executed::is(pid, probe);
            (executed.is_some() || process.try_wait().is_some()).then_some(executed)
        })
    }

    fn read(self, name: &str) -> Vec<u8> {
        std::fs::read(format!("/proc/{}/{name}", self.pid)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn text(self, name: &str) -> String {
        String::from_utf8_lossy(&self.read(name)).into_owned()
    }

    /// Its words, the name it was called by first.
    pub fn words(self) -> Vec<String> {
        entries(&self.read("cmdline"))
    }

    /// Its environment, in order.
    pub fn environment(self) -> Vec<String> {
        entries(&self.read("environ"))
    }

    /// What the kernel tells of it under a name in `status`, single blanks between the words.
    pub fn status(self, name: &str) -> String {
        let text = self.text("status");
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Its limits in the order of the kernel: name, soft, hard.
    pub fn limits(self) -> Vec<(String, String, String)> {
        limits(&self.text("limits"))
    }

    /// The soft value of a limit, as the kernel names it: `Max open files`.
    pub fn limit(self, name: &str) -> String {
        let limits = self.limits();
        limits.into_iter().find(|(have, _, _)| have == name).map(|(_, soft, _)| soft).expect("a limit of this name")
    }

    /// The limits that are not those of this process, a line for each.
    pub fn changed_limits(self) -> Vec<String> {
        let own = limits(&std::fs::read_to_string("/proc/self/limits").expect("limits"));
        let changed = self.limits().into_iter().filter(|limit| !own.contains(limit));
        changed.map(|(name, soft, hard)| format!("{name}: {soft}, at most {hard}")).collect()
    }

    fn field(self, index: usize) -> i64 {
        let fields = crate::process_fields(self.pid).expect("a process");
        fields[index].parse().expect("a number")
    }

    /// Its nice value.
    pub fn nice(self) -> i64 {
        self.field(16)
    }

    /// Whether it leads a process group of its own, and a session.
    pub fn leads(self) -> (bool, bool) {
        let pid = i64::from(self.pid);
        (self.field(2) == pid, self.field(3) == pid)
    }

    /// Where a link in its directory leads: `cwd`, `root`, `exe`, `fd/3`.
    pub fn link(self, name: &str) -> PathBuf {
        std::fs::read_link(format!("/proc/{}/{name}", self.pid)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Its open descriptors.
    pub fn descriptors(self) -> Vec<i32> {
        let entries = std::fs::read_dir(format!("/proc/{}/fd", self.pid)).expect("descriptors").flatten();
        let mut numbers: Vec<i32> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
        numbers.sort_unstable();
        numbers
    }

    /// The flags of an open file, as open(2) has them in octal, and whether this process holds a lock on it.
    pub fn flags(self, descriptor: i32) -> (String, bool) {
        let text = self.text(&format!("fdinfo/{descriptor}"));
        let flags = text.lines().find_map(|line| line.strip_prefix("flags:")).unwrap_or_default().trim().to_owned();
        (flags, text.contains("FLOCK  ADVISORY  WRITE"))
    }

    /// All but its words.
    pub fn parts(self) -> Parts {
        let ids = ["Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs"];
        let signals = ["SigBlk", "SigIgn", "SigCgt"];
        let status = |names: &[&str]| names.iter().map(|name| format!("{name} {}", self.status(name))).collect();
        let mut state: Vec<String> = status(&signals);
        let (leads_group, leads_session) = self.leads();
        state.extend([
            format!("Umask {}", self.status("Umask")),
            format!("nice {}", self.nice()),
            format!("leads a group: {leads_group}, a session: {leads_session}"),
            format!("cwd {}", self.link("cwd").display()),
            format!("root {}", self.link("root").display()),
            format!("executes {}", self.link("exe").display()),
        ]);
        vec![
            ("environment", self.environment()),
            ("ids", status(&ids)),
            ("limits", self.changed_limits()),
            ("descriptors", self.descriptors().into_iter().map(|number| self.describe_descriptor(number)).collect()),
            ("state", state),
        ]
    }

    fn describe_descriptor(self, number: i32) -> String {
        let (flags, is_locked) = self.flags(number);
        let target = self.link(&format!("fd/{number}"));
        // What a test takes in is in files whose names are counted.
        let is_captured = target.parent().is_some_and(|parent| parent.ends_with(".captured"));
        let name = target.extension().filter(|_| is_captured).map_or(target.as_os_str(), |kind| kind);
        format!("{number} {} flags {flags}{}", name.display(), if is_locked { ", locked" } else { "" })
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

fn entries(bytes: &[u8]) -> Vec<String> {
    let whole = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    if bytes.is_empty() {
        return Vec::new();
    }
    whole.split(|byte| *byte == 0).map(|entry| entry.escape_ascii().to_string()).collect()
}

fn limits(text: &str) -> Vec<(String, String, String)> {
    let split = |line: &str| {
        let (name, values) = line.split_at_checked(26)?;
        let mut values = values.split_whitespace();
        Some((name.trim().to_owned(), values.next()?.to_owned(), values.next()?.to_owned()))
    };
    text.lines().skip(1).filter_map(split).collect()
}
