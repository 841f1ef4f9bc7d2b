//! One service and many: their machines, their commands, and the files that tell of them.

pub mod client;
pub mod control;
pub mod event;
pub mod extension;
pub mod level;
pub mod pair;
pub mod readout;
pub mod scan;
pub mod service;
pub mod settings;
pub mod status;
