//! How often a logger runs that has nothing to do.

use std::time::Duration;

use anyhow::{Context, Result};

use super::{LINE, Measured, STAMPED, Title};
use crate::figures::Figure;
use crate::logger::{Logger, Running, lines};
use crate::table::{Asked, Row, Value};
use crate::{Bench, children, clock};

pub const FIGURE: Figure = Figure { name: "log-idle", what: "context switches of an idle logger", measure };

/// How long all are watched at once.
const INTERVAL: Duration = Duration::from_secs(3);

/// Before that. Who seems to sleep may still be on the way to it.
const REST: Duration = Duration::from_millis(100);

/// What is fed before.
const LINES: usize = 50_000;

fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let loggers = Logger::peers(bench);
    let input = lines(LINES, LINE);
    let start = |logger: &Logger| {
        let mut running = Running::start(bench, *logger, STAMPED)?;
        running.feed(&input)?;
        running.wait_asleep()?;
        Ok(running)
    };
    let running = loggers.iter().map(start).collect::<Result<Vec<Running>>>()?;
    let count = |running: &Running| children::context_switches(running.pid()?);
    clock::sleep_until(clock::now() + REST);
    let before = running.iter().map(count).collect::<Result<Vec<f64>>>()?;
    clock::sleep_until(clock::now() + INTERVAL);
    let switches = Measured::in_turn(&loggers, 1, |logger, _| {
        let place = loggers.iter().position(|other| *other == logger).context("all were started")?;
        Ok(count(&running[place])? - before[place])
    })?;
    running.into_iter().try_for_each(|its| its.finish()?.remove())?;
    let title = Title { name: "log-idle", what: "context switches of an idle logger in 3 s", unit: "switches" };
    Ok(vec![switches.row(title, Value::median, Asked::AtMost(0.0))?])
}
