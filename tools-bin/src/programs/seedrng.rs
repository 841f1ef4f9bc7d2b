//! `seedrng`: hands the kernel's random numbers on from one boot to the next (seedrng(8)).
//!
//! No seed is used while it could be found again, and none is worth anything that was not written as a whole: whenever
//! the machine stops, a seed has been used once at the most, or it is not credited.

use core::ffi::CStr;

use supervision::blake2s::HASH_BYTES;
use supervision::process::errno::Errno;
use supervision::process::signal::Signal;
use supervision::seed::{self, Digest};
use sys::file::{self, CURRENT};
use sys::random::{Credit, Pool, Seed};
use sys::{Descriptor, clock, report, signal, standard};

use crate::Words;

const DIRECTORY: &CStr = c"/var/lib/seedrng";
const CREDITED: &CStr = c"seed.credit";
const UNCREDITED: &CStr = c"seed.no-credit";

const POOL_SIZE: &CStr = c"/proc/sys/kernel/random/poolsize";

// What failed. All but the last can come together.
const EXIT_SETUP: u8 = 1;
const EXIT_OLD_UNCREDITED: u8 = 2;
const EXIT_OLD_CREDITED: u8 = 4;
const EXIT_NEW: u8 = 8;
const EXIT_CREATE: u8 = 16;
const EXIT_WRITE: u8 = 32;
const EXIT_RENAME: u8 = 64;
const EXIT_USAGE: i32 = 128;

/// What is being done; the texts of messages are in [`STEPS`].
#[derive(Clone, Copy)]
enum Step {
    Seed,
    Open,
    Lock,
    Read,
    Remove,
    Use,
    Fill,
    Create,
    Write,
    Rename,
}

/// A row for each step, in order: what could not be done. A file's name follows a blank.
const STEPS: &[u8] = b"seed the kernel\0open directory\0lock directory\0read \0remove \0use \0\
    get bytes for \0create \0write \0rename ";

/// Uses the old seeds up, and leaves a new one.
pub fn main(words: Words) -> i32 {
    let path = match (words.count(), words.get(1)) {
        (..=1, _) => DIRECTORY,
        (2, Some(path)) if !path.to_bytes().starts_with(b"-") => path,
        _ => {
            report::line(standard::error(), b"usage: % [directory]\n", &[words.name()]);
            return EXIT_USAGE;
        }
    };
    // Neither a limit of the size of files nor that nobody reads what is said may end it half-way.
    signal::ignore(Signal::XFSZ);
    signal::ignore(Signal::PIPE);
    let mut run = Run { path, at: (Step::Seed, EXIT_SETUP), code: 0, seed: Seed::new(), digest: Digest::new() };
    if let Err(reason) = run.hand_on(credit(words)) {
        run.fail(reason);
    }
    run.code.into()
}

/// What a seed is worth that was worth something when it was written.
fn credit(words: Words) -> Credit {
    match words.environment().variable(b"SEEDRNG_SKIP_CREDIT") {
        Some(value) if seed::skips_credit(value.to_bytes()) => Credit::Nothing,
        _ => Credit::Full,
    }
}

struct Run {
    path: &'static CStr,
    /// How far it is, and the bit of the exit code if that fails.
    at: (Step, u8),
    /// The bits so far.
    code: u8,
    /// An old seed, and in the end the new one.
    seed: Seed,
    digest: Digest,
}

impl Run {
    /// Fails with the step that is the last one then.
    fn hand_on(&mut self, credit: Credit) -> Result<(), Errno> {
        // Before anything is touched.
        let pool = Pool::open(&mut self.seed)?;
        self.at = (Step::Open, EXIT_SETUP);
        match file::make_directory(CURRENT, self.path, 0o700) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(reason) => return Err(reason),
        }
        let directory = file::open_trusted_directory(CURRENT, self.path)?;
        self.at = (Step::Lock, EXIT_SETUP);
        file::lock(directory.as_fd())?;
        self.digest.begin(clock::wall(), clock::since_boot());
        self.use_up(EXIT_OLD_UNCREDITED, Credit::Nothing, &pool, &directory);
        self.use_up(EXIT_OLD_CREDITED, credit, &pool, &directory);
        self.at = (Step::Fill, EXIT_NEW);
        let mut length = new_length();
        let is_reliable = pool.fill(self.seed.first(length)).unwrap_or_else(|reason| {
            self.fail(reason);
            // What the old ones were worth is not lost.
            length = HASH_BYTES;
            false
        });
        self.digest.close(self.seed.first(length));
        self.leave(&directory, length, is_reliable)
    }

    /// Feeds the kernel with an old seed, if there is one, which nobody finds again.
    #[inline(never)]
    fn use_up(&mut self, bit: u8, credit: Credit, pool: &Pool, directory: &Descriptor) {
        let directory = directory.as_fd();
        let file = file_of(bit);
        self.at = (Step::Read, bit);
        let mut try_it = || {
            let old = match file::open_trusted(directory, file) {
                Err(Errno::NOENT) => return Ok(()),
                old => old?,
            };
            let length = file::read(old.as_fd(), &mut self.seed.bytes)?.len();
            self.digest.add(self.seed.first(length));
            self.at = (Step::Remove, bit);
            file::remove(directory, file)?;
            file::sync(directory)?;
            self.at = (Step::Use, bit);
            pool.add(&mut self.seed, length, credit)
        };
        if let Err(reason) = try_it() {
            self.fail(reason);
        }
    }

    /// Leaves the seed for the next run. Only when it is whole it gets the name under which it is worth something.
    fn leave(&mut self, directory: &Descriptor, length: usize, is_reliable: bool) -> Result<(), Errno> {
        let directory = directory.as_fd();
        self.at = (Step::Create, EXIT_CREATE);
        let new = file::create_secret(directory, UNCREDITED)?;
        self.at = (Step::Write, EXIT_WRITE);
        // A file takes all, unless there is an end to the disk or to what the process may write.
        if file::write(new.as_fd(), self.seed.first(length))? < length {
            return Err(Errno::NOSPC);
        }
        file::sync(new.as_fd())?;
        self.at = (Step::Rename, EXIT_RENAME);
        // A name that is lost with the power costs nothing but the credit: nobody waits for the disk here.
        if is_reliable { file::rename(directory, UNCREDITED, CREDITED) } else { Ok(()) }
    }

    /// Tells that the step has failed.
    #[inline(never)]
    fn fail(&mut self, reason: Errno) {
        let (step, bit) = self.at;
        self.code |= bit;
        let severity: &[u8] = if bit == EXIT_SETUP { b"fatal" } else { b"warning" };
        let what = STEPS.split(|byte| *byte == 0).nth(step as usize).unwrap_or_default();
        let values = [severity, what, file_of(bit).to_bytes(), self.path.to_bytes(), reason.text()];
        report::line(standard::error(), b"seedrng: %: unable to %%: %: %", &values);
    }
}

/// The file that a step with this bit is about.
fn file_of(bit: u8) -> &'static CStr {
    match bit {
        EXIT_SETUP => c"",
        EXIT_OLD_CREDITED => CREDITED,
        _ => UNCREDITED,
    }
}

/// How many bytes a new seed has.
fn new_length() -> usize {
    let mut buffer = [0; 24];
    let opened = file::open_read(CURRENT, POOL_SIZE);
    seed::length(opened.and_then(|file| file::read(file.as_fd(), &mut buffer)).unwrap_or_default())
}
