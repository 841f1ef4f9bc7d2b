//! The last words of everybody, in the space of a command line's word (runsvdir(8)).

/// Bytes at the beginning that never change.
const LABEL: usize = 5;

/// The shortest word that is of use, in bytes.
pub const SHORTEST: usize = LABEL + 2;

/// Appends `bytes`, and drops as many behind the label. NULs are left out; what cannot be shown becomes a blank.
pub fn append(word: &mut [u8], bytes: &[u8]) {
    let Some((_, rolling)) = word.split_at_mut_checked(LABEL) else { return };
    for byte in bytes.iter().filter(|byte| **byte != 0) {
        let mut places = rolling.iter_mut();
        let Some(mut place) = places.next() else { return };
        for next in places {
            *place = *next;
            place = next;
        }
        *place = if matches!(byte, b' '..=b'~') { *byte } else { b' ' };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_stays_and_the_rest_moves_on() {
        let mut word = *b"log: abcdefghij";
        append(&mut word, b".");
        assert_eq!(&word, b"log: bcdefghij.");
        append(&mut word, b"0123456789012");
        assert_eq!(&word, b"log: 3456789012");
    }

    #[test]
    fn what_cannot_be_shown_is_a_blank_and_nul_is_nothing() {
        let mut word = *b"log: ......";
        append(&mut word, b"a\0\n\x1b\xff\x7fb");
        assert_eq!(&word, b"log: a    b");
    }

    #[test]
    fn a_word_that_is_too_short_stays_as_it_is() {
        for size in 0..=LABEL {
            let mut word = vec![b'x'; size];
            append(&mut word, b"yz");
            assert_eq!(word, vec![b'x'; size]);
        }
    }
}
