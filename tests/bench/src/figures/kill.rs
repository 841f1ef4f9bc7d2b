//! From the kill of a service to its next instance.

use std::time::Duration;

use anyhow::Result;

use super::{Figure, time_in_turn};
use crate::statistics::Samples;
use crate::table::{Asked, Row, Value};
use crate::tree::Tree;
use crate::{Bench, Side};

pub const FIGURE: Figure =
    Figure { name: "kill", what: "from kill -9 of a service to its next first instruction", measure };

const SERVICES: usize = 100;
/// How often each is killed. The p99 is taken of every round, and the median of these: a machine that is busy for a
/// while spoils a round, not the figure.
const ROUNDS: usize = 15;
/// So many are killed as soon as they have started.
const KILLED_YOUNG: usize = 40;

/// Milliseconds between two starts of a service.
const ASKED_INTERVAL: f64 = 1000.0;

fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let [ours, debian, bare] = Side::ALL.map(|side| Tree::grow(bench, side, SERVICES));
    let mut trees = [ours?, debian?, bare?];
    let times = time_in_turn(ROUNDS * SERVICES, |side, round| trees[side as usize].time_restart(round % SERVICES))?;
    let our_intervals = time_young_restarts(&mut trees[Side::Ours as usize])?;
    let their_intervals = time_young_restarts(&mut trees[Side::Debian as usize])?;
    trees.into_iter().try_for_each(Tree::fell)?;

    let [ours_late, debian_late, bare_late] = times.each_ref().map(|times| {
        let rounds = times.chunks(SERVICES).map(|round| Samples::milliseconds(round.iter().copied()).quantile(0.99));
        Samples::new(rounds.collect())
    });
    let [ours, debian, bare] = times.map(Samples::milliseconds);
    Ok(vec![
        Row {
            name: "kill-p50",
            what: "restart after kill -9, p50",
            unit: "ms",
            ours: Value::median(&ours),
            debian: Value::median(&debian),
            s6: None,
            bare: Some(Value::median(&bare)),
            asked: Asked::AtMost(debian.median()),
        },
        Row {
            name: "kill-p99",
            what: "restart after kill -9, p99",
            unit: "ms",
            ours: Value::median(&ours_late),
            debian: Value::median(&debian_late),
            s6: None,
            bare: Some(Value::median(&bare_late)),
            asked: Asked::AtMost(debian_late.median()),
        },
        Row {
            name: "kill-young",
            what: "killed at once, least time between starts",
            unit: "ms",
            ours: Value::exact(our_intervals.least()),
            debian: Value::exact(their_intervals.least()),
            s6: None,
            bare: None,
            asked: Asked::AtLeast(ASKED_INTERVAL),
        },
    ])
}

/// Restarts services by a kill, and kills each new one as soon as it runs. From the first kill to the first instruction
/// after the second one: the two starts lie between these, so what is less than a second here is a start too early.
fn time_young_restarts(tree: &mut Tree) -> Result<Samples> {
    let mut killed = Vec::new();
    for place in 0..KILLED_YOUNG {
        tree.wait_mature(place);
        let starts = tree.starts(place) + 1;
        let begin = tree.kill(place)?;
        tree.wait_start(place, starts)?;
        tree.kill(place)?;
        killed.push((place, begin, starts + 1));
    }
    let intervals: Result<Vec<Duration>> = killed
        .into_iter()
        .map(|(place, begin, starts)| Ok(tree.wait_start(place, starts)?.saturating_sub(begin)))
        .collect();
    Ok(Samples::milliseconds(intervals?))
}
