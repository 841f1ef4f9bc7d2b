//! What a logger has for itself alone, when it has eaten much.

use anyhow::Result;

use super::{LINE, Measured, STAMPED, Title};
use crate::figures::Figure;
use crate::logger::{Logger, Running, lines};
use crate::table::{Asked, Row, Value};
use crate::{Bench, children};

pub const FIGURE: Figure =
    Figure { name: "log-memory", what: "private dirty memory of a logger, whatever its input", measure };

/// KiB.
const ASKED: f64 = 64.0;

/// `cat` has no lines, and no memory for them.
fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let inputs = make_inputs();
    let memory = Measured::in_turn(&Logger::peers(bench), inputs.len(), |logger, round| {
        memory_after(bench, logger, &inputs[round])
    })?;
    let title = Title { name: "log-memory", what: "private dirty memory of a logger, most (least..most)", unit: "KiB" };
    Ok(vec![memory.row(title, Value::most, Asked::AtMost(ASKED))?])
}

/// Ordinary lines, one without an end, the shortest, and some that no buffer holds.
fn make_inputs() -> [Vec<u8>; 4] {
    [lines(16_000_000 / LINE, LINE), vec![b'x'; 50_000_000], b"x\n".repeat(250_000), lines(250, 64 * 1024)]
}

/// KiB of a logger that has eaten this and waits for more.
fn memory_after(bench: &Bench, logger: Logger, input: &[u8]) -> Result<f64> {
    let mut running = Running::start(bench, logger, STAMPED)?;
    running.feed(input)?;
    running.wait_asleep()?;
    let memory = children::private_dirty(running.pid()?)?;
    running.finish()?.remove()?;
    Ok(memory)
}
