//! The kernel's random numbers: seeds in, numbers out.
//!
//! # Safety
//! The file relies on `RNDADDENTROPY` reading two numbers and as many bytes behind them as the second one says
//! (random(4)), and on `getrandom` writing no more than it is told.
#![allow(unsafe_code)]

use linux_raw_sys::general::{__NR_getrandom, __NR_ioctl, GRND_INSECURE, GRND_NONBLOCK};
use supervision::limits::SEED_BYTES;
use supervision::process::errno::Errno;

use crate::call::call;
use crate::descriptor::number;
use crate::file::{self, CURRENT};
use crate::{Descriptor, Result};

const RNDADDENTROPY: usize = 0x4008_5203;

/// A seed as the kernel takes it.
#[repr(C)]
pub struct Seed {
    /// What it is worth.
    bits: u32,
    /// How many of the bytes are taken.
    length: u32,
    /// The seed, at the beginning.
    pub bytes: [u8; SEED_BYTES],
}

impl Seed {
    /// Nothing yet.
    pub fn new() -> Self {
        Self { bits: 0, length: 0, bytes: [0; SEED_BYTES] }
    }

    /// Its first `length` bytes, as far as there are so many.
    pub fn first(&mut self, length: usize) -> &mut [u8] {
        self.bytes.get_mut(..length).unwrap_or_default()
    }
}

impl Default for Seed {
    fn default() -> Self {
        Self::new()
    }
}

/// What a seed is worth to the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Credit {
    /// It is mixed in, no more.
    Nothing,
    /// All of its bits are random and known to nobody.
    Full,
}

/// The kernel's pool.
pub struct Pool(Descriptor);

impl Pool {
    /// Opens it to be seeded, and asks whether the caller may do that. Nothing is taken from `seed`.
    ///
    /// # Errors
    /// `EPERM`: not this user, or not in this container; else the kernel's.
    pub fn open(seed: &mut Seed) -> Result<Self> {
        let pool = Self(file::open_read(CURRENT, c"/dev/urandom")?);
        pool.add(seed, 0, Credit::Nothing).map(|()| pool)
    }

    /// Adds the first `length` bytes of a seed.
    ///
    /// # Errors
    /// The kernel's.
    #[inline(never)]
    pub fn add(&self, seed: &mut Seed, length: usize, credit: Credit) -> Result<()> {
        // There are not more.
        seed.length = length.min(SEED_BYTES) as u32;
        seed.bits = if credit == Credit::Full { seed.length.wrapping_mul(8) } else { 0 };
        let seed = (&raw const *seed).expose_provenance();
        // SAFETY: so many bytes are there, behind the two numbers.
        unsafe { call(__NR_ioctl, [number(&self.0), RNDADDENTROPY, seed, 0]) }.map(drop)
    }

    /// Fills `bytes` with random numbers, and never waits: whether they can be relied on. A kernel before Linux 3.17
    /// does not tell.
    ///
    /// # Errors
    /// The kernel's.
    pub fn fill(&self, bytes: &mut [u8]) -> Result<bool> {
        if get(bytes, GRND_NONBLOCK) {
            return Ok(true);
        }
        if get(bytes, GRND_INSECURE) {
            return Ok(false);
        }
        let length = bytes.len();
        if file::read(self.0.as_fd(), bytes)?.len() == length { Ok(false) } else { Err(Errno::AGAIN) }
    }
}

fn get(bytes: &mut [u8], flag: u32) -> bool {
    let arguments = [bytes.as_mut_ptr().expose_provenance(), bytes.len(), flag as usize, 0];
    // SAFETY: the kernel writes at most as many bytes as there are.
    unsafe { call(__NR_getrandom, arguments) == Ok(bytes.len()) }
}
