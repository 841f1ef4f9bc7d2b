//! The boots with an initramfs: handoff finds the root in all the ways there are, and what it does where there is none.
//!
//! Each check is a machine of its own. The root of most of them is small: busybox, and an init that tells what it was given and ends the
//! machine. The last one is the whole installation on a loop device, which must be unmounted for good at the end.

use crate::console::{Console, Seen};
use crate::disk_image::{self, check_unmounted, output_of, run_tool};
use crate::image::{self, Parts};
use crate::machine::{Boot, Machine};
use crate::newc::{Entry, Tree};
use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// From power-on to the end of a small root: 4 s on x86_64, 7 s on armv7; a busy host takes many times that.
const BOOT_LIMIT: Duration = Duration::from_secs(120);
/// From power-on to the login prompt of a whole installation.
const LOGIN_LIMIT: Duration = Duration::from_secs(180);
/// From a request to the end of the machine.
const END_LIMIT: Duration = Duration::from_secs(90);
/// How late the late disk is.
const LATE: Duration = Duration::from_secs(5);
/// From the kernel's start of `/init` to that of the root's init, modules aside. Under emulation, on a host that does nothing else.
const OWN_LIMIT_MILLISECONDS: f64 = 100.0;

const UUID: &str = "5b2c8e1f-0d7a-4c36-9f58-1e64a7b3d2c0";
const PARTITION_UUID: &str = "A1B2C3D4-1111-4222-8333-444455556666";

/// Tells what it was given, and ends the machine. The marks are put together here, so that no echo is taken for them.
const REPORT: &str = r#"#!/bin/sh
echo "REPORT-""BEGIN"
for word; do echo "argument: $word"; done
echo "variable: $handed"
echo "number: $(busybox cat /sys/class/block/vda/dev)"
busybox cat /proc/mounts
busybox ls -1d /run/handoff/* /usr/marker
busybox touch /written && echo "written"
busybox dmesg | busybox grep -e 'handoff: ' -e 'Run /init'
echo "REPORT-""END"
exec busybox poweroff -f
"#;

type Check<'a> = fn(&Bench<'a>) -> Result<String>;

fn checks<'a>() -> [(&'static str, Check<'a>); 12] {
    [
        ("by-name", Bench::find_by_name),
        ("by-uuid", Bench::find_by_uuid),
        ("by-label", Bench::find_by_label),
        ("by-number", Bench::find_by_number),
        ("by-partition-uuid", Bench::find_by_partition_uuid),
        ("by-partition-of-dos", Bench::find_by_partition_of_dos),
        ("squashfs-overlay", Bench::lay_over_squashfs),
        ("late-disk", Bench::wait_for_late_disk),
        ("half-and-copy", Bench::leave_halves_alone),
        ("wrong-uuid", Bench::miss_the_root),
        ("no-init", Bench::miss_the_init),
        ("return", Bench::return_to_the_image),
    ]
}

/// Boots a machine for each check, prints a line for each. True if all passed.
///
/// # Errors
/// The images cannot be made.
pub fn run(boot: &Boot<'_>, parts: &Parts, artefacts: &Path) -> Result<bool> {
    let board = boot.board.name;
    let began = Instant::now();
    let scratch = tempfile::Builder::new().prefix("pipit-handoff.").tempdir()?;
    let bench = Bench { boot, scratch: scratch.path(), artefacts };
    bench.make_images(parts)?;
    let checks = checks();
    let mut passed = 0;
    for (name, check) in checks {
        match check(&bench) {
            Ok(seen) => {
                println!("ok handoff-{name}: {seen}");
                passed += 1;
            }
            Err(error) => println!("not ok handoff-{name}: {error:#}"),
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    println!("# {board}: handoff: {passed} of {} boots as they should be, in {seconds:.1} s", checks.len());
    Ok(passed == checks.len())
}

struct Bench<'a> {
    boot: &'a Boot<'a>,
    scratch: &'a Path,
    artefacts: &'a Path,
}

/// A machine, and what it shows.
struct Guest {
    machine: Machine,
    console: Console,
}

impl Bench<'_> {
    // ---- images ------------------------------------------------------------

    fn make_images(&self, parts: &Parts) -> Result<()> {
        fs::write(self.path("plain.cpio"), self.initramfs(parts, false)?.to_newc())?;
        fs::write(self.path("shell.cpio"), self.initramfs(parts, true)?.to_newc())?;
        let small = self.path("small");
        self.make_small_root(&small, parts)?;
        self.make_extended("whole.img", &small, 24, &["-L", "my root", "-U", UUID])?;
        disk_image::make_squashfs(&self.path("squashfs.img"), &small)?;
        self.make_partitions(&small)?;
        self.make_empty()?;
        self.make_installation(parts)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    /// handoff and the modules; and a shell, and the wish to be kept.
    fn initramfs(&self, parts: &Parts, has_shell: bool) -> Result<Tree> {
        let mut tree = image::build_finder(parts)?;
        if has_shell {
            tree.put("bin/busybox", image::program(&parts.root.busybox)?);
            tree.put("bin/sh", Entry::Link { target: "busybox".to_owned() });
            tree.put("etc/handoff/keep", Entry::File { mode: 0o644, content: Vec::new() });
        }
        Ok(tree)
    }

    fn make_small_root(&self, root: &Path, parts: &Parts) -> Result<()> {
        for directory in ["bin", "dev", "etc", "proc", "run", "sbin", "sys", "usr"] {
            fs::create_dir_all(root.join(directory))?;
        }
        fs::copy(&parts.root.busybox, root.join("bin/busybox"))?;
        symlink("busybox", root.join("bin/sh"))?;
        write_program(&root.join("sbin/report"), REPORT)?;
        symlink("report", root.join("sbin/init"))?;
        Ok(())
    }

    fn make_extended(&self, name: &str, root: &Path, size_mib: u64, arguments: &[&str]) -> Result<PathBuf> {
        let image = self.path(name);
        disk_image::make_extended(&image, root, size_mib, arguments)?;
        Ok(image)
    }

    /// A GPT with root, /usr and swap; and a table of DOS with the root alone.
    fn make_partitions(&self, small: &Path) -> Result<()> {
        fs::write(
            small.join("etc/fstab"),
            "# what where kind options\nPARTLABEL=my\\040usr\t/usr auto ro,nodev 0 2\n",
        )?;
        let root = self.make_extended("root.part", small, 24, &[])?;
        let usr = self.path("usr");
        fs::create_dir(&usr)?;
        fs::write(usr.join("marker"), "")?;
        let usr = self.make_extended("usr.part", &usr, 8, &[])?;
        let swap = self.path("swap.part");
        disk_image::make_swap(&swap, 8, "")?;
        let table = format!(
            "label: gpt\nstart=2048, size=24M, uuid={PARTITION_UUID}, name=root\nsize=8M, name=\"my usr\"\nsize=8M, type=swap\n"
        );
        disk_image::make_disk(&self.path("gpt.img"), 48, &table, &[(1, &root), (25, &usr), (33, &swap)])?;
        let table = "label: dos\nlabel-id: 0x12345678\nstart=2048, size=24M\n";
        disk_image::make_disk(&self.path("dos.img"), 32, table, &[(1, &root)])
    }

    /// A root that holds no init.
    fn make_empty(&self) -> Result<()> {
        let empty = self.path("empty");
        fs::create_dir_all(empty.join("sbin"))?;
        symlink("/usr/lib/none", empty.join("sbin/init"))?;
        self.make_extended("empty.img", &empty, 4, &[]).map(drop)
    }

    /// What a user installs, in a file system in a file on a file system.
    fn make_installation(&self, parts: &Parts) -> Result<()> {
        let root = self.path("installation");
        image::build_tree(&parts.root)?.write_below(&root)?;
        fs::write(root.join("etc/fstab"), "/dev/loop0 / ext4 defaults 0 1\n")?;
        let outer = self.path("outer");
        fs::create_dir(&outer)?;
        let inner = self.make_extended("inner.img", &root, 48, &[])?;
        fs::rename(inner, outer.join("root.img"))?;
        self.make_extended("outer.img", &outer, 64, &[]).map(drop)
    }

    // ---- machines ----------------------------------------------------------

    /// Boots with a disk, of which only `keeps` says that it changes.
    fn start(&self, check: &str, initramfs: &str, words: &str, drives: &[&str]) -> Result<Guest> {
        let mut arguments: Vec<String> = vec!["-device".to_owned(), "virtio-scsi-pci,id=scsi".to_owned()];
        for drive in drives {
            arguments.extend(["-drive".to_owned(), (*drive).to_owned()]);
        }
        for id in ["disk", "original", "copy"] {
            if drives.iter().any(|drive| drive.contains(&format!("id={id},"))) {
                arguments.extend(["-device".to_owned(), format!("virtio-blk-pci,drive={id}")]);
            }
        }
        arguments.push("-no-reboot".to_owned());
        let image = self.path(initramfs);
        let words = format!("{}{words}", self.boot.words);
        let boot = Boot { image: Some(&image), words: &words, arguments: &arguments, ..*self.boot };
        let board = self.boot.board.name;
        let (machine, stream) = Machine::start(&boot, &self.artefacts.join(format!("{board}-handoff-{check}.stderr")))?;
        let journal = self.artefacts.join(format!("{board}-handoff-{check}.log"));
        let console = Console::open(stream, machine.started, &journal)?;
        Ok(Guest { machine, console })
    }

    /// A disk that is the same afterwards.
    fn disk(&self, image: &str) -> String {
        format!("if=none,id=disk,format=raw,snapshot=on,file={}", self.path(image).display())
    }

    /// Boots a root that tells what it was given; returns that.
    fn report(&self, check: &str, image: &str, words: &str) -> Result<String> {
        let mut guest = self.start(check, "plain.cpio", &format!("handoff.debug {words}"), &[&self.disk(image)])?;
        guest.read_report()
    }

    // ---- checks ------------------------------------------------------------

    fn find_by_name(&self) -> Result<String> {
        let words = "root=/dev/sda root=/dev/vda rw handed=\"a b\" init=/sbin/report single -- one \"two words\"";
        let report = self.report("by-name", "whole.img", words)?;
        for line in ["argument: single", "argument: one", "argument: two words", "variable: a b", "written"] {
            expect_line(&report, line)?;
        }
        expect_mount(&report, "/dev/vda", "/", "ext4", "rw")?;
        for (kind, place) in [("devtmpfs", "/dev"), ("proc", "/proc"), ("sysfs", "/sys"), ("tmpfs", "/run")] {
            expect_mount(&report, kind, place, kind, "rw")?;
        }
        let Times { own, mount, modules } = Times::read(&report)?;
        println!(
            "# {}: handoff: {own:.0} ms until init, {mount:.0} of them in the mount of the root; besides {modules:.0} ms for modules",
            self.boot.board.name
        );
        if own > OWN_LIMIT_MILLISECONDS {
            println!(
                "# {}: handoff: more than {OWN_LIMIT_MILLISECONDS:.0} ms: is the host busy?",
                self.boot.board.name
            );
        }
        Ok("init has its words and variables, /dev /proc /sys /run came along, the root is writable".to_owned())
    }

    fn find_by_uuid(&self) -> Result<String> {
        let report = self.report("by-uuid", "whole.img", &format!("root=UUID={}", UUID.to_uppercase()))?;
        expect_mount(&report, "/dev/vda", "/", "ext4", "ro")?;
        ensure!(!report.contains("\nwritten"), "a root that was not to be written to was: {report}");
        Ok("read-only, as nothing else is said".to_owned())
    }

    fn find_by_label(&self) -> Result<String> {
        let report =
            self.report("by-label", "whole.img", "\"root=LABEL=my root\" rw ro rootflags=noatime,data=ordered")?;
        expect_mount(&report, "/dev/vda", "/", "ext4", "ro,noatime")?;
        Ok("a label with a blank; flags".to_owned())
    }

    fn find_by_number(&self) -> Result<String> {
        let report = self.report("by-number", "whole.img", "root=254:0 rootfstype=xfs,,ext4")?;
        expect_line(&report, "number: 254:0")?;
        expect_mount(&report, "/dev/vda", "/", "ext4", "ro")?;
        Ok("the second of two kinds".to_owned())
    }

    fn find_by_partition_uuid(&self) -> Result<String> {
        let words = format!("root=PARTUUID={} resume=/dev/vda3", PARTITION_UUID.to_lowercase());
        let report = self.report("by-partition-uuid", "gpt.img", &words)?;
        expect_mount(&report, "/dev/vda1", "/", "ext4", "ro")?;
        expect_mount(&report, "/dev/vda2", "/usr", "ext4", "ro,nodev")?;
        expect_line(&report, "/usr/marker")?;
        Ok("GPT; /usr by the root's fstab; nothing hibernates on the swap".to_owned())
    }

    fn find_by_partition_of_dos(&self) -> Result<String> {
        let report = self.report("by-partition-of-dos", "dos.img", "root=PARTUUID=12345678-01 rootwait=3")?;
        expect_mount(&report, "/dev/vda1", "/", "ext4", "ro")?;
        // The fstab names a partition that is not there: it is told, and no more.
        Ok("and without the /usr that fstab names".to_owned())
    }

    fn lay_over_squashfs(&self) -> Result<String> {
        let report = self.report("squashfs-overlay", "squashfs.img", "root=/dev/vda rw overlay=tmpfs rootwait=1")?;
        expect_mount(&report, "overlay", "/", "overlay", "rw")?;
        for line in ["written", "/run/handoff/root", "/run/handoff/overlay"] {
            expect_line(&report, line)?;
        }
        Ok("written to".to_owned())
    }

    fn wait_for_late_disk(&self) -> Result<String> {
        let words = format!("handoff.debug root=UUID={UUID}");
        let mut guest =
            self.start("late-disk", "plain.cpio", &words, &[&self.disk("whole.img").replace("id=disk,", "id=late,")])?;
        guest.console.wait_for(&format!("handoff: waiting for UUID={UUID}"), BOOT_LIMIT)?;
        // This is not to wait for something: so late the disk shall be.
        std::thread::sleep(LATE);
        guest.machine.qmp.execute("device_add", json!({ "driver": "scsi-hd", "drive": "late", "bus": "scsi.0" }))?;
        let report = guest.read_report()?;
        expect_mount(&report, "/dev/sda", "/", "ext4", "ro")?;
        Ok(format!("{} s after it was first asked for", LATE.as_secs()))
    }

    /// A half of an array comes first; then a disk with the same file system, and its copy.
    fn leave_halves_alone(&self) -> Result<String> {
        let half = self.path("half.img");
        fs::copy(self.path("whole.img"), &half)?;
        make_half(&half)?;
        let whole = self.disk("whole.img");
        let drives =
            [self.disk("half.img"), whole.replace("id=disk,", "id=original,"), whole.replace("id=disk,", "id=copy,")];
        let words = format!("handoff.debug root=UUID={UUID}");
        let mut guest = self.start("half-and-copy", "plain.cpio", &words, &drives.each_ref().map(String::as_str))?;
        let warning = format!("handoff: warning: UUID={UUID} is on vdb and on vdc; the first is taken");
        guest.console.wait_for(&warning, BOOT_LIMIT)?;
        let report = guest.read_report()?;
        expect_mount(&report, "/dev/vdb", "/", "ext4", "ro")?;
        Ok("a half of an array is not the root; of two copies one is, and it is told".to_owned())
    }

    fn miss_the_root(&self) -> Result<String> {
        let words = "root=UUID=0-0 rootwait=2 panic=1";
        let mut guest = self.start("wrong-uuid", "plain.cpio", words, &[&self.disk("gpt.img")])?;
        for text in [
            "handoff: waiting for UUID=0-0".to_owned(),
            "handoff: fatal: UUID=0-0: no such device".to_owned(),
            "handoff: block devices:".to_owned(),
        ] {
            guest.console.wait_for(&text, BOOT_LIMIT)?;
        }
        // What is not read when the machine ends may be lost.
        let seen = guest.console.wait_for("reboot: Restarting system", BOOT_LIMIT)?.text;
        let (reason, _) = guest.machine.wait_shutdown(BOOT_LIMIT)?;
        ensure!(reason == "guest-reset", "the machine ended with {reason}");
        for text in [
            "vda1 254:1 ext4 UUID=".to_owned(),
            format!("PARTUUID={} PARTLABEL=root", PARTITION_UUID.to_lowercase()),
            "PARTLABEL=my usr".to_owned(),
            "vda3 254:3 swap UUID=".to_owned(),
        ] {
            ensure!(seen.contains(&text), "not among the devices: {text:?}: {seen}");
        }
        Ok("told, devices listed, started again".to_owned())
    }

    fn miss_the_init(&self) -> Result<String> {
        let mut guest = self.start("no-init", "shell.cpio", "root=/dev/vda", &[&self.disk("empty.img")])?;
        guest.console.wait_for("handoff: fatal: no init on /dev/vda", BOOT_LIMIT)?;
        guest.enter_shell()?;
        let there = guest.console.ask("busybox ls /init /bin/busybox /etc/handoff/modules /etc/handoff/keep /root")?;
        ensure!(!there.contains("No such file"), "something was removed: {there}");
        ensure!(!guest.console.ask("busybox cat /proc/mounts")?.contains("/dev/vda"), "the root is still mounted");
        guest.console.type_line("exit")?;
        guest.console.wait_for("handoff: fatal: no init on /dev/vda", BOOT_LIMIT)?;
        guest.enter_shell()?;
        guest.console.type_line("busybox poweroff -f")?;
        guest.expect_off()?;
        Ok("nothing is removed, a shell, and all is tried again at its end".to_owned())
    }

    fn return_to_the_image(&self) -> Result<String> {
        let outer = self.path("outer.img");
        let drive = format!("if=none,id=disk,format=raw,file={}", outer.display());
        let words = "root=/dev/loop0 rw handoff.shell";
        let mut guest = self.start("return", "shell.cpio", words, &[&drive])?;
        guest.enter_shell()?;
        guest.console.ask("busybox mkdir /run/outer && busybox mount -t ext4 /dev/vda /run/outer")?;
        guest.console.ask("busybox losetup /dev/loop0 /run/outer/root.img")?;
        guest.console.type_line("exit")?;
        guest.console.wait_for("login: ", LOGIN_LIMIT)?;
        guest.console.type_line("root")?;
        guest.console.wait_for("# ", LOGIN_LIMIT).context("no shell after the login")?;
        guest.console.settle_shell()?;
        guest.console.ask("echo remembered >/root/note && test -x /run/initramfs/shutdown")?;
        guest.console.type_line("poweroff")?;
        guest.expect_off()?;
        check_unmounted(&outer)?;
        let inner = self.path("inner-afterwards.img");
        run_tool(Command::new("debugfs").args(["-R", &format!("dump /root.img {}", inner.display())]).arg(&outer))?;
        check_unmounted(&inner)?;
        let note = output_of(Command::new("debugfs").args(["-R", "cat /root/note"]).arg(&inner))?;
        ensure!(note == "remembered\n", "what was written is not there: {note:?}");
        Ok("a root on a loop device on a file system: both are clean after poweroff".to_owned())
    }
}

impl Guest {
    fn read_report(&mut self) -> Result<String> {
        self.console.wait_for("REPORT-BEGIN", BOOT_LIMIT)?;
        let Seen { text, .. } = self.console.wait_for("REPORT-END", BOOT_LIMIT)?;
        self.expect_off()?;
        Ok(text)
    }

    /// The emergency shell, which shows nothing but a prompt.
    fn enter_shell(&mut self) -> Result<()> {
        self.console.wait_for("/ # ", BOOT_LIMIT).context("no emergency shell")?;
        self.console.type_line("busybox stty -echo; PS1=; PS2=")?;
        self.console.run("true").map(drop)
    }

    fn expect_off(&mut self) -> Result<()> {
        let said = self.console.wait_for("reboot: Power down", END_LIMIT)?.text;
        let (reason, _) = self.machine.wait_shutdown(END_LIMIT)?;
        ensure!(reason == "guest-shutdown", "the machine ended with {reason}");
        match said.lines().find(|line| line.contains("handoff: warning") || line.contains("handoff: fatal")) {
            Some(line) => bail!("it said {line:?}"),
            None => Ok(()),
        }
    }
}

fn expect_line(report: &str, line: &str) -> Result<()> {
    ensure!(report.lines().any(|seen| seen == line), "no line {line:?} in {report}");
    Ok(())
}

/// A line of /proc/mounts whose options begin with these.
fn expect_mount(report: &str, source: &str, place: &str, kind: &str, options: &str) -> Result<()> {
    let start = format!("{source} {place} {kind} {options}");
    ensure!(report.lines().any(|line| line.starts_with(&start)), "no mount {start:?} in {report}");
    Ok(())
}

/// Milliseconds, by the stamps of the kernel's log.
struct Times {
    /// From the kernel's start of `/init` to that of the root's init, modules aside.
    own: f64,
    /// Of these, the kernel's mount of the root.
    mount: f64,
    modules: f64,
}

impl Times {
    fn read(report: &str) -> Result<Self> {
        let stamp = |mark: &str| -> Result<f64> {
            let line =
                report.lines().find(|line| line.contains(mark)).with_context(|| format!("no {mark:?} in {report}"))?;
            let text = line.trim_start_matches('[').split(']').next().unwrap_or_default().trim();
            let seconds: f64 = text.parse().with_context(|| format!("not a stamp: {line:?}"))?;
            Ok(seconds * 1000.0)
        };
        let modules = stamp("handoff: all modules are loaded")? - stamp("handoff: begins")?;
        let mount = stamp(" is mounted as ")? - stamp("handoff: /dev/vda is vda")?;
        let all = stamp("handoff: executing ")? - stamp("Run /init as init process")?;
        Ok(Self { own: all - modules, mount, modules })
    }
}

/// Makes a file system a half of an array, as of format 1.0: at the end, in the 16 sectors before the last multiple of 8.
fn make_half(image: &Path) -> Result<()> {
    let file = fs::File::options().write(true).open(image)?;
    let sector = ((file.metadata()?.len() / 512) & !7) - 16;
    let mut superblock = [0; 256];
    superblock[..8].copy_from_slice(&[0xfc, 0x4e, 0x2b, 0xa9, 1, 0, 0, 0]);
    superblock[144..152].copy_from_slice(&sector.to_le_bytes());
    Ok(file.write_all_at(&superblock, sector * 512)?)
}

fn write_program(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text)?;
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(0o755))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "\
        [    2.000000] Run /init as init process\n\
        [    2.010000] handoff: begins\n\
        [    2.250000] handoff: all modules are loaded\n\
        [    2.255000] handoff: /dev/vda is vda\n\
        [    2.275000] handoff: /dev/vda is mounted as ext4\n\
        [    2.290000] handoff: executing /sbin/init of the root\n";

    #[test]
    fn time_for_modules_is_told_apart() {
        let times = Times::read(REPORT).expect("stamps");

        assert_eq!([times.own, times.mount, times.modules].map(f64::round), [50.0, 20.0, 240.0]);
        assert!(Times::read("handoff: begins").is_err());
    }

    #[test]
    fn a_mount_is_known_by_how_its_line_begins() {
        let table = "/dev/vda / ext4 ro,noatime 0 0\ntmpfs /run tmpfs rw 0 0\n";

        assert!(expect_mount(table, "/dev/vda", "/", "ext4", "ro").is_ok());
        assert!(expect_mount(table, "/dev/vda", "/", "ext4", "rw").is_err());
        assert!(expect_mount(table, "/dev/vda", "/run", "ext4", "ro").is_err());
    }
}
