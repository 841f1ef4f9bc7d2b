//! BLAKE2s-256 without a key (RFC 7693): many bytes in, 32 out that nobody can foretell who does not know them all.
//!
//! Written for its size: two kilobytes at a boot and at a shutdown are all that is hashed here. Up to 4 GiB would be right.

/// Bytes of a hash.
pub const HASH_BYTES: usize = 32;

/// Bytes that are mixed in at a time.
const BLOCK: usize = 64;

/// What the words begin with: the fractions of the square roots of the first eight primes (RFC 7693, 2.6).
static START: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// In which order each round takes the words of a block, four bits a word, the first one lowest (2.7).
static ORDER: [u64; 10] = [
    0xfedc_ba98_7654_3210,
    0x357b_20c1_6df9_84ae,
    0x4917_63ea_df25_0c8b,
    0x8f04_a562_ebcd_1397,
    0xd386_cb1e_fa42_7509,
    0x91ef_57d4_38b0_a6c2,
    0xb829_3670_a4de_f15c,
    0xa268_4f05_931c_e7bd,
    0x5a41_7d2c_803b_9ef6,
    0x0dc3_e9bf_5167_482a,
];

/// A hash that grows.
pub struct Blake2s {
    words: [u32; 8],
    block: [u8; BLOCK],
    /// Bytes in `block`. A full one waits, since the last one is mixed in differently.
    filled: usize,
    /// Bytes before it, and in it.
    count: u32,
}

impl Blake2s {
    /// That of no bytes.
    pub const fn new() -> Self {
        let mut words = START;
        // One byte each: length of the hash, length of the key, and 1 for neither tree nor leaves.
        words[0] ^= 0x0101_0000 | HASH_BYTES as u32;
        Self { words, block: [0; BLOCK], filled: 0, count: 0 }
    }

    /// Adds `bytes`; in how many pieces they come changes nothing.
    pub fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if self.filled == BLOCK {
                self.mix(0);
                self.filled = 0;
            }
            self.put(*byte);
            self.count = self.count.wrapping_add(1);
        }
    }

    /// The hash of all that was added. To be called once.
    pub fn finish(&mut self, hash: &mut [u8; HASH_BYTES]) {
        while self.filled < BLOCK {
            self.put(0);
        }
        self.mix(u32::MAX);
        for (place, byte) in hash.iter_mut().enumerate() {
            // Of each word its lowest byte first.
            *byte = (self.words[(place / 4) & 7] >> (place % 4 * 8)) as u8;
        }
    }

    /// Puts a byte into the block, which is not full.
    fn put(&mut self, byte: u8) {
        self.block[self.filled % BLOCK] = byte;
        self.filled = self.filled.wrapping_add(1);
    }

    /// Mixes the block in; `last` is all ones for the last one, else 0.
    fn mix(&mut self, last: u32) {
        // What there is, then where it began, changed by what the block is.
        let mut state = [0_u32; 16];
        for (place, word) in state.iter_mut().enumerate() {
            *word = if place < 8 { self.words[place & 7] } else { START[place & 7] };
        }
        state[12] ^= self.count;
        state[14] ^= last;
        for order in &ORDER {
            let mut order = *order;
            // Four columns, then four diagonals.
            for step in 0..8_usize {
                let slant = step / 4;
                let place = |row: usize| row.wrapping_mul(4) | (step.wrapping_add(row.wrapping_mul(slant)) & 3);
                let [a, b, c, d] = [place(0), place(1), place(2), place(3)];
                for [one, other] in [[16, 12], [8, 7]] {
                    let word = self.word(order);
                    order >>= 4;
                    state[a] = state[a].wrapping_add(state[b]).wrapping_add(word);
                    state[d] = (state[d] ^ state[a]).rotate_right(one);
                    state[c] = state[c].wrapping_add(state[d]);
                    state[b] = (state[b] ^ state[c]).rotate_right(other);
                }
            }
        }
        for (place, word) in state.iter().enumerate() {
            self.words[place & 7] ^= word;
        }
    }

    /// The word of the block that the lowest four bits of `order` name.
    fn word(&self, order: u64) -> u32 {
        let word = self.block.as_chunks().0.get((order & 15) as usize);
        word.map_or(0, |bytes| u32::from_le_bytes(*bytes))
    }
}

impl Default for Blake2s {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hexadecimal(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn hash(pieces: &[&[u8]]) -> String {
        let mut hash = Blake2s::new();
        pieces.iter().for_each(|piece| hash.add(piece));
        let mut all = [0; HASH_BYTES];
        hash.finish(&mut all);
        hexadecimal(&all)
    }

    /// So many bytes that follow no short rule: the pattern that the table below was made with.
    fn bytes(length: usize) -> Vec<u8> {
        (0..length).map(|place| (place * place / 3 + place * 37 + 11) as u8).collect()
    }

    #[test]
    fn the_example_of_the_rfc() {
        // RFC 7693, appendix B.
        assert_eq!(hash(&[b"abc"]), "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982");
    }

    /// Made by Python's `hashlib.blake2s`: lengths around the ends of blocks, and more than a kilobyte.
    const TABLE: &[(usize, &str)] = &[
        (0, "69217a3079908094e11121d042354a7c1f55b6482ca1a51e1b250dfd1ed0eef9"),
        (1, "b480c25c1e06eea9e9c3e36754715cf0958e4d14b22a8c2a7bc34ebf75208602"),
        (2, "28d0808f1fbe8187d058e62d787016404ff2bff44e80e04ae932341eeeb66780"),
        (55, "6704fa029d1cb1aba673cdaf6eaed6d938a0d34330c8b756ea0cb7d12e7c4ef0"),
        (63, "c234943f2776b81a8ab6df16277ac075f8379f5652672edbe6ac339027b7f265"),
        (64, "3bf187f083ccca10f27e13222706b871d1f6bcbe2c3e7de42d532e2c6de9a4bf"),
        (65, "f38173dccf40b756ce00f2f1276c1ba41c5c04705bc5f2ef566b423cf262ed2d"),
        (127, "c773cbb5a4d08d5f56f2c59d04294711a50b89361254b0c83f6f859790016c0d"),
        (128, "9ac675076725a6063273daa4968a2c19e4bc81fac135311a2ef8a75fa5f2eb46"),
        (129, "a3d85780f8965e0f93d85b1fd065700b1e263599931e5d2a4ec2227fa071b030"),
        (192, "b0fca02224c5cdfed84cda6494bceda5bbe27e6f9e7c058a375f548dfbeaa483"),
        (511, "7e18be375cae9766dbc6a88fbf4fd59b61e0b56bdb3de16c11d82abbc2fb1d29"),
        (512, "366ce41fa098c3d6428a36b59ad62f705e7cdb61021e4741c17661651cf9a6f4"),
        (513, "b747a34b72d9f6cfca27804f558c7c660786e63dc50617d7e2ce7a51aefe6255"),
        (1111, "39260c96eb8e23d12aa837829a24d01d0d01254340fcd9af9afbd22370b9669d"),
        (1600, "fef54348d3f92ff59a52950ab2a63aa4465cd00d215f341ee92769ee9edf9998"),
    ];

    #[test]
    fn what_another_implementation_says() {
        for (length, expected) in TABLE {
            assert_eq!(hash(&[&bytes(*length)]), *expected, "{length} bytes");
        }
    }

    #[test]
    fn pieces_change_nothing() {
        let all = bytes(200);
        let whole = hash(&[&all]);
        for first in 0..=all.len() {
            for second in [first, (first + 1).min(200), (first + 64).min(200), 200] {
                let pieces = [&all[..first], &all[first..second], &all[second..]];
                assert_eq!(hash(&pieces), whole, "cut at {first} and {second}");
            }
        }
    }

    #[test]
    fn every_bit_counts() {
        let original = bytes(130);
        let whole = hash(&[&original]);
        for bit in 0..130 * 8 {
            let mut changed = original.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(hash(&[&changed]), whole, "bit {bit}");
        }
    }
}
