//! The record of a pending shutdown, one line for programs and people: `PID TICKS WAY SECONDS HH:MM pending|going MADE`.

use super::made::{Made, Thing};
use super::request::Way;
use crate::limits::SHUTDOWN_RECORD;
use crate::local_time::TimeOfDay;
use crate::process::Pid;
use crate::process::birth::Ticks;
use crate::text::{Text, decimal};

/// A pending shutdown, as far as another one must know it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Holder {
    /// The process that waits.
    pub pid: Pid,
    /// When it began to wait. A process of its number that was started later is another one.
    pub since: Ticks,
    /// When the machine goes down, as it was told.
    pub shown: TimeOfDay,
    /// Whether the time has come.
    pub is_going: bool,
    /// What is to be undone.
    pub made: Made,
}

impl Holder {
    /// The line. `seconds` is the same time in seconds since 1970, by the clock as it was at the start.
    pub fn encode(&self, way: Way, seconds: u64) -> Text<SHUTDOWN_RECORD> {
        let way = way.ending().word();
        let mut text = Text::new();
        text.push_number(self.pid.raw().into());
        text.push(b" ");
        text.push_number(self.since.raw());
        text.push(b" ");
        text.push(way.to_bytes());
        text.push(b" ");
        text.push_number(seconds);
        text.push(b" ");
        text.push(&self.shown.to_text());
        text.push(if self.is_going { b" going " } else { b" pending " });
        for thing in self.made.things() {
            text.push(&[thing.letter()]);
        }
        text.push(if self.made == Made::default() { b"-\n" } else { b"\n" });
        text
    }

    /// Reads a line; `None` if it is something else.
    pub fn decode(line: &[u8]) -> Option<Self> {
        let mut words = [&b""[..]; 7];
        for (place, word) in words.iter_mut().zip(line.strip_suffix(b"\n")?.split(|byte| *byte == b' ')) {
            *place = word;
        }
        let [pid, since, _, _, shown, state, letters] = words;
        let pid = Pid::new(u32::try_from(decimal(pid)?).ok()?)?;
        let since = Ticks::from_raw(decimal(since)?);
        let shown = TimeOfDay::parse(shown)?;
        let mut made = Made::default();
        for thing in &Thing::ALL {
            if letters.contains(&thing.letter()) {
                made.add(*thing);
            }
        }
        Some(Self { pid, since, shown, is_going: state == b"going", made })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECONDS: u64 = 1_795_700_000;

    fn holder() -> Holder {
        let mut made = Made::default();
        made.add(Thing::NoLoginLink);
        made.add(Thing::ForceCheck);
        Holder {
            pid: Pid::new(1234).unwrap(),
            since: Ticks::from_raw(567),
            shown: TimeOfDay::parse(b"9:05").unwrap(),
            is_going: false,
            made,
        }
    }

    #[test]
    fn a_record_is_a_line() {
        let line = holder().encode(Way::PowerOff, SECONDS);
        assert_eq!(line.as_bytes(), b"1234 567 poweroff 1795700000 09:05 pending lF\n");
        let bare = Holder { is_going: true, made: Made::default(), ..holder() };
        assert_eq!(bare.encode(Way::Reboot, SECONDS).as_bytes(), b"1234 567 reboot 1795700000 09:05 going -\n");
        assert_eq!(bare.encode(Way::Halt, SECONDS).as_bytes(), b"1234 567 halt 1795700000 09:05 going -\n");
    }

    #[test]
    fn the_longest_fits() {
        let mut made = Made::default();
        Thing::ALL.into_iter().for_each(|thing| made.add(thing));
        let (pid, since) = (Pid::new(u32::MAX).unwrap(), Ticks::from_raw(u64::MAX));
        let line = Holder { pid, since, made, ..holder() }.encode(Way::PowerOff, u64::MAX);
        assert!(line.as_bytes().ends_with(b" 18446744073709551615 09:05 pending nlfF\n"));
        assert_eq!(Holder::decode(line.as_bytes()), Some(Holder { pid, since, made, ..holder() }));
    }

    #[test]
    fn every_thing_comes_back() {
        for thing in Thing::ALL {
            let mut made = Made::default();
            made.add(thing);
            let holder = Holder { made, is_going: thing == Thing::NoLogin, ..holder() };
            assert_eq!(holder.made.things().collect::<Vec<_>>(), [thing]);
            assert_eq!(Holder::decode(holder.encode(Way::Halt, SECONDS).as_bytes()), Some(holder));
        }
    }

    #[test]
    fn half_a_record_is_none() {
        let line = holder().encode(Way::Halt, SECONDS);
        for end in 0..line.as_bytes().len() {
            assert_eq!(Holder::decode(&line.as_bytes()[..end]), None, "{end}");
        }
        for line in [
            "0 9 halt 1 1:00 pending -\n",
            "x 9 halt 1 1:00 pending -\n",
            "1 x halt 1 1:00 pending -\n",
            "1 9 halt 1 25:00 going -\n",
            "\n",
        ] {
            assert_eq!(Holder::decode(line.as_bytes()), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            if let Some(holder) = Holder::decode(&bytes) {
                prop_assert_eq!(Holder::decode(holder.encode(Way::Halt, 0).as_bytes()), Some(holder));
            }
        }
    }
}
