//! The figures, each measured with processes of its own.

mod chpst;
mod kill;
mod log;
mod memory;
mod restart;
mod start;
mod status;

use std::time::Duration;

use anyhow::{Result, anyhow};

use crate::table::Row;
use crate::{Bench, Side};

/// One measurement, with one or more rows as result.
pub struct Figure {
    /// How it is asked for.
    pub name: &'static str,
    /// What is measured.
    pub what: &'static str,
    /// Measures it.
    pub measure: fn(&Bench) -> Result<Vec<Row>>,
}

/// All of them, in the order of the table.
pub const ALL: [Figure; 12] = [
    status::FIGURE,
    restart::FIGURE,
    kill::FIGURE,
    memory::FIGURE,
    start::FIGURE,
    log::bulk::FIGURE,
    log::calls::FIGURE,
    log::single::FIGURE,
    log::memory::FIGURE,
    log::idle::FIGURE,
    chpst::FIGURE,
    chpst::FULL,
];

/// Times the first `N` sides so often.
fn time_in_turn<const N: usize>(
    rounds: usize,
    time: impl FnMut(Side, usize) -> Result<Duration>,
) -> Result<[Vec<Duration>; N]> {
    let times = take_turns(&Side::ALL[..N], rounds, time)?;
    times.try_into().map_err(|_| anyhow!("not every side was measured"))
}

/// Measures all sides so often, each time beginning with another: what slows the machine down slows all of them. The
/// results of each side, in the order of the sides.
fn take_turns<S: Copy, T>(
    sides: &[S],
    rounds: usize,
    mut measure: impl FnMut(S, usize) -> Result<T>,
) -> Result<Vec<Vec<T>>> {
    let mut results: Vec<Vec<T>> = sides.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds {
        for turn in 0..sides.len() {
            let place = (round + turn) % sides.len();
            results[place].push(measure(sides[place], round)?);
        }
    }
    Ok(results)
}
