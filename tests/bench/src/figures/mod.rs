//! The figures, each measured with services and supervisors of its own.

mod kill;
mod memory;
mod restart;
mod start;
mod status;

use std::time::Duration;

use anyhow::Result;

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
pub const ALL: [Figure; 5] = [status::FIGURE, restart::FIGURE, kill::FIGURE, memory::FIGURE, start::FIGURE];

/// Times the first `N` sides so often, each time beginning with another: what slows the machine down slows all of them.
fn time_in_turn<const N: usize>(
    rounds: usize,
    mut time: impl FnMut(Side, usize) -> Result<Duration>,
) -> Result<[Vec<Duration>; N]> {
    let mut times = [const { Vec::new() }; N];
    for round in 0..rounds {
        for turn in 0..N {
            let place = (round + turn) % N;
            times[place].push(time(Side::ALL[place], round)?);
        }
    }
    Ok(times)
}
