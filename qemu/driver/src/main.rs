//! Builds the image of a guest, boots it for a person, or boots it unattended and checks what it does.
//!
//! `qemu/qemu-run.sh` calls this after it has brought the kernel and built the programs.

#![forbid(unsafe_code)]

mod console;
mod cuts;
mod disk;
mod disk_image;
mod distribution;
mod guest;
mod handoff;
mod image;
mod machine;
mod network;
mod newc;
mod qmp;
mod scenario;
mod stages;
mod status_line;
mod times;
mod write_log;

use anyhow::{Context, Result};
use clap::{Arg, ArgMatches, Command, value_parser};
use std::path::PathBuf;
use std::process::ExitCode;

const EXIT_FAILURE: u8 = 1;
const EXIT_USAGE: u8 = 100;
/// A panic ends the boot at once, and kernel messages below errors do not come between answers.
const SMOKE_WORDS: &str = "panic=-1 loglevel=4 ";

fn main() -> ExitCode {
    let matches = match command_line().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => {
            // Nothing is left to tell where this cannot be printed.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(EXIT_USAGE) } else { ExitCode::SUCCESS };
        }
    };
    match run(&matches) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(EXIT_FAILURE),
        Err(error) => {
            eprintln!("qemu-driver: fatal: {error:#}");
            ExitCode::from(EXIT_FAILURE)
        }
    }
}

fn command_line() -> Command {
    let path = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).help(help).value_parser(value_parser!(PathBuf))
    };
    let board =
        Arg::new("board").required(true).value_parser(machine::BOARDS.map(|board| board.name)).help("The machine");
    let sources = |command: Command| {
        command
            .arg(
                path("layer", "Directory of files, laid over those before it; PATH or PATH:PLACE")
                    .action(clap::ArgAction::Append)
                    .required(true),
            )
            .arg(path("busybox", "Static busybox").required(true))
    };
    let machine = |command: Command| {
        command
            .arg(board.clone())
            .arg(path("kernel", "Kernel image").required(true))
            .arg(Arg::new("accel").long("accel").help("kvm or tcg; default: what this host can do"))
            .arg(Arg::new("append").long("append").default_value("").help("More words for the kernel"))
    };
    let booting = |command| machine(command).arg(path("image", "Initramfs image").required(true));
    let finding = |command: Command| {
        machine(sources(command))
            .arg(path("handoff", "The init of the initramfs").required(true))
            .arg(path("modules", "Directory of kernel modules; their order is in PATH.list").required(true))
            .arg(path("artefacts", "Directory for logs").required(true))
    };
    Command::new("qemu-driver")
        .about("Builds the initramfs image, boots it in QEMU and drives its serial console")
        .subcommand_required(true)
        .subcommand(
            sources(Command::new("image"))
                .about("Write an initramfs image")
                .arg(path("modules", "Directory of kernel modules").requires("release"))
                .arg(Arg::new("release").long("release").help("Kernel release of the modules"))
                .arg(path("output", "Image to write").required(true)),
        )
        .subcommand(booting(Command::new("boot").about("Boot for a person: Ctrl-A X leaves")))
        .subcommand(
            booting(Command::new("smoke").about("Boot unattended and check"))
                .arg(path("artefacts", "Directory for logs").required(true)),
        )
        .subcommand(
            finding(Command::new("handoff")).about("Boot small roots on disks by handoff, unattended, and check"),
        )
        .subcommand(
            finding(Command::new("disk"))
                .about("Boot an installation from a disk, unattended, and check")
                .arg(
                    Arg::new("seed")
                        .long("seed")
                        .value_parser(value_parser!(u64))
                        .help("Which moments are chosen; default: others each time"),
                )
                .arg(Arg::new("only").long("only").help("The one check that is wanted, without the disk- in front")),
        )
        .subcommand(
            machine(
                Command::new("distribution").about("Boot a whole distribution from its disk, unattended, and check"),
            )
            .arg(path("disk", "Directory of disk.img and of root's key").required(true))
            .arg(path("artefacts", "Directory for logs").required(true)),
        )
}

fn run(matches: &ArgMatches) -> Result<bool> {
    match matches.subcommand() {
        Some(("image", matches)) => write_image(matches).map(|()| true),
        Some(("handoff", matches)) => {
            with_parts(matches, |boot, parts| handoff::run(boot, parts, &make_artefacts(matches)?))
        }
        Some(("disk", matches)) => {
            let seed = matches.get_one::<u64>("seed").copied().map_or_else(choose_seed, Ok)?;
            let choice = disk::Choice { seed, only: matches.get_one::<String>("only").cloned() };
            with_parts(matches, |boot, parts| disk::run(boot, parts, &choice, &make_artefacts(matches)?))
        }
        Some(("boot", matches)) => with_boot(matches, "", |boot| boot.become_machine().map(|()| true)),
        Some(("smoke", matches)) => {
            with_boot(matches, SMOKE_WORDS, |boot| scenario::run(boot, &make_artefacts(matches)?))
        }
        Some(("distribution", matches)) => {
            let disk = required_path(matches, "disk")?;
            with_boot(matches, SMOKE_WORDS, |boot| distribution::run(boot, &disk, &make_artefacts(matches)?))
        }
        _ => unreachable!("clap demands one of the above"),
    }
}

fn write_image(matches: &ArgMatches) -> Result<()> {
    let modules = match (matches.get_one::<PathBuf>("modules"), matches.get_one::<String>("release")) {
        (Some(directory), Some(release)) => Some((directory.clone(), release.clone())),
        _ => None,
    };
    let sources = read_sources(matches, modules)?;
    let output = required_path(matches, "output")?;
    let archive = image::build_tree(&sources)?.to_newc();
    std::fs::write(&output, archive).with_context(|| format!("unable to write {}", output.display()))
}

fn read_sources(matches: &ArgMatches, modules: Option<(PathBuf, String)>) -> Result<image::Sources> {
    let layers = matches.get_many::<PathBuf>("layer").unwrap_or_default().map(|layer| split_layer(layer)).collect();
    Ok(image::Sources { layers, busybox: required_path(matches, "busybox")?, modules })
}

fn with_parts(matches: &ArgMatches, act: impl FnOnce(&machine::Boot, &image::Parts) -> Result<bool>) -> Result<bool> {
    let parts = read_parts(matches)?;
    with_boot(matches, SMOKE_WORDS, |boot| act(boot, &parts))
}

/// Another one each time.
fn choose_seed() -> Result<u64> {
    Ok(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs())
}

fn read_parts(matches: &ArgMatches) -> Result<image::Parts> {
    Ok(image::Parts {
        handoff: required_path(matches, "handoff")?,
        modules: required_path(matches, "modules")?,
        root: read_sources(matches, None)?,
    })
}

fn make_artefacts(matches: &ArgMatches) -> Result<PathBuf> {
    let artefacts = required_path(matches, "artefacts")?;
    std::fs::create_dir_all(&artefacts).with_context(|| format!("unable to create {}", artefacts.display()))?;
    Ok(artefacts)
}

/// `PATH:PLACE` puts a directory somewhere else than at the root.
fn split_layer(layer: &std::path::Path) -> (PathBuf, String) {
    match layer.to_str().and_then(|text| text.rsplit_once(':')) {
        Some((path, place)) => (PathBuf::from(path), place.to_owned()),
        None => (layer.to_owned(), String::new()),
    }
}

fn with_boot(matches: &ArgMatches, words: &str, act: impl FnOnce(&machine::Boot) -> Result<bool>) -> Result<bool> {
    let name = matches.get_one::<String>("board").context("no machine")?;
    let board = machine::BOARDS.iter().find(|board| board.name == name).context("no such machine")?;
    let append = matches.get_one::<String>("append").context("no words")?;
    act(&machine::Boot {
        board,
        kernel: &required_path(matches, "kernel")?,
        // Where there is one for all boots.
        image: matches.try_get_one::<PathBuf>("image").ok().flatten().map(PathBuf::as_path),
        accelerator: matches.get_one::<String>("accel").map(String::as_str),
        words: &format!("{words}{append}"),
        arguments: &[],
    })
}

fn required_path(matches: &ArgMatches, name: &str) -> Result<PathBuf> {
    matches.get_one::<PathBuf>(name).cloned().with_context(|| format!("--{name} is missing"))
}
