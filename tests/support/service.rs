//! A service directory: built by a test, watched from the outside.

use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::shown::Extension;
use crate::status::Status;
use crate::wait::wait_until;

const NONBLOCK: i32 = nix::libc::O_NONBLOCK;

/// A run or finish script that notes its start in `starts` and every signal in `signals`, and does not end by itself.
/// TERM ends it.
pub const LISTEN: &str = "\
for signal in HUP INT QUIT USR1 USR2 ALRM CONT; do trap \"echo $signal >>signals\" $signal; done
trap 'echo TERM >>signals; exit 0' TERM
echo $$ >>starts
while :; do sleep 1000 >/dev/null 2>&1 & wait $!; done
";

/// The same, but TERM is only noted.
pub const LISTEN_AND_STAY: &str = "\
for signal in HUP INT QUIT USR1 USR2 ALRM CONT TERM; do trap \"echo $signal >>signals\" $signal; done
echo $$ >>starts
while :; do sleep 1000 >/dev/null 2>&1 & wait $!; done
";

/// A part of a script that notes in `starts` when it was started: field 22 of its stat line is the moment of the fork, in
/// hundredths of a second of the monotonic clock.
pub const NOTE_START: &str = "(read -r line </proc/$$/stat; set -- $line; shift 21; echo $1 >>starts)\n";

/// The seconds between the starts that [`NOTE_START`] noted.
pub fn seconds_between(stamps: &[String]) -> Vec<f64> {
    let seconds: Vec<f64> = stamps.iter().map(|stamp| stamp.parse::<f64>().expect("a stamp") / 100.0).collect();
    seconds.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

/// Starts are a second apart. From the moment the supervisor counts from to the fork a busy machine may take its time,
/// so a single one may seem early by that; the middle one may not.
pub fn assert_a_second_apart(gaps: &[f64]) {
    let mut sorted = gaps.to_vec();
    sorted.sort_by(f64::total_cmp);
    assert!(sorted[0] >= 0.75 && sorted[sorted.len() / 2] >= 0.97, "seconds between starts: {gaps:?}");
}

/// One service directory, or the `log` directory in one.
#[derive(Clone, Debug)]
pub struct Service {
    path: PathBuf,
}

impl Service {
    /// Makes an empty service directory.
    pub fn create(path: &Path) -> Service {
        std::fs::create_dir_all(path).expect("a service directory");
        Service { path: path.to_owned() }
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its last component.
    pub fn name(&self) -> String {
        self.path.file_name().expect("a name").to_string_lossy().into_owned()
    }

    /// Writes an executable shell script; `name` may contain a `/`.
    pub fn script(self, name: &str, body: &str) -> Service {
        self.executable(name, &format!("#!/bin/sh\n{body}\n"))
    }

    /// Writes an executable file with exactly these contents.
    pub fn executable(self, name: &str, contents: &str) -> Service {
        let _nobody_forks = crate::process::hold_forks();
        let path = self.path.join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        std::fs::write(&path, contents).expect("a script");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("mode");
        self
    }

    /// Writes an ordinary file.
    pub fn file(self, name: &str, contents: &str) -> Service {
        let path = self.path.join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        std::fs::write(path, contents).expect("a file");
        self
    }

    /// Writes `run`.
    pub fn run(self, body: &str) -> Service {
        self.script("run", body)
    }

    /// Writes `finish`.
    pub fn finish(self, body: &str) -> Service {
        self.script("finish", body)
    }

    /// Writes `log/run`.
    pub fn log_run(self, body: &str) -> Service {
        self.script("log/run", body)
    }

    /// Writes the file `down`.
    pub fn down(self) -> Service {
        self.file("down", "")
    }

    /// Makes a fifo for a script to wait at: `read -r _ <NAME`.
    pub fn gate(self, name: &str) -> Service {
        nix::unistd::mkfifo(&self.path.join(name), nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
        self
    }

    /// Lets one script that waits at the gate go on; waits for the script to come there.
    #[track_caller]
    pub fn open_gate(&self, name: &str) {
        let path = self.path.join(name);
        let mut gate = wait_until(&format!("a script waiting at {name}"), || {
            std::fs::OpenOptions::new().write(true).custom_flags(NONBLOCK).open(&path).ok()
        });
        gate.write_all(b"go\n").expect("the gate");
    }

    /// The log service.
    pub fn log(&self) -> Service {
        Service { path: self.path.join("log") }
    }

    /// True if a runsv reads `supervise/ok`.
    pub fn is_supervised(&self) -> bool {
        let ok = self.path.join("supervise/ok");
        std::fs::OpenOptions::new().write(true).custom_flags(NONBLOCK).open(ok).is_ok()
    }

    /// Writes control bytes, all in one write.
    #[track_caller]
    pub fn send(&self, bytes: &str) {
        let control = self.path.join("supervise/control");
        let opened = std::fs::OpenOptions::new().write(true).custom_flags(NONBLOCK).open(control);
        opened.expect("a supervisor at supervise/control").write_all(bytes.as_bytes()).expect("supervise/control");
    }

    /// The bytes of `supervise/status`.
    pub fn status_bytes(&self) -> Option<Vec<u8>> {
        std::fs::read(self.path.join("supervise/status")).ok()
    }

    /// The decoded status.
    ///
    /// # Panics
    /// If there is none, or a byte of it is not in the format.
    #[track_caller]
    pub fn status(&self) -> Status {
        Status::decode(&self.status_bytes().expect("supervise/status")).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The text of `supervise/stat`, empty if there is none.
    pub fn stat(&self) -> String {
        std::fs::read_to_string(self.path.join("supervise/stat")).unwrap_or_default()
    }

    /// The text of `supervise/pid`.
    pub fn pid_text(&self) -> Option<String> {
        std::fs::read_to_string(self.path.join("supervise/pid")).ok()
    }

    /// Waits until `stat` is this line, then reads the status that was written after it.
    ///
    /// # Panics
    /// If the line does not come, or `status` never says the same.
    #[track_caller]
    pub fn wait_stat(&self, line: &str) -> Status {
        wait_until(&format!("stat {line:?} of {}", self.name()), || (self.stat() == format!("{line}\n")).then_some(()));
        wait_until(&format!("status to say {line:?}"), || {
            let bytes = self.status_bytes()?;
            let status = Status::decode(&bytes).ok().filter(|status| agrees(status, line))?;
            // The 20 bytes do not tell exit from down; what our supervisors write behind them does.
            let wants_exit = Extension::decode(&bytes).is_none_or(|extension| extension.wanted == 'x');
            (wants_exit || !line.ends_with("want exit")).then_some(status)
        })
    }

    /// Waits until `./run` runs and gives back its pid; the three files agree by then.
    #[track_caller]
    pub fn wait_running(&self) -> u32 {
        self.wait_running_other_than(0)
    }

    /// Waits until `./run` runs with another pid.
    #[track_caller]
    pub fn wait_running_other_than(&self, old: u32) -> u32 {
        wait_until(&format!("{} running, not as {old}", self.name()), || {
            let status = Status::decode(&self.status_bytes()?).ok()?;
            let is_new = status.pid != 0 && status.pid != old && status.state == crate::State::Run;
            (is_new && self.pid_text()? == format!("{}\n", status.pid)).then_some(status.pid)
        })
    }

    /// The lines of a file in the service directory.
    pub fn lines(&self, name: &str) -> Vec<String> {
        crate::lines(&self.path.join(name))
    }

    /// Waits until a file has at least so many lines, and gives all back.
    #[track_caller]
    pub fn wait_lines(&self, name: &str, count: usize) -> Vec<String> {
        wait_until(&format!("{count} lines in {}/{name}", self.name()), || {
            let lines = self.lines(name);
            (lines.len() >= count).then_some(lines)
        })
    }

    /// Waits until a file has a line.
    #[track_caller]
    pub fn wait_line(&self, name: &str, line: &str) {
        wait_until(&format!("line {line:?} in {}/{name}", self.name()), || {
            self.lines(name).iter().any(|have| have == line).then_some(())
        });
    }
}

/// Whether a status record tells the same as a stat line.
fn agrees(status: &Status, line: &str) -> bool {
    let word = match status.state {
        crate::State::Down => "down",
        crate::State::Run => "run",
        crate::State::Finish => "finish",
    };
    let parts: Vec<&str> = line.split(", ").collect();
    let wants_down = parts.contains(&"want down") || parts.contains(&"want exit");
    parts[0] == word
        && status.is_paused == parts.contains(&"paused")
        && status.got_term == parts.contains(&"got TERM")
        && (word == "down" || (status.want == 'd') == wants_down)
        && (word == "down") == (status.pid == 0)
}
