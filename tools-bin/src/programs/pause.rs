//! `pause`: does nothing until TERM or INT, and ends with 0. The last line of services that only have to be up.

use supervision::process::signal::Signal;
use sys::signal::{self, SignalSet, Signals};
use sys::{AsFd, memory, poll};

use crate::Words;

/// A terminal that goes away is no reason to end.
const CAUGHT: SignalSet = SignalSet::of(&[Signal::TERM, Signal::INT, Signal::HUP]);

const EXIT_FAILED: i32 = 111;

/// Waits.
pub fn main(_: Words) -> i32 {
    // A shell that starts it in the background has it ignore INT.
    signal::restore_default(Signal::INT);
    let Ok(signals) = Signals::catch(CAUGHT) else { return EXIT_FAILED };
    memory::give_back_stack();
    loop {
        poll::wait_for(signals.as_fd(), None);
        if matches!(signals.take(), Some(Signal::TERM | Signal::INT)) {
            return 0;
        }
    }
}
