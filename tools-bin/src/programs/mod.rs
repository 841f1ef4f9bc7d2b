//! One file for each program.

pub mod chpst;
pub mod halt;
pub mod pause;
pub mod runlevel;
pub mod runsv;
pub mod runsvchdir;
pub mod runsvdir;
pub mod seedrng;
pub mod shutdown;
pub mod sv;
pub mod svlogd;
pub mod utmpset;
