//! Images of disks and file systems: made without root, mounts or loop devices, and looked at from outside.

use anyhow::{Context, Result, ensure};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

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

/// Makes a disk with a partition table, as sfdisk reads it, and copies an image to each of the places, which are in MiB.
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

/// Leaves holes where a MiB holds nothing but zeros.
fn write_sparsely(file: &File, content: &[u8], place: u64) -> Result<()> {
    for (index, piece) in content.chunks(MIB as usize).enumerate() {
        if piece.iter().any(|&byte| byte != 0) {
            file.write_all_at(piece, place + index as u64 * MIB)?;
        }
    }
    Ok(())
}

/// A file system that was unmounted, or made read-only, before the power went, and has no errors. `image` may be `PATH?offset=BYTES`.
///
/// # Errors
/// It was not, or has some.
pub fn check_unmounted(image: &Path) -> Result<()> {
    run_tool(Command::new("e2fsck").arg("-fn").arg(image))?;
    ensure!(!needs_recovery(image)?, "{} was not unmounted", image.display());
    Ok(())
}

/// Whether the journal must be played: the mark of a power cut. The state of such a file system is "clean" all the same.
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

/// Runs a tool that may be where only root looks for it; returns what it prints.
///
/// # Errors
/// It cannot be started, or ends with something else than 0; the error tells what it said.
pub fn output_of(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let output = command.env("PATH", path).output().with_context(|| format!("unable to start {name}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{name}: {}: {}", output.status, said.trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
