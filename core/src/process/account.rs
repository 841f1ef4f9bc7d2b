//! Users and groups: what `chpst -u` names, and the lines of `/etc/passwd` and `/etc/group` (passwd(5), group(5)).
//!
//! The files are read piece by piece, in pieces of any size, and nothing of them is kept: a file, and a line, may be as long as it likes.

use heapless::Vec;

use crate::limits::GROUPS;
use crate::text::decimal;

/// Groups, the primary one first.
pub type Groups = Vec<u32, GROUPS>;

/// A user and the groups of a process.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Ids {
    /// The user.
    pub user: u32,
    /// The groups; never empty where they are somebody's.
    pub groups: Groups,
}

/// Whom a process shall run as (chpst(8), `-u`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Account<'spec> {
    /// `:UID:GID[:GID...]`, without the first colon: see [`Ids::parse`].
    Numbers(&'spec [u8]),
    /// `USER[:GROUP...][:+]`; what is behind the first colon, if there is one.
    Names(&'spec [u8], Option<&'spec [u8]>),
}

/// In the place of a group: all that the user is a member of.
pub const MEMBERSHIPS: &[u8] = b"+";

/// Numbers that are none, that are too large or too many, or a user without a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Invalid;

impl<'spec> Account<'spec> {
    /// Takes `spec` apart.
    pub fn of(spec: &'spec [u8]) -> Self {
        let mut parts = spec.splitn(2, |byte| *byte == b':');
        let user = parts.next().unwrap_or(&[]);
        match parts.next() {
            Some(numbers) if user.is_empty() => Self::Numbers(numbers),
            groups => Self::Names(user, groups),
        }
    }
}

impl Ids {
    /// Reads `UID:GID[:GID...]`. An empty number is 0, as in the original.
    ///
    /// # Errors
    /// [`Invalid`]; the ids mean nothing then.
    pub fn parse(&mut self, numbers: &[u8]) -> Result<(), Invalid> {
        let mut numbers = numbers.split(|byte| *byte == b':');
        self.user = id(numbers.next().unwrap_or(&[]))?;
        self.groups.clear();
        for number in numbers {
            self.groups.push(id(number)?).map_err(|_| Invalid)?;
        }
        if self.groups.is_empty() { Err(Invalid) } else { Ok(()) }
    }

    /// The primary group.
    pub fn group(&self) -> u32 {
        // Never empty.
        self.groups.first().copied().unwrap_or(self.user)
    }
}

fn id(number: &[u8]) -> Result<u32, Invalid> {
    if number.is_empty() {
        return Ok(0);
    }
    decimal(number).and_then(|number| u32::try_from(number).ok()).ok_or(Invalid)
}

/// Which lines are looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// That of this user, in the file of users.
    User,
    /// That of this group, in the file of groups.
    Group,
    /// Those of groups that have this user as a member, in the file of groups.
    Memberships,
}

/// A line that was looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The user or the group.
    pub id: u32,
    /// The user's primary group; of a group, the same again.
    pub group: u32,
}

// Fields of both kinds of lines, separated by colons.
const NAME: u8 = 0;
const ID: u8 = 2;
const GROUP: u8 = 3;
const MEMBERS: u8 = 3;

/// Looks for lines, byte by byte.
#[derive(Clone, Debug)]
pub struct Search<'name> {
    wanted: Wanted,
    name: &'name [u8],
    line: Line,
}

/// What is known of the line so far.
#[derive(Clone, Copy, Debug)]
struct Line {
    field: u8,
    /// How much of the name stands in the field, or among the members, so far; `None`: something else does.
    equal: Option<usize>,
    is_wanted: bool,
    id: Number,
    group: Number,
}

/// A field that should be a number; `None`: it is not, or there is none yet.
type Number = Option<u32>;

impl Line {
    const BEGIN: Self = Self { field: NAME, equal: Some(0), is_wanted: false, id: None, group: None };
}

impl<'name> Search<'name> {
    /// Looks for what has to do with `name`. No line has an empty name.
    pub fn new(wanted: Wanted, name: &'name [u8]) -> Self {
        Self { wanted, name, line: Line::BEGIN }
    }

    /// Takes from the beginning of `piece`, up to a line that was looked for, or else all of it. Lines that lack a number, or have one
    /// that is none or too large, are not there.
    pub fn next(&mut self, piece: &mut &[u8]) -> Option<Entry> {
        while let Some((byte, rest)) = piece.split_first() {
            if self.is_of_another() && *byte != b'\n' {
                // Most lines are: nothing else of them matters.
                let end = piece.iter().position(|byte| *byte == b'\n').unwrap_or(piece.len());
                *piece = piece.get(end..).unwrap_or(&[]);
                continue;
            }
            *piece = rest;
            if *byte == b'\n' {
                if let Some(entry) = self.end() {
                    return Some(entry);
                }
            } else {
                self.take(*byte);
            }
        }
        None
    }

    /// Whether the line is known to be that of another user or group.
    fn is_of_another(&self) -> bool {
        self.line.field == NAME && self.line.equal.is_none() && self.wanted != Wanted::Memberships
    }

    /// The line ends here: at a newline, or with the file.
    pub fn end(&mut self) -> Option<Entry> {
        self.judge_name();
        let line = core::mem::replace(&mut self.line, Line::BEGIN);
        let id = line.id.filter(|_| line.is_wanted)?;
        let group = if self.wanted == Wanted::User { line.group? } else { id };
        Some(Entry { id, group })
    }

    fn take(&mut self, byte: u8) {
        if byte == b':' {
            self.judge_name();
            self.line.field = self.line.field.saturating_add(1);
            self.line.equal = Some(0);
            return;
        }
        if byte == b',' && self.wanted == Wanted::Memberships && self.line.field == MEMBERS {
            self.judge_name();
            self.line.equal = Some(0);
            return;
        }
        let at = self.line.equal;
        let is_same = at.is_some_and(|at| self.name.get(at) == Some(&byte));
        let is_first = at == Some(0);
        let number = match self.line.field {
            ID => Some(&mut self.line.id),
            GROUP if self.wanted == Wanted::User => Some(&mut self.line.group),
            _ => None,
        };
        if let Some(number) = number {
            let before = if is_first { Some(0) } else { *number };
            *number = before.and_then(|before| append(before, byte));
            // Only whether it is the first byte is asked here.
            self.line.equal = None;
        } else {
            self.line.equal = at.filter(|_| is_same).map(|at| at.wrapping_add(1));
        }
    }

    /// What stood in the field up to here is whole.
    fn judge_name(&mut self) {
        let field = if self.wanted == Wanted::Memberships { MEMBERS } else { NAME };
        if self.line.field == field && !self.name.is_empty() && self.line.equal == Some(self.name.len()) {
            self.line.is_wanted = true;
        }
    }
}

/// A decimal number with one more digit; `None` if it is none, or too large.
fn append(number: u32, digit: u8) -> Option<u32> {
    match digit {
        b'0'..=b'9' => number.checked_mul(10)?.checked_add(digit.wrapping_sub(b'0').into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const USERS: &[u8] = b"root:x:0:0:root:/root:/bin/sh\n\
        short\n\
        nonumber:x::5::/:\n\
        bad:x:1x:5::/:\n\
        large:x:4294967296:1::/:\n\
        \n\
        ada:x:1000:100:Ada, at home:/home/ada:/bin/sh\n\
        ada:x:1001:101:second:/:\n\
        nogroup:x:7:\n\
        max:x:4294967295:4294967295";

    const PEOPLE: &[u8] =
        b"wheel:x:10:root,ada\nada:x:100:\naudio:x:11:ada\nlike:x:12:adam,xada,ad\nbroken:x::ada\n:x:13:ada,ada\nlast:x:14:bob,ada";

    fn all(wanted: Wanted, name: &str, file: &[u8], step: usize) -> std::vec::Vec<(u32, u32)> {
        let mut search = Search::new(wanted, name.as_bytes());
        let mut found = std::vec::Vec::new();
        for mut piece in file.chunks(step) {
            while let Some(entry) = search.next(&mut piece) {
                found.push((entry.id, entry.group));
            }
        }
        found.extend(search.end().map(|entry| (entry.id, entry.group)));
        found
    }

    #[test]
    fn a_user_has_the_numbers_of_each_of_its_lines() {
        assert_eq!(all(Wanted::User, "root", USERS, 1000), [(0, 0)]);
        assert_eq!(all(Wanted::User, "ada", USERS, 1000), [(1000, 100), (1001, 101)]);
        assert_eq!(all(Wanted::User, "max", USERS, 1000), [(u32::MAX, u32::MAX)]);
    }

    #[test]
    fn lines_without_their_numbers_are_not_there() {
        for name in ["short", "nonumber", "bad", "large", "nogroup", "nobody", "", "ad", "adaa", "x"] {
            assert_eq!(all(Wanted::User, name, USERS, 1000), [], "{name}");
        }
    }

    #[test]
    fn a_group_is_found_by_its_name_alone() {
        assert_eq!(all(Wanted::Group, "ada", PEOPLE, 1000), [(100, 100)]);
        assert_eq!(all(Wanted::Group, "last", PEOPLE, 1000), [(14, 14)]);
        for name in ["root", "bob", "x", "broken", ""] {
            assert_eq!(all(Wanted::Group, name, PEOPLE, 1000), [], "{name}");
        }
    }

    #[test]
    fn a_member_is_found_by_its_whole_name_once_a_line() {
        assert_eq!(all(Wanted::Memberships, "ada", PEOPLE, 1000), [(10, 10), (11, 11), (13, 13), (14, 14)]);
        assert_eq!(all(Wanted::Memberships, "root", PEOPLE, 1000), [(10, 10)]);
        assert_eq!(all(Wanted::Memberships, "x", PEOPLE, 1000), []);
    }

    #[test]
    fn a_line_of_any_length_is_read() {
        let mut file = b"huge:x:5:".to_vec();
        file.extend(b"somebody,".repeat(100_000));
        file.extend(b"ada\n");
        assert_eq!(all(Wanted::Memberships, "ada", &file, 4096), [(5, 5)]);
    }

    fn numbers(spec: &str) -> Option<(u32, std::vec::Vec<u32>)> {
        let Account::Numbers(numbers) = Account::of(spec.as_bytes()) else { panic!("{spec}") };
        let mut ids = Ids::default();
        ids.parse(numbers).ok().map(|()| (ids.user, ids.groups.to_vec()))
    }

    #[test]
    fn numbers_follow_a_colon() {
        assert_eq!(numbers(":1000:100"), Some((1000, vec![100])));
        assert_eq!(numbers(":1000:"), Some((1000, vec![0])));
        assert_eq!(numbers("::"), Some((0, vec![0])));
        assert_eq!(numbers(":1000::5"), Some((1000, vec![0, 5])));
        assert_eq!(numbers(":4294967295:7"), Some((u32::MAX, vec![7])));
    }

    #[test]
    fn other_numbers_are_refused() {
        for spec in [":", ":1000", ":x:1", ":1:x", ":-1:1", ":1: 1", ":4294967296:1", ":1:99999999999", ":1:1:+"] {
            assert_eq!(numbers(spec), None, "{spec}");
        }
    }

    #[test]
    fn there_is_room_for_so_many_groups() {
        let spec = |count: usize| format!(":1{}", ":2".repeat(count));
        assert_eq!(numbers(&spec(GROUPS)), Some((1, vec![2; GROUPS])));
        assert_eq!(numbers(&spec(GROUPS + 1)), None);
        assert_eq!(numbers(&spec(70_000)), None);
    }

    #[test]
    fn what_does_not_begin_with_a_colon_is_names() {
        for (spec, user, groups) in [
            ("ada", "ada", None),
            ("", "", None),
            ("ada:", "ada", Some("")),
            ("ada:wheel:+", "ada", Some("wheel:+")),
            ("1000:100", "1000", Some("100")),
        ] {
            let expected = Account::Names(user.as_bytes(), groups.map(str::as_bytes));
            assert_eq!(Account::of(spec.as_bytes()), expected, "{spec}");
        }
    }

    proptest! {
        #[test]
        fn pieces_of_any_size_give_the_same(step in 1_usize..60) {
            prop_assert_eq!(all(Wanted::User, "ada", USERS, step), all(Wanted::User, "ada", USERS, 1000));
            prop_assert_eq!(
                all(Wanted::Memberships, "ada", PEOPLE, step),
                all(Wanted::Memberships, "ada", PEOPLE, 1000)
            );
        }

        /// Against a reader that holds each line whole.
        #[test]
        fn any_file_is_read_as_lines_and_fields(file in "[ab:,\n01]{0,200}", name in "[ab]{1,2}") {
            let field = |line: &str, index: usize| line.split(':').nth(index).map(str::to_owned);
            let number = |line: &str, index: usize| field(line, index).and_then(|text| text.parse::<u32>().ok());
            let mut users = vec![];
            let mut memberships = vec![];
            for line in file.split('\n') {
                if field(line, 0).as_deref() == Some(&name)
                    && let (Some(id), Some(group)) = (number(line, 2), number(line, 3))
                {
                    users.push((id, group));
                }
                if field(line, 3).is_some_and(|members| members.split(',').any(|member| member == name))
                    && let Some(id) = number(line, 2)
                {
                    memberships.push((id, id));
                }
            }
            prop_assert_eq!(all(Wanted::User, &name, file.as_bytes(), 7), users);
            prop_assert_eq!(all(Wanted::Memberships, &name, file.as_bytes(), 7), memberships);
        }
    }
}
