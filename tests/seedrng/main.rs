//! `seedrng`: seeds of the kernel's random numbers, from one run to the next. What is used is used once, and what the
//! kernel is told is looked at by `strace`, which also makes calls fail.
//!
//! The kernel of the machine is really seeded, which cannot harm it. Where it refuses that, as in most containers,
//! `strace` answers in its place.

mod case;
mod directory;
mod disks;
mod faults;
mod killed;
mod runs;
