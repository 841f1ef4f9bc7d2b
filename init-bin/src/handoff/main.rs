//! `handoff`: the init of an initramfs, which finds the root and hands over to its init (handoff(8)).
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

mod devices;
mod emergency;
mod farewell;
mod files;
mod kept;
mod modules;
mod paths;
mod root;
mod tell;

use core::ffi::CStr;

use supervision::handoff::command_line::CommandLine;
use supervision::handoff::device::Device;
use supervision::handoff::fstab::Entry;
use supervision::handoff::superblock::Kind;
use supervision::limits::{
    COMMAND_LINE_BYTES, LOOK_INTERVAL, ROOT_LIMIT, ROOT_TOLD_AFTER, ROOT_TOLD_AGAIN, UEVENT_BYTES,
};
use supervision::process::errno::Errno;
use supervision::text::Path;
use supervision::time::{Duration, Instant, earlier};
use sys::entry::Arguments;
use sys::file::{self, CURRENT};
use sys::{Descriptor, clock, machine, mount, poll, process, report, standard, uevent};

use crate::devices::{Found, Judge};
use crate::root::Failed;

sys::entry!(start);

/// A failed system call, or not pid 1.
const EXIT_FAILED: i32 = 111;

fn start(arguments: Arguments) -> i32 {
    #[cfg(feature = "planted-panic")]
    assert!(arguments.len() < 100);
    if process::own_pid() != 1 {
        report::line(standard::error(), b"handoff: fatal: must be run as process no 1.", &[]);
        return EXIT_FAILED;
    }
    // It removes what lies below the root directory: that must be an image that was made for it.
    if !file::is_in_memory(c"/") || !file::exists(CURRENT, c"/etc/handoff").unwrap_or(false) {
        report::line(standard::error(), b"handoff: fatal: not in an initramfs of its own.", &[]);
        return EXIT_FAILED;
    }
    if arguments.get(0).is_some_and(|name| name.to_bytes().ends_with(b"shutdown")) {
        return farewell::end(arguments.get(1).map_or(b"", CStr::to_bytes));
    }
    mount_kernel_file_systems();
    let mut line = [0; COMMAND_LINE_BYTES];
    let line = paths::read(b"/proc/cmdline", b"", &mut line);
    let said = CommandLine::new(line);
    tell::step(said, b"begins", &[]);
    modules::load_all(said);
    tell::step(said, b"all modules are loaded", &[]);
    let news = uevent::open().ok();
    let handing_over = Handoff { said, news: news.as_ref(), arguments };
    poll::pause_until(clock::monotonic().plus(said.delay()));
    // Once, and before anything is mounted: what sleeps there knows the file systems as they were.
    handing_over.resume();
    if said.wants_shell() {
        emergency::run_shell(arguments.environment());
    }
    loop {
        // What was told before needs no second look: all devices are looked at.
        handing_over.next_news(Some(Instant::ORIGIN), &mut |_| false);
        let Err(Failed) = handing_over.go();
        devices::tell_all();
        handing_over.wait_for_help();
    }
}

/// Nobody comes back from another program.
enum Never {}

struct Handoff<'a> {
    said: CommandLine<'a>,
    news: Option<&'a Descriptor>,
    arguments: Arguments,
}

impl Handoff<'_> {
    #[inline(never)]
    fn go(&self) -> Result<Never, Failed> {
        let said = self.said;
        if said.root().is_empty() {
            return Err(fail(b"no root= on the kernel's command line", &[]));
        }
        let mut found = Found::default();
        if !self.wait_for(said.root(), said.limit(), &mut found) {
            return Err(fail(b"%: no such device", &[said.root()]));
        }
        root::mount_root(said, &found)?;
        root::visit_usr(&mut |entry| self.mount_usr(entry));
        let mut path = Path::new();
        let Some(init) = root::find_init(&mut path, said.init()) else {
            root::take_away(said);
            return Err(fail(b"no init on %", &[said.root()]));
        };
        tell::step(said, b"executing % of the root", &[init.to_bytes()]);
        if let Err(reason) = root::step_over(kept::keep()) {
            root::step_back();
            root::take_away(said);
            return Err(fail(b"unable to make % the root: %", &[said.root(), reason.few_text()]));
        }
        // There is no way back from here.
        loop {
            // init gets the words that the kernel gave to this program.
            let reason = self.arguments.hand_over(init);
            fail(b"unable to execute %: %", &[init.to_bytes(), reason.few_text()]);
            self.wait_for_help();
        }
    }

    /// Wakes a hibernated system up, if there is one; then nothing comes after this.
    #[inline(never)]
    fn resume(&self) {
        let name = self.said.resume();
        let mut found = Found::default();
        if name.is_empty() {
        } else if !self.wait_for(name, self.said.limit().or(Some(ROOT_LIMIT)), &mut found) {
            tell::warn(b"%: no such device, nothing is resumed", &[name]);
        } else if found.kind != Some(Kind::Swap) {
            tell::step(self.said, b"resuming from %", &[name]);
            let _ = paths::write(c"/sys/power/resume", found.number.as_bytes());
        }
    }

    #[inline(never)]
    fn mount_usr(&self, entry: &Entry<'_>) {
        let mut found = Found::default();
        if self.wait_for(entry.source, self.said.limit().or(Some(ROOT_LIMIT)), &mut found) {
            let _ = root::mount_device(self.said, &found, c"/root/usr", entry, &mut root::first_options(self.said));
        } else {
            tell::warn(b"unable to mount /usr: %: no such device", &[entry.source]);
        }
    }

    /// Waits for the device that `name` names; whether it is there within `limit`.
    #[inline(never)]
    fn wait_for(&self, name: &[u8], limit: Option<Duration>, found: &mut Found) -> bool {
        let Some(wanted) = Device::parse(name) else { return false };
        let begin = clock::monotonic();
        let limit = limit.map(|limit| begin.plus(limit));
        let mut told_at = begin.plus(ROOT_TOLD_AFTER);
        // News only say that it is worth while to look for it: of what is found the right one must be taken, and a partition may have
        // come with its disk.
        while !devices::search(name, &wanted, found) {
            let now = clock::monotonic();
            if limit.is_some_and(|limit| now >= limit) {
                return false;
            }
            if now >= told_at {
                tell::tell(b"", b"waiting for %", &[name]);
                told_at = now.plus(ROOT_TOLD_AGAIN);
            }
            let until = earlier(limit, Some(told_at));
            // What could not be read when it was told of is looked at again now and then.
            while !self.next_news(until, &mut |node| devices::is_wanted(node, &wanted, &mut None))
                && until.is_some_and(|until| clock::monotonic() < until)
            {}
        }
        tell::step(self.said, b"% is %", &[name, found.name.as_bytes()]);
        true
    }

    /// Waits for news until `deadline`, and asks `judge` of the devices that they are of; whether it had enough. All that are there
    /// are read.
    #[inline(never)]
    fn next_news(&self, deadline: Option<Instant>, judge: Judge<'_>) -> bool {
        let Some(news) = self.news else {
            // Without news all is looked at now and then.
            poll::pause_until(clock::monotonic().plus(LOOK_INTERVAL));
            return devices::visit(judge);
        };
        if !poll::wait_for(news.as_fd(), deadline) {
            return false;
        }
        let mut message = [0; UEVENT_BYTES];
        let mut is_enough = false;
        loop {
            match file::read(news.as_fd(), &mut message) {
                Ok(message) => is_enough = is_enough || devices::judge_news(message, judge),
                Err(Errno::AGAIN) => return is_enough,
                // Some were lost.
                Err(_) => return is_enough || devices::visit(judge),
            }
        }
    }

    /// Runs a shell, if there is one. Without, starts the machine again if that is asked for; else a device that appears is the help.
    #[inline(never)]
    fn wait_for_help(&self) {
        if emergency::run_shell(self.arguments.environment()) {
            return;
        }
        if let Some(limit) = self.said.panic() {
            poll::pause_until(clock::monotonic().plus(limit));
            machine::sync();
            let _ = machine::restart();
        }
        while !self.next_news(None, &mut |_| true) {}
    }
}

#[inline(never)]
fn fail(template: &[u8], values: &[&[u8]]) -> Failed {
    tell::fatal(template, values);
    Failed
}

// Bits of mount(2).
const NO_SUID: u32 = 2;
const NO_DEVICES: u32 = 4;
const NO_EXECUTION: u32 = 8;

/// Where they belong, what they are, their flags, what they are told.
static KERNEL_FILE_SYSTEMS: [(&CStr, &CStr, u32, &CStr); 4] = [
    (c"/dev", c"devtmpfs", NO_SUID, c"mode=0755"),
    (c"/proc", c"proc", NO_SUID | NO_DEVICES | NO_EXECUTION, c""),
    (c"/sys", c"sysfs", NO_SUID | NO_DEVICES | NO_EXECUTION, c""),
    (c"/run", c"tmpfs", NO_SUID | NO_DEVICES, c"mode=0755"),
];

#[inline(never)]
fn mount_kernel_file_systems() {
    for (path, kind, flags, data) in &KERNEL_FILE_SYSTEMS {
        let _ = file::make_directory(CURRENT, path, 0o755);
        match mount::mount(kind, path, kind, *flags, data) {
            // The kernel mounted it itself.
            Ok(()) | Err(Errno::BUSY) => {}
            Err(reason) => tell::warn(b"unable to mount %: %", &[path.to_bytes(), reason.few_text()]),
        }
    }
    let _ = file::make_directory(CURRENT, root::ROOT, 0o755);
}
