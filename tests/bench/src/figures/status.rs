//! `sv status` of many services in one call.

use anyhow::Result;

use super::{Figure, time_in_turn};
use crate::statistics::Samples;
use crate::sv::Sv;
use crate::table::{Asked, Row, Value};
use crate::tree::Tree;
use crate::{Bench, Side};

pub const FIGURE: Figure = Figure { name: "status", what: "sv status of 500 services in one call", measure };

const SERVICES: usize = 500;
const PAIRS: usize = 60;
const RUNS: &str = "run: ";

/// Both ask the same services, which run under our supervisors.
fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let tree = Tree::grow(bench, Side::Ours, SERVICES)?;
    tree.wait_asleep()?;
    let sv = Side::PEERS.map(|side| Sv::new(bench, side, tree.path(), "status", &tree.names(0..SERVICES)));
    let mut calls = [0.0; 2];
    for side in Side::PEERS {
        calls[side as usize] = sv[side as usize].count_calls(RUNS)? as f64 / SERVICES as f64;
    }
    let [ours, debian] = time_in_turn(PAIRS, |side, _| sv[side as usize].time(RUNS))?.map(Samples::milliseconds);
    tree.fell()?;
    Ok(vec![
        Row {
            name: "status-calls",
            what: "sv status of 500, per service",
            unit: "calls",
            ours: Value::exact(calls[0]),
            debian: Value::exact(calls[1]),
            s6: None,
            bare: None,
            asked: Asked::Below(calls[1]),
        },
        Row {
            name: "status-time",
            what: "sv status of 500",
            unit: "ms",
            ours: Value::median(&ours),
            debian: Value::median(&debian),
            s6: None,
            bare: None,
            asked: Asked::Below(debian.median()),
        },
    ])
}
