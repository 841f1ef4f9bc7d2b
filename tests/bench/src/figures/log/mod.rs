//! `svlogd` beside Debian's and `s6-log`, each with a pipe and a log directory of its own.

pub mod bulk;
pub mod calls;
pub mod idle;
pub mod memory;
pub mod single;

use anyhow::{Context, Result};

use super::take_turns;
use crate::logger::{Keep, Logger, Stamp, Task};
use crate::statistics::Samples;
use crate::table::{Asked, Row, Value};

/// Bytes of a line, with its newline.
const LINE: usize = 80;

/// A million bytes, of input.
const MEGABYTE: f64 = 1e6;

/// What a logger usually does.
const STAMPED: Task = Task { stamp: Stamp::Date, keep: Keep::Five };

/// What was measured of each logger.
struct Measured(Vec<(Logger, Samples)>);

impl Measured {
    /// Measures all so often, each time beginning with another.
    fn in_turn(loggers: &[Logger], rounds: usize, measure: impl FnMut(Logger, usize) -> Result<f64>) -> Result<Self> {
        let values = take_turns(loggers, rounds, measure)?;
        Ok(Self(loggers.iter().copied().zip(values.into_iter().map(Samples::new)).collect()))
    }

    fn samples(&self, wanted: impl Fn(Logger) -> bool) -> Option<&Samples> {
        self.0.iter().find(|(logger, _)| wanted(*logger)).map(|(_, samples)| samples)
    }

    /// The median, if this one was measured.
    fn median(&self, wanted: Logger) -> Option<f64> {
        self.samples(|logger| logger == wanted).map(Samples::median)
    }

    /// A row that tells `value` of each.
    fn row(&self, title: Title, value: fn(&Samples) -> Value, asked: Asked) -> Result<Row> {
        let of = |wanted| self.samples(|logger| logger == wanted).map(value);
        Ok(Row {
            name: title.name,
            what: title.what,
            unit: title.unit,
            ours: of(Logger::Ours).context("ours was not measured")?,
            debian: of(Logger::Debian).context("Debian's was not measured")?,
            s6: of(Logger::S6Log),
            bare: self.samples(|logger| matches!(logger, Logger::Cat | Logger::Copier(_))).map(value),
            asked,
        })
    }

    /// A row of medians of which ours must be so many times that of another logger; none if there was no such one.
    fn row_of_times(&self, title: Title, times: f64, other: Logger) -> Result<Option<Row>> {
        let Some(median) = self.median(other) else {
            println!("# figure {} left out: there is no s6-log", title.name);
            return Ok(None);
        };
        self.row(title, Value::median, Asked::AtLeast(times * median)).map(Some)
    }
}

/// What a row is called.
#[derive(Clone, Copy)]
struct Title {
    name: &'static str,
    what: &'static str,
    unit: &'static str,
}
