//! `chpst` and its other names: changes what a process has, and executes a program in its place (chpst(8)).

use core::ffi::CStr;

use supervision::process::account::{Account, Ids};
use supervision::process::errno::Errno;
use supervision::process::resource::{ALL, Limits, MOST, of_letter, parse_limit, parse_nice, soft_limit};
use supervision::text::Text;
use sys::file;
use sys::process::{self, Environment, execute_words};
use sys::standard::{self, Standard};
use sys::strings::{List, Strings};
use sys::{report, rights};

use crate::Words;
use crate::accounts::{self, Trouble};
use crate::options::{Options, Wrong, tell_version};
use crate::path_search::execute_from;
use crate::told::{Told, fail, judge, judge_path, out_of_memory};
use crate::variable_files::{Directories, Variables, read_directory};

const EXIT_USAGE: i32 = 100;
const EXIT_FAILED: i32 = 111;

/// What `setlock -x` makes of a failure.
const EXIT_IGNORED: i32 = 0;

/// What shall change, and the program.
struct Changes {
    leads_session: bool,
    variables: Option<(&'static CStr, Directories)>,
    root: Option<&'static CStr>,
    directory: Option<&'static CStr>,
    nice: i32,
    ids_as_variables: Option<Named>,
    ids: Option<Named>,
    lock: Option<Lock>,
    closed: [bool; 3],
    limits: Limits,
    name: Option<&'static CStr>,
    /// Whether failures are told.
    tells: bool,
}

/// Whom somebody named.
#[derive(Clone, Copy)]
struct Named {
    spec: &'static [u8],
    /// A single name, whatever is in it, of a password file: as `setuidgid` has it.
    is_plain: bool,
}

struct Lock {
    path: &'static CStr,
    waits: bool,
}

/// Reads a command line; the index of the program's name.
type Read = fn(Words, &mut Changes) -> Result<usize, Wrong>;

/// The other names, what their usage says behind them, and how they are read.
static NAMES: &[(&[u8], &[u8], Read)] = &[
    (b"envdir", b"dir child", envdir),
    (b"envuidgid", b"account child", envuidgid),
    (b"pgrphack", b"child", pgrphack),
    (b"setlock", b"[ -nNxX ] file program [ arg ... ]", setlock),
    (b"setuidgid", b"account child", setuidgid),
    (
        b"softlimit",
        b"[-a allbytes] [-c corebytes] [-d databytes] [-f filebytes] [-l lockbytes] [-m membytes] [-o openfiles] \
        [-p processes] [-r residentbytes] [-s stackbytes] [-t cpusecs] child",
        softlimit,
    ),
];

/// The usage of `chpst`, behind its name.
const USAGE: &[u8] = b"[-vVP012] [-u user[:group]] [-U user[:group]] [-b argv0] [-e dir] [-/ root] [-C pwd] [-n nice] \
    [-l|-L lock] [-m n] [-d n] [-o n] [-p n] [-f n] [-c n] [-t n] prog";

/// Parses, changes, executes.
pub fn main(words: Words) -> i32 {
    let name = plain_name(words.name());
    let (_, usage, read) = *NAMES.iter().find(|(known, ..)| *known == name).unwrap_or(&(b"", USAGE, chpst));
    let mut changes = Changes {
        leads_session: false,
        variables: None,
        root: None,
        directory: None,
        nice: 0,
        ids_as_variables: None,
        ids: None,
        lock: None,
        closed: [false; 3],
        limits: Limits::default(),
        name: None,
        tells: true,
    };
    // Options may have been all there was.
    let program = read(words, &mut changes).ok().and_then(|program| Some((program, words.get(program)?)));
    let Some((index, program)) = program else {
        report::line(standard::error(), b"usage: % %\n", &[name, usage]);
        return EXIT_USAGE;
    };
    let Err(Told) = run(words, &changes, index, program);
    if changes.tells { EXIT_FAILED } else { EXIT_IGNORED }
}

/// A `d` in front is left out, as in daemontools' own names.
pub fn plain_name(name: &[u8]) -> &[u8] {
    name.strip_prefix(b"d").unwrap_or(name)
}

fn chpst(words: Words, changes: &mut Changes) -> Result<usize, Wrong> {
    let mut options = Options::new(words);
    let mut directories = Directories::Skipped;
    let mut directory = None;
    while let Some((letter, value)) = options.next(b"vVP012", b"uUbe/CnlLmdopfcrt")? {
        let named = Some(Named { spec: value.to_bytes(), is_plain: false });
        match letter {
            b'v' => directories = Directories::Told,
            b'V' => {
                tell_version();
                return Err(Wrong);
            }
            b'P' => changes.leads_session = true,
            b'0' => changes.closed[Standard::Input as usize] = true,
            b'1' => changes.closed[Standard::Output as usize] = true,
            b'2' => changes.closed[Standard::Error as usize] = true,
            b'u' => changes.ids = named,
            b'U' => changes.ids_as_variables = named,
            b'b' => changes.name = Some(value),
            b'e' => directory = Some(value),
            b'/' => changes.root = Some(value),
            b'C' => changes.directory = Some(value),
            b'n' => changes.nice = parse_nice(value.to_bytes()).ok_or(Wrong)?,
            b'l' | b'L' if changes.lock.is_some() => return Err(Wrong),
            b'l' | b'L' => changes.lock = Some(Lock { path: value, waits: letter == b'l' }),
            _ => limit(changes, letter, value.to_bytes())?,
        }
    }
    changes.variables = directory.map(|directory| (directory, directories));
    Ok(options.operands())
}

fn limit(changes: &mut Changes, letter: u8, number: &[u8]) -> Result<(), Wrong> {
    changes.limits.want(of_letter(letter), parse_limit(number).ok_or(Wrong)?);
    Ok(())
}

fn envdir(words: Words, changes: &mut Changes) -> Result<usize, Wrong> {
    changes.variables = Some((words.get(1).ok_or(Wrong)?, Directories::Fatal));
    Ok(2)
}

fn envuidgid(words: Words, changes: &mut Changes) -> Result<usize, Wrong> {
    changes.ids_as_variables = Some(plain(words)?);
    Ok(2)
}

fn setuidgid(words: Words, changes: &mut Changes) -> Result<usize, Wrong> {
    changes.ids = Some(plain(words)?);
    Ok(2)
}

fn plain(words: Words) -> Result<Named, Wrong> {
    words.get(1).map(|name| Named { spec: name.to_bytes(), is_plain: true }).ok_or(Wrong)
}

#[expect(clippy::unnecessary_wraps, reason = "one shape for all names")]
fn pgrphack(_: Words, changes: &mut Changes) -> Result<usize, Wrong> {
    changes.leads_session = true;
    Ok(1)
}

/// `-n` waits and `-N` does not: the original has it the other way round than daemontools.
fn setlock(words: Words, changes: &mut Changes) -> Result<usize, Wrong> {
    let mut options = Options::new(words);
    let mut waits = false;
    while let Some((letter, _)) = options.next(b"nNxX", b"")? {
        match letter {
            b'n' | b'N' => waits = letter == b'n',
            _ => changes.tells = letter == b'X',
        }
    }
    let place = options.operands();
    changes.lock = Some(Lock { path: words.get(place).ok_or(Wrong)?, waits });
    Ok(place.saturating_add(1))
}

fn softlimit(words: Words, changes: &mut Changes) -> Result<usize, Wrong> {
    let mut options = Options::new(words);
    while let Some((letter, value)) = options.next(b"", b"acdflmoprst")? {
        match value.to_bytes() {
            b"=" => changes.limits.want(of_letter(letter), MOST),
            number => limit(changes, letter, number)?,
        }
    }
    Ok(options.operands())
}

/// Makes the changes, each only after the one before, and executes the program. Comes back only if something failed.
///
/// The order is that of the original, whatever the order of the options: privileges go last of what needs them.
fn run(words: Words, changes: &Changes, index: usize, program: &'static CStr) -> Result<Never, Told> {
    if changes.leads_session {
        // Who leads one already goes on with it.
        process::lead_session();
    }
    let inherited = words.environment();
    let mut variables = match changes.variables {
        Some((path, directories)) => Some(read_directory(inherited.strings(), path, directories)?),
        None => None,
    };
    if let Some(root) = changes.root {
        enter(root)?;
        judge(rights::change_root(c"."), b"change root directory")?;
    }
    if let Some(directory) = changes.directory {
        enter(directory)?;
    }
    if changes.nice != 0 {
        judge(rights::add_nice(changes.nice), b"set nice level")?;
    }
    let mut ids = Ids::default();
    if let Some(named) = changes.ids_as_variables {
        find(named, &mut ids)?;
        variables = Some(add_ids(variables, inherited.strings(), &ids)?);
    }
    if let Some(named) = changes.ids {
        find(named, &mut ids)?;
        judge(rights::set_groups(&ids.groups), b"setgroups")?;
        judge(rights::set_group(ids.group()), b"setgid")?;
        judge(rights::set_user(ids.user), b"setuid")?;
    }
    if let Some(lock) = &changes.lock {
        let failed =
            |what, reason: Errno| changes.fail(b"unable to %: %: %", &[what, lock.path.to_bytes(), reason.text()]);
        let opened = file::open_lock_followed(lock.path).map_err(|reason| failed(b"open lock", reason))?;
        let locked = if lock.waits { file::wait_for_lock(opened.as_fd()) } else { file::lock(opened.as_fd()) };
        // It stays open in the program.
        locked.and_then(|()| file::hand_over(opened)).map_err(|reason| failed(b"lock", reason))?;
    }
    for (standard, is_closed) in standard::ALL.into_iter().zip(changes.closed) {
        close(standard, is_closed, words.was_closed(standard))?;
    }
    let environment = variables.map_or(inherited, |variables| Environment::new(variables.into_strings()));
    // When the limits hold there may be no memory for it.
    let name = changes.name.unwrap_or(program);
    let mut argv = words.from(index);
    if changes.name.is_some() {
        let (mut list, _) = List::copy(argv, 0, 0).map_err(out_of_memory)?;
        list.replace_first(name);
        argv = list.into_strings();
    }
    for resource in ALL {
        if let Some(limit) = changes.limits.of(resource) {
            let hard = judge(rights::hard_limit(resource), b"getrlimit()")?;
            if let Some(soft) = soft_limit(limit, hard) {
                judge(rights::set_limit(resource, soft, hard), b"setrlimit()")?;
            }
        }
    }
    // A PATH among the new variables is for the program, not for finding it.
    let path = inherited.variable(b"PATH");
    let reason = execute_from(path, program, &|path| execute_words(path, argv, environment));
    Err(changes.fail(b"unable to run: %: %", &[name.to_bytes(), reason.text()]))
}

/// Whoever succeeds is another program by then.
enum Never {}

impl Changes {
    fn fail(&self, template: &[u8], values: &[&[u8]]) -> Told {
        if self.tells { fail(template, values) } else { Told }
    }
}

fn enter(directory: &CStr) -> Result<(), Told> {
    judge_path(process::enter_path(directory), b"change directory", directory)
}

fn find(named: Named, ids: &mut Ids) -> Result<(), Told> {
    let spec = named.spec;
    let account = if named.is_plain { Account::Names(spec, None) } else { Account::of(spec) };
    accounts::find_ids(account, ids).map_err(|trouble| {
        let (template, value): (&[u8], _) = match trouble {
            // Told without the first colon.
            Trouble::Invalid => (b"invalid uid/gids: %", spec.get(1..).unwrap_or(&[])),
            Trouble::Unknown if named.is_plain => (b"unknown account: %", spec),
            Trouble::Unknown => (b"unknown user/group: %", spec),
            Trouble::TooMany => (b"too many groups: %", spec),
            Trouble::File(reason) if named.is_plain => (b"unable to get password file entry: %", reason.text()),
            Trouble::File(reason) => (b"unable to get password/group file entry: %", reason.text()),
        };
        fail(template, &[value])
    })
}

/// The variables that ids are told by.
const IDS: [&[u8]; 2] = [b"GID", b"UID"];

fn add_ids(variables: Option<Variables>, inherited: Strings, ids: &Ids) -> Result<Variables, Told> {
    let mut variables = match variables {
        Some(variables) => variables,
        None => Variables::copy(inherited).map_err(out_of_memory)?,
    };
    for (name, id) in IDS.into_iter().zip([ids.group(), ids.user]) {
        let mut number = Text::<12>::new();
        number.push_number(id.into());
        variables.set(name, number.as_bytes()).map_err(out_of_memory)?;
    }
    Ok(variables)
}

/// What was closed is closed again: until the program is executed there is something to tell errors by.
fn close(standard: Standard, is_wanted: bool, was_closed: bool) -> Result<(), Told> {
    let closed = match (is_wanted, was_closed) {
        (false, false) => return Ok(()),
        (true, true) => Err(Errno::BADF),
        (true, false) | (false, true) => standard::close_on_exec(standard),
    };
    let what: &[u8] = match standard {
        Standard::Input => b"close stdin",
        Standard::Output => b"close stdout",
        Standard::Error => b"close stderr",
    };
    judge(closed, what)
}
