//! One diagnostic line: `program: fatal: what: path: reason`.

use heapless::Vec;

use super::errno::Errno;
use crate::limits::MESSAGE_PARTS;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Severity {
    /// The program ends.
    Fatal,
    /// The program goes on.
    Warning,
}

impl Severity {
    fn text(self) -> &'static [u8] {
        match self {
            Self::Fatal => b": fatal: ",
            Self::Warning => b": warning: ",
        }
    }
}

/// The parts of a line, in order; whoever writes them adds the newline, and writes once.
pub type Parts<'a> = Vec<&'a [u8], MESSAGE_PARTS>;

/// What went wrong, where, and why. Nothing is copied: the parts are written from where they are.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The program, as it calls itself.
    pub program: &'a [u8],
    /// What it is busy with, shown behind its name (`runsv DIR`); empty for nothing.
    pub subject: &'a [u8],
    /// How bad it is.
    pub severity: Severity,
    /// What was tried; begins with "unable to".
    pub what: &'a [u8],
    /// What it was tried on, as the user gave it; empty for nothing.
    pub path: &'a [u8],
    /// Why it failed, if a system call said so.
    pub reason: Option<Errno>,
}

impl<'a> Message<'a> {
    /// The line without its newline.
    pub fn parts(&self) -> Parts<'a> {
        let mut parts = Parts::new();
        let mut push = |part| {
            // MESSAGE_PARTS is more than what is pushed here, so no part is ever left out.
            let _ = parts.push(part);
        };
        push(self.program);
        if !self.subject.is_empty() {
            push(b" ");
            push(self.subject);
        }
        push(self.severity.text());
        push(self.what);
        if !self.path.is_empty() {
            push(b": ");
            push(self.path);
        }
        if let Some(errno) = self.reason {
            push(b": ");
            push(errno.text());
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Message<'_> = Message {
        program: b"sv",
        subject: b"",
        severity: Severity::Fatal,
        what: b"unable to open current directory",
        path: b"",
        reason: None,
    };

    #[test]
    fn the_shortest_line_has_three_parts() {
        assert_eq!(PLAIN.parts().concat(), b"sv: fatal: unable to open current directory");
    }

    #[test]
    fn subject_path_and_reason_are_joined_in_their_places() {
        let message = Message {
            subject: b"/etc/sv/x",
            severity: Severity::Warning,
            path: b"supervise/lock",
            reason: Some(Errno::AGAIN),
            ..PLAIN
        };
        assert_eq!(
            message.parts().concat(),
            b"sv /etc/sv/x: warning: unable to open current directory: supervise/lock: temporary failure"
        );
    }
}
