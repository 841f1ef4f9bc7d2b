//! A file of the time zone database (tzfile(5), RFC 9636): when local time changed, and to what. Read in place.
//!
//! It has a header and a block with times of 32 bits, from version 2 on another header and block with times of 64 bits, and
//! behind it, between two newlines, the rule for what comes after the last change.

const MAGIC: &[u8] = b"TZif";
/// Bytes of a time in the first block, and in the second.
const SHORT: usize = 4;
const LONG: usize = 8;
const HEADER: usize = 44;
/// Where the counts begin.
const COUNTS: usize = 20;
/// Bytes of the description of a local time; the first four are its seconds ahead of UTC.
const TYPE: usize = 6;

/// The changes of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Table<'a> {
    /// When the changes are, in order, big-endian, each of `width` bytes.
    times: &'a [u8],
    width: usize,
    /// For each change the local time that begins with it.
    indices: &'a [u8],
    types: &'a [u8],
}

impl<'a> Table<'a> {
    /// No change, and no local time.
    pub const EMPTY: Table<'static> = Table { times: &[], width: SHORT, indices: &[], types: &[] };

    /// Reads a file: the changes, and the rule behind them, which may be empty. `None` if it is something else.
    pub fn parse(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let mut rest = bytes;
        let mut width = SHORT;
        loop {
            let (header, block) = rest.split_first_chunk::<HEADER>()?;
            let (head, numbers) = header.split_at_checked(COUNTS)?;
            let mut counts = [0; 6];
            for (count, number) in counts.iter_mut().zip(numbers.as_chunks().0) {
                // What cannot be there is not counted on; so the sums stay small.
                *count = usize::try_from(u32::from_be_bytes(*number)).ok().filter(|count| *count <= bytes.len())?;
            }
            let [universal, standard, leap, changes, types, names] = counts;
            let (times, behind) = block.split_at_checked(changes.wrapping_mul(width))?;
            let (indices, behind) = behind.split_at_checked(changes)?;
            let (types, behind) = behind.split_at_checked(types.wrapping_mul(TYPE))?;
            let leap = leap.wrapping_mul(width.wrapping_add(4));
            let (_, behind) =
                behind.split_at_checked(names.wrapping_add(leap).wrapping_add(standard).wrapping_add(universal))?;
            let version = head.strip_prefix(MAGIC)?.first()?;
            if *version == 0 || width == LONG {
                let rule = behind.strip_prefix(b"\n").and_then(|text| text.split(|byte| *byte == b'\n').next());
                return Some((Self { times, width, indices, types }, rule.unwrap_or(b"")));
            }
            (rest, width) = (behind, LONG);
        }
    }

    /// How many changes there are.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// How many changes have been when it is `moment`, in seconds since 1970.
    pub fn passed(&self, moment: i64) -> usize {
        let (mut least, mut most) = (0, self.len());
        while least < most {
            let middle = least.midpoint(most);
            if self.time(middle).is_some_and(|time| time <= moment) {
                least = middle.wrapping_add(1);
            } else {
                most = middle;
            }
        }
        least
    }

    /// Seconds that local time is ahead of UTC after so many changes; `None` if the file makes no sense there.
    pub fn offset(&self, passed: usize) -> Option<i32> {
        let index = match passed.checked_sub(1) {
            Some(last) => *self.indices.get(last)?,
            None => 0,
        };
        first_number(self.types.get(usize::from(index).wrapping_mul(TYPE)..)?)
    }

    fn time(&self, index: usize) -> Option<i64> {
        let bytes = self.times.get(index.wrapping_mul(self.width)..)?;
        if self.width == SHORT {
            first_number(bytes).map(i64::from)
        } else {
            bytes.first_chunk().map(|bytes| i64::from_be_bytes(*bytes))
        }
    }
}

fn first_number(bytes: &[u8]) -> Option<i32> {
    bytes.first_chunk().map(|bytes| i32::from_be_bytes(*bytes))
}
