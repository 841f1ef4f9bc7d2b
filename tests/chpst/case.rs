//! One `chpst` after the other in a directory with a program that waits to be looked at.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::Signal;
use support::{Account, Conditions, Executed, Output, Scratch, Supervisor};

/// Wrong usage.
pub const USAGE: i32 = 100;
/// Something failed.
pub const FAILED: i32 = 111;

/// A directory, and the conditions that `chpst` is started under in it.
pub struct Case {
    scratch: Scratch,
    conditions: Conditions,
    account: Option<Account>,
}

impl Case {
    /// As the user of the test.
    pub fn new() -> Case {
        Case::with(Scratch::new())
    }

    /// In this directory.
    pub fn with(scratch: Scratch) -> Case {
        scratch.probe("probe");
        Case { scratch, conditions: Conditions::new(), account: None }
    }

    /// As an ordinary user, whose is all that is there by then. As that of the test, if it is one.
    pub fn of_user(mut self) -> Case {
        if !support::is_root() {
            return self;
        }
        let account = Account::new();
        self.scratch.use_copied_programs();
        account.own(self.scratch.path());
        self.account = Some(account);
        self.under(|conditions| conditions.user(account))
    }

    /// Under further conditions.
    pub fn under(mut self, more: impl FnOnce(Conditions) -> Conditions) -> Case {
        self.conditions = more(self.conditions);
        self
    }

    /// With these files of users and groups. Needs namespaces.
    pub fn with_accounts(self, passwords: impl AsRef<[u8]>, groups: impl AsRef<[u8]>) -> Case {
        let passwords = self.file("etc/passwd", passwords);
        let groups = self.file("etc/group", groups);
        // For the C library of the original, if it knows other sources.
        let sources = self.file("etc/nsswitch.conf", "passwd: files\ngroup: files\n");
        let all = [("/etc/passwd", passwords), ("/etc/group", groups), ("/etc/nsswitch.conf", sources)];
        let there = all.into_iter().filter(|(place, _)| Path::new(place).exists());
        self.under(|conditions| there.fold(conditions, |conditions, (place, file)| conditions.instead(place, &file)))
    }

    /// The directory.
    pub fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Makes a file, with its directories.
    pub fn file(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.scratch.file(name, "");
        std::fs::write(&path, contents).expect("a file");
        self.own(&path);
        path
    }

    /// Makes a directory.
    pub fn directory(&self, name: &str) -> PathBuf {
        let path = self.scratch.directory(name);
        self.own(&path);
        path
    }

    fn own(&self, path: &Path) {
        if let Some(account) = self.account {
            for path in path.ancestors().take_while(|path| path.starts_with(self.scratch.path())) {
                std::os::unix::fs::chown(path, Some(account.id()), Some(account.id())).expect("an owner");
            }
        }
    }

    /// Sets a mode.
    pub fn mode(&self, name: &str, mode: u32) {
        std::fs::set_permissions(self.path(name), std::fs::Permissions::from_mode(mode)).expect("a mode");
    }

    /// One more name for the program that waits.
    pub fn probe(&self, name: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        std::fs::hard_link(self.path("probe"), path).expect("a link");
    }

    /// Starts a program, or `chpst` under one of its names, under the conditions.
    #[track_caller]
    pub fn start(&self, program: &str, words: &[impl AsRef<std::ffi::OsStr>]) -> Supervisor {
        let mut command = self.scratch.command(program);
        if !program.contains('/') && !self.scratch.programs().join(program).exists() {
            command = self.scratch.command("chpst");
            self.conditions.clone().name(program).prepare(command.args(words));
            return self.scratch.start(command, Signal::SIGKILL);
        }
        command.args(words);
        self.start_command(command)
    }

    /// Starts a command under the conditions.
    #[track_caller]
    pub fn start_command(&self, mut command: Command) -> Supervisor {
        self.conditions.clone().prepare(&mut command);
        self.scratch.start(command, Signal::SIGKILL)
    }

    /// Runs `chpst` to its end, which comes without anything having been executed, and leaves no file.
    #[track_caller]
    pub fn run(&self, words: &[&str]) -> Output {
        self.run_as("chpst", words)
    }

    /// The same under another name.
    #[track_caller]
    pub fn run_as(&self, name: &str, words: &[&str]) -> Output {
        let before = self.files();
        let mut process = self.start(name, words);
        let executed = Executed::wait(&mut process, &self.path("probe"));
        assert!(executed.is_none(), "executed by {name} {words:?}");
        let output = process.output();
        assert_eq!(self.files(), before, "left behind by {name} {words:?}");
        output
    }

    /// Wants one message of `chpst` and an exit code, nothing executed and no file left.
    #[track_caller]
    pub fn refuses(&self, words: &[&str], message: &str) {
        let expected = Output::exit(FAILED, "", &format!("chpst: fatal: {message}\n"));
        assert_eq!(self.run(words), expected, "{words:?}");
    }

    /// Runs `chpst`, which must execute the program that waits, and have nothing to say. It is looked at, and killed.
    #[track_caller]
    pub fn executes<T>(&self, words: &[&str], look: impl FnOnce(Executed) -> T) -> T {
        self.executes_as("chpst", words, look)
    }

    /// The same under another name.
    #[track_caller]
    pub fn executes_as<T>(&self, name: &str, words: &[&str], look: impl FnOnce(Executed) -> T) -> T {
        let mut process = self.start(name, words);
        let Some(executed) = Executed::wait(&mut process, &self.path("probe")) else {
            panic!("not executed by {name} {words:?}: {:?}", process.output());
        };
        let seen = look(executed);
        process.signal(Signal::SIGKILL);
        process.wait();
        assert_eq!((process.stdout(), process.stderr()), (String::new(), String::new()), "{words:?}");
        seen
    }

    /// All files and directories by name.
    fn files(&self) -> Vec<PathBuf> {
        let mut all = Vec::new();
        let mut directories = vec![self.scratch.path().to_owned()];
        while let Some(directory) = directories.pop() {
            // What nobody may list nobody has left something in.
            for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() && !path.is_symlink() && entry.file_name() != ".captured" {
                    directories.push(path.clone());
                }
                if entry.file_name() != ".captured" {
                    all.push(path);
                }
            }
        }
        all.sort();
        all
    }
}
