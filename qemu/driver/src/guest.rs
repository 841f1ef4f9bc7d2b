//! What can be asked of a guest in whose shell somebody is logged in.

use crate::console::Console;
use crate::status_line::StatusLine;
use crate::times::Times;
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::time::Instant;

/// How many times the guest looks for something that should come soon, and how long it waits between two looks.
const LOOKS: u32 = 200;
const LOOK_SECONDS: &str = "0.05";

pub struct Guest {
    pub console: Console,
}

/// Memory of one process in KiB, as the kernel counts it.
pub struct Memory {
    pub resident: u32,
    pub private_dirty: u32,
}

impl Guest {
    /// The status of one service.
    ///
    /// # Errors
    /// `sv` fails, or prints something else.
    pub fn status(&mut self, service: &str) -> Result<StatusLine> {
        let text = self.console.ask(&format!("sv status {service}"))?;
        StatusLine::parse(text.trim_end())
    }

    /// The status of everything in /etc/service, once all of it has a process: what starts may still be starting. Services of
    /// which `is_exempt` is true are not waited for.
    ///
    /// # Errors
    /// A line is not a status.
    pub fn all_statuses(&mut self, is_exempt: fn(&StatusLine) -> bool) -> Result<Vec<StatusLine>> {
        let is_up = |status: &StatusLine| is_exempt(status) || status.running_pid().is_ok();
        for _ in 0..LOOKS {
            let answer = self.console.run("sv status /etc/service/*")?;
            let statuses: Result<Vec<StatusLine>> = answer.text.lines().map(StatusLine::parse).collect();
            if let Ok(statuses) = statuses
                && answer.code == 0
                && statuses.iter().all(|status| is_up(status) && status.log.as_deref().is_none_or(is_up))
            {
                return Ok(statuses);
            }
            self.pause()?;
        }
        let answer = self.console.run("sv status /etc/service/*")?;
        bail!("not everything runs: exit code {}:\n{}", answer.code, answer.text)
    }

    /// Runs a command of `sv` that waits; returns the status after its `ok: `.
    ///
    /// # Errors
    /// It fails, or says something else.
    pub fn expect_ok(&mut self, command: &str) -> Result<StatusLine> {
        let text = self.console.ask(command)?;
        let line = text.trim_end().strip_prefix("ok: ").with_context(|| format!("{command}: {text:?}"))?;
        StatusLine::parse(line).with_context(|| command.to_owned())
    }

    /// The pid of a service, once it is not `old` any more.
    ///
    /// # Errors
    /// It stays as it is.
    pub fn wait_pid_other_than(&mut self, old: u32, service: &str) -> Result<u32> {
        for _ in 0..LOOKS {
            match self.status(service)?.running_pid() {
                Ok(pid) if pid != old => return Ok(pid),
                _ => self.pause()?,
            }
        }
        bail!("{service} has no new pid: {:?}", self.status(service)?)
    }

    /// Lets the guest's shell look again and again until `condition` holds.
    ///
    /// # Errors
    /// It never does.
    pub fn look_until(&mut self, condition: &str) -> Result<()> {
        let looking = format!(
            "n=0; until {condition} || [ $n -ge {LOOKS} ]; do sleep {LOOK_SECONDS}; n=$((n+1)); done 2>/dev/null; {condition}"
        );
        self.console.ask(&looking).map(drop).with_context(|| format!("never came true: {condition}"))
    }

    /// The pause between two looks.
    fn pause(&mut self) -> Result<()> {
        self.console.ask(&format!("sleep {LOOK_SECONDS}")).map(drop)
    }

    /// Whether a process of this number is there.
    ///
    /// # Errors
    /// The shell does not answer.
    pub fn has_process(&mut self, pid: u32) -> Result<bool> {
        Ok(self.console.run(&format!("test -d /proc/{pid}"))?.code == 0)
    }

    /// What stage 1 took.
    ///
    /// # Errors
    /// The guest does not answer, or its file is not in the format.
    pub fn boot_times(&mut self) -> Result<Times> {
        Times::parse(&self.console.ask("cat /run/runit/boot.times")?)
    }

    /// How many seconds the kernel's clock, which starts when the kernel is unpacked, showed at that moment: what has
    /// passed since is taken off.
    ///
    /// # Errors
    /// The guest does not answer.
    pub fn kernel_seconds_at(&mut self, moment: Instant) -> Result<f64> {
        let hundredths = self.uptime_hundredths()?;
        Ok(hundredths as f64 / 100.0 - moment.elapsed().as_secs_f64())
    }

    /// Hundredths of a second since the kernel started, by the clock that does not jump.
    ///
    /// # Errors
    /// /proc/uptime cannot be read.
    pub fn uptime_hundredths(&mut self) -> Result<u64> {
        let text = self.console.ask("cut -d' ' -f1 /proc/uptime")?;
        parse_hundredths(text.trim())
    }

    /// pid 1, the runsvdir of stage 2 and the runsv of a service.
    ///
    /// # Errors
    /// One of them is not there.
    pub fn supervisors(&mut self, service: &str) -> Result<BTreeMap<String, u32>> {
        let text = self.console.ask("ps -o pid,args")?;
        let pid_of =
            |command: &str| find_process(&text, command).with_context(|| format!("no process {command:?} in\n{text}"));
        Ok(BTreeMap::from([
            ("pid 1".to_owned(), 1),
            ("runsvdir".to_owned(), pid_of("runsvdir -P /run/runit/runsvdir/current")?),
            ("runsv".to_owned(), pid_of(&format!("runsv {service}"))?),
        ]))
    }

    /// How often each process was given the processor, of its own will or not.
    ///
    /// # Errors
    /// One of them is gone.
    pub fn switches(&mut self, processes: &BTreeMap<String, u32>) -> Result<BTreeMap<String, Vec<u64>>> {
        let mut switches = BTreeMap::new();
        for (who, pid) in processes {
            let text = self.console.ask(&format!("grep ctxt_switches /proc/{pid}/status"))?;
            let counts: Vec<u64> =
                text.lines().filter_map(|line| line.split_whitespace().nth(1)?.parse().ok()).collect();
            ensure!(counts.len() == 2 && counts[0] > 0, "{who}: {text:?}");
            switches.insert(who.clone(), counts);
        }
        Ok(switches)
    }

    /// # Errors
    /// The process is gone.
    pub fn memory(&mut self, pid: u32) -> Result<Memory> {
        let text = self.console.ask(&format!("cat /proc/{pid}/smaps_rollup"))?;
        let kib = |name: &str| -> Result<u32> {
            let line = text.lines().find(|line| line.starts_with(name));
            let value = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
            value.with_context(|| format!("no {name} in {text:?}"))
        };
        Ok(Memory { resident: kib("Rss:")?, private_dirty: kib("Private_Dirty:")? })
    }
}

/// The pid of the first process of a listing `PID ARGUMENTS` whose arguments begin with `command`.
fn find_process(listing: &str, command: &str) -> Option<u32> {
    listing.lines().find_map(|line| {
        let (pid, arguments) = line.trim_start().split_once(' ')?;
        if arguments.trim_start().starts_with(command) { pid.parse().ok() } else { None }
    })
}

/// `12.34` seconds as hundredths.
fn parse_hundredths(text: &str) -> Result<u64> {
    let (whole, part) = text.split_once('.').with_context(|| format!("not a time: {text:?}"))?;
    ensure!(part.len() == 2, "not in hundredths: {text:?}");
    Ok(whole.parse::<u64>()? * 100 + part.parse::<u64>()?)
}

/// The time of day of a file's stamp, `2026-01-02 03:04:05.678901234 +0000`, in milliseconds.
pub fn parse_stamp(stamp: &str) -> Result<u64> {
    let parse = || -> Option<u64> {
        let mut parts = stamp.split_whitespace().nth(1)?.split([':', '.']);
        let mut number = || parts.next()?.parse::<u64>().ok();
        let (hours, minutes, seconds, nanoseconds) = (number()?, number()?, number()?, number()?);
        Some(((hours * 60 + minutes) * 60 + seconds) * 1000 + nanoseconds / 1_000_000)
    };
    parse().with_context(|| format!("not a stamp: {stamp:?}"))
}

/// Lines `line N`: in each run of the service N starts at 1 and grows by one. Returns the last N.
pub fn check_numbering(text: &str) -> Result<u32> {
    let mut last = 0;
    for line in text.lines() {
        let number = line.strip_prefix("line ").and_then(|number| number.parse().ok());
        let number: u32 = number.with_context(|| format!("torn line {line:?} after line {last}"))?;
        ensure!(number == last + 1 || number == 1, "line {number} follows line {last}");
        last = number;
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uptime_is_counted_in_hundredths() {
        assert_eq!(parse_hundredths("12.05").expect("a time"), 1205);
        assert!(parse_hundredths("12").is_err());
        assert!(parse_hundredths("12.5").is_err());
    }

    #[test]
    fn stamps_of_files_are_compared_in_milliseconds() {
        assert_eq!(parse_stamp("2026-01-02 03:01:05.678901234 +0000").expect("a stamp"), 3 * 3_600_000 + 65_678);
        assert!(parse_stamp("2026-01-02").is_err());
    }

    #[test]
    fn numbering_may_start_again_but_not_skip() {
        assert_eq!(check_numbering("line 1\nline 2\nline 1\nline 2\nline 3\n").expect("no gap"), 3);
        assert!(check_numbering("line 1\nline 3\n").is_err());
        assert!(check_numbering("line 1\nli").is_err());
    }

    #[test]
    fn a_process_is_found_by_the_beginning_of_its_arguments() {
        let listing = "  PID COMMAND\n    1 /init\n  105 runsvdir -P /run/runit/getties\n   88 runsvdir -P /run/runit/runsvdir/current\n";

        assert_eq!(find_process(listing, "runsvdir -P /run/runit/runsvdir/current"), Some(88));
        assert_eq!(find_process(listing, "init"), None);
    }
}
