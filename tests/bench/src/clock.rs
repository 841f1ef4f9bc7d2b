//! The clock by which the stub, too, tells the time.

use std::time::Duration;

use anyhow::{Result, ensure};
use nix::time::{ClockId, clock_gettime};

/// What anything may take on a slow and busy machine. Nothing waits this long when all is well.
const LIMIT: Duration = Duration::from_secs(60);

/// Time since boot, as `CLOCK_MONOTONIC` has it.
pub fn now() -> Duration {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from).expect("the kernel has this clock")
}

/// Looks every `pause` whether `attempt` has an answer.
///
/// # Errors
/// That of `attempt`; and that there was no answer within the limit.
pub fn wait_until<T>(what: &str, pause: Duration, mut attempt: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let begin = now();
    loop {
        if let Some(answer) = attempt()? {
            return Ok(answer);
        }
        ensure!(now().saturating_sub(begin) < LIMIT, "waited {} s in vain: {what}", LIMIT.as_secs());
        std::thread::sleep(pause);
    }
}

/// Looks without a pause whether `attempt` has an answer, for what comes within microseconds.
///
/// # Errors
/// That of `attempt`; and that there was no answer within the limit.
pub fn spin_until<T>(what: &str, mut attempt: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let begin = now();
    loop {
        if let Some(answer) = attempt()? {
            return Ok(answer);
        }
        ensure!(now().saturating_sub(begin) < LIMIT, "waited {} s in vain: {what}", LIMIT.as_secs());
        std::thread::yield_now();
    }
}

/// Waits until the clock shows `time`.
pub fn sleep_until(time: Duration) {
    std::thread::sleep(time.saturating_sub(now()));
}
