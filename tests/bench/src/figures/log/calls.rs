//! System calls for lines that come faster than any logger can write them.

use std::io::Write;
use std::thread;

use anyhow::{Context, Result, anyhow, ensure};

use super::{LINE, MEGABYTE, Measured, STAMPED, Title};
use crate::figures::Figure;
use crate::logger::{Logger, Prepared, lines};
use crate::table::{Asked, Row, Value};
use crate::{Bench, calls};

pub const FIGURE: Figure = Figure { name: "log-calls", what: "system calls of a logger", measure };

/// Bytes that are fed at once.
const INPUT: usize = 8_000_000;

/// Calls for a million bytes.
const ASKED: f64 = 100.0;

/// What a logger needs to begin and to end does not count.
fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let input = lines(INPUT / LINE, LINE);
    let per_megabyte = |logger, _| {
        let of_input = count(bench, logger, &input)? - count(bench, logger, &[])?;
        Ok(of_input / (input.len() as f64 / MEGABYTE))
    };
    let measured = Measured::in_turn(&Logger::peers_and(bench, Logger::Cat), 1, per_megabyte)?;
    let title = Title { name: "log-calls", what: "80-byte lines, date, for each MB", unit: "calls" };
    let exact = |samples: &_| Value { spread: None, ..Value::median(samples) };
    Ok(vec![measured.row(title, exact, Asked::AtMost(ASKED))?])
}

/// All calls of a logger that is fed so.
fn count(bench: &Bench, logger: Logger, input: &[u8]) -> Result<f64> {
    let Prepared { command, input: mut pipe, directory } = Prepared::new(bench, logger, STAMPED)?;
    let counted = thread::scope(|scope| {
        let feeder = scope.spawn(move || pipe.write_all(input));
        // Only the thread that starts a process can follow it.
        let counted = calls::count(command)?;
        let fed = feeder.join().map_err(|_| anyhow!("the feeder has failed"))?;
        fed.context("unable to feed a logger")?;
        Ok::<_, anyhow::Error>(counted)
    })?;
    ensure!(counted.is_success, "{logger:?} has failed");
    directory.remove()?;
    Ok(counted.calls as f64)
}
