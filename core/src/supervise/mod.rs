//! One service and many: their machines, their commands, and the files that tell of them.

pub mod client;
pub mod control;
pub mod event;
pub mod pair;
pub mod scan;
pub mod service;
pub mod status;
