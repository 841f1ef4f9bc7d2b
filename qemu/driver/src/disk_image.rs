//! Images of disks and file systems: made without root, mounts or loop devices, and looked at from outside.

use anyhow::{Context, Result, ensure};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Command, Output};

pub const MIB: u64 = 1024 * 1024;

/// Makes an ext4 file system of `size_mib` that holds what is below `root`, all of it owned by the one who makes it.
///
/// # Errors
/// mke2fs fails.
pub fn make_extended(image: &Path, root: &Path, size_mib: u64, arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("mke2fs");
    command.args(["-q", "-F", "-t", "ext4", "-E", "root_owner=0:0", "-d"]).arg(root).args(arguments);
    run_tool(command.arg(image).arg(format!("{size_mib}M")))
}

/// Makes a squashfs of what is below `root`.
///
/// # Errors
/// mksquashfs fails.
pub fn make_squashfs(image: &Path, root: &Path) -> Result<()> {
    run_tool(Command::new("mksquashfs").arg(root).arg(image).args(["-quiet", "-no-progress", "-all-root"]))
}

/// Makes swap space with a label, which may be empty.
///
/// # Errors
/// mkswap fails.
pub fn make_swap(image: &Path, size_mib: u64, label: &str) -> Result<()> {
    File::create(image)?.set_len(size_mib * MIB)?;
    run_tool(Command::new("mkswap").args(["-L", label]).arg(image))
}

/// Makes a disk with a partition table, as sfdisk reads it, and copies an image to each of the places, which are in
/// MiB.
///
/// # Errors
/// The table is refused, or an image cannot be copied.
pub fn make_disk(disk: &Path, size_mib: u64, table: &str, parts: &[(u64, &Path)]) -> Result<()> {
    let file = File::create(disk)?;
    file.set_len(size_mib * MIB)?;
    let script = disk.with_extension("table");
    fs::write(&script, table)?;
    run_tool(Command::new("sfdisk").arg("--quiet").arg(disk).stdin(File::open(script)?))?;
    for (place, part) in parts {
        write_sparsely(&file, &fs::read(part)?, place * MIB)?;
    }
    Ok(())
}

/// Copies a part of a disk to a file of its own; sizes and places are in MiB.
///
/// # Errors
/// It cannot be copied.
pub fn take_part(disk: &Path, place_mib: u64, size_mib: u64, image: &Path) -> Result<()> {
    let mut content = vec![0; usize::try_from(size_mib * MIB)?];
    File::open(disk)?.read_exact_at(&mut content, place_mib * MIB)?;
    let file = File::create(image)?;
    file.set_len(size_mib * MIB)?;
    write_sparsely(&file, &content, 0)
}

/// Leaves holes where a MiB holds nothing but zeros.
fn write_sparsely(file: &File, content: &[u8], place: u64) -> Result<()> {
    let hole = vec![0; MIB as usize];
    for (index, piece) in content.chunks(hole.len()).enumerate() {
        if *piece != hole[..piece.len()] {
            file.write_all_at(piece, place + index as u64 * MIB)?;
        }
    }
    Ok(())
}

/// Leaves the holes of an image.
///
/// # Errors
/// cp fails.
pub fn copy_sparsely(from: &Path, to: &Path) -> Result<()> {
    run_tool(Command::new("cp").arg("--sparse=always").arg(from).arg(to))
}

/// Changes a file system, which may be `PATH?offset=BYTES`, by requests of debugfs.
///
/// # Errors
/// debugfs fails; that it could not do what it was asked for is no failure for it, so that is looked for in what it
/// says.
pub fn change(image: &Path, requests: &[&str]) -> Result<()> {
    let script = tempfile::NamedTempFile::new()?;
    fs::write(&script, requests.join("\n"))?;
    let output = start_tool(Command::new("debugfs").args(["-w", "-f"]).arg(script.path()).arg(image))?;
    // Its first line is its version.
    let said = String::from_utf8_lossy(&output.stderr);
    let complaint = said.lines().nth(1);
    ensure!(output.status.success() && complaint.is_none(), "debugfs: {}: {requests:?}: {said}", output.status);
    Ok(())
}

/// Checks a file system, which may be `PATH?offset=BYTES`, and mends what it finds.
///
/// # Errors
/// Something is left.
pub fn repair(image: &Path, arguments: &[&str]) -> Result<()> {
    let output = start_tool(Command::new("e2fsck").arg("-fy").args(arguments).arg(image))?;
    let said = String::from_utf8_lossy(&output.stdout);
    // 1: errors were mended. To play the journal is no error.
    ensure!(matches!(output.status.code(), Some(0 | 1)), "e2fsck: {}: {said}", output.status);
    Ok(())
}

/// A file system that was unmounted, or made read-only, before the power went, and has no errors. `image` may be
/// `PATH?offset=BYTES`.
///
/// # Errors
/// It was not, or has some.
pub fn check_unmounted(image: &Path) -> Result<()> {
    run_tool(Command::new("e2fsck").arg("-fn").arg(image))?;
    ensure!(!needs_recovery(image)?, "{} was not unmounted", image.display());
    Ok(())
}

/// Whether the journal must be played: the mark of a power cut. The state of such a file system is "clean" all the
/// same.
///
/// # Errors
/// There is no file system.
pub fn needs_recovery(image: &Path) -> Result<bool> {
    Ok(superblock_of(image)?.contains("needs_recovery"))
}

/// What dumpe2fs tells of the superblock, `NAME: VALUE` in each line.
///
/// # Errors
/// There is no file system.
pub fn superblock_of(image: &Path) -> Result<String> {
    output_of(Command::new("dumpe2fs").arg("-h").arg(image))
}

/// # Errors
/// It cannot be started, or ends with something else than 0; the error tells what it said.
pub fn run_tool(command: &mut Command) -> Result<()> {
    output_of(command).map(drop)
}

/// Runs a tool; returns what it prints.
///
/// # Errors
/// It cannot be started, or ends with something else than 0; the error tells what it said.
pub fn output_of(command: &mut Command) -> Result<String> {
    let output = start_tool(command)?;
    let said = String::from_utf8_lossy(&output.stderr);
    let name = command.get_program().to_string_lossy();
    ensure!(output.status.success(), "{name}: {}: {}", output.status, said.trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a tool that may be where only root looks for it, to its end, whatever that is.
///
/// # Errors
/// It cannot be started.
pub fn start_tool(command: &mut Command) -> Result<Output> {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    command.env("PATH", path).output().with_context(|| format!("unable to start {}", command.get_program().display()))
}
