//! What is known about processes without starting one: whom they run as and what they may use, how they end, and what their
//! errors are called.

pub mod account;
pub mod birth;
pub mod errno;
pub mod message;
pub mod outcome;
pub mod resource;
pub mod signal;
pub mod variable;

/// A process id; never 0 or negative.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pid(core::num::NonZeroU32);

impl Pid {
    /// The process id `raw`, unless it stands for "no process".
    pub const fn new(raw: u32) -> Option<Self> {
        match core::num::NonZeroU32::new(raw) {
            Some(raw) => Some(Self(raw)),
            None => None,
        }
    }

    /// The number the kernel knows it by.
    pub const fn raw(self) -> u32 {
        self.0.get()
    }
}
