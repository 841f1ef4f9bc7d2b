//! Lines that come faster than any logger can write them.

use anyhow::Result;

use super::{LINE, MEGABYTE, Measured, STAMPED, Title};
use crate::figures::Figure;
use crate::logger::{Keep, Logger, Running, Stamp, Task, lines};
use crate::table::Row;
use crate::{Bench, clock};

pub const FIGURE: Figure = Figure { name: "log", what: "lines through a pipe into memory, rotated at 1 MB", measure };

/// Bytes that are fed at once.
const INPUT: usize = 24_000_000;
/// Bytes of which each must be found again.
const CHECKED_INPUT: usize = 8_000_000;
/// How often each logger eats what is measured.
const ROUNDS: usize = 7;
/// Of lines with more in them.
const LONG_LINE: usize = 1000;

const UNSTAMPED: Task = Task { stamp: Stamp::None, keep: Keep::Five };

/// As many times as fast as another logger must ours be.
const THAN_DEBIAN: f64 = 4.0;
const THAN_S6_LOG: f64 = 2.0;
const THAN_CAT: f64 = 0.5;

const UNIT: &str = "MB/s";

fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let (peers, and_cat) = (Logger::peers(bench), Logger::peers_and(bench, Logger::Cat));
    and_cat.iter().try_for_each(|logger| check_whole(bench, *logger))?;
    let short = lines(INPUT / LINE, LINE);
    let long = lines(INPUT / LONG_LINE, LONG_LINE);
    let stamped = Measured::in_turn(&peers, ROUNDS, |logger, _| rate(bench, logger, STAMPED, &short))?;
    let plain = Measured::in_turn(&and_cat, ROUNDS, |logger, _| rate(bench, logger, UNSTAMPED, &short))?;
    let long = Measured::in_turn(&peers, ROUNDS, |logger, _| rate(bench, logger, STAMPED, &long))?;

    let title = |name, what| Title { name, what, unit: UNIT };
    let rows = [
        stamped.row_of_times(title("log-stamped", "80-byte lines, date, 4 x Debian's"), THAN_DEBIAN, Logger::Debian)?,
        stamped.row_of_times(title("log-stamped-s6", "80-byte lines, date, 2 x s6-log"), THAN_S6_LOG, Logger::S6Log)?,
        plain.row_of_times(title("log-plain", "80-byte lines, no date, half of cat"), THAN_CAT, Logger::Cat)?,
        long.row_of_times(title("log-long-s6", "1000-byte lines, date, 2 x s6-log"), THAN_S6_LOG, Logger::S6Log)?,
    ];
    Ok(rows.into_iter().flatten().collect())
}

/// Megabytes of input per second, from the first byte to the end of the logger.
fn rate(bench: &Bench, logger: Logger, task: Task, input: &[u8]) -> Result<f64> {
    let mut running = Running::start(bench, logger, task)?;
    let begin = clock::now();
    running.feed(input)?;
    let directory = running.finish()?;
    let time = clock::now().saturating_sub(begin);
    directory.remove()?;
    Ok(input.len() as f64 / MEGABYTE / time.as_secs_f64())
}

/// What is measured must be a logger: where no file is removed, all that was fed is there.
fn check_whole(bench: &Bench, logger: Logger) -> Result<()> {
    for (stamp, bytes) in [(Stamp::Date, LINE), (Stamp::None, LINE), (Stamp::Date, LONG_LINE)] {
        let input = lines(CHECKED_INPUT / bytes, bytes);
        let mut running = Running::start(bench, logger, Task { stamp, keep: Keep::All })?;
        running.feed(&input)?;
        let directory = running.finish()?;
        directory.check(&input)?;
        directory.remove()?;
    }
    Ok(())
}
