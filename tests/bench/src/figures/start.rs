//! Services from nothing to running.

use std::time::Duration;

use anyhow::Result;

use super::{Figure, time_in_turn};
use crate::statistics::Samples;
use crate::table::{Asked, Row, Value};
use crate::tree::Tree;
use crate::{Bench, Side, clock};

pub const FIGURE: Figure = Figure { name: "start", what: "500 services from nothing to running", measure };

const SERVICES: usize = 500;
const ROUNDS: usize = 9;

/// How often as long as the programs alone it may take.
const ASKED: f64 = 1.8;

fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let [ours, debian, bare] = time_in_turn(ROUNDS, |side, _| time_start(bench, side))?.map(Samples::milliseconds);
    Ok(vec![Row {
        name: "start",
        what: "500 services from nothing to running",
        unit: "ms",
        ours: Value::median(&ours),
        debian: Value::median(&debian),
        s6: None,
        bare: Some(Value::median(&bare)),
        asked: Asked::AtMost(ASKED * bare.median()),
    }])
}

/// From the start of the first process until the last service runs and all know it.
fn time_start(bench: &Bench, side: Side) -> Result<Duration> {
    let mut tree = Tree::plant(bench, side, SERVICES)?;
    let begin = clock::now();
    tree.start(bench)?;
    let end = tree.wait_running()?;
    tree.fell()?;
    Ok(end.saturating_sub(begin))
}
