//! Waiting: retry until true, or until a generous limit.

use std::time::{Duration, Instant};

/// How long anything may take on a slow and busy machine. Nothing waits this long when all is well.
pub const LIMIT: Duration = Duration::from_secs(40);

const PAUSE: Duration = Duration::from_millis(4);

/// Retries `attempt` until it answers, and gives the answer back.
///
/// # Panics
/// After [`LIMIT`], naming `what`. The scratch directory then prints what it holds.
#[track_caller]
pub fn wait_until<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = attempt() {
            return answer;
        }
        assert!(start.elapsed() < LIMIT, "waited {} s in vain: {what}", LIMIT.as_secs());
        std::thread::sleep(PAUSE);
    }
}
