//! Cuts of the power: at random moments of boots, and after each of many writes of one that was recorded.

use crate::console::Console;
use crate::disk::{BOOT_LIMIT, Bench, Computer, Disk, EMERGENCY_MARK, Part, Volume};
use crate::disk_image::{self, copy_sparsely};
use crate::write_log::WriteLog;
use anyhow::{Context, Result, bail, ensure};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const CYCLES: u32 = 20;
/// How long after its mark a cut comes at most: stage 1 takes half a second, stage 3 too, on x86_64.
const STAGE_SPAN: Duration = Duration::from_millis(800);
const RUNNING_SPAN: Duration = Duration::from_millis(1500);

/// How many places in the log of writes are tried, and how many records make it.
const PREFIXES: usize = 100;
const LOGGED_RECORDS: u32 = 60;
const LOG_BYTES: u64 = 1024 * 1024 * 1024;

const ROOT_RECORDS: &str = "/var/lib/recorder/records";
const DATA_RECORDS: &str = "/records";
const LOG_DIRECTORY: &str = "/var/log/recorder";

/// Numbers that are the same for the same seed (splitmix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn within(&mut self, span: Duration) -> Duration {
        span.mul_f64(self.next() as f64 / u64::MAX as f64)
    }
}

// ---- cuts of boots ---------------------------------------------------------

/// When the power goes.
#[derive(Clone, Copy, Debug)]
enum Moment {
    Starting,
    Running,
    Stopping,
}

/// Twenty boots of one disk end by a cut; the next one comes up and has all that was acknowledged in any of them.
///
/// # Errors
/// An emergency, a record that is lost, a log that is torn, a file system that is not clean.
pub fn cut_twenty_times(bench: &Bench<'_>, check: &str) -> Result<String> {
    let mut chance = Chance(bench.seed);
    let mut computer = bench.virtio_computer(check, bench.fresh_disk(check)?);
    let mut counts = [0; 3];
    for cycle in 1..=CYCLES {
        let moment = [Moment::Starting, Moment::Running, Moment::Stopping][chance.below(3)];
        counts[moment as usize] += 1;
        computer.power_on(&format!("recorder={cycle}"))?;
        cut_at(&mut computer, moment, &mut chance).with_context(|| format!("cycle {cycle}, {moment:?}"))?;
        computer.cut_power();
    }
    computer.power_on("")?;
    computer.wait_prompt()?;
    computer.log_in()?;
    computer.guest()?.all_statuses(|status| status.name == "/etc/service/sample-crash")?;
    computer.power_off()?;
    let records = read_journal(&fs::read_to_string(computer.journal())?);
    let [root, data] = Part::ALL.map(|part| computer.disk.volume(part));
    check_volumes(&root, &data, &records, &bench.path(&format!("{check}-log")))?;
    let [starting, running, stopping] = counts;
    Ok(format!(
        "cut in stage 1, 2, 3: {starting}, {running}, {stopping} times; records of {} boots are there; clean",
        records.len()
    ))
}

/// Goes to the moment, and a while beyond it.
fn cut_at(computer: &mut Computer<'_>, moment: Moment, chance: &mut Chance) -> Result<()> {
    if let Moment::Starting = moment {
        return computer.guest()?.console.watch(chance.within(STAGE_SPAN));
    }
    computer.wait_prompt()?;
    if let Moment::Running = moment {
        return computer.guest()?.console.watch(chance.within(RUNNING_SPAN));
    }
    computer.log_in()?;
    let console = &mut computer.guest()?.console;
    console.type_line("poweroff")?;
    wait_unhelped(console, "- runit: enter stage: /etc/runit/3")?;
    console.watch(chance.within(STAGE_SPAN))
}

fn wait_unhelped(console: &mut Console, mark: &str) -> Result<()> {
    match console.wait_for_any(&[mark, EMERGENCY_MARK], BOOT_LIMIT)? {
        (0, _) => Ok(()),
        (_, seen) => bail!("an emergency: {}", seen.text),
    }
}

/// The last record of each boot that was acknowledged, as the console tells it: lines `[ TIME] recorded MARK RECORD`.
fn read_journal(journal: &str) -> Vec<(u32, u32)> {
    let mut records: Vec<(u32, u32)> = Vec::new();
    for line in journal.lines() {
        let words: Vec<&str> = line.split_whitespace().rev().take(3).collect();
        if let [record, mark, "recorded"] = words[..]
            && let (Ok(mark), Ok(record)) = (mark.parse(), record.parse())
        {
            match records.last_mut() {
                Some(last) if last.0 == mark => last.1 = record,
                _ => records.push((mark, record)),
            }
        }
    }
    records
}

// ---- what must be there ----------------------------------------------------

/// Both files of records, and the log directory, of which a copy is made below `place`. Returns the number of lines
/// there.
fn check_volumes(root: &Volume, data: &Volume, records: &[(u32, u32)], place: &Path) -> Result<usize> {
    for (volume, path) in [(root, ROOT_RECORDS), (data, DATA_RECORDS)] {
        check_records(&volume.read(path)?, records).with_context(|| path.to_owned())?;
    }
    if place.exists() {
        fs::remove_dir_all(place)?;
    }
    root.take_directory(LOG_DIRECTORY, place)?;
    let name = Path::new(LOG_DIRECTORY).file_name().context("no name")?;
    check_log_directory(&place.join(name))
}

/// Each of the boots `(MARK, RECORD)` has its records up to that one, in their order.
///
/// # Errors
/// One is missing.
pub fn check_records(text: &str, records: &[(u32, u32)]) -> Result<()> {
    let present: Vec<(u32, u32)> =
        text.lines().filter_map(|line| parse_numbers(line.strip_prefix("record ")?)).collect();
    for &(mark, last) in records {
        let of_boot: Vec<u32> = present.iter().filter(|record| record.0 == mark).map(|record| record.1).collect();
        let expected: Vec<u32> = (1..=of_boot.len() as u32).collect();
        ensure!(of_boot == expected, "boot {mark}: records {of_boot:?}");
        ensure!(
            of_boot.len() >= last as usize,
            "boot {mark}: record {last} was acknowledged, {} are there",
            of_boot.len()
        );
    }
    Ok(())
}

fn parse_numbers(text: &str) -> Option<(u32, u32)> {
    let (mark, number) = text.split_once(' ')?;
    Some((mark.parse().ok()?, number.parse().ok()?))
}

/// What svlogd promises of its directory, whatever happened: a file that is finished is whole; lines go on from it to
/// the next without a gap; only the end of one that was not closed may be torn. Returns the number of lines.
fn check_log_directory(directory: &Path) -> Result<usize> {
    let mut files: Vec<PathBuf> = fs::read_dir(directory)
        .with_context(|| format!("unable to read directory: {}", directory.display()))?
        .map(|item| Ok(item?.path()))
        .collect::<Result<_>>()?;
    // Labels are in order, and `current` comes after them.
    files.retain(|path| file_name(path).starts_with('@') || file_name(path) == "current");
    files.sort();
    let mut last: Option<Line> = None;
    let mut count = 0;
    for path in &files {
        let name = file_name(path);
        let content = fs::read(path)?;
        let text = String::from_utf8_lossy(&content);
        let is_finished = name.ends_with(".s");
        ensure!(!is_finished || text.ends_with('\n'), "{name} is torn: {:?}", text.lines().last());
        let (whole, _) = text.rsplit_once('\n').unwrap_or_default();
        for line in whole.lines() {
            let line = parse_line(line).with_context(|| format!("{name}: not a line: {line:?}"))?;
            if let Some(last) = last {
                let follows = line.number == last.number + 1 && line.mark == last.mark;
                ensure!(follows || (line.mark > last.mark && line.number == 1), "{name}: {line:?} follows {last:?}");
            }
            last = Some(line);
            count += 1;
        }
    }
    Ok(count)
}

fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

#[derive(Clone, Copy, Debug)]
struct Line {
    mark: u32,
    number: u32,
}

/// `STAMP line MARK NUMBER of what the recorder has to say`
fn parse_line(line: &str) -> Option<Line> {
    let rest = line.split_once(" line ")?.1.strip_suffix(" of what the recorder has to say")?;
    let (mark, number) = parse_numbers(rest)?;
    Some(Line { mark, number })
}

// ---- cuts between writes ---------------------------------------------------

/// Records all that is written to the disk from the boot to the end, and looks at the disk as it would be after a part
/// of it.
///
/// # Errors
/// e2fsck cannot repair one of them, or something is missing there that was acknowledged.
pub fn replay_write_log(bench: &Bench<'_>, check: &str) -> Result<String> {
    let log_path = bench.path("writes.log");
    File::create(&log_path)?.set_len(LOG_BYTES)?;
    let mut computer = bench.virtio_computer(check, bench.fresh_disk(check)?);
    let nodes = [
        format!("driver=file,node-name=disk-file,filename={}", computer.disk.path.display()),
        format!("driver=file,node-name=log-file,filename={}", log_path.display()),
        "driver=raw,node-name=log,file=log-file".to_owned(),
        "driver=blklogwrites,node-name=disk,file=disk-file,log=log".to_owned(),
    ];
    let drive: Vec<String> = nodes.into_iter().flat_map(|node| ["-blockdev".to_owned(), node]).collect();
    computer.power_on_with("recorder=1", &drive)?;
    computer.wait_prompt()?;
    let mut log = WriteLog::open(&log_path)?;
    // For each record, how many writes there were when it was known to be acknowledged.
    let mut acknowledged: Vec<(u32, usize)> = Vec::new();
    while acknowledged.last().is_none_or(|&(record, _)| record < LOGGED_RECORDS) {
        let record = computer.wait_record(1, 1)?;
        log.read_on()?;
        acknowledged.push((record, log.writes.len()));
    }
    computer.log_in()?;
    computer.power_off()?;
    log.read_on()?;
    let seen = replay(bench, &log, &acknowledged, check)?;
    // Else something was written that is not in the log, or not as the log has it.
    let mut compare = Command::new("cmp");
    disk_image::run_tool(compare.arg(bench.path("base.img")).arg(&computer.disk.path)).context("the whole log")?;
    Ok(seen)
}

/// Half of the cuts keep all writes that came before, the others lose some of those that no flush had followed. One of
/// these is not repaired from outside but booted.
fn replay(bench: &Bench, log: &WriteLog, acknowledged: &[(u32, usize)], check: &str) -> Result<String> {
    let mut chance = Chance(bench.seed);
    let mut counts: Vec<usize> = (0..PREFIXES).map(|_| chance.below(log.writes.len()) + 1).collect();
    counts.sort_unstable();
    let base_path = bench.path("base.img");
    copy_sparsely(&bench.path("fresh.img"), &base_path)?;
    let base = File::options().write(true).open(&base_path)?;
    let log_place = bench.path(&format!("{check}-log"));
    let (mut done, mut lost, mut lines) = (0, 0, 0);
    for (index, &count) in counts.iter().enumerate() {
        let is_lossy = index % 2 == 1;
        // What is safe was safe at the cut before.
        let safe = if is_lossy { log.safe_before(count).max(done) } else { count };
        log.apply(done..safe, &base)?;
        done = safe;
        let disk = Disk { path: bench.path(&format!("{check}-cut.img")) };
        copy_sparsely(&base_path, &disk.path)?;
        if is_lossy {
            let file = File::options().write(true).open(&disk.path)?;
            lost += log.apply_some(safe..count, &file, || chance.next().is_multiple_of(2))?;
        }
        let last = acknowledged.iter().rev().find(|(_, writes)| *writes <= count).map(|&(record, _)| (1, record));
        let records: Vec<(u32, u32)> = last.into_iter().collect();
        let place = || format!("after {count} of {} writes, of which {safe} are safe", log.writes.len());
        lines += examine(&disk, &records, &log_place).with_context(place)?;
        if index == PREFIXES / 2 + 1 {
            boot_cut_disk(bench, check, disk, &records).with_context(place)?;
        }
    }
    log.apply(done..log.writes.len(), &base)?;
    ensure!(lost > 0 && lines > 0, "{lost} writes lost, {lines} lines: nothing was tried");
    Ok(format!(
        "{} writes, {PREFIXES} cuts, {lost} writes lost at half of them: all repaired, one booted, {lines} lines whole",
        log.writes.len(),
    ))
}

/// What e2fsck can do from outside, stage 1 must do by itself.
fn boot_cut_disk(bench: &Bench, check: &str, disk: Disk, records: &[(u32, u32)]) -> Result<()> {
    let mut computer = bench.computer(&format!("{check}-booted"), disk);
    computer.power_on("")?;
    computer.wait_prompt()?;
    computer.log_in()?;
    computer.power_off()?;
    let [root, data] = Part::ALL.map(|part| computer.disk.volume(part));
    check_volumes(&root, &data, records, &bench.path(&format!("{check}-log"))).map(drop)
}

/// Repairs both file systems, and looks for what must be there.
fn examine(disk: &Disk, records: &[(u32, u32)], place: &Path) -> Result<usize> {
    let take = |part: Part, name: &str| disk.take_volume(part, disk.path.with_extension(name));
    let (root, data) = (take(Part::Root, "root")?, take(Part::Data, "data")?);
    for volume in [&root, &data] {
        disk_image::repair(&volume.image, &[])?;
        disk_image::check_unmounted(&volume.image)?;
    }
    check_volumes(&root, &data, records, place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_moments() {
        let moments =
            |seed| (0..5).map(|_| 0).scan(Chance(seed), |chance, _: u32| Some(chance.below(100))).collect::<Vec<_>>();

        assert_eq!(moments(7), moments(7));
        assert_ne!(moments(7), moments(8));
        assert!(Chance(1).within(STAGE_SPAN) <= STAGE_SPAN);
    }

    #[test]
    fn the_journal_tells_the_last_record_of_each_boot() {
        let journal = "[ 4.1] recorded 1 1\n[ 4.2] recorded 1 2\n[ 9.0] login: recorded 2 1\n[ 9.1] recorded 3 x\n";

        assert_eq!(read_journal(journal), [(1, 2), (2, 1)]);
    }

    #[test]
    fn a_record_may_be_more_than_acknowledged_but_not_missing() {
        let text = "\nrecord 1 1\nrecord 1 2\nrec\nrecord 2 1\n";

        assert!(check_records(text, &[(1, 1), (2, 1)]).is_ok());
        assert!(check_records(text, &[(1, 3)]).is_err());
        assert!(check_records("record 1 2\n", &[(1, 1)]).is_err());
    }

    fn directory_of(files: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().expect("a directory");
        for (name, lines) in files {
            let text = lines.replace('N', " of what the recorder has to say\n").replace('L', "2026-01-01 line 1 ");
            fs::write(directory.path().join(name), text).expect("a file");
        }
        directory
    }

    #[test]
    fn a_log_directory_may_end_torn_and_nowhere_else() {
        let lines = |files: &[(&str, &str)]| check_log_directory(directory_of(files).path());

        assert_eq!(lines(&[("@1.s", "L1NL2N"), ("current", "L3NL4"), ("lock", "")]).expect("whole"), 3);
        assert!(lines(&[("@1.s", "L1NL2"), ("current", "")]).is_err());
        assert!(lines(&[("@1.s", "L1N"), ("current", "L3N")]).is_err());
        assert!(lines(&[("@1.s", "L1N"), ("current", "\0\0\nL2N")]).is_err());
    }
}
