//! Words that are known, in tables that take little room: there are about seventy of them.

/// The longest one: `handoff.debug`.
const LONGEST: usize = 13;

/// A word, filled up with zeros, and what it stands for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keyword<M>([u8; LONGEST], M);

/// A row of a table, which must be a constant: a word that is too long is found when it is compiled.
pub(super) const fn keyword<M: Copy>(word: &[u8], meaning: M) -> Keyword<M> {
    let mut name = [0; LONGEST];
    name.split_at_mut(word.len()).0.copy_from_slice(word);
    Keyword(name, meaning)
}

/// What `word` stands for.
pub(super) fn meaning<M: Copy>(known: &[Keyword<M>], word: &[u8]) -> Option<M> {
    let is_it = |name: &[u8; LONGEST]| name.iter().take_while(|byte| **byte != 0).eq(word);
    known.iter().find(|Keyword(name, _)| is_it(name)).map(|Keyword(_, meaning)| *meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_known_as_a_whole_or_not() {
        const KNOWN: [Keyword<u8>; 3] = [keyword(b"rw", 1), keyword(b"r", 2), keyword(b"handoff.debug", 3)];
        assert_eq!(meaning(&KNOWN, b"rw"), Some(1));
        assert_eq!(meaning(&KNOWN, b"r"), Some(2));
        assert_eq!(meaning(&KNOWN, b"handoff.debug"), Some(3));
        for word in ["rwx", "handoff", "handoff.debugs", "w", "r\0", ""] {
            assert_eq!(meaning(&KNOWN, word.as_bytes()), None, "{word:?}");
        }
    }
}
