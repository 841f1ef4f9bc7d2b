//! The programs that are built here, of C: two must be smaller than any that is there, the others
//! quite ordinary.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// For the service and for what executes another program: no library, no pages that are written to, nothing to prepare.
const SMALLEST: [&str; 10] = [
    "-s",
    "-static",
    "-nostdlib",
    "-ffreestanding",
    "-fno-stack-protector",
    "-fno-asynchronous-unwind-tables",
    "-fno-pie",
    "-no-pie",
    "-Wl,--build-id=none",
    "-Wl,-z,noseparate-code",
];

/// Where they are.
pub struct Programs {
    /// What every service runs.
    pub stub: PathBuf,
    /// Forks and executes, and no more.
    pub launcher: PathBuf,
    /// Copies line by line, and no more.
    pub copier: PathBuf,
    /// Executes another program, and no more.
    pub passer: PathBuf,
}

impl Programs {
    /// Compiles them into `scratch`.
    pub fn build(scratch: &Path) -> Result<Self> {
        Ok(Self {
            stub: compile(scratch, "stub", include_str!("stub.c"), &SMALLEST)?,
            launcher: compile(scratch, "launcher", include_str!("launcher.c"), &[])?,
            copier: compile(scratch, "copier", include_str!("copier.c"), &[])?,
            passer: compile(scratch, "passer", include_str!("passer.c"), &SMALLEST)?,
        })
    }
}

fn compile(scratch: &Path, name: &str, text: &str, options: &[&str]) -> Result<PathBuf> {
    let program = scratch.join(name);
    let source = program.with_extension("c");
    fs::write(&source, text).with_context(|| format!("unable to write the source of {name}"))?;
    let mut compiler = Command::new("cc");
    compiler.arg("-O2").args(options).arg("-o").args([&program, &source]);
    let ending = crate::children::start(compiler.stdin(Stdio::null()))?.wait().context("unable to wait for cc")?;
    ensure!(ending.success(), "unable to compile {name}: cc: {ending}");
    Ok(program)
}
