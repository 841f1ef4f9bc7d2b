//! The boots of a whole installation whose root is on a disk: what stage 1 and stage 3 owe to file systems.
//!
//! The disk has a root, a second file system and swap. On x86_64 the kernel finds the root by itself; on armv7, and
//! where the root is a squashfs, handoff does. Each check has a copy of the disk, and one machine after the other;
//! after each that ended by itself the file systems are looked at from outside. The checks run in two lanes beside
//! each other.

use crate::console::Console;
use crate::cuts;
use crate::disk_image::{self, MIB, copy_sparsely, output_of, run_tool};
use crate::guest::Guest;
use crate::image::{self, Parts};
use crate::machine::{Boot, Machine};
use crate::newc::Entry;
use crate::stages::refuse_complaints;
use crate::times::Times;
use anyhow::{Context, Error, Result, anyhow, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// From power-on to the login prompt: 5 s on x86_64, 9 s on armv7; a busy host takes many times that.
pub const BOOT_LIMIT: Duration = Duration::from_secs(240);
/// From power-on to stage 1: 3 s on x86_64, 6 s on armv7.
const START_LIMIT: Duration = Duration::from_secs(60);
/// From the user's name to the shell.
const LOGIN_LIMIT: Duration = Duration::from_secs(60);
/// From a request to the end of the machine: 2 s.
const END_LIMIT: Duration = Duration::from_secs(120);
/// The part that runs e2fsck.
const CHECK_PART: &str = "30-check-filesystems";
/// How many of its parts are shown.
const SLOWEST: usize = 5;
/// How many records are on the disk when the power is cut.
const RECORDS: u32 = 12;

const ROOT_UUID: &str = "7d3c1a52-6c1e-4b0f-8f4e-2a9b5d1c0e77";
const TABLE: &str = "label: gpt\nstart=2048, size=64M, name=root\nsize=16M, name=data\nsize=8M, type=swap, name=swap\n";
const DISK_MIB: u64 = 96;
/// A block of the second file system: a page.
const BLOCK_BYTES: &str = "4096";
/// What the boot says when it needs somebody.
pub const EMERGENCY_MARK: &str = "emergency shell: ";
const STAGE_1_MARK: &str = "- runit: enter stage: /etc/runit/1";
const PROMPT_MARK: &str = "login: ";

/// A file system on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Root,
    Data,
}

impl Part {
    pub const ALL: [Self; 2] = [Self::Root, Self::Data];

    fn place_mib(self) -> u64 {
        match self {
            Self::Root => 1,
            Self::Data => 65,
        }
    }

    fn size_mib(self) -> u64 {
        match self {
            Self::Root => 64,
            Self::Data => 16,
        }
    }
}

/// An image of a whole disk.
pub struct Disk {
    pub path: PathBuf,
}

impl Disk {
    /// One of its file systems.
    pub fn volume(&self, part: Part) -> Volume {
        Volume { image: PathBuf::from(format!("{}?offset={}", self.path.display(), part.place_mib() * MIB)) }
    }

    /// # Errors
    /// A file system was not unmounted, or has errors.
    pub fn check_clean(&self) -> Result<()> {
        Part::ALL
            .iter()
            .try_for_each(|&part| disk_image::check_unmounted(&self.volume(part).image).context(format!("{part:?}")))
    }

    /// Copies one of its file systems to a file of its own: e2fsck does not play a journal at an offset.
    ///
    /// # Errors
    /// It cannot be copied.
    pub fn take_volume(&self, part: Part, image: PathBuf) -> Result<Volume> {
        disk_image::take_part(&self.path, part.place_mib(), part.size_mib(), &image)?;
        Ok(Volume { image })
    }
}

/// A file system in an image, as the tools of e2fsprogs call it.
pub struct Volume {
    pub image: PathBuf,
}

impl Volume {
    /// The content of a file.
    ///
    /// # Errors
    /// debugfs fails; that there is no such file is no failure for it.
    pub fn read(&self, path: &str) -> Result<String> {
        output_of(Command::new("debugfs").args(["-R", &format!("cat {path}")]).arg(&self.image))
    }

    /// Copies what is below a directory to one of the host.
    ///
    /// # Errors
    /// debugfs fails.
    pub fn take_directory(&self, path: &str, place: &Path) -> Result<()> {
        fs::create_dir_all(place)?;
        let request = format!("rdump {path} {}", place.display());
        run_tool(Command::new("debugfs").args(["-R", &request]).arg(&self.image))
    }

    fn last_checked(&self) -> Result<String> {
        let superblock = disk_image::superblock_of(&self.image)?;
        let line = superblock.lines().find(|line| line.starts_with("Last checked:"));
        Ok(line.context("no time of the last check")?.to_owned())
    }
}

type Check<'a> = fn(&Bench<'a>, &str) -> Result<String>;
type Lane<'a> = Vec<(&'static str, Check<'a>)>;

/// What is chosen from run to run.
pub struct Choice {
    /// The same seed gives the same moments.
    pub seed: u64,
    /// The name of the one check that is wanted, for all if there is none.
    pub only: Option<String>,
}

/// The checks: one alone, for its figures; and two lanes beside each other.
fn lanes<'a>(board: &str) -> [Lane<'a>; 3] {
    let mut cuts: Lane = vec![("twenty-cuts", cuts::cut_twenty_times)];
    // What is recorded does not depend on the processor.
    if board == "x86_64" {
        cuts.insert(0, ("write-log", cuts::replay_write_log));
    }
    let boots: Lane = vec![
        ("cut-while-writing", Bench::cut_while_writing),
        ("forced-by-file", Bench::force_by_file),
        ("forced-by-word", Bench::force_by_word),
        ("fastboot", Bench::skip_check),
        ("repaired-by-hand", Bench::repair_by_hand),
        ("root-mended", Bench::mend_root),
        ("squashfs", Bench::boot_squashfs),
        ("squashfs-overlay", Bench::boot_squashfs_below_overlay),
    ];
    [vec![("fresh-boot", Bench::boot_fresh)], boots, cuts]
}

/// Boots the machines of all checks, prints a line for each. True if all passed.
///
/// # Errors
/// The images cannot be made, or no check has the name that is wanted.
pub fn run(boot: &Boot<'_>, parts: &Parts, choice: &Choice, artefacts: &Path) -> Result<bool> {
    let board = boot.board.name;
    let began = Instant::now();
    let mut lanes = lanes(board);
    if let Some(only) = &choice.only {
        lanes.iter_mut().for_each(|lane| lane.retain(|(name, _)| name == only));
    }
    let all = lanes.iter().map(Vec::len).sum::<usize>();
    ensure!(all > 0, "there is no such check: {}", choice.only.as_deref().unwrap_or_default());
    let scratch = tempfile::Builder::new().prefix("pipit-disk.").tempdir()?;
    let stage_1_times = Mutex::default();
    let bench = Bench { boot, scratch: scratch.path(), artefacts, seed: choice.seed, stage_1_times };
    bench.make_images(parts)?;
    println!("# {board}: disk: seed {}", choice.seed);

    let [first, boots, cuts] = &lanes;
    let mut passed = bench.run_lane(first);
    std::thread::scope(|scope| {
        let beside = scope.spawn(|| bench.run_lane(cuts));
        passed += bench.run_lane(boots);
        passed += beside.join().unwrap_or_default();
    });
    bench.show_stage_1()?;
    let seconds = began.elapsed().as_secs_f64();
    println!("# {board}: disk: {passed} of {all} checks passed, in {seconds:.1} s");
    Ok(passed == all)
}

pub struct Bench<'a> {
    pub boot: &'a Boot<'a>,
    pub scratch: &'a Path,
    pub artefacts: &'a Path,
    pub seed: u64,
    /// What stage 1 took in each boot that could be asked.
    stage_1_times: Mutex<Vec<Stage1>>,
}

/// What stage 1 took, in seconds, without the part that runs e2fsck: that one's time is the file systems'.
#[derive(Clone, Copy)]
struct Stage1 {
    /// By the guest's clock: with the waiting for the disk.
    clock: f64,
    /// Of the processor, by the guest's account: the stage's own.
    own: f64,
}

/// How the root is found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Finder {
    Kernel,
    Handoff,
}

impl<'a> Bench<'a> {
    fn run_lane(&self, checks: &[(&str, Check<'a>)]) -> usize {
        let mut passed = 0;
        for (name, check) in checks {
            match check(self, name) {
                Ok(seen) => {
                    println!("ok disk-{name}: {seen}");
                    passed += 1;
                }
                Err(error) => println!("not ok disk-{name}: {error:#}"),
            }
        }
        passed
    }

    // ---- images ------------------------------------------------------------

    fn make_images(&self, parts: &Parts) -> Result<()> {
        fs::write(self.path("finder.cpio"), image::build_finder(parts)?.to_newc())?;
        let root = self.path("root");
        let mut tree = image::build_tree(&parts.root)?;
        tree.put("data", Entry::Directory { mode: 0o755 });
        tree.put("etc/mended", Entry::File { mode: 0o644, content: Vec::new() });
        tree.write_below(&root)?;
        let data = self.path("data");
        fs::create_dir_all(data.join("lost"))?;
        for name in ["lost/file", "mended", "records"] {
            // What is empty nobody would miss.
            fs::write(data.join(name), "kept\n")?;
        }
        // In a file, which keeps its file system from being unmounted as long as it is in use. It must have no holes,
        // so no block may be all zeros, not even within its head.
        let swap_file = data.join("swap");
        fs::write(&swap_file, vec![0xff; MIB as usize])?;
        run_tool(Command::new("mkswap").arg(&swap_file))?;
        let (root_part, data_part, swap_part) =
            (self.path("root.part"), self.path("data.part"), self.path("swap.part"));
        disk_image::make_extended(&root_part, &root, Part::Root.size_mib(), &["-U", ROOT_UUID])?;
        // A check that finds directories without an index makes them one, and the machine would have to start again.
        disk_image::repair(&root_part, &["-D"])?;
        // Only root could have made them below a directory. No kernel of ours mounts /dev by itself.
        disk_image::change(&root_part, &["cd /dev", "mknod console c 5 1", "mknod null c 1 3"])?;
        disk_image::make_extended(&data_part, &data, Part::Data.size_mib(), &["-L", "data", "-b", BLOCK_BYTES])?;
        disk_image::make_swap(&swap_part, 8, "swap")?;
        let parts = [(Part::Root.place_mib(), &*root_part), (Part::Data.place_mib(), &*data_part), (81, &*swap_part)];
        disk_image::make_disk(&self.path("fresh.img"), DISK_MIB, TABLE, &parts)?;
        fs::write(root.join("etc/fstab"), "/dev/vda / squashfs ro 0 0\n")?;
        disk_image::make_squashfs(&self.path("squashfs.img"), &root)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    /// A disk nobody has booted from.
    pub fn fresh_disk(&self, check: &str) -> Result<Disk> {
        let path = self.path(&format!("{check}.img"));
        copy_sparsely(&self.path("fresh.img"), &path)?;
        Ok(Disk { path })
    }

    // ---- checks ------------------------------------------------------------

    fn boot_fresh(&self, check: &str) -> Result<String> {
        let board = self.boot.board.name;
        let mut computer = self.computer(check, self.fresh_disk(check)?);
        computer.power_on("")?;
        let booted = computer.wait_prompt()?;
        computer.log_in()?;
        let kernel_seconds = computer.guest()?.kernel_seconds_at(booted.at)?;
        let times = self.keep_times(&mut computer)?;
        println!("# {board}: disk: {}", times.show(SLOWEST));
        let guest = computer.guest()?;
        guest.all_statuses(|status| status.name == "/etc/service/sample-crash")?;
        let mounts = guest.console.ask("cat /proc/mounts")?;
        for (place, access) in [("/", "rw"), ("/data", "rw")] {
            let is_there = |line: &str| line.contains(&format!(" {place} ext4 {access},"));
            ensure!(mounts.lines().any(is_there), "{place} is not mounted {access}: {mounts}");
        }
        let swaps = guest.console.ask("cat /proc/swaps")?;
        ensure!(swaps.lines().count() == 3, "not two swaps below the heading: {swaps:?}");
        guest.console.ask("test -k /tmp && touch /tmp/file /data/file && test -s /var/log/boot.log")?;
        guest.console.ask("swapoff /data/swap && mount -o remount,ro /data && ! touch /data/refused 2>/dev/null")?;
        guest.console.ask("mount -o remount,rw /data && touch /data/taken && swapon /data/swap")?;
        let stage_3 = computer.power_off()?;
        let log = computer.disk.volume(Part::Root).read("/var/log/boot.log")?;
        ensure!(log.contains("boot: done") && !log.contains(": warning: "), "the log of the boot: {log}");
        println!(
            "# {board}: disk: login prompt {kernel_seconds:.2} s after the kernel's start, stage 3 took {:.2} s",
            stage_3.as_secs_f64()
        );
        Ok("two file systems, swap on a partition and in a file; all given up and clean after poweroff".to_owned())
    }

    /// Reads what stage 1 has written of its parts; remembers the sum.
    fn keep_times(&self, computer: &mut Computer) -> Result<Times> {
        let times = computer.guest()?.boot_times()?;
        let check = times.parts.iter().find(|(name, _)| name == CHECK_PART).map(|&(_, time)| time);
        let check = check.context("no part checks file systems")?;
        let stage_1 = Stage1 { clock: times.whole - check, own: times.processor - check };
        self.stage_1_times.lock().map_err(|_| lane_panicked())?.push(stage_1);
        Ok(times)
    }

    /// The best of all boots, for the host was busy in some of them, with the other lane.
    fn show_stage_1(&self) -> Result<()> {
        let times = self.stage_1_times.lock().map_err(|_| lane_panicked())?;
        let best = |seconds: fn(&Stage1) -> f64| times.iter().map(seconds).min_by(f64::total_cmp);
        if let (Some(own), Some(clock)) = (best(|time| time.own), best(|time| time.clock)) {
            println!(
                "# {}: disk: stage 1 without e2fsck, best of {} boots: {own:.2} s of the processor, {clock:.2} s by the clock",
                self.boot.board.name,
                times.len()
            );
        }
        Ok(())
    }

    /// What was acknowledged is there, and the journals are played without anybody's help.
    fn cut_while_writing(&self, check: &str) -> Result<String> {
        let mut computer = self.computer(check, self.fresh_disk(check)?);
        computer.power_on("recorder=1")?;
        computer.wait_prompt()?;
        let record = computer.wait_record(1, RECORDS)?;
        computer.cut_power();
        for part in Part::ALL {
            ensure!(disk_image::needs_recovery(&computer.disk.volume(part).image)?, "{part:?} was not in use");
        }
        computer.power_on("")?;
        computer.wait_prompt()?;
        computer.log_in()?;
        self.keep_times(&mut computer)?;
        let kernel = computer.guest()?.console.ask("dmesg")?;
        ensure!(kernel.contains("recovery complete"), "the kernel has not played the root's journal: {kernel}");
        computer.power_off()?;
        for (part, path) in [(Part::Root, "/var/lib/recorder/records"), (Part::Data, "/records")] {
            cuts::check_records(&computer.disk.volume(part).read(path)?, &[(1, record)]).context(path)?;
        }
        Ok(format!("{record} records that were acknowledged are there"))
    }

    fn force_by_file(&self, check: &str) -> Result<String> {
        let disk = self.fresh_disk(check)?;
        fs::write(self.path("empty"), "")?;
        disk_image::change(
            &disk.volume(Part::Root).image,
            &[&format!("write {} forcefsck", self.path("empty").display())],
        )?;
        let (computer, _) = self.boot_checked(check, disk, "", true)?;
        let listing =
            output_of(Command::new("debugfs").args(["-R", "ls /"]).arg(computer.disk.volume(Part::Root).image))?;
        ensure!(!listing.contains("forcefsck"), "the file is still there: {listing}");
        Ok("both file systems were checked, the file is gone".to_owned())
    }

    /// Something to mend is no reason to stop.
    fn force_by_word(&self, check: &str) -> Result<String> {
        let disk = self.fresh_disk(check)?;
        disk_image::change(&disk.volume(Part::Data).image, &["set_inode_field /mended links_count 3"])?;
        let (_, said) = self.boot_checked(check, disk, "forcefsck", true)?;
        ensure!(said.contains("errors of /data were mended"), "nothing was mended: {said}");
        Ok("both file systems were checked, an error was mended, the boot went on".to_owned())
    }

    fn skip_check(&self, check: &str) -> Result<String> {
        let (computer, _) = self.boot_checked(check, self.fresh_disk(check)?, "forcefsck fastboot", false)?;
        let log = computer.disk.volume(Part::Root).read("/var/log/boot.log")?;
        ensure!(log.contains("skipped: fastboot"), "no word of it: {log}");
        Ok("nothing was checked, not even by force".to_owned())
    }

    /// Boots to the prompt and powers off; whether both file systems were really checked is what their superblocks
    /// say. Returns what stage 1 said too.
    fn boot_checked(&self, check: &str, disk: Disk, words: &str, is_checked: bool) -> Result<(Computer<'_>, String)> {
        let before = [disk.volume(Part::Root).last_checked()?, disk.volume(Part::Data).last_checked()?];
        let mut computer = self.computer(check, disk);
        computer.power_on(words)?;
        let booted = computer.wait_prompt()?;
        computer.log_in()?;
        self.keep_times(&mut computer)?;
        computer.power_off()?;
        for (part, before) in Part::ALL.into_iter().zip(before) {
            let after = computer.disk.volume(part).last_checked()?;
            ensure!((after != before) == is_checked, "{part:?}: {before}, then {after}");
        }
        Ok((computer, booted.stage_1))
    }

    /// A directory that is lost: nothing that e2fsck decides alone.
    fn repair_by_hand(&self, check: &str) -> Result<String> {
        let disk = self.fresh_disk(check)?;
        disk_image::change(&disk.volume(Part::Data).image, &["clri /lost", "set_super_value state 2"])?;
        let mut computer = self.computer(check, disk);
        computer.power_on("")?;
        computer.enter_emergency_shell()?;
        let console = &mut computer.guest()?.console;
        // Which device it is differs from machine to machine.
        let device = console.ask("findfs LABEL=data")?;
        let answer = console.run(&format!("e2fsck -fy {}", device.trim()))?;
        ensure!(answer.code == 1, "e2fsck: exit code {}: {}", answer.code, answer.text);
        console.type_line("exit")?;
        computer.guest()?.console.wait_for(PROMPT_MARK, BOOT_LIMIT)?;
        computer.log_in()?;
        let found = computer.guest()?.console.ask("ls /data/lost+found; test -e /data/mended")?;
        ensure!(found.starts_with('#'), "nothing was found again: {found:?}");
        computer.power_off()?;
        Ok("the emergency shell came, and the boot went on behind it".to_owned())
    }

    /// The root was changed under the kernel: the machine goes down by itself, and comes up the next time.
    fn mend_root(&self, check: &str) -> Result<String> {
        let disk = self.fresh_disk(check)?;
        disk_image::change(
            &disk.volume(Part::Root).image,
            &["set_inode_field /etc/mended links_count 3", "set_super_value state 2"],
        )?;
        let mut computer = self.computer(check, disk);
        computer.power_on("")?;
        let console = &mut computer.guest()?.console;
        console.wait_for("errors of / were mended; the system must reboot", BOOT_LIMIT)?;
        console.wait_for("- runit: enter stage: /etc/runit/3", END_LIMIT)?;
        computer.wait_end("guest-reset")?;
        computer.disk.check_clean()?;
        computer.power_on("")?;
        computer.wait_prompt()?;
        computer.log_in()?;
        self.keep_times(&mut computer)?;
        computer.power_off()?;
        Ok("mended, started again by itself, clean".to_owned())
    }

    fn boot_squashfs(&self, check: &str) -> Result<String> {
        let mut computer = self.memory_computer(check);
        computer.power_on("root=/dev/vda")?;
        computer.wait_prompt()?;
        computer.log_in()?;
        let guest = computer.guest()?;
        ensure!(guest.console.run("touch /written 2>/dev/null")?.code != 0, "the root can be written to");
        guest.all_statuses(|status| status.name == "/etc/service/sample-crash")?;
        guest.console.ask("test -d /run/runit/supervise.sample-up")?;
        let old = guest.status("sample-up")?.running_pid()?;
        let new = guest.expect_ok("sv restart sample-up")?.running_pid()?;
        ensure!(old != new, "still {old}");
        guest.console.ask("touch /tmp/file")?;
        computer.power_off()?;
        Ok("all services run, with their state in /run; sv works".to_owned())
    }

    fn boot_squashfs_below_overlay(&self, check: &str) -> Result<String> {
        let mut computer = self.memory_computer(check);
        computer.power_on("root=/dev/vda overlay=tmpfs")?;
        computer.wait_prompt()?;
        computer.log_in()?;
        let guest = computer.guest()?;
        guest.console.ask("touch /etc/written && grep -q ' / overlay rw' /proc/mounts")?;
        guest.all_statuses(|status| status.name == "/etc/service/sample-crash")?;
        guest.console.ask("test -e /etc/sv/sample-up/supervise/status")?;
        computer.power_off()?;
        Ok("all services run, their directories can be written to".to_owned())
    }

    // ---- machines ----------------------------------------------------------

    /// One that boots from a disk with a journal.
    pub fn computer(&self, check: &str, disk: Disk) -> Computer<'_> {
        let finder = if self.boot.board.name == "x86_64" { Finder::Kernel } else { Finder::Handoff };
        Computer::new(self, check, disk, finder, true)
    }

    /// The same, with a disk of virtio on all machines. QEMU's NVMe (7.2) takes writes that the kernel wants to be on
    /// the disk at once, as those that end a transaction are, for any others.
    pub fn virtio_computer(&self, check: &str, disk: Disk) -> Computer<'_> {
        Computer::new(self, check, disk, Finder::Handoff, true)
    }

    /// One whose root is a squashfs, which cannot change: nothing is looked for there afterwards.
    fn memory_computer(&self, check: &str) -> Computer<'_> {
        Computer::new(self, check, Disk { path: self.path("squashfs.img") }, Finder::Handoff, false)
    }
}

/// A computer that is switched on and off, with its disk and all that it says.
pub struct Computer<'a> {
    bench: &'a Bench<'a>,
    check: String,
    pub disk: Disk,
    finder: Finder,
    is_disk_checked: bool,
    pub machine: Option<Machine>,
    guest: Option<Guest>,
}

/// A boot as far as the prompt.
pub struct Booted {
    /// What was said before the end of stage 1.
    pub stage_1: String,
    pub at: Instant,
}

impl<'a> Computer<'a> {
    fn new(bench: &'a Bench<'a>, check: &str, disk: Disk, finder: Finder, is_disk_checked: bool) -> Self {
        Self { bench, check: check.to_owned(), disk, finder, is_disk_checked, machine: None, guest: None }
    }

    /// Where the console is recorded.
    pub fn journal(&self) -> PathBuf {
        self.bench.artefacts.join(format!("{}-disk-{}.log", self.bench.boot.board.name, self.check))
    }

    /// As far as the beginning of stage 1.
    ///
    /// # Errors
    /// QEMU cannot be started, or stage 1 does not begin.
    pub fn power_on(&mut self, words: &str) -> Result<()> {
        let drive = format!("if=none,id=disk,format=raw,file={}", self.disk.path.display());
        self.power_on_with(words, &["-drive".to_owned(), drive])
    }

    /// The same with a disk that is given as QEMU's arguments, and has the name `disk`.
    ///
    /// Some of those with NVMe hang after a cut before their kernel says a word; why is not known. Such a one is switched
    /// on again, once, and that is told: were it for what is on the disk, the next one would hang too.
    ///
    /// # Errors
    /// QEMU cannot be started, or stage 1 does not begin.
    pub fn power_on_with(&mut self, words: &str, drive: &[String]) -> Result<()> {
        self.start_machine(words, drive)?;
        let started = Instant::now();
        let first = self.guest()?.console.wait_for(STAGE_1_MARK, START_LIMIT);
        if first.is_ok() || started.elapsed() < START_LIMIT {
            return first.map(drop);
        }
        println!("# {}: disk: {}: no stage 1, switched on again", self.bench.boot.board.name, self.check);
        self.cut_power();
        self.start_machine(words, drive)?;
        self.guest()?.console.wait_for(STAGE_1_MARK, BOOT_LIMIT).map(drop)
    }

    fn start_machine(&mut self, words: &str, drive: &[String]) -> Result<()> {
        let finder = self.bench.path("finder.cpio");
        let (image, device, root) = match self.finder {
            Finder::Kernel => (None, "nvme,drive=disk,serial=pipit", "root=/dev/nvme0n1p1 rootwait ro".to_owned()),
            Finder::Handoff if self.is_disk_checked => {
                (Some(finder.as_path()), "virtio-blk-pci,drive=disk", format!("root=UUID={ROOT_UUID} ro"))
            }
            Finder::Handoff => (Some(finder.as_path()), "virtio-blk-pci,drive=disk", String::new()),
        };
        let mut arguments = drive.to_vec();
        arguments.extend(["-device", device, "-no-reboot"].map(str::to_owned));
        let words = format!("{} {root} {words}", self.bench.boot.words);
        let boot = Boot { image, words: &words, arguments: &arguments, ..*self.bench.boot };
        let (machine, stream) = Machine::start(&boot, &self.journal().with_extension("stderr"))?;
        match &mut self.guest {
            Some(guest) => guest.console.connect(stream)?,
            None => {
                let console = Console::open(stream, machine.started, &self.journal())?;
                self.guest = Some(Guest { console });
            }
        }
        self.machine = Some(machine);
        Ok(())
    }

    /// # Errors
    /// It was never switched on.
    pub fn guest(&mut self) -> Result<&mut Guest> {
        self.guest.as_mut().context("the machine was never switched on")
    }

    /// Stage 1 comes to its end without a shell for emergencies, and a prompt follows.
    ///
    /// # Errors
    /// Or not.
    pub fn wait_prompt(&mut self) -> Result<Booted> {
        let console = &mut self.guest()?.console;
        let (index, stage_1) =
            console.wait_for_any(&["- runit: leave stage: /etc/runit/1", EMERGENCY_MARK], BOOT_LIMIT)?;
        ensure!(index == 0, "an emergency: {}", stage_1.text);
        refuse_complaints(&stage_1.text)?;
        let at = self.guest()?.console.wait_for(PROMPT_MARK, BOOT_LIMIT)?.at;
        Ok(Booted { stage_1: stage_1.text, at })
    }

    /// # Errors
    /// The shell does not come.
    pub fn log_in(&mut self) -> Result<()> {
        let guest = self.guest()?;
        guest.console.type_line("root")?;
        guest.console.wait_for("# ", LOGIN_LIMIT).context("no shell after the login")?;
        guest.console.settle_shell()
    }

    fn enter_emergency_shell(&mut self) -> Result<()> {
        let console = &mut self.guest()?.console;
        console.wait_for(EMERGENCY_MARK, BOOT_LIMIT)?;
        console.wait_for("# ", LOGIN_LIMIT).context("no shell")?;
        console.settle_shell()
    }

    /// Waits until this record of a boot, or one behind it, is acknowledged; returns which it is.
    ///
    /// # Errors
    /// It never is.
    pub fn wait_record(&mut self, mark: u32, wanted: u32) -> Result<u32> {
        let console = &mut self.guest()?.console;
        loop {
            console.wait_for(&format!("recorded {mark} "), BOOT_LIMIT)?;
            let text = console.wait_for("\n", BOOT_LIMIT)?.text;
            // Somebody else may have written into the line.
            if let Ok(record) = text.trim().parse::<u32>()
                && record >= wanted
            {
                return Ok(record);
            }
        }
    }

    /// As if the plug were pulled.
    pub fn cut_power(&mut self) {
        self.machine = None;
    }

    /// Asks for the end in the shell, without complaints on the way; returns the time of stage 3. What is on the disk
    /// is clean.
    ///
    /// # Errors
    /// Or not.
    pub fn power_off(&mut self) -> Result<Duration> {
        let console = &mut self.guest()?.console;
        console.type_line("poweroff")?;
        let entered = console.wait_for("- runit: enter stage: /etc/runit/3", END_LIMIT)?;
        let left = console.wait_for("- runit: leave stage: /etc/runit/3", END_LIMIT)?;
        refuse_complaints(&left.text)?;
        self.wait_end("guest-shutdown")?;
        if self.is_disk_checked {
            self.disk.check_clean()?;
        }
        Ok(left.at - entered.at)
    }

    fn wait_end(&mut self, expected: &str) -> Result<()> {
        self.guest()?.console.wait_end(END_LIMIT)?;
        let mut machine = self.machine.take().context("the machine is off")?;
        let (reason, _) = machine.wait_shutdown(END_LIMIT)?;
        if reason != expected {
            bail!("the machine ended with {reason}");
        }
        Ok(())
    }
}

fn lane_panicked() -> Error {
    anyhow!("a lane has panicked")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_on_a_disk_is_called_by_its_place() {
        let disk = Disk { path: PathBuf::from("/x.img") };

        assert_eq!(disk.volume(Part::Data).image, PathBuf::from("/x.img?offset=68157440"));
    }
}
