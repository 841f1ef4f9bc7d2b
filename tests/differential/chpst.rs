//! What chpst.md says, part by part. Each scenario runs `chpst` a few times, mostly on a program that waits to be looked
//! at, and records what it said, or all that this program finds.
//!
//! A scenario is played as the superuser, as an ordinary user, or as both; and with a password and a group file of its
//! own, since those of the host are not the same everywhere. What cannot be done here is left out.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use nix::libc;
use nix::sys::signal::Signal;
use support::{Account, Conditions, Executed, Parts, wait_until};

use crate::cast::Roles;
use crate::play::Play;
use crate::scenario::{Scenario, scenario};
use crate::words::describe;

/// The scenarios of all parts.
pub fn scenarios() -> Vec<Scenario> {
    let parts = [
        crate::chpst_program::scenarios(),
        crate::chpst_users::scenarios(),
        crate::chpst_environment::scenarios(),
        crate::chpst_limits::scenarios(),
        crate::chpst_state::scenarios(),
        crate::chpst_names::scenarios(),
    ];
    parts.into_iter().flatten().collect()
}

/// A password file.
pub const PASSWORDS: &str = "\
root:x:0:0:root:/root:/bin/sh
alice:x:1001:1001:Alice:/home/alice:/bin/sh
bob:x:1002:100::/home/bob:
twice:x:2001:2001::/:/bin/sh
twice:x:2002:2002::/:/bin/sh
a.long-name_with$:x:2003:2003::/:/bin/sh
1001:x:2004:2004:a name of digits:/:/bin/sh
last:x:2005:2005::/:/bin/sh
";

/// A group file.
pub const GROUPS: &str = "\
root:x:0:
alice:x:1001:
users:x:100:alice,bob
staff:x:50:alice
audio:x:29:bob
twice:x:2001:
twice:x:2002:
100:x:2004:
last:x:2005:alice
";

/// A word of so many bytes is shown short.
const LONG: usize = 100;

/// Usage texts, behind the name, and how they are shown. The option that runit 2.1.2 has not is left out before:
/// `tests/chpst.rs` has the exact text.
const USAGES: [(&str, &str); 2] = [
    (
        "[-vVP012] [-u user[:group]] [-U user[:group]] [-b argv0] [-e dir] [-/ root] [-n nice] [-l|-L lock] [-m n] [-d n] \
         [-o n] [-p n] [-f n] [-c n] [-t n] prog",
        "(as of chpst)",
    ),
    (
        "[-a allbytes] [-c corebytes] [-d databytes] [-f filebytes] [-l lockbytes] [-m membytes] [-o openfiles] \
         [-p processes] [-r residentbytes] [-s stackbytes] [-t cpusecs] child",
        "(as of softlimit)",
    ),
];

/// A scenario that is played as the superuser.
pub fn as_root(name: &str, play: impl Fn(&mut Stage) + Send + Sync + 'static) -> Scenario {
    scenario(&format!("chpst: {name}"), Roles::Command, move |whole| {
        if support::is_root() {
            play(&mut Stage::new(whole, None));
        }
    })
}

/// A scenario that is played as an ordinary user.
pub fn as_user(name: &str, play: impl Fn(&mut Stage) + Send + Sync + 'static) -> Scenario {
    scenario(&format!("chpst: {name}, as a user"), Roles::Command, move |whole| {
        let account = support::is_root().then(Account::new);
        play(&mut Stage::new(whole, account));
    })
}

/// The same for both.
pub fn as_both(name: &str, play: impl Fn(&mut Stage) + Send + Sync + Clone + 'static) -> Vec<Scenario> {
    vec![as_root(name, play.clone()), as_user(name, play)]
}

/// A play, and the conditions that `chpst` runs under in it.
pub struct Stage<'a> {
    play: &'a mut Play,
    account: Option<Account>,
    conditions: Conditions,
    usual: HashMap<String, Parts>,
}

impl Stage<'_> {
    fn new(play: &mut Play, account: Option<Account>) -> Stage<'_> {
        play.scratch().probe("probe");
        let mark = play.scratch().mark();
        let mut conditions = Conditions::new().environment(&[b"PATH=/usr/bin:/bin", mark.as_bytes()]);
        if let Some(account) = account {
            play.use_copied_programs();
            conditions = conditions.user(account);
        }
        Stage { play, account, conditions, usual: HashMap::new() }
    }

    /// Makes a file, with its directories.
    pub fn file(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.play.scratch().file(name, "");
        std::fs::write(&path, contents).expect("a file");
        path
    }

    /// Makes a directory.
    pub fn directory(&self, name: &str) -> PathBuf {
        self.play.scratch().directory(name)
    }

    /// A path in the directory of the play.
    pub fn path(&self, name: &str) -> PathBuf {
        self.play.scratch().path().join(name)
    }

    /// Makes a symbolic link.
    pub fn link(&self, target: &str, name: &str) {
        std::os::unix::fs::symlink(target, self.path(name)).expect("a link");
    }

    /// Sets a mode. What nobody may do the superuser still may.
    pub fn mode(&self, name: &str, mode: u32) {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(self.path(name), mode).expect("a mode");
    }

    /// Makes an executable script.
    pub fn script(&self, name: &str, contents: &str) {
        let _made = support::Service::create(self.play.scratch().path()).executable(name, contents);
    }

    /// One more name for the program that waits.
    pub fn probe(&self, name: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        std::fs::hard_link(self.path("probe"), path).expect("a link");
    }

    /// Further conditions for all that is run from now on.
    pub fn under(&mut self, more: impl FnOnce(Conditions) -> Conditions) {
        self.conditions = more(std::mem::take(&mut self.conditions));
    }

    /// From now on these are the password and the group file. False if that cannot be had.
    #[must_use]
    pub fn with_accounts(&mut self, passwords: &str, groups: &str) -> bool {
        static MAY: OnceLock<bool> = OnceLock::new();
        if !*MAY.get_or_init(|| support::is_root() && support::may_make_namespaces()) {
            return false;
        }
        for (place, contents) in [
            ("/etc/passwd", passwords),
            ("/etc/group", groups),
            ("/etc/nsswitch.conf", "passwd: files\ngroup: files\n"),
        ] {
            // The C library of Debian's does without the last.
            if std::path::Path::new(place).exists() {
                let file = self.file(place.trim_start_matches('/'), contents);
                self.under(|conditions| conditions.instead(place, &file));
            }
        }
        true
    }

    /// Runs `chpst` with these words under further conditions, and records what comes of it.
    pub fn run_under(&mut self, name: &str, words: &[&str], more: impl FnOnce(Conditions) -> Conditions) {
        let command = self.play.scratch().command("chpst");
        self.run_command(&format!("{name} {}", label(words)), command, words, more);
    }

    /// Runs `chpst` with these words, and records what comes of it.
    pub fn run(&mut self, words: &[&str]) {
        self.run_under("chpst", words, |conditions| conditions);
    }

    /// Runs `chpst` under another name.
    pub fn named(&mut self, name: &str, words: &[&str]) {
        let link = self.directory("names").join(name);
        if !link.exists() {
            std::os::unix::fs::symlink(self.play.scratch().programs().join("chpst"), &link).expect("a link");
        }
        let command = self.play.scratch().command(link.to_str().expect("text"));
        self.run_command(&format!("{name} {}", label(words)), command, words, |conditions| conditions);
    }

    fn run_command(
        &mut self,
        label_of_run: &str,
        mut command: Command,
        words: &[&str],
        more: impl FnOnce(Conditions) -> Conditions,
    ) {
        if let Some(account) = self.account {
            account.own(self.play.scratch().path());
        }
        command.args(words);
        let conditions = more(self.conditions.clone());
        conditions.clone().prepare(&mut command);
        let probe = self.path("probe");
        let mut process = self.play.scratch().start(command, Signal::SIGKILL);
        let pid = process.pid();
        let outcome = wait_until("an outcome of chpst", || {
            if let Some(executed) = Executed::is(pid, &probe) {
                return Some(Some(Ok(executed)));
            }
            if process.try_wait().is_some() {
                return Some(None);
            }
            (support::system_call(pid) == Some(libc::SYS_flock)).then_some(Some(Err("waits for a lock")))
        });
        let found = match outcome {
            None => None,
            Some(Err(waits)) => Some(waits.to_owned()),
            Some(Ok(executed)) => {
                let parts = executed.parts();
                let usual = self.usual(conditions);
                Some(format!("executed with {}", label(&executed.words())) + &changes(&usual, &parts))
            }
        };
        process.signal(Signal::SIGKILL);
        let said = describe(&process.output());
        // Instead of the signal that has ended it.
        let said = found.map_or(said.clone(), |found| said.replace("signal 9", &found));
        let long = words.iter().filter(|word| word.len() > LONG);
        self.saw(label_of_run, &long.fold(said, |said, word| said.replace(word, &label(&[word]))));
    }

    /// What the program finds without `chpst`.
    fn usual(&mut self, conditions: Conditions) -> Parts {
        let key = format!("{conditions:?}");
        if let Some(usual) = self.usual.get(&key) {
            return usual.clone();
        }
        let probe = self.path("probe");
        let mut command = self.play.scratch().command(probe.to_str().expect("text"));
        conditions.prepare(&mut command);
        let mut process = self.play.scratch().start(command, Signal::SIGKILL);
        let usual = Executed::wait(&mut process, &probe).expect("a program that waits").parts();
        self.usual.insert(key, usual.clone());
        usual
    }

    /// Records a text; the user, who is another one each time, is USER.
    pub fn saw(&mut self, label: &str, text: &str) {
        let mark = format!("\n  {}", self.play.scratch().mark());
        let text = text.replace(&mark, "").replace("[-C pwd] ", "");
        let text = USAGES.iter().fold(text, |text, (usage, short)| text.replace(usage, short));
        let id = self.account.map_or_else(|| nix::unistd::geteuid().as_raw(), Account::id);
        let text = if id == 0 { text } else { text.replace(&id.to_string(), "USER") };
        self.play.saw_exactly(label, &text);
    }

    /// Records a file's type, mode and length.
    pub fn look_at(&mut self, name: &str) {
        use std::os::unix::fs::MetadataExt;
        let text = std::fs::symlink_metadata(self.path(name)).map_or_else(
            |error| error.kind().to_string(),
            |metadata| format!("mode {:o}, {} bytes", metadata.mode(), metadata.len()),
        );
        self.saw(&format!("file {name}"), &text);
    }
}

/// What is not as without `chpst`, in lines.
fn changes(usual: &Parts, parts: &Parts) -> String {
    let mut text = String::new();
    for ((name, usual), (_, part)) in usual.iter().zip(parts) {
        match *name {
            // All of it where the order matters.
            "environment" | "descriptors" if part != usual => {
                text.push_str(&format!("\n{name}"));
                part.iter().for_each(|line| text.push_str(&format!("\n  {line}")));
            }
            "environment" | "descriptors" => {}
            _ => {
                let new = part.iter().filter(|line| !usual.contains(line));
                new.for_each(|line| text.push_str(&format!("\n{line}")));
            }
        }
    }
    text
}

/// The words, long ones short.
fn label(words: &[impl AsRef<str>]) -> String {
    let short = |word: &str| match word.len() {
        0 => "''".to_owned(),
        1..=LONG => word.to_owned(),
        length => format!("{}... ({length} bytes)", word.chars().take(20).collect::<String>()),
    };
    words.iter().map(|word| short(word.as_ref())).collect::<Vec<_>>().join(" ")
}
