//! Files of a log directory that are finished, or wait for a processor: their names, their order, and which of them must go.

use core::ffi::CStr;

use heapless::Vec;

use crate::limits::{OLDEST_FILES, WAITING_FILES};
use crate::tai64n::Label;

/// What the last letter of a name says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Finished.
    Finished,
    /// Waits for the processor.
    Unprocessed,
    /// Being written by the processor.
    InProgress,
}

impl Kind {
    const fn letter(self) -> u8 {
        match self {
            Self::Finished => b's',
            Self::Unprocessed => b'u',
            Self::InProgress => b't',
        }
    }
}

/// Bytes of a name: the label's text, a dot, a letter.
const SIZE: usize = Label::TEXT_SIZE + 2;

/// The name of such a file: 27 bytes, the first of them `@`. Names are in the order of time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Name {
    /// The name and a NUL.
    bytes: [u8; SIZE + 1],
}

impl Name {
    /// The name with this label.
    pub fn new(label: Label, kind: Kind) -> Self {
        let mut bytes = [0; SIZE + 1];
        if let Some((text, end)) = bytes.split_first_chunk_mut() {
            *text = label.to_text();
            end.copy_from_slice(&[b'.', kind.letter(), 0]);
        }
        Self { bytes }
    }

    /// Takes a name for one of these, with any last letter. What only looks like one is somebody else's.
    pub fn read(name: &[u8]) -> Option<Self> {
        let name: &[u8; SIZE] = name.try_into().ok()?;
        let [label @ .., dot, _] = name;
        if *dot != b'.' || Label::from_text(label).is_none() {
            return None;
        }
        let mut bytes = [0; SIZE + 1];
        if let Some(start) = bytes.first_chunk_mut() {
            *start = *name;
        }
        Some(Self { bytes })
    }

    /// The same label, another kind.
    #[must_use]
    pub fn with(mut self, kind: Kind) -> Self {
        if let Some(letter) = self.bytes.get_mut(SIZE - 1) {
            *letter = kind.letter();
        }
        self
    }

    /// Whether it has this kind.
    pub fn is(&self, kind: Kind) -> bool {
        self.bytes.get(SIZE - 1) == Some(&kind.letter())
    }

    /// When it was finished, if that can be read.
    pub fn label(&self) -> Option<Label> {
        Label::from_text(self.bytes.first_chunk()?).filter(|label| label.is_time())
    }

    /// As text.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..SIZE).unwrap_or(&[])
    }

    /// As a path.
    pub fn as_path(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or(c"")
    }
}

/// What is in a log directory.
#[derive(Debug)]
pub struct Census {
    /// The file that the processor works on, which is left alone.
    busy: Option<Label>,
    /// There is a processor: what waits for it is counted apart.
    has_processor: bool,
    /// How many there are, but for those in progress and those that wait for the processor.
    count: usize,
    /// The first of them, in order; the one that is worked on is not among them.
    oldest: Vec<Name, OLDEST_FILES>,
    /// How many wait for the processor.
    waiting_count: u32,
    /// The first of these.
    waiting: Option<Label>,
    /// The last label; the first of all if there is none.
    latest: Label,
}

impl Census {
    /// Nothing was seen yet; `busy` is what the processor works on, if there is one.
    pub fn new(busy: Option<Label>, has_processor: bool) -> Self {
        let latest = Label::from_unix(0, 0);
        Self { busy, has_processor, count: 0, oldest: Vec::new(), waiting_count: 0, waiting: None, latest }
    }

    /// Takes one entry; gives its name back if it is left over from a processor, and shall be removed.
    pub fn see(&mut self, entry: &[u8]) -> Option<Name> {
        let name = Name::read(entry)?;
        let label = name.label();
        if let Some(label) = label {
            self.latest = self.latest.max(label);
        }
        let is_busy = label.is_some() && label == self.busy;
        if name.is(Kind::InProgress) {
            return if is_busy { None } else { Some(name) };
        }
        if is_busy {
            return None;
        }
        if self.has_processor && label.is_some() && name.is(Kind::Unprocessed) {
            self.waiting_count = self.waiting_count.saturating_add(1);
            if self.waiting.is_none() || label < self.waiting {
                self.waiting = label;
            }
        } else {
            self.count = self.count.wrapping_add(1);
            self.keep_if_old(name);
        }
        None
    }

    fn keep_if_old(&mut self, name: Name) {
        if self.oldest.is_full() {
            if self.oldest.last().is_some_and(|last| *last < name) {
                return;
            }
            self.oldest.pop();
        }
        // There is room now.
        let _ = self.oldest.push(name);
        for place in (1..self.oldest.len()).rev() {
            match self.oldest.get_mut(place.wrapping_sub(1)..=place) {
                Some([before, after]) if *before > *after => core::mem::swap(before, after),
                _ => return,
            }
        }
    }

    /// The oldest of those that are too many, in order: if `keep` may stay, 0 for all. Not more than fit into the
    /// table; then there are still too many.
    pub fn surplus(&self, keep: u32) -> &[Name] {
        let excess = if keep == 0 { 0 } else { self.count.saturating_sub(keep as usize) };
        self.oldest.get(..excess).unwrap_or(&self.oldest)
    }

    /// Whether more are too many than [`Census::surplus`] gives.
    pub fn is_incomplete(&self, keep: u32) -> bool {
        let taken = self.surplus(keep).len();
        taken == OLDEST_FILES && self.count.saturating_sub(taken) > keep as usize
    }

    /// The oldest, if more than `least` are there; one that waits only where there is no other.
    pub fn spare(&self, least: u32) -> Option<Name> {
        let all = self.count.saturating_add(self.waiting_count as usize);
        let oldest = self.oldest.first().copied();
        oldest
            .or_else(|| self.waiting.map(|label| Name::new(label, Kind::Unprocessed)))
            .filter(|_| all > least as usize)
    }

    /// The oldest that waits for the processor, if there are too many of them.
    pub fn overdue(&self, keep: u32) -> Option<Name> {
        let is_too_many = keep != 0 && self.waiting_count > keep.saturating_add(WAITING_FILES);
        self.waiting.filter(|_| is_too_many).map(|label| Name::new(label, Kind::Unprocessed))
    }

    /// The oldest that waits for the processor.
    pub fn waiting(&self) -> Option<Label> {
        self.waiting
    }

    /// The last label that is in use.
    pub fn latest(&self) -> Label {
        self.latest
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(second: i64, kind: Kind) -> Name {
        Name::new(Label::from_unix(second, 0), kind)
    }

    fn census(busy: Option<Label>, names: &[Name]) -> Census {
        let mut census = Census::new(busy, true);
        names.iter().for_each(|name| assert_eq!(census.see(name.as_bytes()), None));
        census
    }

    #[test]
    fn a_name_is_a_label_and_a_letter() {
        let name = Name::new(Label::from_unix(1_795_361_599, 655_292_500), Kind::Finished);
        assert_eq!(name.as_bytes(), b"@400000006b030b49270ef854.s");
        assert_eq!(name.as_path(), c"@400000006b030b49270ef854.s");
        assert_eq!(name.with(Kind::Unprocessed).as_bytes(), b"@400000006b030b49270ef854.u");
        assert_eq!(Name::read(name.as_bytes()), Some(name));
        assert_eq!(name.label(), Some(Label::from_unix(1_795_361_599, 655_292_500)));
    }

    #[test]
    fn other_names_are_none() {
        for entry in [&b"current"[..], b"@400000006b030b49270ef854", b"x400000006b030b49270ef854.s", b"lock", b""] {
            assert_eq!(Name::read(entry), None);
        }
        // As long, and counted, but nobody knows when.
        let odd = Name::read(b"@ffffffffffffffffffffffff.s").unwrap();
        assert_eq!(odd.label(), None);
        assert_eq!(Name::read(b"@zzzzzzzzzzzzzzzzzzzzzzzz.s"), None);
    }

    #[test]
    fn those_that_are_too_many_are_the_oldest() {
        let names = [3, 1, 5, 2, 4].map(|second| name(second, Kind::Finished));
        let census = census(None, &names);
        assert_eq!(census.surplus(3), [name(1, Kind::Finished), name(2, Kind::Finished)]);
        assert_eq!(census.surplus(5), []);
        assert_eq!(census.surplus(0), []);
        assert_eq!(census.spare(4), Some(name(1, Kind::Finished)));
        assert_eq!(census.spare(5), None);
        assert_eq!(census.latest(), Label::from_unix(5, 0));
    }

    #[test]
    fn what_the_processor_works_on_stays() {
        let busy = name(1, Kind::Unprocessed);
        let mut census = census(busy.label(), &[busy, name(2, Kind::Unprocessed), name(3, Kind::Finished)]);
        assert_eq!(census.see(busy.with(Kind::InProgress).as_bytes()), None);
        let left_over = name(2, Kind::InProgress);
        assert_eq!(census.see(left_over.as_bytes()), Some(left_over));
        assert_eq!(census.waiting(), Some(Label::from_unix(2, 0)));
        assert_eq!(census.spare(1), Some(name(3, Kind::Finished)));
        assert_eq!(census.spare(2), None);
    }

    #[test]
    fn what_waits_is_counted_apart_where_there_is_a_processor() {
        let names = [3, 1, 2].map(|second| name(second, Kind::Unprocessed));
        assert_eq!(census(None, &names).surplus(1), []);
        assert_eq!(census(None, &names).waiting(), Some(Label::from_unix(1, 0)));
        assert_eq!(census(None, &names).spare(0), Some(name(1, Kind::Unprocessed)));
        let mut alone = Census::new(None, false);
        names.iter().for_each(|name| assert_eq!(alone.see(name.as_bytes()), None));
        assert_eq!(alone.surplus(1), [name(1, Kind::Unprocessed), name(2, Kind::Unprocessed)]);
        assert_eq!(alone.waiting(), None);
    }

    #[test]
    fn there_is_an_end_to_waiting() {
        let names: std::vec::Vec<Name> = (0..103).map(|second| name(second, Kind::Unprocessed)).collect();
        assert_eq!(census(None, &names).overdue(2), Some(name(0, Kind::Unprocessed)));
        assert_eq!(census(None, &names).overdue(3), None);
        assert_eq!(census(None, &names).overdue(0), None);
    }

    proptest! {
        #[test]
        fn of_many_the_first_are_known(mut seconds in prop::collection::vec(0_i64..1000, 0..100), keep in 1_u32..50) {
            let names: Vec<Name, 100> = seconds.iter().map(|second| name(*second, Kind::Finished)).collect();
            let census = census(None, &names);
            seconds.sort_unstable();
            let excess = seconds.len().saturating_sub(keep as usize);
            let first: Vec<Name, 100> =
                seconds.iter().take(excess.min(OLDEST_FILES)).map(|second| name(*second, Kind::Finished)).collect();
            prop_assert_eq!(census.surplus(keep), first.as_slice());
            prop_assert_eq!(census.is_incomplete(keep), excess > OLDEST_FILES);
        }
    }
}
