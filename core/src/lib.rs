//! The decisions of an init system, and nothing else.
//!
//! Every machine here is a plain value of fixed size: it takes one [event](supervise::event::Event)
//! at a time, together with the time, and appends the actions that its caller must perform. The outcome
//! of an action comes back as another event.
//!
//! What this crate does *not* do: it makes no system call, reads no clock, owns no heap, prints nothing
//! and cannot panic.
//!
//! | Room | What it knows |
//! |---|---|
//! | [`limits`] | every capacity |
//! | [`time`], [`tai64n`] | instants, and the labels that logs and status files carry |
//! | [`local_time`] | what the clock on the wall shows |
//! | [`supervise`] | one service, its log service, many services, the files that tell of them |
//! | [`log`] | lines, log directories, rotation and processors |
//! | [`boot`] | the stages of pid 1 |
//! | [`shutdown`] | when the machine goes down, who is told, and what is remembered of it |
//! | [`handoff`] | what the `/init` of an initramfs is asked for, and what lies on block devices |
//! | [`utmp`] | records of who is logged in, of boots and shutdowns |
//! | [`seed`], [`blake2s`] | seeds of the kernel's random numbers |
//! | [`process`] | processes, signals, errors and the texts of all of these |
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

pub mod blake2s;
pub mod boot;
pub mod handoff;
pub mod limits;
pub mod local_time;
pub mod log;
pub mod process;
pub mod seed;
pub mod shutdown;
pub mod supervise;
pub mod tai64n;
pub mod text;
pub mod time;
pub mod utmp;
