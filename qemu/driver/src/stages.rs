//! What pid 1 and its stages say on the console on the way up and on the way down.

use crate::console::Console;
use crate::machine::Machine;
use anyhow::{Result, ensure};
use std::time::{Duration, Instant};

/// Stages 1 and 2 begin without complaint, and a prompt comes. Returns when it came; each step gets so much time.
///
/// # Errors
/// A step does not come, or a stage complains.
pub fn watch_boot(console: &mut Console, limit: Duration) -> Result<Instant> {
    console.wait_for("- runit: enter stage: /etc/runit/1", limit)?;
    let stage_1 = console.wait_for("- runit: leave stage: /etc/runit/1", limit)?.text;
    console.wait_for("- runit: enter stage: /etc/runit/2", limit)?;
    let stage_2 = console.wait_for("login: ", limit)?;
    refuse_complaints(&stage_1)?;
    refuse_complaints(&stage_2.text)?;
    Ok(stage_2.at)
}

/// Follows the way down to the last line, without complaints; returns the time of stage 3.
///
/// # Errors
/// A step does not come, or stage 3 complains.
pub fn watch_shutdown(console: &mut Console, last: &str, limit: Duration) -> Result<Duration> {
    console.wait_for("- runit: leave stage: /etc/runit/2", limit)?;
    let entered = console.wait_for("- runit: enter stage: /etc/runit/3", limit)?;
    let left = console.wait_for("- runit: leave stage: /etc/runit/3", limit)?;
    console.wait_for("- runit: sending KILL signal to all processes...", limit)?;
    console.wait_for(last, limit)?;
    refuse_complaints(&left.text)?;
    Ok(left.at - entered.at)
}

/// QEMU ends, for the reason given.
///
/// # Errors
/// It goes on, or ends for another reason.
pub fn watch_end(console: &mut Console, machine: &mut Machine, expected: &str, limit: Duration) -> Result<()> {
    console.wait_end(limit)?;
    let (reason, status) = machine.wait_shutdown(limit)?;
    ensure!(reason == expected, "QEMU ended by {reason}, not {expected}");
    ensure!(status.success(), "QEMU ended with {status}");
    Ok(())
}

/// pid 1 and the stages complain in lines of the form `- WHO: warning: WHAT`.
///
/// # Errors
/// There is such a line.
pub fn refuse_complaints(text: &str) -> Result<()> {
    let complaints: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("- ") && (line.contains(": warning: ") || line.contains(": fatal: ")))
        .collect();
    ensure!(complaints.is_empty(), "complaints on the way: {complaints:?}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_complaints_of_ours_are_refused() {
        assert!(refuse_complaints("- boot: devices: done\n[ 1.0] kernel: warning: noise\n").is_ok());
        assert!(refuse_complaints("- boot: warning: devices: unable to mount /dev\n").is_err());
        assert!(refuse_complaints("- runit: fatal: unable to start child: x\n").is_err());
    }
}
