//! What a process is started under beside its words: what no shell and no tool of the host sets up without leaving
//! traces of its own.

use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};

use crate::account::Account;

/// The last steps before a program is executed.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    files: Vec<[CString; 2]>,
    limits: Vec<(libc::c_int, Option<u64>, Option<u64>)>,
    nice: libc::c_int,
    groups: Option<Vec<u32>>,
    account: Option<Account>,
    name: Option<CString>,
    environment: Option<Vec<CString>>,
    blocked: Vec<Signal>,
    ignored: Vec<Signal>,
    closed: Vec<libc::c_int>,
}

impl Conditions {
    /// Nothing but what every process of a test gets, and no descriptor but the first three.
    pub fn new() -> Conditions {
        Conditions::default()
    }

    /// For this process alone `file` is in the place of a file of the host. Needs the superuser.
    pub fn instead(mut self, place: &str, file: &Path) -> Conditions {
        self.files.push([file.as_os_str(), OsStr::new(place)].map(text));
        self
    }

    /// Sets the soft and the hard value of a limit, those that are given.
    pub fn limit(mut self, resource: u32, soft: Option<u64>, hard: Option<u64>) -> Conditions {
        self.limits.push((libc::c_int::try_from(resource).expect("a limit"), soft, hard));
        self
    }

    /// Adds to the nice value.
    pub fn nice(mut self, more: i32) -> Conditions {
        self.nice = more;
        self
    }

    /// Supplementary groups. Needs the superuser.
    pub fn groups(mut self, groups: &[u32]) -> Conditions {
        self.groups = Some(groups.to_vec());
        self
    }

    /// Starts it as a user who has no rights and no group but its own. Needs the superuser.
    pub fn user(mut self, account: Account) -> Conditions {
        self.account = Some(account);
        self.groups = Some(Vec::new());
        self
    }

    /// An environment with just these entries in this order, whatever they look like.
    pub fn environment(mut self, entries: &[&[u8]]) -> Conditions {
        self.environment = Some(entries.iter().map(|entry| CString::new(*entry).expect("no NUL")).collect());
        self
    }

    /// A signal is blocked.
    pub fn block(mut self, signal: Signal) -> Conditions {
        self.blocked.push(signal);
        self
    }

    /// A signal is ignored.
    pub fn ignore(mut self, signal: Signal) -> Conditions {
        self.ignored.push(signal);
        self
    }

    /// A descriptor is closed.
    pub fn close(mut self, descriptor: i32) -> Conditions {
        self.closed.push(descriptor);
        self
    }

    /// The name it is called by, in the place of its path.
    pub fn name(mut self, name: &str) -> Conditions {
        self.name = Some(CString::new(name).expect("no NUL"));
        self
    }

    /// Has a command of a scratch directory start under them. The command is what it is by now; it must have a path.
    pub fn prepare(self, command: &mut Command) {
        let program = text(command.get_program());
        assert!(program.as_bytes().contains(&b'/'), "no path: {program:?}");
        let name = self.name.clone().unwrap_or_else(|| program.clone());
        let words: Vec<CString> = std::iter::once(name).chain(command.get_args().map(text)).collect();
        let entry = |(name, value): (&OsStr, Option<&OsStr>)| {
            value.map(|value| text(&[name, OsStr::new("="), value].into_iter().collect::<OsString>()))
        };
        let environment = self.environment.clone();
        let environment = environment.unwrap_or_else(|| command.get_envs().filter_map(entry).collect());
        let addresses =
            |texts: &[CString]| -> Vec<usize> { texts.iter().map(|text| text.as_ptr() as usize).chain([0]).collect() };
        let (words_at, environment_at) = (addresses(&words), addresses(&environment));
        // SAFETY: the closure makes system calls only, on memory that it owns; it allocates nothing and takes no lock.
        unsafe {
            command.pre_exec(move || {
                // The addresses are those of these.
                let _owned = (&words, &environment);
                self.enter()?;
                crate::process::prepare(Signal::SIGKILL)?;
                self.set_signals()?;
                libc::execve(program.as_ptr(), words_at.as_ptr().cast(), environment_at.as_ptr().cast());
                Err(std::io::Error::last_os_error())
            });
        }
    }

    fn enter(&self) -> std::io::Result<()> {
        if !self.files.is_empty() {
            self.mount()?;
        }
        // Only marked: the one that tells of a failed execution must live until then.
        // SAFETY: the call changes descriptors of this process alone.
        unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) };
        // SAFETY: the call changes a number of this process.
        unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, libc::getpriority(libc::PRIO_PROCESS, 0) + self.nice) };
        for (resource, soft, hard) in &self.limits {
            set_limit(*resource, *soft, *hard)?;
        }
        if let Some(groups) = &self.groups {
            // By the call itself: the C library would have other threads do the same.
            // SAFETY: as many numbers are at the address.
            Errno::result(unsafe { libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) })?;
        }
        if let Some(account) = self.account {
            let id = account.id();
            // SAFETY: the call takes numbers.
            Errno::result(unsafe { libc::syscall(libc::SYS_setresgid, id, id, id) })?;
            // SAFETY: the call takes numbers.
            Errno::result(unsafe { libc::syscall(libc::SYS_setresuid, id, id, id) })?;
        }
        for descriptor in &self.closed {
            // SAFETY: nothing of this process uses it any more.
            unsafe { libc::close(*descriptor) };
        }
        Ok(())
    }

    fn mount(&self) -> std::io::Result<()> {
        // SAFETY: the call takes a number.
        Errno::result(unsafe { libc::unshare(libc::CLONE_NEWNS) })?;
        let mount = |what: *const libc::c_char, place: *const libc::c_char, flags| {
            // SAFETY: both are texts that live on, or null where the kernel takes none.
            Errno::result(unsafe { libc::mount(what, place, std::ptr::null(), flags, std::ptr::null()) })
        };
        mount(std::ptr::null(), c"/".as_ptr(), libc::MS_REC | libc::MS_PRIVATE)?;
        for [file, place] in &self.files {
            mount(file.as_ptr(), place.as_ptr(), libc::MS_BIND)?;
        }
        Ok(())
    }

    fn set_signals(&self) -> std::io::Result<()> {
        for signal in &self.ignored {
            // SAFETY: to ignore a signal runs no code of ours.
            unsafe { nix::sys::signal::signal(*signal, nix::sys::signal::SigHandler::SigIgn) }?;
        }
        let mut blocked = SigSet::empty();
        self.blocked.iter().for_each(|signal| blocked.add(*signal));
        Ok(sigprocmask(SigmaskHow::SIG_SETMASK, Some(&blocked), None)?)
    }
}

fn set_limit(resource: libc::c_int, soft: Option<u64>, hard: Option<u64>) -> std::io::Result<()> {
    let mut limit = libc::rlimit64 { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the call writes to a limit of this function.
    Errno::result(unsafe { libc::syscall(libc::SYS_prlimit64, 0, resource, 0, &raw mut limit) })?;
    limit.rlim_max = hard.unwrap_or(limit.rlim_max);
    limit.rlim_cur = soft.unwrap_or(limit.rlim_cur).min(limit.rlim_max);
    // SAFETY: the call reads a limit of this function.
    Errno::result(unsafe { libc::syscall(libc::SYS_prlimit64, 0, resource, &raw const limit, 0) })?;
    Ok(())
}

fn text(words: &OsStr) -> CString {
    CString::new(words.as_bytes()).expect("no NUL")
}
