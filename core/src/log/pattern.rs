//! Which lines a log directory takes, and which it also writes to standard error.

/// What patterns decided about a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Choice {
    /// It is written into the log.
    pub is_taken: bool,
    /// It is written to standard error.
    pub is_shown: bool,
}

impl Choice {
    /// What holds where no pattern matches.
    pub const DEFAULT: Self = Self { is_taken: true, is_shown: false };
}

/// Whether a line of a config holds a pattern.
pub fn is_pattern(directive: &[u8]) -> bool {
    matches!(directive, [b'+' | b'-' | b'e' | b'E', ..])
}

/// Tries every pattern, in order, against the beginning of a line; of those that match the last one of its kind decides.
/// Directives that hold no pattern are left out.
pub fn choose<'a>(directives: impl Iterator<Item = &'a [u8]>, text: &[u8]) -> Choice {
    let mut choice = Choice::DEFAULT;
    for directive in directives {
        let Some((kind, pattern)) = directive.split_first() else { continue };
        let (place, value) = match kind {
            b'+' => (&mut choice.is_taken, true),
            b'-' => (&mut choice.is_taken, false),
            b'e' => (&mut choice.is_shown, true),
            b'E' => (&mut choice.is_shown, false),
            _ => continue,
        };
        if *place != value && matches(pattern, text) {
            *place = value;
        }
    }
    choice
}

/// Whether `pattern` matches all of `text` (svlogd(8), Patterns). There is no going back: `*` stops at the first character that
/// comes next in the pattern.
pub fn matches(mut pattern: &[u8], mut text: &[u8]) -> bool {
    loop {
        match *pattern {
            [] => return text.is_empty(),
            [b'*'] => return true,
            [b'*', ref rest @ ..] => {
                let next = rest.first();
                let Some(place) = text.iter().position(|byte| Some(byte) == next) else { return false };
                text = text.get(place..).unwrap_or(&[]);
                pattern = rest;
            }
            // What is repeated is missing: nothing is.
            [b'+'] => return text.is_empty(),
            [b'+', repeated, ref rest @ ..] => {
                if text.first() != Some(&repeated) {
                    return false;
                }
                while let [first, others @ ..] = text
                    && *first == repeated
                {
                    text = others;
                }
                if text.is_empty() {
                    return true;
                }
                pattern = rest;
            }
            [literal, ref rest @ ..] => {
                let [first, others @ ..] = text else { return false };
                if *first != literal {
                    return false;
                }
                (pattern, text) = (rest, others);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the original was seen to do, but for the last rows: what an earlier line left behind matches nothing.
    const SEEN: &[(&str, &str, bool)] = &[
        ("abc", "abc", true),
        ("ab", "abc", false),
        ("*", "", true),
        ("a*", "a", true),
        ("*c", "abc", true),
        ("*c", "abcc", false),
        ("*b*", "abc", true),
        ("*pid*", "tcpsvd pid 4", false),
        ("*: *: pid *", "tcpsvd: info: pid 1977 from", true),
        ("**", "ab", false),
        ("**a", "*a", true),
        ("**a", "xa", false),
        ("*+a", "x+a", false),
        ("+**", "**x", true),
        ("+a", "aaa", true),
        ("+a", "aaab", false),
        ("+ab", "aab", true),
        ("+ab", "b", false),
        ("+a+b", "aabb", true),
        ("+aa", "aa", true),
        ("+aa", "aaa", true),
        ("x+ab", "xaa", true),
        ("a+b", "a", false),
        ("", "", true),
        ("", "a", false),
        ("+", "", true),
        ("+", "a", false),
        ("a+", "a", true),
        ("a?", "ab", false),
        ("+a", "", false),
    ];

    #[test]
    fn patterns_match_what_they_were_seen_to_match() {
        for (pattern, text, expected) in SEEN {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), *expected, "{pattern:?} {text:?}");
        }
    }

    fn chosen(directives: &[&str], text: &str) -> (bool, bool) {
        let choice = choose(directives.iter().map(|directive| directive.as_bytes()), text.as_bytes());
        (choice.is_taken, choice.is_shown)
    }

    #[test]
    fn of_those_that_match_the_last_one_decides() {
        assert_eq!(chosen(&["-*", "+a*"], "abc"), (true, false));
        assert_eq!(chosen(&["-*", "+a*"], "bc"), (false, false));
        assert_eq!(chosen(&["+a*", "-*"], "abc"), (false, false));
    }

    #[test]
    fn log_and_standard_error_are_chosen_apart() {
        assert_eq!(chosen(&["-*", "e*x*", "E*y*"], "xa"), (false, true));
        assert_eq!(chosen(&["-*", "e*x*", "E*y*"], "xy"), (false, false));
    }

    #[test]
    fn what_is_no_pattern_is_left_out() {
        assert_eq!(chosen(&["#", "s100", "", "p-*"], "a"), (true, false));
        assert_eq!([is_pattern(b"+a"), is_pattern(b"p+"), is_pattern(b"")], [true, false, false]);
    }
}
