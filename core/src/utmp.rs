//! Records of who is logged in, and of boots and shutdowns: `/run/utmp` and `/var/log/wtmp` (utmp(5)).
//!
//! The layout is that of glibc's programs on x86_64 and 32-bit arm, which is what everybody reads; musl has another one that
//! nobody writes. Seconds have 32 bits there, whatever the machine; they are taken without a sign, and end in 2106.

use crate::tai64n::Label;

/// Bytes of a record.
pub const RECORD_BYTES: usize = 384;

/// Bytes of the name of a line, a terminal without `/dev/`; as many are compared. What is shorter ends in a NUL.
pub const LINE_BYTES: usize = 32;

// Offsets and lengths, named once.
const KIND: usize = 0;
const LINE: Field = Field { start: 8, length: LINE_BYTES };
const ID: Field = Field { start: 40, length: 4 };
const USER: Field = Field { start: 44, length: 32 };
const HOST: Field = Field { start: 76, length: 256 };
const SECONDS: usize = 340;

struct Field {
    start: usize,
    length: usize,
}

/// What a record tells of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A change of the runlevel; of the user `shutdown`, the end of the machine.
    RunLevel = 1,
    /// A boot.
    Boot = 2,
    /// Somebody is logged in.
    User = 7,
    /// Somebody was.
    Dead = 8,
}

/// One record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record([u8; RECORD_BYTES]);

impl Default for Record {
    fn default() -> Self {
        Self::new()
    }
}

impl Record {
    /// All zeros.
    pub const fn new() -> Self {
        Self([0; RECORD_BYTES])
    }

    /// That of a boot of the kernel called `release`.
    pub fn of_boot(release: &[u8], time: Label) -> Self {
        Self::of_machine(Kind::Boot, b"reboot", b"~", release, time)
    }

    /// That of the end of the machine.
    pub fn of_shutdown(release: &[u8], time: Label) -> Self {
        Self::of_machine(Kind::RunLevel, b"shutdown", b"~~", release, time)
    }

    fn of_machine(kind: Kind, user: &[u8], line: &[u8], release: &[u8], time: Label) -> Self {
        let record = Self::new().with_kind(kind).with_user(user).with_line(line).with_id(b"~~");
        record.with_host(release).with_time(time)
    }

    /// The record that a file holds.
    pub const fn from_bytes(bytes: [u8; RECORD_BYTES]) -> Self {
        Self(bytes)
    }

    /// As a file holds it.
    pub const fn as_bytes(&self) -> &[u8; RECORD_BYTES] {
        &self.0
    }

    /// Whether it is of this kind.
    pub fn is(&self, kind: Kind) -> bool {
        self.0.get(KIND..).and_then(|bytes| bytes.first_chunk()) == Some(&(kind as u16).to_ne_bytes())
    }

    /// The name of its line.
    pub fn line(&self) -> &[u8] {
        self.text(&LINE)
    }

    /// The name of its user.
    pub fn user(&self) -> &[u8] {
        self.text(&USER)
    }

    /// Says what it tells of.
    #[must_use]
    pub fn with_kind(mut self, kind: Kind) -> Self {
        self.put(KIND, &(kind as u16).to_ne_bytes());
        self
    }

    /// Says of which line; what does not fit is cut.
    #[must_use]
    pub fn with_line(self, line: &[u8]) -> Self {
        self.with_text(&LINE, line)
    }

    /// Gives it the short name by which records of one line are known.
    #[must_use]
    pub fn with_id(self, id: &[u8]) -> Self {
        self.with_text(&ID, id)
    }

    /// Says of which user; nobody if it is empty.
    #[must_use]
    pub fn with_user(self, user: &[u8]) -> Self {
        self.with_text(&USER, user)
    }

    /// Says from where.
    #[must_use]
    pub fn with_host(self, host: &[u8]) -> Self {
        self.with_text(&HOST, host)
    }

    /// Says when: seconds alone; what was said of parts of a second stays, as the original has it.
    #[must_use]
    pub fn with_time(mut self, time: Label) -> Self {
        // The layout has no more than the low 32 bits.
        let [a, b, c, d, ..] = time.unix_seconds().to_le_bytes();
        self.put(SECONDS, &u32::from_le_bytes([a, b, c, d]).to_ne_bytes());
        self
    }

    fn text(&self, field: &Field) -> &[u8] {
        let bytes = self.0.get(field.start..).and_then(|bytes| bytes.get(..field.length)).unwrap_or(&[]);
        bytes.split(|byte| *byte == 0).next().unwrap_or(&[])
    }

    fn with_text(mut self, field: &Field, text: &[u8]) -> Self {
        self.put_text(field, text);
        self
    }

    #[inline(never)]
    fn put_text(&mut self, field: &Field, text: &[u8]) {
        let bytes = self.0.iter_mut().skip(field.start).take(field.length);
        // All of it is replaced, so nothing of a longer one is left.
        for (byte, new) in bytes.zip(text.iter().copied().chain(core::iter::repeat(0))) {
            *byte = new;
        }
    }

    fn put(&mut self, start: usize, bytes: &[u8]) {
        for (place, byte) in self.0.iter_mut().skip(start).zip(bytes) {
            *place = *byte;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Offsets as utmp(5) and glibc's header have them, written down a second time.
    #[test]
    fn every_field_lies_where_other_programs_look_for_it() {
        let record = Record::new()
            .with_kind(Kind::User)
            .with_line(b"tty1")
            .with_id(b"1")
            .with_user(b"ada")
            .with_host(b"6.1.0")
            .with_time(Label::from_unix(0x0102_0304, 999));
        let mut expected = [0; 384];
        expected[0..2].copy_from_slice(&7_u16.to_ne_bytes());
        expected[8..12].copy_from_slice(b"tty1");
        expected[40..41].copy_from_slice(b"1");
        expected[44..47].copy_from_slice(b"ada");
        expected[76..81].copy_from_slice(b"6.1.0");
        expected[340..344].copy_from_slice(&0x0102_0304_u32.to_ne_bytes());
        assert_eq!(record.as_bytes(), &expected);
        assert_eq!((record.line(), record.user()), (&b"tty1"[..], &b"ada"[..]));
        assert!(record.is(Kind::User) && !record.is(Kind::Dead));
    }

    /// As halt(8) of Void has them, which last(1) knows.
    #[test]
    fn boots_and_shutdowns_are_those_that_other_programs_know() {
        let time = Label::from_unix(1_800_000_000, 0);
        let common = Record::new().with_id(b"~~").with_host(b"6.12.3").with_time(time);
        let boot = common.clone().with_kind(Kind::Boot).with_user(b"reboot").with_line(b"~");
        assert_eq!(Record::of_boot(b"6.12.3", time), boot);
        let shutdown = common.with_kind(Kind::RunLevel).with_user(b"shutdown").with_line(b"~~");
        assert_eq!(Record::of_shutdown(b"6.12.3", time), shutdown);
        assert_eq!((&boot.0[..2], &shutdown.0[..2]), (&2_u16.to_ne_bytes()[..], &1_u16.to_ne_bytes()[..]));
    }

    #[test]
    fn what_is_said_again_is_replaced_whole() {
        let record = Record::from_bytes([b'x'; 384]).with_user(b"").with_line(b"pts/3");
        assert_eq!((record.user(), record.line()), (&b""[..], &b"pts/3"[..]));
        let bytes = record.as_bytes();
        assert!(bytes[44..76].iter().all(|byte| *byte == 0) && bytes[13..40].iter().all(|byte| *byte == 0));
        assert!(bytes[2..8].iter().chain(&bytes[40..44]).chain(&bytes[76..]).all(|byte| *byte == b'x'));
    }

    #[test]
    fn a_line_of_full_length_has_no_end_mark() {
        let full = [b'l'; LINE_BYTES];
        assert_eq!(Record::new().with_line(&full).line(), full);
        assert_eq!(Record::new().with_line(&[b'l'; 40]).line(), full);
    }

    /// 2038 is past 31 bits: the field goes on without a sign.
    #[test]
    fn times_after_2038_keep_their_low_bits() {
        let bytes = Record::new().with_time(Label::from_unix(0x8000_0001, 0)).0;
        assert_eq!(bytes[340..344], 0x8000_0001_u32.to_ne_bytes());
        assert_eq!(bytes[344..348], [0; 4]);
    }
}
