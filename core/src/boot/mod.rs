//! What pid 1 knows.

pub mod event;
pub mod stage;
