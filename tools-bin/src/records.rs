//! Files of records of who is logged in, and of boots and shutdowns: what `utmpset` and `halt` do with them (utmp(5)).

use supervision::process::errno::Errno;
use supervision::utmp::{RECORD_BYTES, Record};
use sys::{Descriptor, Result, file};

/// Appends a record, and gives the place where it lies. Of one that does not fit nothing is left, for all that come after it would
/// lie in the wrong place.
///
/// # Errors
/// `ENOSPC` if it does not fit; else the kernel's.
pub fn append(records: &Descriptor, record: &Record) -> Result<u64> {
    let place = file::metadata_of(records.as_fd())?.size;
    let written = file::write(records.as_fd(), record.as_bytes())?;
    if written < RECORD_BYTES {
        take_back(records, place, written)?;
        return Err(Errno::NOSPC);
    }
    Ok(place)
}

/// Cuts off again what was written at `place`, unless something follows it: others may have written without a lock.
///
/// # Errors
/// The kernel's.
pub fn take_back(records: &Descriptor, place: u64, written: usize) -> Result<()> {
    if file::metadata_of(records.as_fd())?.size != place.saturating_add(written as u64) {
        return Ok(());
    }
    file::set_size(records.as_fd(), place)
}

/// Changes the first record that `change` gives another one for, in its place; whether there was one.
///
/// # Errors
/// `ENOSPC` if it was written in part; else the kernel's.
pub fn change_first(records: &Descriptor, change: impl Fn(Record) -> Option<Record>) -> Result<bool> {
    let mut bytes = [0; RECORD_BYTES];
    let mut place = 0_u64;
    while file::read(records.as_fd(), &mut bytes)?.len() == RECORD_BYTES {
        if let Some(record) = change(Record::from_bytes(bytes)) {
            file::seek(records.as_fd(), place)?;
            // It is there already, so there is room for it; but a limit of the size of files may end in it.
            let is_whole = file::write(records.as_fd(), record.as_bytes())? == RECORD_BYTES;
            return if is_whole { Ok(true) } else { Err(Errno::NOSPC) };
        }
        place = place.saturating_add(RECORD_BYTES as u64);
    }
    Ok(false)
}
