//! What an idle `runsv` has for itself alone.

use std::fs;

use anyhow::{Context, Result};

use super::Figure;
use crate::statistics::Samples;
use crate::table::{Asked, Row, Value};
use crate::tree::Tree;
use crate::{Bench, Side};

pub const FIGURE: Figure = Figure { name: "memory", what: "private dirty memory of an idle runsv among 100", measure };

const SERVICES: usize = 100;

/// KiB.
const ASKED: f64 = 10.0;

fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let [ours, debian, bare] = Side::ALL.map(|side| {
        let tree = Tree::grow(bench, side, SERVICES)?;
        let memory = private_dirty(&tree)?;
        tree.fell()?;
        Ok::<_, anyhow::Error>(memory)
    });
    Ok(vec![Row {
        name: "memory",
        what: "private dirty memory of a runsv, mean (least..most)",
        unit: "KiB",
        ours: Value::mean(&ours?),
        debian: Value::mean(&debian?),
        bare: Some(Value::mean(&bare?)),
        asked: Asked::AtMost(ASKED),
    }])
}

/// KiB of each supervisor, or bare service, as the kernel counts them.
fn private_dirty(tree: &Tree) -> Result<Samples> {
    let of_one = |pid: i32| -> Result<f64> {
        let path = format!("/proc/{pid}/smaps_rollup");
        let text = fs::read_to_string(&path).with_context(|| format!("unable to read {path}"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("Private_Dirty:"));
        let word = line.and_then(|line| line.split_whitespace().next()).context("no Private_Dirty in smaps_rollup")?;
        word.parse().context("Private_Dirty is no number")
    };
    let of_all: Result<Vec<f64>> = tree.wait_asleep()?.into_iter().map(of_one).collect();
    Ok(Samples::new(of_all?))
}
