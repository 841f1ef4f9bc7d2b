//! `svlogd` in trouble: bad input, full and broken disks, directories that go away, processors that fail, signals at
//! the wrong moment, and a kill at each of its system calls. Whatever happens it goes on reading, and every line that
//! was fed is in the log once and in order, or counted in an announcement at its place.

mod armv7;
mod clock;
mod crash;
mod directories;
mod errors;
mod full_disk;
mod idle;
mod injection;
mod input;
mod killed;
mod long_lines;
mod mounts;
mod network;
mod numbered;
mod processor;
mod signals;
mod standard_input;
