//! What `svlogd` knows: lines, who takes them, files that rotate, processors.

pub mod archive;
pub mod config;
pub mod directory;
pub mod event;
pub mod lines;
pub mod pattern;
pub mod processor;
pub mod progress;
pub mod stamp;
pub mod target;
