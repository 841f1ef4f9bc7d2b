//! One line for people, as the parts it is written from: nothing is copied, and all are written at once.
//!
//! Diagnostics have the form `program: fatal: what: path: reason`; `warning` where the program goes on. `what` begins with
//! "unable to", `path` is as the user gave it, and `reason` comes from [`super::errno`].

use heapless::Vec;

use crate::limits::MESSAGE_PARTS;

/// The parts of a line, in order; whoever writes them adds the newline.
#[derive(Default, Debug)]
pub struct Line<'a>(Vec<&'a [u8], MESSAGE_PARTS>);

impl<'a> Line<'a> {
    /// Appends `template`, with the next of `values` in the place of each `%`. Values are never looked into.
    pub fn fill(&mut self, template: &'a [u8], values: &[&'a [u8]]) {
        let mut values = values.iter();
        for literal in template.split(|byte| *byte == b'%') {
            self.push(literal);
            // Behind the last literal there is no value left.
            if let Some(value) = values.next() {
                self.push(value);
            }
        }
    }

    fn push(&mut self, part: &'a [u8]) {
        if !part.is_empty() {
            // MESSAGE_PARTS is more than any line has.
            let _ = self.0.push(part);
        }
    }

    /// The parts, without a newline.
    pub fn parts(&self) -> &[&'a [u8]] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &[u8], values: &[&[u8]]) -> Vec<u8, 64> {
        let mut line = Line::default();
        line.fill(template, values);
        line.parts().concat().as_slice().try_into().unwrap()
    }

    #[test]
    fn a_template_without_values_is_the_line() {
        assert_eq!(filled(b"usage: pause\n", &[]), b"usage: pause\n");
    }

    #[test]
    fn values_stand_in_their_places() {
        assert_eq!(
            filled(b"runsv %: fatal: unable to lock %: %", &[b"x", b"supervise/lock", b"temporary failure"]),
            b"runsv x: fatal: unable to lock supervise/lock: temporary failure"
        );
    }

    #[test]
    fn values_may_hold_what_looks_like_a_place() {
        assert_eq!(filled(b"%: %", &[b"100%", b"%s"]), b"100%: %s");
    }

    #[test]
    fn a_line_grows() {
        let mut line = Line::default();
        line.fill(b"run: %", &[b"a"]);
        line.fill(b"; %: log", &[b"down"]);
        assert_eq!(line.parts().concat(), b"run: a; down: log");
    }
}
