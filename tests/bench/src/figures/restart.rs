//! `sv restart` of services that end at once on TERM.

use std::ops::Range;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::{Figure, time_in_turn};
use crate::statistics::Samples;
use crate::sv::Sv;
use crate::table::{Asked, Row, Value};
use crate::tree::Tree;
use crate::{Bench, Side, clock};

pub const FIGURE: Figure =
    Figure { name: "restart", what: "sv restart of one service, and of 100 in one call", measure };

const SERVICES: usize = 100;
/// One service after the other is restarted.
const PAIRS: usize = 40;
/// All services are restarted at once.
const PAIRS_OF_ALL: usize = 7;

const ASKED_OF_ONE: f64 = 3.0;
const ASKED_OF_ALL: f64 = 40.0;

/// Each `sv` asks services that run under its own `runsv`.
fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let mut trees = [Tree::grow(bench, Side::Ours, SERVICES)?, Tree::grow(bench, Side::Debian, SERVICES)?];
    let one = time_in_turn(PAIRS, |side, round| {
        let place = round % SERVICES;
        restart(bench, side, &mut trees[side as usize], place..place + 1)
    })?;
    let all = time_in_turn(PAIRS_OF_ALL, |side, _| restart(bench, side, &mut trees[side as usize], 0..SERVICES))?;
    trees.into_iter().try_for_each(Tree::fell)?;
    let [ours, debian] = one.map(Samples::milliseconds);
    let [ours_of_all, debian_of_all] = all.map(Samples::milliseconds);
    Ok(vec![
        Row {
            name: "restart",
            what: "sv restart of one",
            unit: "ms",
            ours: Value::median(&ours),
            debian: Value::median(&debian),
            s6: None,
            bare: None,
            asked: Asked::AtMost(ASKED_OF_ONE),
        },
        Row {
            name: "restart-p99",
            what: "sv restart of one, p99",
            unit: "ms",
            ours: Value::exact(ours.quantile(0.99)),
            debian: Value::exact(debian.quantile(0.99)),
            s6: None,
            bare: None,
            asked: Asked::Nothing,
        },
        Row {
            name: "restart-100",
            what: "sv restart of 100 in one call",
            unit: "ms",
            ours: Value::median(&ours_of_all),
            debian: Value::median(&debian_of_all),
            s6: None,
            bare: None,
            asked: Asked::AtMost(ASKED_OF_ALL),
        },
    ])
}

/// The wall time of one call; each service must have lived for a second, and must have been restarted, once.
fn restart(bench: &Bench, side: Side, tree: &mut Tree, places: Range<usize>) -> Result<Duration> {
    let mut starts = Vec::new();
    for place in places.clone() {
        tree.wait_mature(place);
        starts.push(tree.starts(place) + 1);
    }
    let names = tree.names(places.clone());
    let sv = Sv::new(bench, side, tree.path(), "restart", &names);
    let begin = clock::now();
    let time = sv.time("ok: run: ")?;
    for (place, starts) in places.zip(starts) {
        let first_instruction = tree.wait_start(place, starts)?;
        ensure!(first_instruction > begin, "a service has started before it was told to");
    }
    Ok(time)
}
