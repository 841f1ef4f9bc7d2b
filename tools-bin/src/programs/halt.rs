//! `halt`, `poweroff`, `reboot`: one program, which asks pid 1, or with `-f` the kernel (halt(8)).

use core::ffi::CStr;

use supervision::boot::event::Ending;
use supervision::process::errno::Errno;
use supervision::process::signal::Signal;
use supervision::utmp::{RECORD_BYTES, Record};
use sys::file::{self, Missing};
use sys::{Descriptor, Result, clock, machine, process, report, signal, standard};

use crate::{Words, records};

const EXIT_FAILED: i32 = 1;

/// The command that talks to pid 1.
const INIT: &CStr = c"/sbin/runit-init";

const UTMP: &CStr = c"/run/utmp";
const WTMP: &CStr = c"/var/log/wtmp";

/// What is wanted.
struct Wanted {
    ending: Ending,
    is_forced: bool,
    syncs: bool,
    is_recorded: bool,
    /// Nothing but a record of a shutdown.
    records_shutdown: bool,
    /// Nothing but a record of a boot.
    records_boot: bool,
}

/// Does what its name says.
pub fn main(words: Words) -> i32 {
    let Some(wanted) = read_words(words) else {
        let template: &[u8] =
            if words.name() == b"reboot" { b"usage: % [-Bdfhiknw]\n" } else { b"usage: % [-Bdfhinpw]\n" };
        report::line(standard::error(), template, &[words.name()]);
        return EXIT_FAILED;
    };
    let only_records = wanted.records_boot || wanted.records_shutdown;
    if !only_records && !wanted.is_forced {
        return ask(words, wanted.ending);
    }
    // No record and no message is worth the machine's staying up.
    signal::ignore(Signal::XFSZ);
    signal::ignore(Signal::PIPE);
    if only_records { record(words, &wanted).0 } else { force(words, &wanted) }
}

/// `None` for wrong usage.
fn read_words(words: Words) -> Option<Wanted> {
    let ending = match words.name() {
        b"reboot" => Ending::Reboot,
        b"poweroff" => Ending::PowerOff,
        _ => Ending::Halt,
    };
    let mut wanted = Wanted {
        ending,
        is_forced: false,
        syncs: true,
        is_recorded: true,
        records_shutdown: false,
        records_boot: false,
    };
    for index in 1..words.count() {
        let Some([b'-', letters @ ..]) = words.get(index).map(CStr::to_bytes) else { return None };
        if letters.is_empty() {
            return None;
        }
        for letter in letters {
            match (letter, ending) {
                (b'f', _) => wanted.is_forced = true,
                (b'n', _) => wanted.syncs = false,
                (b'd', _) => wanted.is_recorded = false,
                (b'w', _) => wanted.records_shutdown = true,
                (b'B', _) => wanted.records_boot = true,
                (b'h' | b'i', _) => {}
                (b'p', Ending::Halt | Ending::PowerOff) => wanted.ending = Ending::PowerOff,
                (b'k', Ending::Reboot) => wanted.ending = Ending::Kexec,
                _ => return None,
            }
        }
    }
    // One of both records would be left out.
    (!wanted.records_shutdown || !wanted.records_boot).then_some(wanted)
}

fn ask(words: Words, ending: Ending) -> i32 {
    let [level, word] = ending.request();
    let reason = process::execute(INIT, &[c"init", level, word], words.environment());
    fail(words, b"%: fatal: unable to run /sbin/runit-init: %", reason)
}

fn force(words: Words, wanted: &Wanted) -> i32 {
    // Stage 3, which would do it, is left out. Others than root are most likely refused, and nothing ends.
    let added = if process::effective_user() == 0 { record(words, wanted).1 } else { None };
    if wanted.syncs {
        machine::sync();
    }
    let outcome: Result<()> = match wanted.ending {
        Ending::Halt => machine::halt(),
        Ending::PowerOff => machine::power_off(),
        Ending::Kexec if machine::has_next_kernel() => machine::kexec().or_else(|_| machine::restart()),
        Ending::Reboot | Ending::Kexec => machine::restart(),
    };
    match outcome {
        Ok(()) => 0,
        Err(reason) => {
            if let Some(Added { records, place }) = added {
                let _ = records::take_back(&records, place, RECORD_BYTES);
            }
            fail(words, b"%: fatal: unable to end the machine: %", reason)
        }
    }
}

/// A record, its file, and where in it.
struct Added {
    records: Descriptor,
    place: u64,
}

/// Records a boot or a shutdown: an exit code that says whether that went well, and the last record.
fn record(words: Words, wanted: &Wanted) -> (i32, Option<Added>) {
    let mut added = None;
    if !wanted.is_recorded {
        return (0, added);
    }
    let (release, now) = (machine::kernel_release(), clock::wall());
    let (record, files): (_, &[&CStr]) = if wanted.records_boot {
        (Record::of_boot(release.as_bytes(), now), &[UTMP, WTMP])
    } else {
        (Record::of_shutdown(release.as_bytes(), now), &[WTMP])
    };
    let mut code = 0;
    for path in files {
        match append(path, &record) {
            Ok(new) => added = Some(new),
            // Nobody wants records, or there is no place for them.
            Err(Errno::NOENT | Errno::ROFS) => {}
            Err(reason) => {
                let values = [words.name(), path.to_bytes(), reason.text()];
                report::line_if_ready(standard::error(), b"%: warning: unable to write %: %", &values);
                code = EXIT_FAILED;
            }
        }
    }
    (code, added)
}

fn append(path: &CStr, record: &Record) -> Result<Added> {
    let records = file::open_to_add(path, Missing::Refused)?;
    // Who has it may hang, and the machine shall go down.
    let _ = file::lock(records.as_fd());
    let place = records::append(&records, record)?;
    Ok(Added { records, place })
}

fn fail(words: Words, template: &[u8], reason: Errno) -> i32 {
    report::line(standard::error(), template, &[words.name(), reason.text()]);
    EXIT_FAILED
}
