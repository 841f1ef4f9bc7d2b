//! What an idle `runsv` has for itself alone.

use anyhow::Result;

use super::Figure;
use crate::statistics::Samples;
use crate::table::{Asked, Row, Value};
use crate::tree::Tree;
use crate::{Bench, Side, children};

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
        s6: None,
        bare: Some(Value::mean(&bare?)),
        asked: Asked::AtMost(ASKED),
    }])
}

/// KiB of each supervisor, or bare service, as the kernel counts them.
fn private_dirty(tree: &Tree) -> Result<Samples> {
    let of_all: Result<Vec<f64>> = tree.wait_asleep()?.into_iter().map(children::private_dirty).collect();
    Ok(Samples::new(of_all?))
}
