//! Bytes become lines: stamped, with what cannot be printed replaced, in one buffer that all log directories read from.
//!
//! Bytes are read into the end of the buffer, and made into lines towards its beginning, in place: a gap before the bytes
//! leaves room for the stamps. What every directory has written is discarded. Where nothing is changed, what is read is
//! the lines, and nothing is copied.

use crate::log::stamp::Stamp;

/// Which bytes are replaced, and by what.
#[derive(Clone, Copy, Debug)]
pub struct Replacement {
    by: u8,
    /// One bit a byte.
    replaced: [u32; 8],
}

impl Replacement {
    /// Replaces every byte that is no printable character of ASCII, and `more`.
    pub fn new(by: u8, more: &[u8]) -> Self {
        const PRINTABLE: core::ops::RangeInclusive<u8> = b' '..=b'~';
        let mut replaced = [0; 8];
        for byte in 0..=u8::MAX {
            if !PRINTABLE.contains(&byte) || more.contains(&byte) {
                set(&mut replaced, byte);
            }
        }
        Self { by, replaced }
    }

    fn apply(&self, text: &mut [u8]) {
        for byte in text {
            if self.replaced.get(usize::from(*byte >> 5)).is_some_and(|bits| bits >> (*byte & 31) & 1 == 1) {
                *byte = self.by;
            }
        }
    }
}

fn set(bits: &mut [u32; 8], byte: u8) {
    if let Some(word) = bits.get_mut(usize::from(byte >> 5)) {
        *word |= 1 << (byte & 31);
    }
}

/// How lines are made.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Bytes of the stamp before each line: 0 or [`Stamp::SIZE`].
    pub stamp_size: usize,
    /// What is replaced, if anything is.
    pub replacement: Option<Replacement>,
    /// Characters by which a line is chosen: of a line that is longer, what has come is passed on before its end.
    pub characters: usize,
}

/// The buffer.
#[derive(Debug)]
pub struct Lines<'memory> {
    memory: &'memory mut [u8],
    rules: Rules,
    /// Lines are in `..end`.
    end: usize,
    /// Those in `..ready` may be written.
    ready: usize,
    /// What was read, and is no line yet.
    raw: (usize, usize),
    /// Characters of the line that has no end yet; `None` if there is no such line.
    open: Option<usize>,
}

impl<'memory> Lines<'memory> {
    /// An empty buffer in `memory`, which must be larger than a stamp and the characters by which a line is chosen.
    pub fn new(memory: &'memory mut [u8], rules: Rules) -> Self {
        Self { memory, rules, end: 0, ready: 0, raw: (0, 0), open: None }
    }

    /// How lines are made.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// What may be written: whole lines, and the beginning of a long one.
    pub fn ready(&self) -> &[u8] {
        self.memory.get(..self.ready).unwrap_or(&[])
    }

    /// Whether the last line has no end yet.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Whether something was read that is no line yet: there was no room.
    pub fn has_raw(&self) -> bool {
        self.raw.0 < self.raw.1
    }

    /// Whether there is little room left: lines should be discarded before more is read.
    pub fn is_crowded(&self) -> bool {
        self.has_raw() || self.room() < (self.memory.len() / 8).max(2 * Stamp::SIZE)
    }

    /// Where lines end that must go, so that there is room again for a quarter of the buffer: behind the end of a line, if
    /// there is one.
    pub fn crowd(&self) -> usize {
        let mut least = self.end.saturating_sub(self.memory.len() / 4 * 3);
        if self.has_raw() {
            // It waits for room that is small as long as the gap is.
            least = least.max(self.memory.len() / 16);
        }
        let ready = self.ready();
        let rest = ready.get(least..).unwrap_or(&[]);
        find(b'\n', rest).map_or(ready.len(), |place| least.wrapping_add(place).wrapping_add(1))
    }

    fn room(&self) -> usize {
        self.memory.len().saturating_sub(self.end)
    }

    /// Where to read to. Empty as long as there is something that is no line yet.
    pub fn space(&mut self) -> &mut [u8] {
        if self.has_raw() {
            return &mut [];
        }
        // Stamps on lines of 80 bytes just fill a quarter.
        let gap = if self.rules.stamp_size == 0 { 0 } else { (self.room() / 4).max(self.rules.stamp_size) };
        let start = self.end.saturating_add(gap);
        self.raw = (start, start);
        // The last byte is kept for the end of a line that has none.
        let stop = self.memory.len().saturating_sub(1);
        self.memory.get_mut(start..stop).unwrap_or(&mut [])
    }

    /// Takes the first `count` bytes of that place for read.
    pub fn received(&mut self, count: usize) {
        self.raw.1 = self.raw.0.saturating_add(count).min(self.memory.len());
    }

    /// Makes lines of what was read; each begins with `stamp`, which has the size that the rules say. False if there was not
    /// room for all of them: then lines must be discarded first.
    pub fn make(&mut self, stamp: &Stamp) -> bool {
        if self.rules.stamp_size == 0 {
            self.make_in_place();
            return true;
        }
        while self.has_raw() {
            if self.open.is_none() && !self.begin(stamp) {
                return false;
            }
            let (start, stop) = self.raw;
            let rest = self.memory.get(start..stop).unwrap_or(&[]);
            let (length, has_end) = match find(b'\n', rest) {
                Some(place) => (place.wrapping_add(1), true),
                None => (rest.len(), false),
            };
            self.take(length, has_end);
        }
        true
    }

    /// Begins a line, if there is room for its stamp.
    fn begin(&mut self, stamp: &Stamp) -> bool {
        let stamp = stamp.as_bytes();
        let behind = self.end.saturating_add(stamp.len());
        if behind > self.raw.0 {
            return false;
        }
        if let Some(place) = self.memory.get_mut(self.end..behind)
            && place.len() == stamp.len()
        {
            place.copy_from_slice(stamp);
        }
        self.end = behind;
        self.open = Some(0);
        true
    }

    /// Makes the next `length` bytes part of the line, and the last of them its end.
    fn take(&mut self, length: usize, has_end: bool) {
        let stop = self.raw.0.saturating_add(length);
        let distance = self.raw.0.saturating_sub(self.end);
        move_to_front(self.memory.get_mut(self.end..stop), distance);
        let begin = self.end;
        self.raw.0 = stop;
        self.end = begin.saturating_add(length);
        self.finish(begin, has_end);
    }

    /// What is from `begin` on belongs to the line now.
    fn finish(&mut self, begin: usize, has_end: bool) {
        let text_end = if has_end { self.end.saturating_sub(1) } else { self.end };
        if let (Some(replacement), Some(text)) = (&self.rules.replacement, self.memory.get_mut(begin..text_end)) {
            replacement.apply(text);
        }
        if has_end {
            self.open = None;
            self.ready = self.end;
        } else {
            let characters = self.open.unwrap_or(0).saturating_add(text_end.saturating_sub(begin));
            self.open = Some(characters);
            if characters > self.rules.characters {
                self.ready = self.end;
            }
        }
    }

    /// Where nothing is put before lines they need not be looked at, but for what is replaced.
    fn make_in_place(&mut self) {
        let (start, stop) = self.raw;
        if self.rules.replacement.is_some() {
            while let Some(place) = self.memory.get(self.end..stop).and_then(|rest| find(b'\n', rest)) {
                let begin = self.end;
                self.end = begin.saturating_add(place).saturating_add(1);
                self.finish(begin, true);
            }
        } else if let Some(place) =
            self.memory.get(start..stop).and_then(|new| new.iter().rposition(|byte| *byte == b'\n'))
        {
            self.end = start.saturating_add(place).saturating_add(1);
            self.finish(self.end, true);
        }
        let begin = self.end;
        if begin < stop {
            self.end = stop;
            self.finish(begin, false);
        }
        self.raw = (stop, stop);
    }

    /// Ends the last line, if it has no end: there is always room, since what is discarded leaves some.
    pub fn end_line(&mut self) {
        if self.open.take().is_some() {
            if let Some(byte) = self.memory.get_mut(self.end) {
                *byte = b'\n';
                self.end = self.end.saturating_add(1);
            }
            self.ready = self.end;
        }
    }

    /// Forgets the first `count` bytes, which must be ready; what is behind them moves to the beginning.
    pub fn discard(&mut self, count: usize) {
        if count == 0 || count > self.ready {
            return;
        }
        move_to_front(self.memory.get_mut(..self.end), count);
        self.end = self.end.saturating_sub(count);
        self.ready = self.ready.saturating_sub(count);
        if !self.has_raw() {
            self.raw = (self.end, self.end);
        }
    }
}

/// Moves what is from `from` on to the beginning. One copy for all who call it.
#[inline(never)]
fn move_to_front(bytes: Option<&mut [u8]>, from: usize) {
    if let Some(bytes) = bytes
        && from <= bytes.len()
    {
        bytes.copy_within(from.., 0);
    }
}

/// Where `byte` is first. Eight bytes at a time, since most lines are longer than that.
#[inline(never)]
pub fn find(byte: u8, bytes: &[u8]) -> Option<usize> {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = LOW << 7;
    let pattern = LOW.wrapping_mul(byte.into());
    let (words, rest) = bytes.as_chunks::<8>();
    let mut start = 0_usize;
    for word in words {
        let differences = u64::from_le_bytes(*word) ^ pattern;
        // The lowest of these bits belongs to the first byte without a difference; those above it may be wrong.
        let equal = differences.wrapping_sub(LOW) & !differences & HIGH;
        if equal != 0 {
            return Some(start.wrapping_add((equal.trailing_zeros() / 8) as usize));
        }
        start = start.wrapping_add(8);
    }
    rest.iter().position(|have| *have == byte).map(|place| start.wrapping_add(place))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::log::stamp::Style;
    use crate::tai64n::Label;

    fn rules(stamp_size: usize, replacement: Option<Replacement>) -> Rules {
        Rules { stamp_size, replacement, characters: 10 }
    }

    fn stamp() -> Stamp {
        Stamp::new(Style::T, Label::from_unix(0, 0))
    }

    /// Reads all of `input` in pieces of at most `piece` bytes; discards whatever is ready, all at once.
    fn made(rules: Rules, size: usize, input: &[u8], piece: usize) -> Vec<u8> {
        let mut memory = vec![0; size];
        let mut lines = Lines::new(&mut memory, rules);
        let stamp = if rules.stamp_size == 0 { Stamp::NONE } else { stamp() };
        let mut written = Vec::new();
        let mut rest = input;
        while !rest.is_empty() {
            let space = lines.space();
            let count = space.len().min(rest.len()).min(piece);
            assert!(count > 0, "no room");
            space[..count].copy_from_slice(&rest[..count]);
            rest = &rest[count..];
            lines.received(count);
            while !lines.make(&stamp) {
                let ready = lines.ready().to_vec();
                assert!(!ready.is_empty(), "nothing to discard");
                lines.discard(ready.len());
                written.extend(ready);
            }
            if lines.is_crowded() {
                let ready = lines.ready().to_vec();
                lines.discard(ready.len());
                written.extend(ready);
            }
        }
        lines.end_line();
        written.extend(lines.ready());
        written
    }

    /// The same by the plainest of means.
    fn expected(stamp: &[u8], replacement: Option<Replacement>, input: &[u8]) -> Vec<u8> {
        let mut lines: Vec<&[u8]> = input.split(|byte| *byte == b'\n').collect();
        if lines.last() == Some(&&b""[..]) {
            lines.pop();
        }
        let mut output = Vec::new();
        for line in lines {
            output.extend(stamp);
            let mut text = line.to_vec();
            if let Some(replacement) = replacement {
                replacement.apply(&mut text);
            }
            output.extend(text);
            output.push(b'\n');
        }
        output
    }

    #[test]
    fn lines_without_a_stamp_are_as_they_came() {
        assert_eq!(made(rules(0, None), 100, b"one\n\ntwo\n", 64), b"one\n\ntwo\n");
    }

    #[test]
    fn every_line_gets_a_stamp() {
        let text = made(rules(Stamp::SIZE, None), 256, b"one\ntwo\n", 64);
        assert_eq!(text, b"1970-01-01T00:00:00.00000 one\n1970-01-01T00:00:00.00000 two\n");
    }

    #[test]
    fn a_last_line_gets_an_end() {
        assert_eq!(made(rules(0, None), 64, b"one\ntwo", 64), b"one\ntwo\n");
    }

    #[test]
    fn a_short_line_waits_for_its_end_and_a_long_one_does_not() {
        let mut memory = [0; 64];
        let mut lines = Lines::new(&mut memory, rules(0, None));
        for (piece, ready) in [(&b"123456789"[..], 0), (b"0", 0), (b"1", 11), (b"2\n3", 13), (b"\n", 15)] {
            lines.space()[..piece.len()].copy_from_slice(piece);
            lines.received(piece.len());
            assert!(lines.make(&Stamp::NONE));
            assert_eq!(lines.ready().len(), ready, "{piece:?}");
        }
        assert!(!lines.is_open());
    }

    #[test]
    fn what_cannot_be_printed_is_replaced_to_the_end_of_the_line() {
        let replacement = Some(Replacement::new(b'_', b"xy"));
        let text = made(rules(0, replacement), 64, b"\x00\x1f ~\x7f\xffxyz12345678\x01\n", 7);
        assert_eq!(text, b"__ ~____z12345678_\n");
    }

    #[test]
    fn what_must_go_ends_with_a_line() {
        let mut memory = [0; 640];
        let mut lines = Lines::new(&mut memory, rules(0, None));
        let input: Vec<u8> = (0..600).map(|place| if place % 10 == 9 { b'\n' } else { b'a' }).collect();
        lines.space()[..600].copy_from_slice(&input);
        lines.received(600);
        assert!(lines.make(&Stamp::NONE) && lines.is_crowded());
        assert_eq!(lines.crowd(), 130);
        lines.discard(130);
        assert!(!lines.is_crowded());
        assert_eq!(lines.ready(), &input[130..]);
    }

    #[test]
    fn where_no_line_ends_all_of_it_must_go() {
        let mut memory = [0; 64];
        let mut lines = Lines::new(&mut memory, rules(0, None));
        lines.space().fill(b'a');
        lines.received(63);
        assert!(lines.make(&Stamp::NONE));
        assert_eq!((lines.ready().len(), lines.crowd()), (63, 63));
        lines.end_line();
        assert_eq!(lines.ready().len(), 64);
    }

    proptest! {
        #[test]
        fn a_byte_is_found_where_it_is_first(bytes in prop::collection::vec(0_u8..4, 0..64), byte in 0_u8..4) {
            prop_assert_eq!(find(byte, &bytes), bytes.iter().position(|have| *have == byte));
        }

        #[test]
        fn any_bytes_are_found(bytes: Vec<u8>, byte: u8) {
            prop_assert_eq!(find(byte, &bytes), bytes.iter().position(|have| *have == byte));
        }

        #[test]
        fn every_input_becomes_its_lines(
            input in prop::collection::vec(prop_oneof![Just(b'\n'), any::<u8>(), Just(b'a'), Just(b'b')], 0..600),
            piece in 1_usize..200, size in 100_usize..300, is_stamped: bool, is_replaced: bool,
        ) {
            let replacement = is_replaced.then(|| Replacement::new(b'.', b"b"));
            let stamp = if is_stamped { stamp() } else { Stamp::NONE };
            let output = made(rules(stamp.as_bytes().len(), replacement), size, &input, piece);
            prop_assert_eq!(output, expected(stamp.as_bytes(), replacement, &input));
        }
    }
}
