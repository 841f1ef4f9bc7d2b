//! Files, fifos and locks, always below a directory that is held open.
//!
//! Every descriptor made here is closed when another program is executed, and opening never waits.
//!
//! # Safety
//! The file relies on `openat` and `readlinkat` reading a path up to its NUL, on the latter writing no more than it is told,
//! on `pipe2` writing two numbers, and on `F_NOTIFY` taking a number.
#![allow(unsafe_code)]

use core::ffi::CStr;
use core::mem::ManuallyDrop;

use linux_raw_sys::general::{
    __NR_fcntl, __NR_openat, __NR_pipe2, __NR_readlinkat, DN_ATTRIB, DN_DELETE, DN_MULTISHOT, DN_RENAME, F_NOTIFY,
    F_SETSIG, O_APPEND, O_CLOEXEC, O_CREAT, O_DIRECTORY, O_EXCL, O_LARGEFILE, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_PATH,
    O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY,
};
use rustix::fd::BorrowedFd;
use rustix::fs::{Access, AtFlags, FileType, FlockOperation, Mode, OFlags, RenameFlags, SeekFrom, Stat};
use rustix::io::{FdFlags, IoSlice};

use supervision::limits::LINE_PARTS;
use supervision::process::errno::Errno;
use supervision::process::signal::Signal;

use crate::call::call;
use crate::descriptor::number;
use crate::{Descriptor, Result, errno, process};

/// The current directory, where a directory is asked for.
pub const CURRENT: BorrowedFd<'static> = rustix::fs::CWD;

/// What a path leads to, as far as anybody here asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Metadata {
    /// The file system's number.
    pub device: u64,
    /// The file's number in it.
    pub inode: u64,
    /// How many names it has; none: it was removed.
    pub links: u64,
    /// Whose it is.
    pub user: u32,
    /// Bytes in it.
    pub size: u64,
    /// Permission bits.
    pub mode: u32,
    /// What it is.
    pub kind: Kind,
    /// When it was last changed: seconds and nanoseconds.
    pub modified: (i64, u64),
}

/// What a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A pipe, with or without a name.
    Fifo,
    /// A character device, a terminal for one.
    CharacterDevice,
    /// A block device.
    BlockDevice,
    /// Anything else.
    Other,
}

impl Metadata {
    #[inline(never)]
    fn new(stat: Stat) -> Self {
        let mode = stat.st_mode.into();
        Self {
            device: stat.st_dev.into(),
            inode: stat.st_ino.into(),
            links: stat.st_nlink.into(),
            user: stat.st_uid,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            mode,
            kind: match FileType::from_raw_mode(mode) {
                FileType::Directory => Kind::Directory,
                FileType::Fifo => Kind::Fifo,
                FileType::CharacterDevice => Kind::CharacterDevice,
                FileType::BlockDevice => Kind::BlockDevice,
                _ => Kind::Other,
            },
            modified: (stat.st_mtime.into(), stat.st_mtime_nsec.into()),
        }
    }

    /// Whether both are one and the same file.
    pub fn is_same(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }

    /// Whether its owner may execute it: the mode alone, wherever it is mounted.
    pub fn is_owner_executable(&self) -> bool {
        self.mode & Mode::XUSR.bits() != 0
    }
}

/// Opens `path` below `directory` for reading; never waits for the other end of a fifo.
///
/// # Errors
/// The kernel's.
pub fn open_read(directory: BorrowedFd<'_>, path: &CStr) -> Result<Descriptor> {
    open(directory, path, O_RDONLY, 0)
}

/// Opens `path` below `directory` for writing; for a fifo this fails with `ENXIO` where nobody reads.
///
/// # Errors
/// The kernel's.
pub fn open_write(directory: BorrowedFd<'_>, path: &CStr) -> Result<Descriptor> {
    open(directory, path, O_WRONLY, 0)
}

/// Opens a fifo for reading. A link is not followed.
///
/// # Errors
/// `ELOOP` if it is a link, `ENODEV` if it is something else; else the kernel's.
pub fn open_fifo(directory: BorrowedFd<'_>, path: &CStr) -> Result<Descriptor> {
    open(directory, path, O_RDONLY | O_NOFOLLOW, 0).and_then(only_fifo)
}

/// Opens a fifo for writing; this fails with `ENXIO` where nobody reads. A link is followed.
///
/// # Errors
/// `ENODEV` if it is something else; else the kernel's.
pub fn open_fifo_to_write(directory: BorrowedFd<'_>, path: &CStr) -> Result<Descriptor> {
    open(directory, path, O_WRONLY, 0).and_then(only_fifo)
}

fn only_fifo(opened: Descriptor) -> Result<Descriptor> {
    match metadata_of(opened.as_fd())?.kind {
        Kind::Fifo => Ok(opened),
        _ => Err(Errno::NODEV),
    }
}

/// Opens a file for reading that nobody but the caller and root can have written. A link is not followed.
///
/// # Errors
/// `ELOOP` if it is a link, `ENODEV` if it is no file, `EPERM` if others may have written it; else the kernel's.
pub fn open_trusted(directory: BorrowedFd<'_>, path: &CStr) -> Result<Descriptor> {
    let (opened, metadata) = open(directory, path, O_RDONLY | O_NOFOLLOW, 0).and_then(only_plain)?;
    only_trusted(opened, &metadata)
}

/// As [`open_own_directory`], if nobody but the caller and root can have put something in it.
///
/// # Errors
/// `EPERM` if others may have; else as there.
pub fn open_trusted_directory(directory: BorrowedFd<'_>, path: &CStr) -> Result<Descriptor> {
    let opened = open_own_directory(directory, path)?;
    let metadata = metadata_of(opened.as_fd())?;
    only_trusted(opened, &metadata)
}

#[inline(never)]
fn only_trusted(opened: Descriptor, metadata: &Metadata) -> Result<Descriptor> {
    const OTHERS_WRITE: u32 = 0o022;
    let is_ours = metadata.user == 0 || metadata.user == process::effective_user();
    if is_ours && metadata.mode & OTHERS_WRITE == 0 { Ok(opened) } else { Err(Errno::PERM) }
}

/// Makes a file for writing, with mode 0644 less the umask, in the place of what has its name.
///
/// # Errors
/// The kernel's.
pub fn create_anew(directory: BorrowedFd<'_>, path: &CStr) -> Result<Descriptor> {
    create_in_place(directory, path, 0o644)
}

/// As [`create_anew`], with mode 0400: for its owner alone to read, later.
///
/// # Errors
/// The kernel's.
pub fn create_secret(directory: BorrowedFd<'_>, path: &CStr) -> Result<Descriptor> {
    create_in_place(directory, path, 0o400)
}

#[inline(never)]
fn create_in_place(directory: BorrowedFd<'_>, path: &CStr, mode: u32) -> Result<Descriptor> {
    let create = || open(directory, path, O_WRONLY | O_CREAT | O_EXCL, mode);
    match create() {
        // Left behind, or laid there by somebody.
        Err(Errno::EXIST) => remove(directory, path).and_then(|()| create()),
        created => created,
    }
}

/// Makes a file for writing, with mode 0644 less the umask, unless something has its name.
///
/// # Errors
/// `EEXIST` if something has; else the kernel's.
pub fn create_new(directory: BorrowedFd<'_>, path: &CStr) -> Result<Descriptor> {
    open(directory, path, O_WRONLY | O_CREAT | O_EXCL, 0o644)
}

/// Removes a file.
///
/// # Errors
/// The kernel's.
pub fn remove(directory: BorrowedFd<'_>, path: &CStr) -> Result<()> {
    rustix::fs::unlinkat(directory, path, AtFlags::empty()).map_err(errno)
}

/// Opens a file that is there for writing over it. A link is not followed.
///
/// # Errors
/// `ELOOP` if it is a link; else the kernel's.
pub fn open_to_overwrite(directory: BorrowedFd<'_>, path: &CStr) -> Result<Descriptor> {
    open(directory, path, O_WRONLY | O_NOFOLLOW, 0)
}

/// Opens a directory, to work below it.
///
/// # Errors
/// The kernel's.
pub fn open_directory(directory: BorrowedFd<'_>, path: &CStr) -> Result<Descriptor> {
    open(directory, path, O_RDONLY | O_DIRECTORY, 0)
}

/// As [`open_directory`], but a link is not followed.
///
/// # Errors
/// `ENOTDIR`, `ELOOP`: it is something else; else the kernel's.
pub fn open_own_directory(directory: BorrowedFd<'_>, path: &CStr) -> Result<Descriptor> {
    open(directory, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0)
}

/// Removes an empty directory.
///
/// # Errors
/// The kernel's.
pub fn remove_directory(directory: BorrowedFd<'_>, path: &CStr) -> Result<()> {
    rustix::fs::unlinkat(directory, path, AtFlags::REMOVEDIR).map_err(errno)
}

/// Opens a directory only to work below it: nothing need be allowed on the directory itself.
///
/// # Errors
/// The kernel's.
pub fn open_path(directory: BorrowedFd<'_>, path: &CStr) -> Result<Descriptor> {
    open(directory, path, O_PATH | O_DIRECTORY, 0)
}

/// Opens a file or a device for reading and writing.
pub(crate) fn open_both_ways(path: &CStr) -> Result<Descriptor> {
    open(CURRENT, path, O_RDWR, 0)
}

/// Opens `/dev/null`, or without one a descriptor that can be neither read nor written, to stay open across exec.
pub(crate) fn open_nothing() -> Result<Descriptor> {
    let opened = open_both_ways(c"/dev/null").or_else(|_| open_path(CURRENT, c"/"))?;
    rustix::io::fcntl_setfd(opened.as_fd(), FdFlags::empty()).map_err(errno)?;
    Ok(opened)
}

fn open(directory: BorrowedFd<'_>, path: &CStr, flags: u32, mode: u32) -> Result<Descriptor> {
    let flags = flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | O_LARGEFILE;
    let arguments = [number(directory), path.as_ptr().expose_provenance(), flags as usize, mode as usize];
    // SAFETY: the path ends in NUL, and the mode is passed for every set of flags.
    Descriptor::from_call(unsafe { call(__NR_openat, arguments) })
}

/// Opens a file for writing, empty; makes it with mode 0644 less the umask if it is not there. Where the path is a link, what it
/// leads to is made.
///
/// # Errors
/// `ENODEV` if it is a fifo or a device; else the kernel's.
pub fn create_followed(directory: BorrowedFd<'_>, path: &CStr) -> Result<Descriptor> {
    let opened = open(directory, path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)?;
    only_plain(opened).map(|(opened, _)| opened)
}

/// Opens a file to lock it; makes it with mode 0600 less the umask if it is not there. It is not open for writing, so that its
/// file system can become read-only meanwhile. A link is not followed.
///
/// # Errors
/// `ELOOP` if it is a link; else the kernel's.
pub fn open_lock(directory: BorrowedFd<'_>, path: &CStr) -> Result<Descriptor> {
    open(directory, path, O_RDONLY | O_CREAT | O_NOFOLLOW, 0o600)
}

/// As [`open_lock`], for a lock that another program is to hold: open for writing at the end, and a link is followed.
///
/// # Errors
/// The kernel's.
pub fn open_lock_followed(path: &CStr) -> Result<Descriptor> {
    open(CURRENT, path, O_WRONLY | O_APPEND | O_CREAT, 0o600)
}

/// Leaves a descriptor open, also when another program is executed.
///
/// # Errors
/// The kernel's.
pub fn hand_over(opened: Descriptor) -> Result<()> {
    let opened = ManuallyDrop::new(opened);
    rustix::io::fcntl_setfd(opened.as_fd(), FdFlags::empty()).map_err(errno)
}

/// Opens a file to lock it, read it and write it. A link is not followed.
///
/// # Errors
/// `ELOOP` if it is a link; else the kernel's.
pub fn open_to_update(directory: BorrowedFd<'_>, path: &CStr) -> Result<Descriptor> {
    open(directory, path, O_RDWR | O_NOFOLLOW, 0)
}

/// The same; makes it with mode 0600 less the umask if it is not there.
///
/// # Errors
/// `ELOOP` if it is a link; else the kernel's.
pub fn create_to_update(directory: BorrowedFd<'_>, path: &CStr) -> Result<Descriptor> {
    open(directory, path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600)
}

/// Opens a file that is written to at its end, and tells what it is; makes it with mode 0600 less the umask if it is not there. A link is not
/// followed.
///
/// # Errors
/// `ELOOP` if it is a link, `ENODEV` if it is a fifo or a device; else the kernel's.
pub fn open_to_append(directory: BorrowedFd<'_>, path: &CStr) -> Result<(Descriptor, Metadata)> {
    open(directory, path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600).and_then(only_plain)
}

/// What becomes of a file that is not there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Missing {
    /// It is made, with mode 0600 less the umask.
    Made,
    /// It is an error.
    Refused,
}

/// Opens a file of records that are added to its end. A link is followed.
///
/// # Errors
/// `ENODEV` if it is a fifo or a device; else the kernel's.
pub fn open_to_add(path: &CStr, missing: Missing) -> Result<Descriptor> {
    let create = if missing == Missing::Made { O_CREAT } else { 0 };
    let opened = open(CURRENT, path, O_WRONLY | O_APPEND | create, 0o600)?;
    only_plain(opened).map(|(opened, _)| opened)
}

/// Opens a file of records that are read, and changed in their places. A link is followed.
///
/// # Errors
/// `ENODEV` if it is a fifo or a device; else the kernel's.
pub fn open_to_change(path: &CStr) -> Result<Descriptor> {
    only_plain(open_both_ways(path)?).map(|(opened, _)| opened)
}

fn only_plain(opened: Descriptor) -> Result<(Descriptor, Metadata)> {
    let metadata = metadata_of(opened.as_fd())?;
    match metadata.kind {
        Kind::Other => Ok((opened, metadata)),
        _ => Err(Errno::NODEV),
    }
}

/// Lets reads and writes wait, as programs expect of what they are given.
///
/// # Errors
/// The kernel's.
pub fn make_blocking(file: BorrowedFd<'_>) -> Result<()> {
    // Of what this call can change, opening set only that it does not wait.
    rustix::fs::fcntl_setfl(file, OFlags::empty()).map_err(errno)
}

/// Cuts a file that is open for writing, or fills it up, to `size` bytes.
///
/// # Errors
/// The kernel's.
pub fn set_size(file: BorrowedFd<'_>, size: u64) -> Result<()> {
    rustix::fs::ftruncate(file, size).map_err(errno)
}

/// Takes the exclusive lock of an open file, held until every copy of the descriptor is closed.
///
/// # Errors
/// `EAGAIN` if somebody else has it; else the kernel's.
pub fn lock(file: BorrowedFd<'_>) -> Result<()> {
    rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive).map_err(errno)
}

/// As [`lock`], but waits for it, for as long as it takes.
///
/// # Errors
/// The kernel's.
pub fn wait_for_lock(file: BorrowedFd<'_>) -> Result<()> {
    rustix::io::retry_on_intr(|| rustix::fs::flock(file, FlockOperation::LockExclusive)).map_err(errno)
}

/// Gives the lock of an open file back, whoever else has a copy of the descriptor.
pub fn unlock(file: BorrowedFd<'_>) {
    let _ = rustix::fs::flock(file, FlockOperation::Unlock);
}

/// Makes a directory; `mode` less the umask.
///
/// # Errors
/// The kernel's.
pub fn make_directory(directory: BorrowedFd<'_>, path: &CStr, mode: u32) -> Result<()> {
    rustix::fs::mkdirat(directory, path, Mode::from_raw_mode(mode)).map_err(errno)
}

/// Makes a fifo; `mode` less the umask.
///
/// # Errors
/// The kernel's.
pub fn make_fifo(directory: BorrowedFd<'_>, path: &CStr, mode: u32) -> Result<()> {
    rustix::fs::mknodat(directory, path, FileType::Fifo, Mode::from_raw_mode(mode), 0).map_err(errno)
}

/// Renames a file within `directory`, replacing what had the new name.
///
/// # Errors
/// The kernel's.
pub fn rename(directory: BorrowedFd<'_>, from: &CStr, to: &CStr) -> Result<()> {
    rustix::fs::renameat(directory, from, directory, to).map_err(errno)
}

/// Renames a file within `directory`, to a name that nothing has.
///
/// # Errors
/// `EEXIST` if something has it; else the kernel's.
pub fn rename_to_new(directory: BorrowedFd<'_>, from: &CStr, to: &CStr) -> Result<()> {
    match rustix::fs::renameat_with(directory, from, directory, to, RenameFlags::NOREPLACE).map_err(errno) {
        // Before Linux 3.15, and on some file systems.
        Err(Errno::NOSYS | Errno::INVAL) => match exists(directory, to)? {
            true => Err(Errno::EXIST),
            false => rename(directory, from, to),
        },
        renamed => renamed,
    }
}

/// Makes a link with this text.
///
/// # Errors
/// `EEXIST` if something has its name; else the kernel's.
pub fn make_link(text: &CStr, directory: BorrowedFd<'_>, path: &CStr) -> Result<()> {
    rustix::fs::symlinkat(text, directory, path).map_err(errno)
}

/// Sets a file's mode.
///
/// # Errors
/// The kernel's.
pub fn set_mode(directory: BorrowedFd<'_>, path: &CStr, mode: u32) -> Result<()> {
    rustix::fs::chmodat(directory, path, Mode::from_raw_mode(mode), AtFlags::empty()).map_err(errno)
}

/// Sets an open file's mode.
///
/// # Errors
/// The kernel's.
pub fn set_mode_of(file: BorrowedFd<'_>, mode: u32) -> Result<()> {
    rustix::fs::fchmod(file, Mode::from_raw_mode(mode)).map_err(errno)
}

/// Writes a file, or a directory, to the disk. May take long.
///
/// # Errors
/// The kernel's.
pub fn sync(file: BorrowedFd<'_>) -> Result<()> {
    rustix::fs::fsync(file).map_err(errno)
}

/// Sets an open file's mode to what it is: nothing changes, and those who watch it are told.
///
/// # Errors
/// The kernel's.
pub fn touch_mode(file: BorrowedFd<'_>) -> Result<()> {
    set_mode_of(file, metadata_of(file)?.mode)
}

/// What `path` leads to, links followed.
///
/// # Errors
/// The kernel's.
pub fn metadata(directory: BorrowedFd<'_>, path: &CStr) -> Result<Metadata> {
    rustix::fs::statat(directory, path, AtFlags::empty()).map(Metadata::new).map_err(errno)
}

/// What an open file is.
///
/// # Errors
/// The kernel's.
pub fn metadata_of(file: BorrowedFd<'_>) -> Result<Metadata> {
    rustix::fs::fstat(file).map(Metadata::new).map_err(errno)
}

/// Whether `path` is there and may be read.
pub fn is_readable(directory: BorrowedFd<'_>, path: &CStr) -> bool {
    rustix::fs::accessat(directory, path, Access::READ_OK, AtFlags::empty()).is_ok()
}

/// Whether `path` leads to something that may be executed, and is no directory.
pub fn may_execute(directory: BorrowedFd<'_>, path: &CStr) -> bool {
    rustix::fs::accessat(directory, path, Access::EXEC_OK, AtFlags::empty()).is_ok()
        && metadata(directory, path).is_ok_and(|metadata| metadata.kind == Kind::Other)
}

/// Whether `path` leads to something.
///
/// # Errors
/// The kernel's, but not that it is not there.
pub fn exists(directory: BorrowedFd<'_>, path: &CStr) -> Result<bool> {
    match rustix::fs::accessat(directory, path, Access::EXISTS, AtFlags::empty()) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::NOENT) => Ok(false),
        Err(error) => Err(errno(error)),
    }
}

/// Whether `path` lies on a file system that is mounted read-only.
pub fn is_read_only(directory: BorrowedFd<'_>, path: &CStr) -> bool {
    rustix::fs::accessat(directory, path, Access::WRITE_OK, AtFlags::empty()) == Err(rustix::io::Errno::ROFS)
}

/// Whether `path` lies on a file system that is nowhere but in memory, as that of an initramfs.
pub fn is_in_memory(path: &CStr) -> bool {
    const TMPFS: u32 = 0x0102_1994;
    const RAMFS: u32 = 0x8584_58f6;
    // The kernel's type has 32 bits, whatever it is held in.
    rustix::fs::statfs(path).is_ok_and(|found| matches!(found.f_type as u32, TMPFS | RAMFS))
}

/// Which changes of a directory are told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    /// None any more.
    Nothing,
    /// That a file has other attributes.
    Attributes,
    /// That an entry was removed, or replaced.
    Removals,
    /// That, and that an entry was renamed.
    RemovalsAndRenames,
    /// That an entry was renamed, or has other attributes.
    Files,
}

/// Sends `signal` to the caller after each such change, as long as `directory` is open (fcntl(2), `F_NOTIFY`). A signal of the
/// kernel's upper half comes with the directory's descriptor: see [`crate::signal::Signals::take`].
///
/// Unlike a [`crate::watch::Watch`] it takes nothing of which a user has only so many, and ending it takes no time.
///
/// # Errors
/// `EINVAL` if the kernel is built without it.
pub fn tell_changes(directory: BorrowedFd<'_>, told: Told, signal: Signal) -> Result<()> {
    let changes = match told {
        Told::Nothing => 0,
        Told::Attributes => DN_ATTRIB | DN_MULTISHOT,
        Told::Removals => DN_DELETE | DN_MULTISHOT,
        Told::RemovalsAndRenames => DN_DELETE | DN_RENAME | DN_MULTISHOT,
        Told::Files => DN_RENAME | DN_ATTRIB | DN_MULTISHOT,
    };
    let directory = number(directory);
    if signal != Signal::IO {
        // SAFETY: takes numbers alone.
        unsafe { call(__NR_fcntl, [directory, F_SETSIG as usize, signal.number().into(), 0]) }?;
    }
    // SAFETY: takes numbers alone.
    unsafe { call(__NR_fcntl, [directory, F_NOTIFY as usize, changes as usize, 0]) }.map(drop)
}

/// The text of a link, as far as `buffer` holds it.
///
/// # Errors
/// `EINVAL` if it is no link; else the kernel's.
pub fn read_link<'buffer>(directory: BorrowedFd<'_>, path: &CStr, buffer: &'buffer mut [u8]) -> Result<&'buffer [u8]> {
    let (start, size) = (buffer.as_mut_ptr().expose_provenance(), buffer.len());
    // SAFETY: the path ends in NUL, and the kernel writes at most as many bytes as the buffer has.
    let count = unsafe { call(__NR_readlinkat, [number(directory), path.as_ptr().expose_provenance(), start, size]) }?;
    Ok(buffer.get(..count).unwrap_or(&[]))
}

/// Reads what is there, up to the size of `buffer`: 0 bytes at the end of a file.
///
/// # Errors
/// `EAGAIN` if there is nothing yet; else the kernel's.
pub fn read<'buffer>(file: BorrowedFd<'_>, buffer: &'buffer mut [u8]) -> Result<&'buffer [u8]> {
    let count = rustix::io::retry_on_intr(|| rustix::io::read(file, &mut *buffer)).map_err(errno)?;
    Ok(buffer.get(..count).unwrap_or(&[]))
}

/// Goes to a place in a file, from its beginning on.
///
/// # Errors
/// The kernel's.
pub fn seek(file: BorrowedFd<'_>, place: u64) -> Result<()> {
    rustix::fs::seek(file, SeekFrom::Start(place)).map(drop).map_err(errno)
}

/// Writes in one call; how many bytes were taken.
///
/// # Errors
/// The kernel's.
pub fn write(file: BorrowedFd<'_>, bytes: &[u8]) -> Result<usize> {
    rustix::io::retry_on_intr(|| rustix::io::write(file, bytes)).map_err(errno)
}

/// Writes these parts in one call, as far as there are not more than a line of a log has; how many bytes were taken.
///
/// # Errors
/// The kernel's.
pub fn write_parts(file: BorrowedFd<'_>, parts: &[&[u8]]) -> Result<usize> {
    if let [part] = parts {
        return write(file, part);
    }
    let mut slices = [IoSlice::new(b""); LINE_PARTS];
    for (slice, part) in slices.iter_mut().zip(parts) {
        *slice = IoSlice::new(part);
    }
    let slices = slices.get(..parts.len()).unwrap_or(&[]);
    rustix::io::retry_on_intr(|| rustix::io::writev(file, slices)).map_err(errno)
}

/// Whether the ends of a pipe wait for each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Waiting {
    /// As every program expects of its standard descriptors.
    Always,
    /// Never.
    Never,
}

/// A pipe: its reading and its writing end.
///
/// # Errors
/// The kernel's: no descriptor is left.
pub fn pipe(waiting: Waiting) -> Result<(Descriptor, Descriptor)> {
    let flags = match waiting {
        Waiting::Always => O_CLOEXEC,
        Waiting::Never => O_CLOEXEC | O_NONBLOCK,
    };
    let mut ends: [i32; 2] = [-1; 2];
    // SAFETY: there is room for the two numbers that it writes.
    unsafe { call(__NR_pipe2, [ends.as_mut_ptr().expose_provenance(), flags as usize, 0, 0]) }?;
    let [reader, writer] = ends;
    Ok((Descriptor::from_number(reader), Descriptor::from_number(writer)))
}
