//! The decisions of an init system: state machines and formats, without I/O.
#![no_std]
