//! How far one log directory has come in the lines that all of them share, and what comes next for it.

use heapless::Vec;

use crate::limits::LINE_PARTS;
use crate::log::config::Config;
use crate::log::lines::{Lines, find};
use crate::log::pattern::Choice;

/// What is written at once, in parts.
pub type Parts<'a> = Vec<&'a [u8], LINE_PARTS>;

/// Parts of one line: stamp, prefix, text.
const PARTS_OF_LINE: usize = 3;

/// Where a directory is.
#[derive(Clone, Copy, Default, Debug)]
pub struct Progress {
    /// Lines before this place are dealt with.
    cursor: usize,
    /// Bytes of the line there that are written already, stamp and prefix included.
    written: usize,
    /// The beginning of the line there is dealt with and gone; whether it was taken.
    inside: Option<bool>,
    /// Lines that begin before this place were shown on standard error.
    shown: usize,
    /// Lines that begin before this place were sent.
    sent: usize,
}

/// How much a file takes.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Bytes until it is as large as it may be.
    pub left: u64,
    /// Bytes after which it is rotated with the next end of a line.
    pub soft: u64,
    /// Nothing is in it: what does not fit is cut.
    pub is_empty: bool,
}

impl Room {
    /// A file that is never rotated for its size.
    pub const ENDLESS: Self = Self { left: u64::MAX, soft: u64::MAX, is_empty: false };
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// Nothing.
    Nothing,
    /// To write the parts; then the lines before `end` are dealt with, if all was written.
    Write {
        /// The end of these lines, or of what of them fits.
        end: usize,
    },
    /// To write the parts to standard error.
    Show,
    /// To send the parts.
    Send,
    /// A new file: the next line does not fit into this one.
    Rotate,
}

/// One line, or what of it is there.
struct View {
    begin: usize,
    end: usize,
    has_end: bool,
    /// Its beginning is there.
    is_new: bool,
    choice: Choice,
}

impl View {
    /// Whether it goes into the log.
    fn is_written(&self, config: &Config) -> bool {
        self.choice.is_taken && !config.settings().only_sends
    }
}

impl Progress {
    /// Behind all lines that are there.
    pub fn behind(lines: &Lines) -> Self {
        let inside = lines.ready().last().is_some_and(|byte| *byte != b'\n').then_some(false);
        Self { cursor: lines.ready().len(), inside, ..Self::default() }
    }

    /// Whether there is something that is not dealt with.
    pub fn is_behind(&self, lines: &Lines) -> bool {
        self.cursor < lines.ready().len()
    }

    /// Lines before this place are dealt with.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// The first `count` bytes are gone.
    pub fn shift(&mut self, count: usize) {
        for place in [&mut self.cursor, &mut self.shown, &mut self.sent] {
            *place = place.saturating_sub(count);
        }
    }

    /// Whether what was written ends with a line.
    pub fn is_between_lines(&self, lines: &Lines) -> bool {
        let before = self.cursor.checked_sub(1).and_then(|place| lines.ready().get(place));
        self.written == 0 && self.inside != Some(true) && before.is_none_or(|byte| *byte == b'\n')
    }

    /// What comes next, with the parts of it.
    #[inline(never)]
    pub fn next<'a>(&mut self, config: &'a Config, lines: &'a Lines, room: Room, parts: &mut Parts<'a>) -> Next {
        if self.takes_bytes(config) {
            self.next_bytes(lines, room, parts)
        } else {
            self.next_lines(config, lines, room, parts)
        }
    }

    /// Whether all lines are taken as they are, so that it does not matter where they begin.
    fn takes_bytes(&self, config: &Config) -> bool {
        let is_plain = config.prefix().is_empty() && !config.has_patterns() && config.settings().target.is_none();
        is_plain && self.inside.is_none()
    }

    /// Where all lines are taken as they are, only those at the end of a file need be looked at.
    fn next_bytes<'a>(&self, lines: &'a Lines, room: Room, parts: &mut Parts<'a>) -> Next {
        let pending = lines.ready().get(self.cursor..).unwrap_or(&[]);
        if pending.is_empty() {
            return Next::Nothing;
        }
        // On 32-bit machines files may be larger than memory.
        let to_place = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let (left, soft) = (to_place(room.left), to_place(room.soft));
        let count = if pending.len() < soft {
            pending.len()
        } else {
            let from = soft.saturating_sub(1);
            let (before, rest) = pending.split_at_checked(from).unwrap_or((pending, &[]));
            let end = find(b'\n', rest).map_or(pending.len(), |place| from.wrapping_add(place).wrapping_add(1));
            if end <= left {
                end
            } else if let Some(place) = before.iter().rposition(|byte| *byte == b'\n') {
                place.wrapping_add(1)
            } else if room.is_empty || !self.is_between_lines(lines) {
                end.min(left)
            } else {
                0
            }
        };
        match pending.get(..count) {
            Some(bytes) if count > 0 => {
                let _ = parts.push(bytes);
                Next::Write { end: self.cursor.saturating_add(count) }
            }
            _ => Next::Rotate,
        }
    }

    /// One line after the other.
    fn next_lines<'a>(&mut self, config: &'a Config, lines: &'a Lines, room: Room, parts: &mut Parts<'a>) -> Next {
        let mut position = self.cursor;
        let mut total = 0_usize;
        while let Some(view) = self.view(config, lines, position) {
            if let Some(notice) = self.notice(config, &view) {
                if total > 0 {
                    break;
                }
                self.pass(config, lines, position);
                return self.give_notice(notice, config, lines, &view, parts);
            }
            if !view.is_written(config) {
                position = view.end;
                continue;
            }
            let written = if position == self.cursor { self.written } else { 0 };
            let length = self.output_length(config, &view).saturating_sub(written);
            let left = usize::try_from(room.left).unwrap_or(usize::MAX).saturating_sub(total);
            let fits = length <= left;
            let is_begun = written > 0 || !view.is_new;
            if !fits && (total > 0 || (!room.is_empty && !is_begun) || left == 0) {
                if total > 0 {
                    break;
                }
                return Next::Rotate;
            }
            if parts.len().saturating_add(PARTS_OF_LINE) > LINE_PARTS {
                break;
            }
            let mut cut = Cut { skipped: written, left };
            let line = lines.ready().get(view.begin..view.end).unwrap_or(&[]);
            if view.is_new && !config.prefix().is_empty() {
                let (stamp, text) = line.split_at_checked(lines.rules().stamp_size).unwrap_or((&[], line));
                for part in [stamp, config.prefix(), text] {
                    cut.push(part, parts);
                }
            } else {
                cut.push(line, parts);
            }
            total = total.saturating_add(length.min(left));
            if !fits {
                break;
            }
            position = view.end;
            if view.has_end && u64::try_from(total).unwrap_or(u64::MAX) >= room.soft {
                break;
            }
        }
        if total > 0 {
            return Next::Write { end: position };
        }
        // Nobody wants what was seen.
        self.pass(config, lines, position);
        Next::Nothing
    }

    /// What is to be shown or sent of what is not written yet: for a directory that cannot be written to.
    pub fn next_notice<'a>(&mut self, config: &'a Config, lines: &'a Lines, parts: &mut Parts<'a>) -> Next {
        if !config.has_patterns() && config.settings().target.is_none() {
            return Next::Nothing;
        }
        let mut position = self.cursor;
        while let Some(view) = self.view(config, lines, position) {
            if let Some(notice) = self.notice(config, &view) {
                return self.give_notice(notice, config, lines, &view, parts);
            }
            // Nobody waits for lines that are not taken.
            if position == self.cursor && !view.is_written(config) {
                self.step_over(&view);
            }
            position = view.end;
        }
        Next::Nothing
    }

    fn notice(&self, config: &Config, view: &View) -> Option<Next> {
        if !view.is_new {
            None
        } else if view.choice.is_shown && view.begin >= self.shown {
            Some(Next::Show)
        } else if view.choice.is_taken && config.settings().target.is_some() && view.begin >= self.sent {
            Some(Next::Send)
        } else {
            None
        }
    }

    fn give_notice<'a>(
        &mut self,
        notice: Next,
        config: &'a Config,
        lines: &'a Lines,
        view: &View,
        parts: &mut Parts<'a>,
    ) -> Next {
        // So that its beginning lies before.
        let place = view.begin.saturating_add(1);
        *(if notice == Next::Show { &mut self.shown } else { &mut self.sent }) = place;
        excerpt(config, lines, view.begin, parts);
        notice
    }

    /// So many bytes of [`Next::Write`] were written.
    pub fn wrote(&mut self, config: &Config, lines: &Lines, count: usize, end: usize) {
        let mut left = count;
        if self.takes_bytes(config) {
            self.cursor = self.cursor.saturating_add(count);
            return;
        }
        while self.cursor < end || left > 0 {
            let Some(view) = self.view(config, lines, self.cursor) else { break };
            let is_written = view.is_written(config);
            let length = self.output_length(config, &view).saturating_sub(self.written);
            if is_written && left < length {
                self.written = self.written.saturating_add(left);
                break;
            }
            if is_written {
                left = left.saturating_sub(length);
            }
            self.step_over(&view);
        }
    }

    /// Lines before `end` are dealt with: nobody wants them.
    fn pass(&mut self, config: &Config, lines: &Lines, end: usize) {
        while self.cursor < end {
            let Some(view) = self.view(config, lines, self.cursor) else { break };
            self.step_over(&view);
        }
    }

    fn step_over(&mut self, view: &View) {
        self.cursor = view.end;
        self.written = 0;
        self.inside = if view.has_end { None } else { Some(view.choice.is_taken) };
    }

    /// Gives up what is before `end`; how many lines it were that would have been written.
    pub fn lose(&mut self, config: &Config, lines: &Lines, end: usize) -> u64 {
        let mut count = 0_u64;
        if self.cursor >= end {
            return count;
        }
        while self.cursor < end {
            let Some(view) = self.view(config, lines, self.cursor) else { break };
            if view.is_written(config) {
                count = count.saturating_add(1);
            }
            self.step_over(&view);
        }
        if self.inside.is_some() {
            // Its rest is of no use.
            self.inside = Some(false);
        }
        count
    }

    fn output_length(&self, config: &Config, view: &View) -> usize {
        let prefix = if view.is_new { config.prefix().len() } else { 0 };
        view.end.saturating_sub(view.begin).saturating_add(prefix)
    }

    fn view(&self, config: &Config, lines: &Lines, position: usize) -> Option<View> {
        let rest = lines.ready().get(position..).filter(|rest| !rest.is_empty())?;
        let (length, has_end) = match find(b'\n', rest) {
            Some(place) => (place.wrapping_add(1), true),
            None => (rest.len(), false),
        };
        let end = position.saturating_add(length);
        let inside = self.inside.filter(|_| position == self.cursor);
        let choice = match inside {
            Some(is_taken) => Choice { is_taken, is_shown: false },
            None => config.choose(beginning(lines, position).0),
        };
        Some(View { begin: position, end, has_end, is_new: inside.is_none(), choice })
    }
}

/// The characters by which the line at `begin` is chosen, and whether there are more.
fn beginning<'a>(lines: &'a Lines, begin: usize) -> (&'a [u8], bool) {
    let text = lines.ready().get(begin.saturating_add(lines.rules().stamp_size)..).unwrap_or(&[]);
    let limit = lines.rules().characters;
    // One more than is looked at.
    let window = text.get(..=limit).unwrap_or(text);
    match find(b'\n', window) {
        Some(end) => (window.get(..end).unwrap_or(&[]), false),
        None => (window.get(..limit).unwrap_or(window), true),
    }
}

/// The line at `begin` as it is shown and sent: it may be cut, and always has an end.
pub fn excerpt<'a>(config: &'a Config, lines: &'a Lines, begin: usize, parts: &mut Parts<'a>) {
    let stamp = lines.ready().get(begin..).and_then(|line| line.get(..lines.rules().stamp_size)).unwrap_or(&[]);
    let (text, is_longer) = beginning(lines, begin);
    let end: &[u8] = if is_longer { b"...\n" } else { b"\n" };
    for part in [stamp, config.prefix(), text, end] {
        let _ = parts.push(part);
    }
}

/// Leaves out what is written already, and what does not fit.
struct Cut {
    skipped: usize,
    left: usize,
}

impl Cut {
    fn push<'a>(&mut self, part: &'a [u8], parts: &mut Parts<'a>) {
        let rest = part.get(self.skipped..).unwrap_or(&[]);
        self.skipped = self.skipped.saturating_sub(part.len());
        let rest = rest.get(..self.left).unwrap_or(rest);
        self.left = self.left.saturating_sub(rest.len());
        if !rest.is_empty() {
            let _ = parts.push(rest);
        }
    }
}
