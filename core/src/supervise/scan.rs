//! The machine of `runsvdir`: what a directory holds, against the services that are supervised.
//!
//! A service *is* the directory it names (device and inode), not its name: two links to one directory are one service,
//! and a renamed entry keeps its supervisor. Names are remembered as hashes only, so that an entry
//! that cannot be examined just now does not lose its service.
//!
//! A scan is `begin`, then one call for each entry, then `end`, then [`Scan::take_removed`] until it has no more.

use heapless::Vec;

use crate::limits::{SCAN_RETRY, START_INTERVAL};
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
    /// Start its supervisor, then tell [`Scan::started`] or [`Scan::not_started`].
    Start,
    /// Nothing: it has a supervisor, or must wait for its next start.
    Leave,
    /// The table is full. Told once, until there is room again.
    Full,
}

#[derive(Clone, Copy, Debug)]
enum Supervisor {
    Running { pid: Pid, since: Instant },
    Down { not_before: Instant },
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    identity: Identity,
    name: NameHash,
    is_seen: bool,
    supervisor: Supervisor,
}

/// The services of one directory, `N` at the most.
#[derive(Debug)]
pub struct Scan<const N: usize> {
    entries: Vec<Entry, N>,
    has_told_full: bool,
    has_removals: bool,
}

impl<const N: usize> Default for Scan<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Scan<N> {
    /// No service yet.
    pub const fn new() -> Self {
        Self { entries: Vec::new(), has_told_full: false, has_removals: false }
    }

    /// A scan begins: nothing has been seen.
    pub fn begin(&mut self) {
        self.has_removals = false;
        for entry in &mut self.entries {
            entry.is_seen = false;
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
        match entry.supervisor {
            Supervisor::Down { not_before } if now >= not_before => Verdict::Start,
            Supervisor::Down { .. } | Supervisor::Running { .. } => Verdict::Leave,
        }
    }

    fn found_new(&mut self, identity: Identity, name: NameHash, now: Instant) -> Verdict {
        let supervisor = Supervisor::Down { not_before: now };
        match self.entries.push(Entry { identity, name, is_seen: true, supervisor }) {
            Ok(()) => Verdict::Start,
            Err(_) if self.has_told_full => Verdict::Leave,
            Err(_) => {
                self.has_told_full = true;
                Verdict::Full
            }
        }
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
        for entry in &mut self.entries {
            if matches!(entry.supervisor, Supervisor::Down { not_before } if now >= not_before) {
                entry.supervisor = Supervisor::Down { not_before: now.plus(SCAN_RETRY) };
            }
        }
    }

    /// Forgets one service that the scan did not see: its supervisor if it has one (to be told to end).
    /// `None` when there is no more.
    pub fn take_removed(&mut self) -> Option<Option<Pid>> {
        if !self.has_removals {
            return None;
        }
        let place = self.entries.iter().position(|entry| !entry.is_seen)?;
        self.has_told_full = false;
        // Never so; said so that the compiler need not check it again.
        if place >= self.entries.len() {
            return None;
        }
        match self.entries.swap_remove(place).supervisor {
            Supervisor::Running { pid, .. } => Some(Some(pid)),
            Supervisor::Down { .. } => Some(None),
        }
    }

    /// The supervisor of a service was started.
    pub fn started(&mut self, identity: Identity, pid: Pid, now: Instant) {
        self.set(identity, Supervisor::Running { pid, since: now });
    }

    /// The supervisor of a service could not be started; it is tried again after `delay`.
    pub fn not_started(&mut self, identity: Identity, now: Instant, delay: Duration) {
        self.set(identity, Supervisor::Down { not_before: now.plus(delay) });
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
            if let Supervisor::Running { pid, since } = entry.supervisor
                && pid == ended
            {
                let from = if outcome.is_success() { now } else { since };
                entry.supervisor = Supervisor::Down { not_before: from.plus(START_INTERVAL) };
            }
        }
    }

    /// When a scan is due by itself: the next start of a supervisor that ended.
    pub fn deadline(&self) -> Option<Instant> {
        self.entries.iter().fold(None, |deadline, entry| match entry.supervisor {
            Supervisor::Down { not_before } => earlier(deadline, Some(not_before)),
            Supervisor::Running { .. } => deadline,
        })
    }

    /// The live supervisors.
    pub fn supervisors(&self) -> impl Iterator<Item = Pid> {
        self.entries.iter().filter_map(|entry| match entry.supervisor {
            Supervisor::Running { pid, .. } => Some(pid),
            Supervisor::Down { .. } => None,
        })
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
        std::iter::from_fn(|| table.take_removed()).map(|pid| pid.map(Pid::raw)).collect()
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
}
