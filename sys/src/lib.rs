//! The kernel edge: one thin wrapper per system call, no policy and no text.
#![no_std]
#![deny(unsafe_code)]

pub mod entry;
