//! The machine of `runsvdir`: what a directory holds, against the services that are supervised.
//!
//! A service *is* the directory it names (device and inode), not its name: two links to one directory are one service,
//! and a renamed entry keeps its supervisor. Names are remembered as hashes only, so that an entry
//! that cannot be examined just now does not lose its service.
//!
//! A service may have a supervisor already, of an earlier `runsvdir`. That one is left alone, and looked at from time to time.
//!
//! A scan is `begin`, then one call for each entry, then `end`, then [`Scan::take_removed`] until it has no more.

use heapless::Vec;

use crate::limits::{SCAN_INTERVAL, SCAN_RETRY, START_INTERVAL, TOLD_NAMES};
use crate::process::Pid;
use crate::process::outcome::Outcome;
use crate::time::{Duration, Instant, earlier};

/// Which directory a service is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Identity {
    /// The file system's number.
    pub device: u64,
    /// The directory's number in it.
    pub inode: u64,
}

/// A directory entry's name, by its hash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NameHash(u32);

impl NameHash {
    /// Hashes `name` (FNV-1a, 32 bits). Two names with one hash only keep a service longer than needed.
    pub fn of(name: &[u8]) -> Self {
        Self(name.iter().fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)))
    }
}

/// What to do about an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Start its supervisor, then tell [`Scan::started`] or [`Scan::not_started`]; or [`Scan::is_supervised`], if it has
    /// one already.
    Start,
    /// Nothing: it has a supervisor, or must wait for its next start.
    Leave,
    /// The table is full. Told once, until there is room again.
    Full,
}

/// A supervisor that is not a child: its pid, and when that was surely its.
pub type Foreign = (Pid, Instant);

/// A supervisor to be told to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// There is none, or nobody knows which.
    Nobody,
    /// A child.
    Child(Pid),
    /// Another's child, if it is still the same process.
    Foreign(Foreign),
}

#[derive(Clone, Copy, Debug)]
enum Supervisor {
    Running { pid: Pid, since: Instant },
    Down { not_before: Instant },
    Foreign { who: Option<Foreign>, look_at: Instant },
}

impl Supervisor {
    /// When a scan shall start it, or look whether it must be started.
    fn due(&self) -> Option<Instant> {
        match *self {
            Self::Running { .. } => None,
            Self::Down { not_before: at } | Self::Foreign { look_at: at, .. } => Some(at),
        }
    }

    fn ending(&self) -> Ending {
        match *self {
            Self::Running { pid, .. } => Ending::Child(pid),
            Self::Foreign { who: Some(who), .. } => Ending::Foreign(who),
            Self::Foreign { who: None, .. } | Self::Down { .. } => Ending::Nobody,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    identity: Identity,
    name: NameHash,
    /// The last part of where the entry leads, if it is a link.
    target: Option<NameHash>,
    is_seen: bool,
    supervisor: Supervisor,
}

/// The services of one directory, `N` at the most.
#[derive(Debug)]
pub struct Scan<const N: usize> {
    entries: Vec<Entry, N>,
    has_told_full: bool,
    has_removals: bool,
    /// Names of entries that were told to be in trouble, and whether they are so in this scan.
    told: Vec<(NameHash, bool), TOLD_NAMES>,
}

impl<const N: usize> Default for Scan<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Scan<N> {
    /// No service yet.
    pub const fn new() -> Self {
        Self { entries: Vec::new(), has_told_full: false, has_removals: false, told: Vec::new() }
    }

    /// A scan begins: nothing has been seen.
    pub fn begin(&mut self) {
        self.has_removals = false;
        for entry in &mut self.entries {
            entry.is_seen = false;
        }
        for (_, is_seen) in &mut self.told {
            *is_seen = false;
        }
    }

    /// An entry is a service directory.
    pub fn found(&mut self, identity: Identity, name: NameHash, now: Instant) -> Verdict {
        let Some(entry) = self.entries.iter_mut().find(|entry| entry.identity == identity) else {
            return self.found_new(identity, name, now);
        };
        if !entry.is_seen {
            entry.is_seen = true;
            entry.name = name;
        }
        match entry.supervisor.due() {
            Some(at) if now >= at => Verdict::Start,
            Some(_) | None => Verdict::Leave,
        }
    }

    fn found_new(&mut self, identity: Identity, name: NameHash, now: Instant) -> Verdict {
        let supervisor = Supervisor::Down { not_before: now };
        match self.entries.push(Entry { identity, name, target: None, is_seen: true, supervisor }) {
            Ok(()) => Verdict::Start,
            Err(_) if self.has_told_full => Verdict::Leave,
            Err(_) => {
                self.has_told_full = true;
                Verdict::Full
            }
        }
    }

    /// An entry is a link, and leads to something that is called `target` in its own directory.
    pub fn leads_to(&mut self, identity: Identity, target: NameHash) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.identity == identity) {
            entry.target = Some(target);
        }
    }

    /// Whether an entry leads to something of that name.
    pub fn has_target(&self, name: NameHash) -> bool {
        self.entries.iter().any(|entry| entry.target == Some(name))
    }

    /// An entry is in trouble: whether that is news.
    pub fn is_news(&mut self, name: NameHash) -> bool {
        if let Some((_, is_seen)) = self.told.iter_mut().find(|(told, _)| *told == name) {
            *is_seen = true;
            return false;
        }
        let _ = self.told.push((name, true));
        true
    }

    /// An entry could not be examined, and may be there all the same: whatever had its name is kept.
    pub fn unreadable(&mut self, name: NameHash) {
        for entry in self.entries.iter_mut().filter(|entry| entry.name == name) {
            entry.is_seen = true;
        }
    }

    /// The scan is over. Unless it saw the whole directory, nothing is removed for its sake.
    ///
    /// A supervisor that was due and whose entry was not there to start it is due again later: a deadline that has
    /// passed would make the caller scan without end.
    pub fn end(&mut self, is_complete: bool, now: Instant) {
        self.has_removals = is_complete;
        if is_complete {
            self.told.retain(|(_, is_seen)| *is_seen);
        }
        for entry in &mut self.entries {
            if let Supervisor::Down { not_before: due } | Supervisor::Foreign { look_at: due, .. } =
                &mut entry.supervisor
                && now >= *due
            {
                *due = now.plus(SCAN_RETRY);
            }
        }
    }

    /// Whether a service was refused, because there was no room for it.
    pub fn has_refused(&self) -> bool {
        self.has_told_full
    }

    /// Forgets one service that the scan did not see: its supervisor is to be told to end. `None` when there is no more.
    pub fn take_removed(&mut self) -> Option<Ending> {
        if !self.has_removals {
            return None;
        }
        let place = self.entries.iter().position(|entry| !entry.is_seen)?;
        self.has_told_full = false;
        // Never so; said so that the compiler need not check it again.
        if place >= self.entries.len() {
            return None;
        }
        Some(self.entries.swap_remove(place).supervisor.ending())
    }

    /// The supervisor of a service was started.
    pub fn started(&mut self, identity: Identity, pid: Pid, now: Instant) {
        self.set(identity, Supervisor::Running { pid, since: now });
    }

    /// The supervisor of a service could not be started; it is tried again after `delay`.
    pub fn not_started(&mut self, identity: Identity, now: Instant, delay: Duration) {
        self.set(identity, Supervisor::Down { not_before: now.plus(delay) });
    }

    /// A service has a supervisor already; nothing will tell of its end, so it is looked at again.
    pub fn is_supervised(&mut self, identity: Identity, who: Option<Foreign>, now: Instant) {
        self.set(identity, Supervisor::Foreign { who, look_at: now.plus(SCAN_INTERVAL) });
    }

    fn set(&mut self, identity: Identity, supervisor: Supervisor) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.identity == identity) {
            entry.supervisor = supervisor;
        }
    }

    /// A child ended; if it was a supervisor, it is started again by a scan after the deadline. One that was told to
    /// exit, and did, stays away for a moment, so that whoever told it can see it.
    pub fn exited(&mut self, ended: Pid, outcome: Outcome, now: Instant) {
        for entry in &mut self.entries {
            let from = match entry.supervisor {
                Supervisor::Running { pid, .. } if pid == ended && outcome.is_success() => now,
                Supervisor::Running { pid, since } if pid == ended => since,
                // One that was told to end, and whose directory came back meanwhile.
                Supervisor::Foreign { who: Some((pid, _)), .. } if pid == ended => Instant::ORIGIN,
                Supervisor::Running { .. } | Supervisor::Foreign { .. } | Supervisor::Down { .. } => continue,
            };
            entry.supervisor = Supervisor::Down { not_before: from.plus(START_INTERVAL) };
        }
    }

    /// When a scan is due by itself: the next start of a supervisor that ended, or the next look at another's.
    pub fn deadline(&self) -> Option<Instant> {
        self.entries.iter().fold(None, |deadline, entry| earlier(deadline, entry.supervisor.due()))
    }

    /// The supervisors of all services.
    pub fn supervisors(&self) -> impl Iterator<Item = Ending> {
        self.entries.iter().map(|entry| entry.supervisor.ending())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Instant = Instant::ORIGIN;

    fn identity(inode: u64) -> Identity {
        Identity { device: 1, inode }
    }

    fn pid(raw: u32) -> Pid {
        Pid::new(raw).unwrap()
    }

    /// One scan that finds these inodes, named by their number; new supervisors get the inode as their pid.
    fn scan<const N: usize>(table: &mut Scan<N>, inodes: &[u64], now: Instant) -> Vec<(u64, Verdict), 64> {
        let mut verdicts = Vec::new();
        table.begin();
        for inode in inodes {
            let verdict = table.found(identity(*inode), NameHash::of(&inode.to_le_bytes()), now);
            if verdict == Verdict::Start {
                table.started(identity(*inode), pid(u32::try_from(*inode).unwrap()), now);
            }
            verdicts.push((*inode, verdict)).unwrap();
        }
        table.end(true, now);
        verdicts
    }

    fn removed<const N: usize>(table: &mut Scan<N>) -> std::vec::Vec<Option<u32>> {
        let pid = |ending| match ending {
            Ending::Nobody => None,
            Ending::Child(pid) => Some(pid.raw()),
            Ending::Foreign((pid, _)) => Some(1000 + pid.raw()),
        };
        std::iter::from_fn(|| table.take_removed()).map(pid).collect()
    }

    #[test]
    fn new_directories_are_started_once() {
        let mut table = Scan::<4>::new();
        assert_eq!(scan(&mut table, &[7, 8], T0), [(7, Verdict::Start), (8, Verdict::Start)]);
        assert_eq!(scan(&mut table, &[7, 8], T0), [(7, Verdict::Leave), (8, Verdict::Leave)]);
        assert_eq!(removed(&mut table), []);
    }

    #[test]
    fn two_links_to_one_directory_are_one_service() {
        let mut table = Scan::<4>::new();
        assert_eq!(scan(&mut table, &[7, 7], T0), [(7, Verdict::Start), (7, Verdict::Leave)]);
    }

    #[test]
    fn all_that_vanished_are_removed_in_one_scan() {
        let mut table = Scan::<8>::new();
        scan(&mut table, &[1, 2, 3, 4, 5], T0);
        scan(&mut table, &[2], T0);
        let mut gone = removed(&mut table);
        gone.sort_unstable();
        assert_eq!(gone, [Some(1), Some(3), Some(4), Some(5)]);
        assert_eq!(table.supervisors().count(), 1);
    }

    #[test]
    fn an_incomplete_scan_removes_nothing() {
        let mut table = Scan::<4>::new();
        scan(&mut table, &[1, 2], T0);
        table.begin();
        table.end(false, T0);
        assert_eq!(removed(&mut table), []);
        assert_eq!(table.supervisors().count(), 2);
    }

    #[test]
    fn an_entry_that_cannot_be_examined_keeps_its_service() {
        let mut table = Scan::<4>::new();
        scan(&mut table, &[1, 2], T0);
        table.begin();
        table.unreadable(NameHash::of(&1_u64.to_le_bytes()));
        table.end(true, T0);
        assert_eq!(removed(&mut table), [Some(2)]);
    }

    #[test]
    fn a_dead_supervisor_comes_back_but_once_a_second() {
        let mut table = Scan::<4>::new();
        scan(&mut table, &[1], T0);
        table.exited(pid(1), Outcome::Exited(111), T0);
        let due = T0.plus(START_INTERVAL);
        assert_eq!(table.deadline(), Some(due));
        assert_eq!(scan(&mut table, &[1], T0), [(1, Verdict::Leave)]);
        assert_eq!(scan(&mut table, &[1], due), [(1, Verdict::Start)]);
        assert_eq!(table.deadline(), None);
    }

    #[test]
    fn a_dead_supervisor_whose_entry_cannot_be_seen_is_looked_for_later() {
        let mut table = Scan::<4>::new();
        scan(&mut table, &[1], T0);
        table.exited(pid(1), Outcome::Exited(111), T0);
        let due = T0.plus(START_INTERVAL);
        table.begin();
        table.unreadable(NameHash::of(&1_u64.to_le_bytes()));
        table.end(true, due);
        assert_eq!((removed(&mut table).len(), table.deadline()), (0, Some(due.plus(SCAN_RETRY))));
        table.begin();
        table.end(false, due.plus(SCAN_RETRY));
        assert_eq!(table.deadline(), Some(due.plus(SCAN_RETRY).plus(SCAN_RETRY)));
    }

    #[test]
    fn a_supervisor_that_was_told_to_exit_stays_away_for_a_moment() {
        let mut table = Scan::<4>::new();
        scan(&mut table, &[1], T0);
        let later = Instant::new(60, 0);
        table.exited(pid(1), Outcome::Exited(0), later);
        assert_eq!(table.deadline(), Some(later.plus(START_INTERVAL)));
    }

    #[test]
    fn a_supervisor_that_could_not_be_started_is_tried_again() {
        let mut table = Scan::<4>::new();
        table.begin();
        assert_eq!(table.found(identity(1), NameHash::of(b"a"), T0), Verdict::Start);
        table.not_started(identity(1), T0, Duration::from_seconds(5));
        assert_eq!(table.deadline(), Some(Instant::new(5, 0)));
    }

    #[test]
    fn a_full_table_says_so_once_and_keeps_what_it_has() {
        let mut table = Scan::<2>::new();
        let verdicts = scan(&mut table, &[1, 2, 3, 4], T0);
        assert_eq!(verdicts[2..], [(3, Verdict::Full), (4, Verdict::Leave)]);
        assert_eq!(removed(&mut table), []);
        scan(&mut table, &[1, 3], T0);
        assert_eq!(removed(&mut table), [Some(2)]);
        assert_eq!(scan(&mut table, &[1, 3], T0)[1], (3, Verdict::Start));
    }

    #[test]
    fn strangers_change_nothing() {
        let mut table = Scan::<2>::new();
        scan(&mut table, &[1], T0);
        table.exited(pid(99), Outcome::Exited(0), T0);
        table.started(identity(99), pid(98), T0);
        assert_eq!((table.deadline(), table.supervisors().count()), (None, 1));
    }

    const WHO: Foreign = (Pid::new(50).unwrap(), Instant::from_raw(7));

    /// A service whose supervisor is another's child, as a scan finds it.
    fn with_foreign(who: Option<Foreign>) -> Scan<4> {
        let mut table = Scan::<4>::new();
        table.begin();
        assert_eq!(table.found(identity(1), NameHash::of(&1_u64.to_le_bytes()), T0), Verdict::Start);
        table.is_supervised(identity(1), who, T0);
        table.end(true, T0);
        table
    }

    #[test]
    fn a_service_that_is_supervised_is_looked_at_now_and_then() {
        let mut table = with_foreign(Some(WHO));
        let due = T0.plus(SCAN_INTERVAL);
        assert_eq!(table.deadline(), Some(due));
        assert_eq!(scan(&mut table, &[1], T0), [(1, Verdict::Leave)]);
        assert_eq!(table.supervisors().collect::<std::vec::Vec<_>>(), [Ending::Foreign(WHO)]);
        assert_eq!(scan(&mut table, &[1], due), [(1, Verdict::Start)]);
        assert_eq!(table.supervisors().collect::<std::vec::Vec<_>>(), [Ending::Child(pid(1))]);
    }

    #[test]
    fn a_child_that_was_found_again_as_another_s_is_missed_when_it_ends() {
        let mut table = with_foreign(Some(WHO));
        let now = Instant::new(50, 0);
        table.exited(WHO.0, Outcome::Exited(0), now);
        assert_eq!(scan(&mut table, &[1], now), [(1, Verdict::Start)]);
    }

    #[test]
    fn a_supervised_service_that_vanishes_is_told_by_whoever_is_known() {
        for (who, told) in [(Some(WHO), Some(1050)), (None, None)] {
            let mut table = with_foreign(who);
            scan(&mut table, &[], T0);
            assert_eq!(removed(&mut table), [told]);
        }
    }

    #[test]
    fn a_name_in_trouble_is_news_once_until_it_was_well() {
        let (bad, other) = (NameHash::of(b"bad"), NameHash::of(b"other"));
        let mut table = Scan::<4>::new();
        table.begin();
        assert!(table.is_news(bad) && table.is_news(other));
        table.end(true, T0);
        table.begin();
        assert!(!table.is_news(bad));
        table.end(true, T0);
        table.begin();
        assert!(!table.is_news(bad) && table.is_news(other));
        table.end(false, T0);
        table.begin();
        table.end(true, T0);
        table.begin();
        assert!(table.is_news(bad));
    }

    #[test]
    fn names_that_do_not_fit_are_news_each_time() {
        let mut table = Scan::<4>::new();
        table.begin();
        for name in 0..TOLD_NAMES {
            assert!(table.is_news(NameHash::of(&name.to_le_bytes())));
        }
        assert!(table.is_news(NameHash::of(b"one more")) && table.is_news(NameHash::of(b"one more")));
        assert!(!table.is_news(NameHash::of(&0_usize.to_le_bytes())));
    }

    #[test]
    fn links_are_known_by_where_they_lead() {
        let mut table = Scan::<4>::new();
        scan(&mut table, &[1], T0);
        table.leads_to(identity(1), NameHash::of(b"there"));
        assert!(table.has_target(NameHash::of(b"there")) && !table.has_target(NameHash::of(b"here")));
    }
}
