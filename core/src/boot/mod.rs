//! What pid 1 knows.

pub mod stage;
