//! Lines that are written into the pipe one at a time.

use std::fs::File;
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result};

use super::{LINE, MEGABYTE, Measured, STAMPED, Title};
use crate::figures::Figure;
use crate::logger::{Logger, Running, lines};
use crate::table::{Asked, Row, Value};
use crate::{Bench, clock};

pub const FIGURE: Figure =
    Figure { name: "log-single", what: "lines that arrive one at a time, and when they can be read", measure };

/// Lines that are fed as fast as they can be written one by one.
const LINES: usize = 100_000;
/// How often each logger eats them.
const ROUNDS: usize = 11;
/// Lines of which each is waited for.
const SEEN: usize = 500;

/// How much of what one read and one write for each line make possible.
const ASKED: f64 = 0.5;

fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let floor = Logger::Copier(LINE);
    let loggers = Logger::peers_and(bench, floor);
    let delay = measure_delay(bench, &loggers)?;
    let input = lines(LINES, LINE);
    let rate = Measured::in_turn(&loggers, ROUNDS, |logger, _| rate(bench, logger, &input))?;
    let title = Title { name: "log-single", what: "80-byte lines one at a time, date", unit: "MB/s" };
    let mut rows: Vec<Row> = rate.row_of_times(title, ASKED, floor)?.into_iter().collect();
    let title = Title { name: "log-delay", what: "one line until it can be read, date", unit: "us" };
    rows.push(delay.row(title, Value::median, Asked::Nothing)?);
    Ok(rows)
}

/// Megabytes of input per second, from the first byte to the end of the logger.
fn rate(bench: &Bench, logger: Logger, input: &[u8]) -> Result<f64> {
    let mut running = Running::start(bench, logger, STAMPED)?;
    let begin = clock::now();
    for line in input.chunks(LINE) {
        running.feed(line)?;
    }
    let directory = running.finish()?;
    let time = clock::now().saturating_sub(begin);
    directory.remove()?;
    Ok(input.len() as f64 / MEGABYTE / time.as_secs_f64())
}

/// Microseconds from the write of a line until it stands in `current`. No line is written before the last one is there.
fn measure_delay(bench: &Bench, loggers: &[Logger]) -> Result<Measured> {
    let start = |logger: &Logger| Watched::start(bench, *logger);
    let mut watched = loggers.iter().map(start).collect::<Result<Vec<Watched>>>()?;
    let lines = lines(SEEN, LINE);
    let delay = Measured::in_turn(loggers, SEEN, |logger, round| {
        let its = watched.iter_mut().find(|its| its.logger == logger).context("all were started")?;
        its.time(&lines[round * LINE..][..LINE]).with_context(|| format!("{logger:?} does not write as lines come"))
    })?;
    watched.into_iter().try_for_each(|its| its.running.finish()?.remove())?;
    Ok(delay)
}

/// An idle logger, and its file, which is read as it grows.
struct Watched {
    logger: Logger,
    running: Running,
    current: File,
    seen: u64,
}

impl Watched {
    fn start(bench: &Bench, logger: Logger) -> Result<Self> {
        let running = Running::start(bench, logger, STAMPED)?;
        Ok(Self { logger, current: running.open_current()?, running, seen: 0 })
    }

    fn time(&mut self, line: &[u8]) -> Result<f64> {
        self.running.wait_asleep()?;
        let begin = clock::now();
        self.running.feed(line)?;
        let length = clock::spin_until("a line to be written", || {
            let mut text = [0; 2 * LINE];
            let length = self.current.read_at(&mut text, self.seen).context("unable to read current")?;
            Ok(text[..length].ends_with(line).then_some(length))
        })?;
        let time = clock::now().saturating_sub(begin);
        self.seen += length as u64;
        Ok(time.as_secs_f64() * 1e6)
    }
}
