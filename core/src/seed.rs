//! Seeds of the kernel's random numbers, kept from one boot to the next: seedrng(8).

use crate::blake2s::{Blake2s, HASH_BYTES};
use crate::limits::SEED_BYTES;
use crate::tai64n::Label;
use crate::text::decimal;
use crate::time::Instant;

/// What sets these hashes apart from those of the same bytes for other ends.
const PURPOSE: &[u8] = b"pipit seedrng: the old seeds and the new one";

/// Bytes of a new seed: as many as the kernel's pool holds, but 32 at the least and 512 at the most. `text` is what
/// `/proc/sys/kernel/random/poolsize` holds, the size in bits; 256 if it holds no number.
pub fn length(text: &[u8]) -> usize {
    let bits = decimal(text.trim_ascii_end()).unwrap_or(256);
    // No more than fits.
    (bits / 8).clamp(HASH_BYTES as u64, SEED_BYTES as u64) as usize
}

/// Whether this value of `SEEDRNG_SKIP_CREDIT` says that no seed is to be credited.
pub fn skips_credit(value: &[u8]) -> bool {
    b"1 true yes y".split(|byte| *byte == b' ').any(|word| value.eq_ignore_ascii_case(word))
}

/// What becomes the end of the new seed: whoever does not know all seeds of this run cannot know it, so the next seed is
/// never worse than those before, even if the kernel had nothing to give.
pub struct Digest(Blake2s);

impl Digest {
    /// That of nothing.
    pub const fn new() -> Self {
        Self(Blake2s::new())
    }

    /// Adds what it is for, and the time: two runs do not share that, though their seeds be the same.
    pub fn begin(&mut self, wall: Label, since_boot: Instant) {
        self.0.add(PURPOSE);
        self.0.add(&wall.encode());
        self.0.add(&since_boot.raw().to_le_bytes());
    }

    /// Adds a seed and its length.
    pub fn add(&mut self, seed: &[u8]) {
        self.0.add(&seed.len().to_le_bytes());
        self.0.add(seed);
    }

    /// Adds the new seed, and puts the hash of all in the place of its end. To be called once.
    pub fn close(&mut self, seed: &mut [u8]) {
        self.add(seed);
        if let Some(end) = seed.last_chunk_mut() {
            self.0.finish(end);
        }
    }
}

impl Default for Digest {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_follow_the_pool_within_bounds() {
        let rows: [(&[u8], usize); 9] = [
            (b"256\n", 32),
            (b"4096\n", 512),
            (b"2048", 256),
            (b"264\n", 33),
            (b"0\n", 32),
            (b"18446744073709551615\n", 512),
            (b"", 32),
            (b"-4096\n", 32),
            (b"99999999999999999999\n", 32),
        ];
        for (text, expected) in rows {
            assert_eq!(length(text), expected, "{:?}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn four_words_in_any_case_skip_the_credit() {
        for value in ["1", "true", "yes", "y", "TRUE", "Yes", "Y"] {
            assert!(skips_credit(value.as_bytes()), "{value}");
        }
        for value in ["", "0", "no", "n", "false", "11", "true ", "yess", "on"] {
            assert!(!skips_credit(value.as_bytes()), "{value}");
        }
    }

    const WALL: Label = Label::from_unix(1_795_361_599, 655_292_500);
    const BOOT: Instant = Instant::new(7, 5);

    fn close(mut digest: Digest, seed: &[u8]) -> Vec<u8> {
        let mut seed = seed.to_vec();
        digest.close(&mut seed);
        seed
    }

    #[test]
    fn the_end_of_the_new_seed_is_the_hash() {
        let mut digest = Digest::new();
        digest.begin(WALL, BOOT);
        digest.add(b"old");
        digest.add(b"");
        let new: Vec<u8> = (0..40).collect();
        let mut expected = Blake2s::new();
        expected.add(PURPOSE);
        expected.add(&[0x40, 0, 0, 0, 0x6b, 0x03, 0x0b, 0x49, 0x27, 0x0e, 0xf8, 0x54]);
        expected.add(&7_000_000_005_u64.to_le_bytes());
        expected.add(&3_usize.to_le_bytes());
        expected.add(b"old");
        expected.add(&0_usize.to_le_bytes());
        expected.add(&40_usize.to_le_bytes());
        expected.add(&new);
        let mut end = [0; HASH_BYTES];
        expected.finish(&mut end);
        assert_eq!(close(digest, &new), [&new[..8], &end].concat());
    }

    #[test]
    fn whatever_differs_makes_another_end() {
        let end = |wall, boot, old: &[&[u8]], new: &[u8]| {
            let mut digest = Digest::new();
            digest.begin(wall, boot);
            old.iter().for_each(|seed| digest.add(seed));
            close(digest, new)
        };
        let new = [5; 32];
        let all = [
            end(WALL, BOOT, &[b"one", b"two"], &new),
            end(WALL.next(), BOOT, &[b"one", b"two"], &new),
            end(WALL, Instant::new(7, 6), &[b"one", b"two"], &new),
            end(WALL, BOOT, &[b"onet", b"wo"], &new),
            end(WALL, BOOT, &[b"two", b"one"], &new),
            end(WALL, BOOT, &[b"one"], &new),
            end(WALL, BOOT, &[b"one", b"two"], &[6; 32]),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(all[..index].iter().all(|other| other != one), "{index}");
        }
    }
}
