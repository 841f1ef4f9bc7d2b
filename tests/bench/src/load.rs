//! How much of the machine others took while something was measured.

use anyhow::{Context, Result};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// `/proc/stat` counts in hundredths of a second on every machine.
const TICKS_PER_SECOND: f64 = 100.0;

/// Processor time in seconds, from some moment on.
struct Times {
    /// What there was, idle or not.
    all: f64,
    /// Spent by anybody, and by the machine's host.
    busy: f64,
    /// Spent by this process and by all children of it that have ended.
    ours: f64,
}

/// A measurement that has begun.
pub struct Load(Times);

impl Load {
    /// Begins. Nothing that was started earlier may still run.
    pub fn begin() -> Result<Self> {
        Times::read().map(Self)
    }

    /// The share of all processors that went to others since. All that was started must have ended.
    pub fn share_of_others(&self) -> Result<f64> {
        let (begin, end) = (&self.0, Times::read()?);
        let others = (end.busy - begin.busy) - (end.ours - begin.ours);
        Ok((others / (end.all - begin.all).max(1.0 / TICKS_PER_SECOND)).clamp(0.0, 1.0))
    }
}

impl Times {
    fn read() -> Result<Self> {
        let text = std::fs::read_to_string("/proc/stat").context("unable to read /proc/stat")?;
        // user nice system idle iowait irq softirq steal; what follows is contained in user and nice.
        let ticks: Vec<f64> = text
            .lines()
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .skip(1)
            .take(8)
            .filter_map(|word| word.parse().ok())
            .collect();
        let all: f64 = ticks.iter().sum();
        let idle: f64 = ticks.iter().skip(3).take(2).sum();
        let ours = spent(UsageWho::RUSAGE_SELF)? + spent(UsageWho::RUSAGE_CHILDREN)?;
        Ok(Self { all: all / TICKS_PER_SECOND, busy: (all - idle) / TICKS_PER_SECOND, ours })
    }
}

fn spent(who: UsageWho) -> Result<f64> {
    let usage = getrusage(who).context("unable to ask for the time spent")?;
    let spent = usage.user_time() + usage.system_time();
    Ok(spent.num_microseconds() as f64 / 1e6)
}
