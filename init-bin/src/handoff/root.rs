//! The new root: what is mounted in it, the init in it, and the step over to it.

use core::ffi::CStr;

use supervision::handoff::command_line::CommandLine;
use supervision::handoff::fstab::Entry;
use supervision::handoff::mount_options::{MountOptions, READ_ONLY};
use supervision::handoff::superblock::Kind;
use supervision::process::errno::Errno;
use supervision::process::outcome::Outcome;
use supervision::text::{Path, Text};
use sys::file::{self, CURRENT};
use sys::mount::{self, Unmount};
use sys::process::{self, enter_path};
use sys::rights;

use crate::devices::Found;
use crate::{files, paths, tell};

/// Where it is mounted until then.
pub const ROOT: &CStr = c"/root";

/// The kernel's file systems, which go with it.
const MOVED: [&CStr; 4] = [c"/dev", c"/proc", c"/sys", c"/run"];

/// Looked for in this order where nobody names an init.
const INITS: [&CStr; 4] = [c"/sbin/init", c"/etc/init", c"/bin/init", c"/bin/sh"];

/// The root of which what is seen is a view; and what is written to that.
const UNDER: &CStr = c"/run/handoff/root";
const OVER: &CStr = c"/run/handoff/overlay";

/// It was told why.
pub struct Failed;

/// Mounts the root.
///
/// # Errors
/// It is told.
#[inline(never)]
pub fn mount_root(said: CommandLine<'_>, found: &Found) -> Result<(), Failed> {
    let mut options = first_options(said);
    let entry = Entry { source: said.root(), place: b"", kind: said.types(), options: said.options() };
    if !said.is_overlaid() {
        return mount_device(said, found, ROOT, &entry, &mut options);
    }
    for directory in [c"/run/handoff", UNDER, OVER] {
        let _ = file::make_directory(CURRENT, directory, 0o755);
    }
    options.flags = READ_ONLY;
    mount_device(said, found, UNDER, &entry, &mut options)?;
    lay_over().map_err(|reason| {
        take_away(said);
        tell::fatal(b"unable to lay an overlay on %: %", &[said.root(), reason.few_text()]);
        Failed
    })
}

/// Options before those of a file system itself: it is read-only where the root is, whatever they say. Stage 1 makes both
/// writable when they are checked.
pub fn first_options(said: CommandLine<'_>) -> MountOptions {
    MountOptions::new(if said.is_writable() { 0 } else { READ_ONLY })
}

#[inline(never)]
fn lay_over() -> sys::Result<()> {
    mount::mount(c"tmpfs", OVER, c"tmpfs", 0, c"mode=0755")?;
    file::make_directory(CURRENT, c"/run/handoff/overlay/upper", 0o755)?;
    file::make_directory(CURRENT, c"/run/handoff/overlay/work", 0o755)?;
    let data = c"lowerdir=/run/handoff/root,upperdir=/run/handoff/overlay/upper,workdir=/run/handoff/overlay/work";
    mount::mount(c"overlay", ROOT, c"overlay", 0, data)
}

/// Takes the root away again, and what belongs to it.
#[inline(never)]
pub fn take_away(said: CommandLine<'_>) {
    let paths: &[&CStr] = if said.is_overlaid() { &[ROOT, OVER, UNDER] } else { &[ROOT] };
    for path in paths {
        let _ = mount::unmount(path, Unmount::Detached);
    }
}

/// Mounts a device as one of the kinds that are named, or as what is on it.
#[inline(never)]
pub fn mount_device(
    said: CommandLine<'_>,
    found: &Found,
    target: &CStr,
    entry: &Entry<'_>,
    options: &mut MountOptions,
) -> Result<(), Failed> {
    let mut known = Text::<32>::new();
    let mut kinds = entry.kind;
    if matches!(kinds, b"" | b"auto") {
        if let Some(kind) = found.kind.filter(|kind| kind.is_file_system()) {
            known.push(kind.name());
            // The driver of ext4 knows the older ones too, and may be the only one.
            if matches!(kind, Kind::Ext2 | Kind::Ext3) {
                known.push(b",ext4");
            }
        }
        kinds = known.as_bytes();
    }
    let kept = options.flags;
    let mut outcome = options.add(entry.options).map_err(|_| Errno::TOOBIG);
    options.flags |= kept;
    if outcome.is_ok() {
        if kinds.is_empty() {
            tell::fatal(b"%: no file system is known on it", &[entry.source]);
            return Err(Failed);
        }
        for kind in kinds.split(|byte| *byte == b',') {
            outcome = mount_as(found, target, kind, options);
            if outcome.is_ok() {
                tell::step(said, b"% is mounted as %", &[entry.source, kind]);
                break;
            }
        }
    }
    outcome.map_err(|reason| {
        tell::fatal(b"unable to mount %: %", &[entry.source, reason.few_text()]);
        Failed
    })
}

#[inline(never)]
fn mount_as(found: &Found, target: &CStr, kind: &[u8], options: &mut MountOptions) -> sys::Result<()> {
    let (mut source, mut named, mut data) = (Path::new(), Path::new(), options.data.clone());
    let source = paths::fill(&mut source, b"/dev/", found.name.as_bytes());
    let kind = paths::fill(&mut named, b"", kind);
    let data = data.terminated().ok_or(Errno::TOOBIG)?;
    match mount::mount(source, target, kind, options.flags, data) {
        // The device itself can only be read, as the kernel would have it.
        Err(Errno::ACCES | Errno::ROFS) => mount::mount(source, target, kind, options.flags | READ_ONLY, data),
        outcome => outcome,
    }
}

/// Calls `visit` with the line of `/usr`, if the root's `/etc/fstab` has one.
#[inline(never)]
pub fn visit_usr(visit: &mut dyn FnMut(&Entry<'_>)) {
    paths::visit_lines(c"/root/etc/fstab", &mut |line, is_whole| {
        let Some(entry) = Entry::parse(line).filter(|entry| is_whole && entry.place == b"/usr") else { return };
        if !entry.options.split(|byte| *byte == b',').any(|option| option == b"noauto") {
            visit(&entry);
        }
    });
}

/// The init in the root: the one that is named, or the first of those that are usual.
#[inline(never)]
pub fn find_init<'path>(path: &'path mut Path, named: &[u8]) -> Option<&'path CStr> {
    if named.is_empty() {
        INITS.into_iter().find(|init| can_be_executed(init))
    } else {
        Some(paths::fill(path, b"", named)).filter(|init| can_be_executed(init))
    }
}

/// A child looks, in the root as it will be: a link there may lead anywhere.
#[inline(never)]
fn can_be_executed(path: &CStr) -> bool {
    let look = || {
        let entered = enter_path(ROOT).and_then(|()| rights::change_root(c"."));
        i32::from(entered.is_err() || !file::may_execute(CURRENT, path))
    };
    process::spawn(look).ok().and_then(process::wait_for) == Some(Outcome::Exited(0))
}

/// Moves the kernel's file systems from below one directory to below another.
#[inline(never)]
pub fn shift_all(from: &[u8], to: &[u8]) {
    for name in &MOVED {
        let (mut source, mut target) = (Path::new(), Path::new());
        let source = paths::fill(&mut source, from, name.to_bytes());
        let target = paths::fill(&mut target, to, name.to_bytes());
        let _ = file::make_directory(CURRENT, target, 0o755);
        if let Err(reason) = mount::shift(source, target) {
            tell::warn(b"unable to move %: %", &[source.to_bytes(), reason.few_text()]);
            let _ = mount::unmount(source, Unmount::Detached);
        }
    }
}

/// Moves the kernel's file systems, makes the new root the root, and frees the initramfs unless it is kept.
///
/// # Errors
/// The kernel's; nothing is removed.
#[inline(never)]
pub fn step_over(is_kept: bool) -> sys::Result<()> {
    shift_all(b"", ROOT.to_bytes());
    let old = file::open_directory(CURRENT, c"/")?;
    enter_path(ROOT)?;
    mount::shift(c".", c"/")?;
    rights::change_root(c".")?;
    enter_path(c"/")?;
    if !is_kept {
        files::remove_all(&old);
    }
    Ok(())
}

/// Takes the first step back.
pub fn step_back() {
    let _ = enter_path(c"/");
    shift_all(ROOT.to_bytes(), b"");
}
