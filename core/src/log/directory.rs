//! The machine of one log directory.
//!
//! It is **closed**, or its file `current` is open and it **writes**. On the way between the two, and when a file is
//! rotated, it goes through named steps, one action each:
//!
//! - *opening*: open directory and lock, read the config; rename a file that was not closed properly; open `current`, prune.
//! - *rotating*: sync, seal (the mode says: closed properly), rename, open a new `current`, sync the directory, prune.
//! - *closing*: sync, seal, close.
//!
//! What fails keeps its step where nothing else can be done, and is tried again at a deadline, which is only there as long as
//! lines wait. A file that cannot be renamed is written to until it is twice as large. After an error that is not a
//! lack of space the directory is closed and opened anew by its path. Before the first time it was open, and on being
//! reopened on request, an error that will not go away by itself ends the machine: it is **gone**.

use crate::limits::{LOG_RETRY, LOOK_INTERVAL};
use crate::log::archive::Kind;
use crate::log::config::Config;
use crate::log::event::{Action, Event, Presence, What};
use crate::log::lines::Lines;
use crate::log::progress::{Next, Parts, Progress, Room, excerpt};
use crate::log::stamp::{Stamp, Style};
use crate::process::errno::Errno;
use crate::tai64n::Label;
use crate::text::Text;
use crate::time::{Instant, earlier};

/// What is done next, unless something is in the way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    Closed,
    Retire,
    Create,
    Write,
    Check,
    MakeRoom(Resumed, Errno),
    Sync(Purpose),
    Seal(Purpose),
    Rename,
    SyncDirectory,
    Prune,
    Close(Purpose),
    Gone,
}

/// What there was no space for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Resumed {
    Create,
    Write,
}

/// Why a file is closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Purpose {
    Rotate,
    /// It is not `current` any more.
    Replace,
    Reopen,
    End,
}

/// What is being written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Writing {
    /// Lines before this place.
    Lines(usize),
    /// How many were lost, in so many bytes.
    Note(usize),
    /// A line that could not be sent, in so many bytes.
    Unsent(usize),
    /// The end of another's line.
    End,
}

/// Bytes of the line that tells how many lines were lost.
const NOTE_BYTES: usize = 128;

/// One log directory.
#[derive(Debug)]
pub struct Directory<'memory> {
    config: Config<'memory>,
    style: Style,
    progress: Progress,
    step: Step,
    writing: Writing,
    /// It was not open since it was asked for.
    is_first: bool,
    /// The directory was removed while it was open, or what is in it.
    must_make: bool,
    must_rotate: bool,
    must_check: bool,
    /// It is opened although no line waits.
    must_open: bool,
    must_prune: bool,
    order: Option<Purpose>,
    /// Bytes in `current`.
    size: u64,
    /// What was written last ends with a line.
    ends_line: bool,
    /// The last line in `current` is another's, and has no end.
    is_torn: bool,
    /// Nothing was written to it since it was opened: it is rotated for its size only when the next line does not fit.
    is_untouched: bool,
    latest: Label,
    rotate_at: Option<Instant>,
    /// `current` could not be renamed, and is not tried before this time.
    rename_at: Option<Instant>,
    /// Nothing is opened or written before this time.
    retry_at: Option<Instant>,
    /// What was told last, until it works again.
    told: Option<Errno>,
    /// What failed last.
    reason: Errno,
    warning: Option<(What, Errno)>,
    lost: u64,
    /// So many of them are to be told.
    tell_lost: Option<u64>,
    unsent: Option<usize>,
    note: Text<NOTE_BYTES>,
    stamp: Stamp,
}

impl<'memory> Directory<'memory> {
    /// A directory that was not opened yet; lines have stamps of this style, and so has what it writes itself.
    pub fn new(config: Config<'memory>, style: Style) -> Self {
        Self {
            config,
            style,
            progress: Progress::default(),
            step: Step::Closed,
            writing: Writing::End,
            is_first: true,
            must_make: false,
            must_rotate: false,
            must_check: false,
            must_open: false,
            must_prune: false,
            order: None,
            size: 0,
            ends_line: true,
            is_torn: false,
            is_untouched: true,
            latest: Label::from_unix(0, 0),
            rotate_at: None,
            rename_at: None,
            retry_at: None,
            told: None,
            reason: Errno::NOSPC,
            warning: None,
            lost: 0,
            tell_lost: None,
            unsent: None,
            note: Text::new(),
            stamp: Stamp::NONE,
        }
    }

    /// Its config.
    pub fn config(&self) -> &Config<'memory> {
        &self.config
    }

    /// Its config, to be read anew while [`Action::Open`] is done.
    pub fn config_mut(&mut self) -> &mut Config<'memory> {
        &mut self.config
    }

    /// Bytes in `current`.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The label of the last file.
    pub fn latest(&self) -> Label {
        self.latest
    }

    /// There is a file with this label.
    pub fn saw(&mut self, label: Label) {
        self.latest = self.latest.max(label);
    }

    /// Whether it will never be used again.
    pub fn is_gone(&self) -> bool {
        self.step == Step::Gone
    }

    /// Lines before this place are dealt with; without a place, all are.
    pub fn cursor(&self) -> Option<usize> {
        (!self.is_gone()).then(|| self.progress.cursor())
    }

    /// Whether lines wait for it.
    pub fn is_behind(&self, lines: &Lines) -> bool {
        !self.is_gone() && self.progress.is_behind(lines)
    }

    /// Whether there is a reason to try again.
    fn is_waited_for(&self, lines: &Lines) -> bool {
        self.is_behind(lines) || self.lost > 0 || self.must_open
    }

    /// Whether no line before `end` may be dropped, although it is not dealt with.
    pub fn insists_on(&self, end: usize) -> bool {
        self.config.settings().waits && self.cursor().is_some_and(|cursor| cursor < end)
    }

    /// The first `count` bytes of the lines are gone; they were dealt with.
    pub fn shift(&mut self, count: usize) {
        self.progress.shift(count);
    }

    /// Gives up lines before `end`.
    pub fn lose(&mut self, lines: &Lines, end: usize) {
        if !self.is_gone() {
            self.lost = self.lost.saturating_add(self.progress.lose(&self.config, lines, end));
        }
    }

    /// When to come with [`Event::Look`] at the latest.
    pub fn deadline(&self, lines: &Lines) -> Option<Instant> {
        if self.is_gone() {
            return None;
        }
        let is_waited_for = self.is_waited_for(lines);
        let retry = if is_waited_for { self.retry_at } else { None };
        let may_rename = self.step == Step::Write && (is_waited_for || self.must_rotate);
        let rename = if may_rename { self.rename_at } else { None };
        let age = if self.size > 0 && self.retry_at.is_none() { self.rotate_at } else { None };
        earlier(earlier(retry, rename), age)
    }

    /// Takes one event, and gives what must be done now; its answer is the next event. The parts are what is to be written,
    /// shown or sent.
    pub fn handle<'a>(
        &'a mut self,
        event: Event,
        lines: &'a Lines,
        now: Instant,
        wall: Label,
        parts: &mut Parts<'a>,
    ) -> Option<Action> {
        self.take(event, lines, now, wall);
        self.next(lines, now, wall, parts)
    }

    fn take(&mut self, event: Event, lines: &Lines, now: Instant, wall: Label) {
        match (self.step, event) {
            (_, Event::Look) => {}
            (_, Event::Failed(What::Send, _)) => self.unsent = Some(self.progress.cursor()),
            (_, Event::Rotate) => self.must_rotate = true,
            (_, Event::Suspect) => self.must_check = true,
            (_, Event::Flush) => (self.retry_at, self.rename_at) = (None, None),
            (Step::Gone, Event::Reopen) => {
                self.progress = Progress::behind(lines);
                (self.step, self.is_first, self.retry_at, self.told) = (Step::Closed, true, None, None);
                (self.must_rotate, self.ends_line) = (false, true);
            }
            (_, Event::Reopen) => self.order = Some(Purpose::Reopen),
            (_, Event::End) => self.order = Some(Purpose::End),

            (Step::Closed, Event::Opened { size, is_sealed }) => {
                self.must_make = false;
                self.must_prune = true;
                self.step = Step::Create;
                if size > 0 && !is_sealed {
                    new_label(&mut self.latest, wall);
                    self.step = Step::Retire;
                }
            }
            (Step::Closed, Event::Failed(what, reason)) => {
                self.fail(what, reason, now);
                if self.is_first && is_final(reason) {
                    self.give_up(lines);
                }
            }

            (Step::Retire | Step::Rename, Event::Failed(_, Errno::EXIST)) => self.latest = self.latest.next(),
            (Step::Retire, Event::Done) => self.step = Step::Create,
            (Step::Retire, Event::Failed(what, reason)) => {
                // Its lines stay where they are, and new ones come behind them.
                self.warning = Some((what, reason));
                self.step = Step::Create;
            }

            (Step::Create, Event::Created { size, ends_line }) => {
                self.size = size;
                // What this program has begun itself it goes on with.
                self.is_torn = self.is_first && self.ends_line && !ends_line;
                self.is_untouched = true;
                self.ends_line |= size == 0;
                self.is_first = false;
                self.retry_at = None;
                self.rotate_at = self.config.settings().age.map(|age| now.plus(age));
                self.step = if self.must_prune { Step::SyncDirectory } else { Step::Write };
            }
            (Step::Create, Event::Failed(what, reason)) => {
                if is_lack_of_space(reason) {
                    self.step = Step::MakeRoom(Resumed::Create, reason);
                } else {
                    self.fail(what, reason, now);
                    let is_lost = self.is_first && is_final(reason);
                    self.step = Step::Close(if is_lost { Purpose::End } else { Purpose::Replace });
                }
            }

            (Step::Write, Event::Written(count)) => self.wrote(count, lines),
            (Step::Write, Event::Failed(what, reason)) => {
                if matches!(self.writing, Writing::Unsent(_)) && self.config.settings().only_sends {
                    self.lost = self.lost.saturating_add(1);
                }
                if is_lack_of_space(reason) {
                    self.step = Step::MakeRoom(Resumed::Write, reason);
                } else if reason == Errno::FBIG && self.size > 0 && self.rename_at.is_none() {
                    // There is room in a new file.
                    self.step = begin_rotation(&mut self.latest, wall);
                } else {
                    self.fail(what, reason, now);
                }
            }

            (Step::MakeRoom(resumed, reason), Event::Removed(is_removed)) => {
                if !is_removed {
                    let what = if resumed == Resumed::Write { What::Write } else { What::OpenCurrent };
                    self.fail(what, reason, now);
                }
                self.step = if resumed == Resumed::Write { Step::Write } else { Step::Create };
            }

            (Step::Check, Event::Checked(presence)) => {
                self.step = match presence {
                    Presence::Present => Step::Write,
                    Presence::CurrentMoved => Step::Sync(Purpose::Replace),
                    // Whoever removed something may be about to remove more, or removes what was renamed before.
                    Presence::CurrentGone | Presence::DirectoryGone => {
                        self.retry_at = Some(now.plus(LOOK_INTERVAL));
                        (self.must_open, self.reason) = (true, Errno::NOENT);
                        self.must_make = true;
                        Step::Sync(Purpose::Replace)
                    }
                }
            }

            (Step::Sync(purpose), Event::Done) => self.step = Step::Seal(purpose),
            (Step::Sync(purpose), Event::Failed(what, reason)) => {
                // What the disk refuses once it will not take later. Only rotation goes on as if it had.
                self.warn(what, reason);
                self.step = if purpose == Purpose::Rotate { Step::Seal(purpose) } else { Step::Close(purpose) };
            }
            (Step::Seal(purpose), Event::Done) => self.sealed(purpose),
            (Step::Seal(purpose), Event::Failed(what, reason)) => {
                self.warn(what, reason);
                self.sealed(purpose);
            }
            (Step::Rename, Event::Done) => {
                self.must_prune = true;
                self.rename_at = None;
                self.step = Step::Create;
            }
            (Step::Rename, Event::Failed(what, reason)) => {
                self.warn(what, reason);
                self.reason = reason;
                self.rename_at = Some(now.plus(LOG_RETRY));
                self.must_rotate = true;
                // Opened again it is no longer sealed.
                self.step = Step::Create;
            }
            (Step::SyncDirectory, _) => self.step = Step::Prune,
            (Step::Prune, Event::Pruned { is_complete: true }) => {
                self.must_prune = false;
                self.step = Step::Write;
            }
            (Step::Prune, Event::Failed(what, reason)) => {
                self.warning = Some((what, reason));
                self.must_prune = false;
                self.step = Step::Write;
            }
            (Step::Close(purpose), _) => {
                match purpose {
                    Purpose::End => self.give_up(lines),
                    Purpose::Rotate | Purpose::Replace | Purpose::Reopen => self.step = Step::Closed,
                }
                if purpose == Purpose::Reopen {
                    (self.is_first, self.retry_at, self.rename_at, self.told) = (true, None, None, None);
                }
            }
            // Nothing was asked.
            _ => {}
        }
    }

    /// It is not used any more; what waits for it is lost.
    fn give_up(&mut self, lines: &Lines) {
        self.lose(lines, lines.ready().len());
        if self.lost > 0 {
            self.tell_lost = Some(core::mem::take(&mut self.lost));
        }
        self.step = Step::Gone;
    }

    fn sealed(&mut self, purpose: Purpose) {
        self.step = match purpose {
            Purpose::Rotate => Step::Rename,
            Purpose::Replace | Purpose::Reopen | Purpose::End => Step::Close(purpose),
        };
    }

    fn wrote(&mut self, count: usize, lines: &Lines) {
        self.size = self.size.saturating_add(count as u64);
        (self.retry_at, self.told, self.is_untouched) = (None, None, false);
        match self.writing {
            Writing::Lines(end) => {
                self.progress.wrote(&self.config, lines, count, end);
                self.ends_line = self.progress.is_between_lines(lines);
            }
            Writing::Note(bytes) => {
                self.ends_line = count >= bytes;
                self.is_torn = false;
                if self.ends_line {
                    self.tell_lost = Some(core::mem::take(&mut self.lost));
                }
            }
            Writing::Unsent(bytes) => (self.is_torn, self.ends_line) = (count < bytes, true),
            Writing::End => (self.is_torn, self.ends_line) = (false, true),
        }
    }

    /// What failed is told, unless it was told before, and tried again later.
    fn fail(&mut self, what: What, reason: Errno, now: Instant) {
        self.warn(what, reason);
        self.reason = reason;
        self.retry_at = Some(now.plus(LOG_RETRY));
    }

    fn warn(&mut self, what: What, reason: Errno) {
        if self.told != Some(reason) {
            self.told = Some(reason);
            self.warning = Some((what, reason));
        }
    }

    /// The kind of a file that is rotated now.
    fn kind(&self) -> Kind {
        if self.config.command().is_some() { Kind::Unprocessed } else { Kind::Finished }
    }

    fn next<'a>(&'a mut self, lines: &'a Lines, now: Instant, wall: Label, parts: &mut Parts<'a>) -> Option<Action> {
        if let Some((what, reason)) = self.warning.take() {
            return Some(Action::Warn(what, reason));
        }
        if let Some(lost) = self.tell_lost.take() {
            return Some(Action::TellLost(lost, self.reason));
        }
        match self.step {
            Step::Gone => None,
            Step::Closed | Step::Create => self.next_to_open(lines, now, parts),
            Step::Write => self.next_to_write(lines, now, wall, parts),
            Step::Check => Some(Action::Check),
            Step::MakeRoom(..) => match self.config.settings().spare() {
                Some(least) => Some(Action::MakeRoom(least)),
                None => {
                    self.take(Event::Removed(false), lines, now, wall);
                    self.next(lines, now, wall, parts)
                }
            },
            Step::Sync(_) => Some(Action::Sync),
            Step::Seal(_) => Some(Action::Seal),
            Step::Retire => Some(Action::Rename(Kind::Unprocessed)),
            Step::Rename => Some(Action::Rename(self.kind())),
            Step::SyncDirectory => Some(Action::SyncDirectory),
            Step::Prune => Some(Action::Prune),
            Step::Close(purpose) => Some(Action::Close { is_last: purpose == Purpose::End }),
        }
    }

    fn next_to_open<'a>(&'a mut self, lines: &'a Lines, now: Instant, parts: &mut Parts<'a>) -> Option<Action> {
        match self.order.take() {
            Some(Purpose::End) => {
                self.step = Step::Close(Purpose::End);
                return Some(Action::Close { is_last: true });
            }
            Some(_) => {
                self.step = Step::Close(Purpose::Reopen);
                return Some(Action::Close { is_last: false });
            }
            None => {}
        }
        if self.retry_at.is_some_and(|at| now < at || !self.is_waited_for(lines)) {
            return self.next_notice(lines, parts);
        }
        self.must_open = false;
        Some(match self.step {
            Step::Create => Action::Create,
            _ => Action::Open { must_make: self.must_make },
        })
    }

    fn next_to_write<'a>(
        &'a mut self,
        lines: &'a Lines,
        now: Instant,
        wall: Label,
        parts: &mut Parts<'a>,
    ) -> Option<Action> {
        if let Some(purpose) = self.order.take() {
            self.step = Step::Sync(purpose);
            return Some(Action::Sync);
        }
        if core::mem::take(&mut self.must_check) {
            self.step = Step::Check;
            return Some(Action::Check);
        }
        self.rename_at = self.rename_at.filter(|at| now < *at);
        if self.must_rotate && self.rename_at.is_none() {
            self.must_rotate = false;
            if let Some(action) = self.rotate(wall) {
                return Some(action);
            }
        }
        if let Some(at) = self.retry_at {
            if now < at || !self.is_waited_for(lines) {
                return self.next_notice(lines, parts);
            }
            self.retry_at = None;
            if !is_lack_of_space(self.reason) {
                self.step = Step::Sync(Purpose::Replace);
                return Some(Action::Sync);
            }
        }
        if self.rotate_at.is_some_and(|at| now >= at) && (self.size > 0 || self.is_behind(lines)) {
            self.rotate_at = self.config.settings().age.map(|age| now.plus(age));
            if self.size > 0 {
                return self.rotate(wall);
            }
        }
        let room = self.room(lines.rules().characters as u64);
        let is_full = room.left == 0 && self.is_behind(lines);
        let must_rotate = self.size > 0 && (is_full || (room.soft == 0 && self.ends_line && !self.is_untouched));
        if must_rotate && self.rename_at.is_none() {
            return self.rotate(wall);
        }
        if self.rename_at.is_some() && (room.left == 0 || self.lost > 0) {
            // It is as large as it may be. Lost lines are told once it can be renamed.
            return self.next_notice(lines, parts);
        }
        if self.is_torn && self.is_behind(lines) {
            self.writing = Writing::End;
            let _ = parts.push(b"\n");
            return Some(Action::Write);
        }
        if self.lost > 0 {
            return Some(self.write_note(wall, parts));
        }
        if self.unsent.is_some() {
            return Some(self.write_unsent(lines, parts));
        }
        match self.progress.next(&self.config, lines, room, parts) {
            Next::Nothing => None,
            Next::Write { end } => {
                self.writing = Writing::Lines(end);
                Some(Action::Write)
            }
            Next::Show => Some(Action::Show),
            Next::Send => Some(Action::Send),
            // Nothing fits, and it cannot be renamed.
            Next::Rotate if self.rename_at.is_some() => None,
            Next::Rotate => {
                self.step = begin_rotation(&mut self.latest, wall);
                Some(Action::Sync)
            }
        }
    }

    /// What is shown and sent although it cannot be written.
    fn next_notice<'a>(&'a mut self, lines: &'a Lines, parts: &mut Parts<'a>) -> Option<Action> {
        if self.unsent.take().is_some() && self.config.settings().only_sends {
            self.lost = self.lost.saturating_add(1);
        }
        match self.progress.next_notice(&self.config, lines, parts) {
            Next::Show => Some(Action::Show),
            Next::Send => Some(Action::Send),
            Next::Nothing | Next::Write { .. } | Next::Rotate => None,
        }
    }

    /// How much may be written to `current`.
    fn room(&self, characters: u64) -> Room {
        let wanted = self.config.settings().size;
        if wanted == 0 {
            return Room::ENDLESS;
        }
        // That it cannot be renamed just now is no reason to lose lines.
        let is_late = self.rename_at.is_some();
        let limit = if is_late { wanted.saturating_mul(2) } else { wanted };
        let margin = if is_late { 0 } else { characters.min(wanted / 2) };
        Room {
            left: limit.saturating_sub(self.size),
            soft: limit.saturating_sub(margin).saturating_sub(self.size),
            is_empty: self.size == 0,
        }
    }

    /// Rotates, if there is something in the file and it can be renamed.
    fn rotate(&mut self, wall: Label) -> Option<Action> {
        if self.size == 0 || self.rename_at.is_some() {
            return None;
        }
        self.step = begin_rotation(&mut self.latest, wall);
        Some(Action::Sync)
    }

    /// The line that tells how many are lost.
    fn write_note<'a>(&'a mut self, wall: Label, parts: &mut Parts<'a>) -> Action {
        self.note = Text::from_bytes(b"svlogd: warning: ");
        self.note.push_number(self.lost);
        self.note.push(b" lines lost: ");
        self.note.push(self.reason.text());
        self.note.push(b"\n");
        self.stamp = Stamp::new(self.style, wall);
        // What was written of a line that is lost ends here.
        let end: &[u8] = if self.ends_line && !self.is_torn { b"" } else { b"\n" };
        for part in [end, self.stamp.as_bytes(), self.config.prefix(), self.note.as_bytes()] {
            let _ = parts.push(part);
        }
        self.writing = Writing::Note(parts.iter().map(|part| part.len()).sum());
        Action::Write
    }

    /// A line that could not be sent.
    fn write_unsent<'a>(&'a mut self, lines: &'a Lines, parts: &mut Parts<'a>) -> Action {
        let begin = self.unsent.take().unwrap_or(0);
        let _ = parts.push(b"warning: failure sending through udp: ");
        excerpt(&self.config, lines, begin, parts);
        self.writing = Writing::Unsent(parts.iter().map(|part| part.len()).sum());
        Action::Write
    }
}

/// The clock may have been set back: later files have later labels all the same.
fn new_label(latest: &mut Label, wall: Label) {
    *latest = wall.max(latest.next());
}

/// A file that is rotated gets the label of the moment; the first step.
fn begin_rotation(latest: &mut Label, wall: Label) -> Step {
    new_label(latest, wall);
    Step::Sync(Purpose::Rotate)
}

/// Whether an error will not go away by itself.
fn is_final(reason: Errno) -> bool {
    matches!(
        reason,
        Errno::NAMETOOLONG
            | Errno::NOENT
            | Errno::NOTDIR
            | Errno::ACCES
            | Errno::PERM
            | Errno::LOOP
            | Errno::AGAIN
            | Errno::ISDIR
            | Errno::NODEV
    )
}

/// Whether removing something may help.
fn is_lack_of_space(reason: Errno) -> bool {
    matches!(reason, Errno::NOSPC | Errno::DQUOT)
}

#[cfg(test)]
mod tests;
