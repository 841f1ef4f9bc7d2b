//! Looks users and groups up in `/etc/passwd` and `/etc/group`, below the root directory as it is by then.

use core::ffi::CStr;
use core::ops::ControlFlow;

use supervision::limits::ACCOUNTS_BYTES;
use supervision::process::account::{Account, Entry, Groups, Ids, MEMBERSHIPS, Search, Wanted};
use supervision::process::errno::Errno;
use sys::file::{self, CURRENT};

/// Why there are no ids.
pub enum Trouble {
    /// Numbers that are none, or too large, or too many.
    Invalid,
    /// A user or a group that is not there.
    Unknown,
    /// There is no room for so many groups.
    TooMany,
    /// A file could not be read.
    File(Errno),
}

/// Finds the ids of a user and its groups.
///
/// # Errors
/// [`Trouble`]; `ids` means nothing then.
pub fn find_ids(account: Account<'_>, ids: &mut Ids) -> Result<(), Trouble> {
    let (name, listed) = match account {
        Account::Numbers(numbers) => return ids.parse(numbers).map_err(|_| Trouble::Invalid),
        Account::Names(name, listed) => (name, listed),
    };
    let user = find(Wanted::User, name)?;
    ids.user = user.id;
    ids.groups.clear();
    let Some(listed) = listed else { return add(&mut ids.groups, user.group) };
    let mut names = listed.split(|byte| *byte == b':').peekable();
    while let Some(group) = names.next() {
        if group == MEMBERSHIPS && names.peek().is_none() {
            add_memberships(&mut ids.groups, name, user.group)?;
        } else {
            add(&mut ids.groups, find(Wanted::Group, group)?.id)?;
        }
    }
    Ok(())
}

/// Adds the user's own group, if it is to be the first, and all that it is a member of.
fn add_memberships(groups: &mut Groups, name: &[u8], primary: u32) -> Result<(), Trouble> {
    if groups.is_empty() {
        add(groups, primary)?;
    }
    let mut outcome = Ok(());
    look(Wanted::Memberships, name, |entry| {
        if !groups.contains(&entry.id) {
            outcome = add(groups, entry.id);
        }
        if outcome.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    outcome
}

fn add(groups: &mut Groups, group: u32) -> Result<(), Trouble> {
    groups.push(group).map_err(|_| Trouble::TooMany)
}

fn find(wanted: Wanted, name: &[u8]) -> Result<Entry, Trouble> {
    let mut found = None;
    look(wanted, name, |entry| {
        found = Some(entry);
        ControlFlow::Break(())
    })?;
    found.ok_or(Trouble::Unknown)
}

/// Calls `visit` with each line that is looked for, until it has enough.
fn look(wanted: Wanted, name: &[u8], mut visit: impl FnMut(Entry) -> ControlFlow<()>) -> Result<(), Trouble> {
    read(wanted, name, &mut visit).map_err(Trouble::File)
}

#[inline(never)]
fn read(wanted: Wanted, name: &[u8], visit: &mut dyn FnMut(Entry) -> ControlFlow<()>) -> Result<(), Errno> {
    let path: &CStr = match wanted {
        Wanted::User => c"/etc/passwd",
        Wanted::Group | Wanted::Memberships => c"/etc/group",
    };
    let opened = file::open_read(CURRENT, path)?;
    let mut search = Search::new(wanted, name);
    let mut buffer = [0; ACCOUNTS_BYTES];
    loop {
        let mut piece = file::read(opened.as_fd(), &mut buffer)?;
        let is_last = piece.is_empty();
        while let Some(entry) = if is_last { search.end() } else { search.next(&mut piece) } {
            if visit(entry).is_break() {
                return Ok(());
            }
        }
        if is_last {
            return Ok(());
        }
    }
}
