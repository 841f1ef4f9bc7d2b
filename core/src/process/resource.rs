//! What a program may use, and how eagerly it runs: the numbers of `chpst` and `softlimit` (chpst(8), getrlimit(2)).

use heapless::Vec;

use crate::text::decimal;

/// A resource with a limit, by the kernel's number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resource {
    /// Seconds of processor time.
    Cpu = 0,
    /// Bytes of a file that is written.
    FileSize = 1,
    /// Bytes of data.
    Data = 2,
    /// Bytes of the stack.
    Stack = 3,
    /// Bytes of a core dump.
    Core = 4,
    /// Bytes in memory; the kernel takes no notice.
    Resident = 5,
    /// Processes of the user.
    Processes = 6,
    /// Open descriptors.
    Files = 7,
    /// Bytes that are locked in memory.
    Locked = 8,
    /// Bytes of addresses.
    Addresses = 9,
}

/// Everything that has a limit, in the order in which the limits are set.
pub const ALL: [Resource; 10] = [
    Resource::Data,
    Resource::Stack,
    Resource::Locked,
    Resource::Addresses,
    Resource::Files,
    Resource::Processes,
    Resource::FileSize,
    Resource::Core,
    Resource::Resident,
    Resource::Cpu,
];

/// What `-m` means.
const MEMORY: &[Resource] = &[Resource::Data, Resource::Stack, Resource::Locked, Resource::Addresses];

/// The resources that an option limits, of `chpst` or of `softlimit`; none if it limits nothing.
pub fn of_letter(letter: u8) -> &'static [Resource] {
    match letter {
        b'm' => MEMORY,
        b'd' => &[Resource::Data],
        b'o' => &[Resource::Files],
        b'p' => &[Resource::Processes],
        b'f' => &[Resource::FileSize],
        b'c' => &[Resource::Core],
        b'r' => &[Resource::Resident],
        b't' => &[Resource::Cpu],
        b's' => &[Resource::Stack],
        b'l' => &[Resource::Locked],
        b'a' => &[Resource::Addresses],
        _ => &[],
    }
}

/// Limits that shall be set. The last one given for a resource counts.
#[derive(Clone, Default, Debug)]
pub struct Limits(Vec<(Resource, u64), { ALL.len() }>);

impl Limits {
    /// Wants `limit` for these.
    pub fn want(&mut self, resources: &[Resource], limit: u64) {
        for resource in resources {
            match self.0.iter_mut().find(|(known, _)| known == resource) {
                Some((_, known)) => *known = limit,
                // There is a place for each.
                None => drop(self.0.push((*resource, limit))),
            }
        }
    }

    /// What is wanted for `resource`.
    pub fn of(&self, resource: Resource) -> Option<u64> {
        self.0.iter().find(|(known, _)| *known == resource).map(|(_, limit)| *limit)
    }
}

/// A limit as it is given: decimal; nothing is 0, as in the original. `None` if it is something else, or has more than 64 bits.
pub fn parse_limit(text: &[u8]) -> Option<u64> {
    if text.is_empty() { Some(0) } else { decimal(text) }
}

/// The largest number: whatever is allowed.
pub const MOST: u64 = u64::MAX;

/// The limit that is set for `wanted` where `hard` is allowed; `None`: it stays as it is. A number is held with a sign, as in
/// the original, so the upper half of all numbers asks for nothing, but for the last one.
pub fn soft_limit(wanted: u64, hard: u64) -> Option<u64> {
    match wanted {
        MOST => Some(hard),
        _ if i64::try_from(wanted).is_err() => None,
        _ => Some(wanted.min(hard)),
    }
}

/// Steps between the highest priority and the lowest; more come to the same.
const NICE_STEPS: i32 = 39;

/// How much nicer a program shall be: a number with or without a sign, a sign alone or nothing for 0. `None` if it is something
/// else.
pub fn parse_nice(text: &[u8]) -> Option<i32> {
    let (digits, sign) = match text {
        [b'-', digits @ ..] => (digits, -1),
        [b'+', digits @ ..] => (digits, 1),
        digits => (digits, 1),
    };
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // A number that is too large is more than all steps.
    let steps = if digits.is_empty() { Some(0) } else { decimal(digits) };
    let steps = steps.and_then(|steps| i32::try_from(steps).ok()).unwrap_or(NICE_STEPS).min(NICE_STEPS);
    Some(steps.wrapping_mul(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_letter_limits_its_own() {
        // As getrlimit(2) numbers them on Linux.
        for (letter, numbers) in [
            ('m', &[2, 3, 8, 9][..]),
            ('d', &[2]),
            ('o', &[7]),
            ('p', &[6]),
            ('f', &[1]),
            ('c', &[4]),
            ('r', &[5]),
            ('t', &[0]),
            ('s', &[3]),
            ('l', &[8]),
            ('a', &[9]),
            ('u', &[]),
        ] {
            let found: std::vec::Vec<i32> = of_letter(letter as u8).iter().map(|resource| *resource as i32).collect();
            assert_eq!(found, numbers, "{letter}");
        }
        let all: std::collections::BTreeSet<i32> = ALL.iter().map(|resource| *resource as i32).collect();
        assert_eq!(all.len(), ALL.len());
    }

    #[test]
    fn the_last_limit_given_counts() {
        let mut limits = Limits::default();
        limits.want(of_letter(b'm'), 200);
        limits.want(of_letter(b'd'), 100);
        assert_eq!((limits.of(Resource::Data), limits.of(Resource::Stack)), (Some(100), Some(200)));
        limits.want(of_letter(b'm'), 300);
        assert_eq!((limits.of(Resource::Data), limits.of(Resource::Cpu)), (Some(300), None));
    }

    #[test]
    fn all_resources_have_a_place() {
        let mut limits = Limits::default();
        limits.want(&ALL, 1);
        limits.want(&ALL, 2);
        assert!(ALL.iter().all(|resource| limits.of(*resource) == Some(2)));
    }

    #[test]
    fn limits_are_decimal_numbers() {
        assert_eq!(parse_limit(b""), Some(0));
        assert_eq!(parse_limit(b"18446744073709551615"), Some(MOST));
        for text in ["1x", "-1", "=", "+1", " 1", "18446744073709551616"] {
            assert_eq!(parse_limit(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn no_limit_is_above_what_is_allowed() {
        assert_eq!(soft_limit(5, 10), Some(5));
        assert_eq!(soft_limit(11, 10), Some(10));
        assert_eq!(soft_limit(i64::MAX as u64, u64::MAX), Some(i64::MAX as u64));
        assert_eq!(soft_limit(1 << 63, 10), None);
        assert_eq!(soft_limit(u64::MAX - 1, 10), None);
        assert_eq!(soft_limit(u64::MAX, 10), Some(10));
    }

    #[test]
    fn a_priority_has_a_sign_or_none() {
        for (text, steps) in [
            ("5", 5),
            ("-3", -3),
            ("+4", 4),
            ("+", 0),
            ("-", 0),
            ("", 0),
            ("99999999999999999999999", 39),
            ("-40", -39),
        ] {
            assert_eq!(parse_nice(text.as_bytes()), Some(steps), "{text}");
        }
        for text in ["5x", "+-3", "--3", " 3", "x"] {
            assert_eq!(parse_nice(text.as_bytes()), None, "{text}");
        }
    }
}
